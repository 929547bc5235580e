//! Deployment configurations: how many hosts must stay healthy while others are deployed to.

use std::time::Duration;

use crate::names::DeploymentConfigName;

/// The health that a deployment must leave its fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MinimumHealthyHosts {
    /// At least so many hosts.
    HostCount(u32),
    /// At least this share of the hosts, 0 to 99 percent.
    FleetPercent(u8),
    /// At most so many hosts out of service at once, but never refusing a fleet of one.
    /// Only the predefined `OneAtATime` has it; it is shown, never accepted as input.
    MostConcurrency(u32),
}

impl MinimumHealthyHosts {
    /// Hosts of a `fleet` that must stay healthy; a fraction of a host counts as a whole one.
    /// Source: CodeDeploy user guide, "Minimum healthy instances".
    pub fn hosts(self, fleet: u32) -> u32 {
        match self {
            Self::HostCount(count) => count,
            Self::FleetPercent(percent) => {
                let share = (u64::from(fleet) * u64::from(percent)).div_ceil(100);
                u32::try_from(share).unwrap_or(u32::MAX)
            }
            Self::MostConcurrency(at_once) => fleet.saturating_sub(at_once),
        }
    }
}

/// A deployment configuration for servers. Immutable: it is created and deleted, never changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeploymentConfig {
    pub name: DeploymentConfigName,
    pub minimum_healthy: MinimumHealthyHosts,
    /// Absent: availability zones mean nothing to the deployment.
    pub zonal: Option<ZonalConfig>,
}

/// One availability zone after the other, with a pause to watch between them.
/// Each part as it was given, since answers repeat it; what an absent one means is told by the functions.
/// Source: CodeDeploy API reference, `ZonalConfig`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ZonalConfig {
    /// The pause after the first zone, in whole seconds.
    pub first_zone_monitor: Option<Duration>,
    /// The pause after each other zone but the last, in whole seconds.
    pub monitor: Option<Duration>,
    /// The health that a zone must be left, beside that of the whole fleet.
    pub minimum_healthy_per_zone: Option<MinimumHealthyHosts>,
}

impl ZonalConfig {
    /// How long to watch after the first zone: as long as after any other, unless it was said.
    pub fn first_zone_monitor(self) -> Duration {
        self.first_zone_monitor.unwrap_or_else(|| self.monitor())
    }

    /// How long to watch after each other zone: not at all, unless it was said.
    pub fn monitor(self) -> Duration {
        self.monitor.unwrap_or_default()
    }

    /// The health that a zone must be left: none, unless it was said.
    pub fn minimum_healthy_per_zone(self) -> MinimumHealthyHosts {
        self.minimum_healthy_per_zone.unwrap_or(MinimumHealthyHosts::FleetPercent(0))
    }
}

impl DeploymentConfig {
    /// The three configurations for servers that always exist.
    /// Source: CodeDeploy user guide, "Predefined deployment configurations".
    pub fn predefined() -> [Self; 3] {
        let named = |name: &str, minimum_healthy| Self {
            name: format!("{}{name}", DeploymentConfigName::PREDEFINED_PREFIX)
                .parse()
                .expect("the predefined names are valid"),
            minimum_healthy,
            zonal: None,
        };
        [
            named("AllAtOnce", MinimumHealthyHosts::FleetPercent(0)),
            named("HalfAtATime", MinimumHealthyHosts::FleetPercent(50)),
            named("OneAtATime", MinimumHealthyHosts::MostConcurrency(1)),
        ]
    }
}

/// Names of the predefined configurations of other platforms: listed, since clients list them, but of no use to servers.
pub const PREDEFINED_FOR_OTHER_PLATFORMS: [&str; 14] = [
    "CodeDeployDefault.LambdaAllAtOnce",
    "CodeDeployDefault.LambdaCanary10Percent5Minutes",
    "CodeDeployDefault.LambdaCanary10Percent10Minutes",
    "CodeDeployDefault.LambdaCanary10Percent15Minutes",
    "CodeDeployDefault.LambdaCanary10Percent30Minutes",
    "CodeDeployDefault.LambdaLinear10PercentEvery1Minute",
    "CodeDeployDefault.LambdaLinear10PercentEvery2Minutes",
    "CodeDeployDefault.LambdaLinear10PercentEvery3Minutes",
    "CodeDeployDefault.LambdaLinear10PercentEvery10Minutes",
    "CodeDeployDefault.ECSAllAtOnce",
    "CodeDeployDefault.ECSCanary10Percent5Minutes",
    "CodeDeployDefault.ECSCanary10Percent15Minutes",
    "CodeDeployDefault.ECSLinear10PercentEvery1Minutes",
    "CodeDeployDefault.ECSLinear10PercentEvery3Minutes",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_zone_is_watched_like_the_others_unless_it_was_said() {
        let second = Duration::from_secs(1);
        let zonal = ZonalConfig { monitor: Some(second), ..ZonalConfig::default() };
        assert_eq!((zonal.first_zone_monitor(), zonal.monitor()), (second, second));
        let first = ZonalConfig { first_zone_monitor: Some(second), ..ZonalConfig::default() };
        assert_eq!((first.first_zone_monitor(), first.monitor()), (second, Duration::ZERO));
        assert_eq!(first.minimum_healthy_per_zone(), MinimumHealthyHosts::FleetPercent(0));
    }

    #[test]
    fn a_fraction_of_a_host_counts_as_a_whole_one() {
        assert_eq!(MinimumHealthyHosts::FleetPercent(50).hosts(9), 5);
        assert_eq!(MinimumHealthyHosts::FleetPercent(85).hosts(10), 9);
        assert_eq!(MinimumHealthyHosts::FleetPercent(0).hosts(10), 0);
        assert_eq!(MinimumHealthyHosts::HostCount(3).hosts(2), 3);
        assert_eq!(MinimumHealthyHosts::MostConcurrency(1).hosts(10), 9);
        assert_eq!(MinimumHealthyHosts::MostConcurrency(1).hosts(1), 0);
    }
}
