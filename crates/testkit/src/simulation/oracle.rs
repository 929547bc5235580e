//! What must come of a deployment, read out of the specification's tables as plainly as possible.
//!
//! Nothing here is shared with the planner but the model's nouns: no constant, no arithmetic, no order of steps. Where
//! the planner computes, this counts; where it keeps a window moving, this asks what may be done next and nothing else.
//! The worked examples of the specification are tested below, so that this reading is itself checked.

use std::collections::BTreeMap;
use std::time::Duration;

use model::{
    Creator, DeploymentStatus, ErrorCode, EventState, LifecycleEvent, MinimumHealthyHosts,
    QueuePolicy, RollbackEvent, Target, TargetStatus, Timestamp, ZonalConfig,
};
use rollout::{AlarmWatch, Busy, Candidate, Deployment, Members, Presence, Report, Room, Snapshot};

use super::zones::{self, Zone};

/// An agent must fetch an event so soon after its dispatch.
pub const PICKUP_LIMIT: Duration = Duration::from_secs(300);
/// A lifecycle event may run so long after its host has acknowledged it.
pub const EVENT_LIMIT: Duration = Duration::from_secs(3600);
/// A deployment in place may take so long.
pub const DEPLOYMENT_LIMIT: Duration = Duration::from_secs(43_200);
/// So long a deployment waits for its alarms to be read before it starts.
pub const FIRST_READING_LIMIT: Duration = Duration::from_secs(120);
/// So many targets may one deployment have.
pub const TARGETS_MAX: usize = 1000;

/// How many hosts of a fleet must stay healthy.
pub fn minimum(configured: MinimumHealthyHosts, fleet: u32) -> u32 {
    match configured {
        MinimumHealthyHosts::HostCount(hosts) => hosts,
        // The smallest number of whole hosts that is at least this share of the fleet.
        MinimumHealthyHosts::FleetPercent(percent) => (0..=fleet)
            .find(|hosts| u64::from(*hosts) * 100 >= u64::from(fleet) * u64::from(percent))
            .unwrap_or(fleet),
        MinimumHealthyHosts::MostConcurrency(at_once) if fleet > at_once => fleet - at_once,
        MinimumHealthyHosts::MostConcurrency(_) => 0,
    }
}

/// The targets of a deployment (or of one of its zones), counted by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Not begun; a target that was skipped has not begun either.
    pub waiting: u32,
    /// Being deployed to.
    pub under_way: u32,
    pub well: u32,
    pub badly: u32,
}

impl Tally {
    /// Both together.
    pub fn with(self, other: Self) -> Self {
        Self {
            waiting: self.waiting + other.waiting,
            under_way: self.under_way + other.under_way,
            well: self.well + other.well,
            badly: self.badly + other.badly,
        }
    }

    pub fn of<'a>(targets: impl IntoIterator<Item = &'a Target>) -> Self {
        let mut tally = Self::default();
        for target in targets {
            match target.status {
                TargetStatus::Pending | TargetStatus::Skipped => tally.waiting += 1,
                TargetStatus::InProgress | TargetStatus::Ready => tally.under_way += 1,
                TargetStatus::Succeeded => tally.well += 1,
                TargetStatus::Failed => tally.badly += 1,
            }
        }
        tally
    }

    pub fn fleet(self) -> u32 {
        self.waiting + self.under_way + self.well + self.badly
    }

    /// Hosts that are not known to serve: a failed one is out of service for good.
    pub fn out_of_service(self) -> u32 {
        self.under_way + self.badly
    }
}

/// What the scheduler does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// One more target.
    Start,
    /// Nothing, until a target ends.
    Wait,
    /// The end, well or badly.
    Over { well: bool },
}

/// The scheduler's loop, one question at a time: of the whole fleet, and of the zone that is deployed to. Both must be left
/// their minimum.
pub fn next(fleet: Tally, minimum: u32, zone: Tally, zone_minimum: u32) -> Next {
    let has_room =
        |tally: Tally, minimum: u32| tally.out_of_service() < tally.fleet().saturating_sub(minimum);
    if zone.waiting > 0 && has_room(fleet, minimum) && has_room(zone, zone_minimum) {
        Next::Start
    } else if fleet.under_way > 0 {
        Next::Wait
    } else if zone.waiting > 0 {
        Next::Over { well: false }
    } else {
        Next::Over { well: fleet.well >= 1 && fleet.well >= minimum }
    }
}

/// What a deployment must look like after a pass over what was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    pub tally: Tally,
    /// The end, if the deployment has come to it.
    pub end: Option<Verdict>,
    /// What follows that end.
    pub rollback: RolledBack,
}

/// Whether another deployment puts back what was there before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RolledBack {
    No,
    Yes,
    /// It was wanted, and nothing ever succeeded.
    ToNothing,
}

/// What must come of one pass.
pub fn expected(seen: &Snapshot, now: Timestamp) -> Expected {
    let (tally, end) = outcome(seen, now);
    let rollback = end.map_or(RolledBack::No, |(status, _)| rollback_after(seen, tally, status));
    Expected { tally, end, rollback }
}

/// Source: the specification's table of when a rollback is created, row by row.
fn rollback_after(seen: &Snapshot, tally: Tally, status: DeploymentStatus) -> RolledBack {
    let deployment = &seen.deployment;
    let set = |event| deployment.roll_back_on.contains(&event);
    let said = deployment.stop.as_ref().and_then(|stop| stop.roll_back);
    let (stopped, failed) =
        (status == DeploymentStatus::Stopped, status == DeploymentStatus::Failed);
    let by_alarm = cut_short(deployment) == Some((status, Some(ErrorCode::AlarmActive)));
    let wanted = if said == Some(true) {
        stopped || failed
    } else if stopped && by_alarm {
        set(RollbackEvent::StopOnAlarm)
    } else if stopped {
        said.is_none() && set(RollbackEvent::StopOnRequest)
    } else {
        failed && said.is_none() && set(RollbackEvent::Failure)
    };
    let touched = tally.well + tally.badly > 0;
    if !wanted || !touched || deployment.creator != Creator::User || deployment.orphaned.is_some() {
        RolledBack::No
    } else if seen.last_successful.is_none() {
        RolledBack::ToNothing
    } else {
        RolledBack::Yes
    }
}

/// Where the hosts are after one pass, and the end if it comes.
fn outcome(seen: &Snapshot, now: Timestamp) -> (Tally, Option<Verdict>) {
    let cut = cut_short(&seen.deployment);
    let begun = seen.deployment.status.has_started();
    if !begun && cut.is_some() {
        return (Tally::default(), cut);
    }
    if !begun && let Some(held) = held_back(seen, now) {
        return (Tally::default(), held);
    }
    let started = seen.deployment.started.unwrap_or(now);
    let zones = if begun { settled(seen, now) } else { members(seen) };
    let tally = zones::total(&zones);
    if !begun && let Some(refused) = refusal_of(seen, &zones) {
        return (tally, Some(refused));
    }
    if !begun && lacks_room(seen, tally.fleet()) {
        return (Tally::default(), None);
    }
    let overdue = now >= started + DEPLOYMENT_LIMIT + pauses(seen, zones.len());
    if overdue && tally.under_way + tally.waiting > 0 {
        let badly = tally.badly + tally.under_way;
        let ended = Tally { badly, under_way: 0, ..tally };
        return (ended, Some((DeploymentStatus::Failed, Some(ErrorCode::Timeout))));
    }
    if let Some(verdict) = cut {
        return (tally, (tally.under_way == 0).then_some(verdict));
    }
    let minimum = minimum(seen.deployment.minimum_healthy, tally.fleet());
    let zonal = seen.deployment.zonal.unwrap_or_default();
    let (tally, well) = scheduled(zones, minimum, zonal, now.max(started));
    (tally, well.map(verdict_of_results))
}

/// What keeps a deployment from beginning: for now, or with this verdict for ever.
fn held_back(seen: &Snapshot, now: Timestamp) -> Option<Option<Verdict>> {
    let deployment = &seen.deployment;
    if let (Some(number), Some(installed)) = (deployment.sequence, seen.installed_sequence)
        && number < installed
    {
        return Some(Some((DeploymentStatus::Failed, Some(ErrorCode::InvalidRevision))));
    }
    if let Some(line) = &seen.line {
        let overtaken = line.holder.as_ref().is_some_and(|holder| holder.overtook);
        let (superseded, behind) = match line.policy {
            QueuePolicy::Fifo => (false, !line.older.is_empty()),
            QueuePolicy::Newest => (overtaken, !line.newer.is_empty()),
            QueuePolicy::ReplacePending => (overtaken || !line.newer.is_empty(), false),
        };
        if superseded {
            return Some(Some((DeploymentStatus::Stopped, Some(ErrorCode::ManualStop))));
        }
        if behind || line.holder.is_some() {
            return Some(None);
        }
    }
    let watch = unread_alarms(deployment)?;
    if now < deployment.created + FIRST_READING_LIMIT {
        return Some(None);
    }
    let unreadable = (DeploymentStatus::Stopped, Some(ErrorCode::AlarmActive));
    (!watch.ignore_poll_failure).then_some(Some(unreadable))
}

/// Whether the account has no room for a deployment to so many hosts yet, or others were there before. Source: quotas
/// of the service; turns are ours.
fn lacks_room(seen: &Snapshot, hosts: u32) -> bool {
    let Some(Room { limits, deployments, hosts: taken, ahead }) = seen.room else { return false };
    let crowded =
        deployments > 0 && (deployments >= limits.deployments || taken + hosts > limits.hosts);
    seen.deployment.creator != Creator::Rollback && (ahead > 0 || crowded)
}

/// The targets after the scheduler has begun what it may, zone by zone; and whether it all ended well, if it ended.
fn scheduled(
    mut zones: Vec<Zone>,
    minimum: u32,
    zonal: ZonalConfig,
    now: Timestamp,
) -> (Tally, Option<bool>) {
    for number in 0..zones.len() {
        if zones[number].tally.waiting + zones[number].tally.under_way == 0 {
            continue;
        }
        let fleet = zones::total(&zones);
        let zone = &zones[number];
        let doomed = next(fleet, minimum, fleet, 0) == Next::Over { well: false };
        let until = pause_before(&zones, zonal, number);
        if !doomed && zone.is_untouched() && until.is_some_and(|until| now < until) {
            return (fleet, None);
        }
        loop {
            let fleet = zones::total(&zones);
            let zone = &mut zones[number];
            match next(fleet, minimum, zone.tally, zone.minimum) {
                Next::Start => zone.start(now),
                Next::Wait => return (fleet, None),
                Next::Over { .. } if zone.tally.waiting == 0 => break,
                Next::Over { .. } => return (fleet, Some(false)),
            }
        }
    }
    let fleet = zones::total(&zones);
    (fleet, Some(fleet.well >= 1 && fleet.well >= minimum))
}

/// Until when those who watch the zones before this one watch them.
fn pause_before(zones: &[Zone], zonal: ZonalConfig, number: usize) -> Option<Timestamp> {
    let ended = zones[..number].iter().filter_map(|zone| zone.ended).max()?;
    Some(ended + pause_after(zonal, number - 1))
}

/// How long those zones are watched of which the last is the one of this rank.
pub fn pause_after(zonal: ZonalConfig, number: usize) -> Duration {
    let general = zonal.monitor.unwrap_or(Duration::ZERO);
    if number == 0 { zonal.first_zone_monitor.unwrap_or(general) } else { general }
}

/// The pauses that a deployment to so many zones makes in all.
pub fn pauses(seen: &Snapshot, zones: usize) -> Duration {
    let zonal = seen.deployment.zonal.unwrap_or_default();
    (1..zones).map(|number| pause_after(zonal, number - 1)).sum()
}

/// How a deployment ends that was asked to end early; of a stop and an alarm, by what came first.
pub fn cut_short(deployment: &Deployment) -> Option<Verdict> {
    let stopped = deployment.stop.as_ref().map(|stop| stop.requested);
    let alarmed = deployment.alarms.as_ref().and_then(|watch| watch.raised.as_ref());
    let code = match (deployment.orphaned, stopped, alarmed.map(|alarm| alarm.at)) {
        (Some(missing), ..) => return Some((DeploymentStatus::Failed, Some(missing))),
        (None, None, None) => return None,
        (None, Some(stopped), Some(alarmed)) if alarmed < stopped => ErrorCode::AlarmActive,
        (None, Some(_), _) => ErrorCode::ManualStop,
        (None, None, Some(_)) => ErrorCode::AlarmActive,
    };
    Some((DeploymentStatus::Stopped, Some(code)))
}

/// The alarms of a deployment, if nobody has read them yet.
fn unread_alarms(deployment: &Deployment) -> Option<&AlarmWatch> {
    deployment.alarms.as_ref().filter(|watch| watch.first_read.is_none())
}

fn refusal_of(seen: &Snapshot, zones: &[Zone]) -> Option<Verdict> {
    let fleet = zones::total(zones).fleet();
    let code = match &seen.members {
        Members::Unknown(error) => Some(error.code),
        Members::UpToDate => None,
        Members::Known(_) => {
            refusal(seen.deployment.minimum_healthy, fleet as usize).or_else(|| {
                let full = zones.iter().any(|zone| zone.minimum >= zone.tally.fleet());
                full.then_some(ErrorCode::HealthConstraintsInvalid)
            })
        }
        Members::NotNeeded => Some(ErrorCode::InternalError),
    };
    code.map(|code| (DeploymentStatus::Failed, Some(code)))
}

/// The targets that the group's members would be, each once, by zone in their order.
fn members(seen: &Snapshot) -> Vec<Zone> {
    let Members::Known(members) = &seen.members else { return Vec::new() };
    let hosts: BTreeMap<_, &Candidate> =
        members.iter().map(|member| (&member.id, member)).collect();
    let mut hosts: Vec<&Candidate> = hosts.into_values().collect();
    let zonal = zones::applying(seen, hosts.iter().map(|host| host.zone.as_ref()));
    if zonal.is_some() {
        zones::sort(&mut hosts);
    }
    // Nobody who is gone is a member.
    zones::divide(zonal, hosts, |host| host.zone.as_ref(), |zone, _| zone.wait(false))
}

/// The targets after every report and every deadline, before any is started.
fn settled(seen: &Snapshot, now: Timestamp) -> Vec<Zone> {
    let zonal = zones::applying(seen, seen.targets.iter().map(|target| target.zone.as_ref()));
    let at = now.max(seen.deployment.started.unwrap_or(now));
    let count = |zone: &mut Zone, target: &&Target| match target.status {
        TargetStatus::Pending => zone.wait(is_gone(seen, target)),
        TargetStatus::Skipped => zone.wait(false),
        TargetStatus::Succeeded => zone.end(true, target.last_updated),
        TargetStatus::Failed => zone.end(false, target.last_updated),
        TargetStatus::InProgress | TargetStatus::Ready => match fate(seen, target, now) {
            Fate::UnderWay => zone.tally.under_way += 1,
            Fate::Well => zone.end(true, at),
            Fate::Badly => zone.end(false, at),
        },
    };
    zones::divide(zonal, &seen.targets, |target| target.zone.as_ref(), count)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    UnderWay,
    Well,
    Badly,
}

/// What becomes of a target in progress.
fn fate(seen: &Snapshot, target: &Target, now: Timestamp) -> Fate {
    let Some((event, dispatched, report)) = running(seen, target) else { return Fate::Badly };
    let forgiven = seen.deployment.ignore_application_stop_failures
        && matches!(
            event,
            LifecycleEvent::BeforeBlockTraffic
                | LifecycleEvent::AfterBlockTraffic
                | LifecycleEvent::ApplicationStop
        );
    let ended_well = match report.completion {
        Some(completion) => completion.succeeded,
        None if is_gone(seen, target) => false,
        None => match deadline(seen, target, dispatched, report.acknowledged) {
            Some(deadline) if now >= deadline => false,
            _ => return Fate::UnderWay,
        },
    };
    let is_last = target.events.last().is_some_and(|last| last.name == event);
    match (ended_well || forgiven, is_last) {
        (false, _) => Fate::Badly,
        (true, true) => Fate::Well,
        // It has neither the old revision nor the new one, or is not there to go on.
        (true, false) if cut_short(&seen.deployment).is_some() || is_gone(seen, target) => {
            Fate::Badly
        }
        (true, false) => Fate::UnderWay,
    }
}

/// The event that runs on a target, when it was dispatched and what was reported on it.
pub fn running(seen: &Snapshot, target: &Target) -> Option<(LifecycleEvent, Timestamp, Report)> {
    target.events.iter().find_map(|event| match &event.state {
        EventState::InProgress { command, dispatched } => {
            let report = seen.reports.get(command).cloned().unwrap_or_default();
            Some((event.name, *dispatched, report))
        }
        EventState::Pending
        | EventState::Succeeded { .. }
        | EventState::Failed { .. }
        | EventState::Skipped { .. } => None,
    })
}

/// When the running event counts as failed; never, while the host is busy for somebody else.
fn deadline(
    seen: &Snapshot,
    target: &Target,
    dispatched: Timestamp,
    acknowledged: Option<Timestamp>,
) -> Option<Timestamp> {
    if let Some(acknowledged) = acknowledged {
        return Some(acknowledged.max(dispatched) + EVENT_LIMIT);
    }
    match seen.hosts.get(&target.id).map(|facts| facts.busy) {
        Some(Busy::Now) => None,
        Some(Busy::FreeSince(free)) => Some(dispatched.max(free) + PICKUP_LIMIT),
        None => Some(dispatched + PICKUP_LIMIT),
    }
}

fn is_gone(seen: &Snapshot, target: &Target) -> bool {
    seen.hosts.get(&target.id).is_some_and(|facts| matches!(facts.presence, Presence::Gone(_)))
}

/// The status and code with which a deployment ends.
pub type Verdict = (DeploymentStatus, Option<ErrorCode>);

/// The verdict of a deployment that nobody cut short.
pub fn verdict_of_results(well: bool) -> Verdict {
    if well {
        (DeploymentStatus::Succeeded, None)
    } else {
        (DeploymentStatus::Failed, Some(ErrorCode::HealthConstraints))
    }
}

/// Why a deployment to so many hosts may not begin, if it may not.
pub fn refusal(configured: MinimumHealthyHosts, fleet: usize) -> Option<ErrorCode> {
    if fleet == 0 {
        Some(ErrorCode::NoInstances)
    } else if fleet > TARGETS_MAX {
        Some(ErrorCode::OverMaxInstances)
    } else if minimum(configured, fleet as u32) as usize >= fleet {
        Some(ErrorCode::HealthConstraintsInvalid)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use model::MinimumHealthyHosts::{FleetPercent, HostCount, MostConcurrency};

    use super::*;

    const ALL_AT_ONCE: MinimumHealthyHosts = FleetPercent(0);
    const HALF_AT_A_TIME: MinimumHealthyHosts = FleetPercent(50);
    const ONE_AT_A_TIME: MinimumHealthyHosts = MostConcurrency(1);

    /// Plays a deployment in which started targets end in order, one at a time. Returns how many started at once,
    /// whether it ended well and how many were never begun.
    fn play(
        configured: MinimumHealthyHosts,
        fleet: u32,
        results: impl Fn(u32) -> bool,
    ) -> (u32, bool, u32) {
        let minimum = minimum(configured, fleet);
        let mut tally = Tally { waiting: fleet, ..Tally::default() };
        let (mut at_once, mut ended) = (0, 0);
        loop {
            match next(tally, minimum, tally, 0) {
                Next::Start => {
                    tally.waiting -= 1;
                    tally.under_way += 1;
                    at_once = at_once.max(tally.under_way);
                }
                Next::Wait => {
                    tally.under_way -= 1;
                    if results(ended) {
                        tally.well += 1;
                    } else {
                        tally.badly += 1;
                    }
                    ended += 1;
                }
                Next::Over { well } => return (at_once, well, tally.waiting),
            }
        }
    }

    /// `B at once / successes required`, `x`: may not begin. Source: the specification's worked examples.
    #[test]
    fn so_many_at_once_and_so_many_required() {
        let fleets = [1, 2, 3, 5, 9, 10, 100];
        let rows = [
            (ALL_AT_ONCE, "1/1 2/1 3/1 5/1 9/1 10/1 100/1"),
            (HALF_AT_A_TIME, "x 1/1 1/2 2/3 4/5 5/5 50/50"),
            (ONE_AT_A_TIME, "1/1 1/1 1/2 1/4 1/8 1/9 1/99"),
            (FleetPercent(40), "x 1/1 1/2 3/2 5/4 6/4 60/40"),
            (FleetPercent(75), "x x x 1/4 2/7 2/8 25/75"),
            (FleetPercent(85), "x x x x 1/8 1/9 15/85"),
            (FleetPercent(95), "x x x x x x 5/95"),
            (FleetPercent(99), "x x x x x x 1/99"),
            (HostCount(0), "1/1 2/1 3/1 5/1 9/1 10/1 100/1"),
            (HostCount(1), "x 1/1 2/1 4/1 8/1 9/1 99/1"),
            (HostCount(3), "x x x 2/3 6/3 7/3 97/3"),
            (HostCount(6), "x x x x 3/6 4/6 94/6"),
            (HostCount(8), "x x x x 1/8 2/8 92/8"),
            (HostCount(9), "x x x x x 1/9 91/9"),
        ];
        for (configured, row) in rows {
            for (fleet, cell) in fleets.into_iter().zip(row.split(' ')) {
                let refused = refusal(configured, fleet as usize);
                let Some((at_once, required)) = cell.split_once('/') else {
                    assert_eq!(
                        refused,
                        Some(ErrorCode::HealthConstraintsInvalid),
                        "{configured:?} of {fleet}"
                    );
                    continue;
                };
                assert_eq!(refused, None, "{configured:?} of {fleet}");
                let (at_once, required): (u32, u32) =
                    (at_once.parse().unwrap(), required.parse().unwrap());
                let suffices = play(configured, fleet, |ended| ended < required);
                assert_eq!(suffices, (at_once, true, 0), "{configured:?} of {fleet}");
                assert!(
                    !play(configured, fleet, |ended| ended < required - 1).1,
                    "{configured:?} of {fleet}"
                );
            }
        }
    }

    /// Results in order (`+` well, `-` badly), and how many were never begun. Source: the specification's outcomes.
    #[test]
    fn outcomes_follow_from_the_order_of_results() {
        let rows = [
            (3, ONE_AT_A_TIME, "+-", false, 1),
            (3, ONE_AT_A_TIME, "++-", true, 0),
            (1, ONE_AT_A_TIME, "-", false, 0),
            (2, HALF_AT_A_TIME, "-", false, 1),
            (2, HALF_AT_A_TIME, "+-", true, 0),
            (10, HostCount(8), "-++++++++-", true, 0),
            (10, HostCount(8), "--", false, 8),
            (9, HALF_AT_A_TIME, "---++++++", true, 0),
            (9, HALF_AT_A_TIME, "----", false, 5),
            (10, ALL_AT_ONCE, "---------+", true, 0),
            (10, ALL_AT_ONCE, "----------", false, 0),
        ];
        for (fleet, configured, results, well, skipped) in rows {
            let result = |ended: u32| results.as_bytes()[ended as usize] == b'+';
            let (_, ended_well, never_begun) = play(configured, fleet, result);
            assert_eq!(
                (ended_well, never_begun),
                (well, skipped),
                "{fleet} hosts, {configured:?}, {results}"
            );
        }
    }

    #[test]
    fn some_fleets_may_not_be_deployed_to() {
        assert_eq!(refusal(ALL_AT_ONCE, 0), Some(ErrorCode::NoInstances));
        assert_eq!(refusal(ALL_AT_ONCE, 1001), Some(ErrorCode::OverMaxInstances));
        assert_eq!(refusal(ALL_AT_ONCE, 1000), None);
    }
}
