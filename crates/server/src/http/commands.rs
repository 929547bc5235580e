//! The agents' command service over JSON 1.1.

use wire::commands::Operation;
use wire::json11;

use super::json::read;
use crate::app::{Call, Failure};
use crate::hosts::{Agent, Hosts};

/// Answers one call of an agent.
pub async fn answer(
    hosts: &Hosts,
    call: &Call,
    operation: Operation,
    body: &[u8],
    agent: &Agent<'_>,
) -> Result<Vec<u8>, Failure> {
    let output = match operation {
        Operation::PollHostCommand => {
            json11::encode(&hosts.poll_host_command(call, read(body)?, agent).await?)
        }
        Operation::GetDeploymentSpecification => {
            json11::encode(&hosts.get_deployment_specification(call, read(body)?).await?)
        }
        Operation::PutHostCommandAcknowledgement => {
            json11::encode(&hosts.put_host_command_acknowledgement(call, read(body)?).await?)
        }
        Operation::PutHostCommandComplete => {
            json11::encode(&hosts.put_host_command_complete(call, read(body)?).await?)
        }
        Operation::PutHostCommandOutput => {
            json11::encode(&hosts.put_host_command_output(call, read(body)?).await?)
        }
        Operation::PutHostPlan => json11::encode(&hosts.put_host_plan(call, read(body)?).await?),
        Operation::PostHostCommandUpdate => {
            json11::encode(&hosts.post_host_command_update(call, read(body)?).await?)
        }
    };
    Ok(output?)
}
