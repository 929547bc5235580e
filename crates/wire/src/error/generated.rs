// Written by `cargo xtask gen` from crates/wire/models: change those, not this.

/// The name of an error, as it goes over the wire.
///
/// Source: CodeDeploy API reference and its common errors; the agent's command model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// `AccessDeniedException`, status 400.
    AccessDenied,
    /// `AlarmSourceDoesNotExistException`, status 400.
    AlarmSourceDoesNotExist,
    /// `AlarmSourceLimitExceededException`, status 400.
    AlarmSourceLimitExceeded,
    /// `AlarmsLimitExceededException`, status 400.
    AlarmsLimitExceeded,
    /// `ApplicationAlreadyExistsException`, status 400.
    ApplicationAlreadyExists,
    /// `ApplicationDoesNotExistException`, status 400.
    ApplicationDoesNotExist,
    /// `ApplicationLimitExceededException`, status 400.
    ApplicationLimitExceeded,
    /// `ApplicationNameRequiredException`, status 400.
    ApplicationNameRequired,
    /// `ArnNotSupportedException`, status 400.
    ArnNotSupported,
    /// `BatchLimitExceededException`, status 400.
    BatchLimitExceeded,
    /// `BucketNameFilterRequiredException`, status 400.
    BucketNameFilterRequired,
    /// `ClientException`, status 400.
    Client,
    /// `DeploymentAlreadyCompletedException`, status 400.
    DeploymentAlreadyCompleted,
    /// `DeploymentAlreadyStartedException`, status 400.
    DeploymentAlreadyStarted,
    /// `DeploymentConfigAlreadyExistsException`, status 400.
    DeploymentConfigAlreadyExists,
    /// `DeploymentConfigDoesNotExistException`, status 400.
    DeploymentConfigDoesNotExist,
    /// `DeploymentConfigInUseException`, status 400.
    DeploymentConfigInUse,
    /// `DeploymentConfigLimitExceededException`, status 400.
    DeploymentConfigLimitExceeded,
    /// `DeploymentConfigNameRequiredException`, status 400.
    DeploymentConfigNameRequired,
    /// `DeploymentDoesNotExistException`, status 400.
    DeploymentDoesNotExist,
    /// `DeploymentGroupAlreadyExistsException`, status 400.
    DeploymentGroupAlreadyExists,
    /// `DeploymentGroupDoesNotExistException`, status 400.
    DeploymentGroupDoesNotExist,
    /// `DeploymentGroupLimitExceededException`, status 400.
    DeploymentGroupLimitExceeded,
    /// `DeploymentGroupNameRequiredException`, status 400.
    DeploymentGroupNameRequired,
    /// `DeploymentIdRequiredException`, status 400.
    DeploymentIdRequired,
    /// `DeploymentIsNotInReadyStateException`, status 400.
    DeploymentIsNotInReadyState,
    /// `DeploymentLimitExceededException`, status 400.
    DeploymentLimitExceeded,
    /// `DeploymentNotStartedException`, status 400.
    DeploymentNotStarted,
    /// `DeploymentTargetDoesNotExistException`, status 400.
    DeploymentTargetDoesNotExist,
    /// `DeploymentTargetIdRequiredException`, status 400.
    DeploymentTargetIdRequired,
    /// `DeploymentTargetListSizeExceededException`, status 400.
    DeploymentTargetListSizeExceeded,
    /// `DescriptionTooLongException`, status 400.
    DescriptionTooLong,
    /// `ECSServiceMappingLimitExceededException`, status 400.
    ECSServiceMappingLimitExceeded,
    /// `EventDestinationDoesNotExistException`, status 400.
    EventDestinationDoesNotExist,
    /// `EventDestinationLimitExceededException`, status 400.
    EventDestinationLimitExceeded,
    /// `ExpiredTokenException`, status 400.
    ExpiredToken,
    /// `GitHubAccountTokenDoesNotExistException`, status 400.
    GitHubAccountTokenDoesNotExist,
    /// `GitHubAccountTokenLimitExceededException`, status 400.
    GitHubAccountTokenLimitExceeded,
    /// `GitHubAccountTokenNameRequiredException`, status 400.
    GitHubAccountTokenNameRequired,
    /// `HostPlanDoesNotExistException`, status 400.
    HostPlanDoesNotExist,
    /// `IamArnRequiredException`, status 400.
    IamArnRequired,
    /// `IamSessionArnAlreadyRegisteredException`, status 400.
    IamSessionArnAlreadyRegistered,
    /// `IamUserArnAlreadyRegisteredException`, status 400.
    IamUserArnAlreadyRegistered,
    /// `IamUserArnRequiredException`, status 400.
    IamUserArnRequired,
    /// `IncompleteSignatureException`, status 400.
    IncompleteSignature,
    /// `InstanceDoesNotExistException`, status 400.
    InstanceDoesNotExist,
    /// `InstanceIdRequiredException`, status 400.
    InstanceIdRequired,
    /// `InstanceLimitExceededException`, status 400.
    InstanceLimitExceeded,
    /// `InstanceNameAlreadyRegisteredException`, status 400.
    InstanceNameAlreadyRegistered,
    /// `InstanceNameRequiredException`, status 400.
    InstanceNameRequired,
    /// `InstanceNotRegisteredException`, status 400.
    InstanceNotRegistered,
    /// `InternalFailure`, status 500.
    InternalFailure,
    /// `InvalidAlarmConfigException`, status 400.
    InvalidAlarmConfig,
    /// `InvalidAlarmSourceException`, status 400.
    InvalidAlarmSource,
    /// `InvalidApplicationNameException`, status 400.
    InvalidApplicationName,
    /// `InvalidArnException`, status 400.
    InvalidArn,
    /// `InvalidAutoRollbackConfigException`, status 400.
    InvalidAutoRollbackConfig,
    /// `InvalidAutoScalingGroupException`, status 400.
    InvalidAutoScalingGroup,
    /// `InvalidAutoScalingGroupProcessToSuspendException`, status 400.
    InvalidAutoScalingGroupProcessToSuspend,
    /// `InvalidBlueGreenDeploymentConfigurationException`, status 400.
    InvalidBlueGreenDeploymentConfiguration,
    /// `InvalidBucketNameFilterException`, status 400.
    InvalidBucketNameFilter,
    /// `InvalidComputePlatformException`, status 400.
    InvalidComputePlatform,
    /// `InvalidDeployedStateFilterException`, status 400.
    InvalidDeployedStateFilter,
    /// `InvalidDeploymentConfigNameException`, status 400.
    InvalidDeploymentConfigName,
    /// `InvalidDeploymentGroupNameException`, status 400.
    InvalidDeploymentGroupName,
    /// `InvalidDeploymentIdException`, status 400.
    InvalidDeploymentId,
    /// `InvalidDeploymentInstanceTypeException`, status 400.
    InvalidDeploymentInstanceType,
    /// `InvalidDeploymentStatusException`, status 400.
    InvalidDeploymentStatus,
    /// `InvalidDeploymentStyleException`, status 400.
    InvalidDeploymentStyle,
    /// `InvalidDeploymentTargetIdException`, status 400.
    InvalidDeploymentTargetId,
    /// `InvalidDeploymentWaitTypeException`, status 400.
    InvalidDeploymentWaitType,
    /// `InvalidEC2TagCombinationException`, status 400.
    InvalidEC2TagCombination,
    /// `InvalidEC2TagException`, status 400.
    InvalidEC2Tag,
    /// `InvalidECSServiceException`, status 400.
    InvalidECSService,
    /// `InvalidEventDestinationException`, status 400.
    InvalidEventDestination,
    /// `InvalidExternalIdException`, status 400.
    InvalidExternalId,
    /// `InvalidFileExistsBehaviorException`, status 400.
    InvalidFileExistsBehavior,
    /// `InvalidGitHubAccountTokenException`, status 400.
    InvalidGitHubAccountToken,
    /// `InvalidGitHubAccountTokenNameException`, status 400.
    InvalidGitHubAccountTokenName,
    /// `InvalidIamSessionArnException`, status 400.
    InvalidIamSessionArn,
    /// `InvalidIamUserArnException`, status 400.
    InvalidIamUserArn,
    /// `InvalidIgnoreApplicationStopFailuresValueException`, status 400.
    InvalidIgnoreApplicationStopFailuresValue,
    /// `InvalidInputException`, status 400.
    InvalidInput,
    /// `InvalidInstanceIdException`, status 400.
    InvalidInstanceId,
    /// `InvalidInstanceNameException`, status 400.
    InvalidInstanceName,
    /// `InvalidInstanceStatusException`, status 400.
    InvalidInstanceStatus,
    /// `InvalidInstanceTypeException`, status 400.
    InvalidInstanceType,
    /// `InvalidKeyPrefixFilterException`, status 400.
    InvalidKeyPrefixFilter,
    /// `InvalidLifecycleEventHookExecutionIdException`, status 400.
    InvalidLifecycleEventHookExecutionId,
    /// `InvalidLifecycleEventHookExecutionStatusException`, status 400.
    InvalidLifecycleEventHookExecutionStatus,
    /// `InvalidLifecycleEventNameException`, status 400.
    InvalidLifecycleEventName,
    /// `InvalidLoadBalancerInfoException`, status 400.
    InvalidLoadBalancerInfo,
    /// `InvalidMinimumHealthyHostValueException`, status 400.
    InvalidMinimumHealthyHostValue,
    /// `InvalidNextTokenException`, status 400.
    InvalidNextToken,
    /// `InvalidOnPremisesTagCombinationException`, status 400.
    InvalidOnPremisesTagCombination,
    /// `InvalidOperationException`, status 400.
    InvalidOperation,
    /// `InvalidRegistrationStatusException`, status 400.
    InvalidRegistrationStatus,
    /// `InvalidRevisionException`, status 400.
    InvalidRevision,
    /// `InvalidRoleException`, status 400.
    InvalidRole,
    /// `InvalidSignatureException`, status 400.
    InvalidSignature,
    /// `InvalidSortByException`, status 400.
    InvalidSortBy,
    /// `InvalidSortOrderException`, status 400.
    InvalidSortOrder,
    /// `InvalidTagException`, status 400.
    InvalidTag,
    /// `InvalidTagFilterException`, status 400.
    InvalidTagFilter,
    /// `InvalidTagsToAddException`, status 400.
    InvalidTagsToAdd,
    /// `InvalidTargetException`, status 400.
    InvalidTarget,
    /// `InvalidTargetFilterNameException`, status 400.
    InvalidTargetFilterName,
    /// `InvalidTargetGroupPairException`, status 400.
    InvalidTargetGroupPair,
    /// `InvalidTargetInstancesException`, status 400.
    InvalidTargetInstances,
    /// `InvalidTimeRangeException`, status 400.
    InvalidTimeRange,
    /// `InvalidTrafficRoutingConfigurationException`, status 400.
    InvalidTrafficRoutingConfiguration,
    /// `InvalidTriggerConfigException`, status 400.
    InvalidTriggerConfig,
    /// `InvalidUpdateOutdatedInstancesOnlyValueException`, status 400.
    InvalidUpdateOutdatedInstancesOnlyValue,
    /// `InvalidZonalDeploymentConfigurationException`, status 400.
    InvalidZonalDeploymentConfiguration,
    /// `LifecycleEventAlreadyCompletedException`, status 400.
    LifecycleEventAlreadyCompleted,
    /// `LifecycleHookLimitExceededException`, status 400.
    LifecycleHookLimitExceeded,
    /// `MissingAuthenticationTokenException`, status 400.
    MissingAuthenticationToken,
    /// `MultipleIamArnsProvidedException`, status 400.
    MultipleIamArnsProvided,
    /// `OperationNotSupportedException`, status 400.
    OperationNotSupported,
    /// `RequestEntityTooLargeException`, status 413.
    RequestEntityTooLarge,
    /// `ResourceArnRequiredException`, status 400.
    ResourceArnRequired,
    /// `ResourceValidationException`, status 400.
    ResourceValidation,
    /// `RevisionDoesNotExistException`, status 400.
    RevisionDoesNotExist,
    /// `RevisionRequiredException`, status 400.
    RevisionRequired,
    /// `RoleRequiredException`, status 400.
    RoleRequired,
    /// `SerializationException`, status 400.
    Serialization,
    /// `ServerException`, status 500.
    Server,
    /// `ServiceUnavailable`, status 503.
    ServiceUnavailable,
    /// `TagLimitExceededException`, status 400.
    TagLimitExceeded,
    /// `TagRequiredException`, status 400.
    TagRequired,
    /// `TagSetListLimitExceededException`, status 400.
    TagSetListLimitExceeded,
    /// `ThrottlingException`, status 400.
    Throttling,
    /// `TriggerTargetsLimitExceededException`, status 400.
    TriggerTargetsLimitExceeded,
    /// `UnknownOperationException`, status 400.
    UnknownOperation,
    /// `UnrecognizedClientException`, status 400.
    UnrecognizedClient,
    /// `UnsupportedActionForDeploymentTypeException`, status 400.
    UnsupportedActionForDeploymentType,
    /// `ValidationException`, status 400.
    Validation,
}

impl ErrorCode {
    /// Every error, in the order of their names.
    pub const ALL: &[Self] = &[
        Self::AccessDenied,
        Self::AlarmSourceDoesNotExist,
        Self::AlarmSourceLimitExceeded,
        Self::AlarmsLimitExceeded,
        Self::ApplicationAlreadyExists,
        Self::ApplicationDoesNotExist,
        Self::ApplicationLimitExceeded,
        Self::ApplicationNameRequired,
        Self::ArnNotSupported,
        Self::BatchLimitExceeded,
        Self::BucketNameFilterRequired,
        Self::Client,
        Self::DeploymentAlreadyCompleted,
        Self::DeploymentAlreadyStarted,
        Self::DeploymentConfigAlreadyExists,
        Self::DeploymentConfigDoesNotExist,
        Self::DeploymentConfigInUse,
        Self::DeploymentConfigLimitExceeded,
        Self::DeploymentConfigNameRequired,
        Self::DeploymentDoesNotExist,
        Self::DeploymentGroupAlreadyExists,
        Self::DeploymentGroupDoesNotExist,
        Self::DeploymentGroupLimitExceeded,
        Self::DeploymentGroupNameRequired,
        Self::DeploymentIdRequired,
        Self::DeploymentIsNotInReadyState,
        Self::DeploymentLimitExceeded,
        Self::DeploymentNotStarted,
        Self::DeploymentTargetDoesNotExist,
        Self::DeploymentTargetIdRequired,
        Self::DeploymentTargetListSizeExceeded,
        Self::DescriptionTooLong,
        Self::ECSServiceMappingLimitExceeded,
        Self::EventDestinationDoesNotExist,
        Self::EventDestinationLimitExceeded,
        Self::ExpiredToken,
        Self::GitHubAccountTokenDoesNotExist,
        Self::GitHubAccountTokenLimitExceeded,
        Self::GitHubAccountTokenNameRequired,
        Self::HostPlanDoesNotExist,
        Self::IamArnRequired,
        Self::IamSessionArnAlreadyRegistered,
        Self::IamUserArnAlreadyRegistered,
        Self::IamUserArnRequired,
        Self::IncompleteSignature,
        Self::InstanceDoesNotExist,
        Self::InstanceIdRequired,
        Self::InstanceLimitExceeded,
        Self::InstanceNameAlreadyRegistered,
        Self::InstanceNameRequired,
        Self::InstanceNotRegistered,
        Self::InternalFailure,
        Self::InvalidAlarmConfig,
        Self::InvalidAlarmSource,
        Self::InvalidApplicationName,
        Self::InvalidArn,
        Self::InvalidAutoRollbackConfig,
        Self::InvalidAutoScalingGroup,
        Self::InvalidAutoScalingGroupProcessToSuspend,
        Self::InvalidBlueGreenDeploymentConfiguration,
        Self::InvalidBucketNameFilter,
        Self::InvalidComputePlatform,
        Self::InvalidDeployedStateFilter,
        Self::InvalidDeploymentConfigName,
        Self::InvalidDeploymentGroupName,
        Self::InvalidDeploymentId,
        Self::InvalidDeploymentInstanceType,
        Self::InvalidDeploymentStatus,
        Self::InvalidDeploymentStyle,
        Self::InvalidDeploymentTargetId,
        Self::InvalidDeploymentWaitType,
        Self::InvalidEC2TagCombination,
        Self::InvalidEC2Tag,
        Self::InvalidECSService,
        Self::InvalidEventDestination,
        Self::InvalidExternalId,
        Self::InvalidFileExistsBehavior,
        Self::InvalidGitHubAccountToken,
        Self::InvalidGitHubAccountTokenName,
        Self::InvalidIamSessionArn,
        Self::InvalidIamUserArn,
        Self::InvalidIgnoreApplicationStopFailuresValue,
        Self::InvalidInput,
        Self::InvalidInstanceId,
        Self::InvalidInstanceName,
        Self::InvalidInstanceStatus,
        Self::InvalidInstanceType,
        Self::InvalidKeyPrefixFilter,
        Self::InvalidLifecycleEventHookExecutionId,
        Self::InvalidLifecycleEventHookExecutionStatus,
        Self::InvalidLifecycleEventName,
        Self::InvalidLoadBalancerInfo,
        Self::InvalidMinimumHealthyHostValue,
        Self::InvalidNextToken,
        Self::InvalidOnPremisesTagCombination,
        Self::InvalidOperation,
        Self::InvalidRegistrationStatus,
        Self::InvalidRevision,
        Self::InvalidRole,
        Self::InvalidSignature,
        Self::InvalidSortBy,
        Self::InvalidSortOrder,
        Self::InvalidTag,
        Self::InvalidTagFilter,
        Self::InvalidTagsToAdd,
        Self::InvalidTarget,
        Self::InvalidTargetFilterName,
        Self::InvalidTargetGroupPair,
        Self::InvalidTargetInstances,
        Self::InvalidTimeRange,
        Self::InvalidTrafficRoutingConfiguration,
        Self::InvalidTriggerConfig,
        Self::InvalidUpdateOutdatedInstancesOnlyValue,
        Self::InvalidZonalDeploymentConfiguration,
        Self::LifecycleEventAlreadyCompleted,
        Self::LifecycleHookLimitExceeded,
        Self::MissingAuthenticationToken,
        Self::MultipleIamArnsProvided,
        Self::OperationNotSupported,
        Self::RequestEntityTooLarge,
        Self::ResourceArnRequired,
        Self::ResourceValidation,
        Self::RevisionDoesNotExist,
        Self::RevisionRequired,
        Self::RoleRequired,
        Self::Serialization,
        Self::Server,
        Self::ServiceUnavailable,
        Self::TagLimitExceeded,
        Self::TagRequired,
        Self::TagSetListLimitExceeded,
        Self::Throttling,
        Self::TriggerTargetsLimitExceeded,
        Self::UnknownOperation,
        Self::UnrecognizedClient,
        Self::UnsupportedActionForDeploymentType,
        Self::Validation,
    ];

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AccessDenied => "AccessDeniedException",
            Self::AlarmSourceDoesNotExist => "AlarmSourceDoesNotExistException",
            Self::AlarmSourceLimitExceeded => "AlarmSourceLimitExceededException",
            Self::AlarmsLimitExceeded => "AlarmsLimitExceededException",
            Self::ApplicationAlreadyExists => "ApplicationAlreadyExistsException",
            Self::ApplicationDoesNotExist => "ApplicationDoesNotExistException",
            Self::ApplicationLimitExceeded => "ApplicationLimitExceededException",
            Self::ApplicationNameRequired => "ApplicationNameRequiredException",
            Self::ArnNotSupported => "ArnNotSupportedException",
            Self::BatchLimitExceeded => "BatchLimitExceededException",
            Self::BucketNameFilterRequired => "BucketNameFilterRequiredException",
            Self::Client => "ClientException",
            Self::DeploymentAlreadyCompleted => "DeploymentAlreadyCompletedException",
            Self::DeploymentAlreadyStarted => "DeploymentAlreadyStartedException",
            Self::DeploymentConfigAlreadyExists => "DeploymentConfigAlreadyExistsException",
            Self::DeploymentConfigDoesNotExist => "DeploymentConfigDoesNotExistException",
            Self::DeploymentConfigInUse => "DeploymentConfigInUseException",
            Self::DeploymentConfigLimitExceeded => "DeploymentConfigLimitExceededException",
            Self::DeploymentConfigNameRequired => "DeploymentConfigNameRequiredException",
            Self::DeploymentDoesNotExist => "DeploymentDoesNotExistException",
            Self::DeploymentGroupAlreadyExists => "DeploymentGroupAlreadyExistsException",
            Self::DeploymentGroupDoesNotExist => "DeploymentGroupDoesNotExistException",
            Self::DeploymentGroupLimitExceeded => "DeploymentGroupLimitExceededException",
            Self::DeploymentGroupNameRequired => "DeploymentGroupNameRequiredException",
            Self::DeploymentIdRequired => "DeploymentIdRequiredException",
            Self::DeploymentIsNotInReadyState => "DeploymentIsNotInReadyStateException",
            Self::DeploymentLimitExceeded => "DeploymentLimitExceededException",
            Self::DeploymentNotStarted => "DeploymentNotStartedException",
            Self::DeploymentTargetDoesNotExist => "DeploymentTargetDoesNotExistException",
            Self::DeploymentTargetIdRequired => "DeploymentTargetIdRequiredException",
            Self::DeploymentTargetListSizeExceeded => "DeploymentTargetListSizeExceededException",
            Self::DescriptionTooLong => "DescriptionTooLongException",
            Self::ECSServiceMappingLimitExceeded => "ECSServiceMappingLimitExceededException",
            Self::EventDestinationDoesNotExist => "EventDestinationDoesNotExistException",
            Self::EventDestinationLimitExceeded => "EventDestinationLimitExceededException",
            Self::ExpiredToken => "ExpiredTokenException",
            Self::GitHubAccountTokenDoesNotExist => "GitHubAccountTokenDoesNotExistException",
            Self::GitHubAccountTokenLimitExceeded => "GitHubAccountTokenLimitExceededException",
            Self::GitHubAccountTokenNameRequired => "GitHubAccountTokenNameRequiredException",
            Self::HostPlanDoesNotExist => "HostPlanDoesNotExistException",
            Self::IamArnRequired => "IamArnRequiredException",
            Self::IamSessionArnAlreadyRegistered => "IamSessionArnAlreadyRegisteredException",
            Self::IamUserArnAlreadyRegistered => "IamUserArnAlreadyRegisteredException",
            Self::IamUserArnRequired => "IamUserArnRequiredException",
            Self::IncompleteSignature => "IncompleteSignatureException",
            Self::InstanceDoesNotExist => "InstanceDoesNotExistException",
            Self::InstanceIdRequired => "InstanceIdRequiredException",
            Self::InstanceLimitExceeded => "InstanceLimitExceededException",
            Self::InstanceNameAlreadyRegistered => "InstanceNameAlreadyRegisteredException",
            Self::InstanceNameRequired => "InstanceNameRequiredException",
            Self::InstanceNotRegistered => "InstanceNotRegisteredException",
            Self::InternalFailure => "InternalFailure",
            Self::InvalidAlarmConfig => "InvalidAlarmConfigException",
            Self::InvalidAlarmSource => "InvalidAlarmSourceException",
            Self::InvalidApplicationName => "InvalidApplicationNameException",
            Self::InvalidArn => "InvalidArnException",
            Self::InvalidAutoRollbackConfig => "InvalidAutoRollbackConfigException",
            Self::InvalidAutoScalingGroup => "InvalidAutoScalingGroupException",
            Self::InvalidAutoScalingGroupProcessToSuspend => {
                "InvalidAutoScalingGroupProcessToSuspendException"
            }
            Self::InvalidBlueGreenDeploymentConfiguration => {
                "InvalidBlueGreenDeploymentConfigurationException"
            }
            Self::InvalidBucketNameFilter => "InvalidBucketNameFilterException",
            Self::InvalidComputePlatform => "InvalidComputePlatformException",
            Self::InvalidDeployedStateFilter => "InvalidDeployedStateFilterException",
            Self::InvalidDeploymentConfigName => "InvalidDeploymentConfigNameException",
            Self::InvalidDeploymentGroupName => "InvalidDeploymentGroupNameException",
            Self::InvalidDeploymentId => "InvalidDeploymentIdException",
            Self::InvalidDeploymentInstanceType => "InvalidDeploymentInstanceTypeException",
            Self::InvalidDeploymentStatus => "InvalidDeploymentStatusException",
            Self::InvalidDeploymentStyle => "InvalidDeploymentStyleException",
            Self::InvalidDeploymentTargetId => "InvalidDeploymentTargetIdException",
            Self::InvalidDeploymentWaitType => "InvalidDeploymentWaitTypeException",
            Self::InvalidEC2TagCombination => "InvalidEC2TagCombinationException",
            Self::InvalidEC2Tag => "InvalidEC2TagException",
            Self::InvalidECSService => "InvalidECSServiceException",
            Self::InvalidEventDestination => "InvalidEventDestinationException",
            Self::InvalidExternalId => "InvalidExternalIdException",
            Self::InvalidFileExistsBehavior => "InvalidFileExistsBehaviorException",
            Self::InvalidGitHubAccountToken => "InvalidGitHubAccountTokenException",
            Self::InvalidGitHubAccountTokenName => "InvalidGitHubAccountTokenNameException",
            Self::InvalidIamSessionArn => "InvalidIamSessionArnException",
            Self::InvalidIamUserArn => "InvalidIamUserArnException",
            Self::InvalidIgnoreApplicationStopFailuresValue => {
                "InvalidIgnoreApplicationStopFailuresValueException"
            }
            Self::InvalidInput => "InvalidInputException",
            Self::InvalidInstanceId => "InvalidInstanceIdException",
            Self::InvalidInstanceName => "InvalidInstanceNameException",
            Self::InvalidInstanceStatus => "InvalidInstanceStatusException",
            Self::InvalidInstanceType => "InvalidInstanceTypeException",
            Self::InvalidKeyPrefixFilter => "InvalidKeyPrefixFilterException",
            Self::InvalidLifecycleEventHookExecutionId => {
                "InvalidLifecycleEventHookExecutionIdException"
            }
            Self::InvalidLifecycleEventHookExecutionStatus => {
                "InvalidLifecycleEventHookExecutionStatusException"
            }
            Self::InvalidLifecycleEventName => "InvalidLifecycleEventNameException",
            Self::InvalidLoadBalancerInfo => "InvalidLoadBalancerInfoException",
            Self::InvalidMinimumHealthyHostValue => "InvalidMinimumHealthyHostValueException",
            Self::InvalidNextToken => "InvalidNextTokenException",
            Self::InvalidOnPremisesTagCombination => "InvalidOnPremisesTagCombinationException",
            Self::InvalidOperation => "InvalidOperationException",
            Self::InvalidRegistrationStatus => "InvalidRegistrationStatusException",
            Self::InvalidRevision => "InvalidRevisionException",
            Self::InvalidRole => "InvalidRoleException",
            Self::InvalidSignature => "InvalidSignatureException",
            Self::InvalidSortBy => "InvalidSortByException",
            Self::InvalidSortOrder => "InvalidSortOrderException",
            Self::InvalidTag => "InvalidTagException",
            Self::InvalidTagFilter => "InvalidTagFilterException",
            Self::InvalidTagsToAdd => "InvalidTagsToAddException",
            Self::InvalidTarget => "InvalidTargetException",
            Self::InvalidTargetFilterName => "InvalidTargetFilterNameException",
            Self::InvalidTargetGroupPair => "InvalidTargetGroupPairException",
            Self::InvalidTargetInstances => "InvalidTargetInstancesException",
            Self::InvalidTimeRange => "InvalidTimeRangeException",
            Self::InvalidTrafficRoutingConfiguration => {
                "InvalidTrafficRoutingConfigurationException"
            }
            Self::InvalidTriggerConfig => "InvalidTriggerConfigException",
            Self::InvalidUpdateOutdatedInstancesOnlyValue => {
                "InvalidUpdateOutdatedInstancesOnlyValueException"
            }
            Self::InvalidZonalDeploymentConfiguration => {
                "InvalidZonalDeploymentConfigurationException"
            }
            Self::LifecycleEventAlreadyCompleted => "LifecycleEventAlreadyCompletedException",
            Self::LifecycleHookLimitExceeded => "LifecycleHookLimitExceededException",
            Self::MissingAuthenticationToken => "MissingAuthenticationTokenException",
            Self::MultipleIamArnsProvided => "MultipleIamArnsProvidedException",
            Self::OperationNotSupported => "OperationNotSupportedException",
            Self::RequestEntityTooLarge => "RequestEntityTooLargeException",
            Self::ResourceArnRequired => "ResourceArnRequiredException",
            Self::ResourceValidation => "ResourceValidationException",
            Self::RevisionDoesNotExist => "RevisionDoesNotExistException",
            Self::RevisionRequired => "RevisionRequiredException",
            Self::RoleRequired => "RoleRequiredException",
            Self::Serialization => "SerializationException",
            Self::Server => "ServerException",
            Self::ServiceUnavailable => "ServiceUnavailable",
            Self::TagLimitExceeded => "TagLimitExceededException",
            Self::TagRequired => "TagRequiredException",
            Self::TagSetListLimitExceeded => "TagSetListLimitExceededException",
            Self::Throttling => "ThrottlingException",
            Self::TriggerTargetsLimitExceeded => "TriggerTargetsLimitExceededException",
            Self::UnknownOperation => "UnknownOperationException",
            Self::UnrecognizedClient => "UnrecognizedClientException",
            Self::UnsupportedActionForDeploymentType => {
                "UnsupportedActionForDeploymentTypeException"
            }
            Self::Validation => "ValidationException",
        }
    }

    /// The HTTP status that carries it.
    pub const fn status(self) -> u16 {
        match self {
            Self::InternalFailure => 500,
            Self::RequestEntityTooLarge => 413,
            Self::Server => 500,
            Self::ServiceUnavailable => 503,
            _ => 400,
        }
    }
}
