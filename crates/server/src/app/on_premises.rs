//! On-premises instances: the users' own hosts, each bound to one IAM identity.
//!
//! A registered instance is a document by region and name, and a second document claims its ARN, written in the same
//! transaction: that is what keeps an ARN from being bound twice, and what finds the instance when its agent calls.

use std::collections::BTreeMap;
use std::time::Duration;

use model::Timestamp;
use model::selection::{TagSelection, Tags};
use rand::Rng;
use serde::{Deserialize, Serialize};
use store::{Document, DocumentWrite, Expected, Store, StoreError, Transact};
use wire::codedeploy::{
    AddTagsToOnPremisesInstancesInput, BatchGetOnPremisesInstancesInput,
    BatchGetOnPremisesInstancesOutput, DeregisterOnPremisesInstanceInput,
    GetOnPremisesInstanceInput, GetOnPremisesInstanceOutput, InstanceInfo,
    ListOnPremisesInstancesInput, ListOnPremisesInstancesOutput, RegisterOnPremisesInstanceInput,
    RemoveTagsFromOnPremisesInstancesInput, Tag,
};
use wire::{ErrorCode, NoOutput, ServiceError};

use super::page::PAGE;
use super::target_info::time;
use super::{Answer, App, Call, Failure, rules, settings};

/// The kind of the documents that hold on-premises instances.
pub const KIND: &str = "codedeploy.on_premises_instance";
const CLAIM_KIND: &str = "codedeploy.on_premises_identity";

/// Tags of one instance. Source: CodeDeploy quotas.
const TAGS_MAX: usize = 10;
/// The tag that says in which zone an on-premises host is, for zonal configurations; without it, it is in none.
pub const ZONE_TAG: &str = "longshore:zone";

/// Instances of one call that changes tags.
const INSTANCES_MAX: usize = 100;
/// The reference says 25, the user guide 100.
const BATCH_MAX: usize = 100;

/// An on-premises instance as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnPremisesInstance {
    /// Unique in its region among the registered ones.
    pub name: String,
    /// Where it is registered.
    pub region: String,
    /// By whom its agent's calls are signed.
    pub identity: Identity,
    /// Made anew by each registration.
    pub arn: String,
    /// Milliseconds since the epoch.
    pub registered_ms: i64,
    /// When it was deregistered, if it was; then it is history and no host any more.
    pub deregistered_ms: Option<i64>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// The identity that an on-premises instance is bound to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Identity {
    /// The ARN of a user.
    User(String),
    /// The ARN of a session of a role.
    Session(String),
}

impl Identity {
    /// The ARN; also the identifier by which the host's agent polls.
    pub fn arn(&self) -> &str {
        match self {
            Self::User(arn) | Self::Session(arn) => arn,
        }
    }
}

impl OnPremisesInstance {
    /// Whether it is a host now.
    pub fn is_registered(&self) -> bool {
        self.deregistered_ms.is_none()
    }
}

/// Which instance an identity is bound to.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Claim {
    region: String,
    name: String,
}

fn key(region: &str, name: &str) -> String {
    format!("{region}/{name}")
}

/// The registered instance that is bound to the identity with this ARN.
///
/// # Errors
/// The store failed.
pub async fn bound_to(store: &Store, arn: &str) -> Result<Option<OnPremisesInstance>, StoreError> {
    let Some(claim) = store.document::<Claim>(CLAIM_KIND, arn).await? else { return Ok(None) };
    let key = key(&claim.value.region, &claim.value.name);
    let found = store.document::<OnPremisesInstance>(KIND, &key).await?.map(|found| found.value);
    Ok(found.filter(|found| found.is_registered() && found.identity.arn() == arn))
}

/// The registered instances of a region that `selection` selects.
///
/// # Errors
/// The store failed.
pub async fn selected(
    store: &Store,
    region: &str,
    selection: &TagSelection,
) -> Result<Vec<OnPremisesInstance>, StoreError> {
    if *selection == TagSelection::Nothing {
        return Ok(Vec::new());
    }
    let mut found = registered(store, region).await?;
    found.retain(|host| selection.selects(&host.tags));
    Ok(found)
}

/// The registered instances of a region.
///
/// # Errors
/// The store failed.
pub async fn registered(
    store: &Store,
    region: &str,
) -> Result<Vec<OnPremisesInstance>, StoreError> {
    let mut found = Vec::new();
    let (prefix, mut after) = (key(region, ""), None);
    loop {
        let page =
            store.documents::<OnPremisesInstance>(KIND, &prefix, after.as_deref(), 1000).await?;
        let hosts = page.items.into_iter().map(|item| item.value);
        found.extend(hosts.filter(OnPremisesInstance::is_registered));
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(found),
        }
    }
}

/// How long a deregistered instance can still be read.
const HISTORY: Duration = Duration::from_secs(30 * 24 * 3600);

/// Removes what was deregistered long ago.
///
/// # Errors
/// The store failed; what is left goes next time.
pub async fn forget_history(store: &Store, now: Timestamp) -> Result<(), StoreError> {
    let is_old = |instance: &OnPremisesInstance| {
        instance.deregistered_ms.is_some_and(|at| now.since(Timestamp::from_millis(at)) > HISTORY)
    };
    for kept in store.all_documents::<OnPremisesInstance>(KIND).await? {
        if is_old(&kept.value) {
            // Registered again meanwhile, it stays: then the revision is another one.
            store.delete_document(KIND, &kept.key, Expected::Revision(kept.revision)).await?;
        }
    }
    Ok(())
}

impl App {
    /// Registers an instance under an identity.
    pub async fn register_on_premises_instance(
        &self,
        call: &Call,
        input: RegisterOnPremisesInstanceInput,
    ) -> Answer<NoOutput> {
        let name = instance_name(input.instance_name)?;
        let identity = identity(input.iam_user_arn, input.iam_session_arn)?;
        let unique: String =
            rand::rng().sample_iter(rand::distr::Alphanumeric).take(10).map(char::from).collect();
        let region = &call.scope.region;
        let instance = OnPremisesInstance {
            arn: format!(
                "arn:aws:codedeploy:{region}:{}:instance/{name}_{unique}",
                call.scope.account
            ),
            name,
            region: region.clone(),
            identity,
            registered_ms: call.now.as_millis(),
            deregistered_ms: None,
            tags: BTreeMap::new(),
        };
        self.register(&instance).await?;
        Ok(NoOutput {})
    }

    async fn register(&self, instance: &OnPremisesInstance) -> Answer<()> {
        let key = key(&instance.region, &instance.name);
        loop {
            let kept = self.store.document::<OnPremisesInstance>(KIND, &key).await?;
            if kept.as_ref().is_some_and(|kept| kept.value.is_registered()) {
                return Err(Failure::refused(
                    ErrorCode::InstanceNameAlreadyRegistered,
                    format!(
                        "The on-premises instance name {} is already registered",
                        instance.name
                    ),
                ));
            }
            let claim = Claim { region: instance.region.clone(), name: instance.name.clone() };
            let arn = instance.identity.arn();
            let writes = vec![
                DocumentWrite::put(KIND, &key, expected(kept.as_ref()), instance)?,
                DocumentWrite::put(CLAIM_KIND, arn, Expected::Absent, &claim)?,
            ];
            match self.store.transact(writes).await? {
                Transact::Done => return Ok(()),
                Transact::Conflict { write: 1 } => {
                    return Err(identity_taken(&instance.identity).into());
                }
                // Somebody else wrote the name meanwhile: look again.
                Transact::Conflict { .. } => {}
            }
        }
    }

    /// Makes an instance history. Its name can be used again at once; its tags stay on the record and select nothing.
    pub async fn deregister_on_premises_instance(
        &self,
        call: &Call,
        input: DeregisterOnPremisesInstanceInput,
    ) -> Answer<NoOutput> {
        let name = instance_name(input.instance_name)?;
        loop {
            let Some(kept) = self.on_premises(call, &name).await? else { return Ok(NoOutput {}) };
            if !kept.value.is_registered() {
                return Ok(NoOutput {});
            }
            let mut instance = kept.value;
            instance.deregistered_ms = Some(call.now.as_millis());
            let arn = instance.identity.arn();
            let writes = vec![
                DocumentWrite::put(KIND, &kept.key, Expected::Revision(kept.revision), &instance)?,
                DocumentWrite::delete(CLAIM_KIND, arn, Expected::Any),
            ];
            if self.store.transact(writes).await? == Transact::Done {
                return Ok(NoOutput {});
            }
        }
    }

    /// One instance, registered or history.
    pub async fn get_on_premises_instance(
        &self,
        call: &Call,
        input: GetOnPremisesInstanceInput,
    ) -> Answer<GetOnPremisesInstanceOutput> {
        let name = instance_name(input.instance_name)?;
        let kept = self.on_premises(call, &name).await?.ok_or_else(|| not_registered(&name))?;
        Ok(GetOnPremisesInstanceOutput { instance_info: Some(info(&kept.value)) })
    }

    /// Several instances; unknown names are left out.
    pub async fn batch_get_on_premises_instances(
        &self,
        call: &Call,
        input: BatchGetOnPremisesInstancesInput,
    ) -> Answer<BatchGetOnPremisesInstancesOutput> {
        let names = input.instance_names.unwrap_or_default();
        rules::batch(names.len(), BATCH_MAX)?;
        let keys = names
            .into_iter()
            .map(|name| Ok(key(&call.scope.region, &instance_name(Some(name))?)))
            .collect::<Answer<Vec<_>>>()?;
        let found = self.store.documents_at::<OnPremisesInstance>(KIND, &keys).await?;
        let infos = found.iter().map(|kept| info(&kept.value)).collect();
        Ok(BatchGetOnPremisesInstancesOutput { instance_infos: Some(infos) })
    }

    /// The names of instances, by status and tags. A filtered page may be short and yet have a token.
    pub async fn list_on_premises_instances(
        &self,
        call: &Call,
        input: ListOnPremisesInstancesInput,
    ) -> Answer<ListOnPremisesInstancesOutput> {
        let filters = input.tag_filters.unwrap_or_default();
        let selection = settings::on_premises_filter(&filters)?;
        let status = input.registration_status;
        let prefix = key(&call.scope.region, "");
        let list = format!("ListOnPremisesInstances {prefix} {status:?} {selection:?}");
        let after = self.tokens.open(&list, input.next_token.as_deref())?;
        let page = self
            .store
            .documents::<OnPremisesInstance>(KIND, &prefix, after.as_deref(), PAGE)
            .await?;
        let wanted = |instance: &OnPremisesInstance| {
            let status_fits = match status.as_deref() {
                Some("Registered") => instance.is_registered(),
                Some(_) => !instance.is_registered(),
                None => true,
            };
            status_fits && (filters.is_empty() || selection.selects(&instance.tags))
        };
        let names = page.items.into_iter().map(|item| item.value).filter(wanted);
        Ok(ListOnPremisesInstancesOutput {
            instance_names: Some(names.map(|instance| instance.name).collect()),
            next_token: self.tokens.next(&list, page.next),
        })
    }

    /// Adds tags to instances, or overwrites them.
    pub async fn add_tags_to_on_premises_instances(
        &self,
        call: &Call,
        input: AddTagsToOnPremisesInstancesInput,
    ) -> Answer<NoOutput> {
        let names = instance_names(input.instance_names)?;
        let new = tags(input.tags.unwrap_or_default())?;
        check_number(&names)?;
        self.change_instance_tags(call, &names, |kept| kept.extend(new.clone())).await
    }

    /// Removes tags, by key and value; those that are not there are no matter.
    pub async fn remove_tags_from_on_premises_instances(
        &self,
        call: &Call,
        input: RemoveTagsFromOnPremisesInstancesInput,
    ) -> Answer<NoOutput> {
        let names = instance_names(input.instance_names)?;
        let old = tags(input.tags.unwrap_or_default())?;
        check_number(&names)?;
        self.change_instance_tags(call, &names, |kept| {
            kept.retain(|key, value| old.get(key) != Some(value));
        })
        .await
    }

    /// Changes the tags of all of these instances, or of none.
    async fn change_instance_tags(
        &self,
        call: &Call,
        names: &[String],
        change: impl Fn(&mut Tags),
    ) -> Answer<NoOutput> {
        loop {
            let mut writes = Vec::with_capacity(names.len());
            for name in names {
                let kept = self.on_premises(call, name).await?;
                let kept = kept.filter(|kept| kept.value.is_registered());
                let kept = kept.ok_or_else(|| not_registered(name))?;
                let mut instance = kept.value;
                change(&mut instance.tags);
                if instance.tags.len() > TAGS_MAX {
                    return Err(Failure::refused(
                        ErrorCode::TagLimitExceeded,
                        format!(
                            "{name} would have {} tags; at most {TAGS_MAX} are allowed",
                            instance.tags.len()
                        ),
                    ));
                }
                let revision = Expected::Revision(kept.revision);
                writes.push(DocumentWrite::put(KIND, &kept.key, revision, &instance)?);
            }
            if self.store.transact(writes).await? == Transact::Done {
                return Ok(NoOutput {});
            }
        }
    }

    async fn on_premises(
        &self,
        call: &Call,
        name: &str,
    ) -> Answer<Option<Document<OnPremisesInstance>>> {
        Ok(self.store.document(KIND, &key(&call.scope.region, name)).await?)
    }
}

fn expected<T>(kept: Option<&Document<T>>) -> Expected {
    kept.map_or(Expected::Absent, |kept| Expected::Revision(kept.revision))
}

fn instance_name(name: Option<String>) -> Result<String, ServiceError> {
    let name = rules::required(name, ErrorCode::InstanceNameRequired)?;
    rules::on_premises_name(&name)?;
    Ok(name)
}

fn instance_names(names: Option<Vec<String>>) -> Result<Vec<String>, ServiceError> {
    let mut names = names.unwrap_or_default();
    // Twice the same would write twice on one revision.
    names.sort();
    names.dedup();
    names.into_iter().map(|name| instance_name(Some(name))).collect()
}

/// The service declares this error after those of the names and of the tags.
fn check_number(names: &[String]) -> Result<(), ServiceError> {
    if names.len() <= INSTANCES_MAX {
        return Ok(());
    }
    Err(ServiceError::new(
        ErrorCode::InstanceLimitExceeded,
        format!("There are {} instances; at most {INSTANCES_MAX} are allowed", names.len()),
    ))
}

fn tags(tags: Vec<Tag>) -> Result<Tags, ServiceError> {
    let invalid = |message: String| ServiceError::new(ErrorCode::InvalidTag, message);
    let shown = |text: &str| text.chars().take(100).collect::<String>();
    if tags.len() > TAGS_MAX {
        return Err(ServiceError::new(
            ErrorCode::TagLimitExceeded,
            format!("There are {} tags; at most {TAGS_MAX} are allowed", tags.len()),
        ));
    }
    let mut map = Tags::new();
    for tag in tags {
        let (key, value) = (tag.key.unwrap_or_default(), tag.value.unwrap_or_default());
        if !(1..=128).contains(&key.chars().count()) {
            return Err(invalid(format!(
                "The Key '{}' does not have 1 to 128 characters",
                shown(&key)
            )));
        }
        if !(1..=256).contains(&value.chars().count()) {
            return Err(invalid(format!(
                "The Value '{}' of the tag '{key}' does not have 1 to 256 characters",
                shown(&value)
            )));
        }
        map.insert(key, value);
    }
    Ok(map)
}

fn identity(user: Option<String>, session: Option<String>) -> Result<Identity, ServiceError> {
    let filled = |arn: Option<String>| arn.filter(|arn| !arn.is_empty());
    match (filled(user), filled(session)) {
        (Some(user), None) => {
            rules::user_arn(&user)?;
            Ok(Identity::User(user))
        }
        (None, Some(session)) => {
            rules::session_arn(&session)?;
            Ok(Identity::Session(session))
        }
        (Some(_), Some(_)) => Err(ServiceError::new(
            ErrorCode::MultipleIamArnsProvided,
            "Both an iamUserArn and an iamSessionArn were given; use one of them",
        )),
        (None, None) => Err(ServiceError::new(
            ErrorCode::IamArnRequired,
            "Neither an iamUserArn nor an iamSessionArn was given",
        )),
    }
}

fn identity_taken(identity: &Identity) -> ServiceError {
    let (code, arn) = match identity {
        Identity::User(arn) => (ErrorCode::IamUserArnAlreadyRegistered, arn),
        Identity::Session(arn) => (ErrorCode::IamSessionArnAlreadyRegistered, arn),
    };
    ServiceError::new(code, format!("{arn} is already bound to another on-premises instance"))
}

fn not_registered(name: &str) -> ServiceError {
    ServiceError::new(
        ErrorCode::InstanceNotRegistered,
        format!("The on-premises instance {name} is not registered"),
    )
}

fn info(instance: &OnPremisesInstance) -> InstanceInfo {
    let tag = |(key, value): (&String, &String)| Tag {
        key: Some(key.clone()),
        value: Some(value.clone()),
    };
    let (user, session) = match &instance.identity {
        Identity::User(arn) => (Some(arn.clone()), None),
        Identity::Session(arn) => (None, Some(arn.clone())),
    };
    InstanceInfo {
        instance_name: Some(instance.name.clone()),
        iam_session_arn: session,
        iam_user_arn: user,
        instance_arn: Some(instance.arn.clone()),
        register_time: Some(time(Timestamp::from_millis(instance.registered_ms))),
        deregister_time: instance.deregistered_ms.map(|at| time(Timestamp::from_millis(at))),
        tags: Some(instance.tags.iter().map(tag).collect()),
    }
}

#[cfg(test)]
mod tests {
    use store::Database;

    use super::*;

    #[tokio::test]
    async fn only_what_was_deregistered_long_ago_is_forgotten() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&Database::Sqlite(directory.path().join("db"))).await.unwrap();
        let days = |days: i64| days * 24 * 3600 * 1000;
        for (name, deregistered_ms) in
            [("here", None), ("late", Some(days(20))), ("old", Some(days(5)))]
        {
            let instance = OnPremisesInstance {
                name: name.to_owned(),
                region: "us-east-1".to_owned(),
                identity: Identity::User(format!("arn:aws:iam::123456789012:user/{name}")),
                arn: "arn:x".to_owned(),
                registered_ms: 0,
                deregistered_ms,
                tags: BTreeMap::new(),
            };
            let key = key("us-east-1", name);
            assert!(store.put_document(KIND, &key, Expected::Absent, &instance).await.unwrap());
        }
        forget_history(&store, Timestamp::from_millis(days(40))).await.unwrap();
        let left = store.all_documents::<OnPremisesInstance>(KIND).await.unwrap();
        let names: Vec<_> = left.iter().map(|kept| kept.value.name.as_str()).collect();
        assert_eq!(names, ["here", "late"]);
    }
}
