//! One host of one deployment: its lifecycle events, how long each took, and what its hooks said.

use askama::Template;
use model::{EventState, Target, TargetId, Timestamp};
use serde_json::json;
use store::DeploymentRecord;
use wire::codedeploy::Operation;

use crate::http::body::Response;

use super::super::answer;
use super::super::frame::{self, Frame, Section};
use super::super::problem::Problem;
use super::super::show::{self, Badge, Lasted, When};
use super::super::visit::Visit;
use super::output::{self, Printed};
use super::{deployment, words};

#[derive(Template)]
#[template(path = "target.html")]
struct Page {
    frame: Frame,
    arn: String,
    badge: Badge,
    events: Events,
    outputs: Vec<Output>,
    /// The likely story of a host on which nothing ran.
    was_never_begun: bool,
    find: String,
    /// Where what is printed from now on comes from, if anything more may be.
    live: Option<String>,
}

/// The table of lifecycle events, which is replaced as a whole.
#[derive(Template)]
#[template(path = "target_events.html")]
pub struct Events {
    rows: Vec<EventRow>,
}

struct EventRow {
    name: &'static str,
    badge: Badge,
    started: Option<When>,
    lasted: Option<Lasted>,
    script: String,
    message: String,
    code: &'static str,
}

/// What the hooks of one event printed.
struct Output {
    event: &'static str,
    lines: Vec<Line>,
    download: String,
}

struct Line {
    text: String,
    is_found: bool,
}

/// The page.
pub async fn show(visit: &Visit<'_>, id: &str, target: &str) -> Result<Response, Problem> {
    let (record, target) = target_of(visit, id, target).await?;
    let printed = output::printed(visit, id, &target, None).await?;
    let find = visit.request.query.text("find");
    let (state, now) = (&record.state, visit.call().now);
    let place = frame::target_place(&state.id, &target.id);
    let goes_on = !target.status.is_over() && !state.status.is_over();
    let page = Page {
        frame: Frame::of(visit, Section::Deployments, target.id.to_string())
            .under("Applications", "/-/console/applications")
            .under(
                record.application_name.as_str(),
                frame::application_place(&record.application_name),
            )
            .under(
                record.group_name.as_str(),
                frame::group_place(&record.application_name, &record.group_name),
            )
            .under(state.id.as_str(), frame::deployment_place(&state.id))
            .refreshing(goes_on),
        arn: target.arn.clone(),
        badge: Badge::target(target.status),
        events: Events::of(&target, now),
        outputs: outputs(&target, &printed, &place, &find),
        was_never_begun: words::was_never_begun(&target),
        find,
        live: goes_on.then(|| format!("{place}/live?after={}", show::encoded(&printed.next))),
    };
    answer::page(&page)
}

/// A target of a deployment, if the visitor may see it.
///
/// # Errors
/// There is none, or they may not.
pub async fn target_of(
    visit: &Visit<'_>,
    id: &str,
    target: &str,
) -> Result<(DeploymentRecord, Target), Problem> {
    visit.may(Operation::GetDeploymentTarget, json!({"deploymentId": id})).await?;
    let record = deployment::record(visit, id).await?;
    let target_id = TargetId::new(target.to_owned());
    let found = visit.app().target(&record.state.id, &target_id).await?;
    let missing =
        || Problem::NotFound(format!("The host {target} is not part of the deployment {id}."));
    Ok((record, found.ok_or_else(missing)?))
}

impl Events {
    pub fn of(target: &Target, now: Timestamp) -> Self {
        let rows = target.events.iter().map(|event| {
            let (started, diagnostics) = match &event.state {
                EventState::Pending | EventState::Skipped { .. } => (None, None),
                EventState::InProgress { dispatched, .. } => (Some(*dispatched), None),
                EventState::Succeeded { started, .. } => (Some(*started), None),
                EventState::Failed { started, diagnostics, .. } => {
                    (Some(*started), Some(diagnostics))
                }
            };
            EventRow {
                name: event.name.name(),
                badge: Badge::event(&event.state),
                started: started.map(When),
                lasted: show::event_lasted(&event.state, now),
                script: diagnostics.map(|found| found.script_name.clone()).unwrap_or_default(),
                message: diagnostics.map(|found| found.message.clone()).unwrap_or_default(),
                code: diagnostics.map_or("", |found| found.code.name()),
            }
        });
        Self { rows: rows.collect() }
    }
}

/// What was printed, event by event; of an agent that sends none, the end that came with a failure.
fn outputs(target: &Target, printed: &Printed, place: &str, find: &str) -> Vec<Output> {
    let of_event = target.events.iter().map(|event| {
        let name = event.name.name();
        let text = printed.of(name).unwrap_or_else(|| output::tail(&event.state));
        let lines = text.lines().map(|line| Line {
            is_found: !find.is_empty() && line.contains(find),
            text: line.to_owned(),
        });
        Output { event: name, lines: lines.collect(), download: format!("{place}/output/{name}") }
    });
    of_event.collect()
}
