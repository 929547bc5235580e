//! Counters of deliveries, in the text form that Prometheus reads.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

/// What became of an attempt to deliver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was taken in.
    Delivered,
    /// It will be tried again.
    Failed,
    /// It was given up.
    Dead,
}

/// Attempts of this server since it was started.
#[derive(Debug, Default)]
pub struct DeliveryCounts {
    delivered: AtomicU64,
    failed: AtomicU64,
    dead: AtomicU64,
}

impl DeliveryCounts {
    /// Counts one attempt.
    pub fn count(&self, outcome: Outcome) {
        let counter = match outcome {
            Outcome::Delivered => &self.delivered,
            Outcome::Failed => &self.failed,
            Outcome::Dead => &self.dead,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Every counter, one a line.
    pub fn text(&self) -> String {
        let mut text = String::from(
            "# HELP longshore_deliveries_total Attempts to deliver notifications.\n# TYPE longshore_deliveries_total counter\n",
        );
        let counters =
            [("delivered", &self.delivered), ("failed", &self.failed), ("dead", &self.dead)];
        for (outcome, counter) in counters {
            let count = counter.load(Ordering::Relaxed);
            let _ = writeln!(text, "longshore_deliveries_total{{outcome=\"{outcome}\"}} {count}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_outcome_has_a_line() {
        let counts = DeliveryCounts::default();
        counts.count(Outcome::Dead);
        counts.count(Outcome::Dead);
        assert!(
            counts.text().ends_with(
                "{outcome=\"failed\"} 0\nlongshore_deliveries_total{outcome=\"dead\"} 2\n"
            )
        );
    }
}
