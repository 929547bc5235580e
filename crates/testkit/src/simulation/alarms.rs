//! Alarms: how they are, and what somebody who reads them writes down of each deployment that watches them.

use model::Timestamp;
use rollout::{AlarmFinding, AlarmWatch, Deployment, RaisedAlarm};

use super::scenario::AlarmState;
use super::world::{Happening, World};

/// How often alarms are read, in milliseconds.
const INTERVAL: u64 = 30_000;
/// So many readings in a row that fail are a finding.
const FAILURES_MAX: u32 = 3;

impl World<'_> {
    /// What a new deployment of the group watches.
    pub fn alarms_of(&self, group: usize) -> Option<AlarmWatch> {
        let alarms = self.scenario.groups[group].alarms?;
        Some(AlarmWatch::new(vec![format!("alarm {group}")], alarms.ignore_poll_failure))
    }

    /// Plans the first reading of a new deployment's alarms, if anybody will read them.
    pub fn watch_alarms(&mut self, deployment: usize) {
        let deployed = &self.deployments[deployment];
        if deployed.seen.deployment.alarms.is_some()
            && let Some(alarms) = self.scenario.groups[deployed.group].alarms
            && let Some(delay) = alarms.first_read_after
        {
            self.after(delay, Happening::ReadAlarms { deployment, failures: 0 });
        }
    }

    /// The group's alarm changes.
    pub fn turn_alarm(&mut self, group: usize, to: AlarmState, read_after: u64) {
        self.groups[group].alarm = to;
        self.tell(|_| format!("the alarm of group {group} turns {to:?}"));
        let is_read = self.scenario.groups[group]
            .alarms
            .is_some_and(|alarms| alarms.first_read_after.is_some());
        for deployment in 0..self.deployments.len() {
            if is_read && self.deployments[deployment].group == group {
                self.after(read_after, Happening::ReadAlarms { deployment, failures: 0 });
            }
        }
    }

    /// Somebody reads the alarms of a deployment, after so many failures in a row. What was found first counts.
    pub fn read_alarms(&mut self, number: usize, failures: u32) {
        let deployed = &self.deployments[number];
        let state = self.groups[deployed.group].alarm;
        let Some(watch) = &deployed.seen.deployment.alarms else { return };
        if deployed.is_over() || watch.raised.is_some() {
            return;
        }
        if self.servers_up().is_empty() {
            return self.after(INTERVAL, Happening::ReadAlarms { deployment: number, failures });
        }
        let names = watch.names.clone();
        let (is_first, ignores) = (watch.first_read.is_none(), watch.ignore_poll_failure);
        match state {
            AlarmState::Red => self.write_down(number, "its alarm is found red", |seen, at| {
                raise(seen, AlarmFinding::Active(names), at);
            }),
            AlarmState::Unreadable if !ignores && failures + 1 < FAILURES_MAX => {
                let failures = failures + 1;
                self.after(INTERVAL, Happening::ReadAlarms { deployment: number, failures });
            }
            AlarmState::Unreadable if !ignores => {
                self.write_down(number, "its alarm cannot be read", |seen, at| {
                    raise(seen, AlarmFinding::Unreadable(names), at);
                });
            }
            AlarmState::Calm | AlarmState::Unreadable if is_first => {
                self.write_down(number, "its alarm was read", |seen, at| {
                    seen.alarms.iter_mut().for_each(|watch| watch.first_read = Some(at));
                });
            }
            AlarmState::Calm | AlarmState::Unreadable => {}
        }
    }
}

fn raise(deployment: &mut Deployment, finding: AlarmFinding, at: Timestamp) {
    if let Some(watch) = &mut deployment.alarms {
        watch.first_read.get_or_insert(at);
        watch.raised = Some(RaisedAlarm { at, finding });
    }
}
