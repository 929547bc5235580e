"""Local instances: apart from the machine and from each other, and what an instance learns about itself."""

import base64
import json
import os
import pathlib
import subprocess
import time

import pytest

import conftest
import longshore
from names import unique

METADATA = "http://169.254.169.254/latest"


@pytest.fixture(scope="module")
def pair(dev):
    """Two instances with a role, tagged for nobody."""
    return dev.run_instances(2, IamInstanceProfile={"Name": "CodeDeployInstanceRole"})


@pytest.fixture
def instance(pair):
    return pair[0]


def reachable(address, port):
    """Whether a connection from this machine comes about within a second."""
    return subprocess.run(
        ["timeout", "1", "bash", "-c", f"exec 3<>/dev/tcp/{address}/{port}"], stderr=subprocess.DEVNULL
    ).returncode == 0


def listen(dev, instance, port):
    dev.shell(instance, "sh", "-c", f"""setsid perl -MIO::Socket::INET -e '
        $l = IO::Socket::INET->new(LocalPort => {port}, Listen => 8, ReuseAddr => 1) or die; close $l->accept while 1
        ' </dev/null >/dev/null 2>&1 &""")
    longshore.wait_until(
        lambda: dev.shell(instance, "bash", "-c", f"exec 3<>/dev/tcp/127.0.0.1/{port}", check=False).returncode == 0,
        f"something listens on {port}",
    )


class TestIsolation:
    def test_files_stay_inside(self, dev, pair):
        first, second = pair
        name = f"/etc/{unique('inside')}"
        dev.shell(first, "sh", "-c", f"echo inside > {name} && rm -f /etc/hostname.gone; echo changed >> /etc/profile")
        assert not pathlib.Path(name).exists()
        assert "changed" not in pathlib.Path("/etc/profile").read_text()
        assert dev.shell(second, "test", "-e", name, check=False).returncode != 0

    def test_the_servers_data_is_out_of_sight(self, dev, instance):
        data = dev.longshore.data_dir
        assert dev.shell(instance, "sh", "-c", f"ls -A {data} 2>/dev/null || true").stdout == ""

    def test_processes_are_its_own(self, dev, instance):
        assert dev.shell(instance, "test", "-e", f"/proc/{os.getpid()}/environ", check=False).returncode != 0
        seen = dev.shell(instance, "sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '").stdout
        assert "pytest" not in seen

    def test_the_host_name_is_its_own(self, dev, pair):
        machine = os.uname().nodename
        names = {dev.shell(instance, "uname", "-n").stdout.strip() for instance in pair}
        assert len(names) == 2 and machine not in names
        own = dev.shell(pair[0], "uname", "-n").stdout.strip()
        assert own in dev.shell(pair[0], "cat", "/etc/hosts").stdout

    def test_mounts_stay_inside(self, dev, instance):
        dev.shell(instance, "sh", "-c", "mount -t tmpfs seen-inside /mnt", check=False)
        dev.from_the_machine(instance, "mount", "-t", "tmpfs", "seen-inside", "/mnt")
        assert "seen-inside" in dev.shell(instance, "cat", "/proc/mounts").stdout
        assert "seen-inside" not in pathlib.Path("/proc/mounts").read_text()

    def test_shared_memory_and_queues_are_its_own(self, dev, pair):
        spaces = {dev.shell(instance, "readlink", "/proc/self/ns/ipc").stdout for instance in pair}
        assert len(spaces | {os.readlink("/proc/self/ns/ipc") + "\n"}) == 3

    def test_it_has_an_address_of_its_own(self, dev, pair):
        first, second = (dev.address(instance) for instance in pair)
        assert first != second
        assert first in dev.shell(pair[0], "cat", "/proc/net/fib_trie").stdout

    def test_a_commands_status_is_passed_on(self, dev, instance):
        assert dev.shell(instance, "sh", "-c", "exit 42", check=False).returncode == 42


class TestMetadata:
    def get(self, dev, instance, path, *options):
        return dev.shell(instance, "curl", "-sS", "--fail", "--max-time", "5", *options, f"{METADATA}/{path}").stdout

    def token(self, dev, instance, seconds="60"):
        return self.get(dev, instance, "api/token", "-X", "PUT", "-H", f"X-aws-ec2-metadata-token-ttl-seconds: {seconds}")

    def test_version_1(self, dev, instance):
        assert self.get(dev, instance, "meta-data/instance-id") == instance
        assert self.get(dev, instance, "meta-data/local-ipv4") == dev.address(instance)
        assert self.get(dev, instance, "meta-data/placement/region") == "us-east-1"

    def test_version_2(self, dev, instance):
        header = f"X-aws-ec2-metadata-token: {self.token(dev, instance)}"
        assert self.get(dev, instance, "meta-data/instance-id", "-H", header) == instance

    def test_a_made_up_token_is_refused(self, dev, instance):
        status = dev.shell(
            instance, "curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}",
            "-H", "X-aws-ec2-metadata-token: made-up", f"{METADATA}/meta-data/instance-id",
        ).stdout
        assert status == "401"

    def test_what_is_not_there(self, dev, instance):
        status = dev.shell(
            instance, "curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", f"{METADATA}/meta-data/nothing",
        ).stdout
        assert status == "404"

    def test_the_identity_document(self, dev, instance):
        document = json.loads(self.get(dev, instance, "dynamic/instance-identity/document"))
        assert document["instanceId"] == instance
        assert document["region"] == "us-east-1"
        assert document["accountId"] == "123456789012"
        assert document["privateIp"] == dev.address(instance)

    def test_each_instance_hears_of_itself(self, dev, pair):
        assert [self.get(dev, instance, "meta-data/instance-id") for instance in pair] == pair

    def test_the_roles_credentials_work(self, dev, instance):
        role = self.get(dev, instance, "meta-data/iam/security-credentials/")
        assert role == "CodeDeployInstanceRole"
        found = json.loads(self.get(dev, instance, f"meta-data/iam/security-credentials/{role}"))
        clients = conftest.Clients(dev.endpoint, found["AccessKeyId"], found["SecretAccessKey"], found["Token"])
        arn = clients.client("sts").get_caller_identity()["Arn"]
        assert arn == f"arn:aws:sts::123456789012:assumed-role/CodeDeployInstanceRole/{instance}"

    def test_the_roles_credentials_allow_what_its_policies_allow(self, dev, instance):
        bucket = unique("role")
        dev.upload(bucket, "greeting", b"hello")
        shown = dev.shell(instance, "curl", "-sS", f"{METADATA}/meta-data/iam/security-credentials/CodeDeployInstanceRole")
        found = json.loads(shown.stdout)
        clients = conftest.Clients(dev.endpoint, found["AccessKeyId"], found["SecretAccessKey"], found["Token"])
        assert clients.client("s3").get_object(Bucket=bucket, Key="greeting")["Body"].read() == b"hello"
        with pytest.raises(Exception, match="AccessDenied"):
            clients.client("codedeploy").create_application(applicationName=unique("no"))

    def test_the_stock_cli_finds_everything_by_itself(self, dev, instance):
        aws = pathlib.Path(subprocess.run(
            ["which", "aws"], env=dev.aws.environment, capture_output=True, text=True, check=True
        ).stdout.strip())
        shown = dev.shell(instance, "sh", "-c", f"PATH={aws.parent}:$PATH aws sts get-caller-identity")
        assert json.loads(shown.stdout)["Arn"].endswith(f"/{instance}")

    def test_a_tag_is_seen(self, dev, instance):
        dev.client("ec2").create_tags(Resources=[instance], Tags=[{"Key": "Colour", "Value": "green"}])
        longshore.wait_until(
            lambda: self.get(dev, instance, "meta-data/tags/instance/Colour") == "green", "the tag is seen"
        )


class TestLife:
    def test_user_data_runs_once_at_the_first_boot(self, dev):
        script = "#!/bin/sh\necho ran >> /var/lib/user-data-ran\n"
        [instance] = dev.run_instances(UserData=script)
        ran = lambda: dev.shell(instance, "sh", "-c", "cat /var/lib/user-data-ran 2>/dev/null || true").stdout
        longshore.wait_until(lambda: ran() == "ran\n", "user data ran")
        dev.client("ec2").stop_instances(InstanceIds=[instance])
        dev.wait_for_state([instance], "stopped")
        dev.client("ec2").start_instances(InstanceIds=[instance])
        dev.wait_for_state([instance], "running")
        assert ran() == "ran\n"
        shown = dev.client("ec2").describe_instance_attribute(InstanceId=instance, Attribute="userData")
        assert base64.b64decode(shown["UserData"]["Value"]).decode() == script
        dev.client("ec2").terminate_instances(InstanceIds=[instance])

    def test_stop_keeps_the_disk_and_terminate_removes_it(self, dev):
        [instance] = dev.run_instances()
        dev.shell(instance, "sh", "-c", "echo kept > /srv/kept")
        dev.client("ec2").stop_instances(InstanceIds=[instance])
        dev.wait_for_state([instance], "stopped")
        assert dev.shell(instance, "true", check=False).returncode != 0
        dev.client("ec2").start_instances(InstanceIds=[instance])
        dev.wait_for_state([instance], "running")
        assert dev.shell(instance, "cat", "/srv/kept").stdout == "kept\n"
        dev.client("ec2").terminate_instances(InstanceIds=[instance])
        dev.wait_for_state([instance], "terminated")
        left = [path for path in dev.longshore.data_dir.rglob("*") if instance in path.name]
        longshore.wait_until(
            lambda: not [path for path in dev.longshore.data_dir.rglob("*") if instance in path.name],
            f"nothing of {instance} is left on disk, but: {left}",
        )
        assert str(instance) not in pathlib.Path("/proc/mounts").read_text()

    def test_ten_run_soon(self, dev):
        """The aim is 3 s; a machine that does something else at the same time is allowed more."""
        begun = time.monotonic()
        instances = dev.run_instances(10)
        took = time.monotonic() - begun
        print(f"10 instances run after {took:.1f} s")
        assert len({dev.address(instance) for instance in instances}) == 10
        dev.client("ec2").terminate_instances(InstanceIds=instances)
        assert took < 15

    def test_each_is_started_once_while_others_come_and_go(self, dev):
        """The first process stays the same: whoever saw the instance running may already be using it."""
        for _ in range(15):
            [instance] = dev.run_instances()
            first = dev.first_process(instance)
            assert dev.shell(instance, "cat", "/etc/hostname").returncode == 0
            dev.client("ec2").create_tags(Resources=[instance], Tags=[{"Key": "Name", "Value": "seen"}])
            assert dev.first_process(instance) == first
            dev.client("ec2").terminate_instances(InstanceIds=[instance])

    def test_a_request_repeated_by_its_token_starts_nothing_more(self, dev):
        token = unique("token")
        first = dev.run_instances(ClientToken=token)
        assert dev.run_instances(ClientToken=token) == first
        dev.client("ec2").terminate_instances(InstanceIds=first)


class TestSecurityGroups:
    PORT = 9443

    def test_a_port_opens_and_closes(self, dev):
        ec2 = dev.client("ec2")
        group = ec2.create_security_group(GroupName=unique("group"), Description="one port")["GroupId"]
        [instance] = dev.run_instances(SecurityGroupIds=[group])
        address = dev.address(instance)
        listen(dev, instance, self.PORT)
        assert not reachable(address, self.PORT)
        rule = {"GroupId": group, "IpProtocol": "tcp", "FromPort": self.PORT, "ToPort": self.PORT, "CidrIp": "0.0.0.0/0"}
        ec2.authorize_security_group_ingress(**rule)
        longshore.wait_until(lambda: reachable(address, self.PORT), "the port is open")
        ec2.revoke_security_group_ingress(**rule)
        longshore.wait_until(lambda: not reachable(address, self.PORT), "the port is closed")
        ec2.terminate_instances(InstanceIds=[instance])

    def test_it_holds_between_instances(self, dev):
        ec2 = dev.client("ec2")
        group = ec2.create_security_group(GroupName=unique("group"), Description="between")["GroupId"]
        first, second = dev.run_instances(2, SecurityGroupIds=[group])
        listen(dev, first, self.PORT)
        connect = f"timeout 1 bash -c 'exec 3<>/dev/tcp/{dev.address(first)}/{self.PORT}'"
        assert dev.shell(second, "sh", "-c", connect, check=False).returncode != 0
        ec2.authorize_security_group_ingress(
            GroupId=group, IpProtocol="tcp", FromPort=self.PORT, ToPort=self.PORT, CidrIp=f"{dev.address(second)}/32"
        )
        longshore.wait_until(
            lambda: dev.shell(second, "sh", "-c", connect, check=False).returncode == 0, "the neighbour gets through"
        )
        assert not reachable(dev.address(first), self.PORT)
        ec2.terminate_instances(InstanceIds=[first, second])
