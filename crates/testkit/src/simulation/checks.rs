//! The rules that every simulated deployment is held to.

use model::{
    DeploymentStatus, ErrorCode, Event, EventState, HostCommandId, MinimumHealthyHosts, Target,
    TargetStatus, Timestamp,
};
use rollout::{Action, DEPLOYMENT_LIMIT, Plan, Snapshot};

use super::world::World;

fn ensure(holds: bool, broken: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(broken()) }
}

/// What holds for a plan, whether it is committed or not.
pub fn plan(world: &World, plan: &Plan) -> Result<(), String> {
    let seen = &world.truth;
    ensure(rollout::plan(seen, world.now) == *plan, || {
        "the same input gave another plan".to_owned()
    })?;
    if plan.actions.is_empty() {
        return patient(seen, plan, world.now);
    }
    let mut after = seen.clone();
    after.apply(&plan.actions);
    let again = rollout::plan(&after, world.now);
    ensure(again.actions.is_empty(), || {
        format!("planning again gave more actions: {:?}", again.actions)
    })?;
    patient(&after, &again, world.now)
}

/// A deployment that nothing is done for has a reason, and a time to look again.
fn patient(seen: &Snapshot, plan: &Plan, now: Timestamp) -> Result<(), String> {
    if seen.deployment.status.is_over() {
        return Ok(());
    }
    ensure(!plan.waiting.is_empty(), || "it waits and nobody can say why".to_owned())?;
    ensure(plan.wake_at.is_some_and(|at| at > now), || {
        "it waits without a time to look again".to_owned()
    })
}

/// What holds after a commit.
pub fn commit(world: &World, actions: &[Action]) -> Result<(), String> {
    for action in actions {
        if let Action::Dispatch(command) = action {
            let stopping =
                world.truth.deployment.stop.is_some() || world.truth.deployment.orphaned.is_some();
            ensure(!stopping, || format!("{} was dispatched after a stop", command.id))?;
            ensure(!world.dispatched.contains(&command.id), || {
                format!("{} was dispatched twice", command.id)
            })?;
        }
    }
    out_of_service(&world.truth)?;
    world.truth.targets.iter().try_for_each(events_are_in_order)
}

/// Counted here by hand, not with the planner's own arithmetic.
fn minimum(minimum: MinimumHealthyHosts, fleet: usize) -> usize {
    match minimum {
        MinimumHealthyHosts::HostCount(count) => count as usize,
        MinimumHealthyHosts::FleetPercent(percent) => {
            (0..=fleet).find(|hosts| hosts * 100 >= fleet * usize::from(percent)).unwrap_or(fleet)
        }
        MinimumHealthyHosts::MostConcurrency(at_once) => fleet.saturating_sub(at_once as usize),
    }
}

fn count(seen: &Snapshot, status: TargetStatus) -> usize {
    seen.targets.iter().filter(|target| target.status == status).count()
}

fn out_of_service(seen: &Snapshot) -> Result<(), String> {
    let fleet = seen.targets.len();
    let out = count(seen, TargetStatus::InProgress) + count(seen, TargetStatus::Failed);
    let minimum = minimum(seen.deployment.minimum_healthy, fleet);
    ensure(fleet - out >= minimum.min(fleet), || {
        format!("{out} of {fleet} hosts are out of service, and {minimum} must stay healthy")
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

fn events_are_in_order(target: &Target) -> Result<(), String> {
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
    ensure(running <= 1 && ordered && times, || format!("events out of order: {target:?}"))?;
    let consistent = match target.status {
        TargetStatus::Pending => ranks.iter().all(|rank| *rank == 3),
        TargetStatus::InProgress => running == 1,
        TargetStatus::Ready => false,
        TargetStatus::Succeeded => ranks.iter().all(|rank| *rank <= 1),
        TargetStatus::Failed => running == 0 && !ranks.contains(&3),
        TargetStatus::Skipped => ranks.iter().all(|rank| *rank == 4),
    };
    ensure(consistent, || format!("status and events contradict each other: {target:?}"))
}

/// What holds at the end.
pub fn end(world: &World) -> Result<(), String> {
    let seen = &world.truth;
    out_of_service(seen)?;
    seen.targets.iter().try_for_each(events_are_in_order)?;
    for target in &seen.targets {
        ensure(target.status.is_over(), || format!("left behind: {target:?}"))?;
        ensure(
            target.status != TargetStatus::Succeeded || deserves_success(world, target),
            || format!("a target succeeded that its host did not earn: {target:?}"),
        )?;
        ensure(
            target.status != TargetStatus::Failed || world.ended_early || deserves_failure(target),
            || format!("a target failed without a failed event: {target:?}"),
        )?;
    }
    let took =
        seen.deployment.completed.map(|at| at.since(seen.deployment.created)).unwrap_or_default();
    ensure(took <= DEPLOYMENT_LIMIT * 2, || format!("it took {took:?}"))?;
    verdict(world)
}

/// The host reported every event well (or a failure that was to be forgiven).
fn deserves_success(world: &World, target: &Target) -> bool {
    target.events.iter().all(|event| {
        let id = HostCommandId::derive(&world.truth.deployment.id, &target.id, event.name, 1);
        let done = world.truth.reports.get(&id).and_then(|report| report.completion.as_ref());
        let forgiven = world.truth.deployment.ignore_application_stop_failures
            && event.name == model::LifecycleEvent::ApplicationStop;
        done.is_some_and(|completion| completion.succeeded) || forgiven
    })
}

fn deserves_failure(target: &Target) -> bool {
    target.events.iter().any(|event| matches!(event.state, EventState::Failed { .. }))
}

/// The verdict, decided anew from nothing but the counts of results.
fn verdict(world: &World) -> Result<(), String> {
    let seen = &world.truth;
    let fleet = seen.targets.len();
    let minimum = minimum(seen.deployment.minimum_healthy, fleet);
    let ok = count(seen, TargetStatus::Succeeded);
    let failed = count(seen, TargetStatus::Failed);
    let skipped = count(seen, TargetStatus::Skipped);
    let code = seen.deployment.error.as_ref().map(|error| error.code);
    let right = match (seen.deployment.status, code) {
        (DeploymentStatus::Succeeded, None) => skipped == 0 && ok >= 1 && ok >= minimum,
        (DeploymentStatus::Failed, Some(ErrorCode::HealthConstraints)) => {
            // Either all were tried and too few are healthy, or one more failure would have been one too many.
            if skipped == 0 { ok < minimum.max(1) } else { failed + minimum >= fleet }
        }
        (DeploymentStatus::Failed, Some(ErrorCode::HealthConstraintsInvalid)) => {
            minimum >= fleet && skipped == fleet
        }
        (DeploymentStatus::Failed, Some(ErrorCode::NoInstances)) => fleet == 0,
        (DeploymentStatus::Failed, Some(ErrorCode::DeploymentGroupMissing)) => {
            seen.deployment.orphaned.is_some()
        }
        (DeploymentStatus::Failed, Some(ErrorCode::Timeout)) => {
            seen.deployment.completed
                >= seen.deployment.started.map(|started| started + DEPLOYMENT_LIMIT)
        }
        (DeploymentStatus::Stopped, Some(ErrorCode::ManualStop)) => seen.deployment.stop.is_some(),
        _ => false,
    };
    ensure(right, || {
        format!(
            "verdict {:?} {code:?} with {ok} ok, {failed} failed, {skipped} skipped of {fleet}, minimum {minimum}",
            seen.deployment.status
        )
    })
}
