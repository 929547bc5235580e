//! Registered hosts by the thousand: sessions of one role, as the user guide recommends for large fleets.

use std::ops::Range;

use anyhow::{Context, bail};
use serde_json::json;
use wire::sigv4::Credentials;

use crate::bench::client::{Client, texts};

const ROLE: &str = "Fleet";
/// Connections over which hosts are registered.
const CONNECTIONS: usize = 8;
/// Instances that one call may tag.
const TAGGED_AT_ONCE: usize = 100;

/// A registered host, and what its agent signs with.
pub struct Host {
    /// The ARN of its session, by which it polls.
    pub identifier: String,
    pub credentials: Credentials,
}

/// Makes the role that hosts assume.
pub fn make_role(client: &mut Client) -> anyhow::Result<()> {
    let trust = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Action%22\
                 %3A%22sts%3AAssumeRole%22%2C%22Principal%22%3A%7B%22AWS%22%3A%22123456789012%22%7D%7D%5D%7D";
    let role = format!("Action=CreateRole&RoleName={ROLE}&AssumeRolePolicyDocument={trust}");
    client.form("iam", &format!("{role}&Version=2010-05-08"))?;
    Ok(())
}

/// Registers the hosts with these numbers, with the tag by which the group selects them if `tag` says so.
pub fn register(
    port: u16,
    root: &Credentials,
    numbers: Range<usize>,
    tag: bool,
) -> anyhow::Result<Vec<Host>> {
    let share = numbers.len().div_ceil(CONNECTIONS);
    let parts: Vec<Range<usize>> = numbers
        .clone()
        .step_by(share)
        .map(|first| first..(first + share).min(numbers.end))
        .collect();
    std::thread::scope(|scope| {
        let running: Vec<_> = parts
            .into_iter()
            .map(|part| scope.spawn(move || register_part(port, root, part, tag)))
            .collect();
        let mut hosts = Vec::new();
        for part in running {
            match part.join() {
                Ok(part) => hosts.extend(part?),
                Err(_) => bail!("a registration panicked"),
            }
        }
        Ok(hosts)
    })
}

fn register_part(
    port: u16,
    root: &Credentials,
    numbers: Range<usize>,
    tag: bool,
) -> anyhow::Result<Vec<Host>> {
    let mut client = Client::new(port, root.clone());
    let mut hosts = Vec::new();
    let mut names = Vec::new();
    for number in numbers {
        let name = format!("host-{number:05}");
        let session = client.form(
            "sts",
            &format!(
                "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2F{ROLE}\
                 &RoleSessionName={name}"
            ),
        )?;
        let first = |element| texts(&session, element).first().copied().context("no session");
        let (key, secret) = (first("AccessKeyId")?, first("SecretAccessKey")?);
        let credentials = Credentials::new(key, secret, Some(first("SessionToken")?.to_owned()));
        let identifier = format!("arn:aws:sts::123456789012:assumed-role/{ROLE}/{name}");
        client.codedeploy(
            "RegisterOnPremisesInstance",
            &json!({"instanceName": name, "iamSessionArn": identifier}),
        )?;
        hosts.push(Host { identifier, credentials });
        if tag {
            names.push(name);
        }
    }
    for names in names.chunks(TAGGED_AT_ONCE) {
        client.codedeploy(
            "AddTagsToOnPremisesInstances",
            &json!({"instanceNames": names, "tags": [{"Key": "CDG", "Value": "Fleet"}]}),
        )?;
    }
    Ok(hosts)
}
