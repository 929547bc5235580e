//! Putting an unpacked revision where hooks and Install look for it.

use std::fs;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};

use super::BundleError;

/// Where a revision is unpacked that will be at `archive`. Source: official agent, which uses this name for the same purpose.
pub fn beside(archive: &Utf8Path) -> Utf8PathBuf {
    Utf8PathBuf::from(format!("{archive}-temp"))
}

/// Puts what was unpacked to `archive`, in the place of what is there. If all there is in it is one directory, as in archives of
/// GitHub, and something in that is named like an AppSpec, the directory's content is what counts. Source: official agent.
///
/// # Errors
/// Directories cannot be read, removed or renamed.
pub fn place(unpacked: &Utf8Path, archive: &Utf8Path) -> Result<(), BundleError> {
    let leading = match only_directory(unpacked)? {
        Some(only) if holds_appspec(&only)? => Some(only),
        _ => None,
    };
    if archive.exists() {
        fs::remove_dir_all(archive).map_err(BundleError::host("remove", archive))?;
    }
    let root = leading.as_deref().unwrap_or(unpacked);
    fs::rename(root, archive).map_err(BundleError::host("rename", root))?;
    if leading.is_some() {
        fs::remove_dir(unpacked).map_err(BundleError::host("remove", unpacked))?;
    }
    Ok(())
}

/// Removes what was unpacked in vain.
pub(super) fn discard(path: &Utf8Path) {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(%error, %path, "what was unpacked in vain cannot be removed");
        }
        _ => {}
    }
}

fn only_directory(archive: &Utf8Path) -> Result<Option<Utf8PathBuf>, BundleError> {
    let mut entries = fs::read_dir(archive).map_err(BundleError::host("read", archive))?;
    let (Some(Ok(first)), None) = (entries.next(), entries.next()) else { return Ok(None) };
    let is_directory = first.file_type().is_ok_and(|kind| kind.is_dir());
    Ok(Utf8PathBuf::from_path_buf(first.path()).ok().filter(|_| is_directory))
}

fn holds_appspec(directory: &Utf8Path) -> Result<bool, BundleError> {
    let entries = fs::read_dir(directory).map_err(BundleError::host("read", directory))?;
    Ok(entries
        .flatten()
        .any(|entry| entry.file_name().to_string_lossy().to_lowercase().contains("appspec")))
}
