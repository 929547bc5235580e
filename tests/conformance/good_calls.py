"""For every operation a call that must succeed, made from the world; violations bend these one member at a time."""

from names import unique
from world import COMMIT, ROLE, TOPIC, application_arn, github_revision, group_arn, s3_revision, user_arn

FILTER = {"Key": "stage", "Value": "prod", "Type": "KEY_AND_VALUE"}


def _fresh_tagged_host(w):
    return w.fresh_host(tags=[{"Key": "a", "Value": "b"}])


def _all_group_settings():
    """Every setting of a group that a server deployment in place may have."""
    return {
        "deploymentConfigName": "CodeDeployDefault.HalfAtATime",
        "onPremisesTagSet": {"onPremisesTagSetList": [[FILTER], [{"Key": "tier", "Type": "KEY_ONLY"}]]},
        "ec2TagSet": {"ec2TagSetList": [[FILTER, {"Value": "blue", "Type": "VALUE_ONLY"}]]},
        "triggerConfigurations": [{"triggerName": "t", "triggerTargetArn": TOPIC,
                                   "triggerEvents": ["DeploymentStart", "InstanceFailure"]}],
        "alarmConfiguration": {"enabled": True, "ignorePollAlarmFailure": True, "alarms": [{"name": "cpu"}]},
        "autoRollbackConfiguration": {"enabled": True, "events": ["DEPLOYMENT_FAILURE"]},
        "outdatedInstancesStrategy": "IGNORE",
        "deploymentStyle": {"deploymentType": "IN_PLACE", "deploymentOption": "WITHOUT_TRAFFIC_CONTROL"},
        "loadBalancerInfo": {"elbInfoList": [{"name": "classic"}], "targetGroupInfoList": [{"name": "group"}]},
        "ec2DeploymentOptions": {"autoScalingGroupProcessesToSuspend": ["AZRebalance", "ScheduledActions"]},
        "terminationHookEnabled": True,
    }


# Operation -> input. What a call changes or uses up is fresh.
GOOD = {
    "AddTagsToOnPremisesInstances": lambda w: {
        "instanceNames": [w.fresh_host()], "tags": [{"Key": "a", "Value": "b"}]},
    "BatchGetApplicationRevisions": lambda w: {
        "applicationName": w.app, "revisions": [s3_revision(), github_revision("f" * 40)]},
    "BatchGetApplications": lambda w: {"applicationNames": [w.app]},
    "BatchGetDeploymentGroups": lambda w: {
        "applicationName": w.app, "deploymentGroupNames": [w.group, w.done_group, "nobody"]},
    "BatchGetDeploymentInstances": lambda w: {
        "deploymentId": w.succeeded, "instanceIds": [w.served_host, "i-0123456789abcdef0"]},
    "BatchGetDeploymentTargets": lambda w: {"deploymentId": w.succeeded, "targetIds": [w.served_host]},
    "BatchGetDeployments": lambda w: {"deploymentIds": [w.ended, w.running, w.succeeded, "d-000000000"]},
    "BatchGetOnPremisesInstances": lambda w: {"instanceNames": [w.host, w.deregistered, "nobody"]},
    "ContinueDeployment": None,
    "CreateApplication": lambda w: {
        "applicationName": unique("app"), "computePlatform": "Server", "tags": [{"Key": "a", "Value": "b"}, {"Key": "c"}]},
    "CreateDeployment": lambda w: {
        "applicationName": w.app, "deploymentGroupName": w.fresh_group(w.app), "revision": github_revision(COMMIT),
        "deploymentConfigName": w.config, "description": "d" * 256, "ignoreApplicationStopFailures": True,
        "autoRollbackConfiguration": {"enabled": True, "events": ["DEPLOYMENT_STOP_ON_REQUEST"]},
        "updateOutdatedInstancesOnly": False, "fileExistsBehavior": "RETAIN", "deploymentMode": "STANDARD",
        "overrideAlarmConfiguration": {"enabled": False, "alarms": []},
        "ec2DeploymentOptions": {"autoScalingGroupProcessesToSuspend": []}},
    "CreateDeploymentConfig": lambda w: {
        "deploymentConfigName": unique("config"), "minimumHealthyHosts": {"type": "FLEET_PERCENT", "value": 99},
        "computePlatform": "Server", "zonalConfig": {
            "firstZoneMonitorDurationInSeconds": 600, "monitorDurationInSeconds": 60,
            "minimumHealthyHostsPerZone": {"type": "HOST_COUNT", "value": 1}}},
    "CreateDeploymentGroup": lambda w: {
        "applicationName": w.app, "deploymentGroupName": unique("group"), "serviceRoleArn": ROLE,
        "tags": [{"Key": "a", "Value": "b"}], **_all_group_settings()},
    "DeleteApplication": lambda w: {"applicationName": w.fresh_application()},
    "DeleteDeploymentConfig": lambda w: {"deploymentConfigName": w.fresh_config()},
    "DeleteDeploymentGroup": lambda w: {"applicationName": w.app, "deploymentGroupName": w.fresh_group(w.app)},
    "DeleteGitHubAccountToken": lambda w: {"tokenName": w.fresh_git_hub_token()},
    "DeleteResourcesByExternalId": lambda w: {"externalId": "stack"},
    "DeregisterOnPremisesInstance": lambda w: {"instanceName": w.fresh_host()},
    "GetApplication": lambda w: {"applicationName": w.app},
    "GetApplicationRevision": lambda w: {"applicationName": w.app, "revision": s3_revision()},
    "GetDeployment": lambda w: {"deploymentId": w.succeeded},
    "GetDeploymentConfig": lambda w: {"deploymentConfigName": w.config},
    "GetDeploymentGroup": lambda w: {"applicationName": w.app, "deploymentGroupName": w.done_group},
    "GetDeploymentInstance": lambda w: {"deploymentId": w.succeeded, "instanceId": w.served_host},
    "GetDeploymentTarget": lambda w: {"deploymentId": w.succeeded, "targetId": w.served_host},
    "GetOnPremisesInstance": lambda w: {"instanceName": w.host},
    "ListApplicationRevisions": lambda w: {
        "applicationName": w.app, "sortBy": "lastUsedTime", "sortOrder": "descending", "s3Bucket": "releases",
        "s3KeyPrefix": "v", "deployed": "ignore"},
    "ListApplications": lambda w: {},
    "ListDeploymentConfigs": lambda w: {},
    "ListDeploymentGroups": lambda w: {"applicationName": w.app},
    "ListDeploymentInstances": lambda w: {"deploymentId": w.succeeded, "instanceStatusFilter": ["Succeeded", "Unknown"]},
    "ListDeploymentTargets": lambda w: {
        "deploymentId": w.succeeded, "targetFilters": {"TargetStatus": ["Succeeded", "Failed"]}},
    "ListDeployments": lambda w: {
        "applicationName": w.app, "deploymentGroupName": w.done_group, "includeOnlyStatuses": ["Succeeded"],
        "createTimeRange": {"start": 0, "end": 4102444800.5}},
    "ListGitHubAccountTokenNames": lambda w: {},
    "ListOnPremisesInstances": lambda w: {
        "registrationStatus": "Registered", "tagFilters": [{"Key": "stage", "Value": "shared", "Type": "KEY_AND_VALUE"}]},
    "ListTagsForResource": lambda w: {"ResourceArn": application_arn(w.app)},
    "PutLifecycleEventHookExecutionStatus": None,
    "RegisterApplicationRevision": lambda w: {
        "applicationName": w.app, "revision": s3_revision("v002", version="1", eTag='"abc"'), "description": "second"},
    "RegisterOnPremisesInstance": lambda w: {"instanceName": unique("host"), "iamUserArn": user_arn()},
    "RemoveTagsFromOnPremisesInstances": lambda w: {
        "instanceNames": [_fresh_tagged_host(w)], "tags": [{"Key": "a", "Value": "b"}, {"Key": "gone", "Value": "x"}]},
    "SkipWaitTimeForInstanceTermination": None,
    "StopDeployment": lambda w: {"deploymentId": w.fresh_running(), "autoRollbackEnabled": False},
    "TagResource": lambda w: {"ResourceArn": group_arn(w.app, w.group), "Tags": [{"Key": "a", "Value": "b"}]},
    "UntagResource": lambda w: {"ResourceArn": application_arn(w.app), "TagKeys": ["a", "never-there"]},
    "UpdateApplication": lambda w: {"applicationName": w.fresh_application(), "newApplicationName": unique("app")},
    "UpdateDeploymentGroup": lambda w: {
        "applicationName": w.app, "currentDeploymentGroupName": w.fresh_group(w.app),
        "newDeploymentGroupName": unique("group"), "serviceRoleArn": ROLE, **_all_group_settings()},
}

# Inputs that are whole, for operations that this server refuses in every case: the base of their violations.
REFUSED = {
    "ContinueDeployment": lambda w: {"deploymentId": w.running, "deploymentWaitType": "READY_WAIT"},
    "PutLifecycleEventHookExecutionStatus": lambda w: {
        "deploymentId": w.running, "lifecycleEventHookExecutionId": "e", "status": "Succeeded"},
    "SkipWaitTimeForInstanceTermination": lambda w: {"deploymentId": w.running},
}


# Other inputs that succeed: empty lists and structures that clear, optional members alone, other forms of a name.
ALSO_GOOD = [
    ("CreateApplication", "the name's whole alphabet", lambda w: {"applicationName": unique("aZ09._+=,@-")}),
    ("CreateApplication", "the longest name", lambda w: {"applicationName": unique("n").ljust(100, "n")}),
    ("CreateApplication", "a record of another platform", lambda w: {
        "applicationName": unique("app"), "computePlatform": "Lambda"}),
    ("CreateDeployment", "only what is needed", lambda w: {
        "applicationName": w.app, "deploymentGroupName": w.fresh_group(w.app), "revision": s3_revision()}),
    ("CreateDeploymentConfig", "an absent value is 0", lambda w: {
        "deploymentConfigName": unique("config"), "minimumHealthyHosts": {"type": "HOST_COUNT"}}),
    ("CreateDeploymentConfig", "zones with every default", lambda w: {
        "deploymentConfigName": unique("config"), "minimumHealthyHosts": {"type": "HOST_COUNT"}, "zonalConfig": {}}),
    ("CreateDeploymentConfig", "a record for Lambda", lambda w: {
        "deploymentConfigName": unique("config"), "computePlatform": "Lambda", "trafficRoutingConfig": {
            "type": "TimeBasedLinear", "timeBasedLinear": {"linearPercentage": 10, "linearInterval": 1}}}),
    ("CreateDeploymentConfig", "a record for ECS", lambda w: {
        "deploymentConfigName": unique("config"), "computePlatform": "ECS", "trafficRoutingConfig": {"type": "AllAtOnce"}}),
    ("CreateDeploymentGroup", "only what is needed", lambda w: {
        "applicationName": w.app, "deploymentGroupName": unique("group"), "serviceRoleArn": ROLE}),
    ("DeleteApplication", "unknown", lambda w: {"applicationName": unique("nobody")}),
    ("DeleteDeploymentConfig", "unknown", lambda w: {"deploymentConfigName": unique("nobody")}),
    ("DeleteDeploymentGroup", "unknown", lambda w: {"applicationName": w.app, "deploymentGroupName": unique("nobody")}),
    ("DeleteDeploymentGroup", "unknown application", lambda w: {
        "applicationName": unique("nobody"), "deploymentGroupName": "x"}),
    ("DeregisterOnPremisesInstance", "unknown", lambda w: {"instanceName": unique("nobody")}),
    ("DeregisterOnPremisesInstance", "twice", lambda w: {"instanceName": w.deregistered}),
    ("GetDeployment", "failed", lambda w: {"deploymentId": w.ended}),
    ("GetDeployment", "running", lambda w: {"deploymentId": w.running}),
    ("GetDeploymentConfig", "predefined", lambda w: {"deploymentConfigName": "CodeDeployDefault.OneAtATime"}),
    ("GetDeploymentConfig", "predefined for Lambda", lambda w: {
        "deploymentConfigName": "CodeDeployDefault.LambdaCanary10Percent5Minutes"}),
    ("GetOnPremisesInstance", "deregistered", lambda w: {"instanceName": w.deregistered}),
    ("ListDeployments", "of all", lambda w: {}),
    ("ListDeployments", "no CloudFormation here", lambda w: {"externalId": "stack"}),
    ("ListDeploymentTargets", "ended before any host", lambda w: {"deploymentId": w.ended}),
    ("ListOnPremisesInstances", "of both kinds", lambda w: {}),
    ("ListTagsForResource", "unknown", lambda w: {"ResourceArn": application_arn(unique("nobody"))}),
    ("RegisterApplicationRevision", "again", lambda w: {"applicationName": w.app, "revision": s3_revision()}),
    ("RegisterOnPremisesInstance", "a session", lambda w: {
        "instanceName": unique("host"),
        "iamSessionArn": f"arn:aws:sts::123456789012:assumed-role/Web/{unique('session')}"}),
    ("UpdateApplication", "nothing", lambda w: {"applicationName": w.app}),
    ("UpdateDeploymentGroup", "clear everything", lambda w: {
        "applicationName": w.app, "currentDeploymentGroupName": w.fresh_group(w.app, **_all_group_settings()),
        "alarmConfiguration": {"alarms": []}, "autoRollbackConfiguration": {"events": []},
        "ec2TagSet": {"ec2TagSetList": []}, "ec2TagFilters": [], "onPremisesInstanceTagFilters": [],
        "loadBalancerInfo": {}, "triggerConfigurations": [], "autoScalingGroups": []}),
]


def whole_input(operation):
    """The function that makes an input with nothing wrong in it."""
    return GOOD[operation] or REFUSED[operation]
