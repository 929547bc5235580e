//! Longshore's own operations on the sources of alarms.

use std::collections::{BTreeMap, BTreeSet};

use store::{DocumentWrite, Expected};
use wire::longshore::{
    AlarmSource as Shown, AlertmanagerSource, DeleteAlarmSourceInput, HttpCheckSource,
    ListAlarmSourcesInput, ListAlarmSourcesOutput, PrometheusSource, PutAlarmSourceInput,
    PutAlarmSourceOutput,
};
use wire::{ErrorCode, NoOutput, ServiceError};

use super::hook;
use super::source::{AlarmSource, Alertmanager, Comparison, HttpCheck, Rule, What};
use crate::app::{Answer, Failure};
use crate::cloudwatch::alarms::{self, AlarmRecord, AlarmState, Settings};
use crate::forms::Context;
use crate::forms::records::{Kept, Record, RecordError, Records};
use crate::outbound;

const INTERVAL_SECONDS: i64 = 30;
const TIMEOUT_SECONDS: i64 = 5;
const FAILURES: i64 = 3;

/// Sources of one region.
const SOURCES_MAX: usize = 200;

/// Labels that alerts may be asked to have.
const LABELS_MAX: usize = 20;

/// Lets an alarm's state come from a source; an alarm that does not exist is made.
pub(crate) async fn put(
    context: &Context,
    input: PutAlarmSourceInput,
) -> Answer<PutAlarmSourceOutput> {
    let alarm = input.alarm_name.unwrap_or_default();
    let interval = number(input.interval_seconds, INTERVAL_SECONDS);
    let mut webhook_url = None;
    let what = match (input.prometheus, input.http_check, input.alertmanager) {
        (Some(prometheus), None, None) => of_prometheus(context, prometheus, interval)?,
        (None, Some(check), None) => of_check(context, check, interval)?,
        (None, None, Some(alertmanager)) => {
            let token = draw_token();
            let address = &context.outside.public_url;
            webhook_url = Some(format!("{address}/-/hooks/alertmanager/{token}"));
            of_alertmanager(alertmanager, &token)?
        }
        _ => {
            let message = "Exactly one of prometheus, httpCheck and alertmanager must be given";
            return Err(invalid(message.to_owned()).into());
        }
    };
    let region = context.scope.region.clone();
    write(context, &AlarmSource { region, alarm, what }).await?;
    Ok(PutAlarmSourceOutput { webhook_url })
}

/// Writes the source, and the alarm if there is none. Of an alarm that is there, nothing is known any more, unless the
/// source asks the same as the one before it.
async fn write(context: &Context, wanted: &AlarmSource) -> Answer<()> {
    let (records, key) = (&context.records, wanted.key());
    loop {
        let mut source = wanted.clone();
        let before = records.get::<AlarmSource>(&key).await.map_err(unwritten)?;
        let alarm = records.get::<AlarmRecord>(&key).await.map_err(unwritten)?;
        let goes_on = match &before {
            Some(before) => source.go_on_from(&before.record),
            None => {
                check_room(context).await?;
                false
            }
        };
        let mut writes = vec![match before {
            Some(before) => {
                Records::replace(&Kept { record: source.clone(), revision: before.revision })
            }
            None => Records::create(&source),
        }];
        match alarm {
            None => {
                let settings = Settings::of_source(&source.alarm, source.what.metric());
                let alarm = AlarmRecord::new(&source.region, settings, context.now);
                writes.push(Records::create(&alarm));
            }
            Some(_) if goes_on => {}
            Some(mut alarm) => {
                let reason = "Unchecked: the alarm has another source";
                alarm.record.set_state(AlarmState::InsufficientData, reason, None, context.now);
                writes.push(Records::replace(&alarm));
            }
        }
        let writes = writes.into_iter().collect::<Result<_, _>>().map_err(unwritten)?;
        match records.write(writes).await {
            // Somebody else wrote one of them just now.
            Err(RecordError::Conflict) => {}
            outcome => return outcome.map_err(unwritten),
        }
    }
}

/// Two that come at the same time may both find the last place: that does no harm.
async fn check_room(context: &Context) -> Answer<()> {
    let prefix = alarms::key(&context.scope.region, "");
    let found = context.records.list::<AlarmSource>(&prefix).await.map_err(unwritten)?;
    if found.len() < SOURCES_MAX {
        return Ok(());
    }
    let message = format!("The region has {SOURCES_MAX} alarm sources already, which is the limit");
    Err(Failure::refused(ErrorCode::AlarmSourceLimitExceeded, message))
}

fn of_prometheus(context: &Context, source: PrometheusSource, interval: u32) -> Answer<What> {
    let url = checked_url(context, source.url)?;
    let comparison = source.comparison_operator.as_deref().and_then(Comparison::from_name);
    let rule = match (comparison, source.threshold) {
        (None, None) => Rule::AnySample,
        (Some(comparison), Some(value)) => Rule::Threshold { comparison, value },
        (Some(_), None) | (None, Some(_)) => {
            let message = "A comparisonOperator and a threshold need each other";
            return Err(invalid(message.to_owned()).into());
        }
    };
    let query = source.query.unwrap_or_default();
    if query.is_empty() {
        return Err(invalid("The query of prometheus must be given".to_owned()).into());
    }
    if url.contains(['?', '#']) {
        let message = format!("'{url}' must end with a path: the query is added to it");
        return Err(invalid(message).into());
    }
    Ok(What::Prometheus { url, query, rule, interval_seconds: interval })
}

fn of_check(context: &Context, source: HttpCheckSource, interval: u32) -> Answer<What> {
    let status = source.expected_status.and_then(|status| u16::try_from(status).ok());
    Ok(What::Http(HttpCheck {
        url: checked_url(context, source.url)?,
        status: status.unwrap_or(200),
        timeout_seconds: number(source.timeout_seconds, TIMEOUT_SECONDS),
        failures: number(source.failures, FAILURES),
        interval_seconds: interval,
    }))
}

fn of_alertmanager(source: AlertmanagerSource, token: &str) -> Answer<What> {
    let name = source.alert_name.unwrap_or_default();
    if name.is_empty() {
        return Err(invalid("The alertName of alertmanager must be given".to_owned()).into());
    }
    let mut labels: BTreeMap<String, String> =
        source.labels.unwrap_or_default().into_iter().collect();
    if labels.len() > LABELS_MAX {
        let message =
            format!("There are {} labels; at most {LABELS_MAX} are allowed", labels.len());
        return Err(invalid(message).into());
    }
    labels.insert("alertname".to_owned(), name);
    let token = hook::hash(token);
    Ok(What::Alertmanager(Alertmanager { token, labels, firing: BTreeSet::new() }))
}

/// 256 random bits.
fn draw_token() -> String {
    let token: [u8; 32] = rand::random();
    hex::encode(token)
}

fn checked_url(context: &Context, url: Option<String>) -> Result<String, ServiceError> {
    let url = url.unwrap_or_default();
    match outbound::check_url(&url, context.outside.reach) {
        Ok(()) => Ok(url),
        Err(error) => Err(invalid(error.to_string())),
    }
}

/// A number that the model has held to its range already.
fn number(given: Option<i64>, default: i64) -> u32 {
    u32::try_from(given.unwrap_or(default)).unwrap_or(u32::MAX)
}

fn invalid(message: String) -> ServiceError {
    ServiceError::new(ErrorCode::InvalidAlarmSource, message)
}

fn unwritten(error: RecordError) -> Failure {
    Failure::internal("the sources of alarms cannot be reached", error)
}

/// Where alarms' states come from.
pub(crate) async fn list(
    context: &Context,
    _input: ListAlarmSourcesInput,
) -> Answer<ListAlarmSourcesOutput> {
    let prefix = alarms::key(&context.scope.region, "");
    let found = context.records.list::<AlarmSource>(&prefix).await.map_err(unwritten)?;
    let shown = found.into_iter().map(|kept| show(kept.record)).collect();
    Ok(ListAlarmSourcesOutput { alarm_sources: Some(shown) })
}

fn show(source: AlarmSource) -> Shown {
    let mut shown = Shown {
        alarm_name: Some(source.alarm),
        interval_seconds: source.what.interval_seconds().map(i64::from),
        ..Shown::default()
    };
    match source.what {
        What::Prometheus { url, query, rule, .. } => {
            let (comparison, threshold) = match rule {
                Rule::AnySample => (None, None),
                Rule::Threshold { comparison, value } => (Some(comparison.name()), Some(value)),
            };
            shown.prometheus = Some(PrometheusSource {
                url: Some(url),
                query: Some(query),
                comparison_operator: comparison.map(str::to_owned),
                threshold,
            });
        }
        What::Http(check) => {
            shown.http_check = Some(HttpCheckSource {
                url: Some(check.url),
                expected_status: Some(check.status.into()),
                timeout_seconds: Some(check.timeout_seconds.into()),
                failures: Some(check.failures.into()),
            });
        }
        What::Alertmanager(mut alertmanager) => {
            shown.alertmanager = Some(AlertmanagerSource {
                alert_name: alertmanager.labels.remove("alertname"),
                labels: Some(alertmanager.labels.into_iter().collect()),
            });
        }
    }
    shown
}

/// Deletes a source and its alarm.
pub(crate) async fn delete(context: &Context, input: DeleteAlarmSourceInput) -> Answer<NoOutput> {
    let name = input.alarm_name.unwrap_or_default();
    let key = alarms::key(&context.scope.region, &name);
    let found = context.records.get::<AlarmSource>(&key).await.map_err(unwritten)?;
    if found.is_none() {
        let message = format!("The alarm '{name}' has no source");
        return Err(Failure::refused(ErrorCode::AlarmSourceDoesNotExist, message));
    }
    let gone = [AlarmSource::KIND, AlarmRecord::KIND]
        .map(|kind| DocumentWrite::delete(kind, &key, Expected::Any));
    context.records.write(gone.into()).await.map_err(unwritten)?;
    Ok(NoOutput {})
}
