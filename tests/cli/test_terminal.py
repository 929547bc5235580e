"""`longshore deployment watch` in a real terminal: a pty, and what a person would see on its screen."""

import fcntl
import os
import pty
import signal
import struct
import subprocess
import termios
import threading

import pyte
import pytest

import longshore
from conftest import Clients
from operator_cli import FAILED, Cli, Shop, cli, folder, shop  # noqa: F401 (fixtures)


class Terminal:
    """A program in a terminal of a size, and its screen."""

    def __init__(self, arguments, environment, rows, columns):
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.lock = threading.Lock()
        self.ours, theirs = pty.openpty()
        self.resize(rows, columns)
        self.process = subprocess.Popen(
            arguments, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
        )
        os.close(theirs)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        while True:
            try:
                read = os.read(self.ours, 65536)
            except OSError:
                return
            if not read:
                return
            with self.lock:
                self.raw += read
                self.stream.feed(read)

    def resize(self, rows, columns):
        fcntl.ioctl(self.ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        with self.lock:
            self.screen.resize(rows, columns)

    def lines(self):
        with self.lock:
            return [line.rstrip() for line in self.screen.display]

    def shows(self, *words):
        return longshore.wait_until(
            lambda: all(any(word in line for line in self.lines()) for word in words), f"{words} in {self.lines()}"
        )

    def ends(self):
        code = self.process.wait(60)
        self.reader.join(10)
        os.close(self.ours)
        return code


@pytest.fixture
def watched(cli, shop):
    """`watched(rows, columns)`: a deployment whose host is at its first event, watched in a terminal."""
    deployment = shop.deploy()
    started = []

    def start(rows, columns, **environment):
        inherited = {name: value for name, value in cli.environment.items() if name not in ("CI", "NO_COLOR")}
        arguments = [str(longshore.binary()), "deployment", "watch", deployment]
        terminal = Terminal(arguments, inherited | {"TERM": "xterm-256color"} | environment, rows, columns)
        terminal.deployment = deployment
        started.append(terminal)
        return terminal

    yield start
    for terminal in started:
        if terminal.process.poll() is None:
            terminal.process.kill()
            terminal.process.wait()


@pytest.mark.parametrize("rows, columns", [(24, 80), (12, 40)])
def test_the_screen_shows_bars_and_the_current_event(watched, shop, rows, columns):
    terminal = watched(rows, columns)
    agent, command = shop.agents["Production"], shop.next()
    agent.acknowledge(command)
    terminal.shows("0/1 succeeded, 1 running", "ApplicationStop")
    agent.succeed(command)
    shop.carry_out(count=6)
    assert terminal.ends() == 0
    lines = terminal.lines()
    # One frame, drawn over itself: nothing is left of what was there before.
    assert sum(terminal.deployment in line for line in lines) == 1
    assert sum("1/1 succeeded" in line for line in lines) == 1
    assert not any("ApplicationStop" in line for line in lines)
    assert terminal.raw.count(b"\x1b[?25l") == 1 and terminal.raw.rstrip().endswith(b"\x1b[?25h")


def test_a_terminal_that_changes_its_width_is_drawn_anew(watched, shop):
    terminal = watched(24, 100)
    command = shop.next()
    shop.agents["Production"].acknowledge(command)
    terminal.shows("1 running")
    for columns in (50, 120, 30):
        terminal.resize(24, columns)
        # The bar or, where there is no room for one, the numbers reach into the new width; there is one frame only.
        longshore.wait_until(
            lambda: sum(terminal.deployment in line for line in terminal.lines()) == 1
            and sum("1 running" in line for line in terminal.lines()) == 1,
            f"one frame at {columns} columns in {terminal.lines()}",
        )
    shop.agents["Production"].succeed(command)
    shop.carry_out(count=6)
    assert terminal.ends() == 0


def test_a_failure_is_shown_with_its_last_words(watched, shop):
    terminal = watched(24, 120)
    terminal.shows(terminal.deployment)
    shop.fail()
    assert terminal.ends() == FAILED
    shown = "\n".join(terminal.lines())
    assert "failed in ApplicationStop: " in shown and "| [stderr]no such service" in shown


def test_colours_are_left_out_where_nobody_wants_them(watched, shop):
    colourful, plain = watched(24, 80), watched(24, 80, NO_COLOR="1")
    for terminal in (colourful, plain):
        terminal.shows("InProgress")
    shop.carry_out()
    assert colourful.ends() == plain.ends() == 0
    assert b"\x1b[36m" in colourful.raw and b"\x1b[36m" not in plain.raw


def test_lines_are_printed_where_ci_is_set(watched, shop):
    terminal = watched(24, 120, CI="true")
    shop.carry_out()
    assert terminal.ends() == 0
    assert b"\x1b" not in terminal.raw and b"Succeeded" in terminal.raw


def test_ctrl_c_ends_the_watching_only(watched, shop):
    terminal = watched(24, 120)
    terminal.shows(terminal.deployment)
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.ends() == 130
    assert "goes on" in "\n".join(terminal.lines())
    shop.carry_out()
    assert shop.ended(terminal.deployment)["status"] == "Succeeded"


def test_watching_goes_on_after_a_restart_of_the_server(start_longshore):
    server = start_longshore()
    session = Clients(server.endpoint, *server.root_credentials())
    place = Shop(server, session)
    deployment = place.deploy()
    terminal = Terminal(
        [str(longshore.binary()), "deployment", "watch", deployment],
        {k: v for k, v in Cli(session).environment.items() if k != "CI"} | {"TERM": "xterm"}, 24, 100,
    )
    terminal.shows("InProgress")
    server.kill()
    terminal.shows("trying again")
    server.start()
    place.carry_out()
    assert terminal.ends() == 0
    assert "1/1 succeeded" in "\n".join(terminal.lines())


@pytest.mark.parametrize("columns", [80, 160])
def test_tables_are_as_wide_as_the_terminal_at_most(cli, shop, folder, columns):
    deployment = shop.failed()
    group = ["--application", shop.name, "--group", "Production"]
    for arguments, word in [
        (["deployment", "explain", deployment], b"Finish"),
        (["deployment", "plan", str(folder), *group], b"ValidateService"),
        (["hosts", *group], b"Last heard"),
    ]:
        terminal = Terminal([str(longshore.binary()), *arguments], cli.environment | {"TERM": "xterm-256color"}, 24, columns)
        assert terminal.ends() == 0
        assert word in terminal.raw, terminal.raw
        # Sentences below a table are for the terminal to wrap.
        tables = [line for line in terminal.raw.decode().split("\r\n") if not line.startswith(("Revision  ", "Would take"))]
        assert max(map(len, tables)) <= columns, arguments
