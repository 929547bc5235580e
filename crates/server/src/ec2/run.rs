//! `RunInstances`.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::Timestamp;
use sha2::{Digest, Sha256};
use wire::xml::Element;

use super::groups;
use super::ids;
use super::instances;
use super::keys;
use super::places::{self, IMAGE_WITH_AGENT};
use super::profiles;
use super::records::{ClientTokenRecord, Desired, InstanceRecord, ProfileLink, State, Tags, key};
use super::refuse;
use super::tags;
use crate::forms::records::{RecordError, Records};
use crate::forms::{ApiError, Context, Params};

/// What an instance is when nothing is said. Source: EC2 API reference, `RunInstances`.
const DEFAULT_TYPE: &str = "m1.small";

/// Source: EC2 API reference, `RunInstances`; before base64.
const USER_DATA_MAX: usize = 16_384;

/// What a call asks for, checked.
struct Wish {
    least: usize,
    most: usize,
    image: String,
    instance_type: String,
    key_name: Option<String>,
    profile: Option<ProfileLink>,
    groups: Vec<String>,
    user_data: Option<String>,
    tags: Tags,
    zone: String,
}

/// Makes instances; the performer starts them. A repetition with the same `ClientToken` makes nothing new.
pub(super) async fn run(context: &Context, params: Params<'_>) -> Result<Element, ApiError> {
    let token = params.filled("ClientToken");
    if let Some(token) = token
        && let Some(known) = repeated(context, token, params).await?
    {
        return Ok(known);
    }
    let Some(performer) = &context.performer else {
        return Err(ApiError::client(
            "UnsupportedOperation",
            "This server has no local instances: start it as `longshore dev` on a machine that can have them, or register your own hosts as on-premises instances",
        ));
    };
    let wish = read(context, params).await?;
    // From choosing addresses to writing them down, nobody else may choose.
    let _choosing = performer.choose_addresses().await;
    let instances = draw(context, &wish, token).await?;
    let mut writes = Vec::new();
    for instance in &instances {
        writes.push(Records::create(instance)?);
    }
    if let Some(token) = token {
        let record = ClientTokenRecord {
            region: context.scope.region.clone(),
            token: token.to_owned(),
            digest: digest(params),
            reservation: instances[0].reservation.clone(),
            created_ms: context.now.as_millis(),
        };
        writes.push(Records::create(&record)?);
    }
    match context.records.write(writes).await {
        Ok(()) => {
            performer.wake();
            instances::reservation_element(context, &instances).await
        }
        // The same token came twice at once, and the other call was faster.
        Err(RecordError::Conflict) => {
            let known = repeated(context, token.unwrap_or_default(), params).await?;
            known.ok_or_else(refuse::concurrent)
        }
        Err(error) => Err(error.into()),
    }
}

/// The instances that an earlier call with the token made.
async fn repeated(
    context: &Context,
    token: &str,
    params: Params<'_>,
) -> Result<Option<Element>, ApiError> {
    let key = key(&context.scope.region, token);
    let Some(known) = context.records.get::<ClientTokenRecord>(&key).await? else {
        return Ok(None);
    };
    if known.record.digest != digest(params) {
        return Err(ApiError::client(
            "IdempotentParameterMismatch",
            "Arguments on this idempotent request are inconsistent with arguments used in previous request(s).",
        ));
    }
    let mut made = instances::list(&context.records, &context.scope.region).await?;
    made.retain(|instance| instance.reservation == known.record.reservation);
    instances::reservation_element(context, &made).await.map(Some)
}

/// Of all parameters, in their order by name.
fn digest(params: Params<'_>) -> String {
    hex::encode(Sha256::digest(params.canonical()))
}

async fn read(context: &Context, params: Params<'_>) -> Result<Wish, ApiError> {
    let count = |name: &str| params.number::<usize>(name).map_err(refuse::bad);
    let least = count("MinCount")?.ok_or_else(|| refuse::missing("MinCount"))?;
    let most = count("MaxCount")?.ok_or_else(|| refuse::missing("MaxCount"))?;
    if least == 0 || most < least {
        return Err(refuse::invalid_value(format!(
            "Value ({least}) for parameter minCount is invalid. It must be from 1 to maxCount ({most})"
        )));
    }
    let image = params.filled("ImageId").unwrap_or(IMAGE_WITH_AGENT);
    if !image.starts_with("ami-") {
        let message = format!("Invalid id: \"{image}\" (expecting \"ami-...\")");
        return Err(ApiError::client("InvalidAMIID.Malformed", message));
    }
    if !places::has_image(image) {
        return Err(refuse::no_image(image));
    }
    let key_name = params.filled("KeyName");
    if let Some(name) = key_name
        && keys::find(context, name).await?.is_none()
    {
        return Err(refuse::no_key_pair(name));
    }
    let profile = match params.child("IamInstanceProfile") {
        None => None,
        Some(profile) => Some(profiles::link(context, profile).await?),
    };
    Ok(Wish {
        least,
        most,
        image: image.to_owned(),
        instance_type: instance_type(params)?,
        key_name: key_name.map(str::to_owned),
        profile,
        groups: security_groups(context, params).await?,
        user_data: user_data(params)?,
        tags: tags::specified(params, "instance")?,
        zone: zone(context, params)?,
    })
}

fn instance_type(params: Params<'_>) -> Result<String, ApiError> {
    let name = params.filled("InstanceType").unwrap_or(DEFAULT_TYPE);
    let is_part = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    match name.split_once('.') {
        Some((family, size)) if is_part(family) && is_part(size) => Ok(name.to_owned()),
        Some(_) | None => {
            Err(refuse::invalid_value(format!("Invalid value '{name}' for InstanceType.")))
        }
    }
}

fn user_data(params: Params<'_>) -> Result<Option<String>, ApiError> {
    let Some(text) = params.filled("UserData") else { return Ok(None) };
    let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let Ok(bytes) = STANDARD.decode(&compact) else {
        let message = "Invalid BASE64 encoding of user data";
        return Err(ApiError::client("InvalidUserData.Malformed", message));
    };
    if bytes.len() > USER_DATA_MAX {
        return Err(refuse::invalid_value("User data is limited to 16384 bytes"));
    }
    Ok(Some(compact))
}

/// The ids of the groups that are named, directly or of the first network interface; the default group if none is.
async fn security_groups(context: &Context, params: Params<'_>) -> Result<Vec<String>, ApiError> {
    let interface = params.list("NetworkInterface").next();
    let mut given = params.texts("SecurityGroupId");
    let names = params.texts("SecurityGroup");
    if let Some(interface) = interface {
        if !given.is_empty() || !names.is_empty() {
            return Err(refuse::invalid_combination(
                "Network interfaces and an instance-level security groups may not be specified on the same request",
            ));
        }
        given = interface.texts("SecurityGroupId");
    }
    let mut found = Vec::new();
    for id in given {
        found.push(groups::find_by_id(context, id).await?.record.id);
    }
    for name in names {
        found.push(groups::find_by_name(context, name).await?.record.id);
    }
    if found.is_empty() {
        found.push(groups::find_by_name(context, "default").await?.record.id);
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

fn zone(context: &Context, params: Params<'_>) -> Result<String, ApiError> {
    let interface = params.list("NetworkInterface").next();
    let subnet = params
        .filled("SubnetId")
        .or_else(|| interface.and_then(|interface| interface.filled("SubnetId")));
    if let Some(subnet) = subnet {
        return places::zone_of_subnet(&context.scope, subnet)
            .ok_or_else(|| places::no_subnet(subnet));
    }
    let zones = places::zones(&context.scope.region);
    let asked_for =
        params.child("Placement").and_then(|placement| placement.filled("AvailabilityZone"));
    match asked_for {
        None => Ok(zones[0].clone()),
        Some(zone) if zones.iter().any(|known| known == zone) => Ok(zone.to_owned()),
        Some(zone) => Err(refuse::invalid_value(format!("Invalid availability zone: [{zone}]"))),
    }
}

/// The instances, as many as there are addresses for.
async fn draw(
    context: &Context,
    wish: &Wish,
    token: Option<&str>,
) -> Result<Vec<InstanceRecord>, ApiError> {
    let Some(performer) = &context.performer else { return Err(refuse::concurrent()) };
    let everywhere = context.records.list::<InstanceRecord>("").await?;
    let live = everywhere.iter().filter(|kept| kept.record.state != State::Terminated);
    let mut used: Vec<_> = live.map(|kept| kept.record.address).collect();
    let reservation = ids::drawn("r");
    let mut made = Vec::new();
    while made.len() < wish.most {
        let Some(address) = performer.free_address(&used) else { break };
        used.push(address);
        made.push(InstanceRecord {
            id: ids::drawn("i"),
            region: context.scope.region.clone(),
            zone: wish.zone.clone(),
            reservation: reservation.clone(),
            launch_index: u32::try_from(made.len()).unwrap_or(u32::MAX),
            client_token: token.map(str::to_owned),
            image: wish.image.clone(),
            instance_type: wish.instance_type.clone(),
            key_name: wish.key_name.clone(),
            profile: wish.profile.clone().map(profiles::associated),
            groups: wish.groups.clone(),
            user_data: wish.user_data.clone(),
            tags: wish.tags.clone(),
            launched_ms: context.now.as_millis(),
            address,
            desired: Desired::Running,
            state: State::Pending,
            boots: 1,
            reason: None,
            terminated_ms: None,
        });
    }
    if made.len() < wish.least {
        return Err(ApiError::client(
            "InstanceLimitExceeded",
            format!(
                "You have requested more instances ({}) than there are addresses left for ({}). Terminate instances that are no longer needed.",
                wish.least,
                made.len()
            ),
        ));
    }
    Ok(made)
}

/// How long a repetition is recognised. Source: EC2 API reference, "Ensuring idempotency".
const RECOGNISED: Duration = Duration::from_secs(24 * 3600);

/// Forgets the idempotency tokens that are not recognised any more.
pub(crate) async fn forget_tokens(records: &Records, now: Timestamp) -> Result<(), RecordError> {
    let before = now - RECOGNISED;
    for kept in records.list::<ClientTokenRecord>("").await? {
        if kept.record.created_ms < before.as_millis() {
            match records.write(vec![Records::remove(&kept)]).await {
                // Another server forgets too.
                Ok(()) | Err(RecordError::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}
