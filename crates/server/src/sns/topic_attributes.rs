//! What topics can be set to.

use serde_json::{Value, json};

use super::policy::{self, Patience};
use super::subscriptions;
use super::topics::{self, TopicRecord};
use super::{Answer, attributes, invalid, required};
use crate::forms::{ApiError, Context, Params};

/// Holds an attribute to its rules. Attributes of what this server does not do (encryption, tracing, logs of
/// deliveries) are kept and shown, so that templates which set them apply.
pub(super) fn check(name: &str, value: &str) -> Result<(), ApiError> {
    match name {
        "DisplayName" if value.chars().count() > 100 => Err(invalid("DisplayName")),
        "DeliveryPolicy" => policy::check_topic(value),
        "SignatureVersion" if !matches!(value, "1" | "2") => {
            Err(invalid("SignatureVersion Reason: it must be 1 or 2"))
        }
        "FifoTopic" if value == "true" => {
            Err(invalid("FifoTopic Reason: this server has no FIFO topics"))
        }
        "Policy" => serde_json::from_str::<Value>(value).map(drop).map_err(|_| invalid("Policy")),
        "DisplayName"
        | "SignatureVersion"
        | "FifoTopic"
        | "TracingConfig"
        | "KmsMasterKeyId"
        | "ContentBasedDeduplication"
        | "ArchivePolicy" => Ok(()),
        feedback
            if feedback.ends_with("FeedbackRoleArn")
                || feedback.ends_with("FeedbackSampleRate") =>
        {
            Ok(())
        }
        _ => Err(invalid("AttributeName")),
    }
}

pub(super) async fn set(context: &Context, params: Params<'_>) -> Answer {
    let arn = topics::checked_arn(params, "TopicArn")?;
    let name = required(params, "AttributeName")?;
    let value = params.text("AttributeValue").unwrap_or_default();
    if !value.is_empty() {
        check(name, value)?;
    }
    let changed = context.records.update::<TopicRecord, _, ApiError>(arn, |topic| {
        if value.is_empty() {
            topic.attributes.remove(name);
        } else {
            topic.attributes.insert(name.to_owned(), value.to_owned());
        }
        Ok(())
    });
    changed.await?.ok_or_else(topics::unknown)?;
    Ok(None)
}

/// The attributes that clients look for, Terraform among them.
pub(super) async fn get(context: &Context, params: Params<'_>) -> Answer {
    let topic = topics::named(context, params).await?.record;
    let subscriptions = subscriptions::of_topic(&context.records, &topic.arn).await?;
    let confirmed = subscriptions.iter().filter(|kept| kept.record.is_confirmed()).count();
    let pending = subscriptions.len() - confirmed;
    let patience = Patience::of_topic(topic.attributes.get("DeliveryPolicy").map(String::as_str));
    let mut shown = vec![
        ("TopicArn", topic.arn.clone()),
        ("Owner", context.scope.account.clone()),
        ("SubscriptionsConfirmed", confirmed.to_string()),
        ("SubscriptionsPending", pending.to_string()),
        ("SubscriptionsDeleted", topic.deleted.to_string()),
        (
            "EffectiveDeliveryPolicy",
            json!({"http": {
                "defaultHealthyRetryPolicy": patience, "disableSubscriptionOverrides": false,
            }})
            .to_string(),
        ),
        (
            "Policy",
            topic
                .attributes
                .get("Policy")
                .cloned()
                .unwrap_or_else(|| default_policy(context, &topic.arn)),
        ),
        ("DisplayName", topic.attributes.get("DisplayName").cloned().unwrap_or_default()),
    ];
    let rest = topic.attributes.iter().map(|(name, value)| (name.as_str(), value.clone()));
    shown.extend(rest.filter(|(name, _)| !matches!(*name, "Policy" | "DisplayName")));
    Ok(Some(attributes(shown)))
}

/// What a topic's policy is until it is given another one. Source: SNS developer guide.
fn default_policy(context: &Context, arn: &str) -> String {
    json!({
        "Version": "2008-10-17",
        "Id": "__default_policy_ID",
        "Statement": [{
            "Sid": "__default_statement_ID",
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": [
                "SNS:GetTopicAttributes", "SNS:SetTopicAttributes", "SNS:AddPermission",
                "SNS:RemovePermission", "SNS:DeleteTopic", "SNS:Subscribe",
                "SNS:ListSubscriptionsByTopic", "SNS:Publish",
            ],
            "Resource": arn,
            "Condition": {"StringEquals": {"AWS:SourceOwner": context.scope.account}},
        }],
    })
    .to_string()
}
