//! Which old deployments of a group go.

use std::fs;
use std::io;
use std::time::SystemTime;

use camino::{Utf8Path, Utf8PathBuf};

use super::download::ARCHIVE;
use super::{BundleError, place};

/// Removes the oldest deployments of a group so that, with the current one, `revisions_max` remain. The one that
/// was last installed stays whatever its age: its scripts stop the application. Source: official agent. So do others that are
/// `kept`, such as one whose Install is yet to be ended.
///
/// # Errors
/// A directory cannot be removed.
pub fn make_room(
    group: &Utf8Path,
    current: &Utf8Path,
    kept: &[Utf8PathBuf],
    revisions_max: usize,
) -> Result<(), BundleError> {
    let Ok(entries) = fs::read_dir(group) else { return Ok(()) };
    let mut others: Vec<(SystemTime, Utf8PathBuf)> = entries
        .flatten()
        .filter_map(|entry| {
            let path = Utf8PathBuf::from_path_buf(entry.path()).ok()?;
            let changed = entry.metadata().and_then(|metadata| metadata.modified()).ok()?;
            (path != current).then_some((changed, path))
        })
        .collect();
    let excess = (others.len() + 1).saturating_sub(revisions_max);
    others.retain(|(_, path)| !kept.contains(path));
    others.sort();
    for (_, path) in others.into_iter().take(excess) {
        let removed = if path.is_dir() { remove(&path) } else { fs::remove_file(&path) };
        removed.map_err(|source| BundleError::Retention { path, source })?;
    }
    Ok(())
}

/// Removes a deployment. Its revision gives up its name first: where the removal breaks off, nobody takes what is left for a
/// revision, and the next attempt goes on.
fn remove(deployment: &Utf8Path) -> io::Result<()> {
    let archive = deployment.join(ARCHIVE);
    let leaving = place::beside(&archive);
    if archive.exists() {
        if leaving.exists() {
            fs::remove_dir_all(&leaving)?;
        }
        fs::rename(&archive, &leaving)?;
    }
    fs::remove_dir_all(deployment)
}
