//! The tree of metadata: which path says what. Source: EC2 user guide, "Instance metadata categories".

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use model::Timestamp;
use serde_json::json;

/// What an instance can ask about itself.
#[derive(Debug, Clone)]
pub struct Facts {
    pub account: String,
    pub region: String,
    pub availability_zone: String,
    pub instance_id: String,
    pub image_id: String,
    pub instance_type: String,
    pub address: Ipv4Addr,
    /// The full host name, `ip-10-1-2-3.ec2.internal`.
    pub hostname: String,
    pub reservation_id: String,
    /// The place of the instance in its reservation, from 0.
    pub launch_index: u32,
    pub launched: Timestamp,
    pub security_groups: Vec<String>,
    pub key: Option<PublicKey>,
    pub tags: BTreeMap<String, String>,
    pub user_data: Option<Vec<u8>>,
    pub profile: Option<Profile>,
}

/// The key pair of an instance.
#[derive(Debug, Clone)]
pub struct PublicKey {
    pub name: String,
    /// One line as `authorized_keys` takes it.
    pub openssh: String,
}

/// The instance profile.
#[derive(Debug, Clone)]
pub struct Profile {
    pub arn: String,
    pub id: String,
    /// The name of its role, if it has one.
    pub role: Option<String>,
}

/// Temporary credentials of the instance's role.
#[derive(Debug, Clone)]
pub struct Credentials {
    pub access_key_id: String,
    pub secret_access_key: String,
    pub token: String,
    pub expires: Timestamp,
}

/// What is found at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Text(String),
    Bytes(Vec<u8>),
    /// The credentials of this role are wanted: the caller has them.
    CredentialsOf(String),
    Missing,
}

/// What is found at `path`. Any version in front (`latest`, `2021-07-15` …) means the same.
pub fn look_up(facts: &Facts, path: &str) -> Answer {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        [] => Answer::Text("latest".to_owned()),
        [version, ..] if !is_version(version) => Answer::Missing,
        [_] => list(&["dynamic", "meta-data", "user-data"]),
        [_, "user-data"] => facts.user_data.clone().map_or(Answer::Missing, Answer::Bytes),
        [_, "dynamic"] => list(&["instance-identity/"]),
        [_, "dynamic", "instance-identity"] => list(&["document"]),
        [_, "dynamic", "instance-identity", "document"] => Answer::Text(identity_document(facts)),
        [_, "meta-data", rest @ ..] => meta_data(facts, rest),
        [_, ..] => Answer::Missing,
    }
}

fn is_version(part: &str) -> bool {
    part == "latest"
        || part == "1.0"
        || (part.len() == 10 && part.bytes().all(|b| b.is_ascii_digit() || b == b'-'))
}

fn meta_data(facts: &Facts, path: &[&str]) -> Answer {
    let text = |text: &str| Answer::Text(text.to_owned());
    match path {
        [] => Answer::Text(top_level(facts).join("\n")),
        ["ami-id"] => text(&facts.image_id),
        ["ami-launch-index"] => Answer::Text(facts.launch_index.to_string()),
        ["hostname" | "local-hostname"] => text(&facts.hostname),
        ["instance-id"] => text(&facts.instance_id),
        ["instance-life-cycle"] => text("on-demand"),
        ["instance-type"] => text(&facts.instance_type),
        ["local-ipv4"] => Answer::Text(facts.address.to_string()),
        ["reservation-id"] => text(&facts.reservation_id),
        ["security-groups"] => Answer::Text(facts.security_groups.join("\n")),
        ["placement"] => list(&["availability-zone", "region"]),
        ["placement", "availability-zone"] => text(&facts.availability_zone),
        ["placement", "region"] => text(&facts.region),
        ["services"] => list(&["domain", "partition"]),
        ["services", "domain"] => text("amazonaws.com"),
        ["services", "partition"] => text("aws"),
        ["tags", rest @ ..] => tags(facts, rest),
        ["public-keys", rest @ ..] => {
            facts.key.as_ref().map_or(Answer::Missing, |key| public_keys(key, rest))
        }
        ["iam", rest @ ..] => {
            facts.profile.as_ref().map_or(Answer::Missing, |profile| iam(facts, profile, rest))
        }
        _ => Answer::Missing,
    }
}

fn top_level(facts: &Facts) -> Vec<&'static str> {
    let mut names = vec![
        "ami-id",
        "ami-launch-index",
        "hostname",
        "iam/",
        "instance-id",
        "instance-life-cycle",
        "instance-type",
        "local-hostname",
        "local-ipv4",
        "placement/",
        "public-keys/",
        "reservation-id",
        "security-groups",
        "services/",
        "tags/",
    ];
    names.retain(|name| match *name {
        "iam/" => facts.profile.is_some(),
        "public-keys/" => facts.key.is_some(),
        _ => true,
    });
    names
}

fn tags(facts: &Facts, path: &[&str]) -> Answer {
    match path {
        [] => list(&["instance/"]),
        ["instance"] => Answer::Text(facts.tags.keys().cloned().collect::<Vec<_>>().join("\n")),
        // A key may hold slashes.
        ["instance", key @ ..] => {
            facts.tags.get(&key.join("/")).cloned().map_or(Answer::Missing, Answer::Text)
        }
        _ => Answer::Missing,
    }
}

fn public_keys(key: &PublicKey, path: &[&str]) -> Answer {
    match path {
        [] => Answer::Text(format!("0={}", key.name)),
        ["0"] => list(&["openssh-key"]),
        ["0", "openssh-key"] => Answer::Text(key.openssh.clone()),
        _ => Answer::Missing,
    }
}

fn iam(facts: &Facts, profile: &Profile, path: &[&str]) -> Answer {
    match path {
        [] => list(&["info", "security-credentials/"]),
        ["info"] => Answer::Text(pretty(&json!({
            "Code": "Success",
            "LastUpdated": iso(facts.launched),
            "InstanceProfileArn": profile.arn,
            "InstanceProfileId": profile.id,
        }))),
        ["security-credentials"] => profile.role.clone().map_or(Answer::Missing, Answer::Text),
        ["security-credentials", role] if profile.role.as_deref() == Some(*role) => {
            Answer::CredentialsOf((*role).to_owned())
        }
        _ => Answer::Missing,
    }
}

fn identity_document(facts: &Facts) -> String {
    pretty(&json!({
        "accountId": facts.account,
        "architecture": "x86_64",
        "availabilityZone": facts.availability_zone,
        "imageId": facts.image_id,
        "instanceId": facts.instance_id,
        "instanceType": facts.instance_type,
        "pendingTime": iso(facts.launched),
        "privateIp": facts.address.to_string(),
        "region": facts.region,
        "version": "2017-09-30",
    }))
}

/// The document that SDKs read temporary credentials from.
pub fn credentials_document(credentials: &Credentials, now: Timestamp) -> String {
    pretty(&json!({
        "Code": "Success",
        "LastUpdated": iso(now),
        "Type": "AWS-HMAC",
        "AccessKeyId": credentials.access_key_id,
        "SecretAccessKey": credentials.secret_access_key,
        "Token": credentials.token,
        "Expiration": iso(credentials.expires),
    }))
}

fn list(names: &[&str]) -> Answer {
    Answer::Text(names.join("\n"))
}

/// The service writes a blank before each colon; some scripts pick values out with that in mind.
fn pretty(value: &serde_json::Value) -> String {
    let lines: Vec<String> = value
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("  \"{key}\" : {value}"))
        .collect();
    format!("{{\n{}\n}}", lines.join(",\n"))
}

fn iso(time: Timestamp) -> String {
    let whole_seconds =
        jiff::Timestamp::from_second(time.as_millis().div_euclid(1000)).unwrap_or_default();
    whole_seconds.to_string()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn facts() -> Facts {
        Facts {
            account: "123456789012".to_owned(),
            region: "us-east-1".to_owned(),
            availability_zone: "us-east-1a".to_owned(),
            instance_id: "i-0123456789abcdef0".to_owned(),
            image_id: "ami-b66ed3de".to_owned(),
            instance_type: "t2.micro".to_owned(),
            address: Ipv4Addr::new(10, 1, 2, 3),
            hostname: "ip-10-1-2-3.ec2.internal".to_owned(),
            reservation_id: "r-1".to_owned(),
            launch_index: 0,
            launched: Timestamp::from_millis(1_467_324_391_500),
            security_groups: vec!["default".to_owned(), "web".to_owned()],
            key: Some(PublicKey {
                name: "cli".to_owned(),
                openssh: "ssh-ed25519 AAAA cli".to_owned(),
            }),
            tags: BTreeMap::from([("team/web".to_owned(), "blue".to_owned())]),
            user_data: Some(b"#!/bin/sh\n".to_vec()),
            profile: Some(Profile {
                arn: "arn:aws:iam::123456789012:instance-profile/P".to_owned(),
                id: "AIPA".to_owned(),
                role: Some("CodeDeployInstanceRole".to_owned()),
            }),
        }
    }

    pub fn credentials() -> Credentials {
        Credentials {
            access_key_id: "ASIA".to_owned(),
            secret_access_key: "secret".to_owned(),
            token: "token".to_owned(),
            expires: Timestamp::from_millis(1_467_324_391_500),
        }
    }

    fn check(path: &str, expected: &str) {
        assert_eq!(look_up(&facts(), path), Answer::Text(expected.to_owned()), "{path}");
    }

    #[test]
    fn each_path_says_its_fact() {
        check("/", "latest");
        check("/latest/", "dynamic\nmeta-data\nuser-data");
        check("/latest/meta-data/instance-id", "i-0123456789abcdef0");
        check("/2021-07-15/meta-data/placement/region", "us-east-1");
        check("/latest/meta-data/placement/availability-zone/", "us-east-1a");
        check("/latest/meta-data/local-ipv4", "10.1.2.3");
        check("/latest/meta-data/services/partition", "aws");
        check("/latest/meta-data/security-groups", "default\nweb");
        check("/latest/meta-data/tags/instance", "team/web");
        check("/latest/meta-data/tags/instance/team/web", "blue");
        check("/latest/meta-data/public-keys/", "0=cli");
        check("/latest/meta-data/public-keys/0/openssh-key", "ssh-ed25519 AAAA cli");
        check("/latest/meta-data/iam/security-credentials/", "CodeDeployInstanceRole");
        assert_eq!(look_up(&facts(), "/latest/user-data"), Answer::Bytes(b"#!/bin/sh\n".to_vec()));
        for missing in [
            "/nonsense",
            "/latest/meta-data/nonsense",
            "/latest/meta-data/tags/instance/x",
            "/lates/meta-data",
        ] {
            assert_eq!(look_up(&facts(), missing), Answer::Missing, "{missing}");
        }
    }

    #[test]
    fn without_a_profile_there_is_no_iam() {
        let bare = Facts { profile: None, key: None, user_data: None, ..facts() };
        assert_eq!(look_up(&bare, "/latest/meta-data/iam/info"), Answer::Missing);
        assert_eq!(look_up(&bare, "/latest/user-data"), Answer::Missing);
        let Answer::Text(names) = look_up(&bare, "/latest/meta-data") else { panic!("no list") };
        assert!(
            !names.contains("iam")
                && !names.contains("public-keys")
                && names.contains("instance-id")
        );
    }

    #[test]
    fn the_identity_document_is_json_with_what_agents_read() {
        let Answer::Text(document) =
            look_up(&facts(), "/latest/dynamic/instance-identity/document")
        else {
            panic!("no document")
        };
        let document: serde_json::Value = serde_json::from_str(&document).unwrap();
        assert_eq!(document["region"], "us-east-1");
        assert_eq!(document["accountId"], "123456789012");
        assert_eq!(document["instanceId"], "i-0123456789abcdef0");
        assert_eq!(document["pendingTime"], "2016-06-30T22:06:31Z");
    }

    #[test]
    fn credentials_expire_at_a_whole_second_in_utc() {
        let document = credentials_document(&credentials(), Timestamp::from_millis(0));
        assert!(document.contains("\"Expiration\" : \"2016-06-30T22:06:31Z\""), "{document}");
    }
}
