//! The table: printed, and kept in `docs/benchmarks.md`.

use std::fmt::Write;
use std::process::Command;

use anyhow::Context;

use crate::process::output;

/// One measurement.
pub struct Row {
    what: &'static str,
    measured: String,
    compared: String,
    note: String,
}

impl Row {
    pub fn new(what: &'static str, measured: impl Into<String>) -> Self {
        Self { what, measured: measured.into(), compared: String::new(), note: String::new() }
    }

    /// What we want it to be.
    pub fn aim(self, aim: &str) -> Self {
        Self { compared: format!("aim {aim}"), ..self }
    }

    /// What something else achieves.
    pub fn beside(self, compared: impl Into<String>) -> Self {
        Self { compared: compared.into(), ..self }
    }

    /// The conditions.
    pub fn note(self, note: impl Into<String>) -> Self {
        Self { note: note.into(), ..self }
    }
}

/// Prints the table.
pub fn print(rows: &[Row]) {
    println!("\n{}", table(rows));
}

/// Prints the table, and writes it with machine and date.
pub fn publish(rows: &[Row]) -> anyhow::Result<()> {
    let table = table(rows);
    println!("\n{table}");
    let path = crate::repository().join("docs/benchmarks.md");
    let text = format!(
        "# Benchmarks\n\nWritten by `cargo xtask bench` (release build). Clients and servers share the machine, over \
         loopback.\n\n{}\n{table}",
        machine()?
    );
    std::fs::write(&path, text).with_context(|| format!("{} cannot be written", path.display()))?;
    println!("written to {}", path.display());
    Ok(())
}

fn table(rows: &[Row]) -> String {
    let mut table = String::from(
        "| what | measured | compared with | conditions |\n| --- | --- | --- | --- |\n",
    );
    for Row { what, measured, compared, note } in rows {
        let _ = writeln!(table, "| {what} | {measured} | {compared} | {note} |");
    }
    table
}

fn machine() -> anyhow::Result<String> {
    let cpus = std::fs::read_to_string("/proc/cpuinfo")?;
    let model = cpus
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("unknown", |(_, name)| name);
    let memory = std::fs::read_to_string("/proc/meminfo")?;
    let kib: u64 = memory
        .split_whitespace()
        .nth(1)
        .and_then(|word| word.parse().ok())
        .context("/proc/meminfo has no total")?;
    Ok(format!(
        "- date: {}\n- machine: {} × {model}, {} GiB memory, Linux {}\n- commit: {}\n",
        output(Command::new("date").args(["--utc", "+%F"]))?.trim(),
        std::thread::available_parallelism()?,
        kib.div_ceil(1024 * 1024),
        std::fs::read_to_string("/proc/sys/kernel/osrelease")?.trim(),
        output(
            Command::new("git")
                .args(["describe", "--always", "--dirty"])
                .current_dir(crate::repository())
        )?
        .trim(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_four_columns() {
        let rows =
            [Row::new("start", "5 ms").aim("≤ 10 ms").note("median"), Row::new("size", "1 MiB")];
        assert_eq!(table(&rows).lines().nth(2), Some("| start | 5 ms | aim ≤ 10 ms | median |"));
        assert_eq!(table(&rows).lines().nth(3), Some("| size | 1 MiB |  |  |"));
    }
}
