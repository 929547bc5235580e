//! What a deployment would do if it were made now and every host succeeded: the planner's own first plan, and the batches
//! that follow from it.

use std::time::Duration;

use model::{ErrorInformation, StatusMessage, Target, Timestamp};

use crate::action::WaitingOn;
use crate::health;
use crate::plan;
use crate::snapshot::Snapshot;
use crate::zones;

/// What a deployment would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forecast {
    /// The hosts in the order in which they would be begun, also where none would be.
    pub targets: Vec<Target>,
    /// How many hosts must stay healthy.
    pub minimum: u32,
    /// How many may be out of service at once.
    pub at_once: u32,
    pub batches: Vec<Batch>,
    /// What it would wait for before it began.
    pub waits: Option<WaitingOn>,
    /// Why it would end before it began.
    pub refusal: Option<ErrorInformation>,
    /// What would go otherwise than asked.
    pub messages: Vec<StatusMessage>,
}

/// Hosts that are out of service together, if all take the same time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    pub zone: Option<String>,
    pub hosts: u32,
    /// How long the deployment pauses after it.
    pub pause: Duration,
}

/// What the deployment that was `seen` before it started would do, if it could begin at `now`.
pub fn forecast(seen: &Snapshot, now: Timestamp) -> Forecast {
    let mut seen = seen.clone();
    let waits = seen.line.take().filter(|line| !line.is_next()).map(|line| line.waiting());
    // Nobody reads the alarms of a deployment that is not made.
    seen.deployment.alarms = None;
    let actions = plan(&seen, now).actions;
    seen.apply(&actions);
    let refusal = seen.deployment.error.take();
    let hosts = u32::try_from(seen.targets.len()).unwrap_or(u32::MAX);
    let minimum = seen.deployment.minimum_healthy.hosts(hosts);
    let at_once = health::allowed_out_of_service(seen.deployment.minimum_healthy, hosts);
    Forecast {
        batches: if refusal.is_none() { batches(&seen, at_once) } else { Vec::new() },
        targets: seen.targets,
        minimum,
        at_once,
        waits,
        refusal,
        messages: seen.deployment.messages.into_iter().collect(),
    }
}

fn batches(seen: &Snapshot, at_once: u32) -> Vec<Batch> {
    let zonal = seen.deployment.zonal;
    let zones = zones::of_targets(zonal, &seen.targets);
    let last = zones.len().saturating_sub(1);
    let mut batches = Vec::new();
    for zone in zones.iter().filter(|zone| zone.hosts() > 0) {
        let size = at_once.min(zone.at_once()).max(1);
        let whole = (0..zone.hosts() / size).map(|_| size);
        let rest = Some(zone.hosts() % size).filter(|rest| *rest > 0);
        let named = |hosts| Batch { zone: zone.name.clone(), hosts, pause: Duration::ZERO };
        batches.extend(whole.chain(rest).map(named));
        if let (Some(zonal), Some(batch), true) = (zonal, batches.last_mut(), zone.number < last) {
            batch.pause = zones::pause_after(zonal, zone.number);
        }
    }
    batches
}
