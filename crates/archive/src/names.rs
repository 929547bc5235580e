//! The names of an archive's entries, which anybody may have chosen.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

/// Why a name of an archive cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadName {
    /// It begins at the file system's root.
    #[error("has an absolute name")]
    Absolute,
    /// It climbs.
    #[error("has `..` in its name")]
    Climbs,
    /// It names nothing.
    #[error("has no name")]
    Empty,
    /// It has a zero byte.
    #[error("has a zero byte in its name")]
    Zero,
}

/// The relative path that an archive's name means; the empty path for the archive's own root.
///
/// # Errors
/// The name is absolute, climbs, or is not a name.
pub fn entry_path(name: &[u8]) -> Result<PathBuf, BadName> {
    if name.contains(&0) {
        return Err(BadName::Zero);
    }
    if name.is_empty() {
        return Err(BadName::Empty);
    }
    let mut path = PathBuf::new();
    for component in Path::new(OsStr::from_bytes(name)).components() {
        match component {
            Component::Normal(part) => path.push(part),
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return Err(BadName::Absolute),
            Component::ParentDir => return Err(BadName::Climbs),
        }
    }
    Ok(path)
}

/// Whether a symbolic link at `link` (relative to the root) with this target leads out of the root by climbing.
///
/// An absolute target is no climbing: such links are data (virtual environments have them), and nothing here follows one.
pub fn climbs_out(link: &Path, target: &Path) -> bool {
    if target.is_absolute() {
        return false;
    }
    let mut depth = link.components().count() as i64 - 1;
    for component in target.components() {
        match component {
            Component::ParentDir => depth -= 1,
            Component::Normal(_) => depth += 1,
            _ => {}
        }
        if depth < 0 {
            return true;
        }
    }
    false
}

/// A path for people: what is not UTF-8 in it is replaced.
pub fn shown(name: &[u8]) -> String {
    let text = OsString::from_vec(name.to_vec()).to_string_lossy().into_owned();
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).take(300).collect()
}
