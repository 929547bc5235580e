//! Running a program inside a running instance, as `longshore instances shell` does.

use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus};

use camino::Utf8Path;
use model::InstanceId;
use rustix::fs::Mode;
use rustix::process::{DumpableBehavior, set_dumpable_behavior};

use super::supervisor::instance;
use super::{ENTER, SandboxError, boot, capabilities, step};
use crate::ComputeError;
use crate::cgroup::InstanceGroups;
use crate::disk::{InstanceDir, ProcessRecord, StateDir};
use crate::namespaces::{die_with_parent, join_instance};
use crate::process::boot_id;

/// Exit codes of a shell for what is no exit code of the program. Source: POSIX, Shell Command Language, 2.8.2.
const NOT_FOUND: i32 = 127;
const NOT_EXECUTABLE: i32 = 126;
const SIGNAL_BASE: i32 = 128;
/// The instance could not be entered; as container engines have it.
const NOT_ENTERED: i32 = 125;

/// Runs `argv` (a login shell if empty) inside a running instance with this process's standard streams, and waits
/// for it. Answers its exit code, 128 + n after signal n, 127 when the program is not there, 126 when it is no
/// program, 125 when the instance went away meanwhile.
///
/// The program finds the instance's environment and `environment`, nothing of the caller's. It dies with the caller.
pub fn enter(
    state_dir: &Utf8Path,
    id: &InstanceId,
    argv: &[String],
    environment: &[(String, String)],
) -> Result<i32, ComputeError> {
    let dir = StateDir::at(state_dir)?.instance(id);
    if open_init(&dir)?.is_none() {
        return Err(ComputeError::NotRunning(id.clone()));
    }
    let program = "/proc/self/exe";
    let mut command = Command::new(program);
    command.arg(ENTER).arg(dir.path()).arg(environment.len().to_string());
    command.args(environment.iter().map(|(name, value)| format!("{name}={value}")));
    command.args(argv);
    die_with_parent(&mut command);
    let status = command
        .status()
        .map_err(|source| ComputeError::Program { program: program.into(), source })?;
    Ok(exit_code(status))
}

/// A handle on process 1 of the instance, if it is up.
fn open_init(dir: &InstanceDir) -> Result<Option<OwnedFd>, ComputeError> {
    let boot_id =
        boot_id().map_err(ComputeError::file("read", "/proc/sys/kernel/random/boot_id"))?;
    let up = |record: ProcessRecord| (record.boot_id == boot_id).then_some(record.init).flatten();
    Ok(dir.processes()?.and_then(up).and_then(|init| init.open()))
}

fn exit_code(status: ExitStatus) -> i32 {
    let after_signal = || SIGNAL_BASE + status.signal().unwrap_or_default();
    status.code().unwrap_or_else(after_signal)
}

/// The process in between: it joins the instance, and its one child is the program.
pub(super) fn run(arguments: &[OsString]) -> i32 {
    match join_and_run(arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error}");
            NOT_ENTERED
        }
    }
}

fn join_and_run(arguments: &[OsString]) -> Result<i32, SandboxError> {
    // See the init: this executable is a file of the machine.
    set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(step("shut `/proc/self` to the instance"))?;
    let (dir, settings) = instance(arguments)?;
    let (environment, argv) = parse(&arguments[1..]);
    let init = open_init(&dir)
        .map_err(|error| io::Error::other(error.to_string()))
        .and_then(|init| init.ok_or_else(|| io::Error::other("it does not run")))
        .map_err(step(format!("enter {}", settings.id)))?;
    InstanceGroups::of(&settings).join();
    join_instance(init).map_err(step(format!("enter {}", settings.id)))?;
    capabilities::drop_those_of_the_machine()?;
    rustix::process::umask(Mode::from_raw_mode(0o022));

    let mut command = match argv {
        [] => login_shell(),
        [program, rest @ ..] => {
            let mut command = Command::new(program);
            command.args(rest);
            command
        }
    };
    command.env_clear().envs(boot::ENVIRONMENT).envs(settings.environment).envs(environment);
    command.envs(std::env::var_os("TERM").map(|terminal| ("TERM", terminal)));
    command.current_dir(if Path::new("/root").is_dir() { "/root" } else { "/" });
    die_with_parent(&mut command);
    match command.status() {
        Ok(status) => Ok(exit_code(status)),
        Err(error) => {
            eprintln!("{}: {error}", command.get_program().display());
            let missing = error.kind() == io::ErrorKind::NotFound;
            Ok(if missing { NOT_FOUND } else { NOT_EXECUTABLE })
        }
    }
}

fn login_shell() -> Command {
    let bash = "/bin/bash";
    let mut command = Command::new(if Path::new(bash).exists() { bash } else { "/bin/sh" });
    command.arg("-l");
    command
}

/// The number of variables, the variables, and the program with its arguments.
fn parse(arguments: &[OsString]) -> (Vec<(&str, &str)>, &[OsString]) {
    let count = arguments.first().and_then(|count| count.to_str()?.parse().ok()).unwrap_or(0);
    let rest = arguments.get(1..).unwrap_or_default();
    let (variables, argv) = rest.split_at_checked(count).unwrap_or((&[], rest));
    (variables.iter().filter_map(|pair| pair.to_str()?.split_once('=')).collect(), argv)
}
