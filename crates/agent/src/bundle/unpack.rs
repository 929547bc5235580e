//! Unpacking: archive entries in, files below one directory out.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use archive::{BadName, climbs_out, entry_path, shown};
use camino::Utf8Path;

use super::beneath::Beneath;
use super::pool::{PIECE_BYTES, Pool};
use super::spool::Spool;
use super::{BundleError, place, tarball, zipfile};
use crate::spec::ArchiveType;
use crate::write_behind::WriteBehind;

/// Unpacks what the spool brings into the directory `into`, which is made anew. Archives that are read from their end, zip, are
/// unpacked when all is there.
///
/// # Errors
/// The archive is damaged, hostile or too large, or the host refuses to write (a full disk). What was unpacked so far stays,
/// below `into`.
pub(super) fn unpack(
    spool: &mut Spool,
    kind: ArchiveType,
    into: &Utf8Path,
    bytes_max: u64,
) -> Result<(), BundleError> {
    if into.exists() {
        fs::remove_dir_all(into).map_err(BundleError::host("remove", into))?;
    }
    fs::create_dir_all(into).map_err(BundleError::host("create", into))?;
    let beneath = Beneath::open(into.as_std_path()).map_err(BundleError::host("open", into))?;
    let setting = Setting::below(into).map_err(BundleError::host("look at", into))?;
    let first_fault = Mutex::new(None);
    let _behind = WriteBehind::at(into.as_std_path());
    let done = std::thread::scope(|scope| {
        let pool = Pool::start(scope, into, setting, &first_fault)?;
        let budget = Budget { left: bytes_max, max: bytes_max };
        let mut writer = Writer { beneath, into, setting, budget, pool, directories: Vec::new() };
        match kind {
            ArchiveType::Tar | ArchiveType::Tgz | ArchiveType::TarZst => {
                tarball::unpack(spool, kind, &mut writer)?;
            }
            ArchiveType::Zip => zipfile::unpack(spool.drained()?, &mut writer)?,
        }
        writer.finish()
    });
    let fault = first_fault.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.and(fault.map_or(Ok(()), Err))
}

/// Unpacks an archive of this host to `archive`, which is made anew.
///
/// # Errors
/// The archive is damaged, hostile or too large, or the host refuses to write. What is at `archive` is as it was then.
pub fn unpack_file(
    bundle: &Utf8Path,
    kind: ArchiveType,
    archive: &Utf8Path,
    bytes_max: u64,
) -> Result<(), BundleError> {
    let unpacked = place::beside(archive);
    let done = unpack(&mut Spool::of_file(bundle, false)?, kind, &unpacked, bytes_max);
    let done = done.and_then(|()| place::place(&unpacked, archive));
    if done.is_err() {
        place::discard(&unpacked);
    }
    done
}

/// What an archive says about an entry besides its content; what it does not say is left as it comes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Attributes {
    pub mode: Option<u32>,
    pub owner: Option<(u32, u32)>,
    /// Seconds since the epoch.
    pub modified: Option<u64>,
}

/// How attributes are set.
#[derive(Debug, Clone, Copy)]
pub(super) struct Setting {
    /// The owner that files have when they are made, where that is known.
    owner: Option<(u32, u32)>,
}

impl Setting {
    /// For what is made below an empty directory of ours. A set-group-id directory gives its group to all that is made in it;
    /// those of the archive get that bit when they are filled.
    fn below(into: &Utf8Path) -> io::Result<Self> {
        let metadata = fs::symlink_metadata(into)?;
        let owner = (metadata.mode() & 0o2000 == 0).then_some((metadata.uid(), metadata.gid()));
        Ok(Self { owner })
    }

    pub fn set(self, file: &File, with: Attributes) -> io::Result<()> {
        // The owner first: changing it drops the set-user-id bits of the mode.
        if let Some((uid, gid)) = with.owner.filter(|owner| self.owner != Some(*owner)) {
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
}

/// What an archive may still unpack to.
struct Budget {
    left: u64,
    max: u64,
}

impl Budget {
    fn take(&mut self, bytes: usize) -> Result<(), BundleError> {
        let left = self.left.checked_sub(bytes as u64);
        self.left = left.ok_or(BundleError::TooLarge { bytes_max: self.max })?;
        Ok(())
    }
}

/// Checks entries, makes directories and links, and has files written.
pub(super) struct Writer<'a> {
    beneath: Beneath,
    into: &'a Utf8Path,
    setting: Setting,
    budget: Budget,
    pool: Pool<'a>,
    /// Directories get their mode and time last: a read-only one could not be filled, and filling changes the time.
    directories: Vec<(PathBuf, Attributes)>,
}

impl Writer<'_> {
    pub(super) fn directory(&mut self, name: &[u8], with: Attributes) -> Result<(), BundleError> {
        let path = checked(name)?;
        let made = self.beneath.directory(&path);
        made.map_err(|error| fault(self.into, "create", name, error))?;
        self.directories.push((path, with));
        Ok(())
    }

    /// `size` is what the archive says: it only tells how much memory to take.
    pub(super) fn file(
        &mut self,
        name: &[u8],
        content: &mut dyn Read,
        size: u64,
        with: Attributes,
    ) -> Result<(), BundleError> {
        let path = named(name)?;
        let thread = self.pool.thread_of(&path);
        let first = self.piece(name, content, size)?;
        let mut more = first.1;
        self.pool.begin(thread, (path, name.to_vec()), with, first)?;
        while more {
            let (next, is_more) = self.piece(name, content, size)?;
            more = is_more;
            self.pool.more(thread, next, more)?;
        }
        Ok(())
    }

    /// The next piece of a file's content, and whether there may be more.
    fn piece(
        &mut self,
        name: &[u8],
        content: &mut dyn Read,
        size: u64,
    ) -> Result<(Vec<u8>, bool), BundleError> {
        let likely = usize::try_from(size).unwrap_or(usize::MAX).min(PIECE_BYTES);
        let mut piece = Vec::with_capacity(likely);
        content.take(PIECE_BYTES as u64).read_to_end(&mut piece).map_err(|error| {
            BundleError::Archive { kind: "the", reason: format!("{}: {error}", shown(name)) }
        })?;
        self.budget.take(piece.len())?;
        let is_more = piece.len() == PIECE_BYTES;
        Ok((piece, is_more))
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
        // It may take the place of a file that comes before it in the archive.
        self.pool.settle()?;
        let made = self.beneath.symlink(&path, target);
        made.map_err(|error| fault(self.into, "create", name, error))?;
        if let Some((uid, gid)) = with.owner {
            let owned = self.beneath.own_link(&path, uid, gid);
            owned.map_err(|error| fault(self.into, "set the owner of", name, error))?;
        }
        Ok(())
    }

    pub(super) fn hard_link(&mut self, name: &[u8], existing: &[u8]) -> Result<(), BundleError> {
        let path = named(name)?;
        let outside = |reason: String| {
            hostile(name, format!("is a hard link to `{}`, which {reason}", shown(existing)))
        };
        let target = entry_path(existing).map_err(|bad| outside(bad.to_string()))?;
        self.pool.settle()?;
        let made = self.beneath.hard_link(&path, &target);
        made.map_err(|error| outside(format!("is no file of the archive: {error}")))
    }

    fn finish(mut self) -> Result<(), BundleError> {
        self.pool.settle()?;
        let Self { mut beneath, into, setting, directories, .. } = self;
        for (path, with) in directories.into_iter().rev() {
            let fd = beneath.directory(&path);
            let set = fd.and_then(|fd| setting.set(&File::from(fd.try_clone()?), with));
            let shown = into.as_std_path().join(&path).to_string_lossy().into_owned();
            set.map_err(BundleError::host("set the attributes of", shown))?;
        }
        Ok(())
    }
}

/// A link or another thing in the way is the archive's fault, everything else this host's.
pub(super) fn fault(
    into: &Utf8Path,
    action: &'static str,
    name: &[u8],
    error: io::Error,
) -> BundleError {
    let linked = [rustix::io::Errno::LOOP, rustix::io::Errno::XDEV, rustix::io::Errno::NOTDIR];
    if linked.iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error())) {
        return hostile(name, "lies behind a link or a file of the same archive".to_owned());
    }
    BundleError::host(action, into.join(shown(name)))(error)
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
        return Err(hostile(name, BadName::Empty.to_string()));
    }
    Ok(path)
}
