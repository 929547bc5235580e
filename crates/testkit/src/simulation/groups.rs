//! Deployment groups: who is in them, and what their deployments left on record of each host.

use model::{DeploymentStatus, TargetStatus};
use rollout::{Candidate, HealthClass, Members};

use super::scenario::{History, Installed, Scenario};
use super::world::World;

pub struct Group {
    /// One for each host of the scenario.
    records: Vec<History>,
}

impl Group {
    pub fn all(scenario: &Scenario) -> Vec<Self> {
        let group = |number: usize| Self {
            records: scenario.hosts.iter().map(|host| host.history[number]).collect(),
        };
        (0..scenario.groups.len()).map(group).collect()
    }
}

/// Source: the specification's order of targets.
fn class(record: History) -> HealthClass {
    match record {
        History { healthy: false, .. } => HealthClass::Unhealthy,
        History { installed: Installed::Nothing, .. } => HealthClass::RevisionUnknown,
        History { installed: Installed::Older, .. } => HealthClass::RevisionOld,
        History { installed: Installed::LastSuccessful, .. } => HealthClass::RevisionCurrent,
    }
}

impl World<'_> {
    /// Looks up whom the deployment's group selects, as long as its targets are not fixed.
    pub fn look_up_members(&mut self, deployment: usize) {
        let deployed = &mut self.deployments[deployment];
        if deployed.seen.deployment.status.has_started() {
            return;
        }
        let group = deployed.group;
        let members = (0..self.hosts.len())
            .filter(|host| self.scenario.hosts[*host].groups.contains(&group))
            .filter(|host| !self.hosts[*host].is_gone());
        let candidate = |host: usize| {
            let id = self.hosts[host].target.clone();
            Candidate {
                arn: format!("arn:{id}"),
                host_identifier: format!("host:{id}"),
                zone: None,
                health: class(self.groups[group].records[host]),
                id,
            }
        };
        let mut members: Vec<Candidate> = members.map(candidate).collect();
        if self.scenario.groups[group].finds_hosts_twice {
            members.extend_from_within(..members.len().div_ceil(2));
        }
        deployed.seen.members = Members::Known(members);
    }

    /// What the end of a deployment leaves on record. Source: the specification's table of health records; every
    /// deployment here has a revision of its own.
    pub fn record_end(&mut self, deployment: usize) {
        let deployed = &self.deployments[deployment];
        let succeeded = deployed.seen.deployment.status == DeploymentStatus::Succeeded;
        let records = &mut self.groups[deployed.group].records;
        if succeeded {
            for record in records.iter_mut() {
                if record.installed == Installed::LastSuccessful {
                    record.installed = Installed::Older;
                }
            }
        }
        for target in &deployed.seen.targets {
            let Some(host) = self.host_of(&target.id) else { continue };
            let record = &mut self.groups[deployed.group].records[host];
            match target.status {
                TargetStatus::Succeeded => {
                    record.healthy = true;
                    record.installed =
                        if succeeded { Installed::LastSuccessful } else { Installed::Older };
                }
                TargetStatus::Failed => record.healthy = false,
                TargetStatus::Pending
                | TargetStatus::InProgress
                | TargetStatus::Ready
                | TargetStatus::Skipped => {}
            }
        }
    }
}
