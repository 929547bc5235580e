//! `cargo xtask simulate`: simulated fleets through the planner.

use std::time::Instant;

use testkit::simulation::run_many;

/// Runs this many fleets, seeds 0, 1, 2 and so on. A broken rule fails, with its seed and what led to it.
pub fn simulate(seeds: u64) -> anyhow::Result<()> {
    let begun = Instant::now();
    let done = run_many(0..seeds)?;
    println!(
        "{} fleets ({} hosts, {} commands) in {:.1} s: {} succeeded, {} failed, {} stopped",
        done.fleets,
        done.hosts,
        done.commands,
        begun.elapsed().as_secs_f64(),
        done.succeeded,
        done.failed,
        done.stopped
    );
    println!("{:.0} days of their time passed", done.virtual_time.as_secs_f64() / 86_400.0);
    Ok(())
}
