//! The supervisor: the one process of an instance in the machine's process name space.
//!
//! It belongs to no server: it has a session of its own, holds no descriptor of the server's, and writes down for the
//! next server which processes hold the instance.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use super::{FAILED, GO, INIT, READY, SandboxError, UP, let_go, say, step};
use crate::cgroup::InstanceGroups;
use crate::disk::{Boot, InstanceDir, ProcessRecord};
use crate::namespaces::{close_inherited, die_with_parent, leave_machine};
use crate::process::{ProcessIdentity, boot_id};

pub(super) fn run(arguments: &[OsString]) -> Result<i32, SandboxError> {
    close_inherited().map_err(step("close what the server left open"))?;
    // Fails only for a process that leads a group already, and such a one has no terminal to lose.
    let _ = rustix::process::setsid();
    let (dir, boot) = instance(arguments)?;
    let mut record = ProcessRecord {
        boot_id: boot_id().map_err(step("read the machine's boot id"))?,
        supervisor: identity(std::process::id())?,
        init: None,
    };
    write(&dir, &record)?;
    let groups = InstanceGroups::of(&boot);
    groups.create(&boot);
    groups.join();
    leave_machine().map_err(step("make the instance's name spaces"))?;
    say(READY)?;
    if !told_to_go() {
        return Ok(0);
    }
    let mut init = start_init(&dir)?;
    record.init = Some(identity(init.id())?);
    write(&dir, &record)?;
    // The server may have died meanwhile; the next one finds the instance by its record.
    let _ = say(UP);
    let_go()?;
    let status = init.wait().map_err(step("wait for the init"))?;
    eprintln!("the instance's init ended: {status}");
    Ok(0)
}

/// The instance that the first argument names.
pub(super) fn instance(arguments: &[OsString]) -> Result<(InstanceDir, Boot), SandboxError> {
    let text = arguments.first().and_then(|path| path.to_str());
    let dir = InstanceDir::at(text.ok_or(io::ErrorKind::InvalidInput).map_err(step("run alone"))?);
    let boot = dir
        .boot()
        .map_err(|error| io::Error::other(error.to_string()))
        .and_then(|boot| boot.ok_or_else(|| io::ErrorKind::NotFound.into()))
        .map_err(step("read what to start"))?;
    Ok((dir, boot))
}

fn identity(pid: u32) -> Result<ProcessIdentity, SandboxError> {
    ProcessIdentity::of(pid).map_err(step(format!("look at process {pid}")))
}

fn write(dir: &InstanceDir, record: &ProcessRecord) -> Result<(), SandboxError> {
    dir.write_processes(record)
        .map_err(|error| io::Error::other(error.to_string()))
        .map_err(step("write down the instance's processes"))
}

fn told_to_go() -> bool {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).is_ok_and(|_| line.trim_end() == GO)
}

/// Starts process 1 of the instance and waits until it is up.
fn start_init(dir: &InstanceDir) -> Result<Child, SandboxError> {
    let mut command = Command::new("/proc/self/exe");
    command.arg(INIT).arg(dir.path()).env_clear().stdin(Stdio::null()).stdout(Stdio::piped());
    // Whoever kills the supervisor kills the instance with it.
    die_with_parent(&mut command);
    let mut init = command.spawn().map_err(step("start the init"))?;
    let output = init.stdout.take().expect("standard output was asked to be a pipe");
    for line in BufReader::new(output).lines() {
        let line = line.map_err(step("hear the init"))?;
        if line == UP {
            return Ok(init);
        }
        if let Some(reason) = line.strip_prefix(FAILED) {
            let reason = io::Error::other(reason.trim().to_owned());
            return Err(step("start the instance")(reason));
        }
    }
    let silent = io::Error::other("it ended without a word");
    Err(step("start the init")(silent))
}
