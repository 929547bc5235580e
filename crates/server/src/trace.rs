//! What lines of the log and exported spans are about: the request that is answered, the deployment that is moved.
//!
//! The names of the fields are those that people find in the log. Spans are made at the level of errors, so that lines of
//! every level have their fields.

use http::request::Parts;
use model::DeploymentId;
use tracing::Span;
use tracing::field::Empty;

use crate::console;
use crate::http::route::Route;

/// The span of a request. What only its body or its service tells is recorded later: [`tell_operation`],
/// [`tell_request_id`], [`tell_status`].
pub fn request(head: &Parts, route: &Route, request_id: Option<&str>) -> Span {
    let (service, operation) = match route {
        Route::Own(path) if console::is_ours(path) => ("console", None),
        Route::Own(_) => ("alertmanager", None),
        Route::CodeDeploy(operation) => ("codedeploy", Some(operation)),
        Route::Commands { operation, .. } => ("codedeploy-commands", Some(operation)),
        Route::Longshore { operation, .. } => ("longshore", Some(operation)),
        Route::Monitoring { operation, .. } => ("monitoring", Some(operation)),
        Route::UnknownTarget(target) => ("unknown", Some(target)),
        Route::Form { .. } => ("form", None),
        Route::Visitor => ("visitor", None),
        Route::S3 => ("s3", None),
    };
    let span = tracing::error_span!(
        "request",
        request_id,
        service = Empty,
        operation = operation.map(|name| shortened(name)),
        method = head.method.as_str(),
        status = Empty,
    );
    if !matches!(route, Route::Form { .. }) {
        span.record("service", service);
    }
    span
}

/// The span of one pass over a deployment.
pub fn pass(id: &DeploymentId) -> Span {
    tracing::error_span!("pass", deployment = %id)
}

/// The request of this task is for this operation, as its body says.
pub fn tell_operation(service: &str, operation: &str) {
    Span::current().record("service", service).record("operation", shortened(operation));
}

/// The request of this task is known to its caller by this id.
pub fn tell_request_id(id: &str) {
    Span::current().record("request_id", id);
}

/// The request was answered.
pub fn tell_status(span: &Span, status: http::StatusCode) {
    // With a sign, since exporters of spans make texts of numbers without.
    span.record("status", i64::from(status.as_u16()));
}

/// Callers choose the names of unknown operations.
fn shortened(name: &str) -> &str {
    name.char_indices().nth(64).map_or(name, |(end, _)| &name[..end])
}
