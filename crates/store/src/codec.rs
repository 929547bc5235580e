//! How model types are written into columns, and read back.

use std::collections::BTreeSet;
use std::str::FromStr;
use std::time::Duration;

use model::{
    BundleType, Diagnostics, DiagnosticsCode, Event, EventState, MinimumHealthyHosts, Revision,
    RollbackEvent, StatusMessage, Timestamp, ZonalConfig,
};
use rollout::{Input, Rollback};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::StoreError;

/// A revision's location as JSON with its fields in this order: the text is the revision's identity.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum RevisionText {
    #[serde(rename_all = "camelCase")]
    S3 {
        bucket: String,
        key: String,
        bundle_type: String,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        version: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        e_tag: Option<String>,
    },
    #[serde(rename_all = "camelCase")]
    GitHub { repository: String, commit_id: String },
}

/// The revision as a column holds it. All of the location counts, as it was given.
/// Source: CodeDeploy API reference, `GetApplicationRevision`.
pub(crate) fn write_revision(revision: &Revision) -> String {
    let text = match revision {
        Revision::S3 { bucket, key, bundle_type, version, etag } => RevisionText::S3 {
            bucket: bucket.clone(),
            key: key.clone(),
            bundle_type: bundle_type.name().to_owned(),
            version: version.clone(),
            e_tag: etag.clone(),
        },
        Revision::GitHub { repository, commit_id } => {
            RevisionText::GitHub { repository: repository.clone(), commit_id: commit_id.clone() }
        }
    };
    json(&text)
}

pub(crate) fn read_revision(text: &str) -> Result<Revision, StoreError> {
    let corrupt = || StoreError::corrupt(text, "a revision");
    Ok(match serde_json::from_str(text).map_err(|_| corrupt())? {
        RevisionText::S3 { bucket, key, bundle_type, version, e_tag } => Revision::S3 {
            bucket,
            key,
            bundle_type: BundleType::from_name(&bundle_type).ok_or_else(corrupt)?,
            version,
            etag: e_tag,
        },
        RevisionText::GitHub { repository, commit_id } => {
            Revision::GitHub { repository, commit_id }
        }
    })
}

pub(crate) fn read_optional_revision(text: Option<&str>) -> Result<Option<Revision>, StoreError> {
    text.map(read_revision).transpose()
}

pub(crate) fn write_minimum_healthy(minimum: MinimumHealthyHosts) -> String {
    match minimum {
        MinimumHealthyHosts::HostCount(count) => format!("HOST_COUNT {count}"),
        MinimumHealthyHosts::FleetPercent(percent) => format!("FLEET_PERCENT {percent}"),
        MinimumHealthyHosts::MostConcurrency(at_once) => format!("MOST_CONCURRENCY {at_once}"),
    }
}

pub(crate) fn read_minimum_healthy(text: &str) -> Result<MinimumHealthyHosts, StoreError> {
    let read = || match text.split_once(' ')? {
        ("HOST_COUNT", count) => Some(MinimumHealthyHosts::HostCount(count.parse().ok()?)),
        ("FLEET_PERCENT", share) => Some(MinimumHealthyHosts::FleetPercent(share.parse().ok()?)),
        ("MOST_CONCURRENCY", n) => Some(MinimumHealthyHosts::MostConcurrency(n.parse().ok()?)),
        _ => None,
    };
    read().ok_or_else(|| StoreError::corrupt(text, "a minimum of healthy hosts"))
}

/// The names of the events, separated by blanks.
pub(crate) fn write_rollback_events(events: &BTreeSet<RollbackEvent>) -> String {
    events.iter().map(|event| event.name()).collect::<Vec<_>>().join(" ")
}

pub(crate) fn read_rollback_events(text: &str) -> Result<BTreeSet<RollbackEvent>, StoreError> {
    let named = |name| {
        RollbackEvent::from_name(name)
            .ok_or_else(|| StoreError::corrupt(name, "an event that a rollback follows"))
    };
    text.split_whitespace().map(named).collect()
}

/// The zonal part of a configuration. Durations are whole seconds, as the service takes them.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ZonalText {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    first_zone_monitor_seconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    monitor_seconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    minimum_healthy_per_zone: Option<String>,
}

pub(crate) fn write_zonal(zonal: ZonalConfig) -> String {
    let seconds = |duration: Option<Duration>| duration.map(|duration| duration.as_secs());
    json(&ZonalText {
        first_zone_monitor_seconds: seconds(zonal.first_zone_monitor),
        monitor_seconds: seconds(zonal.monitor),
        minimum_healthy_per_zone: zonal.minimum_healthy_per_zone.map(write_minimum_healthy),
    })
}

pub(crate) fn read_zonal(text: &str) -> Result<ZonalConfig, StoreError> {
    let corrupt = |_| StoreError::corrupt(text, "the zonal part of a configuration");
    let zonal: ZonalText = serde_json::from_str(text).map_err(corrupt)?;
    let minimum = zonal.minimum_healthy_per_zone.as_deref();
    Ok(ZonalConfig {
        first_zone_monitor: zonal.first_zone_monitor_seconds.map(Duration::from_secs),
        monitor: zonal.monitor_seconds.map(Duration::from_secs),
        minimum_healthy_per_zone: minimum.map(read_minimum_healthy).transpose()?,
    })
}

/// The names of the messages, separated by blanks.
pub(crate) fn write_messages(messages: &BTreeSet<StatusMessage>) -> String {
    messages.iter().map(|message| message.name()).collect::<Vec<_>>().join(" ")
}

pub(crate) fn read_messages(text: &str) -> Result<BTreeSet<StatusMessage>, StoreError> {
    let named = |name| {
        StatusMessage::from_name(name).ok_or_else(|| StoreError::corrupt(name, "a status message"))
    };
    text.split_whitespace().map(named).collect()
}

const IMPOSSIBLE: &str = "impossible";

/// The id of the deployment that rolls another back, or a word that is no id.
pub(crate) fn write_rollback(rollback: &Rollback) -> String {
    match rollback {
        Rollback::Made(id) => id.to_string(),
        Rollback::Impossible => IMPOSSIBLE.to_owned(),
    }
}

pub(crate) fn read_rollback(text: &str) -> Result<Rollback, StoreError> {
    if text == IMPOSSIBLE {
        return Ok(Rollback::Impossible);
    }
    parsed(text, "a deployment id").map(Rollback::Made)
}

/// The inputs of a rule as one JSON object.
pub(crate) fn write_inputs(inputs: &[(&'static str, Input)]) -> String {
    let value = |input: &Input| match input {
        Input::Text(text) => Value::from(text.as_str()),
        Input::Number(number) => Value::from(*number),
        Input::Texts(texts) => Value::from(texts.as_slice()),
    };
    let members = inputs.iter().map(|(name, input)| ((*name).to_owned(), value(input)));
    Value::Object(members.collect()).to_string()
}

pub(crate) fn read_inputs(text: &str) -> Result<Vec<(String, Input)>, StoreError> {
    let corrupt = || StoreError::corrupt(text, "the inputs of a rule");
    let members: serde_json::Map<String, Value> =
        serde_json::from_str(text).map_err(|_| corrupt())?;
    let input = |value: Value| match value {
        Value::String(text) => Some(Input::Text(text)),
        Value::Number(number) => number.as_i64().map(Input::Number),
        Value::Array(texts) => {
            let texts = texts.into_iter().map(|text| text.as_str().map(str::to_owned));
            texts.collect::<Option<_>>().map(Input::Texts)
        }
        Value::Null | Value::Bool(_) | Value::Object(_) => None,
    };
    let read = |(name, value)| Some((name, input(value)?));
    members.into_iter().map(|member| read(member).ok_or_else(corrupt)).collect()
}

#[derive(Serialize, Deserialize)]
struct DiagnosticsText {
    code: String,
    script: String,
    message: String,
    log: String,
}

impl From<&Diagnostics> for DiagnosticsText {
    fn from(diagnostics: &Diagnostics) -> Self {
        Self {
            code: diagnostics.code.name().to_owned(),
            script: diagnostics.script_name.clone(),
            message: diagnostics.message.clone(),
            log: diagnostics.log_tail.clone(),
        }
    }
}

impl TryFrom<DiagnosticsText> for Diagnostics {
    type Error = StoreError;

    fn try_from(text: DiagnosticsText) -> Result<Self, StoreError> {
        let code = DiagnosticsCode::from_name(&text.code)
            .ok_or_else(|| StoreError::corrupt(text.code, "a diagnostics code"))?;
        let DiagnosticsText { script: script_name, message, log: log_tail, .. } = text;
        Ok(Self { code, script_name, message, log_tail })
    }
}

pub(crate) fn write_diagnostics(diagnostics: &Diagnostics) -> String {
    json(&DiagnosticsText::from(diagnostics))
}

pub(crate) fn read_diagnostics(text: &str) -> Result<Diagnostics, StoreError> {
    let read: DiagnosticsText =
        serde_json::from_str(text).map_err(|_| StoreError::corrupt(text, "diagnostics"))?;
    read.try_into()
}

/// One object for all states: a serde enum inside would be read by way of a buffer, and a snapshot reads many.
#[derive(Serialize, Deserialize, Default)]
struct EventText {
    name: String,
    state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dispatched: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    started: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    diagnostics: Option<DiagnosticsText>,
}

/// A target's lifecycle events as its row holds them.
pub(crate) fn write_events(events: &[Event]) -> String {
    let texts: Vec<EventText> = events.iter().map(EventText::from).collect();
    json(&texts)
}

pub(crate) fn read_events(text: &str) -> Result<Vec<Event>, StoreError> {
    let texts: Vec<EventText> =
        serde_json::from_str(text).map_err(|_| StoreError::corrupt(text, "lifecycle events"))?;
    texts.into_iter().map(Event::try_from).collect()
}

impl From<&Event> for EventText {
    fn from(event: &Event) -> Self {
        let millis = |time: &Timestamp| Some(time.as_millis());
        let named = |state: &str| Self {
            name: event.name.name().to_owned(),
            state: state.to_owned(),
            ..Self::default()
        };
        match &event.state {
            EventState::Pending => named("Pending"),
            EventState::InProgress { command, dispatched } => Self {
                command: Some(command.to_string()),
                dispatched: millis(dispatched),
                ..named("InProgress")
            },
            EventState::Succeeded { started, ended } => {
                Self { started: millis(started), ended: millis(ended), ..named("Succeeded") }
            }
            EventState::Failed { started, ended, diagnostics } => Self {
                started: millis(started),
                ended: millis(ended),
                diagnostics: Some(diagnostics.into()),
                ..named("Failed")
            },
            EventState::Skipped { ended } => Self { ended: millis(ended), ..named("Skipped") },
        }
    }
}

impl TryFrom<EventText> for Event {
    type Error = StoreError;

    fn try_from(text: EventText) -> Result<Self, StoreError> {
        let EventText { name, state, command, dispatched, started, ended, diagnostics } = text;
        let time = Timestamp::from_millis;
        let state = match (state.as_str(), command, dispatched, started, ended, diagnostics) {
            ("Pending", ..) => EventState::Pending,
            ("InProgress", Some(command), Some(dispatched), ..) => EventState::InProgress {
                command: parsed(&command, "a host command's id")?,
                dispatched: time(dispatched),
            },
            ("Succeeded", _, _, Some(started), Some(ended), _) => {
                EventState::Succeeded { started: time(started), ended: time(ended) }
            }
            ("Failed", _, _, Some(started), Some(ended), Some(diagnostics)) => EventState::Failed {
                started: time(started),
                ended: time(ended),
                diagnostics: diagnostics.try_into()?,
            },
            ("Skipped", _, _, _, Some(ended), _) => EventState::Skipped { ended: time(ended) },
            _ => return Err(StoreError::corrupt(state, "the state of a lifecycle event")),
        };
        Ok(Self { name: parsed(&name, "a lifecycle event")?, state })
    }
}

fn parsed<T: FromStr>(text: &str, expected: &'static str) -> Result<T, StoreError> {
    text.parse().map_err(|_| StoreError::corrupt(text, expected))
}

pub(crate) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("texts and numbers under fixed names are always JSON")
}

#[cfg(test)]
mod tests {
    use model::{DeploymentId, HostCommandId, LifecycleEvent, TargetId};

    use super::*;

    #[test]
    fn a_revision_reads_as_written() {
        let bundle = |etag: Option<&str>| Revision::S3 {
            bucket: "b".to_owned(),
            key: "a \"b\"/c.zip".to_owned(),
            bundle_type: BundleType::Zip,
            version: None,
            etag: etag.map(str::to_owned),
        };
        let commit = Revision::GitHub { repository: "a/b".to_owned(), commit_id: "0".repeat(40) };
        for revision in [bundle(None), bundle(Some("abc")), bundle(Some("\"abc\"")), commit] {
            assert_eq!(read_revision(&write_revision(&revision)).unwrap(), revision);
        }
        assert!(read_revision("{}").is_err());
    }

    #[test]
    fn a_minimum_reads_as_written() {
        for minimum in [
            MinimumHealthyHosts::HostCount(7),
            MinimumHealthyHosts::FleetPercent(99),
            MinimumHealthyHosts::MostConcurrency(1),
        ] {
            assert_eq!(read_minimum_healthy(&write_minimum_healthy(minimum)).unwrap(), minimum);
        }
        assert!(read_minimum_healthy("FLEET_PERCENT 300").is_err());
    }

    #[test]
    fn inputs_read_as_written() {
        let inputs = [
            ("count", Input::Number(-7)),
            ("text", Input::Text("a \"b\"".to_owned())),
            ("texts", Input::Texts(vec!["x".to_owned(), String::new()])),
        ];
        let read = read_inputs(&write_inputs(&inputs)).unwrap();
        assert_eq!(read, inputs.map(|(name, input)| (name.to_owned(), input)));
        assert!(read_inputs("{\"a\":null}").is_err());
    }

    #[test]
    fn events_read_as_written() {
        let deployment: DeploymentId = "d-75I7MBT7C".parse().unwrap();
        let time = Timestamp::from_millis;
        let states = [
            EventState::Pending,
            EventState::InProgress {
                command: HostCommandId::derive(
                    &deployment,
                    &TargetId::new("web/1"),
                    LifecycleEvent::Install,
                    1,
                ),
                dispatched: time(5),
            },
            EventState::Succeeded { started: time(1), ended: time(2) },
            EventState::Failed {
                started: time(1),
                ended: time(2),
                diagnostics: Diagnostics::unknown_error("quote \" and \u{1F980}"),
            },
            EventState::Skipped { ended: time(9) },
        ];
        let events: Vec<Event> =
            states.map(|state| Event { name: LifecycleEvent::Install, state }).into();
        assert_eq!(read_events(&write_events(&events)).unwrap(), events);
        assert!(read_events("[{\"name\":\"Install\"}]").is_err());
    }
}
