"""Instances over the ends of their server: adopted after a crash, booted again after an orderly end."""

import time

import pytest

import longshore


@pytest.fixture
def fresh(start_dev):
    """A server of its own: it will end."""
    return start_dev()


def everything(dev, state):
    answer = dev.client("ec2").describe_instances()
    instances = [instance for reservation in answer["Reservations"] for instance in reservation["Instances"]]
    return all(instance["State"]["Name"] == state for instance in instances) and len(instances)


@pytest.mark.parametrize("seconds", [0.02, 0.15])
def test_killed_while_instances_start(fresh, seconds):
    answer = fresh.client("ec2").run_instances(MinCount=4, MaxCount=4, ImageId="ami-b66ed3de")
    time.sleep(seconds)
    fresh.longshore.kill()
    fresh.longshore.start()
    longshore.wait_until(lambda: everything(fresh, "running") == 4, "all four run")
    ids = [instance["InstanceId"] for instance in answer["Instances"]]
    assert {fresh.shell(instance, "hostname").stdout for instance in ids} == {
        found["PrivateDnsName"] + "\n" for found in fresh.instances(ids)
    }


def test_an_adopted_instance_goes_on(fresh):
    (instance,) = fresh.run_instances(ImageId="ami-b66ed3de")
    fresh.shell(instance, "sh", "-c", "setsid sleep 1000 </dev/null >/dev/null 2>&1 & echo $! >/root/pid")
    fresh.longshore.kill()
    fresh.longshore.start()
    fresh.shell(instance, "sh", "-c", "kill -0 $(cat /root/pid)")
    fresh.client("ec2").terminate_instances(InstanceIds=[instance])
    fresh.wait_for_state([instance], "terminated")
    assert fresh.shell(instance, "true", check=False).returncode != 0


def test_an_orderly_end_switches_instances_off_and_the_next_start_on(fresh):
    running, stopped = fresh.run_instances(count=2, ImageId="ami-b66ed3de")
    fresh.shell(running, "sh", "-c", "echo kept >/root/kept")
    fresh.client("ec2").stop_instances(InstanceIds=[stopped])
    fresh.wait_for_state([stopped], "stopped")
    fresh.longshore.stop()
    fresh.longshore.start()
    fresh.wait_for_state([running], "running")
    longshore.wait_until(lambda: fresh.shell(running, "true", check=False).returncode == 0, "the instance is up again")
    assert fresh.shell(running, "cat", "/root/kept").stdout == "kept\n"
    assert fresh.instances([stopped])[0]["State"]["Name"] == "stopped"


def test_an_instance_switched_off_from_inside_is_stopped(fresh):
    (instance,) = fresh.run_instances(ImageId="ami-b66ed3de")
    fresh.shell(instance, "kill", "-TERM", "1", check=False)
    fresh.wait_for_state([instance], "stopped")
    assert fresh.instances([instance])[0]["StateReason"]["Code"] == "Client.InstanceInitiatedShutdown"
