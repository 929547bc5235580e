//! Pages of the console, over a store with much in it.

use std::fmt::Write;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::{Value, json};

use super::client::{Answer, Client};
use super::deployments::{PlayedHost, create_deployment, make_group, wait_for_success};
use super::engine::agents::Agents;
use super::engine::fleet;
use super::report::Row;
use super::samples::{Samples, shown};
use super::{Bench, root_credentials};
use crate::process::run;
use crate::serving::Serving;

/// Nearly as many as a region may have.
const APPLICATIONS: u32 = 990;
const DEPLOYMENTS: u32 = 10_000;
/// Of each of these deployments.
const TARGETS: u32 = 20;
/// Hosts of one more deployment, which agents carry out; all are registered.
const FLEET: usize = 1_000;
const ALARMS: usize = 100;

/// How often each page is asked for, one time after the other.
const READS: usize = 100;

pub fn measure(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let data = bench.data_dir("console");
    let server = Serving::start(&bench.program, "server", &data)?;
    let mut client = Client::new(server.port, root_credentials(&data)?);
    PlayedHost::prepare(&mut client, server.port)?.deploy(&mut client, &mut Samples::default())?;
    server.stop()?;

    let deployments = bench.effort.of(DEPLOYMENTS, 100);
    run(Command::new(bench.tools.join("python"))
        .arg(crate::repository().join("tests/conformance/bulk.py"))
        .arg(data.join("longshore.db"))
        .args(["--applications", &APPLICATIONS.to_string()])
        .args(["--deployments", &deployments.to_string()])
        .args(["--targets", &TARGETS.to_string()]))?;

    let server = Serving::start(&bench.program, "server", &data)?;
    let mut client = Client::new(server.port, root_credentials(&data)?);
    let hosts = bench.effort.of(FLEET, 100);
    let deployment = deploy_to_fleet(&mut client, server.port, hosts)?;
    set_alarms(&mut client)?;
    let mut visitor = Visitor::sign_in(client)?;
    let reads = bench.effort.of(READS, 10);
    let note = format!(
        "SQLite with {APPLICATIONS} applications, {deployments} deployments of {TARGETS} targets and one of {hosts}, {hosts} \
         registered hosts, {ALARMS} alarms; {reads} requests one after the other, from the request to the last byte of its \
         answer"
    );
    let mut rows = Vec::new();
    for (name, place) in pages(&deployment, hosts) {
        rows.push(visitor.measure(&name, &place, reads)?.aim("≤ 50 ms").note(&note));
    }
    server.stop()?;
    Ok(rows)
}

/// Registers hosts, and deploys to all of them; the deployment's id.
fn deploy_to_fleet(client: &mut Client, port: u16, hosts: usize) -> anyhow::Result<String> {
    fleet::make_role(client)?;
    let hosts = fleet::register(port, &client.credentials, 0..hosts, true)?;
    make_group(
        client,
        "Fleet",
        &json!({"onPremisesInstanceTagFilters": [{"Key": "CDG", "Value": "Fleet", "Type": "KEY_AND_VALUE"}]}),
    )?;
    let agents = Agents::start(port, hosts)?;
    let deployment =
        create_deployment(client, "Fleet", &revision(), "CodeDeployDefault.AllAtOnce")?;
    wait_for_success(client, &deployment)?;
    agents.stop()?;
    Ok(deployment["deploymentId"].as_str().context("a deployment has an id")?.to_owned())
}

/// A revision that nobody fetches.
fn revision() -> Value {
    json!({"revisionType": "S3", "s3Location": {"bucket": "bench", "key": "v1", "bundleType": "zip"}})
}

fn set_alarms(client: &mut Client) -> anyhow::Result<()> {
    for number in 0..ALARMS {
        let settings = "ComparisonOperator=GreaterThanThreshold&EvaluationPeriods=1&MetricName=errors&Namespace=bench\
                        &Period=60&Statistic=Sum&Threshold=1";
        let call = format!("Action=PutMetricAlarm&Version=2010-08-01&AlarmName=alarm-{number}");
        client.form("monitoring", &format!("{call}&{settings}"))?;
    }
    Ok(())
}

/// The pages by what they are called here, with their places below `/-/console`.
fn pages(deployment: &str, hosts: usize) -> Vec<(String, String)> {
    let of_fleet = format!("/deployments/{deployment}");
    let named = |name: &str, place: &str| (name.to_owned(), place.to_owned());
    vec![
        named("overview", ""),
        named("applications", "/applications"),
        named("application", "/applications/bulk-1"),
        named("revisions", "/applications/bulk-1/revisions"),
        named("group of ten deployments", "/applications/bulk-1/groups/bulk"),
        (format!("group of {hosts} hosts"), "/applications/Fleet/groups/Hosts".to_owned()),
        named("deployments", "/deployments"),
        named("deployments that failed", "/deployments?status=Failed"),
        (format!("deployment to {hosts} hosts"), of_fleet.clone()),
        named("the same, last page of hosts", &format!("{of_fleet}?from={}", hosts - 100)),
        named("target", &format!("{of_fleet}/targets/host-00001")),
        named("instances", "/instances"),
        named("instances with a tag", "/instances?find=Fleet"),
        named("configurations", "/configurations"),
        named("alarms", "/alarms"),
        named("topics", "/topics"),
        named("audit trail", "/audit"),
        named("form for a deployment", "/deployments/new?application=Fleet"),
        (
            format!("plan of a deployment to {hosts} hosts"),
            format!(
                "/deployments/plan?application=Fleet&group=Hosts&revision={}",
                encoded(&revision().to_string())
            ),
        ),
    ]
}

/// Somebody who is signed in to the console.
struct Visitor {
    client: Client,
    cookie: String,
}

impl Visitor {
    fn sign_in(mut client: Client) -> anyhow::Result<Self> {
        let form = format!(
            "access-key={}&secret={}",
            encoded(&client.credentials.access_key),
            encoded(&client.credentials.secret_key)
        );
        let endpoint = client.endpoint();
        let host = endpoint.trim_start_matches("http://");
        let request = format!(
            "POST /-/console/sign-in HTTP/1.1\r\nHost: {host}\r\nOrigin: {endpoint}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            form.len()
        );
        let answer = client.exchange(request.as_bytes())?;
        let cookie = answer.cookie.with_context(|| {
            format!("the console answers {} to the sign-in, without a session", answer.status)
        })?;
        Ok(Self { client, cookie })
    }

    fn measure(&mut self, name: &str, place: &str, reads: usize) -> anyhow::Result<Row> {
        let (mut times, mut length) = (Vec::new(), 0);
        for _ in 0..reads {
            let begun = Instant::now();
            let answer = self.get(place)?;
            times.push(begun.elapsed());
            if answer.status != 200 {
                bail!("the page {place} answers {}", answer.status);
            }
            length = answer.body.len();
        }
        Ok(row(name, &Samples::of(times), length))
    }

    fn get(&mut self, place: &str) -> anyhow::Result<Answer> {
        let endpoint = self.client.endpoint();
        let host = endpoint.trim_start_matches("http://");
        let request = format!(
            "GET /-/console{place} HTTP/1.1\r\nHost: {host}\r\nCookie: {}\r\n\r\n",
            self.cookie
        );
        self.client.exchange(request.as_bytes())
    }
}

fn row(name: &str, times: &Samples, bytes: usize) -> Row {
    let (median, most): (Duration, Duration) = (times.percentile(50), times.percentile(99));
    Row::new(
        format!("page: {name}"),
        format!("{} (99 %: {}), {} KiB", shown(median), shown(most), bytes.div_ceil(1024)),
    )
}

/// A value of a form.
fn encoded(value: &str) -> String {
    let mut text = String::new();
    for byte in value.bytes() {
        match byte.is_ascii_alphanumeric() {
            true => text.push(char::from(byte)),
            false => {
                let _ = write!(text, "%{byte:02X}");
            }
        }
    }
    text
}
