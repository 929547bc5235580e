"""Rollbacks and alarms, with the stock clients and a host that speaks the agents' wire form."""

import time

import pytest

from names import unique
from test_official_agents import EVENTS, Place

HOOK_SECONDS = 0.5
ROLLBACKS = {"enabled": True, "events": ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"]}


@pytest.fixture
def shop(server, session):
    """A place whose group rolls back, and whose last successful revision is `1.zip`."""
    shop = Place(server, session.client)
    shop.client("codedeploy").update_deployment_group(
        applicationName=shop.name, currentDeploymentGroupName="Hosts", autoRollbackConfiguration=ROLLBACKS
    )
    succeed(shop, deploy(shop, "1.zip"))
    return shop


def deploy(shop, key, **options):
    revision = {"revisionType": "S3", "s3Location": {"bucket": "releases", "key": key, "bundleType": "zip"}}
    return shop.client("codedeploy").create_deployment(
        applicationName=shop.name, deploymentGroupName="Hosts", revision=revision, **options
    )["deploymentId"]


def succeed(shop, deployment, first=None):
    agent = shop.agent()
    for _ in EVENTS:
        agent.carry_out(first or agent.poll())
        first = None
    assert shop.ended(deployment)["status"] == "Succeeded"


def information(shop, deployment):
    return shop.client("codedeploy").get_deployment(deploymentId=deployment)["deploymentInfo"]


def assert_rolled_back(shop, failed, first=None):
    """The deployment was rolled back to `1.zip`, and both tell of each other; then the rollback succeeds, of which the
    host may have its `first` command already."""
    rollback = failed["rollbackInfo"]["rollbackDeploymentId"]
    told = information(shop, rollback)
    assert told["creator"] == "codeDeployRollback"
    assert told["revision"]["s3Location"]["key"] == "1.zip"
    assert told["rollbackInfo"]["rollbackTriggeringDeploymentId"] == failed["deploymentId"]
    succeed(shop, rollback, first)


def go_on(agent, command, deployment):
    """A host with slow hooks goes on until it gets nothing more for this deployment; the command of another, if there is one."""
    while command and command["DeploymentExecutionId"].endswith(deployment):
        time.sleep(HOOK_SECONDS)
        agent.carry_out(command)
        command = agent.poll()
    return command


def test_a_failure_is_rolled_back(shop):
    failing = deploy(shop, "2.zip")
    agent = shop.agent()
    command = agent.poll()
    agent.acknowledge(command)
    agent.fail(command, 4, "stop.sh", "Script at specified location: stop.sh failed with exit code 3", "[stderr]no\n")
    failed = shop.ended(failing)
    assert failed["status"] == "Failed"
    assert_rolled_back(shop, failed)


def test_a_stop_is_rolled_back_if_it_asks_for_it(shop, aws):
    stopping = deploy(shop, "2.zip")
    agent = shop.agent()
    command = agent.poll()
    answer = aws.json("deploy", "stop-deployment", "--deployment-id", stopping, "--auto-rollback-enabled")
    assert answer["status"] == "Pending"
    agent.carry_out(command)
    stopped = shop.ended(stopping)
    assert stopped["status"] == "Stopped"
    assert stopped["errorInformation"]["code"] == "MANUAL_STOP"
    assert_rolled_back(shop, stopped)


def test_a_stop_is_not_rolled_back_if_nobody_asks(shop, aws):
    stopping = deploy(shop, "2.zip")
    agent = shop.agent()
    command = agent.poll()
    aws("deploy", "stop-deployment", "--deployment-id", stopping)
    agent.carry_out(command)
    assert "rollbackDeploymentId" not in shop.ended(stopping).get("rollbackInfo", {})


def watch_an_alarm(shop, session):
    """Makes an alarm that the shop's group watches; its name."""
    alarm = unique("errors")
    session.client("cloudwatch").put_metric_alarm(
        AlarmName=alarm, MetricName="Errors", Namespace="Shop", Statistic="Sum", Period=60, EvaluationPeriods=1,
        Threshold=0.5, ComparisonOperator="GreaterThanThreshold",
    )
    shop.client("codedeploy").update_deployment_group(
        applicationName=shop.name, currentDeploymentGroupName="Hosts",
        alarmConfiguration={"enabled": True, "alarms": [{"name": alarm}]},
    )
    return alarm


def test_an_alarm_that_is_red_before_stops_a_deployment_untouched(shop, session, aws):
    alarm = watch_an_alarm(shop, session)
    aws("cloudwatch", "set-alarm-state", "--alarm-name", alarm, "--state-value", "ALARM", "--state-reason", "drill")
    stopped = shop.ended(deploy(shop, "2.zip"))
    assert stopped["status"] == "Stopped"
    assert stopped["errorInformation"]["code"] == "ALARM_ACTIVE"
    assert "startTime" not in stopped and "rollbackDeploymentId" not in stopped.get("rollbackInfo", {})


def test_an_alarm_stops_a_deployment_and_rolls_it_back(shop, session, aws):
    alarm = watch_an_alarm(shop, session)
    alarmed = deploy(shop, "2.zip")
    agent = shop.agent()
    command = agent.poll()
    aws("cloudwatch", "set-alarm-state", "--alarm-name", alarm, "--state-value", "ALARM", "--state-reason", "drill")
    command = go_on(agent, command, alarmed)
    stopped = shop.ended(alarmed)
    assert stopped["status"] == "Stopped"
    assert stopped["errorInformation"]["code"] == "ALARM_ACTIVE"
    assert_rolled_back(shop, stopped, command)
