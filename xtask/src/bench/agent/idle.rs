//! From the start of an agent to its first poll, and what it takes while a poll is held.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};
use std::time::{Duration, Instant};

use anyhow::Context;

use super::super::memory;
use super::super::report::Row;
use super::super::samples::{Samples, shown};
use super::configure;
use crate::process::output;

const STARTS: usize = 7;
/// As long as the service holds a poll. Source: observed with the service.
const POLL_HOLD: Duration = Duration::from_secs(45);
const SETTLE: Duration = Duration::from_secs(3);
/// What the kernel counts processor time in. Source: `proc_pid_stat(5)`, on Linux of all current architectures.
const TICK: Duration = Duration::from_millis(10);

pub fn measure(agent: &Path, home: &Path, idle: Duration) -> anyhow::Result<Vec<Row>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let open = Arc::new(AtomicUsize::new(0));
    let endpoint = format!("http://{}", listener.local_addr()?);
    let (sender, polled) = mpsc::channel();
    let counted = Arc::clone(&open);
    std::thread::spawn(move || serve(&listener, &counted, &sender));
    let config = prepare(home, &endpoint)?;

    let mut starts = Samples::default();
    let mut running = None;
    for _ in 0..STARTS {
        drop(running.take());
        while polled.try_recv().is_ok() {}
        let begun = Instant::now();
        running = Some(Running::start(agent, &config)?);
        let first: Instant = polled.recv_timeout(Duration::from_secs(30)).context("no poll")?;
        starts.push(first - begun);
    }
    let running = running.context("no agent was started")?;
    std::thread::sleep(SETTLE);
    let before = running.ticks()?;
    std::thread::sleep(idle);
    let used = TICK * u32::try_from(running.ticks()? - before)?;
    let resident = memory::resident_kib(running.0.id())?;
    let connections = open.load(Ordering::Relaxed);
    Ok(vec![
        Row::new("agent: start to first poll", shown(starts.percentile(50)))
            .aim("≤ 50 ms")
            .note(format!("median of {STARTS}, loopback; near: reading certificates and files")),
        Row::new(
            "agent: idle",
            format!("{}, {} ms of processor", memory::shown(resident), used.as_millis()),
        )
        .aim("≤ 8 MiB, no measurable processor time, one connection")
        .note(format!(
            "{connections} connection(s), a poll held for {} s, over {} s",
            POLL_HOLD.as_secs(),
            idle.as_secs()
        )),
    ])
}

fn prepare(home: &Path, endpoint: &str) -> anyhow::Result<std::path::PathBuf> {
    let signer = home.join("signer.pem");
    output(
        Command::new("openssl")
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
            ])
            .args(["-subj", "/CN=signer", "-keyout", "/dev/null", "-out"])
            .arg(&signer),
    )?;
    std::fs::write(
        home.join("onprem.yml"),
        "region: us-east-1\niam_user_arn: arn:aws:iam::123456789012:user/bench\naws_access_key_id: AKIA\n\
         aws_secret_access_key: secret\n",
    )?;
    configure(
        home,
        &format!(
            ":deploy_control_endpoint: '{endpoint}'\n:wait_between_runs: 1\n:signer_certificate_file: '{}'\n",
            signer.display()
        ),
    )
}

/// An agent in the foreground; dropping it ends it.
pub struct Running(Child);

impl Running {
    /// Starts it.
    pub fn start(agent: &Path, config: &Path) -> anyhow::Result<Self> {
        let mut command = Command::new(agent);
        command.arg("run").arg("--config_file").arg(config).stdin(Stdio::null());
        Ok(Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?))
    }

    /// The processor time it has used, in ticks.
    fn ticks(&self) -> anyhow::Result<u64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id()))?;
        let (_, rest) = stat.rsplit_once(')').context("no process status")?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let field = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok());
        field(11).zip(field(12)).map(|(user, system)| user + system).context("no times")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn serve(listener: &TcpListener, open: &Arc<AtomicUsize>, polled: &Sender<Instant>) {
    for stream in listener.incoming().flatten() {
        let (open, polled) = (Arc::clone(open), polled.clone());
        std::thread::spawn(move || {
            open.fetch_add(1, Ordering::Relaxed);
            hold_polls(&stream, &polled);
            open.fetch_sub(1, Ordering::Relaxed);
        });
    }
}

/// Answers each poll, after a while, that there is nothing to do; returns when the other side is gone.
fn hold_polls(stream: &TcpStream, polled: &Sender<Instant>) {
    let mut reader = BufReader::new(stream);
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            let line = line.trim_end().to_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.parse().unwrap_or(0);
            }
        }
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        let _ = polled.send(Instant::now());
        // One that is gone before then is noticed when it is answered, or here.
        let _ = stream.set_read_timeout(Some(POLL_HOLD));
        if stream.peek(&mut [0]).is_ok_and(|count| count == 0) {
            return;
        }
        let _ = stream.set_read_timeout(None);
        let mut out = stream;
        if out.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").is_err() {
            return;
        }
    }
}
