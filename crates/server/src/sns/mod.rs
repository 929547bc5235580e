//! SNS, as far as deployments need it: topics, their HTTP and HTTPS subscriptions, and messages to them.
//!
//! Handlers write down topics, subscriptions and messages; `crate::notifications` delivers. Source: SNS API reference
//! and developer guide.

mod envelope;
mod policy;
pub(crate) mod publish;
pub(crate) mod signer;
mod subscription_attributes;
pub(crate) mod subscriptions;
mod tags;
mod topic_attributes;
pub(crate) mod topics;

pub(crate) use envelope::{EnvelopeError, prepare};
pub(crate) use policy::Patience;

use wire::xml::Element;

use crate::forms::{ApiError, BadParameter, Context, Params};
use crate::iam::policy::Facts;
use crate::iam::{AuthorizeError, Caller, Principal, authorize};

/// What an operation answers: its result, if it has one.
type Answer = Result<Option<Element>, ApiError>;

/// Does one operation of SNS. The result is to be wrapped by `wire::xml::query_response`.
///
/// # Errors
/// The documented refusals; `InvalidAction` for what is not served; `AuthorizationError` if the caller may not.
pub async fn handle(
    context: &Context,
    caller: &Caller,
    action: &str,
    params: Params<'_>,
) -> Answer {
    check_permission(context, caller, action, params).await?;
    match action {
        "CreateTopic" => topics::create(context, params).await,
        "DeleteTopic" => topics::delete(context, params).await,
        "ListTopics" => topics::list(context, params).await,
        "GetTopicAttributes" => topic_attributes::get(context, params).await,
        "SetTopicAttributes" => topic_attributes::set(context, params).await,

        "Subscribe" => subscriptions::subscribe(context, params).await,
        "ConfirmSubscription" => subscriptions::confirm(context, params).await,
        "Unsubscribe" => subscriptions::unsubscribe(context, params).await,
        "ListSubscriptions" => subscriptions::list(context, params).await,
        "ListSubscriptionsByTopic" => subscriptions::list_by_topic(context, params).await,
        "GetSubscriptionAttributes" => subscription_attributes::get(context, params).await,
        "SetSubscriptionAttributes" => subscription_attributes::set(context, params).await,

        "Publish" => publish::publish(context, params).await,
        "PublishBatch" => publish::batch(context, params).await,

        "TagResource" => tags::tag(context, params).await,
        "UntagResource" => tags::untag(context, params).await,
        "ListTagsForResource" => tags::list(context, params).await,

        unknown => Err(ApiError::client(
            "InvalidAction",
            format!("The action {unknown} of SNS is not served by this server."),
        )),
    }
}

/// Whether the operation is done for whoever knows a token or a subscription's ARN: those are sent to the endpoint,
/// in links to be visited.
pub fn may_be_unsigned(action: &str) -> bool {
    matches!(action, "ConfirmSubscription" | "Unsubscribe")
}

/// Does what a link in a message leads to.
///
/// # Errors
/// The token or the subscription is unknown, or the subscription demands signed requests.
pub async fn visit(context: &Context, action: &str, params: Params<'_>) -> Answer {
    match action {
        "ConfirmSubscription" => subscriptions::confirm(context, params).await,
        _ => subscriptions::unsubscribe_by_link(context, params).await,
    }
}

/// Each is done to a topic; a subscription is its topic's. Source: service authorization reference, "Amazon SNS".
async fn check_permission(
    context: &Context,
    caller: &Caller,
    action: &str,
    params: Params<'_>,
) -> Result<(), ApiError> {
    if caller.principal == Principal::Root {
        return Ok(());
    }
    let of_subscription = params.filled("SubscriptionArn").and_then(|arn| arn.rsplit_once(':'));
    let topic = ["TopicArn", "TargetArn", "ResourceArn"]
        .into_iter()
        .find_map(|name| params.filled(name))
        .or(of_subscription.map(|(topic, _)| topic))
        .map(str::to_owned)
        .or_else(|| params.filled("Name").map(|name| topics::arn(&context.scope, name)));
    let resource = topic.unwrap_or_else(|| "*".to_owned());
    let action = format!("sns:{action}");
    let allowed = authorize(context, caller, &action, &resource, Facts::default());
    allowed.await.map_err(|error| match error {
        AuthorizeError::Denied(denied) => {
            ApiError::new(403, "AuthorizationError", denied.to_string())
        }
        AuthorizeError::Unknown(error) => ApiError::internal(error),
    })
}

/// The service's word for what is wrong with a parameter.
fn invalid(what: impl std::fmt::Display) -> ApiError {
    ApiError::client("InvalidParameter", format!("Invalid parameter: {what}"))
}

fn bad(error: BadParameter) -> ApiError {
    invalid(error)
}

fn required<'a>(params: Params<'a>, name: &str) -> Result<&'a str, ApiError> {
    params.filled(name).ok_or_else(|| invalid(format_args!("{name} must not be empty")))
}

/// Attributes as answers have them.
fn attributes<N: std::fmt::Display>(pairs: impl IntoIterator<Item = (N, String)>) -> Element {
    let entries = pairs
        .into_iter()
        .map(|(key, value)| Element::new("entry").field("key", key).field("value", value));
    Element::new("result").child(Element::list("Attributes", "entry", entries))
}

/// How many of a list come at once. Source: `ListTopics`, `ListSubscriptions`.
const PAGE: usize = 100;

/// One page of a list in the order of its keys, as `NextToken` asks.
fn page(
    params: Params<'_>,
    name: &'static str,
    items: impl IntoIterator<Item = (String, Element)>,
) -> Result<Element, ApiError> {
    let after = match params.filled("NextToken") {
        None => None,
        Some(token) => Some(
            hex::decode(token)
                .ok()
                .and_then(|key| String::from_utf8(key).ok())
                .ok_or_else(|| invalid("NextToken"))?,
        ),
    };
    let items = items.into_iter().filter(|(key, _)| after.as_ref().is_none_or(|after| key > after));
    let mut items: Vec<(String, Element)> = items.take(PAGE + 1).collect();
    let next = (items.len() > PAGE).then(|| hex::encode(&items[PAGE - 1].0));
    items.truncate(PAGE);
    let elements = items.into_iter().map(|(_, element)| element);
    Ok(Element::new("result")
        .child(Element::list(name, "member", elements))
        .optional("NextToken", next))
}
