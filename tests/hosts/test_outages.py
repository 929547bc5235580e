"""The server's own misfortunes in the middle of a deployment to real hosts: killed twenty times, its database restarted
under it, its disk full. Each time the deployment comes to its right end, and no hook runs twice."""

import contextlib
import os
import pathlib
import random
import signal
import subprocess
import time

import botocore.exceptions
import pytest

import bundles
import longshore
import postgres
import store_checks
from fleets import Fleet
from names import unique

HOOK_SECONDS = 0.5
KILLS = 20
SMALL_DISK = "64m"


def test_killed_at_twenty_random_moments(start_dev):
    fleet = Fleet(start_dev(), 3)
    fleet.upload("v1", bundles.recording(HOOK_SECONDS))
    seed = int(os.environ.get("LONGSHORE_TEST_SEED", random.randrange(1 << 32)))
    print(f"LONGSHORE_TEST_SEED={seed} repeats the moments")
    moment = random.Random(seed)
    deployment = fleet.deploy("v1")
    under_way = 0
    for _ in range(KILLS):
        time.sleep(moment.uniform(0, 0.5))
        fleet.dev.longshore.kill()
        assert store_checks.check(fleet.dev.longshore.data_dir) == []
        fleet.dev.longshore.start()
        under_way += fleet.dev.deployment(deployment)["status"] == "InProgress"
    info = fleet.dev.wait_for_end(deployment)
    print(f"the deployment was under way at {under_way} of {KILLS} kills")
    assert info["status"] == "Succeeded" and info["deploymentOverview"]["Succeeded"] == 3, info
    fleet.every_hook_ran_once(deployment)
    assert store_checks.check(fleet.dev.longshore.data_dir) == []


@pytest.fixture
def own_postgres():
    if postgres.programs() is None:
        pytest.skip("PostgreSQL's `initdb` and `postgres` are not installed")
    server = postgres.Postgres()
    yield server
    server.remove()


def test_postgresql_restarts_in_order_and_crashes(own_postgres, start_dev):
    fleet = Fleet(start_dev(database_url=own_postgres.url), 2)
    fleet.upload("v1", bundles.recording(HOOK_SECONDS))
    deployment = fleet.deploy("v1")
    fleet.wait_for_line(deployment, "BeforeInstall begun")
    own_postgres.end(signal.SIGINT)
    # The host reports into the void, and again.
    fleet.wait_for_line(deployment, "BeforeInstall done")
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        fleet.dev.deployment(deployment)
    assert caught.value.response["Error"]["Code"] == "InternalFailure"
    own_postgres.start()
    fleet.wait_for_line(deployment, "ApplicationStart begun")
    own_postgres.end(signal.SIGQUIT)
    own_postgres.start()
    info = fleet.dev.wait_for_end(deployment)
    assert info["status"] == "Succeeded" and info["deploymentOverview"]["Succeeded"] == 2, info
    fleet.every_hook_ran_once(deployment)
    fleet.dev.longshore.stop()


@pytest.fixture
def on_a_small_disk(start_dev):
    """A server whose data directory is on a small disk, but for its instances, which have their own."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    with contextlib.ExitStack() as at_the_end:
        def mount(place, *what):
            place.mkdir()
            subprocess.run(["mount", *what, place], check=True)
            at_the_end.callback(subprocess.run, ["umount", "--lazy", place], check=True)

        def prepare(data):
            instances = data.with_name("instances")
            instances.mkdir()
            mount(data, "-t", "tmpfs", "-o", f"size={SMALL_DISK}", "small-disk")
            mount(data / "instances", "--bind", instances)

        dev = start_dev(prepare=prepare)
        at_the_end.callback(dev.longshore.stop)
        yield dev


def fill(disk):
    """Takes all room there is; the file that does."""
    filler = pathlib.Path(disk) / "filler"
    with open(filler, "wb", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                pass
    return filler


def applications(codedeploy):
    pages = codedeploy.get_paginator("list_applications").paginate()
    return {name for page in pages for name in page["applications"]}


def test_the_servers_disk_is_full_for_a_while(on_a_small_disk):
    fleet = Fleet(on_a_small_disk, 2)
    data = on_a_small_disk.longshore.data_dir
    codedeploy, s3 = fleet.dev.client("codedeploy"), fleet.dev.client("s3")
    fleet.upload("v1", bundles.recording(HOOK_SECONDS))
    deployment = fleet.deploy("v1")
    fleet.wait_for_line(deployment, "BeforeInstall begun")
    filler = fill(data)

    made = []

    def refused():
        # What room the database's log has left takes some more.
        name = unique("full")
        try:
            codedeploy.create_application(applicationName=name)
            made.append(name)
        except botocore.exceptions.ClientError as error:
            return error.response["Error"]

    error = longshore.wait_until(refused, "an application cannot be stored", every=0)
    assert error["Code"] == "InternalFailure" and "no space left" in error["Message"], error
    with pytest.raises(botocore.exceptions.ClientError, match="no space left"):
        s3.put_object(Bucket=fleet.application, Key="more", Body=b"x" * (1 << 20))
    # It still answers what it knows, and hosts go on as far as they can without it.
    assert fleet.dev.deployment(deployment)["status"] == "InProgress"
    fleet.wait_for_line(deployment, "BeforeInstall done")
    filler.unlink()
    info = fleet.dev.wait_for_end(deployment)
    assert info["status"] == "Succeeded" and info["deploymentOverview"]["Succeeded"] == 2, info
    fleet.every_hook_ran_once(deployment)
    # What was acknowledged until then is there, after a crash as well.
    fleet.kill_and_restart()
    assert set(made) <= applications(codedeploy)
    assert store_checks.check(data) == []
