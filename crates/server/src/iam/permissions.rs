//! Inline and attached policies of users and roles.

use wire::xml::Element;

use super::Answer;
use super::checks::{document, encoded, limit_exceeded, name, no_such_entity, page, required};
use super::policy::{PolicyKind, managed};
use super::records::{Permissions, PolicyRecord, RoleRecord, UserRecord, user_key};
use crate::forms::records::{Kept, Record, RecordError, Records};
use crate::forms::{ApiError, Context, Params};

/// Source: IAM quotas; the default one.
const ATTACHED_MAX: usize = 10;

/// What holds permissions.
pub(super) trait Holder: Record {
    /// What it is called in messages.
    const NOUN: &'static str;
    /// The parameter that names it.
    const PARAMETER: &'static str;
    /// The quota that limits attached policies.
    const QUOTA: &'static str;

    /// The key of the holder with that name.
    fn key_of(name: &str) -> String;
    fn name(&self) -> &str;
    fn permissions(&mut self) -> &mut Permissions;
}

impl Holder for RoleRecord {
    const NOUN: &'static str = "role";
    const PARAMETER: &'static str = "RoleName";
    const QUOTA: &'static str = "PoliciesPerRole";

    fn key_of(name: &str) -> String {
        name.to_owned()
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn permissions(&mut self) -> &mut Permissions {
        &mut self.permissions
    }
}

impl Holder for UserRecord {
    const NOUN: &'static str = "user";
    const PARAMETER: &'static str = "UserName";
    const QUOTA: &'static str = "PoliciesPerUser";

    fn key_of(name: &str) -> String {
        user_key(name)
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn permissions(&mut self) -> &mut Permissions {
        &mut self.permissions
    }
}

pub(super) async fn put_inline<H: Holder>(context: &Context, params: Params<'_>) -> Answer {
    let policy = name(params, "PolicyName", 128)?;
    let document = document(params, "PolicyDocument", PolicyKind::Identity)?;
    change::<H, _>(context, params, |permissions| {
        permissions.inline.insert(policy.to_owned(), document.to_owned());
        Ok(())
    })
    .await?;
    Ok(None)
}

pub(super) async fn get_inline<H: Holder>(context: &Context, params: Params<'_>) -> Answer {
    let policy = required(params, "PolicyName")?;
    let mut holder = find::<H>(context, params).await?.record;
    let document = holder.permissions().inline.remove(policy);
    let document = document.ok_or_else(|| no_inline::<H>(policy))?;
    Ok(Some(
        Element::new("result")
            .field(H::PARAMETER, holder.name())
            .field("PolicyName", policy)
            .field("PolicyDocument", encoded(&document)),
    ))
}

pub(super) async fn delete_inline<H: Holder>(context: &Context, params: Params<'_>) -> Answer {
    let policy = required(params, "PolicyName")?;
    change::<H, _>(context, params, |permissions| {
        permissions.inline.remove(policy).map(drop).ok_or_else(|| no_inline::<H>(policy))
    })
    .await?;
    Ok(None)
}

pub(super) async fn list_inline<H: Holder>(context: &Context, params: Params<'_>) -> Answer {
    let mut holder = find::<H>(context, params).await?.record;
    let names = holder.permissions().inline.keys();
    let items = names.map(|name| (name.clone(), Element::of("member", name)));
    page(params, "PolicyNames", items.collect()).map(Some)
}

pub(super) async fn attach<H: Holder>(context: &Context, params: Params<'_>) -> Answer {
    let arn = required(params, "PolicyArn")?;
    let own = context.records.get::<PolicyRecord>(arn).await?;
    if own.is_none() && managed::find(arn).is_none() {
        return Err(no_policy(arn));
    }
    let mut holder = find::<H>(context, params).await?;
    let attached = &mut holder.record.permissions().attached;
    if attached.iter().any(|known| known == arn) {
        return Ok(None);
    }
    if attached.len() >= ATTACHED_MAX {
        return Err(limit_exceeded(H::QUOTA, ATTACHED_MAX));
    }
    attached.push(arn.to_owned());
    let mut writes = vec![Records::replace(&holder)?];
    if let Some(policy) = own {
        // Written as it is: if the policy is deleted meanwhile, one of the two writes finds out.
        writes.push(Records::replace(&policy)?);
    }
    match context.records.write(writes).await {
        Ok(()) => Ok(None),
        Err(RecordError::Conflict) => Err(ApiError::new(
            409,
            "ConcurrentModification",
            format!("The {} or the policy was changed at the same time. Try again.", H::NOUN),
        )),
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn detach<H: Holder>(context: &Context, params: Params<'_>) -> Answer {
    let arn = required(params, "PolicyArn")?;
    change::<H, _>(context, params, |permissions| {
        let before = permissions.attached.len();
        permissions.attached.retain(|known| known != arn);
        if permissions.attached.len() < before { Ok(()) } else { Err(no_policy(arn)) }
    })
    .await?;
    Ok(None)
}

pub(super) async fn list_attached<H: Holder>(context: &Context, params: Params<'_>) -> Answer {
    let mut holder = find::<H>(context, params).await?.record;
    let items = holder.permissions().attached.iter().map(|arn| {
        let name = arn.rsplit('/').next().unwrap_or_default();
        let element = Element::new("member").field("PolicyName", name).field("PolicyArn", arn);
        (arn.clone(), element)
    });
    page(params, "AttachedPolicies", items.collect()).map(Some)
}

async fn find<H: Holder>(context: &Context, params: Params<'_>) -> Result<Kept<H>, ApiError> {
    let name = required(params, H::PARAMETER)?;
    let found = context.records.get::<H>(&H::key_of(name)).await?;
    found.ok_or_else(|| no_such_entity(H::NOUN, name))
}

async fn change<H: Holder, T>(
    context: &Context,
    params: Params<'_>,
    mut change: impl FnMut(&mut Permissions) -> Result<T, ApiError>,
) -> Result<T, ApiError> {
    let name = required(params, H::PARAMETER)?;
    let key = H::key_of(name);
    let changed =
        context.records.update(&key, |holder: &mut H| change(holder.permissions())).await?;
    changed.ok_or_else(|| no_such_entity(H::NOUN, name))
}

fn no_inline<H: Holder>(policy: &str) -> ApiError {
    let message = format!("The {} policy with name {policy} cannot be found.", H::NOUN);
    ApiError::new(404, "NoSuchEntity", message)
}

/// No policy of that ARN.
pub(super) fn no_policy(arn: &str) -> ApiError {
    let message = format!("Policy {arn} does not exist or is not attachable.");
    ApiError::new(404, "NoSuchEntity", message)
}
