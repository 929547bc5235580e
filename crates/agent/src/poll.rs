//! The agent's life: waiting for host commands and seeing each through, from the first word to the last.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use wire::commands::{HostCommandInstance, HostPlanInstance};

use crate::clock;
use crate::diagnostics::Report;
use crate::executor::Executor;
use crate::host_plan::HostPlan;
use crate::journal::{Entry, Journal, Stage};
use crate::output::{self, Outbox};
use crate::service::{Acknowledged, CallError, CommandService, Work};
use crate::spec::{self, Signer, Specification, chain};

/// Commands that may run at the same time. Source: official agent.
const RUNNING_MAX: usize = 16;
/// The pause after a command that comes again while it is in hand, or that is another host's.
const UNWANTED_PAUSE: Duration = Duration::from_millis(200);
/// How long an event waits at its end for the service to take the last of its output.
const LAST_OUTPUT_PATIENCE: Duration = Duration::from_secs(5);
/// The longest pause after a poll that did not reach the service: a host that is back on the network is not kept waiting.
const UNREACHABLE_PAUSE_MAX: Duration = Duration::from_secs(15);
/// The longest pause between two tries to tell the service something that it must hear.
const REPORT_PAUSE_MAX: Duration = Duration::from_secs(30);

/// An agent at work.
#[derive(Debug)]
pub struct Agent {
    service: CommandService,
    executor: Arc<Executor>,
    signer: Signer,
    wait_between_runs: Duration,
    journal: Mutex<Journal>,
    /// Commands that a task of this process sees through.
    in_hand: Mutex<HashSet<String>>,
    /// One event at a time for each deployment group, which shares files on the host; in the order of arrival.
    groups: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
    running: Semaphore,
    /// One plan at a time.
    planning: Semaphore,
    stopping: watch::Sender<bool>,
}

/// Output on its way, and who sends it.
struct Telling {
    outbox: Outbox,
    task: JoinHandle<()>,
}

impl Telling {
    /// Waits until the service has the last of it, so that whoever reads it has all when the event is over; but not for
    /// long, for the event's end matters more. What is not sent by then is returned.
    async fn finish(mut self) -> Option<Self> {
        self.outbox.close();
        let sent = tokio::time::timeout(LAST_OUTPUT_PATIENCE, &mut self.task).await;
        if sent.is_ok() { None } else { Some(self) }
    }

    fn give_up(self) {
        tracing::warn!("the service did not take the last of the output");
        self.task.abort();
    }
}

/// A command as far as the agent needs it.
#[derive(Debug, Clone)]
struct Command {
    id: String,
    execution: String,
    event: String,
}

impl Agent {
    /// An agent.
    pub fn new(
        service: CommandService,
        executor: Executor,
        signer: Signer,
        journal: Journal,
        wait_between_runs: Duration,
    ) -> Arc<Self> {
        Arc::new(Self {
            service,
            executor: Arc::new(executor),
            signer,
            wait_between_runs,
            journal: Mutex::new(journal),
            in_hand: Mutex::default(),
            groups: Mutex::default(),
            running: Semaphore::new(RUNNING_MAX),
            planning: Semaphore::new(1),
            stopping: watch::channel(false).0,
        })
    }

    /// Works until `stop` is done; then takes no more commands, finishes those that run, for up to `patience`, and returns.
    pub async fn run(self: Arc<Self>, stop: impl Future<Output = ()>, patience: Duration) {
        self.executor.layout().clear_trackers();
        let executor = Arc::clone(&self.executor);
        // Before any command: a group's files must be one set or the other when something is done with them.
        let recovering = tokio::task::spawn_blocking(move || {
            executor.recover_installs();
            executor.forget_plans();
        });
        let _ = recovering.await;
        let mut tasks = JoinSet::new();
        self.recover(&mut tasks);
        tokio::select! {
            () = Arc::clone(&self).poll_for_ever(&mut tasks) => {}
            () = stop => {}
        }
        let _ = self.stopping.send(true);
        tracing::info!(running = tasks.len(), "stopping: no more commands are taken");
        let finished = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(patience, finished).await.is_err() {
            tracing::warn!(
                "commands still run: they will be reported as interrupted at the next start"
            );
        }
    }

    /// Takes up what an earlier life of the agent left: reports what was interrupted or not yet reported, and goes on with
    /// what had not begun.
    fn recover(self: &Arc<Self>, tasks: &mut JoinSet<()>) {
        for entry in self.journal().unfinished() {
            tracing::info!(command = entry.command, event = entry.event, stage = ?entry.stage, "left by an earlier run");
            let command =
                Command { id: entry.command, execution: entry.execution, event: entry.event };
            let report = match entry.stage {
                Stage::Received => None,
                Stage::Started => Some(Report::interrupted(&command.event)),
                Stage::Completed(report) => Some(report),
                Stage::Sent(_) => continue,
            };
            self.take_in_hand(command, report, tasks);
        }
    }

    async fn poll_for_ever(self: Arc<Self>, tasks: &mut JoinSet<()>) {
        let mut errors = 0;
        // Nobody waits for the end of these: with the polls they end too.
        let mut plans = JoinSet::new();
        loop {
            // Finished tasks are let go, so that a long life costs no memory.
            while tasks.try_join_next().is_some() || plans.try_join_next().is_some() {}
            let began = Instant::now();
            match self.service.poll().await {
                Ok(Work::Command(command)) => {
                    errors = 0;
                    if !self.received(command, tasks) {
                        // It would come again at once, and again.
                        tokio::time::sleep(self.wait_between_runs.max(UNWANTED_PAUSE)).await;
                    }
                }
                Ok(Work::Plan(plan)) => {
                    errors = 0;
                    let this = Arc::clone(&self);
                    plans.spawn(async move { this.tell_plan(plan).await });
                }
                Ok(Work::Nothing) => {
                    errors = 0;
                    tokio::time::sleep(self.wait_between_runs).await;
                }
                Err(error) => {
                    errors = (errors + 1).min(10);
                    let pause = back_off(errors, &error, began.elapsed());
                    tracing::warn!(
                        error = chain(&error),
                        pause_seconds = pause.as_secs(),
                        "the poll failed"
                    );
                    tokio::time::sleep(pause).await;
                }
            }
        }
    }

    /// Tells what a deployment that may be made would do here.
    async fn tell_plan(self: Arc<Self>, plan: HostPlanInstance) {
        let id = plan.host_plan_identifier.clone().unwrap_or_default();
        // Each fetches a bundle.
        let Ok(_turn) = self.planning.acquire().await else { return };
        tracing::info!(plan = id, "asked what a deployment would do");
        let foreseen = match spec::open_plan(&plan, &self.signer) {
            Ok(spec) => self.executor.foresee(&Arc::new(spec)).await,
            Err(error) => HostPlan::unknown(chain(&error)),
        };
        if let Err(error) = self.service.put_plan(&id, foreseen).await {
            tracing::warn!(
                plan = id,
                error = chain(&error),
                "what a deployment would do was not told"
            );
        }
    }

    /// Takes a command in hand, unless it is in hand already or none of ours; whether it was taken.
    fn received(self: &Arc<Self>, command: HostCommandInstance, tasks: &mut JoinSet<()>) -> bool {
        let own = self.service.host_identifier();
        let meant = command.host_identifier.unwrap_or_default();
        if meant.is_empty() || !own.contains(&meant) {
            tracing::error!("Host Identifier mismatch: {own} != {meant}");
            return false;
        }
        let (Some(id), Some(execution), Some(event)) = (
            command.host_command_identifier.filter(|id| !id.is_empty()),
            command.deployment_execution_id,
            command.command_name.filter(|name| !name.is_empty()),
        ) else {
            tracing::error!("a command without identifier, deployment or name is ignored");
            return false;
        };
        let known = self.journal().get(&id).map(|entry| entry.stage.clone());
        let report = match known {
            None | Some(Stage::Received) => None,
            // A task of ours sees it through, or it is being reported as interrupted.
            Some(Stage::Started) => return false,
            Some(Stage::Completed(report) | Stage::Sent(Some(report))) => Some(report),
            Some(Stage::Sent(None)) => return false,
        };
        tracing::info!(command = id, event, deployment = execution, "received");
        self.take_in_hand(Command { id, execution, event }, report, tasks)
    }

    /// Sees a command through in a task of its own, unless one does already; with a report, only tells that.
    fn take_in_hand(
        self: &Arc<Self>,
        command: Command,
        report: Option<Report>,
        tasks: &mut JoinSet<()>,
    ) -> bool {
        if !lock(&self.in_hand).insert(command.id.clone()) {
            return false;
        }
        let this = Arc::clone(self);
        tasks.spawn(async move {
            let id = command.id.clone();
            match report {
                Some(report) => this.complete(&command, report).await,
                None => this.see_through(&command).await,
            }
            lock(&this.in_hand).remove(&id);
        });
        true
    }

    async fn see_through(self: &Arc<Self>, command: &Command) {
        let Ok(_place) = self.running.acquire().await else { return };
        let prepared = self.prepare(command).await;
        let (spec, noop) = match prepared {
            Ok(Some(prepared)) => prepared,
            Ok(None) => return,
            Err(report) => return self.complete(command, *report).await,
        };
        let group = self.group(&spec.deployment_group_id);
        let done = {
            let _turn = group.lock().await;
            self.carry_out(command, &spec, noop).await
        };
        let Some((report, telling)) = done else { return };
        self.note_end(command, &report);
        let unsent = match telling {
            Some(telling) => telling.finish().await,
            None => None,
        };
        self.tell_end(command, report).await;
        // A service that was away when the event ended may be back.
        if let Some(unsent) = unsent
            && let Some(unsent) = unsent.finish().await
        {
            unsent.give_up();
        }
    }

    /// Everything before a command is begun: its specification, its check and its acknowledgement. Nothing where the command is
    /// over, or cannot be had because the agent stops; a report where it ends here.
    async fn prepare(
        self: &Arc<Self>,
        command: &Command,
    ) -> Result<Option<(Arc<Specification>, bool)>, Box<Report>> {
        let failed = |error: &dyn std::error::Error| Box::new(Report::failure(chain(error)));
        let answer = self.insist(|| self.service.specification(&command.execution)).await;
        let Some(answer) = answer else { return Ok(None) };
        let answer = answer.map_err(|error| failed(&error))?;
        let spec = spec::open(&answer, &self.signer).map_err(|error| failed(&error))?;
        let noop = self.executor.is_noop(&spec, &command.event);
        let noop = noop.map_err(|error| Box::new(error.report()))?;
        self.record(command, Stage::Received).map_err(|error| failed(&error))?;
        let answer = self.insist(|| self.service.acknowledge(&command.id, noop)).await;
        match answer {
            None => Ok(None),
            Some(Err(error)) => Err(failed(&error)),
            Some(Ok(Acknowledged::Proceed)) => Ok(Some((Arc::new(spec), noop))),
            // One that does nothing cannot have failed.
            Some(Ok(Acknowledged::Failed)) if noop => Err(Box::new(Report::completed_noop())),
            Some(Ok(Acknowledged::Over | Acknowledged::Failed)) => {
                tracing::info!(command = command.id, "over already, says the service");
                let _ = self.record(command, Stage::Sent(None));
                Ok(None)
            }
        }
    }

    async fn carry_out(
        self: &Arc<Self>,
        command: &Command,
        spec: &Arc<Specification>,
        noop: bool,
    ) -> Option<(Report, Option<Telling>)> {
        if *self.stopping.borrow() {
            // It has not begun: the next start goes on with it.
            return None;
        }
        // What does nothing may be done twice, and needs no note.
        if !noop && let Err(error) = self.record(command, Stage::Started) {
            let text = format!("the agent cannot write its journal: {error}");
            return Some((Report::failure(text), None));
        }
        let layout = self.executor.layout();
        if let Err(error) = layout.track(&spec.deployment_id, &command.id) {
            tracing::warn!(%error, "no tracker");
        }
        let telling = self.begin_to_tell(command, noop);
        let outbox = telling.as_ref().map(|telling| &telling.outbox);
        let done = self.executor.execute(spec, &command.event, outbox).await;
        layout.untrack(&spec.deployment_id);
        let report = match done {
            Ok(()) => Report::success(),
            Err(error) => {
                tracing::error!(
                    deployment = spec.deployment_id,
                    event = command.event,
                    error = chain(&error),
                    "failed"
                );
                error.report()
            }
        };
        Some((report, telling))
    }

    /// Sends the output of a command's hooks from now on, if there may be some and the service takes it.
    fn begin_to_tell(self: &Arc<Self>, command: &Command, noop: bool) -> Option<Telling> {
        if noop || !self.service.takes_output() {
            return None;
        }
        let outbox = Outbox::default();
        let (this, command, sent) = (Arc::clone(self), command.id.clone(), outbox.clone());
        let task = tokio::spawn(async move { output::send(sent, &this.service, &command).await });
        Some(Telling { outbox, task })
    }

    /// Notes how a command ended and tells the service until it has heard.
    async fn complete(&self, command: &Command, report: Report) {
        self.note_end(command, &report);
        self.tell_end(command, report).await;
    }

    fn note_end(&self, command: &Command, report: &Report) {
        if let Err(error) = self.record(command, Stage::Completed(report.clone())) {
            tracing::error!(%error, "the journal cannot be written");
        }
    }

    async fn tell_end(&self, command: &Command, report: Report) {
        let told = self.insist(|| self.service.complete(&command.id, &report)).await;
        match told {
            // The journal has it for the next start.
            None => return,
            Some(Err(error)) => {
                tracing::warn!(
                    command = command.id,
                    error = chain(&error),
                    "the service refuses the report"
                );
            }
            Some(Ok(())) => {
                tracing::info!(
                    command = command.id,
                    event = command.event,
                    code = report.error_code,
                    "reported"
                );
            }
        }
        let _ = self.record(command, Stage::Sent(Some(report)));
    }

    /// Makes a call until the service answers, one way or the other; gives up, with nothing, only when the agent stops.
    async fn insist<T, F>(&self, call: impl Fn() -> F) -> Option<Result<T, CallError>>
    where
        F: Future<Output = Result<T, CallError>>,
    {
        let mut stopping = self.stopping.subscribe();
        let mut pause = Duration::from_millis(250);
        loop {
            match call().await {
                Err(error) if error.is_passing() => {
                    tracing::warn!(
                        error = chain(&error),
                        "the service does not answer: trying again"
                    );
                }
                answered => return Some(answered),
            }
            if *stopping.borrow() {
                return None;
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = stopping.changed() => {}
            }
            pause = (pause * 2).min(REPORT_PAUSE_MAX);
        }
    }

    fn record(&self, command: &Command, stage: Stage) -> io::Result<()> {
        self.journal().record(Entry {
            command: command.id.clone(),
            execution: command.execution.clone(),
            event: command.event.clone(),
            stage,
            at: clock::now_millis(),
        })
    }

    fn journal(&self) -> MutexGuard<'_, Journal> {
        lock(&self.journal)
    }

    fn group(&self, id: &str) -> Arc<tokio::sync::Mutex<()>> {
        Arc::clone(lock(&self.groups).entry(id.to_owned()).or_default())
    }
}

/// A panic of another task leaves nothing half-changed behind these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The pause after the `errors`-th failed poll in a row. Source: official agent: 10, 13, 17, 21, 27, 34, 44, 56, 71 and 90
/// seconds, less what the poll took. A control plane that cannot be reached at all is being started anew more often than not,
/// or this host was off the network: it is tried sooner.
fn back_off(errors: i32, error: &CallError, elapsed: Duration) -> Duration {
    const FACTOR: f64 = 1.2675;
    let seconds = (FACTOR.powi(errors) * 90.0 / FACTOR.powi(10)).floor();
    let table = Duration::from_secs_f64(seconds).saturating_sub(elapsed);
    match error {
        CallError::Http(_) => {
            table.min(Duration::from_millis(250 << errors)).min(UNREACHABLE_PAUSE_MAX)
        }
        _ => table,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pauses_are_the_official_agents() {
        let refused = CallError::Refused {
            operation: "PollHostCommand",
            code: "ServerException".into(),
            message: String::new(),
            status: 500,
        };
        let pauses: Vec<u64> =
            (1..=10).map(|n| back_off(n, &refused, Duration::ZERO).as_secs()).collect();
        assert_eq!(pauses, [10, 13, 17, 21, 27, 34, 44, 56, 71, 90]);
        let unreachable = CallError::Http(crate::http::HttpError::Url {
            url: String::new(),
            reason: String::new(),
        });
        assert_eq!(back_off(1, &unreachable, Duration::ZERO), Duration::from_millis(500));
        assert_eq!(back_off(10, &unreachable, Duration::ZERO), UNREACHABLE_PAUSE_MAX);
    }
}
