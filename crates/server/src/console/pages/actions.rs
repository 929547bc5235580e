//! What can be done about a deployment. Each is asked for once more, on a page of its own, before it is done.

use wire::codedeploy::{ContinueDeploymentInput, StopDeploymentInput};

use crate::http::body::Response;

use super::super::frame::{self, Frame, Section};
use super::super::problem::Problem;
use super::super::visit::Visit;
use super::super::{answer, show};
use super::confirm::Confirm;
use super::{create, deployment};

/// What can be done at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Stop,
    StopAndRollBack,
    Continue,
}

impl Action {
    fn named(name: &str) -> Option<Self> {
        match name {
            "stop" => Some(Self::Stop),
            "stop-and-roll-back" => Some(Self::StopAndRollBack),
            "continue" => Some(Self::Continue),
            _ => None,
        }
    }
}

/// Asks whether it is meant; or, for what is a new deployment, shows its plan, which asks as well.
pub async fn ask(visit: &Visit<'_>, id: &str, action: &str) -> Result<Response, Problem> {
    let record = deployment::record(visit, id).await?;
    let (application, group) = (record.application_name.as_str(), record.group_name.as_str());
    match action {
        "retry" | "redeploy" => return Ok(create::plan_of(application, group, &record.revision)),
        "roll-back" => {
            let previous = record.previous_revision.as_ref().ok_or_else(super::nothing)?;
            return Ok(create::plan_of(application, group, previous));
        }
        "promote" => {
            return Ok(answer::see_other(&format!(
                "/-/console/deployments/new?application={}&not-group={}&revision={}",
                show::encoded(application),
                show::encoded(group),
                show::encoded(create::written(&record.revision))
            )));
        }
        _ => {}
    }
    let (question, consequence, button, is_dangerous) = match Action::named(action)
        .ok_or_else(super::nothing)?
    {
        Action::Stop => (
            format!("Stop {id}?"),
            "Lifecycle events that are running end first; nothing more is started. Hosts that have the new revision keep it.",
            "Stop deployment",
            true,
        ),
        Action::StopAndRollBack => (
            format!("Stop {id} and roll back?"),
            "Lifecycle events that are running end first. Then the last successful revision is deployed again.",
            "Stop and roll back",
            true,
        ),
        Action::Continue => (
            format!("Continue {id}?"),
            "Traffic is moved to the new hosts now, without waiting any longer.",
            "Continue deployment",
            false,
        ),
    };
    let back = frame::deployment_place(id);
    answer::page(&Confirm {
        frame: Frame::of(visit, Section::Deployments, question.clone()).under(id, back.clone()),
        question,
        consequence: consequence.to_owned(),
        button,
        is_dangerous,
        place: format!("{back}/{action}"),
        back,
    })
}

/// Does it.
pub async fn act(visit: &Visit<'_>, id: &str, action: &str) -> Result<Response, Problem> {
    let deployment_id = Some(id.to_owned());
    match Action::named(action).ok_or_else(super::nothing)? {
        Action::Stop => {
            let auto_rollback_enabled = Some(false);
            visit.ask(&StopDeploymentInput { deployment_id, auto_rollback_enabled }).await?;
        }
        Action::StopAndRollBack => {
            let auto_rollback_enabled = Some(true);
            visit.ask(&StopDeploymentInput { deployment_id, auto_rollback_enabled }).await?;
        }
        Action::Continue => {
            let deployment_wait_type = Some("READY_WAIT".to_owned());
            visit.ask(&ContinueDeploymentInput { deployment_id, deployment_wait_type }).await?;
        }
    }
    Ok(answer::see_other(&frame::deployment_place(id)))
}
