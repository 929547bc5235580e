"""What hooks print, read by boto3 while they run: over the ends of server and agent, long lines, odd bytes and floods."""

import io
import json
import time
import zipfile

import pytest

import longshore
from names import unique

EVENT = "AfterInstall"


@pytest.fixture(scope="module")
def fleet(start_dev):
    """A server of its own, which will end, with one host."""
    dev = start_dev()
    dev.make_instance_profile()
    host = install_agent(dev)
    dev.host = host
    return dev


def install_agent(dev):
    script = (
        "#!/bin/sh\ncd /root && aws s3 cp s3://aws-codedeploy-us-east-1/latest/install . --region us-east-1 "
        "&& chmod +x ./install && ./install auto\n"
    )
    tag = unique("output")
    (host,) = dev.run_instances(tag=tag, IamInstanceProfile={"Name": "CodeDeployInstanceRole"}, UserData=script)
    dev.tag = tag
    longshore.wait_until(
        lambda: dev.shell(host, "service", "codedeploy-agent", "status", check=False).returncode == 0, "the agent runs", 60
    )
    return host


@pytest.fixture
def deploy(fleet):
    """Deploys a revision with this script for AfterInstall; returns the deployment's id."""

    def deploy(script, timeout=120):
        application = unique("output")
        fleet.make_application(application, fleet.tag)
        appspec = f"version: 0.0\nos: linux\nhooks:\n  {EVENT}:\n    - location: h.sh\n      timeout: {timeout}\n"
        bundle = io.BytesIO()
        with zipfile.ZipFile(bundle, "w") as archive:
            archive.writestr("appspec.yml", appspec)
            archive.writestr("h.sh", "#!/bin/sh\n" + script)
        fleet.upload("hook-output", application, bundle.getvalue())
        return fleet.deploy(application, "hook-output", application)

    return deploy


class Follower:
    """Follows a deployment's output as an operator's program does."""

    def __init__(self, fleet, deployment, **subject):
        self.client = fleet.session.longshore()
        self.question = {"deploymentId": deployment} | subject
        self.chunks, self.ended = [], False

    def look(self, wait=5):
        answer = self.client.get_hook_output(waitSeconds=wait, **self.question)
        self.question["nextToken"] = answer["nextToken"]
        self.chunks += answer["chunks"]
        self.ended = answer["ended"]
        return answer["chunks"]

    def until(self, text, seconds=60):
        deadline = time.monotonic() + seconds
        while text not in self.text():
            assert time.monotonic() < deadline and not self.ended, f"no {text!r} in {self.text()[-2000:]!r}"
            self.look()
        return self

    def until_end(self, seconds=90):
        deadline = time.monotonic() + seconds
        while not self.ended:
            assert time.monotonic() < deadline, self.text()[-2000:]
            self.look()
        return self

    def text(self, stream=None):
        return "".join(chunk["text"] for chunk in self.chunks if stream in (None, chunk["stream"]))


def test_output_is_read_while_the_hook_runs(fleet, deploy):
    deployment = deploy(
        "echo begun; echo oops >&2\nwhile [ ! -e /root/go-on ]; do sleep 0.1; done\nrm /root/go-on; echo done\n"
    )
    follower = Follower(fleet, deployment).until("begun").until("oops")
    targets = fleet.client("codedeploy")
    event = [e for e in fleet.targets(deployment)[fleet.host]["lifecycleEvents"] if e["lifecycleEventName"] == EVENT]
    assert event[0]["status"] == "InProgress"
    assert follower.chunks[0]["targetId"] == fleet.host and follower.chunks[0]["lifecycleEventName"] == EVENT
    assert abs(follower.chunks[0]["time"].timestamp() - time.time()) < 60
    assert follower.look(wait=0) == []
    fleet.shell(fleet.host, "touch", "/root/go-on")
    follower.until_end()
    assert fleet.wait_for_end(deployment)["status"] == "Succeeded"
    assert follower.text("stdout") == "begun\ndone\n"
    assert follower.text("stderr") == "oops\n"
    assert follower.text("note") == f"LifecycleEvent - {EVENT}\nScript - h.sh\n"
    # Read again from the beginning, by any filter.
    for subject in [{}, {"targetId": fleet.host}, {"targetId": fleet.host, "lifecycleEventName": EVENT},
                    {"lifecycleEventName": EVENT}]:
        assert Follower(fleet, deployment, **subject).until_end().chunks == follower.chunks
    assert Follower(fleet, deployment, lifecycleEventName="ApplicationStart").until_end().chunks == []
    with pytest.raises(targets.exceptions.ClientError, match="DeploymentTargetDoesNotExistException"):
        Follower(fleet, deployment, targetId="i-0123456789abcdef0").look()


def test_an_event_ends_before_its_deployment(fleet, deploy):
    deployment = deploy("echo quick\n")
    event = Follower(fleet, deployment, targetId=fleet.host, lifecycleEventName=EVENT).until_end()
    assert "quick\n" in event.text()
    fleet.wait_for_end(deployment)


def test_the_server_may_restart_meanwhile(fleet, deploy):
    deployment = deploy("echo one; i=0\nwhile [ $i -lt 40 ]; do i=$((i+1)); echo line $i; sleep 0.1; done\n")
    follower = Follower(fleet, deployment).until("line 5\n")
    fleet.longshore.kill()
    time.sleep(0.5)
    fleet.longshore.start()
    follower.until_end()
    assert fleet.wait_for_end(deployment)["status"] == "Succeeded"
    assert follower.text("stdout") == "one\n" + "".join(f"line {i}\n" for i in range(1, 41)), "each line once"


def test_the_agent_may_be_killed_meanwhile(fleet, deploy):
    deployment = deploy("echo begun; exec sleep 300\n")
    follower = Follower(fleet, deployment).until("begun")
    fleet.shell(fleet.host, "sh", "-c", "kill -9 $(cat /opt/codedeploy-agent/state/.pid/codedeploy-agent.pid)")
    longshore.wait_until(
        lambda: fleet.shell(fleet.host, "service", "codedeploy-agent", "start", check=False).returncode == 0
        or fleet.shell(fleet.host, "service", "codedeploy-agent", "status", check=False).returncode == 0, "it runs again")
    assert fleet.wait_for_end(deployment)["status"] == "Failed"
    follower.until_end()
    assert follower.text("stdout") == "begun\n"


def test_long_lines_odd_bytes_and_silence(fleet, deploy):
    deployment = deploy(
        "head -c 10000000 /dev/zero | tr '\\0' x; echo\nprintf 'a\\377b\\0c\\n'; printf 'no end'; exit 0\n", timeout=300)
    follower = Follower(fleet, deployment).until_end(120)
    assert fleet.wait_for_end(deployment)["status"] == "Succeeded"
    text = follower.text("stdout")
    assert text.startswith("xxxx") and text.endswith("x\na\ufffdb\0c\nno end")
    missing = 10_000_000 - text.count("x")
    assert missing == 0 or "bytes" in follower.text("note"), "what is missing is told"
    silent = deploy("sleep 1\n")
    follower = Follower(fleet, silent).until_end()
    assert follower.text() == f"LifecycleEvent - {EVENT}\nScript - h.sh\n"


def test_a_flood_is_bounded_on_both_sides(fleet, deploy):
    pid = fleet.shell(fleet.host, "cat", "/opt/codedeploy-agent/state/.pid/codedeploy-agent.pid").stdout.strip()
    deployment = deploy("yes 'a line of some forty characters, again..' | head -c 100000000\necho the end\n", timeout=300)
    follower = Follower(fleet, deployment).until_end(240)
    info = fleet.wait_for_end(deployment, 240)
    assert info["status"] == "Succeeded"
    peak = fleet.shell(fleet.host, "sh", "-c", f"grep VmHWM /proc/{pid}/status").stdout
    print(f"the agent's peak: {peak.strip()}; {len(follower.text())} bytes read")
    assert int(peak.split()[1]) < 64 * 1024, peak
    assert follower.text("stdout").endswith("the end\n")
    assert "bytes" in follower.text("note")
    again = Follower(fleet, deployment).until_end()
    assert len(again.text()) < 9 << 20, "the server keeps no more than its limit"
    assert again.text("stdout").endswith("the end\n")


def test_secrets_given_to_hooks_are_nowhere(fleet, deploy):
    secret = "s3cr3t-value-of-hooks"
    fleet.shell(fleet.host, "sh", "-c", f"echo 'export DB_PASSWORD={secret}' >>/etc/profile; service codedeploy-agent restart")
    deployment = deploy('[ "$DB_PASSWORD" ] || exit 9\nset -x; env; : login "$DB_PASSWORD"; echo "<$DB_PASSWORD>" >&2; exit 3\n')
    assert fleet.wait_for_end(deployment)["status"] == "Failed"
    follower = Follower(fleet, deployment).until_end()
    assert "DB_PASSWORD=***\n" in follower.text() and "<***>\n" in follower.text()
    target = fleet.targets(deployment)[fleet.host]
    diagnostics = [e["diagnostics"] for e in target["lifecycleEvents"] if e["status"] == "Failed"][0]
    assert "exit code 3" in diagnostics["message"] and "***" in diagnostics["logTail"]
    assert secret not in json.dumps([follower.text(), target], default=str)
    found = fleet.shell(fleet.host, "grep", "-rl", secret, "/opt/codedeploy-agent", "/var/log/aws", check=False).stdout
    assert found == "", found
