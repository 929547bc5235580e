//! Objects: storing, reading, copying and removing them.

use std::ops::Range;

use http::StatusCode;
use s3s::dto::{self, ETagCondition, StreamingBlob};
use s3s::stream::ByteStream as _;
use s3s::{S3Error, S3ErrorCode, S3Result, TrailingHeaders};
use store::{DeleteObject, NewObject, Object, PutCondition, PutObject, Versioning};

use super::attributes::{
    self, Attributes, DEFAULT_CONTENT_TYPE, described, etag, header_time, object_tags, tag_set,
    tell_sum, time, told_sums,
};
use super::backend::Backend;
use super::blobs::{Blob, WriteError, Written};
use super::conditions::{Conditions, Verdict};
use super::digest::{self, Algorithm, Expected};
use super::fault;
use super::found::{Content, Found};
use super::published::{self, Edition};

/// The most bytes that one upload brings, of a whole object or of a part: 5 GiB.
/// Source: S3 user guide, "Uploading objects".
pub(super) const UPLOAD_MAX_BYTES: u64 = 5 * 1024 * 1024 * 1024;

/// The most keys that one request removes. Source: API reference, `DeleteObjects`.
const DELETED_KEYS_MAX: usize = 1000;

/// How often a reader looks again when an object was replaced between finding and opening it.
const OPEN_ATTEMPTS: usize = 5;

impl Backend {
    /// Finds an object, or one version of it, for reading.
    pub(super) async fn find(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
        host: &str,
    ) -> S3Result<Found> {
        if published::is_reserved_bucket(bucket) {
            return self.find_published(key, host).await;
        }
        let versioning = self.bucket(bucket).await?.versioning;
        let object = self.store.object(bucket, key, version).await.map_err(fault::store)?;
        let object = object.ok_or_else(|| missing(version))?;
        if object.delete_marker {
            return Err(deleted(&object, version.is_some()));
        }
        found(object, versioning)
    }

    async fn find_published(&self, key: &str, host: &str) -> S3Result<Found> {
        let object = self.published.object(key, host).ok_or_else(fault::no_such_key)?;
        let edition = Edition::of(object).await.map_err(|error| fault::internal(&error))?;
        Ok(Found::published(edition))
    }

    pub(super) async fn read_object(
        &self,
        input: dto::GetObjectInput,
        host: &str,
    ) -> S3Result<dto::GetObjectOutput> {
        for _ in 0..OPEN_ATTEMPTS {
            let found =
                self.find(&input.bucket, &input.key, input.version_id.as_deref(), host).await?;
            let conditions = Conditions {
                if_match: input.if_match.clone(),
                if_none_match: input.if_none_match.clone(),
                if_modified_since: input.if_modified_since.clone(),
                if_unmodified_since: input.if_unmodified_since.clone(),
            };
            check(&conditions, &found)?;
            let extent = Extent::of(&found, input.range, input.part_number)?;
            let Some(body) = found.open(&self.blobs, extent.range.clone()).await? else { continue };
            let mut output = dto::GetObjectOutput {
                accept_ranges: Some("bytes".to_owned()),
                body: Some(body),
                cache_control: found.attributes.cache_control.clone(),
                content_disposition: found.attributes.content_disposition.clone(),
                content_encoding: found.attributes.content_encoding.clone(),
                content_language: found.attributes.content_language.clone(),
                content_length: Some(length(extent.range.end - extent.range.start)),
                content_range: extent.content_range(found.size),
                content_type: Some(content_type(&found)),
                e_tag: Some(etag(&found.etag)),
                expires: found.attributes.expires(),
                last_modified: Some(header_time(found.modified)),
                metadata: found.attributes.metadata(),
                parts_count: input.part_number.and_then(|_| found.parts()),
                tag_count: tag_count(&found.attributes),
                version_id: found.version.clone(),
                ..dto::GetObjectOutput::default()
            };
            if input.checksum_mode.is_some() && !extent.is_partial {
                tell_sum!(output, &found.attributes.sum);
                output.checksum_type = checksum_type(&found.attributes);
            }
            return Ok(output);
        }
        tracing::error!(
            bucket = input.bucket,
            key = input.key,
            "an object's row is there, but not its file"
        );
        Err(fault::because(
            S3ErrorCode::ServiceUnavailable,
            "The object cannot be read now. Please try again.",
        ))
    }

    pub(super) async fn describe_object(
        &self,
        input: dto::HeadObjectInput,
        host: &str,
    ) -> S3Result<dto::HeadObjectOutput> {
        let found = self.find(&input.bucket, &input.key, input.version_id.as_deref(), host).await?;
        let conditions = Conditions {
            if_match: input.if_match,
            if_none_match: input.if_none_match,
            if_modified_since: input.if_modified_since,
            if_unmodified_since: input.if_unmodified_since,
        };
        check(&conditions, &found)?;
        let extent = Extent::of(&found, input.range, input.part_number)?;
        let mut output = dto::HeadObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            cache_control: found.attributes.cache_control.clone(),
            content_disposition: found.attributes.content_disposition.clone(),
            content_encoding: found.attributes.content_encoding.clone(),
            content_language: found.attributes.content_language.clone(),
            content_length: Some(length(extent.range.end - extent.range.start)),
            content_range: extent.content_range(found.size),
            content_type: Some(content_type(&found)),
            e_tag: Some(etag(&found.etag)),
            expires: found.attributes.expires(),
            last_modified: Some(header_time(found.modified)),
            metadata: found.attributes.metadata(),
            parts_count: input.part_number.and_then(|_| found.parts()),
            version_id: found.version.clone(),
            ..dto::HeadObjectOutput::default()
        };
        if input.checksum_mode.is_some() && !extent.is_partial {
            tell_sum!(output, &found.attributes.sum);
            output.checksum_type = checksum_type(&found.attributes);
        }
        Ok(output)
    }

    pub(super) async fn object_attributes(
        &self,
        input: dto::GetObjectAttributesInput,
    ) -> S3Result<dto::GetObjectAttributesOutput> {
        let found = self.find(&input.bucket, &input.key, input.version_id.as_deref(), "").await?;
        // They come in one header or in many.
        let asked = input.object_attributes.iter().flat_map(|names| names.as_str().split(','));
        let asked: Vec<_> = asked.map(str::trim).collect();
        let wants = |name: &str| asked.contains(&name);
        let mut checksum = dto::Checksum::default();
        tell_sum!(checksum, &found.attributes.sum);
        checksum.checksum_type = checksum_type(&found.attributes);
        let parts = found.parts().filter(|_| wants("ObjectParts"));
        Ok(dto::GetObjectAttributesOutput {
            checksum: (wants("Checksum") && found.attributes.sum.is_some()).then_some(checksum),
            e_tag: wants("ETag").then(|| etag(&found.etag)),
            last_modified: Some(header_time(found.modified)),
            object_parts: parts.map(|total| dto::GetObjectAttributesParts {
                total_parts_count: Some(total),
                ..dto::GetObjectAttributesParts::default()
            }),
            object_size: wants("ObjectSize").then(|| length(found.size)),
            storage_class: wants("StorageClass")
                .then(|| dto::StorageClass::from_static(dto::StorageClass::STANDARD)),
            version_id: found.version,
            ..dto::GetObjectAttributesOutput::default()
        })
    }

    pub(super) async fn object_acl(
        &self,
        input: dto::GetObjectAclInput,
    ) -> S3Result<dto::GetObjectAclOutput> {
        let found = self.find(&input.bucket, &input.key, input.version_id.as_deref(), "").await?;
        Ok(dto::GetObjectAclOutput {
            grants: Some(self.grants(found.attributes.public_read)),
            owner: Some(self.owner()),
            request_charged: None,
        })
    }

    pub(super) async fn store_object(
        &self,
        input: dto::PutObjectInput,
        trailers: Option<TrailingHeaders>,
    ) -> S3Result<dto::PutObjectOutput> {
        // Before the bytes come: what can be refused now spares the caller sending them.
        self.bucket(&input.bucket).await?;
        check_announced(input.content_length)?;
        let attributes = described!(input);
        let condition = put_condition(input.if_match.as_ref(), input.if_none_match.as_ref())?;
        let named = input.checksum_algorithm.as_ref().map(dto::ChecksumAlgorithm::as_str);
        let expected = Expected::new(input.content_md5.clone(), told_sums!(input), named)?;
        let written = self.receive(None, input.body, &expected, trailers.as_ref()).await?;
        let sum = written.sums.checksum.clone();
        let object = NewObject {
            bucket: input.bucket,
            key: input.key,
            version_id: super::blobs::new_name(),
            etag: written.sums.etag(),
            size: written.size,
            attributes: Attributes { sum: sum.clone(), ..attributes }.write()?,
            file: written.file,
            created: self.clock.now(),
        };
        let version_id = self.put(&object, &condition).await?;
        let mut output = dto::PutObjectOutput {
            e_tag: Some(etag(&object.etag)),
            version_id,
            ..dto::PutObjectOutput::default()
        };
        tell_sum!(output, &sum);
        output.checksum_type =
            sum.as_ref().map(|sum| dto::ChecksumType::from_static(sum.coverage.name()));
        Ok(output)
    }

    /// Takes in a body, and refuses it if it is not what the caller spoke of. `trailers` are those that the caller
    /// announced.
    pub(super) async fn receive(
        &self,
        upload: Option<&str>,
        body: Option<StreamingBlob>,
        expected: &Expected,
        trailers: Option<&TrailingHeaders>,
    ) -> S3Result<Written> {
        let body = body.unwrap_or_else(|| StreamingBlob::from(s3s::Body::empty()));
        let announced = body.remaining_length().exact();
        let algorithm = expected.checksum.as_ref().map(|(algorithm, _)| *algorithm);
        let written =
            self.blobs.write(upload, body, algorithm, UPLOAD_MAX_BYTES).await.map_err(refused)?;
        // `s3s` takes the end of a chunked body for its end, however little came.
        let is_short = announced.is_some_and(|length| length as u64 != written.size);
        if is_short || trailers.is_some_and(|trailers| !trailers.is_ready()) {
            self.blobs.remove(vec![written.file]).await;
            return Err(fault::known(S3ErrorCode::IncompleteBody));
        }
        let trailing = |name: &str| {
            let value = trailers?.read(|headers| headers.get(name).cloned())??;
            value.to_str().ok().map(str::to_owned)
        };
        match written.sums.verify(expected, trailing) {
            Ok(()) => Ok(written),
            Err(error) => {
                self.blobs.remove(vec![written.file]).await;
                Err(error)
            }
        }
    }

    /// Writes the row of an object whose bytes are on the disk, and removes what it replaces. The version id
    /// that a caller is told.
    async fn put(&self, object: &NewObject, condition: &PutCondition) -> S3Result<Option<String>> {
        // If the store fails we cannot know whether the row was written, so the file stays: without a row, the
        // next start's sweep takes it.
        let put = self.store.put_object(object, condition).await.map_err(fault::store)?;
        if !matches!(put, PutObject::Written { .. }) {
            self.blobs.remove(vec![object.file.clone()]).await;
        }
        self.settle(put, &object.bucket, &object.key, condition).await
    }

    /// Removes the files of what was replaced, or says why nothing was.
    pub(super) async fn settle(
        &self,
        put: PutObject,
        bucket: &str,
        key: &str,
        condition: &PutCondition,
    ) -> S3Result<Option<String>> {
        match put {
            PutObject::Written { version_id, files } => {
                self.blobs.remove(files).await;
                Ok(version_id.filter(|id| id != NULL_VERSION))
            }
            PutObject::BucketMissing => Err(fault::no_such_bucket()),
            PutObject::ConditionFailed => Err(self.condition_failed(bucket, key, condition).await),
        }
    }

    /// `If-Match` on a key that has no object says that there is none.
    async fn condition_failed(&self, bucket: &str, key: &str, condition: &PutCondition) -> S3Error {
        let current = match condition {
            PutCondition::Etag(_) => self.store.object(bucket, key, None).await,
            PutCondition::None | PutCondition::Absent => {
                return fault::known(S3ErrorCode::PreconditionFailed);
            }
        };
        match current {
            Ok(Some(object)) if !object.delete_marker => {
                fault::known(S3ErrorCode::PreconditionFailed)
            }
            Ok(_) => fault::no_such_key(),
            Err(error) => fault::store(error),
        }
    }

    pub(super) async fn duplicate_object(
        &self,
        input: dto::CopyObjectInput,
    ) -> S3Result<dto::CopyObjectOutput> {
        self.bucket(&input.bucket).await?;
        let source = self.copy_source(&input.copy_source).await?;
        let conditions = Conditions {
            if_match: input.copy_source_if_match.clone(),
            if_none_match: input.copy_source_if_none_match.clone(),
            if_modified_since: input.copy_source_if_modified_since.clone(),
            if_unmodified_since: input.copy_source_if_unmodified_since.clone(),
        };
        conditions.check_source(&source.etag, source.modified)?;
        if source.size > UPLOAD_MAX_BYTES {
            return Err(fault::invalid_request(
                "The specified copy source is larger than the maximum allowable size for a copy source: 5368709120",
            ));
        }
        let attributes = self.copied_attributes(&input, &source)?;
        let named = input.checksum_algorithm.as_ref().map(dto::ChecksumAlgorithm::as_str);
        let algorithm = named.map(digest::named_algorithm).transpose()?;
        let algorithm =
            algorithm.or_else(|| source.attributes.sum.as_ref().map(|sum| sum.algorithm));
        let written = self.copy_bytes(None, &source, 0..source.size, algorithm).await?;
        let sum = written.sums.checksum.clone();
        let created = self.clock.now();
        let object = NewObject {
            bucket: input.bucket,
            key: input.key,
            version_id: super::blobs::new_name(),
            etag: written.sums.etag(),
            size: written.size,
            attributes: Attributes { sum: sum.clone(), ..attributes }.write()?,
            file: written.file,
            created,
        };
        let version_id = self.put(&object, &PutCondition::None).await?;
        let mut result = dto::CopyObjectResult {
            e_tag: Some(etag(&object.etag)),
            last_modified: Some(time(created)),
            ..dto::CopyObjectResult::default()
        };
        tell_sum!(result, &sum);
        Ok(dto::CopyObjectOutput {
            copy_object_result: Some(result),
            copy_source_version_id: source.version,
            version_id,
            ..dto::CopyObjectOutput::default()
        })
    }

    /// The object that a copy reads.
    pub(super) async fn copy_source(&self, source: &dto::CopySource) -> S3Result<Found> {
        let (bucket, key, version) = named_source(source)?;
        // What is published is made for whoever downloads it, and copies would go stale.
        if published::is_reserved_bucket(bucket) {
            return Err(fault::known(S3ErrorCode::AccessDenied));
        }
        self.find(bucket, key, version, "").await
    }

    /// Copies bytes of an object into a new file.
    pub(super) async fn copy_bytes(
        &self,
        upload: Option<&str>,
        source: &Found,
        range: Range<u64>,
        algorithm: Option<Algorithm>,
    ) -> S3Result<Written> {
        let opened = source.open(&self.blobs, range).await?;
        let bytes = opened.ok_or_else(fault::no_such_key)?;
        self.blobs.write(upload, bytes, algorithm, UPLOAD_MAX_BYTES).await.map_err(refused)
    }

    fn copied_attributes(
        &self,
        input: &dto::CopyObjectInput,
        source: &Found,
    ) -> S3Result<Attributes> {
        let replaces = |directive: Option<&str>| directive == Some("REPLACE");
        let replaces_metadata =
            replaces(input.metadata_directive.as_ref().map(dto::MetadataDirective::as_str));
        let replaces_tags =
            replaces(input.tagging_directive.as_ref().map(dto::TaggingDirective::as_str));
        let (bucket, key, version) = named_source(&input.copy_source)?;
        let is_itself = bucket == input.bucket && key == input.key && version.is_none();
        if is_itself && !replaces_metadata && !replaces_tags {
            return Err(fault::invalid_request(
                "This copy request is illegal because it is trying to copy an object to itself without changing \
                 the object's metadata, storage class, website redirect location or encryption attributes.",
            ));
        }
        let described = described!(input);
        let kept = source.attributes.clone();
        let tags = if replaces_tags { described.tags.clone() } else { kept.tags.clone() };
        let public_read = described.public_read;
        let chosen = if replaces_metadata { described } else { kept };
        // The copy is one file, however many parts the source had.
        Ok(Attributes { tags, public_read, sum: None, segments: Vec::new(), ..chosen })
    }

    pub(super) async fn remove_object(
        &self,
        input: dto::DeleteObjectInput,
    ) -> S3Result<dto::DeleteObjectOutput> {
        let removed = self.remove(&input.bucket, &input.key, input.version_id.as_deref()).await?;
        Ok(dto::DeleteObjectOutput {
            delete_marker: removed.marker.then_some(true),
            version_id: removed.version_id,
            request_charged: None,
        })
    }

    pub(super) async fn remove_objects(
        &self,
        input: dto::DeleteObjectsInput,
        access_key: &str,
    ) -> S3Result<dto::DeleteObjectsOutput> {
        self.bucket(&input.bucket).await?;
        if input.delete.objects.is_empty() || input.delete.objects.len() > DELETED_KEYS_MAX {
            return Err(fault::known(S3ErrorCode::MalformedXML));
        }
        let quiet = input.delete.quiet.unwrap_or(false);
        let (mut deleted, mut errors) = (Vec::new(), Vec::new());
        for object in input.delete.objects {
            let removal = async {
                self.guard.authorize_removal(access_key, &input.bucket, &object).await?;
                self.remove(&input.bucket, &object.key, object.version_id.as_deref()).await
            };
            match removal.await {
                Ok(removed) => deleted.push(removed.report(object)),
                Err(error) => errors.push(dto::Error {
                    code: Some(error.code().as_str().to_owned()),
                    key: Some(object.key),
                    message: error.message().map(str::to_owned),
                    version_id: object.version_id,
                }),
            }
        }
        Ok(dto::DeleteObjectsOutput {
            deleted: (!quiet).then_some(deleted),
            errors: (!errors.is_empty()).then_some(errors),
            request_charged: None,
        })
    }

    async fn remove(&self, bucket: &str, key: &str, version: Option<&str>) -> S3Result<Removed> {
        if key.len() > super::KEY_MAX_BYTES {
            return Err(fault::known(S3ErrorCode::KeyTooLongError));
        }
        let outcome = match version {
            Some(version) => self.store.delete_object_version(bucket, key, version).await,
            None => {
                let marker = super::blobs::new_name();
                self.store.delete_object(bucket, key, &marker, self.clock.now()).await
            }
        };
        match outcome.map_err(fault::store)? {
            DeleteObject::Deleted { version_id, delete_marker, files } => {
                self.blobs.remove(files).await;
                Ok(Removed { version_id, marker: delete_marker })
            }
            DeleteObject::BucketMissing => Err(fault::no_such_bucket()),
        }
    }

    pub(super) async fn object_tagging(
        &self,
        input: dto::GetObjectTaggingInput,
    ) -> S3Result<dto::GetObjectTaggingOutput> {
        let found = self.find(&input.bucket, &input.key, input.version_id.as_deref(), "").await?;
        Ok(dto::GetObjectTaggingOutput {
            tag_set: tag_set(&found.attributes.tags),
            version_id: found.version,
        })
    }

    /// Replaces an object's tags. The version that got them, where there are versions.
    pub(super) async fn tag_object(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
        tags: dto::TagSet,
    ) -> S3Result<Option<String>> {
        let tags = object_tags(tags)?;
        let versioning = self.bucket(bucket).await?.versioning;
        let object = self.store.object(bucket, key, version).await.map_err(fault::store)?;
        let object = object.ok_or_else(|| missing(version))?;
        if object.delete_marker {
            return Err(deleted(&object, version.is_some()));
        }
        let attributes = Attributes { tags, ..Attributes::read(&object.attributes)? }.write()?;
        let changed =
            self.store.set_object_attributes(bucket, key, &object.version_id, &attributes).await;
        if !changed.map_err(fault::store)? {
            return Err(missing(version));
        }
        Ok(told_version(object.version_id, versioning))
    }
}

/// The id of a version that was written without versioning. Source: S3 user guide, "Version IDs".
const NULL_VERSION: &str = "null";

/// A stored object for reading.
pub(super) fn found(object: Object, versioning: Versioning) -> S3Result<Found> {
    let attributes = Attributes::read(&object.attributes)?;
    let blob = Blob {
        file: object.file.unwrap_or_default(),
        segments: attributes.segments.clone(),
        size: object.size,
    };
    Ok(Found {
        etag: object.etag,
        size: object.size,
        modified: object.created,
        version: told_version(object.version_id, versioning),
        attributes,
        content: Content::Stored(blob),
    })
}

/// A bucket that never had versions tells none.
fn told_version(version_id: String, versioning: Versioning) -> Option<String> {
    (versioning != Versioning::Off).then_some(version_id)
}

fn missing(version: Option<&str>) -> S3Error {
    if version.is_some() { fault::no_such_version() } else { fault::no_such_key() }
}

/// The error for reading a delete marker: as a missing key, or, asked for by its version, as nothing to be read.
fn deleted(marker: &Object, by_version: bool) -> S3Error {
    let mut error =
        if by_version { fault::known(S3ErrorCode::MethodNotAllowed) } else { fault::no_such_key() };
    let mut headers = http::HeaderMap::new();
    headers.insert("x-amz-delete-marker", http::HeaderValue::from_static("true"));
    if let Ok(version) = http::HeaderValue::try_from(&marker.version_id) {
        headers.insert("x-amz-version-id", version);
    }
    error.set_headers(headers);
    error
}

fn check(conditions: &Conditions, found: &Found) -> S3Result<()> {
    let code = match conditions.verdict(&found.etag, found.modified) {
        Verdict::Holds => return Ok(()),
        Verdict::NotModified => S3ErrorCode::NotModified,
        Verdict::Failed => return Err(fault::known(S3ErrorCode::PreconditionFailed)),
    };
    let mut error = fault::known(code);
    let mut headers = http::HeaderMap::new();
    let date = attributes::http_date(&header_time(found.modified)).unwrap_or_default();
    for (name, value) in [("etag", format!("\"{}\"", found.etag)), ("last-modified", date)] {
        if let Ok(value) = http::HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
    error.set_headers(headers);
    Err(error)
}

/// Which bytes of an object a reader gets.
struct Extent {
    range: Range<u64>,
    is_partial: bool,
}

impl Extent {
    fn of(found: &Found, range: Option<dto::Range>, part: Option<i32>) -> S3Result<Self> {
        match (range, part) {
            (Some(_), Some(_)) => Err(fault::invalid_request(
                "Cannot specify both Range header and partNumber query parameter",
            )),
            (None, None) => Ok(Self { range: 0..found.size, is_partial: false }),
            (Some(range), None) => match range.check(found.size) {
                Ok(range) => Ok(Self { range, is_partial: true }),
                Err(_) => Err(unsatisfiable(found.size)),
            },
            (None, Some(part)) => match found.part_range(part) {
                Some(range) => Ok(Self { range, is_partial: found.size > 0 }),
                None => {
                    Err(fault::unlisted("InvalidPartNumber", StatusCode::RANGE_NOT_SATISFIABLE))
                }
            },
        }
    }

    fn content_range(&self, size: u64) -> Option<String> {
        let Range { start, end } = self.range;
        (self.is_partial && end > start).then(|| format!("bytes {start}-{}/{size}", end - 1))
    }
}

fn unsatisfiable(size: u64) -> S3Error {
    let mut error = fault::known(S3ErrorCode::InvalidRange);
    let mut headers = http::HeaderMap::new();
    if let Ok(value) = http::HeaderValue::try_from(format!("bytes */{size}")) {
        headers.insert(http::header::CONTENT_RANGE, value);
    }
    error.set_headers(headers);
    error
}

/// What must hold of the object that a write replaces. Source: S3 user guide, "Conditional writes".
pub(super) fn put_condition(
    if_match: Option<&ETagCondition>,
    if_none_match: Option<&ETagCondition>,
) -> S3Result<PutCondition> {
    match (if_match, if_none_match) {
        (None, None) => Ok(PutCondition::None),
        (None, Some(ETagCondition::Any)) => Ok(PutCondition::Absent),
        (Some(ETagCondition::ETag(expected)), None) => {
            Ok(PutCondition::Etag(expected.value().to_owned()))
        }
        _ => Err(fault::known(S3ErrorCode::NotImplemented)),
    }
}

/// Refuses an upload that says of itself that it is too large.
pub(super) fn check_announced(content_length: Option<i64>) -> S3Result<()> {
    let announced =
        content_length.and_then(|length| u64::try_from(length).ok()).unwrap_or_default();
    if announced > UPLOAD_MAX_BYTES {
        Err(fault::known(S3ErrorCode::EntityTooLarge))
    } else {
        Ok(())
    }
}

/// What a caller is told when its bytes could not be stored.
fn refused(error: WriteError) -> S3Error {
    match error {
        WriteError::TooLarge { .. } => fault::known(S3ErrorCode::EntityTooLarge),
        WriteError::Disk(error) => fault::disk(&error),
        WriteError::Stream(error) => broken_stream(&*error),
    }
}

/// `s3s` checks bodies as they pass and says what is wrong in words alone.
fn broken_stream(error: &(dyn std::error::Error + 'static)) -> S3Error {
    let text = error.to_string();
    if text.contains("Sha256Mismatch") {
        return fault::unlisted("XAmzContentSHA256Mismatch", StatusCode::BAD_REQUEST);
    }
    if text.contains("SignatureMismatch") {
        return fault::known(S3ErrorCode::SignatureDoesNotMatch);
    }
    tracing::debug!(error = text, "an upload broke off");
    fault::known(S3ErrorCode::IncompleteBody)
}

fn named_source(source: &dto::CopySource) -> S3Result<(&str, &str, Option<&str>)> {
    match source {
        dto::CopySource::Bucket { bucket, key, version_id } => {
            Ok((bucket, key, version_id.as_deref()))
        }
        _ => Err(fault::invalid_argument("Copy sources must be named as bucket/key")),
    }
}

fn content_type(found: &Found) -> String {
    found.attributes.content_type.clone().unwrap_or_else(|| DEFAULT_CONTENT_TYPE.to_owned())
}

fn checksum_type(attributes: &Attributes) -> Option<dto::ChecksumType> {
    attributes.sum.as_ref().map(|sum| dto::ChecksumType::from_static(sum.coverage.name()))
}

fn tag_count(attributes: &Attributes) -> Option<i32> {
    i32::try_from(attributes.tags.len()).ok().filter(|count| *count > 0)
}

/// A length for the wire, where lengths are signed.
pub(super) fn length(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// What became of one removal.
struct Removed {
    version_id: Option<String>,
    /// A delete marker was made, or was what was removed.
    marker: bool,
}

impl Removed {
    fn report(self, asked: dto::ObjectIdentifier) -> dto::DeletedObject {
        dto::DeletedObject {
            delete_marker: self.marker.then_some(true),
            delete_marker_version_id: self.version_id.filter(|_| self.marker),
            key: Some(asked.key),
            version_id: asked.version_id,
        }
    }
}
