"""What hosts say of a deployment that may be made, with a host that speaks the wire form of longshore's own agent."""

import concurrent.futures
import contextlib
import json

import botocore.exceptions
import pytest

import conftest
import longshore
import raw
from official_agent import FIRST, OfficialAgent, opened
from test_official_agents import Place
from test_plan import revision

COUNTS = {"Conflicting": 1, "Removed": 2, "Changed": 3, "Added": 4, "Kept": 5, "Unchanged": 6}
FILES = [
    {"Path": "/srv/new", "Effect": "Add"}, {"Path": "/srv/b", "Effect": "Change"}, {"Path": "/srv/theirs", "Effect": "Conflict"},
]


class OwnAgent(OfficialAgent):
    """longshore's own agent, which can be told of deployments that may be made."""

    def call(self, operation, dialect=FIRST, **members):
        headers = {
            "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"{dialect['target']}.{operation}",
            "x-amz-codedeploy-agent-version": "longshore_9.9.9", "x-longshore-agent-plans": "1",
        }
        return raw.signed(self.clients, dialect["service"], headers=headers, body=json.dumps(members).encode())

    def take_plan(self):
        """What a poll brings, which must be a plan: its id, and what is signed in it."""
        answer = self.ok("PollHostCommand", HostIdentifier=self.identifier)
        assert "HostCommand" not in answer
        plan = answer["HostPlan"]
        assert plan["HostIdentifier"] == self.identifier and plan["GenericEnvelope"]["Format"] == "PKCS7/JSON"
        return plan["HostPlanIdentifier"], json.loads(opened(plan["GenericEnvelope"]["Payload"]))

    def answer(self, plan, outcome="Succeeds", **members):
        return self.call("PutHostPlan", HostPlanIdentifier=plan, HostIdentifier=self.identifier, Outcome=outcome, **members)


@pytest.fixture
def place(server, session):
    place = Place(server, session.client)
    place.own = OwnAgent(place.endpoint, place.identifier, *place.keys)
    return place


def of(place, **more):
    return {"applicationName": place.name, "deploymentGroupName": "Hosts", "revision": revision("2.zip")} | more


@contextlib.contextmanager
def polling(own, place, poll):
    """A poll of the place's host, parked before anything is asked."""
    with concurrent.futures.ThreadPoolExecutor() as threads:
        poll = threads.submit(poll)
        hosts = {"applicationName": place.name, "deploymentGroupName": "Hosts"}
        longshore.wait_until(
            lambda: "lastSeenTime" in own.list_hosts(**hosts)["hosts"][0], f"the agent of {place.name} is heard")
        yield poll


@pytest.fixture
def asked(own, place):
    """A plan that the place's host was told of: its id."""
    with polling(own, place, place.own.take_plan) as poll:
        plan = own.start_host_plan(**of(place))["hostPlanId"]
        assert poll.result()[0] == plan
    return plan


def test_a_parked_poll_brings_the_plan_and_the_answer_is_read(own, place):
    with polling(own, place, place.own.take_plan) as poll:
        started = own.start_host_plan(**of(place, fileExistsBehavior="RETAIN"))
        plan, content = poll.result()
    assert plan == started["hostPlanId"]
    # Signed in a wrapper: no agent could take it for the specification of a deployment.
    assert list(content) == ["HostPlan"]
    specification = content["HostPlan"]
    assert specification["Revision"]["S3Revision"]["Key"] == "2.zip"
    assert specification["AgentActionOverrides"] == {"AgentOverrides": {"FileExistsBehavior": "RETAIN"}}
    assert specification["DeploymentId"].endswith("/d-000000000") and specification["ApplicationName"] == place.name
    told = own.get_host_plan(hostPlanId=plan)
    assert told["hosts"] == [{"targetId": place.name, "status": "Waiting"}] and told["ended"] is False
    fault = "The deployment failed because a specified file already exists at this location: /srv/theirs"
    assert place.own.answer(plan, "Fails", Message=fault, Counts=COUNTS, Files=FILES).status == 200
    told = own.get_host_plan(hostPlanId=plan)
    assert told["ended"] is True and "files" not in told
    assert told["hosts"] == [{
        "targetId": place.name, "status": "Fails", "message": fault, "conflictCount": 1, "removeCount": 2, "changeCount": 3,
        "addCount": 4, "keepCount": 5, "unchangedCount": 6,
    }]
    one = own.get_host_plan(hostPlanId=plan, targetId=place.name)
    assert one["hosts"] == told["hosts"] and one["ended"] is True
    # What matters most comes first.
    assert [(file["effect"], file["path"]) for file in one["files"]] == [
        ("Conflict", "/srv/theirs"), ("Change", "/srv/b"), ("Add", "/srv/new")]
    assert place.client("codedeploy").list_deployments(applicationName=place.name, deploymentGroupName="Hosts")[
        "deployments"] == [], "nothing was made"


def test_the_first_answer_counts(own, place, asked):
    assert place.own.answer(asked, Counts=COUNTS).status == 200
    again = place.own.answer(asked, "Fails")
    assert (again.status, again.error) == (400, "ClientException")
    assert own.get_host_plan(hostPlanId=asked)["hosts"][0]["status"] == "Succeeds"


def test_only_the_host_itself_answers(own, place, asked, server, session):
    stranger = Place(server, session.client)
    other = OwnAgent(place.endpoint, stranger.identifier, *stranger.keys)
    # For another host, and of a plan that it was not told of.
    assert other.call("PutHostPlan", HostPlanIdentifier=asked, HostIdentifier=place.identifier, Outcome="Fails").status == 400
    assert other.answer(asked, "Fails").error == "ClientException"
    assert own.get_host_plan(hostPlanId=asked)["hosts"][0]["status"] == "Waiting"


def test_a_command_comes_before_a_plan(own, place):
    with polling(own, place, place.own.take_plan) as poll:
        own.start_host_plan(**of(place))
        poll.result()
    place.deploy()
    longshore.wait_until(lambda: place.own.poll(), "the command comes")


def test_what_makes_no_sense_is_refused(place, asked):
    for wrong in (
        {"outcome": "Maybe"}, {"Files": [{"Path": "/x", "Effect": "Explode"}]}, {"Files": [{"Path": "/x", "Effect": "Add"}] * 1001},
    ):
        answer = place.own.answer(asked, **wrong)
        assert (answer.status, answer.error) == (400, "ClientException"), wrong
    assert place.own.answer("hp-none").error == "ClientException"
    assert place.own.answer(asked, Counts={"Added": -5}, Files=[{"Path": "/nul\0byte", "Effect": "Add"}]).status == 200


def test_many_files_come_in_pages(own, place, asked):
    many = [{"Path": f"/srv/{number:04}", "Effect": "Add"} for number in range(450)]
    assert place.own.answer(asked, Files=many, Counts={"Added": 450}).status == 200
    files, pages, token = [], 0, {}
    while True:
        page = own.get_host_plan(hostPlanId=asked, targetId=place.name, **token)
        files, pages = files + page["files"], pages + 1
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}
    assert [file["path"] for file in files] == [file["Path"] for file in many] and pages == 3
    assert conftest.refusal(own.get_host_plan, hostPlanId=asked, **token) == "InvalidNextTokenException"


def test_hosts_that_cannot_tell_are_not_waited_for(own, place, server, session):
    def why(place):
        plan = own.start_host_plan(**of(place))["hostPlanId"]
        told = own.get_host_plan(hostPlanId=plan)
        (host,) = told["hosts"]
        assert (host["status"], told["ended"]) == ("Unknown", True) and "addCount" not in host
        return host["message"]

    assert why(place) == "its agent was never heard"
    official = place.agent()
    with polling(own, place, official.poll) as poll:
        assert "OFFICIAL_1.8.1-1_deb" in why(place)
        place.deploy()
        assert poll.result()["CommandName"] == "ApplicationStop"


def test_it_is_held_to_the_rules_of_create_deployment(own, place):
    assert conftest.refusal(own.start_host_plan, **of(place, deploymentConfigName="None")) == "DeploymentConfigDoesNotExistException"
    assert conftest.refusal(own.start_host_plan, **of(place, targetIds=["nobody"])) == "DeploymentTargetDoesNotExistException"
    plan = own.start_host_plan(**of(place, targetIds=[place.name]))["hostPlanId"]
    assert [host["targetId"] for host in own.get_host_plan(hostPlanId=plan)["hosts"]] == [place.name]
    gone = "DeploymentTargetDoesNotExistException"
    assert conftest.refusal(own.get_host_plan, hostPlanId=plan, targetId="nobody") == gone
    for unknown in ("hp-0000000000000000", "'; drop table host_plans"):
        assert conftest.refusal(own.get_host_plan, hostPlanId=unknown) == "HostPlanDoesNotExistException"
    assert conftest.refusal(own.get_host_plan, hostPlanId="x" * 65) == "ValidationException"


def test_a_region_has_20_plans_at_most_that_wait(session, server):
    region = "sa-east-1"
    own, boto = session.longshore(region=region), session.boto
    here = Place(server, lambda service: boto.client(service, endpoint_url=session.endpoint, region_name=region))
    for _ in range(20):
        own.start_host_plan(**of(here))
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        own.start_host_plan(**of(here))
    assert caught.value.response["Error"]["Code"] == "ThrottlingException"


def test_asking_and_reading_need_permissions_of_their_own(own, place, session, server):
    iam, name = session.client("iam"), place.name
    iam.create_user(UserName=f"{name}-reader")
    key = iam.create_access_key(UserName=f"{name}-reader")["AccessKey"]
    limited = conftest.Clients(server.endpoint, key["AccessKeyId"], key["SecretAccessKey"]).longshore()

    def allow(*actions, group="Hosts"):
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": f"arn:aws:codedeploy:*:*:deploymentgroup:{name}/{group}"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_user_policy(UserName=f"{name}-reader", PolicyName="plans", PolicyDocument=document)

    allow("longshore:PlanDeployment", "codedeploy:CreateDeployment")
    assert conftest.refusal(limited.start_host_plan, **of(place)) == "AccessDeniedException"
    allow("longshore:StartHostPlan")
    plan = limited.start_host_plan(**of(place))["hostPlanId"]
    assert conftest.refusal(limited.get_host_plan, hostPlanId=plan) == "AccessDeniedException"
    allow("longshore:GetHostPlan", group="Others")
    assert conftest.refusal(limited.get_host_plan, hostPlanId=plan) == "AccessDeniedException"
    allow("longshore:GetHostPlan")
    assert limited.get_host_plan(hostPlanId=plan)["hosts"][0]["targetId"] == name
