//! Answers: pages, redirects, downloads, and the headers that all of them carry.

use askama::Template;
use http::{HeaderName, HeaderValue, StatusCode, header};

use crate::http::body::{Response, full};
use crate::http::respond;

use super::problem::Problem;

/// Nothing but our own files is loaded, nothing is sent elsewhere, nothing runs that stands in a page, and nobody may
/// put a page of ours into a frame of theirs. Shapes of icons stand in the style sheet as `data:` images.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// A page of a template.
///
/// # Errors
/// The template failed, which a checked one never does.
pub fn page(template: &impl Template) -> Result<Response, Problem> {
    page_with(StatusCode::OK, template)
}

/// The same with another status.
///
/// # Errors
/// As of [`page`].
pub fn page_with(status: StatusCode, template: &impl Template) -> Result<Response, Problem> {
    let text = template.render().map_err(|error| Problem::internal("a page", error))?;
    Ok(html(status, text))
}

/// A page as it stands.
pub fn html(status: StatusCode, text: String) -> Response {
    let mut response = respond::with_status(status, full(text));
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, html);
    response
}

/// Sends the browser on by `GET`.
pub fn see_other(place: &str) -> Response {
    let mut response = respond::with_status(StatusCode::SEE_OTHER, full(""));
    // Only paths of our own come here; one that cannot stand in a header leads to the beginning.
    let place = HeaderValue::from_str(place).unwrap_or(HeaderValue::from_static("/-/console"));
    response.headers_mut().insert(header::LOCATION, place);
    response
}

/// A text to be kept as a file of that name.
pub fn download(name: &str, text: String) -> Response {
    let mut response = respond::with_status(StatusCode::OK, full(text));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    let safe: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' })
        .collect();
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{safe}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    response
}

/// Adds a cookie.
pub fn with_cookie(mut response: Response, cookie: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}

/// Adds what every answer carries. What names no other way of keeping it is not kept: pages show what one person may
/// see at one moment.
pub fn sealed(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        ("content-security-policy", CONTENT_SECURITY_POLICY),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=()"),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
