//! Asking for archives: of S3 and of GitHub.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::uri::Authority;
use http::{Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use wire::sigv4;

use super::BundleError;
use crate::clock;
use crate::credentials::Source;
use crate::http::{Client, host_header};
use crate::spec::{ArchiveType, Token, chain};

/// How long the storage may take for its answer's head, and between two pieces of the body.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);
/// Asks for the checksums that S3 has of an object. Source: S3 API reference, `GetObject`.
const CHECKSUM_MODE: (&str, &[u8]) = ("x-amz-checksum-mode", b"ENABLED");
/// Pauses in milliseconds before GitHub is tried again. Source: official agent.
const GITHUB_RETRIES: [u64; 3] = [10_000, 30_000, 90_000];
/// Redirects followed, at most.
const REDIRECTS_MAX: usize = 5;
/// The part of an error's text that is kept.
const ERROR_BYTES_MAX: usize = 64 * 1024;

/// Where archives come from.
#[derive(Debug)]
pub struct Sources {
    /// The client, with its proxy.
    pub client: Client,
    /// The region to sign for.
    pub region: String,
    /// The DNS domain of S3 where there is no endpoint of its own.
    pub domain: String,
    /// The URL of S3, if it is not the region's.
    pub s3_endpoint: Option<String>,
    /// Whether the bucket goes into the path; found out where absent.
    pub path_style: Option<bool>,
    /// The base of GitHub's API.
    pub github: String,
    /// Credentials for S3; requests are not signed where absent.
    pub credentials: Option<Arc<Source>>,
}

/// An object of S3.
#[derive(Debug, Clone, Copy)]
pub struct Object<'a> {
    pub bucket: &'a str,
    pub key: &'a str,
    pub version: Option<&'a str>,
    /// What the object's eTag must be, if that is known.
    pub etag: Option<&'a str>,
}

/// A commit of GitHub.
#[derive(Debug, Clone, Copy)]
pub struct Commit<'a> {
    pub account: &'a str,
    pub repository: &'a str,
    pub commit: &'a str,
    pub kind: ArchiveType,
    pub token: Option<&'a Token>,
}

/// What is fetched.
#[derive(Debug, Clone, Copy)]
pub enum Remote<'a> {
    S3(Object<'a>),
    GitHub(Commit<'a>),
}

/// How much of it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ask<'a> {
    All,
    /// All, unless it is still the object with this eTag.
    Unless {
        etag: &'a str,
    },
    /// The rest, from this byte on, if it is still the object with this eTag.
    From {
        offset: u64,
        etag: &'a str,
    },
}

impl Ask<'_> {
    fn headers(&self) -> Vec<(header::HeaderName, String)> {
        match self {
            Self::All => Vec::new(),
            Self::Unless { etag } => vec![(header::IF_NONE_MATCH, format!("\"{etag}\""))],
            Self::From { offset, etag } => vec![
                (header::RANGE, format!("bytes={offset}-")),
                (header::IF_MATCH, format!("\"{etag}\"")),
            ],
        }
    }

    /// Whether the status is an answer to this, though no success.
    fn admits(&self, status: StatusCode) -> bool {
        match self {
            Self::All => false,
            Self::Unless { .. } => status == StatusCode::NOT_MODIFIED,
            Self::From { .. } => {
                [StatusCode::PRECONDITION_FAILED, StatusCode::RANGE_NOT_SATISFIABLE]
                    .contains(&status)
            }
        }
    }
}

impl fmt::Display for Remote<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::S3(Object { bucket, key, .. }) => write!(f, "s3://{bucket}/{key}"),
            Self::GitHub(Commit { account, repository, commit, .. }) => {
                write!(f, "commit {commit} of {account}/{repository} from GitHub")
            }
        }
    }
}

impl Sources {
    /// Asks for something; the answer is a success or one that [`Ask`] admits.
    ///
    /// # Errors
    /// The storage refuses, cannot be reached, or has another object than the one meant.
    pub(super) async fn open(
        &self,
        remote: &Remote<'_>,
        ask: &Ask<'_>,
    ) -> Result<Response<Incoming>, BundleError> {
        match remote {
            Remote::S3(object) => self.s3(object, ask).await,
            Remote::GitHub(commit) => self.github(commit, ask).await,
        }
    }

    async fn s3(
        &self,
        object: &Object<'_>,
        ask: &Ask<'_>,
    ) -> Result<Response<Incoming>, BundleError> {
        let what = Remote::S3(*object).to_string();
        let broken = |reason: String| BundleError::Transport { what: what.clone(), reason };
        let url = self.object_url(object);
        let uri: Uri = url.parse().map_err(|error| broken(format!("{url}: {error}")))?;
        let request = self.signed(&uri, ask).await.map_err(broken)?;
        let answer = self.client.open(request, PATIENCE).await;
        let answer = answer.map_err(|error| {
            broken(format!("{}. Try using s3 endpoint override.", chain(&error)))
        })?;
        if ask.admits(answer.status()) {
            return Ok(answer);
        }
        if !answer.status().is_success() {
            return Err(s3_refusal(what, answer).await);
        }
        check_etag(object.etag, &answer)?;
        Ok(answer)
    }

    /// The object's URL: the bucket in the host name, or in the path where that name would not work.
    fn object_url(&self, object: &Object<'_>) -> String {
        let usual = format!("https://s3.{}.{}", self.region, self.domain);
        let endpoint = self.s3_endpoint.as_deref().unwrap_or(&usual).trim_end_matches('/');
        let (scheme, host) = endpoint.split_once("://").unwrap_or(("https", endpoint));
        let bare = host.rsplit_once(':').map_or(host, |(bare, _)| bare);
        let is_address =
            host.starts_with('[') || bare.parse::<IpAddr>().is_ok() || bare == "localhost";
        let path_style = self.path_style.unwrap_or(is_address || object.bucket.contains('.'));
        let key = encoded(object.key, b"/");
        let version = object
            .version
            .map(|version| format!("?versionId={}", encoded(version, b"")))
            .unwrap_or_default();
        let bucket = encoded(object.bucket, b"");
        match path_style {
            true => format!("{scheme}://{host}/{bucket}/{key}{version}"),
            false => format!("{scheme}://{bucket}.{host}/{key}{version}"),
        }
    }

    async fn signed(&self, uri: &Uri, ask: &Ask<'_>) -> Result<Request<Full<Bytes>>, String> {
        let host = host_header(uri).map_err(|error| error.to_string())?;
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        // S3 wants its own headers signed.
        let headers: [(&str, &[u8]); 2] = [("host", host.as_bytes()), CHECKSUM_MODE];
        let mut request = Request::get(uri.clone()).header(header::USER_AGENT, crate::VERSION);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        for (name, value) in ask.headers() {
            request = request.header(name, value);
        }
        if let Some(source) = &self.credentials {
            let credentials = source.get().await.map_err(|error| chain(&error))?;
            let unsigned = sigv4::Request { method: "GET", target, headers: &headers };
            let scope = sigv4::Scope { region: &self.region, service: "s3" };
            let now = clock::service_seconds();
            let hash = sigv4::payload_hash(b"");
            for (name, value) in sigv4::sign(&unsigned, &credentials, scope, now, &hash) {
                request = request.header(name, value);
            }
        }
        request.body(Full::new(Bytes::new())).map_err(|error| error.to_string())
    }

    async fn github(
        &self,
        commit: &Commit<'_>,
        ask: &Ask<'_>,
    ) -> Result<Response<Incoming>, BundleError> {
        let format = if commit.kind == ArchiveType::Zip { "zipball" } else { "tarball" };
        let [account, repository, id] =
            [commit.account, commit.repository, commit.commit].map(|part| encoded(part, b""));
        let base = self.github.trim_end_matches('/');
        let url = format!("{base}/repos/{account}/{repository}/{format}/{id}");
        let mut codes = Vec::new();
        for pause in GITHUB_RETRIES.into_iter().map(Some).chain([None]) {
            let answer = self.following(&url, commit.token, ask).await?;
            if answer.status().is_success() || ask.admits(answer.status()) {
                return Ok(answer);
            }
            let reason = answer.status().canonical_reason().unwrap_or_default();
            codes.push(format!("{} '{reason}'", answer.status().as_u16()));
            if let Some(pause) = pause {
                tokio::time::sleep(Duration::from_millis(pause)).await;
            }
        }
        Err(BundleError::GitHub { url, retries: GITHUB_RETRIES.len(), codes: codes.join("; ") })
    }

    async fn following(
        &self,
        url: &str,
        token: Option<&Token>,
        ask: &Ask<'_>,
    ) -> Result<Response<Incoming>, BundleError> {
        let broken = |reason: String| BundleError::Transport { what: url.to_owned(), reason };
        let first: Uri = url.parse().map_err(|error| broken(format!("{error}")))?;
        let mut next = first.clone();
        for _ in 0..REDIRECTS_MAX {
            let mut request = Request::get(next.clone()).header(header::USER_AGENT, crate::VERSION);
            // The token is GitHub's: whoever it sends us on to does not get it.
            let is_first = next.authority() == first.authority() && next.scheme() == first.scheme();
            if let Some(token) = token.filter(|_| is_first) {
                request = request.header(header::AUTHORIZATION, format!("token {}", token.0));
            }
            for (name, value) in ask.headers() {
                request = request.header(name, value);
            }
            let request = request.body(Full::new(Bytes::new()));
            let request = request.map_err(|error| broken(error.to_string()))?;
            let answer = self.client.open(request, PATIENCE).await;
            let answer = answer.map_err(|error| broken(chain(&error)))?;
            let place =
                answer.headers().get(header::LOCATION).and_then(|place| place.to_str().ok());
            match place.filter(|_| answer.status().is_redirection()) {
                Some(place) => next = redirected(&next, place).map_err(broken)?,
                None => return Ok(answer),
            }
        }
        Err(broken("it redirects for ever".to_owned()))
    }
}

/// Where an answer sends us on to: a URL, or a part of one that the rest of `from` completes. Source: RFC 9110, `Location`.
fn redirected(from: &Uri, place: &str) -> Result<Uri, String> {
    let (scheme, authority) = (from.scheme_str(), from.authority().map(Authority::as_str));
    let (scheme, authority) = (scheme.unwrap_or_default(), authority.unwrap_or_default());
    let beside = from.path().rsplit_once('/').map_or("", |(directory, _)| directory);
    let is_whole = place.split_once("://").is_some_and(|(scheme, _)| !scheme.contains(['/', '?']));
    let whole = if is_whole {
        place.to_owned()
    } else if place.starts_with("//") {
        format!("{scheme}:{place}")
    } else if place.starts_with('/') {
        format!("{scheme}://{authority}{place}")
    } else {
        format!("{scheme}://{authority}{beside}/{place}")
    };
    let next: Uri = whole.parse().map_err(|error| format!("{whole}: {error}"))?;
    // What comes without TLS can be anybody's, and there is nothing to check it by.
    if scheme == "https" && next.scheme_str() != Some("https") {
        return Err(format!("it redirects to {whole}, which is without TLS"));
    }
    Ok(next)
}

/// Percent-encodes all but letters, digits, `-._~` and the bytes in `keep`. Source: Signature Version 4 reference.
fn encoded(text: &str, keep: &[u8]) -> String {
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || keep.contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn check_etag(expected: Option<&str>, answer: &Response<Incoming>) -> Result<(), BundleError> {
    let Some(expected) = expected else { return Ok(()) };
    let found = answer.headers().get(header::ETAG).and_then(|value| value.to_str().ok());
    let found = found.unwrap_or_default();
    if bare(expected) == bare(found) {
        return Ok(());
    }
    Err(BundleError::ETag { expected: bare(expected), found: found.to_owned() })
}

/// An eTag without its quotation marks.
pub(super) fn bare(etag: &str) -> String {
    etag.replace('"', "")
}

async fn s3_refusal(what: String, answer: Response<Incoming>) -> BundleError {
    let status = answer.status().as_u16();
    let body = http_body_util::Limited::new(answer.into_body(), ERROR_BYTES_MAX).collect().await;
    let body = body.map(|body| body.to_bytes()).unwrap_or_default();
    let text = String::from_utf8_lossy(&body);
    let element = |name: &str| {
        let rest = text.split_once(&format!("<{name}>"))?.1;
        Some(rest.split_once("</")?.0.to_owned())
    };
    let code = element("Code").unwrap_or_else(|| "UnknownError".to_owned());
    let message = element("Message").unwrap_or_else(|| "the storage refused".to_owned());
    BundleError::Refused { what, status, code, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(endpoint: Option<&str>, path_style: Option<bool>, object: &Object<'_>) -> String {
        let sources = Sources {
            client: Client::default(),
            region: "eu-west-1".to_owned(),
            domain: "amazonaws.com".to_owned(),
            s3_endpoint: endpoint.map(str::to_owned),
            path_style,
            github: String::new(),
            credentials: None,
        };
        sources.object_url(object)
    }

    #[test]
    fn a_redirection_is_completed_and_does_not_lead_out_of_tls() {
        let from: Uri = "https://git.test:8443/api/repos/a?x=y".parse().unwrap();
        let to = |place: &str| redirected(&from, place).map(|next| next.to_string());
        for (place, expected) in [
            ("https://load.test/a?token=t", "https://load.test/a?token=t"),
            ("//load.test/a", "https://load.test/a"),
            ("/b/c?d=://e", "https://git.test:8443/b/c?d=://e"),
            ("b?c", "https://git.test:8443/api/repos/b?c"),
        ] {
            assert_eq!(to(place).as_deref(), Ok(expected), "{place}");
        }
        assert!(to("http://load.test/a").unwrap_err().contains("without TLS"));
        let plain: Uri = "http://git.test/a".parse().unwrap();
        assert!(redirected(&plain, "http://load.test/a").is_ok());
    }

    #[test]
    fn the_bucket_goes_where_it_works() {
        let object = Object { bucket: "b", key: "a b/ü.zip", version: Some("x=y"), etag: None };
        assert_eq!(
            url(None, None, &object),
            "https://b.s3.eu-west-1.amazonaws.com/a%20b/%C3%BC.zip?versionId=x%3Dy"
        );
        assert_eq!(
            url(Some("http://10.1.2.1:7400/"), None, &object),
            "http://10.1.2.1:7400/b/a%20b/%C3%BC.zip?versionId=x%3Dy"
        );
        let dotted = Object { bucket: "my.b", version: None, ..object };
        assert_eq!(
            url(Some("https://s3.test"), None, &dotted),
            "https://s3.test/my.b/a%20b/%C3%BC.zip"
        );
        assert!(
            url(Some("https://s3.test"), Some(false), &dotted).starts_with("https://my.b.s3.test/")
        );
    }
}
