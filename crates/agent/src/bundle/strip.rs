//! Taking away a leading directory, as archives of GitHub have one.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

use super::BundleError;

/// If all there is in `archive` is one directory, and something in it is named like an AppSpec, its content takes its place.
/// Source: official agent.
///
/// # Errors
/// Directories cannot be read or renamed.
pub fn leading_directory(archive: &Utf8Path) -> Result<(), BundleError> {
    let Some(only) = only_directory(archive)? else { return Ok(()) };
    if !holds_appspec(&only)? {
        return Ok(());
    }
    let aside = Utf8PathBuf::from(format!("{archive}-temp"));
    if aside.exists() {
        fs::remove_dir_all(&aside).map_err(BundleError::host("remove", &aside))?;
    }
    fs::rename(archive, &aside).map_err(BundleError::host("rename", archive))?;
    let name = only.file_name().unwrap_or_default();
    fs::rename(aside.join(name), archive).map_err(BundleError::host("rename", aside.join(name)))?;
    fs::remove_dir_all(&aside).map_err(BundleError::host("remove", &aside))
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
