//! CodeDeploy over JSON 1.1: from an operation's name and a body to the answer's body.

use serde::Serialize;
use serde_json::Value;
use wire::codedeploy::Operation;
use wire::{Call as Input, ErrorCode, ServiceError, Validate, json11};

use crate::app::{App, Call, Failure};

/// Reads the input, holds it to the model's limits, asks the application, writes the output.
macro_rules! serve {
    ($app:ident, $call:ident, $operation:ident, $body:ident: $($name:ident => $method:ident,)*) => {
        match $operation {
            $(Operation::$name => {
                let input = read_in_order($app, $call, $body).await?;
                let output = $app.$method($call, input).await?;
                json11::encode(&output)
            })*
        }
    };
}

/// Answers one call of CodeDeploy.
pub async fn answer(
    app: &App,
    call: &Call,
    operation: Operation,
    body: &[u8],
) -> Result<Vec<u8>, Failure> {
    let output = serve!(app, call, operation, body:
        AddTagsToOnPremisesInstances => add_tags_to_on_premises_instances,
        BatchGetApplicationRevisions => batch_get_application_revisions,
        BatchGetApplications => batch_get_applications,
        BatchGetDeploymentGroups => batch_get_deployment_groups,
        BatchGetDeploymentInstances => batch_get_deployment_instances,
        BatchGetDeploymentTargets => batch_get_deployment_targets,
        BatchGetDeployments => batch_get_deployments,
        BatchGetOnPremisesInstances => batch_get_on_premises_instances,
        ContinueDeployment => continue_deployment,
        CreateApplication => create_application,
        CreateDeployment => create_deployment,
        CreateDeploymentConfig => create_deployment_config,
        CreateDeploymentGroup => create_deployment_group,
        DeleteApplication => delete_application,
        DeleteDeploymentConfig => delete_deployment_config,
        DeleteDeploymentGroup => delete_deployment_group,
        DeleteGitHubAccountToken => delete_git_hub_account_token,
        DeleteResourcesByExternalId => delete_resources_by_external_id,
        DeregisterOnPremisesInstance => deregister_on_premises_instance,
        GetApplication => get_application,
        GetApplicationRevision => get_application_revision,
        GetDeployment => get_deployment,
        GetDeploymentConfig => get_deployment_config,
        GetDeploymentGroup => get_deployment_group,
        GetDeploymentInstance => get_deployment_instance,
        GetDeploymentTarget => get_deployment_target,
        GetOnPremisesInstance => get_on_premises_instance,
        ListApplicationRevisions => list_application_revisions,
        ListApplications => list_applications,
        ListDeploymentConfigs => list_deployment_configs,
        ListDeploymentGroups => list_deployment_groups,
        ListDeploymentInstances => list_deployment_instances,
        ListDeploymentTargets => list_deployment_targets,
        ListDeployments => list_deployments,
        ListGitHubAccountTokenNames => list_git_hub_account_token_names,
        ListOnPremisesInstances => list_on_premises_instances,
        ListTagsForResource => list_tags_for_resource,
        PutLifecycleEventHookExecutionStatus => put_lifecycle_event_hook_execution_status,
        RegisterApplicationRevision => register_application_revision,
        RegisterOnPremisesInstance => register_on_premises_instance,
        RemoveTagsFromOnPremisesInstances => remove_tags_from_on_premises_instances,
        SkipWaitTimeForInstanceTermination => skip_wait_time_for_instance_termination,
        StopDeployment => stop_deployment,
        TagResource => tag_resource,
        UntagResource => untag_resource,
        UpdateApplication => update_application,
        UpdateDeploymentGroup => update_deployment_group,
    );
    Ok(output?)
}

/// The input of one operation of CodeDeploy; of several faults, the one that the service tells first.
async fn read_in_order<I>(app: &App, call: &Call, body: &[u8]) -> Result<I, Failure>
where
    I: Input<Operation = Operation>,
{
    match read::<I>(body) {
        Ok(input) => Ok(input),
        Err(fault) => {
            // What cannot be read has no names to look up.
            if fault.code != ErrorCode::Serialization {
                app.check_what_comes_before(fault.code, call, I::OPERATION, body).await?;
            }
            Err(fault.into())
        }
    }
}

/// The input of one operation: read, and held to the limits that the model states.
pub fn read<I: Input>(body: &[u8]) -> Result<I, ServiceError> {
    let input: I = json11::decode(body)?;
    if body.contains(&b'[') {
        refuse_lists_for_structures(&input, body)?;
    }
    Validate::validate(&input)?;
    Ok(input)
}

/// serde fills a structure from a list, member by member; the service says that a list is none.
fn refuse_lists_for_structures(input: &impl Serialize, body: &[u8]) -> Result<(), ServiceError> {
    let wrong =
        |error: serde_json::Error| ServiceError::new(ErrorCode::Serialization, error.to_string());
    let read = serde_json::to_value(input).map_err(wrong)?;
    let sent = serde_json::from_slice(body).map_err(wrong)?;
    match list_for_structure(&sent, &read, "") {
        None => Ok(()),
        Some(place) => Err(ServiceError::new(
            ErrorCode::Serialization,
            format!("the list at '{place}' should be a structure"),
        )),
    }
}

/// Where a list was sent and a structure was read.
fn list_for_structure(sent: &Value, read: &Value, place: &str) -> Option<String> {
    match (sent, read) {
        (Value::Array(_), Value::Object(_)) => Some(place.to_owned()),
        (Value::Array(sent), Value::Array(read)) => {
            sent.iter().zip(read).zip(1..).find_map(|((sent, read), number)| {
                list_for_structure(sent, read, &format!("{place}.{number}"))
            })
        }
        (Value::Object(sent), Value::Object(read)) => read.iter().find_map(|(name, read)| {
            let place = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
            list_for_structure(sent.get(name)?, read, &place)
        }),
        _ => None,
    }
}
