//! Requests per second, beside an emulator of the same API.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::{Value, json};
use wire::sigv4::Credentials;

use super::client::Client;
use super::report::Row;
use super::{Bench, root_credentials};
use crate::postgres::free_port;
use crate::serving::Serving;
use crate::setup::install_python;

const CONNECTIONS: usize = 8;
const LOAD_TIME: Duration = Duration::from_secs(4);
const EMULATOR_START_SECONDS_MAX: u64 = 30;

pub fn measure(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let data = bench.data_dir("load");
    let server = Serving::start(&bench.program, "server", &data)?;
    let ours = both_rates(server.port, &root_credentials(&data)?)?;
    server.stop()?;
    let emulator = Emulator::start(&bench.home)?;
    let theirs = both_rates(emulator.port, &Credentials::new("AKIAIOSFODNN7EXAMPLE", "any", None))?;
    drop(emulator);

    let conditions = format!(
        "{CONNECTIONS} kept-alive connections for {} s, every request signed and verified; the load shares the cores",
        LOAD_TIME.as_secs()
    );
    let row = |what, ours: f64, theirs: f64| {
        Row::new(what, format!("{ours:.0} requests/s"))
            .beside(format!("moto_server: {theirs:.0} requests/s (it verifies no signature)"))
            .note(conditions.clone())
    };
    Ok(vec![row("ListApplications", ours.0, theirs.0), row("GetDeployment", ours.1, theirs.1)])
}

/// The rates of `ListApplications` (ten of them) and of `GetDeployment`, in requests per second.
fn both_rates(port: u16, credentials: &Credentials) -> anyhow::Result<(f64, f64)> {
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
    Ok((
        rate(port, credentials, "ListApplications", &json!({}))?,
        rate(port, credentials, "GetDeployment", &deployment)?,
    ))
}

/// Calls one operation over and over on several connections. Any error fails the measurement.
fn rate(
    port: u16,
    credentials: &Credentials,
    operation: &str,
    input: &Value,
) -> anyhow::Result<f64> {
    let (over, count) = (AtomicBool::new(false), AtomicU64::new(0));
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let callers: Vec<_> = (0..CONNECTIONS)
            .map(|_| {
                scope.spawn(|| -> anyhow::Result<()> {
                    let mut client = Client::new(port, credentials.clone());
                    while !over.load(Ordering::Relaxed) {
                        client.codedeploy(operation, input)?;
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                    Ok(())
                })
            })
            .collect();
        std::thread::sleep(LOAD_TIME);
        over.store(true, Ordering::Relaxed);
        callers.into_iter().try_for_each(|caller| match caller.join() {
            Ok(result) => result,
            Err(_) => bail!("a caller panicked"),
        })
    })?;
    Ok(count.into_inner() as f64 / begun.elapsed().as_secs_f64())
}

/// moto's server, installed for this measurement only.
struct Emulator {
    process: Child,
    port: u16,
}

impl Emulator {
    fn start(home: &Path) -> anyhow::Result<Self> {
        let environment = crate::own_directory().join("bench-venv");
        install_python(&environment, &crate::repository().join("xtask/bench-requirements.txt"))?;
        let port = free_port()?;
        let process = Command::new("setpriv")
            .args(["--pdeathsig", "TERM", "--"])
            .arg(environment.join("bin/moto_server"))
            .args(["--host", "127.0.0.1", "--port", &port.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(home.join("emulator.log"))?)
            .spawn()
            .context("moto_server cannot be started")?;
        let started = Self { process, port };
        let begun = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            if begun.elapsed().as_secs() > EMULATOR_START_SECONDS_MAX {
                bail!("moto_server does not listen after {EMULATOR_START_SECONDS_MAX} s");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(started)
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
