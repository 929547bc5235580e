//! `longshore deployment plan`: what a deployment would do, as the server says it. What was not uploaded is read here, from
//! the folder.

use std::process::ExitCode;

use anyhow::Context;
use model::appspec::{AppSpec, Hook};
use wire::codedeploy::{CreateDeploymentInput, RevisionLocation};
use wire::longshore::{
    PlanDeploymentInput, PlanDeploymentOutput, PlannedHook, PlannedScript, PlannedTarget,
};

use super::deploy;
use crate::args::{BundleType, PlanDeployment};
use crate::client::Client;
use crate::outcome::{FAILED, Usage};
use crate::output::{Format, Found};
use crate::push::{self, Unpushed};
use crate::words::{self, text};

pub async fn plan(asked: &PlanDeployment) -> anyhow::Result<ExitCode> {
    let client = super::client(&asked.remote).await?;
    let (revision, unpushed) = match &asked.revision {
        Some(named) => (read(named, asked.bundle.bundle_type)?, None),
        None => {
            let unpushed = push::look(&client, &asked.bundle).await?;
            (unpushed.revision.clone(), Some(unpushed))
        }
    };
    let (application, description) = (&asked.bundle.application, asked.bundle.description.clone());
    let input = deploy::input(application, &asked.new, revision, description);
    let mut answer = ask(&client, &input).await.with_context(|| {
        format!("no deployment to {application}/{} can be planned", asked.new.group)
    })?;
    if let Some(unpushed) = &unpushed {
        fill_in(&mut answer, unpushed);
    }
    show(&answer, unpushed.as_ref(), asked)?;
    let is_refused = refusals(&answer).next().is_some();
    Ok(if is_refused { ExitCode::from(FAILED) } else { ExitCode::SUCCESS })
}

/// The revision that a URL names.
pub(super) fn read(named: &str, kind: BundleType) -> Result<RevisionLocation, Usage> {
    words::read_revision(named, kind.name()).ok_or_else(|| {
        Usage::new(
            format!("`{named}` is no revision"),
            "one looks like s3://releases/shop-1.4.zip or github:acme/shop@COMMIT",
        )
    })
}

/// The two operations take the same input.
async fn ask(
    client: &Client,
    input: &CreateDeploymentInput,
) -> anyhow::Result<PlanDeploymentOutput> {
    let input: PlanDeploymentInput = serde_json::from_value(serde_json::to_value(input)?)?;
    Ok(client.call(&input).await?)
}

/// The server cannot know what was not uploaded: only the folder tells its size and its scripts.
fn fill_in(answer: &mut PlanDeploymentOutput, unpushed: &Unpushed) {
    if answer.bundle_bytes.is_some() {
        return;
    }
    fill_in_sizes(answer, unpushed.size);
    answer.hooks = Some(hooks(answer, &unpushed.appspec));
    answer.host_refusals = Some(Vec::new());
    answer.bundle_unread = None;
}

fn fill_in_sizes(answer: &mut PlanDeploymentOutput, size: u64) {
    let size = i64::try_from(size).unwrap_or(i64::MAX);
    let fetching = i64::try_from(fetching(answer)).unwrap_or(i64::MAX);
    answer.bundle_bytes = Some(size);
    answer.bytes_to_fetch = Some(size.saturating_mul(fetching));
}

/// How many hosts do not have the revision.
fn fetching(answer: &PlanDeploymentOutput) -> usize {
    let targets = answer.targets.as_deref().unwrap_or_default();
    targets.iter().filter(|target| target.has_revision != Some(true)).count()
}

fn hooks(answer: &PlanDeploymentOutput, appspec: &AppSpec) -> Vec<PlannedHook> {
    let script = |hook: &Hook| PlannedScript {
        location: Some(hook.location.clone()),
        runas: hook.runas.clone(),
        timeout_seconds: i64::try_from(hook.timeout.as_secs()).ok(),
    };
    let of = |event: &String| PlannedHook {
        lifecycle_event_name: Some(event.clone()),
        // What the AppSpec has for events of the agent's is not for this deployment.
        scripts: Some(match of_agent(event) {
            Some(_) => Vec::new(),
            None => appspec.hooks.of(event).iter().map(script).collect(),
        }),
    };
    answer.lifecycle_events.iter().flatten().map(of).collect()
}

/// Why it would not begin, and why hosts would fail.
fn refusals(answer: &PlanDeploymentOutput) -> impl Iterator<Item = &String> {
    answer.refusals.iter().chain(&answer.host_refusals).flatten()
}

fn show(
    answer: &PlanDeploymentOutput,
    unpushed: Option<&Unpushed>,
    asked: &PlanDeployment,
) -> anyhow::Result<()> {
    let remote = &asked.remote;
    if remote.output == Format::Text && remote.query.is_none() {
        // The rows are hosts: what stands against the whole is said beside them.
        answer
            .refusals
            .iter()
            .flatten()
            .for_each(|why| eprintln!("longshore: it would be refused: {why}"));
        answer
            .host_refusals
            .iter()
            .flatten()
            .for_each(|why| eprintln!("longshore: its hosts would fail: {why}"));
    }
    let heads = ["Batch", "Host", "Zone", "Health", "Has it", "Pause after"];
    let mut found = Found::rows(answer, &heads, targets(answer))?;
    found = found.with_notes(summary(answer, unpushed, asked));
    found
        .with_table(&["Event", "Script", "As", "Timeout"], events(answer))
        .print(remote.output, remote.query.as_deref())
}

/// The hosts in their order, each with the batch that it would be in.
fn targets(answer: &PlanDeploymentOutput) -> Vec<Vec<String>> {
    let mut targets = answer.targets.as_deref().unwrap_or_default().iter();
    let mut rows = Vec::new();
    for (number, batch) in (1..).zip(answer.batches.iter().flatten()) {
        let hosts = usize::try_from(batch.hosts.unwrap_or_default()).unwrap_or_default();
        let taken: Vec<_> = targets.by_ref().take(hosts).collect();
        for (place, target) in (1..).zip(&taken) {
            let seconds =
                batch.pause_seconds.filter(|seconds| *seconds > 0 && place == taken.len());
            let pause = seconds.map(|seconds| words::duration(seconds.saturating_mul(1000)));
            rows.push(row(number.to_string(), target, pause.unwrap_or_default()));
        }
    }
    // More than the batches hold: it would end before their turn.
    rows.extend(targets.map(|target| row(String::new(), target, String::new())));
    rows
}

fn row(batch: String, target: &PlannedTarget, pause: String) -> Vec<String> {
    let has_it = match target.has_revision {
        Some(true) => "yes",
        Some(false) => "no",
        None => "",
    };
    let health = match target.health.as_deref() {
        Some("unhealthy") => "unhealthy",
        Some("revisionUnknown") => "nothing is known",
        Some("revisionOld") => "older revision",
        Some("revisionCurrent") => "current revision",
        other => other.unwrap_or_default(),
    };
    vec![
        batch,
        text(target.target_id.as_ref()).to_owned(),
        text(target.zone.as_ref()).to_owned(),
        health.to_owned(),
        has_it.to_owned(),
        pause,
    ]
}

fn summary(
    answer: &PlanDeploymentOutput,
    unpushed: Option<&Unpushed>,
    asked: &PlanDeployment,
) -> Vec<String> {
    let hosts = answer.targets.as_ref().map_or(0, Vec::len);
    let revision = match unpushed {
        Some(unpushed) => {
            let place = words::revision(Some(&unpushed.revision));
            format!("{}, packed; it would be {place}", asked.bundle.source)
        }
        None => text(asked.revision.as_ref()).to_owned(),
    };
    let mut lines = vec![
        String::new(),
        format!("Group          {}/{}", asked.bundle.application, asked.new.group),
        format!("Revision       {revision}"),
        format!("Configuration  {}", text(answer.deployment_config_name.as_ref())),
        format!(
            "Hosts          {}, {} at once, {} must stay healthy",
            words::count(hosts, "host", "hosts"),
            answer.at_once.unwrap_or_default(),
            answer.minimum_healthy.unwrap_or_default()
        ),
        format!("To fetch       {}", bytes(answer)),
        format!(
            "Would take     {}",
            answer.expected_seconds.map_or_else(
                || "unknown: no deployment to the group has succeeded yet".to_owned(),
                |seconds| format!("about {}", words::duration(seconds.saturating_mul(1000)))
            )
        ),
    ];
    lines.extend(
        answer.status_messages.iter().flatten().map(|note| format!("Note           {note}")),
    );
    lines.extend(answer.waits.iter().map(|why| format!("Would wait     {why}")));
    let told = |answer: &Option<Vec<String>>| answer.clone().unwrap_or_default();
    lines.extend(told(&answer.refusals).iter().map(|why| format!("Refused        {why}")));
    lines.extend(told(&answer.host_refusals).iter().map(|why| format!("Would fail     {why}")));
    lines
}

fn bytes(answer: &PlanDeploymentOutput) -> String {
    match (answer.bytes_to_fetch, answer.bundle_bytes) {
        (Some(all), Some(one)) => format!(
            "{}: a bundle of {} for {}",
            words::bytes(all),
            words::bytes(one),
            words::count(fetching(answer), "host", "hosts")
        ),
        _ => "unknown: the bundle is in no bucket of the server".to_owned(),
    }
}

/// What each host would run, one script a row.
fn events(answer: &PlanDeploymentOutput) -> Vec<Vec<String>> {
    let Some(hooks) = &answer.hooks else {
        let unread = match &answer.bundle_unread {
            Some(why) => format!("{UNREAD}: {why}"),
            None => UNREAD.to_owned(),
        };
        let row = |event: &String| {
            let what = of_agent(event).map_or_else(|| unread.clone(), str::to_owned);
            vec![event.clone(), what]
        };
        return answer.lifecycle_events.iter().flatten().map(row).collect();
    };
    let mut rows = Vec::new();
    for hook in hooks {
        let (event, scripts) = (text(hook.lifecycle_event_name.as_ref()), &hook.scripts);
        let scripts = scripts.as_deref().unwrap_or_default();
        if let Some(what) = of_agent(event) {
            rows.push(vec![event.to_owned(), what.to_owned()]);
        } else if scripts.is_empty() {
            rows.push(vec![event.to_owned(), "nothing".to_owned()]);
        } else {
            rows.extend(scripts.iter().map(|script| {
                vec![
                    event.to_owned(),
                    text(script.location.as_ref()).to_owned(),
                    script.runas.clone().unwrap_or_else(|| "the agent's user".to_owned()),
                    words::duration(
                        script.timeout_seconds.unwrap_or_default().saturating_mul(1000),
                    ),
                ]
            }));
        }
    }
    rows
}

/// What is said of hooks where no AppSpec was read.
const UNREAD: &str = "as its AppSpec says, which was not read";

/// What an event does that runs no script of the new revision. Source: CodeDeploy user guide, "AppSpec 'hooks' section".
fn of_agent(event: &str) -> Option<&'static str> {
    match event {
        "ApplicationStop" => {
            Some("as the revision says that is installed now; nothing where there is none")
        }
        "DownloadBundle" => Some("the agent fetches and unpacks the bundle"),
        "Install" => Some("the agent copies the files"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use wire::longshore::PlannedBatch;

    use super::*;

    fn target(id: &str, has_revision: bool) -> PlannedTarget {
        PlannedTarget {
            target_id: Some(id.to_owned()),
            has_revision: Some(has_revision),
            ..Default::default()
        }
    }

    #[test]
    fn hosts_are_told_with_their_batches() {
        let batch = |hosts, pause| PlannedBatch {
            hosts: Some(hosts),
            pause_seconds: Some(pause),
            ..Default::default()
        };
        let answer = PlanDeploymentOutput {
            targets: Some(vec![target("a", false), target("b", false), target("c", true)]),
            batches: Some(vec![batch(2, 7), batch(1, 0)]),
            ..Default::default()
        };
        let told: Vec<_> = targets(&answer).into_iter().map(|row| row.join("|")).collect();
        assert_eq!(told, ["1|a|||no|", "1|b|||no|7.0 s", "2|c|||yes|"]);
    }

    #[test]
    fn what_the_server_cannot_know_is_filled_in() {
        let mut answer = PlanDeploymentOutput {
            targets: Some(vec![target("a", false), target("b", false), target("c", true)]),
            ..Default::default()
        };
        fill_in_sizes(&mut answer, 100);
        assert_eq!((answer.bundle_bytes, answer.bytes_to_fetch), (Some(100), Some(200)));
    }
}
