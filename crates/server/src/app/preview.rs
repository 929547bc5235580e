//! What a deployment would do, before it is made.

use model::{
    ApplicationName, DeploymentConfigName, DeploymentGroupName, MinimumHealthyHosts, Revision,
};
use rollout::{Candidate, TARGETS_MAX, allowed_out_of_service};
use wire::codedeploy::CreateDeploymentInput;

use super::{Answer, App, Call, Failure, deployments};
use crate::inventory::Inventory;

/// What a deployment would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// Whose revision it would be.
    pub application: ApplicationName,
    /// Whose hosts.
    pub group: DeploymentGroupName,
    /// What would be deployed.
    pub revision: Revision,
    /// With which configuration.
    pub configuration: DeploymentConfigName,
    /// How many hosts would have to stay healthy.
    pub minimum_healthy: MinimumHealthyHosts,
    /// The hosts, class by class in the order in which they would be deployed to; inside a class chance decides.
    pub hosts: Vec<Candidate>,
    /// How many of them may be out of service at once.
    pub at_once: u32,
    /// Why it would not be accepted, or would end at once; none: it would begin.
    pub refusals: Vec<String>,
}

impl App {
    /// What the deployment that `input` asks for would do now.
    ///
    /// # Errors
    /// Those of `CreateDeployment`, but for a group that is busy, which the preview tells.
    pub async fn preview_deployment(
        &self,
        call: &Call,
        inventory: &Inventory,
        input: &CreateDeploymentInput,
    ) -> Answer<Preview> {
        let names = (input.application_name.clone(), input.deployment_group_name.clone());
        let (application, group) = self.group(call, names.0, names.1).await?;
        let (revision, config) = self.check_subject(call, input, &group).await?;
        let mut refusals = Vec::new();
        if let Err(error) = deployments::check_kind(input, &group) {
            refusals.push(error.message);
        }
        if let Some(active) = self.store.active_deployment(&group.id).await? {
            refusals.push(format!("The group has an active deployment already: {active}"));
        }
        let mut hosts = inventory.selected(&call.scope.region, &group).await?;
        if input.update_outdated_instances_only == Some(true) {
            let health = self.store.health(&group.id).await?;
            hosts.retain(|host| {
                health.get(&host.id).and_then(|known| known.revision.as_ref()) != Some(&revision)
            });
        }
        hosts.sort_by(|one, other| (one.health, &one.id).cmp(&(other.health, &other.id)));
        let fleet = u32::try_from(hosts.len())
            .map_err(|error| Failure::internal("a fleet is too large", error))?;
        let at_once = allowed_out_of_service(config.minimum_healthy, fleet);
        refusals.extend(refusal(hosts.len(), at_once, config.minimum_healthy));
        Ok(Preview {
            application: application.name,
            group: group.name,
            revision,
            configuration: config.name,
            minimum_healthy: config.minimum_healthy,
            hosts,
            at_once,
            refusals,
        })
    }
}

/// Why a deployment to so many hosts would end at once.
fn refusal(hosts: usize, at_once: u32, minimum: MinimumHealthyHosts) -> Option<String> {
    if hosts == 0 {
        return Some(
            "The group selects no host: check its tags, and those of the instances.".to_owned(),
        );
    }
    if hosts > TARGETS_MAX {
        return Some(format!(
            "The group selects {hosts} hosts; a deployment can have at most {TARGETS_MAX}."
        ));
    }
    let fleet = u32::try_from(hosts).unwrap_or(u32::MAX);
    (at_once == 0).then(|| {
        format!(
            "The configuration requires {} healthy hosts, and the group has {hosts}: none may be taken out of service.",
            minimum.hosts(fleet)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_begin_is_told_before() {
        let of = |hosts, minimum: MinimumHealthyHosts| {
            let fleet = u32::try_from(hosts).unwrap();
            refusal(hosts, allowed_out_of_service(minimum, fleet), minimum)
        };
        assert!(of(0, MinimumHealthyHosts::MostConcurrency(1)).unwrap().contains("no host"));
        assert!(of(2, MinimumHealthyHosts::HostCount(2)).unwrap().contains("requires 2 healthy"));
        assert!(of(TARGETS_MAX + 1, MinimumHealthyHosts::HostCount(0)).is_some());
        assert_eq!(of(1, MinimumHealthyHosts::MostConcurrency(1)), None);
    }
}
