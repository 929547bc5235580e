//! One availability zone after the other, with a pause to watch between them.
//! Source: CodeDeploy user guide, "Zonal configuration".
//!
//! Where zones mean nothing to a deployment, it has one zone of all its targets, which need not be left any health of its
//! own; so there is one way of going on for both.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use model::{Target, TargetStatus, Timestamp, ZonalConfig};

use crate::action::{Action, WaitingOn};
use crate::decision::Rule;
use crate::draft::Draft;
use crate::snapshot::{Candidate, HealthClass};

/// A zone of the deployment: targets that follow each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    /// Its rank, from 0.
    pub number: usize,
    /// Its name; absent: hosts that are in no zone, or zones mean nothing.
    pub name: Option<String>,
    pub targets: Range<usize>,
    /// How many of its hosts must stay healthy, beside what the whole fleet must be left.
    pub minimum: u32,
}

/// The zone's name for people.
pub fn named(zone: Option<&str>) -> &str {
    zone.unwrap_or("the hosts without a zone")
}

impl Zone {
    pub fn hosts(&self) -> u32 {
        u32::try_from(self.targets.len()).unwrap_or(u32::MAX)
    }

    pub fn at_once(&self) -> u32 {
        self.hosts().saturating_sub(self.minimum)
    }

    pub fn count(&self, draft: &Draft, status: TargetStatus) -> u32 {
        let targets = draft.targets[self.targets.clone()].iter();
        u32::try_from(targets.filter(|target| target.status == status).count()).unwrap_or(u32::MAX)
    }

    pub fn out_of_service(&self, draft: &Draft) -> u32 {
        self.count(draft, TargetStatus::InProgress) + self.count(draft, TargetStatus::Failed)
    }

    fn is_untouched(&self, draft: &Draft) -> bool {
        self.count(draft, TargetStatus::Pending) == self.hosts()
    }

    fn is_over(&self, draft: &Draft) -> bool {
        draft.targets[self.targets.clone()].iter().all(|target| target.status.is_over())
    }
}

/// The zonal part of the deployment's configuration, where it applies to hosts like these.
pub fn applying(
    zonal: Option<ZonalConfig>,
    mut zones: impl Iterator<Item = bool>,
) -> Option<ZonalConfig> {
    zonal.filter(|_| zones.any(|has_zone| has_zone))
}

/// The zonal part that the draft's deployment follows.
fn zonal(draft: &Draft) -> Option<ZonalConfig> {
    let zones = draft.targets.iter().map(|target| target.zone.is_some());
    applying(draft.seen.deployment.zonal, zones)
}

/// The zones in the order in which they are deployed to.
fn of(draft: &Draft) -> Vec<Zone> {
    match zonal(draft) {
        Some(zonal) => split(zonal, draft.targets.iter().map(|target| target.zone.as_ref())),
        None => vec![whole(draft.targets.len())],
    }
}

/// The zones of targets that are in order.
pub fn of_targets(zonal: Option<ZonalConfig>, targets: &[Target]) -> Vec<Zone> {
    match applying(zonal, targets.iter().map(|target| target.zone.is_some())) {
        Some(zonal) => split(zonal, targets.iter().map(|target| target.zone.as_ref())),
        None => vec![whole(targets.len())],
    }
}

/// The one zone of a deployment to which zones mean nothing.
fn whole(targets: usize) -> Zone {
    Zone { number: 0, name: None, targets: 0..targets, minimum: 0 }
}

/// Splits targets, of which the zones are given, where the zone changes.
fn split<'a>(zonal: ZonalConfig, targets: impl Iterator<Item = Option<&'a String>>) -> Vec<Zone> {
    let mut zones: Vec<Zone> = Vec::new();
    for (index, name) in targets.enumerate() {
        match zones.last_mut().filter(|zone| zone.name.as_ref() == name) {
            Some(zone) => zone.targets.end = index + 1,
            None => zones.push(Zone {
                number: zones.len(),
                name: name.cloned(),
                targets: index..index + 1,
                minimum: 0,
            }),
        }
    }
    for zone in &mut zones {
        zone.minimum = zonal.minimum_healthy_per_zone().hosts(zone.hosts());
    }
    zones
}

/// The first zone of these targets that leaves no host to be taken out of service.
pub fn without_room(zonal: Option<ZonalConfig>, targets: &[Target]) -> Option<Zone> {
    let zonal = applying(zonal, targets.iter().map(|target| target.zone.is_some()))?;
    let zones = split(zonal, targets.iter().map(|target| target.zone.as_ref()));
    zones.into_iter().find(|zone| zone.at_once() == 0)
}

/// Sorts candidates by zone: the zone with most unhealthy hosts first, then by name; hosts without a zone come last.
pub fn sort(candidates: &mut [Candidate]) {
    let mut unhealthy: BTreeMap<Option<String>, u32> = BTreeMap::new();
    for candidate in candidates.iter().filter(|host| host.health == HealthClass::Unhealthy) {
        *unhealthy.entry(candidate.zone.clone()).or_default() += 1;
    }
    // Stable: inside a zone the order stays.
    candidates.sort_by_cached_key(|host| {
        let sick = unhealthy.get(&host.zone).copied().unwrap_or_default();
        (host.zone.is_none(), std::cmp::Reverse(sick), host.zone.clone())
    });
}

/// How much longer the deployment may take for its pauses between zones.
pub fn pauses(draft: &Draft) -> Duration {
    let Some(zonal) = zonal(draft) else { return Duration::ZERO };
    let between = of(draft).len().saturating_sub(1);
    (0..between)
        .map(|number| pause_after(zonal, number))
        .fold(Duration::ZERO, Duration::saturating_add)
}

/// How long the deployment pauses after the zone of that rank.
pub fn pause_after(zonal: ZonalConfig, number: usize) -> Duration {
    if number == 0 { zonal.first_zone_monitor() } else { zonal.monitor() }
}

/// Waits for the end of the pause before an untouched zone (true), or tells that the zone begins.
pub fn pause_or_enter(draft: &mut Draft, zone: &Zone) -> bool {
    let Some(zonal) = zonal(draft) else { return false };
    if !zone.is_untouched(draft) {
        return false;
    }
    let until =
        zone.number.checked_sub(1).map(|before| ended(draft, zone) + pause_after(zonal, before));
    match until.filter(|until| draft.now < *until) {
        Some(until) => {
            pause(draft, zone, until);
            true
        }
        None => {
            if draft.is_baking() {
                draft.act(Action::Resume);
            }
            draft.decide(Rule::EnterZone {
                zone: zone.name.clone(),
                hosts: zone.hosts(),
                minimum: zone.minimum,
                at_once: zone.at_once(),
            });
            false
        }
    }
}

fn pause(draft: &mut Draft, zone: &Zone, until: Timestamp) {
    if !draft.is_baking() {
        draft.act(Action::Bake);
        draft.decide(Rule::Bake { next: zone.name.clone(), until });
    }
    draft.wake_at(until);
    draft.waiting.push(WaitingOn::Baking { next: zone.name.clone(), until });
}

/// When the last target before the zone ended.
fn ended(draft: &Draft, zone: &Zone) -> Timestamp {
    let before = draft.targets[..zone.targets.start].iter().map(|target| target.last_updated);
    before.max().unwrap_or_else(|| draft.began())
}

/// The zone that is being deployed to; none if every target is over. Those before it kept their health, for a host is
/// begun only while its zone can do without it.
pub fn current(draft: &Draft) -> Option<Zone> {
    of(draft).into_iter().find(|zone| !zone.is_over(draft))
}
