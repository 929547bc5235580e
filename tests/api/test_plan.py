"""What a deployment would do, before it is made."""

import json

import botocore.exceptions
import pytest

import conftest
from names import unique
from test_official_agents import EVENTS, Place
from test_queue import has_status, queue
from test_rollbacks import deploy, succeed
from test_zones import Racks


def revision(key, bucket="releases"):
    return {"revisionType": "S3", "s3Location": {"bucket": bucket, "key": key, "bundleType": "zip"}}


@pytest.fixture(scope="module")
def longshore_client(session):
    return session.longshore()


@pytest.fixture
def plan(longshore_client):
    def plan(name, **options):
        return longshore_client.plan_deployment(applicationName=name, deploymentGroupName="Hosts", **options)

    return plan


def test_zones_batches_and_bytes(plan, server, session):
    shop = Racks(server, session.client, ["b", "a", None, "a"])
    s3, bucket = session.client("s3"), unique("bundles")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="2.zip", Body=b"x" * 1000)
    config = shop.config(monitorDurationInSeconds=2, firstZoneMonitorDurationInSeconds=7)
    told = plan(shop.name, deploymentConfigName=config, revision=revision("2.zip", bucket))
    assert [(target.get("zone"), target["health"]) for target in told["targets"]] == [
        ("a", "unhealthy"), ("a", "unhealthy"), ("b", "unhealthy"), (None, "unhealthy"),
    ]
    assert [(batch.get("zone"), batch["hosts"], batch["pauseSeconds"]) for batch in told["batches"]] == [
        ("a", 2, 7), ("b", 1, 2), (None, 1, 0),
    ]
    assert (told["atOnce"], told["minimumHealthy"], told["lifecycleEvents"]) == (4, 0, EVENTS)
    assert (told["bundleBytes"], told["bytesToFetch"]) == (1000, 4000)
    assert told["refusals"] == [] and "waits" not in told and "expectedSeconds" not in told
    assert told["revision"] == revision("2.zip", bucket)
    assert shop.deploy.list_deployments(applicationName=shop.name, deploymentGroupName="Hosts")["deployments"] == []


def test_what_was_deployed_counts(plan, server, session):
    place = Place(server, session.client)
    succeed(place, deploy(place, "1.zip", description="longshore:sequence=7"))
    told = plan(place.name, revision=revision("1.zip"))
    (target,) = told["targets"]
    assert (target["targetId"], target["health"], target["hasRevision"]) == (place.name, "revisionCurrent", True)
    assert told["expectedSeconds"] >= 0 and "bundleBytes" not in told
    nothing = plan(place.name, revision=revision("1.zip"), updateOutdatedInstancesOnly=True)
    assert nothing["targets"] == [] and len(nothing["statusMessages"]) == 1
    (refusal,) = plan(place.name, revision=revision("2.zip"), description="longshore:sequence=6")["refusals"]
    assert "stale" in refusal


def test_a_busy_group_is_told(plan, server, session):
    place = Place(server, session.client)
    running = deploy(place, "1.zip")
    has_status(place, running, "InProgress")
    (refusal,) = plan(place.name, revision=revision("2.zip"))["refusals"]
    assert running in refusal
    queue(place, "fifo")
    told = plan(place.name, revision=revision("2.zip"))
    assert told["refusals"] == []
    assert running in told["waits"] and "the next" in told["waits"]


def test_what_is_given_is_held_to_the_rules_of_create_deployment(plan, server, session):
    place = Place(server, session.client)

    def refused(**options):
        with pytest.raises(botocore.exceptions.ClientError) as caught:
            plan(place.name, **options)
        return caught.value.response["Error"]["Code"]

    assert refused() == "RevisionRequiredException"
    assert refused(revision=revision("1.zip"), deploymentConfigName="None") == "DeploymentConfigDoesNotExistException"
    assert refused(revision=revision("1.zip"), description="x" * 257) == "DescriptionTooLongException"


def test_it_needs_a_permission_of_its_own(server, session):
    place = Place(server, session.client)
    iam, name = session.client("iam"), unique("planner")
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    planner = conftest.Clients(server.endpoint, key["AccessKeyId"], key["SecretAccessKey"]).longshore()
    question = {"applicationName": place.name, "deploymentGroupName": "Hosts", "revision": revision("1.zip")}
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        planner.plan_deployment(**question)
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"
    group = f"arn:aws:codedeploy:*:*:deploymentgroup:{place.name}/Hosts"
    statement = {"Effect": "Allow", "Action": "longshore:PlanDeployment", "Resource": group}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=policy)
    assert len(planner.plan_deployment(**question)["targets"]) == 1
