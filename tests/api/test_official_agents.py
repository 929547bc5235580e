"""Unmodified official agents as clients of the command service: their wire form, replayed call by call."""

import base64
import concurrent.futures
import json

import pytest

import longshore
import raw
from names import unique
from official_agent import FIRST, SECURE, OfficialAgent, diagnostics, opened

EVENTS = [
    "ApplicationStop", "DownloadBundle", "BeforeInstall", "Install", "AfterInstall", "ApplicationStart", "ValidateService",
]
ROLE = "arn:aws:iam::EXAMPLE:role/CodeDeploy"


class Place:
    """An application with one on-premises host, as `aws deploy register` leaves it."""

    def __init__(self, server, client):
        self.client, self.name = client, unique("official")
        iam, deploy = client("iam"), client("codedeploy")
        self.identifier = iam.create_user(UserName=self.name)["User"]["Arn"]
        key = iam.create_access_key(UserName=self.name)["AccessKey"]
        self.keys = key["AccessKeyId"], key["SecretAccessKey"]
        self.endpoint = server.endpoint
        deploy.register_on_premises_instance(instanceName=self.name, iamUserArn=self.identifier)
        deploy.add_tags_to_on_premises_instances(tags=[{"Key": "Name", "Value": self.name}], instanceNames=[self.name])
        deploy.create_application(applicationName=self.name)
        deploy.create_deployment_group(
            applicationName=self.name, deploymentGroupName="Hosts", serviceRoleArn=ROLE,
            onPremisesInstanceTagFilters=[{"Key": "Name", "Value": self.name, "Type": "KEY_AND_VALUE"}],
        )

    def agent(self, **options):
        return OfficialAgent(self.endpoint, self.identifier, *self.keys, **options)

    def deploy(self, **options):
        location = {"bucket": "releases", "key": "shop 42.zip", "bundleType": "zip", "version": "7", "eTag": '"b10a8db1"'}
        return self.client("codedeploy").create_deployment(
            applicationName=self.name, deploymentGroupName="Hosts",
            revision={"revisionType": "S3", "s3Location": location}, **options,
        )["deploymentId"]

    def ended(self, deployment):
        def look():
            info = self.client("codedeploy").get_deployment(deploymentId=deployment)["deploymentInfo"]
            return info if info["status"] in ("Succeeded", "Failed", "Stopped") else None

        return longshore.wait_until(look, f"{deployment} ends")

    def events(self, deployment):
        target = self.client("codedeploy").get_deployment_target(deploymentId=deployment, targetId=self.name)
        return {event["lifecycleEventName"]: event for event in target["deploymentTarget"]["instanceTarget"]["lifecycleEvents"]}


@pytest.fixture
def place(server, session):
    return Place(server, session.client)


@pytest.mark.parametrize("generation", [1, 2])
@pytest.mark.parametrize("dialect", [FIRST, SECURE], ids=["plain", "auth-policy"])
def test_a_whole_deployment(place, generation, dialect):
    agent = place.agent(generation=generation, dialect=dialect)
    if dialect is SECURE:
        allow_commands(place)
    deployment = place.deploy(fileExistsBehavior="OVERWRITE")
    seen = []
    while len(seen) < len(EVENTS):
        command = agent.poll()
        seen.append(command["CommandName"])
        specification = agent.carry_out(command)
    assert seen == EVENTS
    assert place.ended(deployment)["status"] == "Succeeded"
    hashed = "x-amz-content-sha256;" if generation == 1 else ""
    assert agent.signed_headers == (
        f"content-type;host;x-amz-codedeploy-agent-version;{hashed}x-amz-date;x-amz-target"
    )
    # All that the agents read, and nothing that makes one refuse: 1.x fails an Install whose specification has
    # `AllPossibleLifecycleEvents` with events of load balancers among them.
    assert specification["DeploymentId"].endswith(f":deployment/{deployment}")
    assert specification["DeploymentGroupName"] == "Hosts" and specification["ApplicationName"] == place.name
    assert specification["DeploymentGroupId"]
    assert specification["AgentActionOverrides"] == {"AgentOverrides": {"FileExistsBehavior": "OVERWRITE"}}
    assert specification["Revision"] == {"RevisionType": "S3", "S3Revision": {
        "Bucket": "releases", "Key": "shop 42.zip", "BundleType": "zip", "Version": "7", "ETag": "b10a8db1",
    }}
    assert "AllPossibleLifecycleEvents" not in specification
    shown = place.events(deployment)
    assert [shown[name]["diagnostics"]["errorCode"] for name in EVENTS] == ["Success"] * 7


@pytest.mark.parametrize("generation", [1, 2])
def test_the_first_report_of_a_failure_counts(place, generation):
    agent = place.agent(generation=generation)
    deployment = place.deploy()
    command = agent.poll()
    assert agent.acknowledge(command) == "InProgress"
    agent.fail(command, 4, "stop.sh", "Script at specified location: stop.sh failed with exit code 3", "[stderr]why\n")
    assert place.ended(deployment)["status"] == "Failed"
    found = place.events(deployment)["ApplicationStop"]["diagnostics"]
    assert (found["errorCode"], found["scriptName"], found["logTail"]) == ("ScriptFailed", "stop.sh", "[stderr]why\n")


def test_a_failure_after_a_success_that_nobody_answered_changes_nothing(place):
    """1.x, whose report of a success breaks off, goes on to report a failure of the same command."""
    agent = place.agent()
    deployment = place.deploy()
    command = agent.poll()
    agent.acknowledge(command)
    agent.succeed(command)
    agent.complete(command, "Failed", diagnostics(5, "", "Net::ReadTimeout", ""))
    following = agent.poll()
    assert following["CommandName"] == "DownloadBundle"
    assert place.events(deployment)["ApplicationStop"]["status"] == "Succeeded"
    place.client("codedeploy").stop_deployment(deploymentId=deployment)
    agent.acknowledge(following)
    agent.succeed(following)
    place.ended(deployment)


@pytest.mark.parametrize("payload, shown", [
    # After a restart of the agent.
    (diagnostics(7, "", "Failed: Failing in-progress lifecycle event after an agent restart.", ""),
     ("UnknownError", "", "Failed: Failing in-progress lifecycle event after an agent restart.")),
    (diagnostics(6, "a.sh", "Script at specified location: a.sh failed to close STDOUT", ""),
     ("UnknownError", "a.sh", "Script at specified location: a.sh failed to close STDOUT")),
    # Where a script's output was no UTF-8.
    ('{"error_code":"Unknown","script_name":"a.sh","message":"Attempting minimal diagnostics",'
     '"log":"Exception JSON::GeneratorError occured"}', ("UnknownError", "a.sh", "Attempting minimal diagnostics")),
])
def test_reports_without_a_public_code(place, payload, shown):
    """A failure before the acknowledgement is reported all the same."""
    agent = place.agent()
    deployment = place.deploy()
    command = agent.poll()
    agent.complete(command, "Failed", payload)
    place.ended(deployment)
    found = place.events(deployment)["ApplicationStop"]["diagnostics"]
    assert (found["errorCode"], found["scriptName"], found["message"]) == shown


def test_a_command_that_was_lost_comes_again_and_one_that_runs_does_not(place):
    agent = place.agent()
    deployment = place.deploy()
    lost = agent.poll()
    # 1.x drops what a poll brings while it stops, and says nothing; 2.x does so when its 16 places are taken.
    again = agent.poll()
    assert again["HostCommandIdentifier"] == lost["HostCommandIdentifier"]
    assert agent.acknowledge(again) == "InProgress"
    # Both of two threads of one agent may have got it: the second is told that it is over, and drops it silently.
    assert agent.acknowledge(again) == "Succeeded"
    agent.succeed(again)
    assert agent.acknowledge(again) == "Succeeded"
    following = agent.poll()
    assert following["CommandName"] == "DownloadBundle"
    agent.fail(following, 5, "", "no", "")
    place.ended(deployment)


def test_a_new_poll_of_a_host_ends_the_one_that_is_parked_and_gets_the_command(place):
    with concurrent.futures.ThreadPoolExecutor() as threads:
        polls = {threads.submit(place.agent().poll) for _ in range(2)}
        ended, waiting = concurrent.futures.wait(polls, timeout=20, return_when=concurrent.futures.FIRST_COMPLETED)
        (superseded,), (newest,) = ended, waiting
        assert superseded.result() is None
        deployment = place.deploy()
        # At once: nobody who no longer listens has taken it.
        command = newest.result(timeout=4)
    assert command["CommandName"] == "ApplicationStop"
    place.agent().fail(command, 5, "", "no", "")
    place.ended(deployment)


def test_a_stop_lets_the_command_in_hand_end_and_sends_no_other(place):
    agent = place.agent()
    deployment = place.deploy()
    command = agent.poll()
    place.client("codedeploy").stop_deployment(deploymentId=deployment)
    agent.carry_out(command)
    assert place.ended(deployment)["status"] == "Stopped"
    shown = place.events(deployment)
    assert [shown[name]["status"] for name in EVENTS] == ["Succeeded"] + ["Skipped"] * 6


def test_with_an_authorisation_policy_the_calls_need_permissions(place):
    agent = place.agent(dialect=SECURE)
    refused = agent.call("PollHostCommand", HostIdentifier=agent.identifier)
    assert (refused.status, refused.error) == (400, "AccessDeniedException")
    assert "codedeploy-commands-secure:PollHostCommand" in refused.message
    # Without the policy they need none.
    deployment = place.deploy()
    command = agent.call("PollHostCommand", dialect=FIRST, HostIdentifier=agent.identifier)
    assert command.status == 200
    allow_commands(place)
    command = json.loads(command.body)["HostCommand"]
    agent.complete(command, "Failed", diagnostics(5, "", "no", ""))
    place.ended(deployment)


def test_an_unknown_prefix_is_an_unknown_operation(place):
    agent = place.agent()
    for target in ["CodeDeployCommandService_v20991231", "ApolloDeployControlService_mock"]:
        refused = agent.call("PollHostCommand", dialect=FIRST | {"target": target}, HostIdentifier=agent.identifier)
        assert (refused.status, refused.error) == (400, "UnknownOperationException")


def test_the_tls_test_of_the_endpoint_gets_an_answer(server):
    """1.x looks at `/` before it polls; any status is fine."""
    assert raw.send(server.endpoint, "GET", "/", {"User-Agent": "Ruby", "Accept": "*/*"}, b"").status == 200


def test_a_specification_that_was_altered_is_refused_by_an_agent_that_checks(place):
    agent = place.agent(generation=2)
    deployment = place.deploy()
    command = agent.poll()
    answer = agent.ok(
        "GetDeploymentSpecification",
        DeploymentExecutionId=command["DeploymentExecutionId"], HostIdentifier=agent.identifier,
    )
    pem = answer["DeploymentSpecification"]["GenericEnvelope"]["Payload"]
    opened(pem)
    bytes_ = base64.b64decode("".join(line for line in pem.splitlines() if not line.startswith("-----")))
    assert b"shop 42.zip" in bytes_
    bent = base64.encodebytes(bytes_.replace(b"shop 42.zip", b"evil 42.zip")).decode()
    with pytest.raises(AssertionError):
        opened(f"-----BEGIN PKCS7-----\n{bent}-----END PKCS7-----\n")
    agent.fail(command, 5, "", "no", "")
    place.ended(deployment)


def allow_commands(place):
    statement = {"Effect": "Allow", "Action": "codedeploy-commands-secure:*", "Resource": "*"}
    place.client("iam").put_user_policy(
        UserName=place.name, PolicyName="commands",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
