//! Keeps the states of alarms whose sources have to be asked.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use model::Timestamp;
use store::{Change, Store};
use tokio::sync::broadcast::error::RecvError;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use super::check::{self, Finding};
use super::source::{self, AlarmSource, What};
use super::state::{self, Known};
use crate::clock::Clock;
use crate::cloudwatch::alarms::AlarmState;
use crate::driver::chain;
use crate::forms::records::{Record, Records};
use crate::notifications::Outside;
use crate::outbound::Outbound;

/// Checks at the same time. A source that hangs holds its place for its timeout, and only its own.
const CHECKS_MAX: usize = 64;

/// A wake-up may be lost; this is not.
const SWEEP: Duration = Duration::from_secs(30);

/// Asks sources. With several servers each asks: what they write down is the same.
pub struct SourceKeeper {
    store: Store,
    records: Records,
    outbound: Arc<Outbound>,
    clock: Clock,
    stopping: CancellationToken,
    schedule: HashMap<String, Scheduled>,
    /// When the sources are read again at the latest.
    sweep: Timestamp,
}

struct Scheduled {
    source: AlarmSource,
    due: Timestamp,
    running: bool,
    /// Failed checks in a row.
    failures: u32,
}

/// What came of a check, of the source as it was then.
struct Checked {
    key: String,
    what: What,
    finding: Option<Finding>,
}

impl SourceKeeper {
    /// A keeper of the sources in `store`.
    pub fn new(store: Store, outside: &Outside, clock: Clock, stopping: CancellationToken) -> Self {
        Self {
            records: Records::new(store.clone()),
            store,
            outbound: Arc::new(Outbound::new(outside.reach)),
            sweep: clock.now(),
            clock,
            stopping,
            schedule: HashMap::new(),
        }
    }

    /// Asks each source when it is due, all of them first now, until the server stops.
    pub async fn run(mut self) {
        let mut changes = self.store.changes();
        let mut checks = JoinSet::new();
        loop {
            if self.sweep <= self.clock.now() {
                self.read_sources().await;
            }
            self.start_checks(&mut checks);
            let woken = async {
                loop {
                    match changes.recv().await {
                        Ok(Change::Documents(kind)) if kind == source::KIND => return,
                        Ok(Change::Everything) | Err(RecvError::Lagged(_) | RecvError::Closed) => {
                            return;
                        }
                        Ok(_) => {}
                    }
                }
            };
            let next = self.next_due(checks.len());
            tokio::select! {
                () = self.stopping.cancelled() => return,
                Some(ended) = checks.join_next() => self.ended(ended).await,
                () = woken => self.read_sources().await,
                () = self.clock.sleep_until(next) => {}
            }
        }
    }

    async fn read_sources(&mut self) {
        self.sweep = self.clock.now() + SWEEP;
        let sources = match self.records.list::<AlarmSource>("").await {
            Ok(sources) => sources,
            Err(error) => {
                tracing::error!(error = chain(&error), "the sources of alarms could not be read");
                return;
            }
        };
        let mut before = std::mem::take(&mut self.schedule);
        for source in sources.into_iter().map(|kept| kept.record) {
            let key = source.key();
            let scheduled = match before.remove(&key) {
                Some(known) if known.source == source => known,
                _ => Scheduled { source, due: self.clock.now(), running: false, failures: 0 },
            };
            self.schedule.insert(key, scheduled);
        }
    }

    fn start_checks(&mut self, checks: &mut JoinSet<Checked>) {
        let now = self.clock.now();
        let due = self.schedule.iter_mut().filter(|(_, one)| !one.running && one.due <= now);
        for (key, one) in due {
            let Some(interval) = one.source.what.interval_seconds() else { continue };
            if checks.len() >= CHECKS_MAX {
                return;
            }
            one.running = true;
            one.due = now + Duration::from_secs(interval.into());
            let (key, what) = (key.clone(), one.source.what.clone());
            let outbound = Arc::clone(&self.outbound);
            checks.spawn(async move {
                let finding = check::ask(&outbound, &what).await;
                Checked { key, what, finding }
            });
        }
    }

    /// When to look again; while there is no room for a check, the end of one is waited for.
    fn next_due(&self, running: usize) -> Timestamp {
        if running >= CHECKS_MAX {
            return self.sweep;
        }
        let asked = self.schedule.values();
        let asked = asked.filter(|one| one.source.what.interval_seconds().is_some());
        let due = asked.filter(|one| !one.running).map(|one| one.due).min();
        due.map_or(self.sweep, |due| due.min(self.sweep))
    }

    async fn ended(&mut self, ended: Result<Checked, JoinError>) {
        match ended {
            Ok(checked) => self.found(checked).await,
            Err(error) => {
                tracing::error!(error = chain(&error), "a check of an alarm's source broke off");
                // It is not known which one: asking one twice does no harm.
                self.schedule.values_mut().for_each(|one| one.running = false);
            }
        }
    }

    async fn found(&mut self, checked: Checked) {
        let Checked { key, what, finding } = checked;
        // The source was replaced or deleted meanwhile: what the old one said does not count.
        let Some(one) = self.schedule.get_mut(&key).filter(|one| one.source.what == what) else {
            return;
        };
        one.running = false;
        let Some((known, reason)) = finding.and_then(|finding| settle(one, finding)) else {
            return;
        };
        let now = self.clock.now();
        if let Err(error) = state::set(&self.records, &key, known, &reason, now).await {
            let error = chain(&error);
            tracing::error!(alarm = key, error, "an alarm's state could not be written");
        }
    }
}

/// What is known after a check, given those before it; none: as much as before.
fn settle(one: &mut Scheduled, finding: Finding) -> Option<(Known, String)> {
    match finding {
        Finding::State(state, reason) => {
            one.failures = 0;
            Some((Known::State(state), reason))
        }
        Finding::Unreadable(why) => Some((Known::Nothing, format!("Unreadable: {why}"))),
        Finding::Failure(why) => {
            one.failures = one.failures.saturating_add(1);
            let needed = match &one.source.what {
                What::Http(check) => check.failures,
                What::Prometheus { .. } | What::Alertmanager(_) => 1,
            };
            let reason = format!("{} checks in a row failed: {why}", one.failures);
            (one.failures >= needed).then_some((Known::State(AlarmState::Alarm), reason))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::source::HttpCheck;
    use super::*;

    #[test]
    fn an_http_check_must_fail_as_often_as_asked_for() {
        let check = HttpCheck {
            url: "http://127.0.0.1/".to_owned(),
            status: 200,
            timeout_seconds: 5,
            failures: 2,
            interval_seconds: 30,
        };
        let source =
            AlarmSource { region: "r".to_owned(), alarm: "a".to_owned(), what: What::Http(check) };
        let now = Timestamp::from_millis(0);
        let mut one = Scheduled { source, due: now, running: false, failures: 0 };
        let mut after = |finding: Finding| settle(&mut one, finding).map(|(known, _)| known);
        let failure = || Finding::Failure("no".to_owned());
        let fine = || Finding::State(AlarmState::Ok, String::new());
        assert_eq!(after(failure()), None);
        assert_eq!(after(fine()), Some(Known::State(AlarmState::Ok)));
        assert_eq!(after(failure()), None);
        assert_eq!(after(failure()), Some(Known::State(AlarmState::Alarm)));
        assert_eq!(after(Finding::Unreadable(String::new())), Some(Known::Nothing));
    }
}
