//! Wake-ups of parked long polls. A wake-up carries no data: whoever is woken asks the store again.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

/// Who waits for commands, by host identifier.
#[derive(Debug, Default)]
pub struct HostBells {
    bells: Mutex<HashMap<String, Arc<HostBell>>>,
}

/// What all polls of one host share.
#[derive(Debug, Default)]
struct HostBell {
    notify: Notify,
    /// The number of its newest poll.
    newest: AtomicU64,
}

/// One host's bell, held while its poll is parked.
#[derive(Debug)]
pub struct Bell<'a> {
    owner: &'a HostBells,
    host: String,
    shared: Arc<HostBell>,
    /// The poll's number among those of the host.
    number: u64,
}

impl HostBells {
    /// The bell of `host`, for a new poll: older ones that are parked are woken, and find themselves
    /// [superseded](Bell::is_superseded). Take [`Bell::rung`] *before* looking into the store, so that no ring is lost
    /// between.
    pub fn of(&self, host: &str) -> Bell<'_> {
        let shared = Arc::clone(self.lock().entry(host.to_owned()).or_default());
        let number = shared.newest.fetch_add(1, Ordering::SeqCst) + 1;
        shared.notify.notify_waiters();
        Bell { owner: self, host: host.to_owned(), shared, number }
    }

    /// Wakes every poll parked for `host`; without one, nothing happens.
    pub fn ring(&self, host: &str) {
        if let Some(bell) = self.lock().get(host) {
            bell.notify.notify_waiters();
        }
    }

    /// Wakes every parked poll: wake-ups may have been lost.
    pub fn ring_all(&self) {
        self.lock().values().for_each(|bell| bell.notify.notify_waiters());
    }

    /// How many hosts have a poll parked.
    pub fn parked(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<HostBell>>> {
        self.bells.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bell<'_> {
    /// Waits for the next ring. Pin it and call `enable` to be registered at once.
    pub fn rung(&self) -> tokio::sync::futures::Notified<'_> {
        self.shared.notify.notified()
    }
}

impl Bell<'_> {
    /// Whether the host has polled anew since. It then no longer listens here: its connection broke, or it started again.
    pub fn is_superseded(&self) -> bool {
        self.shared.newest.load(Ordering::SeqCst) != self.number
    }
}

impl Drop for Bell<'_> {
    fn drop(&mut self) {
        let mut bells = self.owner.lock();
        // Two references are ours and the map's: nobody else waits.
        if Arc::strong_count(&self.shared) == 2 {
            bells.remove(&self.host);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_ring_after_registration_is_not_lost_and_bells_go_away() {
        let bells = HostBells::default();
        let bell = bells.of("h1");
        let second = bells.of("h1");
        {
            let rung = bell.rung();
            let mut rung = std::pin::pin!(rung);
            rung.as_mut().enable();
            bells.ring("h1");
            bells.ring("nobody");
            rung.await;
        }
        assert!(bell.is_superseded() && !second.is_superseded());
        drop(bell);
        assert_eq!(bells.parked(), 1);
        drop(second);
        assert_eq!(bells.parked(), 0);
    }

    #[tokio::test]
    async fn a_new_poll_wakes_the_one_that_it_supersedes() {
        let bells = HostBells::default();
        let older = bells.of("h1");
        let rung = older.rung();
        let mut rung = std::pin::pin!(rung);
        rung.as_mut().enable();
        assert!(!older.is_superseded());
        let _other = bells.of("h2");
        assert!(!older.is_superseded());
        let _newer = bells.of("h1");
        rung.await;
        assert!(older.is_superseded());
    }
}
