//! Listings of what is in a bucket.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use model::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::S3Result;
use s3s::dto;
use store::{ListObjects, Listing, ListingEntry, Marker, Object};

use super::attributes::{etag, time};
use super::backend::Backend;
use super::fault;
use super::found::Found;
use super::objects::length;
use super::published;

/// How many entries a page has at most. Source: API reference, `ListObjectsV2`.
const PAGE_MAX: i32 = 1000;

/// What stays as it is where a client asks for encoded keys.
const KEPT_IN_URLS: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/').remove(b'*');

/// A listing's parameters that all its forms share.
struct Query {
    bucket: String,
    prefix: String,
    delimiter: Option<String>,
    after: Option<Marker>,
    limit: i32,
}

/// A page as the wire has it.
#[derive(Default)]
struct Page {
    objects: Vec<dto::Object>,
    prefixes: Vec<dto::CommonPrefix>,
    next: Option<Marker>,
}

impl Page {
    fn len(&self) -> i32 {
        i32::try_from(self.objects.len() + self.prefixes.len()).unwrap_or(i32::MAX)
    }
}

/// How keys are written: as they are, or percent-encoded for XML's sake.
#[derive(Clone, Copy)]
struct Spelling {
    is_encoded: bool,
}

impl Spelling {
    fn of(encoding: Option<&dto::EncodingType>) -> S3Result<Self> {
        match encoding.map(dto::EncodingType::as_str) {
            None => Ok(Self { is_encoded: false }),
            Some("url") => Ok(Self { is_encoded: true }),
            Some(_) => Err(fault::invalid_argument("Invalid Encoding Method specified in Request")),
        }
    }

    fn spell(self, text: &str) -> String {
        if self.is_encoded {
            utf8_percent_encode(text, KEPT_IN_URLS).to_string()
        } else {
            text.to_owned()
        }
    }

    fn optional(self, text: Option<&String>) -> Option<String> {
        text.map(|text| self.spell(text))
    }
}

impl Backend {
    pub(super) async fn list_v1(
        &self,
        input: dto::ListObjectsInput,
        host: &str,
    ) -> S3Result<dto::ListObjectsOutput> {
        let spelling = Spelling::of(input.encoding_type.as_ref())?;
        let limit = page_limit(input.max_keys)?;
        let query = Query {
            bucket: input.bucket.clone(),
            prefix: input.prefix.clone().unwrap_or_default(),
            delimiter: input.delimiter.clone(),
            after: input.marker.clone().and_then(after_key),
            limit,
        };
        let page = self.page(&query, spelling, true, host).await?;
        Ok(dto::ListObjectsOutput {
            name: Some(input.bucket),
            prefix: Some(spelling.spell(&query.prefix)),
            marker: Some(spelling.spell(input.marker.as_deref().unwrap_or_default())),
            max_keys: Some(limit),
            is_truncated: Some(page.next.is_some()),
            next_marker: page.next.map(|marker| spelling.spell(&marker.key)),
            contents: Some(page.objects),
            common_prefixes: Some(page.prefixes),
            delimiter: spelling.optional(input.delimiter.as_ref()),
            encoding_type: input.encoding_type,
            request_charged: None,
        })
    }

    pub(super) async fn list_v2(
        &self,
        input: dto::ListObjectsV2Input,
        host: &str,
    ) -> S3Result<dto::ListObjectsV2Output> {
        let spelling = Spelling::of(input.encoding_type.as_ref())?;
        let limit = page_limit(input.max_keys)?;
        let after = match &input.continuation_token {
            Some(token) => Some(continued(token)?),
            None => input.start_after.clone().and_then(after_key),
        };
        let query = Query {
            bucket: input.bucket.clone(),
            prefix: input.prefix.clone().unwrap_or_default(),
            delimiter: input.delimiter.clone(),
            after,
            limit,
        };
        let page = self.page(&query, spelling, input.fetch_owner == Some(true), host).await?;
        Ok(dto::ListObjectsV2Output {
            name: Some(input.bucket),
            prefix: Some(spelling.spell(&query.prefix)),
            max_keys: Some(limit),
            key_count: Some(page.len()),
            continuation_token: input.continuation_token,
            is_truncated: Some(page.next.is_some()),
            next_continuation_token: page
                .next
                .map(|marker| BASE64_URL_SAFE_NO_PAD.encode(marker.key)),
            contents: Some(page.objects),
            common_prefixes: Some(page.prefixes),
            delimiter: spelling.optional(input.delimiter.as_ref()),
            encoding_type: input.encoding_type,
            start_after: spelling.optional(input.start_after.as_ref()),
            request_charged: None,
        })
    }

    pub(super) async fn list_versions(
        &self,
        input: dto::ListObjectVersionsInput,
    ) -> S3Result<dto::ListObjectVersionsOutput> {
        let spelling = Spelling::of(input.encoding_type.as_ref())?;
        let limit = page_limit(input.max_keys)?;
        self.bucket(&input.bucket).await?;
        let wanted = ListObjects {
            bucket: input.bucket.clone(),
            prefix: input.prefix.clone().unwrap_or_default(),
            delimiter: input.delimiter.clone(),
            after: version_marker(input.key_marker.as_deref(), input.version_id_marker.as_deref())?,
            limit: limit.unsigned_abs(),
        };
        let listing = match limit {
            0 => Listing { entries: Vec::new(), next: None },
            _ => self.store.list_object_versions(&wanted).await.map_err(fault::store)?,
        };
        let (mut versions, mut markers, mut prefixes) = (Vec::new(), Vec::new(), Vec::new());
        for entry in listing.entries {
            match entry {
                ListingEntry::Prefix(prefix) => prefixes.push(common(spelling.spell(&prefix))),
                ListingEntry::Object(object) if object.delete_marker => {
                    markers.push(self.marker_entry(object, spelling));
                }
                ListingEntry::Object(object) => versions.push(self.version_entry(object, spelling)),
            }
        }
        let next = listing.next;
        Ok(dto::ListObjectVersionsOutput {
            common_prefixes: Some(prefixes),
            delete_markers: Some(markers),
            delimiter: spelling.optional(input.delimiter.as_ref()),
            encoding_type: input.encoding_type,
            is_truncated: Some(next.is_some()),
            key_marker: Some(spelling.spell(input.key_marker.as_deref().unwrap_or_default())),
            max_keys: Some(limit),
            name: Some(input.bucket),
            next_key_marker: next.as_ref().map(|marker| spelling.spell(&marker.key)),
            next_version_id_marker: next.and_then(|marker| marker.version_id),
            prefix: Some(spelling.spell(&wanted.prefix)),
            request_charged: None,
            version_id_marker: Some(input.version_id_marker.unwrap_or_default()),
            versions: Some(versions),
        })
    }

    async fn page(
        &self,
        query: &Query,
        spelling: Spelling,
        with_owner: bool,
        host: &str,
    ) -> S3Result<Page> {
        if published::is_reserved_bucket(&query.bucket) {
            return self.published_page(query, spelling, host).await;
        }
        self.bucket(&query.bucket).await?;
        if query.limit == 0 {
            return Ok(Page::default());
        }
        let wanted = ListObjects {
            bucket: query.bucket.clone(),
            prefix: query.prefix.clone(),
            delimiter: query.delimiter.clone(),
            after: query.after.clone(),
            limit: query.limit.unsigned_abs(),
        };
        let listing = self.store.list_objects(&wanted).await.map_err(fault::store)?;
        let mut page = Page { next: listing.next, ..Page::default() };
        for entry in listing.entries {
            match entry {
                ListingEntry::Prefix(prefix) => page.prefixes.push(common(spelling.spell(&prefix))),
                ListingEntry::Object(object) => page.objects.push(dto::Object {
                    owner: with_owner.then(|| self.owner()),
                    ..entry_of(
                        spelling.spell(&object.key),
                        &object.etag,
                        object.size,
                        object.created,
                    )
                }),
            }
        }
        Ok(page)
    }

    /// The few objects of a reserved bucket fit on one page.
    async fn published_page(
        &self,
        query: &Query,
        spelling: Spelling,
        host: &str,
    ) -> S3Result<Page> {
        let mut page = Page::default();
        let mut rolled_up = None;
        let after = query.after.as_ref().map_or("", |marker| marker.key.as_str());
        for key in self.published.keys() {
            let Some(rest) = key.strip_prefix(&query.prefix).filter(|_| key.as_str() > after)
            else {
                continue;
            };
            let cut = query
                .delimiter
                .as_ref()
                .and_then(|mark| Some(rest.find(mark.as_str())? + mark.len()));
            if let Some(cut) = cut {
                let prefix = format!("{}{}", query.prefix, &rest[..cut]);
                if rolled_up.as_ref() != Some(&prefix) {
                    page.prefixes.push(common(spelling.spell(&prefix)));
                    rolled_up = Some(prefix);
                }
                continue;
            }
            let found: Found = self.find(&query.bucket, &key, None, host).await?;
            page.objects.push(entry_of(
                spelling.spell(&key),
                &found.etag,
                found.size,
                found.modified,
            ));
        }
        Ok(page)
    }

    fn version_entry(&self, object: Object, spelling: Spelling) -> dto::ObjectVersion {
        dto::ObjectVersion {
            e_tag: Some(etag(&object.etag)),
            is_latest: Some(object.is_latest),
            key: Some(spelling.spell(&object.key)),
            last_modified: Some(time(object.created)),
            owner: Some(self.owner()),
            size: Some(length(object.size)),
            storage_class: Some(dto::ObjectVersionStorageClass::from_static(
                dto::ObjectVersionStorageClass::STANDARD,
            )),
            version_id: Some(object.version_id),
            ..dto::ObjectVersion::default()
        }
    }

    fn marker_entry(&self, marker: Object, spelling: Spelling) -> dto::DeleteMarkerEntry {
        dto::DeleteMarkerEntry {
            is_latest: Some(marker.is_latest),
            key: Some(spelling.spell(&marker.key)),
            last_modified: Some(time(marker.created)),
            owner: Some(self.owner()),
            version_id: Some(marker.version_id),
        }
    }
}

/// How many entries a caller gets, who asks for `asked`.
pub(super) fn page_limit(asked: Option<i32>) -> S3Result<i32> {
    match asked.unwrap_or(PAGE_MAX) {
        negative @ ..0 => Err(fault::invalid_argument(format!(
            "Argument maxKeys must be an integer between 0 and 2147483647, not {negative}"
        ))),
        limit => Ok(limit.min(PAGE_MAX)),
    }
}

/// Markers that clients send empty mean the beginning.
fn after_key(key: String) -> Option<Marker> {
    (!key.is_empty()).then_some(Marker { key, version_id: None })
}

/// Where a continuation token says to go on.
fn continued(token: &str) -> S3Result<Marker> {
    let key = BASE64_URL_SAFE_NO_PAD.decode(token).ok().and_then(|key| String::from_utf8(key).ok());
    let key =
        key.ok_or_else(|| fault::invalid_argument("The continuation token provided is incorrect"))?;
    Ok(Marker { key, version_id: None })
}

fn version_marker(key: Option<&str>, version: Option<&str>) -> S3Result<Option<Marker>> {
    let version = version.filter(|version| !version.is_empty());
    match (key.filter(|key| !key.is_empty()), version) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(fault::invalid_argument(
            "A version-id marker cannot be specified without a key marker.",
        )),
        (Some(key), version) => {
            Ok(Some(Marker { key: key.to_owned(), version_id: version.map(str::to_owned) }))
        }
    }
}

fn common(prefix: String) -> dto::CommonPrefix {
    dto::CommonPrefix { prefix: Some(prefix) }
}

fn entry_of(key: String, tag: &str, size: u64, modified: Timestamp) -> dto::Object {
    dto::Object {
        e_tag: Some(etag(tag)),
        key: Some(key),
        last_modified: Some(time(modified)),
        size: Some(length(size)),
        storage_class: Some(dto::ObjectStorageClass::from_static(
            dto::ObjectStorageClass::STANDARD,
        )),
        ..dto::Object::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_keys_decode_as_urls_do() {
        let spelling = Spelling { is_encoded: true };
        assert_eq!(spelling.spell("a b+c/ü&.txt"), "a%20b%2Bc/%C3%BC%26.txt");
        assert_eq!(Spelling { is_encoded: false }.spell("a b+c"), "a b+c");
    }

    #[test]
    fn a_page_has_at_most_a_thousand_entries() {
        assert_eq!(page_limit(None).unwrap(), 1000);
        assert_eq!(page_limit(Some(5000)).unwrap(), 1000);
        assert_eq!(page_limit(Some(0)).unwrap(), 0);
        assert!(page_limit(Some(-1)).is_err());
    }

    #[test]
    fn markers_must_make_sense() {
        assert!(version_marker(None, Some("v")).is_err());
        assert_eq!(version_marker(Some(""), Some("")).unwrap(), None);
        assert!(continued("not base64!").is_err());
        let token = BASE64_URL_SAFE_NO_PAD.encode("a/ü");
        assert_eq!(continued(&token).unwrap().key, "a/ü");
    }
}
