//! Subscriptions: asked for, confirmed, ended, listed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use store::NewDelivery;
use subtle::ConstantTimeEq;
use wire::xml::Element;

use super::envelope::Letter;
use super::topics::{self, TopicRecord};
use super::{Answer, bad, invalid, page, required, subscription_attributes};
use crate::forms::records::{Kept, Record, RecordError, Records};
use crate::forms::{ApiError, Context, Params};
use crate::outbound;

/// How long a token can be used. Source: `ConfirmSubscription`.
const TOKEN_MS: i64 = 2 * 24 * 3600 * 1000;

/// A subscription. Its key is its ARN.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SubscriptionRecord {
    pub(super) arn: String,
    pub(crate) topic: String,
    pub(crate) protocol: String,
    pub(crate) endpoint: String,
    pub(super) state: State,
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) created_ms: i64,
}

/// Whether the endpoint has agreed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum State {
    /// It was sent a token, of which this is the SHA-256 in hexadecimal digits.
    Pending {
        token: String,
        until_ms: i64,
    },
    Confirmed {
        authenticate_on_unsubscribe: bool,
    },
}

impl Record for SubscriptionRecord {
    const KIND: &'static str = "sns.subscription";

    fn key(&self) -> String {
        self.arn.clone()
    }

    fn terms(&self) -> Vec<String> {
        vec![topic_term(&self.topic)]
    }
}

fn topic_term(topic: &str) -> String {
    format!("topic:{topic}")
}

impl SubscriptionRecord {
    pub(crate) fn is_confirmed(&self) -> bool {
        matches!(self.state, State::Confirmed { .. })
    }

    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }

    /// Whether messages are sent as they are, without an envelope.
    pub(super) fn is_raw(&self) -> bool {
        self.attribute("RawMessageDelivery") == Some("true")
    }
}

/// The subscriptions of a topic.
pub(crate) async fn of_topic(
    records: &Records,
    topic: &str,
) -> Result<Vec<Kept<SubscriptionRecord>>, RecordError> {
    records.with_term::<SubscriptionRecord>(&topic_term(topic)).await
}

/// Asks an endpoint whether it wants a topic's messages. The same endpoint twice is one subscription; if it has not
/// answered yet, it is asked again.
pub(super) async fn subscribe(context: &Context, params: Params<'_>) -> Answer {
    let topic = topics::named(context, params).await?.record.arn;
    let protocol = required(params, "Protocol")?;
    let endpoint = checked_endpoint(context, protocol, params.filled("Endpoint"))?;
    let attributes = subscription_attributes::given(params)?;
    let there = of_topic(&context.records, &topic).await?;
    let there = there
        .into_iter()
        .find(|kept| kept.record.protocol == protocol && kept.record.endpoint == endpoint);
    let arn = match there {
        Some(kept) if kept.record.is_confirmed() => {
            if attributes.iter().any(|(name, value)| kept.record.attribute(name) != Some(value)) {
                return Err(invalid(
                    "Attributes Reason: Subscription already exists with different attributes",
                ));
            }
            return Ok(Some(Element::new("result").field("SubscriptionArn", kept.record.arn)));
        }
        Some(kept) => kept.record.arn,
        None => format!("{topic}:{}", uuid::Uuid::new_v4()),
    };
    ask(context, &arn, &topic, protocol, endpoint, attributes).await?;
    let whole = params.flag("ReturnSubscriptionArn").map_err(bad)?;
    let shown = if whole { arn } else { "pending confirmation".to_owned() };
    Ok(Some(Element::new("result").field("SubscriptionArn", shown)))
}

fn checked_endpoint<'a>(
    context: &Context,
    protocol: &str,
    endpoint: Option<&'a str>,
) -> Result<&'a str, ApiError> {
    if !matches!(protocol, "http" | "https") {
        return Err(invalid(format_args!(
            "Protocol Reason: this server delivers to http and https, not to {}",
            protocol.chars().take(40).collect::<String>()
        )));
    }
    let endpoint = endpoint.ok_or_else(|| invalid("Endpoint"))?;
    if !endpoint.starts_with(&format!("{protocol}://")) {
        return Err(invalid("Endpoint must match the specified protocol"));
    }
    let wrong = |error: outbound::OutboundError| invalid(format_args!("Endpoint Reason: {error}"));
    outbound::check_url(endpoint, context.outside.reach).map_err(wrong)?;
    Ok(endpoint)
}

/// Writes the subscription down and sends it a token.
async fn ask(
    context: &Context,
    arn: &str,
    topic: &str,
    protocol: &str,
    endpoint: &str,
    attributes: BTreeMap<String, String>,
) -> Result<(), ApiError> {
    let token = draw_token();
    let now = context.now.as_millis();
    let subscription = SubscriptionRecord {
        arn: arn.to_owned(),
        topic: topic.to_owned(),
        protocol: protocol.to_owned(),
        endpoint: endpoint.to_owned(),
        state: State::Pending { token: digest(&token), until_ms: now + TOKEN_MS },
        attributes,
        created_ms: now,
    };
    let write = store::DocumentWrite::put(
        SubscriptionRecord::KIND,
        arn,
        store::Expected::Any,
        &subscription,
    );
    let write = write.map_err(RecordError::from)?.term(topic_term(topic));
    context.records.write(vec![write]).await?;
    let id = uuid::Uuid::new_v4().to_string();
    let message = NewDelivery {
        lane: format!("{arn} {id}"),
        destination: arn.to_owned(),
        place: 0,
        body: Letter::Confirmation { token }.to_body()?,
        id,
        created: context.now,
    };
    context.records.store().deliver(&[message]).await.map_err(RecordError::from)?;
    Ok(())
}

/// 256 random bits.
fn draw_token() -> String {
    let token: [u8; 32] = rand::random();
    hex::encode(token)
}

fn digest(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

/// The endpoint, or somebody who saw its token, agrees.
pub(super) async fn confirm(context: &Context, params: Params<'_>) -> Answer {
    let topic = topics::checked_arn(params, "TopicArn")?;
    let token = digest(required(params, "Token")?);
    let authenticate = params.flag("AuthenticateOnUnsubscribe").map_err(bad)?;
    let subscriptions = of_topic(&context.records, topic).await?;
    if subscriptions.is_empty() && context.records.get::<TopicRecord>(topic).await?.is_none() {
        return Err(topics::unknown());
    }
    let now = context.now.as_millis();
    for kept in subscriptions {
        let State::Pending { token: expected, until_ms } = &kept.record.state else { continue };
        if *until_ms < now || !bool::from(expected.as_bytes().ct_eq(token.as_bytes())) {
            continue;
        }
        let arn = kept.record.arn;
        let confirmed = context.records.update::<SubscriptionRecord, _, ApiError>(&arn, |record| {
            record.state = State::Confirmed { authenticate_on_unsubscribe: authenticate };
            Ok(())
        });
        confirmed.await?.ok_or_else(topics::unknown)?;
        return Ok(Some(Element::new("result").field("SubscriptionArn", arn)));
    }
    Err(invalid("Token"))
}

/// Ends a subscription; one that does not exist has ended already.
pub(super) async fn unsubscribe(context: &Context, params: Params<'_>) -> Answer {
    let arn = checked_arn(params)?;
    let Some(kept) = context.records.get::<SubscriptionRecord>(arn).await? else { return Ok(None) };
    end(context, &kept).await
}

/// Whoever has the link may end the subscription, unless it was confirmed so that they may not.
pub(super) async fn unsubscribe_by_link(context: &Context, params: Params<'_>) -> Answer {
    let arn = checked_arn(params)?;
    let Some(kept) = context.records.get::<SubscriptionRecord>(arn).await? else { return Ok(None) };
    match kept.record.state {
        State::Confirmed { authenticate_on_unsubscribe: false } => end(context, &kept).await,
        State::Confirmed { .. } | State::Pending { .. } => Err(ApiError::new(
            403,
            "AuthorizationError",
            "This subscription can only be ended by a signed request",
        )),
    }
}

async fn end(context: &Context, kept: &Kept<SubscriptionRecord>) -> Answer {
    let record = &kept.record;
    let delete =
        store::DocumentWrite::delete(SubscriptionRecord::KIND, &record.arn, store::Expected::Any);
    context.records.write(vec![delete]).await?;
    let counted = context.records.update::<TopicRecord, _, ApiError>(&record.topic, |topic| {
        topic.deleted += 1;
        Ok(())
    });
    counted.await?;
    forget_messages(context, record).await?;
    Ok(None)
}

/// Nothing more is sent to a subscription that has ended.
pub(super) async fn forget_messages(
    context: &Context,
    record: &SubscriptionRecord,
) -> Result<(), ApiError> {
    let forgotten = context.records.store().forget_deliveries(&record.arn).await;
    Ok(forgotten.map_err(RecordError::from)?)
}

fn checked_arn(params: Params<'_>) -> Result<&str, ApiError> {
    let arn = required(params, "SubscriptionArn")?;
    if arn.split(':').count() == 7 { Ok(arn) } else { Err(invalid("SubscriptionArn")) }
}

/// The subscription that a parameter names.
pub(super) async fn named(
    context: &Context,
    params: Params<'_>,
) -> Result<Kept<SubscriptionRecord>, ApiError> {
    let found = context.records.get::<SubscriptionRecord>(checked_arn(params)?).await?;
    found.ok_or_else(unknown)
}

pub(super) fn unknown() -> ApiError {
    ApiError::new(404, "NotFound", "Subscription does not exist")
}

pub(super) async fn list(context: &Context, params: Params<'_>) -> Answer {
    let prefix = topics::arn(&context.scope, "");
    let found = context.records.list::<SubscriptionRecord>(&prefix).await?;
    page(params, "Subscriptions", found.iter().map(|kept| show(context, &kept.record))).map(Some)
}

pub(super) async fn list_by_topic(context: &Context, params: Params<'_>) -> Answer {
    let topic = topics::named(context, params).await?.record.arn;
    let found = of_topic(&context.records, &topic).await?;
    page(params, "Subscriptions", found.iter().map(|kept| show(context, &kept.record))).map(Some)
}

/// A subscription that has not been confirmed shows no ARN. Source: the service's answers.
fn show(context: &Context, record: &SubscriptionRecord) -> (String, Element) {
    let arn = if record.is_confirmed() { record.arn.as_str() } else { "PendingConfirmation" };
    let element = Element::new("x")
        .field("SubscriptionArn", arn)
        .field("Owner", &context.scope.account)
        .field("Protocol", &record.protocol)
        .field("Endpoint", &record.endpoint)
        .field("TopicArn", &record.topic);
    (record.arn.clone(), element)
}
