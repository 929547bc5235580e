"""Requests that no SDK would send: signed by botocore's own code, then bent."""

import datetime
import http.client
import json
import urllib.parse

import botocore.auth
import botocore.awsrequest
import botocore.credentials

REGION = "us-east-1"


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def error(self):
        """The name of a JSON 1.1 error."""
        return json.loads(self.body)["__type"].rpartition("#")[2]

    @property
    def message(self):
        found = json.loads(self.body)
        return found.get("message") or found.get("Message")


def send(endpoint, method, path, headers, body, timeout=30):
    """Sends exactly this, and returns what comes back."""
    address = urllib.parse.urlsplit(endpoint)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=timeout)
    try:
        try:
            connection.request(method, path, body=body, headers=dict(headers))
        except BrokenPipeError:
            # A server may refuse before it has read the whole body; its answer is there all the same.
            pass
        answer = connection.getresponse()
        return Answer(answer.status, dict(answer.getheaders()), answer.read())
    finally:
        connection.close()


def signed(clients, service, method="POST", path="/", headers=None, body=b"", *, shift_seconds=0, bend=None):
    """Signs a request as botocore does, with the signer's clock shifted, and lets `bend(request)` alter it afterwards."""
    keys = botocore.credentials.Credentials(clients.access_key, clients.secret_key, clients.token)
    request = botocore.awsrequest.AWSRequest(
        method=method, url=clients.endpoint + path, data=body, headers=dict(headers or {})
    )
    signer = (botocore.auth.S3SigV4Auth if service == "s3" else botocore.auth.SigV4Auth)(keys, service, REGION)
    with shifted_clock(shift_seconds):
        signer.add_auth(request)
    if bend:
        bend(request)
    return send(clients.endpoint, method, path, request.headers.items(), request.data)


class shifted_clock:
    """botocore's signers ask one function for the time."""

    def __init__(self, seconds):
        self.seconds = seconds

    def __enter__(self):
        self.original = botocore.auth.get_current_datetime
        now = self.original() + datetime.timedelta(seconds=self.seconds)
        botocore.auth.get_current_datetime = lambda *arguments, **options: now

    def __exit__(self, *_):
        botocore.auth.get_current_datetime = self.original


def codedeploy(clients, operation, body, content_type="application/x-amz-json-1.1", **options):
    """A CodeDeploy call with any body at all."""
    headers = {"X-Amz-Target": f"CodeDeploy_20141006.{operation}", "Content-Type": content_type}
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    return signed(clients, "codedeploy", headers=headers, body=body, **options)
