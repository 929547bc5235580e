//! An emulator of the same API, to compare with.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::postgres::free_port;
use crate::setup::install_python;

const START_SECONDS_MAX: u64 = 30;

/// moto's server, installed for this measurement only.
pub struct Emulator {
    process: Child,
    /// The loopback port that it serves on.
    pub port: u16,
}

impl Emulator {
    pub fn start(home: &Path) -> anyhow::Result<Self> {
        let environment = crate::own_directory().join("bench-venv");
        install_python(&environment, &crate::repository().join("xtask/bench-requirements.txt"))?;
        let port = free_port()?;
        let process = Command::new("setpriv")
            .args(["--pdeathsig", "TERM", "--"])
            .arg(environment.join("bin/moto_server"))
            .args(["--host", "127.0.0.1", "--port", &port.to_string()])
            // The load goes to regions that nobody has.
            .env("MOTO_ALLOW_NONEXISTENT_REGION", "true")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(home.join("emulator.log"))?)
            .spawn()
            .context("moto_server cannot be started")?;
        let started = Self { process, port };
        let begun = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            if begun.elapsed().as_secs() > START_SECONDS_MAX {
                bail!("moto_server does not listen after {START_SECONDS_MAX} s");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(started)
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
