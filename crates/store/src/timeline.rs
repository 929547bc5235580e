//! What happened to a deployment, in words for operators.

use model::{DeploymentId, EventState, Target, TargetId, TargetStatus, Timestamp};
use rollout::{Action, AlarmFinding, Rollback, StopIntent, Verdict};

use crate::deployments::NewDeployment;
use crate::engine::{Row, Statement, params};
use crate::error::StoreError;
use crate::page::Cursor;
use crate::{Page, Store};

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelineEntry {
    pub at: Timestamp,
    /// Whom it concerns; absent: the deployment as a whole.
    pub target: Option<TargetId>,
    pub what: String,
}

impl Store {
    /// What happened to a deployment, oldest first.
    ///
    /// # Errors
    /// The database failed, or `after` is no place in such a listing.
    pub async fn timeline(
        &self,
        id: &DeploymentId,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Page<TimelineEntry>, StoreError> {
        let (version, position) = match after.map(Cursor::read).transpose()? {
            None => (0i64, 0i64),
            Some(cursor) => {
                (cursor.number, cursor.text.parse().map_err(|_| StoreError::Cursor(cursor.text))?)
            }
        };
        let sql = "SELECT version, position, at, target_id, what FROM timeline \
                   WHERE deployment_id = $1 AND (version, position) > ($2, $3) \
                   ORDER BY version, position LIMIT $4";
        let params = params![id, version, position, i64::from(limit) + 1];
        let rows = self.query(sql, params).await?;
        let found = rows.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let page = Page::of(found, limit, |((version, position), _)| {
            Cursor::write(*version, &position.to_string())
        });
        let items = page.items.into_iter().map(|(_, entry)| entry).collect();
        Ok(Page { items, next: page.next })
    }
}

fn read(mut row: Row) -> Result<((i64, i64), TimelineEntry), StoreError> {
    let place = (row.int()?, row.int()?);
    let at = row.time()?;
    let target = row.optional_text()?.map(TargetId::new);
    Ok((place, TimelineEntry { at, target, what: row.text()? }))
}

pub(crate) fn of_the_creation(new: &NewDeployment) -> Statement {
    let what = format!("created by {} to deploy {}", new.creator.name(), new.revision);
    Statement::new(
        "INSERT INTO timeline (deployment_id, version, position, at, what) VALUES ($1, 1, 0, $2, $3)",
        params![&new.id, new.created, what],
    )
}

/// Tells of the stop if it was just written down; a repeated wish finds another time there.
pub(crate) fn of_the_stop(id: &DeploymentId, intent: &StopIntent) -> Statement {
    Statement::new(
        "INSERT INTO timeline (deployment_id, version, position, at, what) \
         SELECT id, version, 0, stop_requested, $3 FROM deployments \
         WHERE id = $1 AND completed IS NULL AND stop_requested = $2 \
         AND NOT EXISTS (SELECT 1 FROM timeline t \
         WHERE t.deployment_id = $1 AND t.at = $2 AND t.what = $3) \
         ON CONFLICT DO NOTHING",
        params![id, intent.requested, format!("stop requested by {}", intent.principal)],
    )
}

/// Tells of alarms that stop the deployment, in the batch that writes them down.
pub(crate) fn of_an_alarm(id: &DeploymentId, finding: &AlarmFinding, at: Timestamp) -> Statement {
    let what = match finding {
        AlarmFinding::Active(names) => format!("in ALARM: {}", names.join(", ")),
        AlarmFinding::Unreadable(names) => {
            format!("alarms that could not be read: {}", names.join(", "))
        }
    };
    Statement::new(
        "INSERT INTO timeline (deployment_id, version, position, at, what) \
         SELECT id, version, 0, CAST($2 AS BIGINT), $3 FROM deployments WHERE id = $1",
        params![id, at, what],
    )
}

/// What the action at `position` of the commit that made `version` means to an operator; some mean nothing of their own.
pub(crate) fn of_an_action(
    id: &DeploymentId,
    version: u64,
    position: usize,
    action: &Action,
) -> Option<Statement> {
    let (at, target, what) = match action {
        Action::Start { at, targets } => {
            (*at, None, format!("started with {} targets", targets.len()))
        }
        Action::Refuse { verdict, .. } | Action::Finish(verdict) => {
            (verdict.at, None, of_a_verdict(verdict))
        }
        Action::Dispatch(command) => {
            (command.dispatched, Some(&command.target), format!("{} dispatched", command.event))
        }
        Action::UpdateTarget(target) => {
            (target.last_updated, Some(&target.id), of_a_target(target)?)
        }
    };
    Some(Statement::new(
        "INSERT INTO timeline (deployment_id, version, position, at, target_id, what) \
         VALUES ($1, $2, $3, $4, $5, $6)",
        params![id, version, i64::try_from(position).unwrap_or(i64::MAX), at, target, what],
    ))
}

fn of_a_verdict(verdict: &Verdict) -> String {
    let ended = format!("ended: {}", verdict.status.name());
    let ended = match &verdict.error {
        None => ended,
        Some(error) => format!("{ended}, {}: {}", error.code.name(), error.message),
    };
    match &verdict.rollback {
        None => ended,
        Some(Rollback::Made(id)) => format!("{ended}; rolled back by {id}"),
        Some(Rollback::Impossible) => format!("{ended}; nothing to roll back to"),
    }
}

/// What the target's last update brought; nothing if it only began an event, which its command tells.
fn of_a_target(target: &Target) -> Option<String> {
    let mut told = Vec::new();
    for event in &target.events {
        match &event.state {
            EventState::Succeeded { ended, .. } if *ended == target.last_updated => {
                told.push(format!("{} succeeded", event.name));
            }
            EventState::Failed { ended, diagnostics, .. } if *ended == target.last_updated => {
                let (code, message) = (diagnostics.code.name(), &diagnostics.message);
                told.push(format!("{} failed, {code}: {message}", event.name));
            }
            EventState::Pending
            | EventState::InProgress { .. }
            | EventState::Succeeded { .. }
            | EventState::Failed { .. }
            | EventState::Skipped { .. } => {}
        }
    }
    match target.status {
        TargetStatus::Pending | TargetStatus::InProgress => {}
        TargetStatus::Ready => told.push("ready for traffic".to_owned()),
        TargetStatus::Succeeded => told.push("target succeeded".to_owned()),
        TargetStatus::Failed => told.push("target failed".to_owned()),
        TargetStatus::Skipped => told.push("target skipped".to_owned()),
    }
    if told.is_empty() { None } else { Some(told.join("; ")) }
}
