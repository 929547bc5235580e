// Written by `cargo xtask gen` from crates/wire/models: change those, not this.

use serde::{Deserialize, Serialize};

use crate::call::{Call, Validate};
use crate::error::{ErrorCode, ServiceError};
use crate::rule::{self, Check, Rule};

/// What comes before the dot in `X-Amz-Target`.
pub const TARGET_PREFIX: &str = "CodeDeploy_20141006";

/// An operation of this service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// `AddTagsToOnPremisesInstances`.
    AddTagsToOnPremisesInstances,
    /// `BatchGetApplicationRevisions`.
    BatchGetApplicationRevisions,
    /// `BatchGetApplications`.
    BatchGetApplications,
    /// `BatchGetDeploymentGroups`.
    BatchGetDeploymentGroups,
    /// `BatchGetDeploymentInstances`. Deprecated by AWS, still served.
    BatchGetDeploymentInstances,
    /// `BatchGetDeploymentTargets`.
    BatchGetDeploymentTargets,
    /// `BatchGetDeployments`.
    BatchGetDeployments,
    /// `BatchGetOnPremisesInstances`.
    BatchGetOnPremisesInstances,
    /// `ContinueDeployment`.
    ContinueDeployment,
    /// `CreateApplication`.
    CreateApplication,
    /// `CreateDeployment`.
    CreateDeployment,
    /// `CreateDeploymentConfig`.
    CreateDeploymentConfig,
    /// `CreateDeploymentGroup`.
    CreateDeploymentGroup,
    /// `DeleteApplication`.
    DeleteApplication,
    /// `DeleteDeploymentConfig`.
    DeleteDeploymentConfig,
    /// `DeleteDeploymentGroup`.
    DeleteDeploymentGroup,
    /// `DeleteGitHubAccountToken`.
    DeleteGitHubAccountToken,
    /// `DeleteResourcesByExternalId`.
    DeleteResourcesByExternalId,
    /// `DeregisterOnPremisesInstance`.
    DeregisterOnPremisesInstance,
    /// `GetApplication`.
    GetApplication,
    /// `GetApplicationRevision`.
    GetApplicationRevision,
    /// `GetDeployment`.
    GetDeployment,
    /// `GetDeploymentConfig`.
    GetDeploymentConfig,
    /// `GetDeploymentGroup`.
    GetDeploymentGroup,
    /// `GetDeploymentInstance`. Deprecated by AWS, still served.
    GetDeploymentInstance,
    /// `GetDeploymentTarget`.
    GetDeploymentTarget,
    /// `GetOnPremisesInstance`.
    GetOnPremisesInstance,
    /// `ListApplicationRevisions`.
    ListApplicationRevisions,
    /// `ListApplications`.
    ListApplications,
    /// `ListDeploymentConfigs`.
    ListDeploymentConfigs,
    /// `ListDeploymentGroups`.
    ListDeploymentGroups,
    /// `ListDeploymentInstances`. Deprecated by AWS, still served.
    ListDeploymentInstances,
    /// `ListDeploymentTargets`.
    ListDeploymentTargets,
    /// `ListDeployments`.
    ListDeployments,
    /// `ListGitHubAccountTokenNames`.
    ListGitHubAccountTokenNames,
    /// `ListOnPremisesInstances`.
    ListOnPremisesInstances,
    /// `ListTagsForResource`.
    ListTagsForResource,
    /// `PutLifecycleEventHookExecutionStatus`.
    PutLifecycleEventHookExecutionStatus,
    /// `RegisterApplicationRevision`.
    RegisterApplicationRevision,
    /// `RegisterOnPremisesInstance`.
    RegisterOnPremisesInstance,
    /// `RemoveTagsFromOnPremisesInstances`.
    RemoveTagsFromOnPremisesInstances,
    /// `SkipWaitTimeForInstanceTermination`. Deprecated by AWS, still served.
    SkipWaitTimeForInstanceTermination,
    /// `StopDeployment`.
    StopDeployment,
    /// `TagResource`.
    TagResource,
    /// `UntagResource`.
    UntagResource,
    /// `UpdateApplication`.
    UpdateApplication,
    /// `UpdateDeploymentGroup`.
    UpdateDeploymentGroup,
}

impl Operation {
    /// Every operation, in the order of their names.
    pub const ALL: &[Self] = &[
        Self::AddTagsToOnPremisesInstances,
        Self::BatchGetApplicationRevisions,
        Self::BatchGetApplications,
        Self::BatchGetDeploymentGroups,
        Self::BatchGetDeploymentInstances,
        Self::BatchGetDeploymentTargets,
        Self::BatchGetDeployments,
        Self::BatchGetOnPremisesInstances,
        Self::ContinueDeployment,
        Self::CreateApplication,
        Self::CreateDeployment,
        Self::CreateDeploymentConfig,
        Self::CreateDeploymentGroup,
        Self::DeleteApplication,
        Self::DeleteDeploymentConfig,
        Self::DeleteDeploymentGroup,
        Self::DeleteGitHubAccountToken,
        Self::DeleteResourcesByExternalId,
        Self::DeregisterOnPremisesInstance,
        Self::GetApplication,
        Self::GetApplicationRevision,
        Self::GetDeployment,
        Self::GetDeploymentConfig,
        Self::GetDeploymentGroup,
        Self::GetDeploymentInstance,
        Self::GetDeploymentTarget,
        Self::GetOnPremisesInstance,
        Self::ListApplicationRevisions,
        Self::ListApplications,
        Self::ListDeploymentConfigs,
        Self::ListDeploymentGroups,
        Self::ListDeploymentInstances,
        Self::ListDeploymentTargets,
        Self::ListDeployments,
        Self::ListGitHubAccountTokenNames,
        Self::ListOnPremisesInstances,
        Self::ListTagsForResource,
        Self::PutLifecycleEventHookExecutionStatus,
        Self::RegisterApplicationRevision,
        Self::RegisterOnPremisesInstance,
        Self::RemoveTagsFromOnPremisesInstances,
        Self::SkipWaitTimeForInstanceTermination,
        Self::StopDeployment,
        Self::TagResource,
        Self::UntagResource,
        Self::UpdateApplication,
        Self::UpdateDeploymentGroup,
    ];

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AddTagsToOnPremisesInstances => "AddTagsToOnPremisesInstances",
            Self::BatchGetApplicationRevisions => "BatchGetApplicationRevisions",
            Self::BatchGetApplications => "BatchGetApplications",
            Self::BatchGetDeploymentGroups => "BatchGetDeploymentGroups",
            Self::BatchGetDeploymentInstances => "BatchGetDeploymentInstances",
            Self::BatchGetDeploymentTargets => "BatchGetDeploymentTargets",
            Self::BatchGetDeployments => "BatchGetDeployments",
            Self::BatchGetOnPremisesInstances => "BatchGetOnPremisesInstances",
            Self::ContinueDeployment => "ContinueDeployment",
            Self::CreateApplication => "CreateApplication",
            Self::CreateDeployment => "CreateDeployment",
            Self::CreateDeploymentConfig => "CreateDeploymentConfig",
            Self::CreateDeploymentGroup => "CreateDeploymentGroup",
            Self::DeleteApplication => "DeleteApplication",
            Self::DeleteDeploymentConfig => "DeleteDeploymentConfig",
            Self::DeleteDeploymentGroup => "DeleteDeploymentGroup",
            Self::DeleteGitHubAccountToken => "DeleteGitHubAccountToken",
            Self::DeleteResourcesByExternalId => "DeleteResourcesByExternalId",
            Self::DeregisterOnPremisesInstance => "DeregisterOnPremisesInstance",
            Self::GetApplication => "GetApplication",
            Self::GetApplicationRevision => "GetApplicationRevision",
            Self::GetDeployment => "GetDeployment",
            Self::GetDeploymentConfig => "GetDeploymentConfig",
            Self::GetDeploymentGroup => "GetDeploymentGroup",
            Self::GetDeploymentInstance => "GetDeploymentInstance",
            Self::GetDeploymentTarget => "GetDeploymentTarget",
            Self::GetOnPremisesInstance => "GetOnPremisesInstance",
            Self::ListApplicationRevisions => "ListApplicationRevisions",
            Self::ListApplications => "ListApplications",
            Self::ListDeploymentConfigs => "ListDeploymentConfigs",
            Self::ListDeploymentGroups => "ListDeploymentGroups",
            Self::ListDeploymentInstances => "ListDeploymentInstances",
            Self::ListDeploymentTargets => "ListDeploymentTargets",
            Self::ListDeployments => "ListDeployments",
            Self::ListGitHubAccountTokenNames => "ListGitHubAccountTokenNames",
            Self::ListOnPremisesInstances => "ListOnPremisesInstances",
            Self::ListTagsForResource => "ListTagsForResource",
            Self::PutLifecycleEventHookExecutionStatus => "PutLifecycleEventHookExecutionStatus",
            Self::RegisterApplicationRevision => "RegisterApplicationRevision",
            Self::RegisterOnPremisesInstance => "RegisterOnPremisesInstance",
            Self::RemoveTagsFromOnPremisesInstances => "RemoveTagsFromOnPremisesInstances",
            Self::SkipWaitTimeForInstanceTermination => "SkipWaitTimeForInstanceTermination",
            Self::StopDeployment => "StopDeployment",
            Self::TagResource => "TagResource",
            Self::UntagResource => "UntagResource",
            Self::UpdateApplication => "UpdateApplication",
            Self::UpdateDeploymentGroup => "UpdateDeploymentGroup",
        }
    }

    /// The operation of that name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|operation| operation.name() == name)
    }
}

impl Call for AddTagsToOnPremisesInstancesInput {
    type Operation = Operation;
    type Output = crate::call::NoOutput;
    const OPERATION: Operation = Operation::AddTagsToOnPremisesInstances;
}

impl Validate for AddTagsToOnPremisesInstancesInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, ADD_TAGS_TO_ON_PREMISES_INSTANCES_RULES)
    }
}

const ADD_TAGS_TO_ON_PREMISES_INSTANCES_RULES: &[Rule] = &[
    Rule::new("instanceNames", Check::Required, ErrorCode::InstanceNameRequired),
    Rule::new("tags", Check::Required, ErrorCode::TagRequired),
];

impl Call for BatchGetApplicationRevisionsInput {
    type Operation = Operation;
    type Output = BatchGetApplicationRevisionsOutput;
    const OPERATION: Operation = Operation::BatchGetApplicationRevisions;
}

impl Validate for BatchGetApplicationRevisionsInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, BATCH_GET_APPLICATION_REVISIONS_RULES)
    }
}

const BATCH_GET_APPLICATION_REVISIONS_RULES: &[Rule] = &[
    Rule::new("applicationName", Check::Required, ErrorCode::ApplicationNameRequired),
    Rule::new("revisions", Check::Required, ErrorCode::RevisionRequired),
    Rule::new("applicationName", Check::Length(1, 100), ErrorCode::InvalidApplicationName),
    Rule::new("applicationName", Check::NameCharacters, ErrorCode::InvalidApplicationName),
    Rule::new(
        "revisions.*.revisionType",
        Check::OneOf(enums::REVISION_LOCATION_TYPE),
        ErrorCode::InvalidRevision,
    ),
    Rule::new(
        "revisions.*.s3Location.bundleType",
        Check::OneOf(enums::BUNDLE_TYPE),
        ErrorCode::InvalidRevision,
    ),
];

impl Call for BatchGetApplicationsInput {
    type Operation = Operation;
    type Output = BatchGetApplicationsOutput;
    const OPERATION: Operation = Operation::BatchGetApplications;
}

impl Validate for BatchGetApplicationsInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, BATCH_GET_APPLICATIONS_RULES)
    }
}

const BATCH_GET_APPLICATIONS_RULES: &[Rule] = &[
    Rule::new("applicationNames", Check::Required, ErrorCode::ApplicationNameRequired),
    Rule::new("applicationNames.*", Check::Length(1, 100), ErrorCode::InvalidApplicationName),
    Rule::new("applicationNames.*", Check::NameCharacters, ErrorCode::InvalidApplicationName),
];

impl Call for BatchGetDeploymentGroupsInput {
    type Operation = Operation;
    type Output = BatchGetDeploymentGroupsOutput;
    const OPERATION: Operation = Operation::BatchGetDeploymentGroups;
}

impl Validate for BatchGetDeploymentGroupsInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, BATCH_GET_DEPLOYMENT_GROUPS_RULES)
    }
}

const BATCH_GET_DEPLOYMENT_GROUPS_RULES: &[Rule] = &[
    Rule::new("applicationName", Check::Required, ErrorCode::ApplicationNameRequired),
    Rule::new("deploymentGroupNames", Check::Required, ErrorCode::DeploymentGroupNameRequired),
    Rule::new("applicationName", Check::Length(1, 100), ErrorCode::InvalidApplicationName),
    Rule::new("applicationName", Check::NameCharacters, ErrorCode::InvalidApplicationName),
    Rule::new(
        "deploymentGroupNames.*",
        Check::Length(1, 100),
        ErrorCode::InvalidDeploymentGroupName,
    ),
    Rule::new(
        "deploymentGroupNames.*",
        Check::NameCharacters,
        ErrorCode::InvalidDeploymentGroupName,
    ),
];

impl Call for BatchGetDeploymentInstancesInput {
    type Operation = Operation;
    type Output = BatchGetDeploymentInstancesOutput;
    const OPERATION: Operation = Operation::BatchGetDeploymentInstances;
}

impl Validate for BatchGetDeploymentInstancesInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, BATCH_GET_DEPLOYMENT_INSTANCES_RULES)
    }
}

const BATCH_GET_DEPLOYMENT_INSTANCES_RULES: &[Rule] = &[
    Rule::new("deploymentId", Check::Required, ErrorCode::DeploymentIdRequired),
    Rule::new("instanceIds", Check::Required, ErrorCode::InstanceIdRequired),
];

impl Call for BatchGetDeploymentTargetsInput {
    type Operation = Operation;
    type Output = BatchGetDeploymentTargetsOutput;
    const OPERATION: Operation = Operation::BatchGetDeploymentTargets;
}

impl Validate for BatchGetDeploymentTargetsInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, BATCH_GET_DEPLOYMENT_TARGETS_RULES)
    }
}

const BATCH_GET_DEPLOYMENT_TARGETS_RULES: &[Rule] = &[
    Rule::new("deploymentId", Check::Required, ErrorCode::DeploymentIdRequired),
    Rule::new("targetIds", Check::Required, ErrorCode::DeploymentTargetIdRequired),
];

impl Call for BatchGetDeploymentsInput {
    type Operation = Operation;
    type Output = BatchGetDeploymentsOutput;
    const OPERATION: Operation = Operation::BatchGetDeployments;
}

impl Validate for BatchGetDeploymentsInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, BATCH_GET_DEPLOYMENTS_RULES)
    }
}

const BATCH_GET_DEPLOYMENTS_RULES: &[Rule] =
    &[Rule::new("deploymentIds", Check::Required, ErrorCode::DeploymentIdRequired)];

impl Call for BatchGetOnPremisesInstancesInput {
    type Operation = Operation;
    type Output = BatchGetOnPremisesInstancesOutput;
    const OPERATION: Operation = Operation::BatchGetOnPremisesInstances;
}

impl Validate for BatchGetOnPremisesInstancesInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, BATCH_GET_ON_PREMISES_INSTANCES_RULES)
    }
}

const BATCH_GET_ON_PREMISES_INSTANCES_RULES: &[Rule] =
    &[Rule::new("instanceNames", Check::Required, ErrorCode::InstanceNameRequired)];

impl Call for ContinueDeploymentInput {
    type Operation = Operation;
    type Output = crate::call::NoOutput;
    const OPERATION: Operation = Operation::ContinueDeployment;
}

impl Validate for ContinueDeploymentInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, CONTINUE_DEPLOYMENT_RULES)
    }
}

const CONTINUE_DEPLOYMENT_RULES: &[Rule] = &[
    Rule::new("deploymentId", Check::Required, ErrorCode::DeploymentIdRequired),
    Rule::new(
        "deploymentWaitType",
        Check::OneOf(enums::DEPLOYMENT_WAIT_TYPE),
        ErrorCode::InvalidDeploymentWaitType,
    ),
];

impl Call for CreateApplicationInput {
    type Operation = Operation;
    type Output = CreateApplicationOutput;
    const OPERATION: Operation = Operation::CreateApplication;
}

impl Validate for CreateApplicationInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, CREATE_APPLICATION_RULES)
    }
}

const CREATE_APPLICATION_RULES: &[Rule] = &[
    Rule::new("applicationName", Check::Required, ErrorCode::ApplicationNameRequired),
    Rule::new("applicationName", Check::Length(1, 100), ErrorCode::InvalidApplicationName),
    Rule::new("applicationName", Check::NameCharacters, ErrorCode::InvalidApplicationName),
    Rule::new(
        "computePlatform",
        Check::OneOf(enums::COMPUTE_PLATFORM),
        ErrorCode::InvalidComputePlatform,
    ),
];

impl Call for CreateDeploymentInput {
    type Operation = Operation;
    type Output = CreateDeploymentOutput;
    const OPERATION: Operation = Operation::CreateDeployment;
}

impl Validate for CreateDeploymentInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, CREATE_DEPLOYMENT_RULES)
    }
}

const CREATE_DEPLOYMENT_RULES: &[Rule] = &[
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

impl Call for CreateDeploymentConfigInput {
    type Operation = Operation;
    type Output = CreateDeploymentConfigOutput;
    const OPERATION: Operation = Operation::CreateDeploymentConfig;
}

impl Validate for CreateDeploymentConfigInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, CREATE_DEPLOYMENT_CONFIG_RULES)
    }
}

const CREATE_DEPLOYMENT_CONFIG_RULES: &[Rule] = &[
    Rule::new("deploymentConfigName", Check::Required, ErrorCode::DeploymentConfigNameRequired),
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
        "computePlatform",
        Check::OneOf(enums::COMPUTE_PLATFORM),
        ErrorCode::InvalidComputePlatform,
    ),
    Rule::new(
        "minimumHealthyHosts.type",
        Check::OneOf(enums::MINIMUM_HEALTHY_HOSTS_TYPE),
        ErrorCode::InvalidMinimumHealthyHostValue,
    ),
    Rule::new(
        "trafficRoutingConfig.type",
        Check::OneOf(enums::TRAFFIC_ROUTING_TYPE),
        ErrorCode::InvalidTrafficRoutingConfiguration,
    ),
    Rule::new(
        "zonalConfig.minimumHealthyHostsPerZone.type",
        Check::OneOf(enums::MINIMUM_HEALTHY_HOSTS_PER_ZONE_TYPE),
        ErrorCode::InvalidZonalDeploymentConfiguration,
    ),
];

impl Call for CreateDeploymentGroupInput {
    type Operation = Operation;
    type Output = CreateDeploymentGroupOutput;
    const OPERATION: Operation = Operation::CreateDeploymentGroup;
}

impl Validate for CreateDeploymentGroupInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, CREATE_DEPLOYMENT_GROUP_RULES)
    }
}

const CREATE_DEPLOYMENT_GROUP_RULES: &[Rule] = &[
    Rule::new("applicationName", Check::Required, ErrorCode::ApplicationNameRequired),
    Rule::new("deploymentGroupName", Check::Required, ErrorCode::DeploymentGroupNameRequired),
    Rule::new("serviceRoleArn", Check::Required, ErrorCode::RoleRequired),
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
        "outdatedInstancesStrategy",
        Check::OneOf(enums::OUTDATED_INSTANCES_STRATEGY),
        ErrorCode::Validation,
    ),
    Rule::new(
        "ec2TagFilters.*.Type",
        Check::OneOf(enums::EC2_TAG_FILTER_TYPE),
        ErrorCode::InvalidEC2Tag,
    ),
    Rule::new(
        "onPremisesInstanceTagFilters.*.Type",
        Check::OneOf(enums::TAG_FILTER_TYPE),
        ErrorCode::InvalidTag,
    ),
    Rule::new(
        "triggerConfigurations.*.triggerEvents.*",
        Check::OneOf(enums::TRIGGER_EVENT_TYPE),
        ErrorCode::InvalidTriggerConfig,
    ),
    Rule::new(
        "autoRollbackConfiguration.events.*",
        Check::OneOf(enums::AUTO_ROLLBACK_EVENT),
        ErrorCode::InvalidAutoRollbackConfig,
    ),
    Rule::new(
        "deploymentStyle.deploymentType",
        Check::OneOf(enums::DEPLOYMENT_TYPE),
        ErrorCode::InvalidDeploymentStyle,
    ),
    Rule::new(
        "deploymentStyle.deploymentOption",
        Check::OneOf(enums::DEPLOYMENT_OPTION),
        ErrorCode::InvalidDeploymentStyle,
    ),
    Rule::new(
        "blueGreenDeploymentConfiguration.terminateBlueInstancesOnDeploymentSuccess.action",
        Check::OneOf(enums::INSTANCE_ACTION),
        ErrorCode::InvalidBlueGreenDeploymentConfiguration,
    ),
    Rule::new(
        "blueGreenDeploymentConfiguration.deploymentReadyOption.actionOnTimeout",
        Check::OneOf(enums::DEPLOYMENT_READY_ACTION),
        ErrorCode::InvalidBlueGreenDeploymentConfiguration,
    ),
    Rule::new(
        "blueGreenDeploymentConfiguration.greenFleetProvisioningOption.action",
        Check::OneOf(enums::GREEN_FLEET_PROVISIONING_ACTION),
        ErrorCode::InvalidBlueGreenDeploymentConfiguration,
    ),
    Rule::new(
        "ec2TagSet.ec2TagSetList.*.*.Type",
        Check::OneOf(enums::EC2_TAG_FILTER_TYPE),
        ErrorCode::InvalidEC2Tag,
    ),
    Rule::new(
        "onPremisesTagSet.onPremisesTagSetList.*.*.Type",
        Check::OneOf(enums::TAG_FILTER_TYPE),
        ErrorCode::InvalidTag,
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

impl Call for DeleteApplicationInput {
    type Operation = Operation;
    type Output = crate::call::NoOutput;
    const OPERATION: Operation = Operation::DeleteApplication;
}

impl Validate for DeleteApplicationInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, DELETE_APPLICATION_RULES)
    }
}

const DELETE_APPLICATION_RULES: &[Rule] = &[
    Rule::new("applicationName", Check::Required, ErrorCode::ApplicationNameRequired),
    Rule::new("applicationName", Check::Length(1, 100), ErrorCode::InvalidApplicationName),
    Rule::new("applicationName", Check::NameCharacters, ErrorCode::InvalidApplicationName),
];

impl Call for DeleteDeploymentConfigInput {
    type Operation = Operation;
    type Output = crate::call::NoOutput;
    const OPERATION: Operation = Operation::DeleteDeploymentConfig;
}

impl Validate for DeleteDeploymentConfigInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, DELETE_DEPLOYMENT_CONFIG_RULES)
    }
}

const DELETE_DEPLOYMENT_CONFIG_RULES: &[Rule] = &[
    Rule::new("deploymentConfigName", Check::Required, ErrorCode::DeploymentConfigNameRequired),
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
];

impl Call for DeleteDeploymentGroupInput {
    type Operation = Operation;
    type Output = DeleteDeploymentGroupOutput;
    const OPERATION: Operation = Operation::DeleteDeploymentGroup;
}

impl Validate for DeleteDeploymentGroupInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, DELETE_DEPLOYMENT_GROUP_RULES)
    }
}

const DELETE_DEPLOYMENT_GROUP_RULES: &[Rule] = &[
    Rule::new("applicationName", Check::Required, ErrorCode::ApplicationNameRequired),
    Rule::new("deploymentGroupName", Check::Required, ErrorCode::DeploymentGroupNameRequired),
    Rule::new("applicationName", Check::Length(1, 100), ErrorCode::InvalidApplicationName),
    Rule::new("applicationName", Check::NameCharacters, ErrorCode::InvalidApplicationName),
    Rule::new("deploymentGroupName", Check::Length(1, 100), ErrorCode::InvalidDeploymentGroupName),
    Rule::new("deploymentGroupName", Check::NameCharacters, ErrorCode::InvalidDeploymentGroupName),
];

impl Call for DeleteGitHubAccountTokenInput {
    type Operation = Operation;
    type Output = DeleteGitHubAccountTokenOutput;
    const OPERATION: Operation = Operation::DeleteGitHubAccountToken;
}

impl Validate for DeleteGitHubAccountTokenInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, DELETE_GIT_HUB_ACCOUNT_TOKEN_RULES)
    }
}

const DELETE_GIT_HUB_ACCOUNT_TOKEN_RULES: &[Rule] =
    &[Rule::new("tokenName", Check::Required, ErrorCode::GitHubAccountTokenNameRequired)];

impl Call for DeleteResourcesByExternalIdInput {
    type Operation = Operation;
    type Output = DeleteResourcesByExternalIdOutput;
    const OPERATION: Operation = Operation::DeleteResourcesByExternalId;
}

impl Validate for DeleteResourcesByExternalIdInput {
    fn validate(&self) -> Result<(), ServiceError> {
        Ok(())
    }
}

impl Call for DeregisterOnPremisesInstanceInput {
    type Operation = Operation;
    type Output = crate::call::NoOutput;
    const OPERATION: Operation = Operation::DeregisterOnPremisesInstance;
}

impl Validate for DeregisterOnPremisesInstanceInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, DEREGISTER_ON_PREMISES_INSTANCE_RULES)
    }
}

const DEREGISTER_ON_PREMISES_INSTANCE_RULES: &[Rule] =
    &[Rule::new("instanceName", Check::Required, ErrorCode::InstanceNameRequired)];

impl Call for GetApplicationInput {
    type Operation = Operation;
    type Output = GetApplicationOutput;
    const OPERATION: Operation = Operation::GetApplication;
}

impl Validate for GetApplicationInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, GET_APPLICATION_RULES)
    }
}

const GET_APPLICATION_RULES: &[Rule] = &[
    Rule::new("applicationName", Check::Required, ErrorCode::ApplicationNameRequired),
    Rule::new("applicationName", Check::Length(1, 100), ErrorCode::InvalidApplicationName),
    Rule::new("applicationName", Check::NameCharacters, ErrorCode::InvalidApplicationName),
];

impl Call for GetApplicationRevisionInput {
    type Operation = Operation;
    type Output = GetApplicationRevisionOutput;
    const OPERATION: Operation = Operation::GetApplicationRevision;
}

impl Validate for GetApplicationRevisionInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, GET_APPLICATION_REVISION_RULES)
    }
}

const GET_APPLICATION_REVISION_RULES: &[Rule] = &[
    Rule::new("applicationName", Check::Required, ErrorCode::ApplicationNameRequired),
    Rule::new("revision", Check::Required, ErrorCode::RevisionRequired),
    Rule::new("applicationName", Check::Length(1, 100), ErrorCode::InvalidApplicationName),
    Rule::new("applicationName", Check::NameCharacters, ErrorCode::InvalidApplicationName),
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
];

impl Call for GetDeploymentInput {
    type Operation = Operation;
    type Output = GetDeploymentOutput;
    const OPERATION: Operation = Operation::GetDeployment;
}

impl Validate for GetDeploymentInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, GET_DEPLOYMENT_RULES)
    }
}

const GET_DEPLOYMENT_RULES: &[Rule] =
    &[Rule::new("deploymentId", Check::Required, ErrorCode::DeploymentIdRequired)];

impl Call for GetDeploymentConfigInput {
    type Operation = Operation;
    type Output = GetDeploymentConfigOutput;
    const OPERATION: Operation = Operation::GetDeploymentConfig;
}

impl Validate for GetDeploymentConfigInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, GET_DEPLOYMENT_CONFIG_RULES)
    }
}

const GET_DEPLOYMENT_CONFIG_RULES: &[Rule] = &[
    Rule::new("deploymentConfigName", Check::Required, ErrorCode::DeploymentConfigNameRequired),
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
];

impl Call for GetDeploymentGroupInput {
    type Operation = Operation;
    type Output = GetDeploymentGroupOutput;
    const OPERATION: Operation = Operation::GetDeploymentGroup;
}

impl Validate for GetDeploymentGroupInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, GET_DEPLOYMENT_GROUP_RULES)
    }
}

const GET_DEPLOYMENT_GROUP_RULES: &[Rule] = &[
    Rule::new("applicationName", Check::Required, ErrorCode::ApplicationNameRequired),
    Rule::new("deploymentGroupName", Check::Required, ErrorCode::DeploymentGroupNameRequired),
    Rule::new("applicationName", Check::Length(1, 100), ErrorCode::InvalidApplicationName),
    Rule::new("applicationName", Check::NameCharacters, ErrorCode::InvalidApplicationName),
    Rule::new("deploymentGroupName", Check::Length(1, 100), ErrorCode::InvalidDeploymentGroupName),
    Rule::new("deploymentGroupName", Check::NameCharacters, ErrorCode::InvalidDeploymentGroupName),
];

impl Call for GetDeploymentInstanceInput {
    type Operation = Operation;
    type Output = GetDeploymentInstanceOutput;
    const OPERATION: Operation = Operation::GetDeploymentInstance;
}

impl Validate for GetDeploymentInstanceInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, GET_DEPLOYMENT_INSTANCE_RULES)
    }
}

const GET_DEPLOYMENT_INSTANCE_RULES: &[Rule] = &[
    Rule::new("deploymentId", Check::Required, ErrorCode::DeploymentIdRequired),
    Rule::new("instanceId", Check::Required, ErrorCode::InstanceIdRequired),
];

impl Call for GetDeploymentTargetInput {
    type Operation = Operation;
    type Output = GetDeploymentTargetOutput;
    const OPERATION: Operation = Operation::GetDeploymentTarget;
}

impl Validate for GetDeploymentTargetInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, GET_DEPLOYMENT_TARGET_RULES)
    }
}

const GET_DEPLOYMENT_TARGET_RULES: &[Rule] = &[
    Rule::new("deploymentId", Check::Required, ErrorCode::DeploymentIdRequired),
    Rule::new("targetId", Check::Required, ErrorCode::DeploymentTargetIdRequired),
];

impl Call for GetOnPremisesInstanceInput {
    type Operation = Operation;
    type Output = GetOnPremisesInstanceOutput;
    const OPERATION: Operation = Operation::GetOnPremisesInstance;
}

impl Validate for GetOnPremisesInstanceInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, GET_ON_PREMISES_INSTANCE_RULES)
    }
}

const GET_ON_PREMISES_INSTANCE_RULES: &[Rule] =
    &[Rule::new("instanceName", Check::Required, ErrorCode::InstanceNameRequired)];

impl Call for ListApplicationRevisionsInput {
    type Operation = Operation;
    type Output = ListApplicationRevisionsOutput;
    const OPERATION: Operation = Operation::ListApplicationRevisions;
}

impl Validate for ListApplicationRevisionsInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, LIST_APPLICATION_REVISIONS_RULES)
    }
}

const LIST_APPLICATION_REVISIONS_RULES: &[Rule] = &[
    Rule::new("applicationName", Check::Required, ErrorCode::ApplicationNameRequired),
    Rule::new("applicationName", Check::Length(1, 100), ErrorCode::InvalidApplicationName),
    Rule::new("applicationName", Check::NameCharacters, ErrorCode::InvalidApplicationName),
    Rule::new(
        "sortBy",
        Check::OneOf(enums::APPLICATION_REVISION_SORT_BY),
        ErrorCode::InvalidSortBy,
    ),
    Rule::new("sortOrder", Check::OneOf(enums::SORT_ORDER), ErrorCode::InvalidSortOrder),
    Rule::new(
        "deployed",
        Check::OneOf(enums::LIST_STATE_FILTER_ACTION),
        ErrorCode::InvalidDeployedStateFilter,
    ),
];

impl Call for ListApplicationsInput {
    type Operation = Operation;
    type Output = ListApplicationsOutput;
    const OPERATION: Operation = Operation::ListApplications;
}

impl Validate for ListApplicationsInput {
    fn validate(&self) -> Result<(), ServiceError> {
        Ok(())
    }
}

impl Call for ListDeploymentConfigsInput {
    type Operation = Operation;
    type Output = ListDeploymentConfigsOutput;
    const OPERATION: Operation = Operation::ListDeploymentConfigs;
}

impl Validate for ListDeploymentConfigsInput {
    fn validate(&self) -> Result<(), ServiceError> {
        Ok(())
    }
}

impl Call for ListDeploymentGroupsInput {
    type Operation = Operation;
    type Output = ListDeploymentGroupsOutput;
    const OPERATION: Operation = Operation::ListDeploymentGroups;
}

impl Validate for ListDeploymentGroupsInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, LIST_DEPLOYMENT_GROUPS_RULES)
    }
}

const LIST_DEPLOYMENT_GROUPS_RULES: &[Rule] = &[
    Rule::new("applicationName", Check::Required, ErrorCode::ApplicationNameRequired),
    Rule::new("applicationName", Check::Length(1, 100), ErrorCode::InvalidApplicationName),
    Rule::new("applicationName", Check::NameCharacters, ErrorCode::InvalidApplicationName),
];

impl Call for ListDeploymentInstancesInput {
    type Operation = Operation;
    type Output = ListDeploymentInstancesOutput;
    const OPERATION: Operation = Operation::ListDeploymentInstances;
}

impl Validate for ListDeploymentInstancesInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, LIST_DEPLOYMENT_INSTANCES_RULES)
    }
}

const LIST_DEPLOYMENT_INSTANCES_RULES: &[Rule] = &[
    Rule::new("deploymentId", Check::Required, ErrorCode::DeploymentIdRequired),
    Rule::new(
        "instanceStatusFilter.*",
        Check::OneOf(enums::INSTANCE_STATUS),
        ErrorCode::InvalidInstanceStatus,
    ),
    Rule::new(
        "instanceTypeFilter.*",
        Check::OneOf(enums::INSTANCE_TYPE),
        ErrorCode::InvalidInstanceType,
    ),
];

impl Call for ListDeploymentTargetsInput {
    type Operation = Operation;
    type Output = ListDeploymentTargetsOutput;
    const OPERATION: Operation = Operation::ListDeploymentTargets;
}

impl Validate for ListDeploymentTargetsInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, LIST_DEPLOYMENT_TARGETS_RULES)
    }
}

const LIST_DEPLOYMENT_TARGETS_RULES: &[Rule] = &[
    Rule::new("deploymentId", Check::Required, ErrorCode::DeploymentIdRequired),
    Rule::new(
        "targetFilters.#",
        Check::OneOf(enums::TARGET_FILTER_NAME),
        ErrorCode::InvalidTargetFilterName,
    ),
];

impl Call for ListDeploymentsInput {
    type Operation = Operation;
    type Output = ListDeploymentsOutput;
    const OPERATION: Operation = Operation::ListDeployments;
}

impl Validate for ListDeploymentsInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, LIST_DEPLOYMENTS_RULES)
    }
}

const LIST_DEPLOYMENTS_RULES: &[Rule] = &[
    Rule::new("applicationName", Check::Length(1, 100), ErrorCode::InvalidApplicationName),
    Rule::new("applicationName", Check::NameCharacters, ErrorCode::InvalidApplicationName),
    Rule::new("deploymentGroupName", Check::Length(1, 100), ErrorCode::InvalidDeploymentGroupName),
    Rule::new("deploymentGroupName", Check::NameCharacters, ErrorCode::InvalidDeploymentGroupName),
    Rule::new(
        "includeOnlyStatuses.*",
        Check::OneOf(enums::DEPLOYMENT_STATUS),
        ErrorCode::InvalidDeploymentStatus,
    ),
];

impl Call for ListGitHubAccountTokenNamesInput {
    type Operation = Operation;
    type Output = ListGitHubAccountTokenNamesOutput;
    const OPERATION: Operation = Operation::ListGitHubAccountTokenNames;
}

impl Validate for ListGitHubAccountTokenNamesInput {
    fn validate(&self) -> Result<(), ServiceError> {
        Ok(())
    }
}

impl Call for ListOnPremisesInstancesInput {
    type Operation = Operation;
    type Output = ListOnPremisesInstancesOutput;
    const OPERATION: Operation = Operation::ListOnPremisesInstances;
}

impl Validate for ListOnPremisesInstancesInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, LIST_ON_PREMISES_INSTANCES_RULES)
    }
}

const LIST_ON_PREMISES_INSTANCES_RULES: &[Rule] = &[
    Rule::new(
        "registrationStatus",
        Check::OneOf(enums::REGISTRATION_STATUS),
        ErrorCode::InvalidRegistrationStatus,
    ),
    Rule::new(
        "tagFilters.*.Type",
        Check::OneOf(enums::TAG_FILTER_TYPE),
        ErrorCode::InvalidTagFilter,
    ),
];

impl Call for ListTagsForResourceInput {
    type Operation = Operation;
    type Output = ListTagsForResourceOutput;
    const OPERATION: Operation = Operation::ListTagsForResource;
}

impl Validate for ListTagsForResourceInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, LIST_TAGS_FOR_RESOURCE_RULES)
    }
}

const LIST_TAGS_FOR_RESOURCE_RULES: &[Rule] = &[
    Rule::new("ResourceArn", Check::Required, ErrorCode::ResourceArnRequired),
    Rule::new("ResourceArn", Check::Length(1, 1011), ErrorCode::InvalidArn),
];

impl Call for PutLifecycleEventHookExecutionStatusInput {
    type Operation = Operation;
    type Output = PutLifecycleEventHookExecutionStatusOutput;
    const OPERATION: Operation = Operation::PutLifecycleEventHookExecutionStatus;
}

impl Validate for PutLifecycleEventHookExecutionStatusInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, PUT_LIFECYCLE_EVENT_HOOK_EXECUTION_STATUS_RULES)
    }
}

const PUT_LIFECYCLE_EVENT_HOOK_EXECUTION_STATUS_RULES: &[Rule] = &[
    Rule::new("deploymentId", Check::Required, ErrorCode::DeploymentIdRequired),
    Rule::new(
        "status",
        Check::OneOf(enums::LIFECYCLE_EVENT_STATUS),
        ErrorCode::InvalidLifecycleEventHookExecutionStatus,
    ),
];

impl Call for RegisterApplicationRevisionInput {
    type Operation = Operation;
    type Output = crate::call::NoOutput;
    const OPERATION: Operation = Operation::RegisterApplicationRevision;
}

impl Validate for RegisterApplicationRevisionInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, REGISTER_APPLICATION_REVISION_RULES)
    }
}

const REGISTER_APPLICATION_REVISION_RULES: &[Rule] = &[
    Rule::new("applicationName", Check::Required, ErrorCode::ApplicationNameRequired),
    Rule::new("revision", Check::Required, ErrorCode::RevisionRequired),
    Rule::new("applicationName", Check::Length(1, 100), ErrorCode::InvalidApplicationName),
    Rule::new("applicationName", Check::NameCharacters, ErrorCode::InvalidApplicationName),
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
];

impl Call for RegisterOnPremisesInstanceInput {
    type Operation = Operation;
    type Output = crate::call::NoOutput;
    const OPERATION: Operation = Operation::RegisterOnPremisesInstance;
}

impl Validate for RegisterOnPremisesInstanceInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, REGISTER_ON_PREMISES_INSTANCE_RULES)
    }
}

const REGISTER_ON_PREMISES_INSTANCE_RULES: &[Rule] =
    &[Rule::new("instanceName", Check::Required, ErrorCode::InstanceNameRequired)];

impl Call for RemoveTagsFromOnPremisesInstancesInput {
    type Operation = Operation;
    type Output = crate::call::NoOutput;
    const OPERATION: Operation = Operation::RemoveTagsFromOnPremisesInstances;
}

impl Validate for RemoveTagsFromOnPremisesInstancesInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, REMOVE_TAGS_FROM_ON_PREMISES_INSTANCES_RULES)
    }
}

const REMOVE_TAGS_FROM_ON_PREMISES_INSTANCES_RULES: &[Rule] = &[
    Rule::new("instanceNames", Check::Required, ErrorCode::InstanceNameRequired),
    Rule::new("tags", Check::Required, ErrorCode::TagRequired),
];

impl Call for SkipWaitTimeForInstanceTerminationInput {
    type Operation = Operation;
    type Output = crate::call::NoOutput;
    const OPERATION: Operation = Operation::SkipWaitTimeForInstanceTermination;
}

impl Validate for SkipWaitTimeForInstanceTerminationInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, SKIP_WAIT_TIME_FOR_INSTANCE_TERMINATION_RULES)
    }
}

const SKIP_WAIT_TIME_FOR_INSTANCE_TERMINATION_RULES: &[Rule] =
    &[Rule::new("deploymentId", Check::Required, ErrorCode::DeploymentIdRequired)];

impl Call for StopDeploymentInput {
    type Operation = Operation;
    type Output = StopDeploymentOutput;
    const OPERATION: Operation = Operation::StopDeployment;
}

impl Validate for StopDeploymentInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, STOP_DEPLOYMENT_RULES)
    }
}

const STOP_DEPLOYMENT_RULES: &[Rule] =
    &[Rule::new("deploymentId", Check::Required, ErrorCode::DeploymentIdRequired)];

impl Call for TagResourceInput {
    type Operation = Operation;
    type Output = TagResourceOutput;
    const OPERATION: Operation = Operation::TagResource;
}

impl Validate for TagResourceInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, TAG_RESOURCE_RULES)
    }
}

const TAG_RESOURCE_RULES: &[Rule] = &[
    Rule::new("ResourceArn", Check::Required, ErrorCode::ResourceArnRequired),
    Rule::new("Tags", Check::Required, ErrorCode::TagRequired),
    Rule::new("ResourceArn", Check::Length(1, 1011), ErrorCode::InvalidArn),
];

impl Call for UntagResourceInput {
    type Operation = Operation;
    type Output = UntagResourceOutput;
    const OPERATION: Operation = Operation::UntagResource;
}

impl Validate for UntagResourceInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, UNTAG_RESOURCE_RULES)
    }
}

const UNTAG_RESOURCE_RULES: &[Rule] = &[
    Rule::new("ResourceArn", Check::Required, ErrorCode::ResourceArnRequired),
    Rule::new("TagKeys", Check::Required, ErrorCode::TagRequired),
    Rule::new("ResourceArn", Check::Length(1, 1011), ErrorCode::InvalidArn),
];

impl Call for UpdateApplicationInput {
    type Operation = Operation;
    type Output = crate::call::NoOutput;
    const OPERATION: Operation = Operation::UpdateApplication;
}

impl Validate for UpdateApplicationInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, UPDATE_APPLICATION_RULES)
    }
}

const UPDATE_APPLICATION_RULES: &[Rule] = &[
    Rule::new("applicationName", Check::Required, ErrorCode::ApplicationNameRequired),
    Rule::new("applicationName", Check::Length(1, 100), ErrorCode::InvalidApplicationName),
    Rule::new("applicationName", Check::NameCharacters, ErrorCode::InvalidApplicationName),
    Rule::new("newApplicationName", Check::Length(1, 100), ErrorCode::InvalidApplicationName),
    Rule::new("newApplicationName", Check::NameCharacters, ErrorCode::InvalidApplicationName),
];

impl Call for UpdateDeploymentGroupInput {
    type Operation = Operation;
    type Output = UpdateDeploymentGroupOutput;
    const OPERATION: Operation = Operation::UpdateDeploymentGroup;
}

impl Validate for UpdateDeploymentGroupInput {
    fn validate(&self) -> Result<(), ServiceError> {
        rule::check(self, UPDATE_DEPLOYMENT_GROUP_RULES)
    }
}

const UPDATE_DEPLOYMENT_GROUP_RULES: &[Rule] = &[
    Rule::new("applicationName", Check::Required, ErrorCode::ApplicationNameRequired),
    Rule::new(
        "currentDeploymentGroupName",
        Check::Required,
        ErrorCode::DeploymentGroupNameRequired,
    ),
    Rule::new("applicationName", Check::Length(1, 100), ErrorCode::InvalidApplicationName),
    Rule::new("applicationName", Check::NameCharacters, ErrorCode::InvalidApplicationName),
    Rule::new(
        "currentDeploymentGroupName",
        Check::Length(1, 100),
        ErrorCode::InvalidDeploymentGroupName,
    ),
    Rule::new(
        "currentDeploymentGroupName",
        Check::NameCharacters,
        ErrorCode::InvalidDeploymentGroupName,
    ),
    Rule::new(
        "newDeploymentGroupName",
        Check::Length(1, 100),
        ErrorCode::InvalidDeploymentGroupName,
    ),
    Rule::new(
        "newDeploymentGroupName",
        Check::NameCharacters,
        ErrorCode::InvalidDeploymentGroupName,
    ),
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
        "outdatedInstancesStrategy",
        Check::OneOf(enums::OUTDATED_INSTANCES_STRATEGY),
        ErrorCode::Validation,
    ),
    Rule::new(
        "ec2TagFilters.*.Type",
        Check::OneOf(enums::EC2_TAG_FILTER_TYPE),
        ErrorCode::InvalidEC2Tag,
    ),
    Rule::new(
        "onPremisesInstanceTagFilters.*.Type",
        Check::OneOf(enums::TAG_FILTER_TYPE),
        ErrorCode::InvalidTag,
    ),
    Rule::new(
        "triggerConfigurations.*.triggerEvents.*",
        Check::OneOf(enums::TRIGGER_EVENT_TYPE),
        ErrorCode::InvalidTriggerConfig,
    ),
    Rule::new(
        "autoRollbackConfiguration.events.*",
        Check::OneOf(enums::AUTO_ROLLBACK_EVENT),
        ErrorCode::InvalidAutoRollbackConfig,
    ),
    Rule::new(
        "deploymentStyle.deploymentType",
        Check::OneOf(enums::DEPLOYMENT_TYPE),
        ErrorCode::InvalidDeploymentStyle,
    ),
    Rule::new(
        "deploymentStyle.deploymentOption",
        Check::OneOf(enums::DEPLOYMENT_OPTION),
        ErrorCode::InvalidDeploymentStyle,
    ),
    Rule::new(
        "blueGreenDeploymentConfiguration.terminateBlueInstancesOnDeploymentSuccess.action",
        Check::OneOf(enums::INSTANCE_ACTION),
        ErrorCode::InvalidBlueGreenDeploymentConfiguration,
    ),
    Rule::new(
        "blueGreenDeploymentConfiguration.deploymentReadyOption.actionOnTimeout",
        Check::OneOf(enums::DEPLOYMENT_READY_ACTION),
        ErrorCode::InvalidBlueGreenDeploymentConfiguration,
    ),
    Rule::new(
        "blueGreenDeploymentConfiguration.greenFleetProvisioningOption.action",
        Check::OneOf(enums::GREEN_FLEET_PROVISIONING_ACTION),
        ErrorCode::InvalidBlueGreenDeploymentConfiguration,
    ),
    Rule::new(
        "ec2TagSet.ec2TagSetList.*.*.Type",
        Check::OneOf(enums::EC2_TAG_FILTER_TYPE),
        ErrorCode::InvalidEC2Tag,
    ),
    Rule::new(
        "onPremisesTagSet.onPremisesTagSetList.*.*.Type",
        Check::OneOf(enums::TAG_FILTER_TYPE),
        ErrorCode::InvalidTag,
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

/// What [`Operation::AddTagsToOnPremisesInstances`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AddTagsToOnPremisesInstancesInput {
    /// Required.
    #[serde(rename = "tags", skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<Tag>>,
    /// Required.
    #[serde(rename = "instanceNames", skip_serializing_if = "Option::is_none")]
    pub instance_names: Option<Vec<String>>,
}

/// The shape `Alarm` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
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

/// The shape `AppSpecContent` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AppSpecContent {
    #[serde(rename = "content", skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    #[serde(rename = "sha256", skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// The shape `ApplicationInfo` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ApplicationInfo {
    #[serde(rename = "applicationId", skip_serializing_if = "Option::is_none")]
    pub application_id: Option<String>,
    /// 1 to 100 characters.
    #[serde(rename = "applicationName", skip_serializing_if = "Option::is_none")]
    pub application_name: Option<String>,
    #[serde(rename = "createTime", skip_serializing_if = "Option::is_none")]
    pub create_time: Option<crate::Time>,
    #[serde(rename = "linkedToGitHub", skip_serializing_if = "Option::is_none")]
    pub linked_to_git_hub: Option<bool>,
    #[serde(rename = "gitHubAccountName", skip_serializing_if = "Option::is_none")]
    pub git_hub_account_name: Option<String>,
    /// One of [`enums::COMPUTE_PLATFORM`].
    #[serde(rename = "computePlatform", skip_serializing_if = "Option::is_none")]
    pub compute_platform: Option<String>,
}

/// The shape `AutoRollbackConfiguration` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AutoRollbackConfiguration {
    #[serde(rename = "enabled", skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    #[serde(rename = "events", skip_serializing_if = "Option::is_none")]
    pub events: Option<Vec<String>>,
}

/// The shape `AutoScalingGroup` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AutoScalingGroup {
    #[serde(rename = "name", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(rename = "hook", skip_serializing_if = "Option::is_none")]
    pub hook: Option<String>,
    #[serde(rename = "terminationHook", skip_serializing_if = "Option::is_none")]
    pub termination_hook: Option<String>,
}

/// What [`Operation::BatchGetApplicationRevisions`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BatchGetApplicationRevisionsInput {
    /// Required. 1 to 100 characters.
    #[serde(rename = "applicationName", skip_serializing_if = "Option::is_none")]
    pub application_name: Option<String>,
    /// Required.
    #[serde(rename = "revisions", skip_serializing_if = "Option::is_none")]
    pub revisions: Option<Vec<RevisionLocation>>,
}

/// What [`Operation::BatchGetApplicationRevisions`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BatchGetApplicationRevisionsOutput {
    /// 1 to 100 characters.
    #[serde(rename = "applicationName", skip_serializing_if = "Option::is_none")]
    pub application_name: Option<String>,
    #[serde(rename = "errorMessage", skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    #[serde(rename = "revisions", skip_serializing_if = "Option::is_none")]
    pub revisions: Option<Vec<RevisionInfo>>,
}

/// What [`Operation::BatchGetApplications`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BatchGetApplicationsInput {
    /// Required.
    #[serde(rename = "applicationNames", skip_serializing_if = "Option::is_none")]
    pub application_names: Option<Vec<String>>,
}

/// What [`Operation::BatchGetApplications`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BatchGetApplicationsOutput {
    #[serde(rename = "applicationsInfo", skip_serializing_if = "Option::is_none")]
    pub applications_info: Option<Vec<ApplicationInfo>>,
}

/// What [`Operation::BatchGetDeploymentGroups`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BatchGetDeploymentGroupsInput {
    /// Required. 1 to 100 characters.
    #[serde(rename = "applicationName", skip_serializing_if = "Option::is_none")]
    pub application_name: Option<String>,
    /// Required.
    #[serde(rename = "deploymentGroupNames", skip_serializing_if = "Option::is_none")]
    pub deployment_group_names: Option<Vec<String>>,
}

/// What [`Operation::BatchGetDeploymentGroups`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BatchGetDeploymentGroupsOutput {
    #[serde(rename = "deploymentGroupsInfo", skip_serializing_if = "Option::is_none")]
    pub deployment_groups_info: Option<Vec<DeploymentGroupInfo>>,
    #[serde(rename = "errorMessage", skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
}

/// What [`Operation::BatchGetDeploymentInstances`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BatchGetDeploymentInstancesInput {
    /// Required.
    #[serde(rename = "deploymentId", skip_serializing_if = "Option::is_none")]
    pub deployment_id: Option<String>,
    /// Required.
    #[serde(rename = "instanceIds", skip_serializing_if = "Option::is_none")]
    pub instance_ids: Option<Vec<String>>,
}

/// What [`Operation::BatchGetDeploymentInstances`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BatchGetDeploymentInstancesOutput {
    #[serde(rename = "instancesSummary", skip_serializing_if = "Option::is_none")]
    pub instances_summary: Option<Vec<InstanceSummary>>,
    #[serde(rename = "errorMessage", skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
}

/// What [`Operation::BatchGetDeploymentTargets`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BatchGetDeploymentTargetsInput {
    /// Required.
    #[serde(rename = "deploymentId", skip_serializing_if = "Option::is_none")]
    pub deployment_id: Option<String>,
    /// Required.
    #[serde(rename = "targetIds", skip_serializing_if = "Option::is_none")]
    pub target_ids: Option<Vec<String>>,
}

/// What [`Operation::BatchGetDeploymentTargets`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BatchGetDeploymentTargetsOutput {
    #[serde(rename = "deploymentTargets", skip_serializing_if = "Option::is_none")]
    pub deployment_targets: Option<Vec<DeploymentTarget>>,
}

/// What [`Operation::BatchGetDeployments`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BatchGetDeploymentsInput {
    /// Required.
    #[serde(rename = "deploymentIds", skip_serializing_if = "Option::is_none")]
    pub deployment_ids: Option<Vec<String>>,
}

/// What [`Operation::BatchGetDeployments`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BatchGetDeploymentsOutput {
    #[serde(rename = "deploymentsInfo", skip_serializing_if = "Option::is_none")]
    pub deployments_info: Option<Vec<DeploymentInfo>>,
}

/// What [`Operation::BatchGetOnPremisesInstances`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BatchGetOnPremisesInstancesInput {
    /// Required.
    #[serde(rename = "instanceNames", skip_serializing_if = "Option::is_none")]
    pub instance_names: Option<Vec<String>>,
}

/// What [`Operation::BatchGetOnPremisesInstances`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BatchGetOnPremisesInstancesOutput {
    #[serde(rename = "instanceInfos", skip_serializing_if = "Option::is_none")]
    pub instance_infos: Option<Vec<InstanceInfo>>,
}

/// The shape `BlueGreenDeploymentConfiguration` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BlueGreenDeploymentConfiguration {
    #[serde(
        rename = "terminateBlueInstancesOnDeploymentSuccess",
        skip_serializing_if = "Option::is_none"
    )]
    pub terminate_blue_instances_on_deployment_success: Option<BlueInstanceTerminationOption>,
    #[serde(rename = "deploymentReadyOption", skip_serializing_if = "Option::is_none")]
    pub deployment_ready_option: Option<DeploymentReadyOption>,
    #[serde(rename = "greenFleetProvisioningOption", skip_serializing_if = "Option::is_none")]
    pub green_fleet_provisioning_option: Option<GreenFleetProvisioningOption>,
}

/// The shape `BlueInstanceTerminationOption` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BlueInstanceTerminationOption {
    /// One of [`enums::INSTANCE_ACTION`].
    #[serde(rename = "action", skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    #[serde(rename = "terminationWaitTimeInMinutes", skip_serializing_if = "Option::is_none")]
    pub termination_wait_time_in_minutes: Option<i64>,
}

/// The shape `CloudFormationTarget` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CloudFormationTarget {
    #[serde(rename = "deploymentId", skip_serializing_if = "Option::is_none")]
    pub deployment_id: Option<String>,
    #[serde(rename = "targetId", skip_serializing_if = "Option::is_none")]
    pub target_id: Option<String>,
    #[serde(rename = "lastUpdatedAt", skip_serializing_if = "Option::is_none")]
    pub last_updated_at: Option<crate::Time>,
    #[serde(rename = "lifecycleEvents", skip_serializing_if = "Option::is_none")]
    pub lifecycle_events: Option<Vec<LifecycleEvent>>,
    /// One of [`enums::TARGET_STATUS`].
    #[serde(rename = "status", skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    #[serde(rename = "resourceType", skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<String>,
    #[serde(rename = "targetVersionWeight", skip_serializing_if = "Option::is_none")]
    pub target_version_weight: Option<f64>,
}

/// What [`Operation::ContinueDeployment`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ContinueDeploymentInput {
    #[serde(rename = "deploymentId", skip_serializing_if = "Option::is_none")]
    pub deployment_id: Option<String>,
    /// One of [`enums::DEPLOYMENT_WAIT_TYPE`].
    #[serde(rename = "deploymentWaitType", skip_serializing_if = "Option::is_none")]
    pub deployment_wait_type: Option<String>,
}

/// What [`Operation::CreateApplication`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CreateApplicationInput {
    /// Required. 1 to 100 characters.
    #[serde(rename = "applicationName", skip_serializing_if = "Option::is_none")]
    pub application_name: Option<String>,
    /// One of [`enums::COMPUTE_PLATFORM`].
    #[serde(rename = "computePlatform", skip_serializing_if = "Option::is_none")]
    pub compute_platform: Option<String>,
    #[serde(rename = "tags", skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<Tag>>,
}

/// What [`Operation::CreateApplication`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CreateApplicationOutput {
    #[serde(rename = "applicationId", skip_serializing_if = "Option::is_none")]
    pub application_id: Option<String>,
}

/// What [`Operation::CreateDeploymentConfig`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CreateDeploymentConfigInput {
    /// Required. 1 to 100 characters.
    #[serde(rename = "deploymentConfigName", skip_serializing_if = "Option::is_none")]
    pub deployment_config_name: Option<String>,
    #[serde(rename = "minimumHealthyHosts", skip_serializing_if = "Option::is_none")]
    pub minimum_healthy_hosts: Option<MinimumHealthyHosts>,
    #[serde(rename = "trafficRoutingConfig", skip_serializing_if = "Option::is_none")]
    pub traffic_routing_config: Option<TrafficRoutingConfig>,
    /// One of [`enums::COMPUTE_PLATFORM`].
    #[serde(rename = "computePlatform", skip_serializing_if = "Option::is_none")]
    pub compute_platform: Option<String>,
    #[serde(rename = "zonalConfig", skip_serializing_if = "Option::is_none")]
    pub zonal_config: Option<ZonalConfig>,
}

/// What [`Operation::CreateDeploymentConfig`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CreateDeploymentConfigOutput {
    #[serde(rename = "deploymentConfigId", skip_serializing_if = "Option::is_none")]
    pub deployment_config_id: Option<String>,
}

/// What [`Operation::CreateDeploymentGroup`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CreateDeploymentGroupInput {
    /// Required. 1 to 100 characters.
    #[serde(rename = "applicationName", skip_serializing_if = "Option::is_none")]
    pub application_name: Option<String>,
    /// Required. 1 to 100 characters.
    #[serde(rename = "deploymentGroupName", skip_serializing_if = "Option::is_none")]
    pub deployment_group_name: Option<String>,
    /// 1 to 100 characters.
    #[serde(rename = "deploymentConfigName", skip_serializing_if = "Option::is_none")]
    pub deployment_config_name: Option<String>,
    #[serde(rename = "ec2TagFilters", skip_serializing_if = "Option::is_none")]
    pub ec2_tag_filters: Option<Vec<EC2TagFilter>>,
    #[serde(rename = "onPremisesInstanceTagFilters", skip_serializing_if = "Option::is_none")]
    pub on_premises_instance_tag_filters: Option<Vec<TagFilter>>,
    #[serde(rename = "autoScalingGroups", skip_serializing_if = "Option::is_none")]
    pub auto_scaling_groups: Option<Vec<String>>,
    /// Required.
    #[serde(rename = "serviceRoleArn", skip_serializing_if = "Option::is_none")]
    pub service_role_arn: Option<String>,
    #[serde(rename = "triggerConfigurations", skip_serializing_if = "Option::is_none")]
    pub trigger_configurations: Option<Vec<TriggerConfig>>,
    #[serde(rename = "alarmConfiguration", skip_serializing_if = "Option::is_none")]
    pub alarm_configuration: Option<AlarmConfiguration>,
    #[serde(rename = "autoRollbackConfiguration", skip_serializing_if = "Option::is_none")]
    pub auto_rollback_configuration: Option<AutoRollbackConfiguration>,
    /// One of [`enums::OUTDATED_INSTANCES_STRATEGY`].
    #[serde(rename = "outdatedInstancesStrategy", skip_serializing_if = "Option::is_none")]
    pub outdated_instances_strategy: Option<String>,
    #[serde(rename = "deploymentStyle", skip_serializing_if = "Option::is_none")]
    pub deployment_style: Option<DeploymentStyle>,
    #[serde(rename = "blueGreenDeploymentConfiguration", skip_serializing_if = "Option::is_none")]
    pub blue_green_deployment_configuration: Option<BlueGreenDeploymentConfiguration>,
    #[serde(rename = "loadBalancerInfo", skip_serializing_if = "Option::is_none")]
    pub load_balancer_info: Option<LoadBalancerInfo>,
    #[serde(rename = "ec2TagSet", skip_serializing_if = "Option::is_none")]
    pub ec2_tag_set: Option<EC2TagSet>,
    #[serde(rename = "ecsServices", skip_serializing_if = "Option::is_none")]
    pub ecs_services: Option<Vec<ECSService>>,
    #[serde(rename = "onPremisesTagSet", skip_serializing_if = "Option::is_none")]
    pub on_premises_tag_set: Option<OnPremisesTagSet>,
    #[serde(rename = "tags", skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<Tag>>,
    #[serde(rename = "ec2DeploymentOptions", skip_serializing_if = "Option::is_none")]
    pub ec2_deployment_options: Option<EC2DeploymentOptions>,
    #[serde(rename = "terminationHookEnabled", skip_serializing_if = "Option::is_none")]
    pub termination_hook_enabled: Option<bool>,
}

/// What [`Operation::CreateDeploymentGroup`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CreateDeploymentGroupOutput {
    #[serde(rename = "deploymentGroupId", skip_serializing_if = "Option::is_none")]
    pub deployment_group_id: Option<String>,
}

/// What [`Operation::CreateDeployment`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CreateDeploymentInput {
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

/// What [`Operation::CreateDeployment`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CreateDeploymentOutput {
    #[serde(rename = "deploymentId", skip_serializing_if = "Option::is_none")]
    pub deployment_id: Option<String>,
}

/// What [`Operation::DeleteApplication`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DeleteApplicationInput {
    /// Required. 1 to 100 characters.
    #[serde(rename = "applicationName", skip_serializing_if = "Option::is_none")]
    pub application_name: Option<String>,
}

/// What [`Operation::DeleteDeploymentConfig`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DeleteDeploymentConfigInput {
    /// Required. 1 to 100 characters.
    #[serde(rename = "deploymentConfigName", skip_serializing_if = "Option::is_none")]
    pub deployment_config_name: Option<String>,
}

/// What [`Operation::DeleteDeploymentGroup`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DeleteDeploymentGroupInput {
    /// Required. 1 to 100 characters.
    #[serde(rename = "applicationName", skip_serializing_if = "Option::is_none")]
    pub application_name: Option<String>,
    /// Required. 1 to 100 characters.
    #[serde(rename = "deploymentGroupName", skip_serializing_if = "Option::is_none")]
    pub deployment_group_name: Option<String>,
}

/// What [`Operation::DeleteDeploymentGroup`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DeleteDeploymentGroupOutput {
    #[serde(rename = "hooksNotCleanedUp", skip_serializing_if = "Option::is_none")]
    pub hooks_not_cleaned_up: Option<Vec<AutoScalingGroup>>,
}

/// What [`Operation::DeleteGitHubAccountToken`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DeleteGitHubAccountTokenInput {
    #[serde(rename = "tokenName", skip_serializing_if = "Option::is_none")]
    pub token_name: Option<String>,
}

/// What [`Operation::DeleteGitHubAccountToken`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DeleteGitHubAccountTokenOutput {
    #[serde(rename = "tokenName", skip_serializing_if = "Option::is_none")]
    pub token_name: Option<String>,
}

/// What [`Operation::DeleteResourcesByExternalId`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DeleteResourcesByExternalIdInput {
    #[serde(rename = "externalId", skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
}

/// What [`Operation::DeleteResourcesByExternalId`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DeleteResourcesByExternalIdOutput {}

/// The shape `DeploymentConfigInfo` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DeploymentConfigInfo {
    #[serde(rename = "deploymentConfigId", skip_serializing_if = "Option::is_none")]
    pub deployment_config_id: Option<String>,
    /// 1 to 100 characters.
    #[serde(rename = "deploymentConfigName", skip_serializing_if = "Option::is_none")]
    pub deployment_config_name: Option<String>,
    #[serde(rename = "minimumHealthyHosts", skip_serializing_if = "Option::is_none")]
    pub minimum_healthy_hosts: Option<MinimumHealthyHosts>,
    #[serde(rename = "createTime", skip_serializing_if = "Option::is_none")]
    pub create_time: Option<crate::Time>,
    /// One of [`enums::COMPUTE_PLATFORM`].
    #[serde(rename = "computePlatform", skip_serializing_if = "Option::is_none")]
    pub compute_platform: Option<String>,
    #[serde(rename = "trafficRoutingConfig", skip_serializing_if = "Option::is_none")]
    pub traffic_routing_config: Option<TrafficRoutingConfig>,
    #[serde(rename = "zonalConfig", skip_serializing_if = "Option::is_none")]
    pub zonal_config: Option<ZonalConfig>,
}

/// The shape `DeploymentGroupInfo` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DeploymentGroupInfo {
    /// 1 to 100 characters.
    #[serde(rename = "applicationName", skip_serializing_if = "Option::is_none")]
    pub application_name: Option<String>,
    #[serde(rename = "deploymentGroupId", skip_serializing_if = "Option::is_none")]
    pub deployment_group_id: Option<String>,
    /// 1 to 100 characters.
    #[serde(rename = "deploymentGroupName", skip_serializing_if = "Option::is_none")]
    pub deployment_group_name: Option<String>,
    /// 1 to 100 characters.
    #[serde(rename = "deploymentConfigName", skip_serializing_if = "Option::is_none")]
    pub deployment_config_name: Option<String>,
    #[serde(rename = "ec2TagFilters", skip_serializing_if = "Option::is_none")]
    pub ec2_tag_filters: Option<Vec<EC2TagFilter>>,
    #[serde(rename = "onPremisesInstanceTagFilters", skip_serializing_if = "Option::is_none")]
    pub on_premises_instance_tag_filters: Option<Vec<TagFilter>>,
    #[serde(rename = "autoScalingGroups", skip_serializing_if = "Option::is_none")]
    pub auto_scaling_groups: Option<Vec<AutoScalingGroup>>,
    #[serde(rename = "serviceRoleArn", skip_serializing_if = "Option::is_none")]
    pub service_role_arn: Option<String>,
    #[serde(rename = "targetRevision", skip_serializing_if = "Option::is_none")]
    pub target_revision: Option<RevisionLocation>,
    #[serde(rename = "triggerConfigurations", skip_serializing_if = "Option::is_none")]
    pub trigger_configurations: Option<Vec<TriggerConfig>>,
    #[serde(rename = "alarmConfiguration", skip_serializing_if = "Option::is_none")]
    pub alarm_configuration: Option<AlarmConfiguration>,
    #[serde(rename = "autoRollbackConfiguration", skip_serializing_if = "Option::is_none")]
    pub auto_rollback_configuration: Option<AutoRollbackConfiguration>,
    #[serde(rename = "deploymentStyle", skip_serializing_if = "Option::is_none")]
    pub deployment_style: Option<DeploymentStyle>,
    /// One of [`enums::OUTDATED_INSTANCES_STRATEGY`].
    #[serde(rename = "outdatedInstancesStrategy", skip_serializing_if = "Option::is_none")]
    pub outdated_instances_strategy: Option<String>,
    #[serde(rename = "blueGreenDeploymentConfiguration", skip_serializing_if = "Option::is_none")]
    pub blue_green_deployment_configuration: Option<BlueGreenDeploymentConfiguration>,
    #[serde(rename = "loadBalancerInfo", skip_serializing_if = "Option::is_none")]
    pub load_balancer_info: Option<LoadBalancerInfo>,
    #[serde(rename = "lastSuccessfulDeployment", skip_serializing_if = "Option::is_none")]
    pub last_successful_deployment: Option<LastDeploymentInfo>,
    #[serde(rename = "lastAttemptedDeployment", skip_serializing_if = "Option::is_none")]
    pub last_attempted_deployment: Option<LastDeploymentInfo>,
    #[serde(rename = "ec2TagSet", skip_serializing_if = "Option::is_none")]
    pub ec2_tag_set: Option<EC2TagSet>,
    #[serde(rename = "onPremisesTagSet", skip_serializing_if = "Option::is_none")]
    pub on_premises_tag_set: Option<OnPremisesTagSet>,
    /// One of [`enums::COMPUTE_PLATFORM`].
    #[serde(rename = "computePlatform", skip_serializing_if = "Option::is_none")]
    pub compute_platform: Option<String>,
    #[serde(rename = "ecsServices", skip_serializing_if = "Option::is_none")]
    pub ecs_services: Option<Vec<ECSService>>,
    #[serde(rename = "ec2DeploymentOptions", skip_serializing_if = "Option::is_none")]
    pub ec2_deployment_options: Option<EC2DeploymentOptions>,
    #[serde(rename = "terminationHookEnabled", skip_serializing_if = "Option::is_none")]
    pub termination_hook_enabled: Option<bool>,
}

/// The shape `DeploymentInfo` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DeploymentInfo {
    /// 1 to 100 characters.
    #[serde(rename = "applicationName", skip_serializing_if = "Option::is_none")]
    pub application_name: Option<String>,
    /// 1 to 100 characters.
    #[serde(rename = "deploymentGroupName", skip_serializing_if = "Option::is_none")]
    pub deployment_group_name: Option<String>,
    /// 1 to 100 characters.
    #[serde(rename = "deploymentConfigName", skip_serializing_if = "Option::is_none")]
    pub deployment_config_name: Option<String>,
    #[serde(rename = "deploymentId", skip_serializing_if = "Option::is_none")]
    pub deployment_id: Option<String>,
    #[serde(rename = "previousRevision", skip_serializing_if = "Option::is_none")]
    pub previous_revision: Option<RevisionLocation>,
    #[serde(rename = "revision", skip_serializing_if = "Option::is_none")]
    pub revision: Option<RevisionLocation>,
    /// One of [`enums::DEPLOYMENT_STATUS`].
    #[serde(rename = "status", skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    #[serde(rename = "errorInformation", skip_serializing_if = "Option::is_none")]
    pub error_information: Option<ErrorInformation>,
    #[serde(rename = "createTime", skip_serializing_if = "Option::is_none")]
    pub create_time: Option<crate::Time>,
    #[serde(rename = "startTime", skip_serializing_if = "Option::is_none")]
    pub start_time: Option<crate::Time>,
    #[serde(rename = "completeTime", skip_serializing_if = "Option::is_none")]
    pub complete_time: Option<crate::Time>,
    #[serde(rename = "deploymentOverview", skip_serializing_if = "Option::is_none")]
    pub deployment_overview: Option<DeploymentOverview>,
    #[serde(rename = "description", skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// One of [`enums::DEPLOYMENT_CREATOR`].
    #[serde(rename = "creator", skip_serializing_if = "Option::is_none")]
    pub creator: Option<String>,
    #[serde(rename = "ignoreApplicationStopFailures", skip_serializing_if = "Option::is_none")]
    pub ignore_application_stop_failures: Option<bool>,
    #[serde(rename = "autoRollbackConfiguration", skip_serializing_if = "Option::is_none")]
    pub auto_rollback_configuration: Option<AutoRollbackConfiguration>,
    #[serde(rename = "updateOutdatedInstancesOnly", skip_serializing_if = "Option::is_none")]
    pub update_outdated_instances_only: Option<bool>,
    #[serde(rename = "rollbackInfo", skip_serializing_if = "Option::is_none")]
    pub rollback_info: Option<RollbackInfo>,
    #[serde(rename = "deploymentStyle", skip_serializing_if = "Option::is_none")]
    pub deployment_style: Option<DeploymentStyle>,
    #[serde(rename = "targetInstances", skip_serializing_if = "Option::is_none")]
    pub target_instances: Option<TargetInstances>,
    #[serde(
        rename = "instanceTerminationWaitTimeStarted",
        skip_serializing_if = "Option::is_none"
    )]
    pub instance_termination_wait_time_started: Option<bool>,
    #[serde(rename = "blueGreenDeploymentConfiguration", skip_serializing_if = "Option::is_none")]
    pub blue_green_deployment_configuration: Option<BlueGreenDeploymentConfiguration>,
    #[serde(rename = "loadBalancerInfo", skip_serializing_if = "Option::is_none")]
    pub load_balancer_info: Option<LoadBalancerInfo>,
    #[serde(rename = "additionalDeploymentStatusInfo", skip_serializing_if = "Option::is_none")]
    pub additional_deployment_status_info: Option<String>,
    /// One of [`enums::FILE_EXISTS_BEHAVIOR`].
    #[serde(rename = "fileExistsBehavior", skip_serializing_if = "Option::is_none")]
    pub file_exists_behavior: Option<String>,
    /// One of [`enums::DEPLOYMENT_MODE`].
    #[serde(rename = "deploymentMode", skip_serializing_if = "Option::is_none")]
    pub deployment_mode: Option<String>,
    #[serde(rename = "deploymentStatusMessages", skip_serializing_if = "Option::is_none")]
    pub deployment_status_messages: Option<Vec<String>>,
    /// One of [`enums::COMPUTE_PLATFORM`].
    #[serde(rename = "computePlatform", skip_serializing_if = "Option::is_none")]
    pub compute_platform: Option<String>,
    #[serde(rename = "externalId", skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    #[serde(rename = "relatedDeployments", skip_serializing_if = "Option::is_none")]
    pub related_deployments: Option<RelatedDeployments>,
    #[serde(rename = "overrideAlarmConfiguration", skip_serializing_if = "Option::is_none")]
    pub override_alarm_configuration: Option<AlarmConfiguration>,
    #[serde(rename = "ec2DeploymentOptions", skip_serializing_if = "Option::is_none")]
    pub ec2_deployment_options: Option<EC2DeploymentOptions>,
}

/// The shape `DeploymentOverview` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DeploymentOverview {
    #[serde(rename = "Pending", skip_serializing_if = "Option::is_none")]
    pub pending: Option<i64>,
    #[serde(rename = "InProgress", skip_serializing_if = "Option::is_none")]
    pub in_progress: Option<i64>,
    #[serde(rename = "Succeeded", skip_serializing_if = "Option::is_none")]
    pub succeeded: Option<i64>,
    #[serde(rename = "Failed", skip_serializing_if = "Option::is_none")]
    pub failed: Option<i64>,
    #[serde(rename = "Skipped", skip_serializing_if = "Option::is_none")]
    pub skipped: Option<i64>,
    #[serde(rename = "Ready", skip_serializing_if = "Option::is_none")]
    pub ready: Option<i64>,
}

/// The shape `DeploymentReadyOption` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DeploymentReadyOption {
    /// One of [`enums::DEPLOYMENT_READY_ACTION`].
    #[serde(rename = "actionOnTimeout", skip_serializing_if = "Option::is_none")]
    pub action_on_timeout: Option<String>,
    #[serde(rename = "waitTimeInMinutes", skip_serializing_if = "Option::is_none")]
    pub wait_time_in_minutes: Option<i64>,
}

/// The shape `DeploymentStyle` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DeploymentStyle {
    /// One of [`enums::DEPLOYMENT_TYPE`].
    #[serde(rename = "deploymentType", skip_serializing_if = "Option::is_none")]
    pub deployment_type: Option<String>,
    /// One of [`enums::DEPLOYMENT_OPTION`].
    #[serde(rename = "deploymentOption", skip_serializing_if = "Option::is_none")]
    pub deployment_option: Option<String>,
}

/// The shape `DeploymentTarget` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DeploymentTarget {
    /// One of [`enums::DEPLOYMENT_TARGET_TYPE`].
    #[serde(rename = "deploymentTargetType", skip_serializing_if = "Option::is_none")]
    pub deployment_target_type: Option<String>,
    #[serde(rename = "instanceTarget", skip_serializing_if = "Option::is_none")]
    pub instance_target: Option<InstanceTarget>,
    #[serde(rename = "lambdaTarget", skip_serializing_if = "Option::is_none")]
    pub lambda_target: Option<LambdaTarget>,
    #[serde(rename = "ecsTarget", skip_serializing_if = "Option::is_none")]
    pub ecs_target: Option<ECSTarget>,
    #[serde(rename = "cloudFormationTarget", skip_serializing_if = "Option::is_none")]
    pub cloud_formation_target: Option<CloudFormationTarget>,
}

/// What [`Operation::DeregisterOnPremisesInstance`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DeregisterOnPremisesInstanceInput {
    /// Required.
    #[serde(rename = "instanceName", skip_serializing_if = "Option::is_none")]
    pub instance_name: Option<String>,
}

/// The shape `Diagnostics` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Diagnostics {
    /// One of [`enums::LIFECYCLE_ERROR_CODE`].
    #[serde(rename = "errorCode", skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    #[serde(rename = "scriptName", skip_serializing_if = "Option::is_none")]
    pub script_name: Option<String>,
    #[serde(rename = "message", skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    #[serde(rename = "logTail", skip_serializing_if = "Option::is_none")]
    pub log_tail: Option<String>,
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

/// The shape `ECSService` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ECSService {
    #[serde(rename = "serviceName", skip_serializing_if = "Option::is_none")]
    pub service_name: Option<String>,
    #[serde(rename = "clusterName", skip_serializing_if = "Option::is_none")]
    pub cluster_name: Option<String>,
}

/// The shape `ECSTarget` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ECSTarget {
    #[serde(rename = "deploymentId", skip_serializing_if = "Option::is_none")]
    pub deployment_id: Option<String>,
    #[serde(rename = "targetId", skip_serializing_if = "Option::is_none")]
    pub target_id: Option<String>,
    #[serde(rename = "targetArn", skip_serializing_if = "Option::is_none")]
    pub target_arn: Option<String>,
    #[serde(rename = "lastUpdatedAt", skip_serializing_if = "Option::is_none")]
    pub last_updated_at: Option<crate::Time>,
    #[serde(rename = "lifecycleEvents", skip_serializing_if = "Option::is_none")]
    pub lifecycle_events: Option<Vec<LifecycleEvent>>,
    /// One of [`enums::TARGET_STATUS`].
    #[serde(rename = "status", skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    #[serde(rename = "taskSetsInfo", skip_serializing_if = "Option::is_none")]
    pub task_sets_info: Option<Vec<ECSTaskSet>>,
}

/// The shape `ECSTaskSet` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ECSTaskSet {
    #[serde(rename = "identifer", skip_serializing_if = "Option::is_none")]
    pub identifer: Option<String>,
    #[serde(rename = "desiredCount", skip_serializing_if = "Option::is_none")]
    pub desired_count: Option<i64>,
    #[serde(rename = "pendingCount", skip_serializing_if = "Option::is_none")]
    pub pending_count: Option<i64>,
    #[serde(rename = "runningCount", skip_serializing_if = "Option::is_none")]
    pub running_count: Option<i64>,
    #[serde(rename = "status", skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    #[serde(rename = "trafficWeight", skip_serializing_if = "Option::is_none")]
    pub traffic_weight: Option<f64>,
    #[serde(rename = "targetGroup", skip_serializing_if = "Option::is_none")]
    pub target_group: Option<TargetGroupInfo>,
    /// One of [`enums::TARGET_LABEL`].
    #[serde(rename = "taskSetLabel", skip_serializing_if = "Option::is_none")]
    pub task_set_label: Option<String>,
}

/// The shape `ELBInfo` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ELBInfo {
    #[serde(rename = "name", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// The shape `ErrorInformation` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ErrorInformation {
    /// One of [`enums::ERROR_CODE`].
    #[serde(rename = "code", skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    #[serde(rename = "message", skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// The shape `GenericRevisionInfo` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GenericRevisionInfo {
    #[serde(rename = "description", skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(rename = "deploymentGroups", skip_serializing_if = "Option::is_none")]
    pub deployment_groups: Option<Vec<String>>,
    #[serde(rename = "firstUsedTime", skip_serializing_if = "Option::is_none")]
    pub first_used_time: Option<crate::Time>,
    #[serde(rename = "lastUsedTime", skip_serializing_if = "Option::is_none")]
    pub last_used_time: Option<crate::Time>,
    #[serde(rename = "registerTime", skip_serializing_if = "Option::is_none")]
    pub register_time: Option<crate::Time>,
}

/// What [`Operation::GetApplication`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GetApplicationInput {
    /// Required. 1 to 100 characters.
    #[serde(rename = "applicationName", skip_serializing_if = "Option::is_none")]
    pub application_name: Option<String>,
}

/// What [`Operation::GetApplication`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GetApplicationOutput {
    #[serde(rename = "application", skip_serializing_if = "Option::is_none")]
    pub application: Option<ApplicationInfo>,
}

/// What [`Operation::GetApplicationRevision`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GetApplicationRevisionInput {
    /// Required. 1 to 100 characters.
    #[serde(rename = "applicationName", skip_serializing_if = "Option::is_none")]
    pub application_name: Option<String>,
    /// Required.
    #[serde(rename = "revision", skip_serializing_if = "Option::is_none")]
    pub revision: Option<RevisionLocation>,
}

/// What [`Operation::GetApplicationRevision`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GetApplicationRevisionOutput {
    /// 1 to 100 characters.
    #[serde(rename = "applicationName", skip_serializing_if = "Option::is_none")]
    pub application_name: Option<String>,
    #[serde(rename = "revision", skip_serializing_if = "Option::is_none")]
    pub revision: Option<RevisionLocation>,
    #[serde(rename = "revisionInfo", skip_serializing_if = "Option::is_none")]
    pub revision_info: Option<GenericRevisionInfo>,
}

/// What [`Operation::GetDeploymentConfig`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GetDeploymentConfigInput {
    /// Required. 1 to 100 characters.
    #[serde(rename = "deploymentConfigName", skip_serializing_if = "Option::is_none")]
    pub deployment_config_name: Option<String>,
}

/// What [`Operation::GetDeploymentConfig`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GetDeploymentConfigOutput {
    #[serde(rename = "deploymentConfigInfo", skip_serializing_if = "Option::is_none")]
    pub deployment_config_info: Option<DeploymentConfigInfo>,
}

/// What [`Operation::GetDeploymentGroup`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GetDeploymentGroupInput {
    /// Required. 1 to 100 characters.
    #[serde(rename = "applicationName", skip_serializing_if = "Option::is_none")]
    pub application_name: Option<String>,
    /// Required. 1 to 100 characters.
    #[serde(rename = "deploymentGroupName", skip_serializing_if = "Option::is_none")]
    pub deployment_group_name: Option<String>,
}

/// What [`Operation::GetDeploymentGroup`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GetDeploymentGroupOutput {
    #[serde(rename = "deploymentGroupInfo", skip_serializing_if = "Option::is_none")]
    pub deployment_group_info: Option<DeploymentGroupInfo>,
}

/// What [`Operation::GetDeployment`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GetDeploymentInput {
    /// Required.
    #[serde(rename = "deploymentId", skip_serializing_if = "Option::is_none")]
    pub deployment_id: Option<String>,
}

/// What [`Operation::GetDeploymentInstance`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GetDeploymentInstanceInput {
    /// Required.
    #[serde(rename = "deploymentId", skip_serializing_if = "Option::is_none")]
    pub deployment_id: Option<String>,
    /// Required.
    #[serde(rename = "instanceId", skip_serializing_if = "Option::is_none")]
    pub instance_id: Option<String>,
}

/// What [`Operation::GetDeploymentInstance`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GetDeploymentInstanceOutput {
    #[serde(rename = "instanceSummary", skip_serializing_if = "Option::is_none")]
    pub instance_summary: Option<InstanceSummary>,
}

/// What [`Operation::GetDeployment`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GetDeploymentOutput {
    #[serde(rename = "deploymentInfo", skip_serializing_if = "Option::is_none")]
    pub deployment_info: Option<DeploymentInfo>,
}

/// What [`Operation::GetDeploymentTarget`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GetDeploymentTargetInput {
    /// Required.
    #[serde(rename = "deploymentId", skip_serializing_if = "Option::is_none")]
    pub deployment_id: Option<String>,
    /// Required.
    #[serde(rename = "targetId", skip_serializing_if = "Option::is_none")]
    pub target_id: Option<String>,
}

/// What [`Operation::GetDeploymentTarget`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GetDeploymentTargetOutput {
    #[serde(rename = "deploymentTarget", skip_serializing_if = "Option::is_none")]
    pub deployment_target: Option<DeploymentTarget>,
}

/// What [`Operation::GetOnPremisesInstance`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GetOnPremisesInstanceInput {
    /// Required.
    #[serde(rename = "instanceName", skip_serializing_if = "Option::is_none")]
    pub instance_name: Option<String>,
}

/// What [`Operation::GetOnPremisesInstance`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GetOnPremisesInstanceOutput {
    #[serde(rename = "instanceInfo", skip_serializing_if = "Option::is_none")]
    pub instance_info: Option<InstanceInfo>,
}

/// The shape `GitHubLocation` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GitHubLocation {
    #[serde(rename = "repository", skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    #[serde(rename = "commitId", skip_serializing_if = "Option::is_none")]
    pub commit_id: Option<String>,
}

/// The shape `GreenFleetProvisioningOption` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GreenFleetProvisioningOption {
    /// One of [`enums::GREEN_FLEET_PROVISIONING_ACTION`].
    #[serde(rename = "action", skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
}

/// The shape `InstanceInfo` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct InstanceInfo {
    #[serde(rename = "instanceName", skip_serializing_if = "Option::is_none")]
    pub instance_name: Option<String>,
    #[serde(rename = "iamSessionArn", skip_serializing_if = "Option::is_none")]
    pub iam_session_arn: Option<String>,
    #[serde(rename = "iamUserArn", skip_serializing_if = "Option::is_none")]
    pub iam_user_arn: Option<String>,
    #[serde(rename = "instanceArn", skip_serializing_if = "Option::is_none")]
    pub instance_arn: Option<String>,
    #[serde(rename = "registerTime", skip_serializing_if = "Option::is_none")]
    pub register_time: Option<crate::Time>,
    #[serde(rename = "deregisterTime", skip_serializing_if = "Option::is_none")]
    pub deregister_time: Option<crate::Time>,
    #[serde(rename = "tags", skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<Tag>>,
}

/// The shape `InstanceSummary` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct InstanceSummary {
    #[serde(rename = "deploymentId", skip_serializing_if = "Option::is_none")]
    pub deployment_id: Option<String>,
    #[serde(rename = "instanceId", skip_serializing_if = "Option::is_none")]
    pub instance_id: Option<String>,
    /// One of [`enums::INSTANCE_STATUS`].
    #[serde(rename = "status", skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    #[serde(rename = "lastUpdatedAt", skip_serializing_if = "Option::is_none")]
    pub last_updated_at: Option<crate::Time>,
    #[serde(rename = "lifecycleEvents", skip_serializing_if = "Option::is_none")]
    pub lifecycle_events: Option<Vec<LifecycleEvent>>,
    /// One of [`enums::INSTANCE_TYPE`].
    #[serde(rename = "instanceType", skip_serializing_if = "Option::is_none")]
    pub instance_type: Option<String>,
}

/// The shape `InstanceTarget` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct InstanceTarget {
    #[serde(rename = "deploymentId", skip_serializing_if = "Option::is_none")]
    pub deployment_id: Option<String>,
    #[serde(rename = "targetId", skip_serializing_if = "Option::is_none")]
    pub target_id: Option<String>,
    #[serde(rename = "targetArn", skip_serializing_if = "Option::is_none")]
    pub target_arn: Option<String>,
    /// One of [`enums::TARGET_STATUS`].
    #[serde(rename = "status", skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    #[serde(rename = "lastUpdatedAt", skip_serializing_if = "Option::is_none")]
    pub last_updated_at: Option<crate::Time>,
    #[serde(rename = "lifecycleEvents", skip_serializing_if = "Option::is_none")]
    pub lifecycle_events: Option<Vec<LifecycleEvent>>,
    /// One of [`enums::TARGET_LABEL`].
    #[serde(rename = "instanceLabel", skip_serializing_if = "Option::is_none")]
    pub instance_label: Option<String>,
}

/// The shape `LambdaFunctionInfo` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LambdaFunctionInfo {
    #[serde(rename = "functionName", skip_serializing_if = "Option::is_none")]
    pub function_name: Option<String>,
    #[serde(rename = "functionAlias", skip_serializing_if = "Option::is_none")]
    pub function_alias: Option<String>,
    #[serde(rename = "currentVersion", skip_serializing_if = "Option::is_none")]
    pub current_version: Option<String>,
    #[serde(rename = "targetVersion", skip_serializing_if = "Option::is_none")]
    pub target_version: Option<String>,
    #[serde(rename = "targetVersionWeight", skip_serializing_if = "Option::is_none")]
    pub target_version_weight: Option<f64>,
}

/// The shape `LambdaTarget` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LambdaTarget {
    #[serde(rename = "deploymentId", skip_serializing_if = "Option::is_none")]
    pub deployment_id: Option<String>,
    #[serde(rename = "targetId", skip_serializing_if = "Option::is_none")]
    pub target_id: Option<String>,
    #[serde(rename = "targetArn", skip_serializing_if = "Option::is_none")]
    pub target_arn: Option<String>,
    /// One of [`enums::TARGET_STATUS`].
    #[serde(rename = "status", skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    #[serde(rename = "lastUpdatedAt", skip_serializing_if = "Option::is_none")]
    pub last_updated_at: Option<crate::Time>,
    #[serde(rename = "lifecycleEvents", skip_serializing_if = "Option::is_none")]
    pub lifecycle_events: Option<Vec<LifecycleEvent>>,
    #[serde(rename = "lambdaFunctionInfo", skip_serializing_if = "Option::is_none")]
    pub lambda_function_info: Option<LambdaFunctionInfo>,
}

/// The shape `LastDeploymentInfo` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LastDeploymentInfo {
    #[serde(rename = "deploymentId", skip_serializing_if = "Option::is_none")]
    pub deployment_id: Option<String>,
    /// One of [`enums::DEPLOYMENT_STATUS`].
    #[serde(rename = "status", skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    #[serde(rename = "endTime", skip_serializing_if = "Option::is_none")]
    pub end_time: Option<crate::Time>,
    #[serde(rename = "createTime", skip_serializing_if = "Option::is_none")]
    pub create_time: Option<crate::Time>,
}

/// The shape `LifecycleEvent` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LifecycleEvent {
    #[serde(rename = "lifecycleEventName", skip_serializing_if = "Option::is_none")]
    pub lifecycle_event_name: Option<String>,
    #[serde(rename = "diagnostics", skip_serializing_if = "Option::is_none")]
    pub diagnostics: Option<Diagnostics>,
    #[serde(rename = "startTime", skip_serializing_if = "Option::is_none")]
    pub start_time: Option<crate::Time>,
    #[serde(rename = "endTime", skip_serializing_if = "Option::is_none")]
    pub end_time: Option<crate::Time>,
    /// One of [`enums::LIFECYCLE_EVENT_STATUS`].
    #[serde(rename = "status", skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
}

/// What [`Operation::ListApplicationRevisions`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ListApplicationRevisionsInput {
    /// Required. 1 to 100 characters.
    #[serde(rename = "applicationName", skip_serializing_if = "Option::is_none")]
    pub application_name: Option<String>,
    /// One of [`enums::APPLICATION_REVISION_SORT_BY`].
    #[serde(rename = "sortBy", skip_serializing_if = "Option::is_none")]
    pub sort_by: Option<String>,
    /// One of [`enums::SORT_ORDER`].
    #[serde(rename = "sortOrder", skip_serializing_if = "Option::is_none")]
    pub sort_order: Option<String>,
    #[serde(rename = "s3Bucket", skip_serializing_if = "Option::is_none")]
    pub s3_bucket: Option<String>,
    #[serde(rename = "s3KeyPrefix", skip_serializing_if = "Option::is_none")]
    pub s3_key_prefix: Option<String>,
    /// One of [`enums::LIST_STATE_FILTER_ACTION`].
    #[serde(rename = "deployed", skip_serializing_if = "Option::is_none")]
    pub deployed: Option<String>,
    #[serde(rename = "nextToken", skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// What [`Operation::ListApplicationRevisions`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ListApplicationRevisionsOutput {
    #[serde(rename = "revisions", skip_serializing_if = "Option::is_none")]
    pub revisions: Option<Vec<RevisionLocation>>,
    #[serde(rename = "nextToken", skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// What [`Operation::ListApplications`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ListApplicationsInput {
    #[serde(rename = "nextToken", skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// What [`Operation::ListApplications`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ListApplicationsOutput {
    #[serde(rename = "applications", skip_serializing_if = "Option::is_none")]
    pub applications: Option<Vec<String>>,
    #[serde(rename = "nextToken", skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// What [`Operation::ListDeploymentConfigs`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ListDeploymentConfigsInput {
    #[serde(rename = "nextToken", skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// What [`Operation::ListDeploymentConfigs`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ListDeploymentConfigsOutput {
    #[serde(rename = "deploymentConfigsList", skip_serializing_if = "Option::is_none")]
    pub deployment_configs_list: Option<Vec<String>>,
    #[serde(rename = "nextToken", skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// What [`Operation::ListDeploymentGroups`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ListDeploymentGroupsInput {
    /// Required. 1 to 100 characters.
    #[serde(rename = "applicationName", skip_serializing_if = "Option::is_none")]
    pub application_name: Option<String>,
    #[serde(rename = "nextToken", skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// What [`Operation::ListDeploymentGroups`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ListDeploymentGroupsOutput {
    /// 1 to 100 characters.
    #[serde(rename = "applicationName", skip_serializing_if = "Option::is_none")]
    pub application_name: Option<String>,
    #[serde(rename = "deploymentGroups", skip_serializing_if = "Option::is_none")]
    pub deployment_groups: Option<Vec<String>>,
    #[serde(rename = "nextToken", skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// What [`Operation::ListDeploymentInstances`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ListDeploymentInstancesInput {
    /// Required.
    #[serde(rename = "deploymentId", skip_serializing_if = "Option::is_none")]
    pub deployment_id: Option<String>,
    #[serde(rename = "nextToken", skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
    #[serde(rename = "instanceStatusFilter", skip_serializing_if = "Option::is_none")]
    pub instance_status_filter: Option<Vec<String>>,
    #[serde(rename = "instanceTypeFilter", skip_serializing_if = "Option::is_none")]
    pub instance_type_filter: Option<Vec<String>>,
}

/// What [`Operation::ListDeploymentInstances`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ListDeploymentInstancesOutput {
    #[serde(rename = "instancesList", skip_serializing_if = "Option::is_none")]
    pub instances_list: Option<Vec<String>>,
    #[serde(rename = "nextToken", skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// What [`Operation::ListDeploymentTargets`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ListDeploymentTargetsInput {
    /// Required.
    #[serde(rename = "deploymentId", skip_serializing_if = "Option::is_none")]
    pub deployment_id: Option<String>,
    #[serde(rename = "nextToken", skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
    #[serde(rename = "targetFilters", skip_serializing_if = "Option::is_none")]
    pub target_filters: Option<std::collections::BTreeMap<String, Vec<String>>>,
}

/// What [`Operation::ListDeploymentTargets`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ListDeploymentTargetsOutput {
    #[serde(rename = "targetIds", skip_serializing_if = "Option::is_none")]
    pub target_ids: Option<Vec<String>>,
    #[serde(rename = "nextToken", skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// What [`Operation::ListDeployments`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ListDeploymentsInput {
    /// 1 to 100 characters.
    #[serde(rename = "applicationName", skip_serializing_if = "Option::is_none")]
    pub application_name: Option<String>,
    /// 1 to 100 characters.
    #[serde(rename = "deploymentGroupName", skip_serializing_if = "Option::is_none")]
    pub deployment_group_name: Option<String>,
    #[serde(rename = "externalId", skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    #[serde(rename = "includeOnlyStatuses", skip_serializing_if = "Option::is_none")]
    pub include_only_statuses: Option<Vec<String>>,
    #[serde(rename = "createTimeRange", skip_serializing_if = "Option::is_none")]
    pub create_time_range: Option<TimeRange>,
    #[serde(rename = "nextToken", skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// What [`Operation::ListDeployments`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ListDeploymentsOutput {
    #[serde(rename = "deployments", skip_serializing_if = "Option::is_none")]
    pub deployments: Option<Vec<String>>,
    #[serde(rename = "nextToken", skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// What [`Operation::ListGitHubAccountTokenNames`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ListGitHubAccountTokenNamesInput {
    #[serde(rename = "nextToken", skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// What [`Operation::ListGitHubAccountTokenNames`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ListGitHubAccountTokenNamesOutput {
    #[serde(rename = "tokenNameList", skip_serializing_if = "Option::is_none")]
    pub token_name_list: Option<Vec<String>>,
    #[serde(rename = "nextToken", skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// What [`Operation::ListOnPremisesInstances`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ListOnPremisesInstancesInput {
    /// One of [`enums::REGISTRATION_STATUS`].
    #[serde(rename = "registrationStatus", skip_serializing_if = "Option::is_none")]
    pub registration_status: Option<String>,
    #[serde(rename = "tagFilters", skip_serializing_if = "Option::is_none")]
    pub tag_filters: Option<Vec<TagFilter>>,
    #[serde(rename = "nextToken", skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// What [`Operation::ListOnPremisesInstances`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ListOnPremisesInstancesOutput {
    #[serde(rename = "instanceNames", skip_serializing_if = "Option::is_none")]
    pub instance_names: Option<Vec<String>>,
    #[serde(rename = "nextToken", skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// What [`Operation::ListTagsForResource`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ListTagsForResourceInput {
    /// Required. 1 to 1011 characters.
    #[serde(rename = "ResourceArn", skip_serializing_if = "Option::is_none")]
    pub resource_arn: Option<String>,
    #[serde(rename = "NextToken", skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// What [`Operation::ListTagsForResource`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ListTagsForResourceOutput {
    #[serde(rename = "Tags", skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<Tag>>,
    #[serde(rename = "NextToken", skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// The shape `LoadBalancerInfo` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LoadBalancerInfo {
    #[serde(rename = "elbInfoList", skip_serializing_if = "Option::is_none")]
    pub elb_info_list: Option<Vec<ELBInfo>>,
    #[serde(rename = "targetGroupInfoList", skip_serializing_if = "Option::is_none")]
    pub target_group_info_list: Option<Vec<TargetGroupInfo>>,
    #[serde(rename = "targetGroupPairInfoList", skip_serializing_if = "Option::is_none")]
    pub target_group_pair_info_list: Option<Vec<TargetGroupPairInfo>>,
}

/// The shape `MinimumHealthyHosts` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MinimumHealthyHosts {
    /// One of [`enums::MINIMUM_HEALTHY_HOSTS_TYPE`].
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
    #[serde(rename = "value", skip_serializing_if = "Option::is_none")]
    pub value: Option<i64>,
}

/// The shape `MinimumHealthyHostsPerZone` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MinimumHealthyHostsPerZone {
    /// One of [`enums::MINIMUM_HEALTHY_HOSTS_PER_ZONE_TYPE`].
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
    #[serde(rename = "value", skip_serializing_if = "Option::is_none")]
    pub value: Option<i64>,
}

/// The shape `OnPremisesTagSet` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OnPremisesTagSet {
    #[serde(rename = "onPremisesTagSetList", skip_serializing_if = "Option::is_none")]
    pub on_premises_tag_set_list: Option<Vec<Vec<TagFilter>>>,
}

/// What [`Operation::PutLifecycleEventHookExecutionStatus`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PutLifecycleEventHookExecutionStatusInput {
    #[serde(rename = "deploymentId", skip_serializing_if = "Option::is_none")]
    pub deployment_id: Option<String>,
    #[serde(rename = "lifecycleEventHookExecutionId", skip_serializing_if = "Option::is_none")]
    pub lifecycle_event_hook_execution_id: Option<String>,
    /// One of [`enums::LIFECYCLE_EVENT_STATUS`].
    #[serde(rename = "status", skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
}

/// What [`Operation::PutLifecycleEventHookExecutionStatus`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PutLifecycleEventHookExecutionStatusOutput {
    #[serde(rename = "lifecycleEventHookExecutionId", skip_serializing_if = "Option::is_none")]
    pub lifecycle_event_hook_execution_id: Option<String>,
}

/// The shape `RawString` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RawString {
    #[serde(rename = "content", skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    #[serde(rename = "sha256", skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// What [`Operation::RegisterApplicationRevision`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RegisterApplicationRevisionInput {
    /// Required. 1 to 100 characters.
    #[serde(rename = "applicationName", skip_serializing_if = "Option::is_none")]
    pub application_name: Option<String>,
    #[serde(rename = "description", skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Required.
    #[serde(rename = "revision", skip_serializing_if = "Option::is_none")]
    pub revision: Option<RevisionLocation>,
}

/// What [`Operation::RegisterOnPremisesInstance`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RegisterOnPremisesInstanceInput {
    /// Required.
    #[serde(rename = "instanceName", skip_serializing_if = "Option::is_none")]
    pub instance_name: Option<String>,
    #[serde(rename = "iamSessionArn", skip_serializing_if = "Option::is_none")]
    pub iam_session_arn: Option<String>,
    #[serde(rename = "iamUserArn", skip_serializing_if = "Option::is_none")]
    pub iam_user_arn: Option<String>,
}

/// The shape `RelatedDeployments` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RelatedDeployments {
    #[serde(
        rename = "autoUpdateOutdatedInstancesRootDeploymentId",
        skip_serializing_if = "Option::is_none"
    )]
    pub auto_update_outdated_instances_root_deployment_id: Option<String>,
    #[serde(
        rename = "autoUpdateOutdatedInstancesDeploymentIds",
        skip_serializing_if = "Option::is_none"
    )]
    pub auto_update_outdated_instances_deployment_ids: Option<Vec<String>>,
}

/// What [`Operation::RemoveTagsFromOnPremisesInstances`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RemoveTagsFromOnPremisesInstancesInput {
    /// Required.
    #[serde(rename = "tags", skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<Tag>>,
    /// Required.
    #[serde(rename = "instanceNames", skip_serializing_if = "Option::is_none")]
    pub instance_names: Option<Vec<String>>,
}

/// The shape `RevisionInfo` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RevisionInfo {
    #[serde(rename = "revisionLocation", skip_serializing_if = "Option::is_none")]
    pub revision_location: Option<RevisionLocation>,
    #[serde(rename = "genericRevisionInfo", skip_serializing_if = "Option::is_none")]
    pub generic_revision_info: Option<GenericRevisionInfo>,
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

/// The shape `RollbackInfo` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RollbackInfo {
    #[serde(rename = "rollbackDeploymentId", skip_serializing_if = "Option::is_none")]
    pub rollback_deployment_id: Option<String>,
    #[serde(rename = "rollbackTriggeringDeploymentId", skip_serializing_if = "Option::is_none")]
    pub rollback_triggering_deployment_id: Option<String>,
    #[serde(rename = "rollbackMessage", skip_serializing_if = "Option::is_none")]
    pub rollback_message: Option<String>,
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

/// What [`Operation::SkipWaitTimeForInstanceTermination`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SkipWaitTimeForInstanceTerminationInput {
    #[serde(rename = "deploymentId", skip_serializing_if = "Option::is_none")]
    pub deployment_id: Option<String>,
}

/// What [`Operation::StopDeployment`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StopDeploymentInput {
    /// Required.
    #[serde(rename = "deploymentId", skip_serializing_if = "Option::is_none")]
    pub deployment_id: Option<String>,
    #[serde(rename = "autoRollbackEnabled", skip_serializing_if = "Option::is_none")]
    pub auto_rollback_enabled: Option<bool>,
}

/// What [`Operation::StopDeployment`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StopDeploymentOutput {
    /// One of [`enums::STOP_STATUS`].
    #[serde(rename = "status", skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    #[serde(rename = "statusMessage", skip_serializing_if = "Option::is_none")]
    pub status_message: Option<String>,
}

/// The shape `Tag` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tag {
    #[serde(rename = "Key", skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    #[serde(rename = "Value", skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// The shape `TagFilter` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TagFilter {
    #[serde(rename = "Key", skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    #[serde(rename = "Value", skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// One of [`enums::TAG_FILTER_TYPE`].
    #[serde(rename = "Type", skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
}

/// What [`Operation::TagResource`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TagResourceInput {
    /// Required. 1 to 1011 characters.
    #[serde(rename = "ResourceArn", skip_serializing_if = "Option::is_none")]
    pub resource_arn: Option<String>,
    /// Required.
    #[serde(rename = "Tags", skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<Tag>>,
}

/// What [`Operation::TagResource`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TagResourceOutput {}

/// The shape `TargetGroupInfo` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TargetGroupInfo {
    #[serde(rename = "name", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// The shape `TargetGroupPairInfo` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TargetGroupPairInfo {
    #[serde(rename = "targetGroups", skip_serializing_if = "Option::is_none")]
    pub target_groups: Option<Vec<TargetGroupInfo>>,
    #[serde(rename = "prodTrafficRoute", skip_serializing_if = "Option::is_none")]
    pub prod_traffic_route: Option<TrafficRoute>,
    #[serde(rename = "testTrafficRoute", skip_serializing_if = "Option::is_none")]
    pub test_traffic_route: Option<TrafficRoute>,
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

/// The shape `TimeBasedCanary` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TimeBasedCanary {
    #[serde(rename = "canaryPercentage", skip_serializing_if = "Option::is_none")]
    pub canary_percentage: Option<i64>,
    #[serde(rename = "canaryInterval", skip_serializing_if = "Option::is_none")]
    pub canary_interval: Option<i64>,
}

/// The shape `TimeBasedLinear` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TimeBasedLinear {
    #[serde(rename = "linearPercentage", skip_serializing_if = "Option::is_none")]
    pub linear_percentage: Option<i64>,
    #[serde(rename = "linearInterval", skip_serializing_if = "Option::is_none")]
    pub linear_interval: Option<i64>,
}

/// The shape `TimeRange` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TimeRange {
    #[serde(rename = "start", skip_serializing_if = "Option::is_none")]
    pub start: Option<crate::Time>,
    #[serde(rename = "end", skip_serializing_if = "Option::is_none")]
    pub end: Option<crate::Time>,
}

/// The shape `TrafficRoute` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TrafficRoute {
    #[serde(rename = "listenerArns", skip_serializing_if = "Option::is_none")]
    pub listener_arns: Option<Vec<String>>,
}

/// The shape `TrafficRoutingConfig` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TrafficRoutingConfig {
    /// One of [`enums::TRAFFIC_ROUTING_TYPE`].
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
    #[serde(rename = "timeBasedCanary", skip_serializing_if = "Option::is_none")]
    pub time_based_canary: Option<TimeBasedCanary>,
    #[serde(rename = "timeBasedLinear", skip_serializing_if = "Option::is_none")]
    pub time_based_linear: Option<TimeBasedLinear>,
}

/// The shape `TriggerConfig` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TriggerConfig {
    #[serde(rename = "triggerName", skip_serializing_if = "Option::is_none")]
    pub trigger_name: Option<String>,
    #[serde(rename = "triggerTargetArn", skip_serializing_if = "Option::is_none")]
    pub trigger_target_arn: Option<String>,
    #[serde(rename = "triggerEvents", skip_serializing_if = "Option::is_none")]
    pub trigger_events: Option<Vec<String>>,
}

/// What [`Operation::UntagResource`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct UntagResourceInput {
    /// Required. 1 to 1011 characters.
    #[serde(rename = "ResourceArn", skip_serializing_if = "Option::is_none")]
    pub resource_arn: Option<String>,
    /// Required.
    #[serde(rename = "TagKeys", skip_serializing_if = "Option::is_none")]
    pub tag_keys: Option<Vec<String>>,
}

/// What [`Operation::UntagResource`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct UntagResourceOutput {}

/// What [`Operation::UpdateApplication`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct UpdateApplicationInput {
    /// 1 to 100 characters.
    #[serde(rename = "applicationName", skip_serializing_if = "Option::is_none")]
    pub application_name: Option<String>,
    /// 1 to 100 characters.
    #[serde(rename = "newApplicationName", skip_serializing_if = "Option::is_none")]
    pub new_application_name: Option<String>,
}

/// What [`Operation::UpdateDeploymentGroup`] is asked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct UpdateDeploymentGroupInput {
    /// Required. 1 to 100 characters.
    #[serde(rename = "applicationName", skip_serializing_if = "Option::is_none")]
    pub application_name: Option<String>,
    /// Required. 1 to 100 characters.
    #[serde(rename = "currentDeploymentGroupName", skip_serializing_if = "Option::is_none")]
    pub current_deployment_group_name: Option<String>,
    /// 1 to 100 characters.
    #[serde(rename = "newDeploymentGroupName", skip_serializing_if = "Option::is_none")]
    pub new_deployment_group_name: Option<String>,
    /// 1 to 100 characters.
    #[serde(rename = "deploymentConfigName", skip_serializing_if = "Option::is_none")]
    pub deployment_config_name: Option<String>,
    #[serde(rename = "ec2TagFilters", skip_serializing_if = "Option::is_none")]
    pub ec2_tag_filters: Option<Vec<EC2TagFilter>>,
    #[serde(rename = "onPremisesInstanceTagFilters", skip_serializing_if = "Option::is_none")]
    pub on_premises_instance_tag_filters: Option<Vec<TagFilter>>,
    #[serde(rename = "autoScalingGroups", skip_serializing_if = "Option::is_none")]
    pub auto_scaling_groups: Option<Vec<String>>,
    #[serde(rename = "serviceRoleArn", skip_serializing_if = "Option::is_none")]
    pub service_role_arn: Option<String>,
    #[serde(rename = "triggerConfigurations", skip_serializing_if = "Option::is_none")]
    pub trigger_configurations: Option<Vec<TriggerConfig>>,
    #[serde(rename = "alarmConfiguration", skip_serializing_if = "Option::is_none")]
    pub alarm_configuration: Option<AlarmConfiguration>,
    #[serde(rename = "autoRollbackConfiguration", skip_serializing_if = "Option::is_none")]
    pub auto_rollback_configuration: Option<AutoRollbackConfiguration>,
    /// One of [`enums::OUTDATED_INSTANCES_STRATEGY`].
    #[serde(rename = "outdatedInstancesStrategy", skip_serializing_if = "Option::is_none")]
    pub outdated_instances_strategy: Option<String>,
    #[serde(rename = "deploymentStyle", skip_serializing_if = "Option::is_none")]
    pub deployment_style: Option<DeploymentStyle>,
    #[serde(rename = "blueGreenDeploymentConfiguration", skip_serializing_if = "Option::is_none")]
    pub blue_green_deployment_configuration: Option<BlueGreenDeploymentConfiguration>,
    #[serde(rename = "loadBalancerInfo", skip_serializing_if = "Option::is_none")]
    pub load_balancer_info: Option<LoadBalancerInfo>,
    #[serde(rename = "ec2TagSet", skip_serializing_if = "Option::is_none")]
    pub ec2_tag_set: Option<EC2TagSet>,
    #[serde(rename = "ecsServices", skip_serializing_if = "Option::is_none")]
    pub ecs_services: Option<Vec<ECSService>>,
    #[serde(rename = "onPremisesTagSet", skip_serializing_if = "Option::is_none")]
    pub on_premises_tag_set: Option<OnPremisesTagSet>,
    #[serde(rename = "ec2DeploymentOptions", skip_serializing_if = "Option::is_none")]
    pub ec2_deployment_options: Option<EC2DeploymentOptions>,
    #[serde(rename = "terminationHookEnabled", skip_serializing_if = "Option::is_none")]
    pub termination_hook_enabled: Option<bool>,
}

/// What [`Operation::UpdateDeploymentGroup`] answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct UpdateDeploymentGroupOutput {
    #[serde(rename = "hooksNotCleanedUp", skip_serializing_if = "Option::is_none")]
    pub hooks_not_cleaned_up: Option<Vec<AutoScalingGroup>>,
}

/// The shape `ZonalConfig` of the API reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ZonalConfig {
    #[serde(rename = "firstZoneMonitorDurationInSeconds", skip_serializing_if = "Option::is_none")]
    pub first_zone_monitor_duration_in_seconds: Option<i64>,
    #[serde(rename = "monitorDurationInSeconds", skip_serializing_if = "Option::is_none")]
    pub monitor_duration_in_seconds: Option<i64>,
    #[serde(rename = "minimumHealthyHostsPerZone", skip_serializing_if = "Option::is_none")]
    pub minimum_healthy_hosts_per_zone: Option<MinimumHealthyHostsPerZone>,
}

/// The values that the string enumerations of the API permit.
pub mod enums {
    /// The values of `ApplicationRevisionSortBy`.
    pub const APPLICATION_REVISION_SORT_BY: &[&str] =
        &["registerTime", "firstUsedTime", "lastUsedTime"];

    /// The values of `AutoRollbackEvent`.
    pub const AUTO_ROLLBACK_EVENT: &[&str] =
        &["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"];

    /// The values of `AutoScalingGroupProcess`.
    pub const AUTO_SCALING_GROUP_PROCESS: &[&str] =
        &["Terminate", "AZRebalance", "InstanceRefresh", "ScheduledActions"];

    /// The values of `BundleType`.
    pub const BUNDLE_TYPE: &[&str] = &["tar", "tgz", "zip", "YAML", "JSON"];

    /// The values of `ComputePlatform`.
    pub const COMPUTE_PLATFORM: &[&str] = &["Server", "Lambda", "ECS"];

    /// The values of `DeploymentCreator`.
    pub const DEPLOYMENT_CREATOR: &[&str] = &[
        "user",
        "autoscaling",
        "codeDeployRollback",
        "CodeDeploy",
        "CodeDeployAutoUpdate",
        "CloudFormation",
        "CloudFormationRollback",
        "autoscalingTermination",
    ];

    /// The values of `DeploymentMode`.
    pub const DEPLOYMENT_MODE: &[&str] = &["STANDARD", "RESTART"];

    /// The values of `DeploymentOption`.
    pub const DEPLOYMENT_OPTION: &[&str] = &["WITH_TRAFFIC_CONTROL", "WITHOUT_TRAFFIC_CONTROL"];

    /// The values of `DeploymentReadyAction`.
    pub const DEPLOYMENT_READY_ACTION: &[&str] = &["CONTINUE_DEPLOYMENT", "STOP_DEPLOYMENT"];

    /// The values of `DeploymentStatus`.
    pub const DEPLOYMENT_STATUS: &[&str] =
        &["Created", "Queued", "InProgress", "Baking", "Succeeded", "Failed", "Stopped", "Ready"];

    /// The values of `DeploymentTargetType`.
    pub const DEPLOYMENT_TARGET_TYPE: &[&str] =
        &["InstanceTarget", "LambdaTarget", "ECSTarget", "CloudFormationTarget"];

    /// The values of `DeploymentType`.
    pub const DEPLOYMENT_TYPE: &[&str] = &["IN_PLACE", "BLUE_GREEN"];

    /// The values of `DeploymentWaitType`.
    pub const DEPLOYMENT_WAIT_TYPE: &[&str] = &["READY_WAIT", "TERMINATION_WAIT"];

    /// The values of `EC2TagFilterType`.
    pub const EC2_TAG_FILTER_TYPE: &[&str] = &["KEY_ONLY", "VALUE_ONLY", "KEY_AND_VALUE"];

    /// The values of `ErrorCode`.
    pub const ERROR_CODE: &[&str] = &[
        "AGENT_ISSUE",
        "ALARM_ACTIVE",
        "APPLICATION_MISSING",
        "AUTOSCALING_VALIDATION_ERROR",
        "AUTO_SCALING_CONFIGURATION",
        "AUTO_SCALING_IAM_ROLE_PERMISSIONS",
        "CODEDEPLOY_RESOURCE_CANNOT_BE_FOUND",
        "CUSTOMER_APPLICATION_UNHEALTHY",
        "DEPLOYMENT_GROUP_MISSING",
        "ECS_UPDATE_ERROR",
        "ELASTIC_LOAD_BALANCING_INVALID",
        "ELB_INVALID_INSTANCE",
        "HEALTH_CONSTRAINTS",
        "HEALTH_CONSTRAINTS_INVALID",
        "HOOK_EXECUTION_FAILURE",
        "IAM_ROLE_MISSING",
        "IAM_ROLE_PERMISSIONS",
        "INTERNAL_ERROR",
        "INVALID_ECS_SERVICE",
        "INVALID_LAMBDA_CONFIGURATION",
        "INVALID_LAMBDA_FUNCTION",
        "INVALID_REVISION",
        "MANUAL_STOP",
        "MISSING_BLUE_GREEN_DEPLOYMENT_CONFIGURATION",
        "MISSING_ELB_INFORMATION",
        "MISSING_GITHUB_TOKEN",
        "NO_EC2_SUBSCRIPTION",
        "NO_INSTANCES",
        "OVER_MAX_INSTANCES",
        "RESOURCE_LIMIT_EXCEEDED",
        "REVISION_MISSING",
        "THROTTLED",
        "TIMEOUT",
        "CLOUDFORMATION_STACK_FAILURE",
    ];

    /// The values of `FileExistsBehavior`.
    pub const FILE_EXISTS_BEHAVIOR: &[&str] = &["DISALLOW", "OVERWRITE", "RETAIN"];

    /// The values of `GreenFleetProvisioningAction`.
    pub const GREEN_FLEET_PROVISIONING_ACTION: &[&str] =
        &["DISCOVER_EXISTING", "COPY_AUTO_SCALING_GROUP"];

    /// The values of `InstanceAction`.
    pub const INSTANCE_ACTION: &[&str] = &["TERMINATE", "KEEP_ALIVE"];

    /// The values of `InstanceStatus`.
    pub const INSTANCE_STATUS: &[&str] =
        &["Pending", "InProgress", "Succeeded", "Failed", "Skipped", "Unknown", "Ready"];

    /// The values of `InstanceType`.
    pub const INSTANCE_TYPE: &[&str] = &["Blue", "Green"];

    /// The values of `LifecycleErrorCode`.
    pub const LIFECYCLE_ERROR_CODE: &[&str] = &[
        "Success",
        "ScriptMissing",
        "ScriptNotExecutable",
        "ScriptTimedOut",
        "ScriptFailed",
        "UnknownError",
    ];

    /// The values of `LifecycleEventStatus`.
    pub const LIFECYCLE_EVENT_STATUS: &[&str] =
        &["Pending", "InProgress", "Succeeded", "Failed", "Skipped", "Unknown"];

    /// The values of `ListStateFilterAction`.
    pub const LIST_STATE_FILTER_ACTION: &[&str] = &["include", "exclude", "ignore"];

    /// The values of `MinimumHealthyHostsPerZoneType`.
    pub const MINIMUM_HEALTHY_HOSTS_PER_ZONE_TYPE: &[&str] = &["HOST_COUNT", "FLEET_PERCENT"];

    /// The values of `MinimumHealthyHostsType`.
    pub const MINIMUM_HEALTHY_HOSTS_TYPE: &[&str] = &["HOST_COUNT", "FLEET_PERCENT"];

    /// The values of `OutdatedInstancesStrategy`.
    pub const OUTDATED_INSTANCES_STRATEGY: &[&str] = &["UPDATE", "IGNORE"];

    /// The values of `RegistrationStatus`.
    pub const REGISTRATION_STATUS: &[&str] = &["Registered", "Deregistered"];

    /// The values of `RevisionLocationType`.
    pub const REVISION_LOCATION_TYPE: &[&str] = &["S3", "GitHub", "String", "AppSpecContent"];

    /// The values of `SortOrder`.
    pub const SORT_ORDER: &[&str] = &["ascending", "descending"];

    /// The values of `StopStatus`.
    pub const STOP_STATUS: &[&str] = &["Pending", "Succeeded"];

    /// The values of `TagFilterType`.
    pub const TAG_FILTER_TYPE: &[&str] = &["KEY_ONLY", "VALUE_ONLY", "KEY_AND_VALUE"];

    /// The values of `TargetFilterName`.
    pub const TARGET_FILTER_NAME: &[&str] = &["TargetStatus", "ServerInstanceLabel"];

    /// The values of `TargetLabel`.
    pub const TARGET_LABEL: &[&str] = &["Blue", "Green"];

    /// The values of `TargetStatus`.
    pub const TARGET_STATUS: &[&str] =
        &["Pending", "InProgress", "Succeeded", "Failed", "Skipped", "Unknown", "Ready"];

    /// The values of `TrafficRoutingType`.
    pub const TRAFFIC_ROUTING_TYPE: &[&str] = &["TimeBasedCanary", "TimeBasedLinear", "AllAtOnce"];

    /// The values of `TriggerEventType`.
    pub const TRIGGER_EVENT_TYPE: &[&str] = &[
        "DeploymentStart",
        "DeploymentSuccess",
        "DeploymentFailure",
        "DeploymentStop",
        "DeploymentRollback",
        "DeploymentReady",
        "InstanceStart",
        "InstanceSuccess",
        "InstanceFailure",
        "InstanceReady",
    ];
}
