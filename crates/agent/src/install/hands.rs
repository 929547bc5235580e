//! What an install does to the disk, one call at a time.
//!
//! Everything that changes the disk, or looks at what is being changed, goes through [`Hands`], so that tests can make each
//! single call fail and look at what is left.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, RenameFlags, XattrFlags};
use rustix::io::Errno;

use super::copy;
use super::disk::not_there;
use super::ledger::Stamp;
use crate::gate::{Call, Gate};
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
    pub(super) gate: Gate,
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
            access: attribute(path, ACCESS_LIST)?,
            default: attribute(path, DEFAULT_LIST)?,
            label: attribute(path, LABEL)?,
        })
    }

    /// The same, but whoever gets them keeps the context that the host's rules gave it.
    pub fn without_label(self) -> Self {
        Self { label: None, ..self }
    }
}

/// An extended attribute; none where there is none, or the file system has no such thing. One that cannot be read may be there,
/// and would be lost if it were taken for none.
fn attribute(path: &Path, name: &str) -> io::Result<Option<Vec<u8>>> {
    let mut buffer = vec![0; LIST_BYTES_MAX];
    match rustix::fs::getxattr(path, name, &mut buffer[..]) {
        Ok(length) => {
            buffer.truncate(length);
            Ok(Some(buffer))
        }
        Err(Errno::NODATA | Errno::NOTSUP | Errno::NOSYS) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

impl Hands {
    /// Looks at a path itself, not at where it leads; nothing where nothing is.
    pub(super) fn look(&self, path: &Path) -> io::Result<Option<fs::Metadata>> {
        match self.gate.attempt(Call::Look, || fs::symlink_metadata(path)) {
            Ok(metadata) => Ok(Some(metadata)),
            Err(error) => not_there(error).map(|_| None),
        }
    }

    pub(super) fn make_directory(&self, path: &Path, mode: u32) -> io::Result<()> {
        self.gate.attempt(Call::MakeDirectory, || fs::DirBuilder::new().mode(mode).create(path))
    }

    /// Copies files to where the place of each is staged; the stamps of what was made, or which one failed, and why. On all cores, but
    /// where calls are counted.
    pub(super) fn copy_all<'a>(
        &self,
        files: &[(&'a Path, &'a Path)],
        staged: impl Fn(&'a Path) -> Cow<'a, Path> + Sync,
    ) -> Result<Vec<Stamp>, (usize, io::Error)> {
        if !self.gate.is_rehearsal() {
            return copy::copy_all(files, staged);
        }
        let mut copier = copy::Copier::default();
        let copies = files.iter().enumerate().map(|(at, (source, to))| {
            let to = staged(to);
            let copied = self.gate.attempt(Call::Copy, || copier.copy(source, &to));
            // What fails in the middle leaves a part behind.
            copied.inspect_err(|_| drop(fs::write(&to, "torn"))).map_err(|error| (at, error))
        });
        copies.collect()
    }

    /// Has the disk write what will be made on the file system of a directory, as long as what is returned is kept.
    pub(super) fn write_behind(&self, directory: &Path) -> Option<WriteBehind> {
        (!self.gate.is_rehearsal()).then(|| WriteBehind::at(directory))
    }

    pub(super) fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.gate.attempt(Call::Rename, || fs::rename(from, to))
    }

    /// Renames to a name that nobody has.
    pub(super) fn place(&self, from: &Path, to: &Path) -> io::Result<()> {
        let placed = self.gate.attempt(Call::Place, || {
            Ok(rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE)?)
        });
        match placed.as_ref().map_err(Errno::from_io_error) {
            // Not every file system can: then what is there is looked at first.
            Err(Some(Errno::INVAL | Errno::NOSYS)) => {
                if self.look(to)?.is_some() {
                    return Err(io::ErrorKind::AlreadyExists.into());
                }
                self.rename(from, to)
            }
            _ => placed,
        }
    }

    /// Gives a file a second name, or, where a file system knows no such thing, the other name.
    pub(super) fn second_name(&self, path: &Path, second: &Path) -> io::Result<()> {
        let linked = self.gate.attempt(Call::SecondName, || {
            Ok(rustix::fs::linkat(CWD, path, CWD, second, AtFlags::empty())?)
        });
        match linked.as_ref().map_err(Errno::from_io_error) {
            Err(Some(Errno::PERM | Errno::NOTSUP | Errno::MLINK | Errno::NOSYS | Errno::XDEV)) => {
                self.rename(path, second)
            }
            _ => linked,
        }
    }

    /// Removes a file that may be gone.
    pub(super) fn remove_file(&self, path: &Path) -> io::Result<()> {
        gone(self.gate.attempt(Call::RemoveFile, || fs::remove_file(path)))
    }

    /// Removes a directory that may be gone; one with something in it stays.
    pub(super) fn remove_directory(&self, path: &Path) -> io::Result<()> {
        match gone(self.gate.attempt(Call::RemoveDirectory, || fs::remove_dir(path))) {
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
            other => other,
        }
    }

    /// Removes a directory of ours with all that is in it.
    pub(super) fn remove_tree(&self, path: &Path) -> io::Result<()> {
        let Some(found) = self.look(path)? else { return Ok(()) };
        self.gate.permit(Call::RemoveTree).inspect_err(|_| remove_some(path))?;
        gone(if found.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) })
    }

    /// Reads a file of the agent's own; nothing where there is none.
    pub(super) fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        match self.gate.attempt(Call::Read, || fs::read(path)) {
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
        self.gate.permit(Call::Other).map_err(refuse)?;
        work()
    }

    /// Gives a directory owner, mode, access lists and, where one is wanted, its context.
    pub(super) fn set_attributes(&self, path: &Path, wanted: &Attributes) -> io::Result<()> {
        let found = self.attributes(path)?;
        let set = |name, value: &[u8]| {
            self.gate.attempt(Call::SetAttribute, || {
                Ok(rustix::fs::setxattr(path, name, value, XattrFlags::empty())?)
            })
        };
        if let Some(label) =
            wanted.label.as_ref().filter(|label| found.label.as_ref() != Some(label))
        {
            set(LABEL, label)?;
        }
        if found.clone().without_label() == wanted.clone().without_label() {
            return Ok(());
        }
        if (found.uid, found.gid) != (wanted.uid, wanted.gid) {
            self.gate.attempt(Call::SetAttribute, || {
                std::os::unix::fs::chown(path, Some(wanted.uid), Some(wanted.gid))
            })?;
        }
        for (name, found, wanted) in [
            (ACCESS_LIST, &found.access, &wanted.access),
            (DEFAULT_LIST, &found.default, &wanted.default),
        ] {
            match wanted {
                Some(list) => set(name, list)?,
                None if found.is_some() => {
                    let remove = || Ok(rustix::fs::removexattr(path, name)?);
                    self.gate.attempt(Call::SetAttribute, remove)?;
                }
                None => {}
            }
        }
        self.gate.attempt(Call::SetAttribute, || {
            fs::set_permissions(path, fs::Permissions::from_mode(wanted.mode))
        })
    }

    /// The attributes that a directory has.
    pub(super) fn attributes(&self, path: &Path) -> io::Result<Attributes> {
        self.gate.attempt(Call::Look, || Attributes::of(path))
    }

    /// Writes a file of the agent's own and waits until the disk has it.
    pub(super) fn write(&self, path: &Path, text: &[u8]) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        self.gate.permit(Call::Write).inspect_err(|_| tear(&options, path, text))?;
        let mut file = options.open(path)?;
        file.write_all(text)?;
        self.settle(path, &file, || Some(Vec::new()))?;
        self.gate.attempt(Call::Sync, || {
            if self.gate.is_rehearsal() { Ok(()) } else { sync_directory(path) }
        })
    }

    /// Adds a line to a file of whole lines and waits until the disk has it.
    pub(super) fn append(&self, path: &Path, line: &[u8]) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.read(true).append(true);
        self.gate.permit(Call::Write).inspect_err(|_| tear(&options, path, line))?;
        let mut file = options.open(path)?;
        // A line that was cut off, by a full disk or a kill, is none; this one must not become its end.
        let (found, whole) = (file.metadata()?.len(), whole_lines(&file)?);
        if whole < found {
            file.set_len(whole)?;
        }
        file.write_all(line)?;
        self.settle(path, &file, || start_of(path, whole))
    }

    /// Writes a file's text once more, over itself, and waits until the disk has it. Linux takes what it could not write for
    /// written: whoever only waits again, after a failure, waits for nothing.
    pub(super) fn write_again(&self, path: &Path) -> io::Result<()> {
        let text = self.gate.attempt(Call::Read, || fs::read(path))?;
        let file = self.gate.attempt(Call::Write, || {
            let file = OpenOptions::new().write(true).open(path)?;
            file.write_all_at(&text, 0)?;
            Ok(file)
        })?;
        self.settle(path, &file, || None)
    }

    /// Waits until the disk has a file; `before` is what it has where the wait fails and the power is cut, if that is another text.
    fn settle(
        &self,
        path: &Path,
        file: &File,
        before: impl FnOnce() -> Option<Vec<u8>>,
    ) -> io::Result<()> {
        let settled = self.gate.attempt(Call::Sync, || {
            if self.gate.is_rehearsal() { Ok(()) } else { file.sync_all() }
        });
        self.gate.settled(path, settled.is_ok(), before);
        settled
    }

    /// Waits until the disks have these files and directories; whether it could: some may not be read.
    pub(super) fn sync_each<'a>(
        &self,
        paths: impl Iterator<Item = Cow<'a, Path>>,
    ) -> io::Result<bool> {
        let mut files = Vec::new();
        for path in paths {
            match self.gate.attempt(Call::Open, || File::open(&path)) {
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(false),
                file => files.push(file?),
            }
        }
        self.gate.attempt(Call::Sync, || {
            if self.gate.is_rehearsal() {
                Ok(())
            } else {
                files.iter().try_for_each(File::sync_all)
            }
        })?;
        Ok(true)
    }

    /// Waits until the disks have everything on the file systems that these directories are on.
    pub(super) fn sync<'a>(&self, directories: impl Iterator<Item = &'a Path>) -> io::Result<()> {
        let mut seen = HashSet::new();
        for directory in directories {
            let file = self.gate.attempt(Call::Open, || File::open(directory))?;
            if seen.insert(file.metadata()?.dev()) {
                self.gate.attempt(Call::Sync, || {
                    if self.gate.is_rehearsal() {
                        Ok(())
                    } else {
                        Ok(rustix::fs::syncfs(file.as_fd())?)
                    }
                })?;
            }
        }
        Ok(())
    }
}

/// What fails in the middle leaves a part behind.
fn tear(options: &OpenOptions, path: &Path, text: &[u8]) {
    if let Ok(mut file) = options.open(path) {
        let _ = file.write_all(&text[..text.len() / 2]);
    }
}

/// What fails in the middle has removed a part.
fn remove_some(directory: &Path) {
    let first = fs::read_dir(directory).ok().and_then(|mut entries| entries.next()?.ok());
    if let Some(first) = first {
        let _ = fs::remove_file(first.path());
    }
}

/// The first bytes of a file.
fn start_of(path: &Path, bytes: u64) -> Option<Vec<u8>> {
    let mut text = fs::read(path).ok()?;
    text.truncate(usize::try_from(bytes).ok()?);
    Some(text)
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
