//! A request for the console, taken apart.

use std::net::IpAddr;

use http::request::Parts;
use http::{Method, header};
use percent_encoding::percent_decode_str;

/// A request whose path begins with `/-/console`.
#[derive(Debug)]
pub struct Request {
    pub method: Method,
    /// The path as it was asked for, with its query.
    pub target: String,
    /// What follows `/-/console`, decoded, without empty parts.
    pub path: Vec<String>,
    pub query: Pairs,
    /// The fields of a submitted form.
    pub form: Pairs,
    /// The visitor's own address, as far as proxies can be trusted.
    pub source: IpAddr,
    /// Whether the visitor's browser speaks TLS with us or with a trusted proxy.
    pub is_secure: bool,
    cookies: Vec<(String, String)>,
    origin: Option<String>,
    fetch_site: Option<String>,
    host: Option<String>,
    /// The last event that a reconnecting stream saw.
    pub last_event: Option<u64>,
    /// The same of a stream whose events are not numbered.
    pub last_event_text: Option<String>,
}

/// Names with their values, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pairs(Vec<(String, String)>);

impl Pairs {
    /// The pairs of a query or a form's body.
    pub fn parse(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    /// The first value of that name, without surrounding blanks; nothing if it is empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(found, _)| found == name)?;
        Some(value.trim()).filter(|value| !value.is_empty())
    }

    /// The same, or an empty text.
    pub fn text(&self, name: &str) -> String {
        self.get(name).unwrap_or_default().to_owned()
    }

    /// Whether a box of that name was ticked.
    pub fn ticked(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// All pairs.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl Request {
    /// Takes the head apart. `proxies` are the addresses whose forwarding headers are believed.
    pub fn read(head: &Parts, form: &[u8], peer: IpAddr, proxies: &[IpAddr]) -> Self {
        let text = |name: header::HeaderName| {
            head.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
        };
        let named = |name: &'static str| text(header::HeaderName::from_static(name));
        let trusted = proxies.contains(&peer);
        let forwarded = named("x-forwarded-for").filter(|_| trusted);
        // The nearest proxy adds its own peer at the end; what stands before may be invented.
        let source = forwarded.and_then(|list| list.rsplit(',').next()?.trim().parse().ok());
        let rest = head.uri.path().strip_prefix("/-/console").unwrap_or_default();
        Self {
            method: head.method.clone(),
            target: head.uri.path_and_query().map_or("/-/console", |all| all.as_str()).to_owned(),
            path: rest
                .split('/')
                .filter(|part| !part.is_empty())
                .map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned())
                .collect(),
            query: Pairs::parse(head.uri.query().unwrap_or_default().as_bytes()),
            form: Pairs::parse(form),
            source: source.unwrap_or(peer),
            is_secure: trusted && named("x-forwarded-proto").as_deref() == Some("https"),
            cookies: text(header::COOKIE).map(|line| cookies(&line)).unwrap_or_default(),
            origin: text(header::ORIGIN),
            fetch_site: named("sec-fetch-site"),
            host: text(header::HOST).or_else(|| head.uri.host().map(str::to_owned)),
            last_event: named("last-event-id").and_then(|id| id.parse().ok()),
            last_event_text: named("last-event-id").filter(|id| !id.is_empty()),
        }
    }

    /// The value of a cookie.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let (_, value) = self.cookies.iter().find(|(found, _)| found == name)?;
        Some(value)
    }

    /// Whether another site's page sent the browser here.
    pub fn is_cross_site(&self) -> bool {
        self.fetch_site.as_deref() == Some("cross-site")
    }

    /// Whether a form came from a page of ours. Browsers say where a form was, in one of two ways or in both; what says
    /// nothing is no browser and has no cookies that could be misused, but it has no business here either.
    pub fn is_from_our_pages(&self) -> bool {
        let site = self.fetch_site.as_deref();
        if site.is_some_and(|site| site != "same-origin") {
            return false;
        }
        match (&self.origin, &self.host) {
            (Some(origin), Some(host)) => {
                let authority = origin.split_once("://").map(|(_, authority)| authority);
                authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
            }
            (None, _) => site == Some("same-origin"),
            (Some(_), None) => false,
        }
    }
}

fn cookies(line: &str) -> Vec<(String, String)> {
    let pairs = line.split(';').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROXY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));

    /// `uri | header: value | header: value`
    fn request(text: &str, proxies: &[IpAddr]) -> Request {
        let mut parts = text.split(" | ");
        let mut builder = http::Request::builder().uri(parts.next().unwrap());
        for header in parts {
            let (name, value) = header.split_once(": ").unwrap();
            builder = builder.header(name, value);
        }
        let (head, ()) = builder.body(()).unwrap().into_parts();
        Request::read(&head, b"a=1&b=+x+&c=", PROXY, proxies)
    }

    #[test]
    fn paths_forms_and_cookies_are_taken_apart() {
        let read = request(
            "/-/console/applications/a%20b%2Fc?q=x | cookie: one=1; two=2 | last-event-id: 7",
            &[],
        );
        assert_eq!(read.path, ["applications", "a b/c"]);
        assert_eq!(read.query.get("q"), Some("x"));
        assert_eq!((read.form.get("b"), read.form.get("c")), (Some("x"), None));
        assert_eq!((read.cookie("two"), read.last_event), (Some("2"), Some(7)));
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let text = "/-/console | x-forwarded-for: 1.1.1.1, 2.2.2.2 | x-forwarded-proto: https";
        let believed = request(text, &[PROXY]);
        assert_eq!((believed.source.to_string().as_str(), believed.is_secure), ("2.2.2.2", true));
        let unbelieved = request(text, &[]);
        assert_eq!((unbelieved.source, unbelieved.is_secure), (PROXY, false));
    }

    #[test]
    fn forms_of_other_pages_are_told_apart() {
        let ours = |text: &str| request(text, &[]).is_from_our_pages();
        assert!(ours("/-/console | host: h:7400 | origin: http://h:7400"));
        assert!(ours("/-/console | host: h:7400 | sec-fetch-site: same-origin"));
        assert!(!ours("/-/console | host: h:7400 | origin: http://evil"));
        assert!(!ours("/-/console | host: h:7400 | origin: null"));
        assert!(!ours(
            "/-/console | host: h:7400 | origin: http://h:7400 | sec-fetch-site: cross-site"
        ));
        assert!(!ours("/-/console | host: h:7400"));
    }
}
