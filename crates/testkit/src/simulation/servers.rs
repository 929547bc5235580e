//! Servers: they look, plan, commit a moment later, and may crash between any two steps. Each has a clock of its own.

use std::time::Duration;

use model::{EventState, Timestamp};
use rollout::{Action, Plan};

use super::promises::{self, Broken};
use super::scenario::{self, Scenario};
use super::story;
use super::world::{Happening, Order, Planned, World};
use crate::random::Random;

/// Wake-ups may get lost: the longest that a deployment is left alone.
const SWEEP: u64 = 30_000;

pub struct Server {
    up: bool,
    /// Counts its starts: what an earlier life had in mind is forgotten.
    pub life: u32,
    /// How far its clock is from the truth, in milliseconds.
    clock_skew: i64,
    traits: scenario::Server,
    random: Random,
    /// One for each deployment.
    watches: Vec<Watch>,
}

/// What a server has in mind about one deployment. It makes one pass at a time.
#[derive(Debug, Clone, Copy, Default)]
struct Watch {
    next_look: Option<Timestamp>,
    committing: bool,
    /// Something changed during the pass.
    dirty: bool,
}

impl Server {
    pub fn all(scenario: &Scenario) -> Vec<Self> {
        let server = |(number, traits): (u64, &scenario::Server)| Self {
            up: true,
            life: 0,
            clock_skew: traits.clock_skew,
            traits: traits.clone(),
            random: Random::new(scenario.seed.wrapping_add(number) ^ 0xd6e8_feb8_6659_fd93),
            watches: Vec::new(),
        };
        (0..).zip(&scenario.servers).map(server).collect()
    }

    fn clock(&self, truth: Timestamp) -> Timestamp {
        Timestamp::from_millis(truth.as_millis() + self.clock_skew)
    }
}

impl World<'_> {
    /// The servers that can be reached.
    pub fn servers_up(&self) -> Vec<usize> {
        (0..self.servers.len()).filter(|server| self.servers[*server].up).collect()
    }

    /// What the clock of this server shows.
    pub fn clock_of(&self, server: usize) -> Timestamp {
        self.servers[server].clock(self.now)
    }

    /// What the clock shows of a server that somebody reached.
    pub fn a_clock(&self) -> Timestamp {
        self.clock_of(self.servers_up().first().copied().unwrap_or(0))
    }

    /// A deployment is new: every server will keep an eye on it.
    pub fn watch(&mut self, deployment: usize) {
        for server in &mut self.servers {
            server.watches.resize(deployment + 1, Watch::default());
        }
    }

    /// Something about the deployment changed: every server that is up hears of it, unless the wake-up gets lost.
    pub fn ring(&mut self, deployment: usize) {
        for number in self.servers_up() {
            let server = &mut self.servers[number];
            let delay = if server.random.chance(server.traits.loss_percent) {
                SWEEP
            } else {
                server.random.between(0, 40)
            };
            self.look_after(number, deployment, delay);
        }
    }

    /// Plans a look, unless an earlier one is due already.
    fn look_after(&mut self, server: usize, deployment: usize, millis: u64) {
        let at = self.now + Duration::from_millis(millis);
        let life = self.servers[server].life;
        let watch = &mut self.servers[server].watches[deployment];
        if watch.next_look.is_some_and(|planned| planned <= at) {
            return;
        }
        watch.next_look = Some(at);
        self.after(millis, Happening::Look { server, life, deployment });
    }

    /// A pass up to the plan. The commit comes a moment later; facts, stops and other servers' passes may slip in
    /// between, and the server may crash.
    pub fn look(&mut self, number: usize, deployment: usize) -> Result<(), Broken> {
        let now = self.now;
        let watch = &mut self.servers[number].watches[deployment];
        if watch.next_look != Some(now) {
            return Ok(()); // An earlier look took its place.
        }
        watch.next_look = None;
        if watch.committing {
            watch.dirty = true;
            return Ok(());
        }
        if self.deployments[deployment].is_over() {
            return Ok(());
        }
        promises::in_time(self, deployment)?;
        self.look_up_members(deployment);
        self.look_up_line(deployment);
        self.look_up_room(deployment);
        let group = &self.groups[self.deployments[deployment].group];
        let seen = &mut self.deployments[deployment].seen;
        seen.last_successful.clone_from(&group.last_successful);
        seen.installed_sequence = group.installed_sequence;
        let clock = self.clock_of(number);
        let plan = rollout::plan(&self.deployments[deployment].seen, clock);
        self.tell(|world| story::of_a_plan(world, number, deployment, &plan));
        let seen = &self.deployments[deployment].seen;
        let thorough = is_thorough(seen.targets.len(), &mut self.servers[number].random);
        promises::of_a_plan(seen, &plan, clock, thorough)?;
        promises::of_the_line(self, deployment, &plan.actions)?;
        promises::of_the_room(self, deployment, &plan.actions)?;
        self.set_timer(number, deployment, &plan);
        if plan.actions.is_empty() {
            return Ok(());
        }
        let server = &mut self.servers[number];
        if server.random.chance(server.traits.crash_percent) {
            self.crash(number, "crashes before it commits");
            return Ok(());
        }
        server.watches[deployment].committing = true;
        let (life, delay) = (server.life, server.random.between(1, 40));
        let version = self.deployments[deployment].seen.deployment.version;
        let planned = Box::new(Planned { version, plan });
        self.after(delay, Happening::Commit { server: number, life, deployment, planned });
        Ok(())
    }

    fn set_timer(&mut self, server: usize, deployment: usize, plan: &Plan) {
        if let Some(at) = plan.wake_at {
            let millis = at.since(self.clock_of(server)).as_millis() as u64;
            self.look_after(server, deployment, millis);
        }
    }

    pub fn commit(
        &mut self,
        number: usize,
        deployment: usize,
        planned: Planned,
    ) -> Result<(), Broken> {
        let Planned { version, plan } = planned;
        let watch = &mut self.servers[number].watches[deployment];
        watch.committing = false;
        let dirty = std::mem::take(&mut watch.dirty);
        if version != self.deployments[deployment].seen.deployment.version {
            self.tell(|_| format!("server {number} comes too late with its plan, and looks again"));
            self.look_after(number, deployment, 1);
            return Ok(());
        }
        if !self.may_take_place(deployment, &plan.actions) {
            self.tell(|_| format!("server {number} finds the place taken, and looks again"));
            self.deployments[deployment].seen.deployment.version += 1;
            self.look_after(number, deployment, 1);
            return Ok(());
        }
        if !self.may_begin(deployment, &plan.actions) {
            self.tell(|_| format!("server {number} finds no room left, and looks again"));
            self.deployments[deployment].seen.deployment.version += 1;
            self.look_after(number, deployment, 1);
            return Ok(());
        }
        self.tell(|world| format!("server {number} commits {}", story::version(world, deployment)));
        promises::of_a_commit(&self.deployments[deployment], &plan.actions)?;
        self.deployments[deployment].seen.apply(&plan.actions);
        self.note_place_and_pauses(deployment, &plan.actions);
        promises::after_a_commit(&self.deployments[deployment].seen)?;
        promises::one_at_a_time(self, deployment)?;
        self.close_orders(deployment, &plan.actions);
        let rung = self.place_orders(deployment, &plan.actions);
        if self.deployments[deployment].is_over() {
            self.record_end(deployment);
        }
        if let Some(by) = plan.rollback() {
            promises::of_a_rollback(self, deployment, by)?;
            self.roll_back(deployment, by.clone());
        }
        if self.deployments[deployment].is_over() || plan.actions.contains(&Action::TakePlace) {
            self.ring_line(self.deployments[deployment].group);
        }
        let begins = plan.actions.iter().any(|action| matches!(action, Action::Start { .. }));
        if self.deployments[deployment].is_over() || begins {
            self.ring_next_for_room();
        }
        let server = &mut self.servers[number];
        let crashes = server.random.chance(server.traits.crash_percent);
        for host in rung {
            self.call(host, !crashes);
        }
        if crashes {
            self.crash(number, "crashes after it committed");
        } else if dirty {
            self.look_after(number, deployment, 1);
        }
        Ok(())
    }

    fn note_place_and_pauses(&mut self, deployment: usize, actions: &[Action]) {
        let now = self.now;
        let deployed = &mut self.deployments[deployment];
        for action in actions {
            match action {
                Action::TakePlace => (deployed.waits, deployed.since) = (None, now),
                Action::Queue if deployed.waits.is_some() => deployed.waited = true,
                Action::Queue => deployed.crowded = true,
                Action::Start { .. } if deployed.crowded => deployed.since = now,
                Action::Bake => deployed.baked = true,
                _ => {}
            }
        }
    }

    /// Queues the commands; the hosts that they are for.
    fn place_orders(&mut self, deployment: usize, actions: &[Action]) -> Vec<usize> {
        let mut rung = Vec::new();
        for action in actions {
            if let Action::Dispatch(command) = action {
                let Some(host) = self.host_of(&command.target) else { continue };
                let number = self.orders.len();
                let (id, event) = (command.id.clone(), command.event);
                self.deployments[deployment].commands.insert(id.clone(), number);
                self.deployments[deployment].ran.insert((command.target.clone(), event));
                self.orders.push(Order {
                    id,
                    deployment,
                    event,
                    acknowledged: false,
                    completed: false,
                    closed: false,
                });
                self.hosts[host].unclosed.push(number);
                self.hosts[host].open.push(number);
                rung.push(host);
            }
        }
        rung
    }

    /// Closes the commands whose events are over.
    fn close_orders(&mut self, deployment: usize, actions: &[Action]) {
        if self.deployments[deployment].is_over() {
            return (0..self.hosts.len()).for_each(|host| self.close(host, deployment, None));
        }
        for action in actions {
            if let Action::UpdateTarget(target) = action
                && let Some(host) = self.host_of(&target.id)
            {
                let running = target.events.iter().find_map(|event| match &event.state {
                    EventState::InProgress { command, .. } => Some(command),
                    _ => None,
                });
                self.close(host, deployment, running);
            }
        }
    }

    pub fn crash(&mut self, number: usize, how: &str) {
        let server = &mut self.servers[number];
        if !server.up {
            return;
        }
        server.up = false;
        server.life += 1;
        server.watches.fill(Watch::default());
        let downtime = server.random.between(100, 60_000);
        self.lost += Duration::from_millis(downtime);
        self.after(downtime, Happening::Restart { server: number });
        self.tell(|_| format!("server {number} {how}, and is down for {downtime} ms"));
    }

    pub fn restart(&mut self, number: usize) {
        self.servers[number].up = true;
        self.tell(|_| format!("server {number} is back"));
        for deployment in 0..self.deployments.len() {
            if !self.deployments[deployment].is_over() {
                self.look_after(number, deployment, 5);
            }
        }
    }

    /// Somebody, or the network's time service, sets the clock. A sleeping driver looks at its clock now and then.
    pub fn set_clock(&mut self, number: usize, by_millis: i64) {
        self.servers[number].clock_skew += by_millis;
        self.lost += Duration::from_millis(by_millis.unsigned_abs());
        self.tell(|_| format!("the clock of server {number} is set by {by_millis} ms"));
        for deployment in 0..self.deployments.len() {
            if self.servers[number].up {
                self.look_after(number, deployment, SWEEP);
            }
        }
    }
}

/// Large fleets are looked at thousands of times: a part of these suffices.
fn is_thorough(targets: usize, random: &mut Random) -> bool {
    targets <= 24 || random.below(targets as u64 / 8) == 0
}
