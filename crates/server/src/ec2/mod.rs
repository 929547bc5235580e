//! EC2: instances, key pairs, security groups, tags, and as much of a network as its clients expect to find.
//!
//! Handlers write down what is wished for; the performer makes the machine's instances so. Resources live in the
//! region for which a request is signed. Start reading at [`handle`]; other parts of the server ask [`instances`].

pub mod instances;
mod power;
mod run;

mod attributes;
mod profiles;

mod groups;
mod key_material;
mod keys;
mod rules;
mod tags;

mod filters;
mod ids;
mod places;
mod records;
mod refuse;

pub use places::{IMAGE_BARE, IMAGE_WITH_AGENT};
pub use records::{Desired, InstanceRecord, ProfileLink, State, StateReason};

#[cfg(test)]
pub(crate) use records::Rule;
pub(crate) use records::{KeyPairRecord, Peer, SecurityGroupRecord, key};
pub(crate) use run::forget_tokens;

use wire::xml::Element;

use crate::forms::{ApiError, Context, Params};
use crate::iam::policy::Facts;
use crate::iam::{Caller, Principal, authorize};
use rules::Direction;

/// Does one operation of EC2. The answer is to be wrapped by `wire::xml::ec2_response`.
///
/// # Errors
/// The documented refusals; `InvalidAction` for what is not served; `UnauthorizedOperation` if the caller may not.
pub async fn handle(
    context: &Context,
    caller: &Caller,
    action: &str,
    params: Params<'_>,
) -> Result<Element, ApiError> {
    check_permission(context, caller, action, params).await?;
    if params.flag("DryRun").map_err(refuse::bad)? {
        return Err(refuse::dry_run());
    }
    match action {
        "RunInstances" => run::run(context, params).await,
        "DescribeInstances" => instances::describe(context, params).await,
        "DescribeInstanceStatus" => instances::describe_status(context, params).await,
        "StartInstances" => power::start(context, params).await,
        "StopInstances" => power::stop(context, params).await,
        "RebootInstances" => power::reboot(context, params).await,
        "TerminateInstances" => power::terminate(context, params).await,
        "DescribeInstanceAttribute" => attributes::describe(context, params).await,
        "ModifyInstanceAttribute" => attributes::modify(context, params).await,

        "AssociateIamInstanceProfile" => profiles::associate(context, params).await,
        "DisassociateIamInstanceProfile" => profiles::disassociate(context, params).await,
        "ReplaceIamInstanceProfileAssociation" => profiles::replace(context, params).await,
        "DescribeIamInstanceProfileAssociations" => profiles::describe(context, params).await,

        "CreateTags" => tags::create(context, params).await,
        "DeleteTags" => tags::delete(context, params).await,
        "DescribeTags" => tags::describe(context, params).await,

        "CreateKeyPair" => keys::create(context, params).await,
        "ImportKeyPair" => keys::import(context, params).await,
        "DescribeKeyPairs" => keys::describe(context, params).await,
        "DeleteKeyPair" => keys::delete(context, params).await,

        "CreateSecurityGroup" => groups::create(context, params).await,
        "DeleteSecurityGroup" => groups::delete(context, params).await,
        "DescribeSecurityGroups" => groups::describe(context, params).await,
        "DescribeSecurityGroupRules" => rules::describe(context, params).await,
        "AuthorizeSecurityGroupIngress" => {
            rules::authorize(context, params, Direction::Ingress).await
        }
        "AuthorizeSecurityGroupEgress" => {
            rules::authorize(context, params, Direction::Egress).await
        }
        "RevokeSecurityGroupIngress" => rules::revoke(context, params, Direction::Ingress).await,
        "RevokeSecurityGroupEgress" => rules::revoke(context, params, Direction::Egress).await,

        "DescribeImages" => places::describe_images(context, params),
        "DescribeAvailabilityZones" => places::describe_zones(context, params),
        "DescribeRegions" => places::describe_regions(context, params),
        "DescribeVpcs" => places::describe_vpcs(context, params),
        "DescribeSubnets" => places::describe_subnets(context, params),
        "DescribeInstanceTypes" => places::describe_types(params),

        unknown => Err(ApiError::unknown_action("EC2", unknown)),
    }
}

/// Reading is about `*`, everything else about each instance that is named; who hands a role to an instance must be
/// allowed to pass it. Source: service authorization reference, "Amazon EC2".
async fn check_permission(
    context: &Context,
    caller: &Caller,
    action: &str,
    params: Params<'_>,
) -> Result<(), ApiError> {
    if caller.principal == Principal::Root {
        return Ok(());
    }
    let name = format!("ec2:{action}");
    let arn = |id: &str| format!("{}{id}", resource_prefix(context, id));
    let mut resources: Vec<String> = match action {
        describe if describe.starts_with("Describe") => Vec::new(),
        "CreateTags" | "DeleteTags" => params.texts("ResourceId").into_iter().map(arn).collect(),
        "RunInstances" => vec![format!("{}*", resource_prefix(context, "i-"))],
        _ => params.texts("InstanceId").into_iter().map(arn).collect(),
    };
    if resources.is_empty() {
        resources.push("*".to_owned());
    }
    for resource in resources {
        let allowed = authorize(context, caller, &name, &resource, Facts::default()).await;
        allowed.map_err(refuse::denied)?;
    }
    match params.child("IamInstanceProfile") {
        Some(profile) => check_pass_role(context, caller, profile).await,
        None => Ok(()),
    }
}

fn resource_prefix(context: &Context, id: &str) -> String {
    let kind = match id.split_once('-').map(|(kind, _)| kind) {
        Some("i") => "instance",
        Some("key") => "key-pair",
        Some("sg") => "security-group",
        Some(other) => other,
        None => "resource",
    };
    format!("arn:aws:ec2:{}:{}:{kind}/", context.scope.region, context.scope.account)
}

async fn check_pass_role(
    context: &Context,
    caller: &Caller,
    profile: Params<'_>,
) -> Result<(), ApiError> {
    let given = profile.filled("Name").or_else(|| profile.filled("Arn")).unwrap_or_default();
    let name = given.rsplit('/').next().unwrap_or_default();
    let found = context.records.get::<crate::iam::ProfileRecord>(name).await?;
    let Some(role) = found.and_then(|kept| kept.record.role) else { return Ok(()) };
    let Some(role) = context.records.get::<crate::iam::RoleRecord>(&role).await? else {
        return Ok(());
    };
    let facts = Facts::default().with("iam:PassedToService", "ec2.amazonaws.com");
    let arn = role.record.arn(&context.scope);
    authorize(context, caller, "iam:PassRole", &arn, facts).await.map_err(refuse::denied)
}
