//! What an instance is given at its start: files, environment, user data.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use compute::{FileSource, InstanceSpec, ProvisionedFile};
use model::ids::InvalidId;

use super::AgentKit;
use crate::ec2::{IMAGE_WITH_AGENT, InstanceRecord, State};

const AGENT: &str = "/opt/codedeploy-agent/bin/longshore-agent";
const AGENT_SCRIPT: &str = "/etc/init.d/codedeploy-agent";
const SIGNER: &str = "/etc/codedeploy-agent/conf/longshore-signer.pem";

/// How the instance of `record` is to be started. `endpoint` is this server as instances reach it.
pub(super) fn spec(
    record: &InstanceRecord,
    endpoint: &str,
    public_key: Option<String>,
    agent: Option<&AgentKit>,
) -> Result<InstanceSpec, InvalidId> {
    let mut files = settings(record, endpoint);
    // Later, what is on the disk is the instance's own affair.
    if is_first(record) {
        files.extend(first_files(public_key));
        if let Some(agent) = agent
            && record.image == IMAGE_WITH_AGENT
        {
            files.extend(agent_files(agent, endpoint));
        }
    }
    let user_data = record.user_data.as_ref().and_then(|text| STANDARD.decode(text).ok());
    Ok(InstanceSpec {
        id: record.id.parse()?,
        address: record.address,
        hostname: record.private_dns_name(),
        files,
        user_data,
        environment: environment(record, endpoint),
    })
}

/// Whether it has never been up.
fn is_first(record: &InstanceRecord) -> bool {
    record.boots == 1 && record.state == State::Pending
}

/// Source: AWS SDKs reference, "Service-specific endpoints" and "AWS Region".
fn environment(record: &InstanceRecord, endpoint: &str) -> Vec<(String, String)> {
    vec![
        ("AWS_ENDPOINT_URL".to_owned(), endpoint.to_owned()),
        ("AWS_DEFAULT_REGION".to_owned(), record.region.clone()),
    ]
}

/// What makes clients inside find this server, written anew at every start, because the address may be another one.
fn settings(record: &InstanceRecord, endpoint: &str) -> Vec<ProvisionedFile> {
    let exports: String = environment(record, endpoint)
        .iter()
        .map(|(name, value)| format!("export {name}='{value}'\n"))
        .collect();
    let config = format!("[default]\nregion = {}\nendpoint_url = {endpoint}\n", record.region);
    vec![
        text("/etc/profile.d/longshore.sh", 0o644, exports),
        text("/root/.aws/config", 0o600, config),
    ]
}

fn first_files(public_key: Option<String>) -> Vec<ProvisionedFile> {
    // An instance sees the machine's own files; credentials that the machine's root may have are not for it, and
    // would hide those of its role.
    let mut files = vec![text("/root/.aws/credentials", 0o600, String::new())];
    let keys = public_key.map(|line| format!("{line}\n")).unwrap_or_default();
    files.push(text("/root/.ssh/authorized_keys", 0o600, keys));
    files
}

/// The agent's own installer runs as the boot service that it then replaces with the real one.
fn agent_files(agent: &AgentKit, endpoint: &str) -> Vec<ProvisionedFile> {
    // One `exec`, because the installer replaces this very file while it runs.
    let script = format!(
        "#!/bin/sh\n# Installs longshore-agent at the first start.\n\
         exec {AGENT} install --endpoint '{endpoint}' --signer-certificate {SIGNER} --start\n"
    );
    vec![
        ProvisionedFile {
            path: AGENT.into(),
            mode: 0o755,
            source: FileSource::Machine(agent.binary.clone()),
        },
        text(SIGNER, 0o644, agent.signer_certificate.clone()),
        text(AGENT_SCRIPT, 0o755, script),
    ]
}

fn text(path: &str, mode: u32, contents: String) -> ProvisionedFile {
    let source = FileSource::Contents(contents.into_bytes());
    ProvisionedFile { path: path.into(), mode, source }
}

#[cfg(test)]
mod tests {
    use super::super::step::tests::record;
    use super::*;

    fn paths(record: &InstanceRecord) -> Vec<String> {
        let agent = AgentKit { binary: "/a".into(), signer_certificate: "pem".into() };
        let spec = spec(record, "http://10.1.2.1:7400", Some("ssh-ed25519 A".into()), Some(&agent));
        spec.unwrap().files.into_iter().map(|file| file.path.into_string()).collect()
    }

    #[test]
    fn the_agent_comes_with_its_image_at_the_first_start_only() {
        let has_agent = |record: &InstanceRecord| paths(record).iter().any(|path| path == AGENT);
        assert!(has_agent(&record()));
        assert!(!has_agent(&InstanceRecord { boots: 2, ..record() }));
        // It was up, then the machine was switched off and on.
        assert!(!has_agent(&InstanceRecord { state: State::Running, ..record() }));
        let bare = crate::ec2::IMAGE_BARE.to_owned();
        assert!(!has_agent(&InstanceRecord { image: bare, ..record() }));
    }

    #[test]
    fn an_instance_finds_the_server_by_itself() {
        let record = InstanceRecord { user_data: Some(STANDARD.encode("#!/bin/sh")), ..record() };
        let spec = spec(&record, "http://10.1.2.1:7400", None, None).unwrap();
        assert_eq!(spec.hostname, "ip-10-1-2-5.ec2.internal");
        assert_eq!(spec.user_data.as_deref(), Some(b"#!/bin/sh".as_slice()));
        let config = spec.files.iter().find(|file| file.path == "/root/.aws/config").unwrap();
        let FileSource::Contents(text) = &config.source else { panic!("a text") };
        let text = String::from_utf8_lossy(text);
        assert!(text.contains("endpoint_url = http://10.1.2.1:7400\n"), "{text}");
        assert!(spec.environment.iter().any(|(name, _)| name == "AWS_ENDPOINT_URL"));
    }
}
