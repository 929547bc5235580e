//! `longshore push`, `deploy` and `promote`: how a revision gets to a group.

use std::process::ExitCode;

use anyhow::Context;
use serde_json::json;
use wire::codedeploy::{CreateDeploymentInput, RevisionLocation};

use super::{deployments, groups};
use crate::args::{Deploy, NewDeployment, Promote, Push};
use crate::outcome::Usage;
use crate::output::Found;
use crate::words;

pub async fn push(asked: &Push) -> anyhow::Result<ExitCode> {
    let client = super::client(&asked.remote).await?;
    let revision = crate::push::push(&client, &asked.bundle).await?;
    let row = vec![words::revision(Some(&revision))];
    Found::rows(&json!({ "revision": revision }), &["Revision"], vec![row])?
        .print(asked.remote.output, asked.remote.query.as_deref())?;
    Ok(ExitCode::SUCCESS)
}

pub async fn deploy(asked: &Deploy) -> anyhow::Result<ExitCode> {
    let client = super::client(&asked.remote).await?;
    let (application, new) = (&asked.bundle.application, &asked.new);
    // A group that is not there should be told before anything is uploaded.
    groups::group(&client, application, &new.group)
        .await
        .with_context(|| format!("nothing was deployed to {application}/{}", new.group))?;
    let revision = crate::push::push(&client, &asked.bundle).await?;
    let input = input(application, new, revision, asked.bundle.description.clone());
    let id = deployments::create(&client, &input)
        .await
        .with_context(|| format!("nothing was deployed to {application}/{}", new.group))?;
    deployments::started(&client, &asked.remote, id, !asked.detach.detach).await
}

pub async fn promote(asked: &Promote) -> anyhow::Result<ExitCode> {
    let client = super::client(&asked.remote).await?;
    let (application, new) = (&asked.application, &asked.new);
    if asked.from == new.group {
        return Err(Usage::new(
            format!("{} cannot be promoted to itself", asked.from),
            "name another group with --group",
        )
        .into());
    }
    let group = groups::group(&client, application, &asked.from).await?;
    let last = group
        .last_successful_deployment
        .and_then(|last| last.deployment_id)
        .ok_or_else(|| {
            Usage::new(
                format!("{application}/{} has no revision to promote: no deployment to it has succeeded", asked.from),
                format!("deploy to it first: longshore deploy DIR --application {application} --group {}", asked.from),
            )
        })?;
    let revision = deployments::deployment(&client, &last)
        .await?
        .revision
        .with_context(|| format!("{last} has no revision"))?;
    eprintln!(
        "Promoting {} from {} to {} ({last} brought it there)",
        words::revision(Some(&revision)),
        asked.from,
        new.group
    );
    let description = format!("Promoted from {} ({last})", asked.from);
    let input = input(application, new, revision, Some(description));
    let id = deployments::create(&client, &input)
        .await
        .with_context(|| format!("nothing was deployed to {application}/{}", new.group))?;
    deployments::started(&client, &asked.remote, id, !asked.detach.detach).await
}

/// What is asked for by `deploy`, `promote` and `deployment plan`.
pub fn input(
    application: &str,
    new: &NewDeployment,
    revision: RevisionLocation,
    description: Option<String>,
) -> CreateDeploymentInput {
    CreateDeploymentInput {
        application_name: Some(application.to_owned()),
        deployment_group_name: Some(new.group.clone()),
        revision: Some(revision),
        deployment_config_name: new.config.clone(),
        file_exists_behavior: new.file_exists.as_ref().map(|what| what.to_uppercase()),
        description,
        ..Default::default()
    }
}
