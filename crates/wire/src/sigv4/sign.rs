//! The client's side: signing a request, and presigning one.

use percent_encoding::utf8_percent_encode;

use super::canonical::{self, ENCODED};
use super::{ALGORITHM, Credentials, Request, Scope, UNSIGNED_PAYLOAD, date, derive_key};

/// Headers that proxies and clients change or add after signing.
const NEVER_SIGNED: &[&str] = &[
    "authorization",
    "connection",
    "expect",
    "transfer-encoding",
    "user-agent",
    "x-amz-security-token",
    "x-amz-date",
    "x-amz-content-sha256",
    "x-amzn-trace-id",
];

/// Signs a request: the headers to add to it, `authorization` among them.
///
/// `request` has its `host` and whatever else is to be covered; `now` is in seconds since the epoch; `payload_hash`
/// is [`super::payload_hash`] of the body, or [`UNSIGNED_PAYLOAD`] where the service takes that.
pub fn sign(
    request: &Request<'_>,
    credentials: &Credentials,
    scope: Scope<'_>,
    now: i64,
    payload_hash: &str,
) -> Vec<(&'static str, String)> {
    let time = date::basic(now);
    let mut added =
        vec![("x-amz-content-sha256", payload_hash.to_owned()), ("x-amz-date", time.clone())];
    if let Some(token) = &credentials.session_token {
        added.push(("x-amz-security-token", token.clone()));
    }
    let mut headers: Vec<(&str, &[u8])> = request
        .headers
        .iter()
        .copied()
        .filter(|(name, _)| !NEVER_SIGNED.iter().any(|never| never.eq_ignore_ascii_case(name)))
        .collect();
    headers.extend(added.iter().map(|(name, value)| (*name, value.as_bytes())));
    let signed = signed_names(&headers);
    let complete = Request { headers: &headers, ..*request };
    let full_scope = full_scope(&time, scope);
    let canonical = canonical::request(&complete, scope.service, &signed, payload_hash);
    let signature = signature(credentials, &time, scope, &full_scope, &canonical);
    let authorization = format!(
        "{ALGORITHM} Credential={}/{full_scope}, SignedHeaders={}, Signature={signature}",
        credentials.access_key,
        signed.join(";")
    );
    added.push(("authorization", authorization));
    added
}

/// Presigns a request: its target with the signing parameters, to be used within `seconds` from `now`.
///
/// `request` has the headers that will be sent, `host` at least; the body is not covered for S3, and must be empty
/// for the others.
pub fn presign(
    request: &Request<'_>,
    credentials: &Credentials,
    scope: Scope<'_>,
    now: i64,
    seconds: u32,
) -> String {
    let time = date::basic(now);
    let full_scope = full_scope(&time, scope);
    let signed = signed_names(request.headers);
    let credential = format!("{}/{full_scope}", credentials.access_key);
    let (seconds, names) = (seconds.to_string(), signed.join(";"));
    let mut parameters = vec![
        ("X-Amz-Algorithm", ALGORITHM),
        ("X-Amz-Credential", &credential),
        ("X-Amz-Date", &time),
        ("X-Amz-Expires", &seconds),
        ("X-Amz-SignedHeaders", &names),
    ];
    if let Some(token) = &credentials.session_token {
        parameters.push(("X-Amz-Security-Token", token));
    }
    let mut target = request.target.to_owned();
    for (name, value) in parameters {
        target.push(if target.contains('?') { '&' } else { '?' });
        target.push_str(&format!("{name}={}", utf8_percent_encode(value, ENCODED)));
    }
    let hash = presigned_payload_hash(scope.service);
    let complete = Request { target: &target, ..*request };
    let canonical = canonical::request(&complete, scope.service, &signed, &hash);
    let signature = signature(credentials, &time, scope, &full_scope, &canonical);
    format!("{target}&X-Amz-Signature={signature}")
}

/// What stands for the body of a presigned request.
pub(super) fn presigned_payload_hash(service: &str) -> String {
    if service == "s3" { UNSIGNED_PAYLOAD.to_owned() } else { super::payload_hash(b"") }
}

fn signed_names(headers: &[(&str, &[u8])]) -> Vec<String> {
    let mut names: Vec<String> =
        headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    names.sort();
    names.dedup();
    names
}

fn full_scope(time: &str, scope: Scope<'_>) -> String {
    format!("{}/{}/{}/aws4_request", &time[..8], scope.region, scope.service)
}

fn signature(
    credentials: &Credentials,
    time: &str,
    scope: Scope<'_>,
    full_scope: &str,
    canonical: &[u8],
) -> String {
    let key = derive_key(&credentials.secret_key, &time[..8], scope.region, scope.service);
    key.sign(canonical::string_to_sign(time, full_scope, canonical).as_bytes())
}
