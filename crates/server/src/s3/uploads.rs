//! Multipart uploads: large objects that arrive part by part.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use s3s::dto::{self, ChecksumAlgorithm, ChecksumType};
use s3s::{S3ErrorCode, S3Result, TrailingHeaders};
use serde::{Deserialize, Serialize};
use store::{CompleteUpload, NewObject, Part, PutObject, PutPart, Upload};

use super::attributes::{Attributes, described, etag, tell_sum, time, told_sums};
use super::backend::Backend;
use super::blobs::{Segment, Written, new_name};
use super::conditions::Conditions;
use super::digest::{self, Algorithm, Coverage, Expected, Sum};
use super::fault;
use super::listing::page_limit;
use super::objects::{check_announced, length, put_condition};

/// Parts are numbered from 1 to this. Source: S3 user guide, "Multipart upload limits".
const PART_NUMBER_MAX: u32 = 10_000;

/// The least that every part but the last has: 5 MiB. Source: the same.
const PART_MIN_BYTES: u64 = 5 * 1024 * 1024;

/// The largest object: 5 TiB. Source: the same.
const OBJECT_MAX_BYTES: u64 = 5 * 1024 * 1024 * 1024 * 1024;

/// How the object will be, besides its bytes; kept as JSON with the upload.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Plan {
    attributes: Attributes,
    /// The checksum that every part and in the end the object gets.
    checksum: Option<(Algorithm, Coverage)>,
}

impl Plan {
    fn of(upload: &Upload) -> S3Result<Self> {
        serde_json::from_str(&upload.body).map_err(|error| fault::internal(&error))
    }

    fn algorithm(&self) -> Option<Algorithm> {
        self.checksum.map(|(algorithm, _)| algorithm)
    }
}

/// What is kept with a part besides its file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct PartAttributes {
    sum: Option<Sum>,
}

fn sum_of(part: &Part) -> S3Result<Option<Sum>> {
    let attributes: PartAttributes =
        serde_json::from_str(&part.attributes).map_err(|error| fault::internal(&error))?;
    Ok(attributes.sum)
}

impl Backend {
    pub(super) async fn begin_upload(
        &self,
        input: dto::CreateMultipartUploadInput,
    ) -> S3Result<dto::CreateMultipartUploadOutput> {
        let checksum =
            checksum_plan(input.checksum_algorithm.as_ref(), input.checksum_type.as_ref())?;
        let plan = Plan { attributes: described!(input), checksum };
        let upload = Upload {
            id: new_name(),
            bucket: input.bucket.clone(),
            key: input.key.clone(),
            body: serde_json::to_string(&plan).map_err(|error| fault::internal(&error))?,
            created: self.clock.now(),
        };
        if !self.store.create_upload(&upload).await.map_err(fault::store)? {
            return Err(fault::no_such_bucket());
        }
        Ok(dto::CreateMultipartUploadOutput {
            bucket: Some(input.bucket),
            checksum_algorithm: checksum
                .map(|(algorithm, _)| ChecksumAlgorithm::from_static(algorithm.name())),
            checksum_type: checksum.map(|(_, coverage)| ChecksumType::from_static(coverage.name())),
            key: Some(input.key),
            upload_id: Some(upload.id),
            ..dto::CreateMultipartUploadOutput::default()
        })
    }

    /// The upload of this id, if it is one of this key.
    async fn upload(&self, bucket: &str, key: &str, id: &str) -> S3Result<Upload> {
        let upload = self.store.upload(id).await.map_err(fault::store)?;
        match upload.filter(|upload| upload.bucket == bucket && upload.key == key) {
            Some(upload) => Ok(upload),
            None => {
                self.bucket(bucket).await?;
                Err(fault::no_such_upload())
            }
        }
    }

    pub(super) async fn store_part(
        &self,
        input: dto::UploadPartInput,
        trailers: Option<TrailingHeaders>,
    ) -> S3Result<dto::UploadPartOutput> {
        let number = part_number(input.part_number)?;
        check_announced(input.content_length)?;
        let upload = self.upload(&input.bucket, &input.key, &input.upload_id).await?;
        let planned = Plan::of(&upload)?.algorithm();
        let named = input.checksum_algorithm.as_ref().map(ChecksumAlgorithm::as_str);
        let mut expected = Expected::new(input.content_md5.clone(), told_sums!(input), named)?;
        match (&expected.checksum, planned) {
            (Some((sent, _)), Some(planned)) if *sent != planned => {
                return Err(other_checksum(planned, *sent));
            }
            (None, Some(planned)) => expected.checksum = Some((planned, None)),
            _ => {}
        }
        let written =
            self.receive(Some(&upload.id), input.body, &expected, trailers.as_ref()).await?;
        let part = self.record_part(&upload, number, written).await?;
        let mut output = dto::UploadPartOutput {
            e_tag: Some(etag(&part.etag)),
            ..dto::UploadPartOutput::default()
        };
        tell_sum!(output, &sum_of(&part)?);
        Ok(output)
    }

    pub(super) async fn copy_part(
        &self,
        input: dto::UploadPartCopyInput,
    ) -> S3Result<dto::UploadPartCopyOutput> {
        let number = part_number(input.part_number)?;
        let upload = self.upload(&input.bucket, &input.key, &input.upload_id).await?;
        let source = self.copy_source(&input.copy_source).await?;
        let conditions = Conditions {
            if_match: input.copy_source_if_match,
            if_none_match: input.copy_source_if_none_match,
            if_modified_since: input.copy_source_if_modified_since,
            if_unmodified_since: input.copy_source_if_unmodified_since,
        };
        conditions.check_source(&source.etag, source.modified)?;
        let range = match &input.copy_source_range {
            Some(range) => copied_range(range, source.size)?,
            None => 0..source.size,
        };
        let algorithm = Plan::of(&upload)?.algorithm();
        let written = self.copy_bytes(Some(&upload.id), &source, range, algorithm).await?;
        let part = self.record_part(&upload, number, written).await?;
        let mut result = dto::CopyPartResult {
            e_tag: Some(etag(&part.etag)),
            last_modified: Some(time(part.created)),
            ..dto::CopyPartResult::default()
        };
        tell_sum!(result, &sum_of(&part)?);
        Ok(dto::UploadPartCopyOutput {
            copy_part_result: Some(result),
            copy_source_version_id: source.version,
            ..dto::UploadPartCopyOutput::default()
        })
    }

    async fn record_part(&self, upload: &Upload, number: u32, written: Written) -> S3Result<Part> {
        let attributes = PartAttributes { sum: written.sums.checksum.clone() };
        let part = Part {
            number,
            etag: written.sums.etag(),
            size: written.size,
            attributes: serde_json::to_string(&attributes)
                .map_err(|error| fault::internal(&error))?,
            file: written.file,
            created: self.clock.now(),
        };
        let recording = self.completing.read().await;
        let put = self.store.put_part(&upload.id, &part).await.map_err(fault::store)?;
        drop(recording);
        match put {
            PutPart::Written { replaced } => {
                self.blobs.remove(replaced.into_iter().collect()).await;
                Ok(part)
            }
            PutPart::UploadMissing => {
                self.blobs.remove(vec![part.file]).await;
                Err(fault::no_such_upload())
            }
        }
    }

    pub(super) async fn complete_upload(
        &self,
        input: dto::CompleteMultipartUploadInput,
        host: &str,
    ) -> S3Result<dto::CompleteMultipartUploadOutput> {
        let asked = input
            .multipart_upload
            .as_ref()
            .and_then(|upload| upload.parts.as_deref())
            .unwrap_or_default();
        let numbers = check_order(asked)?;
        let condition = put_condition(input.if_match.as_ref(), input.if_none_match.as_ref())?;
        let _completing = self.completing.write().await;
        let upload = match self.upload(&input.bucket, &input.key, &input.upload_id).await {
            Ok(upload) => upload,
            Err(error) => return self.completed_before(&input, host).await?.ok_or(error),
        };
        let plan = Plan::of(&upload)?;
        let parts = self.chosen_parts(&upload, asked, &numbers).await?;
        let size = total_size(&parts, input.mpu_object_size)?;
        let sum = whole_sum(&plan, &parts, &input)?;
        let segments = parts
            .iter()
            .map(|part| Segment { name: name_in(&part.file), size: part.size })
            .collect();
        let tag = digest::multipart_etag(parts.iter().map(|part| part.etag.as_str()));
        let object = NewObject {
            bucket: upload.bucket,
            key: upload.key,
            version_id: new_name(),
            etag: tag.ok_or_else(|| fault::known(S3ErrorCode::InvalidPart))?,
            size,
            attributes: Attributes { sum: sum.clone(), segments, ..plan.attributes }.write()?,
            file: upload.id.clone(),
            created: self.clock.now(),
        };
        let completed = self
            .store
            .complete_upload(&upload.id, &object, &condition)
            .await
            .map_err(fault::store)?;
        let CompleteUpload::Put(put) = completed else { return Err(fault::no_such_upload()) };
        let put = without(put, &parts);
        let version_id = self.settle(put, &object.bucket, &object.key, &condition).await?;
        Ok(completion(&object.bucket, &object.key, &object.etag, version_id, sum.as_ref(), host))
    }

    /// Completing again what is complete succeeds again: the first answer may have been lost.
    async fn completed_before(
        &self,
        input: &dto::CompleteMultipartUploadInput,
        host: &str,
    ) -> S3Result<Option<dto::CompleteMultipartUploadOutput>> {
        let object =
            self.store.object(&input.bucket, &input.key, None).await.map_err(fault::store)?;
        let Some(object) = object.filter(|object| object.file.as_ref() == Some(&input.upload_id))
        else {
            return Ok(None);
        };
        let versioning = self.bucket(&input.bucket).await?.versioning;
        let found = super::objects::found(object, versioning)?;
        let sum = found.attributes.sum.as_ref();
        Ok(Some(completion(&input.bucket, &input.key, &found.etag, found.version, sum, host)))
    }

    /// The parts that the caller names, as they were recorded.
    async fn chosen_parts(
        &self,
        upload: &Upload,
        asked: &[dto::CompletedPart],
        numbers: &[u32],
    ) -> S3Result<Vec<Part>> {
        let recorded =
            self.store.parts(&upload.id, 0, PART_NUMBER_MAX).await.map_err(fault::store)?;
        let mut recorded: HashMap<_, _> =
            recorded.items.into_iter().map(|part| (part.number, part)).collect();
        let invalid = || fault::known(S3ErrorCode::InvalidPart);
        let mut parts = Vec::with_capacity(asked.len());
        for (asked, number) in asked.iter().zip(numbers) {
            let part = recorded.remove(number).ok_or_else(invalid)?;
            if asked.e_tag.as_ref().map(dto::ETag::value) != Some(part.etag.as_str()) {
                return Err(invalid());
            }
            let said: Vec<_> = told_sums!(asked).into_iter().flatten().collect();
            let sum = sum_of(&part)?;
            if said.iter().any(|said| sum.as_ref().is_none_or(|sum| sum.value != *said)) {
                return Err(invalid());
            }
            parts.push(part);
        }
        Ok(parts)
    }

    pub(super) async fn abort_upload(&self, input: dto::AbortMultipartUploadInput) -> S3Result<()> {
        let upload = self.upload(&input.bucket, &input.key, &input.upload_id).await?;
        match self.store.abort_upload(&upload.id).await.map_err(fault::store)? {
            Some(_) => {
                self.blobs.remove(vec![upload.id]).await;
                Ok(())
            }
            None => Err(fault::no_such_upload()),
        }
    }

    pub(super) async fn list_upload_parts(
        &self,
        input: dto::ListPartsInput,
    ) -> S3Result<dto::ListPartsOutput> {
        let limit = page_limit(input.max_parts)?;
        let upload = self.upload(&input.bucket, &input.key, &input.upload_id).await?;
        let plan = Plan::of(&upload)?;
        let after = input
            .part_number_marker
            .and_then(|marker| u32::try_from(marker).ok())
            .unwrap_or_default();
        let page = self
            .store
            .parts(&upload.id, after, limit.unsigned_abs())
            .await
            .map_err(fault::store)?;
        let last = page.items.last().and_then(|part| i32::try_from(part.number).ok());
        let parts: S3Result<Vec<_>> = page.items.iter().map(listed_part).collect();
        let owner = self.owner();
        Ok(dto::ListPartsOutput {
            bucket: Some(input.bucket),
            checksum_algorithm: plan
                .algorithm()
                .map(|algorithm| ChecksumAlgorithm::from_static(algorithm.name())),
            checksum_type: plan
                .checksum
                .map(|(_, coverage)| ChecksumType::from_static(coverage.name())),
            initiator: Some(dto::Initiator {
                display_name: owner.display_name.clone(),
                id: owner.id.clone(),
            }),
            is_truncated: Some(page.next.is_some()),
            key: Some(input.key),
            max_parts: Some(limit),
            next_part_number_marker: last,
            owner: Some(owner),
            part_number_marker: Some(input.part_number_marker.unwrap_or_default()),
            parts: Some(parts?),
            storage_class: Some(dto::StorageClass::from_static(dto::StorageClass::STANDARD)),
            upload_id: Some(upload.id),
            ..dto::ListPartsOutput::default()
        })
    }

    pub(super) async fn list_uploads(
        &self,
        input: dto::ListMultipartUploadsInput,
    ) -> S3Result<dto::ListMultipartUploadsOutput> {
        let limit = page_limit(input.max_uploads)?;
        self.bucket(&input.bucket).await?;
        let prefix = input.prefix.clone().unwrap_or_default();
        let key = input.key_marker.as_deref().filter(|key| !key.is_empty());
        // A key alone means: after all uploads of that key.
        let id =
            input.upload_id_marker.as_deref().filter(|id| !id.is_empty()).unwrap_or("\u{10FFFF}");
        let after = key.map(|key| (key, id));
        let page = self.store.uploads(&input.bucket, &prefix, after, limit.unsigned_abs()).await;
        let page = page.map_err(fault::store)?;
        let next = page
            .next
            .as_ref()
            .and(page.items.last())
            .map(|last| (last.key.clone(), last.id.clone()));
        let (mut uploads, mut prefixes) = (Vec::new(), Vec::<String>::new());
        for upload in page.items {
            let rest = upload.key.strip_prefix(&prefix).unwrap_or_default();
            let cut = input
                .delimiter
                .as_ref()
                .and_then(|mark| Some(rest.find(mark.as_str())? + mark.len()));
            match cut {
                Some(cut) => prefixes.push(upload.key[..prefix.len() + cut].to_owned()),
                None => uploads.push(self.listed_upload(upload)?),
            }
        }
        prefixes.dedup();
        let common =
            prefixes.into_iter().map(|prefix| dto::CommonPrefix { prefix: Some(prefix) }).collect();
        let (next_key, next_id) = next.unzip();
        Ok(dto::ListMultipartUploadsOutput {
            bucket: Some(input.bucket),
            common_prefixes: Some(common),
            delimiter: input.delimiter,
            is_truncated: Some(next_key.is_some()),
            key_marker: Some(input.key_marker.unwrap_or_default()),
            max_uploads: Some(limit),
            next_key_marker: next_key,
            next_upload_id_marker: next_id,
            prefix: Some(prefix),
            upload_id_marker: Some(input.upload_id_marker.unwrap_or_default()),
            uploads: Some(uploads),
            ..dto::ListMultipartUploadsOutput::default()
        })
    }

    fn listed_upload(&self, upload: Upload) -> S3Result<dto::MultipartUpload> {
        let plan = Plan::of(&upload)?;
        let owner = self.owner();
        Ok(dto::MultipartUpload {
            checksum_algorithm: plan
                .algorithm()
                .map(|algorithm| ChecksumAlgorithm::from_static(algorithm.name())),
            checksum_type: plan
                .checksum
                .map(|(_, coverage)| ChecksumType::from_static(coverage.name())),
            initiated: Some(time(upload.created)),
            initiator: Some(dto::Initiator {
                display_name: owner.display_name.clone(),
                id: owner.id.clone(),
            }),
            key: Some(upload.key),
            owner: Some(owner),
            storage_class: Some(dto::StorageClass::from_static(dto::StorageClass::STANDARD)),
            upload_id: Some(upload.id),
        })
    }
}

fn listed_part(part: &Part) -> S3Result<dto::Part> {
    let mut listed = dto::Part {
        e_tag: Some(etag(&part.etag)),
        last_modified: Some(time(part.created)),
        part_number: i32::try_from(part.number).ok(),
        size: Some(length(part.size)),
        ..dto::Part::default()
    };
    tell_sum!(listed, &sum_of(part)?);
    Ok(listed)
}

/// The checksum that an upload is begun with. Source: S3 user guide, "Checking object integrity", on types.
fn checksum_plan(
    algorithm: Option<&ChecksumAlgorithm>,
    coverage: Option<&ChecksumType>,
) -> S3Result<Option<(Algorithm, Coverage)>> {
    let algorithm = algorithm.map(|named| digest::named_algorithm(named.as_str())).transpose()?;
    let Some(algorithm) = algorithm else {
        return match coverage {
            None => Ok(None),
            Some(_) => Err(fault::invalid_request(
                "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
            )),
        };
    };
    let is_sha = matches!(algorithm, Algorithm::Sha1 | Algorithm::Sha256);
    match coverage.map(ChecksumType::as_str) {
        None => Ok(Some((algorithm, algorithm.usual_coverage()))),
        Some(ChecksumType::FULL_OBJECT) if !is_sha => Ok(Some((algorithm, Coverage::FullObject))),
        Some(ChecksumType::COMPOSITE) if algorithm != Algorithm::Crc64Nvme => {
            Ok(Some((algorithm, Coverage::Composite)))
        }
        Some(other) => Err(fault::invalid_request(format!(
            "The {other} checksum type cannot be used with the {} checksum algorithm.",
            algorithm.name().to_ascii_lowercase()
        ))),
    }
}

fn other_checksum(planned: Algorithm, sent: Algorithm) -> s3s::S3Error {
    fault::invalid_request(format!(
        "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
        planned.name().to_ascii_lowercase(),
        sent.name().to_ascii_lowercase()
    ))
}

fn part_number(number: i32) -> S3Result<u32> {
    let number = u32::try_from(number).ok().filter(|number| (1..=PART_NUMBER_MAX).contains(number));
    number.ok_or_else(|| {
        fault::invalid_argument("Part number must be an integer between 1 and 10000, inclusive")
    })
}

/// The numbers of the parts, which must rise.
fn check_order(asked: &[dto::CompletedPart]) -> S3Result<Vec<u32>> {
    if asked.is_empty() {
        return Err(fault::known(S3ErrorCode::MalformedXML));
    }
    let numbers: Option<Vec<_>> =
        asked.iter().map(|part| u32::try_from(part.part_number?).ok()).collect();
    let numbers = numbers.ok_or_else(|| fault::known(S3ErrorCode::MalformedXML))?;
    if numbers.windows(2).any(|pair| pair[0] >= pair[1]) {
        return Err(fault::known(S3ErrorCode::InvalidPartOrder));
    }
    Ok(numbers)
}

fn total_size(parts: &[Part], said: Option<i64>) -> S3Result<u64> {
    let (_, all_but_last) =
        parts.split_last().ok_or_else(|| fault::known(S3ErrorCode::MalformedXML))?;
    if all_but_last.iter().any(|part| part.size < PART_MIN_BYTES) {
        return Err(fault::known(S3ErrorCode::EntityTooSmall));
    }
    let size = parts.iter().map(|part| part.size).sum();
    if size > OBJECT_MAX_BYTES {
        return Err(fault::known(S3ErrorCode::EntityTooLarge));
    }
    match said {
        Some(said) if said != length(size) => Err(fault::invalid_request(format!(
            "The provided 'x-amz-mp-object-size' header value {said} does not match what was computed: {size}"
        ))),
        _ => Ok(size),
    }
}

/// The checksum of the object, compared with what the caller says it is.
fn whole_sum(
    plan: &Plan,
    parts: &[Part],
    said: &dto::CompleteMultipartUploadInput,
) -> S3Result<Option<Sum>> {
    let Some((algorithm, coverage)) = plan.checksum else { return Ok(None) };
    let sums: S3Result<Option<Vec<_>>> =
        parts.iter().map(|part| Ok(sum_of(part)?.map(|sum| (sum.value, part.size)))).collect();
    let Some(sums) = sums? else { return Ok(None) };
    let sums: Vec<_> = sums.iter().map(|(value, size)| (value.as_str(), *size)).collect();
    let whole = digest::multipart_sum(algorithm, coverage, &sums);
    let said =
        Algorithm::ALL.into_iter().zip(told_sums!(said)).find(|(kind, _)| *kind == algorithm);
    match (&whole, said.and_then(|(_, value)| value)) {
        (Some(whole), Some(said)) if !is_same_sum(&whole.value, &said) => {
            Err(digest::mismatch(algorithm))
        }
        _ => Ok(whole),
    }
}

/// Clients may leave out the number of parts behind a composite sum.
fn is_same_sum(computed: &str, said: &str) -> bool {
    computed == said || computed.split_once('-').is_some_and(|(sum, _)| sum == said)
}

/// Without the files of these parts among those to be removed: they are the object now.
fn without(put: PutObject, parts: &[Part]) -> PutObject {
    let kept: HashSet<_> = parts.iter().map(|part| part.file.as_str()).collect();
    match put {
        PutObject::Written { version_id, files } => {
            let files = files.into_iter().filter(|file| !kept.contains(file.as_str())).collect();
            PutObject::Written { version_id, files }
        }
        refused @ (PutObject::BucketMissing | PutObject::ConditionFailed) => refused,
    }
}

/// The name of a part's file in the directory of its upload.
fn name_in(file: &str) -> String {
    file.split_once('/').map_or(file, |(_, name)| name).to_owned()
}

fn copied_range(range: &str, size: u64) -> S3Result<Range<u64>> {
    let malformed = || {
        fault::invalid_argument(
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the \
             zero-based offsets of the first and last bytes to copy",
        )
    };
    let (first, last) = range
        .strip_prefix("bytes=")
        .and_then(|range| range.split_once('-'))
        .ok_or_else(malformed)?;
    let first: u64 = first.parse().map_err(|_| malformed())?;
    let last: u64 = last.parse().map_err(|_| malformed())?;
    if first > last {
        return Err(malformed());
    }
    if last >= size {
        return Err(fault::invalid_argument(format!(
            "Range specified is not valid for source object of size: {size}"
        )));
    }
    Ok(first..last + 1)
}

fn completion(
    bucket: &str,
    key: &str,
    tag: &str,
    version_id: Option<String>,
    sum: Option<&Sum>,
    host: &str,
) -> dto::CompleteMultipartUploadOutput {
    let mut output = dto::CompleteMultipartUploadOutput {
        bucket: Some(bucket.to_owned()),
        e_tag: Some(etag(tag)),
        key: Some(key.to_owned()),
        location: Some(format!("http://{host}/{bucket}/{key}")),
        version_id,
        ..dto::CompleteMultipartUploadOutput::default()
    };
    tell_sum!(output, sum);
    output.checksum_type = sum.map(|sum| ChecksumType::from_static(sum.coverage.name()));
    output
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code<T>(result: S3Result<T>) -> String {
        result.err().map_or_else(|| "ok".to_owned(), |error| error.code().as_str().to_owned())
    }

    fn part(number: u32, size: u64) -> Part {
        Part {
            number,
            etag: "92eb5ffee6ae2fec3ad71c777531578f".into(),
            size,
            attributes: "{}".into(),
            file: format!("u/{number}"),
            created: model::Timestamp::from_millis(0),
        }
    }

    fn asked(numbers: &[i32]) -> Vec<dto::CompletedPart> {
        let part = |number: &i32| dto::CompletedPart {
            part_number: Some(*number),
            ..dto::CompletedPart::default()
        };
        numbers.iter().map(part).collect()
    }

    #[test]
    fn parts_must_be_named_in_order() {
        assert_eq!(check_order(&asked(&[1, 3, 7])).unwrap(), [1, 3, 7]);
        assert_eq!(code(check_order(&asked(&[2, 1]))), "InvalidPartOrder");
        assert_eq!(code(check_order(&asked(&[1, 1]))), "InvalidPartOrder");
        assert_eq!(code(check_order(&[])), "MalformedXML");
    }

    #[test]
    fn only_the_last_part_may_be_small() {
        let large = PART_MIN_BYTES;
        assert_eq!(total_size(&[part(1, large), part(2, 1)], None).unwrap(), large + 1);
        assert_eq!(code(total_size(&[part(1, large - 1), part(2, 1)], None)), "EntityTooSmall");
        assert_eq!(code(total_size(&[part(1, 5)], Some(6))), "InvalidRequest");
        let half = OBJECT_MAX_BYTES / 2;
        assert_eq!(code(total_size(&[part(1, half), part(2, half + 1)], None)), "EntityTooLarge");
    }

    #[test]
    fn part_numbers_have_limits() {
        assert_eq!(code(part_number(0)), "InvalidArgument");
        assert_eq!(code(part_number(10_001)), "InvalidArgument");
        assert_eq!(part_number(10_000).unwrap(), 10_000);
    }

    #[test]
    fn not_every_checksum_can_cover_everything() {
        let plan = |algorithm: &'static str, coverage: Option<&'static str>| {
            let algorithm = ChecksumAlgorithm::from_static(algorithm);
            let coverage = coverage.map(ChecksumType::from_static);
            checksum_plan(Some(&algorithm), coverage.as_ref())
        };
        assert_eq!(plan("CRC32", None).unwrap(), Some((Algorithm::Crc32, Coverage::Composite)));
        assert_eq!(
            plan("CRC64NVME", None).unwrap(),
            Some((Algorithm::Crc64Nvme, Coverage::FullObject))
        );
        assert_eq!(code(plan("CRC64NVME", Some("COMPOSITE"))), "InvalidRequest");
        assert_eq!(code(plan("SHA256", Some("FULL_OBJECT"))), "InvalidRequest");
        assert_eq!(code(plan("MD4", None)), "InvalidRequest");
    }

    #[test]
    fn a_copied_range_lies_within_its_source() {
        assert_eq!(copied_range("bytes=0-4", 5).unwrap(), 0..5);
        assert_eq!(code(copied_range("bytes=0-5", 5)), "InvalidArgument");
        assert_eq!(code(copied_range("bytes=3-2", 5)), "InvalidArgument");
        assert_eq!(code(copied_range("bytes=3-", 5)), "InvalidArgument");
    }
}
