//! Listening sockets and connections: accept, time out, stop gracefully.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::body::Response;

/// Connections that may wait to be accepted: a fleet of agents reconnects at once after a restart.
const BACKLOG: u32 = 4096;

/// How long a new connection may take to send a request's head. Between requests it may idle as long as it likes to
/// be read from, which this limits too: clients reopen.
const HEAD_READ_MAX: Duration = Duration::from_secs(60);

/// How long a connection may take to ask its first question after a stop was asked for: it may be under way.
const FIRST_REQUEST_MAX: Duration = Duration::from_secs(1);

/// How long requests under way may take after a stop was asked for.
const DRAIN_MAX: Duration = Duration::from_secs(8);

/// Pause after a failed accept: without it, running out of file descriptors becomes a busy loop.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A listening socket at `address`; port 0 takes a free one.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A restarted server must not wait for the connections of the former one to be forgotten.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves `listener` with `handle` until `stopping` is cancelled; then lets requests under way end.
pub async fn serve<H, F>(listener: TcpListener, handle: H, stopping: CancellationToken)
where
    H: Fn(http::Request<Incoming>, SocketAddr) -> F + Clone + Send + 'static,
    F: Future<Output = Response> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stopping.cancelled() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    connections.spawn(connection(stream, peer, handle.clone(), stopping.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    let drain = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(DRAIN_MAX, drain).await.is_err() {
        tracing::warn!("connections still open after {} s are cut", DRAIN_MAX.as_secs());
    }
}

async fn connection<H, F>(
    stream: TcpStream,
    peer: SocketAddr,
    handle: H,
    stopping: CancellationToken,
) where
    H: Fn(http::Request<Incoming>, SocketAddr) -> F + Clone + Send + 'static,
    F: Future<Output = Response> + Send + 'static,
{
    // Answers are small and awaited: the next lifecycle event must not wait for Nagle.
    let _ = stream.set_nodelay(true);
    // Told to stop, hyper would drop a connection from which it has read nothing yet, and the request with it.
    tokio::select! {
        biased;
        _ = stream.readable() => {}
        () = tokio::time::sleep(HEAD_READ_MAX) => return,
        () = stopped_for(&stopping, FIRST_REQUEST_MAX) => return,
    }
    let service = service_fn(move |request| {
        let answer = handle(request, peer);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_READ_MAX)
        .max_buf_size(128 * 1024)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        // What has arrived is read before the connection counts as idle.
        biased;
        ended = connection.as_mut() => ended,
        () = stopping.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "a connection ended badly");
    }
}

/// Waits until a stop was asked for so long ago.
async fn stopped_for(stopping: &CancellationToken, time: Duration) {
    stopping.cancelled().await;
    tokio::time::sleep(time).await;
}
