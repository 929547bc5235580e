//! Who did what.

use askama::Template;
use store::AuditRecord;

use crate::http::body::Response;

use super::super::answer;
use super::super::frame::{Frame, Section};
use super::super::problem::Problem;
use super::super::show::{self, When};
use super::super::visit::Visit;

#[derive(Template)]
#[template(path = "audit.html")]
struct Page {
    frame: Frame,
    rows: Vec<AuditRecord>,
    next: Option<String>,
    is_first: bool,
}

impl Page {
    fn when(&self, record: &AuditRecord) -> When {
        When(record.at)
    }

    /// The end of the ARN: whoever it was is of this account.
    fn who<'a>(&self, record: &'a AuditRecord) -> &'a str {
        record.principal.rsplit(':').next().unwrap_or_default()
    }
}

/// Calls on one page.
const PAGE: u32 = 100;

/// The calls of the region that changed something, newest first. The permission is that of AWS's own trail.
pub async fn list(visit: &Visit<'_>) -> Result<Response, Problem> {
    visit.need("cloudtrail:LookupEvents").await?;
    let after = visit.request.query.get("after");
    let page = visit.app().audit(visit.region(), after, PAGE).await?;
    answer::page(&Page {
        frame: Frame::of(visit, Section::Audit, "Audit trail"),
        rows: page.items,
        next: page.next.map(|next| format!("/-/console/audit?after={}", show::encoded(next))),
        is_first: after.is_none(),
    })
}
