"""Deployments that wait for their group, with the stock clients and a host that speaks the agents' wire form."""

import botocore.exceptions
import pytest

import longshore
from conftest import Clients
from test_official_agents import EVENTS, Place
from test_rollbacks import deploy, information, succeed


@pytest.fixture
def place(server, session):
    return Place(server, session.client)


def queue(place, policy):
    client = place.client("codedeploy")
    owner = place.identifier.split(":")[4]
    arn = f"arn:aws:codedeploy:{client.meta.region_name}:{owner}:deploymentgroup:{place.name}/Hosts"
    client.tag_resource(ResourceArn=arn, Tags=[{"Key": "longshore:queue", "Value": policy}])


def has_status(place, deployment, status):
    longshore.wait_until(lambda: information(place, deployment)["status"] == status, f"{deployment} is {status}")
    return information(place, deployment)


def test_each_waits_for_its_turn_and_can_be_stopped(place):
    queue(place, "fifo")
    first, second, third = (deploy(place, f"{number}.zip") for number in (1, 2, 3))
    has_status(place, first, "InProgress")
    (told,) = has_status(place, second, "Queued")["deploymentStatusMessages"]
    assert first in told and "it is the next" in told
    (told,) = has_status(place, third, "Queued")["deploymentStatusMessages"]
    assert "1 deployment that waits comes before it" in told
    assert place.client("codedeploy").stop_deployment(deploymentId=second)["status"] == "Succeeded"
    stopped = has_status(place, second, "Stopped")
    assert stopped["errorInformation"]["code"] == "MANUAL_STOP" and "startTime" not in stopped
    succeed(place, first)
    has_status(place, third, "InProgress")
    succeed(place, third)


def test_the_newest_goes_first_and_makes_the_others_needless(place):
    queue(place, "newest")
    first, second, third = (deploy(place, f"{number}.zip") for number in (1, 2, 3))
    has_status(place, third, "Queued")
    has_status(place, second, "Queued")
    succeed(place, first)
    has_status(place, third, "InProgress")
    assert third in has_status(place, second, "Stopped")["errorInformation"]["message"]
    succeed(place, third)


def test_a_new_one_replaces_the_one_that_waits(place):
    queue(place, "replace-pending")
    first, second = deploy(place, "1.zip"), deploy(place, "2.zip")
    has_status(place, second, "Queued")
    third = deploy(place, "3.zip")
    assert third in has_status(place, second, "Stopped")["errorInformation"]["message"]
    has_status(place, third, "Queued")
    succeed(place, first)
    has_status(place, third, "InProgress")
    succeed(place, third)


def test_without_the_tag_a_busy_group_refuses(place):
    deploy(place, "1.zip")
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        deploy(place, "2.zip")
    assert caught.value.response["Error"]["Code"] == "DeploymentLimitExceededException"


def test_another_value_of_the_tag_is_refused(place):
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        queue(place, "lifo")
    assert caught.value.response["Error"]["Code"] == "InvalidTagsToAddException"


def test_deleting_the_group_ends_those_that_wait(place):
    queue(place, "fifo")
    _, second = deploy(place, "1.zip"), deploy(place, "2.zip")
    has_status(place, second, "Queued")
    place.client("codedeploy").delete_deployment_group(applicationName=place.name, deploymentGroupName="Hosts")
    ended = has_status(place, second, "Failed")
    assert ended["errorInformation"]["code"] == "DEPLOYMENT_GROUP_MISSING"


def test_what_is_older_than_what_is_installed_is_stale(place):
    succeed(place, deploy(place, "42.zip", description="build longshore:sequence=42"))
    stale = place.ended(deploy(place, "41.zip", description="build longshore:sequence=41"))
    assert (stale["status"], stale["errorInformation"]["code"]) == ("Failed", "INVALID_REVISION")
    assert "stale" in stale["errorInformation"]["message"]
    succeed(place, deploy(place, "42.zip", description="again longshore:sequence=42"))
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        deploy(place, "43.zip", description="longshore:sequence=forty-three")
    assert caught.value.response["Error"]["Code"] == "ValidationException"


def test_a_restart_loses_none_that_wait(start_longshore):
    server = start_longshore()
    place = Place(server, Clients(server.endpoint, *server.root_credentials()).client)
    queue(place, "fifo")
    first, second = deploy(place, "1.zip"), deploy(place, "2.zip")
    has_status(place, second, "Queued")
    server.kill()
    server.start()
    place.endpoint = server.endpoint
    has_status(place, second, "Queued")
    agent = place.agent()
    for _ in EVENTS:
        agent.carry_out(agent.poll())
    has_status(place, first, "Succeeded")
    has_status(place, second, "InProgress")
