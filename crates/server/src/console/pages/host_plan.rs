//! What hosts say a deployment would do to their files.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use futures::stream;
use serde_json::json;
use wire::longshore::{
    GetHostPlanInput, GetHostPlanOutput, HostPlanAnswer, Operation, StartHostPlanInput,
};

use crate::app::Call;
use crate::driver::chain;
use crate::http::body::Response;
use crate::http::edge::Edge;

use super::super::answer;
use super::super::frame::{self, Frame, Section};
use super::super::problem::Problem;
use super::super::show::{self, Badge};
use super::super::visit::Visit;
use super::create;
use super::live::{self, event};

/// How often it is looked whether more hosts have answered.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// A session may end while its stream goes on; the browser connects anew after so many looks.
const ROUNDS_MAX: u32 = 600;
/// Files that a host lists, at most.
const LISTED_MAX: i64 = 1000;

#[derive(Template)]
#[template(path = "host_plan.html")]
struct Page {
    frame: Frame,
    rows: Rows,
    /// The files of one host, if the page is about one.
    files: Option<Files>,
    back: String,
    more: Option<String>,
    live: Option<String>,
}

/// The hosts, which are replaced as a whole.
#[derive(Template)]
#[template(path = "host_plan_rows.html")]
struct Rows {
    rows: Vec<Row>,
}

struct Row {
    host: String,
    /// Where its files are listed; absent: there is nothing to list.
    place: Option<String>,
    badge: Badge,
    counts: [String; 6],
    why: String,
}

struct Files {
    host: String,
    rows: Vec<File>,
    /// The host has more than it lists.
    is_cut: bool,
    /// Where all hosts are.
    all: String,
}

struct File {
    badge: Badge,
    path: String,
}

/// Asks the hosts, and shows what they answer.
pub async fn start(visit: &Visit<'_>) -> Result<Response, Problem> {
    let form = &visit.request.form;
    let input = serde_json::to_value(create::input(form)?);
    let input = input.and_then(serde_json::from_value::<StartHostPlanInput>);
    let input = input.map_err(|error| Problem::internal("a request", error))?;
    let started = visit.ask_own(&input).await?;
    let id = started.host_plan_id.unwrap_or_default();
    // Back to where the question came from.
    let plan: Vec<String> = form
        .iter()
        .filter(|(name, _)| *name != "mark")
        .map(|(name, value)| format!("{name}={}", show::encoded(value)))
        .collect();
    Ok(answer::see_other(&format!("{}?plan={}", place(&id), show::encoded(plan.join("&")))))
}

fn place(id: &str) -> String {
    format!("/-/console/host-plans/{}", show::encoded(id))
}

/// The page: all hosts, or with `host` the files of one.
pub async fn show(visit: &Visit<'_>, id: &str) -> Result<Response, Problem> {
    let query = &visit.request.query;
    let (plan, after) = (query.text("plan"), query.get("after").map(str::to_owned));
    let host = query.get("host").map(str::to_owned);
    visit.may_read(Operation::GetHostPlan, json!({"hostPlanId": id})).await?;
    let input = input(id, host.clone(), after.clone());
    let found = visit.app().get_host_plan(visit.call(), input).await?;
    // It was there a moment ago.
    let of = visit.app().store.host_plan(id).await?.ok_or_else(super::nothing)?;
    let goes_on = found.ended != Some(true);
    let here = format!("{}?plan={}", place(id), show::encoded(&plan));
    let more = |token: &String| {
        let host = host.as_ref().map(|host| format!("&host={}", show::encoded(host)));
        format!("{here}{}&after={}", host.unwrap_or_default(), show::encoded(token))
    };
    let live = goes_on.then(|| {
        let parameter =
            |(name, value): (&str, &String)| format!("&{name}={}", show::encoded(value));
        let host = host.as_ref().map(|host| parameter(("host", host)));
        let after = after.as_ref().map(|after| parameter(("after", after)));
        let (host, after) = (host.unwrap_or_default(), after.unwrap_or_default());
        format!("{}/live?plan={}{host}{after}", place(id), show::encoded(&plan))
    });
    let frame = Frame::of(visit, Section::Deployments, "What would become of files")
        .under("Applications", "/-/console/applications")
        .under(of.application.as_str(), frame::application_place(&of.application))
        .under(of.group.as_str(), frame::group_place(&of.application, &of.group));
    let page = Page {
        frame: frame.refreshing(goes_on),
        rows: Rows::of(&found, &here),
        more: found.next_token.as_ref().map(more),
        files: host.map(|host| Files::of(host, &found, here.clone())),
        back: format!("/-/console/deployments/plan?{plan}"),
        live,
    };
    answer::page(&page)
}

fn input(id: &str, target_id: Option<String>, next_token: Option<String>) -> GetHostPlanInput {
    GetHostPlanInput { host_plan_id: Some(id.to_owned()), target_id, next_token }
}

impl Rows {
    fn of(found: &GetHostPlanOutput, here: &str) -> Self {
        let rows = found.hosts.iter().flatten().map(|host| row(host, here));
        Self { rows: rows.collect() }
    }
}

fn row(host: &HostPlanAnswer, here: &str) -> Row {
    let name = host.target_id.clone().unwrap_or_default();
    let badge = match host.status.as_deref() {
        Some("Succeeds") => Badge { look: "ok", word: "Would succeed" },
        Some("Fails") => Badge { look: "bad", word: "Would fail" },
        Some("Waiting") => Badge { look: "run", word: "Asked" },
        _ => Badge { look: "skip", word: "Unknown" },
    };
    Row {
        place: (touched(host) > 0).then(|| format!("{here}&host={}", show::encoded(&name))),
        host: name,
        badge,
        counts: counts(host)
            .map(|count| count.map_or_else(|| "–".to_owned(), |count| count.to_string())),
        why: host.message.clone().unwrap_or_default(),
    }
}

impl Files {
    fn of(host: String, found: &GetHostPlanOutput, all: String) -> Self {
        let rows: Vec<File> = found
            .files
            .iter()
            .flatten()
            .map(|file| File {
                badge: badge(file.effect.as_deref().unwrap_or_default()),
                path: file.path.clone().unwrap_or_default(),
            })
            .collect();
        let touched: i64 = found.hosts.iter().flatten().map(touched).sum();
        Self { host, rows, is_cut: touched > LISTED_MAX, all }
    }
}

/// How many files an Install would do something to, or keep from it.
fn touched(host: &HostPlanAnswer) -> i64 {
    counts(host).iter().take(5).flatten().sum()
}

fn counts(host: &HostPlanAnswer) -> [Option<i64>; 6] {
    [
        host.conflict_count,
        host.remove_count,
        host.change_count,
        host.add_count,
        host.keep_count,
        host.unchanged_count,
    ]
}

fn badge(effect: &str) -> Badge {
    match effect {
        "Conflict" => Badge { look: "bad", word: "Conflict" },
        "Remove" => Badge { look: "stop", word: "Removed" },
        "Change" => Badge { look: "run", word: "Changed" },
        "Add" => Badge { look: "ok", word: "Added" },
        _ => Badge { look: "skip", word: "Kept" },
    }
}

/// The hosts as they answer.
pub async fn stream(visit: &Visit<'_>, id: &str) -> Result<Response, Problem> {
    let query = &visit.request.query;
    visit.may_read(Operation::GetHostPlan, json!({"hostPlanId": id})).await?;
    let follow = Follow {
        edge: Arc::clone(visit.edge),
        call: visit.call().clone(),
        input: input(
            id,
            query.get("host").map(str::to_owned),
            query.get("after").map(str::to_owned),
        ),
        here: format!("{}?plan={}", place(id), show::encoded(query.text("plan"))),
        shown: String::new(),
        rounds: 0,
        is_over: false,
    };
    Ok(live::response(stream::unfold(follow, |mut follow| async move {
        let event = follow.next_event().await?;
        Some((event, follow))
    })))
}

/// One visitor's view of a plan.
struct Follow {
    edge: Arc<Edge>,
    call: Call,
    input: GetHostPlanInput,
    here: String,
    /// The hosts as the visitor sees them.
    shown: String,
    rounds: u32,
    is_over: bool,
}

impl Follow {
    async fn next_event(&mut self) -> Option<String> {
        self.rounds += 1;
        if self.is_over || self.rounds > ROUNDS_MAX || self.edge.console.stopping.is_cancelled() {
            return None;
        }
        if self.rounds > 1 {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        match self.look().await {
            Ok(event) => Some(event),
            Err(error) => {
                tracing::error!(error = chain(&error), "a live page failed");
                None
            }
        }
    }

    async fn look(&mut self) -> Result<String, Problem> {
        self.call.now = self.edge.clock.now();
        let found = self.edge.app.get_host_plan(&self.call, self.input.clone()).await?;
        self.is_over = found.ended == Some(true);
        if self.is_over && self.input.target_id.is_some() {
            // There are files to show now, and maybe pages of them.
            return Ok(event("reload", self.rounds, "the host has answered"));
        }
        let rows = Rows::of(&found, &self.here).render();
        let rows = rows.map_err(|error| Problem::internal("a page", error))?;
        let mut events = String::new();
        if rows != self.shown {
            events += &event("patch", self.rounds, &rows);
            self.shown = rows;
        }
        if self.is_over {
            events += &event("over", self.rounds, "over");
        }
        Ok(if events.is_empty() { ": still here\n\n".to_owned() } else { events })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hosts_with_something_to_list_lead_to_their_files() {
        let host = |status: &str, add_count| HostPlanAnswer {
            target_id: Some("web 01".to_owned()),
            status: Some(status.to_owned()),
            add_count,
            unchanged_count: Some(9),
            ..HostPlanAnswer::default()
        };
        let there = row(&host("Succeeds", Some(2)), "/x?plan=y");
        assert_eq!(there.place.as_deref(), Some("/x?plan=y&host=web%2001"));
        assert_eq!(there.counts, ["–", "–", "–", "2", "–", "9"].map(str::to_owned));
        assert_eq!(row(&host("Succeeds", None), "/x").place, None);
        assert_eq!(row(&host("Waiting", None), "/x").badge.word, "Asked");
    }
}
