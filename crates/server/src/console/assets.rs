//! The style sheet and the script: two files in the program, named by a digest of their contents.
//!
//! A name says what is behind it, so browsers may keep it for ever.

use std::sync::LazyLock;

use http::{HeaderValue, StatusCode, header};
use ring::digest;

use crate::http::body::{Response, full};
use crate::http::respond;

const STYLE: &[u8] = include_bytes!("static/console.css");
const SCRIPT: &[u8] = include_bytes!("static/console.js");

static STYLE_NAME: LazyLock<String> = LazyLock::new(|| name("css", STYLE));
static SCRIPT_NAME: LazyLock<String> = LazyLock::new(|| name("js", SCRIPT));

fn name(ending: &str, contents: &[u8]) -> String {
    let digest = hex::encode(digest::digest(&digest::SHA256, contents));
    format!("console.{}.{ending}", &digest[..16])
}

/// The file name of the style sheet.
pub fn style() -> &'static str {
    &STYLE_NAME
}

/// The file name of the script.
pub fn script() -> &'static str {
    &SCRIPT_NAME
}

/// The file of that name.
pub fn find(name: &str) -> Option<Response> {
    let (contents, content_type) = if name == style() {
        (STYLE, "text/css; charset=utf-8")
    } else if name == script() {
        (SCRIPT, "text/javascript; charset=utf-8")
    } else {
        return None;
    };
    let mut response = respond::with_status(StatusCode::OK, full(contents));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=31536000, immutable"),
    );
    Some(response)
}
