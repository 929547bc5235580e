"""Errors that no single limit of the model gives: what does not exist, exists already, is too many or cannot be now."""

import dataclasses
import typing

from names import unique
from world import ACCOUNT, ROLE, UNKNOWN_DEPLOYMENT, application_arn, github_revision, group_arn, s3_revision, user_arn

NOBODY = "nobody-has-this-name"
TAG = {"Key": "a", "Value": "b"}


@dataclasses.dataclass(frozen=True)
class Refusal:
    operation: str
    error: str
    what: str
    members: typing.Callable
    # What the message must contain, beside being there.
    says: typing.Callable = lambda w: ""

    @property
    def id(self):
        return f"{self.operation}-{self.error}-{self.what.replace(' ', '_')}"


def _many(number, item):
    return [item(at) for at in range(number)]


def _tag(at):
    return {"Key": f"k{at}", "Value": "v"}


def _on_application(operation, **members):
    return Refusal(operation, "ApplicationDoesNotExist", "unknown application",
                   lambda w: {"applicationName": NOBODY} | {k: v(w) for k, v in members.items()},
                   lambda w: f"No application found for name: {NOBODY}")


def _on_group(operation, member="deploymentGroupName", **members):
    return Refusal(operation, "DeploymentGroupDoesNotExist", "unknown group",
                   lambda w: {"applicationName": w.app, member: NOBODY} | {k: v(w) for k, v in members.items()},
                   lambda w: f"No Deployment Group found for name: {NOBODY}")


def _on_deployment(operation, **members):
    whole = {k: v for k, v in members.items()}
    return [
        Refusal(operation, "DeploymentDoesNotExist", "unknown deployment",
                lambda w: {"deploymentId": UNKNOWN_DEPLOYMENT} | {k: v(w) for k, v in whole.items()},
                lambda w: UNKNOWN_DEPLOYMENT),
        Refusal(operation, "InvalidDeploymentId", "lower case",
                lambda w: {"deploymentId": "d-abcdefghi"} | {k: v(w) for k, v in whole.items()},
                lambda w: "d-abcdefghi"),
    ]


def _on_hosts(operation):
    """The two operations that change the tags of hosts."""
    def call(names=None, tags=None):
        return lambda w: {"instanceNames": names or [w.host], "tags": tags or [TAG]}

    return [
        Refusal(operation, "InvalidInstanceName", "an EC2 instance", call(names=["i-0123456789abcdef0"]),
                lambda w: "i-0123456789abcdef0"),
        Refusal(operation, "InvalidTag", "no key", call(tags=[{"Value": "b"}])),
        Refusal(operation, "InvalidTag", "empty key", call(tags=[{"Key": "", "Value": "b"}])),
        Refusal(operation, "InvalidTag", "no value", call(tags=[{"Key": "a"}])),
        Refusal(operation, "InvalidTag", "long key", call(tags=[{"Key": "k" * 129, "Value": "v"}])),
        Refusal(operation, "InvalidTag", "long value", call(tags=[{"Key": "k", "Value": "v" * 257}])),
        Refusal(operation, "TagLimitExceeded", "11 tags", call(tags=_many(11, _tag)), lambda w: "11"),
        Refusal(operation, "InstanceLimitExceeded", "101 hosts", call(names=_many(101, "h{}".format)), lambda w: "101"),
        Refusal(operation, "InstanceNotRegistered", "unknown host", call(names=[NOBODY]), lambda w: NOBODY),
        Refusal(operation, "InstanceNotRegistered", "deregistered host",
                lambda w: {"instanceNames": [w.deregistered], "tags": [TAG]}, lambda w: w.deregistered),
        # The order in which the operation declares its errors: hosts before tags.
        Refusal(operation, "InvalidInstanceName", "before a bad tag", call(names=["i-1"], tags=[{"Key": ""}])),
    ]


BAD_REVISIONS = {
    "type without location": {"revisionType": "S3"},
    "location without type": {"s3Location": {"bucket": "b", "key": "k", "bundleType": "zip"}},
    "two locations": s3_revision() | {"gitHubLocation": {"repository": "a/b", "commitId": "f" * 40}},
    "another location": {"revisionType": "S3", "gitHubLocation": {"repository": "a/b", "commitId": "f" * 40}},
    "no bucket": {"revisionType": "S3", "s3Location": {"key": "k", "bundleType": "zip"}},
    "no key": {"revisionType": "S3", "s3Location": {"bucket": "b", "bundleType": "zip"}},
    "no bundle type": {"revisionType": "S3", "s3Location": {"bucket": "b", "key": "k"}},
    "a bundle of Lambda": s3_revision(bundleType="YAML"),
    "repository without account": {"revisionType": "GitHub", "gitHubLocation": {"repository": "b", "commitId": "f" * 40}},
    "a branch for a commit": github_revision("main"),
    "an abbreviated commit": github_revision("0123456"),
    "AppSpec content": {"revisionType": "AppSpecContent", "appSpecContent": {"content": "version: 0.0"}},
    "raw text": {"revisionType": "String", "string": {"content": "version: 0.0"}},
}


def _on_revision(operation, place=lambda revision: {"revision": revision}, **members):
    return [Refusal(operation, "InvalidRevision", what, lambda w, revision=revision: {"applicationName": w.app}
                    | place(revision) | {k: v(w) for k, v in members.items()})
            for what, revision in BAD_REVISIONS.items()]


ALARMS = [
    ("InvalidAlarmConfig", "enabled without alarms", {"enabled": True}),
    ("InvalidAlarmConfig", "twice the same", {"alarms": [{"name": "a"}, {"name": "a"}]}),
    ("InvalidAlarmConfig", "no name", {"alarms": [{}]}),
    ("InvalidAlarmConfig", "long name", {"alarms": [{"name": "a" * 256}]}),
    ("AlarmsLimitExceeded", "51 alarms", {"alarms": _many(51, lambda at: {"name": f"a{at}"})}),
]
ROLLBACKS = [
    ("InvalidAutoRollbackConfig", "enabled without events", {"enabled": True}),
    ("InvalidAutoRollbackConfig", "enabled with no events", {"enabled": True, "events": []}),
]
BLUE_GREEN = {
    "deploymentStyle": {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"},
    "loadBalancerInfo": {"targetGroupInfoList": [{"name": "g"}]},
}
LINEAR = {"linearPercentage": 10, "linearInterval": 1}
FILTER = {"Key": "a", "Value": "b", "Type": "KEY_AND_VALUE"}
TRIGGER = {"triggerName": "t", "triggerTargetArn": "arn:aws:sns:us-east-1:123456789012:t",
           "triggerEvents": ["DeploymentStart"]}

# What may be wrong with the settings of a group, whether it is made or changed.
SETTINGS = [
    ("InvalidEC2Tag", "no key", {"ec2TagFilters": [{"Type": "KEY_AND_VALUE", "Value": "x"}]}),
    ("InvalidEC2Tag", "nothing", {"ec2TagFilters": [{}]}),
    ("InvalidEC2Tag", "11 filters", {"ec2TagFilters": _many(11, lambda at: FILTER | {"Key": f"k{at}"})}),
    ("InvalidEC2Tag", "in a set", {"ec2TagSet": {"ec2TagSetList": [[FILTER], [{"Type": "VALUE_ONLY"}]]}}),
    ("InvalidTag", "no key", {"onPremisesInstanceTagFilters": [{"Type": "KEY_ONLY"}]}),
    ("InvalidTag", "in a set", {"onPremisesTagSet": {"onPremisesTagSetList": [[{"Type": "VALUE_ONLY"}]]}}),
    ("InvalidEC2TagCombination", "filters and set", {
        "ec2TagFilters": [FILTER], "ec2TagSet": {"ec2TagSetList": [[FILTER]]}}),
    ("InvalidOnPremisesTagCombination", "filters and set", {
        "onPremisesInstanceTagFilters": [FILTER], "onPremisesTagSet": {"onPremisesTagSetList": [[FILTER]]}}),
    ("TagSetListLimitExceeded", "4 lists", {"ec2TagSet": {"ec2TagSetList": [[FILTER]] * 4}}),
    ("TagSetListLimitExceeded", "4 lists on premises", {"onPremisesTagSet": {"onPremisesTagSetList": [[FILTER]] * 4}}),
    ("InvalidAutoScalingGroup", "unknown", {"autoScalingGroups": [NOBODY]}),
    ("InvalidAutoScalingGroup", "11 groups", {"autoScalingGroups": _many(11, "g{}".format)}),
    ("InvalidDeploymentConfigName", "for Lambda", {"deploymentConfigName": "CodeDeployDefault.LambdaAllAtOnce"}),
    ("DeploymentConfigDoesNotExist", "unknown", {"deploymentConfigName": NOBODY}),
    ("InvalidRole", "no ARN", {"serviceRoleArn": "CodeDeploy"}),
    ("InvalidRole", "a user", {"serviceRoleArn": "arn:aws:iam::123456789012:user/x"}),
    ("InvalidTriggerConfig", "no name", {"triggerConfigurations": [TRIGGER | {"triggerName": ""}]}),
    ("InvalidTriggerConfig", "no topic", {"triggerConfigurations": [TRIGGER | {"triggerTargetArn": "topic"}]}),
    ("InvalidTriggerConfig", "an unknown topic", {"triggerConfigurations": [TRIGGER]}),
    ("InvalidTriggerConfig", "no event", {"triggerConfigurations": [TRIGGER | {"triggerEvents": []}]}),
    ("TriggerTargetsLimitExceeded", "11 triggers", {
        "triggerConfigurations": _many(11, lambda at: TRIGGER | {"triggerName": f"t{at}"})}),
    *[(error, what, {"alarmConfiguration": value}) for error, what, value in ALARMS],
    *[(error, what, {"autoRollbackConfiguration": value}) for error, what, value in ROLLBACKS],
    ("InvalidLoadBalancerInfo", "traffic control without balancer", {
        "deploymentStyle": {"deploymentOption": "WITH_TRAFFIC_CONTROL"}}),
    ("InvalidLoadBalancerInfo", "11 classic balancers", {
        "loadBalancerInfo": {"elbInfoList": _many(11, lambda at: {"name": f"b{at}"})}}),
    ("InvalidLoadBalancerInfo", "11 target groups", {
        "loadBalancerInfo": {"targetGroupInfoList": _many(11, lambda at: {"name": f"b{at}"})}}),
    ("InvalidLoadBalancerInfo", "pairs of ECS", {
        "loadBalancerInfo": {"targetGroupPairInfoList": [{"targetGroups": [{"name": "g"}]}]}}),
    ("InvalidLoadBalancerInfo", "a balancer without name", {"loadBalancerInfo": {"elbInfoList": [{}]}}),
    ("InvalidDeploymentStyle", "blue/green without traffic control", {
        "deploymentStyle": {"deploymentType": "BLUE_GREEN"}}),
    ("InvalidBlueGreenDeploymentConfiguration", "absent", BLUE_GREEN),
    ("InvalidBlueGreenDeploymentConfiguration", "waits and continues", BLUE_GREEN | {
        "blueGreenDeploymentConfiguration": {
            "deploymentReadyOption": {"actionOnTimeout": "CONTINUE_DEPLOYMENT", "waitTimeInMinutes": 5}}}),
    ("InvalidBlueGreenDeploymentConfiguration", "waits too long to be ready", BLUE_GREEN | {
        "blueGreenDeploymentConfiguration": {
            "deploymentReadyOption": {"actionOnTimeout": "STOP_DEPLOYMENT", "waitTimeInMinutes": 2881}}}),
    ("InvalidBlueGreenDeploymentConfiguration", "terminates too late", BLUE_GREEN | {
        "blueGreenDeploymentConfiguration": {"terminateBlueInstancesOnDeploymentSuccess": {
            "action": "TERMINATE", "terminationWaitTimeInMinutes": 2881}}}),
    ("InvalidBlueGreenDeploymentConfiguration", "waits to keep alive", BLUE_GREEN | {
        "blueGreenDeploymentConfiguration": {"terminateBlueInstancesOnDeploymentSuccess": {
            "action": "KEEP_ALIVE", "terminationWaitTimeInMinutes": 5}}}),
    ("InvalidBlueGreenDeploymentConfiguration", "copies no Auto Scaling group", BLUE_GREEN | {
        "blueGreenDeploymentConfiguration": {"greenFleetProvisioningOption": {"action": "COPY_AUTO_SCALING_GROUP"}}}),
    ("InvalidInput", "blue/green on premises", BLUE_GREEN | {
        "blueGreenDeploymentConfiguration": {}, "onPremisesInstanceTagFilters": [FILTER]}),
    ("InvalidECSService", "services of ECS", {"ecsServices": [{"serviceName": "s", "clusterName": "c"}]}),
]


def _settings():
    for error, what, members in SETTINGS:
        yield Refusal("CreateDeploymentGroup", error, what, lambda w, members=members: {
            "applicationName": w.app, "deploymentGroupName": unique("never"), "serviceRoleArn": ROLE} | members)
        yield Refusal("UpdateDeploymentGroup", error, what, lambda w, members=members: {
            "applicationName": w.app, "currentDeploymentGroupName": w.group} | members)


def _tags_of(operation, **members):
    arns = [
        ("ApplicationDoesNotExist", "unknown application", lambda w: application_arn(NOBODY)),
        ("DeploymentGroupDoesNotExist", "unknown group", lambda w: group_arn(w.app, NOBODY)),
        ("ApplicationDoesNotExist", "group of an unknown application", lambda w: group_arn(NOBODY, "x")),
        ("DeploymentConfigDoesNotExist", "unknown configuration",
         lambda w: f"arn:aws:codedeploy:us-east-1:{ACCOUNT}:deploymentconfig:{NOBODY}"),
    ]
    return [Refusal(operation, error, what, lambda w, arn=arn: {"ResourceArn": arn(w)} | members)
            for error, what, arn in arns] + _bad_arns(operation, **members)


def _bad_arns(operation, **members):
    arns = {
        ("ArnNotSupported", "a host"): f"arn:aws:codedeploy:us-east-1:{ACCOUNT}:instance:web",
        ("InvalidArn", "another service"): "arn:aws:s3:::bucket",
        ("InvalidArn", "no ARN"): "application:Shop",
        ("InvalidArn", "another account"): "arn:aws:codedeploy:us-east-1:210987654321:application:Shop",
    }
    return [Refusal(operation, error, what, lambda w, arn=arn: {"ResourceArn": arn} | members, lambda w, arn=arn: arn)
            for (error, what), arn in arns.items()]


def _create(w, **members):
    return {"applicationName": w.app, "deploymentGroupName": w.group, "revision": s3_revision()} | members


def _bad_resource_tags(operation, place):
    tags = {
        "reserved prefix": [{"Key": "aws:x", "Value": "y"}],
        "no key": [{"Value": "y"}],
        "long key": [{"Key": "k" * 129}],
        "long value": [{"Key": "k", "Value": "v" * 257}],
        "51 tags": _many(51, _tag),
    }
    return [Refusal(operation, "InvalidTagsToAdd", what, lambda w, tags=tags: place(w, tags))
            for what, tags in tags.items()]


def _of_a_deleted_group(w):
    deployment = w.fresh_running()
    info = w.api.ok("GetDeployment", deploymentId=deployment)["deploymentInfo"]
    w.api.ok("DeleteDeploymentGroup", applicationName=w.app, deploymentGroupName=info["deploymentGroupName"])
    return {"deploymentId": deployment}


ALL = [
    *_on_hosts("AddTagsToOnPremisesInstances"),
    Refusal("AddTagsToOnPremisesInstances", "TagLimitExceeded", "11 in two calls", lambda w: {
        "instanceNames": [w.fresh_host(tags=_many(10, _tag))], "tags": [{"Key": "another", "Value": "v"}]}),
    *_on_hosts("RemoveTagsFromOnPremisesInstances"),

    _on_application("BatchGetApplicationRevisions", revisions=lambda w: [s3_revision()]),
    *_on_revision("BatchGetApplicationRevisions", lambda revision: {"revisions": [revision]}),
    Refusal("BatchGetApplicationRevisions", "BatchLimitExceeded", "26 revisions", lambda w: {
        "applicationName": w.app, "revisions": _many(26, lambda at: s3_revision(f"k{at}"))}, lambda w: "26"),
    Refusal("BatchGetApplications", "ApplicationDoesNotExist", "one unknown", lambda w: {
        "applicationNames": [w.app, NOBODY]}, lambda w: NOBODY),
    Refusal("BatchGetApplications", "BatchLimitExceeded", "101 names", lambda w: {
        "applicationNames": _many(101, "a{}".format)}, lambda w: "101"),
    _on_application("BatchGetDeploymentGroups", deploymentGroupNames=lambda w: ["x"]),
    Refusal("BatchGetDeploymentGroups", "BatchLimitExceeded", "101 names", lambda w: {
        "applicationName": w.app, "deploymentGroupNames": _many(101, "a{}".format)}, lambda w: "101"),
    *_on_deployment("BatchGetDeploymentInstances", instanceIds=lambda w: ["i-0123456789abcdef0"]),
    Refusal("BatchGetDeploymentInstances", "BatchLimitExceeded", "26 instances", lambda w: {
        "deploymentId": w.succeeded, "instanceIds": _many(26, "i-{:017x}".format)}, lambda w: "26"),
    Refusal("BatchGetDeploymentInstances", "InvalidInstanceName", "a blank", lambda w: {
        "deploymentId": w.succeeded, "instanceIds": ["a b"]}, lambda w: "a b"),
    *_on_deployment("BatchGetDeploymentTargets", targetIds=lambda w: ["i-0123456789abcdef0"]),
    Refusal("BatchGetDeploymentTargets", "DeploymentTargetDoesNotExist", "one unknown", lambda w: {
        "deploymentId": w.succeeded, "targetIds": [w.served_host, "i-0123456789abcdef0"]},
        lambda w: "i-0123456789abcdef0"),
    Refusal("BatchGetDeploymentTargets", "DeploymentTargetListSizeExceeded", "26 targets", lambda w: {
        "deploymentId": w.succeeded, "targetIds": _many(26, "i-{:017x}".format)}, lambda w: "26"),
    Refusal("BatchGetDeploymentTargets", "InvalidDeploymentTargetId", "a blank", lambda w: {
        "deploymentId": w.succeeded, "targetIds": ["a b"]}, lambda w: "a b"),
    Refusal("BatchGetDeployments", "InvalidDeploymentId", "one malformed", lambda w: {
        "deploymentIds": [w.ended, "d-1"]}, lambda w: "d-1"),
    Refusal("BatchGetDeployments", "BatchLimitExceeded", "101 ids", lambda w: {
        "deploymentIds": _many(101, "d-{:09}".format)}, lambda w: "101"),
    Refusal("BatchGetOnPremisesInstances", "InvalidInstanceName", "a blank", lambda w: {
        "instanceNames": ["a b"]}, lambda w: "a b"),
    Refusal("BatchGetOnPremisesInstances", "BatchLimitExceeded", "101 names", lambda w: {
        "instanceNames": _many(101, "h{}".format)}, lambda w: "101"),

    *_on_deployment("ContinueDeployment"),
    Refusal("ContinueDeployment", "DeploymentAlreadyCompleted", "ended", lambda w: {"deploymentId": w.ended}),
    Refusal("ContinueDeployment", "UnsupportedActionForDeploymentType", "in place", lambda w: {
        "deploymentId": w.running}),

    Refusal("CreateApplication", "ApplicationAlreadyExists", "twice", lambda w: {"applicationName": w.app},
            lambda w: w.app),
    *_bad_resource_tags("CreateApplication", lambda w, tags: {"applicationName": unique("never"), "tags": tags}),

    _on_application("CreateDeployment", deploymentGroupName=lambda w: "x"),
    _on_group("CreateDeployment", revision=lambda w: s3_revision()),
    *_on_revision("CreateDeployment", deploymentGroupName=lambda w: w.group),
    Refusal("CreateDeployment", "DeploymentConfigDoesNotExist", "unknown", lambda w: _create(
        w, deploymentConfigName=NOBODY), lambda w: f"No Deployment Configuration found for name: {NOBODY}"),
    Refusal("CreateDeployment", "InvalidDeploymentConfigName", "for ECS", lambda w: _create(
        w, deploymentConfigName="CodeDeployDefault.ECSAllAtOnce")),
    Refusal("CreateDeployment", "InvalidDeploymentConfigName", "custom for Lambda", lambda w: _create(
        w, deploymentConfigName=w.fresh_lambda_config())),
    Refusal("CreateDeployment", "DescriptionTooLong", "257 characters", lambda w: _create(w, description="é" * 257),
            lambda w: "257"),
    Refusal("CreateDeployment", "InvalidTargetInstances", "in place", lambda w: _create(
        w, targetInstances={"tagFilters": [FILTER]})),
    *[Refusal("CreateDeployment", error, what, lambda w, value=value: _create(w, overrideAlarmConfiguration=value))
      for error, what, value in ALARMS],
    *[Refusal("CreateDeployment", error, what, lambda w, value=value: _create(w, autoRollbackConfiguration=value))
      for error, what, value in ROLLBACKS],
    Refusal("CreateDeployment", "DeploymentLimitExceeded", "busy group", lambda w: _create(
        w, deploymentGroupName=w.busy_group),
        lambda w: f"The Deployment Group '{w.busy_group}' already has an active Deployment '{w.running}'"),
    Refusal("CreateDeployment", "InvalidRevision", "given to restart", lambda w: _create(
        w, deploymentGroupName=w.done_group, deploymentMode="RESTART")),
    Refusal("CreateDeployment", "InvalidUpdateOutdatedInstancesOnlyValue", "restart of outdated hosts only", lambda w: {
        "applicationName": w.app, "deploymentGroupName": w.done_group, "deploymentMode": "RESTART",
        "updateOutdatedInstancesOnly": True}),
    Refusal("CreateDeployment", "RevisionRequired", "nothing to restart", lambda w: {
        "applicationName": w.app, "deploymentGroupName": w.group, "deploymentMode": "RESTART"}),
    # Of several faults the first in the service's order of checks is told.
    Refusal("CreateDeployment", "ApplicationDoesNotExist", "before a missing group", lambda w: {
        "applicationName": NOBODY}),
    Refusal("CreateDeployment", "DeploymentGroupDoesNotExist", "before a missing revision", lambda w: {
        "applicationName": w.app, "deploymentGroupName": NOBODY}),
    Refusal("CreateDeployment", "DeploymentGroupDoesNotExist", "before a bad revision", lambda w: _create(
        w, deploymentGroupName=NOBODY, revision={"revisionType": "NOPE"})),
    Refusal("CreateDeployment", "InvalidRevision", "before an unknown configuration", lambda w: _create(
        w, revision={"revisionType": "S3"}, deploymentConfigName=NOBODY)),
    Refusal("CreateDeployment", "InvalidRevision", "before a bad behaviour with files", lambda w: _create(
        w, revision={"revisionType": "S3"}, fileExistsBehavior="NOPE")),
    Refusal("CreateDeployment", "DeploymentConfigDoesNotExist", "before a long description", lambda w: _create(
        w, deploymentConfigName=NOBODY, description="x" * 257)),
    Refusal("CreateDeployment", "DescriptionTooLong", "before bad alarms", lambda w: _create(
        w, description="x" * 257, overrideAlarmConfiguration={"enabled": True})),
    Refusal("CreateDeployment", "DescriptionTooLong", "before a busy group", lambda w: _create(
        w, deploymentGroupName=w.busy_group, description="x" * 257)),

    Refusal("CreateDeploymentConfig", "DeploymentConfigAlreadyExists", "twice", lambda w: {
        "deploymentConfigName": w.config, "minimumHealthyHosts": {"type": "HOST_COUNT", "value": 1}},
        lambda w: w.config),
    Refusal("CreateDeploymentConfig", "InvalidDeploymentConfigName", "reserved", lambda w: {
        "deploymentConfigName": "CodeDeployDefault.Mine", "minimumHealthyHosts": {"type": "HOST_COUNT", "value": 1}}),
    *[Refusal("CreateDeploymentConfig", "InvalidMinimumHealthyHostValue", what, lambda w, minimum=minimum: {
        "deploymentConfigName": unique("never")} | minimum) for what, minimum in {
            "absent": {},
            "no type": {"minimumHealthyHosts": {"value": 1}},
            "negative": {"minimumHealthyHosts": {"type": "HOST_COUNT", "value": -1}},
            "100 percent": {"minimumHealthyHosts": {"type": "FLEET_PERCENT", "value": 100}},
            "only shown": {"minimumHealthyHosts": {"type": "MOST_CONCURRENCY", "value": 1}}}.items()],
    Refusal("CreateDeploymentConfig", "InvalidComputePlatform", "hosts of Lambda", lambda w: {
        "deploymentConfigName": unique("never"), "computePlatform": "Lambda", "minimumHealthyHosts": {
            "type": "HOST_COUNT", "value": 1}}, lambda w: "Lambda"),
    Refusal("CreateDeploymentConfig", "InvalidTrafficRoutingConfiguration", "for servers", lambda w: {
        "deploymentConfigName": unique("never"), "minimumHealthyHosts": {"type": "HOST_COUNT", "value": 1},
        "trafficRoutingConfig": {"type": "AllAtOnce"}}),
    *[Refusal("CreateDeploymentConfig", "InvalidTrafficRoutingConfiguration", what, lambda w, routing=routing: {
        "deploymentConfigName": unique("never"), "computePlatform": "ECS"} | routing) for what, routing in {
            "absent": {},
            "no part": {"trafficRoutingConfig": {"type": "TimeBasedCanary"}},
            "another part": {"trafficRoutingConfig": {"type": "AllAtOnce", "timeBasedLinear": LINEAR}},
            "100 percent": {"trafficRoutingConfig": {
                "type": "TimeBasedLinear", "timeBasedLinear": LINEAR | {"linearPercentage": 100}}},
            "three days": {"trafficRoutingConfig": {
                "type": "TimeBasedLinear", "timeBasedLinear": LINEAR | {"linearInterval": 480}}}}.items()],
    *[Refusal("CreateDeploymentConfig", "InvalidZonalDeploymentConfiguration", what, lambda w, zonal=zonal: {
        "deploymentConfigName": unique("never"), "minimumHealthyHosts": {"type": "HOST_COUNT", "value": 1},
        "zonalConfig": zonal}) for what, zonal in {
            "negative pause": {"monitorDurationInSeconds": -1},
            "negative first pause": {"firstZoneMonitorDurationInSeconds": -1},
            "100 percent of a zone": {"minimumHealthyHostsPerZone": {"type": "FLEET_PERCENT", "value": 100}},
            "a minimum without type": {"minimumHealthyHostsPerZone": {"value": 1}}}.items()],
    Refusal("CreateDeploymentConfig", "InvalidZonalDeploymentConfiguration", "zones of Lambda", lambda w: {
        "deploymentConfigName": unique("never"), "computePlatform": "Lambda",
        "trafficRoutingConfig": {"type": "AllAtOnce"}, "zonalConfig": {}}),

    _on_application("CreateDeploymentGroup", deploymentGroupName=lambda w: "x", serviceRoleArn=lambda w: ROLE),
    Refusal("CreateDeploymentGroup", "DeploymentGroupAlreadyExists", "twice", lambda w: {
        "applicationName": w.app, "deploymentGroupName": w.group, "serviceRoleArn": ROLE}, lambda w: w.group),
    *_bad_resource_tags("CreateDeploymentGroup", lambda w, tags: {
        "applicationName": w.app, "deploymentGroupName": unique("never"), "serviceRoleArn": ROLE, "tags": tags}),
    *_settings(),
    Refusal("CreateDeploymentGroup", "ApplicationDoesNotExist", "before bad settings", lambda w: {
        "applicationName": NOBODY, "deploymentGroupName": "x", "serviceRoleArn": "x", "ec2TagFilters": [{"Type": "NOPE"}]}),
    Refusal("CreateDeploymentGroup", "DeploymentConfigDoesNotExist", "before bad settings", lambda w: {
        "applicationName": w.app, "deploymentGroupName": unique("never"), "serviceRoleArn": "x",
        "deploymentConfigName": NOBODY, "alarmConfiguration": {"enabled": True}}),
    Refusal("CreateDeploymentGroup", "InvalidAlarmConfig", "before a bad role", lambda w: {
        "applicationName": w.app, "deploymentGroupName": unique("never"), "serviceRoleArn": "x",
        "alarmConfiguration": {"enabled": True}}),
    Refusal("CreateDeploymentGroup", "InvalidInput", "application for Lambda", lambda w: {
        "applicationName": w.fresh_application(computePlatform="Lambda"), "deploymentGroupName": "x",
        "serviceRoleArn": ROLE}, lambda w: "this server deploys to servers"),

    Refusal("DeleteDeploymentConfig", "InvalidOperation", "predefined", lambda w: {
        "deploymentConfigName": "CodeDeployDefault.AllAtOnce"}, lambda w: "CodeDeployDefault.AllAtOnce"),
    Refusal("DeleteDeploymentConfig", "DeploymentConfigInUse", "of a group", lambda w: (
        lambda config: w.fresh_group(w.app, deploymentConfigName=config) and {"deploymentConfigName": config}
    )(w.fresh_config())),
    Refusal("DeleteGitHubAccountToken", "GitHubAccountTokenDoesNotExist", "unknown", lambda w: {
        "tokenName": NOBODY}, lambda w: NOBODY),
    Refusal("DeleteGitHubAccountToken", "InvalidGitHubAccountTokenName", "too long", lambda w: {
        "tokenName": "t" * 101}, lambda w: "101"),
    Refusal("DeregisterOnPremisesInstance", "InvalidInstanceName", "an EC2 instance", lambda w: {"instanceName": "i-1"}),

    _on_application("GetApplication"),
    _on_application("GetApplicationRevision", revision=lambda w: s3_revision()),
    *_on_revision("GetApplicationRevision"),
    Refusal("GetApplicationRevision", "RevisionDoesNotExist", "unknown", lambda w: {
        "applicationName": w.app, "revision": s3_revision("never")}),
    Refusal("GetApplicationRevision", "RevisionDoesNotExist", "another version", lambda w: {
        "applicationName": w.app, "revision": s3_revision(version="9")}),
    *_on_deployment("GetDeployment"),
    Refusal("GetDeploymentConfig", "DeploymentConfigDoesNotExist", "unknown", lambda w: {
        "deploymentConfigName": NOBODY}, lambda w: f"No Deployment Configuration found for name: {NOBODY}"),
    _on_application("GetDeploymentGroup", deploymentGroupName=lambda w: "x"),
    _on_group("GetDeploymentGroup"),
    *_on_deployment("GetDeploymentInstance", instanceId=lambda w: "i-0123456789abcdef0"),
    Refusal("GetDeploymentInstance", "InstanceDoesNotExist", "unknown", lambda w: {
        "deploymentId": w.succeeded, "instanceId": "i-0123456789abcdef0"}, lambda w: "i-0123456789abcdef0"),
    Refusal("GetDeploymentInstance", "InvalidInstanceName", "a blank", lambda w: {
        "deploymentId": w.succeeded, "instanceId": "a b"}, lambda w: "a b"),
    *_on_deployment("GetDeploymentTarget", targetId=lambda w: "i-0123456789abcdef0"),
    Refusal("GetDeploymentTarget", "DeploymentTargetDoesNotExist", "unknown", lambda w: {
        "deploymentId": w.succeeded, "targetId": "i-0123456789abcdef0"}, lambda w: "i-0123456789abcdef0"),
    Refusal("GetDeploymentTarget", "InvalidDeploymentTargetId", "a blank", lambda w: {
        "deploymentId": w.succeeded, "targetId": "a b"}, lambda w: "a b"),
    Refusal("GetOnPremisesInstance", "InstanceNotRegistered", "unknown", lambda w: {"instanceName": NOBODY},
            lambda w: NOBODY),
    Refusal("GetOnPremisesInstance", "InvalidInstanceName", "too long", lambda w: {"instanceName": "h" * 101}),

    _on_application("ListApplicationRevisions"),
    Refusal("ListApplicationRevisions", "BucketNameFilterRequired", "prefix alone", lambda w: {
        "applicationName": w.app, "s3KeyPrefix": "v"}),
    Refusal("ListApplicationRevisions", "ApplicationDoesNotExist", "before a bad sort", lambda w: {
        "applicationName": NOBODY, "sortBy": "NOPE"}),
    _on_application("ListDeploymentGroups"),
    *_on_deployment("ListDeploymentInstances"),
    Refusal("ListDeploymentInstances", "InvalidDeploymentInstanceType", "in place", lambda w: {
        "deploymentId": w.succeeded, "instanceTypeFilter": ["Blue"]}),
    *_on_deployment("ListDeploymentTargets"),
    Refusal("ListDeploymentTargets", "InvalidDeploymentInstanceType", "in place", lambda w: {
        "deploymentId": w.succeeded, "targetFilters": {"ServerInstanceLabel": ["Blue"]}}),
    Refusal("ListDeploymentTargets", "InvalidInstanceStatus", "unknown status", lambda w: {
        "deploymentId": w.succeeded, "targetFilters": {"TargetStatus": ["succeeded"]}}, lambda w: "succeeded"),
    _on_application("ListDeployments", deploymentGroupName=lambda w: "x"),
    _on_group("ListDeployments"),
    Refusal("ListDeployments", "InvalidTimeRange", "ends before it starts", lambda w: {
        "createTimeRange": {"start": 2, "end": 1}}),
    Refusal("ListDeployments", "ApplicationDoesNotExist", "before a bad status", lambda w: {
        "applicationName": NOBODY, "deploymentGroupName": "x", "includeOnlyStatuses": ["NOPE"]}),
    Refusal("ListOnPremisesInstances", "InvalidTagFilter", "nothing", lambda w: {"tagFilters": [{}]}),
    *_bad_arns("ListTagsForResource"),

    *_on_deployment("PutLifecycleEventHookExecutionStatus", status=lambda w: "Succeeded",
                    lifecycleEventHookExecutionId=lambda w: "e"),
    Refusal("PutLifecycleEventHookExecutionStatus", "InvalidLifecycleEventHookExecutionStatus", "no verdict", lambda w: {
        "deploymentId": w.running, "lifecycleEventHookExecutionId": "e", "status": "Pending"}, lambda w: "Pending"),
    Refusal("PutLifecycleEventHookExecutionStatus", "UnsupportedActionForDeploymentType", "servers", lambda w: {
        "deploymentId": w.running, "lifecycleEventHookExecutionId": "e", "status": "Failed"}),
    _on_application("RegisterApplicationRevision", revision=lambda w: s3_revision()),
    *_on_revision("RegisterApplicationRevision"),
    Refusal("RegisterApplicationRevision", "DescriptionTooLong", "257 characters", lambda w: {
        "applicationName": w.app, "revision": s3_revision(), "description": "x" * 257}, lambda w: "257"),

    Refusal("RegisterOnPremisesInstance", "InstanceNameAlreadyRegistered", "twice", lambda w: {
        "instanceName": w.host, "iamUserArn": user_arn()}, lambda w: w.host),
    Refusal("RegisterOnPremisesInstance", "InvalidInstanceName", "an EC2 instance", lambda w: {
        "instanceName": "i-1", "iamUserArn": user_arn()}, lambda w: "i-1"),
    Refusal("RegisterOnPremisesInstance", "InvalidInstanceName", "too long", lambda w: {
        "instanceName": "h" * 101, "iamUserArn": user_arn()}),
    Refusal("RegisterOnPremisesInstance", "InvalidInstanceName", "a slash", lambda w: {
        "instanceName": "a/b", "iamUserArn": user_arn()}, lambda w: "a/b"),
    Refusal("RegisterOnPremisesInstance", "IamArnRequired", "none", lambda w: {"instanceName": unique("never")}),
    Refusal("RegisterOnPremisesInstance", "MultipleIamArnsProvided", "both", lambda w: {
        "instanceName": unique("never"), "iamUserArn": user_arn(),
        "iamSessionArn": f"arn:aws:sts::{ACCOUNT}:assumed-role/Web/x"}),
    Refusal("RegisterOnPremisesInstance", "InvalidIamUserArn", "a role", lambda w: {
        "instanceName": unique("never"), "iamUserArn": f"arn:aws:iam::{ACCOUNT}:role/x"},
        lambda w: f"Iam User ARN arn:aws:iam::{ACCOUNT}:role/x is not in a valid format"),
    Refusal("RegisterOnPremisesInstance", "InvalidIamSessionArn", "no session", lambda w: {
        "instanceName": unique("never"), "iamSessionArn": f"arn:aws:sts::{ACCOUNT}:assumed-role/Web"}),
    Refusal("RegisterOnPremisesInstance", "IamUserArnAlreadyRegistered", "another host's", lambda w: (
        lambda arn: w.fresh_host(arn=arn) and {"instanceName": unique("never"), "iamUserArn": arn})(user_arn())),
    Refusal("RegisterOnPremisesInstance", "IamSessionArnAlreadyRegistered", "another host's", lambda w: (
        lambda arn: w.api.ok("RegisterOnPremisesInstance", instanceName=unique("host"), iamSessionArn=arn) or {
            "instanceName": unique("never"), "iamSessionArn": arn}
    )(f"arn:aws:sts::{ACCOUNT}:assumed-role/Web/{unique('session')}")),

    *_on_deployment("SkipWaitTimeForInstanceTermination"),
    Refusal("SkipWaitTimeForInstanceTermination", "DeploymentAlreadyCompleted", "ended", lambda w: {
        "deploymentId": w.ended}),
    Refusal("SkipWaitTimeForInstanceTermination", "UnsupportedActionForDeploymentType", "in place", lambda w: {
        "deploymentId": w.running}),
    *_on_deployment("StopDeployment"),
    Refusal("StopDeployment", "DeploymentAlreadyCompleted", "ended", lambda w: {"deploymentId": w.ended},
            lambda w: w.ended),

    Refusal("StopDeployment", "DeploymentGroupDoesNotExist", "its group is gone", _of_a_deleted_group),

    *_tags_of("TagResource", Tags=[TAG]),
    *_bad_resource_tags("TagResource", lambda w, tags: {"ResourceArn": application_arn(w.app), "Tags": tags}),
    *_tags_of("UntagResource", TagKeys=["a"]),
    _on_application("UpdateApplication", newApplicationName=lambda w: unique("never")),
    Refusal("UpdateApplication", "ApplicationAlreadyExists", "another's name", lambda w: {
        "applicationName": w.fresh_application(), "newApplicationName": w.app}, lambda w: w.app),
    _on_application("UpdateDeploymentGroup", currentDeploymentGroupName=lambda w: "x"),
    _on_group("UpdateDeploymentGroup", "currentDeploymentGroupName"),
    Refusal("UpdateDeploymentGroup", "DeploymentGroupAlreadyExists", "another's name", lambda w: {
        "applicationName": w.app, "currentDeploymentGroupName": w.fresh_group(w.app),
        "newDeploymentGroupName": w.group}, lambda w: w.group),
    Refusal("UpdateDeploymentGroup", "DeploymentGroupDoesNotExist", "before bad settings", lambda w: {
        "applicationName": w.app, "currentDeploymentGroupName": NOBODY, "ec2TagFilters": [{"Type": "NOPE"}]}),
]
