//! The zones of a deployment as the oracle reads them: one after the other, each with a minimum and a pause of its own.
//! Source: the specification's section on zonal configurations.

use std::cmp::Reverse;

use model::{Timestamp, ZonalConfig};
use rollout::{Candidate, HealthClass, Snapshot};

use super::oracle::{Tally, minimum};

/// Targets that are deployed to before the next zone is begun.
#[derive(Debug, Clone, Default)]
pub struct Zone {
    pub tally: Tally,
    /// How many of its hosts must stay healthy.
    pub minimum: u32,
    /// When the last of its targets ended, so far.
    pub ended: Option<Timestamp>,
    /// Whether the hosts of those that wait are gone, in their order.
    gone: Vec<bool>,
}

impl Zone {
    /// Counts a target that waits.
    pub fn wait(&mut self, is_gone: bool) {
        self.tally.waiting += 1;
        self.gone.push(is_gone);
    }

    /// Counts a target that ended then.
    pub fn end(&mut self, well: bool, at: Timestamp) {
        if well {
            self.tally.well += 1;
        } else {
            self.tally.badly += 1;
        }
        self.ended = self.ended.max(Some(at));
    }

    /// Begins with the next target; a host that is known to be gone fails as soon as its turn comes.
    pub fn start(&mut self, now: Timestamp) {
        self.tally.waiting -= 1;
        if !self.gone.is_empty() && self.gone.remove(0) {
            self.end(false, now);
        } else {
            self.tally.under_way += 1;
        }
    }

    pub fn is_untouched(&self) -> bool {
        self.tally.waiting == self.tally.fleet()
    }
}

pub fn total(zones: &[Zone]) -> Tally {
    zones.iter().fold(Tally::default(), |sum, zone| sum.with(zone.tally))
}

/// The zonal part of the deployment's configuration, where any of its hosts is in a zone.
pub fn applying<'a>(
    seen: &Snapshot,
    mut zones: impl Iterator<Item = Option<&'a String>>,
) -> Option<ZonalConfig> {
    seen.deployment.zonal.filter(|_| zones.any(|zone| zone.is_some()))
}

/// The zone with most unhealthy hosts comes first, then the alphabet decides; hosts without a zone come last.
pub fn sort(hosts: &mut [&Candidate]) {
    let sick: Vec<Option<String>> = hosts
        .iter()
        .filter(|host| host.health == HealthClass::Unhealthy)
        .map(|host| host.zone.clone())
        .collect();
    hosts.sort_by_key(|host| rank(&host.zone, &sick));
}

/// Where a zone comes, given the zones of all unhealthy hosts.
pub fn rank(
    zone: &Option<String>,
    sick: &[Option<String>],
) -> (bool, Reverse<usize>, Option<String>) {
    let here = sick.iter().filter(|other| *other == zone).count();
    (zone.is_none(), Reverse(here), zone.clone())
}

/// Counts targets by zone, in their order; all as one zone, without a minimum, where zones mean nothing.
pub fn divide<T>(
    zonal: Option<ZonalConfig>,
    targets: impl IntoIterator<Item = T>,
    zone_of: impl Fn(&T) -> Option<&String>,
    mut count: impl FnMut(&mut Zone, &T),
) -> Vec<Zone> {
    let mut zones: Vec<Zone> = Vec::new();
    let mut last: Option<Option<String>> = None;
    for target in targets {
        let name = zonal.and(zone_of(&target)).cloned();
        if last.as_ref() != Some(&name) {
            zones.push(Zone::default());
            last = Some(name);
        }
        if let Some(zone) = zones.last_mut() {
            count(zone, &target);
        }
    }
    for zone in &mut zones {
        let configured = zonal.and_then(|zonal| zonal.minimum_healthy_per_zone);
        zone.minimum = configured.map_or(0, |configured| minimum(configured, zone.tally.fleet()));
    }
    zones
}
