//! Longshore's own service over JSON 1.1.

use wire::json11;
use wire::longshore::Operation;

use super::json::read;
use crate::app::{App, Call, Failure};

/// Answers one call of longshore's own service.
pub async fn answer(
    app: &App,
    call: &Call,
    operation: Operation,
    body: &[u8],
) -> Result<Vec<u8>, Failure> {
    let output = match operation {
        Operation::ExplainDeployment => {
            json11::encode(&app.explain_deployment(call, read(body)?).await?)
        }
        Operation::GetHookOutput => json11::encode(&app.get_hook_output(call, read(body)?).await?),
        Operation::LinkGitHubAccountToken => {
            json11::encode(&app.link_git_hub_account_token(call, read(body)?).await?)
        }
        // Its input is that of CreateDeployment, held to the same limits.
        Operation::PlanDeployment => json11::encode(&app.plan_deployment(call, read(body)?).await?),
        Operation::PutGitHubAccountToken => {
            json11::encode(&app.put_git_hub_account_token(call, read(body)?).await?)
        }
    };
    Ok(output?)
}
