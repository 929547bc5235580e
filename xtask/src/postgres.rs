//! A throw-away PostgreSQL for tests and benchmarks: own data directory, loopback only, gone at the end.

use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal};

use crate::process::{find, output};

const START_SECONDS_MAX: u64 = 30;

/// The folder with `initdb` and `postgres`: on the PATH, or where Debian keeps each version's (the newest is taken).
pub fn programs() -> Option<PathBuf> {
    let has_both =
        |folder: &Path| folder.join("initdb").is_file() && folder.join("postgres").is_file();
    if let Some(initdb) = find("initdb") {
        let folder = initdb.canonicalize().ok()?.parent()?.to_path_buf();
        if has_both(&folder) {
            return Some(folder);
        }
    }
    let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|folder| has_both(folder))
        .collect();
    versions.sort();
    versions.pop()
}

/// What a commit waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Commits {
    /// The tests ask whether we use the database rightly, not whether it survives a power cut.
    Unsynced,
    /// The disk, as in production.
    Durable,
}

impl Commits {
    fn settings(self) -> &'static [&'static str] {
        match self {
            Self::Unsynced => &["fsync=off", "synchronous_commit=off", "full_page_writes=off"],
            Self::Durable => &[],
        }
    }
}

/// A running server. Dropping it ends the server and removes its data.
pub struct Postgres {
    server: Child,
    /// How clients reach its maintenance database.
    pub url: String,
    home: tempfile::TempDir,
}

impl Postgres {
    /// Makes a cluster and starts it on a free port of the loopback address.
    pub fn start(commits: Commits) -> anyhow::Result<Self> {
        let programs =
            programs().context("PostgreSQL's `initdb` and `postgres` are not installed")?;
        // In the system's folder for temporary files: the server's user may not enter the repository's.
        let home = tempfile::Builder::new().prefix("longshore-postgres-").tempdir()?;
        let user = unprivileged_user()?;
        if let Some(user) = &user {
            chown(home.path(), Some(user.uid), Some(user.gid))?;
        }
        let data = home.path().join("data");
        output(
            command_as(user.as_ref(), &programs.join("initdb"))
                .args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C"])
                .args(["--no-sync", "--pgdata"])
                .arg(&data)
                .current_dir(home.path()),
        )?;
        let port = free_port()?;
        let server = command_as(user.as_ref(), &programs.join("postgres"))
            .arg("-D")
            .arg(&data)
            .args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1"])
            .args(["-c", "unix_socket_directories="])
            .args(commits.settings().iter().flat_map(|setting| ["-c", setting]))
            .args(["-c", "max_connections=200"])
            .current_dir(home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(home.path().join("log"))?)
            .spawn()?;
        let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
        let mut started = Self { server, url, home };
        started.wait_ready()?;
        Ok(started)
    }

    fn wait_ready(&mut self) -> anyhow::Result<()> {
        let begun = Instant::now();
        while !self.is_ready() {
            if let Some(status) = self.server.try_wait()? {
                bail!("PostgreSQL ended at its start: {status}\n{}", self.log());
            }
            if begun.elapsed().as_secs() > START_SECONDS_MAX {
                bail!("PostgreSQL is not ready after {START_SECONDS_MAX} s\n{}", self.log());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Whether it accepts sessions; it listens before it does. Source: PostgreSQL, `pidfile.h`, by which `pg_ctl` waits too.
    fn is_ready(&self) -> bool {
        std::fs::read_to_string(self.home.path().join("data/postmaster.pid"))
            .is_ok_and(|file| file.lines().nth(7).is_some_and(|status| status.trim() == "ready"))
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.home.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // SIGINT is PostgreSQL's fast shutdown: it ends its sessions and leaves no shared memory behind.
        if let Some(pid) = i32::try_from(self.server.id()).ok().and_then(Pid::from_raw) {
            let _ = rustix::process::kill_process(pid, Signal::INT);
        }
        let _ = self.server.wait();
    }
}

/// A port that nobody listens on now.
pub fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

struct User {
    uid: u32,
    gid: u32,
}

/// Whom to run as: PostgreSQL refuses to run as root. `None` where we are not root ourselves.
fn unprivileged_user() -> anyhow::Result<Option<User>> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let passwd = std::fs::read_to_string("/etc/passwd")?;
    ["postgres", "nobody"]
        .iter()
        .find_map(|name| {
            let mut fields = passwd
                .lines()
                .map(|line| line.split(':'))
                .find(|fields| fields.clone().next() == Some(name))?;
            let (uid, gid) = (fields.nth(2)?.parse().ok()?, fields.next()?.parse().ok()?);
            Some(Some(User { uid, gid }))
        })
        .context("neither a user `postgres` nor `nobody` to run PostgreSQL as")
}

/// A program under another user, and one that ends in order should we be killed.
fn command_as(user: Option<&User>, program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "INT"]);
    if let Some(User { uid, gid }) = user {
        command.arg(format!("--reuid={uid}")).arg(format!("--regid={gid}")).arg("--clear-groups");
    }
    command.arg("--").arg(program);
    command
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    #[test]
    fn a_throw_away_server_listens_and_leaves_nothing() {
        if programs().is_none() {
            println!("skipped: PostgreSQL's server programs are not installed");
            return;
        }
        let server = Postgres::start(Commits::Unsynced).expect("it starts");
        let home = server.home.path().to_path_buf();
        let address = server
            .url
            .trim_start_matches("postgres://postgres@")
            .trim_end_matches("/postgres")
            .to_string();
        assert!(TcpStream::connect(&address).is_ok(), "{address} listens");
        drop(server);
        assert!(TcpStream::connect(&address).is_err(), "{address} is closed");
        assert!(!home.exists(), "{} is gone", home.display());
    }
}
