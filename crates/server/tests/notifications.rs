//! Triggers of deployment groups, to receivers that are there and to one that is not.

mod support;

use std::time::Duration;

use longshore_server::clock::Clock;
use model::Timestamp;
use serde_json::{Value, json};
use support::host::{Diary, Host, Outcome, element};
use support::receiver::Receiver;
use support::{Client, ROLE, TestServer, deploy, deployment, finished};

const EVERYTHING: [&str; 8] = [
    "DeploymentStart",
    "DeploymentSuccess",
    "DeploymentFailure",
    "DeploymentStop",
    "DeploymentRollback",
    "InstanceStart",
    "InstanceSuccess",
    "InstanceFailure",
];

/// Requests that a receiver gets before the first deployment: to confirm, and the new trigger's test message.
const BEFORE: usize = 2;

/// Makes `Shop` with `Prod`, whose trigger `told` publishes these events to a topic to which `receiver` is subscribed.
async fn make_told_shop(client: &Client, receiver: &Receiver, events: &[&str]) {
    let sns = |form: String| async move {
        let answer = client.form("sns", &format!("{form}&Version=2010-03-31")).await;
        assert_eq!(answer.status, 200, "{form}: {}", answer.text());
        answer.text()
    };
    let topic = element(&sns("Action=CreateTopic&Name=told".to_owned()).await, "TopicArn");
    let endpoint = receiver.url.replace(':', "%3A").replace('/', "%2F");
    sns(format!("Action=Subscribe&TopicArn={topic}&Protocol=http&Endpoint={endpoint}")).await;
    let asked = receiver.wait(1).await[0].json();
    let token = asked["Token"].as_str().unwrap();
    let confirmed = sns(format!("Action=ConfirmSubscription&TopicArn={topic}&Token={token}")).await;
    let subscription = element(&confirmed, "SubscriptionArn");
    sns(format!(
        "Action=SetSubscriptionAttributes&SubscriptionArn={subscription}&AttributeName=RawMessageDelivery&AttributeValue=true"
    ))
    .await;
    client.ok("CreateApplication", json!({"applicationName": "Shop"})).await;
    let group = json!({
        "applicationName": "Shop",
        "deploymentGroupName": "Prod",
        "deploymentConfigName": "CodeDeployDefault.OneAtATime",
        "serviceRoleArn": ROLE,
        "onPremisesInstanceTagFilters": [{"Key": "role", "Value": "web", "Type": "KEY_AND_VALUE"}],
        "triggerConfigurations": [
            {"triggerName": "told", "triggerTargetArn": topic, "triggerEvents": events},
        ],
    });
    client.ok("CreateDeploymentGroup", group).await;
    let test = receiver.wait(BEFORE).await[1].json();
    assert_eq!(
        (&test["eventTriggerName"], &test["deploymentGroupName"]),
        (&json!("told"), &json!("Prod"))
    );
    assert_eq!(test.get("status"), None);
}

/// What each message is about, in a word or two.
fn told(messages: &[support::receiver::Received]) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    messages
        .iter()
        .map(|message| {
            let body = message.json();
            match body["instanceId"].as_str() {
                Some(arn) => {
                    let host = arn.rsplit(['/', '_']).nth(1).unwrap().to_owned();
                    format!("{host} {}", text(&body["instanceStatus"]))
                }
                None => text(&body["status"]),
            }
        })
        .collect()
}

#[tokio::test]
async fn a_trigger_tells_what_happens_once_and_in_order() {
    let (server, receiver) = (TestServer::start().await, Receiver::start().await);
    let client = server.client();
    make_told_shop(&client, &receiver, &EVERYTHING).await;
    for number in 1..=2 {
        let host = Host::register(&server, &format!("web-{number}")).await;
        host.work(&Diary::default(), |_| Outcome::Succeed);
    }
    let id = deploy(&client, "v1.zip").await;
    let info = finished(&client, &id).await;
    assert_eq!(info["status"], "Succeeded");
    let messages = &receiver.wait(BEFORE + 6).await[BEFORE..];
    let words = told(messages);
    let first = words[1].split_once(' ').unwrap().0.to_owned();
    let second = if first == "web-1" { "web-2" } else { "web-1" };
    assert_eq!(
        words,
        [
            "CREATED".to_owned(),
            format!("{first} InProgress"),
            format!("{first} Succeeded"),
            format!("{second} InProgress"),
            format!("{second} Succeeded"),
            "SUCCEEDED".to_owned(),
        ]
    );

    let created = messages[0].json();
    assert_eq!(created["eventTriggerName"], "told");
    assert_eq!(created["deploymentId"], id.as_str());
    assert_eq!(created["completeTime"], Value::Null);
    assert_eq!(created.get("deploymentOverview"), None);
    let started = messages[1].json();
    assert_eq!(started["lifecycleEvents"][0]["LifecycleEventStatus"], "InProgress");
    assert_eq!(started["lifecycleEvents"][1]["LifecycleEventStatus"], "Pending");
    let ended = messages[5].json();
    assert!(ended["completeTime"].as_str().unwrap().contains(" UTC 20"));
    let overview: Value =
        serde_json::from_str(ended["deploymentOverview"].as_str().unwrap()).unwrap();
    assert_eq!(
        overview,
        json!({"Succeeded": 2, "Failed": 0, "Skipped": 0, "InProgress": 0, "Pending": 0})
    );
    assert_eq!(ended.get("errorInformation"), None);
}

#[tokio::test]
async fn a_failure_is_told_with_its_reason() {
    let (server, receiver) = (TestServer::start().await, Receiver::start().await);
    let client = server.client();
    make_told_shop(&client, &receiver, &["DeploymentFailure"]).await;
    let id = deploy(&client, "v1.zip").await;
    assert_eq!(finished(&client, &id).await["errorInformation"]["code"], "NO_INSTANCES");
    let body = receiver.wait(BEFORE + 1).await[BEFORE].json();
    assert_eq!(body["status"], "FAILED");
    assert_eq!(body["rollbackInformation"], "{}");
    let error: Value = serde_json::from_str(body["errorInformation"].as_str().unwrap()).unwrap();
    assert_eq!(error["ErrorCode"], "NO_INSTANCES");
    assert!(error["ErrorMessage"].as_str().unwrap().starts_with("The deployment failed because"));
}

#[tokio::test]
async fn a_receiver_that_is_down_for_an_hour_misses_nothing_and_holds_up_nobody() {
    let now = Timestamp::from_millis(jiff::Timestamp::now().as_millisecond());
    let clock = Clock::manual(now);
    let server = TestServer::start_with(|config| config.clock = clock.clone()).await;
    let receiver = Receiver::start().await;
    let mut client = server.client();
    make_told_shop(&client, &receiver, &["DeploymentStart", "DeploymentFailure"]).await;
    let destination = Receiver::start().await;
    client.own("PutEventDestination", json!({"name": "bus", "url": destination.url})).await;
    destination.answer_with(503);
    receiver.answer_with(503);
    let mut deployments = Vec::new();
    for key in ["v1.zip", "v2.zip", "v3.zip"] {
        let id = deploy(&client, key).await;
        assert_eq!(finished(&client, &id).await["status"], "Failed");
        deployments.push(id);
    }
    for minute in 1..=60 {
        clock.advance(Duration::from_secs(60));
        client.clock_offset = minute * 60;
        // Each advance is seen by whoever sleeps on the clock.
        assert_eq!(deployment(&client, &deployments[0]).await["status"], "Failed");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(receiver.refused() >= 3 * 5, "{} attempts", receiver.refused());
    assert_eq!(receiver.taken().len(), BEFORE, "nothing of the deployments");
    assert!(destination.refused() >= 3 * 5, "{} attempts", destination.refused());
    destination.answer_with(200);
    receiver.answer_with(200);
    // The clock runs ahead of an attempt under way, whose lease then ends: a message may come twice, and none is missed.
    let told_of = |id: &String| {
        let messages = receiver.taken();
        let of_one = messages[BEFORE..]
            .iter()
            .filter(|message| message.json()["deploymentId"] == id.as_str());
        let mut words = told(&of_one.cloned().collect::<Vec<_>>());
        let mut seen = std::collections::HashSet::new();
        words.retain(|word| seen.insert(word.clone()));
        words
    };
    let events_of = |id: &String| {
        let events = destination.taken();
        let details = events.iter().map(|event| event.json()["detail"].take());
        let states = details.filter(|detail| detail["deploymentId"] == id.as_str());
        let mut states: Vec<Value> = states.map(|mut detail| detail["state"].take()).collect();
        states.dedup();
        states
    };
    while deployments.iter().any(|id| told_of(id).len() < 2 || events_of(id).is_empty()) {
        clock.advance(Duration::from_secs(60));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for id in &deployments {
        assert_eq!(told_of(id), ["CREATED", "FAILED"], "{id}");
        assert_eq!(events_of(id), ["FAILURE"], "{id}");
    }
}
