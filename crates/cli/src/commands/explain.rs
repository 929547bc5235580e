//! `longshore deployment explain`: what happened to a deployment, and why.

use std::process::ExitCode;

use serde_json::json;
use wire::longshore::{DecisionInput, ExplainDeploymentInput, TimelineEntry};

use crate::args::Explain;
use crate::client::Client;
use crate::output::Found;
use crate::words::{self, text};

/// Values of one input that a person is shown: a large fleet is in one of them.
const VALUES_SHOWN: usize = 6;

pub async fn explain(asked: &Explain) -> anyhow::Result<ExitCode> {
    let client = super::client(&asked.remote).await?;
    let entries = timeline(&client, asked).await?;
    let heads = ["Time", "Host", "Kind", "Rule", "What", "Applied to"];
    let rows = entries.iter().map(row).collect();
    Found::rows(&json!({ "entries": entries }), &heads, rows)?
        .print(asked.remote.output, asked.remote.query.as_deref())?;
    Ok(ExitCode::SUCCESS)
}

async fn timeline(client: &Client, asked: &Explain) -> anyhow::Result<Vec<TimelineEntry>> {
    let mut entries = Vec::new();
    let mut next_token = None;
    loop {
        let input = ExplainDeploymentInput {
            deployment_id: Some(asked.id.clone()),
            target_id: asked.host.clone(),
            next_token,
        };
        let page = client.call(&input).await?;
        entries.extend(page.entries.unwrap_or_default());
        next_token = page.next_token;
        if next_token.is_none() {
            return Ok(entries);
        }
    }
}

fn row(entry: &TimelineEntry) -> Vec<String> {
    let inputs: Vec<String> = entry.inputs.iter().flatten().map(given).collect();
    vec![
        words::time(entry.time),
        text(entry.target_id.as_ref()).to_owned(),
        text(entry.kind.as_ref()).to_owned(),
        text(entry.rule.as_ref()).to_owned(),
        text(entry.text.as_ref()).to_owned(),
        inputs.join("; "),
    ]
}

/// One input: `atOnce=1`, `targets=web-01,web-02`.
fn given(input: &DecisionInput) -> String {
    let values = input.values.as_deref().unwrap_or_default();
    let shown = values.iter().take(VALUES_SHOWN).map(|value| value.replace(['\n', '\t'], " "));
    let mut told = shown.collect::<Vec<_>>().join(",");
    if values.len() > VALUES_SHOWN {
        told.push_str(&format!(" and {} more", values.len() - VALUES_SHOWN));
    }
    format!("{}={told}", text(input.name.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_input_is_cut_and_stays_on_one_line() {
        let of = |values: Vec<String>| {
            given(&DecisionInput { name: Some("targets".into()), values: Some(values) })
        };
        assert_eq!(of(vec!["a\nb".into()]), "targets=a b");
        let hosts = (1..=60).map(|number| format!("h{number}")).collect();
        assert_eq!(of(hosts), "targets=h1,h2,h3,h4,h5,h6 and 54 more");
    }
}
