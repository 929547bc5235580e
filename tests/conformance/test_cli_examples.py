"""The examples of `aws deploy … help`, each run once by the stock CLI's own code against a live server.

Every member that the documentation shows in an output must be in ours, with a value of the same JSON type. Ids and
names that a server makes are put in place of the documentation's; each example has a region to itself.
"""

import contextlib
import io
import json
import pathlib
import re
import shlex

import awscli
import awscli.clidriver
import pytest

from fixtures import api
from names import unique
from world import ACCOUNT, ENDED, Maker, application_arn, s3_revision

EXAMPLES = pathlib.Path(awscli.__file__).parent / "examples/deploy"
COMMIT = "fa8593600000a31736c051f10d77297000000000"
HOSTS = ["AssetTag12010298EX", "AssetTag23121309EX"]
DEMO_TAG = {"Key": "Name", "Value": "CodeDeployDemo-OnPrem"}
ETAG = "dd56cfdEXAMPLE8e768f9d77fEXAMPLE"
WORDPRESS = {"revisionType": "S3", "s3Location": {
    "bucket": "amzn-s3-demo-bucket", "key": "WordPressApp.zip", "bundleType": "zip", "eTag": ETAG}}


class Stage(Maker):
    """What one example needs, made in the example's own region."""

    def __init__(self, api, session, directory):
        super().__init__(api.another(region=unique("region")), session)
        self.directory = directory
        # What is put in place of the documentation's text.
        self.instead = {
            "us-west-2": self.api.region, "us-east-1": self.api.region, "111122223333": ACCOUNT, "80398EXAMPLE": ACCOUNT,
            "fa85936EXAMPLEa31736c051f10d77297EXAMPLE": COMMIT,
        }

    def nothing(self):
        pass

    def wordpress(self):
        self.fresh_application("WordPress_App")

    def other(self):
        self.wordpress()
        self.fresh_application("MyOther_App")

    def test_app(self):
        self.fresh_application("testApp", tags=[{"Key": "Name", "Value": "testName"}, {"Key": "Type", "Value": "testType"}])

    def group(self):
        self.wordpress()
        self.fresh_group("WordPress_App", "WordPress_DG", ec2TagFilters=[
            {"Key": "Name", "Value": "CodeDeployDemo", "Type": "KEY_AND_VALUE"}])

    def config(self):
        self.fresh_config("ThreeQuartersHealthy")

    def hosts(self):
        for name in HOSTS:
            self.fresh_host(name, tags=[DEMO_TAG])

    def two_groups(self):
        app = self.fresh_application("my-codedeploy-application")
        tags = {"ec2TagSetList": [[{"Key": "Name", "Value": "my-EC2-instance", "Type": "KEY_AND_VALUE"}]]}
        for name in ("my-deployment-group-1", "my-deployment-group-2"):
            self.fresh_group(app, name, ec2TagSet=tags)
        self.deploy(app, "my-deployment-group-1", ENDED)

    def github_revision(self):
        app = self.fresh_application("my-codedeploy-application")
        group, _ = self.fresh_group_of_one_host(app)
        self.deploy(app, group, {"InProgress"}, revision={"revisionType": "GitHub", "gitHubLocation": {
            "repository": "my-github-token/my-repository", "commitId": COMMIT}})

    def revisions(self):
        self.wordpress()
        for key in ("WordPress_App.zip", "WordPress_App_2-0.zip"):
            self.api.ok("RegisterApplicationRevision", applicationName="WordPress_App", revision={
                "revisionType": "S3", "s3Location": {"bucket": "amzn-s3-demo-bucket", "key": key, "bundleType": "zip",
                                                     "version": "uTecLusvCB"}})

    def deployed(self, group="WordPress_DG"):
        """A deployment that succeeded on one host."""
        self.wordpress()
        _, host = self.fresh_group_of_one_host("WordPress_App", group, serve=True)
        deployment = self.deploy("WordPress_App", group, {"Succeeded"}, revision=WORDPRESS,
                                 description="My WordPress app deployment")
        self.instead |= dict.fromkeys(("d-A1B2C3111", "d-A1B2C3123", "d-1A2B3C4D5", "d-QA4G4F9EX"), deployment)
        self.instead |= dict.fromkeys(("i-01a2b3c4d5e6f1111", "i-a1b2c3d4e5f611111", "i-902e9fEX"), host)

    def two_deployments(self):
        self.deployed()
        self.fresh_application("MyOther_App")
        self.fresh_group("MyOther_App", "MyOther_DG")
        revision = s3_revision("MyOtherApp.zip", version="uTecLusEXAMPLEFXtfUcyfV8bEXAMPLE")
        self.instead["d-A1B2C3222"] = self.deploy("MyOther_App", "MyOther_DG", ENDED, revision=revision)

    def running(self):
        self.wordpress()
        group, _ = self.fresh_group_of_one_host("WordPress_App")
        self.instead["d-A1B2C3111"] = self.deploy("WordPress_App", group, {"InProgress"})

    def git_hub(self):
        for name in ("my-github-account", "my-first-token"):
            self.fresh_git_hub_token(name)

    def bundle(self):
        self.wordpress()
        self.session.client("s3").create_bucket(Bucket="amzn-s3-demo-bucket")
        (self.directory / "appspec.yml").write_text("version: 0.0\nos: linux\n")
        self.instead["/tmp/MyLocalDeploymentFolder/"] = str(self.directory)

    def ecs(self):
        self.fresh_application("ecs-deployment", computePlatform="ECS")
        (self.directory / "create-deployment.json").write_text(json.dumps({
            "applicationName": "ecs-deployment", "deploymentGroupName": "ecs-deployment-dg",
            "revision": {"revisionType": "S3", "s3Location": {
                "bucket": "ecs-deployment-bucket", "key": "appspec.yaml", "bundleType": "YAML"}}}))


# Example -> what it needs.
NEEDS = {
    "add-tags-to-on-premises-instances": Stage.hosts,
    "batch-get-application-revisions": Stage.github_revision,
    "batch-get-applications": Stage.other,
    "batch-get-deployment-groups": Stage.two_groups,
    "batch-get-deployment-targets": Stage.deployed,
    "batch-get-deployments": Stage.two_deployments,
    "batch-get-on-premises-instances": Stage.hosts,
    "continue-deployment": Stage.running,
    "create-application": Stage.nothing,
    "create-deployment": Stage.group,
    "create-deployment-config": Stage.nothing,
    "create-deployment-group": Stage.wordpress,
    "delete-application": Stage.wordpress,
    "delete-deployment-config": Stage.config,
    "delete-deployment-group": Stage.group,
    "delete-git-hub-account-token": Stage.git_hub,
    "deregister": Stage.hosts,
    "deregister-on-premises-instance": Stage.hosts,
    "get-application": Stage.wordpress,
    "get-application-revision": Stage.deployed,
    "get-deployment": Stage.deployed,
    "get-deployment-config": Stage.config,
    "get-deployment-group": Stage.group,
    "get-deployment-instance": Stage.deployed,
    "get-deployment-target": Stage.deployed,
    "get-on-premises-instance": Stage.hosts,
    "install": Stage.nothing,
    "list-application-revisions": Stage.revisions,
    "list-applications": Stage.other,
    "list-deployment-configs": Stage.config,
    "list-deployment-groups": Stage.group,
    "list-deployment-instances": Stage.deployed,
    "list-deployment-targets": Stage.running,
    "list-deployments": Stage.deployed,
    "list-git-hub-account-token-names": Stage.git_hub,
    "list-on-premises-instances": Stage.hosts,
    "list-tags-for-resource": Stage.test_app,
    "push": Stage.bundle,
    "register": Stage.nothing,
    "register-application-revision": Stage.wordpress,
    "register-on-premises-instance": Stage.nothing,
    "remove-tags-from-on-premises-instances": Stage.hosts,
    "stop-deployment": Stage.running,
    "tag-resource": Stage.test_app,
    "uninstall": Stage.nothing,
    "untag-resource": Stage.test_app,
    "update-application": Stage.wordpress,
    "update-deployment-group": Stage.group,
    "wait/deployment-successful": Stage.deployed,
}

# What of a documented command is left out, and why.
LEFT_OUT = {
    "create-deployment-group": (r"--auto-scaling-groups \S+ ", "there are no Auto Scaling groups on this server"),
    "update-deployment-group": (r"--auto-scaling-groups \S+ ", "there are no Auto Scaling groups on this server"),
    "list-application-revisions": (r"(?<=--s)-(?=3)", "the CLI itself calls the options --s3-bucket and --s3-key-prefix"),
}

# Members that an output cannot show as documented, and why.
NOT_SHOWN = {
    ("get-application-revision", "revisionInfo.deploymentGroups"):
        "the documentation shows one name; the API's model has a list of names, which is answered",
    ("get-deployment-group", "deploymentGroupInfo.autoScalingGroups[]"):
        "there are no Auto Scaling groups on this server",
    ("list-deployment-groups", "applicationName"):
        "the CLI leaves it out itself when it puts pages together",
    ("list-deployments", "deployments[]"): "no deployment was made in the year 2014",
}

# Examples that must fail: what the CLI says, and why.
REFUSED = {
    "continue-deployment": ("UnsupportedActionForDeploymentTypeException", "this server deploys in place"),
    "install": ("operating systems are supported", "the CLI itself refuses every system but old Ubuntu and RHEL"),
    "uninstall": ("operating systems are supported", "the CLI itself refuses every system but old Ubuntu and RHEL"),
}


def documented(name):
    """(command, output) of each example of a file; the output is None where the documentation shows none."""
    lines = (EXAMPLES / f"{name}.rst").read_text().split("\n")
    found = []
    at = 0
    while at < len(lines):
        if re.match(r"^ {4}aws deploy ", lines[at]):
            command = lines[at].strip()
            while command.endswith("\\"):
                at += 1
                command = command[:-1] + lines[at].strip()
            found.append([command, None])
        elif re.match(r"^ {4}\{", lines[at]) and found and found[-1][1] is None:
            block = []
            while at < len(lines) and (lines[at].startswith("    ") or not lines[at].strip()):
                block.append(lines[at])
                at += 1
            found[-1][1] = json.loads("\n".join(block))
        at += 1
    # What `push`, `register` and `deregister` print contains commands for a person to run next.
    return found[:1] if name in ("push", "register", "deregister") else found


class Cli:
    """The stock CLI in this process: starting Python anew for each example costs most of a second."""

    def __init__(self, environment, region, directory, monkeypatch):
        for name, value in (environment | {"AWS_DEFAULT_REGION": region}).items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(directory)

    def __call__(self, command):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = awscli.clidriver.create_clidriver().main(shlex.split(command)[1:])
        # The customisations end without a status where they succeed.
        return status or 0, out.getvalue(), err.getvalue()


def paths(value, place=""):
    """Every member of a JSON value with the type of its value; elements of a list are taken together."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from paths(member, f"{place}.{name}" if place else name)
    elif isinstance(value, list):
        yield place, "list"
        for item in value:
            yield from paths(item, f"{place}[]")
    else:
        yield place, "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value).__name__


@pytest.fixture
def stage(api, session, tmp_path):
    return Stage(api, session, tmp_path)


@pytest.fixture
def cli(stage, session, monkeypatch):
    return Cli(session.environment(), stage.api.region, stage.directory, monkeypatch)


def test_every_example_is_run():
    found = {str(path.relative_to(EXAMPLES).with_suffix("")) for path in EXAMPLES.rglob("*.rst")}
    assert found == set(NEEDS)
    assert set(LEFT_OUT) | set(REFUSED) | {name for name, _ in NOT_SHOWN} <= found


@pytest.mark.parametrize("name", NEEDS)
def test_an_example_of_the_cli(stage, cli, name):
    command, output = documented(name)[0]
    NEEDS[name](stage)
    for text, instead in stage.instead.items():
        command = command.replace(text, instead)
    if name in LEFT_OUT:
        command, number = re.subn(LEFT_OUT[name][0], "", command)
        assert number
    if name in ("install", "uninstall"):
        skip_where_the_cli_would_do_it()
    status, out, err = cli(command)
    if name in REFUSED:
        assert status == 255 and REFUSED[name][0] in err, err
        return
    assert status == 0, err
    assert "ERROR" not in err
    if output is not None:
        compare(name, output, json.loads(out))


def compare(name, documentation, answer):
    excused = {path for example, path in NOT_SHOWN if example == name}
    missing = set(paths(documentation)) - set(paths(answer))
    assert {path for path, _ in missing} == excused, missing


def skip_where_the_cli_would_do_it():
    """On Ubuntu these two would really change the machine."""
    release = pathlib.Path("/etc/lsb-release")
    if release.exists() and "Ubuntu" in release.read_text():
        pytest.skip("this is Ubuntu, where the CLI would install and remove packages")


def test_the_example_of_an_ecs_deployment_is_refused(stage, cli):
    """There is no second platform; the record of its application is as far as it goes."""
    stage.ecs()
    command = documented("create-deployment")[1][0].replace("us-east-1", stage.api.region)
    status, _, err = cli(command)
    assert status == 255 and "DeploymentGroupDoesNotExistException" in err
    made = stage.api.send("CreateDeploymentGroup", {
        "applicationName": "ecs-deployment", "deploymentGroupName": "ecs-deployment-dg",
        "serviceRoleArn": f"arn:aws:iam::{ACCOUNT}:role/x"})
    assert made.error == "InvalidInputException" and "servers only" in made.message


class TestCustomisations:
    """`push`, `register` and `deregister` are programs inside the CLI, of several calls each."""

    def test_push_registers_a_revision_that_its_own_words_deploy(self, stage, cli, session):
        stage.bundle()
        stage.fresh_group("WordPress_App", "WordPress_DG")
        status, out, err = cli(f"aws deploy push --application-name WordPress_App --source {stage.directory} "
                               "--s3-location s3://amzn-s3-demo-bucket/pushed.zip")
        assert status == 0, err
        printed = out.splitlines()[-1]
        assert "version=" not in printed
        for blank, value in (("<deployment-group-name>", "WordPress_DG"), ("<description>", "pushed"),
                             ("<deployment-config-name>", "CodeDeployDefault.AllAtOnce")):
            printed = printed.replace(blank, value)
        status, out, err = cli(printed)
        assert status == 0, err
        etag = session.client("s3").head_object(Bucket="amzn-s3-demo-bucket", Key="pushed.zip")["ETag"].strip('"')
        info = stage.api.ok("GetDeployment", deploymentId=json.loads(out)["deploymentId"])["deploymentInfo"]
        assert info["revision"]["s3Location"]["eTag"] == etag

    def test_push_without_appspec_sends_nothing(self, stage, cli):
        stage.wordpress()
        status, _, err = cli(f"aws deploy push --application-name WordPress_App --source {stage.directory} "
                             "--s3-location s3://amzn-s3-demo-bucket/none.zip")
        assert status == 255 and "appspec.yml was not found" in err
        assert stage.api.ok("ListApplicationRevisions", applicationName="WordPress_App")["revisions"] == []

    def test_a_host_is_registered_with_a_user_of_its_own_and_deregistered_with_it(self, stage, cli, session):
        name, iam = unique("host"), session.client("iam")
        region = stage.api.region
        status, out, err = cli(f"aws deploy register --instance-name {name} --tags Key=a,Value=b --region {region}")
        assert status == 0 and "ERROR" not in err, err
        assert out.count("DONE") == 6, out
        info = stage.api.ok("GetOnPremisesInstance", instanceName=name)["instanceInfo"]
        assert info["iamUserArn"] == f"arn:aws:iam::{ACCOUNT}:user/AWS/CodeDeploy/{name}"
        assert info["tags"] == [{"Key": "a", "Value": "b"}]
        written = (stage.directory / "codedeploy.onpremises.yml").read_text()
        assert info["iamUserArn"] in written
        assert iam.list_access_keys(UserName=name)["AccessKeyMetadata"]

        status, out, err = cli(f"aws deploy deregister --instance-name {name} --region {region}")
        assert status == 0 and "ERROR" not in err, err
        info = stage.api.ok("GetOnPremisesInstance", instanceName=name)["instanceInfo"]
        assert info["deregisterTime"] and info["tags"] == []
        with pytest.raises(iam.exceptions.NoSuchEntityException):
            iam.get_user(UserName=name)

    def test_what_the_service_refuses_is_told_with_status_0(self, stage, cli):
        """The CLI's own way: only faults in the arguments end it with 255."""
        stage.fresh_host("taken")
        status, _, err = cli(f"aws deploy register --instance-name taken --iam-user-arn arn:aws:iam::{ACCOUNT}:user/u1 "
                             f"--region {stage.api.region}")
        assert status == 0
        assert "ERROR" in err and "InstanceNameAlreadyRegisteredException" in err


def test_tags_shown_by_the_cli_are_those_of_the_resource(stage, cli):
    stage.test_app()
    arn = application_arn("testApp").replace("us-east-1", stage.api.region)
    _, out, _ = cli(f"aws deploy list-tags-for-resource --resource-arn {arn}")
    assert json.loads(out)["Tags"] == [{"Key": "Name", "Value": "testName"}, {"Key": "Type", "Value": "testType"}]
