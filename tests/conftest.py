"""Fixtures: servers with their own data directories, and the stock clients pointed at them.

`server` is a plain control plane (once on SQLite, and once on PostgreSQL where LONGSHORE_TEST_POSTGRES_URL names
one); `dev` is one with local instances, and is skipped with a reason where the machine cannot have any.
"""

import contextlib
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import uuid

import boto3
import botocore.config
import botocore.exceptions
import botocore.session
import pytest

import longshore
import receiver

REGION = "us-east-1"
POSTGRES = os.environ.get("LONGSHORE_TEST_POSTGRES_URL")


def pytest_addoption(parser):
    parser.addoption("--update", action="store_true", help="write docs/compatibility.md anew")
    parser.addoption("--minute", action="store_true", help="let the mixed crowd of clients run for a whole minute")


class Clients:
    """boto3 clients of one server for one set of credentials."""

    def __init__(self, endpoint, access_key, secret_key, token=None):
        self.endpoint, self.access_key, self.secret_key, self.token = endpoint, access_key, secret_key, token
        self.boto = boto3.Session(
            aws_access_key_id=access_key, aws_secret_access_key=secret_key, aws_session_token=token, region_name=REGION
        )
        self._made = {}

    def client(self, service, **config):
        """A client for the service. Errors are never retried: the first answer is the one that is judged."""
        key = (service, tuple(sorted(config.items())))
        if key not in self._made:
            self._made[key] = self.boto.client(
                service,
                endpoint_url=self.endpoint,
                config=botocore.config.Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"}, **config),
            )
        return self._made[key]

    def longshore(self, region=REGION):
        """A client for longshore's own operations, by the model that the server publishes."""
        if ("longshore", region) not in self._made:
            place = pathlib.Path(tempfile.mkdtemp(prefix="longshore-models-"))
            try:
                longshore.fetch_models(self.endpoint, place)
                # botocore lists its services once a session, when that is made.
                session = botocore.session.Session()
                session.set_config_variable("data_path", str(place))
                keys = {"aws_access_key_id": self.access_key, "aws_secret_access_key": self.secret_key,
                        "aws_session_token": self.token}
                boto = boto3.Session(botocore_session=session, region_name=region, **keys)
                config = botocore.config.Config(retries={"max_attempts": 0})
                self._made["longshore", region] = boto.client("longshore", endpoint_url=self.endpoint, config=config)
            finally:
                shutil.rmtree(place)
        return self._made["longshore", region]

    def resource(self, service):
        return self.boto.resource(service, endpoint_url=self.endpoint)

    def environment(self):
        """What the stock CLI needs to reach the server, and nothing of the user's own configuration."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "LONGSHORE_DATA"))}
        return inherited | {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": "/nonexistent",
            "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_PAGER": "",
            "PATH": f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}",
        } | ({"AWS_SESSION_TOKEN": self.token} if self.token else {})


class Aws:
    """The stock CLI: `aws("deploy", "list-applications")`, or `aws.json(...)` for the parsed answer."""

    def __init__(self, clients):
        self.environment = clients.environment()

    def __call__(self, *arguments, check=True, cwd=None, timeout=120):
        result = subprocess.run(
            ["aws", *map(str, arguments)],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, env=self.environment, cwd=cwd, timeout=timeout,
        )
        if check and result.returncode != 0:
            raise AssertionError(f"aws {' '.join(map(str, arguments))} ended with {result.returncode}:\n{result.stderr}")
        return result

    def json(self, *arguments, **options):
        output = self(*arguments, "--output", "json", **options).stdout
        return json.loads(output) if output.strip() else None


def _state_directory(prefix):
    """Below `.longshore`, not in the system's folder for temporary files: an overlay cannot lie on every file system."""
    base = longshore.REPOSITORY / ".longshore/tests"
    base.mkdir(parents=True, exist_ok=True)
    run = os.environ.get("LONGSHORE_TEST_RUN", "by-hand")
    made = pathlib.Path(tempfile.mkdtemp(prefix=f"{run}-{prefix}-", dir=base))
    # While this process lives, the next run of the tests does not take the directory for a leftover.
    (made / "owner").write_text(str(os.getpid()))
    return made


@pytest.fixture(scope="session")
def start_longshore():
    """Starts servers that end with the session: `start_longshore(mode="dev")`. `prepare` is given the path of the data
    directory before the server is started."""
    started = []

    def start(mode="server", database_url=None, arguments=(), prepare=None):
        home = _state_directory(mode)
        if prepare:
            prepare(home / "data")
        running = longshore.Longshore(home / "data", mode, database_url, arguments)
        started.append((running, home))
        return running.start()

    yield start
    problems = []
    for running, home in reversed(started):
        try:
            running.stop()
            shutil.rmtree(home)
        except (AssertionError, OSError) as problem:
            problems.append(f"{home}: {problem}")
    assert not problems, "\n".join(problems)


def _fresh_database(url):
    name = f"pytest_{uuid.uuid4().hex}"
    subprocess.run(["psql", "--quiet", url, "-c", f"create database {name}"], check=True, stdin=subprocess.DEVNULL)
    return url.rsplit("/", 1)[0] + f"/{name}"


@pytest.fixture(scope="session", params=["sqlite", "postgres"] if POSTGRES else ["sqlite"])
def server(request, start_longshore):
    """A plain `longshore server`, shared by all tests: each names what it makes uniquely."""
    return start_longshore(database_url=_fresh_database(POSTGRES) if request.param == "postgres" else None)


@pytest.fixture(scope="session")
def endpoint(server):
    return server.endpoint


@pytest.fixture(scope="session")
def credentials(server):
    """(access key id, secret access key) of the server's root user."""
    return server.root_credentials()


@pytest.fixture(scope="session")
def session(endpoint, credentials):
    """`session.client("codedeploy")`: boto3 clients of the shared server."""
    return Clients(endpoint, *credentials)


@pytest.fixture(scope="session")
def own(session):
    """boto3's client of longshore's own API."""
    return session.longshore()


@pytest.fixture
def hook():
    """Somebody who is posted to."""
    made = receiver.Receiver()
    yield made
    made.close()


@pytest.fixture(scope="session")
def aws(session):
    """`aws("deploy", "list-applications")`: the stock CLI against the shared server."""
    return Aws(session)


def refusal(call, **arguments):
    """The code of the error that a call must end with."""
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"]


class Dev:
    """A `longshore dev`, its clients, and the few moves that all tests with instances share."""

    def __init__(self, running):
        self.longshore = running
        self.endpoint = running.endpoint
        self.session = Clients(running.endpoint, *running.root_credentials())
        self.aws = Aws(self.session)
        self.client = self.session.client
        self.shell = running.shell

    def from_the_machine(self, instance, *command):
        """Runs a program in an instance's mount name space with all of the machine's rights."""
        subprocess.run(
            ["nsenter", "--mount", "--root", "--target", str(self.first_process(instance)), *command],
            check=True, stdin=subprocess.DEVNULL,
        )

    def first_process(self, instance):
        """The process, as the machine counts, with which everything in an instance ends."""
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
                except OSError:
                    continue
                if any(word.endswith("sandbox-init") for word in words) and any(instance in word for word in words):
                    return int(entry.name)
        raise AssertionError(f"{instance} has no first process")

    @contextlib.contextmanager
    def cut_off(self, instance):
        """Takes an instance off the network, as when somebody pulls its plug, and puts it back."""
        inside = ["nsenter", "--net", "--target", str(self.first_process(instance)), "ip", "-json", "link", "show", "type", "veth"]
        (link,) = json.loads(subprocess.run(inside, check=True, capture_output=True, stdin=subprocess.DEVNULL).stdout)
        # The other end of its cable, in the machine.
        (name,) = [name for number, name in socket.if_nameindex() if number == link["link_index"]]
        set_link = ["ip", "link", "set", "dev", name]
        subprocess.run([*set_link, "down"], check=True, stdin=subprocess.DEVNULL)
        try:
            yield
        finally:
            subprocess.run([*set_link, "up"], check=True, stdin=subprocess.DEVNULL)

    def make_instance_profile(self, name="CodeDeployInstanceRole"):
        iam = self.client("iam")
        trust = json.dumps({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}]})
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
        iam.attach_role_policy(
            RoleName=name, PolicyArn="arn:aws:iam::aws:policy/service-role/AmazonEC2RoleforAWSCodeDeploy"
        )
        iam.create_instance_profile(InstanceProfileName=name)
        iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)

    def run_instances(self, count=1, tag=None, **options):
        """Starts instances and waits until they run; `tag` becomes the tag `CDG`. Returns their ids."""
        if tag:
            options["TagSpecifications"] = [{"ResourceType": "instance", "Tags": [{"Key": "CDG", "Value": tag}]}]
        answer = self.client("ec2").run_instances(MinCount=count, MaxCount=count, **options)
        ids = [instance["InstanceId"] for instance in answer["Instances"]]
        self.wait_for_state(ids, "running")
        return ids

    def instances(self, ids):
        answer = self.client("ec2").describe_instances(InstanceIds=ids)
        return [instance for reservation in answer["Reservations"] for instance in reservation["Instances"]]

    def wait_for_state(self, ids, state, seconds=30):
        longshore.wait_until(
            lambda: all(found["State"]["Name"] == state for found in self.instances(ids)), f"{ids} {state}", seconds
        )

    def address(self, instance):
        return self.instances([instance])[0]["PrivateIpAddress"]

    def make_application(self, name, tag):
        """An application with one group `Hosts`, whose hosts carry the tag `CDG` with that value."""
        deploy = self.client("codedeploy")
        deploy.create_application(applicationName=name)
        deploy.create_deployment_group(
            applicationName=name,
            deploymentGroupName="Hosts",
            ec2TagFilters=[{"Key": "CDG", "Value": tag, "Type": "KEY_AND_VALUE"}],
            serviceRoleArn="arn:aws:iam::EXAMPLE:role/CodeDeploy",
        )

    def upload(self, bucket, key, body):
        """Puts an object, making its bucket where needed; returns the eTag without quotes."""
        s3 = self.client("s3")
        try:
            s3.create_bucket(Bucket=bucket)
        except s3.exceptions.BucketAlreadyOwnedByYou:
            pass
        return s3.put_object(Bucket=bucket, Key=key, Body=body)["ETag"].strip('"')

    def deploy(self, application, bucket, key, bundle_type="zip", **location):
        """Starts a deployment to the group `Hosts` and returns its id."""
        return self.client("codedeploy").create_deployment(
            applicationName=application,
            deploymentGroupName="Hosts",
            revision={
                "revisionType": "S3",
                "s3Location": {"bucket": bucket, "key": key, "bundleType": bundle_type} | location,
            },
        )["deploymentId"]

    def deployment(self, deployment):
        return self.client("codedeploy").get_deployment(deploymentId=deployment)["deploymentInfo"]

    def wait_for_end(self, deployment, seconds=90):
        """Waits for the verdict and returns the deployment's information."""
        def ended():
            info = self.deployment(deployment)
            return info if info["status"] in ("Succeeded", "Failed", "Stopped") else None

        return longshore.wait_until(ended, f"{deployment} ends", seconds, every=0.1)

    def targets(self, deployment):
        """Every target of a deployment, by its id."""
        deploy = self.client("codedeploy")
        ids = deploy.list_deployment_targets(deploymentId=deployment)["targetIds"]
        answer = deploy.batch_get_deployment_targets(deploymentId=deployment, targetIds=ids)
        found = [target["instanceTarget"] for target in answer["deploymentTargets"]]
        return {target["targetId"]: target for target in found}


@pytest.fixture(scope="session")
def start_dev(start_longshore):
    """Starts servers with local instances; skips, with the server's own reason, where there can be none."""

    def start(**options):
        dev = Dev(start_longshore(mode="dev", **options))
        try:
            dev.client("ec2").run_instances(MinCount=1, MaxCount=1, DryRun=True)
        except botocore.exceptions.ClientError as error:
            if error.response["Error"]["Code"] != "DryRunOperation":
                pytest.skip(error.response["Error"]["Message"])
        return dev

    return start


@pytest.fixture(scope="session")
def dev(start_dev):
    """A `longshore dev` with the instance profile `CodeDeployInstanceRole`, shared by the tests of hosts."""
    made = start_dev()
    made.make_instance_profile()
    return made
