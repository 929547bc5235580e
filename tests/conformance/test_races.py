"""Several clients at the same thing at once: one winner and the documented error; and a mixed crowd, after which the
store is read and held to what must always be true."""

import collections
import concurrent.futures
import random
import sqlite3
import subprocess
import threading
import time

import pytest

from crowd import at_once
from fixtures import api, world
from names import unique
from world import ROLE, application_arn, group_arn, s3_revision, user_arn

RIVALS = 8


def race(api, operation, members):
    """The same call by several clients in the same moment: a count of errors, None for success."""
    start = threading.Barrier(RIVALS)

    def run(number):
        client = api.another()
        client.send("ListGitHubAccountTokenNames", {})
        start.wait()
        return client.send(operation, members(number) if callable(members) else members).error

    with concurrent.futures.ThreadPoolExecutor(RIVALS) as pool:
        return collections.Counter(pool.map(run, range(RIVALS)))


def one_winner(error):
    return {None: 1, f"{error}Exception": RIVALS - 1}


class TestRivals:
    def test_making_an_application(self, api):
        outcome = race(api, "CreateApplication", {"applicationName": unique("race"), "tags": [{"Key": "a"}]})
        assert outcome == one_winner("ApplicationAlreadyExists")

    def test_making_a_group(self, api, world):
        members = {"applicationName": world.app, "deploymentGroupName": unique("race"), "serviceRoleArn": ROLE}
        assert race(api, "CreateDeploymentGroup", members) == one_winner("DeploymentGroupAlreadyExists")

    def test_making_a_configuration(self, api):
        members = {"deploymentConfigName": unique("race"), "minimumHealthyHosts": {"type": "HOST_COUNT"}}
        assert race(api, "CreateDeploymentConfig", members) == one_winner("DeploymentConfigAlreadyExists")

    def test_registering_a_name(self, api):
        name, arns = unique("race"), [user_arn() for _ in range(RIVALS)]
        outcome = race(api, "RegisterOnPremisesInstance", lambda n: {"instanceName": name, "iamUserArn": arns[n]})
        assert outcome == one_winner("InstanceNameAlreadyRegistered")

    def test_registering_an_identity(self, api):
        names, arn = [unique("race") for _ in range(RIVALS)], user_arn()
        outcome = race(api, "RegisterOnPremisesInstance", lambda n: {"instanceName": names[n], "iamUserArn": arn})
        assert outcome == one_winner("IamUserArnAlreadyRegistered")

    def test_renaming_an_application(self, api, world):
        old, new = world.fresh_application(), [unique("race") for _ in range(RIVALS)]
        outcome = race(api, "UpdateApplication", lambda n: {"applicationName": old, "newApplicationName": new[n]})
        assert outcome == one_winner("ApplicationDoesNotExist")

    def test_renaming_to_the_same_name(self, api, world):
        old, new = [world.fresh_application() for _ in range(RIVALS)], unique("race")
        outcome = race(api, "UpdateApplication", lambda n: {"applicationName": old[n], "newApplicationName": new})
        assert outcome == one_winner("ApplicationAlreadyExists")

    def test_renaming_a_group(self, api, world):
        old = world.fresh_group(world.app)
        outcome = race(api, "UpdateDeploymentGroup", lambda n: {
            "applicationName": world.app, "currentDeploymentGroupName": old, "newDeploymentGroupName": f"{old}-{n}"})
        assert outcome == one_winner("DeploymentGroupDoesNotExist")

    def test_deploying_to_a_group(self, api, world):
        group, _ = world.fresh_group_of_one_host(world.app)
        members = {"applicationName": world.app, "deploymentGroupName": group, "revision": s3_revision()}
        assert race(api, "CreateDeployment", members) == one_winner("DeploymentLimitExceeded")

    def test_changing_a_group_loses_no_change(self, api, world):
        """Each client sets another member; all of them are set in the end."""
        group = world.fresh_group(world.app)
        changes = [{"terminationHookEnabled": True}, {"outdatedInstancesStrategy": "IGNORE"},
                   {"alarmConfiguration": {"alarms": [{"name": "a"}]}}, {"serviceRoleArn": f"{ROLE}2"},
                   {"deploymentConfigName": world.config}, {"loadBalancerInfo": {"elbInfoList": [{"name": "b"}]}},
                   {"ec2TagFilters": [{"Key": "k", "Type": "KEY_ONLY"}]},
                   {"autoRollbackConfiguration": {"enabled": True, "events": ["DEPLOYMENT_FAILURE"]}}]
        outcome = race(api, "UpdateDeploymentGroup", lambda n: {
            "applicationName": world.app, "currentDeploymentGroupName": group} | changes[n])
        assert outcome == {None: RIVALS}
        found = api.ok("GetDeploymentGroup", applicationName=world.app, deploymentGroupName=group)["deploymentGroupInfo"]
        for change in changes:
            for member, value in change.items():
                assert found[member] == value

    def test_tagging_loses_no_tag(self, api, world):
        arn = application_arn(world.fresh_application())
        assert race(api, "TagResource", lambda n: {"ResourceArn": arn, "Tags": [{"Key": f"k{n}"}]}) == {None: RIVALS}
        assert len(api.ok("ListTagsForResource", ResourceArn=arn)["Tags"]) == RIVALS

    def test_tagging_a_host_keeps_its_limit(self, api, world):
        host = world.fresh_host(tags=[{"Key": f"t{n}", "Value": "v"} for n in range(6)])
        outcome = race(api, "AddTagsToOnPremisesInstances", lambda n: {
            "instanceNames": [host], "tags": [{"Key": f"k{n}", "Value": "v"}]})
        assert outcome == {None: 4, "TagLimitExceededException": RIVALS - 4}

    @pytest.mark.parametrize("operation, make", [
        ("DeleteApplication", lambda w: {"applicationName": w.fresh_application()}),
        ("DeleteDeploymentGroup", lambda w: {"applicationName": w.app, "deploymentGroupName": w.fresh_group(w.app)}),
        ("DeleteDeploymentConfig", lambda w: {"deploymentConfigName": w.fresh_config()}),
        ("DeregisterOnPremisesInstance", lambda w: {"instanceName": w.fresh_host()}),
        ("StopDeployment", lambda w: {"deploymentId": w.fresh_running()}),
    ], ids=lambda value: value if isinstance(value, str) else "")
    def test_what_is_idempotent_has_only_winners(self, api, world, operation, make):
        assert race(api, operation, make(world)) == {None: RIVALS}

    def test_a_configuration_is_deleted_or_used(self, api, world):
        """Never both: either the group is made, or the configuration is gone."""
        for _ in range(5):
            config = world.fresh_config()
            calls = [("DeleteDeploymentConfig", {"deploymentConfigName": config}), ("CreateDeploymentGroup", {
                "applicationName": world.app, "deploymentGroupName": unique("race"), "serviceRoleArn": ROLE,
                "deploymentConfigName": config})]
            deleted, made = at_once(api, 2, lambda client, n: client.send(*calls[n]).error)
            assert (deleted, made) in {(None, "DeploymentConfigDoesNotExistException"),
                                       ("DeploymentConfigInUseException", None)}

    def test_a_group_of_a_deleted_application_does_not_stay(self, api, world):
        for _ in range(5):
            app, group = world.fresh_application(), unique("race")
            calls = [("DeleteApplication", {"applicationName": app}), ("CreateDeploymentGroup", {
                "applicationName": app, "deploymentGroupName": group, "serviceRoleArn": ROLE})]
            deleted, made = at_once(api, 2, lambda client, n: client.send(*calls[n]).error)
            assert deleted is None and made in (None, "ApplicationDoesNotExistException")
            assert api.send("GetApplication", {"applicationName": app}).error == "ApplicationDoesNotExistException"


# The mixed crowd: many clients, few names, so that they meet all the time.
CLIENTS = 100
SECONDS = 15
PERMITTED = {
    "ApplicationAlreadyExists", "ApplicationDoesNotExist", "DeploymentAlreadyCompleted", "DeploymentConfigAlreadyExists",
    "DeploymentConfigDoesNotExist", "DeploymentConfigInUse", "DeploymentDoesNotExist", "DeploymentGroupAlreadyExists",
    "DeploymentGroupDoesNotExist", "DeploymentLimitExceeded", "DeploymentNotStarted", "IamUserArnAlreadyRegistered",
    "InstanceNameAlreadyRegistered", "InstanceNotRegistered", "RevisionDoesNotExist", "TagLimitExceeded",
    "RevisionRequired",
}


class Mixed:
    """One client of the crowd: random calls on names that all share."""

    def __init__(self, api, seed, prefix, deployments):
        self.api, self.random, self.prefix, self.deployments = api, random.Random(seed), prefix, deployments

    def pick(self, kind, number=6):
        return f"{self.prefix}-{kind}-{self.random.randrange(number)}"

    def call(self):
        """(operation, input) of the next call."""
        app, group, config, host = (self.pick(kind) for kind in ("app", "group", "config", "host"))
        both = {"applicationName": app, "deploymentGroupName": group}
        known = {"deploymentId": self.random.choice(self.deployments or ["d-000000000"])}
        tag = {"Key": f"k{self.random.randrange(14)}", "Value": "v"}
        return self.random.choice([
            ("CreateApplication", {"applicationName": app}),
            ("CreateApplication", {"applicationName": app}),
            ("DeleteApplication", {"applicationName": app}),
            ("UpdateApplication", {"applicationName": app, "newApplicationName": self.pick("app")}),
            ("CreateDeploymentConfig", {"deploymentConfigName": config, "minimumHealthyHosts": {"type": "HOST_COUNT"}}),
            ("DeleteDeploymentConfig", {"deploymentConfigName": config}),
            *[("CreateDeploymentGroup", both | {
                "serviceRoleArn": ROLE, "deploymentConfigName": config,
                "onPremisesInstanceTagFilters": [tag]})] * 4,
            ("UpdateDeploymentGroup", {"applicationName": app, "currentDeploymentGroupName": group,
                                       "newDeploymentGroupName": self.pick("group")}),
            ("DeleteDeploymentGroup", both),
            ("RegisterApplicationRevision", {"applicationName": app, "revision": s3_revision(self.pick("key"))}),
            *[("CreateDeployment", both | {"revision": s3_revision(self.pick("key"))})] * 4,
            ("StopDeployment", known), ("StopDeployment", known), ("GetDeployment", known),
            ("ListDeploymentTargets", known),
            ("RegisterOnPremisesInstance", {
                "instanceName": host, "iamUserArn": f"arn:aws:iam::123456789012:user/{self.pick('user')}"}),
            ("AddTagsToOnPremisesInstances", {"instanceNames": [host], "tags": [tag]}),
            ("RemoveTagsFromOnPremisesInstances", {"instanceNames": [host], "tags": [tag]}),
            ("DeregisterOnPremisesInstance", {"instanceName": host}),
            ("TagResource", {"ResourceArn": application_arn(app), "Tags": [tag]}),
            ("TagResource", {"ResourceArn": group_arn(app, group), "Tags": [tag]}),
            ("ListDeployments", {}), ("ListApplications", {}), ("ListDeploymentGroups", {"applicationName": app}),
            ("GetDeploymentGroup", both), ("ListOnPremisesInstances", {}),
        ])

    def run(self, until):
        outcome = collections.Counter()
        while time.monotonic() < until:
            operation, members = self.call()
            answer = self.api.send(operation, members)
            if answer.status == 200:
                outcome["succeeded"] += 1
                if operation == "CreateDeployment":
                    self.deployments.append(answer.json["deploymentId"])
            elif answer.status == 400 and answer.error.removesuffix("Exception") in PERMITTED:
                outcome["refused"] += 1
            else:
                outcome[f"{operation} {members} -> {answer!r}"] += 1
        return outcome


def test_a_mixed_crowd_leaves_the_store_in_order(api, server, pytestconfig):
    seconds = 60 if pytestconfig.getoption("minute") else SECONDS
    prefix, deployments = unique("mixed"), []
    until = time.monotonic() + seconds
    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        outcomes = list(pool.map(lambda seed: Mixed(api.another(), seed, prefix, deployments).run(until), range(CLIENTS)))
    total = sum(outcomes, collections.Counter())
    assert set(total) <= {"succeeded", "refused"}, total
    assert total["succeeded"] > 100
    assert len(deployments) == len(set(deployments))
    for what, sql in INVARIANTS.items():
        assert rows(server, sql) == [], what
    # The fixture's own connection idled meanwhile, and servers close those.
    later = api.another()
    for deployment in random.Random(1).sample(deployments, min(50, len(deployments))):
        assert later.ok("GetDeployment", deploymentId=deployment)["deploymentInfo"]["deploymentId"] == deployment


# What must always be true, each as a query for what breaks it.
INVARIANTS = {
    "a group belongs to an application": """
        SELECT g.id FROM deployment_groups g LEFT JOIN applications a ON a.id = g.application_id WHERE a.id IS NULL""",
    "a group uses a configuration that exists": """
        SELECT g.id FROM deployment_groups g LEFT JOIN deployment_configs c ON c.region = g.region AND c.name = g.config_name
        WHERE c.id IS NULL AND g.config_name NOT LIKE 'CodeDeployDefault.%'""",
    "a revision belongs to an application": """
        SELECT r.location FROM revisions r LEFT JOIN applications a ON a.id = r.application_id WHERE a.id IS NULL""",
    "a group has one active deployment at most": """
        SELECT group_id FROM deployments WHERE completed IS NULL AND exclusive = 1 GROUP BY group_id HAVING COUNT(*) > 1""",
    "a deployment that is over has no command in hand": """
        SELECT c.id FROM host_commands c JOIN deployments d ON d.id = c.deployment_id
        WHERE c.closed IS NULL AND d.completed IS NOT NULL""",
    "a deployment is over exactly when its status says so": """
        SELECT id FROM deployments WHERE (completed IS NULL) = (status IN ('Succeeded', 'Failed', 'Stopped'))""",
    "a target belongs to a deployment": """
        SELECT t.target_id FROM targets t LEFT JOIN deployments d ON d.id = t.deployment_id WHERE d.id IS NULL""",
    "an active target belongs to an active deployment": """
        SELECT t.target_id FROM targets t JOIN deployments d ON d.id = t.deployment_id
        WHERE d.completed IS NOT NULL AND t.status IN ('Pending', 'InProgress')""",
    "a group's last attempt is one of its own": """
        SELECT g.id FROM deployment_groups g JOIN deployments d ON d.id = g.last_attempted_deployment
        WHERE d.group_id <> g.id""",
    "a registered host holds the claim to its identity, and only such a host does": """
        SELECT c.key FROM documents c WHERE c.kind = 'codedeploy.on_premises_identity' AND NOT EXISTS (
            SELECT 1 FROM documents h WHERE h.kind = 'codedeploy.on_premises_instance'
            AND h.body LIKE '%"' || c.key || '"%' AND h.body LIKE '%"deregistered_ms":null%')""",
}


def rows(server, sql):
    """Reads the store past the server."""
    if server.database_url:
        found = subprocess.run(["psql", "--quiet", "--no-align", "--tuples-only", server.database_url, "-c", sql],
                               check=True, capture_output=True, text=True)
        return found.stdout.split()
    (database,) = [path for path in server.data_dir.rglob("*") if _is_database(path)]
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        return connection.execute(sql).fetchall()


def _is_database(path):
    if not path.is_file():
        return False
    with open(path, "rb") as file:
        return file.read(15) == b"SQLite format 3"
