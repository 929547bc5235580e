//! A deployment played again from what was told of it, without anything else that is known.
//!
//! Each fact and decision that a deployment's timeline tells has the name of its rule and its inputs. Taken in order, they
//! give the deployment's status and how far each lifecycle event of each target was, after each commit, up to the verdict.
//! What is not told is what no decision depended on: the log of a hook, a host's identifier.

use std::collections::BTreeMap;

use model::{DeploymentStatus, Event, EventState, LifecycleEvent, TargetId, TargetStatus};

use crate::decision::{Input, Rule};
use crate::snapshot::Snapshot;

/// How far a deployment was, as far as its timeline tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    pub status: DeploymentStatus,
    /// The targets in their order.
    pub targets: Vec<ReplayedTarget>,
    /// Where each target is in `targets`.
    places: BTreeMap<TargetId, usize>,
}

/// How far one target was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayedTarget {
    pub id: TargetId,
    pub status: TargetStatus,
    pub events: Vec<(LifecycleEvent, Step)>,
}

/// How far one lifecycle event was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Pending,
    InProgress,
    Succeeded,
    Failed,
    Skipped,
}

/// What a timeline tells makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// A decision lacks one of the inputs of its rule.
    #[error("the rule {rule} has no input `{input}` that makes sense")]
    Input { rule: String, input: &'static str },
    /// A decision is about a host that is no target.
    #[error("the rule {rule} is about a host that is not a target")]
    Target { rule: String },
}

/// One row of a timeline, taken apart.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    pub target: Option<&'a TargetId>,
    pub rule: &'a str,
    pub inputs: &'a [(String, Input)],
}

impl Default for Replay {
    fn default() -> Self {
        Self { status: DeploymentStatus::Created, targets: Vec::new(), places: BTreeMap::new() }
    }
}

impl Replay {
    /// What a replay up to this snapshot must come to.
    pub fn of(seen: &Snapshot) -> Self {
        let target = |target: &model::Target| ReplayedTarget {
            id: target.id.clone(),
            status: target.status,
            events: target.events.iter().map(|event| (event.name, step(event))).collect(),
        };
        let mut replay = Self { status: seen.deployment.status, ..Self::default() };
        replay.enlist(seen.targets.iter().map(target).collect());
        replay
    }

    /// Goes one row further. Rows that tell of no change (a wait, a fact that a later decision takes up) change nothing.
    ///
    /// # Errors
    /// The row lacks an input of its rule, or is about a host that is no target.
    pub fn take(&mut self, told: Told<'_>) -> Result<(), ReplayError> {
        match told.rule {
            "Enlist" => {
                self.enlist(told.enlisted(TargetStatus::Pending, Step::Pending)?);
                self.status = DeploymentStatus::InProgress;
            }
            "Refuse" => {
                self.enlist(told.enlisted(TargetStatus::Skipped, Step::Skipped)?);
                self.status = told.status()?;
            }
            "Queue" | "AwaitRoom" => self.status = DeploymentStatus::Queued,
            "TakePlace" => self.status = DeploymentStatus::Created,
            "Bake" => self.status = DeploymentStatus::Baking,
            "EnterZone" => self.status = DeploymentStatus::InProgress,
            "Dispatch" => {
                self.set(told, Step::InProgress)?;
                self.target(told)?.status = TargetStatus::InProgress;
            }
            "EventSucceeded" => self.set(told, Step::Succeeded)?,
            "EventFailed" => self.set(told, Step::Failed)?,
            "EndTarget" => {
                let status = told.parsed("status", TargetStatus::from_name)?;
                self.target(told)?.end(status);
            }
            "Spare" => {
                for id in told.texts("targets")? {
                    let place = self.place(told, &TargetId::new(id.as_str()))?;
                    self.targets[place].end(TargetStatus::Skipped);
                }
            }
            "Finish" => self.status = told.status()?,
            _ => {}
        }
        Ok(())
    }

    fn enlist(&mut self, targets: Vec<ReplayedTarget>) {
        self.places = targets.iter().map(|target| target.id.clone()).zip(0..).collect();
        self.targets = targets;
    }

    fn set(&mut self, told: Told<'_>, step: Step) -> Result<(), ReplayError> {
        let name = told.parsed("event", |name| name.parse::<LifecycleEvent>().ok())?;
        let event = self.target(told)?.events.iter_mut().find(|(event, _)| *event == name);
        event.map(|(_, state)| *state = step).ok_or_else(|| told.lacks("event"))
    }

    fn target(&mut self, told: Told<'_>) -> Result<&mut ReplayedTarget, ReplayError> {
        let id = told.target.ok_or_else(|| ReplayError::Target { rule: told.rule.to_owned() })?;
        let place = self.place(told, id)?;
        Ok(&mut self.targets[place])
    }

    fn place(&self, told: Told<'_>, id: &TargetId) -> Result<usize, ReplayError> {
        let place = self.places.get(id).copied();
        place.ok_or_else(|| ReplayError::Target { rule: told.rule.to_owned() })
    }
}

impl ReplayedTarget {
    fn end(&mut self, status: TargetStatus) {
        self.status = status;
        for (_, step) in &mut self.events {
            if *step == Step::Pending {
                *step = Step::Skipped;
            }
        }
    }
}

fn step(event: &Event) -> Step {
    match event.state {
        EventState::Pending => Step::Pending,
        EventState::InProgress { .. } => Step::InProgress,
        EventState::Succeeded { .. } => Step::Succeeded,
        EventState::Failed { .. } => Step::Failed,
        EventState::Skipped { .. } => Step::Skipped,
    }
}

impl Told<'_> {
    fn lacks(self, input: &'static str) -> ReplayError {
        ReplayError::Input { rule: self.rule.to_owned(), input }
    }

    fn input(&self, name: &str) -> Option<&Input> {
        self.inputs.iter().find(|(known, _)| known == name).map(|(_, input)| input)
    }

    fn parsed<T>(
        self,
        name: &'static str,
        from_name: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, ReplayError> {
        let found = match self.input(name) {
            Some(Input::Text(text)) => from_name(text),
            Some(Input::Number(_) | Input::Texts(_)) | None => None,
        };
        found.ok_or_else(|| self.lacks(name))
    }

    fn status(self) -> Result<DeploymentStatus, ReplayError> {
        self.parsed("status", DeploymentStatus::from_name)
    }

    fn texts(&self, name: &'static str) -> Result<&[String], ReplayError> {
        match self.input(name) {
            Some(Input::Texts(texts)) => Ok(texts),
            Some(Input::Text(_) | Input::Number(_)) | None => Err(self.lacks(name)),
        }
    }

    fn enlisted(
        self,
        status: TargetStatus,
        step: Step,
    ) -> Result<Vec<ReplayedTarget>, ReplayError> {
        let names = self.texts("events")?.iter().map(|name| name.parse::<LifecycleEvent>());
        let events = names.collect::<Result<Vec<_>, _>>().map_err(|_| self.lacks("events"))?;
        let target = |id: &String| ReplayedTarget {
            id: TargetId::new(id.as_str()),
            status,
            events: events.iter().map(|event| (*event, step)).collect(),
        };
        Ok(self.texts("targets")?.iter().map(target).collect())
    }
}

/// The rule's inputs under names of their own, as a row that was read has them.
pub fn owned(rule: &Rule) -> Vec<(String, Input)> {
    rule.inputs().into_iter().map(|(name, input)| (name.to_owned(), input)).collect()
}
