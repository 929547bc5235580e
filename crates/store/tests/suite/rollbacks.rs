//! Alarms that are read, and rollbacks that are made with the end of what they roll back.

use model::{Creator, DeploymentStatus, RollbackEvent, TargetStatus};
use rollout::{Action, AlarmFinding, AlarmWatch, Rollback, Verdict};
use store::{AlarmReading, Change, Commit, CreateDeployment, NewDeployment, Planned, Store};

use crate::fleets::begin;
use crate::support::{
    at, create, demo, deployment, deployment_id, group, on_both_engines, revision,
};

on_both_engines!(
    the_first_reading_lets_it_start_and_the_first_red_alarm_stops_it,
    a_rollback_takes_the_place_of_what_it_rolls_back,
    a_taken_id_is_no_dead_end,
);

fn watched(number: u32) -> NewDeployment {
    let names = vec!["cpu".to_owned(), "5xx \"eu\"".to_owned()];
    NewDeployment { alarms: Some(AlarmWatch::new(names, true)), ..deployment(number) }
}

async fn the_first_reading_lets_it_start_and_the_first_red_alarm_stops_it(store: Store) {
    demo(&store).await;
    let new = watched(1);
    create(&store, &new).await;
    let watch = store.watched_alarms().await.unwrap();
    assert_eq!(watch.len(), 1);
    assert_eq!((&watch[0].deployment, watch[0].region.as_str()), (&new.id, "us-east-1"));
    assert_eq!(watch[0].names, ["cpu", "5xx \"eu\""]);
    assert!(watch[0].ignore_poll_failure && watch[0].is_first);

    let mut changes = store.changes();
    let read = async |reading: AlarmReading, millis| {
        store.alarms_read(&new.id, &reading, at(millis)).await.unwrap()
    };
    assert!(read(AlarmReading::Calm, 20).await);
    assert!(matches!(changes.recv().await.unwrap(), Change::Deployment(id) if id == new.id));
    assert!(!read(AlarmReading::Calm, 30).await, "only the first reading tells anything");
    assert!(!store.watched_alarms().await.unwrap()[0].is_first);
    let red = AlarmFinding::Active(vec!["cpu".to_owned()]);
    assert!(read(AlarmReading::Raised(red.clone()), 40).await);
    let other = AlarmFinding::Unreadable(vec!["other".to_owned()]);
    assert!(!read(AlarmReading::Raised(other), 50).await);

    let state = store.deployment_state(&new.id).await.unwrap().unwrap();
    assert_eq!(state.version, 3);
    let watch = state.alarms.unwrap();
    assert_eq!(watch.first_read, Some(at(20)));
    assert_eq!(watch.raised.map(|raised| (raised.at, raised.finding)), Some((at(40), red)));
    assert!(store.watched_alarms().await.unwrap().is_empty());
    let told = store.timeline(&new.id, None, None, 10).await.unwrap().items;
    assert_eq!(told.last().unwrap().what, "in ALARM: cpu");
    let unknown = store.alarms_read(&deployment_id(9), &AlarmReading::Calm, at(1)).await.unwrap();
    assert!(!unknown);
}

/// Ends a begun deployment as failed, with a rollback by the deployment `by`.
fn fails(by: &NewDeployment) -> [Action; 1] {
    let rollback = Some(Rollback::Made(by.id.clone()));
    let status = DeploymentStatus::Failed;
    [Action::Finish(Verdict { at: at(300), status, error: None, rollback })]
}

fn rolled_back<'a>(actions: &'a [Action], by: &'a NewDeployment) -> Planned<'a> {
    Planned { rollback: Some(by), ..Planned::acting(at(300), actions) }
}

fn rollback(number: u32, of: u32) -> NewDeployment {
    NewDeployment {
        creator: Creator::Rollback,
        rolls_back: Some(deployment_id(of)),
        roll_back_on: [RollbackEvent::Failure].into(),
        revision: revision("v0"),
        ..deployment(number)
    }
}

async fn a_rollback_takes_the_place_of_what_it_rolls_back(store: Store) {
    demo(&store).await;
    create(&store, &deployment(1)).await;
    begin(&store, 1, 100, &["h1"]).await;
    let next = rollback(2, 1);
    let mut changes = store.changes();
    let commit =
        store.commit(&deployment_id(1), 2, &rolled_back(&fails(&next), &next)).await.unwrap();
    assert_eq!(commit, Commit::Done);
    let mut woken = Vec::new();
    while let Ok(change) = changes.try_recv() {
        woken.push(change);
    }
    assert!(woken.contains(&Change::Deployment(next.id.clone())), "{woken:?}");

    let old = store.deployment(&deployment_id(1)).await.unwrap().unwrap();
    assert_eq!(old.state.rollback, Some(Rollback::Made(next.id.clone())));
    let new = store.deployment(&next.id).await.unwrap().unwrap();
    assert_eq!((new.state.creator, new.rolls_back), (Creator::Rollback, Some(deployment_id(1))));
    assert_eq!(new.state.status, DeploymentStatus::Created);
    assert_eq!(store.unfinished_deployments().await.unwrap(), std::slice::from_ref(&next.id));
    let refused = store.create_deployment(&deployment(3)).await.unwrap();
    assert_eq!(refused, CreateDeployment::GroupBusy(next.id));
    // Nothing of the group's last success has moved.
    let read = store.group_by_id(&group("Demo", "Prod").id).await.unwrap().unwrap();
    assert_eq!(read.last_successful, None);
}

async fn a_taken_id_is_no_dead_end(store: Store) {
    demo(&store).await;
    create(&store, &deployment(1)).await;
    begin(&store, 1, 100, &["h1"]).await;
    let taken = rollback(1, 1);
    let id = deployment_id(1);
    assert_eq!(
        store.commit(&id, 2, &rolled_back(&fails(&taken), &taken)).await.unwrap(),
        Commit::Stale
    );
    let seen = store.snapshot(&id).await.unwrap().unwrap();
    assert_eq!(
        (seen.deployment.status, seen.deployment.version),
        (DeploymentStatus::InProgress, 3)
    );
    assert_eq!(seen.targets[0].status, TargetStatus::Pending);
    let free = rollback(2, 1);
    assert_eq!(
        store.commit(&id, 3, &rolled_back(&fails(&free), &free)).await.unwrap(),
        Commit::Done
    );
}
