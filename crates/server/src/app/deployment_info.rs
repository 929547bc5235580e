//! Deployments as answers show them, and the options that they were created with.

use std::collections::BTreeSet;

use model::{DeploymentId, RollbackEvent};
use rollout::Rollback;
use serde::{Deserialize, Serialize};
use store::{DeploymentRecord, Overview};
use wire::codedeploy::{
    AlarmConfiguration, AutoRollbackConfiguration, CreateDeploymentInput, DeploymentInfo,
    DeploymentOverview, DeploymentStyle, EC2DeploymentOptions, ErrorInformation, RollbackInfo,
    TriggerConfig,
};

use super::settings::Settings;
use super::target_info::time;
use super::{Answer, Failure, location};

/// What was asked for beside the columns that the store knows, and what the group was set to at that moment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Options {
    /// `DISALLOW`, `OVERWRITE` or `RETAIN`.
    pub file_exists_behavior: Option<String>,
    /// Deploy only to hosts that have another revision.
    pub update_outdated_instances_only: bool,
    /// The deployment's own, else the group's.
    pub auto_rollback: Option<AutoRollbackConfiguration>,
    /// In place of the group's alarms.
    pub override_alarms: Option<AlarmConfiguration>,
    /// As the group had it.
    pub style: Option<DeploymentStyle>,
    /// Auto Scaling processes to suspend.
    pub ec2_options: Option<EC2DeploymentOptions>,
    /// Who is told of it: the group's triggers at that moment.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub triggers: Vec<TriggerConfig>,
    /// The deployment whose revision is run again, if this is a restart.
    pub restart_of: Option<String>,
    /// The deployment whose bundle hosts may use if they still hold it.
    pub reuses_bundle_of: Option<String>,
}

impl Options {
    /// What `input` asks for, with the group's settings where it says nothing.
    pub fn of(input: &CreateDeploymentInput, settings: &Settings) -> Self {
        let auto_rollback = input.auto_rollback_configuration.clone();
        Self {
            file_exists_behavior: input.file_exists_behavior.clone(),
            update_outdated_instances_only: input.update_outdated_instances_only.unwrap_or(false),
            auto_rollback: auto_rollback.or_else(|| settings.auto_rollback.clone()),
            override_alarms: input.override_alarm_configuration.clone(),
            style: Some(settings.style()),
            ec2_options: input
                .ec2_deployment_options
                .clone()
                .or_else(|| settings.ec2_options.clone()),
            triggers: settings.triggers.clone(),
            restart_of: None,
            reuses_bundle_of: None,
        }
    }

    /// The options of a deployment.
    pub fn read(record: &DeploymentRecord) -> Answer<Self> {
        serde_json::from_str(&record.options)
            .map_err(|error| Failure::internal("a deployment's options cannot be read", error))
    }

    /// The form in which the store keeps them.
    pub fn write(&self) -> Answer<String> {
        serde_json::to_string(self)
            .map_err(|error| Failure::internal("a deployment's options cannot be written", error))
    }

    /// Ends that a rollback follows.
    pub fn roll_back_on(&self) -> BTreeSet<RollbackEvent> {
        let enabled = self.auto_rollback.iter().filter(|rollback| rollback.enabled == Some(true));
        let events = enabled.flat_map(|rollback| rollback.events.iter().flatten());
        events.filter_map(|name| RollbackEvent::from_name(name)).collect()
    }

    /// What the agent does with files that it did not install.
    pub fn file_exists_behavior(&self) -> &str {
        self.file_exists_behavior.as_deref().unwrap_or("DISALLOW")
    }
}

/// The deployment with every member that a deployment to servers shows.
pub fn show(record: &DeploymentRecord) -> Answer<DeploymentInfo> {
    let options = Options::read(record)?;
    let state = &record.state;
    Ok(DeploymentInfo {
        application_name: Some(record.application_name.to_string()),
        deployment_group_name: Some(record.group_name.to_string()),
        deployment_config_name: Some(record.config_name.to_string()),
        deployment_id: Some(state.id.to_string()),
        previous_revision: record.previous_revision.as_ref().map(location::show),
        revision: Some(location::show(&record.revision)),
        status: Some(state.status.name().to_owned()),
        error_information: state.error.as_ref().map(|error| ErrorInformation {
            code: Some(error.code.name().to_owned()),
            message: Some(error.message.clone()),
        }),
        create_time: Some(time(state.created)),
        start_time: state.started.map(time),
        complete_time: state.completed.map(time),
        deployment_overview: record.overview.as_ref().map(overview),
        rollback_info: rollback_info(record),
        description: record.description.clone(),
        creator: Some(state.creator.name().to_owned()),
        ignore_application_stop_failures: Some(state.ignore_application_stop_failures),
        update_outdated_instances_only: Some(options.update_outdated_instances_only),
        file_exists_behavior: Some(options.file_exists_behavior().to_owned()),
        auto_rollback_configuration: options.auto_rollback,
        override_alarm_configuration: options.override_alarms,
        deployment_style: options.style,
        ec2_deployment_options: options.ec2_options,
        // Absent says nothing, as in records from before there were restarts.
        deployment_mode: options.restart_of.map(|_| "RESTART".to_owned()),
        instance_termination_wait_time_started: Some(false),
        deployment_status_messages: Some(messages(record)),
        compute_platform: Some("Server".to_owned()),
        ..DeploymentInfo::default()
    })
}

fn overview(overview: &Overview) -> DeploymentOverview {
    let count = |number: u32| Some(i64::from(number));
    DeploymentOverview {
        pending: count(overview.pending),
        in_progress: count(overview.in_progress),
        succeeded: count(overview.succeeded),
        failed: count(overview.failed),
        skipped: count(overview.skipped),
        ready: count(overview.ready),
    }
}

/// What the deployment `new` says of the one that it rolls back. Source: answers of the service.
pub fn rollback_message(new: &DeploymentId, old: &DeploymentId) -> String {
    format!("Deployment {new} is triggered to roll back deployment {old}.")
}

/// How the deployment and its rollback belong together, whichever of the two it is.
fn rollback_info(record: &DeploymentRecord) -> Option<RollbackInfo> {
    let state = &record.state;
    let triggered_by = record.rolls_back.as_ref();
    let made = match &state.rollback {
        Some(Rollback::Made(id)) => Some(id.to_string()),
        Some(Rollback::Impossible) | None => None,
    };
    let message = match (triggered_by, &state.rollback) {
        (Some(old), _) => Some(rollback_message(&state.id, old)),
        (None, Some(Rollback::Impossible)) => Some(NOTHING_TO_ROLL_BACK_TO.to_owned()),
        (None, Some(Rollback::Made(_)) | None) => None,
    };
    (made.is_some() || message.is_some()).then(|| RollbackInfo {
        rollback_deployment_id: made,
        rollback_triggering_deployment_id: triggered_by.map(ToString::to_string),
        rollback_message: message,
    })
}

const NOTHING_TO_ROLL_BACK_TO: &str = "The deployment was not rolled back: no deployment to the deployment group has \
                                       succeeded, so there is no revision to roll back to.";

/// What went otherwise than asked without failing the deployment.
fn messages(record: &DeploymentRecord) -> Vec<String> {
    let mut messages = Vec::new();
    if record.state.rollback == Some(Rollback::Impossible) {
        messages.push(NOTHING_TO_ROLL_BACK_TO.to_owned());
    }
    messages.extend(record.state.messages.iter().map(ToString::to_string));
    messages
}
