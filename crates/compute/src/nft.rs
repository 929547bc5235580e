//! The program `nft`, which takes its commands by standard input and carries them out all or not at all.

use std::io::Write as _;
use std::process::{Command, Stdio};

use camino::{Utf8Path, Utf8PathBuf};

use crate::ComputeError;

/// Where the program is: `sbin` is not on every caller's path.
pub(crate) fn program() -> Option<Utf8PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default();
    path.split(':')
        .chain(["/usr/sbin", "/sbin", "/usr/local/sbin"])
        .map(|directory| Utf8Path::new(directory).join("nft"))
        .find(|program| program.is_absolute() && program.is_file())
}

/// Carries `commands` out, in the network of the calling thread.
pub(crate) fn apply(commands: &str) -> Result<(), ComputeError> {
    run(&["-f", "-"], commands)
}

/// Lets the kernel judge `commands` without carrying them out.
pub(crate) fn check(commands: &str) -> Result<(), ComputeError> {
    run(&["-c", "-f", "-"], commands)
}

fn run(arguments: &[&str], commands: &str) -> Result<(), ComputeError> {
    let program = program().unwrap_or_else(|| "nft".into());
    let start_error = |source| ComputeError::Program { program: program.clone(), source };
    let mut child = Command::new(&program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(start_error)?;
    let mut stdin = child.stdin.take().expect("standard input was asked to be a pipe");
    // `nft` reads everything before it answers, so a failed write shows in its exit and its message.
    let _ = stdin.write_all(commands.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().map_err(start_error)?;
    if output.status.success() {
        return Ok(());
    }
    let message = String::from_utf8_lossy(&output.stderr);
    Err(ComputeError::Filter(message.lines().next().unwrap_or("no reason given").to_owned()))
}
