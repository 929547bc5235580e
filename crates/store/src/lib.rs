//! The store: everything that longshore remembers, in SQLite or PostgreSQL.
//!
//! It owns the schema, the statements and their atomicity. What happens next to a deployment is decided elsewhere
//! (`rollout`); the store takes a [`snapshot`](Store::snapshot) of what is known and [commits](Store::commit) what was
//! decided, by compare-and-set on the deployment's version. Facts that hosts report fill blanks and never bump it.
//!
//! What longshore deploys are rows, one file per noun; the records of neighbouring services are
//! [documents](Store::document). Both engines run the same statements; what differs is in `dialect`, `sqlite` and
//! `postgres`. The store sees no clock and draws no ids: both are arguments.

mod engine;

mod dialect;
mod migrations;
mod postgres;
mod sqlite;

mod changes;
mod codec;
mod error;
mod page;

mod applications;
mod configs;
mod groups;
mod revisions;

mod alarms;
mod commit;
mod deployments;
mod health;
mod hook_output;
mod host_plans;
mod hosts;
mod room;
mod snapshot;
mod targets;
mod timeline;

mod audit;
mod deliveries;
mod gauges;
mod notices;
mod overviews;

mod documents;

mod buckets;
mod listing;
mod objects;
mod uploads;

mod moment;

#[cfg(test)]
mod plans;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use tokio::sync::broadcast;

pub use alarms::{AlarmReading, WatchedAlarms};
pub use applications::{Application, Create, DeleteApplication, Rename};
pub use audit::AuditRecord;
pub use buckets::{Bucket, CreateBucket, DeleteBucket, Versioning};
pub use changes::Change;
pub use commit::{Commit, Planned};
pub use configs::{Config, DeleteConfig};
pub use deliveries::{ClaimedLane, DeadLetter, Delivery, NewDelivery};
pub use deployments::{
    CreateDeployment, DeploymentFilter, DeploymentRecord, NewDeployment, Overview, StopRequest,
};
pub use documents::{Document, DocumentWrite, Expected, Transact};
pub use error::StoreError;
pub use gauges::{COUNTED_MAX, Gauges};
pub use groups::{Attempt, CreateGroup, Group, GroupChange, NewGroup, UpdateGroup};
pub use health::HealthRecord;
pub use hook_output::{COMMAND_LEAST, OutputBatch, OutputFilter, OutputLimits, StoredOutput};
pub use host_plans::{AnswerState, AskedHost, HostPlan, HostPlanAnswer, NewHostPlan};
pub use hosts::{Acknowledge, CommandRecord, Complete, Host};
pub use listing::{ListObjects, Listing, ListingEntry, Marker};
pub use moment::{Moment, SCHEMA, load, migrate_file};
pub use notices::{Happened, Notice};
pub use objects::{DeleteObject, NewObject, Object, PutCondition, PutObject};
pub use overviews::{DeploymentView, DeploymentsOf, Installed};
pub use page::Page;
pub use revisions::{RevisionFilter, RevisionRecord, RevisionSort};
pub use room::Usage;
pub use timeline::{EntryKind, TimelineEntry};
pub use uploads::{CompleteUpload, Part, PutPart, Upload};

use engine::Engine;

/// Where the state is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Database {
    /// A file, made (readable by its owner only) if it does not exist; its directory must.
    Sqlite(PathBuf),
    /// A server, as a `postgres://` URL or a `key=value` connection string.
    Postgres(String),
}

/// A handle on the state; clones share it.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    engine: Engine,
    changes: broadcast::Sender<Change>,
    /// When each host's sign of life was last written, so that a busy host does not cost a write per poll.
    seen: Mutex<HashMap<String, hosts::Sign>>,
    /// Whoever wants to know how long calls take.
    timed: OnceLock<Timed>,
}

/// A kind of call of the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Called {
    Read,
    /// A write that is to last.
    Commit,
}

type Timed = Box<dyn Fn(Called, Duration) + Send + Sync>;

/// How many changes a slow listener may be behind before it is told to look at everything.
const CHANGES_KEPT: usize = 4096;

impl Store {
    /// Opens the database and brings its schema up to date.
    ///
    /// Must be called within a tokio runtime.
    ///
    /// # Errors
    /// The database cannot be reached or written, or its schema is newer than this program.
    pub async fn open(database: &Database) -> Result<Self, StoreError> {
        let (changes, _) = broadcast::channel(CHANGES_KEPT);
        let engine = match database {
            Database::Sqlite(path) => Engine::Sqlite(sqlite::Sqlite::open(path).await?),
            Database::Postgres(url) => {
                Engine::Postgres(postgres::Postgres::open(url, changes.clone()).await?)
            }
        };
        let (seen, timed) = (Mutex::default(), OnceLock::new());
        Ok(Self { inner: Arc::new(Inner { engine, changes, seen, timed }) })
    }

    /// Has `timed` told how long each call takes from now on, those that fail included. The first one asks for all.
    pub fn time_calls(&self, timed: impl Fn(Called, Duration) + Send + Sync + 'static) {
        // A second one has nothing to add: all clones share the first.
        let _ = self.inner.timed.set(Box::new(timed));
    }

    /// Wake-ups: something was committed, by this server or (PostgreSQL) by another one.
    ///
    /// A wake-up carries no data and may come twice; a lost one (`Lagged`) means the same as [`Change::Everything`].
    pub fn changes(&self) -> broadcast::Receiver<Change> {
        self.inner.changes.subscribe()
    }

    /// Proves that the database answers.
    ///
    /// # Errors
    /// It does not.
    pub async fn check(&self) -> Result<(), StoreError> {
        self.query("SELECT 1", Vec::new()).await.map(drop)
    }
}
