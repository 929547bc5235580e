//! Large fleets: simulated agents over HTTP on loopback, every request signed, and the server's own share of the work.
//!
//! The agents share the machine with the server and do nothing with their commands. What the server itself costs is read
//! from `/proc`; a wall-clock time here is what an otherwise idle machine of this kind achieves for both together.

pub mod agents;
pub mod fleet;
mod usage;

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::json;

use super::client::Client;
use super::deployments::{create_deployment, make_group};
use super::report::Row;
use super::samples::shown;
use super::{Bench, memory, root_credentials};
use crate::postgres::{Commits, Postgres};
use crate::process::step;
use crate::serving::Serving;
use agents::Agents;
use usage::Usage;

/// Hosts that are deployed to, all at once and one at a time.
const FLEET: usize = 1_000;
/// Hosts that only wait for work.
const IDLE_FLEET: usize = 10_000;
/// Longer than an idle poll is held, so that each agent has polled anew.
const IDLE_TIME: Duration = Duration::from_secs(66);
const DEPLOYMENT_MAX: Duration = Duration::from_secs(300);

/// How much is measured.
#[derive(Clone, Copy)]
struct Size {
    fleet: usize,
    idle_fleet: usize,
    idle_time: Duration,
}

pub fn measure(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let size = Size {
        fleet: bench.effort.of(FLEET, 100),
        idle_fleet: bench.effort.of(IDLE_FLEET, 500),
        idle_time: bench.effort.of(IDLE_TIME, Duration::from_secs(5)),
    };
    let mut rows = vec![planning()?];
    rows.extend(step("fleets, SQLite", || measure_store(bench, size, "SQLite", &[]))?);
    let postgres = Postgres::start(Commits::Durable)?;
    rows.extend(step("fleets, PostgreSQL", || {
        measure_store(bench, size, "PostgreSQL", &["--database-url", &postgres.url])
    })?);
    Ok(rows)
}

fn planning() -> anyhow::Result<Row> {
    let took = testkit::planning::time_of_a_plan(u32::try_from(FLEET)?);
    Ok(Row::new(format!("`plan` for {FLEET} targets"), shown(took))
        .aim("≤ 1 ms")
        .note("one host of a hundred in flight has reported; median of 201"))
}

/// What fleets cost a server with the store that the options name.
fn measure_store(
    bench: &Bench,
    size: Size,
    store: &str,
    options: &[&str],
) -> anyhow::Result<Vec<Row>> {
    let data = bench.data_dir(&format!("engine-{store}"));
    let mut server = Serving::spawn_with(&bench.program, "server", &data, options)?;
    server.wait_ready()?;
    let root = root_credentials(&data)?;
    let mut client = Client::new(server.port, root.clone());
    fleet::make_role(&mut client)?;
    let hosts = fleet::register(server.port, &root, 0..size.fleet, true)?;
    make_group(
        &mut client,
        "Fleet",
        &json!({"onPremisesInstanceTagFilters": [{"Key": "CDG", "Value": "Fleet", "Type": "KEY_AND_VALUE"}]}),
    )?;
    let agents = Agents::start(server.port, hosts)?;
    let mut rows = Vec::new();
    for (what, config) in [("all at once", "AllAtOnce"), ("one at a time", "OneAtATime")] {
        let (took, used) = deploy(&mut client, &server, config)?;
        rows.push(deployment_row(size.fleet, store, what, took, &used)?);
    }
    agents.stop()?;
    rows.extend(idle(&server, size, &root, store)?);
    server.stop()?;
    Ok(rows)
}

/// How long a deployment to the whole fleet took, and what of that the server used.
fn deploy(
    client: &mut Client,
    server: &Serving,
    config: &str,
) -> anyhow::Result<(Duration, Usage)> {
    let revision = json!({"revisionType": "S3", "s3Location": {"bucket": "bench", "key": "v1", "bundleType": "zip"}});
    let (before, begun) = (Usage::of(server.pid())?, Instant::now());
    let deployment =
        create_deployment(client, "Fleet", &revision, &format!("CodeDeployDefault.{config}"))?;
    loop {
        let answer = client.codedeploy("GetDeployment", &deployment)?;
        let info = &answer["deploymentInfo"];
        match info["status"].as_str().context("a deployment has a status")? {
            "Succeeded" => break,
            "Failed" | "Stopped" => bail!("the deployment ended otherwise: {info}"),
            _ if begun.elapsed() > DEPLOYMENT_MAX => bail!("the deployment takes too long: {info}"),
            _ => std::thread::sleep(Duration::from_millis(50)),
        }
    }
    let took = begun.elapsed();
    Ok((took, Usage::of(server.pid())?.since(&before)))
}

fn deployment_row(
    fleet: usize,
    store: &str,
    what: &str,
    took: Duration,
    used: &Usage,
) -> anyhow::Result<Row> {
    let hosts = u32::try_from(fleet)?;
    let name = format!("{fleet} hosts {what}, {store}");
    let each = shown(took / hosts);
    let server = format!(
        "7 events a host, each fetched, acknowledged, its specification read, completed; of that {} of processor time in \
         the server, {} a host",
        shown(used.processor),
        shown(used.processor / hosts)
    );
    let row = match what {
        "all at once" => Row::new(name, shown(took)).aim("≤ 15 s"),
        _ => Row::new(name, format!("{each} a host")).aim("≤ 50 ms"),
    };
    Ok(row.note(server))
}

/// What many agents cost that have nothing to do.
fn idle(
    server: &Serving,
    size: Size,
    root: &wire::sigv4::Credentials,
    store: &str,
) -> anyhow::Result<Vec<Row>> {
    let Size { fleet, idle_fleet, idle_time } = size;
    let hosts = fleet::register(server.port, root, fleet..fleet + idle_fleet, false)?;
    let agents = Agents::start(server.port, hosts)?;
    agents.wait_until_all_polled()?;
    let (before, begun) = (Usage::of(server.pid())?, Instant::now());
    std::thread::sleep(idle_time);
    let used = Usage::of(server.pid())?.since(&before);
    let share = used.processor.as_secs_f64() / begun.elapsed().as_secs_f64() * 100.0;
    let resident = memory::resident_kib(server.pid())?;
    agents.stop()?;
    let note =
        format!("after two deployments to {fleet} others; every poll ended and was made anew");
    Ok(vec![
        Row::new(
            format!("{idle_fleet} idle agents connected, {store}: memory"),
            memory::shown(resident),
        )
        .aim("≤ 400 MiB")
        .note(note),
        Row::new(
            format!("{idle_fleet} idle agents connected, {store}: processor"),
            format!("{share:.1} % of one core"),
        )
        .aim("≤ 5 %")
        .note(format!("over {} s", idle_time.as_secs())),
    ])
}
