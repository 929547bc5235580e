//! The ledger of an install: every path that it makes, written down before it is made.
//!
//! Its form is the official agent's `…-cleanup` file: a path a line, so that either agent can undo the other's install.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use camino::Utf8Path;

use super::InstallError;

/// Marks a line that is about an SELinux rule.
const CONTEXT: &[u8] = b"semanage\0";

/// A ledger being written.
#[derive(Debug)]
pub struct Ledger {
    file: File,
    path: PathBuf,
}

impl Ledger {
    /// Begins a new ledger in the place of an old one.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn begin(path: &Utf8Path) -> Result<Self, InstallError> {
        let file = File::create(path).map_err(InstallError::host("write", path.as_std_path()))?;
        Ok(Self { file, path: path.into() })
    }

    /// Writes down a path that is about to be made.
    ///
    /// # Errors
    /// The ledger cannot be written: then the path must not be made.
    pub fn record(&mut self, path: &Path) -> Result<(), InstallError> {
        self.line(path.as_os_str().as_bytes())
    }

    /// Writes down a path that was given an SELinux context.
    ///
    /// # Errors
    /// The ledger cannot be written.
    pub fn record_context(&mut self, path: &Path) -> Result<(), InstallError> {
        self.line(&[CONTEXT, path.as_os_str().as_bytes()].concat())
    }

    /// One write call a line: a line is either there or not, whenever the agent is killed.
    fn line(&mut self, text: &[u8]) -> Result<(), InstallError> {
        let line = [text, b"\n"].concat();
        self.file.write_all(&line).map_err(InstallError::host("write", &self.path))
    }
}

/// The paths that [`undo`] would remove.
pub fn recorded(ledger: &Utf8Path) -> HashSet<PathBuf> {
    let text = fs::read(ledger).unwrap_or_default();
    let paths = lines(&text).filter(|line| !line.starts_with(CONTEXT));
    paths.map(|line| PathBuf::from(OsStr::from_bytes(line))).collect()
}

/// Removes what a ledger says was made, the last first; directories only if they are empty. Then removes the ledger.
///
/// # Errors
/// Something cannot be removed; the ledger stays, and the rest of it is done first.
pub fn undo(ledger: &Utf8Path) -> Result<(), InstallError> {
    let text = match fs::read(ledger) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(InstallError::host("read", ledger.as_std_path())(error)),
    };
    let all: Vec<&[u8]> = lines(&text).collect();
    let mut first_fault = None;
    for line in all.into_iter().rev() {
        match line.strip_prefix(CONTEXT) {
            Some(path) => forget_context(OsStr::from_bytes(path)),
            None => {
                let path = Path::new(OsStr::from_bytes(line));
                if let Err(error) = remove(path) {
                    first_fault.get_or_insert(InstallError::host("remove", path)(error));
                }
            }
        }
    }
    match first_fault {
        Some(fault) => Err(fault),
        None => fs::remove_file(ledger).map_err(InstallError::host("remove", ledger.as_std_path())),
    }
}

/// Whole lines only: one without an end was being written when the agent was killed, before anything was made.
/// Relative paths are none of ours.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split_inclusive(|byte| *byte == b'\n')
        .filter_map(|line| line.strip_suffix(b"\n"))
        .map(<[u8]>::trim_ascii)
        .filter(|line| line.starts_with(b"/") || line.starts_with(CONTEXT))
}

fn remove(path: &Path) -> io::Result<()> {
    let result = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match result {
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound
                    | io::ErrorKind::DirectoryNotEmpty
                    | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(())
        }
        other => other,
    }
}

fn forget_context(path: &OsStr) {
    // Best effort, as with the official agent: SELinux may be gone from this host.
    let _ = Command::new("semanage")
        .args(["fcontext", "-d"])
        .arg(path)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
}
