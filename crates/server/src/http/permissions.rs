//! May the caller do this to that? CodeDeploy's actions, and the resources that policies name for them.
//!
//! Source: service authorization reference of CodeDeploy; where the user guide names other resources than the
//! reference, either will do.

use model::arn::Scope;
use serde_json::Value;
use store::{Store, StoreError};
use wire::codedeploy::Operation;
use wire::longshore::{ACTION_PREFIX, Operation as OwnOperation};

use crate::forms::Context;
use crate::iam::policy::Facts;
use crate::iam::{AuthorizeError, Caller, Principal, authorize};

/// Why a caller was not let through.
#[derive(Debug, thiserror::Error)]
pub enum PermissionError {
    /// See there.
    #[error(transparent)]
    Authorize(#[from] AuthorizeError),
    /// The deployment that the request is about could not be looked up.
    #[error("the deployment cannot be read")]
    Store(#[from] StoreError),
}

/// Spellings of one resource, any of which a policy may name.
type Spellings = Vec<String>;

/// Lets the caller through if its policies allow the operation on everything that `body` names.
pub async fn check(
    context: &Context,
    store: &Store,
    caller: &Caller,
    operation: Operation,
    body: &[u8],
) -> Result<(), PermissionError> {
    // The root may do everything: nothing needs to be read.
    if caller.principal == Principal::Root {
        return Ok(());
    }
    // What cannot be read names nothing; the operation itself will say what is wrong with it.
    let input: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let input = Input { context, input: &input };
    let action = format!("codedeploy:{}", operation.name());
    for resource in resources(store, &input, operation).await? {
        allowed(context, caller, &action, &resource, input.facts()).await?;
    }
    for (action, resource) in input.dependent(operation) {
        let facts = Facts::default().with("iam:PassedToService", "codedeploy.amazonaws.com");
        allowed(context, caller, action, &vec![resource], facts).await?;
    }
    Ok(())
}

/// The same for an operation of longshore's own, whose actions are called `longshore:…`.
pub async fn check_own(
    context: &Context,
    store: &Store,
    caller: &Caller,
    operation: OwnOperation,
    body: &[u8],
) -> Result<(), PermissionError> {
    if caller.principal == Principal::Root {
        return Ok(());
    }
    let input: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let input = Input { context, input: &input };
    let resource = match operation {
        OwnOperation::ExplainDeployment | OwnOperation::GetHookOutput => {
            group_of(store, &input, input.text("deploymentId")).await?
        }
        OwnOperation::LinkGitHubAccountToken => input.application(input.text("applicationName")),
        OwnOperation::PutAlarmSource | OwnOperation::DeleteAlarmSource => {
            let Scope { region, account } = &context.scope;
            let name = input.text("alarmName");
            vec![format!("arn:aws:cloudwatch:{region}:{account}:alarm:{name}")]
        }
        OwnOperation::GetHostPlan => match store.host_plan(input.text("hostPlanId")).await? {
            Some(plan) => {
                vec![context.scope.deployment_group(&plan.application, &plan.group)]
            }
            // Whoever may do it to anything is told that there is none.
            None => vec!["*".to_owned()],
        },
        OwnOperation::PlanDeployment | OwnOperation::StartHostPlan => {
            input.group(input.text("deploymentGroupName"))
        }
        OwnOperation::ListHosts if !input.text("deploymentGroupName").is_empty() => {
            input.group(input.text("deploymentGroupName"))
        }
        OwnOperation::DeleteDeadLetters
        | OwnOperation::DeleteEventDestination
        | OwnOperation::ListAlarmSources
        | OwnOperation::ListDeadLetters
        | OwnOperation::ListEventDestinations
        | OwnOperation::ListHosts
        | OwnOperation::PutEventDestination
        | OwnOperation::PutGitHubAccountToken
        | OwnOperation::RedriveDeadLetters => vec!["*".to_owned()],
    };
    let action = format!("{ACTION_PREFIX}:{}", operation.name());
    allowed(context, caller, &action, &resource, Facts::default()).await
}

/// Any spelling may be allowed; none may be denied.
async fn allowed(
    context: &Context,
    caller: &Caller,
    action: &str,
    resource: &Spellings,
    facts: Facts,
) -> Result<(), PermissionError> {
    let mut refusal = None;
    let mut allowed = false;
    for spelling in resource {
        match authorize(context, caller, action, spelling, facts.clone()).await {
            Ok(()) => allowed = true,
            Err(AuthorizeError::Denied(denied)) if !denied.explicit => {
                refusal = refusal.or(Some(AuthorizeError::Denied(denied)));
            }
            Err(error) => return Err(error.into()),
        }
    }
    match refusal {
        Some(refusal) if !allowed => Err(refusal.into()),
        _ => Ok(()),
    }
}

/// A request's input, read only for the names in it.
struct Input<'a> {
    context: &'a Context,
    input: &'a Value,
}

impl Input<'_> {
    fn text(&self, member: &str) -> &str {
        self.input.get(member).and_then(Value::as_str).unwrap_or_default()
    }

    fn texts(&self, member: &str) -> Vec<&str> {
        let values = self.input.get(member).and_then(Value::as_array);
        values.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    fn application(&self, name: &str) -> Spellings {
        vec![self.context.scope.application(name)]
    }

    fn group(&self, name: &str) -> Spellings {
        vec![self.context.scope.deployment_group(self.text("applicationName"), name)]
    }

    fn config(&self) -> String {
        let scope = &self.context.scope;
        let name = self.text("deploymentConfigName");
        format!("arn:aws:codedeploy:{}:{}:deploymentconfig:{name}", scope.region, scope.account)
    }

    /// The reference spells it with a colon, the user guide with a slash.
    fn instance(&self, name: &str) -> Spellings {
        let scope = &self.context.scope;
        let spell = |mark: &str| {
            format!("arn:aws:codedeploy:{}:{}:instance{mark}{name}", scope.region, scope.account)
        };
        vec![spell(":"), spell("/")]
    }

    fn facts(&self) -> Facts {
        let tags = self.input.get("tags").or_else(|| self.input.get("Tags"));
        let tags = tags.and_then(Value::as_array);
        tags.into_iter().flatten().fold(Facts::default(), |facts, tag| {
            let part = |name: &str| tag.get(name).and_then(Value::as_str).unwrap_or_default();
            facts
                .with("aws:TagKeys", part("Key"))
                .with(&format!("aws:RequestTag/{}", part("Key")), part("Value"))
        })
    }

    /// What an operation needs beside its own action.
    fn dependent(&self, operation: Operation) -> Vec<(&'static str, String)> {
        let mut needed = Vec::new();
        let first = |spellings: Spellings| spellings.into_iter().next().unwrap_or_default();
        let application = || first(self.application(self.text("applicationName")));
        let group = || first(self.group(self.text("deploymentGroupName")));
        let has = |member: &str| self.input.get(member).is_some_and(|value| !value.is_null());
        match operation {
            Operation::CreateDeployment => {
                if has("deploymentConfigName") {
                    needed.push(("codedeploy:GetDeploymentConfig", self.config()));
                }
                if has("revision") {
                    needed.push(("codedeploy:RegisterApplicationRevision", application()));
                }
                if has("overrideAlarmConfiguration") {
                    needed.push(("codedeploy:UpdateDeploymentGroup", group()));
                }
            }
            Operation::CreateApplication if has("tags") => {
                needed.push(("codedeploy:TagResource", application()));
            }
            Operation::CreateDeploymentGroup if has("tags") => {
                needed.push(("codedeploy:TagResource", group()));
            }
            _ => {}
        }
        if has("serviceRoleArn") {
            needed.push(("iam:PassRole", self.text("serviceRoleArn").to_owned()));
        }
        needed
    }
}

/// What the operation is done to.
async fn resources(
    store: &Store,
    input: &Input<'_>,
    operation: Operation,
) -> Result<Vec<Spellings>, StoreError> {
    use Operation as O;
    let application = || input.application(input.text("applicationName"));
    Ok(match operation {
        O::BatchGetApplicationRevisions
        | O::CreateApplication
        | O::DeleteApplication
        | O::GetApplication
        | O::GetApplicationRevision
        | O::ListApplicationRevisions
        | O::RegisterApplicationRevision => vec![application()],
        O::UpdateApplication => {
            let names = ["applicationName", "newApplicationName"].map(|name| input.text(name));
            names
                .into_iter()
                .filter(|name| !name.is_empty())
                .map(|name| input.application(name))
                .collect()
        }
        O::BatchGetApplications => input
            .texts("applicationNames")
            .into_iter()
            .map(|name| input.application(name))
            .collect(),
        O::ListDeploymentGroups => {
            let mut either = application();
            either.extend(input.group("*"));
            vec![either]
        }
        O::BatchGetDeploymentGroups => {
            input.texts("deploymentGroupNames").into_iter().map(|name| input.group(name)).collect()
        }
        O::CreateDeployment
        | O::CreateDeploymentGroup
        | O::DeleteDeploymentGroup
        | O::GetDeploymentGroup => vec![input.group(input.text("deploymentGroupName"))],
        O::UpdateDeploymentGroup => {
            let names = ["currentDeploymentGroupName", "newDeploymentGroupName"];
            let names = names.map(|name| input.text(name));
            names
                .into_iter()
                .filter(|name| !name.is_empty())
                .map(|name| input.group(name))
                .collect()
        }
        O::ListDeployments if !input.text("deploymentGroupName").is_empty() => {
            vec![input.group(input.text("deploymentGroupName"))]
        }
        O::CreateDeploymentConfig | O::DeleteDeploymentConfig | O::GetDeploymentConfig => {
            vec![vec![input.config()]]
        }
        O::AddTagsToOnPremisesInstances
        | O::RemoveTagsFromOnPremisesInstances
        | O::BatchGetOnPremisesInstances => {
            input.texts("instanceNames").into_iter().map(|name| input.instance(name)).collect()
        }
        O::RegisterOnPremisesInstance
        | O::DeregisterOnPremisesInstance
        | O::GetOnPremisesInstance => vec![input.instance(input.text("instanceName"))],
        O::ListTagsForResource | O::TagResource | O::UntagResource => {
            vec![vec![input.text("ResourceArn").to_owned()]]
        }
        O::BatchGetDeployments => {
            let mut groups = Vec::new();
            for id in input.texts("deploymentIds") {
                groups.push(group_of(store, input, id).await?);
            }
            groups
        }
        O::BatchGetDeploymentInstances
        | O::BatchGetDeploymentTargets
        | O::ContinueDeployment
        | O::GetDeployment
        | O::GetDeploymentInstance
        | O::GetDeploymentTarget
        | O::ListDeploymentInstances
        | O::ListDeploymentTargets
        | O::PutLifecycleEventHookExecutionStatus
        | O::SkipWaitTimeForInstanceTermination
        | O::StopDeployment => vec![group_of(store, input, input.text("deploymentId")).await?],
        O::DeleteGitHubAccountToken
        | O::DeleteResourcesByExternalId
        | O::ListApplications
        | O::ListDeploymentConfigs
        | O::ListDeployments
        | O::ListGitHubAccountTokenNames
        | O::ListOnPremisesInstances => vec![vec!["*".to_owned()]],
    })
}

/// The group of a deployment: policies cannot name deployments.
async fn group_of(store: &Store, input: &Input<'_>, id: &str) -> Result<Spellings, StoreError> {
    let record = match id.parse() {
        Ok(id) => store.deployment(&id).await?,
        Err(_) => None,
    };
    let scope = &input.context.scope;
    Ok(match record {
        Some(record) => vec![
            scope.deployment_group(record.application_name.as_str(), record.group_name.as_str()),
        ],
        None => vec!["*".to_owned()],
    })
}
