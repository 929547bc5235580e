//! Messages as endpoints get them: the envelope, its headers, its signature.
//!
//! Source: SNS developer guide, "Parsing Amazon SNS message formats" and "Verifying the signatures of Amazon SNS
//! messages"; headers as observed.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use store::{Delivery, StoreError};

use super::policy::Patience;
use super::signer::{MessageSigner, MessageSignerError, SignatureVersion};
use super::subscriptions::SubscriptionRecord;
use super::topics::TopicRecord;
use crate::forms::iso;
use crate::forms::records::{RecordError, Records};
use crate::notifications::Outside;
use crate::outbound::Outgoing;

/// How long an endpoint may take. Source: SNS developer guide, "HTTP/HTTPS notifications": 15 seconds.
const TIMEOUT: Duration = Duration::from_secs(15);

/// What an endpoint answers is only for its log.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// What is on its way to a subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Letter {
    /// Do you want this topic's messages?
    Confirmation { token: String },
    Notification {
        subject: Option<String>,
        message: String,
        attributes: BTreeMap<String, Attribute>,
    },
}

/// An attribute of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attribute {
    #[serde(rename = "Type")]
    pub(crate) kind: String,
    #[serde(rename = "Value")]
    pub(crate) value: String,
}

impl Letter {
    /// The form in which the store keeps it.
    pub(crate) fn to_body(&self) -> Result<String, RecordError> {
        serde_json::to_string(self).map_err(|source| {
            let (kind, key) = ("sns.message".to_owned(), String::new());
            RecordError::Store(StoreError::Document { kind, key, source })
        })
    }
}

/// Why a message cannot be put into its envelope.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EnvelopeError {
    #[error("the message cannot be read")]
    Body(#[from] serde_json::Error),
    #[error(transparent)]
    Records(#[from] RecordError),
    #[error(transparent)]
    Sign(#[from] MessageSignerError),
}

/// The request that brings a message to a subscription, and how often it is worth trying. None: the subscription has
/// ended.
pub(crate) async fn prepare(
    records: &Records,
    signer: &MessageSigner,
    outside: &Outside,
    subscription: &str,
    delivery: &Delivery,
) -> Result<Option<(Outgoing, Patience)>, EnvelopeError> {
    let Some(kept) = records.get::<SubscriptionRecord>(subscription).await? else {
        return Ok(None);
    };
    let Some(topic) = records.get::<TopicRecord>(&kept.record.topic).await? else {
        return Ok(None);
    };
    let letter: Letter = serde_json::from_str(&delivery.body)?;
    let version = match topic.record.attributes.get("SignatureVersion").map(String::as_str) {
        Some("2") => SignatureVersion::Two,
        _ => SignatureVersion::One,
    };
    let envelope = Envelope { subscription: &kept.record, outside, delivery, version };
    let outgoing = match &letter {
        Letter::Notification { message, .. } if kept.record.is_raw() => {
            let mut outgoing = envelope.outgoing("Notification", message.clone());
            outgoing.headers.push(("x-amz-sns-rawdelivery".to_owned(), "true".to_owned()));
            outgoing
        }
        letter => {
            let (kind, message) = envelope.signed(letter, signer)?;
            envelope.outgoing(kind, message)
        }
    };
    let topic_policy = topic.record.attributes.get("DeliveryPolicy").map(String::as_str);
    let own = Patience::of_subscription(kept.record.attribute("DeliveryPolicy"));
    Ok(Some((outgoing, own.unwrap_or_else(|| Patience::of_topic(topic_policy)))))
}

struct Envelope<'a> {
    subscription: &'a SubscriptionRecord,
    outside: &'a Outside,
    delivery: &'a Delivery,
    version: SignatureVersion,
}

impl Envelope<'_> {
    /// The message's type and its text, signed.
    fn signed(
        &self,
        letter: &Letter,
        signer: &MessageSigner,
    ) -> Result<(&'static str, String), MessageSignerError> {
        let (kind, mut members, signed_names) = self.members(letter);
        members.insert("Timestamp".to_owned(), iso(self.delivery.created).into());
        members.insert("SignatureVersion".to_owned(), self.version.number().into());
        let text = string_to_sign(&members, signed_names);
        members.insert("Signature".to_owned(), signer.sign(&text, self.version)?.into());
        let certificate = format!("{}/-/sns/signing.pem", self.outside.public_url);
        members.insert("SigningCertURL".to_owned(), certificate.into());
        if let Letter::Notification { attributes, .. } = letter {
            members.insert("UnsubscribeURL".to_owned(), self.unsubscribe_url().into());
            if !attributes.is_empty() {
                members.insert("MessageAttributes".to_owned(), json!(attributes));
            }
        }
        Ok((kind, format!("{:#}", Value::Object(members))))
    }

    fn members(
        &self,
        letter: &Letter,
    ) -> (&'static str, Map<String, Value>, &'static [&'static str]) {
        let SubscriptionRecord { topic, .. } = self.subscription;
        let mut members = Map::new();
        let mut put = |name: &str, value: &str| members.insert(name.to_owned(), value.into());
        match letter {
            Letter::Confirmation { token } => {
                put("Type", "SubscriptionConfirmation");
                put("MessageId", &self.delivery.id);
                put("Token", token);
                put("TopicArn", topic);
                put(
                    "Message",
                    &format!(
                        "You have chosen to subscribe to the topic {topic}.\nTo confirm the subscription, visit the SubscribeURL included in this message."
                    ),
                );
                put("SubscribeURL", &self.subscribe_url(token));
                (
                    "SubscriptionConfirmation",
                    members,
                    &[
                        "Message",
                        "MessageId",
                        "SubscribeURL",
                        "Timestamp",
                        "Token",
                        "TopicArn",
                        "Type",
                    ],
                )
            }
            Letter::Notification { subject, message, .. } => {
                put("Type", "Notification");
                put("MessageId", &self.delivery.id);
                put("TopicArn", topic);
                if let Some(subject) = subject {
                    put("Subject", subject);
                }
                put("Message", message);
                (
                    "Notification",
                    members,
                    &["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"],
                )
            }
        }
    }

    fn subscribe_url(&self, token: &str) -> String {
        format!(
            "{}/?Action=ConfirmSubscription&TopicArn={}&Token={token}",
            self.outside.public_url,
            encoded(&self.subscription.topic)
        )
    }

    fn unsubscribe_url(&self) -> String {
        format!(
            "{}/?Action=Unsubscribe&SubscriptionArn={}",
            self.outside.public_url,
            encoded(&self.subscription.arn)
        )
    }

    fn outgoing(&self, kind: &str, message: String) -> Outgoing {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut headers = vec![
            header("content-type", "text/plain; charset=UTF-8"),
            header("x-amz-sns-message-type", kind),
            header("x-amz-sns-message-id", &self.delivery.id),
            header("x-amz-sns-topic-arn", &self.subscription.topic),
        ];
        if kind == "Notification" {
            headers.push(header("x-amz-sns-subscription-arn", &self.subscription.arn));
        }
        Outgoing {
            method: Method::POST,
            url: self.subscription.endpoint.clone(),
            headers,
            body: Bytes::from(message),
            timeout: TIMEOUT,
            answer_bytes_max: ANSWER_BYTES_MAX,
        }
    }
}

/// Each member that there is, its name and its value on lines of their own.
fn string_to_sign(members: &Map<String, Value>, names: &[&str]) -> String {
    let mut text = String::new();
    for name in names {
        if let Some(value) = members.get(*name).and_then(Value::as_str) {
            text += &format!("{name}\n{value}\n");
        }
    }
    text
}

fn encoded(arn: &str) -> String {
    utf8_percent_encode(arn, NON_ALPHANUMERIC).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_signed_has_a_line_for_each_name_and_value() {
        let members = json!({"Type": "Notification", "MessageId": "m", "Message": "hello\nworld",
            "TopicArn": "arn", "Timestamp": "t"});
        let Value::Object(members) = members else { panic!() };
        let names = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"];
        assert_eq!(
            string_to_sign(&members, &names),
            "Message\nhello\nworld\nMessageId\nm\nTimestamp\nt\nTopicArn\narn\nType\nNotification\n"
        );
    }
}
