//! When a rollback follows, and what alarms do.

use super::*;
use crate::snapshot::{AlarmFinding, AlarmWatch, RaisedAlarm, Rollback};
use crate::{DEPLOYMENT_LIMIT, FIRST_READING_LIMIT};
use model::RollbackEvent::{self, Failure, StopOnAlarm, StopOnRequest};

/// How a deployment of two hosts, one at a time, comes to its end.
#[derive(Clone, Copy)]
enum End {
    Fails,
    Succeeds,
    TimesOut,
    Stopped(Option<bool>),
    Alarmed,
    AlarmedThenStopped(Option<bool>),
    Orphaned,
}

fn red() -> RaisedAlarm {
    RaisedAlarm { at: START, finding: AlarmFinding::Active(vec!["cpu".to_owned()]) }
}

fn watch() -> AlarmWatch {
    AlarmWatch { first_read: Some(START), ..AlarmWatch::new(vec!["cpu".to_owned()], false) }
}

fn stop(seen: &mut Snapshot, at: Timestamp, roll_back: Option<bool>) {
    let intent = StopIntent { requested: at, principal: "somebody".to_owned(), roll_back };
    seen.deployment.stop = Some(intent);
}

fn play(seen: &mut Snapshot, end: End) {
    let later = START + Duration::from_secs(1);
    match end {
        End::Fails => play_one(seen, false, later),
        End::Succeeds => {
            play_one(seen, true, later);
            play_one(seen, true, later);
        }
        End::TimesOut => {
            let (_, command) = running(seen).pop().unwrap();
            let late = START + DEPLOYMENT_LIMIT;
            let report = Report { acknowledged: Some(late), completion: None };
            seen.reports.insert(command, report);
            step(seen, late);
        }
        End::Stopped(roll_back) => {
            stop(seen, START, roll_back);
            end_what_runs(seen, later);
        }
        End::Alarmed => {
            seen.deployment.alarms = Some(AlarmWatch { raised: Some(red()), ..watch() });
            end_what_runs(seen, later);
        }
        End::AlarmedThenStopped(roll_back) => {
            seen.deployment.alarms = Some(AlarmWatch { raised: Some(red()), ..watch() });
            stop(seen, later, roll_back);
            end_what_runs(seen, later);
        }
        End::Orphaned => {
            seen.deployment.orphaned = Some(ErrorCode::DeploymentGroupMissing);
            end_what_runs(seen, later);
        }
    }
}

fn end_what_runs(seen: &mut Snapshot, now: Timestamp) {
    step(seen, now);
    assert!(!seen.deployment.status.is_over(), "a running event is never interrupted");
    for (_, command) in running(seen) {
        report(seen, &command, now, true);
    }
    step(seen, now);
}

/// Whether a rollback follows such an end, where the settings name these events.
fn check(end: End, on: &[RollbackEvent], creator: Creator, expected: bool) {
    let mut seen = created(ONE_AT_A_TIME, 2);
    seen.deployment.roll_back_on = on.iter().copied().collect();
    seen.deployment.creator = creator;
    seen.last_successful = Some("d-LASTGOOD1".parse().unwrap());
    step(&mut seen, START);
    play(&mut seen, end);
    assert!(seen.deployment.status.is_over());
    let made = matches!(seen.deployment.rollback, Some(Rollback::Made(_)));
    assert_eq!(made, expected, "{:?} on {on:?}", seen.deployment.error);
}

#[test]
fn a_rollback_follows_the_ends_that_it_was_asked_for() {
    let all = [Failure, StopOnAlarm, StopOnRequest];
    let user = |end, on: &[RollbackEvent], expected| check(end, on, Creator::User, expected);
    user(End::Fails, &[Failure], true);
    user(End::Fails, &[StopOnAlarm, StopOnRequest], false);
    user(End::TimesOut, &[Failure], true);
    user(End::Succeeds, &all, false);
    user(End::Alarmed, &[StopOnAlarm], true);
    user(End::Alarmed, &[Failure, StopOnRequest], false);
    user(End::Stopped(None), &[StopOnRequest], true);
    user(End::Stopped(None), &[Failure, StopOnAlarm], false);
    user(End::Orphaned, &all, false);
}

#[test]
fn whoever_stops_it_has_the_last_word_on_the_rollback() {
    let all = [Failure, StopOnAlarm, StopOnRequest];
    let user = |end, on: &[RollbackEvent], expected| check(end, on, Creator::User, expected);
    user(End::Stopped(Some(true)), &[], true);
    user(End::Stopped(Some(false)), &all, false);
    user(End::AlarmedThenStopped(Some(true)), &[], true);
    // The alarm came first: it is what stopped the deployment.
    user(End::AlarmedThenStopped(Some(false)), &[StopOnAlarm], true);
    user(End::AlarmedThenStopped(None), &[StopOnRequest], false);
}

#[test]
fn a_rollback_is_never_itself_rolled_back_nor_what_nobody_asked_for() {
    for creator in Creator::ALL {
        check(End::Fails, &[Failure], creator, creator == Creator::User);
        check(End::Stopped(Some(true)), &[], creator, creator == Creator::User);
    }
}

#[test]
fn without_a_successful_deployment_there_is_nothing_to_roll_back_to() {
    let mut seen = created(ONE_AT_A_TIME, 2);
    seen.deployment.roll_back_on = [Failure].into();
    step(&mut seen, START);
    play(&mut seen, End::Fails);
    assert_eq!(seen.deployment.rollback, Some(Rollback::Impossible));
}

#[test]
fn what_ended_before_a_host_was_touched_is_not_rolled_back() {
    let mut seen = created(HostCount(2), 2);
    seen.deployment.roll_back_on = [Failure].into();
    seen.last_successful = Some("d-LASTGOOD1".parse().unwrap());
    step(&mut seen, START);
    assert_eq!(seen.deployment.error.unwrap().code, ErrorCode::HealthConstraintsInvalid);
    assert_eq!(seen.deployment.rollback, None);
}

#[test]
fn the_rollback_is_made_in_the_plan_that_ends_the_deployment() {
    let mut seen = created(ONE_AT_A_TIME, 1);
    seen.deployment.roll_back_on = [Failure].into();
    seen.last_successful = Some("d-LASTGOOD1".parse().unwrap());
    step(&mut seen, START);
    let (_, command) = running(&seen).pop().unwrap();
    report(&mut seen, &command, START, false);
    let version = seen.deployment.version;
    let made = step(&mut seen, START);
    assert_eq!(made.rollback(), Some(&seen.deployment.id.successor(version)));
}

fn watched(ignore_poll_failure: bool) -> Snapshot {
    let mut seen = created(ONE_AT_A_TIME, 2);
    seen.deployment.alarms = Some(AlarmWatch::new(vec!["cpu".to_owned()], ignore_poll_failure));
    seen
}

#[test]
fn a_deployment_starts_when_its_alarms_were_read() {
    let mut seen = watched(false);
    let waiting = step(&mut seen, START).waiting;
    assert!(matches!(&waiting[..], [WaitingOn::Alarms { names, .. }] if names == &["cpu"]));
    assert_eq!(seen.deployment.status, DeploymentStatus::Created);
    seen.deployment.alarms = Some(watch());
    step(&mut seen, START);
    assert_eq!(seen.deployment.status, DeploymentStatus::InProgress);
}

#[test]
fn a_red_alarm_keeps_a_deployment_from_touching_a_host() {
    let mut seen = watched(false);
    seen.deployment.alarms = Some(AlarmWatch { raised: Some(red()), ..watch() });
    seen.deployment.roll_back_on = [StopOnAlarm].into();
    seen.last_successful = Some("d-LASTGOOD1".parse().unwrap());
    step(&mut seen, START);
    assert_eq!((seen.deployment.status, seen.targets.len()), (DeploymentStatus::Stopped, 0));
    assert_eq!((seen.deployment.started, seen.deployment.rollback), (None, None));
    let error = seen.deployment.error.unwrap();
    assert_eq!(error.code, ErrorCode::AlarmActive);
    assert!(error.message.starts_with("One or more alarms have been activated"));
    assert!(error.message.ends_with("Activated alarms: <cpu>"));
}

#[test]
fn alarms_that_nobody_reads_stop_the_deployment_unless_that_is_to_be_ignored() {
    let late = START + FIRST_READING_LIMIT;
    let mut seen = watched(false);
    step(&mut seen, late - Duration::from_millis(1));
    assert_eq!(seen.deployment.status, DeploymentStatus::Created);
    step(&mut seen, late);
    assert_eq!(seen.deployment.status, DeploymentStatus::Stopped);
    assert!(seen.deployment.error.unwrap().message.ends_with("Unreadable alarms: <cpu>"));
    let mut seen = watched(true);
    step(&mut seen, late);
    assert_eq!(seen.deployment.status, DeploymentStatus::InProgress);
}
