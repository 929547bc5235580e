//! What an instance does once it is up: it runs its boot services, buries the dead, and ends in order when told to.

use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use rustix::process::{Pid, Signal, WaitOptions, kill_process_group, wait};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::Instant;

use super::init::put_file;
use super::{SandboxError, step};
use crate::disk::Boot;

/// The host agent's init script, where the official package puts it.
const AGENT_SCRIPT: &str = "/etc/init.d/codedeploy-agent";

/// Where the output of user data goes. Source: EC2 user guide, "Run commands at launch".
const USER_DATA_LOG: &str = "/var/log/cloud-init-output.log";

/// How long processes have to end by themselves when the instance stops.
const STOP_GRACE: Duration = Duration::from_secs(3);

/// What programs of an instance find in their environment, before what the instance adds.
pub(super) const ENVIRONMENT: [(&str, &str); 4] = [
    ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
    ("HOME", "/root"),
    ("USER", "root"),
    ("LANG", "C.UTF-8"),
];

/// Runs the instance until it is told to end.
pub(super) fn run(settings: &Boot, user_data: Option<&[u8]>) -> Result<i32, SandboxError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(step("begin to listen for signals"))?
        .block_on(live(settings, user_data))
}

async fn live(settings: &Boot, user_data: Option<&[u8]>) -> Result<i32, SandboxError> {
    let listen = |kind| signal(kind).map_err(step("listen for a signal"));
    let mut children = listen(SignalKind::child())?;
    let mut stop = listen(SignalKind::terminate())?;
    let mut interrupt = listen(SignalKind::interrupt())?;
    start_services(settings, user_data);
    loop {
        bury();
        tokio::select! {
            _ = children.recv() => {}
            _ = stop.recv() => break,
            _ = interrupt.recv() => break,
        }
    }
    // To the group of process 1 means to everybody but the caller: see kill(2) on the number -1.
    let _ = kill_process_group(Pid::INIT, Signal::TERM);
    let deadline = Instant::now() + STOP_GRACE;
    while bury() == Children::Left {
        if tokio::time::timeout_at(deadline, children.recv()).await.is_err() {
            break;
        }
    }
    // The kernel kills whoever is left when process 1 ends.
    Ok(0)
}

#[derive(PartialEq, Eq)]
enum Children {
    Left,
    None,
}

/// Takes the exit status of every child that ended; orphans of the whole instance are children of process 1.
fn bury() -> Children {
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some(_)) => {}
            Ok(None) => return Children::Left,
            Err(_) => return Children::None,
        }
    }
}

/// Side by side: a service that hangs must not keep the other back.
fn start_services(settings: &Boot, user_data: Option<&[u8]>) {
    let script = Utf8Path::new(AGENT_SCRIPT);
    if is_executable(script) {
        let mut command = Command::new(script);
        start(command.arg("start"), settings, None);
    }
    if let Some(script) = user_data {
        match stage_user_data(settings, script) {
            Ok(Some(path)) => start(&mut Command::new(path), settings, Some(USER_DATA_LOG.into())),
            Ok(None) => {}
            Err(error) => eprintln!("user data cannot be run: {error}"),
        }
    }
}

fn is_executable(path: &Utf8Path) -> bool {
    rustix::fs::access(path.as_str(), rustix::fs::Access::EXEC_OK).is_ok() && path.is_file()
}

/// The user data as a script, if it is one and this is the first start. Paths as cloud-init has them.
fn stage_user_data(settings: &Boot, script: &[u8]) -> io::Result<Option<Utf8PathBuf>> {
    let dir = Utf8PathBuf::from(format!("/var/lib/cloud/instances/{}", settings.id));
    let done = dir.join("sem/config_scripts_user");
    if done.exists() {
        return Ok(None);
    }
    put_file(&dir.join("user-data.txt"), 0o600, &mut &script[..])?;
    // Before the script runs: one that was cut short is not run again either.
    put_file(&done, 0o644, &mut io::empty())?;
    if !script.starts_with(b"#!") {
        return Ok(None);
    }
    let path = dir.join("scripts/part-001");
    put_file(&path, 0o700, &mut &script[..])?;
    Ok(Some(path))
}

fn start(command: &mut Command, settings: &Boot, log: Option<&Utf8Path>) {
    let result = log.map(open_log).transpose().and_then(|log| {
        if let Some((output, errors)) = log {
            command.stdout(output).stderr(errors);
        }
        command
            .env_clear()
            .envs(ENVIRONMENT)
            .envs(settings.environment.iter().map(|(name, value)| (name, value)))
            .current_dir("/")
            .stdin(Stdio::null())
            .process_group(0)
            .spawn()
    });
    // The child is not waited for here: `bury` takes all of them.
    if let Err(error) = result {
        eprintln!("{} does not start: {error}", command.get_program().display());
    }
}

fn open_log(path: &Utf8Path) -> io::Result<(File, File)> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let file = File::options().create(true).append(true).open(path)?;
    Ok((file.try_clone()?, file))
}
