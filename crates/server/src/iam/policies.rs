//! Managed policies: AWS's, which are there from the start, and the account's own with their versions.

use wire::xml::Element;

use super::Answer;
use super::checks::{
    already_exists, delete_conflict, document, encoded, limit_exceeded, name, page, path, required,
    tags, tags_element,
};
use super::ids::{self, IdPrefix};
use super::permissions::no_policy;
use super::policy::PolicyKind;
use super::policy::managed::{self, ManagedPolicy};
use super::records::{PolicyRecord, PolicyVersion, RoleRecord, UserRecord, attachment_term};
use crate::forms::records::{Kept, RecordError, Records};
use crate::forms::{ApiError, Context, Params, iso_ms};

/// Source: IAM quotas.
const VERSIONS_MAX: usize = 5;

/// When AWS's own policies pretend to have been made: 2015-02-06, as most of them were.
const MANAGED_SINCE_MS: i64 = 1_423_247_000_000;

pub(super) async fn create(context: &Context, params: Params<'_>) -> Answer {
    let name = name(params, "PolicyName", 128)?.to_owned();
    let path = path(params)?;
    let document = document(params, "PolicyDocument", PolicyKind::Identity)?.to_owned();
    let now = context.now.as_millis();
    let policy = PolicyRecord {
        arn: format!("arn:aws:iam::{}:policy{path}{name}", context.scope.account),
        name,
        path,
        id: ids::unique(IdPrefix::Policy),
        description: params.filled("Description").map(str::to_owned),
        created_ms: now,
        updated_ms: now,
        tags: tags(params)?,
        versions: vec![PolicyVersion { number: 1, document, created_ms: now }],
        default_version: 1,
        next_version: 2,
    };
    match context.records.write(vec![Records::create(&policy)?]).await {
        Ok(()) => Ok(Some(Element::new("result").child(element(&policy, 0)))),
        Err(RecordError::Conflict) => Err(already_exists("A policy called", &policy.name)),
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn get(context: &Context, params: Params<'_>) -> Answer {
    let arn = required(params, "PolicyArn")?;
    let attached = attachments(context, arn).await?;
    let element = match managed::find(arn) {
        Some(policy) => managed_element(policy, attached),
        None => element(&find(context, arn).await?.record, attached),
    };
    Ok(Some(Element::new("result").child(element)))
}

pub(super) async fn list(context: &Context, params: Params<'_>) -> Answer {
    let scope = params.filled("Scope").unwrap_or("All");
    let only_attached = params.flag("OnlyAttached")?;
    let prefix = params.filled("PathPrefix").unwrap_or("/");
    let mut items = Vec::new();
    if scope != "AWS" {
        for kept in context.records.list::<PolicyRecord>("").await? {
            let attached = attachments(context, &kept.record.arn).await?;
            if kept.record.path.starts_with(prefix) && (attached > 0 || !only_attached) {
                items.push((kept.record.arn.clone(), element(&kept.record, attached)));
            }
        }
    }
    if scope != "Local" {
        for policy in managed::ALL.iter().filter(|policy| policy.path.starts_with(prefix)) {
            let attached = attachments(context, &policy.arn()).await?;
            if attached > 0 || !only_attached {
                items.push((policy.arn(), managed_element(policy, attached)));
            }
        }
    }
    page(params, "Policies", items).map(Some)
}

pub(super) async fn delete(context: &Context, params: Params<'_>) -> Answer {
    let arn = required(params, "PolicyArn")?;
    let policy = find(context, arn).await?;
    if attachments(context, arn).await? > 0 {
        return Err(delete_conflict("detach the policy from all users and roles"));
    }
    if policy.record.versions.len() > 1 {
        return Err(delete_conflict("delete all versions but the default one"));
    }
    match context.records.write(vec![Records::remove(&policy)]).await {
        Ok(()) => Ok(None),
        Err(RecordError::Conflict) => Err(delete_conflict("wait until changes of it have ended")),
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn create_version(context: &Context, params: Params<'_>) -> Answer {
    let arn = required(params, "PolicyArn")?;
    let document = document(params, "PolicyDocument", PolicyKind::Identity)?;
    let make_default = params.flag("SetAsDefault")?;
    let now = context.now.as_millis();
    let made = context
        .records
        .update(arn, |policy: &mut PolicyRecord| {
            if policy.versions.len() >= VERSIONS_MAX {
                return Err(limit_exceeded("VersionsPerPolicy", VERSIONS_MAX));
            }
            let number = policy.next_version;
            let version = PolicyVersion { number, document: document.to_owned(), created_ms: now };
            policy.next_version += 1;
            policy.versions.push(version.clone());
            policy.updated_ms = now;
            if make_default {
                policy.default_version = number;
            }
            Ok(version_element(&version, make_default).renamed("PolicyVersion"))
        })
        .await?;
    let made = made.ok_or_else(|| no_policy(arn))?;
    Ok(Some(Element::new("result").child(made)))
}

pub(super) async fn get_version(context: &Context, params: Params<'_>) -> Answer {
    let arn = required(params, "PolicyArn")?;
    let wanted = required(params, "VersionId")?;
    let versions = versions(context, arn).await?;
    let found = versions.into_iter().find(|(version, _)| id_of(version) == wanted);
    let Some((version, is_default)) = found else {
        let message = format!("Policy {arn} version {wanted} does not exist.");
        return Err(ApiError::new(404, "NoSuchEntity", message));
    };
    let element = version_element(&version, is_default).renamed("PolicyVersion");
    Ok(Some(Element::new("result").child(element)))
}

pub(super) async fn list_versions(context: &Context, params: Params<'_>) -> Answer {
    let versions = versions(context, required(params, "PolicyArn")?).await?;
    let items = versions
        .iter()
        .map(|(version, is_default)| (id_of(version), version_element(version, *is_default)));
    page(params, "Versions", items.collect()).map(Some)
}

pub(super) async fn delete_version(context: &Context, params: Params<'_>) -> Answer {
    let arn = required(params, "PolicyArn")?;
    let wanted = required(params, "VersionId")?;
    let deleted = context
        .records
        .update(arn, |policy: &mut PolicyRecord| {
            if wanted == format!("v{}", policy.default_version) {
                let message = "Cannot delete the default version of a policy.";
                return Err(ApiError::new(409, "DeleteConflict", message));
            }
            let before = policy.versions.len();
            policy.versions.retain(|version| id_of(version) != wanted);
            if policy.versions.len() < before { Ok(()) } else { Err(no_policy(arn)) }
        })
        .await?;
    deleted.ok_or_else(|| no_policy(arn))?;
    Ok(None)
}

/// How many users and roles have the policy attached.
async fn attachments(context: &Context, arn: &str) -> Result<usize, RecordError> {
    let term = attachment_term(arn);
    let roles = context.records.with_term::<RoleRecord>(&term).await?;
    let users = context.records.with_term::<UserRecord>(&term).await?;
    Ok(roles.len() + users.len())
}

async fn find(context: &Context, arn: &str) -> Result<Kept<PolicyRecord>, ApiError> {
    let found = context.records.get::<PolicyRecord>(arn).await?;
    found.ok_or_else(|| {
        let message = format!("Policy {arn} was not found.");
        ApiError::new(404, "NoSuchEntity", message)
    })
}

/// The versions of a policy, and of each whether it is in force.
async fn versions(context: &Context, arn: &str) -> Result<Vec<(PolicyVersion, bool)>, ApiError> {
    if let Some(policy) = managed::find(arn) {
        let document = policy.document();
        let only = PolicyVersion { number: 1, document, created_ms: MANAGED_SINCE_MS };
        return Ok(vec![(only, true)]);
    }
    let policy = find(context, arn).await?.record;
    let default = policy.default_version;
    Ok(policy.versions.into_iter().map(|v| (v.number == default, v)).map(|(d, v)| (v, d)).collect())
}

fn id_of(version: &PolicyVersion) -> String {
    format!("v{}", version.number)
}

fn version_element(version: &PolicyVersion, is_default: bool) -> Element {
    Element::new("member")
        .field("Document", encoded(&version.document))
        .field("VersionId", id_of(version))
        .field("IsDefaultVersion", is_default)
        .field("CreateDate", iso_ms(version.created_ms))
}

fn element(policy: &PolicyRecord, attached: usize) -> Element {
    let element = Element::new("Policy")
        .field("PolicyName", &policy.name)
        .field("PolicyId", &policy.id)
        .field("Arn", &policy.arn)
        .field("Path", &policy.path)
        .field("DefaultVersionId", format!("v{}", policy.default_version))
        .field("AttachmentCount", attached)
        .field("PermissionsBoundaryUsageCount", 0)
        .field("IsAttachable", true)
        .optional("Description", policy.description.as_ref())
        .field("CreateDate", iso_ms(policy.created_ms))
        .field("UpdateDate", iso_ms(policy.updated_ms));
    if policy.tags.is_empty() { element } else { element.child(tags_element(&policy.tags)) }
}

fn managed_element(policy: &ManagedPolicy, attached: usize) -> Element {
    Element::new("Policy")
        .field("PolicyName", policy.name)
        .field("PolicyId", policy.id)
        .field("Arn", policy.arn())
        .field("Path", policy.path)
        .field("DefaultVersionId", "v1")
        .field("AttachmentCount", attached)
        .field("PermissionsBoundaryUsageCount", 0)
        .field("IsAttachable", true)
        .field("CreateDate", iso_ms(MANAGED_SINCE_MS))
        .field("UpdateDate", iso_ms(MANAGED_SINCE_MS))
}
