//! What hosts fetch and report. Reports are facts: each fills a blank once, and none bumps a deployment's version.

use std::sync::PoisonError;
use std::time::Duration;

use model::{HostCommandId, Timestamp};
use rollout::{Completion, HostCommand, Report};

use crate::Store;
use crate::changes::Change;
use crate::codec;
use crate::engine::{Batch, Row, Statement, params};
use crate::error::StoreError;

/// A host command with what was reported on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandRecord {
    pub command: HostCommand,
    pub report: Report,
    /// Its lifecycle event is over, whatever the host still reports.
    pub closed: Option<Timestamp>,
}

/// What an acknowledgement met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acknowledge {
    First,
    /// It was acknowledged before.
    Again {
        /// And also completed.
        completed: bool,
    },
    /// Its lifecycle event is over without it: the host should drop it.
    NoLongerWanted,
    /// There is no such command.
    Unknown,
}

/// What a completion met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Complete {
    First,
    /// It was completed before; the first completion stays.
    Again,
    /// There is no such command.
    Unknown,
}

/// A host as its agent shows itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    pub identifier: String,
    /// Accurate to 10 s.
    pub last_seen: Timestamp,
    pub agent_version: Option<String>,
}

/// A host's sign of life is written at most so often.
const SEEN_EVERY: Duration = Duration::from_secs(10);

const COLUMNS: &str = "id, host_identifier, dispatched, closed, \
     acknowledged, completed, succeeded, diagnostics";

impl Store {
    /// The oldest command that the host is to execute and has not acknowledged.
    ///
    /// The same one comes again until it is acknowledged: an agent that dies after fetching remembers nothing.
    ///
    /// # Errors
    /// The database failed.
    pub async fn next_command(
        &self,
        host_identifier: &str,
    ) -> Result<Option<HostCommand>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM host_commands WHERE host_identifier = $1 AND closed IS NULL \
             AND acknowledged IS NULL AND completed IS NULL ORDER BY dispatched, id LIMIT 1"
        );
        let found = self.query_one(sql, params![host_identifier]).await?;
        Ok(found.map(read).transpose()?.map(|record| record.command))
    }

    /// The command with that id.
    ///
    /// # Errors
    /// The database failed.
    pub async fn command(&self, id: &HostCommandId) -> Result<Option<CommandRecord>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM host_commands WHERE id = $1");
        self.query_one(sql, params![id]).await?.map(read).transpose()
    }

    /// Writes down that the host has the command.
    ///
    /// # Errors
    /// The database failed.
    pub async fn acknowledge(
        &self,
        id: &HostCommandId,
        at: Timestamp,
    ) -> Result<Acknowledge, StoreError> {
        let update = Statement::new(
            "UPDATE host_commands SET acknowledged = $2 WHERE id = $1 \
             AND acknowledged IS NULL AND completed IS NULL AND closed IS NULL",
            params![id, at],
        );
        if self.write(fact(id, update)).await?.is_done() {
            return Ok(Acknowledge::First);
        }
        Ok(match self.command(id).await? {
            None => Acknowledge::Unknown,
            Some(CommandRecord { report: Report { completion: Some(_), .. }, .. }) => {
                Acknowledge::Again { completed: true }
            }
            Some(CommandRecord { closed: Some(_), .. }) => Acknowledge::NoLongerWanted,
            Some(_) => Acknowledge::Again { completed: false },
        })
    }

    /// Writes down how the command ended. One whose lifecycle event is over already is kept for the record only.
    ///
    /// # Errors
    /// The database failed.
    pub async fn complete(
        &self,
        id: &HostCommandId,
        completion: &Completion,
    ) -> Result<Complete, StoreError> {
        let update = Statement::new(
            "UPDATE host_commands SET completed = $2, succeeded = $3, diagnostics = $4, \
             freed = COALESCE(freed, $2) WHERE id = $1 AND completed IS NULL",
            params![
                id,
                completion.at,
                completion.succeeded,
                codec::write_diagnostics(&completion.diagnostics)
            ],
        );
        if self.write(fact(id, update)).await?.is_done() {
            return Ok(Complete::First);
        }
        Ok(match self.command(id).await? {
            None => Complete::Unknown,
            Some(_) => Complete::Again,
        })
    }

    /// Remembers that a host's agent was heard. A repeat within 10 s costs nothing, unless its version is new.
    ///
    /// # Errors
    /// The database failed.
    pub async fn host_seen(
        &self,
        identifier: &str,
        at: Timestamp,
        agent_version: Option<&str>,
    ) -> Result<(), StoreError> {
        if !self.is_news(identifier, at, agent_version) {
            return Ok(());
        }
        let upsert = Statement::new(
            "INSERT INTO hosts (identifier, last_seen, agent_version) VALUES ($1, $2, $3) \
             ON CONFLICT (identifier) DO UPDATE SET last_seen = excluded.last_seen, \
             agent_version = COALESCE(excluded.agent_version, hosts.agent_version)",
            params![identifier, at, agent_version],
        );
        self.write(Batch::of(vec![upsert])).await?.done().map(drop)
    }

    /// A host whose agent was ever heard.
    ///
    /// # Errors
    /// The database failed.
    pub async fn host(&self, identifier: &str) -> Result<Option<Host>, StoreError> {
        let sql = "SELECT identifier, last_seen, agent_version FROM hosts WHERE identifier = $1";
        let found = self.query_one(sql, params![identifier]).await?;
        found
            .map(|mut row| {
                Ok(Host {
                    identifier: row.text()?,
                    last_seen: row.time()?,
                    agent_version: row.optional_text()?,
                })
            })
            .transpose()
    }

    fn is_news(&self, identifier: &str, at: Timestamp, agent_version: Option<&str>) -> bool {
        // A plain map: whoever panicked while holding it left it whole.
        let mut seen = self.inner.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(last) = seen.get_mut(identifier) else {
            let version = agent_version.map(str::to_owned);
            seen.insert(identifier.to_owned(), Sign { at, version });
            return true;
        };
        let new_version = agent_version.is_some() && agent_version != last.version.as_deref();
        let old = at >= last.at && at.since(last.at) < SEEN_EVERY;
        if old && !new_version {
            return false;
        }
        last.at = at;
        if new_version {
            last.version = agent_version.map(str::to_owned);
        }
        true
    }
}

/// A host's sign of life, as last written.
pub(crate) struct Sign {
    at: Timestamp,
    version: Option<String>,
}

fn fact(id: &HostCommandId, update: Statement) -> Batch {
    let (deployment, ..) = id.parts();
    Batch::of(vec![update.expecting(1)]).waking(vec![Change::Deployment(deployment)])
}

fn read(mut row: Row) -> Result<CommandRecord, StoreError> {
    let id: HostCommandId = row.parsed("a host command's id")?;
    let (_, target, event, _) = id.parts();
    Ok(CommandRecord {
        command: HostCommand {
            id,
            target,
            host_identifier: row.text()?,
            event,
            dispatched: row.time()?,
        },
        closed: row.optional_time()?,
        report: read_report(&mut row)?,
    })
}

/// The columns `acknowledged, completed, succeeded, diagnostics`.
pub(crate) fn read_report(row: &mut Row) -> Result<Report, StoreError> {
    let (acknowledged, completed) = (row.optional_time()?, row.optional_time()?);
    let (succeeded, diagnostics) = (row.optional_int()?, row.optional_text()?);
    let completion = match (completed, succeeded, diagnostics) {
        (Some(at), Some(succeeded), Some(diagnostics)) => Some(Completion {
            at,
            succeeded: succeeded != 0,
            diagnostics: codec::read_diagnostics(&diagnostics)?,
        }),
        _ => None,
    };
    Ok(Report { acknowledged, completion })
}
