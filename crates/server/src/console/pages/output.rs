//! What hooks print: as it is now, as a file, and as it comes.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use bytes::Bytes;
use futures::stream;
use http::{HeaderValue, StatusCode, header};
use http_body::Frame as BodyFrame;
use http_body_util::{BodyExt, StreamBody};
use model::{DeploymentId, EventState, Target, TargetId};
use serde_json::json;
use wire::longshore::{GetHookOutputInput, GetHookOutputOutput, HookOutputChunk, Operation};

use crate::app::Call;
use crate::driver::chain;
use crate::http::body::{BodyError, Response};
use crate::http::edge::Edge;
use crate::http::respond;

use super::super::answer;
use super::super::problem::Problem;
use super::super::visit::Visit;
use super::live::event;
use super::target::{self, Events};

/// Output that a page shows of one host, in bytes; a file has all of it.
const SHOWN_MAX: usize = 1 << 20;

/// How long one look waits for more. Source: `waitSeconds`; short, so that a stream says now and then that it is there.
const WAIT_SECONDS: i64 = 10;

/// What was printed, by lifecycle event.
#[derive(Debug, Default)]
pub struct Printed {
    texts: BTreeMap<String, String>,
    /// Where to read on.
    pub next: String,
}

impl Printed {
    /// What the hooks of an event printed, if anything.
    pub fn of(&self, event: &str) -> Option<&str> {
        self.texts.get(event).map(String::as_str)
    }

    fn take(&mut self, chunks: Vec<HookOutputChunk>) -> usize {
        let mut taken = 0;
        for chunk in chunks {
            let (event, text) =
                (chunk.lifecycle_event_name.unwrap_or_default(), chunk.text.unwrap_or_default());
            taken += text.len();
            self.texts.entry(event).or_default().push_str(&text);
        }
        taken
    }
}

/// The end of the output that came with a failure; of agents that send no other, this is all there is.
pub fn tail(state: &EventState) -> &str {
    match state {
        EventState::Failed { diagnostics, .. } => &diagnostics.log_tail,
        EventState::Pending
        | EventState::InProgress { .. }
        | EventState::Succeeded { .. }
        | EventState::Skipped { .. } => "",
    }
}

/// What the hooks of a host printed, of all its events or of one.
///
/// # Errors
/// The visitor may not read it.
pub async fn printed(
    visit: &Visit<'_>,
    id: &str,
    target: &Target,
    event: Option<&str>,
) -> Result<Printed, Problem> {
    let (mut printed, mut bytes) = (Printed::default(), 0);
    let most = if event.is_some() { usize::MAX } else { SHOWN_MAX };
    visit.may_read(Operation::GetHookOutput, json!({"deploymentId": id})).await?;
    loop {
        let input = GetHookOutputInput {
            deployment_id: Some(id.to_owned()),
            target_id: Some(target.id.to_string()),
            lifecycle_event_name: event.map(str::to_owned),
            next_token: Some(printed.next.clone()).filter(|token| !token.is_empty()),
            wait_seconds: None,
        };
        let found = visit.app().get_hook_output(visit.call(), input).await?;
        printed.next = found.next_token.unwrap_or_default();
        let chunks = found.chunks.unwrap_or_default();
        let was_all = chunks.is_empty();
        bytes += printed.take(chunks);
        if was_all || bytes > most {
            return Ok(printed);
        }
    }
}

/// An event's output as a file.
pub async fn download(
    visit: &Visit<'_>,
    id: &str,
    target: &str,
    event: &str,
) -> Result<Response, Problem> {
    let (record, target) = target::target_of(visit, id, target).await?;
    let found = target.events.iter().find(|found| found.name.name() == event);
    let missing = || Problem::NotFound(format!("There is no output of {event}."));
    let found = found.ok_or_else(missing)?;
    let printed = printed(visit, id, &target, Some(event)).await?;
    let text = printed.of(event).unwrap_or_else(|| tail(&found.state)).to_owned();
    let name = format!("{}-{}-{event}.log", record.state.id, target.id);
    Ok(answer::download(&name, text))
}

/// What is printed from now on, with the state of the events.
pub async fn stream(visit: &Visit<'_>, id: &str, target: &str) -> Result<Response, Problem> {
    let (record, target) = target::target_of(visit, id, target).await?;
    visit.may_read(Operation::GetHookOutput, json!({"deploymentId": id})).await?;
    let follow = Follow {
        edge: Arc::clone(visit.edge),
        call: visit.call().clone(),
        id: record.state.id,
        target: target.id,
        next: visit.request.last_event_text.clone().or(visit
            .request
            .query
            .get("after")
            .map(str::to_owned)),
        shown: String::new(),
        rounds: 0,
        is_over: false,
    };
    let events = stream::unfold(follow, |mut follow| async move {
        let event = follow.next_event().await?;
        Some((Ok::<_, BodyError>(BodyFrame::data(Bytes::from(event))), follow))
    });
    let mut response = respond::with_status(StatusCode::OK, StreamBody::new(events).boxed_unsync());
    let event_stream = HeaderValue::from_static("text/event-stream");
    response.headers_mut().insert(header::CONTENT_TYPE, event_stream);
    Ok(response)
}

/// A session may end while its stream goes on; the browser connects anew after so many looks.
const ROUNDS_MAX: u32 = 60;

/// One visitor's view of a host.
struct Follow {
    edge: Arc<Edge>,
    call: Call,
    id: DeploymentId,
    target: TargetId,
    next: Option<String>,
    /// The table of events as the visitor sees it.
    shown: String,
    rounds: u32,
    is_over: bool,
}

impl Follow {
    async fn next_event(&mut self) -> Option<String> {
        self.rounds += 1;
        if self.is_over || self.rounds > ROUNDS_MAX || self.edge.console.stopping.is_cancelled() {
            return None;
        }
        match self.look().await {
            Ok(event) => Some(event),
            Err(error) => {
                let (deployment, host) = (self.id.as_str(), self.target.as_str());
                tracing::error!(deployment, host, error = chain(&error), "a live page failed");
                None
            }
        }
    }

    async fn look(&mut self) -> Result<String, Problem> {
        let input = GetHookOutputInput {
            deployment_id: Some(self.id.to_string()),
            target_id: Some(self.target.to_string()),
            lifecycle_event_name: None,
            next_token: self.next.clone(),
            // At once for the first time, so that the browser knows that it is connected.
            wait_seconds: (self.rounds > 1).then_some(WAIT_SECONDS),
        };
        let found = self.edge.app.get_hook_output(&self.call, input).await?;
        let GetHookOutputOutput { chunks, next_token, ended } = found;
        let next = next_token.unwrap_or_default();
        let mut printed = Printed::default();
        printed.take(chunks.unwrap_or_default());
        let mut events = String::new();
        for (name, text) in &printed.texts {
            let piece = json!({"id": format!("output-{name}"), "text": text}).to_string();
            events += &event("append", &next, &piece);
        }
        self.next = Some(next.clone());
        self.is_over = ended == Some(true);
        if let Some(target) = self.edge.app.target(&self.id, &self.target).await? {
            let table = Events::of(&target, self.edge.clock.now());
            let table = table.render().map_err(|error| Problem::internal("a page", error))?;
            if table != self.shown {
                events += &event("patch", &next, &table);
                self.shown = table;
            }
        }
        if self.is_over {
            events += &event("over", &next, "over");
        }
        Ok(if events.is_empty() { ": still here\n\n".to_owned() } else { events })
    }
}
