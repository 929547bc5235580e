"""Both packages under Debian's own systemd: the server's socket, watchdog and sandbox, the agent's unit, boots and restarts.

One machine boots for all of it, with the server and an agent that is registered with it as an on-premises instance.
"""

import json
import os
import pathlib
import re
import shutil
import time

import pytest

import bundles
import conftest
import longshore
import machine as machines
from meanwhile import meanwhile
from names import unique

PACKAGES = pathlib.Path(os.environ.get("LONGSHORE_PACKAGES", longshore.REPOSITORY / "target/package"))
ENDPOINT = "http://127.0.0.1:7400"
HOST, APPLICATION = "web-1", "shop"
# What operators do to a server that is in use; and to an agent. Reinstalling is to dpkg what an upgrade is.
MOVES = ["systemctl restart longshore", "systemctl restart longshore", "dpkg -i /root/longshore_*.deb",
         "dpkg -i /root/longshore-agent_*.deb"]
# A deployment with four hooks that do next to nothing.
QUICK_SECONDS = 10
# Of 10, as `systemd-analyze security` counts what a service could do. A service without any setting has 9.6.
EXPOSURE_MAX = 1.5
DAEMON = "setsid sleep 100000 </dev/null >/dev/null 2>&1 &\necho $! >/run/daemon\n"


class Server:
    """The machine's server, as conftest's clients see one."""

    endpoint = ENDPOINT
    # It has no instances.
    shell = None

    def __init__(self, machine):
        self.machine = machine

    def root_credentials(self):
        keys = self.machine.run("longshore credentials --env --data-dir /var/lib/longshore")
        return tuple(re.search(rf"{name}='?([^'\s]+)", keys)[1] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"))


@pytest.fixture(scope="module")
def machine():
    if os.geteuid() != 0:
        pytest.skip("a machine in name spaces needs root")
    for name in ("dpkg-deb", "unshare", "nsenter"):
        if not shutil.which(name):
            pytest.skip(f"{name} is not installed")
    home = conftest._state_directory("machine")
    made = machines.Machine(home)
    try:
        try:
            made.boot()
        except machines.CannotBoot as reason:
            pytest.skip(f"this machine cannot boot another: {reason}")
        packages = list(PACKAGES.glob("*.deb"))
        assert len(packages) == 2, f"`cargo xtask package --debug` makes two packages in {PACKAGES}: {packages}"
        for package in packages:
            shutil.copy(package, made.path("/root"))
        made.run("dpkg -i /root/longshore*.deb")
        with made.network():
            yield made
        made.halt()
    finally:
        made.cut_off()
        shutil.rmtree(home)


def fresh(machine):
    """The server's clients, with connections of their own: those that were kept are closed when the server ends."""
    return conftest.Dev(Server(machine))


@pytest.fixture
def dev(machine):
    return fresh(machine)


@pytest.fixture(scope="module")
def agent(machine):
    """The machine with an agent, installed as operators do it, and an application whose group `Hosts` is this machine."""
    dev = fresh(machine)
    iam, deploy = dev.client("iam"), dev.client("codedeploy")
    user = iam.create_user(UserName=HOST)["User"]
    iam.attach_user_policy(UserName=HOST, PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")
    key = iam.create_access_key(UserName=HOST)["AccessKey"]
    deploy.register_on_premises_instance(instanceName=HOST, iamUserArn=user["Arn"])
    deploy.create_application(applicationName=APPLICATION)
    deploy.create_deployment_group(
        applicationName=APPLICATION, deploymentGroupName="Hosts", serviceRoleArn="arn:aws:iam::EXAMPLE:role/CodeDeploy",
        onPremisesInstanceTagFilters=[{"Key": "CDG", "Value": HOST, "Type": "KEY_AND_VALUE"}])
    deploy.add_tags_to_on_premises_instances(instanceNames=[HOST], tags=[{"Key": "CDG", "Value": HOST}])
    settings = machine.path("/etc/codedeploy-agent/conf")
    settings.mkdir(parents=True, exist_ok=True)
    (settings / "codedeploy.onpremises.yml").write_text(
        f"---\nregion: us-east-1\niam_user_arn: {user['Arn']}\n"
        f"aws_access_key_id: {key['AccessKeyId']}\naws_secret_access_key: {key['SecretAccessKey']}\n")
    installer = dev.client("s3").get_object(Bucket="aws-codedeploy-us-east-1", Key="latest/install")
    machine.path("/root/install").write_bytes(installer["Body"].read())
    with_keys = "eval \"$(longshore credentials --env --data-dir /var/lib/longshore)\" && "
    machine.run(with_keys + "cd /root && sh ./install auto")
    return machine


def begin(dev, bundle):
    """Deploys to the machine, by a revision of its own; the deployment's id."""
    key = unique("bundle")
    dev.upload(APPLICATION, key, bundle)
    return dev.deploy(APPLICATION, APPLICATION, key)


def deploy(dev, bundle):
    return dev.wait_for_end(begin(dev, bundle))


def succeed(dev, bundle):
    info = deploy(dev, bundle)
    events = [event for target in dev.targets(info["deploymentId"]).values() for event in target["lifecycleEvents"]]
    failed = [event for event in events if event["status"] == "Failed"]
    assert info["status"] == "Succeeded", f"{info.get('errorInformation')} {failed}"


def show(machine, unit, *names):
    """Properties of a unit, by name."""
    words = machine.run(f"systemctl show {unit} -p {','.join(names)}").splitlines()
    return dict(line.split("=", 1) for line in words)


def is_active(machine, unit):
    return machine.run(f"systemctl is-active {unit}", check=False).strip() == "active"


def test_the_package_starts_a_server_that_says_when_it_is_ready(machine, dev):
    assert is_active(machine, "longshore.service") and is_active(machine, "longshore.socket")
    service = show(machine, "longshore", "Type", "MainPID", "NRestarts", "Result", "WatchdogUSec", "WatchdogTimestampMonotonic")
    assert (service["Type"], service["NRestarts"], service["Result"]) == ("notify", "0", "success"), service
    assert service["WatchdogUSec"] == "1min" and int(service["WatchdogTimestampMonotonic"]) > 0
    assert dev.client("sts").get_caller_identity()["Arn"]
    # What it writes is in the journal, as text without colours.
    log = machine.run("journalctl -u longshore -o cat --no-pager")
    assert f"longshore serves at {ENDPOINT}" in log and "\x1b" not in log


def test_it_can_do_nothing_else_and_all_that_it_must(machine, dev):
    security = json.loads(machine.run("systemd-analyze security --offline=false --json=short longshore.service"))
    exposed = {one["name"]: one.get("exposure") for one in security if one.get("exposure")}
    overall = machine.run("systemd-analyze security --no-pager longshore.service | tail -1")
    assert float(re.search(r"([0-9.]+)\s+\w+", overall.split(":")[1])[1]) <= EXPOSURE_MAX, (overall, exposed)
    status = machine.run(f"cat /proc/{show(machine, 'longshore', 'MainPID')['MainPID']}/status")
    for expected in (r"CapBnd:\s0+\n", r"CapEff:\s0+\n", r"NoNewPrivs:\s1\n", r"Seccomp:\s2\n"):
        assert re.search(expected, status), status
    # Objects, in parts too, and a backup of it all while it runs.
    s3, bucket = dev.client("s3"), unique("bucket")
    s3.create_bucket(Bucket=bucket)
    body = os.urandom(3 << 20)
    s3.put_object(Bucket=bucket, Key="one", Body=body)
    assert s3.get_object(Bucket=bucket, Key="one")["Body"].read() == body
    machine.run("longshore backup --data-dir /var/lib/longshore /root/backup.tar && rm /root/backup.tar")
    machine.run("install -d -o longshore /srv/backups && setpriv --reuid longshore --regid longshore --clear-groups "
                "longshore backup --data-dir /var/lib/longshore /srv/backups/own.tar")
    assert machine.run("stat -c %U:%a /srv/backups/own.tar").strip() == "longshore:600"


def errors_of_the_agent(machine):
    log = machine.run("journalctl -u codedeploy-agent -o cat --no-pager").splitlines()
    assert any("polling" in line for line in log), log
    return [line for line in log if re.search("ERROR|WARN|error|panicked", line)]


def test_restarts_refuse_nobody_and_no_agent_notices(machine, dev, agent):
    succeed(dev, bundles.recording())
    aws = conftest.Aws(dev.session)
    names = []

    def write():
        names.append(unique("written"))
        keys = dev.session.access_key, dev.session.secret_key
        conftest.Clients(ENDPOINT, *keys).client("codedeploy").create_application(applicationName=names[-1])

    before = errors_of_the_agent(machine)
    with meanwhile(write, lambda: aws("deploy", "list-applications")) as (done, problems, _):
        for number, move in enumerate(MOVES):
            earlier = list(done)
            longshore.wait_until(lambda: all(now > then + 1 for now, then in zip(done, earlier)) or problems, "it is called")
            # In every second round the agent's poll is parked, in the others it is at work.
            begun = begin(fresh(machine), bundles.recording(0.3)) if number % 2 else None
            machine.run(move)
            assert not problems, (move, problems)
            if begun:
                assert fresh(machine).wait_for_end(begun)["status"] == "Succeeded"
    assert not problems, problems
    asked = time.monotonic()
    succeed(fresh(machine), bundles.recording())
    assert time.monotonic() - asked < QUICK_SECONDS, "the agent took its time to come back"
    assert errors_of_the_agent(machine) == before
    pages = fresh(machine).client("codedeploy").get_paginator("list_applications").paginate()
    assert set(names) <= {name for page in pages for name in page["applications"]}
    assert show(machine, "longshore", "NRestarts", "Result") == {"NRestarts": "0", "Result": "success"}


def test_the_watchdog_ends_a_server_that_hangs(machine, dev):
    machine.run("mkdir -p /run/systemd/system/longshore.service.d && "
                "printf '[Service]\\nWatchdogSec=2\\n' >/run/systemd/system/longshore.service.d/test.conf && "
                "systemctl daemon-reload && systemctl restart longshore")
    hanging = show(machine, "longshore", "MainPID")["MainPID"]
    machine.run(f"kill -STOP {hanging}")
    longshore.wait_until(lambda: show(machine, "longshore", "MainPID", "ActiveState") not in (
        {"MainPID": hanging, "ActiveState": "active"},), "the watchdog bites")
    longshore.wait_until(lambda: is_active(machine, "longshore"), "it is back")
    assert show(machine, "longshore", "NRestarts")["NRestarts"] == "1"
    assert "Watchdog timeout" in machine.run("journalctl -u longshore --no-pager -o cat")
    assert fresh(machine).client("sts").get_caller_identity()["Arn"]
    machine.run("rm -r /run/systemd/system/longshore.service.d && systemctl daemon-reload && systemctl restart longshore")


def hooked(script, timeout=30):
    return bundles.zipped({
        "appspec.yml": f"version: 0.0\nos: linux\nhooks:\n  ApplicationStart:\n    - location: hook.sh\n      timeout: {timeout}\n",
        "hook.sh": "#!/bin/sh\n" + script,
    })


def is_alive(machine, pid_file):
    return machine.run(f"kill -0 $(cat {pid_file}) && echo alive", check=False).strip() == "alive"


def test_a_daemon_of_a_hook_outlives_the_agent_and_a_hook_that_hangs_does_not(machine, dev, agent):
    assert is_active(machine, "codedeploy-agent")
    succeed(dev, hooked("cat /proc/self/cgroup >/root/group\n" + DAEMON))
    assert re.search(r"0::/\S*codedeploy-agent\.service/longshore-hook-", machine.run("cat /root/group"))
    agent_before = show(machine, "codedeploy-agent", "MainPID")["MainPID"]
    machine.run("systemctl restart codedeploy-agent")
    assert is_active(machine, "codedeploy-agent")
    assert show(machine, "codedeploy-agent", "MainPID")["MainPID"] != agent_before
    assert is_alive(machine, "/run/daemon")
    # Whatever it moved to, a script that takes too long ends with all that it started.
    failed = deploy(dev, hooked(DAEMON.replace("/run/daemon", "/run/hanging") + "wait; sleep 1000\n", timeout=1))
    assert failed["status"] == "Failed"
    assert not is_alive(machine, "/run/hanging") and is_alive(machine, "/run/daemon")
    machine.run("systemctl stop codedeploy-agent")
    stopped = show(machine, "codedeploy-agent", "ActiveState", "Result", "MainPID")
    assert stopped == {"ActiveState": "inactive", "Result": "success", "MainPID": "0"}
    assert is_alive(machine, "/run/daemon")
    machine.run("systemctl start codedeploy-agent && kill $(cat /run/daemon)")
    succeed(dev, bundles.recording())


def test_hooks_find_the_variables_of_the_profile_and_what_the_host_is_called(machine, dev, agent):
    # As people write them: for bash, and not exported.
    machine.path("/etc/profile.d/shop.sh").write_text("[[ -n $PATH ]] && SHOP_TIER='gold & more'\n")
    machine.run("systemctl restart codedeploy-agent")
    assert is_active(machine, "codedeploy-agent")
    assert machine.run(f"cat /proc/{show(machine, 'codedeploy-agent', 'MainPID')['MainPID']}/comm") == "longshore-agent\n"
    succeed(dev, hooked("env >/root/environment\n"))
    environment = machine.path("/root/environment").read_text().splitlines()
    assert "SHOP_TIER=gold & more" in environment
    assert "AWS_REGION=us-east-1" in environment
    assert [line for line in environment if line.startswith("AWS_HOST_IDENTIFIER=") and line.endswith(f":user/{HOST}")]
    assert not [line for line in environment if line.startswith(("AWS_ACCESS_KEY", "AWS_SECRET"))]


def test_a_stop_waits_for_the_event_that_runs(machine, dev, agent):
    deployment = begin(dev, hooked("echo begun >/run/slow; sleep 4; echo done >>/run/slow\n"))
    longshore.wait_until(lambda: machine.run("cat /run/slow", check=False) == "begun\n", "the hook runs")
    machine.run("systemctl restart codedeploy-agent")
    assert machine.run("cat /run/slow") == "begun\ndone\n"
    assert dev.wait_for_end(deployment)["status"] == "Succeeded"


def test_after_a_boot_all_is_there_again(machine, dev, agent):
    succeed(dev, bundles.recording(version="before"))
    machine.halt()
    machine.boot()
    # The network is another.
    with machine.network():
        for unit in ("longshore.socket", "longshore.service", "codedeploy-agent.service"):
            assert is_active(machine, unit), unit
        succeed(fresh(machine), bundles.recording(version="after"))
        assert machine.run("cat /opt/recorded/version") == "after"


def left_over(machine):
    """Units and processes that are ours, and what units of ours are wanted by."""
    ours = "'longshore*' 'codedeploy*'"
    return machine.run(f"systemctl list-unit-files --no-legend {ours}; systemctl list-units --all --no-legend {ours}; pgrep -a longshore;"
                       "find /etc/systemd/system /etc/rc?.d -name '*longshore*' -o -name '*codedeploy*'", check=False)


def test_purged_packages_leave_no_unit_and_no_process(machine, agent):
    machine.run("dpkg -P longshore-agent longshore")
    assert not left_over(machine)
    assert machine.run("systemctl is-system-running").strip() == "running"


FILES = "find /etc /opt /usr /var -xdev ! -path '/var/log/journal/*' ! -path '/var/tmp/*' ! -path '/var/lib/postgresql/*' | sort"


@pytest.mark.parametrize("state", ["active", "activating"])
def test_an_agent_without_a_package_comes_and_goes(machine, agent, state):
    """Last: the machine has no package any more."""
    program = "/opt/codedeploy-agent/bin/longshore-agent"
    shutil.copy(longshore.binary().with_name("longshore-agent"), machine.path("/root/agent"))
    machine.run("openssl req -x509 -newkey rsa:2048 -nodes -keyout /dev/null -out /root/signer.pem -subj /CN=signer 2>&1")
    before = machine.run(FILES)
    machine.run(f"/root/agent install --endpoint {ENDPOINT} --signer-certificate /root/signer.pem --start")
    assert is_active(machine, "codedeploy-agent")
    assert machine.run("systemctl is-enabled codedeploy-agent").strip() == "enabled"
    if state == "activating":
        # It cannot run as it is, and systemd tries it now and then.
        machine.run("echo ':max_revisions: none' >>/etc/codedeploy-agent/conf/codedeployagent.yml")
        machine.run("systemctl restart codedeploy-agent", check=False)
        longshore.wait_until(lambda: show(machine, "codedeploy-agent", "SubState")["SubState"] == "auto-restart", "it has failed")
    machine.run(f"{program} uninstall")
    assert not left_over(machine)
    assert machine.run(FILES) == before
