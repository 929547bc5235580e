//! What the server publishes to its hosts: the agent's installer.
//!
//! It is a shell script with the agent's executable appended, so that a host needs one file and no package. It is
//! made for each caller: the address that the caller used is the one its agent will use.

use std::sync::Arc;

use bytes::Bytes;
use camino::Utf8PathBuf;

use crate::s3::{Published, PublishedObject};
use crate::signer::Signer;

const SCRIPT: &str = include_str!("published/install.sh");

/// The installer's key, as on AWS.
const KEY: &str = "latest/install";

/// Offers the installer.
pub struct Installer {
    agent: Utf8PathBuf,
    signer: Arc<Signer>,
}

impl Installer {
    /// An installer of the agent whose executable is the file `agent`.
    pub fn new(agent: Utf8PathBuf, signer: Arc<Signer>) -> Self {
        Self { agent, signer }
    }
}

impl Published for Installer {
    fn keys(&self) -> Vec<String> {
        vec![KEY.to_owned()]
    }

    fn object(&self, key: &str, host: &str) -> Option<PublishedObject> {
        if key != KEY {
            return None;
        }
        let script = script(&endpoint(host)?, self.signer.certificate_pem());
        Some(PublishedObject {
            content_type: "text/x-shellscript".to_owned(),
            head: Bytes::from(script),
            file: Some(self.agent.clone().into_std_path_buf()),
        })
    }
}

/// The address of the server, from the `Host` that a caller used. What is no host name is not put into a script.
fn endpoint(host: &str) -> Option<String> {
    let harmless = |c: char| c.is_ascii_alphanumeric() || ".:-[]_".contains(c);
    if host.is_empty() || !host.chars().all(harmless) {
        return None;
    }
    // The bucket may be part of the name: `aws-codedeploy-us-east-1.localhost`, or with `s3` in between.
    let server = match host.split_once('.') {
        Some((bucket, rest)) if bucket.starts_with("aws-codedeploy-") => {
            rest.strip_prefix("s3.").unwrap_or(rest)
        }
        _ => host,
    };
    Some(format!("http://{server}"))
}

/// The script's text; it knows at which byte of the whole file (from 1) the agent begins.
fn script(endpoint: &str, signer_pem: &str) -> String {
    let text = SCRIPT
        .replace("@ENDPOINT@", endpoint)
        .replace("@MACHINE@", std::env::consts::ARCH)
        .replace("@SIGNER_PEM@", signer_pem.trim_end());
    const MARK: &str = "@AGENT_START@";
    // As long as the mark, so that filling it in moves nothing.
    let start = text.len() + 1;
    text.replace(MARK, &format!("{start:<width$}", width = MARK.len()))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn the_endpoint_is_the_address_that_the_caller_used() {
        for (host, expected) in [
            ("127.0.0.1:7400", Some("http://127.0.0.1:7400")),
            ("aws-codedeploy-us-east-1.localhost:7400", Some("http://localhost:7400")),
            ("aws-codedeploy-us-east-1.s3.example.org", Some("http://example.org")),
            ("[::1]:7400", Some("http://[::1]:7400")),
            ("x'; rm -rf /;'", None),
            ("", None),
        ] {
            assert_eq!(endpoint(host).as_deref(), expected, "{host}");
        }
    }

    #[test]
    fn the_script_is_valid_and_knows_where_the_agent_begins() {
        let text = script("http://127.0.0.1:7400", "-----BEGIN CERTIFICATE-----\nx\n");
        assert!(!text.contains('@'), "a mark was left");
        let start = text.lines().find_map(|line| line.strip_prefix("agent_start=")).unwrap();
        assert_eq!(start.trim().parse::<usize>().unwrap(), text.len() + 1);
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("install");
        std::fs::write(&path, [text.as_bytes(), b"\x7fELF agent"].concat()).unwrap();
        let help = Command::new("sh").arg(&path).arg("--help").output().unwrap();
        assert!(help.status.success());
        assert!(String::from_utf8_lossy(&help.stdout).contains("./install"));
        let wrong = Command::new("sh").arg(&path).arg("sideways").output().unwrap();
        assert!(!wrong.status.success());
        let cut =
            Command::new("tail").args(["-c", &format!("+{}", start.trim())]).arg(&path).output();
        assert_eq!(cut.unwrap().stdout, b"\x7fELF agent");
    }
}
