//! Why the planner did what it did: each decision with its rule and the inputs that the rule was applied to.
//!
//! [`Display`](fmt::Display) says a decision to operators. Whoever keeps it takes it apart into the name of its rule and
//! its inputs; from these alone a deployment can be [replayed](crate::replay).

use std::fmt;

use model::{
    DeploymentId, DeploymentStatus, ErrorCode, LifecycleEvent, QueuePolicy, StatusMessage,
    TargetId, TargetStatus, Timestamp,
};

use crate::zones;

/// One decision, about a target or (without one) about the deployment as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    pub target: Option<TargetId>,
    pub rule: Rule,
}

/// A rule that was applied, with its inputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// The deployment begins with these targets, in this order: the sickest first, at random among equals.
    Enlist { targets: Vec<TargetId>, events: Vec<LifecycleEvent>, minimum: u32, at_once: u32 },
    /// The deployment ends before it began; these targets are spared.
    Refuse {
        targets: Vec<TargetId>,
        events: Vec<LifecycleEvent>,
        status: DeploymentStatus,
        code: Option<ErrorCode>,
    },
    /// It waits for the group's place.
    Queue { policy: QueuePolicy },
    /// It is its turn: it takes the group's place.
    TakePlace,
    /// It waits until the account has room for it and its hosts.
    AwaitRoom { hosts: u32, deployments_max: u32, hosts_max: u32 },
    /// A newer deployment makes it needless.
    Supersede { by: DeploymentId, policy: QueuePolicy },
    /// What is installed has a higher sequence number.
    Stale { sequence: u64, installed: u64 },
    /// The zone is begun, of whose hosts so many must stay healthy.
    EnterZone { zone: Option<String>, hosts: u32, minimum: u32, at_once: u32 },
    /// The zones so far are watched before the next one is begun.
    Bake { next: Option<String>, until: Timestamp },
    /// Something goes otherwise than asked.
    Note { message: StatusMessage },
    /// The target is begun: with it, so many hosts of those allowed are out of service.
    Begin { out_of_service: u32, at_once: u32 },
    /// The event is queued for the host's agent.
    Dispatch { event: LifecycleEvent },
    /// The host reported that the event went well.
    EventSucceeded { event: LifecycleEvent, acknowledged: Option<Timestamp>, reported: Timestamp },
    /// The event failed.
    EventFailed { event: LifecycleEvent, cause: FailureCause, message: String },
    /// The failure of the previous revision's event does not count: `ignoreApplicationStopFailures`.
    Forgive { event: LifecycleEvent },
    /// The target is over; what it had not begun is skipped.
    EndTarget { status: TargetStatus, because: TargetEnd },
    /// These targets are never begun.
    Spare { targets: Vec<TargetId> },
    /// The deployment is over.
    Finish {
        status: DeploymentStatus,
        code: Option<ErrorCode>,
        succeeded: u32,
        failed: u32,
        skipped: u32,
        minimum: u32,
    },
    /// The deployment is rolled back by a new one, to what that earlier one deployed.
    RollBack { by: DeploymentId, to: DeploymentId },
    /// The deployment is not rolled back.
    NoRollback { because: NoRollback },
}

/// Why an event failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureCause {
    /// The host said so.
    Reported,
    /// The agent did not fetch it in time.
    NotFetched,
    /// It was fetched and not ended in time.
    TookTooLong,
    /// The host will never answer again.
    HostGone,
    /// The deployment as a whole took too long.
    DeploymentOverdue,
}

/// Why a target is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetEnd {
    EveryEventEnded,
    AnEventFailed,
    /// The deployment was to end early, and the target had the old revision no more and the new one not yet.
    HalfDone,
}

/// Why a deployment that did not succeed is not rolled back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRollback {
    /// Neither its settings nor whoever stopped it asked for that.
    NotAskedFor,
    /// It is a rollback or another deployment of the service's own: these are never rolled back.
    OwnDeployment,
    /// No host was begun with.
    Untouched,
    /// No deployment to the group ever succeeded.
    NothingToRollBackTo,
    /// The group is gone.
    GroupGone,
}

/// One of a rule's inputs, for whoever keeps or shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    Text(String),
    /// Counts, and times in milliseconds since 1970-01-01T00:00:00Z.
    Number(i64),
    Texts(Vec<String>),
}

/// A rule's inputs by their names.
pub type Inputs = Vec<(&'static str, Input)>;

impl Decision {
    /// A decision about the deployment as a whole.
    pub fn overall(rule: Rule) -> Self {
        Self { target: None, rule }
    }

    /// A decision about one target.
    pub fn on(target: &TargetId, rule: Rule) -> Self {
        Self { target: Some(target.clone()), rule }
    }
}

impl Rule {
    /// The name under which the rule is kept and shown.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Enlist { .. } => "Enlist",
            Self::Refuse { .. } => "Refuse",
            Self::Queue { .. } => "Queue",
            Self::TakePlace => "TakePlace",
            Self::AwaitRoom { .. } => "AwaitRoom",
            Self::Supersede { .. } => "Supersede",
            Self::Stale { .. } => "Stale",
            Self::EnterZone { .. } => "EnterZone",
            Self::Bake { .. } => "Bake",
            Self::Note { .. } => "Note",
            Self::Begin { .. } => "Begin",
            Self::Dispatch { .. } => "Dispatch",
            Self::EventSucceeded { .. } => "EventSucceeded",
            Self::EventFailed { .. } => "EventFailed",
            Self::Forgive { .. } => "Forgive",
            Self::EndTarget { .. } => "EndTarget",
            Self::Spare { .. } => "Spare",
            Self::Finish { .. } => "Finish",
            Self::RollBack { .. } => "RollBack",
            Self::NoRollback { .. } => "NoRollback",
        }
    }

    /// What the rule was applied to.
    pub fn inputs(&self) -> Inputs {
        match self {
            Self::Enlist { targets, events, minimum, at_once } => vec![
                ("targets", texts(targets)),
                ("events", texts(events)),
                ("minimum", number(*minimum)),
                ("atOnce", number(*at_once)),
            ],
            Self::Refuse { targets, events, status, code } => vec![
                ("targets", texts(targets)),
                ("events", texts(events)),
                ("status", text(status.name())),
                ("code", text(code.map_or("", ErrorCode::name))),
            ],
            Self::Queue { policy } => vec![("policy", text(policy.name()))],
            Self::TakePlace => Vec::new(),
            Self::AwaitRoom { hosts, deployments_max, hosts_max } => vec![
                ("hosts", number(*hosts)),
                ("deploymentsMax", number(*deployments_max)),
                ("hostsMax", number(*hosts_max)),
            ],
            Self::Supersede { by, policy } => {
                vec![("by", text(by.as_str())), ("policy", text(policy.name()))]
            }
            Self::Stale { sequence, installed } => {
                vec![("sequence", count(*sequence)), ("installed", count(*installed))]
            }
            Self::EnterZone { zone, hosts, minimum, at_once } => vec![
                ("zone", text(zone.as_deref().unwrap_or_default())),
                ("hosts", number(*hosts)),
                ("minimum", number(*minimum)),
                ("atOnce", number(*at_once)),
            ],
            Self::Bake { next, until } => {
                vec![("next", text(next.as_deref().unwrap_or_default())), ("until", time(*until))]
            }
            Self::Note { message } => vec![("message", text(message.name()))],
            Self::Begin { out_of_service, at_once } => {
                vec![("outOfService", number(*out_of_service)), ("atOnce", number(*at_once))]
            }
            Self::Dispatch { event } | Self::Forgive { event } => {
                vec![("event", text(event.name()))]
            }
            Self::EventSucceeded { event, acknowledged, reported } => {
                let mut inputs = vec![("event", text(event.name())), ("reported", time(*reported))];
                inputs.extend(acknowledged.map(|at| ("acknowledged", time(at))));
                inputs
            }
            Self::EventFailed { event, cause, message } => vec![
                ("event", text(event.name())),
                ("cause", text(cause.name())),
                ("message", text(message)),
            ],
            Self::EndTarget { status, because } => {
                vec![("status", text(status.name())), ("because", text(because.name()))]
            }
            Self::Spare { targets } => vec![("targets", texts(targets))],
            Self::Finish { status, code, succeeded, failed, skipped, minimum } => vec![
                ("status", text(status.name())),
                ("code", text(code.map_or("", ErrorCode::name))),
                ("succeeded", number(*succeeded)),
                ("failed", number(*failed)),
                ("skipped", number(*skipped)),
                ("minimum", number(*minimum)),
            ],
            Self::RollBack { by, to } => vec![("by", text(by.as_str())), ("to", text(to.as_str()))],
            Self::NoRollback { because } => vec![("because", text(because.name()))],
        }
    }
}

pub(crate) fn text(text: &str) -> Input {
    Input::Text(text.to_owned())
}

pub(crate) fn number(number: u32) -> Input {
    Input::Number(number.into())
}

fn count(number: u64) -> Input {
    Input::Number(i64::try_from(number).unwrap_or(i64::MAX))
}

pub(crate) fn time(time: Timestamp) -> Input {
    Input::Number(time.as_millis())
}

pub(crate) fn texts<T: ToString>(list: &[T]) -> Input {
    Input::Texts(list.iter().map(ToString::to_string).collect())
}

impl FailureCause {
    /// The name under which the cause is kept and shown.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reported => "Reported",
            Self::NotFetched => "NotFetched",
            Self::TookTooLong => "TookTooLong",
            Self::HostGone => "HostGone",
            Self::DeploymentOverdue => "DeploymentOverdue",
        }
    }
}

impl TargetEnd {
    /// The name under which the reason is kept and shown.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EveryEventEnded => "EveryEventEnded",
            Self::AnEventFailed => "AnEventFailed",
            Self::HalfDone => "HalfDone",
        }
    }
}

impl NoRollback {
    /// The name under which the reason is kept and shown.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotAskedFor => "NotAskedFor",
            Self::OwnDeployment => "OwnDeployment",
            Self::Untouched => "Untouched",
            Self::NothingToRollBackTo => "NothingToRollBackTo",
            Self::GroupGone => "GroupGone",
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.target {
            Some(target) => write!(f, "{target}: {}", self.rule),
            None => self.rule.fmt(f),
        }
    }
}

/// What was decided, without whom it concerns.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Enlist { targets, minimum, at_once, .. } => write!(
                f,
                "begins with {}, of which {minimum} must stay healthy: at most {at_once} are out of service at once",
                Hosts(targets.len())
            ),
            Self::Refuse { targets, status, code, .. } => {
                write!(f, "ends before it began: {}", Ending(*status, *code))?;
                if targets.is_empty() {
                    Ok(())
                } else {
                    write!(f, "; {} spared", Hosts(targets.len()))
                }
            }
            Self::Queue { policy } => write!(
                f,
                "waits, since the group is busy and its tag longshore:queue is {}",
                policy.name()
            ),
            Self::TakePlace => f.write_str("it is its turn"),
            Self::AwaitRoom { hosts, deployments_max, hosts_max } => write!(
                f,
                "waits for room for {}: at most {deployments_max} deployments to {} may be under way at once",
                Hosts(*hosts as usize),
                Hosts(*hosts_max as usize)
            ),
            Self::Supersede { by, .. } => write!(f, "the newer deployment {by} takes its place"),
            Self::Stale { sequence, installed } => {
                write!(f, "stale: its sequence number is {sequence}, and {installed} is installed")
            }
            Self::EnterZone { zone, hosts, minimum, at_once } => write!(
                f,
                "{} is begun: {}, of which {minimum} must stay healthy: at most {at_once} are out of service at once",
                zones::named(zone.as_deref()),
                Hosts(*hosts as usize)
            ),
            Self::Bake { next, .. } => write!(
                f,
                "the zones so far are watched before {} is begun",
                zones::named(next.as_deref())
            ),
            Self::Note { message } => message.fmt(f),
            Self::Begin { out_of_service, at_once } => {
                write!(
                    f,
                    "begins: with it {out_of_service} of at most {at_once} hosts are out of service"
                )
            }
            Self::Dispatch { event } => write!(f, "{event} is queued for its agent"),
            Self::EventSucceeded { event, .. } => write!(f, "{event} succeeded"),
            Self::EventFailed { event, cause, message } => {
                write!(f, "{event} failed, {}: {message}", cause.words())
            }
            Self::Forgive { event } => write!(
                f,
                "the failure of {event} is forgiven: it is the previous revision's, and ignoreApplicationStopFailures is set"
            ),
            Self::EndTarget { status, because } => {
                write!(f, "{}: {}", status.name(), because.words())
            }
            Self::Spare { targets } => write!(f, "{} never begun", Hosts(targets.len())),
            Self::Finish { status, code, succeeded, failed, skipped, minimum } => write!(
                f,
                "ends: {}; {succeeded} succeeded, {failed} failed, {skipped} skipped, minimum {}",
                Ending(*status, *code),
                (*minimum).max(1)
            ),
            Self::RollBack { by, to } => {
                write!(f, "rolled back by {by}, which deploys again what {to} deployed")
            }
            Self::NoRollback { because } => write!(f, "not rolled back: {}", because.words()),
        }
    }
}

struct Hosts(usize);

impl fmt::Display for Hosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} host{}", self.0, if self.0 == 1 { "" } else { "s" })
    }
}

struct Ending(DeploymentStatus, Option<ErrorCode>);

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())?;
        self.1.map_or(Ok(()), |code| write!(f, ", {}", code.name()))
    }
}

impl FailureCause {
    const fn words(self) -> &'static str {
        match self {
            Self::Reported => "as its agent reported",
            Self::NotFetched => "its agent did not fetch it in time",
            Self::TookTooLong => "it took too long",
            Self::HostGone => "its host is gone",
            Self::DeploymentOverdue => "the deployment took too long",
        }
    }
}

impl TargetEnd {
    const fn words(self) -> &'static str {
        match self {
            Self::EveryEventEnded => "every lifecycle event has ended",
            Self::AnEventFailed => "a lifecycle event failed, and those after it are skipped",
            Self::HalfDone => {
                "the deployment is to end, and the host has the old revision no more and the new one not yet"
            }
        }
    }
}

impl NoRollback {
    const fn words(self) -> &'static str {
        match self {
            Self::NotAskedFor => "neither its settings nor whoever stopped it asked for that",
            Self::OwnDeployment => "rollbacks, and other deployments that no user made, never are",
            Self::Untouched => "no host was touched",
            Self::NothingToRollBackTo => "no deployment to the group has ever succeeded",
            Self::GroupGone => "the deployment group is gone",
        }
    }
}
