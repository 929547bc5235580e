//! Which bucket, if any, the `Host` header names.
//!
//! Clients put the bucket into the path or into the host name, as they see fit. The parsers that `s3s` ships
//! take any name they do not know for a bucket, so ours says yes only to names it was told about.

use std::net::IpAddr;

use s3s::S3Result;
use s3s::host::{S3Host, VirtualHost};

/// The names under which the server is reached, as far as buckets may stand before them.
#[derive(Debug, Clone)]
pub(super) struct HostNames {
    /// Lower case, without port.
    bases: Vec<String>,
}

impl HostNames {
    /// `localhost` and `bases`, which are the endpoint's own names.
    pub(super) fn new(bases: impl IntoIterator<Item = String>) -> Self {
        let mut bases: Vec<_> = bases.into_iter().map(|base| base.to_ascii_lowercase()).collect();
        bases.push("localhost".to_owned());
        Self { bases }
    }

    /// The bucket that `host` names: what stands before one of our names, an `s3.` between them left out.
    fn bucket<'a>(&self, host: &'a str) -> Option<&'a str> {
        if host.starts_with('[') || host.parse::<IpAddr>().is_ok() {
            return None;
        }
        let before_base = self.bases.iter().find_map(|base| label_before(host, base));
        let bucket = match before_base {
            Some(before) => before.strip_suffix(".s3").or((before != "s3").then_some(before)),
            None => bucket_of_aws_name(host),
        };
        bucket.filter(|bucket| !bucket.is_empty())
    }
}

impl S3Host for HostNames {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        let name = without_port(host);
        let known = VirtualHost::new(name);
        // A bucket has no upper case, and a host name no case at all.
        Ok(match self.bucket(&name.to_ascii_lowercase()) {
            Some(bucket) => known.with_bucket(bucket.to_owned()),
            None => known,
        })
    }
}

/// What stands before `.base` in `host`.
fn label_before<'a>(host: &'a str, base: &str) -> Option<&'a str> {
    host.strip_suffix(base)?.strip_suffix('.')
}

/// The bucket in `B.s3.amazonaws.com`, `B.s3.REGION.amazonaws.com` or `B.s3-REGION.amazonaws.com`: such names
/// reach us where somebody's name server sends them here.
fn bucket_of_aws_name(host: &str) -> Option<&str> {
    let host = host.strip_suffix(".amazonaws.com")?;
    if let Some(bucket) = host.strip_suffix(".s3") {
        return Some(bucket);
    }
    let (before, region) = host.rsplit_once('.')?;
    if region.starts_with("s3-") { Some(before) } else { before.strip_suffix(".s3") }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(host: &str, bucket: Option<&str>) {
        let names = HostNames::new(["longshore.example.org".to_owned()]);
        let parsed = names.parse_host_header(host).unwrap();
        assert_eq!(parsed.bucket(), bucket, "{host}");
    }

    #[test]
    fn a_bucket_may_stand_before_one_of_our_names() {
        check("releases.localhost:7400", Some("releases"));
        check("releases.s3.localhost:7400", Some("releases"));
        check("my.releases.longshore.example.org", Some("my.releases"));
        check("Releases.LocalHost:7400", Some("releases"));
    }

    #[test]
    fn our_own_names_mean_path_style() {
        check("localhost", None);
        check("localhost:7400", None);
        check("s3.localhost", None);
        check("longshore.example.org", None);
    }

    #[test]
    fn strangers_and_addresses_mean_path_style() {
        check("127.0.0.1:7400", None);
        check("10.213.0.1", None);
        check("[::1]:7400", None);
        check("build-server", None);
        check("a.b.c.example.com", None);
        check("xlocalhost", None);
    }

    #[test]
    fn the_names_of_the_real_service_are_understood() {
        check("releases.s3.amazonaws.com", Some("releases"));
        check("a.b.s3.eu-west-1.amazonaws.com", Some("a.b"));
        check("releases.s3-eu-west-1.amazonaws.com", Some("releases"));
        check("s3.amazonaws.com", None);
        check("s3.eu-west-1.amazonaws.com", None);
    }
}
