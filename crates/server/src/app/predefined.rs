//! The deployment configurations that always exist: three for servers, and those for Lambda and ECS, which are shown
//! since clients list them.

use model::deployment_config::PREDEFINED_FOR_OTHER_PLATFORMS;
use model::{DeploymentConfig, DeploymentConfigName};
use wire::Time;
use wire::codedeploy::{
    DeploymentConfigInfo, TimeBasedCanary, TimeBasedLinear, TrafficRoutingConfig,
};

use super::config_record;

/// Ids of the predefined configurations count from 1. Source: observed answers of the service.
const PREDEFINED_ID: &str = "00000000-0000-0000-0000-0000000000";

/// The names of all of them, those for servers first.
pub fn names() -> impl Iterator<Item = String> {
    // OneAtATime first: its id is known to end in 1.
    let servers =
        DeploymentConfig::predefined().into_iter().rev().map(|config| config.name.to_string());
    servers.chain(PREDEFINED_FOR_OTHER_PLATFORMS.map(str::to_owned))
}

/// The predefined configuration of that name as answers show it.
pub fn info(name: &DeploymentConfigName) -> Option<DeploymentConfigInfo> {
    let number = names().position(|known| known == name.as_str())? + 1;
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
            .map(|config| config_record::show_minimum(config.minimum_healthy)),
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
        assert_eq!(names().count(), 17);
        let one = info(&"CodeDeployDefault.OneAtATime".parse().unwrap()).unwrap();
        assert_eq!(one.deployment_config_id.unwrap(), "00000000-0000-0000-0000-000000000001");
        let minimum = one.minimum_healthy_hosts.unwrap();
        assert_eq!((minimum.r#type.as_deref(), minimum.value), (Some("MOST_CONCURRENCY"), Some(1)));
        assert_eq!(one.traffic_routing_config, None);
        let lambda =
            info(&"CodeDeployDefault.LambdaCanary10Percent5Minutes".parse().unwrap()).unwrap();
        let canary = lambda.traffic_routing_config.unwrap().time_based_canary.unwrap();
        assert_eq!((canary.canary_percentage, canary.canary_interval), (Some(10), Some(5)));
    }
}
