//! What passes between a server and systemd, or whoever speaks as it does: a socket, and words about how it is.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use listenfd::ListenFd;
use sd_notify::NotifyState;
use server::Listen;

/// The socket that was handed over, else the address. Called before any thread is started: it takes variables out of the
/// environment. Source: `sd_listen_fds(3)`.
///
/// # Errors
/// What was handed over is more than one socket, or none for TCP that listens.
pub fn listen(address: SocketAddr) -> anyhow::Result<Listen> {
    let mut handed = ListenFd::from_env();
    if handed.len() > 1 {
        bail!("{} sockets were handed over, and a server serves one", handed.len());
    }
    let socket = handed.take_tcp_listener(0).context("the socket handed over is not for TCP")?;
    Ok(socket.map_or(Listen::At(address), |socket| Listen::On(Arc::new(socket))))
}

/// Says that requests are answered. Source of all words: `sd_notify(3)`.
pub fn ready() {
    say(&[NotifyState::Ready]);
}

/// Says that the server was asked to stop.
pub fn stopping() {
    say(&[NotifyState::Stopping]);
}

/// Says for ever that the server is alive, if somebody asked for that. What is proved is that tasks run, not that the
/// database answers: a restart would not help that.
pub async fn keep_alive() {
    let Some(patience) = sd_notify::watchdog_enabled() else {
        return std::future::pending().await;
    };
    let mut ticks = tokio::time::interval((patience / 3).max(Duration::from_millis(10)));
    loop {
        ticks.tick().await;
        say(&[NotifyState::Watchdog]);
    }
}

fn say(words: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(words) {
        tracing::warn!(%error, "the service manager cannot be told how the server is");
    }
}
