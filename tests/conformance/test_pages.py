"""Lists that are longer than a page, and what is refused when a quota is used up."""

import base64

import pytest

import api_model
import longshore
import strict
from crowd import APPLICATIONS, CONFIGS, DEPLOYMENTS, GROUPS, HOSTS, REVISIONS, Crowd, at_once
from fixtures import api
from limits import LIMITS
from world import ROLE, s3_revision

PAGE = 100
PREDEFINED = 17


@pytest.fixture(scope="session")
def crowd(api):
    return Crowd(api)


# Operation -> (input, member of the output, how many entries in all pages together).
LISTS = {
    "ListApplications": (lambda c: {}, "applications", APPLICATIONS),
    "ListDeploymentGroups": (lambda c: {"applicationName": c.app}, "deploymentGroups", GROUPS),
    "ListDeploymentConfigs": (lambda c: {}, "deploymentConfigsList", CONFIGS + PREDEFINED),
    "ListApplicationRevisions": (lambda c: {"applicationName": c.app, "sortBy": "registerTime"}, "revisions", REVISIONS),
    "ListDeployments": (lambda c: {}, "deployments", DEPLOYMENTS + 1),
    "ListOnPremisesInstances": (lambda c: {"registrationStatus": "Registered"}, "instanceNames", HOSTS),
    "ListDeploymentTargets": (lambda c: {"deploymentId": c.running}, "targetIds", HOSTS),
    "ListDeploymentInstances": (lambda c: {"deploymentId": c.running}, "instancesList", HOSTS),
}


def pages(api, operation, members):
    token = {}
    while True:
        page = api.ok(operation, **members, **token)
        assert strict.faults(api_model.output_shape(operation), page) == []
        yield page
        if not page.get("nextToken"):
            return
        token = {"nextToken": page["nextToken"]}


def entries(found):
    """Entries that can be compared: revisions are structures."""
    return [str(entry) for entry in found]


@pytest.fixture
def started(crowd):
    longshore.wait_until(lambda: crowd.api.ok("GetDeployment", deploymentId=crowd.running)["deploymentInfo"]["status"]
                         == "InProgress", "the deployment to many hosts starts", every=0.02)


@pytest.mark.parametrize("operation", LISTS)
class TestPages:
    def test_together_they_have_everything_once(self, crowd, started, operation):
        members, member, total = LISTS[operation]
        found = [page[member] for page in pages(crowd.api, operation, members(crowd))]
        assert all(len(page) <= PAGE + PREDEFINED for page in found)
        everything = [entry for page in found for entry in entries(page)]
        assert len(everything) == len(set(everything)) == total

    def test_an_altered_token_is_refused(self, crowd, started, operation):
        members, member, _ = LISTS[operation]
        token = crowd.api.ok(operation, **members(crowd))["nextToken"]
        raw = bytearray(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        for at in (0, len(raw) - 1):
            bent = bytearray(raw)
            bent[at] ^= 1
            text = base64.urlsafe_b64encode(bytes(bent)).decode().rstrip("=")
            answer = crowd.api.send(operation, members(crowd) | {"nextToken": text})
            assert (answer.status, answer.error) == (400, "InvalidNextTokenException")

    def test_a_token_of_another_list_is_refused(self, crowd, started, operation):
        members, _, _ = LISTS[operation]
        other = "ListDeployments" if operation != "ListDeployments" else "ListApplications"
        token = crowd.api.ok(other, **LISTS[other][0](crowd))["nextToken"]
        answer = crowd.api.send(operation, members(crowd) | {"nextToken": token})
        assert (answer.status, answer.error) == (400, "InvalidNextTokenException")


@pytest.mark.parametrize("operation, others", [
    ("ListApplicationRevisions", {"sortOrder": "descending"}),
    ("ListApplicationRevisions", {"deployed": "exclude"}),
    ("ListDeployments", {"includeOnlyStatuses": ["Failed"]}),
    ("ListDeployments", {"createTimeRange": {"start": 0}}),
    ("ListOnPremisesInstances", {"registrationStatus": "Deregistered"}),
    ("ListOnPremisesInstances", {"tagFilters": [{"Key": "x", "Type": "KEY_ONLY"}]}),
    ("ListDeploymentTargets", {"targetFilters": {"TargetStatus": ["Failed"]}}),
    ("ListDeploymentInstances", {"instanceStatusFilter": ["Failed"]}),
], ids=lambda value: value if isinstance(value, str) else next(iter(value)))
def test_a_token_belongs_to_its_filters(crowd, started, operation, others):
    members = LISTS[operation][0](crowd)
    token = crowd.api.ok(operation, **members)["nextToken"]
    answer = crowd.api.send(operation, members | others | {"nextToken": token})
    assert (answer.status, answer.error) == (400, "InvalidNextTokenException"), answer


def test_a_token_of_another_region_is_refused(crowd, api):
    token = crowd.api.ok("ListApplications")["nextToken"]
    assert api.send("ListApplications", {"nextToken": token}).error == "InvalidNextTokenException"


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.error)
def test_a_quota_that_is_used_up(crowd, limit):
    members = {
        "CreateApplication": {"applicationName": "one-more"},
        "CreateDeploymentGroup": {
            "applicationName": crowd.app, "deploymentGroupName": "one-more", "serviceRoleArn": ROLE},
        "CreateDeploymentConfig": {"deploymentConfigName": "one-more", "minimumHealthyHosts": {"type": "HOST_COUNT"}},
    }[limit.operation]
    answer = crowd.api.send(limit.operation, members)
    assert (answer.status, answer.error) == (400, f"{limit.error}Exception"), answer
    assert str(limit.number) in answer.message


def test_pages_hold_still_while_others_write(crowd, started):
    """What exists from the first page to the last is seen once, whatever is made and deleted meanwhile."""
    api, app = crowd.api, "app-0001"
    stable = [f"stable-{number:03}" for number in range(150)]
    at_once(api, len(stable), lambda c, n: c.ok(
        "CreateDeploymentGroup", applicationName=app, deploymentGroupName=stable[n], serviceRoleArn=ROLE))
    seen = []
    for number, page in enumerate(pages(api, "ListDeploymentGroups", {"applicationName": app})):
        seen += page["deploymentGroups"]
        for name in (f"a-{number}", f"stable-{number:03}-x", f"z-{number}"):
            api.ok("CreateDeploymentGroup", applicationName=app, deploymentGroupName=name, serviceRoleArn=ROLE)
        api.ok("DeleteDeploymentGroup", applicationName=app, deploymentGroupName=f"a-{number}")
    assert len(seen) == len(set(seen))
    assert set(stable) <= set(seen)


def test_new_deployments_do_not_shift_the_pages(crowd, started):
    """The newest come first, so each new one would push an entry onto the next page if pages were counted."""
    api, before = crowd.api, crowd.api.ok("ListDeployments")["deployments"]
    seen = []
    for number, page in enumerate(pages(api, "ListDeployments", {})):
        seen += page["deployments"]
        api.ok("CreateDeployment", applicationName=crowd.app, deploymentGroupName=f"group-{500 + number:04}",
               revision=s3_revision("key-0000"))
    assert len(seen) == len(set(seen))
    assert set(before) | set(crowd.deployments) <= set(seen)

