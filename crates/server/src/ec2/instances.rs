//! Instances, as they are found and shown.

use std::collections::HashMap;
use std::net::Ipv4Addr;

use wire::xml::Element;

use super::filters::{Filters, page};
use super::groups;
use super::ids;
use super::places;
use super::records::{InstanceRecord, State, Tags, id_term, key, region_prefix};
use super::refuse;
use super::tags;
use crate::forms::records::{Kept, RecordError, Records};
use crate::forms::{ApiError, Context, Params, iso_ms};

/// All instances of a region, also those that were terminated lately.
///
/// # Errors
/// The store failed.
pub async fn list(records: &Records, region: &str) -> Result<Vec<InstanceRecord>, RecordError> {
    let found = records.list::<InstanceRecord>(&region_prefix(region)).await?;
    Ok(found.into_iter().map(|kept| kept.record).collect())
}

/// The instance of that id, whatever its region. One that was terminated more than an hour ago is not known any more.
///
/// # Errors
/// The store failed.
pub async fn anywhere(records: &Records, id: &str) -> Result<Option<InstanceRecord>, RecordError> {
    let found = records.with_term::<InstanceRecord>(&id_term(id)).await?;
    Ok(found.into_iter().next().map(|kept| kept.record))
}

/// The instance of that id.
pub(super) async fn find(context: &Context, id: &str) -> Result<Kept<InstanceRecord>, ApiError> {
    ids::check_instance(id)?;
    let found = context.records.get(&key(&context.scope.region, id)).await?;
    found.ok_or_else(|| refuse::no_instances(&[id]))
}

/// Changes the instance of that id and wakes the performer.
pub(super) async fn change(
    context: &Context,
    id: &str,
    mut change: impl FnMut(&mut InstanceRecord) -> Result<(), ApiError>,
) -> Result<InstanceRecord, ApiError> {
    ids::check_instance(id)?;
    let changed = context
        .records
        .update(&key(&context.scope.region, id), |instance: &mut InstanceRecord| {
            change(instance)?;
            Ok::<_, ApiError>(instance.clone())
        })
        .await?;
    if let Some(performer) = &context.performer {
        performer.wake();
    }
    changed.ok_or_else(|| refuse::no_instances(&[id]))
}

/// The instances that `InstanceId.N` names, in that order; all must exist.
pub(super) async fn named(
    context: &Context,
    params: Params<'_>,
) -> Result<Vec<Kept<InstanceRecord>>, ApiError> {
    let wanted = params.texts("InstanceId");
    if wanted.is_empty() {
        return Err(refuse::missing("InstanceId"));
    }
    let (mut found, mut unknown) = (Vec::new(), Vec::new());
    for id in wanted {
        ids::check_instance(id)?;
        match context.records.get(&key(&context.scope.region, id)).await? {
            Some(kept) => found.push(kept),
            None => unknown.push(id),
        }
    }
    if unknown.is_empty() { Ok(found) } else { Err(refuse::no_instances(&unknown)) }
}

/// The instances that ids and filters choose.
async fn chosen(context: &Context, params: Params<'_>) -> Result<Vec<InstanceRecord>, ApiError> {
    let mut instances = if params.texts("InstanceId").is_empty() {
        list(&context.records, &context.scope.region).await?
    } else {
        named(context, params).await?.into_iter().map(|kept| kept.record).collect()
    };
    let filters = Filters::read(params)?;
    let names = groups::names(context).await?;
    filters.check(|name| values(context, &names, &nothing(), name))?;
    let mut refused = None;
    instances.retain(|instance| {
        let matches =
            filters.match_all(&instance.tags, |name| values(context, &names, instance, name));
        matches.unwrap_or_else(|error| {
            refused = Some(error);
            false
        })
    });
    match refused {
        None => Ok(instances),
        Some(error) => Err(error),
    }
}

pub(super) async fn describe(context: &Context, params: Params<'_>) -> Result<Element, ApiError> {
    let names = groups::names(context).await?;
    let mut reservations: Vec<Vec<InstanceRecord>> = Vec::new();
    for instance in chosen(context, params).await? {
        match reservations.iter_mut().find(|one| one[0].reservation == instance.reservation) {
            Some(reservation) => reservation.push(instance),
            None => reservations.push(vec![instance]),
        }
    }
    let items = reservations.into_iter().map(|mut instances| {
        instances.sort_by_key(|instance| instance.launch_index);
        let first = &instances[0];
        // The oldest first, and each at a place that stays.
        let place = format!("{:020}/{}", first.launched_ms, first.reservation);
        (place, reservation(context, &names, &instances))
    });
    page(params, "reservationSet", items.collect())
}

pub(super) async fn describe_status(
    context: &Context,
    params: Params<'_>,
) -> Result<Element, ApiError> {
    let all = params.flag("IncludeAllInstances").map_err(refuse::bad)?;
    let instances = chosen(context, params).await?;
    let shown = instances.iter().filter(|instance| all || instance.state == State::Running);
    let items = shown.map(|instance| {
        let (status, details) = match instance.state {
            State::Running => ("ok", "passed"),
            State::Pending => ("initializing", "initializing"),
            State::Stopping | State::Stopped | State::ShuttingDown | State::Terminated => {
                ("not-applicable", "")
            }
        };
        let summary = |name: &'static str| {
            let detail = (!details.is_empty()).then(|| {
                Element::new("item").field("name", "reachability").field("status", details)
            });
            Element::new(name)
                .field("status", status)
                .child(Element::list("details", "item", detail))
        };
        let element = Element::new("item")
            .field("instanceId", &instance.id)
            .field("availabilityZone", &instance.zone)
            .child(Element::new("eventsSet"))
            .child(state_element("instanceState", instance.state))
            .child(summary("systemStatus"))
            .child(summary("instanceStatus"));
        (instance.id.clone(), element)
    });
    page(params, "instanceStatusSet", items.collect())
}

/// The answer of `RunInstances`.
pub(super) async fn reservation_element(
    context: &Context,
    instances: &[InstanceRecord],
) -> Result<Element, ApiError> {
    let names = groups::names(context).await?;
    Ok(reservation(context, &names, instances))
}

/// A state, as `name` calls it.
pub(super) fn state_element(name: &'static str, state: State) -> Element {
    Element::new(name).field("code", state.code()).field("name", state.name())
}

fn reservation(
    context: &Context,
    names: &HashMap<String, String>,
    instances: &[InstanceRecord],
) -> Element {
    let id = instances.first().map(|instance| instance.reservation.as_str());
    let items = instances.iter().map(|instance| element(context, names, instance));
    Element::new("item")
        .field("reservationId", id.unwrap_or_default())
        .field("ownerId", &context.scope.account)
        .child(Element::new("groupSet"))
        .child(Element::list("instancesSet", "item", items))
}

fn element(
    context: &Context,
    names: &HashMap<String, String>,
    instance: &InstanceRecord,
) -> Element {
    let gone = instance.state == State::Terminated;
    let placement = Element::new("placement")
        .field("availabilityZone", &instance.zone)
        .field("groupName", "")
        .field("tenancy", "default");
    let mut element = Element::new("item")
        .field("instanceId", &instance.id)
        .field("imageId", &instance.image)
        .child(state_element("instanceState", instance.state))
        .field("privateDnsName", if gone { String::new() } else { instance.private_dns_name() })
        .field("dnsName", public_name(instance))
        .field("reason", reason(instance))
        .optional("keyName", instance.key_name.as_ref())
        .field("amiLaunchIndex", instance.launch_index)
        .child(Element::new("productCodes"))
        .field("instanceType", &instance.instance_type)
        .field("launchTime", iso_ms(instance.launched_ms))
        .child(placement)
        .child(Element::new("monitoring").field("state", "disabled"));
    if !gone {
        element = element.children(network_fields(context, instance));
    }
    if let Some(reason) = &instance.reason {
        element = element.child(
            Element::new("stateReason")
                .field("code", &reason.code)
                .field("message", &reason.message),
        );
    }
    element = element
        .field("architecture", places::architecture())
        .field("rootDeviceType", "ebs")
        .field("rootDeviceName", "/dev/xvda")
        .child(Element::new("blockDeviceMapping"))
        .field("virtualizationType", "hvm")
        .field("clientToken", instance.client_token.as_deref().unwrap_or_default())
        .child(tags::element(&instance.tags))
        .field("hypervisor", "xen")
        .child(group_set(names, instance));
    if !gone {
        element = element.child(Element::list(
            "networkInterfaceSet",
            "item",
            [interface(context, names, instance)],
        ));
    }
    if let Some(profile) = &instance.profile {
        element = element.child(
            Element::new("iamInstanceProfile").field("arn", &profile.arn).field("id", &profile.id),
        );
    }
    element.field("ebsOptimized", false).field("enaSupport", true)
}

/// An instance has one address, at which the machine reaches it; it is shown as the public one too.
fn network_fields(context: &Context, instance: &InstanceRecord) -> Vec<Element> {
    vec![
        Element::of("subnetId", places::subnet_id(&context.scope, &instance.zone)),
        Element::of("vpcId", places::vpc_id(&context.scope)),
        Element::of("privateIpAddress", instance.address),
        Element::of("ipAddress", instance.address),
        Element::of("sourceDestCheck", true),
    ]
}

/// No name server knows instances, so what stands for the public name is the address: it can be used as one.
fn public_name(instance: &InstanceRecord) -> String {
    if instance.state == State::Running { instance.address.to_string() } else { String::new() }
}

fn reason(instance: &InstanceRecord) -> &str {
    instance.reason.as_ref().map_or("", |reason| reason.message.as_str())
}

fn group_set(names: &HashMap<String, String>, instance: &InstanceRecord) -> Element {
    let items = instance.groups.iter().map(|id| {
        let name = names.get(id).map_or("", String::as_str);
        Element::new("item").field("groupId", id).field("groupName", name)
    });
    Element::list("groupSet", "item", items)
}

fn interface(
    context: &Context,
    names: &HashMap<String, String>,
    instance: &InstanceRecord,
) -> Element {
    let tail = instance.id.trim_start_matches("i-");
    let attachment = Element::new("attachment")
        .field("attachmentId", format!("eni-attach-{tail}"))
        .field("deviceIndex", 0)
        .field("status", "attached")
        .field("attachTime", iso_ms(instance.launched_ms))
        .field("deleteOnTermination", true);
    let address = Element::new("item")
        .field("privateIpAddress", instance.address)
        .field("privateDnsName", instance.private_dns_name())
        .field("primary", true);
    Element::new("item")
        .field("networkInterfaceId", format!("eni-{tail}"))
        .field("subnetId", places::subnet_id(&context.scope, &instance.zone))
        .field("vpcId", places::vpc_id(&context.scope))
        .field("description", "")
        .field("ownerId", &context.scope.account)
        .field("status", "in-use")
        .field("privateIpAddress", instance.address)
        .field("privateDnsName", instance.private_dns_name())
        .field("sourceDestCheck", true)
        .child(group_set(names, instance))
        .child(attachment)
        .child(Element::list("privateIpAddressesSet", "item", [address]))
        .field("interfaceType", "interface")
}

/// The values that a filter's name stands for.
/// Source: EC2 API reference, `DescribeInstances`, and for `DescribeInstanceStatus` the names with another spelling.
fn values(
    context: &Context,
    names: &HashMap<String, String>,
    instance: &InstanceRecord,
    filter: &str,
) -> Option<Vec<String>> {
    let group_names = || instance.groups.iter().filter_map(|id| names.get(id)).cloned().collect();
    let maybe = |value: Option<&String>| value.cloned().into_iter().collect();
    let one = |value: &str| vec![value.to_owned()];
    Some(match filter {
        "instance-id" => one(&instance.id),
        "instance-state-name" => one(instance.state.name()),
        "instance-state-code" => vec![instance.state.code().to_string()],
        "image-id" => one(&instance.image),
        "instance-type" => one(&instance.instance_type),
        "key-name" => maybe(instance.key_name.as_ref()),
        "private-ip-address"
        | "ip-address"
        | "dns-name"
        | "network-interface.addresses.private-ip-address" => vec![instance.address.to_string()],
        "private-dns-name" => vec![instance.private_dns_name()],
        "iam-instance-profile.arn" => maybe(instance.profile.as_ref().map(|link| &link.arn)),
        "iam-instance-profile.id" => maybe(instance.profile.as_ref().map(|link| &link.id)),
        "iam-instance-profile.name" => maybe(instance.profile.as_ref().map(|link| &link.name)),
        "instance.group-id" | "group-id" | "network-interface.group-id" => instance.groups.clone(),
        "instance.group-name" | "group-name" => group_names(),
        "availability-zone" => one(&instance.zone),
        "vpc-id" | "network-interface.vpc-id" => vec![places::vpc_id(&context.scope)],
        "subnet-id" | "network-interface.subnet-id" => {
            vec![places::subnet_id(&context.scope, &instance.zone)]
        }
        "reservation-id" => one(&instance.reservation),
        "owner-id" => one(&context.scope.account),
        "launch-index" => vec![instance.launch_index.to_string()],
        "launch-time" => vec![iso_ms(instance.launched_ms)],
        "client-token" => maybe(instance.client_token.as_ref()),
        "state-reason-code" => maybe(instance.reason.as_ref().map(|reason| &reason.code)),
        "reason" => maybe(instance.reason.as_ref().map(|reason| &reason.message)),
        "architecture" => one(places::architecture()),
        "root-device-type" => one("ebs"),
        "root-device-name" => one("/dev/xvda"),
        "virtualization-type" => one("hvm"),
        "hypervisor" => one("xen"),
        "tenancy" => one("default"),
        "instance-lifecycle" | "platform" => Vec::new(),
        "instance-status.status" | "system-status.status" => {
            one(if instance.state == State::Running { "ok" } else { "not-applicable" })
        }
        _ => return None,
    })
}

/// An instance that is none: to find out which filters there are.
fn nothing() -> InstanceRecord {
    InstanceRecord {
        id: String::new(),
        region: String::new(),
        zone: String::new(),
        reservation: String::new(),
        launch_index: 0,
        client_token: None,
        image: String::new(),
        instance_type: String::new(),
        key_name: None,
        profile: None,
        groups: Vec::new(),
        user_data: None,
        tags: Tags::new(),
        launched_ms: 0,
        address: Ipv4Addr::UNSPECIFIED,
        desired: super::records::Desired::Terminated,
        state: State::Terminated,
        boots: 0,
        reason: None,
        terminated_ms: None,
    }
}
