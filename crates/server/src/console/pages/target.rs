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
    state: String,
    events: Events,
    outputs: Vec<Output>,
    /// The likely story of a host on which nothing ran.
    was_never_begun: bool,
    find: String,
    /// How many lines hold what is looked for.
    found: usize,
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
    /// Seconds that it has run already; the page's script counts on.
    runs: Option<f64>,
    script: String,
    message: String,
    code: &'static str,
}

/// What the hooks of one event printed.
struct Output {
    event: &'static str,
    /// Bytes that were printed before.
    left_out: usize,
    pieces: Vec<Piece>,
    download: String,
}

/// A line that holds what is looked for, or what stands between two.
#[derive(Debug, PartialEq, Eq)]
struct Piece {
    text: String,
    /// The number of the find on the page.
    found: Option<usize>,
}

/// The page.
pub async fn show(visit: &Visit<'_>, id: &str, target: &str) -> Result<Response, Problem> {
    let (record, target) = target_of(visit, id, target).await?;
    let (state, now) = (&record.state, visit.call().now);
    let place = frame::target_place(&state.id, &target.id);
    let find = visit.request.query.text("find");
    let printed = output::of_host(visit, id, &target, !find.is_empty()).await?;
    let (outputs, found) = outputs(&target, &printed, &place, &find);
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
        state: self::state(Badge::target(target.status)),
        events: Events::of(&target, now),
        outputs,
        found,
        was_never_begun: words::was_never_begun(&target),
        find,
        live: goes_on.then(|| format!("{place}/live?after={}", show::encoded(&printed.next))),
    };
    answer::page(&page)
}

/// The host's status at the head of the page, which is replaced as a whole.
pub fn state(badge: Badge) -> String {
    format!("<p id=\"state\" class=\"state\">{badge}</p>")
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
                runs: show::running_seconds(&event.state, now),
                script: diagnostics.map(|found| found.script_name.clone()).unwrap_or_default(),
                message: diagnostics.map(|found| found.message.clone()).unwrap_or_default(),
                code: diagnostics.map_or("", |found| found.code.name()),
            }
        });
        Self { rows: rows.collect() }
    }
}

/// What was printed, event by event, and how many lines hold what is looked for. Of an agent that sends no output, there
/// is the end that came with a failure.
fn outputs(target: &Target, printed: &Printed, place: &str, find: &str) -> (Vec<Output>, usize) {
    let mut found = 0;
    let of_event = target.events.iter().map(|event| {
        let name = event.name.name();
        let (text, left_out) = printed
            .of(name)
            .map_or((output::tail(&event.state), 0), |printed| (&printed.text, printed.left_out));
        let pieces = pieces(text, &find.to_lowercase(), &mut found);
        Output { event: name, left_out, pieces, download: format!("{place}/output/{name}") }
    });
    (of_event.collect(), found)
}

/// A text, cut where lines hold what is looked for. Nothing is added: what comes later goes on at the end of it.
fn pieces(text: &str, find: &str, found: &mut usize) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut between = String::new();
    for line in text.split_inclusive('\n') {
        if find.is_empty() || !line.to_lowercase().contains(find) {
            between.push_str(line);
            continue;
        }
        *found += 1;
        let words = line.trim_end_matches('\n');
        pieces.push(Piece { text: std::mem::take(&mut between), found: None });
        pieces.push(Piece { text: words.to_owned(), found: Some(*found) });
        between.push_str(&line[words.len()..]);
    }
    pieces.push(Piece { text: between, found: None });
    pieces.retain(|piece| !piece.text.is_empty());
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn found_lines_are_numbered_and_nothing_is_added() {
        let mut found = 3;
        let cut = pieces("a\nRefused\nb\nc\nrefused", "refused", &mut found);
        let shown: Vec<_> = cut.iter().map(|piece| (piece.text.as_str(), piece.found)).collect();
        assert_eq!(
            shown,
            [("a\n", None), ("Refused", Some(4)), ("\nb\nc\n", None), ("refused", Some(5))]
        );
        assert_eq!(pieces("a\nb", "", &mut found).len(), 1);
    }
}
