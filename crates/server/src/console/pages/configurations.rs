//! Deployment configurations: the predefined ones for servers, and those that users made.

use askama::Template;
use model::DeploymentConfig;
use serde_json::json;
use wire::codedeploy::Operation;

use crate::http::body::Response;

use super::super::answer;
use super::super::frame::{Frame, Section};
use super::super::problem::Problem;
use super::super::show::When;
use super::super::visit::Visit;
use super::words;

#[derive(Template)]
#[template(path = "configurations.html")]
struct Page {
    frame: Frame,
    rows: Vec<Row>,
}

struct Row {
    name: String,
    minimum: String,
    /// What that means for ten hosts.
    of_ten: String,
    /// Absent: predefined.
    created: Option<When>,
}

/// The configurations of the region.
pub async fn list(visit: &Visit<'_>) -> Result<Response, Problem> {
    visit.may(Operation::ListDeploymentConfigs, json!({})).await?;
    let row = |name: String, minimum: model::MinimumHealthyHosts, created| {
        let at_once = 10_u32.saturating_sub(minimum.hosts(10));
        let of_ten = match at_once {
            0 => "none: ten hosts cannot be deployed to".to_owned(),
            10 => "all ten".to_owned(),
            number => number.to_string(),
        };
        Row { name, minimum: words::minimum(minimum), of_ten, created }
    };
    let predefined = DeploymentConfig::predefined();
    let mut rows: Vec<Row> = predefined
        .into_iter()
        .map(|config| row(config.name.to_string(), config.minimum_healthy, None))
        .collect();
    for config in visit.app().custom_configs(visit.region()).await? {
        // Those for Lambda and ECS have no minimum, and are no use here.
        if let Some(minimum) = config.minimum_healthy {
            rows.push(row(config.name.to_string(), minimum, Some(When(config.created))));
        }
    }
    let frame = Frame::of(visit, Section::Configurations, "Deployment configurations");
    answer::page(&Page { frame, rows })
}
