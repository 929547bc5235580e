//! Who may do what: the caller's policies, brought together and asked.
//!
//! Source: IAM user guide, "Policy evaluation logic", within one account.

use model::Timestamp;
use model::arn::Scope;

use super::policy::{Facts, Policy, PolicyKind, Request, Verdict, managed, verdict_of};
use super::principal::{Caller, Principal};
use super::records::{Permissions, PolicyRecord, RoleRecord, UserRecord, user_key};
use crate::forms::records::{RecordError, Records};
use crate::forms::{ApiError, Context, iso};

/// The caller may not; the text is what AWS says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "User: {caller} is not authorized to perform: {action} on resource: {resource} {}",
    reason(*.explicit, action)
)]
pub struct Denied {
    /// The caller's ARN.
    pub caller: String,
    /// What it wanted to do.
    pub action: String,
    /// On what.
    pub resource: String,
    /// Whether a policy says no; otherwise none says yes.
    pub explicit: bool,
}

fn reason(explicit: bool, action: &str) -> String {
    if explicit {
        "with an explicit deny in an identity-based policy".to_owned()
    } else {
        format!("because no identity-based policy allows the {action} action")
    }
}

/// Why a caller was not let through.
#[derive(Debug, thiserror::Error)]
pub enum AuthorizeError {
    /// It may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// Whether it may could not be found out.
    #[error("the caller's policies cannot be read")]
    Unknown(#[from] RecordError),
}

/// For the query services; EC2 and the JSON services have other names for a denial.
impl From<AuthorizeError> for ApiError {
    fn from(error: AuthorizeError) -> Self {
        match error {
            AuthorizeError::Denied(denied) => Self::new(403, "AccessDenied", denied.to_string()),
            AuthorizeError::Unknown(error) => Self::internal(error),
        }
    }
}

/// Lets the caller through if it may do `action` on `resource` (an ARN, or `*`). `facts` are the values of condition
/// keys that the operation knows; those about the caller and the time are added.
///
/// # Errors
/// No policy allows it, or one denies it; or the policies cannot be read.
pub async fn authorize(
    context: &Context,
    caller: &Caller,
    action: &str,
    resource: &str,
    facts: Facts,
) -> Result<(), AuthorizeError> {
    if caller.principal == Principal::Root {
        return Ok(());
    }
    let facts = facts_of(caller, &context.scope, context.now, facts);
    let request = Request { action, resource, facts: &facts };
    let verdict = identity_verdict(&context.records, &caller.principal, &request).await?;
    if verdict == Verdict::Allow {
        return Ok(());
    }
    Err(AuthorizeError::Denied(Denied {
        caller: caller.principal.arn(&context.scope),
        action: action.to_owned(),
        resource: resource.to_owned(),
        explicit: verdict == Verdict::Deny,
    }))
}

/// What a role's trust policy says to whoever `facts` tell of.
pub(crate) fn trusts(trust: &str, action: &str, facts: &Facts) -> Verdict {
    match Policy::parse(trust, PolicyKind::Trust) {
        Ok(policy) => policy.verdict(&Request { action, resource: "*", facts }),
        // It was checked when it was given; if it cannot be read now, it trusts nobody.
        Err(_) => Verdict::Silent,
    }
}

/// `facts` with those about the caller, the time and the region.
pub fn facts_of(caller: &Caller, scope: &Scope, now: Timestamp, facts: Facts) -> Facts {
    let arn = caller.principal.arn(scope);
    let facts = facts
        .with("aws:userid", caller.principal.user_id(scope))
        .with("aws:PrincipalAccount", &scope.account)
        .with("aws:RequestedRegion", &scope.region)
        .with("aws:CurrentTime", iso(now))
        .with("aws:EpochTime", now.as_millis().div_euclid(1000).to_string());
    let facts = match &caller.principal {
        Principal::Root => facts.with("aws:PrincipalType", "Account").with("aws:PrincipalArn", arn),
        Principal::User(user) => facts
            .with("aws:PrincipalType", "User")
            .with("aws:username", &user.name)
            .with("aws:PrincipalArn", arn),
        Principal::Session(session) => facts
            .with("aws:PrincipalType", "AssumedRole")
            .with(
                "aws:PrincipalArn",
                format!("arn:aws:iam::{}:role/{}", scope.account, session.role),
            )
            .with(super::policy::SESSION_ARN, arn),
    };
    match caller.source {
        Some(address) => facts.with("aws:SourceIp", address.to_string()),
        None => facts,
    }
}

async fn identity_verdict(
    records: &Records,
    principal: &Principal,
    request: &Request<'_>,
) -> Result<Verdict, RecordError> {
    let (permissions, narrowing) = match principal {
        Principal::Root => return Ok(Verdict::Allow),
        Principal::User(user) => {
            let found = records.get::<UserRecord>(&user_key(&user.name)).await?;
            // Another user of the same name, made later, is somebody else.
            let same = found.map(|kept| kept.record).filter(|record| record.id == user.id);
            (same.map(|record| record.permissions), None)
        }
        Principal::Session(session) => {
            let found = records.get::<RoleRecord>(&session.role).await?;
            let same = found.map(|kept| kept.record).filter(|record| record.id == session.role_id);
            (same.map(|record| record.permissions), session.policy.as_deref())
        }
    };
    let policies = policies_of(records, &permissions.unwrap_or_default()).await?;
    let verdict = verdict_of(&policies, request);
    Ok(match narrowing {
        None => verdict,
        Some(document) => narrowed(verdict, document, request),
    })
}

/// A session policy allows nothing by itself, but what it does not allow is not allowed.
fn narrowed(verdict: Verdict, document: &str, request: &Request<'_>) -> Verdict {
    let session = Policy::parse(document, PolicyKind::Identity)
        .map_or(Verdict::Deny, |policy| policy.verdict(request));
    match (verdict, session) {
        (Verdict::Deny, _) | (_, Verdict::Deny) => Verdict::Deny,
        (Verdict::Allow, Verdict::Allow) => Verdict::Allow,
        (Verdict::Silent, _) | (_, Verdict::Silent) => Verdict::Silent,
    }
}

async fn policies_of(
    records: &Records,
    permissions: &Permissions,
) -> Result<Vec<Policy>, RecordError> {
    let mut documents: Vec<String> = permissions.inline.values().cloned().collect();
    for arn in &permissions.attached {
        if let Some(policy) = managed::find(arn) {
            documents.push(policy.document());
        } else if let Some(kept) = records.get::<PolicyRecord>(arn).await? {
            documents.extend(kept.record.document().map(str::to_owned));
        }
    }
    // They were checked when they were given; what cannot be read any more allows nothing.
    let parse = |document: &String| Policy::parse(document, PolicyKind::Identity).ok();
    Ok(documents.iter().filter_map(parse).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denial_says_who_what_and_why() {
        let denied = |explicit| {
            Denied { caller: "C".into(), action: "a:B".into(), resource: "R".into(), explicit }
                .to_string()
        };
        assert_eq!(
            denied(false),
            "User: C is not authorized to perform: a:B on resource: R because no identity-based policy allows the a:B action"
        );
        assert!(denied(true).ends_with("R with an explicit deny in an identity-based policy"));
    }

    #[test]
    fn a_session_policy_only_narrows() {
        let allow = r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;
        let facts = Facts::default();
        let check = |verdict, action, expected| {
            let request = Request { action, resource: "*", facts: &facts };
            assert_eq!(narrowed(verdict, allow, &request), expected, "{verdict:?} {action}");
        };
        check(Verdict::Allow, "s3:GetObject", Verdict::Allow);
        check(Verdict::Silent, "s3:GetObject", Verdict::Silent);
        check(Verdict::Deny, "s3:GetObject", Verdict::Deny);
        check(Verdict::Allow, "ec2:RunInstances", Verdict::Silent);
    }
}
