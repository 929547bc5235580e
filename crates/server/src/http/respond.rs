//! Answers of each dialect, with the request's id where the dialect has it.

use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Response as HttpResponse, StatusCode};
use store::StoreError;
use wire::{ErrorCode, ServiceError, json11, xml};

use super::body::{Body, Response, full};
use crate::app::Failure;
use crate::forms::NO_SPACE_LEFT;

const AMZN_REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// An answer with nothing but a status and a body.
pub fn with_status(status: StatusCode, body: Body) -> Response {
    let mut response = HttpResponse::new(body);
    *response.status_mut() = status;
    response
}

/// A success over JSON 1.1.
pub fn json(body: Vec<u8>, request_id: &str) -> Response {
    let response = with_status(StatusCode::OK, full(body));
    labelled(response, json11::CONTENT_TYPE, request_id)
}

/// A refusal over JSON 1.1.
pub fn json_error(error: &ServiceError, request_id: &str) -> Response {
    let status = StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let mut response = with_status(status, full(json11::encode_error(error)));
    response.headers_mut().insert(
        HeaderName::from_static(json11::ERROR_TYPE_HEADER),
        HeaderValue::from_static(error.code.name()),
    );
    labelled(response, json11::CONTENT_TYPE, request_id)
}

/// What a caller learns of a failure of ours: whether it is for want of room, which may be mended from outside.
pub fn internal_failure(failure: &Failure, request_id: &str) -> ServiceError {
    let message = if StoreError::is_full_behind(failure) {
        NO_SPACE_LEFT.to_owned()
    } else {
        format!("The request failed inside the service; its log has the reason under {request_id}")
    };
    ServiceError::new(ErrorCode::InternalFailure, message)
}

/// An XML answer of a form service.
pub fn xml(status: u16, document: String, request_id: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    labelled(with_status(status, full(document)), xml::CONTENT_TYPE, request_id)
}

/// The answer with its content type and the request's id.
pub fn labelled(mut response: Response, content_type: &'static str, request_id: &str) -> Response {
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert(AMZN_REQUEST_ID, id);
    }
    response
}
