use super::*;

/// A certificate that is only ever compared, never used.
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";

fn options(root: &Utf8Path) -> Options {
    let signer_certificate = root.join("given.pem");
    fs::write(&signer_certificate, CERTIFICATE).unwrap();
    let endpoint = "http://10.1.2.1:7400".to_owned();
    Options { endpoint, signer_certificate, start: false, root: root.join("host") }
}

#[test]
fn what_is_installed_works_as_configuration_and_goes_without_a_trace() {
    let dir = tempfile::tempdir().unwrap();
    let root = Utf8Path::from_path(dir.path()).unwrap();
    let options = options(root);
    let host = &options.root;
    fs::create_dir_all(host.join("etc/init.d")).unwrap();
    install(&options).unwrap();
    let path = host.join("etc/codedeploy-agent/conf/codedeployagent.yml");
    let config = Config::load(Some(&path)).unwrap();
    assert_eq!(config.deploy_control_endpoint.as_deref(), Some("http://10.1.2.1:7400"));
    assert_eq!(config.s3_path_style, Some(true));
    assert_eq!(config.signer_certificate_file.as_deref(), Some(Utf8Path::new(SIGNER)));
    let script = host.join("etc/init.d/codedeploy-agent");
    assert_eq!(fs::metadata(&script).unwrap().permissions().mode() & 0o777, 0o755);
    let checked = Command::new("sh").arg("-n").arg(&script).status().unwrap();
    assert!(checked.success());
    assert!(uninstall(host).unwrap().is_empty());
    let mut left = Vec::new();
    for entry in host.read_dir_utf8().unwrap().flatten() {
        left.extend(entry.path().read_dir_utf8().unwrap().flatten().map(|e| e.path().to_owned()));
    }
    assert_eq!(
        left,
        [host.join("etc/init.d"), host.join("var/log")]
            .iter()
            .filter(|p| p.exists())
            .cloned()
            .collect::<Vec<_>>()
    );
    uninstall(host).unwrap();
}

#[test]
fn what_the_configuration_put_elsewhere_is_named_and_stays() {
    let dir = tempfile::tempdir().unwrap();
    let options = options(Utf8Path::from_path(dir.path()).unwrap());
    install(&options).unwrap();
    let host = &options.root;
    let path = host.join("etc/codedeploy-agent/conf/codedeployagent.yml");
    let text = fs::read_to_string(&path).unwrap() + ":root_dir: /data/deploy\n:log_dir: /gone\n";
    fs::write(&path, text).unwrap();
    fs::create_dir_all(host.join("data/deploy/deployment-logs")).unwrap();
    assert_eq!(uninstall(host).unwrap(), [host.join("data/deploy")]);
    assert!(host.join("data/deploy/deployment-logs").exists());
    assert!(!host.join("opt/codedeploy-agent").exists());
}

#[test]
fn where_a_package_brought_the_agent_only_its_settings_are_written() {
    let dir = tempfile::tempdir().unwrap();
    let root = Utf8Path::from_path(dir.path()).unwrap();
    let options = options(root);
    let unit = options.root.join("usr/lib/systemd/system/codedeploy-agent.service");
    fs::create_dir_all(unit.parent().unwrap()).unwrap();
    fs::write(&unit, "of the package").unwrap();
    install(&options).unwrap();
    let config = options.root.join("etc/codedeploy-agent/conf/codedeployagent.yml");
    let config = Config::load(Some(&config)).unwrap();
    assert_eq!(config.deploy_control_endpoint.as_deref(), Some("http://10.1.2.1:7400"));
    for packaged in ["opt/codedeploy-agent", "etc/init.d", "etc/systemd"] {
        assert!(!options.root.join(packaged).exists(), "{packaged}");
    }
    assert!(uninstall(&options.root).unwrap_err().to_string().contains("came as a package"));
    assert_eq!(fs::read_to_string(&unit).unwrap(), "of the package");
}

#[test]
fn systemd_understands_the_unit() {
    let dir = tempfile::tempdir().unwrap();
    let unit = Utf8Path::from_path(dir.path()).unwrap().join("codedeploy-agent.service");
    // Its program must be there, and need not do anything.
    let text = service_unit::UNIT.replace("/opt/codedeploy-agent/bin/longshore-agent", "/bin/true");
    fs::write(&unit, text.replace("WorkingDirectory=/opt/codedeploy-agent", "WorkingDirectory=/"))
        .unwrap();
    match Command::new("systemd-analyze").arg("verify").arg(&unit).output() {
        Err(error) => println!("skipped: no systemd-analyze: {error}"),
        Ok(done) => {
            let words = String::from_utf8_lossy(&done.stderr);
            assert!(done.status.success() && !words.contains("Unknown"), "{words}");
        }
    }
}

#[test]
fn installing_again_keeps_the_users_settings_and_takes_the_new_endpoint() {
    let dir = tempfile::tempdir().unwrap();
    let root = Utf8Path::from_path(dir.path()).unwrap();
    let mut options = options(root);
    install(&options).unwrap();
    let path = options.root.join("etc/codedeploy-agent/conf/codedeployagent.yml");
    let text =
        fs::read_to_string(&path).unwrap().replace(":max_revisions: 5", ":max_revisions: 2 # mine");
    fs::write(&path, text).unwrap();
    options.endpoint = "https://deploy.test".to_owned();
    install(&options).unwrap();
    let config = Config::load(Some(&path)).unwrap();
    assert_eq!(config.max_revisions, 2);
    assert_eq!(config.deploy_control_endpoint.as_deref(), Some("https://deploy.test"));
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text.matches("deploy_control_endpoint").count(), 1);
}

#[test]
fn another_agent_and_a_wrong_certificate_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let root = Utf8Path::from_path(dir.path()).unwrap();
    let mut options = options(root);
    fs::create_dir_all(options.root.join("etc/init.d")).unwrap();
    fs::write(options.root.join("etc/init.d/codedeploy-agent"), "#!/bin/sh\n# official\n").unwrap();
    assert!(install(&options).unwrap_err().to_string().contains("belongs to another agent"));
    assert!(uninstall(&options.root).is_err());
    fs::remove_file(options.root.join("etc/init.d/codedeploy-agent")).unwrap();
    fs::write(&options.signer_certificate, "no certificate").unwrap();
    assert!(install(&options).unwrap_err().to_string().contains("no certificate in PEM form"));
    options.endpoint = "deploy.test".to_owned();
    assert!(install(&options).unwrap_err().to_string().contains("not the URL"));
}
