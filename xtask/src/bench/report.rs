//! The table: printed, and kept in `docs/benchmarks.md`.

use std::fmt::Write;
use std::process::Command;

use anyhow::Context;

use crate::process::output;

/// One measurement.
pub struct Row {
    what: String,
    measured: String,
    compared: String,
    note: String,
}

impl Row {
    pub fn new(what: impl Into<String>, measured: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            measured: measured.into(),
            compared: String::new(),
            note: String::new(),
        }
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

/// What the document begins with.
const HEAD: &str = "# Benchmarks\n\nWritten by `cargo xtask bench` (release build). Clients and servers share the machine, \
                    over loopback.\n";

/// Prints a group's table, and writes it with machine and date to its place in the document.
pub fn publish(group: &str, rows: &[Row]) -> anyhow::Result<()> {
    print(rows);
    let path = crate::repository().join("docs/benchmarks.md");
    let before = std::fs::read_to_string(&path).unwrap_or_default();
    let text = with_section(&before, group, &format!("{}\n{}", machine()?, table(rows)));
    std::fs::write(&path, text).with_context(|| format!("{} cannot be written", path.display()))?;
    println!("written to {}", path.display());
    Ok(())
}

/// The document with this section in the place of the one that has its heading, or at the end.
fn with_section(document: &str, heading: &str, section: &str) -> String {
    let mut found = false;
    let mut text = HEAD.to_owned();
    for (other, content) in document.split("\n## ").skip(1).filter_map(|part| part.split_once('\n'))
    {
        let is_ours = other == heading;
        found |= is_ours;
        let content = if is_ours { section } else { content };
        let _ = write!(text, "\n## {other}\n\n{}\n", content.trim());
    }
    if !found {
        let _ = write!(text, "\n## {heading}\n\n{}\n", section.trim());
    }
    text
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

    #[test]
    fn a_section_replaces_its_own_and_no_other() {
        let one = with_section("", "A", "first");
        assert_eq!(one, format!("{HEAD}\n## A\n\nfirst\n"));
        let two = with_section(&one, "B", "second");
        let three = with_section(&two, "A", "third\n");
        assert_eq!(three, format!("{HEAD}\n## A\n\nthird\n\n## B\n\nsecond\n"));
    }
}
