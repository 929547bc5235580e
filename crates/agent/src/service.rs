//! The command service as the agent calls it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use http::Request;
use http_body_util::Full;
use hyper::body::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use wire::commands::{
    self, Envelope, GetDeploymentSpecificationInput, GetDeploymentSpecificationOutput,
    HookOutputChunk, HostCommandInstance, HostPlanInstance, PollHostCommandInput,
    PollHostCommandOutput, PutHostCommandAcknowledgementInput, PutHostCommandAcknowledgementOutput,
    PutHostCommandCompleteInput, PutHostCommandOutputInput, PutHostPlanInput,
};
use wire::sigv4;

use crate::clock;
use crate::credentials::{CredentialsError, Source};
use crate::diagnostics::Report;
use crate::host_plan::HostPlan;
use crate::http::{Answer, Client, HttpError, host_header};
use crate::output::Chunk;

/// Pauses before a call is tried again. Source: official agent, through its SDK.
const RETRIES: [Duration; 3] =
    [Duration::from_millis(300), Duration::from_millis(600), Duration::from_millis(1200)];

/// How long an answer to output may take; what is printed meanwhile waits.
const OUTPUT_PATIENCE: Duration = Duration::from_secs(10);
/// What services answer that take no output: AWS, and those whose policies do not allow it.
const OUTPUT_REFUSALS: [&str; 2] = ["UnknownOperationException", "AccessDeniedException"];
/// How long a service that took no output is left in peace.
const OUTPUT_ASKED_AGAIN: Duration = Duration::from_secs(3600);

/// Why output was not taken.
#[derive(Debug)]
pub enum OutputRefused {
    /// It may be taken later.
    ForNow(CallError),
    /// It will not.
    ForGood(CallError),
}

/// How a call can fail.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// There are no credentials.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// No answer came.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The service answered an error.
    #[error("{operation}: {code}: {message} (HTTP {status})")]
    Refused { operation: &'static str, code: String, message: String, status: u16 },
    /// The service answered something else.
    #[error("{operation}: the answer cannot be read: {reason}")]
    Unreadable { operation: &'static str, reason: String },
}

impl CallError {
    /// Whether the same call may well succeed later: nobody answered, or the service is at fault or too busy.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Http(_) | Self::Credentials(_) | Self::Unreadable { .. } => true,
            Self::Refused { status, code, .. } => {
                *status >= 500 || *status == 429 || code.contains("Throttl") || self.is_stale_keys()
            }
        }
    }

    fn is_of_a_service_without(&self, codes: [&str; 2]) -> bool {
        matches!(self, Self::Refused { code, .. } if codes.contains(&code.as_str()))
    }

    /// Whether the signature may have been refused for the time in it.
    fn is_about_time(&self) -> bool {
        let Self::Refused { code, .. } = self else { return false };
        matches!(
            code.as_str(),
            "InvalidSignatureException"
                | "SignatureDoesNotMatch"
                | "RequestTimeTooSkewed"
                | "RequestExpired"
                | "RequestInTheFuture"
        )
    }

    fn is_stale_keys(&self) -> bool {
        let Self::Refused { code, .. } = self else { return false };
        matches!(
            code.as_str(),
            "ExpiredTokenException"
                | "ExpiredToken"
                | "UnrecognizedClientException"
                | "InvalidClientTokenId"
                | "InvalidSignatureException"
                | "MissingAuthenticationTokenException"
        )
    }
}

/// What a poll brings.
#[derive(Debug)]
pub enum Work {
    /// A command.
    Command(HostCommandInstance),
    /// A question about a deployment that may be made.
    Plan(HostPlanInstance),
    /// Nothing, for as long as the service held the poll.
    Nothing,
}

/// What the service answered to an acknowledgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acknowledged {
    /// Go on.
    Proceed,
    /// The command is over: nothing more is to be done or said.
    Over,
    /// The command has failed, says the service: nothing is to be done, but that there was nothing to do is to be said.
    Failed,
}

/// The command service of one control plane.
#[derive(Debug)]
pub struct CommandService {
    client: Client,
    endpoint: String,
    region: String,
    secure: bool,
    host_identifier: String,
    read_timeout: Duration,
    credentials: std::sync::Arc<Source>,
    /// When the service last said that it takes no output.
    output_refused: Mutex<Option<Instant>>,
}

/// What a command service is made from.
#[derive(Debug)]
pub struct ServiceSettings {
    /// The client, with its proxy.
    pub client: Client,
    /// The URL of the control plane.
    pub endpoint: String,
    /// The region to sign for.
    pub region: String,
    /// Whether it is the variant with the authorisation policy.
    pub secure: bool,
    /// Who this host is.
    pub host_identifier: String,
    /// How long an answer may take.
    pub read_timeout: Duration,
}

impl CommandService {
    /// The service.
    pub fn new(settings: ServiceSettings, credentials: std::sync::Arc<Source>) -> Self {
        let ServiceSettings { client, endpoint, region, secure, host_identifier, read_timeout } =
            settings;
        let endpoint = endpoint.trim_end_matches('/').to_owned();
        Self {
            client,
            endpoint,
            region,
            secure,
            host_identifier,
            read_timeout,
            credentials,
            output_refused: Mutex::default(),
        }
    }

    /// Who this host is.
    pub fn host_identifier(&self) -> &str {
        &self.host_identifier
    }

    /// Waits for work; none comes if the service has none for as long as it holds the poll.
    ///
    /// # Errors
    /// The call failed; it was tried once.
    pub async fn poll(&self) -> Result<Work, CallError> {
        let input = PollHostCommandInput { host_identifier: Some(self.host_identifier.clone()) };
        let output: PollHostCommandOutput = self.call("PollHostCommand", &input).await?;
        Ok(match (output.host_command, output.host_plan) {
            (Some(command), _) => Work::Command(command),
            (None, Some(plan)) => Work::Plan(plan),
            (None, None) => Work::Nothing,
        })
    }

    /// Tells what an Install would do.
    ///
    /// # Errors
    /// The call failed, after a few tries where that may help.
    pub async fn put_plan(&self, id: &str, plan: HostPlan) -> Result<(), CallError> {
        let input = PutHostPlanInput {
            host_plan_identifier: Some(id.to_owned()),
            host_identifier: Some(self.host_identifier.clone()),
            outcome: Some(plan.outcome.name().to_owned()),
            message: plan.message,
            counts: Some(plan.counts),
            files: Some(plan.files),
        };
        let _: Value = self.call_patiently("PutHostPlan", &input).await?;
        Ok(())
    }

    /// The signed specification of a deployment.
    ///
    /// # Errors
    /// The call failed, after a few tries where that may help.
    pub async fn specification(
        &self,
        execution: &str,
    ) -> Result<GetDeploymentSpecificationOutput, CallError> {
        let input = GetDeploymentSpecificationInput {
            deployment_execution_id: Some(execution.to_owned()),
            host_identifier: Some(self.host_identifier.clone()),
        };
        self.call_patiently("GetDeploymentSpecification", &input).await
    }

    /// Acknowledges a command.
    ///
    /// # Errors
    /// The call failed, after a few tries where that may help.
    pub async fn acknowledge(&self, command: &str, noop: bool) -> Result<Acknowledged, CallError> {
        let input = PutHostCommandAcknowledgementInput {
            host_command_identifier: Some(command.to_owned()),
            diagnostics: Some(json_envelope(format!("{{\"IsCommandNoop\":{noop}}}"))),
        };
        let output: PutHostCommandAcknowledgementOutput =
            self.call_patiently("PutHostCommandAcknowledgement", &input).await?;
        Ok(match output.command_status.as_deref() {
            Some("Succeeded") => Acknowledged::Over,
            Some("Failed") => Acknowledged::Failed,
            _ => Acknowledged::Proceed,
        })
    }

    /// Sends what a command's hooks printed: its `number`-th batch. A repeat changes nothing.
    ///
    /// # Errors
    /// Nobody answered, or the service does not want to know.
    pub async fn put_output(
        &self,
        command: &str,
        number: i64,
        chunks: &[Chunk],
    ) -> Result<(), OutputRefused> {
        let chunks = chunks.iter().map(|chunk| HookOutputChunk {
            stream: Some(chunk.stream.name().to_owned()),
            time: Some(wire::Time::from_millis(chunk.millis)),
            text: Some(chunk.text.clone()),
        });
        let input = PutHostCommandOutputInput {
            host_command_identifier: Some(command.to_owned()),
            batch: Some(number),
            chunks: Some(chunks.collect()),
        };
        let patience = self.read_timeout.min(OUTPUT_PATIENCE);
        match self.call_within::<Value>("PutHostCommandOutput", &input, patience).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_passing() => Err(OutputRefused::ForNow(error)),
            Err(error) => {
                if error.is_of_a_service_without(OUTPUT_REFUSALS) {
                    *lock(&self.output_refused) = Some(Instant::now());
                }
                Err(OutputRefused::ForGood(error))
            }
        }
    }

    /// Whether the service takes output, as far as is known. One that did not may have become a newer one.
    pub fn takes_output(&self) -> bool {
        lock(&self.output_refused).is_none_or(|refused| refused.elapsed() > OUTPUT_ASKED_AGAIN)
    }

    /// Reports how a command ended.
    ///
    /// # Errors
    /// The call failed; it was tried once.
    pub async fn complete(&self, command: &str, report: &Report) -> Result<(), CallError> {
        let status = if report.succeeded() { "Succeeded" } else { "Failed" };
        let input = PutHostCommandCompleteInput {
            host_command_identifier: Some(command.to_owned()),
            command_status: Some(status.to_owned()),
            diagnostics: Some(json_envelope(report.payload())),
        };
        let _: Value = self.call("PutHostCommandComplete", &input).await?;
        Ok(())
    }

    async fn call_patiently<O: DeserializeOwned>(
        &self,
        operation: &'static str,
        input: &impl Serialize,
    ) -> Result<O, CallError> {
        for pause in RETRIES {
            match self.call(operation, input).await {
                Err(error) if error.is_passing() => {
                    tracing::warn!(operation, error = crate::spec::chain(&error), "trying again");
                    tokio::time::sleep(pause).await;
                }
                other => return other,
            }
        }
        self.call(operation, input).await
    }

    async fn call<O: DeserializeOwned>(
        &self,
        operation: &'static str,
        input: &impl Serialize,
    ) -> Result<O, CallError> {
        self.call_within(operation, input, self.read_timeout).await
    }

    async fn call_within<O: DeserializeOwned>(
        &self,
        operation: &'static str,
        input: &impl Serialize,
        patience: Duration,
    ) -> Result<O, CallError> {
        let unreadable = |reason: String| CallError::Unreadable { operation, reason };
        let body = serde_json::to_vec(input).map_err(|error| unreadable(error.to_string()))?;
        let mut answer = self.exchange(operation, &body, patience).await?;
        if answer.status != 200 && refusal(operation, &answer).is_about_time() && learn(&answer) {
            answer = self.exchange(operation, &body, patience).await?;
        }
        if answer.status != 200 {
            let error = refusal(operation, &answer);
            if error.is_stale_keys() {
                self.credentials.forget().await;
            }
            return Err(error);
        }
        let body = if answer.body.is_empty() { b"{}".as_slice() } else { &answer.body };
        serde_json::from_slice(body).map_err(|error| unreadable(error.to_string()))
    }

    async fn exchange(
        &self,
        operation: &'static str,
        body: &[u8],
        patience: Duration,
    ) -> Result<Answer, CallError> {
        let request = self.signed(operation, body.to_vec()).await?;
        Ok(self.client.call(request, patience).await?)
    }

    async fn signed(
        &self,
        operation: &'static str,
        body: Vec<u8>,
    ) -> Result<Request<Full<Bytes>>, CallError> {
        let (prefix, service) = match self.secure {
            true => (commands::TARGET_PREFIX_SECURE, commands::SIGNING_NAME_SECURE),
            false => (commands::TARGET_PREFIX, commands::SIGNING_NAME),
        };
        let url = |reason: String| HttpError::Url { url: self.endpoint.clone(), reason };
        let uri: http::Uri = format!("{}/", self.endpoint)
            .parse()
            .map_err(|error: http::uri::InvalidUri| url(error.to_string()))?;
        let host = host_header(&uri)?;
        let target = format!("{prefix}.{operation}");
        let headers: [(&str, &[u8]); 4] = [
            ("host", host.as_bytes()),
            ("content-type", b"application/x-amz-json-1.1"),
            ("x-amz-target", target.as_bytes()),
            (commands::AGENT_VERSION_HEADER, crate::VERSION.as_bytes()),
        ];
        let unsigned = sigv4::Request { method: "POST", target: "/", headers: &headers };
        let credentials = self.credentials.get().await?;
        let scope = sigv4::Scope { region: &self.region, service };
        let now = clock::service_seconds();
        let added = sigv4::sign(&unsigned, &credentials, scope, now, &sigv4::payload_hash(&body));
        let mut request = Request::post(uri)
            .header("user-agent", crate::VERSION)
            // Services that do not know it do not look at it.
            .header(commands::AGENT_PLANS_HEADER, "1");
        for (name, value) in headers {
            request = request.header(name, value);
        }
        for (name, value) in added {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(Bytes::from(body)));
        Ok(request.map_err(|error| url(error.to_string()))?)
    }
}

/// Nothing is half-changed under this lock.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn json_envelope(payload: String) -> Envelope {
    Envelope { format: Some("JSON".to_owned()), payload: Some(payload) }
}

/// Takes the service's time from an answer that refuses a signature; whether that may help.
fn learn(answer: &Answer) -> bool {
    let date = answer.headers.get(http::header::DATE).and_then(|date| date.to_str().ok());
    let Some(ahead) = date.and_then(clock::learn) else { return false };
    let way = if ahead < 0 { "behind" } else { "ahead of" };
    tracing::warn!(
        "the service's clock is {} s {way} this host's: requests are signed with the service's time; set this host's clock",
        ahead.abs()
    );
    true
}

/// What an answer with another status than 200 means. One that names no error is not the service's, but of somebody between:
/// a proxy, a load balancer, another server at that address.
fn refusal(operation: &'static str, answer: &Answer) -> CallError {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let header = answer.headers.get("x-amzn-errortype").and_then(|value| value.to_str().ok());
    let status = answer.status;
    let Some(code) = body["__type"].as_str().or(body["code"].as_str()).or(header) else {
        let reason = format!(
            "HTTP {status}, and no error of the service's: is it the control plane that answers?"
        );
        return CallError::Unreadable { operation, reason };
    };
    let code = code.rsplit('#').next().unwrap_or(code);
    let code = code.split(':').next().unwrap_or(code).to_owned();
    let message = body["message"].as_str().or(body["Message"].as_str()).unwrap_or_default();
    let message = message.chars().take(500).collect();
    CallError::Refused { operation, code, message, status }
}
