//! Control groups: one per instance, in every hierarchy of the machine that has one of our controllers.
//!
//! They bound what an instance uses and make its end complete. Nothing here is needed for an instance to run, so
//! what a machine refuses is left out, silently but for the log.

use std::fs;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use crate::disk::Boot;

/// A mounted hierarchy of control groups.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Hierarchy {
    mount: Utf8PathBuf,
    version: Version,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    One { pids: bool, memory: bool },
    Two,
}

/// The hierarchies that an instance gets a group in.
fn hierarchies() -> Vec<Hierarchy> {
    parse_hierarchies(&fs::read_to_string("/proc/self/mountinfo").unwrap_or_default())
}

/// Reads `/proc/self/mountinfo`. Source: proc_pid_mountinfo(5).
fn parse_hierarchies(mountinfo: &str) -> Vec<Hierarchy> {
    let hierarchy = |line: &str| {
        let (before, after) = line.split_once(" - ")?;
        let mount = Utf8PathBuf::from(before.split(' ').nth(4)?);
        let mut after = after.split(' ');
        let version = match after.next()? {
            "cgroup2" => Version::Two,
            "cgroup" => {
                let options: Vec<_> = after.nth(1)?.split(',').collect();
                let (pids, memory) = (options.contains(&"pids"), options.contains(&"memory"));
                (pids || memory).then_some(Version::One { pids, memory })?
            }
            _ => return None,
        };
        Some(Hierarchy { mount, version })
    };
    mountinfo.lines().filter_map(hierarchy).collect()
}

/// The groups of one instance.
#[derive(Debug, Clone)]
pub(crate) struct InstanceGroups {
    parent: String,
    id: String,
}

impl InstanceGroups {
    pub fn of(boot: &Boot) -> Self {
        Self::new(&boot.cgroup_parent, &boot.id)
    }

    pub fn new(parent: &str, id: &str) -> Self {
        Self { parent: parent.to_owned(), id: id.to_owned() }
    }

    /// Makes the groups with their limits.
    pub fn create(&self, boot: &Boot) {
        for hierarchy in hierarchies() {
            let parent = hierarchy.mount.join(&self.parent);
            let group = parent.join(&self.id);
            if let Err(error) = fs::create_dir_all(&group) {
                eprintln!("no control group `{group}`: {error}");
                continue;
            }
            if hierarchy.version == Version::Two {
                for above in [&hierarchy.mount, &parent] {
                    // One by one: a hybrid machine has neither here, another may have only one.
                    put(&above.join("cgroup.subtree_control"), "+pids");
                    put(&above.join("cgroup.subtree_control"), "+memory");
                }
            }
            limit(&group, hierarchy.version, boot);
        }
    }

    /// Moves this process, and with it all children that it will have, into the groups.
    pub fn join(&self) {
        for group in self.paths() {
            put(&group.join("cgroup.procs"), "0");
        }
    }

    /// Kills whatever is in the groups, at once where the kernel can.
    pub fn kill(&self) {
        for group in self.paths() {
            put(&group.join("cgroup.kill"), "1");
        }
    }

    /// Whether any process is left in any of the groups.
    pub fn occupied(&self) -> bool {
        self.paths().iter().any(|group| {
            fs::read_to_string(group.join("cgroup.procs")).is_ok_and(|pids| !pids.trim().is_empty())
        })
    }

    /// Removes the groups. The kernel needs a moment after the last process until it lets them go.
    pub async fn remove(&self) {
        for group in self.paths() {
            remove_group(&group).await;
        }
    }

    fn paths(&self) -> Vec<Utf8PathBuf> {
        let path = |hierarchy: Hierarchy| hierarchy.mount.join(&self.parent).join(&self.id);
        hierarchies().into_iter().map(path).filter(|group| group.is_dir()).collect()
    }
}

/// The names of all groups below `parent`.
pub(crate) fn list(parent: &str) -> Vec<String> {
    let mut names: Vec<String> = hierarchies()
        .into_iter()
        .filter_map(|hierarchy| hierarchy.mount.join(parent).read_dir_utf8().ok())
        .flatten()
        .filter_map(|entry| {
            let entry = entry.ok()?;
            entry.file_type().ok()?.is_dir().then(|| entry.file_name().to_owned())
        })
        .collect();
    names.sort();
    names.dedup();
    names
}

/// Removes the group that held all instances' groups.
pub(crate) async fn remove_parent(parent: &str) {
    for hierarchy in hierarchies() {
        remove_group(&hierarchy.mount.join(parent)).await;
    }
}

async fn remove_group(group: &Utf8Path) {
    for _ in 0..100 {
        match fs::remove_dir(group) {
            Err(error) if error.kind() == std::io::ErrorKind::ResourceBusy => {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!(%group, %error, "control group not removed");
                return;
            }
            _ => return,
        }
    }
    tracing::warn!(%group, "control group not removed: still in use");
}

fn limit(group: &Utf8Path, version: Version, boot: &Boot) {
    let (pids, memory, memory_file) = match version {
        Version::One { pids, memory } => (pids, memory, "memory.limit_in_bytes"),
        Version::Two => (true, true, "memory.max"),
    };
    if let Some(processes) = boot.processes_max.filter(|_| pids) {
        put(&group.join("pids.max"), &processes.to_string());
    }
    if let Some(bytes) = boot.memory_bytes_max.filter(|_| memory) {
        put(&group.join(memory_file), &bytes.to_string());
    }
}

/// Writes to a control file that need not be there.
fn put(path: &Utf8Path, text: &str) {
    if path.exists() {
        // A refusal costs a limit, not the instance.
        let _ = fs::write(path, text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hybrid_and_unified_machines_are_told_apart() {
        let hybrid = "\
34 31 0:31 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
39 31 0:36 / /sys/fs/cgroup/pids rw,relatime shared:9 - cgroup cgroup rw,pids
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw";
        let found = parse_hierarchies(hybrid);
        assert_eq!(
            found.iter().map(|h| (h.mount.as_str(), h.version)).collect::<Vec<_>>(),
            [
                ("/sys/fs/cgroup/memory", Version::One { pids: false, memory: true }),
                ("/sys/fs/cgroup/pids", Version::One { pids: true, memory: false }),
                ("/sys/fs/cgroup/unified", Version::Two),
            ]
        );
        let unified = "25 22 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw,nsdelegate";
        assert_eq!(parse_hierarchies(unified).len(), 1);
        assert!(parse_hierarchies("22 27 0:21 / /proc rw - proc proc rw").is_empty());
    }
}
