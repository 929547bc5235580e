//! Instance profiles of instances.

use wire::xml::Element;

use super::filters::{Filters, page};
use super::ids;
use super::instances;
use super::records::{InstanceRecord, ProfileLink, Tags};
use super::refuse;
use crate::forms::{ApiError, Context, Params};
use crate::iam::ProfileRecord;

/// The instance profile that `.Name` or `.Arn` names.
pub(super) async fn link(context: &Context, params: Params<'_>) -> Result<ProfileLink, ApiError> {
    let (given, parameter, name) = match (params.filled("Arn"), params.filled("Name")) {
        (Some(_), Some(_)) => {
            return Err(refuse::invalid_combination(
                "The parameter 'iamInstanceProfile.name' may not be used in combination with 'iamInstanceProfile.arn'",
            ));
        }
        (Some(arn), None) => {
            (arn, "iamInstanceProfile.arn", arn.rsplit('/').next().unwrap_or_default())
        }
        (None, Some(name)) => (name, "iamInstanceProfile.name", name),
        (None, None) => return Err(refuse::missing("IamInstanceProfile.Name")),
    };
    let found = context.records.get::<ProfileRecord>(name).await?.map(|kept| kept.record);
    let fits = |profile: &ProfileRecord| {
        parameter == "iamInstanceProfile.name" || profile.arn(&context.scope) == given
    };
    let profile = found.filter(fits).ok_or_else(|| {
        refuse::invalid_value(format!(
            "Value ({given}) for parameter {parameter} is invalid. Invalid IAM Instance Profile name"
        ))
    })?;
    Ok(ProfileLink {
        association: ids::drawn("iip-assoc"),
        arn: profile.arn(&context.scope),
        name: profile.name,
        id: profile.id,
    })
}

/// The same profile for one more instance.
pub(super) fn associated(link: ProfileLink) -> ProfileLink {
    ProfileLink { association: ids::drawn("iip-assoc"), ..link }
}

pub(super) async fn associate(context: &Context, params: Params<'_>) -> Result<Element, ApiError> {
    let id = params.filled("InstanceId").ok_or_else(|| refuse::missing("InstanceId"))?;
    let profile =
        params.child("IamInstanceProfile").ok_or_else(|| refuse::missing("IamInstanceProfile"))?;
    let link = link(context, profile).await?;
    let instance = instances::change(context, id, |instance| {
        if instance.profile.is_some() {
            return Err(ApiError::client(
                "IncorrectState",
                format!("There is an existing association for instance {id}"),
            ));
        }
        instance.profile = Some(link.clone());
        Ok(())
    })
    .await?;
    answer(&instance, &link, "associating")
}

pub(super) async fn disassociate(
    context: &Context,
    params: Params<'_>,
) -> Result<Element, ApiError> {
    let association = association_id(params)?;
    let (id, link) = find(context, association).await?;
    let instance = instances::change(context, &id, |instance| {
        instance.profile = None;
        Ok(())
    })
    .await?;
    answer(&instance, &link, "disassociating")
}

pub(super) async fn replace(context: &Context, params: Params<'_>) -> Result<Element, ApiError> {
    let association = association_id(params)?;
    let profile =
        params.child("IamInstanceProfile").ok_or_else(|| refuse::missing("IamInstanceProfile"))?;
    let link = link(context, profile).await?;
    let (id, _) = find(context, association).await?;
    let instance = instances::change(context, &id, |instance| {
        instance.profile = Some(link.clone());
        Ok(())
    })
    .await?;
    answer(&instance, &link, "associating")
}

fn association_id(params: Params<'_>) -> Result<&str, ApiError> {
    params.filled("AssociationId").ok_or_else(|| refuse::missing("AssociationId"))
}

async fn find(context: &Context, association: &str) -> Result<(String, ProfileLink), ApiError> {
    let instances = instances::list(&context.records, &context.scope.region).await?;
    let found = instances.into_iter().find_map(|instance| {
        let link = instance.profile.filter(|link| link.association == association)?;
        Some((instance.id, link))
    });
    found.ok_or_else(|| {
        let message = format!("An invalid association-id of '{association}' was given");
        ApiError::client("NoSuchAssociation", message)
    })
}

pub(super) async fn describe(context: &Context, params: Params<'_>) -> Result<Element, ApiError> {
    let filters = Filters::read(params)?;
    let wanted = params.texts("AssociationId");
    let mut items = Vec::new();
    for instance in instances::list(&context.records, &context.scope.region).await? {
        let Some(link) = &instance.profile else { continue };
        if instance.is_given_up() {
            continue;
        }
        let values = |name: &str| {
            Some(vec![match name {
                "instance-id" => instance.id.clone(),
                "state" => "associated".to_owned(),
                _ => return None,
            }])
        };
        let asked_for = wanted.is_empty() || wanted.contains(&link.association.as_str());
        if filters.match_all(&Tags::new(), values)? && asked_for {
            items.push((link.association.clone(), element(&instance, link, "associated")));
        }
    }
    page(params, "iamInstanceProfileAssociationSet", items)
}

fn answer(
    instance: &InstanceRecord,
    link: &ProfileLink,
    state: &'static str,
) -> Result<Element, ApiError> {
    let element = element(instance, link, state).renamed("iamInstanceProfileAssociation");
    Ok(Element::new("answer").child(element))
}

fn element(instance: &InstanceRecord, link: &ProfileLink, state: &'static str) -> Element {
    Element::new("item")
        .field("associationId", &link.association)
        .field("instanceId", &instance.id)
        .child(Element::new("iamInstanceProfile").field("arn", &link.arn).field("id", &link.id))
        .field("state", state)
}
