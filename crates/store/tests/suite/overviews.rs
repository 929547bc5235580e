//! What operators look at: lists, what changed since, what is installed, who did what.

use model::{ApplicationId, DeploymentGroupId, DeploymentStatus, TargetId};
use rollout::{Action, Verdict};
use store::{AuditRecord, Commit, DeploymentsOf, Expected, NewDeployment, Planned, Store};

use crate::fleets::{begin, dispatched, fail};
use crate::support::{
    REGION, application, at, create, demo, deployment, deployment_id, group, on_both_engines,
    revision,
};

on_both_engines!(
    lists_show_deployments_with_their_counts,
    only_touched_targets_come_after_a_version,
    installed_revisions_are_found_by_region_and_by_host,
    the_audit_trail_is_read_backwards_and_forgotten,
    many_are_read_at_once_in_the_order_asked_for,
);

/// Ends the deployment whose version this is.
async fn finish(store: &Store, number: u32, version: u64, status: DeploymentStatus) {
    let verdict = Verdict { at: at(90_000), status, error: None, rollback: None };
    let actions = [Action::Finish(verdict)];
    let planned = Planned::acting(at(90_000), &actions);
    let commit = store.commit(&deployment_id(number), version, &planned).await;
    assert_eq!(commit.unwrap(), Commit::Done);
}

async fn lists_show_deployments_with_their_counts(store: Store) {
    demo(&store).await;
    for number in 1..=3 {
        create(&store, &deployment(number)).await;
        begin(&store, number, 20_000, &["h1", "h2"]).await;
        if number < 3 {
            let status =
                [DeploymentStatus::Succeeded, DeploymentStatus::Failed][number as usize - 1];
            finish(&store, number, 2, status).await;
        }
    }
    let ids = |rows: &[store::DeploymentRecord]| -> Vec<String> {
        rows.iter().map(|row| row.state.id.to_string()).collect()
    };
    let of = [
        DeploymentsOf::Region(REGION.to_owned()),
        DeploymentsOf::Application(ApplicationId::new("id-of-Demo")),
        DeploymentsOf::Group(DeploymentGroupId::new("id-of-Demo-Prod")),
    ];
    for of in of {
        let first = store.deployment_rows(&of, None, 2).await.unwrap();
        assert_eq!(ids(&first.items), ["d-000000003", "d-000000002"]);
        assert_eq!(first.items[0].overview.unwrap().pending, 2);
        let rest = store.deployment_rows(&of, first.next.as_deref(), 2).await.unwrap();
        assert_eq!((ids(&rest.items), rest.next), (vec!["d-000000001".to_owned()], None));
    }
    let failed = DeploymentsOf::Status(REGION.to_owned(), DeploymentStatus::Failed);
    let failed = store.deployment_rows(&failed, None, 9).await.unwrap();
    assert_eq!(ids(&failed.items), ["d-000000002"]);
    assert_eq!(ids(&store.running_rows(REGION, 9).await.unwrap()), ["d-000000003"]);
    assert_eq!(store.running_rows("elsewhere", 9).await.unwrap(), []);
    assert_eq!(store.groups_of_region(REGION).await.unwrap().len(), 1);
}

async fn only_touched_targets_come_after_a_version(store: Store) {
    demo(&store).await;
    create(&store, &deployment(1)).await;
    begin(&store, 1, 20_000, &["h1", "h2", "h3"]).await;
    let id = deployment_id(1);
    let whole = store.deployment_view(&id, 10).await.unwrap().unwrap();
    assert_eq!(whole.targets.len(), 3);
    assert!(whole.timeline[0].what.starts_with("created by user"), "{:?}", whole.timeline);
    let version = whole.deployment.state.version;
    let nothing = store.deployment_since(&id, version, 1).await.unwrap().unwrap();
    assert_eq!(nothing.targets, []);
    dispatched(&store, 1, version, "h2", model::LifecycleEvent::Install, 30_000).await;
    let since = store.deployment_since(&id, version, 1).await.unwrap().unwrap();
    assert_eq!(since.deployment.state.version, version + 1);
    let touched: Vec<&str> = since.targets.iter().map(|target| target.id.as_str()).collect();
    assert_eq!(touched, ["h2"]);
}

async fn installed_revisions_are_found_by_region_and_by_host(store: Store) {
    demo(&store).await;
    create(&store, &deployment(1)).await;
    begin(&store, 1, 20_000, &["h1"]).await;
    let mut target = store.target(&deployment_id(1), &TargetId::new("h1")).await.unwrap().unwrap();
    fail(&mut target, 30_000);
    let actions = [Action::UpdateTarget(target)];
    let planned = Planned::acting(at(30_000), &actions);
    store.commit(&deployment_id(1), 2, &planned).await.unwrap();
    finish(&store, 1, 3, DeploymentStatus::Failed).await;
    let of_region = store.installed(REGION).await.unwrap();
    assert_eq!(of_region.len(), 1);
    assert!(!of_region[0].healthy);
    assert_ne!(of_region[0].revision, Some(revision("v1")));
    assert_eq!(store.installed_on(&["h1".to_owned(), "h3".to_owned()]).await.unwrap(), of_region);
    assert_eq!(store.installed_on(&["h2".to_owned()]).await.unwrap(), []);
    store.host_seen("host/h1", at(5), Some("1.0")).await.unwrap();
    let hosts = store.hosts(&["host/h1".to_owned(), "host/h2".to_owned()]).await.unwrap();
    assert_eq!(hosts.len(), 1);
    assert_eq!(hosts["host/h1"].agent_version.as_deref(), Some("1.0"));
}

async fn the_audit_trail_is_read_backwards_and_forgotten(store: Store) {
    let record = |millis: i64, operation: &str| AuditRecord {
        region: REGION.to_owned(),
        at: at(millis),
        id: format!("request-{millis}"),
        principal: "arn:aws:iam::1:user/ann".to_owned(),
        access_key: "AKIA1".to_owned(),
        source: Some("10.0.0.1".to_owned()),
        service: "codedeploy".to_owned(),
        operation: operation.to_owned(),
        resource: "Demo/Prod".to_owned(),
        outcome: "Succeeded".to_owned(),
    };
    for millis in 1..=3 {
        store.record_audit(&record(millis, "CreateDeployment")).await.unwrap();
    }
    store.record_audit(&record(3, "CreateDeployment")).await.unwrap();
    let page = store.audit(REGION, None, 2).await.unwrap();
    assert_eq!(page.items, [record(3, "CreateDeployment"), record(2, "CreateDeployment")]);
    let rest = store.audit(REGION, page.next.as_deref(), 2).await.unwrap();
    assert_eq!((rest.items.len(), rest.next), (1, None));
    store.forget_audit(at(3)).await.unwrap();
    assert_eq!(store.audit(REGION, None, 9).await.unwrap().items.len(), 1);
    assert_eq!(store.audit("elsewhere", None, 9).await.unwrap().items, []);
}

async fn many_are_read_at_once_in_the_order_asked_for(store: Store) {
    demo(&store).await;
    store.create_application(&application("Other")).await.unwrap();
    let names = ["Other", "Nobody", "Demo", "Other"].map(|name| name.parse().unwrap());
    let found = store.applications_named(REGION, &names).await.unwrap();
    assert_eq!(
        found.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(),
        ["Other", "Demo", "Other"]
    );

    store.create_group(&group("Demo", "Staging")).await.unwrap();
    let names = ["Staging", "Nobody", "Prod"].map(|name| name.parse().unwrap());
    let found = store.groups_named(&application("Demo").id, &names).await.unwrap();
    assert_eq!(found.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["Staging", "Prod"]);

    let staging = group("Demo", "Staging");
    let second = NewDeployment { group_id: staging.id, group_name: staging.name, ..deployment(2) };
    create(&store, &deployment(1)).await;
    create(&store, &second).await;
    let ids = [2, 9, 1].map(deployment_id);
    let found = store.deployments_with(&ids).await.unwrap();
    assert_eq!(found.iter().map(|one| &one.state.id).collect::<Vec<_>>(), [&ids[0], &ids[2]]);

    let asked = [deployment(1).revision, revision("nobody.zip")];
    let found = store.revisions_at(&application("Demo").id, &asked).await.unwrap();
    assert_eq!(found.iter().map(|one| &one.revision).collect::<Vec<_>>(), [&asked[0]]);

    for key in ["a", "b"] {
        assert!(store.put_document("kind", key, Expected::Absent, &key).await.unwrap());
    }
    let keys = ["b", "c", "a"].map(str::to_owned);
    let found = store.documents_at::<String>("kind", &keys).await.unwrap();
    assert_eq!(found.iter().map(|one| one.value.as_str()).collect::<Vec<_>>(), ["b", "a"]);
}
