//! Who may do what: access keys for verifying signatures, and the decision about each verified request.

use std::error::Error;
use std::sync::Arc;

use model::Timestamp;
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::dto::ObjectIdentifier;
use s3s::path::S3Path;
use s3s::{S3ErrorCode, S3Result};
use subtle::ConstantTimeEq as _;

use super::{claim, fault, published};
use crate::clock::Clock;

/// An access key, as far as verifying a request needs it.
#[derive(Clone)]
pub struct Key {
    /// The secret that signatures are made with; never logged.
    pub secret: String,
    /// What temporary credentials must bring along, and others must not.
    pub session_token: Option<String>,
    /// When temporary credentials end.
    pub expires: Option<Timestamp>,
}

/// The edge's knowledge of access keys and permissions.
#[async_trait::async_trait]
pub trait Credentials: Send + Sync + 'static {
    /// The active access key of this id; `None` if there is none. An error means that nobody can tell now.
    async fn find(&self, access_key: &str) -> Result<Option<Key>, Box<dyn Error + Send + Sync>>;

    /// Whether the owner of `access_key` may do `action` (`s3:GetObject`) on `resource` (an ARN).
    async fn allows(
        &self,
        _access_key: &str,
        _action: &str,
        _resource: &str,
    ) -> Result<bool, Box<dyn Error + Send + Sync>> {
        Ok(true)
    }
}

/// The guard that `s3s` asks.
#[derive(Clone)]
pub(super) struct Guard {
    pub(super) credentials: Arc<dyn Credentials>,
    pub(super) clock: Clock,
}

impl Guard {
    async fn key(&self, access_key: &str) -> S3Result<Key> {
        match self.credentials.find(access_key).await {
            Ok(Some(key)) => Ok(key),
            Ok(None) => Err(fault::known(S3ErrorCode::InvalidAccessKeyId)),
            Err(error) => Err(fault::internal(&*error)),
        }
    }

    /// Refuses what the owner of the key may not do.
    async fn authorize(&self, access_key: &str, action: &str, resource: &str) -> S3Result<()> {
        match self.credentials.allows(access_key, action, resource).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(denied()),
            Err(error) => Err(fault::internal(&*error)),
        }
    }

    /// Refuses who may not remove this object, or this version of it.
    pub(super) async fn authorize_removal(
        &self,
        access_key: &str,
        bucket: &str,
        object: &ObjectIdentifier,
    ) -> S3Result<()> {
        let resource = format!("arn:aws:s3:::{bucket}/{}", object.key);
        self.authorize(access_key, &action("DeleteObject", object.version_id.is_some()), &resource)
            .await
    }
}

#[async_trait::async_trait]
impl S3Auth for Guard {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        let key = self.key(access_key).await?;
        if key.expires.is_some_and(|end| self.clock.now() >= end) {
            return Err(fault::known(S3ErrorCode::ExpiredToken));
        }
        Ok(SecretKey::from(key.secret))
    }
}

#[async_trait::async_trait]
impl S3Access for Guard {
    async fn check(&self, request: &mut S3AccessContext<'_>) -> S3Result<()> {
        let Some(credentials) = request.credentials() else {
            return Err(fault::known(S3ErrorCode::AccessDenied));
        };
        let access_key = credentials.access_key.clone();
        let token =
            claim::session_token(request.uri().query().unwrap_or_default(), request.headers());
        let key = self.key(&access_key).await?;
        if !fits(key.session_token.as_deref(), token.as_deref()) {
            return Err(fault::known(S3ErrorCode::InvalidToken));
        }
        let operation = request.s3_op().name();
        if published::is_reserved(request.s3_path()) {
            return if published::may_be_read_by(operation) { Ok(()) } else { Err(denied()) };
        }
        for Need { action, resource } in needs(request) {
            self.authorize(&access_key, &action, &resource).await?;
        }
        Ok(())
    }
}

/// One permission that an operation takes.
#[derive(Debug, PartialEq, Eq)]
struct Need {
    action: String,
    resource: String,
}

fn needs(request: &S3AccessContext<'_>) -> Vec<Need> {
    let operation = request.s3_op().name();
    if operation == "DeleteObjects" {
        // Its keys stand in the body: each is asked about when it is removed.
        return Vec::new();
    }
    let query = request.uri().query().unwrap_or_default();
    let is_version = query.split('&').any(|pair| pair.starts_with("versionId="));
    let own = Need { action: action(operation, is_version), resource: resource(request.s3_path()) };
    let source = request.headers().get("x-amz-copy-source").and_then(|source| source.to_str().ok());
    std::iter::once(own).chain(source.map(source_need)).collect()
}

/// Who copies reads the source: `bucket/key` or `/bucket/key`, percent-encoded, with a version or without.
fn source_need(source: &str) -> Need {
    let (path, version) =
        source.split_once("?versionId=").map_or((source, None), |(path, id)| (path, Some(id)));
    let path = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
    let path = path.strip_prefix('/').unwrap_or(&path);
    Need {
        action: action("GetObject", version.is_some()),
        resource: format!("arn:aws:s3:::{path}"),
    }
}

fn denied() -> s3s::S3Error {
    fault::known(S3ErrorCode::AccessDenied)
}

fn fits(expected: Option<&str>, found: Option<&str>) -> bool {
    match (expected, found) {
        (None, None) => true,
        (Some(expected), Some(found)) => expected.as_bytes().ct_eq(found.as_bytes()).into(),
        (Some(_), None) | (None, Some(_)) => false,
    }
}

/// The action that policies know an operation by.
/// Source: service authorization reference, "Actions, resources, and condition keys for Amazon S3".
fn action(operation: &str, is_version: bool) -> String {
    let action = match operation {
        "HeadObject" | "GetObject" | "GetObjectAttributes" if is_version => "GetObjectVersion",
        "GetObjectTagging" if is_version => "GetObjectVersionTagging",
        "PutObjectTagging" if is_version => "PutObjectVersionTagging",
        "DeleteObjectTagging" if is_version => "DeleteObjectVersionTagging",
        "GetObjectAcl" if is_version => "GetObjectVersionAcl",
        "DeleteObject" if is_version => "DeleteObjectVersion",
        "ListBuckets" => "ListAllMyBuckets",
        "HeadBucket" | "ListObjects" | "ListObjectsV2" => "ListBucket",
        "ListObjectVersions" => "ListBucketVersions",
        "ListMultipartUploads" => "ListBucketMultipartUploads",
        "ListParts" => "ListMultipartUploadParts",
        "HeadObject" | "GetObjectAttributes" => "GetObject",
        "CreateMultipartUpload"
        | "UploadPart"
        | "UploadPartCopy"
        | "CompleteMultipartUpload"
        | "CopyObject" => "PutObject",
        "DeleteBucketTagging" => "PutBucketTagging",
        "GetBucketAccelerateConfiguration" => "GetAccelerateConfiguration",
        "GetBucketCors" => "GetBucketCORS",
        "GetBucketEncryption" => "GetEncryptionConfiguration",
        "GetBucketLifecycleConfiguration" => "GetLifecycleConfiguration",
        "GetBucketNotificationConfiguration" => "GetBucketNotification",
        "GetBucketReplication" => "GetReplicationConfiguration",
        "GetObjectLockConfiguration" => "GetBucketObjectLockConfiguration",
        "GetPublicAccessBlock" => "GetBucketPublicAccessBlock",
        other => other,
    };
    format!("s3:{action}")
}

fn resource(path: &S3Path) -> String {
    match path {
        S3Path::Root => "*".to_owned(),
        S3Path::Bucket { bucket } => format!("arn:aws:s3:::{bucket}"),
        S3Path::Object { bucket, key } => format!("arn:aws:s3:::{bucket}/{key}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_belongs_to_temporary_credentials_alone() {
        assert!(fits(None, None));
        assert!(fits(Some("t"), Some("t")));
        assert!(!fits(Some("t"), Some("u")));
        assert!(!fits(Some("t"), None));
        assert!(!fits(None, Some("t")));
    }

    #[test]
    fn operations_are_known_to_policies_by_other_names() {
        assert_eq!(action("HeadObject", false), "s3:GetObject");
        assert_eq!(action("HeadObject", true), "s3:GetObjectVersion");
        assert_eq!(action("ListObjectsV2", false), "s3:ListBucket");
        assert_eq!(action("PutBucketPolicy", false), "s3:PutBucketPolicy");
        assert_eq!(resource(&S3Path::object("b", "a/k")), "arn:aws:s3:::b/a/k");
    }

    #[test]
    fn who_copies_reads_the_source() {
        let need = |action: &str, resource: &str| Need {
            action: action.into(),
            resource: resource.into(),
        };
        assert_eq!(source_need("/b/a%20k"), need("s3:GetObject", "arn:aws:s3:::b/a k"));
        assert_eq!(
            source_need("b/k?versionId=v1"),
            need("s3:GetObjectVersion", "arn:aws:s3:::b/k")
        );
    }
}
