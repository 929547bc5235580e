//! What is kept with an object besides its bytes, and how it comes in and goes out as headers.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use model::Timestamp;
use s3s::dto::{self, ETag, TimestampFormat};
use s3s::{S3ErrorCode, S3Result};
use serde::{Deserialize, Serialize};

use super::blobs::Segment;
use super::digest::Sum;
use super::fault;

/// What a caller said about an object, and its checksum. Kept as JSON; absent members have their defaults, so
/// that rows of older versions stay readable.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Attributes {
    pub(super) content_type: Option<String>,
    pub(super) cache_control: Option<String>,
    pub(super) content_disposition: Option<String>,
    pub(super) content_encoding: Option<String>,
    pub(super) content_language: Option<String>,
    /// As an HTTP date.
    pub(super) expires: Option<String>,
    /// The `x-amz-meta-` headers, without that prefix.
    pub(super) user: BTreeMap<String, String>,
    pub(super) tags: Tags,
    /// Whether the caller asked for `public-read`. It is kept and shown; nothing is served without a signature.
    pub(super) public_read: bool,
    pub(super) sum: Option<Sum>,
    /// The parts, if a multipart upload made the object.
    pub(super) segments: Vec<Segment>,
}

/// What S3 calls the type of an object that came without one.
pub(super) const DEFAULT_CONTENT_TYPE: &str = "binary/octet-stream";

/// The most user metadata that an object may have, names and values together.
/// Source: S3 user guide, "Working with object metadata".
const USER_METADATA_MAX_BYTES: usize = 2048;

/// The headers that describe an object; every operation that makes one has them under the same names.
macro_rules! described {
    ($input:expr) => {
        $crate::s3::attributes::Attributes {
            content_type: $input.content_type.clone(),
            cache_control: $input.cache_control.clone(),
            content_disposition: $input.content_disposition.clone(),
            content_encoding: $input
                .content_encoding
                .as_deref()
                .and_then($crate::s3::attributes::without_transfer_encoding),
            content_language: $input.content_language.clone(),
            expires: $input.expires.as_ref().and_then($crate::s3::attributes::http_date),
            user: $crate::s3::attributes::user_metadata($input.metadata.as_ref())?,
            tags: $crate::s3::attributes::tags_of_header($input.tagging.as_deref())?,
            public_read: $crate::s3::attributes::is_public(
                $input.acl.as_ref().map(s3s::dto::ObjectCannedACL::as_str),
            ),
            sum: None,
            segments: Vec::new(),
        }
    };
}
pub(super) use described;

/// Sets the checksum's own member of an output, and its type where the output has one.
macro_rules! tell_sum {
    ($output:expr, $sum:expr) => {
        if let Some(sum) = $sum {
            use $crate::s3::digest::Algorithm;
            let value = Some(sum.value.clone());
            match sum.algorithm {
                Algorithm::Crc32 => $output.checksum_crc32 = value,
                Algorithm::Crc32c => $output.checksum_crc32c = value,
                Algorithm::Crc64Nvme => $output.checksum_crc64nvme = value,
                Algorithm::Sha1 => $output.checksum_sha1 = value,
                Algorithm::Sha256 => $output.checksum_sha256 = value,
            }
        }
    };
}
pub(super) use tell_sum;

/// The checksum values of an input, in the order of [`super::digest::Algorithm::ALL`].
macro_rules! told_sums {
    ($input:expr) => {
        [
            $input.checksum_crc32.clone(),
            $input.checksum_crc32c.clone(),
            $input.checksum_crc64nvme.clone(),
            $input.checksum_sha1.clone(),
            $input.checksum_sha256.clone(),
        ]
    };
}
pub(super) use told_sums;

impl Attributes {
    /// From a row.
    pub(super) fn read(text: &str) -> S3Result<Self> {
        serde_json::from_str(text).map_err(|error| fault::internal(&error))
    }

    /// For a row.
    pub(super) fn write(&self) -> S3Result<String> {
        serde_json::to_string(self).map_err(|error| fault::internal(&error))
    }

    /// The user's metadata as headers; none rather than an empty set.
    pub(super) fn metadata(&self) -> Option<dto::Metadata> {
        (!self.user.is_empty()).then(|| self.user.clone().into_iter().collect())
    }

    pub(super) fn expires(&self) -> Option<dto::Timestamp> {
        dto::Timestamp::parse(TimestampFormat::HttpDate, self.expires.as_deref()?).ok()
    }
}

/// `aws-chunked` says how the body travelled, not what the object is: it is not kept.
pub(super) fn without_transfer_encoding(encoding: &str) -> Option<String> {
    let kept: Vec<_> = encoding
        .split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty() && !word.eq_ignore_ascii_case("aws-chunked"))
        .collect();
    (!kept.is_empty()).then(|| kept.join(","))
}

pub(super) fn http_date(time: &dto::Timestamp) -> Option<String> {
    let mut text = Vec::new();
    time.format(TimestampFormat::HttpDate, &mut text).ok()?;
    String::from_utf8(text).ok()
}

pub(super) fn user_metadata(sent: Option<&dto::Metadata>) -> S3Result<BTreeMap<String, String>> {
    let user: BTreeMap<_, _> = sent
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()))
        .collect();
    let size: usize = user.iter().map(|(name, value)| name.len() + value.len()).sum();
    if size > USER_METADATA_MAX_BYTES {
        return Err(fault::because(
            S3ErrorCode::MetadataTooLarge,
            "Your metadata headers exceed the maximum allowed metadata size",
        ));
    }
    Ok(user)
}

pub(super) fn is_public(canned: Option<&str>) -> bool {
    canned.is_some_and(|acl| acl.starts_with("public-read"))
}

/// An ETag as it goes out.
pub(super) fn etag(value: &str) -> ETag {
    ETag::Strong(value.to_owned())
}

/// A time as it goes out.
pub(super) fn time(at: Timestamp) -> dto::Timestamp {
    let since_epoch = Duration::from_millis(at.as_millis().max(0).unsigned_abs());
    (SystemTime::UNIX_EPOCH + since_epoch).into()
}

/// A time with the precision that headers have: whole seconds.
pub(super) fn header_time(at: Timestamp) -> dto::Timestamp {
    time(Timestamp::from_millis(at.as_millis().div_euclid(1000) * 1000))
}

/// Names and values in the order in which they were given.
pub(super) type Tags = Vec<(String, String)>;

/// The most tags that an object may have. Source: API reference, `PutObjectTagging`.
const OBJECT_TAGS_MAX: usize = 10;
/// The most tags that a bucket may have. Source: API reference, `PutBucketTagging`.
const BUCKET_TAGS_MAX: usize = 50;

/// The tags of an `x-amz-tagging` header: `a=1&b=2`.
pub(super) fn tags_of_header(header: Option<&str>) -> S3Result<Tags> {
    let decoded = |text: &str| {
        let spaced = text.replace('+', " ");
        percent_encoding::percent_decode_str(&spaced)
            .decode_utf8()
            .map(String::from)
            .map_err(|_| invalid_tag())
    };
    let pairs = header.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    let tags: S3Result<Tags> = pairs
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decoded(key)?, decoded(value)?))
        })
        .collect();
    checked_tags(tags?, OBJECT_TAGS_MAX)
}

/// The tags of an object as XML carried them.
pub(super) fn object_tags(sent: dto::TagSet) -> S3Result<Tags> {
    checked_tags(named_tags(sent)?, OBJECT_TAGS_MAX)
}

/// The tags of a bucket as XML carried them.
pub(super) fn bucket_tags(sent: dto::TagSet) -> S3Result<Tags> {
    checked_tags(named_tags(sent)?, BUCKET_TAGS_MAX)
}

/// Tags for an answer.
pub(super) fn tag_set(tags: &Tags) -> dto::TagSet {
    tags.iter()
        .map(|(key, value)| dto::Tag { key: Some(key.clone()), value: Some(value.clone()) })
        .collect()
}

fn named_tags(sent: dto::TagSet) -> S3Result<Tags> {
    let named = |tag: dto::Tag| Some((tag.key?, tag.value.unwrap_or_default()));
    sent.into_iter()
        .map(|tag| named(tag).ok_or_else(|| fault::known(S3ErrorCode::MalformedXML)))
        .collect()
}

fn checked_tags(tags: Tags, most: usize) -> S3Result<Tags> {
    if tags.len() > most {
        let mut error = fault::unlisted("BadRequest", http::StatusCode::BAD_REQUEST);
        error.set_message(format!("Tags cannot be greater than {most}"));
        return Err(error);
    }
    for (position, (key, value)) in tags.iter().enumerate() {
        if key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 {
            return Err(invalid_tag());
        }
        if tags[..position].iter().any(|(earlier, _)| earlier == key) {
            return Err(fault::because(
                S3ErrorCode::InvalidTag,
                "Cannot provide multiple Tags with the same key",
            ));
        }
    }
    Ok(tags)
}

fn invalid_tag() -> s3s::S3Error {
    fault::because(S3ErrorCode::InvalidTag, "The TagKey or TagValue you have provided is invalid")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_survive_the_row_and_old_rows_stay_readable() {
        let attributes = Attributes {
            content_type: Some("text/plain".into()),
            user: BTreeMap::from([("a".into(), "1".into())]),
            tags: vec![("k".into(), "v".into())],
            ..Attributes::default()
        };
        assert_eq!(Attributes::read(&attributes.write().unwrap()).unwrap(), attributes);
        assert_eq!(Attributes::read("{}").unwrap(), Attributes::default());
    }

    #[test]
    fn how_a_body_travelled_is_not_kept() {
        assert_eq!(without_transfer_encoding("aws-chunked"), None);
        assert_eq!(without_transfer_encoding("aws-chunked,gzip").as_deref(), Some("gzip"));
        assert_eq!(without_transfer_encoding("gzip, AWS-Chunked").as_deref(), Some("gzip"));
    }

    #[test]
    fn tags_come_from_a_header() {
        let tags = tags_of_header(Some("UseWithCodeDeploy=true&a%20b=c+d&empty")).unwrap();
        let pairs: Vec<_> =
            tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(pairs, [("UseWithCodeDeploy", "true"), ("a b", "c d"), ("empty", "")]);
        assert!(tags_of_header(Some("a=1&a=2")).is_err());
        assert!(tags_of_header(Some("=1")).is_err());
        let eleven = "a=&b=&c=&d=&e=&f=&g=&h=&i=&j=&k=";
        assert!(tags_of_header(Some(eleven)).is_err());
    }

    #[test]
    fn metadata_has_a_limit() {
        let sent = |len: usize| dto::Metadata::from_iter([("k".to_owned(), "v".repeat(len))]);
        assert!(user_metadata(Some(&sent(2047))).is_ok());
        assert!(user_metadata(Some(&sent(2048))).is_err());
    }

    #[test]
    fn header_times_have_no_milliseconds() {
        let at = Timestamp::from_millis(1_445_412_480_999);
        assert_eq!(http_date(&header_time(at)).as_deref(), Some("Wed, 21 Oct 2015 07:28:00 GMT"));
        assert!(time(at) > header_time(at));
    }
}
