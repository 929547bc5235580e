//! Deciding how the steps of an install become a switch: where each new path is staged, and which changes then bring all of
//! them in.
//!
//! New directories are staged as whole trees, so that a first install is one renaming however many files there are; a file for a
//! directory that is there is staged in a hidden directory beside it, on the same file system.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::hands::Attributes;
use super::journal::Change;
use super::ledger::{Entry, Previous, fnv};
use super::{InstallError, Step};

/// What is to be staged and switched.
#[derive(Debug, Default)]
pub(super) struct Staging {
    /// Directories that hold what is staged and what goes.
    pub stages: Vec<PathBuf>,
    /// Where new paths are staged, but files in new directories: those are staged in them.
    staged: HashMap<PathBuf, PathBuf>,
    /// New directories that are staged whole.
    trees: HashSet<PathBuf>,
    /// The changes in their order.
    pub changes: Vec<Change>,
    /// Files that stay because somebody changed them.
    pub kept: Vec<PathBuf>,
    /// Files that somebody changed and that the new revision replaces.
    pub replaced: Vec<PathBuf>,
}

impl Staging {
    /// Where a new path is staged.
    pub fn at<'p>(&'p self, path: &'p Path) -> Cow<'p, Path> {
        if let Some(staged) = self.staged.get(path) {
            return Cow::Borrowed(staged);
        }
        match self.tree_of(path).and_then(|parent| self.staged.get(parent)) {
            Some(parent) => Cow::Owned(parent.join(path.file_name().unwrap_or_default())),
            None => Cow::Borrowed(path),
        }
    }

    /// The directory of a path, if that is one that is staged whole.
    fn tree_of<'p>(&self, path: &'p Path) -> Option<&'p Path> {
        path.parent().filter(|parent| self.trees.contains(*parent))
    }
}

struct Planner<'a> {
    name: String,
    previous: &'a Previous,
    stage_of: HashMap<PathBuf, PathBuf>,
    slots: u64,
    /// Directories of the previous revision that move away whole.
    leaving_trees: HashSet<PathBuf>,
    away: Vec<Change>,
    placing: Vec<Change>,
    refreshing: Vec<Change>,
    leave: Vec<Change>,
    result: Staging,
}

/// Plans the switch of a group from what is there to what the steps make.
pub(super) fn plan(
    group: &str,
    steps: &[Step],
    previous: &Previous,
) -> Result<Staging, InstallError> {
    let mut planner = Planner {
        name: format!(".longshore-{:016x}", fnv(group.as_bytes())),
        previous,
        stage_of: HashMap::new(),
        slots: 0,
        leaving_trees: HashSet::new(),
        away: Vec::new(),
        placing: Vec::new(),
        refreshing: Vec::new(),
        leave: Vec::new(),
        result: Staging::default(),
    };
    for step in steps {
        match step {
            Step::MakeDirectory { directory } => planner.directory(directory)?,
            Step::Copy { destination, .. } => planner.file(destination)?,
            Step::SetMode { .. }
            | Step::SetOwner { .. }
            | Step::SetAcl { .. }
            | Step::SetContext { .. } => {}
        }
    }
    for entry in previous.entries.iter().rev() {
        if let Entry::Made(path) = entry {
            planner.leaving(path)?;
        }
    }
    let Planner { away, placing, refreshing, leave, mut result, .. } = planner;
    // Modes come last: they could keep us, where we are not root, from what comes before.
    result.changes = [away, placing, refreshing, leave].concat();
    Ok(result)
}

impl Planner<'_> {
    fn directory(&mut self, path: &Path) -> Result<(), InstallError> {
        if self.result.tree_of(path).is_some() {
            let staged = self.result.at(path).into_owned();
            self.result.staged.insert(path.to_owned(), staged);
            self.result.trees.insert(path.to_owned());
        } else {
            let there = look(path)?;
            let staged = self.slot(path);
            if there.as_ref().is_some_and(fs::Metadata::is_dir) {
                let before = Attributes::of(path).map_err(InstallError::host("look at", path))?;
                let change =
                    Change::Refresh { staged: staged.clone(), path: path.to_owned(), before };
                self.refreshing.push(change);
            } else {
                if there.is_some() {
                    self.away(path);
                }
                self.result.trees.insert(path.to_owned());
                self.place(&staged, path, true);
            }
            self.result.staged.insert(path.to_owned(), staged);
        }
        Ok(())
    }

    fn file(&mut self, path: &Path) -> Result<(), InstallError> {
        if self.result.tree_of(path).is_none() {
            let there = look(path)?;
            let staged = self.slot(path);
            match there {
                None => self.place(&staged, path, false),
                Some(directory) if directory.is_dir() => {
                    self.leaving_trees.insert(path.to_owned());
                    self.away(path);
                    self.place(&staged, path, false);
                }
                Some(_) => {
                    let backup = self.slot(path);
                    if self.previous.changed.contains(path) {
                        self.result.replaced.push(path.to_owned());
                    }
                    let (staged, path) = (staged.clone(), path.to_owned());
                    self.placing.push(Change::Replace { staged, path, backup });
                }
            }
            self.result.staged.insert(path.to_owned(), staged);
        }
        Ok(())
    }

    /// What becomes of a path of the previous revision; the innermost come first.
    fn leaving(&mut self, path: &Path) -> Result<(), InstallError> {
        if self.result.staged.contains_key(path)
            || self.result.tree_of(path).is_some()
            || path.ancestors().skip(1).any(|above| self.leaving_trees.contains(above))
        {
            return Ok(());
        }
        if self.previous.changed.contains(path) {
            self.result.kept.push(path.to_owned());
            return Ok(());
        }
        match look(path)? {
            None => {}
            Some(directory) if directory.is_dir() => {
                self.leave.push(Change::Leave { path: path.to_owned() });
            }
            Some(_) => self.away(path),
        }
        Ok(())
    }

    fn away(&mut self, path: &Path) {
        let backup = self.slot(path);
        self.away.push(Change::Away { path: path.to_owned(), backup });
    }

    fn place(&mut self, staged: &Path, path: &Path, tree: bool) {
        let (staged, path) = (staged.to_owned(), path.to_owned());
        self.placing.push(Change::Place { staged, path, tree });
    }

    /// A name of our own on the file system of the path.
    fn slot(&mut self, path: &Path) -> PathBuf {
        let parent = path.parent().unwrap_or(Path::new("/"));
        let stage = match self.stage_of.get(parent) {
            Some(stage) => stage,
            None => {
                let stage = parent.join(OsStr::new(&self.name));
                self.result.stages.push(stage.clone());
                self.stage_of.entry(parent.to_owned()).or_insert(stage)
            }
        };
        self.slots += 1;
        stage.join(self.slots.to_string())
    }
}

/// What is at a path itself, not where it leads.
fn look(path: &Path) -> Result<Option<fs::Metadata>, InstallError> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error)
            if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
        {
            Ok(None)
        }
        Err(error) => Err(InstallError::host("look at", path)(error)),
    }
}
