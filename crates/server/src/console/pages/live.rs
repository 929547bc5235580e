//! A deployment's page, kept up to date: a stream of what looks otherwise than before.
//!
//! Its events carry the deployment's version as their id, so that a browser which lost the connection gets what it
//! missed and nothing twice; where what it missed cannot be told, it is asked to load the page anew. Each event holds the
//! elements that replace those of the same ids; changes that come close together are sent together.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::stream::{self, Stream, StreamExt};
use http::{HeaderValue, StatusCode, header};
use http_body::Frame as BodyFrame;
use http_body_util::{BodyExt, StreamBody};
use model::DeploymentId;
use store::Change;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::time::Instant;

use crate::driver::chain;
use crate::http::body::{BodyError, Response};
use crate::http::edge::Edge;
use crate::http::respond;

use super::super::problem::Problem;
use super::super::visit::Visit;
use super::deployment::{self, TIMELINE_ROWS};
use super::grid::{InvalidPositions, Positions};
use super::patch::Shown;

/// The shortest time between two looks: a fleet that reports at once is one event.
const GAP: Duration = Duration::from_millis(250);

/// Silence after which proxies begin to think that a connection is dead.
const STILL_HERE: Duration = Duration::from_secs(15);

/// A session may end while its stream goes on; this is how long it then can.
const STREAM_MAX: Duration = Duration::from_secs(300);

/// The stream of a deployment, from the version that the visitor's page shows.
pub async fn stream(visit: &Visit<'_>, id: &str) -> Result<Response, Problem> {
    let changes = visit.app().store.changes();
    let view = deployment::view(visit, id).await?;
    let query = &visit.request.query;
    let asked = query.get("since").and_then(|since| since.parse().ok());
    let version = visit.request.last_event.or(asked).unwrap_or(view.deployment.state.version);
    let rows: Positions = query
        .text("rows")
        .parse()
        .map_err(|error: InvalidPositions| Problem::NotFound(error.to_string()))?;
    let watch = Watch {
        edge: Arc::clone(visit.edge),
        id: view.deployment.state.id.clone(),
        shown: Shown::of(view.targets, rows, version, visit.call().now),
        changes,
        until: Instant::now() + STREAM_MAX,
        looked: Instant::now(),
        first: true,
        is_blank: query.ticked("blank"),
        is_over: false,
    };
    Ok(response(stream::unfold(watch, |mut watch| async move {
        let event = watch.next().await?;
        Some((event, watch))
    })))
}

/// A stream of events as the browser reads it, past proxies that gather.
pub fn response(events: impl Stream<Item = String> + Send + 'static) -> Response {
    let frames = events.map(|event| Ok::<_, BodyError>(BodyFrame::data(Bytes::from(event))));
    let mut response = respond::with_status(StatusCode::OK, StreamBody::new(frames).boxed_unsync());
    let event_stream = HeaderValue::from_static("text/event-stream");
    response.headers_mut().insert(header::CONTENT_TYPE, event_stream);
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// One visitor's view of a deployment.
struct Watch {
    edge: Arc<Edge>,
    id: DeploymentId,
    shown: Shown,
    changes: Receiver<Change>,
    until: Instant,
    looked: Instant,
    first: bool,
    /// The visitor's page was made before the hosts were known, and has no place for them.
    is_blank: bool,
    is_over: bool,
}

/// Why the stream woke up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Woken {
    Changed,
    /// Nothing happened for a while.
    Idle,
    /// The server stops, or the stream has lasted long enough: the browser connects anew.
    Ended,
}

impl Watch {
    /// The next event; none when the stream is over.
    async fn next(&mut self) -> Option<String> {
        if self.is_over {
            return None;
        }
        loop {
            let first = std::mem::take(&mut self.first);
            match if first { Woken::Changed } else { self.wait().await } {
                Woken::Ended => return None,
                Woken::Idle => return Some(": still here\n\n".to_owned()),
                Woken::Changed => {}
            }
            self.looked = Instant::now();
            match self.look().await {
                // At once, so that the browser knows that it is connected.
                Ok(event) if first => return Some(format!("retry: 2000\n{event}\n")),
                Ok(event) if event.is_empty() => {}
                Ok(event) => return Some(event),
                Err(error) => {
                    let deployment = self.id.as_str();
                    tracing::error!(deployment, error = chain(&error), "a live page failed");
                    return None;
                }
            }
        }
    }

    async fn wait(&mut self) -> Woken {
        let stopping = self.edge.console.stopping.clone();
        let idle = tokio::time::sleep(STILL_HERE);
        tokio::pin!(idle);
        loop {
            tokio::select! {
                () = stopping.cancelled() => return Woken::Ended,
                () = tokio::time::sleep_until(self.until) => return Woken::Ended,
                () = &mut idle => return Woken::Idle,
                change = self.changes.recv() => match change {
                    Ok(Change::Committed(id) | Change::Deployment(id)) if id == self.id => break,
                    Ok(Change::Everything) | Err(RecvError::Lagged(_)) => break,
                    Ok(_) => {}
                    Err(RecvError::Closed) => return Woken::Ended,
                }
            }
        }
        tokio::time::sleep_until(self.looked + GAP).await;
        while self.changes.try_recv().is_ok() {}
        Woken::Changed
    }

    /// What has changed since the version that the visitor sees; nothing, as an empty text.
    async fn look(&mut self) -> Result<String, Problem> {
        let (app, now) = (&self.edge.app, self.edge.clock.now());
        let since = self.shown.version();
        let Some(view) = app.deployment_since(&self.id, since, TIMELINE_ROWS).await? else {
            self.is_over = true;
            return Ok(event("reload", since, "the deployment is gone"));
        };
        let state = &view.deployment.state;
        if state.version < since {
            // The page is of a state that was lost, in a restored backup for instance.
            self.is_over = true;
            return Ok(event("reload", state.version, "it showed what is not known here"));
        }
        if self.is_blank && !view.targets.is_empty() {
            self.is_over = true;
            return Ok(event("reload", state.version, "the hosts are known"));
        }
        let waiting = self.edge.console.driver.waiting(&self.id);
        let html = self.shown.patch(&view, &waiting, now)?;
        let mut text = String::new();
        if !html.is_empty() {
            text += &event("patch", state.version, &html);
        }
        if state.status.is_over() {
            self.is_over = true;
            text += &event("over", state.version, state.status.name());
        }
        Ok(text)
    }
}

/// One event as the protocol has it. Source: HTML standard, "Server-sent events".
pub fn event(name: &str, id: impl std::fmt::Display, data: &str) -> String {
    let mut event = format!("event: {name}\nid: {id}\n");
    for line in data.lines().map(str::trim).filter(|line| !line.is_empty()) {
        event.push_str("data: ");
        event.push_str(line);
        event.push('\n');
    }
    event.push('\n');
    event
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_event_is_whole_and_has_its_id() {
        assert_eq!(
            super::event("patch", 7, "<p>\n  a\n\n</p>"),
            "event: patch\nid: 7\ndata: <p>\ndata: a\ndata: </p>\n\n"
        );
    }
}
