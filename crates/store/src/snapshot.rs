//! What the planner may look at, as of one moment.

use std::collections::BTreeMap;

use model::{DeploymentId, HostCommandId, Target, TargetId, Timestamp};
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
    /// What only the server knows is left blank for it to fill in: the group's members, which hosts are gone, and whether the
    /// account has room.
    ///
    /// # Errors
    /// The database failed.
    pub async fn snapshot(&self, id: &DeploymentId) -> Result<Option<Snapshot>, StoreError> {
        let [holder, waiting] = deployments::line(id);
        let queries = vec![
            Query::new(deployments::state_query(), params![id]),
            targets::all(id),
            reports(id),
            last_successful(id),
            freed_by_others(id),
            occupied_by_others(id),
            holder,
            waiting,
        ];
        let mut answers = self.read(queries).await?.into_iter();
        let mut next = || answers.next().unwrap_or_default();
        let Some(mut row) = next().into_iter().next() else { return Ok(None) };
        let deployment = deployments::read_state(&mut row)?;
        let targets = next().into_iter().map(targets::read).collect::<Result<_, _>>()?;
        let reports = next().into_iter().map(read_reported).collect::<Result<_, _>>()?;
        let (last_successful, installed_sequence) = read_last_successful(next())?;
        Ok(Some(Snapshot {
            deployment,
            members: Members::NotNeeded,
            targets,
            reports,
            last_successful,
            installed_sequence,
            hosts: read_hosts(next(), next())?,
            line: deployments::read_line(next(), next())?,
            room: None,
        }))
    }

    /// The snapshot as it is now, where `earlier` is one of the same deployment: cheaper than [`Store::snapshot`] in a
    /// large deployment of which little moves, for only the targets that commits changed since then are read, whoever
    /// made these.
    ///
    /// Of the hosts only those are looked at of which the planner can make use: whose command is not acknowledged yet, or
    /// is over.
    ///
    /// # Errors
    /// The database failed.
    pub async fn snapshot_since(&self, earlier: Snapshot) -> Result<Option<Snapshot>, StoreError> {
        let id = earlier.deployment.id.clone();
        // Until it has started, everything may still become otherwise; from then on its targets are who they are.
        if !earlier.deployment.status.has_started() {
            return self.snapshot(&id).await;
        }
        let queries = vec![
            Query::new(deployments::state_query(), params![&id]),
            targets::changed_since(&id, earlier.deployment.version),
            reports(&id),
            last_successful(&id),
            freed_by_others_of_waiting(&id),
            occupied_by_others_of_waiting(&id),
        ];
        let mut answers = self.read(queries).await?.into_iter();
        let mut next = || answers.next().unwrap_or_default();
        let Some(mut row) = next().into_iter().next() else { return Ok(None) };
        let mut seen = Snapshot { deployment: deployments::read_state(&mut row)?, ..earlier };
        for row in next() {
            let changed = targets::read(row)?;
            let place = |target: &Target| (target.position, target.id.clone());
            match seen.targets.binary_search_by_key(&place(&changed), place) {
                Ok(found) => seen.targets[found] = changed,
                Err(_) => return self.snapshot(&id).await,
            }
        }
        seen.reports = next().into_iter().map(read_reported).collect::<Result<_, _>>()?;
        (seen.last_successful, seen.installed_sequence) = read_last_successful(next())?;
        seen.hosts = read_hosts(next(), next())?;
        Ok(Some(seen))
    }
}

/// What hosts said of commands whose events are in progress.
fn reports(id: &DeploymentId) -> Query {
    Query::new(
        "SELECT id, acknowledged, completed, succeeded, diagnostics FROM host_commands \
         WHERE deployment_id = $1 AND closed IS NULL \
         AND COALESCE(acknowledged, completed) IS NOT NULL",
        params![id],
    )
}

/// What the group last deployed successfully, and its sequence number.
fn last_successful(id: &DeploymentId) -> Query {
    Query::new(
        "SELECT g.last_successful_deployment, s.sequence FROM deployments d \
         JOIN deployment_groups g ON g.id = d.group_id \
         LEFT JOIN deployments s ON s.id = g.last_successful_deployment WHERE d.id = $1",
        params![id],
    )
}

fn read_last_successful(
    found: Vec<Row>,
) -> Result<(Option<DeploymentId>, Option<u64>), StoreError> {
    match found.into_iter().next() {
        Some(mut row) => {
            Ok((row.optional_parsed("a deployment id")?, deployments::read_sequence(&mut row)?))
        }
        // The group is gone.
        None => Ok((None, None)),
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

/// The commands on which the planner would act otherwise if the host were busy: those that nobody fetched, and those after
/// which it gives the next one.
const WAITING: &str = "o.deployment_id = $1 AND o.closed IS NULL \
     AND (o.acknowledged IS NULL OR o.completed IS NOT NULL)";

/// For each target with such a command: when another deployment's command last left its host.
fn freed_by_others_of_waiting(id: &DeploymentId) -> Query {
    Query::new(
        format!(
            "SELECT o.target_id, (SELECT c.freed FROM host_commands c \
             WHERE c.host_identifier = o.host_identifier AND c.freed IS NOT NULL \
             AND c.deployment_id <> $1 AND c.acknowledged IS NOT NULL \
             ORDER BY c.freed DESC LIMIT 1) \
             FROM host_commands o WHERE {WAITING}"
        ),
        params![id],
    )
}

/// The targets with such a command whose host is executing another deployment's command.
fn occupied_by_others_of_waiting(id: &DeploymentId) -> Query {
    Query::new(
        format!(
            "SELECT DISTINCT o.target_id FROM host_commands o JOIN host_commands c \
             ON c.host_identifier = o.host_identifier WHERE {WAITING} \
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
