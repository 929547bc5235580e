//! Whole deployments in virtual time: the real planner, a store that is a variable, and hosts that misbehave.
//!
//! Everything is drawn from one seed, so a failure is repeated by its seed alone. The world plays the parts that the
//! server has in earnest: it takes snapshots, plans, commits later than it planned, crashes between the two, lets two
//! planners race, and hands commands to hosts that may be slow, silent, forgetful or gone.

mod checks;
mod host;
mod world;

use std::fmt;
use std::ops::Range;
use std::time::Duration;

pub use world::Outcome;

/// A rule that did not hold.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Repeats the failure.
    pub seed: u64,
    /// The rule, and what was seen instead.
    pub broken: String,
    /// What happened until then.
    pub story: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
    pub succeeded: u64,
    pub failed: u64,
    pub stopped: u64,
    /// Hosts over all fleets.
    pub hosts: u64,
    /// Commands dispatched over all fleets.
    pub commands: u64,
    /// Time that passed for the fleets.
    pub virtual_time: Duration,
}

impl Summary {
    fn add(&mut self, outcome: &Outcome) {
        self.fleets += 1;
        match outcome.status {
            model::DeploymentStatus::Succeeded => self.succeeded += 1,
            model::DeploymentStatus::Stopped => self.stopped += 1,
            _ => self.failed += 1,
        }
        self.hosts += outcome.hosts;
        self.commands += outcome.commands;
        self.virtual_time += outcome.took;
    }

    fn merge(&mut self, other: &Self) {
        self.fleets += other.fleets;
        self.succeeded += other.succeeded;
        self.failed += other.failed;
        self.stopped += other.stopped;
        self.hosts += other.hosts;
        self.commands += other.commands;
        self.virtual_time += other.virtual_time;
    }
}

/// Runs the fleet that belongs to `seed`.
///
/// # Errors
/// The first rule that did not hold, with the story that led to it.
pub fn run(seed: u64) -> Result<Outcome, Failure> {
    world::World::new(seed, false).run().or_else(|_| world::World::new(seed, true).run())
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
            Ok(part) => summary.merge(&part),
            Err(failure) => failures.push(failure),
        }
    }
    match failures.into_iter().min_by_key(|failure| failure.seed) {
        Some(failure) => Err(failure),
        None => Ok(summary),
    }
}
