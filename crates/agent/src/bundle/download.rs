//! The event DownloadBundle: from wherever a revision is to its unpacked files.
//!
//! An archive is unpacked while it arrives, and kept beside that as the official agent keeps it; neither is where anybody looks for
//! it before it is whole and checked. One that is on the host already is not fetched again.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use super::fetch::{Remote, Sources};
use super::kept::{self, BUNDLE, Kept, PART, Part};
use super::spool::{Spool, discard};
use super::transfer::{Ended, Transfer, is_passing};
use super::{BundleError, place, unpack};
use crate::spec::{ArchiveType, chain};

/// The unpacked revision in a deployment's directory. Source: official agent.
pub const ARCHIVE: &str = "deployment-archive";
/// Pieces that wait for the unpacker: enough that neither side stands still, and little memory.
const PIECES_MAX: usize = 4;
/// An object that is replaced while it is being fetched is begun anew this many times.
const RESTARTS_MAX: usize = 3;

/// Where a bundle goes.
#[derive(Debug, Clone)]
pub struct Place {
    /// The directory of the group's deployments.
    pub group: Utf8PathBuf,
    /// That of this deployment, which is there.
    pub deployment: Utf8PathBuf,
    /// What the bundle may unpack to, in bytes.
    pub unpacked_bytes_max: u64,
}

/// What a download begins with.
#[derive(Debug)]
pub enum Start {
    /// The bundle is here.
    Kept(Kept),
    /// The bundle as it was is here.
    Unsettled(Kept),
    /// A part of it is here.
    Part(Part),
    Nothing,
}

impl Place {
    /// Takes a whole archive that is on the host, if there is one. A part of one is left to a deployment.
    pub fn borrow(&self, remote: &Remote<'_>) -> Start {
        let kept = kept::find(&self.group, remote);
        kept.and_then(|kept| self.adopt(kept)).map_or(Start::Nothing, Start::Kept)
    }

    /// Takes what is on the host of an archive. Called before old deployments go: what is wanted again may be the oldest's.
    pub fn take(&self, remote: &Remote<'_>, reuse: Option<&str>) -> Start {
        let named = reuse.and_then(|deployment| kept::of_deployment(&self.group, deployment));
        if let Some(kept) = named.or_else(|| kept::find(&self.group, remote)) {
            return self.adopt(kept).map_or(Start::Nothing, Start::Kept);
        }
        if let Some(kept) = kept::find_unsettled(&self.group, remote) {
            return self.adopt(kept).map_or(Start::Nothing, Start::Unsettled);
        }
        let Some(part) = kept::find_part(&self.group, remote) else { return Start::Nothing };
        let path = self.deployment.join(PART);
        match fs::rename(&part.path, &path) {
            Ok(()) => Start::Part(Part { path, ..part }),
            Err(_) => Start::Nothing,
        }
    }

    fn adopt(&self, kept: Kept) -> Option<Kept> {
        let path = self.deployment.join(BUNDLE);
        match kept::take(&kept.path, &path) {
            Ok(()) => Some(Kept { path, ..kept }),
            Err(error) => {
                tracing::warn!(%error, from = %kept.path, "the kept bundle cannot be taken");
                None
            }
        }
    }

    /// Gets an archive, and unpacks it.
    ///
    /// # Errors
    /// It cannot be fetched, is not what was meant, or cannot be unpacked; or this host refuses to write. Then what was unpacked
    /// before is as it was.
    pub async fn get(
        &self,
        sources: &Sources,
        remote: &Remote<'_>,
        kind: ArchiveType,
        start: Start,
    ) -> Result<(), BundleError> {
        let (unless, mut part) = match start {
            Start::Kept(kept) => match self.unpack_kept(kept, kind).await {
                // Somebody damaged it: that is no reason to fail.
                Err(error @ (BundleError::Content { .. } | BundleError::Archive { .. })) => {
                    tracing::warn!(error = chain(&error), "the kept bundle is fetched again");
                    (None, None)
                }
                done => return done,
            },
            Start::Unsettled(kept) => (Some(kept), None),
            Start::Part(part) => (None, Some(part)),
            Start::Nothing => (None, None),
        };
        if part.is_none() {
            discard(&self.deployment.join(PART));
        }
        for _ in 0..=RESTARTS_MAX {
            let unless_etag = unless.as_ref().map(|kept| kept.etag.clone());
            match self.fetch(sources, remote, kind, unless_etag, part.take()).await? {
                Ended::Whole { .. } => return Ok(()),
                Ended::Unchanged => match unless {
                    Some(kept) => return self.unpack_kept(kept, kind).await,
                    None => break,
                },
                Ended::Again | Ended::Refused => discard(&self.deployment.join(PART)),
            }
        }
        Err(BundleError::Unsteady { what: remote.to_string(), times: RESTARTS_MAX + 1 })
    }

    /// Fetches an archive and unpacks it on the way.
    async fn fetch(
        &self,
        sources: &Sources,
        remote: &Remote<'_>,
        kind: ArchiveType,
        unless: Option<String>,
        part: Option<Part>,
    ) -> Result<Ended, BundleError> {
        let (sender, receiver) = mpsc::channel(PIECES_MAX);
        let went_on = part.is_some();
        let transfer = Transfer::new(sources, *remote, sender, unless);
        let transfer = match part {
            Some(Part { etag, bytes, .. }) => transfer.going_on(bytes, etag),
            None => transfer,
        };
        let path = self.deployment.join(PART);
        let (this, at) = (self.clone(), path.clone());
        let unpacking = spawn_blocking(move || this.unpack(Spool::receiving(&at, receiver)?, kind));
        let ended = transfer.run().await;
        let unpacked = unpacking.await.map_err(|error| broken(remote, &error))?;
        let (etag, sha256) = match (ended, unpacked) {
            (Ok(Ended::Whole { etag }), Ok(sha256)) => (etag, sha256.unwrap_or_default()),
            (Ok(ended @ (Ended::Again | Ended::Unchanged)), _) => {
                discard(&path);
                return Ok(ended);
            }
            // What was there from before may be what is wrong.
            (Ok(_), Err(BundleError::Content { .. } | BundleError::Archive { .. })) if went_on => {
                return Ok(Ended::Again);
            }
            (Ok(_), Err(error)) => {
                discard(&path);
                return Err(error);
            }
            (Err(error), _) => {
                // What is there may be gone on with when the storage is well again.
                if !is_passing(&error) {
                    discard(&path);
                }
                return Err(error);
            }
            (Ok(Ended::Refused), Ok(_)) => return Ok(Ended::Refused),
        };
        let bundle = self.deployment.join(BUNDLE);
        fs::rename(&path, &bundle).map_err(BundleError::host("rename", &path))?;
        kept::label(&bundle, remote, &etag, &sha256);
        self.put().await.map(|()| Ended::Whole { etag })
    }

    async fn unpack_kept(&self, kept: Kept, kind: ArchiveType) -> Result<(), BundleError> {
        let (this, path, is_known) = (self.clone(), kept.path.clone(), kept.sha256.is_some());
        let unpacking = spawn_blocking(move || this.unpack(Spool::of_file(&path, is_known)?, kind));
        let found = unpacking.await.map_err(|error| stopped(&error))??;
        if kept.sha256 != found {
            let [expected, found] = [kept.sha256, found].map(Option::unwrap_or_default);
            place::discard(&self.unpacked());
            return Err(BundleError::Content { path: kept.path, what: "SHA-256", expected, found });
        }
        tracing::info!(bundle = %kept.path, "the bundle was on this host already");
        self.put().await
    }

    /// Unpacks an archive of this host.
    ///
    /// # Errors
    /// It is not there, is damaged, hostile or too large, or this host refuses to write.
    pub async fn get_local(
        &self,
        location: &Utf8Path,
        kind: ArchiveType,
    ) -> Result<(), BundleError> {
        let path = self.deployment.join(BUNDLE);
        super::link_file(location, &path)?;
        self.unpack_kept(Kept { path, etag: String::new(), sha256: None }, kind).await
    }

    /// Unpacks beside the place where the revision is to be; the SHA-256 of the archive, if that is wanted. After a failure nothing
    /// is left there.
    fn unpack(&self, mut spool: Spool, kind: ArchiveType) -> Result<Option<String>, BundleError> {
        let into = self.unpacked();
        let done = unpack::unpack(&mut spool, kind, &into, self.unpacked_bytes_max);
        let done = done.map_err(|error| spool.cause(error)).and_then(|()| spool.finish());
        if done.is_err() {
            place::discard(&into);
        }
        done
    }

    async fn put(&self) -> Result<(), BundleError> {
        let (unpacked, archive) = (self.unpacked(), self.deployment.join(ARCHIVE));
        let putting = spawn_blocking(move || place::place(&unpacked, &archive));
        putting.await.map_err(|error| stopped(&error))?
    }

    fn unpacked(&self) -> Utf8PathBuf {
        place::beside(&self.deployment.join(ARCHIVE))
    }
}

fn broken(remote: &Remote<'_>, error: &tokio::task::JoinError) -> BundleError {
    BundleError::Transport { what: remote.to_string(), reason: error.to_string() }
}

fn stopped(error: &tokio::task::JoinError) -> BundleError {
    BundleError::Archive { kind: "the", reason: error.to_string() }
}

#[cfg(test)]
mod tests;
