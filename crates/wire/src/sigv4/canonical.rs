//! The canonical request: the one spelling of a request that both sides hash.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

use super::{ALGORITHM, Request};

/// Everything but `A-Z a-z 0-9 - _ . ~`.
pub(super) const ENCODED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

const ENCODED_IN_PATH: &AsciiSet = &ENCODED.remove(b'/');

/// The text whose HMAC is the signature.
///
/// `time` is in basic form, `scope` is `date/region/service/aws4_request`.
pub(super) fn string_to_sign(time: &str, scope: &str, canonical_request: &[u8]) -> String {
    let hash = super::payload_hash(canonical_request);
    format!("{ALGORITHM}\n{time}\n{scope}\n{hash}")
}

/// The canonical request. Values of headers are bytes, so the whole is.
///
/// `signed` names the headers, in lower case; one that the request lacks counts as empty, and then no signature fits.
pub(super) fn request(
    request: &Request<'_>,
    service: &str,
    signed: &[impl AsRef<str>],
    payload_hash: &str,
) -> Vec<u8> {
    let (path, query) = request.path_and_query();
    let mut out = Vec::with_capacity(512);
    for part in [request.method, &canonical_path(path, service), &canonical_query(query)] {
        out.extend_from_slice(part.as_bytes());
        out.push(b'\n');
    }
    for name in signed {
        out.extend_from_slice(name.as_ref().as_bytes());
        out.push(b':');
        canonical_values(request, name.as_ref(), &mut out);
        out.push(b'\n');
    }
    out.push(b'\n');
    let names: Vec<&str> = signed.iter().map(AsRef::as_ref).collect();
    out.extend_from_slice(names.join(";").as_bytes());
    out.push(b'\n');
    out.extend_from_slice(payload_hash.as_bytes());
    out
}

/// S3 decodes the path and encodes it once; the others remove dots and double slashes and encode the wire's
/// spelling once more.
fn canonical_path(path: &str, service: &str) -> String {
    if service == "s3" {
        let decoded: Cow<'_, [u8]> = percent_decode_str(path).into();
        return rooted(percent_encode(&decoded, ENCODED_IN_PATH).to_string());
    }
    percent_encode(without_dots(path).as_bytes(), ENCODED_IN_PATH).to_string()
}

fn rooted(path: String) -> String {
    if path.is_empty() { "/".to_owned() } else { path }
}

fn without_dots(path: &str) -> String {
    let mut segments = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            other => segments.push(other),
        }
    }
    let ends_in_directory = ["/", "/.", "/.."].iter().any(|end| path.ends_with(end));
    let mut out = format!("/{}", segments.join("/"));
    if ends_in_directory && out.len() > 1 {
        out.push('/');
    }
    out
}

/// Decoded, encoded and sorted. A plus is a plus, not a blank; the signature itself does not count.
fn canonical_query(query: &str) -> String {
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (recode(name), recode(value))
        })
        .filter(|(name, _)| name != "X-Amz-Signature")
        .collect();
    pairs.sort();
    let pairs: Vec<String> =
        pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

fn recode(text: &str) -> String {
    let decoded: Cow<'_, [u8]> = percent_decode_str(text).into();
    percent_encode(&decoded, ENCODED).to_string()
}

/// All values of a header, each trimmed and with runs of blanks made one, joined by commas.
fn canonical_values(request: &Request<'_>, name: &str, out: &mut Vec<u8>) {
    let values = request.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name));
    for (at, (_, value)) in values.enumerate() {
        if at > 0 {
            out.push(b',');
        }
        let mut blank_before = false;
        for &byte in value.trim_ascii() {
            let blank = byte == b' ';
            if !(blank && blank_before) {
                out.push(byte);
            }
            blank_before = blank;
        }
    }
}
