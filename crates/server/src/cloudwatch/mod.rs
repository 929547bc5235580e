//! CloudWatch, as far as deployments need it: metric alarms and their states.
//!
//! An alarm's state is what `SetAlarmState` or an alarm source (`crate::alarms`) last said. Metrics are not
//! kept: an alarm never changes its state by itself, and `PutMetricData` is not served.
//!
//! Source: CloudWatch API reference and the service's model.

pub(crate) mod alarms;
mod describe;
mod history;
mod input;
mod tags;

pub use input::Input;

use serde_json::Value;

use crate::forms::{ApiError, Context};
use crate::iam::policy::Facts;
use crate::iam::{Caller, Principal, authorize};

/// Does one operation; the output, as the wire's JSON has it.
///
/// # Errors
/// The documented refusals; `InvalidAction` for what is not served; `AccessDenied` if the caller may not.
pub async fn handle(
    context: &Context,
    caller: &Caller,
    operation: &str,
    input: &Input,
) -> Result<Value, ApiError> {
    check_permission(context, caller, operation, input).await?;
    match operation {
        "PutMetricAlarm" => alarms::put(context, input).await,
        "SetAlarmState" => alarms::set_state(context, input).await,
        "DeleteAlarms" => alarms::delete(context, input).await,
        "EnableAlarmActions" => alarms::switch_actions(context, input, true).await,
        "DisableAlarmActions" => alarms::switch_actions(context, input, false).await,

        "DescribeAlarms" => describe::alarms(context, input).await,
        "DescribeAlarmsForMetric" => describe::for_metric(context, input).await,
        "DescribeAlarmHistory" => history::describe(context, input).await,

        "ListTagsForResource" => tags::list(context, input).await,
        "TagResource" => tags::tag(context, input).await,
        "UntagResource" => tags::untag(context, input).await,

        unknown => Err(ApiError::client(
            "InvalidAction",
            format!("The action {unknown} of CloudWatch is not served by this server."),
        )),
    }
}

/// Each alarm that is named; reading is about all of them. Source: service authorization reference, "Amazon
/// CloudWatch".
async fn check_permission(
    context: &Context,
    caller: &Caller,
    operation: &str,
    input: &Input,
) -> Result<(), ApiError> {
    if caller.principal == Principal::Root {
        return Ok(());
    }
    let action = format!("cloudwatch:{operation}");
    let arn = |name: &str| alarms::arn(&context.scope, name);
    let resources: Vec<String> = match operation {
        "PutMetricAlarm" | "SetAlarmState" => {
            input.texts("AlarmName").iter().map(|n| arn(n)).collect()
        }
        "DeleteAlarms" | "EnableAlarmActions" | "DisableAlarmActions" => {
            input.texts("AlarmNames").iter().map(|name| arn(name)).collect()
        }
        "ListTagsForResource" | "TagResource" | "UntagResource" => input.texts("ResourceARN"),
        _ => vec![arn("*")],
    };
    for resource in resources {
        authorize(context, caller, &action, &resource, Facts::default()).await?;
    }
    Ok(())
}
