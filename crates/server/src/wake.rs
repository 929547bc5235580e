//! Wake-ups of parked long polls. A wake-up carries no data: whoever is woken asks the store again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

/// Who waits for commands, by host identifier.
#[derive(Debug, Default)]
pub struct HostBells {
    bells: Mutex<HashMap<String, Arc<Notify>>>,
}

/// One host's bell, held while its poll is parked.
#[derive(Debug)]
pub struct Bell<'a> {
    owner: &'a HostBells,
    host: String,
    notify: Arc<Notify>,
}

impl HostBells {
    /// The bell of `host`. Take [`Bell::rung`] *before* looking into the store, so that no ring is lost between.
    pub fn of(&self, host: &str) -> Bell<'_> {
        let mut bells = self.lock();
        let notify = Arc::clone(bells.entry(host.to_owned()).or_default());
        Bell { owner: self, host: host.to_owned(), notify }
    }

    /// Wakes every poll parked for `host`; without one, nothing happens.
    pub fn ring(&self, host: &str) {
        if let Some(bell) = self.lock().get(host) {
            bell.notify_waiters();
        }
    }

    /// Wakes every parked poll: wake-ups may have been lost.
    pub fn ring_all(&self) {
        self.lock().values().for_each(|bell| bell.notify_waiters());
    }

    /// How many hosts have a poll parked.
    pub fn parked(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Notify>>> {
        self.bells.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bell<'_> {
    /// Waits for the next ring. Pin it and call `enable` to be registered at once.
    pub fn rung(&self) -> tokio::sync::futures::Notified<'_> {
        self.notify.notified()
    }
}

impl Drop for Bell<'_> {
    fn drop(&mut self) {
        let mut bells = self.owner.lock();
        // Two references are ours and the map's: nobody else waits.
        if Arc::strong_count(&self.notify) == 2 {
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
        drop(bell);
        assert_eq!(bells.parked(), 1);
        drop(second);
        assert_eq!(bells.parked(), 0);
    }
}
