//! Restores a backup: all of it is verified before anything is written, and put in place when it is whole.

use std::fs::{self, File};
use std::io::ErrorKind;

use camino::{Utf8Path, Utf8PathBuf};

use super::archive::{self, extract};
use super::{BackupError, Manifest};
use crate::data_dir::{DATABASE, LOCK, OBJECTS, ROOT_CREDENTIALS};

/// Where files wait until they are all there.
const STAGE: &str = "restore-in-progress";

/// Beside the database, where SQLite keeps what is not in it yet.
const BESIDE: [&str; 2] = ["longshore.db-wal", "longshore.db-shm"];

/// An archive in which every digest was found right.
#[derive(Debug)]
pub struct Archive {
    path: Utf8PathBuf,
    file: File,
    manifest: Manifest,
}

/// What becomes of the state that a data directory has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// It stays, and the restore is refused.
    Nothing,
    /// It is removed.
    Anything,
}

impl Archive {
    /// Reads the whole archive, and writes nothing.
    ///
    /// # Errors
    /// It cannot be read, is damaged, or newer than this program.
    pub fn verify(path: &Utf8Path) -> Result<Self, BackupError> {
        let file = File::open(path).map_err(BackupError::file("read", path))?;
        let manifest = archive::read(path, &file, |_, _| Ok(()))?;
        Ok(Self { path: path.to_owned(), file, manifest })
    }

    /// What it says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Whether a data directory may take it.
    ///
    /// # Errors
    /// Something is in it, or it cannot be read.
    pub fn check_room(data_dir: &Utf8Path, over: Over) -> Result<(), BackupError> {
        let entries = match data_dir.read_dir_utf8() {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(BackupError::file("read", data_dir))?,
        };
        for entry in entries {
            let entry = entry.map_err(BackupError::file("read", data_dir))?;
            // The lock says nothing, and what a restore left that was killed is nobody's.
            if over == Over::Nothing && ![LOCK, STAGE].contains(&entry.file_name()) {
                return Err(BackupError::NotEmpty(data_dir.to_owned()));
            }
        }
        Ok(())
    }

    /// Puts the state into a data directory, and the database's into an empty PostgreSQL database if one is named. Its
    /// schema is brought up to date. The caller holds the directory's lock.
    ///
    /// Must be called within a tokio runtime, and blocks it.
    ///
    /// # Errors
    /// There is state already, or no room for it; what was there is as it was then.
    pub async fn restore(
        &self,
        data_dir: &Utf8Path,
        database_url: Option<&str>,
        over: Over,
    ) -> Result<(), BackupError> {
        Self::check_room(data_dir, over)?;
        let stage = data_dir.join(STAGE);
        remove(&stage)?;
        let restored = self.restore_by(&stage, data_dir, database_url).await;
        if restored.is_err() {
            // The error says more than that this failed too.
            let _ = remove(&stage);
        }
        restored
    }

    async fn restore_by(
        &self,
        stage: &Utf8Path,
        data_dir: &Utf8Path,
        database_url: Option<&str>,
    ) -> Result<(), BackupError> {
        // Digests are compared once more: the file may have been changed since.
        archive::read(&self.path, &self.file, |path, bytes| {
            let to = stage.join(path);
            extract(bytes, &to).map_err(BackupError::file("write", to))
        })?;
        let database = stage.join(DATABASE);
        store::migrate_file(database.as_std_path())?;
        let stage_file = File::open(stage).map_err(BackupError::file("read", stage))?;
        rustix::fs::syncfs(&stage_file)
            .map_err(|error| BackupError::file("write", stage)(error.into()))?;
        if let Some(url) = database_url {
            store::load(url, database.as_std_path()).await?;
            remove(&database)?;
        }
        for name in [OBJECTS, DATABASE, BESIDE[0], BESIDE[1], ROOT_CREDENTIALS] {
            remove(&data_dir.join(name))?;
        }
        // The database last: without it there is no state.
        for name in [OBJECTS, ROOT_CREDENTIALS, DATABASE] {
            let (from, to) = (stage.join(name), data_dir.join(name));
            if from.exists() {
                fs::rename(from, &to).map_err(BackupError::file("write", to))?;
            }
        }
        remove(stage)?;
        let synced = File::open(data_dir).and_then(|directory| directory.sync_all());
        synced.map_err(BackupError::file("write into", data_dir))
    }
}

/// Removes a file, or a directory with what is in it, if there is one.
fn remove(path: &Utf8Path) -> Result<(), BackupError> {
    let removed = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(BackupError::file("remove", path)(error))
        }
        _ => Ok(()),
    }
}
