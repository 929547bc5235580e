//! Policy documents, from their JSON.

use serde_json::{Map, Value};

use super::condition::Condition;

/// Why a document is not a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct MalformedPolicy(pub String);

/// Where a document is attached, which decides what its statements must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyKind {
    /// To a user or a role: says what its owner may do. `Resource` is needed, `Principal` forbidden.
    Identity,
    /// To a role, for `AssumeRole`: says who may. `Principal` is needed, `Resource` forbidden.
    Trust,
    /// To a resource, such as a bucket: both are needed.
    Resource,
}

/// A policy document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Whether `${…}` is a variable: only in documents that say they are of version 2012-10-17.
    pub(super) variables: bool,
    pub(super) statements: Vec<Statement>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) effect: Effect,
    pub(super) actions: Patterns,
    pub(super) resources: Option<Patterns>,
    pub(super) principals: Option<Principals>,
    pub(super) conditions: Vec<Condition>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Allow,
    Deny,
}

/// What a statement applies to, or does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Patterns {
    AnyOf(Vec<String>),
    NoneOf(Vec<String>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Principals {
    AnyOf(Vec<PrincipalPattern>),
    NoneOf(Vec<PrincipalPattern>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PrincipalPattern {
    Anyone,
    /// An account, an ARN, or an id.
    Aws(String),
    Service(String),
    /// An identity provider; none is served.
    Other,
}

/// Longer documents are refused. Source: IAM quotas, managed policies (role trust policies and inline policies have
/// smaller ones, which can be raised).
const LENGTH_MAX: usize = 10_240;

impl Policy {
    /// Reads a document that will be attached as `kind`.
    pub fn parse(text: &str, kind: PolicyKind) -> Result<Self, MalformedPolicy> {
        if text.len() > LENGTH_MAX {
            return Err(malformed(format!("the document is longer than {LENGTH_MAX} bytes")));
        }
        let document: Value = serde_json::from_str(text)
            .map_err(|error| malformed(format!("This policy contains invalid Json: {error}")))?;
        let Value::Object(document) = document else {
            return Err(malformed("the document is not a JSON object"));
        };
        refuse_unknown(&document, &["Version", "Id", "Statement"])?;
        let variables = version(&document)?;
        let statements = match document.get("Statement") {
            Some(Value::Array(statements)) if !statements.is_empty() => statements.as_slice(),
            Some(single @ Value::Object(_)) => std::slice::from_ref(single),
            _ => return Err(malformed("Missing required field Statement")),
        };
        let statements =
            statements.iter().map(|one| statement(one, kind)).collect::<Result<_, _>>()?;
        Ok(Self { variables, statements })
    }
}

fn malformed(why: impl Into<String>) -> MalformedPolicy {
    MalformedPolicy(why.into())
}

fn version(document: &Map<String, Value>) -> Result<bool, MalformedPolicy> {
    match document.get("Version").map(Value::as_str) {
        Some(Some("2012-10-17")) => Ok(true),
        None | Some(Some("2008-10-17")) => Ok(false),
        Some(_) => Err(malformed("The policy must contain a valid version string")),
    }
}

fn statement(value: &Value, kind: PolicyKind) -> Result<Statement, MalformedPolicy> {
    let Value::Object(fields) = value else {
        return Err(malformed("a Statement is not a JSON object"));
    };
    const KNOWN: [&str; 9] = [
        "Sid",
        "Effect",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Principal",
        "NotPrincipal",
        "Condition",
    ];
    refuse_unknown(fields, &KNOWN)?;
    let actions = patterns(fields, "Action", "NotAction")?
        .ok_or_else(|| malformed("Policy statement must contain actions."))?;
    check_actions(&actions)?;
    let resources = patterns(fields, "Resource", "NotResource")?;
    let principals = principals(fields)?;
    match kind {
        PolicyKind::Identity if resources.is_none() => {
            return Err(malformed("Policy statement must contain resources."));
        }
        PolicyKind::Identity if principals.is_some() => {
            return Err(malformed("Policy document should not specify a principal."));
        }
        PolicyKind::Trust if resources.is_some() => {
            return Err(malformed("Has prohibited field Resource"));
        }
        PolicyKind::Trust | PolicyKind::Resource if principals.is_none() => {
            return Err(malformed("Missing required field Principal"));
        }
        PolicyKind::Resource if resources.is_none() => {
            return Err(malformed("Missing required field Resource"));
        }
        PolicyKind::Identity | PolicyKind::Trust | PolicyKind::Resource => {}
    }
    let conditions = match fields.get("Condition") {
        None => Vec::new(),
        Some(value) => Condition::parse_block(value)?,
    };
    Ok(Statement { effect: effect(fields)?, actions, resources, principals, conditions })
}

fn effect(fields: &Map<String, Value>) -> Result<Effect, MalformedPolicy> {
    match fields.get("Effect").and_then(Value::as_str) {
        Some("Allow") => Ok(Effect::Allow),
        Some("Deny") => Ok(Effect::Deny),
        Some(other) => Err(malformed(format!("Invalid effect: {other}"))),
        None => Err(malformed("Missing required field Effect")),
    }
}

fn patterns(
    fields: &Map<String, Value>,
    any: &str,
    none: &str,
) -> Result<Option<Patterns>, MalformedPolicy> {
    match (fields.get(any), fields.get(none)) {
        (Some(_), Some(_)) => {
            Err(malformed(format!("a Statement has only one of {any} and {none}")))
        }
        (Some(value), None) => Ok(Some(Patterns::AnyOf(texts(value, any)?))),
        (None, Some(value)) => Ok(Some(Patterns::NoneOf(texts(value, none)?))),
        (None, None) => Ok(None),
    }
}

fn check_actions(actions: &Patterns) -> Result<(), MalformedPolicy> {
    let (Patterns::AnyOf(names) | Patterns::NoneOf(names)) = actions;
    match names.iter().find(|name| *name != "*" && !name.contains(':')) {
        None => Ok(()),
        Some(wrong) => Err(malformed(format!(
            "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.: {wrong}"
        ))),
    }
}

fn principals(fields: &Map<String, Value>) -> Result<Option<Principals>, MalformedPolicy> {
    match (fields.get("Principal"), fields.get("NotPrincipal")) {
        (Some(_), Some(_)) => {
            Err(malformed("a Statement has only one of Principal and NotPrincipal"))
        }
        (Some(value), None) => Ok(Some(Principals::AnyOf(principal_patterns(value)?))),
        (None, Some(value)) => Ok(Some(Principals::NoneOf(principal_patterns(value)?))),
        (None, None) => Ok(None),
    }
}

fn principal_patterns(value: &Value) -> Result<Vec<PrincipalPattern>, MalformedPolicy> {
    let kinds = match value {
        Value::String(all) if all == "*" => return Ok(vec![PrincipalPattern::Anyone]),
        Value::Object(kinds) if !kinds.is_empty() => kinds,
        _ => return Err(malformed("Invalid principal in policy")),
    };
    let mut found = Vec::new();
    for (kind, names) in kinds {
        for name in texts(names, kind)? {
            found.push(match kind.as_str() {
                "AWS" if name == "*" => PrincipalPattern::Anyone,
                "AWS" => PrincipalPattern::Aws(name),
                "Service" => PrincipalPattern::Service(name),
                "Federated" | "CanonicalUser" => PrincipalPattern::Other,
                _ => return Err(malformed(format!("Invalid principal in policy: \"{kind}\""))),
            });
        }
    }
    Ok(found)
}

/// One text or a list of texts.
pub(super) fn texts(value: &Value, name: &str) -> Result<Vec<String>, MalformedPolicy> {
    let wrong = || malformed(format!("{name} must be a text or a list of texts"));
    match value {
        Value::String(one) => Ok(vec![one.clone()]),
        Value::Array(many) if !many.is_empty() => {
            many.iter().map(|one| one.as_str().map(str::to_owned).ok_or_else(wrong)).collect()
        }
        _ => Err(wrong()),
    }
}

fn refuse_unknown(fields: &Map<String, Value>, known: &[&str]) -> Result<(), MalformedPolicy> {
    match fields.keys().find(|field| !known.contains(&field.as_str())) {
        None => Ok(()),
        Some(unknown) => Err(malformed(format!("Unknown field {unknown}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: PolicyKind, document: &str, expected: &str) {
        let found = match Policy::parse(document, kind) {
            Ok(_) => "ok".to_owned(),
            Err(error) => error.to_string(),
        };
        assert!(found.contains(expected), "{document}: {found}");
    }

    #[test]
    fn documents_are_checked_when_they_are_given() {
        use PolicyKind::{Identity, Resource, Trust};
        let cases = [
            (Identity, r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#, "ok"),
            (
                Identity,
                r#"{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Deny","NotAction":["a:b"],"NotResource":["x"]}]}"#,
                "ok",
            ),
            (
                Identity,
                r#"{"Version":"2020-01-01","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#,
                "version",
            ),
            (
                Identity,
                r#"{"Statement":{"Effect":"Allow","Action":"*"}}"#,
                "must contain resources",
            ),
            (
                Identity,
                r#"{"Statement":{"Effect":"Allow","Resource":"*"}}"#,
                "must contain actions",
            ),
            (
                Identity,
                r#"{"Statement":{"Effect":"Allow","Action":"nothing","Resource":"*"}}"#,
                "vendor",
            ),
            (
                Identity,
                r#"{"Statement":{"Effect":"allow","Action":"*","Resource":"*"}}"#,
                "Invalid effect",
            ),
            (
                Identity,
                r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Principal":"*"}}"#,
                "should not specify a principal",
            ),
            (
                Identity,
                r#"{"Statement":{"Effect":"Allow","Action":"*","NotAction":"*","Resource":"*"}}"#,
                "only one of",
            ),
            (Identity, r#"{"Statement":[]}"#, "Statement"),
            (Identity, r#"{"Statements":[]}"#, "Unknown field Statements"),
            (Identity, "{", "invalid Json"),
            (Identity, "[]", "not a JSON object"),
            (
                Identity,
                r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Wrong":{"a":"b"}}}}"#,
                "Wrong",
            ),
            (
                Trust,
                r#"{"Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":["ec2.amazonaws.com"]}}}"#,
                "ok",
            ),
            (Trust, r#"{"Statement":{"Effect":"Allow","Action":"sts:AssumeRole"}}"#, "Principal"),
            (
                Trust,
                r#"{"Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":"*","Resource":"*"}}"#,
                "Resource",
            ),
            (
                Trust,
                r#"{"Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Wrong":"x"}}}"#,
                "Wrong",
            ),
            (
                Resource,
                r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Principal":"*"}}"#,
                "Resource",
            ),
        ];
        for (kind, document, expected) in cases {
            check(kind, document, expected);
        }
    }
}
