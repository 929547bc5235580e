//! Whole deployments of small fleets: what the store commits is what `Snapshot::apply` says.

use model::{
    Creator, DeploymentId, Diagnostics, Event, EventState, HostCommandId, LifecycleEvent,
    MinimumHealthyHosts, RollbackEvent, StatusMessage, Target, TargetId, TargetStatus, Timestamp,
    ZonalConfig,
};
use rollout::replay::Told;
use rollout::{
    Action, AlarmFinding, AlarmWatch, Candidate, Completion, HealthClass, HostCommand, Members,
    Replay, Rollback, Snapshot, StopIntent,
};
use std::time::Duration;
use store::{Acknowledge, AlarmReading, Commit, NewDeployment, Planned, Store};

use crate::support::{at, create, demo, deployment, deployment_id, on_both_engines};

on_both_engines!(plans_are_committed_as_they_are_applied);

/// A host that nothing was done to yet.
pub fn target(position: u32, name: &str) -> Target {
    let events = LifecycleEvent::IN_PLACE.map(|name| Event { name, state: EventState::Pending });
    Target {
        id: TargetId::new(name),
        arn: format!("arn:{name}"),
        host_identifier: format!("host/{name}"),
        zone: None,
        position,
        status: TargetStatus::Pending,
        last_updated: at(1),
        events: events.into(),
    }
}

/// Starts the fresh deployment on hosts of these names.
pub async fn begin(store: &Store, number: u32, millis: i64, names: &[&str]) {
    let targets = (0..).zip(names).map(|(position, name)| target(position, name)).collect();
    let start = Action::Start { at: at(millis), targets };
    let commit =
        store.commit(&deployment_id(number), 1, &Planned::acting(at(0), &[start])).await.unwrap();
    assert_eq!(commit, Commit::Done);
}

/// Orders the event, those before it having succeeded.
pub async fn dispatched(
    store: &Store,
    number: u32,
    version: u64,
    name: &str,
    event: LifecycleEvent,
    millis: i64,
) -> HostCommand {
    let id = deployment_id(number);
    let mut target = store.target(&id, &TargetId::new(name)).await.unwrap().unwrap();
    let command = HostCommand {
        id: HostCommandId::derive(&id, &target.id, event, 1),
        target: target.id.clone(),
        host_identifier: target.host_identifier.clone(),
        event,
        dispatched: at(millis),
    };
    for earlier in target.events.iter_mut().take_while(|earlier| earlier.name != event) {
        earlier.state = EventState::Succeeded { started: at(millis), ended: at(millis) };
    }
    let own = target.events.iter_mut().find(|own| own.name == event).unwrap();
    own.state = EventState::InProgress { command: command.id.clone(), dispatched: at(millis) };
    target.status = TargetStatus::InProgress;
    target.last_updated = at(millis);
    let actions = [Action::Dispatch(command.clone()), Action::UpdateTarget(target)];
    assert_eq!(
        store.commit(&id, version, &Planned::acting(at(0), &actions)).await.unwrap(),
        Commit::Done
    );
    command
}

/// Fails the first event that is not over, and so the target.
pub fn fail(target: &mut Target, millis: i64) {
    let diagnostics = Diagnostics::unknown_error("no answer");
    let ended = at(millis);
    target.events[0].state = EventState::Failed { started: ended, ended, diagnostics };
    for later in &mut target.events[1..] {
        later.state = EventState::Skipped { ended };
    }
    target.status = TargetStatus::Failed;
    target.last_updated = ended;
}

/// Numbers that are the same in every run with the same seed.
struct Dice(u64);

impl Dice {
    /// One of `0..sides`. Source: SplitMix64.
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }
}

async fn plans_are_committed_as_they_are_applied(store: Store) {
    demo(&store).await;
    for seed in 1..=12_u32 {
        // A failure names the fleet that it happened in.
        println!("seed {seed}");
        let mut dice = Dice(seed.into());
        let mut new = deployment(seed);
        new.minimum_healthy = match dice.roll(3) {
            0 => MinimumHealthyHosts::MostConcurrency(1),
            1 => MinimumHealthyHosts::FleetPercent(50),
            _ => MinimumHealthyHosts::HostCount(1),
        };
        new.ignore_application_stop_failures = dice.roll(2) == 0;
        if dice.roll(2) == 0 {
            new.roll_back_on = [RollbackEvent::Failure, RollbackEvent::StopOnAlarm].into();
        }
        if dice.roll(3) == 0 {
            let ignore = dice.roll(2) == 0;
            new.alarms = Some(AlarmWatch::new(vec!["cpu".to_owned()], ignore));
        }
        if dice.roll(3) == 0 {
            let minute = Duration::from_secs(60);
            let minimum = MinimumHealthyHosts::HostCount(u32::try_from(dice.roll(2)).unwrap());
            new.zonal = Some(ZonalConfig {
                first_zone_monitor: None,
                monitor: Some(minute),
                minimum_healthy_per_zone: Some(minimum),
            });
            new.messages = [StatusMessage::RollbackWithoutZones].into();
        }
        new.created = at(1_000_000);
        create(&store, &new).await;
        let size = u32::try_from(dice.roll(6)).unwrap();
        let (id, now) = (new.id, new.created);
        let mut fleet = Fleet { store: &store, id, size, dice, now, remembered: None };
        while let Some(rollback) = fleet.run().await {
            (fleet.id, fleet.remembered) = (rollback, None);
        }
    }
}

struct Fleet<'a> {
    store: &'a Store,
    id: DeploymentId,
    size: u32,
    dice: Dice,
    now: Timestamp,
    /// The deployment as it was some commits ago.
    remembered: Option<Snapshot>,
}

impl Fleet<'_> {
    /// Plays the deployment to its end; what rolls it back, if anything does.
    async fn run(&mut self) -> Option<DeploymentId> {
        for _ in 0..2_000 {
            let wake_at = self.advance().await;
            let state = self.store.deployment_state(&self.id).await.unwrap().unwrap();
            if state.status.is_over() {
                return match state.rollback {
                    Some(Rollback::Made(id)) => Some(id),
                    Some(Rollback::Impossible) | None => None,
                };
            }
            self.now = self.now + Duration::from_secs(self.dice.roll(90));
            if !self.hosts_act().await && self.dice.roll(3) == 0 {
                self.now = wake_at.unwrap_or(self.now).max(self.now);
            }
            if self.dice.roll(120) == 0 {
                self.stop().await;
            }
            self.alarms().await;
        }
        panic!("the deployment does not end");
    }

    async fn seen(&self) -> Snapshot {
        let mut seen = self.store.snapshot(&self.id).await.unwrap().unwrap();
        if !seen.deployment.status.has_started() {
            seen.members = Members::Known((0..self.size).map(candidate).collect());
        }
        seen
    }

    /// Plans and commits once, and compares.
    async fn advance(&mut self) -> Option<Timestamp> {
        let seen = self.seen().await;
        let earlier = self.remembered.take().unwrap_or_else(|| seen.clone());
        let version = seen.deployment.version;
        let plan = rollout::plan(&seen, self.now);
        let mut expected = seen;
        expected.apply(&plan.actions);
        let rollback = plan.rollback().map(|id| NewDeployment {
            id: id.clone(),
            creator: Creator::Rollback,
            rolls_back: Some(self.id.clone()),
            created: self.now,
            ..deployment(1)
        });
        let planned = Planned {
            at: self.now,
            actions: &plan.actions,
            decisions: &plan.decisions,
            waiting: &plan.waiting,
            rollback: rollback.as_ref(),
            limits: None,
        };
        assert_eq!(self.store.commit(&self.id, version, &planned).await.unwrap(), Commit::Done);

        let found = self.seen().await;
        assert_eq!(found.deployment, expected.deployment);
        assert_eq!(found.targets, expected.targets);
        let running: Vec<&HostCommandId> = expected
            .targets
            .iter()
            .flat_map(|target| &target.events)
            .filter_map(|event| match &event.state {
                EventState::InProgress { command, .. } => Some(command),
                _ => None,
            })
            .collect();
        expected.reports.retain(|command, _| running.contains(&command));
        assert_eq!(found.reports, expected.reports);
        assert_eq!(rollout::plan(&found, self.now).actions, [], "replanning is empty");
        if !plan.actions.is_empty() {
            let again = self.store.commit(&self.id, version, &planned).await.unwrap();
            assert_eq!(again, Commit::Stale);
        }
        assert_eq!(self.replayed().await, Replay::of(&found), "the timeline alone tells as much");

        let remembered = self.since(&earlier, &found).await;
        let keep_up = self.dice.roll(3) == 0;
        self.remembered = Some(if keep_up { remembered } else { earlier });
        plan.wake_at
    }

    /// What was seen `earlier`, brought up to date: it is what a fresh look `found`, as far as the planner can tell.
    async fn since(&self, earlier: &Snapshot, found: &Snapshot) -> Snapshot {
        let mut since = self.store.snapshot_since(earlier.clone()).await.unwrap().unwrap();
        if !since.deployment.status.has_started() {
            since.members.clone_from(&found.members);
        }
        assert_eq!(rollout::plan(&since, self.now), rollout::plan(found, self.now));
        let known = since.clone();
        // Fewer hosts are looked at.
        since.hosts.clone_from(&found.hosts);
        assert_eq!(&since, found);
        known
    }

    /// The deployment as its timeline tells it.
    async fn replayed(&self) -> Replay {
        let (mut replay, mut after) = (Replay::default(), None);
        loop {
            let page = self.store.timeline(&self.id, None, after.as_deref(), 50).await.unwrap();
            for entry in &page.items {
                let (rule, inputs) = (entry.rule.as_str(), entry.inputs.as_slice());
                replay.take(Told { target: entry.target.as_ref(), rule, inputs }).unwrap();
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return replay,
            }
        }
    }

    /// Lets each host do something or not; whether any did.
    async fn hosts_act(&mut self) -> bool {
        let mut acted = false;
        for number in 0..self.size {
            let identifier = candidate(number).host_identifier;
            if let Some(command) = self.store.next_command(&identifier).await.unwrap()
                && self.dice.roll(4) > 0
            {
                let answer = self.store.acknowledge(&command.id, self.now).await.unwrap();
                assert_eq!(answer, Acknowledge::First);
                acted = true;
                let fate = self.dice.roll(40);
                if fate > 0 {
                    self.complete(&command.id, fate > 2).await;
                }
            }
        }
        acted
    }

    async fn complete(&self, command: &HostCommandId, succeeded: bool) {
        let diagnostics = if succeeded {
            Diagnostics::success()
        } else {
            Diagnostics::unknown_error("exit status 3")
        };
        let completion = Completion { at: self.now, succeeded, diagnostics };
        self.store.complete(command, &completion).await.unwrap();
    }

    async fn stop(&mut self) {
        let wish = StopIntent {
            requested: self.now,
            principal: "somebody".to_owned(),
            roll_back: [None, Some(false), Some(true)][self.dice.roll(3) as usize],
        };
        self.store.request_stop(&self.id, &wish).await.unwrap();
    }

    /// Reads the alarms now and then; seldom they are red.
    async fn alarms(&mut self) {
        let names = || vec!["cpu".to_owned()];
        let reading = match self.dice.roll(60) {
            0 => AlarmReading::Raised(AlarmFinding::Active(names())),
            1 => AlarmReading::Raised(AlarmFinding::Unreadable(names())),
            2..20 => AlarmReading::Calm,
            _ => return,
        };
        self.store.alarms_read(&self.id, &reading, self.now).await.unwrap();
    }
}

fn candidate(number: u32) -> Candidate {
    Candidate {
        id: TargetId::new(format!("h{number}")),
        arn: format!("arn:h{number}"),
        host_identifier: format!("host/h{number}"),
        // Two zones, and hosts in none.
        zone: [Some("a"), Some("b"), None][number as usize % 3].map(str::to_owned),
        health: HealthClass::Unhealthy,
    }
}
