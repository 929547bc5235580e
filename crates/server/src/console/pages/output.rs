//! What hooks print: as it is now, as a file, and as it comes.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use futures::stream;
use model::{DeploymentId, EventState, Target, TargetId};
use serde_json::json;
use wire::longshore::{GetHookOutputInput, GetHookOutputOutput, HookOutputChunk, Operation};

use crate::app::Call;
use crate::driver::chain;
use crate::http::body::Response;
use crate::http::edge::Edge;

use super::super::answer;
use super::super::problem::Problem;
use super::super::show::Badge;
use super::super::visit::Visit;
use super::live::{self, event};
use super::target::{self, Events};

/// The output of one event that a page shows, in bytes: its end, where one sees why it failed. A file has all of it.
const SHOWN_MAX: usize = 128 << 10;

/// How far back a page looks for something.
const SEARCHED_MAX: usize = 2 << 20;

/// How long one look waits for more. Source: `waitSeconds`; short, so that a stream says now and then that it is there.
const WAIT_SECONDS: i64 = 10;

/// What was printed, by lifecycle event.
#[derive(Debug, Default)]
pub struct Printed {
    texts: BTreeMap<String, Text>,
    /// Where to read on.
    pub next: String,
}

/// The output of one event, or its end.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Text {
    pub text: String,
    /// Bytes that were printed before it.
    pub left_out: usize,
}

impl Printed {
    /// What the hooks of an event printed, if anything.
    pub fn of(&self, event: &str) -> Option<&Text> {
        self.texts.get(event)
    }

    /// Takes more of it, and lets go of what is further than `most` bytes from its end.
    fn take(&mut self, chunks: Vec<HookOutputChunk>, most: usize) {
        for chunk in chunks {
            let event = chunk.lifecycle_event_name.unwrap_or_default();
            let printed = self.texts.entry(event).or_default();
            printed.text.push_str(&chunk.text.unwrap_or_default());
            // Now and then only, so that a long output is not moved with each of its lines.
            if printed.text.len() / 2 > most {
                printed.keep_end(most);
            }
        }
    }

    fn keep_ends(&mut self, most: usize) {
        for printed in self.texts.values_mut() {
            printed.keep_end(most);
        }
    }
}

impl Text {
    /// Keeps whole lines of the last `most` bytes; of a longer line, its end.
    fn keep_end(&mut self, most: usize) {
        let Some(from) = self.text.len().checked_sub(most).filter(|from| *from > 0) else { return };
        let from = self.text.ceil_char_boundary(from);
        let line = self.text[from..].find('\n').map(|end| from + end + 1);
        let from = line.filter(|begins| *begins < self.text.len()).unwrap_or(from);
        self.text.drain(..from);
        self.left_out += from;
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

/// What the hooks of a host printed last, event by event; more of it if something is looked for.
///
/// # Errors
/// The visitor may not read it.
pub async fn of_host(
    visit: &Visit<'_>,
    id: &str,
    target: &Target,
    is_search: bool,
) -> Result<Printed, Problem> {
    let most = if is_search { SEARCHED_MAX } else { SHOWN_MAX };
    printed(visit, id, target, None, most).await
}

async fn printed(
    visit: &Visit<'_>,
    id: &str,
    target: &Target,
    event: Option<&str>,
    most: usize,
) -> Result<Printed, Problem> {
    let mut printed = Printed::default();
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
        if chunks.is_empty() {
            printed.keep_ends(most);
            return Ok(printed);
        }
        printed.take(chunks, most);
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
    let printed = printed(visit, id, &target, Some(event), usize::MAX).await?;
    let text = printed.of(event).map_or_else(|| tail(&found.state), |printed| &printed.text);
    let text = text.to_owned();
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
        badge: None,
        rounds: 0,
        is_over: false,
    };
    Ok(live::response(stream::unfold(follow, |mut follow| async move {
        let event = follow.next_event().await?;
        Some((event, follow))
    })))
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
    /// The host's status as the visitor sees it.
    badge: Option<Badge>,
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
        printed.take(chunks.unwrap_or_default(), usize::MAX);
        let mut events = String::new();
        for (name, printed) in &printed.texts {
            let piece = json!({"id": format!("output-{name}"), "text": printed.text}).to_string();
            events += &event("append", &next, &piece);
        }
        self.next = Some(next.clone());
        self.is_over = ended == Some(true);
        if let Some(target) = self.edge.app.target(&self.id, &self.target).await? {
            let table = Events::of(&target, self.edge.clock.now());
            let table = table.render().map_err(|error| Problem::internal("a page", error))?;
            let badge = Badge::target(target.status);
            if table != self.shown || self.badge != Some(badge) {
                // Apart, for a browser reads rows of a table only where nothing else stands before them.
                events += &event("patch", &next, &table);
                events += &event("patch", &next, &target::state(badge));
                (self.shown, self.badge) = (table, Some(badge));
            }
        }
        if self.is_over {
            events += &event("over", &next, "over");
        }
        Ok(if events.is_empty() { ": still here\n\n".to_owned() } else { events })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_shows_the_end_of_a_long_output_in_whole_lines() {
        let kept = |text: &str, most| {
            let mut printed = Text { text: text.to_owned(), left_out: 0 };
            printed.keep_end(most);
            (printed.text, printed.left_out)
        };
        assert_eq!(kept("one\ntwo\n", 8), ("one\ntwo\n".to_owned(), 0));
        assert_eq!(kept("one\ntwo\n", 6), ("two\n".to_owned(), 4));
        assert_eq!(kept("ä one line", 9), (" one line".to_owned(), 2));
        assert_eq!(kept("no end of it\n", 4), (" it\n".to_owned(), 9));
    }

    #[test]
    fn no_more_is_kept_of_a_long_output_than_is_shown() {
        let mut printed = Printed::default();
        for number in 0..10_000 {
            let chunk = HookOutputChunk {
                lifecycle_event_name: Some("AfterInstall".to_owned()),
                text: Some(format!("line {number}\n")),
                ..HookOutputChunk::default()
            };
            printed.take(vec![chunk], 1000);
            assert!(printed.of("AfterInstall").unwrap().text.len() <= 2100);
        }
        printed.keep_ends(1000);
        let kept = printed.of("AfterInstall").unwrap();
        assert!(kept.text.starts_with("line 99") && kept.text.ends_with("line 9999\n"));
        let printed: usize = (0..10_000).map(|number| format!("line {number}\n").len()).sum();
        assert_eq!(kept.text.len() + kept.left_out, printed);
    }
}
