//! The audit trail: calls that change something are written down, with who made them and what became of them.

use serde_json::Value;
use store::AuditRecord;

use crate::app::{Call, Failure};
use crate::driver::chain;
use crate::http::edge::Edge;

/// What somebody did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed<'a> {
    /// `codedeploy`, `ec2`, `iam`, …
    pub service: &'a str,
    /// The operation's name.
    pub operation: &'a str,
    /// What it was about.
    pub resource: String,
}

impl Edge {
    /// Writes one call down. A trail that cannot be written is told to the log and costs nobody their answer.
    pub async fn write_down(&self, call: &Call, deed: &Deed<'_>, outcome: &str, request_id: &str) {
        let record = AuditRecord {
            region: call.scope.region.clone(),
            at: call.now,
            id: request_id.to_owned(),
            principal: call.principal(),
            access_key: call.caller.access_key.clone(),
            source: call.caller.source.map(|address| address.to_string()),
            service: deed.service.to_owned(),
            operation: deed.operation.to_owned(),
            resource: deed.resource.clone(),
            outcome: outcome.to_owned(),
        };
        tracing::info!(
            principal = record.principal,
            resource = record.resource,
            outcome,
            "changed"
        );
        if let Err(error) = self.app.store.record_audit(&record).await {
            tracing::error!(error = chain(&error), "the audit trail cannot be written");
        }
    }
}

/// Whether an operation of this name changes something that lasts: AWS names those that read alike. Messages to topics
/// pass by, and no trail of AWS's tells of them.
pub fn changes_something(operation: &str) -> bool {
    let reads = ["Get", "List", "BatchGet", "Describe", "Simulate", "Plan", "Explain", "Publish"];
    !reads.iter().any(|beginning| operation.starts_with(beginning))
}

/// Members of inputs that name what a call is about, in the order in which they are told.
const NAMES: [&str; 14] = [
    "applicationName",
    "deploymentGroupName",
    "currentDeploymentGroupName",
    "deploymentId",
    "deploymentConfigName",
    "instanceName",
    "instanceNames",
    "ResourceArn",
    "tokenName",
    "AlarmName",
    "AlarmNames",
    "alarmName",
    "name",
    "ids",
];

/// What a call of a JSON service is about.
pub fn subject<'a>(service: &'a str, operation: &'a str, input: &Value) -> Deed<'a> {
    let named = NAMES.iter().filter_map(|name| match input.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Array(texts) => {
            Some(texts.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "))
        }
        _ => None,
    });
    let resource = named.collect::<Vec<_>>().join(" / ");
    Deed { service, operation, resource: shortened(&resource) }
}

/// The same, of a body.
pub fn subject_of<'a>(service: &'a str, operation: &'a str, body: &[u8]) -> Deed<'a> {
    subject(service, operation, &serde_json::from_slice(body).unwrap_or(Value::Null))
}

/// What a call of a form service is about: the members that are called so.
pub fn form_subject(form: &[u8]) -> String {
    let pairs = form_urlencoded::parse(form).filter(|(name, _)| {
        let name = name.rsplit_once('.').map_or(&**name, |(before, number)| {
            if number.parse::<u32>().is_ok() { before } else { name }
        });
        name.ends_with("Name") || name.ends_with("Id") || name.ends_with("Arn")
    });
    let values: Vec<String> = pairs.map(|(_, value)| value.into_owned()).take(6).collect();
    shortened(&values.join(" / "))
}

fn shortened(text: &str) -> String {
    const RESOURCE_MAX: usize = 300;
    text.chars().take(RESOURCE_MAX).collect()
}

/// What became of a call.
pub fn outcome<T>(answer: &Result<T, Failure>) -> &'static str {
    match answer {
        Ok(_) => "Succeeded",
        Err(Failure::Refused(error)) => error.code.name(),
        Err(Failure::Store(_) | Failure::Internal { .. }) => "InternalFailure",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_is_told_from_changing() {
        for reads in ["GetDeployment", "BatchGetDeployments", "DescribeInstances", "ListRoles"] {
            assert!(!changes_something(reads), "{reads}");
        }
        for changes in ["CreateDeployment", "StopDeployment", "RunInstances", "AttachRolePolicy"] {
            assert!(changes_something(changes), "{changes}");
        }
    }

    #[test]
    fn a_deed_names_what_it_is_about() {
        let of = |body: &[u8]| subject_of("codedeploy", "CreateDeployment", body).resource;
        let body =
            br#"{"applicationName": "Demo", "deploymentGroupName": "Prod", "description": "x"}"#;
        assert_eq!(of(body), "Demo / Prod");
        assert_eq!(of(b"nonsense"), "");
        let form = b"Action=AddRoleToInstanceProfile&RoleName=Web&InstanceProfileName=P&Password=x";
        assert_eq!(form_subject(form), "Web / P");
        assert_eq!(form_subject(b"InstanceId.1=i-1&InstanceId.2=i-2&Force=true"), "i-1 / i-2");
    }
}
