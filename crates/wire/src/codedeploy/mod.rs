//! The public API of CodeDeploy, version 2014-10-06: 47 operations with their inputs, outputs and permitted values.
//!
//! Every member is optional here, required ones too: what is missing is told by [`crate::Validate`], with the error
//! that the service has for it. Enumerations are strings for the same reason.

mod generated;

pub use generated::*;

impl Operation {
    /// The operation that an `X-Amz-Target` header names, such as `CodeDeploy_20141006.GetDeployment`.
    ///
    /// Nothing for another service's target or a name this service does not have.
    pub fn from_target(target: &str) -> Option<Self> {
        let (prefix, name) = target.split_once('.')?;
        (prefix == TARGET_PREFIX).then(|| Self::from_name(name)).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ErrorCode, Validate};

    fn refused<I: Validate>(input: &I) -> (ErrorCode, String) {
        let error = input.validate().expect_err("the input is not valid");
        (error.code, error.message)
    }

    #[test]
    fn a_target_names_an_operation_of_this_service_only() {
        assert_eq!(Operation::ALL.len(), 47);
        for operation in Operation::ALL {
            let target = format!("CodeDeploy_20141006.{}", operation.name());
            assert_eq!(Operation::from_target(&target), Some(*operation));
        }
        assert_eq!(Operation::from_target("CodeDeploy_20141006.Nope"), None);
        assert_eq!(Operation::from_target("CodeDeploy_20150101.GetDeployment"), None);
        assert_eq!(Operation::from_target("GetDeployment"), None);
    }

    #[test]
    fn what_is_missing_has_an_error_of_its_own() {
        let (code, message) = refused(&CreateDeploymentGroupInput::default());
        assert_eq!(code, ErrorCode::ApplicationNameRequired);
        assert!(message.contains("'applicationName'"), "{message}");
        assert_eq!(refused(&ContinueDeploymentInput::default()).0, ErrorCode::DeploymentIdRequired);
        let empty =
            CreateApplicationInput { application_name: Some(String::new()), ..Default::default() };
        assert_eq!(refused(&empty).0, ErrorCode::ApplicationNameRequired);
        let no_names = BatchGetApplicationsInput { application_names: Some(vec![]) };
        assert_eq!(refused(&no_names).0, ErrorCode::ApplicationNameRequired);
    }

    #[test]
    fn names_have_a_length_and_an_alphabet() {
        let named = |name: String| CreateApplicationInput {
            application_name: Some(name),
            ..Default::default()
        };
        assert_eq!(named("a.B+9=,@_-".repeat(10)).validate(), Ok(()));
        let (code, message) = refused(&named("a".repeat(101)));
        assert_eq!(code, ErrorCode::InvalidApplicationName);
        assert!(
            message.ends_with("Member must have length less than or equal to 100"),
            "{message}"
        );
        let (code, message) = refused(&named("has blank".into()));
        assert_eq!(code, ErrorCode::InvalidApplicationName);
        assert!(message.contains("Value 'has blank' at 'applicationName'"), "{message}");
    }

    #[test]
    fn enumerations_are_checked_wherever_they_are() {
        let revision = RevisionLocation {
            revision_type: Some("S3".into()),
            s3_location: Some(S3Location { bundle_type: Some("rar".into()), ..Default::default() }),
            ..Default::default()
        };
        let input = RegisterApplicationRevisionInput {
            application_name: Some("Shop".into()),
            revision: Some(revision),
            ..Default::default()
        };
        let (code, message) = refused(&input);
        assert_eq!(code, ErrorCode::InvalidRevision);
        assert!(message.contains("'rar' at 'revision.s3Location.bundleType'"), "{message}");
        assert!(message.ends_with("enum value set: [tar, tgz, zip, YAML, JSON]"), "{message}");
    }

    #[test]
    fn elements_of_lists_and_keys_of_maps_are_named_by_their_place() {
        let input = ListDeploymentsInput {
            include_only_statuses: Some(vec!["Created".into(), "Gone".into()]),
            ..Default::default()
        };
        let (code, message) = refused(&input);
        assert_eq!(code, ErrorCode::InvalidDeploymentStatus);
        assert!(message.contains("'includeOnlyStatuses.2.member'"), "{message}");
        let input = ListDeploymentTargetsInput {
            deployment_id: Some("d-1".into()),
            target_filters: Some([("Nope".to_owned(), vec![])].into()),
            ..Default::default()
        };
        assert_eq!(refused(&input).0, ErrorCode::InvalidTargetFilterName);
    }

    #[test]
    fn a_limit_without_an_error_of_its_own_is_a_validation_error() {
        let input = UpdateDeploymentGroupInput {
            application_name: Some("Shop".into()),
            current_deployment_group_name: Some("Prod".into()),
            outdated_instances_strategy: Some("MAYBE".into()),
            ..Default::default()
        };
        let (code, message) = refused(&input);
        assert_eq!(code, ErrorCode::Validation);
        assert_eq!(
            message,
            "1 validation error detected: Value 'MAYBE' at 'outdatedInstancesStrategy' failed to satisfy \
             constraint: Member must satisfy enum value set: [UPDATE, IGNORE]"
        );
    }
}
