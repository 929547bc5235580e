//! `longshore hosts`: what deployments know of the hosts of a group.

use std::collections::BTreeMap;
use std::process::ExitCode;

use serde::Serialize;
use serde_json::json;
use wire::Time;
use wire::codedeploy::DeploymentInfo;

use super::{deployments, groups};
use crate::args::Hosts;
use crate::follow::Following;
use crate::output::Found;
use crate::words::{self, text};

/// How many deployments of the group are looked through for what their hosts last got.
const LOOKED_THROUGH: usize = 20;

/// A host of a group.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Host {
    host: String,
    /// The revision of the last deployment that succeeded on it.
    installed: Option<String>,
    /// That revision is not the group's last successful one.
    is_outdated: bool,
    last_deployment_id: Option<String>,
    last_status: Option<String>,
    /// When it last changed anything about a deployment.
    last_report_at: Option<Time>,
}

pub async fn list(asked: &Hosts) -> anyhow::Result<ExitCode> {
    let (of, remote) = (&asked.of, &asked.of.remote);
    let client = super::client(remote).await?;
    let group = groups::group(&client, &of.application, &of.group).await?;
    let last = group.last_successful_deployment.and_then(|last| last.deployment_id);
    let wanted = match last {
        Some(id) => deployments::deployment(&client, &id).await?.revision,
        None => None,
    };
    let wanted = words::revision(wanted.as_ref());
    let names = (Some(of.application.clone()), Some(of.group.clone()));
    let newest = deployments::newest(&client, names, None, LOOKED_THROUGH).await?;
    let mut hosts: BTreeMap<String, Host> = BTreeMap::new();
    for info in &newest {
        if !hosts.is_empty() && hosts.values().all(|host| host.installed.is_some()) {
            break;
        }
        let Some(id) = &info.deployment_id else { continue };
        let mut following = Following::new(&client, id);
        following.refresh().await?;
        for target in following.seen().iter().flat_map(|seen| seen.hosts.values()) {
            note(&mut hosts, info, target);
        }
    }
    for host in hosts.values_mut() {
        host.is_outdated = host.installed.as_ref() != Some(&wanted);
    }
    let rows = hosts.values().map(|host| {
        vec![
            host.host.clone(),
            host.installed.clone().unwrap_or_else(|| "nothing".to_owned()),
            if host.is_outdated { "outdated" } else { "current" }.to_owned(),
            format!(
                "{} {}",
                text(host.last_deployment_id.as_ref()),
                text(host.last_status.as_ref())
            ),
            words::time(host.last_report_at),
        ]
    });
    let heads = ["Host", "Installed", "State", "Last deployment", "Last report"];
    let rows = rows.collect();
    let hosts: Vec<&Host> = hosts.values().collect();
    Found::rows(&json!({ "hosts": hosts }), &heads, rows)?
        .print(remote.output, remote.query.as_deref())?;
    Ok(ExitCode::SUCCESS)
}

/// Takes from one deployment what newer ones did not tell of a host.
fn note(
    hosts: &mut BTreeMap<String, Host>,
    info: &DeploymentInfo,
    target: &wire::codedeploy::InstanceTarget,
) {
    let Some(name) = &target.target_id else { return };
    let host = hosts.entry(name.clone()).or_insert_with(|| Host {
        host: name.clone(),
        installed: None,
        is_outdated: true,
        last_deployment_id: info.deployment_id.clone(),
        last_status: target.status.clone(),
        last_report_at: target.last_updated_at,
    });
    if host.installed.is_none() && target.status.as_deref() == Some("Succeeded") {
        host.installed = Some(words::revision(info.revision.as_ref()));
    }
}
