//! A small HTTP/1.1 client: what the agent needs of one, and no more memory than that.

use std::io;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use http::{HeaderValue, Request, Response, Uri, header};
use http_body_util::{BodyExt, Empty, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustix::net::sockopt;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::names;
use crate::proxies::{Proxies, Proxy, Scheme};

/// How long a connection may take to come about. Source: official agent.
const CONNECT: Duration = Duration::from_secs(15);
/// How long the other side may be silent before it is asked whether it is there.
const SILENCE_MAX: Duration = Duration::from_secs(10);
/// How often it is asked.
const ASKED_EVERY: Duration = Duration::from_secs(5);
/// How long it may leave that, or anything that was sent, without a sign that it came: then the connection is dead, and an
/// answer to a parked poll would never come. It is much shorter than the time that a poll is parked.
const UNHEARD_MAX: Duration = Duration::from_secs(20);
/// Idle connections kept, at most: one for the poll and one for reports, with one to spare.
const IDLE_MAX: usize = 3;
/// The largest answer that is read into memory; specifications are far smaller.
const ANSWER_MAX: usize = 4 << 20;

/// How an exchange can fail without an answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The URL is none.
    #[error("`{url}` is not a usable URL: {reason}")]
    Url { url: String, reason: String },
    /// No connection came about.
    #[error("cannot connect to {origin}")]
    Connect {
        origin: String,
        #[source]
        source: io::Error,
    },
    /// The proxy refused.
    #[error("the proxy refused to connect to {origin}: HTTP {status}")]
    Proxy { origin: String, status: u16 },
    /// The way leads through a proxy that is not one for HTTP.
    #[error(
        "cannot connect to {origin}: the environment leads there through {proxy}, which is no http:// or https:// proxy; \
         set `proxy_uri`, or `NO_PROXY` in the agent's environment"
    )]
    ProxyKind { origin: String, proxy: String },
    /// The other side broke off, or talks something else.
    #[error("the exchange with {origin} broke off")]
    Broken {
        origin: String,
        #[source]
        source: hyper::Error,
    },
    /// No answer came in time.
    #[error("{origin} did not answer within {} s", after.as_secs())]
    TimedOut { origin: String, after: Duration },
    /// The answer's body cannot be read.
    #[error("the answer of {origin} cannot be read: {reason}")]
    Body { origin: String, reason: String },
}

/// A client with a few kept connections.
#[derive(Debug, Default)]
pub struct Client {
    proxies: Proxies,
    tls: OnceLock<Arc<rustls::ClientConfig>>,
    idle: Mutex<Vec<(String, SendRequest<Full<Bytes>>)>>,
}

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: http::HeaderMap,
    /// The body.
    pub body: Bytes,
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

impl Client {
    /// A client; `proxy` is a URL that may carry user and password. Without it, the proxies that the environment names.
    ///
    /// # Errors
    /// A proxy's URL is none, or `proxy` is not one for HTTP.
    pub fn new(proxy: Option<&str>) -> Result<Self, HttpError> {
        let proxies = Proxies::new(proxy, |name| std::env::var(name).ok())?;
        Ok(Self { proxies, ..Self::default() })
    }

    /// Sends a request and reads the whole answer.
    ///
    /// `patience` is for the answer's head and for its body, each.
    ///
    /// # Errors
    /// No answer came; an answer with an error status is an answer.
    pub async fn call(
        &self,
        request: Request<Full<Bytes>>,
        patience: Duration,
    ) -> Result<Answer, HttpError> {
        let origin = origin_of(request.uri())?.text;
        let (head, body) = self.open(request, patience).await?.into_parts();
        let whole = timeout(patience, Limited::new(body, ANSWER_MAX).collect()).await;
        let whole =
            whole.map_err(|_| HttpError::TimedOut { origin: origin.clone(), after: patience })?;
        let body = whole
            .map_err(|error| HttpError::Body { origin, reason: error.to_string() })?
            .to_bytes();
        Ok(Answer { status: head.status.as_u16(), headers: head.headers, body })
    }

    /// Sends a request and gives the answer with its body still to be read.
    ///
    /// # Errors
    /// No answer came within `patience`.
    pub async fn open(
        &self,
        request: Request<Full<Bytes>>,
        patience: Duration,
    ) -> Result<Response<Incoming>, HttpError> {
        let origin = origin_of(request.uri())?;
        let request = self.for_the_wire(request, &origin);
        // A kept connection may have been closed by the other side in the meantime, which shows only now. Every
        // request of the agent may be repeated: the service keys by command.
        if let Some(sender) = self.take_idle(&origin.text) {
            let again = request.clone();
            match self.exchange(sender, request, &origin, patience).await {
                Err(HttpError::Broken { .. }) => {}
                other => return other,
            }
            return self.fresh(again, &origin, patience).await;
        }
        self.fresh(request, &origin, patience).await
    }

    async fn fresh(
        &self,
        request: Request<Full<Bytes>>,
        origin: &Origin,
        patience: Duration,
    ) -> Result<Response<Incoming>, HttpError> {
        let connecting = timeout(CONNECT.min(patience), self.connect(origin)).await;
        let sender = connecting.map_err(|_| HttpError::Connect {
            origin: origin.text.clone(),
            source: io::ErrorKind::TimedOut.into(),
        })??;
        self.exchange(sender, request, origin, patience).await
    }

    async fn exchange(
        &self,
        mut sender: SendRequest<Full<Bytes>>,
        request: Request<Full<Bytes>>,
        origin: &Origin,
        patience: Duration,
    ) -> Result<Response<Incoming>, HttpError> {
        let answer = timeout(patience, sender.send_request(request)).await;
        let broken = |source| HttpError::Broken { origin: origin.text.clone(), source };
        let answer = answer
            .map_err(|_| HttpError::TimedOut { origin: origin.text.clone(), after: patience })?
            .map_err(broken)?;
        self.keep(origin, sender);
        Ok(answer)
    }

    fn keep(&self, origin: &Origin, sender: SendRequest<Full<Bytes>>) {
        let Ok(mut idle) = self.idle.lock() else { return };
        idle.retain(|(_, sender)| !sender.is_closed());
        if idle.len() < IDLE_MAX {
            idle.push((origin.text.clone(), sender));
        }
    }

    fn take_idle(&self, origin: &str) -> Option<SendRequest<Full<Bytes>>> {
        let mut idle = self.idle.lock().ok()?;
        let at = idle.iter().position(|(of, sender)| of == origin && sender.is_ready())?;
        Some(idle.swap_remove(at).1)
    }

    /// The request as it goes out: the path alone, or to a proxy the whole URL.
    fn for_the_wire(&self, request: Request<Full<Bytes>>, origin: &Origin) -> Request<Full<Bytes>> {
        let (mut parts, body) = request.into_parts();
        if !parts.headers.contains_key(header::HOST)
            && let Ok(host) = HeaderValue::from_str(&origin.host_header())
        {
            parts.headers.insert(header::HOST, host);
        }
        match self.proxies.of(origin).filter(|_| !origin.tls) {
            Some(proxy) => {
                if let Some(value) = &proxy.authorization {
                    parts.headers.insert(header::PROXY_AUTHORIZATION, value.clone());
                }
            }
            None => {
                let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
                parts.uri = path.parse().unwrap_or_default();
            }
        }
        Request::from_parts(parts, body)
    }

    async fn connect(&self, origin: &Origin) -> Result<SendRequest<Full<Bytes>>, HttpError> {
        let failed = |source| HttpError::Connect { origin: origin.text.clone(), source };
        let proxy = self.proxies.of(origin);
        if let Some(proxy) = proxy.filter(|proxy| proxy.scheme == Scheme::Other) {
            let proxy = format!("{proxy:?}");
            return Err(HttpError::ProxyKind { origin: origin.text.clone(), proxy });
        }
        let own = (origin.host.as_str(), origin.port);
        let (host, port) = proxy.map_or(own, |proxy| (proxy.host.as_str(), proxy.port));
        let addresses = names::addresses(host, port).await.map_err(failed)?;
        let tcp = TcpStream::connect(&addresses[..]).await.map_err(failed)?;
        tcp.set_nodelay(true).map_err(failed)?;
        watch_over(&tcp).map_err(failed)?;
        let mut stream: Box<dyn Stream> = Box::new(tcp);
        if let Some(proxy) = proxy.filter(|proxy| proxy.scheme == Scheme::Https) {
            stream = self.secured(stream, &proxy.host).await.map_err(failed)?;
        }
        if let Some(proxy) = proxy.filter(|_| origin.tls) {
            stream = tunnel(stream, proxy, origin).await?;
        }
        if origin.tls {
            stream = self.secured(stream, &origin.host).await.map_err(failed)?;
        }
        let broken = |source| HttpError::Broken { origin: origin.text.clone(), source };
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
        tokio::spawn(async move {
            // How it ends is seen by whoever waits for an answer.
            let _ = connection.await;
        });
        Ok(sender)
    }

    /// TLS with the host on a connection to it.
    async fn secured(&self, stream: Box<dyn Stream>, host: &str) -> io::Result<Box<dyn Stream>> {
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        let connector = tokio_rustls::TlsConnector::from(self.tls()?);
        Ok(Box::new(connector.connect(name, stream).await?))
    }

    /// The machine's certificate authorities, read at the first need: `SSL_CERT_FILE` and `SSL_CERT_DIR` count.
    fn tls(&self) -> io::Result<Arc<rustls::ClientConfig>> {
        if let Some(config) = self.tls.get() {
            return Ok(Arc::clone(config));
        }
        let mut roots = rustls::RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Arc::clone(self.tls.get_or_init(|| Arc::new(config))))
    }
}

/// Has the kernel end the connection when the path to the other side is dead, such as behind a pulled cable, a router that
/// forgot the connection, or a machine without power. Nothing of that shows by itself while an answer is waited for.
fn watch_over(tcp: &TcpStream) -> io::Result<()> {
    sockopt::set_socket_keepalive(tcp, true)?;
    sockopt::set_tcp_keepidle(tcp, SILENCE_MAX)?;
    sockopt::set_tcp_keepintvl(tcp, ASKED_EVERY)?;
    let milliseconds = u32::try_from(UNHEARD_MAX.as_millis()).map_err(io::Error::other)?;
    Ok(sockopt::set_tcp_user_timeout(tcp, milliseconds)?)
}

/// Asks a proxy for a connection to the origin. Source: RFC 9110, `CONNECT`.
async fn tunnel(
    stream: Box<dyn Stream>,
    proxy: &Proxy,
    origin: &Origin,
) -> Result<Box<dyn Stream>, HttpError> {
    let broken = |source| HttpError::Broken { origin: origin.text.clone(), source };
    let (mut sender, connection) =
        http1::handshake::<_, Empty<Bytes>>(TokioIo::new(stream)).await.map_err(broken)?;
    tokio::spawn(connection.with_upgrades());
    let mut request = Request::connect(origin.address()).header(header::HOST, origin.address());
    if let Some(value) = &proxy.authorization {
        request = request.header(header::PROXY_AUTHORIZATION, value);
    }
    let url =
        |error: http::Error| HttpError::Url { url: origin.text.clone(), reason: error.to_string() };
    let request = request.body(Empty::new()).map_err(url)?;
    let answer = sender.send_request(request).await.map_err(broken)?;
    if !answer.status().is_success() {
        let status = answer.status().as_u16();
        return Err(HttpError::Proxy { origin: origin.text.clone(), status });
    }
    let upgraded = hyper::upgrade::on(answer).await.map_err(broken)?;
    Ok(Box::new(TokioIo::new(upgraded)))
}

/// Scheme, host and port of a URL.
pub(crate) struct Origin {
    text: String,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) tls: bool,
}

pub(crate) fn origin_of(uri: &Uri) -> Result<Origin, HttpError> {
    let wrong = |reason: &str| HttpError::Url { url: uri.to_string(), reason: reason.to_owned() };
    let tls = match uri.scheme_str() {
        Some("https") => true,
        Some("http") => false,
        _ => return Err(wrong("it must begin with http:// or https://")),
    };
    let host = uri.host().ok_or_else(|| wrong("it names no host"))?;
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
    let text = format!("{}://{host}:{port}", if tls { "https" } else { "http" });
    Ok(Origin { text, host, port, tls })
}

impl Origin {
    fn address(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// With the port where it is not the scheme's own, as every client signs it.
    fn host_header(&self) -> String {
        let own = if self.tls { 443 } else { 80 };
        let address = self.address();
        match address.strip_suffix(&format!(":{own}")) {
            Some(host) if self.port == own => host.to_owned(),
            _ => address,
        }
    }
}

/// The `Host` that the client sends for a URL: what a signature must cover.
///
/// # Errors
/// The URL is none.
pub fn host_header(uri: &Uri) -> Result<String, HttpError> {
    Ok(origin_of(uri)?.host_header())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_header_has_a_port_only_where_it_is_unusual() {
        let host = |url: &str| host_header(&url.parse().unwrap()).unwrap();
        assert_eq!(host("http://10.0.0.1:7400/x"), "10.0.0.1:7400");
        assert_eq!(host("https://s3.amazonaws.com/x"), "s3.amazonaws.com");
        assert_eq!(host("http://s3.test:443/"), "s3.test:443");
        assert_eq!(host("https://[::1]:80/"), "[::1]:80");
    }
}
