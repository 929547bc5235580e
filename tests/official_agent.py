"""What the official agents put on the wire, and what they make of the answers.

The requests are those that the unmodified agents were seen to send: 1.x (Ruby) with the hash of its body among the signed
headers and every failure reported twice, 2.x (Rust) without either, and with answers read strictly.
"""

import hashlib
import json
import re
import subprocess

import raw
from conftest import Clients

FIRST = {"target": "CodeDeployCommandService_v20141006", "service": "codedeploy-commands"}
# With `enable_auth_policy: true` in the agent's configuration.
SECURE = {"target": "CodeDeployCommandService", "service": "codedeploy-commands-secure"}
RUBY = {
    "User-Agent": "aws-sdk-ruby3/3.168.1 ruby/3.1.2 x86_64-linux-gnu aws-sdk-codedeploycommand/1.0.0",
    "X-Amz-Codedeploy-Agent-Version": "OFFICIAL_1.8.1-1_deb",
}
UNSIGNED = {"Accept-Encoding": "", "Accept": "*/*"}
RUST = {"x-amz-codedeploy-agent-version": "OFFICIAL_2.0.0-1_deb"}


class OfficialAgent:
    """An agent of generation 1 or 2 with the keys of its host."""

    def __init__(self, endpoint, identifier, access_key, secret_key, token=None, *, generation=1, dialect=FIRST):
        self.clients = Clients(endpoint, access_key, secret_key, token)
        self.identifier, self.generation, self.dialect = identifier, generation, dialect
        self.signed_headers = None

    def call(self, operation, dialect=None, **members):
        """One call; the answer as it came."""
        dialect = dialect or self.dialect
        body = json.dumps(members, separators=(",", ":")).encode()
        headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"{dialect['target']}.{operation}"}
        if self.generation == 1:
            headers |= RUBY | {"X-Amz-Content-Sha256": hashlib.sha256(body).hexdigest()}
        else:
            headers |= RUST

        def look(request):
            if self.generation == 1:
                for name, value in UNSIGNED.items():
                    request.headers[name] = value
            self.signed_headers = re.search("SignedHeaders=([^,]+)", request.headers["Authorization"]).group(1)

        return raw.signed(self.clients, dialect["service"], headers=headers, body=body, bend=look)

    def ok(self, operation, **members):
        answer = self.call(operation, **members)
        assert answer.status == 200, (operation, answer.status, answer.body)
        # 2.x takes an empty body for an error.
        return json.loads(answer.body)

    def poll(self):
        command = self.ok("PollHostCommand", HostIdentifier=self.identifier).get("HostCommand")
        if command is None:
            return None
        # 1.x fails its poll on an identifier that is no part of its own; 2.x on a missing member.
        assert command["HostIdentifier"] and command["HostIdentifier"] in self.identifier
        assert all(command[name] for name in ("HostCommandIdentifier", "DeploymentExecutionId", "CommandName"))
        assert isinstance(command["Nonce"], int)
        return command

    def specification(self, command):
        """The specification's JSON, its signature checked as 2.x checks it: by the certificate that comes with it."""
        answer = self.ok(
            "GetDeploymentSpecification",
            DeploymentExecutionId=command["DeploymentExecutionId"], HostIdentifier=self.identifier,
        )
        assert answer["DeploymentSystem"] == "CodeDeploy"
        envelope = answer["DeploymentSpecification"]["GenericEnvelope"]
        assert envelope["Format"] == "PKCS7/JSON"
        return json.loads(opened(envelope["Payload"]))

    def acknowledge(self, command, noop=False):
        answer = self.ok(
            "PutHostCommandAcknowledgement",
            Diagnostics={"Format": "JSON", "Payload": json.dumps({"IsCommandNoop": noop}, separators=(",", ":"))},
            HostCommandIdentifier=command["HostCommandIdentifier"],
        )
        return answer["CommandStatus"]

    def complete(self, command, status, payload):
        return self.ok(
            "PutHostCommandComplete",
            CommandStatus=status, Diagnostics={"Format": "JSON", "Payload": payload},
            HostCommandIdentifier=command["HostCommandIdentifier"],
        )

    def succeed(self, command):
        message = "Succeeded: " if self.generation == 1 else "Succeeded"
        return self.complete(command, "Succeeded", diagnostics(0, "", message, ""))

    def fail(self, command, code, script, message, log):
        """As the agent reports it: 1.x once more as an unknown error, without script and log."""
        self.complete(command, "Failed", diagnostics(code, script, message, log))
        if self.generation == 1:
            self.complete(command, "Failed", diagnostics(5, "", message, ""))

    def carry_out(self, command):
        """Takes a command from its specification to its success."""
        specification = self.specification(command)
        assert self.acknowledge(command) == "InProgress"
        self.succeed(command)
        return specification


def diagnostics(code, script, message, log):
    return json.dumps(
        {"error_code": code, "script_name": script, "message": message, "log": log}, separators=(",", ":")
    )


def opened(pem):
    """The content of a signed document; fails if its signature is not that of the certificate in it."""
    verified = subprocess.run(
        ["openssl", "smime", "-verify", "-noverify", "-inform", "PEM"], input=pem.encode(), capture_output=True
    )
    assert verified.returncode == 0, verified.stderr
    assert pem.startswith("-----BEGIN PKCS7-----\n")
    return verified.stdout
