//! Notices: what happened to a deployment that others may want to hear of.
//!
//! A notice is written in the transaction of the change that it tells of, so that none is lost and none is made up.
//! Whom it concerns is found out later, and off the driver's path: [`Store::spread`] replaces notices by deliveries,
//! in one transaction again.

use model::{
    DeploymentId, DeploymentStatus, EventState, Target, TargetId, TargetStatus, Timestamp,
};
use rollout::{Action, Verdict};

use crate::Store;
use crate::changes::Change;
use crate::codec;
use crate::deliveries::{self, NewDelivery};
use crate::deployments::NewDeployment;
use crate::engine::{Batch, Row, Statement, params};
use crate::error::StoreError;

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub deployment: DeploymentId,
    /// The commit that caused it, and where in it: a deployment's notices are in this order.
    pub version: u64,
    pub position: u32,
    pub at: Timestamp,
    pub what: Happened,
}

/// A change of a deployment or of one of its targets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happened {
    /// The deployment was made.
    Created,
    /// It took this status.
    Deployment(DeploymentStatus),
    /// The target took the status that it has here; its lifecycle events are as they were at that moment.
    Target(Target),
}

const CREATED: &str = "Created";

impl Store {
    /// The oldest notices of some deployments, each deployment's in order and without a gap.
    ///
    /// # Errors
    /// The database failed.
    pub async fn notices(&self, limit: u32) -> Result<Vec<Notice>, StoreError> {
        // The first rows of the primary key; the condition only keeps the planner to it.
        let sql = "SELECT n.deployment_id, n.version, n.position, n.event, n.at, n.target_id, \
                   n.target_events, t.arn, t.host_identifier, t.zone, t.position FROM notices n \
                   LEFT JOIN targets t ON t.deployment_id = n.deployment_id AND t.target_id = n.target_id \
                   WHERE n.deployment_id > '' \
                   ORDER BY n.deployment_id, n.version, n.position, n.event LIMIT $1";
        let rows = self.query(sql, params![i64::from(limit)]).await?;
        rows.into_iter().map(read).collect()
    }

    /// Replaces `notices` by `deliveries`, unless another server has done so with one of them.
    ///
    /// # Errors
    /// The database failed; the notices are still there.
    pub async fn spread(
        &self,
        notices: &[Notice],
        deliveries: &[NewDelivery],
    ) -> Result<bool, StoreError> {
        let gone = notices.iter().map(|notice| {
            Statement::new(
                "DELETE FROM notices WHERE deployment_id = $1 AND version = $2 AND position = $3 \
                 AND event = $4",
                params![&notice.deployment, notice.version, notice.position, notice.what.name()],
            )
            .expecting(1)
        });
        let mut statements: Vec<Statement> = gone.collect();
        statements.extend(deliveries.iter().flat_map(deliveries::insert));
        let mut batch = Batch::of(statements);
        if !deliveries.is_empty() {
            batch = batch.waking(vec![Change::Documents(deliveries::WAKE.to_owned())]);
        }
        Ok(self.write(batch).await?.is_done())
    }
}

impl Happened {
    fn name(&self) -> &'static str {
        match self {
            Self::Created => CREATED,
            Self::Deployment(status) => status.name(),
            Self::Target(target) => target.status.name(),
        }
    }
}

fn read(mut row: Row) -> Result<Notice, StoreError> {
    let deployment = row.parsed("a deployment id")?;
    let (version, position, event) = (row.unsigned()?, row.unsigned()?, row.text()?);
    let at = row.time()?;
    let what = match (row.optional_text()?, row.optional_text()?) {
        (Some(id), Some(events)) => Happened::Target(Target {
            id: TargetId::new(id),
            arn: row.optional_text()?.unwrap_or_default(),
            host_identifier: row.optional_text()?.unwrap_or_default(),
            zone: row.optional_text()?,
            position: row.optional_int()?.and_then(|at| u32::try_from(at).ok()).unwrap_or(0),
            status: TargetStatus::from_name(&event)
                .ok_or_else(|| StoreError::corrupt(&event, "a target's status"))?,
            last_updated: at,
            events: codec::read_events(&events)?,
        }),
        _ if event == CREATED => Happened::Created,
        _ => Happened::Deployment(
            DeploymentStatus::from_name(&event)
                .ok_or_else(|| StoreError::corrupt(&event, "a deployment's status"))?,
        ),
    };
    Ok(Notice { deployment, version, position, at, what })
}

pub(crate) fn of_the_creation(new: &NewDeployment) -> Statement {
    Statement::new(
        "INSERT INTO notices (deployment_id, version, position, event, at) VALUES ($1, 1, 0, $2, $3)",
        params![&new.id, CREATED, new.created],
    )
}

/// The notices of an action in the commit that makes `version`, the first of them at `position`. They go before the
/// action's own statements: whether a target took another status is judged by the one that it still has.
pub(crate) fn of_an_action(
    id: &DeploymentId,
    version: u64,
    position: usize,
    action: &Action,
) -> Vec<Statement> {
    let position = i64::try_from(position).unwrap_or(i64::MAX);
    match action {
        Action::Start { at, targets } => {
            let started = of_a_status(id, version, position, DeploymentStatus::InProgress, *at);
            // The same pass may have begun with some of them, and even have found a host gone.
            let moved = targets.iter().filter(|target| target.status != TargetStatus::Pending);
            let moved = (position + 1..).zip(moved);
            let told =
                moved.map(|(position, target)| of_a_new_target(id, version, position, target));
            [started].into_iter().chain(told).collect()
        }
        Action::Refuse { verdict, .. } | Action::Finish(verdict) => {
            let Verdict { at, status, .. } = verdict;
            vec![of_a_status(id, version, position, *status, *at)]
        }
        Action::UpdateTarget(target) if may_have_moved(target) => {
            vec![of_a_target(id, version, position, target)]
        }
        // Nobody subscribes to pauses.
        Action::Dispatch(_)
        | Action::UpdateTarget(_)
        | Action::Note(_)
        | Action::Queue
        | Action::TakePlace
        | Action::Bake
        | Action::Resume => Vec::new(),
    }
}

fn of_a_status(
    id: &DeploymentId,
    version: u64,
    position: i64,
    status: DeploymentStatus,
    at: Timestamp,
) -> Statement {
    Statement::new(
        "INSERT INTO notices (deployment_id, version, position, event, at) \
         VALUES ($1, $2, $3, $4, $5)",
        params![id, version, position, status.name(), at],
    )
}

/// Of a target that has no row yet.
fn of_a_new_target(id: &DeploymentId, version: u64, position: i64, target: &Target) -> Statement {
    Statement::new(
        "INSERT INTO notices (deployment_id, version, position, event, at, target_id, target_events) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        params![
            id,
            version,
            position,
            target.status.name(),
            target.last_updated,
            &target.id,
            codec::write_events(&target.events)
        ],
    )
}

fn of_a_target(id: &DeploymentId, version: u64, position: i64, target: &Target) -> Statement {
    Statement::new(
        "INSERT INTO notices (deployment_id, version, position, event, at, target_id, target_events) \
         SELECT deployment_id, CAST($3 AS BIGINT), CAST($4 AS BIGINT), $5, CAST($6 AS BIGINT), \
         target_id, $7 FROM targets WHERE deployment_id = $1 AND target_id = $2 AND status <> $5",
        params![
            id,
            &target.id,
            version,
            position,
            target.status.name(),
            target.last_updated,
            codec::write_events(&target.events)
        ],
    )
}

/// Spares a statement for the many updates within one status: a target that has just begun has one event that is no
/// longer pending.
fn may_have_moved(target: &Target) -> bool {
    match target.status {
        TargetStatus::Pending | TargetStatus::Skipped => false,
        TargetStatus::InProgress => {
            let begun = |event: &&model::Event| !matches!(event.state, EventState::Pending);
            target.events.iter().filter(begun).count() <= 1
        }
        TargetStatus::Ready | TargetStatus::Succeeded | TargetStatus::Failed => true,
    }
}
