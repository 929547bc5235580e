//! Tags of alarms.

use serde::Deserialize;
use serde_json::{Value, json};

use super::alarms::{self, AlarmRecord, TAGS_MAX, Tag};
use super::input::Input;
use crate::forms::{ApiError, Context};

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Tagging {
    #[serde(rename = "ResourceARN")]
    resource_arn: String,
    tags: Vec<Tag>,
    tag_keys: Vec<String>,
}

impl Tagging {
    /// The key of the alarm that the ARN names.
    fn key(&self, context: &Context) -> Result<String, ApiError> {
        let prefix = alarms::arn(&context.scope, "");
        let name = self.resource_arn.strip_prefix(&prefix).ok_or_else(|| self.unknown())?;
        Ok(alarms::key(&context.scope.region, name))
    }

    fn unknown(&self) -> ApiError {
        let shown: String = self.resource_arn.chars().take(200).collect();
        ApiError::new(
            404,
            "ResourceNotFoundException",
            format!("There is no alarm with the ARN {shown}."),
        )
    }
}

pub(super) async fn list(context: &Context, input: &Input) -> Result<Value, ApiError> {
    let wanted: Tagging = input.read()?;
    let found = context.records.get::<AlarmRecord>(&wanted.key(context)?).await?;
    let tags = found.ok_or_else(|| wanted.unknown())?.record.tags;
    let tags: Vec<Value> =
        tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
    Ok(json!({"Tags": tags}))
}

pub(super) async fn tag(context: &Context, input: &Input) -> Result<Value, ApiError> {
    change(context, input, |alarm, wanted| {
        alarm.tags.extend(wanted.tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())));
        if alarm.tags.len() > TAGS_MAX { Err(alarms::too_many("Tags", TAGS_MAX)) } else { Ok(()) }
    })
    .await
}

pub(super) async fn untag(context: &Context, input: &Input) -> Result<Value, ApiError> {
    change(context, input, |alarm, wanted| {
        alarm.tags.retain(|key, _| !wanted.tag_keys.contains(key));
        Ok(())
    })
    .await
}

async fn change(
    context: &Context,
    input: &Input,
    how: impl Fn(&mut AlarmRecord, &Tagging) -> Result<(), ApiError>,
) -> Result<Value, ApiError> {
    let wanted: Tagging = input.read()?;
    let key = wanted.key(context)?;
    let changed =
        context.records.update::<AlarmRecord, _, ApiError>(&key, |alarm| how(alarm, &wanted));
    changed.await?.ok_or_else(|| wanted.unknown())?;
    Ok(Value::Null)
}
