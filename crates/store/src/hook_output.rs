//! What hooks print: batches as agents send them, read in the order in which they arrived.
//!
//! Output is kept within limits. Of one host command's output, the beginning and the end are kept, half of the limit
//! each; a deployment that has much keeps little of each command; and when all of it is too much, the deployments that
//! were written to longest ago lose theirs.

use model::{DeploymentId, HostCommandId, LifecycleEvent, TargetId, Timestamp};

use crate::Store;
use crate::changes::Change;
use crate::engine::{Batch, Row, Statement, Value, Written, params};
use crate::error::StoreError;

/// How much output is kept, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutputLimits {
    /// Of one host command, which is one lifecycle event of one target.
    pub command: u64,
    /// Of one deployment. Above it, [`COMMAND_LEAST`] is kept of a command.
    pub deployment: u64,
    /// Of all deployments together; see [`Store::purge_output`].
    pub all: u64,
}

/// What is always kept of a host command's output, in bytes: enough to see why it failed.
pub const COMMAND_LEAST: u64 = 64 << 10;

/// Output of a host command on its way into the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputBatch {
    pub command: HostCommandId,
    /// The agent's number of this batch; the numbers of a command's batches rise.
    pub number: i64,
    /// The length of the output in it, at least 1.
    pub bytes: u64,
    /// The output, in a form that is the server's own. Without NUL, which PostgreSQL's texts cannot hold.
    pub chunks: String,
    pub received: Timestamp,
}

/// Output of a host command as it was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredOutput {
    /// Its place in the deployment's output: higher than that of all that came before.
    pub position: i64,
    pub target: TargetId,
    pub event: LifecycleEvent,
    pub command: HostCommandId,
    /// Where it begins in the command's output, in bytes, and where it ends.
    pub begins: u64,
    pub ends: u64,
    /// Where the output before it that is still kept ends. Between there and `begins`, some was dropped.
    pub kept_until: u64,
    pub chunks: String,
}

/// Whose output is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputFilter {
    pub deployment: DeploymentId,
    pub target: Option<TargetId>,
    pub event: Option<LifecycleEvent>,
}

impl Store {
    /// Adds a batch, and drops what goes beyond the limits. `false`: this batch or a later one was there already, and
    /// nothing changes.
    ///
    /// # Errors
    /// The database failed.
    pub async fn add_output(
        &self,
        batch: &OutputBatch,
        limits: &OutputLimits,
    ) -> Result<bool, StoreError> {
        let (deployment, target, event, _) = batch.command.parts();
        let limit = self.command_limit(&deployment, limits).await?;
        let count = Statement::new(
            "INSERT INTO hook_output_deployments (deployment_id, position, bytes, written) \
             VALUES ($1, 1, $2, $3) ON CONFLICT (deployment_id) DO UPDATE SET \
             position = hook_output_deployments.position + 1, \
             bytes = hook_output_deployments.bytes + $2, written = $3",
            params![&deployment, batch.bytes, batch.received],
        );
        let insert = Statement::new(
            "INSERT INTO hook_output \
             (deployment_id, position, target_id, event, command_id, batch, begins, bytes, chunks) \
             SELECT deployment_id, position, $2, $3, $4, $5, \
             COALESCE((SELECT o.begins + o.bytes FROM hook_output o WHERE o.command_id = $4 \
             ORDER BY o.batch DESC LIMIT 1), 0), $6, $7 \
             FROM hook_output_deployments WHERE deployment_id = $1 \
             AND NOT EXISTS (SELECT 1 FROM hook_output o WHERE o.command_id = $4 AND o.batch >= $5)",
            params![
                &deployment,
                &target,
                event.name(),
                &batch.command,
                batch.number,
                batch.bytes,
                &batch.chunks
            ],
        );
        let mut statements = vec![count, insert.expecting(1)];
        statements.extend(drop_the_middle(&deployment, &batch.command, limit));
        let written = Batch::of(statements).waking(vec![Change::Output(deployment)]);
        Ok(match self.write(written).await? {
            Written::Done(_) => true,
            Written::Unmet { .. } => false,
        })
    }

    async fn command_limit(
        &self,
        deployment: &DeploymentId,
        limits: &OutputLimits,
    ) -> Result<u64, StoreError> {
        let sql = "SELECT bytes FROM hook_output_deployments WHERE deployment_id = $1";
        let found = self.query_one(sql, params![deployment]).await?;
        let bytes: u64 = found.map_or(Ok(0), |mut row| row.unsigned())?;
        Ok(if bytes < limits.deployment {
            limits.command
        } else {
            COMMAND_LEAST.min(limits.command)
        })
    }

    /// At most `most` batches of output after a position, in the order of their positions.
    ///
    /// # Errors
    /// The database failed.
    pub async fn output(
        &self,
        filter: &OutputFilter,
        after: i64,
        most: u32,
    ) -> Result<Vec<StoredOutput>, StoreError> {
        let mut sql = "SELECT o.position, o.target_id, o.event, o.command_id, o.begins, o.bytes, \
             COALESCE((SELECT p.begins + p.bytes FROM hook_output p \
             WHERE p.command_id = o.command_id AND p.begins < o.begins \
             ORDER BY p.begins DESC LIMIT 1), 0), o.chunks \
             FROM hook_output o WHERE o.deployment_id = $1 AND o.position > $2"
            .to_owned();
        let mut params = params![&filter.deployment, after, most];
        let mut only = |column: &str, value: Value| {
            params.push(value);
            sql.push_str(&format!(" AND o.{column} = ${}", params.len()));
        };
        if let Some(target) = &filter.target {
            only("target_id", target.into());
        }
        if let Some(event) = filter.event {
            only("event", event.name().into());
        }
        sql.push_str(" ORDER BY o.position LIMIT $3");
        self.query(sql, params).await?.into_iter().map(read).collect()
    }

    /// Drops the output of the deployments that were written to longest ago until what is left is within the limit; how
    /// many lost theirs.
    ///
    /// # Errors
    /// The database failed.
    pub async fn purge_output(&self, limits: &OutputLimits) -> Result<u64, StoreError> {
        let sql = "SELECT deployment_id, bytes FROM hook_output_deployments WHERE bytes > 0 \
                   ORDER BY written DESC, deployment_id DESC";
        let mut kept = 0;
        let mut purged = 0;
        for mut row in self.query(sql, Vec::new()).await? {
            let deployment: DeploymentId = row.parsed("a deployment's id")?;
            kept += row.unsigned::<u64>()?;
            if kept > limits.all {
                self.drop_output(&deployment).await?;
                purged += 1;
            }
        }
        Ok(purged)
    }

    /// The row with the count stays: positions never begin anew.
    async fn drop_output(&self, deployment: &DeploymentId) -> Result<(), StoreError> {
        let forget = Statement::new(
            "UPDATE hook_output_deployments SET bytes = 0 WHERE deployment_id = $1",
            params![deployment],
        );
        let delete =
            Statement::new("DELETE FROM hook_output WHERE deployment_id = $1", params![deployment]);
        self.write(Batch::of(vec![forget, delete])).await?.done().map(drop)
    }
}

/// Drops a command's batches that lie neither in the first half of its limit nor in the last, and counts them off.
fn drop_the_middle(
    deployment: &DeploymentId,
    command: &HostCommandId,
    limit: u64,
) -> [Statement; 2] {
    const MIDDLE: &str = "command_id = $1 AND begins >= $2 AND begins < \
         (SELECT o.begins + o.bytes FROM hook_output o WHERE o.command_id = $1 \
         ORDER BY o.batch DESC LIMIT 1) - $2 AND begins + bytes <= \
         (SELECT o.begins + o.bytes FROM hook_output o WHERE o.command_id = $1 \
         ORDER BY o.batch DESC LIMIT 1) - $2";
    // The last batch stays, however little is to be kept.
    let half = (limit / 2).max(1);
    let count = Statement::new(
        format!(
            "UPDATE hook_output_deployments SET bytes = bytes - \
             COALESCE((SELECT SUM(bytes) FROM hook_output WHERE {MIDDLE}), 0) \
             WHERE deployment_id = $3"
        ),
        params![command, half, deployment],
    );
    let delete =
        Statement::new(format!("DELETE FROM hook_output WHERE {MIDDLE}"), params![command, half]);
    [count, delete]
}

fn read(mut row: Row) -> Result<StoredOutput, StoreError> {
    let position = row.int()?;
    let target = TargetId::new(row.text()?);
    let event = row.parsed("a lifecycle event")?;
    let command = row.parsed("a host command's id")?;
    let (begins, bytes): (u64, u64) = (row.unsigned()?, row.unsigned()?);
    Ok(StoredOutput {
        position,
        target,
        event,
        command,
        begins,
        ends: begins + bytes,
        kept_until: row.unsigned()?,
        chunks: row.text()?,
    })
}
