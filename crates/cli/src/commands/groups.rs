//! `longshore group …`.

use std::process::ExitCode;

use anyhow::Context;
use serde_json::json;
use wire::codedeploy::{
    BatchGetDeploymentGroupsInput, DeploymentGroupInfo, GetDeploymentGroupInput,
    LastDeploymentInfo, ListApplicationsInput, ListDeploymentGroupsInput,
};

use crate::args::{ListGroups, OneGroup};
use crate::client::Client;
use crate::output::Found;
use crate::words::{self, text};

/// Source: API reference, `BatchGetDeploymentGroups`.
const BATCH: usize = 100;

pub async fn list(asked: &ListGroups) -> anyhow::Result<ExitCode> {
    let client = super::client(&asked.remote).await?;
    let applications = match &asked.application {
        Some(one) => vec![one.clone()],
        None => applications(&client).await?,
    };
    let mut groups = Vec::new();
    for application in &applications {
        groups.extend(groups_of(&client, application).await?);
    }
    let heads = ["Application", "Group", "Configuration", "Last attempt", "Ended", "Last success"];
    let rows = groups.iter().map(|group| {
        let attempt = group.last_attempted_deployment.as_ref();
        let success = group.last_successful_deployment.as_ref();
        vec![
            text(group.application_name.as_ref()).to_owned(),
            text(group.deployment_group_name.as_ref()).to_owned(),
            text(group.deployment_config_name.as_ref()).to_owned(),
            attempt.map_or_else(|| "never".to_owned(), told),
            words::time(attempt.and_then(|attempt| attempt.end_time)),
            success.map_or_else(
                || "never".to_owned(),
                |one| text(one.deployment_id.as_ref()).to_owned(),
            ),
        ]
    });
    let rows = rows.collect();
    Found::rows(&json!({ "deploymentGroups": groups }), &heads, rows)?
        .print(asked.remote.output, asked.remote.query.as_deref())?;
    Ok(ExitCode::SUCCESS)
}

fn told(last: &LastDeploymentInfo) -> String {
    format!("{} {}", text(last.deployment_id.as_ref()), text(last.status.as_ref()))
}

/// The names of all applications.
async fn applications(client: &Client) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    let mut next_token = None;
    loop {
        let page = client.call(&ListApplicationsInput { next_token }).await?;
        names.extend(page.applications.unwrap_or_default());
        next_token = page.next_token;
        if next_token.is_none() {
            return Ok(names);
        }
    }
}

async fn groups_of(client: &Client, application: &str) -> anyhow::Result<Vec<DeploymentGroupInfo>> {
    let application_name = Some(application.to_owned());
    let mut groups = Vec::new();
    let mut next_token = None;
    loop {
        let input =
            ListDeploymentGroupsInput { application_name: application_name.clone(), next_token };
        let page = client.call(&input).await?;
        for names in page.deployment_groups.unwrap_or_default().chunks(BATCH) {
            let input = BatchGetDeploymentGroupsInput {
                application_name: application_name.clone(),
                deployment_group_names: Some(names.to_vec()),
            };
            groups.extend(client.call(&input).await?.deployment_groups_info.unwrap_or_default());
        }
        next_token = page.next_token;
        if next_token.is_none() {
            return Ok(groups);
        }
    }
}

/// One group.
pub async fn group(
    client: &Client,
    application: &str,
    group: &str,
) -> anyhow::Result<DeploymentGroupInfo> {
    let input = GetDeploymentGroupInput {
        application_name: Some(application.to_owned()),
        deployment_group_name: Some(group.to_owned()),
    };
    let answer = client.call(&input).await?;
    answer.deployment_group_info.context("the server told nothing of the deployment group")
}

pub async fn get(asked: &OneGroup) -> anyhow::Result<ExitCode> {
    let client = super::client(&asked.remote).await?;
    let info = group(&client, &asked.application, &asked.group).await?;
    let alarms = info.alarm_configuration.as_ref().filter(|alarms| alarms.enabled == Some(true));
    let alarms = alarms.iter().flat_map(|alarms| alarms.alarms.iter().flatten());
    let alarms: Vec<&str> = alarms.map(|alarm| text(alarm.name.as_ref())).collect();
    let rollback = info.auto_rollback_configuration.as_ref();
    let rollback = rollback.filter(|rollback| rollback.enabled == Some(true));
    let rollback = rollback.map_or_else(
        || "never by itself".to_owned(),
        |rollback| rollback.events.clone().unwrap_or_default().join(", "),
    );
    let last = |last: Option<&LastDeploymentInfo>| last.map_or_else(|| "never".to_owned(), told);
    let rows = [
        ("Application", text(info.application_name.as_ref()).to_owned()),
        ("Group", text(info.deployment_group_name.as_ref()).to_owned()),
        ("Configuration", text(info.deployment_config_name.as_ref()).to_owned()),
        ("Hosts", selection(&info)),
        ("Revision", words::revision(info.target_revision.as_ref())),
        ("Last attempt", last(info.last_attempted_deployment.as_ref())),
        ("Last success", last(info.last_successful_deployment.as_ref())),
        ("Rolls back", rollback),
        ("Alarms", if alarms.is_empty() { "none".to_owned() } else { alarms.join(", ") }),
        ("Service role", text(info.service_role_arn.as_ref()).to_owned()),
    ];
    let rows = rows.into_iter().map(|(name, value)| vec![name.to_owned(), value]).collect();
    Found::rows(&json!({ "deploymentGroupInfo": info }), &["Setting", "Value"], rows)?
        .print(asked.remote.output, asked.remote.query.as_deref())?;
    Ok(ExitCode::SUCCESS)
}

/// Which hosts belong to the group, in words.
fn selection(info: &DeploymentGroupInfo) -> String {
    let one = |key: Option<&String>, value: Option<&String>| match (key, value) {
        (Some(key), Some(value)) => format!("{key}={value}"),
        (Some(key), None) => format!("{key}=*"),
        (None, value) => format!("*={}", text(value)),
    };
    let instances = info.ec2_tag_filters.iter().flatten();
    let instances = instances.map(|tag| one(tag.key.as_ref(), tag.value.as_ref()));
    let registered = info.on_premises_instance_tag_filters.iter().flatten();
    let registered = registered.map(|tag| one(tag.key.as_ref(), tag.value.as_ref()));
    let tags: Vec<String> = instances.chain(registered).collect();
    match tags.is_empty() {
        false => format!("tagged {}", tags.join(" or ")),
        true => "by tag sets; see --output json".to_owned(),
    }
}
