//! What every simulated deployment is held to, at each plan, each commit and at its end.

use std::fmt;
use std::time::Duration;

use model::{
    DeploymentId, DeploymentStatus, Event, EventState, HostCommandId, LifecycleEvent, QueuePolicy,
    Target, TargetId, TargetStatus, Timestamp,
};
use rollout::{Action, Candidate, HealthClass, Members, Plan, Rollback, Snapshot, WaitingOn};

use super::oracle::{self, DEPLOYMENT_LIMIT, FIRST_READING_LIMIT, RolledBack, Tally};
use super::world::{Deployed, World};
use super::zones;

/// A promise that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The same words for the same promise, whatever happened.
    pub promise: &'static str,
    /// What was seen instead.
    pub seen: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "broken promise: {}: {}", self.promise, self.seen)
    }
}

fn promise(words: &'static str, kept: bool, seen: impl FnOnce() -> String) -> Result<(), Broken> {
    if kept { Ok(()) } else { Err(Broken { promise: words, seen: seen() }) }
}

const NOTHING_IS_LEFT: &str = "no deployment is left for good";

pub fn nothing_left_to_happen() -> Broken {
    let seen = "nothing will ever happen again, and a deployment is not over".to_owned();
    Broken { promise: NOTHING_IS_LEFT, seen }
}

pub fn never_at_rest(happenings: u64) -> Broken {
    Broken { promise: NOTHING_IS_LEFT, seen: format!("not over after {happenings} happenings") }
}

/// A deployment ends within its limit, by true time, whatever happens to hosts; servers that are down, clocks that are
/// set, and pauses between zones may add what they took. Waiting for the group's place, or for room, has no limit.
pub fn in_time(world: &World, deployment: usize) -> Result<(), Broken> {
    let deployed = &world.deployments[deployment];
    if deployed.waits.is_some() || deployed.waits_for_room() {
        return Ok(());
    }
    let took = world.now.since(deployed.since);
    let pauses = oracle::pauses(&deployed.seen, by_zone(&deployed.seen).len());
    let allowed =
        FIRST_READING_LIMIT + DEPLOYMENT_LIMIT + pauses + world.lost + Duration::from_secs(120);
    promise(NOTHING_IS_LEFT, took <= allowed, || format!("not over after {} s", took.as_secs()))
}

/// What holds for a plan, whether it will be committed or not. The thorough part copies the whole snapshot.
pub fn of_a_plan(
    seen: &Snapshot,
    plan: &Plan,
    now: Timestamp,
    thorough: bool,
) -> Result<(), Broken> {
    plan.actions.iter().try_for_each(|action| of_an_action(seen, action, now))?;
    pauses_are_kept(seen, &plan.actions, now)?;
    let over = plan
        .actions
        .iter()
        .any(|action| matches!(action, Action::Finish(_) | Action::Refuse { .. }));
    if !over {
        patience(plan, now)?;
    }
    if !thorough && !over {
        return Ok(());
    }
    promise("the same input gives the same plan", rollout::plan(seen, now) == *plan, || {
        "another plan".to_owned()
    })?;
    if plan.actions.is_empty() {
        as_the_tables_say(seen, seen, now)?;
        return reasons(seen, plan);
    }
    let mut after = seen.clone();
    after.apply(&plan.actions);
    as_the_tables_say(seen, &after, now)?;
    let again = rollout::plan(&after, now);
    if over {
        promise("what is over stays over", again == Plan::default(), || format!("{again:?}"))?;
        return at_the_end(seen, &after);
    }
    promise(
        "planning again right after a plan gives no actions",
        again.actions.is_empty(),
        || format!("{:?}", again.actions),
    )?;
    patience(&again, now)?;
    reasons(&after, &again)
}

/// The targets and the end are those that the specification's tables give.
fn as_the_tables_say(seen: &Snapshot, after: &Snapshot, now: Timestamp) -> Result<(), Broken> {
    let expected = oracle::expected(seen, now);
    let tally = Tally::of(&after.targets);
    promise("hosts are where the tables put them", tally == expected.tally, || {
        format!("{tally:?}, and the tables say {:?}", expected.tally)
    })?;
    let deployment = &after.deployment;
    let code = deployment.error.as_ref().map(|error| error.code);
    let end = deployment.status.is_over().then_some((deployment.status, code));
    promise("the verdict is that of the tables", end == expected.end, || {
        format!("{end:?}, and the tables say {:?} of {tally:?}", expected.end)
    })?;
    let rollback = deployment.rollback.as_ref().map_or(RolledBack::No, |rollback| match rollback {
        Rollback::Made(_) => RolledBack::Yes,
        Rollback::Impossible => RolledBack::ToNothing,
    });
    promise("a rollback follows when the tables say so", rollback == expected.rollback, || {
        format!("{rollback:?}, and the tables say {:?} of {end:?}", expected.rollback)
    })
}

/// A rollback has an id that nobody else has.
pub fn of_a_rollback(world: &World, deployment: usize, by: &DeploymentId) -> Result<(), Broken> {
    let taken = world.deployments.iter().any(|deployed| deployed.seen.deployment.id == *by);
    promise("a rollback is a new deployment", !taken, || {
        format!("{by} for {}", world.deployments[deployment].seen.deployment.id)
    })
}

/// A deployment that waits knows for what, and when to look again.
fn patience(plan: &Plan, now: Timestamp) -> Result<(), Broken> {
    promise("nothing waits without a reason", !plan.waiting.is_empty(), || "no reason".to_owned())?;
    promise("whoever waits looks again", plan.wake_at.is_some_and(|at| at > now), || {
        format!("wakes at {:?}, and it is {now:?}", plan.wake_at)
    })
}

/// Each host in progress is named by a reason, and so is what keeps the next one back.
fn reasons(seen: &Snapshot, plan: &Plan) -> Result<(), Broken> {
    let named = |id: &TargetId| {
        plan.waiting.iter().any(|reason| match reason {
            WaitingOn::Host { target, .. }
            | WaitingOn::Pickup { target, .. }
            | WaitingOn::BusyHost { target } => target == id,
            WaitingOn::MinimumHealthy { .. }
            | WaitingOn::ZoneMinimumHealthy { .. }
            | WaitingOn::EarlierZone { .. }
            | WaitingOn::Baking { .. }
            | WaitingOn::Place { .. }
            | WaitingOn::Room { .. }
            | WaitingOn::Alarms { .. }
            | WaitingOn::Stopping { .. } => false,
        })
    };
    for target in &seen.targets {
        promise(
            "each host in progress has a reason to wait",
            target.status != TargetStatus::InProgress || named(&target.id),
            || format!("{} in {:?}", target.id, plan.waiting),
        )?;
    }
    let held_back = seen.targets.iter().any(|target| target.status == TargetStatus::Pending);
    let said = plan.waiting.iter().any(|reason| match reason {
        WaitingOn::MinimumHealthy { .. }
        | WaitingOn::ZoneMinimumHealthy { .. }
        | WaitingOn::EarlierZone { .. }
        | WaitingOn::Baking { .. }
        | WaitingOn::Place { .. }
        | WaitingOn::Room { .. }
        | WaitingOn::Alarms { .. }
        | WaitingOn::Stopping { .. } => true,
        WaitingOn::Host { .. } | WaitingOn::Pickup { .. } | WaitingOn::BusyHost { .. } => false,
    });
    promise("hosts that are held back have a reason to wait", said || !held_back, || {
        format!("{:?}", plan.waiting)
    })
}

fn of_an_action(seen: &Snapshot, action: &Action, now: Timestamp) -> Result<(), Broken> {
    match action {
        Action::Start { targets, .. } => enlisted(seen, targets),
        Action::Refuse { targets, .. } if targets.is_empty() => Ok(()),
        Action::Refuse { targets, .. } => enlisted(seen, targets),
        Action::Dispatch(command) => {
            let cut_short = oracle::cut_short(&seen.deployment).is_some();
            promise("nothing is dispatched after a stop", !cut_short, || command.id.to_string())
        }
        Action::UpdateTarget(after) => {
            let before =
                seen.targets.get(after.position as usize).filter(|target| target.id == after.id);
            match before {
                Some(before) => of_a_change(seen, before, after, now),
                None => promise("targets are fixed when the deployment starts", false, || {
                    format!("{} is new", after.id)
                }),
            }
        }
        Action::Finish(_)
        | Action::Note(_)
        | Action::Queue
        | Action::TakePlace
        | Action::Bake
        | Action::Resume => Ok(()),
    }
}

/// The targets by zone, in their order, where the deployment goes zone by zone; else all of them as one.
fn by_zone(seen: &Snapshot) -> Vec<&[Target]> {
    let zones = seen.targets.iter().map(|target| target.zone.as_ref());
    match zones::applying(seen, zones) {
        Some(_) => seen.targets.chunk_by(|one, next| one.zone == next.zone).collect(),
        None => vec![&seen.targets],
    }
}

/// No host of a further zone is begun while those before it are watched.
fn pauses_are_kept(seen: &Snapshot, actions: &[Action], now: Timestamp) -> Result<(), Broken> {
    let now = not_before_it_began(seen, now);
    let dispatched = |target: &Target| {
        actions.iter().any(
            |action| matches!(action, Action::Dispatch(command) if command.target == target.id),
        )
    };
    let zones = by_zone(seen);
    for (number, zone) in zones.iter().enumerate().skip(1) {
        let untouched = zone.iter().all(|target| target.status == TargetStatus::Pending);
        if !untouched || !zone.iter().any(dispatched) {
            continue;
        }
        let ended = |target: &Target| {
            // Otherwise this very plan ends it.
            if target.status.is_over() { target.last_updated } else { now }
        };
        let last = zones[..number].iter().flat_map(|zone| zone.iter()).map(ended).max();
        let zonal = seen.deployment.zonal.unwrap_or_default();
        let until = last.unwrap_or(now) + oracle::pause_after(zonal, number - 1);
        promise("a zone is begun when those before it were watched", now >= until, || {
            format!("{:?} at {now:?}, not before {until:?}", zone[0].zone)
        })?;
    }
    Ok(())
}

/// What holds for plans about the place of the deployment's group.
pub fn of_the_line(world: &World, deployment: usize, actions: &[Action]) -> Result<(), Broken> {
    let deployed = &world.deployments[deployment];
    let takes_place = actions.contains(&Action::TakePlace);
    let begins = actions.iter().any(|action| matches!(action, Action::Start { .. }));
    promise(
        "a deployment begins with its group's place",
        !begins || takes_place || deployed.waits.is_none(),
        || format!("{actions:?}"),
    )?;
    let Some(policy) = deployed.waits.filter(|_| takes_place) else { return Ok(()) };
    let own = world.age(deployment);
    let passed_over = world.in_line(deployment).find(|other| match policy {
        QueuePolicy::Fifo => world.age(*other) < own,
        QueuePolicy::Newest | QueuePolicy::ReplacePending => world.age(*other) > own,
    });
    promise(
        "the group's place goes to whose turn it is",
        passed_over.is_none() && world.holder(deployment).is_none(),
        || format!("{} passes {passed_over:?}", deployed.seen.deployment.id),
    )
}

/// What holds for plans of deployments that begin where an account has only so much room. A rollback needs none.
pub fn of_the_room(world: &World, deployment: usize, actions: &[Action]) -> Result<(), Broken> {
    let begun = actions.iter().find_map(|action| match action {
        Action::Start { targets, .. } => Some(targets),
        _ => None,
    });
    let deployed = &world.deployments[deployment];
    let (Some(targets), Some(limits), false) =
        (begun, world.scenario.limits, deployed.is_rollback())
    else {
        return Ok(());
    };
    promise(
        "never more is under way than an account has room for",
        world.has_room(deployment, targets, limits),
        || {
            format!(
                "{} begins with {} hosts: {limits:?}",
                deployed.seen.deployment.id,
                targets.len()
            )
        },
    )?;
    let own = world.age(deployment);
    let passed_over = world.waiting_for_room().find(|other| world.age(*other) < own);
    promise("room goes to whose turn it is", passed_over.is_none(), || {
        format!("{} passes {passed_over:?}", deployed.seen.deployment.id)
    })
}

/// A group deploys one deployment at a time.
pub fn one_at_a_time(world: &World, deployment: usize) -> Result<(), Broken> {
    let group = world.deployments[deployment].group;
    let under_way = world.deployments.iter().filter(|deployed| {
        deployed.group == group
            && !deployed.is_over()
            && deployed.seen.deployment.status.has_started()
    });
    let under_way = under_way.count();
    promise("never two deployments of a group are under way", under_way <= 1, || {
        format!("{under_way} in group {group}")
    })
}

/// Never two zones at once, in their order, and each is left its minimum.
fn zones_are_kept(seen: &Snapshot) -> Result<(), Broken> {
    let zones = by_zone(seen);
    let begun =
        |target: &Target| !matches!(target.status, TargetStatus::Pending | TargetStatus::Skipped);
    let over = |zone: &&[Target]| zone.iter().all(|target| target.status.is_over());
    for (number, zone) in zones.iter().enumerate() {
        promise(
            "never two zones are under way",
            !zone.iter().any(begun) || zones[..number].iter().all(over),
            || format!("{:?} is begun before another one is over", zone[0].zone),
        )?;
        let tally = Tally::of(*zone);
        let configured = match &seen.deployment.zonal {
            Some(zonal) if zones.len() > 1 || zone.iter().any(|target| target.zone.is_some()) => {
                zonal.minimum_healthy_per_zone
            }
            _ => None,
        };
        let minimum = configured.map_or(0, |configured| oracle::minimum(configured, tally.fleet()));
        promise(
            "never more hosts of a zone are out of service than allowed",
            tally.out_of_service() <= tally.fleet().saturating_sub(minimum),
            || format!("{tally:?}, and {minimum} must stay healthy"),
        )?;
    }
    Ok(())
}

/// The targets are the members, each once, the sickest first, with all events ahead of them.
fn enlisted(seen: &Snapshot, targets: &[Target]) -> Result<(), Broken> {
    let Members::Known(members) = &seen.members else {
        return promise("targets are the group's members", targets.is_empty(), || {
            "no members".to_owned()
        });
    };
    let mut ids: Vec<&TargetId> = targets.iter().map(|target| &target.id).collect();
    let health = |target: &Target| {
        members.iter().find(|member: &&Candidate| member.id == target.id).map(|m| m.health)
    };
    let zonal = zones::applying(seen, targets.iter().map(|target| target.zone.as_ref()));
    let sick: Vec<_> = targets
        .iter()
        .filter(|target| health(target) == Some(HealthClass::Unhealthy))
        .map(|target| target.zone.clone())
        .collect();
    let rank = |target: &Target| zonal.map(|_| zones::rank(&target.zone, &sick));
    let order: Vec<_> = targets.iter().map(|target| (rank(target), health(target))).collect();
    promise("the sickest hosts come first", order.is_sorted(), || format!("{order:?}"))?;
    ids.sort();
    let mut expected: Vec<&TargetId> = members.iter().map(|member| &member.id).collect();
    expected.sort();
    expected.dedup();
    promise("targets are the group's members", ids == expected, || {
        format!("{ids:?} of {expected:?}")
    })?;
    let whole = targets.iter().zip(0..).all(|(target, position)| {
        target.position == position
            && target.events.iter().map(|event| event.name).eq(IN_PLACE.iter().copied())
    });
    promise("a target has all its events ahead", whole, || format!("{targets:?}"))
}

/// Source: the specification's event sequences, "in-place, no load balancer".
const IN_PLACE: [LifecycleEvent; 7] = [
    LifecycleEvent::ApplicationStop,
    LifecycleEvent::DownloadBundle,
    LifecycleEvent::BeforeInstall,
    LifecycleEvent::Install,
    LifecycleEvent::AfterInstall,
    LifecycleEvent::ApplicationStart,
    LifecycleEvent::ValidateService,
];

/// A target moves forward only, and each of its events ends for a reason.
fn of_a_change(
    seen: &Snapshot,
    before: &Target,
    after: &Target,
    now: Timestamp,
) -> Result<(), Broken> {
    promise("what is over stays over", !before.status.is_over(), || {
        format!("{before:?} became {after:?}")
    })?;
    let forward = after.status >= before.status;
    promise("a target moves forward", forward, || format!("{before:?} became {after:?}"))?;
    for (old, new) in before.events.iter().zip(&after.events) {
        if old != new {
            of_an_event(seen, before, old, new, now)?;
        }
    }
    events_in_order(after)
}

fn of_an_event(
    seen: &Snapshot,
    target: &Target,
    before: &Event,
    after: &Event,
    now: Timestamp,
) -> Result<(), Broken> {
    let report = match &before.state {
        EventState::InProgress { command, .. } => seen.reports.get(command),
        _ => None,
    };
    let completion = report.and_then(|report| report.completion.as_ref());
    let right = match (&before.state, &after.state) {
        (EventState::Pending, EventState::InProgress { command, dispatched }) => {
            *command == HostCommandId::derive(&seen.deployment.id, &target.id, after.name, 1)
                && *dispatched == not_before_it_began(seen, now)
        }
        // It never runs: its host is gone, or an earlier event or the whole deployment ended.
        (EventState::Pending, EventState::Failed { .. }) => gone(seen, target),
        (EventState::Pending, EventState::Skipped { .. }) => true,
        (EventState::InProgress { .. }, EventState::Succeeded { .. }) => {
            completion.is_some_and(|completion| completion.succeeded)
        }
        (EventState::InProgress { .. }, EventState::Failed { diagnostics, .. }) => match completion
        {
            Some(completion) => !completion.succeeded && completion.diagnostics == *diagnostics,
            None => true, // The tables say whether it was time.
        },
        _ => false,
    };
    promise("an event ends as its host reported", right, || {
        format!("{}: {before:?} became {after:?} on {report:?}", target.id)
    })
}

/// A clock may be behind the one that wrote the deployment's row; time does not run backwards for that.
fn not_before_it_began(seen: &Snapshot, now: Timestamp) -> Timestamp {
    now.max(seen.deployment.started.unwrap_or(seen.deployment.created))
}

fn gone(seen: &Snapshot, target: &Target) -> bool {
    seen.hosts
        .get(&target.id)
        .is_some_and(|facts| matches!(facts.presence, rollout::Presence::Gone(_)))
}

/// What holds for actions that are about to become true.
pub fn of_a_commit(deployed: &Deployed, actions: &[Action]) -> Result<(), Broken> {
    for action in actions {
        if let Action::Dispatch(command) = action {
            let ran = deployed.commands.contains_key(&command.id)
                || deployed.ran.contains(&(command.target.clone(), command.event));
            promise("no event is dispatched twice", !ran, || command.id.to_string())?;
        }
    }
    Ok(())
}

pub fn after_a_commit(seen: &Snapshot) -> Result<(), Broken> {
    let tally = Tally::of(&seen.targets);
    let minimum = oracle::minimum(seen.deployment.minimum_healthy, tally.fleet());
    let allowed = tally.fleet().saturating_sub(minimum);
    promise(
        "never more hosts are out of service than allowed",
        tally.out_of_service() <= allowed,
        || {
            format!(
                "{} of {}, and {minimum} must stay healthy",
                tally.out_of_service(),
                tally.fleet()
            )
        },
    )?;
    zones_are_kept(seen)?;
    let deployment = &seen.deployment;
    let times = [Some(deployment.created), deployment.started, deployment.completed];
    promise("times do not run backwards", times.into_iter().flatten().is_sorted(), || {
        format!("{times:?}")
    })
}

/// What holds for every target when the deployment has ended.
fn at_the_end(seen: &Snapshot, after: &Snapshot) -> Result<(), Broken> {
    after.targets.iter().try_for_each(|target| {
        promise(NOTHING_IS_LEFT, target.status.is_over(), || format!("left behind: {target:?}"))?;
        events_in_order(target)
    })?;
    let code = after.deployment.error.as_ref();
    let explained = after.deployment.status == DeploymentStatus::Succeeded
        || code.is_some_and(|error| !error.message.is_empty());
    promise("a deployment that did not succeed says why", explained, || format!("{code:?}"))?;
    let begun = seen.deployment.status.has_started() || after.targets.is_empty();
    let touched = after.targets.iter().any(|target| target.status != TargetStatus::Skipped);
    promise("a refused deployment touches no host", begun || !touched, || {
        format!("{:?}", after.targets)
    })
}

fn rank(event: &Event) -> u8 {
    match event.state {
        EventState::Succeeded { .. } => 0,
        EventState::Failed { .. } => 1,
        EventState::InProgress { .. } => 2,
        EventState::Pending => 3,
        EventState::Skipped { .. } => 4,
    }
}

fn events_in_order(target: &Target) -> Result<(), Broken> {
    let ranks: Vec<u8> = target.events.iter().map(rank).collect();
    let running = ranks.iter().filter(|rank| **rank == 2).count();
    // Ended ones (a forgiven failure among them) come before the running one, that before those still to come.
    let ordered = ranks.windows(2).all(|pair| pair[0].max(1) <= pair[1].max(1));
    let times = target.events.iter().all(|event| match &event.state {
        EventState::Succeeded { started, ended } | EventState::Failed { started, ended, .. } => {
            started <= ended
        }
        EventState::Pending | EventState::InProgress { .. } | EventState::Skipped { .. } => true,
    });
    promise("events run one after the other", running <= 1 && ordered && times, || {
        format!("{target:?}")
    })?;
    let consistent = match target.status {
        TargetStatus::Pending => ranks.iter().all(|rank| *rank == 3),
        TargetStatus::InProgress => running == 1,
        TargetStatus::Ready => false,
        TargetStatus::Succeeded => ranks.iter().all(|rank| *rank <= 1),
        TargetStatus::Failed => running == 0 && !ranks.contains(&3),
        TargetStatus::Skipped => ranks.iter().all(|rank| *rank == 4),
    };
    promise("a target's status is that of its events", consistent, || format!("{target:?}"))
}
