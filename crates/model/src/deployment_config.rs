//! Deployment configurations: how many hosts must stay healthy while others are deployed to.

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
    fn a_fraction_of_a_host_counts_as_a_whole_one() {
        assert_eq!(MinimumHealthyHosts::FleetPercent(50).hosts(9), 5);
        assert_eq!(MinimumHealthyHosts::FleetPercent(85).hosts(10), 9);
        assert_eq!(MinimumHealthyHosts::FleetPercent(0).hosts(10), 0);
        assert_eq!(MinimumHealthyHosts::HostCount(3).hosts(2), 3);
        assert_eq!(MinimumHealthyHosts::MostConcurrency(1).hosts(10), 9);
        assert_eq!(MinimumHealthyHosts::MostConcurrency(1).hosts(1), 0);
    }
}
