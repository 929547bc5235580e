//! What hosts fetch and report.

use model::{Diagnostics, HostCommandId, LifecycleEvent, TargetId};
use rollout::{Busy, Completion, HostCommand};
use store::{Acknowledge, Commit, Complete, Planned, StopRequest, Store};

use crate::fleets::{begin, dispatched, fail, target};
use crate::support::{at, create, demo, deployment, deployment_id, group, on_both_engines};

on_both_engines!(
    a_command_comes_until_it_is_acknowledged,
    repeated_facts_change_nothing,
    a_command_of_an_event_that_is_over_is_not_wanted,
    other_deployments_occupy_a_host,
    signs_of_life_are_written_now_and_then,
);

fn completion(millis: i64, succeeded: bool) -> Completion {
    let diagnostics = if succeeded {
        Diagnostics::success()
    } else {
        Diagnostics::unknown_error("out of \"luck\"")
    };
    Completion { at: at(millis), succeeded, diagnostics }
}

async fn a_command_comes_until_it_is_acknowledged(store: Store) {
    demo(&store).await;
    create(&store, &deployment(1)).await;
    begin(&store, 1, 100, &["h1", "h2"]).await;
    let command = dispatched(&store, 1, 2, "h1", LifecycleEvent::ApplicationStop, 200).await;
    for _ in 0..2 {
        assert_eq!(store.next_command("host/h1").await.unwrap().as_ref(), Some(&command));
    }
    assert_eq!(store.next_command("host/h2").await.unwrap(), None);
    assert_eq!(store.acknowledge(&command.id, at(300)).await.unwrap(), Acknowledge::First);
    assert_eq!(store.next_command("host/h1").await.unwrap(), None);
    // Dispatching the same again is no second order.
    let actions = [rollout::Action::Dispatch(command.clone())];
    assert_eq!(
        store.commit(&deployment_id(1), 3, &Planned::acting(at(0), &actions)).await.unwrap(),
        Commit::Done
    );
    assert_eq!(store.next_command("host/h1").await.unwrap(), None);
    let read = store.command(&command.id).await.unwrap().unwrap();
    assert_eq!((read.command, read.report.acknowledged), (command, Some(at(300))));
}

async fn repeated_facts_change_nothing(store: Store) {
    demo(&store).await;
    create(&store, &deployment(1)).await;
    begin(&store, 1, 100, &["h1"]).await;
    let command = dispatched(&store, 1, 2, "h1", LifecycleEvent::ApplicationStop, 200).await;
    let seen = async || store.snapshot(&deployment_id(1)).await.unwrap().unwrap();
    let before = seen().await;
    assert_eq!(before.reports.get(&command.id), None);

    assert_eq!(store.acknowledge(&command.id, at(300)).await.unwrap(), Acknowledge::First);
    let again = Acknowledge::Again { completed: false };
    assert_eq!(store.acknowledge(&command.id, at(301)).await.unwrap(), again);
    let report = seen().await.reports.remove(&command.id).unwrap();
    assert_eq!((report.acknowledged, report.completion), (Some(at(300)), None));

    let first = completion(400, false);
    assert_eq!(store.complete(&command.id, &first).await.unwrap(), Complete::First);
    let again = store.complete(&command.id, &completion(401, true)).await.unwrap();
    assert_eq!(again, Complete::Again);
    let again = Acknowledge::Again { completed: true };
    assert_eq!(store.acknowledge(&command.id, at(402)).await.unwrap(), again);
    let after = seen().await;
    assert_eq!(after.reports[&command.id].completion, Some(first));
    assert_eq!(after.deployment.version, before.deployment.version);
    assert_eq!(after.targets, before.targets);

    let h2 = TargetId::new("h2");
    let unknown = HostCommandId::derive(&deployment_id(1), &h2, LifecycleEvent::ApplicationStop, 1);
    assert_eq!(store.acknowledge(&unknown, at(1)).await.unwrap(), Acknowledge::Unknown);
    assert_eq!(store.complete(&unknown, &completion(1, true)).await.unwrap(), Complete::Unknown);
    assert_eq!(store.command(&unknown).await.unwrap(), None);
}

async fn a_command_of_an_event_that_is_over_is_not_wanted(store: Store) {
    demo(&store).await;
    create(&store, &deployment(1)).await;
    begin(&store, 1, 100, &["h1"]).await;
    let command = dispatched(&store, 1, 2, "h1", LifecycleEvent::ApplicationStop, 200).await;
    let wish =
        rollout::StopIntent { requested: at(201), principal: String::new(), roll_back: None };
    let stopping = store.request_stop(&deployment_id(1), &wish).await.unwrap();
    assert_eq!(stopping, StopRequest::Stopping { in_flight: 1 });

    // The host was silent for too long.
    let mut given_up = target(0, "h1");
    fail(&mut given_up, 300);
    let actions = [rollout::Action::UpdateTarget(given_up)];
    assert_eq!(
        store.commit(&deployment_id(1), 4, &Planned::acting(at(0), &actions)).await.unwrap(),
        Commit::Done
    );
    assert_eq!(store.next_command("host/h1").await.unwrap(), None);
    let late = store.acknowledge(&command.id, at(301)).await.unwrap();
    assert_eq!(late, Acknowledge::NoLongerWanted);
    // It is kept for the record, and the planner does not see it.
    let late = store.complete(&command.id, &completion(302, true)).await.unwrap();
    assert_eq!(late, Complete::First);
    let read = store.command(&command.id).await.unwrap().unwrap();
    assert_eq!((read.closed, read.report.completion.unwrap().at), (Some(at(300)), at(302)));
    assert!(store.snapshot(&deployment_id(1)).await.unwrap().unwrap().reports.is_empty());
    let stopping = store.request_stop(&deployment_id(1), &wish).await.unwrap();
    assert_eq!(stopping, StopRequest::Stopping { in_flight: 0 });
}

async fn other_deployments_occupy_a_host(store: Store) {
    demo(&store).await;
    let mut other = deployment(2);
    other.group_id = group("Demo", "Staging").id;
    store.create_group(&group("Demo", "Staging")).await.unwrap();
    create(&store, &deployment(1)).await;
    create(&store, &other).await;
    begin(&store, 1, 100, &["h1", "h2"]).await;
    begin(&store, 2, 100, &["h1"]).await;
    let busy = async |number: u32| {
        let seen = store.snapshot(&deployment_id(number)).await.unwrap().unwrap();
        seen.hosts.into_iter().map(|(id, facts)| (id.to_string(), facts.busy)).collect::<Vec<_>>()
    };
    let command = dispatched(&store, 2, 2, "h1", LifecycleEvent::ApplicationStop, 200).await;
    assert_eq!(busy(1).await, [], "a queued command occupies nothing");
    store.acknowledge(&command.id, at(300)).await.unwrap();
    assert_eq!(busy(1).await, [("h1".to_owned(), Busy::Now)]);
    assert_eq!(busy(2).await, [], "a deployment is not in its own way");
    store.complete(&command.id, &completion(400, true)).await.unwrap();
    assert_eq!(busy(1).await, [("h1".to_owned(), Busy::FreeSince(at(400)))]);
    assert_eq!(busy(2).await, [], "nor does it wait for itself");

    // One that never completed leaves the host when its event is over.
    let next = dispatched(&store, 2, 3, "h1", LifecycleEvent::DownloadBundle, 500).await;
    store.acknowledge(&next.id, at(501)).await.unwrap();
    assert_eq!(busy(1).await, [("h1".to_owned(), Busy::Now)]);
    let mut given_up = target(0, "h1");
    fail(&mut given_up, 900);
    let actions = [rollout::Action::UpdateTarget(given_up)];
    assert_eq!(
        store.commit(&deployment_id(2), 4, &Planned::acting(at(0), &actions)).await.unwrap(),
        Commit::Done
    );
    assert_eq!(busy(1).await, [("h1".to_owned(), Busy::FreeSince(at(900)))]);

    // Commands of several deployments are handed out oldest first.
    let older = dispatched(&store, 1, 2, "h2", LifecycleEvent::ApplicationStop, 600).await;
    let newer = HostCommand { dispatched: at(700), target: TargetId::new("h2"), ..older.clone() };
    let newer = HostCommand {
        id: HostCommandId::derive(&deployment_id(2), &newer.target, newer.event, 1),
        ..newer
    };
    let actions = [rollout::Action::Dispatch(newer.clone())];
    assert_eq!(
        store.commit(&deployment_id(2), 5, &Planned::acting(at(0), &actions)).await.unwrap(),
        Commit::Done
    );
    assert_eq!(store.next_command("host/h2").await.unwrap(), Some(older.clone()));
    store.acknowledge(&older.id, at(701)).await.unwrap();
    assert_eq!(store.next_command("host/h2").await.unwrap(), Some(newer));

    // Looking again asks only for hosts whose next step depends on it.
    let again = async |number: u32| {
        let earlier = store.snapshot(&deployment_id(number)).await.unwrap().unwrap();
        let seen = store.snapshot_since(earlier).await.unwrap().unwrap();
        seen.hosts.into_iter().map(|(id, facts)| (id.to_string(), facts.busy)).collect::<Vec<_>>()
    };
    assert_eq!(again(2).await, [("h2".to_owned(), Busy::Now)]);
    assert_eq!(again(1).await, [], "the host executes this deployment's own command");
    store.complete(&older.id, &completion(800, true)).await.unwrap();
    assert_eq!(again(2).await, [("h2".to_owned(), Busy::FreeSince(at(800)))]);
}

async fn signs_of_life_are_written_now_and_then(store: Store) {
    let heard = async |millis: i64, version: Option<&str>| {
        store.host_seen("host/h1", at(millis), version).await.unwrap();
        let host = store.host("host/h1").await.unwrap().unwrap();
        (host.last_seen.as_millis(), host.agent_version)
    };
    assert_eq!(store.host("host/h1").await.unwrap(), None);
    assert_eq!(heard(1_000, Some("1.0")).await, (1_000, Some("1.0".to_owned())));
    assert_eq!(heard(10_999, None).await.0, 1_000);
    assert_eq!(heard(11_000, None).await, (11_000, Some("1.0".to_owned())));
    assert_eq!(heard(11_001, Some("1.1")).await, (11_001, Some("1.1".to_owned())));
    assert_eq!(heard(11_002, Some("1.1")).await.0, 11_001);
}
