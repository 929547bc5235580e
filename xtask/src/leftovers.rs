//! What an earlier run may have left when it was killed: found, ended, removed; and the proof that nothing is left.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::Signal;

use crate::process::output;
use crate::serving::{Serving, signal};

const END_SECONDS_MAX: u64 = 30;

/// Ends and removes what an earlier run left under `home`, a folder that holds the data directory `data` of one server.
///
/// A server that still runs there is asked to stop. One that was killed has left instances: a new one adopts them,
/// and takes them along when it stops.
pub fn clear(program: &Path, home: &Path) -> anyhow::Result<()> {
    if !home.exists() {
        return Ok(());
    }
    println!("    removing what an earlier run left in {}", home.display());
    let data = home.join("data");
    for pid in servers_of(&data) {
        signal(pid, Signal::TERM);
        wait_for_end(pid)?;
    }
    if !processes_of(home).is_empty() || !mounts_below(home)?.is_empty() {
        Serving::start(program, "dev", &data)?.stop()?;
    }
    // The small disk of a test that was killed. The innermost mount comes last.
    for mount in mounts_below(home)?.iter().rev() {
        output(Command::new("umount").arg(mount))?;
    }
    std::fs::remove_dir_all(home).with_context(|| format!("{} cannot be removed", home.display()))
}

/// Clears every folder below `parent` whose owner is gone.
///
/// Whoever makes such a folder writes the number of its process into the file `owner` there, so that two runs at the
/// same time leave each other alone.
pub fn clear_all(program: &Path, parent: &Path) -> anyhow::Result<()> {
    let Ok(entries) = std::fs::read_dir(parent) else { return Ok(()) };
    for entry in entries {
        let home = entry?.path();
        let owner = std::fs::read_to_string(home.join("owner")).unwrap_or_default();
        if owner.is_empty() || !Path::new("/proc").join(owner.trim()).exists() {
            clear(program, &home)?;
        }
    }
    Ok(())
}

/// The network links of the machine.
pub fn links() -> anyhow::Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir("/sys/class/net")? {
        found.insert(entry?.file_name().to_string_lossy().into_owned());
    }
    Ok(found)
}

/// The tags of the bridges that came since `before` was taken: every link of a server's instances has its tag in its name.
pub fn bridge_tags_since(before: &BTreeSet<String>) -> anyhow::Result<Vec<String>> {
    let now = links()?;
    Ok(now
        .difference(before)
        .filter_map(|link| link.strip_prefix("lsb-"))
        .map(String::from)
        .collect())
}

/// Fails, naming it, when a process or a mount is left that belongs to a folder whose path begins with `home`, or a
/// network link with one of these tags.
pub fn assert_none(home: &Path, bridge_tags: &[String]) -> anyhow::Result<()> {
    let mut left = Vec::new();
    left.extend(processes_of(home).into_iter().map(|pid| format!("process {pid}")));
    left.extend(mounts_below(home)?.into_iter().map(|mount| format!("mount {}", mount.display())));
    let has_tag = |link: &String| bridge_tags.iter().any(|tag| link.contains(tag));
    left.extend(links()?.into_iter().filter(has_tag).map(|link| format!("network link {link}")));
    if !left.is_empty() {
        bail!("left behind: {}", left.join(", "));
    }
    Ok(())
}

/// The servers that have this data directory.
fn servers_of(data: &Path) -> Vec<u32> {
    processes_of(data)
        .into_iter()
        .filter(|pid| {
            let command = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            command.split(|byte| *byte == 0).any(|word| word == b"--data-dir")
        })
        .collect()
}

/// The processes whose command line names this folder, or something in it.
fn processes_of(folder: &Path) -> Vec<u32> {
    let wanted = folder.as_os_str().as_encoded_bytes();
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .filter(|pid| *pid != std::process::id())
        .filter(|pid| {
            let command = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            command.windows(wanted.len()).any(|part| part == wanted)
        })
        .collect()
}

fn mounts_below(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let table = std::fs::read_to_string("/proc/self/mounts").context("/proc/self/mounts")?;
    Ok(table
        .lines()
        .filter_map(|line| line.split(' ').nth(1))
        .filter(|mount| mount.as_bytes().starts_with(folder.as_os_str().as_encoded_bytes()))
        .map(PathBuf::from)
        .collect())
}

fn wait_for_end(pid: u32) -> anyhow::Result<()> {
    let begun = Instant::now();
    while Path::new(&format!("/proc/{pid}")).exists() {
        if begun.elapsed().as_secs() > END_SECONDS_MAX {
            bail!("process {pid} of an earlier run does not end within {END_SECONDS_MAX} s");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}
