//! Histograms in the text form that Prometheus reads.

use std::fmt::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use store::Called;

/// How often something took how long.
#[derive(Debug)]
pub struct Histogram {
    bounds: &'static [f64],
    /// Durations of at most each bound, and not of the bound before.
    buckets: Vec<u64>,
    count: u64,
    seconds: f64,
}

impl Histogram {
    /// An empty one with these upper bounds, in seconds and rising.
    pub fn new(bounds: &'static [f64]) -> Self {
        Self { bounds, buckets: vec![0; bounds.len()], count: 0, seconds: 0.0 }
    }

    /// Counts one.
    pub fn observe(&mut self, duration: Duration) {
        let seconds = duration.as_secs_f64();
        if let Some(bucket) = self.bounds.iter().position(|bound| seconds <= *bound) {
            self.buckets[bucket] += 1;
        }
        self.count += 1;
        self.seconds += seconds;
    }

    /// Adds its lines: `name` without its ending, `labels` as they stand between braces, or none.
    pub fn write(&self, text: &mut String, name: &str, labels: &str) {
        let comma = if labels.is_empty() { "" } else { "," };
        let mut so_far = 0;
        for (bound, count) in self.bounds.iter().zip(&self.buckets) {
            so_far += count;
            let _ = writeln!(text, "{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {so_far}");
        }
        let Self { count, seconds, .. } = self;
        let braces = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
        let _ = writeln!(
            text,
            "{name}_bucket{{{labels}{comma}le=\"+Inf\"}} {count}\n\
             {name}_sum{braces} {seconds}\n{name}_count{braces} {count}"
        );
    }
}

/// Upper bounds for what a server does itself, in seconds: from a read that is cached to a disk that hangs.
const FAST: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0];

/// How long what others wait for takes at this server, since it was started.
#[derive(Debug)]
pub struct Latencies {
    store_read: Mutex<Histogram>,
    store_commit: Mutex<Histogram>,
    command_wait: Mutex<Histogram>,
    poll_answer: Mutex<Histogram>,
}

impl Default for Latencies {
    fn default() -> Self {
        let histogram = || Mutex::new(Histogram::new(&FAST));
        Self {
            store_read: histogram(),
            store_commit: histogram(),
            command_wait: histogram(),
            poll_answer: histogram(),
        }
    }
}

impl Latencies {
    /// Counts a call of the store.
    pub fn store_called(&self, called: Called, took: Duration) {
        match called {
            Called::Read => observe(&self.store_read, took),
            Called::Commit => observe(&self.store_commit, took),
        }
    }

    /// Counts a command that was handed out to its host for the first time: `ready` ago it was written down, and `polled`
    /// ago the host asked.
    pub fn handed_out(&self, ready: Duration, polled: Duration) {
        observe(&self.command_wait, ready);
        observe(&self.poll_answer, ready.min(polled));
    }

    /// All of them.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut family = |name: &str, help: &str, of: &[(&str, &Mutex<Histogram>)]| {
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} histogram");
            for (labels, histogram) in of {
                let histogram = histogram.lock().unwrap_or_else(PoisonError::into_inner);
                histogram.write(&mut text, name, labels);
            }
        };
        family(
            "longshore_store_seconds",
            "How long calls of the store took.",
            &[("call=\"read\"", &self.store_read), ("call=\"commit\"", &self.store_commit)],
        );
        family(
            "longshore_command_wait_seconds",
            "From a command's being ready to its being handed out to its host, which may be busy or away.",
            &[("", &self.command_wait)],
        );
        family(
            "longshore_poll_answer_seconds",
            "From when a command was ready and its host asked, whichever came last, to its being handed out.",
            &[("", &self.poll_answer)],
        );
        text
    }
}

fn observe(histogram: &Mutex<Histogram>, duration: Duration) {
    histogram.lock().unwrap_or_else(PoisonError::into_inner).observe(duration);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_add_up() {
        let mut histogram = Histogram::new(&[0.01, 1.0]);
        for millis in [5, 700, 5_000_000] {
            histogram.observe(Duration::from_millis(millis));
        }
        let mut text = String::new();
        histogram.write(&mut text, "x_seconds", "event=\"Install\"");
        for (bound, count) in [("0.01", 1), ("1", 2), ("+Inf", 3)] {
            let line = format!("x_seconds_bucket{{event=\"Install\",le=\"{bound}\"}} {count}\n");
            assert!(text.contains(&line), "{line}{text}");
        }
        assert!(text.ends_with("x_seconds_count{event=\"Install\"} 3\n"), "{text}");
        let mut text = String::new();
        histogram.write(&mut text, "x_seconds", "");
        assert!(text.starts_with("x_seconds_bucket{le=\"0.01\"} 1\n"), "{text}");
        assert!(text.ends_with("x_seconds_count 3\n"), "{text}");
    }

    #[test]
    fn a_poll_does_not_answer_for_the_time_in_which_nobody_asked() {
        let latencies = Latencies::default();
        latencies.handed_out(Duration::from_secs(20), Duration::from_millis(2));
        let text = latencies.text();
        assert!(text.contains("longshore_command_wait_seconds_bucket{le=\"10\"} 0\n"), "{text}");
        assert!(text.contains("longshore_poll_answer_seconds_bucket{le=\"0.0025\"} 1\n"), "{text}");
    }
}
