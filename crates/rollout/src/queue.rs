//! Who deploys next to a group, where its tag lets further deployments wait; and which come too late.
//!
//! None of it is CodeDeploy's: there, a group that is busy refuses. See `docs/decisions/0004-queues-by-tag.md`.

use std::time::Duration;

use model::{DeploymentId, DeploymentStatus, ErrorCode, ErrorInformation, QueuePolicy};

use crate::action::{Action, WaitingOn};
use crate::decision::Rule;
use crate::draft::Draft;
use crate::snapshot::Line;

/// How soon a deployment that waits looks again, if nobody wakes it.
pub const LINE_RECHECK: Duration = Duration::from_secs(30);

/// Ends a deployment that is older than what is installed (true).
pub fn refuse_stale(draft: &mut Draft) -> bool {
    let stale = draft.seen.deployment.sequence.zip(draft.seen.installed_sequence);
    let Some((sequence, installed)) = stale.filter(|(sequence, installed)| sequence < installed)
    else {
        return false;
    };
    draft.decide(Rule::Stale { sequence, installed });
    let message = format!(
        "The deployment is stale: its sequence number is {sequence}, and the deployment group has {installed} already."
    );
    let error = ErrorInformation { code: ErrorCode::InvalidRevision, message };
    draft.refuse(Vec::new(), DeploymentStatus::Failed, error);
    true
}

/// Waits for the group's place, or ends because a newer deployment came (true); else takes the place, or has it.
pub fn wait_for_place(draft: &mut Draft) -> bool {
    let Some(line) = &draft.seen.line else { return false };
    if let Some(by) = line.superseded_by() {
        return end_superseded(draft, line.policy, by);
    }
    if line.is_next() {
        draft.decide(Rule::TakePlace);
        draft.take_place();
        return false;
    }
    if draft.seen.deployment.status != DeploymentStatus::Queued {
        draft.act(Action::Queue);
        draft.decide(Rule::Queue { policy: line.policy });
    }
    draft.wake_at(draft.now + LINE_RECHECK);
    draft.waiting.push(line.waiting());
    true
}

fn end_superseded(draft: &mut Draft, policy: QueuePolicy, by: &DeploymentId) -> bool {
    draft.decide(Rule::Supersede { by: by.clone(), policy });
    let message = format!(
        "The deployment {by} took the place of this one, as the deployment group's tag longshore:queue={} says.",
        policy.name()
    );
    let error = ErrorInformation { code: ErrorCode::ManualStop, message };
    draft.refuse(Vec::new(), DeploymentStatus::Stopped, error);
    true
}

impl Line {
    /// Why the deployment does not begin.
    pub fn waiting(&self) -> WaitingOn {
        WaitingOn::Place { holder: self.holder_id().cloned(), ahead: self.ahead() }
    }

    fn holder_id(&self) -> Option<&DeploymentId> {
        self.holder.as_ref().map(|holder| &holder.id)
    }

    /// How many of those that wait come before it.
    fn ahead(&self) -> u32 {
        let before = match self.policy {
            QueuePolicy::Fifo => &self.older,
            QueuePolicy::Newest | QueuePolicy::ReplacePending => &self.newer,
        };
        u32::try_from(before.len()).unwrap_or(u32::MAX)
    }

    pub(crate) fn is_next(&self) -> bool {
        self.holder.is_none() && self.ahead() == 0
    }

    /// The newer deployment that makes this one needless.
    fn superseded_by(&self) -> Option<&DeploymentId> {
        let overtook = self.holder.as_ref().filter(|holder| holder.overtook);
        match self.policy {
            QueuePolicy::Fifo => None,
            QueuePolicy::Newest => overtook.map(|holder| &holder.id),
            QueuePolicy::ReplacePending => self.newer.last().or(overtook.map(|holder| &holder.id)),
        }
    }
}
