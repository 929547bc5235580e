//! What operators look at: lists whose rows show everything at once, and what changed since somebody looked.
//!
//! Each is a fixed number of statements, however long the list is.

use std::collections::{BTreeMap, HashMap};

use model::{
    ApplicationId, DeploymentGroupId, DeploymentId, DeploymentStatus, Revision, Target, TargetId,
    Timestamp,
};

use crate::deployments::{self, DeploymentRecord, Overview};
use crate::engine::{Query, Row, Value, params};
use crate::error::StoreError;
use crate::page::Cursor;
use crate::{Group, Host, Page, Store, TimelineEntry, codec, groups, targets, timeline};

/// Whose deployments to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeploymentsOf {
    Region(String),
    Application(ApplicationId),
    Group(DeploymentGroupId),
    /// Of a region, those with this status.
    Status(String, DeploymentStatus),
}

/// A deployment and its targets, all of one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeploymentView {
    pub deployment: DeploymentRecord,
    /// By position.
    pub targets: Vec<Target>,
    /// What happened last, newest first.
    pub timeline: Vec<TimelineEntry>,
}

/// What a group remembers of one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    pub group: DeploymentGroupId,
    pub target: TargetId,
    /// Absent: it is not known.
    pub revision: Option<Revision>,
    /// The last deployment to it succeeded.
    pub healthy: bool,
    pub updated: Timestamp,
}

/// Lists are bound to this many parameters of one statement.
const PARAMETERS_MAX: usize = 500;

impl Store {
    /// Deployments with what a list shows of them, newest first.
    ///
    /// # Errors
    /// The database failed, or `after` is no place in such a listing.
    pub async fn deployment_rows(
        &self,
        of: &DeploymentsOf,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Page<DeploymentRecord>, StoreError> {
        let query = rows_of(of, after.map(Cursor::read).transpose()?, limit);
        let rows = self.rows(query).await?;
        let records = self.with_overviews(rows).await?;
        Ok(Page::of(records, limit, |last: &DeploymentRecord| {
            Cursor::write(last.state.created.as_millis(), last.state.id.as_str())
        }))
    }

    /// The deployments of a region that are not over, newest first, at most `limit`.
    ///
    /// # Errors
    /// The database failed.
    pub async fn running_rows(
        &self,
        region: &str,
        limit: u32,
    ) -> Result<Vec<DeploymentRecord>, StoreError> {
        let sql = format!(
            "SELECT {}, {} FROM deployments WHERE completed IS NULL AND region = $1 \
             ORDER BY created DESC, id DESC LIMIT $2",
            deployments::STATE,
            deployments::REST
        );
        let rows = self.query(sql, params![region, i64::from(limit)]).await?;
        self.with_overviews(rows).await
    }

    async fn with_overviews(&self, rows: Vec<Row>) -> Result<Vec<DeploymentRecord>, StoreError> {
        let mut records = rows
            .into_iter()
            .map(|mut row| {
                let state = deployments::read_state(&mut row)?;
                deployments::read_record(state, row, None)
            })
            .collect::<Result<Vec<_>, _>>()?;
        let ids: Vec<&str> = records.iter().map(|record| record.state.id.as_str()).collect();
        let mut counts = self.overviews(&ids).await?;
        for record in &mut records {
            let counted = counts.remove(record.state.id.as_str());
            record.overview = counted.or(record.state.started.map(|_| Overview::default()));
        }
        Ok(records)
    }

    async fn overviews(&self, ids: &[&str]) -> Result<HashMap<String, Overview>, StoreError> {
        let queries = ids.chunks(PARAMETERS_MAX).map(|ids| {
            let (marks, params) = bound(ids);
            Query::new(
                format!(
                    "SELECT deployment_id, status, COUNT(*) FROM targets \
                     WHERE deployment_id IN ({marks}) GROUP BY deployment_id, status"
                ),
                params,
            )
        });
        let mut counted: HashMap<String, Vec<Row>> = HashMap::new();
        for mut row in self.read(queries.collect()).await?.into_iter().flatten() {
            counted.entry(row.text()?).or_default().push(row);
        }
        counted.into_iter().map(|(id, rows)| Ok((id, deployments::read_overview(rows)?))).collect()
    }

    /// One deployment whole: itself, its targets, and the end of its timeline.
    ///
    /// # Errors
    /// The database failed.
    pub async fn deployment_view(
        &self,
        id: &DeploymentId,
        timeline_limit: u32,
    ) -> Result<Option<DeploymentView>, StoreError> {
        self.view(id, targets::all(id), timeline_limit).await
    }

    /// The deployment as it is now, and of its targets those that changed after `version`.
    ///
    /// # Errors
    /// The database failed.
    pub async fn deployment_since(
        &self,
        id: &DeploymentId,
        version: u64,
        timeline_limit: u32,
    ) -> Result<Option<DeploymentView>, StoreError> {
        self.view(id, targets::changed_since(id, version), timeline_limit).await
    }

    async fn view(
        &self,
        id: &DeploymentId,
        of_targets: Query,
        timeline_limit: u32,
    ) -> Result<Option<DeploymentView>, StoreError> {
        let queries = vec![
            deployments::record_query(id),
            of_targets,
            timeline::newest(id, timeline_limit),
            deployments::overview(id),
        ];
        let mut answers = self.read(queries).await?.into_iter();
        let mut next = || answers.next().unwrap_or_default();
        let Some(row) = next().into_iter().next() else { return Ok(None) };
        let targets = next().into_iter().map(targets::read).collect::<Result<_, _>>()?;
        let timeline = next().into_iter().map(timeline::read_entry).collect::<Result<_, _>>()?;
        let deployment = deployments::read_whole(row, next())?;
        Ok(Some(DeploymentView { deployment, targets, timeline }))
    }

    /// Every group of a region.
    ///
    /// # Errors
    /// The database failed.
    pub async fn groups_of_region(&self, region: &str) -> Result<Vec<Group>, StoreError> {
        let sql = format!("{} WHERE g.region = $1 ORDER BY g.region, g.id", groups::SELECT);
        let rows = self.query(sql, params![region]).await?;
        rows.into_iter().map(groups::read).collect()
    }

    /// What the groups of a region remember of their hosts.
    ///
    /// # Errors
    /// The database failed.
    pub async fn installed(&self, region: &str) -> Result<Vec<Installed>, StoreError> {
        let sql = "SELECT h.group_id, h.target_id, h.revision, h.healthy, h.updated \
                   FROM deployment_groups g JOIN host_health h ON h.group_id = g.id \
                   WHERE g.region = $1";
        self.query(sql, params![region]).await?.into_iter().map(read_installed).collect()
    }

    /// What every group remembers of these hosts.
    ///
    /// # Errors
    /// The database failed.
    pub async fn installed_on(&self, hosts: &[String]) -> Result<Vec<Installed>, StoreError> {
        let queries = hosts.chunks(PARAMETERS_MAX).map(|hosts| {
            let (marks, params) = bound(hosts);
            Query::new(
                format!(
                    "SELECT group_id, target_id, revision, healthy, updated FROM host_health \
                     WHERE target_id IN ({marks})"
                ),
                params,
            )
        });
        let rows = self.read(queries.collect()).await?;
        rows.into_iter().flatten().map(read_installed).collect()
    }

    /// Those of the hosts whose agents were ever heard, by identifier.
    ///
    /// # Errors
    /// The database failed.
    pub async fn hosts(
        &self,
        identifiers: &[String],
    ) -> Result<BTreeMap<String, Host>, StoreError> {
        let queries = identifiers.chunks(PARAMETERS_MAX).map(|some| {
            let (marks, params) = bound(some);
            Query::new(
                format!(
                    "SELECT identifier, last_seen, agent_version FROM hosts \
                     WHERE identifier IN ({marks})"
                ),
                params,
            )
        });
        let mut hosts = BTreeMap::new();
        for mut row in self.read(queries.collect()).await?.into_iter().flatten() {
            let host = Host {
                identifier: row.text()?,
                last_seen: row.time()?,
                agent_version: row.optional_text()?,
            };
            hosts.insert(host.identifier.clone(), host);
        }
        Ok(hosts)
    }
}

fn read_installed(mut row: Row) -> Result<Installed, StoreError> {
    Ok(Installed {
        group: DeploymentGroupId::new(row.text()?),
        target: TargetId::new(row.text()?),
        revision: codec::read_optional_revision(row.optional_text()?.as_deref())?,
        healthy: row.truth()?,
        updated: row.time()?,
    })
}

/// Placeholders for texts, and the texts.
fn bound(values: &[impl AsRef<str>]) -> (String, Vec<Value>) {
    let marks: Vec<String> = (1..=values.len()).map(|number| format!("${number}")).collect();
    (marks.join(", "), values.iter().map(|value| Value::from(value.as_ref())).collect())
}

fn rows_of(of: &DeploymentsOf, after: Option<Cursor>, limit: u32) -> Query {
    let (mut sql, mut params) =
        (format!("SELECT {}, {} ", deployments::STATE, deployments::REST), Vec::new());
    match of {
        DeploymentsOf::Region(region) => {
            sql += "FROM deployments WHERE region = $1";
            params.push(Value::from(region));
        }
        DeploymentsOf::Application(id) => {
            sql += "FROM deployments WHERE application_id = $1";
            params.push(Value::from(id));
        }
        DeploymentsOf::Group(id) => {
            sql += "FROM deployments WHERE group_id = $1";
            params.push(Value::from(id));
        }
        DeploymentsOf::Status(region, status) => {
            sql += "FROM deployments WHERE region = $1 AND status = $2";
            params.extend([Value::from(region), Value::from(status.name())]);
        }
    }
    if let Some(after) = after {
        params.extend([Value::from(after.number), Value::from(after.text)]);
        sql += &format!(" AND (created, id) < (${}, ${})", params.len() - 1, params.len());
    }
    params.push(Value::from(i64::from(limit) + 1));
    sql += &format!(" ORDER BY created DESC, id DESC LIMIT ${}", params.len());
    Query::new(sql, params)
}
