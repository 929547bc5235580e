//! Alarms of running deployments, and where their states come from besides CloudWatch.
//!
//! [`AlarmWatcher`] reads the alarms of deployments while these run. [`SourceKeeper`] keeps the states of alarms whose
//! source is a Prometheus query or an HTTP check; Alertmanager tells by itself, through `alertmanager`. An alarm with a
//! source is an alarm like any other: `crate::cloudwatch` shows it.

mod watcher;

pub(crate) mod api;
mod check;
mod hook;
mod prometheus;
mod source;
mod source_keeper;
mod state;

pub(crate) use hook::{HookError, alertmanager};
pub(crate) use source::{AlarmSource, KIND as SOURCE_KIND};
pub use source_keeper::SourceKeeper;
pub use watcher::{AlarmWatcher, POLL_INTERVAL};
