//! CloudWatch's three protocols: JSON 1.0, CBOR and forms answer the same values.
//!
//! Handlers read inputs from, and write outputs to, JSON values; what the other two protocols spell differently is
//! added here. Of CloudWatch's members exactly those whose names end in `Timestamp` are points in time: seconds since
//! 1970 in JSON, the same with a tag in CBOR, ISO 8601 in XML.
//!
//! Source: Smithy 2.0, "Smithy RPC v2 CBOR protocol", "AWS JSON 1.0 protocol", "AWS Query protocol"; the service's
//! model.

use ciborium::Value as Cbor;
use ciborium::value::Integer;
use serde_json::{Map, Number, Value};

use crate::time::iso8601;
use crate::xml::Element;

/// The prefix of targets and the name of the service in the paths of CBOR requests.
pub const SERVICE: &str = "GraniteServiceVersion20100801";

/// The content type of JSON requests and answers.
pub const JSON_CONTENT_TYPE: &str = "application/x-amz-json-1.0";

/// The content type of CBOR requests and answers.
pub const CBOR_CONTENT_TYPE: &str = "application/cbor";

/// The header of CBOR requests and answers, and its value.
pub const PROTOCOL_HEADER: &str = "smithy-protocol";
pub const PROTOCOL: &str = "rpc-v2-cbor";

/// The header in which JSON and CBOR answers tell an error's name of the older form protocol: that is the name which
/// clients show.
pub const QUERY_ERROR_HEADER: &str = "x-amzn-query-error";

/// The tag of a number of seconds since 1970. Source: RFC 8949, §3.4.2.
const EPOCH: u64 = 1;

/// The most nested value that is read. The deepest input of the service has six levels.
const DEPTH_MAX: usize = 64;

/// Why bytes are no input.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the body is not a CBOR map of texts, numbers, truths, lists and maps: {0}")]
pub struct CborError(String);

/// Reads an input; an empty body is an empty map.
pub fn from_cbor(body: &[u8]) -> Result<Value, CborError> {
    if body.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    let read: Cbor = ciborium::de::from_reader_with_recursion_limit(body, DEPTH_MAX)
        .map_err(|error| CborError(error.to_string()))?;
    match plain(read)? {
        map @ Value::Object(_) => Ok(map),
        _ => Err(CborError("it is no map".to_owned())),
    }
}

fn plain(value: Cbor) -> Result<Value, CborError> {
    let unfit = |what: &str| CborError(what.to_owned());
    Ok(match value {
        Cbor::Null => Value::Null,
        Cbor::Bool(truth) => Value::Bool(truth),
        Cbor::Text(text) => Value::String(text),
        Cbor::Integer(number) => {
            let number = i64::try_from(number).map_err(|_| unfit("a number is too large"))?;
            Value::Number(number.into())
        }
        Cbor::Float(number) => {
            let number = Number::from_f64(number).ok_or_else(|| unfit("a number is not finite"))?;
            Value::Number(number)
        }
        Cbor::Tag(EPOCH, seconds) => plain(*seconds)?,
        Cbor::Array(items) => Value::Array(items.into_iter().map(plain).collect::<Result<_, _>>()?),
        Cbor::Map(members) => {
            let members = members.into_iter().map(|(name, member)| match name {
                Cbor::Text(name) => Ok((name, plain(member)?)),
                _ => Err(unfit("a member's name is no text")),
            });
            Value::Object(members.collect::<Result<_, _>>()?)
        }
        _ => return Err(unfit("it holds bytes or a foreign tag")),
    })
}

/// Writes an output or an error.
pub fn to_cbor(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Writing into memory cannot fail.
    let _ = ciborium::into_writer(&tagged("", value), &mut bytes);
    bytes
}

fn tagged(name: &str, value: &Value) -> Cbor {
    match value {
        Value::Null => Cbor::Null,
        Value::Bool(truth) => Cbor::Bool(*truth),
        Value::String(text) => Cbor::Text(text.clone()),
        Value::Number(number) if is_time(name) => {
            Cbor::Tag(EPOCH, Box::new(Cbor::Float(number.as_f64().unwrap_or_default())))
        }
        Value::Number(number) => match number.as_i64() {
            Some(whole) => Cbor::Integer(Integer::from(whole)),
            None => Cbor::Float(number.as_f64().unwrap_or_default()),
        },
        Value::Array(items) => Cbor::Array(items.iter().map(|item| tagged("", item)).collect()),
        Value::Object(members) => {
            let members = members.iter().filter(|(_, member)| !member.is_null());
            Cbor::Map(
                members.map(|(name, value)| (name.as_str().into(), tagged(name, value))).collect(),
            )
        }
    }
}

/// An output as the result of a form request.
pub fn to_element(value: &Value) -> Element {
    element("result", value)
}

fn element(name: &str, value: &Value) -> Element {
    let named = || name.to_owned();
    match value {
        Value::Null => Element::new(named()),
        Value::Bool(truth) => Element::of(named(), truth),
        Value::String(text) => Element::of(named(), text),
        Value::Number(number) if is_time(name) => {
            let seconds = number.as_f64().unwrap_or_default();
            Element::of(named(), iso8601((seconds * 1000.0).round() as i64))
        }
        Value::Number(number) => Element::of(named(), number),
        Value::Array(items) => {
            Element::list(named(), "member", items.iter().map(|item| element("member", item)))
        }
        Value::Object(members) => {
            let members = members.iter().filter(|(_, member)| !member.is_null());
            Element::new(named()).children(members.map(|(name, member)| element(name, member)))
        }
    }
}

fn is_time(name: &str) -> bool {
    name.ends_with("Timestamp")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn alarm() -> Value {
        json!({"MetricAlarms": [{
            "AlarmName": "a<b", "Threshold": 2.5, "Period": 60, "ActionsEnabled": true,
            "StateUpdatedTimestamp": 1_795_381_445.25, "OKActions": [], "Unit": null,
        }]})
    }

    #[test]
    fn an_output_reads_the_same_from_cbor() {
        let bytes = to_cbor(&alarm());
        // Tag 1, then a number of eight bytes.
        let tag = bytes.windows(2).position(|pair| pair == [0xc1, 0xfb]);
        assert!(tag.is_some(), "{bytes:02x?}");
        let mut expected = alarm();
        expected["MetricAlarms"][0].as_object_mut().unwrap().remove("Unit");
        assert_eq!(from_cbor(&bytes), Ok(expected));
    }

    #[test]
    fn an_output_in_xml_has_members_and_iso_times() {
        let text = to_element(&alarm()).to_document();
        for part in [
            "<MetricAlarms><member><AlarmName>a&lt;b</AlarmName><Threshold>2.5</Threshold>",
            "<StateUpdatedTimestamp>2026-11-22T21:04:05.250Z</StateUpdatedTimestamp><OKActions/>",
        ] {
            assert!(text.contains(part), "{text}");
        }
        assert!(!text.contains("Unit"), "{text}");
    }

    #[test]
    fn hostile_bodies_are_refused() {
        assert_eq!(from_cbor(b""), Ok(json!({})));
        for body in [
            &b"\xff"[..],
            b"\x01",
            b"\xa1\x01\x01",
            b"\xa1\x61\x61\x41\x00",
            b"\xa1\x61\x61\xf9\x7e\x00",
            // A list that claims to have 2^60 items, and one that is a thousand deep.
            b"\xa1\x61\x61\x9b\x10\x00\x00\x00\x00\x00\x00\x00",
            &[b"\xa1\x61\x61".as_slice(), &[0x81; 1000]].concat(),
        ] {
            assert!(from_cbor(body).is_err(), "{body:02x?}");
        }
    }
}
