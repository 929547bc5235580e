//! Bundles: how a revision gets from where it is stored into a deployment's directory.
//!
//! [`download`] gets one while it unpacks it: [`fetch`] asks for the archive if none of the [`kept`] ones is it, [`unpack`]
//! writes its files below one directory and nowhere else, without a leading directory, and [`retention`] makes room.

pub mod beneath;
pub mod download;
pub mod fetch;
pub mod kept;
pub mod retention;
pub mod unpack;

mod local;
mod place;
mod pool;
mod spool;
mod tarball;
mod transfer;
mod zipfile;

pub use local::{copy_directory, link_file};
pub(crate) use transfer::is_passing;

use std::io;

use camino::Utf8PathBuf;

/// How getting a bundle can fail.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The bundle is not the one that was meant.
    #[error("Expected deployment artifact bundle etag {expected} but was actually {found}")]
    ETag { expected: String, found: String },
    /// The storage refused.
    #[error("{message} ({code}, HTTP {status}) while getting {what}")]
    Refused { what: String, status: u16, code: String, message: String },
    /// The storage could not be reached or broke off.
    #[error("could not get {what}: {reason}")]
    Transport { what: String, reason: String },
    /// The storage has another object each time.
    #[error("could not get {what}: it was replaced while it was being downloaded, {times} times")]
    Unsteady { what: String, times: usize },
    /// What was downloaded, or kept, is not what it should be.
    #[error("the bundle {path} is damaged: its {what} is {found} instead of {expected}")]
    Content { path: Utf8PathBuf, what: &'static str, expected: String, found: String },
    /// GitHub answered errors, again and again.
    #[error(
        "Could not download bundle at '{url}' after {retries} retries. Server returned codes: {codes}"
    )]
    GitHub { url: String, retries: usize, codes: String },
    /// Something on this host failed.
    #[error("could not {action} {path}{}: {}", disk_full(source), source)]
    Host {
        action: &'static str,
        path: Utf8PathBuf,
        #[source]
        source: io::Error,
    },
    /// The archive cannot be read.
    #[error("Error extracting {kind} archive: {reason}")]
    Archive { kind: &'static str, reason: String },
    /// The archive has an entry that leads, or would lead, out of the revision's directory.
    #[error("the archive is refused: entry `{entry}` {reason}")]
    Hostile { entry: String, reason: String },
    /// The archive comes to more than allowed.
    #[error(
        "the archive is refused: it unpacks to more than {bytes_max} bytes (`unpacked_bytes_max` in codedeployagent.yml)"
    )]
    TooLarge { bytes_max: u64 },
    /// The revision is on this host, and is not there.
    #[error("the local revision {path} does not exist")]
    NoLocal { path: Utf8PathBuf },
    /// Old revisions could not be removed.
    #[error("Error deleting directories: {path}: {source}")]
    Retention {
        path: Utf8PathBuf,
        #[source]
        source: io::Error,
    },
}

/// What an operator needs to hear first about a full disk.
fn disk_full(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ", the disk is (or was) full",
        _ => "",
    }
}

impl BundleError {
    /// A failure on this host.
    pub(crate) fn host(
        action: &'static str,
        path: impl Into<Utf8PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Host { action, path, source }
    }
}

#[cfg(test)]
mod tests;
