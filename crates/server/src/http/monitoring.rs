//! CloudWatch over JSON 1.0 and CBOR: from a body to an input, from an output or a refusal to an answer.

use http::StatusCode;
use http::header::{HeaderName, HeaderValue};
use serde_json::{Value, json};
use wire::monitoring::{
    CBOR_CONTENT_TYPE, JSON_CONTENT_TYPE, PROTOCOL, PROTOCOL_HEADER, QUERY_ERROR_HEADER, from_cbor,
    to_cbor,
};

use super::body::{Response, full};
use super::respond;
use super::route::MonitoringProtocol;
use crate::cloudwatch::Input;
use crate::forms::ApiError;

/// Reads an input.
pub fn read(protocol: MonitoringProtocol, body: &[u8]) -> Result<Input, ApiError> {
    let malformed = |error: String| ApiError::client("SerializationException", error);
    let value = match protocol {
        MonitoringProtocol::Json => {
            wire::json11::decode(body).map_err(|error| malformed(error.to_string()))?
        }
        MonitoringProtocol::Cbor => {
            from_cbor(body).map_err(|error| malformed(error.to_string()))?
        }
    };
    Ok(Input::Json(value))
}

/// Writes an answer.
pub fn respond(
    protocol: MonitoringProtocol,
    outcome: &Result<Value, ApiError>,
    request_id: &str,
) -> Response {
    let (status, value) = match outcome {
        Ok(Value::Null) => (200, json!({})),
        Ok(output) => (200, output.clone()),
        Err(error) => {
            (error.status, json!({"__type": shape(&error.code), "message": error.message}))
        }
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let (content_type, body) = match protocol {
        MonitoringProtocol::Json => {
            (JSON_CONTENT_TYPE, without_nulls(value).to_string().into_bytes())
        }
        MonitoringProtocol::Cbor => (CBOR_CONTENT_TYPE, to_cbor(&value)),
    };
    let response = respond::with_status(status, full(body));
    let mut response = respond::labelled(response, content_type, request_id);
    let headers = response.headers_mut();
    if protocol == MonitoringProtocol::Cbor {
        headers
            .insert(HeaderName::from_static(PROTOCOL_HEADER), HeaderValue::from_static(PROTOCOL));
    }
    if let Err(error) = outcome {
        let fault = if error.status >= 500 { "Receiver" } else { "Sender" };
        if let Ok(value) = HeaderValue::from_str(&format!("{};{fault}", error.code)) {
            headers.insert(HeaderName::from_static(QUERY_ERROR_HEADER), value);
        }
    }
    response
}

/// The name of an error's shape: where the form protocol has a shorter one, the newer protocols add a word.
fn shape(code: &str) -> String {
    match code {
        "InvalidParameterValue" | "InvalidParameterCombination" => format!("{code}Exception"),
        "InvalidFormat" => "InvalidFormatFault".to_owned(),
        "ValidationError" => "ValidationException".to_owned(),
        "InvalidAction" => "UnknownOperationException".to_owned(),
        other => other.to_owned(),
    }
}

/// Absent members are left out, not written as null.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.into_iter().filter(|(_, member)| !member.is_null());
            Value::Object(members.map(|(name, member)| (name, without_nulls(member))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(without_nulls).collect()),
        other => other,
    }
}
