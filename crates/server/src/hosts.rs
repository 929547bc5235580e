//! The agents' command service: hosts fetch their commands here and report on them.
//!
//! Only a host itself may act for it: the caller must be the session that the host's own metadata service handed out,
//! or the identity that the on-premises instance is bound to. What hosts report are facts; the driver decides what
//! follows from them.

mod diagnostics;
mod leases;
mod output;
mod plans;
mod specification;

use std::sync::Arc;
use std::time::Duration;

use model::{
    ApplicationId, DeploymentId, HostCommandId, InstanceId, Revision, TargetId, Timestamp,
};
use rollout::{Completion, HostCommand};
use store::{Acknowledge, CommandRecord, Complete, OutputLimits, Store};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use wire::commands::{
    DeploymentSpecification, Envelope, FORMAT_PKCS7_JSON, GetDeploymentSpecificationInput,
    GetDeploymentSpecificationOutput, HostCommandInstance, PollHostCommandInput,
    PollHostCommandOutput, PostHostCommandUpdateInput, PostHostCommandUpdateOutput,
    PutHostCommandAcknowledgementInput, PutHostCommandAcknowledgementOutput,
    PutHostCommandCompleteInput, PutHostCommandOutputInput,
};
use wire::{ErrorCode, NoOutput, ServiceError};

use crate::app::{Answer, Call, Failure, applications, on_premises};
use crate::github::GitHubTokens;
use crate::histogram::Latencies;
use crate::signer::Signer;
use crate::wake::HostBells;
use leases::Leases;
use output::Output;

/// How long an idle poll stays open. The official agent stops reading after 80 s and counts that as an error, so this
/// stays well below.
const POLL_HOLD: Duration = Duration::from_secs(55);

/// What begins the id by which agents ask for a specification; they only carry it back.
/// Source: observed answers of the service.
const EXECUTION_PREFIX: &str = "CodeDeploy";

/// What an agent says of itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct Agent<'a> {
    /// Its name and version.
    pub version: Option<&'a str>,
    /// It can be told of deployments that may be made.
    pub takes_plans: bool,
}

/// The agents' command service. Clones share it.
#[derive(Clone)]
pub struct Hosts {
    store: Store,
    bells: Arc<HostBells>,
    signer: Arc<Signer>,
    git_hub: GitHubTokens,
    stopping: CancellationToken,
    leases: Arc<Leases>,
    output: Arc<Output>,
    latencies: Arc<Latencies>,
}

impl Hosts {
    /// The command service on `store`; parked polls end when `stopping` is cancelled.
    pub fn new(
        store: Store,
        bells: Arc<HostBells>,
        signer: Arc<Signer>,
        git_hub: GitHubTokens,
        output_limits: OutputLimits,
        latencies: Arc<Latencies>,
        stopping: CancellationToken,
    ) -> Self {
        let output = Arc::new(Output::new(store.clone(), output_limits));
        let leases = Arc::default();
        Self { store, bells, signer, git_hub, stopping, leases, output, latencies }
    }

    /// How many hosts wait for a command at this server.
    pub fn connected(&self) -> usize {
        self.bells.parked()
    }

    /// The host's next command; without one, waits for it, up to 55 s, or until the host polls anew: then nobody listens
    /// to this poll any more, and a command that it took would be lost to the host for as long as its lease.
    pub async fn poll_host_command(
        &self,
        call: &Call,
        input: PollHostCommandInput,
        agent: &Agent<'_>,
    ) -> Answer<PollHostCommandOutput> {
        let host = input.host_identifier.unwrap_or_default();
        self.check_host(call, &host).await?;
        self.store.host_seen(&host, call.now, agent.version).await?;
        let began = Instant::now();
        let deadline = began + POLL_HOLD;
        let bell = self.bells.of(&host);
        loop {
            // Registered before looking, so that a command queued between looking and waiting is not missed.
            let rung = bell.rung();
            let mut rung = std::pin::pin!(rung);
            rung.as_mut().enable();
            let mut look_again = deadline;
            let next = self.store.next_command(&host).await?;
            if bell.is_superseded() {
                return Ok(PollHostCommandOutput::default());
            }
            if let Some(command) = next {
                match self.leases.take(&command.id, Instant::now()) {
                    Ok(()) => {
                        self.note_handing_out(call, &command, began.elapsed());
                        return Ok(handed_out(call, command));
                    }
                    Err(ends) => look_again = deadline.min(ends),
                }
            } else if agent.takes_plans
                && let Some(plan) = self.next_plan(call, &host, call.now + began.elapsed()).await?
            {
                return Ok(PollHostCommandOutput { host_plan: Some(plan), host_command: None });
            }
            tokio::select! {
                () = rung => {}
                () = tokio::time::sleep_until(look_again) => {
                    if look_again == deadline {
                        return Ok(PollHostCommandOutput::default());
                    }
                }
                () = self.stopping.cancelled() => return Ok(PollHostCommandOutput::default()),
            }
        }
    }

    /// Counts how long a command waited for its host, and tells the log.
    fn note_handing_out(&self, call: &Call, command: &HostCommand, polled: Duration) {
        let (deployment, host, event, _) = command.id.parts();
        tracing::debug!(%deployment, %host, %event, "handed out");
        if !self.leases.was_taken_twice(&command.id) {
            let ready = (call.now + polled).since(command.dispatched);
            self.latencies.handed_out(ready, polled);
        }
    }

    /// The signed specification of a deployment, for a host that is one of its targets.
    pub async fn get_deployment_specification(
        &self,
        call: &Call,
        input: GetDeploymentSpecificationInput,
    ) -> Answer<GetDeploymentSpecificationOutput> {
        let host = input.host_identifier.unwrap_or_default();
        let target_id = self.check_host(call, &host).await?;
        let execution = input.deployment_execution_id.unwrap_or_default();
        let id: DeploymentId = execution
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .parse()
            .map_err(|_| client("the DeploymentExecutionId names no deployment"))?;
        let target = self.store.target(&id, &target_id).await?;
        if target.is_none_or(|target| target.host_identifier != host) {
            return Err(denied(call, &host));
        }
        let record = self.store.deployment(&id).await?;
        let record = record.ok_or_else(|| client("the deployment does not exist"))?;
        let token =
            self.git_hub_token(&record.revision, &record.application_id, &record.region).await?;
        let content = specification::write(&record, &call.scope.account, token.as_deref())?;
        let payload = self.sign(&content, call.now)?;
        Ok(GetDeploymentSpecificationOutput {
            deployment_system: Some(EXECUTION_PREFIX.to_owned()),
            deployment_specification: Some(DeploymentSpecification {
                generic_envelope: Some(Envelope {
                    format: Some(FORMAT_PKCS7_JSON.to_owned()),
                    payload: Some(payload),
                }),
                ..DeploymentSpecification::default()
            }),
        })
    }

    /// The token with which hosts download a revision from GitHub: that of the connection which the application is
    /// linked to now. Without one they download anonymously, which is enough for public repositories.
    async fn git_hub_token(
        &self,
        revision: &Revision,
        application: &ApplicationId,
        region: &str,
    ) -> Answer<Option<String>> {
        if !matches!(revision, Revision::GitHub { .. }) {
            return Ok(None);
        }
        let application = self.store.application_by_id(application).await?;
        let linked = match &application {
            Some(application) => applications::settings(application)?.git_hub_account_name,
            None => None,
        };
        match linked {
            Some(name) => Ok(self.git_hub.token(region, &name).await?),
            None => Ok(None),
        }
    }

    fn sign(&self, content: &[u8], now: Timestamp) -> Answer<String> {
        self.signer
            .sign(content, now)
            .map_err(|error| Failure::internal("what a host is told could not be signed", error))
    }

    /// The host says that it has a command. The answer tells it whether to go on.
    pub async fn put_host_command_acknowledgement(
        &self,
        call: &Call,
        input: PutHostCommandAcknowledgementInput,
    ) -> Answer<PutHostCommandAcknowledgementOutput> {
        let record = self.own_command(call, input.host_command_identifier).await?;
        let id = &record.command.id;
        let status = match self.store.acknowledge(id, call.now).await? {
            Acknowledge::First => {
                let (deployment, host, event, _) = id.parts();
                tracing::debug!(%deployment, %host, %event, "acknowledged");
                "InProgress"
            }
            // Handed out once, acknowledged twice: the first answer was lost, and the agent asks again. Handed out
            // twice: two of the agent's threads have it, and only one may run it.
            Acknowledge::Again { completed: false } if !self.leases.was_taken_twice(id) => {
                "InProgress"
            }
            Acknowledge::Again { .. } => "Succeeded",
            Acknowledge::NoLongerWanted => "Failed",
            Acknowledge::Unknown => return Err(unknown_command()),
        };
        Ok(PutHostCommandAcknowledgementOutput { command_status: Some(status.to_owned()) })
    }

    /// The host says how a command ended. The first report counts; the official agent repeats a failure.
    pub async fn put_host_command_complete(
        &self,
        call: &Call,
        input: PutHostCommandCompleteInput,
    ) -> Answer<NoOutput> {
        let record = self.own_command(call, input.host_command_identifier).await?;
        let succeeded = match input.command_status.as_deref() {
            Some("Succeeded") => true,
            Some("Failed") => false,
            other => {
                let other = other.unwrap_or_default();
                return Err(client(format!("a command does not end as `{other}`")));
            }
        };
        let diagnostics = diagnostics::read(succeeded, input.diagnostics.as_ref());
        let completion = Completion { at: call.now, succeeded, diagnostics };
        let id = &record.command.id;
        let (deployment, host, event, attempt) = id.parts();
        match self.store.complete(id, &completion).await? {
            Complete::First => {
                tracing::info!(%deployment, %host, %event, attempt, succeeded, "completed");
                self.leases.forget(id);
            }
            Complete::Again => {
                tracing::debug!(%deployment, %host, %event, attempt, "completed again");
            }
            Complete::Unknown => return Err(unknown_command()),
        }
        Ok(NoOutput {})
    }

    /// The host tells what a command's hooks printed since it last did. An extension: the official agents tell nothing.
    pub async fn put_host_command_output(
        &self,
        call: &Call,
        input: PutHostCommandOutputInput,
    ) -> Answer<NoOutput> {
        let record = self.own_command(call, input.host_command_identifier).await?;
        let chunks = input.chunks.unwrap_or_default();
        let number = input.batch.unwrap_or_default();
        self.output.add(record.command.id, number, chunks, call.now).await?;
        Ok(NoOutput {})
    }

    /// The host says that a command is still running. Nothing follows from it but the answer.
    pub async fn post_host_command_update(
        &self,
        call: &Call,
        input: PostHostCommandUpdateInput,
    ) -> Answer<PostHostCommandUpdateOutput> {
        let record = self.own_command(call, input.host_command_identifier).await?;
        let status = match (&record.report.completion, record.closed) {
            (Some(completion), _) if completion.succeeded => "Succeeded",
            (Some(_), _) | (None, Some(_)) => "Failed",
            (None, None) => "InProgress",
        };
        Ok(PostHostCommandUpdateOutput { command_status: Some(status.to_owned()) })
    }

    /// The command that a member names, if it is the caller's.
    async fn own_command(&self, call: &Call, id: Option<String>) -> Answer<CommandRecord> {
        let id: HostCommandId = id.unwrap_or_default().parse().map_err(|_| unknown_command())?;
        let record = self.store.command(&id).await?.ok_or_else(unknown_command)?;
        self.check_host(call, &record.command.host_identifier).await?;
        Ok(record)
    }

    /// Whether the caller is this host; the id of the host as a target.
    async fn check_host(&self, call: &Call, host: &str) -> Answer<TargetId> {
        if let Some(id) = instance_of(host, &call.scope.account) {
            return match call.caller.principal.instance() {
                Some(caller) if *caller == id => Ok(TargetId::from(&id)),
                _ => Err(denied(call, host)),
            };
        }
        let bound = on_premises::bound_to(&self.store, host).await?;
        match bound {
            Some(instance) if call.principal() == host => Ok(TargetId::new(instance.name)),
            _ => Err(denied(call, host)),
        }
    }
}

fn handed_out(call: &Call, command: HostCommand) -> PollHostCommandOutput {
    let (deployment, _, event, attempt) = command.id.parts();
    let arn = call.scope.deployment(&deployment);
    PollHostCommandOutput {
        host_command: Some(HostCommandInstance {
            host_command_identifier: Some(command.id.to_string()),
            host_identifier: Some(command.host_identifier),
            deployment_execution_id: Some(format!(
                "{EXECUTION_PREFIX}/{}/Prod/{arn}",
                call.scope.region
            )),
            command_name: Some(event.name().to_owned()),
            nonce: Some(i64::from(attempt)),
        }),
        host_plan: None,
    }
}

/// The instance that a host identifier of the form `arn:aws:ec2:REGION:ACCOUNT:instance/i-…` names.
fn instance_of(host: &str, account: &str) -> Option<InstanceId> {
    let parts: Vec<&str> = host.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", _, "ec2", _, found, resource] if *found == account => {
            resource.strip_prefix("instance/")?.parse().ok()
        }
        _ => None,
    }
}

fn denied(call: &Call, host: &str) -> Failure {
    let shown: String = host.chars().take(200).collect();
    Failure::refused(
        ErrorCode::AccessDenied,
        format!("{} may not act for the host {shown}", call.principal()),
    )
}

fn unknown_command() -> Failure {
    client("there is no such host command")
}

fn client(message: impl Into<String>) -> Failure {
    ServiceError::new(ErrorCode::Client, message).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_identifier_names_an_instance_of_the_account() {
        let id = |host: &str| instance_of(host, "123456789012").map(|id| id.to_string());
        assert_eq!(
            id("arn:aws:ec2:us-east-1:123456789012:instance/i-0123456789abcdef0").as_deref(),
            Some("i-0123456789abcdef0")
        );
        assert_eq!(id("arn:aws:ec2:us-east-1:999999999999:instance/i-0123456789abcdef0"), None);
        assert_eq!(id("arn:aws:iam::123456789012:user/web"), None);
        assert_eq!(id("i-0123456789abcdef0"), None);
    }
}
