//! Which hosts there are: what the planner must know of them beyond the deployment itself.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::arn::Scope;
use model::{ErrorCode, ErrorInformation, InstanceId, Revision, Target, TargetId};
use rollout::{Busy, Candidate, HealthClass, HostFacts, Members, Presence, Snapshot};
use store::{Group, HealthRecord, Store};

use crate::app::{Failure, Options, Settings, on_premises};
use crate::ec2::InstanceRecord;
use crate::forms::Records;
use crate::forms::records::Record;

/// Looks hosts up for the planner.
#[derive(Clone)]
pub struct Inventory {
    store: Store,
    records: Records,
    account: String,
    absences: Arc<Mutex<Absences>>,
}

/// Why hosts will never answer again, as far as was looked; `None`: they may.
///
/// A large deployment asks this for each of its targets in each pass, and the answers hardly ever change.
#[derive(Default)]
struct Absences {
    /// Counts how often all was forgotten: an answer from before must not be remembered after.
    forgotten: u64,
    known: HashMap<String, Option<String>>,
}

/// Why hosts could not be looked up: the store's fault, always.
type Looked<T> = Result<T, Failure>;

impl Inventory {
    /// The hosts of `account` that `store` knows.
    pub fn new(store: Store, account: String) -> Self {
        let absences = Arc::default();
        Self { records: Records::new(store.clone()), store, account, absences }
    }

    /// Whether documents of this kind tell which hosts there are.
    pub fn is_about_hosts(kind: &str) -> bool {
        kind == InstanceRecord::KIND || kind == on_premises::KIND
    }

    /// Hosts came or went: what is remembered of them no longer counts.
    pub fn forget(&self) {
        let mut absences = self.absences();
        absences.forgotten += 1;
        absences.known.clear();
    }

    fn absences(&self) -> MutexGuard<'_, Absences> {
        self.absences.lock().unwrap_or_else(PoisonError::into_inner)
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
        let only_outdated = Options::read(&record)?.update_outdated_instances_only;
        let revision = only_outdated.then_some(&record.revision);
        let health = self.store.health(&record.group_id).await?;
        self.members_of(&record.region, &group, &health, revision).await
    }

    /// The hosts that a deployment to the group would go to now; with a revision, only those that do not have it.
    ///
    /// # Errors
    /// The store failed.
    pub async fn members_of(
        &self,
        region: &str,
        group: &Group,
        health: &BTreeMap<TargetId, HealthRecord>,
        outdated_for: Option<&Revision>,
    ) -> Looked<Members> {
        let mut candidates = self.selected_with(region, group, health).await?;
        let selects_any = !candidates.is_empty();
        if let Some(revision) = outdated_for {
            let installed =
                |id: &TargetId| health.get(id).and_then(|known| known.revision.as_ref());
            candidates.retain(|candidate| installed(&candidate.id) != Some(revision));
        }
        if selects_any && candidates.is_empty() {
            return Ok(Members::UpToDate);
        }
        Ok(Members::Known(candidates))
    }

    /// The hosts of a region that a group selects now, in no particular order.
    ///
    /// # Errors
    /// The store failed.
    pub async fn selected(&self, region: &str, group: &Group) -> Looked<Vec<Candidate>> {
        let health = self.store.health(&group.id).await?;
        self.selected_with(region, group, &health).await
    }

    async fn selected_with(
        &self,
        region: &str,
        group: &Group,
        health: &BTreeMap<TargetId, HealthRecord>,
    ) -> Looked<Vec<Candidate>> {
        let settings = crate::app::group_settings(group)?;
        let mut candidates = self.instances(region, &settings, health).await?;
        candidates.extend(self.on_premises(region, &settings, health).await?);
        Ok(candidates)
    }

    async fn instances(
        &self,
        region: &str,
        settings: &Settings,
        health: &BTreeMap<TargetId, HealthRecord>,
    ) -> Looked<Vec<Candidate>> {
        let selection = settings.ec2_selection();
        if selection == model::selection::TagSelection::Nothing {
            return Ok(Vec::new());
        }
        let scope = Scope { account: self.account.clone(), region: region.to_owned() };
        let instances = self
            .records
            .list::<InstanceRecord>(&format!("{region}/"))
            .await
            .map_err(|error| Failure::internal("the instances cannot be read", error))?;
        let instances = instances.into_iter().map(|kept| kept.record);
        let selected =
            instances.filter(|found| !found.is_given_up() && selection.selects(&found.tags));
        let candidate = |found: InstanceRecord| {
            let id = found.id.parse::<InstanceId>().ok()?;
            let target = TargetId::from(&id);
            Some(Candidate {
                health: class(health, &target),
                id: target,
                arn: scope.instance(&id),
                host_identifier: scope.instance(&id),
                zone: Some(found.zone),
            })
        };
        Ok(selected.filter_map(candidate).collect())
    }

    async fn on_premises(
        &self,
        region: &str,
        settings: &Settings,
        health: &BTreeMap<TargetId, HealthRecord>,
    ) -> Looked<Vec<Candidate>> {
        let selection = settings.on_premises_selection();
        let hosts = on_premises::selected(&self.store, region, &selection).await?;
        Ok(hosts
            .into_iter()
            .map(|host| {
                let target = TargetId::new(host.name);
                Candidate {
                    health: class(health, &target),
                    id: target,
                    arn: host.arn,
                    host_identifier: host.identity.arn().to_owned(),
                    zone: host.tags.get(on_premises::ZONE_TAG).cloned(),
                }
            })
            .collect())
    }

    async fn note_absences(&self, seen: &mut Snapshot) -> Looked<()> {
        let started = seen.deployment.started.unwrap_or(seen.deployment.created);
        for target in seen.targets.iter().filter(|target| !target.status.is_over()) {
            let Some(reason) = self.absence(target).await? else { continue };
            let idle = HostFacts { presence: Presence::Present, busy: Busy::FreeSince(started) };
            let facts = seen.hosts.entry(target.id.clone()).or_insert(idle);
            facts.presence = Presence::Gone(reason);
        }
        Ok(())
    }

    /// Why the host of a target will never answer again, if that is so.
    async fn absence(&self, target: &Target) -> Looked<Option<String>> {
        let forgotten = {
            let absences = self.absences();
            if let Some(known) = absences.known.get(&target.arn) {
                return Ok(known.clone());
            }
            absences.forgotten
        };
        let found = match target.id.as_str().parse::<InstanceId>() {
            Ok(id) => self.instance_absence(&id, &target.arn).await?,
            Err(_) => self.on_premises_absence(target).await?,
        };
        let mut absences = self.absences();
        if absences.forgotten == forgotten {
            absences.known.insert(target.arn.clone(), found.clone());
        }
        Ok(found)
    }

    async fn instance_absence(&self, id: &InstanceId, arn: &str) -> Looked<Option<String>> {
        let region = arn.split(':').nth(3).unwrap_or_default();
        let found = self
            .records
            .get::<InstanceRecord>(&format!("{region}/{id}"))
            .await
            .map_err(|error| Failure::internal("an instance cannot be read", error))?;
        Ok(match found {
            Some(kept) if !kept.record.is_given_up() => None,
            Some(_) => Some(format!("the instance {id} was terminated")),
            None => Some(format!("the instance {id} does not exist any more")),
        })
    }

    async fn on_premises_absence(&self, target: &Target) -> Looked<Option<String>> {
        let bound = on_premises::bound_to(&self.store, &target.host_identifier).await?;
        // A host that was registered anew under the same name has another ARN and is another host.
        Ok(match bound {
            Some(host) if host.arn == target.arn => None,
            _ => Some(format!("the on-premises instance {} was deregistered", target.id)),
        })
    }
}

fn missing(code: ErrorCode, message: &str) -> Members {
    Members::Unknown(ErrorInformation { code, message: message.to_owned() })
}

fn class(health: &BTreeMap<TargetId, HealthRecord>, target: &TargetId) -> HealthClass {
    health.get(target).map_or(HealthClass::Unhealthy, |known| known.class)
}
