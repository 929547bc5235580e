//! Which proxy leads where: the configured one, or those of the environment.

use std::net::{IpAddr, Ipv4Addr};

use base64::Engine;
use http::{HeaderValue, Uri};

use crate::http::{HttpError, Origin};

/// The proxies of this host.
#[derive(Debug, Default)]
pub(crate) struct Proxies {
    http: Option<Proxy>,
    https: Option<Proxy>,
    /// Hosts that are reached directly.
    direct: Vec<String>,
}

/// A proxy, and how we show it who we are.
#[derive(Clone)]
pub(crate) struct Proxy {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) scheme: Scheme,
    pub(crate) authorization: Option<HeaderValue>,
}

/// How a proxy is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Http,
    /// HTTP over TLS.
    Https,
    /// In a way that is not known here, such as SOCKS.
    Other,
}

/// Without what may be a password.
impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl Proxies {
    /// The proxy configured, for everything; without one, those that the environment's variables name, as curl reads them.
    ///
    /// # Errors
    /// A proxy's URL is none, or the one configured is not for HTTP. One of the environment, which may be for other programs,
    /// fails who is led to it.
    pub(crate) fn new(
        configured: Option<&str>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, HttpError> {
        if let Some(url) = configured {
            let proxy = parse(url, "proxy_uri")?;
            if proxy.scheme == Scheme::Other {
                let reason = "only proxies for http:// and https:// are spoken to".to_owned();
                return Err(HttpError::Url { url: "proxy_uri".to_owned(), reason });
            }
            let proxy = Some(proxy);
            return Ok(Self { http: proxy.clone(), https: proxy, direct: Vec::new() });
        }
        let first = |names: &[&str]| {
            let found = names.iter().find_map(|name| {
                Some((*name, variable(name).filter(|value| !value.trim().is_empty())?))
            });
            found.map(|(name, url)| parse(&with_scheme(url.trim()), name)).transpose()
        };
        // In capitals, `HTTP_PROXY` may come from a request's header where there is CGI: nobody reads it.
        let http = first(&["http_proxy", "all_proxy", "ALL_PROXY"])?;
        let https = first(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])?;
        let direct = variable("no_proxy").or_else(|| variable("NO_PROXY")).unwrap_or_default();
        let direct = direct.split([',', ' ']).filter(|host| !host.is_empty());
        Ok(Self { http, https, direct: direct.map(str::to_lowercase).collect() })
    }

    /// The proxy for an origin; none leads to instance metadata and the machine itself.
    pub(crate) fn of(&self, origin: &Origin) -> Option<&Proxy> {
        let proxy = if origin.tls { self.https.as_ref() } else { self.http.as_ref() };
        let is_direct = || self.direct.iter().any(|rule| covers(rule, &origin.host, origin.port));
        proxy.filter(|_| !is_own(&origin.host) && !is_direct())
    }
}

fn is_own(host: &str) -> bool {
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => {
            address.is_loopback() || address == Ipv4Addr::new(169, 254, 169, 254)
        }
        Ok(IpAddr::V6(address)) => address.is_loopback(),
        Err(_) => host == "localhost",
    }
}

/// Whether a rule of `NO_PROXY` covers a host: `*`, a name with all below it, an address, or a block of addresses.
fn covers(rule: &str, host: &str, port: u16) -> bool {
    let (rule, of_port) = match rule.rsplit_once(':') {
        Some((name, number)) if !name.contains(':') => (name, number.parse::<u16>().ok()),
        _ => (rule, None),
    };
    if of_port.is_some_and(|only| only != port) {
        return false;
    }
    if let Ok(address) = host.parse::<IpAddr>() {
        return rule == "*" || block_has(rule.trim_matches(['[', ']']), address);
    }
    let (name, host) = (rule.trim_start_matches("*.").trim_start_matches('.'), host.to_lowercase());
    let is_below = || host.strip_suffix(name).is_some_and(|head| head.ends_with('.'));
    rule == "*" || (!name.is_empty() && (host == name || is_below()))
}

fn block_has(rule: &str, address: IpAddr) -> bool {
    let (base, bits) = rule.split_once('/').unwrap_or((rule, ""));
    let Ok(base) = base.parse::<IpAddr>() else { return false };
    let bits = bits.parse::<u32>().ok();
    let same = |a: u128, b: u128, width: u32| {
        let rest = width - bits.unwrap_or(width).min(width);
        a.checked_shr(rest).unwrap_or(0) == b.checked_shr(rest).unwrap_or(0)
    };
    match (base, address) {
        (IpAddr::V4(a), IpAddr::V4(b)) => same(a.to_bits().into(), b.to_bits().into(), 32),
        (IpAddr::V6(a), IpAddr::V6(b)) => same(a.to_bits(), b.to_bits(), 128),
        _ => false,
    }
}

/// Variables often name the host alone.
fn with_scheme(url: &str) -> String {
    if url.contains("://") { url.to_owned() } else { format!("http://{url}") }
}

/// Reads a proxy's URL. It may carry a password, so that an error names only where it was found.
fn parse(url: &str, found_in: &str) -> Result<Proxy, HttpError> {
    let wrong =
        |reason: &str| HttpError::Url { url: found_in.to_owned(), reason: reason.to_owned() };
    let uri: Uri = url.parse().map_err(|_| wrong("it cannot be parsed"))?;
    let authority = uri.authority().ok_or_else(|| wrong("it names no host"))?;
    let (user, host) = match authority.as_str().rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, authority.as_str()),
    };
    let (scheme, port) = match uri.scheme_str() {
        None | Some("http") => (Scheme::Http, 80),
        Some("https") => (Scheme::Https, 443),
        Some(_) => (Scheme::Other, 1080),
    };
    let port = authority.port_u16().unwrap_or(port);
    let host =
        host.rsplit_once(':').filter(|(_, p)| p.parse::<u16>().is_ok()).map_or(host, |(h, _)| h);
    let authorization = user.and_then(|user| {
        let encoded = base64::engine::general_purpose::STANDARD.encode(decode(user));
        HeaderValue::from_str(&format!("Basic {encoded}")).ok()
    });
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    Ok(Proxy { host, port, scheme, authorization })
}

/// Undoes percent encoding, which a password with special characters has in a URL.
fn decode(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = tail.get(..2).filter(|_| *first == b'%');
        let byte = hex.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &tail[2..] } else { tail };
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::origin_of;

    fn check(variables: &[(&str, &str)], url: &str, expected: Option<&str>) {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let proxies = Proxies::new(None, variable).unwrap();
        let origin = origin_of(&url.parse().unwrap()).unwrap();
        let found = proxies.of(&origin).map(|proxy| format!("{proxy:?}"));
        assert_eq!(found.as_deref(), expected, "{url} with {variables:?}");
    }

    #[test]
    fn the_environment_names_proxies_and_what_needs_none() {
        let both = [("https_proxy", "http://s.test:3128"), ("http_proxy", "p.test:8080")];
        check(&both, "https://deploy.test/", Some("s.test:3128"));
        check(&both, "http://deploy.test/", Some("p.test:8080"));
        check(&[("HTTPS_PROXY", "http://s.test:1")], "https://deploy.test/", Some("s.test:1"));
        check(&[("HTTP_PROXY", "http://p.test:1")], "http://deploy.test/", None);
        check(&[("ALL_PROXY", "http://a.test:1")], "https://deploy.test/", Some("a.test:1"));
        check(&both, "http://169.254.169.254/latest", None);
        check(&both, "https://localhost:7400/", None);
        let none = |rules: &str, url: &str| {
            check(&[both[0], both[1], ("NO_PROXY", rules)], url, None);
        };
        none("*", "https://deploy.test/");
        none("other, .deploy.test", "https://deploy.test/");
        none("deploy.test", "http://a.b.Deploy.test/");
        none("deploy.test:7400", "http://deploy.test:7400/");
        none("10.0.0.0/8", "http://10.1.2.3:7400/");
        none("10.1.2.3", "http://10.1.2.3/");
        none("fd00::/8", "http://[fd00::1]/");
        let rules = ("NO_PROXY", "loy.test,11.0.0.0/8,deploy.test:1");
        for url in ["http://deploy.test/", "http://10.1.2.3/"] {
            check(&[both[0], both[1], rules], url, Some("p.test:8080"));
        }
    }

    #[test]
    fn a_proxy_may_be_spoken_to_over_tls_and_only_in_http() {
        let proxy = parse("https://proxy.test", "https_proxy").unwrap();
        assert_eq!((proxy.port, proxy.scheme), (443, Scheme::Https));
        assert_eq!(parse("proxy.test:3128", "http_proxy").unwrap().scheme, Scheme::Http);
        let error = Proxies::new(Some("socks5://p.test:1080"), |_| None).unwrap_err().to_string();
        assert!(error.contains("`proxy_uri`") && error.contains("http:// and https://"), "{error}");
        // Programs that know SOCKS may have it beside one for HTTP, or may need none for where we go.
        let both = [("ALL_PROXY", "socks5://a.test:1080"), ("https_proxy", "http://s.test:1")];
        check(&both, "https://deploy.test/", Some("s.test:1"));
        check(&[both[0], ("NO_PROXY", "deploy.test")], "https://deploy.test/", None);
    }

    #[test]
    fn a_configured_proxy_is_for_everything_and_its_password_is_not_shown() {
        let variable = |_: &str| Some("http://other.test".to_owned());
        let url = "http://me:p%40ss@proxy.test:3128";
        let proxies = Proxies::new(Some(url), variable).unwrap();
        let origin = origin_of(&"https://deploy.test/".parse().unwrap()).unwrap();
        let proxy = proxies.of(&origin).unwrap();
        assert_eq!((proxy.host.as_str(), proxy.port), ("proxy.test", 3128));
        assert_eq!(proxy.authorization.as_ref().unwrap(), "Basic bWU6cEBzcw==");
        let shown = format!("{proxies:?}");
        assert!(!shown.contains("bWU6") && !shown.contains("p%40ss"), "{shown}");
        let error = Proxies::new(Some("not a url with s3cret"), variable).unwrap_err();
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }
}
