"""A region with much in it, filled by several clients at once: for quotas and for pages."""

import concurrent.futures

from names import unique
from world import ACCOUNT, ROLE, s3_revision

CLIENTS = 8
APPLICATIONS = 1000
GROUPS = 1000
CONFIGS = 200
HOSTS = 230
REVISIONS = 130
DEPLOYMENTS = 120


def at_once(api, count, call, region=None):
    """Makes `call(client, number)` for each number, by several clients. Their answers, in order."""
    def share(first):
        client = api.another(region)
        return [(number, call(client, number)) for number in range(first, count, CLIENTS)]

    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        answers = [answer for part in pool.map(share, range(CLIENTS)) for answer in part]
    return [answer for _, answer in sorted(answers, key=lambda pair: pair[0])]


class Crowd:
    """As many applications, groups and configurations as a region may have, and lists of several pages of all else."""

    def __init__(self, api):
        self.api = api.another(region=unique("crowd"))
        self.app = "app-0000"
        at_once(self.api, APPLICATIONS, lambda c, n: c.ok("CreateApplication", applicationName=f"app-{n:04}"))
        at_once(self.api, GROUPS, lambda c, n: c.ok(
            "CreateDeploymentGroup", applicationName=self.app, deploymentGroupName=f"group-{n:04}", serviceRoleArn=ROLE))
        at_once(self.api, CONFIGS, lambda c, n: c.ok(
            "CreateDeploymentConfig", deploymentConfigName=f"config-{n:04}", minimumHealthyHosts={"type": "HOST_COUNT"}))
        at_once(self.api, REVISIONS, lambda c, n: c.ok(
            "RegisterApplicationRevision", applicationName=self.app, revision=s3_revision(f"key-{n:04}")))
        self.deployments = at_once(self.api, DEPLOYMENTS, lambda c, n: c.ok(
            "CreateDeployment", applicationName=self.app, deploymentGroupName=f"group-{n:04}",
            revision=s3_revision("key-0000"))["deploymentId"])
        self.running = self._a_deployment_to_all_hosts()

    def _a_deployment_to_all_hosts(self):
        tag, prefix = {"Key": "crowd", "Value": "yes"}, unique("crowd")
        at_once(self.api, HOSTS, lambda c, n: c.ok(
            "RegisterOnPremisesInstance", instanceName=f"host-{n:04}",
            iamUserArn=f"arn:aws:iam::{ACCOUNT}:user/{prefix}-{n}"))
        names = [f"host-{number:04}" for number in range(HOSTS)]
        for first in range(0, HOSTS, 100):
            self.api.ok("AddTagsToOnPremisesInstances", instanceNames=names[first:first + 100], tags=[tag])
        group = f"group-{GROUPS - 1:04}"
        self.api.ok("UpdateDeploymentGroup", applicationName=self.app, currentDeploymentGroupName=group,
                    onPremisesInstanceTagFilters=[tag | {"Type": "KEY_AND_VALUE"}])
        return self.api.ok("CreateDeployment", applicationName=self.app, deploymentGroupName=group,
                           revision=s3_revision("key-0000"))["deploymentId"]
