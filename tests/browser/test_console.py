"""The console, as a person with a browser sees it."""

import json
import re
import urllib.parse

import longshore
import story
from visitor import browser, page, sign_in, signed_in, site, violations, waits


def test_signing_in_takes_a_key_pair_and_leaves_a_guarded_cookie(browser, site):
    access_key, secret = site.longshore.root_credentials()
    browser.open(f"{site.endpoint}/")
    assert "/-/console/sign-in" in browser.url
    sign_in(browser, site, access_key, "wrong" * 8)
    assert "does not exist, is not active" in browser.text("[role=alert]")
    sign_in(browser, site, access_key, secret)
    assert browser.text("h1") == "Overview"
    cookie = browser.cookies()["longshore-session"]
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Strict", "/-/console")
    # What is watched and what is done needs the session, and a form needs its mark.
    token = {"Cookie": f"longshore-session={cookie['value']}"}
    assert page(site, "/-/console/deployments", token)[0] == 200
    assert page(site, "/-/console/deployments")[0] == 303
    ours = {"Origin": site.endpoint}
    assert page(site, "/-/console/sign-out", token | ours, b"mark=invented")[0] == 403
    assert page(site, "/-/console/sign-out", token | {"Origin": "http://evil.example"}, b"mark=x")[0] == 403
    status, headers, _ = page(site, "/-/console/audit", token)
    assert status == 200 and headers["Cache-Control"] == "no-store"
    assert "script-src 'self'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]


def test_signing_out_ends_the_session_for_good(browser, site):
    sign_in(browser, site, *site.longshore.root_credentials())
    token = {"Cookie": f"longshore-session={browser.cookies()['longshore-session']['value']}"}
    assert page(site, "/-/console", token)[0] == 200
    browser.click(".menu summary")
    browser.run("document.querySelector('form[action$=\"sign-out\"]').requestSubmit()")
    longshore.wait_until(lambda: "sign-in" in browser.url, "the browser is at the form again")
    assert page(site, "/-/console", token)[0] == 303


def test_a_user_sees_what_policies_allow_and_goes_with_their_key(site):
    iam = site.client("iam")
    iam.create_user(UserName="ann")
    iam.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=json.dumps({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "codedeploy:List*", "Resource": "*"}],
    }))
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    form = f"access-key={key['AccessKeyId']}&secret={urllib.parse.quote_plus(key['SecretAccessKey'])}"
    status, headers, _ = page(site, "/-/console/sign-in", {"Origin": site.endpoint}, form.encode())
    assert status == 303
    token = {"Cookie": headers["Set-Cookie"].split(";")[0]}
    assert page(site, "/-/console/applications", token)[0] == 200
    status, _, body = page(site, "/-/console/applications/Story", token)
    assert status == 403 and "codedeploy:GetApplication" in body
    assert page(site, "/-/console/audit", token)[0] == 403
    iam.update_access_key(UserName="ann", AccessKeyId=key["AccessKeyId"], Status="Inactive")
    assert page(site, "/-/console/applications", token)[0] == 303


def test_many_wrong_secrets_are_not_looked_at(start_longshore):
    class Site:
        endpoint = start_longshore().endpoint

    tries = [page(Site, "/-/console/sign-in", {"Origin": Site.endpoint}, b"access-key=AKIAX&secret=y") for _ in range(11)]
    assert [status for status, _, _ in tries] == [401] * 10 + [429]
    assert tries[-1][1]["Retry-After"] == "300"


def test_a_deployment_is_watched_live_until_it_succeeds(signed_in, site):
    deployment = story.deploy(site, "Story", "Staging", "v1", "1.0", pause=1)
    signed_in.open(f"{site.endpoint}/-/console/deployments/{deployment}")
    waits(signed_in, ".grid", "In progress")
    signed_in.run("window.sameDocument = true")
    waits(signed_in, "#status", "Succeeded")
    assert signed_in.run("return window.sameDocument") is True
    assert "1 host has the revision" in signed_in.text("#status")
    waits(signed_in, "#actions", "Deploy elsewhere")
    assert len(signed_in.all(".grid td.ev.ok")) == 7
    assert "Succeeded" in signed_in.text("#announce")
    assert len(signed_in.all("#chart svg rect")) >= 7
    assert "minimum 0" in signed_in.run("return document.querySelector('#chart svg').textContent")


def test_a_revision_is_promoted_after_its_plan_was_read(signed_in, site):
    signed_in.open(f"{site.endpoint}/-/console/applications/Story/groups/Staging")
    signed_in.run("document.querySelector('dl .id').click()")
    longshore.wait_until(lambda: "/deployments/d-" in signed_in.url, "the deployment's page")
    signed_in.follow("Deploy elsewhere")
    assert signed_in.run("return document.querySelector('#group').value") == "Production"
    signed_in.follow("Show the plan")
    assert "2 hosts would be deployed to, at most 1 at a time; 1 stays in service" in signed_in.text("main")
    for host in site.hosts["Production"]:
        assert host in signed_in.text(".list")
    # What each host would run is read from the bundle.
    scripts = signed_in.text("section[aria-labelledby=scripts] tbody").splitlines()
    hooks = [("BeforeInstall", "hook.sh"), ("AfterInstall", "hook.sh"), ("ApplicationStart", "hook.sh"),
             ("ValidateService", "validate.sh")]
    assert [tuple(line.split("\t")[:2]) for line in scripts] == hooks
    signed_in.follow("Create the deployment")
    longshore.wait_until(lambda: re.search(r"/deployments/d-\w{9}$", signed_in.url), "the new deployment's page")
    waits(signed_in, "#status", "2 hosts have the revision")


def test_hosts_are_asked_what_would_become_of_their_files(signed_in, site):
    site.upload(story.BUCKET, "asked", story.release("asked"))
    (host,) = site.hosts["Staging"]
    revision = f"revision=other&bucket={story.BUCKET}&key=asked&bundle-type=zip"
    signed_in.open(f"{site.endpoint}/-/console/deployments/plan?application=Story&group=Staging&{revision}")
    signed_in.follow("Ask the hosts about files")
    # The answers come while one looks.
    waits(signed_in, "#plan-rows", "Would succeed")
    assert violations(signed_in) == []
    signed_in.follow(host)
    files = signed_in.text("section[aria-labelledby=files] tbody")
    assert files in ("Added\t/opt/story/VERSION", "Changed\t/opt/story/VERSION")
    assert violations(signed_in) == []
    signed_in.follow("Back to the plan")
    longshore.wait_until(lambda: "/deployments/plan?" in signed_in.url, "the plan")
    assert "Deploy to Story / Staging?" in signed_in.text("h1")


def test_a_failure_is_understood_from_the_console_and_rolled_back(signed_in, site):
    deployment = story.deploy(site, "Story", "Production", "v2", "2.0")
    site.wait_for_end(deployment)
    signed_in.open(f"{site.endpoint}/-/console")
    assert deployment in signed_in.text(".failures")
    signed_in.follow(deployment)
    assert "HEALTH_CONSTRAINTS" in signed_in.text("#status")
    assert "ValidateService" in signed_in.text("#status .why")
    # Statuses are seen, and not only there for screen readers.
    widths = signed_in.run("return [...document.querySelectorAll('main .badge')].map(e => e.getBoundingClientRect().width)")
    assert "Skipped" in signed_in.text(".grid") and min(widths) > 20
    signed_in.click("#status .why a")
    assert "expected an answer at http://127.0.0.1:8080/version" in signed_in.text(".output")
    signed_in.type("#find", "refused")
    signed_in.follow("Find")
    assert "connection refused" in signed_in.text("mark")
    signed_in.open(f"{site.endpoint}/-/console/deployments/{deployment}")
    signed_in.follow("Deploy previous revision")
    assert f"s3://{story.BUCKET}/v1" in signed_in.text("main dl")
    signed_in.follow("Create the deployment")
    longshore.wait_until(lambda: deployment not in signed_in.url and "/d-" in signed_in.url, "the rollback's page")
    waits(signed_in, "#status", "2 hosts have the revision")


def test_a_running_deployment_is_stopped_after_one_question(signed_in, site):
    deployment = story.deploy(site, "Story", "Staging", "v3", "3.0", pause=3)
    signed_in.open(f"{site.endpoint}/-/console/deployments/{deployment}")
    waits(signed_in, ".grid", "In progress")
    signed_in.follow("Stop")
    assert f"Stop {deployment}?" in signed_in.text("h1")
    signed_in.follow("Stop deployment")
    waits(signed_in, "#status", "Stopped")
    signed_in.open(f"{site.endpoint}/-/console/audit")
    assert f"codedeploy:StopDeployment\t{deployment}" in signed_in.text(".list")


PAGES = [
    "", "/applications", "/applications/Story", "/applications/Story/groups/Production", "/applications/Story/revisions",
    "/deployments", "/deployments/new?application=Story", "DEPLOYMENT", "TARGET", "/instances", "/configurations",
    "/alarms", "/topics", "/connections", "/audit", "/nowhere",
]


def test_every_page_is_accessible_in_both_themes_wide_and_narrow(signed_in, site):
    deployments = site.client("codedeploy").list_deployments(includeOnlyStatuses=["Failed"])["deployments"]
    deployment = f"/deployments/{deployments[0]}"
    places = {"DEPLOYMENT": deployment, "TARGET": f"{deployment}/targets/{site.hosts['Production'][0]}"}
    found = []
    for width, theme in ((1280, "light"), (1280, "dark"), (400, "dark")):
        signed_in.resize(width, 900)
        for path in PAGES:
            signed_in.open(f"{site.endpoint}/-/console{places.get(path, path)}")
            signed_in.run(f"document.documentElement.dataset.theme = '{theme}'")
            found += [f"{path or 'overview'} {theme} {width}: {violation}" for violation in violations(signed_in)]
    signed_in.resize(1280, 900)
    assert not found, "\n".join(found)


def test_light_and_dark_are_chosen_without_a_script(signed_in, site):
    signed_in.open(f"{site.endpoint}/-/console/applications")
    signed_in.click(".menu summary")
    signed_in.click(".theme button[value=dark]")
    longshore.wait_until(lambda: signed_in.run("return document.documentElement.dataset.theme") == "dark", "it is dark")
    assert signed_in.url.endswith("/-/console/applications")
