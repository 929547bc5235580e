//! What the planner may look at, as of one moment.

use std::collections::BTreeMap;

use model::{DeploymentId, HostCommandId, TargetId, Timestamp};
use rollout::{Busy, HostFacts, Members, Presence, Report, Snapshot};

use crate::engine::{Query, Row, params};
use crate::error::StoreError;
use crate::hosts::read_report;
use crate::{Store, deployments, targets};

/// The statuses of targets that are not over.
const NOT_OVER: &str = "('Pending', 'InProgress', 'Ready')";

impl Store {
    /// One deployment with every fact that hosts and operators have left on it.
    ///
    /// What only the server knows is left blank for it to fill in: the group's members, and which hosts are gone.
    ///
    /// # Errors
    /// The database failed.
    pub async fn snapshot(&self, id: &DeploymentId) -> Result<Option<Snapshot>, StoreError> {
        let [holder, waiting] = deployments::line(id);
        let queries = vec![
            Query::new(deployments::state_query(), params![id]),
            targets::all(id),
            Query::new(
                "SELECT id, acknowledged, completed, succeeded, diagnostics FROM host_commands \
                 WHERE deployment_id = $1 AND closed IS NULL \
                 AND COALESCE(acknowledged, completed) IS NOT NULL",
                params![id],
            ),
            Query::new(
                "SELECT g.last_successful_deployment, s.sequence FROM deployments d \
                 JOIN deployment_groups g ON g.id = d.group_id \
                 LEFT JOIN deployments s ON s.id = g.last_successful_deployment WHERE d.id = $1",
                params![id],
            ),
            holder,
            waiting,
            freed_by_others(id),
            occupied_by_others(id),
        ];
        let mut answers = self.read(queries).await?.into_iter();
        let mut next = || answers.next().unwrap_or_default();
        let Some(mut row) = next().into_iter().next() else { return Ok(None) };
        let deployment = deployments::read_state(&mut row)?;
        let targets = next().into_iter().map(targets::read).collect::<Result<_, _>>()?;
        let reports = next().into_iter().map(read_reported).collect::<Result<_, _>>()?;
        let (last_successful, installed_sequence) = match next().into_iter().next() {
            Some(mut row) => {
                (row.optional_parsed("a deployment id")?, deployments::read_sequence(&mut row)?)
            }
            // The group is gone.
            None => (None, None),
        };
        Ok(Some(Snapshot {
            deployment,
            members: Members::NotNeeded,
            targets,
            reports,
            last_successful,
            installed_sequence,
            line: deployments::read_line(next(), next())?,
            hosts: read_hosts(next(), next())?,
        }))
    }
}

fn read_reported(mut row: Row) -> Result<(HostCommandId, Report), StoreError> {
    Ok((row.parsed("a host command's id")?, read_report(&mut row)?))
}

/// For each target that is not over: when another deployment's command last left its host.
fn freed_by_others(id: &DeploymentId) -> Query {
    // One step down an index per target: a host's history may be long, but only its end is looked at.
    Query::new(
        format!(
            "SELECT t.target_id, (SELECT c.freed FROM host_commands c \
             WHERE c.host_identifier = t.host_identifier AND c.freed IS NOT NULL \
             AND c.deployment_id <> $1 AND c.acknowledged IS NOT NULL \
             ORDER BY c.freed DESC LIMIT 1) \
             FROM targets t WHERE t.deployment_id = $1 AND t.status IN {NOT_OVER}"
        ),
        params![id],
    )
}

/// The targets that are not over and whose host is executing another deployment's command.
fn occupied_by_others(id: &DeploymentId) -> Query {
    Query::new(
        format!(
            "SELECT DISTINCT t.target_id FROM targets t JOIN host_commands c \
             ON c.host_identifier = t.host_identifier \
             WHERE t.deployment_id = $1 AND t.status IN {NOT_OVER} \
             AND c.closed IS NULL AND c.completed IS NULL AND c.acknowledged IS NOT NULL \
             AND c.deployment_id <> $1"
        ),
        params![id],
    )
}

fn read_hosts(
    freed: Vec<Row>,
    occupied: Vec<Row>,
) -> Result<BTreeMap<TargetId, HostFacts>, StoreError> {
    let mut hosts = BTreeMap::new();
    let mut note = |target: String, busy| {
        let facts = HostFacts { presence: Presence::Present, busy };
        hosts.insert(TargetId::new(target), facts);
    };
    for mut row in freed {
        let (target, since) = (row.text()?, row.optional_int()?);
        if let Some(since) = since {
            note(target, Busy::FreeSince(Timestamp::from_millis(since)));
        }
    }
    for mut row in occupied {
        note(row.text()?, Busy::Now);
    }
    Ok(hosts)
}
