//! The page that says why there is no page.

use std::sync::Arc;

use askama::Template;

use crate::driver::chain;
use crate::http::body::Response;
use crate::http::edge::Edge;

use super::super::answer;
use super::super::frame::{Frame, Section};
use super::super::problem::Problem;
use super::super::request::Request;
use super::super::visit::Visit;

#[derive(Template)]
#[template(path = "problem.html")]
struct Page<'a> {
    frame: Frame,
    message: String,
    /// The error's name in the API, which policies, logs and documentation know.
    name: Option<&'static str>,
    advice: &'a str,
}

/// Says what is wrong, and what to do.
pub async fn show(edge: &Arc<Edge>, request: &Request, problem: &Problem, id: &str) -> Response {
    if let Problem::Internal { .. } = problem {
        let path = &request.target;
        tracing::error!(path, error = chain(problem), "a page could not be shown");
    }
    let (now, account) = (edge.clock.now(), &edge.account);
    let session = edge.console.sessions.find(request, &edge.keyring, account, now).await;
    let frame = |title| match session.ok().flatten() {
        Some(session) => {
            let visit = Visit { edge, request, session, id };
            Frame::of(&visit, Section::None, title)
        }
        None => Frame::plain(request, title),
    };
    let (title, message, name, advice) = match problem {
        Problem::SignIn | Problem::NotFound(_) => {
            ("Not found", problem.to_string(), None, "Follow the navigation to what there is.")
        }
        Problem::ForeignForm => (
            "Not done",
            "This form was not made for your session, or came from another site.".to_owned(),
            None,
            "Nothing was changed. Go back, load the page anew, and send the form again.",
        ),
        Problem::Refused(error) => (
            refusal(error.code.name()),
            error.message.clone(),
            Some(error.code.name()),
            "Nothing was changed.",
        ),
        Problem::Internal { .. } => (
            "Something failed here",
            format!(
                "The server could not make this page. Its log says why under the request id {id}."
            ),
            None,
            "Try again; if it stays so, look into the log.",
        ),
    };
    let page = Page { frame: frame(title), message, name, advice };
    answer::page_with(problem.status(), &page)
        .unwrap_or_else(|_| answer::html(problem.status(), problem.to_string()))
}

fn refusal(name: &str) -> &'static str {
    match name {
        "AccessDeniedException" => "You may not see or do this",
        name if name.contains("DoesNotExist") => "Not found",
        _ => "Refused",
    }
}
