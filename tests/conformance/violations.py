"""Every way to break the model's limits, made from the model: one member of a good call is bent at a time.

Which error a broken limit has is not in the model. The tables here give it by the member's shape, from the API
reference; where an operation does not declare that error, the service says ValidationException.
"""

import dataclasses

import api_model

# Members without which a call means nothing, and the error for their absence.
ABSENT = {
    "ResourceArn": "ResourceArnRequired",
    "TagKeys": "TagRequired",
    "Tags": "TagRequired",
    "applicationName": "ApplicationNameRequired",
    "applicationNames": "ApplicationNameRequired",
    "currentDeploymentGroupName": "DeploymentGroupNameRequired",
    "deploymentConfigName": "DeploymentConfigNameRequired",
    "deploymentGroupName": "DeploymentGroupNameRequired",
    "deploymentGroupNames": "DeploymentGroupNameRequired",
    "deploymentId": "DeploymentIdRequired",
    "deploymentIds": "DeploymentIdRequired",
    "instanceId": "InstanceIdRequired",
    "instanceIds": "InstanceIdRequired",
    "instanceName": "InstanceNameRequired",
    "instanceNames": "InstanceNameRequired",
    "revision": "RevisionRequired",
    "revisions": "RevisionRequired",
    "serviceRoleArn": "RoleRequired",
    "tags": "TagRequired",
    "targetId": "DeploymentTargetIdRequired",
    "targetIds": "DeploymentTargetIdRequired",
    "tokenName": "GitHubAccountTokenNameRequired",
}

# What the model leaves optional although the operation declares the error for its absence and needs it.
NEEDED_ALL_THE_SAME = {
    ("ContinueDeployment", "deploymentId"),
    ("CreateDeployment", "deploymentGroupName"),
    ("CreateDeployment", "revision"),
    ("DeleteGitHubAccountToken", "tokenName"),
    ("ListDeployments", "applicationName"),
    ("ListDeployments", "deploymentGroupName"),
    ("PutLifecycleEventHookExecutionStatus", "deploymentId"),
    ("SkipWaitTimeForInstanceTermination", "deploymentId"),
    ("UpdateApplication", "applicationName"),
}

# The error for a bad value, by the value's shape; the first one that the operation declares.
INVALID = {
    "ApplicationName": ["InvalidApplicationName"],
    "ApplicationRevisionSortBy": ["InvalidSortBy"],
    "Arn": ["InvalidArn"],
    "AutoScalingGroupProcess": ["InvalidAutoScalingGroupProcessToSuspend"],
    "AutoScalingGroupProcessesToSuspendList": ["InvalidAutoScalingGroupProcessToSuspend"],
    "AutoRollbackEvent": ["InvalidAutoRollbackConfig"],
    "BundleType": ["InvalidRevision"],
    "ComputePlatform": ["InvalidComputePlatform"],
    "DeploymentConfigName": ["InvalidDeploymentConfigName"],
    "DeploymentGroupName": ["InvalidDeploymentGroupName"],
    "DeploymentId": ["InvalidDeploymentId"],
    "DeploymentOption": ["InvalidDeploymentStyle"],
    "DeploymentReadyAction": ["InvalidBlueGreenDeploymentConfiguration"],
    "DeploymentStatus": ["InvalidDeploymentStatus"],
    "DeploymentType": ["InvalidDeploymentStyle"],
    "DeploymentWaitType": ["InvalidDeploymentWaitType"],
    "EC2TagFilterType": ["InvalidEC2Tag", "InvalidTargetInstances"],
    "FileExistsBehavior": ["InvalidFileExistsBehavior"],
    "GreenFleetProvisioningAction": ["InvalidBlueGreenDeploymentConfiguration"],
    "InstanceAction": ["InvalidBlueGreenDeploymentConfiguration"],
    "InstanceStatus": ["InvalidInstanceStatus"],
    "InstanceType": ["InvalidInstanceType"],
    "LifecycleEventStatus": ["InvalidLifecycleEventHookExecutionStatus"],
    "ListStateFilterAction": ["InvalidDeployedStateFilter"],
    "MinimumHealthyHostsPerZoneType": ["InvalidZonalDeploymentConfiguration"],
    "MinimumHealthyHostsType": ["InvalidMinimumHealthyHostValue"],
    "NextToken": ["InvalidNextToken"],
    "RegistrationStatus": ["InvalidRegistrationStatus"],
    "RevisionLocationType": ["InvalidRevision"],
    "SortOrder": ["InvalidSortOrder"],
    "TagFilterType": ["InvalidTagFilter", "InvalidTag"],
    "TargetFilterName": ["InvalidTargetFilterName"],
    "TrafficRoutingType": ["InvalidTrafficRoutingConfiguration"],
    "TriggerEventType": ["InvalidTriggerConfig"],
}

# A value of another JSON type than the shape's. A number is never taken for a text, nor the other way round.
OTHER_TYPES = {
    "string": [7, ["x"], {"x": "y"}, True],
    "integer": ["7", 1.5, [], True],
    "long": ["7", 1.5, [], True],
    "boolean": ["true", 1, []],
    "timestamp": [[], {}, True, "yesterday"],
    "double": ["1", []],
    "list": ["x", 7, {"x": "y"}],
    "map": ["x", 7, ["x"]],
    "structure": ["x", 7, ["x"]],
}


@dataclasses.dataclass(frozen=True)
class Violation:
    operation: str
    path: tuple
    kind: str
    error: str
    value: object = None

    @property
    def id(self):
        return f"{self.operation}-{'.'.join(self.path)}-{self.kind}"

    def bend(self, members):
        """The good input with this one thing wrong."""
        if self.kind == "absent":
            return {name: value for name, value in members.items() if (name,) != self.path}
        return _with(members, self.path, self.value)

    def is_named_by(self, message):
        """Whether the message tells the member, or its kind, and the value."""
        if self.kind.startswith("type"):
            return bool(message)
        if self.kind == "absent":
            return self.path[-1].lower() in message.lower().replace(" ", "")
        shown = self.value if isinstance(self.value, str) else ""
        return str(shown)[:40] in message


def _with(container, path, value):
    """A copy with the value at the path; what leads there is made where it is missing, and emptied where it is a list."""
    if not path:
        return value
    head, rest = path[0], path[1:]
    if head == "*":
        if isinstance(container, dict):
            key = next(iter(container), "TargetStatus")
            return {**container, key: _with(container.get(key), rest, value)}
        first = container[0] if isinstance(container, list) and container else None
        return [_with(first, rest, value)]
    container = container if isinstance(container, dict) else {}
    inner = container.get(head)
    if inner is None and rest and rest[0] == "*":
        inner = {} if head == "targetFilters" else []
    return {**container, head: _with(inner, rest, value)}


def _error(operation, names):
    declared = api_model.declared_errors(operation)
    for name in names:
        if f"{name}Exception" in declared:
            return f"{name}Exception"
    return "ValidationException"


def of(operation):
    """Every violation of one operation's input."""
    shape = api_model.input_shape(operation)
    for path, member in api_model.members(shape):
        if len(path) == 1:
            yield from _absent(operation, shape, path[0], member)
        yield from _bad_values(operation, path, member)
        for at, value in enumerate(OTHER_TYPES[member.type_name]):
            yield Violation(operation, path, f"type{at}", "SerializationException", value)


def _absent(operation, shape, name, member):
    if name not in shape.required_members and (operation, name) not in NEEDED_ALL_THE_SAME:
        return
    error = _error(operation, [ABSENT[name]] if name in ABSENT else [])
    yield Violation(operation, (name,), "absent", error)
    if (operation, name) in {("ListDeployments", "applicationName"), ("ListDeployments", "deploymentGroupName")}:
        return
    if member.type_name == "string":
        if (operation, name) == ("CreateDeployment", "deploymentGroupName"):
            # A name that is absent is missed after the application was looked up; one without characters is no name.
            error = _error(operation, INVALID[member.name])
        yield Violation(operation, (name,), "empty", error, "")
    elif member.type_name == "list":
        yield Violation(operation, (name,), "empty", error, [])


def _bad_values(operation, path, member):
    if member.type_name == "map":
        yield Violation(operation, path, "key", _error(operation, INVALID[member.key.name]), {"WRONG": ["x"]})
    known = INVALID.get(member.name)
    limits = member.metadata
    if member.type_name == "list" and limits.get("max"):
        value = [member.member.enum[0]] * (limits["max"] + 1)
        yield Violation(operation, path, "many", _error(operation, known or []), value)
    if member.type_name != "string":
        return
    error = _error(operation, known or [])
    if getattr(member, "enum", None):
        yield Violation(operation, path, "enum", error, "NOPE")
        yield Violation(operation, path, "case", error, member.enum[0].swapcase())
    elif limits.get("max"):
        yield Violation(operation, path, "long", error, "x" * (limits["max"] + 1))
    elif known and error != "ValidationException":
        yield Violation(operation, path, "form", error, "no good one")
    if limits.get("pattern") and not getattr(member, "enum", None):
        for at, character in enumerate(" /é\n"):
            yield Violation(operation, path, f"character{at}", error, f"a{character}b")


ALL = [violation for operation in api_model.operations() for violation in of(operation)]
