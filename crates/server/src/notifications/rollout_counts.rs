//! What became of deployments, in the text form that Prometheus reads: verdicts, and how long lifecycle events took.
//!
//! Counted where notices are turned into deliveries: each is so by one server, and once.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use model::{EventState, Target, TargetStatus};
use store::{Happened, Notice};

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

#[derive(Debug, Default)]
struct Histogram {
    /// Durations of at most each bound, and not of the bound before.
    buckets: [u64; BOUNDS.len()],
    count: u64,
    seconds: f64,
}

impl Histogram {
    fn observe(&mut self, duration: Duration) {
        let seconds = duration.as_secs_f64();
        if let Some(bucket) = BOUNDS.iter().position(|bound| seconds <= *bound) {
            self.buckets[bucket] += 1;
        }
        self.count += 1;
        self.seconds += seconds;
    }
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
            let mut so_far = 0;
            for (bound, count) in BOUNDS.iter().zip(histogram.buckets) {
                so_far += count;
                let _ = writeln!(
                    text,
                    "longshore_event_seconds_bucket{{{labels},le=\"{bound}\"}} {so_far}"
                );
            }
            let Histogram { count, seconds, .. } = histogram;
            let _ = writeln!(
                text,
                "longshore_event_seconds_bucket{{{labels},le=\"+Inf\"}} {count}\n\
                 longshore_event_seconds_sum{{{labels}}} {seconds}\n\
                 longshore_event_seconds_count{{{labels}}} {count}"
            );
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
            self.events.entry((event.name.name(), status)).or_default().observe(duration);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_add_up() {
        let counts = RolloutCounts::default();
        let mut histogram = Histogram::default();
        for millis in [5, 700, 5_000_000] {
            histogram.observe(Duration::from_millis(millis));
        }
        counts.lock().events.insert(("Install", "Succeeded"), histogram);
        let text = counts.text();
        let labels = "event=\"Install\",status=\"Succeeded\"";
        for (bound, count) in [("0.01", 1), ("0.5", 1), ("1", 2), ("3600", 2), ("+Inf", 3)] {
            let line =
                format!("longshore_event_seconds_bucket{{{labels},le=\"{bound}\"}} {count}\n");
            assert!(text.contains(&line), "{line}{text}");
        }
        assert!(text.contains(&format!("longshore_event_seconds_count{{{labels}}} 3\n")));
    }
}
