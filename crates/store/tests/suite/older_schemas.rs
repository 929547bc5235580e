//! Databases that older versions left: opened, they have every row that they had, and the schema of a new one.
//!
//! A file of `tests/data` is what a server of that time wrote, so that a released step of the schema that is edited is noticed:
//! what it makes of an old database is no longer what it makes of an empty one.

use std::collections::BTreeMap;

use model::{ApplicationId, DeploymentId, DeploymentStatus};
use rusqlite::types::Value as SqliteValue;
use store::{Database, Store};

use crate::support::{REGION, connect, open, postgres, sqlite};

/// What a server of schema 3 left, when it was killed in the middle of a deployment.
const OLDEST: &str = include_str!("../data/schema-0003.sql");

/// Rows by table and columns: each row one text, in any order that is always the same.
type Contents = BTreeMap<String, Vec<String>>;

#[tokio::test]
async fn sqlite_keeps_every_row_and_gets_the_schema_of_a_new_database() {
    let place = sqlite();
    let old = rusqlite::Connection::open(&place.file).unwrap();
    old.execute_batch(OLDEST).unwrap();
    let columns = sqlite_columns(&old);
    let before = sqlite_rows(&old, &columns);
    drop(old);
    let store = open(&place.database).await;
    let now = rusqlite::Connection::open(&place.file).unwrap();
    same(before, sqlite_rows(&now, &columns));
    let fresh = sqlite();
    drop(open(&fresh.database).await);
    let fresh = rusqlite::Connection::open(&fresh.file).unwrap();
    assert_eq!(sqlite_schema(&now), sqlite_schema(&fresh));
    is_understood(&store).await;
}

#[tokio::test]
async fn postgres_keeps_every_row_and_gets_the_schema_of_a_new_database() {
    let (Some(database), Some(fresh)) = (postgres().await, postgres().await) else { return };
    let (Database::Postgres(url), Database::Postgres(fresh_url)) = (&database, &fresh) else {
        return;
    };
    let client = connect(url).await;
    client.batch_execute(&OLDEST.replace(" TEXT", " TEXT COLLATE \"C\"")).await.unwrap();
    let columns = postgres_columns(&client).await;
    let before = postgres_rows(&client, &columns).await;
    let store = open(&database).await;
    same(before, postgres_rows(&client, &columns).await);
    drop(open(&fresh).await);
    let fresh = connect(fresh_url).await;
    assert_eq!(postgres_schema(&client).await, postgres_schema(&fresh).await);
    is_understood(&store).await;
}

/// The same rows but for the ones that a step is there to change, and those that tell which steps were taken.
fn same(mut before: Contents, mut now: Contents) {
    assert!(before.len() > 15, "{:?}", before.keys());
    for taken in [&mut before, &mut now] {
        taken.retain(|table, _| table != "schema_migrations");
        // Step 5 writes the platform into the body, which was empty.
        for row in taken.get_mut("deployment_configs").unwrap() {
            *row = row.replace(['"', '\\'], "").replace("{computePlatform:Server}", "{}");
        }
    }
    assert_eq!(before, now);
}

/// That this program reads what it finds, of every kind of deployment.
async fn is_understood(store: &Store) {
    assert_eq!(store.application_count(REGION).await.unwrap(), 2);
    let id = ApplicationId::new("a58bcce1-8e8b-42ff-bbd5-d1d99e802420");
    assert_eq!(store.application_by_id(&id).await.unwrap().unwrap().name.as_str(), "Shop");
    for (id, status) in [
        ("d-H185J20KX", DeploymentStatus::Succeeded),
        ("d-H0VSM1G0N", DeploymentStatus::Failed),
        ("d-MXVRWDBGG", DeploymentStatus::Stopped),
        ("d-YKBZTUSZQ", DeploymentStatus::InProgress),
    ] {
        let id: DeploymentId = id.parse().unwrap();
        let found = store.deployment(&id).await.unwrap().unwrap();
        assert_eq!(found.state.status, status, "{id}");
        let told = store.timeline(&id, None, None, 100).await.unwrap();
        assert!(!told.items.is_empty(), "{id}");
        let seen = store.snapshot(&id).await.unwrap().unwrap();
        let targets = if status == DeploymentStatus::Stopped { 0 } else { 2 };
        assert_eq!(seen.targets.len(), targets, "{id}");
    }
    let object = store.object("releases", "shop.zip", None).await.unwrap().unwrap();
    let file = object.file.unwrap();
    assert!(store.files_in_use(std::slice::from_ref(&file)).await.unwrap().contains(&file));
    assert!(store.object("releases", "old.zip", None).await.unwrap().unwrap().delete_marker);
}

type Columns = BTreeMap<String, Vec<String>>;

fn sqlite_texts(connection: &rusqlite::Connection, sql: &str) -> Vec<String> {
    let mut statement = connection.prepare(sql).unwrap();
    let texts = statement.query_map([], |row| row.get(0)).unwrap();
    texts.map(Result::unwrap).collect()
}

fn sqlite_columns(connection: &rusqlite::Connection) -> Columns {
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    let columns = |table: String| {
        let sql = format!("SELECT name FROM pragma_table_info('{table}') ORDER BY cid");
        let columns = sqlite_texts(connection, &sql);
        (table, columns)
    };
    sqlite_texts(connection, tables).into_iter().map(columns).collect()
}

fn sqlite_rows(connection: &rusqlite::Connection, columns: &Columns) -> Contents {
    let mut found = Contents::new();
    for (table, columns) in columns {
        let sql = format!("SELECT {} FROM {table}", columns.join(", "));
        let mut statement = connection.prepare(&sql).unwrap();
        let values = |row: &rusqlite::Row<'_>| -> String {
            let all: Vec<SqliteValue> =
                (0..columns.len()).map(|column| row.get(column).unwrap()).collect();
            format!("{all:?}")
        };
        let mut rows: Vec<String> =
            statement.query_map([], |row| Ok(values(row))).unwrap().map(Result::unwrap).collect();
        rows.sort();
        found.insert(table.clone(), rows);
    }
    found
}

/// Columns and indexes, without what was written about them.
fn sqlite_schema(connection: &rusqlite::Connection) -> Vec<String> {
    let columns = "SELECT t.name || '.' || c.name || ' ' || c.type || c.\"notnull\" || c.pk || coalesce(c.dflt_value, '') \
         FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table' ORDER BY 1";
    let indexes =
        "SELECT sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL ORDER BY name";
    [sqlite_texts(connection, columns), sqlite_texts(connection, indexes)].concat()
}

async fn postgres_texts(client: &tokio_postgres::Client, sql: &str) -> Vec<String> {
    client.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

async fn postgres_columns(client: &tokio_postgres::Client) -> Columns {
    let sql = "SELECT table_name || ' ' || column_name FROM information_schema.columns \
         WHERE table_schema = 'public' ORDER BY table_name, ordinal_position";
    let mut found = Columns::new();
    for line in postgres_texts(client, sql).await {
        let (table, column) = line.split_once(' ').unwrap();
        found.entry(table.to_owned()).or_default().push(column.to_owned());
    }
    found
}

async fn postgres_rows(client: &tokio_postgres::Client, columns: &Columns) -> Contents {
    let mut found = Contents::new();
    for (table, columns) in columns {
        let sql = format!("SELECT ROW({})::TEXT FROM {table} ORDER BY 1", columns.join(", "));
        found.insert(table.clone(), postgres_texts(client, &sql).await);
    }
    found
}

async fn postgres_schema(client: &tokio_postgres::Client) -> Vec<String> {
    let columns = "SELECT concat_ws(' ', table_name, column_name, data_type, is_nullable, column_default, collation_name) \
         FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1";
    let indexes = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY indexname";
    [postgres_texts(client, columns).await, postgres_texts(client, indexes).await].concat()
}
