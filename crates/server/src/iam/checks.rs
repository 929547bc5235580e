//! What every IAM operation checks of its parameters, and how it refuses.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use wire::xml::Element;

use super::policy::{MalformedPolicy, Policy, PolicyKind};
use super::records::Tags;
use crate::forms::{ApiError, BadParameter, Params};

impl From<BadParameter> for ApiError {
    fn from(bad: BadParameter) -> Self {
        Self::client("ValidationError", bad.to_string())
    }
}

/// A parameter that must be there.
pub(crate) fn required<'a>(params: Params<'a>, name: &str) -> Result<&'a str, ApiError> {
    params.text(name).ok_or_else(|| violation("null", name, "Member must not be null"))
}

/// A name of at most `length_max` characters of `A-Za-z0-9_+=,.@-`.
/// Source: IAM user guide, "IAM and AWS STS quotas", "IAM name requirements".
pub(crate) fn name<'a>(
    params: Params<'a>,
    parameter: &str,
    length_max: usize,
) -> Result<&'a str, ApiError> {
    let found = required(params, parameter)?;
    check_name(found, parameter, length_max)?;
    Ok(found)
}

fn check_name(found: &str, parameter: &str, length_max: usize) -> Result<(), ApiError> {
    if found.is_empty() {
        let rule = "Member must have length greater than or equal to 1";
        return Err(violation("''", parameter, rule));
    }
    if found.chars().count() > length_max {
        let rule = format!("Member must have length less than or equal to {length_max}");
        return Err(violation(&format!("'{found}'"), parameter, &rule));
    }
    if found.chars().any(|c| !c.is_ascii_alphanumeric() && !"_+=,.@-".contains(c)) {
        return Err(ApiError::client(
            "ValidationError",
            format!(
                "The specified value for {} is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-",
                lower_first(parameter)
            ),
        ));
    }
    Ok(())
}

/// The path given, `/` by default: slashes around, printable characters between.
pub(crate) fn path(params: Params<'_>) -> Result<String, ApiError> {
    let path = params.filled("Path").unwrap_or("/");
    let valid = path.len() <= 512
        && path.starts_with('/')
        && path.ends_with('/')
        && path.bytes().all(|b| (0x21..=0x7e).contains(&b));
    if valid {
        return Ok(path.to_owned());
    }
    Err(ApiError::client(
        "ValidationError",
        "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.",
    ))
}

/// The tags given.
pub(crate) fn tags(params: Params<'_>) -> Result<Tags, ApiError> {
    let mut tags = Tags::new();
    for tag in params.list("Tags") {
        let key = required(tag, "Key")?;
        if key.is_empty() || key.chars().count() > 128 {
            return Err(violation(
                &format!("'{key}'"),
                "tags.member.key",
                "Member must have length between 1 and 128",
            ));
        }
        let value = tag.text("Value").unwrap_or_default();
        if tags.insert(key.to_owned(), value.to_owned()).is_some() {
            let message =
                "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
            return Err(ApiError::client("InvalidInput", message));
        }
    }
    if tags.len() > 50 {
        let message = "The number of tags has reached the maximum limit of 50.";
        return Err(ApiError::new(409, "LimitExceeded", message));
    }
    Ok(tags)
}

/// The policy document given, checked.
pub(crate) fn document<'a>(
    params: Params<'a>,
    parameter: &str,
    kind: PolicyKind,
) -> Result<&'a str, ApiError> {
    let document = required(params, parameter)?;
    Policy::parse(document, kind)?;
    Ok(document)
}

impl From<MalformedPolicy> for ApiError {
    fn from(error: MalformedPolicy) -> Self {
        Self::client("MalformedPolicyDocument", error.to_string())
    }
}

/// No such thing.
pub(crate) fn no_such_entity(what: &str, name: &str) -> ApiError {
    ApiError::new(404, "NoSuchEntity", format!("The {what} with name {name} cannot be found."))
}

/// The name is taken.
pub(crate) fn already_exists(what: &str, name: &str) -> ApiError {
    let message = format!("{what} with name {name} already exists.");
    ApiError::new(409, "EntityAlreadyExists", message)
}

/// Others still need it.
pub(crate) fn delete_conflict(what_first: &str) -> ApiError {
    let message = format!("Cannot delete entity, must {what_first} first.");
    ApiError::new(409, "DeleteConflict", message)
}

/// There are as many as there may be.
pub(crate) fn limit_exceeded(quota: &str, limit: usize) -> ApiError {
    ApiError::new(409, "LimitExceeded", format!("Cannot exceed quota for {quota}: {limit}"))
}

fn violation(value: &str, parameter: &str, rule: &str) -> ApiError {
    let at = lower_first(parameter);
    let message = format!(
        "1 validation error detected: Value {value} at '{at}' failed to satisfy constraint: {rule}"
    );
    ApiError::client("ValidationError", message)
}

fn lower_first(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map(|c| c.to_ascii_lowercase()).into_iter().chain(chars).collect()
}

/// One page of a list, as `Marker` and `MaxItems` (1 to 1000, 100 by default) ask, under `name`, with
/// `IsTruncated` and the next `Marker`.
pub(crate) fn page(
    params: Params<'_>,
    name: &'static str,
    items: Vec<(String, Element)>,
) -> Result<Element, ApiError> {
    let most = params.number::<usize>("MaxItems")?.unwrap_or(100);
    if !(1..=1000).contains(&most) {
        let rule = "Member must have value between 1 and 1000";
        return Err(violation(&format!("'{most}'"), "MaxItems", rule));
    }
    let after = match params.filled("Marker") {
        None => None,
        Some(marker) => Some(
            hex::decode(marker)
                .ok()
                .and_then(|key| String::from_utf8(key).ok())
                .ok_or_else(|| ApiError::client("ValidationError", "Invalid Marker."))?,
        ),
    };
    let mut items = items;
    items.sort_by(|(a, _), (b, _)| a.cmp(b));
    items.retain(|(key, _)| after.as_ref().is_none_or(|after| key > after));
    let marker = (items.len() > most).then(|| hex::encode(&items[most - 1].0));
    items.truncate(most);
    let elements = items.into_iter().map(|(_, element)| element);
    Ok(Element::new("result")
        .child(Element::list(name, "member", elements))
        .field("IsTruncated", marker.is_some())
        .optional("Marker", marker))
}

/// A policy document in an answer: percent-encoded, as RFC 3986 says.
pub(crate) fn encoded(document: &str) -> String {
    const ALL_BUT_UNRESERVED: &AsciiSet =
        &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    utf8_percent_encode(document, ALL_BUT_UNRESERVED).to_string()
}

/// Tags in an answer.
pub(crate) fn tags_element(tags: &Tags) -> Element {
    let tags =
        tags.iter().map(|(key, value)| Element::new("x").field("Key", key).field("Value", value));
    Element::list("Tags", "member", tags)
}

#[cfg(test)]
mod tests {
    use wire::query::{Flavour, parse};

    use super::*;

    #[test]
    fn parameters_are_refused_with_iams_words() {
        let tree = parse(b"RoleName=a%20b&UserName=&Path=x", Flavour::Query).unwrap();
        let params = Params::new(&tree);
        let text = |error: ApiError| error.to_string();
        assert!(
            text(name(params, "RoleName", 64).unwrap_err()).contains("for roleName is invalid")
        );
        assert!(text(name(params, "UserName", 64).unwrap_err()).contains("Value '' at 'userName'"));
        assert_eq!(
            text(name(params, "PolicyName", 64).unwrap_err()),
            "ValidationError: 1 validation error detected: Value null at 'policyName' failed to satisfy constraint: Member must not be null"
        );
        assert!(path(params).is_err());
    }

    #[test]
    fn a_list_comes_in_pages() {
        let items = || ["c", "a", "b"].map(|n| (n.to_owned(), Element::of("x", n))).to_vec();
        let ask = |query: &str| {
            let tree = parse(query.as_bytes(), Flavour::Query).unwrap();
            page(Params::new(&tree), "Users", items())
        };
        let first = ask("MaxItems=2").unwrap();
        assert_eq!(first.get("IsTruncated").unwrap().value(), Some("true"));
        let marker = first.get("Marker").unwrap().value().unwrap();
        let second = ask(&format!("MaxItems=2&Marker={marker}")).unwrap();
        let names: Vec<_> =
            second.get("Users").unwrap().elements().iter().map(Element::value).collect();
        assert_eq!(names, [Some("c")]);
        assert!(second.get("Marker").is_none());
        assert!(ask("MaxItems=0").is_err());
        assert!(ask("Marker=zz").is_err());
    }

    #[test]
    fn documents_are_encoded_as_clients_decode_them() {
        assert_eq!(encoded(r#"{"a": "b-c/*"}"#), "%7B%22a%22%3A%20%22b-c%2F%2A%22%7D");
    }
}
