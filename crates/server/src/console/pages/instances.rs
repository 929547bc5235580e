//! Hosts: local instances and registered ones, what they run, and whether they are heard.

use std::collections::BTreeMap;

use askama::Template;
use serde_json::json;
use store::Host;
use wire::codedeploy::Operation;

use crate::app::host_list::{GroupsRevision, SILENT_AFTER, agent_version};
use crate::app::on_premises::{self, OnPremisesInstance};
use crate::ec2::{InstanceRecord, State};
use crate::http::body::Response;

use super::super::answer;
use super::super::frame::{self, Frame, Section};
use super::super::problem::Problem;
use super::super::show::{self, Ago};
use super::super::visit::Visit;

/// A host in a list.
#[derive(Debug, Clone)]
pub struct HostRow {
    /// The instance's id or the registered name: what targets are called by.
    pub name: String,
    /// The tag `Name`, if there is one.
    pub title: Option<String>,
    pub kind: &'static str,
    pub state: String,
    pub is_up: bool,
    pub address: Option<String>,
    pub tags: Vec<(String, String)>,
    pub agent: Option<String>,
    /// Most agents have another version.
    pub drifts: bool,
    pub last_seen: Option<Ago>,
    pub is_silent: bool,
    pub installed: Vec<InstalledRow>,
}

/// What a group has installed on a host.
#[derive(Debug, Clone)]
pub struct InstalledRow {
    pub group: String,
    pub place: String,
    pub revision: String,
    /// It is not the group's last successful one.
    pub is_outdated: bool,
    pub is_healthy: bool,
}

#[derive(Template)]
#[template(path = "instances.html")]
struct Page {
    frame: Frame,
    rows: Vec<HostRow>,
    all: usize,
    silent: usize,
    versions: Vec<(String, usize)>,
    find: String,
    /// Places of the pages before and after this one.
    previous: Option<String>,
    next: Option<String>,
}

/// Hosts on one page.
const PAGE: usize = 100;

/// The hosts of the region.
pub async fn list(visit: &Visit<'_>) -> Result<Response, Problem> {
    visit.may(Operation::ListOnPremisesInstances, json!({})).await?;
    let query = &visit.request.query;
    let find = query.text("find");
    let mut rows = hosts(visit).await?;
    let all = rows.len();
    let silent = rows.iter().filter(|row| row.is_silent).count();
    let versions = versions(&rows);
    rows.retain(|row| row.is_found(&find));
    let from: usize = query.get("from").and_then(|from| from.parse().ok()).unwrap_or(0);
    let place =
        |from: usize| format!("/-/console/instances?from={from}&find={}", show::encoded(&find));
    let (previous, next) = (
        (from > 0).then(|| place(from.saturating_sub(PAGE))),
        (rows.len() > from + PAGE).then(|| place(from + PAGE)),
    );
    let mut rows: Vec<HostRow> = rows.into_iter().skip(from).take(PAGE).collect();
    fill_in(visit, &mut rows).await?;
    let frame = Frame::of(visit, Section::Instances, "Instances");
    answer::page(&Page { frame, rows, all, silent, versions, find, previous, next })
}

impl HostRow {
    fn is_found(&self, wanted: &str) -> bool {
        wanted.is_empty()
            || self.name.contains(wanted)
            || self.address.as_ref().is_some_and(|address| address.contains(wanted))
            || self.tags.iter().any(|(key, value)| key.contains(wanted) || value.contains(wanted))
    }

    /// How agent and host are, as far as is heard.
    pub fn badge(&self) -> show::Badge {
        match (self.is_up, self.is_silent, &self.last_seen) {
            (true, false, Some(_)) => show::Badge { look: "ok", word: "Heard" },
            (true, true, _) => show::Badge { look: "warn", word: "Silent" },
            (true, false, None) => show::Badge { look: "wait", word: "No agent yet" },
            (false, ..) => show::Badge { look: "stop", word: "Off" },
        }
    }
}

/// Every host of the region that the visitor may see, without what is installed on it.
///
/// # Errors
/// The store failed.
pub async fn hosts(visit: &Visit<'_>) -> Result<Vec<HostRow>, Problem> {
    let mut rows = Vec::new();
    let mut identifiers = Vec::new();
    if visit.may_anywhere("ec2:DescribeInstances").await? {
        let prefix = format!("{}/", visit.region());
        for kept in visit.edge.records.list::<InstanceRecord>(&prefix).await? {
            let record = kept.record;
            if !record.is_given_up() {
                identifiers.push(identifier(visit, &record.id));
                rows.push(local(record));
            }
        }
    }
    if visit.may_anywhere("codedeploy:ListOnPremisesInstances").await? {
        for instance in on_premises::registered(&visit.app().store, visit.region()).await? {
            identifiers.push(instance.identity.arn().to_owned());
            rows.push(registered(instance));
        }
    }
    let heard = visit.app().hosts(&identifiers).await?;
    for (row, identifier) in rows.iter_mut().zip(&identifiers) {
        row.hear(heard.get(identifier), visit);
    }
    let usual = versions(&rows).into_iter().next().map(|(version, _)| version);
    for row in &mut rows {
        row.drifts = row.agent.is_some() && row.agent != usual;
    }
    rows.sort_by(|one, other| (!one.is_silent, &one.name).cmp(&(!other.is_silent, &other.name)));
    Ok(rows)
}

fn identifier(visit: &Visit<'_>, id: &str) -> String {
    let scope = &visit.call().scope;
    id.parse().map(|id| scope.instance(&id)).unwrap_or_default()
}

fn local(record: InstanceRecord) -> HostRow {
    HostRow {
        title: record.tags.get("Name").cloned(),
        kind: "local",
        state: record.state.name().to_owned(),
        is_up: record.state == State::Running,
        address: Some(record.address.to_string()),
        tags: record.tags.into_iter().collect(),
        ..HostRow::unheard(record.id)
    }
}

fn registered(instance: OnPremisesInstance) -> HostRow {
    HostRow {
        title: instance.tags.get("Name").cloned(),
        kind: "registered",
        state: "registered".to_owned(),
        is_up: true,
        tags: instance.tags.into_iter().collect(),
        ..HostRow::unheard(instance.name)
    }
}

impl HostRow {
    fn unheard(name: String) -> Self {
        Self {
            name,
            title: None,
            kind: "",
            state: String::new(),
            is_up: false,
            address: None,
            tags: Vec::new(),
            agent: None,
            drifts: false,
            last_seen: None,
            is_silent: false,
            installed: Vec::new(),
        }
    }

    fn hear(&mut self, host: Option<&Host>, visit: &Visit<'_>) {
        let now = visit.call().now;
        let Some(host) = host else { return };
        self.agent = host.agent_version.as_deref().map(|name| agent_version(name).to_owned());
        self.last_seen = Some(Ago { at: host.last_seen, now });
        self.is_silent = self.is_up && now.since(host.last_seen) > SILENT_AFTER;
    }
}

/// The agents' versions, the most frequent first.
fn versions(rows: &[HostRow]) -> Vec<(String, usize)> {
    let mut counted: BTreeMap<&str, usize> = BTreeMap::new();
    for version in rows.iter().filter_map(|row| row.agent.as_deref()) {
        *counted.entry(version).or_default() += 1;
    }
    let mut versions: Vec<(String, usize)> =
        counted.into_iter().map(|(version, count)| (version.to_owned(), count)).collect();
    versions.sort_by(|(one, ones), (other, others)| others.cmp(ones).then(other.cmp(one)));
    versions
}

/// What each group has installed on these hosts.
async fn fill_in(visit: &Visit<'_>, rows: &mut [HostRow]) -> Result<(), Problem> {
    let hosts: Vec<String> = rows.iter().map(|row| row.name.clone()).collect();
    let mut found = visit.app().revisions_on(visit.region(), &hosts).await?;
    for row in rows {
        let installed = found.remove(&row.name).unwrap_or_default();
        row.installed = installed.iter().map(shown).collect();
    }
    Ok(())
}

fn shown(one: &GroupsRevision) -> InstalledRow {
    InstalledRow {
        group: format!("{} / {}", one.application, one.group.name),
        place: frame::group_place(one.application.as_str(), &one.group.name),
        revision: one.revision.as_ref().map_or("not known".to_owned(), show::revision),
        is_outdated: !one.is_current(),
        is_healthy: one.healthy,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_version_is_the_usual_one() {
        let row = |agent: &str| HostRow {
            agent: Some(agent.to_owned()),
            ..HostRow::unheard(String::new())
        };
        let rows = [row("0.1.0"), row("0.2.0"), row("0.1.0")];
        assert_eq!(versions(&rows)[0], ("0.1.0".to_owned(), 2));
    }
}
