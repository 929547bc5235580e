//! `cargo xtask simulate`: simulated fleets through the planner.

use std::time::Instant;

use testkit::simulation::{run, run_many, tell};

/// Runs `seeds` fleets from seed `first` on. A broken promise fails, with its seed and the story that led to it.
pub fn simulate(first: u64, seeds: u64) -> anyhow::Result<()> {
    let begun = Instant::now();
    let done = run_many(first..first.saturating_add(seeds))?;
    println!(
        "{} fleets of up to {} hosts ({} hosts, {} commands) in {:.1} s: {} deployments succeeded, {} failed, {} stopped; {} \
         were rollbacks",
        done.fleets,
        done.largest,
        done.hosts,
        done.commands,
        begun.elapsed().as_secs_f64(),
        done.succeeded,
        done.failed,
        done.stopped,
        done.rollbacks
    );
    println!("{:.0} days of their time passed", done.virtual_time.as_secs_f64() / 86_400.0);
    Ok(())
}

/// Tells the story of one seed, and that of the smaller scenario that fails in the same way, if it fails.
pub fn story(seed: u64) -> anyhow::Result<()> {
    for line in tell(seed) {
        println!("{line}");
    }
    run(seed)?;
    Ok(())
}
