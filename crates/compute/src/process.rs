//! Processes known by more than their number, so that a number given anew is never mistaken for an instance.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde::{Deserialize, Serialize};
use tokio::io::unix::AsyncFd;

use crate::ComputeError;
use crate::namespaces::until_readable;

/// A process: its number and when it started, which together are unique while the machine is up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProcessIdentity {
    pub pid: u32,
    /// Clock ticks from the machine's start to the process's.
    pub started: u64,
}

impl ProcessIdentity {
    /// The identity of the running process `pid`.
    pub fn of(pid: u32) -> io::Result<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        let started = start_time(&stat).ok_or(io::ErrorKind::InvalidData)?;
        Ok(Self { pid, started })
    }

    /// A handle on the process; none if it is gone.
    pub fn open(self) -> Option<OwnedFd> {
        let pid = Pid::from_raw(i32::try_from(self.pid).ok()?)?;
        let handle = pidfd_open(pid, PidfdFlags::NONBLOCK).ok()?;
        // Looked at *after* the handle was opened: from here on it cannot come to mean another process.
        (Self::of(self.pid).ok()? == self).then_some(handle)
    }
}

/// Field 22 of `/proc/PID/stat`. The second field, the program's name, may itself hold blanks and parentheses.
fn start_time(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_whitespace().nth(19)?.parse().ok()
}

/// This start of the machine; process identities of another one mean nothing.
pub(crate) fn boot_id() -> io::Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned())
}

/// A process that is watched for its end.
#[derive(Debug)]
pub(crate) struct WatchedProcess {
    pid: u32,
    handle: AsyncFd<OwnedFd>,
}

impl WatchedProcess {
    /// Begins to watch; none if the process is gone.
    pub fn watch(identity: ProcessIdentity) -> Result<Option<Self>, ComputeError> {
        let Some(handle) = identity.open() else { return Ok(None) };
        let handle = until_readable(handle).map_err(|source| ComputeError::Process {
            verb: "watch",
            pid: identity.pid,
            source,
        })?;
        Ok(Some(Self { pid: identity.pid, handle }))
    }

    /// The process's number.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Comes back when the process has ended.
    pub async fn ended(&self) {
        // Fails only when the runtime shuts down, and then nobody waits any more.
        let _ = self.handle.readable().await;
    }

    /// Sends a signal; a process that is gone already has what it needs.
    pub fn signal(&self, signal: Signal) -> Result<(), ComputeError> {
        match pidfd_send_signal(self.handle.get_ref(), signal) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
            Err(errno) => {
                Err(ComputeError::Process { verb: "signal", pid: self.pid, source: errno.into() })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_time_is_found_behind_any_program_name() {
        let tail = "S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20 21";
        assert_eq!(start_time(&format!("42 (sh) {tail}")), Some(4711));
        assert_eq!(start_time(&format!("42 (a ) b (c) {tail}")), Some(4711));
        assert_eq!(start_time("42 (sh) S 1 2"), None);
    }

    #[test]
    fn another_start_time_is_another_process() {
        let me = ProcessIdentity::of(std::process::id()).unwrap();
        assert!(me.open().is_some());
        let earlier = ProcessIdentity { started: me.started.wrapping_sub(1), ..me };
        assert!(earlier.open().is_none());
    }
}
