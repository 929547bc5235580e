//! A plan in the making: the targets as they will be, and what it takes to get there.

use std::borrow::Cow;

use model::{
    DeploymentStatus, Diagnostics, ErrorInformation, Event, EventState, HostCommandId,
    LifecycleEvent, StatusMessage, Target, TargetStatus, Timestamp,
};

use crate::action::{Action, HostCommand, Plan, Verdict, WaitingOn};
use crate::decision::{Decision, Rule, TargetEnd};
use crate::snapshot::{Busy, HostFacts, Presence, Snapshot};
use crate::{health, rollback};

/// The steps of a plan read `seen`, change `targets` and note the rest; nothing else is kept between them.
pub struct Draft<'a> {
    pub seen: &'a Snapshot,
    pub now: Timestamp,
    /// Borrowed until it is changed: most passes move one target of many.
    pub targets: Vec<Cow<'a, Target>>,
    pub waiting: Vec<WaitingOn>,
    commands: Vec<HostCommand>,
    decisions: Vec<Decision>,
    changes: Vec<Action>,
    takes_place: bool,
    started: bool,
    refused: bool,
    verdict: Option<Verdict>,
    wake_at: Option<Timestamp>,
}

impl<'a> Draft<'a> {
    pub fn of(seen: &'a Snapshot, now: Timestamp) -> Self {
        Self {
            seen,
            now,
            targets: seen.targets.iter().map(Cow::Borrowed).collect(),
            waiting: Vec::new(),
            commands: Vec::new(),
            decisions: Vec::new(),
            changes: Vec::new(),
            takes_place: false,
            started: false,
            refused: false,
            verdict: None,
            wake_at: None,
        }
    }

    /// Changes the deployment as a whole.
    pub fn act(&mut self, change: Action) {
        self.changes.push(change);
    }

    /// Whether the deployment pauses between zones, after what this plan has changed so far.
    pub fn is_baking(&self) -> bool {
        let turned = self.changes.iter().rev().find_map(|change| match change {
            Action::Bake => Some(true),
            Action::Resume => Some(false),
            Action::Start { .. }
            | Action::Refuse { .. }
            | Action::Dispatch(_)
            | Action::Note(_)
            | Action::Queue
            | Action::TakePlace
            | Action::UpdateTarget(_)
            | Action::Finish(_) => None,
        });
        turned.unwrap_or(self.seen.deployment.status == DeploymentStatus::Baking)
    }

    /// Takes the group's single place out of the line of those that wait.
    pub fn take_place(&mut self) {
        self.takes_place = true;
    }

    /// Whether this plan takes it.
    pub fn takes_place(&self) -> bool {
        self.takes_place
    }

    /// Notes what goes otherwise than asked.
    pub fn note(&mut self, message: StatusMessage) {
        self.decide(Rule::Note { message });
        self.act(Action::Note(message));
    }

    /// Notes a decision about the deployment as a whole.
    pub fn decide(&mut self, rule: Rule) {
        self.decisions.push(Decision::overall(rule));
    }

    /// Notes a decision about the target at `index`.
    pub fn decide_on(&mut self, index: usize, rule: Rule) {
        self.decisions.push(Decision::on(&self.targets[index].id, rule));
    }

    /// Begins with these targets.
    pub fn start(&mut self, targets: Vec<Target>) {
        self.targets = targets.into_iter().map(Cow::Owned).collect();
        self.started = true;
    }

    /// Ends the deployment before it began; the targets are recorded as skipped.
    pub fn refuse(
        &mut self,
        targets: Vec<Target>,
        status: DeploymentStatus,
        error: ErrorInformation,
    ) {
        self.targets = targets.into_iter().map(Cow::Owned).collect();
        self.refused = true;
        self.decide(Rule::Refuse {
            targets: self.targets.iter().map(|target| target.id.clone()).collect(),
            events: self.event_names(),
            status,
            code: Some(error.code),
        });
        self.verdict = Some(Verdict { at: self.now, status, error: Some(error), rollback: None });
    }

    /// Ends the deployment that had begun, and makes its rollback if one follows.
    pub fn finish(&mut self, status: DeploymentStatus, error: Option<ErrorInformation>) {
        self.decide(Rule::Finish {
            status,
            code: error.as_ref().map(|error| error.code),
            succeeded: self.count(TargetStatus::Succeeded),
            failed: self.count(TargetStatus::Failed),
            skipped: self.count(TargetStatus::Skipped),
            minimum: health::minimum(self),
        });
        let rollback = rollback::after(self, status);
        self.verdict = Some(Verdict { at: self.now, status, error, rollback });
    }

    /// The lifecycle events of the targets, which are the same for each.
    pub fn event_names(&self) -> Vec<LifecycleEvent> {
        let first = self.targets.first();
        first.map_or_else(Vec::new, |target| target.events.iter().map(|event| event.name).collect())
    }

    /// Asks to be planned again at `at`, if nothing happens earlier.
    pub fn wake_at(&mut self, at: Timestamp) {
        self.wake_at = Some(self.wake_at.map_or(at, |earlier| earlier.min(at)));
    }

    /// When the deployment left the queue, which may be now.
    pub fn began(&self) -> Timestamp {
        self.seen.deployment.started.unwrap_or(self.now)
    }

    pub fn count(&self, status: TargetStatus) -> u32 {
        let count = self.targets.iter().filter(|target| target.status == status).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    pub fn facts(&self, index: usize) -> HostFacts {
        self.seen.hosts.get(&self.targets[index].id).cloned().unwrap_or(HostFacts {
            presence: Presence::Present,
            busy: Busy::FreeSince(Timestamp::from_millis(i64::MIN)),
        })
    }

    /// Gives the host of a target its event number `event`.
    pub fn dispatch(&mut self, index: usize, event: usize) {
        let target = self.targets[index].to_mut();
        let name = target.events[event].name;
        // One attempt: a host that misses its event fails, and is tried again by the next deployment.
        let id = HostCommandId::derive(&self.seen.deployment.id, &target.id, name, 1);
        target.events[event].state =
            EventState::InProgress { command: id.clone(), dispatched: self.now };
        target.status = TargetStatus::InProgress;
        target.last_updated = self.now;
        self.decisions.push(Decision::on(&target.id, Rule::Dispatch { event: name }));
        self.commands.push(HostCommand {
            id,
            target: target.id.clone(),
            host_identifier: target.host_identifier.clone(),
            event: name,
            dispatched: self.now,
        });
    }

    /// Ends the target at `index`, and tells why.
    pub fn end_target(&mut self, index: usize, status: TargetStatus, because: TargetEnd) {
        self.decide_on(index, Rule::EndTarget { status, because });
        self.close_target(index, status);
    }

    fn close_target(&mut self, index: usize, status: TargetStatus) {
        let now = self.now;
        let target = self.targets[index].to_mut();
        for event in &mut target.events {
            if event.state == EventState::Pending {
                event.state = EventState::Skipped { ended: now };
            }
        }
        target.status = status;
        target.last_updated = now;
    }

    /// Records that targets which never started never will.
    pub fn skip_pending(&mut self) {
        let mut spared = Vec::new();
        for index in 0..self.targets.len() {
            if self.targets[index].status == TargetStatus::Pending {
                self.close_target(index, TargetStatus::Skipped);
                spared.push(self.targets[index].id.clone());
            }
        }
        if !spared.is_empty() {
            self.decide(Rule::Spare { targets: spared });
        }
    }

    pub fn into_plan(self) -> Plan {
        let Self {
            targets,
            waiting,
            commands,
            decisions,
            changes,
            takes_place,
            started,
            refused,
            verdict,
            wake_at,
            ..
        } = self;
        let over = verdict.is_some();
        let whole =
            |targets: Vec<Cow<'a, Target>>| targets.into_iter().map(Cow::into_owned).collect();
        let mut actions = Vec::new();
        if takes_place {
            actions.push(Action::TakePlace);
        }
        if let (true, Some(verdict)) = (refused, &verdict) {
            actions.push(Action::Refuse { targets: whole(targets), verdict: verdict.clone() });
            return Plan { actions, decisions, waiting: Vec::new(), wake_at: None };
        }
        if started {
            actions.push(Action::Start { at: self.now, targets: whole(targets) });
        } else {
            actions.extend(targets.into_iter().filter_map(|target| match target {
                Cow::Owned(changed) => Some(Action::UpdateTarget(changed)),
                Cow::Borrowed(_) => None,
            }));
        }
        actions.extend(changes);
        actions.extend(commands.into_iter().map(Action::Dispatch));
        actions.extend(verdict.map(Action::Finish));
        if over {
            Plan { actions, decisions, ..Plan::default() }
        } else {
            Plan { actions, decisions, waiting, wake_at }
        }
    }
}

/// Ends a running event, or one that never got to run, as failed.
pub fn fail(event: &mut Event, ended: Timestamp, diagnostics: Diagnostics) {
    let started = match event.state {
        EventState::InProgress { dispatched, .. } => dispatched,
        EventState::Pending
        | EventState::Succeeded { .. }
        | EventState::Failed { .. }
        | EventState::Skipped { .. } => ended,
    };
    event.state = EventState::Failed { started, ended: ended.max(started), diagnostics };
}
