//! What can be wrong with a host: one variant per fault, and beside it what such a host does with a command.

use std::fmt;

use model::LifecycleEvent;

use crate::random::Random;

/// How a host treats its commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Fetches, acknowledges and completes.
    None,
    /// Takes minutes for each event, within the limits.
    Slow,
    /// Never fetches anything.
    Silent,
    /// Reports failure of this event.
    FailsAt(LifecycleEvent),
    /// Acknowledges this event and completes it only after its limit.
    LateAt(LifecycleEvent),
    /// Acknowledges this event and is never heard of again, though the machine runs.
    HangsAt(LifecycleEvent),
    /// Acknowledges and completes everything several times; later completions contradict the first.
    Repeats,
    /// Its acknowledgement arrives after its completion, and a completion once more when the next event runs.
    Reorders,
    /// Completes without ever acknowledging.
    NeverAcknowledges,
    /// Is away for some minutes before it fetches a command.
    Reboots,
    /// Has no network for `away` of every `period` milliseconds; reports wait until it is back.
    Flaps { period: u64, away: u64 },
    /// The answers to its polls get lost, so that it fetches most commands twice or never in time.
    LosesAnswers,
    /// Is terminated while it executes this event.
    DiesAt(LifecycleEvent),
    /// Is terminated while it executes this event, and minutes later a host of this name registers again.
    ReturnsAfter(LifecycleEvent),
}

/// What a host does after it fetched a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    Acknowledge,
    Complete {
        succeeded: bool,
    },
    /// The instance is terminated.
    Die,
    /// A terminated instance's name is registered again.
    Return,
}

impl Fault {
    pub fn draw(random: &mut Random) -> Self {
        let event = LifecycleEvent::IN_PLACE[random.below(7) as usize];
        match random.below(14) {
            0 => Self::Silent,
            1..=3 => Self::FailsAt(event),
            4 => Self::LateAt(event),
            5 => Self::HangsAt(event),
            6 => Self::Repeats,
            7 => Self::Reorders,
            8 => Self::NeverAcknowledges,
            9 => Self::Reboots,
            10 => {
                let period = random.between(20_000, 1_200_000);
                Self::Flaps { period, away: random.between(1_000, period - 1_000) }
            }
            11 => Self::LosesAnswers,
            12 => Self::DiesAt(event),
            _ => Self::ReturnsAfter(event),
        }
    }

    /// How long after the bell the host asks for work; `None`: never.
    pub fn asks_after(self, random: &mut Random) -> Option<u64> {
        match self {
            Self::Silent => None,
            Self::Reboots => Some(random.between(1_000, 290_000)),
            _ => Some(random.between(1, 2_000)),
        }
    }

    /// For how long from now on the host has no network; 0: it has.
    pub fn away_at(self, millis: u64) -> u64 {
        match self {
            Self::Flaps { period, away } => away.saturating_sub(millis % period),
            _ => 0,
        }
    }

    /// Whether the answer to a poll gets lost.
    pub fn loses_answer(self, random: &mut Random) -> bool {
        self == Self::LosesAnswers && random.chance(60)
    }

    /// What the host does with this event, each deed so many milliseconds after it fetched the command.
    pub fn deeds(self, event: LifecycleEvent, random: &mut Random) -> Vec<(u64, Deed)> {
        let ack = (1, Deed::Acknowledge);
        let done = |at, succeeded| (at, Deed::Complete { succeeded });
        let takes = random.between(2, 5_000);
        match self {
            Self::Slow => vec![ack, done(random.between(10_000, 3_500_000), true)],
            Self::FailsAt(fails) if fails == event => vec![ack, done(takes, false)],
            Self::LateAt(late) if late == event => {
                vec![ack, done(random.between(3_600_001, 9_000_000), true)]
            }
            Self::HangsAt(hangs) if hangs == event => vec![ack],
            Self::Repeats => {
                let again = (takes / 2, Deed::Acknowledge);
                vec![
                    ack,
                    again,
                    done(takes, true),
                    done(takes + 50, false),
                    done(takes + 99, false),
                ]
            }
            Self::Reorders => {
                vec![
                    done(takes, true),
                    (takes + 300, Deed::Acknowledge),
                    done(takes + 6_000, false),
                ]
            }
            Self::NeverAcknowledges => vec![done(takes, true)],
            Self::DiesAt(dies) if dies == event => vec![ack, (takes, Deed::Die)],
            Self::ReturnsAfter(dies) if dies == event => {
                vec![ack, (takes, Deed::Die), (takes + 200_000, Deed::Return)]
            }
            _ => vec![ack, done(takes, true)],
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("is sound"),
            Self::Slow => f.write_str("is slow"),
            Self::Silent => f.write_str("never asks for work"),
            Self::FailsAt(event) => write!(f, "fails {event}"),
            Self::LateAt(event) => write!(f, "completes {event} after its limit"),
            Self::HangsAt(event) => write!(f, "hangs in {event}"),
            Self::Repeats => f.write_str("repeats its reports and contradicts them"),
            Self::Reorders => f.write_str("reports in the wrong order"),
            Self::NeverAcknowledges => f.write_str("never acknowledges"),
            Self::Reboots => f.write_str("reboots before each event"),
            Self::Flaps { period, away } => {
                write!(f, "is offline {} s of every {} s", away / 1000, period / 1000)
            }
            Self::LosesAnswers => f.write_str("loses most answers to its polls"),
            Self::DiesAt(event) => write!(f, "is terminated in {event}"),
            Self::ReturnsAfter(event) => write!(f, "is terminated in {event} and registers again"),
        }
    }
}
