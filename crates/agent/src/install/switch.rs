//! Switching from one revision to the next, so that after any failure, kill or power cut there is either the old set or the new.
//!
//! The order is what makes it so: the journal is on disk before anything is staged; everything staged is on disk before the
//! journal says `switching`; every change is on disk before it says `committed`, and all that was brought back before it says
//! `undone`; nothing is thrown away before one of the two is on disk. [`recover`] needs nothing but the journal and the disk.
//! Out of its reach are modes that are set through links that lead out of the revision, which an undone switch does not bring
//! back; and, for the moment of the switch, the view of a process that looks at several paths.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use camino::{Utf8Path, Utf8PathBuf};
use model::appspec::SecurityContext;

use super::access::{self, AccessList};
use super::hands::Hands;
use super::journal::{self, Change, Journal, Phase};
use super::ledger::{self, Entry, LedgerFiles, Previous, Stamp};
use super::staging::{self, Staging};
use super::{InstallError, Step};

/// Up to this many files are waited for one by one.
const SYNC_EACH_MAX: usize = 64;

/// What a switch did that somebody should know.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Switched {
    /// Files of the previous revision that stay, because somebody changed them since.
    pub kept: Vec<PathBuf>,
    /// Files that somebody changed and that the new revision replaced.
    pub replaced: Vec<PathBuf>,
}

/// Notes of which deployment (its directory) the installed set is; called when the new set is there, maybe more than once.
pub type Mark<'a> = &'a dyn Fn(&Utf8Path) -> io::Result<()>;

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
/// The first step that fails. The old set is there then, as far as the disk lets us bring it back, or the new one if only
/// what comes after it failed; what the disk does not let us do now, [`recover`] does.
pub fn switch(
    steps: &[Step],
    previous: &Previous,
    files: &LedgerFiles,
    (group, deployment): (&str, &Utf8Path),
    hands: &Hands,
    mark: Mark<'_>,
) -> Result<Switched, InstallError> {
    let staging = staging::plan(group, steps, previous)?;
    let mut journal = Journal {
        deployment: deployment.to_owned(),
        stages: staging.stages.clone(),
        changes: staging.changes.clone(),
        phase: Phase::Staging,
    };
    hands
        .write(files.journal.as_std_path(), journal.text().as_bytes())
        .map_err(InstallError::host("write", &files.journal))?;
    let switch = Switch { steps, previous, files, staging: &staging, hands };
    let done = switch.run().map(|rules| journal.changes.extend(rules));
    match done {
        Ok(()) => finish(&journal, files, hands, mark)?,
        Err(error) => match recover(files, hands, mark) {
            // Only the last note was not known to be on the disk, and now it is.
            Ok(Recovered::Finished { .. }) => {}
            Ok(Recovered::Undone | Recovered::Nothing) => return Err(error),
            Err(second) => {
                let second = crate::spec::chain(&second);
                tracing::error!(error = second, "the install is not undone yet");
                return Err(error);
            }
        },
    }
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
    /// Makes all changes; those that were not planned, for they depend on what is installed.
    fn run(&self) -> Result<Vec<Change>, InstallError> {
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
        let behind = self.staging.stages.first().map(|stage| self.hands.write_behind(stage));
        let stamps = self.stage_files()?;
        for step in self.steps.iter().filter(|step| !matches!(step, Step::MakeDirectory { .. })) {
            self.stage(step)?;
        }
        self.stage_acls()?;
        self.write_ledger(&[], self.stamps_of_staged(&stamps))?;
        drop(behind);
        self.sync_staged()?;
        self.enter(Phase::Switching)?;
        for change in &self.staging.changes {
            self.make(change)?;
        }
        self.set_through_links()?;
        let changes = self.set_contexts()?;
        // Contexts are a part of files.
        if changes.is_empty() {
            self.sync_changes()?;
        } else {
            self.sync_file_systems()?;
        }
        self.enter(Phase::Committed)?;
        Ok(changes)
    }

    fn stage(&self, step: &Step) -> Result<(), InstallError> {
        match step {
            Step::MakeDirectory { directory } => self
                .hands
                .make_directory(&self.staging.at(directory), 0o777)
                .map_err(InstallError::host("create the directory", directory)),
            // All of them together: see `stage_files` and `stage_acls`. A rule is for a path: it is set when the file is there.
            Step::Copy { .. } | Step::SetAcl { .. } | Step::SetContext { .. } => Ok(()),
            Step::SetMode { path, .. } | Step::SetOwner { path, .. } => {
                let staged = self.staging.at(path);
                if self.is_link(&staged)? { Ok(()) } else { self.set(step, path, &staged) }
            }
        }
    }

    /// Copies all files; their stamps, in the order of the steps.
    fn stage_files(&self) -> Result<Vec<Stamp>, InstallError> {
        let copies = self.steps.iter().filter_map(|step| match step {
            Step::Copy { source, destination } => Some((source.as_path(), destination.as_path())),
            _ => None,
        });
        let copies: Vec<(&Path, &Path)> = copies.collect();
        self.hands
            .copy_all(&copies, |path| self.staging.at(path))
            .map_err(|(at, error)| InstallError::host("install", copies[at].1)(error))
    }

    /// After the modes, which the lists begin with.
    fn stage_acls(&self) -> Result<(), InstallError> {
        let lists = self.steps.iter().filter_map(|step| match step {
            Step::SetAcl { path, entries, directory } => {
                let at = self.staging.at(path);
                Some(AccessList { path, at, entries, directory: *directory })
            }
            _ => None,
        });
        let lists = lists.filter_map(|list| match self.is_link(&list.at) {
            Ok(is_link) => (!is_link).then_some(Ok(list)),
            Err(error) => Some(Err(error)),
        });
        let lists: Vec<AccessList<'_>> = lists.collect::<Result<_, _>>()?;
        let Some(first) = lists.first() else { return Ok(()) };
        let refuse = InstallError::host("set the permissions of", first.path);
        self.hands.let_do(refuse, || access::set_acls(&lists))
    }

    /// Modes and owners go through links, and a link leads where it shall only when it is in its place.
    fn set_through_links(&self) -> Result<(), InstallError> {
        for step in self.steps {
            if let Step::SetMode { path, .. }
            | Step::SetOwner { path, .. }
            | Step::SetAcl { path, .. } = step
                && self.is_link(path)?
            {
                self.set(step, path, path)?;
            }
        }
        Ok(())
    }

    fn set(&self, step: &Step, path: &Path, at: &Path) -> Result<(), InstallError> {
        self.hands.let_do(InstallError::host("set the permissions of", path), || set(step, at))
    }

    fn is_link(&self, path: &Path) -> Result<bool, InstallError> {
        let found = self.hands.look(path).map_err(InstallError::host("look at", path))?;
        Ok(found.is_some_and(|metadata| metadata.is_symlink()))
    }

    fn has_link<'a>(
        &self,
        paths: impl Iterator<Item = Cow<'a, Path>>,
    ) -> Result<bool, InstallError> {
        for path in paths {
            if self.is_link(&path)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn made(&self) -> impl Iterator<Item = &Path> + Clone {
        self.steps.iter().filter_map(Step::made)
    }

    /// What was made, with its stamp; of files these are known.
    fn stamps_of_staged<'a>(
        &'a self,
        copied: &'a [Stamp],
    ) -> impl Iterator<Item = io::Result<(&'a Path, Stamp)>> {
        let mut copied = copied.iter();
        self.steps.iter().filter_map(move |step| {
            let path = step.made()?;
            let known = if let Step::Copy { .. } = step { copied.next() } else { None };
            Some(match known {
                Some(stamp) => Ok((path, *stamp)),
                None => Stamp::at(&self.staging.at(path)).map(|stamp| (path, stamp)),
            })
        })
    }

    /// Writes down what was made. In the middle of a switch, nothing that an undoing reads is written over.
    fn write_ledger<'a>(
        &self,
        rules: &[(PathBuf, &SecurityContext)],
        made: impl Iterator<Item = io::Result<(&'a Path, Stamp)>>,
    ) -> Result<(), InstallError> {
        let LedgerFiles { next_cleanup, next_record, draft, .. } = self.files;
        let list = ledger::text(self.made(), rules);
        let record = ledger::record(&list, made, rules)
            .map_err(InstallError::host("look at what was staged for", &self.files.cleanup))?;
        for (path, text) in [(next_cleanup, &list), (next_record, &record)] {
            self.hands
                .write(draft.as_std_path(), text)
                .and_then(|()| self.hands.rename(draft.as_std_path(), path.as_std_path()))
                .map_err(InstallError::host("write", path))?;
        }
        Ok(())
    }

    /// Waits until the disk has all that was staged. A few files are waited for one by one: with all else on their file system, as
    /// many are, an Install waits for what others write, and for the unpacked revision.
    fn sync_staged(&self) -> Result<(), InstallError> {
        let made = self.made().map(|path| self.staging.at(path));
        if made.clone().count() <= SYNC_EACH_MAX && !self.has_link(made.clone())? {
            let stages = self.staging.stages.iter().flat_map(|stage| [stage.parent(), Some(stage)]);
            let around = stages.flatten().chain([own_directory(self.files)]).map(Cow::Borrowed);
            if self.hands.sync_each(made.chain(around)).map_err(self.unsynced())? {
                return Ok(());
            }
        }
        self.sync_file_systems()
    }

    /// Waits until the disk has all changes.
    fn sync_changes(&self) -> Result<(), InstallError> {
        let changes = &self.staging.changes;
        if changes.len() <= SYNC_EACH_MAX {
            let changed = changes.iter().flat_map(|change| match change {
                Change::Away { path, .. }
                | Change::Replace { path, .. }
                | Change::Place { path, .. } => vec![path.parent()],
                Change::Refresh { path, .. } => vec![path.parent(), Some(path)],
                Change::Leave { .. } | Change::AddRule { .. } | Change::DropRule { .. } => vec![],
            });
            let stages = self.staging.stages.iter().map(PathBuf::as_path);
            let directories: BTreeSet<&Path> =
                changed.flatten().chain(stages).chain([own_directory(self.files)]).collect();
            let there = still_there(directories, self.hands)?.into_iter().map(Cow::Borrowed);
            if self.hands.sync_each(there).map_err(self.unsynced())? {
                return Ok(());
            }
        }
        self.sync_file_systems()
    }

    fn sync_file_systems(&self) -> Result<(), InstallError> {
        // A stage that moved away with its directory is on a file system that another names too.
        let stages = still_there(self.staging.stages.iter().map(PathBuf::as_path), self.hands)?;
        self.hands
            .sync(stages.into_iter().chain([own_directory(self.files)]))
            .map_err(self.unsynced())
    }

    fn unsynced(&self) -> impl FnOnce(io::Error) -> InstallError {
        InstallError::host("write", &self.files.cleanup)
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
                    io::ErrorKind::AlreadyExists => InstallError::Exists { path: path.clone() },
                    _ => InstallError::host("install", path)(error),
                })
            }
            Change::Refresh { staged, path, .. } => self
                .hands
                .attributes(staged)
                .and_then(|wanted| self.hands.set_attributes(path, &wanted.without_label()))
                .map_err(InstallError::host("set the mode of", path)),
            // Rules are never planned: they come when all else is there.
            Change::Leave { .. } | Change::AddRule { .. } | Change::DropRule { .. } => Ok(()),
        }
    }

    /// Nobody's file goes with a directory that was planned away when it held only ours. It is looked at when it has moved: from
    /// then on nobody finds it to put something in.
    fn check_leaving(&self, path: &Path, now_at: &Path) -> Result<(), InstallError> {
        if !is_directory(now_at, self.hands).map_err(|error| error.about(path))? {
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

    /// Sets SELinux contexts, for which rules are added; the changes that this is. They are in the journal before they are made.
    fn set_contexts(&self) -> Result<Vec<Change>, InstallError> {
        let rules = self.rules()?;
        let changes = self.rule_changes(&rules);
        if changes.is_empty() {
            return Ok(changes);
        }
        let text: String = changes.iter().map(journal::line).collect();
        self.hands
            .append(self.files.journal.as_std_path(), text.as_bytes())
            .map_err(InstallError::host("write", &self.files.journal))?;
        let had = self.previous_rules();
        for (path, context) in &rules {
            let refuse = |error| InstallError::host("set the context of", path)(error);
            self.hands.let_do(refuse, || {
                if had.contains(&path) {
                    access::remove_rule(path);
                }
                access::add_rule(path, context)
            })?;
            self.hands.let_do(refuse, || access::apply_rules(path))?;
        }
        if !rules.is_empty() {
            self.write_ledger(&rules, self.made().map(|path| Ok((path, Stamp::at(path)?))))?;
        }
        Ok(changes)
    }

    /// The rules of the new revision, by the real paths of what is installed.
    fn rules(&self) -> Result<Vec<(PathBuf, &SecurityContext)>, InstallError> {
        let set = self.steps.iter().filter_map(|step| match step {
            Step::SetContext { path, context } => Some((path, context)),
            _ => None,
        });
        set.map(|(path, context)| {
            let real = fs::canonicalize(path).map_err(InstallError::host("look at", path))?;
            Ok((real, context))
        })
        .collect()
    }

    fn previous_rules(&self) -> Vec<&PathBuf> {
        let rules = self.previous.entries.iter().filter_map(|entry| match entry {
            Entry::Context(path) => Some(path),
            Entry::Made(_) => None,
        });
        rules.collect()
    }

    fn rule_changes(&self, rules: &[(PathBuf, &SecurityContext)]) -> Vec<Change> {
        let added = rules.iter().map(|(path, _)| {
            let before = self.previous.rules.get(path).cloned();
            Change::AddRule { path: path.clone(), before }
        });
        let kept: HashSet<&PathBuf> = rules.iter().map(|(path, _)| path).collect();
        let dropped = self.previous_rules().into_iter().rev().filter(|path| !kept.contains(path));
        added.chain(dropped.map(|path| Change::DropRule { path: path.clone() })).collect()
    }
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
            let (at, directory) = (Cow::Borrowed(at), *directory);
            access::set_acls(&[AccessList { path, at, entries, directory }])
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
pub fn recover(
    files: &LedgerFiles,
    hands: &Hands,
    mark: Mark<'_>,
) -> Result<Recovered, InstallError> {
    let Some(journal) = Journal::read(&files.journal, hands)? else {
        return Ok(Recovered::Nothing);
    };
    match journal.phase {
        Phase::Committed => {
            settle(files, hands)?;
            finish(&journal, files, hands, mark)?;
            return Ok(Recovered::Finished { deployment: journal.deployment });
        }
        Phase::Switching => {
            undo(&journal, files, hands)?;
            sync_undone(&journal, files, hands)?;
            enter(Phase::Undone, files, hands)?;
        }
        Phase::Undone => settle(files, hands)?,
        Phase::Staging => {}
    }
    clear(&journal, hands)?;
    let LedgerFiles { next_cleanup, next_record, draft, journal, .. } = files;
    remove_own([draft, next_record, next_cleanup, journal], hands)?;
    Ok(Recovered::Undone)
}

/// Makes sure that the disk has the journal's last note: whoever wrote it may have been told that the disk does not, and nothing
/// is thrown away for a note that a power cut takes back.
fn settle(files: &LedgerFiles, hands: &Hands) -> Result<(), InstallError> {
    hands
        .write_again(files.journal.as_std_path())
        .map_err(InstallError::host("write", &files.journal))
}

/// Waits until the disks have what was brought back: the journal may be on another one than the files.
fn sync_undone(journal: &Journal, files: &LedgerFiles, hands: &Hands) -> Result<(), InstallError> {
    let stages = still_there(journal.stages.iter().map(PathBuf::as_path), hands)?;
    hands
        .sync(stages.into_iter().chain([own_directory(files)]))
        .map_err(InstallError::host("write", &files.journal))
}

fn undo(journal: &Journal, files: &LedgerFiles, hands: &Hands) -> Result<(), InstallError> {
    // Without the list nothing of a new directory would be taken back: what cannot be read now is read by the next attempt.
    let list = hands.read(files.next_cleanup.as_std_path());
    let list = list.map_err(InstallError::host("read", &files.next_cleanup))?;
    let made = ledger::made(&list.unwrap_or_default());
    let aways = journal.changes.iter().filter_map(|change| match change {
        Change::Away { path, backup } => Some((path, backup)),
        _ => None,
    });
    let aways: HashMap<&PathBuf, &PathBuf> = aways.collect();
    journal.changes.iter().rev().try_for_each(|change| {
        if let Change::Place { path, .. } = change
            && let Some(backup) = aways.get(path)
            && !is_there(backup, hands)?
        {
            // What was there before never left, or an undoing that was itself cut short has brought it back: it is not ours.
            return Ok(());
        }
        take_back(change, &made, hands)
    })
}

/// Whether something is at a path. What cannot be looked at may be there: then nothing is taken for granted, and the next attempt
/// looks again.
fn is_there(path: &Path, hands: &Hands) -> Result<bool, InstallError> {
    let found = hands.look(path).map_err(InstallError::host("look at", path))?;
    Ok(found.is_some())
}

fn is_directory(path: &Path, hands: &Hands) -> Result<bool, InstallError> {
    let found = hands.look(path).map_err(InstallError::host("look at", path))?;
    Ok(found.is_some_and(|metadata| metadata.is_dir()))
}

/// Those of these directories that did not move away with one that they were in: what did has nothing that counts.
fn still_there<'a>(
    directories: impl IntoIterator<Item = &'a Path>,
    hands: &Hands,
) -> Result<Vec<&'a Path>, InstallError> {
    let mut there = Vec::new();
    for directory in directories {
        if is_directory(directory, hands)? {
            there.push(directory);
        }
    }
    Ok(there)
}

/// That of the ledger, in which files are renamed.
fn own_directory(files: &LedgerFiles) -> &Path {
    files.journal.parent().unwrap_or(Utf8Path::new("/")).as_std_path()
}

fn take_back(change: &Change, made: &[PathBuf], hands: &Hands) -> Result<(), InstallError> {
    match change {
        Change::Leave { .. } | Change::DropRule { .. } => Ok(()),
        Change::AddRule { path, before } => {
            let refuse = InstallError::host("bring back the context's rule of", path);
            hands.let_do(refuse, || {
                bring_back_rule(path, before.as_ref());
                Ok(())
            })
        }
        Change::Refresh { path, before, .. } => {
            hands.set_attributes(path, before).map_err(InstallError::host("set the mode of", path))
        }
        Change::Place { staged, .. } if is_there(staged, hands)? => Ok(()),
        Change::Place { staged, path, tree: false } if is_there(path, hands)? => {
            hands.rename(path, staged).map_err(InstallError::host("remove", path))
        }
        Change::Place { tree: false, .. } => Ok(()),
        // Path by path: since then somebody may have put something into it.
        Change::Place { path, tree: true, .. } => {
            let below = made.iter().rev().filter(|made| made.starts_with(path));
            below.into_iter().try_for_each(|path| {
                let done = hands.look(path).and_then(|found| match found {
                    Some(metadata) if metadata.is_dir() => hands.remove_directory(path),
                    Some(_) => hands.remove_file(path),
                    None => Ok(()),
                });
                done.map_err(InstallError::host("remove", path))
            })
        }
        Change::Away { path, backup } | Change::Replace { path, backup, .. }
            if is_there(backup, hands)? =>
        {
            // Two names of one file are not renamed: then the second is left, and goes.
            hands
                .rename(backup, path)
                .and_then(|()| hands.remove_file(backup))
                .map_err(InstallError::host("bring back", path))
        }
        Change::Away { .. } | Change::Replace { .. } => Ok(()),
    }
}

/// The files have the contexts that they had: these are a part of them.
fn bring_back_rule(path: &Path, before: Option<&SecurityContext>) {
    access::remove_rule(path);
    if let Some(Err(error)) = before.map(|context| access::add_rule(path, context)) {
        let error = crate::spec::chain(&error);
        tracing::error!(path = %path.display(), error, "the previous revision's rule is not back");
    }
}

/// What comes after the changes: the new list takes the place of the old, and what is old goes.
fn finish(
    journal: &Journal,
    files: &LedgerFiles,
    hands: &Hands,
    mark: Mark<'_>,
) -> Result<(), InstallError> {
    let LedgerFiles { next_cleanup, next_record, cleanup, record, .. } = files;
    for (next, place) in [(next_record, record), (next_cleanup, cleanup)] {
        if is_there(next.as_std_path(), hands)? {
            hands
                .rename(next.as_std_path(), place.as_std_path())
                .map_err(InstallError::host("write", place))?;
        }
    }
    clear(journal, hands)?;
    for change in &journal.changes {
        match change {
            Change::Leave { path } => {
                if is_directory(path, hands)? {
                    hands.remove_directory(path).map_err(InstallError::host("remove", path))?;
                }
            }
            Change::DropRule { path } => {
                hands.let_do(InstallError::host("remove the context's rule of", path), || {
                    access::remove_rule(path);
                    Ok(())
                })?;
            }
            Change::Away { .. }
            | Change::Replace { .. }
            | Change::Place { .. }
            | Change::Refresh { .. }
            | Change::AddRule { .. } => {}
        }
    }
    // Before the journal goes: else nobody would do it after a kill.
    let deployment = &journal.deployment;
    hands.let_do(InstallError::host("mark as installed", deployment), || {
        mark(deployment).map_err(InstallError::host("mark as installed", deployment))
    })?;
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
