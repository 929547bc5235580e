//! Deployment configurations: the predefined ones, and those that users make.

use model::deployment_config::PREDEFINED_FOR_OTHER_PLATFORMS;
use model::{DeploymentConfig, DeploymentConfigName, MinimumHealthyHosts};
use store::{Config, Create, DeleteConfig};
use wire::codedeploy::{
    CreateDeploymentConfigInput, CreateDeploymentConfigOutput, DeleteDeploymentConfigInput,
    DeploymentConfigInfo, GetDeploymentConfigInput, GetDeploymentConfigOutput,
    ListDeploymentConfigsInput, ListDeploymentConfigsOutput, MinimumHealthyHosts as WireMinimum,
    TimeBasedCanary, TimeBasedLinear, TrafficRoutingConfig,
};
use wire::{ErrorCode, NoOutput, ServiceError, Time};

use super::page::PAGE;
use super::target_info::time;
use super::{Answer, App, Call, Failure, name_error, rules, uuid};

/// Ids of the predefined configurations count from 1. Source: observed answers of the service.
const PREDEFINED_ID: &str = "00000000-0000-0000-0000-0000000000";

/// Custom configurations of one account and region. Source: CodeDeploy quotas, of whose pages this is the most lenient.
const CONFIGS_MAX: u64 = 200;

impl App {
    /// Makes a configuration.
    pub async fn create_deployment_config(
        &self,
        call: &Call,
        input: CreateDeploymentConfigInput,
    ) -> Answer<CreateDeploymentConfigOutput> {
        let name = config_name(input.deployment_config_name)?;
        if name.is_reserved() {
            return Err(Failure::refused(
                ErrorCode::InvalidDeploymentConfigName,
                "Deployment configuration names that begin with CodeDeployDefault. are reserved",
            ));
        }
        let platform = input.compute_platform.as_deref().unwrap_or("Server");
        if platform != "Server" {
            return Err(Failure::refused(
                ErrorCode::InvalidComputePlatform,
                format!(
                    "This server deploys to servers; configurations for {platform} cannot be made here"
                ),
            ));
        }
        if input.traffic_routing_config.is_some() {
            return Err(Failure::refused(
                ErrorCode::InvalidTrafficRoutingConfiguration,
                "A trafficRoutingConfig is for Lambda and ECS configurations",
            ));
        }
        if input.zonal_config.is_some() {
            return Err(Failure::refused(
                ErrorCode::InvalidZonalDeploymentConfiguration,
                "Zonal configurations are not served by this server",
            ));
        }
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
            minimum_healthy: minimum(input.minimum_healthy_hosts.as_ref())?,
            body: "{}".to_owned(),
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
        let info = match predefined(&name) {
            Some(info) => info,
            None => {
                let found = self.store.config(&call.scope.region, &name).await?;
                custom(&found.ok_or_else(|| unknown(&name))?)
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
            names.extend(predefined_names());
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
            return Err(Failure::refused(
                ErrorCode::InvalidDeploymentConfigName,
                format!(
                    "The deployment configuration {name} is not for the compute platform Server"
                ),
            ));
        }
        let found =
            self.store.config(&call.scope.region, name).await?.ok_or_else(|| unknown(name))?;
        Ok(DeploymentConfig { name: found.name, minimum_healthy: found.minimum_healthy })
    }
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

/// Takes the minimum that a caller gave; an absent value is 0, since Go's SDK leaves zeros out.
fn minimum(minimum: Option<&WireMinimum>) -> Result<MinimumHealthyHosts, ServiceError> {
    let invalid =
        |message: String| ServiceError::new(ErrorCode::InvalidMinimumHealthyHostValue, message);
    let Some(minimum) = minimum else {
        return Err(invalid("A configuration for servers needs minimumHealthyHosts".to_owned()));
    };
    let value = minimum.value.unwrap_or(0);
    match minimum.r#type.as_deref() {
        Some("HOST_COUNT") => u32::try_from(value)
            .map(MinimumHealthyHosts::HostCount)
            .map_err(|_| invalid(format!("A HOST_COUNT of {value} is not valid: it is 0 or more"))),
        Some("FLEET_PERCENT") => u8::try_from(value)
            .ok()
            .filter(|percent| *percent < 100)
            .map(MinimumHealthyHosts::FleetPercent)
            .ok_or_else(|| {
                invalid(format!("A FLEET_PERCENT of {value} is not valid: it is 0 to 99"))
            }),
        other => Err(invalid(format!(
            "The type '{}' of minimumHealthyHosts is not one of HOST_COUNT, FLEET_PERCENT",
            other.unwrap_or_default()
        ))),
    }
}

fn show_minimum(minimum: MinimumHealthyHosts) -> WireMinimum {
    let (name, value) = match minimum {
        MinimumHealthyHosts::HostCount(count) => ("HOST_COUNT", count),
        MinimumHealthyHosts::FleetPercent(percent) => ("FLEET_PERCENT", u32::from(percent)),
        MinimumHealthyHosts::MostConcurrency(at_once) => ("MOST_CONCURRENCY", at_once),
    };
    WireMinimum { r#type: Some(name.to_owned()), value: Some(i64::from(value)) }
}

fn custom(config: &Config) -> DeploymentConfigInfo {
    DeploymentConfigInfo {
        deployment_config_id: Some(config.id.clone()),
        deployment_config_name: Some(config.name.to_string()),
        minimum_healthy_hosts: Some(show_minimum(config.minimum_healthy)),
        create_time: Some(time(config.created)),
        compute_platform: Some("Server".to_owned()),
        ..DeploymentConfigInfo::default()
    }
}

fn predefined_names() -> impl Iterator<Item = String> {
    // OneAtATime first: its id is known to end in 1.
    let servers =
        DeploymentConfig::predefined().into_iter().rev().map(|config| config.name.to_string());
    servers.chain(PREDEFINED_FOR_OTHER_PLATFORMS.map(str::to_owned))
}

/// The predefined configuration of that name as answers show it.
fn predefined(name: &DeploymentConfigName) -> Option<DeploymentConfigInfo> {
    let number = predefined_names().position(|known| known == name.as_str())? + 1;
    let for_servers =
        DeploymentConfig::predefined().into_iter().find(|config| config.name == *name);
    let platform = match (&for_servers, name.as_str()) {
        (Some(_), _) => "Server",
        (None, other) if other.contains(".Lambda") => "Lambda",
        (None, _) => "ECS",
    };
    Some(DeploymentConfigInfo {
        deployment_config_id: Some(format!("{PREDEFINED_ID}{number:02}")),
        deployment_config_name: Some(name.to_string()),
        minimum_healthy_hosts: for_servers
            .as_ref()
            .map(|config| show_minimum(config.minimum_healthy)),
        create_time: Some(Time::from_millis(0)),
        compute_platform: Some(platform.to_owned()),
        traffic_routing_config: for_servers.is_none().then(|| routing(name.as_str())),
        zonal_config: None,
    })
}

/// The routing that the name of a predefined Lambda or ECS configuration spells out, as in `Canary10Percent5Minutes`.
fn routing(name: &str) -> TrafficRoutingConfig {
    let numbers: Vec<i64> = name
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|digits| digits.parse().ok())
        .collect();
    let (percentage, minutes) = (numbers.first().copied(), numbers.get(1).copied());
    if name.contains("Canary") {
        TrafficRoutingConfig {
            r#type: Some("TimeBasedCanary".to_owned()),
            time_based_canary: Some(TimeBasedCanary {
                canary_percentage: percentage,
                canary_interval: minutes,
            }),
            time_based_linear: None,
        }
    } else if name.contains("Linear") {
        TrafficRoutingConfig {
            r#type: Some("TimeBasedLinear".to_owned()),
            time_based_canary: None,
            time_based_linear: Some(TimeBasedLinear {
                linear_percentage: percentage,
                linear_interval: minutes,
            }),
        }
    } else {
        TrafficRoutingConfig {
            r#type: Some("AllAtOnce".to_owned()),
            ..TrafficRoutingConfig::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seventeen_configurations_are_predefined() {
        assert_eq!(predefined_names().count(), 17);
        let one = predefined(&"CodeDeployDefault.OneAtATime".parse().unwrap()).unwrap();
        assert_eq!(one.deployment_config_id.unwrap(), "00000000-0000-0000-0000-000000000001");
        let minimum = one.minimum_healthy_hosts.unwrap();
        assert_eq!((minimum.r#type.as_deref(), minimum.value), (Some("MOST_CONCURRENCY"), Some(1)));
        assert_eq!(one.traffic_routing_config, None);
        let lambda =
            predefined(&"CodeDeployDefault.LambdaCanary10Percent5Minutes".parse().unwrap())
                .unwrap();
        let canary = lambda.traffic_routing_config.unwrap().time_based_canary.unwrap();
        assert_eq!((canary.canary_percentage, canary.canary_interval), (Some(10), Some(5)));
    }

    #[test]
    fn a_minimum_has_a_type_and_a_range() {
        let parse = |kind: &str, value: Option<i64>| {
            minimum(Some(&WireMinimum { r#type: Some(kind.into()), value })).ok()
        };
        assert_eq!(parse("HOST_COUNT", None), Some(MinimumHealthyHosts::HostCount(0)));
        assert_eq!(parse("FLEET_PERCENT", Some(99)), Some(MinimumHealthyHosts::FleetPercent(99)));
        assert_eq!(parse("FLEET_PERCENT", Some(100)), None);
        assert_eq!(parse("HOST_COUNT", Some(-1)), None);
        assert_eq!(parse("MOST_CONCURRENCY", Some(1)), None);
        assert!(minimum(None).is_err());
    }
}
