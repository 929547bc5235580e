//! What must be sent to a page that shows a deployment, so that it shows it as it is now.
//!
//! Pure: the store's view and the time come in, elements go out. Each has an id, and takes the place of the one that has
//! it on the page; one that the page does not have yet says what it belongs into. How much that is depends on what
//! moved, and not on how large the fleet is.

use std::collections::BTreeMap;
use std::time::Duration;

use askama::Template;
use model::{Target, Timestamp};
use rollout::WaitingOn;
use store::{DeploymentRecord, DeploymentView};

use super::super::problem::Problem;
use super::deployment::{Actions, Details, Drawing, SQUARES_FROM, Status, filter_counts};
use super::grid::{Differences, Places, Positions};
use super::history::Happened;

/// How often the drawing of more than a few hosts is sent: it changes with each of them, and as a whole.
const REDRAW: Duration = Duration::from_secs(5);

/// The drawing of so many hosts is small enough to be sent at once.
const DRAWN_AT_ONCE_MAX: usize = 10;

/// What a page shows, as far as is known.
pub struct Shown {
    /// Every target, by position.
    targets: Vec<Target>,
    /// The rows that the page has.
    rows: Positions,
    /// Whether the page shows the targets as they are here.
    is_sure: bool,
    /// What was sent of each part that is sent as a whole.
    parts: BTreeMap<&'static str, String>,
    /// The version that the page shows, and the last entry of the history that it has of it.
    version: u64,
    told: Option<(i64, i64)>,
    drawn: Timestamp,
}

impl Shown {
    /// A page that was made of `version`. Targets may be newer: what changed after that version is sent as a whole.
    pub fn of(targets: Vec<Target>, rows: Positions, version: u64, now: Timestamp) -> Self {
        Self {
            targets,
            rows,
            is_sure: false,
            parts: BTreeMap::new(),
            version,
            told: None,
            drawn: now,
        }
    }

    /// The version that the page shows.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// What the page needs to show `view`, which holds the targets that changed since [`Shown::version`].
    ///
    /// # Errors
    /// A template failed, which a checked one never does.
    pub fn patch(
        &mut self,
        view: &DeploymentView,
        waiting: &[WaitingOn],
        now: Timestamp,
    ) -> Result<String, Problem> {
        let record = &view.deployment;
        let mut html = self.of_targets(view, now);
        self.patch_parts(record, waiting, now, &mut html)?;
        self.tell(view, &mut html);
        self.draw(record, now, &mut html)?;
        self.version = record.state.version;
        self.is_sure = true;
        Ok(html)
    }

    fn of_targets(&mut self, view: &DeploymentView, now: Timestamp) -> String {
        let mut differences = Differences::default();
        let square = self.targets.len() >= SQUARES_FROM;
        for target in &view.targets {
            let places = Places { square, row: self.rows.holds(target.position) };
            let found = self.targets.binary_search_by_key(&target.position, |one| one.position);
            let before = found.ok().map(|index| &self.targets[index]).filter(|_| self.is_sure);
            differences.add(&view.deployment.state.id, places, before, target, now);
            match found {
                Ok(index) => self.targets[index] = target.clone(),
                Err(index) => self.targets.insert(index, target.clone()),
            }
        }
        differences.html()
    }

    /// The parts around the grid, each if it changed.
    fn patch_parts(
        &mut self,
        record: &DeploymentRecord,
        waiting: &[WaitingOn],
        now: Timestamp,
        html: &mut String,
    ) -> Result<(), Problem> {
        let status = Status::of(record, &self.targets, waiting, now);
        // Its duration runs on by itself.
        let state = (status.badge.word, record.state.completed.is_some());
        self.patch_part("state", html, &status.as_state(), |_| format!("{state:?}"))?;
        self.patch_part("words", html, &status.as_words(), str::to_owned)?;
        self.patch_part("why", html, &status.as_why(), str::to_owned)?;
        self.patch_part("waits", html, &status.as_waits(), str::to_owned)?;
        self.patch_part("counts", html, &status.as_counts(), str::to_owned)?;
        self.patch_part("actions", html, &Actions::of(record), str::to_owned)?;
        self.patch_part("details", html, &Details::of(record)?, str::to_owned)?;
        let counts: Vec<String> = filter_counts(&record.overview.unwrap_or_default())
            .map(|count| count.to_string())
            .collect();
        let known = self.parts.insert("filters", counts.concat()).unwrap_or_default();
        html.extend(counts.iter().filter(|count| !known.contains(count.as_str())).cloned());
        Ok(())
    }

    /// Adds a part to what is sent, unless it was sent already with this look.
    fn patch_part(
        &mut self,
        name: &'static str,
        html: &mut String,
        part: &impl Template,
        look: impl FnOnce(&str) -> String,
    ) -> Result<(), Problem> {
        let text = part.render().map_err(|error| Problem::internal("a page", error))?;
        let look = look(&text);
        if self.parts.get(name) != Some(&look) {
            html.push_str(&text);
            self.parts.insert(name, look);
        }
        Ok(())
    }

    /// What happened since, oldest first: each goes before the ones that are there.
    fn tell(&mut self, view: &DeploymentView, html: &mut String) {
        // Reasons for waiting are written down after the version that they tell of was shown, perhaps.
        let version = i64::try_from(self.version).unwrap_or(i64::MAX);
        let known = self.told.unwrap_or((version, -1));
        let new = view.timeline.iter().rev().filter(|entry| entry.place > known);
        html.extend(new.map(|entry| Happened(entry.clone()).to_string()));
        self.told = view.timeline.first().map(|entry| entry.place).max(self.told);
    }

    fn draw(
        &mut self,
        record: &DeploymentRecord,
        now: Timestamp,
        html: &mut String,
    ) -> Result<(), Problem> {
        let is_due = now.since(self.drawn) >= REDRAW;
        let is_over = record.state.status.is_over();
        if self.targets.len() > DRAWN_AT_ONCE_MAX && !is_over && !is_due {
            return Ok(());
        }
        if let Some(drawing) = Drawing::live(record, &self.targets, now) {
            self.drawn = now;
            html.push_str(&drawing.render().map_err(|error| Problem::internal("a page", error))?);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use model::{
        DeploymentStatus, Event, EventState, LifecycleEvent, Revision, TargetId, TargetStatus,
    };
    use store::{EntryKind, Overview, TimelineEntry};

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    fn target(position: u32) -> Target {
        let names = [LifecycleEvent::BeforeInstall, LifecycleEvent::Install];
        let event = |name| Event { name, state: EventState::Pending };
        Target {
            id: TargetId::new(format!("web-{position:05}")),
            arn: String::new(),
            host_identifier: String::new(),
            zone: None,
            position,
            status: TargetStatus::Pending,
            last_updated: at(0),
            events: names.map(event).into(),
        }
    }

    /// A deployment of that version to so many hosts, of which `done` are done; what happened last is that one was.
    fn view(version: u64, hosts: u32, done: u32, changed: Vec<Target>) -> DeploymentView {
        let mut deployment = record(version);
        deployment.overview =
            Some(Overview { pending: hosts - done, succeeded: done, ..Overview::default() });
        let entry = |rank: i64| TimelineEntry {
            place: (i64::try_from(version).unwrap() - rank, 0),
            at: at(5),
            kind: EntryKind::Decision,
            target: None,
            rule: String::new(),
            inputs: Vec::new(),
            what: format!("something of {}", i64::try_from(version).unwrap() - rank),
        };
        DeploymentView { deployment, targets: changed, timeline: (0..30).map(entry).collect() }
    }

    fn record(version: u64) -> DeploymentRecord {
        DeploymentRecord {
            state: rollout::Deployment {
                id: "d-75I7MBT7C".parse().unwrap(),
                version,
                creator: model::Creator::User,
                status: DeploymentStatus::InProgress,
                created: at(0),
                started: Some(at(1)),
                completed: None,
                error: None,
                minimum_healthy: model::MinimumHealthyHosts::HostCount(0),
                ignore_application_stop_failures: false,
                stop: None,
                sequence: None,
                zonal: None,
                messages: std::collections::BTreeSet::default(),
                roll_back_on: std::collections::BTreeSet::default(),
                rollback: None,
                alarms: None,
                orphaned: None,
            },
            region: "us-east-1".to_owned(),
            application_id: model::ApplicationId::new("a"),
            application_name: "Shop".parse().unwrap(),
            group_id: model::DeploymentGroupId::new("g"),
            group_name: "Prod".parse().unwrap(),
            config_name: "CodeDeployDefault.AllAtOnce".parse().unwrap(),
            revision: Revision::GitHub {
                repository: "shop/shop".to_owned(),
                commit_id: "0".repeat(40),
            },
            previous_revision: None,
            description: None,
            options: "{}".to_owned(),
            rolls_back: None,
            overview: None,
        }
    }

    /// The page of a fleet's first hundred hosts, which shows version 100.
    fn shown(hosts: u32) -> Shown {
        let targets = (0..hosts).map(target).collect();
        let mut shown = Shown::of(targets, Positions::of(0..hosts.min(100)), 100, at(6));
        shown.patch(&view(100, hosts, 0, Vec::new()), &[], at(6)).unwrap();
        shown
    }

    /// What is sent when one host is done.
    fn one_done(shown: &mut Shown, hosts: u32, position: u32) -> String {
        let mut done = target(position);
        done.status = TargetStatus::Succeeded;
        for event in &mut done.events {
            event.state = EventState::Succeeded { started: at(2), ended: at(5) };
        }
        shown.patch(&view(101, hosts, 1, vec![done]), &[], at(7)).unwrap()
    }

    #[test]
    fn what_is_sent_of_one_host_does_not_grow_with_the_fleet() {
        let sent = |hosts| one_done(&mut shown(hosts), hosts, 7);
        let (hundred, thousands) = (sent(100), sent(10_000));
        assert!(thousands.len() < 1_800, "{} bytes: {thousands}", thousands.len());
        assert!(thousands.len() <= hundred.len() + 20, "{hundred}\n{thousands}");
        let ids: Vec<&str> = thousands
            .split(" id=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .filter(|id| !id.starts_with("count-"))
            .collect();
        assert_eq!(
            ids,
            [
                "s7",
                "c7-0",
                "c7-1",
                "m7",
                "words",
                "counts",
                "filter-Pending",
                "filter-Succeeded",
                "h101-0"
            ]
        );
    }

    #[test]
    fn of_a_host_on_another_page_of_the_grid_only_its_square_is_sent() {
        let html = one_done(&mut shown(1_000), 1_000, 700);
        assert!(html.contains("id=\"m700\"") && !html.contains("<td"), "{html}");
    }

    #[test]
    fn nothing_is_sent_twice() {
        let mut shown = shown(1_000);
        assert_eq!(shown.patch(&view(100, 1_000, 0, Vec::new()), &[], at(6)).unwrap(), "");
        assert_ne!(one_done(&mut shown, 1_000, 7), "");
        assert_eq!(one_done(&mut shown, 1_000, 7), "");
        assert_eq!(shown.version(), 101);
    }

    #[test]
    fn a_page_that_was_away_gets_what_changed_as_a_whole() {
        // It knows nothing of how its page shows the targets, and the ones here are newer.
        let targets: Vec<Target> = (0..1_000).map(target).collect();
        let mut shown = Shown::of(targets.clone(), Positions::of(0..100), 90, at(6));
        let html = shown.patch(&view(100, 1_000, 0, vec![targets[7].clone()]), &[], at(6)).unwrap();
        for id in ["m7", "s7", "c7-0", "c7-1", "state", "actions", "details", "h90-0", "h100-0"] {
            assert!(html.contains(&format!(" id=\"{id}\"")), "{id}: {html}");
        }
        assert!(!html.contains("h89-0") && !html.contains("id=\"m8\""), "{html}");
        // The newest entry of the history goes before all others, so it comes last.
        assert!(html.find("h99-0") < html.find("h100-0"), "{html}");
    }

    #[test]
    fn a_large_fleet_is_drawn_anew_now_and_then() {
        let mut shown = shown(1_000);
        let mut chart = |seconds| {
            let html = shown.patch(&view(101, 1_000, 0, Vec::new()), &[], at(seconds)).unwrap();
            html.contains("id=\"chart\"")
        };
        assert_eq!([7, 10, 11, 12, 16].map(&mut chart), [false, false, true, false, true]);
    }
}
