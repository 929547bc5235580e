//! The instance metadata service: what an instance can ask about itself at 169.254.169.254.
//!
//! [`tree`] is pure: facts and a path in, an answer out. [`session`] holds version 2's tokens. [`serve`] puts both
//! behind a socket that was opened inside the instance's own network, so that whoever connects *is* the instance.

pub mod session;
pub mod tree;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderMap, Method, StatusCode};
use hyper::body::Incoming;
use model::Timestamp;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::http::body::{self, Response};
use crate::http::{listen, respond};
use session::{TokenCheck, Tokens};
use tree::{Answer, Facts};

/// Looks up what the service tells: the instance as it is now, and credentials of its role.
pub trait Source: Send + Sync + 'static {
    /// The facts of the instance; `None` when it is being removed.
    fn facts(&self) -> impl Future<Output = Option<Facts>> + Send;
    /// Credentials of the role, good for hours; `None` when the instance's profile has no such role.
    fn credentials(&self, role: &str) -> impl Future<Output = Option<tree::Credentials>> + Send;
    /// The time.
    fn now(&self) -> Timestamp;
}

const TOKEN: &str = "x-aws-ec2-metadata-token";
const TOKEN_TTL: &str = "x-aws-ec2-metadata-token-ttl-seconds";
const TOKEN_PATH: &str = "/latest/api/token";

/// Answers on `listener` until `stopping` is cancelled.
pub async fn serve<S: Source>(listener: TcpListener, source: Arc<S>, stopping: CancellationToken) {
    let tokens = Arc::new(Tokens::default());
    let handle = move |request: http::Request<Incoming>, _peer: SocketAddr| {
        let (source, tokens) = (Arc::clone(&source), Arc::clone(&tokens));
        async move {
            answer(request.method(), request.uri().path(), request.headers(), &*source, &tokens)
                .await
        }
    };
    listen::serve(listener, handle, stopping).await;
}

async fn answer<S: Source>(
    method: &Method,
    path: &str,
    headers: &HeaderMap,
    source: &S,
    tokens: &Tokens,
) -> Response {
    // Source: EC2 user guide, "Use IMDSv2": a request that came through a proxy gets no token.
    if path == TOKEN_PATH {
        return if method != Method::PUT {
            not_allowed("PUT")
        } else if headers.contains_key("x-forwarded-for") {
            text(StatusCode::FORBIDDEN, String::new())
        } else {
            token(headers, source.now(), tokens)
        };
    }
    if method != Method::GET && method != Method::HEAD {
        return not_allowed("GET, HEAD");
    }
    let shown = headers.get(TOKEN).map(|token| token.to_str().unwrap_or_default());
    if tokens.check(shown, source.now()) == TokenCheck::Refused {
        return text(StatusCode::UNAUTHORIZED, String::new());
    }
    let Some(facts) = source.facts().await else {
        return text(StatusCode::NOT_FOUND, String::new());
    };
    match tree::look_up(&facts, path) {
        Answer::Text(found) => text(StatusCode::OK, found),
        Answer::Bytes(found) => bytes(found),
        Answer::Missing => text(StatusCode::NOT_FOUND, "Not Found\n".to_owned()),
        Answer::CredentialsOf(role) => match source.credentials(&role).await {
            Some(credentials) => {
                text(StatusCode::OK, tree::credentials_document(&credentials, source.now()))
            }
            None => text(StatusCode::NOT_FOUND, "Not Found\n".to_owned()),
        },
    }
}

fn token(headers: &HeaderMap, now: Timestamp, tokens: &Tokens) -> Response {
    let seconds = headers
        .get(TOKEN_TTL)
        .and_then(|ttl| ttl.to_str().ok())
        .and_then(|ttl| ttl.trim().parse().ok());
    match seconds.and_then(|seconds| tokens.issue(seconds, now)) {
        Some(issued) => {
            let mut response = text(StatusCode::OK, issued.token);
            response.headers_mut().insert(TOKEN_TTL, issued.seconds.into());
            response
        }
        None => text(StatusCode::BAD_REQUEST, String::new()),
    }
}

fn text(status: StatusCode, body: String) -> Response {
    let mut response = respond::with_status(status, body::full(body));
    response.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static("text/plain"));
    response
}

fn bytes(body: Vec<u8>) -> Response {
    let mut response = respond::with_status(StatusCode::OK, body::full(body));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, http::HeaderValue::from_static("application/octet-stream"));
    response
}

fn not_allowed(methods: &'static str) -> Response {
    let mut response = text(StatusCode::METHOD_NOT_ALLOWED, String::new());
    response.headers_mut().insert(ALLOW, http::HeaderValue::from_static(methods));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;

    impl Source for Fixed {
        async fn facts(&self) -> Option<Facts> {
            Some(tree::tests::facts())
        }

        async fn credentials(&self, role: &str) -> Option<tree::Credentials> {
            (role == "CodeDeployInstanceRole").then(tree::tests::credentials)
        }

        fn now(&self) -> Timestamp {
            Timestamp::from_millis(1_000_000)
        }
    }

    async fn ask(
        method: Method,
        path: &str,
        headers: &[(&'static str, &str)],
        tokens: &Tokens,
    ) -> (u16, String) {
        let headers = headers
            .iter()
            .map(|(k, v)| (http::HeaderName::from_static(k), v.parse().unwrap()))
            .collect();
        let response = answer(&method, path, &headers, &Fixed, tokens).await;
        let status = response.status().as_u16();
        let body = http_body_util::BodyExt::collect(response.into_body()).await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_token_opens_the_tree_and_a_wrong_one_does_not() {
        let tokens = Tokens::default();
        let (status, token) = ask(Method::PUT, TOKEN_PATH, &[(TOKEN_TTL, "60")], &tokens).await;
        assert_eq!(status, 200);
        let id = "/latest/meta-data/instance-id";
        let right = ask(Method::GET, id, &[(TOKEN, &token)], &tokens).await;
        assert_eq!(right, (200, "i-0123456789abcdef0".to_owned()));
        assert_eq!(ask(Method::GET, id, &[(TOKEN, "guess")], &tokens).await.0, 401);
        assert_eq!(ask(Method::GET, id, &[], &tokens).await.0, 200, "version 1 needs no token");
    }

    #[tokio::test]
    async fn tokens_have_rules() {
        let tokens = Tokens::default();
        for ttl in ["0", "21601", "x"] {
            assert_eq!(
                ask(Method::PUT, TOKEN_PATH, &[(TOKEN_TTL, ttl)], &tokens).await.0,
                400,
                "{ttl}"
            );
        }
        assert_eq!(ask(Method::PUT, TOKEN_PATH, &[], &tokens).await.0, 400);
        let forwarded = [(TOKEN_TTL, "60"), ("x-forwarded-for", "10.0.0.1")];
        assert_eq!(ask(Method::PUT, TOKEN_PATH, &forwarded, &tokens).await.0, 403);
        assert_eq!(ask(Method::GET, TOKEN_PATH, &[], &tokens).await.0, 405);
        assert_eq!(ask(Method::DELETE, "/latest/meta-data/", &[], &tokens).await.0, 405);
    }

    #[tokio::test]
    async fn credentials_are_those_of_the_profiles_role_only() {
        let tokens = Tokens::default();
        let path = "/latest/meta-data/iam/security-credentials/";
        assert_eq!(
            ask(Method::GET, path, &[], &tokens).await,
            (200, "CodeDeployInstanceRole".to_owned())
        );
        let (status, body) =
            ask(Method::GET, &format!("{path}CodeDeployInstanceRole"), &[], &tokens).await;
        assert!(status == 200 && body.contains("\"Code\" : \"Success\""), "{body}");
        assert_eq!(ask(Method::GET, &format!("{path}Another"), &[], &tokens).await.0, 404);
    }
}
