//! Fetching archives: from S3 and from GitHub, streamed to a file.

use std::fs::OpenOptions;
use std::io::Write;
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;
use std::time::Duration;

use camino::Utf8Path;
use http::{Request, Response, Uri, header};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use tokio::sync::mpsc;
use wire::sigv4;

use super::BundleError;
use crate::clock;
use crate::credentials::Source;
use crate::http::{Client, host_header};
use crate::spec::{ArchiveType, Token, chain};

/// How long the storage may take for its answer's head, and between two pieces of the body.
const PATIENCE: Duration = Duration::from_secs(60);
/// Pauses before S3 is tried again. Source: official agent, through its SDK.
const S3_RETRIES: [u64; 3] = [300, 600, 1200];
/// Pauses before GitHub is tried again. Source: official agent.
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

impl Sources {
    /// Gets an object into a file.
    ///
    /// # Errors
    /// S3 refuses, cannot be reached after some tries, or has another object than the one meant; or the disk is full.
    pub async fn s3(&self, object: &Object<'_>, to: &Utf8Path) -> Result<(), BundleError> {
        for pause in S3_RETRIES {
            match self.s3_once(object, to).await {
                Err(error) if is_passing(&error) => {
                    tracing::warn!(error = chain(&error), "trying again");
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                }
                other => return other,
            }
        }
        self.s3_once(object, to).await
    }

    async fn s3_once(&self, object: &Object<'_>, to: &Utf8Path) -> Result<(), BundleError> {
        let what = format!("s3://{}/{}", object.bucket, object.key);
        let broken = |reason: String| BundleError::Transport { what: what.clone(), reason };
        let url = self.object_url(object);
        let uri: Uri = url.parse().map_err(|error| broken(format!("{url}: {error}")))?;
        let request = self.signed(&uri).await.map_err(broken)?;
        let answer = self.client.open(request, PATIENCE).await;
        let answer = answer.map_err(|error| {
            broken(format!("{}. Try using s3 endpoint override.", chain(&error)))
        })?;
        if !answer.status().is_success() {
            return Err(s3_refusal(what, answer).await);
        }
        check_etag(object.etag, &answer)?;
        save(&what, answer, to).await
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

    async fn signed(&self, uri: &Uri) -> Result<Request<Full<Bytes>>, String> {
        let host = host_header(uri).map_err(|error| error.to_string())?;
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        let headers: [(&str, &[u8]); 1] = [("host", host.as_bytes())];
        let mut request =
            Request::get(uri.clone()).header("host", &host).header("user-agent", crate::VERSION);
        if let Some(source) = &self.credentials {
            let credentials = source.get().await.map_err(|error| chain(&error))?;
            let unsigned = sigv4::Request { method: "GET", target, headers: &headers };
            let scope = sigv4::Scope { region: &self.region, service: "s3" };
            let now = clock::now_millis().div_euclid(1000);
            let hash = sigv4::payload_hash(b"");
            for (name, value) in sigv4::sign(&unsigned, &credentials, scope, now, &hash) {
                request = request.header(name, value);
            }
        }
        request.body(Full::new(Bytes::new())).map_err(|error| error.to_string())
    }

    /// Gets a commit's archive into a file.
    ///
    /// # Errors
    /// GitHub cannot be reached, or answers errors each time; or the disk is full.
    pub async fn github(&self, commit: &Commit<'_>, to: &Utf8Path) -> Result<(), BundleError> {
        let format = if commit.kind == ArchiveType::Zip { "zipball" } else { "tarball" };
        let [account, repository, id] =
            [commit.account, commit.repository, commit.commit].map(|part| encoded(part, b""));
        let base = self.github.trim_end_matches('/');
        let url = format!("{base}/repos/{account}/{repository}/{format}/{id}");
        let mut codes = Vec::new();
        for pause in GITHUB_RETRIES.into_iter().map(Some).chain([None]) {
            let answer = self.following(&url, commit.token).await?;
            if answer.status().is_success() {
                return save(&url, answer, to).await;
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
    ) -> Result<Response<Incoming>, BundleError> {
        let broken = |reason: String| BundleError::Transport { what: url.to_owned(), reason };
        let first: Uri = url.parse().map_err(|error| broken(format!("{error}")))?;
        let mut next = first.clone();
        for _ in 0..REDIRECTS_MAX {
            let mut request = Request::get(next.clone()).header(header::USER_AGENT, crate::VERSION);
            // The token is GitHub's: whoever it sends us on to does not get it.
            if let Some(token) = token.filter(|_| next.authority() == first.authority()) {
                request = request.header(header::AUTHORIZATION, format!("token {}", token.0));
            }
            let request = request.body(Full::new(Bytes::new()));
            let request = request.map_err(|error| broken(error.to_string()))?;
            let answer = self.client.open(request, PATIENCE).await;
            let answer = answer.map_err(|error| broken(chain(&error)))?;
            let place =
                answer.headers().get(header::LOCATION).and_then(|place| place.to_str().ok());
            match place.filter(|_| answer.status().is_redirection()) {
                Some(place) => next = place.parse().map_err(|error| broken(format!("{error}")))?,
                None => return Ok(answer),
            }
        }
        Err(broken("it redirects for ever".to_owned()))
    }
}

fn is_passing(error: &BundleError) -> bool {
    match error {
        BundleError::Transport { .. } => true,
        BundleError::Refused { status, .. } => *status >= 500 || *status == 429,
        _ => false,
    }
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
    let bare = |etag: &str| etag.replace('"', "");
    if bare(expected) == bare(found) {
        return Ok(());
    }
    Err(BundleError::ETag { expected: bare(expected), found: found.to_owned() })
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

/// Writes an answer's body to a file, on a thread of its own so that a slow disk does not stop everything else.
async fn save(what: &str, answer: Response<Incoming>, to: &Utf8Path) -> Result<(), BundleError> {
    let broken = |reason: String| BundleError::Transport { what: what.to_owned(), reason };
    let (pieces, mut received) = mpsc::channel::<Bytes>(4);
    let path = to.to_owned();
    let writer = tokio::task::spawn_blocking(move || {
        let mut options = OpenOptions::new();
        let options = options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(&path).map_err(BundleError::host("write", &path))?;
        while let Some(piece) = received.blocking_recv() {
            file.write_all(&piece).map_err(BundleError::host("write", &path))?;
        }
        Ok(())
    });
    let mut body = answer.into_body();
    let mut outcome = Ok(());
    loop {
        let frame = match tokio::time::timeout(PATIENCE, body.frame()).await {
            Ok(None) => break,
            Ok(Some(Ok(frame))) => frame,
            Ok(Some(Err(error))) => {
                outcome = Err(broken(error.to_string()));
                break;
            }
            Err(_) => {
                outcome = Err(broken(format!("nothing came for {} s", PATIENCE.as_secs())));
                break;
            }
        };
        if let Ok(piece) = frame.into_data()
            && pieces.send(piece).await.is_err()
        {
            // The writer is gone: it says why.
            break;
        }
    }
    drop(pieces);
    let written = writer.await.map_err(|error| broken(error.to_string()))?;
    written.and(outcome)
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
