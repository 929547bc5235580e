//! `cargo xtask bench`: how fast and how small, beside what there is to compare with.
//!
//! Every measurement starts servers of its own from a release build, and talks to loopback addresses and to instances
//! that these servers made, and to nobody else.

mod agent;
mod api;
mod client;
mod console;
mod deployments;
mod emulator;
mod engine;
mod full_store;
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
    pub effort: Effort,
}

/// How much is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// Only whether the measurements work; nothing is written
    Quick,
    Usual,
    /// What takes long is done for as long as is promised
    Full,
}

impl Effort {
    /// The usual amount of something, or the small one that tells whether it works.
    pub fn of<T>(self, usual: T, quick: T) -> T {
        match self {
            Self::Quick => quick,
            Self::Usual | Self::Full => usual,
        }
    }
}

/// Measurements that are made together.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Group {
    /// The agent's program alone: size, idle, and unpacking and installing beside `tar` and `cp`
    Agent,
    /// How soon a server serves, and what it needs when idle
    Server,
    /// Instances and deployments to them
    Deployments,
    /// Requests to the API, on both databases and beside an emulator
    Api,
    /// Large fleets of simulated agents, on both databases, and the planner alone; takes some minutes
    Engine,
    /// Reads of a store with ten million targets in it; takes some minutes and 10 GB of disk
    FullStore,
    /// Pages of the console, over a store with ten thousand deployments in it
    Console,
}

impl Group {
    const ALL: [Self; 7] = [
        Self::Agent,
        Self::Server,
        Self::Deployments,
        Self::Api,
        Self::Engine,
        Self::FullStore,
        Self::Console,
    ];

    /// The heading of its table.
    fn title(self) -> &'static str {
        match self {
            Self::Agent => "Agent",
            Self::Server => "Server",
            Self::Deployments => "Deployments",
            Self::Api => "API",
            Self::Engine => "Engine",
            Self::FullStore => "Full store",
            Self::Console => "Console",
        }
    }

    fn measure(self, bench: &Bench) -> anyhow::Result<Vec<Row>> {
        match self {
            Self::Agent => agent::measure(bench),
            Self::Server => start::measure(bench),
            Self::Deployments => {
                let mut rows = deployments::measure_fleet(bench)?;
                rows.extend(deployments::measure_hand_off(bench)?);
                Ok(rows)
            }
            Self::Api => api::measure(bench),
            Self::Engine => engine::measure(bench),
            Self::FullStore => full_store::measure(bench),
            Self::Console => console::measure(bench),
        }
    }
}

/// Measures one group or all of them, prints the tables, and writes them to `docs/benchmarks.md`.
pub fn bench(only: Option<Group>, effort: Effort) -> anyhow::Result<()> {
    let tools = setup()?;
    let bench =
        Bench { program: program()?, tools, home: crate::own_directory().join("bench"), effort };
    leftovers::clear_all(&bench.program, &bench.home)?;
    std::fs::create_dir_all(&bench.home)?;
    for group in Group::ALL.into_iter().filter(|group| only.is_none_or(|only| only == *group)) {
        let rows = step(group.title(), || group.measure(&bench))?;
        match effort {
            Effort::Quick => report::print(&rows),
            Effort::Usual | Effort::Full => report::publish(group.title(), &rows)?,
        }
    }
    std::fs::remove_dir_all(&bench.home).context("the folder of the benchmarks cannot be removed")
}

/// The program that is measured: the one that LONGSHORE_BIN names, else a release build of these sources.
fn program() -> anyhow::Result<PathBuf> {
    if let Some(named) = std::env::var_os("LONGSHORE_BIN") {
        return Ok(named.into());
    }
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
    Ok(built("release").join("longshore"))
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
