//! Deployment groups.

use model::{ApplicationId, DeploymentConfigName, DeploymentGroupId, DeploymentGroupName};
use store::{Application, CreateGroup, Group, GroupChange, NewGroup, UpdateGroup};
use wire::codedeploy::{
    BatchGetDeploymentGroupsInput, BatchGetDeploymentGroupsOutput, CreateDeploymentGroupInput,
    CreateDeploymentGroupOutput, DeleteDeploymentGroupInput, DeleteDeploymentGroupOutput,
    GetDeploymentGroupInput, GetDeploymentGroupOutput, ListDeploymentGroupsInput,
    ListDeploymentGroupsOutput, UpdateDeploymentGroupInput, UpdateDeploymentGroupOutput,
};
use wire::{ErrorCode, ServiceError};

use super::page::PAGE;
use super::settings::Settings;
use super::triggers::Told;
use super::{
    Answer, App, Call, Failure, application_name, configs, group_name, group_record, rules, tags,
    uuid,
};

/// Groups of one application. Source: CodeDeploy quotas.
const GROUPS_MAX: u64 = 1000;
/// Source: CodeDeploy quotas, `BatchGetDeploymentGroups`.
const BATCH_MAX: usize = 100;

impl App {
    /// Makes a deployment group.
    pub async fn create_deployment_group(
        &self,
        call: &Call,
        input: CreateDeploymentGroupInput,
    ) -> Answer<CreateDeploymentGroupOutput> {
        let application = self.application(call, input.application_name.clone()).await?;
        deploys_to_servers(&application)?;
        let name = group_name(input.deployment_group_name.clone())?;
        let config_name =
            self.config_for_groups(call, input.deployment_config_name.clone()).await?;
        let tags = tags::parse(input.tags.clone().unwrap_or_default())?;
        let settings = Settings::default().changed(input.into())?;
        let triggers = self.new_triggers(&[], &settings.triggers).await?;
        if self.store.group_count(&application.id).await? >= GROUPS_MAX {
            return Err(Failure::refused(
                ErrorCode::DeploymentGroupLimitExceeded,
                format!(
                    "The application has {GROUPS_MAX} deployment groups already, which is the limit"
                ),
            ));
        }
        let group = NewGroup {
            id: DeploymentGroupId::new(uuid()),
            application_id: application.id.clone(),
            region: call.scope.region.clone(),
            name,
            config_name,
            body: group_record::body(&settings)?,
            created: call.now,
        };
        self.put_tags(group.id.as_str(), &tags).await?;
        match self.store.create_group(&group).await? {
            CreateGroup::Created => {
                let told =
                    Told { application: application.name.as_str(), group: group.name.as_str() };
                self.test_triggers(call, &told, &triggers).await;
                Ok(CreateDeploymentGroupOutput { deployment_group_id: Some(group.id.to_string()) })
            }
            refused => {
                self.forget_tags(group.id.as_str()).await?;
                Err(match refused {
                    CreateGroup::ConfigMissing => configs::unknown(&group.config_name),
                    CreateGroup::ApplicationMissing => ServiceError::new(
                        ErrorCode::ApplicationDoesNotExist,
                        format!("No application found for name: {}", application.name),
                    ),
                    CreateGroup::AlreadyExists | CreateGroup::Created => name_taken(&group.name),
                }
                .into())
            }
        }
    }

    /// One group.
    pub async fn get_deployment_group(
        &self,
        call: &Call,
        input: GetDeploymentGroupInput,
    ) -> Answer<GetDeploymentGroupOutput> {
        let (application, group) =
            self.group(call, input.application_name, input.deployment_group_name).await?;
        let info = group_record::info(application.name.as_str(), &group)?;
        Ok(GetDeploymentGroupOutput { deployment_group_info: Some(info) })
    }

    /// Several groups of one application; those that do not exist are named in the message.
    pub async fn batch_get_deployment_groups(
        &self,
        call: &Call,
        input: BatchGetDeploymentGroupsInput,
    ) -> Answer<BatchGetDeploymentGroupsOutput> {
        let application = self.application(call, input.application_name).await?;
        let names = input.deployment_group_names.unwrap_or_default();
        rules::batch(names.len(), BATCH_MAX)?;
        let names =
            names.into_iter().map(|name| group_name(Some(name))).collect::<Result<Vec<_>, _>>()?;
        let found = self.store.groups_named(&application.id, &names).await?;
        let infos = found.iter().map(|group| group_record::info(application.name.as_str(), group));
        let missing = names.iter().filter(|name| found.iter().all(|one| one.name != **name));
        Ok(BatchGetDeploymentGroupsOutput {
            deployment_groups_info: Some(infos.collect::<Result<_, _>>()?),
            error_message: Some(rules::messages(missing.map(unknown))),
        })
    }

    /// The names of an application's groups.
    pub async fn list_deployment_groups(
        &self,
        call: &Call,
        input: ListDeploymentGroupsInput,
    ) -> Answer<ListDeploymentGroupsOutput> {
        let application = self.application(call, input.application_name).await?;
        let list = format!("ListDeploymentGroups {}", application.id);
        let after = self.tokens.open(&list, input.next_token.as_deref())?;
        let page = self.store.groups(&application.id, after.as_deref(), PAGE).await?;
        Ok(ListDeploymentGroupsOutput {
            application_name: Some(application.name.to_string()),
            deployment_groups: Some(page.items.iter().map(|item| item.name.to_string()).collect()),
            next_token: self.tokens.next(&list, page.next),
        })
    }

    /// Changes a group, or renames it. What is absent stays; what is empty is cleared.
    pub async fn update_deployment_group(
        &self,
        call: &Call,
        input: UpdateDeploymentGroupInput,
    ) -> Answer<UpdateDeploymentGroupOutput> {
        loop {
            let input = input.clone();
            let (application, group) = self
                .group(
                    call,
                    input.application_name.clone(),
                    input.current_deployment_group_name.clone(),
                )
                .await?;
            let name = match &input.new_deployment_group_name {
                Some(new) => group_name(Some(new.clone()))?,
                None => group.name.clone(),
            };
            let config_name = match &input.deployment_config_name {
                Some(new) => self.config_for_groups(call, Some(new.clone())).await?,
                None => group.config_name.clone(),
            };
            let before = group_record::settings(&group)?;
            let triggers_before = before.triggers.clone();
            let settings = before.changed(input.into())?;
            let triggers = self.new_triggers(&triggers_before, &settings.triggers).await?;
            let change = GroupChange { name, config_name, body: group_record::body(&settings)? };
            match self.store.update_group(&group, &change).await? {
                UpdateGroup::Updated => {
                    let application = application.name.as_str();
                    let told = Told { application, group: change.name.as_str() };
                    self.test_triggers(call, &told, &triggers).await;
                    return Ok(UpdateDeploymentGroupOutput {
                        hooks_not_cleaned_up: Some(Vec::new()),
                    });
                }
                UpdateGroup::NameTaken => return Err(name_taken(&change.name).into()),
                UpdateGroup::ConfigMissing => {
                    return Err(configs::unknown(&change.config_name).into());
                }
                // Somebody else changed it meanwhile: look again.
                UpdateGroup::Stale => {}
            }
        }
    }

    /// Deletes a group; one that does not exist is deleted already.
    pub async fn delete_deployment_group(
        &self,
        call: &Call,
        input: DeleteDeploymentGroupInput,
    ) -> Answer<DeleteDeploymentGroupOutput> {
        let application = application_name(input.application_name)?;
        let name = group_name(input.deployment_group_name)?;
        let done = DeleteDeploymentGroupOutput { hooks_not_cleaned_up: Some(Vec::new()) };
        let Some(application) = self.store.application(&call.scope.region, &application).await?
        else {
            return Ok(done);
        };
        let Some(group) = self.store.group(&application.id, &name).await? else { return Ok(done) };
        if self.store.delete_group(&group.id, call.now).await?.is_some() {
            self.forget_tags(group.id.as_str()).await?;
        }
        Ok(done)
    }

    /// The application and the group that two members name.
    pub(super) async fn group(
        &self,
        call: &Call,
        application: Option<String>,
        group: Option<String>,
    ) -> Answer<(Application, Group)> {
        let application = self.application(call, application).await?;
        let name = group_name(group)?;
        let found = self.store.group(&application.id, &name).await?;
        let group = found.ok_or_else(|| unknown(&name))?;
        Ok((application, group))
    }

    /// Every group of an application.
    pub(super) async fn all_groups(&self, application: &ApplicationId) -> Answer<Vec<Group>> {
        let most = u32::try_from(GROUPS_MAX).unwrap_or(u32::MAX);
        Ok(self.store.groups(application, None, most).await?.items)
    }

    /// The configuration that a group is to use, if it exists and is for servers.
    pub(super) async fn config_for_groups(
        &self,
        call: &Call,
        name: Option<String>,
    ) -> Answer<DeploymentConfigName> {
        let Some(name) = name else { return Ok(DeploymentConfigName::default_for_servers()) };
        let name = configs::config_name(Some(name))?;
        Ok(self.deployment_config(call, &name).await?.name)
    }
}

fn deploys_to_servers(application: &Application) -> Result<(), ServiceError> {
    if application.platform == "Server" {
        return Ok(());
    }
    Err(ServiceError::new(
        ErrorCode::InvalidInput,
        format!(
            "The application {} is for {}; this server deploys to servers only",
            application.name, application.platform
        ),
    ))
}

pub(super) fn unknown(name: &DeploymentGroupName) -> ServiceError {
    ServiceError::new(
        ErrorCode::DeploymentGroupDoesNotExist,
        format!("No Deployment Group found for name: {name}"),
    )
}

fn name_taken(name: &DeploymentGroupName) -> ServiceError {
    ServiceError::new(
        ErrorCode::DeploymentGroupAlreadyExists,
        format!("Deployment group name already exists: {name}"),
    )
}
