//! The console: what people see in a browser, under `/-/console`.
//!
//! Pages are made here, whole, from templates that the compiler checks; they work without scripts, and a small one of
//! ours replaces what has changed while a deployment goes on. The console has no private door: each page acts in the
//! name of whoever is signed in, asks the same policies for the same actions as the API, and changes things by the
//! API's own operations.
//!
//! Begin with [`answer`], then read the file of the page in `pages`.

mod request;

mod attempts;
mod session;

mod frame;
mod visit;

mod answer;
mod assets;
mod problem;
mod show;

mod pages;

use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use http::Method;
use http::header::EXPECT;
use http::request::Parts;
use hyper::body::Incoming;
use tokio_util::sync::CancellationToken;
use wire::ServiceError;

use crate::clock::Clock;
use crate::driver::{Driver, chain};
use crate::forms::Records;
use crate::http::body::{self, Response};
use crate::http::edge::Edge;
use crate::http::metrics::Served;
use crate::inventory::Inventory;
use crate::trace;

use attempts::Attempts;
use problem::Problem;
use request::Request;
use session::Sessions;
use visit::Visit;

/// What the console needs beside what answers the API.
pub struct Console {
    sessions: Sessions,
    attempts: Attempts,
    driver: Driver,
    inventory: Inventory,
    /// Streams end when the server stops.
    stopping: CancellationToken,
    /// The region that a visitor begins in.
    region: String,
    /// Proxies whose word on the visitor's address and on TLS is taken.
    proxies: Vec<IpAddr>,
}

/// What a console is made of.
pub struct ConsoleConfig {
    /// Where sessions are kept.
    pub records: Records,
    /// Seals sessions; the same for all servers on one store.
    pub seal: Vec<u8>,
    /// Tells what deployments wait for.
    pub driver: Driver,
    /// Tells which hosts a group selects.
    pub inventory: Inventory,
    /// The region that a visitor begins in.
    pub region: String,
    /// Proxies whose word on a visitor's address and on TLS is taken.
    pub proxies: Vec<IpAddr>,
    /// Streams end when it is cancelled.
    pub stopping: CancellationToken,
}

impl Console {
    /// A console.
    pub fn new(config: ConsoleConfig) -> Self {
        Self {
            sessions: Sessions::new(config.records, &config.seal),
            attempts: Attempts::default(),
            driver: config.driver,
            inventory: config.inventory,
            stopping: config.stopping,
            region: config.region,
            proxies: config.proxies,
        }
    }

    /// How often sessions that are over are removed. Nothing depends on it but the size of the database.
    const SWEEP: std::time::Duration = std::time::Duration::from_secs(3600);

    /// Removes sessions that are over, now and then, until the server stops.
    pub async fn housekeep(&self, clock: &Clock) {
        loop {
            tokio::select! {
                () = self.stopping.cancelled() => return,
                () = tokio::time::sleep(Self::SWEEP) => {}
            }
            if let Err(error) = self.sessions.sweep(clock.now()).await {
                tracing::warn!(error = chain(&error), "old sessions were not removed");
            }
        }
    }
}

/// Whether the rest of a path under `/-/` is the console's.
pub fn is_ours(path: &str) -> bool {
    path == "console" || path.starts_with("console/")
}

/// Answers a request for the console.
pub async fn answer(edge: &Arc<Edge>, head: Parts, body: Incoming, peer: SocketAddr) -> Response {
    let id = uuid::Uuid::new_v4().to_string();
    trace::tell_request_id(&id);
    let form = match head.method {
        Method::POST => body::read(body, head.headers.contains_key(EXPECT)).await,
        _ => Ok(bytes::Bytes::new()),
    };
    let proxies = &edge.console.proxies;
    let request = Request::read(&head, form.as_deref().unwrap_or_default(), peer.ip(), proxies);
    let outcome = match form {
        Ok(_) => boxed(routed(edge, &request, &id)).await,
        Err(error) => {
            Err(ServiceError::new(wire::ErrorCode::Serialization, error.to_string()).into())
        }
    };
    let response = match outcome {
        Ok(response) => response,
        Err(Problem::SignIn) => pages::sign_in::ask(&request),
        Err(problem) => pages::problem::show(edge, &request, &problem, &id).await,
    };
    let section = request.path.first().map_or("overview", String::as_str);
    edge.metrics.count("console", section, response.status().as_u16(), Served::Yes);
    answer::sealed(response)
}

async fn routed(edge: &Arc<Edge>, request: &Request, id: &str) -> Result<Response, Problem> {
    let path: Vec<&str> = request.path.iter().map(String::as_str).collect();
    let is_post = request.method == Method::POST;
    if !is_post && request.method != Method::GET && request.method != Method::HEAD {
        return Err(Problem::NotFound(format!("Pages cannot be asked for by {}.", request.method)));
    }
    if is_post && !request.is_from_our_pages() {
        return Err(Problem::ForeignForm);
    }
    match (is_post, path.as_slice()) {
        (false, ["static", name]) => {
            return assets::find(name)
                .ok_or_else(|| Problem::NotFound("There is no such file.".into()));
        }
        (false, ["sign-in"]) => return pages::sign_in::show(edge, request, None),
        (true, ["sign-in"]) => return pages::sign_in::submit(edge, request, id).await,
        (true, ["theme"]) => return Ok(pages::sign_in::theme(request)),
        _ => {}
    }
    let now = edge.clock.now();
    let session = edge.console.sessions.find(request, &edge.keyring, &edge.account, now).await?;
    let session = session.ok_or(Problem::SignIn)?;
    if is_post && !session.made(request.form.get("mark")) {
        return Err(Problem::ForeignForm);
    }
    let visit = Visit { edge, request, session, id };
    if is_post {
        boxed(pages::submitted(&visit, &path)).await
    } else {
        boxed(pages::shown(&visit, &path)).await
    }
}

/// The page that somebody waits for. On the heap, because all pages together are large, and a connection that shows one
/// should not carry room for every other.
fn boxed<'a>(
    page: impl Future<Output = Result<Response, Problem>> + Send + 'a,
) -> Pin<Box<dyn Future<Output = Result<Response, Problem>> + Send + 'a>> {
    Box::pin(page)
}
