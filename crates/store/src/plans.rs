//! Proves that no statement reads a whole table: each finds its rows by an index, in the order it needs.
//!
//! Every statement that the tests of this module cause is recorded; SQLite then tells how it would run it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use model::{
    ApplicationId, BundleType, Creator, DeploymentGroupId, DeploymentId, DeploymentStatus,
    Diagnostics, Event, EventState, HostCommandId, LifecycleEvent, MinimumHealthyHosts, Revision,
    Target, TargetId, TargetStatus, Timestamp,
};
use rollout::{Action, Completion, HostCommand, StopIntent, Verdict};

use crate::engine::Value;
use crate::{
    Application, Bucket, Config, Database, DeploymentFilter, DocumentWrite, Expected, GroupChange,
    ListObjects, Marker, NewDeployment, NewGroup, NewObject, Part, PutCondition, RevisionFilter,
    RevisionSort, Store, StoreError, Upload, Versioning,
};

static RECORDED: Mutex<BTreeMap<String, Vec<Value>>> = Mutex::new(BTreeMap::new());

/// Remembers a statement for this module's test.
pub(crate) fn record(sql: &str, params: &[Value]) {
    let mut recorded = RECORDED.lock().unwrap_or_else(PoisonError::into_inner);
    recorded.insert(sql.to_owned(), params.to_vec());
}

/// Indexes that hold only what is looked at as a whole.
const WHOLE_INDEXES: [&str; 1] = ["deployments_unfinished"];

#[tokio::test]
async fn no_statement_reads_a_whole_table() {
    let directory = tempfile::tempdir().unwrap();
    let database = Database::Sqlite(directory.path().join("longshore.db"));
    let store = Store::open(&database).await.unwrap();
    use_deployments(&store).await.unwrap();
    use_listings(&store).await.unwrap();
    use_documents(&store).await.unwrap();
    use_objects(&store).await.unwrap();

    let recorded = std::mem::take(&mut *RECORDED.lock().unwrap_or_else(PoisonError::into_inner));
    assert!(recorded.len() > 100, "only {} statements were recorded", recorded.len());
    let mut wrong = Vec::new();
    for (sql, params) in recorded {
        let plan = store.query(format!("EXPLAIN QUERY PLAN {sql}"), params).await.unwrap();
        for mut step in plan {
            step.int().and(step.int()).and(step.int()).unwrap();
            let step = step.text().unwrap();
            let scans = step.starts_with("SCAN ")
                && step != "SCAN CONSTANT ROW"
                && !WHOLE_INDEXES.iter().any(|index| step.contains(index));
            if scans || step.contains("TEMP B-TREE FOR ORDER BY") {
                wrong.push(format!("{step}: {sql}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
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
        revision: revision(),
        creator: Creator::User,
        description: None,
        ignore_application_stop_failures: false,
        options: String::new(),
        created: at(1),
    };
    store.create_deployment(&new).await?;
    store.create_deployment(&new).await?;
    use_hosts(store, &group.id).await?;
    store.group_by_id(&group.id).await?;
    store.delete_group(&group.id, at(9)).await?;
    store.delete_application(&application.id, at(9)).await?;
    Ok(())
}

async fn use_hosts(store: &Store, group: &DeploymentGroupId) -> Result<(), StoreError> {
    let id = deployment();
    let wish = StopIntent { requested: at(1), principal: String::new(), roll_back: None };
    let verdict = Verdict { at: at(2), status: DeploymentStatus::Succeeded, error: None };
    let completion = Completion { at: at(2), succeeded: true, diagnostics: Diagnostics::success() };
    store.commit(&id, 1, &[Action::Start { at: at(1), targets: vec![target()] }]).await?;
    let orders = [Action::Dispatch(command()), Action::UpdateTarget(target())];
    store.commit(&id, 2, &orders).await?;
    store.next_command("h1").await?;
    store.acknowledge(&command().id, at(1)).await?;
    store.snapshot(&id).await?;
    store.complete(&command().id, &completion).await?;
    store.complete(&command().id, &completion).await?;
    store.host_seen("h1", at(1), None).await?;
    store.host("h1").await?;
    store.request_stop(&id, &wish).await?;
    store.commit(&id, 4, &[Action::Finish(verdict)]).await?;
    store.deployment(&id).await?;
    store.health(group).await?;
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
        store.timeline(&id, after, 5).await?;
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
