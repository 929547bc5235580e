//! An object as a reader finds it: stored by somebody, or published by longshore itself.

use std::io;
use std::ops::Range;
use std::pin::Pin;

use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use model::Timestamp;
use s3s::S3Result;
use s3s::dto::StreamingBlob;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

use super::attributes::Attributes;
use super::blobs::{Blob, Blobs};
use super::fault;
use super::published::Edition;

/// An object, ready to be described or read.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// Without quotes.
    pub(super) etag: String,
    pub(super) size: u64,
    pub(super) modified: Timestamp,
    /// Told to the caller where the bucket's versions have ever been switched on.
    pub(super) version: Option<String>,
    pub(super) attributes: Attributes,
    pub(super) content: Content,
}

/// Where an object's bytes are.
#[derive(Debug, Clone)]
pub(super) enum Content {
    Stored(Blob),
    Published(Edition),
}

type Bytestream = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send + Sync>>;

impl Found {
    /// An object of longshore's own.
    pub(super) fn published(edition: Edition) -> Self {
        let since_epoch =
            edition.modified.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Self {
            etag: edition.etag(),
            size: edition.size(),
            modified: Timestamp::from_millis(
                i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX),
            ),
            version: None,
            attributes: Attributes {
                content_type: Some(edition.object.content_type.clone()),
                ..Attributes::default()
            },
            content: Content::Published(edition),
        }
    }

    /// How many parts a multipart upload made it of; `None` if it came in one piece.
    pub(super) fn parts(&self) -> Option<i32> {
        match &self.content {
            Content::Stored(blob) if !blob.segments.is_empty() => {
                i32::try_from(blob.segments.len()).ok()
            }
            Content::Stored(_) | Content::Published(_) => None,
        }
    }

    /// The bytes that part `number` (from 1) brought; the whole of an object that has no parts is its part 1.
    pub(super) fn part_range(&self, number: i32) -> Option<Range<u64>> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        match &self.content {
            Content::Stored(blob) if !blob.segments.is_empty() => {
                let start =
                    blob.segments.iter().take(index).map(|segment| segment.size).sum::<u64>();
                Some(start..start + blob.segments.get(index)?.size)
            }
            Content::Stored(_) | Content::Published(_) => (index == 0).then_some(0..self.size),
        }
    }

    /// Opens the bytes in `range`. `None` if the files went since the object was found: it was replaced.
    pub(super) async fn open(
        &self,
        blobs: &Blobs,
        range: Range<u64>,
    ) -> S3Result<Option<StreamingBlob>> {
        let opened: io::Result<Bytestream> = match &self.content {
            Content::Stored(blob) => {
                blobs.read(blob, range).await.map(|stream| Box::pin(stream) as _)
            }
            Content::Published(edition) => open_edition(edition, range).await,
        };
        match opened {
            Ok(stream) => Ok(Some(StreamingBlob::wrap(stream))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(fault::internal(&error)),
        }
    }
}

async fn open_edition(edition: &Edition, range: Range<u64>) -> io::Result<Bytestream> {
    let head = &edition.object.head;
    let cut = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(head.len());
    let first = head.slice(cut(range.start)..cut(range.end));
    let first = futures::stream::iter((!first.is_empty()).then_some(Ok(first)));
    let head_len = head.len() as u64;
    let (from, to) = (range.start.saturating_sub(head_len), range.end.saturating_sub(head_len));
    let Some(path) = edition.object.file.as_ref().filter(|_| from < to) else {
        return Ok(Box::pin(first));
    };
    let mut file = tokio::fs::File::open(path).await?;
    file.seek(io::SeekFrom::Start(from)).await?;
    Ok(Box::pin(first.chain(ReaderStream::new(file.take(to - from)))))
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use futures::TryStreamExt as _;

    use super::*;
    use crate::s3::blobs::Segment;
    use crate::s3::published::PublishedObject;

    fn stored(parts: &[u64]) -> Found {
        let segments =
            parts.iter().map(|size| Segment { name: format!("p{size}"), size: *size }).collect();
        let size = parts.iter().sum::<u64>().max(5);
        Found {
            etag: "aa".into(),
            size,
            modified: Timestamp::from_millis(0),
            version: None,
            attributes: Attributes::default(),
            content: Content::Stored(Blob { file: "f".into(), segments, size }),
        }
    }

    #[test]
    fn parts_are_what_was_uploaded_as_parts() {
        let multipart = stored(&[5, 3]);
        assert_eq!((multipart.parts(), multipart.part_range(2)), (Some(2), Some(5..8)));
        assert_eq!(multipart.part_range(3), None);
        let whole = stored(&[]);
        assert_eq!(
            (whole.parts(), whole.part_range(1), whole.part_range(2)),
            (None, Some(0..5), None)
        );
    }

    #[tokio::test]
    async fn a_published_object_is_its_head_and_then_its_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("agent");
        std::fs::write(&path, b"BINARY").unwrap();
        let edition = Edition {
            object: PublishedObject {
                content_type: "text/x-shellscript".into(),
                head: Bytes::from_static(b"#!sh\n"),
                file: Some(path),
            },
            file_len: 6,
            modified: SystemTime::UNIX_EPOCH,
        };
        for (range, expected) in
            [(0..11, "#!sh\nBINARY"), (3..7, "h\nBI"), (0..5, "#!sh\n"), (6..8, "IN")]
        {
            let stream = open_edition(&edition, range).await.unwrap();
            let pieces: Vec<Bytes> = stream.try_collect().await.unwrap();
            assert_eq!(pieces.concat(), expected.as_bytes());
        }
    }
}
