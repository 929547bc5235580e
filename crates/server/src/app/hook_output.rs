//! What hooks print, for whoever watches a deployment.

use std::collections::HashMap;
use std::time::Duration;

use model::{Event, EventState, LifecycleEvent, Target, TargetId};
use serde::{Deserialize, Serialize};
use store::{Change, DeploymentRecord, OutputFilter, StoredOutput};
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;
use wire::longshore::{GetHookOutputInput, GetHookOutputOutput, HookOutputChunk};
use wire::{ErrorCode, ServiceError, Time};

use super::targets::{no_target, short_id};
use super::{Answer, App, Call, Failure};

/// A piece of output as it is stored: written by the agents' command service, read here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    /// `stdout`, `stderr` or `note`.
    #[serde(rename = "s")]
    pub stream: String,
    /// When the first of it was printed, in milliseconds since the epoch, by the host's clock.
    #[serde(rename = "t")]
    pub millis: i64,
    /// What was printed.
    #[serde(rename = "x")]
    pub text: String,
}

/// Batches that one answer may hold. An agent's batch has up to 256 KiB, most have a few lines.
const BATCHES_MAX: u32 = 64;
/// An answer that has this much output ends, so that memory does not grow with a long output; in bytes.
const ANSWER_BYTES: u64 = 512 << 10;
/// A wait looks again after this long even if nobody rings: a wake-up from another server may get lost.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

impl App {
    /// What the hooks of a deployment printed, from a place on; waits for more if asked to.
    pub async fn get_hook_output(
        &self,
        _call: &Call,
        input: GetHookOutputInput,
    ) -> Answer<GetHookOutputOutput> {
        let record = self.deployment(input.deployment_id).await?;
        let subject = subject(&record, input.target_id, input.lifecycle_event_name)?;
        self.check_target(&record, subject.target.as_ref()).await?;
        let list = format!("GetHookOutput {subject:?}");
        let place = self.tokens.open(&list, input.next_token.as_deref())?;
        let mut place = place.map_or_else(|| Ok(Place::default()), |text| Place::read(&text))?;
        let wait = Duration::from_secs(input.wait_seconds.unwrap_or(0).unsigned_abs());
        let until = Instant::now() + wait;
        // Listened to before looking, so that nothing written between looking and waiting is missed.
        let mut changes = self.store.changes();
        loop {
            // Looked at before the output is read: an event ends after its output came.
            let ended = self.has_ended(&subject).await?;
            let found = self.store.output(&subject, place.position, BATCHES_MAX).await?;
            let is_over = ended && found.is_empty();
            // Without a wait, one look is enough.
            if !found.is_empty() || is_over || !self.wait(&mut changes, &subject, until).await {
                let chunks = place.take(found, subject.target.is_some())?;
                let next = self.tokens.seal(&list, &place.write());
                return Ok(GetHookOutputOutput {
                    chunks: Some(chunks),
                    next_token: Some(next),
                    ended: Some(is_over),
                });
            }
        }
    }

    /// Waits until there may be something new; `false` when it is too late for that.
    async fn wait(
        &self,
        changes: &mut tokio::sync::broadcast::Receiver<Change>,
        subject: &OutputFilter,
        until: Instant,
    ) -> bool {
        let look_again = until.min(Instant::now() + LOOK_AGAIN);
        loop {
            tokio::select! {
                () = self.stopping.cancelled() => return false,
                () = tokio::time::sleep_until(look_again) => return look_again < until,
                change = changes.recv() => match change {
                    Ok(Change::Output(id) | Change::Committed(id)) if id == subject.deployment => return true,
                    Ok(Change::Everything) | Err(RecvError::Lagged(_)) => return true,
                    Ok(_) => {}
                    Err(RecvError::Closed) => return false,
                },
            }
        }
    }

    /// Whether nothing more will be printed.
    async fn has_ended(&self, subject: &OutputFilter) -> Answer<bool> {
        let id = &subject.deployment;
        let record = self.store.deployment(id).await?;
        if record.is_none_or(|record| record.state.status.is_over()) {
            return Ok(true);
        }
        let Some(target) = &subject.target else { return Ok(false) };
        let target = self.store.target(id, target).await?;
        Ok(target.is_some_and(|target| is_over(&target, subject.event)))
    }

    /// Refuses a target that a started deployment does not have.
    pub(super) async fn check_target(
        &self,
        record: &DeploymentRecord,
        target: Option<&TargetId>,
    ) -> Answer<()> {
        let Some(target) = target else { return Ok(()) };
        if record.state.status.has_started()
            && self.store.target(&record.state.id, target).await?.is_none()
        {
            return Err(no_target(record, target.as_str()).into());
        }
        Ok(())
    }
}

fn is_over(target: &Target, event: Option<LifecycleEvent>) -> bool {
    let over = |event: &Event| match event.state {
        EventState::Pending | EventState::InProgress { .. } => false,
        EventState::Succeeded { .. } | EventState::Failed { .. } | EventState::Skipped { .. } => {
            true
        }
    };
    match event {
        None => target.status.is_over(),
        // An event that the deployment does not have will print nothing.
        Some(name) => target.events.iter().find(|event| event.name == name).is_none_or(over),
    }
}

fn subject(
    record: &DeploymentRecord,
    target: Option<String>,
    event: Option<String>,
) -> Result<OutputFilter, ServiceError> {
    let target =
        target.map(|id| short_id(&id, ErrorCode::InvalidDeploymentTargetId)).transpose()?;
    let event = event
        .map(|name| {
            name.parse().map_err(|_| {
                let shown: String = name.chars().take(100).collect();
                ServiceError::new(
                    ErrorCode::InvalidLifecycleEventName,
                    format!("There is no lifecycle event '{shown}'"),
                )
            })
        })
        .transpose()?;
    Ok(OutputFilter { deployment: record.state.id.clone(), target, event })
}

/// How far somebody has read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Place {
    /// All up to here.
    position: i64,
    /// The command that the last of it was of, and where in its output that ended.
    last: Option<(String, u64)>,
}

impl Place {
    fn write(&self) -> String {
        match &self.last {
            None => self.position.to_string(),
            Some((command, ends)) => format!("{} {ends} {command}", self.position),
        }
    }

    fn read(text: &str) -> Result<Self, Failure> {
        let mut parts = text.splitn(3, ' ');
        let mut read = || -> Option<Self> {
            let position = parts.next()?.parse().ok()?;
            let last = match (parts.next(), parts.next()) {
                (Some(ends), Some(command)) => Some((command.to_owned(), ends.parse().ok()?)),
                _ => None,
            };
            Some(Self { position, last })
        };
        read().ok_or_else(|| {
            Failure::refused(ErrorCode::InvalidNextToken, "The nextToken is one of another version")
        })
    }

    /// Goes on over what was found, as far as one answer goes, and tells where some is missing.
    fn take(
        &mut self,
        found: Vec<StoredOutput>,
        is_of_one_target: bool,
    ) -> Answer<Vec<HookOutputChunk>> {
        let mut chunks = Vec::new();
        let mut bytes = 0;
        // A target runs one command after the other. Of several targets' output, what was read earlier is not known, so
        // that only gaps within one answer are told.
        let knows_all = is_of_one_target || self.position == 0;
        let mut read_until: HashMap<String, u64> = self.last.take().into_iter().collect();
        for output in found {
            let known = read_until.get(output.command.as_str()).copied();
            let known = known.or(knows_all.then_some(output.kept_until));
            let missing = output.begins.saturating_sub(known.unwrap_or(output.begins));
            let read: Vec<Chunk> = serde_json::from_str(&output.chunks)
                .map_err(|error| Failure::internal("stored output cannot be read", error))?;
            if missing > 0 {
                let millis = read.first().map_or(0, |chunk| chunk.millis);
                chunks.push(shown(&output, note(missing, millis)));
            }
            chunks.extend(read.into_iter().map(|chunk| shown(&output, chunk)));
            self.position = output.position;
            self.last = Some((output.command.to_string(), output.ends));
            read_until.insert(output.command.to_string(), output.ends);
            bytes += output.ends - output.begins;
            if bytes >= ANSWER_BYTES {
                break;
            }
        }
        Ok(chunks)
    }
}

fn note(missing: u64, millis: i64) -> Chunk {
    let text = format!(
        "{missing} bytes are not kept here; the host has them in the deployment's scripts.log\n"
    );
    Chunk { stream: "note".to_owned(), millis, text }
}

fn shown(output: &StoredOutput, chunk: Chunk) -> HookOutputChunk {
    HookOutputChunk {
        target_id: Some(output.target.to_string()),
        lifecycle_event_name: Some(output.event.name().to_owned()),
        stream: Some(chunk.stream),
        time: Some(Time::from_millis(chunk.millis)),
        text: Some(chunk.text),
    }
}
