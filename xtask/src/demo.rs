//! `cargo xtask demo`: the walk-through, against a `longshore dev` of its own.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use rustix::process::Signal;

use crate::leftovers;
use crate::process::{built, cargo, path_with, run, step};
use crate::serving::{Serving, signal};
use crate::setup::setup;
use crate::stop_signal::StopSignal;

/// Runs the walk-through. With `once`, all of it; otherwise the three hosts stay up until a signal to stop.
///
/// Whatever happens, the server, its instances and their data are gone afterwards.
pub fn demo(once: bool) -> anyhow::Result<()> {
    let tools = setup()?;
    build_programs()?;
    // Hosts get the agent that users' hosts would.
    let agent = crate::agent_program::build()?;
    let program = built("debug").join("longshore");
    let home = crate::own_directory().join("demo");
    leftovers::clear(&program, &home)?;
    let links_before = leftovers::links()?;
    let signals = StopSignal::listen()?;

    let arguments = ["--agent", agent.to_str().context("the agent's path is no text")?];
    let server = step("start longshore dev", || {
        let mut server = Serving::spawn_with(&program, "dev", &home.join("data"), &arguments)?;
        server.wait_ready().map(|()| server)
    })?;
    println!("    it serves {}", server.endpoint());
    let bridge_tags = leftovers::bridge_tags_since(&links_before)?;
    let shown = show(&server, &tools, &home, once, &signals);
    let ended = step("tear down", || {
        server.stop()?;
        leftovers::assert_none(&home, &bridge_tags)?;
        std::fs::remove_dir_all(&home).context("the demo's folder cannot be removed")
    });
    shown?;
    ended?;
    println!("demo: everything held");
    Ok(())
}

/// Builds the two programs.
pub fn build_programs() -> anyhow::Result<()> {
    step("build", || {
        run(cargo().args(["build", "--package", "longshore-cli", "--package", "longshore-agent"]))
    })
}

fn show(
    server: &Serving,
    tools: &Path,
    home: &Path,
    once: bool,
    signals: &StopSignal,
) -> anyhow::Result<()> {
    step("walk-through", || walk_through(tools, home, once, signals))?;
    if once {
        return Ok(());
    }
    println!("  Server      {}", server.endpoint());
    println!("\nTo go on by hand:");
    println!("  export PATH={}:{}:$PATH", built("debug").display(), tools.display());
    println!(
        "  eval \"$(longshore credentials --env --data-dir {})\"",
        home.join("data").display()
    );
    println!("\nCtrl-C ends the server and the hosts, and leaves nothing behind.");
    while !signals.within(Duration::from_secs(3600)) {}
    println!();
    Ok(())
}

fn walk_through(tools: &Path, home: &Path, once: bool, signals: &StopSignal) -> anyhow::Result<()> {
    let mut command = Command::new("setpriv");
    command
        .args(["--pdeathsig", "KILL", "--"])
        .arg(crate::repository().join("examples/walkthrough/walkthrough.sh"))
        .args((!once).then_some("--keep"))
        .env("LONGSHORE_DATA_DIR", home.join("data"))
        // An empty configuration: what a user has set up for the real AWS must not leak in.
        .env("AWS_CONFIG_FILE", "/nonexistent")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
        .stdin(Stdio::null());
    for (name, _) in std::env::vars_os().filter(|(name, _)| is_users_aws_setting(name)) {
        command.env_remove(name);
    }
    let mut walk = command
        .env("PATH", command_path(tools))
        .spawn()
        .context("the walk-through cannot be started")?;
    wait(&mut walk, signals)
}

fn is_users_aws_setting(name: &std::ffi::OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.starts_with(b"AWS_")
        && name != b"AWS_CONFIG_FILE"
        && name != b"AWS_SHARED_CREDENTIALS_FILE"
}

/// Our programs and the stock `aws` before all others.
fn command_path(tools: &Path) -> std::ffi::OsString {
    let mut path = built("debug").into_os_string();
    path.push(":");
    path.push(path_with(tools));
    path
}

fn wait(walk: &mut Child, signals: &StopSignal) -> anyhow::Result<()> {
    loop {
        if let Some(status) = walk.try_wait()? {
            if !status.success() {
                bail!("the walk-through ended with {status}");
            }
            return Ok(());
        }
        if signals.within(Duration::from_millis(50)) {
            signal(walk.id(), Signal::TERM);
            walk.wait()?;
            bail!("interrupted");
        }
    }
}
