//! `cargo xtask`: everything that a developer and CI run, so that both run the same.
//!
//! Each command is one module. They start programs and judge what these answer; none of longshore's own logic is here.

mod agent_program;
mod bench;
mod ci;
mod demo;
mod fuzz;
mod r#gen;
mod leftovers;
mod mutants;
mod package;
mod postgres;
mod process;
mod screenshots;
mod serving;
mod setup;
mod simulate;
mod stop_signal;
mod suite;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What a developer does with longshore's sources.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Installs what is missing: system packages (as root), the stock `aws` CLI and pytest in `.longshore/venv`, cargo-nextest
    Setup,
    /// Runs the walk-through against a `longshore dev` of its own, and stays up until Ctrl-C
    Demo {
        /// Runs all twelve steps, tears everything down, and ends with 0 only if every check held
        #[arg(long)]
        once: bool,
    },
    /// Runs all tests: those in Rust, on SQLite and PostgreSQL, and those with the stock clients
    Test {
        /// Only tests whose name contains this
        filter: Option<String>,
    },
    /// What CI runs: format, clippy, docs, test
    Ci,
    /// Builds the agent as it is put on hosts: one static file, checked for its size and in an empty root
    BuildAgent,
    /// Builds Debian packages of both programs in `target/package`
    Package {
        /// Builds the programs quickly instead of well, as for the tests
        #[arg(long)]
        debug: bool,
    },
    /// Makes the console's screenshots in `docs/images`, in both themes
    Screenshots,
    /// Measures, prints tables, and writes them to `docs/benchmarks.md`
    Bench {
        /// Only this group of measurements; the document keeps what it has of the others
        #[arg(value_enum)]
        group: Option<bench::Group>,
        /// Only tries whether the measurements work: small amounts, short times, and nothing is written
        #[arg(long)]
        quick: bool,
        /// Watches the idle agent for 10 minutes instead of one
        #[arg(long, conflicts_with = "quick")]
        full: bool,
    },
    /// Writes the Rust of the service models in `crates/wire`
    Gen {
        /// Only compares; fails where a file differs
        #[arg(long)]
        check: bool,
    },
    /// Breaks each guard of the planner in turn, and fails if the suite does not notice
    Mutants {
        /// Only mutants whose rule contains this
        filter: Option<String>,
    },
    /// Gives what reads bytes of others (AppSpecs, specifications, archives, the agent's files) any bytes at all
    Fuzz {
        /// Only this target: appspec, specification, archive or ledger
        target: Option<String>,
        /// For how long, each
        #[arg(long, default_value_t = 60)]
        seconds: u64,
        /// Runs this one input again instead
        #[arg(long, value_name = "FILE", requires = "target")]
        input: Option<PathBuf>,
    },
    /// Runs simulated fleets through the planner; a failure prints its seed and its story
    Simulate {
        /// How many fleets; 1 if a seed is given
        #[arg(long)]
        seeds: Option<u64>,
        /// The first seed
        #[arg(long)]
        seed: Option<u64>,
        /// Tells what happens to the fleet of the seed, step by step
        #[arg(long, requires = "seed", conflicts_with = "seeds")]
        story: bool,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Setup => setup::setup().map(drop),
        Command::Demo { once } => demo::demo(once),
        Command::Test { filter } => suite::test(filter.as_deref(), None),
        Command::Ci => ci::ci(),
        Command::BuildAgent => agent_program::build_and_check().map(drop),
        Command::Package { debug } => {
            let programs = match debug {
                true => package::Programs::debug(None)?,
                false => package::Programs::released()?,
            };
            package::package(&programs).map(drop)
        }
        Command::Screenshots => screenshots::screenshots(),
        Command::Bench { group, quick, full } => bench::bench(
            group,
            match (quick, full) {
                (true, _) => bench::Effort::Quick,
                (_, true) => bench::Effort::Full,
                _ => bench::Effort::Usual,
            },
        ),
        Command::Gen { check } => r#gen::run(check),
        Command::Mutants { filter } => mutants::mutants(filter.as_deref()),
        Command::Fuzz { target, seconds, input } => {
            let exploration = fuzz::Exploration { seconds, seed: None };
            fuzz::fuzz(target.as_deref(), exploration, input.as_deref())
        }
        Command::Simulate { seed: Some(seed), story: true, .. } => simulate::story(seed),
        Command::Simulate { seeds, seed, .. } => {
            let seeds = seeds.unwrap_or(if seed.is_some() { 1 } else { 100_000 });
            simulate::simulate(seed.unwrap_or(0), seeds)
        }
    }
}

/// The repository's folder.
fn repository() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.parent().map(PathBuf::from).unwrap_or(here)
}

/// The folder of everything that these commands leave behind: the virtual environment and the state of demo and tests.
fn own_directory() -> PathBuf {
    repository().join(".longshore")
}
