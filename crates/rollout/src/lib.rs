//! The planner: given what has been observed and the time, what should happen next to a deployment?
//!
//! One module per question; each is pure. This crate does no I/O and cannot see a clock: the server looks, asks
//! [`plan`], commits the answer, wakes whoever must act, and forgets. It may crash between any two lines and simply
//! look again, because planning is safe at any time: the same snapshot gives the same plan, and planning again right
//! after applying a plan gives no actions.

pub mod action;
pub mod snapshot;

pub use action::{Action, HostCommand, Plan, Verdict, WaitingOn};
pub use snapshot::{
    Busy, Candidate, Completion, Deployment, HealthClass, HostFacts, Members, Presence, Report,
    Snapshot, StopIntent,
};
