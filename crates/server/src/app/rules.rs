//! Rules of inputs that the model of the API does not state: formats of ARNs, descriptions, limits of batches.

use wire::{ErrorCode, ServiceError};

/// The longest description, in characters. Source: CodeDeploy user guide, "Limits".
const DESCRIPTION_MAX: usize = 256;

/// A member that the model requires; validation has found it, unless the edge forgot to validate.
pub fn required(value: Option<String>, missing: ErrorCode) -> Result<String, ServiceError> {
    value.filter(|value| !value.is_empty()).ok_or_else(|| {
        // The error is named after the member: `DeploymentGroupNameRequiredException`.
        let member = missing.name().trim_end_matches("RequiredException");
        let (first, rest) = member.split_at_checked(1).unwrap_or_default();
        let member = format!("{}{rest}", first.to_ascii_lowercase());
        ServiceError::new(missing, format!("The {member} is required and was not given"))
    })
}

/// Whether a description is short enough.
pub fn description(description: Option<&str>) -> Result<(), ServiceError> {
    let length = description.map_or(0, |description| description.chars().count());
    if length <= DESCRIPTION_MAX {
        return Ok(());
    }
    Err(ServiceError::new(
        ErrorCode::DescriptionTooLong,
        format!("The description has {length} characters; at most {DESCRIPTION_MAX} are allowed"),
    ))
}

/// Whether a batch asks for few enough things.
pub fn batch(asked: usize, most: usize) -> Result<(), ServiceError> {
    if asked <= most {
        return Ok(());
    }
    Err(ServiceError::new(
        ErrorCode::BatchLimitExceeded,
        format!("The request asks for {asked} things; at most {most} are allowed in a batch"),
    ))
}

/// What a batch says of the things that it did not find, in one text.
pub fn messages(errors: impl Iterator<Item = ServiceError>) -> String {
    errors.map(|error| error.message).collect::<Vec<_>>().join("; ")
}

/// Whether this looks like the ARN of a role. The account is not checked: the user guide's own examples have a
/// placeholder there. Nor is it looked up: nothing here acts in the role.
pub fn service_role(arn: &str) -> Result<(), ServiceError> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let fits = matches!(parts.as_slice(), ["arn", partition, "iam", "", account, resource]
        if partition.starts_with("aws")
            && !account.is_empty()
            && resource.strip_prefix("role/").is_some_and(|name| !name.is_empty()));
    if fits {
        return Ok(());
    }
    Err(ServiceError::new(ErrorCode::InvalidRole, "Cannot assume role provided."))
}

/// Whether this is the ARN of a user to whom an on-premises instance may be bound.
/// Source: CodeDeploy user guide, "Register an on-premises instance".
pub fn user_arn(arn: &str) -> Result<(), ServiceError> {
    let fits = arn.strip_prefix("arn:aws:iam::").and_then(|rest| rest.split_once(":user/"));
    if fits.is_some_and(|(account, name)| is_account(account) && is_iam_name(name, "/")) {
        return Ok(());
    }
    Err(ServiceError::new(
        ErrorCode::InvalidIamUserArn,
        format!("Iam User ARN {arn} is not in a valid format"),
    ))
}

/// Whether this is the ARN of a role's session to which an on-premises instance may be bound.
pub fn session_arn(arn: &str) -> Result<(), ServiceError> {
    let fits = arn.strip_prefix("arn:aws:sts::").and_then(|rest| rest.split_once(":assumed-role/"));
    let named = |names: &str| {
        names
            .split_once('/')
            .is_some_and(|(role, session)| is_iam_name(role, "") && is_iam_name(session, ""))
    };
    if fits.is_some_and(|(account, names)| is_account(account) && named(names)) {
        return Ok(());
    }
    Err(ServiceError::new(
        ErrorCode::InvalidIamSessionArn,
        format!("Iam Session ARN {arn} is not in a valid format"),
    ))
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_iam_name(text: &str, also: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c) || also.contains(c))
}

/// Whether a host may be called so: an EC2 instance by its id, one on premises by its name.
pub fn host_name(name: &str) -> bool {
    (1..=100).contains(&name.chars().count())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c))
}

/// Whether this may name an on-premises instance.
pub fn on_premises_name(name: &str) -> Result<(), ServiceError> {
    if host_name(name) && !name.starts_with("i-") {
        return Ok(());
    }
    let shown: String = name.chars().take(120).collect();
    Err(ServiceError::new(
        ErrorCode::InvalidInstanceName,
        format!(
            "The on-premises instance name '{shown}' is not valid: it has 1 to 100 letters, digits or + = , . @ _ - \
             and does not begin with i-"
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_required_is_named() {
        let missing = required(None, ErrorCode::DeploymentGroupNameRequired).unwrap_err();
        assert_eq!(missing.message, "The deploymentGroupName is required and was not given");
        assert!(required(Some(String::new()), ErrorCode::ApplicationNameRequired).is_err());
    }

    #[test]
    fn role_arns_are_checked_by_shape_only() {
        assert!(service_role("arn:aws:iam::EXAMPLE:role/CodeDeploy").is_ok());
        assert!(service_role("arn:aws-cn:iam::123456789012:role/path/CodeDeploy").is_ok());
        for wrong in
            ["CodeDeploy", "arn:aws:iam::1:user/x", "arn:aws:iam::1:role/", "arn:aws:s3:::b"]
        {
            assert_eq!(service_role(wrong).unwrap_err().code, ErrorCode::InvalidRole, "{wrong}");
        }
    }

    #[test]
    fn identities_of_on_premises_instances_have_a_form() {
        assert!(user_arn("arn:aws:iam::123456789012:user/AWS/CodeDeploy/web-01").is_ok());
        assert!(user_arn("arn:aws:iam::12:user/web").is_err());
        assert!(user_arn("arn:aws:iam::123456789012:role/web").is_err());
        assert!(session_arn("arn:aws:sts::123456789012:assumed-role/Web/host-1").is_ok());
        assert!(session_arn("arn:aws:sts::123456789012:assumed-role/Web").is_err());
        assert!(on_premises_name("web-01").is_ok());
        assert!(on_premises_name("i-1").is_err());
        assert!(on_premises_name("a b").is_err());
        assert!(on_premises_name(&"a".repeat(101)).is_err());
    }

    #[test]
    fn descriptions_and_batches_have_limits() {
        assert!(description(Some(&"é".repeat(256))).is_ok());
        assert_eq!(
            description(Some(&"a".repeat(257))).unwrap_err().code,
            ErrorCode::DescriptionTooLong
        );
        assert!(batch(25, 25).is_ok());
        assert_eq!(batch(26, 25).unwrap_err().code, ErrorCode::BatchLimitExceeded);
    }
}
