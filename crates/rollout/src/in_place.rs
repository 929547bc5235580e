//! A deployment in place, as a list of steps.

use model::Timestamp;

use crate::action::Plan;
use crate::draft::Draft;
use crate::snapshot::Snapshot;
use crate::{alarms, deadlines, events, health, queue, start, stop};

pub fn plan(seen: &Snapshot, now: Timestamp) -> Plan {
    let mut draft = Draft::of(seen, now);
    if !seen.deployment.status.has_started()
        && (start::refuse_stopped(&mut draft)
            || queue::refuse_stale(&mut draft)
            || queue::wait_for_place(&mut draft)
            || alarms::hold_until_read(&mut draft)
            || start::refuse_or_enlist(&mut draft))
    {
        return draft.into_plan();
    }
    events::settle(&mut draft);
    if deadlines::end_overdue(&mut draft) || stop::end_stopped(&mut draft) {
        return draft.into_plan();
    }
    health::proceed(&mut draft);
    draft.into_plan()
}
