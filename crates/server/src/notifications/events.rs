//! Events: what happened as EventBridge has it, and as CloudEvents.
//!
//! Source: CodeDeploy user guide, "Monitoring deployments with Amazon CloudWatch Events"; CloudEvents 1.0, JSON event
//! format.

use model::arn::Scope;
use model::{DeploymentStatus, TargetStatus, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{DeploymentRecord, Happened};

pub(crate) const DEPLOYMENT: &str = "CodeDeploy Deployment State-change Notification";
pub(crate) const INSTANCE: &str = "CodeDeploy Instance State-change Notification";

/// In which form a destination gets events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Format {
    #[serde(rename = "eventbridge")]
    EventBridge,
    #[serde(rename = "cloudevents")]
    CloudEvents,
}

impl Format {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::EventBridge => "eventbridge",
            Self::CloudEvents => "cloudevents",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::EventBridge, Self::CloudEvents].into_iter().find(|format| format.name() == name)
    }

    /// The content type of an event.
    pub(crate) const fn content_type(self) -> &'static str {
        match self {
            Self::EventBridge => "application/json",
            Self::CloudEvents => "application/cloudevents+json; charset=utf-8",
        }
    }

    /// The event as the destination gets it.
    pub(crate) fn write(self, event: &Value) -> String {
        match self {
            Self::EventBridge => event.to_string(),
            Self::CloudEvents => cloud_event(event).to_string(),
        }
    }
}

/// The event about what happened, as EventBridge has it; some things send none.
pub(super) fn event(
    account: &str,
    record: &DeploymentRecord,
    what: &Happened,
    id: &str,
    at: Timestamp,
) -> Option<Value> {
    let scope = Scope { account: account.to_owned(), region: record.region.clone() };
    let (application, group) = (record.application_name.as_str(), record.group_name.as_str());
    let application_arn = scope.application(application);
    let group_arn = scope.deployment_group(application, group);
    let mut detail = json!({
        "instanceGroupId": record.group_id.as_str(),
        "region": record.region,
        "application": application,
        "deploymentId": record.state.id.as_str(),
        "deploymentGroup": group,
    });
    let (kind, resources) = match what {
        Happened::Created => return None,
        Happened::Deployment(status) => {
            detail["state"] = deployment_state(*status)?.into();
            (DEPLOYMENT, vec![application_arn, group_arn])
        }
        Happened::Target(target) => {
            detail["state"] = target_state(target.status)?.into();
            detail["instanceId"] = target.id.as_str().into();
            (INSTANCE, vec![target.arn.clone(), group_arn, application_arn])
        }
    };
    Some(json!({
        "version": "0",
        "id": id,
        "account": account,
        "region": record.region,
        "time": whole_seconds(at),
        "source": "aws.codedeploy",
        "detail-type": kind,
        "resources": resources,
        "detail": detail,
    }))
}

fn deployment_state(status: DeploymentStatus) -> Option<&'static str> {
    match status {
        DeploymentStatus::Queued => Some("QUEUED"),
        DeploymentStatus::InProgress => Some("START"),
        DeploymentStatus::Ready => Some("READY"),
        DeploymentStatus::Succeeded => Some("SUCCESS"),
        DeploymentStatus::Failed => Some("FAILURE"),
        DeploymentStatus::Stopped => Some("STOP"),
        DeploymentStatus::Created | DeploymentStatus::Baking => None,
    }
}

fn target_state(status: TargetStatus) -> Option<&'static str> {
    match status {
        TargetStatus::InProgress => Some("START"),
        TargetStatus::Ready => Some("READY"),
        TargetStatus::Succeeded => Some("SUCCESS"),
        TargetStatus::Failed => Some("FAILURE"),
        TargetStatus::Pending | TargetStatus::Skipped => None,
    }
}

fn whole_seconds(at: Timestamp) -> String {
    match jiff::Timestamp::from_millisecond(at.as_millis()) {
        Ok(time) => time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        Err(_) => String::new(),
    }
}

/// The same as a CloudEvent in structured mode.
fn cloud_event(event: &Value) -> Value {
    let instance = event["detail-type"] == INSTANCE;
    let kind = if instance { "instance" } else { "deployment" };
    let group = event["resources"][1].clone();
    let subject = if instance { &event["resources"][0] } else { &event["detail"]["deploymentId"] };
    json!({
        "specversion": "1.0",
        "id": event["id"],
        "source": group,
        "type": format!("aws.codedeploy.{kind}.state-change"),
        "subject": subject,
        "time": event["time"],
        "datacontenttype": "application/json",
        "data": event["detail"],
    })
}
