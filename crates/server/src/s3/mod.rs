//! The S3 service: buckets and objects on this machine's disk, for bundles above all.
//!
//! `s3s` knows the protocol: routing, signatures, chunked bodies, XML. This module owns the rest: what an
//! operation does (`backend` and what it delegates to), which rows say so (`store`) and where the bytes are
//! (`blobs`). A write is acknowledged when its bytes, their file's name and its row are on the disk; what it
//! replaced is removed afterwards. Not here: access keys and policies, about which the edge is asked through
//! [`Credentials`], and what longshore itself publishes in `aws-codedeploy-REGION`, see [`Published`].

mod front;

mod auth;
mod claim;
mod fault;
mod host;

mod backend;
mod buckets;
mod listing;
mod objects;
mod settings;
mod uploads;

mod attributes;
mod conditions;
mod crc;
mod digest;

mod blobs;
mod found;
mod published;
mod reader;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use model::Timestamp;
use model::arn::Scope;
use s3s::config::{S3Config, StaticConfigProvider};
use s3s::service::S3ServiceBuilder;
use store::{Store, StoreError};

use crate::clock::Clock;

pub use auth::{Credentials, Key};
pub use blobs::SweepError;
pub use front::S3Service;
pub use published::{NothingPublished, Published, PublishedObject};
pub use reader::ObjectReader;

use backend::Backend;

/// The longest key in bytes. Source: S3 user guide, "Naming Amazon S3 objects".
const KEY_MAX_BYTES: usize = 1024;

/// The largest XML body that is read into memory. The longest legal one completes an upload of 10,000 parts
/// with a checksum each, which takes some 3 MB.
const XML_MAX_BYTES: usize = 8 * 1024 * 1024;

/// What the service needs.
pub struct Config {
    /// Where rows are kept.
    pub store: Store,
    /// The bytes go to `objects` in it.
    pub data_dir: PathBuf,
    /// Tells the time.
    pub clock: Clock,
    /// The account to which all buckets belong, and the region of those that name none.
    pub scope: Scope,
    /// The endpoint's own names (not addresses), before which a bucket's name may stand; `localhost` and AWS's
    /// need not be said.
    pub host_names: Vec<String>,
    /// Access keys and permissions.
    pub credentials: Arc<dyn Credentials>,
    /// What the reserved buckets hold.
    pub published: Arc<dyn Published>,
}

/// Makes the service.
///
/// # Errors
/// The directory for objects cannot be made.
pub fn service(config: Config) -> io::Result<S3Service> {
    let guard = auth::Guard { credentials: config.credentials, clock: config.clock.clone() };
    let backend = Backend {
        store: config.store,
        blobs: blobs::Blobs::open(&config.data_dir)?,
        clock: config.clock,
        account: config.scope.account,
        region: config.scope.region,
        published: config.published,
        guard: guard.clone(),
        completing: Arc::default(),
    };
    let mut builder = S3ServiceBuilder::new(backend.clone());
    builder.set_auth(guard.clone());
    builder.set_access(guard);
    builder.set_host(host::HostNames::new(config.host_names));
    builder.set_config(Arc::new(StaticConfigProvider::new(Arc::new(limits()))));
    Ok(S3Service::new(builder.build(), backend))
}

fn limits() -> S3Config {
    let mut limits = S3Config::default();
    limits.xml_max_body_size = XML_MAX_BYTES;
    limits
}

/// What the control plane wants to know of an object before it deploys it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Without quotes.
    pub etag: String,
    /// In bytes.
    pub size: u64,
    /// Absent in a bucket that never had versions.
    pub version: Option<String>,
    pub modified: Timestamp,
}

/// Why there is nothing to know.
#[derive(Debug, thiserror::Error)]
pub enum HeadError {
    #[error("the bucket `{0}` does not exist")]
    NoSuchBucket(String),
    #[error("the bucket `{bucket}` has no object `{key}`")]
    NoSuchKey { bucket: String, key: String },
    #[error("the object `{key}` in the bucket `{bucket}` has no version `{version}`")]
    NoSuchVersion { bucket: String, key: String, version: String },
    #[error("what is stored about the object cannot be read: {0}")]
    Attributes(String),
    #[error("the store could not be asked")]
    Store(#[from] StoreError),
}

fn head(object: &store::Object, versioning: store::Versioning) -> Head {
    let is_versioned = versioning != store::Versioning::Off;
    Head {
        etag: object.etag.clone(),
        size: object.size,
        version: is_versioned.then(|| object.version_id.clone()),
        modified: object.created,
    }
}

impl S3Service {
    /// Looks at an object from inside the server, without a signature.
    ///
    /// # Errors
    /// There is no such bucket, object or version, or the store failed.
    pub async fn head(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
    ) -> Result<Head, HeadError> {
        let (object, versioning) = self.stored(bucket, key, version).await?;
        Ok(head(&object, versioning))
    }

    /// Opens an object from inside the server, without a signature.
    ///
    /// # Errors
    /// There is no such bucket, object or version, its attributes cannot be read, or the store failed.
    pub async fn open(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
    ) -> Result<(Head, ObjectReader), HeadError> {
        let (object, versioning) = self.stored(bucket, key, version).await?;
        let head = head(&object, versioning);
        let attributes = attributes::Attributes::read(&object.attributes);
        let segments =
            attributes.map_err(|error| HeadError::Attributes(error.to_string()))?.segments;
        let file = object.file.unwrap_or_default();
        let blob = blobs::Blob { file, segments, size: object.size };
        Ok((head, ObjectReader::new(&self.backend().blobs, &blob)))
    }

    async fn stored(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
    ) -> Result<(store::Object, store::Versioning), HeadError> {
        let store = &self.backend().store;
        let Some(found) = store.bucket(bucket).await? else {
            return Err(HeadError::NoSuchBucket(bucket.to_owned()));
        };
        let object =
            store.object(bucket, key, version).await?.filter(|object| !object.delete_marker);
        let Some(object) = object else {
            let (bucket, key) = (bucket.to_owned(), key.to_owned());
            return Err(match version {
                Some(version) => {
                    HeadError::NoSuchVersion { bucket, key, version: version.to_owned() }
                }
                None => HeadError::NoSuchKey { bucket, key },
            });
        };
        Ok((object, found.versioning))
    }

    /// Removes the files that a crash left without a row and that are older than `before`, the time when the
    /// server started. Returns how many went.
    ///
    /// # Errors
    /// The directory or the store could not be read; what is left, the next sweep finds.
    pub async fn sweep(&self, before: SystemTime) -> Result<u64, SweepError> {
        blobs::sweep(&self.backend().blobs, &self.backend().store, before).await
    }
}
