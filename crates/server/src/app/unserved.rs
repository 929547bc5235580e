//! Operations whose subject does not exist on this server, each refused as the service refuses it.

use wire::codedeploy::{
    ContinueDeploymentInput, DeleteResourcesByExternalIdInput, DeleteResourcesByExternalIdOutput,
    PutLifecycleEventHookExecutionStatusInput, PutLifecycleEventHookExecutionStatusOutput,
    SkipWaitTimeForInstanceTerminationInput,
};
use wire::{ErrorCode, NoOutput};

use super::{Answer, App, Call, Failure};

/// What a hook may report. Source: CodeDeploy API reference, `PutLifecycleEventHookExecutionStatus`.
const VERDICTS: [&str; 2] = ["Succeeded", "Failed"];

impl App {
    /// Only blue/green deployments wait to be continued, and every deployment here is in place.
    pub async fn continue_deployment(
        &self,
        _call: &Call,
        input: ContinueDeploymentInput,
    ) -> Answer<NoOutput> {
        let record = self.deployment(input.deployment_id).await?;
        if record.state.status.is_over() {
            return Err(super::deployments::already_completed(&record.state.id));
        }
        Err(Failure::refused(
            ErrorCode::UnsupportedActionForDeploymentType,
            format!(
                "The deployment {} is in place; only blue/green deployments can be continued",
                record.state.id
            ),
        ))
    }

    /// The deprecated form of ending a blue/green deployment's termination wait.
    pub async fn skip_wait_time_for_instance_termination(
        &self,
        call: &Call,
        input: SkipWaitTimeForInstanceTerminationInput,
    ) -> Answer<NoOutput> {
        let deployment_id = input.deployment_id;
        let input = ContinueDeploymentInput { deployment_id, ..ContinueDeploymentInput::default() };
        self.continue_deployment(call, input).await
    }

    /// Results of Lambda functions and ECS services; deployments to servers have neither.
    pub async fn put_lifecycle_event_hook_execution_status(
        &self,
        _call: &Call,
        input: PutLifecycleEventHookExecutionStatusInput,
    ) -> Answer<PutLifecycleEventHookExecutionStatusOutput> {
        if let Some(status) = input.status.filter(|status| !VERDICTS.contains(&status.as_str())) {
            return Err(Failure::refused(
                ErrorCode::InvalidLifecycleEventHookExecutionStatus,
                format!("The status '{status}' is no verdict; use Succeeded or Failed"),
            ));
        }
        let record = self.deployment(input.deployment_id).await?;
        Err(Failure::refused(
            ErrorCode::UnsupportedActionForDeploymentType,
            format!(
                "The deployment {} goes to servers, whose hooks are reported by their agents",
                record.state.id
            ),
        ))
    }

    /// Nothing here belongs to a CloudFormation stack, so nothing is left of one to delete.
    pub async fn delete_resources_by_external_id(
        &self,
        _call: &Call,
        _input: DeleteResourcesByExternalIdInput,
    ) -> Answer<DeleteResourcesByExternalIdOutput> {
        Ok(DeleteResourcesByExternalIdOutput {})
    }
}
