//! Simulated agents: each has a connection of its own, polls, and says at once that it did what it was told.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;
use wire::sigv4::Scope;

use super::fleet::Host;
use crate::bench::client::{REGION, signed};

/// How long until every agent has a poll with the server.
const POLLED_MAX: Duration = Duration::from_secs(120);
const SERVICE: &str = "codedeploy-commands";

/// Agents that run until they are stopped, in threads of their own.
pub struct Agents {
    runtime: tokio::runtime::Runtime,
    running: JoinSet<anyhow::Result<()>>,
    count: usize,
    shared: Arc<Shared>,
    stopping: watch::Sender<bool>,
}

#[derive(Default)]
struct Shared {
    /// Agents that have sent their first poll.
    polled: AtomicUsize,
}

impl Agents {
    pub fn start(port: u16, hosts: Vec<Host>) -> anyhow::Result<Self> {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let shared = Arc::new(Shared::default());
        let (stopping, stopped) = watch::channel(false);
        let count = hosts.len();
        let mut running = JoinSet::new();
        for host in hosts {
            let agent = Agent {
                address: SocketAddr::from(([127, 0, 0, 1], port)),
                host,
                shared: Arc::clone(&shared),
            };
            running.spawn_on(agent.run(stopped.clone()), runtime.handle());
        }
        Ok(Self { runtime, running, count, shared, stopping })
    }

    /// Waits until each agent has sent a poll.
    pub fn wait_until_all_polled(&self) -> anyhow::Result<()> {
        let begun = Instant::now();
        while self.shared.polled.load(Ordering::Relaxed) < self.count {
            if begun.elapsed() > POLLED_MAX {
                bail!("not every agent has polled after {} s", POLLED_MAX.as_secs());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }

    /// Ends them all. Fails if one met an error.
    pub fn stop(self) -> anyhow::Result<()> {
        let Self { runtime, mut running, stopping, .. } = self;
        stopping.send_replace(true);
        runtime.block_on(async {
            while let Some(ended) = running.join_next().await {
                ended.context("an agent panicked")??;
            }
            Ok(())
        })
    }
}

struct Agent {
    address: SocketAddr,
    host: Host,
    shared: Arc<Shared>,
}

impl Agent {
    async fn run(self, mut stopped: watch::Receiver<bool>) -> anyhow::Result<()> {
        tokio::select! {
            result = self.work() => result,
            _ = stopped.wait_for(|stopped| *stopped) => Ok(()),
        }
    }

    async fn work(&self) -> anyhow::Result<()> {
        let mut connection = self.connect().await?;
        let host = &self.host.identifier;
        let mut first = true;
        loop {
            let poll = self.request("PollHostCommand", &json!({"HostIdentifier": host}))?;
            connection.get_mut().write_all(&poll).await?;
            if std::mem::take(&mut first) {
                self.shared.polled.fetch_add(1, Ordering::Relaxed);
            }
            let polled = answer(&mut connection).await?;
            let command = &polled["HostCommand"];
            if !command.is_null() {
                self.execute(&mut connection, command).await?;
            }
        }
    }

    async fn execute(
        &self,
        connection: &mut BufReader<TcpStream>,
        command: &Value,
    ) -> anyhow::Result<()> {
        let id = &command["HostCommandIdentifier"];
        let specification = json!({"DeploymentExecutionId": command["DeploymentExecutionId"],
                                   "HostIdentifier": self.host.identifier});
        let payload =
            json!({"error_code": 0, "script_name": "", "message": "Succeeded", "log": ""})
                .to_string();
        let completion = json!({"HostCommandIdentifier": id, "CommandStatus": "Succeeded",
                                "Diagnostics": {"Format": "JSON", "Payload": payload}});
        for (operation, input) in [
            ("PutHostCommandAcknowledgement", json!({"HostCommandIdentifier": id})),
            ("GetDeploymentSpecification", specification),
            ("PutHostCommandComplete", completion),
        ] {
            connection.get_mut().write_all(&self.request(operation, &input)?).await?;
            answer(connection).await?;
        }
        Ok(())
    }

    async fn connect(&self) -> anyhow::Result<BufReader<TcpStream>> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        Ok(BufReader::with_capacity(1024, stream))
    }

    fn request(&self, operation: &str, input: &Value) -> anyhow::Result<Vec<u8>> {
        let target = format!("CodeDeployCommandService_v20141006.{operation}");
        let headers =
            [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target.as_str())];
        signed(
            self.address,
            &self.host.credentials,
            Scope { region: REGION, service: SERVICE },
            &headers,
            input.to_string().as_bytes(),
        )
    }
}

/// One answer, which must be a good one.
async fn answer(connection: &mut BufReader<TcpStream>) -> anyhow::Result<Value> {
    let mut head = String::new();
    let mut length = 0;
    loop {
        let before = head.len();
        if connection.read_line(&mut head).await? == 0 {
            bail!("the server closed a connection");
        }
        let line = head[before..].trim_end();
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse()?;
        }
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body).await?;
    if !head.starts_with("HTTP/1.1 200") {
        bail!("{}: {}", head.lines().next().unwrap_or_default(), String::from_utf8_lossy(&body));
    }
    serde_json::from_slice(if body.is_empty() { b"null" } else { &body }).context("no JSON")
}
