//! The world around one deployment: time, the store, the server's passes and the hosts.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::time::Duration;

use model::{
    DeploymentId, DeploymentStatus, Diagnostics, HostCommandId, MinimumHealthyHosts, TargetId,
    Timestamp,
};
use rollout::{
    Action, Busy, Candidate, Completion, Deployment, HealthClass, HostCommand, HostFacts, Members,
    Plan, Presence, Snapshot, StopIntent,
};

use super::Failure;
use super::checks;
use super::host::Temper;
use crate::random::Random;

/// What became of a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub status: DeploymentStatus,
    pub hosts: u64,
    pub commands: u64,
    /// Virtual time from creation to end.
    pub took: Duration,
}

/// Something that happens at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Happening {
    /// The server takes a snapshot and plans.
    Look,
    /// The server commits what it planned a moment ago.
    Commit(u64, Box<Plan>),
    /// A server that crashed is back.
    Restart,
    /// The host asks for work and gets the command.
    Fetch(HostCommand),
    Acknowledge(HostCommandId),
    Complete(HostCommandId, bool),
    /// The host vanishes.
    Die(TargetId),
    AskToStop,
    /// Another deployment begins or ends to occupy the host.
    Occupy(TargetId, bool),
    /// The group is deleted.
    Orphan,
}

/// A deployment that needs more happenings than this never ends.
const HAPPENINGS_MAX: u64 = 200_000;

pub struct World {
    seed: u64,
    random: Random,
    pub now: Timestamp,
    /// The store.
    pub truth: Snapshot,
    tempers: BTreeMap<TargetId, Temper>,
    queue: BinaryHeap<Reverse<(Timestamp, u64)>>,
    happenings: BTreeMap<u64, Happening>,
    count: u64,
    server_up: bool,
    /// When the server will look again of itself.
    alarm: Option<Timestamp>,
    pub dispatched: BTreeSet<HostCommandId>,
    /// When the group was deleted or a stop was asked for: results after that follow other rules.
    pub ended_early: bool,
    record: bool,
    story: Vec<String>,
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

impl World {
    pub fn new(seed: u64, record: bool) -> Self {
        let mut random = Random::new(seed);
        let now = Timestamp::from_millis(1_000_000);
        let hosts = if random.chance(96) { random.between(0, 8) } else { random.between(9, 60) };
        let trouble = [0, 10, 40, 90][random.below(4) as usize];
        let health = [
            HealthClass::Unhealthy,
            HealthClass::RevisionUnknown,
            HealthClass::RevisionOld,
            HealthClass::RevisionCurrent,
        ];
        let mut tempers = BTreeMap::new();
        let mut candidates = Vec::new();
        for n in 0..hosts {
            let id = TargetId::new(format!("h{n}"));
            tempers.insert(id.clone(), Temper::draw(&mut random, trouble));
            candidates.push(Candidate {
                arn: format!("arn:{id}"),
                host_identifier: format!("host:{id}"),
                health: health[random.below(4) as usize],
                id,
            });
        }
        let minimum_healthy = draw_minimum(&mut random, hosts);
        let deployment = Deployment {
            id: DeploymentId::from_random(std::array::from_fn(|n| (seed >> (5 * n)) as u8)),
            version: 1,
            status: DeploymentStatus::Created,
            created: now,
            started: None,
            completed: None,
            error: None,
            minimum_healthy,
            ignore_application_stop_failures: random.chance(20),
            stop: None,
            orphaned: None,
        };
        let truth = Snapshot {
            deployment,
            members: Members::Known(candidates),
            targets: Vec::new(),
            reports: BTreeMap::new(),
            hosts: BTreeMap::new(),
        };
        let mut world = Self {
            seed,
            random,
            now,
            truth,
            tempers,
            queue: BinaryHeap::new(),
            happenings: BTreeMap::new(),
            count: 0,
            server_up: true,
            alarm: None,
            dispatched: BTreeSet::new(),
            ended_early: false,
            record,
            story: Vec::new(),
        };
        world.set_the_stage();
        world
    }

    fn set_the_stage(&mut self) {
        self.tell(|world| {
            format!("{:?} {:?}", world.truth.deployment.minimum_healthy, world.tempers)
        });
        self.after(0, Happening::Look);
        if self.random.chance(15) {
            let at = self.random.below(120_000);
            self.after(at, Happening::AskToStop);
        }
        if self.random.chance(5) {
            let at = self.random.below(120_000);
            self.after(at, Happening::Orphan);
        }
        let hosts: Vec<TargetId> = self.tempers.keys().cloned().collect();
        for host in hosts {
            if self.random.chance(5) {
                let from = self.random.below(60_000);
                let until = from + self.random.between(1_000, 2_000_000);
                self.after(from, Happening::Occupy(host.clone(), true));
                self.after(until, Happening::Occupy(host, false));
            }
        }
    }

    fn tell(&mut self, line: impl FnOnce(&Self) -> String) {
        if self.record {
            let line = format!("{:?} {}", self.now, line(self));
            self.story.push(line);
        }
    }

    fn after(&mut self, delay: u64, happening: Happening) {
        self.count += 1;
        self.happenings.insert(self.count, happening);
        self.queue.push(Reverse((self.now + millis(delay), self.count)));
    }

    fn soon(&mut self, happening: Happening) {
        let delay = self.random.between(0, 40);
        self.after(delay, happening);
    }

    pub fn run(mut self) -> Result<Outcome, Failure> {
        let began = self.now;
        let result = self.play();
        let checked = result.and_then(|()| checks::end(&self));
        match checked {
            Ok(()) => Ok(Outcome {
                status: self.truth.deployment.status,
                hosts: self.truth.targets.len() as u64,
                commands: self.dispatched.len() as u64,
                took: self.truth.deployment.completed.unwrap_or(self.now).since(began),
            }),
            Err(broken) => Err(Failure { seed: self.seed, broken, story: self.story }),
        }
    }

    fn play(&mut self) -> Result<(), String> {
        while !self.truth.deployment.status.is_over() {
            let Some(Reverse((at, number))) = self.queue.pop() else {
                return Err(
                    "nothing will ever happen again, and the deployment is not over".to_owned()
                );
            };
            if self.count > HAPPENINGS_MAX {
                return Err(format!("not over after {HAPPENINGS_MAX} happenings"));
            }
            self.now = self.now.max(at);
            let happening = self.happenings.remove(&number).expect("each number is queued once");
            self.tell(|_| format!("{happening:?}"));
            self.happen(happening)?;
        }
        Ok(())
    }

    fn happen(&mut self, happening: Happening) -> Result<(), String> {
        match happening {
            Happening::Look => self.look()?,
            Happening::Commit(version, plan) => self.commit(version, &plan)?,
            Happening::Restart => {
                self.server_up = true;
                self.alarm = None;
                self.soon(Happening::Look);
            }
            Happening::Fetch(command) => self.fetch(command),
            Happening::Acknowledge(id) => self.acknowledge(&id),
            Happening::Complete(id, succeeded) => self.complete(&id, succeeded),
            Happening::Die(id) => {
                self.fact_of(id).presence =
                    Presence::Gone("the instance was terminated".to_owned());
                self.soon(Happening::Look);
            }
            Happening::AskToStop => self.ask_to_stop(),
            Happening::Occupy(id, true) => self.fact_of(id).busy = Busy::Now,
            Happening::Occupy(id, false) => {
                let free = Busy::FreeSince(self.now);
                self.fact_of(id).busy = free;
            }
            Happening::Orphan => {
                self.truth.deployment.orphaned = Some(model::ErrorCode::DeploymentGroupMissing);
                self.truth.deployment.version += 1;
                self.ended_early = true;
                self.soon(Happening::Look);
            }
        }
        Ok(())
    }

    fn fact_of(&mut self, id: TargetId) -> &mut HostFacts {
        self.truth.hosts.entry(id).or_insert(HostFacts {
            presence: Presence::Present,
            busy: Busy::FreeSince(Timestamp::from_millis(0)),
        })
    }

    fn ask_to_stop(&mut self) {
        let intent =
            StopIntent { requested: self.now, principal: "somebody".to_owned(), roll_back: None };
        self.truth.deployment.stop = Some(intent);
        self.truth.deployment.version += 1;
        self.ended_early = true;
        self.soon(Happening::Look);
    }

    /// A pass of the driver up to the plan. The commit comes a moment later; facts, stops and other passes may slip
    /// in between, and the server may crash.
    fn look(&mut self) -> Result<(), String> {
        if !self.server_up {
            return Ok(());
        }
        let plan = rollout::plan(&self.truth, self.now);
        checks::plan(self, &plan)?;
        self.set_alarm(plan.wake_at);
        if plan.actions.is_empty() {
            return Ok(());
        }
        if self.random.chance(2) {
            self.crash();
            return Ok(());
        }
        let version = self.truth.deployment.version;
        if self.random.chance(5) {
            // A second server planned the same.
            self.soon(Happening::Commit(version, Box::new(plan.clone())));
        }
        self.soon(Happening::Commit(version, Box::new(plan)));
        Ok(())
    }

    /// One alarm per deployment, as the driver keeps: the earliest time that the last plans asked for.
    fn set_alarm(&mut self, wake_at: Option<Timestamp>) {
        let Some(at) = wake_at else { return };
        if self.alarm.is_some_and(|alarm| alarm > self.now && alarm <= at) {
            return;
        }
        self.alarm = Some(at);
        let delay = at.since(self.now).as_millis() as u64;
        self.after(delay, Happening::Look);
    }

    fn crash(&mut self) {
        self.server_up = false;
        let downtime = self.random.between(100, 60_000);
        self.after(downtime, Happening::Restart);
    }

    fn commit(&mut self, version: u64, plan: &Plan) -> Result<(), String> {
        if !self.server_up {
            return Ok(());
        }
        if version != self.truth.deployment.version {
            self.soon(Happening::Look);
            return Ok(());
        }
        self.truth.apply(&plan.actions);
        checks::commit(self, &plan.actions)?;
        for action in &plan.actions {
            if let Action::Dispatch(command) = action {
                self.dispatched.insert(command.id.clone());
                self.offer(command.clone());
            }
        }
        if self.random.chance(2) {
            self.crash();
        } else {
            self.soon(Happening::Look);
        }
        Ok(())
    }

    fn offer(&mut self, command: HostCommand) {
        let temper = self.tempers[&command.target];
        if let Some(delay) = temper.fetches_after(&mut self.random) {
            self.after(delay, Happening::Fetch(command));
        }
    }

    fn fetch(&mut self, command: HostCommand) {
        if matches!(self.fact_of(command.target.clone()).presence, Presence::Gone(_)) {
            return;
        }
        if !self.server_up {
            return self.after(10_000, Happening::Fetch(command));
        }
        let temper = self.tempers[&command.target];
        let takes = temper.takes(command.event, &mut self.random);
        let succeeds = temper != Temper::FailsAt(command.event);
        match temper {
            Temper::DiesAt(event) if event == command.event => {
                self.after(takes, Happening::Die(command.target.clone()));
                return self.after(1, Happening::Acknowledge(command.id));
            }
            Temper::NeverAcknowledges => {}
            Temper::Repeats => {
                self.after(1, Happening::Acknowledge(command.id.clone()));
                self.after(takes / 2, Happening::Acknowledge(command.id.clone()));
                for again in 1..3 {
                    self.after(takes + again * 50, Happening::Complete(command.id.clone(), false));
                }
            }
            _ => self.after(1, Happening::Acknowledge(command.id.clone())),
        }
        self.after(takes + 2, Happening::Complete(command.id, succeeds));
    }

    /// Facts fill blanks: the first one counts.
    fn acknowledge(&mut self, id: &HostCommandId) {
        if !self.server_up {
            return self.after(5_000, Happening::Acknowledge(id.clone()));
        }
        let now = self.now;
        self.truth.reports.entry(id.clone()).or_default().acknowledged.get_or_insert(now);
        self.soon(Happening::Look);
    }

    fn complete(&mut self, id: &HostCommandId, succeeded: bool) {
        if !self.server_up {
            return self.after(5_000, Happening::Complete(id.clone(), succeeded));
        }
        let diagnostics =
            if succeeded { Diagnostics::success() } else { Diagnostics::unknown_error("failed") };
        let completion = Completion { at: self.now, succeeded, diagnostics };
        self.truth.reports.entry(id.clone()).or_default().completion.get_or_insert(completion);
        self.soon(Happening::Look);
    }
}

fn draw_minimum(random: &mut Random, hosts: u64) -> MinimumHealthyHosts {
    match random.below(6) {
        0 => MinimumHealthyHosts::FleetPercent(0),
        1 => MinimumHealthyHosts::FleetPercent(50),
        2 => MinimumHealthyHosts::MostConcurrency(1),
        3 => MinimumHealthyHosts::FleetPercent(random.below(100) as u8),
        _ => MinimumHealthyHosts::HostCount(random.below(hosts + 1) as u32),
    }
}
