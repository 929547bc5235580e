//! The line for a group's place, as the store keeps it: who has the place, and who waits.

use model::{DeploymentId, Timestamp};
use rollout::{Action, Holder, Line};

use super::world::World;

impl World<'_> {
    /// Writes into the snapshot of a deployment where it stands among those that wait.
    pub fn look_up_line(&mut self, number: usize) {
        let line = self.deployments[number].waits.map(|policy| {
            let own = self.age(number);
            let ids = |wanted: &dyn Fn(usize) -> bool| {
                let mut found: Vec<usize> = self.in_line(number).filter(|n| wanted(*n)).collect();
                found.sort_by_key(|other| self.age(*other));
                found.into_iter().map(|other| self.id(other)).collect()
            };
            Line {
                policy,
                holder: self.holder(number).map(|holder| Holder {
                    id: self.id(holder),
                    overtook: self.deployments[holder].queued && self.age(holder) > own,
                }),
                older: ids(&|other| self.age(other) < own),
                newer: ids(&|other| self.age(other) > own),
            }
        });
        self.deployments[number].seen.line = line;
    }

    /// Whether the store lets these actions of a deployment be: its group's place goes to one at a time.
    pub fn may_take_place(&self, number: usize, actions: &[Action]) -> bool {
        !actions.contains(&Action::TakePlace) || self.holder(number).is_none()
    }

    /// The line moved: each that stands in it looks again.
    pub fn ring_line(&mut self, group: usize) {
        for number in 0..self.deployments.len() {
            let deployed = &self.deployments[number];
            if deployed.group == group && deployed.waits.is_some() && !deployed.is_over() {
                self.ring(number);
            }
        }
    }

    /// What orders deployments: when they were made, by the clock of the server that made them.
    pub fn age(&self, number: usize) -> (Timestamp, DeploymentId) {
        let deployment = &self.deployments[number].seen.deployment;
        (deployment.created, deployment.id.clone())
    }

    /// The others that wait for the place of this deployment's group.
    pub fn in_line(&self, number: usize) -> impl Iterator<Item = usize> {
        self.others(number).filter(|other| self.deployments[*other].waits.is_some())
    }

    /// The other deployment that has the place of this one's group.
    pub fn holder(&self, number: usize) -> Option<usize> {
        self.others(number).find(|other| self.deployments[*other].waits.is_none())
    }

    /// The other deployments to this one's group that are not over.
    fn others(&self, number: usize) -> impl Iterator<Item = usize> {
        let group = self.deployments[number].group;
        (0..self.deployments.len()).filter(move |other| {
            let deployed = &self.deployments[*other];
            *other != number && deployed.group == group && !deployed.is_over()
        })
    }

    fn id(&self, number: usize) -> DeploymentId {
        self.deployments[number].seen.deployment.id.clone()
    }
}
