//! Starting a script. With `keeper`, the place of this crate that needs `unsafe`: what runs between fork and exec.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use camino::Utf8Path;
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};

use super::cgroup::ControlGroup;
use super::keeper;
use crate::users::{self, User};

/// How to start a script.
pub(super) struct Start<'a> {
    pub path: &'a Utf8Path,
    /// Through `sudo`.
    pub sudo: bool,
    /// As this user.
    pub user: Option<&'a User>,
    /// The whole environment.
    pub variables: BTreeMap<OsString, OsString>,
    /// In this control group; without one, in the care of a keeper.
    pub group: Option<&'a ControlGroup>,
}

/// `ENOEXEC`: a script without a `#!` line.
const NO_INTERPRETER: i32 = 8;

/// Starts a script as leader of a process group of its own, its output in two pipes.
///
/// The path is an argument and never part of a shell's text, so that blanks and special characters in it mean nothing.
pub(super) fn spawn(start: &Start<'_>) -> io::Result<Child> {
    let direct =
        if start.sudo { &["sudo", start.path.as_str()][..] } else { &[start.path.as_str()][..] };
    match command(direct, start).spawn() {
        Err(error) if error.raw_os_error() == Some(NO_INTERPRETER) => {
            command(&["/bin/sh", start.path.as_str()], start).spawn()
        }
        result => result,
    }
}

fn command(words: &[&str], start: &Start<'_>) -> Command {
    let mut command = Command::new(words[0]);
    command
        .args(&words[1..])
        .env_clear()
        .envs(&start.variables)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    if start.group.is_none() {
        between(&mut command);
    }
    // Joined as the agent: the user may not.
    if let Some(door) = start.group.and_then(|group| group.door().ok()) {
        join(&mut command, door);
    }
    if let Some(user) = start.user {
        become_user(&mut command, user);
    }
    command
}

#[expect(unsafe_code, reason = "a keeper must be there before the script is")]
fn between(command: &mut Command) {
    // SAFETY: the closure runs in the forked child, which has this thread only; it makes system calls, and neither allocates
    // nor takes a lock.
    unsafe {
        command.pre_exec(keeper::stand_between);
    }
}

#[expect(
    unsafe_code,
    reason = "a process that joined later could have started others by then, which would stay outside"
)]
fn join(command: &mut Command, door: File) {
    let join = move || {
        // Outside of the group the script is still followed by its process group.
        let _ = rustix::io::write(&door, b"0");
        Ok(())
    };
    // SAFETY: the closure runs in the forked child, which has this thread only; it makes one system call on a descriptor
    // opened before the fork, and neither allocates nor takes a lock.
    unsafe {
        command.pre_exec(join);
    }
}

#[expect(
    unsafe_code,
    reason = "switching user needs the supplementary groups set between fork and exec"
)]
fn become_user(command: &mut Command, user: &User) {
    let uid = rustix::process::Uid::from_raw(user.uid);
    let gid = rustix::process::Gid::from_raw(user.gid);
    let groups: Vec<_> =
        users::groups_of(user).into_iter().map(rustix::process::Gid::from_raw).collect();
    let switch = move || {
        set_thread_groups(&groups)?;
        set_thread_res_gid(gid, gid, gid)?;
        set_thread_res_uid(uid, uid, uid)?;
        Ok(())
    };
    // SAFETY: the closure runs in the forked child, which has this thread only; it makes three system calls on values
    // made before the fork, and neither allocates nor takes a lock.
    unsafe {
        command.pre_exec(switch);
    }
}
