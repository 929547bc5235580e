//! Unpacking: archive entries in, files below one directory out.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use camino::Utf8Path;

use super::beneath::{Beneath, climbs_out, entry_path, shown};
use super::{BundleError, tarball, zipfile};
use crate::spec::ArchiveType;

/// Unpacks `archive` into `into`, which is made anew.
///
/// # Errors
/// The archive is damaged, hostile or too large, or the host refuses to write (a full disk). What was unpacked so far stays,
/// below `into`.
pub fn unpack(
    archive: &Utf8Path,
    kind: ArchiveType,
    into: &Utf8Path,
    bytes_max: u64,
) -> Result<(), BundleError> {
    if into.exists() {
        fs::remove_dir_all(into).map_err(BundleError::host("remove", into))?;
    }
    fs::create_dir_all(into).map_err(BundleError::host("create", into))?;
    let beneath = Beneath::open(into.as_std_path()).map_err(BundleError::host("open", into))?;
    let file = File::open(archive).map_err(BundleError::host("open", archive))?;
    let mut writer = Writer {
        beneath,
        into: into.into(),
        bytes_left: bytes_max,
        bytes_max,
        directories: Vec::new(),
    };
    match kind {
        ArchiveType::Tar | ArchiveType::Tgz | ArchiveType::TarZst => {
            tarball::unpack(file, kind, &mut writer)?;
        }
        ArchiveType::Zip => zipfile::unpack(file, &mut writer)?,
    }
    writer.finish()
}

/// What an archive says about an entry besides its content; what it does not say is left as it comes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Attributes {
    pub mode: Option<u32>,
    pub owner: Option<(u32, u32)>,
    /// Seconds since the epoch.
    pub modified: Option<u64>,
}

/// Writes entries and checks each.
pub(super) struct Writer {
    beneath: Beneath,
    into: PathBuf,
    bytes_left: u64,
    bytes_max: u64,
    /// Directories get their mode and time last: a read-only one could not be filled, and filling changes the time.
    directories: Vec<(PathBuf, Attributes)>,
}

impl Writer {
    pub(super) fn directory(&mut self, name: &[u8], with: Attributes) -> Result<(), BundleError> {
        let path = checked(name)?;
        let made = self.beneath.directory(&path);
        made.map_err(|error| self.fault("create", name, error))?;
        self.directories.push((path, with));
        Ok(())
    }

    pub(super) fn file(
        &mut self,
        name: &[u8],
        content: &mut dyn Read,
        with: Attributes,
    ) -> Result<(), BundleError> {
        let path = named(name)?;
        let file = self.beneath.file(&path).map_err(|error| self.fault("create", name, error))?;
        self.fill(name, content, &file)?;
        set(&file, with).map_err(|error| self.fault("set the attributes of", name, error))
    }

    fn fill(
        &mut self,
        name: &[u8],
        content: &mut dyn Read,
        mut file: &File,
    ) -> Result<(), BundleError> {
        let mut buffer = [0; 64 * 1024];
        loop {
            let count = match content.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    let reason = format!("{}: {error}", shown(name));
                    return Err(BundleError::Archive { kind: "the", reason });
                }
            };
            self.bytes_left = (self.bytes_left)
                .checked_sub(count as u64)
                .ok_or(BundleError::TooLarge { bytes_max: self.bytes_max })?;
            file.write_all(&buffer[..count]).map_err(|error| self.fault("write", name, error))?;
        }
    }

    pub(super) fn symlink(
        &mut self,
        name: &[u8],
        target: &Path,
        with: Attributes,
    ) -> Result<(), BundleError> {
        let path = named(name)?;
        if target.as_os_str().is_empty() || climbs_out(&path, target) {
            let reason = format!("is a link to `{}`, outside of the archive", target.display());
            return Err(hostile(name, reason));
        }
        let made = self.beneath.symlink(&path, target);
        made.map_err(|error| self.fault("create", name, error))?;
        if let Some((uid, gid)) = with.owner {
            let owned = self.beneath.own_link(&path, uid, gid);
            owned.map_err(|error| self.fault("set the owner of", name, error))?;
        }
        Ok(())
    }

    pub(super) fn hard_link(&mut self, name: &[u8], existing: &[u8]) -> Result<(), BundleError> {
        let path = named(name)?;
        let outside = |reason: String| {
            hostile(name, format!("is a hard link to `{}`, which {reason}", shown(existing)))
        };
        let target = entry_path(existing).map_err(|bad| outside(bad.to_string()))?;
        let made = self.beneath.hard_link(&path, &target);
        made.map_err(|error| outside(format!("is no file of the archive: {error}")))
    }

    pub(super) fn finish(self) -> Result<(), BundleError> {
        let Self { mut beneath, into, directories, .. } = self;
        for (path, with) in directories.into_iter().rev() {
            let fd = beneath.directory(&path);
            let set = fd.and_then(|fd| set(&File::from(fd.try_clone()?), with));
            let shown = into.join(&path).to_string_lossy().into_owned();
            set.map_err(BundleError::host("set the attributes of", shown))?;
        }
        Ok(())
    }

    /// A link or another thing in the way is the archive's fault, everything else this host's.
    fn fault(&self, action: &'static str, name: &[u8], error: io::Error) -> BundleError {
        let linked = [rustix::io::Errno::LOOP, rustix::io::Errno::XDEV, rustix::io::Errno::NOTDIR];
        if linked.iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error())) {
            return hostile(name, "lies behind a link or a file of the same archive".to_owned());
        }
        let path = self.into.join(shown(name)).to_string_lossy().into_owned();
        BundleError::host(action, path)(error)
    }
}

pub(super) fn hostile(name: &[u8], reason: String) -> BundleError {
    BundleError::Hostile { entry: shown(name), reason }
}

fn checked(name: &[u8]) -> Result<PathBuf, BundleError> {
    entry_path(name).map_err(|bad| hostile(name, bad.to_string()))
}

fn named(name: &[u8]) -> Result<PathBuf, BundleError> {
    let path = checked(name)?;
    if path.as_os_str().is_empty() {
        return Err(hostile(name, super::beneath::BadName::Empty.to_string()));
    }
    Ok(path)
}

fn set(file: &File, with: Attributes) -> io::Result<()> {
    // The owner first: changing it drops the set-user-id bits of the mode.
    if let Some((uid, gid)) = with.owner {
        std::os::unix::fs::fchown(file, Some(uid), Some(gid))?;
    }
    file.set_permissions(fs::Permissions::from_mode(with.mode.unwrap_or(0o644) & 0o7777))?;
    if let Some(seconds) = with.modified
        && let Some(time) = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
    {
        file.set_times(fs::FileTimes::new().set_accessed(time).set_modified(time))?;
    }
    Ok(())
}
