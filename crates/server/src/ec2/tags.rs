//! Tags of instances, key pairs and security groups.

use wire::xml::{Element, ec2_true};

use super::filters::{Filters, page};
use super::groups;
use super::instances;
use super::keys;
use super::records::{InstanceRecord, KeyPairRecord, SecurityGroupRecord, Tags, region_prefix};
use super::refuse;
use crate::forms::records::{Kept, RecordError, Records};
use crate::forms::{ApiError, Context, Params};

/// Source: EC2 user guide, "Tag restrictions".
const TAGS_MAX: usize = 50;

/// The tags under `name`, checked.
pub(super) fn read(params: Params<'_>, name: &str) -> Result<Tags, ApiError> {
    let mut tags = Tags::new();
    for tag in params.list(name) {
        let key = tag.text("Key").ok_or_else(|| refuse::missing("Tag.Key"))?;
        let value = tag.text("Value").unwrap_or_default();
        if key.is_empty() || key.chars().count() > 127 {
            return Err(refuse::invalid_value(
                "Tag key exceeds the maximum length of 127 characters, or is empty",
            ));
        }
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(refuse::invalid_value(format!(
                "Tag keys starting with 'aws:' are reserved for internal use: {key}"
            )));
        }
        if value.chars().count() > 255 {
            return Err(refuse::invalid_value(
                "Tag value exceeds the maximum length of 255 characters",
            ));
        }
        if tags.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err(refuse::invalid_value(format!("Duplicate tag key '{key}' specified.")));
        }
    }
    Ok(tags)
}

/// The tags that a call gives a new resource of that kind, by `TagSpecification.N`.
pub(super) fn specified(params: Params<'_>, kind: &str) -> Result<Tags, ApiError> {
    let mut tags = Tags::new();
    for specification in params.list("TagSpecification") {
        if specification.text("ResourceType") == Some(kind) {
            tags.extend(read(specification, "Tag")?);
        }
    }
    check_count(&tags)?;
    Ok(tags)
}

fn check_count(tags: &Tags) -> Result<(), ApiError> {
    if tags.len() <= TAGS_MAX {
        return Ok(());
    }
    let message = format!("A resource may have at most {TAGS_MAX} tags");
    Err(ApiError::client("TagLimitExceeded", message))
}

/// A resource that has tags.
enum Tagged {
    Instance(Box<Kept<InstanceRecord>>),
    KeyPair(Kept<KeyPairRecord>),
    Group(Kept<SecurityGroupRecord>),
}

impl Tagged {
    async fn find(context: &Context, id: &str) -> Result<Self, ApiError> {
        match id.split_once('-').map(|(kind, _)| kind) {
            Some("i") => {
                instances::find(context, id).await.map(|kept| Self::Instance(Box::new(kept)))
            }
            Some("key") => keys::find_by_id(context, id).await.map(Self::KeyPair),
            Some("sg") => groups::find_by_id(context, id).await.map(Self::Group),
            Some(_) | None => Err(ApiError::client(
                "InvalidID",
                format!("The ID '{id}' is not that of an instance, a key pair or a security group"),
            )),
        }
    }

    fn tags(&mut self) -> &mut Tags {
        match self {
            Self::Instance(kept) => &mut kept.record.tags,
            Self::KeyPair(kept) => &mut kept.record.tags,
            Self::Group(kept) => &mut kept.record.tags,
        }
    }

    fn write(&self) -> Result<store::DocumentWrite, RecordError> {
        match self {
            Self::Instance(kept) => Records::replace(kept),
            Self::KeyPair(kept) => Records::replace(kept),
            Self::Group(kept) => Records::replace(kept),
        }
    }
}

pub(super) async fn create(context: &Context, params: Params<'_>) -> Result<Element, ApiError> {
    let given = read(params, "Tag")?;
    if given.is_empty() {
        return Err(refuse::missing("Tag"));
    }
    change(context, params, |tags| {
        tags.extend(given.clone());
        check_count(tags)
    })
    .await
}

/// A tag given with a value goes only if it has that value; without tags, all go.
pub(super) async fn delete(context: &Context, params: Params<'_>) -> Result<Element, ApiError> {
    let named: Vec<(&str, Option<&str>)> = params
        .list("Tag")
        .filter_map(|tag| tag.text("Key").map(|key| (key, tag.text("Value"))))
        .collect();
    change(context, params, |tags| {
        tags.retain(|key, value| {
            let is_meant = |(named, wanted): &(&str, Option<&str>)| {
                named == key && wanted.is_none_or(|wanted| wanted == value)
            };
            !named.is_empty() && !named.iter().any(is_meant)
        });
        Ok(())
    })
    .await
}

/// Changes the tags of all named resources, or of none.
async fn change(
    context: &Context,
    params: Params<'_>,
    change: impl Fn(&mut Tags) -> Result<(), ApiError>,
) -> Result<Element, ApiError> {
    let mut ids = params.texts("ResourceId");
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Err(refuse::missing("ResourceId"));
    }
    // The performer writes instances too: look again a few times before giving up.
    for _ in 0..20 {
        let mut writes = Vec::new();
        for id in &ids {
            let mut resource = Tagged::find(context, id).await?;
            change(resource.tags())?;
            writes.push(resource.write()?);
        }
        match context.records.write(writes).await {
            Ok(()) => return Ok(ec2_true()),
            Err(RecordError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(refuse::concurrent())
}

pub(super) async fn describe(context: &Context, params: Params<'_>) -> Result<Element, ApiError> {
    let filters = Filters::read(params)?;
    filters.check(|name| values("", "", "", "", name))?;
    let prefix = region_prefix(&context.scope.region);
    let mut found: Vec<(String, &'static str, Tags)> = Vec::new();
    for kept in context.records.list::<InstanceRecord>(&prefix).await? {
        found.push((kept.record.id, "instance", kept.record.tags));
    }
    for kept in context.records.list::<KeyPairRecord>(&prefix).await? {
        found.push((kept.record.id, "key-pair", kept.record.tags));
    }
    for kept in context.records.list::<SecurityGroupRecord>(&prefix).await? {
        found.push((kept.record.id, "security-group", kept.record.tags));
    }
    let mut items = Vec::new();
    for (id, kind, tags) in &found {
        for (key, value) in tags {
            let own = [(key.clone(), value.clone())].into();
            if filters.match_all(&own, |name| values(id, kind, key, value, name))? {
                let element = Element::new("item")
                    .field("resourceId", id)
                    .field("resourceType", kind)
                    .field("key", key)
                    .field("value", value);
                items.push((format!("{id}/{key}"), element));
            }
        }
    }
    page(params, "tagSet", items)
}

fn values(id: &str, kind: &str, key: &str, value: &str, name: &str) -> Option<Vec<String>> {
    let text = match name {
        "resource-id" => id,
        "resource-type" => kind,
        "key" => key,
        "value" => value,
        _ => return None,
    };
    Some(vec![text.to_owned()])
}

/// Tags in an answer.
pub(super) fn element(tags: &Tags) -> Element {
    let tags =
        tags.iter().map(|(key, value)| Element::new("x").field("key", key).field("value", value));
    Element::list("tagSet", "item", tags)
}
