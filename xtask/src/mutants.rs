//! `cargo xtask mutants`: breaks each guard of the planner in turn, and demands that the suite notices.
//!
//! The planner, the model and the simulator are copied into a workspace of their own; there each mutant is applied,
//! built, and judged by a few thousand simulated fleets and, if these notice nothing, by the planner's table tests.

mod list;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::Instant;

use anyhow::{Context, bail, ensure};

use crate::process::cargo;
use list::Mutant;

/// Fleets that judge a mutant. A guard that so many do not need hardly guards anything.
const SEEDS: u64 = 3_000;

/// Workspaces that are judged in at the same time: one for each of CI's cores.
const WORKSPACES: usize = 2;

/// The crates that a mutant lives among.
const CRATES: [&str; 3] = ["model", "rollout", "testkit"];

/// Judges every mutant whose rule contains `filter`. Fails if one survives, no longer applies or does not build.
pub fn mutants(filter: Option<&str>) -> anyhow::Result<()> {
    let list = crate::repository().join("crates/rollout/mutants.txt");
    let text = std::fs::read_to_string(&list)
        .with_context(|| format!("{} cannot be read", list.display()))?;
    let mut mutants = Mutant::list(&text)?;
    mutants.retain(|mutant| filter.is_none_or(|filter| mutant.rule.contains(filter)));
    ensure!(!mutants.is_empty(), "no mutant's rule contains `{}`", filter.unwrap_or_default());
    let begun = Instant::now();
    let (waiting, survivors) = (Mutex::new(mutants.iter()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKSPACES)
            .map(|number| {
                let (waiting, survivors) = (&waiting, &survivors);
                scope.spawn(move || judge_all(number, waiting, survivors))
            })
            .collect();
        workers.into_iter().try_for_each(|worker| match worker.join() {
            Ok(result) => result,
            Err(_) => bail!("a judge panicked"),
        })
    })?;
    let survivors: Vec<String> = survivors.into_inner().unwrap_or_default();
    ensure!(
        survivors.is_empty(),
        "the suite does not notice when these rules are broken:\n  {}",
        survivors.join("\n  ")
    );
    println!("{} mutants, all noticed, in {:.0} s", mutants.len(), begun.elapsed().as_secs_f64());
    Ok(())
}

fn judge_all(
    number: usize,
    waiting: &Mutex<std::slice::Iter<Mutant>>,
    survivors: &Mutex<Vec<String>>,
) -> anyhow::Result<()> {
    let workspace = Workspace::make(number)?;
    if number == 0 {
        ensure!(
            workspace.verdict()?.is_none(),
            "the suite finds fault with the planner as it is; mend that first"
        );
    }
    loop {
        let next = waiting.lock().map(|mut waiting| waiting.next());
        let Ok(Some(mutant)) = next else { return Ok(()) };
        let begun = Instant::now();
        let noticed = workspace.judge(mutant)?;
        let seconds = begun.elapsed().as_secs_f64();
        match noticed {
            Some(by) => println!("{seconds:5.1} s  {}: noticed by {by}", mutant.rule),
            None => {
                println!("{seconds:5.1} s  {}: SURVIVES", mutant.rule);
                if let Ok(mut survivors) = survivors.lock() {
                    survivors.push(mutant.rule.clone());
                }
            }
        }
    }
}

/// A copy of the crates with a target folder of its own.
struct Workspace(PathBuf);

impl Workspace {
    fn make(number: usize) -> anyhow::Result<Self> {
        let root = crate::own_directory().join(format!("mutants/{number}"));
        let sources = crate::repository();
        let _ = std::fs::remove_dir_all(root.join("crates"));
        for name in CRATES {
            copy(&sources.join("crates").join(name), &root.join("crates").join(name))?;
        }
        let judge = root.join("crates/judge");
        std::fs::create_dir_all(judge.join("src"))?;
        std::fs::write(judge.join("Cargo.toml"), JUDGE_MANIFEST)?;
        std::fs::write(judge.join("src/main.rs"), JUDGE)?;
        std::fs::copy(sources.join("Cargo.lock"), root.join("Cargo.lock"))?;
        let manifest = std::fs::read_to_string(sources.join("Cargo.toml"))?;
        ensure!(manifest.contains(MEMBERS), "Cargo.toml no longer says `{MEMBERS}`");
        std::fs::write(
            root.join("Cargo.toml"),
            manifest.replace(MEMBERS, "members = [\"crates/*\"]"),
        )?;
        Ok(Self(root))
    }

    /// What notices the mutant; nothing, if it survives.
    fn judge(&self, mutant: &Mutant) -> anyhow::Result<Option<String>> {
        let path = self.0.join("crates/rollout/src").join(&mutant.file);
        let source = std::fs::read_to_string(&path)
            .with_context(|| format!("{} cannot be read", path.display()))?;
        std::fs::write(&path, mutant.apply(&source)?)?;
        let noticed = self.verdict().with_context(|| format!("the mutant of `{}`", mutant.rule));
        std::fs::write(&path, source)?;
        noticed
    }

    fn verdict(&self) -> anyhow::Result<Option<String>> {
        let judge = self.cargo("build", &["--package", "judge"])?;
        ensure!(
            judge.status.success(),
            "does not build:\n{}",
            String::from_utf8_lossy(&judge.stderr)
        );
        let judged = Command::new("timeout")
            .arg(JUDGE_SECONDS.to_string())
            .arg(self.0.join("target/debug/judge"))
            .arg(SEEDS.to_string())
            .stdin(Stdio::null())
            .output()?;
        if judged.status.code() == Some(TIMED_OUT) {
            return Ok(Some("the simulation, a plan that does not end".to_owned()));
        }
        if !judged.status.success() {
            let said = String::from_utf8_lossy(&judged.stdout);
            let last = said.lines().last().unwrap_or("a panic");
            return Ok(Some(format!("the simulation, {last}")));
        }
        let tables = self.cargo("test", &["--package", "longshore-rollout", "--lib"])?;
        if tables.status.success() {
            return Ok(None);
        }
        let said = String::from_utf8_lossy(&tables.stdout);
        let failed = said.lines().find_map(|line| {
            line.strip_prefix("---- ").and_then(|rest| rest.strip_suffix(" stdout ----"))
        });
        let failed = failed.with_context(|| {
            format!("its tests do not build:\n{}", String::from_utf8_lossy(&tables.stderr))
        })?;
        Ok(Some(format!("the tables, {failed}")))
    }

    fn cargo(&self, command: &str, arguments: &[&str]) -> anyhow::Result<std::process::Output> {
        let mut cargo = cargo();
        cargo
            .current_dir(&self.0)
            .arg(command)
            .args(["--quiet", "--offline", "--target-dir"])
            .arg(self.0.join("target"))
            .args(arguments)
            // A broken guard leaves things unused; nobody reads these warnings.
            .env("RUSTFLAGS", "--cap-lints=allow")
            .stdin(Stdio::null());
        cargo.output().context("cargo cannot be started")
    }
}

/// How long the simulation may take, many times what it needs: a broken guard may make a plan endless.
const JUDGE_SECONDS: u32 = 60;
/// The status of `timeout` when the time was up.
const TIMED_OUT: i32 = 124;

const MEMBERS: &str = "members = [\"crates/*\", \"xtask\"]";

const JUDGE_MANIFEST: &str = "[package]
name = \"judge\"
version.workspace = true
edition.workspace = true

[dependencies]
testkit.workspace = true
";

/// Runs fleets until a promise is broken, and says which.
const JUDGE: &str = "fn main() {
    let seeds: u64 = std::env::args().nth(1).and_then(|seeds| seeds.parse().ok()).expect(\"a number of seeds\");
    for seed in 0..seeds {
        if let Err(broken) = testkit::simulation::promise_broken_by(seed) {
            println!(\"seed {seed}: {broken}\");
            std::process::exit(1);
        }
    }
}
";

/// Copies a crate's files. Times are new, so that cargo builds what an earlier mutant left behind.
fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(to)?;
    let entries =
        std::fs::read_dir(from).with_context(|| format!("{} cannot be read", from.display()))?;
    for entry in entries {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::write(&target, std::fs::read(entry.path())?)?;
        }
    }
    Ok(())
}
