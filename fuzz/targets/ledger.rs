//! Any bytes as the files that the agent keeps: a list of what is installed, its record, the journal of a switch, the journal
//! of commands. After a crash they may hold anything.
//!
//! The first byte says which file the rest is taken for.
#![no_main]

use std::fs;

use agent::fuzzing::journal_rewritten;
use agent::install::{LedgerFiles, Previous};
use agent::journal::Journal;
use camino::{Utf8Path, Utf8PathBuf};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((which, bytes)) = input.split_first() else { return };
    let directory = tempfile::tempdir().unwrap();
    let directory = Utf8Path::from_path(directory.path()).unwrap();
    match which % 3 {
        0 => switch(&directory.join("g.switch"), bytes),
        1 => installed(directory, bytes),
        _ => commands(directory, bytes),
    }
});

/// What was understood of a journal is understood the same when it is written anew.
fn switch(path: &Utf8Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
    if let Ok(Some(once)) = journal_rewritten(path) {
        fs::write(path, &once).unwrap();
        assert_eq!(journal_rewritten(path).unwrap().as_ref(), Some(&once));
    }
}

/// The list and its record, one after the other. They are read and compared with the disk; nothing is taken away.
fn installed(directory: &Utf8Path, bytes: &[u8]) {
    let at = bytes.iter().position(|byte| *byte == 0xff).unwrap_or(bytes.len());
    let cleanup: Utf8PathBuf = directory.join("g-cleanup");
    fs::write(&cleanup, &bytes[..at]).unwrap();
    let mut record = format!("{:016x}\n", fnv(&bytes[..at])).into_bytes();
    record.extend_from_slice(bytes.get(at + 1..).unwrap_or_default());
    fs::write(directory.join("g.installed"), record).unwrap();
    Previous::read(&LedgerFiles::new(cleanup, directory, "g")).unwrap();
}

/// By this a record belongs to its list.
fn fnv(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

/// A journal of commands can be opened whatever is in it, and gives the same when it is opened again.
fn commands(directory: &Utf8Path, bytes: &[u8]) {
    let own = directory.join("journal");
    fs::create_dir(&own).unwrap();
    fs::write(own.join("commands.jsonl"), bytes).unwrap();
    let first = Journal::open(&own, 0).unwrap().unfinished();
    assert_eq!(Journal::open(&own, 0).unwrap().unfinished(), first);
}
