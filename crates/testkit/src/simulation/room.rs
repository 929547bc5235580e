//! The account's room, as the store counts it: who is under way, and who waits until there is more of it.

use model::{Creator, DeploymentStatus, Target};
use rollout::{Action, Limits, Room};

use super::world::World;

impl World<'_> {
    /// Writes into the snapshot of a deployment what else is under way, if it may have to wait for that.
    pub fn look_up_room(&mut self, number: usize) {
        let deployment = &self.deployments[number].seen.deployment;
        let may_wait = !deployment.status.has_started() && deployment.creator != Creator::Rollback;
        let limits = self.scenario.limits.filter(|_| may_wait);
        self.deployments[number].seen.room = limits.map(|limits| {
            let (deployments, hosts) = self.under_way_beside(number);
            let own = self.age(number);
            let ahead = self.waiting_for_room().filter(|other| self.age(*other) < own).count();
            Room { limits, deployments, hosts, ahead: ahead as u32 }
        });
    }

    /// Whether the store lets these actions of a deployment be: two that begin at once count each other.
    pub fn may_begin(&self, number: usize, actions: &[Action]) -> bool {
        let is_limited = self.deployments[number].seen.deployment.creator != Creator::Rollback;
        let begun = actions.iter().find_map(|action| match action {
            Action::Start { targets, .. } => Some(targets),
            _ => None,
        });
        match (begun, self.scenario.limits) {
            (Some(targets), Some(limits)) if is_limited => self.has_room(number, targets, limits),
            _ => true,
        }
    }

    /// Whether a deployment to these targets fits beside the others. Alone, it does whatever the limits.
    pub fn has_room(&self, number: usize, targets: &[Target], limits: Limits) -> bool {
        let (deployments, hosts) = self.under_way_beside(number);
        deployments == 0
            || (deployments < limits.deployments && hosts + targets.len() as u32 <= limits.hosts)
    }

    /// Who waits longest for room looks again.
    pub fn ring_next_for_room(&mut self) {
        let next = self.waiting_for_room().min_by_key(|number| self.age(*number));
        if let Some(next) = next {
            self.ring(next);
        }
    }

    /// Those that have their group's place and wait all the same.
    pub fn waiting_for_room(&self) -> impl Iterator<Item = usize> {
        (0..self.deployments.len()).filter(|number| self.deployments[*number].waits_for_room())
    }

    /// The other deployments that have begun and are not over, and how many hosts they are for.
    fn under_way_beside(&self, number: usize) -> (u32, u32) {
        let others = self.deployments.iter().enumerate().filter(|(other, deployed)| {
            *other != number && deployed.seen.deployment.status.has_started() && !deployed.is_over()
        });
        let hosts = others.map(|(_, deployed)| deployed.seen.targets.len() as u32);
        hosts.fold((0, 0), |(deployments, all), hosts| (deployments + 1, all + hosts))
    }
}

impl super::world::Deployed {
    /// It could begin, were there room.
    pub fn waits_for_room(&self) -> bool {
        self.waits.is_none() && self.seen.deployment.status == DeploymentStatus::Queued
    }
}
