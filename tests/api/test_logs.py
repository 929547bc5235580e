"""Log lines for programs: each is one JSON object, with what it is about as fields."""

import json

import pytest

import conftest
import longshore
from test_official_agents import EVENTS, Place
from test_rollbacks import deploy, succeed

GREETINGS = ("longshore serves at ",)


@pytest.fixture(scope="module")
def logging(start_longshore):
    return start_longshore(arguments=("--log-format", "json"))


def lines(server):
    """Every line of the log; what is not for the log goes to standard output."""
    text = server.log.read_text()
    complete = text[: text.rfind("\n") + 1].splitlines()
    return [json.loads(line) for line in complete if not line.startswith(GREETINGS)]


def test_lines_are_json_and_tell_deployment_host_event_and_request(logging):
    session = conftest.Clients(logging.endpoint, *logging.root_credentials())
    place = Place(logging, session.client)
    answer = session.client("codedeploy").create_deployment(
        applicationName=place.name, deploymentGroupName="Hosts",
        revision={"revisionType": "S3", "s3Location": {"bucket": "releases", "key": "1.zip", "bundleType": "zip"}},
    )
    deployment, request = answer["deploymentId"], answer["ResponseMetadata"]["HTTPHeaders"]["x-amzn-requestid"]
    succeed(place, deployment)

    def told(**fields):
        return [line for line in lines(logging) if fields.items() <= line.items()]

    created = told(message="created", deployment=deployment)
    assert [(line["request_id"], line["operation"]) for line in created] == [(request, "CreateDeployment")]
    (changed,) = told(message="changed", request_id=request)
    assert changed["outcome"] == "Succeeded" and place.name in changed["resource"]
    for message in ("dispatched", "completed"):
        of_host = told(message=message, deployment=deployment, host=place.name)
        assert [line["event"] for line in of_host] == EVENTS, message
    requests = {line["request_id"] for line in told(message="completed", deployment=deployment)}
    assert len(requests) == len(EVENTS), "each report is a request of its own"
    finished = longshore.wait_until(lambda: told(message="finished", deployment=deployment), "the end is told")
    assert [line["status"] for line in finished] == ["Succeeded"]
    for line in lines(logging):
        assert {"timestamp", "level", "target", "message"} <= line.keys(), line


def test_a_refused_change_is_told_with_its_request(logging):
    session = conftest.Clients(logging.endpoint, *logging.root_credentials())
    client = session.client("codedeploy")
    with pytest.raises(client.exceptions.ApplicationDoesNotExistException) as caught:
        client.create_deployment(applicationName="nobody", deploymentGroupName="Hosts")
    request = caught.value.response["ResponseMetadata"]["HTTPHeaders"]["x-amzn-requestid"]
    (line,) = [line for line in lines(logging) if line.get("request_id") == request]
    assert line["outcome"] == "ApplicationDoesNotExistException" and line["resource"] == "nobody / Hosts"


def test_services_that_speak_forms_and_s3_tell_the_ids_that_their_callers_know(logging):
    session = conftest.Clients(logging.endpoint, *logging.root_credentials())
    answer = session.client("iam").create_user(UserName="somebody")
    request = answer["ResponseMetadata"]["RequestId"]
    (line,) = [line for line in lines(logging) if line.get("request_id") == request]
    assert (line["service"], line["operation"]) == ("iam", "CreateUser")


def test_people_get_text_with_the_same_fields(start_longshore):
    server = start_longshore()
    session = conftest.Clients(server.endpoint, *server.root_credentials())
    place = Place(server, session.client)
    deployment = deploy(place, "1.zip")
    longshore.wait_until(lambda: f"deployment={deployment}" in server.log.read_text(), "the deployment is told")
    assert "request_id=" in server.log.read_text()
