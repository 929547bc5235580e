//! The operations that are served, as `s3s` calls them; each is a line that says where it is done.

use std::sync::Arc;

use s3s::dto::*;
use s3s::{S3, S3ErrorCode, S3Request, S3Response, S3Result, TrailingHeaders};
use store::Store;
use tokio::sync::RwLock;

use super::auth::Guard;
use super::blobs::Blobs;
use super::fault;
use super::published::Published;
use crate::clock::Clock;

/// What the operations work with.
#[derive(Clone)]
pub(super) struct Backend {
    pub(super) store: Store,
    pub(super) blobs: Blobs,
    pub(super) clock: Clock,
    pub(super) account: String,
    pub(super) region: String,
    pub(super) published: Arc<dyn Published>,
    pub(super) guard: Guard,
    /// Held for writing while an upload is completed, and for reading while a part of any is recorded: between
    /// choosing the parts and ending the upload, none may be replaced.
    pub(super) completing: Arc<RwLock<()>>,
}

type Answer<T> = S3Result<S3Response<T>>;

fn ok<T>(output: T) -> Answer<T> {
    Ok(S3Response::new(output))
}

/// The name under which the caller reached us, for what longshore publishes.
fn host<T>(request: &S3Request<T>) -> String {
    let host = request.headers.get(http::header::HOST).and_then(|host| host.to_str().ok());
    host.unwrap_or_default().to_owned()
}

/// Where headers that the caller announced for the end of the body will be.
fn announced_trailers<T>(request: &S3Request<T>) -> Option<TrailingHeaders> {
    request.trailing_headers.clone().filter(|_| request.headers.contains_key("x-amz-trailer"))
}

#[async_trait::async_trait]
impl S3 for Backend {
    async fn list_buckets(
        &self,
        request: S3Request<ListBucketsInput>,
    ) -> Answer<ListBucketsOutput> {
        ok(self.list_all_buckets(request.input).await?)
    }

    async fn create_bucket(
        &self,
        request: S3Request<CreateBucketInput>,
    ) -> Answer<CreateBucketOutput> {
        ok(self.make_bucket(request.input).await?)
    }

    async fn delete_bucket(
        &self,
        request: S3Request<DeleteBucketInput>,
    ) -> Answer<DeleteBucketOutput> {
        self.remove_bucket(&request.input.bucket).await?;
        Ok(S3Response::with_status(DeleteBucketOutput {}, http::StatusCode::NO_CONTENT))
    }

    async fn head_bucket(&self, request: S3Request<HeadBucketInput>) -> Answer<HeadBucketOutput> {
        let region = self.region_of(&request.input.bucket).await?;
        ok(HeadBucketOutput { bucket_region: Some(region), ..HeadBucketOutput::default() })
    }

    async fn get_bucket_location(
        &self,
        request: S3Request<GetBucketLocationInput>,
    ) -> Answer<GetBucketLocationOutput> {
        ok(self.bucket_location(&request.input.bucket).await?)
    }

    async fn get_bucket_versioning(
        &self,
        request: S3Request<GetBucketVersioningInput>,
    ) -> Answer<GetBucketVersioningOutput> {
        ok(self.bucket_versioning(&request.input.bucket).await?)
    }

    async fn put_bucket_versioning(
        &self,
        request: S3Request<PutBucketVersioningInput>,
    ) -> Answer<PutBucketVersioningOutput> {
        self.set_bucket_versioning(request.input).await?;
        ok(PutBucketVersioningOutput {})
    }

    async fn get_bucket_policy(
        &self,
        request: S3Request<GetBucketPolicyInput>,
    ) -> Answer<GetBucketPolicyOutput> {
        ok(self.policy(&request.input.bucket).await?)
    }

    async fn put_bucket_policy(
        &self,
        request: S3Request<PutBucketPolicyInput>,
    ) -> Answer<PutBucketPolicyOutput> {
        self.put_policy(request.input).await?;
        Ok(S3Response::with_status(PutBucketPolicyOutput {}, http::StatusCode::NO_CONTENT))
    }

    async fn delete_bucket_policy(
        &self,
        request: S3Request<DeleteBucketPolicyInput>,
    ) -> Answer<DeleteBucketPolicyOutput> {
        self.delete_policy(&request.input.bucket).await?;
        Ok(S3Response::with_status(DeleteBucketPolicyOutput {}, http::StatusCode::NO_CONTENT))
    }

    async fn get_bucket_tagging(
        &self,
        request: S3Request<GetBucketTaggingInput>,
    ) -> Answer<GetBucketTaggingOutput> {
        ok(self.bucket_tagging(&request.input.bucket).await?)
    }

    async fn put_bucket_tagging(
        &self,
        request: S3Request<PutBucketTaggingInput>,
    ) -> Answer<PutBucketTaggingOutput> {
        self.put_bucket_tags(&request.input.bucket, request.input.tagging.tag_set).await?;
        Ok(S3Response::with_status(PutBucketTaggingOutput {}, http::StatusCode::NO_CONTENT))
    }

    async fn delete_bucket_tagging(
        &self,
        request: S3Request<DeleteBucketTaggingInput>,
    ) -> Answer<DeleteBucketTaggingOutput> {
        self.delete_bucket_tags(&request.input.bucket).await?;
        Ok(S3Response::with_status(DeleteBucketTaggingOutput {}, http::StatusCode::NO_CONTENT))
    }

    async fn get_bucket_acl(
        &self,
        request: S3Request<GetBucketAclInput>,
    ) -> Answer<GetBucketAclOutput> {
        ok(self.bucket_acl(&request.input.bucket).await?)
    }

    async fn put_bucket_acl(
        &self,
        request: S3Request<PutBucketAclInput>,
    ) -> Answer<PutBucketAclOutput> {
        let canned = request.input.acl.as_ref().map(BucketCannedACL::as_str);
        self.set_bucket_acl(&request.input.bucket, canned).await?;
        ok(PutBucketAclOutput::default())
    }

    async fn get_bucket_accelerate_configuration(
        &self,
        request: S3Request<GetBucketAccelerateConfigurationInput>,
    ) -> Answer<GetBucketAccelerateConfigurationOutput> {
        self.settings(&request.input.bucket).await?;
        ok(GetBucketAccelerateConfigurationOutput::default())
    }

    async fn get_bucket_request_payment(
        &self,
        request: S3Request<GetBucketRequestPaymentInput>,
    ) -> Answer<GetBucketRequestPaymentOutput> {
        self.settings(&request.input.bucket).await?;
        let payer = Some(Payer::from_static(Payer::BUCKET_OWNER));
        ok(GetBucketRequestPaymentOutput { payer })
    }

    async fn get_bucket_logging(
        &self,
        request: S3Request<GetBucketLoggingInput>,
    ) -> Answer<GetBucketLoggingOutput> {
        self.settings(&request.input.bucket).await?;
        ok(GetBucketLoggingOutput::default())
    }

    async fn get_bucket_notification_configuration(
        &self,
        request: S3Request<GetBucketNotificationConfigurationInput>,
    ) -> Answer<GetBucketNotificationConfigurationOutput> {
        self.settings(&request.input.bucket).await?;
        ok(GetBucketNotificationConfigurationOutput::default())
    }

    async fn get_bucket_cors(
        &self,
        request: S3Request<GetBucketCorsInput>,
    ) -> Answer<GetBucketCorsOutput> {
        Err(self
            .not_configured(
                &request.input.bucket,
                fault::known(S3ErrorCode::NoSuchCORSConfiguration),
            )
            .await)
    }

    async fn get_bucket_website(
        &self,
        request: S3Request<GetBucketWebsiteInput>,
    ) -> Answer<GetBucketWebsiteOutput> {
        Err(self
            .not_configured(
                &request.input.bucket,
                fault::known(S3ErrorCode::NoSuchWebsiteConfiguration),
            )
            .await)
    }

    async fn get_bucket_lifecycle_configuration(
        &self,
        request: S3Request<GetBucketLifecycleConfigurationInput>,
    ) -> Answer<GetBucketLifecycleConfigurationOutput> {
        Err(self
            .not_configured(
                &request.input.bucket,
                fault::known(S3ErrorCode::NoSuchLifecycleConfiguration),
            )
            .await)
    }

    async fn get_bucket_replication(
        &self,
        request: S3Request<GetBucketReplicationInput>,
    ) -> Answer<GetBucketReplicationOutput> {
        let error = fault::known(S3ErrorCode::ReplicationConfigurationNotFoundError);
        Err(self.not_configured(&request.input.bucket, error).await)
    }

    async fn get_bucket_encryption(
        &self,
        request: S3Request<GetBucketEncryptionInput>,
    ) -> Answer<GetBucketEncryptionOutput> {
        let error = fault::known(S3ErrorCode::ServerSideEncryptionConfigurationNotFoundError);
        Err(self.not_configured(&request.input.bucket, error).await)
    }

    async fn get_object_lock_configuration(
        &self,
        request: S3Request<GetObjectLockConfigurationInput>,
    ) -> Answer<GetObjectLockConfigurationOutput> {
        let error = fault::known(S3ErrorCode::ObjectLockConfigurationNotFoundError);
        Err(self.not_configured(&request.input.bucket, error).await)
    }

    async fn get_bucket_ownership_controls(
        &self,
        request: S3Request<GetBucketOwnershipControlsInput>,
    ) -> Answer<GetBucketOwnershipControlsOutput> {
        let error = fault::known(S3ErrorCode::OwnershipControlsNotFoundError);
        Err(self.not_configured(&request.input.bucket, error).await)
    }

    async fn get_public_access_block(
        &self,
        request: S3Request<GetPublicAccessBlockInput>,
    ) -> Answer<GetPublicAccessBlockOutput> {
        let error =
            fault::unlisted("NoSuchPublicAccessBlockConfiguration", http::StatusCode::NOT_FOUND);
        Err(self.not_configured(&request.input.bucket, error).await)
    }

    async fn list_objects(
        &self,
        request: S3Request<ListObjectsInput>,
    ) -> Answer<ListObjectsOutput> {
        let host = host(&request);
        ok(self.list_v1(request.input, &host).await?)
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> Answer<ListObjectsV2Output> {
        let host = host(&request);
        ok(self.list_v2(request.input, &host).await?)
    }

    async fn list_object_versions(
        &self,
        request: S3Request<ListObjectVersionsInput>,
    ) -> Answer<ListObjectVersionsOutput> {
        ok(self.list_versions(request.input).await?)
    }

    async fn get_object(&self, request: S3Request<GetObjectInput>) -> Answer<GetObjectOutput> {
        let host = host(&request);
        ok(self.read_object(request.input, &host).await?)
    }

    async fn head_object(&self, request: S3Request<HeadObjectInput>) -> Answer<HeadObjectOutput> {
        let host = host(&request);
        ok(self.describe_object(request.input, &host).await?)
    }

    async fn get_object_attributes(
        &self,
        request: S3Request<GetObjectAttributesInput>,
    ) -> Answer<GetObjectAttributesOutput> {
        ok(self.object_attributes(request.input).await?)
    }

    async fn get_object_acl(
        &self,
        request: S3Request<GetObjectAclInput>,
    ) -> Answer<GetObjectAclOutput> {
        ok(self.object_acl(request.input).await?)
    }

    async fn put_object(&self, request: S3Request<PutObjectInput>) -> Answer<PutObjectOutput> {
        let trailers = announced_trailers(&request);
        ok(self.store_object(request.input, trailers).await?)
    }

    async fn copy_object(&self, request: S3Request<CopyObjectInput>) -> Answer<CopyObjectOutput> {
        ok(self.duplicate_object(request.input).await?)
    }

    async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> Answer<DeleteObjectOutput> {
        let output = self.remove_object(request.input).await?;
        Ok(S3Response::with_status(output, http::StatusCode::NO_CONTENT))
    }

    async fn delete_objects(
        &self,
        request: S3Request<DeleteObjectsInput>,
    ) -> Answer<DeleteObjectsOutput> {
        let access_key =
            request.credentials.map(|credentials| credentials.access_key).unwrap_or_default();
        ok(self.remove_objects(request.input, &access_key).await?)
    }

    async fn get_object_tagging(
        &self,
        request: S3Request<GetObjectTaggingInput>,
    ) -> Answer<GetObjectTaggingOutput> {
        ok(self.object_tagging(request.input).await?)
    }

    async fn put_object_tagging(
        &self,
        request: S3Request<PutObjectTaggingInput>,
    ) -> Answer<PutObjectTaggingOutput> {
        let PutObjectTaggingInput { bucket, key, version_id, tagging, .. } = request.input;
        let version_id =
            self.tag_object(&bucket, &key, version_id.as_deref(), tagging.tag_set).await?;
        ok(PutObjectTaggingOutput { version_id })
    }

    async fn delete_object_tagging(
        &self,
        request: S3Request<DeleteObjectTaggingInput>,
    ) -> Answer<DeleteObjectTaggingOutput> {
        let DeleteObjectTaggingInput { bucket, key, version_id, .. } = request.input;
        let version_id = self.tag_object(&bucket, &key, version_id.as_deref(), Vec::new()).await?;
        let output = DeleteObjectTaggingOutput { version_id };
        Ok(S3Response::with_status(output, http::StatusCode::NO_CONTENT))
    }

    async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> Answer<CreateMultipartUploadOutput> {
        ok(self.begin_upload(request.input).await?)
    }

    async fn upload_part(&self, request: S3Request<UploadPartInput>) -> Answer<UploadPartOutput> {
        let trailers = announced_trailers(&request);
        ok(self.store_part(request.input, trailers).await?)
    }

    async fn upload_part_copy(
        &self,
        request: S3Request<UploadPartCopyInput>,
    ) -> Answer<UploadPartCopyOutput> {
        ok(self.copy_part(request.input).await?)
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> Answer<CompleteMultipartUploadOutput> {
        let host = host(&request);
        ok(self.complete_upload(request.input, &host).await?)
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> Answer<AbortMultipartUploadOutput> {
        self.abort_upload(request.input).await?;
        let output = AbortMultipartUploadOutput::default();
        Ok(S3Response::with_status(output, http::StatusCode::NO_CONTENT))
    }

    async fn list_parts(&self, request: S3Request<ListPartsInput>) -> Answer<ListPartsOutput> {
        ok(self.list_upload_parts(request.input).await?)
    }

    async fn list_multipart_uploads(
        &self,
        request: S3Request<ListMultipartUploadsInput>,
    ) -> Answer<ListMultipartUploadsOutput> {
        ok(self.list_uploads(request.input).await?)
    }
}
