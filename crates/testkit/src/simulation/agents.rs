//! Hosts: they ask for work, do it as their fault says, and report to whichever server they reach.

use std::collections::BTreeMap;

use model::{Diagnostics, HostCommandId, TargetId, Timestamp};
use rollout::{Busy, Completion, HostFacts, Presence};

use super::faults::{Deed, Fault};
use super::scenario::{self, Scenario};
use super::world::{BEGINNING, Happening, World};
use crate::random::Random;

/// How soon a host tries again when no server answers.
const RETRY: u64 = 5_000;
/// An idle poll ends after so long, and the next one finds what a lost bell did not tell.
const POLL_HOLD: u64 = 55_000;
/// A command handed out is not handed out again for so long.
const LEASE: u64 = 60_000;

pub struct Host {
    /// What it is called as a target.
    pub target: TargetId,
    fault: Fault,
    parallel: bool,
    random: Random,
    gone: bool,
    /// Orders whose events are not over, oldest first.
    pub unclosed: Vec<usize>,
    /// Those of them that it has not fetched.
    pub open: Vec<usize>,
    /// Orders that it is executing, for all that the store knows.
    occupied_by: Vec<usize>,
    /// When the last order of a deployment left it.
    freed: BTreeMap<usize, Timestamp>,
    /// Commands that it works on, for all that it knows.
    busy_with: u32,
}

impl Host {
    pub fn all(scenario: &Scenario) -> Vec<Self> {
        let host = |host: &scenario::Host| Self {
            target: TargetId::new(format!("h{}", host.number)),
            fault: host.fault,
            parallel: host.parallel,
            random: scenario::host_chance(!scenario.seed, host.number),
            gone: false,
            unclosed: Vec::new(),
            open: Vec::new(),
            occupied_by: Vec::new(),
            freed: BTreeMap::new(),
            busy_with: 0,
        };
        scenario.hosts.iter().map(host).collect()
    }

    pub fn is_gone(&self) -> bool {
        self.gone
    }
}

impl World<'_> {
    /// The host that a target is, by its place among the scenario's.
    pub fn host_of(&self, target: &TargetId) -> Option<usize> {
        let number: u32 = target.as_str().strip_prefix('h')?.parse().ok()?;
        self.scenario.hosts.binary_search_by_key(&number, |host| host.number).ok()
    }

    /// A command was queued: a parked poll of the host is woken, or finds it when it looks of itself.
    pub fn call(&mut self, host: usize, bell: bool) {
        let Host { fault, random, .. } = &mut self.hosts[host];
        if let Some(delay) = fault.asks_after(random) {
            let delay = if bell { delay } else { delay.max(POLL_HOLD) };
            self.after(delay, Happening::Poll { host });
        }
    }

    /// The host asks for its oldest command.
    pub fn poll(&mut self, number: usize) {
        let online = self.is_online(number);
        let host = &mut self.hosts[number];
        if host.gone || host.open.is_empty() || (host.busy_with > 0 && !host.parallel) {
            return;
        }
        if let Err(delay) = online {
            return self.after(delay, Happening::Poll { host: number });
        }
        if host.fault.loses_answer(&mut host.random) {
            self.tell(|world| {
                format!("{} loses the answer to its poll", world.hosts[number].target)
            });
            return self.after(LEASE, Happening::Poll { host: number });
        }
        let order = host.open.remove(0);
        host.busy_with += 1;
        let event = self.orders[order].event;
        let deeds = host.fault.deeds(event, &mut host.random);
        self.tell(|world| format!("{} fetches {event}", world.hosts[number].target));
        for (delay, deed) in deeds {
            self.after(delay, Happening::Deed { host: number, order, deed });
        }
        self.after(10, Happening::Poll { host: number });
    }

    /// Whether the host reaches a server; if not, when it tries again.
    fn is_online(&self, host: usize) -> Result<(), u64> {
        let away = self.hosts[host].fault.away_at(self.now.since(BEGINNING).as_millis() as u64);
        match away {
            0 if self.servers_up().is_empty() => Err(RETRY),
            0 => Ok(()),
            away => Err(away),
        }
    }

    pub fn deed(&mut self, host: usize, order: usize, deed: Deed) {
        if self.hosts[host].gone {
            if deed == Deed::Return {
                self.hosts[host].gone = false;
                self.hosts[host].busy_with = 0;
                self.tell(|world| format!("{} registers again", world.hosts[host].target));
                self.facts_changed(host);
                self.after(1, Happening::Poll { host });
            }
            return;
        }
        match deed {
            Deed::Die => return self.die(host),
            Deed::Return => return,
            Deed::Acknowledge | Deed::Complete { .. } => {}
        }
        if let Err(delay) = self.is_online(host) {
            return self.after(delay, Happening::Deed { host, order, deed });
        }
        let up = self.servers_up();
        let server = up[self.hosts[host].random.below(up.len() as u64) as usize];
        match deed {
            Deed::Complete { succeeded } => self.complete(host, order, server, succeeded),
            _ => self.acknowledge(host, order, server),
        }
    }

    /// A fact fills a blank: the first one counts.
    fn acknowledge(&mut self, host: usize, number: usize, server: usize) {
        let at = self.clock_of(server);
        let order = &mut self.orders[number];
        if order.closed || order.acknowledged || order.completed {
            return;
        }
        order.acknowledged = true;
        let (deployment, id) = (order.deployment, order.id.clone());
        self.deployments[deployment].seen.reports.entry(id).or_default().acknowledged = Some(at);
        self.hosts[host].occupied_by.push(number);
        self.report(host, number, "acknowledges");
    }

    fn complete(&mut self, host: usize, number: usize, server: usize, succeeded: bool) {
        let at = self.clock_of(server);
        let order = &mut self.orders[number];
        if order.completed {
            return self.tell(|world| {
                format!(
                    "{} reports once more on {}",
                    world.hosts[host].target, world.orders[number].event
                )
            });
        }
        order.completed = true;
        let (deployment, id) = (order.deployment, order.id.clone());
        let acknowledged = order.acknowledged;
        if !order.closed {
            let diagnostics = if succeeded {
                Diagnostics::success()
            } else {
                Diagnostics::unknown_error("failed")
            };
            let report = self.deployments[deployment].seen.reports.entry(id).or_default();
            report.completion = Some(Completion { at, succeeded, diagnostics });
        }
        let state = &mut self.hosts[host];
        state.occupied_by.retain(|occupant| *occupant != number);
        if acknowledged {
            state.freed.insert(deployment, at);
        }
        state.busy_with = state.busy_with.saturating_sub(1);
        self.after(10, Happening::Poll { host });
        self.report(
            host,
            number,
            if succeeded { "reports success of" } else { "reports failure of" },
        );
    }

    /// What everybody hears of a report.
    fn report(&mut self, host: usize, order: usize, what: &str) {
        self.tell(|world| {
            format!("{} {what} {}", world.hosts[host].target, world.orders[order].event)
        });
        let deployment = self.orders[order].deployment;
        if !self.deployments[deployment].is_over() {
            self.ring(deployment);
        }
        if self.deployments.len() > 1 {
            self.facts_changed(host);
        }
    }

    pub fn die(&mut self, host: usize) {
        if std::mem::replace(&mut self.hosts[host].gone, true) {
            return;
        }
        self.tell(|world| format!("{} is terminated", world.hosts[host].target));
        self.facts_changed(host);
        for deployment in 0..self.deployments.len() {
            if !self.deployments[deployment].is_over() {
                self.ring(deployment);
            }
        }
    }

    /// Closes the host's orders of a deployment, but for the one whose event still runs.
    pub fn close(&mut self, host: usize, deployment: usize, running: Option<&HostCommandId>) {
        let at = self.a_clock();
        let (state, orders) = (&mut self.hosts[host], &mut self.orders);
        let reports = &mut self.deployments[deployment].seen.reports;
        state.unclosed.retain(|number| {
            let order = &mut orders[*number];
            if order.deployment != deployment || Some(&order.id) == running {
                return true;
            }
            order.closed = true;
            reports.remove(&order.id);
            state.open.retain(|open| open != number);
            if state.occupied_by.contains(number) {
                state.occupied_by.retain(|occupant| occupant != number);
                state.freed.insert(deployment, at);
            }
            false
        });
        if self.deployments.len() > 1 {
            self.facts_changed(host);
        }
    }

    /// Writes into every snapshot what is known of the host beyond the deployment.
    pub fn facts_changed(&mut self, host: usize) {
        let state = &self.hosts[host];
        let presence = if state.gone {
            Presence::Gone("the instance was terminated".to_owned())
        } else {
            Presence::Present
        };
        for (number, deployed) in self.deployments.iter_mut().enumerate() {
            let of_others = |order: &&usize| self.orders[**order].deployment != number;
            let busy = if state.occupied_by.iter().any(|order| of_others(&order)) {
                Busy::Now
            } else {
                let freed =
                    state.freed.iter().filter(|(by, _)| **by != number).map(|(_, at)| *at).max();
                Busy::FreeSince(freed.unwrap_or(Timestamp::from_millis(0)))
            };
            deployed
                .seen
                .hosts
                .insert(state.target.clone(), HostFacts { presence: presence.clone(), busy });
        }
    }
}
