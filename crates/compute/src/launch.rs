//! Starting an instance's supervisor and speaking with it until the instance is up.

use std::fs::File;
use std::process::Stdio;
use std::time::Duration;

use camino::Utf8Path;
use model::InstanceId;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::ComputeError;
use crate::disk::InstanceDir;
use crate::sandbox::{FAILED, GO, READY, SUPERVISOR, UP};

/// How long a sandbox process may take for its part. It needs milliseconds; on a machine that is busy with a build,
/// a hundred times that was seen.
const PATIENCE: Duration = Duration::from_secs(20);

/// An instance that is being started. Dropped before [`Self::go`], the supervisor sees its input end, and ends.
#[derive(Debug)]
pub(crate) struct Launch {
    id: InstanceId,
    dir: InstanceDir,
    pid: u32,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    /// Kept only so that it is waited for when it ends: the runtime does that for a child that is dropped.
    _child: Child,
}

impl Launch {
    /// Starts the supervisor and waits until it has left the machine's name spaces.
    pub async fn begin(
        executable: &Utf8Path,
        id: &InstanceId,
        dir: InstanceDir,
    ) -> Result<Self, ComputeError> {
        let console = dir.console();
        let console = File::options()
            .create(true)
            .append(true)
            .open(&console)
            .map_err(ComputeError::file("open", console))?;
        let mut child = Command::new(executable)
            .arg(SUPERVISOR)
            .arg(dir.path())
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(console)
            .spawn()
            .map_err(|source| ComputeError::Program { program: executable.to_owned(), source })?;
        let input = child.stdin.take().expect("standard input was asked to be a pipe");
        let output = child.stdout.take().expect("standard output was asked to be a pipe");
        let mut launch = Self {
            id: id.clone(),
            dir,
            pid: child.id().expect("it was not waited for yet"),
            input,
            output: BufReader::new(output).lines(),
            _child: child,
        };
        launch.hear(READY).await?;
        Ok(launch)
    }

    /// The supervisor's process id; it is in the instance's network.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Lets the instance start and waits until it is up.
    pub async fn go(mut self) -> Result<(), ComputeError> {
        // A supervisor that died does not hear this; `hear` says why.
        let _ = self.input.write_all(format!("{GO}\n").as_bytes()).await;
        let _ = self.input.flush().await;
        self.hear(UP).await
    }

    async fn hear(&mut self, expected: &str) -> Result<(), ComputeError> {
        let line = tokio::time::timeout(PATIENCE, self.output.next_line()).await;
        let reason = match line {
            Ok(Ok(Some(line))) if line == expected => return Ok(()),
            Ok(Ok(Some(line))) => match line.strip_prefix(FAILED) {
                Some(reason) => reason.trim().to_owned(),
                None => format!("it said `{line}` instead of `{expected}`"),
            },
            Ok(Ok(None)) => format!("its supervisor ended: {}", self.dir.console_tail()),
            Ok(Err(error)) => format!("its supervisor cannot be heard: {error}"),
            Err(_) => format!("nothing was heard for {} s", PATIENCE.as_secs()),
        };
        Err(ComputeError::Start { id: self.id.clone(), reason })
    }
}
