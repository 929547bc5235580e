"""Two servers on one PostgreSQL: what is done at one of them is known to the other, and either goes on without the other."""

import concurrent.futures

import pytest

import conftest
import longshore
from names import unique
from test_host_plans import OwnAgent, of, polling
from test_official_agents import EVENTS, Place

# A wake-up that got lost is found after half a minute: what takes as long was not told.
SOON = 20


@pytest.fixture(scope="module")
def servers(start_longshore):
    if not conftest.POSTGRES:
        pytest.skip("LONGSHORE_TEST_POSTGRES_URL names no PostgreSQL")
    url = conftest._fresh_database(conftest.POSTGRES)
    first = start_longshore(database_url=url)

    def share_objects(data_dir):
        data_dir.mkdir(mode=0o700)
        (data_dir / "objects").symlink_to(first.data_dir / "objects")

    return [first, start_longshore(database_url=url, prepare=share_objects)]


@pytest.fixture(scope="module")
def sessions(servers):
    # The root's key is each server's own; everything else is in the database.
    return [conftest.Clients(server.endpoint, *server.root_credentials()) for server in servers]


@pytest.fixture
def places(servers, sessions):
    """One application with one host, as either server shows it."""
    here = Place(servers[0], sessions[0].client)
    there = Place.__new__(Place)
    vars(there).update(vars(here), client=sessions[1].client, endpoint=servers[1].endpoint)
    return here, there


def agents(places):
    return [place.agent() for place in places]


def test_a_host_may_ask_and_report_at_either(places):
    here, there = places
    deployment = here.deploy()
    seen = []
    for turn in range(len(EVENTS)):
        asking, telling = agents(places)[:: 1 if turn % 2 else -1]
        command = longshore.wait_until(asking.poll, "a command", seconds=SOON, every=0)
        seen.append(command["CommandName"])
        assert telling.acknowledge(command) == "InProgress"
        asking.succeed(command)
    assert seen == EVENTS
    assert there.ended(deployment)["status"] == "Succeeded"


def test_a_poll_that_is_parked_at_one_brings_what_is_made_at_the_other(places, sessions):
    here, there = places
    with polling(sessions[1].longshore(), there, there.agent().poll) as poll:
        deployment = here.deploy()
        command = poll.result(timeout=SOON)
    assert command["DeploymentExecutionId"].endswith(deployment)
    # The host has it by one of its polls only, whichever server answers first.
    assert here.agent().acknowledge(command) == "InProgress"
    assert there.client("codedeploy").stop_deployment(deploymentId=deployment)["status"] == "Pending"
    here.agent().succeed(command)
    assert there.ended(deployment)["status"] == "Stopped"


def test_hosts_are_asked_by_whichever_they_poll(places, sessions):
    here, there = places
    agent = OwnAgent(there.endpoint, there.identifier, *there.keys)
    with polling(sessions[1].longshore(), there, agent.take_plan) as poll:
        plan = sessions[0].longshore().start_host_plan(**of(here))["hostPlanId"]
        assert poll.result(timeout=SOON)[0] == plan
    assert agent.answer(plan).status == 200
    assert sessions[0].longshore().get_host_plan(hostPlanId=plan)["ended"] is True


def test_what_is_put_at_one_is_got_at_the_other(sessions):
    here, there = (session.client("s3") for session in sessions)
    bucket = unique("shared")
    here.create_bucket(Bucket=bucket)
    for putting, getting, key in ((here, there, "1.zip"), (there, here, "2.zip")):
        putting.put_object(Bucket=bucket, Key=key, Body=key.encode() * 100_000)
        assert getting.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode() * 100_000


def test_many_deployments_at_once_are_planned_by_both_and_each_event_runs_once(servers, sessions):
    """Both servers are told of every report, and both plan: the store lets one of them win."""
    made = [Place(servers[number % 2], sessions[number % 2].client) for number in range(8)]

    def carry_out(place):
        deployment = place.deploy()
        ends = [OwnAgent(server.endpoint, place.identifier, *place.keys) for server in servers]
        seen = []
        for turn in range(len(EVENTS)):
            command = longshore.wait_until(ends[turn % 2].poll, "a command", seconds=SOON, every=0)
            seen.append(command["CommandName"])
            assert ends[1 - turn % 2].acknowledge(command) == "InProgress"
            ends[turn % 2].succeed(command)
        return seen, place.ended(deployment)["status"]

    with concurrent.futures.ThreadPoolExecutor(len(made)) as threads:
        assert list(threads.map(carry_out, made)) == [(EVENTS, "Succeeded")] * len(made)


def test_one_goes_on_when_the_other_is_killed(places, servers):
    here, there = places
    deployment = here.deploy()
    command = longshore.wait_until(here.agent().poll, "a command", seconds=SOON, every=0)
    assert here.agent().acknowledge(command) == "InProgress"
    servers[0].kill()
    try:
        agent = there.agent()
        agent.succeed(command)
        for event in EVENTS[1:]:
            command = longshore.wait_until(agent.poll, event, seconds=SOON, every=0)
            assert command["CommandName"] == event
            agent.carry_out(command)
        assert there.ended(deployment)["status"] == "Succeeded"
    finally:
        servers[0].start()
