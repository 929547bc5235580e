//! The alarms of deployments: which are to be watched, and what was found when they were polled.
//!
//! Whoever polls asks for what is [watched](Store::watched_alarms) and writes down what it [found](Store::alarms_read);
//! what follows is the planner's to say.

use model::{DeploymentId, Timestamp};
use rollout::{AlarmFinding, AlarmWatch, RaisedAlarm};
use serde::{Deserialize, Serialize};

use crate::changes::Change;
use crate::codec::json;
use crate::engine::{Batch, Row, Statement, params};
use crate::error::StoreError;
use crate::{Store, timeline};

/// What was found when the alarms of a deployment were polled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlarmReading {
    /// None has to stop the deployment: none is in `ALARM`, and each was read or need not be.
    Calm,
    /// One or more have to.
    Raised(AlarmFinding),
}

/// Alarms that a deployment wants polled until it is over or one of them stopped it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedAlarms {
    pub deployment: DeploymentId,
    /// The alarms are looked for in this region.
    pub region: String,
    pub names: Vec<String>,
    /// Alarms that cannot be read are no reason to stop.
    pub ignore_poll_failure: bool,
    /// Nobody has polled them yet, and the deployment waits for that to start.
    pub is_first: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WatchText {
    names: Vec<String>,
    ignore_poll_failure: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum FindingText {
    Active(Vec<String>),
    Unreadable(Vec<String>),
}

impl Store {
    /// The deployments that are not over and whose alarms are to be polled, oldest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn watched_alarms(&self) -> Result<Vec<WatchedAlarms>, StoreError> {
        let sql = "SELECT id, region, alarms, alarms_read FROM deployments \
                   WHERE completed IS NULL AND alarms IS NOT NULL AND alarm_raised IS NULL \
                   ORDER BY created, id";
        let rows = self.query(sql, Vec::new()).await?;
        let read = |mut row: Row| {
            let (deployment, region) = (row.parsed("a deployment id")?, row.text()?);
            let WatchText { names, ignore_poll_failure } = read_watch(&row.text()?)?;
            let is_first = row.optional_int()?.is_none();
            Ok(WatchedAlarms { deployment, region, names, ignore_poll_failure, is_first })
        };
        rows.into_iter().map(read).collect()
    }

    /// Writes down what was found at `at`. The first reading lets the deployment start; the first one that raises an
    /// alarm stops it. Others change nothing and wake nobody. Whether this one did.
    ///
    /// # Errors
    /// The database failed.
    pub async fn alarms_read(
        &self,
        id: &DeploymentId,
        reading: &AlarmReading,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let statements = match reading {
            AlarmReading::Calm => vec![
                Statement::new(
                    "UPDATE deployments SET version = version + 1, alarms_read = $2 \
                     WHERE id = $1 AND completed IS NULL AND alarms IS NOT NULL AND alarms_read IS NULL",
                    params![id, at],
                )
                .expecting(1),
            ],
            AlarmReading::Raised(finding) => vec![
                Statement::new(
                    "UPDATE deployments SET version = version + 1, alarm_raised = $2, \
                     alarm_finding = $3, alarms_read = COALESCE(alarms_read, $2) \
                     WHERE id = $1 AND completed IS NULL AND alarms IS NOT NULL AND alarm_raised IS NULL",
                    params![id, at, write_finding(finding)],
                )
                .expecting(1),
                timeline::of_an_alarm(id, finding, at),
            ],
        };
        let batch = Batch::of(statements).waking(vec![Change::Deployment(id.clone())]);
        Ok(self.write(batch).await?.is_done())
    }
}

pub(crate) fn write_watch(watch: &AlarmWatch) -> String {
    let (names, ignore_poll_failure) = (watch.names.clone(), watch.ignore_poll_failure);
    json(&WatchText { names, ignore_poll_failure })
}

fn read_watch(text: &str) -> Result<WatchText, StoreError> {
    serde_json::from_str(text).map_err(|_| StoreError::corrupt(text, "alarms to watch"))
}

fn write_finding(finding: &AlarmFinding) -> String {
    json(&match finding.clone() {
        AlarmFinding::Active(names) => FindingText::Active(names),
        AlarmFinding::Unreadable(names) => FindingText::Unreadable(names),
    })
}

fn read_finding(text: &str) -> Result<AlarmFinding, StoreError> {
    let corrupt = |_| StoreError::corrupt(text, "a finding about alarms");
    Ok(match serde_json::from_str(text).map_err(corrupt)? {
        FindingText::Active(names) => AlarmFinding::Active(names),
        FindingText::Unreadable(names) => AlarmFinding::Unreadable(names),
    })
}

/// The columns `alarms, alarms_read, alarm_raised, alarm_finding`.
pub(crate) fn read(row: &mut Row) -> Result<Option<AlarmWatch>, StoreError> {
    let watch = row.optional_text()?.map(|text| read_watch(&text)).transpose()?;
    let (first_read, raised) = (row.optional_time()?, row.optional_time()?);
    let finding = row.optional_text()?.map(|text| read_finding(&text)).transpose()?;
    Ok(watch.map(|WatchText { names, ignore_poll_failure }| AlarmWatch {
        names,
        ignore_poll_failure,
        first_read,
        raised: raised.zip(finding).map(|(at, finding)| RaisedAlarm { at, finding }),
    }))
}
