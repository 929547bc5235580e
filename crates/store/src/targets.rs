//! Targets: one row each, with its lifecycle events inside.

use model::{DeploymentId, Target, TargetId, TargetStatus};

use crate::codec;
use crate::engine::{Query, Row, Statement, params};
use crate::error::StoreError;
use crate::page::Cursor;
use crate::{Page, Store};

const COLUMNS: &str =
    "target_id, arn, host_identifier, zone, position, status, last_updated, events";

impl Store {
    /// The ids of a deployment's targets, in the order in which they are started.
    ///
    /// # Errors
    /// The database failed, or `after` is no place in such a listing.
    pub async fn target_ids(
        &self,
        deployment: &DeploymentId,
        statuses: &[TargetStatus],
        after: Option<&str>,
        limit: u32,
    ) -> Result<Page<TargetId>, StoreError> {
        let query = list(deployment, statuses, after.map(Cursor::read).transpose()?, limit);
        let rows = self.rows(query).await?;
        let found = rows
            .into_iter()
            .map(|mut row| Ok((row.int()?, row.text()?)))
            .collect::<Result<Vec<(i64, String)>, StoreError>>()?;
        let page = Page::of(found, limit, |(position, id)| Cursor::write(*position, id));
        let items = page.items.into_iter().map(|(_, id)| TargetId::new(id)).collect();
        Ok(Page { items, next: page.next })
    }

    /// One target of a deployment.
    ///
    /// # Errors
    /// The database failed.
    pub async fn target(
        &self,
        deployment: &DeploymentId,
        id: &TargetId,
    ) -> Result<Option<Target>, StoreError> {
        Ok(self.targets(deployment, std::slice::from_ref(id)).await?.pop())
    }

    /// Those of the targets that there are, in the order asked for.
    ///
    /// # Errors
    /// The database failed.
    pub async fn targets(
        &self,
        deployment: &DeploymentId,
        ids: &[TargetId],
    ) -> Result<Vec<Target>, StoreError> {
        let sql =
            format!("SELECT {COLUMNS} FROM targets WHERE deployment_id = $1 AND target_id = $2");
        let queries = ids.iter().map(|id| Query::new(sql.clone(), params![deployment, id]));
        let answers = self.read(queries.collect()).await?;
        answers.into_iter().flatten().map(read).collect()
    }
}

fn list(
    deployment: &DeploymentId,
    statuses: &[TargetStatus],
    after: Option<Cursor>,
    limit: u32,
) -> Query {
    let mut sql = "SELECT position, target_id FROM targets WHERE deployment_id = $1".to_owned();
    let mut params = params![deployment];
    let mut bind = |value: crate::engine::Value| {
        params.push(value);
        params.len()
    };
    if let Some(after) = after {
        let (number, text) = (bind(after.number.into()), bind(after.text.into()));
        sql += &format!(" AND (position, target_id) > (${number}, ${text})");
    }
    if !statuses.is_empty() {
        let names: Vec<String> =
            statuses.iter().map(|status| format!("${}", bind(status.name().into()))).collect();
        sql += &format!(" AND status IN ({})", names.join(", "));
    }
    let limit = bind((i64::from(limit) + 1).into());
    sql += &format!(" ORDER BY position, target_id LIMIT ${limit}");
    Query::new(sql, params)
}

/// Every target of a deployment, in the order in which they are started.
pub(crate) fn all(deployment: &DeploymentId) -> Query {
    Query::new(
        format!(
            "SELECT {COLUMNS} FROM targets WHERE deployment_id = $1 ORDER BY position, target_id"
        ),
        params![deployment],
    )
}

/// The targets of a deployment that commits after `version` changed.
pub(crate) fn changed_since(deployment: &DeploymentId, version: u64) -> Query {
    Query::new(
        format!("SELECT {COLUMNS} FROM targets WHERE deployment_id = $1 AND changed_in > $2"),
        params![deployment, version],
    )
}

/// Makes a target, in a batch whose first statement made the deployment's new version; so [`update`].
pub(crate) fn insert(deployment: &DeploymentId, target: &Target) -> Statement {
    Statement::new(
        "INSERT INTO targets (deployment_id, target_id, arn, host_identifier, position, status, \
         last_updated, events, zone, changed_in) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, \
         COALESCE((SELECT version FROM deployments WHERE id = $1), 0))",
        params![
            deployment,
            &target.id,
            &target.arn,
            &target.host_identifier,
            target.position,
            target.status.name(),
            target.last_updated,
            codec::write_events(&target.events),
            target.zone.as_deref()
        ],
    )
}

/// Replaces the target's state; one that is no member of the deployment is not made one.
pub(crate) fn update(deployment: &DeploymentId, target: &Target) -> Statement {
    Statement::new(
        "UPDATE targets SET arn = $3, host_identifier = $4, position = $5, status = $6, \
         last_updated = $7, events = $8, zone = $9, \
         changed_in = (SELECT version FROM deployments WHERE id = $1) \
         WHERE deployment_id = $1 AND target_id = $2",
        params![
            deployment,
            &target.id,
            &target.arn,
            &target.host_identifier,
            target.position,
            target.status.name(),
            target.last_updated,
            codec::write_events(&target.events),
            target.zone.as_deref()
        ],
    )
}

pub(crate) fn read(mut row: Row) -> Result<Target, StoreError> {
    Ok(Target {
        id: TargetId::new(row.text()?),
        arn: row.text()?,
        host_identifier: row.text()?,
        zone: row.optional_text()?,
        position: row.unsigned()?,
        status: row.named(TargetStatus::from_name, "a target's status")?,
        last_updated: row.time()?,
        events: codec::read_events(&row.text()?)?,
    })
}
