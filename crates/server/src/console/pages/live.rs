//! A deployment's page, kept up to date: a stream of what looks otherwise than before.
//!
//! Its events carry the deployment's version as their id, so that a browser which lost the connection gets what it
//! missed and nothing twice. Each event holds the elements that replace those of the same ids; changes that come close
//! together are sent together.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use bytes::Bytes;
use futures::stream;
use http::{HeaderValue, StatusCode, header};
use http_body::Frame as BodyFrame;
use http_body_util::{BodyExt, StreamBody};
use model::{DeploymentId, Target};
use store::{Change, DeploymentView};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::time::Instant;

use crate::driver::chain;
use crate::http::body::{BodyError, Response};
use crate::http::edge::Edge;
use crate::http::respond;

use super::super::problem::Problem;
use super::super::visit::Visit;
use super::deployment::{self, Actions, Drawing, History, Status, TIMELINE_ROWS};
use super::grid;

/// The shortest time between two events: a fleet that reports at once is one event.
const GAP: Duration = Duration::from_millis(250);

/// How often running bars of the drawing grow, while nothing else happens.
const REDRAW: Duration = Duration::from_secs(5);

/// Silence after which proxies begin to think that a connection is dead.
const STILL_HERE: Duration = Duration::from_secs(15);

/// Larger fleets are drawn anew only as often as [`REDRAW`].
const DRAWN_AT_ONCE_MAX: usize = 100;

/// A session may end while its stream goes on; this is how long it then can.
const STREAM_MAX: Duration = Duration::from_secs(300);

/// The stream of a deployment, from the version that the visitor's page shows.
pub async fn stream(visit: &Visit<'_>, id: &str) -> Result<Response, Problem> {
    let changes = visit.app().store.changes();
    let view = deployment::view(visit, id).await?;
    let asked = visit.request.query.get("since").and_then(|since| since.parse().ok());
    let version = visit.request.last_event.or(asked).unwrap_or(view.deployment.state.version);
    let watch = Watch {
        edge: Arc::clone(visit.edge),
        id: view.deployment.state.id.clone(),
        // What the visitor saw of them is not known, so that they are sent whole if they changed.
        targets: by_position(view.targets),
        sure: false,
        version,
        changes,
        until: Instant::now() + STREAM_MAX,
        spoke: Instant::now(),
        drawn: Instant::now(),
        first: true,
        is_blank: visit.request.query.ticked("blank"),
        is_over: false,
    };
    let events = stream::unfold(watch, |mut watch| async move {
        let event = watch.next().await?;
        Some((Ok::<_, BodyError>(BodyFrame::data(Bytes::from(event))), watch))
    });
    let mut response = respond::with_status(StatusCode::OK, StreamBody::new(events).boxed_unsync());
    let event_stream = HeaderValue::from_static("text/event-stream");
    response.headers_mut().insert(header::CONTENT_TYPE, event_stream);
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

/// One visitor's view of a deployment.
struct Watch {
    edge: Arc<Edge>,
    id: DeploymentId,
    targets: BTreeMap<u32, Target>,
    /// Whether the visitor's page shows `targets` as they are here.
    sure: bool,
    version: u64,
    changes: Receiver<Change>,
    until: Instant,
    spoke: Instant,
    drawn: Instant,
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
            let woken = if self.first { Woken::Changed } else { self.wait().await };
            let event = match woken {
                Woken::Ended => return None,
                Woken::Idle => self.idle(),
                Woken::Changed => match self.look().await {
                    Ok(event) => event,
                    Err(error) => {
                        let deployment = self.id.as_str();
                        tracing::error!(deployment, error = chain(&error), "a live page failed");
                        return None;
                    }
                },
            };
            if std::mem::take(&mut self.first) && event.is_none() {
                // At once, so that the browser knows that it is connected.
                self.spoke = Instant::now();
                return Some("retry: 2000\n\n".to_owned());
            }
            if let Some(event) = event {
                self.spoke = Instant::now();
                return Some(event);
            }
        }
    }

    async fn wait(&mut self) -> Woken {
        let stopping = self.edge.console.stopping.clone();
        let idle = tokio::time::sleep(REDRAW);
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
        tokio::time::sleep_until(self.spoke + GAP).await;
        while self.changes.try_recv().is_ok() {}
        Woken::Changed
    }

    /// What to say when nothing happened.
    fn idle(&mut self) -> Option<String> {
        (self.spoke.elapsed() >= STILL_HERE).then(|| ": still here\n\n".to_owned())
    }

    /// What has changed since the version that the visitor sees.
    async fn look(&mut self) -> Result<Option<String>, Problem> {
        let (app, now) = (&self.edge.app, self.edge.clock.now());
        let Some(view) = app.deployment_since(&self.id, self.version, TIMELINE_ROWS).await? else {
            return Ok(None);
        };
        let state = &view.deployment.state;
        self.is_over = state.status.is_over();
        if state.version == self.version && !self.is_over {
            self.sure = true;
            return Ok(None);
        }
        self.version = state.version;
        if self.is_blank && !view.targets.is_empty() {
            self.is_over = true;
            return Ok(Some(event("reload", self.version, "the hosts are known")));
        }
        let mut html = String::new();
        for target in &view.targets {
            let before = self.targets.get(&target.position).filter(|_| self.sure);
            html += &grid::differences(&self.id, before, target, now);
        }
        self.targets.extend(by_position(view.targets.clone()));
        self.sure = true;
        html += &self.surroundings(&view)?;
        let mut event = event("patch", self.version, &html);
        if self.is_over {
            event += &self::event("over", self.version, state.status.name());
        }
        Ok(Some(event))
    }

    /// The parts of the page around the grid.
    fn surroundings(&mut self, view: &DeploymentView) -> Result<String, Problem> {
        let now = self.edge.clock.now();
        let (record, targets) =
            (&view.deployment, self.targets.values().cloned().collect::<Vec<_>>());
        let waiting = self.edge.console.driver.waiting(&self.id);
        let render = |template: &dyn askama::DynTemplate| {
            template.dyn_render().map_err(|error| Problem::internal("a page", error))
        };
        let mut html = render(&Status::of(record, &targets, &waiting, now))?;
        html += &render(&Actions::of(record))?;
        html += &render(&History::of(view))?;
        let draws =
            targets.len() <= DRAWN_AT_ONCE_MAX || self.is_over || self.drawn.elapsed() >= REDRAW;
        if draws && let Some(drawing) = Drawing::of(record, &targets, now) {
            self.drawn = Instant::now();
            html += &drawing.render().map_err(|error| Problem::internal("a page", error))?;
        }
        Ok(html)
    }
}

fn by_position(targets: Vec<Target>) -> BTreeMap<u32, Target> {
    targets.into_iter().map(|target| (target.position, target)).collect()
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
