//! AWS Signature Version 4: signing requests (agent, tools) and verifying them (server), on the bytes as received.
//!
//! Pure: times are arguments, in seconds since the epoch; keys are looked up by the caller between [`Claim::parse`]
//! and [`Claim::verify`]. The server verifies every service but S3 with this, S3 has its own in its library; the
//! signer serves both. Source: AWS Signature Version 4 reference; `sigv4-vectors.json` beside the tests.
//!
//! ```
//! # extern crate longshore_wire as wire;
//! use wire::sigv4::{self, Claim, Credentials, Request, Scope};
//!
//! let headers = [("host", &b"127.0.0.1:7400"[..]), ("x-amz-target", &b"CodeDeploy_20141006.ListApplications"[..])];
//! let request = Request { method: "POST", target: "/", headers: &headers };
//! let credentials = Credentials::new("AKIDEXAMPLE", "secret", None);
//! let scope = Scope { region: "us-east-1", service: "codedeploy" };
//! let hash = sigv4::payload_hash(b"{}");
//! let now = 1_750_000_000;
//! let added = sigv4::sign(&request, &credentials, scope, now, &hash);
//!
//! let mut received = headers.to_vec();
//! received.extend(added.iter().map(|(name, value)| (*name, value.as_bytes())));
//! let request = Request { headers: &received, ..request };
//! let claim = Claim::parse(&request)?;
//! claim.check_service("codedeploy")?;
//! let key = sigv4::derive_key("secret", &claim.date, &claim.region, &claim.service);
//! claim.verify(&key, &request, now, sigv4::SKEW_SECONDS, &hash)?;
//! # Ok::<(), sigv4::AuthError>(())
//! ```

mod canonical;
mod claim;
mod date;
mod error;
mod sign;

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

pub use claim::Claim;
pub use error::{AuthError, Dialect, Refusal};
pub use sign::{presign, sign};

/// How far a request's time may be from ours, in seconds. S3 allows 15 minutes instead.
/// Source: observed texts "(… - 5 min.)" of the service.
pub const SKEW_SECONDS: i64 = 300;

/// The longest life of a presigned request, in seconds: seven days. Source: Signature Version 4 reference.
pub const PRESIGNED_SECONDS_MAX: i64 = 604_800;

/// The payload hash of a request whose body is not covered by the signature. Only S3 and presigned requests say so.
pub const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

pub(crate) const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// A request as far as a signature covers it.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The method, upper-case.
    pub method: &'a str,
    /// Path and query exactly as on the wire, such as `/a%20b?uploads`.
    pub target: &'a str,
    /// All headers in the order received, repeats included; the case of names does not matter.
    pub headers: &'a [(&'a str, &'a [u8])],
}

impl<'a> Request<'a> {
    /// The value of a header that should come once; the first if it comes more often.
    pub fn header(&self, name: &str) -> Option<&'a [u8]> {
        self.headers
            .iter()
            .find(|(candidate, _)| candidate.eq_ignore_ascii_case(name))
            .map(|(_, value)| *value)
    }

    pub(crate) fn text(&self, name: &str) -> Option<&'a str> {
        self.header(name).and_then(|value| std::str::from_utf8(value).ok()).map(str::trim)
    }

    pub(crate) fn path_and_query(&self) -> (&'a str, &'a str) {
        self.target.split_once('?').unwrap_or((self.target, ""))
    }
}

/// What a caller signs with.
#[derive(Clone)]
pub struct Credentials {
    /// The public half, such as `AKIA…`, or `ASIA…` for a session.
    pub access_key: String,
    /// The secret half. `Debug` does not show it.
    pub secret_key: String,
    /// The token of a session.
    pub session_token: Option<String>,
}

impl Credentials {
    /// Credentials of a user, or with a token of a session.
    pub fn new(
        access_key: impl Into<String>,
        secret_key: impl Into<String>,
        session_token: Option<String>,
    ) -> Self {
        Self { access_key: access_key.into(), secret_key: secret_key.into(), session_token }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("access_key", &self.access_key).finish_non_exhaustive()
    }
}

/// Where a signature is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope<'a> {
    /// Such as `us-east-1`.
    pub region: &'a str,
    /// The signing name, such as `codedeploy`.
    pub service: &'a str,
}

/// A key that signs one day's requests to one service in one region.
///
/// Deriving it takes four hashes, so a server may keep it for the day. `Debug` does not show it.
#[derive(Clone)]
pub struct SigningKey([u8; 32]);

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(..)")
    }
}

impl SigningKey {
    fn mac(&self, text: &[u8]) -> Hmac<Sha256> {
        keyed(&self.0, text)
    }

    fn sign(&self, text: &[u8]) -> String {
        hex::encode(self.mac(text).finalize().into_bytes())
    }
}

/// Derives the signing key of `secret` for a day (`YYYYMMDD`), a region and a service.
pub fn derive_key(secret: &str, date: &str, region: &str, service: &str) -> SigningKey {
    let mut key = hash(format!("AWS4{secret}").as_bytes(), date.as_bytes());
    for part in [region, service, "aws4_request"] {
        key = hash(&key, part.as_bytes());
    }
    SigningKey(key)
}

fn hash(key: &[u8], text: &[u8]) -> [u8; 32] {
    keyed(key, text).finalize().into_bytes().into()
}

fn keyed(key: &[u8], text: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text);
    mac
}

/// The SHA-256 of a body, in lower-case hexadecimal.
pub fn payload_hash(body: &[u8]) -> String {
    hex::encode(Sha256::digest(body))
}

#[cfg(test)]
mod tests;
