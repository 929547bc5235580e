//! `longshore doctor`: from the settings to the bucket, what works, what does not, and what to do.

use std::process::ExitCode;
use std::time::Duration;

use console::style;
use serde::Serialize;
use serde_json::json;
use wire::Call;
use wire::codedeploy::{
    CreateDeploymentInput, ListApplicationsInput, ListDeploymentsInput,
    ListOnPremisesInstancesInput,
};
use wire::longshore::ListedHost;

use super::hosts;
use crate::args::Doctor;
use crate::client::{CallError, Client, Keys, Named, S3};
use crate::outcome::FAILED;
use crate::output::{Format, Found, print};
use crate::words::{self, text};

/// How far a request's time may be from the server's.
const SKEW_SECONDS_MAX: i64 = wire::sigv4::SKEW_SECONDS;
/// A clock that is this wrong deserves a word before it breaks something.
const SKEW_SECONDS_NOTED: i64 = 30;

/// One thing that was looked at.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Check {
    name: &'static str,
    state: State,
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    Note,
    Wrong,
}

impl Check {
    fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, state: State::Ok, found: found.into(), advice: None }
    }

    fn note(name: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { name, state: State::Note, found: found.into(), advice: Some(advice.into()) }
    }

    fn wrong(name: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { name, state: State::Wrong, found: found.into(), advice: Some(advice.into()) }
    }

    fn failed(name: &'static str, error: &CallError) -> Self {
        let advice = error.advice();
        Self { name, state: State::Wrong, found: error.to_string(), advice }
    }
}

pub async fn doctor(asked: &Doctor) -> anyhow::Result<ExitCode> {
    let client = super::client(&asked.remote).await?;
    let checks = examine(&client, asked).await;
    let is_well = checks.iter().all(|check| check.state != State::Wrong);
    let remote = &asked.remote;
    if remote.output == Format::Table && remote.query.is_none() {
        print(&report(&checks))?;
    } else {
        let rows = checks.iter().map(|check| {
            let state = format!("{:?}", check.state).to_lowercase();
            let advice = check.advice.clone().unwrap_or_default();
            vec![state, check.name.to_owned(), check.found.clone(), advice]
        });
        let heads = ["State", "Check", "Found", "Advice"];
        let rows = rows.collect();
        Found::rows(&json!({ "checks": checks }), &heads, rows)?
            .print(remote.output, remote.query.as_deref())?;
    }
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

fn report(checks: &[Check]) -> String {
    let mut text = String::new();
    for check in checks {
        let mark = match check.state {
            State::Ok => style("ok   ").green(),
            State::Note => style("note ").yellow(),
            State::Wrong => style("wrong").red(),
        };
        text.push_str(&format!("{mark}  {:<12} {}\n", check.name, check.found));
        for line in check.advice.iter().flat_map(|advice| advice.lines()) {
            text.push_str(&format!("                     {line}\n"));
        }
    }
    text
}

/// One check after the other; those that cannot succeed after what failed are left out.
async fn examine(client: &Client, asked: &Doctor) -> Vec<Check> {
    let mut checks = vec![settings(client)];
    match server(client).await {
        Ok(found) => checks.extend(found),
        Err(failed) => {
            checks.push(failed);
            return checks;
        }
    }
    match client.caller().await {
        Ok(arn) => checks.push(Check::ok("Credentials", arn)),
        Err(error) => {
            checks.push(Check::failed("Credentials", &error));
            return checks;
        }
    }
    checks.extend([
        may(client, "List", &ListApplicationsInput::default()).await,
        may(client, "Deployments", &ListDeploymentsInput::default()).await,
        may(client, "Hosts", &ListOnPremisesInstancesInput::default()).await,
        may_deploy(client).await,
        bucket(client, &asked.bucket).await,
        agents(client, asked.silent_after).await,
    ]);
    checks
}

fn settings(client: &Client) -> Check {
    let settings = &client.settings;
    let endpoint = settings.endpoint("codedeploy").unwrap_or_default();
    let origin = match &settings.keys {
        Keys::Static { origin, .. } => origin.clone(),
        Keys::Process { profile, .. } => format!("credential_process of profile `{profile}`"),
    };
    Check::ok(
        "Settings",
        format!("{endpoint}, region {}, credentials of {origin}", settings.region),
    )
}

/// Whether somebody answers, whether it is longshore and well, and what time it is there.
async fn server(client: &Client) -> Result<Vec<Check>, Check> {
    let answer =
        client.get_plain("/-/healthz").await.map_err(|error| Check::failed("Server", &error))?;
    let mut checks = Vec::new();
    checks.push(match answer.status {
        200 => Check::ok("Server", "answers, and so does its database"),
        503 => {
            let words = String::from_utf8_lossy(&answer.body).trim().to_owned();
            Check::wrong("Server", words, "look at the server's log, and at its database")
        }
        status => Check::note(
            "Server",
            format!("answers HTTP {status} to /-/healthz: it is no longshore"),
            "what only longshore has, such as `deployment logs`, will be refused there",
        ),
    });
    checks.push(
        match answer.header("date").and_then(|date| jiff::fmt::rfc2822::parse(date).ok()) {
            Some(theirs) => {
                clock(jiff::Timestamp::now().as_second() - theirs.timestamp().as_second())
            }
            None => Check::note("Clock", "the server tells no time", "compare the clocks by hand"),
        },
    );
    Ok(checks)
}

/// What a difference means; `ahead` is how far this machine is ahead of the server.
fn clock(ahead: i64) -> Check {
    let way = if ahead < 0 { "behind" } else { "ahead of" };
    let found = format!("this machine's clock is {} s {way} the server's", ahead.abs());
    match ahead.abs() {
        0..SKEW_SECONDS_NOTED => Check::ok("Clock", "agrees with the server's"),
        SKEW_SECONDS_NOTED..=SKEW_SECONDS_MAX => Check::note(
            "Clock",
            found,
            format!(
                "beyond {SKEW_SECONDS_MAX} s signatures are refused: let both keep time by NTP"
            ),
        ),
        _ => Check::wrong(
            "Clock",
            found,
            "signatures are refused for it: set the clock that is wrong, best by NTP",
        ),
    }
}

/// Whether a call that changes nothing is permitted.
async fn may<I: Call>(client: &Client, name: &'static str, input: &I) -> Check
where
    I::Operation: Named,
{
    let operation = I::OPERATION.name();
    match client.call(input).await {
        Ok(_) => Check::ok(name, format!("{operation} is permitted")),
        Err(error) if is_denied(&error) => denied(name, operation),
        Err(error) => Check::failed(name, &error),
    }
}

/// Whether deployments may be created: asked with an input that can only be refused.
async fn may_deploy(client: &Client) -> Check {
    const NAME: &str = "Deploy";
    let input = CreateDeploymentInput {
        application_name: Some("longshore-doctor-asks".to_owned()),
        deployment_group_name: Some("nothing".to_owned()),
        ..Default::default()
    };
    match client.call(&input).await {
        Err(error) if is_denied(&error) => {
            let mut check = denied(NAME, "CreateDeployment");
            // Somebody may be allowed to deploy one application only.
            check.state = State::Note;
            check
        }
        Err(CallError::Refused { .. }) => Check::ok(NAME, "CreateDeployment is permitted"),
        Ok(_) => Check::ok(NAME, "CreateDeployment is permitted"),
        Err(error) => Check::failed(NAME, &error),
    }
}

fn is_denied(error: &CallError) -> bool {
    matches!(error.code(), Some("AccessDeniedException" | "AccessDenied"))
}

fn denied(name: &'static str, operation: &str) -> Check {
    Check::wrong(
        name,
        format!("{operation} is not permitted"),
        format!("allow codedeploy:{operation} in a policy of the user or role above"),
    )
}

async fn bucket(client: &Client, bucket: &str) -> Check {
    const NAME: &str = "Bucket";
    match S3(client).has_bucket(bucket).await {
        Ok(true) => Check::ok(NAME, format!("s3://{bucket} is there")),
        Ok(false) if bucket == crate::push::BUCKET => {
            Check::ok(NAME, format!("s3://{bucket} is made by the first push"))
        }
        Ok(false) => Check::wrong(
            NAME,
            format!("there is no s3://{bucket}"),
            format!("make it: aws s3 mb s3://{bucket}"),
        ),
        Err(error) => Check::failed(NAME, &error),
    }
}

/// How many silent hosts are named.
const HOSTS_NAMED: usize = 5;

/// Whether the agents of all hosts are heard.
async fn agents(client: &Client, silent_after: Duration) -> Check {
    const NAME: &str = "Agents";
    match hosts::listed(client, None, Some(silent_after)).await {
        Ok(silent) => silent_agents(&silent, silent_after),
        Err(error) if is_denied(&error) => Check::note(
            NAME,
            "ListHosts is not permitted",
            "whoever is to see which agents are silent needs longshore:ListHosts",
        ),
        Err(error) if error.code() == Some("UnknownOperationException") => {
            Check::note(NAME, "the server cannot tell which agents are silent", "update it")
        }
        Err(error) => Check::failed(NAME, &error),
    }
}

fn silent_agents(silent: &[ListedHost], after: Duration) -> Check {
    const NAME: &str = "Agents";
    let (lost, never): (Vec<&ListedHost>, Vec<_>) =
        silent.iter().partition(|host| host.last_seen_time.is_some());
    let after = words::duration(i64::try_from(after.as_millis()).unwrap_or(i64::MAX));
    let named = |hosts: &[&ListedHost]| {
        let names = hosts.iter().take(HOSTS_NAMED).map(|host| text(host.target_id.as_ref()));
        let names = names.collect::<Vec<_>>().join(", ");
        let more = hosts.len().saturating_sub(HOSTS_NAMED);
        if more > 0 { format!("{names} and {more} more") } else { names }
    };
    if lost.is_empty() && never.is_empty() {
        return Check::ok(NAME, format!("all were heard in the last {after}"));
    }
    if lost.is_empty() {
        return Check::note(
            NAME,
            format!(
                "{} never heard: {}",
                words::count(never.len(), "host was", "hosts were"),
                named(&never)
            ),
            "install the agent there: README, \"By hand\"; take away what is no host any more:\n\
             aws deploy deregister-on-premises-instance --instance-name NAME",
        );
    }
    let mut found = format!(
        "{} for more than {after}: {}",
        words::count(lost.len(), "host is silent", "hosts are silent"),
        named(&lost)
    );
    if !never.is_empty() {
        found.push_str(&format!("; never heard: {}", named(&never)));
    }
    Check::wrong(
        NAME,
        found,
        "on the host: systemctl status codedeploy-agent, and what its log says;\n\
         does it reach the server, and is its clock right? All of them: longshore hosts --silent-after 5m",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_judged_by_what_signatures_allow() {
        let states = [0, -29, 30, -300, 301, -100_000].map(|ahead| clock(ahead).state);
        assert_eq!(
            states,
            [State::Ok, State::Ok, State::Note, State::Note, State::Wrong, State::Wrong]
        );
        assert!(clock(-400).found.contains("400 s behind"));
    }

    #[test]
    fn agents_that_were_lost_are_wrong_and_those_never_heard_are_noted() {
        let host = |number: usize, seen: Option<i64>| ListedHost {
            target_id: Some(format!("web-{number:02}")),
            last_seen_time: seen.map(wire::Time::from_millis),
            ..Default::default()
        };
        let after = Duration::from_secs(300);
        assert_eq!(silent_agents(&[], after).state, State::Ok);
        let never: Vec<_> = (1..=7).map(|number| host(number, None)).collect();
        let check = silent_agents(&never, after);
        assert_eq!(check.state, State::Note);
        assert!(check.found.contains("web-05 and 2 more"), "{}", check.found);
        let check = silent_agents(&[host(1, Some(0)), host(2, None)], after);
        assert_eq!(check.state, State::Wrong);
        assert!(
            check
                .found
                .contains("1 host is silent for more than 5 min 00 s: web-01; never heard: web-02"),
            "{}",
            check.found
        );
    }
}
