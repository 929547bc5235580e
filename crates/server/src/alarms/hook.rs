//! What Alertmanager sends: alerts that begin and end.
//!
//! Source: Alertmanager documentation, "Configuration", `webhook_config`.

use std::collections::BTreeMap;

use model::Timestamp;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::source::{AlarmSource, Alertmanager, What, token_term};
use super::state::{Known, set};
use crate::cloudwatch::alarms::AlarmState;
use crate::forms::records::{Record, RecordError, Records};

/// A notification; what it holds besides is not needed.
#[derive(Debug, Deserialize)]
struct Notification {
    alerts: Vec<Alert>,
}

#[derive(Debug, Deserialize)]
struct Alert {
    status: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

/// Why a notification was not taken in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HookError {
    #[error("no alarm source has this token")]
    UnknownToken,
    #[error("the body is no notification of Alertmanager: {0}")]
    Body(#[from] serde_json::Error),
    #[error("more than {FIRING_MAX} alerts fire: give the alarm source more labels")]
    TooMany,
    #[error(transparent)]
    Records(#[from] RecordError),
}

/// Alerts of one source that fire at the same time; each is remembered until it is resolved.
const FIRING_MAX: usize = 1000;

/// The form in which a token is kept.
pub(super) fn hash(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

/// Takes in a notification that came with the token.
///
/// # Errors
/// The token is unknown, the body is no notification, or the records failed.
pub(crate) async fn alertmanager(
    records: &Records,
    token: &str,
    body: &[u8],
    now: Timestamp,
) -> Result<(), HookError> {
    // What is looked up is a hash: how long that takes tells nothing of the token.
    let found = records.with_term::<AlarmSource>(&token_term(&hash(token))).await?;
    if found.is_empty() {
        return Err(HookError::UnknownToken);
    }
    let notification: Notification = serde_json::from_slice(body)?;
    for kept in found {
        let key = kept.record.key();
        let heard =
            records.update::<AlarmSource, _, HookError>(&key, |source| match &mut source.what {
                What::Alertmanager(alertmanager) => hear(alertmanager, &notification),
                What::Prometheus { .. } | What::Http(_) => Ok(None),
            });
        if let Some(Some((state, reason))) = heard.await? {
            set(records, &key, Known::State(state), &reason, now).await?;
        }
    }
    Ok(())
}

/// The state after the notification; none if it is about other alerts.
fn hear(
    alertmanager: &mut Alertmanager,
    notification: &Notification,
) -> Result<Option<(AlarmState, String)>, HookError> {
    let wanted = |alert: &&Alert| {
        alertmanager.labels.iter().all(|(name, value)| alert.labels.get(name) == Some(value))
    };
    let alerts: Vec<&Alert> = notification.alerts.iter().filter(wanted).collect();
    if alerts.is_empty() {
        return Ok(None);
    }
    for alert in alerts {
        // What Alertmanager calls a fingerprint is a hash of the labels too, but old versions send none.
        let name = hash(&format!("{:?}", alert.labels));
        if alert.status == "firing" {
            alertmanager.firing.insert(name);
        } else {
            alertmanager.firing.remove(&name);
        }
    }
    Ok(Some(match alertmanager.firing.len() {
        count if count > FIRING_MAX => return Err(HookError::TooMany),
        0 => (AlarmState::Ok, "Alertmanager says that no alert fires".to_owned()),
        1 => (AlarmState::Alarm, "Alertmanager says that an alert fires".to_owned()),
        many => (AlarmState::Alarm, format!("Alertmanager says that {many} alerts fire")),
    }))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn hears(source: &mut Alertmanager, alerts: &str) -> Option<AlarmState> {
        let body = format!(r#"{{"version":"4","status":"firing","alerts":[{alerts}]}}"#);
        hear(source, &serde_json::from_str(&body).unwrap()).unwrap().map(|(state, _)| state)
    }

    #[test]
    fn an_alarm_lasts_until_the_last_of_its_alerts_is_resolved() {
        let mut source = Alertmanager {
            token: String::new(),
            labels: BTreeMap::from([("alertname".to_owned(), "Down".to_owned())]),
            firing: BTreeSet::new(),
        };
        let alert = |status: &str, host: &str| {
            format!(
                r#"{{"status":"{status}","labels":{{"alertname":"Down","host":"{host}"}},"fingerprint":"f"}}"#
            )
        };
        let other = r#"{"status":"firing","labels":{"alertname":"Slow"}}"#;
        assert_eq!(hears(&mut source, other), None);
        assert_eq!(hears(&mut source, &alert("firing", "a")), Some(AlarmState::Alarm));
        assert_eq!(hears(&mut source, &alert("firing", "b")), Some(AlarmState::Alarm));
        assert_eq!(hears(&mut source, &alert("firing", "b")), Some(AlarmState::Alarm));
        assert_eq!(hears(&mut source, &alert("resolved", "a")), Some(AlarmState::Alarm));
        assert_eq!(hears(&mut source, &alert("resolved", "b")), Some(AlarmState::Ok));
    }

    #[test]
    fn more_alerts_than_can_be_remembered_are_refused() {
        let mut source = Alertmanager {
            token: String::new(),
            labels: BTreeMap::from([("alertname".to_owned(), "Down".to_owned())]),
            firing: (0..FIRING_MAX).map(|n| n.to_string()).collect(),
        };
        let body = r#"{"alerts":[{"status":"firing","labels":{"alertname":"Down"}}]}"#;
        let heard = hear(&mut source, &serde_json::from_str(body).unwrap());
        assert!(matches!(heard, Err(HookError::TooMany)));
    }
}
