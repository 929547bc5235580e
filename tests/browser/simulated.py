"""Many hosts that pretend: registered on-premises instances whose agents are threads that do nothing and report success."""

import http.client
import json
import threading
import time
import urllib.parse

import botocore.auth
import botocore.awsrequest
import botocore.credentials

from conftest import REGION

REPORT = {"Format": "JSON", "Payload": json.dumps({"error_code": 0, "script_name": "", "message": "Succeeded", "log": ""})}


class Fleet:
    """Hosts of a server, all with the tag `fleet` of that value, which work until `close`."""

    def __init__(self, clients, name, count):
        self.clients, self.name = clients, name
        self.names = [f"{name}-{number:04}" for number in range(count)]
        self.tag = {"Key": "fleet", "Value": name}
        # A host that is held here has begun what it was told to do.
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.is_closed = False
        for host in self.names:
            keys, identifier = self._register(host)
            threading.Thread(target=self._work, args=(keys, identifier), daemon=True).start()
        self._tag_all()

    def _register(self, host):
        iam = self.clients.client("iam")
        identifier = iam.create_user(UserName=host)["User"]["Arn"]
        key = iam.create_access_key(UserName=host)["AccessKey"]
        self.clients.client("codedeploy").register_on_premises_instance(instanceName=host, iamUserArn=identifier)
        return botocore.credentials.Credentials(key["AccessKeyId"], key["SecretAccessKey"]), identifier

    def _tag_all(self):
        # Source: CodeDeploy API reference, `AddTagsToOnPremisesInstances`: at most 100 instances a call.
        for first in range(0, len(self.names), 100):
            self.clients.client("codedeploy").add_tags_to_on_premises_instances(
                instanceNames=self.names[first:first + 100], tags=[self.tag])

    def _work(self, keys, identifier):
        address = urllib.parse.urlsplit(self.clients.endpoint)
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=90)
        while not self.is_closed:
            command = self._call(connection, keys, "PollHostCommand", HostIdentifier=identifier).get("HostCommand")
            if command:
                name = {"HostCommandIdentifier": command["HostCommandIdentifier"]}
                self._call(connection, keys, "PutHostCommandAcknowledgement", **name, Diagnostics=REPORT)
                self.may_go_on.wait()
                self._call(connection, keys, "PutHostCommandComplete", **name, CommandStatus="Succeeded", Diagnostics=REPORT)
        connection.close()

    def _call(self, connection, keys, operation, **members):
        """One call, made until it is answered."""
        while not self.is_closed:
            request = botocore.awsrequest.AWSRequest(
                "POST", f"{self.clients.endpoint}/", data=json.dumps(members),
                headers={"Content-Type": "application/x-amz-json-1.1",
                         "X-Amz-Target": f"CodeDeployCommandService_v20141006.{operation}"})
            botocore.auth.SigV4Auth(keys, "codedeploy-commands", REGION).add_auth(request)
            try:
                connection.request("POST", "/", request.data, dict(request.headers.items()))
                answer = connection.getresponse()
                body = answer.read()
            except (OSError, http.client.HTTPException):
                # The server is away, perhaps for a moment; the next request connects anew.
                connection.close()
                time.sleep(0.2)
                continue
            assert answer.status == 200, body
            return json.loads(body)
        return {}

    def close(self):
        """Lets the hosts end; those that wait for a command do with the server."""
        self.is_closed = True
        self.may_go_on.set()

    def make_application(self, application, at_once):
        """An application whose group `Prod` is the fleet, of which so many hosts may be out of service at once."""
        deploy = self.clients.client("codedeploy")
        configuration = f"{application}.{at_once}AtOnce"
        deploy.create_deployment_config(
            deploymentConfigName=configuration,
            minimumHealthyHosts={"type": "HOST_COUNT", "value": len(self.names) - at_once})
        deploy.create_application(applicationName=application)
        deploy.create_deployment_group(
            applicationName=application, deploymentGroupName="Prod", deploymentConfigName=configuration,
            serviceRoleArn="arn:aws:iam::EXAMPLE:role/CodeDeploy",
            onPremisesInstanceTagFilters=[self.tag | {"Type": "KEY_AND_VALUE"}])

    def deploy(self, application):
        """Deploys a revision that nobody fetches; the deployment's id."""
        return self.clients.client("codedeploy").create_deployment(
            applicationName=application, deploymentGroupName="Prod",
            revision={"revisionType": "S3", "s3Location": {"bucket": "none", "key": "v1", "bundleType": "zip"}},
        )["deploymentId"]
