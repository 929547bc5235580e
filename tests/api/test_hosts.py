"""Which hosts there are, whether they are heard, and what they have."""

import json

import pytest

import conftest
import longshore
from names import unique
from test_official_agents import Place
from test_rollbacks import deploy, succeed


def everything(ask, **question):
    hosts, pages, token = [], 0, {}
    while True:
        answer = ask(**question, **token)
        hosts, pages = hosts + answer["hosts"], pages + 1
        if "nextToken" not in answer:
            return hosts, pages
        token = {"nextToken": answer["nextToken"]}


@pytest.fixture(scope="module")
def ask(session):
    return session.longshore().list_hosts


def of(place):
    return {"applicationName": place.name, "deploymentGroupName": "Hosts"}


def test_a_host_is_told_with_its_agent_and_its_revisions(ask, server, session):
    place = Place(server, session.client)
    (host,), _ = everything(ask, **of(place))
    assert (host["targetId"], host["kind"], host["state"], host["expected"]) == (place.name, "OnPremises", "registered", True)
    assert "lastSeenTime" not in host and host["installed"] == []
    assert [silent["targetId"] for silent in everything(ask, silentSeconds=3600, **of(place))[0]] == [place.name]
    succeed(place, deploy(place, "1.zip"))
    (host,), _ = everything(ask, **of(place))
    (installed,) = host["installed"]
    assert installed["revision"]["s3Location"]["key"] == "1.zip"
    assert (installed["applicationName"], installed["deploymentGroupName"]) == (place.name, "Hosts")
    assert (installed["current"], installed["healthy"], host["secondsSinceSeen"] < 60) == (True, True, True)
    assert everything(ask, silentSeconds=3600, **of(place))[0] == []
    assert longshore.wait_until(lambda: everything(ask, silentSeconds=1, **of(place))[0], "a second passes")
    assert place.name in {host["targetId"] for host in everything(ask)[0]}


def test_a_fleet_comes_in_pages_without_holes(ask, session):
    deploy, iam, name = session.client("codedeploy"), session.client("iam"), unique("fleet")
    hosts = [f"{name}-{number:03}" for number in range(130)]
    for host in hosts:
        arn = iam.create_user(UserName=host)["User"]["Arn"]
        deploy.register_on_premises_instance(instanceName=host, iamUserArn=arn)
    for some in (hosts[:100], hosts[100:]):
        deploy.add_tags_to_on_premises_instances(tags=[{"Key": "Name", "Value": name}], instanceNames=some)
    deploy.create_application(applicationName=name)
    deploy.create_deployment_group(
        applicationName=name, deploymentGroupName="Hosts", serviceRoleArn="arn:aws:iam::EXAMPLE:role/CodeDeploy",
        onPremisesInstanceTagFilters=[{"Key": "Name", "Value": name, "Type": "KEY_AND_VALUE"}],
    )
    deploy.deregister_on_premises_instance(instanceName=hosts[7])
    found, pages = everything(ask, applicationName=name, deploymentGroupName="Hosts")
    assert [host["targetId"] for host in found] == hosts[:7] + hosts[8:] and pages == 2
    everywhere = [host["targetId"] for host in everything(ask)[0]]
    assert len(everywhere) == len(set(everywhere)) and set(hosts[8:]) < set(everywhere) and hosts[7] not in everywhere
    token = ask(applicationName=name, deploymentGroupName="Hosts")["nextToken"]
    assert conftest.refusal(ask, nextToken=token) == "InvalidNextTokenException", "it is of another list"


def test_what_is_asked_is_held_to_limits(ask, server, session):
    place = Place(server, session.client)
    assert conftest.refusal(ask, applicationName=place.name) == "DeploymentGroupNameRequiredException"
    assert conftest.refusal(ask, deploymentGroupName="Hosts") == "ApplicationNameRequiredException"
    assert conftest.refusal(ask, applicationName=place.name, deploymentGroupName="No") == "DeploymentGroupDoesNotExistException"
    assert conftest.refusal(ask, silentSeconds=31536001) == "ValidationException"


def test_it_needs_a_permission_of_its_own(server, session):
    place = Place(server, session.client)
    iam, name = session.client("iam"), unique("reader")
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    ask = conftest.Clients(server.endpoint, key["AccessKeyId"], key["SecretAccessKey"]).longshore().list_hosts
    group = f"arn:aws:codedeploy:*:*:deploymentgroup:{place.name}/Hosts"

    def allow(action, resource):
        statement = {"Effect": "Allow", "Action": action, "Resource": resource}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=policy)

    allow("codedeploy:*", "*")
    assert conftest.refusal(ask) == "AccessDeniedException"
    allow("longshore:ListHosts", group)
    assert len(ask(**of(place))["hosts"]) == 1
    assert conftest.refusal(ask) == "AccessDeniedException"
    allow("longshore:ListHosts", "*")
    assert ask()["hosts"]
