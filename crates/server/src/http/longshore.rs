//! Longshore's own service over JSON 1.1.

use wire::json11;
use wire::longshore::{Operation, StartHostPlanInput};

use super::json::read;
use crate::app::{App, Call, Failure};
use crate::forms::Context;
use crate::{alarms, notifications};

/// Answers one call of longshore's own service.
pub async fn answer(
    app: &App,
    context: &Context,
    call: &Call,
    operation: Operation,
    body: &[u8],
) -> Result<Vec<u8>, Failure> {
    let output = match operation {
        Operation::DeleteAlarmSource => {
            json11::encode(&alarms::api::delete(context, read(body)?).await?)
        }
        Operation::DeleteDeadLetters => {
            json11::encode(&notifications::api::discard(context, read(body)?).await?)
        }
        Operation::DeleteEventDestination => {
            json11::encode(&notifications::api::delete(context, read(body)?).await?)
        }
        Operation::ListAlarmSources => {
            json11::encode(&alarms::api::list(context, read(body)?).await?)
        }
        Operation::ListDeadLetters => {
            json11::encode(&notifications::api::dead_letters(context, read(body)?).await?)
        }
        Operation::ListEventDestinations => {
            json11::encode(&notifications::api::list(context, read(body)?).await?)
        }
        Operation::PutAlarmSource => json11::encode(&alarms::api::put(context, read(body)?).await?),
        Operation::PutEventDestination => {
            json11::encode(&notifications::api::put(context, read(body)?).await?)
        }
        Operation::RedriveDeadLetters => {
            json11::encode(&notifications::api::redrive(context, read(body)?).await?)
        }
        Operation::ExplainDeployment => {
            json11::encode(&app.explain_deployment(call, read(body)?).await?)
        }
        Operation::GetHostPlan => json11::encode(&app.get_host_plan(call, read(body)?).await?),
        Operation::GetHookOutput => json11::encode(&app.get_hook_output(call, read(body)?).await?),
        Operation::LinkGitHubAccountToken => {
            json11::encode(&app.link_git_hub_account_token(call, read(body)?).await?)
        }
        Operation::ListHosts => json11::encode(&app.list_hosts(call, read(body)?).await?),
        // Its input is that of CreateDeployment, held to the same limits.
        Operation::PlanDeployment => {
            json11::encode(&app.plan_deployment(context, call, read(body)?).await?)
        }
        Operation::StartHostPlan => {
            let own: StartHostPlanInput = read(body)?;
            let only = own.target_ids.as_deref();
            json11::encode(&app.start_host_plan(context, call, read(body)?, only).await?)
        }
        Operation::PutGitHubAccountToken => {
            json11::encode(&app.put_git_hub_account_token(call, read(body)?).await?)
        }
    };
    Ok(output?)
}
