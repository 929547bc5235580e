//! Copies of a database as of one moment, from one engine to the other and back.

use std::path::{Path, PathBuf};

use store::{
    Database, Expected, Moment, NewObject, PutCondition, Store, StoreError, load, migrate_file,
};

use crate::support::{at, create, demo, deployment, deployment_id, open, postgres, sqlite};

/// Rows in several tables that refer to each other, and an object.
async fn fill(store: &Store) {
    demo(store).await;
    create(store, &deployment(1)).await;
    store.put_document("kind", "key", Expected::Absent, &"kept \"and\" quoted").await.unwrap();
    let bucket = store::Bucket {
        name: "b".to_owned(),
        region: "us-east-1".to_owned(),
        versioning: store::Versioning::Off,
        body: "{}".to_owned(),
        created: at(1),
    };
    store.create_bucket(&bucket).await.unwrap();
    let object = NewObject {
        bucket: "b".to_owned(),
        key: "k".to_owned(),
        version_id: "v".to_owned(),
        etag: "e".to_owned(),
        size: 1 << 40,
        attributes: "{}".to_owned(),
        file: "0123".to_owned(),
        created: at(1),
    };
    store.put_object(&object, &PutCondition::None).await.unwrap();
}

async fn holds_all(store: &Store) {
    assert_eq!(store.application_count(crate::support::REGION).await.unwrap(), 1);
    let found = store.deployment(&deployment_id(1)).await.unwrap().unwrap();
    assert_eq!(found.description.as_deref(), Some("as \"asked\""));
    let kept = store.document::<String>("kind", "key").await.unwrap().unwrap();
    assert_eq!(kept.value, "kept \"and\" quoted");
    assert_eq!(store.object("b", "k", None).await.unwrap().unwrap().size, 1 << 40);
}

/// A copy of the moment before something else was written.
async fn copied(database: &Database, directory: &Path) -> PathBuf {
    let store = open(database).await;
    fill(&store).await;
    let moment = Moment::hold(database).await.unwrap();
    store.put_document("kind", "late", Expected::Absent, &1).await.unwrap();
    let copy = directory.join("copy.db");
    moment.copy_to(&copy).await.unwrap();
    assert_eq!((moment.files(), moment.schema()), (&["0123".to_owned()][..], store::SCHEMA));
    let again = moment.copy_to(&copy).await.unwrap_err();
    assert!(matches!(again, StoreError::Open { .. }), "{again:?}");
    migrate_file(&copy).unwrap();
    let copied = open(&Database::Sqlite(copy.clone())).await;
    holds_all(&copied).await;
    assert!(copied.document::<i32>("kind", "late").await.unwrap().is_none());
    copy
}

#[tokio::test]
async fn sqlite_is_copied_as_of_one_moment() {
    let place = sqlite();
    copied(&place.database, place.file.parent().unwrap()).await;
    let none = Moment::hold(&Database::Sqlite(place.file.with_extension("none"))).await;
    assert!(matches!(none.err().unwrap(), StoreError::Sqlite(_)));
    assert!(!place.file.with_extension("none").exists(), "it was made");
}

#[tokio::test]
async fn postgres_is_copied_and_an_empty_one_filled() {
    let (Some(database), Some(empty)) = (postgres().await, postgres().await) else { return };
    let Database::Postgres(url) = &empty else { return };
    let directory = tempfile::tempdir().unwrap();
    let copy = copied(&database, directory.path()).await;
    load(url, &copy).await.unwrap();
    holds_all(&open(&empty).await).await;
    let again = load(url, &copy).await.unwrap_err();
    assert!(matches!(again, StoreError::NotEmpty), "{again:?}");
}

#[tokio::test]
async fn an_older_postgres_is_not_copied_before_it_is_up_to_date() {
    let Some(database) = postgres().await else { return };
    drop(open(&database).await);
    let Database::Postgres(url) = &database else { return };
    let client = crate::support::connect(url).await;
    let older = "DELETE FROM schema_migrations WHERE number > 2";
    client.batch_execute(older).await.unwrap();
    let error = Moment::hold(&database).await.err().unwrap();
    assert!(matches!(error, StoreError::OlderSchema { found: 2, .. }), "{error:?}");
}
