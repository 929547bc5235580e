//! Topics: making, deleting and listing them.

use std::collections::BTreeMap;

use model::arn::Scope;
use serde::{Deserialize, Serialize};
use store::{DocumentWrite, Expected};
use wire::xml::Element;

use super::subscriptions::{self, SubscriptionRecord};
use super::topic_attributes;
use super::{Answer, invalid, page, required, tags};
use crate::forms::records::{Kept, Record, RecordError, Records};
use crate::forms::{ApiError, Context, Params};

/// A topic. Its key is its ARN.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TopicRecord {
    pub(crate) arn: String,
    /// As they were set, by name.
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) tags: BTreeMap<String, String>,
    /// Subscriptions that were deleted.
    pub(super) deleted: u64,
    pub(super) created_ms: i64,
}

impl Record for TopicRecord {
    const KIND: &'static str = "sns.topic";

    fn key(&self) -> String {
        self.arn.clone()
    }
}

/// The ARN of a topic.
pub(crate) fn arn(scope: &Scope, name: &str) -> String {
    format!("arn:aws:sns:{}:{}:{name}", scope.region, scope.account)
}

/// Makes a topic, or finds the one of that name.
pub(super) async fn create(context: &Context, params: Params<'_>) -> Answer {
    let name = checked_name(params)?;
    let arn = arn(&context.scope, name);
    let mut attributes = BTreeMap::new();
    for (name, value) in params.map("Attributes") {
        let value = value.as_text().unwrap_or_default();
        topic_attributes::check(name, value)?;
        attributes.insert(name.to_owned(), value.to_owned());
    }
    let topic = TopicRecord {
        arn: arn.clone(),
        attributes,
        tags: tags::given(params)?,
        deleted: 0,
        created_ms: context.now.as_millis(),
    };
    match context.records.write(vec![Records::create(&topic)?]).await {
        Ok(()) => {}
        Err(RecordError::Conflict) => check_same(&topic, context).await?,
        Err(error) => return Err(error.into()),
    }
    Ok(Some(Element::new("result").field("TopicArn", arn)))
}

/// Source: `CreateTopic`: names are unique, and the attributes given must be those of the topic that is there.
async fn check_same(wanted: &TopicRecord, context: &Context) -> Result<(), ApiError> {
    let Some(there) = context.records.get::<TopicRecord>(&wanted.arn).await? else { return Ok(()) };
    let other =
        |(name, value): (&String, &String)| there.record.attributes.get(name) != Some(value);
    if wanted.attributes.iter().any(other) {
        return Err(invalid("Attributes Reason: Topic already exists with different attributes"));
    }
    if !wanted.tags.is_empty() && wanted.tags != there.record.tags {
        return Err(invalid("Tags Reason: Topic already exists with different tags"));
    }
    Ok(())
}

fn checked_name(params: Params<'_>) -> Result<&str, ApiError> {
    let name = params.filled("Name").ok_or_else(|| invalid("Topic Name"))?;
    if name.ends_with(".fifo") {
        return Err(invalid("FifoTopic Reason: this server has no FIFO topics"));
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.len() > 256 || !name.chars().all(fits) {
        return Err(invalid("Topic Name"));
    }
    Ok(name)
}

/// Deletes a topic with its subscriptions; one that does not exist is gone already.
pub(super) async fn delete(context: &Context, params: Params<'_>) -> Answer {
    let arn = checked_arn(params, "TopicArn")?;
    let gone = subscriptions::of_topic(&context.records, arn).await?;
    let mut writes: Vec<DocumentWrite> = gone
        .iter()
        .map(|kept| {
            DocumentWrite::delete(SubscriptionRecord::KIND, &kept.record.arn, Expected::Any)
        })
        .collect();
    writes.push(DocumentWrite::delete(TopicRecord::KIND, arn, Expected::Any));
    context.records.write(writes).await?;
    for kept in gone {
        subscriptions::forget_messages(context, &kept.record).await?;
    }
    Ok(None)
}

pub(super) async fn list(context: &Context, params: Params<'_>) -> Answer {
    let topics = context.records.list::<TopicRecord>(&arn(&context.scope, "")).await?;
    let shown = topics.into_iter().map(|kept| {
        let element = Element::new("x").field("TopicArn", &kept.record.arn);
        (kept.record.arn, element)
    });
    page(params, "Topics", shown).map(Some)
}

/// The topic that a parameter names.
pub(super) async fn named(
    context: &Context,
    params: Params<'_>,
) -> Result<Kept<TopicRecord>, ApiError> {
    let arn = checked_arn(params, "TopicArn")?;
    context.records.get::<TopicRecord>(arn).await?.ok_or_else(unknown)
}

/// An ARN of a topic, which there need not be.
pub(super) fn checked_arn<'a>(params: Params<'a>, name: &str) -> Result<&'a str, ApiError> {
    let arn = required(params, name)?;
    let mut parts = arn.splitn(6, ':');
    let shape =
        (parts.next(), parts.next(), parts.next(), parts.next(), parts.next(), parts.next());
    match shape {
        (Some("arn"), Some(_), Some("sns"), Some(_), Some(_), Some(topic)) if !topic.is_empty() => {
            Ok(arn)
        }
        _ => Err(invalid(format_args!(
            "{name} Reason: An ARN must have at least 6 elements, not {}",
            arn.split(':').count()
        ))),
    }
}

/// Source: the service's answers.
pub(super) fn unknown() -> ApiError {
    ApiError::new(404, "NotFound", "Topic does not exist")
}
