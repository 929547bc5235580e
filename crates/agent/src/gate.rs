//! Where calls on files pass that must not fail unnoticed, so that tests can let each of them fail.

#[cfg(test)]
pub mod faults;

use std::io;
use std::path::Path;

/// A kind of call, by which tests know how it can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Call {
    Look,
    Read,
    MakeDirectory,
    Copy,
    Write,
    Rename,
    Place,
    SecondName,
    RemoveFile,
    RemoveDirectory,
    RemoveTree,
    SetAttribute,
    Open,
    Sync,
    /// Something of another module, or another program.
    Other,
}

/// Lets calls through; in tests, not all of them.
#[derive(Debug, Default)]
pub struct Gate {
    #[cfg(test)]
    faults: Option<faults::Faults>,
}

impl Gate {
    /// Makes a call.
    ///
    /// # Errors
    /// Its own, or one that a test wants.
    pub fn attempt<T>(&self, call: Call, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        self.permit(call)?;
        work()
    }
}

#[cfg(not(test))]
#[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "tests have faults here")]
impl Gate {
    /// Whether a call may be made.
    ///
    /// # Errors
    /// A test wants it to fail so.
    pub fn permit(&self, _: Call) -> io::Result<()> {
        Ok(())
    }

    /// Whether a test counts the calls: they then come one after the other, and nothing waits for the disk, which would only take
    /// time, for a failing test's host dies without losing what was written.
    pub fn is_rehearsal(&self) -> bool {
        false
    }

    /// Notes whether the disk is known to have a file's text. `before` is what it has otherwise, if that is another text.
    pub fn settled(&self, _: &Path, _: bool, _: impl FnOnce() -> Option<Vec<u8>>) {}
}

#[cfg(test)]
impl Gate {
    pub fn permit(&self, call: Call) -> io::Result<()> {
        self.faults.as_ref().map_or(Ok(()), |faults| faults.permit(call))
    }

    pub fn is_rehearsal(&self) -> bool {
        self.faults.is_some()
    }

    pub fn settled(&self, path: &Path, done: bool, before: impl FnOnce() -> Option<Vec<u8>>) {
        if let Some(faults) = &self.faults {
            faults.settled(path, done, before);
        }
    }
}
