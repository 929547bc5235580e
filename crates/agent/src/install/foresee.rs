//! Foreseeing an install: what it would do to the host's files, found by the same plan and without any change.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use camino::Utf8Path;
use model::appspec::AppSpec;

use super::journal::Change;
use super::planner::{Existing, plan_meeting};
use super::{InstallError, Previous, Step, staging};

/// How much of two files is compared at once, in bytes.
const COMPARED_BYTES: usize = 64 * 1024;

/// What an install would do to a file or a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// It is there and not of the previous revision, and must not be replaced: the install would fail.
    Conflict,
    /// It would go: the previous revision installed it, and the new one does not have it.
    Remove,
    /// It would have another content.
    Change,
    /// It would be made.
    Add,
    /// It would stay, though the new revision does not have it: somebody changed it since it was installed.
    Keep,
}

impl Effect {
    /// Its name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Conflict => "Conflict",
            Self::Remove => "Remove",
            Self::Change => "Change",
            Self::Add => "Add",
            Self::Keep => "Keep",
        }
    }
}

/// What an install would do.
#[derive(Debug, Default)]
pub struct Foreseen {
    /// What would become of files. Those that would stay as they are are only counted.
    pub files: BTreeMap<PathBuf, Effect>,
    /// Files that the install would write with the content that they have.
    pub unchanged: u64,
    /// Why the install would fail. Where that is not a conflict, files are not told.
    pub refusal: Option<InstallError>,
}

/// What an install of this revision would do now; see [`super::plan`] for what is given. Nothing is touched.
pub fn foresee(
    appspec: &AppSpec,
    archive: &Utf8Path,
    behavior: &str,
    previous: &Previous,
) -> Foreseen {
    let looked = look(appspec, archive, behavior, previous);
    looked.unwrap_or_else(|error| Foreseen { refusal: Some(error), ..Foreseen::default() })
}

fn look(
    appspec: &AppSpec,
    archive: &Utf8Path,
    behavior: &str,
    previous: &Previous,
) -> Result<Foreseen, InstallError> {
    let mut existing = Existing::Collected(BTreeSet::new());
    let steps = plan_meeting(appspec, archive, behavior, previous, &mut existing)?;
    let conflicts = match existing {
        Existing::Collected(paths) => paths,
        Existing::Refused => BTreeSet::new(),
    };
    let mut foreseen = effects(&steps, previous)?;
    foreseen.refusal = conflicts.first().map(|path| InstallError::Exists { path: path.clone() });
    foreseen.files.extend(conflicts.into_iter().map(|path| (path, Effect::Conflict)));
    Ok(foreseen)
}

/// What the switch to what the steps make would do to files.
fn effects(steps: &[Step], previous: &Previous) -> Result<Foreseen, InstallError> {
    // Only looks: the group's name is in the names of places that nothing is put into.
    let staging = staging::plan("", steps, previous)?;
    let (mut replaced, mut away) = (HashSet::new(), HashSet::new());
    for change in &staging.changes {
        match change {
            Change::Replace { path, .. } => replaced.insert(path.as_path()),
            Change::Away { path, .. } => away.insert(path.as_path()),
            Change::Place { .. }
            | Change::Refresh { .. }
            | Change::Leave { .. }
            | Change::AddRule { .. }
            | Change::DropRule { .. } => false,
        };
    }
    let mut foreseen = Foreseen::default();
    let removed = away.into_iter().flat_map(|path| files_at(path, previous));
    let removed = removed.map(|path| (path.to_owned(), Effect::Remove));
    let kept = staging.kept.iter().map(|path| (path.clone(), Effect::Keep));
    foreseen.files.extend(removed.chain(kept));
    for step in steps {
        let Step::Copy { source, destination } = step else { continue };
        let effect = if !replaced.contains(destination.as_path()) {
            Effect::Add
        } else if is_same(source, destination).map_err(InstallError::host("read", destination))? {
            foreseen.unchanged += 1;
            continue;
        } else {
            Effect::Change
        };
        foreseen.files.insert(destination.clone(), effect);
    }
    Ok(foreseen)
}

/// What goes with a path: itself, or the previous revision's files in a directory, which goes only if there are no others.
fn files_at<'a>(path: &'a Path, previous: &'a Previous) -> Vec<&'a Path> {
    if is_directory(path) != Some(true) {
        return vec![path];
    }
    let paths = previous.paths.iter().map(PathBuf::as_path);
    paths.filter(|inner| inner.starts_with(path) && is_directory(inner) == Some(false)).collect()
}

/// Whether a directory is there; nothing where nothing is.
fn is_directory(path: &Path) -> Option<bool> {
    fs::symlink_metadata(path).ok().map(|found| found.is_dir())
}

/// Whether two paths have the same content, or are links to the same place.
fn is_same(one: &Path, other: &Path) -> io::Result<bool> {
    let (kind, kind_of_other) = (fs::symlink_metadata(one)?, fs::symlink_metadata(other)?);
    if kind.is_symlink() && kind_of_other.is_symlink() {
        return Ok(fs::read_link(one)? == fs::read_link(other)?);
    }
    if !kind.is_file() || !kind_of_other.is_file() || kind.len() != kind_of_other.len() {
        return Ok(false);
    }
    let (mut one, mut other) = (File::open(one)?, File::open(other)?);
    let (mut piece, mut piece_of_other) = (vec![0; COMPARED_BYTES], vec![0; COMPARED_BYTES]);
    loop {
        let read = one.read(&mut piece)?;
        if read == 0 {
            return Ok(other.read(&mut piece_of_other)? == 0);
        }
        match other.read_exact(&mut piece_of_other[..read]) {
            Ok(()) if piece[..read] == piece_of_other[..read] => {}
            // It became shorter meanwhile.
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => return Err(error),
            Ok(()) | Err(_) => return Ok(false),
        }
    }
}

#[cfg(test)]
mod tests;
