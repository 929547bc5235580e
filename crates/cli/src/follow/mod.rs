//! Following a deployment until it ends: what is seen of it, and how that is shown.

pub mod describe;
mod frame;
mod plain;
mod screen;

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use wire::codedeploy::{
    BatchGetDeploymentTargetsInput, DeploymentInfo, GetDeploymentInput, InstanceTarget,
    ListDeploymentTargetsInput,
};

use crate::client::{CallError, Client};
use crate::outcome::{FAILED, INTERRUPTED, STOPPED};
use crate::output;

/// How often a deployment is looked at. A refresh costs a call, and one for each 25 hosts that are not done.
const EVERY: Duration = Duration::from_millis(700);
/// How often a screen is drawn anew, for its times and widths.
const REDRAWN: Duration = Duration::from_millis(200);
/// How long a server may be away, as when it is restarted or moved.
const AWAY_MAX: Duration = Duration::from_secs(300);
/// Source: API reference, `BatchGetDeploymentTargets`.
const BATCH: usize = 25;

/// How a deployment ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    Succeeded,
    Failed,
    Stopped,
    /// It goes on: the person stopped watching.
    Unwatched,
}

impl Ended {
    /// How it ended, if it has.
    pub fn of(info: &DeploymentInfo) -> Option<Self> {
        match info.status.as_deref()? {
            "Succeeded" => Some(Self::Succeeded),
            "Failed" => Some(Self::Failed),
            "Stopped" => Some(Self::Stopped),
            _ => None,
        }
    }

    /// What a shell is told.
    pub fn exit_code(self) -> ExitCode {
        match self {
            Self::Succeeded => ExitCode::SUCCESS,
            Self::Failed => ExitCode::from(FAILED),
            Self::Stopped => ExitCode::from(STOPPED),
            Self::Unwatched => ExitCode::from(INTERRUPTED),
        }
    }
}

/// A deployment and its hosts, as they were when last looked at.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    pub info: DeploymentInfo,
    pub hosts: BTreeMap<String, InstanceTarget>,
}

/// How long a server that does not answer is waited for.
#[derive(Debug, Default)]
pub struct Patience {
    since: Option<Instant>,
}

impl Patience {
    /// Whether to try once more. The time runs from the first failure.
    pub fn is_left(&mut self) -> bool {
        self.since.get_or_insert_with(Instant::now).elapsed() < AWAY_MAX
    }
}

/// Reads one deployment again and again.
pub struct Following<'a> {
    client: &'a Client,
    id: String,
    seen: Option<Seen>,
}

impl<'a> Following<'a> {
    pub fn new(client: &'a Client, id: &str) -> Self {
        Self { client, id: id.to_owned(), seen: None }
    }

    /// What was seen last.
    pub fn seen(&self) -> Option<&Seen> {
        self.seen.as_ref()
    }

    /// Looks again. Hosts that were done are not asked about again.
    ///
    /// # Errors
    /// A call failed; what was seen before stays.
    pub async fn refresh(&mut self) -> Result<(), CallError> {
        let input = GetDeploymentInput { deployment_id: Some(self.id.clone()) };
        let info = self.client.call(&input).await?.deployment_info.unwrap_or_default();
        let mut hosts = self.seen.as_ref().map(|seen| seen.hosts.clone()).unwrap_or_default();
        // Hosts come when a deployment starts, and with a fleet that grows.
        let told = info.deployment_overview.as_ref().map_or(0, describe::count);
        if usize::try_from(told).unwrap_or(0) != hosts.len() {
            for id in self.target_ids().await? {
                hosts.entry(id).or_default();
            }
        }
        let open: Vec<String> = hosts
            .iter()
            .filter(|(_, host)| !describe::is_done(host))
            .map(|(id, _)| id.clone())
            .collect();
        for ids in open.chunks(BATCH) {
            let input = BatchGetDeploymentTargetsInput {
                deployment_id: Some(self.id.clone()),
                target_ids: Some(ids.to_vec()),
            };
            let answer = self.client.call(&input).await?;
            for target in answer.deployment_targets.unwrap_or_default() {
                let Some(host) = target.instance_target else { continue };
                let Some(id) = host.target_id.clone() else { continue };
                hosts.insert(id, host);
            }
        }
        self.seen = Some(Seen { info, hosts });
        Ok(())
    }

    async fn target_ids(&self) -> Result<Vec<String>, CallError> {
        let mut ids = Vec::new();
        let mut next_token = None;
        loop {
            let input = ListDeploymentTargetsInput {
                deployment_id: Some(self.id.clone()),
                next_token,
                ..Default::default()
            };
            let page = match self.client.call(&input).await {
                Ok(page) => page,
                // It has not started: which hosts it will have is not known.
                Err(error) if error.code() == Some("DeploymentNotStartedException") => {
                    return Ok(ids);
                }
                Err(error) => return Err(error),
            };
            ids.extend(page.target_ids.unwrap_or_default());
            next_token = page.next_token;
            if next_token.is_none() {
                return Ok(ids);
            }
        }
    }
}

/// What shows a deployment while it goes on.
enum Show {
    Screen(screen::Screen),
    Lines(plain::Lines),
}

/// Follows a deployment to its end: on a screen in a terminal, else in lines. It outlives restarts of the server.
///
/// # Errors
/// There is no such deployment, or the server is away for too long.
pub async fn to_the_end(client: &Client, id: &str) -> anyhow::Result<Ended> {
    let is_screen = std::io::stdout().is_terminal()
        && std::env::var_os("CI").is_none()
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
    let mut show = match is_screen {
        true => Show::Screen(screen::Screen::new()),
        false => Show::Lines(plain::Lines::default()),
    };
    let ended = tokio::select! {
        ended = follow(client, id, &mut show) => ended,
        interrupted = tokio::signal::ctrl_c() => interrupted.map(|()| Ended::Unwatched).map_err(Into::into),
    };
    if let Show::Screen(screen) = &mut show {
        screen.close();
    }
    if let Ok(Ended::Unwatched) = ended {
        eprintln!("{id} goes on. Follow it again: longshore deployment watch {id}");
    }
    ended
}

/// What the scripts that failed printed last: there was no room for it while the deployment went on.
fn last_words(seen: &Seen) -> String {
    let mut text = String::new();
    for (name, host) in &seen.hosts {
        for line in describe::log_tail(host) {
            text.push_str(&format!("{name}  | {line}\n"));
        }
    }
    text
}

async fn follow(client: &Client, id: &str, show: &mut Show) -> anyhow::Result<Ended> {
    let mut following = Following::new(client, id);
    let mut patience = Patience::default();
    loop {
        let away = match following.refresh().await {
            Ok(()) => {
                patience = Patience::default();
                None
            }
            Err(error)
                if following.seen().is_some() && error.is_passing() && patience.is_left() =>
            {
                Some(error.to_string())
            }
            Err(error) => return Err(error.into()),
        };
        let Some(seen) = following.seen() else { continue };
        let ended = Ended::of(&seen.info).filter(|_| away.is_none());
        match show {
            Show::Lines(lines) => lines.tell(seen, away.as_deref())?,
            Show::Screen(screen) => screen.draw(seen, away.as_deref())?,
        }
        if let Some(ended) = ended {
            if let Show::Screen(screen) = show {
                screen.close();
                output::print(&last_words(seen))?;
            }
            return Ok(ended);
        }
        let next = Instant::now() + EVERY;
        while Instant::now() < next {
            tokio::time::sleep(REDRAWN).await;
            if let Show::Screen(screen) = show {
                screen.draw(seen, away.as_deref())?;
            }
        }
    }
}
