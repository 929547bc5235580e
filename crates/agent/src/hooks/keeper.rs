//! A process between the agent and a script, where there are no control groups: whatever the script leaves without parents
//! falls to it, even in another session, and so can be found and ended with the script.
//!
//! It is forked on the way to the script and never becomes another program: it waits for the script and ends as that did. What
//! is left then falls to the next such process above, or to init, and lives on.

use std::io;

use rustix::process::{
    Pid, Resource, Signal, WaitOptions, getpid, getrlimit, kill_process, set_child_subreaper,
    setpgid, wait,
};

/// Where the descriptors end that are closed, at the latest: more are never open, and looking takes time.
const DESCRIPTORS_MAX: u64 = 65_536;

/// Puts a keeper between the caller, which is on its way to become a script, and its parent. Returns in the process that
/// becomes the script.
///
/// To be called between fork and exec: it neither allocates nor takes a lock.
///
/// # Errors
/// There can be no further process.
#[expect(unsafe_code, reason = "whoever keeps a script must be its parent, and forks it")]
pub(super) fn stand_between() -> io::Result<()> {
    set_child_subreaper(Some(getpid()))?;
    // SAFETY: the caller has just been forked, has one thread, and holds no lock; both sides go on with system calls only.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        // A group of its own, as without a keeper.
        0 => Ok(setpgid(None, None)?),
        script => keep(Pid::from_raw(script)),
    }
}

/// Waits for the script, and for all that falls to this process meanwhile, and ends as the script did.
fn keep(script: Option<Pid>) -> ! {
    // Pipes, locks and sockets of the agent's are not to be held open.
    close_all();
    loop {
        match wait(WaitOptions::empty()) {
            Ok(Some((ended, status))) if Some(ended) == script => match status.exit_status() {
                Some(code) => exit(code),
                None => {
                    // By a signal: which one does not matter to anybody.
                    let _ = kill_process(getpid(), Signal::KILL);
                    exit(1)
                }
            },
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => exit(1),
        }
    }
}

#[expect(unsafe_code, reason = "descriptors that nobody here owns are closed")]
fn close_all() {
    let most = getrlimit(Resource::Nofile).current.unwrap_or(DESCRIPTORS_MAX).min(DESCRIPTORS_MAX);
    for descriptor in 0..i32::try_from(most).unwrap_or(i32::MAX) {
        // Most of them are not open; that is no error here.
        // SAFETY: this process goes on without any descriptor, until it ends.
        unsafe { libc::close(descriptor) };
    }
}

#[expect(unsafe_code, reason = "what is to happen at the agent's end must not happen here")]
fn exit(code: i32) -> ! {
    // SAFETY: ends this process without running anything else.
    unsafe { libc::_exit(code) }
}
