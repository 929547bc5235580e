//! The resident memory of processes.

use std::path::Path;

use anyhow::Context;

/// The resident memory of a process, in KiB.
pub fn resident_kib(pid: u32) -> anyhow::Result<u64> {
    status_kib(pid, "VmRSS:")
}

/// The most resident memory that a process has had, in KiB.
pub fn peak_kib(pid: u32) -> anyhow::Result<u64> {
    status_kib(pid, "VmHWM:")
}

fn status_kib(pid: u32, field: &str) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    status
        .lines()
        .find_map(|line| line.strip_prefix(field))
        .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .with_context(|| format!("process {pid} has no resident memory"))
}

/// The processes of this name (of which the kernel keeps 15 characters) that run in the instances of a data directory.
pub fn inside_instances(name: &str, data_dir: &Path) -> Vec<u32> {
    let kept = &name[..name.len().min(15)];
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .filter(|pid| {
            std::fs::read_to_string(format!("/proc/{pid}/comm"))
                .is_ok_and(|comm| comm.trim_end() == kept)
        })
        .filter(|pid| parent(*pid).is_some_and(|init| command_names(init, data_dir)))
        .collect()
}

fn parent(pid: u32) -> Option<u32> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse().ok()
}

/// Whether a process's command line names something in a directory. An instance's first process has its own there.
fn command_names(pid: u32, directory: &Path) -> bool {
    let wanted = directory.as_os_str().as_encoded_bytes();
    std::fs::read(format!("/proc/{pid}/cmdline"))
        .is_ok_and(|command| command.windows(wanted.len()).any(|part| part == wanted))
}

/// KiB as MiB.
pub fn shown(kib: u64) -> String {
    let tenths = (kib * 10).div_ceil(1024);
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_memory_is_known() {
        assert!(resident_kib(std::process::id()).is_ok_and(|kib| kib > 100));
    }

    #[test]
    fn mebibytes_are_rounded_up() {
        assert_eq!(shown(1024), "1.0 MiB");
        assert_eq!(shown(1025), "1.1 MiB");
    }
}
