"""A control plane that does as it is told: the four calls of the host command service, and objects as S3 serves them."""

import base64
import hashlib
import json
import ssl
import threading
import time
import urllib.parse
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# How long a poll without a command stays open.
POLL_SECONDS = 20
EXECUTION = "CodeDeploy/us-east-1/Prod/arn:aws:sds:us-east-1:111122223333:deployment/"


class Command:
    """A host command, and what the agent has said of it."""

    def __init__(self, host, name, deployment, envelope, ack_status):
        self.host, self.name, self.envelope, self.ack_status = host, name, envelope, ack_status
        self.execution = EXECUTION + deployment
        self.id = base64.b64encode(f"{deployment} {name} {uuid.uuid4().hex}".encode()).decode()
        self.acknowledgements, self.completions = [], []
        self.acknowledged_at = self.completed_at = None
        self.completed = threading.Event()


class ControlPlane:
    """Serves over TLS on a free port of the loopback address; `close` it."""

    def __init__(self, host, certificate, key):
        self.host = host
        self.errors = []
        self.polled = threading.Event()
        self._changed = threading.Condition()
        self._queue, self._commands, self._objects = [], {}, {}
        self._closing = False
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._server = _Server(self, context)
        self.port = self._server.server_address[1]
        self.url = f"https://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def add_object(self, bucket, key, path):
        """Serves a file under every version asked for; its ETag is returned."""
        data = path.read_bytes()
        etag = hashlib.md5(data).hexdigest()
        self._objects[bucket, key] = (data, etag)
        return etag

    def object(self, host, path):
        """The object that a request means, in the bucket of the path or of the host name."""
        bucket, _, key = path.lstrip("/").partition("/")
        found = self._objects.get((bucket, key))
        return found or self._objects.get((host.split(".")[0], path.lstrip("/")))

    def submit(self, name, deployment, envelope, ack_status="InProgress"):
        command = Command(self.host, name, deployment, envelope, ack_status)
        with self._changed:
            self._commands[command.id] = self._commands[command.execution] = command
            self._queue.append(command)
            self._changed.notify()
        return command

    def close(self):
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._server.shutdown()
        self._server.server_close()

    def answer(self, operation, body):
        """HTTP status and body of the answer to a call."""
        match operation:
            case "PollHostCommand":
                return 200, self._poll(body)
            case "GetDeploymentSpecification":
                command = self._commands[body["DeploymentExecutionId"]]
                specification = {"GenericEnvelope": command.envelope}
                return 200, {"DeploymentSystem": "CodeDeploy", "DeploymentSpecification": specification}
            case "PutHostCommandAcknowledgement":
                command = self._commands[body["HostCommandIdentifier"]]
                command.acknowledgements.append(body)
                command.acknowledged_at = command.acknowledged_at or time.monotonic()
                return 200, {"CommandStatus": command.ack_status} if command.ack_status else {}
            case "PutHostCommandComplete":
                command = self._commands[body["HostCommandIdentifier"]]
                command.completions.append(body)
                command.completed_at = command.completed_at or time.monotonic()
                command.completed.set()
                return 200, None
        return 400, {"__type": "UnknownOperationException"}

    def _poll(self, body):
        self.polled.set()
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closing, POLL_SECONDS)
            if not self._queue or self._closing:
                return {}
            command = self._queue.pop(0)
        identifier = {"HostCommandIdentifier": command.id, "HostIdentifier": body["HostIdentifier"]}
        return {"HostCommand": identifier | {
            "DeploymentExecutionId": command.execution, "CommandName": command.name, "Nonce": 1,
        }}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, plane, context):
        self.plane, self.context = plane, context
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request, client_address):
        """Agents are killed in the middle of calls; what else goes wrong is a fault of this file."""
        import sys
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            self.plane.errors.append(repr(error))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self):
        self.request.settimeout(30)
        self.request = self.server.context.wrap_socket(self.request, server_side=True)
        self.request.settimeout(None)
        super().setup()

    def log_message(self, *arguments):
        pass

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        operation = self.headers.get("X-Amz-Target", "").split(".")[-1]
        try:
            status, answer = self.server.plane.answer(operation, body)
        except KeyError as error:
            self.server.plane.errors.append(f"{operation} of something unknown: {error}")
            status, answer = 400, {"__type": "InvalidParameterException"}
        data = b"" if answer is None else json.dumps(answer).encode()
        self.reply(status, {"Content-Type": "application/x-amz-json-1.1"}, data)

    def do_GET(self):
        path = urllib.parse.unquote(self.path.partition("?")[0])
        found = self.server.plane.object(self.headers.get("Host") or "", path)
        if found is None:
            error = "<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>"
            return self.reply(404, {"Content-Type": "application/xml"}, error.encode())
        data, etag = found
        self.reply(200, {"Content-Type": "application/octet-stream", "ETag": f'"{etag}"',
                         "x-amz-version-id": "golden-version-1"}, data)

    def reply(self, status, headers, data):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("x-amzn-RequestId", str(uuid.uuid4()))
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
