//! The agent under a control plane that answers badly, late or never, and given what it must not carry out.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Agent, Manner, Plane, signer, signer_until, wait_for};

/// Shorter than the usual 80 s, so that a service that never answers does not hold a test for as long; longer than the plane
/// holds a poll.
const IMPATIENT: &str = ":http_read_timeout: 3\n";

/// A bundle whose `AfterInstall` leaves a line in `ran` of the agent's directory.
fn tracing_bundle(plane: &Plane, agent: &Agent, deployment: &str) {
    let appspec = "version: 0.0\nos: linux\nhooks:\n  AfterInstall:\n    - location: h.sh\n";
    let script = format!("echo $DEPLOYMENT_ID >> {}\n", agent.file("ran").display());
    plane.deploy(deployment, &[("appspec.yml", appspec), ("h.sh", &script)]);
}

fn ran(agent: &Agent) -> Vec<String> {
    let text = fs::read_to_string(agent.file("ran")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// Runs a case for each manner, all at the same time: most of it is waiting.
fn with_each(manners: &[Manner], case: impl Fn(Manner) + Sync) {
    thread::scope(|scope| {
        let case = &case;
        let cases: Vec<_> =
            manners.iter().map(|manner| (manner, scope.spawn(move || case(*manner)))).collect();
        for (manner, running) in cases {
            assert!(running.join().is_ok(), "{manner:?}");
        }
    });
}

/// At most one of two calls in a row is made at once: a kept connection may have been closed in the meantime.
const THREE_CALLS_TAKE_AT_LEAST: Duration = Duration::from_millis(200);

#[test]
fn polls_that_are_answered_badly_are_tried_again_after_a_pause() {
    with_each(&Manner::ALL, |manner| {
        let plane = Plane::start();
        plane.spoil(Some(("PollHostCommand", manner)));
        let agent = Agent::start_with(&plane, IMPATIENT);
        plane.spoils(1);
        let (asked, before) = (Instant::now(), agent.memory());
        if matches!(manner, Manner::Noise | Manner::Half | Manner::Headers | Manner::Flood) {
            // Nobody was there, as far as the agent can tell: that is tried again sooner.
            plane.spoils(3);
            assert!(plane.spoils_took() > THREE_CALLS_TAKE_AT_LEAST, "{:?}", plane.spoils_took());
        }
        plane.spoil(None);
        tracing_bundle(&plane, &agent, "d-AAAAAAAA1");
        plane.run("1", "DownloadBundle");
        assert!(asked.elapsed() > THREE_CALLS_TAKE_AT_LEAST, "{:?}", asked.elapsed());
        let grown = agent.memory().saturating_sub(before);
        assert!(grown < 16 * 1024, "grown by {grown} KiB");
    });
}

#[test]
fn reports_that_are_answered_badly_are_repeated_and_nothing_runs_twice() {
    with_each(&Manner::ALL, |manner| {
        let operations = [
            "PutHostCommandComplete",
            "PutHostCommandAcknowledgement",
            "GetDeploymentSpecification",
        ];
        thread::scope(|scope| {
            for operation in operations {
                scope.spawn(move || repeated(operation, manner));
            }
        });
    });
}

fn repeated(operation: &'static str, manner: Manner) {
    let plane = Plane::start();
    let agent = Agent::start_with(&plane, IMPATIENT);
    tracing_bundle(&plane, &agent, "d-BBBBBBBB1");
    plane.run("1", "DownloadBundle");
    plane.spoil(Some((operation, manner)));
    plane.send("2", "AfterInstall");
    plane.spoils(3);
    let took = plane.spoils_took();
    assert!(took > THREE_CALLS_TAKE_AT_LEAST, "{operation}: {took:?}");
    plane.spoil(None);
    assert_eq!(plane.completion("2").0, "Succeeded", "{operation}");
    assert_eq!(ran(&agent), ["d-BBBBBBBB1"], "{operation}");
}

#[test]
fn a_service_that_is_not_there_is_looked_for_until_it_is() {
    let plane = Plane::absent();
    let agent = Agent::start(&plane);
    let refused =
        || fs::read_to_string(agent.file("stderr")).unwrap().matches("the poll failed").count();
    wait_for("a poll fails", || refused() > 1);
    plane.appear();
    tracing_bundle(&plane, &agent, "d-CCCCCCCC1");
    plane.run("1", "DownloadBundle");
    assert!(refused() < 10, "{} polls", refused());
}

#[test]
fn with_a_clock_that_is_wrong_requests_carry_the_service_s_time() {
    for ahead in [600, -600] {
        let plane = Plane::start();
        plane.set_clock_ahead(ahead);
        let agent = Agent::start(&plane);
        tracing_bundle(&plane, &agent, "d-DDDDDDDD1");
        plane.run("1", "DownloadBundle");
        assert!(plane.latest_signature_is_off().abs() < 60);
        let log = fs::read_to_string(agent.file("stderr")).unwrap();
        let way = if ahead > 0 { "ahead of" } else { "behind" };
        assert!(log.contains(&format!("{way} this host's")), "{log}");
        // The clock is put right, and the agent notices that too.
        plane.set_clock_ahead(0);
        plane.run("2", "AfterInstall");
        assert!(plane.latest_signature_is_off().abs() < 60);
    }
}

#[test]
fn specifications_that_nobody_trusted_signed_are_refused_and_nothing_is_touched() {
    let plane = Plane::start();
    let mut agent = Agent::start(&plane);
    let stranger = signer();
    let refused = |id: &str, says: &str| {
        plane.send(id, "DownloadBundle");
        let (status, diagnostics) = plane.completion(id);
        let message = diagnostics["message"].as_str().unwrap();
        assert_eq!((status.as_str(), &diagnostics["error_code"]), ("Failed", &5.into()), "{id}");
        assert!(message.contains(says), "{id}: {message}");
    };
    tracing_bundle(&plane, &agent, "d-EEEEEEEE1");
    plane.envelop("TEXT/JSON", |_| "{\"DeploymentId\":\"d-EEEEEEEE1\"}".to_owned());
    refused("unsigned", "Unsupported DeploymentSpecification format: TEXT/JSON");
    plane.envelop("PKCS7/JSON", |_| String::new());
    refused("empty", "the deployment specification is refused");
    plane.envelop("PKCS7/JSON", |_| "{}".to_owned());
    refused("no-pem", "is not PEM text");
    tracing_bundle(&plane, &agent, "d-EEEEEEEE1");
    plane.envelop("PKCS7/JSON", |text| text.replace("PKCS7", "CMS"));
    refused("label", "labelled `CMS`");
    plane.deploy_signed("d-EEEEEEEE1", &[("appspec.yml", "")], &stranger.2, &stranger.1);
    refused("stranger", "another certificate than the one expected");
    tracing_bundle(&plane, &agent, "d-EEEEEEEE1");
    plane.envelop("PKCS7/JSON", |text| altered(&text, b"group-1", b"group-2"));
    refused("tampered", "was altered");
    assert!(plane.acknowledged().is_empty());
    assert!(!agent.file("root/group-1").exists() && !agent.file("root/group-2").exists());
    let (pem, certificate, key) = signer_until(2001);
    let mut late = Agent::prepare(&plane, "");
    fs::write(late.file("signer.pem"), pem).unwrap();
    agent.kill();
    late.again();
    plane.deploy_signed("d-EEEEEEEE1", &[("appspec.yml", "")], &key, &certificate);
    refused("expired", "was valid until 2001-12-31T00:00:00Z");
    assert!(plane.acknowledged().is_empty() && !late.file("root/group-1").exists());
    late.kill();
    agent.again();
    // What is right is taken all the same.
    tracing_bundle(&plane, &agent, "d-EEEEEEEE1");
    plane.run("good", "DownloadBundle");
}

/// A signed document with one text in the place of another of the same length.
fn altered(pem: &str, from: &[u8], to: &[u8]) -> String {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let mut bytes = STANDARD.decode(body).unwrap();
    let at = bytes.windows(from.len()).position(|window| window == from).unwrap();
    bytes[at..at + from.len()].copy_from_slice(to);
    let text = STANDARD.encode(bytes);
    let lines: Vec<_> =
        text.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line)).collect();
    format!("-----BEGIN PKCS7-----\n{}\n-----END PKCS7-----\n", lines.join("\n"))
}

#[test]
fn a_command_for_another_host_is_left_alone() {
    let plane = Plane::start();
    let agent = Agent::start(&plane);
    tracing_bundle(&plane, &agent, "d-FFFFFFFF1");
    plane.send_to("user/web-02", "theirs", "DownloadBundle");
    plane.run("ours", "DownloadBundle");
    plane.another_poll();
    assert!(plane.acknowledged().iter().all(|(command, _)| command == "ours"));
    assert_eq!(plane.completions("theirs"), 0);
    assert!(fs::read_to_string(agent.file("stderr")).unwrap().contains("Host Identifier mismatch"));
}

#[test]
fn a_user_who_is_gone_when_the_hook_starts_fails_it_by_name() {
    let plane = Plane::start();
    let _agent = Agent::start(&plane);
    let appspec = "version: 0.0\nos: linux\nhooks:\n  AfterInstall:\n    - location: h.sh\n      runas: long-gone\n";
    plane.deploy("d-GGGGGGGG1", &[("appspec.yml", appspec), ("h.sh", "#!/bin/sh\n")]);
    plane.run("1", "DownloadBundle");
    plane.send("2", "AfterInstall");
    let (status, diagnostics) = plane.completion("2");
    assert_eq!((status.as_str(), &diagnostics["error_code"]), ("Failed", &4.into()));
    assert_eq!(diagnostics["script_name"], "h.sh");
    assert!(diagnostics["message"].as_str().unwrap().contains("long-gone"), "{diagnostics}");
    // The agent is as well as before.
    plane.run("3", "Install");
}

/// Killed at any moment, again and again, between the word of a command and its report.
#[test]
fn killed_at_any_moment_nothing_runs_twice_and_everything_is_reported() {
    let seed = std::env::var("LONGSHORE_SEED").ok().and_then(|seed| seed.parse().ok());
    let mut random: u64 = seed.unwrap_or_else(|| u64::from(std::process::id()));
    println!("LONGSHORE_SEED={random}");
    let mut below = |most: u64| {
        // Of the generator of Knuth's MMIX; its upper bits are the good ones.
        random =
            random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % most
    };
    let plane = Plane::start();
    let mut agent = Agent::start(&plane);
    tracing_bundle(&plane, &agent, "d-HHHHHHHH1");
    plane.run("download", "DownloadBundle");
    let began = Instant::now();
    plane.run("undisturbed", "AfterInstall");
    // Kills fall anywhere in what an undisturbed command takes, and a little after.
    let span = u64::try_from(began.elapsed().as_micros()).unwrap() * 5 / 4;
    let (mut succeeded, mut interrupted) = (0, 0);
    for round in 0..40 {
        let id = format!("round-{round}");
        let before = ran(&agent).len();
        plane.send(&id, "AfterInstall");
        thread::sleep(Duration::from_micros(below(span)));
        agent.kill();
        agent.again();
        let (status, diagnostics) = plane.completion(&id);
        let runs = ran(&agent).len() - before;
        match status.as_str() {
            "Succeeded" => {
                assert_eq!(runs, 1, "{id} succeeded");
                succeeded += 1;
            }
            _ => {
                assert_eq!(diagnostics["error_code"], 7, "{diagnostics}");
                // Its script lives on and may end later, but no other is started.
                assert!(runs <= 1, "{id} ran {runs} times");
                wait_for("the script that was left is over", || nobody_runs(&agent));
                interrupted += 1;
            }
        }
    }
    println!("{succeeded} succeeded, {interrupted} were interrupted");
    assert!(succeeded > 0);
}

/// Whether no process has the agent's revision as a part of its command line.
fn nobody_runs(agent: &Agent) -> bool {
    let revision = agent.file("root/group-1").display().to_string();
    let lines = fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    lines.into_iter().all(|line| !String::from_utf8_lossy(&line).contains(&revision))
}
