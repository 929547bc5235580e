// Written by `cargo xtask gen` from crates/wire/models: change those, not this.

use serde::{Deserialize, Serialize};

use crate::call::{Call, Validate};
use crate::error::{ErrorCode, ServiceError};
use crate::rule::{self, Check, Rule};

/// What comes before the dot in `X-Amz-Target`.
pub const TARGET_PREFIX: &str = "CodeDeployCommandService_v20141006";

/// An operation of this service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// `GetDeploymentSpecification`.
    GetDeploymentSpecification,
    /// `PollHostCommand`.
    PollHostCommand,
    /// `PostHostCommandUpdate`.
    PostHostCommandUpdate,
    /// `PutHostCommandAcknowledgement`.
    PutHostCommandAcknowledgement,
    /// `PutHostCommandComplete`.
    PutHostCommandComplete,
    /// `PutHostCommandOutput`.
    PutHostCommandOutput,
    /// `PutHostPlan`.
    PutHostPlan,
}

impl Operation {
    /// Every operation, in the order of their names.
    pub const ALL: &[Self] = &[
        Self::GetDeploymentSpecification,
        Self::PollHostCommand,
        Self::PostHostCommandUpdate,
        Self::PutHostCommandAcknowledgement,
        Self::PutHostCommandComplete,
        Self::PutHostCommandOutput,
        Self::PutHostPlan,
    ];

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::GetDeploymentSpecification => "GetDeploymentSpecification",
            Self::PollHostCommand => "PollHostCommand",
            Self::PostHostCommandUpdate => "PostHostCommandUpdate",
            Self::PutHostCommandAcknowledgement => "PutHostCommandAcknowledgement",
            Self::PutHostCommandComplete => "PutHostCommandComplete",
            Self::PutHostCommandOutput => "PutHostCommandOutput",
            Self::PutHostPlan => "PutHostPlan",
        }
    }

    /// The operation of that name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|operation| operation.name() == name)
    }
}

impl Call for GetDeploymentSpecificationInput {
    type Operation = Operation;
    type Output = GetDeploymentSpecificationOutput;
    const OPERATION: Operation = Operation::GetDeploymentSpecification;
}

impl Validate for GetDeploymentSpecificationInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, GET_DEPLOYMENT_SPECIFICATION_RULES)
    }
}

const GET_DEPLOYMENT_SPECIFICATION_RULES: &[Rule] = &[
    Rule::new("DeploymentExecutionId", Check::Required, ErrorCode::Client),
    Rule::new("HostIdentifier", Check::Required, ErrorCode::Client),
    Rule::new("DeploymentExecutionId", Check::Length(1, 129), ErrorCode::Client),
    Rule::new("DeploymentExecutionId", Check::FourSegments, ErrorCode::Client),
];

impl Call for PollHostCommandInput {
    type Operation = Operation;
    type Output = PollHostCommandOutput;
    const OPERATION: Operation = Operation::PollHostCommand;
}

impl Validate for PollHostCommandInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, POLL_HOST_COMMAND_RULES)
    }
}

const POLL_HOST_COMMAND_RULES: &[Rule] =
    &[Rule::new("HostIdentifier", Check::Required, ErrorCode::Client)];

impl Call for PostHostCommandUpdateInput {
    type Operation = Operation;
    type Output = PostHostCommandUpdateOutput;
    const OPERATION: Operation = Operation::PostHostCommandUpdate;
}

impl Validate for PostHostCommandUpdateInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, POST_HOST_COMMAND_UPDATE_RULES)
    }
}

const POST_HOST_COMMAND_UPDATE_RULES: &[Rule] = &[
    Rule::new("HostCommandIdentifier", Check::Required, ErrorCode::Client),
    Rule::new("Diagnostics.Format", Check::Length(1, 64), ErrorCode::Client),
];

impl Call for PutHostCommandAcknowledgementInput {
    type Operation = Operation;
    type Output = PutHostCommandAcknowledgementOutput;
    const OPERATION: Operation = Operation::PutHostCommandAcknowledgement;
}

impl Validate for PutHostCommandAcknowledgementInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, PUT_HOST_COMMAND_ACKNOWLEDGEMENT_RULES)
    }
}

const PUT_HOST_COMMAND_ACKNOWLEDGEMENT_RULES: &[Rule] = &[
    Rule::new("HostCommandIdentifier", Check::Required, ErrorCode::Client),
    Rule::new("Diagnostics.Format", Check::Length(1, 64), ErrorCode::Client),
];

impl Call for PutHostCommandCompleteInput {
    type Operation = Operation;
    type Output = crate::call::NoOutput;
    const OPERATION: Operation = Operation::PutHostCommandComplete;
}

impl Validate for PutHostCommandCompleteInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, PUT_HOST_COMMAND_COMPLETE_RULES)
    }
}

const PUT_HOST_COMMAND_COMPLETE_RULES: &[Rule] = &[
    Rule::new("HostCommandIdentifier", Check::Required, ErrorCode::Client),
    Rule::new("CommandStatus", Check::Required, ErrorCode::Client),
    Rule::new("CommandStatus", Check::OneOf(enums::DEPLOYMENT_COMMAND_STATUS), ErrorCode::Client),
    Rule::new("Diagnostics.Format", Check::Length(1, 64), ErrorCode::Client),
];

impl Call for PutHostCommandOutputInput {
    type Operation = Operation;
    type Output = crate::call::NoOutput;
    const OPERATION: Operation = Operation::PutHostCommandOutput;
}

impl Validate for PutHostCommandOutputInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, PUT_HOST_COMMAND_OUTPUT_RULES)
    }
}

const PUT_HOST_COMMAND_OUTPUT_RULES: &[Rule] = &[
    Rule::new("HostCommandIdentifier", Check::Required, ErrorCode::Client),
    Rule::new("Batch", Check::Required, ErrorCode::Client),
    Rule::new("Chunks", Check::Required, ErrorCode::Client),
    Rule::new("Chunks", Check::Items(1024), ErrorCode::Client),
    Rule::new("Chunks.*.Stream", Check::OneOf(enums::HOOK_OUTPUT_STREAM), ErrorCode::Client),
];

impl Call for PutHostPlanInput {
    type Operation = Operation;
    type Output = crate::call::NoOutput;
    const OPERATION: Operation = Operation::PutHostPlan;
}

impl Validate for PutHostPlanInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, PUT_HOST_PLAN_RULES)
    }
}

const PUT_HOST_PLAN_RULES: &[Rule] = &[
    Rule::new("HostPlanIdentifier", Check::Required, ErrorCode::Client),
    Rule::new("HostIdentifier", Check::Required, ErrorCode::Client),
    Rule::new("Outcome", Check::Required, ErrorCode::Client),
    Rule::new("Outcome", Check::OneOf(enums::HOST_PLAN_OUTCOME), ErrorCode::Client),
    Rule::new("Files", Check::Items(1000), ErrorCode::Client),
    Rule::new("Files.*.Effect", Check::OneOf(enums::HOST_PLAN_EFFECT), ErrorCode::Client),
];

/// The shape `DeploymentSpecification` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DeploymentSpecification {
    #[serde(rename = "GenericEnvelope", skip_serializing_if = "Option::is_none")]
    pub generic_envelope: Option<Envelope>,
    #[serde(rename = "VariantId", skip_serializing_if = "Option::is_none")]
    pub variant_id: Option<String>,
    #[serde(rename = "VariantEnvelope", skip_serializing_if = "Option::is_none")]
    pub variant_envelope: Option<Envelope>,
}

/// The shape `Envelope` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Envelope {
    /// 1 to 64 characters.
    #[serde(rename = "Format", skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// 0 to 8192 characters.
    #[serde(rename = "Payload", skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
}

/// What [`Operation::GetDeploymentSpecification`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GetDeploymentSpecificationInput {
    /// Required. 1 to 129 characters.
    #[serde(rename = "DeploymentExecutionId", skip_serializing_if = "Option::is_none")]
    pub deployment_execution_id: Option<String>,
    /// Required.
    #[serde(rename = "HostIdentifier", skip_serializing_if = "Option::is_none")]
    pub host_identifier: Option<String>,
}

/// What [`Operation::GetDeploymentSpecification`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GetDeploymentSpecificationOutput {
    #[serde(rename = "DeploymentSystem", skip_serializing_if = "Option::is_none")]
    pub deployment_system: Option<String>,
    #[serde(rename = "DeploymentSpecification", skip_serializing_if = "Option::is_none")]
    pub deployment_specification: Option<DeploymentSpecification>,
}

/// The shape `HookOutputChunk` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HookOutputChunk {
    /// One of [`enums::HOOK_OUTPUT_STREAM`].
    #[serde(rename = "Stream", skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    #[serde(rename = "Time", skip_serializing_if = "Option::is_none")]
    pub time: Option<crate::Time>,
    #[serde(rename = "Text", skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// The shape `HostCommandInstance` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HostCommandInstance {
    #[serde(rename = "HostCommandIdentifier", skip_serializing_if = "Option::is_none")]
    pub host_command_identifier: Option<String>,
    #[serde(rename = "HostIdentifier", skip_serializing_if = "Option::is_none")]
    pub host_identifier: Option<String>,
    /// 1 to 129 characters.
    #[serde(rename = "DeploymentExecutionId", skip_serializing_if = "Option::is_none")]
    pub deployment_execution_id: Option<String>,
    #[serde(rename = "CommandName", skip_serializing_if = "Option::is_none")]
    pub command_name: Option<String>,
    #[serde(rename = "Nonce", skip_serializing_if = "Option::is_none")]
    pub nonce: Option<i64>,
}

/// The shape `HostPlanCounts` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HostPlanCounts {
    #[serde(rename = "Conflicting", skip_serializing_if = "Option::is_none")]
    pub conflicting: Option<i64>,
    #[serde(rename = "Removed", skip_serializing_if = "Option::is_none")]
    pub removed: Option<i64>,
    #[serde(rename = "Changed", skip_serializing_if = "Option::is_none")]
    pub changed: Option<i64>,
    #[serde(rename = "Added", skip_serializing_if = "Option::is_none")]
    pub added: Option<i64>,
    #[serde(rename = "Kept", skip_serializing_if = "Option::is_none")]
    pub kept: Option<i64>,
    #[serde(rename = "Unchanged", skip_serializing_if = "Option::is_none")]
    pub unchanged: Option<i64>,
}

/// The shape `HostPlanFile` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HostPlanFile {
    #[serde(rename = "Path", skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// One of [`enums::HOST_PLAN_EFFECT`].
    #[serde(rename = "Effect", skip_serializing_if = "Option::is_none")]
    pub effect: Option<String>,
}

/// The shape `HostPlanInstance` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HostPlanInstance {
    #[serde(rename = "HostPlanIdentifier", skip_serializing_if = "Option::is_none")]
    pub host_plan_identifier: Option<String>,
    #[serde(rename = "HostIdentifier", skip_serializing_if = "Option::is_none")]
    pub host_identifier: Option<String>,
    #[serde(rename = "GenericEnvelope", skip_serializing_if = "Option::is_none")]
    pub generic_envelope: Option<Envelope>,
}

/// What [`Operation::PollHostCommand`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PollHostCommandInput {
    /// Required.
    #[serde(rename = "HostIdentifier", skip_serializing_if = "Option::is_none")]
    pub host_identifier: Option<String>,
}

/// What [`Operation::PollHostCommand`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PollHostCommandOutput {
    #[serde(rename = "HostCommand", skip_serializing_if = "Option::is_none")]
    pub host_command: Option<HostCommandInstance>,
    #[serde(rename = "HostPlan", skip_serializing_if = "Option::is_none")]
    pub host_plan: Option<HostPlanInstance>,
}

/// What [`Operation::PostHostCommandUpdate`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PostHostCommandUpdateInput {
    /// Required.
    #[serde(rename = "HostCommandIdentifier", skip_serializing_if = "Option::is_none")]
    pub host_command_identifier: Option<String>,
    #[serde(rename = "EstimatedCompletionTime", skip_serializing_if = "Option::is_none")]
    pub estimated_completion_time: Option<crate::Time>,
    #[serde(rename = "Diagnostics", skip_serializing_if = "Option::is_none")]
    pub diagnostics: Option<Envelope>,
}

/// What [`Operation::PostHostCommandUpdate`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PostHostCommandUpdateOutput {
    /// One of [`enums::DEPLOYMENT_COMMAND_STATUS`].
    #[serde(rename = "CommandStatus", skip_serializing_if = "Option::is_none")]
    pub command_status: Option<String>,
}

/// What [`Operation::PutHostCommandAcknowledgement`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PutHostCommandAcknowledgementInput {
    /// Required.
    #[serde(rename = "HostCommandIdentifier", skip_serializing_if = "Option::is_none")]
    pub host_command_identifier: Option<String>,
    #[serde(rename = "Diagnostics", skip_serializing_if = "Option::is_none")]
    pub diagnostics: Option<Envelope>,
}

/// What [`Operation::PutHostCommandAcknowledgement`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PutHostCommandAcknowledgementOutput {
    /// One of [`enums::DEPLOYMENT_COMMAND_STATUS`].
    #[serde(rename = "CommandStatus", skip_serializing_if = "Option::is_none")]
    pub command_status: Option<String>,
}

/// What [`Operation::PutHostCommandComplete`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PutHostCommandCompleteInput {
    /// Required.
    #[serde(rename = "HostCommandIdentifier", skip_serializing_if = "Option::is_none")]
    pub host_command_identifier: Option<String>,
    /// Required. One of [`enums::DEPLOYMENT_COMMAND_STATUS`].
    #[serde(rename = "CommandStatus", skip_serializing_if = "Option::is_none")]
    pub command_status: Option<String>,
    #[serde(rename = "Diagnostics", skip_serializing_if = "Option::is_none")]
    pub diagnostics: Option<Envelope>,
}

/// What [`Operation::PutHostCommandOutput`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PutHostCommandOutputInput {
    /// Required.
    #[serde(rename = "HostCommandIdentifier", skip_serializing_if = "Option::is_none")]
    pub host_command_identifier: Option<String>,
    /// Required.
    #[serde(rename = "Batch", skip_serializing_if = "Option::is_none")]
    pub batch: Option<i64>,
    /// Required. At most 1024.
    #[serde(rename = "Chunks", skip_serializing_if = "Option::is_none")]
    pub chunks: Option<Vec<HookOutputChunk>>,
}

/// What [`Operation::PutHostPlan`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PutHostPlanInput {
    /// Required.
    #[serde(rename = "HostPlanIdentifier", skip_serializing_if = "Option::is_none")]
    pub host_plan_identifier: Option<String>,
    /// Required.
    #[serde(rename = "HostIdentifier", skip_serializing_if = "Option::is_none")]
    pub host_identifier: Option<String>,
    /// Required. One of [`enums::HOST_PLAN_OUTCOME`].
    #[serde(rename = "Outcome", skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    #[serde(rename = "Message", skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    #[serde(rename = "Counts", skip_serializing_if = "Option::is_none")]
    pub counts: Option<HostPlanCounts>,
    /// At most 1000.
    #[serde(rename = "Files", skip_serializing_if = "Option::is_none")]
    pub files: Option<Vec<HostPlanFile>>,
}

/// The values that the string enumerations of the API permit.
pub mod enums {
    /// The values of `DeploymentCommandStatus`.
    pub const DEPLOYMENT_COMMAND_STATUS: &[&str] =
        &["Pending", "InProgress", "Succeeded", "Failed"];

    /// The values of `HookOutputStream`.
    pub const HOOK_OUTPUT_STREAM: &[&str] = &["stdout", "stderr", "note"];

    /// The values of `HostPlanEffect`.
    pub const HOST_PLAN_EFFECT: &[&str] = &["Conflict", "Remove", "Change", "Add", "Keep"];

    /// The values of `HostPlanOutcome`.
    pub const HOST_PLAN_OUTCOME: &[&str] = &["Succeeds", "Fails", "Unknown"];
}
