//! Backups: one archive with everything that a server cannot make again, taken while it runs.
//!
//! The archive is a tar file. It holds the database as of one moment as a SQLite file, whichever engine it came from; the
//! bytes of every object that the database names; and the root credentials, if they are a file. Last come a manifest with
//! the digest of each file and the manifest's own digest, so that an archive that was cut short is known to be.
//!
//! The disks of local instances are not in it.

mod archive;
mod make;
mod restore;

use std::io;

use camino::Utf8PathBuf;
use model::Timestamp;
use serde::{Deserialize, Serialize};
use store::StoreError;

pub use make::{Made, back_up};
pub use restore::{Archive, Over};

/// The form of the archives that this program writes, and the newest that it reads.
const FORMAT: u32 = 1;

/// What an archive says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The form of the archive.
    format: u32,
    /// The version of the program that wrote it.
    pub program: String,
    /// The schema of its database.
    pub schema: i64,
    /// When it was begun, in milliseconds since 1970: what was acknowledged before is in it.
    created: i64,
    /// Every other file in it.
    files: Vec<FileEntry>,
}

impl Manifest {
    /// When it was begun.
    pub fn created(&self) -> Timestamp {
        Timestamp::from_millis(self.created)
    }

    /// How many files of objects are in it.
    pub fn objects(&self) -> usize {
        self.files.iter().filter(|file| is_of_object(&file.path)).count()
    }

    /// How many bytes all files have.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}

/// A file in an archive.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct FileEntry {
    path: String,
    bytes: u64,
    /// Of its bytes, in hexadecimal.
    sha256: String,
}

fn is_of_object(path: &str) -> bool {
    path.strip_prefix(crate::data_dir::OBJECTS).is_some_and(|rest| rest.starts_with('/'))
}

/// Why there is no backup, or why it was not restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A file or directory cannot be used.
    #[error("cannot {deed} {path}")]
    File {
        /// What was to be done.
        deed: &'static str,
        /// With what.
        path: Utf8PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The database cannot be used.
    #[error("the database cannot be used")]
    Store(#[from] StoreError),
    /// No server has run here, or it keeps its state elsewhere.
    #[error("there is no database in {0}: is its state in PostgreSQL (--database-url)?")]
    NoDatabase(Utf8PathBuf),
    /// Somebody else makes a backup.
    #[error("another backup of {0} is being made")]
    Busy(Utf8PathBuf),
    /// An object's file was removed again and again before it could be held.
    #[error("objects change faster than they can be held: try again when less is written")]
    Restless,
    /// An archive must not be overwritten.
    #[error("{0} exists: choose another name")]
    Exists(Utf8PathBuf),
    /// Not what a backup wrote.
    #[error("{archive} is damaged, or no backup: {what}; nothing was written")]
    Damaged {
        /// The archive.
        archive: Utf8PathBuf,
        /// What is wrong.
        what: String,
    },
    /// An older program met a newer archive.
    #[error(
        "{archive} was made by longshore {program}, with schema {found}; this program knows schemas up to {known}: restore it with that version or a later one"
    )]
    Newer {
        /// The archive.
        archive: Utf8PathBuf,
        /// The version that made it.
        program: String,
        /// Its schema.
        found: i64,
        /// The newest schema known here.
        known: i64,
    },
    /// The form of the archive is newer.
    #[error("{0} has a form that this program does not know: restore it with a later version")]
    NewerForm(Utf8PathBuf),
    /// There is something in the way.
    #[error("{0} is not empty: name another directory, or say --replace to remove the state in it")]
    NotEmpty(Utf8PathBuf),
}

impl BackupError {
    fn file(deed: &'static str, path: impl Into<Utf8PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { deed, path, source }
    }
}

#[cfg(test)]
mod tests;
