//! The rollout as a drawing: who was out of service when, and how many were in service.
//!
//! A host is out of service from its first lifecycle event until its last has succeeded; one that failed stays out.
//! Source: CodeDeploy user guide, "Instance health".

use std::fmt::Write;
use std::time::Duration;

use askama::filters::HtmlSafe;
use model::{EventState, Target, Timestamp};
use store::DeploymentRecord;

use super::super::show::{self, Lasted};

/// Inner width of the drawing, in its own units.
const WIDTH: f64 = 900.0;
/// Room for names at the left.
const LEFT: f64 = 150.0;
/// Height of the upper part, which counts hosts in service.
const COUNT_HEIGHT: f64 = 96.0;
const TOP: f64 = 14.0;
/// Lanes with names up to so many hosts. Up to [`LANES_MAX`], thin ones on a page that is made when all is over; before,
/// the whole drawing is sent again and again, must stay small, and must not grow under whoever reads the page.
const NAMED_LANES_MAX: usize = 40;
const LANES_MAX: usize = 240;

/// Parts of the axis of time, each with at most two counts: a fleet of thousands is drawn as fast as one of a hundred.
const COLUMNS: f64 = 300.0;

/// The drawing, as SVG.
pub struct Chart {
    svg: String,
    /// The same in words.
    pub caption: String,
}

impl std::fmt::Display for Chart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.svg)
    }
}

impl HtmlSafe for Chart {}

/// The drawing of a deployment that has begun.
pub fn draw(
    record: &DeploymentRecord,
    targets: &[Target],
    has_thin_lanes: bool,
    now: Timestamp,
) -> Option<Chart> {
    let started = record.state.started?;
    if targets.is_empty() {
        return None;
    }
    let end = record.state.completed.unwrap_or(now).max(started + Duration::from_millis(1));
    let drawing = Drawing {
        targets,
        started,
        end,
        has_thin_lanes,
        minimum: record.state.minimum_healthy.hosts(u32::try_from(targets.len()).ok()?),
    };
    Some(drawing.chart())
}

struct Drawing<'a> {
    targets: &'a [Target],
    started: Timestamp,
    end: Timestamp,
    has_thin_lanes: bool,
    minimum: u32,
}

/// When a target left service, and when it came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Absence {
    from: Timestamp,
    to: Option<Timestamp>,
}

impl Drawing<'_> {
    fn chart(&self) -> Chart {
        let steps = self.steps();
        let lowest = steps.iter().map(|(_, in_service)| *in_service).min().unwrap_or_default();
        let (lane, named) = match self.targets.len() {
            hosts if hosts <= NAMED_LANES_MAX => (18.0, true),
            hosts if hosts <= LANES_MAX && self.has_thin_lanes => (5.0, false),
            _ => (0.0, false),
        };
        #[expect(clippy::cast_precision_loss, reason = "a fleet is counted in thousands")]
        let lanes_height = lane * self.targets.len() as f64;
        let lanes_top = TOP + COUNT_HEIGHT + 22.0;
        let height = lanes_top + lanes_height + 26.0;
        let caption = format!(
            "{} of {} hosts in service at the least; the minimum is {}.",
            lowest,
            self.targets.len(),
            self.minimum
        );
        let total = LEFT + WIDTH + 16.0;
        let mut svg = format!(
            "<svg viewBox=\"0 0 {total} {height}\" width=\"{total}\" height=\"{height}\" role=\"img\" \
             aria-label=\"Timeline of the rollout. {caption}\">"
        );
        self.draw_axis(&mut svg, lanes_top + lanes_height);
        self.draw_count(&mut svg, &self.thinned(&steps));
        match named {
            true => self.draw_lanes(&mut svg, lanes_top, lane),
            false if lane > 0.0 => self.draw_thin_lanes(&mut svg, lanes_top, lane),
            false => {}
        }
        svg.push_str("</svg>");
        Chart { svg, caption }
    }

    fn x(&self, at: Timestamp) -> f64 {
        let whole = self.end.since(self.started).as_secs_f64().max(0.001);
        let part = at.clamp(self.started, self.end).since(self.started).as_secs_f64();
        LEFT + WIDTH * part / whole
    }

    /// The height at which so many hosts are counted.
    fn y(&self, hosts: u32) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a fleet is counted in thousands")]
        let part = f64::from(hosts) / (self.targets.len() as f64);
        TOP + COUNT_HEIGHT * (1.0 - part)
    }

    /// How many hosts were in service, from each moment on.
    fn steps(&self) -> Vec<(Timestamp, u32)> {
        let mut changes: Vec<(Timestamp, i64)> = Vec::new();
        for absence in self.targets.iter().filter_map(absence) {
            changes.push((absence.from, -1));
            changes.extend(absence.to.map(|to| (to, 1)));
        }
        // Who comes back makes room for who leaves at the same moment.
        changes.sort_by_key(|(at, change)| (*at, -change));
        let mut in_service = i64::try_from(self.targets.len()).unwrap_or(i64::MAX);
        let mut steps = vec![(self.started, u32::try_from(in_service).unwrap_or(u32::MAX))];
        for (at, change) in changes {
            in_service += change;
            steps.push((at, u32::try_from(in_service).unwrap_or_default()));
        }
        steps
    }

    /// The same with the lowest and the last count of each column only.
    fn thinned(&self, steps: &[(Timestamp, u32)]) -> Vec<(Timestamp, u32)> {
        let column = |(at, _): &(Timestamp, u32)| (self.x(*at) * COLUMNS / WIDTH).floor();
        let mut thinned = Vec::new();
        for same in steps.chunk_by(|one, other| column(one).total_cmp(&column(other)).is_eq()) {
            thinned.extend(same.iter().min_by_key(|(_, in_service)| *in_service));
            thinned.extend(same.last());
        }
        thinned.dedup();
        thinned
    }

    fn draw_count(&self, svg: &mut String, steps: &[(Timestamp, u32)]) {
        let mut line = String::new();
        for (number, (at, hosts)) in steps.iter().enumerate() {
            let (x, y) = (self.x(*at), self.y(*hosts));
            let _ = match number {
                0 => write!(line, "M{x:.1} {y:.1}"),
                _ => write!(line, "H{x:.1}V{y:.1}"),
            };
        }
        let right = LEFT + WIDTH;
        let _ = write!(line, "H{right:.1}");
        let bottom = TOP + COUNT_HEIGHT;
        let _ = write!(
            svg,
            "<path class=\"area\" d=\"{line}V{bottom:.1}H{LEFT:.1}Z\"/><path class=\"line\" d=\"{line}\"/>"
        );
        let y = self.y(self.minimum);
        let _ = write!(
            svg,
            "<line class=\"minimum\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <text class=\"minimum-name\" x=\"{x}\" y=\"{y:.1}\" dy=\"4\" text-anchor=\"end\">minimum {}</text>",
            self.minimum,
            x = LEFT - 8.0,
        );
        let all = u32::try_from(self.targets.len()).unwrap_or(u32::MAX);
        // The two names must not stand on each other.
        if (self.y(all) - y).abs() > 12.0 {
            let _ = write!(
                svg,
                "<text x=\"{}\" y=\"{:.1}\" dy=\"4\" text-anchor=\"end\">{all} in service</text>",
                LEFT - 8.0,
                self.y(all)
            );
        }
        if (bottom - y).abs() > 12.0 {
            let _ = write!(
                svg,
                "<text x=\"{}\" y=\"{bottom:.1}\" dy=\"4\" text-anchor=\"end\">0</text>",
                LEFT - 8.0
            );
        }
    }

    fn draw_axis(&self, svg: &mut String, bottom: f64) {
        let step = tick(self.end.since(self.started));
        let mut at = Duration::ZERO;
        while self.started + at <= self.end {
            let x = self.x(self.started + at);
            let _ = write!(
                svg,
                "<line class=\"tick\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{:.1}\"/>\
                 <text class=\"tick-name\" x=\"{x:.1}\" y=\"{:.1}\">{}</text>",
                bottom + 4.0,
                bottom + 18.0,
                offset(at)
            );
            at += step;
        }
    }

    fn draw_lanes(&self, svg: &mut String, top: f64, lane: f64) {
        let bar = lane - 6.0;
        let mut y = top;
        for target in self.targets {
            let _ = write!(
                svg,
                "<text x=\"{}\" y=\"{:.1}\" dy=\"4\" text-anchor=\"end\">{}</text>",
                LEFT - 8.0,
                y + bar / 2.0,
                escaped(&shortened(target.id.as_str()))
            );
            for event in &target.events {
                let Some((from, to, look)) = self.extent(&event.state) else { continue };
                let (x, width) = (self.x(from), (self.x(to) - self.x(from)).max(1.5));
                let lasted =
                    show::event_lasted(&event.state, self.end).unwrap_or(Lasted(Duration::ZERO));
                let _ = write!(
                    svg,
                    "<rect class=\"{look}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{bar:.1}\" rx=\"1.5\">\
                     <title>{}: {}, {lasted}</title></rect>",
                    escaped(target.id.as_str()),
                    event.name,
                );
            }
            y += lane;
        }
    }

    /// Without names, and with one bar for events that ended alike one after the other.
    fn draw_thin_lanes(&self, svg: &mut String, top: f64, lane: f64) {
        let mut y = top;
        for target in self.targets {
            let extents: Vec<_> =
                target.events.iter().filter_map(|event| self.extent(&event.state)).collect();
            let _ = write!(svg, "<g><title>{}</title>", escaped(target.id.as_str()));
            for alike in extents.chunk_by(|(.., one), (.., other)| one == other) {
                let [(from, _, look), ..] = alike else { continue };
                let to = alike.last().map_or(*from, |(_, to, _)| *to);
                let (x, width) = (self.x(*from), (self.x(to) - self.x(*from)).max(1.5));
                let _ = write!(
                    svg,
                    "<rect class=\"{look}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{:.1}\"/>",
                    lane - 1.0
                );
            }
            svg.push_str("</g>");
            y += lane;
        }
    }

    /// From when to when an event ran, and how it looks.
    fn extent(&self, state: &EventState) -> Option<(Timestamp, Timestamp, &'static str)> {
        match state {
            EventState::Pending | EventState::Skipped { .. } => None,
            EventState::InProgress { dispatched, .. } => Some((*dispatched, self.end, "run")),
            EventState::Succeeded { started, ended } => Some((*started, *ended, "ok")),
            EventState::Failed { started, ended, .. } => Some((*started, *ended, "bad")),
        }
    }
}

fn absence(target: &Target) -> Option<Absence> {
    let mut from = None;
    let mut to = None;
    for event in &target.events {
        match &event.state {
            EventState::Pending | EventState::Skipped { .. } => {}
            EventState::InProgress { dispatched, .. } => from = from.or(Some(*dispatched)),
            EventState::Succeeded { started, ended }
            | EventState::Failed { started, ended, .. } => {
                from = from.or(Some(*started));
                to = to.max(Some(*ended));
            }
        }
    }
    let came_back = target.status == model::TargetStatus::Succeeded;
    from.map(|from| Absence { from, to: to.filter(|_| came_back) })
}

/// The distance of two marks on the axis of time, so that there are about eight.
fn tick(whole: Duration) -> Duration {
    const STEPS_MILLIS: [u64; 18] = [
        50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 60_000, 120_000, 300_000,
        600_000, 1_200_000, 3_600_000, 14_400_000, 86_400_000,
    ];
    let wanted = whole.as_millis() / 8;
    let step = STEPS_MILLIS.into_iter().find(|step| u128::from(*step) >= wanted);
    Duration::from_millis(step.unwrap_or(604_800_000))
}

fn offset(at: Duration) -> String {
    let seconds = at.as_secs();
    match seconds {
        0..60 if at.subsec_millis() > 0 => format!("{} s", at.as_secs_f64()),
        0..60 => format!("{seconds} s"),
        60..3600 if seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        60..3600 => format!("{}:{:02}", seconds / 60, seconds % 60),
        _ if seconds.is_multiple_of(3600) => format!("{} h", seconds / 3600),
        _ => format!("{}:{:02} h", seconds / 3600, seconds % 3600 / 60),
    }
}

/// Names that fit beside a lane.
fn shortened(name: &str) -> String {
    const NAME_MAX: usize = 20;
    if name.chars().count() <= NAME_MAX {
        return name.to_owned();
    }
    let beginning: String = name.chars().take(NAME_MAX - 1).collect();
    format!("{beginning}…")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use model::{Event, LifecycleEvent, TargetId, TargetStatus};

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    /// A host whose only event ran so.
    fn host(name: &str, status: TargetStatus, from: i64, to: i64) -> Target {
        let state = EventState::Succeeded { started: at(from), ended: at(to) };
        Target {
            id: TargetId::new(name),
            arn: String::new(),
            host_identifier: String::new(),
            zone: None,
            position: 0,
            status,
            last_updated: at(to),
            events: vec![Event { name: LifecycleEvent::Install, state }],
        }
    }

    #[test]
    fn hosts_are_out_of_service_until_they_succeed() {
        let targets = [
            host("a", TargetStatus::Succeeded, 0, 10),
            host("b<", TargetStatus::Failed, 10, 20),
            host("c", TargetStatus::Succeeded, 20, 30),
        ];
        let drawing = Drawing {
            targets: &targets,
            started: at(0),
            end: at(40),
            has_thin_lanes: true,
            minimum: 2,
        };
        let counts: Vec<u32> = drawing.steps().into_iter().map(|(_, hosts)| hosts).collect();
        assert_eq!(counts, [3, 2, 3, 2, 1, 2]);
        let chart = drawing.chart();
        assert_eq!(chart.caption, "1 of 3 hosts in service at the least; the minimum is 2.");
        assert!(chart.svg.contains("b&lt;"), "{}", chart.svg);
        assert_eq!(chart.svg.matches("<rect").count(), 3);
    }

    #[test]
    fn large_fleets_have_no_lanes() {
        let targets: Vec<Target> =
            (0..1000).map(|n| host(&n.to_string(), TargetStatus::Succeeded, n, n + 1)).collect();
        let drawing = Drawing {
            targets: &targets,
            started: at(0),
            end: at(1000),
            has_thin_lanes: true,
            minimum: 990,
        };
        let svg = drawing.chart().svg;
        assert!(!svg.contains("<rect") && svg.len() < 20_000, "{}", svg.len());
    }

    #[test]
    fn hosts_without_names_have_a_thin_lane_where_there_is_room() {
        let targets: Vec<Target> =
            (0..100).map(|n| host(&n.to_string(), TargetStatus::Succeeded, n, n + 1)).collect();
        let bars = |has_thin_lanes| {
            let (started, end) = (at(0), at(100));
            let drawing = Drawing { targets: &targets, started, end, has_thin_lanes, minimum: 90 };
            drawing.chart().svg.matches("<rect").count()
        };
        assert_eq!((bars(false), bars(true)), (0, 100));
    }

    #[test]
    fn of_many_counts_the_lowest_of_each_moment_stay() {
        let targets: Vec<Target> = (0..1000)
            .map(|n| host(&n.to_string(), TargetStatus::Succeeded, n / 100 * 10, n / 100 * 10 + 1))
            .collect();
        let drawing = Drawing {
            targets: &targets,
            started: at(0),
            end: at(100_000),
            has_thin_lanes: true,
            minimum: 900,
        };
        let steps = drawing.steps();
        let thinned = drawing.thinned(&steps);
        assert_eq!(thinned.iter().map(|(_, count)| *count).min(), Some(900));
        assert_eq!(thinned.last(), steps.last());
        assert!(thinned.len() <= 2, "{thinned:?}");
    }

    #[test]
    fn marks_are_about_eight() {
        let marks = |seconds| {
            let whole = Duration::from_secs(seconds);
            whole.as_millis() / tick(whole).as_millis()
        };
        for seconds in [1, 8, 31, 100, 1000, 5000, 40_000] {
            assert!((2..=12).contains(&marks(seconds)), "{seconds}: {}", marks(seconds));
        }
    }
}
