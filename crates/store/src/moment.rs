//! Databases copied as of one moment: for backups, and to move from one engine to the other.
//!
//! A copy is always a SQLite file. Both engines have the same tables with the same columns, of numbers and texts only, so
//! that rows go from one to the other as they are. What is here blocks its thread while it works with files: it is for
//! programs that do nothing else meanwhile.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags};
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls};

use crate::engine::Value;
use crate::error::StoreError;
use crate::{Database, migrations, postgres, sqlite};

/// The newest schema that this program knows.
pub const SCHEMA: i64 = migrations::NEWEST;

/// Pages that are copied between two looks at the source, which does not change while it is held.
const PAGES_PER_STEP: i32 = 4096;

/// Rows that are fetched from PostgreSQL at once.
const ROWS_PER_FETCH: u32 = 1000;

/// The files of objects and of parts of uploads; see `objects`.
const FILES: &str = "SELECT file FROM objects WHERE file IS NOT NULL UNION SELECT file FROM parts";

/// A database as it was at one moment, whatever is written to it meanwhile.
pub struct Moment {
    source: Source,
    schema: i64,
    files: Vec<String>,
}

enum Source {
    /// Within a transaction that has read.
    Sqlite(Connection),
    /// The same.
    Postgres(Client),
}

impl Moment {
    /// Holds the database as it is now. Its schema is left as it is.
    ///
    /// Must be called within a tokio runtime.
    ///
    /// # Errors
    /// There is no such database, or its schema is newer than this program; or older, with PostgreSQL.
    pub async fn hold(database: &Database) -> Result<Self, StoreError> {
        match database {
            Database::Sqlite(path) => Self::of_file(path),
            Database::Postgres(url) => Self::of_server(url).await,
        }
    }

    fn of_file(path: &Path) -> Result<Self, StoreError> {
        // Not to be made where there is none.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(sqlite::BUSY_TIMEOUT)?;
        connection.execute_batch("BEGIN")?;
        let taken = sqlite::taken(&connection)?;
        // A newer one may keep its files elsewhere.
        migrations::missing(&taken).map(drop)?;
        let files = connection
            .prepare(FILES)?
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        let schema = taken.last().copied().unwrap_or_default();
        Ok(Self { source: Source::Sqlite(connection), schema, files })
    }

    async fn of_server(url: &str) -> Result<Self, StoreError> {
        let client = connect(url).await?;
        client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        let taken = postgres::taken(&client).await?;
        let schema = taken.last().copied().unwrap_or_default();
        if migrations::missing(&taken)?.next().is_some() {
            return Err(StoreError::OlderSchema { found: schema, known: SCHEMA });
        }
        let rows = client.query(FILES, &[]).await?;
        let files = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
        Ok(Self { source: Source::Postgres(client), schema, files })
    }

    /// Which schema it has.
    pub fn schema(&self) -> i64 {
        self.schema
    }

    /// The files that hold the bytes of objects, as their rows name them.
    pub fn files(&self) -> &[String] {
        &self.files
    }

    /// Writes the whole of it into a new SQLite file, which only its owner may read.
    ///
    /// # Errors
    /// The file exists or cannot be written, or the database cannot be read.
    pub async fn copy_to(&self, path: &Path) -> Result<(), StoreError> {
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(|source| StoreError::Open { path: path.to_owned(), source })?;
        let mut copy = Connection::open(path)?;
        match &self.source {
            Source::Sqlite(source) => {
                Backup::new(source, &mut copy)?.run_to_completion(
                    PAGES_PER_STEP,
                    Duration::ZERO,
                    None,
                )?;
            }
            Source::Postgres(client) => copy_rows(client, &mut copy).await?,
        }
        // One file, with nothing beside it.
        copy.pragma_update(None, "journal_mode", "DELETE")?;
        copy.close().map_err(|(_, error)| error.into())
    }
}

/// Brings a SQLite file that nobody uses to this program's schema.
///
/// # Errors
/// It is none, or its schema is newer than this program.
pub fn migrate_file(path: &Path) -> Result<(), StoreError> {
    let mut connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    sqlite::migrate(&mut connection)?;
    connection.close().map_err(|(_, error)| error.into())
}

/// Fills the empty PostgreSQL database at `url` with what a SQLite file of this program's schema holds: all of it, or
/// nothing.
///
/// Must be called within a tokio runtime.
///
/// # Errors
/// The database holds something of longshore's already, or either of them fails.
pub async fn load(url: &str, file: &Path) -> Result<(), StoreError> {
    let source = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut client = connect(url).await?;
    let transaction = client.transaction().await?;
    if postgres::has_tables(&transaction).await? {
        return Err(StoreError::NotEmpty);
    }
    postgres::migrate(&transaction).await?;
    for table in Table::all(&source)? {
        let Table { name, columns, .. } = &table;
        let select = format!("SELECT {columns} FROM {name}");
        let prepared = transaction.prepare(&select).await?;
        let types: Vec<_> = prepared.columns().iter().map(|c| c.type_().clone()).collect();
        let copy = format!("COPY {name} ({columns}) FROM STDIN BINARY");
        let writer = BinaryCopyInWriter::new(transaction.copy_in(&copy).await?, &types);
        let mut writer = std::pin::pin!(writer);
        let mut all = source.prepare(&select)?;
        let mut rows = all.query([])?;
        while let Some(row) = rows.next()? {
            let values: Vec<Value> =
                (0..types.len()).map(|column| row.get(column)).collect::<Result<_, _>>()?;
            let values: Vec<_> = values.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
            writer.as_mut().write(&values).await?;
        }
        writer.finish().await?;
    }
    Ok(transaction.commit().await?)
}

/// Copies every row into a file that gets this program's schema, a table after the other.
async fn copy_rows(client: &Client, copy: &mut Connection) -> Result<(), StoreError> {
    sqlite::migrate(copy)?;
    let transaction = copy.transaction()?;
    for table in Table::all(&transaction)? {
        let Table { name, columns, width } = &table;
        let declare = format!("DECLARE rows NO SCROLL CURSOR FOR SELECT {columns} FROM {name}");
        client.batch_execute(&declare).await?;
        let fetch = client.prepare(&format!("FETCH {ROWS_PER_FETCH} FROM rows")).await?;
        let places: Vec<String> = (1..=*width).map(|place| format!("?{place}")).collect();
        let insert = format!("INSERT INTO {name} ({columns}) VALUES ({})", places.join(", "));
        let mut insert = transaction.prepare(&insert)?;
        loop {
            let rows = client.query(&fetch, &[]).await?;
            if rows.is_empty() {
                break;
            }
            for row in &rows {
                insert.execute(rusqlite::params_from_iter(postgres::values(row)?))?;
            }
        }
        client.batch_execute("CLOSE rows").await?;
    }
    Ok(transaction.commit()?)
}

/// A table, its names quoted as both engines understand it.
struct Table {
    name: String,
    columns: String,
    width: usize,
}

impl Table {
    /// Every table but the schema's own, in the order in which they were made: one that others refer to comes first.
    fn all(connection: &Connection) -> Result<Vec<Self>, StoreError> {
        let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' \
             AND name NOT LIKE 'sqlite_%' AND name <> 'schema_migrations' ORDER BY rowid";
        let names: Vec<String> =
            connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        names.iter().map(|name| Self::of(connection, name)).collect()
    }

    fn of(connection: &Connection, name: &str) -> Result<Self, StoreError> {
        let columns: Vec<String> = connection
            .prepare("SELECT name FROM pragma_table_info(?1) ORDER BY cid")?
            .query_map([name], |row| row.get(0).map(|column: String| format!("\"{column}\"")))?
            .collect::<Result<_, _>>()?;
        Ok(Self { name: format!("\"{name}\""), width: columns.len(), columns: columns.join(", ") })
    }
}

async fn connect(url: &str) -> Result<Client, StoreError> {
    let config: tokio_postgres::Config = url.parse().map_err(StoreError::Url)?;
    let (client, connection) = config.connect(NoTls).await?;
    // Ends with its client, and what breaks it breaks the client's next statement.
    tokio::spawn(connection);
    Ok(client)
}
