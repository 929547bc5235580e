//! The command service through which agents fetch host commands and report them: five operations, and
//! two of longshore's own, with which `longshore-agent` tells what hooks print (`PutHostCommandOutput`) and what an Install would
//! do (`PutHostPlan`).
//!
//! Agents reach it under two target prefixes, which mean the same. Source: the command model of the official agent.

mod generated;

pub use generated::*;

/// The target prefix of agents that run with `enable_auth_policy`.
pub const TARGET_PREFIX_SECURE: &str = "CodeDeployCommandService";

/// The signing name of the command service.
pub const SIGNING_NAME: &str = "codedeploy-commands";

/// The signing name of agents that run with `enable_auth_policy`.
pub const SIGNING_NAME_SECURE: &str = "codedeploy-commands-secure";

/// The header in which an agent says its version on every call.
pub const AGENT_VERSION_HEADER: &str = "x-amz-codedeploy-agent-version";

/// The header by which an agent says on its polls that it can be told of deployments that may be made. An extension.
pub const AGENT_PLANS_HEADER: &str = "x-longshore-agent-plans";

/// The format of a signed deployment specification: PEM text labelled `PKCS7` around the JSON.
pub const FORMAT_PKCS7_JSON: &str = "PKCS7/JSON";

impl Operation {
    /// The operation that an `X-Amz-Target` header names, with either of the two prefixes.
    ///
    /// Nothing for another service's target or a name this service does not have.
    pub fn from_target(target: &str) -> Option<Self> {
        let (prefix, name) = target.split_once('.')?;
        let ours = prefix == TARGET_PREFIX || prefix == TARGET_PREFIX_SECURE;
        ours.then(|| Self::from_name(name)).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ErrorCode, Validate};

    #[test]
    fn both_prefixes_name_the_same_operations() {
        for target in [
            "CodeDeployCommandService_v20141006.PollHostCommand",
            "CodeDeployCommandService.PollHostCommand",
        ] {
            assert_eq!(Operation::from_target(target), Some(Operation::PollHostCommand));
        }
        assert_eq!(Operation::from_target("CodeDeploy_20141006.PollHostCommand"), None);
        assert_eq!(Operation::ALL.len(), 7);
    }

    #[test]
    fn a_bad_command_status_is_a_client_exception() {
        let mut input = PutHostCommandCompleteInput {
            host_command_identifier: Some("hc-1".into()),
            command_status: Some("Done".into()),
            diagnostics: None,
        };
        assert_eq!(input.validate().expect_err("bad status").code, ErrorCode::Client);
        input.command_status = Some("Succeeded".into());
        assert_eq!(input.validate(), Ok(()));
        input.host_command_identifier = None;
        assert_eq!(input.validate().expect_err("no identifier").code, ErrorCode::Client);
    }

    #[test]
    fn a_long_report_is_still_a_report() {
        let diagnostics = Envelope { format: Some("JSON".into()), payload: Some("x".repeat(9000)) };
        let input = PutHostCommandCompleteInput {
            host_command_identifier: Some("hc-1".into()),
            command_status: Some("Failed".into()),
            diagnostics: Some(diagnostics),
        };
        assert_eq!(input.validate(), Ok(()));
    }

    #[test]
    fn an_execution_id_has_four_segments() {
        let with_id = |id: &str| GetDeploymentSpecificationInput {
            deployment_execution_id: Some(id.into()),
            host_identifier: Some("arn:aws:ec2:us-east-1:123456789012:instance/i-1".into()),
        };
        assert_eq!(with_id("CodeDeploy/us-east-1/Prod/arn:x:deployment/d-1").validate(), Ok(()));
        assert!(with_id("CodeDeploy/us-east-1/Prod/").validate().is_err());
        assert!(with_id("CodeDeploy//Prod/d-1").validate().is_err());
        assert!(with_id("d-1").validate().is_err());
    }
}
