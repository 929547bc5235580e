//! The resident memory of processes.

use anyhow::Context;

/// The resident memory of a process, in KiB.
pub fn resident_kib(pid: u32) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .with_context(|| format!("process {pid} has no resident memory"))
}

/// The processes of this name (at most 15 characters of it are compared, as the kernel keeps no more).
pub fn named(name: &str) -> Vec<u32> {
    let kept = &name[..name.len().min(15)];
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .filter(|pid| {
            std::fs::read_to_string(format!("/proc/{pid}/comm"))
                .is_ok_and(|comm| comm.trim_end() == kept)
        })
        .collect()
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
