//! Event destinations: webhooks that get what happens to deployments.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use model::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{Delivery, DeploymentRecord};

use super::events::Format;
use super::webhook;
use crate::forms::records::Record;
use crate::outbound::Outgoing;

/// How long a receiver may take.
const TIMEOUT: Duration = Duration::from_secs(15);
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// What destinations' names begin with in the store's deliveries.
const PREFIX: &str = "event-destination:";

/// A webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EventDestination {
    pub(crate) region: String,
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) format: Format,
    pub(crate) secret: String,
    pub(crate) filter: Filter,
    pub(crate) created_ms: i64,
}

/// Which events a destination gets; an empty list lets everything through.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Filter {
    pub(crate) application_names: Vec<String>,
    pub(crate) deployment_group_names: Vec<String>,
    pub(crate) detail_types: Vec<String>,
}

impl Record for EventDestination {
    const KIND: &'static str = "longshore.event_destination";

    fn key(&self) -> String {
        key(&self.region, &self.name)
    }
}

/// The key of a destination.
pub(crate) fn key(region: &str, name: &str) -> String {
    format!("{region}/{name}")
}

/// What the store calls the destination with that key.
pub(crate) fn destination(key: &str) -> String {
    format!("{PREFIX}{key}")
}

/// The key of the destination that the store calls so, if it is one.
pub(super) fn key_of(destination: &str) -> Option<&str> {
    destination.strip_prefix(PREFIX)
}

impl EventDestination {
    /// Whether the destination wants this event of the deployment.
    pub(super) fn wants(&self, record: &DeploymentRecord, event: &Value) -> bool {
        let within = |list: &[String], value: &str| {
            list.is_empty() || list.iter().any(|listed| listed == value)
        };
        let kind = event["detail-type"].as_str().unwrap_or_default();
        self.region == record.region
            && within(&self.filter.application_names, record.application_name.as_str())
            && within(&self.filter.deployment_group_names, record.group_name.as_str())
            && within(&self.filter.detail_types, kind)
    }

    /// The request that brings an event.
    pub(super) fn outgoing(
        &self,
        delivery: &Delivery,
        now: Timestamp,
    ) -> Result<Outgoing, serde_json::Error> {
        let event: Value = serde_json::from_str(&delivery.body)?;
        let body = self.format.write(&event);
        let mut headers = vec![("content-type".to_owned(), self.format.content_type().to_owned())];
        headers.extend(webhook::headers(&self.secret, &delivery.id, &body, now));
        Ok(Outgoing {
            method: Method::POST,
            url: self.url.clone(),
            headers,
            body: Bytes::from(body),
            timeout: TIMEOUT,
            answer_bytes_max: ANSWER_BYTES_MAX,
        })
    }
}
