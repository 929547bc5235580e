//! The server's side: what a request claims about its caller, and whether that holds.

use std::collections::HashMap;

use hmac::Mac;
use percent_encoding::percent_decode_str;

use super::sign::presigned_payload_hash;
use super::{ALGORITHM, AuthError, PRESIGNED_SECONDS_MAX, Request, SigningKey, canonical, date};

/// What a signed request says about itself, before anybody has believed it.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Whose secret is said to have signed.
    pub access_key: String,
    /// The scope's day, `YYYYMMDD`.
    pub date: String,
    /// The scope's region.
    pub region: String,
    /// The scope's service.
    pub service: String,
    /// The session's token, if one came along. Whether it is the key's own is for the keeper of keys to say.
    pub token: Option<String>,
    /// When it was signed, seconds since the epoch.
    pub time: i64,
    /// For how many seconds it is good, if it is presigned.
    pub expires: Option<i64>,
    signed_headers: Vec<String>,
    signature: [u8; 32],
}

/// Headers that must be signed if they are there: altered, they would change what the request means.
const MUST_BE_SIGNED: &[&str] = &["host", "x-amz-date", "x-amz-security-token", "x-amz-target"];

/// S3 demands it of every `x-amz-` header, but for this one that clients add after signing.
const MAY_BE_UNSIGNED: &str = "x-amz-user-agent";

impl Claim {
    /// Reads the claim from the `Authorization` header, else from the signing parameters of the query.
    ///
    /// [`AuthError::Missing`] if there is neither, [`AuthError::Malformed`] or [`AuthError::WrongDate`] if what is
    /// there is not a signature in good form.
    pub fn parse(request: &Request<'_>) -> Result<Self, AuthError> {
        let claim = match request.header("authorization") {
            Some(value) => Self::from_header(request, value)?,
            None => Self::from_query(request)?,
        };
        let time = date::basic(claim.time);
        if time[..8] != claim.date {
            let request = time[..8].to_owned();
            return Err(AuthError::WrongDate { scope: claim.date, request, time });
        }
        claim.check_signed_headers(request)?;
        Ok(claim)
    }

    fn from_header(request: &Request<'_>, value: &[u8]) -> Result<Self, AuthError> {
        let value = std::str::from_utf8(value).map_err(|_| {
            AuthError::Malformed("Authorization header is not valid text.".to_owned())
        })?;
        let (algorithm, fields) = value.trim().split_once(' ').unwrap_or((value.trim(), ""));
        if algorithm != ALGORITHM {
            let text = format!("Unsupported AWS 'algorithm': only {ALGORITHM} is supported.");
            return Err(AuthError::Malformed(text));
        }
        let fields: HashMap<&str, &str> =
            fields.split(',').filter_map(|field| field.trim().split_once('=')).collect();
        let field = |name: &str| {
            fields.get(name).copied().ok_or_else(|| {
                AuthError::Malformed(format!("Authorization header requires '{name}' parameter."))
            })
        };
        let (credential, names, signature) =
            (field("Credential")?, field("SignedHeaders")?, field("Signature")?);
        let time = header_time(request)?;
        let token = request.text("x-amz-security-token").map(str::to_owned);
        Self::new(credential, names, signature, time, token, None)
    }

    fn from_query(request: &Request<'_>) -> Result<Self, AuthError> {
        let parameters = signing_parameters(request.path_and_query().1)?;
        let parameter = |name: &str| {
            parameters.get(name).map(String::as_str).ok_or_else(|| {
                AuthError::Malformed(format!("the query requires the '{name}' parameter"))
            })
        };
        if !parameters.contains_key("X-Amz-Algorithm")
            && !parameters.contains_key("X-Amz-Signature")
        {
            return Err(AuthError::Missing);
        }
        if parameter("X-Amz-Algorithm")? != ALGORITHM {
            return Err(AuthError::Malformed(format!("X-Amz-Algorithm only supports {ALGORITHM}")));
        }
        let time = date::parse_basic(parameter("X-Amz-Date")?)
            .ok_or_else(|| bad_date(parameter("X-Amz-Date").unwrap_or_default()))?;
        let seconds = parameter("X-Amz-Expires")?.parse().ok();
        let seconds = seconds.filter(|seconds| (1..=PRESIGNED_SECONDS_MAX).contains(seconds));
        let seconds = seconds.ok_or_else(|| {
            let text = format!("X-Amz-Expires must be 1 to {PRESIGNED_SECONDS_MAX} seconds");
            AuthError::Malformed(text)
        })?;
        Self::new(
            parameter("X-Amz-Credential")?,
            parameter("X-Amz-SignedHeaders")?,
            parameter("X-Amz-Signature")?,
            time,
            parameters.get("X-Amz-Security-Token").cloned(),
            Some(seconds),
        )
    }

    fn new(
        credential: &str,
        signed_headers: &str,
        signature: &str,
        time: i64,
        token: Option<String>,
        expires: Option<i64>,
    ) -> Result<Self, AuthError> {
        // From the right: a key may hold slashes.
        let mut parts = credential.rsplitn(5, '/');
        let mut part = || parts.next().filter(|part| !part.is_empty()).map(str::to_owned);
        let (end, service, region, date, access_key) = (part(), part(), part(), part(), part());
        let (Some("aws4_request"), Some(service), Some(region), Some(date), Some(access_key)) =
            (end.as_deref(), service, region, date, access_key)
        else {
            let text = "Credential must have the form access-key/date/region/service/aws4_request.";
            return Err(AuthError::Malformed(text.to_owned()));
        };
        let mut bytes = [0; 32];
        hex::decode_to_slice(signature, &mut bytes)
            .map_err(|_| AuthError::Malformed("Signature must be 64 hex digits.".to_owned()))?;
        let signed_headers: Vec<String> =
            signed_headers.split(';').map(str::to_ascii_lowercase).collect();
        if !signed_headers.is_sorted_by(|one, next| one < next) {
            let text = "SignedHeaders must be sorted and name each header once.";
            return Err(AuthError::Malformed(text.to_owned()));
        }
        Ok(Self {
            access_key,
            date,
            region,
            service,
            token,
            time,
            expires,
            signed_headers,
            signature: bytes,
        })
    }

    fn check_signed_headers(&self, request: &Request<'_>) -> Result<(), AuthError> {
        let signed = |name: &str| {
            self.signed_headers.binary_search_by(|signed| signed.as_str().cmp(name)).is_ok()
        };
        if !signed("host") {
            return Err(unsigned("host"));
        }
        // Whichever header the time came from, it must not be exchangeable.
        if self.expires.is_none() && !signed("x-amz-date") && !signed("date") {
            return Err(unsigned("x-amz-date"));
        }
        for (name, _) in request.headers {
            let name = name.to_ascii_lowercase();
            let s3_own =
                self.service == "s3" && name.starts_with("x-amz-") && name != MAY_BE_UNSIGNED;
            if (s3_own || MUST_BE_SIGNED.contains(&name.as_str())) && !signed(&name) {
                return Err(unsigned(&name));
            }
        }
        let absent = self.signed_headers.iter().find(|name| request.header(name).is_none());
        match absent {
            Some(name) => {
                Err(AuthError::Malformed(format!("the signed header '{name}' is not present")))
            }
            None => Ok(()),
        }
    }

    /// Whether it was signed for the service that it went to.
    pub fn check_service(&self, expected: &str) -> Result<(), AuthError> {
        if self.service == expected {
            Ok(())
        } else {
            Err(AuthError::WrongService { expected: expected.to_owned() })
        }
    }

    /// Whether the claim holds: made in time, for this body, with the key.
    ///
    /// `key` comes from [`super::derive_key`] with the secret of [`Claim::access_key`] and this claim's scope. `now` and
    /// `skew` are in seconds; `payload_hash` is [`super::payload_hash`] of the body as received. For S3, the hash
    /// that the request states is trusted here: checking the body against it is up to whoever reads the body.
    pub fn verify(
        &self,
        key: &SigningKey,
        request: &Request<'_>,
        now: i64,
        skew: i64,
        payload_hash: &str,
    ) -> Result<(), AuthError> {
        self.check_time(now, skew)?;
        let payload_hash = self.covered_payload(request, payload_hash)?;
        let canonical =
            canonical::request(request, &self.service, &self.signed_headers, &payload_hash);
        let time = date::basic(self.time);
        let scope = format!("{}/{}/{}/aws4_request", self.date, self.region, self.service);
        let text = canonical::string_to_sign(&time, &scope, &canonical);
        // `verify_slice` takes the same time wherever the signatures differ.
        key.mac(text.as_bytes())
            .verify_slice(&self.signature)
            .map_err(|_| AuthError::SignatureMismatch)
    }

    fn check_time(&self, now: i64, skew: i64) -> Result<(), AuthError> {
        let Some(seconds) = self.expires else {
            return AuthError::check_skew(self.time, now, skew);
        };
        let ended = self.time + seconds;
        if now > ended {
            return Err(AuthError::Expired { ended, now });
        }
        if self.time > now + skew {
            return Err(AuthError::Future { time: self.time, now, skew });
        }
        Ok(())
    }

    fn covered_payload(&self, request: &Request<'_>, received: &str) -> Result<String, AuthError> {
        let stated = request.text("x-amz-content-sha256");
        match (stated, self.expires) {
            (Some(stated), _) if self.service == "s3" => Ok(stated.to_owned()),
            (Some(stated), _) if stated.eq_ignore_ascii_case(received) => Ok(stated.to_owned()),
            (Some(_), _) => Err(AuthError::PayloadMismatch),
            (None, Some(_)) if self.service == "s3" => Ok(presigned_payload_hash("s3")),
            (None, _) => Ok(received.to_owned()),
        }
    }
}

fn header_time(request: &Request<'_>) -> Result<i64, AuthError> {
    if let Some(text) = request.text("x-amz-date") {
        return date::parse_basic(text).ok_or_else(|| bad_date(text));
    }
    let text = request.text("date").ok_or_else(|| {
        let text =
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.";
        AuthError::Malformed(text.to_owned())
    })?;
    date::parse_header(text).ok_or_else(|| bad_date(text))
}

fn bad_date(text: &str) -> AuthError {
    let shown: String = text.chars().take(40).collect();
    AuthError::Malformed(format!("Date must be in ISO-8601 'basic format'. Got '{shown}'."))
}

fn unsigned(name: &str) -> AuthError {
    AuthError::Malformed(format!("'{name}' must be a signed header in the request."))
}

/// The `X-Amz-` parameters of a query. One that comes twice is refused: which of the two would count?
fn signing_parameters(query: &str) -> Result<HashMap<String, String>, AuthError> {
    let mut parameters = HashMap::new();
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = percent_decode_str(name).decode_utf8_lossy().into_owned();
        if !name.starts_with("X-Amz-") {
            continue;
        }
        let value = percent_decode_str(value).decode_utf8_lossy().into_owned();
        if parameters.insert(name, value).is_some() {
            let text = "a signing parameter is given more than once";
            return Err(AuthError::Malformed(text.to_owned()));
        }
    }
    Ok(parameters)
}
