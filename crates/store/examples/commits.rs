//! Measures durable writes: `cargo run --release -p longshore-store --example commits -- DIRECTORY [DATABASE-URL]`.
//!
//! `docs/decisions/0001-rows-for-deployments-documents-for-neighbours.md` rests on what it prints.

extern crate longshore_store as store;

use std::error::Error;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use model::{
    ApplicationId, BundleType, Creator, DeploymentGroupId, DeploymentId, Event, EventState,
    HostCommandId, LifecycleEvent, MinimumHealthyHosts, Revision, Target, TargetId, TargetStatus,
    Timestamp,
};
use rollout::{Action, HostCommand};
use store::{Application, Database, Expected, NewDeployment, NewGroup, Planned, Store};

type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

/// How long each measurement runs.
const SPAN: Duration = Duration::from_secs(3);

const TARGETS: u32 = 10_000;

#[tokio::main]
async fn main() -> Outcome {
    let mut arguments = std::env::args_os().skip(1);
    let directory = PathBuf::from(arguments.next().ok_or("which directory?")?);
    measure("SQLite", &Database::Sqlite(directory.join("measured.db"))).await?;
    if let Some(url) = arguments.next() {
        measure("PostgreSQL", &Database::Postgres(url.to_string_lossy().into_owned())).await?;
    }
    Ok(())
}

async fn measure(engine: &str, database: &Database) -> Outcome {
    let store = Store::open(database).await?;
    println!("{engine}");
    for writers in [1, 64] {
        let rate = put_documents(&store, writers).await?;
        println!("  documents put by compare-and-set, {writers:>2} writers: {rate:>6.0}/s");
    }
    for writers in [1, 64] {
        let rate = commit_steps(&store, writers).await?;
        println!("  a target moved one event on, {writers:>2} deployments: {rate:>6.0}/s");
    }
    let (rows, document) = move_one_of_many(&store).await?;
    println!(
        "  one of {TARGETS} targets moved on, as a row: {rows:?}, in one document: {document:?}"
    );
    let began = Instant::now();
    let seen = store.snapshot(&deployment_id(999)).await?.ok_or("it was made")?;
    println!("  snapshot of {} targets: {:?}", seen.targets.len(), began.elapsed());
    Ok(())
}

/// Runs `writers` loops at once for the span; how many rounds were done per second.
async fn rate<F, R>(writers: u32, round: F) -> Result<f64, Box<dyn Error + Send + Sync>>
where
    F: Fn(u32, u64) -> R + Clone + Send + 'static,
    R: Future<Output = Outcome> + Send,
{
    let began = Instant::now();
    let running: Vec<_> = (0..writers)
        .map(|writer| {
            let round = round.clone();
            tokio::spawn(async move {
                let mut rounds = 0;
                while began.elapsed() < SPAN {
                    rounds += 1;
                    round(writer, rounds).await?;
                }
                Ok::<u64, Box<dyn Error + Send + Sync>>(rounds)
            })
        })
        .collect();
    let mut rounds = 0;
    for writer in running {
        rounds += writer.await??;
    }
    Ok(rounds as f64 / began.elapsed().as_secs_f64())
}

async fn put_documents(store: &Store, writers: u32) -> Result<f64, Box<dyn Error + Send + Sync>> {
    let store = store.clone();
    let body = "x".repeat(400);
    rate(writers, move |writer, round| {
        let (store, body) = (store.clone(), body.clone());
        async move {
            let expected = if round == 1 { Expected::Any } else { Expected::Revision(round - 1) };
            let key = format!("{writers}-{writer}");
            if store.put_document("measured", &key, expected, &body).await? {
                Ok(())
            } else {
                Err("the document was not as expected".into())
            }
        }
    })
    .await
}

/// Each writer has a deployment of its own and commits what the planner usually answers: a target's state and an order.
async fn commit_steps(store: &Store, writers: u32) -> Result<f64, Box<dyn Error + Send + Sync>> {
    for writer in 0..writers {
        begin(store, writers * 100 + writer, 3).await?;
    }
    let store = store.clone();
    rate(writers, move |writer, round| {
        let store = store.clone();
        async move { step(&store, writers * 100 + writer, round + 1).await }
    })
    .await
}

async fn move_one_of_many(
    store: &Store,
) -> Result<(Duration, Duration), Box<dyn Error + Send + Sync>> {
    const ROUNDS: u32 = 20;
    begin(store, 999, TARGETS).await?;
    let began = Instant::now();
    for round in 0..ROUNDS {
        step(store, 999, u64::from(round) + 2).await?;
    }
    let rows = began.elapsed() / ROUNDS;
    // As large as the rows' texts together.
    let body = "x".repeat(600 * TARGETS as usize);
    let began = Instant::now();
    for _ in 0..ROUNDS {
        store.put_document("measured", "all targets", Expected::Any, &body).await?;
    }
    Ok((rows, began.elapsed() / ROUNDS))
}

async fn step(store: &Store, number: u32, version: u64) -> Outcome {
    let id = deployment_id(number);
    let mut target = target(0);
    let attempt = u32::try_from(version)?;
    let command = HostCommand {
        id: HostCommandId::derive(&id, &target.id, LifecycleEvent::Install, attempt),
        target: target.id.clone(),
        host_identifier: target.host_identifier.clone(),
        event: LifecycleEvent::Install,
        dispatched: Timestamp::from_millis(1),
    };
    target.events[0].state =
        EventState::InProgress { command: command.id.clone(), dispatched: command.dispatched };
    let actions = [Action::Dispatch(command), Action::UpdateTarget(target)];
    match store.commit(&id, version, &Planned::acting(Timestamp::from_millis(0), &actions)).await? {
        store::Commit::Done => Ok(()),
        store::Commit::Stale => Err("nobody else commits".into()),
    }
}

async fn begin(store: &Store, number: u32, targets: u32) -> Outcome {
    let (region, created) = ("us-east-1".to_owned(), Timestamp::from_millis(1));
    let application = Application {
        id: ApplicationId::new(format!("a{number}")),
        region: region.clone(),
        name: format!("a{number}").parse()?,
        platform: "Server".to_owned(),
        body: "{}".to_owned(),
        created,
    };
    let group = NewGroup {
        id: DeploymentGroupId::new(format!("g{number}")),
        application_id: application.id.clone(),
        region: region.clone(),
        name: "g".parse()?,
        config_name: "CodeDeployDefault.OneAtATime".parse()?,
        body: "{}".to_owned(),
        created,
    };
    let deployment = NewDeployment {
        id: deployment_id(number),
        region,
        application_id: application.id.clone(),
        application_name: application.name.clone(),
        group_id: group.id.clone(),
        group_name: group.name.clone(),
        config_name: group.config_name.clone(),
        minimum_healthy: MinimumHealthyHosts::MostConcurrency(1),
        zonal: None,
        messages: std::collections::BTreeSet::new(),
        revision: Revision::S3 {
            bucket: "b".to_owned(),
            key: "k".to_owned(),
            bundle_type: BundleType::Zip,
            version: None,
            etag: None,
        },
        queue: None,
        sequence: None,
        creator: Creator::User,
        description: None,
        ignore_application_stop_failures: false,
        roll_back_on: std::collections::BTreeSet::new(),
        alarms: None,
        rolls_back: None,
        options: "{}".to_owned(),
        created,
    };
    store.create_application(&application).await?;
    store.create_group(&group).await?;
    store.create_deployment(&deployment).await?;
    let start = Action::Start { at: created, targets: (0..targets).map(target).collect() };
    store.commit(&deployment.id, 1, &Planned::acting(Timestamp::from_millis(0), &[start])).await?;
    Ok(())
}

fn deployment_id(number: u32) -> DeploymentId {
    format!("d-{number:09}").parse().expect("nine digits")
}

fn target(position: u32) -> Target {
    let events = LifecycleEvent::IN_PLACE.map(|name| Event { name, state: EventState::Pending });
    Target {
        id: TargetId::new(format!("i-{position:017x}")),
        arn: format!("arn:aws:ec2:us-east-1:123456789012:instance/i-{position:017x}"),
        host_identifier: format!("arn:aws:ec2:us-east-1:123456789012:instance/i-{position:017x}"),
        zone: None,
        position,
        status: TargetStatus::InProgress,
        last_updated: Timestamp::from_millis(1),
        events: events.into(),
    }
}
