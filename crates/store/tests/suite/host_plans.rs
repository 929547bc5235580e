//! What hosts are asked about deployments that may be made, and what they answer.

use model::TargetId;
use store::{AnswerState, AskedHost, NewHostPlan, Store};

use crate::support::{at, on_both_engines};

on_both_engines!(
    a_host_is_told_once_and_its_first_answer_counts,
    nothing_is_told_nor_taken_when_it_is_too_late,
    a_region_has_so_many_at_a_time_and_old_ones_go,
);

const HOUR: i64 = 3_600_000;

fn plan(id: &str, created: i64, hosts: &[(&str, Option<&str>)]) -> NewHostPlan {
    let host = |(name, unasked): &(&str, Option<&str>)| AskedHost {
        target: TargetId::new(*name),
        identifier: format!("host/{name}"),
        unasked: unasked.map(str::to_owned),
    };
    NewHostPlan {
        id: id.to_owned(),
        region: "us-east-1".to_owned(),
        application: "Demo".to_owned(),
        group: "Production".to_owned(),
        created: at(created),
        expires: at(created + 1000),
        question: "what?".to_owned(),
        hosts: hosts.iter().map(host).collect(),
    }
}

async fn a_host_is_told_once_and_its_first_answer_counts(store: Store) {
    let hosts = [("h2", None), ("h1", None), ("h3", Some("never heard"))];
    assert!(store.add_host_plan(&plan("hp-1", 0, &hosts), 9).await.unwrap());
    let take = async |host: &str, now: i64| store.take_host_plan(host, at(now)).await.unwrap();
    let answer = async |host: &str, summary: &str| {
        store.answer_host_plan("hp-1", host, at(500), summary, "files").await.unwrap()
    };
    assert!(!answer("host/h1", "before it was told").await);
    let taken = take("host/h1", 100).await.unwrap();
    assert_eq!((taken.id.as_str(), taken.question.as_str()), ("hp-1", "what?"));
    assert_eq!(store.host_plan("hp-1").await.unwrap(), Some(taken));
    for nobody in ["host/h1", "host/h3", "host/h9"] {
        assert_eq!(take(nobody, 200).await, None, "{nobody}");
    }
    assert!(answer("host/h1", "first").await);
    assert!(!answer("host/h1", "second").await);
    let (answers, missing) = store.host_plan_answers("hp-1", 0, 2).await.unwrap();
    let states: Vec<_> =
        answers.iter().map(|found| (found.target.as_str(), found.state.clone())).collect();
    let first = AnswerState::Answered("first".to_owned());
    assert_eq!(states, [("h2", AnswerState::Waiting), ("h1", first.clone())]);
    assert_eq!(missing, 1, "h2 may still answer, h3 is not asked");
    take("host/h2", 300).await.unwrap();
    let (answers, _) = store.host_plan_answers("hp-1", 2, 2).await.unwrap();
    assert_eq!(answers[0].state, AnswerState::Unasked("never heard".to_owned()));
    let one =
        async |target: &str| store.host_plan_answer("hp-1", &TargetId::new(target)).await.unwrap();
    let (found, files) = one("h1").await.unwrap();
    assert_eq!((found.state, files.as_deref()), (first, Some("files")));
    assert_eq!(one("h2").await.unwrap().0.state, AnswerState::Asked);
    assert!(one("h9").await.is_none());
}

async fn nothing_is_told_nor_taken_when_it_is_too_late(store: Store) {
    let hosts = [("h1", None), ("h2", None)];
    assert!(store.add_host_plan(&plan("hp-1", 0, &hosts), 9).await.unwrap());
    assert!(store.take_host_plan("host/h1", at(10)).await.unwrap().is_some());
    assert!(store.take_host_plan("host/h2", at(1000)).await.unwrap().is_none());
    assert!(!store.answer_host_plan("hp-1", "host/h1", at(1000), "late", "").await.unwrap());
    let (answers, missing) = store.host_plan_answers("hp-1", 0, 9).await.unwrap();
    assert_eq!((answers[0].state.clone(), missing), (AnswerState::Asked, 2));
}

async fn a_region_has_so_many_at_a_time_and_old_ones_go(store: Store) {
    let hosts = [("h1", None)];
    assert!(store.add_host_plan(&plan("hp-1", 0, &hosts), 2).await.unwrap());
    assert!(store.add_host_plan(&plan("hp-2", 0, &hosts), 2).await.unwrap());
    assert!(!store.add_host_plan(&plan("hp-3", 999, &hosts), 2).await.unwrap());
    assert_eq!(store.host_plan("hp-3").await.unwrap(), None);
    let elsewhere = NewHostPlan { region: "eu-west-1".into(), ..plan("hp-4", 999, &hosts) };
    assert!(store.add_host_plan(&elsewhere, 2).await.unwrap());
    assert!(store.add_host_plan(&plan("hp-5", 1000, &hosts), 2).await.unwrap());
    assert!(store.host_plan("hp-1").await.unwrap().is_some(), "it can still be read");
    assert!(store.add_host_plan(&plan("hp-6", HOUR + 1001, &hosts), 2).await.unwrap());
    assert_eq!(store.host_plan("hp-1").await.unwrap(), None);
    assert_eq!(store.host_plan_answers("hp-1", 0, 9).await.unwrap().0, []);
    assert!(store.host_plan("hp-5").await.unwrap().is_some());
}
