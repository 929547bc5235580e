//! Buckets: making, listing and removing them, and whether they keep versions.

use s3s::dto::{self, BucketLocationConstraint, BucketVersioningStatus};
use s3s::{S3ErrorCode, S3Result};
use store::{Bucket, CreateBucket, DeleteBucket, Versioning};

use super::attributes::{is_public, time};
use super::backend::Backend;
use super::fault;
use super::published;
use super::settings::Settings;

/// The region that has no name in a location constraint, for historical reasons.
/// Source: API reference, `GetBucketLocation`.
const FIRST_REGION: &str = "us-east-1";

/// How many buckets a page of a listing has at most. Source: API reference, `ListBuckets`.
const BUCKETS_MAX: u32 = 10_000;

/// How often a change of settings is tried again when somebody else changes them at the same moment.
const CHANGE_ATTEMPTS: usize = 10;

impl Backend {
    /// The bucket of this name; the error says so if there is none.
    pub(super) async fn bucket(&self, name: &str) -> S3Result<Bucket> {
        self.store.bucket(name).await.map_err(fault::store)?.ok_or_else(fault::no_such_bucket)
    }

    /// What is kept with the bucket.
    pub(super) async fn settings(&self, bucket: &str) -> S3Result<Settings> {
        Settings::read(&self.bucket(bucket).await?.body)
    }

    /// Changes what is kept with the bucket.
    pub(super) async fn change_settings(
        &self,
        name: &str,
        change: impl Fn(&mut Settings) + Send + Sync,
    ) -> S3Result<()> {
        for _ in 0..CHANGE_ATTEMPTS {
            let bucket = self.bucket(name).await?;
            let mut settings = Settings::read(&bucket.body)?;
            change(&mut settings);
            let written = self.store.set_bucket_body(name, &bucket.body, &settings.write()?).await;
            if written.map_err(fault::store)? {
                return Ok(());
            }
        }
        Err(fault::because(
            S3ErrorCode::OperationAborted,
            "A conflicting conditional operation is currently in progress against this resource. Please try again.",
        ))
    }

    pub(super) async fn make_bucket(
        &self,
        input: dto::CreateBucketInput,
    ) -> S3Result<dto::CreateBucketOutput> {
        if published::is_reserved_bucket(&input.bucket) {
            return Err(fault::known(S3ErrorCode::BucketAlreadyExists));
        }
        let constraint = input
            .create_bucket_configuration
            .and_then(|configuration| configuration.location_constraint);
        let region =
            constraint.map_or_else(|| self.region.clone(), |named| named.as_str().to_owned());
        // `EU` is an old name that clients may still send.
        let region = if region == "EU" { "eu-west-1".to_owned() } else { region };
        let acl = input.acl.as_ref().map(dto::BucketCannedACL::as_str);
        let settings = Settings { public_read: is_public(acl), ..Settings::default() };
        let bucket = Bucket {
            name: input.bucket.clone(),
            region,
            versioning: Versioning::Off,
            body: settings.write()?,
            created: self.clock.now(),
        };
        match self.store.create_bucket(&bucket).await.map_err(fault::store)? {
            CreateBucket::Created => {}
            // Everything belongs to the one account; the first region lets it create a bucket again.
            CreateBucket::Exists(existing)
                if existing.region == FIRST_REGION && bucket.region == FIRST_REGION => {}
            CreateBucket::Exists(_) => {
                return Err(fault::known(S3ErrorCode::BucketAlreadyOwnedByYou));
            }
        }
        Ok(dto::CreateBucketOutput { location: Some(format!("/{}", input.bucket)) })
    }

    pub(super) async fn remove_bucket(&self, name: &str) -> S3Result<()> {
        match self.store.delete_bucket(name).await.map_err(fault::store)? {
            DeleteBucket::Deleted { files } => {
                self.blobs.remove(files).await;
                Ok(())
            }
            DeleteBucket::NotEmpty => Err(fault::known(S3ErrorCode::BucketNotEmpty)),
            DeleteBucket::Missing => Err(fault::no_such_bucket()),
        }
    }

    /// The region of a bucket, a reserved one included.
    pub(super) async fn region_of(&self, bucket: &str) -> S3Result<String> {
        match published::region(bucket) {
            Some(region) => Ok(region.to_owned()),
            None => Ok(self.bucket(bucket).await?.region),
        }
    }

    pub(super) async fn bucket_location(
        &self,
        bucket: &str,
    ) -> S3Result<dto::GetBucketLocationOutput> {
        let region = self.region_of(bucket).await?;
        let named = (region != FIRST_REGION).then(|| BucketLocationConstraint::from(region));
        Ok(dto::GetBucketLocationOutput { location_constraint: named })
    }

    pub(super) async fn list_all_buckets(
        &self,
        input: dto::ListBucketsInput,
    ) -> S3Result<dto::ListBucketsOutput> {
        let limit =
            input.max_buckets.and_then(|most| u32::try_from(most).ok()).unwrap_or(BUCKETS_MAX);
        if !(1..=BUCKETS_MAX).contains(&limit) {
            return Err(fault::invalid_argument(
                "Argument max-buckets must be an integer between 1 and 10000.",
            ));
        }
        let after = input.continuation_token.as_deref();
        let page = self.store.buckets(after, limit).await.map_err(fault::store)?;
        let prefix = input.prefix.clone().unwrap_or_default();
        let wanted = page.items.into_iter().filter(|bucket| {
            let region = input.bucket_region.as_deref();
            bucket.name.starts_with(&prefix) && region.is_none_or(|region| region == bucket.region)
        });
        let buckets = wanted
            .map(|bucket| dto::Bucket {
                bucket_region: Some(bucket.region),
                creation_date: Some(time(bucket.created)),
                name: Some(bucket.name),
            })
            .collect();
        Ok(dto::ListBucketsOutput {
            buckets: Some(buckets),
            continuation_token: page.next,
            owner: Some(self.owner()),
            prefix: input.prefix,
        })
    }

    pub(super) async fn bucket_versioning(
        &self,
        name: &str,
    ) -> S3Result<dto::GetBucketVersioningOutput> {
        let status = match self.bucket(name).await?.versioning {
            Versioning::Off => None,
            Versioning::Enabled => Some(BucketVersioningStatus::ENABLED),
            Versioning::Suspended => Some(BucketVersioningStatus::SUSPENDED),
        };
        let status = status.map(BucketVersioningStatus::from_static);
        Ok(dto::GetBucketVersioningOutput { mfa_delete: None, status })
    }

    pub(super) async fn set_bucket_versioning(
        &self,
        input: dto::PutBucketVersioningInput,
    ) -> S3Result<()> {
        let status = input.versioning_configuration.status;
        let versioning = match status.as_ref().map(BucketVersioningStatus::as_str) {
            Some(BucketVersioningStatus::ENABLED) => Versioning::Enabled,
            Some(BucketVersioningStatus::SUSPENDED) => Versioning::Suspended,
            Some(_) => return Err(fault::known(S3ErrorCode::MalformedXML)),
            None => {
                return Err(fault::because(
                    S3ErrorCode::IllegalVersioningConfigurationException,
                    "The Versioning element must be specified",
                ));
            }
        };
        let exists =
            self.store.set_versioning(&input.bucket, versioning).await.map_err(fault::store)?;
        if exists { Ok(()) } else { Err(fault::no_such_bucket()) }
    }
}
