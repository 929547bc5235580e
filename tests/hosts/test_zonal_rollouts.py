"""Zone after zone on real hosts in three zones, by the stock CLI: in order, watched between, and no further than a failure."""

import pytest

import bundles
import longshore
from names import unique

ZONES = ["us-east-1a", "us-east-1b", "us-east-1c"]
MONITOR_SECONDS, FIRST_MONITOR_SECONDS = 2, 4
HOSTS_PER_ZONE = 2
TIMES = "/var/log/times.log"
# When each hook begins and ends, on the one clock of the machine on which all hosts are.
HOOK = f"""#!/bin/sh
echo "$DEPLOYMENT_ID $LIFECYCLE_EVENT $(date +%s.%N)" >>{TIMES}
sleep 0.3
echo "$DEPLOYMENT_ID $LIFECYCLE_EVENT $(date +%s.%N)" >>{TIMES}
"""
# A host that has this file fails.
MARK = "/root/broken"


class Zones:
    """An application on two hosts in each of the zones, the last zone's first in the list of hosts."""

    def __init__(self, dev):
        self.dev, self.aws, self.name = dev, dev.aws, unique("zonal")
        dev.make_application(self.name, self.name)
        self.zone_of = {}
        for zone in reversed(ZONES):
            self.zone_of |= dict.fromkeys(self.run(zone), zone)
        dev.wait_for_state(list(self.zone_of), "running")

    def run(self, zone):
        tag = f"ResourceType=instance,Tags=[{{Key=CDG,Value={self.name}}}]"
        made = self.aws.json("ec2", "run-instances", "--count", HOSTS_PER_ZONE, "--placement", f"AvailabilityZone={zone}",
                             "--tag-specifications", tag, "--iam-instance-profile", "Name=CodeDeployInstanceRole")
        assert {instance["Placement"]["AvailabilityZone"] for instance in made["Instances"]} == {zone}
        return [instance["InstanceId"] for instance in made["Instances"]]

    def config(self, minimum_per_zone):
        name = unique("zonal")
        zonal = (f"monitorDurationInSeconds={MONITOR_SECONDS},firstZoneMonitorDurationInSeconds={FIRST_MONITOR_SECONDS},"
                 f"minimumHealthyHostsPerZone={{type=HOST_COUNT,value={minimum_per_zone}}}")
        self.aws("deploy", "create-deployment-config", "--deployment-config-name", name,
                 "--minimum-healthy-hosts", "type=HOST_COUNT,value=0", "--zonal-config", zonal)
        return name

    def deploy(self, then, config):
        key = unique("bundle")
        events = [(event, "hook.sh") for event in bundles.EVENTS]
        self.dev.upload(self.name, key, bundles.zipped({"appspec.yml": bundles.appspec(events), "hook.sh": HOOK + then}))
        made = self.aws.json("deploy", "create-deployment", "--application-name", self.name, "--deployment-group-name", "Hosts",
                             "--deployment-config-name", config, "--s3-location", f"bucket={self.name},key={key},bundleType=zip")
        return made["deploymentId"]

    def watch(self, deployment):
        """Waits for the end; each status that was seen, in order, and every set of zones that were at work at once."""
        statuses, at_work = [], set()

        def look():
            status = self.dev.deployment(deployment)["status"]
            if statuses[-1:] != [status]:
                statuses.append(status)
            if status != "Created":
                running = [name for name, target in self.dev.targets(deployment).items() if target["status"] == "InProgress"]
                at_work.add(frozenset(self.zone_of[name] for name in running))
            return status in ("Succeeded", "Failed", "Stopped")

        longshore.wait_until(look, f"{deployment} ends", seconds=90)
        return statuses, at_work

    def spans(self, deployment):
        """For each zone, when its hosts began and ended, in seconds; no host of a zone without any was touched."""
        spans = {zone: [] for zone in ZONES}
        for host, zone in self.zone_of.items():
            log = self.dev.shell(host, "sh", "-c", f"grep '^{deployment} ' {TIMES} || true").stdout
            times = [float(line.split()[2]) for line in log.splitlines()]
            if times:
                spans[zone].append((min(times), max(times)))
        return spans


@pytest.fixture(scope="module")
def zones(dev):
    made = Zones(dev)
    yield made
    dev.client("ec2").terminate_instances(InstanceIds=list(made.zone_of))


@pytest.mark.parametrize("minimum_per_zone", [0, 1])
def test_zones_follow_each_other_with_a_pause(zones, minimum_per_zone):
    deployment = zones.deploy("", zones.config(minimum_per_zone))
    statuses, at_work = zones.watch(deployment)
    rest = ["InProgress", "Baking"] * (len(ZONES) - 1) + ["InProgress", "Succeeded"]
    assert [status for status in statuses if status != "Created"] == rest
    assert {zone for together in at_work for zone in together} == set(ZONES)
    assert all(len(together) <= 1 for together in at_work), at_work
    spans = zones.spans(deployment)
    assert [len(spans[zone]) for zone in ZONES] == [HOSTS_PER_ZONE] * len(ZONES)
    for number, (before, after) in enumerate(zip(ZONES, ZONES[1:])):
        pause = min(begun for begun, _ in spans[after]) - max(ended for _, ended in spans[before])
        assert pause >= (MONITOR_SECONDS if number else FIRST_MONITOR_SECONDS), (before, after)
    for hosts in spans.values():
        (_, first_ended), (second_began, _) = sorted(hosts)
        assert (first_ended < second_began) == (minimum_per_zone == 1), "one must stay healthy, or none need"


def test_a_failure_in_the_first_zone_leaves_the_others_alone(zones):
    broken = [host for host, zone in zones.zone_of.items() if zone == ZONES[0]]
    for host in broken:
        zones.dev.shell(host, "touch", MARK)
    deployment = zones.deploy(f"test ! -e {MARK}\n", zones.config(minimum_per_zone=1))
    statuses, _ = zones.watch(deployment)
    for host in broken:
        zones.dev.shell(host, "rm", MARK)
    assert statuses[-1] == "Failed" and "Baking" not in statuses
    by_zone = {zone: set() for zone in ZONES}
    for host, target in zones.dev.targets(deployment).items():
        by_zone[zones.zone_of[host]].add(target["status"])
    # One host is to stay healthy in each zone: of these two, the second is not tried.
    assert by_zone[ZONES[0]] == {"Failed", "Skipped"}
    assert by_zone[ZONES[1]] == by_zone[ZONES[2]] == {"Skipped"}
    assert [len(hosts) for hosts in zones.spans(deployment).values()] == [1, 0, 0]
    code = zones.aws.json("deploy", "get-deployment", "--deployment-id", deployment)["deploymentInfo"]["errorInformation"]["code"]
    assert code == "HEALTH_CONSTRAINTS"
