//! The world: true time, what is due when, and the store, which here is a variable.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::time::Duration;

use model::{
    Creator, DeploymentId, HostCommandId, LifecycleEvent, QueuePolicy, TargetId, Timestamp,
};
use rollout::{Deployment, Plan, Snapshot, StopIntent};

use super::agents::Host;
use super::faults::Deed;
use super::groups::Group;
use super::promises::{self, Broken};
use super::scenario::{Act, Scenario};
use super::servers::Server;
use super::story::Story;

/// When every story begins.
pub const BEGINNING: Timestamp = Timestamp::from_millis(1_000_000_000);

/// A world in which more happens than this never comes to rest.
const HAPPENINGS_MAX: u64 = 1_000_000;

pub struct World<'a> {
    pub scenario: &'a Scenario,
    /// The truth; servers have clocks of their own.
    pub now: Timestamp,
    queue: BinaryHeap<Due>,
    count: u64,
    pub servers: Vec<Server>,
    pub hosts: Vec<Host>,
    pub groups: Vec<Group>,
    pub deployments: Vec<Deployed>,
    pub orders: Vec<Order>,
    /// How many deployments are yet to be created.
    deploys_to_come: usize,
    /// Time that servers lost by being down or by having their clocks set back.
    pub lost: Duration,
    pub story: Story,
}

/// A deployment as the store holds it.
pub struct Deployed {
    pub group: usize,
    pub seen: Snapshot,
    /// Since when, by true time, nothing but itself keeps it from its end: its creation, or when it took the group's place.
    pub since: Timestamp,
    /// How it waits for the group's place; `None`: it does not wait, for it has the place.
    pub waits: Option<QueuePolicy>,
    /// Whether it was made to wait, even if it never had to.
    pub queued: bool,
    /// Whether it had to wait.
    pub waited: bool,
    /// Whether it had to wait for room in the account.
    pub crowded: bool,
    /// Whether it ever paused between zones.
    pub baked: bool,
    /// Every command ever dispatched, and its order.
    pub commands: HashMap<HostCommandId, usize>,
    /// Every event ever dispatched.
    pub ran: HashSet<(TargetId, LifecycleEvent)>,
}

/// A host command as the store holds it.
pub struct Order {
    pub id: HostCommandId,
    pub deployment: usize,
    pub event: LifecycleEvent,
    pub acknowledged: bool,
    pub completed: bool,
    /// Its event is over.
    pub closed: bool,
}

/// Something that happens at a time.
#[derive(Debug)]
pub enum Happening {
    Act(usize),
    /// A server takes a snapshot of a deployment and plans. Void if the server was restarted since.
    Look {
        server: usize,
        life: u32,
        deployment: usize,
    },
    /// The server commits what it planned a moment ago.
    Commit {
        server: usize,
        life: u32,
        deployment: usize,
        planned: Box<Planned>,
    },
    Restart {
        server: usize,
    },
    /// Somebody reads a deployment's alarms.
    ReadAlarms {
        deployment: usize,
        failures: u32,
    },
    /// A host asks for work.
    Poll {
        host: usize,
    },
    /// A host does something about a command that it fetched.
    Deed {
        host: usize,
        order: usize,
        deed: Deed,
    },
}

/// A plan on its way to the store.
#[derive(Debug)]
pub struct Planned {
    pub version: u64,
    pub plan: Plan,
}

#[derive(Debug)]
struct Due {
    at: Timestamp,
    number: u64,
    happening: Happening,
}

impl Ord for Due {
    /// The earliest is the greatest, as a heap gives the greatest first.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.number).cmp(&(self.at, self.number))
    }
}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Due {}

impl<'a> World<'a> {
    pub fn new(scenario: &'a Scenario, story: Story) -> Self {
        let mut world = Self {
            scenario,
            now: BEGINNING,
            queue: BinaryHeap::new(),
            count: 0,
            servers: Server::all(scenario),
            hosts: Host::all(scenario),
            groups: Group::all(scenario),
            deployments: Vec::new(),
            orders: Vec::new(),
            deploys_to_come: 0,
            lost: Duration::ZERO,
            story,
        };
        for (number, (at, act)) in scenario.acts.iter().enumerate() {
            world.deploys_to_come += usize::from(matches!(act, Act::Deploy { .. }));
            world.after(at.as_millis() as u64, Happening::Act(number));
        }
        world
    }

    /// Lets everything happen until no deployment is under way or to come.
    pub fn run(&mut self) -> Result<(), Broken> {
        while self.deploys_to_come > 0 || self.deployments.iter().any(|d| !d.is_over()) {
            let Some(due) = self.queue.pop() else {
                return Err(promises::nothing_left_to_happen());
            };
            if self.count > HAPPENINGS_MAX {
                return Err(promises::never_at_rest(HAPPENINGS_MAX));
            }
            self.now = self.now.max(due.at);
            self.happen(due.happening)?;
        }
        Ok(())
    }

    fn happen(&mut self, happening: Happening) -> Result<(), Broken> {
        match happening {
            Happening::Act(number) => self.act(number),
            Happening::Look { server, life, deployment } => {
                if self.servers[server].life == life {
                    self.look(server, deployment)?;
                }
            }
            Happening::Commit { server, life, deployment, planned } => {
                if self.servers[server].life == life {
                    self.commit(server, deployment, *planned)?;
                }
            }
            Happening::Restart { server } => self.restart(server),
            Happening::ReadAlarms { deployment, failures } => {
                self.read_alarms(deployment, failures);
            }
            Happening::Poll { host } => self.poll(host),
            Happening::Deed { host, order, deed } => self.deed(host, order, deed),
        }
        Ok(())
    }

    pub fn after(&mut self, millis: u64, happening: Happening) {
        self.count += 1;
        let at = self.now + Duration::from_millis(millis);
        self.queue.push(Due { at, number: self.count, happening });
    }

    pub fn tell(&mut self, line: impl FnOnce(&Self) -> String) {
        if self.story.is_told() {
            let line = line(self);
            self.story.add(self.now.since(BEGINNING), &line);
        }
    }

    fn act(&mut self, number: usize) {
        match self.scenario.acts[number].1 {
            Act::Deploy { group, sequence } => {
                self.deploys_to_come -= 1;
                self.deploy(group, sequence);
            }
            Act::Stop { group, roll_back } => {
                self.intend(group, "somebody asks to stop it", |deployment, now| {
                    let earlier = deployment.stop.take();
                    let requested = earlier.as_ref().map_or(now, |stop| stop.requested);
                    let roll_back = roll_back.or(earlier.and_then(|stop| stop.roll_back));
                    let principal = "somebody".to_owned();
                    deployment.stop = Some(StopIntent { requested, principal, roll_back });
                });
            }
            Act::Delete { group, missing } => {
                (self.groups[group].last_successful, self.groups[group].installed_sequence) =
                    (None, None);
                for number in self.unfinished(group) {
                    self.write_down(number, "its group is deleted", |deployment, _| {
                        deployment.orphaned = Some(missing);
                    });
                }
            }
            Act::TurnAlarm { group, to, read_after } => self.turn_alarm(group, to, read_after),
            Act::SetClock { server, by_millis } => self.set_clock(server, by_millis),
            Act::Kill { server } => self.crash(server, "is killed"),
            Act::Terminate { host } => {
                if let Some(host) = self.scenario.hosts.iter().position(|h| h.number == host) {
                    self.die(host);
                }
            }
        }
    }

    /// Somebody creates a deployment in a group that has none under way, or lets it wait.
    fn deploy(&mut self, group: usize, sequence: Option<u64>) {
        let settings = &self.scenario.groups[group];
        if settings.queue.is_none() && !self.unfinished(group).is_empty() {
            return self.tell(|_| format!("group {group} is busy: no further deployment"));
        }
        let seed = self.scenario.seed.wrapping_mul(31).wrapping_add(self.deployments.len() as u64);
        let deployment = Deployment {
            ignore_application_stop_failures: settings.ignore_application_stop_failures,
            roll_back_on: settings.roll_back_on.clone(),
            alarms: self.alarms_of(group),
            zonal: settings.zonal,
            sequence,
            ..Deployment::new(
                DeploymentId::from_random(std::array::from_fn(|n| (seed >> (5 * n)) as u8)),
                settings.minimum_healthy,
                self.a_clock(),
            )
        };
        self.create(group, deployment, settings.queue);
        // A newer one may end those that wait.
        self.ring_line(group);
    }

    /// The rollback that a deployment's end made in the same commit.
    pub fn roll_back(&mut self, number: usize, by: DeploymentId) {
        let Deployed { group, seen, .. } = &self.deployments[number];
        let (group, failed) = (*group, &seen.deployment);
        let deployment = Deployment {
            creator: Creator::Rollback,
            ignore_application_stop_failures: failed.ignore_application_stop_failures,
            sequence: self.groups[group].installed_sequence,
            ..Deployment::new(by, failed.minimum_healthy, self.a_clock())
        };
        self.create(group, deployment, None);
    }

    fn create(&mut self, group: usize, deployment: Deployment, waits: Option<QueuePolicy>) {
        let number = self.deployments.len();
        self.deployments.push(Deployed {
            group,
            seen: Snapshot::of(deployment),
            since: self.now,
            waits,
            queued: waits.is_some(),
            waited: false,
            crowded: false,
            baked: false,
            commands: HashMap::new(),
            ran: HashSet::new(),
        });
        self.tell(|world| {
            let deployment = &world.deployments[number].seen.deployment;
            format!(
                "{} is created in group {group} by {:?}: {:?}",
                deployment.id, deployment.creator, deployment.minimum_healthy
            )
        });
        self.watch(number);
        self.watch_alarms(number);
        for host in 0..self.hosts.len() {
            self.facts_changed(host);
        }
        self.ring(number);
    }

    /// Writes down what somebody wants of the group's deployment; that bumps its version.
    fn intend(
        &mut self,
        group: usize,
        what: &str,
        change: impl FnOnce(&mut Deployment, Timestamp),
    ) {
        if let Some(number) = self.unfinished(group).first() {
            self.write_down(*number, what, change);
        }
    }

    /// The group's deployments that are not over.
    fn unfinished(&self, group: usize) -> Vec<usize> {
        let of_group = |number: &usize| {
            let deployed = &self.deployments[*number];
            deployed.group == group && !deployed.is_over()
        };
        (0..self.deployments.len()).filter(of_group).collect()
    }

    /// Writes down what somebody wants or found of the deployment; that bumps its version.
    pub fn write_down(
        &mut self,
        number: usize,
        what: &str,
        change: impl FnOnce(&mut Deployment, Timestamp),
    ) {
        let clock = self.a_clock();
        let deployment = &mut self.deployments[number].seen.deployment;
        change(deployment, clock);
        deployment.version += 1;
        self.tell(|world| format!("{}: {what}", world.deployments[number].seen.deployment.id));
        self.ring(number);
    }
}

impl Deployed {
    pub fn is_over(&self) -> bool {
        self.seen.deployment.status.is_over()
    }

    pub fn is_rollback(&self) -> bool {
        self.seen.deployment.creator == Creator::Rollback
    }
}
