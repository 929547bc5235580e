"""The operator's command line as a person types it, and a place to deploy to with a simulated host."""

import json
import subprocess
import threading

import pytest

import longshore
from names import unique
from official_agent import OfficialAgent

SUCCEEDED, FAILED, STOPPED, USAGE = 0, 1, 2, 3
EVENTS = 7
ROLE = "arn:aws:iam::EXAMPLE:role/CodeDeploy"


class Cli:
    """`cli("deployment", "list")`: runs longshore with the environment that the stock CLI would have."""

    def __init__(self, clients):
        self.environment = clients.environment()

    def __call__(self, *arguments, expect=SUCCEEDED, cwd=None, environment=None, timeout=120):
        result = subprocess.run(
            [str(longshore.binary()), *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
            env=self.environment | (environment or {}), cwd=cwd, timeout=timeout,
        )
        assert result.returncode == expect, (
            f"longshore {' '.join(map(str, arguments))} ended with {result.returncode}:\n{result.stdout}\n{result.stderr}"
        )
        return result

    def json(self, *arguments, **options):
        return json.loads(self(*arguments, "--output", "json", **options).stdout)


class Shop:
    """An application with the groups Staging and Production, of one host each, which carries out what it is told."""

    def __init__(self, server, session):
        self.client, self.name, self.endpoint = session.client, unique("shop"), server.endpoint
        self.client("codedeploy").create_application(applicationName=self.name)
        self.agents = {group: self._host(group) for group in ("Staging", "Production")}

    def host(self, group="Production"):
        return f"{self.name}-{group}"

    def _host(self, group):
        iam, deploy, host = self.client("iam"), self.client("codedeploy"), self.host(group)
        arn = iam.create_user(UserName=host)["User"]["Arn"]
        key = iam.create_access_key(UserName=host)["AccessKey"]
        deploy.register_on_premises_instance(instanceName=host, iamUserArn=arn)
        deploy.add_tags_to_on_premises_instances(tags=[{"Key": "Name", "Value": host}], instanceNames=[host])
        deploy.create_deployment_group(
            applicationName=self.name, deploymentGroupName=group, serviceRoleArn=ROLE,
            onPremisesInstanceTagFilters=[{"Key": "Name", "Value": host, "Type": "KEY_AND_VALUE"}],
        )
        return OfficialAgent(self.endpoint, arn, key["AccessKeyId"], key["SecretAccessKey"])

    def deploy(self, key="1.zip", group="Production"):
        revision = {"revisionType": "S3", "s3Location": {"bucket": "releases", "key": key, "bundleType": "zip"}}
        return self.client("codedeploy").create_deployment(
            applicationName=self.name, deploymentGroupName=group, revision=revision
        )["deploymentId"]

    def carry_out(self, group="Production", count=EVENTS):
        for _ in range(count):
            self.agents[group].carry_out(self.next(group))

    def next(self, group="Production"):
        return longshore.wait_until(self.agents[group].poll, "a command for the host", every=0)

    def fail(self, group="Production"):
        agent, command = self.agents[group], self.next(group)
        agent.acknowledge(command)
        message = "Script at specified location: stop.sh failed with exit code 3"
        agent.fail(command, 4, "stop.sh", message, "[stderr]no such service\n")

    def succeeded(self, key="1.zip", group="Production"):
        deployment = self.deploy(key, group)
        self.carry_out(group)
        self.ended(deployment)
        return deployment

    def failed(self, key="2.zip", group="Production"):
        deployment = self.deploy(key, group)
        self.fail(group)
        self.ended(deployment)
        return deployment

    def ended(self, deployment):
        def look():
            info = self.information(deployment)
            return info if info["status"] in ("Succeeded", "Failed", "Stopped") else None

        return longshore.wait_until(look, f"{deployment} ends")

    def information(self, deployment):
        return self.client("codedeploy").get_deployment(deploymentId=deployment)["deploymentInfo"]


class Meanwhile:
    """Does something in another thread while a command runs; what goes wrong there fails the test."""

    def __init__(self, action, *arguments):
        self.problem = None

        def run():
            try:
                action(*arguments)
            except BaseException as problem:
                self.problem = problem

        self.thread = threading.Thread(target=run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, *_):
        self.thread.join(60)
        if kind is None and self.problem:
            raise self.problem
        assert kind is not None or not self.thread.is_alive(), "the host still waits for a command"


@pytest.fixture
def cli(session):
    return Cli(session)


@pytest.fixture
def shop(server, session):
    return Shop(server, session)


@pytest.fixture
def folder(tmp_path):
    """A folder that can be deployed, with a link, a program, and things that must not be."""
    made = tmp_path / "build"
    (made / ".git").mkdir(parents=True)
    (made / ".git/config").write_text("secret")
    (made / "appspec.yml").write_text("version: 0.0\nos: linux\n")
    (made / "run.sh").write_text("#!/bin/sh\n")
    (made / "run.sh").chmod(0o755)
    (made / "start").symlink_to("run.sh")
    (made / "debug.log").write_text("noise")
    (made / ".longshoreignore").write_text("*.log\n")
    return made
