//! A bucket's sub-resources: its policy and tags, and the many that nobody has set.
//!
//! Terraform reads each of the latter before it is content with a bucket, and takes the documented 404 for
//! "not configured". `s3s` refuses to set them, by name; pretending would be worse.

use s3s::dto::{self, Grant, Grantee, Owner, Permission, Type};
use s3s::{S3Error, S3ErrorCode, S3Result};
use serde::{Deserialize, Serialize};

use super::attributes::{Tags, bucket_tags, is_public, tag_set};
use super::backend::Backend;
use super::fault;

/// What is kept with a bucket, as JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Settings {
    /// The bucket policy's text, as it came.
    pub(super) policy: Option<String>,
    pub(super) tags: Option<Tags>,
    /// Whether the bucket was created with a `public-read` ACL. It is kept and shown, and grants nothing.
    pub(super) public_read: bool,
}

/// The longest bucket policy. Source: S3 user guide, "Bucket policies".
const POLICY_MAX_BYTES: usize = 20 * 1024;

impl Settings {
    pub(super) fn read(body: &str) -> S3Result<Self> {
        serde_json::from_str(body).map_err(|error| fault::internal(&error))
    }

    pub(super) fn write(&self) -> S3Result<String> {
        serde_json::to_string(self).map_err(|error| fault::internal(&error))
    }
}

impl Backend {
    pub(super) async fn policy(&self, bucket: &str) -> S3Result<dto::GetBucketPolicyOutput> {
        let policy = self.settings(bucket).await?.policy;
        let policy = policy.ok_or_else(|| fault::known(S3ErrorCode::NoSuchBucketPolicy))?;
        Ok(dto::GetBucketPolicyOutput { policy: Some(policy) })
    }

    pub(super) async fn put_policy(&self, input: dto::PutBucketPolicyInput) -> S3Result<()> {
        let malformed =
            |message: &str| fault::because(S3ErrorCode::MalformedPolicy, message.to_owned());
        if input.policy.len() > POLICY_MAX_BYTES {
            return Err(malformed("Policy exceeds the maximum allowed document size."));
        }
        match serde_json::from_str::<serde_json::Value>(&input.policy) {
            Ok(document) if document.get("Statement").is_some() => {}
            Ok(_) => return Err(malformed("Missing required field Statement")),
            Err(_) => {
                return Err(malformed(
                    "Policies must be valid JSON and the first byte must be '{'",
                ));
            }
        }
        self.change_settings(&input.bucket, |settings| settings.policy = Some(input.policy.clone()))
            .await
    }

    pub(super) async fn delete_policy(&self, bucket: &str) -> S3Result<()> {
        self.change_settings(bucket, |settings| settings.policy = None).await
    }

    pub(super) async fn bucket_tagging(
        &self,
        bucket: &str,
    ) -> S3Result<dto::GetBucketTaggingOutput> {
        let tags = self.settings(bucket).await?.tags;
        let tags = tags.ok_or_else(|| fault::known(S3ErrorCode::NoSuchTagSet))?;
        Ok(dto::GetBucketTaggingOutput { tag_set: tag_set(&tags) })
    }

    pub(super) async fn put_bucket_tags(&self, bucket: &str, tags: dto::TagSet) -> S3Result<()> {
        let tags = bucket_tags(tags)?;
        self.change_settings(bucket, |settings| settings.tags = Some(tags.clone())).await
    }

    pub(super) async fn delete_bucket_tags(&self, bucket: &str) -> S3Result<()> {
        self.change_settings(bucket, |settings| settings.tags = None).await
    }

    pub(super) async fn bucket_acl(&self, bucket: &str) -> S3Result<dto::GetBucketAclOutput> {
        let public = self.settings(bucket).await?.public_read;
        Ok(dto::GetBucketAclOutput { grants: Some(self.grants(public)), owner: Some(self.owner()) })
    }

    pub(super) async fn set_bucket_acl(&self, bucket: &str, canned: Option<&str>) -> S3Result<()> {
        self.change_settings(bucket, |settings| settings.public_read = is_public(canned)).await
    }

    /// The error for a sub-resource that has not been set, once the bucket is known to exist.
    pub(super) async fn not_configured(&self, bucket: &str, mut error: S3Error) -> S3Error {
        // `s3s` gives some of these another status.
        error.set_status_code(http::StatusCode::NOT_FOUND);
        match self.settings(bucket).await {
            Ok(_) => error,
            Err(missing) => missing,
        }
    }

    /// Everything belongs to the one account there is.
    pub(super) fn owner(&self) -> Owner {
        Owner { display_name: Some("longshore".to_owned()), id: Some(self.owner_id()) }
    }

    /// The grants of a canned ACL: the owner's, and everyone's where it said so.
    pub(super) fn grants(&self, public_read: bool) -> Vec<Grant> {
        let grant = |grantee, permission: &'static str| Grant {
            grantee: Some(grantee),
            permission: Some(Permission::from_static(permission)),
        };
        let owner = Grantee {
            display_name: Some("longshore".to_owned()),
            email_address: None,
            id: Some(self.owner_id()),
            type_: Type::from_static(Type::CANONICAL_USER),
            uri: None,
        };
        let everyone = Grantee {
            display_name: None,
            email_address: None,
            id: None,
            type_: Type::from_static(Type::GROUP),
            uri: Some("http://acs.amazonaws.com/groups/global/AllUsers".to_owned()),
        };
        let mut grants = vec![grant(owner, Permission::FULL_CONTROL)];
        if public_read {
            grants.push(grant(everyone, Permission::READ));
        }
        grants
    }

    /// S3 knows owners by 64 hexadecimal digits.
    fn owner_id(&self) -> String {
        format!("{:0>64}", self.account)
    }
}
