//! A whole deployment by an agent that polls a server, of seven events with scripts that do nothing.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::{Value, json};

use super::super::client::Client;
use super::super::deployments::{HOST_ARN, create_deployment, make_host, wait_for_success};
use super::super::report::Row;
use super::super::samples::{Samples, shown};
use super::super::{Bench, root_credentials};
use super::configure;
use super::idle::Running;
use crate::process::output;
use crate::serving::Serving;

const RUNS: usize = 15;
/// All that a deployment to a host in place has. Source: user guide.
const EVENTS: usize = 7;
const HOOKS: [&str; 5] =
    ["ApplicationStop", "BeforeInstall", "AfterInstall", "ApplicationStart", "ValidateService"];

pub fn measure(bench: &Bench, agent: &Path, home: &Path) -> anyhow::Result<Row> {
    let data = bench.data_dir("agent-events");
    let server = Serving::start(&bench.program, "server", &data)?;
    let mut client = Client::new(server.port, root_credentials(&data)?);
    let keys = make_host(&mut client)?;
    client.form(
        "iam",
        "Action=AttachUserPolicy&Version=2010-05-08&UserName=bench-host&PolicyArn=arn%3Aaws%3Aiam%3A%3Aaws%3Apolicy%2F\
         service-role%2FAmazonEC2RoleforAWSCodeDeploy",
    )?;
    let home = home.join("events");
    fs::create_dir_all(&home)?;
    fs::write(
        home.join("onprem.yml"),
        format!(
            "region: us-east-1\niam_user_arn: {HOST_ARN}\naws_access_key_id: {}\naws_secret_access_key: {}\n",
            keys.access_key, keys.secret_key
        ),
    )?;
    fs::write(home.join("signer.pem"), get(server.port, "/-/signer.pem")?)?;
    let endpoint = server.endpoint();
    let config = configure(
        &home,
        &format!(
            ":deploy_control_endpoint: '{endpoint}'\n:s3_endpoint_override: '{endpoint}'\n:wait_between_runs: 0\n\
             :signer_certificate_file: '{}'\n",
            home.join("signer.pem").display()
        ),
    )?;
    let bundle = bundle(&home)?;
    output(bench.aws(&client).args(["s3api", "create-bucket", "--bucket", "bench"]))?;
    output(
        bench
            .aws(&client)
            .args(["s3api", "put-object", "--bucket", "bench", "--key", "hooks", "--body"])
            .arg(&bundle),
    )?;
    let running = Running::start(agent, &config)?;
    let (mut inside, mut whole) = (Samples::default(), Samples::default());
    for _ in 0..RUNS {
        let begun = Instant::now();
        let revision = json!({"revisionType": "S3", "s3Location": {"bucket": "bench", "key": "hooks", "bundleType": "tgz"}});
        let deployment =
            create_deployment(&mut client, "Demo", &revision, "CodeDeployDefault.AllAtOnce")?;
        wait_for_success(&mut client, &deployment)?;
        whole.push(begun.elapsed());
        inside.push(in_events(&mut client, &deployment)?);
    }
    drop(running);
    server.stop()?;
    Ok(Row::new("agent: seven events with `/bin/true` hooks", shown(inside.percentile(50)))
        .aim("≤ 100 ms of agent time in all")
        .note(format!(
            "from each command's hand-over to its report, added up; median of {RUNS} deployments, server on loopback, five of the \
             events with a script; `create-deployment` to Succeeded: {}, looked at every 10 ms; near: waiting for the disk",
            shown(whole.percentile(50))
        )))
}

/// From the hand-over of each event's command to its report, added up: the agent's time, its calls of the server included.
fn in_events(client: &mut Client, deployment: &Value) -> anyhow::Result<Duration> {
    let of = json!({"deploymentId": deployment["deploymentId"], "targetId": "bench-host"});
    let found = client.codedeploy("GetDeploymentTarget", &of)?;
    let events = found["deploymentTarget"]["instanceTarget"]["lifecycleEvents"]
        .as_array()
        .context("the target has no events")?;
    if events.len() != EVENTS {
        bail!("{} events instead of {EVENTS}", events.len());
    }
    let seconds = events.iter().map(|event| {
        let at = |name: &str| event[name].as_f64().with_context(|| format!("no {name}: {event}"));
        Ok(at("endTime")? - at("startTime")?)
    });
    Ok(Duration::from_secs_f64(seconds.sum::<anyhow::Result<f64>>()?.max(0.0)))
}

/// What the server has at a path that anybody may read.
fn get(port: u16, path: &str) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("no answer")?;
    if !head.starts_with("HTTP/1.1 200") {
        bail!("{path}: {head}");
    }
    Ok(body.to_owned())
}

/// One file, and a script for each event that may have one.
fn bundle(home: &Path) -> anyhow::Result<PathBuf> {
    let source = home.join("hooks");
    fs::create_dir_all(source.join("files"))?;
    let hooks: String =
        HOOKS.iter().map(|event| format!("  {event}:\n    - location: files/hook\n")).collect();
    let appspec = format!(
        "version: 0.0\nos: linux\nfiles:\n  - source: files\n    destination: {}\nhooks:\n{hooks}",
        home.join("installed").display()
    );
    fs::write(source.join("appspec.yml"), appspec)?;
    fs::write(source.join("files/hook"), "#!/bin/true\n")?;
    fs::set_permissions(source.join("files/hook"), fs::Permissions::from_mode(0o755))?;
    let archive = home.join("hooks.tgz");
    output(Command::new("tar").arg("-C").arg(&source).arg("-czf").arg(&archive).arg("."))?;
    Ok(archive)
}
