//! Deployments without a control plane, by each name of the command, with each option of the official one.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output};

use crate::support::Plane;

const PROGRAM: &str = env!("CARGO_BIN_EXE_longshore-agent");

struct Host(tempfile::TempDir);

impl Host {
    /// With a revision whose AppSpec is called `other.yml`, and that tells its environment.
    fn new() -> Self {
        let host = Self(tempfile::tempdir().unwrap());
        let here = host.0.path().display();
        let config = format!(
            ":root_dir: '{here}/root'\n:log_dir: '{here}/log'\n:pid_dir: '{here}/pid'\n:on_premises_config_file: '{here}/none'\n"
        );
        fs::create_dir(host.file("revision")).unwrap();
        fs::write(host.file("agent.yml"), config).unwrap();
        fs::write(host.file("revision/app.txt"), "new").unwrap();
        let script = format!(
            "echo $LIFECYCLE_EVENT $APPLICATION_NAME $DEPLOYMENT_GROUP_NAME $DEPLOYMENT_GROUP_ID $DEPLOYMENT_ID >> {here}/ran\n"
        );
        fs::write(host.file("revision/h.sh"), script).unwrap();
        fs::write(
            host.file("revision/other.yml"),
            format!(
                "version: 0.0\nos: linux\nfiles:\n  - source: app.txt\n    destination: {here}/dest\nhooks:\n  \
                 AfterInstall:\n    - location: h.sh\n  WarmUp:\n    - location: h.sh\n"
            ),
        )
        .unwrap();
        host
    }

    fn file(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, program: &Path, word: Option<&str>, arguments: &[&str]) -> Output {
        Command::new(program)
            .args(word)
            .args(arguments)
            .current_dir(self.file("revision"))
            .output()
            .unwrap()
    }

    fn said(output: &Output) -> String {
        format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )
    }
}

#[test]
fn every_option_counts_by_its_long_name_and_its_short_one() {
    let long = [
        "--bundle-location",
        "--type",
        "--file-exists-behavior",
        "--deployment-group",
        "--deployment-group-name",
        "--application-name",
        "--events",
        "--agent-configuration-file",
        "--appspec-filename",
    ];
    let short = ["-l", "-t", "-b", "-g", "-d", "-a", "-e", "-c", "-A"];
    let host = Host::new();
    let as_original = host.file("codedeploy-local");
    symlink(PROGRAM, &as_original).unwrap();
    let ways = [
        (Path::new(PROGRAM), Some("local"), long),
        (Path::new(PROGRAM), Some("deploy-local"), long),
        (Path::new(PROGRAM), Some("deploy-local"), short),
        (&as_original, None, short),
    ];
    for (number, (program, word, names)) in ways.into_iter().enumerate() {
        let _ = fs::remove_file(host.file("ran"));
        fs::create_dir_all(host.file("dest")).unwrap();
        // Somebody's: without OVERWRITE it would be in the way.
        fs::write(host.file("dest/app.txt"), "theirs").unwrap();
        let (location, config) = (host.file("revision"), host.file("agent.yml"));
        let group = format!("group-{number}");
        let values = [
            location.to_str().unwrap(),
            "directory",
            "OVERWRITE",
            &group,
            "Fleet",
            "Shop",
            "AfterInstall,WarmUp",
            config.to_str().unwrap(),
            "other.yml",
        ];
        let arguments: Vec<&str> = names.iter().zip(values).flat_map(|(n, v)| [*n, v]).collect();
        let done = host.run(program, word, &arguments);
        let said = Host::said(&done);
        assert_eq!(done.status.code(), Some(0), "{said}");
        assert_eq!(fs::read_to_string(host.file("dest/app.txt")).unwrap(), "new");
        let ran = fs::read_to_string(host.file("ran")).unwrap();
        let ids: Vec<&str> = ran.lines().map(|line| line.rsplit_once(' ').unwrap().1).collect();
        assert!(ids[0].starts_with("d-") && ids[0].ends_with("-local"), "{ran}");
        assert_eq!(
            ran.replace(ids[0], "ID"),
            format!("AfterInstall Shop Fleet {group} ID\nWarmUp Shop Fleet {group} ID\n")
        );
        let folder = host.file("root").join(&group).join(ids[0]);
        assert!(said.contains(&format!(
            "Starting to execute deployment from within folder {}\n",
            folder.display()
        )));
        assert!(said.contains(&format!(
            "See the deployment log at {}/logs/scripts.log for more details\n",
            folder.display()
        )));
        assert!(said.contains("AppSpec file valid. Local deployment successful\n"));
        assert!(folder.join("logs/scripts.log").is_file());
    }
}

#[test]
fn without_options_it_is_the_current_directory_and_what_the_official_one_takes() {
    let host = Host::new();
    fs::rename(host.file("revision/other.yml"), host.file("revision/appspec.yml")).unwrap();
    let config = host.file("agent.yml");
    let done = host.run(Path::new(PROGRAM), Some("local"), &["-c", config.to_str().unwrap()]);
    // The custom event is in the AppSpec, and nobody named it.
    assert_eq!(done.status.code(), Some(1), "{}", Host::said(&done));
    assert!(
        Host::said(&done).contains("unknown lifecycle events: [\"WarmUp\"]"),
        "{}",
        Host::said(&done)
    );
    let text = fs::read_to_string(host.file("revision/appspec.yml")).unwrap();
    let text = text.split("  WarmUp").next().unwrap();
    fs::write(host.file("revision/appspec.yml"), text).unwrap();
    let done = host.run(Path::new(PROGRAM), Some("local"), &["-c", config.to_str().unwrap()]);
    assert_eq!(done.status.code(), Some(0), "{}", Host::said(&done));
    let ran = fs::read_to_string(host.file("ran")).unwrap();
    assert!(
        ran.starts_with("AfterInstall . LocalFleet default-local-deployment-group d-"),
        "{ran}"
    );
    // Once more: the file is this group's own by now. For another group it is in the way.
    let again = host.run(Path::new(PROGRAM), Some("local"), &["-c", config.to_str().unwrap()]);
    assert_eq!(again.status.code(), Some(0));
    let other = ["-c", config.to_str().unwrap(), "-g", "other"];
    let done = host.run(Path::new(PROGRAM), Some("local"), &other);
    assert_eq!(done.status.code(), Some(1));
    assert!(Host::said(&done).contains("a specified file already exists at this location"));
}

#[test]
fn what_cannot_be_tried_says_why() {
    let host = Host::new();
    let config = host.file("agent.yml");
    let config = config.to_str().unwrap();
    let fails = |arguments: &[&str], says: &str| {
        let done = host.run(Path::new(PROGRAM), Some("deploy-local"), arguments);
        let said = Host::said(&done);
        assert_eq!(done.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(said.contains(says), "{arguments:?}: {said}");
    };
    fails(&["-c", "/no/such/file"], "/no/such/file");
    fails(
        &["-c", config, "-t", "rar"],
        "type rar is not a valid type. Must be one of tgz,tar,zip,directory",
    );
    fails(
        &["-c", config, "-l", "/no/such/place"],
        "/no/such/place is specified but does not exist",
    );
    fails(&["-c", config, "-l", "http://x/y.zip", "-t", "zip"], "cannot be used");
    fails(&["-c", config, "-l", "s3://bucket-only"], "is not of the form s3://bucket/key");
    fails(&["-c", config, "-l", "agent.yml", "-t", "zip"], "does not exist");
    fails(&["-c", config, "-l", "h.sh"], "is a file");
    fails(&["-c", config], "Expecting appspec file at location");
    fails(&["-c", config, "-A", "none.yml"], "none.yml");
    fails(
        &["-c", config, "-A", "other.yml", "-e", "Install,DownloadBundle"],
        "before DownloadBundle are",
    );
    fails(&["-c", config, "-A", "other.yml", "-e", "warm-up"], "PascalCase");
    fails(&["-c", config, "-A", "other.yml", "--nothing"], "--nothing");
    fs::write(host.file("revision/h.sh"), "echo not well >&2\nexit 3\n").unwrap();
    let events = "AfterInstall,WarmUp";
    fails(
        &["-c", config, "-A", "other.yml", "-e", events],
        "failed while trying to execute your script at",
    );
    for version in ["-v", "--version"] {
        let done = host.run(Path::new(PROGRAM), Some("deploy-local"), &[version]);
        assert_eq!(done.status.code(), Some(0));
        assert!(Host::said(&done).starts_with("longshore-agent "), "{}", Host::said(&done));
    }
    let help = host.run(Path::new(PROGRAM), Some("deploy-local"), &["--help"]);
    assert!(Host::said(&help).contains("--file-exists-behavior"));
}

#[test]
fn the_storage_is_asked_with_the_keys_of_the_host_or_else_of_whoever_deploys() {
    let (host, plane) = (Host::new(), Plane::start());
    let text = "version: 0.0\nos: linux\nhooks:\n  ValidateService:\n    - location: h.sh\n";
    let script = format!("echo $AWS_REGION >> {}\n", host.file("regions").display());
    plane.deploy("d-AAAAAAAA1", &[("appspec.yml", text), ("h.sh", &script)]);
    let config = fs::read_to_string(host.file("agent.yml")).unwrap();
    let config = format!("{config}:s3_endpoint_override: '{}'\n", plane.address);
    fs::write(host.file("agent.yml"), config).unwrap();
    let succeed = || {
        let done = Command::new(PROGRAM)
            .args(["local", "-t", "tar", "-l", "s3://bundles/a.tar", "-c"])
            .arg(host.file("agent.yml"))
            .envs([("AWS_ACCESS_KEY_ID", "ASIAME"), ("AWS_SECRET_ACCESS_KEY", "secret")])
            .envs([("AWS_SESSION_TOKEN", "my-token"), ("AWS_REGION", "eu-west-1")])
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", Host::said(&done));
    };
    plane.know_only("ASIAME");
    succeed();
    assert_eq!(plane.session_token().as_deref(), Some("my-token"));
    let registered = "region: eu-central-1\niam_user_arn: arn:aws:iam::1:user/web\naws_access_key_id: AKIAHOST\naws_secret_access_key: s\n";
    fs::write(host.file("none"), registered).unwrap();
    plane.know_only("AKIAHOST");
    succeed();
    assert_eq!(plane.session_token(), None);
    assert_eq!(fs::read_to_string(host.file("regions")).unwrap(), "eu-west-1\neu-central-1\n");
}

#[test]
fn a_bundle_is_checked_anywhere_with_line_and_column() {
    let host = Host::new();
    let check = |path: &str| host.run(Path::new(PROGRAM), Some("validate"), &[path]);
    let good = check("other.yml");
    assert_eq!(good.status.code(), Some(0), "{}", Host::said(&good));
    let text = "version: 0.0\nos: linux\nhooks:\n  AfterInstall:\n    - location: h.sh\n      timeout: soon\n";
    fs::write(host.file("revision/appspec.yml"), text).unwrap();
    for path in ["appspec.yml", "."] {
        let bad = check(path);
        assert_eq!(bad.status.code(), Some(1), "{}", Host::said(&bad));
        assert!(Host::said(&bad).contains(":6:16: "), "{}", Host::said(&bad));
    }
    assert_eq!(check("/no/such/place").status.code(), Some(1));
}
