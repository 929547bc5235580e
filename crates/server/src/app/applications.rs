//! Applications.

use model::{ApplicationId, ApplicationName};
use serde::{Deserialize, Serialize};
use store::{Application, Create, Rename};
use wire::codedeploy::{
    ApplicationInfo, BatchGetApplicationsInput, BatchGetApplicationsOutput, CreateApplicationInput,
    CreateApplicationOutput, DeleteApplicationInput, GetApplicationInput, GetApplicationOutput,
    ListApplicationsInput, ListApplicationsOutput, UpdateApplicationInput,
};
use wire::{ErrorCode, NoOutput, ServiceError};

use super::page::PAGE;
use super::target_info::time;
use super::{Answer, App, Call, Failure, application_name, rules, tags, uuid};

/// Applications of one account and region. Source: CodeDeploy quotas.
const APPLICATIONS_MAX: u64 = 1000;
/// Source: CodeDeploy API reference, `BatchGetApplications`.
const BATCH_MAX: usize = 100;

/// The platform of an application whose maker named none.
const DEFAULT_PLATFORM: &str = "Server";

impl App {
    /// Makes an application.
    pub async fn create_application(
        &self,
        call: &Call,
        input: CreateApplicationInput,
    ) -> Answer<CreateApplicationOutput> {
        let name = application_name(input.application_name)?;
        let tags = tags::parse(input.tags.unwrap_or_default())?;
        if self.store.application_count(&call.scope.region).await? >= APPLICATIONS_MAX {
            return Err(Failure::refused(
                ErrorCode::ApplicationLimitExceeded,
                format!(
                    "This region has {APPLICATIONS_MAX} applications already, which is the limit"
                ),
            ));
        }
        let application = Application {
            id: ApplicationId::new(uuid()),
            region: call.scope.region.clone(),
            name,
            platform: input.compute_platform.unwrap_or_else(|| DEFAULT_PLATFORM.to_owned()),
            body: body(&Settings::default())?,
            created: call.now,
        };
        // The tags first: a crash between the two leaves tags of nothing, instead of an application without them.
        self.put_tags(application.id.as_str(), &tags).await?;
        match self.store.create_application(&application).await? {
            Create::Created => {
                Ok(CreateApplicationOutput { application_id: Some(application.id.to_string()) })
            }
            Create::AlreadyExists => {
                self.forget_tags(application.id.as_str()).await?;
                Err(name_taken(&application.name).into())
            }
        }
    }

    /// One application.
    pub async fn get_application(
        &self,
        call: &Call,
        input: GetApplicationInput,
    ) -> Answer<GetApplicationOutput> {
        let application = self.application(call, input.application_name).await?;
        Ok(GetApplicationOutput { application: Some(info(&application)?) })
    }

    /// Several applications; a name that nobody has fails the whole call, as declared.
    pub async fn batch_get_applications(
        &self,
        call: &Call,
        input: BatchGetApplicationsInput,
    ) -> Answer<BatchGetApplicationsOutput> {
        let names = input.application_names.unwrap_or_default();
        rules::batch(names.len(), BATCH_MAX)?;
        let names = names
            .into_iter()
            .map(|name| application_name(Some(name)))
            .collect::<Result<Vec<_>, _>>()?;
        let found = self.store.applications_named(&call.scope.region, &names).await?;
        if let Some(name) = names.iter().find(|name| found.iter().all(|one| one.name != **name)) {
            return Err(unknown(name).into());
        }
        let infos = found.iter().map(info).collect::<Result<_, _>>()?;
        Ok(BatchGetApplicationsOutput { applications_info: Some(infos) })
    }

    /// The names of the region's applications.
    pub async fn list_applications(
        &self,
        call: &Call,
        input: ListApplicationsInput,
    ) -> Answer<ListApplicationsOutput> {
        let list = format!("ListApplications {}", call.scope.region);
        let after = self.tokens.open(&list, input.next_token.as_deref())?;
        let page = self.store.applications(&call.scope.region, after.as_deref(), PAGE).await?;
        Ok(ListApplicationsOutput {
            applications: Some(page.items.iter().map(|item| item.name.to_string()).collect()),
            next_token: self.tokens.next(&list, page.next),
        })
    }

    /// Renames an application. Groups, revisions and tags follow, since they belong to its id.
    pub async fn update_application(
        &self,
        call: &Call,
        input: UpdateApplicationInput,
    ) -> Answer<NoOutput> {
        let application = self.application(call, input.application_name).await?;
        let Some(new) = input.new_application_name else { return Ok(NoOutput {}) };
        let new = application_name(Some(new))?;
        match self.store.rename_application(&application.id, &application.name, &new).await? {
            Rename::Renamed => Ok(NoOutput {}),
            Rename::NameTaken => Err(name_taken(&new).into()),
            Rename::Unknown => Err(unknown(&application.name).into()),
        }
    }

    /// Deletes an application with its groups and revisions; one that does not exist is deleted already.
    pub async fn delete_application(
        &self,
        call: &Call,
        input: DeleteApplicationInput,
    ) -> Answer<NoOutput> {
        let name = application_name(input.application_name)?;
        let Some(application) = self.store.application(&call.scope.region, &name).await? else {
            return Ok(NoOutput {});
        };
        let groups = self.all_groups(&application.id).await?;
        if let store::DeleteApplication::Deleted { .. } =
            self.store.delete_application(&application.id, call.now).await?
        {
            self.forget_tags(application.id.as_str()).await?;
            for group in groups {
                self.forget_tags(group.id.as_str()).await?;
            }
        }
        Ok(NoOutput {})
    }

    /// The application that a member names.
    pub(super) async fn application(
        &self,
        call: &Call,
        name: Option<String>,
    ) -> Answer<Application> {
        let name = application_name(name)?;
        let found = self.store.application(&call.scope.region, &name).await?;
        Ok(found.ok_or_else(|| unknown(&name))?)
    }
}

pub(super) fn unknown(name: &ApplicationName) -> ServiceError {
    ServiceError::new(
        ErrorCode::ApplicationDoesNotExist,
        format!("No application found for name: {name}"),
    )
}

fn name_taken(name: &ApplicationName) -> ServiceError {
    ServiceError::new(
        ErrorCode::ApplicationAlreadyExists,
        format!("Application already exists: {name}"),
    )
}

/// What an application is set to, beside its name and platform.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Settings {
    /// The GitHub connection with whose token hosts download its revisions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub git_hub_account_name: Option<String>,
}

/// What the application is set to.
pub fn settings(application: &Application) -> Answer<Settings> {
    serde_json::from_str(&application.body)
        .map_err(|error| Failure::internal("an application's settings cannot be read", error))
}

/// The form in which the store keeps settings.
pub fn body(settings: &Settings) -> Answer<String> {
    serde_json::to_string(settings)
        .map_err(|error| Failure::internal("an application's settings cannot be written", error))
}

fn info(application: &Application) -> Answer<ApplicationInfo> {
    let linked = settings(application)?.git_hub_account_name;
    Ok(ApplicationInfo {
        application_id: Some(application.id.to_string()),
        application_name: Some(application.name.to_string()),
        create_time: Some(time(application.created)),
        linked_to_git_hub: Some(linked.is_some()),
        git_hub_account_name: linked,
        compute_platform: Some(application.platform.clone()),
    })
}
