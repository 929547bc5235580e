//! The domain's nouns: what an application, a revision, a deployment group, a deployment and a target *are*.
//!
//! This crate owns names, ids, states and the arithmetic of deployment configurations. It does no I/O, sees no
//! clock and knows neither the AWS wire shapes nor the database: those edges convert to and from these types.

pub mod ids;
pub mod names;
pub mod time;

pub mod appspec;
pub mod deployment_config;
pub mod revision;
pub mod selection;

pub mod lifecycle;

pub mod deployment;
pub mod target;

pub mod arn;

pub use deployment::{
    Creator, DeploymentStatus, ErrorCode, ErrorInformation, QueuePolicy, RollbackEvent,
    StatusMessage,
};
pub use deployment_config::{DeploymentConfig, MinimumHealthyHosts, ZonalConfig};
pub use ids::{
    ApplicationId, DeploymentGroupId, DeploymentId, HostCommandId, InstanceId, TargetId,
};
pub use lifecycle::LifecycleEvent;
pub use names::{ApplicationName, DeploymentConfigName, DeploymentGroupName};
pub use revision::{BundleType, Revision};
pub use target::{Diagnostics, DiagnosticsCode, Event, EventState, Target, TargetStatus};
pub use time::Timestamp;
