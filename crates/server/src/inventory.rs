//! Which hosts there are: what the planner must know of them beyond the deployment itself.

mod instances;

use std::collections::BTreeMap;

use model::arn::Scope;
use model::{ErrorCode, ErrorInformation, InstanceId, TargetId};
use rollout::{Busy, Candidate, HealthClass, HostFacts, Members, Presence, Snapshot};
use store::{DeploymentRecord, HealthRecord, Store};

use crate::app::{Failure, Options, Settings, on_premises};
use crate::forms::Records;
use instances::HostInstance;

/// Looks hosts up for the planner.
#[derive(Clone)]
pub struct Inventory {
    store: Store,
    records: Records,
    account: String,
}

/// Why hosts could not be looked up: the store's fault, always.
type Looked<T> = Result<T, Failure>;

impl Inventory {
    /// The hosts of `account` that `store` knows.
    pub fn new(store: Store, account: String) -> Self {
        Self { records: Records::new(store.clone()), store, account }
    }

    /// Whether documents of this kind tell which hosts there are.
    pub fn is_about_hosts(kind: &str) -> bool {
        kind == instances::KIND || kind == on_premises::KIND
    }

    /// Fills in what the store left blank: the members, if the deployment has not started, and which hosts are gone.
    ///
    /// # Errors
    /// The store failed.
    pub async fn complete(&self, seen: &mut Snapshot) -> Looked<()> {
        if seen.deployment.status.has_started() {
            self.note_absences(seen).await
        } else {
            seen.members = self.members(seen).await?;
            Ok(())
        }
    }

    async fn members(&self, seen: &Snapshot) -> Looked<Members> {
        let Some(record) = self.store.deployment(&seen.deployment.id).await? else {
            return Ok(missing(ErrorCode::InternalError, "The deployment's record is gone"));
        };
        let Some(group) = self.store.group_by_id(&record.group_id).await? else {
            return Ok(missing(
                ErrorCode::DeploymentGroupMissing,
                "The deployment group was deleted before the deployment started",
            ));
        };
        let settings = crate::app::group_settings(&group)?;
        let health = self.store.health(&record.group_id).await?;
        let mut candidates = self.instances(&record, &settings, &health).await?;
        candidates.extend(self.on_premises(&record, &settings, &health).await?);
        if Options::read(&record)?.update_outdated_instances_only {
            let installed =
                |id: &TargetId| health.get(id).and_then(|known| known.revision.as_ref());
            candidates.retain(|candidate| installed(&candidate.id) != Some(&record.revision));
        }
        Ok(Members::Known(candidates))
    }

    async fn instances(
        &self,
        record: &DeploymentRecord,
        settings: &Settings,
        health: &BTreeMap<TargetId, HealthRecord>,
    ) -> Looked<Vec<Candidate>> {
        let selection = settings.ec2_selection();
        if selection == model::selection::TagSelection::Nothing {
            return Ok(Vec::new());
        }
        let scope = Scope { account: self.account.clone(), region: record.region.clone() };
        let instances = instances::of_region(&self.records, &record.region)
            .await
            .map_err(|error| Failure::internal("the instances cannot be read", error))?;
        let selected = instances
            .into_iter()
            .filter(|instance| !instance.terminated && selection.selects(&instance.tags));
        Ok(selected
            .map(|HostInstance { id, .. }| {
                let target = TargetId::from(&id);
                Candidate {
                    health: class(health, &target),
                    id: target,
                    arn: scope.instance(&id),
                    host_identifier: scope.instance(&id),
                }
            })
            .collect())
    }

    async fn on_premises(
        &self,
        record: &DeploymentRecord,
        settings: &Settings,
        health: &BTreeMap<TargetId, HealthRecord>,
    ) -> Looked<Vec<Candidate>> {
        let selection = settings.on_premises_selection();
        let hosts = on_premises::selected(&self.store, &record.region, &selection).await?;
        Ok(hosts
            .into_iter()
            .map(|host| {
                let target = TargetId::new(host.name);
                Candidate {
                    health: class(health, &target),
                    id: target,
                    arn: host.arn,
                    host_identifier: host.identity.arn().to_owned(),
                }
            })
            .collect())
    }

    async fn note_absences(&self, seen: &mut Snapshot) -> Looked<()> {
        let started = seen.deployment.started.unwrap_or(seen.deployment.created);
        for target in seen.targets.iter().filter(|target| !target.status.is_over()) {
            let Some(reason) =
                self.absence(&target.id, &target.host_identifier, &target.arn).await?
            else {
                continue;
            };
            let idle = HostFacts { presence: Presence::Present, busy: Busy::FreeSince(started) };
            let facts = seen.hosts.entry(target.id.clone()).or_insert(idle);
            facts.presence = Presence::Gone(reason);
        }
        Ok(())
    }

    /// Why the host of a target will never answer again, if that is so.
    async fn absence(
        &self,
        target: &TargetId,
        host_identifier: &str,
        arn: &str,
    ) -> Looked<Option<String>> {
        if let Ok(id) = target.as_str().parse::<InstanceId>() {
            let found = instances::find(&self.records, &id)
                .await
                .map_err(|error| Failure::internal("the instance cannot be read", error))?;
            return Ok(match found {
                Some(instance) if !instance.terminated => None,
                Some(_) => Some(format!("the instance {id} was terminated")),
                None => Some(format!("the instance {id} does not exist any more")),
            });
        }
        let bound = on_premises::bound_to(&self.store, host_identifier).await?;
        // A host that was registered anew under the same name has another ARN and is another host.
        Ok(match bound {
            Some(host) if host.arn == arn => None,
            _ => Some(format!("the on-premises instance {target} was deregistered")),
        })
    }
}

fn missing(code: ErrorCode, message: &str) -> Members {
    Members::Unknown(ErrorInformation { code, message: message.to_owned() })
}

fn class(health: &BTreeMap<TargetId, HealthRecord>, target: &TargetId) -> HealthClass {
    health.get(target).map_or(HealthClass::Unhealthy, |known| known.class)
}
