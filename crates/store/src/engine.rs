//! What both engines share: values, statements, batches. A write is data; an engine runs it whole or not at all.

use std::borrow::Cow;
#[cfg(test)]
use std::panic::Location;
use std::time::Instant;

use model::Timestamp;

use crate::changes::Change;
use crate::error::StoreError;
use crate::{Called, Store, postgres::Postgres, sqlite::Sqlite};

/// A parameter or a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    Int(i64),
    Text(String),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Int(number.into())
    }
}

impl From<u64> for Value {
    /// Versions and sizes: nothing that we count comes near the limit of 2⁶³.
    fn from(number: u64) -> Self {
        Self::Int(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Int(truth.into())
    }
}

impl From<Timestamp> for Value {
    fn from(time: Timestamp) -> Self {
        Self::Int(time.as_millis())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

macro_rules! text_values {
    ($($type:ty),+) => {$(
        impl From<&$type> for Value {
            fn from(id: &$type) -> Self {
                Self::Text(id.as_str().to_owned())
            }
        }
    )+};
}

text_values!(
    model::ApplicationId,
    model::ApplicationName,
    model::DeploymentConfigName,
    model::DeploymentGroupId,
    model::DeploymentGroupName,
    model::DeploymentId,
    model::HostCommandId,
    model::TargetId
);

/// The parameters of a statement, in the order of their placeholders.
macro_rules! params {
    ($($value:expr),* $(,)?) => { vec![$($crate::engine::Value::from($value)),*] };
}
pub(crate) use params;

/// A row that came back; columns are taken from left to right.
#[derive(Debug)]
pub(crate) struct Row(std::vec::IntoIter<Value>);

impl Row {
    pub fn new(columns: Vec<Value>) -> Self {
        Self(columns.into_iter())
    }

    pub fn text(&mut self) -> Result<String, StoreError> {
        self.optional_text()?.ok_or_else(|| StoreError::corrupt("NULL", "a text"))
    }

    pub fn optional_text(&mut self) -> Result<Option<String>, StoreError> {
        match self.0.next() {
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(Value::Null) => Ok(None),
            other => Err(StoreError::corrupt(format!("{other:?}"), "a text")),
        }
    }

    pub fn int(&mut self) -> Result<i64, StoreError> {
        self.optional_int()?.ok_or_else(|| StoreError::corrupt("NULL", "a number"))
    }

    pub fn optional_int(&mut self) -> Result<Option<i64>, StoreError> {
        match self.0.next() {
            Some(Value::Int(number)) => Ok(Some(number)),
            Some(Value::Null) => Ok(None),
            other => Err(StoreError::corrupt(format!("{other:?}"), "a number")),
        }
    }

    /// A count, version or size.
    pub fn unsigned<T: TryFrom<i64>>(&mut self) -> Result<T, StoreError> {
        let number = self.int()?;
        T::try_from(number)
            .map_err(|_| StoreError::corrupt(number.to_string(), "a count in its range"))
    }

    pub fn truth(&mut self) -> Result<bool, StoreError> {
        Ok(self.int()? != 0)
    }

    pub fn time(&mut self) -> Result<Timestamp, StoreError> {
        self.int().map(Timestamp::from_millis)
    }

    pub fn optional_time(&mut self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.optional_int()?.map(Timestamp::from_millis))
    }

    /// A column whose text has a meaning; `expected` says which.
    pub fn parsed<T: std::str::FromStr>(
        &mut self,
        expected: &'static str,
    ) -> Result<T, StoreError> {
        let text = self.text()?;
        text.parse().map_err(|_| StoreError::corrupt(text, expected))
    }

    /// The same for a column that may be empty.
    pub fn optional_parsed<T: std::str::FromStr>(
        &mut self,
        expected: &'static str,
    ) -> Result<Option<T>, StoreError> {
        let Some(text) = self.optional_text()? else { return Ok(None) };
        text.parse().map(Some).map_err(|_| StoreError::corrupt(text, expected))
    }

    /// A column that holds one of the names of an enum.
    pub fn named<T>(
        &mut self,
        from_name: impl FnOnce(&str) -> Option<T>,
        expected: &'static str,
    ) -> Result<T, StoreError> {
        let text = self.text()?;
        from_name(&text).ok_or_else(|| StoreError::corrupt(text, expected))
    }
}

/// A read: its text and parameters.
#[derive(Debug)]
pub(crate) struct Query {
    pub sql: Cow<'static, str>,
    pub params: Vec<Value>,
    /// The line that asks, so that the test of the plans can tell which one it missed.
    #[cfg(test)]
    pub made_at: &'static Location<'static>,
}

impl Query {
    #[cfg_attr(test, track_caller)]
    pub fn new(sql: impl Into<Cow<'static, str>>, params: Vec<Value>) -> Self {
        Self {
            sql: sql.into(),
            params,
            #[cfg(test)]
            made_at: Location::caller(),
        }
    }
}

/// What a statement of a batch must do for the batch to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expect {
    /// Anything.
    Any,
    /// Change or return exactly so many rows.
    Rows(u64),
}

/// One statement of a write.
#[derive(Debug)]
pub(crate) struct Statement {
    pub sql: Cow<'static, str>,
    pub params: Vec<Value>,
    pub expect: Expect,
    /// As of a [`Query`].
    #[cfg(test)]
    pub made_at: &'static Location<'static>,
}

impl Statement {
    #[cfg_attr(test, track_caller)]
    pub fn new(sql: impl Into<Cow<'static, str>>, params: Vec<Value>) -> Self {
        Self {
            sql: sql.into(),
            params,
            expect: Expect::Any,
            #[cfg(test)]
            made_at: Location::caller(),
        }
    }

    pub fn expecting(self, rows: u64) -> Self {
        Self { expect: Expect::Rows(rows), ..self }
    }

    pub fn is_met_by(&self, rows: u64) -> bool {
        match self.expect {
            Expect::Any => true,
            Expect::Rows(expected) => rows == expected,
        }
    }
}

/// Statements that hold together or not at all, and who is to be woken if they do.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub statements: Vec<Statement>,
    pub changes: Vec<Change>,
}

impl Batch {
    pub fn of(statements: Vec<Statement>) -> Self {
        Self { statements, changes: Vec::new() }
    }

    pub fn waking(self, changes: Vec<Change>) -> Self {
        Self { changes, ..self }
    }
}

/// What one statement did.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Rows changed, or returned where it returns rows.
    pub count: u64,
    pub rows: Vec<Row>,
}

/// What became of a batch.
#[derive(Debug)]
pub(crate) enum Written {
    /// All of it, durably.
    Done(Vec<Outcome>),
    /// Nothing, because this statement did not meet its expectation.
    Unmet { statement: usize },
}

impl Written {
    /// The outcomes of a batch that expects nothing.
    pub fn done(self) -> Result<Vec<Outcome>, StoreError> {
        match self {
            Self::Done(outcomes) => Ok(outcomes),
            Self::Unmet { statement } => Err(StoreError::Unmet { statement }),
        }
    }

    pub fn is_done(&self) -> bool {
        matches!(self, Self::Done(_))
    }
}

pub(crate) enum Engine {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

impl Store {
    /// The answers to `queries`, all as of one moment.
    pub(crate) async fn read(&self, queries: Vec<Query>) -> Result<Vec<Vec<Row>>, StoreError> {
        #[cfg(test)]
        queries.iter().for_each(|one| crate::plans::record(&one.sql, &one.params, one.made_at));
        let began = Instant::now();
        let answers = match &self.inner.engine {
            Engine::Sqlite(sqlite) => sqlite.read(queries).await,
            Engine::Postgres(postgres) => postgres.read(&queries).await,
        };
        self.took(Called::Read, began);
        answers
    }

    fn took(&self, called: Called, began: Instant) {
        if let Some(timed) = self.inner.timed.get() {
            timed(called, began.elapsed());
        }
    }

    #[cfg_attr(test, track_caller)]
    pub(crate) fn query(
        &self,
        sql: impl Into<Cow<'static, str>>,
        params: Vec<Value>,
    ) -> impl Future<Output = Result<Vec<Row>, StoreError>> {
        self.rows(Query::new(sql, params))
    }

    /// The answer to one query.
    pub(crate) async fn rows(&self, query: Query) -> Result<Vec<Row>, StoreError> {
        Ok(self.read(vec![query]).await?.into_iter().next().unwrap_or_default())
    }

    #[cfg_attr(test, track_caller)]
    pub(crate) fn query_one(
        &self,
        sql: impl Into<Cow<'static, str>>,
        params: Vec<Value>,
    ) -> impl Future<Output = Result<Option<Row>, StoreError>> {
        let found = self.query(sql, params);
        async move { Ok(found.await?.into_iter().next()) }
    }

    /// The number that a query for one tells.
    #[cfg_attr(test, track_caller)]
    pub(crate) fn count(
        &self,
        sql: &'static str,
        params: Vec<Value>,
    ) -> impl Future<Output = Result<u64, StoreError>> {
        let found = self.query_one(sql, params);
        async move { found.await?.map_or(Ok(0), |mut row| row.unsigned()) }
    }

    /// Runs the batch durably, then wakes whoever waits for its changes.
    pub(crate) async fn write(&self, mut batch: Batch) -> Result<Written, StoreError> {
        #[cfg(test)]
        for one in &batch.statements {
            crate::plans::record(&one.sql, &one.params, one.made_at);
        }
        let changes = match &self.inner.engine {
            Engine::Sqlite(_) => std::mem::take(&mut batch.changes),
            Engine::Postgres(_) => batch.changes.clone(),
        };
        let began = Instant::now();
        let written = match &self.inner.engine {
            Engine::Sqlite(sqlite) => sqlite.write(batch).await,
            Engine::Postgres(postgres) => postgres.write(&batch).await,
        };
        self.took(Called::Commit, began);
        let written = written?;
        if written.is_done() {
            for change in changes {
                // Nobody listening is fine: a wake-up only saves waiting for the next sweep.
                let _ = self.inner.changes.send(change);
            }
        }
        Ok(written)
    }
}
