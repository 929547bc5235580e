"""What a deployment would do, before it is made."""

import io
import json
import tarfile
import zipfile

import botocore.exceptions
import pytest

import bundles
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
    assert "no zip archive" in told["hostRefusals"][0] and "hooks" not in told and "bundleUnread" not in told
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


APPSPEC = """version: 0.0
os: linux
files:
  - source: site
    destination: /srv/site
hooks:
  ApplicationStop:
    - location: old.sh
  AfterInstall:
    - location: bin/run.sh
      runas: shop
      timeout: 90
"""


@pytest.fixture
def bundle(server, session):
    """Puts a bundle into a bucket of the server; returns the revision."""
    s3, bucket = session.client("s3"), unique("bundles")
    s3.create_bucket(Bucket=bucket)

    def bundle(key, content):
        s3.put_object(Bucket=bucket, Key=key, Body=content)
        return {"revisionType": "S3",
                "s3Location": {"bucket": bucket, "key": key, "bundleType": key.split(".", 1)[1]}}

    return bundle


def scripts(told):
    return {hook["lifecycleEventName"]: hook["scripts"] for hook in told["hooks"]}


def test_what_the_bundle_says_is_told(plan, server, session, bundle):
    place = Place(server, session.client)
    files = {"appspec.yml": APPSPEC, "bin/run.sh": "", "site/index.html": ""}
    packed = {"1.zip": bundles.zipped(files), "1.tgz": tar(files, "w:gz"), "1.tar": tar(files, "w"),
              "2.tgz": tar({f"shop-1/{name}": content for name, content in files.items()}, "w:gz")}
    for name, content in packed.items():
        told = plan(place.name, revision=bundle(name, content))
        assert told["hostRefusals"] == [] and told["refusals"] == [] and "bundleUnread" not in told, name
        assert [hook["lifecycleEventName"] for hook in told["hooks"]] == told["lifecycleEvents"]
        assert scripts(told)["AfterInstall"] == [{"location": "bin/run.sh", "runas": "shop", "timeoutSeconds": 90}]
        assert scripts(told)["ApplicationStop"] == [], "those are of the revision that is installed now"


def test_what_hosts_would_refuse_is_told(plan, server, session, bundle):
    place = Place(server, session.client)

    def refusals(name, content):
        told = plan(place.name, revision=bundle(name, content))
        assert told["refusals"] == [], "it would begin all the same"
        return told["hostRefusals"]

    assert refusals("1.zip", bundles.zipped({"appspec.yml": APPSPEC})) == [
        "files: the source `site` is not in the bundle", "AfterInstall: the script `bin/run.sh` is not in the bundle",
    ]
    assert refusals("2.zip", bundles.zipped({"readme": ""})) == ["the bundle has no appspec.yml"]
    (wrong,) = refusals("3.zip", bundles.zipped({"appspec.yml": "version: 0.0\nos: linux\nhooks: 7\n"}))
    assert wrong.startswith("appspec.yml, line 3, column 8: ")
    (hostile,) = refusals("4.tgz", bundles.tarred([("../../etc/cron.d/x", "file", "")]))
    assert "`../../etc/cron.d/x` has `..` in its name" in hostile
    (link,) = refusals("5.zip", bundles.zipped_link("up", "../../etc"))
    assert "outside of the archive" in link
    assert "no tar archive, or a damaged one" in refusals("6.tgz", b"nothing of the kind")[0]
    missing = bundle("7.zip", b"")
    missing["s3Location"]["key"] = "8.zip"
    assert "has no object `8.zip`" in plan(place.name, revision=missing)["hostRefusals"][0]
    other = bundle("9.zip", bundles.zipped({"appspec.yml": APPSPEC}))
    other["s3Location"]["eTag"] = "0" * 32
    assert "was asked for" in plan(place.name, revision=other)["hostRefusals"][0]


def test_a_bundle_elsewhere_is_not_read(plan, server, session):
    place = Place(server, session.client)
    told = plan(place.name, revision=revision("1.zip", unique("elsewhere")))
    assert "no bucket" in told["bundleUnread"] and "hooks" not in told and told["hostRefusals"] == []
    hub = {"revisionType": "GitHub", "gitHubLocation": {"repository": "acme/shop", "commitId": "0" * 40}}
    assert "not in a bucket" in plan(place.name, revision=hub)["bundleUnread"]


def test_an_archive_without_an_end_is_given_up(plan, server, session, bundle):
    place = Place(server, session.client)
    bomb = zipfile_of_many(100_001)
    told = plan(place.name, revision=bundle("1.zip", bomb))
    assert "more than 100000 entries" in told["bundleUnread"] and told["hostRefusals"] == []


def zipfile_of_many(count):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(count):
            archive.writestr(zipfile.ZipInfo(str(number)), b"")
    return buffer.getvalue()


def tar(files, mode):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content.encode())
            archive.addfile(entry, io.BytesIO(content.encode()))
    return buffer.getvalue()


def test_it_needs_a_permission_of_its_own(server, session, bundle):
    place = Place(server, session.client)
    iam, name = session.client("iam"), unique("planner")
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    planner = conftest.Clients(server.endpoint, key["AccessKeyId"], key["SecretAccessKey"]).longshore()
    packed = bundle("1.zip", bundles.zipped({"appspec.yml": APPSPEC, "bin/run.sh": "", "site/x": ""}))
    question = {"applicationName": place.name, "deploymentGroupName": "Hosts", "revision": packed}
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        planner.plan_deployment(**question)
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"
    group = f"arn:aws:codedeploy:*:*:deploymentgroup:{place.name}/Hosts"
    statement = {"Effect": "Allow", "Action": "longshore:PlanDeployment", "Resource": group}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=policy)
    told = planner.plan_deployment(**question)
    assert len(told["targets"]) == 1 and "you may not read s3://" in told["bundleUnread"] and "hooks" not in told
    read = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement, read]})
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=policy)
    assert scripts(planner.plan_deployment(**question))["AfterInstall"] != []
