//! Bodies, in and out.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::Body as _;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;

/// Whatever goes wrong while a body streams.
pub type BodyError = Box<dyn std::error::Error + Send + Sync>;

/// The body of an answer: in memory, or streamed.
pub type Body = http_body_util::combinators::UnsyncBoxBody<Bytes, BodyError>;

/// An answer.
pub type Response = http::Response<Body>;

/// The most that a JSON or form request may carry. AWS documents no number; the largest useful request (100 targets
/// with tags) is far below.
pub const BODY_MAX_BYTES: usize = 1024 * 1024;

/// How long a caller may take to send such a body. Who is slower holds a connection for nothing.
const BODY_READ_MAX: Duration = Duration::from_secs(30);

/// Why a body could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// More than [`BODY_MAX_BYTES`].
    #[error("the request is larger than {BODY_MAX_BYTES} bytes")]
    TooLarge,
    /// Not sent in time.
    #[error("the request's body did not arrive within {} s", BODY_READ_MAX.as_secs())]
    TooSlow,
    /// The connection broke, or its framing is wrong.
    #[error("the request's body could not be read")]
    Broken(#[source] BodyError),
}

/// A body in memory.
pub fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// What is read and thrown away of a body that is too large. A caller that is still sending when the connection is
/// closed sees a broken pipe instead of the answer.
const DISCARDED_MAX_BYTES: usize = 16 * BODY_MAX_BYTES;

/// Reads a whole body of at most [`BODY_MAX_BYTES`]. `asks_first` says that the caller waits for a `100 Continue`
/// before it sends: then a declared length that is too large is refused before anything was sent.
pub async fn read(body: Incoming, asks_first: bool) -> Result<Bytes, ReadError> {
    if asks_first && body.size_hint().lower() > BODY_MAX_BYTES as u64 {
        return Err(ReadError::TooLarge);
    }
    tokio::time::timeout(BODY_READ_MAX, collect(body)).await.unwrap_or(Err(ReadError::TooSlow))
}

async fn collect(mut body: Incoming) -> Result<Bytes, ReadError> {
    let mut kept = BytesMut::new();
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|error| ReadError::Broken(error.into()))?.into_data() else {
            continue;
        };
        length += data.len();
        if length <= BODY_MAX_BYTES {
            kept.extend_from_slice(&data);
        } else if length > DISCARDED_MAX_BYTES {
            break;
        }
    }
    if length > BODY_MAX_BYTES { Err(ReadError::TooLarge) } else { Ok(kept.freeze()) }
}
