//! `cargo xtask test`: all tests, those in Rust and those with the stock clients.

use std::path::Path;
use std::process::Command;

use anyhow::bail;

use crate::leftovers;
use crate::package::{self, Programs};
use crate::postgres::{Commits, Postgres};
use crate::process::{built, cargo, find, path_with, run, step};
use crate::setup::setup;

/// The environment variable that tells the tests of a PostgreSQL server in which they may make databases.
const POSTGRES_URL: &str = "LONGSHORE_TEST_POSTGRES_URL";

/// The environment variable with which the names of the state directories of one run of the tests begin.
const RUN: &str = "LONGSHORE_TEST_RUN";

/// pytest's status when nothing was selected, which is no failure of a filtered run.
const PYTEST_NO_TESTS: i32 = 5;

/// The environment variable that tells the tests where Debian's packages are.
const PACKAGES: &str = "LONGSHORE_PACKAGES";

/// The environment variable that tells the tests which agent hosts get.
const AGENT: &str = "LONGSHORE_AGENT_BIN";

/// Runs all tests, or those whose name contains `filter`, on hosts with this agent, or with one built for debugging. The last line is
/// pytest's own.
pub fn test(filter: Option<&str>, agent: Option<&Path>) -> anyhow::Result<()> {
    let tools = setup()?;
    let programs = Programs::debug(agent)?;
    // Elsewhere than on Debian their tests say that they were skipped.
    let packages = find("dpkg-deb").map(|_| package::package(&programs)).transpose()?;
    let program = built("debug").join("longshore");
    let homes = crate::own_directory().join("tests");
    leftovers::clear_all(&program, &homes)?;
    let postgres = step("start a throw-away PostgreSQL", || Postgres::start(Commits::Unsynced))?;
    step("tests in Rust", || run(&mut rust_tests(filter, &postgres.url)))?;
    println!("==> tests with the stock clients");
    let mut client_tests = client_tests(&tools, filter, &postgres.url, agent);
    if let Some(packages) = packages {
        client_tests.env(PACKAGES, packages);
    }
    let status = client_tests.status()?;
    leftovers::assert_none(&homes.join(run_name()), &[])?;
    match status.code() {
        Some(0) => Ok(()),
        Some(PYTEST_NO_TESTS) if filter.is_some() => Ok(()),
        _ => bail!("pytest failed: {status}"),
    }
}

fn run_name() -> String {
    format!("run-{}", std::process::id())
}

fn rust_tests(filter: Option<&str>, postgres_url: &str) -> Command {
    let mut command = cargo();
    command
        .args(["nextest", "run", "--workspace", "--no-fail-fast"])
        .env(POSTGRES_URL, postgres_url);
    if let Some(filter) = filter {
        command.args(["--no-tests", "pass", "--", filter]);
    }
    command
}

fn client_tests(
    tools: &Path,
    filter: Option<&str>,
    postgres_url: &str,
    agent: Option<&Path>,
) -> Command {
    let mut command = Command::new(tools.join("python"));
    command
        .args(["-m", "pytest", "-p", "no:cacheprovider"])
        .current_dir(crate::repository().join("tests"))
        .env("PATH", path_with(tools))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("LONGSHORE_BIN", built("debug").join("longshore"))
        .env(RUN, run_name())
        .env(POSTGRES_URL, postgres_url);
    if let Some(filter) = filter {
        command.args(["-k", filter]);
    }
    if let Some(agent) = agent {
        command.env(AGENT, agent);
    }
    command
}
