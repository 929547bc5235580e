//! `cargo xtask fuzz`: coverage-guided fuzzing of what reads bytes that others wrote.
//!
//! The targets are a workspace of their own (`fuzz/`), for they need instrumented code. libFuzzer's instrumentation is a pass of
//! LLVM that the stable compiler can be told to run; only sanitizers would need a nightly one, and the code here is safe Rust.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use crate::process::{cargo, output, run, step};

/// The targets: each a program in `fuzz/targets` and a folder in `fuzz/corpus`.
pub const TARGETS: [&str; 4] = ["appspec", "specification", "archive", "ledger"];

/// What makes the compiler count which edges are taken and which values are compared, as libFuzzer reads it.
const INSTRUMENTATION: &[&str] = &[
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "--cfg=fuzzing",
];

/// An input that takes longer is a finding, in seconds: the machine may be busy, and each takes microseconds.
const INPUT_SECONDS_MAX: u32 = 20;
/// More memory is a finding, in MiB.
const MEMORY_MIB_MAX: u32 = 1024;
/// The longest input that is tried, in bytes.
const INPUT_BYTES_MAX: u32 = 64 * 1024;

/// How far a target is explored.
#[derive(Debug, Clone, Copy)]
pub struct Exploration {
    /// For so long, in seconds.
    pub seconds: u64,
    /// What the inputs are drawn from; `None` draws others each time.
    pub seed: Option<u32>,
}

impl Exploration {
    /// In CI: the stored inputs and what follows from them, drawn alike each time, so that no change is refused for what another
    /// brought in. Longer explorations, by hand, draw anew.
    pub const CI: Self = Self { seconds: 15, seed: Some(1) };
}

/// Fuzzes one target, or each; or runs one input again.
pub fn fuzz(
    target: Option<&str>,
    exploration: Exploration,
    input: Option<&Path>,
) -> anyhow::Result<()> {
    let targets = match target {
        None => TARGETS.to_vec(),
        Some(name) if TARGETS.contains(&name) => vec![name],
        Some(name) => {
            bail!("there is no fuzz target `{name}`: it is one of {}", TARGETS.join(", "))
        }
    };
    let programs = step("build the fuzz targets", build)?;
    if let Some(input) = input {
        let [target] = targets[..] else { bail!("say which target the input is for") };
        return run(Command::new(programs.join(target)).arg(input));
    }
    for target in targets {
        let what = format!("fuzz {target} for {} s", exploration.seconds);
        step(&what, || one(&programs, target, exploration))?;
    }
    Ok(())
}

/// Builds all targets; the folder of their programs.
fn build() -> anyhow::Result<PathBuf> {
    let version = output(Command::new("rustc").arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.context("rustc does not say what it compiles for")?;
    let built = home();
    // With a target named, even the usual one, the flags are not for build scripts and macros.
    run(cargo()
        .args(["build", "--release", "--quiet", "--manifest-path", "fuzz/Cargo.toml"])
        .args(["--target", host, "--target-dir"])
        .arg(&built)
        .env("CARGO_ENCODED_RUSTFLAGS", INSTRUMENTATION.join("\u{1f}")))?;
    Ok(built.join(host).join("release"))
}

fn home() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    crate::repository().join(target.unwrap_or_else(|| "target".into())).join("fuzz")
}

fn one(programs: &Path, target: &str, exploration: Exploration) -> anyhow::Result<()> {
    let repository = crate::repository();
    let stored = repository.join("fuzz/corpus").join(target);
    // New inputs are collected here; the stored ones are read only.
    let collected = home().join("corpus").join(target);
    let found = home().join("found");
    let scratch = home().join("scratch");
    for folder in [&collected, &found, &scratch] {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let before = newest(&found, target);
    let log = found.join(format!("{target}.log"));
    let status = Command::new(programs.join(target))
        .arg(format!("-max_total_time={}", exploration.seconds))
        .args(exploration.seed.map(|seed| format!("-seed={seed}")))
        .arg(format!("-timeout={INPUT_SECONDS_MAX}"))
        .arg(format!("-rss_limit_mb={MEMORY_MIB_MAX}"))
        .arg(format!("-max_len={INPUT_BYTES_MAX}"))
        .arg(format!("-artifact_prefix={}/{target}-", found.display()))
        .args([&collected, &stored])
        .env("TMPDIR", &scratch)
        .stdin(Stdio::null())
        .stderr(fs::File::create(&log)?)
        .stdout(Stdio::null())
        .status()
        .with_context(|| format!("the fuzz target {target} cannot be started"))?;
    let text = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
    if !status.success() {
        tell(target, &text, newest(&found, target).filter(|found| Some(found) != before.as_ref()));
        bail!("the fuzz target {target} found something; all that it said is in {}", log.display());
    }
    let done = text.lines().rev().find(|line| line.starts_with("Done ")).unwrap_or("done");
    let covered = text.lines().rev().find_map(|line| line.split_once("cov: "));
    let covered = covered.and_then(|(_, rest)| rest.split_whitespace().next()).unwrap_or("?");
    println!("    {done}, {covered} edges covered");
    Ok(())
}

/// Says which input was the last, and how it is run again.
fn tell(target: &str, log: &str, input: Option<PathBuf>) {
    let lines: Vec<&str> = log.lines().collect();
    let about = |line: &&str| line.contains("panicked at") || line.contains("ERROR: libFuzzer");
    let from = lines.iter().position(about).unwrap_or_else(|| lines.len().saturating_sub(10));
    for line in lines.iter().skip(from).take(6) {
        eprintln!("    {line}");
    }
    match input {
        Some(input) => {
            eprintln!("    input: {}", input.display());
            eprintln!("    again: cargo xtask fuzz {target} --input {}", input.display());
        }
        None => eprintln!("    no input was kept: it failed before the first"),
    }
}

/// The newest finding of a target.
fn newest(found: &Path, target: &str) -> Option<PathBuf> {
    let of_target = format!("{target}-");
    let entries = fs::read_dir(found).ok()?.flatten();
    let findings =
        entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(&of_target));
    let newest =
        findings.max_by_key(|entry| entry.metadata().and_then(|data| data.modified()).ok())?;
    Some(newest.path())
}
