//! The rules of a rollout as tables: what was seen, and what the plan must do.

use std::time::Duration;

use model::{
    Creator, DeploymentStatus, Diagnostics, ErrorCode, EventState, HostCommandId, LifecycleEvent,
    MinimumHealthyHosts, Target, TargetId, TargetStatus, Timestamp,
};

use crate::action::{Action, Plan, WaitingOn};
use crate::replay::{self, Replay, Told};
use crate::snapshot::{
    Busy, Candidate, Completion, Deployment, HealthClass, HostFacts, Members, Presence, Report,
    Snapshot, StopIntent,
};
use crate::{DEPLOYMENT_LIMIT, Decision, EVENT_LIMIT, PICKUP_LIMIT, plan};

mod queues;
mod rollbacks;
mod room;
mod zones;

const START: Timestamp = Timestamp::from_millis(1_000_000);

fn deployment(minimum_healthy: MinimumHealthyHosts) -> Deployment {
    Deployment::new("d-TABLETEST".parse().unwrap(), minimum_healthy, START)
}

fn candidate(name: &str, health: HealthClass) -> Candidate {
    Candidate {
        id: TargetId::new(name),
        arn: format!("arn:{name}"),
        host_identifier: format!("host:{name}"),
        zone: None,
        health,
    }
}

fn created(minimum: MinimumHealthyHosts, hosts: u32) -> Snapshot {
    Snapshot {
        members: Members::Known(
            (1..=hosts).map(|n| candidate(&format!("h{n:03}"), HealthClass::Unhealthy)).collect(),
        ),
        ..Snapshot::of(deployment(minimum))
    }
}

/// Plans, checks what holds for every plan, and applies it.
fn step(seen: &mut Snapshot, now: Timestamp) -> Plan {
    let first = plan(seen, now);
    assert_eq!(plan(seen, now), first, "the same input gives the same plan");
    assert_eq!(first.actions.is_empty(), first.decisions.is_empty(), "what happens has a reason");
    let mut told = Replay::of(seen);
    seen.apply(&first.actions);
    for Decision { target, rule } in &first.decisions {
        let inputs = replay::owned(rule);
        let row = Told { target: target.as_ref(), rule: rule.name(), inputs: &inputs };
        told.take(row).expect("a decision makes sense");
    }
    assert_eq!(told, Replay::of(seen), "the decisions tell what happened: {:?}", first.decisions);
    let again = plan(seen, now);
    assert_eq!(again.actions, [], "planning again right after a plan gives no actions");
    if !seen.deployment.status.is_over() {
        assert!(!again.waiting.is_empty(), "nothing waits without a reason");
        assert!(again.wake_at.is_some_and(|at| at > now), "nothing waits for ever");
    }
    first
}

fn running(seen: &Snapshot) -> Vec<(TargetId, HostCommandId)> {
    let command = |target: &Target| {
        target.events.iter().find_map(|event| match &event.state {
            EventState::InProgress { command, .. } => Some((target.id.clone(), command.clone())),
            _ => None,
        })
    };
    seen.targets.iter().filter_map(command).collect()
}

fn report(seen: &mut Snapshot, command: &HostCommandId, at: Timestamp, succeeded: bool) {
    let diagnostics = if succeeded {
        Diagnostics::success()
    } else {
        Diagnostics::unknown_error("the hook failed")
    };
    let completion = Some(Completion { at, succeeded, diagnostics });
    seen.reports.insert(command.clone(), Report { acknowledged: Some(at), completion });
}

/// Runs one target, in the order of starting, to its end: every event reported well, or the first one badly.
fn play_one(seen: &mut Snapshot, ok: bool, now: Timestamp) {
    let (target, _) = running(seen).first().expect("a target is in flight").clone();
    while let Some((_, command)) = running(seen).into_iter().find(|(id, _)| *id == target) {
        report(seen, &command, now, ok);
        step(seen, now);
    }
}

/// One row of the outcome tables: hosts, configuration, results in order (`+` well, `-` badly) and what must follow.
fn outcome(minimum: MinimumHealthyHosts, hosts: u32, results: &str, expected: &str) {
    let mut seen = created(minimum, hosts);
    step(&mut seen, START);
    for (n, result) in results.chars().enumerate() {
        assert!(!seen.deployment.status.is_over(), "over after {n} of `{results}`");
        play_one(&mut seen, result == '+', START + Duration::from_secs(n as u64));
    }
    let skipped =
        seen.targets.iter().filter(|target| target.status == TargetStatus::Skipped).count();
    let found = match &seen.deployment.error {
        Some(error) => {
            format!("{} {}, {skipped} skipped", seen.deployment.status.name(), error.code.name())
        }
        None => format!("{}, {skipped} skipped", seen.deployment.status.name()),
    };
    assert_eq!(found, expected, "{hosts} hosts, {minimum:?}, results {results}");
}

use MinimumHealthyHosts::{FleetPercent, HostCount, MostConcurrency};

const ALL_AT_ONCE: MinimumHealthyHosts = FleetPercent(0);
const HALF_AT_A_TIME: MinimumHealthyHosts = FleetPercent(50);
const ONE_AT_A_TIME: MinimumHealthyHosts = MostConcurrency(1);

/// `B at once / successes required`, or `x` where the deployment may not begin.
/// Source: CodeDeploy user guide, "Minimum healthy instances", worked through for these fleets.
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
    for (minimum, row) in rows {
        for (hosts, expected) in fleets.iter().zip(row.split(' ')) {
            check_counts(minimum, *hosts, expected);
        }
    }
}

fn check_counts(minimum: MinimumHealthyHosts, hosts: u32, expected: &str) {
    let mut seen = created(minimum, hosts);
    step(&mut seen, START);
    let refused = seen
        .deployment
        .error
        .as_ref()
        .is_some_and(|error| error.code == ErrorCode::HealthConstraintsInvalid);
    assert_eq!(refused, expected == "x", "{minimum:?} of {hosts}");
    let Some((at_once, required)) = expected.split_once('/') else {
        assert!(seen.targets.iter().all(|target| target.status == TargetStatus::Skipped));
        return assert_eq!(seen.deployment.started, None);
    };
    assert_eq!(running(&seen).len().to_string(), at_once, "{minimum:?} of {hosts}");
    let required: u32 = required.parse().unwrap();
    assert!(succeeds(seen.clone(), required), "{minimum:?} of {hosts}: {required} suffice");
    assert!(!succeeds(seen, required - 1), "{minimum:?} of {hosts}: one less does not");
}

/// Whether the deployment succeeds when its first `successes` hosts do, and no other.
fn succeeds(mut seen: Snapshot, successes: u32) -> bool {
    let mut done = 0;
    while !seen.deployment.status.is_over() {
        play_one(&mut seen, done < successes, START);
        done += 1;
    }
    seen.deployment.status == DeploymentStatus::Succeeded
}

#[test]
fn outcomes_follow_from_the_order_of_results() {
    let failed = |skipped: u32| format!("Failed HEALTH_CONSTRAINTS, {skipped} skipped");
    let fine = "Succeeded, 0 skipped";
    outcome(ONE_AT_A_TIME, 3, "+-", &failed(1));
    outcome(ONE_AT_A_TIME, 3, "++-", fine);
    outcome(ONE_AT_A_TIME, 1, "-", &failed(0));
    outcome(HALF_AT_A_TIME, 2, "-", &failed(1));
    outcome(HALF_AT_A_TIME, 2, "+-", fine);
    outcome(HostCount(8), 10, "-++++++++-", fine);
    outcome(HostCount(8), 10, "--", &failed(8));
    outcome(HALF_AT_A_TIME, 9, "---++++++", fine);
    outcome(HALF_AT_A_TIME, 9, "----", &failed(5));
    outcome(ALL_AT_ONCE, 10, "---------+", fine);
    outcome(ALL_AT_ONCE, 10, "----------", &failed(0));
    outcome(ONE_AT_A_TIME, 9, "++++++++-", fine);
    outcome(FleetPercent(85), 10, "-", &failed(9));
}

#[test]
fn without_hosts_there_is_no_deployment() {
    let mut seen = created(ONE_AT_A_TIME, 0);
    step(&mut seen, START);
    let error = seen.deployment.error.unwrap();
    assert_eq!(
        (seen.deployment.status, error.code),
        (DeploymentStatus::Failed, ErrorCode::NoInstances)
    );
    assert!(error.message.starts_with(
        "The deployment failed because no instances were found for your deployment group"
    ));
    let mut seen = created(ONE_AT_A_TIME, 1001);
    step(&mut seen, START);
    assert_eq!(seen.deployment.error.unwrap().code, ErrorCode::OverMaxInstances);
}

#[test]
fn the_sickest_hosts_come_first_and_no_host_is_always_first() {
    let classes = [
        HealthClass::RevisionCurrent,
        HealthClass::RevisionOld,
        HealthClass::Unhealthy,
        HealthClass::RevisionUnknown,
    ];
    let mut seen = created(ALL_AT_ONCE, 0);
    seen.members = Members::Known(
        (0..40).map(|n| candidate(&format!("h{n}"), classes[n % classes.len()])).collect(),
    );
    let mut other = seen.clone();
    other.deployment.id = "d-OTHERTEST".parse().unwrap();
    step(&mut seen, START);
    step(&mut other, START);
    let order = |seen: &Snapshot| {
        seen.targets.iter().map(|target| target.id.as_str().to_owned()).collect::<Vec<_>>()
    };
    let class = |name: &String| classes[name[1..].parse::<usize>().unwrap() % classes.len()];
    assert!(order(&seen).iter().map(class).is_sorted());
    assert!(order(&other).iter().map(class).is_sorted());
    assert_ne!(order(&seen), order(&other), "the order inside a class differs between deployments");
}

#[test]
fn events_follow_each_other_in_order() {
    let mut seen = created(ONE_AT_A_TIME, 1);
    let mut ran = Vec::new();
    step(&mut seen, START);
    while let Some((_, command)) = running(&seen).pop() {
        ran.push(command.parts().2);
        report(&mut seen, &command, START + Duration::from_secs(ran.len() as u64), true);
        step(&mut seen, START + Duration::from_secs(ran.len() as u64));
    }
    assert_eq!(ran, LifecycleEvent::IN_PLACE);
    assert_eq!(seen.deployment.status, DeploymentStatus::Succeeded);
}

#[test]
fn after_a_failed_event_the_rest_of_the_target_is_skipped() {
    let mut seen = created(ONE_AT_A_TIME, 1);
    step(&mut seen, START);
    let (_, command) = running(&seen).pop().unwrap();
    report(&mut seen, &command, START, false);
    step(&mut seen, START);
    let states: Vec<_> = seen.targets[0].events.iter().map(|event| &event.state).collect();
    assert!(matches!(states[0], EventState::Failed { .. }));
    assert!(
        states[1..]
            .iter()
            .all(|state| matches!(state, EventState::Skipped { ended } if *ended == START))
    );
}

#[test]
fn a_failure_of_the_previous_revisions_hooks_can_be_forgiven() {
    let mut seen = created(ONE_AT_A_TIME, 1);
    seen.deployment.ignore_application_stop_failures = true;
    step(&mut seen, START);
    let (_, stop) = running(&seen).pop().unwrap();
    report(&mut seen, &stop, START, false);
    step(&mut seen, START);
    assert!(matches!(seen.targets[0].events[0].state, EventState::Failed { .. }));
    let (_, download) = running(&seen).pop().unwrap();
    assert_eq!(download.parts().2, LifecycleEvent::DownloadBundle);
    report(&mut seen, &download, START, false);
    step(&mut seen, START);
    assert_eq!(
        seen.targets[0].status,
        TargetStatus::Failed,
        "only the previous revision's events are forgiven"
    );
}

#[test]
fn a_silent_host_fails_after_five_minutes_and_not_before() {
    let mut seen = created(ONE_AT_A_TIME, 1);
    step(&mut seen, START);
    let limit = START + PICKUP_LIMIT;
    assert_eq!(step(&mut seen, limit - Duration::from_millis(1)).actions, []);
    step(&mut seen, limit);
    assert_eq!(seen.deployment.status, DeploymentStatus::Failed);
    let EventState::Failed { diagnostics, .. } = &seen.targets[0].events[0].state else {
        panic!("not failed")
    };
    assert!(
        diagnostics
            .message
            .starts_with("CodeDeploy agent was not able to receive the lifecycle event")
    );
}

#[test]
fn the_clock_for_fetching_stands_still_while_the_host_is_busy_elsewhere() {
    let mut seen = created(ONE_AT_A_TIME, 1);
    step(&mut seen, START);
    let id = seen.targets[0].id.clone();
    let busy = |busy| HostFacts { presence: Presence::Present, busy };
    seen.hosts.insert(id.clone(), busy(Busy::Now));
    let late = START + PICKUP_LIMIT * 3;
    let waiting = step(&mut seen, late);
    assert!(waiting.waiting.iter().any(|reason| matches!(reason, WaitingOn::BusyHost { .. })));
    seen.hosts.insert(id, busy(Busy::FreeSince(late)));
    assert_eq!(step(&mut seen, late + PICKUP_LIMIT - Duration::from_millis(1)).actions, []);
    step(&mut seen, late + PICKUP_LIMIT);
    assert_eq!(seen.deployment.status, DeploymentStatus::Failed);
}

#[test]
fn an_acknowledged_event_has_an_hour() {
    let mut seen = created(ONE_AT_A_TIME, 1);
    step(&mut seen, START);
    let (_, command) = running(&seen).pop().unwrap();
    let fetched = START + Duration::from_secs(60);
    seen.reports.insert(command.clone(), Report { acknowledged: Some(fetched), completion: None });
    assert_eq!(step(&mut seen, fetched + EVENT_LIMIT - Duration::from_millis(1)).actions, []);
    let mut in_time = seen.clone();
    report(&mut in_time, &command, fetched + EVENT_LIMIT, true);
    step(&mut in_time, fetched + EVENT_LIMIT);
    assert_eq!(
        in_time.targets[0].status,
        TargetStatus::InProgress,
        "a report at its deadline wins"
    );
    step(&mut seen, fetched + EVENT_LIMIT);
    assert_eq!(seen.targets[0].status, TargetStatus::Failed);
}

#[test]
fn a_host_that_is_gone_fails_when_its_event_is_due() {
    let mut seen = created(ONE_AT_A_TIME, 3);
    step(&mut seen, START);
    let gone = HostFacts {
        presence: Presence::Gone("the instance was terminated".to_owned()),
        busy: Busy::FreeSince(START),
    };
    seen.hosts.insert(seen.targets[2].id.clone(), gone.clone());
    assert_eq!(step(&mut seen, START).actions, [], "its turn has not come");
    seen.hosts.insert(seen.targets[0].id.clone(), gone);
    step(&mut seen, START);
    assert_eq!(seen.targets[0].status, TargetStatus::Failed);
    assert_eq!(seen.deployment.status, DeploymentStatus::Failed);
}

#[test]
fn a_deployment_ends_after_twelve_hours() {
    let mut seen = created(ONE_AT_A_TIME, 2);
    step(&mut seen, START);
    let (_, command) = running(&seen).pop().unwrap();
    let late = START + DEPLOYMENT_LIMIT;
    seen.reports.insert(
        command,
        Report { acknowledged: Some(late - Duration::from_secs(9)), completion: None },
    );
    step(&mut seen, late);
    assert_eq!(seen.deployment.error.unwrap().code, ErrorCode::Timeout);
    assert_eq!(seen.targets[0].status, TargetStatus::Failed);
    assert_eq!(seen.targets[1].status, TargetStatus::Skipped);
}

#[test]
fn nothing_ends_before_it_began_whatever_the_clock_shows() {
    let behind = START - Duration::from_secs(60);
    let mut refused = created(ONE_AT_A_TIME, 0);
    step(&mut refused, behind);
    assert_eq!(refused.deployment.completed, Some(START));
    let mut seen = created(ONE_AT_A_TIME, 1);
    step(&mut seen, START);
    asked_to_stop(&mut seen);
    let (_, command) = running(&seen).pop().unwrap();
    report(&mut seen, &command, behind, true);
    step(&mut seen, behind);
    assert_eq!(seen.deployment.completed, Some(START));
}

fn asked_to_stop(seen: &mut Snapshot) {
    let intent = StopIntent {
        requested: START,
        principal: "arn:aws:iam::1:root".to_owned(),
        roll_back: None,
    };
    seen.deployment.stop = Some(intent);
    seen.deployment.version += 1;
}

#[test]
fn a_stop_lets_the_running_event_end_and_starts_nothing() {
    let mut seen = created(HostCount(1), 3);
    step(&mut seen, START);
    asked_to_stop(&mut seen);
    let waiting = step(&mut seen, START);
    assert!(
        waiting.waiting.iter().any(|reason| matches!(reason, WaitingOn::Stopping { in_flight: 2 }))
    );
    for (_, command) in running(&seen) {
        report(&mut seen, &command, START, true);
    }
    step(&mut seen, START);
    assert_eq!(seen.deployment.status, DeploymentStatus::Stopped);
    assert_eq!(seen.deployment.error.unwrap().code, ErrorCode::ManualStop);
    let statuses: Vec<_> = seen.targets.iter().map(|target| target.status).collect();
    assert_eq!(
        statuses,
        [TargetStatus::Failed, TargetStatus::Failed, TargetStatus::Skipped],
        "half-done is failed"
    );
}

#[test]
fn a_stop_after_the_last_event_leaves_the_target_succeeded() {
    let mut seen = created(ONE_AT_A_TIME, 2);
    step(&mut seen, START);
    let (first, _) = running(&seen).pop().unwrap();
    for _ in 1..LifecycleEvent::IN_PLACE.len() {
        let (_, command) = running(&seen).pop().unwrap();
        report(&mut seen, &command, START, true);
        step(&mut seen, START);
    }
    asked_to_stop(&mut seen);
    let (id, command) = running(&seen).pop().unwrap();
    assert_eq!(id, first);
    report(&mut seen, &command, START, true);
    step(&mut seen, START);
    assert_eq!(seen.deployment.status, DeploymentStatus::Stopped);
    assert_eq!(seen.targets[0].status, TargetStatus::Succeeded);
}

#[test]
fn a_stop_before_the_start_touches_nothing() {
    let mut seen = created(ONE_AT_A_TIME, 2);
    asked_to_stop(&mut seen);
    let made = step(&mut seen, START);
    assert!(matches!(made.actions[..], [Action::Refuse { .. }]));
    assert_eq!(
        (seen.deployment.status, seen.deployment.started),
        (DeploymentStatus::Stopped, None)
    );
}

#[test]
fn a_deployment_whose_group_was_deleted_fails_when_what_runs_has_ended() {
    let mut seen = created(ONE_AT_A_TIME, 2);
    step(&mut seen, START);
    seen.deployment.orphaned = Some(ErrorCode::DeploymentGroupMissing);
    step(&mut seen, START);
    assert_eq!(seen.deployment.status, DeploymentStatus::InProgress);
    let (_, command) = running(&seen).pop().unwrap();
    report(&mut seen, &command, START, true);
    step(&mut seen, START);
    assert_eq!(seen.deployment.status, DeploymentStatus::Failed);
    assert_eq!(seen.deployment.error.unwrap().code, ErrorCode::DeploymentGroupMissing);
}

#[test]
fn reasons_for_waiting_read_as_sentences() {
    let waits =
        WaitingOn::MinimumHealthy { target: TargetId::new("web-07"), healthy: 7, minimum: 8 };
    assert_eq!(
        waits.to_string(),
        "web-07 waits: one more host out of service would leave 7 healthy, minimum 8"
    );
}
