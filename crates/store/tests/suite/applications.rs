//! Applications, groups, configurations and revisions.

use model::{ErrorCode, MinimumHealthyHosts};
use store::{
    Config, Create, CreateGroup, DeleteApplication, DeleteConfig, GroupChange, Rename,
    RevisionFilter, RevisionSort, Store, UpdateGroup,
};

use crate::support::{
    REGION, application, at, create, demo, deployment, deployment_id, group, on_both_engines,
    revision,
};

on_both_engines!(
    names_are_unique_in_their_region,
    listings_page_by_name,
    a_group_is_updated_from_the_version_that_was_read,
    a_configuration_in_use_is_kept,
    deleting_under_a_running_deployment_orphans_it,
    revisions_are_found_as_they_were_given,
    revisions_page_in_either_order,
);

async fn names_are_unique_in_their_region(store: Store) {
    let demo = application("Demo");
    assert_eq!(store.create_application(&demo).await.unwrap(), Create::Created);
    let mut twin = demo.clone();
    twin.id = model::ApplicationId::new("another");
    assert_eq!(store.create_application(&twin).await.unwrap(), Create::AlreadyExists);
    twin.region = "eu-west-1".to_owned();
    assert_eq!(store.create_application(&twin).await.unwrap(), Create::Created);

    assert_eq!(store.application(REGION, &demo.name).await.unwrap().as_ref(), Some(&demo));
    assert_eq!(store.application_by_id(&demo.id).await.unwrap().as_ref(), Some(&demo));
    assert_eq!(store.application_count(REGION).await.unwrap(), 1);

    store.create_application(&application("Other")).await.unwrap();
    let other = "Other".parse().unwrap();
    assert_eq!(
        store.rename_application(&demo.id, &demo.name, &other).await.unwrap(),
        Rename::NameTaken
    );
    let fresh = "Fresh".parse().unwrap();
    assert_eq!(
        store.rename_application(&demo.id, &demo.name, &fresh).await.unwrap(),
        Rename::Renamed
    );
    assert_eq!(store.application(REGION, &demo.name).await.unwrap(), None);
    // Whoever still knows it by the old name comes too late.
    let late = "Late".parse().unwrap();
    let outcome = store.rename_application(&demo.id, &demo.name, &late).await.unwrap();
    assert_eq!(outcome, Rename::Unknown);
    let nobody = model::ApplicationId::new("nobody");
    assert_eq!(
        store.rename_application(&nobody, &demo.name, &other).await.unwrap(),
        Rename::Unknown
    );

    assert!(store.set_application_body(&demo.id, "{\"a\":1}").await.unwrap());
    let read = store.application(REGION, &fresh).await.unwrap().unwrap();
    assert_eq!(read.body, "{\"a\":1}");
    assert!(!store.set_application_body(&nobody, "{}").await.unwrap());
}

async fn listings_page_by_name(store: Store) {
    // As bytes compare: capitals before small letters, whatever the database's language.
    for name in ["b", "a", "B", "A", "_"] {
        store.create_application(&application(name)).await.unwrap();
    }
    let mut names = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = store.applications(REGION, after.as_deref(), 2).await.unwrap();
        names.extend(page.items.iter().map(|found| found.name.to_string()));
        // One that appears behind the reader does not disturb it.
        store.create_application(&application("0")).await.unwrap();
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    assert_eq!(names, ["A", "B", "_", "a", "b"]);

    for name in ["y", "x", "z"] {
        store.create_group(&group("a", name)).await.unwrap();
    }
    let id = application("a").id;
    let page = store.groups(&id, None, 2).await.unwrap();
    let names: Vec<_> = page.items.iter().map(|found| found.name.as_str()).collect();
    assert_eq!(names, ["x", "y"]);
    let rest = store.groups(&id, page.next.as_deref(), 2).await.unwrap();
    assert_eq!((rest.items.len(), rest.next), (1, None));
}

async fn a_group_is_updated_from_the_version_that_was_read(store: Store) {
    let missing = store.create_group(&group("Demo", "Prod")).await.unwrap();
    assert_eq!(missing, CreateGroup::ApplicationMissing);
    demo(&store).await;
    let again = store.create_group(&group("Demo", "Prod")).await.unwrap();
    assert_eq!(again, CreateGroup::AlreadyExists);
    store.create_group(&group("Demo", "Staging")).await.unwrap();

    let new = group("Demo", "Prod");
    let read = store.group(&new.application_id, &new.name).await.unwrap().unwrap();
    assert_eq!((read.version, read.body.as_str(), &read.last_attempted), (1, "{}", &None));
    let mut change = GroupChange {
        name: "Production".parse().unwrap(),
        config_name: read.config_name.clone(),
        body: "{\"b\":2}".to_owned(),
    };
    assert_eq!(store.update_group(&read, &change).await.unwrap(), UpdateGroup::Updated);
    assert_eq!(store.update_group(&read, &change).await.unwrap(), UpdateGroup::Stale);
    let read = store.group_by_id(&new.id).await.unwrap().unwrap();
    assert_eq!((read.version, read.name.as_str()), (2, "Production"));
    assert_eq!(read.body, "{\"b\":2}");
    change.name = "Staging".parse().unwrap();
    assert_eq!(store.update_group(&read, &change).await.unwrap(), UpdateGroup::NameTaken);
    change.config_name = "Nowhere".parse().unwrap();
    assert_eq!(store.update_group(&read, &change).await.unwrap(), UpdateGroup::ConfigMissing);
}

async fn a_configuration_in_use_is_kept(store: Store) {
    let config = Config {
        id: "an-id".to_owned(),
        region: REGION.to_owned(),
        name: "Careful".parse().unwrap(),
        minimum_healthy: Some(MinimumHealthyHosts::FleetPercent(75)),
        body: "{}".to_owned(),
        created: at(5),
    };
    let mut careful = group("Demo", "Careful");
    careful.config_name = config.name.clone();
    store.create_application(&application("Demo")).await.unwrap();
    assert_eq!(store.create_group(&careful).await.unwrap(), CreateGroup::ConfigMissing);

    assert_eq!(store.create_config(&config).await.unwrap(), Create::Created);
    assert_eq!(store.create_config(&config).await.unwrap(), Create::AlreadyExists);
    assert_eq!(store.config(REGION, &config.name).await.unwrap().as_ref(), Some(&config));
    let page = store.configs(REGION, None, 10).await.unwrap();
    assert_eq!((page.items.as_slice(), page.next), (std::slice::from_ref(&config), None));
    let name = "Lambda".parse().unwrap();
    let lambda = Config { name, minimum_healthy: None, ..config.clone() };
    assert_eq!(store.create_config(&lambda).await.unwrap(), Create::Created);
    assert_eq!(store.config(REGION, &lambda.name).await.unwrap().as_ref(), Some(&lambda));

    assert_eq!(store.create_group(&careful).await.unwrap(), CreateGroup::Created);
    assert_eq!(store.delete_config(REGION, &config.name).await.unwrap(), DeleteConfig::InUse);
    store.delete_group(&careful.id, at(6)).await.unwrap();
    assert_eq!(store.delete_config(REGION, &config.name).await.unwrap(), DeleteConfig::Deleted);
    assert_eq!(store.delete_config(REGION, &config.name).await.unwrap(), DeleteConfig::Unknown);
}

async fn deleting_under_a_running_deployment_orphans_it(store: Store) {
    demo(&store).await;
    let mut staging = deployment(2);
    staging.group_id = group("Demo", "Staging").id;
    store.create_group(&group("Demo", "Staging")).await.unwrap();
    create(&store, &deployment(1)).await;
    create(&store, &staging).await;

    let orphaned = store.delete_group(&staging.group_id, at(20)).await.unwrap();
    assert_eq!(orphaned, Some(vec![staging.id.clone()]));
    assert_eq!(store.delete_group(&staging.group_id, at(20)).await.unwrap(), None);
    let seen = store.snapshot(&staging.id).await.unwrap().unwrap();
    assert_eq!(seen.deployment.orphaned, Some(ErrorCode::DeploymentGroupMissing));
    assert_eq!(seen.deployment.version, 2);

    let deleted = store.delete_application(&application("Demo").id, at(21)).await.unwrap();
    assert_eq!(deleted, DeleteApplication::Deleted { orphaned: vec![deployment_id(1)] });
    let again = store.delete_application(&application("Demo").id, at(21)).await.unwrap();
    assert_eq!(again, DeleteApplication::Unknown);
    // The first reason stays.
    let seen = store.snapshot(&staging.id).await.unwrap().unwrap();
    assert_eq!(seen.deployment.orphaned, Some(ErrorCode::DeploymentGroupMissing));
    let record = store.deployment(&deployment_id(1)).await.unwrap().unwrap();
    assert_eq!(record.state.orphaned, Some(ErrorCode::ApplicationMissing));
    assert_eq!(record.application_name.as_str(), "Demo");
    let told = store.timeline(&deployment_id(1), None, None, 10).await.unwrap().items;
    assert_eq!(told.last().unwrap().what, "the application was deleted");

    assert!(store.revision(&application("Demo").id, &revision("v1")).await.unwrap().is_none());
    // The name is free again, and what comes under it knows nothing of its predecessor.
    demo(&store).await;
    let group = store.group_by_id(&group("Demo", "Prod").id).await.unwrap().unwrap();
    assert_eq!(group.last_attempted, None);
}

async fn revisions_are_found_as_they_were_given(store: Store) {
    demo(&store).await;
    let id = application("Demo").id;
    assert!(store.register_revision(&id, &revision("v1"), Some("one"), at(5)).await.unwrap());
    assert!(store.register_revision(&id, &revision("v1"), Some("uno"), at(6)).await.unwrap());
    let nobody = model::ApplicationId::new("nobody");
    assert!(!store.register_revision(&nobody, &revision("v1"), None, at(6)).await.unwrap());
    let found = store.revision(&id, &revision("v1")).await.unwrap().unwrap();
    assert_eq!((found.description.as_deref(), found.registered), (Some("uno"), at(5)));
    assert_eq!((found.first_used, found.last_used, found.groups.len()), (None, None, 0));
    let model::Revision::S3 { bucket, key, bundle_type, .. } = revision("v1") else { return };
    let etag = Some("abc".to_owned());
    let exact = model::Revision::S3 { bucket, key, bundle_type, version: None, etag };
    assert_eq!(store.revision(&id, &exact).await.unwrap(), None);

    // A deployment makes its revision known, but does not take a description away.
    create(&store, &deployment(1)).await;
    let found = store.revision(&id, &revision("v1")).await.unwrap().unwrap();
    assert_eq!(found.description.as_deref(), Some("uno"));
    let mut other = deployment(2);
    other.creator = model::Creator::AutoScaling;
    other.revision = revision("v2");
    create(&store, &other).await;
    assert!(store.revision(&id, &revision("v2")).await.unwrap().is_some());
}

async fn revisions_page_in_either_order(store: Store) {
    demo(&store).await;
    let id = application("Demo").id;
    for (key, registered) in [("a/1", 3), ("a/2", 1), ("b/1", 1), ("a/3", 2)] {
        store.register_revision(&id, &revision(key), None, at(registered)).await.unwrap();
    }
    let mut filter = RevisionFilter {
        sort: RevisionSort::Registered,
        descending: false,
        bucket: None,
        key_prefix: None,
        deployed: None,
    };
    assert_eq!(listed(&store, &filter).await, ["a/2", "b/1", "a/3", "a/1"]);
    filter.descending = true;
    assert_eq!(listed(&store, &filter).await, ["a/1", "a/3", "b/1", "a/2"]);
    filter.sort = RevisionSort::LastUsed;
    assert_eq!(listed(&store, &filter).await, ["b/1", "a/3", "a/2", "a/1"]);
    filter.key_prefix = Some("a/".to_owned());
    filter.bucket = Some("bundles".to_owned());
    assert_eq!(listed(&store, &filter).await, ["a/3", "a/2", "a/1"]);
    filter.deployed = Some(true);
    assert_eq!(listed(&store, &filter).await, Vec::<String>::new());
    filter.deployed = Some(false);
    assert_eq!(listed(&store, &filter).await.len(), 3);
    filter.bucket = Some("elsewhere".to_owned());
    assert_eq!(listed(&store, &filter).await.len(), 0);
}

async fn listed(store: &Store, filter: &RevisionFilter) -> Vec<String> {
    let id = application("Demo").id;
    let (mut keys, mut after) = (Vec::new(), None);
    loop {
        let page = store.revisions(&id, filter, after.as_deref(), 1).await.unwrap();
        keys.extend(page.items.into_iter().map(|found| match found.revision {
            model::Revision::S3 { key, .. } => key,
            model::Revision::GitHub { commit_id, .. } => commit_id,
        }));
        match page.next {
            Some(next) => after = Some(next),
            None => return keys,
        }
    }
}
