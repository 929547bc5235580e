"""An application on a few local instances, whose hooks leave a trace on each host."""

import bundles
import longshore
from names import unique

ALL_AT_ONCE, HALF_AT_A_TIME, ONE_AT_A_TIME = "AllAtOnce", "HalfAtATime", "OneAtATime"


class Fleet:
    """`count` hosts of a server with local instances, and one application whose group `Hosts` they are."""

    def __init__(self, dev, count):
        self.dev = dev
        self.application = unique("fleet")
        dev.make_instance_profile()
        dev.make_application(self.application, self.application)
        self.hosts = dev.run_instances(
            count, tag=self.application, IamInstanceProfile={"Name": "CodeDeployInstanceRole"}
        )

    def upload(self, key, bundle):
        self.dev.upload(self.application, key, bundle)

    def configure(self, **settings):
        """Changes the group."""
        self.dev.client("codedeploy").update_deployment_group(
            applicationName=self.application, currentDeploymentGroupName="Hosts", **settings
        )

    def deploy(self, key, how=ONE_AT_A_TIME):
        """Starts a deployment of what was uploaded under this key; its id."""
        return self.dev.client("codedeploy").create_deployment(
            applicationName=self.application, deploymentGroupName="Hosts",
            deploymentConfigName=f"CodeDeployDefault.{how}",
            revision={
                "revisionType": "S3",
                "s3Location": {"bucket": self.application, "key": key, "bundleType": "zip"},
            },
        )["deploymentId"]

    def succeed(self, key, how=ALL_AT_ONCE):
        """Deploys, and waits for the success."""
        deployment = self.deploy(key, how)
        info = self.dev.wait_for_end(deployment)
        assert info["status"] == "Succeeded", info
        return deployment

    def statuses(self, deployment):
        """The statuses of all targets, sorted; none before the deployment has started."""
        if self.dev.deployment(deployment)["status"] == "Created":
            return []
        return sorted(target["status"] for target in self.dev.targets(deployment).values())

    def installed(self):
        """For each host, the version that is installed on it."""
        return {host: self.dev.shell(host, "cat", "/opt/recorded/version").stdout for host in self.hosts}

    def hook_lines(self, deployment):
        """For each host, what its hooks wrote during a deployment."""
        lines = {}
        for host in self.hosts:
            log = self.dev.shell(host, "sh", "-c", f"cat {bundles.HOOK_LOG} 2>/dev/null || true").stdout
            lines[host] = [line.split(" ", 1)[1] for line in log.splitlines() if line.startswith(deployment)]
        return lines

    def wait_for_line(self, deployment, line, hosts=1):
        """Waits until the hooks of so many hosts wrote this line; those hosts."""
        def having():
            found = [host for host, lines in self.hook_lines(deployment).items() if line in lines]
            return found if len(found) >= hosts else None

        return longshore.wait_until(having, f"`{line}` on {hosts} host(s) in {deployment}", seconds=90)

    def every_hook_ran_once(self, deployment):
        expected = [f"{event} {word}" for event in bundles.EVENTS for word in ("begun", "done")]
        for host, lines in self.hook_lines(deployment).items():
            assert lines == expected, host

    def kill_and_restart(self):
        self.dev.longshore.kill()
        self.dev.longshore.start()
