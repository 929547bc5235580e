//! What the planner answers.

use model::{
    DeploymentId, DeploymentStatus, ErrorInformation, HostCommandId, LifecycleEvent, StatusMessage,
    Target, TargetId, Timestamp,
};

use crate::decision::{Decision, Inputs, number, text, texts, time};
use crate::snapshot::{Rollback, Snapshot};
use crate::zones;

/// What should happen next.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// State changes and commands to queue, in this order; committed together or not at all.
    pub actions: Vec<Action>,
    /// Why it happens: the rule of each decision and its inputs. None without actions.
    pub decisions: Vec<Decision>,
    /// Why nothing more happens yet. Operators read this.
    pub waiting: Vec<WaitingOn>,
    /// Look again then, even if nobody reports.
    pub wake_at: Option<Timestamp>,
}

impl Plan {
    /// The identifiers of the hosts that the plan gives commands to.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        self.actions.iter().filter_map(|action| match action {
            Action::Dispatch(command) => Some(command.host_identifier.as_str()),
            Action::Start { .. }
            | Action::Refuse { .. }
            | Action::UpdateTarget(_)
            | Action::Note(_)
            | Action::Queue
            | Action::TakePlace
            | Action::Bake
            | Action::Resume
            | Action::Finish(_) => None,
        })
    }
}

impl Plan {
    /// The id of the rollback that the plan makes.
    pub fn rollback(&self) -> Option<&DeploymentId> {
        self.actions.iter().find_map(|action| match action {
            Action::Finish(Verdict { rollback: Some(Rollback::Made(id)), .. }) => Some(id),
            Action::Start { .. }
            | Action::Refuse { .. }
            | Action::Dispatch(_)
            | Action::UpdateTarget(_)
            | Action::Note(_)
            | Action::Queue
            | Action::TakePlace
            | Action::Bake
            | Action::Resume
            | Action::Finish(_) => None,
        })
    }
}

/// One change of state. Each carries the new state whole, so that committing it again changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Fix who the targets are and begin.
    Start { at: Timestamp, targets: Vec<Target> },
    /// End the deployment before it began; whom it would have reached is recorded as skipped.
    Refuse { targets: Vec<Target>, verdict: Verdict },
    /// Queue a command for a host's agent.
    Dispatch(HostCommand),
    /// Note what went otherwise than asked.
    Note(StatusMessage),
    /// Let it wait: for the group's place, or for room in the account.
    Queue,
    /// Give it the group's place; always first.
    TakePlace,
    /// Pause before the next zone.
    Bake,
    /// Go on after the pause.
    Resume,
    /// Replace a target's state.
    UpdateTarget(Target),
    /// End the deployment that had begun.
    Finish(Verdict),
}

/// The end of a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub at: Timestamp,
    /// `Succeeded`, `Failed` or `Stopped`.
    pub status: DeploymentStatus,
    pub error: Option<ErrorInformation>,
    /// What rolls it back, made in the same commit so that nobody else takes the group's place in between.
    pub rollback: Option<Rollback>,
}

/// An order to one host to run one lifecycle event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostCommand {
    /// Derived from deployment, target, event and attempt.
    pub id: HostCommandId,
    pub target: TargetId,
    pub host_identifier: String,
    pub event: LifecycleEvent,
    pub dispatched: Timestamp,
}

/// Why nothing more happens to a part of the deployment, in types; `Display` says it to operators.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum WaitingOn {
    /// The host has the command and is executing it, at most until `until`.
    Host { target: TargetId, event: LifecycleEvent, until: Timestamp },
    /// The command is queued and the agent has not fetched it; it may until `until`.
    Pickup { target: TargetId, event: LifecycleEvent, until: Timestamp },
    /// The host is executing another deployment's command.
    BusyHost { target: TargetId },
    /// One more host out of service would leave fewer than the minimum healthy.
    MinimumHealthy { target: TargetId, healthy: u32, minimum: u32 },
    /// One more host out of service would leave the zone fewer than its minimum.
    ZoneMinimumHealthy { target: TargetId, zone: Option<String>, healthy: u32, minimum: u32 },
    /// The target's zone is begun when this one is over.
    EarlierZone { target: TargetId, zone: Option<String> },
    /// The zones so far are watched until then, before the next one is begun.
    Baking { next: Option<String>, until: Timestamp },
    /// The group's place is taken, or so many that wait come first.
    Place { holder: Option<DeploymentId>, ahead: u32 },
    /// So much else is under way in the account, and so many that wait come first.
    Room { deployments: u32, hosts: u32, ahead: u32 },
    /// The alarms were not read yet, and a red one must keep the deployment from starting; nobody waits for them
    /// longer than until `until`.
    Alarms { names: Vec<String>, until: Timestamp },
    /// A stop was requested; running events are allowed to end.
    Stopping { in_flight: u32 },
}

impl WaitingOn {
    /// The name under which the reason is kept and shown.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Host { .. } => "Host",
            Self::Pickup { .. } => "Pickup",
            Self::BusyHost { .. } => "BusyHost",
            Self::MinimumHealthy { .. } => "MinimumHealthy",
            Self::ZoneMinimumHealthy { .. } => "ZoneMinimumHealthy",
            Self::EarlierZone { .. } => "EarlierZone",
            Self::Baking { .. } => "Baking",
            Self::Place { .. } => "Place",
            Self::Room { .. } => "Room",
            Self::Alarms { .. } => "Alarms",
            Self::Stopping { .. } => "Stopping",
        }
    }

    /// Whom it concerns; absent: the deployment as a whole.
    pub const fn target(&self) -> Option<&TargetId> {
        match self {
            Self::Host { target, .. }
            | Self::Pickup { target, .. }
            | Self::BusyHost { target }
            | Self::MinimumHealthy { target, .. }
            | Self::ZoneMinimumHealthy { target, .. }
            | Self::EarlierZone { target, .. } => Some(target),
            Self::Place { .. }
            | Self::Room { .. }
            | Self::Baking { .. }
            | Self::Alarms { .. }
            | Self::Stopping { .. } => None,
        }
    }

    /// What the rule behind it was applied to.
    pub fn inputs(&self) -> Inputs {
        match self {
            Self::Host { event, until, .. } | Self::Pickup { event, until, .. } => {
                vec![("event", text(event.name())), ("until", time(*until))]
            }
            Self::BusyHost { .. } => Vec::new(),
            Self::MinimumHealthy { healthy, minimum, .. } => {
                vec![("healthy", number(*healthy)), ("minimum", number(*minimum))]
            }
            Self::ZoneMinimumHealthy { zone, healthy, minimum, .. } => vec![
                ("zone", text(zone.as_deref().unwrap_or_default())),
                ("healthy", number(*healthy)),
                ("minimum", number(*minimum)),
            ],
            Self::EarlierZone { zone, .. } => {
                vec![("zone", text(zone.as_deref().unwrap_or_default()))]
            }
            Self::Baking { next, until } => {
                vec![("next", text(next.as_deref().unwrap_or_default())), ("until", time(*until))]
            }
            Self::Place { holder, ahead } => {
                let holder = holder.as_ref().map_or("", DeploymentId::as_str);
                vec![("holder", text(holder)), ("ahead", number(*ahead))]
            }
            Self::Room { deployments, hosts, ahead } => vec![
                ("deployments", number(*deployments)),
                ("hosts", number(*hosts)),
                ("ahead", number(*ahead)),
            ],
            Self::Alarms { names, until } => {
                vec![("names", texts(names)), ("until", time(*until))]
            }
            Self::Stopping { in_flight } => vec![("inFlight", number(*in_flight))],
        }
    }

    /// Whether the timeline should tell of it. A command that was just queued or fetched needs no line of its own: its
    /// dispatch and its end are told.
    pub const fn is_worth_telling(&self) -> bool {
        match self {
            Self::Host { .. } | Self::Pickup { .. } => false,
            Self::BusyHost { .. }
            | Self::MinimumHealthy { .. }
            | Self::ZoneMinimumHealthy { .. }
            | Self::EarlierZone { .. }
            | Self::Baking { .. }
            | Self::Place { .. }
            | Self::Room { .. }
            | Self::Alarms { .. }
            | Self::Stopping { .. } => true,
        }
    }
}

impl std::fmt::Display for WaitingOn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Host { target, event, .. } => write!(f, "{target} is executing {event}"),
            Self::Pickup { target, event, .. } => write!(f, "{target} has not fetched {event} yet"),
            Self::BusyHost { target } => {
                write!(f, "{target} is executing another deployment's command")
            }
            Self::MinimumHealthy { target, healthy, minimum } => write!(
                f,
                "{target} waits: one more host out of service would leave {healthy} healthy, minimum {minimum}"
            ),
            Self::ZoneMinimumHealthy { target, zone, healthy, minimum } => write!(
                f,
                "{target} waits: one more host out of service would leave {healthy} healthy in {}, minimum {minimum}",
                zones::named(zone.as_deref())
            ),
            Self::EarlierZone { target, zone } => {
                write!(f, "{target} waits: {} is deployed to first", zones::named(zone.as_deref()))
            }
            Self::Baking { next, .. } => write!(
                f,
                "the zones so far are watched before {} is begun",
                zones::named(next.as_deref())
            ),
            Self::Place { holder, ahead } => {
                f.write_str("the deployment waits")?;
                if let Some(holder) = holder {
                    write!(f, " until {holder} is over")?;
                }
                write_ahead(f, *ahead)
            }
            Self::Room { deployments, hosts, ahead } => {
                write!(
                    f,
                    "the deployment waits for room (deployments under way: {deployments}, their hosts: {hosts})"
                )?;
                write_ahead(f, *ahead)
            }
            Self::Alarms { names, .. } => {
                write!(f, "the deployment starts when its alarms were read: {}", names.join(", "))
            }
            Self::Stopping { in_flight } => {
                write!(f, "stopping: {in_flight} running lifecycle events are allowed to end")
            }
        }
    }
}

fn write_ahead(f: &mut std::fmt::Formatter<'_>, ahead: u32) -> std::fmt::Result {
    match ahead {
        0 => f.write_str("; it is the next"),
        1 => f.write_str("; 1 deployment that waits comes before it"),
        many => write!(f, "; {many} deployments that wait come before it"),
    }
}

impl Snapshot {
    /// The snapshot after `actions` were committed on it. The store's commit and this function agree; a test holds
    /// them together.
    pub fn apply(&mut self, actions: &[Action]) {
        if actions.is_empty() {
            return;
        }
        self.deployment.version += 1;
        for action in actions {
            match action {
                Action::Start { at, targets } => {
                    self.deployment.status = DeploymentStatus::InProgress;
                    self.deployment.started = Some(*at);
                    self.members = crate::snapshot::Members::NotNeeded;
                    self.room = None;
                    self.targets.clone_from(targets);
                }
                Action::Refuse { targets, verdict } => {
                    self.members = crate::snapshot::Members::NotNeeded;
                    self.room = None;
                    self.targets.clone_from(targets);
                    self.end(verdict);
                }
                // A queued command is a row of its own; the target's event names it.
                Action::Dispatch(_) => {}
                Action::Note(message) => {
                    self.deployment.messages.insert(*message);
                }
                Action::Queue => self.deployment.status = DeploymentStatus::Queued,
                Action::TakePlace => {
                    self.line = None;
                    self.deployment.status = DeploymentStatus::Created;
                }
                Action::Bake => self.deployment.status = DeploymentStatus::Baking,
                Action::Resume => self.deployment.status = DeploymentStatus::InProgress,
                Action::UpdateTarget(new) => {
                    if let Some(old) = self.targets.iter_mut().find(|target| target.id == new.id) {
                        new.clone_into(old);
                    }
                }
                Action::Finish(verdict) => self.end(verdict),
            }
        }
    }

    fn end(&mut self, verdict: &Verdict) {
        self.deployment.status = verdict.status;
        self.deployment.completed = Some(verdict.at);
        self.deployment.error.clone_from(&verdict.error);
        self.deployment.rollback.clone_from(&verdict.rollback);
    }
}
