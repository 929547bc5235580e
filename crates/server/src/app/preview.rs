//! What a deployment would do, before it is made: for whoever asks through the API, and for the console.

use std::collections::BTreeMap;
use std::time::Duration;

use model::appspec::Hook;
use model::{
    ApplicationName, DeploymentConfigName, DeploymentGroupName, DeploymentId, EventState,
    LifecycleEvent, MinimumHealthyHosts, Revision, Target, TargetId, TargetStatus,
};
use rollout::{Candidate, Forecast, HealthClass, Holder, Line, Members, Snapshot, forecast};
use store::{Group, HealthRecord, NewDeployment};
use wire::codedeploy::CreateDeploymentInput;
use wire::longshore::{
    PlanDeploymentOutput, PlannedBatch, PlannedHook, PlannedScript, PlannedTarget,
};

use super::bundle::{Inside, Seen};
use super::{Answer, App, Call, deployments, location};
use crate::forms::Context;
use crate::inventory::Inventory;

/// Always the same, so that whoever asks again gets the same order of hosts; no deployment has it.
pub(crate) fn planned_id() -> DeploymentId {
    "d-000000000".parse().expect("a well-formed id")
}

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
    /// What the planner would do.
    pub forecast: Forecast,
    /// What is known of the hosts.
    pub hosts: BTreeMap<TargetId, PlannedHost>,
    /// Why it would not be accepted, or would end at once; none: it would begin.
    pub refusals: Vec<String>,
    /// What its bundle says.
    pub bundle: Seen,
    /// How long it would take, if hosts take as long as in the group's last successful deployment; absent: there is none.
    pub expected: Option<Duration>,
}

/// What is known of a host that would be deployed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlannedHost {
    /// Where it stands in the order of targets.
    pub health: HealthClass,
    /// The revision is installed on it already.
    pub has_revision: bool,
}

impl App {
    /// What the deployment that `input` asks for would do now; nothing is changed.
    ///
    /// # Errors
    /// Those of `CreateDeployment` about what is given; what the group or its state stands against is told.
    pub async fn preview_deployment(
        &self,
        context: &Context,
        call: &Call,
        input: &CreateDeploymentInput,
    ) -> Answer<Preview> {
        let names = (input.application_name.clone(), input.deployment_group_name.clone());
        let (application, group) = self.group(call, names.0, names.1).await?;
        let subject = self.check_subject(call, input, &group).await?;
        let mut refusals = Vec::new();
        if let Err(error) = deployments::check_kind(input, &group) {
            refusals.push(error.message);
        }
        let new = self.assemble(call, input, application.name.clone(), &group, subject).await?;
        let active = self.store.active_deployment(&group.id).await?;
        if let (Some(active), None) = (&active, new.queue) {
            refusals.push(format!("The group has an active deployment already: {active}"));
        }
        let health = self.store.health(&group.id).await?;
        let seen = self.foreseen(call, input, &new, &group, &health, active).await?;
        let hosts = hosts(&seen.members, &health, &new.revision);
        let forecast = forecast(&seen, call.now);
        refusals.extend(forecast.refusal.iter().map(|error| error.message.clone()));
        Ok(Preview {
            application: application.name,
            group: group.name.clone(),
            bundle: self.bundles.look(context, &call.caller, &new.revision).await?,
            expected: self.expected(&group, &forecast).await?,
            revision: new.revision,
            configuration: new.config_name,
            minimum_healthy: new.minimum_healthy,
            forecast,
            hosts,
            refusals,
        })
    }

    /// The deployment as the planner would see it, if it were made now.
    async fn foreseen(
        &self,
        call: &Call,
        input: &CreateDeploymentInput,
        new: &NewDeployment,
        group: &Group,
        health: &BTreeMap<TargetId, HealthRecord>,
        active: Option<DeploymentId>,
    ) -> Answer<Snapshot> {
        let id = planned_id();
        let deployment = rollout::Deployment {
            sequence: new.sequence,
            zonal: new.zonal,
            ..rollout::Deployment::new(id, new.minimum_healthy, call.now)
        };
        let mut seen = Snapshot::of(deployment);
        let only_outdated = input.update_outdated_instances_only == Some(true);
        let revision = only_outdated.then_some(&new.revision);
        let inventory = Inventory::new(self.store.clone(), call.scope.account.clone());
        seen.members = inventory.members_of(&call.scope.region, group, health, revision).await?;
        if let Some(last) = &group.last_successful {
            let last = self.store.deployment_state(&last.deployment).await?;
            seen.installed_sequence = last.and_then(|last| last.sequence);
        }
        if let Some(policy) = new.queue {
            let holder = active.map(|id| Holder { id, overtook: false });
            let older = self.store.waiting_deployments(&group.id).await?;
            seen.line = Some(Line { policy, holder, older, newer: Vec::new() });
        }
        Ok(seen)
    }

    /// As many hosts' times as there are batches, and the pauses.
    async fn expected(&self, group: &Group, forecast: &Forecast) -> Answer<Option<Duration>> {
        let Some(last) = &group.last_successful else { return Ok(None) };
        let Some(seen) = self.store.snapshot(&last.deployment).await? else { return Ok(None) };
        let Some(usual) = usual_time(&seen.targets) else { return Ok(None) };
        let pauses = forecast.batches.iter().map(|batch| batch.pause);
        let batches = u32::try_from(forecast.batches.len()).unwrap_or(u32::MAX);
        Ok(Some(pauses.fold(usual.saturating_mul(batches), Duration::saturating_add)))
    }

    /// What `CreateDeployment` with this input would do, as the API says it.
    pub async fn plan_deployment(
        &self,
        context: &Context,
        call: &Call,
        input: CreateDeploymentInput,
    ) -> Answer<PlanDeploymentOutput> {
        Ok(show(self.preview_deployment(context, call, &input).await?))
    }
}

fn hosts(
    members: &Members,
    health: &BTreeMap<TargetId, HealthRecord>,
    revision: &Revision,
) -> BTreeMap<TargetId, PlannedHost> {
    let Members::Known(candidates) = members else { return BTreeMap::new() };
    let known = |host: &Candidate| {
        let installed = health.get(&host.id).and_then(|known| known.revision.as_ref());
        let host_facts =
            PlannedHost { health: host.health, has_revision: installed == Some(revision) };
        (host.id.clone(), host_facts)
    };
    candidates.iter().map(known).collect()
}

/// The time that half of the hosts that succeeded needed, from their first lifecycle event to the end of their last.
fn usual_time(targets: &[Target]) -> Option<Duration> {
    let succeeded = targets.iter().filter(|target| target.status == TargetStatus::Succeeded);
    let time = |target: &Target| {
        let spans = target.events.iter().filter_map(|event| match event.state {
            EventState::Succeeded { started, ended } => Some((started, ended)),
            EventState::Failed { started, ended, .. } => Some((started, ended)),
            EventState::Pending | EventState::InProgress { .. } | EventState::Skipped { .. } => {
                None
            }
        });
        let (begun, ended): (Vec<_>, Vec<_>) = spans.unzip();
        Some(ended.into_iter().max()?.since(begun.into_iter().min()?))
    };
    let mut times: Vec<Duration> = succeeded.filter_map(time).collect();
    times.sort_unstable();
    times.get(times.len() / 2).copied()
}

impl Preview {
    /// What is known of a host of the plan.
    pub fn host(&self, id: &TargetId) -> Option<&PlannedHost> {
        self.hosts.get(id)
    }

    /// Why hosts would fail, going by the bundle.
    pub fn host_refusals(&self) -> &[String] {
        match &self.bundle.inside {
            Inside::Read { refusals, .. } => refusals,
            Inside::Refused(refusal) => std::slice::from_ref(refusal),
            Inside::Unread(_) => &[],
        }
    }

    /// What all hosts together would fetch that do not have the revision.
    fn bytes_to_fetch(&self) -> Option<u64> {
        let targets = self.forecast.targets.iter();
        let fetching =
            targets.filter(|target| !self.host(&target.id).is_some_and(|host| host.has_revision));
        let fetching = u64::try_from(fetching.count()).unwrap_or(u64::MAX);
        self.bundle.bytes.map(|bytes| bytes.saturating_mul(fetching))
    }
}

fn show(preview: Preview) -> PlanDeploymentOutput {
    let long = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let bytes_to_fetch = preview.bytes_to_fetch().map(long);
    let targets = preview.forecast.targets.iter().map(|target| {
        let host = preview.host(&target.id);
        PlannedTarget {
            target_id: Some(target.id.to_string()),
            target_arn: Some(target.arn.clone()),
            zone: target.zone.clone(),
            health: host.map(|host| health_name(host.health).to_owned()),
            has_revision: host.map(|host| host.has_revision),
        }
    });
    let batches = preview.forecast.batches.iter().map(|batch| PlannedBatch {
        zone: batch.zone.clone(),
        hosts: Some(batch.hosts.into()),
        pause_seconds: Some(long(batch.pause.as_secs())),
    });
    let events = LifecycleEvent::IN_PLACE.map(|event| event.name().to_owned());
    PlanDeploymentOutput {
        application_name: Some(preview.application.to_string()),
        deployment_group_name: Some(preview.group.to_string()),
        deployment_config_name: Some(preview.configuration.to_string()),
        revision: location::show_own(&preview.revision),
        minimum_healthy: Some(preview.forecast.minimum.into()),
        at_once: Some(preview.forecast.at_once.into()),
        lifecycle_events: Some(events.into()),
        targets: Some(targets.collect()),
        batches: Some(batches.collect()),
        waits: preview.forecast.waits.as_ref().map(ToString::to_string),
        status_messages: Some(preview.forecast.messages.iter().map(ToString::to_string).collect()),
        hooks: hooks(&preview.bundle.inside),
        host_refusals: Some(preview.host_refusals().to_vec()),
        bundle_unread: match &preview.bundle.inside {
            Inside::Unread(why) => Some(why.clone()),
            Inside::Read { .. } | Inside::Refused(_) => None,
        },
        bundle_bytes: preview.bundle.bytes.map(long),
        bytes_to_fetch,
        expected_seconds: preview.expected.map(|expected| long(expected.as_secs())),
        refusals: Some(preview.refusals),
    }
}

/// What the AppSpec has for each event; nothing where there is none that counts.
fn hooks(inside: &Inside) -> Option<Vec<PlannedHook>> {
    let Inside::Read { hooks, .. } = inside else { return None };
    let scripts = |hooks: &[Hook]| {
        let script = |hook: &Hook| PlannedScript {
            location: Some(hook.location.clone()),
            runas: hook.runas.clone(),
            timeout_seconds: i64::try_from(hook.timeout.as_secs()).ok(),
        };
        hooks.iter().map(script).collect()
    };
    let of = |event: LifecycleEvent| PlannedHook {
        lifecycle_event_name: Some(event.name().to_owned()),
        scripts: hooks
            .iter()
            .find(|(known, _)| *known == event)
            .map_or(Some(Vec::new()), |(_, of)| Some(scripts(of))),
    };
    Some(LifecycleEvent::IN_PLACE.into_iter().map(of).collect())
}

const fn health_name(health: HealthClass) -> &'static str {
    match health {
        HealthClass::Unhealthy => "unhealthy",
        HealthClass::RevisionUnknown => "revisionUnknown",
        HealthClass::RevisionOld => "revisionOld",
        HealthClass::RevisionCurrent => "revisionCurrent",
    }
}

#[cfg(test)]
mod tests {
    use model::{Diagnostics, Event, Timestamp};

    use super::*;

    #[test]
    fn the_usual_time_is_that_of_the_host_in_the_middle() {
        let host = |seconds: i64, status| Target {
            id: TargetId::new("h"),
            arn: String::new(),
            host_identifier: String::new(),
            zone: None,
            position: 0,
            status,
            last_updated: Timestamp::from_millis(0),
            events: vec![
                Event {
                    name: LifecycleEvent::ApplicationStop,
                    state: EventState::Failed {
                        started: Timestamp::from_millis(5_000),
                        ended: Timestamp::from_millis(6_000),
                        diagnostics: Diagnostics::unknown_error("forgiven"),
                    },
                },
                Event {
                    name: LifecycleEvent::Install,
                    state: EventState::Succeeded {
                        started: Timestamp::from_millis(6_000),
                        ended: Timestamp::from_millis(5_000 + 1_000 * seconds),
                    },
                },
            ],
        };
        let (well, badly) = (TargetStatus::Succeeded, TargetStatus::Failed);
        let hosts = [host(9, well), host(4, well), host(60, badly), host(3, well)];
        assert_eq!(usual_time(&hosts), Some(Duration::from_secs(4)));
        assert_eq!(usual_time(&[host(60, badly)]), None);
    }
}
