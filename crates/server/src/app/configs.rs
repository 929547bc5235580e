//! Deployment configurations: the predefined ones, and those that users make.

use model::deployment_config::PREDEFINED_FOR_OTHER_PLATFORMS;
use model::{DeploymentConfig, DeploymentConfigName};
use store::{Config, Create, DeleteConfig};
use wire::codedeploy::{
    CreateDeploymentConfigInput, CreateDeploymentConfigOutput, DeleteDeploymentConfigInput,
    GetDeploymentConfigInput, GetDeploymentConfigOutput, ListDeploymentConfigsInput,
    ListDeploymentConfigsOutput,
};
use wire::{ErrorCode, NoOutput, ServiceError};

use super::page::PAGE;
use super::{Answer, App, Call, Failure, config_record, name_error, predefined, rules, uuid};

/// Custom configurations of one account and region. Source: CodeDeploy quotas, of whose pages this is the most lenient.
const CONFIGS_MAX: u64 = 200;

impl App {
    /// Makes a configuration. Those for Lambda and ECS are kept as records: no deployment here can use them.
    pub async fn create_deployment_config(
        &self,
        call: &Call,
        input: CreateDeploymentConfigInput,
    ) -> Answer<CreateDeploymentConfigOutput> {
        let name = config_name(input.deployment_config_name.clone())?;
        if name.is_reserved() {
            return Err(Failure::refused(
                ErrorCode::InvalidDeploymentConfigName,
                "Deployment configuration names that begin with CodeDeployDefault. are reserved",
            ));
        }
        let (minimum_healthy, settings) = config_record::read(&input)?;
        if self.store.config_count(&call.scope.region).await? >= CONFIGS_MAX {
            return Err(Failure::refused(
                ErrorCode::DeploymentConfigLimitExceeded,
                format!("This region has {CONFIGS_MAX} configurations already, which is the limit"),
            ));
        }
        let config = Config {
            id: uuid(),
            region: call.scope.region.clone(),
            name,
            minimum_healthy,
            body: config_record::body(&settings)?,
            created: call.now,
        };
        match self.store.create_config(&config).await? {
            Create::Created => {
                Ok(CreateDeploymentConfigOutput { deployment_config_id: Some(config.id) })
            }
            Create::AlreadyExists => Err(Failure::refused(
                ErrorCode::DeploymentConfigAlreadyExists,
                format!("Deployment Configuration already exists: {}", config.name),
            )),
        }
    }

    /// One configuration, predefined or custom.
    pub async fn get_deployment_config(
        &self,
        call: &Call,
        input: GetDeploymentConfigInput,
    ) -> Answer<GetDeploymentConfigOutput> {
        let name = config_name(input.deployment_config_name)?;
        let info = match predefined::info(&name) {
            Some(info) => info,
            None => {
                let found = self.store.config(&call.scope.region, &name).await?;
                config_record::info(&found.ok_or_else(|| unknown(&name))?)?
            }
        };
        Ok(GetDeploymentConfigOutput { deployment_config_info: Some(info) })
    }

    /// The names of all configurations, the custom ones first.
    pub async fn list_deployment_configs(
        &self,
        call: &Call,
        input: ListDeploymentConfigsInput,
    ) -> Answer<ListDeploymentConfigsOutput> {
        let list = format!("ListDeploymentConfigs {}", call.scope.region);
        let after = self.tokens.open(&list, input.next_token.as_deref())?;
        let page = self.store.configs(&call.scope.region, after.as_deref(), PAGE).await?;
        let mut names: Vec<String> = page.items.iter().map(|item| item.name.to_string()).collect();
        if page.next.is_none() {
            names.extend(predefined::names());
        }
        Ok(ListDeploymentConfigsOutput {
            deployment_configs_list: Some(names),
            next_token: self.tokens.next(&list, page.next),
        })
    }

    /// Deletes a custom configuration that no group uses; one that does not exist is deleted already.
    pub async fn delete_deployment_config(
        &self,
        call: &Call,
        input: DeleteDeploymentConfigInput,
    ) -> Answer<NoOutput> {
        let name = config_name(input.deployment_config_name)?;
        if name.is_reserved() {
            return Err(Failure::refused(
                ErrorCode::InvalidOperation,
                format!("The predefined deployment configuration {name} cannot be deleted"),
            ));
        }
        let Some(config) = self.store.config(&call.scope.region, &name).await? else {
            return Ok(NoOutput {});
        };
        match self.store.delete_config(&call.scope.region, &name).await? {
            DeleteConfig::Deleted => {
                self.forget_tags(&config.id).await?;
                Ok(NoOutput {})
            }
            DeleteConfig::Unknown => Ok(NoOutput {}),
            DeleteConfig::InUse => Err(Failure::refused(
                ErrorCode::DeploymentConfigInUse,
                format!("The deployment configuration {name} is used by a deployment group"),
            )),
        }
    }

    /// The configuration of that name as deployments use it.
    pub(super) async fn deployment_config(
        &self,
        call: &Call,
        name: &DeploymentConfigName,
    ) -> Answer<DeploymentConfig> {
        let predefined =
            DeploymentConfig::predefined().into_iter().find(|config| config.name == *name);
        if let Some(config) = predefined {
            return Ok(config);
        }
        if PREDEFINED_FOR_OTHER_PLATFORMS.contains(&name.as_str()) {
            return Err(not_for_servers(name));
        }
        let found = self.store.config(&call.scope.region, name).await?;
        let found = found.ok_or_else(|| unknown(name))?;
        config_record::for_servers(&found)?.ok_or_else(|| not_for_servers(name))
    }
}

fn not_for_servers(name: &DeploymentConfigName) -> Failure {
    Failure::refused(
        ErrorCode::InvalidDeploymentConfigName,
        format!("The deployment configuration {name} is not for the compute platform Server"),
    )
}

/// A member that names a configuration.
pub(super) fn config_name(name: Option<String>) -> Result<DeploymentConfigName, ServiceError> {
    rules::required(name, ErrorCode::DeploymentConfigNameRequired)?
        .parse()
        .map_err(|wrong| name_error(ErrorCode::InvalidDeploymentConfigName, &wrong))
}

pub(super) fn unknown(name: &DeploymentConfigName) -> ServiceError {
    ServiceError::new(
        ErrorCode::DeploymentConfigDoesNotExist,
        format!("No Deployment Configuration found for name: {name}"),
    )
}
