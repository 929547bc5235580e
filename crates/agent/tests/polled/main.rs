//! The agent under a control plane: whole deployments, and what happens when one side goes away in the middle.

mod bad_input;
mod full_disk;
mod identity;
mod local;
mod plans;
mod proxies;
mod support;

use std::fs;
use std::time::{Duration, Instant};

use support::{Agent, Plane, signer, wait_for};

const EVENTS: [&str; 7] = [
    "ApplicationStop",
    "DownloadBundle",
    "BeforeInstall",
    "Install",
    "AfterInstall",
    "ApplicationStart",
    "ValidateService",
];

/// An AppSpec that installs `app.txt` below the agent's directory and has the script `h.sh` for these events.
fn appspec(agent: &Agent, events: &[&str]) -> String {
    let destination = agent.path().join("dest");
    let hooks: String =
        events.iter().map(|event| format!("  {event}:\n    - location: h.sh\n")).collect();
    let hooks = if hooks.is_empty() { String::new() } else { format!("hooks:\n{hooks}") };
    format!(
        "version: 0.0\nos: linux\nfiles:\n  - source: app.txt\n    destination: {}\n{hooks}",
        destination.display()
    )
}

fn lines(agent: &Agent, name: &str) -> Vec<String> {
    let text = fs::read_to_string(agent.file(name)).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn a_deployment_from_download_to_validation_and_the_next() {
    let plane = Plane::start();
    let agent = Agent::start(&plane);
    let appspec = appspec(&agent, &["ApplicationStop", "AfterInstall", "ValidateService"]);
    let script = format!("echo $LIFECYCLE_EVENT $BUNDLE_KEY >> {}\n", agent.file("ran").display());
    let files = [("appspec.yml", appspec.as_str()), ("app.txt", "one"), ("h.sh", &script)];
    for deployment in ["d-AAAAAAAA1", "d-AAAAAAAA2"] {
        plane.deploy(deployment, &files);
        let began = Instant::now();
        for event in EVENTS {
            plane.run(&format!("{deployment}/{event}"), event);
        }
        println!("{deployment}: {} ms for seven events", began.elapsed().as_millis());
    }
    assert!(plane.downloads() == 1 || !agent.has_attributes(), "fetched what was there");
    plane.deploy("d-AAAAAAAA3", &[("appspec.yml", appspec.as_str()), ("app.txt", "two"), files[2]]);
    plane.run("d-AAAAAAAA3/DownloadBundle", "DownloadBundle");
    let newest = agent.file("root/group-1/d-AAAAAAAA3/deployment-archive/app.txt");
    assert_eq!(fs::read_to_string(newest).unwrap(), "two");
    let ran = lines(&agent, "ran");
    let once = ["AfterInstall a b.tar", "ValidateService a b.tar"];
    let again = ["ApplicationStop a b.tar", "AfterInstall a b.tar", "ValidateService a b.tar"];
    assert_eq!(ran, [&once[..], &again[..]].concat());
    assert_eq!(fs::read_to_string(agent.file("dest/app.txt")).unwrap(), "one");
    let noops: Vec<bool> = plane.acknowledged().iter().map(|(_, noop)| *noop).collect();
    let (yes, no) = (true, false);
    assert_eq!(noops[..7], [yes, no, yes, no, no, yes, no]);
    assert!(agent.file("root/group-1/d-AAAAAAAA2/logs/scripts.log").exists());
    println!("resident: {} KiB", agent.memory());
}

#[test]
fn a_failing_hook_is_reported_with_its_output() {
    let plane = Plane::start();
    let agent = Agent::start(&plane);
    let appspec = appspec(&agent, &["ValidateService"]);
    let script = "echo not well >&2\nexit 3\n";
    plane.deploy("d-BBBBBBBB1", &[("appspec.yml", &appspec), ("app.txt", ""), ("h.sh", script)]);
    plane.run("1", "DownloadBundle");
    plane.send("2", "ValidateService");
    let (status, diagnostics) = plane.completion("2");
    assert_eq!(status, "Failed");
    assert_eq!(diagnostics["error_code"], 4);
    assert_eq!(diagnostics["script_name"], "h.sh");
    assert_eq!(
        diagnostics["log"],
        "LifecycleEvent - ValidateService\nScript - h.sh\n[stderr]not well\n"
    );
    plane.another_poll();
    assert_eq!(plane.completions("2"), 1, "a failure is reported once");
}

#[test]
fn a_command_that_the_service_takes_for_failed_is_not_run_and_one_that_does_nothing_has_succeeded()
{
    let plane = Plane::start();
    let agent = Agent::start(&plane);
    let appspec = appspec(&agent, &["AfterInstall"]);
    let script = format!("echo ran >> {}\n", agent.file("ran").display());
    plane.deploy("d-BBBBBBBB2", &[("appspec.yml", &appspec), ("app.txt", ""), ("h.sh", &script)]);
    plane.run("1", "DownloadBundle");
    plane.acknowledge_with("Failed");
    plane.send("2", "AfterInstall");
    plane.send("3", "ValidateService");
    let (status, diagnostics) = plane.completion("3");
    assert_eq!((status.as_str(), &diagnostics["error_code"]), ("Succeeded", &0.into()));
    assert_eq!(diagnostics["message"], "Succeeded: CompletedNoopCommand");
    let acknowledged = ("2".to_owned(), false);
    wait_for("the other's acknowledgement", || plane.acknowledged().contains(&acknowledged));
    plane.another_poll();
    assert_eq!(plane.completions("2"), 0);
    assert!(!agent.file("ran").exists());
}

#[test]
fn what_the_agent_keeps_is_for_its_owner_alone_and_revisions_are_for_all() {
    use std::os::unix::fs::PermissionsExt;
    let plane = Plane::start();
    let agent = Agent::start(&plane);
    let appspec = appspec(&agent, &["AfterInstall"]);
    plane.deploy(
        "d-BBBBBBBB3",
        &[("appspec.yml", &appspec), ("app.txt", ""), ("h.sh", "echo $DEPLOYMENT_ID\n")],
    );
    for event in EVENTS {
        plane.run(event, event);
    }
    let mode = |name: &str| {
        fs::metadata(agent.file("root").join(name)).unwrap().permissions().mode() & 0o777
    };
    let deployment = "group-1/d-BBBBBBBB3";
    for own in ["deployment-instructions", "deployment-logs", "command-journal", "install-ledger"] {
        assert_eq!(mode(own), 0o700, "{own}");
        for entry in fs::read_dir(agent.file("root").join(own)).unwrap().flatten() {
            assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{entry:?}");
        }
    }
    assert_eq!(mode(&format!("{deployment}/bundle.tar")), 0o600);
    assert_eq!(mode(&format!("{deployment}/logs")), 0o700);
    assert_eq!(mode(&format!("{deployment}/logs/scripts.log")), 0o600);
    for readable in ["", "group-1", deployment] {
        assert_eq!(mode(readable), 0o755, "{readable}");
    }
    assert_eq!(mode(&format!("{deployment}/deployment-archive")), 0o755);
}

#[test]
fn a_specification_of_another_signer_is_refused() {
    let plane = Plane::start();
    let _agent = Agent::start(&plane);
    let (_, certificate, key) = signer();
    plane.deploy_signed("d-CCCCCCCC1", &[("appspec.yml", "")], &key, &certificate);
    plane.send("1", "DownloadBundle");
    let (status, diagnostics) = plane.completion("1");
    assert_eq!((status.as_str(), &diagnostics["error_code"]), ("Failed", &5.into()));
    let message = diagnostics["message"].as_str().unwrap();
    assert!(message.contains("the deployment specification is refused"), "{message}");
    assert!(plane.acknowledged().is_empty());
}

#[test]
fn killed_in_a_hook_the_agent_reports_it_and_runs_it_once() {
    let plane = Plane::start();
    let mut agent = Agent::start(&plane);
    let appspec = appspec(&agent, &["AfterInstall"]);
    let script = format!(
        "echo $$ > {}\necho begun >> {}\nexec sleep 600\n",
        agent.file("hook-pid").display(),
        agent.file("ran").display()
    );
    plane.deploy("d-DDDDDDDD1", &[("appspec.yml", &appspec), ("app.txt", ""), ("h.sh", &script)]);
    plane.run("1", "DownloadBundle");
    plane.send("2", "AfterInstall");
    wait_for("the hook begins", || !lines(&agent, "ran").is_empty());
    agent.kill();
    agent.again();
    let (status, diagnostics) = plane.completion("2");
    assert_eq!((status.as_str(), &diagnostics["error_code"]), ("Failed", &7.into()));
    // It comes once more, as it may: the answer is the same, and nothing runs.
    wait_for("the second answer", || {
        plane.send("2", "AfterInstall");
        plane.another_poll();
        plane.completions("2") > 1
    });
    assert_eq!(lines(&agent, "ran").len(), 1);
    // As with the official agent, a hook outlives an agent that was killed.
    let hook = lines(&agent, "hook-pid").remove(0);
    assert!(std::process::Command::new("kill").arg(hook).status().unwrap().success());
}

#[test]
fn a_completion_that_nobody_heard_is_told_after_a_restart_and_nothing_runs_twice() {
    let plane = Plane::start();
    let mut agent = Agent::start(&plane);
    let appspec = appspec(&agent, &["AfterInstall"]);
    let script = format!("echo ran >> {}\n", agent.file("ran").display());
    plane.deploy("d-EEEEEEEE1", &[("appspec.yml", &appspec), ("app.txt", ""), ("h.sh", &script)]);
    plane.run("1", "DownloadBundle");
    plane.deafen(true);
    plane.send("2", "AfterInstall");
    let journal = agent.file("root/command-journal/commands.jsonl");
    let noted = || {
        fs::read_to_string(&journal)
            .unwrap()
            .lines()
            .any(|l| l.contains("\"2\"") && l.contains("Completed"))
    };
    wait_for("the completion is noted", noted);
    agent.kill();
    plane.deafen(false);
    agent.again();
    assert_eq!(plane.completion("2").0, "Succeeded");
    assert_eq!(lines(&agent, "ran"), ["ran"]);
}

#[test]
fn asked_to_end_an_idle_agent_ends_at_once_and_a_busy_one_finishes_first() {
    let plane = Plane::start();
    let mut agent = Agent::start(&plane);
    plane.another_poll();
    let idle = agent.terminate();
    assert!(idle < Duration::from_millis(1500), "{idle:?}");
    agent.again();
    let appspec = appspec(&agent, &["AfterInstall"]);
    let script = format!("echo ran > {}\nsleep 1\n", agent.file("ran").display());
    plane.deploy("d-FFFFFFFF1", &[("appspec.yml", &appspec), ("app.txt", ""), ("h.sh", &script)]);
    plane.run("1", "DownloadBundle");
    plane.send("2", "AfterInstall");
    wait_for("the hook begins", || agent.file("ran").exists());
    let busy = agent.terminate();
    assert!(busy > Duration::from_millis(300), "{busy:?}");
    assert_eq!(plane.completion("2").0, "Succeeded");
}

#[test]
fn started_stopped_and_asked_for_its_status() {
    let plane = Plane::start();
    let mut agent = Agent::start(&plane);
    plane.another_poll();
    agent.terminate();
    let run = |word: &str| agent.command(word).output().unwrap();
    assert_eq!(run("status").status.code(), Some(3));
    assert!(
        String::from_utf8_lossy(&run("stop").stdout)
            .contains("Nothing running that could be stopped")
    );
    assert!(run("start").status.success());
    plane.another_poll();
    let status = run("status");
    assert!(status.status.success());
    assert!(String::from_utf8_lossy(&status.stdout).contains("is running as PID"));
    assert!(!run("start").status.success(), "a second agent was started");
    let pid = || fs::read_to_string(agent.file("pid/codedeploy-agent.pid")).unwrap_or_default();
    let dead = pid();
    assert!(std::process::Command::new("kill").args(["-9", &dead]).status().unwrap().success());
    wait_for("a dead agent is started again", || run("status").status.success() && pid() != dead);
    plane.another_poll();
    let before = pid();
    assert_eq!(run("restart").status.code(), Some(0));
    assert_ne!(pid(), before);
    plane.another_poll();
    assert!(run("stop").status.success());
    assert_eq!(run("status").status.code(), Some(3));
    assert_eq!(run("stop").status.code(), Some(0));
    // With nothing to stop it is a start; with nothing to start from it fails, and says so.
    assert_eq!(run("restart").status.code(), Some(0));
    assert_eq!(run("status").status.code(), Some(0));
    assert_eq!(run("stop").status.code(), Some(0));
    fs::remove_file(agent.file("signer.pem")).unwrap();
    let failed = run("restart");
    assert_eq!(failed.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&failed.stderr).contains("see its log in"));
    let log = fs::read_to_string(agent.file("log/codedeploy-agent.log")).unwrap();
    assert!(log.contains("cannot read the signer's certificate"), "{log}");
    assert_eq!(run("status").status.code(), Some(3));
}

#[test]
fn a_restart_waits_for_the_event_that_runs() {
    let plane = Plane::start();
    let agent = Agent::prepare(&plane, "");
    let run = |agent: &Agent, word: &str| agent.command(word).output().unwrap();
    assert!(run(&agent, "start").status.success());
    let appspec = appspec(&agent, &["AfterInstall"]);
    let script = format!("echo ran >> {}\nsleep 1\n", agent.file("ran").display());
    plane.deploy("d-FFFFFFFF2", &[("appspec.yml", &appspec), ("app.txt", ""), ("h.sh", &script)]);
    plane.run("1", "DownloadBundle");
    plane.send("2", "AfterInstall");
    wait_for("the hook begins", || agent.file("ran").exists());
    let restarted = run(&agent, "restart");
    assert!(restarted.status.success());
    let said = String::from_utf8_lossy(&restarted.stdout).into_owned();
    assert!(said.contains("Waiting for the running lifecycle event of deployment d-FFFFFFFF2"));
    assert_eq!(plane.completion("2").0, "Succeeded");
    assert_eq!(lines(&agent, "ran"), ["ran"]);
    assert!(run(&agent, "stop").status.success());
}

#[test]
fn an_install_that_was_cut_short_is_undone_when_the_agent_starts() {
    let plane = Plane::start();
    let mut agent = Agent::start(&plane);
    agent.kill();
    // As a host leaves it that dies between two changes: the old file is away, the new one is not there.
    let (file, stage) = (agent.file("dest/a"), agent.file("dest/.longshore-0"));
    fs::create_dir_all(&stage).unwrap();
    fs::write(stage.join("1"), "old").unwrap();
    fs::write(stage.join("2"), "new").unwrap();
    fs::create_dir_all(agent.file("root/install-ledger")).unwrap();
    let journal = agent.file("root/install-ledger/group-1.switch");
    let (file_at, stage_at) = (file.display(), stage.display());
    let text = format!(
        "deployment /x\nstage {stage_at}\naway {file_at} {stage_at}/1\nplace {stage_at}/2 {file_at} file\nstaging\nswitching\n"
    );
    fs::write(&journal, text).unwrap();
    agent.again();
    wait_for("the install is undone", || !journal.exists());
    assert_eq!(fs::read_to_string(&file).unwrap(), "old");
    assert!(!stage.exists());
}

#[test]
fn an_install_waits_for_another_process_that_installs_for_the_group() {
    let plane = Plane::start();
    let agent = Agent::start(&plane);
    fs::create_dir_all(agent.file("root/install-ledger")).unwrap();
    let lock = fs::File::create(agent.file("root/install-ledger/group-1.lock")).unwrap();
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let appspec = appspec(&agent, &[]);
    plane.deploy("d-DDDDDDDD1", &[("appspec.yml", &appspec), ("app.txt", "")]);
    plane.run("1", "DownloadBundle");
    plane.send("2", "Install");
    std::thread::sleep(Duration::from_millis(500));
    assert!(!agent.file("dest/app.txt").exists());
    drop(lock);
    assert_eq!(plane.completion("2").0, "Succeeded");
    assert!(agent.file("dest/app.txt").exists());
}

#[test]
fn what_hooks_print_is_sent_while_they_run() {
    let plane = Plane::start();
    plane.take_output();
    let agent = Agent::start(&plane);
    let appspec = appspec(&agent, &["AfterInstall"]);
    let go = agent.file("go-on");
    let script = format!(
        "echo begun\nwhile [ ! -e {} ]; do sleep 0.05; done\necho done\nexit 4\n",
        go.display()
    );
    plane.deploy("d-GGGGGGGG1", &[("appspec.yml", &appspec), ("app.txt", ""), ("h.sh", &script)]);
    plane.run("1", "DownloadBundle");
    plane.send("2", "AfterInstall");
    wait_for("the first output", || plane.output("2").0.ends_with("begun\n"));
    assert_eq!(plane.completions("2"), 0);
    // A control plane that is away for a while misses nothing.
    plane.deafen(true);
    fs::write(&go, "").unwrap();
    std::thread::sleep(Duration::from_millis(700));
    plane.deafen(false);
    assert_eq!(plane.completion("2").0, "Failed");
    let (text, numbers) = plane.output("2");
    assert_eq!(text, "LifecycleEvent - AfterInstall\nScript - h.sh\nbegun\ndone\n");
    assert!(numbers.is_sorted_by(|one, next| one < next), "{numbers:?}");
}

#[test]
fn a_service_that_takes_no_output_is_asked_once() {
    let plane = Plane::start();
    let agent = Agent::start(&plane);
    let appspec = appspec(&agent, &["BeforeInstall", "AfterInstall"]);
    let files = [("appspec.yml", appspec.as_str()), ("app.txt", ""), ("h.sh", "echo hello\n")];
    plane.deploy("d-HHHHHHHH1", &files);
    for (id, event) in [("1", "DownloadBundle"), ("2", "BeforeInstall"), ("3", "AfterInstall")] {
        plane.run(id, event);
    }
    assert_eq!(plane.refused(), 1);
}
