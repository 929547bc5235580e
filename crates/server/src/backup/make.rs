//! Makes a backup of a data directory while a server may be running on it.
//!
//! The moment of the database comes first, then the files that it names get a second name each, which outlives whatever
//! the server removes. A file that is gone by then belonged to an object that is gone: a later moment does not name it,
//! and few files are new in that. So it ends, unless objects are replaced faster than a handful of files is linked.

use std::collections::{BTreeSet, HashSet};
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};

use camino::{Utf8Path, Utf8PathBuf};
use model::Timestamp;
use rustix::fs::FlockOperation;
use store::{Database, Moment};

use super::archive::Writer;
use super::{BackupError, Manifest};
use crate::data_dir::{self, DATABASE, OBJECTS, ROOT_CREDENTIALS, place_of_object};

/// Where files are held while a backup is made: in the data directory, since a file cannot have a name elsewhere.
const STAGE: &str = "backup-in-progress";

/// How many moments are tried.
const TRIES: u32 = 50;

/// A backup that was made.
#[derive(Debug)]
pub struct Made {
    /// What is in it.
    pub manifest: Manifest,
}

/// Makes a backup of the server with this data directory, running or not, in the new file `archive`, which is there when
/// it is whole and not before. Only its owner may read it: it holds every secret of the installation.
///
/// Must be called within a tokio runtime, and blocks it.
///
/// # Errors
/// The state cannot be read or the archive not written; nothing is left behind then.
pub async fn back_up(
    data_dir: &Utf8Path,
    database_url: Option<&str>,
    archive: &Utf8Path,
    now: Timestamp,
) -> Result<Made, BackupError> {
    if archive.exists() {
        return Err(BackupError::Exists(archive.to_owned()));
    }
    let database = data_dir::database(data_dir, database_url);
    if matches!(&database, Database::Sqlite(path) if !path.is_file()) {
        return Err(BackupError::NoDatabase(data_dir.to_owned()));
    }
    let stage = Stage::open(data_dir)?;
    let moment = stage.hold(data_dir, &database).await?;
    let copy = stage.path.join(DATABASE);
    moment.copy_to(copy.as_std_path()).await?;
    let draft = Draft::create(archive)?;
    let seconds = u64::try_from(now.as_millis() / 1000).unwrap_or_default();
    let mut writer = Writer::new(draft.file()?, seconds);
    let mut add = |path: &str, source: &Utf8Path| {
        writer.add(path, source).map_err(BackupError::file("back up", source))
    };
    add(DATABASE, &copy)?;
    let credentials = data_dir.join(ROOT_CREDENTIALS);
    if credentials.is_file() {
        add(ROOT_CREDENTIALS, &credentials)?;
    }
    for path in stage.files_of(moment.files())? {
        add(&format!("{OBJECTS}/{path}"), &stage.path.join(OBJECTS).join(&path))?;
    }
    let schema = moment.schema();
    // The database need not be held for as long as the disk takes.
    drop(moment);
    let manifest =
        writer.finish(schema, now.as_millis()).map_err(BackupError::file("write", &*draft.path))?;
    draft.publish(archive)?;
    Ok(Made { manifest })
}

/// Second names of files, gone when this is.
struct Stage {
    path: Utf8PathBuf,
    /// Locked, so that there is one backup at a time.
    _held: File,
}

impl Stage {
    fn open(data_dir: &Utf8Path) -> Result<Self, BackupError> {
        let path = data_dir.join(STAGE);
        let using = |source| BackupError::File { deed: "use", path: path.clone(), source };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&path).map_err(using)?;
        let held = File::open(&path).map_err(using)?;
        match rustix::fs::flock(&held, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                return Err(BackupError::Busy(data_dir.to_owned()));
            }
            Err(error) => return Err(using(error.into())),
        }
        let stage = Self { path: path.clone(), _held: held };
        // What a backup left that was killed.
        stage.clear().map_err(using)?;
        Ok(stage)
    }

    /// A moment of the database, with all its files held.
    async fn hold(&self, data_dir: &Utf8Path, database: &Database) -> Result<Moment, BackupError> {
        let mut held = HashSet::new();
        for _ in 0..TRIES {
            let moment = Moment::hold(database).await?;
            let mut lacks = false;
            for file in moment.files() {
                if held.contains(file) {
                    continue;
                }
                let source = data_dir.join(OBJECTS).join(place_of_object(file));
                match self.link(&source, &place_of_object(file)) {
                    Ok(()) => drop(held.insert(file.clone())),
                    Err(error) if error.kind() == ErrorKind::NotFound => lacks = true,
                    Err(error) => return Err(BackupError::file("hold", source)(error)),
                }
            }
            if !lacks {
                return Ok(moment);
            }
        }
        Err(BackupError::Restless)
    }

    /// Gives a file, or every file in a directory, its second name.
    fn link(&self, source: &Utf8Path, place: &Utf8Path) -> io::Result<()> {
        let target = self.path.join(OBJECTS).join(place);
        if fs::symlink_metadata(source)?.is_dir() {
            for entry in source.read_dir_utf8()? {
                let entry = entry?;
                hard_link(entry.path(), &target.join(entry.file_name()))?;
            }
            return Ok(());
        }
        hard_link(source, &target)
    }

    /// The files held for what rows name, below the directory of objects.
    fn files_of(&self, names: &[String]) -> Result<BTreeSet<Utf8PathBuf>, BackupError> {
        let mut files = BTreeSet::new();
        for name in names {
            let place = place_of_object(name);
            let path = self.path.join(OBJECTS).join(&place);
            if !path.is_dir() {
                files.insert(place);
                continue;
            }
            for entry in path.read_dir_utf8().map_err(BackupError::file("read", &*path))? {
                let entry = entry.map_err(BackupError::file("read", &*path))?;
                files.insert(place.join(entry.file_name()));
            }
        }
        Ok(files)
    }

    fn clear(&self) -> io::Result<()> {
        for entry in self.path.read_dir_utf8()? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                fs::remove_dir_all(entry.path())?;
            } else {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // What cannot be removed now, the next backup removes.
        let _ = fs::remove_dir_all(&self.path);
    }
}

fn hard_link(source: &Utf8Path, target: &Utf8Path) -> io::Result<()> {
    if let Some(parent) = target.parent() {
        fs::create_dir_all(parent)?;
    }
    match fs::hard_link(source, target) {
        // A directory of parts was held in part before.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

/// An archive before it has its name; gone if it never gets it.
struct Draft {
    path: Utf8PathBuf,
    named: bool,
}

impl Draft {
    fn create(archive: &Utf8Path) -> Result<Self, BackupError> {
        let path = Utf8PathBuf::from(format!("{archive}.partial"));
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(BackupError::file("replace", path)(error));
            }
            _ => {}
        }
        File::options()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(BackupError::file("write", &*path))?;
        Ok(Self { path, named: false })
    }

    fn file(&self) -> Result<File, BackupError> {
        let file = File::options().write(true).open(&self.path);
        file.map_err(BackupError::file("write", &*self.path))
    }

    fn publish(mut self, archive: &Utf8Path) -> Result<(), BackupError> {
        fs::rename(&self.path, archive).map_err(BackupError::file("write", archive))?;
        self.named = true;
        let parent = archive.parent().filter(|parent| !parent.as_str().is_empty());
        let directory = parent.unwrap_or(Utf8Path::new("."));
        let synced = File::open(directory).and_then(|directory| directory.sync_all());
        synced.map_err(BackupError::file("write into", directory))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.named {
            let _ = fs::remove_file(&self.path);
        }
    }
}
