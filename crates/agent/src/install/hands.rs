//! What an install does to the disk, one call at a time.
//!
//! Everything that changes the disk goes through [`Hands`], so that tests can make each single call fail and look at what is
//! left.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, RenameFlags, XattrFlags};

use super::copy;
use super::ledger::Stamp;
use crate::write_behind::WriteBehind;

const ACCESS_LIST: &str = "system.posix_acl_access";
const DEFAULT_LIST: &str = "system.posix_acl_default";
/// The SELinux context.
const LABEL: &str = "security.selinux";
/// More than any access control list has: the kernel's own limit for an attribute.
const LIST_BYTES_MAX: usize = 64 * 1024;

/// Makes changes on the disk.
#[derive(Debug, Default)]
pub struct Hands {
    fuse: Option<Fuse>,
}

/// Lets a number of calls through and fails the next: that one only, or all from there on, as if the host had died.
#[derive(Debug)]
struct Fuse {
    left: Cell<u64>,
    lasting: bool,
    failed: Cell<bool>,
}

/// Owner, mode, access lists and SELinux context of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attributes {
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub access: Option<Vec<u8>>,
    pub default: Option<Vec<u8>>,
    /// Nothing where there is none, or where it is to stay as it is.
    pub label: Option<Vec<u8>>,
}

impl Attributes {
    pub fn of(path: &Path) -> io::Result<Self> {
        let metadata = fs::symlink_metadata(path)?;
        Ok(Self {
            mode: metadata.mode() & 0o7777,
            uid: metadata.uid(),
            gid: metadata.gid(),
            access: attribute(path, ACCESS_LIST),
            default: attribute(path, DEFAULT_LIST),
            label: attribute(path, LABEL),
        })
    }

    /// The same, but whoever gets them keeps the context that the host's rules gave it.
    pub fn without_label(self) -> Self {
        Self { label: None, ..self }
    }
}

/// An extended attribute; none where there is none, or the file system has no such thing.
fn attribute(path: &Path, name: &str) -> Option<Vec<u8>> {
    let mut buffer = vec![0; LIST_BYTES_MAX];
    let length = rustix::fs::getxattr(path, name, &mut buffer[..]).ok()?;
    buffer.truncate(length);
    Some(buffer)
}

impl Hands {
    /// Hands that fail after `calls` changes: once, or from there on.
    #[cfg(test)]
    pub(super) fn failing_after(calls: u64, lasting: bool) -> Self {
        Self { fuse: Some(Fuse { left: Cell::new(calls), lasting, failed: Cell::new(false) }) }
    }

    /// Whether they have failed.
    #[cfg(test)]
    pub(super) fn has_failed(&self) -> bool {
        self.fuse.as_ref().is_some_and(|fuse| fuse.failed.get())
    }

    fn tick(&self) -> io::Result<()> {
        let Some(fuse) = &self.fuse else { return Ok(()) };
        if fuse.left.get() > 0 {
            fuse.left.set(fuse.left.get() - 1);
            return Ok(());
        }
        fuse.failed.set(true);
        if !fuse.lasting {
            fuse.left.set(u64::MAX);
        }
        Err(io::Error::from(rustix::io::Errno::IO))
    }

    pub(super) fn make_directory(&self, path: &Path, mode: u32) -> io::Result<()> {
        self.tick()?;
        fs::DirBuilder::new().mode(mode).create(path)
    }

    /// Copies files to where the place of each is staged; the stamps of what was made, or which one failed, and why. On all cores, but
    /// where calls are counted.
    pub(super) fn copy_all<'a>(
        &self,
        files: &[(&'a Path, &'a Path)],
        staged: impl Fn(&'a Path) -> Cow<'a, Path> + Sync,
    ) -> Result<Vec<Stamp>, (usize, io::Error)> {
        if self.fuse.is_none() {
            return copy::copy_all(files, staged);
        }
        let mut copier = copy::Copier::default();
        let copies = files.iter().enumerate().map(|(at, (source, to))| {
            let done = self.tick().and_then(|()| copier.copy(source, &staged(to)));
            done.map_err(|error| (at, error))
        });
        copies.collect()
    }

    /// Has the disk write what will be made on the file system of a directory, as long as what is returned is kept.
    pub(super) fn write_behind(&self, directory: &Path) -> Option<WriteBehind> {
        self.fuse.is_none().then(|| WriteBehind::at(directory))
    }

    pub(super) fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.tick()?;
        fs::rename(from, to)
    }

    /// Renames to a name that nobody has.
    pub(super) fn place(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.tick()?;
        match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
            // Not every file system can: then what is there is looked at first.
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => {
                if fs::symlink_metadata(to).is_ok() {
                    return Err(io::ErrorKind::AlreadyExists.into());
                }
                fs::rename(from, to)
            }
            result => Ok(result?),
        }
    }

    /// Gives a file a second name, or, where a file system knows no such thing, the other name.
    pub(super) fn second_name(&self, path: &Path, second: &Path) -> io::Result<()> {
        self.tick()?;
        use rustix::io::Errno;
        match rustix::fs::linkat(CWD, path, CWD, second, AtFlags::empty()) {
            Err(Errno::PERM | Errno::NOTSUP | Errno::MLINK | Errno::NOSYS | Errno::XDEV) => {
                fs::rename(path, second)
            }
            result => Ok(result?),
        }
    }

    /// Removes a file that may be gone.
    pub(super) fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.tick()?;
        gone(fs::remove_file(path))
    }

    /// Removes a directory that may be gone; one with something in it stays.
    pub(super) fn remove_directory(&self, path: &Path) -> io::Result<()> {
        self.tick()?;
        match gone(fs::remove_dir(path)) {
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
            other => other,
        }
    }

    /// Removes a directory of ours with all that is in it.
    pub(super) fn remove_tree(&self, path: &Path) -> io::Result<()> {
        self.tick()?;
        match fs::symlink_metadata(path) {
            Ok(metadata) if metadata.is_dir() => gone(fs::remove_dir_all(path)),
            Ok(_) => gone(fs::remove_file(path)),
            Err(error) => gone(Err(error)),
        }
    }

    /// Reads a file of the agent's own; nothing where there is none.
    pub(super) fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        self.tick()?;
        match fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            other => other.map(Some),
        }
    }

    /// Lets something be done that changes the disk in a way of its own, such as through another program.
    pub(super) fn let_do<T, E>(
        &self,
        refuse: impl FnOnce(io::Error) -> E,
        work: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        self.tick().map_err(refuse)?;
        work()
    }

    /// Gives a directory owner, mode, access lists and, where one is wanted, its context.
    pub(super) fn set_attributes(&self, path: &Path, wanted: &Attributes) -> io::Result<()> {
        self.tick()?;
        let found = Attributes::of(path)?;
        if let Some(label) =
            wanted.label.as_ref().filter(|label| found.label.as_ref() != Some(label))
        {
            rustix::fs::setxattr(path, LABEL, label, XattrFlags::empty())?;
        }
        if found.clone().without_label() == wanted.clone().without_label() {
            return Ok(());
        }
        if (found.uid, found.gid) != (wanted.uid, wanted.gid) {
            std::os::unix::fs::chown(path, Some(wanted.uid), Some(wanted.gid))?;
        }
        for (name, found, wanted) in [
            (ACCESS_LIST, &found.access, &wanted.access),
            (DEFAULT_LIST, &found.default, &wanted.default),
        ] {
            match wanted {
                Some(list) => rustix::fs::setxattr(path, name, list, XattrFlags::empty())?,
                None if found.is_some() => rustix::fs::removexattr(path, name)?,
                None => {}
            }
        }
        fs::set_permissions(path, fs::Permissions::from_mode(wanted.mode))
    }

    /// Writes a file of the agent's own and waits until the disk has it.
    pub(super) fn write(&self, path: &Path, text: &[u8]) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        self.tick().inspect_err(|_| self.tear(&options, path, text))?;
        let mut file = options.open(path)?;
        file.write_all(text)?;
        if self.loses_nothing() {
            return Ok(());
        }
        file.sync_all()?;
        sync_directory(path)
    }

    /// Adds a line to a file of whole lines and waits until the disk has it.
    pub(super) fn append(&self, path: &Path, line: &[u8]) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.read(true).append(true);
        self.tick().inspect_err(|_| self.tear(&options, path, line))?;
        let mut file = options.open(path)?;
        // A line that was cut off, by a full disk or a kill, is none; this one must not become its end.
        let (found, whole) = (file.metadata()?.len(), whole_lines(&file)?);
        if whole < found {
            file.set_len(whole)?;
        }
        file.write_all(line)?;
        if self.loses_nothing() { Ok(()) } else { file.sync_all() }
    }

    /// What fails in the middle leaves a part behind.
    fn tear(&self, options: &OpenOptions, path: &Path, text: &[u8]) {
        if let Ok(mut file) = options.open(path) {
            let _ = file.write_all(&text[..text.len() / 2]);
        }
    }

    /// A failing test's host dies without losing what was written: waiting for the disk would only take time.
    fn loses_nothing(&self) -> bool {
        self.fuse.is_some()
    }

    /// Waits until the disks have these files and directories; whether it could: some may not be read.
    pub(super) fn sync_each<'a>(
        &self,
        paths: impl Iterator<Item = Cow<'a, Path>>,
    ) -> io::Result<bool> {
        self.tick()?;
        if self.loses_nothing() {
            return Ok(true);
        }
        let mut files = Vec::new();
        for path in paths {
            match File::open(&path) {
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(false),
                file => files.push(file?),
            }
        }
        files.iter().try_for_each(File::sync_all).map(|()| true)
    }

    /// Waits until the disks have everything on the file systems that these directories are on.
    pub(super) fn sync<'a>(&self, directories: impl Iterator<Item = &'a Path>) -> io::Result<()> {
        self.tick()?;
        if self.loses_nothing() {
            return Ok(());
        }
        let mut seen = HashSet::new();
        for directory in directories {
            let file = File::open(directory)?;
            if seen.insert(file.metadata()?.dev()) {
                rustix::fs::syncfs(file.as_fd())?;
            }
        }
        Ok(())
    }
}

/// How many bytes of a file are whole lines.
fn whole_lines(file: &File) -> io::Result<u64> {
    let length = file.metadata()?.len();
    let mut last = [0];
    if length > 0 {
        file.read_exact_at(&mut last, length - 1)?;
    }
    if length == 0 || last == *b"\n" {
        return Ok(length);
    }
    let mut text = Vec::new();
    let mut reader = file;
    reader.rewind()?;
    reader.read_to_end(&mut text)?;
    Ok(text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at as u64 + 1))
}

fn sync_directory(of: &Path) -> io::Result<()> {
    of.parent().map_or(Ok(()), |parent| File::open(parent)?.sync_all())
}

fn gone(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
