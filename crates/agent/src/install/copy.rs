//! Copying files.
//!
//! The kernel copies large files (`copy_file_range`, which on file systems that share blocks copies nothing); for small ones two
//! calls are cheaper. A hard link would be cheaper still and is never made: whoever may write an installed file could then write
//! what hooks are run from, as root.

use std::borrow::Cow;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::ops::Range;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown, lchown, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use rustix::fs::OFlags;

use super::ledger::Stamp;

/// Files up to this size are read and written at once.
const SMALL_BYTES: u64 = 64 * 1024;
/// More threads than this only wait for the file system.
const THREADS_MAX: usize = 4;
/// Files that a thread takes at a time, at most: else a whole directory's, for two threads that make files in one wait for each
/// other, and burn their time.
const BATCH_MAX: usize = 1024;

/// Copies files, each to where the place of it is staged, on all cores; the stamps of what was made, or which one failed first, and why.
pub(super) fn copy_all<'a>(
    files: &[(&'a Path, &'a Path)],
    staged: impl Fn(&'a Path) -> Cow<'a, Path> + Sync,
) -> Result<Vec<Stamp>, (usize, io::Error)> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let batches = batches(files);
    let threads = cores.min(THREADS_MAX).min(batches.len());
    let (next, fault) = (AtomicUsize::new(0), Mutex::new(None));
    let made: Vec<OnceLock<Stamp>> = files.iter().map(|_| OnceLock::new()).collect();
    let work = || {
        let mut copier = Copier::default();
        while let Some(batch) = batches.get(next.fetch_add(1, Ordering::Relaxed)) {
            for (at, (source, to)) in batch.clone().zip(&files[batch.clone()]) {
                match copier.copy(source, &staged(to)) {
                    Ok(stamp) => drop(made[at].set(stamp)),
                    Err(error) => {
                        // Nobody need go on.
                        next.store(batches.len(), Ordering::Relaxed);
                        let mut fault = fault.lock().unwrap_or_else(PoisonError::into_inner);
                        fault.get_or_insert((at, error));
                        return;
                    }
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
    let fault = fault.into_inner().unwrap_or_else(PoisonError::into_inner);
    fault.map_or_else(|| Ok(made.into_iter().filter_map(OnceLock::into_inner).collect()), Err)
}

/// Files that come after each other and go into the same directory.
fn batches(files: &[(&Path, &Path)]) -> Vec<Range<usize>> {
    let mut batches: Vec<Range<usize>> = Vec::new();
    for (at, (_, to)) in files.iter().enumerate() {
        match batches.last_mut() {
            Some(last) if last.len() < BATCH_MAX && files[last.start].1.parent() == to.parent() => {
                last.end += 1;
            }
            _ => batches.push(at..at + 1),
        }
    }
    batches
}

/// Copies files one after the other.
#[derive(Debug)]
pub(super) struct Copier {
    buffer: Vec<u8>,
    is_root: bool,
}

impl Default for Copier {
    fn default() -> Self {
        Self { buffer: Vec::new(), is_root: rustix::process::geteuid().is_root() }
    }
}

impl Copier {
    /// Copies a file with mode, times and owner, or makes a link like the source; nothing may be there. The stamp of
    /// what was made.
    pub fn copy(&mut self, source: &Path, to: &Path) -> io::Result<Stamp> {
        let flags = OFlags::NOFOLLOW.bits().cast_signed();
        match OpenOptions::new().read(true).custom_flags(flags).open(source) {
            Ok(file) => self.file(file, to),
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
                self.link(source, to)
            }
            Err(error) => Err(error),
        }
    }

    fn link(&self, source: &Path, to: &Path) -> io::Result<Stamp> {
        symlink(fs::read_link(source)?, to)?;
        if self.is_root {
            let metadata = fs::symlink_metadata(source)?;
            lchown(to, Some(metadata.uid()), Some(metadata.gid()))?;
        }
        Stamp::at(to)
    }

    fn file(&mut self, mut from: File, place: &Path) -> io::Result<Stamp> {
        let metadata = from.metadata()?;
        // Nobody else comes into a stage, so that a file may be open to others from its beginning.
        let mode = metadata.mode() & 0o7777;
        let mut to = OpenOptions::new().write(true).create_new(true).mode(mode).open(place)?;
        let copied = if metadata.len() <= SMALL_BYTES {
            self.small(&mut from, &mut to)?
        } else {
            io::copy(&mut from, &mut to)?
        };
        let made = to.metadata()?;
        if copied != metadata.len() || made.len() != copied {
            let text = format!("{copied} of {} bytes were copied", metadata.len());
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, text));
        }
        let owner = (metadata.uid(), metadata.gid());
        let is_given = self.is_root && (made.uid(), made.gid()) != owner;
        if is_given {
            fchown(&to, Some(owner.0), Some(owner.1))?;
        }
        // A change of owner takes bits from the mode; so does the umask.
        if is_given || made.mode() & 0o7777 != mode {
            to.set_permissions(metadata.permissions())?;
        }
        let mut times = fs::FileTimes::new();
        if let Ok(accessed) = metadata.accessed() {
            times = times.set_accessed(accessed);
        }
        if let Ok(modified) = metadata.modified() {
            times = times.set_modified(modified);
        }
        to.set_times(times)?;
        // As the file system has it, which may keep times less exactly.
        Ok(Stamp::of(&to.metadata()?))
    }

    fn small(&mut self, from: &mut File, to: &mut File) -> io::Result<u64> {
        // One byte more than a small file has: a read that does not fill this is the last.
        self.buffer.resize(SMALL_BYTES as usize + 1, 0);
        let mut length = 0;
        loop {
            let count = from.read(&mut self.buffer)?;
            to.write_all(&self.buffer[..count])?;
            length += count as u64;
            if count < self.buffer.len() {
                return Ok(length);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_s_files_are_one_thread_s_unless_they_are_many() {
        let names: Vec<String> =
            (0..2500).map(|n| format!("/d/{}/f{n}", if n < 2 { "a" } else { "b" })).collect();
        let files: Vec<_> = names.iter().map(|name| (Path::new("/s"), Path::new(name))).collect();
        assert_eq!(batches(&files), [0..2, 2..1026, 1026..2050, 2050..2500]);
        assert!(batches(&[]).is_empty());
    }
}
