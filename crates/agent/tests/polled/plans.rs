//! Questions about deployments that may be made: the agent answers and leaves everything as it was.

use std::fs;

use serde_json::{Value, json};

use crate::support::{Agent, Plane, signer};

/// Files of a bundle that installs `app.txt` below the agent's directory.
fn bundle(agent: &Agent) -> String {
    crate::appspec(agent, &[])
}

fn effects(answer: &Value) -> Vec<(&str, String)> {
    let files = answer["Files"].as_array().unwrap().iter();
    let name = |path: &str| path.rsplit('/').next().unwrap().to_owned();
    files
        .map(|file| (file["Effect"].as_str().unwrap(), name(file["Path"].as_str().unwrap())))
        .collect()
}

#[test]
fn what_an_install_would_do_is_told_and_nothing_is_left() {
    let plane = Plane::start();
    let agent = Agent::start(&plane);
    let appspec = bundle(&agent);
    plane.deploy("d-PLANNED01", &[("appspec.yml", &appspec), ("app.txt", "one")]);
    let answer = plane.plan("hp-1");
    assert_eq!(
        (answer["Outcome"].as_str(), answer["Counts"]["Added"].as_i64()),
        (Some("Succeeds"), Some(1))
    );
    assert_eq!(effects(&answer), [("Add", "app.txt".to_owned())]);
    assert!(!agent.file("dest").exists(), "it was installed");
    assert!(!agent.file("root/group-1").exists(), "a deployment's directory was made");
    assert_eq!(fs::read_dir(agent.file("root/deployment-plans")).unwrap().count(), 0);

    fs::create_dir(agent.file("dest")).unwrap();
    fs::write(agent.file("dest/app.txt"), "theirs").unwrap();
    let answer = plane.plan("hp-2");
    assert_eq!(
        (answer["Outcome"].as_str(), &answer["Counts"]["Conflicting"]),
        (Some("Fails"), &json!(1))
    );
    let message = answer["Message"].as_str().unwrap();
    assert!(message.contains("a specified file already exists at this location"), "{message}");
    assert_eq!(effects(&answer), [("Conflict", "app.txt".to_owned())]);
    assert_eq!(fs::read_to_string(agent.file("dest/app.txt")).unwrap(), "theirs");
}

#[test]
fn what_a_plan_left_that_was_cut_short_goes_with_the_next_start() {
    let plane = Plane::start();
    let mut agent = Agent::start(&plane);
    plane.another_poll();
    agent.kill();
    let left = agent.file("root/deployment-plans/group-1/deployment-archive");
    fs::create_dir_all(&left).unwrap();
    fs::write(left.join("half"), "of a bundle").unwrap();
    agent.again();
    plane.another_poll();
    assert!(!agent.file("root/deployment-plans").exists());
}

#[test]
fn a_bundle_that_the_host_has_is_not_fetched_and_stays() {
    let plane = Plane::start();
    let agent = Agent::start(&plane);
    let appspec = bundle(&agent);
    plane.deploy("d-PLANNED02", &[("appspec.yml", &appspec), ("app.txt", "one")]);
    plane.run("1", "DownloadBundle");
    plane.run("2", "Install");
    if !agent.has_attributes() {
        println!("skipped: without extended attributes bundles are not known again");
        return;
    }
    let answer = plane.plan("hp-1");
    assert_eq!(
        (answer["Outcome"].as_str(), &answer["Counts"]["Unchanged"]),
        (Some("Succeeds"), &json!(1))
    );
    assert!(effects(&answer).is_empty());
    assert_eq!(plane.downloads(), 1);
    assert!(agent.file("root/group-1/d-PLANNED02/bundle.tar").exists());
    assert_eq!(fs::read_to_string(agent.file("dest/app.txt")).unwrap(), "one");
}

#[test]
fn what_is_not_signed_as_a_plan_is_not_looked_at() {
    let plane = Plane::start();
    let agent = Agent::start(&plane);
    let appspec = bundle(&agent);
    let files = [("appspec.yml", appspec.as_str()), ("app.txt", "one")];
    plane.deploy("d-PLANNED03", &files);
    let refused = |id: &str, envelope: &str, expected: &str| {
        let answer = plane.plan_with(id, envelope);
        assert_eq!(answer["Outcome"], "Unknown");
        let message = answer["Message"].as_str().unwrap();
        assert!(message.contains(expected), "{message}");
    };
    // The specification of a deployment, and a plan that a stranger signed.
    refused("hp-1", &plane.envelope(), "HostPlan");
    let (_, der, key) = signer();
    let stranger = wire::cms::sign(b"{\"HostPlan\":{}}", &key, &der, 1_700_000_000).unwrap();
    refused("hp-2", &stranger, "refused");
    refused("hp-3", &plane.sign(b"{\"HostPlan\":{\"DeploymentId\":\"d-1\"}}"), "DeploymentGroupId");
    let out = plane.sign(
        br#"{"HostPlan":{"DeploymentId":"d-1","DeploymentGroupId":"../..","DeploymentGroupName":"g","ApplicationName":"a"}}"#,
    );
    refused("hp-4", &out, "cannot be a directory's name");
    assert_eq!(plane.downloads(), 0);
    // A plan is no specification either.
    plane.envelop("PKCS7/JSON", |_| plane.sign(b"{\"HostPlan\":{}}"));
    plane.send("1", "DownloadBundle");
    assert_eq!(plane.completion("1").0, "Failed");
}

#[test]
fn a_bundle_that_cannot_be_used_is_told_as_the_deployment_would() {
    let plane = Plane::start();
    let agent = Agent::start(&plane);
    plane.deploy("d-PLANNED04", &[("app.txt", "one")]);
    let answer = plane.plan("hp-1");
    assert_eq!(answer["Outcome"], "Fails");
    assert!(answer["Message"].as_str().unwrap().contains("did not find an AppSpec file"));
    assert_eq!(fs::read_dir(agent.file("root/deployment-plans")).unwrap().count(), 0);
}
