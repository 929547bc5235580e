"""What hosts foresee of a deployment is what the deployment then does, on real files of real hosts."""

import pytest

import bundles
import longshore
from fleets import Fleet
from operator_cli import FAILED, USAGE, Cli

APPSPEC = """version: 0.0
os: linux
files:
  - source: site
    destination: /srv/site
"""
OLD = {"site/same": "one", "site/changes": "one", "site/goes": "one", "site/edited": "one", "site/edited-and-goes": "one"}
NEW = {"site/same": "one", "site/changes": "two", "site/edited": "one", "site/new/deep": "two", "site/theirs": "two"}


@pytest.fixture(scope="module")
def fleet(start_dev):
    """Two hosts that run the old version, of which somebody touched the first one's files."""
    fleet = Fleet(start_dev(), 2)
    fleet.upload("old", bundles.zipped({"appspec.yml": APPSPEC} | OLD))
    fleet.upload("new", bundles.zipped({"appspec.yml": APPSPEC} | NEW))
    fleet.upload("broken", bundles.zipped({"site/x": "no appspec"}))
    fleet.succeed("old")
    touch = "echo by hand >/srv/site/edited; echo by hand >/srv/site/edited-and-goes; echo theirs >/srv/site/theirs"
    fleet.dev.shell(fleet.hosts[0], "sh", "-c", touch)
    return fleet


def revision(fleet, key):
    return {"revisionType": "S3", "s3Location": {"bucket": fleet.application, "key": key, "bundleType": "zip"}}


def foresee(fleet, key, **options):
    """The hosts' answers by host, and for each its files."""
    own = fleet.dev.session.longshore()
    plan = own.start_host_plan(
        applicationName=fleet.application, deploymentGroupName="Hosts", revision=revision(fleet, key), **options)["hostPlanId"]
    longshore.wait_until(lambda: own.get_host_plan(hostPlanId=plan)["ended"], f"{plan} is answered", seconds=60)
    hosts = {host["targetId"]: host for host in own.get_host_plan(hostPlanId=plan)["hosts"]}
    return hosts, {
        host: {file["path"]: file["effect"] for file in own.get_host_plan(hostPlanId=plan, targetId=host)["files"]}
        for host in hosts
    }


def contents(fleet, host):
    """The files of the site on a host."""
    script = "cd /srv/site && find . -type f | sort | while read f; do printf '%s=%s\\n' \"$f\" \"$(cat \"$f\")\"; done"
    lines = fleet.dev.shell(host, "sh", "-c", script).stdout.splitlines()
    return dict(line.removeprefix("./").split("=", 1) for line in lines)


def test_conflicts_and_changes_are_foreseen_and_nothing_is_touched(fleet):
    touched, clean = fleet.hosts
    before = {host: contents(fleet, host) for host in fleet.hosts}
    hosts, files = foresee(fleet, "new")
    assert hosts[touched]["status"] == "Fails" and hosts[touched]["conflictCount"] == 1
    assert hosts[touched]["message"].endswith("a specified file already exists at this location: /srv/site/theirs")
    assert hosts[clean]["status"] == "Succeeds" and "message" not in hosts[clean]
    site = "/srv/site/"
    assert files[touched] == {
        site + "theirs": "Conflict", site + "goes": "Remove", site + "changes": "Change", site + "edited": "Change",
        site + "new/deep": "Add", site + "edited-and-goes": "Keep",
    }
    assert files[clean] == {
        site + "goes": "Remove", site + "edited-and-goes": "Remove", site + "changes": "Change", site + "new/deep": "Add",
        site + "theirs": "Add",
    }
    assert (hosts[touched]["unchangedCount"], hosts[clean]["unchangedCount"]) == (1, 2)
    assert {host: contents(fleet, host) for host in fleet.hosts} == before
    for host in fleet.hosts:
        left = fleet.dev.shell(host, "sh", "-c", "ls /opt/codedeploy-agent/deployment-root/deployment-plans").stdout
        assert left == "", "what was fetched is gone"


def test_a_bundle_that_hosts_would_refuse_is_told(fleet):
    hosts, _ = foresee(fleet, "broken")
    assert {host["status"] for host in hosts.values()} == {"Fails"}
    assert all("did not find an AppSpec file" in host["message"] for host in hosts.values())
    hosts, _ = foresee(fleet, "nowhere")
    assert all(host["status"] == "Fails" and "NoSuchKey" in host["message"] for host in hosts.values())


def test_the_command_line_asks_one_host_or_all(fleet):
    cli = Cli(fleet.dev.session)
    of = ["--application", fleet.application, "--group", "Hosts", "--revision", f"s3://{fleet.application}/new"]
    touched, clean = fleet.hosts
    table = cli("deployment", "files", *of, expect=FAILED).stdout
    lines = {line.split()[0]: line for line in table.splitlines()[1:]}
    assert "would fail" in lines[touched] and "already exists" in lines[touched] and "would succeed" in lines[clean]
    told = cli("deployment", "files", *of, "--host", clean).stdout
    assert "Remove  /srv/site/goes" in told and "The Install would succeed" in told
    found = cli.json("deployment", "files", *of, "--host", touched, expect=FAILED)
    assert found["files"][0] == {"effect": "Conflict", "path": "/srv/site/theirs"}
    asked = ["--file-exists", "overwrite", "--output", "text", "--query", "hosts[].status"]
    assert cli("deployment", "files", *of, *asked).stdout.split() == ["Succeeds", "Succeeds"]
    assert "no revision" in cli("deployment", "files", *of[:-1], "new", expect=USAGE).stderr


def test_what_was_foreseen_happens(fleet):
    _, files = foresee(fleet, "new", fileExistsBehavior="OVERWRITE")
    before = {host: contents(fleet, host) for host in fleet.hosts}
    deployment = fleet.dev.client("codedeploy").create_deployment(
        applicationName=fleet.application, deploymentGroupName="Hosts", revision=revision(fleet, "new"),
        fileExistsBehavior="OVERWRITE", deploymentConfigName="CodeDeployDefault.AllAtOnce")["deploymentId"]
    assert fleet.dev.wait_for_end(deployment)["status"] == "Succeeded"
    for host in fleet.hosts:
        after, was = contents(fleet, host), before[host]
        happened = {name: "Add" for name in after if name not in was}
        happened |= {name: "Remove" for name in was if name not in after}
        happened |= {name: "Change" for name in was if after.get(name, was[name]) != was[name]}
        told = {path.removeprefix("/srv/site/"): effect for path, effect in files[host].items() if effect != "Keep"}
        assert told == happened, host
