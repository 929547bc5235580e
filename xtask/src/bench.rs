//! `cargo xtask bench`: how fast and how small, beside what there is to compare with.
//!
//! Every measurement starts servers of its own from a release build, and talks to loopback addresses and to instances
//! that these servers made, and to nobody else.

mod agent;
mod client;
mod deployments;
mod load;
mod memory;
mod report;
mod samples;
mod start;

use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::leftovers;
use crate::process::{built, cargo, run, step};
use crate::setup::setup;
use report::Row;

/// What a measurement needs to know.
pub struct Bench {
    /// The `longshore` program, built for release.
    pub program: PathBuf,
    /// The folder of the stock `aws` CLI.
    pub tools: PathBuf,
    /// Where servers keep their data.
    pub home: PathBuf,
}

/// Measures everything, prints the table, and writes `docs/benchmarks.md`.
pub fn bench() -> anyhow::Result<()> {
    let tools = setup()?;
    step("build for release", || {
        run(cargo().args([
            "build",
            "--release",
            "--package",
            "longshore-cli",
            "--package",
            "longshore-agent",
        ]))
    })?;
    let bench = Bench {
        program: built("release").join("longshore"),
        tools,
        home: crate::own_directory().join("bench"),
    };
    leftovers::clear_all(&bench.program, &bench.home)?;
    std::fs::create_dir_all(&bench.home)?;
    let mut rows: Vec<Row> = Vec::new();
    rows.extend(step("server start", || start::measure(&bench))?);
    rows.extend(step("instances and deployments", || deployments::measure_fleet(&bench))?);
    rows.extend(step("hand-off between lifecycle events", || {
        deployments::measure_hand_off(&bench)
    })?);
    rows.extend(step("requests", || load::measure(&bench))?);
    std::fs::remove_dir_all(&bench.home)
        .context("the folder of the benchmarks cannot be removed")?;
    report::publish(&rows)
}

/// Measures the agent alone, and prints the table; with `full`, its idle time for as long as is promised.
pub fn bench_agent(full: bool) -> anyhow::Result<()> {
    let agent = crate::agent_program::build()?;
    let home = crate::own_directory().join("bench-agent");
    let rows = step("the agent", || agent::measure(&agent, &home, full))?;
    report::print(&rows);
    Ok(())
}

impl Bench {
    /// The data directory of one measurement's server.
    pub fn data_dir(&self, measurement: &str) -> PathBuf {
        self.home.join(measurement).join("data")
    }

    /// The stock CLI, with the root credentials of a server.
    pub fn aws(&self, client: &client::Client) -> std::process::Command {
        let mut command = std::process::Command::new(self.tools.join("aws"));
        command
            .env("AWS_ENDPOINT_URL", client.endpoint())
            .env("AWS_ACCESS_KEY_ID", &client.credentials.access_key)
            .env("AWS_SECRET_ACCESS_KEY", &client.credentials.secret_key)
            .env("AWS_DEFAULT_REGION", client::REGION)
            .env("AWS_CONFIG_FILE", "/nonexistent")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent");
        command
    }
}

/// The root credentials that a server made in its data directory.
pub fn root_credentials(data_dir: &Path) -> anyhow::Result<wire::sigv4::Credentials> {
    let path = data_dir.join("root-credentials");
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("{} cannot be read", path.display()))?;
    let value = |wanted: &str| {
        text.lines()
            .filter_map(|line| line.split_once('='))
            .find(|(name, _)| name.trim() == wanted)
            .map(|(_, value)| value.trim().to_owned())
            .with_context(|| format!("no {wanted} in {}", path.display()))
    };
    Ok(wire::sigv4::Credentials::new(
        value("aws_access_key_id")?,
        value("aws_secret_access_key")?,
        None,
    ))
}
