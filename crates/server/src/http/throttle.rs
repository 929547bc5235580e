//! How often a caller may ask: a bucket of tokens for each principal and kind of operation.
//!
//! AWS publishes no rates, and whoever runs a server knows its clients: there is no limit unless the operator sets one.
//! Only CodeDeploy's own operations are limited; agents are never kept from their commands.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};

use model::Timestamp;
use wire::codedeploy::Operation;
use wire::{ErrorCode, ServiceError};

/// Calls per second that a principal may make in the long run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rates {
    /// Calls that read: Get…, BatchGet…, List…; absent: any number.
    pub reads: Option<NonZeroU32>,
    /// All others; absent: any number.
    pub writes: Option<NonZeroU32>,
}

/// Seconds whose calls a principal that was quiet may make at once.
const BURST_SECONDS: f64 = 5.0;

/// Buckets beyond which the full ones are thrown away: a full one is as good as none.
const BUCKETS_MAX: usize = 10_000;

/// Whether an operation changes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Read,
    Write,
}

impl Kind {
    fn of(operation: Operation) -> Self {
        let reads = ["Get", "BatchGet", "List"];
        if reads.iter().any(|prefix| operation.name().starts_with(prefix)) {
            Self::Read
        } else {
            Self::Write
        }
    }
}

/// The buckets of all principals.
#[derive(Debug)]
pub struct Throttle {
    rates: Rates,
    buckets: Mutex<HashMap<(String, Kind), Bucket>>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    filled: Timestamp,
}

impl Bucket {
    /// What is in it now, at so many tokens a second.
    fn tokens(self, per_second: f64, now: Timestamp) -> f64 {
        let gained = now.since(self.filled).as_secs_f64() * per_second;
        (self.tokens + gained).min(per_second * BURST_SECONDS)
    }
}

impl Throttle {
    /// Limits calls to these rates.
    pub fn new(rates: Rates) -> Self {
        Self { rates, buckets: Mutex::default() }
    }

    /// Counts a call.
    ///
    /// # Errors
    /// The principal has made too many.
    pub fn admit(
        &self,
        principal: &str,
        operation: Operation,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        let kind = Kind::of(operation);
        let (rate, calls) = match kind {
            Kind::Read => (self.rates.reads, "reads"),
            Kind::Write => (self.rates.writes, "changes"),
        };
        let Some(rate) = rate else { return Ok(()) };
        if self.takes(principal, kind, rate, now) {
            return Ok(());
        }
        Err(ServiceError::new(
            ErrorCode::Throttling,
            format!("Rate exceeded: {principal} may make {rate} {calls} per second"),
        ))
    }

    fn takes(&self, principal: &str, kind: Kind, rate: NonZeroU32, now: Timestamp) -> bool {
        let per_second = f64::from(rate.get());
        let full = per_second * BURST_SECONDS;
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= BUCKETS_MAX {
            let rates = self.rates;
            buckets.retain(|(_, kind), bucket| {
                let rate = match kind {
                    Kind::Read => rates.reads,
                    Kind::Write => rates.writes,
                };
                let per_second = rate.map_or(0.0, |rate| f64::from(rate.get()));
                bucket.tokens(per_second, now) < per_second * BURST_SECONDS
            });
        }
        let bucket = buckets
            .entry((principal.to_owned(), kind))
            .or_insert(Bucket { tokens: full, filled: now });
        let tokens = bucket.tokens(per_second, now);
        let taken = tokens >= 1.0;
        *bucket = Bucket {
            tokens: if taken { tokens - 1.0 } else { tokens },
            filled: now.max(bucket.filled),
        };
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(throttle: &Throttle, principal: &str, operation: Operation, millis: i64) -> usize {
        let now = Timestamp::from_millis(millis);
        let calls = (0..100).map(|_| throttle.admit(principal, operation, now));
        calls.filter(Result::is_ok).count()
    }

    #[test]
    fn a_burst_is_taken_and_then_the_rate() {
        let throttle = Throttle::new(Rates { reads: None, writes: NonZeroU32::new(2) });
        let write = Operation::CreateApplication;
        assert_eq!(admitted(&throttle, "a", write, 0), 10);
        assert_eq!(admitted(&throttle, "a", write, 0), 0);
        assert_eq!(admitted(&throttle, "a", write, 1_500), 3);
        assert_eq!(admitted(&throttle, "a", write, 3_600_000), 10);
        assert_eq!(admitted(&throttle, "b", write, 0), 10, "each principal has its own");
        assert_eq!(admitted(&throttle, "a", Operation::ListApplications, 0), 100, "no limit");
        let refused = throttle.admit("b", write, Timestamp::from_millis(0)).unwrap_err();
        assert_eq!(refused.code, ErrorCode::Throttling);
    }

    #[test]
    fn full_buckets_are_thrown_away() {
        let throttle = Throttle::new(Rates { reads: NonZeroU32::new(1), writes: None });
        for number in 0..=BUCKETS_MAX {
            let now = Timestamp::from_millis(if number < BUCKETS_MAX { 0 } else { 60_000 });
            throttle.admit(&format!("p{number}"), Operation::GetDeployment, now).unwrap();
        }
        assert_eq!(throttle.buckets.lock().unwrap().len(), 1);
    }
}
