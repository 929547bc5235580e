//! Switching from one revision to the next, so that after any failure, kill or power cut there is either the old set or the new.
//!
//! The order is what makes it so: the journal is on disk before anything is staged; everything staged is on disk before the
//! journal says `switching`; every change is on disk before it says `committed`; nothing old is thrown away before that.
//! [`recover`] needs nothing but the journal and the disk. Out of its reach are SELinux rules of the previous revision and modes
//! that are set through links that lead out of the revision, which an undone switch does not bring back; and, for the moment of
//! the switch, the view of a process that looks at several paths.

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};

use camino::{Utf8Path, Utf8PathBuf};

use super::access;
use super::hands::{Attributes, Hands};
use super::journal::{Change, Journal, Phase};
use super::ledger::{self, Entry, LedgerFiles, Previous};
use super::staging::{self, Staging};
use super::{InstallError, Step};

/// What a switch did that somebody should know.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Switched {
    /// Files of the previous revision that stay, because somebody changed them since.
    pub kept: Vec<PathBuf>,
    /// Files that somebody changed and that the new revision replaced.
    pub replaced: Vec<PathBuf>,
}

/// How a switch that was cut short was ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Recovered {
    /// There was none.
    Nothing,
    /// The old set is there.
    Undone,
    /// The new set is there, of this deployment (its directory).
    Finished { deployment: Utf8PathBuf },
}

/// Stages what the steps make, and switches it in.
///
/// `deployment` is the directory of the deployment that installs; `group` names the staging directories.
///
/// # Errors
/// The first step that fails. The old set is there then, as far as the disk lets us bring it back; what it does not let us do now,
/// [`recover`] does.
pub fn switch(
    steps: &[Step],
    previous: &Previous,
    files: &LedgerFiles,
    (group, deployment): (&str, &Utf8Path),
    hands: &Hands,
) -> Result<Switched, InstallError> {
    let staging = staging::plan(group, steps, previous)?;
    let journal = Journal {
        deployment: deployment.to_owned(),
        stages: staging.stages.clone(),
        changes: staging.changes.clone(),
        phase: Phase::Staging,
    };
    hands
        .write(files.journal.as_std_path(), journal.text().as_bytes())
        .map_err(InstallError::host("write", &files.journal))?;
    let switch = Switch { steps, previous, files, staging: &staging, hands };
    if let Err(error) = switch.run() {
        if let Err(second) = recover(files, hands) {
            tracing::error!(error = crate::spec::chain(&second), "the install is not undone yet");
        }
        return Err(error);
    }
    finish(&journal, files, hands)?;
    Ok(Switched { kept: staging.kept, replaced: staging.replaced })
}

struct Switch<'a> {
    steps: &'a [Step],
    previous: &'a Previous,
    files: &'a LedgerFiles,
    staging: &'a Staging,
    hands: &'a Hands,
}

impl Switch<'_> {
    fn run(&self) -> Result<(), InstallError> {
        for stage in &self.staging.stages {
            // Whatever is there is of no journal any more.
            self.hands.remove_tree(stage).map_err(InstallError::host("remove", stage))?;
            self.hands
                .make_directory(stage, 0o700)
                .map_err(InstallError::host("create the directory", stage))?;
        }
        for step in self.steps.iter().filter(|step| matches!(step, Step::MakeDirectory { .. })) {
            self.stage(step)?;
        }
        self.stage_files()?;
        for step in self.steps.iter().filter(|step| !matches!(step, Step::MakeDirectory { .. })) {
            self.stage(step)?;
        }
        self.write_ledger(&[], false)?;
        self.sync()?;
        self.enter(Phase::Switching)?;
        for change in &self.staging.changes {
            self.make(change)?;
        }
        self.set_through_links()?;
        let contexts = self.set_contexts()?;
        if !contexts.is_empty() {
            self.write_ledger(&contexts, true)?;
        }
        self.sync()?;
        self.enter(Phase::Committed)
    }

    fn stage(&self, step: &Step) -> Result<(), InstallError> {
        match step {
            Step::MakeDirectory { directory } => self
                .hands
                .make_directory(&self.staging.at(directory), 0o777)
                .map_err(InstallError::host("create the directory", directory)),
            // All of them together: see `stage_files`.
            Step::Copy { .. } => Ok(()),
            Step::SetMode { path, .. }
            | Step::SetOwner { path, .. }
            | Step::SetAcl { path, .. }
            | Step::SetContext { path, .. } => {
                let staged = self.staging.at(path);
                if is_link(&staged) { Ok(()) } else { self.set(step, path, &staged) }
            }
        }
    }

    fn stage_files(&self) -> Result<(), InstallError> {
        let copies = self.steps.iter().filter_map(|step| match step {
            Step::Copy { source, destination } => Some((source.as_path(), destination.as_path())),
            _ => None,
        });
        let copies: Vec<(&Path, &Path)> = copies.collect();
        self.hands
            .copy_all(&copies, |path| self.staging.at(path))
            .map_err(|(at, error)| InstallError::host("install", copies[at].1)(error))
    }

    /// Modes and owners go through links, and a link leads where it shall only when it is in its place.
    fn set_through_links(&self) -> Result<(), InstallError> {
        for step in self.steps {
            if let Step::SetMode { path, .. }
            | Step::SetOwner { path, .. }
            | Step::SetAcl { path, .. } = step
                && is_link(path)
            {
                self.set(step, path, path)?;
            }
        }
        Ok(())
    }

    fn set(&self, step: &Step, path: &Path, at: &Path) -> Result<(), InstallError> {
        self.hands.let_do(InstallError::host("set the permissions of", path), || set(step, at))
    }

    /// Before the switch the files are where they were staged, after it in their places.
    fn write_ledger(&self, contexts: &[PathBuf], switched: bool) -> Result<(), InstallError> {
        let LedgerFiles { next_cleanup, next_record, .. } = self.files;
        let made = self.steps.iter().filter_map(Step::made);
        let list = ledger::text(made.clone(), contexts);
        let files = made.map(|path| {
            let at = if switched { Cow::Borrowed(path) } else { self.staging.at(path) };
            (path, at)
        });
        let record = ledger::record(&list, files)
            .map_err(InstallError::host("look at what was staged for", &self.files.cleanup))?;
        for (path, text) in [(next_cleanup, &list), (next_record, &record)] {
            self.hands
                .write(path.as_std_path(), text)
                .map_err(InstallError::host("write", path))?;
        }
        Ok(())
    }

    fn sync(&self) -> Result<(), InstallError> {
        // A stage that moved away with its directory is on a file system that another names too.
        let stages = self.staging.stages.iter().map(PathBuf::as_path);
        let there = stages.filter(|stage| stage.is_dir());
        self.hands.sync(there).map_err(InstallError::host("write", &self.files.cleanup))
    }

    fn enter(&self, phase: Phase) -> Result<(), InstallError> {
        enter(phase, self.files, self.hands)
    }

    fn make(&self, change: &Change) -> Result<(), InstallError> {
        match change {
            Change::Away { path, backup } => {
                self.hands.rename(path, backup).map_err(InstallError::host("remove", path))?;
                self.check_leaving(path, backup)
            }
            Change::Replace { staged, path, backup } => self
                .hands
                .second_name(path, backup)
                .and_then(|()| self.hands.rename(staged, path))
                .map_err(InstallError::host("install", path)),
            Change::Place { staged, path, .. } => {
                self.hands.place(staged, path).map_err(|error| match error.kind() {
                    std::io::ErrorKind::AlreadyExists => {
                        InstallError::Exists { path: path.clone() }
                    }
                    _ => InstallError::host("install", path)(error),
                })
            }
            Change::Refresh { staged, path, .. } => Attributes::of(staged)
                .and_then(|wanted| self.hands.set_attributes(path, &wanted.without_label()))
                .map_err(InstallError::host("set the mode of", path)),
            Change::Leave { .. } => Ok(()),
        }
    }

    /// Nobody's file goes with a directory that was planned away when it held only ours. It is looked at when it has moved: from
    /// then on nobody finds it to put something in.
    fn check_leaving(&self, path: &Path, now_at: &Path) -> Result<(), InstallError> {
        if !fs::symlink_metadata(now_at).is_ok_and(|metadata| metadata.is_dir()) {
            return Ok(());
        }
        let refuse = InstallError::host("read", path);
        let entries = self
            .hands
            .let_do(refuse, || fs::read_dir(now_at).map_err(InstallError::host("read", path)))?;
        for entry in entries {
            let entry = entry.map_err(InstallError::host("read", path))?;
            let path = path.join(entry.file_name());
            if !self.previous.paths.contains(&path) {
                return Err(InstallError::Appeared { path });
            }
            self.check_leaving(&path, &entry.path())?;
        }
        Ok(())
    }

    /// Sets SELinux contexts; the paths that rules were added for.
    fn set_contexts(&self) -> Result<Vec<PathBuf>, InstallError> {
        for entry in self.previous.entries.iter().rev() {
            if let Entry::Context(path) = entry {
                ledger::forget_context(path);
            }
        }
        let set = self.steps.iter().filter_map(|step| match step {
            Step::SetContext { path, context } => Some(access::set_context(path, context)),
            _ => None,
        });
        set.collect()
    }
}

fn is_link(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink())
}

/// Does a step that sets something about a path, at the place where that is now.
fn set(step: &Step, at: &Path) -> Result<(), InstallError> {
    match step {
        Step::SetMode { path, mode } => {
            access::set_mode(at, mode.bits()).map_err(|error| error.about(path))
        }
        Step::SetOwner { path, owner, group } => {
            let id = |named: &Option<(String, u32)>| named.as_ref().map(|(_, id)| *id);
            std::os::unix::fs::chown(at, id(owner), id(group))
                .map_err(InstallError::host("set the owner of", path))
        }
        Step::SetAcl { path, entries, directory } => {
            access::set_acl(at, entries, *directory).map_err(|error| error.about_staged(at, path))
        }
        // A rule is for a path: it is set when the file is there.
        Step::SetContext { .. } | Step::MakeDirectory { .. } | Step::Copy { .. } => Ok(()),
    }
}

fn enter(phase: Phase, files: &LedgerFiles, hands: &Hands) -> Result<(), InstallError> {
    hands
        .append(files.journal.as_std_path(), phase.line().as_bytes())
        .map_err(InstallError::host("write", &files.journal))
}

/// Ends a switch that was cut short: finishes it where all its changes were made, else takes them back. Can itself be cut short and
/// done again.
///
/// # Errors
/// The disk refuses, or the journal is damaged. Then nothing should be installed for the group.
pub fn recover(files: &LedgerFiles, hands: &Hands) -> Result<Recovered, InstallError> {
    let Some(journal) = Journal::read(&files.journal, hands)? else {
        return Ok(Recovered::Nothing);
    };
    match journal.phase {
        Phase::Committed => {
            finish(&journal, files, hands)?;
            return Ok(Recovered::Finished { deployment: journal.deployment });
        }
        Phase::Switching => {
            undo(&journal, files, hands)?;
            enter(Phase::Undone, files, hands)?;
        }
        Phase::Staging | Phase::Undone => {}
    }
    clear(&journal, hands)?;
    let LedgerFiles { next_cleanup, next_record, journal, .. } = files;
    remove_own([next_record, next_cleanup, journal], hands)?;
    Ok(Recovered::Undone)
}

fn undo(journal: &Journal, files: &LedgerFiles, hands: &Hands) -> Result<(), InstallError> {
    // Without the list nothing of a new directory would be taken back: what cannot be read now is read by the next attempt.
    let list = hands.read(files.next_cleanup.as_std_path());
    let list = list.map_err(InstallError::host("read", &files.next_cleanup))?;
    let made = ledger::made(&list.unwrap_or_default());
    journal.changes.iter().rev().try_for_each(|change| take_back(change, &made, hands))
}

fn take_back(change: &Change, made: &[PathBuf], hands: &Hands) -> Result<(), InstallError> {
    let there = |path: &Path| fs::symlink_metadata(path).is_ok();
    match change {
        Change::Leave { .. } => Ok(()),
        Change::Refresh { path, before, .. } => {
            hands.set_attributes(path, before).map_err(InstallError::host("set the mode of", path))
        }
        Change::Place { staged, .. } if there(staged) => Ok(()),
        Change::Place { staged, path, tree: false } if there(path) => {
            hands.rename(path, staged).map_err(InstallError::host("remove", path))
        }
        Change::Place { tree: false, .. } => Ok(()),
        // Path by path: since then somebody may have put something into it.
        Change::Place { path, tree: true, .. } => {
            let below = made.iter().rev().filter(|made| made.starts_with(path));
            below.into_iter().try_for_each(|path| {
                let done = match fs::symlink_metadata(path) {
                    Ok(metadata) if metadata.is_dir() => hands.remove_directory(path),
                    Ok(_) => hands.remove_file(path),
                    Err(_) => Ok(()),
                };
                done.map_err(InstallError::host("remove", path))
            })
        }
        Change::Away { path, backup } | Change::Replace { path, backup, .. } if there(backup) => {
            // Two names of one file are not renamed: then the second is left, and goes.
            hands
                .rename(backup, path)
                .and_then(|()| hands.remove_file(backup))
                .map_err(InstallError::host("bring back", path))
        }
        Change::Away { .. } | Change::Replace { .. } => Ok(()),
    }
}

/// What comes after the changes: the new list takes the place of the old, and what is old goes.
fn finish(journal: &Journal, files: &LedgerFiles, hands: &Hands) -> Result<(), InstallError> {
    let LedgerFiles { next_cleanup, next_record, cleanup, record, .. } = files;
    for (next, place) in [(next_record, record), (next_cleanup, cleanup)] {
        if next.exists() {
            hands
                .rename(next.as_std_path(), place.as_std_path())
                .map_err(InstallError::host("write", place))?;
        }
    }
    clear(journal, hands)?;
    for change in &journal.changes {
        if let Change::Leave { path } = change {
            let is_directory = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir());
            if is_directory {
                hands.remove_directory(path).map_err(InstallError::host("remove", path))?;
            }
        }
    }
    remove_own([&files.journal], hands)
}

fn clear(journal: &Journal, hands: &Hands) -> Result<(), InstallError> {
    journal
        .stages
        .iter()
        .try_for_each(|stage| hands.remove_tree(stage).map_err(InstallError::host("remove", stage)))
}

fn remove_own<'a>(
    paths: impl IntoIterator<Item = &'a Utf8PathBuf>,
    hands: &Hands,
) -> Result<(), InstallError> {
    paths.into_iter().try_for_each(|path| {
        hands.remove_file(path.as_std_path()).map_err(InstallError::host("remove", path))
    })
}
