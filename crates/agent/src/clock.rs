//! The one place that asks for the time.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{Timestamp, Zoned};

/// How far the service's clock is ahead of this host's, in seconds, as far as the service has shown it.
static SERVICE_AHEAD: AtomicI64 = AtomicI64::new(0);

/// Clocks that differ by less are taken for the same: an answer takes its time, and services allow minutes.
const SAME_SECONDS: i64 = 60;

/// The time now, with the machine's time zone: log lines are read by people at the machine.
pub fn now() -> Zoned {
    Zoned::now()
}

/// Milliseconds since the epoch.
pub fn now_millis() -> i64 {
    Timestamp::now().as_millisecond()
}

/// Seconds since the epoch, by the service's clock: the time that a signature must carry.
pub fn service_seconds() -> i64 {
    now_millis().div_euclid(1000) + SERVICE_AHEAD.load(Ordering::Relaxed)
}

/// Learns from the date of an answer what time it is for the service. Says by how many seconds the service is ahead of this
/// host's clock, if signatures will carry another time from now on.
///
/// Only for an answer that refuses a signature: as AWS SDKs do, the host's own clock is believed until it is shown to be wrong.
pub fn learn(date: &str) -> Option<i64> {
    let theirs = jiff::fmt::rfc2822::parse(date).ok()?.timestamp().as_second();
    if (theirs - service_seconds()).abs() < SAME_SECONDS {
        return None;
    }
    let ahead = theirs - now_millis().div_euclid(1000);
    SERVICE_AHEAD.store(ahead, Ordering::Relaxed);
    Some(ahead)
}
