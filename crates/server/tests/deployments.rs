//! Deployments from the call that makes them to their end, with hosts that pretend.

mod support;

use std::time::{Duration, Instant};

use serde_json::json;
use support::host::{Diary, Host, Outcome};
use support::{TestServer, deploy, deployment, finished, make_shop, target};

const EVENTS: [&str; 7] = [
    "ApplicationStop",
    "DownloadBundle",
    "BeforeInstall",
    "Install",
    "AfterInstall",
    "ApplicationStart",
    "ValidateService",
];

const ONE_AT_A_TIME: &str = "CodeDeployDefault.OneAtATime";
const ALL_AT_ONCE: &str = "CodeDeployDefault.AllAtOnce";

async fn fleet(server: &TestServer, count: usize) -> Vec<Host> {
    let mut hosts = Vec::new();
    for number in 1..=count {
        hosts.push(Host::register(server, &format!("web-{number}")).await);
    }
    hosts
}

fn entries(diary: &Diary) -> Vec<String> {
    diary.lock().unwrap().clone()
}

#[tokio::test]
async fn three_hosts_are_deployed_to_one_after_the_other() {
    let server = TestServer::start().await;
    let client = server.client();
    make_shop(&client, ONE_AT_A_TIME).await;
    let diary = Diary::default();
    for host in fleet(&server, 3).await {
        host.work(&diary, |_| Outcome::Succeed);
    }
    let id = deploy(&client, "v1.zip").await;
    let info = finished(&client, &id).await;

    assert_eq!(info["status"], "Succeeded", "{info}");
    assert_eq!(info["deploymentOverview"]["Succeeded"], 3);
    assert_eq!(info["creator"], "user");
    assert!(info["startTime"].is_number() && info["completeTime"].is_number());
    // Each host's events are in order, and no host begins before the one before it has ended.
    let diary = entries(&diary);
    assert_eq!(diary.len(), 21);
    for host in diary.chunks(7) {
        let name = host[0].split_once(' ').unwrap().0;
        let expected: Vec<_> = EVENTS.map(|event| format!("{name} {event}")).into();
        assert_eq!(host, expected);
    }
    let shown = target(&client, &id, "web-1").await;
    assert_eq!(shown["status"], "Succeeded");
    assert_eq!(shown["lifecycleEvents"][3]["lifecycleEventName"], "Install");
    assert_eq!(shown["lifecycleEvents"][3]["diagnostics"]["errorCode"], "Success");
    let input = json!({"applicationName": "Shop", "deploymentGroupName": "Prod"});
    let group = client.ok("GetDeploymentGroup", input).await["deploymentGroupInfo"].clone();
    assert_eq!(group["lastSuccessfulDeployment"]["deploymentId"], id.as_str());
    assert_eq!(group["targetRevision"]["s3Location"]["key"], "v1.zip");
}

#[tokio::test]
async fn a_failing_host_stops_the_rollout() {
    let server = TestServer::start().await;
    let client = server.client();
    make_shop(&client, ONE_AT_A_TIME).await;
    let diary = Diary::default();
    for host in fleet(&server, 3).await {
        host.work(&diary, |event| match event {
            "ValidateService" => {
                Outcome::Fail("Script at specified location: check.sh failed with exit code 1")
            }
            _ => Outcome::Succeed,
        });
    }
    let id = deploy(&client, "v1.zip").await;
    let info = finished(&client, &id).await;

    assert_eq!(info["status"], "Failed");
    assert_eq!(info["errorInformation"]["code"], "HEALTH_CONSTRAINTS");
    assert_eq!(info["deploymentOverview"]["Failed"], 1);
    assert_eq!(info["deploymentOverview"]["Skipped"], 2);
    let diary = entries(&diary);
    assert_eq!(diary.len(), 7, "only one host was touched: {diary:?}");
    let name = diary[0].split_once(' ').unwrap().0;
    let shown = target(&client, &id, name).await;
    let last = &shown["lifecycleEvents"][6];
    assert_eq!(last["status"], "Failed");
    assert_eq!(last["diagnostics"]["errorCode"], "ScriptFailed");
    assert_eq!(last["diagnostics"]["scriptName"], "check.sh");
    assert_eq!(last["diagnostics"]["logTail"], "[stderr]no");
}

#[tokio::test]
async fn a_stop_lets_the_running_event_end_and_starts_nothing_more() {
    let server = TestServer::start().await;
    let client = server.client();
    make_shop(&client, ALL_AT_ONCE).await;
    let host = &fleet(&server, 1).await[0];
    let id = deploy(&client, "v1.zip").await;
    let command = host.poll().await.unwrap().expect("the first command");
    assert_eq!(host.acknowledge(&command).await.unwrap(), "InProgress");

    let input = json!({"applicationName": "Shop", "deploymentGroupName": "Prod", "revision": support::revision("v2")});
    assert_eq!(client.refused("CreateDeployment", input).await, "DeploymentLimitExceeded");
    let stopped = client.ok("StopDeployment", json!({"deploymentId": id})).await;
    assert_eq!(stopped["status"], "Pending");
    assert_eq!(deployment(&client, &id).await["status"], "InProgress");
    assert_eq!(host.complete(&command, &Outcome::Succeed).await.unwrap(), 200);

    let info = finished(&client, &id).await;
    assert_eq!(info["status"], "Stopped");
    assert_eq!(info["errorInformation"]["code"], "MANUAL_STOP");
    let refused = client.refused("StopDeployment", json!({"deploymentId": id})).await;
    assert_eq!(refused, "DeploymentAlreadyCompleted");
}

#[tokio::test]
async fn a_deployment_goes_on_after_a_restart_and_no_event_runs_twice() {
    let mut server = TestServer::start().await;
    let client = server.client();
    make_shop(&client, ONE_AT_A_TIME).await;
    let diary = Diary::default();
    for host in fleet(&server, 3).await {
        host.work(&diary, |_| {
            std::thread::sleep(Duration::from_millis(5));
            Outcome::Succeed
        });
    }
    let id = deploy(&client, "v1.zip").await;
    for enough in [3, 8, 15] {
        while entries(&diary).len() < enough {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        server.stop().await;
        server.start_again().await;
    }
    let info = finished(&client, &id).await;
    assert_eq!(info["status"], "Succeeded", "{info}");
    let mut events = entries(&diary);
    events.sort();
    let count = events.len();
    events.dedup();
    assert_eq!((events.len(), count), (21, 21));
}

#[tokio::test]
async fn the_next_command_follows_a_report_at_once() {
    let server = TestServer::start().await;
    let client = server.client();
    make_shop(&client, ALL_AT_ONCE).await;
    let host = &fleet(&server, 1).await[0];
    deploy(&client, "v1.zip").await;
    let mut command = host.poll().await.unwrap().expect("the first command");
    let mut slowest = Duration::ZERO;
    for _ in 1..7 {
        host.acknowledge(&command).await.unwrap();
        let parked = {
            let host = host.clone();
            tokio::spawn(async move { host.poll().await })
        };
        tokio::time::sleep(Duration::from_millis(20)).await;
        let reported = Instant::now();
        host.complete(&command, &Outcome::Succeed).await.unwrap();
        command = parked.await.unwrap().unwrap().expect("the next command");
        slowest = slowest.max(reported.elapsed());
    }
    // Some ten milliseconds on a quiet machine; a lost wake-up would cost the sweep's half a minute.
    assert!(slowest < Duration::from_secs(5), "{slowest:?}");
}

#[tokio::test]
async fn a_command_is_handed_out_again_only_after_a_while() {
    let server = TestServer::start().await;
    let client = server.client();
    make_shop(&client, ALL_AT_ONCE).await;
    let host = &fleet(&server, 1).await[0];
    let id = deploy(&client, "v1.zip").await;
    let first = host.poll().await.unwrap().expect("a command");
    let asked = Instant::now();
    let again = host.poll().await.unwrap().expect("the same command");
    assert_eq!(first["HostCommandIdentifier"], again["HostCommandIdentifier"]);
    assert!(asked.elapsed() > Duration::from_secs(1));
    // Two threads of the agent have it now: one may run it.
    assert_eq!(host.acknowledge(&first).await.unwrap(), "InProgress");
    assert_eq!(host.acknowledge(&again).await.unwrap(), "Succeeded");
    // The official agent reports a failure twice; the first report counts.
    assert_eq!(host.complete(&first, &Outcome::Fail("first")).await.unwrap(), 200);
    assert_eq!(host.complete(&first, &Outcome::Fail("second")).await.unwrap(), 200);
    finished(&client, &id).await;
    let shown = target(&client, &id, "web-1").await;
    assert_eq!(shown["lifecycleEvents"][0]["diagnostics"]["message"], "first");
}

#[tokio::test]
async fn only_a_host_itself_may_act_for_it() {
    let server = TestServer::start().await;
    let client = server.client();
    make_shop(&client, ALL_AT_ONCE).await;
    let hosts = fleet(&server, 2).await;
    deploy(&client, "v1.zip").await;
    let command = hosts[0].poll().await.unwrap().expect("a command");

    let poll = json!({"HostIdentifier": hosts[0].identifier});
    for stranger in [&hosts[1].client, &client] {
        let answer = stranger.command("PollHostCommand", poll.clone()).await.unwrap();
        assert_eq!((answer.status, answer.error().as_str()), (400, "AccessDeniedException"));
    }
    let report = json!({
        "HostCommandIdentifier": command["HostCommandIdentifier"], "CommandStatus": "Succeeded",
    });
    let answer = hosts[1].client.command("PutHostCommandComplete", report).await.unwrap();
    assert_eq!(answer.error(), "AccessDeniedException");
    let made_up = json!({"HostCommandIdentifier": "nonsense", "CommandStatus": "Succeeded"});
    let answer = hosts[1].client.command("PutHostCommandComplete", made_up).await.unwrap();
    assert_eq!(answer.error(), "ClientException");
    let instance = json!({"HostIdentifier": "arn:aws:ec2:us-east-1:123456789012:instance/i-0123456789abcdef0"});
    let answer = hosts[1].client.command("PollHostCommand", instance).await.unwrap();
    assert_eq!(answer.error(), "AccessDeniedException");

    // A host that is deregistered is nobody.
    client.ok("DeregisterOnPremisesInstance", json!({"instanceName": "web-1"})).await;
    let answer = hosts[0].client.command("PollHostCommand", poll).await.unwrap();
    assert_eq!(answer.error(), "AccessDeniedException");
}

#[tokio::test]
async fn the_specification_is_signed_by_the_published_certificate() {
    let server = TestServer::start().await;
    let client = server.client();
    make_shop(&client, ALL_AT_ONCE).await;
    let host = &fleet(&server, 1).await[0];
    let id = deploy(&client, "v1.zip").await;
    let command = host.poll().await.unwrap().expect("a command");
    let execution = command["DeploymentExecutionId"].as_str().unwrap();
    assert!(execution.ends_with(&format!(":deployment/{id}")) && execution.len() <= 129);
    let input = json!({"DeploymentExecutionId": execution, "HostIdentifier": host.identifier});
    let answer = host.client.command("GetDeploymentSpecification", input).await.unwrap().json();
    assert_eq!(answer["DeploymentSystem"], "CodeDeploy");
    let envelope = &answer["DeploymentSpecification"]["GenericEnvelope"];
    assert_eq!(envelope["Format"], "PKCS7/JSON");

    let signer = client.send_as_is(http::Method::GET, "/-/signer.pem", &[], vec![]).await.unwrap();
    let pinned = wire::cms::certificate_from_pem(&signer.text()).unwrap();
    let content = wire::cms::verify(envelope["Payload"].as_str().unwrap(), &pinned).unwrap();
    let content: serde_json::Value = serde_json::from_slice(&content).unwrap();
    assert_eq!(content["ApplicationName"], "Shop");
    assert_eq!(content["Revision"]["S3Revision"]["Key"], "v1.zip");
    assert_eq!(content["AgentActionOverrides"]["AgentOverrides"]["FileExistsBehavior"], "DISALLOW");
}

#[tokio::test]
async fn what_cannot_start_fails_with_its_reason() {
    let server = TestServer::start().await;
    let client = server.client();
    make_shop(&client, ONE_AT_A_TIME).await;
    let id = deploy(&client, "v1.zip").await;
    let info = finished(&client, &id).await;
    assert_eq!(info["status"], "Failed");
    assert_eq!(info["errorInformation"]["code"], "NO_INSTANCES");

    fleet(&server, 2).await;
    let config = json!({
        "deploymentConfigName": "Two", "minimumHealthyHosts": {"type": "HOST_COUNT", "value": 2},
    });
    client.ok("CreateDeploymentConfig", config).await;
    let input = json!({
        "applicationName": "Shop", "deploymentGroupName": "Prod", "deploymentConfigName": "Two",
        "revision": support::revision("v1.zip"),
    });
    let created = client.ok("CreateDeployment", input).await;
    let id = created["deploymentId"].as_str().unwrap();
    let info = finished(&client, id).await;
    assert_eq!(info["errorInformation"]["code"], "HEALTH_CONSTRAINTS_INVALID");
    let targets = client.ok("ListDeploymentTargets", json!({"deploymentId": id})).await;
    assert_eq!(targets["targetIds"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_deregistered_host_fails_at_once() {
    let server = TestServer::start().await;
    let client = server.client();
    make_shop(&client, ALL_AT_ONCE).await;
    let host = &fleet(&server, 1).await[0];
    let id = deploy(&client, "v1.zip").await;
    let command = host.poll().await.unwrap().expect("a command");
    host.acknowledge(&command).await.unwrap();
    client.ok("DeregisterOnPremisesInstance", json!({"instanceName": "web-1"})).await;
    let info = tokio::time::timeout(Duration::from_secs(20), finished(&client, &id)).await;
    assert_eq!(info.expect("it ends without waiting for the host")["status"], "Failed");
}
