//! `cargo xtask ci`: what CI runs, from the cheapest check to the dearest.

use crate::process::{cargo, run, step};

/// Format, clippy and docs with warnings as errors, whether the tests would notice a broken planner, the agent as hosts get it, a
/// short fuzzing, then all tests.
pub fn ci() -> anyhow::Result<()> {
    step("format", || run(cargo().args(["fmt", "--all", "--check"])))?;
    step("clippy", || {
        run(cargo().args(["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]))
    })?;
    step("docs", || {
        run(cargo()
            .args(["doc", "--workspace", "--no-deps", "--quiet"])
            .env("RUSTDOCFLAGS", "--deny warnings"))
    })?;
    step("mutants", || crate::mutants::mutants(None))?;
    let agent = crate::agent_program::build_and_check()?;
    crate::setup::setup()?;
    crate::fuzz::fuzz(None, crate::fuzz::Exploration::CI, None)?;
    // What users get is what is tested on hosts.
    crate::suite::test(None, Some(&agent))
}
