//! What hosts are asked about a deployment that may be made, and what they answer.
//!
//! A host is told of a plan once, when it polls; of what it answers the first counts. A plan that nobody reads any more is
//! thrown away by one of the next.

use std::time::Duration;

use model::{TargetId, Timestamp};

use crate::Store;
use crate::changes::Change;
use crate::engine::{Batch, Query, Row, Statement, params};
use crate::error::StoreError;

/// How long a plan can be read after answers are taken no more.
const READABLE: Duration = Duration::from_secs(3600);

/// Hosts that are to be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewHostPlan {
    pub id: String,
    pub region: String,
    /// Names, not ids: a plan is no reason to keep what it is about.
    pub application: String,
    pub group: String,
    pub created: Timestamp,
    /// Answers are taken until then.
    pub expires: Timestamp,
    /// What the hosts are told, in a form that is the server's own.
    pub question: String,
    /// In the order in which they are shown.
    pub hosts: Vec<AskedHost>,
}

/// A host that is to be asked, or cannot be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedHost {
    pub target: TargetId,
    pub identifier: String,
    /// Why it is not asked; absent: it is.
    pub unasked: Option<String>,
}

/// What hosts are asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPlan {
    pub id: String,
    pub region: String,
    pub application: String,
    pub group: String,
    /// Answers are taken until then.
    pub expires: Timestamp,
    pub question: String,
}

/// What is known of a host's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPlanAnswer {
    /// Its place among the plan's hosts, from 0.
    pub position: u64,
    pub target: TargetId,
    pub state: AnswerState,
}

/// How far a host is with its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnswerState {
    /// It is not asked, for this reason.
    Unasked(String),
    /// It did not poll yet.
    Waiting,
    /// It was told, and has not answered.
    Asked,
    /// Its answer in short, in a form that is the server's own.
    Answered(String),
}

const PLAN: &str = "p.id, p.region, p.application, p.deployment_group, p.expires, p.question";
const ANSWER: &str = "position, target_id, unasked, asked, summary";

impl Store {
    /// Adds a plan and wakes its hosts, unless the region has `most` already whose hosts may still answer. Whether it did.
    ///
    /// # Errors
    /// The database failed.
    pub async fn add_host_plan(&self, plan: &NewHostPlan, most: u64) -> Result<bool, StoreError> {
        let forgotten = plan.created - READABLE;
        let insert = Statement::new(
            "INSERT INTO host_plans (id, region, application, deployment_group, expires, question) \
             SELECT $1, $2, $3, $4, $5, $6 WHERE \
             (SELECT COUNT(*) FROM host_plans WHERE region = $2 AND expires > $7) < $8",
            params![
                &plan.id,
                &plan.region,
                &plan.application,
                &plan.group,
                plan.expires,
                &plan.question,
                plan.created,
                most
            ],
        );
        let mut statements = vec![
            Statement::new(
                "DELETE FROM host_plan_answers WHERE plan_id IN \
                 (SELECT id FROM host_plans WHERE expires < $1)",
                params![forgotten],
            ),
            Statement::new("DELETE FROM host_plans WHERE expires < $1", params![forgotten]),
            insert.expecting(1),
        ];
        statements.extend((0_u64..).zip(&plan.hosts).map(|(position, host)| {
            Statement::new(
                "INSERT INTO host_plan_answers (plan_id, position, target_id, host_identifier, unasked) \
                 VALUES ($1, $2, $3, $4, $5)",
                params![&plan.id, position, &host.target, &host.identifier, host.unasked.as_ref()],
            )
        }));
        let asked = plan.hosts.iter().filter(|host| host.unasked.is_none());
        let wakes = asked.map(|host| Change::Host(host.identifier.clone())).collect();
        Ok(self.write(Batch::of(statements).waking(wakes)).await?.is_done())
    }

    /// The plan with that id.
    ///
    /// # Errors
    /// The database failed.
    pub async fn host_plan(&self, id: &str) -> Result<Option<HostPlan>, StoreError> {
        let sql = format!("SELECT {PLAN} FROM host_plans p WHERE p.id = $1");
        self.query_one(sql, params![id]).await?.map(read_plan).transpose()
    }

    /// A plan of which a host is to be told, if there is one at `now`; from then on it was told.
    ///
    /// # Errors
    /// The database failed.
    pub async fn take_host_plan(
        &self,
        host_identifier: &str,
        now: Timestamp,
    ) -> Result<Option<HostPlan>, StoreError> {
        let sql = format!(
            "SELECT {PLAN} FROM host_plan_answers a JOIN host_plans p ON p.id = a.plan_id \
             WHERE a.host_identifier = $1 AND a.asked IS NULL AND a.unasked IS NULL AND p.expires > $2 LIMIT 1"
        );
        let found = self.query_one(sql, params![host_identifier, now]).await?;
        let Some(plan) = found.map(read_plan).transpose()? else { return Ok(None) };
        let take = Statement::new(
            "UPDATE host_plan_answers SET asked = $3 \
             WHERE plan_id = $1 AND host_identifier = $2 AND asked IS NULL AND unasked IS NULL",
            params![&plan.id, host_identifier, now],
        );
        // Another poll of the host may have been faster.
        let taken = self.write(Batch::of(vec![take.expecting(1)])).await?.is_done();
        Ok(taken.then_some(plan))
    }

    /// Writes down what a host that was told answers at `now`. `false`: it answered before, too late, or was not told.
    ///
    /// # Errors
    /// The database failed.
    pub async fn answer_host_plan(
        &self,
        id: &str,
        host_identifier: &str,
        now: Timestamp,
        summary: &str,
        files: &str,
    ) -> Result<bool, StoreError> {
        let answer = Statement::new(
            "UPDATE host_plan_answers SET answered = $3, summary = $4, files = $5 \
             WHERE plan_id = $1 AND host_identifier = $2 AND asked IS NOT NULL AND answered IS NULL \
             AND EXISTS (SELECT 1 FROM host_plans p WHERE p.id = $1 AND p.expires > $3)",
            params![id, host_identifier, now, summary, files],
        );
        Ok(self.write(Batch::of(vec![answer.expecting(1)])).await?.is_done())
    }

    /// At most `most` of a plan's hosts from a position on, and how many of all its hosts have not answered that could.
    ///
    /// # Errors
    /// The database failed.
    pub async fn host_plan_answers(
        &self,
        id: &str,
        from: u64,
        most: u32,
    ) -> Result<(Vec<HostPlanAnswer>, u64), StoreError> {
        let page = Query::new(
            format!(
                "SELECT {ANSWER} FROM host_plan_answers \
                 WHERE plan_id = $1 AND position >= $2 ORDER BY position LIMIT $3"
            ),
            params![id, from, most],
        );
        let missing = Query::new(
            "SELECT COUNT(*) FROM host_plan_answers \
             WHERE plan_id = $1 AND unasked IS NULL AND answered IS NULL",
            params![id],
        );
        let mut answers = self.read(vec![page, missing]).await?.into_iter();
        let mut next = || answers.next().unwrap_or_default();
        let page = next().into_iter().map(read_answer).collect::<Result<_, _>>()?;
        let missing = next().into_iter().next().map_or(Ok(0), |mut row| row.unsigned())?;
        Ok((page, missing))
    }

    /// One host of a plan, and what it answered about single files.
    ///
    /// # Errors
    /// The database failed.
    pub async fn host_plan_answer(
        &self,
        id: &str,
        target: &TargetId,
    ) -> Result<Option<(HostPlanAnswer, Option<String>)>, StoreError> {
        let sql = format!(
            "SELECT files, {ANSWER} FROM host_plan_answers WHERE plan_id = $1 AND target_id = $2"
        );
        let found = self.query_one(sql, params![id, target]).await?;
        found
            .map(|mut row| {
                let files = row.optional_text()?;
                Ok((read_answer(row)?, files))
            })
            .transpose()
    }
}

fn read_plan(mut row: Row) -> Result<HostPlan, StoreError> {
    Ok(HostPlan {
        id: row.text()?,
        region: row.text()?,
        application: row.text()?,
        group: row.text()?,
        expires: row.time()?,
        question: row.text()?,
    })
}

fn read_answer(mut row: Row) -> Result<HostPlanAnswer, StoreError> {
    let (position, target) = (row.unsigned()?, TargetId::new(row.text()?));
    let (unasked, asked, summary) =
        (row.optional_text()?, row.optional_time()?, row.optional_text()?);
    let state = match (unasked, asked, summary) {
        (Some(reason), _, _) => AnswerState::Unasked(reason),
        (None, _, Some(summary)) => AnswerState::Answered(summary),
        (None, Some(_), None) => AnswerState::Asked,
        (None, None, None) => AnswerState::Waiting,
    };
    Ok(HostPlanAnswer { position, target, state })
}
