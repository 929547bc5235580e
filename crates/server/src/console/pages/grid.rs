//! Hosts by lifecycle events: rows of cells, each with an id by which it is replaced when it changes.

use std::fmt;
use std::str::FromStr;

use askama::filters::HtmlSafe;
use model::{DeploymentId, Target, Timestamp};

use super::super::frame::target_place;
use super::super::show::{self, Badge};

/// A cell: one lifecycle event on one host, or the host's status.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// Unique on the page.
    pub id: String,
    badge: Badge,
    /// How long the event took, or takes.
    lasted: Option<String>,
    /// Seconds that it has run already; the page's script counts on.
    runs: Option<f64>,
}

impl Cell {
    /// Whether both look the same; a running event's seconds are counted on by the page itself.
    pub fn looks_like(&self, other: &Self) -> bool {
        self.badge == other.badge && (self.runs.is_some() || self.lasted == other.lasted)
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, badge, lasted, runs } = self;
        write!(
            f,
            "<td id=\"{id}\" class=\"ev {}\"><span class=\"vh\">{}</span>",
            badge.look, badge.word
        )?;
        match (lasted, runs) {
            (Some(lasted), Some(runs)) => {
                write!(f, " <span class=\"lasted\" data-runs=\"{runs:.1}\">{lasted}</span></td>")
            }
            (Some(lasted), None) => write!(f, " <span class=\"lasted\">{lasted}</span></td>"),
            (None, _) => f.write_str("</td>"),
        }
    }
}

impl HtmlSafe for Cell {}

/// The cell that shows a host's status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusCell {
    id: String,
    badge: Badge,
}

impl fmt::Display for StatusCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<td id=\"{}\">{}</td>", self.id, self.badge)
    }
}

impl HtmlSafe for StatusCell {}

/// A square that stands for one host among many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Square {
    id: String,
    badge: Badge,
    name: String,
    place: String,
}

impl fmt::Display for Square {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, badge, name, place } = self;
        // Names of hosts are of letters, digits and a few harmless marks. The title is what the link is called.
        write!(
            f,
            "<a id=\"{id}\" class=\"sq {}\" href=\"{place}\" title=\"{name}: {word}\"></a>",
            badge.look,
            word = badge.word
        )
    }
}

impl HtmlSafe for Square {}

/// One host.
pub struct Row {
    pub name: String,
    pub place: String,
    pub status: StatusCell,
    pub cells: Vec<Cell>,
}

impl Row {
    pub fn of(id: &DeploymentId, target: &Target, now: Timestamp) -> Self {
        Self {
            name: target.id.to_string(),
            place: target_place(id, &target.id),
            status: status(target),
            cells: cells(target, now),
        }
    }
}

/// The status cell of a host.
pub fn status(target: &Target) -> StatusCell {
    StatusCell { id: format!("s{}", target.position), badge: Badge::target(target.status) }
}

/// The square of a host.
pub fn square(id: &DeploymentId, target: &Target) -> Square {
    Square {
        id: format!("m{}", target.position),
        badge: Badge::target(target.status),
        name: target.id.to_string(),
        place: target_place(id, &target.id),
    }
}

/// The cells of a host's events, in their order.
pub fn cells(target: &Target, now: Timestamp) -> Vec<Cell> {
    let numbered = target.events.iter().enumerate();
    numbered
        .map(|(number, event)| Cell {
            id: format!("c{}-{number}", target.position),
            badge: Badge::event(&event.state),
            lasted: show::event_lasted(&event.state, now).map(|lasted| lasted.to_string()),
            runs: show::running_seconds(&event.state, now),
        })
        .collect()
}

/// What of a host a page shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Places {
    /// Its square.
    pub square: bool,
    /// Its row in the grid.
    pub row: bool,
}

/// What of hosts looks otherwise than before, as the elements that replace the old ones.
#[derive(Debug, Default)]
pub struct Differences {
    squares: String,
    cells: String,
}

impl Differences {
    /// Adds what differs of one host.
    pub fn add(
        &mut self,
        id: &DeploymentId,
        places: Places,
        before: Option<&Target>,
        after: &Target,
        now: Timestamp,
    ) {
        let changed_status = before.is_none_or(|before| before.status != after.status);
        if changed_status && places.square {
            self.squares += &square(id, after).to_string();
        }
        if !places.row {
            return;
        }
        if changed_status {
            self.cells += &status(after).to_string();
        }
        let old = before.map(|before| cells(before, now)).unwrap_or_default();
        for (number, cell) in cells(after, now).into_iter().enumerate() {
            if old.get(number).is_none_or(|old| !old.looks_like(&cell)) {
                self.cells += &cell.to_string();
            }
        }
    }

    /// All of it. Cells stand in a table: elsewhere parsers drop them.
    pub fn html(self) -> String {
        let Self { squares, cells } = self;
        match cells.is_empty() {
            true => squares,
            false => format!("<table><tr>{cells}</tr></table>{squares}"),
        }
    }
}

/// Positions of targets, ascending; written as `0-99,105`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Positions(Vec<(u32, u32)>);

impl Positions {
    /// Of these positions, which ascend.
    pub fn of(positions: impl Iterator<Item = u32>) -> Self {
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        for position in positions {
            match ranges.last_mut() {
                Some((_, last)) if last.checked_add(1) == Some(position) => *last = position,
                _ => ranges.push((position, position)),
            }
        }
        Self(ranges)
    }

    /// Whether the position is one of them.
    pub fn holds(&self, position: u32) -> bool {
        self.0.iter().any(|(first, last)| (*first..=*last).contains(&position))
    }
}

impl fmt::Display for Positions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (first, last)) in self.0.iter().enumerate() {
            let comma = if number == 0 { "" } else { "," };
            match first == last {
                true => write!(f, "{comma}{first}")?,
                false => write!(f, "{comma}{first}-{last}")?,
            }
        }
        Ok(())
    }
}

/// A text does not list positions.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no list of positions such as `0-99,105`")]
pub struct InvalidPositions(String);

impl FromStr for Positions {
    type Err = InvalidPositions;

    fn from_str(text: &str) -> Result<Self, InvalidPositions> {
        let range = |part: &str| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            Some((first.parse().ok()?, last.parse().ok()?))
        };
        let parts = text.split(',').filter(|part| !part.is_empty());
        let ranges: Option<Vec<(u32, u32)>> = parts.map(range).collect();
        ranges.map(Self).ok_or_else(|| InvalidPositions(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use model::{Event, EventState, LifecycleEvent, TargetId, TargetStatus};

    use super::*;

    #[test]
    fn only_what_looks_otherwise_is_sent() {
        let at = Timestamp::from_millis;
        let id: DeploymentId = "d-75I7MBT7C".parse().unwrap();
        let event = |name, state| Event { name, state };
        let done = EventState::Succeeded { started: at(0), ended: at(1_500) };
        let before = Target {
            id: TargetId::new("web-01"),
            arn: String::new(),
            host_identifier: String::new(),
            zone: None,
            position: 3,
            status: TargetStatus::InProgress,
            last_updated: at(1_500),
            events: vec![
                event(LifecycleEvent::Install, done.clone()),
                event(LifecycleEvent::AfterInstall, EventState::Pending),
            ],
        };
        let everywhere = Places { square: true, row: true };
        let differences_at = |places, before: Option<&Target>, after: &Target| {
            let mut differences = Differences::default();
            differences.add(&id, places, before, after, at(2_000));
            differences.html()
        };
        let differences =
            |before: Option<&Target>, after: &Target| differences_at(everywhere, before, after);
        assert_eq!(differences(Some(&before), &before), "");
        let mut after = before.clone();
        after.events[1].state = done;
        let second = "<td id=\"c3-1\" class=\"ev ok\"><span class=\"vh\">Succeeded</span> <span class=\"lasted\">1.5 s</span></td>";
        let table = format!("<table><tr>{second}</tr></table>");
        assert_eq!(differences(Some(&before), &after), table);
        after.status = TargetStatus::Succeeded;
        let html = differences(Some(&before), &after);
        assert!(html.contains("<td id=\"s3\">") && html.contains("<a id=\"m3\""), "{html}");
        assert_eq!(differences(None, &after).matches(" id=").count(), 4);
        // Of a host that is not on this page of the grid, only its square.
        let square_only = Places { square: true, row: false };
        let html = differences_at(square_only, Some(&before), &after);
        assert!(html.starts_with("<a id=\"m3\"") && html.matches(" id=").count() == 1, "{html}");
    }

    #[test]
    fn positions_are_written_as_ranges() {
        for (positions, text) in [
            (vec![], ""),
            (vec![4], "4"),
            (vec![0, 1, 2], "0-2"),
            (vec![0, 1, 5, 7, 8], "0-1,5,7-8"),
        ] {
            let written = Positions::of(positions.iter().copied());
            assert_eq!(written.to_string(), text);
            let read: Positions = text.parse().unwrap();
            assert_eq!(read, written);
            assert!((0..10).all(|one| read.holds(one) == positions.contains(&one)));
        }
        assert!("0-".parse::<Positions>().is_err() && "a".parse::<Positions>().is_err());
    }
}
