//! Deployments that are rolled back, with hosts that pretend.

mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use support::host::{Diary, Host, Outcome};
use support::{Client, TestServer, deploy, deployment, finished, make_shop};

const ONE_AT_A_TIME: &str = "CodeDeployDefault.OneAtATime";

async fn roll_back_on(client: &Client, events: Value) {
    let input = json!({
        "applicationName": "Shop", "currentDeploymentGroupName": "Prod",
        "autoRollbackConfiguration": {"enabled": true, "events": events},
    });
    client.ok("UpdateDeploymentGroup", input).await;
}

/// The specification of a command's deployment, as the agent reads it.
async fn specification(client: &Client, host: &Host, command: &Value) -> Value {
    let execution = command["DeploymentExecutionId"].as_str().unwrap();
    let input = json!({"DeploymentExecutionId": execution, "HostIdentifier": host.identifier});
    let answer = host.client.command("GetDeploymentSpecification", input).await.unwrap().json();
    let signer = client.send_as_is(http::Method::GET, "/-/signer.pem", &[], vec![]).await.unwrap();
    let pinned = wire::cms::certificate_from_pem(&signer.text()).unwrap();
    let payload = &answer["DeploymentSpecification"]["GenericEnvelope"]["Payload"];
    serde_json::from_slice(&wire::cms::verify(payload.as_str().unwrap(), &pinned).unwrap()).unwrap()
}

async fn rollback_of(client: &Client, info: &Value) -> Value {
    let id = info["rollbackInfo"]["rollbackDeploymentId"].as_str().expect("there is a rollback");
    finished(client, id).await
}

#[tokio::test]
async fn a_failed_deployment_is_rolled_back_to_the_last_success() {
    static BROKEN: AtomicBool = AtomicBool::new(false);
    let server = TestServer::start().await;
    let client = server.client();
    make_shop(&client, ONE_AT_A_TIME).await;
    roll_back_on(&client, json!(["DEPLOYMENT_FAILURE"])).await;
    let diary = Diary::default();
    for name in ["web-1", "web-2"] {
        Host::register(&server, name).await.work(&diary, |event| {
            if event == "Install" && BROKEN.swap(false, Ordering::SeqCst) {
                return Outcome::Fail("no space left");
            }
            Outcome::Succeed
        });
    }
    let input = json!({
        "applicationName": "Shop", "deploymentGroupName": "Prod",
        "revision": support::revision("v1.zip"), "fileExistsBehavior": "OVERWRITE",
    });
    let created = client.ok("CreateDeployment", input).await;
    let good = created["deploymentId"].as_str().unwrap().to_owned();
    assert_eq!(finished(&client, &good).await["status"], "Succeeded");

    BROKEN.store(true, Ordering::SeqCst);
    let bad = deploy(&client, "v2.zip").await;
    let info = finished(&client, &bad).await;
    assert_eq!(
        (&info["status"], info["rollbackInfo"].get("rollbackMessage")),
        (&json!("Failed"), None)
    );
    let rollback = rollback_of(&client, &info).await;
    let new = rollback["deploymentId"].as_str().unwrap();
    assert_eq!(rollback["status"], "Succeeded", "{rollback}");
    assert_eq!(rollback["creator"], "codeDeployRollback");
    assert_eq!(rollback["revision"]["s3Location"]["key"], "v1.zip");
    assert_eq!(rollback["previousRevision"]["s3Location"]["key"], "v1.zip");
    assert_eq!(rollback["fileExistsBehavior"], "OVERWRITE");
    assert_eq!(rollback["deploymentOverview"]["Succeeded"], 2, "the whole group");
    let link = &rollback["rollbackInfo"];
    assert_eq!(link["rollbackTriggeringDeploymentId"], bad.as_str());
    let message = format!("Deployment {new} is triggered to roll back deployment {bad}.");
    assert_eq!(link["rollbackMessage"], message);
    // It was a success, so it is what the next one would go back to.
    let input = json!({"applicationName": "Shop", "deploymentGroupName": "Prod"});
    let group = client.ok("GetDeploymentGroup", input).await["deploymentGroupInfo"].clone();
    assert_eq!(group["lastSuccessfulDeployment"]["deploymentId"], new);
    assert_eq!(group["lastAttemptedDeployment"]["deploymentId"], new);
}

#[tokio::test]
async fn without_a_success_the_message_says_why_nothing_was_rolled_back() {
    let server = TestServer::start().await;
    let client = server.client();
    make_shop(&client, ONE_AT_A_TIME).await;
    roll_back_on(&client, json!(["DEPLOYMENT_FAILURE"])).await;
    Host::register(&server, "web-1").await.work(&Diary::default(), |_| Outcome::Fail("no"));
    let id = deploy(&client, "v1.zip").await;
    let info = finished(&client, &id).await;
    assert_eq!(info["status"], "Failed");
    assert_eq!(info["rollbackInfo"].get("rollbackDeploymentId"), None);
    let message = info["rollbackInfo"]["rollbackMessage"].as_str().unwrap();
    assert!(message.contains("no deployment to the deployment group has succeeded"), "{message}");
    assert_eq!(info["deploymentStatusMessages"], json!([message]));
}

#[tokio::test]
async fn a_stop_rolls_back_if_it_says_so_and_hosts_may_use_what_they_kept() {
    let server = TestServer::start().await;
    let client = server.client();
    make_shop(&client, ONE_AT_A_TIME).await;
    let host = Host::register(&server, "web-1").await;
    let working = host.work(&Diary::default(), |_| Outcome::Succeed);
    let good = deploy(&client, "v1.zip").await;
    finished(&client, &good).await;
    working.abort();
    let _ = working.await;

    let bad = deploy(&client, "v2.zip").await;
    let command = host.poll().await.unwrap().expect("the first command");
    host.acknowledge(&command).await.unwrap();
    let stop = client.ok("StopDeployment", json!({"deploymentId": bad})).await;
    assert_eq!(stop["status"], "Pending");
    // Asked again while it still runs, and now with a rollback.
    let stop = json!({"deploymentId": bad, "autoRollbackEnabled": true});
    assert_eq!(client.ok("StopDeployment", stop).await["status"], "Pending");
    host.complete(&command, &Outcome::Succeed).await.unwrap();
    let info = finished(&client, &bad).await;
    assert_eq!(
        (&info["status"], &info["errorInformation"]["code"]),
        (&json!("Stopped"), &json!("MANUAL_STOP"))
    );

    let command = host.poll().await.unwrap().expect("the rollback's first command");
    let told = specification(&client, &host, &command).await;
    assert_eq!(told["DeploymentCreator"], "codeDeployRollback");
    assert_eq!(told["Revision"]["S3Revision"]["Key"], "v1.zip");
    assert_eq!(told["ReuseArchiveFromDeploymentId"], good.as_str());
    // What fails here is not rolled back in its turn.
    host.acknowledge(&command).await.unwrap();
    host.complete(&command, &Outcome::Fail("no")).await.unwrap();
    let rollback = rollback_of(&client, &info).await;
    assert_eq!(rollback["status"], "Failed");
    assert_eq!(rollback["rollbackInfo"].get("rollbackDeploymentId"), None);
    assert_eq!(rollback.get("deploymentMode"), None, "a rollback is no restart");
}

#[tokio::test]
async fn nobody_takes_the_groups_place_before_the_rollback() {
    let server = TestServer::start().await;
    let client = server.client();
    make_shop(&client, ONE_AT_A_TIME).await;
    let host = Host::register(&server, "web-1").await;
    let working = host.work(&Diary::default(), |_| Outcome::Succeed);
    let good = deploy(&client, "v1.zip").await;
    finished(&client, &good).await;
    working.abort();
    let _ = working.await;
    let bad = deploy(&client, "v2.zip").await;
    let command = host.poll().await.unwrap().expect("a command");
    host.acknowledge(&command).await.unwrap();
    client.ok("StopDeployment", json!({"deploymentId": bad, "autoRollbackEnabled": true})).await;
    // Eager callers, while the deployment ends.
    let eager: Vec<_> = (0..4)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move {
                let input = json!({
                    "applicationName": "Shop", "deploymentGroupName": "Prod",
                    "revision": support::revision("v3.zip"),
                });
                for _ in 0..40 {
                    let refused = client.refused("CreateDeployment", input.clone()).await;
                    assert_eq!(refused, "DeploymentLimitExceeded");
                }
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(5)).await;
    host.complete(&command, &Outcome::Succeed).await.unwrap();
    for caller in eager {
        caller.await.unwrap();
    }
    let info = deployment(&client, &bad).await;
    assert_eq!(info["status"], "Stopped");
    assert!(info["rollbackInfo"]["rollbackDeploymentId"].is_string());
}
