//! Revisions that lie on this host.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use camino::Utf8Path;

use super::BundleError;

/// Puts a link to a local archive where a downloaded one would be.
///
/// # Errors
/// The archive is not there, or the link cannot be made.
pub fn link_file(location: &Utf8Path, to: &Utf8Path) -> Result<(), BundleError> {
    let real = location
        .canonicalize_utf8()
        .map_err(|_| BundleError::NoLocal { path: location.to_owned() })?;
    match fs::remove_file(to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(BundleError::host("remove", to)(error));
        }
        _ => {}
    }
    symlink(&real, to).map_err(BundleError::host("link", to))
}

/// Copies a local directory to `to`, which is made anew; links are copied as links. Owners and times are not
/// kept, nor what the umask takes from modes. Source: official agent.
///
/// # Errors
/// The directory is not there or cannot be copied.
pub fn copy_directory(location: &Utf8Path, to: &Utf8Path) -> Result<(), BundleError> {
    if !location.is_dir() {
        return Err(BundleError::NoLocal { path: location.to_owned() });
    }
    if to.exists() {
        fs::remove_dir_all(to).map_err(BundleError::host("remove", to))?;
    }
    copy(location.as_std_path(), to.as_std_path()).map_err(BundleError::host("copy", location))
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let metadata = fs::symlink_metadata(from)?;
    if metadata.is_dir() {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            copy(&entry.path(), &to.join(entry.file_name()))?;
        }
    } else if metadata.is_symlink() {
        symlink(fs::read_link(from)?, to)?;
    } else if metadata.is_file() {
        fs::copy(from, to)?;
        fs::set_permissions(to, fs::Permissions::from_mode(mode(&metadata, to)?))?;
    } else {
        let text = format!("{} is a device, a pipe or a socket", from.display());
        return Err(io::Error::new(io::ErrorKind::Unsupported, text));
    }
    Ok(())
}

/// The mode of the copy. The official agent keeps set-id bits in any case; here they are kept only where the copy has the
/// owner of the original, or anybody could get a program of theirs to run as root by having it deployed.
fn mode(original: &fs::Metadata, copy: &Path) -> io::Result<u32> {
    let copy = fs::symlink_metadata(copy)?;
    let same_owner = (original.uid(), original.gid()) == (copy.uid(), copy.gid());
    let kept = if same_owner { 0o7777 } else { 0o777 };
    Ok(original.permissions().mode() & kept & !umask())
}

/// The bits that new files do not get, without changing them: asking the kernel means setting them.
fn umask() -> u32 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("Umask:"));
    line.and_then(|mask| u32::from_str_radix(mask.trim(), 8).ok()).unwrap_or(0o022)
}
