//! What hooks print: numbered batches, in the order in which they came, within limits.

use model::{DeploymentId, HostCommandId, LifecycleEvent, TargetId};
use store::{COMMAND_LEAST, Change, OutputBatch, OutputFilter, OutputLimits, Store, StoredOutput};

use crate::support::{at, deployment_id, on_both_engines};

on_both_engines!(
    output_is_read_in_the_order_in_which_it_came,
    a_batch_that_comes_again_or_late_changes_nothing,
    of_a_long_output_the_beginning_and_the_end_are_kept,
    a_deployment_with_much_output_keeps_little_of_each_command,
    the_deployments_written_to_longest_ago_lose_theirs,
    servers_that_write_at_once_leave_no_gap,
);

const LIMITS: OutputLimits = OutputLimits { command: 1000, deployment: 1 << 20, all: 1 << 30 };

fn command(deployment: u32, target: &str, event: LifecycleEvent) -> HostCommandId {
    HostCommandId::derive(&deployment_id(deployment), &TargetId::new(target), event, 1)
}

fn batch(command: &HostCommandId, number: i64, text: &str) -> OutputBatch {
    OutputBatch {
        command: command.clone(),
        number,
        bytes: text.len() as u64,
        chunks: text.to_owned(),
        received: at(100 + number),
    }
}

fn all_of(deployment: u32) -> OutputFilter {
    OutputFilter { deployment: deployment_id(deployment), target: None, event: None }
}

async fn add(store: &Store, batch: &OutputBatch) {
    assert!(store.add_output(batch, &LIMITS).await.unwrap());
}

async fn texts(store: &Store, filter: &OutputFilter, after: i64) -> Vec<String> {
    let found = store.output(filter, after, 100).await.unwrap();
    found.into_iter().map(|output| output.chunks).collect()
}

async fn output_is_read_in_the_order_in_which_it_came(store: Store) {
    let (one, two) = (
        command(1, "h1", LifecycleEvent::AfterInstall),
        command(1, "h2", LifecycleEvent::AfterInstall),
    );
    let later = command(1, "h1", LifecycleEvent::ValidateService);
    let mut changes = store.changes();
    add(&store, &batch(&one, 0, "a")).await;
    add(&store, &batch(&two, 0, "b")).await;
    add(&store, &batch(&one, 1, "c\u{fffd}")).await;
    add(&store, &batch(&later, 0, "d")).await;
    add(&store, &batch(&command(2, "h1", LifecycleEvent::AfterInstall), 0, "other")).await;
    let all = all_of(1);
    let odd = "c\u{fffd}";
    assert_eq!(texts(&store, &all, 0).await, ["a", "b", odd, "d"]);
    let found = store.output(&all, 2, 1).await.unwrap();
    let third = StoredOutput {
        position: 3,
        target: TargetId::new("h1"),
        event: LifecycleEvent::AfterInstall,
        command: one.clone(),
        begins: 1,
        ends: 5,
        kept_until: 1,
        chunks: odd.to_owned(),
    };
    assert_eq!(found, [third]);
    let of = |target: Option<&str>, event| OutputFilter {
        deployment: deployment_id(1),
        target: target.map(TargetId::new),
        event,
    };
    assert_eq!(texts(&store, &of(Some("h1"), None), 0).await, ["a", odd, "d"]);
    let event = Some(LifecycleEvent::AfterInstall);
    assert_eq!(texts(&store, &of(Some("h1"), event), 1).await, [odd]);
    assert_eq!(texts(&store, &of(None, event), 0).await, ["a", "b", odd]);
    assert_eq!(texts(&store, &of(Some("h3"), None), 0).await, [""; 0]);
    let mut woken = Vec::new();
    while woken.len() < 5 {
        let change = changes.recv().await.unwrap();
        woken.extend((change != Change::Everything).then_some(change));
    }
    let output = |number| Change::Output(deployment_id(number));
    assert_eq!(woken, [output(1), output(1), output(1), output(1), output(2)]);
}

async fn a_batch_that_comes_again_or_late_changes_nothing(store: Store) {
    let command = command(1, "h1", LifecycleEvent::AfterInstall);
    add(&store, &batch(&command, 0, "a")).await;
    add(&store, &batch(&command, 3, "b")).await;
    for repeated in [3, 1, 0] {
        let again = batch(&command, repeated, "again");
        assert!(!store.add_output(&again, &LIMITS).await.unwrap(), "{repeated}");
    }
    assert_eq!(texts(&store, &all_of(1), 0).await, ["a", "b"]);
    add(&store, &batch(&command, 4, "c")).await;
    let positions = store.output(&all_of(1), 0, 100).await.unwrap();
    let positions: Vec<i64> = positions.into_iter().map(|output| output.position).collect();
    assert_eq!(positions, [1, 2, 3]);
}

async fn of_a_long_output_the_beginning_and_the_end_are_kept(store: Store) {
    let (long, short) = (
        command(1, "h1", LifecycleEvent::AfterInstall),
        command(1, "h2", LifecycleEvent::AfterInstall),
    );
    add(&store, &batch(&short, 0, "short")).await;
    for number in 0..50 {
        add(&store, &batch(&long, number, &format!("{number:0100}"))).await;
    }
    let found = store.output(&all_of(1), 0, 100).await.unwrap();
    let kept: Vec<u64> = found[1..].iter().map(|output| output.begins / 100).collect();
    assert_eq!(kept, [0, 1, 2, 3, 4, 45, 46, 47, 48, 49]);
    assert_eq!((found[0].chunks.as_str(), found[0].kept_until), ("short", 0));
    let gaps: Vec<u64> =
        found[1..].iter().map(|output| output.begins - output.kept_until).collect();
    assert_eq!(gaps, [0, 0, 0, 0, 0, 4000, 0, 0, 0, 0]);
    // One batch that is longer than everything that is kept is kept all the same: it is the last.
    add(&store, &batch(&long, 50, &"x".repeat(3000))).await;
    let found = store.output(&all_of(1), 0, 100).await.unwrap();
    assert_eq!(found.last().unwrap().begins, 5000);
    assert_eq!(found.len(), 7);
}

async fn a_deployment_with_much_output_keeps_little_of_each_command(store: Store) {
    let limits = OutputLimits { command: 1 << 20, deployment: 200 << 10, all: 1 << 30 };
    let text = "x".repeat(10 << 10);
    for target in ["h1", "h2"] {
        let command = command(1, target, LifecycleEvent::AfterInstall);
        for number in 0..30 {
            assert!(store.add_output(&batch(&command, number, &text), &limits).await.unwrap());
        }
    }
    let bytes = async |target: &str| -> u64 {
        let filter = OutputFilter { target: Some(TargetId::new(target)), ..all_of(1) };
        let found = store.output(&filter, 0, 100).await.unwrap();
        found.iter().map(|output| output.ends - output.begins).sum()
    };
    let (first, second) = (bytes("h1").await, bytes("h2").await);
    assert!(first <= 200 << 10, "{first}");
    assert!(second > 0 && second <= COMMAND_LEAST + (20 << 10), "{second}");
}

async fn the_deployments_written_to_longest_ago_lose_theirs(store: Store) {
    let limits = OutputLimits { all: 25, ..LIMITS };
    for (number, millis) in [(1, 500), (2, 300), (3, 400)] {
        let command = command(number, "h1", LifecycleEvent::AfterInstall);
        let batch = OutputBatch { received: at(millis), ..batch(&command, 0, "0123456789") };
        add(&store, &batch).await;
    }
    assert_eq!(store.purge_output(&limits).await.unwrap(), 1);
    assert_eq!(store.purge_output(&limits).await.unwrap(), 0);
    for (number, kept) in [(1, 1), (2, 0), (3, 1)] {
        assert_eq!(texts(&store, &all_of(number), 0).await.len(), kept, "{number}");
    }
    // Whoever followed the output goes on from where it was.
    add(&store, &batch(&command(2, "h1", LifecycleEvent::AfterInstall), 1, "more")).await;
    assert_eq!(texts(&store, &all_of(2), 1).await, ["more"]);
}

async fn servers_that_write_at_once_leave_no_gap(store: Store) {
    let deployment: DeploymentId = deployment_id(1);
    let writers = (0..8).map(|target| {
        let store = store.clone();
        tokio::spawn(async move {
            let command = command(1, &format!("h{target}"), LifecycleEvent::AfterInstall);
            for number in 0..20 {
                add(&store, &batch(&command, number, "x")).await;
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    let filter = OutputFilter { deployment, target: None, event: None };
    let mut seen = Vec::new();
    while seen.len() < 160 {
        let after = seen.last().copied().unwrap_or(0);
        let found = store.output(&filter, after, 100).await.unwrap();
        seen.extend(found.into_iter().map(|output| output.position));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(seen, (1..=160).collect::<Vec<i64>>(), "a follower missed some");
}
