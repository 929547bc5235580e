//! Applications: all of them, and one with its groups, its deployments and its revisions.

use std::collections::HashMap;

use askama::Template;
use model::ApplicationId;
use serde_json::json;
use store::{Attempt, DeploymentsOf, Group};
use wire::codedeploy::Operation;

use crate::http::body::Response;

use super::super::answer;
use super::super::frame::{self, Frame, Section};
use super::super::problem::Problem;
use super::super::show::{self, Badge, When};
use super::super::visit::Visit;
use super::deployments::{self, Row};

#[derive(Template)]
#[template(path = "applications.html")]
struct List {
    frame: Frame,
    rows: Vec<ApplicationRow>,
    find: String,
    next: Option<String>,
    is_first: bool,
}

struct ApplicationRow {
    name: String,
    place: String,
    groups: usize,
    last: Option<LastDeployment>,
    created: When,
}

/// A deployment as a group remembers it.
pub struct LastDeployment {
    pub badge: Badge,
    pub id: String,
    pub place: String,
    pub at: When,
}

impl LastDeployment {
    pub fn of(attempt: &Attempt) -> Self {
        Self {
            badge: Badge::deployment(attempt.status),
            id: attempt.deployment.to_string(),
            place: frame::deployment_place(&attempt.deployment),
            at: When(attempt.completed.unwrap_or(attempt.created)),
        }
    }
}

/// Applications on one page.
const PAGE: u32 = 100;

/// The applications of the region, by name.
pub async fn list(visit: &Visit<'_>) -> Result<Response, Problem> {
    visit.may(Operation::ListApplications, json!({})).await?;
    let after = visit.request.query.get("after");
    let find = visit.request.query.text("find");
    let page = if find.is_empty() {
        visit.app().application_rows(visit.region(), after, PAGE).await?
    } else {
        visit.app().applications_called(visit.region(), &find, after, PAGE).await?
    };
    let mut groups: HashMap<ApplicationId, Vec<Group>> = HashMap::new();
    for group in visit.app().region_groups(visit.region()).await? {
        groups.entry(group.application_id.clone()).or_default().push(group);
    }
    let rows = page.items.into_iter().map(|application| {
        let groups = groups.remove(&application.id).unwrap_or_default();
        let attempts = groups.iter().filter_map(|group| group.last_attempted.as_ref());
        ApplicationRow {
            place: frame::application_place(&application.name),
            name: application.name.to_string(),
            groups: groups.len(),
            last: attempts.max_by_key(|attempt| attempt.created).map(LastDeployment::of),
            created: When(application.created),
        }
    });
    answer::page(&List {
        frame: Frame::of(visit, Section::Applications, "Applications"),
        rows: rows.collect(),
        next: page.next.map(|next| {
            let (find, next) = (show::encoded(&find), show::encoded(next));
            format!("/-/console/applications?find={find}&after={next}")
        }),
        is_first: after.is_none(),
        find,
    })
}

#[derive(Template)]
#[template(path = "application.html")]
struct Page {
    frame: Frame,
    name: String,
    place: String,
    groups: Vec<GroupRow>,
    deployments: Vec<Row>,
}

struct GroupRow {
    name: String,
    place: String,
    configuration: String,
    revision: Option<String>,
    last: Option<LastDeployment>,
    last_successful: Option<LastDeployment>,
    create_place: String,
}

/// Deployments shown on the page of one application.
const DEPLOYMENTS_SHOWN: u32 = 10;

/// One application.
pub async fn show(visit: &Visit<'_>, name: &str) -> Result<Response, Problem> {
    visit.may(Operation::GetApplication, json!({"applicationName": name})).await?;
    visit.may(Operation::ListDeploymentGroups, json!({"applicationName": name})).await?;
    let application = visit.app().named_application(visit.call(), name).await?;
    let groups = visit.app().groups_of(&application.id).await?;
    let of = DeploymentsOf::Application(application.id.clone());
    let recent = visit.app().deployment_rows(&of, None, DEPLOYMENTS_SHOWN).await?;
    let page = Page {
        frame: Frame::of(visit, Section::Applications, application.name.as_str())
            .under("Applications", "/-/console/applications"),
        name: application.name.to_string(),
        place: frame::application_place(&application.name),
        groups: groups.iter().map(|group| group_row(name, group)).collect(),
        deployments: deployments::rows(visit, &recent.items).await?,
    };
    answer::page(&page)
}

fn group_row(application: &str, group: &Group) -> GroupRow {
    GroupRow {
        name: group.name.to_string(),
        place: frame::group_place(application, &group.name),
        configuration: group.config_name.to_string(),
        revision: group.last_successful_revision.as_ref().map(show::revision),
        last: group.last_attempted.as_ref().map(LastDeployment::of),
        last_successful: group.last_successful.as_ref().map(LastDeployment::of),
        create_place: format!(
            "/-/console/deployments/new?application={}&group={}",
            show::encoded(application),
            show::encoded(&group.name)
        ),
    }
}
