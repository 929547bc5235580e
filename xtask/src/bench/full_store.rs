//! Reads of a store with much in it, beside the same reads of one with next to nothing.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::client::Client;
use super::deployments::PlayedHost;
use super::report::Row;
use super::samples::{Samples, shown};
use super::{Bench, root_credentials};
use crate::process::run;
use crate::serving::Serving;

const APPLICATIONS: u32 = 1_000;
const DEPLOYMENTS: u32 = 10_000;
/// Of each deployment.
const TARGETS: u32 = 1_000;
const QUICK_DEPLOYMENTS: u32 = 100;

/// How often each read is made, one after the other.
const READS: usize = 200;

pub fn measure(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let data = bench.data_dir("full");
    let server = Serving::start(&bench.program, "server", &data)?;
    let mut client = Client::new(server.port, root_credentials(&data)?);
    PlayedHost::prepare(&mut client, server.port)?.deploy(&mut client, &mut Samples::default())?;
    let small = read_all(&mut client)?;
    server.stop()?;

    let deployments = bench.effort.of(DEPLOYMENTS, QUICK_DEPLOYMENTS);
    let begun = Instant::now();
    run(Command::new(bench.tools.join("python"))
        .arg(crate::repository().join("tests/conformance/bulk.py"))
        .arg(data.join("longshore.db"))
        .args(["--applications", &APPLICATIONS.to_string()])
        .args(["--deployments", &deployments.to_string()])
        .args(["--targets", &TARGETS.to_string()]))?;
    println!("filled in {}", shown(begun.elapsed()));

    let server = Serving::start(&bench.program, "server", &data)?;
    let mut client = Client::new(server.port, root_credentials(&data)?);
    let full = read_all(&mut client)?;
    server.stop()?;
    Ok(small.into_iter().zip(full).map(|(small, full)| row(deployments, &small, &full)).collect())
}

/// One read, and the times it took.
struct Read {
    what: &'static str,
    times: Samples,
}

fn row(deployments: u32, small: &Read, full: &Read) -> Row {
    Row::new(
        format!("{}, full store", full.what),
        format!("{} (99 %: {})", shown(full.times.percentile(50)), shown(full.times.percentile(99))),
    )
    .beside(format!("a store with one deployment: {}", shown(small.times.percentile(50))))
    .note(format!(
        "SQLite with {APPLICATIONS} applications and {deployments} deployments of {TARGETS} targets; {READS} reads one \
         after the other"
    ))
}

/// Reads of each sort. Those of one thing take it from a list, so that they fit either store.
fn read_all(client: &mut Client) -> anyhow::Result<Vec<Read>> {
    let listed = client.codedeploy("ListDeployments", &json!({}))?;
    let ids = &listed["deployments"];
    let one = json!({"deploymentId": ids[0]});
    let info = client.codedeploy("GetDeployment", &one)?["deploymentInfo"].clone();
    let group = json!({"applicationName": info["applicationName"], "deploymentGroupName": info["deploymentGroupName"]});
    let targets = client.codedeploy("ListDeploymentTargets", &one)?;
    let target = json!({"deploymentId": ids[0], "targetId": targets["targetIds"][0]});
    let some: Vec<&Value> = ids.as_array().into_iter().flatten().take(25).collect();
    let reads = [
        ("GetDeployment", one.clone()),
        ("BatchGetDeployments", json!({"deploymentIds": some})),
        ("ListDeployments", json!({})),
        ("ListDeploymentTargets", one),
        ("GetDeploymentTarget", target),
        ("ListDeploymentGroups", json!({"applicationName": group["applicationName"]})),
        ("GetDeploymentGroup", group),
        ("ListApplications", json!({})),
    ];
    reads
        .into_iter()
        .map(|(what, input)| Ok(Read { what, times: read(client, what, &input)? }))
        .collect()
}

fn read(client: &mut Client, operation: &str, input: &Value) -> anyhow::Result<Samples> {
    let times = (0..READS).map(|_| {
        let begun = Instant::now();
        client.codedeploy(operation, input)?;
        Ok(begun.elapsed())
    });
    Ok(Samples::of(times.collect::<anyhow::Result<Vec<Duration>>>()?))
}
