//! Targets: hosts as members of one deployment, and the state of each lifecycle event on them.

use crate::ids::{HostCommandId, TargetId};
use crate::lifecycle::LifecycleEvent;
use crate::time::Timestamp;

/// A host as a member of one deployment. Membership is fixed when the deployment starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub id: TargetId,
    /// The ARN shown to users: of the instance or of the registered host.
    pub arn: String,
    /// The identifier by which the host's agent polls.
    pub host_identifier: String,
    /// The availability zone of its host; absent: it is in none.
    pub zone: Option<String>,
    /// The rank in which targets are started, from 0.
    pub position: u32,
    pub status: TargetStatus,
    /// When the target or one of its events last changed.
    pub last_updated: Timestamp,
    /// Its lifecycle events, in order.
    pub events: Vec<Event>,
}

/// How far the deployment is with one target. Source: CodeDeploy API reference, `TargetStatus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TargetStatus {
    /// Not started.
    Pending,
    /// An event was dispatched and not all have ended.
    InProgress,
    /// Blue/green only: installed, waiting for traffic.
    Ready,
    Succeeded,
    Failed,
    /// Never started, because the deployment ended first.
    Skipped,
}

impl TargetStatus {
    /// Every status, in the order of a target's life.
    pub const ALL: [Self; 6] = [
        Self::Pending,
        Self::InProgress,
        Self::Ready,
        Self::Succeeded,
        Self::Failed,
        Self::Skipped,
    ];

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::InProgress => "InProgress",
            Self::Ready => "Ready",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Skipped => "Skipped",
        }
    }

    /// The status that has this name on the wire.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// Whether nothing more will happen to the target.
    pub const fn is_over(self) -> bool {
        match self {
            Self::Pending | Self::InProgress | Self::Ready => false,
            Self::Succeeded | Self::Failed | Self::Skipped => true,
        }
    }
}

/// One lifecycle event on one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub name: LifecycleEvent,
    pub state: EventState,
}

/// The state of a lifecycle event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventState {
    Pending,
    /// The command was queued for the host at `dispatched`.
    InProgress {
        command: HostCommandId,
        dispatched: Timestamp,
    },
    Succeeded {
        started: Timestamp,
        ended: Timestamp,
    },
    Failed {
        started: Timestamp,
        ended: Timestamp,
        diagnostics: Diagnostics,
    },
    /// Will never run: an earlier event failed or the deployment ended, at `ended`.
    Skipped {
        ended: Timestamp,
    },
}

/// What a host said about the end of a lifecycle event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostics {
    pub code: DiagnosticsCode,
    /// The hook's location in the bundle, or empty.
    pub script_name: String,
    pub message: String,
    /// The end of the hook's output, at most 4096 characters.
    pub log_tail: String,
}

/// Source: CodeDeploy API reference, `LifecycleErrorCode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DiagnosticsCode {
    Success,
    ScriptMissing,
    ScriptNotExecutable,
    ScriptTimedOut,
    ScriptFailed,
    UnknownError,
}

impl DiagnosticsCode {
    /// Every code; an agent's number is its index (higher numbers mean `UnknownError`).
    pub const ALL: [Self; 6] = [
        Self::Success,
        Self::ScriptMissing,
        Self::ScriptNotExecutable,
        Self::ScriptTimedOut,
        Self::ScriptFailed,
        Self::UnknownError,
    ];

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Success => "Success",
            Self::ScriptMissing => "ScriptMissing",
            Self::ScriptNotExecutable => "ScriptNotExecutable",
            Self::ScriptTimedOut => "ScriptTimedOut",
            Self::ScriptFailed => "ScriptFailed",
            Self::UnknownError => "UnknownError",
        }
    }

    /// The code that has this name on the wire.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.name() == name)
    }
}

impl Diagnostics {
    /// The diagnostics of an event that ended well. Source: observed answers of the service.
    pub fn success() -> Self {
        Self {
            code: DiagnosticsCode::Success,
            script_name: String::new(),
            message: "Succeeded".to_owned(),
            log_tail: String::new(),
        }
    }

    /// Something went wrong that no hook is to blame for.
    pub fn unknown_error(message: impl Into<String>) -> Self {
        Self {
            code: DiagnosticsCode::UnknownError,
            script_name: String::new(),
            message: message.into(),
            log_tail: String::new(),
        }
    }
}
