//! A deployment: how far it is, why, and what can be done about it.

use std::fmt;

use askama::Template;
use askama::filters::HtmlSafe;
use model::{DeploymentId, DeploymentStatus, Target, TargetStatus, Timestamp};
use rollout::{Rollback, WaitingOn};
use serde_json::json;
use store::{DeploymentRecord, DeploymentView, Overview};
use wire::codedeploy::Operation;

use crate::app::Options;
use crate::http::body::Response;

use super::super::answer;
use super::super::frame::{self, Frame, Section};
use super::super::problem::Problem;
use super::super::show::{self, Badge, Lasted, When};
use super::super::visit::Visit;
use super::chart::{self, Chart};
use super::grid::{self, Positions, Row, Square};
use super::history::Happened;
use super::words;

/// Hosts in the grid of one page.
const GRID_ROWS: usize = 100;

/// Things that happened last, as many as are shown.
pub const TIMELINE_ROWS: u32 = 30;

#[derive(Template)]
#[template(path = "deployment.html")]
struct Page {
    frame: Frame,
    id: DeploymentId,
    /// Where its changes come from, while there are any.
    live: Option<String>,
    status: Status,
    actions: Actions,
    chart: Option<Drawing>,
    events: Vec<&'static str>,
    rows: Vec<Row>,
    squares: Vec<Square>,
    filters: Vec<Filter>,
    find: String,
    /// Places of the pages of the grid before and after this one.
    previous: Option<String>,
    next: Option<String>,
    shown: String,
    details: Details,
    history: History,
}

/// What the deployment is.
#[derive(Template)]
#[template(path = "deployment_details.html")]
pub struct Details {
    record: DeploymentRecord,
    facts: Vec<Fact>,
}

impl Details {
    pub fn of(record: &DeploymentRecord) -> Result<Self, Problem> {
        Ok(Self { facts: facts(record)?, record: record.clone() })
    }

    fn created(&self) -> When {
        When(self.record.state.created)
    }

    fn started(&self) -> Option<When> {
        self.record.state.started.map(When)
    }

    fn ended(&self) -> Option<When> {
        self.record.state.completed.map(When)
    }
}

/// One line of what a thing is.
pub struct Fact {
    pub name: &'static str,
    pub value: String,
    pub place: Option<String>,
}

/// Lets the grid show hosts of one status only.
struct Filter {
    name: &'static str,
    count: FilterCount,
    place: String,
    is_chosen: bool,
}

/// How many hosts a filter lets through; the style sheet hides the filter of none.
pub struct FilterCount {
    /// Unique on the page.
    pub id: String,
    hosts: u32,
}

impl fmt::Display for FilterCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, hosts } = self;
        let none = if *hosts == 0 { " none" } else { "" };
        write!(f, "<span id=\"{id}\" class=\"count{none}\">{hosts}</span>")
    }
}

impl HtmlSafe for FilterCount {}

/// How far the deployment is, and why. Each block is a part of the page that is replaced when it changes.
#[derive(Template)]
#[template(path = "deployment_status.html", blocks = ["state", "words", "why", "waits", "counts"])]
pub struct Status {
    pub badge: Badge,
    words: String,
    code: Option<&'static str>,
    counts: Vec<Count>,
    waiting: Vec<String>,
    more_waiting: usize,
    failures: Vec<FailedHost>,
    more_failures: usize,
    lasted: Option<Lasted>,
    /// Seconds since its start, of one that is not over; the page's script counts on.
    runs: Option<u64>,
}

struct Count {
    badge: Badge,
    number: u32,
}

struct FailedHost {
    position: u32,
    name: String,
    place: String,
    event: &'static str,
    what: String,
}

/// What can be done about a deployment.
#[derive(Template)]
#[template(path = "deployment_actions.html")]
pub struct Actions {
    id: DeploymentId,
    is_active: bool,
    is_stopping: bool,
    is_ready: bool,
    again: &'static str,
    has_previous: bool,
}

/// The drawing with its frame, which is replaced as a whole.
#[derive(Template)]
#[template(path = "deployment_chart.html")]
pub struct Drawing {
    chart: Chart,
}

/// What happened last.
#[derive(Template)]
#[template(path = "deployment_history.html")]
struct History {
    entries: Vec<Happened>,
}

/// The deployment itself, if the visitor may see it.
///
/// # Errors
/// There is none, or they may not.
pub async fn record(visit: &Visit<'_>, id: &str) -> Result<DeploymentRecord, Problem> {
    visit.may(Operation::GetDeployment, json!({"deploymentId": id})).await?;
    Ok(visit.app().named_deployment(id).await?)
}

/// The deployment with all that belongs to it, if the visitor may see it.
///
/// # Errors
/// There is none, or they may not.
pub async fn view(visit: &Visit<'_>, id: &str) -> Result<DeploymentView, Problem> {
    let id = record(visit, id).await?.state.id;
    let named = json!({"deploymentId": id.to_string()});
    visit.may(Operation::BatchGetDeploymentTargets, named).await?;
    let found = visit.app().deployment_view(&id, TIMELINE_ROWS).await?;
    found.ok_or_else(|| Problem::NotFound(format!("The deployment {id} could not be found.")))
}

/// The page.
pub async fn show(visit: &Visit<'_>, id: &str) -> Result<Response, Problem> {
    let view = view(visit, id).await?;
    let now = visit.call().now;
    let record = &view.deployment;
    let id = record.state.id.clone();
    let is_over = record.state.status.is_over();
    let selection = Selection::of(visit);
    let selected: Vec<&Target> =
        view.targets.iter().filter(|target| selection.takes(target)).collect();
    let from = selection.from;
    let on_page: Vec<&Target> = selected.iter().copied().skip(from).take(GRID_ROWS).collect();
    let rows: Vec<Row> = on_page.iter().map(|target| Row::of(&id, target, now)).collect();
    let place = |from| selection.place(&id, from);
    let waiting = visit.console().driver.waiting(&id);
    let page = Page {
        frame: Frame::of(visit, Section::Deployments, id.to_string())
            .under("Applications", "/-/console/applications")
            .under(
                record.application_name.as_str(),
                frame::application_place(&record.application_name),
            )
            .under(
                record.group_name.as_str(),
                frame::group_place(&record.application_name, &record.group_name),
            )
            .refreshing(!is_over),
        live: (!is_over).then(|| live_place(record, &on_page)),
        status: Status::of(record, &view.targets, &waiting, now),
        actions: Actions::of(record),
        chart: Drawing::of(record, &view.targets, now),
        events: events(&view.targets),
        squares: squares(&id, &view.targets),
        filters: filters(record, &selection),
        previous: (from > 0).then(|| place(from.saturating_sub(GRID_ROWS))),
        next: (selected.len() > from + GRID_ROWS).then(|| place(from + GRID_ROWS)),
        shown: shown(from, rows.len(), selected.len()),
        rows,
        find: selection.find,
        details: Details::of(record)?,
        history: History { entries: view.timeline.into_iter().map(Happened).collect() },
        id,
    };
    answer::page(&page)
}

/// Which hosts the grid shows.
struct Selection {
    status: Option<TargetStatus>,
    /// What their names hold.
    find: String,
    /// How many come before the first on the page.
    from: usize,
}

impl Selection {
    fn of(visit: &Visit<'_>) -> Self {
        let query = &visit.request.query;
        Self {
            status: query.get("status").and_then(TargetStatus::from_name),
            find: query.text("find"),
            from: query.get("from").and_then(|from| from.parse().ok()).unwrap_or(0),
        }
    }

    fn takes(&self, target: &Target) -> bool {
        self.status.is_none_or(|status| target.status == status)
            && target.id.as_str().contains(&self.find)
    }

    /// The same hosts from another one on.
    fn place(&self, id: &DeploymentId, from: usize) -> String {
        let status = self.status.map(|status| format!("&status={}", status.name()));
        let find = Some(&self.find).filter(|find| !find.is_empty());
        let find = find.map(|find| format!("&find={}", show::encoded(find)));
        format!(
            "{}?from={from}{}{}#hosts",
            frame::deployment_place(id),
            status.unwrap_or_default(),
            find.unwrap_or_default()
        )
    }
}

/// Where a page that shows these hosts in its grid gets its changes from.
fn live_place(record: &DeploymentRecord, on_page: &[&Target]) -> String {
    let positions = Positions::of(on_page.iter().map(|target| target.position));
    // A page that was made before the hosts were known has no place for them.
    let blank = if record.state.started.is_none() { "&blank=yes" } else { "" };
    format!(
        "{}/live?since={}&rows={positions}{blank}",
        frame::deployment_place(&record.state.id),
        record.state.version
    )
}

fn shown(from: usize, rows: usize, all: usize) -> String {
    match (rows, all) {
        (_, 0) => "No hosts".to_owned(),
        (rows, all) if rows == all => show::counted(all, "host", "hosts"),
        (rows, all) => format!("Hosts {} to {} of {all}", from + 1, from + rows),
    }
}

/// Smaller fleets are seen whole in the grid.
pub const SQUARES_FROM: usize = 50;

/// Larger ones also as squares.
fn squares(id: &DeploymentId, targets: &[Target]) -> Vec<Square> {
    if targets.len() < SQUARES_FROM {
        return Vec::new();
    }
    targets.iter().map(|target| grid::square(id, target)).collect()
}

fn events(targets: &[Target]) -> Vec<&'static str> {
    let first = targets.iter().map(|target| &target.events).max_by_key(|events| events.len());
    first.into_iter().flatten().map(|event| event.name.name()).collect()
}

fn filters(record: &DeploymentRecord, selection: &Selection) -> Vec<Filter> {
    let Some(overview) = record.overview.filter(|overview| words::total(overview) > 0) else {
        return Vec::new();
    };
    let place = frame::deployment_place(&record.state.id);
    let all = Filter {
        name: "All",
        count: FilterCount { id: "filter-all".to_owned(), hosts: words::total(&overview) },
        place: format!("{place}#hosts"),
        is_chosen: selection.status.is_none(),
    };
    let statuses = TargetStatus::ALL.into_iter().zip(filter_counts(&overview));
    let statuses = statuses.map(|(status, count)| Filter {
        name: Badge::target(status).word,
        count,
        place: format!("{place}?status={}#hosts", status.name()),
        is_chosen: selection.status == Some(status),
    });
    std::iter::once(all).chain(statuses).collect()
}

/// How many hosts have each status, as the filters show it.
pub fn filter_counts(overview: &Overview) -> impl Iterator<Item = FilterCount> {
    TargetStatus::ALL.into_iter().map(|status| FilterCount {
        id: format!("filter-{}", status.name()),
        hosts: count_of(overview, status),
    })
}

fn count_of(overview: &Overview, status: TargetStatus) -> u32 {
    match status {
        TargetStatus::Pending => overview.pending,
        TargetStatus::InProgress => overview.in_progress,
        TargetStatus::Ready => overview.ready,
        TargetStatus::Succeeded => overview.succeeded,
        TargetStatus::Failed => overview.failed,
        TargetStatus::Skipped => overview.skipped,
    }
}

/// Failed hosts named in the status; the grid shows all.
const FAILURES_SHOWN: usize = 3;

impl Status {
    pub fn of(
        record: &DeploymentRecord,
        targets: &[Target],
        waiting: &[WaitingOn],
        now: Timestamp,
    ) -> Self {
        let overview = record.overview.unwrap_or_default();
        let counts = TargetStatus::ALL.into_iter().rev().map(|status| Count {
            badge: Badge::target(status),
            number: count_of(&overview, status),
        });
        let (waiting, more_waiting) = words::waiting(waiting);
        let failed = targets.iter().filter_map(|target| Some((target, words::failure(target)?)));
        let failures =
            failed.clone().take(FAILURES_SHOWN).map(|(target, (event, what))| FailedHost {
                position: target.position,
                name: target.id.to_string(),
                place: frame::target_place(&record.state.id, &target.id),
                event,
                what,
            });
        let is_over = record.state.status.is_over();
        let started = record.state.started;
        let lasted = started.map(|it| Lasted(record.state.completed.unwrap_or(now).since(it)));
        Self {
            badge: Badge::deployment(record.state.status),
            words: words::state(record),
            code: record.state.error.as_ref().map(|error| error.code.name()),
            counts: counts.filter(|count| count.number > 0).collect(),
            waiting: if is_over { Vec::new() } else { waiting },
            more_waiting: if is_over { 0 } else { more_waiting },
            failures: failures.collect(),
            more_failures: failed.count().saturating_sub(FAILURES_SHOWN),
            runs: lasted.filter(|_| !is_over).map(|lasted| lasted.0.as_secs()),
            lasted,
        }
    }
}

impl Actions {
    pub fn of(record: &DeploymentRecord) -> Self {
        let status = record.state.status;
        Self {
            id: record.state.id.clone(),
            is_active: !status.is_over(),
            is_stopping: record.state.stop.is_some(),
            is_ready: status == DeploymentStatus::Ready,
            again: if status == DeploymentStatus::Succeeded { "Redeploy" } else { "Retry" },
            has_previous: record
                .previous_revision
                .as_ref()
                .is_some_and(|it| *it != record.revision),
        }
    }
}

impl Drawing {
    /// For a page that is made now.
    fn of(record: &DeploymentRecord, targets: &[Target], now: Timestamp) -> Option<Self> {
        let is_over = record.state.status.is_over();
        chart::draw(record, targets, is_over, now).map(|chart| Self { chart })
    }

    /// For a page that was made while the deployment went on.
    pub fn live(record: &DeploymentRecord, targets: &[Target], now: Timestamp) -> Option<Self> {
        chart::draw(record, targets, false, now).map(|chart| Self { chart })
    }
}

fn facts(record: &DeploymentRecord) -> Result<Vec<Fact>, Problem> {
    let options = Options::read(record)?;
    let fact = |name, value: String| Fact { name, value, place: None };
    let state = &record.state;
    let mut facts = vec![
        fact("Revision", record.revision.to_string()),
        fact("Configuration", record.config_name.to_string()),
        fact("Minimum", words::minimum(state.minimum_healthy)),
        fact("Started by", super::deployments::creator(record).to_owned()),
    ];
    if let Some(description) = &record.description {
        facts.push(fact("Description", description.clone()));
    }
    if let Some(previous) = &record.previous_revision {
        facts.push(fact("Previous revision", previous.to_string()));
    }
    facts.push(fact(
        "Existing files",
        match options.file_exists_behavior() {
            "OVERWRITE" => "are overwritten".to_owned(),
            "RETAIN" => "are kept".to_owned(),
            _ => "fail the deployment".to_owned(),
        },
    ));
    if state.ignore_application_stop_failures {
        facts.push(fact("ApplicationStop", "failures are ignored".to_owned()));
    }
    if options.update_outdated_instances_only {
        facts.push(fact("Hosts", "only those with another revision".to_owned()));
    }
    if let Some(restarted) = &options.restart_of {
        facts.push(link("Restart of", restarted));
    }
    if let Some(rolled_back) = &record.rolls_back {
        facts.push(link("Rolls back", rolled_back));
    }
    match &state.rollback {
        Some(Rollback::Made(id)) => facts.push(link("Rolled back by", id)),
        Some(Rollback::Impossible) => {
            facts.push(fact(
                "Rollback",
                "impossible: nothing was ever deployed successfully".to_owned(),
            ));
        }
        None => {}
    }
    if let Some(alarms) = &state.alarms {
        facts.push(fact("Stopped by alarms", alarms.names.join(", ")));
    }
    if let Some(stop) = &state.stop {
        facts.push(fact("Stop asked by", stop.principal.clone()));
    }
    Ok(facts)
}

/// A line that leads to another deployment.
fn link(name: &'static str, id: impl std::fmt::Display) -> Fact {
    Fact { name, value: id.to_string(), place: Some(frame::deployment_place(id)) }
}
