//! Reads the alarms of deployments while these run.
//!
//! Source: CodeDeploy user guide, "Monitoring deployments with CloudWatch alarms"; the interval and the number of failed
//! readings that count are ours.

use std::collections::HashMap;
use std::time::Duration;

use model::{DeploymentId, Timestamp};
use rollout::AlarmFinding;
use store::{AlarmReading, Change, Store, StoreError, WatchedAlarms};
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::cloudwatch::alarms::{self, AlarmRecord, AlarmState};
use crate::driver::chain;
use crate::forms::records::Records;

/// How often alarms are read, unless the server is told otherwise.
pub const POLL_INTERVAL: Duration = Duration::from_secs(30);

/// Readings in a row that must fail before alarms count as unreadable.
const FAILURES_MAX: u32 = 3;

/// The pause after a look: hosts report often, and each report is a wake-up.
const GATHER: Duration = Duration::from_millis(100);

/// Reads alarms.
pub struct AlarmWatcher {
    store: Store,
    records: Records,
    clock: Clock,
    interval: Duration,
    stopping: CancellationToken,
    /// Failed readings in a row.
    failures: HashMap<DeploymentId, Failures>,
}

struct Failures {
    count: u32,
    last: Timestamp,
}

/// The names of alarms, by what was found.
#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    red: Vec<String>,
    unreadable: Vec<String>,
}

impl AlarmWatcher {
    /// A watcher that reads every `interval`, and at once when an alarm changes.
    pub fn new(
        store: Store,
        clock: Clock,
        interval: Duration,
        stopping: CancellationToken,
    ) -> Self {
        let records = Records::new(store.clone());
        Self { store, records, clock, interval, stopping, failures: HashMap::new() }
    }

    /// Watches, beginning now, until the server stops.
    pub async fn run(mut self) {
        let mut changes = self.store.changes();
        loop {
            if let Err(error) = self.look().await {
                tracing::error!(error = chain(&error), "alarms could not be read");
            }
            tokio::select! {
                () = self.stopping.cancelled() => return,
                () = tokio::time::sleep(GATHER) => {}
            }
            let woken = async {
                loop {
                    match changes.recv().await {
                        Ok(Change::Documents(kind)) if kind == alarms::KIND => return,
                        Ok(Change::Deployment(_) | Change::Everything)
                        | Err(RecvError::Lagged(_) | RecvError::Closed) => return,
                        Ok(_) => {}
                    }
                }
            };
            let next = self.clock.now() + self.interval;
            tokio::select! {
                () = woken => {}
                () = self.clock.sleep_until(next) => {}
                () = self.stopping.cancelled() => return,
            }
        }
    }

    async fn look(&mut self) -> Result<(), StoreError> {
        let watched = self.store.watched_alarms().await?;
        self.failures.retain(|id, _| watched.iter().any(|one| one.deployment == *id));
        for one in watched {
            let found = self.read(&one).await;
            let now = self.clock.now();
            let Some(reading) = self.judge(&one, found, now) else { continue };
            if self.store.alarms_read(&one.deployment, &reading, now).await? {
                tracing::info!(deployment = %one.deployment, ?reading, "alarms read");
            }
        }
        Ok(())
    }

    async fn read(&self, watched: &WatchedAlarms) -> Found {
        let mut found = Found::default();
        for name in &watched.names {
            let key = alarms::key(&watched.region, name);
            match self.records.get::<AlarmRecord>(&key).await {
                Ok(Some(kept)) if kept.record.state == AlarmState::Alarm => {
                    found.red.push(name.clone());
                }
                Ok(Some(kept)) if !kept.record.unreadable => {}
                // An alarm that does not exist cannot be read either, nor one whose source is out of reach.
                Ok(Some(_) | None) => found.unreadable.push(name.clone()),
                Err(error) => {
                    tracing::warn!(
                        alarm = name,
                        error = chain(&error),
                        "an alarm could not be read"
                    );
                    found.unreadable.push(name.clone());
                }
            }
        }
        found
    }

    /// What is to be written down, if anything.
    fn judge(
        &mut self,
        watched: &WatchedAlarms,
        found: Found,
        now: Timestamp,
    ) -> Option<AlarmReading> {
        if !found.red.is_empty() {
            return Some(AlarmReading::Raised(AlarmFinding::Active(found.red)));
        }
        if found.unreadable.is_empty() || watched.ignore_poll_failure {
            self.failures.remove(&watched.deployment);
            return watched.is_first.then_some(AlarmReading::Calm);
        }
        let interval = self.interval;
        let failures = self.failures.entry(watched.deployment.clone());
        let failures = failures
            .and_modify(|failures| {
                // Looks in between, for other reasons, are not further failures.
                if now.since(failures.last) >= interval {
                    failures.count += 1;
                    failures.last = now;
                }
            })
            .or_insert(Failures { count: 1, last: now });
        (failures.count >= FAILURES_MAX)
            .then_some(AlarmReading::Raised(AlarmFinding::Unreadable(found.unreadable)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(30);

    async fn watcher() -> (AlarmWatcher, tempfile::TempDir) {
        let directory = tempfile::tempdir().unwrap();
        let database = store::Database::Sqlite(directory.path().join("longshore.db"));
        let store = Store::open(&database).await.unwrap();
        let clock = Clock::manual(Timestamp::from_millis(0));
        (AlarmWatcher::new(store, clock, INTERVAL, CancellationToken::new()), directory)
    }

    fn watched(ignore_poll_failure: bool, is_first: bool) -> WatchedAlarms {
        WatchedAlarms {
            deployment: "d-75I7MBT7C".parse().unwrap(),
            region: "r".to_owned(),
            names: vec!["a".to_owned()],
            ignore_poll_failure,
            is_first,
        }
    }

    fn unreadable() -> Found {
        Found { unreadable: vec!["a".to_owned()], ..Found::default() }
    }

    #[tokio::test]
    async fn three_failures_in_a_row_stop_and_looks_in_between_do_not_count() {
        let (mut watcher, _directory) = watcher().await;
        let at = |seconds: i64| Timestamp::from_millis(seconds * 1000);
        let one = watched(false, true);
        for seconds in [0, 1, 29, 30, 31, 59] {
            assert_eq!(watcher.judge(&one, unreadable(), at(seconds)), None, "{seconds}");
        }
        let raised = AlarmReading::Raised(AlarmFinding::Unreadable(vec!["a".to_owned()]));
        assert_eq!(watcher.judge(&one, unreadable(), at(60)), Some(raised));
    }

    #[tokio::test]
    async fn a_success_forgets_failures_and_they_may_be_ignored() {
        let (mut watcher, _directory) = watcher().await;
        let at = |seconds: i64| Timestamp::from_millis(seconds * 1000);
        let one = watched(false, false);
        assert_eq!(watcher.judge(&one, unreadable(), at(0)), None);
        assert_eq!(watcher.judge(&one, unreadable(), at(30)), None);
        assert_eq!(watcher.judge(&one, Found::default(), at(60)), None);
        assert_eq!(watcher.judge(&one, unreadable(), at(90)), None);
        let ignoring = watched(true, true);
        assert_eq!(watcher.judge(&ignoring, unreadable(), at(90)), Some(AlarmReading::Calm));
    }

    #[tokio::test]
    async fn a_red_alarm_counts_beside_an_unreadable_one() {
        let (mut watcher, _directory) = watcher().await;
        let found = Found { red: vec!["b".to_owned()], ..unreadable() };
        let raised = AlarmReading::Raised(AlarmFinding::Active(vec!["b".to_owned()]));
        let reading = watcher.judge(&watched(true, true), found, Timestamp::from_millis(0));
        assert_eq!(reading, Some(raised));
    }
}
