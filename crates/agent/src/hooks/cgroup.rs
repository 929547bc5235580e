//! A control group (cgroup v2) for each script: whatever it starts is in it, even what moved to another session and lost its
//! parents, and can be ended with it.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, Signal, kill_process};

/// Where the kernel's control groups are, on hosts with version 2 only and on those with both.
const MOUNTS: [&str; 2] = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];
const PREFIX: &str = "longshore-hook-";
/// Ends every process of a group at once; kernels from 5.14 on.
const KILL: &str = "cgroup.kill";
const PROCESSES: &str = "cgroup.procs";
/// A group that goes on making processes is signalled this often where the kernel cannot end it at once.
const KILL_ROUNDS: u32 = 20;

/// A script's control group.
#[derive(Debug)]
pub(super) struct ControlGroup {
    path: PathBuf,
}

impl ControlGroup {
    /// A new group below the agent's own, where there are control groups and the agent may make some. Else scripts are followed
    /// by their process group and parents.
    pub(super) fn new() -> Option<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let parent = own()?;
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = parent.join(format!("{PREFIX}{}-{number}", std::process::id()));
        let mut in_use = in_use();
        remove_empty(&parent, &in_use);
        fs::create_dir(&path).ok()?;
        in_use.insert(path.clone());
        Some(Self { path })
    }

    /// The file through which a process joins by writing `0`.
    pub(super) fn door(&self) -> io::Result<File> {
        OpenOptions::new().write(true).open(self.path.join(PROCESSES))
    }

    /// Sends a signal to every process of the group.
    pub(super) fn signal(&self, signal: Signal) {
        for process in processes(&self.path) {
            // Whoever is gone already cannot be signalled, and need not be.
            let _ = kill_process(process, signal);
        }
    }

    /// Ends every process of the group for good.
    pub(super) fn kill(&self) {
        if fs::write(self.path.join(KILL), "1").is_ok() {
            return;
        }
        for _ in 0..KILL_ROUNDS {
            if processes(&self.path).is_empty() {
                return;
            }
            self.signal(Signal::KILL);
        }
    }
}

impl Drop for ControlGroup {
    fn drop(&mut self) {
        // A daemon that the script left keeps its group until it ends; the next script's removes it then.
        let _ = fs::remove_dir(&self.path);
        in_use().remove(&self.path);
    }
}

/// The groups whose scripts run, or are about to: one of them may be empty for now.
fn in_use() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    static IN_USE: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    IN_USE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The agent's own group.
fn own() -> Option<PathBuf> {
    let mount = MOUNTS.iter().map(Path::new).find(|mount| mount.join(PROCESSES).exists())?;
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let relative = groups.lines().find_map(|line| line.strip_prefix("0::/"))?;
    // A group outside of our view of them: no place for ours.
    if relative.split('/').any(|part| part == "..") {
        return None;
    }
    let own = mount.join(relative);
    own.join(PROCESSES).exists().then_some(own)
}

/// Removes groups whose last process is gone: their scripts left daemons, or their agent was killed.
fn remove_empty(parent: &Path, in_use: &BTreeSet<PathBuf>) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let (name, path) = (entry.file_name(), entry.path());
        let is_ours = name.to_str().is_some_and(|name| name.starts_with(PREFIX));
        // The kernel refuses where a process is left.
        if is_ours && !in_use.contains(&path) {
            let _ = fs::remove_dir(path);
        }
    }
}

fn processes(group: &Path) -> Vec<Pid> {
    let text = fs::read_to_string(group.join(PROCESSES)).unwrap_or_default();
    text.lines().filter_map(|line| Pid::from_raw(line.parse().ok()?)).collect()
}
