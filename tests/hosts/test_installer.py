"""`install auto` and what it leaves behind, on hosts that look like the distributions it is for.

Only the look is theirs: `/etc/os-release`, and which programs for services there are. Each program of a distribution is
ours and writes down how it was called.
"""

import pytest

import longshore

BARE = "ami-b66ed3de"
CALLS = "/root/calls"

RECORD = f'#!/bin/sh\necho "$(basename "$0") $*" >> {CALLS}\n'
# As much of systemd as starts and stops a service.
SYSTEMCTL = RECORD + """case "$1" in
    restart | start) exec /opt/codedeploy-agent/bin/longshore-agent start >/dev/null ;;
    stop) exec /opt/codedeploy-agent/bin/longshore-agent stop >/dev/null ;;
esac
"""
# An absent program: what instances have of the machine's is hidden by it.
ABSENT = "#!/bin/sh\nexit 127\n"

SYSTEMD = {"systemctl": SYSTEMCTL, "update-rc.d": ABSENT, "chkconfig": ABSENT}
CHKCONFIG = {"chkconfig": RECORD, "update-rc.d": ABSENT, "systemctl": ABSENT}
UPDATE_RC = {"update-rc.d": RECORD, "chkconfig": ABSENT, "systemctl": ABSENT}
PACKAGES = {"rpm": RECORD, "yum": RECORD, "dnf": RECORD, "dpkg": RECORD, "apt-get": RECORD, "zypper": RECORD}

# Name, programs for services, whether systemd runs, and the calls that an installation makes.
LOOKS = {
    "amazon-2023": ("Amazon Linux 2023", SYSTEMD, True),
    "amazon-2": ("Amazon Linux 2", SYSTEMD, True),
    "rhel-9": ("Red Hat Enterprise Linux 9.4 (Plow)", SYSTEMD, True),
    "rocky-8": ("Rocky Linux 8.10 (Green Obsidian)", SYSTEMD, True),
    "ubuntu-24": ("Ubuntu 24.04.1 LTS", SYSTEMD, True),
    "amazon-2018": ("Amazon Linux AMI 2018.03", CHKCONFIG, False),
    "debian-sysv": ("Debian GNU/Linux 12 (bookworm)", UPDATE_RC, False),
}


@pytest.fixture(scope="module")
def dev(start_dev):
    dev = start_dev()
    dev.make_instance_profile()
    return dev


@pytest.fixture
def host(dev):
    [instance] = dev.run_instances(ImageId=BARE, IamInstanceProfile={"Name": "CodeDeployInstanceRole"})
    yield lambda script, check=True: dev.shell(instance, "sh", "-c", script, check=check)
    dev.client("ec2").terminate_instances(InstanceIds=[instance])


def dress(host, look):
    name, services, has_systemd = LOOKS[look]
    host("rm -f /etc/os-release && cat > /etc/os-release <<'END'\n"
         f'NAME="{name.split()[0]}"\nID={look.split("-")[0]}\nPRETTY_NAME="{name}"\nEND\n')
    for program, text in {**services, **PACKAGES}.items():
        host(f"cat > /usr/local/bin/{program} <<'END'\n{text}END\nchmod 755 /usr/local/bin/{program}; : > {CALLS}")
    if has_systemd:
        host("mkdir -p /run/systemd/system /etc/systemd/system")


def everything(host):
    """All files that an installation could make, its own logs of packages and the shell's leavings aside."""
    # An instance sees what others do in the machine's /var/tmp.
    shown = host("find /etc /opt /var /run /root /srv /tmp -xdev ! -name calls ! -path '/root/*/*' "
                 r"\( ! -path '/var/tmp/*' -o -path '/var/tmp/longshore-install*' \)")
    return set(shown.stdout.splitlines())


def calls(host):
    return host(f"cat {CALLS}").stdout.splitlines()


@pytest.mark.parametrize("look", LOOKS)
def test_the_agent_comes_runs_and_goes_without_a_trace(host, look):
    dress(host, look)
    name, _, has_systemd = LOOKS[look]
    host("cd /root && aws s3 cp s3://aws-codedeploy-us-east-1/latest/install . --region us-east-1 && chmod +x install")
    before = everything(host)
    installed = host("cd /root && ./install auto")
    assert f"longshore-agent runs on this host ({name})" in installed.stdout
    agent = "/opt/codedeploy-agent/bin/longshore-agent"
    assert host(f"{agent} status").returncode == 0
    done = calls(host)
    if has_systemd:
        assert [line for line in done if line.startswith("systemctl")] == [
            "systemctl daemon-reload", "systemctl enable codedeploy-agent", "systemctl restart codedeploy-agent",
        ]
        assert "ExecStart" in host("cat /etc/systemd/system/codedeploy-agent.service").stdout
    else:
        assert done == [
            {"amazon-2018": "chkconfig --add codedeploy-agent", "debian-sysv": "update-rc.d codedeploy-agent defaults"}[look]
        ]
        assert host("/etc/init.d/codedeploy-agent status").returncode == 0
    # No package manager is needed, whatever the distribution: the program is static.
    assert not [line for line in done if line.split()[0] in PACKAGES]
    # Again is an update: the same agent, running.
    host("cd /root && ./install auto")
    assert host(f"{agent} status").returncode == 0
    pid = host(f"{agent} status").stdout.split()[-1]
    host("cd /root && ./install uninstall")
    assert host(f"kill -0 {pid}", check=False).returncode != 0
    assert everything(host) == before
    assert host("cd /root && ./install uninstall", check=False).returncode != 0


@pytest.mark.parametrize("script, says", [
    ("./install", "Usage"),
    ("./install sideways auto", "unknown argument: sideways"),
    ("./install --endpoint", "--endpoint needs a URL"),
    ("setpriv --reuid=1 --regid=1 --clear-groups ./install auto", "must be run as root"),
    ("printf '#!/bin/sh\\ncase $1 in -m) echo riscv64;; *) echo Linux;; esac\\n' > /usr/local/bin/uname; "
     "chmod 755 /usr/local/bin/uname; ./install auto", "and this host is riscv64"),
])
def test_what_it_cannot_do_it_says_and_does_not(dev, host, script, says):
    host("cd /srv && aws s3 cp s3://aws-codedeploy-us-east-1/latest/install . --region us-east-1 && chmod 755 install")
    done = host(f"cd /srv && {script}", check=False)
    assert done.returncode != 0
    assert says in done.stdout + done.stderr
    assert host("ls /opt/codedeploy-agent", check=False).returncode != 0


def test_a_host_that_runs_nothing_from_tmp(dev, host):
    """The program goes elsewhere then, and whatever was made is removed."""
    host("cd /root && aws s3 cp s3://aws-codedeploy-us-east-1/latest/install . --region us-east-1 && chmod +x install")
    host("printf '#!/bin/sh\\ncase $2 in /tmp*|/var/tmp*) exit 1;; esac\\nexec /usr/bin/mktemp \"$@\"\\n' > /usr/local/bin/mktemp "
         "&& chmod 755 /usr/local/bin/mktemp")
    host("cd /root && ./install auto")
    longshore.wait_until(
        lambda: host("/opt/codedeploy-agent/bin/longshore-agent status", check=False).returncode == 0, "the agent runs"
    )
    assert host("ls -d /opt/longshore-install.* /root/longshore-install.*", check=False).stdout == ""
