//! Deployment groups: their settings as the server wrote them, and pointers to what was deployed to them.

use model::{
    ApplicationId, DeploymentConfigName, DeploymentGroupId, DeploymentGroupName, DeploymentId,
    DeploymentStatus, ErrorCode, Revision, Timestamp,
};

use crate::applications::{orphan, read_orphans};
use crate::changes::Change;
use crate::codec;
use crate::configs::lock_config;
use crate::engine::{Batch, Query, Row, Statement, Written, params};
use crate::error::StoreError;
use crate::{Page, Store, timeline};

/// A deployment group to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewGroup {
    pub id: DeploymentGroupId,
    pub application_id: ApplicationId,
    pub region: String,
    /// Unique in its application.
    pub name: DeploymentGroupName,
    pub config_name: DeploymentConfigName,
    /// JSON that only the server understands.
    pub body: String,
    pub created: Timestamp,
}

/// A deployment group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    pub id: DeploymentGroupId,
    pub application_id: ApplicationId,
    pub region: String,
    pub name: DeploymentGroupName,
    pub config_name: DeploymentConfigName,
    pub body: String,
    /// Counts updates, from 1; an update holds only for the version it was made from.
    pub version: u64,
    pub created: Timestamp,
    /// What was last begun to be deployed.
    pub target_revision: Option<Revision>,
    /// What the last successful deployment to the whole group deployed.
    pub last_successful_revision: Option<Revision>,
    pub last_successful: Option<Attempt>,
    pub last_attempted: Option<Attempt>,
}

/// A deployment as its group remembers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    pub deployment: DeploymentId,
    pub status: DeploymentStatus,
    pub created: Timestamp,
    pub completed: Option<Timestamp>,
}

/// What an update sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupChange {
    pub name: DeploymentGroupName,
    pub config_name: DeploymentConfigName,
    pub body: String,
}

/// What became of making a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreateGroup {
    Created,
    AlreadyExists,
    ApplicationMissing,
    /// The custom configuration does not exist.
    ConfigMissing,
}

/// What became of updating a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpdateGroup {
    Updated,
    /// Somebody else updated or deleted it meanwhile: look again.
    Stale,
    NameTaken,
    ConfigMissing,
}

pub(crate) const SELECT: &str = "SELECT g.id, g.application_id, g.region, g.name, g.config_name, g.body, \
     g.version, g.created, g.target_revision, g.last_successful_revision, \
     s.id, s.status, s.created, s.completed, a.id, a.status, a.created, a.completed \
     FROM deployment_groups g \
     LEFT JOIN deployments s ON s.id = g.last_successful_deployment \
     LEFT JOIN deployments a ON a.id = g.last_attempted_deployment";

impl Store {
    /// Makes a deployment group.
    ///
    /// # Errors
    /// The database failed.
    pub async fn create_group(&self, new: &NewGroup) -> Result<CreateGroup, StoreError> {
        let statements = vec![
            Statement::new(
                "SELECT id FROM applications WHERE id = $1 FOR UPDATE",
                params![&new.application_id],
            )
            .expecting(1),
            config_must_exist(&new.region, &new.config_name),
            Statement::new(
                "INSERT INTO deployment_groups \
                 (id, application_id, region, name, config_name, body, version, created) \
                 VALUES ($1, $2, $3, $4, $5, $6, 1, $7) ON CONFLICT DO NOTHING",
                params![
                    &new.id,
                    &new.application_id,
                    &new.region,
                    &new.name,
                    &new.config_name,
                    &new.body,
                    new.created
                ],
            )
            .expecting(1),
        ];
        Ok(match self.write(Batch::of(statements)).await? {
            Written::Done(_) => CreateGroup::Created,
            Written::Unmet { statement: 0 } => CreateGroup::ApplicationMissing,
            Written::Unmet { statement: 1 } => CreateGroup::ConfigMissing,
            Written::Unmet { .. } => CreateGroup::AlreadyExists,
        })
    }

    /// The group of that name.
    ///
    /// # Errors
    /// The database failed.
    pub async fn group(
        &self,
        application: &ApplicationId,
        name: &DeploymentGroupName,
    ) -> Result<Option<Group>, StoreError> {
        Ok(self.groups_named(application, std::slice::from_ref(name)).await?.pop())
    }

    /// Those of the application's groups that there are, in the order asked for.
    ///
    /// # Errors
    /// The database failed.
    pub async fn groups_named(
        &self,
        application: &ApplicationId,
        names: &[DeploymentGroupName],
    ) -> Result<Vec<Group>, StoreError> {
        let sql = format!("{SELECT} WHERE g.application_id = $1 AND g.name = $2");
        let queries = names.iter().map(|name| Query::new(sql.clone(), params![application, name]));
        self.read(queries.collect()).await?.into_iter().flatten().map(read).collect()
    }

    /// The group with that id.
    ///
    /// # Errors
    /// The database failed.
    pub async fn group_by_id(&self, id: &DeploymentGroupId) -> Result<Option<Group>, StoreError> {
        let sql = format!("{SELECT} WHERE g.id = $1");
        self.query_one(sql, params![id]).await?.map(read).transpose()
    }

    /// The groups of an application, by name.
    ///
    /// # Errors
    /// The database failed.
    pub async fn groups(
        &self,
        application: &ApplicationId,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Page<Group>, StoreError> {
        let sql = format!(
            "{SELECT} WHERE g.application_id = $1 AND g.name > $2 ORDER BY g.name LIMIT $3"
        );
        let params = params![application, after.unwrap_or(""), i64::from(limit) + 1];
        let rows = self.query(sql, params).await?;
        let items = rows.into_iter().map(read).collect::<Result<_, _>>()?;
        Ok(Page::of(items, limit, |last: &Group| last.name.to_string()))
    }

    /// How many groups an application has.
    ///
    /// # Errors
    /// The database failed.
    pub async fn group_count(&self, application: &ApplicationId) -> Result<u64, StoreError> {
        let sql = "SELECT COUNT(*) FROM deployment_groups WHERE application_id = $1";
        self.count(sql, params![application]).await
    }

    /// Replaces a group's settings if it still has the `version` that they were made from.
    ///
    /// # Errors
    /// The database failed.
    pub async fn update_group(
        &self,
        group: &Group,
        change: &GroupChange,
    ) -> Result<UpdateGroup, StoreError> {
        let statements = vec![
            Statement::new(
                "SELECT id FROM deployment_groups WHERE id = $1 AND version = $2 FOR UPDATE",
                params![&group.id, group.version],
            )
            .expecting(1),
            config_must_exist(&group.region, &change.config_name),
            Statement::new(
                "UPDATE deployment_groups SET name = $2, config_name = $3, body = $4, \
                 version = version + 1 \
                 WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM deployment_groups o \
                 WHERE o.application_id = $5 AND o.name = $2 AND o.id <> $1)",
                params![
                    &group.id,
                    &change.name,
                    &change.config_name,
                    &change.body,
                    &group.application_id
                ],
            )
            .expecting(1),
        ];
        Ok(match self.write(Batch::of(statements)).await? {
            Written::Done(_) => UpdateGroup::Updated,
            Written::Unmet { statement: 0 } => UpdateGroup::Stale,
            Written::Unmet { statement: 1 } => UpdateGroup::ConfigMissing,
            Written::Unmet { .. } => UpdateGroup::NameTaken,
        })
    }

    /// Deletes a group. Its deployments remain; those that are not over are marked, and the next plan ends them. The
    /// ids of these, or nothing if there is no such group.
    ///
    /// # Errors
    /// The database failed.
    pub async fn delete_group(
        &self,
        id: &DeploymentGroupId,
        at: Timestamp,
    ) -> Result<Option<Vec<DeploymentId>>, StoreError> {
        let statements = vec![
            // First, since whoever makes a deployment holds this row.
            Statement::new("DELETE FROM deployment_groups WHERE id = $1", params![id]).expecting(1),
            orphan("group_id", id.as_str(), ErrorCode::DeploymentGroupMissing),
            timeline::of_orphans("group_id", id.as_str(), "the deployment group was deleted", at),
            Statement::new("DELETE FROM host_health WHERE group_id = $1", params![id]),
        ];
        let batch = Batch::of(statements).waking(vec![Change::Everything]);
        match self.write(batch).await? {
            Written::Unmet { .. } => Ok(None),
            Written::Done(mut outcomes) => read_orphans(outcomes.swap_remove(1).rows).map(Some),
        }
    }
}

/// The predefined configurations always exist; the custom ones are held against deletion.
fn config_must_exist(region: &str, name: &DeploymentConfigName) -> Statement {
    if name.is_reserved() {
        Statement::new("SELECT 1", Vec::new())
    } else {
        lock_config(region, name).expecting(1)
    }
}

pub(crate) fn read(mut row: Row) -> Result<Group, StoreError> {
    Ok(Group {
        id: DeploymentGroupId::new(row.text()?),
        application_id: ApplicationId::new(row.text()?),
        region: row.text()?,
        name: row.parsed("a deployment group's name")?,
        config_name: row.parsed("a deployment configuration's name")?,
        body: row.text()?,
        version: row.unsigned()?,
        created: row.time()?,
        target_revision: codec::read_optional_revision(row.optional_text()?.as_deref())?,
        last_successful_revision: codec::read_optional_revision(row.optional_text()?.as_deref())?,
        last_successful: read_attempt(&mut row)?,
        last_attempted: read_attempt(&mut row)?,
    })
}

fn read_attempt(row: &mut Row) -> Result<Option<Attempt>, StoreError> {
    let (id, status) = (row.optional_text()?, row.optional_text()?);
    let (created, completed) = (row.optional_time()?, row.optional_time()?);
    let (Some(id), Some(status), Some(created)) = (id, status, created) else { return Ok(None) };
    let Some(known) = DeploymentStatus::from_name(&status) else {
        return Err(StoreError::corrupt(status, "a deployment's status"));
    };
    let deployment = id.parse().map_err(|_| StoreError::corrupt(id, "a deployment id"))?;
    Ok(Some(Attempt { deployment, status: known, created, completed }))
}
