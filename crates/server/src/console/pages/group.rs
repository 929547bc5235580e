//! A deployment group: what it is set to, its hosts and what they have installed, its deployments.

use std::collections::BTreeMap;

use askama::Template;
use model::selection::{TagFilter, TagSelection};
use serde_json::json;
use store::{DeploymentsOf, Group, HealthRecord};
use wire::codedeploy::Operation;

use crate::app::{Settings, group_settings};
use crate::http::body::Response;

use super::super::answer;
use super::super::frame::{self, Frame, Section};
use super::super::problem::Problem;
use super::super::show::{self, Badge};
use super::super::visit::Visit;
use super::applications::LastDeployment;
use super::deployment::Fact;
use super::deployments::{self, Row};
use super::instances::{self, HostRow};

#[derive(Template)]
#[template(path = "group.html")]
struct Page {
    frame: Frame,
    place: String,
    create_place: String,
    all_place: String,
    last: Option<LastDeployment>,
    revision: Option<String>,
    facts: Vec<Fact>,
    members: Vec<Member>,
    more_members: usize,
    outdated: usize,
    all: usize,
    deployments: Vec<Row>,
}

/// A host that the group selects.
struct Member {
    name: String,
    host: Badge,
    last_seen: String,
    revision: String,
    state: Badge,
}

/// Hosts shown; more are counted.
const MEMBERS_SHOWN: usize = 100;
/// Deployments shown.
const DEPLOYMENTS_SHOWN: u32 = 10;

/// One group.
pub async fn show(visit: &Visit<'_>, application: &str, name: &str) -> Result<Response, Problem> {
    let named = json!({"applicationName": application, "deploymentGroupName": name});
    visit.may(Operation::GetDeploymentGroup, named).await?;
    let (application, group) = visit.app().named_group(visit.call(), application, name).await?;
    let settings = group_settings(&group)?;
    let of = DeploymentsOf::Group(group.id.clone());
    let recent = visit.app().deployment_rows(&of, None, DEPLOYMENTS_SHOWN).await?;
    let candidates = visit.console().inventory.selected(visit.region(), &group).await?;
    let hosts: BTreeMap<String, HostRow> =
        instances::hosts(visit).await?.into_iter().map(|host| (host.name.clone(), host)).collect();
    let health = visit.app().health(&group.id).await?;
    let current = group.last_successful_revision.as_ref();
    let outdated = candidates
        .iter()
        .filter(|one| {
            let installed = health.get(&one.id).and_then(|record| record.revision.as_ref());
            current.is_some() && installed != current
        })
        .count();
    let members = candidates.iter().take(MEMBERS_SHOWN).map(|one| {
        member(one.id.as_str(), hosts.get(one.id.as_str()), health.get(&one.id), &group)
    });
    let (app_name, group_name) = (show::encoded(&application.name), show::encoded(&group.name));
    let page = Page {
        frame: Frame::of(visit, Section::Applications, group.name.as_str())
            .under("Applications", "/-/console/applications")
            .under(application.name.as_str(), frame::application_place(&application.name)),
        place: frame::group_place(&application.name, &group.name),
        create_place: format!(
            "/-/console/deployments/new?application={app_name}&group={group_name}"
        ),
        all_place: format!("/-/console/deployments?application={app_name}&group={group_name}"),
        last: group.last_attempted.as_ref().map(LastDeployment::of),
        revision: current.map(show::revision),
        facts: facts(&group, &settings),
        members: members.collect(),
        more_members: candidates.len().saturating_sub(MEMBERS_SHOWN),
        all: candidates.len(),
        outdated,
        deployments: deployments::rows(visit, &recent.items).await?,
    };
    answer::page(&page)
}

fn member(
    name: &str,
    host: Option<&HostRow>,
    health: Option<&HealthRecord>,
    group: &Group,
) -> Member {
    let installed = health.and_then(|record| record.revision.as_ref());
    let state = match (health, &group.last_successful_revision) {
        (None, _) => Badge { look: "wait", word: "Never deployed to" },
        (Some(record), _) if !record.healthy => {
            Badge { look: "bad", word: "Last deployment failed" }
        }
        (Some(_), Some(current)) if installed == Some(current) => {
            Badge { look: "ok", word: "Current" }
        }
        (Some(_), _) => Badge { look: "warn", word: "Outdated" },
    };
    Member {
        name: name.to_owned(),
        host: host.map_or(Badge { look: "wait", word: "Not known" }, HostRow::badge),
        last_seen: host
            .and_then(|host| host.last_seen)
            .map_or_else(|| "–".to_owned(), |ago| ago.to_string()),
        revision: installed.map_or_else(|| "–".to_owned(), show::revision),
        state,
    }
}

fn facts(group: &Group, settings: &Settings) -> Vec<Fact> {
    let fact = |name, value: String| Fact { name, value, place: None };
    let mut facts = vec![
        fact("Configuration", group.config_name.to_string()),
        fact("Kind", kind(settings).to_owned()),
    ];
    for (name, filters) in [
        ("Instances", selection(&settings.ec2_selection())),
        ("Registered instances", selection(&settings.on_premises_selection())),
    ] {
        facts.extend(filters.map(|filters| fact(name, filters)));
    }
    facts.push(fact("Rolls back", rollbacks(settings)));
    let alarms = settings.alarms.iter().flat_map(|alarms| alarms.alarms.iter().flatten());
    let alarms: Vec<String> = alarms.filter_map(|alarm| alarm.name.clone()).collect();
    if !alarms.is_empty() {
        facts.push(fact("Alarms", alarms.join(", ")));
    }
    if !settings.triggers.is_empty() {
        let names = settings.triggers.iter().filter_map(|trigger| trigger.trigger_name.clone());
        facts.push(fact("Triggers", names.collect::<Vec<_>>().join(", ")));
    }
    facts.push(fact("Service role", settings.service_role_arn.clone()));
    facts
}

/// Which tags are selected, in words.
fn selection(selection: &TagSelection) -> Option<String> {
    let any = |filters: &[TagFilter]| {
        let filters = filters.iter().map(|filter| match filter {
            TagFilter::Key(key) => format!("{key} = anything"),
            TagFilter::Value(value) => format!("anything = {value}"),
            TagFilter::KeyAndValue(key, value) => format!("{key} = {value}"),
        });
        filters.collect::<Vec<_>>().join(" or ")
    };
    match selection {
        TagSelection::Nothing => None,
        TagSelection::Filters(filters) => Some(any(filters)),
        TagSelection::Set(lists) => {
            Some(lists.iter().map(|list| any(list)).collect::<Vec<_>>().join(", and "))
        }
    }
}

fn kind(settings: &Settings) -> &'static str {
    match (settings.is_blue_green(), settings.has_traffic_control()) {
        (true, _) => "blue/green",
        (false, true) => "in place, behind a load balancer",
        (false, false) => "in place",
    }
}

fn rollbacks(settings: &Settings) -> String {
    let Some(rollback) = settings.auto_rollback.as_ref().filter(|it| it.enabled == Some(true))
    else {
        return "never by itself".to_owned();
    };
    let events = rollback.events.iter().flatten().map(|event| match event.as_str() {
        "DEPLOYMENT_FAILURE" => "when a deployment fails",
        "DEPLOYMENT_STOP_ON_ALARM" => "when an alarm stops it",
        _ => "when it is stopped",
    });
    events.collect::<Vec<_>>().join(", ")
}
