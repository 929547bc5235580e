"""Raw CodeDeploy calls, signed by botocore's signer, over one connection that stays open."""

import http.client
import json
import urllib.parse

import botocore.auth
import botocore.awsrequest
import botocore.credentials

TARGET = {
    "codedeploy": "CodeDeploy_20141006",
    "codedeploy-commands": "CodeDeployCommandService_v20141006",
    "longshore": "Longshore_20261124",
}


class Refusal(AssertionError):
    """A call that should have succeeded did not."""


class Answer:
    def __init__(self, operation, status, headers, body):
        self.operation, self.status, self.headers, self.body = operation, status, headers, body

    @property
    def json(self):
        return json.loads(self.body) if self.body else None

    @property
    def error(self):
        """The error's name as clients read it; None for a success."""
        if self.status < 300:
            return None
        return self.json["__type"].rpartition("#")[2].partition(":")[0]

    @property
    def message(self):
        return self.json.get("message") or ""

    def __repr__(self):
        return f"{self.operation}: {self.status} {self.body.decode(errors='replace')[:600]}"


class Caller:
    """One client. Not for several threads at once: `another()` makes one for each."""

    def __init__(self, endpoint, access_key, secret_key, region="us-east-1"):
        self.endpoint, self.region = endpoint, region
        self.keys = (access_key, secret_key)
        address = urllib.parse.urlsplit(endpoint)
        self.connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)

    def another(self, region=None):
        return Caller(self.endpoint, *self.keys, region=region or self.region)

    def send(self, operation, body, service="codedeploy"):
        """Sends any body at all."""
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        headers = {
            "X-Amz-Target": f"{TARGET[service]}.{operation}",
            "Content-Type": "application/x-amz-json-1.1",
        }
        request = botocore.awsrequest.AWSRequest(method="POST", url=f"{self.endpoint}/", data=body, headers=headers)
        signer = botocore.auth.SigV4Auth(botocore.credentials.Credentials(*self.keys), service, self.region)
        signer.add_auth(request)
        self.connection.request("POST", "/", body=body, headers=dict(request.headers.items()))
        answer = self.connection.getresponse()
        return Answer(operation, answer.status, answer.headers, answer.read())

    def ok(self, operation, service="codedeploy", **members):
        """A call that must succeed; its output."""
        answer = self.send(operation, members, service)
        if answer.status != 200:
            raise Refusal(f"{answer!r} to {members}")
        return answer.json
