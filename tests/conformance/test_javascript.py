"""The AWS SDK for JavaScript v3 as a client: `js/replay.js` makes the calls, this starts it."""

import json
import os
import pathlib
import shutil
import subprocess

import pytest

import longshore
from fixtures import api
from names import unique
from world import Maker

REPLAY = longshore.REPOSITORY / "tests/js/replay.js"
# Where `cargo xtask setup` puts what tests/js/package-lock.json names.
HOME = pathlib.Path(os.environ.get("LONGSHORE_TEST_JS", longshore.REPOSITORY / ".longshore/js"))
CHECKS = 11


@pytest.fixture
def node():
    program = shutil.which("node")
    if not program:
        pytest.skip("there is no node on this machine")
    if not (HOME / "node_modules/@aws-sdk/client-codedeploy").exists():
        pytest.skip("the AWS SDK for JavaScript is not installed; cargo xtask setup does it where there is npm")
    return program


def test_the_javascript_sdk_is_served(node, api, session):
    maker = Maker(api.another(region=unique("javascript")), session)
    app = maker.fresh_application()
    group, _ = maker.fresh_group_of_one_host(app, serve=True)
    given = {
        "endpoint": api.endpoint, "region": maker.api.region, "keys": api.keys, "modules": str(HOME),
        "succeeded": maker.deploy(app, group, {"Succeeded"}),
    }
    result = subprocess.run([node, REPLAY], input=json.dumps(given), capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.count("passed: ") == CHECKS
