//! What happened to a deployment and why: facts that were written down, decisions of the planner, reasons for waiting.
//!
//! Each row says it in words, for operators, and by the name of a rule and its inputs, for programs: from these a
//! deployment can be [replayed](rollout::replay).

use model::{DeploymentId, TargetId, Timestamp};
use rollout::{AlarmFinding, Decision, Input, StopIntent, WaitingOn};

use crate::codec;
use crate::deployments::NewDeployment;
use crate::engine::{Query, Row, Statement, params};
use crate::error::StoreError;
use crate::page::Cursor;
use crate::{Page, Store};

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelineEntry {
    /// Its place: the deployment's version that it tells of, and its rank among what is told of that one.
    pub place: (i64, i64),
    pub at: Timestamp,
    pub kind: EntryKind,
    /// Whom it concerns; absent: the deployment as a whole.
    pub target: Option<TargetId>,
    /// The name of the rule or fact; empty in rows from before there were rules.
    pub rule: String,
    /// What the rule was applied to.
    pub inputs: Vec<(String, Input)>,
    pub what: String,
}

/// What a row of the timeline tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// Something that the planner had to take as it was.
    Fact,
    /// Something that the planner decided.
    Decision,
    /// Why nothing more happened.
    Waiting,
}

impl EntryKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Fact, Self::Decision, Self::Waiting];

    /// The name under which it is kept and shown.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fact => "Fact",
            Self::Decision => "Decision",
            Self::Waiting => "Waiting",
        }
    }

    /// The kind that has this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl Store {
    /// What happened to a deployment, oldest first; with a `target`, only to that one and to the deployment as a whole.
    ///
    /// # Errors
    /// The database failed, or `after` is no place in such a listing.
    pub async fn timeline(
        &self,
        id: &DeploymentId,
        target: Option<&TargetId>,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Page<TimelineEntry>, StoreError> {
        let (version, position) = match after.map(Cursor::read).transpose()? {
            None => (0i64, 0i64),
            Some(cursor) => {
                (cursor.number, cursor.text.parse().map_err(|_| StoreError::Cursor(cursor.text))?)
            }
        };
        let sql = "SELECT version, position, at, kind, target_id, rule, inputs, what FROM timeline \
                   WHERE deployment_id = $1 AND (version, position) > ($2, $3) \
                   AND (CAST($5 AS TEXT) IS NULL OR target_id IS NULL OR target_id = $5) \
                   ORDER BY version, position LIMIT $4";
        let params = params![id, version, position, i64::from(limit) + 1, target];
        let rows = self.query(sql, params).await?;
        let found = rows.into_iter().map(read_entry).collect::<Result<Vec<_>, _>>()?;
        Ok(Page::of(found, limit, |last: &TimelineEntry| {
            let (version, position) = last.place;
            Cursor::write(version, &position.to_string())
        }))
    }
}

pub(crate) fn read_entry(mut row: Row) -> Result<TimelineEntry, StoreError> {
    let place = (row.int()?, row.int()?);
    let at = row.time()?;
    let kind = row.named(EntryKind::from_name, "a kind of timeline entry")?;
    let target = row.optional_text()?.map(TargetId::new);
    let (rule, inputs) = (row.text()?, codec::read_inputs(&row.text()?)?);
    Ok(TimelineEntry { place, at, kind, target, rule, inputs, what: row.text()? })
}

/// A fact about a deployment as a whole: its name, its inputs, and the same in words.
pub(crate) struct Fact {
    pub rule: &'static str,
    pub inputs: Vec<(&'static str, Input)>,
    pub what: String,
}

impl Fact {
    /// Tells the fact in the version that the statement before made, of the deployments that `condition` holds for.
    /// The condition's parameters are `$1` to `$n`.
    pub fn told(
        self,
        at: Timestamp,
        version: &str,
        condition: &str,
        mut params: Vec<crate::engine::Value>,
    ) -> Statement {
        let n = params.len();
        params.extend(params![at, self.rule, codec::write_inputs(&self.inputs), self.what]);
        Statement::new(
            format!(
                "INSERT INTO timeline (deployment_id, version, position, at, kind, rule, inputs, what) \
                 SELECT id, {version}, 0, CAST(${} AS BIGINT), 'Fact', ${}, ${}, ${} FROM deployments \
                 WHERE {condition} ON CONFLICT DO NOTHING",
                n + 1,
                n + 2,
                n + 3,
                n + 4
            ),
            params,
        )
    }
}

fn text(text: &impl ToString) -> Input {
    Input::Text(text.to_string())
}

/// What happened to a deployment last, newest first.
pub(crate) fn newest(id: &DeploymentId, limit: u32) -> Query {
    Query::new(
        "SELECT version, position, at, kind, target_id, rule, inputs, what FROM timeline \
         WHERE deployment_id = $1 \
         ORDER BY version DESC, position DESC LIMIT $2",
        params![id, limit],
    )
}

pub(crate) fn of_the_creation(new: &NewDeployment) -> Statement {
    let fact = Fact {
        rule: "Create",
        inputs: vec![("creator", text(&new.creator.name())), ("revision", text(&new.revision))],
        what: format!("created by {} to deploy {}", new.creator.name(), new.revision),
    };
    fact.told(new.created, "1", "id = $1", params![&new.id])
}

/// Tells of the stop if it was just written down; a repeated wish finds another time there.
pub(crate) fn of_the_stop(id: &DeploymentId, intent: &StopIntent) -> Statement {
    let roll_back = match intent.roll_back {
        None => "as configured",
        Some(true) => "yes",
        Some(false) => "no",
    };
    let fact = Fact {
        rule: "RequestStop",
        inputs: vec![("principal", text(&intent.principal)), ("rollBack", text(&roll_back))],
        what: format!("stop requested by {}", intent.principal),
    };
    let condition = "id = $1 AND completed IS NULL AND stop_requested = $2 \
                     AND NOT EXISTS (SELECT 1 FROM timeline t \
                     WHERE t.deployment_id = $1 AND t.at = $2 AND t.rule = 'RequestStop')";
    fact.told(intent.requested, "version", condition, params![id, intent.requested])
}

/// Tells that a rollback is asked for of a deployment that is stopping already, before that is written down.
pub(crate) fn of_the_wish_to_roll_back(id: &DeploymentId, intent: &StopIntent) -> Statement {
    let fact = Fact {
        rule: "RequestRollback",
        inputs: vec![("principal", text(&intent.principal))],
        what: format!("rollback requested by {}", intent.principal),
    };
    let condition = "id = $1 AND completed IS NULL AND stop_requested IS NOT NULL \
                     AND COALESCE(stop_roll_back, 0) = 0 AND CAST($2 AS BIGINT) = 1";
    let params = params![id, intent.roll_back.unwrap_or(false)];
    fact.told(intent.requested, "version + 1", condition, params)
}

/// Tells of alarms that stop the deployment, in the batch that writes them down.
pub(crate) fn of_an_alarm(id: &DeploymentId, finding: &AlarmFinding, at: Timestamp) -> Statement {
    let (names, state, what) = match finding {
        AlarmFinding::Active(names) => (names, "ALARM", "in ALARM"),
        AlarmFinding::Unreadable(names) => (names, "UNREADABLE", "alarms that could not be read"),
    };
    let fact = Fact {
        rule: "RaiseAlarm",
        inputs: vec![("names", Input::Texts(names.clone())), ("state", text(&state))],
        what: format!("{what}: {}", names.join(", ")),
    };
    fact.told(at, "version", "id = $1", params![id])
}

/// Tells it in the timelines of the deployments that were just orphaned.
pub(crate) fn of_orphans(owner: &str, id: &str, what: &str, at: Timestamp) -> Statement {
    let fact = Fact { rule: "Orphan", inputs: Vec::new(), what: what.to_owned() };
    let condition = format!("{owner} = $1 AND completed IS NULL AND orphaned IS NOT NULL");
    fact.told(at, "version", &condition, params![id])
}

/// The decision at `position` of the commit that makes `version`.
pub(crate) fn of_a_decision(
    id: &DeploymentId,
    version: u64,
    position: usize,
    at: Timestamp,
    Decision { target, rule }: &Decision,
) -> Statement {
    Statement::new(
        "INSERT INTO timeline (deployment_id, version, position, at, kind, target_id, rule, inputs, what) \
         VALUES ($1, $2, $3, $4, 'Decision', $5, $6, $7, $8)",
        params![
            id,
            version,
            i64::try_from(position).unwrap_or(i64::MAX),
            at,
            target.as_ref(),
            rule.name(),
            codec::write_inputs(&rule.inputs()),
            rule.to_string(),
        ],
    )
}

/// A reason for waiting, at the end of what is told of `version`, unless it is told there already.
pub(crate) fn of_a_reason(
    id: &DeploymentId,
    version: u64,
    at: Timestamp,
    reason: &WaitingOn,
) -> Statement {
    Statement::new(
        "INSERT INTO timeline (deployment_id, version, position, at, kind, target_id, rule, inputs, what) \
         SELECT d.id, d.version, \
         (SELECT COALESCE(MAX(t.position), -1) + 1 FROM timeline t \
         WHERE t.deployment_id = $1 AND t.version = $2), \
         CAST($3 AS BIGINT), 'Waiting', $4, $5, $6, $7 FROM deployments d \
         WHERE d.id = $1 AND d.version = $2 AND d.completed IS NULL \
         AND NOT EXISTS (SELECT 1 FROM timeline t WHERE t.deployment_id = $1 AND t.version = $2 \
         AND t.rule = $5 AND t.what = $7) ON CONFLICT DO NOTHING",
        params![
            id,
            version,
            at,
            reason.target(),
            reason.name(),
            codec::write_inputs(&reason.inputs()),
            reason.to_string(),
        ],
    )
}
