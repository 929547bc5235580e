//! Getting an object whole over connections that break: each goes on where the last one ended, if the object is still the same.

use std::time::Duration;

use http::{HeaderMap, Response, StatusCode, header};
use http_body_util::BodyExt;
use hyper::body::{Bytes, Incoming};
use tokio::sync::mpsc;

use super::BundleError;
use super::fetch::{Ask, PATIENCE, Remote, Sources, bare};
use super::kept;
use super::spool::{Arriving, Expected};
use crate::spec::chain;

/// Pauses before another try, in milliseconds. Source: official agent, through its SDK.
const PAUSES: [u64; 3] = [300, 600, 1200];
/// What must have come for the tries to be counted anew: a storage that breaks off after each byte is given up.
const PROGRESS_BYTES: u64 = 1 << 20;

/// One object on its way.
pub(super) struct Transfer<'a> {
    sources: &'a Sources,
    remote: Remote<'a>,
    to: mpsc::Sender<Arriving>,
    /// Bytes that are there already.
    have: u64,
    /// The eTag of the object that they are of; without one nothing can be gone on with.
    etag: Option<String>,
    /// The eTag of a bundle on the host that may be the object as it is now.
    unless: Option<String>,
    expected: Expected,
}

/// How a transfer ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// All is there, of the object with this eTag.
    Whole { etag: String },
    /// The object is the one that is on the host already.
    Unchanged,
    /// What is there is of no use: the object is another one now, or cannot be gone on with.
    Again,
    /// Nobody takes what comes; whoever should says why.
    Refused,
}

impl<'a> Transfer<'a> {
    /// A transfer from the beginning, unless the object is the one with the eTag `unless`.
    pub fn new(
        sources: &'a Sources,
        remote: Remote<'a>,
        to: mpsc::Sender<Arriving>,
        unless: Option<String>,
    ) -> Self {
        let expected = Expected::default();
        Self { sources, remote, to, have: 0, etag: None, unless, expected }
    }

    /// Goes on with an earlier one, of which this much is there.
    #[must_use]
    pub fn going_on(self, have: u64, etag: String) -> Self {
        Self { have, etag: Some(etag), unless: None, ..self }
    }

    /// Transfers the object.
    ///
    /// # Errors
    /// The storage refuses, or breaks off again and again with nothing coming between.
    pub async fn run(mut self) -> Result<Ended, BundleError> {
        let (mut tries, mut mark) = (0, self.have);
        loop {
            let error = match self.connection().await {
                Err(error) if is_passing(&error) => error,
                other => return other,
            };
            if self.have > 0 && self.etag.is_none() {
                tracing::warn!(error = chain(&error), "starting again: it cannot be gone on with");
                return Ok(Ended::Again);
            }
            if self.have - mark >= PROGRESS_BYTES {
                (tries, mark) = (0, self.have);
            }
            let Some(pause) = PAUSES.get(tries) else { return Err(self.given_up(error)) };
            tries += 1;
            tracing::warn!(error = chain(&error), bytes = self.have, "trying again");
            tokio::time::sleep(Duration::from_millis(*pause)).await;
        }
    }

    fn given_up(&self, error: BundleError) -> BundleError {
        let BundleError::Transport { what, reason } = error else { return error };
        let of = self.expected.length.map(|length| format!(" of {length}")).unwrap_or_default();
        let tries = PAUSES.len() + 1;
        let reason =
            format!("{reason} (given up after {tries} tries, with {}{of} bytes)", self.have);
        BundleError::Transport { what, reason }
    }

    /// Gets what one connection brings.
    async fn connection(&mut self) -> Result<Ended, BundleError> {
        let ask = match (&self.etag, &self.unless) {
            (Some(etag), _) if self.have > 0 => Ask::From { offset: self.have, etag },
            (_, Some(etag)) => Ask::Unless { etag },
            _ => Ask::All,
        };
        let answer = self.sources.open(&self.remote, &ask).await?;
        let skip = match answer.status() {
            StatusCode::NOT_MODIFIED => return Ok(Ended::Unchanged),
            StatusCode::PRECONDITION_FAILED | StatusCode::RANGE_NOT_SATISFIABLE => {
                return Ok(Ended::Again);
            }
            StatusCode::PARTIAL_CONTENT if starts_at(answer.headers()) == Some(self.have) => 0,
            StatusCode::PARTIAL_CONTENT => return Ok(Ended::Again),
            // The whole again, from a storage that knows no ranges.
            _ => self.have,
        };
        let etag = strong_etag(answer.headers());
        if self.have > 0 && etag != self.etag {
            return Ok(Ended::Again);
        }
        if self.have == 0 {
            self.begin(etag.clone(), &answer).await;
        }
        if !self.receive(answer, skip).await? {
            return Ok(Ended::Refused);
        }
        let end = Arriving::End(self.expected.clone());
        match self.to.send(end).await {
            Ok(()) => Ok(Ended::Whole { etag: etag.unwrap_or_default() }),
            Err(_) => Ok(Ended::Refused),
        }
    }

    async fn begin(&mut self, etag: Option<String>, answer: &Response<Incoming>) {
        self.expected = expected(answer.headers());
        if let Some(etag) = &etag {
            let label = kept::part_label(&self.remote, etag);
            // Nobody there to take it: that shows with the first piece.
            let _ = self.to.send(Arriving::Begin { label }).await;
        }
        self.etag = etag;
    }

    /// Hands the body on, but its first `skip` bytes; whether there is somebody to take it.
    async fn receive(
        &mut self,
        answer: Response<Incoming>,
        mut skip: u64,
    ) -> Result<bool, BundleError> {
        let what = self.remote.to_string();
        let broken = |reason: String| BundleError::Transport { what: what.clone(), reason };
        let mut body = answer.into_body();
        loop {
            let frame = match tokio::time::timeout(PATIENCE, body.frame()).await {
                Ok(None) => return Ok(true),
                Ok(Some(frame)) => frame.map_err(|error| broken(chain(&error)))?,
                Err(_) => return Err(broken(format!("nothing came for {} s", PATIENCE.as_secs()))),
            };
            let Ok(mut piece) = frame.into_data() else { continue };
            let known = usize::try_from(skip).unwrap_or(usize::MAX).min(piece.len());
            skip -= piece.split_to(known).len() as u64;
            if !piece.is_empty() && !self.hand_on(piece).await {
                return Ok(false);
            }
        }
    }

    async fn hand_on(&mut self, piece: Bytes) -> bool {
        self.have += piece.len() as u64;
        self.to.send(Arriving::Piece(piece)).await.is_ok()
    }
}

/// Whether another try may succeed.
pub(crate) fn is_passing(error: &BundleError) -> bool {
    match error {
        BundleError::Transport { .. } => true,
        BundleError::Refused { status, .. } => *status >= 500 || *status == 429,
        _ => false,
    }
}

/// What an answer says of the whole content. The checksum of a multipart upload is one of checksums (it ends with the number of
/// parts), and tells nothing of the content as it comes.
fn expected(headers: &HeaderMap) -> Expected {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let whole = text("x-amz-checksum-type").is_none_or(|kind| kind != "COMPOSITE");
    let checksum =
        |name: &str| text(name).filter(|value| whole && !value.contains('-')).map(str::to_owned);
    Expected {
        length: text(header::CONTENT_LENGTH.as_str()).and_then(|length| length.parse().ok()),
        sha256: checksum("x-amz-checksum-sha256"),
        crc32: checksum("x-amz-checksum-crc32"),
    }
}

/// The eTag, if the same one means the same bytes.
fn strong_etag(headers: &HeaderMap) -> Option<String> {
    let etag = headers.get(header::ETAG)?.to_str().ok()?;
    (!etag.starts_with("W/")).then(|| bare(etag)).filter(|etag| !etag.is_empty())
}

/// Where the content of an answer to a request for a part begins.
fn starts_at(headers: &HeaderMap) -> Option<u64> {
    let range = headers.get(header::CONTENT_RANGE)?.to_str().ok()?;
    range.strip_prefix("bytes ")?.split_once('-')?.0.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(list: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = list.iter().map(|(name, value)| {
            (header::HeaderName::from_static(name), header::HeaderValue::from_static(value))
        });
        pairs.collect()
    }

    #[test]
    fn only_checksums_of_the_whole_content_are_expected() {
        let of = |list: &[(&'static str, &'static str)]| expected(&headers(list));
        let whole = of(&[("content-length", "7"), ("x-amz-checksum-crc32", "AAAAAA==")]);
        assert_eq!((whole.length, whole.crc32.as_deref()), (Some(7), Some("AAAAAA==")));
        assert_eq!(of(&[("x-amz-checksum-sha256", "YWJj-2")]), Expected::default());
        let composite = [("x-amz-checksum-sha256", "YWJj"), ("x-amz-checksum-type", "COMPOSITE")];
        assert_eq!(of(&composite), Expected::default());
    }

    #[test]
    fn a_weak_etag_promises_no_bytes_and_a_range_says_where_it_begins() {
        assert_eq!(strong_etag(&headers(&[("etag", "\"a\"")])).as_deref(), Some("a"));
        assert_eq!(strong_etag(&headers(&[("etag", "W/\"a\"")])), None);
        assert_eq!(starts_at(&headers(&[("content-range", "bytes 5-9/10")])), Some(5));
        assert_eq!(starts_at(&headers(&[("content-range", "pages 5-9/10")])), None);
    }
}
