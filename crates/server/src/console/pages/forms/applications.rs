//! Making, renaming and deleting applications.

use wire::codedeploy::{CreateApplicationInput, DeleteApplicationInput, UpdateApplicationInput};

use crate::http::body::Response;

use super::super::super::frame::{Frame, Section, application_place};
use super::super::super::problem::Problem;
use super::super::super::visit::Visit;
use super::{Filled, Form, ask_to_remove, some};

const ALL: &str = "/-/console/applications";

pub fn made(visit: &Visit<'_>) -> Form {
    let filled = Filled::of(visit, Vec::new());
    let frame = Frame::of(visit, Section::Applications, "Create an application");
    let fields = vec![filled.text("name", "Name", "1 to 100 characters.")];
    Form::new(frame.under("Applications", ALL), fields, "Create application", ALL.to_owned())
}

pub async fn make(visit: &Visit<'_>) -> Result<String, Problem> {
    let name = visit.request.form.text("name");
    let input = CreateApplicationInput {
        application_name: some(&name),
        compute_platform: some("Server"),
        ..CreateApplicationInput::default()
    };
    visit.ask(&input).await?;
    Ok(application_place(name))
}

pub fn renamed(visit: &Visit<'_>, name: &str) -> Form {
    let filled = Filled::of(visit, vec![("name", name.to_owned())]);
    let place = application_place(name);
    let frame = Frame::of(visit, Section::Applications, format!("Rename {name}"))
        .under("Applications", ALL)
        .under(name, place.clone());
    let fields = vec![filled.text("name", "Name", "What deploys to it must use the new name.")];
    Form::new(frame, fields, "Rename application", place)
}

pub async fn rename(visit: &Visit<'_>, name: &str) -> Result<String, Problem> {
    let new = visit.request.form.text("name");
    let new_application_name = some(&new);
    visit
        .ask(&UpdateApplicationInput { application_name: some(name), new_application_name })
        .await?;
    Ok(application_place(new))
}

pub fn ask(visit: &Visit<'_>, name: &str) -> Result<Response, Problem> {
    ask_to_remove(
        visit,
        Section::Applications,
        format!("Delete the application {name}?"),
        "Its deployment groups and the register of its revisions go with it, and deployments that are under way stop. What \
         is installed on hosts stays there.",
        "Delete application",
        application_place(name),
    )
}

pub async fn delete(visit: &Visit<'_>, name: &str) -> Result<String, Problem> {
    visit.ask(&DeleteApplicationInput { application_name: some(name) }).await?;
    Ok(ALL.to_owned())
}
