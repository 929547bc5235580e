"""IAM and STS as boto3 and the stock CLI see them: roles, profiles, users, policies, and what they allow."""

import json
import urllib.parse

import botocore.exceptions
import pytest

import conftest
from names import unique

MANAGED = "arn:aws:iam::aws:policy/"


def trust(principal):
    return json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}]})


EC2 = trust({"Service": "ec2.amazonaws.com"})


def policy(effect, action, resource="*", **more):
    return json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": effect, "Action": action, "Resource": resource, **more}]})


def error(call, code, status=None):
    with pytest.raises(botocore.exceptions.ClientError) as raised:
        call()
    answer = raised.value.response
    assert answer["Error"]["Code"] == code, answer
    if status:
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == status
    return answer["Error"]["Message"]


@pytest.fixture
def iam(session):
    return session.client("iam")


@pytest.fixture
def make_user(session, endpoint):
    """`make_user(policy)` gives the name of a new user with that inline policy, and clients with its access key."""

    def make(document=None, path="/"):
        iam, name = session.client("iam"), unique("user")
        iam.create_user(UserName=name, Path=path)
        if document:
            iam.put_user_policy(UserName=name, PolicyName="inline", PolicyDocument=document)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return name, conftest.Clients(endpoint, key["AccessKeyId"], key["SecretAccessKey"])

    return make


def test_a_role_is_shown_as_it_was_made(iam):
    name = unique("role")
    role = iam.create_role(
        RoleName=name, Path="/service/", AssumeRolePolicyDocument=EC2, Description="d", Tags=[{"Key": "k", "Value": "v"}]
    )["Role"]
    assert role["Arn"] == f"arn:aws:iam::123456789012:role/service/{name}"
    assert role["RoleId"].startswith("AROA")
    found = iam.get_role(RoleName=name)["Role"]
    assert found["AssumeRolePolicyDocument"] == json.loads(EC2)
    assert (found["Description"], found["MaxSessionDuration"], found["Tags"]) == ("d", 3600, [{"Key": "k", "Value": "v"}])
    assert any(r["RoleName"] == name for r in iam.list_roles(PathPrefix="/service/")["Roles"])
    iam.get_waiter("role_exists").wait(RoleName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 1})
    error(lambda: iam.create_role(RoleName=name, AssumeRolePolicyDocument=EC2), "EntityAlreadyExists", 409)
    iam.delete_role(RoleName=name)
    error(lambda: iam.get_role(RoleName=name), "NoSuchEntity", 404)


def test_bad_input_is_refused(iam):
    name = unique("role")
    error(lambda: iam.create_role(RoleName="a b", AssumeRolePolicyDocument=EC2), "ValidationError", 400)
    for document in ["{", "[]", policy("Allow", "*"), '{"Statement": []}']:
        error(lambda d=document: iam.create_role(RoleName=name, AssumeRolePolicyDocument=d), "MalformedPolicyDocument", 400)
    error(lambda: iam.get_role(RoleName=name), "NoSuchEntity", 404)
    error(lambda: iam.create_role(RoleName=name, Path="x", AssumeRolePolicyDocument=EC2), "ValidationError", 400)


def test_a_role_in_use_is_not_deleted(iam):
    name = unique("role")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=EC2)
    iam.attach_role_policy(RoleName=name, PolicyArn=MANAGED + "service-role/AWSCodeDeployRole")
    assert "detach all policies" in error(lambda: iam.delete_role(RoleName=name), "DeleteConflict", 409)
    attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    assert attached == [{"PolicyName": "AWSCodeDeployRole", "PolicyArn": MANAGED + "service-role/AWSCodeDeployRole"}]
    iam.detach_role_policy(RoleName=name, PolicyArn=MANAGED + "service-role/AWSCodeDeployRole")
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy("Allow", "s3:GetObject"))
    assert iam.list_role_policies(RoleName=name)["PolicyNames"] == ["p"]
    found = iam.get_role_policy(RoleName=name, PolicyName="p")["PolicyDocument"]
    assert found["Statement"][0]["Action"] == "s3:GetObject"
    error(lambda: iam.delete_role(RoleName=name), "DeleteConflict", 409)
    iam.delete_role_policy(RoleName=name, PolicyName="p")
    iam.create_instance_profile(InstanceProfileName=name)
    iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
    error(lambda: iam.delete_role(RoleName=name), "DeleteConflict", 409)
    profiles = iam.list_instance_profiles_for_role(RoleName=name)["InstanceProfiles"]
    assert [p["InstanceProfileName"] for p in profiles] == [name]
    error(lambda: iam.delete_instance_profile(InstanceProfileName=name), "DeleteConflict", 409)
    iam.remove_role_from_instance_profile(InstanceProfileName=name, RoleName=name)
    iam.delete_instance_profile(InstanceProfileName=name)
    iam.delete_role(RoleName=name)


def test_a_profile_holds_one_role(iam):
    first, second = unique("role"), unique("role")
    for name in (first, second):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=EC2)
    iam.create_instance_profile(InstanceProfileName=first)
    error(lambda: iam.create_instance_profile(InstanceProfileName=first), "EntityAlreadyExists", 409)
    iam.add_role_to_instance_profile(InstanceProfileName=first, RoleName=first)
    error(lambda: iam.add_role_to_instance_profile(InstanceProfileName=first, RoleName=second), "LimitExceeded", 409)
    profile = iam.get_instance_profile(InstanceProfileName=first)["InstanceProfile"]
    assert profile["Arn"] == f"arn:aws:iam::123456789012:instance-profile/{first}"
    assert [role["RoleName"] for role in profile["Roles"]] == [first]
    error(lambda: iam.get_instance_profile(InstanceProfileName=unique("none")), "NoSuchEntity", 404)
    iam.get_waiter("instance_profile_exists").wait(
        InstanceProfileName=first, WaiterConfig={"Delay": 1, "MaxAttempts": 1}
    )


def test_unknown_policies_cannot_be_attached(iam):
    name = unique("role")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=EC2)
    error(lambda: iam.attach_role_policy(RoleName=name, PolicyArn=MANAGED + "Nonsense"), "NoSuchEntity", 404)


def test_own_policies_have_versions(iam):
    name, role = unique("policy"), unique("role")
    made = iam.create_policy(PolicyName=name, PolicyDocument=policy("Allow", "s3:*"))["Policy"]
    arn = made["Arn"]
    assert arn == f"arn:aws:iam::123456789012:policy/{name}" and made["DefaultVersionId"] == "v1"
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=EC2)
    iam.attach_role_policy(RoleName=role, PolicyArn=arn)
    assert iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] == 1
    error(lambda: iam.delete_policy(PolicyArn=arn), "DeleteConflict", 409)
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=policy("Deny", "s3:*"), SetAsDefault=True)
    assert iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"] == "v2"
    document = iam.get_policy_version(PolicyArn=arn, VersionId="v2")["PolicyVersion"]["Document"]
    assert document["Statement"][0]["Effect"] == "Deny"
    iam.delete_policy_version(PolicyArn=arn, VersionId="v1")
    iam.detach_role_policy(RoleName=role, PolicyArn=arn)
    iam.delete_policy(PolicyArn=arn)
    error(lambda: iam.get_policy(PolicyArn=arn), "NoSuchEntity", 404)
    assert any(p["PolicyName"] == "AWSCodeDeployRole" for p in iam.list_policies(Scope="AWS")["Policies"])


def test_a_user_may_do_what_its_policies_say(make_user, iam):
    name, clients = make_user(policy("Allow", "codedeploy:List*"), path="/AWS/CodeDeploy/")
    identity = clients.client("sts").get_caller_identity()
    assert identity["Arn"] == f"arn:aws:iam::123456789012:user/AWS/CodeDeploy/{name}"
    assert clients.client("codedeploy").list_applications()["applications"] is not None
    message = error(
        lambda: clients.client("codedeploy").create_application(applicationName=unique("app")), "AccessDeniedException"
    )
    assert message.startswith(f"User: {identity['Arn']} is not authorized to perform: codedeploy:CreateApplication")
    error(lambda: clients.client("iam").list_users(), "AccessDenied", 403)
    error(lambda: clients.client("ec2").describe_instances(), "UnauthorizedOperation", 403)
    iam.put_user_policy(UserName=name, PolicyName="no", PolicyDocument=policy("Deny", "codedeploy:ListApplications"))
    message = error(lambda: clients.client("codedeploy").list_applications(), "AccessDeniedException")
    assert message.endswith("with an explicit deny in an identity-based policy")


def test_access_keys_can_be_switched_off(make_user, iam):
    name, clients = make_user()
    assert clients.client("sts").get_caller_identity()["UserId"].startswith("AIDA")
    iam.create_access_key(UserName=name)
    error(lambda: iam.create_access_key(UserName=name), "LimitExceeded", 409)
    error(lambda: iam.delete_user(UserName=name), "DeleteConflict", 409)
    iam.update_access_key(UserName=name, AccessKeyId=clients.access_key, Status="Inactive")
    error(lambda: clients.client("sts").get_caller_identity(), "InvalidClientTokenId", 403)
    keys = iam.list_access_keys(UserName=name)["AccessKeyMetadata"]
    assert sorted(key["Status"] for key in keys) == ["Active", "Inactive"]
    for key in keys:
        iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName=name)
    error(lambda: iam.get_user(UserName=name), "NoSuchEntity", 404)


def test_user_names_are_unique_whatever_path_and_case(iam):
    name = unique("user")
    iam.create_user(UserName=name, Path="/a/")
    error(lambda: iam.create_user(UserName=name.upper(), Path="/b/"), "EntityAlreadyExists", 409)


def test_lists_come_in_pages(iam):
    prefix = f"/{unique('page')}/"
    names = [unique("user") for _ in range(5)]
    for name in names:
        iam.create_user(UserName=name, Path=prefix)
    pages = list(iam.get_paginator("list_users").paginate(PathPrefix=prefix, PaginationConfig={"PageSize": 2}))
    assert [len(page["Users"]) for page in pages] == [2, 2, 1]
    assert sorted(user["UserName"] for page in pages for user in page["Users"]) == sorted(names)


def test_a_role_is_assumed_by_whom_it_trusts(make_user, iam, session, endpoint):
    role = unique("role")
    name, clients = make_user()
    _, stranger = make_user()
    arn = iam.create_role(
        RoleName=role, AssumeRolePolicyDocument=trust({"AWS": f"arn:aws:iam::123456789012:user/{name}"})
    )["Role"]["Arn"]
    iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=policy("Allow", "codedeploy:*"))
    error(lambda: stranger.client("sts").assume_role(RoleArn=arn, RoleSessionName="s1"), "AccessDenied", 403)
    answer = clients.client("sts").assume_role(RoleArn=arn, RoleSessionName="s1", DurationSeconds=900)
    assert answer["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::123456789012:assumed-role/{role}/s1"
    given = answer["Credentials"]
    assert given["AccessKeyId"].startswith("ASIA")
    assumed = conftest.Clients(endpoint, given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    assert assumed.client("sts").get_caller_identity()["UserId"].endswith(":s1")
    assumed.client("codedeploy").list_applications()
    error(lambda: assumed.client("iam").list_users(), "AccessDenied", 403)
    without = conftest.Clients(endpoint, given["AccessKeyId"], given["SecretAccessKey"])
    error(lambda: without.client("sts").get_caller_identity(), "InvalidClientTokenId", 403)
    error(lambda: clients.client("sts").assume_role(RoleArn=arn, RoleSessionName="s1", DurationSeconds=7200), "ValidationError")
    error(lambda: clients.client("sts").assume_role(RoleArn=arn + "x", RoleSessionName="s1"), "AccessDenied", 403)


def test_a_session_policy_narrows(make_user, iam, endpoint):
    role = unique("role")
    _, clients = make_user(policy("Allow", "sts:AssumeRole"))
    arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust({"AWS": "123456789012"}))["Role"]["Arn"]
    iam.attach_role_policy(RoleName=role, PolicyArn=MANAGED + "AWSCodeDeployFullAccess")
    given = clients.client("sts").assume_role(
        RoleArn=arn, RoleSessionName="narrow", Policy=policy("Allow", "codedeploy:List*")
    )["Credentials"]
    narrow = conftest.Clients(endpoint, given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    narrow.client("codedeploy").list_applications()
    error(lambda: narrow.client("codedeploy").create_application(applicationName="x"), "AccessDeniedException")


def test_an_account_in_a_trust_policy_needs_the_callers_own_permission(make_user, iam):
    role = unique("role")
    _, clients = make_user()
    arn = iam.create_role(
        RoleName=role, AssumeRolePolicyDocument=trust({"AWS": "arn:aws:iam::123456789012:root"})
    )["Role"]["Arn"]
    error(lambda: clients.client("sts").assume_role(RoleArn=arn, RoleSessionName="s1"), "AccessDenied", 403)


def test_unknown_actions_are_named(session):
    message = error(lambda: session.client("iam").list_groups(), "InvalidAction", 400)
    assert "ListGroups" in message


def test_the_stock_cli_decodes_documents(aws):
    name = unique("role")
    aws("iam", "create-role", "--role-name", name, "--assume-role-policy-document", EC2)
    role = aws.json("iam", "get-role", "--role-name", name, "--query", "Role")
    assert role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"Service": "ec2.amazonaws.com"}
    assert urllib.parse.unquote(role["Arn"]) == role["Arn"]
    arn = aws("sts", "get-caller-identity", "--query", "Arn", "--output", "text").stdout.strip()
    assert arn == "arn:aws:iam::123456789012:root"
