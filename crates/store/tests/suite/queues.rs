//! Deployments that wait for their group's single place.

use model::{DeploymentStatus, QueuePolicy};
use rollout::{Action, Holder, Line, Verdict};
use store::{Change, Commit, CreateDeployment, NewDeployment, Planned, Store};

use crate::support::{at, create, demo, deployment, deployment_id, on_both_engines};

on_both_engines!(
    who_waits_knows_its_line,
    one_place_is_taken_once,
    those_that_wait_are_woken_by_a_newer_one,
    a_sequence_number_stays_with_what_is_installed,
);

fn waiting(number: u32) -> NewDeployment {
    NewDeployment { queue: Some(QueuePolicy::Fifo), ..deployment(number) }
}

async fn take_place(store: &Store, number: u32, version: u64) -> Commit {
    let planned = Planned::acting(at(1), &[Action::TakePlace]);
    store.commit(&deployment_id(number), version, &planned).await.unwrap()
}

async fn end(store: &Store, number: u32, version: u64, status: DeploymentStatus) {
    let verdict = Verdict { at: at(20_000), status, error: None, rollback: None };
    let planned = [Action::Finish(verdict)];
    let planned = Planned::acting(at(20_000), &planned);
    let commit = store.commit(&deployment_id(number), version, &planned).await.unwrap();
    assert_eq!(commit, Commit::Done);
}

async fn line(store: &Store, number: u32) -> Option<Line> {
    let id = deployment_id(number);
    let line = store.line(&id).await.unwrap();
    assert_eq!(store.snapshot(&id).await.unwrap().unwrap().line, line);
    line
}

async fn who_waits_knows_its_line(store: Store) {
    demo(&store).await;
    create(&store, &waiting(1)).await;
    assert_eq!(take_place(&store, 1, 1).await, Commit::Done);
    assert_eq!(line(&store, 1).await, None);
    for number in [2, 3, 4] {
        create(&store, &waiting(number)).await;
    }
    let holder = Holder { id: deployment_id(1), overtook: false };
    let expected = Line {
        policy: QueuePolicy::Fifo,
        holder: Some(holder),
        older: vec![deployment_id(2)],
        newer: vec![deployment_id(4)],
    };
    assert_eq!(line(&store, 3).await, Some(expected.clone()));
    // A group without the tag goes on as before: the place is taken.
    let busy = store.create_deployment(&deployment(5)).await.unwrap();
    assert_eq!(busy, CreateDeployment::GroupBusy(deployment_id(1)));
    end(&store, 1, 2, DeploymentStatus::Succeeded).await;
    assert_eq!(line(&store, 3).await, Some(Line { holder: None, ..expected.clone() }));
    // Who came later may have been given the place: then it overtook.
    assert_eq!(take_place(&store, 4, 1).await, Commit::Done);
    let holder = Some(Holder { id: deployment_id(4), overtook: true });
    assert_eq!(line(&store, 3).await, Some(Line { holder, newer: Vec::new(), ..expected }));
    assert_eq!(store.waiting_behind(&deployment_id(4)).await.unwrap(), [2, 3].map(deployment_id));
}

async fn one_place_is_taken_once(store: Store) {
    demo(&store).await;
    for number in [1, 2] {
        create(&store, &waiting(number)).await;
    }
    let (one, other) = tokio::join!(take_place(&store, 1, 1), take_place(&store, 2, 1));
    assert!(matches!((one, other), (Commit::Done, Commit::Stale) | (Commit::Stale, Commit::Done)));
    let active = store.active_deployment(&deployment(1).group_id).await.unwrap();
    assert_eq!(active, Some(deployment_id(if one == Commit::Done { 1 } else { 2 })));
}

async fn those_that_wait_are_woken_by_a_newer_one(store: Store) {
    demo(&store).await;
    create(&store, &waiting(1)).await;
    let mut changes = store.changes();
    create(&store, &waiting(2)).await;
    let mut woken = Vec::new();
    while woken.len() < 2 {
        if let Change::Deployment(id) = changes.recv().await.unwrap() {
            woken.push(id);
        }
    }
    assert_eq!(woken, [1, 2].map(deployment_id));
}

async fn a_sequence_number_stays_with_what_is_installed(store: Store) {
    demo(&store).await;
    create(&store, &NewDeployment { sequence: Some(42), ..deployment(1) }).await;
    end(&store, 1, 1, DeploymentStatus::Succeeded).await;
    create(&store, &NewDeployment { sequence: Some(41), ..deployment(2) }).await;
    let seen = store.snapshot(&deployment_id(2)).await.unwrap().unwrap();
    assert_eq!((seen.deployment.sequence, seen.installed_sequence), (Some(41), Some(42)));
    end(&store, 2, 1, DeploymentStatus::Failed).await;
    create(&store, &deployment(3)).await;
    let seen = store.snapshot(&deployment_id(3)).await.unwrap().unwrap();
    assert_eq!((seen.deployment.sequence, seen.installed_sequence), (None, Some(42)));
}
