//! Faults for tests: which call fails, how, and for how long.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use super::{Call, Gate};

impl Call {
    /// The errors that a file system gives such a call. Removing needs room where a file system writes copies (btrfs, ZFS); there a
    /// full disk is `NOSPC`, and one where removing works is `DQUOT` here. Source: the manual pages of the calls.
    pub fn errors(self) -> &'static [Errno] {
        use Errno as E;
        match self {
            Self::Look | Self::Read | Self::Open => &[E::IO, E::ACCESS],
            Self::MakeDirectory => &[E::IO, E::ACCESS, E::ROFS, E::NOSPC, E::DQUOT, E::EXIST],
            Self::Copy | Self::Write | Self::Other => {
                &[E::IO, E::ACCESS, E::ROFS, E::NOSPC, E::DQUOT]
            }
            Self::Rename => &[E::IO, E::ACCESS, E::ROFS, E::NOSPC, E::DQUOT, E::BUSY, E::XDEV],
            Self::Place => {
                &[E::IO, E::ACCESS, E::ROFS, E::NOSPC, E::DQUOT, E::EXIST, E::INVAL, E::NOSYS]
            }
            Self::SecondName => {
                &[E::IO, E::ACCESS, E::ROFS, E::NOSPC, E::DQUOT, E::PERM, E::MLINK, E::NOTSUP]
            }
            Self::RemoveFile | Self::RemoveDirectory | Self::RemoveTree => {
                &[E::IO, E::ACCESS, E::ROFS, E::NOSPC, E::BUSY, E::PERM]
            }
            Self::SetAttribute => {
                &[E::IO, E::ACCESS, E::ROFS, E::NOSPC, E::DQUOT, E::PERM, E::NOTSUP]
            }
            Self::Sync => &[E::IO, E::ROFS, E::NOSPC, E::DQUOT],
        }
    }
}

/// How long a fault lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lasting {
    /// For one call.
    Once,
    /// From then on, for all calls that can fail so: a disk that stays full, or read-only, until somebody sees to it.
    Alike,
    /// From then on, for all calls: the host is dead.
    Dead,
}

/// A call that fails.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    /// How many calls go well before.
    pub after: usize,
    pub error: Errno,
    pub lasting: Lasting,
}

/// Makes calls fail, and remembers them.
#[derive(Debug, Default)]
pub struct Faults {
    faults: Vec<Fault>,
    calls: RefCell<Vec<Call>>,
    given: RefCell<Vec<(Call, Errno)>>,
    /// Files whose text is not on the disk, with what is.
    unsettled: RefCell<HashMap<PathBuf, Vec<u8>>>,
}

impl Faults {
    pub fn permit(&self, call: Call) -> io::Result<()> {
        let at = self.calls.borrow().len();
        self.calls.borrow_mut().push(call);
        let meets = |fault: &&Fault| match fault.lasting {
            Lasting::Once => at == fault.after,
            Lasting::Alike => at >= fault.after && call.errors().contains(&fault.error),
            Lasting::Dead => at >= fault.after,
        };
        // The last is the latest.
        let Some(fault) = self.faults.iter().rev().find(meets) else { return Ok(()) };
        self.given.borrow_mut().push((call, fault.error));
        Err(fault.error.into())
    }

    pub fn settled(&self, path: &Path, done: bool, before: impl FnOnce() -> Option<Vec<u8>>) {
        let mut unsettled = self.unsettled.borrow_mut();
        if done {
            unsettled.remove(path);
        } else if !unsettled.contains_key(path) {
            unsettled.extend(before().map(|text| (path.to_owned(), text)));
        }
    }
}

impl Gate {
    /// A gate with these faults; with none, it only counts.
    pub fn with(faults: &[Fault]) -> Self {
        Self { faults: Some(Faults { faults: faults.to_vec(), ..Faults::default() }) }
    }

    /// The calls so far.
    pub fn calls(&self) -> Vec<Call> {
        self.faults.as_ref().map(|faults| faults.calls.borrow().clone()).unwrap_or_default()
    }

    /// The calls that failed, and how.
    pub fn given(&self) -> Vec<(Call, Errno)> {
        self.faults.as_ref().map(|faults| faults.given.borrow().clone()).unwrap_or_default()
    }

    /// Takes from the disk what it was not known to have.
    pub fn cut_power(&self) {
        for (path, text) in self.faults.iter().flat_map(|faults| faults.unsettled.take()) {
            if path.exists() {
                fs::write(path, text).unwrap();
            }
        }
    }
}
