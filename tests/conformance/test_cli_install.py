"""`aws deploy install` and `uninstall`, which the CLI refuses to run anywhere but on an old Ubuntu, RHEL or Windows.

So they run in a look-alike: this machine's own files under an overlay that goes away again, with an `/etc/lsb-release`
that says Ubuntu, and stand-ins for the three programs that the CLI calls there. All else is real: the CLI's code, the
server's bucket with the installer, the installer, the agent that it puts there.
"""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

import conftest
import longshore
from fixtures import api
from names import unique

# What the CLI calls on Ubuntu. The package of Ruby is of no use to longshore's agent, and there is none for it.
STAND_INS = ("apt-get", "service", "dpkg")

ENTER = """
set -e
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
mount -t proc proc "$1/root/proc"
mount --bind /dev "$1/root/dev"
root=$1/root; shift
exec chroot "$root" "$@"
"""


class Ubuntu:
    """A look-alike; what is written in it is below `upper`."""

    def __init__(self, base, environment):
        self.base, self.upper = base, base / "upper"
        for name in ("upper", "work", "root"):
            (base / name).mkdir()
        self.write("etc/lsb-release", "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=14.04\nDISTRIB_CODENAME=trusty\n")
        for name in STAND_INS:
            self.write(f"stand-ins/{name}", f'#!/bin/sh\necho "{name} $*" >> /calls\n').chmod(0o755)
        self.environment = environment | {"PATH": f"/stand-ins:{environment['PATH']}"}

    def write(self, path, text):
        file = self.upper / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def __call__(self, *command):
        # All that was started in it ends with its first process.
        enter = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", ENTER, "sh", str(self.base)]
        return subprocess.run([*enter, *command], env=self.environment, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=120, cwd="/")

    def calls(self):
        return (self.upper / "calls").read_text().splitlines()


@pytest.fixture
def ubuntu(server, session):
    if server.database_url:
        pytest.skip("the CLI is run once, on SQLite: it sees nothing of the store")
    if os.geteuid() != 0:
        pytest.skip("an overlay over this machine's files needs root")
    if not longshore.binary().with_name("longshore-agent").exists():
        pytest.skip("there is no longshore-agent beside the program under test")
    base = conftest._state_directory("ubuntu")
    made = Ubuntu(base, session.environment())
    tried = made("true")
    if tried.returncode:
        shutil.rmtree(base)
        pytest.skip(f"this machine cannot have the look-alike: {tried.stderr.strip()}")
    yield made
    shutil.rmtree(base)


def aws(ubuntu, *arguments):
    result = ubuntu("sh", "-c", 'cd /root && exec "$@"', "sh", str(pathlib.Path(sys.executable).with_name("aws")), *arguments)
    assert result.returncode == 0 and "ERROR" not in result.stderr, result.stdout + result.stderr
    return result.stdout


def test_the_cli_installs_longshores_agent(ubuntu, api):
    region, name = "us-east-1", unique("ubuntu")
    out = aws(ubuntu, "deploy", "register", "--instance-name", name, "--region", region)
    assert out.count("DONE") == 5, out
    config = (ubuntu.upper / "root/codedeploy.onpremises.yml").read_text()

    out = aws(ubuntu, "deploy", "install", "--config-file", "codedeploy.onpremises.yml", "--region", region)
    assert out.count("DONE") == 2 and "Installed longshore-agent" in out, out
    settings = ubuntu.upper / "etc/codedeploy-agent/conf"
    assert (settings / "codedeploy.onpremises.yml").read_text() == config
    assert os.access(ubuntu.upper / "opt/codedeploy-agent/bin/longshore-agent", os.X_OK)
    assert api.endpoint in "".join(path.read_text() for path in settings.iterdir() if path.suffix == ".yml")
    assert ubuntu.calls()[:3] == [
        "apt-get -y update", "apt-get -y install ruby2.0", "service codedeploy-agent stop"]

    out = aws(ubuntu, "deploy", "uninstall")
    assert out.count("DONE") == 2, out
    # The CLI knows of packages only; `longshore-agent uninstall` takes the agent itself away.
    assert "dpkg -r codedeploy-agent" in ubuntu.calls()
    assert not (settings / "codedeploy.onpremises.yml").is_file()
    removed = ubuntu("/opt/codedeploy-agent/bin/longshore-agent", "uninstall")
    assert removed.returncode == 0, removed.stderr
    assert not (ubuntu.upper / "opt/codedeploy-agent/bin/longshore-agent").is_file()
    aws(ubuntu, "deploy", "deregister", "--instance-name", name, "--region", region)
