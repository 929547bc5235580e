//! How long a host, an event and a deployment may take.

use std::time::Duration;

use model::{
    DeploymentStatus, Diagnostics, ErrorCode, ErrorInformation, EventState, LifecycleEvent,
    TargetStatus, Timestamp,
};

use crate::decision::{FailureCause, Rule, TargetEnd};
use crate::draft::{self, Draft};
use crate::snapshot::Busy;
use crate::zones;

/// How long an agent may take to fetch an event that was dispatched to its host.
/// Source: CodeDeploy user guide, "the agent must start a lifecycle event within five minutes".
pub const PICKUP_LIMIT: Duration = Duration::from_secs(5 * 60);

/// How long one lifecycle event may run on a host, from its acknowledgement.
/// Source: CodeDeploy quotas, "a lifecycle event can run 3600 seconds".
pub const EVENT_LIMIT: Duration = Duration::from_secs(3600);

/// How long a whole deployment in place may run. Source: CodeDeploy quotas, "12 hours".
pub const DEPLOYMENT_LIMIT: Duration = Duration::from_secs(12 * 3600);

/// How soon a deployment looks again at a host that another deployment keeps busy.
pub const BUSY_RECHECK: Duration = Duration::from_secs(30);

/// How long a command may still take.
pub enum Patience {
    /// The host has it, and must have ended it by then.
    Executing(Timestamp),
    /// The host must have fetched it by then.
    Pickup(Timestamp),
    /// The host is busy with another deployment: its clock stands still.
    Unbounded,
}

/// How long a command dispatched then may still take. The clock for fetching it does not run while the host executes
/// another deployment's command, since some agents take one command at a time.
pub fn patience(dispatched: Timestamp, acknowledged: Option<Timestamp>, busy: Busy) -> Patience {
    match (acknowledged, busy) {
        (Some(acknowledged), _) => Patience::Executing(acknowledged.max(dispatched) + EVENT_LIMIT),
        (None, Busy::Now) => Patience::Unbounded,
        (None, Busy::FreeSince(free)) => Patience::Pickup(dispatched.max(free) + PICKUP_LIMIT),
    }
}

/// The text is the service's own; people search for it.
pub fn no_contact() -> Diagnostics {
    Diagnostics::unknown_error(
        "CodeDeploy agent was not able to receive the lifecycle event. Check the CodeDeploy agent logs on your host \
         and make sure the agent is running and can connect to the CodeDeploy server.",
    )
}

pub fn took_too_long(event: LifecycleEvent) -> Diagnostics {
    Diagnostics::unknown_error(format!(
        "The lifecycle event {event} did not end within {} seconds. Check the CodeDeploy agent logs on your host.",
        EVENT_LIMIT.as_secs()
    ))
}

/// Ends a deployment that exceeds its limit (true): what runs has failed, what has not begun is skipped.
pub fn end_overdue(draft: &mut Draft) -> bool {
    // Pauses that were asked for are not held against it.
    let limit = draft.began() + DEPLOYMENT_LIMIT + zones::pauses(draft);
    if draft.now < limit {
        draft.wake_at(limit);
        return false;
    }
    let message = format!(
        "The deployment did not end within its limit of {} hours.",
        DEPLOYMENT_LIMIT.as_secs() / 3600
    );
    for index in 0..draft.targets.len() {
        if draft.targets[index].status == TargetStatus::InProgress {
            fail_running(draft, index, &message);
        }
    }
    if draft.count(TargetStatus::Pending) + draft.count(TargetStatus::Failed) > 0 {
        draft.skip_pending();
        let error = ErrorInformation { code: ErrorCode::Timeout, message };
        draft.finish(DeploymentStatus::Failed, Some(error));
        return true;
    }
    // Everything ended well in this very moment: let the verdict say so.
    false
}

fn fail_running(draft: &mut Draft, index: usize, message: &str) {
    let now = draft.now;
    let running = draft.targets[index]
        .events
        .iter()
        .position(|event| matches!(event.state, EventState::InProgress { .. }));
    if let Some(running) = running {
        let event = draft.targets[index].events[running].name;
        let cause = FailureCause::DeploymentOverdue;
        draft.decide_on(index, Rule::EventFailed { event, cause, message: message.to_owned() });
        let event = &mut draft.targets[index].to_mut().events[running];
        draft::fail(event, now, Diagnostics::unknown_error(message));
    }
    draft.end_target(index, TargetStatus::Failed, TargetEnd::AnEventFailed);
}
