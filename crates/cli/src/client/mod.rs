//! A server as the operator's commands ask it: by the public API, signed like anybody's requests.

mod error;
mod ini;
mod operation;
mod s3;
mod settings;
mod way;

use std::time::Duration;

use anyhow::Context;
use http::Request;
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::ResponseFuture;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use wire::Call;
use wire::sigv4::{self, Credentials};

use way::Way;

pub use error::{CallError, settings_advice};
pub use ini::Sections;
pub use operation::Named;
pub use s3::{Object, S3};
pub use settings::{Given, Keys, Settings, SettingsError, Sources};

/// How long an answer may take: longer than any operation holds a request open.
const PATIENCE: Duration = Duration::from_secs(60);
/// The largest answer that is read.
const ANSWER_MAX: usize = 64 << 20;
/// How often a call that may succeed later is tried, and the pause before the second try, which doubles.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_millis(200);

/// A client of one server.
pub struct Client {
    http: HttpsClient,
    pub settings: Settings,
    credentials: Credentials,
}

/// Exchanges requests and answers, by TLS where the URL says so, and through the proxies that the environment names.
#[derive(Clone)]
pub struct HttpsClient {
    inner: hyper_util::client::legacy::Client<HttpsConnector<Way>, Full<bytes::Bytes>>,
    way: Way,
}

impl HttpsClient {
    /// A client that trusts the machine's certificate authorities.
    ///
    /// # Errors
    /// There is no TLS to be had.
    pub fn new() -> anyhow::Result<Self> {
        let tls = rustls::ClientConfig::builder_with_provider(
            rustls::crypto::ring::default_provider().into(),
        )
        .with_safe_default_protocol_versions()?
        .with_root_certificates(authorities())
        .with_no_client_auth();
        let way = Way::new(|name| std::env::var(name).ok());
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(way.clone());
        let inner =
            hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { inner, way })
    }

    /// Sends a request; the answer comes with its body still to be read.
    pub fn request(&self, mut request: Request<Full<bytes::Bytes>>) -> ResponseFuture {
        if let Some(value) = self.way.authorization(request.uri()) {
            request.headers_mut().insert(http::header::PROXY_AUTHORIZATION, value);
        }
        self.inner.request(request)
    }
}

/// A whole answer.
pub struct Answer {
    pub status: u16,
    pub headers: http::HeaderMap,
    pub body: bytes::Bytes,
}

impl Answer {
    /// The value of a header, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl Client {
    /// A client as arguments, environment and files want it.
    ///
    /// # Errors
    /// A [`SettingsError`]; or a file or a command that gives credentials cannot be read.
    pub async fn new(given: &Given) -> anyhow::Result<Self> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let sources = Sources {
            variable: &variable,
            config: read_file("AWS_CONFIG_FILE", ".aws/config")?,
            credentials: read_file("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials")?,
        };
        let settings = Settings::resolve(given, &sources)?;
        let credentials = match &settings.keys {
            Keys::Static { access, secret, token, .. } => {
                Credentials::new(access, secret, token.clone())
            }
            Keys::Process { command, profile } => from_process(command)
                .await
                .with_context(|| format!("credential_process of profile `{profile}`"))?,
        };
        Ok(Self { http: HttpsClient::new()?, settings, credentials })
    }

    /// Calls an operation. What only reads is tried again where that may help; so is what the server was too busy for.
    ///
    /// # Errors
    /// The call failed.
    pub async fn call<I: Call>(&self, input: &I) -> Result<I::Output, CallError>
    where
        I::Operation: Named,
    {
        let operation = I::OPERATION;
        let unreadable = |reason: String| CallError::Unreadable {
            operation: operation.name().to_owned(),
            reason,
        };
        let body = serde_json::to_vec(input).map_err(|error| unreadable(error.to_string()))?;
        let answer =
            self.json(operation.service(), operation.name(), &operation.target(), body).await?;
        serde_json::from_value(answer).map_err(|error| unreadable(error.to_string()))
    }

    /// Calls an operation of a service that speaks AWS JSON.
    ///
    /// # Errors
    /// The call failed.
    pub async fn json(
        &self,
        service: &str,
        operation: &str,
        target: &str,
        body: Vec<u8>,
    ) -> Result<Value, CallError> {
        let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target)];
        let is_read = ["Get", "List", "BatchGet", "Describe", "Explain", "Plan"]
            .iter()
            .any(|verb| operation.starts_with(verb));
        let mut pause = PAUSE;
        for tried in 1.. {
            let outcome = self.send(service, "POST", "/", &headers, body.clone()).await;
            let outcome = outcome.and_then(|answer| error::json(operation, &answer));
            match outcome {
                Err(error)
                    if tried < TRIES
                        && (error.is_throttled() || (is_read && error.is_passing())) =>
                {
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                outcome => return outcome,
            }
        }
        unreachable!("the last try returns")
    }

    /// Who the server takes the caller for: the ARN.
    ///
    /// # Errors
    /// The call failed.
    pub async fn caller(&self) -> Result<String, CallError> {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let body = b"Action=GetCallerIdentity&Version=2011-06-15".to_vec();
        let answer = self.send("sts", "POST", "/", &headers, body).await?;
        error::xml("GetCallerIdentity", &answer)?;
        let text = String::from_utf8_lossy(&answer.body);
        let arn = text.split_once("<Arn>").and_then(|(_, rest)| rest.split_once("</Arn>"));
        Ok(arn.map_or_else(String::new, |(arn, _)| arn.to_owned()))
    }

    /// Sends a signed request to a service and reads the whole answer.
    ///
    /// # Errors
    /// No answer came; an answer with an error status is an answer.
    pub async fn send(
        &self,
        service: &str,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Answer, CallError> {
        let endpoint = self.settings.endpoint(service)?.to_owned();
        let url = |reason: String| CallError::Url { endpoint: endpoint.clone(), reason };
        let base: http::Uri =
            endpoint.parse().map_err(|error: http::uri::InvalidUri| url(error.to_string()))?;
        let host = host_header(&base).ok_or_else(|| url("it names no host".to_owned()))?;
        let target = format!("{}{target}", base.path().trim_end_matches('/'));
        let mut covered: Vec<(&str, &[u8])> = vec![("host", host.as_bytes())];
        covered.extend(headers.iter().map(|(name, value)| (*name, value.as_bytes())));
        let unsigned = sigv4::Request { method, target: &target, headers: &covered };
        let signing = if service == "cloudwatch" { "monitoring" } else { service };
        let scope = sigv4::Scope { region: &self.settings.region, service: signing };
        let now = jiff::Timestamp::now().as_second();
        let hash = sigv4::payload_hash(&body);
        let added = sigv4::sign(&unsigned, &self.credentials, scope, now, &hash);
        let scheme = base.scheme_str().unwrap_or("http");
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{scheme}://{host}{target}"))
            .header("user-agent", concat!("longshore/", env!("CARGO_PKG_VERSION")));
        for (name, value) in covered {
            request = request.header(name, value);
        }
        for (name, value) in added {
            request = request.header(name, value);
        }
        let request = request.body(Full::from(body)).map_err(|error| url(error.to_string()))?;
        self.exchange(&endpoint, request).await
    }

    /// Reads a path of the server without signing, such as `/-/healthz`.
    ///
    /// # Errors
    /// No answer came.
    pub async fn get_plain(&self, path: &str) -> Result<Answer, CallError> {
        let endpoint = self.settings.endpoint("codedeploy")?.to_owned();
        let request = Request::get(format!("{endpoint}{path}")).body(Full::default());
        let request = request.map_err(|error| CallError::Url {
            endpoint: endpoint.clone(),
            reason: error.to_string(),
        })?;
        self.exchange(&endpoint, request).await
    }

    async fn exchange(
        &self,
        endpoint: &str,
        request: Request<Full<bytes::Bytes>>,
    ) -> Result<Answer, CallError> {
        let timed_out = |_| CallError::TimedOut { endpoint: endpoint.to_owned(), after: PATIENCE };
        let unreachable = |source: anyhow::Error| CallError::Unreachable {
            endpoint: endpoint.to_owned(),
            source,
        };
        let answer = tokio::time::timeout(PATIENCE, self.http.request(request))
            .await
            .map_err(timed_out)?
            .map_err(|error| unreachable(error.into()))?;
        let (head, body) = answer.into_parts();
        let body = tokio::time::timeout(PATIENCE, Limited::new(body, ANSWER_MAX).collect())
            .await
            .map_err(timed_out)?
            .map_err(|error| unreachable(anyhow::anyhow!(error)))?;
        Ok(Answer { status: head.status.as_u16(), headers: head.headers, body: body.to_bytes() })
    }
}

/// The `Host` of a URL as every client signs it: with the port where it is not the scheme's own.
fn host_header(uri: &http::Uri) -> Option<String> {
    let host = uri.host()?;
    let own = if uri.scheme_str() == Some("https") { 443 } else { 80 };
    Some(match uri.port_u16() {
        Some(port) if port != own => format!("{host}:{port}"),
        _ => host.to_owned(),
    })
}

/// The machine's certificate authorities: `SSL_CERT_FILE` and `SSL_CERT_DIR` count.
fn authorities() -> rustls::RootCertStore {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(bundle) = std::env::var_os("AWS_CA_BUNDLE") {
        let found = rustls_native_certs::load_certs_from_paths(Some(bundle.as_ref()), None);
        roots.add_parsable_certificates(found.certs);
    }
    roots
}

/// One of the two files of the `aws` CLI; one that is not there says nothing.
fn read_file(variable: &str, below_home: &str) -> anyhow::Result<Sections> {
    let path = match (std::env::var_os(variable), std::env::var_os("HOME")) {
        (Some(named), _) => std::path::PathBuf::from(named),
        (None, Some(home)) => std::path::Path::new(&home).join(below_home),
        (None, None) => return Ok(Sections::default()),
    };
    match std::fs::read_to_string(&path) {
        Ok(text) => {
            Sections::parse(&text).map_err(|wrong| anyhow::anyhow!("{}: {wrong}", path.display()))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Sections::default()),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// What a `credential_process` prints. Source: AWS SDKs and Tools Reference Guide, "Process credential provider".
async fn from_process(command: &str) -> anyhow::Result<Credentials> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Printed {
        access_key_id: String,
        secret_access_key: String,
        session_token: Option<String>,
    }
    // The setting is a command line by definition, written by the user into their own file.
    let ran = tokio::process::Command::new("sh")
        .args(["-c", command])
        .stdin(std::process::Stdio::null())
        .stderr(std::process::Stdio::inherit())
        .output()
        .await
        .with_context(|| format!("cannot run `{command}`"))?;
    anyhow::ensure!(ran.status.success(), "`{command}` failed: {}", ran.status);
    let printed: Printed = serde_json::from_slice(&ran.stdout)
        .map_err(|_| anyhow::anyhow!("`{command}` did not print credentials as JSON"))?;
    Ok(Credentials::new(printed.access_key_id, printed.secret_access_key, printed.session_token))
}
