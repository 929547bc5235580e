//! What a deployment's state means, in words.

use model::{DeploymentStatus, EventState, MinimumHealthyHosts, Target, TargetStatus};
use rollout::WaitingOn;
use store::{DeploymentRecord, Overview};

use super::super::show::counted;

/// Targets of a deployment, all together.
pub fn total(overview: &Overview) -> u32 {
    overview.pending
        + overview.in_progress
        + overview.ready
        + overview.succeeded
        + overview.failed
        + overview.skipped
}

/// The state of a deployment in a sentence or two.
pub fn state(record: &DeploymentRecord) -> String {
    let overview = record.overview.unwrap_or_default();
    let all = total(&overview) as usize;
    let hosts = counted(all, "host", "hosts");
    if let Some(error) = &record.state.error {
        return error.message.clone();
    }
    match record.state.status {
        DeploymentStatus::Created => "Accepted; it has not started yet.".to_owned(),
        DeploymentStatus::Queued => "Waits for a place among the running deployments.".to_owned(),
        DeploymentStatus::InProgress if record.state.stop.is_some() => {
            "A stop was asked for: running lifecycle events end, then nothing more is started."
                .to_owned()
        }
        DeploymentStatus::InProgress => format!(
            "{} of {hosts} done, {} in progress, {} waiting.",
            overview.succeeded + overview.failed,
            overview.in_progress,
            overview.pending
        ),
        DeploymentStatus::Baking => {
            "One zone is done; it is watched before the next begins.".to_owned()
        }
        DeploymentStatus::Ready => "Installed; waits for traffic to be moved.".to_owned(),
        DeploymentStatus::Succeeded if overview.failed > 0 => format!(
            "Enough hosts have the revision: {} of {hosts}; {} failed.",
            overview.succeeded, overview.failed
        ),
        DeploymentStatus::Succeeded => {
            format!("{hosts} have the revision.").replace("1 host have", "1 host has")
        }
        DeploymentStatus::Failed => "Failed.".to_owned(),
        DeploymentStatus::Stopped => "Stopped.".to_owned(),
    }
}

/// The first failed event of a target, in words, with the event's name.
pub fn failure(target: &Target) -> Option<(&'static str, String)> {
    target.events.iter().find_map(|event| match &event.state {
        EventState::Failed { diagnostics, .. } => {
            let what = if diagnostics.message.is_empty() {
                diagnostics.code.name().to_owned()
            } else {
                diagnostics.message.clone()
            };
            Some((event.name.name(), what))
        }
        EventState::Pending
        | EventState::InProgress { .. }
        | EventState::Succeeded { .. }
        | EventState::Skipped { .. } => None,
    })
}

/// The minimum of a configuration, in words.
pub fn minimum(minimum: MinimumHealthyHosts) -> String {
    match minimum {
        MinimumHealthyHosts::HostCount(count) => {
            format!("at least {} healthy", counted(count as usize, "host", "hosts"))
        }
        MinimumHealthyHosts::FleetPercent(percent) => {
            format!("at least {percent} % of hosts healthy")
        }
        MinimumHealthyHosts::MostConcurrency(count) => {
            format!("{} at a time", counted(count as usize, "host", "hosts"))
        }
    }
}

/// Reasons shown one by one; in a large fleet hundreds of hosts wait for the same.
const REASONS_SHOWN: usize = 6;

/// Why nothing more happens right now: some reasons, and how many more there are.
pub fn waiting(reasons: &[WaitingOn]) -> (Vec<String>, usize) {
    let shown = reasons.iter().take(REASONS_SHOWN).map(ToString::to_string).collect();
    (shown, reasons.len().saturating_sub(REASONS_SHOWN))
}

/// A skipped target's likely story: nothing ever ran on it.
pub fn was_never_begun(target: &Target) -> bool {
    target.status == TargetStatus::Skipped
        && target.events.iter().all(|event| matches!(event.state, EventState::Skipped { .. }))
}
