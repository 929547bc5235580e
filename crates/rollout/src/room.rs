//! May one more deployment be under way? An account has room for so many at once, and for so many hosts in these.
//! Source: CodeDeploy quotas, "concurrent deployments" and "instances that can be used by concurrent deployments".

use model::{Creator, DeploymentStatus};

use crate::action::{Action, WaitingOn};
use crate::decision::Rule;
use crate::draft::Draft;
use crate::queue::LINE_RECHECK;
use crate::snapshot::Room;

/// Waits for room for a deployment to so many hosts (true), each in its turn.
pub fn wait_for_room(draft: &mut Draft, hosts: u32) -> bool {
    let Some(room) = draft.seen.room else { return false };
    // It puts back what a deployment left that had room itself.
    if draft.seen.deployment.creator == Creator::Rollback || room.has_place_for(hosts) {
        return false;
    }
    // Who just took its group's place is no longer queued for that.
    if draft.seen.deployment.status != DeploymentStatus::Queued || draft.takes_place() {
        draft.act(Action::Queue);
        draft.decide(Rule::AwaitRoom {
            hosts,
            deployments_max: room.limits.deployments,
            hosts_max: room.limits.hosts,
        });
    }
    draft.wake_at(draft.now + LINE_RECHECK);
    draft.waiting.push(room.waiting());
    true
}

impl Room {
    /// Why the deployment does not begin.
    pub fn waiting(&self) -> WaitingOn {
        let Self { deployments, hosts, ahead, .. } = *self;
        WaitingOn::Room { deployments, hosts, ahead }
    }

    /// Whether a deployment to so many hosts may begin. One that is larger than the limit begins when nothing else is under
    /// way, for otherwise it never would.
    fn has_place_for(&self, hosts: u32) -> bool {
        let fits = self.deployments < self.limits.deployments
            && self.hosts.saturating_add(hosts) <= self.limits.hosts;
        self.ahead == 0 && (self.deployments == 0 || fits)
    }
}
