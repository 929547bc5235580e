//! The conditions of a statement.

use std::net::IpAddr;

use serde_json::Value;

use super::document::{MalformedPolicy, texts};
use super::evaluate::Facts;
use super::pattern::{literal, matches_arn, matches_text};

/// One operator on one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Condition {
    quantifier: Quantifier,
    test: Test,
    /// The operator is a negated one: no value may pass the test.
    negated: bool,
    if_exists: bool,
    key: String,
    values: Vec<String>,
}

/// How a key with several values is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quantifier {
    One,
    ForAllValues,
    ForAnyValue,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Test {
    Equals,
    EqualsIgnoringCase,
    Like,
    Number(Comparison),
    Date(Comparison),
    Bool,
    Binary,
    Ip,
    Arn,
    Null,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Condition {
    /// Reads a `Condition` block: operators, in them keys, in them values.
    pub(super) fn parse_block(block: &Value) -> Result<Vec<Self>, MalformedPolicy> {
        let object = |value: &Value| {
            value
                .as_object()
                .cloned()
                .ok_or_else(|| MalformedPolicy("a Condition is not a JSON object".into()))
        };
        let mut found = Vec::new();
        for (operator, keys) in &object(block)? {
            for (key, values) in &object(keys)? {
                found.push(Self::parse(operator, key, values)?);
            }
        }
        Ok(found)
    }

    fn parse(operator: &str, key: &str, values: &Value) -> Result<Self, MalformedPolicy> {
        let (quantifier, rest) = match operator.split_once(':') {
            None => (Quantifier::One, operator),
            Some(("ForAllValues", rest)) => (Quantifier::ForAllValues, rest),
            Some(("ForAnyValue", rest)) => (Quantifier::ForAnyValue, rest),
            Some(_) => return Err(unknown(operator)),
        };
        let (name, if_exists) = match rest.strip_suffix("IfExists") {
            Some(name) => (name, true),
            None => (rest, false),
        };
        let (test, negated) = test(name).ok_or_else(|| unknown(operator))?;
        let values = condition_values(values, key)?;
        Ok(Self { quantifier, test, negated, if_exists, key: key.to_owned(), values })
    }

    /// Whether the condition holds for a request of which `facts` are known.
    pub(super) fn holds(&self, facts: &Facts, variables: bool) -> bool {
        let known = facts.get(&self.key);
        if self.test == Test::Null {
            let absent = known.is_none_or(<[String]>::is_empty);
            return self.values.iter().any(|value| value.eq_ignore_ascii_case("true") == absent);
        }
        let facts = variables.then_some(facts);
        let Some(found) = known.filter(|values| !values.is_empty()) else {
            return self.if_exists || self.holds_for_absent();
        };
        let mut holds = found.iter().map(|value| self.holds_for(value, facts));
        match self.quantifier {
            Quantifier::ForAllValues => holds.all(|held| held),
            Quantifier::ForAnyValue => holds.any(|held| held),
            // A key with several values under a plain operator: any may pass, and for a negated one none.
            Quantifier::One if self.negated => holds.all(|held| held),
            Quantifier::One => holds.any(|held| held),
        }
    }

    fn holds_for_absent(&self) -> bool {
        match self.quantifier {
            Quantifier::ForAllValues => true,
            Quantifier::ForAnyValue => false,
            Quantifier::One => self.negated,
        }
    }

    fn holds_for(&self, found: &str, facts: Option<&Facts>) -> bool {
        let passes = self.values.iter().any(|value| self.test.passes(value, found, facts));
        passes != self.negated
    }
}

impl Test {
    /// Whether what was `found` in the request passes against the policy's `value`.
    fn passes(self, value: &str, found: &str, facts: Option<&Facts>) -> bool {
        match self {
            Self::Like => matches_text(value, found, facts),
            Self::Arn => matches_arn(value, found, facts),
            Self::Equals | Self::Binary => {
                literal(value, facts).is_some_and(|value| value == found)
            }
            Self::EqualsIgnoringCase => {
                literal(value, facts).is_some_and(|value| value.eq_ignore_ascii_case(found))
            }
            Self::Bool => value.eq_ignore_ascii_case(found),
            Self::Number(comparison) => compare(comparison, number(found), number(value)),
            Self::Date(comparison) => compare(comparison, date(found), date(value)),
            Self::Ip => in_network(value, found),
            Self::Null => false,
        }
    }
}

/// The operators and whether each is a negated one.
/// Source: IAM user guide, "IAM JSON policy elements: Condition operators".
fn test(name: &str) -> Option<(Test, bool)> {
    use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual};
    Some(match name {
        "StringEquals" => (Test::Equals, false),
        "StringNotEquals" => (Test::Equals, true),
        "StringEqualsIgnoreCase" => (Test::EqualsIgnoringCase, false),
        "StringNotEqualsIgnoreCase" => (Test::EqualsIgnoringCase, true),
        "StringLike" => (Test::Like, false),
        "StringNotLike" => (Test::Like, true),
        "NumericEquals" => (Test::Number(Equal), false),
        "NumericNotEquals" => (Test::Number(Equal), true),
        "NumericLessThan" => (Test::Number(Less), false),
        "NumericLessThanEquals" => (Test::Number(LessOrEqual), false),
        "NumericGreaterThan" => (Test::Number(Greater), false),
        "NumericGreaterThanEquals" => (Test::Number(GreaterOrEqual), false),
        "DateEquals" => (Test::Date(Equal), false),
        "DateNotEquals" => (Test::Date(Equal), true),
        "DateLessThan" => (Test::Date(Less), false),
        "DateLessThanEquals" => (Test::Date(LessOrEqual), false),
        "DateGreaterThan" => (Test::Date(Greater), false),
        "DateGreaterThanEquals" => (Test::Date(GreaterOrEqual), false),
        "Bool" => (Test::Bool, false),
        "BinaryEquals" => (Test::Binary, false),
        "IpAddress" => (Test::Ip, false),
        "NotIpAddress" => (Test::Ip, true),
        "ArnEquals" | "ArnLike" => (Test::Arn, false),
        "ArnNotEquals" | "ArnNotLike" => (Test::Arn, true),
        "Null" => (Test::Null, false),
        _ => return None,
    })
}

/// Values may also be written as JSON numbers and truth values.
fn condition_values(values: &Value, key: &str) -> Result<Vec<String>, MalformedPolicy> {
    let plain = |value: &Value| match value {
        Value::Bool(_) | Value::Number(_) => Value::String(value.to_string()),
        other => other.clone(),
    };
    match values {
        Value::Array(many) if many.is_empty() => Ok(Vec::new()),
        Value::Array(many) => texts(&Value::Array(many.iter().map(plain).collect()), key),
        single => texts(&plain(single), key),
    }
}

fn unknown(operator: &str) -> MalformedPolicy {
    MalformedPolicy(format!("Invalid Condition type : {operator}"))
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok()
}

/// A date in ISO 8601, or seconds since 1970. A day alone is its beginning in UTC.
fn date(text: &str) -> Option<f64> {
    if let Some(seconds) = number(text) {
        return Some(seconds);
    }
    if let Ok(point) = text.parse::<jiff::Timestamp>() {
        return Some(point.as_millisecond() as f64 / 1000.0);
    }
    let day: jiff::civil::Date = text.parse().ok()?;
    let start = day.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(start.timestamp().as_millisecond() as f64 / 1000.0)
}

fn compare(comparison: Comparison, found: Option<f64>, value: Option<f64>) -> bool {
    let (Some(found), Some(value)) = (found, value) else { return false };
    match comparison {
        Comparison::Equal => found == value,
        Comparison::Less => found < value,
        Comparison::LessOrEqual => found <= value,
        Comparison::Greater => found > value,
        Comparison::GreaterOrEqual => found >= value,
    }
}

/// Whether the address lies in a network such as `10.0.0.0/8`; one without a length is one address.
fn in_network(network: &str, address: &str) -> bool {
    let (base, length) = match network.split_once('/') {
        Some((base, length)) => (base, length.parse::<u32>().ok()),
        None => (network, Some(128)),
    };
    let (Ok(base), Ok(address), Some(length)) = (base.parse(), address.parse(), length) else {
        return false;
    };
    match (base, address) {
        (IpAddr::V4(base), IpAddr::V4(address)) => {
            let mask = u32::MAX.checked_shl(32 - length.min(32)).unwrap_or(0);
            base.to_bits() & mask == address.to_bits() & mask
        }
        (IpAddr::V6(base), IpAddr::V6(address)) => {
            let mask = u128::MAX.checked_shl(128 - length.min(128)).unwrap_or(0);
            base.to_bits() & mask == address.to_bits() & mask
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// `facts` are words `key=value`; a key may come more than once.
    fn check(operator: &str, key: &str, values: &Value, facts: &str, expected: bool) {
        let block = json!({ operator: { key: values } });
        let conditions = Condition::parse_block(&block).unwrap();
        let facts = facts.split_whitespace().fold(Facts::default(), |facts, fact| {
            let (key, value) = fact.split_once('=').unwrap();
            facts.with(key, value)
        });
        let found = conditions.iter().all(|condition| condition.holds(&facts, true));
        assert_eq!(found, expected, "{block} on {facts:?}");
    }

    #[test]
    fn operators_compare_as_documented() {
        for (operator, value, found, expected) in [
            ("StringEquals", json!("a"), "a", true),
            ("StringEquals", json!(["b", "a"]), "a", true),
            ("StringEquals", json!("A"), "a", false),
            ("StringEquals", json!("a*"), "ab", false),
            ("StringNotEquals", json!(["b", "a"]), "a", false),
            ("StringNotEquals", json!(["b", "c"]), "a", true),
            ("StringEqualsIgnoreCase", json!("A"), "a", true),
            ("StringLike", json!("a*"), "ab", true),
            ("StringNotLike", json!("a*"), "ab", false),
            ("NumericEquals", json!(5), "5.0", true),
            ("NumericLessThan", json!("10"), "9", true),
            ("NumericGreaterThanEquals", json!("10"), "9", false),
            ("NumericEquals", json!("x"), "5", false),
            ("DateGreaterThan", json!("2026-01-01"), "2026-01-01T00:00:01Z", true),
            ("DateLessThan", json!("2026-01-01T00:00:00Z"), "1767225599", true),
            ("DateEquals", json!("nonsense"), "1", false),
            ("Bool", json!(true), "true", true),
            ("Bool", json!("false"), "true", false),
            ("IpAddress", json!("10.1.0.0/16"), "10.1.2.3", true),
            ("IpAddress", json!("10.1.2.3"), "10.1.2.4", false),
            ("IpAddress", json!("0.0.0.0/0"), "10.1.2.4", true),
            ("IpAddress", json!("fd00::/8"), "fd00::1", true),
            ("NotIpAddress", json!("10.1.0.0/16"), "10.1.2.3", false),
            ("ArnLike", json!("arn:aws:s3:::b*"), "arn:aws:s3:::bucket", true),
            ("ArnNotEquals", json!("arn:aws:s3:::b*"), "arn:aws:s3:::bucket", false),
            ("Null", json!("false"), "x", true),
            ("Null", json!("true"), "x", false),
        ] {
            check(operator, "k", &value, &format!("K={found}"), expected);
        }
    }

    #[test]
    fn an_absent_key_fails_what_is_positive_and_satisfies_what_is_negated() {
        for (operator, expected) in [
            ("StringEquals", false),
            ("StringNotEquals", true),
            ("StringEqualsIfExists", true),
            ("IpAddress", false),
            ("NotIpAddress", true),
            ("ForAllValues:StringEquals", true),
            ("ForAnyValue:StringEquals", false),
        ] {
            check(operator, "k", &json!("a"), "", expected);
        }
        check("Null", "k", &json!("true"), "", true);
    }

    #[test]
    fn quantifiers_judge_keys_with_several_values() {
        let tags = json!(["a", "b"]);
        check("ForAllValues:StringEquals", "k", &tags, "k=a k=b", true);
        check("ForAllValues:StringEquals", "k", &tags, "k=a k=c", false);
        check("ForAnyValue:StringEquals", "k", &tags, "k=a k=c", true);
        check("ForAnyValue:StringEquals", "k", &tags, "k=c", false);
    }

    #[test]
    fn unknown_operators_are_refused() {
        assert!(Condition::parse_block(&json!({"StringIs": {"k": "v"}})).is_err());
        assert!(Condition::parse_block(&json!({"ForSome:StringLike": {"k": "v"}})).is_err());
        assert!(Condition::parse_block(&json!([])).is_err());
    }
}
