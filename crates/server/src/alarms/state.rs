//! Gives an alarm the state that its source says.

use model::Timestamp;

use crate::cloudwatch::alarms::{AlarmRecord, AlarmState};
use crate::forms::records::{RecordError, Records};

/// The longest reason. Source: CloudWatch API reference, `StateReason`.
const REASON_MAX: usize = 1023;

/// What is known of how things are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// The source says so.
    State(AlarmState),
    /// The source cannot be read: shown as `INSUFFICIENT_DATA`, and a failure to whoever polls the alarm.
    Nothing,
}

/// Gives the alarm the state; one that has it already is left alone, and one that is gone stays so.
pub(super) async fn set(
    records: &Records,
    key: &str,
    known: Known,
    reason: &str,
    now: Timestamp,
) -> Result<(), RecordError> {
    let is_so = |alarm: &AlarmRecord| match known {
        Known::State(state) => alarm.state == state && !alarm.unreadable,
        Known::Nothing => alarm.unreadable,
    };
    if records.get::<AlarmRecord>(key).await?.is_none_or(|kept| is_so(&kept.record)) {
        return Ok(());
    }
    let reason: String = reason.chars().take(REASON_MAX).collect();
    let set = records.update::<AlarmRecord, _, RecordError>(key, |alarm| {
        match known {
            Known::State(state) => alarm.set_state(state, &reason, None, now),
            Known::Nothing => alarm.lose_sight(&reason, now),
        };
        Ok(())
    });
    set.await.map(drop)
}
