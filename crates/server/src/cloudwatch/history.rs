//! What happened to alarms.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use wire::Time;

use super::alarms::{AlarmRecord, AlarmState};
use super::describe::{Paging, page};
use super::input::Input;
use crate::forms::{ApiError, Context};

/// Entries kept of one alarm; the oldest go first. AWS keeps two weeks, and also those of deleted alarms.
pub(super) const KEPT_MAX: usize = 100;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct HistoryItem {
    at_ms: i64,
    kind: Kind,
    summary: String,
    data: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Kind {
    ConfigurationUpdate,
    StateUpdate,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::ConfigurationUpdate => "ConfigurationUpdate",
            Self::StateUpdate => "StateUpdate",
        }
    }
}

pub(super) fn created(at_ms: i64) -> HistoryItem {
    configuration(at_ms, "created", "Create")
}

pub(super) fn configured(at_ms: i64) -> HistoryItem {
    configuration(at_ms, "updated", "Update")
}

fn configuration(at_ms: i64, done: &str, what: &str) -> HistoryItem {
    HistoryItem {
        at_ms,
        kind: Kind::ConfigurationUpdate,
        summary: format!("Alarm {done}"),
        data: json!({"version": "1.0", "type": what}).to_string(),
    }
}

/// The alarm is about to take the state `new`. Source: observed answers of the service.
pub(super) fn state_update(
    alarm: &AlarmRecord,
    new: AlarmState,
    reason: &str,
    at_ms: i64,
) -> HistoryItem {
    let data = json!({
        "version": "1.0",
        "oldState": {"stateValue": alarm.state, "stateReason": alarm.reason},
        "newState": {"stateValue": new, "stateReason": reason},
    });
    HistoryItem {
        at_ms,
        kind: Kind::StateUpdate,
        summary: format!("Alarm updated from {} to {}", alarm.state.name(), new.name()),
        data: data.to_string(),
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct DescribeAlarmHistory {
    alarm_name: Option<String>,
    history_item_type: Option<String>,
    start_date: Option<Time>,
    end_date: Option<Time>,
    scan_by: Option<String>,
    max_records: Option<i64>,
    next_token: Option<String>,
}

/// The history of one alarm or of all, the newest first unless `ScanBy` says otherwise.
pub(super) async fn describe(context: &Context, input: &Input) -> Result<Value, ApiError> {
    let wanted: DescribeAlarmHistory = input.read()?;
    let alarms = context.records.list::<AlarmRecord>(&format!("{}/", context.scope.region)).await?;
    let fits = |item: &HistoryItem| {
        wanted.history_item_type.as_deref().is_none_or(|kind| kind == item.kind.name())
            && wanted.start_date.is_none_or(|start| item.at_ms >= start.as_millis())
            && wanted.end_date.is_none_or(|end| item.at_ms <= end.as_millis())
    };
    let mut items = Vec::new();
    for kept in alarms {
        let alarm = kept.record;
        if wanted.alarm_name.as_ref().is_none_or(|name| *name == alarm.name) {
            let found = alarm.history.into_iter().enumerate().filter(|(_, item)| fits(item));
            items
                .extend(found.map(|(number, item)| (item.at_ms, alarm.name.clone(), number, item)));
        }
    }
    items.sort_by(|a, b| (a.0, &a.1, a.2).cmp(&(b.0, &b.1, b.2)));
    let ascending = wanted.scan_by.as_deref() == Some("TimestampAscending");
    if !ascending {
        items.reverse();
    }
    // A place in the list is told by its number: entries are only added at one end of it.
    let paging = Paging { most: wanted.max_records, token: wanted.next_token.clone() };
    let after = paging.place()?.map(|place| place.parse::<usize>()).transpose();
    let after = after.map_err(|_| super::describe::invalid_token())?.unwrap_or(0);
    let items: Vec<(String, Value)> = items
        .iter()
        .enumerate()
        .skip(after)
        .map(|(number, (_, name, _, item))| ((number + 1).to_string(), show(name, item)))
        .collect();
    page("AlarmHistoryItems", items, &paging)
}

fn show(alarm: &str, item: &HistoryItem) -> Value {
    json!({
        "AlarmName": alarm,
        "AlarmType": "MetricAlarm",
        "Timestamp": item.at_ms as f64 / 1000.0,
        "HistoryItemType": item.kind.name(),
        "HistorySummary": item.summary,
        "HistoryData": item.data,
    })
}
