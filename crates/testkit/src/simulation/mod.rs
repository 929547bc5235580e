//! Whole deployments in virtual time: the real planner, a store that is a variable, and hosts that misbehave.
//!
//! Everything is drawn from one seed, so a failure is repeated by its seed alone. The world plays the parts that the
//! server has in earnest: it takes snapshots, plans, commits later than it planned, crashes between the two, lets two
//! servers race, and hands commands to hosts that may be slow, silent, forgetful or gone. The crate's README tells how
//! to read a failure and how to add a fault.

mod oracle;

mod promises;
mod zones;

mod scenario;

mod faults;

mod world;

mod servers;

mod agents;

mod groups;

mod queues;

mod room;

mod alarms;

mod story;

mod shrink;

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use model::DeploymentStatus;

use promises::Broken;
use scenario::Scenario;
use story::Story;
use world::{BEGINNING, World};

/// A broken promise, and the smallest story found that breaks it.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Repeats the failure.
    pub seed: u64,
    /// The promise, and what was seen instead.
    pub broken: String,
    /// What happened until then.
    pub story: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}, made smaller:", self.seed)?;
        for line in &self.story {
            writeln!(f, "  {line}")?;
        }
        write!(f, "seed {}: {}", self.seed, self.broken)
    }
}

impl std::error::Error for Failure {}

/// What many fleets came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    pub fleets: u64,
    /// Hosts over all fleets.
    pub hosts: u64,
    /// The largest fleet.
    pub largest: u64,
    /// Deployments over all fleets, by their end.
    pub succeeded: u64,
    pub failed: u64,
    pub stopped: u64,
    /// Those of them that rolled another one back.
    pub rollbacks: u64,
    /// Those of them that waited for their group's place while another one had it.
    pub queued: u64,
    /// Those of them that waited for room in the account.
    pub crowded: u64,
    /// Those of them that paused between zones.
    pub baked: u64,
    /// Commands dispatched over all fleets.
    pub commands: u64,
    /// Time that passed for the fleets.
    pub virtual_time: Duration,
}

impl Summary {
    fn of(world: &World) -> Self {
        let ended = |status| {
            let has_ended = |d: &&world::Deployed| d.seen.deployment.status == status;
            world.deployments.iter().filter(has_ended).count() as u64
        };
        Self {
            fleets: 1,
            hosts: world.hosts.len() as u64,
            largest: world.hosts.len() as u64,
            succeeded: ended(DeploymentStatus::Succeeded),
            failed: ended(DeploymentStatus::Failed),
            stopped: ended(DeploymentStatus::Stopped),
            rollbacks: world.deployments.iter().filter(|d| d.is_rollback()).count() as u64,
            queued: world.deployments.iter().filter(|d| d.waited).count() as u64,
            crowded: world.deployments.iter().filter(|d| d.crowded).count() as u64,
            baked: world.deployments.iter().filter(|d| d.baked).count() as u64,
            commands: world.orders.len() as u64,
            virtual_time: world.now.since(BEGINNING),
        }
    }

    fn add(&mut self, other: &Self) {
        self.fleets += other.fleets;
        self.hosts += other.hosts;
        self.largest = self.largest.max(other.largest);
        self.succeeded += other.succeeded;
        self.failed += other.failed;
        self.stopped += other.stopped;
        self.rollbacks += other.rollbacks;
        self.queued += other.queued;
        self.crowded += other.crowded;
        self.baked += other.baked;
        self.commands += other.commands;
        self.virtual_time += other.virtual_time;
    }
}

fn play(scenario: &Scenario) -> Result<Summary, Broken> {
    let mut world = World::new(scenario, Story::untold());
    world.run()?;
    Ok(Summary::of(&world))
}

/// Runs the fleet that belongs to `seed`.
///
/// # Errors
/// The first promise that was not kept, with a story that breaks it.
pub fn run(seed: u64) -> Result<Summary, Failure> {
    let scenario = Scenario::draw(seed);
    play(&scenario).map_err(|broken| {
        let smallest = shrink::shrink(scenario, &broken, |smaller| play(smaller).map(drop));
        let mut world = World::new(&smallest, Story::of(&smallest));
        let broken = world.run().err().unwrap_or(broken);
        Failure { seed, broken: broken.to_string(), story: world.story.into_lines() }
    })
}

/// Runs the fleet that belongs to `seed`, and looks no further.
///
/// # Errors
/// The first promise that was not kept, in words.
pub fn promise_broken_by(seed: u64) -> Result<(), String> {
    play(&Scenario::draw(seed)).map(drop).map_err(|broken| broken.promise.to_owned())
}

/// Tells the whole story of the fleet that belongs to `seed`, up to its end or the first broken promise.
pub fn tell(seed: u64) -> Vec<String> {
    let scenario = Scenario::draw(seed);
    let mut world = World::new(&scenario, Story::of(&scenario));
    let result = world.run();
    let mut lines = world.story.into_lines();
    lines.push(match result {
        Ok(()) => "the end: every promise was kept".to_owned(),
        Err(broken) => broken.to_string(),
    });
    lines
}

/// Runs a fleet for each of the `seeds`, on all cores.
///
/// # Errors
/// The failure with the lowest seed among those that were met.
pub fn run_many(seeds: Range<u64>) -> Result<Summary, Failure> {
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let share = |part: u64| {
        let mut summary = Summary::default();
        for seed in seeds.clone().skip(part as usize).step_by(threads as usize) {
            summary.add(&run(seed)?);
        }
        Ok(summary)
    };
    let parts: Vec<Result<Summary, Failure>> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|part| scope.spawn(move || share(part))).collect();
        running.into_iter().map(|part| part.join().expect("a simulation does not panic")).collect()
    });
    let mut summary = Summary::default();
    let mut failures = Vec::new();
    for part in parts {
        match part {
            Ok(part) => summary.add(&part),
            Err(failure) => failures.push(failure),
        }
    }
    match failures.into_iter().min_by_key(|failure| failure.seed) {
        Some(failure) => Err(failure),
        None => Ok(summary),
    }
}
