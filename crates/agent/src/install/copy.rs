//! Copying one file into place.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown, lchown, symlink};
use std::path::{Path, PathBuf};

/// Copies a file with mode, times and owner, or makes a link like the source.
///
/// What is there gives way only when the copy is complete, by renaming; nothing is ever written through a link.
pub(super) fn copy(source: &Path, destination: &Path, replace: bool) -> io::Result<()> {
    let place = if replace { beside(destination) } else { destination.to_owned() };
    if replace && fs::symlink_metadata(&place).is_ok() {
        // Left by an install that was killed.
        fs::remove_file(&place)?;
    }
    let metadata = fs::symlink_metadata(source)?;
    if metadata.is_symlink() {
        symlink(fs::read_link(source)?, &place)?;
        if rustix::process::geteuid().is_root() {
            lchown(&place, Some(metadata.uid()), Some(metadata.gid()))?;
        }
    } else {
        copy_file(source, &metadata, &place)?;
    }
    if replace { fs::rename(&place, destination) } else { Ok(()) }
}

fn beside(destination: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    // A name may have 255 bytes: the copy's own must not be longer.
    let own = destination.file_name().unwrap_or_default();
    name.push(if own.len() > 200 { "long-name".as_ref() } else { own });
    name.push(".longshore-new");
    destination.with_file_name(name)
}

fn copy_file(source: &Path, metadata: &fs::Metadata, place: &Path) -> io::Result<()> {
    let mut from = File::open(source)?;
    let mut to = OpenOptions::new().write(true).create_new(true).mode(0o600).open(place)?;
    io::copy(&mut from, &mut to)?;
    if rustix::process::geteuid().is_root() {
        fchown(&to, Some(metadata.uid()), Some(metadata.gid()))?;
    }
    to.set_permissions(metadata.permissions())?;
    let mut times = fs::FileTimes::new();
    if let Ok(accessed) = metadata.accessed() {
        times = times.set_accessed(accessed);
    }
    if let Ok(modified) = metadata.modified() {
        times = times.set_modified(modified);
    }
    to.set_times(times)
}
