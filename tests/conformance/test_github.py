"""Connections to GitHub: stored and linked by longshore's own operations, listed and deleted by CodeDeploy's, used by
hosts. Nobody else is ever told a token."""

import base64
import json

import pytest

from caller import Caller
from fixtures import api, world
from names import unique
from world import Maker, github_revision, s3_revision

SECRET = "ghp_ThisIsTheSecretOfTheTests"
TOKENS_MAX = 25


@pytest.fixture
def maker(api, session):
    """A region to itself: it has 25 tokens at most."""
    return Maker(api.another(region=unique("region")), session)


def put(maker, name, token=SECRET):
    return maker.api.send("PutGitHubAccountToken", {"tokenName": name, "token": token}, "longshore")


def link(maker, application, **token):
    return maker.api.send("LinkGitHubAccountToken", {"applicationName": application} | token, "longshore")


def names(maker):
    return maker.api.ok("ListGitHubAccountTokenNames")["tokenNameList"]


def test_a_stored_token_is_listed_and_deleted(maker):
    assert names(maker) == []
    for name in ("second", "first", "second"):
        assert put(maker, name).json == {"tokenName": name}
    assert names(maker) == ["first", "second"]
    assert maker.api.ok("DeleteGitHubAccountToken", tokenName="first") == {"tokenName": "first"}
    assert names(maker) == ["second"]
    answer = maker.api.send("DeleteGitHubAccountToken", {"tokenName": "first"})
    assert answer.error == "GitHubAccountTokenDoesNotExistException"
    assert answer.message == "No GitHub connection found for name: first"


def test_an_application_shows_its_link(maker):
    app = maker.fresh_application()

    def shown():
        found = maker.api.ok("GetApplication", applicationName=app)["application"]
        assert maker.api.ok("BatchGetApplications", applicationNames=[app])["applicationsInfo"] == [found]
        return found["linkedToGitHub"], found.get("gitHubAccountName")

    put(maker, "deploys")
    assert shown() == (False, None)
    assert link(maker, app, tokenName="nobody").error == "GitHubAccountTokenDoesNotExistException"
    assert link(maker, app, tokenName="deploys").json == {}
    assert shown() == (True, "deploys")
    # The link is to the name: a token that is stored anew takes effect without another link.
    maker.api.ok("DeleteGitHubAccountToken", tokenName="deploys")
    assert shown() == (True, "deploys")
    assert link(maker, app).status == 200
    assert shown() == (False, None)
    assert link(maker, "nobody", tokenName="x").error == "ApplicationDoesNotExistException"


def test_what_is_wrong_is_named_and_no_token_is_told(maker):
    assert put(maker, "").error == "GitHubAccountTokenNameRequiredException"
    assert put(maker, "t" * 101).error == "InvalidGitHubAccountTokenNameException"
    for wrong in ("ghp_with a space", "ghp_\r\nX: y", "", "x" * 1025):
        answer = put(maker, "t", wrong)
        assert answer.error in ("InvalidGitHubAccountTokenException", "ValidationException")
        assert not wrong or wrong not in answer.message


def test_a_region_has_25_tokens(maker):
    for number in range(TOKENS_MAX):
        assert put(maker, f"t{number}").status == 200
    answer = put(maker, "more")
    assert answer.error == "GitHubAccountTokenLimitExceededException" and "25" in answer.message
    assert put(maker, "t7").status == 200, "one may be replaced"
    assert len(names(maker)) == TOKENS_MAX


def specification(maker, app, revision):
    """What the only host of a new deployment reads, without its signature."""
    keys, arn = maker._user()
    tag = {"Key": "only", "Value": unique("tag")}
    maker.fresh_host(arn=arn, tags=[tag])
    group = maker.fresh_group(app, onPremisesInstanceTagFilters=[tag | {"Type": "KEY_AND_VALUE"}])
    maker.deploy(app, group, {"InProgress"}, revision=revision)
    agent = Caller(maker.api.endpoint, *keys, region=maker.api.region)
    command = agent.ok("PollHostCommand", "codedeploy-commands", HostIdentifier=arn)["HostCommand"]
    answer = agent.ok("GetDeploymentSpecification", "codedeploy-commands", HostIdentifier=arn,
                      DeploymentExecutionId=command["DeploymentExecutionId"])
    envelope = answer["DeploymentSpecification"]["GenericEnvelope"]["Payload"]
    lines = [line for line in envelope.split("\n") if line and not line.startswith("---")]
    signed = base64.b64decode("".join(lines))
    start = signed.index(b'{"')
    return json.JSONDecoder().raw_decode(signed[start:].decode("latin-1"))[0]


def test_hosts_of_a_linked_application_get_the_token(maker):
    app = maker.fresh_application()
    put(maker, "deploys")
    assert "GitHubAccessToken" not in specification(maker, app, github_revision())
    link(maker, app, tokenName="deploys")
    assert specification(maker, app, github_revision())["GitHubAccessToken"] == SECRET
    assert "GitHubAccessToken" not in specification(maker, app, s3_revision()), "only what comes from GitHub needs it"
    maker.api.ok("DeleteGitHubAccountToken", tokenName="deploys")
    assert "GitHubAccessToken" not in specification(maker, app, github_revision()), "a deleted one is given to nobody"
