//! Signing in and out, and what a visitor sets for themselves.

use std::sync::Arc;

use askama::Template;
use http::{HeaderValue, StatusCode};
use model::arn::Scope;

use crate::app::Call;
use crate::http::audit::Deed;
use crate::http::body::Response;
use crate::http::edge::Edge;
use crate::iam::{AccessKey, Caller};

use super::super::frame::{Frame, THEME_COOKIE};
use super::super::problem::Problem;
use super::super::request::Request;
use super::super::session::{self, Credentials};
use super::super::visit::Visit;
use super::super::{answer, show};

#[derive(Template)]
#[template(path = "sign_in.html")]
struct Page {
    frame: Frame,
    /// What was wrong with the last attempt.
    wrong: Option<&'static str>,
    access_key: String,
    region: String,
    /// Where to go then.
    next: String,
}

const WRONG: &str =
    "This access key does not exist, is not active, or the secret does not belong to it.";
const TOO_OFTEN: &str =
    "Too many attempts failed from your address. Wait five minutes, then try again.";

/// Sends somebody who is not signed in to the form.
pub fn ask(request: &Request) -> Response {
    // A link on another site does not bring our cookie along; the same address, asked for from a page of ours, does.
    if request.is_cross_site() && request.method == http::Method::GET {
        let again =
            "<!doctype html><title>longshore</title><meta http-equiv=\"refresh\" content=\"0\">";
        return answer::html(StatusCode::OK, again.to_owned());
    }
    if request.path.last().is_some_and(|last| last == "live") {
        return answer::html(StatusCode::UNAUTHORIZED, String::new());
    }
    let next =
        if request.method == http::Method::GET { request.target.as_str() } else { "/-/console" };
    answer::see_other(&format!("/-/console/sign-in?next={}", show::encoded(next)))
}

/// The form.
pub fn show(
    edge: &Edge,
    request: &Request,
    wrong: Option<&'static str>,
) -> Result<Response, Problem> {
    let given = if wrong.is_some() { &request.form } else { &request.query };
    let page = Page {
        frame: Frame::plain(request, "Sign in"),
        wrong,
        access_key: given.text("access-key"),
        region: given.get("region").unwrap_or(&edge.console.region).to_owned(),
        next: given.text("next"),
    };
    let status = if wrong.is_some() { StatusCode::UNAUTHORIZED } else { StatusCode::OK };
    answer::page_with(status, &page)
}

/// Opens a session if the key pair is right.
pub async fn submit(edge: &Arc<Edge>, request: &Request, id: &str) -> Result<Response, Problem> {
    let (now, console) = (edge.clock.now(), &edge.console);
    if !console.attempts.may_try(request.source, now) {
        return show(edge, request, Some(TOO_OFTEN)).map(too_many);
    }
    let form = &request.form;
    let (access_key, secret) = (form.text("access-key"), form.text("secret"));
    let token = form.get("token");
    let given = Credentials { access_key: &access_key, secret: &secret, token };
    let Some(key) = console.sessions.prove(&edge.keyring, &given, now).await? else {
        console.attempts.failed(request.source, now);
        tracing::info!(source = %request.source, access_key, "a sign-in to the console failed");
        return show(edge, request, Some(WRONG));
    };
    let region = form.get("region").filter(|name| is_region(name)).unwrap_or(&console.region);
    let token = console.sessions.open(&key, region, now).await?;
    write_down(edge, request, &key, region, id).await;
    let secure = if request.is_secure { "; Secure" } else { "" };
    let cookie = format!(
        "{}={token}; Path=/-/console; HttpOnly; SameSite=Strict; Max-Age={}{secure}",
        session::COOKIE,
        session::LASTS.as_secs()
    );
    Ok(answer::with_cookie(answer::see_other(&own_place(form.get("next"))), &cookie))
}

fn too_many(mut response: Response) -> Response {
    *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
    response.headers_mut().insert(http::header::RETRY_AFTER, HeaderValue::from_static("300"));
    response
}

async fn write_down(edge: &Edge, request: &Request, key: &AccessKey, region: &str, id: &str) {
    let caller = Caller {
        principal: key.principal.clone(),
        access_key: key.id.clone(),
        source: Some(request.source),
    };
    let scope = Scope { account: edge.account.clone(), region: region.to_owned() };
    let call = Call { caller, scope, now: edge.clock.now() };
    let deed = Deed { service: "console", operation: "SignIn", resource: String::new() };
    edge.write_down(&call, &deed, "Succeeded", id).await;
}

/// Ends the session.
pub async fn sign_out(visit: &Visit<'_>) -> Result<Response, Problem> {
    visit.console().sessions.close(&visit.session).await?;
    let cookie =
        format!("{}=; Path=/-/console; HttpOnly; SameSite=Strict; Max-Age=0", session::COOKIE);
    Ok(answer::with_cookie(answer::see_other("/-/console/sign-in"), &cookie))
}

/// Goes on in another region.
pub async fn change_region(visit: &Visit<'_>) -> Result<Response, Problem> {
    let region = visit.request.form.text("region");
    if is_region(&region) {
        visit.console().sessions.move_to(&visit.session, &region).await?;
    }
    Ok(answer::see_other("/-/console"))
}

/// Remembers light or dark.
pub fn theme(request: &Request) -> Response {
    let theme = match request.form.get("theme") {
        Some("light") => "light",
        Some("dark") => "dark",
        _ => "auto",
    };
    let cookie =
        format!("{THEME_COOKIE}={theme}; Path=/-/console; SameSite=Strict; Max-Age=31536000");
    answer::with_cookie(answer::see_other(&own_place(request.form.get("here"))), &cookie)
}

/// The place asked for if it is one of ours, else the beginning: nobody is sent to another site.
fn own_place(place: Option<&str>) -> String {
    let ours = place.filter(|place| {
        *place == "/-/console"
            || place.starts_with("/-/console/")
            || place.starts_with("/-/console?")
    });
    ours.unwrap_or("/-/console").to_owned()
}

fn is_region(name: &str) -> bool {
    (3..=32).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_to_another_site() {
        assert_eq!(own_place(Some("/-/console/deployments/d-1")), "/-/console/deployments/d-1");
        for other in ["https://evil", "//evil", "/-/consoles", "/bucket", "/-/metrics"] {
            assert_eq!(own_place(Some(other)), "/-/console", "{other}");
        }
        assert_eq!(own_place(None), "/-/console");
    }
}
