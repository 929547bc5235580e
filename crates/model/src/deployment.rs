//! Deployments: their status, who made them and why they ended as they did.

/// How far a deployment is. Source: CodeDeploy API reference, `DeploymentStatus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeploymentStatus {
    /// Accepted; targets are not resolved yet.
    Created,
    /// Waiting for capacity.
    Queued,
    InProgress,
    /// Pausing between two zones.
    Baking,
    /// Blue/green only: waiting for traffic rerouting.
    Ready,
    Succeeded,
    Failed,
    Stopped,
}

impl DeploymentStatus {
    /// Every status, in the order of a deployment's life.
    pub const ALL: [Self; 8] = [
        Self::Created,
        Self::Queued,
        Self::InProgress,
        Self::Baking,
        Self::Ready,
        Self::Succeeded,
        Self::Failed,
        Self::Stopped,
    ];

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "Created",
            Self::Queued => "Queued",
            Self::InProgress => "InProgress",
            Self::Baking => "Baking",
            Self::Ready => "Ready",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Stopped => "Stopped",
        }
    }

    /// The status that has this name on the wire.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// Whether no transition leaves it.
    pub const fn is_over(self) -> bool {
        match self {
            Self::Created | Self::Queued | Self::InProgress | Self::Baking | Self::Ready => false,
            Self::Succeeded | Self::Failed | Self::Stopped => true,
        }
    }

    /// Whether targets have been resolved, or never will be.
    pub const fn has_started(self) -> bool {
        !matches!(self, Self::Created | Self::Queued)
    }
}

/// Who made a deployment. Source: CodeDeploy API reference, `DeploymentCreator`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Creator {
    User,
    AutoScaling,
    AutoScalingTermination,
    Rollback,
    AutoUpdate,
}

impl Creator {
    /// Every creator.
    pub const ALL: [Self; 5] = [
        Self::User,
        Self::AutoScaling,
        Self::AutoScalingTermination,
        Self::Rollback,
        Self::AutoUpdate,
    ];

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::AutoScaling => "autoscaling",
            Self::AutoScalingTermination => "autoscalingTermination",
            Self::Rollback => "codeDeployRollback",
            Self::AutoUpdate => "CodeDeployAutoUpdate",
        }
    }

    /// The creator that has this name on the wire.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|creator| creator.name() == name)
    }
}

/// An end of a deployment that a rollback may follow. Source: CodeDeploy API reference, `AutoRollbackEvent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RollbackEvent {
    Failure,
    StopOnAlarm,
    StopOnRequest,
}

impl RollbackEvent {
    /// Every event.
    pub const ALL: [Self; 3] = [Self::Failure, Self::StopOnAlarm, Self::StopOnRequest];

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Failure => "DEPLOYMENT_FAILURE",
            Self::StopOnAlarm => "DEPLOYMENT_STOP_ON_ALARM",
            Self::StopOnRequest => "DEPLOYMENT_STOP_ON_REQUEST",
        }
    }

    /// The event that has this name on the wire.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.name() == name)
    }
}

/// What a further deployment to a busy group does, where the group's tag `longshore:queue` says so: AWS refuses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum QueuePolicy {
    /// Each waits for its turn, the oldest first.
    Fifo,
    /// The newest of those that wait is next, and when it begins, those that are older end.
    Newest,
    /// A new one takes the place of the one that waits, which ends.
    ReplacePending,
}

impl QueuePolicy {
    /// Every policy.
    pub const ALL: [Self; 3] = [Self::Fifo, Self::Newest, Self::ReplacePending];

    /// The value of the tag.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fifo => "fifo",
            Self::Newest => "newest",
            Self::ReplacePending => "replace-pending",
        }
    }

    /// The policy that this value of the tag means.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.name() == name)
    }
}

/// What went otherwise than asked without failing the deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StatusMessage {
    /// The zonal part of the configuration has no effect, since no host is in a zone.
    NoZones,
    /// The same, since a rollback picks hosts regardless of their zones.
    RollbackWithoutZones,
    /// Only outdated hosts were to be deployed to, and there are none.
    NothingOutdated,
}

impl StatusMessage {
    /// Every message.
    pub const ALL: [Self; 3] = [Self::NoZones, Self::RollbackWithoutZones, Self::NothingOutdated];

    /// The name under which it is kept.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoZones => "NoZones",
            Self::RollbackWithoutZones => "RollbackWithoutZones",
            Self::NothingOutdated => "NothingOutdated",
        }
    }

    /// The message that is kept under this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|message| message.name() == name)
    }
}

impl std::fmt::Display for StatusMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NoZones => {
                "The zonal part of the deployment configuration has no effect: no host of the deployment is in an \
                 availability zone."
            }
            Self::RollbackWithoutZones => {
                "The zonal part of the deployment configuration has no effect: a rollback picks hosts regardless of \
                 their availability zones."
            }
            Self::NothingOutdated => {
                "No host was deployed to: each instance of the deployment group has the revision already."
            }
        })
    }
}

/// Why a deployment did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorInformation {
    pub code: ErrorCode,
    pub message: String,
}

/// Source: CodeDeploy API reference, `ErrorCode`; only those that this service produces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    AlarmActive,
    ApplicationMissing,
    DeploymentGroupMissing,
    HealthConstraints,
    HealthConstraintsInvalid,
    InternalError,
    InvalidRevision,
    ManualStop,
    NoInstances,
    OverMaxInstances,
    RevisionMissing,
    Timeout,
}

impl ErrorCode {
    /// Every code.
    pub const ALL: [Self; 12] = [
        Self::AlarmActive,
        Self::ApplicationMissing,
        Self::DeploymentGroupMissing,
        Self::HealthConstraints,
        Self::HealthConstraintsInvalid,
        Self::InternalError,
        Self::InvalidRevision,
        Self::ManualStop,
        Self::NoInstances,
        Self::OverMaxInstances,
        Self::RevisionMissing,
        Self::Timeout,
    ];

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AlarmActive => "ALARM_ACTIVE",
            Self::ApplicationMissing => "APPLICATION_MISSING",
            Self::DeploymentGroupMissing => "DEPLOYMENT_GROUP_MISSING",
            Self::HealthConstraints => "HEALTH_CONSTRAINTS",
            Self::HealthConstraintsInvalid => "HEALTH_CONSTRAINTS_INVALID",
            Self::InternalError => "INTERNAL_ERROR",
            Self::InvalidRevision => "INVALID_REVISION",
            Self::ManualStop => "MANUAL_STOP",
            Self::NoInstances => "NO_INSTANCES",
            Self::OverMaxInstances => "OVER_MAX_INSTANCES",
            Self::RevisionMissing => "REVISION_MISSING",
            Self::Timeout => "TIMEOUT",
        }
    }

    /// The code that has this name on the wire.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.name() == name)
    }
}
