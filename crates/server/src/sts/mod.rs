//! STS: who am I, and temporary credentials.

use std::time::Duration;

use model::Timestamp;
use wire::xml::Element;

use crate::forms::{ApiError, Context, Params, iso};
use crate::iam::policy::{Facts, Policy, PolicyKind, Verdict};
use crate::iam::{
    AccessKey, Caller, Principal, RoleRecord, SessionPrincipal, authorize, checked_name, facts_of,
    required, trusts,
};

/// Does one operation of STS. The result is to be wrapped by `wire::xml::query_response`.
///
/// # Errors
/// The documented refusals; `InvalidAction` for what is not served; `AccessDenied` if the caller may not.
pub async fn handle(
    context: &Context,
    caller: &Caller,
    action: &str,
    params: Params<'_>,
) -> Result<Option<Element>, ApiError> {
    match action {
        "GetCallerIdentity" => Ok(Some(caller_identity(context, caller))),
        "AssumeRole" => assume_role(context, caller, params).await.map(Some),
        "GetSessionToken" => session_token(context, caller, params).await.map(Some),
        unknown => Err(ApiError::unknown_action("STS", unknown)),
    }
}

/// No policy can deny this one.
fn caller_identity(context: &Context, caller: &Caller) -> Element {
    Element::new("result")
        .field("Arn", caller.principal.arn(&context.scope))
        .field("UserId", caller.principal.user_id(&context.scope))
        .field("Account", &context.scope.account)
}

async fn assume_role(
    context: &Context,
    caller: &Caller,
    params: Params<'_>,
) -> Result<Element, ApiError> {
    let arn = required(params, "RoleArn")?;
    let session = checked_name(params, "RoleSessionName", 64)?;
    if session.len() < 2 {
        return Err(invalid("RoleSessionName must have 2 to 64 characters"));
    }
    let policy = params.filled("Policy");
    if let Some(document) = policy {
        Policy::parse(document, PolicyKind::Identity)?;
    }
    let role = assumable(context, caller, arn, session, params).await?;
    let most = u64::from(role.session_seconds_max);
    let expires = expiry(context, params, 3600, most)?;
    let principal = Principal::Session(SessionPrincipal {
        role: role.name.clone(),
        role_id: role.id.clone(),
        session: session.to_owned(),
        instance: None,
        policy: policy.map(str::to_owned),
    });
    let key = context.keyring.issue(&principal, context.now, expires).await?;
    let user = Element::new("AssumedRoleUser")
        .field("AssumedRoleId", principal.user_id(&context.scope))
        .field("Arn", principal.arn(&context.scope));
    Ok(Element::new("result").child(credentials(&key, expires)).child(user))
}

/// The role, if the caller may assume it: its trust policy must name the caller; if it names only the account, the
/// caller's own policies must allow it too. What does not exist is denied in the same words.
async fn assumable(
    context: &Context,
    caller: &Caller,
    arn: &str,
    session: &str,
    params: Params<'_>,
) -> Result<RoleRecord, ApiError> {
    let denied = || {
        let caller = caller.principal.arn(&context.scope);
        let message = format!(
            "User: {caller} is not authorized to perform: sts:AssumeRole on resource: {arn}"
        );
        ApiError::new(403, "AccessDenied", message)
    };
    let name = arn.rsplit('/').next().unwrap_or_default();
    let found = context.records.get::<RoleRecord>(name).await?.map(|kept| kept.record);
    let role = found.filter(|role| role.arn(&context.scope) == arn).ok_or_else(denied)?;
    let mut facts = Facts::default().with("sts:RoleSessionName", session);
    if let Some(id) = params.filled("ExternalId") {
        facts = facts.with("sts:ExternalId", id);
    }
    let known = facts_of(caller, &context.scope, context.now, facts.clone());
    if trusts(&role.trust, "sts:AssumeRole", &known) != Verdict::Allow {
        return Err(denied());
    }
    // Asked without its account, the trust policy shows whether it means this caller in particular.
    let as_stranger = known.without("aws:PrincipalAccount");
    if trusts(&role.trust, "sts:AssumeRole", &as_stranger) != Verdict::Allow {
        authorize(context, caller, "sts:AssumeRole", arn, facts).await?;
    }
    Ok(role)
}

async fn session_token(
    context: &Context,
    caller: &Caller,
    params: Params<'_>,
) -> Result<Element, ApiError> {
    if matches!(caller.principal, Principal::Session(_)) {
        let message = "Cannot call GetSessionToken with session credentials";
        return Err(ApiError::new(403, "AccessDenied", message));
    }
    let expires = expiry(context, params, 43_200, 129_600)?;
    let key = context.keyring.issue(&caller.principal, context.now, expires).await?;
    Ok(Element::new("result").child(credentials(&key, expires)))
}

fn expiry(
    context: &Context,
    params: Params<'_>,
    default: u64,
    most: u64,
) -> Result<Timestamp, ApiError> {
    let seconds = params.number::<u64>("DurationSeconds")?.unwrap_or(default);
    if seconds < 900 {
        return Err(invalid("DurationSeconds must be at least 900"));
    }
    if seconds > most {
        return Err(invalid(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        ));
    }
    Ok(context.now + Duration::from_secs(seconds))
}

fn credentials(key: &AccessKey, expires: Timestamp) -> Element {
    Element::new("Credentials")
        .field("AccessKeyId", &key.id)
        .field("SecretAccessKey", &key.secret)
        .optional("SessionToken", key.session_token.as_ref())
        .field("Expiration", iso(expires))
}

fn invalid(message: &str) -> ApiError {
    ApiError::client("ValidationError", message)
}
