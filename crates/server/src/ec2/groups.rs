//! Security groups.

use std::collections::HashMap;

use wire::xml::{Element, ec2_true};

use super::filters::{Filters, page};
use super::ids;
use super::places;
use super::records::{
    GroupNameRecord, InstanceRecord, Peer, Rule, SecurityGroupRecord, Tags, group_term, key,
    region_prefix,
};
use super::refuse;
use super::rules;
use super::tags;
use crate::forms::records::{Kept, RecordError, Records};
use crate::forms::{ApiError, Context, Params};

/// The group that every region has from the start.
const DEFAULT: &str = "default";

pub(super) async fn create(context: &Context, params: Params<'_>) -> Result<Element, ApiError> {
    let name = params.filled("GroupName").ok_or_else(|| refuse::missing("GroupName"))?;
    let description =
        params.filled("GroupDescription").ok_or_else(|| refuse::missing("GroupDescription"))?;
    if name.chars().count() > 255 || name.starts_with("sg-") {
        return Err(refuse::invalid_value(format!(
            "Value ({name}) for parameter GroupName is invalid. A name has at most 255 characters and does not begin with sg-"
        )));
    }
    if name == DEFAULT {
        let message = "Cannot use reserved security group name: default";
        return Err(ApiError::client("InvalidGroup.Reserved", message));
    }
    check_vpc(context, params)?;
    let scope = &context.scope;
    let group = SecurityGroupRecord {
        region: scope.region.clone(),
        id: ids::drawn("sg"),
        name: name.to_owned(),
        description: description.to_owned(),
        tags: tags::specified(params, "security-group")?,
        ingress: Vec::new(),
        egress: vec![to_anywhere()],
    };
    match context.records.write(creation(&group)?).await {
        Ok(()) => Ok(ec2_true()
            .field("groupId", &group.id)
            .field("securityGroupArn", group.arn(scope))
            .child(tags::element(&group.tags))),
        Err(RecordError::Conflict) => {
            let vpc = places::vpc_id(scope);
            let message = format!("The security group '{name}' already exists for VPC '{vpc}'");
            Err(ApiError::client("InvalidGroup.Duplicate", message))
        }
        Err(error) => Err(error.into()),
    }
}

/// The writes that make a group and claim its name.
fn creation(group: &SecurityGroupRecord) -> Result<Vec<store::DocumentWrite>, RecordError> {
    let (region, name, id) = (group.region.clone(), group.name.clone(), group.id.clone());
    let name = GroupNameRecord { region, name, id };
    Ok(vec![Records::create(group)?, Records::create(&name)?])
}

fn check_vpc(context: &Context, params: Params<'_>) -> Result<(), ApiError> {
    match params.filled("VpcId") {
        Some(vpc) if vpc != places::vpc_id(&context.scope) => {
            let message = format!("The vpc ID '{vpc}' does not exist");
            Err(ApiError::client("InvalidVpcID.NotFound", message))
        }
        Some(_) | None => Ok(()),
    }
}

fn to_anywhere() -> Rule {
    Rule {
        id: ids::drawn("sgr"),
        protocol: "-1".to_owned(),
        from_port: None,
        to_port: None,
        peer: Peer::Ipv4("0.0.0.0/0".to_owned()),
        description: None,
    }
}

/// Makes the region's default group if it is not there: its members may reach each other.
pub(super) async fn ensure_default(context: &Context) -> Result<(), RecordError> {
    let name = key(&context.scope.region, DEFAULT);
    if context.records.get::<GroupNameRecord>(&name).await?.is_some() {
        return Ok(());
    }
    let id = ids::fixed("sg", &context.scope, DEFAULT);
    let from_members = Rule { peer: Peer::Group(id.clone()), ..to_anywhere() };
    let group = SecurityGroupRecord {
        region: context.scope.region.clone(),
        id,
        name: DEFAULT.to_owned(),
        description: "default VPC security group".to_owned(),
        tags: Tags::new(),
        ingress: vec![from_members],
        egress: vec![to_anywhere()],
    };
    match context.records.write(creation(&group)?).await {
        // Somebody else made it at the same time.
        Ok(()) | Err(RecordError::Conflict) => Ok(()),
        Err(error) => Err(error),
    }
}

pub(super) async fn delete(context: &Context, params: Params<'_>) -> Result<Element, ApiError> {
    let group = named(context, params).await?;
    let id = group.record.id.clone();
    if group.record.name == DEFAULT {
        let message =
            format!("the specified group: \"{id}\" name: \"default\" cannot be deleted by a user");
        return Err(ApiError::client("CannotDelete", message));
    }
    let members = context.records.with_term::<InstanceRecord>(&group_term(&id)).await?;
    let others = list(context).await?;
    if !members.is_empty() || others.iter().any(|other| other.record.refers_to(&id)) {
        let message = format!("resource {id} has a dependent object");
        return Err(ApiError::client("DependencyViolation", message));
    }
    let name = key(&group.record.region, &group.record.name);
    let mut writes = vec![Records::remove(&group)];
    if let Some(name) = context.records.get::<GroupNameRecord>(&name).await? {
        writes.push(Records::remove(&name));
    }
    match context.records.write(writes).await {
        Ok(()) => Ok(ec2_true().field("groupId", id)),
        Err(RecordError::Conflict) => Err(refuse::concurrent()),
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn describe(context: &Context, params: Params<'_>) -> Result<Element, ApiError> {
    let groups = list(context).await?;
    let names = params.texts("GroupName");
    let wanted = params.texts("GroupId");
    let unknown_name =
        names.iter().find(|name| groups.iter().all(|kept| kept.record.name != **name));
    let unknown_id = wanted.iter().find(|id| groups.iter().all(|kept| kept.record.id != **id));
    if let Some(unknown) = unknown_name.or(unknown_id) {
        return Err(refuse::no_group(unknown));
    }
    let filters = Filters::read(params)?;
    let mut items = Vec::new();
    for Kept { record: group, .. } in &groups {
        let asked_for = (names.is_empty() && wanted.is_empty())
            || names.contains(&group.name.as_str())
            || wanted.contains(&group.id.as_str());
        if filters.match_all(&group.tags, |name| values(context, group, name))? && asked_for {
            items.push((group.id.clone(), element(context, group)));
        }
    }
    page(params, "securityGroupInfo", items)
}

fn values(context: &Context, group: &SecurityGroupRecord, name: &str) -> Option<Vec<String>> {
    let of_rules = |of: fn(&Rule) -> Option<String>| group.ingress.iter().filter_map(of).collect();
    Some(match name {
        "group-id" => vec![group.id.clone()],
        "group-name" => vec![group.name.clone()],
        "description" => vec![group.description.clone()],
        "owner-id" => vec![context.scope.account.clone()],
        "vpc-id" => vec![places::vpc_id(&context.scope)],
        "ip-permission.protocol" => of_rules(|rule| Some(rule.protocol.clone())),
        "ip-permission.from-port" => of_rules(|rule| rule.from_port.map(|port| port.to_string())),
        "ip-permission.to-port" => of_rules(|rule| rule.to_port.map(|port| port.to_string())),
        "ip-permission.cidr" => of_rules(|rule| match &rule.peer {
            Peer::Ipv4(cidr) => Some(cidr.clone()),
            Peer::Ipv6(_) | Peer::Group(_) => None,
        }),
        "ip-permission.group-id" => of_rules(|rule| match &rule.peer {
            Peer::Group(id) => Some(id.clone()),
            Peer::Ipv4(_) | Peer::Ipv6(_) => None,
        }),
        _ => return None,
    })
}

fn element(context: &Context, group: &SecurityGroupRecord) -> Element {
    Element::new("item")
        .field("ownerId", &context.scope.account)
        .field("groupId", &group.id)
        .field("groupName", &group.name)
        .field("groupDescription", &group.description)
        .field("vpcId", places::vpc_id(&context.scope))
        .field("securityGroupArn", group.arn(&context.scope))
        .child(rules::permissions_element(context, "ipPermissions", &group.ingress))
        .child(rules::permissions_element(context, "ipPermissionsEgress", &group.egress))
        .child(tags::element(&group.tags))
}

/// All groups of the region.
pub(super) async fn list(context: &Context) -> Result<Vec<Kept<SecurityGroupRecord>>, RecordError> {
    ensure_default(context).await?;
    context.records.list(&region_prefix(&context.scope.region)).await
}

/// The names of the region's groups, by id.
pub(super) async fn names(context: &Context) -> Result<HashMap<String, String>, RecordError> {
    let groups = list(context).await?;
    Ok(groups.into_iter().map(|kept| (kept.record.id, kept.record.name)).collect())
}

/// The group that `GroupId` or `GroupName` names.
pub(super) async fn named(
    context: &Context,
    params: Params<'_>,
) -> Result<Kept<SecurityGroupRecord>, ApiError> {
    match (params.filled("GroupId"), params.filled("GroupName")) {
        (Some(id), _) => find_by_id(context, id).await,
        (None, Some(name)) => find_by_name(context, name).await,
        (None, None) => Err(ApiError::client(
            "MissingParameter",
            "The request must contain the parameter groupName or groupId",
        )),
    }
}

/// The group of that id.
pub(super) async fn find_by_id(
    context: &Context,
    id: &str,
) -> Result<Kept<SecurityGroupRecord>, ApiError> {
    ensure_default(context).await?;
    if !id.starts_with("sg-") {
        return Err(ApiError::client("InvalidGroupId.Malformed", format!("Invalid id: \"{id}\"")));
    }
    let found = context.records.get(&key(&context.scope.region, id)).await?;
    found.ok_or_else(|| refuse::no_group(id))
}

/// The group of that name.
pub(super) async fn find_by_name(
    context: &Context,
    name: &str,
) -> Result<Kept<SecurityGroupRecord>, ApiError> {
    ensure_default(context).await?;
    let claim = key(&context.scope.region, name);
    match context.records.get::<GroupNameRecord>(&claim).await? {
        Some(claim) => find_by_id(context, &claim.record.id).await,
        None => Err(refuse::no_group(name)),
    }
}
