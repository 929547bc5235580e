//! Deployments of several groups, of which only so many may be under way at once.

use model::{DeploymentStatus, Target};
use rollout::{Action, Limits, Verdict};
use store::{Commit, Planned, Store, Usage};

use crate::fleets::target;
use crate::support::{at, create, demo, deployment, deployment_id, group, on_both_engines};

on_both_engines!(
    what_is_under_way_is_counted,
    a_deployment_begins_only_where_there_is_room,
    of_two_that_begin_at_once_one_looks_again,
);

/// Deployments 1, 2, … to a group each.
async fn make(store: &Store, count: u32) {
    demo(store).await;
    for number in 1..=count {
        let group = group("Demo", &format!("Group{number}"));
        store.create_group(&group).await.unwrap();
        let mut new = deployment(number);
        new.group_id = group.id;
        create(store, &new).await;
    }
}

fn targets(count: u32) -> Vec<Target> {
    (0..count).map(|position| target(position, &format!("h{position}"))).collect()
}

async fn start(store: &Store, number: u32, version: u64, hosts: u32, limits: Limits) -> Commit {
    let planned = [Action::Start { at: at(100), targets: targets(hosts) }];
    let planned = Planned { limits: Some(limits), ..Planned::acting(at(100), &planned) };
    store.commit(&deployment_id(number), version, &planned).await.unwrap()
}

async fn act(store: &Store, number: u32, version: u64, action: Action) {
    let planned = [action];
    let planned = Planned::acting(at(200), &planned);
    let commit = store.commit(&deployment_id(number), version, &planned).await.unwrap();
    assert_eq!(commit, Commit::Done);
}

fn end() -> Action {
    let status = DeploymentStatus::Succeeded;
    Action::Finish(Verdict { at: at(200), status, error: None, rollback: None })
}

const ANY: Limits = Limits { deployments: 100, hosts: 100 };

async fn what_is_under_way_is_counted(store: Store) {
    make(&store, 4).await;
    let usage = async |number: u32| store.usage(&deployment_id(number)).await.unwrap().unwrap();
    let nothing = usage(1).await;
    assert_eq!((nothing.deployments, nothing.hosts, nothing.ahead), (0, 0, 0));
    assert_eq!(start(&store, 1, 1, 3, ANY).await, Commit::Done);
    assert_eq!(start(&store, 2, 1, 2, ANY).await, Commit::Done);
    let region = nothing.region.clone();
    let others = Usage { region, deployments: 2, hosts: 5, ahead: 0 };
    assert_eq!(usage(3).await, others);
    assert_eq!(usage(1).await, Usage { deployments: 1, hosts: 2, ..others.clone() });
    let next = async || store.next_for_room(&deployment_id(1)).await.unwrap();
    assert_eq!(next().await, None);
    for number in [4, 3] {
        act(&store, number, 1, Action::Queue).await;
        assert_eq!(next().await, Some(deployment_id(number)));
    }
    assert_eq!(usage(4).await, Usage { ahead: 1, ..others.clone() });
    assert_eq!(usage(3).await, others);
    act(&store, 1, 2, end()).await;
    assert_eq!(usage(3).await, Usage { deployments: 1, hosts: 2, ..others });
}

async fn a_deployment_begins_only_where_there_is_room(store: Store) {
    make(&store, 3).await;
    let one = Limits { deployments: 1, hosts: 100 };
    assert_eq!(start(&store, 1, 1, 2, one).await, Commit::Done);
    // The version is another one, so whoever comes too late looks again.
    assert_eq!(start(&store, 2, 1, 2, one).await, Commit::Stale);
    let state = store.deployment_state(&deployment_id(2)).await.unwrap().unwrap();
    assert_eq!((state.version, state.status), (2, DeploymentStatus::Created));
    let three = Limits { deployments: 100, hosts: 3 };
    assert_eq!(start(&store, 2, 2, 2, three).await, Commit::Stale);
    assert_eq!(start(&store, 2, 3, 1, three).await, Commit::Done);
    act(&store, 1, 2, end()).await;
    act(&store, 2, 4, end()).await;
    assert_eq!(start(&store, 3, 1, 5, three).await, Commit::Done, "alone it may be larger");
}

async fn of_two_that_begin_at_once_one_looks_again(store: Store) {
    make(&store, 2).await;
    let one = Limits { deployments: 1, hosts: 100 };
    let both = tokio::join!(start(&store, 1, 1, 1, one), start(&store, 2, 1, 1, one));
    assert!(matches!(both, (Commit::Done, Commit::Stale) | (Commit::Stale, Commit::Done)));
}
