//! Which deployments must wait until the account has room.

use super::*;
use crate::snapshot::{Limits, Room};
use model::{Creator, DeploymentStatus::*};

/// A deployment to two hosts where three deployments to ten hosts may be under way, and these are; `ahead` wait.
fn with_others(deployments: u32, hosts: u32, ahead: u32) -> Snapshot {
    let limits = Limits { deployments: 3, hosts: 10 };
    let mut seen = created(ALL_AT_ONCE, 2);
    seen.room = Some(Room { limits, deployments, hosts, ahead });
    seen
}

fn status(mut seen: Snapshot) -> DeploymentStatus {
    step(&mut seen, START);
    seen.deployment.status
}

#[test]
fn a_deployment_begins_when_it_and_its_hosts_have_room_and_it_is_its_turn() {
    assert_eq!(status(with_others(2, 8, 0)), InProgress);
    assert_eq!(status(with_others(3, 3, 0)), Queued, "one deployment too many");
    assert_eq!(status(with_others(2, 9, 0)), Queued, "one host too many");
    assert_eq!(status(with_others(1, 1, 1)), Queued, "somebody else is the next");
}

#[test]
fn one_that_is_larger_than_the_limit_begins_alone() {
    let mut large = created(ALL_AT_ONCE, 11);
    large.room = with_others(0, 0, 0).room;
    assert_eq!(status(large.clone()), InProgress);
    large.room = with_others(1, 1, 0).room;
    assert_eq!(status(large), Queued);
}

#[test]
fn a_rollback_does_not_wait() {
    let mut seen = with_others(3, 10, 4);
    seen.deployment.creator = Creator::Rollback;
    assert_eq!(status(seen), InProgress);
}

#[test]
fn waiting_says_for_what_has_no_limit_and_ends_when_there_is_room() {
    let mut seen = with_others(3, 10, 0);
    let waiting = step(&mut seen, START).waiting;
    assert_eq!(
        waiting[0].to_string(),
        "the deployment waits for room (deployments under way: 3, their hosts: 10); it is the next"
    );
    assert_eq!(plan(&seen, START).actions, []);
    seen.room = with_others(2, 8, 0).room;
    let later = START + DEPLOYMENT_LIMIT + DEPLOYMENT_LIMIT;
    step(&mut seen, later);
    assert_eq!((seen.deployment.status, seen.deployment.started), (InProgress, Some(later)));
}

#[test]
fn what_is_refused_needs_no_room_and_what_waits_can_be_stopped() {
    let mut seen = with_others(3, 10, 0);
    seen.members = Members::Known(Vec::new());
    assert_eq!(status(seen), Failed);
    let mut seen = with_others(3, 10, 0);
    step(&mut seen, START);
    asked_to_stop(&mut seen);
    assert_eq!(status(seen), Stopped);
}

#[test]
fn who_takes_its_groups_place_may_still_wait_for_room() {
    let mut seen = with_others(3, 10, 0);
    let policy = model::QueuePolicy::Fifo;
    seen.line =
        Some(crate::snapshot::Line { policy, holder: None, older: Vec::new(), newer: Vec::new() });
    seen.deployment.status = Queued;
    let planned = step(&mut seen, START);
    assert_eq!(planned.actions, [Action::TakePlace, Action::Queue]);
    assert_eq!((seen.deployment.status, &seen.line), (Queued, &None));
    assert_eq!(plan(&seen, START).actions, []);
}
