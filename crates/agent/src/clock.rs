//! The one place that asks for the time.

use jiff::Zoned;

/// The time now, with the machine's time zone: log lines are read by people at the machine.
pub fn now() -> Zoned {
    Zoned::now()
}

/// Milliseconds since the epoch.
pub fn now_millis() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}
