//! SQLite: one thread that writes, a few that read.
//!
//! The writer takes everything that waits in its queue into one transaction and so pays one `fsync` for many writes;
//! it answers only after that. Each batch has a savepoint of its own, so one that does not hold harms no other.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use rusqlite::{CachedStatement, Connection, ToSql, TransactionBehavior, types};
use tokio::sync::oneshot;

use crate::dialect;
use crate::engine::{Batch, Outcome, Query, Row, Statement, Value, Written};
use crate::error::StoreError;
use crate::migrations;

/// Batches that share a transaction at most, so that the first of them does not wait for ever.
const BATCHES_PER_COMMIT: usize = 256;

/// Threads that read. Queries take microseconds; more threads would only cost memory.
const READERS: usize = 2;

/// How long to wait for another process that has the file locked, for example an operator's `sqlite3`.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Prepared statements kept per connection; about as many as there are.
const STATEMENTS_KEPT: usize = 128;

type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

struct Write {
    batch: Batch,
    answer: Answer<Written>,
}

struct Read {
    queries: Vec<Query>,
    answer: Answer<Vec<Vec<Row>>>,
}

/// Handles to the threads; they end when it is dropped.
pub(crate) struct Sqlite {
    writes: mpsc::Sender<Write>,
    reads: mpsc::Sender<Read>,
}

impl Sqlite {
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let path = path.to_owned();
        let (opened, answer) = oneshot::channel();
        let (writes, queue) = mpsc::channel();
        let file = path.clone();
        spawn("store-write", move || match open_writer(&file) {
            Ok(connection) => {
                if opened.send(Ok(())).is_ok() {
                    write_until_closed(&connection, &queue);
                }
            }
            Err(error) => {
                // The opener waits for the answer; if it is gone, so is the need for one.
                let _ = opened.send(Err(error));
            }
        })?;
        answer.await.map_err(|_| StoreError::Closed)??;
        Ok(Self { writes, reads: spawn_readers(&path)? })
    }

    pub async fn write(&self, batch: Batch) -> Result<Written, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.writes.send(Write { batch, answer }).map_err(|_| StoreError::Closed)?;
        answered.await.map_err(|_| StoreError::Closed)?
    }

    pub async fn read(&self, queries: Vec<Query>) -> Result<Vec<Vec<Row>>, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.reads.send(Read { queries, answer }).map_err(|_| StoreError::Closed)?;
        answered.await.map_err(|_| StoreError::Closed)?
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), StoreError> {
    thread::Builder::new()
        .name(name.to_owned())
        .stack_size(512 * 1024)
        .spawn(run)
        .map(drop)
        .map_err(|source| StoreError::Open { path: PathBuf::from(name), source })
}

fn spawn_readers(path: &Path) -> Result<mpsc::Sender<Read>, StoreError> {
    let (reads, queue) = mpsc::channel::<Read>();
    let queue = Arc::new(Mutex::new(queue));
    for _ in 0..READERS {
        let connection = connect(path)?;
        connection.pragma_update(None, "query_only", true)?;
        let queue = Arc::clone(&queue);
        spawn("store-read", move || {
            loop {
                // Only the idle thread holds the lock, so a poisoned one guards nothing broken.
                let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
                let Ok(Read { queries, answer }) = next else { break };
                // Whoever asked may have gone.
                let _ = answer.send(read(&connection, &queries));
            }
        })?;
    }
    Ok(reads)
}

fn open_writer(path: &Path) -> Result<Connection, StoreError> {
    // The file holds secret keys: nobody else may read it. SQLite gives its side files the same mode.
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
        .map_err(|source| StoreError::Open { path: path.to_owned(), source })?;
    let mut connection = connect(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    migrate(&mut connection)?;
    Ok(connection)
}

fn connect(path: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // Negative: KiB. The operating system caches the file anyway; an idle server should be small.
    connection.pragma_update(None, "cache_size", -1024)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    Ok(connection)
}

/// Takes the steps of the schema that are missing.
pub(crate) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(migrations::TABLE)?;
    for migration in migrations::missing(&taken(&transaction)?)? {
        transaction.execute_batch(migration.sql)?;
        transaction.execute(&dialect::for_sqlite(migrations::RECORD), [migration.number])?;
    }
    Ok(transaction.commit()?)
}

/// The steps of the schema that were taken.
pub(crate) fn taken(connection: &Connection) -> Result<Vec<i64>, StoreError> {
    let mut taken = connection.prepare(migrations::TAKEN)?;
    let numbers = taken.query_map([], |row| row.get(0))?;
    Ok(numbers.collect::<Result<_, _>>()?)
}

fn write_until_closed(connection: &Connection, queue: &mpsc::Receiver<Write>) {
    while let Ok(first) = queue.recv() {
        let mut group = vec![first];
        group.extend(queue.try_iter().take(BATCHES_PER_COMMIT - 1));
        write_group(connection, group);
    }
}

/// Writes all in one transaction. If that fails as a whole (a full disk, say), each gets one of its own, so that only
/// those fail that must.
fn write_group(connection: &Connection, group: Vec<Write>) {
    let together: Result<Vec<_>, _> = in_transaction(connection, || {
        group.iter().map(|write| run_batch(connection, &write.batch)).collect()
    });
    let results: Vec<Result<Written, StoreError>> = match together {
        Ok(results) => results.into_iter().map(Ok).collect(),
        Err(error) if group.len() == 1 => vec![Err(error)],
        Err(_) => group
            .iter()
            .map(|write| in_transaction(connection, || run_batch(connection, &write.batch)))
            .collect(),
    };
    for (write, result) in group.into_iter().zip(results) {
        // Whoever asked may have gone; the write holds all the same.
        let _ = write.answer.send(result);
    }
}

fn in_transaction<T>(
    connection: &Connection,
    run: impl FnOnce() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let result = run().and_then(|value| {
        connection.execute_batch("COMMIT")?;
        Ok(value)
    });
    // Some errors end the transaction by themselves.
    if result.is_err() && !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK")?;
    }
    result
}

fn run_batch(connection: &Connection, batch: &Batch) -> Result<Written, StoreError> {
    connection.prepare_cached("SAVEPOINT batch")?.execute([])?;
    let mut outcomes = Vec::with_capacity(batch.statements.len());
    for (index, statement) in batch.statements.iter().enumerate() {
        let outcome = run_statement(connection, statement)?;
        if !statement.is_met_by(outcome.count) {
            connection.prepare_cached("ROLLBACK TO batch")?.execute([])?;
            connection.prepare_cached("RELEASE batch")?.execute([])?;
            return Ok(Written::Unmet { statement: index });
        }
        outcomes.push(outcome);
    }
    connection.prepare_cached("RELEASE batch")?.execute([])?;
    Ok(Written::Done(outcomes))
}

fn run_statement(connection: &Connection, statement: &Statement) -> Result<Outcome, StoreError> {
    let mut prepared = connection.prepare_cached(&dialect::for_sqlite(&statement.sql))?;
    let parameters = rusqlite::params_from_iter(&statement.params);
    if prepared.column_count() > 0 {
        let rows = rows(&mut prepared, &statement.params)?;
        return Ok(Outcome { count: rows.len() as u64, rows });
    }
    let count = prepared.execute(parameters)? as u64;
    Ok(Outcome { count, rows: Vec::new() })
}

fn read(connection: &Connection, queries: &[Query]) -> Result<Vec<Vec<Row>>, StoreError> {
    let snapshot = connection.unchecked_transaction()?;
    let mut answers = Vec::with_capacity(queries.len());
    for query in queries {
        let mut prepared = connection.prepare_cached(&dialect::for_sqlite(&query.sql))?;
        answers.push(rows(&mut prepared, &query.params)?);
    }
    snapshot.finish()?;
    Ok(answers)
}

fn rows(prepared: &mut CachedStatement<'_>, params: &[Value]) -> Result<Vec<Row>, StoreError> {
    let columns = prepared.column_count();
    let mut found = prepared.query(rusqlite::params_from_iter(params))?;
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        let values = (0..columns).map(|column| Ok(row.get::<_, Value>(column)?));
        rows.push(Row::new(values.collect::<Result<_, StoreError>>()?));
    }
    Ok(rows)
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<types::ToSqlOutput<'_>> {
        Ok(types::ToSqlOutput::Borrowed(match self {
            Self::Null => types::ValueRef::Null,
            Self::Int(number) => types::ValueRef::Integer(*number),
            Self::Text(text) => types::ValueRef::Text(text.as_bytes()),
        }))
    }
}

impl types::FromSql for Value {
    fn column_result(value: types::ValueRef<'_>) -> types::FromSqlResult<Self> {
        match value {
            types::ValueRef::Null => Ok(Self::Null),
            types::ValueRef::Integer(number) => Ok(Self::Int(number)),
            types::ValueRef::Text(_) => Ok(Self::Text(value.as_str()?.to_owned())),
            types::ValueRef::Real(_) | types::ValueRef::Blob(_) => {
                Err(types::FromSqlError::InvalidType)
            }
        }
    }
}
