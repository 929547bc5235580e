"""A web server for the tests: it writes down what it is sent, and answers as it is told."""

import base64
import hashlib
import hmac
import http.server
import json
import pathlib
import subprocess
import tempfile
import threading
import urllib.request

import longshore


class Received:
    def __init__(self, handler, body):
        self.path, self.headers, self.body = handler.path, handler.headers, body

    @property
    def json(self):
        return json.loads(self.body)


class Receiver:
    """`status` is what every request is answered with, or a function of the request."""

    def __init__(self, port=0):
        self.received, self.status, self.answer = [], 200, b""
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                request = Received(self, self.rfile.read(int(self.headers.get("content-length", 0))))
                owner.received.append(request)
                self.send_response(owner.status(request) if callable(owner.status) else owner.status)
                self.send_header("content-length", str(len(owner.answer)))
                self.end_headers()
                self.wfile.write(owner.answer)

            do_GET = do_POST

            def log_message(self, *arguments):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True

        self.server = Server(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def of_type(self, kind):
        return [request for request in list(self.received) if request.headers["x-amz-sns-message-type"] == kind]

    def wait(self, count, kind="Notification", seconds=30):
        """The first messages of that kind, as soon as there are so many."""
        longshore.wait_until(lambda: len(self.of_type(kind)) >= count, f"{count} of {kind}", seconds)
        return self.of_type(kind)

    def wait_for(self, count, seconds=30):
        longshore.wait_until(lambda: len(self.received) >= count, f"{count} requests", seconds)
        return list(self.received)

    def confirm(self):
        """Visits the link of the newest request to confirm."""
        link = self.wait(1, "SubscriptionConfirmation")[-1].json["SubscribeURL"]
        with urllib.request.urlopen(link, timeout=10) as answer:
            return answer.read().decode()


def is_signed_by_its_certificate(message):
    """Verifies an SNS message as its receivers do, with OpenSSL."""
    names = ["Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    if message["Type"] == "Notification":
        names = [name for name in names if name not in ("SubscribeURL", "Token")]
    text = "".join(f"{name}\n{message[name]}\n" for name in names if name in message)
    with urllib.request.urlopen(message["SigningCertURL"], timeout=10) as answer:
        certificate = answer.read()
    with tempfile.TemporaryDirectory() as home:
        home = pathlib.Path(home)
        (home / "pem").write_bytes(certificate)
        (home / "text").write_text(text)
        (home / "signature").write_bytes(base64.b64decode(message["Signature"]))
        key = subprocess.run(["openssl", "x509", "-in", "pem", "-pubkey", "-noout"], cwd=home, check=True, capture_output=True)
        (home / "key").write_bytes(key.stdout)
        digest = {"1": "-sha1", "2": "-sha256"}[message["SignatureVersion"]]
        verified = subprocess.run(
            ["openssl", "dgst", digest, "-verify", "key", "-signature", "signature", "text"], cwd=home, capture_output=True)
    return verified.returncode == 0


def is_signed_webhook(request, secret):
    """Verifies an event as Standard Webhooks says."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    text = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode() + request.body
    expected = base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
    return request.headers["webhook-signature"] == f"v1,{expected}"
