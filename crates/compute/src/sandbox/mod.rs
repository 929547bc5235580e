//! The processes of an instance: this executable under another first argument.
//!
//! ```text
//! the server ── supervisor ── init ── everything in the instance
//!               (new network, host name, IPC; new process name space for its children)
//!                              (process 1 there; new mounts, the instance's root)
//! the operator's command ── enter ── the program asked for
//! ```
//!
//! Each is a process started anew rather than a fork of a program with threads. Server and supervisor speak by the
//! supervisor's standard streams, supervisor and init by the init's output, one word a line: see [`say`].

mod boot;
mod capabilities;
mod enter;
mod init;
mod root;
mod supervisor;

use std::ffi::OsString;
use std::io::{self, Write};

pub use enter::enter;

/// The first argument of an instance's supervisor; the second is the instance's directory.
pub(crate) const SUPERVISOR: &str = "__sandbox-supervisor";
const INIT: &str = "__sandbox-init";
const ENTER: &str = "__sandbox-enter";

/// What a sandbox process says when it did its part: the supervisor, that it left the machine's name spaces; the
/// init, that it runs; both, that the instance is up. After [`FAILED`] follows the reason.
pub(crate) const READY: &str = "ready";
pub(crate) const UP: &str = "up";
pub(crate) const FAILED: &str = "failed";
/// What the server tells the supervisor once the network is connected. The end of the stream instead means that the
/// server died, and then nobody knows of this instance: it ends too.
pub(crate) const GO: &str = "go";

/// A step of a sandbox process that failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {what}: {source}")]
struct SandboxError {
    what: String,
    source: io::Error,
}

/// For `map_err`: names the step that failed.
fn step<E: Into<io::Error>>(what: impl Into<String>) -> impl FnOnce(E) -> SandboxError {
    let what = what.into();
    move |error| SandboxError { what, source: error.into() }
}

/// Becomes a process of an instance and never returns, if this process was started as one. Call it first in `main`,
/// before any thread starts.
pub fn run_if_sandbox_process() {
    let mut arguments = std::env::args_os().skip(1);
    let Some(role) = arguments.next() else { return };
    let arguments: Vec<OsString> = arguments.collect();
    let code = match role.to_str() {
        Some(SUPERVISOR) => report(supervisor::run(&arguments)),
        Some(INIT) => report(init::run(&arguments)),
        Some(ENTER) => enter::run(&arguments),
        _ => return,
    };
    std::process::exit(code);
}

/// The exit code; a failure is also told to whoever started this process, and to the console.
fn report(result: Result<i32, SandboxError>) -> i32 {
    result.unwrap_or_else(|error| {
        eprintln!("{error}");
        let _ = say(&format!("{FAILED} {error}"));
        1
    })
}

/// Says one line to whoever started this process. An error means that it is gone.
fn say(line: &str) -> Result<(), SandboxError> {
    let mut output = io::stdout().lock();
    writeln!(output, "{line}")
        .and_then(|()| output.flush())
        .map_err(step("speak to the process above"))
}

/// Points standard output and input away from whoever started this process: it may be gone long before we are.
fn let_go() -> Result<(), SandboxError> {
    let null = std::fs::File::open("/dev/null").map_err(step("open `/dev/null`"))?;
    rustix::stdio::dup2_stdin(null).map_err(step("let go of standard input"))?;
    rustix::stdio::dup2_stdout(io::stderr()).map_err(step("let go of standard output"))
}
