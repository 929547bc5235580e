//! Which error a broken limit of an input gets: the part that no service model says.

use anyhow::bail;

use super::model::{Model, Operation, Shape, Text};

/// One line of an input's table of rules.
pub struct Rule {
    /// Member names joined by dots; `*` stands for every element of a list or every value of a map, `#` for every key.
    pub path: String,
    pub check: Check,
    /// The error's name, with its suffix.
    pub error: String,
}

pub enum Check {
    Required,
    OneOf(String),
    Length { shortest: u64, longest: u64 },
    Range { least: i64, most: i64 },
    Items { longest: u64 },
    NameCharacters,
    FourSegments,
}

/// Members and the error for their absence. Source: CodeDeploy API reference, the errors of each operation.
const REQUIRED: &[(&str, &str)] = &[
    ("ResourceArn", "ResourceArnRequiredException"),
    ("TagKeys", "TagRequiredException"),
    ("Tags", "TagRequiredException"),
    ("applicationName", "ApplicationNameRequiredException"),
    ("applicationNames", "ApplicationNameRequiredException"),
    ("currentDeploymentGroupName", "DeploymentGroupNameRequiredException"),
    ("deploymentConfigName", "DeploymentConfigNameRequiredException"),
    ("deploymentGroupName", "DeploymentGroupNameRequiredException"),
    ("deploymentGroupNames", "DeploymentGroupNameRequiredException"),
    ("deploymentId", "DeploymentIdRequiredException"),
    ("deploymentIds", "DeploymentIdRequiredException"),
    ("instanceId", "InstanceIdRequiredException"),
    ("instanceIds", "InstanceIdRequiredException"),
    ("instanceName", "InstanceNameRequiredException"),
    ("instanceNames", "InstanceNameRequiredException"),
    ("revision", "RevisionRequiredException"),
    ("revisions", "RevisionRequiredException"),
    ("serviceRoleArn", "RoleRequiredException"),
    ("tags", "TagRequiredException"),
    ("targetId", "DeploymentTargetIdRequiredException"),
    ("targetIds", "DeploymentTargetIdRequiredException"),
    ("tokenName", "GitHubAccountTokenNameRequiredException"),
];

/// Members that are required although the model does not say so: the operation declares the error for their
/// absence and cannot mean anything without them.
const REQUIRED_ALL_THE_SAME: &[(&str, &str)] = &[
    ("ContinueDeployment", "deploymentId"),
    ("DeleteGitHubAccountToken", "tokenName"),
    ("PutLifecycleEventHookExecutionStatus", "deploymentId"),
    ("SkipWaitTimeForInstanceTermination", "deploymentId"),
    ("UpdateApplication", "applicationName"),
];

/// Shapes and the errors for a bad value, best first: the first that the operation declares is taken.
const INVALID: &[(&str, &[&str])] = &[
    ("ApplicationName", &["InvalidApplicationNameException"]),
    ("ApplicationRevisionSortBy", &["InvalidSortByException"]),
    ("Arn", &["InvalidArnException"]),
    ("AutoRollbackEvent", &["InvalidAutoRollbackConfigException"]),
    ("AutoScalingGroupProcess", &["InvalidAutoScalingGroupProcessToSuspendException"]),
    (
        "AutoScalingGroupProcessesToSuspendList",
        &["InvalidAutoScalingGroupProcessToSuspendException"],
    ),
    ("BundleType", &["InvalidRevisionException"]),
    ("ComputePlatform", &["InvalidComputePlatformException"]),
    ("DeploymentConfigName", &["InvalidDeploymentConfigNameException"]),
    ("DeploymentGroupName", &["InvalidDeploymentGroupNameException"]),
    ("DeploymentOption", &["InvalidDeploymentStyleException"]),
    ("DeploymentReadyAction", &["InvalidBlueGreenDeploymentConfigurationException"]),
    ("DeploymentStatus", &["InvalidDeploymentStatusException"]),
    ("DeploymentType", &["InvalidDeploymentStyleException"]),
    ("DeploymentWaitType", &["InvalidDeploymentWaitTypeException"]),
    ("EC2TagFilterType", &["InvalidEC2TagException", "InvalidTargetInstancesException"]),
    ("FileExistsBehavior", &["InvalidFileExistsBehaviorException"]),
    ("GreenFleetProvisioningAction", &["InvalidBlueGreenDeploymentConfigurationException"]),
    ("InstanceAction", &["InvalidBlueGreenDeploymentConfigurationException"]),
    ("InstanceStatus", &["InvalidInstanceStatusException"]),
    ("InstanceType", &["InvalidInstanceTypeException"]),
    ("LifecycleEventStatus", &["InvalidLifecycleEventHookExecutionStatusException"]),
    ("ListStateFilterAction", &["InvalidDeployedStateFilterException"]),
    ("MinimumHealthyHostsPerZoneType", &["InvalidZonalDeploymentConfigurationException"]),
    ("MinimumHealthyHostsType", &["InvalidMinimumHealthyHostValueException"]),
    ("RegistrationStatus", &["InvalidRegistrationStatusException"]),
    ("RevisionLocationType", &["InvalidRevisionException"]),
    ("SortOrder", &["InvalidSortOrderException"]),
    ("TagFilterType", &["InvalidTagFilterException", "InvalidTagException"]),
    ("TargetFilterName", &["InvalidTargetFilterNameException"]),
    ("TrafficRoutingType", &["InvalidTrafficRoutingConfigurationException"]),
    ("TriggerEventType", &["InvalidTriggerConfigException"]),
];

/// Limits of the model that a server must not hold callers to. The agent's reports may be longer than the model
/// says; refusing one would leave its lifecycle event running until the deadline. (Envelopes sent the other
/// way are longer as a rule.)
const NOT_ENFORCED: &[&str] = &["Payload"];

/// All rules of one operation's input: what must be there, then what is in it.
pub fn rules(model: &Model, operation: &Operation) -> anyhow::Result<Vec<Rule>> {
    let mut all = required(model, operation);
    let mut limits = Vec::new();
    limits_of(model, operation, &operation.input, "", &mut limits)?;
    // Flat members first: a bad name is told before a bad detail of a structure.
    limits.sort_by_key(|rule| rule.path.contains('.'));
    all.extend(limits);
    Ok(all)
}

fn required(model: &Model, operation: &Operation) -> Vec<Rule> {
    let mut members = model.required(&operation.input);
    let more = REQUIRED_ALL_THE_SAME.iter().filter(|(name, _)| *name == operation.name);
    members.extend(more.map(|(_, member)| (*member).to_owned()));
    let mut rules: Vec<_> = members
        .into_iter()
        .map(|path| {
            let known = REQUIRED.iter().find(|(member, _)| *member == path);
            let error = declared(operation, known.map(|(_, error)| *error).as_slice());
            Rule { path, check: Check::Required, error }
        })
        .collect();
    // The service checks in the order in which it declares its errors.
    rules.sort_by_key(|rule| operation.errors.iter().position(|error| *error == rule.error));
    rules
}

fn limits_of(
    model: &Model,
    operation: &Operation,
    shape: &str,
    path: &str,
    rules: &mut Vec<Rule>,
) -> anyhow::Result<()> {
    match model.shape(shape)? {
        Shape::Structure(members) => {
            for member in members {
                let path = join(path, &member.name);
                limits_of(model, operation, &member.shape, &path, rules)?;
            }
        }
        Shape::List { of, longest } => {
            if let Some(longest) = longest {
                let (check, error) = (Check::Items { longest }, invalid(operation, shape));
                rules.push(Rule { path: path.to_owned(), check, error });
            }
            limits_of(model, operation, &of, &join(path, "*"), rules)?;
        }
        Shape::Map { key, value } => {
            limits_of(model, operation, &key, &join(path, "#"), rules)?;
            limits_of(model, operation, &value, &join(path, "*"), rules)?;
        }
        Shape::Text(_) if NOT_ENFORCED.contains(&shape) => {}
        Shape::Text(text) => {
            let error = invalid(operation, shape);
            for check in checks(shape, &text)? {
                rules.push(Rule { path: path.to_owned(), check, error: error.clone() });
            }
        }
        Shape::Integer { least: Some(least), most: Some(most) } => {
            let (check, error) = (Check::Range { least, most }, invalid(operation, shape));
            rules.push(Rule { path: path.to_owned(), check, error });
        }
        Shape::Integer { .. } | Shape::Double | Shape::Boolean | Shape::Time => {}
    }
    Ok(())
}

fn checks(shape: &str, text: &Text) -> anyhow::Result<Vec<Check>> {
    if !text.one_of.is_empty() {
        return Ok(vec![Check::OneOf(shape.to_owned())]);
    }
    let mut checks = Vec::new();
    if let Some(longest) = text.longest {
        checks.push(Check::Length { shortest: text.shortest.unwrap_or(0), longest });
    }
    match text.pattern.as_deref() {
        None => {}
        Some("[A-Za-z0-9+=,.@_-]*") => checks.push(Check::NameCharacters),
        Some("^[^/]+/[^/]+/[^/]+/.+$") => checks.push(Check::FourSegments),
        Some(other) => bail!("shape {shape} has the pattern `{other}`, which has no check yet"),
    }
    Ok(checks)
}

fn invalid(operation: &Operation, shape: &str) -> String {
    let known = INVALID.iter().find(|(name, _)| *name == shape);
    declared(operation, known.map_or(&[][..], |(_, errors)| errors))
}

/// The first of `errors` that the operation declares, else the service's word for a bad request.
fn declared(operation: &Operation, errors: &[&str]) -> String {
    let fallback = if operation.errors.iter().any(|error| error == "ClientException") {
        "ClientException"
    } else {
        "ValidationException"
    };
    let declares = |error: &&&str| operation.errors.iter().any(|declared| declared == **error);
    (*errors.iter().find(declares).unwrap_or(&fallback)).to_owned()
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
