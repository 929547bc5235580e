//! Attributes of instances, one at a time.

use wire::xml::{Element, ec2_true};

use super::groups;
use super::instances;
use super::refuse;
use crate::forms::{ApiError, Context, Params};

pub(super) async fn describe(context: &Context, params: Params<'_>) -> Result<Element, ApiError> {
    let id = params.filled("InstanceId").ok_or_else(|| refuse::missing("InstanceId"))?;
    let attribute = params.filled("Attribute").ok_or_else(|| refuse::missing("Attribute"))?;
    let instance = instances::find(context, id).await?.record;
    let value = |name: &'static str, value: &str| Element::new(name).field("value", value);
    let element = match attribute {
        "instanceType" => value("instanceType", &instance.instance_type),
        "userData" => match &instance.user_data {
            Some(data) => value("userData", data),
            None => Element::new("userData"),
        },
        "disableApiTermination" => value("disableApiTermination", "false"),
        "disableApiStop" => value("disableApiStop", "false"),
        "instanceInitiatedShutdownBehavior" => value("instanceInitiatedShutdownBehavior", "stop"),
        "rootDeviceName" => value("rootDeviceName", "/dev/xvda"),
        "ebsOptimized" => value("ebsOptimized", "false"),
        "sourceDestCheck" => value("sourceDestCheck", "true"),
        "groupSet" => {
            let items = instance.groups.iter().map(|id| Element::new("item").field("groupId", id));
            Element::list("groupSet", "item", items)
        }
        other => {
            return Err(refuse::invalid_value(format!(
                "Value ({other}) for parameter attribute is invalid. Unknown attribute."
            )));
        }
    };
    Ok(Element::new("answer").field("instanceId", &instance.id).child(element))
}

/// Only the security groups can be changed.
pub(super) async fn modify(context: &Context, params: Params<'_>) -> Result<Element, ApiError> {
    let id = params.filled("InstanceId").ok_or_else(|| refuse::missing("InstanceId"))?;
    let mut given = Vec::new();
    for group in params.texts("GroupId") {
        given.push(groups::find_by_id(context, group).await?.record.id);
    }
    if given.is_empty() {
        let message = "Only the security groups (GroupId) of an instance can be modified";
        return Err(ApiError::client("UnsupportedOperation", message));
    }
    instances::change(context, id, |instance| {
        instance.groups.clone_from(&given);
        Ok(())
    })
    .await?;
    Ok(ec2_true())
}
