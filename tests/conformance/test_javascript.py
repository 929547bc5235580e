"""The AWS SDK for JavaScript v3 as a client: `js/replay.js` makes the calls, this starts it."""

import json
import os
import pathlib
import shutil
import subprocess

import pytest

import api_model
import good_calls
import longshore
from fixtures import api, world
from names import unique
from world import Maker

REPLAY = longshore.REPOSITORY / "tests/js/replay.js"
# Where `cargo xtask setup` puts what tests/js/package-lock.json names.
HOME = pathlib.Path(os.environ.get("LONGSHORE_TEST_JS", longshore.REPOSITORY / ".longshore/js"))
CHECKS = 12


@pytest.fixture
def node():
    program = shutil.which("node")
    if not program:
        pytest.skip("there is no node on this machine")
    if not (HOME / "node_modules/@aws-sdk/client-codedeploy").exists():
        pytest.skip("the AWS SDK for JavaScript is not installed; cargo xtask setup does it where there is npm")
    return program


def every_operation(api, world):
    """An input for each operation; for those that this server always refuses, with the error that it answers."""
    found = {}
    for operation in api_model.operations():
        make, refused = good_calls.GOOD[operation], good_calls.REFUSED.get(operation)
        members = (make or refused)(world)
        found[operation] = {"input": members, "error": None if make else api.send(operation, members).error}
    return found


def test_the_javascript_sdk_is_served(node, api, world, session):
    maker = Maker(api.another(region=unique("javascript")), session)
    app = maker.fresh_application()
    group, _ = maker.fresh_group_of_one_host(app, serve=True)
    given = {
        "endpoint": api.endpoint, "region": maker.api.region, "keys": api.keys, "modules": str(HOME),
        "succeeded": maker.deploy(app, group, {"Succeeded"}),
        "there": {"region": api.region, "maxAttempts": 1}, "operations": every_operation(api, world),
    }
    result = subprocess.run([node, REPLAY], input=json.dumps(given), capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.count("passed: ") == CHECKS
