//! Which of several faults is told first.
//!
//! The service looks whether the application and the group exist before it looks into the structures of an input. The
//! limits of the model are checked all at once and before that, so a broken limit waits here until what the input
//! names has been found. Source: order of the declared errors in the CodeDeploy API reference.

use serde_json::Value;
use wire::codedeploy::Operation;
use wire::{ErrorCode, json11};

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
        if is_about_names(fault) {
            return Ok(());
        }
        let input: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
        let text = |member: &str| input.get(member).and_then(Value::as_str).map(str::to_owned);
        let application = text("applicationName");
        match operation {
            Operation::CreateDeployment => {
                let (_, group) = self.group(call, application, text("deploymentGroupName")).await?;
                // The revision is the first thing that is looked into, once the group is known.
                if fault != ErrorCode::InvalidRevision {
                    let input = json11::decode(body)?;
                    self.check_subject(call, &input, &group).await?;
                }
            }
            Operation::UpdateDeploymentGroup => {
                self.group(call, application, text("currentDeploymentGroupName")).await?;
                self.config_for_groups(call, text("deploymentConfigName")).await?;
            }
            Operation::CreateDeploymentGroup => {
                self.application(call, application).await?;
                self.config_for_groups(call, text("deploymentConfigName")).await?;
            }
            Operation::ListDeployments if application.is_some() => {
                self.group(call, application, text("deploymentGroupName")).await?;
            }
            Operation::BatchGetApplicationRevisions
            | Operation::GetApplicationRevision
            | Operation::ListApplicationRevisions
            | Operation::RegisterApplicationRevision => {
                self.application(call, application).await?;
            }
            Operation::ContinueDeployment
            | Operation::ListDeploymentInstances
            | Operation::ListDeploymentTargets => {
                self.deployment(text("deploymentId")).await?;
            }
            _ => {}
        }
        Ok(())
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
