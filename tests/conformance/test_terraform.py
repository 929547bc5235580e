"""Terraform's aws_codedeploy_app, _deployment_group and _deployment_config: apply, empty second plan, rename, destroy.

Terraform fetches its provider from the internet; CI has none. So this runs where both are on the machine: `terraform`,
and a folder of providers, named by LONGSHORE_TEST_TERRAFORM_PLUGINS or one of those that Terraform itself looks into.
"""

import json
import os
import pathlib
import shutil
import subprocess

import pytest

# Below the name of the registry that it came from.
PROVIDER = "hashicorp/aws"
FOLDERS = [
    os.environ.get("LONGSHORE_TEST_TERRAFORM_PLUGINS"),
    pathlib.Path.home() / ".terraform.d/plugins",
    "/usr/local/share/terraform/plugins",
    "/usr/share/terraform/plugins",
]

STACK = """
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0"
    }
  }
}

provider "aws" {
  region                  = "eu-central-1"
  skip_metadata_api_check = true
}

variable "name" { default = "tf-shop" }
variable "group" { default = "production" }
variable "rollback" { default = true }

resource "aws_iam_role" "service" {
  name               = "${var.name}-service"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "codedeploy.amazonaws.com" } }]
  })
  lifecycle { ignore_changes = [name] }
}

resource "aws_codedeploy_app" "shop" {
  name             = var.name
  compute_platform = "Server"
  tags             = { team = "shop" }
}

resource "aws_codedeploy_deployment_config" "slow" {
  deployment_config_name = "tf-slow"
  minimum_healthy_hosts {
    type  = "FLEET_PERCENT"
    value = 0
  }
}

resource "aws_codedeploy_deployment_config" "zonal" {
  deployment_config_name = "tf-zonal"
  minimum_healthy_hosts {
    type  = "HOST_COUNT"
    value = 2
  }
  zonal_config {
    first_zone_monitor_duration_in_seconds = 600
    monitor_duration_in_seconds            = 60
    minimum_healthy_hosts_per_zone {
      type  = "FLEET_PERCENT"
      value = 50
    }
  }
}

resource "aws_codedeploy_deployment_config" "pauses" {
  deployment_config_name = "tf-pauses"
  minimum_healthy_hosts {
    type  = "HOST_COUNT"
    value = 0
  }
  zonal_config {
    monitor_duration_in_seconds = 60
  }
}

resource "aws_codedeploy_deployment_config" "lambda" {
  deployment_config_name = "tf-lambda"
  compute_platform       = "Lambda"
  traffic_routing_config {
    type = "TimeBasedLinear"
    time_based_linear {
      interval   = 10
      percentage = 10
    }
  }
}

resource "aws_codedeploy_deployment_config" "ecs" {
  deployment_config_name = "tf-ecs"
  compute_platform       = "ECS"
  traffic_routing_config {
    type = "AllAtOnce"
  }
}

resource "aws_codedeploy_app" "function" {
  name             = "tf-function"
  compute_platform = "Lambda"
}

resource "aws_codedeploy_deployment_group" "plain" {
  app_name              = aws_codedeploy_app.shop.name
  deployment_group_name = "plain"
  service_role_arn      = aws_iam_role.service.arn
}

resource "aws_codedeploy_deployment_group" "full" {
  app_name               = aws_codedeploy_app.shop.name
  deployment_group_name  = var.group
  service_role_arn       = aws_iam_role.service.arn
  deployment_config_name = aws_codedeploy_deployment_config.slow.deployment_config_name
  tags                   = { tier = var.group }

  ec2_tag_set {
    ec2_tag_filter {
      key   = "Name"
      type  = "KEY_AND_VALUE"
      value = "web"
    }
    ec2_tag_filter {
      key  = "stage"
      type = "KEY_ONLY"
    }
  }
  on_premises_instance_tag_filter {
    key   = "Name"
    type  = "KEY_AND_VALUE"
    value = "web"
  }
  trigger_configuration {
    trigger_events     = ["DeploymentFailure"]
    trigger_name       = "failures"
    trigger_target_arn = "arn:aws:sns:eu-central-1:123456789012:failures"
  }
  alarm_configuration {
    alarms                    = ["cpu"]
    enabled                   = true
    ignore_poll_alarm_failure = true
  }
  outdated_instances_strategy = "IGNORE"
  termination_hook_enabled    = true
  dynamic "auto_rollback_configuration" {
    for_each = var.rollback ? [1] : []
    content {
      enabled = true
      events  = ["DEPLOYMENT_FAILURE"]
    }
  }
}

resource "aws_codedeploy_deployment_group" "filters" {
  app_name              = aws_codedeploy_app.shop.name
  deployment_group_name = "filters"
  service_role_arn      = aws_iam_role.service.arn

  deployment_style {
    deployment_option = "WITH_TRAFFIC_CONTROL"
    deployment_type   = "IN_PLACE"
  }
  load_balancer_info {
    elb_info {
      name = "classic"
    }
  }
  ec2_tag_filter {
    key   = "Name"
    type  = "KEY_AND_VALUE"
    value = "web"
  }
  ec2_tag_filter {
    type  = "VALUE_ONLY"
    value = "blue"
  }
}

resource "aws_codedeploy_deployment_group" "blue_green" {
  app_name              = aws_codedeploy_app.shop.name
  deployment_group_name = "blue-green"
  service_role_arn      = aws_iam_role.service.arn

  deployment_style {
    deployment_option = "WITH_TRAFFIC_CONTROL"
    deployment_type   = "BLUE_GREEN"
  }
  load_balancer_info {
    target_group_info {
      name = "group"
    }
  }
  blue_green_deployment_config {
    deployment_ready_option {
      action_on_timeout    = "STOP_DEPLOYMENT"
      wait_time_in_minutes = 60
    }
    green_fleet_provisioning_option {
      action = "DISCOVER_EXISTING"
    }
    terminate_blue_instances_on_deployment_success {
      action                           = "TERMINATE"
      termination_wait_time_in_minutes = 5
    }
  }
}
"""


def providers():
    """The folder that holds the provider, if there is one."""
    for folder in filter(None, FOLDERS):
        if any(pathlib.Path(folder).glob(f"*/{PROVIDER}")):
            return pathlib.Path(folder)
    return None


class Terraform:
    def __init__(self, directory, environment, plugins):
        self.directory = directory
        (directory / "main.tf").write_text(STACK)
        (directory / "settings.tfrc").write_text(
            f'provider_installation {{\n  filesystem_mirror {{ path = "{plugins}" }}\n}}\n')
        self.environment = environment | {
            "TF_CLI_CONFIG_FILE": str(directory / "settings.tfrc"), "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"}

    def __call__(self, *arguments, permitted=(0,)):
        result = subprocess.run(["terraform", *arguments], cwd=self.directory, env=self.environment,
                                stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=150)
        assert result.returncode in permitted, result.stdout + result.stderr
        return result

    def apply(self, *variables):
        self("apply", "-auto-approve", "-input=false", "-no-color", *variables)

    def assert_nothing_to_do(self, *variables):
        # With -detailed-exitcode, 2 means that there is something to do.
        self("plan", "-detailed-exitcode", "-input=false", "-no-color", *variables)


@pytest.fixture
def terraform(server, session, tmp_path):
    if server.database_url:
        pytest.skip("Terraform is run once, on SQLite: it sees nothing of the store")
    if not shutil.which("terraform"):
        pytest.skip("there is no terraform on this machine")
    plugins = providers()
    if plugins is None:
        pytest.skip(f"there is no folder with Terraform's provider {PROVIDER} on this machine")
    made = Terraform(tmp_path, session.environment(), plugins)
    made("init", "-input=false", "-no-color")
    return made


def test_a_stack_lives_through_terraform(terraform, session):
    deploy = session.boto.client("codedeploy", endpoint_url=session.endpoint, region_name="eu-central-1")
    session.boto.client("sns", endpoint_url=session.endpoint, region_name="eu-central-1").create_topic(Name="failures")
    terraform.apply()
    terraform.assert_nothing_to_do()
    before = deploy.get_deployment_group(applicationName="tf-shop", deploymentGroupName="production")

    # In two steps: the provider changes a group's tags under the application's old name, after it has renamed it.
    terraform.apply("-var=group=live", "-var=rollback=false")
    changes = ("-var=name=tf-store", "-var=group=live", "-var=rollback=false")
    terraform.apply(*changes)
    terraform.assert_nothing_to_do(*changes)
    after = deploy.get_deployment_group(applicationName="tf-store", deploymentGroupName="live")
    ids = [found["deploymentGroupInfo"]["deploymentGroupId"] for found in (before, after)]
    assert ids[0] == ids[1], "a rename made another group"
    state = json.loads(terraform("show", "-json").stdout)
    names = {resource["address"] for resource in state["values"]["root_module"]["resources"]}
    assert len(names) == STACK.count("\nresource ")

    terraform("destroy", "-auto-approve", "-input=false", "-no-color", *changes)
    assert deploy.list_applications()["applications"] == []
    assert not [name for name in deploy.list_deployment_configs()["deploymentConfigsList"] if name.startswith("tf-")]
