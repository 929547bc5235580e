//! Targets of deployments, and the deprecated operations that call them instances.

use model::{DeploymentId, DeploymentStatus, Target, TargetId, TargetStatus};
use store::DeploymentRecord;
use wire::codedeploy::{
    BatchGetDeploymentInstancesInput, BatchGetDeploymentInstancesOutput,
    BatchGetDeploymentTargetsInput, BatchGetDeploymentTargetsOutput, GetDeploymentInstanceInput,
    GetDeploymentInstanceOutput, GetDeploymentTargetInput, GetDeploymentTargetOutput,
    ListDeploymentInstancesInput, ListDeploymentInstancesOutput, ListDeploymentTargetsInput,
    ListDeploymentTargetsOutput,
};
use wire::{ErrorCode, ServiceError};

use super::page::PAGE;
use super::{Answer, App, Call, Failure, rules, target_info};

/// Source: CodeDeploy API reference, `BatchGetDeploymentTargets`; likewise instances.
const BATCH_MAX: usize = 25;

impl App {
    /// One target.
    pub async fn get_deployment_target(
        &self,
        _call: &Call,
        input: GetDeploymentTargetInput,
    ) -> Answer<GetDeploymentTargetOutput> {
        let record = self.started(input.deployment_id).await?;
        let id = rules::required(input.target_id, ErrorCode::DeploymentTargetIdRequired)?;
        let short = short_id(&id, ErrorCode::InvalidDeploymentTargetId)?;
        let target = self.store.target(&record.state.id, &short).await?;
        let target = target.ok_or_else(|| no_target(&record, &id))?;
        let shown = target_info::target(&record.state.id, &target);
        Ok(GetDeploymentTargetOutput { deployment_target: Some(shown) })
    }

    /// Several targets; one that is not in the deployment fails the call, as declared.
    pub async fn batch_get_deployment_targets(
        &self,
        _call: &Call,
        input: BatchGetDeploymentTargetsInput,
    ) -> Answer<BatchGetDeploymentTargetsOutput> {
        let record = self.started(input.deployment_id).await?;
        let asked = input.target_ids.unwrap_or_default();
        if asked.len() > BATCH_MAX {
            return Err(Failure::refused(
                ErrorCode::DeploymentTargetListSizeExceeded,
                format!(
                    "The request asks for {} targets; at most {BATCH_MAX} are allowed",
                    asked.len()
                ),
            ));
        }
        let (found, missing) =
            self.targets(&record, asked, ErrorCode::InvalidDeploymentTargetId).await?;
        if let Some(id) = missing.first() {
            return Err(no_target(&record, id).into());
        }
        let shown = found.iter().map(|target| target_info::target(&record.state.id, target));
        Ok(BatchGetDeploymentTargetsOutput { deployment_targets: Some(shown.collect()) })
    }

    /// The ids of a deployment's targets, in the order in which they are deployed to.
    pub async fn list_deployment_targets(
        &self,
        _call: &Call,
        input: ListDeploymentTargetsInput,
    ) -> Answer<ListDeploymentTargetsOutput> {
        let record = self.started(input.deployment_id).await?;
        let mut statuses = None;
        for (name, values) in input.target_filters.unwrap_or_default() {
            if name == "ServerInstanceLabel" {
                return Err(no_labels(&record).into());
            }
            statuses = Some(target_statuses(&values)?);
        }
        let (ids, next_token) =
            self.target_page("ListDeploymentTargets", &record, statuses, input.next_token).await?;
        Ok(ListDeploymentTargetsOutput { target_ids: Some(ids), next_token })
    }

    /// One target, in the form of old.
    pub async fn get_deployment_instance(
        &self,
        _call: &Call,
        input: GetDeploymentInstanceInput,
    ) -> Answer<GetDeploymentInstanceOutput> {
        let record = self.deployment(input.deployment_id).await?;
        let id = rules::required(input.instance_id, ErrorCode::InstanceIdRequired)?;
        let short = short_id(&id, ErrorCode::InvalidInstanceName)?;
        let target = self.store.target(&record.state.id, &short).await?;
        let target = target.ok_or_else(|| no_instance(&record, &id))?;
        let shown = target_info::instance(&record.state.id, &target);
        Ok(GetDeploymentInstanceOutput { instance_summary: Some(shown) })
    }

    /// Several targets, in the form of old; those that are not in the deployment are named in the message.
    pub async fn batch_get_deployment_instances(
        &self,
        _call: &Call,
        input: BatchGetDeploymentInstancesInput,
    ) -> Answer<BatchGetDeploymentInstancesOutput> {
        let record = self.deployment(input.deployment_id).await?;
        let asked = input.instance_ids.unwrap_or_default();
        rules::batch(asked.len(), BATCH_MAX)?;
        let (found, missing) = self.targets(&record, asked, ErrorCode::InvalidInstanceName).await?;
        let shown = found.iter().map(|target| target_info::instance(&record.state.id, target));
        let missing = missing.iter().map(|id| no_instance(&record, id));
        Ok(BatchGetDeploymentInstancesOutput {
            instances_summary: Some(shown.collect()),
            error_message: Some(rules::messages(missing)),
        })
    }

    /// The ids of a deployment's targets, in the form of old.
    pub async fn list_deployment_instances(
        &self,
        _call: &Call,
        input: ListDeploymentInstancesInput,
    ) -> Answer<ListDeploymentInstancesOutput> {
        let record = self.started(input.deployment_id).await?;
        if input.instance_type_filter.is_some_and(|types| !types.is_empty()) {
            return Err(no_labels(&record).into());
        }
        let statuses = input.instance_status_filter.filter(|names| !names.is_empty());
        let statuses = statuses.map(|names| target_statuses(&names)).transpose()?;
        let (ids, next_token) = self
            .target_page("ListDeploymentInstances", &record, statuses, input.next_token)
            .await?;
        Ok(ListDeploymentInstancesOutput { instances_list: Some(ids), next_token })
    }

    async fn target_page(
        &self,
        operation: &str,
        record: &DeploymentRecord,
        statuses: Option<Vec<TargetStatus>>,
        token: Option<String>,
    ) -> Answer<(Vec<String>, Option<String>)> {
        let list = format!("{operation} {} {statuses:?}", record.state.id);
        let after = self.tokens.open(&list, token.as_deref())?;
        // Asked only for statuses that no target of ours ever has.
        if statuses.as_ref().is_some_and(Vec::is_empty) {
            return Ok((Vec::new(), None));
        }
        let statuses = statuses.unwrap_or_default();
        let page =
            self.store.target_ids(&record.state.id, &statuses, after.as_deref(), PAGE).await?;
        let ids = page.items.iter().map(ToString::to_string).collect();
        Ok((ids, self.tokens.next(&list, page.next)))
    }

    /// Those of the asked targets that the deployment has, and the ids of the others.
    async fn targets(
        &self,
        record: &DeploymentRecord,
        asked: Vec<String>,
        malformed: ErrorCode,
    ) -> Answer<(Vec<Target>, Vec<String>)> {
        let short =
            asked.iter().map(|id| short_id(id, malformed)).collect::<Result<Vec<_>, _>>()?;
        let found = self.store.targets(&record.state.id, &short).await?;
        let asked = asked.into_iter().zip(&short);
        let missing = asked.filter(|(_, id)| found.iter().all(|target| target.id != **id));
        let missing = missing.map(|(id, _)| id).collect();
        Ok((found, missing))
    }

    /// The deployment that a member names, if its targets are known.
    async fn started(&self, id: Option<String>) -> Answer<DeploymentRecord> {
        let record = self.deployment(id).await?;
        check_started(&record.state.id, record.state.status)?;
        Ok(record)
    }
}

/// Only a deployment that has started knows its targets; one that ended before it started has none.
fn check_started(id: &DeploymentId, status: DeploymentStatus) -> Result<(), ServiceError> {
    match status {
        DeploymentStatus::Created | DeploymentStatus::Queued => Err(ServiceError::new(
            ErrorCode::DeploymentNotStarted,
            format!("The deployment {id} has not started"),
        )),
        DeploymentStatus::InProgress
        | DeploymentStatus::Baking
        | DeploymentStatus::Ready
        | DeploymentStatus::Succeeded
        | DeploymentStatus::Failed
        | DeploymentStatus::Stopped => Ok(()),
    }
}

/// Callers may name a target by its ARN; the id is its end, less the ten characters that make an on-premises
/// instance's ARN unique. What no host can be called is refused as `malformed`.
pub(super) fn short_id(id: &str, malformed: ErrorCode) -> Result<TargetId, ServiceError> {
    let name = match id.strip_prefix("arn:").and_then(|arn| arn.split_once(":instance/")) {
        None => id,
        Some((_, name)) => match name.rsplit_once('_') {
            Some((name, unique)) if !name.starts_with("i-") && unique.len() == 10 => name,
            _ => name,
        },
    };
    if rules::host_name(name) {
        return Ok(TargetId::new(name));
    }
    let shown: String = id.chars().take(120).collect();
    Err(ServiceError::new(malformed, format!("'{shown}' can be the id of no host")))
}

fn target_statuses(names: &[String]) -> Result<Vec<TargetStatus>, ServiceError> {
    let mut statuses = Vec::new();
    for name in names {
        match (TargetStatus::from_name(name), name.as_str()) {
            (Some(status), _) => statuses.push(status),
            // A status of the API that no target of ours ever has.
            (None, "Unknown") => {}
            (None, _) => {
                return Err(ServiceError::new(
                    ErrorCode::InvalidInstanceStatus,
                    format!("The target status '{name}' is unknown"),
                ));
            }
        }
    }
    Ok(statuses)
}

pub(super) fn no_target(record: &DeploymentRecord, id: &str) -> ServiceError {
    ServiceError::new(
        ErrorCode::DeploymentTargetDoesNotExist,
        format!("The target {id} is not part of the deployment {}", record.state.id),
    )
}

fn no_instance(record: &DeploymentRecord, id: &str) -> ServiceError {
    ServiceError::new(
        ErrorCode::InstanceDoesNotExist,
        format!("The instance {id} is not part of the deployment {}", record.state.id),
    )
}

fn no_labels(record: &DeploymentRecord) -> ServiceError {
    ServiceError::new(
        ErrorCode::InvalidDeploymentInstanceType,
        format!(
            "The deployment {} is in place; only blue/green deployments have labels",
            record.state.id
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_may_be_named_by_its_arn() {
        for (given, id) in [
            ("i-0123456789abcdef0", "i-0123456789abcdef0"),
            (
                "arn:aws:ec2:us-east-1:123456789012:instance/i-0123456789abcdef0",
                "i-0123456789abcdef0",
            ),
            ("arn:aws:codedeploy:us-east-1:123456789012:instance/web_01_AbCdEfGhIj", "web_01"),
            ("web_01", "web_01"),
        ] {
            let short = short_id(given, ErrorCode::InvalidDeploymentTargetId).unwrap();
            assert_eq!(short.as_str(), id);
        }
        for wrong in ["", "a b", "arn:x:instance/", &"h".repeat(101)] {
            let error = short_id(wrong, ErrorCode::InvalidDeploymentTargetId).unwrap_err();
            assert_eq!(error.code, ErrorCode::InvalidDeploymentTargetId, "{wrong}");
        }
    }

    #[test]
    fn targets_are_known_once_a_deployment_has_started() {
        let id = "d-75I7MBT7C".parse().unwrap();
        let check = |status| check_started(&id, status).map_err(|error| error.code);
        assert_eq!(check(DeploymentStatus::Created), Err(ErrorCode::DeploymentNotStarted));
        assert_eq!(check(DeploymentStatus::Queued), Err(ErrorCode::DeploymentNotStarted));
        assert_eq!(check(DeploymentStatus::InProgress), Ok(()));
        assert_eq!(check(DeploymentStatus::Failed), Ok(()));
    }

    #[test]
    fn statuses_are_known_by_name() {
        let names = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(ToString::to_string).collect();
            target_statuses(&names).map_err(|error| error.code)
        };
        assert_eq!(names(&["Failed", "Unknown"]), Ok(vec![TargetStatus::Failed]));
        assert_eq!(names(&["Unknown"]), Ok(vec![]));
        assert_eq!(names(&["failed"]), Err(ErrorCode::InvalidInstanceStatus));
    }
}
