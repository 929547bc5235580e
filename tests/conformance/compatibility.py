"""docs/compatibility.md: the state of each operation, and which of its errors the suite has seen.

The document is made from the suite's own tables, so it cannot claim what no test holds.
"""

import json
import pathlib

import api_model
import good_calls
import limits
import longshore
import refusals
import violations

DOCS = longshore.REPOSITORY / "docs"
DOCUMENT = DOCS / "compatibility.md"
REASONS = pathlib.Path(__file__).with_name("unproduced.json")

# What somebody who knows the operation would miss, or wonder at.
NOTES = {
    "ContinueDeployment": "every deployment is in place, so there is nothing to continue",
    "CreateApplication": "applications for Lambda and ECS are kept as records; groups cannot be made in them",
    "CreateDeployment": "in place, with or without `deploymentMode=RESTART`; blue/green and traffic control are refused "
                        "with `UnsupportedActionForDeploymentTypeException`",
    "CreateDeploymentConfig": "those for Lambda and ECS are kept as records, which no deployment here can use",
    "CreateDeploymentGroup": "Auto Scaling groups are unknown; settings of blue/green and load balancers "
                             "are kept",
    "DeleteGitHubAccountToken": "connections are stored with longshore's own `PutGitHubAccountToken`, as AWS has a console for it",
    "DeleteResourcesByExternalId": "nothing belongs to a CloudFormation stack, so it has nothing to do",
    "GetDeploymentConfig": "all 17 predefined ones, and those that users make",
    "ListGitHubAccountTokenNames": "those that were stored with longshore's own `PutGitHubAccountToken`",
    "PutLifecycleEventHookExecutionStatus": "hooks of servers are reported by their agents",
    "SkipWaitTimeForInstanceTermination": "every deployment is in place, so there is no such wait",
    "UpdateDeploymentGroup": "as CreateDeploymentGroup",
}

# Whatever is not modelled, and what the tests of the edge hold.
COMMON = ("AccessDeniedException", "ExpiredTokenException", "IncompleteSignatureException", "InvalidSignatureException",
          "MissingAuthenticationTokenException", "UnknownOperationException", "UnrecognizedClientException")


def exercised():
    """Operation -> the errors that a test of the suite provokes."""
    found = {operation: set() for operation in api_model.operations()}
    for case in violations.ALL:
        found[case.operation].add(case.error)
    for case in [*refusals.ALL, *limits.LIMITS]:
        found[case.operation].add(f"{case.error}Exception")
    return found


def reasons():
    """Error, or operation and error -> why it is not produced where no test provokes it."""
    return json.loads(REASONS.read_text())


def reason(operation, error):
    """Why this operation never produces that error; None if nobody has said."""
    return reasons().get(f"{operation} {error}") or reasons().get(error)


def unproduced():
    """Operation -> the declared errors that no test provokes."""
    seen = exercised()
    return {operation: [error for error in api_model.declared_errors(operation) if error not in seen[operation]]
            for operation in api_model.operations()}


def document():
    """The whole text."""
    return "\n".join([*_head(), *_operations(), *_errors(), *_reasons(), *_agent(), *_orchestration()]) + "\n"


def _short(error):
    return error.removesuffix("Exception")


def _state(operation):
    return "served" if good_calls.GOOD[operation] else "refused"


def _cases(operation):
    bent = sum(case.operation == operation for case in violations.ALL)
    refused = sum(case.operation == operation for case in [*refusals.ALL, *limits.LIMITS])
    return bent + refused


def _head():
    served = sum(_state(operation) == "served" for operation in api_model.operations())
    cases = len(violations.ALL) + len(refusals.ALL) + len(limits.LIMITS)
    return [
        "# Compatibility with CodeDeploy",
        "",
        "Written by the conformance suite (`pytest conformance --update` in `tests/`): change its tables, and those of "
        "[`agent.md`](agent.md) and [`orchestration.md`](orchestration.md), not this.",
        "",
        f"All {len(api_model.operations())} operations of the API of 2014-10-06 answer; {served} of them can succeed, the "
        "others are refused with an error that they declare, since what they are about cannot exist on a server that "
        f"deploys in place to servers. {cases} calls with one thing wrong are made on each engine, and the status and "
        "name of each error are compared with the model. Every output is held to its shape: no unknown member, every "
        "type right, every time a number.",
        "",
        "Of several faults in a call the first in this order is told: what cannot be read, names that are missing or "
        "malformed, what does not exist (application, group), the revision, the configuration, the description, the "
        "other structures, the role, limits, the state.",
        "",
        "How the host agent compares with the official one, section by section, and how deployments are carried out, rule by "
        "rule, follow below. How official agents are served is in [`official-agents.md`](official-agents.md).",
        "",
    ]


def _agent():
    """The host agent's table, as its own page has it."""
    text = ["", "## The host agent", "", "By the sections of the official agent's behaviour; the words behind them are in "
            "[`agent.md`](agent.md).", ""]
    return text + [line for line in (DOCS / "agent.md").read_text().splitlines() if line.startswith("|")]


def _orchestration():
    """The tables of how deployments are carried out, each below its heading."""
    lines = ["", "## Orchestration", "", "In place, as in [`orchestration.md`](orchestration.md). Blue/green, load balancers "
             "and Auto Scaling are not served."]
    heading = None
    for line in (DOCS / "orchestration.md").read_text().splitlines():
        if line.startswith("## "):
            heading = line
        elif line.startswith("|"):
            if heading:
                lines += ["", f"#{heading}", ""]
                heading = None
            lines.append(line)
    return lines


def _operations():
    lines = ["## Operations", "", "| operation | state | calls with a fault | remarks |", "| --- | --- | --- | --- |"]
    for operation in api_model.operations():
        model = api_model.service().operation_model(operation)
        remarks = NOTES.get(operation, "")
        if model.deprecated:
            remarks = "; ".join(filter(None, ["deprecated by AWS", remarks]))
        lines.append(f"| {operation} | {_state(operation)} | {_cases(operation)} | {remarks} |")
    return lines


def _errors():
    lines = [
        "", "## Errors of each operation", "",
        "The suffix `Exception` is left out. Every operation also answers `SerializationException` to a member of a wrong "
        "JSON type, and `ValidationException` where a limit is broken for which it declares no error; who may call at "
        "all is told by " + ", ".join(f"`{name}`" for name in COMMON) + ".",
        "", "| operation | declared and provoked by a test | declared, never produced |", "| --- | --- | --- |"]
    missing = unproduced()
    for operation in api_model.operations():
        declared = api_model.declared_errors(operation)
        seen = [_short(error) for error in declared if error not in missing[operation]]
        never = [_short(error) for error in missing[operation]]
        lines.append(f"| {operation} | {', '.join(seen) or 'none declared'} | {', '.join(never)} |")
    return lines


def _reasons():
    lines = ["", "## Why errors are never produced", "",
             "| error | operations | why |", "| --- | --- | --- |"]
    where = {}
    for operation, errors in unproduced().items():
        for error in errors:
            where.setdefault((error, reason(operation, error)), []).append(operation)
    for (error, why), operations in sorted(where.items()):
        lines.append(f"| {_short(error)} | {', '.join(operations)} | {why} |")
    return lines
