"""The server dies by SIGKILL in the middle of a deployment. Started again, it brings the deployment to the right end,
with no hook run twice."""

import pytest

import bundles
from fleets import Fleet
from names import unique

HOOK_SECONDS = 0.6


@pytest.fixture(scope="module")
def fleet(start_dev):
    """A server of its own: it will be killed."""
    fleet = Fleet(start_dev(), 2)
    fleet.upload("v1", bundles.recording(HOOK_SECONDS))
    fleet.upload("failing", bundles.zipped({
        "appspec.yml": bundles.appspec([("BeforeInstall", "hook.sh"), ("AfterInstall", "fail.sh")]),
        "hook.sh": bundles.RECORD.replace("SECONDS", str(HOOK_SECONDS)),
        "fail.sh": "#!/bin/sh\nsleep 1\necho this version is broken >&2\nexit 7\n",
    }))
    return fleet


def test_killed_right_after_the_deployment_was_created(fleet):
    deployment = fleet.deploy("v1")
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
    deployment = fleet.deploy("v1")
    fleet.wait_for_line(deployment, line, hosts)
    fleet.kill_and_restart()
    info = fleet.dev.wait_for_end(deployment)
    assert info["status"] == "Succeeded", info
    assert info["deploymentOverview"]["Succeeded"] == 2
    fleet.every_hook_ran_once(deployment)


def test_killed_again_and_again(fleet):
    deployment = fleet.deploy("v1")
    for line in ("BeforeInstall begun", "AfterInstall begun", "ValidateService begun"):
        fleet.wait_for_line(deployment, line)
        fleet.kill_and_restart()
    assert fleet.dev.wait_for_end(deployment)["status"] == "Succeeded"
    fleet.every_hook_ran_once(deployment)


def test_dead_while_the_hosts_finish(fleet):
    """The hosts report what they did when the server is back, however long that took."""
    deployment = fleet.deploy("v1")
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
    deployment = fleet.deploy("v1")
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
