//! A `longshore` process of ours: started, waited for until it serves, and ended in order.

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal};

use crate::postgres::free_port;

const READY_SECONDS_MAX: u64 = 30;
const STOP_SECONDS_MAX: u64 = 30;
const LOG_LINES_SHOWN: usize = 20;

/// A running `longshore server` or `longshore dev`. Dropping it kills it; [`Serving::stop`] ends it in order.
pub struct Serving {
    process: Child,
    /// The loopback port that it serves on.
    pub port: u16,
    log: PathBuf,
}

impl Serving {
    /// Starts `program` in a mode (`server` or `dev`), without waiting for it. Its log goes beside the data directory.
    pub fn spawn(program: &Path, mode: &str, data_dir: &Path) -> anyhow::Result<Self> {
        Self::spawn_with(program, mode, data_dir, &[])
    }

    /// The same, with more arguments.
    pub fn spawn_with(
        program: &Path,
        mode: &str,
        data_dir: &Path,
        arguments: &[&str],
    ) -> anyhow::Result<Self> {
        let port = free_port()?;
        let log = data_dir.with_extension("log");
        if let Some(folder) = log.parent() {
            std::fs::create_dir_all(folder)?;
        }
        // If we are killed, the server hears of it and ends in order, instances included. A process group of its own,
        // because Ctrl-C is for us alone to answer.
        let process = Command::new("setpriv")
            .args(["--pdeathsig", "TERM", "--"])
            .arg(program)
            .arg(mode)
            .arg("--data-dir")
            .arg(data_dir)
            .args(["--listen", &format!("127.0.0.1:{port}")])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(File::options().append(true).create(true).open(&log)?)
            .stderr(File::options().append(true).create(true).open(&log)?)
            .process_group(0)
            .spawn()
            .with_context(|| format!("`{}` cannot be started", program.display()))?;
        Ok(Self { process, port, log })
    }

    /// Starts it and waits until it serves.
    pub fn start(program: &Path, mode: &str, data_dir: &Path) -> anyhow::Result<Self> {
        let mut started = Self::spawn(program, mode, data_dir)?;
        started.wait_ready()?;
        Ok(started)
    }

    /// Waits until it serves. Fails with the end of its log when it ends instead, or takes too long.
    pub fn wait_ready(&mut self) -> anyhow::Result<()> {
        let begun = Instant::now();
        while !is_healthy(self.port) {
            if let Some(status) = self.process.try_wait()? {
                bail!("the server ended ({status}); its log ends:\n{}", self.log_tail());
            }
            if begun.elapsed().as_secs() > READY_SECONDS_MAX {
                bail!(
                    "the server does not serve after {READY_SECONDS_MAX} s; its log ends:\n{}",
                    self.log_tail()
                );
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    /// The process id, which is the server's own: `setpriv` becomes it.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Where clients reach it.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Ends it in order. Fails when it has ended by itself before, or does not end.
    pub fn stop(mut self) -> anyhow::Result<()> {
        if let Some(status) = self.process.try_wait()? {
            bail!("the server had ended by itself ({status}); its log ends:\n{}", self.log_tail());
        }
        signal(self.pid(), Signal::TERM);
        let begun = Instant::now();
        while self.process.try_wait()?.is_none() {
            if begun.elapsed().as_secs() > STOP_SECONDS_MAX {
                bail!(
                    "the server does not stop within {STOP_SECONDS_MAX} s; its log ends:\n{}",
                    self.log_tail()
                );
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    fn log_tail(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join("\n")
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        if matches!(self.process.try_wait(), Ok(None)) {
            let _ = self.process.kill();
            let _ = self.process.wait();
        }
    }
}

/// Sends a signal to a process; one that is gone needs none.
pub fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = rustix::process::kill_process(pid, signal);
    }
}

/// Whether the server on this port answers that it serves.
fn is_healthy(port: u16) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        stream.write_all(
            b"GET /-/healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer.starts_with("HTTP/1.1 200 "))
    };
    ask().unwrap_or(false)
}
