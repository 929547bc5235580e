//! Copying one file.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown, lchown, symlink};
use std::path::Path;

/// Copies a file with mode, times and owner, or makes a link like the source; nothing may be there.
pub(super) fn copy(source: &Path, to: &Path) -> io::Result<()> {
    let metadata = fs::symlink_metadata(source)?;
    if metadata.is_symlink() {
        symlink(fs::read_link(source)?, to)?;
        if rustix::process::geteuid().is_root() {
            lchown(to, Some(metadata.uid()), Some(metadata.gid()))?;
        }
        return Ok(());
    }
    copy_file(source, &metadata, to)
}

fn copy_file(source: &Path, metadata: &fs::Metadata, place: &Path) -> io::Result<()> {
    let mut from = File::open(source)?;
    let mut to = OpenOptions::new().write(true).create_new(true).mode(0o600).open(place)?;
    let copied = io::copy(&mut from, &mut to)?;
    if copied != metadata.len() || to.metadata()?.len() != copied {
        let text = format!("{copied} of {} bytes were copied", metadata.len());
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, text));
    }
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
