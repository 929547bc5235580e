//! The revisions of an application.

use askama::Template;
use serde_json::json;
use store::{RevisionFilter, RevisionSort};
use wire::codedeploy::Operation;

use crate::http::body::Response;

use super::super::answer;
use super::super::frame::{self, Frame, Section};
use super::super::problem::Problem;
use super::super::show::{self, When};
use super::super::visit::Visit;
use super::create;

#[derive(Template)]
#[template(path = "revisions.html")]
struct Page {
    frame: Frame,
    rows: Vec<Row>,
    next: Option<String>,
    is_first: bool,
}

struct Row {
    location: String,
    /// `zip`, `tgz`, …, or `GitHub`.
    kind: String,
    etag: Option<String>,
    description: Option<String>,
    groups: Vec<(String, String)>,
    registered: When,
    last_used: Option<When>,
    deploy_place: String,
}

/// Revisions on one page.
const PAGE: u32 = 50;

/// The revisions of an application, the newest first.
pub async fn list(visit: &Visit<'_>, name: &str) -> Result<Response, Problem> {
    let named = json!({"applicationName": name});
    visit.may(Operation::ListApplicationRevisions, named.clone()).await?;
    visit.may(Operation::BatchGetApplicationRevisions, named).await?;
    let application = visit.app().named_application(visit.call(), name).await?;
    let after = visit.request.query.get("after");
    let newest = newest();
    let page = visit.app().revision_rows(&application.id, &newest, after, PAGE).await?;
    let place = frame::application_place(&application.name);
    let rows = page.items.into_iter().map(|record| Row {
        location: show::revision(&record.revision),
        kind: kind(&record.revision),
        etag: record.revision.bare_etag().map(str::to_owned),
        deploy_place: format!(
            "/-/console/deployments/new?application={}&revision={}",
            show::encoded(name),
            show::encoded(create::written(&record.revision))
        ),
        description: record.description,
        groups: record
            .groups
            .iter()
            .map(|group| (group.to_string(), frame::group_place(name, group)))
            .collect(),
        registered: When(record.registered),
        last_used: record.last_used.map(When),
    });
    answer::page(&Page {
        frame: Frame::of(visit, Section::Applications, "Revisions")
            .under("Applications", "/-/console/applications")
            .under(application.name.as_str(), place.clone()),
        rows: rows.collect(),
        next: page.next.map(|next| format!("{place}/revisions?after={}", show::encoded(next))),
        is_first: after.is_none(),
    })
}

/// Every revision, the newest first.
pub fn newest() -> RevisionFilter {
    RevisionFilter {
        sort: RevisionSort::Registered,
        descending: true,
        bucket: None,
        key_prefix: None,
        deployed: None,
    }
}

fn kind(revision: &model::Revision) -> String {
    match revision {
        model::Revision::S3 { bundle_type, .. } => bundle_type.name().to_owned(),
        model::Revision::GitHub { .. } => "GitHub".to_owned(),
    }
}
