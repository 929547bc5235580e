//! How simulated hosts behave.

use model::LifecycleEvent;

use crate::random::Random;

/// What a host does with its commands. Times are milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Temper {
    /// Fetches, acknowledges and completes.
    Sound,
    /// Takes minutes for each event, within the limits.
    Slow,
    /// Never fetches anything.
    Silent,
    /// Reports failure of this event.
    FailsAt(LifecycleEvent),
    /// Acknowledges this event and completes it only after its limit.
    LateAt(LifecycleEvent),
    /// Acknowledges and completes everything several times; later completions contradict the first.
    Repeats,
    /// Completes without ever acknowledging.
    NeverAcknowledges,
    /// Is away for some minutes before it fetches a command.
    Reboots,
    /// Vanishes while it executes this event.
    DiesAt(LifecycleEvent),
}

impl Temper {
    /// Most hosts are sound, or nothing would ever succeed.
    pub fn draw(random: &mut Random, trouble_percent: u64) -> Self {
        if !random.chance(trouble_percent) {
            return if random.chance(80) { Self::Sound } else { Self::Slow };
        }
        let event = LifecycleEvent::IN_PLACE[random.below(7) as usize];
        match random.below(8) {
            0 => Self::Silent,
            1 | 2 => Self::FailsAt(event),
            3 => Self::LateAt(event),
            4 => Self::Repeats,
            5 => Self::NeverAcknowledges,
            6 => Self::Reboots,
            _ => Self::DiesAt(event),
        }
    }

    /// How long after its dispatch the host fetches a command; `None`: never.
    pub fn fetches_after(self, random: &mut Random) -> Option<u64> {
        match self {
            Self::Silent => None,
            Self::Reboots => Some(random.between(1_000, 290_000)),
            _ => Some(random.between(1, 2_000)),
        }
    }

    /// How long the host takes for an event.
    pub fn takes(self, event: LifecycleEvent, random: &mut Random) -> u64 {
        match self {
            Self::Slow => random.between(10_000, 3_500_000),
            Self::LateAt(late) if late == event => random.between(3_600_001, 9_000_000),
            _ => random.between(1, 5_000),
        }
    }
}
