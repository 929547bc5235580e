//! The schema, from empty and from a newer program.

use store::{Database, Store, StoreError};

use crate::support::{connect, demo, open, postgres, sqlite};

/// Opening twice migrates once and finds what was written.
async fn reopens(database: &Database) {
    let first = open(database).await;
    first.check().await.unwrap();
    demo(&first).await;
    drop(first);
    let second = open(database).await;
    assert_eq!(second.application_count(crate::support::REGION).await.unwrap(), 1);
}

#[tokio::test]
async fn sqlite_refuses_a_newer_schema() {
    let place = sqlite();
    reopens(&place.database).await;
    let connection = rusqlite::Connection::open(&place.file).unwrap();
    connection.execute("INSERT INTO schema_migrations (number) VALUES (1000)", []).unwrap();
    let error = Store::open(&place.database).await.err().unwrap();
    assert!(matches!(error, StoreError::NewerSchema { found: 1000, .. }), "{error:?}");
}

#[tokio::test]
async fn postgres_refuses_a_newer_schema() {
    let Some(database) = postgres().await else { return };
    reopens(&database).await;
    let Database::Postgres(url) = &database else { return };
    let client = connect(url).await;
    client.batch_execute("INSERT INTO schema_migrations (number) VALUES (1000)").await.unwrap();
    let error = Store::open(&database).await.err().unwrap();
    assert!(matches!(error, StoreError::NewerSchema { found: 1000, .. }), "{error:?}");
}

#[tokio::test]
async fn servers_that_start_together_migrate_once() {
    let Some(database) = postgres().await else { return };
    let opening: Vec<_> = (0..4)
        .map(|_| {
            let database = database.clone();
            tokio::spawn(async move { Store::open(&database).await.map(drop) })
        })
        .collect();
    for opened in opening {
        opened.await.unwrap().unwrap();
    }
}
