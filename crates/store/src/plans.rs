//! Proves that no statement reads a whole table: each finds its rows by an index, in the order it needs.
//!
//! Every statement that this module causes is recorded with the line that made it. Each engine then tells how it would
//! run it, and a look into the sources tells whether a line was missed.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::Location;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use model::{
    ApplicationId, BundleType, Creator, DeploymentConfigName, DeploymentGroupId, DeploymentId,
    DeploymentStatus, Diagnostics, Event, EventState, HostCommandId, LifecycleEvent,
    MinimumHealthyHosts, Revision, RollbackEvent, Target, TargetId, TargetStatus, Timestamp,
};
use rollout::{
    Action, AlarmFinding, AlarmWatch, Completion, Decision, HostCommand, Limits, Rule, StopIntent,
    Verdict, WaitingOn,
};

use crate::engine::Value;
use crate::{
    AlarmReading, Application, AskedHost, AuditRecord, Bucket, Config, Database, DeploymentFilter,
    DeploymentsOf, DocumentWrite, Expected, GroupChange, ListObjects, Marker, NewDelivery,
    NewDeployment, NewGroup, NewHostPlan, NewObject, OutputBatch, OutputFilter, OutputLimits, Part,
    Planned, PutCondition, RevisionFilter, RevisionSort, Store, StoreError, Upload, Versioning,
};

/// What was run: texts with parameters, and the lines (file name, line) that made them.
struct Recorded {
    statements: BTreeMap<String, Vec<Value>>,
    lines: BTreeSet<(String, u32)>,
}

static RECORDED: Mutex<Recorded> =
    Mutex::new(Recorded { statements: BTreeMap::new(), lines: BTreeSet::new() });

/// Remembers a statement for this module's tests.
pub(crate) fn record(sql: &str, params: &[Value], made_at: &Location<'_>) {
    let file = Path::new(made_at.file()).file_name().unwrap_or_default();
    let line = (file.to_string_lossy().into_owned(), made_at.line());
    let mut recorded = RECORDED.lock().unwrap_or_else(PoisonError::into_inner);
    recorded.statements.insert(sql.to_owned(), params.to_vec());
    recorded.lines.insert(line);
}

/// Indexes that hold only what is looked at as a whole.
const WHOLE_INDEXES: [&str; 3] =
    ["deployments_unfinished", "deployments_watching", "hook_output_kept"];

#[tokio::test]
async fn no_statement_reads_a_whole_table_in_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    let database = Database::Sqlite(directory.path().join("longshore.db"));
    let store = Store::open(&database).await.unwrap();
    let mut wrong = Vec::new();
    for (sql, params) in use_everything(&store).await {
        let plan = store.query(format!("EXPLAIN QUERY PLAN {sql}"), params).await.unwrap();
        for mut step in plan {
            step.int().and(step.int()).and(step.int()).unwrap();
            let step = step.text().unwrap();
            let scans =
                step.starts_with("SCAN ") && step != "SCAN CONSTANT ROW" && !is_whole(&step);
            if scans || step.contains("TEMP B-TREE FOR ORDER BY") {
                wrong.push(format!("{step}: {sql}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Asked to scan and to sort only where there is no other way, PostgreSQL does neither.
#[tokio::test]
async fn no_statement_reads_a_whole_table_in_postgres() {
    let Ok(server) = std::env::var("LONGSHORE_TEST_POSTGRES_URL") else {
        println!("skipped: LONGSHORE_TEST_POSTGRES_URL names no server");
        return;
    };
    let database = Database::Postgres(fresh_database(&server).await);
    let store = Store::open(&database).await.unwrap();
    let mut wrong = Vec::new();
    for (sql, params) in use_everything(&store).await {
        let rows = store.query(format!("EXPLAIN (COSTS OFF) {sql}"), params).await.unwrap();
        let plan: Vec<String> = rows.into_iter().map(|mut row| row.text().unwrap()).collect();
        if let Some(step) = scan_or_sort(&plan) {
            wrong.push(format!("{step}: {sql}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Makes a database whose sessions scan and sort only if they must; its URL. On tables as small as these it would
/// rather read an index from end to end to merge or hash it than look rows up, hence the two joins.
async fn fresh_database(server: &str) -> String {
    let (client, connection) =
        tokio_postgres::connect(server, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let name = format!("plans_{:016x}", rand_like());
    client.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
    for switch in ["seqscan", "bitmapscan", "sort", "mergejoin", "hashjoin"] {
        let alter = format!("ALTER DATABASE {name} SET enable_{switch} = off");
        client.batch_execute(&alter).await.unwrap();
    }
    let address = server.split_once('?').map_or(server, |(address, _)| address);
    let (authority, _) = address.rsplit_once('/').unwrap();
    format!("{authority}/{name}")
}

/// A number that no other run has.
fn rand_like() -> u64 {
    use std::hash::BuildHasher;
    std::collections::hash_map::RandomState::new().hash_one(std::process::id())
}

/// The first step of a plan that reads all of a table or an index, or sorts.
fn scan_or_sort(plan: &[String]) -> Option<&str> {
    let steps = plan.iter().enumerate().find(|(at, line)| {
        let step = line.trim_start().trim_start_matches("->").trim_start();
        let bounded = || {
            let details = plan[at + 1..].iter().take_while(|line| !line.contains("->"));
            details.into_iter().any(|line| line.trim_start().starts_with("Index Cond:"))
        };
        let by_index = step.starts_with("Index Scan") || step.starts_with("Index Only Scan");
        step.starts_with("Seq Scan")
            || step.starts_with("Sort")
            || step.starts_with("Incremental Sort")
            || (by_index && !is_whole(step) && !bounded())
    });
    steps.map(|(_, line)| line.trim())
}

fn is_whole(step: &str) -> bool {
    WHOLE_INDEXES.iter().any(|index| step.contains(index))
}

#[test]
fn a_plan_that_scans_or_sorts_is_found() {
    let plan = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let good = plan("Limit\n  ->  Index Scan using a on b\n        Index Cond: (c = 1)");
    assert_eq!(scan_or_sort(&good), None);
    let whole = plan("Index Scan using a on b\n  Filter: (c = 1)\n  ->  Result\n    Index Cond: x");
    assert_eq!(scan_or_sort(&whole), Some("Index Scan using a on b"));
    assert!(scan_or_sort(&plan("Sort\n  Sort Key: a")).is_some());
    assert!(scan_or_sort(&plan("Limit\n  ->  Seq Scan on b")).is_some());
    assert!(scan_or_sort(&plan("Index Scan using deployments_unfinished on d")).is_none());
}

/// Causes every statement of the store; their texts with parameters.
async fn use_everything(store: &Store) -> BTreeMap<String, Vec<Value>> {
    use_deployments(store).await.unwrap();
    use_listings(store).await.unwrap();
    use_overviews(store).await.unwrap();
    use_documents(store).await.unwrap();
    use_objects(store).await.unwrap();
    use_output(store).await.unwrap();
    use_deliveries(store).await.unwrap();
    use_host_plans(store).await.unwrap();
    let recorded = RECORDED.lock().unwrap_or_else(PoisonError::into_inner);
    let missed: Vec<_> = makers().difference(&recorded.lines).cloned().collect();
    assert!(
        missed.is_empty(),
        "these lines make statements that this test does not cause: {missed:?}"
    );
    recorded.statements.clone()
}

/// What makes a statement, as it is written.
const MAKERS: [&str; 5] =
    ["Statement::new(", "Query::new(", "self.query(", "self.query_one(", "self.count("];

/// Every line of the store's sources that makes a statement, but for the engines' own.
fn makers() -> BTreeSet<(String, u32)> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src")).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        if ["engine.rs", "plans.rs", "sqlite.rs", "postgres.rs", "postgres"]
            .contains(&file.as_str())
        {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let lines =
            text.lines().take_while(|line| !line.contains("#[cfg(test)]") || file == "lib.rs");
        for (line, number) in lines.zip(1..) {
            if MAKERS.iter().any(|maker| line.contains(maker)) {
                found.insert((file.clone(), number));
            }
        }
    }
    assert!(found.len() > 100, "only {} lines make statements", found.len());
    found
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn revision() -> Revision {
    Revision::S3 {
        bucket: "bundles".to_owned(),
        key: "v1".to_owned(),
        bundle_type: BundleType::Zip,
        version: None,
        etag: None,
    }
}

fn target() -> Target {
    Target {
        id: TargetId::new("h1"),
        arn: String::new(),
        host_identifier: "h1".to_owned(),
        zone: None,
        position: 0,
        status: TargetStatus::InProgress,
        last_updated: at(1),
        events: vec![Event {
            name: LifecycleEvent::Install,
            state: EventState::InProgress { command: command().id, dispatched: at(1) },
        }],
    }
}

fn deployment() -> DeploymentId {
    "d-000000001".parse().unwrap()
}

fn command() -> HostCommand {
    let target = TargetId::new("h1");
    HostCommand {
        id: HostCommandId::derive(&deployment(), &target, LifecycleEvent::Install, 1),
        target,
        host_identifier: "h1".to_owned(),
        event: LifecycleEvent::Install,
        dispatched: at(1),
    }
}

async fn use_deployments(store: &Store) -> Result<(), StoreError> {
    let application = Application {
        id: ApplicationId::new("a"),
        region: "r".to_owned(),
        name: "A".parse().unwrap(),
        platform: "Server".to_owned(),
        body: String::new(),
        created: at(1),
    };
    store.create_application(&application).await?;
    store.check().await?;
    store.application("r", &application.name).await?;
    store.application_by_id(&application.id).await?;
    store.application_count("r").await?;
    store.config_count("r").await?;
    store.rename_application(&application.id, &application.name, &application.name).await?;
    store.set_application_body(&application.id, "").await?;
    let config = Config {
        id: "c".to_owned(),
        region: "r".to_owned(),
        name: "C".parse().unwrap(),
        minimum_healthy: Some(MinimumHealthyHosts::HostCount(1)),
        body: String::new(),
        created: at(1),
    };
    store.create_config(&config).await?;
    store.config("r", &config.name).await?;
    let group = NewGroup {
        id: DeploymentGroupId::new("g"),
        application_id: application.id.clone(),
        region: "r".to_owned(),
        name: "G".parse().unwrap(),
        config_name: config.name.clone(),
        body: String::new(),
        created: at(1),
    };
    store.create_group(&group).await?;
    store.delete_config("r", &config.name).await?;
    store.group_count(&group.application_id).await?;
    let read = store.group(&group.application_id, &group.name).await?.unwrap();
    let change =
        GroupChange { name: read.name.clone(), config_name: config.name, body: String::new() };
    store.update_group(&read, &change).await?;
    let config_name = DeploymentConfigName::default_for_servers();
    store.update_group(&read, &GroupChange { config_name, ..change }).await?;
    store.register_revision(&application.id, &revision(), None, at(1)).await?;
    store.revision(&application.id, &revision()).await?;
    let new = NewDeployment {
        id: deployment(),
        region: "r".to_owned(),
        application_id: application.id.clone(),
        application_name: application.name.clone(),
        group_id: group.id.clone(),
        group_name: group.name.clone(),
        config_name: read.config_name,
        minimum_healthy: MinimumHealthyHosts::HostCount(1),
        zonal: None,
        messages: std::collections::BTreeSet::new(),
        revision: revision(),
        queue: None,
        sequence: None,
        creator: Creator::User,
        description: None,
        ignore_application_stop_failures: false,
        roll_back_on: [RollbackEvent::Failure].into(),
        alarms: Some(AlarmWatch::new(vec!["cpu".to_owned()], false)),
        rolls_back: None,
        options: String::new(),
        created: at(1),
    };
    store.create_deployment(&new).await?;
    store.create_deployment(&new).await?;
    store.watched_alarms().await?;
    use_hosts(store, &new).await?;
    store.group_by_id(&group.id).await?;
    store.delete_group(&group.id, at(9)).await?;
    store.delete_application(&application.id, at(9)).await?;
    Ok(())
}

async fn use_hosts(store: &Store, new: &NewDeployment) -> Result<(), StoreError> {
    let id = deployment();
    let wish = StopIntent { requested: at(1), principal: String::new(), roll_back: None };
    let verdict =
        Verdict { at: at(2), status: DeploymentStatus::Succeeded, error: None, rollback: None };
    let completion = Completion { at: at(2), succeeded: true, diagnostics: Diagnostics::success() };
    store.usage(&id).await?;
    store.next_for_room(&id).await?;
    let start = [Action::Start { at: at(1), targets: vec![target()] }];
    let limits = Some(Limits { deployments: 1, hosts: 1 });
    store.commit(&id, 1, &Planned { limits, ..Planned::acting(at(0), &start) }).await?;
    let orders = [Action::Dispatch(command()), Action::UpdateTarget(target())];
    let waiting = [WaitingOn::Stopping { in_flight: 1 }];
    let decisions = [Decision::overall(Rule::Dispatch { event: LifecycleEvent::Install })];
    let planned =
        Planned { decisions: &decisions, waiting: &waiting, ..Planned::acting(at(0), &orders) };
    store.commit(&id, 2, &planned).await?;
    store.commit(&id, 3, &Planned { actions: &[], ..planned }).await?;
    store.next_command("h1").await?;
    store.acknowledge(&command().id, at(1)).await?;
    if let Some(seen) = store.snapshot(&id).await? {
        store.snapshot_since(seen).await?;
    }
    store.complete(&command().id, &completion).await?;
    store.complete(&command().id, &completion).await?;
    store.host_seen("h1", at(1), None).await?;
    store.host("h1").await?;
    store.request_stop(&id, &wish).await?;
    let red = AlarmReading::Raised(AlarmFinding::Active(vec!["cpu".to_owned()]));
    store.alarms_read(&id, &AlarmReading::Calm, at(1)).await?;
    store.alarms_read(&id, &red, at(1)).await?;
    let end = [Action::Finish(verdict)];
    let ending = Planned::acting(at(0), &end);
    // Its id is taken, so the next version is planned anew.
    store.commit(&id, 6, &Planned { rollback: Some(new), ..ending }).await?;
    store.commit(&id, 7, &ending).await?;
    store.commit(&id, 8, &Planned::acting(at(0), &[Action::TakePlace])).await?;
    store.waiting_deployments(&new.group_id).await?;
    store.waiting_behind(&id).await?;
    store.line(&id).await?;
    store.deployment(&id).await?;
    store.deployment_state(&id).await?;
    store.health(&new.group_id).await?;
    store.targets(&id, &[target().id]).await?;
    Ok(())
}

/// Each listing from its start and from a place in it, with no filter and with all.
async fn use_listings(store: &Store) -> Result<(), StoreError> {
    let (id, application) = (deployment(), ApplicationId::new("a"));
    store.unfinished_deployments().await?;
    for after in [None, Some("1/1")] {
        store.applications("r", after, 5).await?;
        store.configs("r", after, 5).await?;
        store.groups(&application, after, 5).await?;
        store.timeline(&id, None, after, 5).await?;
        store.timeline(&id, Some(&target().id), after, 5).await?;
        store.target_ids(&id, &[], after, 5).await?;
        for group in [None, Some(DeploymentGroupId::new("g"))] {
            let mut filter =
                DeploymentFilter { region: "r".to_owned(), group, ..Default::default() };
            store.deployments(&filter, after, 5).await?;
            filter.created_from = Some(at(1));
            filter.created_to = Some(at(9));
            filter.statuses = DeploymentStatus::ALL.to_vec();
            store.deployments(&filter, after, 5).await?;
        }
        for sort in [RevisionSort::Registered, RevisionSort::FirstUsed, RevisionSort::LastUsed] {
            for descending in [false, true] {
                let (bucket, key_prefix, deployed) = (None, None, None);
                let mut filter = RevisionFilter { sort, descending, bucket, key_prefix, deployed };
                store.revisions(&application, &filter, after, 5).await?;
                filter.bucket = Some("b".to_owned());
                filter.key_prefix = Some("k".to_owned());
                filter.deployed = Some(true);
                store.revisions(&application, &filter, after, 5).await?;
            }
        }
    }
    Ok(())
}

async fn use_output(store: &Store) -> Result<(), StoreError> {
    let limits = OutputLimits { command: 1, deployment: 1, all: 0 };
    for number in 0..3 {
        let (command, received) = (command().id, at(number));
        let chunks = String::new();
        let batch = OutputBatch { command, number, bytes: 1, chunks, received };
        store.add_output(&batch, &limits).await?;
    }
    for target in [None, Some(target().id)] {
        for event in [None, Some(LifecycleEvent::Install)] {
            let target = target.clone();
            let filter = OutputFilter { deployment: deployment(), target, event };
            store.output(&filter, 0, 5).await?;
        }
    }
    store.purge_output(&limits).await?;
    Ok(())
}

async fn use_host_plans(store: &Store) -> Result<(), StoreError> {
    let host = AskedHost { target: target().id, identifier: "h".to_owned(), unasked: None };
    let plan = NewHostPlan {
        id: "hp-1".to_owned(),
        region: "r".to_owned(),
        application: "a".to_owned(),
        group: "g".to_owned(),
        created: at(1),
        expires: at(9),
        question: String::new(),
        hosts: vec![host],
    };
    assert!(store.add_host_plan(&plan, 5).await?);
    store.host_plan("hp-1").await?;
    assert!(store.take_host_plan("h", at(2)).await?.is_some());
    assert!(store.answer_host_plan("hp-1", "h", at(3), "s", "f").await?);
    store.host_plan_answers("hp-1", 0, 5).await?;
    store.host_plan_answer("hp-1", &target().id).await.map(drop)
}

async fn use_overviews(store: &Store) -> Result<(), StoreError> {
    let (id, region) = (deployment(), || "r".to_owned());
    let lists = [
        DeploymentsOf::Region(region()),
        DeploymentsOf::Application(ApplicationId::new("a")),
        DeploymentsOf::Group(DeploymentGroupId::new("g")),
        DeploymentsOf::Status(region(), DeploymentStatus::Succeeded),
    ];
    for after in [None, Some("9/9")] {
        for of in &lists {
            store.deployment_rows(of, after, 5).await?;
        }
        store.audit("r", after, 5).await?;
    }
    store.running_rows("r", 5).await?;
    store.deployment_view(&id, 5).await?;
    store.deployment_since(&id, 1, 5).await?;
    store.groups_of_region("r").await?;
    store.installed("r").await?;
    store.installed_on(&["h1".to_owned()]).await?;
    store.hosts(&["h1".to_owned(), "h2".to_owned()]).await?;
    store.record_audit(&audit_record()).await?;
    store.forget_audit(at(1)).await
}

fn audit_record() -> AuditRecord {
    let text = String::new;
    AuditRecord {
        region: "r".to_owned(),
        at: at(2),
        id: text(),
        principal: text(),
        access_key: text(),
        source: None,
        service: text(),
        operation: text(),
        resource: text(),
        outcome: text(),
    }
}

async fn use_documents(store: &Store) -> Result<(), StoreError> {
    for expected in [Expected::Absent, Expected::Revision(1), Expected::Any] {
        let put = DocumentWrite::put("k", "a", expected, &1)?.term("t");
        store.transact(vec![put]).await?;
        store.delete_document("k", "b", expected).await?;
    }
    store.document::<u32>("k", "a").await?;
    store.all_documents::<u32>("k").await?;
    store.documents_with_term::<u32>("k", "t").await?;
    store.documents::<u32>("k", "", None, 5).await?;
    store.documents::<u32>("k", "a", Some("a"), 5).await?;
    Ok(())
}

async fn use_deliveries(store: &Store) -> Result<(), StoreError> {
    let notices = store.notices(5).await?;
    let message = NewDelivery {
        id: "m".to_owned(),
        destination: "d".to_owned(),
        lane: "d 1".to_owned(),
        place: 1,
        body: String::new(),
        created: at(1),
    };
    store.spread(&notices, std::slice::from_ref(&message)).await?;
    store.deliver(std::slice::from_ref(&message)).await?;
    store.next_delivery().await?;
    for lane in store.claim_lanes("s", at(2), at(9), 5, 5).await? {
        let delivery = lane.messages[0].clone();
        store.delivered(&lane, &delivery, at(9)).await?;
        store.bury(&lane, &delivery, "dead1", 1, at(3), "").await?;
        store.postpone(&lane, at(3), at(4), "").await?;
        store.release(&lane, at(3)).await?;
    }
    for after in [None, Some("1/1")] {
        store.dead_letters(None, after, 5).await?;
        store.dead_letters(Some("d"), after, 5).await?;
    }
    store.redrive("dead1").await?;
    store.discard_dead_letter("m").await?;
    store.forget_dead_letters(at(1)).await?;
    store.gauges().await?;
    store.forget_deliveries("d").await
}

async fn use_objects(store: &Store) -> Result<(), StoreError> {
    let text = String::new;
    let name = "b".to_owned();
    let bucket = Bucket {
        name: name.clone(),
        region: text(),
        versioning: Versioning::Enabled,
        body: text(),
        created: at(1),
    };
    store.create_bucket(&bucket).await?;
    store.bucket("b").await?;
    store.buckets(Some("a"), 5).await?;
    store.set_versioning("b", Versioning::Enabled).await?;
    store.set_bucket_body("b", "", "").await?;
    let object = NewObject {
        bucket: name.clone(),
        key: "k".to_owned(),
        version_id: "v".to_owned(),
        etag: "e".to_owned(),
        size: 1,
        attributes: text(),
        file: "f".to_owned(),
        created: at(1),
    };
    for condition in [PutCondition::None, PutCondition::Absent, PutCondition::Etag("e".to_owned())]
    {
        store.put_object(&object, &condition).await.ok();
    }
    store.object("b", "k", None).await?;
    store.object("b", "k", Some("v")).await?;
    store.set_object_attributes("b", "k", "v", "").await?;
    store.files_in_use(&["f".to_owned()]).await?;
    for version_id in [None, Some("v".to_owned())] {
        let after = Some(Marker { key: "k".to_owned(), version_id });
        let wanted = ListObjects {
            bucket: name.clone(),
            prefix: "k".to_owned(),
            delimiter: None,
            after,
            limit: 5,
        };
        store.list_objects(&wanted).await?;
        store.list_object_versions(&wanted).await?;
        store.list_object_versions(&ListObjects { after: None, ..wanted.clone() }).await?;
        store.list_objects(&ListObjects { after: None, ..wanted }).await?;
    }
    let upload = Upload {
        id: "u".to_owned(),
        bucket: name,
        key: "k".to_owned(),
        body: text(),
        created: at(1),
    };
    let part = Part {
        number: 1,
        etag: text(),
        size: 1,
        attributes: text(),
        file: "g".to_owned(),
        created: at(1),
    };
    store.create_upload(&upload).await?;
    store.upload("u").await?;
    store.uploads("b", "", None, 5).await?;
    store.uploads("b", "k", Some(("k", "u")), 5).await?;
    store.put_part("u", &part).await?;
    store.parts("u", 0, 5).await?;
    store.abort_upload("u").await?;
    store.complete_upload("u", &object, &PutCondition::None).await?;
    store.delete_object("b", "k", "m", at(2)).await?;
    store.delete_object_version("b", "k", "v").await?;
    store.delete_bucket("b").await?;
    Ok(())
}
