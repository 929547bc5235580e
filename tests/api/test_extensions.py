"""Longshore's own service, as a stranger's boto3 and `aws` CLI see it: with the model that the server publishes."""

import json

import botocore.exceptions
import pytest

import conftest
import longshore
import raw
from names import unique

ROLE = "arn:aws:iam::EXAMPLE:role/CodeDeploy"


@pytest.fixture(scope="module")
def ask(session):
    return session.longshore().get_hook_output


@pytest.fixture(scope="module")
def deployment(session):
    """One without hosts, in a group of its own."""
    deploy, name = session.client("codedeploy"), unique("app")
    deploy.create_application(applicationName=name)
    deploy.create_deployment_group(applicationName=name, deploymentGroupName="Prod", serviceRoleArn=ROLE)
    revision = {"revisionType": "GitHub", "gitHubLocation": {"repository": "acme/shop", "commitId": "0" * 40}}
    return name, deploy.create_deployment(applicationName=name, deploymentGroupName="Prod", revision=revision)["deploymentId"]


def refused(call, **arguments):
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def send(clients, service, operation="GetHookOutput", body=b"{}"):
    headers = {"X-Amz-Target": f"Longshore_20261124.{operation}", "Content-Type": "application/x-amz-json-1.1"}
    return raw.signed(clients, service, headers=headers, body=body)


def test_the_stock_command_line_calls_it(session, deployment, tmp_path):
    longshore.fetch_models(session.endpoint, tmp_path)
    aws = conftest.Aws(session)
    aws.environment["AWS_DATA_PATH"] = str(tmp_path)
    answer = aws.json("longshore", "get-hook-output", "--deployment-id", deployment[1], "--wait-seconds", "20")
    assert answer["chunks"] == [] and answer["ended"] is True and answer["nextToken"]
    assert "no more will come" in aws("longshore", "get-hook-output", "help").stdout


def test_an_ended_deployment_without_hosts_has_no_output(ask, deployment):
    # It ends by itself; the wait sees that.
    answer = ask(deploymentId=deployment[1], waitSeconds=20)
    again = ask(deploymentId=deployment[1], nextToken=answer["nextToken"])
    assert (answer["chunks"], answer["ended"], again["ended"]) == ([], True, True)


def test_what_is_wrong_is_named(ask, deployment, session):
    assert refused(ask, deploymentId="d-000000000")[0] == "DeploymentDoesNotExistException"
    assert refused(ask, deploymentId="x")[0] == "InvalidDeploymentIdException"
    error, message = refused(ask, deploymentId=deployment[1], lifecycleEventName="Lunch")
    assert (error, "Lunch" in message) == ("InvalidLifecycleEventNameException", True)
    assert refused(ask, deploymentId=deployment[1], targetId="a b")[0] == "InvalidDeploymentTargetIdException"
    assert refused(ask, deploymentId=deployment[1], nextToken="x")[0] == "InvalidNextTokenException"
    token = ask(deploymentId=deployment[1])["nextToken"]
    foreign = refused(ask, deploymentId=deployment[1], lifecycleEventName="Install", nextToken=token)
    assert foreign[0] == "InvalidNextTokenException"
    answer = send(session, "longshore", body=json.dumps({"deploymentId": deployment[1], "waitSeconds": 21}).encode())
    assert (answer.status, answer.error) == (400, "ValidationException")
    assert send(session, "longshore").error == "DeploymentIdRequiredException"
    assert send(session, "longshore", operation="Nothing").error == "UnknownOperationException"


@pytest.mark.parametrize("service, error", [
    ("longshore", "DeploymentIdRequiredException"),
    ("codedeploy", "DeploymentIdRequiredException"),
    ("ec2", "InvalidSignatureException"),
])
def test_it_is_signed_for_itself_or_codedeploy(session, service, error):
    assert send(session, service).error == error


def test_policies_allow_it_by_its_own_actions(session, deployment):
    application, id = deployment
    iam, name = session.client("iam"), unique("watcher")
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    watcher = conftest.Clients(session.endpoint, key["AccessKeyId"], key["SecretAccessKey"])
    ask = watcher.longshore().get_hook_output

    def allow(action, resource):
        statement = {"Effect": "Allow", "Action": action, "Resource": resource}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=policy)

    group = "arn:aws:codedeploy:us-east-1:*:deploymentgroup:{}/Prod".format
    assert refused(ask, deploymentId=id)[0] == "AccessDeniedException"
    allow("codedeploy:*", "*")
    error, message = refused(ask, deploymentId=id)
    assert (error, "longshore:GetHookOutput" in message) == ("AccessDeniedException", True)
    allow("longshore:GetHookOutput", group("Other"))
    assert refused(ask, deploymentId=id)[0] == "AccessDeniedException"
    allow("longshore:Get*", group(application))
    assert ask(deploymentId=id)["chunks"] == []
