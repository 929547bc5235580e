//! Deployments: creating, stopping, reading and listing them.

use std::collections::BTreeSet;

use model::{Creator, DeploymentConfig, DeploymentId, DeploymentStatus, Revision, Timestamp};
use rollout::{AlarmWatch, StopIntent, WaitingOn};
use store::{
    CreateDeployment, DeploymentFilter, DeploymentRecord, Group, NewDeployment, StopRequest,
};
use wire::codedeploy::{
    BatchGetDeploymentsInput, BatchGetDeploymentsOutput, CreateDeploymentInput,
    CreateDeploymentOutput, DeploymentInfo, GetDeploymentInput, GetDeploymentOutput,
    ListDeploymentsInput, ListDeploymentsOutput, StopDeploymentInput, StopDeploymentOutput,
    TimeRange,
};
use wire::{ErrorCode, ServiceError};

use super::deployment_info::{self, Options};
use super::page::PAGE;
use super::settings::{self, Settings};
use super::{Answer, App, Call, Failure, configs, group_record, groups, revisions, rules};

/// The reference says 25, the user guide 100.
const BATCH_MAX: usize = 100;

/// Source: answers of the service, quoted in tools that wait for them.
const STOPPED_AT_ONCE: &str =
    "No more commands will be scheduled for execution in the deployment instances";
const STOP_PENDING: &str =
    "Stopping Pending. Stopping to schedule commands in the deployment instances";

impl App {
    /// Accepts a deployment. Everything about hosts is looked at when it starts, not here.
    pub async fn create_deployment(
        &self,
        call: &Call,
        input: CreateDeploymentInput,
    ) -> Answer<CreateDeploymentOutput> {
        let (application, group) = self
            .group(call, input.application_name.clone(), input.deployment_group_name.clone())
            .await?;
        let settings = group_record::settings(&group)?;
        let new = self.new_deployment(call, &input, application.name, &group, &settings).await?;
        let id = self.insert_deployment(new, &group).await?;
        tracing::info!(deployment = %id, group = %group.name, principal = call.principal(), "created");
        Ok(CreateDeploymentOutput { deployment_id: Some(id.to_string()) })
    }

    async fn new_deployment(
        &self,
        call: &Call,
        input: &CreateDeploymentInput,
        application_name: model::ApplicationName,
        group: &Group,
        settings: &Settings,
    ) -> Answer<NewDeployment> {
        let subject = self.check_subject(call, input, group).await?;
        check_options(input, group)?;
        check_style(settings, group)?;
        self.assemble(call, input, application_name, group, subject).await
    }

    /// The deployment that is asked for, of what was held to the rules already.
    ///
    /// # Errors
    /// The description's sequence number is none, or the store failed.
    pub(super) async fn assemble(
        &self,
        call: &Call,
        input: &CreateDeploymentInput,
        application_name: model::ApplicationName,
        group: &Group,
        (revision, config): (Revision, DeploymentConfig),
    ) -> Answer<NewDeployment> {
        let settings = &group_record::settings(group)?;
        let mut options = Options::of(input, settings);
        if is_restart(input) {
            let last = group.last_successful.as_ref();
            options.restart_of = last.map(|attempt| attempt.deployment.to_string());
        }
        Ok(NewDeployment {
            id: draw_id(),
            region: call.scope.region.clone(),
            application_id: group.application_id.clone(),
            application_name,
            group_id: group.id.clone(),
            group_name: group.name.clone(),
            config_name: config.name,
            minimum_healthy: config.minimum_healthy,
            zonal: config.zonal,
            messages: BTreeSet::new(),
            revision,
            queue: self.queue_policy(&group.id).await?,
            sequence: sequence(input.description.as_deref())?,
            creator: Creator::User,
            description: input.description.clone(),
            ignore_application_stop_failures: input
                .ignore_application_stop_failures
                .unwrap_or(false),
            roll_back_on: options.roll_back_on(),
            alarms: watched(input, settings),
            rolls_back: None,
            options: options.write()?,
            created: call.now,
        })
    }

    /// What is deployed and how, held to the rules that come before those of the other options.
    ///
    /// # Errors
    /// The first of the faults in revision, configuration and description, in this order.
    pub(super) async fn check_subject(
        &self,
        call: &Call,
        input: &CreateDeploymentInput,
        group: &Group,
    ) -> Answer<(Revision, DeploymentConfig)> {
        let revision = match (&input.revision, &group.target_revision) {
            _ if is_restart(input) => restarted(input, group)?,
            (None, Some(target)) if input.update_outdated_instances_only == Some(true) => {
                target.clone()
            }
            (revision, _) => revisions::given(revision.as_ref())?,
        };
        let config_name = match &input.deployment_config_name {
            Some(name) => configs::config_name(Some(name.clone()))?,
            None => group.config_name.clone(),
        };
        let config = self.deployment_config(call, &config_name).await?;
        rules::description(input.description.as_deref())?;
        Ok((revision, config))
    }

    async fn insert_deployment(
        &self,
        mut new: NewDeployment,
        group: &Group,
    ) -> Answer<DeploymentId> {
        loop {
            match self.store.create_deployment(&new).await? {
                CreateDeployment::Created => return Ok(new.id),
                CreateDeployment::IdTaken => new.id = draw_id(),
                CreateDeployment::GroupMissing => return Err(groups::unknown(&group.name).into()),
                // Tools find the id in exactly this sentence.
                CreateDeployment::GroupBusy(active) => {
                    return Err(Failure::refused(
                        ErrorCode::DeploymentLimitExceeded,
                        format!(
                            "The Deployment Group '{}' already has an active Deployment '{active}'",
                            group.name
                        ),
                    ));
                }
            }
        }
    }

    /// One deployment.
    pub async fn get_deployment(
        &self,
        _call: &Call,
        input: GetDeploymentInput,
    ) -> Answer<GetDeploymentOutput> {
        let record = self.deployment(input.deployment_id).await?;
        Ok(GetDeploymentOutput { deployment_info: Some(self.shown(&record).await?) })
    }

    /// The deployment as answers show it; one that waits tells its place.
    async fn shown(&self, record: &DeploymentRecord) -> Answer<DeploymentInfo> {
        let mut info = deployment_info::show(record)?;
        if record.state.status == DeploymentStatus::Queued {
            let messages = info.deployment_status_messages.get_or_insert_default();
            messages.extend(self.why_queued(record).await?.map(|why| why.to_string()));
        }
        Ok(info)
    }

    /// What a deployment waits for before it begins: its group's place or, if it has that, room in the account.
    async fn why_queued(&self, record: &DeploymentRecord) -> Answer<Option<WaitingOn>> {
        if let Some(line) = self.store.line(&record.state.id).await? {
            return Ok(Some(line.waiting()));
        }
        let usage = self.store.usage(&record.state.id).await?;
        Ok(usage.map(|usage| WaitingOn::Room {
            deployments: usage.deployments,
            hosts: usage.hosts,
            ahead: usage.ahead,
        }))
    }

    /// Several deployments; unknown ids are left out.
    pub async fn batch_get_deployments(
        &self,
        _call: &Call,
        input: BatchGetDeploymentsInput,
    ) -> Answer<BatchGetDeploymentsOutput> {
        let ids = input.deployment_ids.unwrap_or_default();
        rules::batch(ids.len(), BATCH_MAX)?;
        let ids =
            ids.into_iter().map(|id| deployment_id(Some(id))).collect::<Result<Vec<_>, _>>()?;
        let mut infos = Vec::with_capacity(ids.len());
        for record in self.store.deployments_with(&ids).await? {
            infos.push(self.shown(&record).await?);
        }
        Ok(BatchGetDeploymentsOutput { deployments_info: Some(infos) })
    }

    /// Ids of deployments, the newest first.
    pub async fn list_deployments(
        &self,
        call: &Call,
        input: ListDeploymentsInput,
    ) -> Answer<ListDeploymentsOutput> {
        let filter = self.list_filter(call, &input).await?;
        let list = format!("ListDeployments {filter:?} {:?}", input.external_id);
        let after = self.tokens.open(&list, input.next_token.as_deref())?;
        // Deployments of CloudFormation stacks have external ids; there are none of those here.
        if input.external_id.is_some_and(|id| !id.is_empty()) {
            return Ok(ListDeploymentsOutput { deployments: Some(Vec::new()), next_token: None });
        }
        let page = self.store.deployments(&filter, after.as_deref(), PAGE).await?;
        Ok(ListDeploymentsOutput {
            deployments: Some(page.items.iter().map(ToString::to_string).collect()),
            next_token: self.tokens.next(&list, page.next),
        })
    }

    async fn list_filter(
        &self,
        call: &Call,
        input: &ListDeploymentsInput,
    ) -> Answer<DeploymentFilter> {
        let group = match (&input.application_name, &input.deployment_group_name) {
            (None, None) => None,
            (Some(application), Some(group)) => {
                let names = (Some(application.clone()), Some(group.clone()));
                Some(self.group(call, names.0, names.1).await?.1.id)
            }
            (Some(application), None) => {
                self.application(call, Some(application.clone())).await?;
                return Err(Failure::refused(
                    ErrorCode::DeploymentGroupNameRequired,
                    "An applicationName needs a deploymentGroupName",
                ));
            }
            (None, Some(_)) => {
                return Err(Failure::refused(
                    ErrorCode::ApplicationNameRequired,
                    "A deploymentGroupName needs an applicationName",
                ));
            }
        };
        let statuses = input.include_only_statuses.iter().flatten();
        let statuses = statuses.map(|name| {
            DeploymentStatus::from_name(name).ok_or_else(|| {
                ServiceError::new(
                    ErrorCode::InvalidDeploymentStatus,
                    format!("The deployment status '{name}' is unknown"),
                )
            })
        });
        let (created_from, created_to) = window(input.create_time_range.as_ref())?;
        Ok(DeploymentFilter {
            region: call.scope.region.clone(),
            group,
            statuses: statuses.collect::<Result<_, _>>()?,
            created_from,
            created_to,
        })
    }

    /// Writes down that a deployment is to stop. Running lifecycle events end first.
    pub async fn stop_deployment(
        &self,
        call: &Call,
        input: StopDeploymentInput,
    ) -> Answer<StopDeploymentOutput> {
        let record = self.deployment(input.deployment_id).await?;
        let id = record.state.id;
        if record.state.status.is_over() {
            return Err(already_completed(&id));
        }
        if record.state.orphaned.is_some() {
            return Err(groups::unknown(&record.group_name).into());
        }
        let intent = StopIntent {
            requested: call.now,
            principal: call.principal(),
            roll_back: input.auto_rollback_enabled,
        };
        let (status, message) = match self.store.request_stop(&id, &intent).await? {
            StopRequest::Stopping { in_flight: 0 } => ("Succeeded", STOPPED_AT_ONCE),
            StopRequest::Stopping { .. } => ("Pending", STOP_PENDING),
            StopRequest::AlreadyOver => return Err(already_completed(&id)),
            StopRequest::Unknown => return Err(unknown(&id).into()),
        };
        Ok(StopDeploymentOutput {
            status: Some(status.to_owned()),
            status_message: Some(message.to_owned()),
        })
    }

    /// The deployment that a member names.
    pub(super) async fn deployment(&self, id: Option<String>) -> Answer<DeploymentRecord> {
        let id = deployment_id(id)?;
        Ok(self.store.deployment(&id).await?.ok_or_else(|| unknown(&id))?)
    }
}

/// A member that names a deployment.
pub(super) fn deployment_id(id: Option<String>) -> Result<DeploymentId, ServiceError> {
    let id = rules::required(id, ErrorCode::DeploymentIdRequired)?;
    id.parse().map_err(|_| {
        let shown: String = id.chars().take(100).collect();
        ServiceError::new(
            ErrorCode::InvalidDeploymentId,
            format!("Specified DeploymentId '{shown}' is not in the valid format: d- and nine letters or digits"),
        )
    })
}

fn unknown(id: &DeploymentId) -> ServiceError {
    ServiceError::new(
        ErrorCode::DeploymentDoesNotExist,
        format!("The deployment {id} could not be found"),
    )
}

pub(super) fn already_completed(id: &DeploymentId) -> Failure {
    Failure::refused(
        ErrorCode::DeploymentAlreadyCompleted,
        format!("The deployment {id} is already completed"),
    )
}

fn draw_id() -> DeploymentId {
    DeploymentId::from_random(rand::random())
}

/// What a description begins the sequence number of its deployment with.
const SEQUENCE: &str = "longshore:sequence=";

/// The deployment's number in the history of what is deployed, if its description gives one.
fn sequence(description: Option<&str>) -> Result<Option<u64>, ServiceError> {
    let words = description.unwrap_or_default().split_whitespace();
    let Some(number) = words.filter_map(|word| word.strip_prefix(SEQUENCE)).next() else {
        return Ok(None);
    };
    // The database's numbers go no further.
    let parsed = number.parse().ok().filter(|number| i64::try_from(*number).is_ok());
    parsed.map(Some).ok_or_else(|| {
        ServiceError::new(
            ErrorCode::Validation,
            format!(
                "The description's {SEQUENCE}{number} is not valid: the number is one from 0 to {}",
                i64::MAX
            ),
        )
    })
}

fn check_options(input: &CreateDeploymentInput, group: &Group) -> Result<(), ServiceError> {
    if input.target_instances.is_some() {
        return Err(ServiceError::new(
            ErrorCode::InvalidTargetInstances,
            format!(
                "The deployment group {} is deployed to in place: targetInstances are for blue/green",
                group.name
            ),
        ));
    }
    input.override_alarm_configuration.as_ref().map_or(Ok(()), settings::check_alarms)?;
    input.auto_rollback_configuration.as_ref().map_or(Ok(()), settings::check_auto_rollback)
}

/// The alarms that stop the deployment: its own, or else its group's.
fn watched(input: &CreateDeploymentInput, settings: &Settings) -> Option<AlarmWatch> {
    let alarms = input.override_alarm_configuration.as_ref().or(settings.alarms.as_ref())?;
    if alarms.enabled != Some(true) {
        return None;
    }
    let names = alarms.alarms.iter().flatten().filter_map(|alarm| alarm.name.clone());
    Some(AlarmWatch::new(names.collect(), alarms.ignore_poll_alarm_failure == Some(true)))
}

/// Whether this server can do what is asked for in such a group at all.
pub(super) fn check_kind(input: &CreateDeploymentInput, group: &Group) -> Result<(), ServiceError> {
    let settings = group_record::settings(group)
        .map_err(|error| ServiceError::new(ErrorCode::InternalFailure, error.to_string()))?;
    check_options(input, group)?;
    check_style(&settings, group)
}

fn is_restart(input: &CreateDeploymentInput) -> bool {
    input.deployment_mode.as_deref() == Some("RESTART")
}

/// The revision that a restart runs again: that of the group's last success.
/// Source: CodeDeploy API reference, `deploymentMode`.
fn restarted(input: &CreateDeploymentInput, group: &Group) -> Result<Revision, ServiceError> {
    if input.revision.is_some() {
        return Err(ServiceError::new(
            ErrorCode::InvalidRevision,
            "The deploymentMode RESTART runs the last successful revision again: give no revision",
        ));
    }
    if input.update_outdated_instances_only == Some(true) {
        return Err(ServiceError::new(
            ErrorCode::InvalidUpdateOutdatedInstancesOnlyValue,
            "The deploymentMode RESTART is for hosts that have the revision: updateOutdatedInstancesOnly cannot be true",
        ));
    }
    group.last_successful_revision.clone().ok_or_else(|| {
        ServiceError::new(
            ErrorCode::RevisionRequired,
            format!(
                "The deployment group {} has no successful deployment whose revision could be restarted",
                group.name
            ),
        )
    })
}

/// What this server cannot do is refused before anything is started.
fn check_style(settings: &Settings, group: &Group) -> Result<(), ServiceError> {
    let what = if settings.is_blue_green() {
        "of the deploymentType BLUE_GREEN"
    } else if settings.has_traffic_control() {
        "of the deploymentOption WITH_TRAFFIC_CONTROL"
    } else {
        return Ok(());
    };
    Err(ServiceError::new(
        ErrorCode::UnsupportedActionForDeploymentType,
        format!(
            "The deployment group {} is {what}; this server deploys in place and without traffic control",
            group.name
        ),
    ))
}

fn window(
    range: Option<&TimeRange>,
) -> Result<(Option<Timestamp>, Option<Timestamp>), ServiceError> {
    let at = |time: wire::Time| Timestamp::from_millis(time.as_millis());
    let Some(range) = range else { return Ok((None, None)) };
    let (start, end) = (range.start.map(at), range.end.map(at));
    if let (Some(start), Some(end)) = (start, end)
        && start > end
    {
        return Err(ServiceError::new(
            ErrorCode::InvalidTimeRange,
            "The createTimeRange ends before it starts",
        ));
    }
    Ok((start, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_may_have_a_sequence_number() {
        let of = |text: &str| sequence(Some(text)).map_err(|error| error.code);
        assert_eq!(sequence(None), Ok(None));
        assert_eq!(of("build 7, sequence=7"), Ok(None));
        assert_eq!(of("build 7 longshore:sequence=1042"), Ok(Some(1042)));
        for wrong in [
            "longshore:sequence=",
            "longshore:sequence=-1",
            "longshore:sequence=1.2",
            "longshore:sequence=9223372036854775808",
        ] {
            assert_eq!(of(wrong), Err(ErrorCode::Validation), "{wrong}");
        }
    }
}
