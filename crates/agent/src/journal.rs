//! The journal of host commands: what was received, begun, finished and reported, so that after a kill at any moment
//! nothing is run twice and nothing stays unreported.
//!
//! One file of JSON lines; the last line of a command counts. A line is on the disk before what it announces happens.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use crate::diagnostics::Report;

/// How long a reported command is remembered, in case it comes once more.
const REMEMBERED_MILLIS: i64 = 24 * 3600 * 1000;
/// Lines after which the file is written anew, without what is no longer needed.
const LINES_MAX: usize = 2000;

/// How far a command has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// Nothing of it was run. It may have been acknowledged or not.
    Received,
    /// It runs, or was cut short.
    Started,
    /// It is over, and the service does not know yet.
    Completed(Report),
    /// It is over, and the service knows; with nothing to report where the service had said that it was over.
    Sent(Option<Report>),
}

/// What the journal knows of a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The command's identifier.
    pub command: String,
    /// The deployment it belongs to, as the service names it.
    pub execution: String,
    /// The lifecycle event.
    pub event: String,
    /// How far it has come.
    pub stage: Stage,
    /// When that was, in milliseconds since the epoch.
    pub at: i64,
}

/// The journal, open.
#[derive(Debug)]
pub struct Journal {
    path: Utf8PathBuf,
    file: File,
    entries: BTreeMap<String, Entry>,
    lines: usize,
    /// Whether the file may end in a part of a line, because the disk was full.
    torn: bool,
}

impl Journal {
    /// Opens the journal in `directory` and forgets what was reported long before `now`.
    ///
    /// # Errors
    /// The directory or the file cannot be read or written.
    pub fn open(directory: &Utf8Path, now: i64) -> io::Result<Self> {
        // Only the journal's own directory is closed: users that hooks run as must get through those above.
        if let Some(above) = directory.parent() {
            fs::create_dir_all(above)?;
        }
        fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        let path = directory.join("commands.jsonl");
        let text = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            other => other?,
        };
        let mut entries = BTreeMap::new();
        // A last line that was cut off announced something that did not happen.
        for line in text.split(|byte| *byte == b'\n') {
            if let Ok(entry) = serde_json::from_slice::<Entry>(line) {
                entries.insert(entry.command.clone(), entry);
            }
        }
        entries.retain(|_, entry| {
            !matches!(entry.stage, Stage::Sent(_)) || now - entry.at < REMEMBERED_MILLIS
        });
        let file = rewrite(&path, &entries)?;
        let lines = entries.len();
        Ok(Self { path, file, entries, lines, torn: false })
    }

    /// What is known of a command.
    pub fn get(&self, command: &str) -> Option<&Entry> {
        self.entries.get(command)
    }

    /// Commands that the service still has to hear of.
    pub fn unfinished(&self) -> Vec<Entry> {
        let open = |entry: &&Entry| !matches!(entry.stage, Stage::Sent(_));
        self.entries.values().filter(open).cloned().collect()
    }

    /// Notes how far a command has come; on the disk when this returns.
    ///
    /// # Errors
    /// It cannot be written: what it announces must not happen.
    pub fn record(&mut self, entry: Entry) -> io::Result<()> {
        let mut line = serde_json::to_vec(&entry).map_err(io::Error::other)?;
        line.push(b'\n');
        if self.torn {
            // Or this line would be read as the rest of the one that was cut off, and be lost with it.
            line.insert(0, b'\n');
        }
        self.torn = true;
        self.file.write_all(&line)?;
        self.torn = false;
        // That the service knows is noted for convenience: losing it means reporting once more, which changes nothing.
        if !matches!(entry.stage, Stage::Sent(_)) {
            self.file.sync_data()?;
        }
        let now = entry.at;
        self.entries.insert(entry.command.clone(), entry);
        self.lines += 1;
        if self.lines > LINES_MAX {
            self.entries.retain(|_, entry| {
                !matches!(entry.stage, Stage::Sent(_)) || now - entry.at < REMEMBERED_MILLIS
            });
            self.file = rewrite(&self.path, &self.entries)?;
            // Where most of it is needed, the next time is further off.
            self.lines = self.entries.len().min(LINES_MAX / 2);
        }
        Ok(())
    }
}

fn rewrite(path: &Utf8Path, entries: &BTreeMap<String, Entry>) -> io::Result<File> {
    let draft = Utf8PathBuf::from(format!("{path}.new"));
    let mut file =
        OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&draft)?;
    for entry in entries.values() {
        let mut line = serde_json::to_vec(entry).map_err(io::Error::other)?;
        line.push(b'\n');
        file.write_all(&line)?;
    }
    file.sync_all()?;
    fs::rename(&draft, path)?;
    if let Some(parent) = path.parent() {
        File::open(parent)?.sync_all()?;
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(command: &str, stage: Stage, at: i64) -> Entry {
        let (command, event) = (command.to_owned(), "Install".to_owned());
        Entry { command, execution: "a/b/c/d".to_owned(), event, stage, at }
    }

    #[test]
    fn what_was_noted_is_there_after_a_kill_and_a_torn_line_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let directory = Utf8Path::from_path(dir.path()).unwrap().join("journal");
        let mut journal = Journal::open(&directory, 0).unwrap();
        journal.record(entry("1", Stage::Received, 1)).unwrap();
        journal.record(entry("1", Stage::Started, 2)).unwrap();
        journal.record(entry("2", Stage::Completed(Report::success()), 3)).unwrap();
        journal.record(entry("3", Stage::Sent(Some(Report::success())), 4)).unwrap();
        drop(journal);
        let path = directory.join("commands.jsonl");
        let mut text = fs::read(&path).unwrap();
        text.extend_from_slice(br#"{"command":"2","execution":"#);
        fs::write(&path, text).unwrap();
        let journal = Journal::open(&directory, 5).unwrap();
        assert_eq!(journal.get("1").unwrap().stage, Stage::Started);
        assert_eq!(journal.get("2").unwrap().stage, Stage::Completed(Report::success()));
        assert_eq!(journal.unfinished().len(), 2);
        let later = Journal::open(&directory, 4 + REMEMBERED_MILLIS).unwrap();
        assert_eq!(later.get("3"), None);
        assert_eq!(later.unfinished().len(), 2, "what is not reported is never forgotten");
    }

    #[test]
    fn after_a_full_disk_the_next_note_is_readable() {
        let dir = tempfile::tempdir().unwrap();
        let small = Utf8Path::from_path(dir.path()).unwrap();
        let mount = ["-t", "tmpfs", "-o", "size=8k", "tmpfs", small.as_str()];
        let mounted = std::process::Command::new("mount").args(mount).status();
        if !mounted.is_ok_and(|status| status.success()) {
            println!("skipped: mounting a small file system needs root");
            return;
        }
        let _unmount = Unmount(small);
        let mut journal = Journal::open(&small.join("journal"), 0).unwrap();
        let long = "x".repeat(20_000);
        journal.record(entry(&long, Stage::Started, 1)).unwrap_err();
        // Somebody makes room.
        let mount = ["-o", "remount,size=64k", small.as_str()];
        assert!(std::process::Command::new("mount").args(mount).status().unwrap().success());
        journal.record(entry("2", Stage::Started, 2)).unwrap();
        journal.record(entry("3", Stage::Started, 2)).unwrap();
        drop(journal);
        let journal = Journal::open(&small.join("journal"), 3).unwrap();
        assert_eq!(journal.unfinished().len(), 2);
    }

    struct Unmount<'a>(&'a Utf8Path);

    impl Drop for Unmount<'_> {
        fn drop(&mut self) {
            let _ = std::process::Command::new("umount").arg(self.0).status();
        }
    }

    #[test]
    fn the_file_does_not_grow_for_ever() {
        let dir = tempfile::tempdir().unwrap();
        let directory = Utf8Path::from_path(dir.path()).unwrap();
        let mut journal = Journal::open(directory, 0).unwrap();
        for number in 0..LINES_MAX + 10 {
            let old =
                entry(&number.to_string(), Stage::Sent(None), number as i64 * REMEMBERED_MILLIS);
            journal.record(old).unwrap();
        }
        let lines = fs::read_to_string(directory.join("commands.jsonl")).unwrap().lines().count();
        assert!(lines < 20, "{lines}");
    }
}
