//! How often somebody may try to sign in.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use model::Timestamp;

/// Failed attempts of one address within [`WINDOW`]; the next one is not even looked at.
const FAILURES_MAX: u32 = 10;

/// How long a failed attempt counts.
const WINDOW: Duration = Duration::from_secs(300);

/// Addresses that are told apart. All beyond share one count, so that memory has an end and trying has none.
const ADDRESSES_MAX: usize = 10_000;

/// Counts failed attempts by address. Secrets are too long to be guessed at any pace; this keeps guessing from costing
/// us anything.
#[derive(Debug, Default)]
pub struct Attempts(Mutex<HashMap<IpAddr, Failures>>);

#[derive(Debug, Clone, Copy)]
struct Failures {
    since: Timestamp,
    count: u32,
}

impl Attempts {
    /// Whether the address may try now.
    pub fn may_try(&self, from: IpAddr, now: Timestamp) -> bool {
        let failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = place(&failures, from);
        let recent = failures.get(&place).filter(|found| now.since(found.since) < WINDOW);
        recent.is_none_or(|found| found.count < FAILURES_MAX)
    }

    /// The address tried and failed.
    pub fn failed(&self, from: IpAddr, now: Timestamp) {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= ADDRESSES_MAX {
            failures.retain(|_, found| now.since(found.since) < WINDOW);
        }
        let place = place(&failures, from);
        let entry = failures.entry(place).or_insert(Failures { since: now, count: 0 });
        if now.since(entry.since) >= WINDOW {
            *entry = Failures { since: now, count: 0 };
        }
        entry.count += 1;
    }
}

/// Under what the address is counted.
fn place(failures: &HashMap<IpAddr, Failures>, from: IpAddr) -> IpAddr {
    let network = match from {
        IpAddr::V4(_) => from,
        // A household has a whole network of these.
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    };
    if failures.contains_key(&network) || failures.len() < ADDRESSES_MAX {
        network
    } else {
        IpAddr::V6(Ipv6Addr::UNSPECIFIED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_failed_often_must_wait_and_no_other() {
        let attempts = Attempts::default();
        let start = Timestamp::from_millis(1_000_000);
        let (bad, good) = ("2001:db8::1".parse().unwrap(), "10.0.0.1".parse().unwrap());
        for _ in 0..FAILURES_MAX {
            assert!(attempts.may_try(bad, start));
            attempts.failed(bad, start);
        }
        assert!(!attempts.may_try(bad, start));
        assert!(!attempts.may_try("2001:db8::2".parse().unwrap(), start));
        assert!(attempts.may_try(good, start));
        assert!(attempts.may_try(bad, start + WINDOW));
        attempts.failed(bad, start + WINDOW);
        assert!(attempts.may_try(bad, start + WINDOW));
    }
}
