//! Users and their access keys.

use wire::xml::Element;

use super::Answer;
use super::checks::{
    already_exists, delete_conflict, limit_exceeded, name, no_such_entity, page, path, required,
    tags, tags_element,
};
use super::ids::{self, IdPrefix};
use super::keyring::{AccessKeyRecord, Owner};
use super::principal::{Caller, Principal};
use super::records::{Permissions, UserRecord, user_key};
use crate::forms::records::{Kept, RecordError, Records};
use crate::forms::{ApiError, Context, Params, iso_ms};

/// Source: IAM quotas.
const NAME_MAX: usize = 64;

/// Source: IAM quotas; it cannot be raised.
const ACCESS_KEYS_MAX: usize = 2;

pub(super) async fn create(context: &Context, params: Params<'_>) -> Answer {
    let user = UserRecord {
        name: name(params, "UserName", NAME_MAX)?.to_owned(),
        path: path(params)?,
        id: ids::unique(IdPrefix::User),
        created_ms: context.now.as_millis(),
        tags: tags(params)?,
        permissions: Permissions::default(),
    };
    match context.records.write(vec![Records::create(&user)?]).await {
        Ok(()) => Ok(Some(Element::new("result").child(element(context, &user)))),
        Err(RecordError::Conflict) => Err(already_exists("User", &user.name)),
        Err(error) => Err(error.into()),
    }
}

/// Without a name, the caller; for the root that is not a user, but shown like one.
pub(super) async fn get(context: &Context, caller: &Caller, params: Params<'_>) -> Answer {
    let element = match (params.text("UserName"), &caller.principal) {
        (None, Principal::Root) => Element::new("User")
            .field("Path", "/")
            .field("UserName", "root")
            .field("UserId", &context.scope.account)
            .field("Arn", caller.principal.arn(&context.scope))
            .field("CreateDate", iso_ms(0)),
        (None | Some(_), _) => element(context, &find(context, caller, params).await?.record),
    };
    Ok(Some(Element::new("result").child(element)))
}

pub(super) async fn list(context: &Context, params: Params<'_>) -> Answer {
    let prefix = params.filled("PathPrefix").unwrap_or("/");
    let users = context.records.list::<UserRecord>("").await?;
    let users = users.into_iter().map(|kept| kept.record);
    let users = users
        .filter(|user| user.path.starts_with(prefix))
        .map(|user| (user.name.clone(), element(context, &user)));
    page(params, "Users", users.collect()).map(Some)
}

pub(super) async fn delete(context: &Context, params: Params<'_>) -> Answer {
    let user = named(context, required(params, "UserName")?).await?;
    if !keys_of(context, &user.record.name).await?.is_empty() {
        return Err(delete_conflict("delete access keys"));
    }
    if !user.record.permissions.attached.is_empty() {
        return Err(delete_conflict("detach all policies"));
    }
    if !user.record.permissions.is_empty() {
        return Err(delete_conflict("delete policies"));
    }
    match context.records.write(vec![Records::remove(&user)]).await {
        Ok(()) => Ok(None),
        Err(RecordError::Conflict) => Err(delete_conflict("wait until changes of it have ended")),
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn create_access_key(
    context: &Context,
    caller: &Caller,
    params: Params<'_>,
) -> Answer {
    let user = find(context, caller, params).await?;
    if keys_of(context, &user.record.name).await?.len() >= ACCESS_KEYS_MAX {
        return Err(limit_exceeded("AccessKeysPerUser", ACCESS_KEYS_MAX));
    }
    let key = AccessKeyRecord::lasting(&user.record.principal(), context.now);
    // The user is written as it is: of two that make a third key or delete the user at once, one finds out.
    let writes = vec![Records::create(&key)?, Records::replace(&user)?];
    context.records.write(writes).await?;
    let element = Element::new("AccessKey")
        .field("UserName", &user.record.name)
        .field("AccessKeyId", &key.id)
        .field("Status", status(&key))
        .field("SecretAccessKey", &key.secret.0)
        .field("CreateDate", iso_ms(key.created_ms));
    Ok(Some(Element::new("result").child(element)))
}

pub(super) async fn list_access_keys(
    context: &Context,
    caller: &Caller,
    params: Params<'_>,
) -> Answer {
    // The root's key comes with the server's configuration and is listed nowhere.
    if params.text("UserName").is_none() && caller.principal == Principal::Root {
        return page(params, "AccessKeyMetadata", Vec::new()).map(Some);
    }
    let user = find(context, caller, params).await?.record;
    let keys = keys_of(context, &user.name).await?;
    let items = keys.into_iter().map(|kept| {
        let element = Element::new("member")
            .field("UserName", &user.name)
            .field("AccessKeyId", &kept.record.id)
            .field("Status", status(&kept.record))
            .field("CreateDate", iso_ms(kept.record.created_ms));
        (kept.record.id, element)
    });
    page(params, "AccessKeyMetadata", items.collect()).map(Some)
}

pub(super) async fn update_access_key(
    context: &Context,
    caller: &Caller,
    params: Params<'_>,
) -> Answer {
    let active = match required(params, "Status")? {
        "Active" => true,
        "Inactive" => false,
        other => {
            let message = format!("Status must be Active or Inactive, not {other}");
            return Err(ApiError::client("ValidationError", message));
        }
    };
    let mut key = access_key(context, caller, params).await?;
    key.record.active = active;
    context.records.write(vec![Records::replace(&key)?]).await?;
    context.keyring.forget(&key.record.id);
    Ok(None)
}

pub(super) async fn delete_access_key(
    context: &Context,
    caller: &Caller,
    params: Params<'_>,
) -> Answer {
    let key = access_key(context, caller, params).await?;
    context.records.write(vec![Records::remove(&key)]).await?;
    context.keyring.forget(&key.record.id);
    Ok(None)
}

/// When a key was last used is not kept.
pub(super) async fn access_key_last_used(context: &Context, params: Params<'_>) -> Answer {
    let id = required(params, "AccessKeyId")?;
    let key = context.records.get::<AccessKeyRecord>(id).await?;
    let Some(Owner::User { name, .. }) = key.map(|kept| kept.record.owner) else {
        return Err(no_such_key(id));
    };
    let used = Element::new("AccessKeyLastUsed").field("ServiceName", "N/A").field("Region", "N/A");
    Ok(Some(Element::new("result").field("UserName", name).child(used)))
}

/// The access key that the parameters name, if it is the user's whom they name.
async fn access_key(
    context: &Context,
    caller: &Caller,
    params: Params<'_>,
) -> Result<Kept<AccessKeyRecord>, ApiError> {
    let id = required(params, "AccessKeyId")?;
    let owner = match (params.text("UserName"), &caller.principal) {
        // The root may leave the owner out: the key tells.
        (None, Principal::Root) => None,
        (None | Some(_), _) => Some(find(context, caller, params).await?.record.name),
    };
    let found = context.records.get::<AccessKeyRecord>(id).await?;
    let fits = |kept: &Kept<AccessKeyRecord>| match (&kept.record.owner, &owner) {
        (Owner::User { name, .. }, Some(owner)) => name == owner,
        (Owner::User { .. }, None) => true,
        (Owner::Root | Owner::Session { .. }, _) => false,
    };
    found.filter(fits).ok_or_else(|| no_such_key(id))
}

fn no_such_key(id: &str) -> ApiError {
    let message = format!("The Access Key with id {id} cannot be found.");
    ApiError::new(404, "NoSuchEntity", message)
}

async fn keys_of(context: &Context, user: &str) -> Result<Vec<Kept<AccessKeyRecord>>, RecordError> {
    let mut keys = context.records.with_term::<AccessKeyRecord>(&Owner::user_term(user)).await?;
    keys.retain(|kept| kept.record.session.is_none());
    Ok(keys)
}

/// The user that the parameters name, or the caller.
async fn find(
    context: &Context,
    caller: &Caller,
    params: Params<'_>,
) -> Result<Kept<UserRecord>, ApiError> {
    match (params.text("UserName"), &caller.principal) {
        (Some(name), _) => named(context, name).await,
        (None, Principal::User(user)) => named(context, &user.name).await,
        (None, Principal::Root | Principal::Session(_)) => Err(ApiError::client(
            "ValidationError",
            "Must specify userName when calling with non-User credentials",
        )),
    }
}

async fn named(context: &Context, name: &str) -> Result<Kept<UserRecord>, ApiError> {
    let found = context.records.get::<UserRecord>(&user_key(name)).await?;
    found.ok_or_else(|| no_such_entity("user", name))
}

fn status(key: &AccessKeyRecord) -> &'static str {
    if key.active { "Active" } else { "Inactive" }
}

fn element(context: &Context, user: &UserRecord) -> Element {
    let element = Element::new("User")
        .field("Path", &user.path)
        .field("UserName", &user.name)
        .field("UserId", &user.id)
        .field("Arn", user.arn(&context.scope))
        .field("CreateDate", iso_ms(user.created_ms));
    if user.tags.is_empty() { element } else { element.child(tags_element(&user.tags)) }
}
