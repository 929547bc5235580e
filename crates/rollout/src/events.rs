//! Which lifecycle events have ended, and what their hosts do next.

use model::{Diagnostics, EventState, HostCommandId, TargetStatus, Timestamp};

use crate::action::WaitingOn;
use crate::deadlines::{self, Patience};
use crate::decision::{FailureCause, Rule, TargetEnd};
use crate::draft::{self, Draft};
use crate::snapshot::Presence;
use crate::stop;

/// How an event went.
enum Ending {
    Well(Timestamp),
    Badly(FailureCause, Timestamp, Diagnostics),
}

/// Moves every target that is in progress as far as the reports and the time allow.
pub fn settle(draft: &mut Draft) {
    for index in 0..draft.targets.len() {
        if draft.targets[index].status == TargetStatus::InProgress {
            settle_target(draft, index);
        }
    }
}

fn settle_target(draft: &mut Draft, index: usize) {
    let running = draft.targets[index]
        .events
        .iter()
        .position(|e| matches!(e.state, EventState::InProgress { .. }));
    let Some(event) = running else { return next_event(draft, index) };
    let EventState::InProgress { command, dispatched } =
        draft.targets[index].events[event].state.clone()
    else {
        return;
    };
    let name = draft.targets[index].events[event].name;
    match ending(draft, index, event, &command, dispatched) {
        None => {}
        Some(Ending::Well(ended)) => {
            let acknowledged =
                draft.seen.reports.get(&command).and_then(|heard| heard.acknowledged);
            draft.decide_on(
                index,
                Rule::EventSucceeded { event: name, acknowledged, reported: ended },
            );
            let state = EventState::Succeeded { started: dispatched, ended: ended.max(dispatched) };
            draft.targets[index].to_mut().events[event].state = state;
            next_event(draft, index);
        }
        Some(Ending::Badly(cause, ended, diagnostics)) => {
            let message = diagnostics.message.clone();
            draft.decide_on(index, Rule::EventFailed { event: name, cause, message });
            draft::fail(&mut draft.targets[index].to_mut().events[event], ended, diagnostics);
            after_failure(draft, index, event);
        }
    }
}

/// How the running event ended, if it did; otherwise notes what it waits for. A report that is there wins over any
/// deadline: it was written down before this plan was made.
fn ending(
    draft: &mut Draft,
    index: usize,
    event: usize,
    command: &HostCommandId,
    dispatched: Timestamp,
) -> Option<Ending> {
    let report = draft.seen.reports.get(command).cloned().unwrap_or_default();
    if let Some(completion) = report.completion {
        return Some(if completion.succeeded {
            Ending::Well(completion.at)
        } else {
            Ending::Badly(FailureCause::Reported, completion.at, completion.diagnostics)
        });
    }
    let facts = draft.facts(index);
    if let Presence::Gone(reason) = facts.presence {
        return Some(Ending::Badly(FailureCause::HostGone, draft.now, gone(&reason)));
    }
    let target = draft.targets[index].id.clone();
    let event = draft.targets[index].events[event].name;
    match deadlines::patience(dispatched, report.acknowledged, facts.busy) {
        Patience::Executing(until) if draft.now >= until => {
            let told = deadlines::took_too_long(event);
            Some(Ending::Badly(FailureCause::TookTooLong, draft.now, told))
        }
        Patience::Pickup(until) if draft.now >= until => {
            let told = deadlines::no_contact();
            Some(Ending::Badly(FailureCause::NotFetched, draft.now, told))
        }
        Patience::Executing(until) => {
            draft.wake_at(until);
            draft.waiting.push(WaitingOn::Host { target, event, until });
            None
        }
        Patience::Pickup(until) => {
            draft.wake_at(until);
            draft.waiting.push(WaitingOn::Pickup { target, event, until });
            None
        }
        Patience::Unbounded => {
            // The other deployment's end does not wake this one: look again in a while.
            draft.wake_at(draft.now + deadlines::BUSY_RECHECK);
            draft.waiting.push(WaitingOn::BusyHost { target });
            None
        }
    }
}

/// A failed event ends its target, unless the deployment was told to forgive the previous revision's hooks.
fn after_failure(draft: &mut Draft, index: usize, event: usize) {
    let event = draft.targets[index].events[event].name;
    let forgiven = draft.seen.deployment.ignore_application_stop_failures
        && event.belongs_to_previous_revision();
    if forgiven {
        draft.decide_on(index, Rule::Forgive { event });
        next_event(draft, index);
    } else {
        draft.end_target(index, TargetStatus::Failed, TargetEnd::AnEventFailed);
    }
}

/// Dispatches a target's next event, which starts a target that was pending, or ends it after its last one. A host
/// that is known to be gone fails at once.
pub fn next_event(draft: &mut Draft, index: usize) {
    let next =
        draft.targets[index].events.iter().position(|event| event.state == EventState::Pending);
    let Some(event) = next else {
        return draft.end_target(index, TargetStatus::Succeeded, TargetEnd::EveryEventEnded);
    };
    if stop::early_end(&draft.seen.deployment).is_some() {
        // Half-done: it has neither the old revision nor the new one.
        return draft.end_target(index, TargetStatus::Failed, TargetEnd::HalfDone);
    }
    if let Presence::Gone(reason) = draft.facts(index).presence {
        let (now, told) = (draft.now, gone(&reason));
        let name = draft.targets[index].events[event].name;
        let (cause, message) = (FailureCause::HostGone, told.message.clone());
        draft.decide_on(index, Rule::EventFailed { event: name, cause, message });
        draft::fail(&mut draft.targets[index].to_mut().events[event], now, told);
        return draft.end_target(index, TargetStatus::Failed, TargetEnd::AnEventFailed);
    }
    draft.dispatch(index, event);
    note_dispatched(draft, index, event);
}

/// What a command just dispatched waits for, so that the same plan already says so.
fn note_dispatched(draft: &mut Draft, index: usize, event: usize) {
    let target = draft.targets[index].id.clone();
    let event = draft.targets[index].events[event].name;
    match deadlines::patience(draft.now, None, draft.facts(index).busy) {
        Patience::Pickup(until) | Patience::Executing(until) => {
            draft.wake_at(until);
            draft.waiting.push(WaitingOn::Pickup { target, event, until });
        }
        Patience::Unbounded => {
            draft.wake_at(draft.now + deadlines::BUSY_RECHECK);
            draft.waiting.push(WaitingOn::BusyHost { target });
        }
    }
}

fn gone(reason: &str) -> Diagnostics {
    Diagnostics::unknown_error(format!("The host is gone: {reason}."))
}
