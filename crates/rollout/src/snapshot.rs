//! Everything the planner may look at.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    Creator, DeploymentId, DeploymentStatus, Diagnostics, ErrorCode, ErrorInformation,
    HostCommandId, MinimumHealthyHosts, QueuePolicy, RollbackEvent, StatusMessage, Target,
    TargetId, Timestamp, ZonalConfig,
};

/// One deployment as the store holds it, with every fact that its hosts and operators have left there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    pub deployment: Deployment,
    /// Who would be deployed to; looked up only while the deployment has not started.
    pub members: Members,
    /// What a rollback would deploy again: the last deployment to the group that succeeded.
    pub last_successful: Option<DeploymentId>,
    /// The sequence number of that deployment, if it had one.
    pub installed_sequence: Option<u64>,
    /// Where it stands among those that wait for the group's single place; absent: it has the place, or needs none.
    pub line: Option<Line>,
    /// What else is under way in the account; looked up only while the deployment has not started. Absent: nothing limits
    /// it.
    pub room: Option<Room>,
    /// The targets by position; empty until the deployment starts.
    pub targets: Vec<Target>,
    /// What hosts reported on the commands of events in progress. No entry: nothing was heard.
    pub reports: BTreeMap<HostCommandId, Report>,
    /// What is known of the hosts of targets that are not over. No entry: present and idle.
    pub hosts: BTreeMap<TargetId, HostFacts>,
}

/// The deployment's own row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    pub id: DeploymentId,
    /// Counts commits and intents; a commit holds only for the version it was planned on.
    pub version: u64,
    pub creator: Creator,
    pub status: DeploymentStatus,
    pub created: Timestamp,
    pub started: Option<Timestamp>,
    pub completed: Option<Timestamp>,
    pub error: Option<ErrorInformation>,
    pub minimum_healthy: MinimumHealthyHosts,
    /// A failing event of the previous revision does not fail the target.
    pub ignore_application_stop_failures: bool,
    /// An operator's wish to stop, written down when it was asked.
    pub stop: Option<StopIntent>,
    /// Its place in the history of what is deployed: one with a lower number than what is installed is stale. Absent:
    /// it can be compared with nothing.
    pub sequence: Option<u64>,
    /// One zone after the other; absent: zones mean nothing.
    pub zonal: Option<ZonalConfig>,
    /// What went otherwise than asked without failing the deployment.
    pub messages: BTreeSet<StatusMessage>,
    /// Ends that a rollback follows.
    pub roll_back_on: BTreeSet<RollbackEvent>,
    /// What rolls it back; absent: nothing does, or it is not over.
    pub rollback: Option<Rollback>,
    /// The alarms that stop it; absent: none.
    pub alarms: Option<AlarmWatch>,
    /// The group or the application was deleted under the running deployment.
    pub orphaned: Option<ErrorCode>,
}

impl Snapshot {
    /// The snapshot of a deployment of which nothing else is known.
    pub fn of(deployment: Deployment) -> Self {
        Self {
            deployment,
            members: Members::NotNeeded,
            last_successful: None,
            installed_sequence: None,
            line: None,
            room: None,
            targets: Vec::new(),
            reports: BTreeMap::new(),
            hosts: BTreeMap::new(),
        }
    }
}

impl Deployment {
    /// A deployment just made by a user, with no options set.
    pub fn new(id: DeploymentId, minimum_healthy: MinimumHealthyHosts, created: Timestamp) -> Self {
        Self {
            id,
            version: 1,
            creator: Creator::User,
            status: DeploymentStatus::Created,
            created,
            started: None,
            completed: None,
            error: None,
            minimum_healthy,
            ignore_application_stop_failures: false,
            stop: None,
            sequence: None,
            zonal: None,
            messages: BTreeSet::new(),
            roll_back_on: BTreeSet::new(),
            rollback: None,
            alarms: None,
            orphaned: None,
        }
    }
}

/// An operator asked to stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StopIntent {
    pub requested: Timestamp,
    /// The ARN of whoever asked.
    pub principal: String,
    /// What was said about rolling back; absent: the group's setting decides.
    pub roll_back: Option<bool>,
}

/// Deployments that wait for their group's single place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub policy: QueuePolicy,
    /// Who has the place.
    pub holder: Option<Holder>,
    /// Those that wait and were made before this one, oldest first.
    pub older: Vec<DeploymentId>,
    /// Those that wait and were made after it.
    pub newer: Vec<DeploymentId>,
}

/// The deployment that has its group's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    pub id: DeploymentId,
    /// It came out of the line, and was made after the one that waits.
    pub overtook: bool,
}

/// Other deployments of the same account and region, and how many there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    pub limits: Limits,
    /// Those that are under way.
    pub deployments: u32,
    /// The hosts that these are for.
    pub hosts: u32,
    /// Those that wait for room and were made before this one.
    pub ahead: u32,
}

/// What may be under way at once in one account and region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    pub deployments: u32,
    /// The hosts of all these deployments together.
    pub hosts: u32,
}

/// What became of the rollback that a deployment's end asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rollback {
    /// This deployment rolls it back.
    Made(DeploymentId),
    /// No deployment to the group ever succeeded.
    Impossible,
}

/// The alarms of a deployment, and what was found when they were polled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlarmWatch {
    pub names: Vec<String>,
    /// Alarms that cannot be read do not stop the deployment.
    pub ignore_poll_failure: bool,
    /// When they were read for the first time.
    pub first_read: Option<Timestamp>,
    /// The first reason to stop; later ones change nothing.
    pub raised: Option<RaisedAlarm>,
}

/// Alarms that stop a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RaisedAlarm {
    pub at: Timestamp,
    pub finding: AlarmFinding,
}

/// What is wrong with alarms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlarmFinding {
    /// These are in the state `ALARM`.
    Active(Vec<String>),
    /// The state of these could not be read, several times in a row.
    Unreadable(Vec<String>),
}

/// The hosts that the deployment group selects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Members {
    /// Not looked up, because the deployment has started already.
    NotNeeded,
    /// They cannot be known: what is missing, and in words.
    Unknown(ErrorInformation),
    Known(Vec<Candidate>),
    /// Each has the revision already, and only outdated ones are to be deployed to.
    UpToDate,
}

/// A host that the deployment group selects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    pub id: TargetId,
    pub arn: String,
    pub host_identifier: String,
    /// Its availability zone; absent: it is in none.
    pub zone: Option<String>,
    pub health: HealthClass,
}

/// The order in which hosts are deployed to: the sickest first, since they have least to lose.
/// Source: CodeDeploy user guide, "Instance health".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HealthClass {
    /// The last deployment to it failed, or there was none.
    Unhealthy,
    /// It is not known which revision it has.
    RevisionUnknown,
    /// It has an earlier revision than the group's last successful one.
    RevisionOld,
    /// It has the group's last successful revision.
    RevisionCurrent,
}

/// What a host reported on one command.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// When the agent said that it has the command.
    pub acknowledged: Option<Timestamp>,
    pub completion: Option<Completion>,
}

/// The first completion that a host reported for a command; later ones change nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    pub at: Timestamp,
    pub succeeded: bool,
    pub diagnostics: Diagnostics,
}

/// What is known of a host, beyond this deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostFacts {
    pub presence: Presence,
    pub busy: Busy,
}

/// Whether a host can still be reached at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presence {
    /// Silence alone never makes a host gone.
    Present,
    /// Terminated or deregistered: it will never answer. The reason, in words.
    Gone(String),
}

/// Whether another deployment's command occupies the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Busy {
    /// It is executing one now; the start clock of ours stands still.
    Now,
    /// It has been free since then, as far as is known.
    FreeSince(Timestamp),
}
