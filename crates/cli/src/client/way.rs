//! The way to a server: direct, or through the proxies that the environment names, as the `aws` CLI reads it.
//!
//! Source: the AWS CLI user guide, "Using an HTTP proxy", and the behaviour of the stock CLI: `http_proxy` and `https_proxy`
//! by the scheme of the endpoint, `no_proxy` with names, what is below them, addresses and `*`; in small letters before
//! capitals; `all_proxy` does not count.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{HeaderValue, Uri};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower::Service;

/// Connects to servers, or to what leads to them.
#[derive(Clone)]
pub struct Way {
    direct: HttpConnector,
    proxies: Arc<Matcher>,
}

impl Way {
    /// By the proxies that these variables name.
    pub fn new(variable: impl Fn(&str) -> Option<String>) -> Self {
        let mut direct = HttpConnector::new();
        // What the schemes mean is decided here.
        direct.enforce_http(false);
        Self { direct, proxies: Arc::new(matcher(variable)) }
    }

    /// What the proxy is to be told of who asks, where a request goes to one in the clear. A tunnel has it already.
    pub fn authorization(&self, to: &Uri) -> Option<HeaderValue> {
        let in_the_clear = to.scheme_str() != Some("https");
        self.proxies.intercept(to).filter(|_| in_the_clear)?.basic_auth().cloned()
    }
}

fn matcher(variable: impl Fn(&str) -> Option<String>) -> Matcher {
    let first = |names: &[&str]| {
        let mut values = names.iter().filter_map(|name| variable(name));
        values.find(|value| !value.trim().is_empty()).unwrap_or_default()
    };
    // Where there is CGI, `HTTP_PROXY` comes from a request's header.
    let http: &[&str] = match variable("REQUEST_METHOD") {
        Some(_) => &["http_proxy"],
        None => &["http_proxy", "HTTP_PROXY"],
    };
    let no = first(&["no_proxy", "NO_PROXY"]);
    // The matcher takes it for all names, and addresses have none.
    if no.trim() == "*" {
        return Matcher::builder().build();
    }
    Matcher::builder()
        .http(first(http))
        .https(first(&["https_proxy", "HTTPS_PROXY"]))
        .no(no)
        .build()
}

type Connecting = Pin<Box<dyn Future<Output = Result<Line, BoxError>> + Send>>;
type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl Service<Uri> for Way {
    type Response = Line;
    type Error = BoxError;
    type Future = Connecting;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.direct.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, to: Uri) -> Connecting {
        let mut direct = self.direct.clone();
        let Some(proxy) = self.proxies.intercept(&to) else {
            return Box::pin(async move {
                Ok(Line { stream: direct.call(to).await?, to_proxy: false })
            });
        };
        Box::pin(async move {
            let place = proxy.uri().clone();
            if place.scheme_str() != Some("http") {
                let scheme = place.scheme_str().unwrap_or_default();
                return Err(format!("a proxy is reached by http, not by {scheme}").into());
            }
            if to.scheme_str() != Some("https") {
                return Ok(Line { stream: direct.call(place).await?, to_proxy: true });
            }
            let tunnel = Tunnel::new(place, direct);
            let mut tunnel = match proxy.basic_auth() {
                Some(value) => tunnel.with_auth(value.clone()),
                None => tunnel,
            };
            Ok(Line { stream: tunnel.call(to).await?, to_proxy: false })
        })
    }
}

/// A connection, and whether a proxy at its end is to be told where each request goes.
pub struct Line {
    stream: TokioIo<TcpStream>,
    to_proxy: bool,
}

impl Connection for Line {
    fn connected(&self) -> Connected {
        self.stream.connected().proxy(self.to_proxy)
    }
}

impl Read for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl Write for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(variables: &[(&str, &str)], url: &str, expected: Option<&str>) {
        let matcher = matcher(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        });
        let found = matcher.intercept(&url.parse().unwrap());
        let found = found.map(|proxy| proxy.uri().authority().unwrap().to_string());
        assert_eq!(found.as_deref(), expected, "{url} with {variables:?}");
    }

    #[test]
    fn the_scheme_of_the_endpoint_decides_which_proxy_it_is() {
        let both = [("https_proxy", "http://s.test:3128"), ("HTTP_PROXY", "p.test:8080")];
        check(&both, "https://deploy.test/", Some("s.test:3128"));
        check(&both, "http://deploy.test:7400/", Some("p.test:8080"));
        check(
            &[("HTTPS_PROXY", "http://a:1"), ("https_proxy", "http://b:1")],
            "https://x/",
            Some("b:1"),
        );
        check(&[("all_proxy", "http://a:1")], "http://deploy.test/", None);
        check(&[("HTTP_PROXY", "http://a:1"), ("REQUEST_METHOD", "GET")], "http://x/", None);
    }

    #[test]
    fn what_needs_no_proxy_gets_none() {
        let proxy = ("http_proxy", "http://p.test:8080");
        for (rules, url) in [
            ("*", "http://deploy.test/"),
            ("*", "http://127.0.0.1:7400/"),
            ("deploy.test", "http://a.deploy.test/"),
            ("other, .deploy.test", "http://a.deploy.test/"),
            ("127.0.0.1,localhost", "http://127.0.0.1:7400/"),
        ] {
            check(&[proxy, ("NO_PROXY", rules)], url, None);
        }
        check(&[proxy, ("no_proxy", "loy.test")], "http://deploy.test/", Some("p.test:8080"));
        check(&[proxy], "http://127.0.0.1:7400/", Some("p.test:8080"));
    }
}
