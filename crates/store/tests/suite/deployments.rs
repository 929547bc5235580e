//! Making, listing and stopping deployments.

use model::{Creator, DeploymentStatus, TargetStatus};
use rollout::{Action, StopIntent, Verdict};
use store::{
    Change, Commit, CreateDeployment, DeploymentFilter, NewDeployment, Planned, StopRequest, Store,
};

use crate::support::{
    REGION, at, create, demo, deployment, deployment_id, group, on_both_engines, revision,
};

on_both_engines!(
    a_fresh_deployment_reads_as_made,
    a_group_has_one_active_deployment,
    of_many_callers_at_once_one_wins,
    listings_are_newest_first_and_stable,
    a_stop_is_written_once,
    making_and_stopping_wakes,
);

async fn a_fresh_deployment_reads_as_made(store: Store) {
    assert_eq!(
        store.create_deployment(&deployment(1)).await.unwrap(),
        CreateDeployment::GroupMissing
    );
    demo(&store).await;
    let new = deployment(1);
    create(&store, &new).await;
    let read = store.deployment(&new.id).await.unwrap().unwrap();
    assert_eq!(read.state.version, 1);
    assert_eq!(read.state.status, DeploymentStatus::Created);
    assert_eq!((read.state.created, read.state.started), (new.created, None));
    assert_eq!(read.state.minimum_healthy, new.minimum_healthy);
    let shown = NewDeployment {
        id: read.state.id.clone(),
        region: read.region.clone(),
        application_id: read.application_id.clone(),
        application_name: read.application_name.clone(),
        group_id: read.group_id.clone(),
        group_name: read.group_name.clone(),
        config_name: read.config_name.clone(),
        minimum_healthy: read.state.minimum_healthy,
        zonal: read.state.zonal,
        messages: read.state.messages.clone(),
        revision: read.revision.clone(),
        queue: None,
        sequence: read.state.sequence,
        creator: read.state.creator,
        description: read.description.clone(),
        ignore_application_stop_failures: read.state.ignore_application_stop_failures,
        roll_back_on: read.state.roll_back_on.clone(),
        alarms: read.state.alarms.clone(),
        rolls_back: read.rolls_back.clone(),
        options: read.options.clone(),
        created: read.state.created,
    };
    assert_eq!(shown, new);
    assert_eq!((read.previous_revision, read.overview), (None, None));
    assert_eq!(store.deployment_state(&new.id).await.unwrap(), Some(read.state));
    assert_eq!(store.deployment(&deployment_id(9)).await.unwrap(), None);
    assert_eq!(store.snapshot(&deployment_id(9)).await.unwrap(), None);
}

/// Ends a deployment of version 1 well.
async fn succeed(store: &Store, number: u32) {
    let status = DeploymentStatus::Succeeded;
    let verdict = Verdict { at: at(50_000), status, error: None, rollback: None };
    let actions = [Action::Start { at: at(40_000), targets: Vec::new() }, Action::Finish(verdict)];
    let commit =
        store.commit(&deployment_id(number), 1, &Planned::acting(at(0), &actions)).await.unwrap();
    assert_eq!(commit, Commit::Done);
}

async fn a_group_has_one_active_deployment(store: Store) {
    demo(&store).await;
    store.create_group(&group("Demo", "Staging")).await.unwrap();
    let prod = deployment(1).group_id;
    assert_eq!(store.active_deployment(&prod).await.unwrap(), None);
    create(&store, &deployment(1)).await;
    assert_eq!(store.active_deployment(&prod).await.unwrap(), Some(deployment_id(1)));
    let busy = store.create_deployment(&deployment(2)).await.unwrap();
    assert_eq!(busy, CreateDeployment::GroupBusy(deployment_id(1)));

    // Neither another group nor Auto Scaling minds.
    let mut staging = deployment(3);
    staging.group_id = group("Demo", "Staging").id;
    create(&store, &staging).await;
    let mut launch = deployment(4);
    launch.creator = Creator::AutoScaling;
    create(&store, &launch).await;
    assert_eq!(store.create_deployment(&launch).await.unwrap(), CreateDeployment::IdTaken);

    succeed(&store, 1).await;
    assert_eq!(store.create_deployment(&deployment(1)).await.unwrap(), CreateDeployment::IdTaken);
    let mut next = deployment(2);
    next.revision = revision("v2");
    create(&store, &next).await;
    let read = store.deployment(&next.id).await.unwrap().unwrap();
    assert_eq!(read.previous_revision, Some(revision("v1")));
    let unfinished = store.unfinished_deployments().await.unwrap();
    assert_eq!(unfinished, [deployment_id(2), deployment_id(3), deployment_id(4)]);
}

async fn of_many_callers_at_once_one_wins(store: Store) {
    demo(&store).await;
    let callers: Vec<_> = (1..=16)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move { store.create_deployment(&deployment(number)).await.unwrap() })
        })
        .collect();
    let (mut winners, mut named) = (0, Vec::new());
    for caller in callers {
        match caller.await.unwrap() {
            CreateDeployment::Created => winners += 1,
            CreateDeployment::GroupBusy(winner) => named.push(winner),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((winners, named.len()), (1, 15));
    let active = store.active_deployment(&deployment(1).group_id).await.unwrap().unwrap();
    assert!(named.iter().all(|winner| *winner == active));
}

async fn listings_are_newest_first_and_stable(store: Store) {
    demo(&store).await;
    for number in 1..=6 {
        let mut new = deployment(number);
        // Two at the same moment: the id decides.
        new.created = at(i64::from(number.min(5)) * 10);
        create(&store, &new).await;
        succeed(&store, number).await;
    }
    let mut filter = DeploymentFilter { region: REGION.to_owned(), ..Default::default() };
    assert_eq!(listed(&store, &filter).await, [6, 5, 4, 3, 2, 1]);
    filter.group = Some(deployment(1).group_id);
    filter.created_from = Some(at(20));
    filter.created_to = Some(at(40));
    assert_eq!(listed(&store, &filter).await, [4, 3, 2]);
    filter.statuses = vec![DeploymentStatus::Failed, DeploymentStatus::Created];
    assert_eq!(listed(&store, &filter).await, Vec::<u32>::new());
    filter.statuses.push(DeploymentStatus::Succeeded);
    assert_eq!(listed(&store, &filter).await, [4, 3, 2]);
    filter.region = "eu-west-1".to_owned();
    filter.group = None;
    assert_eq!(listed(&store, &filter).await, Vec::<u32>::new());
    assert!(store.deployments(&filter, Some("nonsense"), 2).await.is_err());
}

/// All pages of a listing; while it is read, newer deployments arrive.
async fn listed(store: &Store, filter: &DeploymentFilter) -> Vec<u32> {
    let (mut numbers, mut after): (Vec<u32>, Option<String>) = (Vec::new(), None);
    loop {
        let page = store.deployments(filter, after.as_deref(), 2).await.unwrap();
        assert!(page.items.len() <= 2);
        numbers.extend(page.items.iter().map(|id| id.as_str()[2..].parse::<u32>().unwrap()));
        match page.next {
            Some(next) => after = Some(next),
            None => return numbers,
        }
    }
}

async fn a_stop_is_written_once(store: Store) {
    demo(&store).await;
    create(&store, &deployment(1)).await;
    let id = deployment_id(1);
    let wish = |requested, roll_back| StopIntent {
        requested: at(requested),
        principal: "arn:aws:iam::123456789012:root".to_owned(),
        roll_back,
    };
    let stopping = StopRequest::Stopping { in_flight: 0 };
    assert_eq!(store.request_stop(&id, &wish(5, None)).await.unwrap(), stopping);
    assert_eq!(store.request_stop(&id, &wish(5, None)).await.unwrap(), stopping);
    assert_eq!(store.request_stop(&id, &wish(6, Some(false))).await.unwrap(), stopping);
    let state = store.deployment_state(&id).await.unwrap().unwrap();
    assert_eq!((state.version, state.stop), (2, Some(wish(5, None))));

    // A rollback asked for later is honoured, and not taken back.
    assert_eq!(store.request_stop(&id, &wish(7, Some(true))).await.unwrap(), stopping);
    assert_eq!(store.request_stop(&id, &wish(8, Some(true))).await.unwrap(), stopping);
    assert_eq!(store.request_stop(&id, &wish(9, Some(false))).await.unwrap(), stopping);
    let state = store.deployment_state(&id).await.unwrap().unwrap();
    assert_eq!((state.version, state.stop), (3, Some(wish(5, Some(true)))));
    let told = store.timeline(&id, None, None, 10).await.unwrap().items;
    assert_eq!(told.len(), 3, "{told:?}");
    assert_eq!(told[1].what, "stop requested by arn:aws:iam::123456789012:root");
    assert_eq!(told[2].what, "rollback requested by arn:aws:iam::123456789012:root");

    let verdict =
        Verdict { at: at(10), status: DeploymentStatus::Stopped, error: None, rollback: None };
    let done =
        store.commit(&id, 3, &Planned::acting(at(0), &[Action::Finish(verdict)])).await.unwrap();
    assert_eq!(done, Commit::Done);
    assert_eq!(store.request_stop(&id, &wish(11, None)).await.unwrap(), StopRequest::AlreadyOver);
    let nobody = deployment_id(99);
    assert_eq!(store.request_stop(&nobody, &wish(1, None)).await.unwrap(), StopRequest::Unknown);
    let none = store.target_ids(&id, &[TargetStatus::Failed], None, 5).await.unwrap();
    assert!(none.items.is_empty());
}

async fn making_and_stopping_wakes(store: Store) {
    demo(&store).await;
    let mut changes = store.changes();
    create(&store, &deployment(1)).await;
    assert_eq!(next(&mut changes).await, Change::Deployment(deployment_id(1)));
    let wish = StopIntent { requested: at(1), principal: String::new(), roll_back: None };
    store.request_stop(&deployment_id(1), &wish).await.unwrap();
    assert_eq!(next(&mut changes).await, Change::Deployment(deployment_id(1)));
    store.delete_group(&deployment(1).group_id, at(2)).await.unwrap();
    assert_eq!(next(&mut changes).await, Change::Everything);
}

/// The next change but for the one that PostgreSQL's listener sends when it begins.
async fn next(changes: &mut tokio::sync::broadcast::Receiver<Change>) -> Change {
    let wait = std::time::Duration::from_secs(10);
    loop {
        match tokio::time::timeout(wait, changes.recv()).await.unwrap().unwrap() {
            Change::Everything if !changes.is_empty() => {}
            change => return change,
        }
    }
}
