//! Deployment groups: who is in them, and what their deployments left on record of each host.

use model::{DeploymentId, DeploymentStatus, TargetStatus};
use rollout::{Candidate, HealthClass, Members};

use super::scenario::{AlarmState, History, Installed, Scenario};
use super::world::World;

pub struct Group {
    /// One for each host of the scenario.
    records: Vec<History>,
    /// What a rollback would deploy again.
    pub last_successful: Option<DeploymentId>,
    /// Its number in the history of what is deployed, if it had one.
    pub installed_sequence: Option<u64>,
    pub alarm: AlarmState,
}

impl Group {
    pub fn all(scenario: &Scenario) -> Vec<Self> {
        let group = |number: usize| Self {
            records: scenario.hosts.iter().map(|host| host.history[number]).collect(),
            last_successful: scenario.groups[number]
                .has_good
                .then(|| DeploymentId::from_random([number as u8; 9])),
            installed_sequence: None,
            alarm: AlarmState::Calm,
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
                zone: self.scenario.hosts[host].zone.map(String::from),
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
    /// deployment here has a revision of its own, but a rollback, which has the last successful one's.
    pub fn record_end(&mut self, deployment: usize) {
        let deployed = &self.deployments[deployment];
        let succeeded = deployed.seen.deployment.status == DeploymentStatus::Succeeded;
        let is_good = succeeded || deployed.is_rollback();
        let group = &mut self.groups[deployed.group];
        if succeeded {
            group.last_successful = Some(deployed.seen.deployment.id.clone());
            group.installed_sequence = deployed.seen.deployment.sequence;
        }
        if succeeded && !deployed.is_rollback() {
            for record in &mut group.records {
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
                        if is_good { Installed::LastSuccessful } else { Installed::Older };
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
