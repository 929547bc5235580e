//! CodeDeploy's operations, one file per noun.
//!
//! Each takes a verified call and a validated input, and answers in the wire's shapes. They write records and intents
//! down, and the store tells the driver; none of them sets a deployment's status.

pub mod applications;
pub mod bundle;
pub mod configs;
pub mod deployments;
pub mod explain;
pub mod github;
pub mod groups;
pub mod hook_output;
pub mod host_list;
pub(crate) mod host_plans;
pub mod on_premises;
pub mod revisions;
pub mod rollbacks;
pub mod tags;
pub mod targets;
mod triggers;
pub mod unserved;

mod config_record;
pub mod preview;
mod rows;

mod deployment_info;
mod group_record;
pub(crate) mod location;
mod order;
mod page;
mod predefined;
mod rules;
mod settings;
mod target_info;

use model::arn::Scope;
use model::{ApplicationName, DeploymentGroupName, Timestamp};
use store::{Store, StoreError};
use tokio_util::sync::CancellationToken;
use wire::{ErrorCode, ServiceError};

pub use bundle::Bundles;
pub use deployment_info::{Options, rollback_message};
pub use group_record::settings as group_settings;
pub use page::PageTokens;
pub use settings::Settings;

use crate::github::GitHubTokens;
use crate::iam::Caller;

/// What the operations work with. Clones share it.
#[derive(Clone)]
pub struct App {
    pub(crate) store: Store,
    tokens: PageTokens,
    git_hub: GitHubTokens,
    bundles: Bundles,
    /// Cancelled when the server ends: what waits for something then answers.
    stopping: CancellationToken,
}

/// A verified request: who asks, and of which account and region.
#[derive(Debug, Clone)]
pub struct Call {
    /// Whoever signed it.
    pub caller: Caller,
    /// The account, and the region of the signature.
    pub scope: Scope,
    /// When it arrived.
    pub now: Timestamp,
}

impl Call {
    /// The ARN of whoever asks.
    pub fn principal(&self) -> String {
        self.caller.principal.arn(&self.scope)
    }
}

/// Why an operation has no answer.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The caller is told, in the service's words.
    #[error(transparent)]
    Refused(#[from] ServiceError),
    /// Ours: the caller learns no more than a request id, the log learns the cause.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// Ours as well.
    #[error("{what}")]
    Internal {
        /// What failed.
        what: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Failure {
    /// A refusal in the service's words.
    pub fn refused(code: ErrorCode, message: impl Into<String>) -> Self {
        Self::Refused(ServiceError::new(code, message))
    }

    /// A failure of ours, with its cause.
    pub fn internal(
        what: &'static str,
        source: impl std::error::Error + Send + Sync + 'static,
    ) -> Self {
        Self::Internal { what, source: Box::new(source) }
    }
}

/// What an operation comes to.
pub type Answer<T> = Result<T, Failure>;

impl App {
    /// The operations on `store`; those that wait end when `stopping` is cancelled.
    pub fn new(
        store: Store,
        tokens: PageTokens,
        git_hub: GitHubTokens,
        bundles: Bundles,
        stopping: CancellationToken,
    ) -> Self {
        Self { store, tokens, git_hub, bundles, stopping }
    }

    /// Whether the database answers.
    pub async fn is_healthy(&self) -> bool {
        self.store.check().await.is_ok()
    }
}

/// A member that names an application.
fn application_name(name: Option<String>) -> Result<ApplicationName, ServiceError> {
    rules::required(name, ErrorCode::ApplicationNameRequired)?
        .parse()
        .map_err(|wrong| name_error(ErrorCode::InvalidApplicationName, &wrong))
}

/// A member that names a deployment group.
fn group_name(name: Option<String>) -> Result<DeploymentGroupName, ServiceError> {
    rules::required(name, ErrorCode::DeploymentGroupNameRequired)?
        .parse()
        .map_err(|wrong| name_error(ErrorCode::InvalidDeploymentGroupName, &wrong))
}

fn name_error(code: ErrorCode, wrong: &dyn std::error::Error) -> ServiceError {
    ServiceError::new(code, format!("The name is not valid: {wrong}"))
}

/// A new id for a record. Ids are random: nothing may be read from them.
fn uuid() -> String {
    uuid::Uuid::new_v4().to_string()
}
