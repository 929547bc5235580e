//! What a group knows of its hosts from earlier deployments: what is installed and whether the last one went well.
//!
//! It serves only the order of targets, display, and telling outdated hosts; it never says whether a host is up.

use std::collections::BTreeMap;

use model::{DeploymentGroupId, DeploymentId, DeploymentStatus, Revision, TargetId};
use rollout::{HealthClass, Verdict};

use crate::Store;
use crate::codec;
use crate::engine::{Query, Statement, params};
use crate::error::StoreError;

/// What a group knows of one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthRecord {
    /// The last deployment to it succeeded.
    pub healthy: bool,
    /// The revision that is installed; absent: it is not known.
    pub revision: Option<Revision>,
    /// Where it stands in the order of targets.
    pub class: HealthClass,
}

impl Store {
    /// What a group knows of hosts. No entry: nothing was ever deployed to the host, which counts as
    /// [`HealthClass::Unhealthy`].
    ///
    /// # Errors
    /// The database failed.
    pub async fn health(
        &self,
        group: &DeploymentGroupId,
    ) -> Result<BTreeMap<TargetId, HealthRecord>, StoreError> {
        let queries = vec![
            Query::new(
                "SELECT target_id, revision, healthy FROM host_health WHERE group_id = $1",
                params![group],
            ),
            Query::new(
                "SELECT last_successful_revision FROM deployment_groups WHERE id = $1",
                params![group],
            ),
        ];
        let mut answers = self.read(queries).await?.into_iter();
        let hosts = answers.next().unwrap_or_default();
        let current = match answers.next().and_then(|rows| rows.into_iter().next()) {
            Some(mut row) => row.optional_text()?,
            None => None,
        };
        let mut records = BTreeMap::new();
        for mut row in hosts {
            let (target, installed, healthy) = (row.text()?, row.optional_text()?, row.truth()?);
            let class = class(healthy, installed.as_deref(), current.as_deref());
            let revision = codec::read_optional_revision(installed.as_deref())?;
            records.insert(TargetId::new(target), HealthRecord { healthy, revision, class });
        }
        Ok(records)
    }
}

/// Source: CodeDeploy user guide, "Instance health".
fn class(healthy: bool, installed: Option<&str>, current: Option<&str>) -> HealthClass {
    match (healthy, installed) {
        (false, _) => HealthClass::Unhealthy,
        (true, None) => HealthClass::RevisionUnknown,
        (true, installed) if installed == current => HealthClass::RevisionCurrent,
        (true, Some(_)) => HealthClass::RevisionOld,
    }
}

/// Records the outcome of a deployment on each of its hosts. To be run before the group's last successful revision
/// moves.
pub(crate) fn after(id: &DeploymentId, verdict: &Verdict) -> Vec<Statement> {
    let mut statements = Vec::new();
    if verdict.status == DeploymentStatus::Succeeded {
        // A host that had the group's revision and missed the new one is in a state that nobody recorded.
        statements.push(Statement::new(
            "UPDATE host_health SET revision = NULL \
             WHERE group_id = (SELECT group_id FROM deployments WHERE id = $1) \
             AND revision = (SELECT g.last_successful_revision FROM deployments d \
             JOIN deployment_groups g ON g.id = d.group_id WHERE d.id = $1) \
             AND target_id IN (SELECT target_id FROM targets \
             WHERE deployment_id = $1 AND status IN ('Failed', 'Skipped'))",
            params![id],
        ));
    }
    // Joined with the group: one that was deleted meanwhile has no records.
    statements.push(Statement::new(
        "INSERT INTO host_health (group_id, target_id, revision, healthy, updated) \
         SELECT g.id, t.target_id, d.revision, 1, CAST($2 AS BIGINT) FROM targets t \
         JOIN deployments d ON d.id = t.deployment_id \
         JOIN deployment_groups g ON g.id = d.group_id \
         WHERE t.deployment_id = $1 AND t.status = 'Succeeded' \
         ON CONFLICT (group_id, target_id) DO UPDATE \
         SET revision = excluded.revision, healthy = 1, updated = excluded.updated",
        params![id, verdict.at],
    ));
    statements.push(Statement::new(
        "INSERT INTO host_health (group_id, target_id, revision, healthy, updated) \
         SELECT g.id, t.target_id, CAST(NULL AS TEXT), 0, CAST($2 AS BIGINT) FROM targets t \
         JOIN deployments d ON d.id = t.deployment_id \
         JOIN deployment_groups g ON g.id = d.group_id \
         WHERE t.deployment_id = $1 AND t.status = 'Failed' \
         ON CONFLICT (group_id, target_id) DO UPDATE \
         SET healthy = 0, updated = excluded.updated",
        params![id, verdict.at],
    ));
    statements
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_class_follows_from_the_last_outcome_and_the_revision_installed() {
        assert_eq!(class(false, Some("a"), Some("a")), HealthClass::Unhealthy);
        assert_eq!(class(true, None, Some("a")), HealthClass::RevisionUnknown);
        assert_eq!(class(true, None, None), HealthClass::RevisionUnknown);
        assert_eq!(class(true, Some("a"), Some("a")), HealthClass::RevisionCurrent);
        assert_eq!(class(true, Some("b"), Some("a")), HealthClass::RevisionOld);
        assert_eq!(class(true, Some("b"), None), HealthClass::RevisionOld);
    }
}
