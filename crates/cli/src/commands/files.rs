//! `longshore deployment files`: what a deployment would do to the files of its hosts, as the hosts themselves say it.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use wire::longshore::{
    GetHostPlanInput, GetHostPlanOutput, HostPlanAnswer, HostPlanFile, StartHostPlanInput,
};

use super::{deploy, plan};
use crate::args::DeploymentFiles;
use crate::client::{CallError, Client};
use crate::outcome::FAILED;
use crate::output::Found;
use crate::words::text;

/// How often it is looked whether hosts have answered.
const LOOK_EVERY: Duration = Duration::from_millis(500);

pub async fn files(asked: &DeploymentFiles) -> anyhow::Result<ExitCode> {
    let client = super::client(&asked.remote).await?;
    let revision = plan::read(&asked.revision, asked.bundle_type)?;
    let input = deploy::input(&asked.application, &asked.new, revision, None);
    let mut input: StartHostPlanInput = serde_json::from_value(serde_json::to_value(input)?)?;
    input.target_ids = asked.host.clone().map(|host| vec![host]);
    let started = client.call(&input).await.with_context(|| {
        format!("the hosts of {}/{} cannot be asked", asked.application, asked.new.group)
    })?;
    let id = started.host_plan_id.unwrap_or_default();
    let hosts = answers(&client, &id).await?;
    let is_refused = hosts.iter().any(|host| host.status.as_deref() == Some("Fails"));
    match &asked.host {
        None => show_hosts(hosts, asked)?,
        Some(host) => show_files(hosts, files_of(&client, &id, host).await?, asked)?,
    }
    Ok(if is_refused { ExitCode::from(FAILED) } else { ExitCode::SUCCESS })
}

/// What the hosts answered, when all have or are not waited for any more.
async fn answers(client: &Client, id: &str) -> Result<Vec<HostPlanAnswer>, CallError> {
    let mut progress = None;
    loop {
        let (hosts, ended) = look(client, id).await?;
        if ended {
            return Ok(hosts);
        }
        let waiting = hosts.iter().filter(|host| host.status.as_deref() == Some("Waiting"));
        let answered = hosts.len() - waiting.count();
        progress.get_or_insert_with(|| bar(hosts.len())).set_position(answered as u64);
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// All hosts as they are now, and whether that is all there will be.
async fn look(client: &Client, id: &str) -> Result<(Vec<HostPlanAnswer>, bool), CallError> {
    let (mut hosts, mut next_token) = (Vec::new(), None);
    loop {
        let page = page(client, id, None, next_token).await?;
        hosts.extend(page.hosts.unwrap_or_default());
        next_token = page.next_token;
        if next_token.is_none() {
            return Ok((hosts, page.ended == Some(true)));
        }
    }
}

async fn files_of(client: &Client, id: &str, host: &str) -> Result<Vec<HostPlanFile>, CallError> {
    let (mut files, mut next_token) = (Vec::new(), None);
    loop {
        let page = page(client, id, Some(host), next_token).await?;
        files.extend(page.files.unwrap_or_default());
        next_token = page.next_token;
        if next_token.is_none() {
            return Ok(files);
        }
    }
}

async fn page(
    client: &Client,
    id: &str,
    host: Option<&str>,
    next_token: Option<String>,
) -> Result<GetHostPlanOutput, CallError> {
    let (host_plan_id, target_id) = (Some(id.to_owned()), host.map(str::to_owned));
    client.call(&GetHostPlanInput { host_plan_id, target_id, next_token }).await
}

/// Progress on standard error, if that is a terminal.
fn bar(hosts: usize) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(hosts as u64), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("Asking [{wide_bar}] {pos} of {len} answered") {
        bar.set_style(style.progress_chars("=> "));
    }
    bar
}

fn show_hosts(hosts: Vec<HostPlanAnswer>, asked: &DeploymentFiles) -> anyhow::Result<()> {
    let heads = ["Host", "Install", "Conflict", "Remove", "Change", "Add", "Keep", "Same", "Why"];
    let rows = hosts.iter().map(row).collect();
    let output = GetHostPlanOutput { hosts: Some(hosts), ..Default::default() };
    Found::rows(&output, &heads, rows)?.print(asked.remote.output, asked.remote.query.as_deref())
}

fn row(host: &HostPlanAnswer) -> Vec<String> {
    let count = |number: Option<i64>| number.map_or_else(String::new, |number| number.to_string());
    let status = match host.status.as_deref() {
        Some("Succeeds") => "would succeed",
        Some("Fails") => "would fail",
        _ => "unknown",
    };
    vec![
        text(host.target_id.as_ref()).to_owned(),
        status.to_owned(),
        count(host.conflict_count),
        count(host.remove_count),
        count(host.change_count),
        count(host.add_count),
        count(host.keep_count),
        count(host.unchanged_count),
        text(host.message.as_ref()).to_owned(),
    ]
}

fn show_files(
    hosts: Vec<HostPlanAnswer>,
    files: Vec<HostPlanFile>,
    asked: &DeploymentFiles,
) -> anyhow::Result<()> {
    let rows: Vec<Vec<String>> = files
        .iter()
        .map(|file| [&file.effect, &file.path].map(|of| text(of.as_ref()).to_owned()).to_vec())
        .collect();
    let notes = hosts.iter().flat_map(|host| notes(host, files.len())).collect();
    let output = GetHostPlanOutput { hosts: Some(hosts), files: Some(files), ..Default::default() };
    Found::rows(&output, &["Effect", "File"], rows)?
        .with_notes(notes)
        .print(asked.remote.output, asked.remote.query.as_deref())
}

/// What a person should know beside the list of a host's files.
fn notes(host: &HostPlanAnswer, listed: usize) -> Vec<String> {
    let [_, status, ..] = &row(host)[..] else { return Vec::new() };
    let why = host.message.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    let mut notes = vec![String::new(), format!("The Install {status}{why}")];
    if status == "unknown" {
        notes[1] = format!("Nothing is known{why}");
        return notes;
    }
    let counts = [
        host.conflict_count,
        host.remove_count,
        host.change_count,
        host.add_count,
        host.keep_count,
    ];
    let all: i64 = counts.into_iter().flatten().sum();
    let unlisted = all - i64::try_from(listed).unwrap_or(all);
    if unlisted > 0 {
        notes.push(format!("{unlisted} more files are only counted by the host"));
    }
    let same = host.unchanged_count.unwrap_or_default();
    notes.push(format!("Files that have the content already: {same}"));
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(status: &str) -> HostPlanAnswer {
        HostPlanAnswer {
            target_id: Some("web-01".to_owned()),
            status: Some(status.to_owned()),
            add_count: Some(1200),
            unchanged_count: Some(3),
            ..Default::default()
        }
    }

    #[test]
    fn files_that_a_host_only_counts_are_told() {
        let told = notes(&host("Succeeds"), 1000).join("\n");
        assert!(told.contains("The Install would succeed"), "{told}");
        assert!(told.contains("200 more files") && told.contains("already: 3"), "{told}");
        assert!(!notes(&host("Succeeds"), 1200).join("\n").contains("more files"));
    }

    #[test]
    fn a_host_that_does_not_know_says_why() {
        let silent =
            HostPlanAnswer { message: Some("its agent was never heard".into()), ..host("Unknown") };
        assert_eq!(notes(&silent, 0)[1], "Nothing is known: its agent was never heard");
        assert_eq!(row(&silent)[1], "unknown");
    }
}
