//! IAM: users, roles, instance profiles, policies and access keys; and who may do what.
//!
//! The part of the service that CodeDeploy's guides and Terraform need. Users and roles are unique per account,
//! whatever the region. Start reading at [`handle`] for the operations, at [`authorize`] for the decisions, at
//! [`Keyring`] for how a request's maker is found.

pub mod principal;

mod keyring;

mod authorize;
pub mod policy;

mod checks;
mod ids;
mod records;

mod permissions;
mod policies;
mod profiles;
mod roles;
mod users;

pub use authorize::{AuthorizeError, Denied, authorize, facts_of};
pub use keyring::{Keyring, RootCredentials};
pub use principal::{AccessKey, Caller, Principal, SessionPrincipal, UserPrincipal};

pub(crate) use authorize::trusts;
pub(crate) use checks::{name as checked_name, required};
pub(crate) use records::{ProfileRecord, RoleRecord, UserRecord};

use model::arn::Scope;
use wire::xml::Element;

use crate::forms::{ApiError, Context, Params};
use policy::Facts;
use records::user_key;

/// What an operation answers: its result, if it has one.
pub(crate) type Answer = Result<Option<Element>, ApiError>;

/// Does one operation of IAM. The result is to be wrapped by `wire::xml::query_response`.
///
/// # Errors
/// The documented refusals; `InvalidAction` for what is not served; `AccessDenied` if the caller may not.
pub async fn handle(
    context: &Context,
    caller: &Caller,
    action: &str,
    params: Params<'_>,
) -> Result<Option<Element>, ApiError> {
    let resource = resource(context, caller, action, params).await?;
    let facts = request_facts(params);
    authorize(context, caller, &format!("iam:{action}"), &resource, facts).await?;
    match action {
        "CreateRole" => roles::create(context, params).await,
        "GetRole" => roles::get(context, params).await,
        "ListRoles" => roles::list(context, params).await,
        "UpdateRole" => roles::update(context, params).await,
        "UpdateAssumeRolePolicy" => roles::update_trust(context, params).await,
        "DeleteRole" => roles::delete(context, params).await,
        "TagRole" => roles::tag(context, params).await,
        "UntagRole" => roles::untag(context, params).await,
        "ListRoleTags" => roles::list_tags(context, params).await,

        "PutRolePolicy" => permissions::put_inline::<RoleRecord>(context, params).await,
        "GetRolePolicy" => permissions::get_inline::<RoleRecord>(context, params).await,
        "DeleteRolePolicy" => permissions::delete_inline::<RoleRecord>(context, params).await,
        "ListRolePolicies" => permissions::list_inline::<RoleRecord>(context, params).await,
        "AttachRolePolicy" => permissions::attach::<RoleRecord>(context, params).await,
        "DetachRolePolicy" => permissions::detach::<RoleRecord>(context, params).await,
        "ListAttachedRolePolicies" => {
            permissions::list_attached::<RoleRecord>(context, params).await
        }
        "PutUserPolicy" => permissions::put_inline::<UserRecord>(context, params).await,
        "GetUserPolicy" => permissions::get_inline::<UserRecord>(context, params).await,
        "DeleteUserPolicy" => permissions::delete_inline::<UserRecord>(context, params).await,
        "ListUserPolicies" => permissions::list_inline::<UserRecord>(context, params).await,
        "AttachUserPolicy" => permissions::attach::<UserRecord>(context, params).await,
        "DetachUserPolicy" => permissions::detach::<UserRecord>(context, params).await,
        "ListAttachedUserPolicies" => {
            permissions::list_attached::<UserRecord>(context, params).await
        }

        "CreatePolicy" => policies::create(context, params).await,
        "GetPolicy" => policies::get(context, params).await,
        "ListPolicies" => policies::list(context, params).await,
        "DeletePolicy" => policies::delete(context, params).await,
        "CreatePolicyVersion" => policies::create_version(context, params).await,
        "GetPolicyVersion" => policies::get_version(context, params).await,
        "ListPolicyVersions" => policies::list_versions(context, params).await,
        "DeletePolicyVersion" => policies::delete_version(context, params).await,

        "CreateInstanceProfile" => profiles::create(context, params).await,
        "GetInstanceProfile" => profiles::get(context, params).await,
        "ListInstanceProfiles" => profiles::list(context, params).await,
        "ListInstanceProfilesForRole" => profiles::list_for_role(context, params).await,
        "DeleteInstanceProfile" => profiles::delete(context, params).await,
        "AddRoleToInstanceProfile" => profiles::add_role(context, params).await,
        "RemoveRoleFromInstanceProfile" => profiles::remove_role(context, params).await,

        "CreateUser" => users::create(context, params).await,
        "GetUser" => users::get(context, caller, params).await,
        "ListUsers" => users::list(context, params).await,
        "DeleteUser" => users::delete(context, params).await,
        // Groups of users are not served; Terraform asks for them before it deletes a user.
        "ListGroupsForUser" => checks::page(params, "Groups", Vec::new()).map(Some),
        "CreateAccessKey" => users::create_access_key(context, caller, params).await,
        "ListAccessKeys" => users::list_access_keys(context, caller, params).await,
        "UpdateAccessKey" => users::update_access_key(context, caller, params).await,
        "DeleteAccessKey" => users::delete_access_key(context, caller, params).await,
        "GetAccessKeyLastUsed" => users::access_key_last_used(context, params).await,

        unknown => Err(ApiError::unknown_action("IAM", unknown)),
    }
}

/// The ARN of what an operation is about. A thing that exists is looked up for its path; policies name it in full.
async fn resource(
    context: &Context,
    caller: &Caller,
    action: &str,
    params: Params<'_>,
) -> Result<String, ApiError> {
    if caller.principal == Principal::Root {
        // The root may do everything: nothing needs to be looked up.
        return Ok("*".to_owned());
    }
    let Context { records, scope, .. } = context;
    if let Some(arn) = params.filled("PolicyArn")
        && !action.ends_with("RolePolicy")
        && !action.ends_with("UserPolicy")
    {
        return Ok(arn.to_owned());
    }
    if let Some(name) = params.filled("InstanceProfileName") {
        let known = records.get::<ProfileRecord>(name).await?;
        return Ok(known.map_or_else(
            || new_arn(scope, "instance-profile", params, name),
            |kept| kept.record.arn(scope),
        ));
    }
    if let Some(name) = params.filled("RoleName") {
        let known = records.get::<RoleRecord>(name).await?;
        return Ok(known
            .map_or_else(|| new_arn(scope, "role", params, name), |kept| kept.record.arn(scope)));
    }
    if let Some(name) = params.filled("UserName") {
        let known = records.get::<UserRecord>(&user_key(name)).await?;
        return Ok(known
            .map_or_else(|| new_arn(scope, "user", params, name), |kept| kept.record.arn(scope)));
    }
    if let Some(name) = params.filled("PolicyName") {
        return Ok(new_arn(scope, "policy", params, name));
    }
    const ABOUT_ONESELF: [&str; 5] =
        ["GetUser", "CreateAccessKey", "ListAccessKeys", "UpdateAccessKey", "DeleteAccessKey"];
    if ABOUT_ONESELF.contains(&action) {
        return Ok(caller.principal.arn(scope));
    }
    Ok("*".to_owned())
}

fn new_arn(scope: &Scope, kind: &str, params: Params<'_>, name: &str) -> String {
    let path = params.filled("Path").unwrap_or("/");
    format!("arn:aws:iam::{}:{kind}{path}{name}", scope.account)
}

fn request_facts(params: Params<'_>) -> Facts {
    let arn = params.filled("PolicyArn");
    let facts =
        arn.into_iter().fold(Facts::default(), |facts, arn| facts.with("iam:PolicyARN", arn));
    params.list("Tags").fold(facts, |facts, tag| match (tag.text("Key"), tag.text("Value")) {
        (Some(key), Some(value)) => {
            facts.with(&format!("aws:RequestTag/{key}"), value).with("aws:TagKeys", key)
        }
        (Some(_) | None, _) => facts,
    })
}
