"""A server as a service: what it tells systemd, and that a restart on a socket which outlives it refuses nobody.

There need be no systemd here: a small parent holds the socket, hands it over and listens to what the server says, as
systemd does. Source: sd_listen_fds(3), sd_notify(3).
"""

import os
import shutil
import signal
import socket
import subprocess

import pytest

import longshore
from conftest import Clients, _state_directory
from meanwhile import meanwhile
from names import unique
from official_agent import OfficialAgent

RESTARTS = 5
POLLERS = 8
UNITS = longshore.REPOSITORY / "deploy/systemd"


class Service:
    """As much of systemd as starts one service with one socket."""

    def __init__(self, home, watchdog_seconds=None):
        self.home, self.watchdog_seconds, self.process = home, watchdog_seconds, None
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.endpoint = "http://127.0.0.1:%d" % self.socket.getsockname()[1]
        self.words = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.words.bind(str(home / "notify"))
        self.words.settimeout(30)

    def start(self):
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "LONGSHORE_"))}
        environment |= {"NOTIFY_SOCKET": str(self.home / "notify"), "LISTEN_FDS": "1"}
        if self.watchdog_seconds:
            environment["WATCHDOG_USEC"] = str(int(self.watchdog_seconds * 1e6))
        # The socket has the number 3, and nothing else is inherited.
        script = 'exec 3<&"$1"; shift; export LISTEN_PID=$$; exec "$@"'
        command = [longshore.binary(), "server", "--data-dir", self.home / "data"]
        with open(self.home / "log", "ab") as log:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", "bash", "-c", script, "bash", str(self.socket.fileno()), *map(str, command)],
                pass_fds=[self.socket.fileno()], env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )
        self.hear("READY=1")

    def hear(self, word):
        """Waits until the server says the word."""
        while word not in (said := self.words.recv(4096).decode().split()):
            assert said, "it said nothing"

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.hear("STOPPING=1")
        assert self.process.wait(30) == 0, (self.home / "log").read_text()

    def clients(self):
        running = longshore.Longshore(self.home / "data")
        return Clients(self.endpoint, *running.root_credentials())


@pytest.fixture
def service():
    home = _state_directory("service")
    service = Service(home, watchdog_seconds=0.5)
    service.start()
    yield service
    if service.process.poll() is None:
        service.stop()
    service.socket.close()
    shutil.rmtree(home)


def test_nobody_is_refused_while_it_restarts(service):
    clients = service.clients()
    iam, deploy = clients.client("iam"), clients.client("codedeploy")
    agents = []
    for number in range(POLLERS):
        name = unique("host")
        arn = iam.create_user(UserName=name)["User"]["Arn"]
        key = iam.create_access_key(UserName=name)["AccessKey"]
        deploy.register_on_premises_instance(instanceName=name, iamUserArn=arn)
        keys = key["AccessKeyId"], key["SecretAccessKey"]
        agents.append(OfficialAgent(service.endpoint, arn, *keys, generation=1 + number % 2))
    names = []

    def write():
        names.append(unique("written"))
        # A connection of its own: one that the client had kept would be closed with the server.
        fresh = Clients(service.endpoint, clients.access_key, clients.secret_key).client("codedeploy")
        fresh.create_application(applicationName=names[-1])

    with meanwhile(write, *(agent.poll for agent in agents)) as (done, problems, ending):
        for _ in range(RESTARTS):
            before = list(done)
            longshore.wait_until(lambda: done[0] > before[0] + 2 or problems, "it is written to")
            service.stop()
            assert not problems, problems
            service.start()
        # Polls were parked, and each stop ended those.
        longshore.wait_until(lambda: all(count >= RESTARTS for count in done[1:]) or problems, f"all polled: {done}")
        ending.set()
        # The last polls end with it.
        service.stop()
        service.start()
    assert not problems, problems
    found = [name for page in deploy.get_paginator("list_applications").paginate() for name in page["applications"]]
    assert set(names) <= set(found)


def test_the_watchdog_is_told_that_it_lives(service):
    for _ in range(4):
        service.hear("WATCHDOG=1")


def test_a_socket_that_is_none_is_named(tmp_path):
    mistake = socket.socketpair()[0]
    script = 'exec 3<&"$1"; shift; export LISTEN_FDS=1 LISTEN_PID=$$; exec "$@"'
    command = [str(longshore.binary()), "server", "--data-dir", str(tmp_path / "data")]
    ended = subprocess.run(["bash", "-c", script, "bash", str(mistake.fileno()), *command], pass_fds=[mistake.fileno()],
                           stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
    assert ended.returncode == 1 and "the socket handed over is not for TCP" in ended.stderr, ended.stderr


@pytest.mark.parametrize("unit", ["longshore.service", "longshore.socket"])
def test_systemd_understands_the_units(unit, tmp_path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    for path in UNITS.iterdir():
        text = path.read_text().replace("/usr/bin/longshore", "/bin/true").replace("=longshore\n", "=root\n")
        (tmp_path / path.name).write_text(text.replace("StateDirectory=root", "StateDirectory=longshore"))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", str(tmp_path / unit)],
                          capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0 and unit not in done.stderr, done.stderr
