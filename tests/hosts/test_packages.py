"""The Debian packages on a bare instance, which has the machine's dpkg: installed, upgraded, removed and purged."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

import longshore

BARE = "ami-b66ed3de"
PACKAGES = pathlib.Path(os.environ.get("LONGSHORE_PACKAGES", longshore.REPOSITORY / "target/package"))
PROGRAMS = ["longshore", "longshore-agent"]
# What dpkg itself and the machine's own triggers keep, and what an account leaves that comes and goes.
OTHERS = re.compile(r"/var/lib/dpkg|/var/log/dpkg|/var/cache/man|/etc/(passwd|group|shadow|gshadow|subuid|subgid|\.pwd)|/root/packages"
                    r"|/var/lib/systemd/deb-systemd-helper-enabled(/[a-z.]*wants)?$|/etc/systemd/system/[a-z.]*wants$|/var/log/aws$")


def package(name):
    if not shutil.which("dpkg-deb"):
        pytest.skip("dpkg-deb is not installed")
    found = list(PACKAGES.glob(f"{name}_*.deb"))
    assert len(found) == 1, f"`cargo xtask package --debug` makes one {name} in {PACKAGES}: {found}"
    return found[0]


@pytest.fixture(scope="module")
def newer(tmp_path_factory):
    """The same packages with another version."""
    folder = tmp_path_factory.mktemp("newer")
    for name in PROGRAMS:
        tree = folder / name
        subprocess.run(["dpkg-deb", "-R", package(name), tree], check=True)
        control = tree / "DEBIAN/control"
        control.write_text(re.sub("^Version: .*$", "Version: 9.9.9", control.read_text(), flags=re.M))
        subprocess.run(["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "-b", tree, folder], check=True, stdout=subprocess.DEVNULL)
    return sorted(folder.glob("*.deb"))


@pytest.fixture
def host(dev):
    [instance] = dev.run_instances(ImageId=BARE)

    def run(script, check=True):
        return dev.shell(instance, "sh", "-c", script, check=check, timeout=180).stdout

    def put(packages):
        place = pathlib.Path(f"/proc/{dev.first_process(instance)}/root/root/packages")
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        for one in packages:
            shutil.copy(one, place)

    run.put = put
    put([package(name) for name in PROGRAMS])
    # There is no systemd to talk to, and services may be started whatever the machine says of its own.
    run("test ! -d /run/systemd/system; printf '#!/bin/sh\\nexit 0\\n' >/usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d")
    yield run
    dev.client("ec2").terminate_instances(InstanceIds=[instance])


def everything(host):
    # Below, an instance sees what others do on the machine: where they work is left out.
    found = host("find /etc /opt /usr /run /srv /root /var -xdev ! -path '/root/*/*' ! -path '/var/tmp/*' "
                 "! -path '/var/lib/postgresql/*'").splitlines()
    return {path for path in found if not OTHERS.match(path)}


def test_they_come_work_are_upgraded_and_go_without_a_trace(host, newer):
    before, accounts = everything(host), host("cat /etc/passwd /etc/group")
    host("dpkg -i /root/packages/*.deb")
    assert host("dpkg --verify longshore longshore-agent") == ""
    version = host("dpkg-query -W -f '${Version}' longshore")
    assert host("longshore --version").split() == ["longshore", version]
    assert host("longshore-agent --version").split() == ["longshore-agent", version]
    for page in ("longshore", "longshore-server", "longshore-deployment-watch", "longshore-agent"):
        host(f"gzip -t /usr/share/man/man1/{page}.1.gz && zcat /usr/share/man/man1/{page}.1.gz | grep -q '^.TH'")
    host("bash -n /usr/share/bash-completion/completions/longshore")
    for name in PROGRAMS:
        documents = f"/usr/share/doc/{name}"
        # What others wrote is named with its license, and the terms of those who want them told are there.
        host(f"zcat {documents}/third-party.txt.gz | grep -q '^tokio [0-9.]*: MIT$'")
        assert "Permission is hereby granted" in host(f"zcat {documents}/third-party.txt.gz")
        assert host(f"zcat {documents}/changelog.gz").startswith(f"{name} ({version}) ")
        host(f"zcat {documents}/CHANGELOG.md.gz | grep -q '^# Changelog'")
    assert host("stat -c '%a %U:%G' /etc/longshore/server.env /var/lib/longshore").split() == [
        "640", "root:root", "700", "longshore:longshore"]
    assert "enabled" in host("ls /etc/systemd/system/multi-user.target.wants/longshore.service "
                             "/etc/systemd/system/sockets.target.wants/longshore.socket && echo enabled")

    # The server as the unit starts it, and an agent that is told of it.
    start = host("sed -n 's/^ExecStart=//p' /usr/lib/systemd/system/longshore.service").strip().replace("$LONGSHORE_OPTIONS", "")
    as_user = "setpriv --reuid longshore --regid longshore --clear-groups --no-new-privs"
    host(f"cd / && setsid {as_user} {start} </dev/null >/run/longshore.log 2>&1 &")
    longshore.wait_until(lambda: "200" in host("curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:7400/-/healthz", check=False),
                         "the server answers")
    host('eval "$(longshore credentials --env --data-dir /var/lib/longshore)" && longshore deployment list')
    assert "error: No AWS CodeDeploy agent running" in host("longshore-agent status 2>&1", check=False)
    # The server's own installer leaves the package's files to it.
    host('eval "$(longshore credentials --env --data-dir /var/lib/longshore)" && cd /root/packages && '
         "aws s3 cp s3://aws-codedeploy-us-east-1/latest/install . && sh ./install auto")
    assert host("dpkg --verify longshore longshore-agent").split() == ["??5??????", "c", "/etc/codedeploy-agent/conf/codedeployagent.yml"]
    assert "is running as PID" in host("/etc/init.d/codedeploy-agent status")
    assert host("longshore-agent uninstall 2>&1 || echo refused").splitlines()[-1] == "refused"
    pid = host("longshore-agent status").split()[-1]

    host.put(newer)
    host("dpkg -i /root/packages/*.deb")
    assert host("dpkg-query -W -f '${Version} ' longshore longshore-agent").split() == ["9.9.9", "9.9.9"]
    assert "http://127.0.0.1:7400" in host("cat /etc/codedeploy-agent/conf/codedeployagent.yml"), "its settings were lost"
    # A new agent runs.
    longshore.wait_until(lambda: host("longshore-agent status", check=False).split()[-1:] not in ([], [pid]), "the agent is another")

    host("pkill -x longshore && rm /run/longshore.log")
    host("dpkg -r longshore longshore-agent")
    assert host("ls /usr/bin/longshore* 2>/dev/null", check=False) == ""
    assert host("pgrep -x longshore-agent", check=False) == ""
    host("test -f /etc/longshore/server.env && test -f /var/lib/longshore/longshore.db")
    host("dpkg -P longshore longshore-agent")
    assert everything(host) == before
    assert host("cat /etc/passwd /etc/group") == accounts


def test_an_agent_that_came_without_a_package_stays(host):
    host("mkdir -p /opt/codedeploy-agent/bin && echo it >/opt/codedeploy-agent/bin/longshore-agent")
    said = host("dpkg -i /root/packages/longshore-agent*.deb 2>&1", check=False)
    assert "/opt/codedeploy-agent/bin/longshore-agent uninstall" in said
    assert host("cat /opt/codedeploy-agent/bin/longshore-agent") == "it\n"


def test_when_and_by_whom_it_is_built_changes_no_byte(tmp_path):
    for name in PROGRAMS:
        original = package(name).read_bytes()
        # The date of the first member of the archive. Source: deb(5).
        date = original[24:36].decode().strip()
        tree = tmp_path / name
        subprocess.run(["dpkg-deb", "-R", package(name), tree], check=True)
        sums = subprocess.run(["md5sum", "--check", "--quiet", "DEBIAN/md5sums"], cwd=tree, capture_output=True, text=True)
        assert sums.returncode == 0, sums.stdout
        subprocess.run(["sh", "-c", 'find "$0" -exec touch -h {} + -exec chown -h 1:1 {} +', tree], check=True)
        again = tmp_path / "again.deb"
        subprocess.run(["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "-b", tree, again], check=True,
                       stdout=subprocess.DEVNULL, env=os.environ | {"SOURCE_DATE_EPOCH": date})
        assert again.read_bytes() == original
