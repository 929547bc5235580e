//! The messages of a group's triggers.
//!
//! Source: messages as the service really sends them; the user guide's samples differ (nested objects, times as
//! numbers), and subscribers parse what is sent.

use std::collections::BTreeMap;

use model::arn::Scope;
use model::{Creator, DeploymentStatus, EventState, Target, TargetStatus, Timestamp};
use serde_json::{Value, json};
use store::{DeploymentRecord, Happened, Overview};

use crate::app::rollback_message;
use crate::sns::publish::Message;

/// The longest subject that SNS takes.
const SUBJECT_MAX: usize = 100;

/// A message to a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TriggerMessage {
    pub(super) subject: String,
    pub(super) body: String,
}

/// The names under which triggers ask for what happened. Source: CodeDeploy API reference, `TriggerEventType`.
pub(super) fn trigger_events(what: &Happened, creator: Creator) -> Vec<&'static str> {
    match what {
        Happened::Created if creator == Creator::Rollback => {
            vec!["DeploymentStart", "DeploymentRollback"]
        }
        Happened::Created => vec!["DeploymentStart"],
        Happened::Deployment(status) => match status {
            DeploymentStatus::Succeeded => vec!["DeploymentSuccess"],
            DeploymentStatus::Failed => vec!["DeploymentFailure"],
            DeploymentStatus::Stopped => vec!["DeploymentStop"],
            DeploymentStatus::Ready => vec!["DeploymentReady"],
            DeploymentStatus::Created
            | DeploymentStatus::Queued
            | DeploymentStatus::InProgress
            | DeploymentStatus::Baking => Vec::new(),
        },
        Happened::Target(target) => match target.status {
            TargetStatus::InProgress => vec!["InstanceStart"],
            TargetStatus::Ready => vec!["InstanceReady"],
            TargetStatus::Succeeded => vec!["InstanceSuccess"],
            TargetStatus::Failed => vec!["InstanceFailure"],
            TargetStatus::Pending | TargetStatus::Skipped => Vec::new(),
        },
    }
}

/// The message about what happened, for the trigger of that name.
pub(super) fn message(
    account: &str,
    record: &DeploymentRecord,
    what: &Happened,
    trigger: &str,
) -> TriggerMessage {
    let (status, body) = match what {
        Happened::Created => {
            ("CREATED", deployment(account, record, trigger, DeploymentStatus::Created))
        }
        Happened::Deployment(status) => {
            (upper(*status), deployment(account, record, trigger, *status))
        }
        Happened::Target(target) => {
            (upper_target(target.status), instance(account, record, trigger, target))
        }
    };
    let subject = format!(
        "{status}: AWS CodeDeploy {} in {} to {}",
        record.state.id, record.region, record.application_name
    );
    TriggerMessage { subject: shortened(&subject), body: body.to_string() }
}

fn shortened(subject: &str) -> String {
    subject.chars().take(SUBJECT_MAX).collect()
}

/// A trigger that was just made.
pub(crate) struct TestedTrigger<'a> {
    pub(crate) scope: &'a Scope,
    pub(crate) application: &'a str,
    pub(crate) group: &'a str,
    pub(crate) trigger: &'a str,
    pub(crate) at: Timestamp,
}

/// The message that tells the subscribers of a new trigger's topic that it works. It names no deployment and has no
/// status: who parses messages can tell it by that. Source of there being one: CodeDeploy user guide; its text is ours.
pub(crate) fn trigger_test(tested: &TestedTrigger<'_>) -> Message {
    let TestedTrigger { scope, application, group, trigger, at } = tested;
    let body = json!({
        "region": scope.region,
        "accountId": scope.account,
        "eventTriggerName": trigger,
        "applicationName": application,
        "deploymentGroupName": group,
        "message": format!("This is a test: the trigger {trigger} will send its notifications here."),
    });
    let subject =
        format!("TEST: AWS CodeDeploy trigger {trigger} in {} to {application}", scope.region);
    Message {
        id: uuid::Uuid::new_v4().to_string(),
        subject: Some(shortened(&subject)),
        message: body.to_string(),
        attributes: BTreeMap::new(),
        at: *at,
    }
}

fn deployment(
    account: &str,
    record: &DeploymentRecord,
    trigger: &str,
    status: DeploymentStatus,
) -> Value {
    let state = &record.state;
    let over = status.is_over();
    let mut body = json!({
        "region": record.region,
        "accountId": account,
        "eventTriggerName": trigger,
        "applicationName": record.application_name.as_str(),
        "deploymentId": state.id.as_str(),
        "deploymentGroupName": record.group_name.as_str(),
        "createTime": date(state.created),
        "completeTime": state.completed.filter(|_| over).map(date),
    });
    if status != DeploymentStatus::Created {
        body["deploymentOverview"] = overview(record.overview.unwrap_or_default()).into();
    }
    body["status"] = upper(status).into();
    if let Some(error) = state.error.as_ref().filter(|_| over) {
        let error = json!({"ErrorCode": error.code.name(), "ErrorMessage": error.message});
        body["errorInformation"] = error.to_string().into();
    }
    if state.creator == Creator::Rollback
        || matches!(status, DeploymentStatus::Failed | DeploymentStatus::Stopped)
    {
        body["rollbackInformation"] = rollback_information(record).to_string().into();
    }
    body
}

/// Empty but for a rollback. Source: observed messages of the service.
fn rollback_information(record: &DeploymentRecord) -> Value {
    let Some(old) = &record.rolls_back else { return json!({}) };
    json!({
        "RollbackMessage": rollback_message(&record.state.id, old),
        "RollbackTriggeringDeploymentId": old.as_str(),
    })
}

fn overview(overview: Overview) -> String {
    json!({
        "Succeeded": overview.succeeded,
        "Failed": overview.failed,
        "Skipped": overview.skipped,
        "InProgress": overview.in_progress,
        "Pending": overview.pending,
    })
    .to_string()
}

fn instance(account: &str, record: &DeploymentRecord, trigger: &str, target: &Target) -> Value {
    json!({
        "region": record.region,
        "accountId": account,
        "eventTriggerName": trigger,
        "deploymentId": record.state.id.as_str(),
        "instanceId": target.arn,
        "lastUpdatedAt": seconds(target.last_updated),
        "instanceStatus": target.status.name(),
        "lifecycleEvents": target.events.iter().map(event).collect::<Vec<_>>(),
    })
}

fn event(event: &model::Event) -> Value {
    let (status, start, end) = match &event.state {
        EventState::Pending => ("Pending", None, None),
        EventState::InProgress { dispatched, .. } => ("InProgress", Some(*dispatched), None),
        EventState::Succeeded { started, ended } => ("Succeeded", Some(*started), Some(*ended)),
        EventState::Failed { started, ended, .. } => ("Failed", Some(*started), Some(*ended)),
        EventState::Skipped { ended } => ("Skipped", None, Some(*ended)),
    };
    let mut shown = json!({"LifecycleEvent": event.name.name(), "LifecycleEventStatus": status});
    if let Some(start) = start {
        shown["StartTime"] = seconds(start).into();
    }
    if let Some(end) = end {
        shown["EndTime"] = seconds(end).into();
    }
    shown
}

/// `Thu Oct 13 15:50:45 UTC 2022`.
fn date(time: Timestamp) -> String {
    match jiff::Timestamp::from_millisecond(time.as_millis()) {
        Ok(time) => time.strftime("%a %b %d %H:%M:%S UTC %Y").to_string(),
        Err(_) => String::new(),
    }
}

/// `1446744188.595`, in a text.
fn seconds(time: Timestamp) -> String {
    let millis = time.as_millis();
    format!("{}.{:03}", millis.div_euclid(1000), millis.rem_euclid(1000))
}

const fn upper(status: DeploymentStatus) -> &'static str {
    match status {
        DeploymentStatus::Created => "CREATED",
        DeploymentStatus::Queued => "QUEUED",
        DeploymentStatus::InProgress => "IN_PROGRESS",
        DeploymentStatus::Baking => "BAKING",
        DeploymentStatus::Ready => "READY",
        DeploymentStatus::Succeeded => "SUCCEEDED",
        DeploymentStatus::Failed => "FAILED",
        DeploymentStatus::Stopped => "STOPPED",
    }
}

const fn upper_target(status: TargetStatus) -> &'static str {
    match status {
        TargetStatus::Pending => "PENDING",
        TargetStatus::InProgress => "IN_PROGRESS",
        TargetStatus::Ready => "READY",
        TargetStatus::Succeeded => "SUCCEEDED",
        TargetStatus::Failed => "FAILED",
        TargetStatus::Skipped => "SKIPPED",
    }
}
