//! Lifecycle events: what they are called, who executes them and in which order.

use std::fmt;
use std::str::FromStr;

use crate::ids::InvalidId;

/// A step in the life of a deployment on one host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LifecycleEvent {
    BeforeBlockTraffic,
    BlockTraffic,
    AfterBlockTraffic,
    ApplicationStop,
    DownloadBundle,
    BeforeInstall,
    Install,
    AfterInstall,
    ApplicationStart,
    ValidateService,
    BeforeAllowTraffic,
    AllowTraffic,
    AfterAllowTraffic,
}

/// Who carries a lifecycle event out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Executor {
    /// The host's agent, as a host command.
    Agent,
    /// The control plane, with the load balancer.
    LoadBalancer,
}

use LifecycleEvent as E;

impl LifecycleEvent {
    /// Every event, in the order of a deployment in place behind a load balancer.
    /// Source: CodeDeploy user guide, "List of lifecycle event hooks".
    pub const ALL: [Self; 13] = [
        E::BeforeBlockTraffic,
        E::BlockTraffic,
        E::AfterBlockTraffic,
        E::ApplicationStop,
        E::DownloadBundle,
        E::BeforeInstall,
        E::Install,
        E::AfterInstall,
        E::ApplicationStart,
        E::ValidateService,
        E::BeforeAllowTraffic,
        E::AllowTraffic,
        E::AfterAllowTraffic,
    ];

    /// The events of a deployment in place without a load balancer, in order.
    pub const IN_PLACE: [Self; 7] = [
        E::ApplicationStop,
        E::DownloadBundle,
        E::BeforeInstall,
        E::Install,
        E::AfterInstall,
        E::ApplicationStart,
        E::ValidateService,
    ];

    /// The name on the wire and in an AppSpec.
    pub const fn name(self) -> &'static str {
        match self {
            E::BeforeBlockTraffic => "BeforeBlockTraffic",
            E::BlockTraffic => "BlockTraffic",
            E::AfterBlockTraffic => "AfterBlockTraffic",
            E::ApplicationStop => "ApplicationStop",
            E::DownloadBundle => "DownloadBundle",
            E::BeforeInstall => "BeforeInstall",
            E::Install => "Install",
            E::AfterInstall => "AfterInstall",
            E::ApplicationStart => "ApplicationStart",
            E::ValidateService => "ValidateService",
            E::BeforeAllowTraffic => "BeforeAllowTraffic",
            E::AllowTraffic => "AllowTraffic",
            E::AfterAllowTraffic => "AfterAllowTraffic",
        }
    }

    /// Who carries the event out.
    pub const fn executor(self) -> Executor {
        match self {
            E::BlockTraffic | E::AllowTraffic => Executor::LoadBalancer,
            _ => Executor::Agent,
        }
    }

    /// Whether an AppSpec may bind hooks to the event.
    pub const fn has_hooks(self) -> bool {
        !matches!(self, E::BlockTraffic | E::AllowTraffic | E::DownloadBundle | E::Install)
    }

    /// Whether the event's hooks come from the revision installed before, so that
    /// `ignoreApplicationStopFailures` forgives their failure.
    pub const fn belongs_to_previous_revision(self) -> bool {
        matches!(self, E::BeforeBlockTraffic | E::AfterBlockTraffic | E::ApplicationStop)
    }
}

impl fmt::Display for LifecycleEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for LifecycleEvent {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Self::ALL
            .into_iter()
            .find(|event| event.name() == text)
            .ok_or_else(|| InvalidId { text: text.to_owned(), expected: "a lifecycle event" })
    }
}
