"""A PostgreSQL of a test's own, which it may restart."""

import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile

import longshore


def programs():
    """The folder with `initdb` and `postgres`: on the PATH, or where Debian keeps each version's; nothing where there
    are none."""
    found = shutil.which("initdb")
    folders = [pathlib.Path(found).resolve().parent] if found else []
    folders += sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if all((folder / name).is_file() for name in ("initdb", "postgres"))), None)


class Postgres:
    """A cluster in a folder of its own, on loopback."""

    def __init__(self):
        # The server's user may not enter the repository's folder.
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="longshore-postgres-"))
        self.port = longshore.free_port()
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/postgres"
        self.user = []
        if os.geteuid() == 0:
            # PostgreSQL refuses to run as root.
            names = {entry.pw_name: entry for entry in pwd.getpwall()}
            account = names.get("postgres") or names["nobody"]
            os.chown(self.home, account.pw_uid, account.pw_gid)
            self.user = [f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
        initdb = self._command("initdb", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync",
                               "--pgdata", self.home / "data")
        subprocess.run(initdb, check=True, cwd=self.home, stdin=subprocess.DEVNULL, capture_output=True)
        self.start()

    def _command(self, program, *arguments):
        return ["setpriv", "--pdeathsig", "INT", *self.user, "--", programs() / program, *arguments]

    def start(self):
        settings = [f"port={self.port}", "listen_addresses=127.0.0.1", "unix_socket_directories="]
        command = self._command("postgres", "-D", self.home / "data", *(word for s in settings for word in ("-c", s)))
        with open(self.home / "log", "ab") as log:
            self.process = subprocess.Popen(command, cwd=self.home, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        longshore.wait_until(self._ready, f"PostgreSQL is ready:\n{(self.home / 'log').read_text()}")

    def _ready(self):
        """Source: PostgreSQL, `pidfile.h`, by which `pg_ctl` waits too."""
        file = self.home / "data/postmaster.pid"
        lines = file.read_text().splitlines() if file.exists() else []
        return len(lines) > 7 and lines[7].strip() == "ready"

    def end(self, how=signal.SIGINT):
        """Ends it: by SIGINT it closes its sessions in order, by SIGQUIT it drops everything, as in a crash."""
        self.process.send_signal(how)
        self.process.wait(30)

    def remove(self):
        if self.process.poll() is None:
            self.end()
        shutil.rmtree(self.home)
