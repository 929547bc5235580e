//! Lists of deployments.

use askama::Template;
use model::{Creator, DeploymentId, DeploymentStatus, Timestamp};
use serde_json::json;
use store::{DeploymentRecord, DeploymentsOf};
use wire::codedeploy::Operation;

use crate::http::body::Response;

use super::super::answer;
use super::super::frame::{self, Frame, Section};
use super::super::problem::Problem;
use super::super::show::{self, Badge, Lasted, When};
use super::super::visit::{Sight, Visit};
use super::words;

/// Deployments on one page.
pub const PAGE: u32 = 50;

/// A deployment in a list.
pub struct Row {
    pub id: String,
    pub place: String,
    pub badge: Badge,
    pub application: String,
    pub application_place: String,
    pub group: String,
    pub group_place: String,
    pub revision: String,
    pub hosts: Hosts,
    pub creator: &'static str,
    pub created: When,
    pub lasted: Option<Lasted>,
    pub reason: Option<String>,
}

/// How many hosts of a deployment are how far.
pub struct Hosts {
    pub succeeded: u32,
    pub failed: u32,
    pub all: u32,
}

impl Row {
    pub fn of(record: &DeploymentRecord, now: Timestamp) -> Self {
        let (application, group) = (&record.application_name, &record.group_name);
        let overview = record.overview.unwrap_or_default();
        let state = &record.state;
        Self {
            id: state.id.to_string(),
            place: frame::deployment_place(&state.id),
            badge: Badge::deployment(state.status),
            application_place: frame::application_place(application),
            group_place: frame::group_place(application, group),
            application: application.to_string(),
            group: group.to_string(),
            revision: show::revision(&record.revision),
            hosts: Hosts {
                succeeded: overview.succeeded,
                failed: overview.failed,
                all: words::total(&overview),
            },
            creator: creator(record),
            created: When(state.created),
            lasted: state
                .started
                .map(|started| Lasted(state.completed.unwrap_or(now).since(started))),
            reason: state.error.as_ref().map(|error| error.message.clone()),
        }
    }
}

impl Hosts {
    /// In words, for those who do not see the bar.
    pub fn words(&self) -> String {
        match self.all {
            0 => "–".to_owned(),
            all => format!("{} / {all}", self.succeeded),
        }
    }
}

/// Who made a deployment, in words.
pub fn creator(record: &DeploymentRecord) -> &'static str {
    match record.state.creator {
        Creator::User => "a user",
        Creator::Rollback => "rollback",
        Creator::AutoUpdate => "auto-update",
        Creator::AutoScaling => "Auto Scaling",
        Creator::AutoScalingTermination => "Auto Scaling (termination)",
    }
}

/// The rows that the visitor may see.
///
/// # Errors
/// The policies cannot be read.
pub async fn rows(visit: &Visit<'_>, records: &[DeploymentRecord]) -> Result<Vec<Row>, Problem> {
    let (mut sight, mut rows) = (Sight::default(), Vec::with_capacity(records.len()));
    for record in records {
        let (application, group) = (record.application_name.as_str(), record.group_name.as_str());
        if sight.reaches(visit, application, group).await? {
            rows.push(Row::of(record, visit.call().now));
        }
    }
    Ok(rows)
}

#[derive(Template)]
#[template(path = "deployments.html")]
struct Page {
    frame: Frame,
    rows: Vec<Row>,
    hidden: usize,
    next: Option<String>,
    is_first: bool,
    filters: Vec<Filter>,
    /// What was looked for, and not found.
    find: String,
    /// Of one application or group only.
    of: Option<String>,
}

struct Filter {
    name: &'static str,
    place: String,
    is_chosen: bool,
}

/// The deployments of the region, of an application or of a group, newest first.
pub async fn list(visit: &Visit<'_>) -> Result<Response, Problem> {
    let query = &visit.request.query;
    let find = query.text("find");
    if let Some(place) = place_of(visit, &find).await? {
        return Ok(answer::see_other(&place));
    }
    let (application, group) = (query.get("application"), query.get("group"));
    let status = query.get("status").and_then(DeploymentStatus::from_name);
    visit
        .may(
            Operation::ListDeployments,
            json!({"applicationName": application, "deploymentGroupName": group}),
        )
        .await?;
    let of = match (application, group, status) {
        (Some(application), Some(group), _) => DeploymentsOf::Group(
            visit.app().named_group(visit.call(), application, group).await?.1.id,
        ),
        (Some(application), None, _) => DeploymentsOf::Application(
            visit.app().named_application(visit.call(), application).await?.id,
        ),
        (None, _, Some(status)) => DeploymentsOf::Status(visit.region().to_owned(), status),
        (None, _, None) => DeploymentsOf::Region(visit.region().to_owned()),
    };
    let found = visit.app().deployment_rows(&of, query.get("after"), PAGE).await?;
    let rows = rows(visit, &found.items).await?;
    let mut filtered = String::new();
    for (name, value) in query.iter().filter(|(name, _)| !["after", "find"].contains(name)) {
        filtered += &format!("{name}={}&", show::encoded(value));
    }
    let page = Page {
        frame: Frame::of(visit, Section::Deployments, "Deployments"),
        hidden: found.items.len() - rows.len(),
        rows,
        next: found
            .next
            .map(|next| format!("/-/console/deployments?{filtered}after={}", show::encoded(next))),
        is_first: query.get("after").is_none(),
        find,
        filters: if application.is_none() { filters(status) } else { Vec::new() },
        of: application.map(|application| match group {
            Some(group) => format!("{application} / {group}"),
            None => application.to_owned(),
        }),
    };
    answer::page(&page)
}

/// Where what somebody looks for is: a deployment by its id, or the deployments of an application by its name.
async fn place_of(visit: &Visit<'_>, wanted: &str) -> Result<Option<String>, Problem> {
    if wanted.is_empty() {
        return Ok(None);
    }
    if let Ok(id) = wanted.parse::<DeploymentId>() {
        let found = visit.app().named_deployment(id.as_str()).await.is_ok();
        return Ok(found.then(|| frame::deployment_place(id)));
    }
    let input = json!({"applicationName": wanted});
    visit.may(Operation::GetApplication, input).await?;
    let found = visit.app().named_application(visit.call(), wanted).await.is_ok();
    Ok(found.then(|| format!("/-/console/deployments?application={}", show::encoded(wanted))))
}

fn filters(chosen: Option<DeploymentStatus>) -> Vec<Filter> {
    let all = Filter {
        name: "All",
        place: "/-/console/deployments".to_owned(),
        is_chosen: chosen.is_none(),
    };
    let of = [
        DeploymentStatus::InProgress,
        DeploymentStatus::Succeeded,
        DeploymentStatus::Failed,
        DeploymentStatus::Stopped,
    ];
    let statuses = of.into_iter().map(|status| Filter {
        name: Badge::deployment(status).word,
        place: format!("/-/console/deployments?status={}", status.name()),
        is_chosen: chosen == Some(status),
    });
    std::iter::once(all).chain(statuses).collect()
}
