//! The reserved buckets `aws-codedeploy-REGION`, which longshore fills itself.
//!
//! On AWS these hold the agent's installers, and every instance may read them. Nobody writes to them here, and
//! they belong to no one: `aws s3 cp s3://aws-codedeploy-us-east-1/latest/install .` is all they are for.

use std::path::PathBuf;
use std::time::SystemTime;

use bytes::Bytes;
use s3s::crypto::{Checksum as _, Md5};
use s3s::path::S3Path;

const PREFIX: &str = "aws-codedeploy-";

/// What the control plane publishes to its hosts.
pub trait Published: Send + Sync + 'static {
    /// The keys there are, in order.
    fn keys(&self) -> Vec<String>;

    /// The object with this key, made for a caller who reached the server as `host` (`name:port`).
    fn object(&self, key: &str, host: &str) -> Option<PublishedObject>;
}

/// An object that longshore itself publishes: some bytes and, where there is one, a file after them.
#[derive(Debug, Clone)]
pub struct PublishedObject {
    /// Its media type.
    pub content_type: String,
    /// What comes first.
    pub head: Bytes,
    /// The file whose bytes follow.
    pub file: Option<PathBuf>,
}

/// A server that publishes nothing.
#[derive(Debug, Clone, Copy)]
pub struct NothingPublished;

impl Published for NothingPublished {
    fn keys(&self) -> Vec<String> {
        Vec::new()
    }

    fn object(&self, _key: &str, _host: &str) -> Option<PublishedObject> {
        None
    }
}

/// A published object as it is now: its file may be replaced when longshore is updated.
#[derive(Debug, Clone)]
pub(super) struct Edition {
    pub(super) object: PublishedObject,
    pub(super) file_len: u64,
    pub(super) modified: SystemTime,
}

impl Edition {
    /// Looks at the file behind `object`.
    pub(super) async fn of(object: PublishedObject) -> std::io::Result<Self> {
        let (file_len, modified) = match &object.file {
            Some(path) => {
                let metadata = tokio::fs::metadata(path).await?;
                (metadata.len(), metadata.modified()?)
            }
            None => (0, SystemTime::UNIX_EPOCH),
        };
        Ok(Self { object, file_len, modified })
    }

    /// Its length in bytes.
    pub(super) fn size(&self) -> u64 {
        self.object.head.len() as u64 + self.file_len
    }

    /// Changes whenever the bytes do. It has the form of a multipart object's, since it is not their MD5.
    pub(super) fn etag(&self) -> String {
        let mut md5 = Md5::new();
        md5.update(&self.object.head);
        let since = self.modified.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        md5.update(format!("{} {}", self.file_len, since.as_nanos()).as_bytes());
        format!("{}-1", hex::encode(md5.finalize()))
    }
}

/// Whether `bucket` is one of the reserved ones: the prefix and a region's name.
pub(super) fn is_reserved_bucket(bucket: &str) -> bool {
    region(bucket).is_some()
}

/// The region in the name of a reserved bucket.
pub(super) fn region(bucket: &str) -> Option<&str> {
    let region = bucket.strip_prefix(PREFIX)?;
    let mut words = region.split('-');
    let area = words.next().is_some_and(|word| word.len() == 2);
    let number = words
        .next_back()
        .is_some_and(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit()));
    (area && number && words.next().is_some()).then_some(region)
}

/// Whether a request is about a reserved bucket or what is in it.
pub(super) fn is_reserved(path: &S3Path) -> bool {
    path.get_bucket_name().is_some_and(is_reserved_bucket)
}

/// Whether an operation only reads.
pub(super) fn may_be_read_by(operation: &str) -> bool {
    matches!(
        operation,
        "GetBucketLocation"
            | "HeadBucket"
            | "ListObjects"
            | "ListObjectsV2"
            | "HeadObject"
            | "GetObject"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_regions_make_a_reserved_bucket() {
        assert_eq!(region("aws-codedeploy-us-east-1"), Some("us-east-1"));
        assert_eq!(region("aws-codedeploy-us-gov-west-1"), Some("us-gov-west-1"));
        assert_eq!(region("aws-codedeploy-releases"), None);
        assert_eq!(region("aws-codedeploy-us-1"), None);
        assert_eq!(region("my-aws-codedeploy-us-east-1"), None);
    }

    #[tokio::test]
    async fn an_edition_changes_with_its_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("agent");
        std::fs::write(&path, b"one").unwrap();
        let object = PublishedObject {
            content_type: "text/x-shellscript".to_owned(),
            head: Bytes::from_static(b"#!/bin/sh\n"),
            file: Some(path.clone()),
        };
        let first = Edition::of(object.clone()).await.unwrap();
        assert_eq!(first.size(), 13);
        std::fs::write(&path, b"other").unwrap();
        let second = Edition::of(object).await.unwrap();
        assert_ne!(first.etag(), second.etag());
    }
}
