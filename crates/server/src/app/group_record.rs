//! Deployment groups as answers show them.

use store::{Attempt, Group};
use wire::codedeploy::{
    AutoRollbackConfiguration, DeploymentGroupInfo, EC2TagSet, LastDeploymentInfo, OnPremisesTagSet,
};

use super::settings::Settings;
use super::target_info::time;
use super::{Answer, Failure, location};

/// What the group is set to.
pub fn settings(group: &Group) -> Answer<Settings> {
    serde_json::from_str(&group.body)
        .map_err(|error| Failure::internal("a deployment group's settings cannot be read", error))
}

/// The form in which the store keeps settings.
pub fn body(settings: &Settings) -> Answer<String> {
    serde_json::to_string(settings).map_err(|error| {
        Failure::internal("a deployment group's settings cannot be written", error)
    })
}

const NO_ROLLBACK: AutoRollbackConfiguration =
    AutoRollbackConfiguration { enabled: Some(false), events: None };

/// The group with every member that clients look for. Which are present when unset matters: Terraform plans a change
/// for an empty `loadBalancerInfo`, and for an absent `outdatedInstancesStrategy`.
pub fn info(application: &str, group: &Group) -> Answer<DeploymentGroupInfo> {
    let settings = settings(group)?;
    Ok(DeploymentGroupInfo {
        application_name: Some(application.to_owned()),
        deployment_group_id: Some(group.id.to_string()),
        deployment_group_name: Some(group.name.to_string()),
        deployment_config_name: Some(group.config_name.to_string()),
        auto_scaling_groups: Some(Vec::new()),
        target_revision: group.target_revision.as_ref().map(location::show),
        deployment_style: Some(settings.style()),
        load_balancer_info: settings.load_balancer(),
        last_successful_deployment: group.last_successful.as_ref().map(attempt),
        last_attempted_deployment: group.last_attempted.as_ref().map(attempt),
        ec2_tag_set: Some(EC2TagSet { ec2_tag_set_list: Some(settings.ec2_tag_set) }),
        on_premises_tag_set: Some(OnPremisesTagSet {
            on_premises_tag_set_list: Some(settings.on_premises_tag_set),
        }),
        compute_platform: Some("Server".to_owned()),
        ecs_services: None,
        ec2_tag_filters: Some(settings.ec2_tag_filters),
        on_premises_instance_tag_filters: Some(settings.on_premises_tag_filters),
        service_role_arn: Some(settings.service_role_arn),
        trigger_configurations: Some(settings.triggers),
        alarm_configuration: settings.alarms,
        auto_rollback_configuration: settings.auto_rollback.or(Some(NO_ROLLBACK)),
        outdated_instances_strategy: settings
            .outdated_instances_strategy
            .or_else(|| Some("UPDATE".to_owned())),
        blue_green_deployment_configuration: settings.blue_green,
        ec2_deployment_options: settings.ec2_options,
        termination_hook_enabled: Some(settings.termination_hook_enabled),
    })
}

fn attempt(attempt: &Attempt) -> LastDeploymentInfo {
    LastDeploymentInfo {
        deployment_id: Some(attempt.deployment.to_string()),
        status: Some(attempt.status.name().to_owned()),
        end_time: attempt.completed.map(time),
        create_time: Some(time(attempt.created)),
    }
}
