"""The server dies by SIGKILL in the middle of a deployment. Started again, it brings the deployment to the right end,
with no hook run twice."""

import pytest

import bundles
import longshore
from names import unique

HOOK_SECONDS = 0.6


class Fleet:
    def __init__(self, dev):
        self.dev = dev
        self.application = unique("durable")
        dev.make_application(self.application, self.application)
        self.hosts = dev.run_instances(
            2, tag=self.application, IamInstanceProfile={"Name": "CodeDeployInstanceRole"}
        )
        dev.upload(self.application, "v1", bundles.recording(HOOK_SECONDS))
        dev.upload(self.application, "failing", bundles.zipped({
            "appspec.yml": bundles.appspec([("BeforeInstall", "hook.sh"), ("AfterInstall", "fail.sh")]),
            "hook.sh": bundles.RECORD.replace("SECONDS", str(HOOK_SECONDS)),
            "fail.sh": "#!/bin/sh\nsleep 1\necho this version is broken >&2\nexit 7\n",
        }))

    def deploy(self, key="v1"):
        return self.dev.deploy(self.application, self.application, key)

    def hook_lines(self, deployment):
        """For each host, what its hooks wrote during a deployment."""
        lines = {}
        for host in self.hosts:
            log = self.dev.shell(host, "sh", "-c", f"cat {bundles.HOOK_LOG} 2>/dev/null || true").stdout
            lines[host] = [line.split(" ", 1)[1] for line in log.splitlines() if line.startswith(deployment)]
        return lines

    def wait_for_line(self, deployment, line, hosts=1):
        longshore.wait_until(
            lambda: sum(line in lines for lines in self.hook_lines(deployment).values()) >= hosts,
            f"`{line}` on {hosts} host(s) in {deployment}",
        )

    def kill_and_restart(self):
        self.dev.longshore.kill()
        self.dev.longshore.start()

    def every_hook_ran_once(self, deployment):
        expected = [f"{event} {word}" for event in bundles.EVENTS for word in ("begun", "done")]
        for host, lines in self.hook_lines(deployment).items():
            assert lines == expected, host


@pytest.fixture(scope="module")
def fleet(start_dev):
    """A server of its own: it will be killed."""
    dev = start_dev()
    dev.make_instance_profile()
    return Fleet(dev)


def test_killed_right_after_the_deployment_was_created(fleet):
    deployment = fleet.deploy()
    fleet.kill_and_restart()
    assert fleet.dev.wait_for_end(deployment)["status"] == "Succeeded"
    fleet.every_hook_ran_once(deployment)


@pytest.mark.parametrize("line, hosts", [
    ("BeforeInstall begun", 1),
    ("AfterInstall done", 1),
    ("ApplicationStart begun", 1),
    ("ValidateService done", 1),
    ("BeforeInstall begun", 2),
    ("ValidateService begun", 2),
])
def test_killed_when_a_hook_wrote(fleet, line, hosts):
    deployment = fleet.deploy()
    fleet.wait_for_line(deployment, line, hosts)
    fleet.kill_and_restart()
    info = fleet.dev.wait_for_end(deployment)
    assert info["status"] == "Succeeded", info
    assert info["deploymentOverview"]["Succeeded"] == 2
    fleet.every_hook_ran_once(deployment)


def test_killed_again_and_again(fleet):
    deployment = fleet.deploy()
    for line in ("BeforeInstall begun", "AfterInstall begun", "ValidateService begun"):
        fleet.wait_for_line(deployment, line)
        fleet.kill_and_restart()
    assert fleet.dev.wait_for_end(deployment)["status"] == "Succeeded"
    fleet.every_hook_ran_once(deployment)


def test_dead_while_the_hosts_finish(fleet):
    """The hosts report what they did when the server is back, however long that took."""
    deployment = fleet.deploy()
    fleet.wait_for_line(deployment, "BeforeInstall begun")
    fleet.dev.longshore.kill()
    fleet.wait_for_line(deployment, "BeforeInstall done")
    fleet.dev.longshore.start()
    assert fleet.dev.wait_for_end(deployment)["status"] == "Succeeded"
    fleet.every_hook_ran_once(deployment)


def test_a_failure_stays_a_failure(fleet):
    deployment = fleet.deploy("failing")
    fleet.wait_for_line(deployment, "BeforeInstall done")
    fleet.kill_and_restart()
    info = fleet.dev.wait_for_end(deployment)
    assert (info["status"], info["errorInformation"]["code"]) == ("Failed", "HEALTH_CONSTRAINTS")
    statuses = sorted(target["status"] for target in fleet.dev.targets(deployment).values())
    assert statuses == ["Failed", "Skipped"]


def test_a_stop_is_remembered(fleet):
    deployment = fleet.deploy()
    fleet.wait_for_line(deployment, "BeforeInstall begun")
    fleet.dev.client("codedeploy").stop_deployment(deploymentId=deployment)
    fleet.kill_and_restart()
    info = fleet.dev.wait_for_end(deployment)
    assert (info["status"], info["errorInformation"]["code"]) == ("Stopped", "MANUAL_STOP")


def test_instances_outlive_the_server(fleet):
    before = {host: fleet.dev.shell(host, "cat", "/proc/1/stat").stdout.split()[21] for host in fleet.hosts}
    fleet.kill_and_restart()
    fleet.dev.wait_for_state(fleet.hosts, "running")
    after = {host: fleet.dev.shell(host, "cat", "/proc/1/stat").stdout.split()[21] for host in fleet.hosts}
    assert before == after


def test_what_was_acknowledged_is_there(fleet):
    """Objects and records are durable before they are acknowledged."""
    names = [unique("kept") for _ in range(5)]
    for name in names:
        fleet.dev.client("codedeploy").create_application(applicationName=name)
        fleet.dev.upload(fleet.application, name, name.encode() * 10_000)
    fleet.kill_and_restart()
    for name in names:
        assert fleet.dev.client("codedeploy").get_application(applicationName=name)
        body = fleet.dev.client("s3").get_object(Bucket=fleet.application, Key=name)["Body"].read()
        assert body == name.encode() * 10_000
