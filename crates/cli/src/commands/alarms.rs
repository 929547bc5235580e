//! `longshore alarms`.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::groups;
use crate::args::{Alarms, Remote};
use crate::client::Client;
use crate::output::Found;
use crate::words::text;

/// Source: API reference of CloudWatch, `DescribeAlarms`.
const TARGET: &str = "GraniteServiceVersion20100801.DescribeAlarms";

pub async fn list(asked: &Alarms) -> anyhow::Result<ExitCode> {
    let client = super::client(&asked.remote).await?;
    let names = match (&asked.application, &asked.group) {
        (Some(application), Some(group)) => Some(watched(&client, application, group).await?),
        _ => None,
    };
    let mut alarms = described(&client).await?;
    if let Some(names) = &names {
        alarms.retain(|alarm| names.iter().any(|name| alarm["AlarmName"] == name.as_str()));
    }
    let mut rows: Vec<Vec<String>> = alarms.iter().map(row).collect();
    // A group may watch what is not there; its deployments will fail to read it.
    for name in names.iter().flatten() {
        if !alarms.iter().any(|alarm| alarm["AlarmName"] == name.as_str()) {
            rows.push(vec![name.clone(), "MISSING".to_owned(), String::new(), String::new()]);
        }
    }
    print(&asked.remote, &alarms, rows)
}

fn row(alarm: &Value) -> Vec<String> {
    let member = |name: &str| alarm[name].as_str().unwrap_or_default().to_owned();
    let since = alarm["StateUpdatedTimestamp"].as_f64();
    let since = since.map(|seconds| wire::Time::from_millis((seconds * 1000.0) as i64));
    vec![
        member("AlarmName"),
        member("StateValue"),
        crate::words::time(since),
        member("StateReason"),
    ]
}

fn print(remote: &Remote, alarms: &[Value], rows: Vec<Vec<String>>) -> anyhow::Result<ExitCode> {
    let heads = ["Alarm", "State", "Since", "Reason"];
    Found::rows(&json!({ "MetricAlarms": alarms }), &heads, rows)?
        .print(remote.output, remote.query.as_deref())?;
    Ok(ExitCode::SUCCESS)
}

/// The names of the alarms that a group watches.
async fn watched(client: &Client, application: &str, group: &str) -> anyhow::Result<Vec<String>> {
    let info = groups::group(client, application, group).await?;
    let alarms = info.alarm_configuration.and_then(|watched| watched.alarms).unwrap_or_default();
    Ok(alarms.iter().map(|alarm| text(alarm.name.as_ref()).to_owned()).collect())
}

async fn described(client: &Client) -> anyhow::Result<Vec<Value>> {
    let mut alarms = Vec::new();
    let mut body = json!({});
    loop {
        let bytes = serde_json::to_vec(&body)?;
        let mut page = client.json("cloudwatch", "DescribeAlarms", TARGET, bytes).await?;
        if let Value::Array(found) = page["MetricAlarms"].take() {
            alarms.extend(found);
        }
        match page["NextToken"].take() {
            Value::String(token) => body = json!({ "NextToken": token }),
            _ => return Ok(alarms),
        }
    }
}
