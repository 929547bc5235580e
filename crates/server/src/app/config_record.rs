//! Custom deployment configurations: what callers may ask for, what is kept of it, and how answers show it.

use std::time::Duration;

use model::{DeploymentConfig, MinimumHealthyHosts, ZonalConfig};
use serde::{Deserialize, Serialize};
use store::Config;
use wire::codedeploy::{
    CreateDeploymentConfigInput, DeploymentConfigInfo, MinimumHealthyHosts as WireMinimum,
    MinimumHealthyHostsPerZone, TrafficRoutingConfig, ZonalConfig as WireZonal,
};
use wire::{ErrorCode, ServiceError};

use super::target_info::time;
use super::{Answer, Failure};

/// The longest that a shift of traffic may take. Source: CodeDeploy user guide, "Deployment configurations on an AWS
/// Lambda compute platform".
const SHIFT_MINUTES_MAX: i64 = 2880;

/// What a configuration says beside its minimum of healthy hosts, as it was given: Terraform replaces a configuration
/// whose answer has a part that was never set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "computePlatform")]
pub enum Settings {
    /// For servers, which deployments here use.
    Server {
        /// One availability zone after the other.
        zonal: Option<WireZonal>,
    },
    /// A record.
    Lambda {
        /// How traffic moves from one version of a function to the next.
        routing: TrafficRoutingConfig,
    },
    /// A record.
    #[serde(rename = "ECS")]
    Ecs {
        /// How traffic moves from one set of tasks to the next.
        routing: TrafficRoutingConfig,
    },
}

/// Reads a new configuration.
///
/// # Errors
/// The first fault in minimum, platform, routing and zones, which is the order in which the operation declares them.
pub fn read(
    input: &CreateDeploymentConfigInput,
) -> Result<(Option<MinimumHealthyHosts>, Settings), ServiceError> {
    let platform = input.compute_platform.as_deref().unwrap_or("Server");
    if platform == "Server" {
        let minimum = minimum(input.minimum_healthy_hosts.as_ref())?;
        if input.traffic_routing_config.is_some() {
            return Err(ServiceError::new(
                ErrorCode::InvalidTrafficRoutingConfiguration,
                "A trafficRoutingConfig is for Lambda and ECS configurations",
            ));
        }
        let zonal = input.zonal_config.clone();
        zonal.as_ref().map(read_zonal).transpose()?;
        return Ok((Some(minimum), Settings::Server { zonal }));
    }
    if input.minimum_healthy_hosts.is_some() {
        return Err(ServiceError::new(
            ErrorCode::InvalidComputePlatform,
            format!("minimumHealthyHosts are for servers; {platform} has no hosts"),
        ));
    }
    let routing = input.traffic_routing_config.clone().ok_or_else(|| {
        bad_routing(format!("A configuration for {platform} needs a trafficRoutingConfig"))
    })?;
    check_routing(&routing)?;
    if input.zonal_config.is_some() {
        return Err(bad_zones(format!("A zonalConfig is for servers, not for {platform}")));
    }
    let settings = match platform {
        "Lambda" => Settings::Lambda { routing },
        _ => Settings::Ecs { routing },
    };
    Ok((None, settings))
}

/// The form in which the store keeps it.
pub fn body(settings: &Settings) -> Answer<String> {
    serde_json::to_string(settings)
        .map_err(|error| Failure::internal("a deployment configuration cannot be written", error))
}

/// As deployments use it; nothing, if it is not for servers.
pub fn for_servers(config: &Config) -> Answer<Option<DeploymentConfig>> {
    let (Settings::Server { zonal }, Some(minimum_healthy)) =
        (settings(config)?, config.minimum_healthy)
    else {
        return Ok(None);
    };
    let zonal = zonal.as_ref().map(read_zonal).transpose()?;
    Ok(Some(DeploymentConfig { name: config.name.clone(), minimum_healthy, zonal }))
}

/// As answers show it.
pub fn info(config: &Config) -> Answer<DeploymentConfigInfo> {
    let (platform, traffic_routing_config, zonal_config) = match settings(config)? {
        Settings::Server { zonal } => ("Server", None, zonal),
        Settings::Lambda { routing } => ("Lambda", Some(routing), None),
        Settings::Ecs { routing } => ("ECS", Some(routing), None),
    };
    Ok(DeploymentConfigInfo {
        deployment_config_id: Some(config.id.clone()),
        deployment_config_name: Some(config.name.to_string()),
        minimum_healthy_hosts: config.minimum_healthy.map(show_minimum),
        create_time: Some(time(config.created)),
        compute_platform: Some(platform.to_owned()),
        traffic_routing_config,
        zonal_config,
    })
}

/// A minimum as answers show it.
pub fn show_minimum(minimum: MinimumHealthyHosts) -> WireMinimum {
    let (name, value) = match minimum {
        MinimumHealthyHosts::HostCount(count) => ("HOST_COUNT", count),
        MinimumHealthyHosts::FleetPercent(percent) => ("FLEET_PERCENT", u32::from(percent)),
        MinimumHealthyHosts::MostConcurrency(at_once) => ("MOST_CONCURRENCY", at_once),
    };
    WireMinimum { r#type: Some(name.to_owned()), value: Some(i64::from(value)) }
}

fn settings(config: &Config) -> Answer<Settings> {
    serde_json::from_str(&config.body)
        .map_err(|error| Failure::internal("a deployment configuration cannot be read", error))
}

fn minimum(minimum: Option<&WireMinimum>) -> Result<MinimumHealthyHosts, ServiceError> {
    let invalid =
        |message: String| ServiceError::new(ErrorCode::InvalidMinimumHealthyHostValue, message);
    let Some(minimum) = minimum else {
        return Err(invalid("A configuration for servers needs minimumHealthyHosts".to_owned()));
    };
    counted(minimum.r#type.as_deref(), minimum.value)
        .map_err(|why| invalid(format!("minimumHealthyHosts: {why}")))
}

/// A minimum of a type and a value; an absent value is 0, since Go's SDK leaves zeros out.
fn counted(kind: Option<&str>, value: Option<i64>) -> Result<MinimumHealthyHosts, String> {
    let value = value.unwrap_or(0);
    match kind {
        Some("HOST_COUNT") => u32::try_from(value)
            .map(MinimumHealthyHosts::HostCount)
            .map_err(|_| format!("a HOST_COUNT of {value} is not valid: it is 0 or more")),
        Some("FLEET_PERCENT") => u8::try_from(value)
            .ok()
            .filter(|percent| *percent < 100)
            .map(MinimumHealthyHosts::FleetPercent)
            .ok_or_else(|| format!("a FLEET_PERCENT of {value} is not valid: it is 0 to 99")),
        other => Err(format!(
            "the type '{}' is not one of HOST_COUNT, FLEET_PERCENT",
            other.unwrap_or_default()
        )),
    }
}

fn read_zonal(zonal: &WireZonal) -> Result<ZonalConfig, ServiceError> {
    let seconds = |member: &str, given: Option<i64>| {
        given.map(u64::try_from).transpose().map_or_else(
            |_| {
                let given = given.unwrap_or_default();
                Err(bad_zones(format!("{member}: {given} s is not valid: it is 0 or more")))
            },
            |seconds| Ok(seconds.map(Duration::from_secs)),
        )
    };
    let per_zone = |given: &MinimumHealthyHostsPerZone| {
        counted(given.r#type.as_deref(), given.value)
            .map_err(|why| bad_zones(format!("minimumHealthyHostsPerZone: {why}")))
    };
    Ok(ZonalConfig {
        first_zone_monitor: seconds(
            "firstZoneMonitorDurationInSeconds",
            zonal.first_zone_monitor_duration_in_seconds,
        )?,
        monitor: seconds("monitorDurationInSeconds", zonal.monitor_duration_in_seconds)?,
        minimum_healthy_per_zone: zonal
            .minimum_healthy_hosts_per_zone
            .as_ref()
            .map(per_zone)
            .transpose()?,
    })
}

/// Whether traffic can be shifted so: the type's own part is there and no other, in parts of 1 to 99 percent, and all
/// of it within two days. Source: CodeDeploy API reference, `TrafficRoutingConfig`.
fn check_routing(routing: &TrafficRoutingConfig) -> Result<(), ServiceError> {
    let parts = (&routing.time_based_canary, &routing.time_based_linear);
    match (routing.r#type.as_deref(), parts) {
        (Some("AllAtOnce"), (None, None)) => Ok(()),
        (Some("TimeBasedCanary"), (Some(canary), None)) => {
            check_shift("timeBasedCanary", canary.canary_percentage, canary.canary_interval, |_| 1)
        }
        (Some("TimeBasedLinear"), (None, Some(linear))) => {
            let pauses = |percent: i64| (99 + percent) / percent - 1;
            check_shift("timeBasedLinear", linear.linear_percentage, linear.linear_interval, pauses)
        }
        (Some(kind @ ("AllAtOnce" | "TimeBasedCanary" | "TimeBasedLinear")), _) => {
            Err(bad_routing(format!(
                "A trafficRoutingConfig of the type {kind} has exactly the part of that type"
            )))
        }
        (kind, _) => Err(bad_routing(format!(
            "The type '{}' of trafficRoutingConfig is not one of AllAtOnce, TimeBasedCanary, TimeBasedLinear",
            kind.unwrap_or_default()
        ))),
    }
}

/// Whether a shift by so many percent at a time, so many minutes apart, ends in time; `pauses` counts them.
fn check_shift(
    part: &str,
    percent: Option<i64>,
    minutes: Option<i64>,
    pauses: impl FnOnce(i64) -> i64,
) -> Result<(), ServiceError> {
    let (percent, minutes) = (percent.unwrap_or(0), minutes.unwrap_or(0));
    if !(1..=99).contains(&percent) {
        return Err(bad_routing(format!(
            "{part}: a percentage of {percent} is not valid: it is 1 to 99"
        )));
    }
    let total = minutes.saturating_mul(pauses(percent));
    if minutes < 1 || total > SHIFT_MINUTES_MAX {
        return Err(bad_routing(format!(
            "{part}: an interval of {minutes} minutes is not valid: it is at least 1, and all of them together take \
             {SHIFT_MINUTES_MAX} minutes at most"
        )));
    }
    Ok(())
}

fn bad_routing(message: String) -> ServiceError {
    ServiceError::new(ErrorCode::InvalidTrafficRoutingConfiguration, message)
}

fn bad_zones(message: String) -> ServiceError {
    ServiceError::new(ErrorCode::InvalidZonalDeploymentConfiguration, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An input in JSON, and what becomes of it: `ok`, or the error's name.
    fn check(input: &str, expected: &str) {
        let input: CreateDeploymentConfigInput = serde_json::from_str(input).unwrap();
        let found = match read(&input) {
            Ok(_) => "ok",
            Err(error) => error.code.name().trim_end_matches("Exception"),
        };
        assert_eq!(found, expected, "{input:?}");
    }

    fn server(minimum: &str, rest: &str) -> String {
        format!(r#"{{"minimumHealthyHosts": {minimum}{rest}}}"#)
    }

    #[test]
    fn a_minimum_has_a_type_and_a_range() {
        let bad = "InvalidMinimumHealthyHostValue";
        check(&server(r#"{"type": "HOST_COUNT"}"#, ""), "ok");
        check(&server(r#"{"type": "FLEET_PERCENT", "value": 99}"#, ""), "ok");
        check(&server(r#"{"type": "FLEET_PERCENT", "value": 100}"#, ""), bad);
        check(&server(r#"{"type": "HOST_COUNT", "value": -1}"#, ""), bad);
        check(&server(r#"{"type": "MOST_CONCURRENCY", "value": 1}"#, ""), bad);
        check("{}", bad);
        check(r#"{"zonalConfig": {"monitorDurationInSeconds": -1}}"#, bad);
    }

    #[test]
    fn zones_have_pauses_and_a_minimum() {
        let zones = |zonal: &str, expected| {
            let rest = format!(r#", "zonalConfig": {zonal}"#);
            check(&server(r#"{"type": "HOST_COUNT"}"#, &rest), expected);
        };
        let bad = "InvalidZonalDeploymentConfiguration";
        zones("{}", "ok");
        zones(r#"{"firstZoneMonitorDurationInSeconds": 0, "monitorDurationInSeconds": 60}"#, "ok");
        zones(r#"{"firstZoneMonitorDurationInSeconds": -1}"#, bad);
        zones(r#"{"minimumHealthyHostsPerZone": {"type": "FLEET_PERCENT", "value": 50}}"#, "ok");
        zones(r#"{"minimumHealthyHostsPerZone": {"type": "FLEET_PERCENT", "value": 100}}"#, bad);
        zones(r#"{"minimumHealthyHostsPerZone": {"value": 1}}"#, bad);
    }

    #[test]
    fn traffic_is_routed_on_other_platforms_only() {
        let routing = |routing: &str, expected| {
            check(
                &format!(r#"{{"computePlatform": "ECS", "trafficRoutingConfig": {routing}}}"#),
                expected,
            );
        };
        let bad = "InvalidTrafficRoutingConfiguration";
        let linear = |percent: i64, minutes: i64| {
            format!(
                r#"{{"type": "TimeBasedLinear", "timeBasedLinear": {{"linearPercentage": {percent}, "linearInterval": {minutes}}}}}"#
            )
        };
        routing(r#"{"type": "AllAtOnce"}"#, "ok");
        routing(&linear(10, 320), "ok");
        routing(&linear(10, 321), bad);
        routing(&linear(0, 1), bad);
        routing(&linear(99, 2880), "ok");
        routing(r#"{"type": "TimeBasedCanary"}"#, bad);
        routing(
            r#"{"type": "AllAtOnce", "timeBasedCanary": {"canaryPercentage": 1, "canaryInterval": 1}}"#,
            bad,
        );
        check(&server(r#"{"type": "HOST_COUNT"}"#, r#", "trafficRoutingConfig": {}"#), bad);
        check(r#"{"computePlatform": "Lambda"}"#, bad);
        check(
            r#"{"computePlatform": "Lambda", "minimumHealthyHosts": {"type": "HOST_COUNT"}}"#,
            "InvalidComputePlatform",
        );
        check(
            r#"{"computePlatform": "Lambda", "trafficRoutingConfig": {"type": "AllAtOnce"}, "zonalConfig": {}}"#,
            "InvalidZonalDeploymentConfiguration",
        );
    }
}
