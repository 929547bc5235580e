//! Making and deleting deployment configurations for servers.

use wire::codedeploy::{
    CreateDeploymentConfigInput, DeleteDeploymentConfigInput, MinimumHealthyHosts,
};
use wire::{ErrorCode, ServiceError};

use crate::http::body::Response;

use super::super::super::frame::{Frame, Section};
use super::super::super::problem::Problem;
use super::super::super::visit::Visit;
use super::{Filled, Form, ask_to_remove, some};

const ALL: &str = "/-/console/configurations";

pub fn made(visit: &Visit<'_>) -> Form {
    let filled = Filled::of(visit, Vec::new());
    let frame = Frame::of(visit, Section::Configurations, "Create a deployment configuration");
    let kinds = [
        ("HOST_COUNT", "so many hosts stay healthy"),
        ("FLEET_PERCENT", "so many percent of the hosts stay healthy"),
    ];
    let kinds = kinds.map(|(value, name)| (value.to_owned(), name.to_owned()));
    let fields = vec![
        filled.text("name", "Name", "1 to 100 characters. It cannot be changed later."),
        filled.choice("type", "Rule", kinds.into()),
        filled.text("value", "Number", "A host that would leave fewer than these healthy waits."),
    ];
    Form::new(frame.under("Configurations", ALL), fields, "Create configuration", ALL.to_owned())
}

pub async fn make(visit: &Visit<'_>) -> Result<String, Problem> {
    let form = &visit.request.form;
    let typed = form.text("value");
    let value = typed.parse().map_err(|_| {
        let message = format!("The minimum must be a whole number, and is “{typed}”.");
        ServiceError::new(ErrorCode::InvalidMinimumHealthyHostValue, message)
    })?;
    let input = CreateDeploymentConfigInput {
        deployment_config_name: some(&form.text("name")),
        minimum_healthy_hosts: Some(MinimumHealthyHosts {
            r#type: some(&form.text("type")),
            value: Some(value),
        }),
        compute_platform: some("Server"),
        ..CreateDeploymentConfigInput::default()
    };
    visit.ask(&input).await?;
    Ok(ALL.to_owned())
}

pub fn ask(visit: &Visit<'_>, name: &str) -> Result<Response, Problem> {
    ask_to_remove(
        visit,
        Section::Configurations,
        format!("Delete the configuration {name}?"),
        "One that a deployment group uses cannot be deleted. Deployments that were made with it go on as they began.",
        "Delete configuration",
        ALL.to_owned(),
    )
}

pub async fn delete(visit: &Visit<'_>, name: &str) -> Result<String, Problem> {
    visit.ask(&DeleteDeploymentConfigInput { deployment_config_name: some(name) }).await?;
    Ok(ALL.to_owned())
}
