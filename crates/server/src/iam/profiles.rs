//! Instance profiles: what hands a role to instances.

use wire::xml::Element;

use super::Answer;
use super::checks::{
    already_exists, delete_conflict, limit_exceeded, name, no_such_entity, page, path, required,
    tags, tags_element,
};
use super::records::{ProfileRecord, RoleRecord};
use super::roles;
use crate::forms::records::{Kept, RecordError, Records};
use crate::forms::{ApiError, Context, Params, iso_ms};

/// Source: IAM quotas.
const NAME_MAX: usize = 128;

pub(super) async fn create(context: &Context, params: Params<'_>) -> Answer {
    let name = name(params, "InstanceProfileName", NAME_MAX)?.to_owned();
    let profile = ProfileRecord::new(name, path(params)?, tags(params)?, context.now);
    match context.records.write(vec![Records::create(&profile)?]).await {
        Ok(()) => Ok(Some(Element::new("result").child(element(context, &profile, None)))),
        Err(RecordError::Conflict) => Err(already_exists("Instance Profile", &profile.name)),
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn get(context: &Context, params: Params<'_>) -> Answer {
    let profile = find(context, params).await?.record;
    let element = with_role(context, &profile).await?;
    Ok(Some(Element::new("result").child(element)))
}

pub(super) async fn list(context: &Context, params: Params<'_>) -> Answer {
    let prefix = params.filled("PathPrefix").unwrap_or("/");
    let mut items = Vec::new();
    for kept in context.records.list::<ProfileRecord>("").await? {
        if kept.record.path.starts_with(prefix) {
            items.push((kept.record.name.clone(), with_role(context, &kept.record).await?));
        }
    }
    page(params, "InstanceProfiles", items).map(Some)
}

pub(super) async fn list_for_role(context: &Context, params: Params<'_>) -> Answer {
    let role = roles::find(context, params).await?.record;
    let profiles = roles::profiles_of(context, &role.name).await?;
    let items = profiles
        .into_iter()
        .map(|kept| (kept.record.name.clone(), element(context, &kept.record, Some(&role))));
    page(params, "InstanceProfiles", items.collect()).map(Some)
}

pub(super) async fn delete(context: &Context, params: Params<'_>) -> Answer {
    let profile = find(context, params).await?;
    if profile.record.role.is_some() {
        return Err(delete_conflict("remove roles from instance profile"));
    }
    match context.records.write(vec![Records::remove(&profile)]).await {
        Ok(()) => Ok(None),
        Err(RecordError::Conflict) => Err(delete_conflict("wait until changes of it have ended")),
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn add_role(context: &Context, params: Params<'_>) -> Answer {
    let mut profile = find(context, params).await?;
    let role = roles::find(context, params).await?;
    if profile.record.role.is_some() {
        return Err(limit_exceeded("InstanceSessionsPerInstanceProfile", 1));
    }
    profile.record.role = Some(role.record.name.clone());
    // The role is written as it is: if it is deleted meanwhile, one of the two writes finds out.
    let writes = vec![Records::replace(&profile)?, Records::replace(&role)?];
    finish(context.records.write(writes).await)
}

pub(super) async fn remove_role(context: &Context, params: Params<'_>) -> Answer {
    let mut profile = find(context, params).await?;
    let role = required(params, "RoleName")?;
    if profile.record.role.as_deref() != Some(role) {
        return Err(no_such_entity("role", role));
    }
    profile.record.role = None;
    finish(context.records.write(vec![Records::replace(&profile)?]).await)
}

fn finish(written: Result<(), RecordError>) -> Answer {
    match written {
        Ok(()) => Ok(None),
        Err(RecordError::Conflict) => Err(ApiError::new(
            409,
            "ConcurrentModification",
            "The instance profile or the role was changed at the same time. Try again.",
        )),
        Err(error) => Err(error.into()),
    }
}

async fn find(context: &Context, params: Params<'_>) -> Result<Kept<ProfileRecord>, ApiError> {
    let name = required(params, "InstanceProfileName")?;
    let found = context.records.get::<ProfileRecord>(name).await?;
    found.ok_or_else(|| {
        let message = format!("Instance Profile {name} cannot be found.");
        ApiError::new(404, "NoSuchEntity", message)
    })
}

async fn with_role(context: &Context, profile: &ProfileRecord) -> Result<Element, RecordError> {
    let role = match &profile.role {
        None => None,
        Some(name) => context.records.get::<RoleRecord>(name).await?,
    };
    Ok(element(context, profile, role.as_ref().map(|kept| &kept.record)))
}

fn element(context: &Context, profile: &ProfileRecord, role: Option<&RoleRecord>) -> Element {
    let roles = role.map(|role| roles::element(context, role));
    let element = Element::new("InstanceProfile")
        .field("Path", &profile.path)
        .field("InstanceProfileName", &profile.name)
        .field("InstanceProfileId", &profile.id)
        .field("Arn", profile.arn(&context.scope))
        .field("CreateDate", iso_ms(profile.created_ms))
        .child(Element::list("Roles", "member", roles));
    if profile.tags.is_empty() { element } else { element.child(tags_element(&profile.tags)) }
}
