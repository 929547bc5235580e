//! Evaluates the generated tables of limits on an input.

use serde::Serialize;
use serde_json::Value;

use crate::{ErrorCode, ServiceError};

/// One limit: where it holds, what it demands, and the error for breaking it.
pub(crate) struct Rule {
    /// Member names joined by dots; `*` is every element of a list or value of a map, `#` every key of a map.
    path: &'static str,
    check: Check,
    error: ErrorCode,
}

/// What a rule demands. Lengths count characters.
pub(crate) enum Check {
    /// Present and not empty.
    Required,
    /// One of these strings.
    OneOf(&'static [&'static str]),
    /// From that many to that many characters.
    Length(usize, usize),
    /// From that number to that.
    Range(i64, i64),
    /// No more than that many elements.
    Items(usize),
    /// Only characters that names of applications, groups and configurations may have.
    NameCharacters,
    /// Four or more segments between slashes, the first three not empty.
    FourSegments,
}

impl Rule {
    pub(crate) const fn new(path: &'static str, check: Check, error: ErrorCode) -> Self {
        Self { path, check, error }
    }
}

/// Applies `rules` in order and tells the first that is broken.
pub(crate) fn check<T: Serialize>(input: &T, rules: &[Rule]) -> Result<(), ServiceError> {
    let input = serde_json::to_value(input)
        .map_err(|error| ServiceError::new(ErrorCode::InternalFailure, error.to_string()))?;
    for rule in rules {
        let mut broken = None;
        visit(&input, rule.path, String::new(), &mut |value, place| {
            if broken.is_none() {
                broken = rule.check.broken_by(value).map(|why| sentence(value, &place, &why));
            }
        });
        if let Some(sentence) = broken {
            return Err(refuse(rule.error, sentence));
        }
    }
    Ok(())
}

fn refuse(code: ErrorCode, sentence: String) -> ServiceError {
    match code {
        ErrorCode::Validation => {
            ServiceError::new(code, format!("1 validation error detected: {sentence}"))
        }
        _ => ServiceError::new(code, sentence),
    }
}

/// The longest part of a caller's value that an error repeats, in characters.
const ECHO_LONGEST: usize = 200;

fn sentence(value: &Value, place: &str, why: &str) -> String {
    let shown = match value {
        Value::Null => "null".to_owned(),
        Value::String(text) => format!("'{}'", text.chars().take(ECHO_LONGEST).collect::<String>()),
        other => format!("'{}'", other.to_string().chars().take(ECHO_LONGEST).collect::<String>()),
    };
    format!("Value {shown} at '{place}' failed to satisfy constraint: Member must {why}")
}

/// Shows `seen` every value that `path` leads to. A missing last member is shown as null, a missing structure not at all.
fn visit(value: &Value, path: &str, place: String, seen: &mut dyn FnMut(&Value, String)) {
    if path.is_empty() {
        return seen(value, place);
    }
    let (head, rest) = path.split_once('.').unwrap_or((path, ""));
    match (head, value) {
        ("*", Value::Array(elements)) => {
            for (element, number) in elements.iter().zip(1..) {
                visit(element, rest, format!("{place}.{number}.member"), seen);
            }
        }
        ("*", Value::Object(entries)) => {
            for (key, element) in entries {
                visit(element, rest, format!("{place}.{key}.value"), seen);
            }
        }
        ("#", Value::Object(entries)) => {
            for key in entries.keys() {
                seen(&Value::String(key.clone()), format!("{place}.{key}.key"));
            }
        }
        (name, Value::Object(members)) => {
            let place = if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") };
            visit(members.get(name).unwrap_or(&Value::Null), rest, place, seen);
        }
        _ => {}
    }
}

impl Check {
    /// The rest of the sentence "Member must …", if `value` breaks this. Only [`Check::Required`] minds absence.
    fn broken_by(&self, value: &Value) -> Option<String> {
        match (self, value) {
            (Self::Required, Value::Null) => Some("not be null".to_owned()),
            (Self::Required, Value::String(text)) if text.is_empty() => {
                Some("have length greater than or equal to 1".to_owned())
            }
            (Self::Required, Value::Array(elements)) if elements.is_empty() => {
                Some("have length greater than or equal to 1".to_owned())
            }
            (Self::OneOf(permitted), Value::String(text)) => (!permitted.contains(&text.as_str()))
                .then(|| format!("satisfy enum value set: [{}]", permitted.join(", "))),
            (Self::Length(shortest, longest), Value::String(text)) => {
                length(text.chars().count(), *shortest, *longest)
            }
            (Self::Range(least, most), Value::Number(number)) => {
                range(number.as_i64(), *least, *most)
            }
            (Self::Items(longest), Value::Array(elements)) => length(elements.len(), 0, *longest),
            (Self::NameCharacters, Value::String(text)) => {
                let permitted = |c: char| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c);
                (!text.chars().all(permitted))
                    .then(|| "satisfy regular expression pattern: [A-Za-z0-9+=,.@_-]*".to_owned())
            }
            (Self::FourSegments, Value::String(text)) => (!has_four_segments(text))
                .then(|| "satisfy regular expression pattern: ^[^/]+/[^/]+/[^/]+/.+$".to_owned()),
            _ => None,
        }
    }
}

fn length(found: usize, shortest: usize, longest: usize) -> Option<String> {
    if found < shortest {
        Some(format!("have length greater than or equal to {shortest}"))
    } else if found > longest {
        Some(format!("have length less than or equal to {longest}"))
    } else {
        None
    }
}

fn range(found: Option<i64>, least: i64, most: i64) -> Option<String> {
    // A number that does not even fit is above any limit.
    let found = found.unwrap_or(i64::MAX);
    if found < least {
        Some(format!("have value greater than or equal to {least}"))
    } else if found > most {
        Some(format!("have value less than or equal to {most}"))
    } else {
        None
    }
}

fn has_four_segments(text: &str) -> bool {
    let segments: Vec<&str> = text.splitn(4, '/').collect();
    segments.len() == 4 && segments.iter().all(|segment| !segment.is_empty())
}
