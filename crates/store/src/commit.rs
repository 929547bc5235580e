//! Committing a plan: by compare-and-set on the deployment's version, whole or not at all, only what changed.

use std::collections::BTreeSet;

use model::{DeploymentId, DeploymentStatus, EventState, Target, Timestamp};
use rollout::{Action, Decision, HostCommand, Limits, Verdict, WaitingOn};

use crate::changes::Change;
use crate::engine::{Batch, Statement, Value, Written, params};
use crate::error::StoreError;
use crate::{NewDeployment, Store, codec, deployments, health, notices, room, targets, timeline};

/// What became of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Commit {
    /// It holds, durably.
    Done,
    /// Somebody else moved the deployment meanwhile: look again.
    Stale,
}

/// A plan, as far as it is to be written down.
#[derive(Debug, Clone, Copy)]
pub struct Planned<'a> {
    /// When it was made.
    pub at: Timestamp,
    pub actions: &'a [Action],
    /// Why they happen.
    pub decisions: &'a [Decision],
    /// Reasons for waiting that the timeline does not tell yet.
    pub waiting: &'a [WaitingOn],
    /// What the verdict says rolls the deployment back, under the id that it names.
    pub rollback: Option<&'a NewDeployment>,
    /// What may be under way at once, for a deployment that begins; absent: anything.
    pub limits: Option<Limits>,
}

impl<'a> Planned<'a> {
    /// Actions that nothing more is told of.
    pub fn acting(at: Timestamp, actions: &'a [Action]) -> Self {
        Self { at, actions, decisions: &[], waiting: &[], rollback: None, limits: None }
    }
}

impl Store {
    /// Makes the actions true if the deployment still has the `version` that they were planned on, and tells why. No
    /// actions: the version stays, and only reasons for waiting are told.
    ///
    /// # Errors
    /// The database failed; nothing of the plan holds.
    pub async fn commit(
        &self,
        id: &DeploymentId,
        version: u64,
        planned: &Planned<'_>,
    ) -> Result<Commit, StoreError> {
        if planned.actions.is_empty() {
            return self.tell_reasons(id, version, planned).await;
        }
        let mut statements = statements(id, version, planned);
        let mut wakes = wakes(id, planned.actions);
        if let Some(rollback) = planned.rollback {
            // After the end of this deployment, which frees the group's place.
            statements.extend(deployments::create(rollback));
            wakes.push(Change::Deployment(rollback.id.clone()));
        }
        match self.write(Batch::of(statements).waking(wakes)).await? {
            Written::Done(_) => return Ok(Commit::Done),
            Written::Unmet { statement: 0 } => {}
            Written::Unmet { .. } => self.plan_anew(id, version).await?,
        }
        Ok(Commit::Stale)
    }

    /// A deployment that was moved meanwhile waits for something else by now: then nothing is told.
    async fn tell_reasons(
        &self,
        id: &DeploymentId,
        version: u64,
        planned: &Planned<'_>,
    ) -> Result<Commit, StoreError> {
        if !planned.waiting.is_empty() {
            let reasons = planned.waiting.iter();
            let told = reasons.map(|why| timeline::of_a_reason(id, version, planned.at, why));
            self.write(Batch::of(told.collect())).await?.done()?;
        }
        Ok(Commit::Done)
    }

    /// The rollback could not be made: its group was deleted just now, or another deployment has its id. The next
    /// version derives another one. Or what was free is taken: the group's place, or the account's room.
    async fn plan_anew(&self, id: &DeploymentId, version: u64) -> Result<(), StoreError> {
        let bump = Statement::new(
            "UPDATE deployments SET version = version + 1 WHERE id = $1 AND version = $2",
            params![id, version],
        );
        self.write(Batch::of(vec![bump])).await?.done().map(drop)
    }
}

fn wakes(id: &DeploymentId, actions: &[Action]) -> Vec<Change> {
    let hosts = actions.iter().filter_map(|action| match action {
        Action::Dispatch(command) => Some(Change::Host(command.host_identifier.clone())),
        Action::Start { .. }
        | Action::Refuse { .. }
        | Action::UpdateTarget(_)
        | Action::Note(_)
        | Action::Queue
        | Action::TakePlace
        | Action::Bake
        | Action::Resume
        | Action::Finish(_) => None,
    });
    hosts.chain([Change::Committed(id.clone())]).collect()
}

fn statements(id: &DeploymentId, version: u64, planned: &Planned<'_>) -> Vec<Statement> {
    let Planned { at, actions, decisions, waiting, limits, .. } = *planned;
    // First and expected: everything after it is for the winner only.
    let mut statements = vec![compare_and_set(id, version, actions).expecting(1)];
    let mut noticed = 0;
    for action in actions {
        let notices = notices::of_an_action(id, version + 1, noticed, action);
        noticed += notices.len();
        statements.extend(notices);
        match action {
            Action::Start { at, targets } => {
                statements.extend(
                    limits.into_iter().flat_map(|limits| room::has_room(id, targets.len(), limits)),
                );
                statements.extend(start(id, *at, targets));
            }
            Action::Refuse { targets, verdict } => {
                statements.extend(replace_targets(id, targets));
                statements.extend(finish(id, verdict));
            }
            Action::Dispatch(command) => statements.push(dispatch(id, command)),
            Action::UpdateTarget(target) => statements.extend(update(id, target)),
            Action::Finish(verdict) => statements.extend(finish(id, verdict)),
            Action::TakePlace => statements.extend(deployments::take_place(id)),
            // In the deployment's own row.
            Action::Note(_) | Action::Queue | Action::Bake | Action::Resume => {}
        }
    }
    let decisions = decisions.iter().enumerate();
    statements.extend(
        decisions.map(|(place, why)| timeline::of_a_decision(id, version + 1, place, at, why)),
    );
    let waiting = waiting.iter();
    statements.extend(waiting.map(|why| timeline::of_a_reason(id, version + 1, at, why)));
    statements
}

/// The deployment's own row after all the actions.
fn compare_and_set(id: &DeploymentId, version: u64, actions: &[Action]) -> Statement {
    let (mut status, mut started) = (None, None);
    let mut messages = BTreeSet::new();
    let mut verdict: Option<&Verdict> = None;
    for action in actions {
        match action {
            Action::Start { at, .. } => {
                status = Some(DeploymentStatus::InProgress);
                started = Some(*at);
            }
            Action::Refuse { verdict: end, .. } | Action::Finish(end) => {
                status = Some(end.status);
                verdict = Some(end);
            }
            Action::Queue => status = Some(DeploymentStatus::Queued),
            Action::TakePlace => status = Some(DeploymentStatus::Created),
            Action::Bake => status = Some(DeploymentStatus::Baking),
            Action::Resume => status = Some(DeploymentStatus::InProgress),
            Action::Note(message) => {
                messages.insert(*message);
            }
            Action::Dispatch(_) | Action::UpdateTarget(_) => {}
        }
    }
    let error = verdict.and_then(|verdict| verdict.error.as_ref());
    Statement::new(
        "UPDATE deployments SET version = version + 1, status = COALESCE($3, status), \
         started = COALESCE($4, started), completed = COALESCE($5, completed), \
         error_code = COALESCE($6, error_code), error_message = COALESCE($7, error_message), \
         rolled_back_by = COALESCE($8, rolled_back_by), \
         messages = CASE WHEN $9 = '' THEN messages ELSE messages || ' ' || $9 END \
         WHERE id = $1 AND version = $2",
        params![
            id,
            version,
            status.map(DeploymentStatus::name),
            started,
            verdict.map(|verdict| verdict.at),
            error.map(|error| error.code.name()),
            error.map(|error| &error.message),
            verdict.and_then(|verdict| verdict.rollback.as_ref()).map(codec::write_rollback),
            codec::write_messages(&messages)
        ],
    )
}

fn start(id: &DeploymentId, at: Timestamp, targets: &[Target]) -> Vec<Statement> {
    let mut statements = replace_targets(id, targets);
    statements.push(Statement::new(
        "UPDATE deployment_groups SET target_revision = \
         (SELECT revision FROM deployments WHERE id = $1), last_attempted_deployment = $1 \
         WHERE id = (SELECT group_id FROM deployments WHERE id = $1 AND exclusive = 1)",
        params![id],
    ));
    statements.push(Statement::new(
        "UPDATE revisions SET last_used = $2, \
         first_used = CASE WHEN first_used = 0 THEN $2 ELSE first_used END \
         WHERE application_id = (SELECT application_id FROM deployments WHERE id = $1) \
         AND location = (SELECT revision FROM deployments WHERE id = $1)",
        params![id, at],
    ));
    statements
}

fn replace_targets(id: &DeploymentId, targets: &[Target]) -> Vec<Statement> {
    let mut statements =
        vec![Statement::new("DELETE FROM targets WHERE deployment_id = $1", params![id])];
    statements.extend(targets.iter().map(|target| targets::insert(id, target)));
    statements
}

fn dispatch(id: &DeploymentId, command: &HostCommand) -> Statement {
    // Its id is derived from what it orders: ordering the same again is no second order.
    Statement::new(
        "INSERT INTO host_commands (id, deployment_id, target_id, host_identifier, event, dispatched) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
        params![
            &command.id,
            id,
            &command.target,
            &command.host_identifier,
            command.event.name(),
            command.dispatched
        ],
    )
}

/// Replaces a target and closes those of its commands whose events are no longer in progress.
fn update(id: &DeploymentId, target: &Target) -> [Statement; 2] {
    let mut sql = "UPDATE host_commands SET closed = $3, freed = COALESCE(freed, $3) \
                   WHERE deployment_id = $1 AND target_id = $2 AND closed IS NULL"
        .to_owned();
    let mut params = params![id, &target.id, target.last_updated];
    for event in &target.events {
        if let EventState::InProgress { command, .. } = &event.state {
            params.push(Value::from(command));
            sql += &format!(" AND id <> ${}", params.len());
        }
    }
    [targets::update(id, target), Statement::new(sql, params)]
}

fn finish(id: &DeploymentId, verdict: &Verdict) -> Vec<Statement> {
    let mut statements = vec![Statement::new(
        "UPDATE host_commands SET closed = $2, freed = COALESCE(freed, $2) \
         WHERE deployment_id = $1 AND closed IS NULL",
        params![id, verdict.at],
    )];
    statements.extend(health::after(id, verdict));
    statements.push(Statement::new(
        "UPDATE deployment_groups SET last_attempted_deployment = $1 \
         WHERE id = (SELECT group_id FROM deployments WHERE id = $1 AND exclusive = 1)",
        params![id],
    ));
    if verdict.status == DeploymentStatus::Succeeded {
        statements.push(Statement::new(
            "UPDATE deployment_groups SET last_successful_deployment = $1, \
             last_successful_revision = (SELECT revision FROM deployments WHERE id = $1) \
             WHERE id = (SELECT group_id FROM deployments WHERE id = $1 AND exclusive = 1)",
            params![id],
        ));
    }
    statements
}
