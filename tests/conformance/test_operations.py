"""All 47 operations held to the model: good calls, every violation of a limit, every other refusal.

Status and `__type` of each error are compared, its message must name what it is about, and each output is held to
its shape. docs/compatibility.md shows what these tables cover.
"""

import pytest

import api_model
import good_calls
import refusals
import strict
import violations
from fixtures import api, world

WITHOUT_SUCCESS = [operation for operation, make in good_calls.GOOD.items() if make is None]


def succeed(api, operation, members):
    answer = api.send(operation, members)
    assert answer.status == 200, f"{answer!r} to {members}"
    assert answer.headers["Content-Type"] == "application/x-amz-json-1.1"
    assert answer.headers["x-amzn-RequestId"]
    assert strict.faults(api_model.output_shape(operation), answer.json) == []
    return answer.json


def refuse(api, operation, members, error):
    answer = api.send(operation, members)
    assert (answer.status, answer.error) == (400, error), f"{answer!r} to {members}"
    assert answer.headers["x-amzn-RequestId"]
    assert answer.message, "an error without a message"
    return answer.message


def test_there_is_a_call_for_every_operation():
    assert sorted(good_calls.GOOD) == list(api_model.operations())
    assert sorted(good_calls.REFUSED) == WITHOUT_SUCCESS


@pytest.mark.parametrize("operation", [name for name, make in good_calls.GOOD.items() if make])
class TestGoodCalls:
    def test_a_good_call(self, api, world, operation):
        output = succeed(api, operation, good_calls.GOOD[operation](world))
        shape = api_model.output_shape(operation)
        if shape is not None and shape.members:
            assert output or operation in ("TagResource", "UntagResource"), "an output without members"

    def test_unknown_and_null_members_are_as_if_absent(self, api, world, operation):
        members = good_calls.GOOD[operation](world)
        absent = set(api_model.input_shape(operation).members) - set(members)
        # null is absence, except where the absent member changes what the call means.
        succeed(api, operation, {"notInTheModel": {"x": [1, None]}} | members | dict.fromkeys(absent))


@pytest.mark.parametrize("operation, members", [
    pytest.param(operation, make, id=f"{operation}-{what.replace(' ', '_')}")
    for operation, what, make in good_calls.ALSO_GOOD])
def test_other_good_calls(api, world, operation, members):
    succeed(api, operation, members(world))


@pytest.mark.parametrize("violation", violations.ALL, ids=lambda violation: violation.id)
def test_a_violation(api, world, violation):
    members = violation.bend(violation_base(world, violation.operation))
    message = refuse(api, violation.operation, members, violation.error)
    assert violation.is_named_by(message), message


def violation_base(world, operation):
    """One good input per operation and server: what is refused uses nothing up."""
    bases = world.__dict__.setdefault("violation_bases", {})
    if operation not in bases:
        bases[operation] = good_calls.whole_input(operation)(world)
    return bases[operation]


@pytest.mark.parametrize("refusal", refusals.ALL, ids=lambda refusal: refusal.id)
def test_a_refusal(api, world, refusal):
    message = refuse(api, refusal.operation, refusal.members(world), f"{refusal.error}Exception")
    assert refusal.says(world) in message, message


@pytest.mark.parametrize("operation", WITHOUT_SUCCESS)
def test_what_never_succeeds_is_refused_with_a_declared_error(api, world, operation):
    answer = api.send(operation, good_calls.REFUSED[operation](world))
    assert answer.status == 400
    assert answer.error in api_model.declared_errors(operation), answer


class TestRestarts:
    """`deploymentMode=RESTART`: the last successful revision again, without its download."""

    def test_a_restart_deploys_the_last_successful_revision(self, api, world):
        group, _ = world.fresh_group_of_one_host(world.app, serve=True)
        first = world.deploy(world.app, group, {"Succeeded"})
        restart = world.deploy(world.app, group, {"Succeeded"}, deploymentMode="RESTART")
        shown = succeed(api, "GetDeployment", {"deploymentId": restart})["deploymentInfo"]
        assert shown["deploymentMode"] == "RESTART"
        assert shown["revision"] == revision_of(api, first)
        last = succeed(api, "GetDeploymentGroup", {"applicationName": world.app, "deploymentGroupName": group})
        assert last["deploymentGroupInfo"]["lastSuccessfulDeployment"]["deploymentId"] == restart

    def test_other_deployments_show_no_mode(self, api, world):
        assert "deploymentMode" not in succeed(api, "GetDeployment", {"deploymentId": world.succeeded})["deploymentInfo"]


def revision_of(api, deployment):
    return succeed(api, "GetDeployment", {"deploymentId": deployment})["deploymentInfo"]["revision"]
