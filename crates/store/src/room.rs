//! How much is under way in an account, and whether one more deployment may begin.
//!
//! Counted whenever it is asked: a count that is kept could differ from what is. It is asked only of deployments that have
//! not begun.

use model::DeploymentId;
use rollout::{Limits, Room};

use crate::Store;
use crate::engine::{Query, Row, Statement, params};
use crate::error::StoreError;

/// The others of a deployment's region that are under way. The region is compared as an expression, so that the small index
/// of unfinished deployments is read, and not that of all the region ever had; so below, not that of active ones.
const OTHERS: &str = "o.completed IS NULL AND o.started IS NOT NULL AND o.id <> $1 AND o.region || '' = \
     (SELECT region FROM deployments WHERE id = $1)";

/// Those that have their group's place, if they need one, and are queued all the same: for room.
const WAITING: &str = "o.completed IS NULL AND o.started IS NULL AND o.status = 'Queued' \
     AND +o.exclusive = 1 AND o.region || '' = (SELECT region FROM deployments WHERE id = $1)";

/// What else is under way where a deployment is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    pub region: String,
    /// Other deployments that have begun and are not over.
    pub deployments: u32,
    /// The hosts of these.
    pub hosts: u32,
    /// Deployments that wait for room and were made earlier.
    pub ahead: u32,
}

impl Usage {
    /// The same for the planner, with what may be.
    pub fn within(&self, limits: Limits) -> Room {
        let Self { deployments, hosts, ahead, .. } = *self;
        Room { limits, deployments, hosts, ahead }
    }
}

impl Store {
    /// What else is under way in the region of this deployment; none: there is no such deployment.
    ///
    /// # Errors
    /// The database failed.
    pub async fn usage(&self, id: &DeploymentId) -> Result<Option<Usage>, StoreError> {
        let queries = vec![
            Query::new("SELECT region FROM deployments WHERE id = $1", params![id]),
            Query::new(format!("SELECT COUNT(*) FROM deployments o WHERE {OTHERS}"), params![id]),
            Query::new(
                format!(
                    "SELECT COUNT(*) FROM deployments o JOIN targets t ON t.deployment_id = o.id \
                     WHERE {OTHERS}"
                ),
                params![id],
            ),
            Query::new(
                format!(
                    "SELECT COUNT(*) FROM deployments o JOIN deployments d ON d.id = $1 \
                     WHERE {WAITING} AND (o.created, o.id) < (d.created, d.id)"
                ),
                params![id],
            ),
        ];
        let mut answers = self.read(queries).await?.into_iter().map(|rows| rows.into_iter().next());
        let mut next = || answers.next().flatten();
        let Some(mut region) = next() else { return Ok(None) };
        let number = |row: Option<Row>| row.map_or(Ok(0), |mut row| row.unsigned());
        Ok(Some(Usage {
            region: region.text()?,
            deployments: number(next())?,
            hosts: number(next())?,
            ahead: number(next())?,
        }))
    }

    /// The deployment that is the next to have room, in the region of this one.
    ///
    /// # Errors
    /// The database failed.
    pub async fn next_for_room(
        &self,
        id: &DeploymentId,
    ) -> Result<Option<DeploymentId>, StoreError> {
        let sql = format!(
            "SELECT o.id FROM deployments o WHERE {WAITING} ORDER BY o.created, o.id LIMIT 1"
        );
        let found = self.query_one(sql, params![id]).await?;
        found.map(|mut row| row.parsed("a deployment id")).transpose()
    }
}

/// What must hold for a deployment to so many hosts to begin. Whoever begins one waits here for others who do, so that they
/// count each other.
pub(crate) fn has_room(id: &DeploymentId, hosts: usize, limits: Limits) -> [Statement; 3] {
    let hosts = u32::try_from(hosts).unwrap_or(u32::MAX);
    [
        // Any row would do that every database has.
        Statement::new(
            "SELECT number FROM schema_migrations WHERE number = 1 FOR UPDATE",
            Vec::new(),
        )
        .expecting(1),
        Statement::new(
            format!(
                "SELECT id FROM deployments WHERE id = $1 \
                 AND (SELECT COUNT(*) FROM deployments o WHERE {OTHERS}) < $2"
            ),
            // One may begin whatever the limit.
            params![id, limits.deployments.max(1)],
        )
        .expecting(1),
        Statement::new(
            format!(
                "SELECT id FROM deployments WHERE id = $1 \
                 AND (SELECT COUNT(*) FROM deployments o JOIN targets t ON t.deployment_id = o.id \
                 WHERE {OTHERS}) <= $2"
            ),
            // One that is larger than the limit may begin alone.
            params![id, limits.hosts.saturating_sub(hosts)],
        )
        .expecting(1),
    ]
}
