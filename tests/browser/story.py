"""What the browser's tests and the screenshots look at: an application with releases that go well, fail and take long."""

import bundles

BUCKET = "console-story"

VALIDATE = """#!/bin/sh
echo "looking for version $(cat /opt/story/VERSION)"
case $(cat /opt/story/VERSION) in
  2.0) echo "expected an answer at http://127.0.0.1:8080/version"; echo "but: connection refused" >&2; exit 1 ;;
esac
echo "it answers"
"""


def release(version, pause=0.0):
    """A bundle of that version; each of its hooks takes `pause` seconds. 2.0 is bad."""
    hook = f"#!/bin/sh\necho \"$LIFECYCLE_EVENT on $(uname -n)\"\nsleep {pause}\n"
    hooks = [(event, "hook.sh") for event in ("BeforeInstall", "AfterInstall", "ApplicationStart")]
    return bundles.zipped({
        "appspec.yml": bundles.appspec([*hooks, ("ValidateService", "validate.sh")], [("VERSION", "/opt/story")]),
        "hook.sh": hook,
        "validate.sh": VALIDATE,
        "VERSION": version,
    })


def set_up(dev, application, hosts=3):
    """An application with the groups Staging (one host) and Production (the others); the ids of their hosts."""
    deploy = dev.client("codedeploy")
    deploy.create_application(applicationName=application)
    made = {}
    for group, count in (("Staging", 1), ("Production", hosts - 1)):
        tag = f"{application}_{group}"
        deploy.create_deployment_group(
            applicationName=application,
            deploymentGroupName=group,
            deploymentConfigName="CodeDeployDefault.OneAtATime",
            ec2TagFilters=[{"Key": "CDG", "Value": tag, "Type": "KEY_AND_VALUE"}],
            serviceRoleArn="arn:aws:iam::EXAMPLE:role/CodeDeploy",
        )
        made[group] = dev.run_instances(count, tag, IamInstanceProfile={"Name": "CodeDeployInstanceRole"})
    return made


def deploy(dev, application, group, key, version, pause=0.0):
    """Pushes that version and deploys it; the deployment's id."""
    dev.upload(BUCKET, key, release(version, pause))
    location = {"bucket": BUCKET, "key": key, "bundleType": "zip"}
    return dev.client("codedeploy").create_deployment(
        applicationName=application, deploymentGroupName=group, description=f"Version {version}",
        revision={"revisionType": "S3", "s3Location": location},
    )["deploymentId"]
