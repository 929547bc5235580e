//! The first page: what is being deployed, what failed lately, which hosts are silent, which groups are outdated.

use std::collections::{BTreeMap, HashSet};

use askama::Template;
use model::{ApplicationId, ApplicationName, DeploymentStatus, Revision};
use serde_json::json;
use store::{DeploymentsOf, Group, Installed};
use wire::codedeploy::Operation;

use crate::http::body::Response;

use super::super::answer;
use super::super::frame::{self, Frame, Section};
use super::super::problem::Problem;
use super::super::show;
use super::super::visit::{Sight, Visit};
use super::deployments::{self, Row};
use super::instances::{self, HostRow};

/// Running deployments shown.
const RUNNING_SHOWN: u32 = 20;
/// Failures shown.
const FAILED_SHOWN: u32 = 8;
/// Silent hosts shown.
const SILENT_SHOWN: usize = 10;

#[derive(Template)]
#[template(path = "overview.html")]
struct Page {
    frame: Frame,
    running: Vec<Row>,
    failed: Vec<Row>,
    silent: Vec<HostRow>,
    more_silent: usize,
    hosts: usize,
    outdated: Vec<Outdated>,
    groups: usize,
    /// Nothing was ever set up here: say how to begin.
    is_empty: bool,
}

/// A group some of whose hosts have another revision than its last successful one.
struct Outdated {
    name: String,
    place: String,
    revision: String,
    hosts: String,
}

/// The page.
pub async fn show(visit: &Visit<'_>) -> Result<Response, Problem> {
    visit.may(Operation::ListDeployments, json!({})).await?;
    let (app, region) = (visit.app(), visit.region());
    let running = app.running_rows(region, RUNNING_SHOWN).await?;
    let failed = DeploymentsOf::Status(region.to_owned(), DeploymentStatus::Failed);
    let failed = app.deployment_rows(&failed, None, FAILED_SHOWN).await?.items;
    let hosts = instances::hosts(visit).await?;
    let mut silent: Vec<HostRow> = hosts.iter().filter(|host| host.is_silent).cloned().collect();
    let more_silent = silent.len().saturating_sub(SILENT_SHOWN);
    silent.truncate(SILENT_SHOWN);
    let (groups, names) = (app.region_groups(region).await?, app.application_names(region).await?);
    let living: HashSet<&str> = hosts.iter().map(|host| host.name.as_str()).collect();
    let installed = app.installed(region).await?;
    let page = Page {
        frame: Frame::of(visit, Section::Overview, "Overview"),
        running: deployments::rows(visit, &running).await?,
        failed: deployments::rows(visit, &failed).await?,
        outdated: outdated(visit, &groups, &names, &installed, &living).await?,
        groups: groups.len(),
        hosts: hosts.len(),
        is_empty: names.is_empty(),
        silent,
        more_silent,
    };
    answer::page(&page)
}

async fn outdated(
    visit: &Visit<'_>,
    groups: &[Group],
    names: &BTreeMap<ApplicationId, ApplicationName>,
    installed: &[Installed],
    living: &HashSet<&str>,
) -> Result<Vec<Outdated>, Problem> {
    let (mut sight, mut found) = (Sight::default(), Vec::new());
    for group in groups {
        let Some(revision) = &group.last_successful_revision else { continue };
        let Some(application) = names.get(&group.application_id) else { continue };
        let (all, behind) = behind(group, revision, installed, living);
        if behind == 0 || !sight.reaches(visit, application.as_str(), group.name.as_str()).await? {
            continue;
        }
        found.push(Outdated {
            name: format!("{application} / {}", group.name),
            place: frame::group_place(application, &group.name),
            revision: show::revision(revision),
            hosts: format!("{behind} of {}", show::counted(all, "host", "hosts")),
        });
    }
    Ok(found)
}

/// How many living hosts a group was deployed to, and how many of these have another revision.
fn behind(
    group: &Group,
    revision: &Revision,
    installed: &[Installed],
    living: &HashSet<&str>,
) -> (usize, usize) {
    let hosts = installed
        .iter()
        .filter(|one| one.group == group.id && living.contains(one.target.as_str()));
    hosts.fold((0, 0), |(all, behind), one| {
        (all + 1, behind + usize::from(one.revision.as_ref() != Some(revision)))
    })
}
