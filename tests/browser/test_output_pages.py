"""What hooks print, on the page of a host: as it comes, searched, and as a file."""

import bundles
import longshore
import story
from visitor import browser, page, signed_in, site, waits

EVENT = "AfterInstall"
OUTPUT = f"#output-{EVENT}"


def deploy(site, key, script):
    """Deploys a revision with this script for AfterInstall to the one host of Staging; the place of its page."""
    site.upload(story.BUCKET, key, bundles.zipped({
        "appspec.yml": bundles.appspec([(EVENT, "hook.sh")]), "hook.sh": "#!/bin/sh\n" + script,
    }))
    deployment = site.client("codedeploy").create_deployment(
        applicationName="Story", deploymentGroupName="Staging",
        revision={"revisionType": "S3", "s3Location": {"bucket": story.BUCKET, "key": key, "bundleType": "zip"}},
    )["deploymentId"]
    host = site.hosts["Staging"][0]
    longshore.wait_until(lambda: site.deployment(deployment)["status"] != "Created", "the deployment has begun")
    return deployment, f"/-/console/deployments/{deployment}/targets/{host}"


def until(file):
    return f"while [ ! -e {file} ]; do sleep 0.1; done; rm {file}\n"


def file_of(browser, site, place):
    token = {"Cookie": f"longshore-session={browser.cookies()['longshore-session']['value']}"}
    return page(site, f"{place}/output/{EVENT}", token)


def test_output_is_seen_searched_and_kept_while_the_hook_prints_it(signed_in, site):
    host = site.hosts["Staging"][0]
    deployment, place = deploy(site, "slow", (
        "echo unpacking\n" + until("/root/one") + "echo \"Migrating <orders>\"\n" + until("/root/two")
        + "echo migrating done >&2\nexit 3\n"))
    signed_in.open(site.endpoint + place)
    waits(signed_in, OUTPUT, "unpacking")
    signed_in.run("window.sameDocument = true")
    assert "Migrating" not in signed_in.text(OUTPUT)
    site.shell(host, "touch", "/root/one")
    waits(signed_in, OUTPUT, "Migrating <orders>")
    assert signed_in.run("return window.sameDocument") is True
    # The hook still runs, and what it has printed is a file already.
    assert site.deployment(deployment)["status"] == "InProgress"
    assert signed_in.text("#state") == "In progress"
    status, headers, body = file_of(signed_in, site, place)
    assert status == 200 and headers["Content-Disposition"] == f'attachment; filename="{deployment}-{host}-{EVENT}.log"'
    assert body.endswith("unpacking\nMigrating <orders>\n")
    # Looked for on the page that is there, and in what comes after.
    signed_in.type("#find", "migrating")
    signed_in.follow("Find")
    assert signed_in.text("mark") == "Migrating <orders>"
    assert "1 line found" in signed_in.text(".find")
    site.shell(host, "touch", "/root/two")
    waits(signed_in, "mark", "migrating done")
    waits(signed_in, "#state", "Failed")
    assert "The host is now: Failed" in signed_in.text("#announce")
    assert "failed with exit code 3" in signed_in.text("#event-rows")
    assert file_of(signed_in, site, place)[2].endswith("Migrating <orders>\nmigrating done\n")


def test_of_a_flood_the_page_shows_the_end_and_the_file_has_all(signed_in, site):
    lines = 40_000
    deployment, place = deploy(site, "flood", f"i=0; while [ $i -lt {lines} ]; do echo \"line $i\"; i=$((i+1)); done\n")
    site.wait_for_end(deployment)
    signed_in.open(site.endpoint + place)
    shown = signed_in.text(OUTPUT)
    assert shown.rstrip().endswith(f"line {lines - 1}") and "line 0\n" not in shown
    assert len(shown) <= 128 << 10
    assert "This is the end of it" in signed_in.text(".printed .cut")
    assert file_of(signed_in, site, place)[2].count("\n") >= lines
    # What is looked for is found in all of it.
    signed_in.type("#find", "line 77")
    signed_in.follow("Find")
    assert "line 77" in signed_in.text("#found-1")
