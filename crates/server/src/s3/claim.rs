//! What a request says about its own signature, checked before anybody computes one.
//!
//! `s3s` verifies signatures but is lenient about their shape: it lets a signature pass that leaves out `host`
//! or a header that changes the request's meaning, and reports broken headers under general names. The rules
//! here are the service's own. Source: API reference, "Authenticating Requests (AWS Signature Version 4)".

use http::{HeaderMap, Method, header};
use s3s::{S3Error, S3ErrorCode};

use super::fault::{self, because, invalid_argument, invalid_request};

/// Headers that clients add after signing, or that say nothing by which a request could be turned around.
const NEED_NOT_BE_SIGNED: [&str; 2] = ["x-amz-user-agent", "x-amz-content-sha256"];

/// The longest that a presigned address may be valid: seven days.
const PRESIGNED_SECONDS_MAX: u32 = 604_800;

/// Refuses a request whose signature is malformed, made for another service or leaves out what it must cover.
/// A request without any signature passes: whoever decides about access sees that it is anonymous.
pub(super) fn check(
    method: &Method,
    path: &str,
    query: &str,
    headers: &HeaderMap,
) -> Result<(), S3Error> {
    if [path, query].iter().any(|text| text.contains("%00")) {
        // PostgreSQL keeps no text with a NUL in it, and no key needs one.
        return Err(fault::known(S3ErrorCode::InvalidURI));
    }
    if method == Method::POST && is_form(headers) {
        // Browsers' form uploads carry their policy inside, and would have to be read into memory first.
        return Err(because(S3ErrorCode::NotImplemented, "Uploads by HTML form are not served."));
    }
    let version4 = parameter(query, "X-Amz-Signature").is_some()
        || parameter(query, "X-Amz-Algorithm").is_some();
    let version2 =
        parameter(query, "Signature").is_some() && parameter(query, "AWSAccessKeyId").is_some();
    let in_header = headers.get(header::AUTHORIZATION);
    if usize::from(version4) + usize::from(version2) + usize::from(in_header.is_some()) > 1 {
        return Err(invalid_argument(
            "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string \
             parameter or the Authorization header should be specified",
        ));
    }
    match in_header {
        Some(value) => check_header(value.to_str().unwrap_or_default(), headers),
        None if version4 => check_presigned(query, headers),
        None => Ok(()),
    }
}

/// The session token that came with the request, in whichever place its kind of signature keeps it.
pub(super) fn session_token(query: &str, headers: &HeaderMap) -> Option<String> {
    match headers.get("x-amz-security-token") {
        Some(token) => token.to_str().ok().map(str::to_owned),
        None => parameter(query, "X-Amz-Security-Token")
            .or_else(|| parameter(query, "x-amz-security-token")),
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.is_some_and(|value| {
        value.trim_start().to_ascii_lowercase().starts_with("multipart/form-data")
    })
}

fn check_header(value: &str, headers: &HeaderMap) -> Result<(), S3Error> {
    if value.starts_with("AWS ") {
        return Err(invalid_request(
            "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
        ));
    }
    let Some(fields) = value.strip_prefix("AWS4-HMAC-SHA256") else {
        return Err(invalid_argument("Unsupported Authorization Type"));
    };
    let field = |name: &str| {
        let named = fields.split(',').filter_map(|field| field.trim().split_once('='));
        named.filter(|(key, _)| *key == name).map(|(_, value)| value).next()
    };
    let malformed = |what: &str| {
        because(
            S3ErrorCode::AuthorizationHeaderMalformed,
            format!("The authorization header is malformed; {what}"),
        )
    };
    let credential = field("Credential").ok_or_else(|| malformed("the Credential is missing."))?;
    let signed =
        field("SignedHeaders").ok_or_else(|| malformed("the SignedHeaders are missing."))?;
    let signature = field("Signature").ok_or_else(|| malformed("the Signature is missing."))?;
    if !is_signature(signature) {
        return Err(malformed("the Signature is not 64 lower-case hexadecimal digits."));
    }
    check_credential(credential).map_err(|what| malformed(&what))?;
    if !headers.contains_key("x-amz-date") {
        return Err(because(
            S3ErrorCode::AccessDenied,
            "AWS authentication requires a valid Date or x-amz-date header",
        ));
    }
    check_coverage(signed, headers)
}

fn check_presigned(query: &str, headers: &HeaderMap) -> Result<(), S3Error> {
    let bad = |what: &str| because(S3ErrorCode::AuthorizationQueryParametersError, what.to_owned());
    let required = |name: &str| {
        parameter(query, name).ok_or_else(|| {
            bad(
                "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, \
                 X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
            )
        })
    };
    let (algorithm, credential) = (required("X-Amz-Algorithm")?, required("X-Amz-Credential")?);
    let (signature, _date) = (required("X-Amz-Signature")?, required("X-Amz-Date")?);
    let (signed, expires) = (required("X-Amz-SignedHeaders")?, required("X-Amz-Expires")?);
    if algorithm != "AWS4-HMAC-SHA256" {
        return Err(bad("X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\""));
    }
    if !is_signature(&signature) {
        return Err(bad("X-Amz-Signature must be 64 lower-case hexadecimal digits"));
    }
    check_credential(&credential)
        .map_err(|what| bad(&format!("Error parsing the X-Amz-Credential parameter; {what}")))?;
    match expires.parse::<u32>() {
        Ok(seconds @ 1..) if seconds <= PRESIGNED_SECONDS_MAX => check_coverage(&signed, headers),
        Ok(1..) => Err(bad(
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires \
                            must be less than 604800 seconds",
        )),
        _ => Err(bad("X-Amz-Expires should be a number of at least 1")),
    }
}

/// `KEY/DATE/REGION/s3/aws4_request`; any region will do, since buckets belong to none.
fn check_credential(credential: &str) -> Result<(), String> {
    let parts: Vec<_> = credential.rsplitn(5, '/').collect();
    let [terminal, service, _region, date, key] = parts.as_slice() else {
        return Err("expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".".to_owned());
    };
    if *service != "s3" {
        return Err(format!("incorrect service \"{service}\". This endpoint belongs to \"s3\"."));
    }
    if *terminal != "aws4_request" {
        return Err(format!(
            "incorrect terminal \"{terminal}\". This endpoint uses \"aws4_request\"."
        ));
    }
    if date.len() != 8 || !date.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(format!(
            "incorrect date format \"{date}\". This date in the credential must be in the format \
                            \"yyyyMMdd\"."
        ));
    }
    if key.is_empty() { Err("the access key is missing.".to_owned()) } else { Ok(()) }
}

/// A signature that left out `host` could be played to another server, and one that left out an `x-amz-` header
/// could be given another meaning by adding it: a copy instead of an upload, for one.
fn check_coverage(signed: &str, headers: &HeaderMap) -> Result<(), S3Error> {
    let is_signed = |name: &str| signed.split(';').any(|header| header.eq_ignore_ascii_case(name));
    let exposed = headers.keys().map(header::HeaderName::as_str).find(|name| {
        name.starts_with("x-amz-") && !NEED_NOT_BE_SIGNED.contains(name) && !is_signed(name)
    });
    let missing = if is_signed("host") { exposed } else { Some("host") };
    match missing {
        None => Ok(()),
        Some(name) => Err(because(
            S3ErrorCode::AccessDenied,
            format!("There were headers present in the request which were not signed: {name}"),
        )),
    }
}

fn is_signature(value: &str) -> bool {
    value.len() == 64 && value.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
}

/// The first value of a query parameter, decoded.
fn parameter(query: &str, name: &str) -> Option<String> {
    let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let (_, value) = pairs.into_iter().find(|(key, _)| *key == name)?;
    percent_encoding::percent_decode_str(value).decode_utf8().ok().map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNATURE: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn check_authorization(authorization: &str, extra: &[(&'static str, &str)]) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, authorization.parse().unwrap());
        headers.insert("x-amz-date", "20260102T030405Z".parse().unwrap());
        for (name, value) in extra {
            headers.insert(*name, value.parse().unwrap());
        }
        outcome(check(&Method::GET, "/", "", &headers))
    }

    fn check_query(query: &str) -> String {
        outcome(check(&Method::GET, "/", query, &HeaderMap::new()))
    }

    fn outcome(result: Result<(), S3Error>) -> String {
        result.err().map_or_else(|| "passes".to_owned(), |error| error.code().as_str().to_owned())
    }

    fn authorization(service: &str, signed: &str) -> String {
        format!(
            "AWS4-HMAC-SHA256 Credential=AK/20260102/us-east-1/{service}/aws4_request, SignedHeaders={signed}, \
             Signature={SIGNATURE}"
        )
    }

    #[test]
    fn a_well_made_header_passes() {
        assert_eq!(check_authorization(&authorization("s3", "host;x-amz-date"), &[]), "passes");
        let tight = authorization("s3", "host;x-amz-date").replace(", ", ",");
        assert_eq!(check_authorization(&tight, &[]), "passes");
    }

    #[test]
    fn a_signature_for_another_service_is_refused() {
        let other = authorization("ec2", "host;x-amz-date");
        assert_eq!(check_authorization(&other, &[]), "AuthorizationHeaderMalformed");
    }

    #[test]
    fn host_and_every_amz_header_must_be_signed() {
        assert_eq!(check_authorization(&authorization("s3", "x-amz-date"), &[]), "AccessDenied");
        let signed = authorization("s3", "host;x-amz-date");
        assert_eq!(check_authorization(&signed, &[("x-amz-copy-source", "a/b")]), "AccessDenied");
        assert_eq!(check_authorization(&signed, &[("x-amz-user-agent", "js")]), "passes");
    }

    #[test]
    fn broken_headers_are_called_malformed() {
        for broken in [
            "AWS4-HMAC-SHA256 Credential=AK/20260102/us-east-1/s3/aws4_request",
            "AWS4-HMAC-SHA256 Credential=AK/2026/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00",
            "AWS4-HMAC-SHA256",
        ] {
            assert_eq!(
                check_authorization(broken, &[]),
                "AuthorizationHeaderMalformed",
                "{broken}"
            );
        }
        assert_eq!(check_authorization("Bearer token", &[]), "InvalidArgument");
        assert_eq!(check_authorization("AWS AK:c2ln", &[]), "InvalidRequest");
    }

    #[test]
    fn presigned_addresses_live_a_week_at_most() {
        let presigned = |expires: &str| {
            format!(
                "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AK%2F20260102%2Fus-east-1%2Fs3%2Faws4_request\
                 &X-Amz-Date=20260102T030405Z&X-Amz-Expires={expires}&X-Amz-SignedHeaders=host\
                 &X-Amz-Signature={SIGNATURE}"
            )
        };
        assert_eq!(check_query(&presigned("604800")), "passes");
        assert_eq!(check_query(&presigned("604801")), "AuthorizationQueryParametersError");
        assert_eq!(check_query(&presigned("0")), "AuthorizationQueryParametersError");
        assert_eq!(check_query(&presigned("soon")), "AuthorizationQueryParametersError");
        assert_eq!(
            check_query("X-Amz-Algorithm=AWS4-HMAC-SHA256"),
            "AuthorizationQueryParametersError"
        );
    }

    #[test]
    fn two_signatures_are_one_too_many() {
        assert_eq!(
            check_query("X-Amz-Signature=1&Signature=2&AWSAccessKeyId=AK"),
            "InvalidArgument"
        );
    }

    #[test]
    fn nothing_may_hold_a_nul() {
        let path = outcome(check(&Method::GET, "/b/a%00b", "", &HeaderMap::new()));
        assert_eq!(
            (path.as_str(), check_query("prefix=%00").as_str()),
            ("InvalidURI", "InvalidURI")
        );
    }

    #[test]
    fn an_anonymous_request_has_no_shape_to_check() {
        assert_eq!(check_query("list-type=2"), "passes");
    }
}
