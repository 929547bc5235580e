//! Applications: the names under which groups and revisions are kept.

use model::{ApplicationId, ApplicationName, DeploymentId, ErrorCode, Timestamp};

use crate::changes::Change;
use crate::engine::{Batch, Query, Row, Statement, Written, params};
use crate::error::StoreError;
use crate::{Page, Store, timeline};

/// An application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    pub id: ApplicationId,
    pub region: String,
    /// Unique in its region.
    pub name: ApplicationName,
    /// `Server`, `Lambda` or `ECS`; never changes.
    pub platform: String,
    /// JSON that only the server understands.
    pub body: String,
    pub created: Timestamp,
}

/// Whether a thing with a name was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Create {
    Created,
    /// The name is taken.
    AlreadyExists,
}

/// Whether a thing got another name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rename {
    Renamed,
    NameTaken,
    /// There is no such thing.
    Unknown,
}

/// What became of deleting an application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeleteApplication {
    Deleted {
        /// Its deployments that were not over, and are now to be ended.
        orphaned: Vec<DeploymentId>,
    },
    /// There is no such application.
    Unknown,
}

const COLUMNS: &str = "id, region, name, platform, body, created";

impl Store {
    /// Makes an application.
    ///
    /// # Errors
    /// The database failed.
    pub async fn create_application(&self, new: &Application) -> Result<Create, StoreError> {
        let insert = Statement::new(
            "INSERT INTO applications (id, region, name, platform, body, created) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
            params![&new.id, &new.region, &new.name, &new.platform, &new.body, new.created],
        );
        let written = self.write(Batch::of(vec![insert.expecting(1)])).await?;
        Ok(if written.is_done() { Create::Created } else { Create::AlreadyExists })
    }

    /// The application of that name.
    ///
    /// # Errors
    /// The database failed.
    pub async fn application(
        &self,
        region: &str,
        name: &ApplicationName,
    ) -> Result<Option<Application>, StoreError> {
        Ok(self.applications_named(region, std::slice::from_ref(name)).await?.pop())
    }

    /// Those of the applications that there are, in the order asked for.
    ///
    /// # Errors
    /// The database failed.
    pub async fn applications_named(
        &self,
        region: &str,
        names: &[ApplicationName],
    ) -> Result<Vec<Application>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM applications WHERE region = $1 AND name = $2");
        let queries = names.iter().map(|name| Query::new(sql.clone(), params![region, name]));
        self.read(queries.collect()).await?.into_iter().flatten().map(read).collect()
    }

    /// The application with that id.
    ///
    /// # Errors
    /// The database failed.
    pub async fn application_by_id(
        &self,
        id: &ApplicationId,
    ) -> Result<Option<Application>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM applications WHERE id = $1");
        self.query_one(sql, params![id]).await?.map(read).transpose()
    }

    /// The applications of a region, by name.
    ///
    /// # Errors
    /// The database failed.
    pub async fn applications(
        &self,
        region: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Page<Application>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM applications WHERE region = $1 AND name > $2 \
             ORDER BY name LIMIT $3"
        );
        let params = params![region, after.unwrap_or(""), i64::from(limit) + 1];
        let rows = self.query(sql, params).await?;
        let items = rows.into_iter().map(read).collect::<Result<_, _>>()?;
        Ok(Page::of(items, limit, |last: &Application| last.name.to_string()))
    }

    /// How many applications a region has.
    ///
    /// # Errors
    /// The database failed.
    pub async fn application_count(&self, region: &str) -> Result<u64, StoreError> {
        self.count("SELECT COUNT(*) FROM applications WHERE region = $1", params![region]).await
    }

    /// Gives the application another name, if it still has the old one: of two clients that rename it, one finds that
    /// it is unknown by now. Its deployments keep the old name, as they were made under it.
    ///
    /// # Errors
    /// The database failed.
    pub async fn rename_application(
        &self,
        id: &ApplicationId,
        old: &ApplicationName,
        name: &ApplicationName,
    ) -> Result<Rename, StoreError> {
        let lock = Statement::new(
            "SELECT id FROM applications WHERE id = $1 AND name = $2 FOR UPDATE",
            params![id, old],
        );
        let update = Statement::new(
            "UPDATE applications SET name = $2 WHERE id = $1 AND NOT EXISTS \
             (SELECT 1 FROM applications o \
              WHERE o.region = applications.region AND o.name = $2 AND o.id <> $1)",
            params![id, name],
        );
        let batch = Batch::of(vec![lock.expecting(1), update.expecting(1)]);
        Ok(match self.write(batch).await? {
            Written::Done(_) => Rename::Renamed,
            Written::Unmet { statement: 0 } => Rename::Unknown,
            Written::Unmet { .. } => Rename::NameTaken,
        })
    }

    /// Replaces what only the server understands of an application; whether there is one.
    ///
    /// # Errors
    /// The database failed.
    pub async fn set_application_body(
        &self,
        id: &ApplicationId,
        body: &str,
    ) -> Result<bool, StoreError> {
        let update =
            Statement::new("UPDATE applications SET body = $2 WHERE id = $1", params![id, body]);
        Ok(self.write(Batch::of(vec![update.expecting(1)])).await?.is_done())
    }

    /// Deletes the application with its groups and revisions. Its deployments remain readable; those that are not
    /// over are marked, and the next plan ends them.
    ///
    /// # Errors
    /// The database failed.
    pub async fn delete_application(
        &self,
        id: &ApplicationId,
        at: Timestamp,
    ) -> Result<DeleteApplication, StoreError> {
        let statements = vec![
            Statement::new("SELECT id FROM applications WHERE id = $1 FOR UPDATE", params![id])
                .expecting(1),
            Statement::new(
                "DELETE FROM host_health WHERE group_id IN \
                 (SELECT id FROM deployment_groups WHERE application_id = $1)",
                params![id],
            ),
            // Before the deployments are looked at: whoever makes one holds its group's row.
            Statement::new("DELETE FROM deployment_groups WHERE application_id = $1", params![id]),
            Statement::new("DELETE FROM revisions WHERE application_id = $1", params![id]),
            orphan("application_id", id.as_str(), ErrorCode::ApplicationMissing),
            timeline::of_orphans("application_id", id.as_str(), "the application was deleted", at),
            Statement::new("DELETE FROM applications WHERE id = $1", params![id]),
        ];
        let batch = Batch::of(statements).waking(vec![Change::Everything]);
        match self.write(batch).await? {
            Written::Unmet { .. } => Ok(DeleteApplication::Unknown),
            Written::Done(mut outcomes) => {
                let orphaned = read_orphans(outcomes.swap_remove(ORPHAN_IN_DELETION).rows)?;
                Ok(DeleteApplication::Deleted { orphaned })
            }
        }
    }
}

/// Which statement of deleting an application gives the ids of the orphaned deployments.
const ORPHAN_IN_DELETION: usize = 4;

/// Marks the unfinished deployments whose `owner` column holds `id`, and gives their ids.
pub(crate) fn orphan(owner: &str, id: &str, code: ErrorCode) -> Statement {
    Statement::new(
        format!(
            "UPDATE deployments SET orphaned = $2, version = version + 1 \
             WHERE {owner} = $1 AND completed IS NULL AND orphaned IS NULL RETURNING id"
        ),
        params![id, code.name()],
    )
}

pub(crate) fn read_orphans(rows: Vec<Row>) -> Result<Vec<DeploymentId>, StoreError> {
    rows.into_iter().map(|mut row| row.parsed("a deployment id")).collect()
}

fn read(mut row: Row) -> Result<Application, StoreError> {
    Ok(Application {
        id: ApplicationId::new(row.text()?),
        region: row.text()?,
        name: row.parsed("an application's name")?,
        platform: row.text()?,
        body: row.text()?,
        created: row.time()?,
    })
}
