//! Longshore's own paths, under `/-/`, where no bucket can be.

use http::{HeaderMap, Method, StatusCode, header};
use wire::longshore::{API_VERSION, BOTOCORE_MODEL};

use super::body::{Response, full};
use super::respond;

/// What a visitor of `/` reads.
const WELCOME: &str = "\
This is longshore, a deployment service that speaks the protocol of AWS CodeDeploy.

Point the aws command line at this address:

    AWS_ENDPOINT_URL=http://THIS-ADDRESS aws deploy list-applications

Console: /-/console    Health: /-/healthz    Metrics: /-/metrics    Certificate of the signer: /-/signer.pem
Model of longshore's own operations for boto3 and aws: /-/botocore/longshore/2026-11-24/service-2.json
";

/// What the own paths show.
pub struct Facts<'a> {
    /// Whether the database answers.
    pub healthy: bool,
    /// The metrics, if they are asked for.
    pub metrics: String,
    /// The certificate with which agents verify deployment specifications.
    pub signer_pem: &'a str,
    /// The certificate with which receivers verify what topics send, if that is asked for and there is one.
    pub signing_pem: Option<String>,
}

/// Where the certificate is to which `SigningCertURL` leads.
pub const SIGNING_PEM: &str = "sns/signing.pem";

/// Where Prometheus scrapes.
pub const METRICS: &str = "metrics";

/// Answers a visitor of `/`: sends a browser to the console, and tells anybody else what this is.
pub fn welcome(headers: &HeaderMap) -> Response {
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    if accepted.is_some_and(|accepted| accepted.contains("text/html")) {
        let mut response = respond::with_status(StatusCode::SEE_OTHER, full(""));
        let console = header::HeaderValue::from_static("/-/console");
        response.headers_mut().insert(header::LOCATION, console);
        return response;
    }
    text(StatusCode::OK, WELCOME.to_owned())
}

/// Answers a request for `/-/` and `path`.
pub fn answer(method: &Method, path: &str, facts: &Facts<'_>) -> Response {
    if method != Method::GET && method != Method::HEAD {
        return text(StatusCode::METHOD_NOT_ALLOWED, format!("/-/{path} can only be read\n"));
    }
    if let Some(pem) = &facts.signing_pem {
        return text(StatusCode::OK, pem.clone());
    }
    match path {
        "healthz" if facts.healthy => text(StatusCode::OK, "ok\n".to_owned()),
        "healthz" => {
            text(StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n".to_owned())
        }
        METRICS => text(StatusCode::OK, facts.metrics.clone()),
        path if path == botocore_model() => {
            typed(StatusCode::OK, "application/json", BOTOCORE_MODEL.to_owned())
        }
        "signer.pem" => text(StatusCode::OK, facts.signer_pem.to_owned()),
        _ => text(StatusCode::NOT_FOUND, "there is nothing at this path\n".to_owned()),
    }
}

/// Laid out as botocore wants its directories of models.
fn botocore_model() -> String {
    format!("botocore/longshore/{API_VERSION}/service-2.json")
}

fn text(status: StatusCode, text: String) -> Response {
    typed(status, "text/plain; charset=utf-8", text)
}

fn typed(status: StatusCode, content_type: &'static str, text: String) -> Response {
    let mut response = respond::with_status(status, full(text));
    let content_type = header::HeaderValue::from_static(content_type);
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response
}
