//! Who deploys next to a group, and which deployments come too late.

use super::*;
use crate::snapshot::{Holder, Line};
use model::{DeploymentId, QueuePolicy};

fn id(number: u32) -> DeploymentId {
    format!("d-{number:09}").parse().unwrap()
}

/// A deployment to one host that waits in such a line; `holder` is what has the place, and whether it overtook.
fn waiting(
    policy: QueuePolicy,
    holder: Option<(u32, bool)>,
    older: &[u32],
    newer: &[u32],
) -> Snapshot {
    let mut seen = created(ONE_AT_A_TIME, 1);
    let ids = |numbers: &[u32]| numbers.iter().map(|number| id(*number)).collect();
    let holder = holder.map(|(number, overtook)| Holder { id: id(number), overtook });
    seen.line = Some(Line { policy, holder, older: ids(older), newer: ids(newer) });
    seen
}

/// What becomes of it: its status, and why it waits or ended.
fn outcome(mut seen: Snapshot) -> (DeploymentStatus, String) {
    let planned = step(&mut seen, START);
    let reason = planned.waiting.first().map(ToString::to_string).unwrap_or_default();
    let error = seen.deployment.error.map(|error| error.message);
    (seen.deployment.status, error.unwrap_or(reason))
}

fn check(seen: Snapshot, status: DeploymentStatus, told: &str) {
    let (found, why) = outcome(seen);
    assert_eq!(found, status, "{why}");
    assert!(why.contains(told), "{why}");
}

#[test]
fn the_place_is_taken_in_the_order_of_the_policy() {
    use DeploymentStatus::{InProgress, Queued, Stopped};
    use QueuePolicy::{Fifo, Newest, ReplacePending};
    for policy in QueuePolicy::ALL {
        check(waiting(policy, None, &[], &[]), InProgress, "");
        check(
            waiting(policy, Some((1, false)), &[], &[]),
            Queued,
            "until d-000000001 is over; it is the next",
        );
    }
    check(waiting(Fifo, None, &[2], &[]), Queued, "1 deployment that waits comes before it");
    check(
        waiting(Fifo, Some((1, false)), &[2, 3], &[]),
        Queued,
        "2 deployments that wait come before it",
    );
    check(waiting(Fifo, None, &[], &[4]), InProgress, "");
    check(waiting(Fifo, Some((1, true)), &[], &[4]), Queued, "the next");

    check(waiting(Newest, None, &[2], &[]), InProgress, "");
    check(waiting(Newest, Some((1, false)), &[2], &[4]), Queued, "1 deployment that waits");
    check(waiting(Newest, Some((4, true)), &[], &[]), Stopped, "d-000000004 took the place");

    check(waiting(ReplacePending, Some((1, false)), &[2], &[]), Queued, "the next");
    check(
        waiting(ReplacePending, Some((1, false)), &[], &[4]),
        Stopped,
        "d-000000004 took the place",
    );
    check(
        waiting(ReplacePending, Some((4, true)), &[], &[]),
        Stopped,
        "d-000000004 took the place",
    );
}

#[test]
fn who_waits_can_be_stopped() {
    let mut seen = waiting(QueuePolicy::Fifo, Some((1, false)), &[], &[]);
    step(&mut seen, START);
    asked_to_stop(&mut seen);
    check(seen, DeploymentStatus::Stopped, "stopped by");
}

#[test]
fn waiting_does_not_count_as_running() {
    let mut seen = waiting(QueuePolicy::Fifo, Some((1, false)), &[], &[]);
    step(&mut seen, START);
    let later = START + DEPLOYMENT_LIMIT + DEPLOYMENT_LIMIT;
    seen.line.as_mut().unwrap().holder = None;
    step(&mut seen, later);
    assert_eq!(
        (seen.deployment.status, seen.deployment.started),
        (DeploymentStatus::InProgress, Some(later))
    );
}

#[test]
fn what_is_older_than_what_is_installed_is_refused() {
    let of = |sequence, installed| {
        let mut seen = created(ONE_AT_A_TIME, 1);
        (seen.deployment.sequence, seen.installed_sequence) = (sequence, installed);
        step(&mut seen, START);
        (seen.deployment.status, seen.deployment.error.map(|error| error.code))
    };
    let begins = (DeploymentStatus::InProgress, None);
    assert_eq!(
        of(Some(41), Some(42)),
        (DeploymentStatus::Failed, Some(ErrorCode::InvalidRevision))
    );
    for (sequence, installed) in
        [(Some(42), Some(42)), (Some(43), Some(42)), (None, Some(42)), (Some(1), None)]
    {
        assert_eq!(of(sequence, installed), begins);
    }
}
