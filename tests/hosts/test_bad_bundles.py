"""Bundles that cannot or must not be installed: the deployment fails, and says what and where."""

import os

import pytest

import bundles
from names import unique


class Host:
    """One instance with its application, and what a failed deployment said."""

    def __init__(self, dev):
        self.dev = dev
        self.application = unique("hostile")
        dev.make_application(self.application, self.application)
        [self.id] = dev.run_instances(tag=self.application, IamInstanceProfile={"Name": "CodeDeployInstanceRole"})

    def fails(self, body, bundle_type="zip", **location):
        """Deploys a bundle, which must fail; returns the failed event's name and its diagnostics as one text."""
        key = unique("bundle")
        self.dev.upload(self.application, key, body)
        deployment = self.dev.deploy(self.application, self.application, key, bundle_type, **location)
        info = self.dev.wait_for_end(deployment)
        assert info["status"] == "Failed", info
        assert info["errorInformation"]["code"] == "HEALTH_CONSTRAINTS"
        [target] = self.dev.targets(deployment).values()
        [event] = [event for event in target["lifecycleEvents"] if event["status"] == "Failed"]
        diagnostics = event["diagnostics"]
        return event["lifecycleEventName"], f"{diagnostics['message']}\n{diagnostics.get('logTail', '')}"

    def run(self, script, check=True):
        return self.dev.shell(self.id, "sh", "-c", script, check=check)

    def works(self):
        """A good bundle still goes through: nothing before it has harmed the host."""
        self.dev.upload(self.application, "good", bundles.recording())
        deployment = self.dev.deploy(self.application, self.application, "good")
        assert self.dev.wait_for_end(deployment)["status"] == "Succeeded"


@pytest.fixture(scope="module")
def host(dev):
    return Host(dev)


@pytest.fixture(autouse=True, scope="module")
def the_host_still_works(host):
    yield
    host.works()


def test_an_etag_that_does_not_match(host):
    event, said = host.fails(bundles.recording(), eTag="0" * 32)
    assert event == "DownloadBundle"
    assert "0" * 32 in said


def test_an_object_that_is_not_there(host):
    deployment = host.dev.deploy(host.application, host.application, "never-uploaded")
    assert host.dev.wait_for_end(deployment)["status"] == "Failed"
    [target] = host.dev.targets(deployment).values()
    [event] = [event for event in target["lifecycleEvents"] if event["status"] == "Failed"]
    assert event["lifecycleEventName"] == "DownloadBundle"
    assert "never-uploaded" in event["diagnostics"]["message"] + event["diagnostics"].get("logTail", "")


def test_a_bundle_without_an_appspec(host):
    event, said = host.fails(bundles.zipped({"readme": "nothing here"}))
    assert event in ("DownloadBundle", "BeforeInstall", "Install")
    assert "appspec" in said


def test_an_appspec_that_is_no_yaml(host):
    _, said = host.fails(bundles.zipped({"appspec.yml": "version: 0.0\nos: linux\nhooks: [\n"}))
    assert "line" in said


def test_a_file_that_is_no_archive(host):
    event, said = host.fails(b"this is not an archive at all" * 100)
    assert event == "DownloadBundle"
    assert said.strip()


@pytest.mark.parametrize("body, bundle_type, name", [
    (bundles.zipped({"appspec.yml": bundles.appspec(), "../../out-escaped-zip": "out"}), "zip", "out-escaped-zip"),
    (bundles.zipped({"appspec.yml": bundles.appspec(), "/opt/out-absolute-zip": "out"}), "zip", "out-absolute-zip"),
    (bundles.zipped_link("link-zip", "/opt", then="link-zip/out-through-zip"), "zip", "link-zip"),
    (bundles.tarred([("../../out-escaped-tgz", "file", "out")]), "tgz", "out-escaped-tgz"),
    (bundles.tarred([("/opt/out-absolute-tgz", "file", "out")]), "tgz", "out-absolute-tgz"),
    (bundles.tarred([("link-tgz", "symlink", "/opt"), ("link-tgz/out-through-tgz", "file", "out")]), "tgz", "link-tgz"),
    (bundles.tarred([("up-tar", "symlink", "../../.."), ("up-tar/out-through-tar", "file", "out")], "w"), "tar", "up-tar"),
    (bundles.tarred([("hard-tar", "hardlink", "/etc/passwd")], "w"), "tar", "hard-tar"),
], ids=["zip-dots", "zip-absolute", "zip-link", "tgz-dots", "tgz-absolute", "tgz-link", "tar-link-up", "tar-hardlink"])
def test_an_archive_that_reaches_out(host, body, bundle_type, name):
    event, said = host.fails(body, bundle_type)
    assert event == "DownloadBundle"
    assert name in said
    # The machine's own large trees, which the instance sees through its overlay, are none that an archive could hit.
    found = host.run("find / -xdev -path /usr -prune -o -path /root -prune -o -name 'out-*-[zt]*' -print").stdout
    assert found == ""


def test_a_full_disk(host):
    """A small file system at the agent's root folder stands for a full disk."""
    root = "/opt/codedeploy-agent/deployment-root"
    host.run(f"/etc/init.d/codedeploy-agent stop && mkdir -p {root}")
    # An instance may not mount by itself, so it is done from the machine.
    host.dev.from_the_machine(host.id, "mount", "-t", "tmpfs", "-o", "size=1m,mode=755", "full", root)
    try:
        host.run("/etc/init.d/codedeploy-agent start")
        event, said = host.fails(
            bundles.zipped({"appspec.yml": bundles.appspec(), "large": os.urandom(4 * 1024 * 1024)})
        )
        assert event == "DownloadBundle"
        assert "No space left on device" in said
    finally:
        host.run("/etc/init.d/codedeploy-agent stop")
        host.dev.from_the_machine(host.id, "umount", root)
        host.run("/etc/init.d/codedeploy-agent start")


def test_a_file_that_is_there_already(host):
    host.run("mkdir -p /opt/taken && echo mine > /opt/taken/version")
    event, said = host.fails(bundles.zipped({
        "appspec.yml": bundles.appspec(files=[("version", "/opt/taken")]), "version": "theirs",
    }))
    assert event == "Install"
    assert "/opt/taken/version" in said
    assert host.run("cat /opt/taken/version").stdout == "mine\n"


def test_a_hook_that_fails_tells_its_last_words(host):
    event, said = host.fails(bundles.zipped({
        "appspec.yml": bundles.appspec([("AfterInstall", "fail.sh")]),
        "fail.sh": "#!/bin/sh\necho the reason is here >&2\nexit 3\n",
    }))
    assert event == "AfterInstall"
    assert "the reason is here" in said


def test_a_hook_that_does_not_exist(host):
    event, said = host.fails(bundles.zipped({"appspec.yml": bundles.appspec([("BeforeInstall", "absent.sh")])}))
    assert event == "BeforeInstall"
    assert "absent.sh" in said


def test_a_hook_that_hangs(host):
    spec = bundles.appspec([("BeforeInstall", "hang.sh")]).replace("timeout: 30", "timeout: 1")
    event, said = host.fails(bundles.zipped({
        "appspec.yml": spec, "hang.sh": "#!/bin/sh\ntrap '' TERM\nsleep 987 &\nsleep 987\nsleep 987\n",
    }))
    assert event == "BeforeInstall"
    assert "hang.sh" in said
    assert host.run("pgrep -x -f 'sleep 987' || true").stdout == ""
