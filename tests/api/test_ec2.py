"""EC2 as boto3 and the stock CLI see it: what needs no instance on a plain server, the rest on `longshore dev`."""

import base64
import subprocess

import botocore.exceptions
import pytest

from names import unique


def error(call, code, status=400):
    with pytest.raises(botocore.exceptions.ClientError) as raised:
        call()
    answer = raised.value.response
    assert answer["Error"]["Code"] == code, answer
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == status
    return answer["Error"]["Message"]


@pytest.fixture
def ec2(session):
    return session.client("ec2")


@pytest.fixture
def group(ec2):
    name = unique("group")
    return name, ec2.create_security_group(GroupName=name, Description="for a test")["GroupId"]


def test_a_plain_server_says_that_it_has_no_instances(ec2):
    message = error(lambda: ec2.run_instances(MinCount=1, MaxCount=1), "UnsupportedOperation")
    assert "longshore dev" in message
    assert ec2.describe_instances()["Reservations"] == []


def test_instances_that_are_not_there(ec2):
    for call in (ec2.start_instances, ec2.stop_instances, ec2.terminate_instances, ec2.describe_instances):
        error(lambda c=call: c(InstanceIds=["i-0123456789abcdef0"]), "InvalidInstanceID.NotFound")
        error(lambda c=call: c(InstanceIds=["i-nonsense"]), "InvalidInstanceID.Malformed")
    error(lambda: ec2.create_tags(Resources=["i-0123456789abcdef0"], Tags=[{"Key": "a", "Value": "b"}]),
          "InvalidInstanceID.NotFound")
    error(lambda: ec2.describe_instances(Filters=[{"Name": "nonsense", "Values": ["x"]}]), "InvalidParameterValue")


def test_a_key_pair_is_a_real_one(ec2, tmp_path):
    name = unique("key")
    made = ec2.create_key_pair(KeyName=name)
    file = tmp_path / "key.pem"
    file.write_text(made["KeyMaterial"] + "\n")
    file.chmod(0o600)
    public = ec2.describe_key_pairs(KeyNames=[name], IncludePublicKey=True)["KeyPairs"][0]["PublicKey"]
    try:
        derived = subprocess.run(["ssh-keygen", "-y", "-f", file], capture_output=True, text=True, check=True)
    except FileNotFoundError:
        pytest.skip("no ssh-keygen to judge the key")
    assert derived.stdout.split()[:2] == public.split()[:2]
    error(lambda: ec2.create_key_pair(KeyName=name), "InvalidKeyPair.Duplicate")
    ec2.delete_key_pair(KeyName=name)
    ec2.delete_key_pair(KeyName=name)
    error(lambda: ec2.describe_key_pairs(KeyNames=[name]), "InvalidKeyPair.NotFound")


def test_a_public_key_is_imported(ec2):
    name = unique("key")
    line = b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBs8v1nGXbXXpPyfL4GRVsZwXWZdE2nFTWhFwWVa9qFX someone"
    answer = ec2.import_key_pair(KeyName=name, PublicKeyMaterial=line)
    assert answer["KeyPairId"].startswith("key-")
    error(lambda: ec2.import_key_pair(KeyName=unique("key"), PublicKeyMaterial=b"nonsense"), "InvalidKey.Format")


def test_the_default_group_is_there_from_the_start(ec2):
    groups = ec2.describe_security_groups(GroupNames=["default"])["SecurityGroups"]
    assert len(groups) == 1 and groups[0]["IpPermissions"][0]["UserIdGroupPairs"][0]["GroupId"] == groups[0]["GroupId"]
    error(lambda: ec2.delete_security_group(GroupName="default"), "CannotDelete")
    error(lambda: ec2.create_security_group(GroupName="default", Description="x"), "InvalidGroup.Reserved")


def test_rules_in_the_flat_form(ec2, aws, group):
    name, group_id = group
    rule = ["--group-name", name, "--protocol", "tcp", "--port", "22", "--cidr", "10.1.2.3/8"]
    answer = aws.json("ec2", "authorize-security-group-ingress", *rule)
    assert answer["Return"] and answer["SecurityGroupRules"][0]["CidrIpv4"] == "10.0.0.0/8"
    again = aws("ec2", "authorize-security-group-ingress", *rule, check=False)
    assert again.returncode != 0 and "InvalidPermission.Duplicate" in again.stderr
    permission = ec2.describe_security_groups(GroupIds=[group_id])["SecurityGroups"][0]["IpPermissions"]
    assert [(p["IpProtocol"], p["FromPort"], p["ToPort"]) for p in permission] == [("tcp", 22, 22)]
    aws("ec2", "revoke-security-group-ingress", *rule)
    gone = aws("ec2", "revoke-security-group-ingress", *rule, check=False)
    assert "InvalidPermission.NotFound" in gone.stderr


def test_rules_in_the_structured_form(ec2, group):
    _, group_id = group
    permissions = [
        {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 81,
         "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "all"}, {"CidrIp": "10.0.0.0/8"}]},
        {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group_id}]},
    ]
    rules = ec2.authorize_security_group_ingress(GroupId=group_id, IpPermissions=permissions)["SecurityGroupRules"]
    assert len(rules) == 3
    found = ec2.describe_security_groups(GroupIds=[group_id])["SecurityGroups"][0]["IpPermissions"]
    assert len(found) == 2 and len(found[0]["IpRanges"]) == 2
    assert found[1]["UserIdGroupPairs"][0]["GroupId"] == group_id
    ids = [rule["SecurityGroupRuleId"] for rule in rules]
    listed = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group_id]}])
    assert set(ids) <= {rule["SecurityGroupRuleId"] for rule in listed["SecurityGroupRules"]}
    ec2.revoke_security_group_ingress(GroupId=group_id, SecurityGroupRuleIds=ids[:1])
    found = ec2.describe_security_groups(GroupIds=[group_id])["SecurityGroups"][0]["IpPermissions"]
    assert len(found[0]["IpRanges"]) == 1


@pytest.mark.parametrize("wrong", [
    {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "nonsense"},
    {"IpProtocol": "tcp", "FromPort": 23, "ToPort": 22, "CidrIp": "0.0.0.0/0"},
    {"IpProtocol": "tcp", "FromPort": 0, "ToPort": 70000, "CidrIp": "0.0.0.0/0"},
    {"IpProtocol": "nonsense", "FromPort": 22, "ToPort": 22, "CidrIp": "0.0.0.0/0"},
])
def test_bad_rules_are_refused(ec2, group, wrong):
    error(lambda: ec2.authorize_security_group_ingress(GroupId=group[1], **wrong), "InvalidParameterValue")
    assert ec2.describe_security_groups(GroupIds=[group[1]])["SecurityGroups"][0]["IpPermissions"] == []


def test_groups_are_unique_and_deleted_only_when_unused(ec2, group):
    name, group_id = group
    error(lambda: ec2.create_security_group(GroupName=name, Description="x"), "InvalidGroup.Duplicate")
    other = ec2.create_security_group(GroupName=unique("group"), Description="x")["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=other, IpPermissions=[{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group_id}]}]
    )
    error(lambda: ec2.delete_security_group(GroupId=group_id), "DependencyViolation")
    ec2.delete_security_group(GroupId=other)
    ec2.delete_security_group(GroupName=name)
    error(lambda: ec2.describe_security_groups(GroupIds=[group_id]), "InvalidGroup.NotFound")


def test_tags_are_set_on_all_or_none(ec2, group):
    _, group_id = group
    tag = [{"Key": "CDG", "Value": "x"}]
    error(lambda: ec2.create_tags(Resources=[group_id, "sg-00000000000000000"], Tags=tag), "InvalidGroup.NotFound")
    assert ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [group_id]}])["Tags"] == []
    ec2.create_tags(Resources=[group_id], Tags=tag)
    found = ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [group_id]}])["Tags"]
    assert found == [{"Key": "CDG", "Value": "x", "ResourceId": group_id, "ResourceType": "security-group"}]
    ec2.delete_tags(Resources=[group_id], Tags=[{"Key": "CDG", "Value": "another"}])
    assert ec2.describe_security_groups(Filters=[{"Name": "tag:CDG", "Values": ["x"]}])["SecurityGroups"]
    ec2.delete_tags(Resources=[group_id], Tags=[{"Key": "CDG"}])
    assert ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [group_id]}])["Tags"] == []
    error(lambda: ec2.create_tags(Resources=[group_id], Tags=[{"Key": "aws:x", "Value": "y"}]), "InvalidParameterValue")


def test_places_are_there_to_be_found(ec2):
    vpc = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"]
    subnets = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]
    zones = ec2.describe_availability_zones()["AvailabilityZones"]
    assert sorted(s["AvailabilityZone"] for s in subnets) == sorted(z["ZoneName"] for z in zones)
    images = ec2.describe_images(ImageIds=["ami-b66ed3de"])["Images"]
    assert images[0]["State"] == "available"
    error(lambda: ec2.describe_images(ImageIds=["ami-00000000"]), "InvalidAMIID.NotFound")
    assert ec2.describe_instance_types(InstanceTypes=["t2.micro"])["InstanceTypes"]
    assert any(r["RegionName"] == "us-east-1" for r in ec2.describe_regions()["Regions"])


def test_unknown_actions_and_dry_runs(ec2):
    assert "DescribeVpnGateways" in error(lambda: ec2.describe_vpn_gateways(), "InvalidAction")
    error(lambda: ec2.describe_instances(DryRun=True), "DryRunOperation", 412)


# What needs instances.


@pytest.fixture
def dev_ec2(dev):
    return dev.client("ec2")


@pytest.mark.parametrize("wrong, code", [
    ({"ImageId": "ami-12345678"}, "InvalidAMIID.NotFound"),
    ({"ImageId": "nonsense"}, "InvalidAMIID.Malformed"),
    ({"KeyName": "nonsense"}, "InvalidKeyPair.NotFound"),
    ({"IamInstanceProfile": {"Name": "nonsense"}}, "InvalidParameterValue"),
    ({"SecurityGroups": ["nonsense"]}, "InvalidGroup.NotFound"),
    ({"SubnetId": "subnet-00000000"}, "InvalidSubnetID.NotFound"),
    ({"MinCount": 2, "MaxCount": 1}, "InvalidParameterValue"),
    ({"MinCount": 1000, "MaxCount": 1000}, "InstanceLimitExceeded"),
])
def test_bad_launches_are_refused_and_launch_nothing(dev_ec2, wrong, code):
    before = len(dev_ec2.describe_instances()["Reservations"])
    message = error(lambda: dev_ec2.run_instances(**({"MinCount": 1, "MaxCount": 1} | wrong)), code)
    if "IamInstanceProfile" in wrong:
        assert "iamInstanceProfile.name" in message
    assert len(dev_ec2.describe_instances()["Reservations"]) == before


def test_a_launch_repeated_with_its_token_launches_nothing_new(dev, dev_ec2):
    options = {"MinCount": 1, "MaxCount": 1, "ImageId": "ami-b66ed3de", "ClientToken": unique("token")}
    first = dev_ec2.run_instances(**options)
    second = dev_ec2.run_instances(**options)
    assert first["ReservationId"] == second["ReservationId"]
    assert [i["InstanceId"] for i in first["Instances"]] == [i["InstanceId"] for i in second["Instances"]]
    error(lambda: dev_ec2.run_instances(**options | {"InstanceType": "t3.small"}), "IdempotentParameterMismatch")
    dev_ec2.terminate_instances(InstanceIds=[first["Instances"][0]["InstanceId"]])


def test_the_life_of_an_instance(dev, dev_ec2):
    data = base64.b64encode(b"#!/bin/sh\necho hello\n").decode()
    (instance,) = dev.run_instances(ImageId="ami-b66ed3de", UserData="#!/bin/sh\necho hello\n", tag=unique("tag"))
    (found,) = dev.instances([instance])
    assert found["PrivateDnsName"].startswith("ip-10-") and found["State"] == {"Code": 16, "Name": "running"}
    assert found["PublicIpAddress"] == found["PrivateIpAddress"]
    attribute = dev_ec2.describe_instance_attribute(InstanceId=instance, Attribute="userData")
    assert attribute["UserData"]["Value"] == data
    by_name = dev_ec2.describe_instances(Filters=[
        {"Name": "tag:CDG", "Values": [found["Tags"][0]["Value"][:-2] + "*"]},
        {"Name": "instance-state-name", "Values": ["running", "pending"]},
    ])
    assert by_name["Reservations"][0]["Instances"][0]["InstanceId"] == instance
    assert dev_ec2.describe_instance_status(InstanceIds=[instance])["InstanceStatuses"][0]["InstanceStatus"]["Status"] == "ok"

    change = dev_ec2.stop_instances(InstanceIds=[instance])["StoppingInstances"][0]
    assert (change["PreviousState"]["Name"], change["CurrentState"]["Name"]) == ("running", "stopping")
    dev.wait_for_state([instance], "stopped")
    assert dev_ec2.describe_instance_status(InstanceIds=[instance])["InstanceStatuses"] == []
    error(lambda: dev_ec2.reboot_instances(InstanceIds=[instance]), "IncorrectInstanceState")
    dev_ec2.start_instances(InstanceIds=[instance])
    dev.wait_for_state([instance], "running")
    assert dev.address(instance) == found["PrivateIpAddress"]

    dev_ec2.terminate_instances(InstanceIds=[instance])
    dev.wait_for_state([instance], "terminated")
    (gone,) = dev.instances([instance])
    assert gone["StateReason"]["Code"] == "Client.UserInitiatedShutdown" and "PrivateIpAddress" not in gone
    error(lambda: dev_ec2.start_instances(InstanceIds=[instance]), "IncorrectInstanceState")
