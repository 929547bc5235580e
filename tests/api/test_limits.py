"""What may be under way at once in an account: further deployments are `Queued`, and begin in their order."""

import pytest

from conftest import Clients
from test_official_agents import EVENTS, Place
from test_queue import has_status
from test_rollbacks import deploy, information, succeed


def places(server, count):
    client = Clients(server.endpoint, *server.root_credentials()).client
    return [Place(server, client) for _ in range(count)]


@pytest.mark.parametrize("limit", ["--concurrent-deployments", "--concurrent-hosts"])
def test_what_has_no_room_waits_in_its_order(start_longshore, limit):
    first, second, third, fourth = places(start_longshore(arguments=(limit, "2")), 4)
    running = [(place, deploy(place, "1.zip")) for place in (first, second)]
    for place, deployment in running:
        has_status(place, deployment, "InProgress")
    waiting = deploy(third, "1.zip")
    info = has_status(third, waiting, "Queued")
    (told,) = info["deploymentStatusMessages"]
    assert told == (
        "the deployment waits for room (deployments under way: 2, their hosts: 2); it is the next"
    )
    assert "startTime" not in info
    behind = deploy(fourth, "1.zip")
    (told,) = has_status(fourth, behind, "Queued")["deploymentStatusMessages"]
    assert "1 deployment that waits comes before it" in told
    succeed(*running[0])
    has_status(third, waiting, "InProgress")
    assert information(fourth, behind)["status"] == "Queued"
    succeed(*running[1])
    has_status(fourth, behind, "InProgress")
    succeed(third, waiting)
    succeed(fourth, behind)


def test_what_waits_for_room_can_be_stopped_and_outlives_the_server(start_longshore):
    server = start_longshore(arguments=("--concurrent-deployments", "1"))
    first, second, third = places(server, 3)
    running, waiting, behind = deploy(first, "1.zip"), deploy(second, "1.zip"), deploy(third, "1.zip")
    has_status(second, waiting, "Queued")
    has_status(third, behind, "Queued")
    server.kill()
    server.start()
    for place in (first, second, third):
        place.endpoint = server.endpoint
    assert first.client("codedeploy").stop_deployment(deploymentId=waiting)["status"] == "Succeeded"
    has_status(second, waiting, "Stopped")
    assert information(third, behind)["status"] == "Queued"
    agent = first.agent()
    for _ in EVENTS:
        agent.carry_out(agent.poll())
    has_status(first, running, "Succeeded")
    has_status(third, behind, "InProgress")
