//! What a commit leaves behind: states, pointers, health, the timeline.

use model::{
    DeploymentStatus, ErrorCode, ErrorInformation, EventState, LifecycleEvent, Target, TargetId,
    TargetStatus,
};
use rollout::{Action, Decision, HealthClass, Input, Rule, StopIntent, Verdict, WaitingOn};
use store::{
    Change, Commit, Overview, Planned, RevisionFilter, RevisionSort, Store, TimelineEntry,
};

use crate::fleets::{begin, dispatched, fail, target};
use crate::support::{
    application, at, create, demo, deployment, deployment_id, group, on_both_engines, revision,
};

on_both_engines!(
    a_stale_commit_leaves_nothing,
    no_actions_write_nothing,
    a_refused_deployment_records_whom_it_spared,
    targets_page_in_the_order_of_their_start,
    a_deployment_moves_the_pointers,
    health_follows_the_outcomes,
    a_timeline_tells_what_happened,
    a_timeline_can_be_read_for_one_target,
    a_commit_wakes_the_hosts_it_has_orders_for,
    a_large_fleet_is_committed_whole,
);

fn verdict(millis: i64, status: DeploymentStatus) -> Action {
    Action::Finish(Verdict { at: at(millis), status, error: None, rollback: None })
}

fn ended(position: u32, name: &str, status: TargetStatus, millis: i64) -> Target {
    let mut target = target(position, name);
    target.status = status;
    target.last_updated = at(millis);
    target
}

async fn a_stale_commit_leaves_nothing(store: Store) {
    demo(&store).await;
    create(&store, &deployment(1)).await;
    let id = deployment_id(1);
    begin(&store, 1, 100, &["h1"]).await;
    let command = dispatched(&store, 1, 2, "h1", LifecycleEvent::ApplicationStop, 200).await;
    let before = store.snapshot(&id).await.unwrap().unwrap();
    let told = store.timeline(&id, None, None, 50).await.unwrap();
    let other = rollout::HostCommand {
        id: model::HostCommandId::derive(&id, &command.target, LifecycleEvent::Install, 1),
        ..command
    };
    let mut failed = target(0, "h1");
    fail(&mut failed, 300);
    let actions = [
        Action::Dispatch(other.clone()),
        Action::UpdateTarget(failed),
        verdict(300, DeploymentStatus::Failed),
    ];
    for version in [1, 2, 4] {
        assert_eq!(
            store.commit(&id, version, &Planned::acting(at(0), &actions)).await.unwrap(),
            Commit::Stale
        );
    }
    assert_eq!(
        store.commit(&deployment_id(9), 1, &Planned::acting(at(0), &actions)).await.unwrap(),
        Commit::Stale
    );
    assert_eq!(store.snapshot(&id).await.unwrap().unwrap(), before);
    assert_eq!(store.command(&other.id).await.unwrap(), None);
    assert_eq!(store.timeline(&id, None, None, 50).await.unwrap(), told);
    let read = store.group_by_id(&group("Demo", "Prod").id).await.unwrap().unwrap();
    assert!(store.health(&read.id).await.unwrap().is_empty());
    assert_eq!(
        store.commit(&id, 3, &Planned::acting(at(0), &actions)).await.unwrap(),
        Commit::Done
    );
}

async fn no_actions_write_nothing(store: Store) {
    demo(&store).await;
    create(&store, &deployment(1)).await;
    for version in [1, 7] {
        let commit =
            store.commit(&deployment_id(1), version, &Planned::acting(at(0), &[])).await.unwrap();
        assert_eq!(commit, Commit::Done);
    }
    let state = store.deployment_state(&deployment_id(1)).await.unwrap().unwrap();
    assert_eq!(state.version, 1);
}

async fn a_refused_deployment_records_whom_it_spared(store: Store) {
    demo(&store).await;
    create(&store, &deployment(1)).await;
    let id = deployment_id(1);
    let error = ErrorInformation {
        code: ErrorCode::HealthConstraintsInvalid,
        message: "reduce the minimum".to_owned(),
    };
    let refuse = Action::Refuse {
        targets: vec![ended(0, "h1", TargetStatus::Skipped, 100)],
        verdict: Verdict {
            at: at(100),
            status: DeploymentStatus::Failed,
            error: Some(error.clone()),
            rollback: None,
        },
    };
    let mut expected = store.snapshot(&id).await.unwrap().unwrap();
    expected.apply(std::slice::from_ref(&refuse));
    assert_eq!(
        store.commit(&id, 1, &Planned::acting(at(0), &[refuse])).await.unwrap(),
        Commit::Done
    );
    let mut found = store.snapshot(&id).await.unwrap().unwrap();
    found.hosts.clear();
    assert_eq!(found, expected);
    let read = store.deployment(&id).await.unwrap().unwrap();
    assert_eq!((read.state.started, read.state.error), (None, Some(error)));
    assert_eq!(read.overview, Some(Overview { skipped: 1, ..Overview::default() }));
    // The group's place is free again, and nothing is known to be installed.
    assert!(store.health(&deployment(1).group_id).await.unwrap().is_empty());
    create(&store, &deployment(2)).await;
}

async fn targets_page_in_the_order_of_their_start(store: Store) {
    demo(&store).await;
    create(&store, &deployment(1)).await;
    let id = deployment_id(1);
    begin(&store, 1, 100, &["z", "b", "y", "a", "x"]).await;
    let failed = Action::UpdateTarget(ended(1, "b", TargetStatus::Failed, 200));
    assert_eq!(
        store.commit(&id, 2, &Planned::acting(at(0), &[failed])).await.unwrap(),
        Commit::Done
    );
    let listed = async |statuses: &[TargetStatus]| {
        let (mut names, mut after): (Vec<String>, Option<String>) = (Vec::new(), None);
        loop {
            let page = store.target_ids(&id, statuses, after.as_deref(), 2).await.unwrap();
            names.extend(page.items.iter().map(ToString::to_string));
            match page.next {
                Some(next) => after = Some(next),
                None => return names,
            }
        }
    };
    assert_eq!(listed(&[]).await, ["z", "b", "y", "a", "x"]);
    assert_eq!(listed(&[TargetStatus::Pending]).await, ["z", "y", "a", "x"]);
    assert_eq!(listed(&[TargetStatus::Failed, TargetStatus::Ready]).await, ["b"]);
    let wanted = ["a", "nobody", "z"].map(TargetId::new);
    let found = store.targets(&id, &wanted).await.unwrap();
    assert_eq!(found, [target(3, "a"), target(0, "z")]);
    assert_eq!(store.target(&id, &TargetId::new("nobody")).await.unwrap(), None);
    let counted = store.deployment(&id).await.unwrap().unwrap().overview.unwrap();
    assert_eq!(counted, Overview { pending: 4, failed: 1, ..Overview::default() });
}

async fn a_deployment_moves_the_pointers(store: Store) {
    demo(&store).await;
    create(&store, &deployment(1)).await;
    let read = async || store.group_by_id(&deployment(1).group_id).await.unwrap().unwrap();
    assert_eq!(read().await.target_revision, None);
    begin(&store, 1, 100, &["h1"]).await;
    let group = read().await;
    assert_eq!(group.target_revision, Some(revision("v1")));
    assert_eq!(group.last_successful_revision, None);
    let attempt = group.last_attempted.unwrap();
    assert_eq!(attempt.deployment, deployment_id(1));
    assert_eq!((attempt.status, attempt.completed), (DeploymentStatus::InProgress, None));
    let known = store.revision(&group.application_id, &revision("v1")).await.unwrap().unwrap();
    assert_eq!((known.first_used, known.last_used), (Some(at(100)), Some(at(100))));
    assert_eq!(known.groups, ["Prod".parse().unwrap()]);

    let done = [verdict(200, DeploymentStatus::Succeeded)];
    assert_eq!(
        store.commit(&deployment_id(1), 2, &Planned::acting(at(0), &done)).await.unwrap(),
        Commit::Done
    );
    let group = read().await;
    assert_eq!(group.last_successful_revision, Some(revision("v1")));
    assert_eq!(group.last_successful.unwrap().completed, Some(at(200)));

    // One that fails is attempted, but not successful.
    let mut second = deployment(2);
    second.revision = revision("v2");
    create(&store, &second).await;
    begin(&store, 2, 300, &["h1"]).await;
    let failed = [verdict(400, DeploymentStatus::Failed)];
    assert_eq!(
        store.commit(&second.id, 2, &Planned::acting(at(0), &failed)).await.unwrap(),
        Commit::Done
    );
    let group = read().await;
    assert_eq!(group.target_revision, Some(revision("v2")));
    assert_eq!(group.last_successful_revision, Some(revision("v1")));
    assert_eq!(group.last_attempted.unwrap().status, DeploymentStatus::Failed);
    assert_eq!(group.version, 1, "pointers are no updates");

    // A single instance that Auto Scaling launched moves nothing.
    let mut launch = deployment(3);
    launch.creator = model::Creator::AutoScaling;
    launch.revision = revision("v1");
    create(&store, &launch).await;
    begin(&store, 3, 500, &["h9"]).await;
    let done = [verdict(600, DeploymentStatus::Succeeded)];
    assert_eq!(
        store.commit(&launch.id, 2, &Planned::acting(at(0), &done)).await.unwrap(),
        Commit::Done
    );
    let group = read().await;
    assert_eq!(group.last_attempted.unwrap().deployment, second.id);
    assert_eq!(group.target_revision, Some(revision("v2")));

    let filter = RevisionFilter {
        sort: RevisionSort::FirstUsed,
        descending: true,
        bucket: None,
        key_prefix: None,
        deployed: Some(true),
    };
    let id = application("Demo").id;
    let deployed = store.revisions(&id, &filter, None, 10).await.unwrap().items;
    assert_eq!(deployed.len(), 1);
    assert_eq!(deployed[0].revision, revision("v2"));
}

/// Deploys `key` with these outcomes, in one commit after the start.
async fn deploy(
    store: &Store,
    number: u32,
    key: &str,
    outcomes: &[(&str, TargetStatus)],
    status: DeploymentStatus,
) {
    let mut new = deployment(number);
    new.revision = revision(key);
    create(store, &new).await;
    let names: Vec<&str> = outcomes.iter().map(|(name, _)| *name).collect();
    begin(store, number, 1_000, &names).await;
    let mut actions: Vec<Action> = (0..)
        .zip(outcomes)
        .map(|(position, (name, status))| {
            Action::UpdateTarget(ended(position, name, *status, 2_000))
        })
        .collect();
    actions.push(verdict(2_000, status));
    assert_eq!(
        store.commit(&new.id, 2, &Planned::acting(at(0), &actions)).await.unwrap(),
        Commit::Done
    );
}

async fn health_follows_the_outcomes(store: Store) {
    use DeploymentStatus::{Failed, Stopped, Succeeded};
    use HealthClass::{RevisionCurrent, RevisionOld, RevisionUnknown, Unhealthy};
    use TargetStatus as T;
    demo(&store).await;
    let classes = async || {
        let health = store.health(&deployment(1).group_id).await.unwrap();
        health.into_iter().map(|(id, host)| (id.to_string(), host.class)).collect::<Vec<_>>()
    };
    let owned = |expected: &[(&str, HealthClass)]| {
        expected.iter().map(|(name, class)| ((*name).to_owned(), *class)).collect::<Vec<_>>()
    };
    assert_eq!(classes().await, []);
    let all_well = [("a", T::Succeeded), ("b", T::Succeeded), ("c", T::Succeeded)];
    deploy(&store, 1, "v1", &all_well, Succeeded).await;
    let current = owned(&[("a", RevisionCurrent), ("b", RevisionCurrent), ("c", RevisionCurrent)]);
    assert_eq!(classes().await, current);

    // A failed deployment: what it reached has another revision than the group's, what it broke is unhealthy.
    let broken = [("a", T::Succeeded), ("b", T::Failed), ("c", T::Skipped)];
    deploy(&store, 2, "v2", &broken, Failed).await;
    let after = owned(&[("a", RevisionOld), ("b", Unhealthy), ("c", RevisionCurrent)]);
    assert_eq!(classes().await, after);
    let health = store.health(&deployment(1).group_id).await.unwrap();
    let b = &health[&TargetId::new("b")];
    assert_eq!((b.healthy, b.revision.as_ref()), (false, Some(&revision("v1"))));

    // A successful one that misses a current host no longer knows what that host has; a newcomer that fails is
    // unhealthy.
    let partly = [("a", T::Succeeded), ("b", T::Succeeded), ("c", T::Skipped), ("d", T::Failed)];
    deploy(&store, 3, "v3", &partly, Succeeded).await;
    let after = owned(&[
        ("a", RevisionCurrent),
        ("b", RevisionCurrent),
        ("c", RevisionUnknown),
        ("d", Unhealthy),
    ]);
    assert_eq!(classes().await, after);

    // A host that is no target keeps what it has, which is now an old revision.
    deploy(&store, 4, "v4", &[("a", T::Succeeded)], Succeeded).await;
    assert_eq!(classes().await[1], ("b".to_owned(), RevisionOld));
    deploy(&store, 5, "v5", &[("b", T::Skipped), ("d", T::Succeeded)], Stopped).await;
    let after = owned(&[
        ("a", RevisionCurrent),
        ("b", RevisionOld),
        ("c", RevisionUnknown),
        ("d", RevisionOld),
    ]);
    assert_eq!(classes().await, after);

    // Nothing is remembered for a group that is gone.
    create(&store, &deployment(6)).await;
    begin(&store, 6, 1_000, &["a"]).await;
    store.delete_group(&deployment(1).group_id, at(1_500)).await.unwrap();
    let actions = [
        Action::UpdateTarget(ended(0, "a", T::Succeeded, 2_000)),
        verdict(2_000, DeploymentStatus::Failed),
    ];
    assert_eq!(
        store.commit(&deployment_id(6), 3, &Planned::acting(at(0), &actions)).await.unwrap(),
        Commit::Done
    );
    assert_eq!(classes().await, []);
}

async fn a_timeline_tells_what_happened(store: Store) {
    demo(&store).await;
    create(&store, &deployment(1)).await;
    let id = deployment_id(1);
    let host = TargetId::new("h1");
    let start = [Action::Start { at: at(100), targets: vec![target(0, "h1")] }];
    let decisions = [
        Decision::overall(Rule::Enlist {
            targets: vec![host.clone()],
            events: LifecycleEvent::IN_PLACE.into(),
            minimum: 0,
            at_once: 1,
        }),
        Decision::on(&host, Rule::Dispatch { event: LifecycleEvent::ApplicationStop }),
    ];
    let waits = |healthy| WaitingOn::MinimumHealthy { target: host.clone(), healthy, minimum: 8 };
    let waiting = [waits(7)];
    let acting = Planned::acting(at(100), &start);
    let planned = Planned { decisions: &decisions, waiting: &waiting, ..acting };
    assert_eq!(store.commit(&id, 1, &planned).await.unwrap(), Commit::Done);
    // What it waits for may change while nothing else does; what is told already is not told again.
    for (version, healthy) in [(2, 7), (1, 6), (2, 5), (2, 5)] {
        let waiting = [waits(healthy)];
        let planned = Planned { waiting: &waiting, ..Planned::acting(at(200), &[]) };
        assert_eq!(store.commit(&id, version, &planned).await.unwrap(), Commit::Done);
    }
    let wish = |millis, roll_back| StopIntent {
        requested: at(millis),
        principal: "somebody".to_owned(),
        roll_back,
    };
    for (millis, roll_back) in [(300, None), (310, None), (320, Some(true)), (330, Some(true))] {
        store.request_stop(&id, &wish(millis, roll_back)).await.unwrap();
    }

    let (mut told, mut after): (Vec<String>, Option<String>) = (Vec::new(), None);
    loop {
        let page = store.timeline(&id, None, after.as_deref(), 2).await.unwrap();
        told.extend(page.items.iter().map(|entry| {
            let target = entry.target.as_ref().map_or("-", TargetId::as_str);
            let TimelineEntry { at, kind, rule, what, .. } = entry;
            format!("{} {} {rule} {target} {what}", at.as_millis(), kind.name())
        }));
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    let waits = "Waiting MinimumHealthy h1 h1 waits: one more host out of service would leave";
    assert_eq!(
        told,
        [
            "10001 Fact Create - created by user to deploy s3://bundles/v1",
            "100 Decision Enlist - begins with 1 host, of which 0 must stay healthy: at most 1 are out of service at once",
            "100 Decision Dispatch h1 ApplicationStop is queued for its agent",
            &format!("100 {waits} 7 healthy, minimum 8"),
            &format!("200 {waits} 5 healthy, minimum 8"),
            "300 Fact RequestStop - stop requested by somebody",
            "320 Fact RequestRollback - rollback requested by somebody",
        ]
    );
    let page = store.timeline(&id, None, None, 4).await.unwrap().items;
    let healthy = ("healthy".to_owned(), Input::Number(7));
    assert_eq!(page[3].inputs, [healthy, ("minimum".to_owned(), Input::Number(8))]);
}

async fn a_commit_wakes_the_hosts_it_has_orders_for(store: Store) {
    demo(&store).await;
    create(&store, &deployment(1)).await;
    begin(&store, 1, 100, &["h1"]).await;
    let mut changes = store.changes();
    let command = dispatched(&store, 1, 2, "h1", LifecycleEvent::ApplicationStop, 200).await;
    store.acknowledge(&command.id, at(201)).await.unwrap();
    let mut woken = Vec::new();
    while let Ok(change) = changes.try_recv() {
        woken.push(change);
    }
    woken.retain(|change| *change != Change::Everything);
    let expected = [
        Change::Host("host/h1".to_owned()),
        Change::Committed(deployment_id(1)),
        Change::Deployment(deployment_id(1)),
    ];
    assert_eq!(woken, expected);
}

async fn a_large_fleet_is_committed_whole(store: Store) {
    demo(&store).await;
    create(&store, &deployment(1)).await;
    let id = deployment_id(1);
    let targets: Vec<Target> =
        (0..2_000).map(|position| target(position, &format!("h{position:05}"))).collect();
    let start = Action::Start { at: at(1), targets: targets.clone() };
    assert_eq!(
        store.commit(&id, 1, &Planned::acting(at(0), &[start])).await.unwrap(),
        Commit::Done
    );
    let mut changed = targets[1_999].clone();
    changed.events[0].state = EventState::Skipped { ended: at(7) };
    let update = Action::UpdateTarget(changed.clone());
    assert_eq!(
        store.commit(&id, 2, &Planned::acting(at(0), &[update])).await.unwrap(),
        Commit::Done
    );
    let seen = store.snapshot(&id).await.unwrap().unwrap();
    assert_eq!(seen.targets[..1_999], targets[..1_999]);
    assert_eq!(seen.targets[1_999], changed);
}

async fn a_timeline_can_be_read_for_one_target(store: Store) {
    demo(&store).await;
    create(&store, &deployment(1)).await;
    let target = TargetId::new("h1");
    let begin = Rule::Begin { out_of_service: 1, at_once: 1 };
    let decisions = [
        Decision::on(&target, begin.clone()),
        Decision::on(&TargetId::new("h2"), begin),
        Decision::overall(Rule::Spare { targets: Vec::new() }),
    ];
    let actions = [Action::Bake];
    let planned = Planned { decisions: &decisions, ..Planned::acting(at(1), &actions) };
    store.commit(&deployment_id(1), 1, &planned).await.unwrap();
    let told = store.timeline(&deployment_id(1), Some(&target), None, 10).await.unwrap();
    let about: Vec<_> = told.items.iter().map(|entry| entry.target.as_ref()).collect();
    assert_eq!(about, [None, Some(&target), None]);
}
