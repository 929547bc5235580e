//! Moves deployments forward: look, plan, commit, wake, and forget.
//!
//! Each unfinished deployment has one task here that makes a pass whenever something may have changed. A
//! wake-up during a pass is remembered and leads to one more pass, so that at most one is in flight however many
//! hosts report. A crash loses nothing: on start, and now and then afterwards, every unfinished deployment is looked
//! at again.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use model::{Creator, DeploymentId, Timestamp};
use rollout::{Action, Decision, Limits, Plan, Room, Rule, Snapshot, WaitingOn};
use store::{Change, Commit, NewDeployment, Planned, Store};
use tokio::sync::Notify;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::app::{Failure, rollbacks};
use crate::clock::Clock;
use crate::inventory::Inventory;
use crate::trace;
use crate::wake::HostBells;

/// The longest that a deployment is left alone. Wake-ups may be lost (another server's, a crash), this is not.
const SWEEP: Duration = Duration::from_secs(30);

/// How long a deployment that does not move is remembered between passes: a large one takes megabytes.
const REMEMBERED: Duration = Duration::from_secs(10);

/// Pauses after a failed pass: the first, and the longest.
const RETRY_FIRST: Duration = Duration::from_millis(250);
const RETRY_LONGEST: Duration = Duration::from_secs(15);

/// Moves deployments forward. Clones share one state.
#[derive(Clone)]
pub struct Driver(Arc<Shared>);

struct Shared {
    store: Store,
    clock: Clock,
    bells: Arc<HostBells>,
    inventory: Inventory,
    limits: AccountLimits,
    stopping: CancellationToken,
    running: Mutex<HashMap<DeploymentId, Arc<Running>>>,
}

/// A deployment that has a task here.
#[derive(Default)]
struct Running {
    /// Keeps one ring while nobody listens: that is the dirty flag.
    bell: Notify,
    waiting: Mutex<Arc<Vec<WaitingOn>>>,
}

/// What a deployment's task keeps from one pass for the next.
#[derive(Default)]
struct Memory {
    /// The deployment as it was last seen; absent: it is to be read whole.
    seen: Option<Snapshot>,
    /// When it last moved.
    moved: Timestamp,
    /// Why nothing more happened; its timeline tells that already.
    waiting: Arc<Vec<WaitingOn>>,
}

/// What may be under way at once in each region; further deployments wait.
/// Source: CodeDeploy quotas; each region has limits of its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AccountLimits {
    /// Deployments; absent: as many as the service allows.
    pub deployments: Option<NonZeroU32>,
    /// Hosts in all of them; absent: as many as the service allows.
    pub hosts: Option<NonZeroU32>,
}

impl AccountLimits {
    const DEPLOYMENTS: u32 = 1_000;
    const HOSTS: u32 = 1_000;
    const HOSTS_IN_THE_LARGEST_REGION: u32 = 3_000;
    const LARGEST_REGION: &str = "us-east-1";

    /// The limits of a region.
    pub fn of(self, region: &str) -> Limits {
        let hosts = if region == Self::LARGEST_REGION {
            Self::HOSTS_IN_THE_LARGEST_REGION
        } else {
            Self::HOSTS
        };
        Limits {
            deployments: self.deployments.map_or(Self::DEPLOYMENTS, NonZeroU32::get),
            hosts: self.hosts.map_or(hosts, NonZeroU32::get),
        }
    }
}

/// What one pass found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The deployment has ended, or is unknown.
    Over,
    /// Nothing more happens until somebody reports, or until this time.
    Waiting(Option<Timestamp>),
}

impl Driver {
    /// A driver of the deployments in `store`; it does nothing until it is woken.
    pub fn new(
        store: Store,
        clock: Clock,
        bells: Arc<HostBells>,
        inventory: Inventory,
        limits: AccountLimits,
        stopping: CancellationToken,
    ) -> Self {
        let running = Mutex::default();
        Self(Arc::new(Shared { store, clock, bells, inventory, limits, stopping, running }))
    }

    /// Something about the deployment may have changed: look at it again, soon and at least once.
    pub fn wake(&self, id: &DeploymentId) {
        match self.running().entry(id.clone()) {
            Entry::Occupied(running) => running.get().bell.notify_one(),
            Entry::Vacant(vacant) => {
                let running = Arc::clone(vacant.insert(Arc::default()));
                tokio::spawn(self.clone().drive(id.clone(), running));
            }
        }
    }

    /// Follows what the store says has changed, and looks at every unfinished deployment now and then, beginning
    /// now, until the server stops.
    pub async fn run(self) {
        let mut changes = self.0.store.changes();
        self.look_at_everything().await;
        let mut sweep = tokio::time::interval(SWEEP);
        sweep.reset();
        loop {
            tokio::select! {
                change = changes.recv() => match change {
                    Ok(Change::Deployment(id)) => self.wake(&id),
                    Ok(Change::Host(host)) => self.0.bells.ring(&host),
                    Ok(Change::Documents(kind)) if Inventory::is_about_hosts(&kind) => self.wake_running(),
                    Ok(Change::Committed(_) | Change::Output(_) | Change::Documents(_)) => {}
                    Ok(Change::Everything) | Err(RecvError::Lagged(_)) => self.look_at_everything().await,
                    Err(RecvError::Closed) => return,
                },
                _ = sweep.tick() => self.look_at_everything().await,
                () = self.0.stopping.cancelled() => return,
            }
        }
    }

    /// Wake-ups may have been lost: every parked poll and every unfinished deployment looks again.
    async fn look_at_everything(&self) {
        self.0.inventory.forget();
        self.0.bells.ring_all();
        match self.0.store.unfinished_deployments().await {
            Ok(unfinished) => unfinished.iter().for_each(|id| self.wake(id)),
            Err(error) => {
                tracing::error!(
                    error = chain(&error),
                    "unfinished deployments could not be listed"
                );
            }
        }
    }

    /// Hosts came or went: whoever deploys to them looks again.
    fn wake_running(&self) {
        self.0.inventory.forget();
        self.running().values().for_each(|running| running.bell.notify_one());
    }

    /// Why nothing more happens to the deployment right now, as of the last pass of this server.
    pub fn waiting(&self, id: &DeploymentId) -> Vec<WaitingOn> {
        let running = self.running().get(id).cloned();
        running.map_or_else(Vec::new, |running| lock(&running.waiting).to_vec())
    }

    async fn drive(self, id: DeploymentId, running: Arc<Running>) {
        let mut retry = RETRY_FIRST;
        let mut memory = Memory::default();
        loop {
            let pass = self.pass(&id, &running, &mut memory).instrument(trace::pass(&id));
            let look_again = match pass.await {
                Ok(Progress::Over) => break,
                Ok(Progress::Waiting(wake_at)) => {
                    retry = RETRY_FIRST;
                    let sweep = self.0.clock.now() + SWEEP;
                    wake_at.map_or(sweep, |wake_at| wake_at.min(sweep))
                }
                Err(error) => {
                    tracing::error!(deployment = %id, error = chain(&error), "a deployment could not be advanced");
                    let pause = retry;
                    retry = (retry * 2).min(RETRY_LONGEST);
                    tokio::time::sleep(pause).await;
                    continue;
                }
            };
            tokio::select! {
                () = running.bell.notified() => {}
                () = self.0.clock.sleep_until(look_again) => {}
                () = self.0.stopping.cancelled() => return,
            }
        }
        // Whoever rings from now on starts a new task, which finds the same end.
        self.running().remove(&id);
    }

    async fn pass(
        &self,
        id: &DeploymentId,
        running: &Running,
        memory: &mut Memory,
    ) -> Result<Progress, Failure> {
        let progress = self.advance(id, memory).await?;
        *lock(&running.waiting) = Arc::clone(&memory.waiting);
        if self.0.clock.now().since(memory.moved) > REMEMBERED {
            memory.seen = None;
        }
        Ok(progress)
    }

    /// Moves one deployment as far forward as it goes now. Safe to call at any time, twice, or after a crash.
    async fn advance(&self, id: &DeploymentId, memory: &mut Memory) -> Result<Progress, Failure> {
        loop {
            let Some(mut seen) = self.look(id, memory).await? else { return Ok(Progress::Over) };
            if seen.deployment.status.is_over() {
                return Ok(Progress::Over);
            }
            self.0.inventory.complete(&mut seen).await?;
            seen.room = self.room(&seen.deployment).await?;
            let now = self.0.clock.now();
            let plan = rollout::plan(&seen, now);
            let rollback = self.rollback(&seen, &plan).await?;
            let told: HashSet<&WaitingOn> = memory.waiting.iter().collect();
            let new: Vec<&WaitingOn> =
                plan.waiting.iter().filter(|why| !told.contains(why)).collect();
            let news: Vec<WaitingOn> =
                new.iter().filter(|why| why.is_worth_telling()).map(|why| (*why).clone()).collect();
            let planned = Planned {
                at: now,
                actions: &plan.actions,
                decisions: &plan.decisions,
                waiting: &news,
                rollback: rollback.as_ref(),
                limits: seen.room.map(|room| room.limits),
            };
            let committed = self.0.store.commit(id, seen.deployment.version, &planned).await?;
            // Of what the commit changed, the next look learns from the store, as of everybody else's.
            memory.seen = Some(seen);
            match committed {
                Commit::Done => report(&plan, &new),
                // Someone else moved it: look again.
                Commit::Stale => continue,
            }
            let over = plan.actions.iter().any(ends);
            if over || plan.actions.contains(&Action::TakePlace) {
                self.wake_waiting(id).await?;
            }
            if over || plan.actions.iter().any(starts) {
                self.wake_next_for_room(id).await?;
            }
            if !plan.actions.is_empty() {
                memory.moved = now;
            }
            memory.waiting = Arc::new(plan.waiting);
            if over {
                return Ok(Progress::Over);
            }
            // What keeps the hosts of targets busy is looked up when these are begun, and so is not known yet.
            if !plan.decisions.iter().any(begins) {
                return Ok(Progress::Waiting(plan.wake_at));
            }
        }
    }

    /// The deployment as it is now, by what is remembered of it.
    async fn look(
        &self,
        id: &DeploymentId,
        memory: &mut Memory,
    ) -> Result<Option<Snapshot>, Failure> {
        Ok(match memory.seen.take() {
            Some(earlier) => self.0.store.snapshot_since(earlier).await?,
            None => self.0.store.snapshot(id).await?,
        })
    }

    /// The line for a group's place moved: each that stands in it looks again.
    async fn wake_waiting(&self, id: &DeploymentId) -> Result<(), Failure> {
        let waiting = self.0.store.waiting_behind(id).await?;
        waiting.iter().filter(|other| *other != id).for_each(|other| self.wake(other));
        Ok(())
    }

    /// What else is under way, and how much may be; asked only of a deployment that may have to wait for it.
    async fn room(&self, deployment: &rollout::Deployment) -> Result<Option<Room>, Failure> {
        if deployment.status.has_started() || deployment.creator == Creator::Rollback {
            return Ok(None);
        }
        let usage = self.0.store.usage(&deployment.id).await?;
        Ok(usage.map(|usage| usage.within(self.0.limits.of(&usage.region))))
    }

    /// The line for room moved, or there is more of it: the next looks again, and wakes the one after it when it begins.
    async fn wake_next_for_room(&self, id: &DeploymentId) -> Result<(), Failure> {
        let next = self.0.store.next_for_room(id).await?;
        next.iter().for_each(|next| self.wake(next));
        Ok(())
    }

    /// The rollback that the plan makes, whole.
    async fn rollback(
        &self,
        seen: &Snapshot,
        plan: &Plan,
    ) -> Result<Option<NewDeployment>, Failure> {
        match plan.rollback() {
            Some(id) => rollbacks::of(&self.0.store, seen, id, self.0.clock.now()).await.map(Some),
            None => Ok(None),
        }
    }

    fn running(&self) -> MutexGuard<'_, HashMap<DeploymentId, Arc<Running>>> {
        lock(&self.0.running)
    }
}

/// Whether nothing happens to the deployment after this.
fn ends(action: &Action) -> bool {
    match action {
        Action::Finish(_) | Action::Refuse { .. } => true,
        Action::Start { .. }
        | Action::Dispatch(_)
        | Action::UpdateTarget(_)
        | Action::Note(_)
        | Action::Queue
        | Action::TakePlace
        | Action::Bake
        | Action::Resume => false,
    }
}

/// Whether the deployment begins.
fn starts(action: &Action) -> bool {
    matches!(action, Action::Start { .. })
}

/// Whether a target is begun.
fn begins(decision: &Decision) -> bool {
    matches!(decision.rule, Rule::Begin { .. })
}

/// Reasons of one pass that are written to the log: in a large fleet hundreds of hosts wait for the same.
const REASONS_LOGGED: usize = 3;

/// Says what happens to the deployment, and what it waits for since this pass.
fn report(plan: &Plan, new: &[&WaitingOn]) {
    for reason in new.iter().take(REASONS_LOGGED) {
        tracing::info!(%reason, "waiting");
    }
    for action in &plan.actions {
        match action {
            Action::Start { targets, .. } => {
                tracing::info!(targets = targets.len(), "started");
            }
            Action::Dispatch(command) => {
                tracing::info!(host = %command.target, event = %command.event, "dispatched");
            }
            Action::Refuse { .. } => tracing::info!("refused before it began"),
            Action::Note(message) => tracing::info!(%message, "noted"),
            Action::Queue => tracing::info!("waits for its turn"),
            Action::TakePlace => tracing::info!("takes its group's place"),
            Action::Bake => tracing::info!("pauses before the next zone"),
            Action::Resume => tracing::info!("goes on with the next zone"),
            Action::UpdateTarget(_) => {}
            Action::Finish(verdict) => {
                tracing::info!(status = verdict.status.name(), "finished");
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The error with its causes, for the log.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limits_are_the_services_unless_others_are_set() {
        let usual = AccountLimits::default();
        assert_eq!(usual.of("eu-west-1"), Limits { deployments: 1_000, hosts: 1_000 });
        assert_eq!(usual.of("us-east-1"), Limits { deployments: 1_000, hosts: 3_000 });
        let set = AccountLimits { deployments: NonZeroU32::new(2), hosts: NonZeroU32::new(9_000) };
        assert_eq!(set.of("us-east-1"), Limits { deployments: 2, hosts: 9_000 });
    }
}
