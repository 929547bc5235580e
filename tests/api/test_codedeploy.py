"""CodeDeploy's operations as boto3 and the stock CLI see them: what they answer, and how they refuse."""

import json
import re

import botocore.exceptions
import pytest

import raw
from names import unique

ROLE = "arn:aws:iam::EXAMPLE:role/CodeDeploy"


@pytest.fixture
def deploy(session):
    return session.client("codedeploy")


@pytest.fixture
def application(deploy):
    name = unique("app")
    deploy.create_application(applicationName=name)
    return name


@pytest.fixture
def group(deploy, application):
    return make_group(deploy, application)


def make_group(deploy, application, name="Production", **options):
    deploy.create_deployment_group(
        applicationName=application, deploymentGroupName=name, serviceRoleArn=ROLE, **options
    )
    return name


def s3_revision(bucket="releases", key="v001", **location):
    return {"revisionType": "S3", "s3Location": {"bucket": bucket, "key": key, "bundleType": "zip"} | location}


def refused(call, **arguments):
    """The error name and message of a call that must fail."""
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(**arguments)
    answer = caught.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert answer["ResponseMetadata"]["RequestId"]
    return answer["Error"]["Code"], answer["Error"]["Message"]


def ended(deploy, deployment):
    import longshore

    def info():
        found = deploy.get_deployment(deploymentId=deployment)["deploymentInfo"]
        return found if found["status"] in ("Succeeded", "Failed", "Stopped") else None

    return longshore.wait_until(info, f"{deployment} ends")


class TestApplications:
    def test_a_new_application_is_found_and_listed(self, deploy, application):
        found = deploy.get_application(applicationName=application)["application"]
        assert found["applicationName"] == application
        assert found["computePlatform"] == "Server"
        assert found["linkedToGitHub"] is False
        assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", found["applicationId"])
        pages = deploy.get_paginator("list_applications").paginate()
        assert application in [name for page in pages for name in page["applications"]]

    def test_a_name_can_be_taken_once(self, deploy, application):
        assert refused(deploy.create_application, applicationName=application)[0] == "ApplicationAlreadyExistsException"

    @pytest.mark.parametrize("name", ["a" * 101, "with space", "slash/ed", "ümlaut"])
    def test_a_bad_name_is_refused(self, deploy, name):
        assert refused(deploy.create_application, applicationName=name)[0] == "InvalidApplicationNameException"

    def test_a_missing_name_is_named(self, session):
        answer = raw.codedeploy(session, "CreateApplication", {})
        assert (answer.status, answer.error) == (400, "ApplicationNameRequiredException")

    def test_an_unknown_application_is_named(self, deploy):
        name = unique("nobody")
        error, message = refused(deploy.get_application, applicationName=name)
        assert error == "ApplicationDoesNotExistException"
        assert message == f"No application found for name: {name}"

    def test_a_rename_keeps_what_belongs_to_it(self, deploy, application, group):
        new = unique("renamed")
        deploy.update_application(applicationName=application, newApplicationName=new)
        assert deploy.list_deployment_groups(applicationName=new)["deploymentGroups"] == [group]
        assert refused(deploy.get_application, applicationName=application)[0] == "ApplicationDoesNotExistException"

    def test_deleting_twice_is_no_error(self, deploy, application):
        deploy.delete_application(applicationName=application)
        deploy.delete_application(applicationName=application)
        assert refused(deploy.get_application, applicationName=application)[0] == "ApplicationDoesNotExistException"

    def test_a_batch_fails_as_a_whole_for_one_unknown_name(self, deploy, application):
        found = deploy.batch_get_applications(applicationNames=[application])["applicationsInfo"]
        assert [info["applicationName"] for info in found] == [application]
        error, _ = refused(deploy.batch_get_applications, applicationNames=[application, unique("nobody")])
        assert error == "ApplicationDoesNotExistException"

    def test_more_than_a_page_of_applications_is_listed_completely(self, deploy):
        names = {unique("paged") for _ in range(120)}
        for name in names:
            deploy.create_application(applicationName=name)
        pages = list(deploy.get_paginator("list_applications").paginate())
        listed = [name for page in pages for name in page["applications"]]
        assert names <= set(listed)
        assert len(pages) > 1
        assert len(listed) == len(set(listed))
        for name in names:
            deploy.delete_application(applicationName=name)

    def test_a_made_up_page_token_is_refused(self, deploy):
        assert refused(deploy.list_applications, nextToken="made-up")[0] == "InvalidNextTokenException"

    def test_tags_are_kept(self, deploy):
        name = unique("tagged")
        deploy.create_application(applicationName=name, tags=[{"Key": "Team", "Value": "Web"}])
        arn = f"arn:aws:codedeploy:us-east-1:123456789012:application:{name}"
        deploy.tag_resource(ResourceArn=arn, Tags=[{"Key": "Stage", "Value": "Test"}])
        deploy.untag_resource(ResourceArn=arn, TagKeys=["Team", "Unknown"])
        assert deploy.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "Stage", "Value": "Test"}]


class TestDeploymentGroups:
    def test_a_new_group_is_found(self, deploy, application):
        make_group(
            deploy, application, ec2TagFilters=[{"Key": "CDG", "Value": "Demo", "Type": "KEY_AND_VALUE"}],
            deploymentConfigName="CodeDeployDefault.HalfAtATime",
        )
        found = deploy.get_deployment_group(applicationName=application, deploymentGroupName="Production")
        found = found["deploymentGroupInfo"]
        assert found["deploymentConfigName"] == "CodeDeployDefault.HalfAtATime"
        assert found["ec2TagFilters"] == [{"Key": "CDG", "Value": "Demo", "Type": "KEY_AND_VALUE"}]
        assert found["serviceRoleArn"] == ROLE
        assert found["deploymentStyle"] == {
            "deploymentType": "IN_PLACE", "deploymentOption": "WITHOUT_TRAFFIC_CONTROL",
        }

    def test_without_a_configuration_it_is_one_at_a_time(self, deploy, application, group):
        found = deploy.get_deployment_group(applicationName=application, deploymentGroupName=group)
        assert found["deploymentGroupInfo"]["deploymentConfigName"] == "CodeDeployDefault.OneAtATime"

    def test_an_unknown_application_comes_before_everything_else(self, deploy):
        error, _ = refused(
            deploy.create_deployment_group, applicationName=unique("nobody"), deploymentGroupName="G",
            serviceRoleArn=ROLE, deploymentConfigName="Nothing",
        )
        assert error == "ApplicationDoesNotExistException"

    def test_a_name_can_be_taken_once_per_application(self, deploy, application, group):
        error, _ = refused(
            deploy.create_deployment_group, applicationName=application, deploymentGroupName=group, serviceRoleArn=ROLE
        )
        assert error == "DeploymentGroupAlreadyExistsException"

    def test_an_unknown_group_is_named(self, deploy, application):
        error, message = refused(
            deploy.get_deployment_group, applicationName=application, deploymentGroupName="Nowhere"
        )
        assert error == "DeploymentGroupDoesNotExistException"
        assert message == "No Deployment Group found for name: Nowhere"

    def test_an_unknown_configuration_is_named(self, deploy, application):
        error, message = refused(
            deploy.create_deployment_group, applicationName=application, deploymentGroupName="G",
            serviceRoleArn=ROLE, deploymentConfigName="Careful",
        )
        assert error == "DeploymentConfigDoesNotExistException"
        assert "Careful" in message

    def test_filters_and_sets_of_tags_exclude_each_other(self, deploy, application):
        tag = {"Key": "CDG", "Value": "Demo", "Type": "KEY_AND_VALUE"}
        error, _ = refused(
            deploy.create_deployment_group, applicationName=application, deploymentGroupName="G",
            serviceRoleArn=ROLE, ec2TagFilters=[tag], ec2TagSet={"ec2TagSetList": [[tag]]},
        )
        assert error == "InvalidEC2TagCombinationException"

    def test_an_update_changes_what_it_names_and_nothing_else(self, deploy, application):
        make_group(deploy, application, ec2TagFilters=[{"Key": "CDG", "Value": "Demo", "Type": "KEY_AND_VALUE"}])
        deploy.update_deployment_group(
            applicationName=application, currentDeploymentGroupName="Production", newDeploymentGroupName="Live",
            deploymentConfigName="CodeDeployDefault.AllAtOnce",
        )
        found = deploy.get_deployment_group(applicationName=application, deploymentGroupName="Live")
        found = found["deploymentGroupInfo"]
        assert found["deploymentConfigName"] == "CodeDeployDefault.AllAtOnce"
        assert [tag["Value"] for tag in found["ec2TagFilters"]] == ["Demo"]

    def test_unknown_groups_of_a_batch_are_told_in_words(self, deploy, application, group):
        answer = deploy.batch_get_deployment_groups(applicationName=application, deploymentGroupNames=[group])
        assert answer["errorMessage"] == ""
        answer = deploy.batch_get_deployment_groups(applicationName=application, deploymentGroupNames=[group, "Nowhere"])
        assert [info["deploymentGroupName"] for info in answer["deploymentGroupsInfo"]] == [group]
        assert "Nowhere" in answer["errorMessage"]


class TestDeploymentConfigs:
    def test_the_predefined_ones_are_listed(self, deploy):
        pages = deploy.get_paginator("list_deployment_configs").paginate()
        listed = [name for page in pages for name in page["deploymentConfigsList"]]
        assert {f"CodeDeployDefault.{name}" for name in ("AllAtOnce", "HalfAtATime", "OneAtATime")} <= set(listed)

    def test_one_at_a_time_has_its_documented_form(self, deploy):
        found = deploy.get_deployment_config(deploymentConfigName="CodeDeployDefault.OneAtATime")
        assert found["deploymentConfigInfo"]["minimumHealthyHosts"] == {"type": "MOST_CONCURRENCY", "value": 1}

    def test_a_custom_one_lives_and_dies(self, deploy):
        name = unique("ThreeStay")
        deploy.create_deployment_config(
            deploymentConfigName=name, minimumHealthyHosts={"type": "HOST_COUNT", "value": 3}
        )
        found = deploy.get_deployment_config(deploymentConfigName=name)["deploymentConfigInfo"]
        assert found["minimumHealthyHosts"] == {"type": "HOST_COUNT", "value": 3}
        deploy.delete_deployment_config(deploymentConfigName=name)
        error, _ = refused(deploy.get_deployment_config, deploymentConfigName=name)
        assert error == "DeploymentConfigDoesNotExistException"

    def test_one_in_use_stays(self, deploy, application):
        name = unique("InUse")
        deploy.create_deployment_config(
            deploymentConfigName=name, minimumHealthyHosts={"type": "FLEET_PERCENT", "value": 50}
        )
        make_group(deploy, application, deploymentConfigName=name)
        assert refused(deploy.delete_deployment_config, deploymentConfigName=name)[0] == "DeploymentConfigInUseException"

    def test_a_predefined_one_cannot_be_deleted(self, deploy):
        error, _ = refused(deploy.delete_deployment_config, deploymentConfigName="CodeDeployDefault.AllAtOnce")
        assert error == "InvalidOperationException"

    @pytest.mark.parametrize("name, healthy, expected", [
        ("CodeDeployDefault.Mine", {"type": "HOST_COUNT", "value": 1}, "InvalidDeploymentConfigNameException"),
        ("Negative", {"type": "HOST_COUNT", "value": -1}, "InvalidMinimumHealthyHostValueException"),
        ("Everyone", {"type": "FLEET_PERCENT", "value": 100}, "InvalidMinimumHealthyHostValueException"),
        ("Reserved", {"type": "MOST_CONCURRENCY", "value": 1}, "InvalidMinimumHealthyHostValueException"),
    ])
    def test_what_cannot_be_is_refused(self, deploy, name, healthy, expected):
        error, _ = refused(
            deploy.create_deployment_config, deploymentConfigName=name, minimumHealthyHosts=healthy
        )
        assert error == expected


class TestRevisions:
    def test_a_registered_revision_is_found_and_listed(self, deploy, application):
        revision = s3_revision(eTag="4aded3cfd6780bf873c3079df579f2a3")
        deploy.register_application_revision(applicationName=application, revision=revision, description="first")
        found = deploy.get_application_revision(applicationName=application, revision=revision)
        assert found["revision"] == revision
        assert found["revisionInfo"]["description"] == "first"
        assert deploy.list_application_revisions(applicationName=application)["revisions"] == [revision]

    def test_an_unknown_revision_is_told(self, deploy, application):
        error, _ = refused(deploy.get_application_revision, applicationName=application, revision=s3_revision())
        assert error == "RevisionDoesNotExistException"

    @pytest.mark.parametrize("revision", [
        s3_revision(bundleType="rar"),
        s3_revision(bundleType="JSON"),
        {"revisionType": "S3", "gitHubLocation": {"repository": "a/b", "commitId": "c" * 40}},
        {"revisionType": "GitHub", "gitHubLocation": {"repository": "no-slash", "commitId": "c" * 40}},
        {"revisionType": "S3", "s3Location": {"bucket": "releases"}},
    ], ids=["rar", "json", "other-location", "no-account", "no-key"])
    def test_a_revision_that_cannot_be_deployed_is_refused(self, deploy, application, group, revision):
        error, _ = refused(deploy.register_application_revision, applicationName=application, revision=revision)
        assert error == "InvalidRevisionException"
        error, _ = refused(
            deploy.create_deployment, applicationName=application, deploymentGroupName=group, revision=revision
        )
        assert error == "InvalidRevisionException"


class TestDeployments:
    def test_a_group_without_instances_fails_and_says_so(self, deploy, application, group):
        deployment = deploy.create_deployment(
            applicationName=application, deploymentGroupName=group, revision=s3_revision(), description="to nobody"
        )["deploymentId"]
        assert re.fullmatch(r"d-[A-Z0-9]{9}", deployment)
        info = ended(deploy, deployment)
        assert info["status"] == "Failed"
        assert info["errorInformation"]["code"] == "NO_INSTANCES"
        assert info["errorInformation"]["message"].startswith(
            "The deployment failed because no instances were found for your deployment group"
        )
        assert info["description"] == "to nobody"
        assert info["creator"] == "user"
        assert info["deploymentConfigName"] == "CodeDeployDefault.OneAtATime"
        assert info["revision"] == s3_revision()
        assert info["createTime"] <= info["completeTime"]

    def test_a_revision_is_registered_by_its_first_deployment(self, deploy, application, group):
        deployment = deploy.create_deployment(
            applicationName=application, deploymentGroupName=group, revision=s3_revision()
        )["deploymentId"]
        ended(deploy, deployment)
        found = deploy.get_application_revision(applicationName=application, revision=s3_revision())
        assert found["revisionInfo"]["description"] == f"Application revision registered by Deployment ID: {deployment}"

    def test_deployments_are_listed_by_group_and_status(self, deploy, application, group):
        deployment = deploy.create_deployment(
            applicationName=application, deploymentGroupName=group, revision=s3_revision()
        )["deploymentId"]
        ended(deploy, deployment)
        here = {"applicationName": application, "deploymentGroupName": group}
        assert deploy.list_deployments(**here)["deployments"] == [deployment]
        assert deploy.list_deployments(**here, includeOnlyStatuses=["Failed"])["deployments"] == [deployment]
        assert deploy.list_deployments(**here, includeOnlyStatuses=["Succeeded"])["deployments"] == []

    def test_unknown_deployments_of_a_batch_are_left_out(self, deploy, application, group):
        deployment = deploy.create_deployment(
            applicationName=application, deploymentGroupName=group, revision=s3_revision()
        )["deploymentId"]
        found = deploy.batch_get_deployments(deploymentIds=[deployment, "d-UNKNOWN00"])["deploymentsInfo"]
        assert [info["deploymentId"] for info in found] == [deployment]

    @pytest.mark.parametrize("change, expected", [
        ({"applicationName": "nobody-has-this-name"}, "ApplicationDoesNotExistException"),
        ({"deploymentGroupName": "Nowhere"}, "DeploymentGroupDoesNotExistException"),
        ({"deploymentGroupName": None}, "DeploymentGroupNameRequiredException"),
        ({"revision": None}, "RevisionRequiredException"),
        ({"deploymentConfigName": "Careful"}, "DeploymentConfigDoesNotExistException"),
        ({"description": "x" * 257}, "DescriptionTooLongException"),
        ({"fileExistsBehavior": "PANIC"}, "InvalidFileExistsBehaviorException"),
    ], ids=lambda value: value if isinstance(value, str) else next(iter(value)))
    def test_what_cannot_be_deployed_is_refused(self, deploy, application, group, change, expected):
        arguments = {"applicationName": application, "deploymentGroupName": group, "revision": s3_revision()} | change
        arguments = {name: value for name, value in arguments.items() if value is not None}
        assert refused(deploy.create_deployment, **arguments)[0] == expected

    def test_the_first_fault_is_the_one_that_is_told(self, deploy, application):
        error, _ = refused(
            deploy.create_deployment, applicationName=application, deploymentGroupName="Nowhere",
            revision=s3_revision(bundleType="rar"), deploymentConfigName="Careful", description="x" * 300,
        )
        assert error == "DeploymentGroupDoesNotExistException"

    @pytest.mark.parametrize("deployment, expected", [
        ("d-UNKNOWN00", "DeploymentDoesNotExistException"),
        ("not-an-id", "InvalidDeploymentIdException"),
    ])
    def test_an_unknown_deployment_is_told(self, deploy, deployment, expected):
        assert refused(deploy.get_deployment, deploymentId=deployment)[0] == expected
        assert refused(deploy.stop_deployment, deploymentId=deployment)[0] == expected
        assert refused(deploy.list_deployment_targets, deploymentId=deployment)[0] == expected

    def test_what_has_ended_cannot_be_stopped(self, deploy, application, group):
        deployment = deploy.create_deployment(
            applicationName=application, deploymentGroupName=group, revision=s3_revision()
        )["deploymentId"]
        ended(deploy, deployment)
        error, _ = refused(deploy.stop_deployment, deploymentId=deployment)
        assert error == "DeploymentAlreadyCompletedException"

    def test_an_operation_that_is_not_built_is_named(self, session):
        answer = raw.codedeploy(session, "TeleportDeployment", {})
        assert answer.status == 400
        assert answer.error == "UnknownOperationException"


class TestOnPremisesInstances:
    def test_an_instance_is_registered_tagged_and_deregistered(self, deploy):
        name = unique("rack")
        arn = f"arn:aws:iam::123456789012:user/AWS/CodeDeploy/{name}"
        deploy.register_on_premises_instance(instanceName=name, iamUserArn=arn)
        deploy.add_tags_to_on_premises_instances(instanceNames=[name], tags=[{"Key": "CDG", "Value": "Racks"}])
        found = deploy.get_on_premises_instance(instanceName=name)["instanceInfo"]
        assert found["iamUserArn"] == arn
        assert found["tags"] == [{"Key": "CDG", "Value": "Racks"}]
        listed = deploy.list_on_premises_instances(
            registrationStatus="Registered", tagFilters=[{"Key": "CDG", "Value": "Racks", "Type": "KEY_AND_VALUE"}]
        )
        assert name in listed["instanceNames"]
        deploy.deregister_on_premises_instance(instanceName=name)
        assert name in deploy.list_on_premises_instances(registrationStatus="Deregistered")["instanceNames"]

    def test_a_name_that_looks_like_an_instance_id_is_refused(self, deploy):
        error, _ = refused(
            deploy.register_on_premises_instance, instanceName="i-0123456789abcdef0",
            iamUserArn="arn:aws:iam::123456789012:user/x",
        )
        assert error == "InvalidInstanceNameException"


class TestTheCommandLine:
    def test_create_and_get(self, aws):
        name = unique("cli")
        made = aws.json("deploy", "create-application", "--application-name", name)
        assert set(made) == {"applicationId"}
        found = aws.json("deploy", "get-application", "--application-name", name)
        assert found["application"]["applicationName"] == name

    def test_push_prints_a_command_that_works(self, aws, session, tmp_path):
        name, bucket = unique("cli"), unique("pushed")
        aws("deploy", "create-application", "--application-name", name)
        aws("deploy", "create-deployment-group", "--application-name", name, "--deployment-group-name", "Staging",
            "--service-role-arn", ROLE)
        aws("s3api", "create-bucket", "--bucket", bucket)
        (tmp_path / "appspec.yml").write_text("version: 0.0\nos: linux\n")
        printed = aws("deploy", "push", "--application-name", name, "--s3-location", f"s3://{bucket}/v001",
                      "--source", tmp_path).stdout.splitlines()[-1]
        head = session.client("s3").head_object(Bucket=bucket, Key="v001")
        assert f"bucket={bucket},key=v001,bundleType=zip,eTag={head['ETag'].strip(chr(34))}" in printed
        # An unversioned bucket has no versions: a `version=` here would be deployed as it stands.
        assert "version=" not in printed
        words = printed.replace("<deployment-group-name>", "Staging") \
            .replace("<deployment-config-name>", "CodeDeployDefault.OneAtATime") \
            .replace("<description>", "pushed").split()
        assert re.fullmatch(r"d-[A-Z0-9]{9}", aws.json(*words[1:])["deploymentId"])

    def test_a_failure_ends_with_the_errors_name(self, aws):
        result = aws("deploy", "get-application", "--application-name", "nobody", check=False)
        assert result.returncode in (254, 255)
        assert "(ApplicationDoesNotExistException)" in result.stderr
        assert "No application found for name: nobody" in result.stderr
