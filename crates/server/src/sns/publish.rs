//! Messages to topics.

use std::collections::{BTreeMap, BTreeSet};

use model::Timestamp;
use serde_json::Value;
use store::NewDelivery;
use wire::xml::Element;

use super::envelope::{Attribute, Letter};
use super::subscriptions::{self, SubscriptionRecord};
use super::{Answer, invalid, required, topics};
use crate::forms::records::{Kept, RecordError};
use crate::forms::{ApiError, Context, Params};

/// The longest message with its attributes. Source: `Publish`.
const MESSAGE_BYTES_MAX: usize = 256 * 1024;

/// The longest subject. Source: `Publish`.
const SUBJECT_MAX: usize = 100;

/// Source: `PublishBatch`.
const BATCH_MAX: usize = 10;

/// A message to a topic, before it is known who gets it.
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) subject: Option<String>,
    pub(crate) message: String,
    pub(crate) attributes: BTreeMap<String, Attribute>,
    pub(crate) at: Timestamp,
}

/// What a message is kept in order with, and its place there.
pub(crate) struct Order {
    pub(crate) lane: String,
    pub(crate) place: i64,
}

/// The deliveries of a message: one for each of the `subscriptions` that is confirmed.
///
/// # Errors
/// The message cannot be written down.
pub(crate) fn deliveries(
    subscriptions: &[Kept<SubscriptionRecord>],
    message: &Message,
    order: Option<&Order>,
) -> Result<Vec<NewDelivery>, RecordError> {
    let letter = Letter::Notification {
        subject: message.subject.clone(),
        message: message.message.clone(),
        attributes: message.attributes.clone(),
    };
    let body = letter.to_body()?;
    let confirmed = subscriptions.iter().filter(|kept| kept.record.is_confirmed());
    let deliveries = confirmed.map(|kept| {
        let arn = &kept.record.arn;
        let (lane, place) = match order {
            Some(order) => (format!("{arn} {}", order.lane), order.place),
            None => (format!("{arn} {}", message.id), 0),
        };
        NewDelivery {
            id: message.id.clone(),
            destination: arn.clone(),
            lane,
            place,
            body: body.clone(),
            created: message.at,
        }
    });
    Ok(deliveries.collect())
}

/// Sends one message.
pub(super) async fn publish(context: &Context, params: Params<'_>) -> Answer {
    let id = send(context, params, params).await?;
    Ok(Some(Element::new("result").field("MessageId", id)))
}

/// Sends up to ten messages, each by itself.
pub(super) async fn batch(context: &Context, params: Params<'_>) -> Answer {
    let entries: Vec<Params<'_>> = params.list("PublishBatchRequestEntries").collect();
    if entries.is_empty() {
        return Err(ApiError::client(
            "EmptyBatchRequest",
            "The batch request doesn't contain any entries.",
        ));
    }
    if entries.len() > BATCH_MAX {
        return Err(ApiError::client(
            "TooManyEntriesInBatchRequest",
            format!("The batch request contains more than {BATCH_MAX} entries."),
        ));
    }
    let ids: BTreeSet<&str> = entries.iter().filter_map(|entry| entry.filled("Id")).collect();
    if ids.len() != entries.len() {
        return Err(ApiError::client(
            "BatchEntryIdsNotDistinct",
            "Two or more batch entries in the request have the same Id.",
        ));
    }
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for entry in entries {
        let shown = Element::new("x").field("Id", entry.text("Id").unwrap_or_default());
        match send(context, params, entry).await {
            Ok(id) => successful.push(shown.field("MessageId", id)),
            Err(error) if error.cause.is_some() => return Err(error),
            Err(error) => failed.push(
                shown
                    .field("Code", &error.code)
                    .field("Message", &error.message)
                    .field("SenderFault", true),
            ),
        }
    }
    Ok(Some(
        Element::new("result")
            .child(Element::list("Successful", "member", successful))
            .child(Element::list("Failed", "member", failed)),
    ))
}

async fn send(
    context: &Context,
    params: Params<'_>,
    entry: Params<'_>,
) -> Result<String, ApiError> {
    let name = if params.filled("TopicArn").is_some() { "TopicArn" } else { "TargetArn" };
    if params.filled(name).is_none() {
        return Err(invalid("TopicArn or TargetArn Reason: no value for required parameter"));
    }
    let topic = topics::checked_arn(params, name)?;
    if context.records.get::<topics::TopicRecord>(topic).await?.is_none() {
        return Err(topics::unknown());
    }
    let message = Message {
        id: uuid::Uuid::new_v4().to_string(),
        subject: subject(entry)?,
        message: text(entry)?,
        attributes: attributes(entry)?,
        at: context.now,
    };
    let subscriptions = subscriptions::of_topic(&context.records, topic).await?;
    let deliveries = deliveries(&subscriptions, &message, None)?;
    context.records.store().deliver(&deliveries).await.map_err(RecordError::from)?;
    Ok(message.id)
}

/// Source: `Publish`: ASCII, begins with a letter, number or punctuation mark, no line breaks or control characters.
fn subject(entry: Params<'_>) -> Result<Option<String>, ApiError> {
    let Some(subject) = entry.text("Subject") else { return Ok(None) };
    let plain = |c: char| c.is_ascii() && !c.is_ascii_control();
    let begins = subject.chars().next().is_some_and(|c| c.is_ascii_graphic());
    if !begins || subject.len() > SUBJECT_MAX || !subject.chars().all(plain) {
        return Err(invalid("Subject"));
    }
    Ok(Some(subject.to_owned()))
}

/// The message; of one with a text for each protocol, that of HTTP.
fn text(entry: Params<'_>) -> Result<String, ApiError> {
    let message = entry.filled("Message").ok_or_else(|| invalid("Empty message"))?;
    if message.len() > MESSAGE_BYTES_MAX {
        return Err(invalid("Message too long"));
    }
    if entry.text("MessageStructure") != Some("json") {
        return Ok(message.to_owned());
    }
    let wrong = |why: &str| invalid(format_args!("Message Structure - {why}"));
    let texts: Value =
        serde_json::from_str(message).map_err(|_| wrong("JSON message body failed to parse"))?;
    let default = texts.get("default").and_then(Value::as_str);
    let default = default.ok_or_else(|| wrong("No default entry in JSON message body"))?;
    let own = ["http", "https"].into_iter().find_map(|name| texts.get(name)?.as_str());
    Ok(own.unwrap_or(default).to_owned())
}

fn attributes(entry: Params<'_>) -> Result<BTreeMap<String, Attribute>, ApiError> {
    let mut attributes = BTreeMap::new();
    for (name, value) in entry.map("MessageAttributes") {
        let kind = required(value, "DataType")?;
        let text = value.filled("StringValue").or_else(|| value.filled("BinaryValue"));
        let text = text.ok_or_else(|| invalid(format_args!("MessageAttributes.{name}.Value")))?;
        attributes
            .insert(name.to_owned(), Attribute { kind: kind.to_owned(), value: text.to_owned() });
    }
    Ok(attributes)
}
