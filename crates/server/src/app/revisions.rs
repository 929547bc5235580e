//! Application revisions.

use model::Revision;
use store::{RevisionFilter, RevisionRecord, RevisionSort};
use wire::codedeploy::{
    BatchGetApplicationRevisionsInput, BatchGetApplicationRevisionsOutput, GenericRevisionInfo,
    GetApplicationRevisionInput, GetApplicationRevisionOutput, ListApplicationRevisionsInput,
    ListApplicationRevisionsOutput, RegisterApplicationRevisionInput, RevisionInfo,
    RevisionLocation,
};
use wire::{ErrorCode, NoOutput, ServiceError};

use super::page::PAGE;
use super::target_info::time;
use super::{Answer, App, Call, Failure, applications, location, rules};

/// Source: CodeDeploy API reference, `BatchGetApplicationRevisions`.
const BATCH_MAX: usize = 25;

impl App {
    /// Makes a revision known, or describes it anew. The bucket is not looked at.
    pub async fn register_application_revision(
        &self,
        call: &Call,
        input: RegisterApplicationRevisionInput,
    ) -> Answer<NoOutput> {
        let application = self.application(call, input.application_name).await?;
        let revision = given(input.revision.as_ref())?;
        rules::description(input.description.as_deref())?;
        let description = input.description.as_deref();
        let id = &application.id;
        if self.store.register_revision(id, &revision, description, call.now).await? {
            Ok(NoOutput {})
        } else {
            Err(applications::unknown(&application.name).into())
        }
    }

    /// One revision and how it was used.
    pub async fn get_application_revision(
        &self,
        call: &Call,
        input: GetApplicationRevisionInput,
    ) -> Answer<GetApplicationRevisionOutput> {
        let application = self.application(call, input.application_name).await?;
        let revision = given(input.revision.as_ref())?;
        let found = self.store.revision(&application.id, &revision).await?;
        let record = found.ok_or_else(|| unknown(&revision))?;
        Ok(GetApplicationRevisionOutput {
            application_name: Some(application.name.to_string()),
            revision: Some(location::show(&record.revision)),
            revision_info: Some(info(&record)),
        })
    }

    /// Several revisions; those that are not known are named in the message.
    pub async fn batch_get_application_revisions(
        &self,
        call: &Call,
        input: BatchGetApplicationRevisionsInput,
    ) -> Answer<BatchGetApplicationRevisionsOutput> {
        let application = self.application(call, input.application_name).await?;
        let asked = input.revisions.unwrap_or_default();
        rules::batch(asked.len(), BATCH_MAX)?;
        let asked = asked.iter().map(location::parse).collect::<Result<Vec<_>, _>>()?;
        let found = self.store.revisions_at(&application.id, &asked).await?;
        let missing = asked.iter().filter(|one| found.iter().all(|kept| kept.revision != **one));
        let shown = found.iter().map(|record| RevisionInfo {
            revision_location: Some(location::show(&record.revision)),
            generic_revision_info: Some(info(record)),
        });
        Ok(BatchGetApplicationRevisionsOutput {
            application_name: Some(application.name.to_string()),
            error_message: Some(rules::messages(missing.map(unknown))),
            revisions: Some(shown.collect()),
        })
    }

    /// The locations of an application's revisions, sorted and filtered.
    pub async fn list_application_revisions(
        &self,
        call: &Call,
        input: ListApplicationRevisionsInput,
    ) -> Answer<ListApplicationRevisionsOutput> {
        let application = self.application(call, input.application_name.clone()).await?;
        let filter = filter(&input)?;
        let list = format!("ListApplicationRevisions {} {filter:?}", application.id);
        let after = self.tokens.open(&list, input.next_token.as_deref())?;
        let page = self.store.revisions(&application.id, &filter, after.as_deref(), PAGE).await?;
        Ok(ListApplicationRevisionsOutput {
            revisions: Some(
                page.items.iter().map(|record| location::show(&record.revision)).collect(),
            ),
            next_token: self.tokens.next(&list, page.next),
        })
    }
}

/// The revision that a member names.
pub(super) fn given(revision: Option<&RevisionLocation>) -> Result<Revision, ServiceError> {
    let missing = || ServiceError::new(ErrorCode::RevisionRequired, "No revision was given");
    location::parse(revision.ok_or_else(missing)?)
}

fn filter(input: &ListApplicationRevisionsInput) -> Answer<RevisionFilter> {
    let filled = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let (bucket, key_prefix) = (filled(&input.s3_bucket), filled(&input.s3_key_prefix));
    if key_prefix.is_some() && bucket.is_none() {
        return Err(Failure::refused(
            ErrorCode::BucketNameFilterRequired,
            "An s3KeyPrefix needs an s3Bucket",
        ));
    }
    Ok(RevisionFilter {
        sort: match input.sort_by.as_deref() {
            Some("firstUsedTime") => RevisionSort::FirstUsed,
            Some("lastUsedTime") => RevisionSort::LastUsed,
            _ => RevisionSort::Registered,
        },
        descending: input.sort_order.as_deref() == Some("descending"),
        bucket,
        key_prefix,
        deployed: match input.deployed.as_deref() {
            Some("include") => Some(true),
            Some("exclude") => Some(false),
            _ => None,
        },
    })
}

fn unknown(revision: &Revision) -> ServiceError {
    ServiceError::new(ErrorCode::RevisionDoesNotExist, format!("No revision found for {revision}"))
}

fn info(record: &RevisionRecord) -> GenericRevisionInfo {
    GenericRevisionInfo {
        description: record.description.clone(),
        deployment_groups: Some(record.groups.iter().map(ToString::to_string).collect()),
        first_used_time: record.first_used.map(time),
        last_used_time: record.last_used.map(time),
        register_time: Some(time(record.registered)),
    }
}
