//! Was the deployment asked to end early, and can it?

use model::{DeploymentStatus, ErrorCode, ErrorInformation, TargetStatus};

use crate::action::WaitingOn;
use crate::draft::Draft;
use crate::snapshot::Deployment;

/// How the deployment ends early, if somebody or something asked for it.
pub fn reason(deployment: &Deployment) -> Option<(DeploymentStatus, ErrorInformation)> {
    if let Some(code) = deployment.orphaned {
        let what =
            if code == ErrorCode::ApplicationMissing { "application" } else { "deployment group" };
        let message = format!("The {what} was deleted while the deployment was in progress.");
        return Some((DeploymentStatus::Failed, ErrorInformation { code, message }));
    }
    let stop = deployment.stop.as_ref()?;
    let message = format!("The deployment was stopped by {}.", stop.principal);
    Some((DeploymentStatus::Stopped, ErrorInformation { code: ErrorCode::ManualStop, message }))
}

/// Ends a deployment that was asked to end early (true), or waits for what runs: a running event is never
/// interrupted. Source: CodeDeploy API reference, `StopDeployment`.
pub fn end_stopped(draft: &mut Draft) -> bool {
    let Some((status, error)) = reason(&draft.seen.deployment) else { return false };
    let in_flight = draft.count(TargetStatus::InProgress);
    if in_flight > 0 {
        draft.waiting.push(WaitingOn::Stopping { in_flight });
    } else {
        draft.skip_pending();
        draft.finish(status, Some(error));
    }
    true
}
