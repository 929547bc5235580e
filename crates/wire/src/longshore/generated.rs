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
    /// `DeleteAlarmSource`.
    DeleteAlarmSource,
    /// `DeleteDeadLetters`.
    DeleteDeadLetters,
    /// `DeleteEventDestination`.
    DeleteEventDestination,
    /// `ExplainDeployment`.
    ExplainDeployment,
    /// `GetHookOutput`.
    GetHookOutput,
    /// `GetHostPlan`.
    GetHostPlan,
    /// `LinkGitHubAccountToken`.
    LinkGitHubAccountToken,
    /// `ListAlarmSources`.
    ListAlarmSources,
    /// `ListDeadLetters`.
    ListDeadLetters,
    /// `ListEventDestinations`.
    ListEventDestinations,
    /// `ListHosts`.
    ListHosts,
    /// `PlanDeployment`.
    PlanDeployment,
    /// `PutAlarmSource`.
    PutAlarmSource,
    /// `PutEventDestination`.
    PutEventDestination,
    /// `PutGitHubAccountToken`.
    PutGitHubAccountToken,
    /// `RedriveDeadLetters`.
    RedriveDeadLetters,
    /// `StartHostPlan`.
    StartHostPlan,
}

impl Operation {
    /// Every operation, in the order of their names.
    pub const ALL: &[Self] = &[
        Self::DeleteAlarmSource,
        Self::DeleteDeadLetters,
        Self::DeleteEventDestination,
        Self::ExplainDeployment,
        Self::GetHookOutput,
        Self::GetHostPlan,
        Self::LinkGitHubAccountToken,
        Self::ListAlarmSources,
        Self::ListDeadLetters,
        Self::ListEventDestinations,
        Self::ListHosts,
        Self::PlanDeployment,
        Self::PutAlarmSource,
        Self::PutEventDestination,
        Self::PutGitHubAccountToken,
        Self::RedriveDeadLetters,
        Self::StartHostPlan,
    ];

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DeleteAlarmSource => "DeleteAlarmSource",
            Self::DeleteDeadLetters => "DeleteDeadLetters",
            Self::DeleteEventDestination => "DeleteEventDestination",
            Self::ExplainDeployment => "ExplainDeployment",
            Self::GetHookOutput => "GetHookOutput",
            Self::GetHostPlan => "GetHostPlan",
            Self::LinkGitHubAccountToken => "LinkGitHubAccountToken",
            Self::ListAlarmSources => "ListAlarmSources",
            Self::ListDeadLetters => "ListDeadLetters",
            Self::ListEventDestinations => "ListEventDestinations",
            Self::ListHosts => "ListHosts",
            Self::PlanDeployment => "PlanDeployment",
            Self::PutAlarmSource => "PutAlarmSource",
            Self::PutEventDestination => "PutEventDestination",
            Self::PutGitHubAccountToken => "PutGitHubAccountToken",
            Self::RedriveDeadLetters => "RedriveDeadLetters",
            Self::StartHostPlan => "StartHostPlan",
        }
    }

    /// The operation of that name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|operation| operation.name() == name)
    }
}

impl Call for DeleteAlarmSourceInput {
    type Operation = Operation;
    type Output = crate::call::NoOutput;
    const OPERATION: Operation = Operation::DeleteAlarmSource;
}

impl Validate for DeleteAlarmSourceInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, DELETE_ALARM_SOURCE_RULES)
    }
}

const DELETE_ALARM_SOURCE_RULES: &[Rule] = &[
    Rule::new("alarmName", Check::Required, ErrorCode::Validation),
    Rule::new("alarmName", Check::Length(1, 255), ErrorCode::Validation),
];

impl Call for DeleteDeadLettersInput {
    type Operation = Operation;
    type Output = DeleteDeadLettersOutput;
    const OPERATION: Operation = Operation::DeleteDeadLetters;
}

impl Validate for DeleteDeadLettersInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, DELETE_DEAD_LETTERS_RULES)
    }
}

const DELETE_DEAD_LETTERS_RULES: &[Rule] = &[
    Rule::new("ids", Check::Required, ErrorCode::Validation),
    Rule::new("ids", Check::Items(100), ErrorCode::Validation),
    Rule::new("ids.*", Check::Length(1, 100), ErrorCode::Validation),
];

impl Call for DeleteEventDestinationInput {
    type Operation = Operation;
    type Output = crate::call::NoOutput;
    const OPERATION: Operation = Operation::DeleteEventDestination;
}

impl Validate for DeleteEventDestinationInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, DELETE_EVENT_DESTINATION_RULES)
    }
}

const DELETE_EVENT_DESTINATION_RULES: &[Rule] = &[
    Rule::new("name", Check::Required, ErrorCode::Validation),
    Rule::new("name", Check::Length(1, 100), ErrorCode::Validation),
];

impl Call for ExplainDeploymentInput {
    type Operation = Operation;
    type Output = ExplainDeploymentOutput;
    const OPERATION: Operation = Operation::ExplainDeployment;
}

impl Validate for ExplainDeploymentInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, EXPLAIN_DEPLOYMENT_RULES)
    }
}

const EXPLAIN_DEPLOYMENT_RULES: &[Rule] =
    &[Rule::new("deploymentId", Check::Required, ErrorCode::DeploymentIdRequired)];

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

impl Call for GetHostPlanInput {
    type Operation = Operation;
    type Output = GetHostPlanOutput;
    const OPERATION: Operation = Operation::GetHostPlan;
}

impl Validate for GetHostPlanInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, GET_HOST_PLAN_RULES)
    }
}

const GET_HOST_PLAN_RULES: &[Rule] = &[
    Rule::new("hostPlanId", Check::Required, ErrorCode::Validation),
    Rule::new("hostPlanId", Check::Length(1, 64), ErrorCode::Validation),
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

impl Call for ListAlarmSourcesInput {
    type Operation = Operation;
    type Output = ListAlarmSourcesOutput;
    const OPERATION: Operation = Operation::ListAlarmSources;
}

impl Validate for ListAlarmSourcesInput {
    fn validate(&self) -> Result<(), ServiceError> {
        Ok(())
    }
}

impl Call for ListDeadLettersInput {
    type Operation = Operation;
    type Output = ListDeadLettersOutput;
    const OPERATION: Operation = Operation::ListDeadLetters;
}

impl Validate for ListDeadLettersInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, LIST_DEAD_LETTERS_RULES)
    }
}

const LIST_DEAD_LETTERS_RULES: &[Rule] =
    &[Rule::new("destination", Check::Length(1, 1024), ErrorCode::Validation)];

impl Call for ListEventDestinationsInput {
    type Operation = Operation;
    type Output = ListEventDestinationsOutput;
    const OPERATION: Operation = Operation::ListEventDestinations;
}

impl Validate for ListEventDestinationsInput {
    fn validate(&self) -> Result<(), ServiceError> {
        Ok(())
    }
}

impl Call for ListHostsInput {
    type Operation = Operation;
    type Output = ListHostsOutput;
    const OPERATION: Operation = Operation::ListHosts;
}

impl Validate for ListHostsInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, LIST_HOSTS_RULES)
    }
}

const LIST_HOSTS_RULES: &[Rule] = &[
    Rule::new("applicationName", Check::Length(1, 100), ErrorCode::InvalidApplicationName),
    Rule::new("applicationName", Check::NameCharacters, ErrorCode::InvalidApplicationName),
    Rule::new("deploymentGroupName", Check::Length(1, 100), ErrorCode::InvalidDeploymentGroupName),
    Rule::new("deploymentGroupName", Check::NameCharacters, ErrorCode::InvalidDeploymentGroupName),
    Rule::new("silentSeconds", Check::Range(1, 31536000), ErrorCode::Validation),
];

impl Call for PlanDeploymentInput {
    type Operation = Operation;
    type Output = PlanDeploymentOutput;
    const OPERATION: Operation = Operation::PlanDeployment;
}

impl Validate for PlanDeploymentInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, PLAN_DEPLOYMENT_RULES)
    }
}

const PLAN_DEPLOYMENT_RULES: &[Rule] = &[
    Rule::new("applicationName", Check::Required, ErrorCode::ApplicationNameRequired),
    Rule::new("applicationName", Check::Length(1, 100), ErrorCode::InvalidApplicationName),
    Rule::new("applicationName", Check::NameCharacters, ErrorCode::InvalidApplicationName),
    Rule::new("deploymentGroupName", Check::Length(1, 100), ErrorCode::InvalidDeploymentGroupName),
    Rule::new("deploymentGroupName", Check::NameCharacters, ErrorCode::InvalidDeploymentGroupName),
    Rule::new(
        "deploymentConfigName",
        Check::Length(1, 100),
        ErrorCode::InvalidDeploymentConfigName,
    ),
    Rule::new(
        "deploymentConfigName",
        Check::NameCharacters,
        ErrorCode::InvalidDeploymentConfigName,
    ),
    Rule::new(
        "fileExistsBehavior",
        Check::OneOf(enums::FILE_EXISTS_BEHAVIOR),
        ErrorCode::InvalidFileExistsBehavior,
    ),
    Rule::new("deploymentMode", Check::OneOf(enums::DEPLOYMENT_MODE), ErrorCode::Validation),
    Rule::new(
        "revision.revisionType",
        Check::OneOf(enums::REVISION_LOCATION_TYPE),
        ErrorCode::InvalidRevision,
    ),
    Rule::new(
        "revision.s3Location.bundleType",
        Check::OneOf(enums::BUNDLE_TYPE),
        ErrorCode::InvalidRevision,
    ),
    Rule::new(
        "targetInstances.tagFilters.*.Type",
        Check::OneOf(enums::EC2_TAG_FILTER_TYPE),
        ErrorCode::InvalidTargetInstances,
    ),
    Rule::new(
        "targetInstances.ec2TagSet.ec2TagSetList.*.*.Type",
        Check::OneOf(enums::EC2_TAG_FILTER_TYPE),
        ErrorCode::InvalidTargetInstances,
    ),
    Rule::new(
        "autoRollbackConfiguration.events.*",
        Check::OneOf(enums::AUTO_ROLLBACK_EVENT),
        ErrorCode::InvalidAutoRollbackConfig,
    ),
    Rule::new(
        "overrideAlarmConfiguration.alarms.*.name",
        Check::Length(1, 255),
        ErrorCode::Validation,
    ),
    Rule::new(
        "ec2DeploymentOptions.autoScalingGroupProcessesToSuspend",
        Check::Items(4),
        ErrorCode::InvalidAutoScalingGroupProcessToSuspend,
    ),
    Rule::new(
        "ec2DeploymentOptions.autoScalingGroupProcessesToSuspend.*",
        Check::OneOf(enums::AUTO_SCALING_GROUP_PROCESS),
        ErrorCode::InvalidAutoScalingGroupProcessToSuspend,
    ),
];

impl Call for PutAlarmSourceInput {
    type Operation = Operation;
    type Output = PutAlarmSourceOutput;
    const OPERATION: Operation = Operation::PutAlarmSource;
}

impl Validate for PutAlarmSourceInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, PUT_ALARM_SOURCE_RULES)
    }
}

const PUT_ALARM_SOURCE_RULES: &[Rule] = &[
    Rule::new("alarmName", Check::Required, ErrorCode::Validation),
    Rule::new("alarmName", Check::Length(1, 255), ErrorCode::Validation),
    Rule::new("intervalSeconds", Check::Range(1, 3600), ErrorCode::Validation),
    Rule::new("prometheus.url", Check::Length(1, 2048), ErrorCode::Validation),
    Rule::new("prometheus.query", Check::Length(1, 4096), ErrorCode::Validation),
    Rule::new(
        "prometheus.comparisonOperator",
        Check::OneOf(enums::COMPARISON_OPERATOR),
        ErrorCode::Validation,
    ),
    Rule::new("httpCheck.url", Check::Length(1, 2048), ErrorCode::Validation),
    Rule::new("httpCheck.expectedStatus", Check::Range(100, 599), ErrorCode::Validation),
    Rule::new("httpCheck.timeoutSeconds", Check::Range(1, 30), ErrorCode::Validation),
    Rule::new("httpCheck.failures", Check::Range(1, 100), ErrorCode::Validation),
    Rule::new("alertmanager.alertName", Check::Length(0, 1024), ErrorCode::Validation),
    Rule::new("alertmanager.labels.#", Check::Length(1, 255), ErrorCode::Validation),
    Rule::new("alertmanager.labels.*", Check::Length(0, 1024), ErrorCode::Validation),
];

impl Call for PutEventDestinationInput {
    type Operation = Operation;
    type Output = PutEventDestinationOutput;
    const OPERATION: Operation = Operation::PutEventDestination;
}

impl Validate for PutEventDestinationInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, PUT_EVENT_DESTINATION_RULES)
    }
}

const PUT_EVENT_DESTINATION_RULES: &[Rule] = &[
    Rule::new("name", Check::Required, ErrorCode::Validation),
    Rule::new("url", Check::Required, ErrorCode::Validation),
    Rule::new("name", Check::Length(1, 100), ErrorCode::Validation),
    Rule::new("url", Check::Length(1, 2048), ErrorCode::Validation),
    Rule::new("format", Check::OneOf(enums::EVENT_FORMAT), ErrorCode::Validation),
    Rule::new("secret", Check::Length(16, 256), ErrorCode::Validation),
    Rule::new("filter.applicationNames", Check::Items(100), ErrorCode::Validation),
    Rule::new("filter.applicationNames.*", Check::Length(1, 255), ErrorCode::Validation),
    Rule::new("filter.deploymentGroupNames", Check::Items(100), ErrorCode::Validation),
    Rule::new("filter.deploymentGroupNames.*", Check::Length(1, 255), ErrorCode::Validation),
    Rule::new("filter.detailTypes", Check::Items(100), ErrorCode::Validation),
    Rule::new("filter.detailTypes.*", Check::Length(1, 255), ErrorCode::Validation),
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

impl Call for RedriveDeadLettersInput {
    type Operation = Operation;
    type Output = RedriveDeadLettersOutput;
    const OPERATION: Operation = Operation::RedriveDeadLetters;
}

impl Validate for RedriveDeadLettersInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, REDRIVE_DEAD_LETTERS_RULES)
    }
}

const REDRIVE_DEAD_LETTERS_RULES: &[Rule] = &[
    Rule::new("ids", Check::Required, ErrorCode::Validation),
    Rule::new("ids", Check::Items(100), ErrorCode::Validation),
    Rule::new("ids.*", Check::Length(1, 100), ErrorCode::Validation),
];

impl Call for StartHostPlanInput {
    type Operation = Operation;
    type Output = StartHostPlanOutput;
    const OPERATION: Operation = Operation::StartHostPlan;
}

impl Validate for StartHostPlanInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, START_HOST_PLAN_RULES)
    }
}

const START_HOST_PLAN_RULES: &[Rule] = &[
    Rule::new("applicationName", Check::Required, ErrorCode::ApplicationNameRequired),
    Rule::new("applicationName", Check::Length(1, 100), ErrorCode::InvalidApplicationName),
    Rule::new("applicationName", Check::NameCharacters, ErrorCode::InvalidApplicationName),
    Rule::new("deploymentGroupName", Check::Length(1, 100), ErrorCode::InvalidDeploymentGroupName),
    Rule::new("deploymentGroupName", Check::NameCharacters, ErrorCode::InvalidDeploymentGroupName),
    Rule::new(
        "deploymentConfigName",
        Check::Length(1, 100),
        ErrorCode::InvalidDeploymentConfigName,
    ),
    Rule::new(
        "deploymentConfigName",
        Check::NameCharacters,
        ErrorCode::InvalidDeploymentConfigName,
    ),
    Rule::new(
        "fileExistsBehavior",
        Check::OneOf(enums::FILE_EXISTS_BEHAVIOR),
        ErrorCode::InvalidFileExistsBehavior,
    ),
    Rule::new("deploymentMode", Check::OneOf(enums::DEPLOYMENT_MODE), ErrorCode::Validation),
    Rule::new("targetIds", Check::Items(100), ErrorCode::Validation),
    Rule::new(
        "revision.revisionType",
        Check::OneOf(enums::REVISION_LOCATION_TYPE),
        ErrorCode::InvalidRevision,
    ),
    Rule::new(
        "revision.s3Location.bundleType",
        Check::OneOf(enums::BUNDLE_TYPE),
        ErrorCode::InvalidRevision,
    ),
    Rule::new(
        "targetInstances.tagFilters.*.Type",
        Check::OneOf(enums::EC2_TAG_FILTER_TYPE),
        ErrorCode::InvalidTargetInstances,
    ),
    Rule::new(
        "targetInstances.ec2TagSet.ec2TagSetList.*.*.Type",
        Check::OneOf(enums::EC2_TAG_FILTER_TYPE),
        ErrorCode::InvalidTargetInstances,
    ),
    Rule::new(
        "autoRollbackConfiguration.events.*",
        Check::OneOf(enums::AUTO_ROLLBACK_EVENT),
        ErrorCode::InvalidAutoRollbackConfig,
    ),
    Rule::new(
        "overrideAlarmConfiguration.alarms.*.name",
        Check::Length(1, 255),
        ErrorCode::Validation,
    ),
    Rule::new(
        "ec2DeploymentOptions.autoScalingGroupProcessesToSuspend",
        Check::Items(4),
        ErrorCode::InvalidAutoScalingGroupProcessToSuspend,
    ),
    Rule::new(
        "ec2DeploymentOptions.autoScalingGroupProcessesToSuspend.*",
        Check::OneOf(enums::AUTO_SCALING_GROUP_PROCESS),
        ErrorCode::InvalidAutoScalingGroupProcessToSuspend,
    ),
];

/// The shape `Alarm` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// 1 to 255 characters.
    #[serde(rename = "name", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// The shape `AlarmConfiguration` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AlarmConfiguration {
    #[serde(rename = "enabled", skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    #[serde(rename = "ignorePollAlarmFailure", skip_serializing_if = "Option::is_none")]
    pub ignore_poll_alarm_failure: Option<bool>,
    #[serde(rename = "alarms", skip_serializing_if = "Option::is_none")]
    pub alarms: Option<Vec<Alarm>>,
}

/// The shape `AlarmSource` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AlarmSource {
    /// 1 to 255 characters.
    #[serde(rename = "alarmName", skip_serializing_if = "Option::is_none")]
    pub alarm_name: Option<String>,
    #[serde(rename = "prometheus", skip_serializing_if = "Option::is_none")]
    pub prometheus: Option<PrometheusSource>,
    #[serde(rename = "httpCheck", skip_serializing_if = "Option::is_none")]
    pub http_check: Option<HttpCheckSource>,
    #[serde(rename = "alertmanager", skip_serializing_if = "Option::is_none")]
    pub alertmanager: Option<AlertmanagerSource>,
    /// 1 to 3600.
    #[serde(rename = "intervalSeconds", skip_serializing_if = "Option::is_none")]
    pub interval_seconds: Option<i64>,
}

/// The shape `AlertmanagerSource` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AlertmanagerSource {
    /// Required. 0 to 1024 characters.
    #[serde(rename = "alertName", skip_serializing_if = "Option::is_none")]
    pub alert_name: Option<String>,
    #[serde(rename = "labels", skip_serializing_if = "Option::is_none")]
    pub labels: Option<std::collections::BTreeMap<String, String>>,
}

/// The shape `AppSpecContent` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AppSpecContent {
    #[serde(rename = "content", skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    #[serde(rename = "sha256", skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// The shape `AutoRollbackConfiguration` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AutoRollbackConfiguration {
    #[serde(rename = "enabled", skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    #[serde(rename = "events", skip_serializing_if = "Option::is_none")]
    pub events: Option<Vec<String>>,
}

/// The shape `DeadLetter` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// 1 to 100 characters.
    #[serde(rename = "id", skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// 1 to 100 characters.
    #[serde(rename = "messageId", skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// 1 to 1024 characters.
    #[serde(rename = "destination", skip_serializing_if = "Option::is_none")]
    pub destination: Option<String>,
    #[serde(rename = "body", skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    #[serde(rename = "createTime", skip_serializing_if = "Option::is_none")]
    pub create_time: Option<crate::Time>,
    #[serde(rename = "endTime", skip_serializing_if = "Option::is_none")]
    pub end_time: Option<crate::Time>,
    #[serde(rename = "attempts", skip_serializing_if = "Option::is_none")]
    pub attempts: Option<i64>,
    #[serde(rename = "error", skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// The shape `DecisionInput` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DecisionInput {
    #[serde(rename = "name", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(rename = "values", skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<String>>,
}

/// What [`Operation::DeleteAlarmSource`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DeleteAlarmSourceInput {
    /// Required. 1 to 255 characters.
    #[serde(rename = "alarmName", skip_serializing_if = "Option::is_none")]
    pub alarm_name: Option<String>,
}

/// What [`Operation::DeleteDeadLetters`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DeleteDeadLettersInput {
    /// Required. At most 100.
    #[serde(rename = "ids", skip_serializing_if = "Option::is_none")]
    pub ids: Option<Vec<String>>,
}

/// What [`Operation::DeleteDeadLetters`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DeleteDeadLettersOutput {
    /// At most 100.
    #[serde(rename = "ids", skip_serializing_if = "Option::is_none")]
    pub ids: Option<Vec<String>>,
}

/// What [`Operation::DeleteEventDestination`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DeleteEventDestinationInput {
    /// Required. 1 to 100 characters.
    #[serde(rename = "name", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// The shape `EC2DeploymentOptions` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EC2DeploymentOptions {
    /// At most 4.
    #[serde(
        rename = "autoScalingGroupProcessesToSuspend",
        skip_serializing_if = "Option::is_none"
    )]
    pub auto_scaling_group_processes_to_suspend: Option<Vec<String>>,
}

/// The shape `EC2TagFilter` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EC2TagFilter {
    #[serde(rename = "Key", skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    #[serde(rename = "Value", skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// One of [`enums::EC2_TAG_FILTER_TYPE`].
    #[serde(rename = "Type", skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
}

/// The shape `EC2TagSet` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EC2TagSet {
    #[serde(rename = "ec2TagSetList", skip_serializing_if = "Option::is_none")]
    pub ec2_tag_set_list: Option<Vec<Vec<EC2TagFilter>>>,
}

/// The shape `EventDestination` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EventDestination {
    /// 1 to 100 characters.
    #[serde(rename = "name", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// 1 to 2048 characters.
    #[serde(rename = "url", skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// One of [`enums::EVENT_FORMAT`].
    #[serde(rename = "format", skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    #[serde(rename = "filter", skip_serializing_if = "Option::is_none")]
    pub filter: Option<EventFilter>,
    #[serde(rename = "createTime", skip_serializing_if = "Option::is_none")]
    pub create_time: Option<crate::Time>,
}

/// The shape `EventFilter` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EventFilter {
    /// At most 100.
    #[serde(rename = "applicationNames", skip_serializing_if = "Option::is_none")]
    pub application_names: Option<Vec<String>>,
    /// At most 100.
    #[serde(rename = "deploymentGroupNames", skip_serializing_if = "Option::is_none")]
    pub deployment_group_names: Option<Vec<String>>,
    /// At most 100.
    #[serde(rename = "detailTypes", skip_serializing_if = "Option::is_none")]
    pub detail_types: Option<Vec<String>>,
}

/// What [`Operation::ExplainDeployment`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ExplainDeploymentInput {
    /// Required.
    #[serde(rename = "deploymentId", skip_serializing_if = "Option::is_none")]
    pub deployment_id: Option<String>,
    #[serde(rename = "targetId", skip_serializing_if = "Option::is_none")]
    pub target_id: Option<String>,
    #[serde(rename = "nextToken", skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// What [`Operation::ExplainDeployment`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ExplainDeploymentOutput {
    #[serde(rename = "entries", skip_serializing_if = "Option::is_none")]
    pub entries: Option<Vec<TimelineEntry>>,
    #[serde(rename = "nextToken", skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

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

/// What [`Operation::GetHostPlan`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GetHostPlanInput {
    /// Required. 1 to 64 characters.
    #[serde(rename = "hostPlanId", skip_serializing_if = "Option::is_none")]
    pub host_plan_id: Option<String>,
    #[serde(rename = "targetId", skip_serializing_if = "Option::is_none")]
    pub target_id: Option<String>,
    #[serde(rename = "nextToken", skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// What [`Operation::GetHostPlan`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GetHostPlanOutput {
    #[serde(rename = "hosts", skip_serializing_if = "Option::is_none")]
    pub hosts: Option<Vec<HostPlanAnswer>>,
    #[serde(rename = "files", skip_serializing_if = "Option::is_none")]
    pub files: Option<Vec<HostPlanFile>>,
    #[serde(rename = "ended", skip_serializing_if = "Option::is_none")]
    pub ended: Option<bool>,
    #[serde(rename = "nextToken", skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// The shape `GitHubLocation` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GitHubLocation {
    #[serde(rename = "repository", skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    #[serde(rename = "commitId", skip_serializing_if = "Option::is_none")]
    pub commit_id: Option<String>,
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

/// The shape `HostPlanAnswer` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HostPlanAnswer {
    #[serde(rename = "targetId", skip_serializing_if = "Option::is_none")]
    pub target_id: Option<String>,
    /// One of [`enums::HOST_PLAN_STATUS`].
    #[serde(rename = "status", skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    #[serde(rename = "message", skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    #[serde(rename = "conflictCount", skip_serializing_if = "Option::is_none")]
    pub conflict_count: Option<i64>,
    #[serde(rename = "removeCount", skip_serializing_if = "Option::is_none")]
    pub remove_count: Option<i64>,
    #[serde(rename = "changeCount", skip_serializing_if = "Option::is_none")]
    pub change_count: Option<i64>,
    #[serde(rename = "addCount", skip_serializing_if = "Option::is_none")]
    pub add_count: Option<i64>,
    #[serde(rename = "keepCount", skip_serializing_if = "Option::is_none")]
    pub keep_count: Option<i64>,
    #[serde(rename = "unchangedCount", skip_serializing_if = "Option::is_none")]
    pub unchanged_count: Option<i64>,
}

/// The shape `HostPlanFile` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HostPlanFile {
    #[serde(rename = "path", skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// One of [`enums::HOST_PLAN_EFFECT`].
    #[serde(rename = "effect", skip_serializing_if = "Option::is_none")]
    pub effect: Option<String>,
}

/// The shape `HttpCheckSource` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HttpCheckSource {
    /// Required. 1 to 2048 characters.
    #[serde(rename = "url", skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// 100 to 599.
    #[serde(rename = "expectedStatus", skip_serializing_if = "Option::is_none")]
    pub expected_status: Option<i64>,
    /// 1 to 30.
    #[serde(rename = "timeoutSeconds", skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<i64>,
    /// 1 to 100.
    #[serde(rename = "failures", skip_serializing_if = "Option::is_none")]
    pub failures: Option<i64>,
}

/// The shape `InstalledRevision` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct InstalledRevision {
    /// 1 to 100 characters.
    #[serde(rename = "applicationName", skip_serializing_if = "Option::is_none")]
    pub application_name: Option<String>,
    /// 1 to 100 characters.
    #[serde(rename = "deploymentGroupName", skip_serializing_if = "Option::is_none")]
    pub deployment_group_name: Option<String>,
    #[serde(rename = "revision", skip_serializing_if = "Option::is_none")]
    pub revision: Option<RevisionLocation>,
    #[serde(rename = "current", skip_serializing_if = "Option::is_none")]
    pub current: Option<bool>,
    #[serde(rename = "healthy", skip_serializing_if = "Option::is_none")]
    pub healthy: Option<bool>,
    #[serde(rename = "updateTime", skip_serializing_if = "Option::is_none")]
    pub update_time: Option<crate::Time>,
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

/// What [`Operation::ListAlarmSources`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ListAlarmSourcesInput {}

/// What [`Operation::ListAlarmSources`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ListAlarmSourcesOutput {
    #[serde(rename = "alarmSources", skip_serializing_if = "Option::is_none")]
    pub alarm_sources: Option<Vec<AlarmSource>>,
}

/// What [`Operation::ListDeadLetters`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ListDeadLettersInput {
    /// 1 to 1024 characters.
    #[serde(rename = "destination", skip_serializing_if = "Option::is_none")]
    pub destination: Option<String>,
    #[serde(rename = "nextToken", skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// What [`Operation::ListDeadLetters`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ListDeadLettersOutput {
    #[serde(rename = "deadLetters", skip_serializing_if = "Option::is_none")]
    pub dead_letters: Option<Vec<DeadLetter>>,
    #[serde(rename = "nextToken", skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// What [`Operation::ListEventDestinations`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ListEventDestinationsInput {}

/// What [`Operation::ListEventDestinations`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ListEventDestinationsOutput {
    #[serde(rename = "eventDestinations", skip_serializing_if = "Option::is_none")]
    pub event_destinations: Option<Vec<EventDestination>>,
}

/// What [`Operation::ListHosts`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ListHostsInput {
    /// 1 to 100 characters.
    #[serde(rename = "applicationName", skip_serializing_if = "Option::is_none")]
    pub application_name: Option<String>,
    /// 1 to 100 characters.
    #[serde(rename = "deploymentGroupName", skip_serializing_if = "Option::is_none")]
    pub deployment_group_name: Option<String>,
    /// 1 to 31536000.
    #[serde(rename = "silentSeconds", skip_serializing_if = "Option::is_none")]
    pub silent_seconds: Option<i64>,
    #[serde(rename = "nextToken", skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// What [`Operation::ListHosts`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ListHostsOutput {
    #[serde(rename = "hosts", skip_serializing_if = "Option::is_none")]
    pub hosts: Option<Vec<ListedHost>>,
    #[serde(rename = "nextToken", skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// The shape `ListedHost` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ListedHost {
    #[serde(rename = "targetId", skip_serializing_if = "Option::is_none")]
    pub target_id: Option<String>,
    #[serde(rename = "targetArn", skip_serializing_if = "Option::is_none")]
    pub target_arn: Option<String>,
    /// One of [`enums::HOST_KIND`].
    #[serde(rename = "kind", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    #[serde(rename = "state", skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    #[serde(rename = "expected", skip_serializing_if = "Option::is_none")]
    pub expected: Option<bool>,
    #[serde(rename = "agentVersion", skip_serializing_if = "Option::is_none")]
    pub agent_version: Option<String>,
    #[serde(rename = "lastSeenTime", skip_serializing_if = "Option::is_none")]
    pub last_seen_time: Option<crate::Time>,
    #[serde(rename = "secondsSinceSeen", skip_serializing_if = "Option::is_none")]
    pub seconds_since_seen: Option<i64>,
    #[serde(rename = "installed", skip_serializing_if = "Option::is_none")]
    pub installed: Option<Vec<InstalledRevision>>,
}

/// What [`Operation::PlanDeployment`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PlanDeploymentInput {
    /// Required. 1 to 100 characters.
    #[serde(rename = "applicationName", skip_serializing_if = "Option::is_none")]
    pub application_name: Option<String>,
    /// 1 to 100 characters.
    #[serde(rename = "deploymentGroupName", skip_serializing_if = "Option::is_none")]
    pub deployment_group_name: Option<String>,
    #[serde(rename = "revision", skip_serializing_if = "Option::is_none")]
    pub revision: Option<RevisionLocation>,
    /// 1 to 100 characters.
    #[serde(rename = "deploymentConfigName", skip_serializing_if = "Option::is_none")]
    pub deployment_config_name: Option<String>,
    #[serde(rename = "description", skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(rename = "ignoreApplicationStopFailures", skip_serializing_if = "Option::is_none")]
    pub ignore_application_stop_failures: Option<bool>,
    #[serde(rename = "targetInstances", skip_serializing_if = "Option::is_none")]
    pub target_instances: Option<TargetInstances>,
    #[serde(rename = "autoRollbackConfiguration", skip_serializing_if = "Option::is_none")]
    pub auto_rollback_configuration: Option<AutoRollbackConfiguration>,
    #[serde(rename = "updateOutdatedInstancesOnly", skip_serializing_if = "Option::is_none")]
    pub update_outdated_instances_only: Option<bool>,
    /// One of [`enums::FILE_EXISTS_BEHAVIOR`].
    #[serde(rename = "fileExistsBehavior", skip_serializing_if = "Option::is_none")]
    pub file_exists_behavior: Option<String>,
    /// One of [`enums::DEPLOYMENT_MODE`].
    #[serde(rename = "deploymentMode", skip_serializing_if = "Option::is_none")]
    pub deployment_mode: Option<String>,
    #[serde(rename = "overrideAlarmConfiguration", skip_serializing_if = "Option::is_none")]
    pub override_alarm_configuration: Option<AlarmConfiguration>,
    #[serde(rename = "ec2DeploymentOptions", skip_serializing_if = "Option::is_none")]
    pub ec2_deployment_options: Option<EC2DeploymentOptions>,
}

/// What [`Operation::PlanDeployment`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PlanDeploymentOutput {
    /// 1 to 100 characters.
    #[serde(rename = "applicationName", skip_serializing_if = "Option::is_none")]
    pub application_name: Option<String>,
    /// 1 to 100 characters.
    #[serde(rename = "deploymentGroupName", skip_serializing_if = "Option::is_none")]
    pub deployment_group_name: Option<String>,
    /// 1 to 100 characters.
    #[serde(rename = "deploymentConfigName", skip_serializing_if = "Option::is_none")]
    pub deployment_config_name: Option<String>,
    #[serde(rename = "revision", skip_serializing_if = "Option::is_none")]
    pub revision: Option<RevisionLocation>,
    #[serde(rename = "minimumHealthy", skip_serializing_if = "Option::is_none")]
    pub minimum_healthy: Option<i64>,
    #[serde(rename = "atOnce", skip_serializing_if = "Option::is_none")]
    pub at_once: Option<i64>,
    #[serde(rename = "lifecycleEvents", skip_serializing_if = "Option::is_none")]
    pub lifecycle_events: Option<Vec<String>>,
    #[serde(rename = "targets", skip_serializing_if = "Option::is_none")]
    pub targets: Option<Vec<PlannedTarget>>,
    #[serde(rename = "batches", skip_serializing_if = "Option::is_none")]
    pub batches: Option<Vec<PlannedBatch>>,
    #[serde(rename = "refusals", skip_serializing_if = "Option::is_none")]
    pub refusals: Option<Vec<String>>,
    #[serde(rename = "waits", skip_serializing_if = "Option::is_none")]
    pub waits: Option<String>,
    #[serde(rename = "statusMessages", skip_serializing_if = "Option::is_none")]
    pub status_messages: Option<Vec<String>>,
    #[serde(rename = "bundleBytes", skip_serializing_if = "Option::is_none")]
    pub bundle_bytes: Option<i64>,
    #[serde(rename = "bytesToFetch", skip_serializing_if = "Option::is_none")]
    pub bytes_to_fetch: Option<i64>,
    #[serde(rename = "expectedSeconds", skip_serializing_if = "Option::is_none")]
    pub expected_seconds: Option<i64>,
    #[serde(rename = "hooks", skip_serializing_if = "Option::is_none")]
    pub hooks: Option<Vec<PlannedHook>>,
    #[serde(rename = "hostRefusals", skip_serializing_if = "Option::is_none")]
    pub host_refusals: Option<Vec<String>>,
    #[serde(rename = "bundleUnread", skip_serializing_if = "Option::is_none")]
    pub bundle_unread: Option<String>,
}

/// The shape `PlannedBatch` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PlannedBatch {
    #[serde(rename = "zone", skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    #[serde(rename = "hosts", skip_serializing_if = "Option::is_none")]
    pub hosts: Option<i64>,
    #[serde(rename = "pauseSeconds", skip_serializing_if = "Option::is_none")]
    pub pause_seconds: Option<i64>,
}

/// The shape `PlannedHook` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PlannedHook {
    #[serde(rename = "lifecycleEventName", skip_serializing_if = "Option::is_none")]
    pub lifecycle_event_name: Option<String>,
    #[serde(rename = "scripts", skip_serializing_if = "Option::is_none")]
    pub scripts: Option<Vec<PlannedScript>>,
}

/// The shape `PlannedScript` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PlannedScript {
    #[serde(rename = "location", skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    #[serde(rename = "runas", skip_serializing_if = "Option::is_none")]
    pub runas: Option<String>,
    #[serde(rename = "timeoutSeconds", skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<i64>,
}

/// The shape `PlannedTarget` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PlannedTarget {
    #[serde(rename = "targetId", skip_serializing_if = "Option::is_none")]
    pub target_id: Option<String>,
    #[serde(rename = "targetArn", skip_serializing_if = "Option::is_none")]
    pub target_arn: Option<String>,
    #[serde(rename = "zone", skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// One of [`enums::PLANNED_HEALTH`].
    #[serde(rename = "health", skip_serializing_if = "Option::is_none")]
    pub health: Option<String>,
    #[serde(rename = "hasRevision", skip_serializing_if = "Option::is_none")]
    pub has_revision: Option<bool>,
}

/// The shape `PrometheusSource` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PrometheusSource {
    /// Required. 1 to 2048 characters.
    #[serde(rename = "url", skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Required. 1 to 4096 characters.
    #[serde(rename = "query", skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// One of [`enums::COMPARISON_OPERATOR`].
    #[serde(rename = "comparisonOperator", skip_serializing_if = "Option::is_none")]
    pub comparison_operator: Option<String>,
    #[serde(rename = "threshold", skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
}

/// What [`Operation::PutAlarmSource`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PutAlarmSourceInput {
    /// Required. 1 to 255 characters.
    #[serde(rename = "alarmName", skip_serializing_if = "Option::is_none")]
    pub alarm_name: Option<String>,
    #[serde(rename = "prometheus", skip_serializing_if = "Option::is_none")]
    pub prometheus: Option<PrometheusSource>,
    #[serde(rename = "httpCheck", skip_serializing_if = "Option::is_none")]
    pub http_check: Option<HttpCheckSource>,
    #[serde(rename = "alertmanager", skip_serializing_if = "Option::is_none")]
    pub alertmanager: Option<AlertmanagerSource>,
    /// 1 to 3600.
    #[serde(rename = "intervalSeconds", skip_serializing_if = "Option::is_none")]
    pub interval_seconds: Option<i64>,
}

/// What [`Operation::PutAlarmSource`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PutAlarmSourceOutput {
    /// 1 to 2048 characters.
    #[serde(rename = "webhookUrl", skip_serializing_if = "Option::is_none")]
    pub webhook_url: Option<String>,
}

/// What [`Operation::PutEventDestination`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PutEventDestinationInput {
    /// Required. 1 to 100 characters.
    #[serde(rename = "name", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Required. 1 to 2048 characters.
    #[serde(rename = "url", skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// One of [`enums::EVENT_FORMAT`].
    #[serde(rename = "format", skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// 16 to 256 characters.
    #[serde(rename = "secret", skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    #[serde(rename = "filter", skip_serializing_if = "Option::is_none")]
    pub filter: Option<EventFilter>,
}

/// What [`Operation::PutEventDestination`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PutEventDestinationOutput {
    /// 16 to 256 characters.
    #[serde(rename = "secret", skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

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

/// The shape `RawString` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RawString {
    #[serde(rename = "content", skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    #[serde(rename = "sha256", skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// What [`Operation::RedriveDeadLetters`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RedriveDeadLettersInput {
    /// Required. At most 100.
    #[serde(rename = "ids", skip_serializing_if = "Option::is_none")]
    pub ids: Option<Vec<String>>,
}

/// What [`Operation::RedriveDeadLetters`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RedriveDeadLettersOutput {
    /// At most 100.
    #[serde(rename = "ids", skip_serializing_if = "Option::is_none")]
    pub ids: Option<Vec<String>>,
}

/// The shape `RevisionLocation` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RevisionLocation {
    /// One of [`enums::REVISION_LOCATION_TYPE`].
    #[serde(rename = "revisionType", skip_serializing_if = "Option::is_none")]
    pub revision_type: Option<String>,
    #[serde(rename = "s3Location", skip_serializing_if = "Option::is_none")]
    pub s3_location: Option<S3Location>,
    #[serde(rename = "gitHubLocation", skip_serializing_if = "Option::is_none")]
    pub git_hub_location: Option<GitHubLocation>,
    #[serde(rename = "string", skip_serializing_if = "Option::is_none")]
    pub string: Option<RawString>,
    #[serde(rename = "appSpecContent", skip_serializing_if = "Option::is_none")]
    pub app_spec_content: Option<AppSpecContent>,
}

/// The shape `S3Location` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct S3Location {
    #[serde(rename = "bucket", skip_serializing_if = "Option::is_none")]
    pub bucket: Option<String>,
    #[serde(rename = "key", skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// One of [`enums::BUNDLE_TYPE`].
    #[serde(rename = "bundleType", skip_serializing_if = "Option::is_none")]
    pub bundle_type: Option<String>,
    #[serde(rename = "version", skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    #[serde(rename = "eTag", skip_serializing_if = "Option::is_none")]
    pub e_tag: Option<String>,
}

/// What [`Operation::StartHostPlan`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StartHostPlanInput {
    /// Required. 1 to 100 characters.
    #[serde(rename = "applicationName", skip_serializing_if = "Option::is_none")]
    pub application_name: Option<String>,
    /// 1 to 100 characters.
    #[serde(rename = "deploymentGroupName", skip_serializing_if = "Option::is_none")]
    pub deployment_group_name: Option<String>,
    #[serde(rename = "revision", skip_serializing_if = "Option::is_none")]
    pub revision: Option<RevisionLocation>,
    /// 1 to 100 characters.
    #[serde(rename = "deploymentConfigName", skip_serializing_if = "Option::is_none")]
    pub deployment_config_name: Option<String>,
    #[serde(rename = "description", skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(rename = "ignoreApplicationStopFailures", skip_serializing_if = "Option::is_none")]
    pub ignore_application_stop_failures: Option<bool>,
    #[serde(rename = "targetInstances", skip_serializing_if = "Option::is_none")]
    pub target_instances: Option<TargetInstances>,
    #[serde(rename = "autoRollbackConfiguration", skip_serializing_if = "Option::is_none")]
    pub auto_rollback_configuration: Option<AutoRollbackConfiguration>,
    #[serde(rename = "updateOutdatedInstancesOnly", skip_serializing_if = "Option::is_none")]
    pub update_outdated_instances_only: Option<bool>,
    /// One of [`enums::FILE_EXISTS_BEHAVIOR`].
    #[serde(rename = "fileExistsBehavior", skip_serializing_if = "Option::is_none")]
    pub file_exists_behavior: Option<String>,
    /// One of [`enums::DEPLOYMENT_MODE`].
    #[serde(rename = "deploymentMode", skip_serializing_if = "Option::is_none")]
    pub deployment_mode: Option<String>,
    #[serde(rename = "overrideAlarmConfiguration", skip_serializing_if = "Option::is_none")]
    pub override_alarm_configuration: Option<AlarmConfiguration>,
    #[serde(rename = "ec2DeploymentOptions", skip_serializing_if = "Option::is_none")]
    pub ec2_deployment_options: Option<EC2DeploymentOptions>,
    /// At most 100.
    #[serde(rename = "targetIds", skip_serializing_if = "Option::is_none")]
    pub target_ids: Option<Vec<String>>,
}

/// What [`Operation::StartHostPlan`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StartHostPlanOutput {
    /// 1 to 64 characters.
    #[serde(rename = "hostPlanId", skip_serializing_if = "Option::is_none")]
    pub host_plan_id: Option<String>,
    #[serde(rename = "expireTime", skip_serializing_if = "Option::is_none")]
    pub expire_time: Option<crate::Time>,
}

/// The shape `TargetInstances` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TargetInstances {
    #[serde(rename = "tagFilters", skip_serializing_if = "Option::is_none")]
    pub tag_filters: Option<Vec<EC2TagFilter>>,
    #[serde(rename = "autoScalingGroups", skip_serializing_if = "Option::is_none")]
    pub auto_scaling_groups: Option<Vec<String>>,
    #[serde(rename = "ec2TagSet", skip_serializing_if = "Option::is_none")]
    pub ec2_tag_set: Option<EC2TagSet>,
}

/// The shape `TimelineEntry` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TimelineEntry {
    #[serde(rename = "time", skip_serializing_if = "Option::is_none")]
    pub time: Option<crate::Time>,
    /// One of [`enums::TIMELINE_ENTRY_KIND`].
    #[serde(rename = "kind", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    #[serde(rename = "targetId", skip_serializing_if = "Option::is_none")]
    pub target_id: Option<String>,
    #[serde(rename = "rule", skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    #[serde(rename = "inputs", skip_serializing_if = "Option::is_none")]
    pub inputs: Option<Vec<DecisionInput>>,
    #[serde(rename = "text", skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// The values that the string enumerations of the API permit.
pub mod enums {
    /// The values of `AutoRollbackEvent`.
    pub const AUTO_ROLLBACK_EVENT: &[&str] =
        &["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"];

    /// The values of `AutoScalingGroupProcess`.
    pub const AUTO_SCALING_GROUP_PROCESS: &[&str] =
        &["Terminate", "AZRebalance", "InstanceRefresh", "ScheduledActions"];

    /// The values of `BundleType`.
    pub const BUNDLE_TYPE: &[&str] = &["tar", "tgz", "zip", "YAML", "JSON"];

    /// The values of `ComparisonOperator`.
    pub const COMPARISON_OPERATOR: &[&str] = &[
        "GreaterThanThreshold",
        "GreaterThanOrEqualToThreshold",
        "LessThanThreshold",
        "LessThanOrEqualToThreshold",
    ];

    /// The values of `DeploymentMode`.
    pub const DEPLOYMENT_MODE: &[&str] = &["STANDARD", "RESTART"];

    /// The values of `EC2TagFilterType`.
    pub const EC2_TAG_FILTER_TYPE: &[&str] = &["KEY_ONLY", "VALUE_ONLY", "KEY_AND_VALUE"];

    /// The values of `EventFormat`.
    pub const EVENT_FORMAT: &[&str] = &["eventbridge", "cloudevents"];

    /// The values of `FileExistsBehavior`.
    pub const FILE_EXISTS_BEHAVIOR: &[&str] = &["DISALLOW", "OVERWRITE", "RETAIN"];

    /// The values of `HookOutputStream`.
    pub const HOOK_OUTPUT_STREAM: &[&str] = &["stdout", "stderr", "note"];

    /// The values of `HostKind`.
    pub const HOST_KIND: &[&str] = &["EC2", "OnPremises"];

    /// The values of `HostPlanEffect`.
    pub const HOST_PLAN_EFFECT: &[&str] = &["Conflict", "Remove", "Change", "Add", "Keep"];

    /// The values of `HostPlanStatus`.
    pub const HOST_PLAN_STATUS: &[&str] = &["Waiting", "Succeeds", "Fails", "Unknown"];

    /// The values of `PlannedHealth`.
    pub const PLANNED_HEALTH: &[&str] =
        &["unhealthy", "revisionUnknown", "revisionOld", "revisionCurrent"];

    /// The values of `RevisionLocationType`.
    pub const REVISION_LOCATION_TYPE: &[&str] = &["S3", "GitHub", "String", "AppSpecContent"];

    /// The values of `TimelineEntryKind`.
    pub const TIMELINE_ENTRY_KIND: &[&str] = &["Fact", "Decision", "Waiting"];
}
