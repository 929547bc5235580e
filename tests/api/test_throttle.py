"""`--throttle-reads` and `--throttle-writes`: how often one principal may ask."""

import json

import boto3
import botocore.config
import botocore.exceptions
import pytest

import conftest
from names import unique


@pytest.fixture(scope="module")
def limited(start_longshore):
    """A server whose principals may write once a second, and five times at once."""
    server = start_longshore(arguments=("--throttle-writes", "1"))
    return conftest.Clients(server.endpoint, *server.root_credentials())


def test_writes_beyond_the_rate_are_refused_and_reads_go_on(limited):
    deploy = limited.client("codedeploy")
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        for _ in range(100):
            deploy.create_application(applicationName=unique("app"))
    error = caught.value.response["Error"]
    assert error["Code"] == "ThrottlingException" and "Rate exceeded" in error["Message"]
    for _ in range(20):
        assert len(deploy.list_applications()["applications"]) >= 5


def test_each_principal_has_its_own_rate(limited):
    iam = limited.client("iam")
    iam.create_user(UserName="another")
    allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "codedeploy:*", "Resource": "*"}]}
    iam.put_user_policy(UserName="another", PolicyName="all", PolicyDocument=json.dumps(allow))
    key = iam.create_access_key(UserName="another")["AccessKey"]
    another = conftest.Clients(limited.endpoint, key["AccessKeyId"], key["SecretAccessKey"]).client("codedeploy")
    another.create_application(applicationName=unique("app"))


def test_the_sdk_waits_and_tries_again(limited):
    """What clients do with the error by themselves."""
    deploy = boto3.client(
        "codedeploy", endpoint_url=limited.endpoint, region_name=conftest.REGION, aws_access_key_id=limited.access_key,
        aws_secret_access_key=limited.secret_key,
        config=botocore.config.Config(retries={"mode": "standard", "max_attempts": 8}))
    for _ in range(7):
        deploy.create_application(applicationName=unique("app"))
