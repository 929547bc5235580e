//! The S3 service as the edge sees it: a request goes in, an answer in S3's own form comes out, always.
//!
//! Around `s3s`, which knows the protocol, this adds what it leaves to others: the shape of signatures is
//! checked first, every answer carries its request id, and every error a message and the resource.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body::Frame;
use http_body_util::BodyExt as _;
use s3s::{Body, S3Error};

use super::backend::Backend;
use super::blobs::StreamError;
use super::{claim, fault};
use crate::trace;

/// The S3 service: a `tower` service that never fails, cheap to clone.
#[derive(Clone)]
pub struct S3Service {
    inner: s3s::service::S3Service,
    backend: Backend,
}

impl S3Service {
    pub(super) fn new(inner: s3s::service::S3Service, backend: Backend) -> Self {
        Self { inner, backend }
    }

    pub(super) fn backend(&self) -> &Backend {
        &self.backend
    }

    /// Answers one request.
    pub async fn handle<B>(&self, request: Request<B>) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<StreamError>,
    {
        let about = About::of(&request);
        let query = request.uri().query().unwrap_or_default();
        if let Err(error) =
            claim::check(request.method(), request.uri().path(), query, request.headers())
        {
            let mut answer = about.finish(refusal(error)).await;
            if !request.body().is_end_stream() {
                close_after(&mut answer);
            }
            return answer;
        }
        let is_read = Arc::new(AtomicBool::new(false));
        let request =
            request.map(|body| Body::http_body_unsync(Watched::new(body, Arc::clone(&is_read))));
        let answer = match self.inner.call(request).await {
            Ok(answer) => answer,
            Err(error) => refusal(fault::internal(&*StreamError::from(error))),
        };
        let mut answer = about.finish(answer).await;
        if !is_read.load(Ordering::Relaxed) {
            close_after(&mut answer);
        }
        answer
    }
}

impl<B> tower::Service<Request<B>> for S3Service
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<StreamError>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move { Ok(service.handle(request).await) })
    }
}

/// Ends the connection with this answer. A client that is answered before it sent its body (it said
/// `Expect: 100-continue`) does not send it any more, and what it sends next would be taken for that body.
fn close_after(answer: &mut Response<Body>) {
    answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
}

/// A body that tells whether it was read to its end.
struct Watched<B> {
    body: Pin<Box<B>>,
    is_read: Arc<AtomicBool>,
}

impl<B: http_body::Body> Watched<B> {
    fn new(body: B, is_read: Arc<AtomicBool>) -> Self {
        is_read.store(body.is_end_stream(), Ordering::Relaxed);
        Self { body: Box::pin(body), is_read }
    }
}

impl<B> http_body::Body for Watched<B>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<StreamError>,
{
    type Data = Bytes;
    type Error = StreamError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, StreamError>>> {
        let polled = self.body.as_mut().poll_frame(context);
        if matches!(polled, Poll::Ready(None)) || self.body.is_end_stream() {
            self.is_read.store(true, Ordering::Relaxed);
        }
        polled.map_err(Into::into)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}

fn refusal(error: S3Error) -> Response<Body> {
    error.to_http_response().unwrap_or_else(|_| {
        let mut answer = Response::new(Body::empty());
        *answer.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        answer
    })
}

/// What an answer must know of its request.
struct About {
    method: Method,
    path: String,
    request_id: String,
}

/// The largest error body that is read to complete it. Ours have some hundred bytes.
const ERROR_BODY_MAX_BYTES: usize = 64 * 1024;

impl About {
    fn of<B>(request: &Request<B>) -> Self {
        let request_id = format!("{:016X}", rand::random::<u64>());
        trace::tell_request_id(&request_id);
        Self { method: request.method().clone(), path: request.uri().path().to_owned(), request_id }
    }

    async fn finish(self, answer: Response<Body>) -> Response<Body> {
        let mut answer = if answer.status().is_client_error() || answer.status().is_server_error() {
            self.complete_error(answer).await
        } else {
            answer
        };
        if answer.status() == StatusCode::NOT_MODIFIED {
            *answer.body_mut() = Body::empty();
            answer.headers_mut().remove(header::CONTENT_TYPE);
            answer.headers_mut().remove(header::CONTENT_LENGTH);
        }
        if let Ok(id) = HeaderValue::try_from(&self.request_id) {
            answer.headers_mut().insert("x-amz-id-2", id.clone());
            answer.headers_mut().insert("x-amz-request-id", id);
        }
        answer
    }

    async fn complete_error(&self, answer: Response<Body>) -> Response<Body> {
        let (mut head, body) = answer.into_parts();
        let limited = http_body_util::Limited::new(body, ERROR_BODY_MAX_BYTES);
        let written = limited.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        let written = String::from_utf8_lossy(&written);
        let code = element(&written, "Code").unwrap_or("InternalError");
        let message = element(&written, "Message").unwrap_or_else(|| fault::default_message(code));
        let text = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message>\
             <Resource>{}</Resource><RequestId>{id}</RequestId><HostId>{id}</HostId></Error>",
            escaped(&self.path),
            id = self.request_id,
        );
        head.headers.remove(header::CONTENT_LENGTH);
        head.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
        // An answer to HEAD has no body; its length would be that of a body nobody sends.
        let body = if self.method == Method::HEAD { Body::empty() } else { Body::from(text) };
        Response::from_parts(head, body)
    }
}

/// The text of the first element of this name, as it stands in the document.
fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let start = xml.find(&format!("<{name}>"))? + name.len() + 2;
    let len = xml[start..].find(&format!("</{name}>"))?;
    Some(&xml[start..start + len])
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn finished(method: Method, answer: Response<Body>) -> (http::response::Parts, String) {
        let about = About { method, path: "/b/k&l".to_owned(), request_id: "17".to_owned() };
        let (head, body) = about.finish(answer).await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (head, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn an_error_without_a_message_gets_one() {
        let bare = S3Error::new(s3s::S3ErrorCode::NoSuchKey);
        let (head, body) = finished(Method::GET, refusal(bare)).await;
        assert_eq!(head.status, 404);
        assert_eq!(head.headers["x-amz-request-id"], "17");
        assert!(body.contains("<Message>The specified key does not exist.</Message>"), "{body}");
        assert!(
            body.contains("<Resource>/b/k&amp;l</Resource><RequestId>17</RequestId>"),
            "{body}"
        );
    }

    #[tokio::test]
    async fn a_message_stays_as_it_was_escaped() {
        let error = fault::invalid_argument("a < b");
        let (_, body) = finished(Method::PUT, refusal(error)).await;
        assert!(body.contains("<Message>a &lt; b</Message>"), "{body}");
    }

    #[tokio::test]
    async fn an_answer_to_head_has_no_body() {
        let (head, body) = finished(Method::HEAD, refusal(fault::no_such_key())).await;
        assert_eq!((head.status.as_u16(), body.as_str()), (404, ""));
    }

    #[tokio::test]
    async fn not_modified_has_neither_body_nor_type() {
        let (head, body) =
            finished(Method::GET, refusal(fault::known(s3s::S3ErrorCode::NotModified))).await;
        assert_eq!((head.status.as_u16(), body.as_str()), (304, ""));
        assert!(!head.headers.contains_key(header::CONTENT_TYPE));
    }
}
