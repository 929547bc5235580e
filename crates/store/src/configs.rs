//! Custom deployment configurations. The predefined ones are no rows: they cannot change.

use model::{DeploymentConfigName, MinimumHealthyHosts, Timestamp};

use crate::applications::Create;
use crate::codec;
use crate::engine::{Batch, Row, Statement, Written, params};
use crate::error::StoreError;
use crate::{Page, Store};

/// A custom deployment configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// A UUID.
    pub id: String,
    pub region: String,
    /// Unique in its region.
    pub name: DeploymentConfigName,
    /// Absent: a record for Lambda or ECS, which have no hosts.
    pub minimum_healthy: Option<MinimumHealthyHosts>,
    /// JSON that only the server understands.
    pub body: String,
    pub created: Timestamp,
}

/// What became of deleting a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeleteConfig {
    Deleted,
    /// A deployment group names it.
    InUse,
    /// There is no such configuration.
    Unknown,
}

const COLUMNS: &str = "region, name, id, minimum_healthy, body, created";

impl Store {
    /// Makes a configuration.
    ///
    /// # Errors
    /// The database failed.
    pub async fn create_config(&self, new: &Config) -> Result<Create, StoreError> {
        let minimum = new.minimum_healthy.map(codec::write_minimum_healthy);
        let insert = Statement::new(
            "INSERT INTO deployment_configs (region, name, id, minimum_healthy, body, created) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
            params![&new.region, &new.name, &new.id, minimum, &new.body, new.created],
        );
        let written = self.write(Batch::of(vec![insert.expecting(1)])).await?;
        Ok(if written.is_done() { Create::Created } else { Create::AlreadyExists })
    }

    /// The custom configuration of that name.
    ///
    /// # Errors
    /// The database failed.
    pub async fn config(
        &self,
        region: &str,
        name: &DeploymentConfigName,
    ) -> Result<Option<Config>, StoreError> {
        let sql =
            format!("SELECT {COLUMNS} FROM deployment_configs WHERE region = $1 AND name = $2");
        self.query_one(sql, params![region, name]).await?.map(read).transpose()
    }

    /// The custom configurations of a region, by name.
    ///
    /// # Errors
    /// The database failed.
    pub async fn configs(
        &self,
        region: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Page<Config>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM deployment_configs WHERE region = $1 AND name > $2 \
             ORDER BY name LIMIT $3"
        );
        let params = params![region, after.unwrap_or(""), i64::from(limit) + 1];
        let rows = self.query(sql, params).await?;
        let items = rows.into_iter().map(read).collect::<Result<_, _>>()?;
        Ok(Page::of(items, limit, |last: &Config| last.name.to_string()))
    }

    /// How many custom configurations a region has.
    ///
    /// # Errors
    /// The database failed.
    pub async fn config_count(&self, region: &str) -> Result<u64, StoreError> {
        self.count("SELECT COUNT(*) FROM deployment_configs WHERE region = $1", params![region])
            .await
    }

    /// Deletes a configuration that no group names.
    ///
    /// # Errors
    /// The database failed.
    pub async fn delete_config(
        &self,
        region: &str,
        name: &DeploymentConfigName,
    ) -> Result<DeleteConfig, StoreError> {
        let statements = vec![
            lock_config(region, name).expecting(1),
            Statement::new(
                "DELETE FROM deployment_configs WHERE region = $1 AND name = $2 AND NOT EXISTS \
                 (SELECT 1 FROM deployment_groups WHERE region = $1 AND config_name = $2)",
                params![region, name],
            )
            .expecting(1),
        ];
        Ok(match self.write(Batch::of(statements)).await? {
            Written::Done(_) => DeleteConfig::Deleted,
            Written::Unmet { statement: 0 } => DeleteConfig::Unknown,
            Written::Unmet { .. } => DeleteConfig::InUse,
        })
    }
}

/// Holds a custom configuration against deletion until the batch is over.
pub(crate) fn lock_config(region: &str, name: &DeploymentConfigName) -> Statement {
    Statement::new(
        "SELECT id FROM deployment_configs WHERE region = $1 AND name = $2 FOR UPDATE",
        params![region, name],
    )
}

fn read(mut row: Row) -> Result<Config, StoreError> {
    Ok(Config {
        region: row.text()?,
        name: row.parsed("a deployment configuration's name")?,
        id: row.text()?,
        minimum_healthy: row
            .optional_text()?
            .map(|text| codec::read_minimum_healthy(&text))
            .transpose()?,
        body: row.text()?,
        created: row.time()?,
    })
}
