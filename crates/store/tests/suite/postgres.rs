//! What only PostgreSQL has: several servers on one database.

use std::time::Duration;

use store::{Change, Database, Expected, Store, StoreError};

use crate::support::{connect, create, demo, deployment, deployment_id, open, postgres};

/// Waits until the store is told `change`.
async fn until(changes: &mut tokio::sync::broadcast::Receiver<Change>, change: &Change) {
    let told = async { while changes.recv().await.unwrap() != *change {} };
    tokio::time::timeout(Duration::from_secs(20), told).await.unwrap();
}

#[tokio::test]
async fn servers_wake_each_other() {
    let Some(database) = postgres().await else { return };
    let (here, there) = (open(&database).await, open(&database).await);
    let mut changes = there.changes();
    // Its listener has begun.
    until(&mut changes, &Change::Everything).await;
    demo(&here).await;
    create(&here, &deployment(1)).await;
    until(&mut changes, &Change::Deployment(deployment_id(1))).await;
    assert!(there.deployment(&deployment_id(1)).await.unwrap().is_some());

    // Its own news comes once, not again from the database.
    there.put_document("own", "k", Expected::Any, &1).await.unwrap();
    here.put_document("other", "k", Expected::Any, &1).await.unwrap();
    until(&mut changes, &Change::Documents("own".to_owned())).await;
    assert_eq!(changes.recv().await.unwrap(), Change::Documents("other".to_owned()));
}

#[tokio::test]
async fn a_broken_connection_is_made_again() {
    let Some(database) = postgres().await else { return };
    let store = open(&database).await;
    let mut changes = store.changes();
    until(&mut changes, &Change::Everything).await;
    let Database::Postgres(url) = &database else { return };
    let operator = connect(url).await;
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
               WHERE datname = current_database() AND pid <> pg_backend_pid()";
    operator.batch_execute(end).await.unwrap();
    // Wake-ups may have been lost: whoever waits is told to look at everything.
    until(&mut changes, &Change::Everything).await;
    // A connection from the pool may still turn out dead once.
    let mut tries = 0;
    while store.check().await.is_err() {
        tries += 1;
        assert!(tries < 20);
    }
    assert!(store.put_document("kind", "k", Expected::Absent, &1).await.unwrap());
}

#[tokio::test]
async fn an_address_without_a_server_is_an_error() {
    let nowhere = Database::Postgres("postgres://nobody@127.0.0.1:1/none".to_owned());
    let error = Store::open(&nowhere).await.err().unwrap();
    assert!(matches!(error, StoreError::Postgres(_)), "{error:?}");
    let nonsense = Database::Postgres("postgres://[".to_owned());
    let error = Store::open(&nonsense).await.err().unwrap();
    assert!(matches!(error, StoreError::Url(_)), "{error:?}");
}
