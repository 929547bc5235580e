"""Starts, kills and asks a `longshore` process for the tests. Nothing here knows AWS."""

import configparser
import os
import pathlib
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
READY_SECONDS_MAX = 30
STOP_SECONDS_MAX = 30


def binary():
    """The `longshore` program under test: LONGSHORE_BIN, else the one of the development build."""
    return pathlib.Path(os.environ.get("LONGSHORE_BIN", REPOSITORY / "target/debug/longshore"))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, what, seconds=30.0, every=0.05):
    """Waits for a condition, never for a time; its first true value is returned."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:.0f} s: {what}")
        time.sleep(every)


def fetch_models(endpoint, directory):
    """Puts the published model of longshore's own operations where botocore finds it with this directory as AWS_DATA_PATH."""
    model = "longshore/2026-11-24/service-2.json"
    place = pathlib.Path(directory) / model
    place.parent.mkdir(parents=True)
    with urllib.request.urlopen(f"{endpoint}/-/botocore/{model}") as answer:
        place.write_bytes(answer.read())


class Longshore:
    """One `longshore server` or `longshore dev` with a data directory of its own."""

    def __init__(self, data_dir, mode="server", database_url=None, arguments=()):
        self.data_dir = pathlib.Path(data_dir)
        self.mode = mode
        self.database_url = database_url
        self.arguments = arguments
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.log = self.data_dir.with_suffix(".log")
        self.process = None

    def start(self):
        command = [
            # If the tests are killed, the server ends in order: it must not outlive them.
            "setpriv", "--pdeathsig", "TERM",
            str(binary()), self.mode,
            "--data-dir", str(self.data_dir),
            "--listen", f"127.0.0.1:{self.port}",
            *self.arguments,
        ]
        if agent := os.environ.get("LONGSHORE_AGENT_BIN"):
            command += ["--agent", agent]
        if self.database_url:
            command += ["--database-url", self.database_url]
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "LONGSHORE_"))}
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True
            )
        wait_until(self._ready, f"the server answers at {self.endpoint}", READY_SECONDS_MAX, every=0.02)
        return self

    def _ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the server ended with {self.process.returncode}:\n{self.log_tail()}")
        return self.is_serving()

    def is_serving(self):
        try:
            with urllib.request.urlopen(f"{self.endpoint}/-/healthz", timeout=2) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def kill(self):
        """What a power cut does to the process."""
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the server did not stop within {STOP_SECONDS_MAX} s:\n{self.log_tail()}") from None

    def log_tail(self, lines=40):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:]) if self.log.exists() else ""

    def root_credentials(self):
        """(access key id, secret access key) of the root user, made by the server at its first start."""
        parser = configparser.ConfigParser()
        parser.read(self.data_dir / "root-credentials")
        section = parser[parser.sections()[0]]
        return section["aws_access_key_id"], section["aws_secret_access_key"]

    def shell(self, instance, *command, check=True, text=True, timeout=60):
        """Runs a command inside an instance, as `longshore instances shell` does for a person."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        result = subprocess.run(
            [str(binary()), "instances", "shell", "--data-dir", str(self.data_dir), instance, "--", *command],
            stdin=subprocess.DEVNULL, capture_output=True, text=text, timeout=timeout, env=environment,
        )
        if check and result.returncode != 0:
            raise AssertionError(f"{command} in {instance} ended with {result.returncode}:\n{result.stdout}\n{result.stderr}")
        return result
