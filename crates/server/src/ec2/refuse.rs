//! EC2's refusals. Source: EC2 API reference, "Error codes".

use crate::forms::{ApiError, BadParameter};
use crate::iam::AuthorizeError;

pub(super) fn missing(parameter: &str) -> ApiError {
    let message = format!("The request must contain the parameter {parameter}");
    ApiError::client("MissingParameter", message)
}

pub(super) fn invalid_value(message: impl Into<String>) -> ApiError {
    ApiError::client("InvalidParameterValue", message)
}

pub(super) fn invalid_combination(message: impl Into<String>) -> ApiError {
    ApiError::client("InvalidParameterCombination", message)
}

/// For `map_err` on a parameter that does not parse.
pub(super) fn bad(error: BadParameter) -> ApiError {
    let BadParameter { name, value, expected } = error;
    invalid_value(format!("Value ({value}) for parameter {name} is invalid. Expected {expected}."))
}

pub(super) fn malformed_instance(id: &str) -> ApiError {
    ApiError::client("InvalidInstanceID.Malformed", format!("Invalid id: \"{id}\""))
}

/// `ids` are those that were not found.
pub(super) fn no_instances(ids: &[&str]) -> ApiError {
    let message = match ids {
        [only] => format!("The instance ID '{only}' does not exist"),
        many => format!("The instance IDs '{}' do not exist", many.join(", ")),
    };
    ApiError::client("InvalidInstanceID.NotFound", message)
}

pub(super) fn no_image(id: &str) -> ApiError {
    ApiError::client("InvalidAMIID.NotFound", format!("The image id '[{id}]' does not exist"))
}

pub(super) fn no_key_pair(name: &str) -> ApiError {
    let message = format!("The key pair '{name}' does not exist");
    ApiError::client("InvalidKeyPair.NotFound", message)
}

pub(super) fn no_group(name: &str) -> ApiError {
    let message = format!("The security group '{name}' does not exist");
    ApiError::client("InvalidGroup.NotFound", message)
}

pub(super) fn dry_run() -> ApiError {
    let message = "Request would have succeeded, but DryRun flag is set.";
    ApiError::new(412, "DryRunOperation", message)
}

/// Somebody else changed the same thing again and again.
pub(super) fn concurrent() -> ApiError {
    let message = "The resource was changed at the same time. Try again.";
    ApiError::client("ConcurrentModification", message)
}

pub(super) fn denied(error: AuthorizeError) -> ApiError {
    match error {
        AuthorizeError::Denied(denied) => {
            let message = format!("You are not authorized to perform this operation. {denied}");
            ApiError::new(403, "UnauthorizedOperation", message)
        }
        AuthorizeError::Unknown(error) => ApiError::internal(error),
    }
}
