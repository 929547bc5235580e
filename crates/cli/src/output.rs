//! What commands print: tables for people, JSON and lines of text for programs.

use std::io::{IsTerminal, Write};

use anyhow::Context;
use clap::ValueEnum;
use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use serde_json::Value;

use crate::outcome::Usage;

/// The form of what is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Table,
    /// As the API answers it
    Json,
    /// One line a record, with tabs between its values
    Text,
}

/// What a command found out: the API's shapes, and the columns that a person looks for in them.
pub struct Found {
    value: Value,
    heads: Vec<&'static str>,
    rows: Vec<Vec<String>>,
    notes: Vec<String>,
    more: Option<(Vec<&'static str>, Vec<Vec<String>>)>,
}

impl Found {
    /// Rows under heads. `value` is what `--output json` and `--query` see.
    pub fn rows(
        value: &impl Serialize,
        heads: &[&'static str],
        rows: Vec<Vec<String>>,
    ) -> anyhow::Result<Self> {
        let mut value = serde_json::to_value(value)?;
        readable_times(&mut value);
        Ok(Self { value, heads: heads.to_vec(), rows, notes: Vec::new(), more: None })
    }

    /// Sentences that a person should read below the table.
    pub fn with_notes(mut self, notes: Vec<String>) -> Self {
        self.notes = notes;
        self
    }

    /// A second table, below the notes, which only people see.
    pub fn with_table(mut self, heads: &[&'static str], rows: Vec<Vec<String>>) -> Self {
        self.more = Some((heads.to_vec(), rows));
        self
    }

    /// Prints it.
    ///
    /// # Errors
    /// A [`Usage`] if the query is none; else standard output is closed.
    pub fn print(self, format: Format, query: Option<&str>) -> anyhow::Result<()> {
        let text = match (query, format) {
            (None, Format::Table) => self.as_table(),
            (None, Format::Text) => lines(self.rows.iter().map(|row| row.join("\t"))),
            (None, Format::Json) => json(&self.value)?,
            (Some(query), format) => {
                let value = searched(&self.value, query)?;
                match format {
                    Format::Json => json(&value)?,
                    Format::Text => as_text(&value),
                    Format::Table => as_table(&value),
                }
            }
        };
        print(&text)
    }

    fn as_table(&self) -> String {
        let mut text = if self.rows.is_empty() && self.notes.is_empty() {
            "There are none.\n".to_owned()
        } else if self.rows.is_empty() {
            String::new()
        } else {
            table(&owned(&self.heads), &self.rows)
        };
        text.push_str(&lines(self.notes.iter().cloned()));
        if let Some((heads, rows)) = &self.more {
            text.push('\n');
            text.push_str(&table(&owned(heads), rows));
        }
        text
    }
}

/// Writes to standard output; that its reader has gone, such as `head`, is no error.
///
/// # Errors
/// Standard output cannot be written.
pub fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
        outcome => outcome.context("cannot write to standard output"),
    }
}

fn owned(heads: &[&'static str]) -> Vec<String> {
    heads.iter().map(|head| (*head).to_owned()).collect()
}

/// A table as wide as the terminal at most; as wide as it needs where there is none.
fn table(heads: &[String], rows: &[Vec<String>]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    let width = match std::io::stdout().is_terminal() {
        true => console::Term::stdout().size().1,
        false => u16::MAX,
    };
    table.set_width(width);
    table.set_header(heads);
    for row in rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    lines(table.lines().map(|line| line.trim_end().to_owned()))
}

fn lines(lines: impl Iterator<Item = String>) -> String {
    lines.map(|line| line + "\n").collect()
}

fn json(value: &Value) -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}

/// What a JMESPath expression finds.
fn searched(value: &Value, query: &str) -> anyhow::Result<Value> {
    let wrong = |error: &dyn std::fmt::Display| {
        Usage::new(
            format!("`--query {query}` is no JMESPath expression: {error}"),
            "such as --query 'deployments[].deploymentId'; see https://jmespath.org",
        )
    };
    let expression = jmespath::compile(query).map_err(|error| wrong(&error))?;
    let data = jmespath::Variable::from_serializable(value).map_err(|error| wrong(&error))?;
    let found = expression.search(data).map_err(|error| wrong(&error))?;
    Ok(serde_json::to_value(&*found)?)
}

/// As the `aws` CLI writes text: scalars of a list on one line, records on a line each.
fn as_text(value: &Value) -> String {
    match value {
        Value::Array(items) if items.iter().all(is_scalar) => {
            items.iter().map(scalar).collect::<Vec<_>>().join("\t") + "\n"
        }
        Value::Array(items) => items.iter().map(as_text).collect(),
        Value::Object(members) => members.values().map(cell).collect::<Vec<_>>().join("\t") + "\n",
        one => scalar(one) + "\n",
    }
}

fn as_table(value: &Value) -> String {
    let Value::Array(items) = value else {
        return match value {
            Value::Object(members) => {
                let rows = members.iter().map(|(name, value)| vec![name.clone(), cell(value)]);
                table(&["Name".to_owned(), "Value".to_owned()], &rows.collect::<Vec<_>>())
            }
            one => scalar(one) + "\n",
        };
    };
    let mut heads: Vec<String> = Vec::new();
    for item in items {
        for name in item.as_object().iter().flat_map(|members| members.keys()) {
            if !heads.contains(name) {
                heads.push(name.clone());
            }
        }
    }
    if heads.is_empty() {
        return lines(items.iter().map(|item| match item {
            Value::Array(cells) => cells.iter().map(cell).collect::<Vec<_>>().join("  "),
            one => cell(one),
        }));
    }
    let rows: Vec<Vec<String>> = items
        .iter()
        .map(|item| {
            heads.iter().map(|head| item.get(head).map_or_else(String::new, cell)).collect()
        })
        .collect();
    table(&heads, &rows)
}

fn is_scalar(value: &Value) -> bool {
    !value.is_array() && !value.is_object()
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "None".to_owned(),
        other => other.to_string(),
    }
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        value => scalar(value),
    }
}

/// Times are numbers of seconds on the wire; everybody reads them as the `aws` CLI prints them.
fn readable_times(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(readable_times),
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                let is_time = name.ends_with("Time") || name.ends_with("At") || name == "time";
                match member.as_f64() {
                    Some(seconds) if is_time => {
                        let millis = (seconds * 1000.0).round() as i64;
                        if let Ok(time) = jiff::Timestamp::from_millisecond(millis) {
                            *member = Value::String(time.to_string());
                        }
                    }
                    _ => readable_times(member),
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_query_narrows_what_is_printed() {
        let value = json!({"deployments": [{"id": "d-1", "n": 1}, {"id": "d-2", "n": 2}]});
        assert_eq!(as_text(&searched(&value, "deployments[].id").unwrap()), "d-1\td-2\n");
        assert_eq!(as_text(&searched(&value, "deployments[].[id,n]").unwrap()), "d-1\t1\nd-2\t2\n");
        assert_eq!(as_table(&searched(&value, "deployments[0].id").unwrap()), "d-1\n");
        assert_eq!(as_text(&searched(&value, "nothing").unwrap()), "None\n");
        let error = searched(&value, "a[").unwrap_err();
        assert!(error.is::<Usage>() && error.to_string().contains("--query a["), "{error}");
    }

    #[test]
    fn times_are_readable() {
        let mut value =
            json!({"createTime": 1_750_000_000.5, "count": 3, "in": [{"lastUpdatedAt": 0}]});
        readable_times(&mut value);
        assert_eq!(
            value,
            json!({"createTime": "2025-06-15T15:06:40.5Z", "count": 3, "in": [{"lastUpdatedAt": "1970-01-01T00:00:00Z"}]})
        );
    }
}
