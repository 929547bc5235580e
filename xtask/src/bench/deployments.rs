//! Instances, whole deployments, and the hand-off from one lifecycle event to the next.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::{Value, json};
use wire::sigv4::Credentials;

use super::client::{Client, texts};
use super::report::Row;
use super::samples::{Samples, shown};
use super::{Bench, memory, root_credentials};
use crate::process::output;
use crate::serving::Serving;

/// How often a state is looked at; the times are exact to this.
const LOOK_EVERY: Duration = Duration::from_millis(10);
const WAIT_MAX: Duration = Duration::from_secs(60);

/// The deployments whose hand-offs are measured, of 7 lifecycle events each.
const HAND_OFF_DEPLOYMENTS: usize = 30;

const FLEET: usize = 3;

/// Ten instances; a deployment of the demo application to three; the memory of an idle agent.
pub fn measure_fleet(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let data = bench.data_dir("fleet");
    let server = Serving::start(&bench.program, "dev", &data)?;
    let mut client = Client::new(server.port, root_credentials(&data)?);
    let role = "AssumeRolePolicyDocument=%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A\
                %22Allow%22%2C%22Action%22%3A%22sts%3AAssumeRole%22%2C%22Principal%22%3A%7B%22Service%22%3A%22\
                ec2.amazonaws.com%22%7D%7D%5D%7D";
    for form in [
        format!("Action=CreateRole&RoleName=Host&{role}"),
        "Action=AttachRolePolicy&RoleName=Host&PolicyArn=arn%3Aaws%3Aiam%3A%3Aaws%3Apolicy%2Fservice-role%2F\
         AmazonEC2RoleforAWSCodeDeploy"
            .to_owned(),
        "Action=CreateInstanceProfile&InstanceProfileName=Host".to_owned(),
        "Action=AddRoleToInstanceProfile&InstanceProfileName=Host&RoleName=Host".to_owned(),
    ] {
        client.form("iam", &format!("{form}&Version=2010-05-08"))?;
    }

    let begun = Instant::now();
    let instances = run_instances(&mut client, 10)?;
    let ten = begun.elapsed();

    // Only three stay: the other seven agents would compete with the deployment for the processor.
    let (fleet, others) = instances.split_at(FLEET);
    ec2(&mut client, "TerminateInstances", &numbered("InstanceId", others))?;
    ec2(
        &mut client,
        "CreateTags",
        &format!("{}&Tag.1.Key=CDG&Tag.1.Value=Demo", numbered("ResourceId", fleet)),
    )?;
    make_group(
        &mut client,
        "Demo",
        &json!({"ec2TagFilters": [{"Key": "CDG", "Value": "Demo", "Type": "KEY_AND_VALUE"}]}),
    )?;
    push_demo_app(bench, &client)?;
    let revision = json!({"revisionType": "S3", "s3Location": {"bucket": "bench", "key": "v1", "bundleType": "zip"}});
    let mut rows = vec![
        Row::new("10 instances: run-instances to running", shown(ten))
            .aim("< 3 s")
            .note("image with the agent"),
    ];
    for (what, config) in [
        ("demo application to 3 hosts, one at a time", "CodeDeployDefault.OneAtATime"),
        ("demo application to 3 hosts, all at once", "CodeDeployDefault.AllAtOnce"),
    ] {
        let mut times = Samples::default();
        for _ in 0..3 {
            times.push(deploy_and_wait(&mut client, "Demo", &revision, config)?);
        }
        rows.push(Row::new(what, shown(times.percentile(50))).note(format!(
            "create-deployment to Succeeded, median of {}; 7 events a host",
            times.count()
        )));
    }
    std::thread::sleep(Duration::from_secs(3));
    let agents = memory::inside_instances("longshore-agent", &data);
    let sizes =
        agents.iter().map(|pid| memory::resident_kib(*pid)).collect::<anyhow::Result<Vec<_>>>()?;
    let largest = sizes.iter().max().context("no agent runs")?;
    rows.push(
        Row::new("resident memory of an idle agent", memory::shown(*largest))
            .aim("≤ 8 MiB")
            .note(format!("the largest of {} processes, after 6 deployments", sizes.len())),
    );
    server.stop()?;
    Ok(rows)
}

fn run_instances(client: &mut Client, count: usize) -> anyhow::Result<Vec<String>> {
    let options = format!("MinCount={count}&MaxCount={count}&IamInstanceProfile.Name=Host");
    let answer = ec2(client, "RunInstances", &options)?;
    let instances: Vec<String> =
        texts(&answer, "instanceId").into_iter().map(String::from).collect();
    wait_until("the instances run", || {
        let answer = ec2(client, "DescribeInstances", &numbered("InstanceId", &instances))?;
        Ok(texts(&answer, "name").iter().filter(|state| **state == "running").count() == count)
    })?;
    Ok(instances)
}

fn ec2(client: &mut Client, action: &str, options: &str) -> anyhow::Result<String> {
    client.form("ec2", &format!("Action={action}&Version=2016-11-15&{options}"))
}

fn numbered(name: &str, values: &[String]) -> String {
    let numbered: Vec<String> = values
        .iter()
        .enumerate()
        .map(|(index, value)| format!("{name}.{}={value}", index + 1))
        .collect();
    numbered.join("&")
}

fn push_demo_app(bench: &Bench, client: &Client) -> anyhow::Result<()> {
    output(bench.aws(client).args(["s3api", "create-bucket", "--bucket", "bench"]))?;
    output(
        bench
            .aws(client)
            .args([
                "deploy",
                "push",
                "--application-name",
                "Demo",
                "--s3-location",
                "s3://bench/v1",
                "--source",
            ])
            .arg(crate::repository().join("examples/demo-app")),
    )?;
    Ok(())
}

/// An application with a group `Hosts`, which has these further settings.
pub fn make_group(client: &mut Client, application: &str, settings: &Value) -> anyhow::Result<()> {
    client.codedeploy("CreateApplication", &json!({"applicationName": application}))?;
    let mut group = json!({
        "applicationName": application,
        "deploymentGroupName": "Hosts",
        "serviceRoleArn": "arn:aws:iam::123456789012:role/CodeDeploy",
    });
    if let (Some(group), Some(settings)) = (group.as_object_mut(), settings.as_object()) {
        group.extend(settings.clone());
    }
    client.codedeploy("CreateDeploymentGroup", &group)?;
    Ok(())
}

pub fn create_deployment(
    client: &mut Client,
    application: &str,
    revision: &Value,
    config: &str,
) -> anyhow::Result<Value> {
    let made = client.codedeploy(
        "CreateDeployment",
        &json!({"applicationName": application, "deploymentGroupName": "Hosts", "revision": revision,
                "deploymentConfigName": config}),
    )?;
    Ok(json!({"deploymentId": made["deploymentId"]}))
}

fn deploy_and_wait(
    client: &mut Client,
    application: &str,
    revision: &Value,
    config: &str,
) -> anyhow::Result<Duration> {
    let begun = Instant::now();
    let deployment = create_deployment(client, application, revision, config)?;
    wait_for_success(client, &deployment)?;
    Ok(begun.elapsed())
}

/// Waits until a deployment has succeeded.
pub fn wait_for_success(client: &mut Client, deployment: &Value) -> anyhow::Result<()> {
    wait_until("the deployment ends", || {
        let found = client.codedeploy("GetDeployment", deployment)?;
        let info = &found["deploymentInfo"];
        match info["status"].as_str() {
            Some("Succeeded") => Ok(true),
            Some("Failed" | "Stopped") => bail!("the deployment did not succeed: {info}"),
            _ => Ok(false),
        }
    })
}

fn wait_until(
    what: &str,
    mut condition: impl FnMut() -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    let begun = Instant::now();
    while !condition()? {
        if begun.elapsed() > WAIT_MAX {
            bail!("not within {} s: {what}", WAIT_MAX.as_secs());
        }
        std::thread::sleep(LOOK_EVERY);
    }
    Ok(())
}

/// From an agent's report of one lifecycle event until it has received the command of the next.
///
/// The agent is a registered host's, played by this process: it says at once that it did what it was told.
pub fn measure_hand_off(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let data = bench.data_dir("hand-off");
    let server = Serving::start(&bench.program, "server", &data)?;
    let mut client = Client::new(server.port, root_credentials(&data)?);
    let mut host = PlayedHost::prepare(&mut client, server.port)?;
    let mut times = Samples::default();
    for _ in 0..HAND_OFF_DEPLOYMENTS {
        host.deploy(&mut client, &mut times)?;
    }
    server.stop()?;
    Ok(vec![
        Row::new(
            "hand-off between lifecycle events",
            format!("{} (95 %: {})", shown(times.percentile(50)), shown(times.percentile(95))),
        )
        .aim("< 20 ms")
        .note(format!(
            "report sent to next command received, median of {}, loopback, SQLite",
            times.count()
        )),
    ])
}

/// A registered host whose agent is this process, alone in the group `Hosts` of the application `Demo`.
pub struct PlayedHost {
    agent: Client,
}

/// Who [`make_host`]'s host is.
pub const HOST_ARN: &str = "arn:aws:iam::123456789012:user/AWS/CodeDeploy/bench-host";

impl PlayedHost {
    pub fn prepare(client: &mut Client, port: u16) -> anyhow::Result<Self> {
        let agent = Client::new(port, make_host(client)?);
        Ok(Self { agent })
    }

    /// One deployment to it, with the times of its hand-offs.
    pub fn deploy(&mut self, client: &mut Client, times: &mut Samples) -> anyhow::Result<()> {
        let revision = json!({"revisionType": "S3", "s3Location": {"bucket": "bench", "key": "v1", "bundleType": "zip"}});
        let deployment =
            create_deployment(client, "Demo", &revision, "CodeDeployDefault.AllAtOnce")?;
        play_agent(&mut self.agent, HOST_ARN, times)?;
        wait_for_success(client, &deployment)
    }
}

/// Registers an on-premises instance for a user made for it, alone in the group `Hosts` of the application `Demo`; returns the user's
/// credentials.
pub fn make_host(client: &mut Client) -> anyhow::Result<Credentials> {
    client.form(
        "iam",
        "Action=CreateUser&Version=2010-05-08&UserName=bench-host&Path=%2FAWS%2FCodeDeploy%2F",
    )?;
    let key =
        client.form("iam", "Action=CreateAccessKey&Version=2010-05-08&UserName=bench-host")?;
    let first =
        |element| texts(&key, element).first().copied().context("the access key is incomplete");
    let credentials = Credentials::new(first("AccessKeyId")?, first("SecretAccessKey")?, None);
    client.codedeploy(
        "RegisterOnPremisesInstance",
        &json!({"instanceName": "bench-host", "iamUserArn": HOST_ARN}),
    )?;
    client.codedeploy(
        "AddTagsToOnPremisesInstances",
        &json!({"instanceNames": ["bench-host"], "tags": [{"Key": "CDG", "Value": "Demo"}]}),
    )?;
    make_group(
        client,
        "Demo",
        &json!({"onPremisesInstanceTagFilters": [{"Key": "CDG", "Value": "Demo", "Type": "KEY_AND_VALUE"}]}),
    )?;
    Ok(credentials)
}

/// Does every command of one deployment, the last of which is `ValidateService`.
fn play_agent(agent: &mut Client, host: &str, times: &mut Samples) -> anyhow::Result<()> {
    let mut reported: Option<Instant> = None;
    loop {
        let polled = agent.command("PollHostCommand", &json!({"HostIdentifier": host}))?;
        let command = &polled["HostCommand"];
        if command.is_null() {
            continue;
        }
        if let Some(reported) = reported {
            times.push(reported.elapsed());
        }
        let id = &command["HostCommandIdentifier"];
        agent.command("PutHostCommandAcknowledgement", &json!({"HostCommandIdentifier": id}))?;
        reported = Some(Instant::now());
        let payload =
            json!({"error_code": 0, "script_name": "", "message": "Succeeded", "log": ""})
                .to_string();
        agent.command(
            "PutHostCommandComplete",
            &json!({"HostCommandIdentifier": id, "CommandStatus": "Succeeded",
                    "Diagnostics": {"Format": "JSON", "Payload": payload}}),
        )?;
        if command["CommandName"] == "ValidateService" {
            return Ok(());
        }
    }
}
