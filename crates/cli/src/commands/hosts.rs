//! `longshore hosts`: which hosts there are, whether their agents are heard, and what is installed on them.

use std::process::ExitCode;
use std::time::Duration;

use serde_json::json;
use wire::longshore::{InstalledRevision, ListHostsInput, ListedHost, RevisionLocation};

use crate::args::Hosts;
use crate::client::{CallError, Client};
use crate::output::Found;
use crate::words::{self, text};

pub async fn list(asked: &Hosts) -> anyhow::Result<ExitCode> {
    let client = super::client(&asked.remote).await?;
    let of = asked.application.as_deref().zip(asked.group.as_deref());
    let hosts = listed(&client, of, asked.silent_after).await?;
    let heads = ["Host", "Agent", "Last heard", "Group", "Installed", "State", "Last deployment"];
    let rows = hosts.iter().flat_map(rows).collect();
    Found::rows(&json!({ "hosts": hosts }), &heads, rows)?
        .print(asked.remote.output, asked.remote.query.as_deref())?;
    Ok(ExitCode::SUCCESS)
}

/// The hosts of the region, or of a group; only the silent ones, if a time is given.
pub async fn listed(
    client: &Client,
    of: Option<(&str, &str)>,
    silent_after: Option<Duration>,
) -> Result<Vec<ListedHost>, CallError> {
    let seconds = silent_after.map(|time| i64::try_from(time.as_secs()).unwrap_or(i64::MAX));
    let mut hosts = Vec::new();
    let mut next_token = None;
    loop {
        let input = ListHostsInput {
            application_name: of.map(|(application, _)| application.to_owned()),
            deployment_group_name: of.map(|(_, group)| group.to_owned()),
            silent_seconds: seconds,
            next_token,
        };
        let page = client.call(&input).await?;
        hosts.extend(page.hosts.unwrap_or_default());
        next_token = page.next_token;
        if next_token.is_none() {
            return Ok(hosts);
        }
    }
}

/// A row for each group that has something installed on the host; one at least.
fn rows(host: &ListedHost) -> Vec<Vec<String>> {
    let installed = host.installed.as_deref().unwrap_or_default();
    let row = |tail: [String; 4]| {
        let agent = text(host.agent_version.as_ref()).to_owned();
        let mut row = vec![text(host.target_id.as_ref()).to_owned(), agent, heard(host)];
        row.extend(tail);
        row
    };
    if installed.is_empty() {
        return vec![row(["", "nothing", "", ""].map(str::to_owned))];
    }
    installed.iter().map(|one| row(of_group(one))).collect()
}

/// When the agent was last heard: `20 s ago`, `never`, `off: stopped`.
fn heard(host: &ListedHost) -> String {
    if host.expected == Some(false) {
        return format!("off: {}", text(host.state.as_ref()));
    }
    match host.seconds_since_seen {
        Some(seconds) => format!("{} ago", words::duration(seconds.saturating_mul(1000))),
        None => "never".to_owned(),
    }
}

fn of_group(one: &InstalledRevision) -> [String; 4] {
    let names = [&one.application_name, &one.deployment_group_name];
    let [application, group] = names.map(|name| text(name.as_ref()));
    [
        format!("{application}/{group}"),
        one.revision.as_ref().map_or_else(|| "not known".to_owned(), revision),
        if one.current == Some(true) { "current" } else { "outdated" }.to_owned(),
        format!(
            "{} {}",
            if one.healthy == Some(true) { "succeeded" } else { "failed" },
            words::time(one.update_time)
        ),
    ]
}

/// The own service's revisions have the shape of CodeDeploy's.
fn revision(location: &RevisionLocation) -> String {
    let location = serde_json::to_value(location).and_then(serde_json::from_value);
    words::revision(location.ok().as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_how_an_agent_is_heard() {
        let host = |expected, seconds| ListedHost {
            expected: Some(expected),
            state: Some("stopped".to_owned()),
            seconds_since_seen: seconds,
            ..Default::default()
        };
        assert_eq!(heard(&host(true, Some(20))), "20 s ago");
        assert_eq!(heard(&host(true, None)), "never");
        assert_eq!(heard(&host(false, Some(20))), "off: stopped");
    }

    #[test]
    fn a_host_has_a_row_for_each_group() {
        let mut host = ListedHost { target_id: Some("web-01".to_owned()), ..Default::default() };
        assert_eq!(rows(&host).len(), 1);
        host.installed = Some(vec![InstalledRevision::default(), InstalledRevision::default()]);
        let told = rows(&host);
        assert_eq!(told.len(), 2);
        assert!(told.iter().all(|row| row[0] == "web-01" && row[4] == "not known"));
    }
}
