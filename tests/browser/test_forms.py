"""What is made, changed and removed in the console: by the API's own operations, after one question where it removes."""

import json
import urllib.parse

import pytest

import longshore
from conftest import Clients, refusal
from visitor import browser, page, sign_in, violations

ROLE = "arn:aws:iam::123456789012:role/CodeDeploy"


class Site:
    def __init__(self, running):
        self.longshore, self.endpoint = running, running.endpoint
        self.client = Clients(running.endpoint, *running.root_credentials()).client


@pytest.fixture(scope="module")
def site(start_longshore):
    return Site(start_longshore())


@pytest.fixture
def signed_in(browser, site):
    browser.open(f"{site.endpoint}/-/console")
    if not browser.text(".who"):
        sign_in(browser, site, *site.longshore.root_credentials())
    return browser


def at(browser, site, path):
    browser.open(f"{site.endpoint}/-/console{path}")
    return browser


def test_an_application_is_made_renamed_and_deleted_after_one_question(signed_in, site):
    deploy = site.client("codedeploy")
    at(signed_in, site, "/applications").follow("Create an application")
    signed_in.type("#name", "Shop")
    signed_in.follow("Create application")
    assert signed_in.url.endswith("/applications/Shop")
    # What is refused brings the form back, with what was typed.
    at(signed_in, site, "/applications").follow("Create an application")
    signed_in.type("#name", "Shop")
    signed_in.follow("Create application")
    assert "ApplicationAlreadyExistsException" in signed_in.text("[role=alert]")
    assert signed_in.run("return document.querySelector('#name').value") == "Shop"
    at(signed_in, site, "/applications/Shop").follow("Rename")
    signed_in.type("#name", "Store")
    signed_in.follow("Rename application")
    assert signed_in.url.endswith("/applications/Store")
    signed_in.follow("Delete")
    assert "Delete the application Store?" in signed_in.text("h1")
    assert deploy.list_applications()["applications"] == ["Store"], "it only asks"
    signed_in.follow("Delete application")
    assert deploy.list_applications()["applications"] == []
    trail = at(signed_in, site, "/audit").text(".list")
    for deed in ("codedeploy:CreateApplication\tShop", "codedeploy:UpdateApplication\tShop", "codedeploy:DeleteApplication\tStore",
                 "ApplicationAlreadyExistsException"):
        assert deed in trail


def test_a_group_is_made_changed_and_deleted(signed_in, site):
    deploy = site.client("codedeploy")
    deploy.create_application(applicationName="Grouped")
    at(signed_in, site, "/applications/Grouped").follow("Create a group")
    signed_in.type("#name", "Prod")
    signed_in.type("#role", ROLE)
    signed_in.type("#instances", "role=web\nrole=api\nonly-key")
    signed_in.type("#registered", "=any")
    signed_in.type("#alarms", "too-many-errors")
    signed_in.click("input[name=on-failure]")
    signed_in.follow("Create group")
    assert signed_in.url.endswith("/applications/Grouped/groups/Prod")

    def group(name):
        return deploy.get_deployment_group(applicationName="Grouped", deploymentGroupName=name)["deploymentGroupInfo"]

    made = group("Prod")
    assert made["ec2TagFilters"] == [
        {"Key": "role", "Value": "web", "Type": "KEY_AND_VALUE"}, {"Key": "role", "Value": "api", "Type": "KEY_AND_VALUE"},
        {"Key": "only-key", "Type": "KEY_ONLY"}]
    assert made["onPremisesInstanceTagFilters"] == [{"Value": "any", "Type": "VALUE_ONLY"}]
    assert made["autoRollbackConfiguration"] == {"enabled": True, "events": ["DEPLOYMENT_FAILURE"]}
    assert made["alarmConfiguration"]["enabled"] is False
    # What is there is in the fields, and what is not changed stays.
    signed_in.follow("Edit")
    assert signed_in.run("return document.querySelector('#instances').value") == "role=web\nrole=api\nonly-key"
    signed_in.type("#name", "Live")
    signed_in.run("document.querySelector('#configuration').value = 'CodeDeployDefault.AllAtOnce'")
    signed_in.click("input[name=heeds-alarms]")
    signed_in.follow("Save group")
    changed = group("Live")
    assert changed["deploymentConfigName"] == "CodeDeployDefault.AllAtOnce"
    assert changed["alarmConfiguration"]["enabled"] is True
    assert changed["alarmConfiguration"]["alarms"] == [{"name": "too-many-errors"}]
    for same in ("ec2TagFilters", "onPremisesInstanceTagFilters", "autoRollbackConfiguration", "serviceRoleArn"):
        assert changed[same] == made[same]
    signed_in.follow("Delete")
    signed_in.follow("Delete group")
    assert deploy.list_deployment_groups(applicationName="Grouped")["deploymentGroups"] == []


def test_a_groups_sets_of_tags_outlive_the_form(signed_in, site):
    deploy = site.client("codedeploy")
    deploy.create_application(applicationName="Sets")
    sets = {"ec2TagSetList": [[{"Key": "a", "Value": "1", "Type": "KEY_AND_VALUE"}], [{"Key": "b", "Type": "KEY_ONLY"}]]}
    deploy.create_deployment_group(applicationName="Sets", deploymentGroupName="G", serviceRoleArn=ROLE, ec2TagSet=sets)
    at(signed_in, site, "/applications/Sets/groups/G/edit")
    assert signed_in.all("#instances") == [] and "by sets of tags" in signed_in.text("main")
    signed_in.click("input[name=on-request]")
    signed_in.follow("Save group")
    info = deploy.get_deployment_group(applicationName="Sets", deploymentGroupName="G")["deploymentGroupInfo"]
    assert info["ec2TagSet"] == sets
    assert info["autoRollbackConfiguration"]["events"] == ["DEPLOYMENT_STOP_ON_REQUEST"]


def test_a_configuration_is_made_and_deleted(signed_in, site):
    at(signed_in, site, "/configurations").follow("Create a configuration")
    signed_in.type("#name", "Half")
    signed_in.type("#value", "many")
    signed_in.follow("Create configuration")
    assert "must be a whole number" in signed_in.text("[role=alert]")
    signed_in.run("document.querySelector('#type').value = 'FLEET_PERCENT'")
    signed_in.type("#value", "50")
    signed_in.follow("Create configuration")
    assert "at least 50 % of hosts healthy" in signed_in.text(".list")
    signed_in.click("a[href$='/configurations/Half/delete']")
    longshore.wait_until(lambda: "Delete the configuration Half?" in signed_in.text("h1"), "it asks")
    signed_in.follow("Delete configuration")
    assert "Half" not in signed_in.text(".list th[scope=row]").split()


def test_a_host_is_registered_tagged_and_deregistered(signed_in, site):
    site.client("iam").create_user(UserName="web-1")
    deploy = site.client("codedeploy")
    at(signed_in, site, "/instances").follow("Register an instance")
    signed_in.type("#name", "web-1")
    signed_in.type("#arn", "arn:aws:iam::123456789012:user/web-1")
    signed_in.type("#tags", "role=web\nzone=a")
    signed_in.follow("Register instance")
    assert "role=web" in signed_in.text(".list") and "web-1" in signed_in.text(".list")
    signed_in.click("a[href$='/instances/web%2D1/tags'], a[href$='/instances/web-1/tags']")
    longshore.wait_until(lambda: signed_in.text("h1") == "Tags of web-1", "the form for its tags")
    signed_in.type("#tags", "role=api\nnew=1")
    signed_in.follow("Save tags")
    info = deploy.get_on_premises_instance(instanceName="web-1")["instanceInfo"]
    assert sorted((tag["Key"], tag["Value"]) for tag in info["tags"]) == [("new", "1"), ("role", "api")]
    at(signed_in, site, "/instances/web-1/deregister").follow("Deregister instance")
    assert "deregisterTime" in deploy.get_on_premises_instance(instanceName="web-1")["instanceInfo"]


def test_long_lists_are_searched(signed_in, site):
    deploy = site.client("codedeploy")
    for name in ("Find-Me", "Find-Too", "Other"):
        deploy.create_application(applicationName=name)
    at(signed_in, site, "/applications").type("#find", "Find-")
    signed_in.follow("Find")
    assert signed_in.text(".list th[scope=row]").split() == ["Find-Me", "Find-Too"]
    at(signed_in, site, "/deployments").type("#find", "Find-Me")
    signed_in.follow("Find")
    assert signed_in.text("h1") == "Deployments of Find-Me"
    at(signed_in, site, "/deployments").type("#find", "d-123456789")
    signed_in.follow("Find")
    assert "d-123456789" in signed_in.text(".notice")


def test_forms_need_the_sessions_mark_and_the_users_permission(site):
    iam = site.client("iam")
    iam.create_user(UserName="reader")
    iam.put_user_policy(UserName="reader", PolicyName="p", PolicyDocument=json.dumps({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": ["codedeploy:Get*", "codedeploy:List*"], "Resource": "*"}],
    }))
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    ours = {"Origin": site.endpoint}
    form = urllib.parse.urlencode({"access-key": key["AccessKeyId"], "secret": key["SecretAccessKey"]})
    _, headers, _ = page(site, "/-/console/sign-in", ours, form.encode())
    session = ours | {"Cookie": headers["Set-Cookie"].split(";")[0]}
    status, _, body = page(site, "/-/console/new/application", session)
    assert status == 200
    mark = body.split('name="mark" value="')[1].split('"')[0]
    for wrong in (b"name=Stolen", b"name=Stolen&mark=invented"):
        assert page(site, "/-/console/new/application", session, wrong)[0] == 403
    status, _, body = page(site, "/-/console/new/application", session, f"name=Stolen&mark={mark}".encode())
    assert status == 403 and "codedeploy:CreateApplication" in body
    assert refusal(site.client("codedeploy").get_application, applicationName="Stolen") == "ApplicationDoesNotExistException"


def test_forms_are_accessible(signed_in, site):
    deploy = site.client("codedeploy")
    deploy.create_application(applicationName="Seen")
    deploy.create_deployment_group(applicationName="Seen", deploymentGroupName="G", serviceRoleArn=ROLE)
    site.client("iam").create_user(UserName="seen")
    deploy.register_on_premises_instance(instanceName="seen", iamUserArn="arn:aws:iam::123456789012:user/seen")
    found = []
    for theme, width in (("light", 1280), ("dark", 400)):
        signed_in.resize(width, 900)
        for path in ("/new/application", "/new/group?application=Seen", "/new/configuration", "/new/instance", "/applications",
                     "/applications/Seen/rename", "/applications/Seen/delete", "/applications/Seen/groups/G/edit",
                     "/applications/Seen/groups/G", "/instances", "/instances/seen/tags", "/configurations", "/deployments?find=none"):
            at(signed_in, site, path).run(f"document.documentElement.dataset.theme = '{theme}'")
            found += [f"{path} {theme} {width}: {violation}" for violation in violations(signed_in)]
    signed_in.resize(1280, 900)
    assert not found, "\n".join(found)
