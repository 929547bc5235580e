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
use crate::gate::{Call, Gate};

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
    /// Whether the disk may still have the old file under its name.
    renamed: bool,
    gate: Gate,
}

impl Journal {
    /// Opens the journal in `directory` and forgets what was reported long before `now`.
    ///
    /// # Errors
    /// The directory or the file cannot be read or written.
    pub fn open(directory: &Utf8Path, now: i64) -> io::Result<Self> {
        Self::open_at(Gate::default(), directory, now)
    }

    fn open_at(gate: Gate, directory: &Utf8Path, now: i64) -> io::Result<Self> {
        // Only the journal's own directory is closed: users that hooks run as must get through those above.
        gate.attempt(Call::MakeDirectory, || {
            directory.parent().map_or(Ok(()), fs::create_dir_all)?;
            fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)
        })?;
        let path = directory.join("commands.jsonl");
        let text = match gate.attempt(Call::Read, || fs::read(&path)) {
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
        entries.retain(|_, entry| is_needed(entry, now));
        let file = rewrite(&gate, &path, &entries)?;
        sync_directory(&gate, directory)?;
        let lines = entries.len();
        Ok(Self { path, file, entries, lines, torn: false, renamed: false, gate })
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
        write(&self.gate, &mut self.file, &line)?;
        // That the service knows is noted for convenience: losing it means reporting once more, which changes nothing.
        if !matches!(entry.stage, Stage::Sent(_)) {
            let done = self.gate.attempt(Call::Sync, || self.file.sync_data());
            let done = done.and_then(|()| self.settle_name());
            let settled = done.is_ok() && !self.renamed;
            self.gate.settled(self.path.as_std_path(), settled, || {
                let text = fs::read(&self.path).ok()?;
                Some(text[..text.len() - line.len()].to_vec())
            });
            done?;
        }
        self.torn = false;
        let now = entry.at;
        self.entries.insert(entry.command.clone(), entry);
        self.lines += 1;
        if self.lines > LINES_MAX {
            self.shorten(now);
        }
        Ok(())
    }

    /// Writes the file anew without what is no longer needed. A disk that has no room for that now may have it later: what was
    /// noted is noted.
    fn shorten(&mut self, now: i64) {
        self.entries.retain(|_, entry| is_needed(entry, now));
        let done = rewrite(&self.gate, &self.path, &self.entries).and_then(|file| {
            self.file = file;
            self.renamed = true;
            let done = self.settle_name();
            let text = || fs::read(&self.path).ok();
            self.gate.settled(self.path.as_std_path(), done.is_ok(), text);
            done
        });
        if let Err(error) = done {
            tracing::warn!(%error, path = %self.path, "the journal could not be shortened");
        }
        // Where most of it is needed, the next time is further off.
        self.lines = self.entries.len().min(LINES_MAX / 2);
    }

    /// Waits until the disk has the new file under its name: before that, what is noted in it could be lost with it.
    fn settle_name(&mut self) -> io::Result<()> {
        if self.renamed {
            sync_directory(&self.gate, self.path.parent().unwrap_or(Utf8Path::new("/")))?;
            self.renamed = false;
        }
        Ok(())
    }
}

fn is_needed(entry: &Entry, now: i64) -> bool {
    !matches!(entry.stage, Stage::Sent(_)) || now - entry.at < REMEMBERED_MILLIS
}

fn rewrite(gate: &Gate, path: &Utf8Path, entries: &BTreeMap<String, Entry>) -> io::Result<File> {
    let draft = Utf8PathBuf::from(format!("{path}.new"));
    let mut options = OpenOptions::new();
    options.create(true).write(true).truncate(true).mode(0o600);
    let mut file = gate.attempt(Call::Open, || options.open(&draft))?;
    for entry in entries.values() {
        let mut line = serde_json::to_vec(entry).map_err(io::Error::other)?;
        line.push(b'\n');
        write(gate, &mut file, &line)?;
    }
    gate.attempt(Call::Sync, || file.sync_all())?;
    gate.attempt(Call::Rename, || fs::rename(&draft, path))?;
    Ok(file)
}

fn write(gate: &Gate, file: &mut File, line: &[u8]) -> io::Result<()> {
    // What fails in the middle leaves a part behind.
    gate.permit(Call::Write).inspect_err(|_| drop(file.write_all(&line[..line.len() / 2])))?;
    file.write_all(line)
}

fn sync_directory(gate: &Gate, directory: &Utf8Path) -> io::Result<()> {
    gate.attempt(Call::Sync, || File::open(directory)?.sync_all())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::faults::{Fault, Lasting};

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

    /// A command's notes in their order.
    fn notes(command: &str) -> [Entry; 4] {
        let report = Report::success();
        let stages = [
            Stage::Received,
            Stage::Started,
            Stage::Completed(report.clone()),
            Stage::Sent(Some(report)),
        ];
        stages.map(|stage| entry(command, stage, 1))
    }

    /// How far a note says that its command is; what is not noted is at the beginning.
    fn rank(entry: Option<&Entry>) -> usize {
        entry.map_or(0, |entry| {
            1 + notes(&entry.command).iter().position(|note| note.stage == entry.stage).unwrap()
        })
    }

    /// An agent with a journal that meets faults: it makes its notes one after the other, and does nothing that it could not
    /// note. Whatever it did is known to its next life.
    fn live(faults: &[Fault], lines: usize) -> Vec<Call> {
        let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let directory = Utf8Path::from_path(dir.path()).unwrap().join("journal");
        let journal = Journal::open_at(Gate::with(faults), &directory, 0);
        let mut known = BTreeMap::new();
        let mut calls = Vec::new();
        if let Ok(mut journal) = journal {
            journal.lines += lines;
            for command in ["1", "2", "3"] {
                for note in notes(command) {
                    let noted = journal.record(note.clone());
                    let rank = rank(Some(&note));
                    match noted {
                        // Losing that the service knows means telling it once more.
                        Ok(()) if note == notes(command)[3] => None,
                        Ok(()) => known.insert(command, rank),
                        // What it announces does not happen; that an event is over is told without a note.
                        Err(_) if rank < 3 => break,
                        Err(_) => None,
                    };
                    assert_eq!(
                        journal.get(command).map_or(0, |it| self::rank(Some(it))) >= rank,
                        noted.is_ok()
                    );
                }
            }
            calls = journal.gate.calls();
            // What the disk was not known to have is gone with the power.
            journal.gate.cut_power();
        }
        let next = Journal::open(&directory, 2).unwrap();
        for (command, at_least) in known {
            assert!(rank(next.get(command)) >= at_least, "{command} after {faults:?}: {next:?}");
        }
        drop(next);
        // And it can be written to.
        let mut next = Journal::open(&directory, 3).unwrap();
        next.record(entry("4", Stage::Started, 3)).unwrap();
        drop(next);
        assert_eq!(rank(Journal::open(&directory, 4).unwrap().get("4")), 2);
        calls
    }

    #[test]
    fn whatever_call_fails_nothing_that_was_noted_is_forgotten() {
        // With the file being written anew in the middle, or not.
        for lines in [0, LINES_MAX - 4] {
            let calls = live(&[], lines);
            assert_eq!(lines > 0, calls[6..].contains(&Call::Rename));
            assert!(calls.windows(2).all(|two| two[0] != Call::Rename || two[1] == Call::Sync));
            for (after, call) in calls.iter().enumerate() {
                for error in call.errors() {
                    for lasting in [Lasting::Once, Lasting::Alike, Lasting::Dead] {
                        live(&[Fault { after, error: *error, lasting }], lines);
                    }
                }
            }
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
