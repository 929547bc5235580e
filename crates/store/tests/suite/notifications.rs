//! Notices of what happened, and messages on their way.

use model::{DeploymentStatus, LifecycleEvent, TargetStatus};
use rollout::{Action, Verdict};
use store::{ClaimedLane, Happened, NewDelivery, Notice, Planned, Store};

use crate::fleets::{begin, dispatched, fail, target};
use crate::support::{at, create, demo, deployment, deployment_id, on_both_engines};

on_both_engines!(
    a_change_leaves_one_notice,
    notices_become_deliveries_once,
    a_lane_is_delivered_in_order_by_one_server,
    a_claim_ends_by_itself,
    a_message_that_comes_meanwhile_is_not_forgotten,
    a_dead_letter_can_be_sent_again,
);

fn told(notices: &[Notice]) -> Vec<String> {
    notices
        .iter()
        .map(|notice| match &notice.what {
            Happened::Created => "Created".to_owned(),
            Happened::Deployment(status) => status.name().to_owned(),
            Happened::Target(target) => format!("{} {}", target.id, target.status.name()),
        })
        .collect()
}

async fn a_change_leaves_one_notice(store: Store) {
    demo(&store).await;
    create(&store, &deployment(1)).await;
    let id = deployment_id(1);
    begin(&store, 1, 100, &["h1"]).await;
    dispatched(&store, 1, 2, "h1", LifecycleEvent::ApplicationStop, 200).await;
    // The target is updated again within its status, then takes another one.
    let mut running = target(0, "h1");
    running.status = TargetStatus::InProgress;
    running.last_updated = at(250);
    store
        .commit(&id, 3, &Planned::acting(at(250), &[Action::UpdateTarget(running)]))
        .await
        .unwrap();
    let mut failed = target(0, "h1");
    fail(&mut failed, 300);
    let verdict =
        Verdict { at: at(300), status: DeploymentStatus::Failed, error: None, rollback: None };
    let actions = [Action::UpdateTarget(failed.clone()), Action::Finish(verdict)];
    // A stale commit tells nobody.
    store.commit(&id, 3, &Planned::acting(at(300), &actions)).await.unwrap();
    store.commit(&id, 4, &Planned::acting(at(300), &actions)).await.unwrap();
    let notices = store.notices(50).await.unwrap();
    assert_eq!(told(&notices), ["Created", "InProgress", "h1 InProgress", "h1 Failed", "Failed"]);
    let Happened::Target(seen) = &notices[3].what else { panic!("{:?}", notices[3]) };
    assert_eq!(*seen, failed);
    assert_eq!(told(&store.notices(2).await.unwrap()), ["Created", "InProgress"]);
}

fn message(lane: &str, place: i64) -> NewDelivery {
    NewDelivery {
        id: format!("{lane}-{place}"),
        destination: "queue".to_owned(),
        lane: lane.to_owned(),
        place,
        body: format!("{{\"n\":{place}}}"),
        created: at(5),
    }
}

async fn notices_become_deliveries_once(store: Store) {
    demo(&store).await;
    create(&store, &deployment(1)).await;
    let notices = store.notices(50).await.unwrap();
    assert!(store.spread(&notices, &[message("a", 1)]).await.unwrap());
    assert!(!store.spread(&notices, &[message("b", 1)]).await.unwrap(), "somebody was faster");
    assert!(store.notices(50).await.unwrap().is_empty());
    let claimed = claim(&store, "one", 10).await;
    assert_eq!(claimed.iter().map(|lane| lane.lane.as_str()).collect::<Vec<_>>(), ["a"]);
}

async fn claim(store: &Store, server: &str, now: i64) -> Vec<ClaimedLane> {
    store.claim_lanes(server, at(now), at(now + 100), 10, 2).await.unwrap()
}

fn places(lane: &ClaimedLane) -> Vec<i64> {
    lane.messages.iter().map(|message| message.place).collect()
}

async fn a_lane_is_delivered_in_order_by_one_server(store: Store) {
    store
        .deliver(&[message("a", 3), message("a", 1), message("a", 2), message("b", 1)])
        .await
        .unwrap();
    // The same message again is no second one.
    store.deliver(&[message("a", 1)]).await.unwrap();
    let claimed = claim(&store, "one", 10).await;
    assert!(claim(&store, "two", 10).await.is_empty());
    let lane = claimed.iter().find(|lane| lane.lane == "a").unwrap();
    assert_eq!(places(lane), [1, 2]);
    assert!(store.delivered(lane, &lane.messages[0], at(120)).await.unwrap());
    store.postpone(lane, at(20), at(500), "refused").await.unwrap();
    let other = claimed.iter().find(|lane| lane.lane == "b").unwrap();
    assert!(store.delivered(other, &other.messages[0], at(120)).await.unwrap());
    store.release(other, at(30)).await.unwrap();
    assert_eq!(store.next_delivery().await.unwrap(), Some(at(500)));
    assert!(claim(&store, "two", 499).await.is_empty());
    let again = claim(&store, "two", 500).await;
    assert_eq!((places(&again[0]), again[0].attempts), (vec![2, 3], 1));
    for message in &again[0].messages {
        assert!(store.delivered(&again[0], message, at(700)).await.unwrap());
    }
    store.release(&again[0], at(600)).await.unwrap();
    assert_eq!(store.next_delivery().await.unwrap(), None);
}

async fn a_claim_ends_by_itself(store: Store) {
    store.deliver(&[message("a", 1)]).await.unwrap();
    let dead = claim(&store, "dies", 10).await;
    let heir = claim(&store, "heir", 110).await;
    assert_eq!(places(&heir[0]), [1]);
    // Whoever was only slow finds out.
    assert!(!store.delivered(&dead[0], &dead[0].messages[0], at(300)).await.unwrap());
    store.release(&dead[0], at(120)).await.unwrap();
    store.postpone(&dead[0], at(120), at(9_000), "x").await.unwrap();
    store.bury(&dead[0], &dead[0].messages[0], "dead1", 1, at(120), "x").await.unwrap();
    assert_eq!(store.next_delivery().await.unwrap(), Some(at(210)));
    assert!(store.delivered(&heir[0], &heir[0].messages[0], at(300)).await.unwrap());
}

async fn a_message_that_comes_meanwhile_is_not_forgotten(store: Store) {
    store.deliver(&[message("a", 1)]).await.unwrap();
    let lane = claim(&store, "one", 10).await.remove(0);
    assert!(store.delivered(&lane, &lane.messages[0], at(110)).await.unwrap());
    store.deliver(&[message("a", 2)]).await.unwrap();
    store.release(&lane, at(20)).await.unwrap();
    assert_eq!(places(&claim(&store, "one", 20).await[0]), [2]);
}

async fn a_dead_letter_can_be_sent_again(store: Store) {
    store.deliver(&[message("a", 1), message("a", 2)]).await.unwrap();
    let lane = claim(&store, "one", 10).await.remove(0);
    store.bury(&lane, &lane.messages[0], "dead2", 1, at(20), "HTTP 500").await.unwrap();
    let next = claim(&store, "one", 20).await.remove(0);
    assert_eq!(places(&next), [2], "the lane goes on");
    let gauges = store.gauges().await.unwrap();
    assert_eq!((gauges.deliveries, gauges.dead_letters, gauges.notices), (1, 1, 0));
    let dead = store.dead_letters(Some("queue"), None, 10).await.unwrap().items;
    assert_eq!((dead.len(), dead[0].error.as_str(), dead[0].attempts), (1, "HTTP 500", 1));
    assert_eq!(store.dead_letters(None, None, 10).await.unwrap().items, dead);
    assert!(store.redrive(&dead[0].id).await.unwrap());
    assert!(!store.redrive(&dead[0].id).await.unwrap());
    let again = claim(&store, "one", 30).await.remove(0);
    assert_eq!(again.messages[0].body, "{\"n\":1}");
    store.bury(&again, &again.messages[0], "dead3", 1, at(40), "HTTP 500").await.unwrap();
    assert_eq!(store.forget_dead_letters(at(40)).await.unwrap(), 0);
    store.deliver(&[message("b", 1)]).await.unwrap();
    // Lanes that are empty by now are claimed too, and end.
    let mut lanes = claim(&store, "one", 50).await.into_iter();
    let other = lanes.find(|lane| !lane.messages.is_empty()).unwrap();
    store.bury(&other, &other.messages[0], "dead4", 1, at(41), "HTTP 500").await.unwrap();
    assert_eq!(store.forget_dead_letters(at(41)).await.unwrap(), 1, "only what is older");
    assert!(!store.discard_dead_letter("dead3").await.unwrap());
    assert!(store.discard_dead_letter("dead4").await.unwrap());
    assert!(store.dead_letters(None, None, 10).await.unwrap().items.is_empty());
    store.forget_deliveries("queue").await.unwrap();
    assert_eq!(store.next_delivery().await.unwrap(), None);
}
