"""Zone after zone, with the stock clients and hosts that speak the agents' wire form."""

import pytest

import longshore
from names import unique
from official_agent import OfficialAgent
from test_official_agents import EVENTS, ROLE

REVISION = {"revisionType": "S3", "s3Location": {"bucket": "releases", "key": "1.zip", "bundleType": "zip"}}


class Racks:
    """An application and a group of on-premises hosts, each in a zone or, with `None`, in none."""

    def __init__(self, server, client, zones):
        self.endpoint, self.deploy, self.name = server.endpoint, client("codedeploy"), unique("racks")
        iam = client("iam")
        self.agents, self.zone_of = {}, {}
        for number, zone in enumerate(zones):
            host = f"{self.name}-{number}"
            identity = iam.create_user(UserName=host)["User"]["Arn"]
            key = iam.create_access_key(UserName=host)["AccessKey"]
            tags = {"Name": self.name} | ({"longshore:zone": zone} if zone else {})
            self.deploy.register_on_premises_instance(instanceName=host, iamUserArn=identity)
            self.deploy.add_tags_to_on_premises_instances(
                tags=[{"Key": key, "Value": value} for key, value in tags.items()], instanceNames=[host]
            )
            self.agents[host] = OfficialAgent(self.endpoint, identity, key["AccessKeyId"], key["SecretAccessKey"])
            self.zone_of[host] = zone
        self.deploy.create_application(applicationName=self.name)
        self.deploy.create_deployment_group(
            applicationName=self.name, deploymentGroupName="Hosts", serviceRoleArn=ROLE,
            onPremisesInstanceTagFilters=[{"Key": "Name", "Value": self.name, "Type": "KEY_AND_VALUE"}],
        )

    def config(self, **zonal):
        name = unique("zonal")
        self.deploy.create_deployment_config(
            deploymentConfigName=name, minimumHealthyHosts={"type": "HOST_COUNT", "value": 0}, zonalConfig=zonal
        )
        return name

    def begin(self, **options):
        return self.deploy.create_deployment(
            applicationName=self.name, deploymentGroupName="Hosts", revision=REVISION, **options
        )["deploymentId"]

    def status(self, deployment):
        return self.deploy.get_deployment(deploymentId=deployment)["deploymentInfo"]["status"]

    def running(self, deployment):
        if self.status(deployment) == "Created":
            return []
        return self.deploy.list_deployment_targets(
            deploymentId=deployment, targetFilters={"TargetStatus": ["InProgress"]}
        )["targetIds"]

    def wait_for(self, deployment, *statuses):
        def look():
            info = self.deploy.get_deployment(deploymentId=deployment)["deploymentInfo"]
            return info if info["status"] in statuses else None

        return longshore.wait_until(look, f"{deployment} is {' or '.join(statuses)}")

    def next_zone(self, deployment):
        """Carries out what is under way, and tells in which zone."""
        hosts = longshore.wait_until(lambda: self.running(deployment), "a zone is begun")
        for host in hosts:
            for _ in EVENTS:
                self.agents[host].carry_out(self.agents[host].poll())
        zones = {self.zone_of[host] for host in hosts}
        assert len(zones) == 1, f"{hosts} are in several zones"
        return zones.pop(), len(hosts)


@pytest.fixture
def racks(server, session):
    return lambda *zones: Racks(server, session.client, zones)


def test_zones_follow_each_other_and_are_watched_between(racks):
    shop = racks("b", "a", None, "a")
    deployment = shop.begin(deploymentConfigName=shop.config(monitorDurationInSeconds=2))
    assert shop.next_zone(deployment) == ("a", 2)
    shop.wait_for(deployment, "Baking")
    assert shop.running(deployment) == []
    assert shop.next_zone(deployment) == ("b", 1)
    shop.wait_for(deployment, "Baking")
    assert shop.next_zone(deployment) == (None, 1)
    ended = shop.wait_for(deployment, "Succeeded", "Failed")
    assert ended["status"] == "Succeeded"
    assert ended["deploymentStatusMessages"] == []


def test_a_pause_can_be_stopped(racks):
    shop = racks("a", "b")
    deployment = shop.begin(deploymentConfigName=shop.config(firstZoneMonitorDurationInSeconds=3600))
    assert shop.next_zone(deployment) == ("a", 1)
    shop.wait_for(deployment, "Baking")
    assert shop.deploy.stop_deployment(deploymentId=deployment)["status"] == "Succeeded"
    overview = shop.wait_for(deployment, "Stopped")["deploymentOverview"]
    assert (overview["Succeeded"], overview["Skipped"]) == (1, 1)


def test_a_zone_too_small_for_its_minimum_is_refused(racks):
    shop = racks("a", "a", "b")
    minimum = {"type": "HOST_COUNT", "value": 1}
    refused = shop.wait_for(shop.begin(deploymentConfigName=shop.config(minimumHealthyHostsPerZone=minimum)), "Failed")
    assert refused["errorInformation"]["code"] == "HEALTH_CONSTRAINTS_INVALID"
    assert "1 healthy in b, which has 1" in refused["errorInformation"]["message"]


def test_hosts_without_zones_make_the_zonal_part_void(racks):
    shop = racks(None, None)
    deployment = shop.begin(deploymentConfigName=shop.config(monitorDurationInSeconds=3600))
    assert shop.next_zone(deployment) == (None, 2)
    (message,) = shop.wait_for(deployment, "Succeeded")["deploymentStatusMessages"]
    assert "availability zone" in message


def test_nothing_outdated_succeeds_untouched(racks):
    shop = racks(None)
    first = shop.begin()
    shop.next_zone(first)
    shop.wait_for(first, "Succeeded")
    again = shop.wait_for(shop.begin(updateOutdatedInstancesOnly=True), "Succeeded")
    assert again["deploymentOverview"] == dict.fromkeys(again["deploymentOverview"], 0)
    (message,) = again["deploymentStatusMessages"]
    assert "has the revision already" in message
