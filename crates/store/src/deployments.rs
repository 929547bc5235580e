//! Deployments: making them, reading them, and the operator's wish to stop them.

use std::collections::BTreeSet;

use model::{
    ApplicationId, ApplicationName, Creator, DeploymentConfigName, DeploymentGroupId,
    DeploymentGroupName, DeploymentId, DeploymentStatus, ErrorCode, ErrorInformation,
    MinimumHealthyHosts, QueuePolicy, Revision, RollbackEvent, StatusMessage, TargetStatus,
    Timestamp, ZonalConfig,
};
use rollout::{AlarmWatch, Holder, Line, StopIntent};

use crate::changes::Change;
use crate::codec;
use crate::engine::{Batch, Query, Row, Statement, Value, Written, params};
use crate::error::StoreError;
use crate::page::Cursor;
use crate::{Page, Store, alarms, notices, revisions, timeline};

/// A deployment to be made. Its previous revision is the group's last successful one at that moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDeployment {
    pub id: DeploymentId,
    pub region: String,
    pub application_id: ApplicationId,
    pub application_name: ApplicationName,
    pub group_id: DeploymentGroupId,
    pub group_name: DeploymentGroupName,
    pub config_name: DeploymentConfigName,
    pub minimum_healthy: MinimumHealthyHosts,
    /// One zone after the other; absent: zones mean nothing.
    pub zonal: Option<ZonalConfig>,
    /// What goes otherwise than asked, as far as that is known already.
    pub messages: BTreeSet<StatusMessage>,
    pub revision: Revision,
    /// How it waits for the group's single place; absent: it is refused where the place is taken.
    pub queue: Option<QueuePolicy>,
    /// Its number in the history of what is deployed, up to `i64::MAX`; absent: it can be compared with nothing.
    pub sequence: Option<u64>,
    pub creator: Creator,
    pub description: Option<String>,
    pub ignore_application_stop_failures: bool,
    /// Ends that a rollback follows.
    pub roll_back_on: BTreeSet<RollbackEvent>,
    /// The alarms that stop it; absent: none.
    pub alarms: Option<AlarmWatch>,
    /// The deployment that it rolls back.
    pub rolls_back: Option<DeploymentId>,
    /// Everything else that was asked for: JSON that only the server understands.
    pub options: String,
    pub created: Timestamp,
}

/// What became of making a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CreateDeployment {
    Created,
    /// This deployment of the group is not over. Source: CodeDeploy API reference, `DeploymentLimitExceededException`.
    GroupBusy(DeploymentId),
    GroupMissing,
    /// Another deployment has the id: draw again.
    IdTaken,
}

/// A deployment as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeploymentRecord {
    /// What the planner knows of it.
    pub state: rollout::Deployment,
    pub region: String,
    pub application_id: ApplicationId,
    /// As it was called when the deployment was made; likewise the group.
    pub application_name: ApplicationName,
    pub group_id: DeploymentGroupId,
    pub group_name: DeploymentGroupName,
    pub config_name: DeploymentConfigName,
    pub revision: Revision,
    pub previous_revision: Option<Revision>,
    pub description: Option<String>,
    pub options: String,
    /// The deployment that it rolls back.
    pub rolls_back: Option<DeploymentId>,
    /// Absent until the targets are known.
    pub overview: Option<Overview>,
}

/// How many targets have each status. Source: CodeDeploy API reference, `DeploymentOverview`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Overview {
    pub pending: u32,
    pub in_progress: u32,
    pub succeeded: u32,
    pub failed: u32,
    pub skipped: u32,
    pub ready: u32,
}

/// Which deployments to list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeploymentFilter {
    pub region: String,
    /// Only those of this group.
    pub group: Option<DeploymentGroupId>,
    /// Only those with one of these statuses; empty: any.
    pub statuses: Vec<DeploymentStatus>,
    /// Only those made at this time or later.
    pub created_from: Option<Timestamp>,
    /// Only those made at this time or earlier.
    pub created_to: Option<Timestamp>,
}

/// What became of the wish to stop a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopRequest {
    /// Written down, now or earlier.
    Stopping {
        /// Commands that hosts have and have not completed.
        in_flight: u32,
    },
    AlreadyOver,
    /// There is no such deployment.
    Unknown,
}

/// The columns that `read_state` reads.
pub(crate) const STATE: &str = "id, version, status, created, started, completed, error_code, error_message, \
     minimum_healthy, ignore_application_stop_failures, \
     stop_requested, stop_principal, stop_roll_back, orphaned, \
     creator, roll_back_on, rolled_back_by, sequence, zonal, messages, \
     alarms, alarms_read, alarm_raised, alarm_finding";

pub(crate) const REST: &str = "region, application_id, application_name, group_id, group_name, config_name, \
     revision, previous_revision, description, options, rolls_back";

impl Store {
    /// Makes a deployment, unless its group has one that is not over, and makes its revision known.
    ///
    /// Deployments by `autoscaling` do not take the group's single place.
    ///
    /// # Errors
    /// The database failed.
    pub async fn create_deployment(
        &self,
        new: &NewDeployment,
    ) -> Result<CreateDeployment, StoreError> {
        loop {
            let waiting = match new.queue {
                // A newer deployment may end them.
                Some(_) => self.waiting_deployments(&new.group_id).await?,
                None => Vec::new(),
            };
            match self.write(creation(new, waiting)).await? {
                Written::Done(_) => return Ok(CreateDeployment::Created),
                Written::Unmet { statement: 0 } => return Ok(CreateDeployment::GroupMissing),
                Written::Unmet { .. } => {}
            }
            if let Some(active) = self.active_deployment(&new.group_id).await?
                && takes_the_groups_place(new.creator)
                && new.queue.is_none()
            {
                return Ok(CreateDeployment::GroupBusy(active));
            }
            if self.deployment_state(&new.id).await?.is_some() {
                return Ok(CreateDeployment::IdTaken);
            }
            // What stood in the way ended just now.
        }
    }

    /// The deployment with that id.
    ///
    /// # Errors
    /// The database failed.
    pub async fn deployment(
        &self,
        id: &DeploymentId,
    ) -> Result<Option<DeploymentRecord>, StoreError> {
        Ok(self.deployments_with(std::slice::from_ref(id)).await?.pop())
    }

    /// Those of the deployments that there are, in the order asked for.
    ///
    /// # Errors
    /// The database failed.
    pub async fn deployments_with(
        &self,
        ids: &[DeploymentId],
    ) -> Result<Vec<DeploymentRecord>, StoreError> {
        let queries = ids.iter().flat_map(|id| [record_query(id), overview(id)]);
        let mut answers = self.read(queries.collect()).await?.into_iter();
        let mut records = Vec::with_capacity(ids.len());
        while let (Some(found), Some(counts)) = (answers.next(), answers.next()) {
            if let Some(row) = found.into_iter().next() {
                records.push(read_whole(row, counts)?);
            }
        }
        Ok(records)
    }

    /// What the planner knows of a deployment itself; cheaper than [`Store::deployment`].
    ///
    /// # Errors
    /// The database failed.
    pub async fn deployment_state(
        &self,
        id: &DeploymentId,
    ) -> Result<Option<rollout::Deployment>, StoreError> {
        let found = self.query_one(state_query(), params![id]).await?;
        found.map(|mut row| read_state(&mut row)).transpose()
    }

    /// The ids of deployments, newest first.
    ///
    /// # Errors
    /// The database failed, or `after` is no place in such a listing.
    pub async fn deployments(
        &self,
        filter: &DeploymentFilter,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Page<DeploymentId>, StoreError> {
        let query = list(filter, after.map(Cursor::read).transpose()?, limit);
        let rows = self.rows(query).await?;
        let found = rows
            .into_iter()
            .map(|mut row| Ok((row.int()?, row.parsed("a deployment id")?)))
            .collect::<Result<Vec<(i64, DeploymentId)>, StoreError>>()?;
        let page = Page::of(found, limit, |(created, id)| Cursor::write(*created, id.as_str()));
        let items = page.items.into_iter().map(|(_, id)| id).collect();
        Ok(Page { items, next: page.next })
    }

    /// The deployments that are not over, oldest first: what a server looks after when it starts, and now and then.
    ///
    /// # Errors
    /// The database failed.
    pub async fn unfinished_deployments(&self) -> Result<Vec<DeploymentId>, StoreError> {
        let sql = "SELECT id FROM deployments WHERE completed IS NULL ORDER BY created, id";
        let rows = self.query(sql, Vec::new()).await?;
        rows.into_iter().map(|mut row| row.parsed("a deployment id")).collect()
    }

    /// The deployment that takes the group's single place.
    ///
    /// # Errors
    /// The database failed.
    pub async fn active_deployment(
        &self,
        group: &DeploymentGroupId,
    ) -> Result<Option<DeploymentId>, StoreError> {
        let sql = "SELECT id FROM deployments \
                   WHERE group_id = $1 AND completed IS NULL AND exclusive = 1";
        let found = self.query_one(sql, params![group]).await?;
        found.map(|mut row| row.parsed("a deployment id")).transpose()
    }

    /// The deployments that wait for the group's single place, oldest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn waiting_deployments(
        &self,
        group: &DeploymentGroupId,
    ) -> Result<Vec<DeploymentId>, StoreError> {
        let sql = "SELECT id FROM deployments WHERE group_id = $1 AND completed IS NULL \
                   AND exclusive = 0 AND queue IS NOT NULL ORDER BY created, id";
        let rows = self.query(sql, params![group]).await?;
        rows.into_iter().map(|mut row| row.parsed("a deployment id")).collect()
    }

    /// Those that wait for the place that this deployment had or waited for.
    ///
    /// # Errors
    /// The database failed.
    pub async fn waiting_behind(&self, id: &DeploymentId) -> Result<Vec<DeploymentId>, StoreError> {
        let sql = "SELECT o.id FROM deployments d JOIN deployments o ON o.group_id = d.group_id \
                   WHERE d.id = $1 AND o.completed IS NULL AND o.exclusive = 0 \
                   AND o.queue IS NOT NULL ORDER BY o.created, o.id";
        let rows = self.query(sql, params![id]).await?;
        rows.into_iter().map(|mut row| row.parsed("a deployment id")).collect()
    }

    /// Where a deployment stands among those that wait; none: it does not wait.
    ///
    /// # Errors
    /// The database failed.
    pub async fn line(&self, id: &DeploymentId) -> Result<Option<Line>, StoreError> {
        let mut answers = self.read(line(id).into()).await?.into_iter();
        read_line(answers.next().unwrap_or_default(), answers.next().unwrap_or_default())
    }

    /// Writes down that a deployment is to stop. Asking again changes nothing, but for a rollback asked for later.
    ///
    /// # Errors
    /// The database failed.
    pub async fn request_stop(
        &self,
        id: &DeploymentId,
        intent: &StopIntent,
    ) -> Result<StopRequest, StoreError> {
        let statements = vec![
            timeline::of_the_wish_to_roll_back(id, intent),
            Statement::new(
                "UPDATE deployments SET version = version + 1, stop_requested = $2, \
                 stop_principal = $3, stop_roll_back = $4 \
                 WHERE id = $1 AND completed IS NULL AND stop_requested IS NULL",
                params![id, intent.requested, &intent.principal, intent.roll_back],
            ),
            Statement::new(
                "UPDATE deployments SET version = version + 1, stop_roll_back = 1 \
                 WHERE id = $1 AND completed IS NULL AND stop_requested IS NOT NULL \
                 AND COALESCE(stop_roll_back, 0) = 0 AND CAST($2 AS BIGINT) = 1",
                params![id, intent.roll_back.unwrap_or(false)],
            ),
            timeline::of_the_stop(id, intent),
            Statement::new("SELECT completed FROM deployments WHERE id = $1", params![id]),
            Statement::new(
                "SELECT COUNT(*) FROM host_commands \
                 WHERE deployment_id = $1 AND closed IS NULL AND completed IS NULL",
                params![id],
            ),
        ];
        let batch = Batch::of(statements).waking(vec![Change::Deployment(id.clone())]);
        let mut outcomes = self.write(batch).await?.done()?;
        let (Some(in_flight), Some(state)) = (outcomes.pop(), outcomes.pop()) else {
            return Err(StoreError::Unmet { statement: 0 });
        };
        let Some(mut row) = state.rows.into_iter().next() else { return Ok(StopRequest::Unknown) };
        if row.optional_int()?.is_some() {
            return Ok(StopRequest::AlreadyOver);
        }
        let in_flight =
            in_flight.rows.into_iter().next().map_or(Ok(0), |mut row| row.unsigned())?;
        Ok(StopRequest::Stopping { in_flight })
    }
}

/// Source: CodeDeploy user guide; a single instance launched by Auto Scaling is deployed to beside the others.
pub(crate) const fn takes_the_groups_place(creator: Creator) -> bool {
    match creator {
        Creator::User | Creator::Rollback | Creator::AutoUpdate => true,
        Creator::AutoScaling | Creator::AutoScalingTermination => false,
    }
}

fn creation(new: &NewDeployment, waiting: Vec<DeploymentId>) -> Batch {
    let looking = waiting.into_iter().chain([new.id.clone()]).map(Change::Deployment);
    Batch::of(create(new)).waking(looking.collect())
}

/// Makes the deployment, if its group is there and has no other that is not over. The first statement is unmet
/// without the group.
pub(crate) fn create(new: &NewDeployment) -> Vec<Statement> {
    // The service's own words, for a revision that nobody registered before.
    let described = format!("Application revision registered by Deployment ID: {}", new.id);
    let known =
        revisions::register(&new.application_id, &new.revision, Some(&described), new.created);
    vec![
        // Held, so that a group deleted at the same time sees this deployment.
        Statement::new(
            "SELECT id FROM deployment_groups WHERE id = $1 AND application_id = $2 FOR UPDATE",
            params![&new.group_id, &new.application_id],
        )
        .expecting(1),
        insert(new).expecting(1),
        Statement { sql: format!("{} ON CONFLICT DO NOTHING", known.sql).into(), ..known },
        timeline::of_the_creation(new),
        notices::of_the_creation(new),
    ]
}

fn insert(new: &NewDeployment) -> Statement {
    // The unique index on active deployments is what makes one of two callers lose.
    Statement::new(
        "INSERT INTO deployments (id, region, application_id, application_name, group_id, \
         group_name, config_name, minimum_healthy, revision, creator, exclusive, description, \
         ignore_application_stop_failures, options, version, status, created, roll_back_on, \
         alarms, rolls_back, zonal, messages, queue, sequence, \
         previous_revision) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 1, $15, $16, $17, $18, $19, \
         $20, $21, $22, $23, \
         (SELECT last_successful_revision FROM deployment_groups WHERE id = $5)) \
         ON CONFLICT DO NOTHING",
        params![
            &new.id,
            &new.region,
            &new.application_id,
            &new.application_name,
            &new.group_id,
            &new.group_name,
            &new.config_name,
            codec::write_minimum_healthy(new.minimum_healthy),
            codec::write_revision(&new.revision),
            new.creator.name(),
            // One that may wait takes the place when it is its turn.
            takes_the_groups_place(new.creator) && new.queue.is_none(),
            new.description.as_deref(),
            new.ignore_application_stop_failures,
            &new.options,
            DeploymentStatus::Created.name(),
            new.created,
            codec::write_rollback_events(&new.roll_back_on),
            new.alarms.as_ref().map(alarms::write_watch),
            new.rolls_back.as_ref(),
            new.zonal.map(codec::write_zonal),
            codec::write_messages(&new.messages),
            new.queue.map(QueuePolicy::name),
            new.sequence,
        ],
    )
}

/// The line that a deployment stands in: who has the place, and who waits, itself among them. Nobody waits in the line of
/// one that does not wait.
pub(crate) fn line(id: &DeploymentId) -> [Query; 2] {
    let of = |which: &str| {
        // Each by an index of its own: a group's history may be long.
        let sql = format!(
            "SELECT d.queue, o.id, o.queue, CASE WHEN (o.created, o.id) < (d.created, d.id) THEN -1 \
             WHEN o.id = d.id THEN 0 ELSE 1 END \
             FROM deployments d JOIN deployments o \
             ON o.group_id = (SELECT group_id FROM deployments WHERE id = $1) \
             WHERE d.id = $1 AND d.completed IS NULL AND d.exclusive = 0 AND d.queue IS NOT NULL \
             AND o.completed IS NULL AND {which}"
        );
        Query::new(sql, params![id])
    };
    [of("o.exclusive = 1"), of("o.exclusive = 0 ORDER BY o.created, o.id")]
}

pub(crate) fn read_line(holders: Vec<Row>, waiting: Vec<Row>) -> Result<Option<Line>, StoreError> {
    let mut found: Option<Line> = None;
    for mut row in waiting {
        let policy = row.named(QueuePolicy::from_name, "a way of waiting")?;
        let empty = || Line { policy, holder: None, older: Vec::new(), newer: Vec::new() };
        let line = found.get_or_insert_with(empty);
        let id = row.parsed("a deployment id")?;
        match (row.optional_text()?, row.int()?) {
            (Some(_), order) if order < 0 => line.older.push(id),
            (Some(_), order) if order > 0 => line.newer.push(id),
            // Itself, or one that needs no place.
            (Some(_) | None, _) => {}
        }
    }
    if let (Some(line), Some(mut row)) = (&mut found, holders.into_iter().next()) {
        let _own = row.text()?;
        let (id, queue, order) = (row.parsed("a deployment id")?, row.optional_text()?, row.int()?);
        line.holder = Some(Holder { id, overtook: queue.is_some() && order > 0 });
    }
    Ok(found)
}

/// Gives a deployment that waits its group's place, unless another has it.
pub(crate) fn take_place(id: &DeploymentId) -> [Statement; 2] {
    [
        // Held, as by whoever makes a deployment.
        Statement::new(
            "SELECT id FROM deployment_groups \
             WHERE id = (SELECT group_id FROM deployments WHERE id = $1) FOR UPDATE",
            params![id],
        )
        .expecting(1),
        Statement::new(
            "UPDATE deployments SET exclusive = 1 WHERE id = $1 AND NOT EXISTS \
             (SELECT 1 FROM deployments o \
             WHERE o.group_id = (SELECT group_id FROM deployments WHERE id = $1) \
             AND o.completed IS NULL AND o.exclusive = 1)",
            params![id],
        )
        .expecting(1),
    ]
}

fn list(filter: &DeploymentFilter, after: Option<Cursor>, limit: u32) -> Query {
    let mut params: Vec<Value> = Vec::new();
    let mut bind = |value: Value| {
        params.push(value);
        params.len()
    };
    let mut sql = match &filter.group {
        Some(group) => {
            format!("SELECT created, id FROM deployments WHERE group_id = ${}", bind(group.into()))
        }
        None => {
            let region = bind((&filter.region).into());
            format!("SELECT created, id FROM deployments WHERE region = ${region}")
        }
    };
    if let Some(after) = after {
        let (number, text) = (bind(after.number.into()), bind(after.text.into()));
        sql += &format!(" AND (created, id) < (${number}, ${text})");
    }
    if let Some(from) = filter.created_from {
        sql += &format!(" AND created >= ${}", bind(from.into()));
    }
    if let Some(to) = filter.created_to {
        sql += &format!(" AND created <= ${}", bind(to.into()));
    }
    if !filter.statuses.is_empty() {
        let names: Vec<String> = filter
            .statuses
            .iter()
            .map(|status| format!("${}", bind(status.name().into())))
            .collect();
        sql += &format!(" AND status IN ({})", names.join(", "));
    }
    let limit = bind((i64::from(limit) + 1).into());
    sql += &format!(" ORDER BY created DESC, id DESC LIMIT ${limit}");
    Query::new(sql, params)
}

/// Reads what the planner knows of the deployment `$1`.
/// The deployment's row, for [`read_whole`].
pub(crate) fn record_query(id: &DeploymentId) -> Query {
    Query::new(format!("SELECT {STATE}, {REST} FROM deployments WHERE id = $1"), params![id])
}

/// A deployment from its row and the answer to [`overview`].
pub(crate) fn read_whole(mut row: Row, counts: Vec<Row>) -> Result<DeploymentRecord, StoreError> {
    let state = read_state(&mut row)?;
    let overview = read_overview(counts)?;
    let known = state.started.is_some() || overview != Overview::default();
    read_record(state, row, known.then_some(overview))
}

pub(crate) fn state_query() -> String {
    format!("SELECT {STATE} FROM deployments WHERE id = $1")
}

pub(crate) fn read_state(row: &mut Row) -> Result<rollout::Deployment, StoreError> {
    Ok(rollout::Deployment {
        id: row.parsed("a deployment id")?,
        version: row.unsigned()?,
        status: row.named(DeploymentStatus::from_name, "a deployment's status")?,
        created: row.time()?,
        started: row.optional_time()?,
        completed: row.optional_time()?,
        error: read_error(row)?,
        minimum_healthy: codec::read_minimum_healthy(&row.text()?)?,
        ignore_application_stop_failures: row.truth()?,
        stop: read_stop(row)?,
        orphaned: row.optional_text()?.map(|code| error_code(&code)).transpose()?,
        creator: row.named(Creator::from_name, "a creator")?,
        roll_back_on: codec::read_rollback_events(&row.text()?)?,
        rollback: row.optional_text()?.map(|by| codec::read_rollback(&by)).transpose()?,
        sequence: read_sequence(row)?,
        zonal: row.optional_text()?.map(|zonal| codec::read_zonal(&zonal)).transpose()?,
        messages: codec::read_messages(&row.text()?)?,
        alarms: alarms::read(row)?,
    })
}

/// A sequence number, if there is one.
pub(crate) fn read_sequence(row: &mut Row) -> Result<Option<u64>, StoreError> {
    Ok(row.optional_int()?.and_then(|number| u64::try_from(number).ok()))
}

fn read_error(row: &mut Row) -> Result<Option<ErrorInformation>, StoreError> {
    let (code, message) = (row.optional_text()?, row.optional_text()?);
    let Some(code) = code else { return Ok(None) };
    let message = message.unwrap_or_default();
    Ok(Some(ErrorInformation { code: error_code(&code)?, message }))
}

fn error_code(name: &str) -> Result<ErrorCode, StoreError> {
    ErrorCode::from_name(name).ok_or_else(|| StoreError::corrupt(name, "an error code"))
}

fn read_stop(row: &mut Row) -> Result<Option<StopIntent>, StoreError> {
    let (requested, principal) = (row.optional_time()?, row.optional_text()?);
    let roll_back = row.optional_int()?.map(|wanted| wanted != 0);
    Ok(requested.map(|requested| StopIntent {
        requested,
        principal: principal.unwrap_or_default(),
        roll_back,
    }))
}

pub(crate) fn read_record(
    state: rollout::Deployment,
    mut row: Row,
    overview: Option<Overview>,
) -> Result<DeploymentRecord, StoreError> {
    Ok(DeploymentRecord {
        state,
        region: row.text()?,
        application_id: ApplicationId::new(row.text()?),
        application_name: row.parsed("an application's name")?,
        group_id: DeploymentGroupId::new(row.text()?),
        group_name: row.parsed("a deployment group's name")?,
        config_name: row.parsed("a deployment configuration's name")?,
        revision: codec::read_revision(&row.text()?)?,
        previous_revision: codec::read_optional_revision(row.optional_text()?.as_deref())?,
        description: row.optional_text()?,
        options: row.text()?,
        rolls_back: row.optional_parsed("a deployment id")?,
        overview,
    })
}

pub(crate) fn overview(id: &DeploymentId) -> Query {
    Query::new(
        "SELECT status, COUNT(*) FROM targets WHERE deployment_id = $1 GROUP BY status",
        params![id],
    )
}

pub(crate) fn read_overview(rows: Vec<Row>) -> Result<Overview, StoreError> {
    let mut overview = Overview::default();
    for mut row in rows {
        let counted = match row.named(TargetStatus::from_name, "a target's status")? {
            TargetStatus::Pending => &mut overview.pending,
            TargetStatus::InProgress => &mut overview.in_progress,
            TargetStatus::Ready => &mut overview.ready,
            TargetStatus::Succeeded => &mut overview.succeeded,
            TargetStatus::Failed => &mut overview.failed,
            TargetStatus::Skipped => &mut overview.skipped,
        };
        *counted = row.unsigned()?;
    }
    Ok(overview)
}
