//! Bodies, in and out.

use std::time::Duration;

use bytes::Bytes;
use http_body::Body as _;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
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

/// Reads a whole body of at most [`BODY_MAX_BYTES`].
pub async fn read(body: Incoming) -> Result<Bytes, ReadError> {
    // A declared length is refused before the caller sends it: with `Expect: 100-continue` nothing is wasted.
    if body.size_hint().lower() > BODY_MAX_BYTES as u64 {
        return Err(ReadError::TooLarge);
    }
    let limited = Limited::new(body, BODY_MAX_BYTES);
    match tokio::time::timeout(BODY_READ_MAX, limited.collect()).await {
        Err(_elapsed) => Err(ReadError::TooSlow),
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(ReadError::TooLarge),
        Ok(Err(error)) => Err(ReadError::Broken(error)),
    }
}
