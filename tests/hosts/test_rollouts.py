"""Rollouts on real hosts that do not go well: rolled back, stopped, cut off, killed, too unhealthy to go on."""

import os
import signal

import pytest

import bundles
import fleets
import longshore
from fleets import Fleet
from names import unique

HOOK_SECONDS = 0.4
# Longer than the stock CLI takes to start.
LONG_SECONDS = 3
MARK = "/root/broken"
AGENT_LOG = "/var/log/aws/codedeploy-agent/codedeploy-agent.log"


@pytest.fixture(scope="module")
def fleet(start_dev):
    """Four hosts that run the version `good`, whose bundle can be had from nowhere but these hosts any more."""
    fleet = Fleet(start_dev(arguments=["--alarm-interval", "1"]), 4)
    fleet.upload("good", bundles.recording(version="good"))
    fleet.upload("slow", bundles.recording(HOOK_SECONDS, version="slow"))
    fleet.upload("long", bundles.recording(LONG_SECONDS, version="long", events=["AfterInstall"]))
    fleet.upload("picky", bundles.recording(version="picky", then=f"test ! -e {MARK}\n"))
    fleet.upload("broken", bundles.recording(version="broken", then='test "$LIFECYCLE_EVENT" != AfterInstall\n'))
    fleet.succeed("good")
    fleet.dev.client("s3").delete_object(Bucket=fleet.application, Key="good")
    return fleet


@pytest.fixture
def rolls_back(fleet):
    """The group rolls back what fails and what an alarm stops."""
    events = ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"]
    fleet.configure(autoRollbackConfiguration={"enabled": True, "events": events})
    yield
    fleet.configure(autoRollbackConfiguration={"enabled": False, "events": []})


def get_deployment(fleet, deployment):
    return fleet.dev.aws.json("deploy", "get-deployment", "--deployment-id", deployment)["deploymentInfo"]


def assert_rolled_back(fleet, deployment, hosts_touched):
    """A rollback follows the deployment, brings the version `good` to every host and says whose rollback it is; the
    hosts' hooks of both ran one after the other."""
    rollback = get_deployment(fleet, deployment)["rollbackInfo"]["rollbackDeploymentId"]
    assert fleet.dev.wait_for_end(rollback)["status"] == "Succeeded"
    told = get_deployment(fleet, rollback)
    assert (told["creator"], told["revision"]["s3Location"]["key"]) == ("codeDeployRollback", "good")
    assert told["rollbackInfo"]["rollbackTriggeringDeploymentId"] == deployment
    assert set(fleet.installed().values()) == {"good"}
    fleet.every_hook_ran_once(rollback)
    touched = [host for host, lines in fleet.hook_lines(deployment).items() if lines]
    assert len(touched) == hosts_touched


@pytest.mark.usefixtures("rolls_back")
def test_a_failure_is_rolled_back_with_what_the_hosts_still_have(fleet):
    deployment = fleet.deploy("broken")
    info = fleet.dev.wait_for_end(deployment)
    assert (info["status"], info["errorInformation"]["code"]) == ("Failed", "HEALTH_CONSTRAINTS")
    assert fleet.statuses(deployment) == ["Failed", "Skipped", "Skipped", "Skipped"]
    assert_rolled_back(fleet, deployment, hosts_touched=1)


@pytest.fixture
def alarm(fleet):
    """An alarm that the group watches."""
    name = unique("errors")
    fleet.dev.aws(
        "cloudwatch", "put-metric-alarm", "--alarm-name", name, "--metric-name", "Errors", "--namespace", "Shop",
        "--statistic", "Sum", "--period", 60, "--evaluation-periods", 1, "--threshold", 0.5,
        "--comparison-operator", "GreaterThanThreshold",
    )
    fleet.configure(alarmConfiguration={"enabled": True, "alarms": [{"name": name}]})
    yield name
    fleet.configure(alarmConfiguration={"enabled": False, "alarms": []})


@pytest.mark.usefixtures("rolls_back")
def test_an_alarm_stops_a_deployment_and_its_rollback_runs_though_it_is_still_red(fleet, alarm):
    deployment = fleet.deploy("slow")
    fleet.wait_for_line(deployment, "BeforeInstall begun")
    fleet.dev.aws(
        "cloudwatch", "set-alarm-state", "--alarm-name", alarm, "--state-value", "ALARM", "--state-reason", "a drill"
    )
    info = fleet.dev.wait_for_end(deployment)
    assert (info["status"], info["errorInformation"]["code"]) == ("Stopped", "ALARM_ACTIVE")
    assert alarm in info["errorInformation"]["message"]
    statuses = fleet.statuses(deployment)
    assert "Skipped" in statuses
    assert_rolled_back(fleet, deployment, hosts_touched=sum(status != "Skipped" for status in statuses))


def test_a_stop_rolls_back_if_it_says_so(fleet):
    deployment = fleet.deploy("long", fleets.HALF_AT_A_TIME)
    fleet.wait_for_line(deployment, "AfterInstall begun", hosts=2)
    answer = fleet.dev.aws.json("deploy", "stop-deployment", "--deployment-id", deployment, "--auto-rollback-enabled")
    assert answer["status"] == "Pending"
    info = fleet.dev.wait_for_end(deployment)
    assert (info["status"], info["errorInformation"]["code"]) == ("Stopped", "MANUAL_STOP")
    # A hook that had begun was not interrupted; the targets are neither old nor new.
    assert fleet.statuses(deployment) == ["Failed", "Failed", "Skipped", "Skipped"]
    wrote = [lines for lines in fleet.hook_lines(deployment).values() if lines]
    assert wrote == [["AfterInstall begun", "AfterInstall done"]] * 2
    assert_rolled_back(fleet, deployment, hosts_touched=2)


def out_of_service_at_most(fleet, deployment):
    """How many hosts were out of service at the same time: a host that failed is so from its first event on."""
    spans = []
    for target in fleet.dev.targets(deployment).values():
        events = [event for event in target["lifecycleEvents"] if "startTime" in event]
        ended = max(event["endTime"].timestamp() for event in events)
        begun = min(event["startTime"].timestamp() for event in events)
        spans.append((begun, ended if target["status"] == "Succeeded" else float("inf")))
    return max(sum(begun <= at < ended for begun, ended in spans) for at, _ in spans)


def test_half_at_a_time_goes_on_while_half_are_healthy(fleet):
    sick = fleet.hosts[0]
    fleet.dev.shell(sick, "touch", MARK)
    deployment = fleet.deploy("picky", fleets.HALF_AT_A_TIME)
    info = fleet.dev.wait_for_end(deployment)
    assert info["status"] == "Succeeded", info
    failed = [host for host, target in fleet.dev.targets(deployment).items() if target["status"] == "Failed"]
    assert failed == [sick] and info["deploymentOverview"] | {"Ready": 0} == {
        "Pending": 0, "InProgress": 0, "Succeeded": 3, "Failed": 1, "Skipped": 0, "Ready": 0,
    }
    assert out_of_service_at_most(fleet, deployment) <= 2


def test_half_at_a_time_ends_when_one_more_would_leave_too_few(fleet):
    for host in fleet.hosts:
        fleet.dev.shell(host, "touch", MARK)
    deployment = fleet.deploy("picky", fleets.HALF_AT_A_TIME)
    info = fleet.dev.wait_for_end(deployment)
    assert (info["status"], info["errorInformation"]["code"]) == ("Failed", "HEALTH_CONSTRAINTS")
    assert fleet.statuses(deployment) == ["Failed", "Failed", "Skipped", "Skipped"]
    for host in fleet.hosts:
        fleet.dev.shell(host, "rm", MARK)


def wait_for_statuses(fleet, deployment, expected):
    # A host that was cut off a moment ago may have to wait a minute for the answer to its own poll.
    longshore.wait_until(
        lambda: fleet.statuses(deployment) == expected, f"the targets of {deployment} are {expected}", seconds=90)


def test_a_host_that_is_cut_off_is_waited_for_and_goes_on_when_it_is_back(fleet):
    cut = fleet.hosts[1]
    with fleet.dev.cut_off(cut):
        deployment = fleet.deploy("slow", fleets.ALL_AT_ONCE)
        wait_for_statuses(fleet, deployment, ["InProgress", "Succeeded", "Succeeded", "Succeeded"])
        assert get_deployment(fleet, deployment)["status"] == "InProgress"
    assert fleet.dev.wait_for_end(deployment)["deploymentOverview"]["Succeeded"] == 4
    fleet.every_hook_ran_once(deployment)


def test_an_agent_notices_that_the_path_to_the_server_is_dead(fleet):
    """Long before an answer to its poll would be due: then it polls anew as soon as there is a path."""
    cut = fleet.hosts[0]

    def failed_polls():
        return fleet.dev.shell(cut, "cat", AGENT_LOG).stdout.count("the poll failed")

    before = failed_polls()
    with fleet.dev.cut_off(cut):
        longshore.wait_until(lambda: failed_polls() > before, f"the poll of {cut} failed", seconds=45, every=1)
    fleet.succeed("picky")


def test_a_host_that_is_cut_off_in_a_hook_reports_it_when_it_is_back(fleet):
    deployment = fleet.deploy("slow")
    (cut,) = fleet.wait_for_line(deployment, "BeforeInstall begun")
    with fleet.dev.cut_off(cut):
        fleet.wait_for_line(deployment, "BeforeInstall done")
        # Nobody else is begun with meanwhile.
        assert fleet.statuses(deployment) == ["InProgress", "Pending", "Pending", "Pending"]
    assert fleet.dev.wait_for_end(deployment)["deploymentOverview"]["Succeeded"] == 4
    fleet.every_hook_ran_once(deployment)


def test_a_host_that_is_killed_in_a_hook_fails_when_it_is_back(fleet):
    deployment = fleet.deploy("long", fleets.ALL_AT_ONCE)
    fleet.wait_for_line(deployment, "AfterInstall begun", hosts=4)
    killed = fleet.hosts[2]
    os.kill(fleet.dev.first_process(killed), signal.SIGKILL)
    fleet.dev.wait_for_state([killed], "stopped")
    wait_for_statuses(fleet, deployment, ["InProgress", "Succeeded", "Succeeded", "Succeeded"])
    fleet.dev.aws("ec2", "start-instances", "--instance-ids", killed)
    info = fleet.dev.wait_for_end(deployment)
    assert info["status"] == "Succeeded", info
    target = fleet.dev.targets(deployment)[killed]
    ended = {event["lifecycleEventName"]: event["status"] for event in target["lifecycleEvents"]}
    assert target["status"] == "Failed"
    assert (ended["AfterInstall"], ended["ApplicationStart"]) == ("Failed", "Skipped")
    assert fleet.hook_lines(deployment)[killed] == ["AfterInstall begun"]
    # The next deployment repairs it.
    fleet.succeed("slow")
    assert fleet.installed()[killed] == "slow"


def test_a_host_that_is_terminated_in_a_hook_fails_at_once_and_the_others_go_on(fleet):
    lost = fleet.hosts[3]
    deployment = fleet.deploy("long", fleets.ALL_AT_ONCE)
    fleet.wait_for_line(deployment, "AfterInstall begun", hosts=4)
    fleet.dev.aws("ec2", "terminate-instances", "--instance-ids", lost)
    info = fleet.dev.wait_for_end(deployment)
    assert (info["status"], info["deploymentOverview"]["Failed"]) == ("Succeeded", 1)
    assert fleet.dev.targets(deployment)[lost]["status"] == "Failed"
