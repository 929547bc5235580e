//! What became of deployments, in the text form that Prometheus reads: verdicts, and how long lifecycle events took.
//!
//! Counted where notices are turned into deliveries: each is so by one server, and once.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};

use model::{EventState, Target, TargetStatus};
use store::{Happened, Notice};

use crate::histogram::Histogram;

/// Upper bounds of the histogram, in seconds: from a hook that does nothing to one that runs into its hour.
const BOUNDS: [f64; 12] =
    [0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 1800.0, 3600.0];

/// Verdicts and durations of this server since it was started.
#[derive(Debug, Default)]
pub struct RolloutCounts(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    ended: BTreeMap<&'static str, u64>,
    events: BTreeMap<(&'static str, &'static str), Histogram>,
}

impl RolloutCounts {
    /// Counts what notices tell.
    pub fn count(&self, notices: &[Notice]) {
        let mut counts = self.lock();
        for notice in notices {
            match &notice.what {
                Happened::Deployment(status) if status.is_over() => {
                    *counts.ended.entry(status.name()).or_default() += 1;
                }
                Happened::Target(target)
                    if matches!(target.status, TargetStatus::Succeeded | TargetStatus::Failed) =>
                {
                    counts.events_of(target);
                }
                Happened::Created | Happened::Deployment(_) | Happened::Target(_) => {}
            }
        }
    }

    /// Every counter, one a line.
    pub fn text(&self) -> String {
        let counts = self.lock();
        let mut text = String::from(
            "# HELP longshore_deployments_ended_total Deployments that ended, by status.\n\
             # TYPE longshore_deployments_ended_total counter\n",
        );
        for status in ["Succeeded", "Failed", "Stopped"] {
            let count = counts.ended.get(status).copied().unwrap_or_default();
            let _ =
                writeln!(text, "longshore_deployments_ended_total{{status=\"{status}\"}} {count}");
        }
        text.push_str(
            "# HELP longshore_event_seconds How long lifecycle events took, from dispatch to report.\n\
             # TYPE longshore_event_seconds histogram\n",
        );
        for ((event, status), histogram) in &counts.events {
            let labels = format!("event=\"{event}\",status=\"{status}\"");
            histogram.write(&mut text, "longshore_event_seconds", &labels);
        }
        text
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    fn events_of(&mut self, target: &Target) {
        for event in &target.events {
            let (status, duration) = match &event.state {
                EventState::Succeeded { started, ended } => ("Succeeded", ended.since(*started)),
                EventState::Failed { started, ended, .. } => ("Failed", ended.since(*started)),
                EventState::Pending
                | EventState::InProgress { .. }
                | EventState::Skipped { .. } => continue,
            };
            let of = (event.name.name(), status);
            let histogram = self.events.entry(of).or_insert_with(|| Histogram::new(&BOUNDS));
            histogram.observe(duration);
        }
    }
}
