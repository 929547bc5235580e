//! Was the deployment asked to end early, and can it?

use model::{DeploymentStatus, ErrorCode, ErrorInformation, TargetStatus};

use crate::action::WaitingOn;
use crate::alarms;
use crate::draft::Draft;
use crate::snapshot::{Deployment, RaisedAlarm, StopIntent};

/// Somebody or something that wants the deployment to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EarlyEnd<'a> {
    /// The group or the application is gone.
    Orphaned(ErrorCode),
    Asked(&'a StopIntent),
    Alarm(&'a RaisedAlarm),
}

/// Why the deployment must end early, if it must: of a stop and an alarm, what came first.
pub fn early_end(deployment: &Deployment) -> Option<EarlyEnd<'_>> {
    if let Some(code) = deployment.orphaned {
        return Some(EarlyEnd::Orphaned(code));
    }
    let alarm = deployment.alarms.as_ref().and_then(|watch| watch.raised.as_ref());
    match (&deployment.stop, alarm) {
        (Some(stop), Some(alarm)) if alarm.at < stop.requested => Some(EarlyEnd::Alarm(alarm)),
        (Some(stop), _) => Some(EarlyEnd::Asked(stop)),
        (None, alarm) => alarm.map(EarlyEnd::Alarm),
    }
}

impl EarlyEnd<'_> {
    /// The status in which the deployment ends.
    pub fn status(self) -> DeploymentStatus {
        match self {
            Self::Orphaned(_) => DeploymentStatus::Failed,
            Self::Asked(_) | Self::Alarm(_) => DeploymentStatus::Stopped,
        }
    }

    /// What is told of the end.
    pub fn error(self) -> ErrorInformation {
        let (code, message) = match self {
            Self::Orphaned(code) => {
                let application = code == ErrorCode::ApplicationMissing;
                let what = if application { "application" } else { "deployment group" };
                (code, format!("The {what} was deleted while the deployment was in progress."))
            }
            Self::Asked(stop) => (
                ErrorCode::ManualStop,
                format!("The deployment was stopped by {}.", stop.principal),
            ),
            Self::Alarm(alarm) => return alarms::error(&alarm.finding),
        };
        ErrorInformation { code, message }
    }
}

/// Ends a deployment that must end early (true), or waits for what runs: a running event is never interrupted.
/// Source: CodeDeploy API reference, `StopDeployment`.
pub fn end_stopped(draft: &mut Draft) -> bool {
    let Some(end) = early_end(&draft.seen.deployment) else { return false };
    let in_flight = draft.count(TargetStatus::InProgress);
    if in_flight > 0 {
        draft.waiting.push(WaitingOn::Stopping { in_flight });
    } else {
        draft.skip_pending();
        draft.finish(end.status(), Some(end.error()));
    }
    true
}
