"""Why a deployment did what it did, as a stranger's boto3 reads it."""

import json

import pytest

import conftest
import longshore
from names import unique
from test_official_agents import EVENTS, Place


def everything(ask, **question):
    """All entries, page by page; how many pages they were."""
    entries, pages, token = [], 0, {}
    while True:
        answer = ask(**question, **token)
        entries, pages = entries + answer["entries"], pages + 1
        if "nextToken" not in answer:
            return entries, pages
        token = {"nextToken": answer["nextToken"]}


@pytest.fixture(scope="module")
def ask(session):
    return session.longshore().explain_deployment


@pytest.fixture(scope="module")
def told(server, session):
    """A place with a deployment that succeeded."""
    place = Place(server, session.client)
    deployment = place.deploy()
    agent = place.agent()
    for _ in EVENTS:
        agent.carry_out(agent.poll())
    assert place.ended(deployment)["status"] == "Succeeded"
    return place, deployment


def test_it_tells_facts_and_decisions_with_their_inputs(ask, told):
    place, deployment = told
    entries, _ = everything(ask, deploymentId=deployment)
    rules = [entry["rule"] for entry in entries]
    assert rules[0] == "Create" and entries[0]["kind"] == "Fact"
    assert rules[-1] == "Finish" and "Succeeded" in entries[-1]["text"]
    enlist = next(entry for entry in entries if entry["rule"] == "Enlist")
    inputs = {given["name"]: given["values"] for given in enlist["inputs"]}
    assert (inputs["targets"], inputs["atOnce"], inputs["events"]) == ([place.name], ["1"], EVENTS)
    times = [entry["time"] for entry in entries]
    assert times == sorted(times)


def test_a_host_has_what_is_about_it_and_about_all(ask, told):
    place, deployment = told
    entries, _ = everything(ask, deploymentId=deployment, targetId=place.name)
    assert {entry.get("targetId") for entry in entries} == {None, place.name}
    assert conftest.refusal(ask, deploymentId=deployment, targetId="somebody-else") == "DeploymentTargetDoesNotExistException"
    assert conftest.refusal(ask, deploymentId="d-000000000") == "DeploymentDoesNotExistException"
    assert conftest.refusal(ask, deploymentId=deployment, nextToken="x") == "InvalidNextTokenException"


def test_a_long_story_comes_in_pages(ask, session):
    deploy, name = session.client("codedeploy"), unique("fleet")
    deploy.create_application(applicationName=name)
    deploy.create_deployment_group(
        applicationName=name, deploymentGroupName="Hosts", serviceRoleArn="arn:aws:iam::EXAMPLE:role/CodeDeploy",
        deploymentConfigName="CodeDeployDefault.AllAtOnce",
        onPremisesInstanceTagFilters=[{"Key": "Name", "Value": name, "Type": "KEY_AND_VALUE"}],
    )
    hosts = [f"{name}-{number}" for number in range(60)]
    iam = session.client("iam")
    for host in hosts:
        identity = iam.create_user(UserName=host)["User"]["Arn"]
        deploy.register_on_premises_instance(instanceName=host, iamUserArn=identity)
    deploy.add_tags_to_on_premises_instances(tags=[{"Key": "Name", "Value": name}], instanceNames=hosts)
    revision = {"revisionType": "GitHub", "gitHubLocation": {"repository": "acme/shop", "commitId": "0" * 40}}
    deployment = deploy.create_deployment(applicationName=name, deploymentGroupName="Hosts", revision=revision)["deploymentId"]

    def is_told():
        return len([entry for entry in everything(ask, deploymentId=deployment)[0] if entry["rule"] == "Dispatch"]) == 60

    longshore.wait_until(is_told, "every host is told to begin")
    entries, pages = everything(ask, deploymentId=deployment)
    assert pages == -(-len(entries) // 100) > 1
    assert sorted(entry["targetId"] for entry in entries if entry["rule"] == "Begin") == sorted(hosts)
    deploy.stop_deployment(deploymentId=deployment)


def test_it_needs_a_permission_of_its_own(told, session, server):
    place, deployment = told
    iam, name = session.client("iam"), unique("reader")
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    ask = conftest.Clients(server.endpoint, key["AccessKeyId"], key["SecretAccessKey"]).longshore().explain_deployment

    def allow(action, group):
        statement = {"Effect": "Allow", "Action": action, "Resource": f"arn:aws:codedeploy:*:*:deploymentgroup:{place.name}/{group}"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=policy)

    allow("longshore:GetHookOutput", "Hosts")
    assert conftest.refusal(ask, deploymentId=deployment) == "AccessDeniedException"
    allow("longshore:ExplainDeployment", "Others")
    assert conftest.refusal(ask, deploymentId=deployment) == "AccessDeniedException"
    allow("longshore:Explain*", "Hosts")
    assert ask(deploymentId=deployment)["entries"]
