//! `longshore deployment logs`: what hooks print.

use std::fmt::Write;
use std::process::ExitCode;
use std::time::Duration;

use console::style;
use serde_json::json;
use wire::longshore::{GetHookOutputInput, HookOutputChunk};

use crate::args::Logs;
use crate::client::Client;
use crate::follow::Patience;
use crate::output::{self, Format, Found};
use crate::words::text;

/// How long one question is held open while nothing is printed.
const WAIT_SECONDS: i64 = 20;

pub async fn logs(asked: &Logs) -> anyhow::Result<ExitCode> {
    let client = super::client(&asked.remote).await?;
    let is_plain = asked.remote.output == Format::Table && asked.remote.query.is_none();
    let mut shown = Shown::default();
    let mut chunks = Vec::new();
    let mut next_token = None;
    let mut patience = Patience::default();
    loop {
        let input = GetHookOutputInput {
            deployment_id: Some(asked.id.clone()),
            target_id: asked.target.clone(),
            lifecycle_event_name: asked.event.clone(),
            next_token: next_token.clone(),
            wait_seconds: Some(if asked.follow { WAIT_SECONDS } else { 0 }),
        };
        let answer = match client.call(&input).await {
            Ok(answer) => answer,
            Err(error) if asked.follow && error.is_passing() && patience.is_left() => {
                tokio::time::sleep(Duration::from_secs(1)).await;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        patience = Patience::default();
        let found = answer.chunks.unwrap_or_default();
        let (is_empty, is_first) = (found.is_empty(), next_token.is_none());
        if is_plain {
            output::print(&shown.lines(&found))?;
        } else {
            chunks.extend(found);
        }
        next_token = answer.next_token;
        let is_read = answer.ended == Some(true) || (is_empty && !asked.follow);
        if is_read {
            if is_plain && is_first && is_empty {
                note_silence(&client, asked).await?;
            }
            break;
        }
    }
    if !is_plain {
        let heads = ["Host", "Event", "Stream", "Text"];
        let rows = chunks.iter().map(|chunk| {
            vec![
                text(chunk.target_id.as_ref()).to_owned(),
                text(chunk.lifecycle_event_name.as_ref()).to_owned(),
                text(chunk.stream.as_ref()).to_owned(),
                text(chunk.text.as_ref()).trim_end().to_owned(),
            ]
        });
        let rows = rows.collect();
        Found::rows(&json!({ "chunks": chunks }), &heads, rows)?
            .print(asked.remote.output, asked.remote.query.as_deref())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Nothing at all was printed: a person should not wonder whether they asked wrongly.
async fn note_silence(client: &Client, asked: &Logs) -> anyhow::Result<()> {
    let info = super::deployments::deployment(client, &asked.id).await?;
    eprintln!(
        "No hook of {} ({}) has printed anything{}. Hosts with an agent other than longshore-agent send no output.",
        asked.id,
        text(info.status.as_ref()),
        if asked.target.is_some() || asked.event.is_some() { " there" } else { "" },
    );
    Ok(())
}

/// What was shown last, so that a heading comes where something else begins.
#[derive(Default)]
struct Shown {
    place: Option<(String, String)>,
}

impl Shown {
    fn lines(&mut self, chunks: &[HookOutputChunk]) -> String {
        let mut out = String::new();
        for chunk in chunks {
            let place = (
                text(chunk.target_id.as_ref()).to_owned(),
                text(chunk.lifecycle_event_name.as_ref()).to_owned(),
            );
            if self.place.as_ref() != Some(&place) {
                let _ = writeln!(out, "{}", style(format!("== {} {}", place.0, place.1)).bold());
                self.place = Some(place);
            }
            let stream = text(chunk.stream.as_ref());
            for line in text(chunk.text.as_ref()).lines() {
                let line = match stream {
                    "stderr" => style(line).red().to_string(),
                    "note" => style(format!("-- {line}")).dim().to_string(),
                    _ => line.to_owned(),
                };
                let _ = writeln!(out, "{line}");
            }
        }
        out
    }
}
