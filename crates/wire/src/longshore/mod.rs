//! Longshore's own service beside CodeDeploy: what CodeDeploy's API has no words for.
//!
//! Its model is ours, `models/longshore.json`; as elsewhere, every member is optional here and what is missing is told by
//! [`crate::Validate`].

mod generated;

pub use generated::*;

/// The signing names that are accepted: its own, and CodeDeploy's, whose clients have a signer for that already.
pub const SIGNING_NAMES: [&str; 2] = ["longshore", "codedeploy"];

/// What comes before the colon in the IAM actions of its operations, such as `longshore:GetHookOutput`.
pub const ACTION_PREFIX: &str = "longshore";

/// The version of the service, by which botocore's data directories are named.
pub const API_VERSION: &str = "2026-11-24";

/// The model in the form of a botocore data file: with it in `longshore/2026-11-24/service-2.json` of a directory of
/// models, boto3 and the `aws` CLI know the service.
pub const BOTOCORE_MODEL: &str = include_str!("service-2.json");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ErrorCode, Validate};

    #[test]
    fn the_published_model_names_every_operation_and_the_version() {
        let model: serde_json::Value = serde_json::from_str(BOTOCORE_MODEL).expect("JSON");
        assert_eq!(model["metadata"]["apiVersion"], API_VERSION);
        assert_eq!(model["metadata"]["targetPrefix"], TARGET_PREFIX);
        assert!(
            SIGNING_NAMES.contains(&model["metadata"]["signingName"].as_str().expect("a name"))
        );
        let operations = model["operations"].as_object().expect("operations");
        let names: Vec<&str> = Operation::ALL.iter().map(|operation| operation.name()).collect();
        assert_eq!(operations.keys().map(String::as_str).collect::<Vec<_>>(), names);
        for operation in operations.values() {
            assert!(
                model["shapes"]
                    .get(operation["input"]["shape"].as_str().expect("a shape"))
                    .is_some()
            );
            assert!(operation["documentation"].is_string(), "{operation} is not documented");
        }
    }

    #[test]
    fn a_wait_has_a_range() {
        let mut input = GetHookOutputInput {
            deployment_id: Some("d-75I7MBT7C".into()),
            wait_seconds: Some(20),
            ..Default::default()
        };
        assert_eq!(input.validate(), Ok(()));
        for wrong in [-1, 21] {
            input.wait_seconds = Some(wrong);
            let error = input.validate().expect_err("out of range");
            assert_eq!(error.code, ErrorCode::Validation);
            assert!(error.message.contains("'waitSeconds'"), "{}", error.message);
        }
        input.deployment_id = None;
        assert_eq!(input.validate().expect_err("no id").code, ErrorCode::DeploymentIdRequired);
    }
}
