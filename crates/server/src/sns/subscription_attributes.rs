//! What subscriptions can be set to.

use std::collections::BTreeMap;

use serde_json::json;

use super::policy::{self, Patience};
use super::subscriptions::{self, State, SubscriptionRecord};
use super::topics::TopicRecord;
use super::{Answer, attributes, invalid, required};
use crate::forms::{ApiError, Context, Params};

/// Holds an attribute to its rules. What would select or redirect messages is refused, for it would not happen.
fn check(name: &str, value: &str) -> Result<(), ApiError> {
    match name {
        "RawMessageDelivery" if !matches!(value, "true" | "false") => {
            Err(invalid("RawMessageDelivery"))
        }
        "RawMessageDelivery" => Ok(()),
        "DeliveryPolicy" => policy::check_subscription(value),
        "FilterPolicy" | "FilterPolicyScope" | "RedrivePolicy" | "SubscriptionRoleArn" => {
            Err(invalid(format_args!(
                "{name} Reason: this server sends every message of a topic to every subscription; \
                 messages that cannot be delivered are kept in its list of dead letters"
            )))
        }
        _ => Err(invalid("AttributeName")),
    }
}

/// The attributes that `Subscribe` was given.
pub(super) fn given(params: Params<'_>) -> Result<BTreeMap<String, String>, ApiError> {
    let mut attributes = BTreeMap::new();
    for (name, value) in params.map("Attributes") {
        let value = value.as_text().unwrap_or_default();
        check(name, value)?;
        attributes.insert(name.to_owned(), value.to_owned());
    }
    Ok(attributes)
}

pub(super) async fn set(context: &Context, params: Params<'_>) -> Answer {
    let name = required(params, "AttributeName")?;
    let value = params.text("AttributeValue").unwrap_or_default();
    if !value.is_empty() {
        check(name, value)?;
    }
    let arn = subscriptions::named(context, params).await?.record.arn;
    let changed = context.records.update::<SubscriptionRecord, _, ApiError>(&arn, |record| {
        if value.is_empty() {
            record.attributes.remove(name);
        } else {
            record.attributes.insert(name.to_owned(), value.to_owned());
        }
        Ok(())
    });
    changed.await?.ok_or_else(subscriptions::unknown)?;
    Ok(None)
}

pub(super) async fn get(context: &Context, params: Params<'_>) -> Answer {
    let record = subscriptions::named(context, params).await?.record;
    let topic = context.records.get::<TopicRecord>(&record.topic).await?;
    let topic_policy = topic.as_ref().and_then(|kept| kept.record.attributes.get("DeliveryPolicy"));
    let own = record.attribute("DeliveryPolicy");
    let patience = Patience::of_subscription(own)
        .unwrap_or_else(|| Patience::of_topic(topic_policy.map(String::as_str)));
    let authenticated = match record.state {
        State::Confirmed { authenticate_on_unsubscribe } => authenticate_on_unsubscribe,
        State::Pending { .. } => false,
    };
    let mut shown = vec![
        ("SubscriptionArn", record.arn.clone()),
        ("TopicArn", record.topic.clone()),
        ("Owner", context.scope.account.clone()),
        ("Protocol", record.protocol.clone()),
        ("Endpoint", record.endpoint.clone()),
        ("PendingConfirmation", (!record.is_confirmed()).to_string()),
        ("ConfirmationWasAuthenticated", authenticated.to_string()),
        ("RawMessageDelivery", record.is_raw().to_string()),
        ("EffectiveDeliveryPolicy", json!({"healthyRetryPolicy": patience}).to_string()),
    ];
    shown.extend(own.map(|policy| ("DeliveryPolicy", policy.to_owned())));
    Ok(Some(attributes(shown)))
}
