//! Counters of what was asked of us, and how much there is now, in the text form that Prometheus reads.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use model::DeploymentStatus;
use store::Gauges;

/// How many different operations are told apart. Callers choose the names of unknown ones, so there must be an end.
const OPERATIONS_MAX: usize = 1_000;

/// Requests counted by service, operation and HTTP status.
#[derive(Debug, Default)]
pub struct Metrics {
    requests: Mutex<BTreeMap<Key, u64>>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    service: &'static str,
    operation: String,
    status: u16,
    served: bool,
}

/// Whether an operation is one that we have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Served {
    Yes,
    /// Answered with the service's own "unknown operation" error.
    No,
}

impl Metrics {
    /// Counts one answered request.
    pub fn count(&self, service: &'static str, operation: &str, status: u16, served: Served) {
        let operation = printable(operation);
        let served = served == Served::Yes;
        let key = Key { service, operation, status, served };
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        if requests.len() < OPERATIONS_MAX || requests.contains_key(&key) {
            *requests.entry(key).or_default() += 1;
        } else {
            let other = Key { service, operation: "other".to_owned(), status, served };
            *requests.entry(other).or_default() += 1;
        }
    }

    /// Every counter, one a line.
    pub fn text(&self) -> String {
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::from(
            "# HELP longshore_requests_total Requests answered.\n# TYPE longshore_requests_total counter\n",
        );
        for (key, count) in requests.iter() {
            let Key { service, operation, status, served } = key;
            let _ = writeln!(
                text,
                "longshore_requests_total{{service=\"{service}\",operation=\"{operation}\",status=\"{status}\",served=\"{served}\"}} {count}"
            );
        }
        text
    }
}

/// How much there is now.
#[derive(Debug)]
pub struct Now {
    /// Hosts that wait for a command at this server.
    pub connected: usize,
    /// What the store counts, and how long that took; absent: it does not answer.
    pub store: Option<(Gauges, Duration)>,
}

impl Now {
    /// Each with its help and its type.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let version = env!("CARGO_PKG_VERSION");
        gauge(
            &mut text,
            "build_info",
            "The server's version.",
            &[(format!("{{version=\"{version}\"}}"), 1.0)],
        );
        gauge(
            &mut text,
            "hosts_connected",
            "Hosts that wait for a command at this server.",
            &[one(self.connected as f64)],
        );
        let up = f64::from(u8::from(self.store.is_some()));
        gauge(&mut text, "store_up", "Whether the database answers.", &[one(up)]);
        let Some((gauges, took)) = &self.store else { return text };
        gauge(
            &mut text,
            "store_read_seconds",
            "How long counting for this scrape took.",
            &[one(took.as_secs_f64())],
        );
        let unfinished = UNFINISHED.map(|status| {
            let count = gauges.unfinished.get(status.name()).copied().unwrap_or_default();
            (format!("{{status=\"{}\"}}", status.name()), count as f64)
        });
        gauge(&mut text, "deployments", "Deployments that are not over.", &unfinished);
        gauge(
            &mut text,
            "notices_waiting",
            "Changes that were not turned into messages yet.",
            &[one(gauges.notices as f64)],
        );
        gauge(
            &mut text,
            "deliveries_waiting",
            "Messages on their way.",
            &[one(gauges.deliveries as f64)],
        );
        gauge(
            &mut text,
            "dead_letters",
            "Messages that were given up.",
            &[one(gauges.dead_letters as f64)],
        );
        text
    }
}

const UNFINISHED: [DeploymentStatus; 5] = [
    DeploymentStatus::Created,
    DeploymentStatus::Queued,
    DeploymentStatus::InProgress,
    DeploymentStatus::Baking,
    DeploymentStatus::Ready,
];

fn one(value: f64) -> (String, f64) {
    (String::new(), value)
}

fn gauge(text: &mut String, name: &str, help: &str, samples: &[(String, f64)]) {
    let _ = writeln!(text, "# HELP longshore_{name} {help}\n# TYPE longshore_{name} gauge");
    for (labels, value) in samples {
        let _ = writeln!(text, "longshore_{name}{labels} {value}");
    }
}

/// The name as it may stand in a label: short, and of harmless characters.
fn printable(operation: &str) -> String {
    operation.chars().filter(char::is_ascii_alphanumeric).take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_neither_break_lines_nor_grow_without_end() {
        let metrics = Metrics::default();
        metrics.count("codedeploy", "List\"\nApplications", 200, Served::Yes);
        metrics.count("codedeploy", "ListApplications", 200, Served::Yes);
        for n in 0..2_000 {
            metrics.count("iam", &format!("Op{n}"), 400, Served::No);
        }
        let text = metrics.text();
        assert!(
            text.contains("operation=\"ListApplications\",status=\"200\",served=\"true\"} 2\n")
        );
        assert!(text.lines().count() <= OPERATIONS_MAX + 3);
        assert!(
            text.contains("service=\"iam\",operation=\"other\",status=\"400\",served=\"false\"}")
        );
    }
}
