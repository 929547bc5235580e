//! The planner: given what has been observed and the time, what should happen next to a deployment?
//!
//! One module per question; each is pure. This crate does no I/O and cannot see a clock: the server looks, asks
//! [`plan`], commits the answer, wakes whoever must act, and forgets. It may crash between any two lines and simply
//! look again, because planning is safe at any time: the same snapshot gives the same plan, and planning again right
//! after applying a plan gives no actions.

pub mod action;
pub mod decision;
pub mod replay;
pub mod snapshot;

mod in_place;

mod forecast;

mod queue;

mod room;

mod start;

mod events;

mod health;

mod zones;

mod deadlines;

mod stop;

mod alarms;

mod rollback;

mod draft;

#[cfg(test)]
mod table;

pub use action::{Action, HostCommand, Plan, Verdict, WaitingOn};
pub use alarms::FIRST_READING_LIMIT;
pub use deadlines::{DEPLOYMENT_LIMIT, EVENT_LIMIT, PICKUP_LIMIT};
pub use decision::{Decision, Input, Rule};
pub use forecast::{Batch, Forecast, forecast};
pub use health::allowed_out_of_service;
pub use replay::Replay;
pub use snapshot::{
    AlarmFinding, AlarmWatch, Busy, Candidate, Completion, Deployment, HealthClass, Holder,
    HostFacts, Limits, Line, Members, Presence, RaisedAlarm, Report, Rollback, Room, Snapshot,
    StopIntent,
};
pub use start::TARGETS_MAX;

use model::Timestamp;

/// What should happen next to the deployment that was `seen`, at the time `now`.
///
/// Safe to call at any time, twice, or after a crash. With no actions and the deployment not over,
/// [`Plan::waiting`] says why.
pub fn plan(seen: &Snapshot, now: Timestamp) -> Plan {
    if seen.deployment.status.is_over() {
        return Plan::default();
    }
    // The clock of this server may be behind that of the one that wrote the row: nothing ends before it began.
    let now = now.max(seen.deployment.started.unwrap_or(seen.deployment.created));
    in_place::plan(seen, now)
}
