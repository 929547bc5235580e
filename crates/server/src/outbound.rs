//! Requests to other people's servers: webhooks, metrics, health checks.
//!
//! The addresses come from callers of the API, so this is a door out of the server's network that they must not be
//! able to misuse: link-local addresses, where clouds keep credentials, are refused unless the operator allows them;
//! the address that was checked is the one that is connected to; redirects are not followed; answers are cut off.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// Which addresses may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reach {
    /// All but link-local ones.
    #[default]
    NoLinkLocal,
    /// Every one.
    Everywhere,
}

/// Sends requests.
#[derive(Default)]
pub struct Outbound {
    reach: Reach,
    tls: OnceLock<Arc<rustls::ClientConfig>>,
}

/// A request to be sent.
#[derive(Debug, Clone)]
pub struct Outgoing {
    pub method: Method,
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
    /// For everything, from the name's resolution to the end of the answer.
    pub timeout: Duration,
    /// The most of the answer that is read.
    pub answer_bytes_max: usize,
}

/// An answer; what is longer than asked for is an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    pub status: u16,
    pub body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// The URL is none.
    #[error("`{url}` is not a usable URL: {reason}")]
    Url { url: String, reason: &'static str },
    /// The name means nothing.
    #[error("the name {host} cannot be resolved")]
    Resolve {
        host: String,
        #[source]
        source: io::Error,
    },
    /// The address must not be asked.
    #[error(
        "{host} is at {address}, which is link-local, unspecified or multicast: start the server with \
         --allow-link-local-requests to allow it"
    )]
    Forbidden { host: String, address: IpAddr },
    /// No connection came about.
    #[error("cannot connect to {origin}")]
    Connect {
        origin: String,
        #[source]
        source: io::Error,
    },
    /// The other side broke off or talks something else, or its answer is too long.
    #[error("the exchange with {origin} failed")]
    Broken {
        origin: String,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It took too long.
    #[error("{origin} did not answer within {} ms", after.as_millis())]
    TimedOut { origin: String, after: Duration },
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

impl Outbound {
    /// A sender that reaches that far.
    pub fn new(reach: Reach) -> Self {
        Self { reach, tls: OnceLock::new() }
    }

    /// Sends a request over a connection of its own and reads the answer; a redirect is an answer like any other.
    ///
    /// # Errors
    /// There is no answer.
    pub async fn send(&self, outgoing: Outgoing) -> Result<Incoming, OutboundError> {
        let origin = Origin::of(&outgoing.url)?;
        let after = outgoing.timeout;
        let exchange = self.exchange(&origin, outgoing);
        match tokio::time::timeout(after, exchange).await {
            Ok(answer) => answer,
            Err(_) => Err(OutboundError::TimedOut { origin: origin.text, after }),
        }
    }

    async fn exchange(
        &self,
        origin: &Origin,
        outgoing: Outgoing,
    ) -> Result<Incoming, OutboundError> {
        let broken = |source: Box<dyn std::error::Error + Send + Sync>| OutboundError::Broken {
            origin: origin.text.clone(),
            source,
        };
        let stream = self.connect(origin).await?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|error| broken(error.into()))?;
        let connection = tokio::spawn(connection);
        // Ends the connection however this function ends.
        let _ended = AbortOnDrop(connection.abort_handle());
        let mut request = http::Request::builder()
            .method(outgoing.method)
            .uri(&origin.path)
            .header(header::HOST, &origin.authority)
            .header(header::USER_AGENT, "longshore");
        for (name, value) in &outgoing.headers {
            request = request.header(name, value);
        }
        let request =
            request.body(Full::new(outgoing.body)).map_err(|error| broken(error.into()))?;
        let answer = sender.send_request(request).await.map_err(|error| broken(error.into()))?;
        let status = answer.status().as_u16();
        let body = Limited::new(answer.into_body(), outgoing.answer_bytes_max).collect().await;
        Ok(Incoming { status, body: body.map_err(broken)?.to_bytes() })
    }

    async fn connect(&self, origin: &Origin) -> Result<Box<dyn Stream>, OutboundError> {
        let failed = |source| OutboundError::Connect { origin: origin.text.clone(), source };
        let addresses = self.addresses(origin).await?;
        let tcp = TcpStream::connect(addresses.as_slice()).await.map_err(failed)?;
        tcp.set_nodelay(true).map_err(failed)?;
        if !origin.tls {
            return Ok(Box::new(tcp));
        }
        let name = ServerName::try_from(origin.host.clone());
        let name = name.map_err(|error| failed(io::Error::other(error)))?;
        let connector = tokio_rustls::TlsConnector::from(self.tls().map_err(failed)?);
        Ok(Box::new(connector.connect(name, tcp).await.map_err(failed)?))
    }

    /// Where the host is; one forbidden address spoils the whole name.
    async fn addresses(&self, origin: &Origin) -> Result<Vec<SocketAddr>, OutboundError> {
        let found = tokio::net::lookup_host((origin.host.as_str(), origin.port)).await;
        let found =
            found.map_err(|source| OutboundError::Resolve { host: origin.host.clone(), source })?;
        let found: Vec<SocketAddr> = found.collect();
        if self.reach == Reach::NoLinkLocal
            && let Some(wrong) = found.iter().find(|address| is_forbidden(address.ip()))
        {
            return Err(OutboundError::Forbidden {
                host: origin.host.clone(),
                address: wrong.ip(),
            });
        }
        Ok(found)
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

/// Whether `url` could be asked, as far as that can be told without asking.
///
/// # Errors
/// It is no URL, or it names an address that must not be asked.
pub fn check_url(url: &str, reach: Reach) -> Result<(), OutboundError> {
    let origin = Origin::of(url)?;
    match origin.host.parse::<IpAddr>() {
        Ok(address) if reach == Reach::NoLinkLocal && is_forbidden(address) => {
            Err(OutboundError::Forbidden { host: origin.host, address })
        }
        Ok(_) | Err(_) => Ok(()),
    }
}

/// The addresses of clouds' metadata services are link-local, but for one of AWS's.
fn is_forbidden(address: IpAddr) -> bool {
    const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
    let forbidden_v4 = |v4: Ipv4Addr| {
        v4.is_link_local() || v4.is_unspecified() || v4.is_multicast() || v4.is_broadcast()
    };
    match address {
        IpAddr::V4(v4) => forbidden_v4(v4),
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => forbidden_v4(v4),
            None => {
                v6.is_unicast_link_local()
                    || v6.is_unspecified()
                    || v6.is_multicast()
                    || v6 == METADATA_V6
            }
        },
    }
}

struct AbortOnDrop(tokio::task::AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What a URL says.
struct Origin {
    /// Scheme, host and port, for messages: a path may hold secrets.
    text: String,
    authority: String,
    host: String,
    port: u16,
    tls: bool,
    path: String,
}

impl Origin {
    fn of(url: &str) -> Result<Self, OutboundError> {
        // A URL may carry a secret: what is shown of it ends before the path.
        let shown: String = url.split('?').next().unwrap_or_default().chars().take(80).collect();
        let wrong = |reason| OutboundError::Url { url: shown.clone(), reason };
        let uri: Uri = url.parse().map_err(|_| wrong("it cannot be parsed"))?;
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(wrong("it must begin with http:// or https://")),
        };
        let authority = uri.authority().ok_or_else(|| wrong("it names no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("it must not hold a user or a password"));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() {
            return Err(wrong("it names no host"));
        }
        let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
        Ok(Self {
            text: format!("{}://{authority}", if tls { "https" } else { "http" }),
            authority: authority.to_string(),
            host,
            port,
            tls,
            path: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, expected: &str) {
        let found =
            check_url(url, Reach::NoLinkLocal).map_or_else(|e| e.to_string(), |()| String::new());
        assert!(
            if expected.is_empty() { found.is_empty() } else { found.contains(expected) },
            "{url}: {found}"
        );
    }

    #[test]
    fn a_url_must_be_plain_and_lead_to_no_metadata() {
        for fine in [
            "http://127.0.0.1:9090/x?y",
            "https://example.test",
            "http://[::1]:80/",
            "http://10.0.0.1",
        ] {
            check(fine, "");
        }
        for (url, expected) in [
            ("ftp://example.test/", "must begin with"),
            ("example.test", "must begin with"),
            ("http://a:b@example.test/", "user or a password"),
            ("http:///x", "not a usable URL"),
            ("http://169.254.169.254/latest/meta-data", "is at 169.254.169.254"),
            ("http://[fe80::1]/", "is at fe80::1"),
            ("http://[::ffff:169.254.169.254]/", "is at ::ffff:169.254.169.254"),
            ("http://[fd00:ec2::254]/", "is at fd00:ec2::254"),
            ("http://0.0.0.0/", "is at 0.0.0.0"),
        ] {
            check(url, expected);
        }
        assert!(check_url("http://169.254.169.254/", Reach::Everywhere).is_ok());
    }

    #[tokio::test]
    async fn answers_are_cut_off_and_waits_end() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut first, _) = listener.accept().await.unwrap();
            let _ = first.read(&mut [0; 1024]).await;
            let long = format!(
                "HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 9\r\n\r\n{}",
                "x".repeat(9)
            );
            first.write_all(long.as_bytes()).await.unwrap();
            let (mut second, _) = listener.accept().await.unwrap();
            let _ = second.read(&mut [0; 1024]).await;
            second.write_all(long.as_bytes()).await.unwrap();
            // The third is accepted and never answered.
            let (_third, _) = listener.accept().await.unwrap();
            std::future::pending::<()>().await;
        });
        let ask = |answer_bytes_max, timeout| Outgoing {
            method: Method::GET,
            url: format!("http://{address}/"),
            headers: Vec::new(),
            body: Bytes::new(),
            timeout,
            answer_bytes_max,
        };
        let outbound = Outbound::default();
        let long = Duration::from_secs(30);
        let answer = outbound.send(ask(9, long)).await.unwrap();
        assert_eq!((answer.status, answer.body.len()), (302, 9));
        let error = outbound.send(ask(8, long)).await.unwrap_err();
        assert!(matches!(error, OutboundError::Broken { .. }), "{error:?}");
        let error = outbound.send(ask(9, Duration::from_millis(50))).await.unwrap_err();
        assert!(matches!(error, OutboundError::TimedOut { .. }), "{error:?}");
        let outside = Outgoing { url: "http://169.254.169.254/".to_owned(), ..ask(9, long) };
        let error = outbound.send(outside).await.unwrap_err();
        assert!(matches!(error, OutboundError::Forbidden { .. }), "{error:?}");
    }
}
