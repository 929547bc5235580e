//! One connection for one transaction: its statements, its beginning and its end are sent without waiting for each other's
//! answers.

use std::future::{Future, poll_fn};
use std::ops::Deref;
use std::pin::Pin;
use std::task::Poll;

use deadpool_postgres::{Object, Pool};
use tokio_postgres::Statement as Prepared;

use super::{borrowed, pool_error, rows};
use crate::engine::{Outcome, Value};
use crate::error::StoreError;

/// Statements under way at once on one connection.
const UNDER_WAY: usize = 64;

/// A connection that may be inside a transaction. Dropped before it is given back, such as by a request whose client went
/// away, it is closed: nobody else may come into that transaction.
pub(super) struct Connection(Option<Object>);

impl Connection {
    pub async fn of(pool: &Pool) -> Result<Self, StoreError> {
        Ok(Self(Some(pool.get().await.map_err(pool_error)?)))
    }

    /// Ends its transaction, and lets others use it; a connection that cannot even do that is closed.
    pub async fn roll_back(self) {
        if self.batch_execute("ROLLBACK").await.is_ok() {
            self.give_back();
        }
    }

    /// Lets others use it; no transaction is open.
    pub fn give_back(mut self) {
        drop(self.0.take());
    }
}

impl Deref for Connection {
    type Target = Object;

    fn deref(&self) -> &Object {
        self.0.as_ref().expect("a connection is only gone when it was given back")
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(object) = self.0.take() {
            drop(Object::take(object));
        }
    }
}

/// What is sent.
#[derive(Clone, Copy)]
pub(super) enum Step<'a> {
    /// The beginning or the end of a transaction.
    Control(&'static str),
    /// A statement with its parameters.
    Run(&'a str, &'a [Value]),
}

type Taken<'a> = Pin<Box<dyn Future<Output = Result<Outcome, StoreError>> + Send + 'a>>;

/// Takes the steps in their order; an outcome of each, of which the last may be an error: then the rest was not taken.
pub(super) async fn run(
    connection: &Object,
    steps: &[Step<'_>],
) -> Vec<Result<Outcome, StoreError>> {
    let mut outcomes = Vec::with_capacity(steps.len());
    for chunk in steps.chunks(UNDER_WAY) {
        match prepared(connection, chunk).await {
            Ok(running) => outcomes.extend(in_order(running).await),
            Err(error) => outcomes.push(Err(error)),
        }
        if let Some(failed) = outcomes.iter().position(Result::is_err) {
            outcomes.truncate(failed + 1);
            break;
        }
    }
    outcomes
}

/// The steps, to be sent as soon as each is polled.
async fn prepared<'a>(
    connection: &'a Object,
    steps: &[Step<'a>],
) -> Result<Vec<Taken<'a>>, StoreError> {
    let mut running: Vec<Taken<'_>> = Vec::with_capacity(steps.len());
    for step in steps {
        running.push(match *step {
            Step::Control(sql) => Box::pin(control(connection, sql)),
            Step::Run(sql, params) => {
                let statement = connection.prepare_cached(sql).await?;
                Box::pin(execute(connection, statement, params))
            }
        });
    }
    Ok(running)
}

async fn control(connection: &Object, sql: &str) -> Result<Outcome, StoreError> {
    connection.batch_execute(sql).await?;
    Ok(Outcome { count: 0, rows: Vec::new() })
}

async fn execute(
    connection: &Object,
    statement: Prepared,
    params: &[Value],
) -> Result<Outcome, StoreError> {
    let params = borrowed(params);
    if statement.columns().is_empty() {
        let count = connection.execute(&statement, &params).await?;
        return Ok(Outcome { count, rows: Vec::new() });
    }
    let rows = rows(&connection.query(&statement, &params).await?)?;
    Ok(Outcome { count: rows.len() as u64, rows })
}

/// Runs the futures at once, each started after the one before it, and gives their outputs in that order.
async fn in_order<T>(mut running: Vec<Pin<Box<dyn Future<Output = T> + Send + '_>>>) -> Vec<T> {
    let mut outputs: Vec<Option<T>> = running.iter().map(|_| None).collect();
    poll_fn(|context| {
        for (future, output) in running.iter_mut().zip(&mut outputs) {
            if output.is_none()
                && let Poll::Ready(value) = future.as_mut().poll(context)
            {
                *output = Some(value);
            }
        }
        if outputs.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    outputs.into_iter().flatten().collect()
}
