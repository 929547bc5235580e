//! The alarms of deployments while these run.

mod watcher;

pub use watcher::{AlarmWatcher, POLL_INTERVAL};
