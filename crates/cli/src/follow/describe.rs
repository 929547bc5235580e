//! What a deployment and its hosts are, in words.

use wire::codedeploy::{DeploymentInfo, DeploymentOverview, InstanceTarget, LifecycleEvent};

use crate::words::{self, text};

/// How many hosts a deployment has.
pub fn count(overview: &DeploymentOverview) -> i64 {
    [
        overview.pending,
        overview.in_progress,
        overview.succeeded,
        overview.failed,
        overview.skipped,
        overview.ready,
    ]
    .into_iter()
    .flatten()
    .sum()
}

/// Whether nothing more will happen on a host.
pub fn is_done(host: &InstanceTarget) -> bool {
    matches!(host.status.as_deref(), Some("Succeeded" | "Failed" | "Skipped"))
}

/// The event that a host is at: the one that runs, else the one that failed, else the last that ended.
pub fn current_event(host: &InstanceTarget) -> Option<&LifecycleEvent> {
    let events = host.lifecycle_events.as_deref().unwrap_or_default();
    let with = |status: &str| events.iter().find(|event| event.status.as_deref() == Some(status));
    with("InProgress")
        .or_else(|| with("Failed"))
        .or_else(|| events.iter().rev().find(|event| event.status.as_deref() == Some("Succeeded")))
}

/// What went wrong on a host, in one line.
pub fn problem(host: &InstanceTarget) -> Option<String> {
    let events = host.lifecycle_events.as_deref().unwrap_or_default();
    let failed = events.iter().find(|event| event.status.as_deref() == Some("Failed"))?;
    let diagnostics = failed.diagnostics.as_ref()?;
    let message = text(diagnostics.message.as_ref());
    let script = text(diagnostics.script_name.as_ref());
    Some(match (message.is_empty(), script.is_empty() || message.contains(script)) {
        (true, _) => text(diagnostics.error_code.as_ref()).to_owned(),
        (false, true) => message.to_owned(),
        (false, false) => format!("{script}: {message}"),
    })
}

/// The last lines that a failed script printed.
pub fn log_tail(host: &InstanceTarget) -> Vec<String> {
    let events = host.lifecycle_events.as_deref().unwrap_or_default();
    let failed = events.iter().find(|event| event.status.as_deref() == Some("Failed"));
    let tail = failed
        .and_then(|event| event.diagnostics.as_ref())
        .map_or("", |diagnostics| text(diagnostics.log_tail.as_ref()));
    tail.trim_end().lines().map(str::to_owned).collect()
}

/// A host in a table: name, status, event, since when, how long, what went wrong.
pub fn host_row(host: &InstanceTarget) -> Vec<String> {
    let event = current_event(host);
    vec![
        text(host.target_id.as_ref()).to_owned(),
        text(host.status.as_ref()).to_owned(),
        event.map_or("", |event| text(event.lifecycle_event_name.as_ref())).to_owned(),
        words::time(event.and_then(|event| event.start_time)),
        event.map_or_else(String::new, |event| words::between(event.start_time, event.end_time)),
        problem(host).unwrap_or_default(),
    ]
}

/// A deployment in a few sentences.
pub fn summary(info: &DeploymentInfo) -> Vec<String> {
    let mut lines = vec![
        String::new(),
        format!("{}  {}", title(info), text(info.status.as_ref())),
        format!("Revision  {}", words::revision(info.revision.as_ref())),
    ];
    if info.start_time.is_some() {
        lines.push(format!("Took      {}", words::between(info.start_time, info.complete_time)));
    }
    lines.extend(reasons(info));
    lines.extend(next_step(info));
    lines
}

/// A deployment by name.
pub fn title(info: &DeploymentInfo) -> String {
    format!(
        "{}  {}/{}",
        text(info.deployment_id.as_ref()),
        text(info.application_name.as_ref()),
        text(info.deployment_group_name.as_ref())
    )
}

/// Why it is as it is: the error, what the server says of it, and a rollback.
pub fn reasons(info: &DeploymentInfo) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(error) = &info.error_information {
        let (code, message) = (text(error.code.as_ref()), text(error.message.as_ref()));
        lines.push(format!("{code}: {message}"));
    }
    lines.extend(info.deployment_status_messages.iter().flatten().cloned());
    if let Some(rollback) = &info.rollback_info {
        if let Some(by) = &rollback.rollback_deployment_id {
            lines.push(format!("Rolled back by {by}"));
        }
        if let Some(of) = &rollback.rollback_triggering_deployment_id {
            lines.push(format!("Rolls {of} back"));
        }
    }
    lines
}

/// What a person may want to do next.
fn next_step(info: &DeploymentInfo) -> Option<String> {
    let id = text(info.deployment_id.as_ref());
    match info.status.as_deref()? {
        "Failed" => Some(format!("What its hooks printed: longshore deployment logs {id}")),
        "Created" | "Queued" | "InProgress" | "Ready" => {
            Some(format!("Follow it: longshore deployment watch {id}"))
        }
        _ => None,
    }
}
