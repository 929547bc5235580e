"""The agent under a failing disk: whatever call fails, and wherever the agent dies, the old revision is there or the new.

Each system call that a whole deployment makes on files (of download, unpacking, staging and switching) fails once, fails
from there on, or is the agent's last. Then the next run ends what was cut short.
"""

import collections
import http.server
import io
import os
import pathlib
import shutil
import subprocess
import tarfile
import tempfile
import threading

import pytest

import injection
import longshore

pytestmark = pytest.mark.skipif(injection.unavailable() is not None, reason=injection.unavailable() or "")

# A disk that ails does so from a call on: what comes between two calls of this distance is as good as either.
STRIDE = 6

OLD = {"one": "old one", "two": "old two", "going/three": "old three"}
NEW = {"one": "new one", "two/sub": "new sub", "coming/four": "new four"}


def agent():
    return os.environ.get("LONGSHORE_AGENT_BIN") or str(longshore.binary().with_name("longshore-agent"))


def appspec(files, permissions=""):
    return f"version: 0.0\nos: linux\nfiles:\n{files}{permissions}"


def packed(names, text, kind="w:gz"):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=kind) as archive:
        for name, content in {"appspec.yml": text, **{f"files/{name}": content for name, content in names.items()}}.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.mtime = len(content), 0o640, 1_000_000_000
            archive.addfile(entry, io.BytesIO(content.encode()))
    return buffer.getvalue()


class Storage(http.server.ThreadingHTTPServer):
    """As much of S3 as one agent needs."""

    def __init__(self):
        self.objects = {}
        objects = self.objects

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                body = objects[self.path.rsplit("/", 1)[1]]
                self.send_response(200)
                self.send_header("ETag", f'"{hash(body):x}"')
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Host:
    """All that an agent knows and installs, in one directory that is set back in a moment."""

    def __init__(self, base, permissions=("", ""), environment=None):
        self.base, self.here = base, base / "host"
        self.destination = self.here / "dest/app"
        (self.here / "dest").mkdir(parents=True)
        self.environment = {
            "PATH": os.environ["PATH"], "AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "us-east-1",
        } | (environment or {})
        self.storage = Storage()
        port = self.storage.server_address[1]
        self.config = base / "agent.yml"
        self.config.write_text(
            f":root_dir: '{self.here}/root'\n:log_dir: '{self.here}/log'\n:pid_dir: '{self.here}/pid'\n:max_revisions: 3\n"
            f":s3_endpoint_override: http://127.0.0.1:{port}\n"
        )
        app = f"  - source: files\n    destination: {self.destination}\n"
        # Nothing of it is ever installed: the place of its AppSpec is taken.
        (base / "taken").mkdir()
        (base / "taken/appspec.yml").write_text("theirs")
        self.storage.objects.update(
            old=packed(OLD, appspec(app, permissions[0])), new=packed(NEW, appspec(app, permissions[1])),
            doomed=packed(NEW, appspec(f"  - source: appspec.yml\n    destination: {base}/taken\n")),
        )
        self.must("new")
        self.new = self.tree()
        self.must("old")
        self.old = self.tree()
        assert {str(path.relative_to(self.destination)): path.read_text()
                for path in self.destination.rglob("*") if path.is_file()} == OLD
        shutil.copytree(self.here, base / "saved", symlinks=True)

    def arguments(self, key):
        return [agent(), "local", "-l", f"s3://bundles/{key}", "-t", "tgz", "-c", str(self.config)]

    def deploy(self, key):
        return subprocess.run(
            self.arguments(key), stdin=subprocess.DEVNULL, capture_output=True, text=True, env=self.environment
        )

    def must(self, key):
        done = self.deploy(key)
        assert done.returncode == 0, done.stdout + done.stderr

    def tree(self):
        """What is installed: each path with its mode and content, none for directories."""
        found = {}
        for path in sorted(self.destination.rglob("*")):
            text = path.read_text() if path.is_file() else None
            found[str(path.relative_to(self.destination))] = (path.stat().st_mode, text)
        return found

    def set_back(self):
        for path in self.here.iterdir():
            shutil.rmtree(path)
        for path in (self.base / "saved").iterdir():
            shutil.copytree(path, self.here / path.name, symlinks=True)

    def unpacked_is_whole(self, where):
        for archive in self.here.glob("root/*/d-*/deployment-archive"):
            files = {str(p.relative_to(archive / "files")) for p in (archive / "files").rglob("*") if p.is_file()}
            assert files in (set(OLD), set(NEW)), f"{where}: half a revision in {archive}: {files}"

    def after(self, outcome, where):
        """Holds what a deployment of the new revision left to the promise; whether the new set is there."""
        if outcome.status == 0:
            assert self.tree() == self.new, f"{where}: a success that is none\n{outcome.said}"
        self.unpacked_is_whole(where)
        ended = self.deploy("doomed")
        assert "already exists at this location" in ended.stdout, f"{where}: {ended.stdout}{ended.stderr}"
        found = self.tree()
        assert found in (self.old, self.new), f"{where}: a mix: {found}\n{outcome.said}"
        marker = next(self.here.glob("root/deployment-instructions/*_last_successful_install")).read_text()
        installed = OLD if found == self.old else NEW
        there = {str(p.relative_to(f"{marker}/deployment-archive/files"))
                 for p in pathlib.Path(marker, "deployment-archive/files").rglob("*") if p.is_file()}
        assert there == set(installed), f"{where}: the marker is of another revision"
        self.must("new")
        assert self.tree() == self.new, where
        places = [self.here, self.destination.parent]
        left = [path for place in places for path in place.rglob("*")
                if path.name.startswith(".longshore") or path.suffix in (".switch", ".draft")]
        assert not left, f"{where}: {left}"
        return found == self.new


@pytest.fixture
def base():
    memory = pathlib.Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="longshore-failures-", dir=memory if memory.is_dir() else None) as path:
        yield pathlib.Path(path)


def failing(name, turn, rare):
    """What happens to a call of this name: over the calls of a name each error comes once, and from there on; where there are not
    enough of them, to each of them."""
    errors = injection.ERRORS
    for error in errors if rare else [errors[turn % len(errors)]]:
        yield "fails", {"error": error}
    for error in errors if rare else [errors[(turn + 1) % len(errors)]]:
        yield "and all after it fail", {"error": error, "lasting": True}
    if name not in injection.LOOKS:
        yield "is the last", {"kill": True}


@pytest.mark.timeout(600)
def test_whatever_call_fails_the_old_revision_is_there_or_the_new(base):
    host = Host(base)
    undisturbed = injection.run(host.arguments("new"), environment=host.environment)
    ended = injection.run(host.arguments("doomed"), environment=host.environment).calls
    names, count = undisturbed.names, collections.Counter(undisturbed.names)
    assert len(names) > 100, names
    old, new, turns, met = 0, 0, collections.Counter(), set()
    # Three more: the number of calls varies a little.
    for number, name in enumerate(names + names[-1:] * 3):
        turns[name] += 1
        for what, how in failing(name, turns[name], count[name] < len(injection.ERRORS)):
            host.set_back()
            outcome = injection.run(host.arguments("new"), at=number, environment=host.environment, **how)
            where = f"call {number} ({outcome.hit}) {what} ({how})"
            if how.get("lasting"):
                # What is to end it meets the same once more.
                again = injection.run(host.arguments("doomed"), at=number % ended, error=how["error"], environment=host.environment)
                where += f", then {again.hit}"
            if host.after(outcome, where):
                new += 1
            else:
                old += 1
            met.add((outcome.hit, how.get("error"), how.get("lasting", False)))
    print(f"{len(names)} calls of {len(count)} kinds; the old revision {old} times, the new {new} times")
    assert old > len(names) and new > 10
    hits = {hit for hit, _, _ in met}
    assert hits >= {"openat", "renameat2", "write", "mkdirat", "fsync", "rename", "fchmod"}, hits
    # A thread more or less moves the few calls of a rare name by one or two: of those that are many, nothing is missed.
    for name in (name for name in hits if count[name] >= 4 * len(injection.ERRORS)):
        missed = {(name, error, lasting) for error in injection.ERRORS for lasting in (False, True)} - met
        assert not missed, f"{missed} of {count[name]} calls"


class Disk:
    """A small file system in memory for what is installed; what the agent keeps is elsewhere."""

    def __init__(self, at):
        self.at = at
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "longshore", at], check=True)

    def read_only(self, whether):
        word = "ro" if whether else "rw"
        return subprocess.run(["mount", "-o", f"remount,{word}", self.at], capture_output=True).returncode == 0

    def fill(self):
        with open(self.at / "filler", "ab", buffering=0) as filler:
            try:
                while filler.write(b"x" * 4096):
                    pass
            except OSError:
                return True

    def free(self):
        (self.at / "filler").unlink(missing_ok=True)

    def unmount(self):
        subprocess.run(["umount", self.at], check=True)


@pytest.fixture
def disk(base):
    (base / "disk").mkdir()
    try:
        disk = Disk(base / "disk")
    except subprocess.CalledProcessError:
        pytest.skip("mounting a small file system is not permitted")
    yield disk
    disk.unmount()


class DiskHost(Host):
    def __init__(self, base, disk):
        self.disk = disk
        super().__init__(base)

    @property
    def destination(self):
        return self.disk.at / "app"

    @destination.setter
    def destination(self, _):
        pass

    def set_back(self):
        self.must("old")
        assert self.tree() == self.old


@pytest.mark.parametrize("fault, says", [("full", "disk"), ("read-only", "read-only")])
def test_a_disk_that_ails_while_it_is_installed_to(base, disk, fault, says):
    """From the very call on, as the kernel has it: with no room left, or with no writing at all."""
    host = DiskHost(base, disk)
    calls = injection.run(host.arguments("new"), environment=host.environment).calls
    ail = disk.fill if fault == "full" else lambda: disk.read_only(True)
    failed = 0
    for number in range(0, calls, STRIDE):
        host.set_back()
        outcome = injection.run(host.arguments("new"), at=number, meddle=ail, environment=host.environment)
        if outcome.status != 0:
            failed += 1
            assert says in outcome.said.lower() or "No space left" in outcome.said, outcome.said
        disk.free() if fault == "full" else disk.read_only(False)
        host.after(outcome, f"{fault} from call {number} ({outcome.hit}) on")
    print(f"{failed} of {len(range(0, calls, STRIDE))} deployments failed")
    assert failed > 10


def test_a_destination_that_is_read_only_is_called_so(base, disk):
    host = DiskHost(base, disk)
    host.set_back()
    disk.read_only(True)
    try:
        done = host.deploy("new")
    finally:
        disk.read_only(False)
    assert done.returncode == 1
    assert "read-only" in done.stdout and str(disk.at) in done.stdout, done.stdout
    assert host.tree() == host.old


SEMANAGE = """#!/bin/sh
# Keeps rules as the real one does: adding one that is there and removing one that is not are errors.
. "$(dirname "$0")/turn"
shift
case "$1" in
    -a) shift; words=; while [ $# -gt 1 ]; do words="$words $1"; shift; done
        grep -q "^$1 " "$RULES" && { echo "File context for $1 already defined" >&2; exit 1; }
        echo "$1$words" >> "$RULES" ;;
    -d) grep -q "^$2 " "$RULES" || exit 1
        grep -v "^$2 " "$RULES" > "$RULES.new"; mv "$RULES.new" "$RULES" ;;
esac
"""
RESTORECON = """#!/bin/sh
. "$(dirname "$0")/turn"
grep -q "^$2 " "$RULES" && [ -e "$2" ]
"""
TURN = """echo x >> "$RULES.turns"
if [ "$(wc -l < "$RULES.turns")" -eq "${FAIL_AT:-0}" ]; then
    [ "$MANNER" = dies ] && kill -9 $PPID
    echo "it does not want to" >&2
    exit 1
fi
"""


class LabelledHost(Host):
    """One with programs for SELinux, of our own: they only keep the rules."""

    def __init__(self, base):
        programs = base / "programs"
        programs.mkdir()
        for name, text in [("semanage", SEMANAGE), ("restorecon", RESTORECON), ("turn", TURN)]:
            (programs / name).write_text(text)
            (programs / name).chmod(0o755)
        destination = base / "host/dest/app"
        item = "  - object: {}\n    pattern: '{}'\n    type: [file]\n    context:\n      user: system_u\n      type: {}\n      range: s0\n"
        old = item.format(destination, "*", "old_t") + item.format(f"{destination}/going", "*", "going_t")
        new = item.format(destination, "*", "new_t") + item.format(f"{destination}/coming", "*", "coming_t")
        self.rules = base / "host/rules/list"
        self.rules.parent.mkdir(parents=True)
        self.rules.write_text("/somebody/else -t their_t\n")
        paths = {"PATH": f"{programs}:{os.environ['PATH']}", "RULES": str(self.rules)}
        super().__init__(base, (f"permissions:\n{old}", f"permissions:\n{new}"), paths)

    def tree(self):
        return super().tree() | {"rules": sorted(self.rules.read_text().splitlines())}

    def turns(self):
        turns = pathlib.Path(f"{self.rules}.turns")
        count = len(turns.read_text().splitlines()) if turns.exists() else 0
        turns.unlink(missing_ok=True)
        return count


class TestLabels:
    @pytest.fixture
    def host(self, base):
        return LabelledHost(base)

    def test_rules_come_and_go_with_their_revision(self, host):
        at = host.destination
        context = "-s system_u -t {} -r s0"
        assert host.old["rules"] == sorted([
            "/somebody/else -t their_t", f"{at}/one {context.format('old_t')}", f"{at}/two {context.format('old_t')}",
            f"{at}/going/three {context.format('going_t')}",
        ])
        assert host.new["rules"] == sorted([
            "/somebody/else -t their_t", f"{at}/one {context.format('new_t')}", f"{at}/coming/four {context.format('coming_t')}",
        ])

    @pytest.mark.parametrize("manner", ["fails", "dies"])
    def test_whichever_program_fails_files_and_rules_are_old_or_new(self, host, manner):
        host.set_back()
        host.turns()
        host.must("new")
        turns = host.turns()
        assert turns >= 6
        ends = []
        for turn in range(1, turns + 1):
            host.set_back()
            host.turns()
            environment, host.environment = host.environment, host.environment | {"FAIL_AT": str(turn), "MANNER": manner}
            done = host.deploy("new")
            host.environment = environment
            outcome = injection.Outcome(done.returncode, done.stdout + done.stderr, [], None)
            where = f"program {turn} {manner}"
            if done.returncode == 0:
                # Taking a rule away that is none is no fault, with the official agent either.
                ends.append("success")
                continue
            if manner == "fails":
                assert "a problem with the context permission settings" in done.stdout, done.stdout
                assert host.tree() == host.old, f"{where}: {host.tree()}"
            ends.append("new" if host.after(outcome, where) else "old")
        print(ends)
        assert "old" in ends
