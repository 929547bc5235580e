//! Which commands were handed out and not acknowledged yet.
//!
//! A command comes again until it is acknowledged, since an agent that dies after fetching remembers nothing. But the
//! official agent polls on while a thread of it fetches the specification, and does not notice that it gets the same
//! command twice: so a command that was handed out is held back for a while. A restart of the server forgets that,
//! which is no worse than the agent's own.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use model::HostCommandId;
use tokio::time::Instant;

/// How long a command that was handed out is held back. An acknowledgement takes an agent some ten milliseconds; an
/// agent that died is back within seconds.
const LEASE: Duration = Duration::from_secs(5);

/// Leases older than this are dropped when there are many: their commands were closed without a word of their host.
const KEPT: Duration = Duration::from_secs(2 * 3600);
const MANY: usize = 10_000;

/// The commands that were handed out.
#[derive(Debug, Default)]
pub struct Leases {
    taken: Mutex<HashMap<HostCommandId, Lease>>,
}

#[derive(Debug, Clone, Copy)]
struct Lease {
    last: Instant,
    times: u32,
}

impl Leases {
    /// Takes the command for handing it out; if that was done just now, says when it may be done again.
    pub fn take(&self, id: &HostCommandId, now: Instant) -> Result<(), Instant> {
        let mut taken = self.lock();
        if taken.len() >= MANY {
            taken.retain(|_, lease| now.duration_since(lease.last) < KEPT);
        }
        let times = match taken.get(id) {
            Some(lease) if now < lease.last + LEASE => return Err(lease.last + LEASE),
            Some(lease) => lease.times + 1,
            None => 1,
        };
        taken.insert(id.clone(), Lease { last: now, times });
        Ok(())
    }

    /// Whether the command was handed out more than once, as far as is known.
    pub fn was_taken_twice(&self, id: &HostCommandId) -> bool {
        self.lock().get(id).is_some_and(|lease| lease.times > 1)
    }

    /// Forgets a command that is over.
    pub fn forget(&self, id: &HostCommandId) {
        self.lock().remove(id);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<HostCommandId, Lease>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_held_back_for_a_while_and_then_comes_again() {
        let leases = Leases::default();
        let id: HostCommandId = "d-75I7MBT7C/Install/1/web-01".parse().unwrap();
        let now = Instant::now();
        assert_eq!(leases.take(&id, now), Ok(()));
        let again = leases.take(&id, now + Duration::from_secs(1)).unwrap_err();
        assert_eq!(again, now + LEASE);
        assert!(!leases.was_taken_twice(&id));
        assert_eq!(leases.take(&id, again), Ok(()));
        assert!(leases.was_taken_twice(&id));
        leases.forget(&id);
        assert_eq!(leases.take(&id, again), Ok(()));
        assert!(!leases.was_taken_twice(&id));
    }
}
