"""`longshore deployment …`, `group`, `hosts`, `alarms`, `promote`: good and bad cases, exit codes, forms of output."""

import pytest

import longshore
from names import unique
from operator_cli import EVENTS, FAILED, STOPPED, USAGE, Meanwhile, cli, shop  # noqa: F401 (fixtures)


def test_deployments_are_listed_in_each_form(cli, shop):
    first, second = shop.succeeded("1.zip"), shop.failed("2.zip")
    of = ["deployment", "list", "--application", shop.name]
    table = cli(*of).stdout.splitlines()
    assert table[0].split()[:4] == ["Deployment", "Application", "Group", "Status"]
    assert [line.split()[0] for line in table[1:]] == [second, first]
    assert "s3://releases/2.zip" in table[1]
    text = cli(*of, "--output", "text", "--group", "Production", "--status", "failed").stdout
    assert text.split("\t")[:4] == [second, shop.name, "Production", "Failed"]
    told = cli.json(*of, "--limit", "1")["deployments"]
    assert [info["deploymentId"] for info in told] == [second] and told[0]["createTime"].endswith("Z")
    assert cli(*of, "--query", "deployments[].deploymentId", "--output", "text").stdout == f"{second}\t{first}\n"
    assert cli(*of, "--query", "length(deployments)").stdout == "2\n"
    assert "no JMESPath expression" in cli(*of, "--query", "a[", expect=USAGE).stderr


def test_an_empty_list_is_said(cli, shop):
    assert cli("deployment", "list", "--application", shop.name).stdout == "There are none.\n"
    assert cli.json("deployment", "list", "--application", shop.name) == {"deployments": []}


def test_a_deployment_is_told_with_what_went_wrong(cli, shop):
    failed = shop.failed()
    told = cli("deployment", "get", failed).stdout
    for word in (shop.host(), "ApplicationStop", "failed with exit code 3", "s3://releases/2.zip", "deployment logs"):
        assert word in told
    assert cli.json("deployment", "get", failed)["targets"][0]["targetId"] == shop.host()
    told = cli("deployment", "get", "d-NOTTHERE1", expect=FAILED).stderr
    assert "DeploymentDoesNotExistException" in told and "longshore deployment list" in told


@pytest.mark.parametrize("how, code", [("carry_out", 0), ("fail", FAILED)])
def test_watching_tells_each_event_and_how_it_ended(cli, shop, how, code):
    deployment = shop.deploy()
    with Meanwhile(getattr(shop, how)):
        told = cli("deployment", "watch", deployment, expect=code).stdout
    assert "\x1b" not in told, "no control sequences in a pipe"
    verdict = "Failed" if code else "Succeeded"
    assert f"{shop.host()}  ApplicationStop  {verdict}" in told
    assert f"{deployment}  {shop.name}/Production  {verdict}" in told
    assert ("| [stderr]no such service" in told) == bool(code)


def test_a_stopped_deployment_ends_its_watching_with_2(cli, shop):
    deployment = shop.deploy()
    command = shop.next()
    told = cli("deployment", "stop", deployment).stdout
    assert deployment in told and "Pending" in told
    shop.agents["Production"].carry_out(command)
    told = cli("deployment", "watch", deployment, expect=STOPPED).stdout
    assert "MANUAL_STOP" in told
    told = cli("deployment", "stop", deployment, expect=FAILED).stderr
    assert f"{deployment} was not stopped" in told and "DeploymentAlreadyCompletedException" in told


def test_a_running_deployment_is_rolled_back(cli, shop):
    shop.succeeded("1.zip")
    deployment = shop.deploy("2.zip")
    command = shop.next()

    def host():
        agent, ours, of_rollback = shop.agents["Production"], command, 0
        agent.carry_out(ours)
        # Until the stop arrives, the deployment goes on.
        while of_rollback < EVENTS:
            ours = shop.next()
            agent.carry_out(ours)
            of_rollback += ours["DeploymentExecutionId"] != command["DeploymentExecutionId"]

    with Meanwhile(host):
        told = cli("deployment", "rollback", deployment, "--watch").stdout
    rollback = shop.information(deployment)["rollbackInfo"]["rollbackDeploymentId"]
    assert f"{rollback}  {shop.name}/Production  Succeeded" in told
    again = cli("deployment", "rollback", deployment, expect=USAGE).stderr
    assert f"rolled back already, by {rollback}" in again


def test_an_ended_deployment_is_rolled_back_and_repeated(cli, shop):
    first = shop.succeeded("1.zip")
    assert "replaced nothing" in cli("deployment", "rollback", first, expect=USAGE).stderr
    second = shop.succeeded("2.zip")
    back = cli("deployment", "rollback", second, "--output", "text").stdout.strip()
    assert "has not ended" in cli("deployment", "retry", back, expect=USAGE).stderr
    shop.carry_out()
    told = shop.ended(back)
    assert told["revision"]["s3Location"]["key"] == "1.zip" and second in told["description"]
    with Meanwhile(shop.carry_out):
        cli("deployment", "retry", second, "--watch")
    again = cli.json("deployment", "list", "--application", shop.name, "--limit", "1")["deployments"][0]
    assert again["revision"]["s3Location"]["key"] == "2.zip" and second in again["description"]


def test_groups_are_told(cli, shop):
    deployment = shop.succeeded()
    table = cli("group", "list", "--application", shop.name).stdout
    assert f"{deployment} Succeeded" in table and "never" in table
    told = cli("group", "get", "--application", shop.name, "--group", "Production").stdout
    assert f"tagged Name={shop.host()}" in told and "s3://releases/1.zip" in told
    names = cli("group", "list", "--query", "deploymentGroups[].deploymentGroupName", "--output", "text").stdout
    assert "Staging" in names.split()
    told = cli("group", "get", "--application", shop.name, "--group", "Nope", expect=FAILED).stderr
    assert "DeploymentGroupDoesNotExistException" in told and "longshore group list" in told
    assert "ApplicationDoesNotExist" in cli("group", "list", "-a", unique("none"), expect=FAILED).stderr


def test_hosts_are_told_with_what_they_have(cli, shop):
    of = ["hosts", "--application", shop.name, "--group", "Production"]
    told = cli(*of).stdout.splitlines()
    assert len(told) == 2 and told[1].split() == [shop.host(), "never", "nothing"]
    shop.succeeded("1.zip")
    shop.failed("2.zip")
    (host,) = cli.json(*of)["hosts"]
    (installed,) = host["installed"]
    assert (host["targetId"], host["kind"], host["secondsSinceSeen"] < 60) == (shop.host(), "OnPremises", True)
    assert installed["revision"]["s3Location"]["key"] == "1.zip"
    assert (installed["current"], installed["healthy"]) == (True, False)
    told = cli(*of).stdout
    assert "current" in told and "s3://releases/1.zip" in told and "failed" in told and " s ago" in told
    assert cli(*of, "--silent-after", "1h").stdout == "There are none.\n"
    longshore.wait_until(lambda: cli.json(*of, "--silent-after", "1s")["hosts"], "a second passes", every=0.2)
    everywhere = cli("hosts", "--query", "hosts[].targetId", "--output", "text").stdout.split()
    assert {shop.host(), shop.host("Staging")} <= set(everywhere)
    cli("hosts", "--application", shop.name, "--group", "Nope", expect=FAILED)
    assert "looks like 90s" in cli(*of, "--silent-after", "soon", expect=USAGE).stderr
    assert "--group" in cli("hosts", "--application", shop.name, expect=USAGE).stderr


def test_alarms_are_told(cli, shop, session):
    watched, missing = unique("errors"), unique("missing")
    session.client("cloudwatch").put_metric_alarm(
        AlarmName=watched, MetricName="Errors", Namespace="Shop", Statistic="Sum", Period=60, EvaluationPeriods=1,
        Threshold=0.5, ComparisonOperator="GreaterThanThreshold",
    )
    session.client("cloudwatch").set_alarm_state(AlarmName=watched, StateValue="ALARM", StateReason="a drill")
    shop.client("codedeploy").update_deployment_group(
        applicationName=shop.name, currentDeploymentGroupName="Production",
        alarmConfiguration={"enabled": True, "alarms": [{"name": watched}, {"name": missing}]},
    )
    told = cli("alarms", "--application", shop.name, "--group", "Production").stdout
    assert "a drill" in told and "MISSING" in told
    assert watched in cli("alarms", "--query", "MetricAlarms[].AlarmName", "--output", "text").stdout.split()
    assert "--group" in cli("alarms", "--application", shop.name, expect=USAGE).stderr


def test_a_revision_is_promoted(cli, shop):
    to = ["promote", "--application", shop.name, "--from", "Staging", "--group"]
    told = cli(*to, "Production", expect=USAGE).stderr
    assert "no revision to promote" in told and "longshore deploy DIR" in told
    shop.succeeded("7.zip", "Staging")
    with Meanwhile(shop.carry_out):
        told = cli(*to, "Production")
    assert "Promoting s3://releases/7.zip from Staging to Production" in told.stderr
    assert f"{shop.name}/Production  Succeeded" in told.stdout
    assert "to itself" in cli(*to, "Staging", expect=USAGE).stderr


def test_what_hooks_printed_is_asked_for(cli, shop):
    deployment = shop.succeeded()
    told = cli("deployment", "logs", deployment, "--follow")
    assert told.stdout == "" and "No hook of" in told.stderr
    assert cli.json("deployment", "logs", deployment) == {"chunks": []}
    told = cli("deployment", "logs", deployment, "--target", "nobody", expect=FAILED).stderr
    assert "DeploymentTargetDoesNotExistException" in told


def test_a_deployment_without_hosts_tells_why_it_failed(cli, shop):
    shop.client("codedeploy").update_deployment_group(
        applicationName=shop.name, currentDeploymentGroupName="Staging", onPremisesInstanceTagFilters=[
            {"Key": "Name", "Value": unique("nobody"), "Type": "KEY_AND_VALUE"}],
    )
    deployment = shop.deploy(group="Staging")
    shop.ended(deployment)
    told = cli("deployment", "watch", deployment, expect=FAILED).stdout
    assert "NO_INSTANCES" in told and "0 hosts" not in told


def test_what_hooks_print_is_shown_while_they_run(cli, shop):
    deployment = shop.deploy()
    agent, command = shop.agents["Production"], shop.next()
    agent.acknowledge(command)

    def prints(batch, stream, text):
        chunk = {"Stream": stream, "Time": 1_790_000_000, "Text": text}
        agent.ok("PutHostCommandOutput", HostCommandIdentifier=command["HostCommandIdentifier"], Batch=batch, Chunks=[chunk])

    prints(1, "stdout", "stopping\n")
    so_far = cli("deployment", "logs", deployment).stdout
    assert so_far == f"== {shop.host()} ApplicationStop\nstopping\n"

    def host():
        prints(2, "stderr", "no such service\n")
        agent.succeed(command)
        shop.carry_out(count=6)

    with Meanwhile(host):
        told = cli("deployment", "logs", deployment, "--follow").stdout
    assert told == so_far + "no such service\n"
    of = ["deployment", "logs", deployment, "--output", "text"]
    assert cli(*of, "--event", "Install").stdout == ""
    assert cli(*of, "--event", "ApplicationStop", "--query", "chunks[].stream").stdout == "stdout\tstderr\n"
