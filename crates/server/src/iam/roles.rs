//! Roles.

use wire::xml::Element;

use super::Answer;
use super::checks::{
    already_exists, delete_conflict, document, encoded, name, no_such_entity, page, path, required,
    tags, tags_element,
};
use super::ids::{self, IdPrefix};
use super::policy::PolicyKind;
use super::records::{Permissions, ProfileRecord, RoleRecord, role_term};
use crate::forms::records::{Kept, RecordError, Records};
use crate::forms::{ApiError, Context, Params, iso_ms};

/// Source: IAM quotas.
const NAME_MAX: usize = 64;

pub(super) async fn create(context: &Context, params: Params<'_>) -> Answer {
    let seconds = params.number::<u32>("MaxSessionDuration")?.unwrap_or(3600);
    if !(3600..=43_200).contains(&seconds) {
        let message = "MaxSessionDuration must be between 3600 and 43200 seconds.";
        return Err(ApiError::client("ValidationError", message));
    }
    let role = RoleRecord {
        name: name(params, "RoleName", NAME_MAX)?.to_owned(),
        path: path(params)?,
        id: ids::unique(IdPrefix::Role),
        description: params.filled("Description").map(str::to_owned),
        trust: document(params, "AssumeRolePolicyDocument", PolicyKind::Trust)?.to_owned(),
        session_seconds_max: seconds,
        created_ms: context.now.as_millis(),
        tags: tags(params)?,
        permissions: Permissions::default(),
    };
    match context.records.write(vec![Records::create(&role)?]).await {
        Ok(()) => Ok(Some(Element::new("result").child(element(context, &role)))),
        Err(RecordError::Conflict) => Err(already_exists("Role", &role.name)),
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn get(context: &Context, params: Params<'_>) -> Answer {
    let role = find(context, params).await?.record;
    Ok(Some(Element::new("result").child(element(context, &role))))
}

pub(super) async fn list(context: &Context, params: Params<'_>) -> Answer {
    let prefix = params.filled("PathPrefix").unwrap_or("/");
    let roles = context.records.list::<RoleRecord>("").await?;
    let roles = roles.into_iter().map(|kept| kept.record);
    let roles = roles
        .filter(|role| role.path.starts_with(prefix))
        .map(|role| (role.name.clone(), element(context, &role)));
    page(params, "Roles", roles.collect()).map(Some)
}

pub(super) async fn update(context: &Context, params: Params<'_>) -> Answer {
    let seconds = params.number::<u32>("MaxSessionDuration")?;
    let description = params.text("Description");
    change(context, params, |role| {
        if let Some(seconds) = seconds {
            role.session_seconds_max = seconds.clamp(3600, 43_200);
        }
        if let Some(description) = description {
            role.description = Some(description.to_owned());
        }
    })
    .await?;
    Ok(Some(Element::new("result")))
}

pub(super) async fn update_trust(context: &Context, params: Params<'_>) -> Answer {
    let trust = document(params, "PolicyDocument", PolicyKind::Trust)?;
    change(context, params, |role| role.trust = trust.to_owned()).await?;
    Ok(None)
}

pub(super) async fn delete(context: &Context, params: Params<'_>) -> Answer {
    let role = find(context, params).await?;
    if !role.record.permissions.attached.is_empty() {
        return Err(delete_conflict("detach all policies"));
    }
    if !role.record.permissions.inline.is_empty() {
        return Err(delete_conflict("delete policies"));
    }
    if !profiles_of(context, &role.record.name).await?.is_empty() {
        return Err(delete_conflict("remove roles from instance profile"));
    }
    // Whoever attaches something to the role meanwhile writes the role too, and this write finds out.
    match context.records.write(vec![Records::remove(&role)]).await {
        Ok(()) => Ok(None),
        Err(RecordError::Conflict) => Err(delete_conflict("wait until changes of it have ended")),
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn tag(context: &Context, params: Params<'_>) -> Answer {
    let given = tags(params)?;
    change(context, params, |role| role.tags.extend(given.clone())).await?;
    Ok(None)
}

pub(super) async fn untag(context: &Context, params: Params<'_>) -> Answer {
    let keys = params.texts("TagKeys");
    change(context, params, |role| role.tags.retain(|key, _| !keys.contains(&key.as_str())))
        .await?;
    Ok(None)
}

pub(super) async fn list_tags(context: &Context, params: Params<'_>) -> Answer {
    let role = find(context, params).await?.record;
    let tags = tags_element(&role.tags);
    Ok(Some(Element::new("result").child(tags).field("IsTruncated", false)))
}

/// The role that the parameters name.
pub(super) async fn find(
    context: &Context,
    params: Params<'_>,
) -> Result<Kept<RoleRecord>, ApiError> {
    let name = required(params, "RoleName")?;
    let found = context.records.get::<RoleRecord>(name).await?;
    found.ok_or_else(|| no_such_entity("role", name))
}

async fn change(
    context: &Context,
    params: Params<'_>,
    mut change: impl FnMut(&mut RoleRecord),
) -> Result<(), ApiError> {
    let name = required(params, "RoleName")?;
    let changed = context
        .records
        .update(name, |role: &mut RoleRecord| {
            change(role);
            Ok::<_, ApiError>(())
        })
        .await?;
    changed.ok_or_else(|| no_such_entity("role", name))
}

/// The instance profiles that hold the role.
pub(super) async fn profiles_of(
    context: &Context,
    role: &str,
) -> Result<Vec<Kept<ProfileRecord>>, RecordError> {
    context.records.with_term::<ProfileRecord>(&role_term(role)).await
}

/// A role in an answer.
pub(super) fn element(context: &Context, role: &RoleRecord) -> Element {
    let element = Element::new("Role")
        .field("Path", &role.path)
        .field("RoleName", &role.name)
        .field("RoleId", &role.id)
        .field("Arn", role.arn(&context.scope))
        .field("CreateDate", iso_ms(role.created_ms))
        .field("AssumeRolePolicyDocument", encoded(&role.trust))
        .optional("Description", role.description.as_ref())
        .field("MaxSessionDuration", role.session_seconds_max);
    if role.tags.is_empty() { element } else { element.child(tags_element(&role.tags)) }
}
