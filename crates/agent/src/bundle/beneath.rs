//! Writing below one directory and never outside of it, whatever names and links an archive holds.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{self as sys, AtFlags, FileType, Mode, OFlags, ResolveFlags};

/// A directory below which things are made. Parents are opened by the kernel's own containment
/// (`openat2` with `RESOLVE_BENEATH` and no links), or, on kernels before 5.6, one component at a time without following links.
pub struct Beneath {
    root: OwnedFd,
    /// The parent used last: entries of one directory come together.
    last: Option<(PathBuf, Arc<OwnedFd>)>,
    whole_paths: bool,
}

const DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC).union(OFlags::NOFOLLOW);
const CONTAINED: ResolveFlags =
    ResolveFlags::BENEATH.union(ResolveFlags::NO_SYMLINKS).union(ResolveFlags::NO_MAGICLINKS);

impl Beneath {
    /// Works below the directory `root`, which exists.
    ///
    /// # Errors
    /// The directory cannot be opened.
    pub fn open(root: &Path) -> io::Result<Self> {
        let root = sys::open(root, DIRECTORY, Mode::empty())?;
        Ok(Self { root, last: None, whole_paths: true })
    }

    /// Makes a directory and those above it; one that is there already is fine.
    ///
    /// # Errors
    /// Something other than a directory, a link included, is in the way.
    pub fn directory(&mut self, path: &Path) -> io::Result<Arc<OwnedFd>> {
        if let Some((last, fd)) = &self.last
            && last == path
        {
            return Ok(Arc::clone(fd));
        }
        let fd = match self.open_directory(path) {
            Ok(fd) => fd,
            Err(rustix::io::Errno::NOENT) => self.make_directories(path)?,
            Err(error) => return Err(error.into()),
        };
        let fd = Arc::new(fd);
        self.last = Some((path.to_owned(), Arc::clone(&fd)));
        Ok(fd)
    }

    fn open_directory(&mut self, path: &Path) -> rustix::io::Result<OwnedFd> {
        if path.as_os_str().is_empty() {
            return self.root.try_clone().map_err(|_| rustix::io::Errno::MFILE);
        }
        if self.whole_paths {
            match sys::openat2(&self.root, path, DIRECTORY, Mode::empty(), CONTAINED) {
                Err(rustix::io::Errno::NOSYS | rustix::io::Errno::PERM) => self.whole_paths = false,
                result => return result,
            }
        }
        let mut at: Option<OwnedFd> = None;
        for part in path {
            let parent = at.as_ref().map_or(self.root.as_fd(), |fd| fd.as_fd());
            at = Some(sys::openat(parent, part, DIRECTORY, Mode::empty())?);
        }
        at.ok_or(rustix::io::Errno::NOENT)
    }

    fn make_directories(&mut self, path: &Path) -> io::Result<OwnedFd> {
        let mut so_far = PathBuf::new();
        let mut at = self.open_directory(Path::new(""))?;
        for part in path {
            match sys::mkdirat(&at, part, Mode::from_raw_mode(0o755)) {
                Ok(()) | Err(rustix::io::Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
            so_far.push(part);
            at = self.open_directory(&so_far)?;
        }
        Ok(at)
    }

    fn parent(&mut self, path: &Path) -> io::Result<(Arc<OwnedFd>, OsString)> {
        let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
        let parent = self.directory(path.parent().unwrap_or(Path::new("")))?;
        Ok((parent, name))
    }

    /// Makes a file; one that is there already, or a link, gives way.
    ///
    /// # Errors
    /// A directory is in the way, or a link above.
    pub fn file(&mut self, path: &Path) -> io::Result<File> {
        let (parent, name) = self.parent(path)?;
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let create = || sys::openat(&*parent, &name, flags, Mode::from_raw_mode(0o600));
        let fd = match create() {
            Err(rustix::io::Errno::EXIST) => {
                sys::unlinkat(&*parent, &name, AtFlags::empty())?;
                create()?
            }
            result => result?,
        };
        Ok(fd.into())
    }

    /// Makes a symbolic link; a file or link that is there already gives way.
    ///
    /// # Errors
    /// A directory is in the way, or a link above.
    pub fn symlink(&mut self, path: &Path, target: &Path) -> io::Result<()> {
        let (parent, name) = self.parent(path)?;
        match sys::symlinkat(target, &*parent, &name) {
            Err(rustix::io::Errno::EXIST) => {
                sys::unlinkat(&*parent, &name, AtFlags::empty())?;
                Ok(sys::symlinkat(target, &*parent, &name)?)
            }
            result => Ok(result?),
        }
    }

    /// Gives a file below the root a second name there.
    ///
    /// # Errors
    /// The file is not there, is reached through a link, or is not a file.
    pub fn hard_link(&mut self, path: &Path, existing: &Path) -> io::Result<()> {
        let (from, old) = self.parent(existing)?;
        let stat = sys::statat(&*from, &old, AtFlags::SYMLINK_NOFOLLOW)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "its target is not a file"));
        }
        let (to, new) = self.parent(path)?;
        match sys::linkat(&*from, &old, &*to, &new, AtFlags::empty()) {
            Err(rustix::io::Errno::EXIST) => {
                sys::unlinkat(&*to, &new, AtFlags::empty())?;
                Ok(sys::linkat(&*from, &old, &*to, &new, AtFlags::empty())?)
            }
            result => Ok(result?),
        }
    }

    /// Gives a link an owner of its own.
    ///
    /// # Errors
    /// The link is not there.
    pub fn own_link(&mut self, path: &Path, uid: u32, gid: u32) -> io::Result<()> {
        let (parent, name) = self.parent(path)?;
        let (uid, gid) = (rustix::fs::Uid::from_raw(uid), rustix::fs::Gid::from_raw(gid));
        Ok(sys::chownat(&*parent, &name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)?)
    }
}
