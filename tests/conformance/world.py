"""The things that good calls need, made once on each server: applications, groups, hosts, deployments in each state.

What a call consumes or changes is made for that call alone, with `fresh_…`.
"""

import json
import threading

import longshore
from caller import Caller
from names import unique

ROLE = "arn:aws:iam::EXAMPLE:role/CodeDeploy"
TOPIC = "arn:aws:sns:us-east-1:123456789012:conformance"
ACCOUNT = "123456789012"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
UNKNOWN_DEPLOYMENT = "d-000000000"
ENDED = {"Succeeded", "Failed", "Stopped"}


def s3_revision(key="v001", **location):
    return {"revisionType": "S3", "s3Location": {"bucket": "releases", "key": key, "bundleType": "zip"} | location}


def github_revision(commit=COMMIT):
    return {"revisionType": "GitHub", "gitHubLocation": {"repository": "octo/shop", "commitId": commit}}


def user_arn():
    return f"arn:aws:iam::{ACCOUNT}:user/AWS/CodeDeploy/{unique('user')}"


def application_arn(name):
    return f"arn:aws:codedeploy:us-east-1:{ACCOUNT}:application:{name}"


def group_arn(application, name):
    return f"arn:aws:codedeploy:us-east-1:{ACCOUNT}:deploymentgroup:{application}/{name}"


class Maker:
    """Makes single things through the API, in the region of its client."""

    def __init__(self, api, session):
        self.api = api
        self.session = session

    def fresh_application(self, name=None, **options):
        name = name or unique("app")
        self.api.ok("CreateApplication", applicationName=name, **options)
        return name

    def fresh_group(self, application, name=None, **options):
        name = name or unique("group")
        self.api.ok("CreateDeploymentGroup", applicationName=application, deploymentGroupName=name,
                    serviceRoleArn=ROLE, **options)
        return name

    def fresh_config(self, name=None):
        name = name or unique("config")
        self.api.ok("CreateDeploymentConfig", deploymentConfigName=name,
                    minimumHealthyHosts={"type": "HOST_COUNT", "value": 1})
        return name

    def fresh_lambda_config(self):
        name = unique("config")
        self.api.ok("CreateDeploymentConfig", deploymentConfigName=name, computePlatform="Lambda",
                    trafficRoutingConfig={"type": "AllAtOnce"})
        return name

    def fresh_git_hub_token(self, name=None):
        name = name or unique("token")
        self.api.ok("PutGitHubAccountToken", "longshore", tokenName=name, token="ghp_0123456789")
        return name

    def fresh_host(self, name=None, arn=None, tags=None):
        name = name or unique("host")
        self.api.ok("RegisterOnPremisesInstance", instanceName=name, iamUserArn=arn or user_arn())
        if tags:
            self.api.ok("AddTagsToOnPremisesInstances", instanceNames=[name], tags=tags)
        return name

    def fresh_group_of_one_host(self, application, name=None, serve=False, **options):
        """(group, host): with `serve`, the host carries out its commands; else it stays silent."""
        tag = {"Key": "only", "Value": unique("tag")}
        keys, arn = self._user() if serve else (None, None)
        host = self.fresh_host(arn=arn, tags=[tag])
        if serve:
            agent = Caller(self.api.endpoint, *keys, region=self.api.region)
            threading.Thread(target=_serve, args=(agent, arn), daemon=True).start()
        filters = [tag | {"Type": "KEY_AND_VALUE"}]
        return self.fresh_group(application, name, onPremisesInstanceTagFilters=filters, **options), host

    def _user(self):
        iam = self.session.client("iam")
        name = unique("agent")
        arn = iam.create_user(Path="/AWS/CodeDeploy/", UserName=name)["User"]["Arn"]
        statement = {"Effect": "Allow", "Action": "codedeploy-commands*:*", "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_user_policy(UserName=name, PolicyName="agent", PolicyDocument=document)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return (key["AccessKeyId"], key["SecretAccessKey"]), arn

    def deploy(self, application, group, until=None, **options):
        """Starts a deployment and, if asked to, waits until it has one of these statuses."""
        if options.get("deploymentMode") != "RESTART":
            options = {"revision": s3_revision()} | options
        deployment = self.api.ok("CreateDeployment", applicationName=application, deploymentGroupName=group,
                                 **options)["deploymentId"]
        if until:
            self.wait(deployment, until)
        return deployment

    def wait(self, deployment, statuses):
        def reached():
            info = self.api.ok("GetDeployment", deploymentId=deployment)["deploymentInfo"]
            return info if info["status"] in statuses else None

        return longshore.wait_until(reached, f"{deployment} becomes one of {sorted(statuses)}", 60, every=0.01)


class World(Maker):
    """One of everything, shared by all calls that change nothing of it."""

    def __init__(self, api, session):
        super().__init__(api, session)
        session.client("sns").create_topic(Name=TOPIC.rpartition(":")[2])
        self.app = self.fresh_application()
        self.group = self.fresh_group(self.app)
        self.config = self.fresh_config()
        self.host = self.fresh_host(tags=[{"Key": "stage", "Value": "shared"}])
        self.deregistered = self.fresh_host()
        api.ok("DeregisterOnPremisesInstance", instanceName=self.deregistered)
        api.ok("RegisterApplicationRevision", applicationName=self.app, revision=s3_revision(), description="first")
        self.ended = self.deploy(self.app, self.group, ENDED)
        self.busy_group, self.idle_host = self.fresh_group_of_one_host(self.app)
        self.running = self.deploy(self.app, self.busy_group, {"InProgress"})
        self.done_group, self.served_host = self.fresh_group_of_one_host(self.app, serve=True)
        self.succeeded = self.deploy(self.app, self.done_group, {"Succeeded"})

    def fresh_running(self):
        group, _ = self.fresh_group_of_one_host(self.app)
        return self.deploy(self.app, group, {"InProgress"})


def _serve(agent, identifier):
    """A host that does nothing and reports success. Ends with the server, or with the process of the tests."""
    commands = "codedeploy-commands"
    report = {"Format": "JSON", "Payload": json.dumps(
        {"error_code": 0, "script_name": "", "message": "Succeeded", "log": ""})}
    try:
        while True:
            command = agent.ok("PollHostCommand", commands, HostIdentifier=identifier).get("HostCommand")
            if command:
                name = command["HostCommandIdentifier"]
                agent.ok("PutHostCommandAcknowledgement", commands, HostCommandIdentifier=name, Diagnostics=report)
                agent.ok("PutHostCommandComplete", commands, HostCommandIdentifier=name, CommandStatus="Succeeded",
                         Diagnostics=report)
    except OSError:
        pass
