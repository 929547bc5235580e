//! Tags of applications, groups and configurations. They belong to the thing's id, so they follow it when it is
//! renamed.

use std::collections::BTreeMap;

use model::{DeploymentGroupId, QueuePolicy};
use store::{Document, Expected};
use wire::codedeploy::{
    ListTagsForResourceInput, ListTagsForResourceOutput, Tag, TagResourceInput, TagResourceOutput,
    UntagResourceInput, UntagResourceOutput,
};
use wire::{ErrorCode, ServiceError};

use super::{Answer, App, Call, Failure, configs, rules};

/// The kind of the documents that hold a thing's tags, by its id.
const KIND: &str = "codedeploy.tags";

/// Tags of one thing. Source: tagging limits of AWS services.
const TAGS_MAX: usize = 50;
const KEY_MAX: usize = 128;
const VALUE_MAX: usize = 256;

/// The tag of a deployment group that lets further deployments wait.
pub const QUEUE_TAG: &str = "longshore:queue";

/// Tags by key.
pub type TagMap = BTreeMap<String, String>;

/// Takes tags that a caller gave. Source: CodeDeploy API reference, `InvalidTagsToAddException`.
pub fn parse(tags: Vec<Tag>) -> Result<TagMap, ServiceError> {
    let mut map = TagMap::new();
    for tag in tags {
        let key = tag.key.unwrap_or_default();
        let value = tag.value.unwrap_or_default();
        if !(1..=KEY_MAX).contains(&key.chars().count()) || value.chars().count() > VALUE_MAX {
            return Err(invalid(format!(
                "The tag '{}' is not valid: keys have 1 to {KEY_MAX} characters, values up to {VALUE_MAX}",
                key.chars().take(KEY_MAX).collect::<String>()
            )));
        }
        if key.starts_with("aws:") {
            return Err(invalid(format!(
                "The tag key '{key}' begins with aws:, which is reserved"
            )));
        }
        if key == QUEUE_TAG && QueuePolicy::from_name(&value).is_none() {
            let policies = QueuePolicy::ALL.map(QueuePolicy::name).join(", ");
            return Err(invalid(format!(
                "The tag {QUEUE_TAG} is one of {policies}, not '{value}'"
            )));
        }
        map.insert(key, value);
    }
    if map.len() > TAGS_MAX {
        return Err(invalid(format!(
            "There are {} tags; at most {TAGS_MAX} are allowed",
            map.len()
        )));
    }
    Ok(map)
}

fn invalid(message: String) -> ServiceError {
    ServiceError::new(ErrorCode::InvalidTagsToAdd, message)
}

/// The thing that an ARN names.
#[derive(Debug, PartialEq, Eq)]
enum Resource {
    Application(String),
    Group(String, String),
    Config(String),
}

/// Reads the ARN of something that may have tags.
fn resource(call: &Call, arn: &str) -> Result<Resource, ServiceError> {
    let parts: Vec<&str> = arn.splitn(7, ':').collect();
    let ["arn", _, "codedeploy", region, account, kind, name] = parts.as_slice() else {
        return Err(ServiceError::new(
            ErrorCode::InvalidArn,
            format!("The ARN {arn} is not valid"),
        ));
    };
    if *region != call.scope.region || *account != call.scope.account {
        return Err(ServiceError::new(
            ErrorCode::InvalidArn,
            format!("The ARN {arn} is of another account or region"),
        ));
    }
    match (*kind, name.split_once('/')) {
        ("application", None) => Ok(Resource::Application((*name).to_owned())),
        ("deploymentgroup", Some((application, group))) => {
            Ok(Resource::Group(application.to_owned(), group.to_owned()))
        }
        ("deploymentconfig", None) => Ok(Resource::Config((*name).to_owned())),
        _ => Err(ServiceError::new(
            ErrorCode::ArnNotSupported,
            format!("The ARN {arn} is of a kind of thing that has no tags here"),
        )),
    }
}

impl App {
    /// Adds tags, or overwrites them.
    pub async fn tag_resource(
        &self,
        call: &Call,
        input: TagResourceInput,
    ) -> Answer<TagResourceOutput> {
        let arn = rules::required(input.resource_arn, ErrorCode::ResourceArnRequired)?;
        let resource = resource(call, &arn)?;
        let new = parse(input.tags.unwrap_or_default())?;
        let id = self.tagged(call, resource).await?;
        self.change_tags(&id, |tags| tags.extend(new.clone())).await?;
        Ok(TagResourceOutput {})
    }

    /// Removes tags; those that are not there are no matter.
    pub async fn untag_resource(
        &self,
        call: &Call,
        input: UntagResourceInput,
    ) -> Answer<UntagResourceOutput> {
        let arn = rules::required(input.resource_arn, ErrorCode::ResourceArnRequired)?;
        let resource = resource(call, &arn)?;
        let keys = input.tag_keys.unwrap_or_default();
        let id = self.tagged(call, resource).await?;
        self.change_tags(&id, |tags| tags.retain(|key, _| !keys.contains(key))).await?;
        Ok(UntagResourceOutput {})
    }

    /// The tags of a thing; none if there is no such thing, as declared.
    pub async fn list_tags_for_resource(
        &self,
        call: &Call,
        input: ListTagsForResourceInput,
    ) -> Answer<ListTagsForResourceOutput> {
        let arn = rules::required(input.resource_arn, ErrorCode::ResourceArnRequired)?;
        let resource = resource(call, &arn)?;
        let tags = match self.tagged(call, resource).await {
            Ok(id) => self.kept_tags(&id).await?.map(|kept| kept.value).unwrap_or_default(),
            Err(Failure::Refused(_)) => TagMap::new(),
            Err(failure) => return Err(failure),
        };
        let tags = tags.into_iter().map(|(key, value)| Tag { key: Some(key), value: Some(value) });
        Ok(ListTagsForResourceOutput { tags: Some(tags.collect()), next_token: None })
    }

    /// How further deployments to a group wait; none: they are refused.
    pub(super) async fn queue_policy(&self, id: &DeploymentGroupId) -> Answer<Option<QueuePolicy>> {
        let tags = self.kept_tags(id.as_str()).await?;
        let value = tags.and_then(|tags| tags.value.get(QUEUE_TAG).cloned());
        Ok(value.and_then(|name| QueuePolicy::from_name(&name)))
    }

    /// Gives a new thing its tags.
    pub(super) async fn put_tags(&self, id: &str, tags: &TagMap) -> Answer<()> {
        if !tags.is_empty() {
            self.store.put_document(KIND, id, Expected::Any, tags).await?;
        }
        Ok(())
    }

    /// Forgets the tags of a thing that is gone.
    pub(super) async fn forget_tags(&self, id: &str) -> Answer<()> {
        self.store.delete_document(KIND, id, Expected::Any).await?;
        Ok(())
    }

    async fn tagged(&self, call: &Call, resource: Resource) -> Answer<String> {
        match resource {
            Resource::Application(name) => {
                Ok(self.application(call, Some(name)).await?.id.to_string())
            }
            Resource::Group(application, group) => {
                let (_, group) = self.group(call, Some(application), Some(group)).await?;
                Ok(group.id.to_string())
            }
            Resource::Config(name) => {
                let name = configs::config_name(Some(name))?;
                let found = self.store.config(&call.scope.region, &name).await?;
                Ok(found.ok_or_else(|| configs::unknown(&name))?.id)
            }
        }
    }

    async fn kept_tags(&self, id: &str) -> Answer<Option<Document<TagMap>>> {
        Ok(self.store.document(KIND, id).await?)
    }

    async fn change_tags(&self, id: &str, change: impl Fn(&mut TagMap)) -> Answer<()> {
        loop {
            let kept = self.kept_tags(id).await?;
            let expected =
                kept.as_ref().map_or(Expected::Absent, |kept| Expected::Revision(kept.revision));
            let mut tags = kept.map(|kept| kept.value).unwrap_or_default();
            change(&mut tags);
            if tags.len() > TAGS_MAX {
                return Err(invalid(format!(
                    "There would be {} tags; at most {TAGS_MAX} are allowed",
                    tags.len()
                ))
                .into());
            }
            if self.store.put_document(KIND, id, expected, &tags).await? {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use model::Timestamp;
    use model::arn::Scope;

    use super::*;
    use crate::iam::{Caller, Principal};

    fn call() -> Call {
        Call {
            caller: Caller { principal: Principal::Root, access_key: "AKIA".into(), source: None },
            scope: Scope { account: "123456789012".into(), region: "us-east-1".into() },
            now: Timestamp::from_millis(0),
        }
    }

    #[test]
    fn arns_name_applications_and_groups() {
        let read = |tail: &str| {
            resource(&call(), &format!("arn:aws:codedeploy:us-east-1:123456789012:{tail}"))
                .map_err(|error| error.code)
        };
        assert_eq!(read("application:Shop"), Ok(Resource::Application("Shop".into())));
        assert_eq!(
            read("deploymentgroup:Shop/Prod"),
            Ok(Resource::Group("Shop".into(), "Prod".into()))
        );
        assert_eq!(read("deploymentconfig:Slow"), Ok(Resource::Config("Slow".into())));
        assert_eq!(read("instance:web"), Err(ErrorCode::ArnNotSupported));
        assert_eq!(read("application/Shop"), Err(ErrorCode::InvalidArn));
        let abroad = "arn:aws:codedeploy:eu-west-1:123456789012:application:Shop";
        assert_eq!(resource(&call(), abroad).unwrap_err().code, ErrorCode::InvalidArn);
    }

    #[test]
    fn tags_have_limits_and_an_absent_value_is_empty() {
        let tag = |key: &str, value: Option<&str>| Tag {
            key: Some(key.into()),
            value: value.map(Into::into),
        };
        let tags = parse(vec![tag("a", None), tag("b", Some("c"))]).unwrap();
        assert_eq!(tags.get("a").map(String::as_str), Some(""));
        assert!(parse(vec![tag("longshore:queue", Some("replace-pending"))]).is_ok());
        let queue = tag("longshore:queue", Some("lifo"));
        for wrong in [queue, tag("", Some("x")), tag("aws:x", None), tag(&"k".repeat(129), None)] {
            assert_eq!(parse(vec![wrong]).unwrap_err().code, ErrorCode::InvalidTagsToAdd);
        }
    }
}
