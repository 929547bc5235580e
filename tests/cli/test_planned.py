"""`longshore deployment plan` and `longshore deployment explain`: before a deployment, and after it."""

from names import unique
from operator_cli import EVENTS, FAILED, USAGE, cli, folder, shop  # noqa: F401 (fixtures)

APPSPEC = """version: 0.0
os: linux
hooks:
  ApplicationStop:
    - location: old.sh
  AfterInstall:
    - location: run.sh
      runas: shop
      timeout: 90
    - location: start
"""


def test_a_plan_tells_hosts_scripts_and_bytes_and_uploads_nothing(cli, shop, folder, session):
    (folder / "appspec.yml").write_text(APPSPEC)
    of = ["--application", shop.name, "--group", "Production"]
    table = cli("deployment", "plan", folder, *of).stdout
    lines = table.splitlines()
    assert lines[0].split()[:4] == ["Batch", "Host", "Zone", "Health"]
    assert lines[1].split()[:2] == ["1", shop.host()]
    assert "run.sh" in table and "90 s" in table and "nothing" in table and "old.sh" not in table
    assert "no deployment to the group has succeeded yet" in table and str(folder) in table
    told = cli.json("deployment", "plan", folder, *of)
    assert told["bytesToFetch"] == told["bundleBytes"] > 0 and told["refusals"] == []
    assert [event["lifecycleEventName"] for event in told["hooks"]] == told["lifecycleEvents"]
    scripts = {event["lifecycleEventName"]: event["scripts"] for event in told["hooks"]}
    assert scripts["AfterInstall"][0] == {"location": "run.sh", "runas": "shop", "timeoutSeconds": 90}
    assert len(scripts["AfterInstall"]) == 2 and scripts["ApplicationStop"] == []
    key = told["revision"]["s3Location"]["key"]
    kept = session.client("s3").list_objects_v2(Bucket="longshore-revisions", Prefix=key) if any(
        bucket["Name"] == "longshore-revisions" for bucket in session.client("s3").list_buckets()["Buckets"]) else {}
    assert kept.get("KeyCount", 0) == 0, "a plan uploads nothing"
    hosts = cli("deployment", "plan", folder, *of, "--output", "text", "--query", "targets[].targetId").stdout
    assert hosts == f"{shop.host()}\n"
    assert cli.json("deployment", "list", "--application", shop.name) == {"deployments": []}


def test_a_plan_knows_what_is_installed(cli, shop, folder):
    of = ["--application", shop.name, "--group", "Production"]
    (folder / "appspec.yml").write_text(APPSPEC)
    deployment = cli("deploy", folder, *of, "--bundle-type", "tgz", "--detach", "--output", "text").stdout.strip()
    shop.carry_out()
    shop.ended(deployment)
    told = cli.json("deployment", "plan", folder, *of, "--bundle-type", "tgz")
    assert told["targets"][0]["hasRevision"] and told["bytesToFetch"] == 0 and "expectedSeconds" in told
    revision = cli("deployment", "list", "--query", "deployments[0].revision.s3Location.key", "--output", "text",
                   "--application", shop.name).stdout.strip()
    told = cli("deployment", "plan", *of, "--revision", f"s3://longshore-revisions/{revision}").stdout
    assert "current revision" in told or "older revision" in told
    assert "a bundle of" in told and "run.sh" in told and "90 s" in told
    hub = cli.json("deployment", "plan", *of, "--revision", f"github:acme/shop@{'0' * 40}")
    assert hub["revision"]["gitHubLocation"]["repository"] == "acme/shop" and "hooks" not in hub


def test_what_would_be_refused_is_told_and_ends_with_1(cli, shop, folder):
    of = ["--application", shop.name, "--group", "Production"]
    running = shop.deploy()
    told = cli("deployment", "plan", folder, *of, expect=FAILED).stdout
    assert "Refused" in told and running in told
    told = cli("deployment", "plan", folder, *of, "--output", "text", expect=FAILED)
    assert running in told.stderr and told.stdout.split("\t")[1] == shop.host()
    shop.client("codedeploy").stop_deployment(deploymentId=running)


def test_what_cannot_be_planned_is_told(cli, shop, folder, tmp_path):
    of = ["--application", shop.name, "--group"]
    assert "no revision" in cli("deployment", "plan", *of, "Production", "--revision", "1.zip", expect=USAGE).stderr
    told = cli("deployment", "plan", folder, *of, "Nope", expect=FAILED).stderr
    assert "DeploymentGroupDoesNotExistException" in told and "longshore group list" in told
    told = cli("deployment", "plan", folder, *of, "Production", "--config", unique("none"), expect=FAILED).stderr
    assert "DeploymentConfigDoesNotExistException" in told
    assert "no appspec.yml" in cli("deployment", "plan", tmp_path, *of, "Production", expect=USAGE).stderr
    (folder / "appspec.yml").write_text("version: 0.0\nos: linux\nhooks: 7\n")
    told = cli("deployment", "plan", folder, *of, "Production", expect=USAGE).stderr
    assert "hosts would refuse" in told and "longshore-agent validate" in told
    cli("deployment", "plan", folder, "--application", shop.name, expect=USAGE)
    both = ["--revision", "s3://releases/1.zip"]
    assert "cannot be used with" in cli("deployment", "plan", folder, *of, "Production", *both, expect=USAGE).stderr


def test_a_deployment_is_explained(cli, shop):
    failed = shop.failed()
    table = cli("deployment", "explain", failed).stdout
    lines = table.splitlines()
    assert lines[0].split() == ["Time", "Host", "Kind", "Rule", "What", "Applied", "to"]
    assert "created by" in lines[1]
    (finished,) = [line for line in lines if " Finish " in line]
    assert "Failed" in finished
    enlisted = next(line for line in lines if " Enlist " in line)
    assert f"targets={shop.host()}" in enlisted and "and 1 more" in enlisted, f"{EVENTS} events are cut"
    told = cli.json("deployment", "explain", failed)["entries"]
    assert len(told) == len(lines) - 1 and told[0]["time"].endswith("Z")
    only = cli.json("deployment", "explain", failed, "--host", shop.host())["entries"]
    assert {entry.get("targetId") for entry in only} == {None, shop.host()}
    text = cli("deployment", "explain", failed, "--output", "text").stdout
    assert [line.split("\t")[3] for line in text.splitlines()] == [entry["rule"] for entry in told]


def test_what_cannot_be_explained_is_told(cli, shop):
    told = cli("deployment", "explain", "d-NOTTHERE1", expect=FAILED).stderr
    assert "DeploymentDoesNotExistException" in told and "longshore deployment list" in told
    deployment = shop.succeeded()
    told = cli("deployment", "explain", deployment, "--host", "nobody", expect=FAILED).stderr
    assert "DeploymentTargetDoesNotExistException" in told
    cli("deployment", "explain", "75I7MBT7C", expect=USAGE)
