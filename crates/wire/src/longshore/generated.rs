// Written by `cargo xtask gen` from crates/wire/models: change those, not this.

use serde::{Deserialize, Serialize};

use crate::call::{Call, Validate};
use crate::error::{ErrorCode, ServiceError};
use crate::rule::{self, Check, Rule};

/// What comes before the dot in `X-Amz-Target`.
pub const TARGET_PREFIX: &str = "Longshore_20261124";

/// An operation of this service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// `GetHookOutput`.
    GetHookOutput,
    /// `LinkGitHubAccountToken`.
    LinkGitHubAccountToken,
    /// `PutGitHubAccountToken`.
    PutGitHubAccountToken,
}

impl Operation {
    /// Every operation, in the order of their names.
    pub const ALL: &[Self] =
        &[Self::GetHookOutput, Self::LinkGitHubAccountToken, Self::PutGitHubAccountToken];

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::GetHookOutput => "GetHookOutput",
            Self::LinkGitHubAccountToken => "LinkGitHubAccountToken",
            Self::PutGitHubAccountToken => "PutGitHubAccountToken",
        }
    }

    /// The operation of that name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|operation| operation.name() == name)
    }
}

impl Call for GetHookOutputInput {
    type Operation = Operation;
    type Output = GetHookOutputOutput;
    const OPERATION: Operation = Operation::GetHookOutput;
}

impl Validate for GetHookOutputInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, GET_HOOK_OUTPUT_RULES)
    }
}

const GET_HOOK_OUTPUT_RULES: &[Rule] = &[
    Rule::new("deploymentId", Check::Required, ErrorCode::DeploymentIdRequired),
    Rule::new("waitSeconds", Check::Range(0, 20), ErrorCode::Validation),
];

impl Call for LinkGitHubAccountTokenInput {
    type Operation = Operation;
    type Output = LinkGitHubAccountTokenOutput;
    const OPERATION: Operation = Operation::LinkGitHubAccountToken;
}

impl Validate for LinkGitHubAccountTokenInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, LINK_GIT_HUB_ACCOUNT_TOKEN_RULES)
    }
}

const LINK_GIT_HUB_ACCOUNT_TOKEN_RULES: &[Rule] = &[
    Rule::new("applicationName", Check::Required, ErrorCode::ApplicationNameRequired),
    Rule::new("applicationName", Check::Length(1, 100), ErrorCode::InvalidApplicationName),
    Rule::new("applicationName", Check::NameCharacters, ErrorCode::InvalidApplicationName),
];

impl Call for PutGitHubAccountTokenInput {
    type Operation = Operation;
    type Output = PutGitHubAccountTokenOutput;
    const OPERATION: Operation = Operation::PutGitHubAccountToken;
}

impl Validate for PutGitHubAccountTokenInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, PUT_GIT_HUB_ACCOUNT_TOKEN_RULES)
    }
}

const PUT_GIT_HUB_ACCOUNT_TOKEN_RULES: &[Rule] = &[
    Rule::new("token", Check::Required, ErrorCode::Validation),
    Rule::new("tokenName", Check::Required, ErrorCode::GitHubAccountTokenNameRequired),
];

/// What [`Operation::GetHookOutput`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GetHookOutputInput {
    /// Required.
    #[serde(rename = "deploymentId", skip_serializing_if = "Option::is_none")]
    pub deployment_id: Option<String>,
    #[serde(rename = "targetId", skip_serializing_if = "Option::is_none")]
    pub target_id: Option<String>,
    #[serde(rename = "lifecycleEventName", skip_serializing_if = "Option::is_none")]
    pub lifecycle_event_name: Option<String>,
    #[serde(rename = "nextToken", skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
    /// 0 to 20.
    #[serde(rename = "waitSeconds", skip_serializing_if = "Option::is_none")]
    pub wait_seconds: Option<i64>,
}

/// What [`Operation::GetHookOutput`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GetHookOutputOutput {
    #[serde(rename = "chunks", skip_serializing_if = "Option::is_none")]
    pub chunks: Option<Vec<HookOutputChunk>>,
    #[serde(rename = "nextToken", skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
    #[serde(rename = "ended", skip_serializing_if = "Option::is_none")]
    pub ended: Option<bool>,
}

/// The shape `HookOutputChunk` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HookOutputChunk {
    #[serde(rename = "targetId", skip_serializing_if = "Option::is_none")]
    pub target_id: Option<String>,
    #[serde(rename = "lifecycleEventName", skip_serializing_if = "Option::is_none")]
    pub lifecycle_event_name: Option<String>,
    /// One of [`enums::HOOK_OUTPUT_STREAM`].
    #[serde(rename = "stream", skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    #[serde(rename = "time", skip_serializing_if = "Option::is_none")]
    pub time: Option<crate::Time>,
    #[serde(rename = "text", skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// What [`Operation::LinkGitHubAccountToken`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LinkGitHubAccountTokenInput {
    /// Required. 1 to 100 characters.
    #[serde(rename = "applicationName", skip_serializing_if = "Option::is_none")]
    pub application_name: Option<String>,
    #[serde(rename = "tokenName", skip_serializing_if = "Option::is_none")]
    pub token_name: Option<String>,
}

/// What [`Operation::LinkGitHubAccountToken`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LinkGitHubAccountTokenOutput {}

/// What [`Operation::PutGitHubAccountToken`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PutGitHubAccountTokenInput {
    /// Required.
    #[serde(rename = "tokenName", skip_serializing_if = "Option::is_none")]
    pub token_name: Option<String>,
    /// Required.
    #[serde(rename = "token", skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

/// What [`Operation::PutGitHubAccountToken`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PutGitHubAccountTokenOutput {
    #[serde(rename = "tokenName", skip_serializing_if = "Option::is_none")]
    pub token_name: Option<String>,
}

/// The values that the string enumerations of the API permit.
pub mod enums {
    /// The values of `HookOutputStream`.
    pub const HOOK_OUTPUT_STREAM: &[&str] = &["stdout", "stderr", "note"];
}
