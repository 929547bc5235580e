//! What can go wrong with the store as such. Expected outcomes (taken, stale, unknown) are answers, not errors.

use std::path::PathBuf;

/// The store could not do what was asked; nothing of the failed write remains.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be made or opened.
    #[error("the database file `{}` cannot be opened", path.display())]
    Open {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// SQLite refused; a full disk arrives here too.
    #[error("the SQLite database failed")]
    Sqlite(#[from] rusqlite::Error),
    /// PostgreSQL refused or the connection broke.
    #[error("the PostgreSQL database failed")]
    Postgres(#[from] tokio_postgres::Error),
    /// The text is not a PostgreSQL URL.
    #[error("the database URL is not valid")]
    Url(#[source] tokio_postgres::Error),
    /// No connection to PostgreSQL could be had.
    #[error("no connection to the PostgreSQL database")]
    Pool(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// An older program met a newer database.
    #[error("the database has schema {found}, this program knows schemas up to {known}")]
    NewerSchema { found: i64, known: i64 },
    /// A newer program met an older database that it may not change.
    #[error(
        "the database has schema {found} and this program {known}: start its server once, which brings it up to date"
    )]
    OlderSchema { found: i64, known: i64 },
    /// A database to be filled is not empty.
    #[error("the database holds something of longshore's already")]
    NotEmpty,
    /// A stored value has no meaning for this program.
    #[error("the database holds `{value}` where {expected} belongs")]
    Corrupt { value: String, expected: &'static str },
    /// A document could not be written as or read from JSON.
    #[error("document `{key}` of kind `{kind}` does not fit its type")]
    Document {
        kind: String,
        key: String,
        #[source]
        source: serde_json::Error,
    },
    /// A listing was asked to go on from a place that no listing ended at.
    #[error("`{0}` is not a place where a listing goes on")]
    Cursor(String),
    /// A write that cannot fail by its nature did: a bug.
    #[error("a write did not do what it always does (statement {statement})")]
    Unmet { statement: usize },
    /// The database's thread has ended.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    pub(crate) fn corrupt(value: impl Into<String>, expected: &'static str) -> Self {
        Self::Corrupt { value: value.into(), expected }
    }

    /// Whether a full disk is behind an error, at whatever depth of its causes.
    pub fn is_full_behind(error: &(dyn std::error::Error + 'static)) -> bool {
        let store = error.downcast_ref::<Self>();
        store.is_some_and(Self::is_full) || error.source().is_some_and(Self::is_full_behind)
    }

    /// Whether the disk or the quota is full: the caller may make room and try again.
    pub fn is_full(&self) -> bool {
        match self {
            Self::Sqlite(rusqlite::Error::SqliteFailure(failure, _)) => {
                failure.code == rusqlite::ErrorCode::DiskFull
            }
            Self::Postgres(error) => {
                error.code() == Some(&tokio_postgres::error::SqlState::DISK_FULL)
            }
            _ => false,
        }
    }
}
