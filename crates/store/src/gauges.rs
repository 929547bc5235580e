//! How much there is of what somebody may wait for: for whoever watches the server.

use std::collections::BTreeMap;

use model::DeploymentStatus;

use crate::Store;
use crate::engine::{Query, params};
use crate::error::StoreError;

/// Things are counted up to this number: a long queue must not make the looking slow.
pub const COUNTED_MAX: u32 = 10_000;

/// How much there is now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Gauges {
    /// Deployments that are not over, by status; a status that none has is absent.
    pub unfinished: BTreeMap<&'static str, u64>,
    /// Notices that were not turned into deliveries yet.
    pub notices: u64,
    /// Messages on their way.
    pub deliveries: u64,
    /// Messages that were given up.
    pub dead_letters: u64,
}

impl Store {
    /// Counts, each up to [`COUNTED_MAX`].
    ///
    /// # Errors
    /// The database failed.
    pub async fn gauges(&self) -> Result<Gauges, StoreError> {
        // Rows, not a sum: the limit bounds what is read.
        let queries = vec![
            Query::new(
                "SELECT status FROM deployments WHERE completed IS NULL \
                 ORDER BY created, id LIMIT $1",
                params![COUNTED_MAX],
            ),
            Query::new(
                "SELECT position FROM notices WHERE deployment_id > '' \
                 ORDER BY deployment_id, version, position, event LIMIT $1",
                params![COUNTED_MAX],
            ),
            Query::new(
                "SELECT place FROM deliveries WHERE lane > '' ORDER BY lane, place, id LIMIT $1",
                params![COUNTED_MAX],
            ),
            Query::new(
                "SELECT died FROM dead_letters WHERE died >= 0 ORDER BY died, id LIMIT $1",
                params![COUNTED_MAX],
            ),
        ];
        let mut answers = self.read(queries).await?.into_iter();
        let mut gauges = Gauges::default();
        for mut row in answers.next().into_iter().flatten() {
            let status = row.text()?;
            let status = DeploymentStatus::from_name(&status)
                .ok_or_else(|| StoreError::corrupt(&status, "a deployment's status"))?;
            *gauges.unfinished.entry(status.name()).or_default() += 1;
        }
        let counts = [&mut gauges.notices, &mut gauges.deliveries, &mut gauges.dead_letters];
        for (count, rows) in counts.into_iter().zip(answers) {
            *count = rows.len() as u64;
        }
        Ok(gauges)
    }
}
