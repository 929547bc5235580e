//! Where alarms' states come from, besides `SetAlarmState`.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::cloudwatch::alarms;
use crate::forms::records::Record;

/// The documents' kind.
pub(crate) const KIND: &str = "longshore.alarm_source";

/// The source of one alarm, which has the same name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct AlarmSource {
    pub(crate) region: String,
    pub(crate) alarm: String,
    pub(crate) what: What,
}

/// What says how things are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum What {
    Prometheus { url: String, query: String, rule: Rule, interval_seconds: u32 },
    Http(HttpCheck),
    Alertmanager(Alertmanager),
}

/// When the result of a query is bad.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Rule {
    /// When it has a sample at all, as with Prometheus's own alerting rules.
    AnySample,
    /// When one of its samples compares so.
    Threshold { comparison: Comparison, value: f64 },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Comparison {
    GreaterThan,
    GreaterThanOrEqual,
    LessThan,
    LessThanOrEqual,
}

impl Comparison {
    const ALL: [Self; 4] =
        [Self::GreaterThan, Self::GreaterThanOrEqual, Self::LessThan, Self::LessThanOrEqual];

    /// The name that CloudWatch has for it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::GreaterThan => "GreaterThanThreshold",
            Self::GreaterThanOrEqual => "GreaterThanOrEqualToThreshold",
            Self::LessThan => "LessThanThreshold",
            Self::LessThanOrEqual => "LessThanOrEqualToThreshold",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|comparison| comparison.name() == name)
    }

    /// Whether `sample` compares so with `value`. What is not a number compares with nothing.
    pub(crate) fn holds(self, sample: f64, value: f64) -> bool {
        match self {
            Self::GreaterThan => sample > value,
            Self::GreaterThanOrEqual => sample >= value,
            Self::LessThan => sample < value,
            Self::LessThanOrEqual => sample <= value,
        }
    }
}

/// A URL that has to answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HttpCheck {
    pub(crate) url: String,
    /// The status that is expected.
    pub(crate) status: u16,
    pub(crate) timeout_seconds: u32,
    /// So many checks in a row must fail for the alarm.
    pub(crate) failures: u32,
    pub(crate) interval_seconds: u32,
}

/// Alerts that Alertmanager sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Alertmanager {
    /// The SHA-256 of the token in the address that Alertmanager is given, in hexadecimal digits.
    pub(crate) token: String,
    /// What an alert's labels must be; among them `alertname`.
    pub(crate) labels: BTreeMap<String, String>,
    /// The fingerprints of alerts that fire.
    pub(crate) firing: BTreeSet<String>,
}

impl Record for AlarmSource {
    const KIND: &'static str = KIND;

    fn key(&self) -> String {
        alarms::key(&self.region, &self.alarm)
    }

    fn terms(&self) -> Vec<String> {
        match &self.what {
            What::Alertmanager(alertmanager) => vec![token_term(&alertmanager.token)],
            What::Prometheus { .. } | What::Http(_) => Vec::new(),
        }
    }
}

impl AlarmSource {
    /// Takes over what is known from the source that this one replaces. False: they do not ask the same, and the alarm's
    /// state says nothing any more.
    pub(crate) fn go_on_from(&mut self, before: &Self) -> bool {
        match (&mut self.what, &before.what) {
            (What::Alertmanager(new), What::Alertmanager(old)) if new.labels == old.labels => {
                // Only the token is another one.
                new.firing.clone_from(&old.firing);
                true
            }
            (new, old) => new == old,
        }
    }
}

/// The term under which the source with that token's hash is found.
pub(crate) fn token_term(hash: &str) -> String {
    format!("token:{hash}")
}

impl What {
    /// How often it is asked; none: it tells by itself.
    pub(crate) fn interval_seconds(&self) -> Option<u32> {
        match self {
            Self::Prometheus { interval_seconds, .. } => Some(*interval_seconds),
            Self::Http(check) => Some(check.interval_seconds),
            Self::Alertmanager(_) => None,
        }
    }

    /// What it is, for people.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Prometheus { query, .. } => format!("Prometheus: {query}"),
            Self::Http(check) => format!("HTTP check of {}", check.url),
            Self::Alertmanager(alertmanager) => {
                let labels = alertmanager.labels.iter();
                let labels: Vec<String> =
                    labels.map(|(name, value)| format!("{name}={value}")).collect();
                format!("Alertmanager: {}", labels.join(", "))
            }
        }
    }

    /// The alarm's metric in `DescribeAlarms`.
    pub(crate) const fn metric(&self) -> &'static str {
        match self {
            Self::Prometheus { .. } => "PrometheusQuery",
            Self::Http(_) => "HttpCheck",
            Self::Alertmanager(_) => "Alertmanager",
        }
    }
}
