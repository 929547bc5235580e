//! The pages, one file each, and which of them a path means.

pub mod problem;
pub mod sign_in;

mod overview;

mod applications;
mod group;
mod revisions;

mod deployments;

mod chart;
mod deployment;
mod grid;
mod history;
mod live;
mod output;
mod patch;
mod target;
mod words;

mod actions;
mod confirm;
mod create;
mod forms;
mod host_plan;

mod audit;
mod configurations;
mod instances;
mod neighbours;

use crate::http::body::Response;

use super::problem::Problem;
use super::visit::Visit;

/// The page at a path.
pub async fn shown(visit: &Visit<'_>, path: &[&str]) -> Result<Response, Problem> {
    match path {
        [] => overview::show(visit).await,
        ["applications"] => applications::list(visit).await,
        ["applications", name] => applications::show(visit, name).await,
        ["applications", name, "revisions"] => revisions::list(visit, name).await,
        ["applications", name, "groups", group] => group::show(visit, name, group).await,
        ["deployments"] => deployments::list(visit).await,
        ["deployments", "new"] => create::form(visit).await,
        ["deployments", "plan"] => create::plan(visit).await,
        ["deployments", id] => deployment::show(visit, id).await,
        ["deployments", id, "live"] => live::stream(visit, id).await,
        ["deployments", id, "targets", target] => target::show(visit, id, target).await,
        ["deployments", id, "targets", target, "output", event] => {
            output::download(visit, id, target, event).await
        }
        ["deployments", id, "targets", target, "live"] => output::stream(visit, id, target).await,
        ["deployments", id, action] => actions::ask(visit, id, action).await,
        ["host-plans", id] => host_plan::show(visit, id).await,
        ["host-plans", id, "live"] => host_plan::stream(visit, id).await,
        ["configurations"] => configurations::list(visit).await,
        ["instances"] => instances::list(visit).await,
        ["alarms"] => neighbours::alarms(visit).await,
        ["topics"] => neighbours::topics(visit).await,
        ["connections"] => neighbours::connections(visit).await,
        ["audit"] => audit::list(visit).await,
        _ => forms::shown(visit, path).await?.ok_or_else(nothing),
    }
}

/// What a form sent to a path does.
pub async fn submitted(visit: &Visit<'_>, path: &[&str]) -> Result<Response, Problem> {
    match path {
        ["sign-out"] => sign_in::sign_out(visit).await,
        ["region"] => sign_in::change_region(visit).await,
        ["deployments"] => create::submit(visit).await,
        ["host-plans"] => host_plan::start(visit).await,
        ["deployments", id, action] => actions::act(visit, id, action).await,
        _ => forms::submitted(visit, path).await?.ok_or_else(nothing),
    }
}

fn nothing() -> Problem {
    Problem::NotFound("There is no page at this address.".to_owned())
}
