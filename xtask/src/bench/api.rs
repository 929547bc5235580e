//! CodeDeploy's API under load: on SQLite and on PostgreSQL, both with durable writes, and beside an emulator.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use wire::sigv4::Credentials;

use super::client::{Client, REGION};
use super::emulator::Emulator;
use super::load::{CONNECTIONS, Load, OPEN_CONNECTIONS};
use super::report::Row;
use super::samples::shown;
use super::{Bench, root_credentials};
use crate::postgres::{Commits, Postgres};
use crate::serving::Serving;

/// How long each load lasts.
const LOAD_TIME: Duration = Duration::from_secs(5);
/// How long 99 of 100 requests may take at half the wanted rate, on SQLite.
const P99_AIM: Duration = Duration::from_millis(20);
/// By how much PostgreSQL may fall behind SQLite, in rates and in times: each transaction is a conversation.
const POSTGRES_FACTOR: u32 = 3;
/// Applications made in one region before the next: fewer than its quota.
const APPLICATIONS_PER_REGION: u64 = 900;

/// One operation to measure.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    List,
    Get,
    Create,
}

impl Operation {
    const ALL: [Self; 3] = [Self::List, Self::Get, Self::Create];

    fn name(self) -> &'static str {
        match self {
            Self::List => "ListApplications",
            Self::Get => "GetDeployment",
            Self::Create => "CreateApplication",
        }
    }

    /// Requests per second that we want on this machine with SQLite.
    fn aim(self) -> Option<u64> {
        match self {
            Self::List => None,
            Self::Get => Some(5_000),
            Self::Create => Some(1_000),
        }
    }
}

pub fn measure(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let time = bench.effort.of(LOAD_TIME, Duration::from_secs(1));
    let data = bench.data_dir("api");
    let server = Serving::start(&bench.program, "server", &data)?;
    let sqlite = Subject::prepare(server.port, root_credentials(&data)?, time)?;
    let ours = sqlite.rates()?;
    let mut latencies = latency_rows(&sqlite, "SQLite", P99_AIM)?;
    server.stop()?;

    let postgres = Postgres::start(Commits::Durable)?;
    let data = bench.data_dir("api-postgres");
    let arguments = ["--database-url", postgres.url.as_str()];
    let mut server = Serving::spawn_with(&bench.program, "server", &data, &arguments)?;
    server.wait_ready()?;
    let subject = Subject::prepare(server.port, root_credentials(&data)?, time)?;
    let on_postgres = subject.rates()?;
    latencies.extend(latency_rows(&subject, "PostgreSQL", P99_AIM * POSTGRES_FACTOR)?);
    server.stop()?;
    drop(postgres);

    let emulator = Emulator::start(&bench.home)?;
    let keys = Credentials::new("AKIAIOSFODNN7EXAMPLE", "any", None);
    let theirs = Subject::prepare(emulator.port, keys, time)?.rates()?;
    drop(emulator);

    let mut rows = Vec::new();
    for (at, operation) in Operation::ALL.into_iter().enumerate() {
        rows.extend(rate_rows(operation, time, [ours[at], on_postgres[at], theirs[at]]));
    }
    rows.extend(latencies);
    Ok(rows)
}

fn rate_rows(
    operation: Operation,
    time: Duration,
    [ours, on_postgres, theirs]: [f64; 3],
) -> [Row; 2] {
    let conditions = format!(
        "{CONNECTIONS} kept-alive connections for {} s, every request signed and verified, every write on the disk \
         before its answer; the load shares the cores",
        time.as_secs()
    );
    let aim = operation.aim().map_or(String::new(), |aim| format!("aim ≥ {aim}/s; "));
    [
        Row::new(format!("{}, SQLite", operation.name()), format!("{ours:.0} requests/s"))
            .beside(format!(
                "{aim}moto_server: {theirs:.0} requests/s, {:.0} times less (it verifies no signature and keeps nothing)",
                ours / theirs
            ))
            .note(conditions.clone()),
        Row::new(format!("{}, PostgreSQL", operation.name()), format!("{on_postgres:.0} requests/s"))
            .beside(format!("SQLite: {:.1} times as many; aim ≤ {POSTGRES_FACTOR}", ours / on_postgres))
            .note(conditions),
    ]
}

/// How long answers take at half the rates that are wanted.
fn latency_rows(subject: &Subject, database: &str, aim_p99: Duration) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for operation in Operation::ALL {
        let Some(aim) = operation.aim() else { continue };
        let rate = aim / 2;
        let times = subject.load(operation).latencies(rate)?;
        rows.push(
            Row::new(
                format!("{} at {rate}/s, {database}", operation.name()),
                format!(
                    "{} (99 %: {})",
                    shown(times.percentile(50)),
                    shown(times.percentile(99))
                ),
            )
            .aim(&format!("99 % < {} ms", aim_p99.as_millis()))
            .note(format!(
                "open loop over {OPEN_CONNECTIONS} connections for {} s, from when a request was due to its answer",
                subject.time.as_secs()
            )),
        );
    }
    Ok(rows)
}

/// A server with ten applications and a deployment.
struct Subject {
    port: u16,
    credentials: Credentials,
    /// How long each load on it lasts.
    time: Duration,
    deployment: Value,
    applications: AtomicU64,
}

impl Subject {
    fn prepare(port: u16, credentials: Credentials, time: Duration) -> anyhow::Result<Self> {
        let mut client = Client::new(port, credentials.clone());
        for number in 0..10 {
            client.codedeploy(
                "CreateApplication",
                &json!({"applicationName": format!("app-{number}")}),
            )?;
        }
        client.codedeploy(
            "CreateDeploymentGroup",
            &json!({"applicationName": "app-0", "deploymentGroupName": "group",
                    "serviceRoleArn": "arn:aws:iam::123456789012:role/CodeDeploy"}),
        )?;
        let made = client.codedeploy(
            "CreateDeployment",
            &json!({"applicationName": "app-0", "deploymentGroupName": "group", "revision": {"revisionType": "S3",
                    "s3Location": {"bucket": "bucket", "key": "key", "bundleType": "zip"}}}),
        )?;
        let deployment = json!({"deploymentId": made["deploymentId"]});
        Ok(Self { port, credentials, time, deployment, applications: AtomicU64::new(0) })
    }

    fn rates(&self) -> anyhow::Result<Vec<f64>> {
        Operation::ALL.into_iter().map(|operation| self.load(operation).rate()).collect()
    }

    fn load(&self, operation: Operation) -> Load<'_> {
        Load {
            port: self.port,
            credentials: &self.credentials,
            operation: operation.name(),
            time: self.time,
            request: Box::new(move || self.request(operation)),
        }
    }

    /// The region and the input of one request.
    fn request(&self, operation: Operation) -> (String, Value) {
        match operation {
            Operation::List => (REGION.to_owned(), json!({})),
            Operation::Get => (REGION.to_owned(), self.deployment.clone()),
            Operation::Create => {
                let number = self.applications.fetch_add(1, Ordering::Relaxed);
                let region = format!("load-{}", number / APPLICATIONS_PER_REGION);
                (region, json!({"applicationName": format!("load-{number}")}))
            }
        }
    }
}
