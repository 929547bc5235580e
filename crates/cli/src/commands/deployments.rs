//! `longshore deployment …`: what there is, and what can be done about it.

use std::process::ExitCode;

use anyhow::Context;
use serde_json::json;
use wire::codedeploy::{
    BatchGetDeploymentsInput, CreateDeploymentInput, DeploymentInfo, GetDeploymentInput,
    ListDeploymentsInput, RevisionLocation, StopDeploymentInput,
};

use crate::args::{Again, ListDeployments, OneDeployment, Remote, Stop};
use crate::client::Client;
use crate::follow::{self, Ended, Following};
use crate::outcome::Usage;
use crate::output::Found;
use crate::words::{self, text};

/// How many deployments one call tells of. Source: API reference, `BatchGetDeployments`.
const BATCH: usize = 25;

pub async fn list(asked: &ListDeployments) -> anyhow::Result<ExitCode> {
    let client = super::client(&asked.remote).await?;
    let statuses = (!asked.status.is_empty()).then(|| asked.status.clone());
    let of = (asked.application.clone(), asked.group.clone());
    let found = newest(&client, of, statuses, usize::from(asked.limit)).await?;
    let heads = ["Deployment", "Application", "Group", "Status", "Created", "Took", "Revision"];
    let rows = found.iter().map(|info| {
        vec![
            text(info.deployment_id.as_ref()).to_owned(),
            text(info.application_name.as_ref()).to_owned(),
            text(info.deployment_group_name.as_ref()).to_owned(),
            text(info.status.as_ref()).to_owned(),
            words::time(info.create_time),
            words::between(info.start_time, info.complete_time),
            words::revision(info.revision.as_ref()),
        ]
    });
    let rows = rows.collect();
    print(&asked.remote, Found::rows(&json!({ "deployments": found }), &heads, rows)?)
}

/// The newest deployments, of an application, of a group of it, or of all.
pub async fn newest(
    client: &Client,
    (application, group): (Option<String>, Option<String>),
    statuses: Option<Vec<String>>,
    limit: usize,
) -> anyhow::Result<Vec<DeploymentInfo>> {
    // The API lists the deployments of a group, or all of them.
    let mut found: Vec<DeploymentInfo> = Vec::new();
    let mut next_token = None;
    loop {
        let input = ListDeploymentsInput {
            application_name: application.clone().filter(|_| group.is_some()),
            deployment_group_name: group.clone(),
            include_only_statuses: statuses.clone(),
            next_token,
            ..Default::default()
        };
        let page = client.call(&input).await?;
        for ids in page.deployments.unwrap_or_default().chunks(BATCH) {
            let input = BatchGetDeploymentsInput { deployment_ids: Some(ids.to_vec()) };
            let mut batch = client.call(&input).await?.deployments_info.unwrap_or_default();
            batch.retain(|info| application.is_none() || info.application_name == application);
            let place = |info: &DeploymentInfo| {
                ids.iter().position(|id| info.deployment_id.as_ref() == Some(id))
            };
            batch.sort_by_key(place);
            found.extend(batch);
            if found.len() >= limit {
                found.truncate(limit);
                return Ok(found);
            }
        }
        next_token = page.next_token;
        if next_token.is_none() {
            return Ok(found);
        }
    }
}

pub async fn get(asked: &OneDeployment) -> anyhow::Result<ExitCode> {
    let client = super::client(&asked.remote).await?;
    let mut following = Following::new(&client, &asked.id);
    following.refresh().await?;
    let seen = following.seen().context("the deployment was just read")?;
    let targets: Vec<_> = seen.hosts.values().collect();
    let heads = ["Host", "Status", "Event", "Since", "Took", "What went wrong"];
    let rows = targets.iter().map(|host| follow::describe::host_row(host)).collect();
    let value = json!({ "deploymentInfo": seen.info, "targets": targets });
    let found = Found::rows(&value, &heads, rows)?;
    print(&asked.remote, found.with_notes(follow::describe::summary(&seen.info)))
}

pub async fn watch(asked: &OneDeployment) -> anyhow::Result<ExitCode> {
    let client = super::client(&asked.remote).await?;
    Ok(follow::to_the_end(&client, &asked.id).await?.exit_code())
}

pub async fn stop(asked: &Stop) -> anyhow::Result<ExitCode> {
    let client = super::client(&asked.remote).await?;
    let answer = client
        .call(&StopDeploymentInput {
            deployment_id: Some(asked.id.clone()),
            auto_rollback_enabled: Some(asked.rollback),
        })
        .await
        .with_context(|| format!("{} was not stopped", asked.id))?;
    if asked.watch {
        let ended = follow::to_the_end(&client, &asked.id).await?;
        if !asked.rollback {
            return Ok(stopped_as_wished(ended));
        }
        return match rollback_of(&client, &asked.id).await? {
            Some(rollback) => Ok(follow::to_the_end(&client, &rollback).await?.exit_code()),
            None => Ok(ended.exit_code()),
        };
    }
    let message = answer.status_message.clone().unwrap_or_default();
    let row = vec![asked.id.clone(), text(answer.status.as_ref()).to_owned(), message];
    print(&asked.remote, Found::rows(&answer, &["Deployment", "Stop", "Message"], vec![row])?)
}

/// Whoever asked for the stop got what they wanted.
fn stopped_as_wished(ended: Ended) -> ExitCode {
    match ended {
        Ended::Stopped => ExitCode::SUCCESS,
        other => other.exit_code(),
    }
}

/// The deployment that rolled another one back.
async fn rollback_of(client: &Client, id: &str) -> anyhow::Result<Option<String>> {
    let info = deployment(client, id).await?;
    Ok(info.rollback_info.and_then(|rollback| rollback.rollback_deployment_id))
}

pub async fn roll_back(asked: &Again) -> anyhow::Result<ExitCode> {
    let client = super::client(&asked.remote).await?;
    let info = deployment(&client, &asked.id).await?;
    if let Some(done) =
        info.rollback_info.as_ref().and_then(|rollback| rollback.rollback_deployment_id.clone())
    {
        return Err(Usage::new(
            format!("{} was rolled back already, by {done}", asked.id),
            format!("`longshore deployment watch {done}` tells how that went"),
        )
        .into());
    }
    let Some(revision) = info.previous_revision.clone() else {
        return Err(Usage::new(
            format!("{} replaced nothing: its group had no successful deployment before", asked.id),
            "`longshore deploy` or `aws deploy create-deployment` deploys another revision",
        )
        .into());
    };
    if !is_over(&info) {
        let input = StopDeploymentInput {
            deployment_id: Some(asked.id.clone()),
            auto_rollback_enabled: Some(true),
        };
        client.call(&input).await.with_context(|| format!("{} was not stopped", asked.id))?;
        follow::to_the_end(&client, &asked.id).await?;
        let Some(rollback) = rollback_of(&client, &asked.id).await? else {
            anyhow::bail!("{} ended before it could be rolled back: ask again", asked.id);
        };
        return started(&client, &asked.remote, rollback, asked.watch).await;
    }
    let description = format!("Rollback of {}", asked.id);
    let id = repeat(&client, &info, revision, description)
        .await
        .with_context(|| format!("{} was not rolled back", asked.id))?;
    started(&client, &asked.remote, id, asked.watch).await
}

pub async fn retry(asked: &Again) -> anyhow::Result<ExitCode> {
    let client = super::client(&asked.remote).await?;
    let info = deployment(&client, &asked.id).await?;
    if !is_over(&info) {
        return Err(Usage::new(
            format!("{} has not ended", asked.id),
            format!("follow it by `longshore deployment watch {0}`, or stop it by `longshore deployment stop {0}`", asked.id),
        )
        .into());
    }
    let revision = info.revision.clone().context("the deployment has no revision")?;
    let id = repeat(&client, &info, revision, format!("Again, after {}", asked.id))
        .await
        .with_context(|| format!("{} was not repeated", asked.id))?;
    started(&client, &asked.remote, id, asked.watch).await
}

/// Creates a deployment of `revision` with everything else as it was.
async fn repeat(
    client: &Client,
    like: &DeploymentInfo,
    revision: RevisionLocation,
    description: String,
) -> anyhow::Result<String> {
    let input = CreateDeploymentInput {
        application_name: like.application_name.clone(),
        deployment_group_name: like.deployment_group_name.clone(),
        revision: Some(revision),
        deployment_config_name: like.deployment_config_name.clone(),
        description: Some(description),
        ignore_application_stop_failures: like.ignore_application_stop_failures,
        file_exists_behavior: like.file_exists_behavior.clone(),
        ..Default::default()
    };
    create(client, &input).await
}

/// Creates a deployment; its id.
pub async fn create(client: &Client, input: &CreateDeploymentInput) -> anyhow::Result<String> {
    client.call(input).await?.deployment_id.context("the server told no id of the new deployment")
}

/// Tells of a new deployment, and follows it if that is wished.
pub async fn started(
    client: &Client,
    remote: &Remote,
    id: String,
    watch: bool,
) -> anyhow::Result<ExitCode> {
    if watch {
        return Ok(follow::to_the_end(client, &id).await?.exit_code());
    }
    let value = json!({ "deploymentId": id });
    print(remote, Found::rows(&value, &["Deployment"], vec![vec![id]])?)
}

/// One deployment.
pub async fn deployment(client: &Client, id: &str) -> anyhow::Result<DeploymentInfo> {
    let input = GetDeploymentInput { deployment_id: Some(id.to_owned()) };
    client.call(&input).await?.deployment_info.context("the server told nothing of the deployment")
}

fn is_over(info: &DeploymentInfo) -> bool {
    Ended::of(info).is_some()
}

fn print(remote: &Remote, found: Found) -> anyhow::Result<ExitCode> {
    found.print(remote.output, remote.query.as_deref())?;
    Ok(ExitCode::SUCCESS)
}
