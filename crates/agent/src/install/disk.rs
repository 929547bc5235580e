//! The host's disk as it will be when the previous revision's files are gone.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Nothing,
    Directory,
    /// A file, a link that leads to no directory, or anything else.
    Other,
}

/// A view of the disk that leaves out what the previous revision left, save what somebody changed since.
pub(super) struct Disk<'a> {
    leaving: &'a HashSet<PathBuf>,
    staying: &'a HashSet<PathBuf>,
    known: RefCell<HashMap<PathBuf, bool>>,
}

impl<'a> Disk<'a> {
    pub(super) fn without(leaving: &'a HashSet<PathBuf>, staying: &'a HashSet<PathBuf>) -> Self {
        Self { leaving, staying, known: RefCell::default() }
    }

    /// Whether there is a file that somebody changed since it was installed, and that stays unless the new revision has it too.
    pub(super) fn stays(&self, path: &Path) -> bool {
        self.staying.contains(path)
    }

    /// What will be at the path. A link to a directory is a directory; a link to nothing is something, or the revision would
    /// be written through it.
    pub(super) fn kind(&self, path: &Path) -> Kind {
        let Ok(itself) = fs::symlink_metadata(path) else { return Kind::Nothing };
        if self.leaves(path, itself.is_dir()) {
            return Kind::Nothing;
        }
        if fs::metadata(path).is_ok_and(|metadata| metadata.is_dir()) {
            Kind::Directory
        } else {
            Kind::Other
        }
    }

    /// Whether the path will be gone: a directory goes only if nothing in it stays.
    fn leaves(&self, path: &Path, is_directory: bool) -> bool {
        if !self.leaving.contains(path) {
            return false;
        }
        if !is_directory {
            return true;
        }
        if let Some(known) = self.known.borrow().get(path) {
            return *known;
        }
        let empties = fs::read_dir(path).is_ok_and(|entries| {
            entries.flatten().all(|entry| {
                let path = entry.path();
                let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
                !self.staying.contains(&path) && self.leaves(&path, is_directory)
            })
        });
        self.known.borrow_mut().insert(path.to_owned(), empties);
        empties
    }
}

/// Whether it is known that nothing is at a path that could not be looked at: no file has a name that is too long for the
/// file system, or one with a zero byte, which a damaged record may hold.
pub(super) fn not_there(error: io::Error) -> io::Result<bool> {
    use io::ErrorKind::{InvalidFilename, InvalidInput, NotADirectory, NotFound};
    match error.kind() {
        NotFound | NotADirectory | InvalidFilename | InvalidInput => Ok(false),
        // Maybe something is, and nobody's work is thrown away for a maybe.
        _ => Err(error),
    }
}
