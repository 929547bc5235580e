//! AWS JSON 1.1: how CodeDeploy and the agents' command service put inputs, outputs and errors into bodies.
//!
//! Source: AWS JSON 1.1 protocol; which of `message` and `Message`, which prefix and suffix of a code clients bear.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{ErrorCode, ServiceError};

/// The content type of requests and answers.
pub const CONTENT_TYPE: &str = "application/x-amz-json-1.1";

/// The request header that names service and operation.
pub const TARGET_HEADER: &str = "x-amz-target";

/// The answer's header that carries the request's id.
pub const REQUEST_ID_HEADER: &str = "x-amzn-requestid";

/// The answer's header that repeats an error's name. The body has it too, and must: botocore reads only that.
pub const ERROR_TYPE_HEADER: &str = "x-amzn-errortype";

/// Whether a `Content-Type` header says JSON 1.1; parameters such as a charset do not matter.
pub fn is_content_type(header: &str) -> bool {
    let essence = header.split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case(CONTENT_TYPE)
}

/// Reads an input. An empty body is an empty object, unknown members are ignored, null is the same as absent.
///
/// What is not a JSON object, or holds a member of the wrong type, is a [`ErrorCode::Serialization`].
pub fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, ServiceError> {
    let body = body.trim_ascii();
    let body = if body.is_empty() { b"{}" } else { body };
    // serde would also fill a structure from a JSON array, member by member.
    if body[0] != b'{' {
        return Err(malformed("the body must be a JSON object"));
    }
    serde_json::from_slice(body).map_err(|error| malformed(&error.to_string()))
}

fn malformed(why: &str) -> ServiceError {
    ServiceError::new(ErrorCode::Serialization, why)
}

/// Writes an output; absent members are left out.
///
/// A type that JSON cannot hold is our own fault and an [`ErrorCode::InternalFailure`]; no generated type is.
pub fn encode<T: Serialize>(output: &T) -> Result<Vec<u8>, ServiceError> {
    serde_json::to_vec(output)
        .map_err(|error| ServiceError::new(ErrorCode::InternalFailure, error.to_string()))
}

/// The body of an error.
pub fn encode_error(error: &ServiceError) -> Vec<u8> {
    error_body(error.code.name(), &error.message)
}

/// The body of an error that is known by name only.
pub fn error_body(name: &str, message: &str) -> Vec<u8> {
    json!({ "__type": name, "message": message }).to_string().into_bytes()
}

/// Reads the name and the text of an error that a server answered with, as far as they are there.
///
/// `header` is the value of [`ERROR_TYPE_HEADER`]. A name may come qualified, as `prefix#Name:suffix`.
pub fn decode_error(header: Option<&str>, body: &[u8]) -> (String, String) {
    let body: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let member = |name: &str| body.get(name).and_then(Value::as_str);
    let name = member("__type").or_else(|| member("code")).or(header).unwrap_or_default();
    let message = member("message").or_else(|| member("Message")).unwrap_or_default();
    (unqualified(name).to_owned(), message.to_owned())
}

fn unqualified(name: &str) -> &str {
    let name = name.rsplit('#').next().unwrap_or(name);
    name.split(':').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codedeploy::{CreateApplicationInput, GetDeploymentInput};

    #[test]
    fn an_input_is_read_kindly() {
        let read = |body: &str| decode::<GetDeploymentInput>(body.as_bytes());
        assert_eq!(read(""), Ok(GetDeploymentInput::default()));
        assert_eq!(read(" {} "), Ok(GetDeploymentInput::default()));
        assert_eq!(read(r#"{"deploymentId":null,"later":{"x":[1]}}"#), Ok(Default::default()));
        let named = read(r#"{"deploymentId":"d-1"}"#).expect("an input");
        assert_eq!(named.deployment_id.as_deref(), Some("d-1"));
    }

    #[test]
    fn what_is_not_an_input_is_a_serialization_error() {
        for body in ["{", "[]", "[\"d-1\"]", "null", "\"x\"", r#"{"deploymentId":7}"#, "{} {}"] {
            let error = decode::<GetDeploymentInput>(body.as_bytes()).expect_err(body);
            assert_eq!(error.code, ErrorCode::Serialization, "{body}");
        }
        let deep = format!("{{\"tags\":{}", "[".repeat(100_000));
        let error = decode::<CreateApplicationInput>(deep.as_bytes()).expect_err("too deep");
        assert_eq!(error.code, ErrorCode::Serialization);
    }

    #[test]
    fn absent_members_are_left_out() {
        let input =
            CreateApplicationInput { application_name: Some("Shop".into()), ..Default::default() };
        assert_eq!(encode(&input), Ok(br#"{"applicationName":"Shop"}"#.to_vec()));
    }

    #[test]
    fn an_error_is_told_and_understood() {
        let error = ServiceError::new(ErrorCode::ApplicationDoesNotExist, "No \"X\"");
        let body = encode_error(&error);
        let text = String::from_utf8(body.clone()).expect("JSON");
        assert_eq!(text, r#"{"__type":"ApplicationDoesNotExistException","message":"No \"X\""}"#);
        let expected = ("ApplicationDoesNotExistException".to_owned(), "No \"X\"".to_owned());
        assert_eq!(decode_error(None, &body), expected);
        let qualified = br#"{"__type":"com.amazonaws#Oops:http://x","Message":"m"}"#;
        assert_eq!(decode_error(None, qualified), ("Oops".to_owned(), "m".to_owned()));
        assert_eq!(decode_error(Some("Denied:x"), b"<html>"), ("Denied".into(), String::new()));
    }

    #[test]
    fn a_charset_does_not_change_the_content_type() {
        assert!(is_content_type("application/x-amz-json-1.1"));
        assert!(is_content_type("Application/X-Amz-JSON-1.1; charset=utf-8"));
        assert!(!is_content_type("application/json"));
        assert!(!is_content_type(""));
    }
}
