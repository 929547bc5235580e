//! Alarms: may the deployment start, and must it stop? Whoever polls them writes down what was found; this module says
//! what follows. Source: CodeDeploy user guide, "Monitoring deployments with CloudWatch alarms".

use std::time::Duration;

use model::{DeploymentStatus, ErrorCode, ErrorInformation};

use crate::action::WaitingOn;
use crate::draft::Draft;
use crate::snapshot::{AlarmFinding, AlarmWatch};

/// How long a deployment waits for the first reading of its alarms before it starts. Alarms are polled every 30 s, and
/// three failures in a row mean that they cannot be read.
pub const FIRST_READING_LIMIT: Duration = Duration::from_secs(2 * 60);

/// Keeps a deployment from starting until its alarms were read once (true): one that is red already must not touch a
/// host. If nobody reads them in time, they count as unreadable.
pub fn hold_until_read(draft: &mut Draft) -> bool {
    let Some(watch) = &draft.seen.deployment.alarms else { return false };
    if watch.first_read.is_some() {
        return false;
    }
    let until = draft.seen.deployment.created + FIRST_READING_LIMIT;
    if draft.now < until {
        draft.wake_at(until);
        draft.waiting.push(WaitingOn::Alarms { names: watch.names.clone(), until });
        return true;
    }
    if watch.ignore_poll_failure {
        return false;
    }
    let finding = AlarmFinding::Unreadable(watch.names.clone());
    draft.refuse(Vec::new(), DeploymentStatus::Stopped, error(&finding));
    true
}

/// Why a deployment with this finding stopped. Beginning and end of the text for an active alarm are what the service
/// says; people match on them.
pub fn error(finding: &AlarmFinding) -> ErrorInformation {
    let message = match finding {
        AlarmFinding::Active(names) => format!(
            "One or more alarms have been activated according to the metrics that you selected, and the affected \
             deployments have been stopped. Activated alarms: {}",
            bracketed(names)
        ),
        AlarmFinding::Unreadable(names) => format!(
            "The state of one or more alarms could not be read, so nothing is known of the deployment's health, and it \
             was stopped. Check that they exist, or set ignorePollAlarmFailure. Unreadable alarms: {}",
            bracketed(names)
        ),
    };
    ErrorInformation { code: ErrorCode::AlarmActive, message }
}

fn bracketed(names: &[String]) -> String {
    names.iter().map(|name| format!("<{name}>")).collect::<Vec<_>>().join(" ")
}

impl AlarmWatch {
    /// A watch of alarms that nobody has read yet.
    pub fn new(names: Vec<String>, ignore_poll_failure: bool) -> Self {
        Self { names, ignore_poll_failure, first_read: None, raised: None }
    }
}
