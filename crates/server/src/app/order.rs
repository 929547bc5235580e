//! Which of several faults is told first.
//!
//! The service looks whether the application and the group exist before it looks into the structures of an input. The
//! limits of the model are checked all at once and before that, so a broken limit waits here until what the input
//! names has been found. Source: order of the declared errors in the CodeDeploy API reference.

use serde_json::Value;
use wire::ErrorCode;
use wire::codedeploy::Operation;

use super::{Answer, App, Call};

impl App {
    /// Refuses if a fault that comes before the one with this code is in the input: something it names does not
    /// exist.
    ///
    /// # Errors
    /// The earlier fault.
    pub async fn check_what_comes_before(
        &self,
        fault: ErrorCode,
        call: &Call,
        operation: Operation,
        body: &[u8],
    ) -> Answer<()> {
        let Some(group_member) = names_of(operation) else { return Ok(()) };
        if is_about_names(fault) {
            return Ok(());
        }
        let input: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
        let text = |member: &str| input.get(member).and_then(Value::as_str).map(str::to_owned);
        if group_member.is_empty() {
            self.application(call, text("applicationName")).await?;
        } else {
            self.group(call, text("applicationName"), text(group_member)).await?;
        }
        Ok(())
    }
}

/// The member that names an existing group, empty if only the application exists before; none if nothing does.
fn names_of(operation: Operation) -> Option<&'static str> {
    match operation {
        Operation::CreateDeployment => Some("deploymentGroupName"),
        Operation::UpdateDeploymentGroup => Some("currentDeploymentGroupName"),
        Operation::CreateDeploymentGroup
        | Operation::BatchGetApplicationRevisions
        | Operation::GetApplicationRevision
        | Operation::ListApplicationRevisions
        | Operation::RegisterApplicationRevision => Some(""),
        _ => None,
    }
}

/// Whether a fault is that a name is missing or malformed, which is told before anything is looked up.
fn is_about_names(fault: ErrorCode) -> bool {
    let name = fault.name();
    name.ends_with("RequiredException") || name.ends_with("NameException")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_first() {
        assert!(is_about_names(ErrorCode::ApplicationNameRequired));
        assert!(is_about_names(ErrorCode::InvalidDeploymentConfigName));
        assert!(!is_about_names(ErrorCode::InvalidRevision));
        assert!(!is_about_names(ErrorCode::Validation));
    }
}
