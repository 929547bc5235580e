//! PostgreSQL: a pool of connections, and one that listens for the wake-ups of other servers.
//!
//! A batch is one transaction whose statements are sent without waiting for each other's answers ([`pipeline`]). One that
//! lost a race (deadlock, serialization failure, or two inserts of the same key) runs again and then sees the winner.

mod pipeline;

use std::future::poll_fn;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use bytes::BytesMut;
use deadpool::managed::QueueMode;
use deadpool_postgres::{Manager, ManagerConfig, Pool, PoolError, RecyclingMethod};
use tokio::sync::{broadcast, mpsc};
use tokio::task::AbortHandle;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{AsyncMessage, Config, GenericClient, NoTls, Transaction};

use crate::changes::Change;
use crate::dialect;
use crate::engine::{Batch, Expect, Query, Row, Statement, Value, Written};
use crate::error::StoreError;
use crate::migrations;
use pipeline::{Connection, Step};

/// Connections at most; PostgreSQL gives 100 by default, to be shared by several servers.
const CONNECTIONS: usize = 16;

const BEGIN: &str = "BEGIN";
/// All queries see the same moment.
const BEGIN_READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
const COMMIT: &str = "COMMIT";

/// How often a batch may lose a race before the error is shown.
const TRIES: u32 = 5;

/// How long to wait before listening again after the connection broke.
const LISTEN_AGAIN: Duration = Duration::from_secs(1);

/// The name of the channel on which servers wake each other.
const CHANNEL: &str = "longshore";

/// A notification is sent when it is so long; PostgreSQL takes less than 8000 bytes, and a change has less than 2000.
const PAYLOAD_BYTES: usize = 5_000;

/// Taken while migrating, so that servers which start together do not collide. Any number will do.
const MIGRATION_LOCK: i64 = 0x6c6f_6e67;

pub(crate) struct Postgres {
    pool: Pool,
    /// What was committed here and other servers are to be told.
    news: mpsc::UnboundedSender<Change>,
    listener: AbortHandle,
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

impl Postgres {
    pub async fn open(url: &str, changes: broadcast::Sender<Change>) -> Result<Self, StoreError> {
        let config: Config = url.parse().map_err(StoreError::Url)?;
        let settings = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let pool = Pool::builder(Manager::from_config(config.clone(), NoTls, settings))
            .max_size(CONNECTIONS)
            // The connection that was used last has the most in its caches, at both of its ends.
            .queue_mode(QueueMode::Lifo)
            .build()
            .map_err(|error| StoreError::Pool(Box::new(error)))?;
        let mut connection = pool.get().await.map_err(pool_error)?;
        let transaction = connection.transaction().await?;
        migrate(&transaction).await?;
        transaction.commit().await?;
        let origin = format!("{:016x}", RandomState::new().hash_one(std::process::id()));
        let (news, untold) = mpsc::unbounded_channel();
        // Ends when the last handle on the store, and so the sender, is dropped.
        tokio::spawn(tell_others(pool.clone(), origin.clone(), untold));
        let listener = tokio::spawn(listen(config, origin, changes)).abort_handle();
        Ok(Self { pool, news, listener })
    }

    /// The answers to the queries: of several, as of one moment.
    pub async fn read(&self, queries: &[Query]) -> Result<Vec<Vec<Row>>, StoreError> {
        let mut steps: Vec<Step<'_>> =
            queries.iter().map(|query| Step::Run(&query.sql, &query.params)).collect();
        let alone = steps.len() < 2;
        if !alone {
            steps.insert(0, Step::Control(BEGIN_READ));
            steps.push(Step::Control(COMMIT));
        }
        let connection = Connection::of(&self.pool).await?;
        let outcomes = pipeline::run(&connection, &steps).await;
        let failed = outcomes.iter().any(Result::is_err);
        if failed && !alone {
            connection.roll_back().await;
        } else {
            connection.give_back();
        }
        let answers = outcomes.into_iter().map(|outcome| Ok(outcome?.rows));
        let answers: Vec<Vec<Row>> = answers.collect::<Result<_, StoreError>>()?;
        let around = usize::from(!alone);
        Ok(answers.into_iter().skip(around).take(queries.len()).collect())
    }

    pub async fn write(&self, batch: &Batch) -> Result<Written, StoreError> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.try_write(batch).await {
                Err(StoreError::Postgres(error)) if tries < TRIES && lost_a_race(&error) => {}
                result => {
                    if result.as_ref().is_ok_and(Written::is_done) {
                        self.tell(&batch.changes);
                    }
                    return result;
                }
            }
        }
    }

    fn tell(&self, changes: &[Change]) {
        for change in changes {
            // The task that receives it lives as long as the sender, but for a runtime that is shutting down.
            let _ = self.news.send(change.clone());
        }
    }

    async fn try_write(&self, batch: &Batch) -> Result<Written, StoreError> {
        let connection = Connection::of(&self.pool).await?;
        if let [Statement { sql, params, expect: Expect::Any, .. }] = batch.statements.as_slice() {
            let outcomes = pipeline::run(&connection, &[Step::Run(sql, params)]).await;
            connection.give_back();
            return Ok(Written::Done(outcomes.into_iter().collect::<Result<_, _>>()?));
        }
        let written = statements_of(&connection, batch).await;
        if written.as_ref().is_ok_and(Written::is_done) {
            connection.batch_execute(COMMIT).await?;
            connection.give_back();
        } else {
            connection.roll_back().await;
        }
        written
    }
}

/// All of a batch but its end.
async fn statements_of(connection: &Connection, batch: &Batch) -> Result<Written, StoreError> {
    let statements = batch.statements.iter().map(|one| Step::Run(&one.sql, &one.params));
    let steps: Vec<Step<'_>> = [Step::Control(BEGIN)].into_iter().chain(statements).collect();
    let mut outcomes = pipeline::run(connection, &steps).await.into_iter();
    outcomes.next().transpose()?;
    let mut done = Vec::with_capacity(batch.statements.len());
    for (outcome, statement) in outcomes.zip(&batch.statements) {
        let outcome = outcome?;
        if !statement.is_met_by(outcome.count) {
            return Ok(Written::Unmet { statement: done.len() });
        }
        done.push(outcome);
    }
    Ok(Written::Done(done))
}

fn pool_error(error: PoolError) -> StoreError {
    match error {
        PoolError::Backend(error) => StoreError::Postgres(error),
        other => StoreError::Pool(Box::new(other)),
    }
}

/// Whether the same batch may do better now that the other transaction is over.
fn lost_a_race(error: &tokio_postgres::Error) -> bool {
    [
        &SqlState::T_R_DEADLOCK_DETECTED,
        &SqlState::T_R_SERIALIZATION_FAILURE,
        &SqlState::UNIQUE_VIOLATION,
    ]
    .into_iter()
    .any(|state| error.code() == Some(state))
}

/// Takes the steps of the schema that are missing; nobody else does before the transaction ends.
pub(crate) async fn migrate(transaction: &Transaction<'_>) -> Result<(), StoreError> {
    transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&MIGRATION_LOCK]).await?;
    transaction.batch_execute(migrations::TABLE).await?;
    for migration in migrations::missing(&taken(transaction).await?)? {
        transaction.batch_execute(&dialect::migration_for_postgres(migration.sql)).await?;
        transaction.execute(migrations::RECORD, &[&migration.number]).await?;
    }
    Ok(())
}

/// The steps of the schema that were taken.
pub(crate) async fn taken(client: &impl GenericClient) -> Result<Vec<i64>, StoreError> {
    let rows = client.query(migrations::TAKEN, &[]).await?;
    Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
}

/// Whether there is anything of ours.
pub(crate) async fn has_tables(client: &impl GenericClient) -> Result<bool, StoreError> {
    let sql = "SELECT to_regclass('schema_migrations') IS NOT NULL";
    Ok(client.query_one(sql, &[]).await?.try_get(0)?)
}

/// Tells the other servers what was committed here, many changes at a time.
///
/// After the commit and beside it, not within: a transaction that notifies holds a lock of the whole database until it
/// is on the disk, and all others would wait in line behind it. What a crash loses, the other servers' sweep finds.
async fn tell_others(pool: Pool, origin: String, mut untold: mpsc::UnboundedReceiver<Change>) {
    while let Some(first) = untold.recv().await {
        let mut payload = format!("{origin}\n{}", first.to_text());
        while payload.len() < PAYLOAD_BYTES
            && let Ok(change) = untold.try_recv()
        {
            payload += "\n";
            payload += &change.to_text();
        }
        if let Err(error) = notify(&pool, &payload).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "telling other servers");
        }
    }
}

async fn notify(pool: &Pool, payload: &str) -> Result<(), StoreError> {
    let connection = pool.get().await.map_err(pool_error)?;
    // Nothing that it tells is lost with it: it need not wait for the disk, nor make others wait.
    let sql = "SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, $2)";
    let notify = connection.prepare_cached(sql).await?;
    connection.execute(&notify, &[&CHANNEL, &payload]).await?;
    Ok(())
}

/// Passes on what other servers committed, for ever.
async fn listen(config: Config, origin: String, changes: broadcast::Sender<Change>) {
    loop {
        if let Err(error) = listen_once(&config, &origin, &changes).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "wake-ups of other servers");
        }
        tokio::time::sleep(LISTEN_AGAIN).await;
    }
}

async fn listen_once(
    config: &Config,
    origin: &str,
    changes: &broadcast::Sender<Change>,
) -> Result<(), tokio_postgres::Error> {
    let (client, mut connection) = config.connect(NoTls).await?;
    let listening = async move {
        client.batch_execute(&format!("LISTEN {CHANNEL}")).await?;
        // Whatever was notified before now is lost to us.
        let _ = changes.send(Change::Everything);
        // The connection lives as long as its client.
        std::future::pending::<Result<(), tokio_postgres::Error>>().await
    };
    let receiving = async {
        while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
            if let AsyncMessage::Notification(notification) = message? {
                let mut lines = notification.payload().lines();
                if lines.next() != Some(origin) {
                    for change in lines {
                        // Nobody listening is fine.
                        let _ = changes.send(Change::from_text(change));
                    }
                }
            }
        }
        Ok(())
    };
    tokio::select! {
        result = listening => result,
        result = receiving => result,
    }
}

fn borrowed(params: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    params.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

fn rows(found: &[tokio_postgres::Row]) -> Result<Vec<Row>, StoreError> {
    found.iter().map(row).collect()
}

fn row(found: &tokio_postgres::Row) -> Result<Row, StoreError> {
    values(found).map(Row::new)
}

/// The columns of a row, from left to right.
pub(crate) fn values(found: &tokio_postgres::Row) -> Result<Vec<Value>, StoreError> {
    let value = |(index, column): (usize, &tokio_postgres::Column)| {
        Ok(match *column.type_() {
            Type::INT8 => found.try_get::<_, Option<i64>>(index)?.into(),
            Type::INT4 => found.try_get::<_, Option<i32>>(index)?.map(i64::from).into(),
            _ => found.try_get::<_, Option<String>>(index)?.into(),
        })
    };
    found.columns().iter().enumerate().map(value).collect()
}

impl ToSql for Value {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(number) if *ty == Type::INT4 => i32::try_from(*number)?.to_sql(ty, out),
            Self::Int(number) => number.to_sql(ty, out),
            Self::Text(text) => text.to_sql(ty, out),
        }
    }

    /// A number where a text belongs is found by the tests, which run every statement.
    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}
