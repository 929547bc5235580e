//! Tags of topics.

use std::collections::BTreeMap;

use wire::xml::Element;

use super::topics::{self, TopicRecord};
use super::{Answer, invalid, required};
use crate::forms::{ApiError, Context, Params};

/// Source: SNS quotas.
const TAGS_MAX: usize = 50;

/// The tags given.
pub(super) fn given(params: Params<'_>) -> Result<BTreeMap<String, String>, ApiError> {
    let mut tags = BTreeMap::new();
    for tag in params.list("Tags") {
        let (key, value) = (required(tag, "Key")?, tag.text("Value").unwrap_or_default());
        if key.chars().count() > 128 || value.chars().count() > 256 {
            return Err(invalid("Tags"));
        }
        tags.insert(key.to_owned(), value.to_owned());
    }
    Ok(tags)
}

pub(super) async fn tag(context: &Context, params: Params<'_>) -> Answer {
    let tags = given(params)?;
    change(context, params, |topic| {
        topic.tags.extend(tags.clone());
        if topic.tags.len() <= TAGS_MAX {
            return Ok(());
        }
        let message = format!("A topic has at most {TAGS_MAX} tags");
        Err(ApiError::client("TagLimitExceeded", message))
    })
    .await
}

pub(super) async fn untag(context: &Context, params: Params<'_>) -> Answer {
    let keys = params.texts("TagKeys");
    change(context, params, |topic| {
        topic.tags.retain(|key, _| !keys.contains(&key.as_str()));
        Ok(())
    })
    .await
}

async fn change(
    context: &Context,
    params: Params<'_>,
    how: impl Fn(&mut TopicRecord) -> Result<(), ApiError>,
) -> Answer {
    let arn = topics::checked_arn(params, "ResourceArn")?;
    let changed = context.records.update::<TopicRecord, _, ApiError>(arn, how);
    changed.await?.ok_or_else(unknown)?;
    Ok(Some(Element::new("result")))
}

pub(super) async fn list(context: &Context, params: Params<'_>) -> Answer {
    let arn = topics::checked_arn(params, "ResourceArn")?;
    let topic = context.records.get::<TopicRecord>(arn).await?.ok_or_else(unknown)?.record;
    let tags = topic
        .tags
        .iter()
        .map(|(key, value)| Element::new("x").field("Key", key).field("Value", value));
    Ok(Some(Element::new("result").child(Element::list("Tags", "member", tags))))
}

fn unknown() -> ApiError {
    ApiError::new(404, "ResourceNotFound", "Resource does not exist")
}
