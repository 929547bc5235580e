//! Hosts by lifecycle events: rows of cells, each with an id by which it is replaced when it changes.

use std::fmt;

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
        // Names of hosts are of letters, digits and a few harmless marks.
        write!(
            f,
            "<a id=\"{id}\" class=\"sq {}\" href=\"{place}\" title=\"{name}: {word}\"><span class=\"vh\">{name}: {word}</span></a>",
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

/// What of a host looks otherwise than before, as the elements that replace the old ones.
pub fn differences(
    id: &DeploymentId,
    before: Option<&Target>,
    after: &Target,
    now: Timestamp,
) -> String {
    let mut html = String::new();
    let changed_status = before.is_none_or(|before| before.status != after.status);
    if changed_status {
        html += &status(after).to_string();
        html += &square(id, after).to_string();
    }
    let old = before.map(|before| cells(before, now)).unwrap_or_default();
    for (number, cell) in cells(after, now).into_iter().enumerate() {
        if old.get(number).is_none_or(|old| !old.looks_like(&cell)) {
            html += &cell.to_string();
        }
    }
    html
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
        assert_eq!(differences(&id, Some(&before), &before, at(2_000)), "");
        let mut after = before.clone();
        after.events[1].state = done;
        let second = "<td id=\"c3-1\" class=\"ev ok\"><span class=\"vh\">Succeeded</span> <span class=\"lasted\">1.5 s</span></td>";
        assert_eq!(differences(&id, Some(&before), &after, at(2_000)), second);
        after.status = TargetStatus::Succeeded;
        let html = differences(&id, Some(&before), &after, at(2_000));
        assert!(html.starts_with("<td id=\"s3\">") && html.contains("id=\"m3\""), "{html}");
        assert_eq!(differences(&id, None, &after, at(2_000)).matches(" id=").count(), 4);
    }
}
