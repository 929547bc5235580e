//! Hooks: the scripts that a revision binds to a lifecycle event.
//!
//! Owns how a script is started, watched, ended and logged. Which revision's scripts run is the executor's question.

mod cgroup;
mod environment;
mod keeper;
mod log;
mod process;
mod secrets;
mod spawn;
mod tree;

pub use environment::{Environment, without_credentials};
pub use log::{HookLog, LogSinks};
pub use secrets::Secrets;

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use model::appspec::Hook;

use crate::diagnostics::{self, Report};
use crate::users;

/// How the hooks of an event can fail: one script's end.
#[derive(Debug, thiserror::Error)]
pub enum HookError {
    /// The script is not in the revision.
    #[error("Script does not exist at specified location: {path}")]
    Missing { location: String, path: Utf8PathBuf },
    /// The script's path leads out of the revision.
    #[error("Script at specified location: {location} lies outside of the revision")]
    Outside { location: String },
    /// The script has no execute permission and cannot be given it.
    #[error("Unable to set script at specified location: {location} as executable")]
    NotExecutable { location: String, source: io::Error },
    /// The script could not be started.
    #[error(
        "Script at specified location: {location}{} failed with error {} with message {}",
        as_user(user.as_ref()), error_class(source), error_text(source, path)
    )]
    Start { location: String, user: Option<String>, path: Utf8PathBuf, source: io::Error },
    /// The user to run the script as is unknown here.
    #[error(
        "Script at specified location: {location} run as user {user} failed with error ArgumentError with message can't find \
         user for {user}"
    )]
    NoUser { location: String, user: String },
    /// The script ended with a status other than 0, or by a signal, which has no status.
    #[error(
        "Script at specified location: {location}{} failed with exit code {}",
        as_user(user.as_ref()), status.map(|s| s.to_string()).unwrap_or_default()
    )]
    Failed { location: String, user: Option<String>, status: Option<i32> },
    /// The script was ended because it ran too long.
    #[error("Script at specified location: {location} failed to complete in {} seconds", timeout.as_secs())]
    TimedOut { location: String, timeout: Duration },
}

fn as_user(user: Option<&String>) -> String {
    user.map(|user| format!(" run as user {user}")).unwrap_or_default()
}

/// The name that people know from the official agent's messages.
fn error_class(error: &io::Error) -> &'static str {
    match error.raw_os_error() {
        Some(1) => "Errno::EPERM",
        Some(2) => "Errno::ENOENT",
        Some(7) => "Errno::E2BIG",
        Some(8) => "Errno::ENOEXEC",
        Some(11) => "Errno::EAGAIN",
        Some(12) => "Errno::ENOMEM",
        Some(13) => "Errno::EACCES",
        Some(26) => "Errno::ETXTBSY",
        _ => "SystemCallError",
    }
}

fn error_text(error: &io::Error, path: &Utf8Path) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let hint = match carriage_return(path) {
        true => " (its first line ends with a carriage return: save it with Unix line ends)",
        false => "",
    };
    format!("{text} - {path}{hint}")
}

/// Whether the script's `#!` line ends as Windows ends lines: by far the most common reason for a start that fails.
fn carriage_return(path: &Utf8Path) -> bool {
    let Ok(text) = fs::read(path) else { return false };
    text.starts_with(b"#!")
        && text.iter().position(|b| *b == b'\n').is_some_and(|end| text[..end].ends_with(b"\r"))
}

impl HookError {
    fn location(&self) -> &str {
        match self {
            Self::Missing { location, .. }
            | Self::Outside { location }
            | Self::NotExecutable { location, .. }
            | Self::Start { location, .. }
            | Self::NoUser { location, .. }
            | Self::Failed { location, .. }
            | Self::TimedOut { location, .. } => location,
        }
    }

    fn code(&self) -> u8 {
        match self {
            Self::Missing { .. } | Self::Outside { .. } => diagnostics::SCRIPT_MISSING,
            Self::NotExecutable { .. } => diagnostics::SCRIPT_NOT_EXECUTABLE,
            Self::TimedOut { .. } => diagnostics::SCRIPT_TIMED_OUT,
            Self::Start { .. } | Self::NoUser { .. } | Self::Failed { .. } => {
                diagnostics::SCRIPT_FAILED
            }
        }
    }

    /// The report of the failure, with the last of the output.
    pub fn report(&self, log: String) -> Report {
        Report {
            error_code: self.code(),
            script_name: self.location().to_owned(),
            message: self.to_string(),
            log,
        }
    }
}

/// Runs the scripts of an event, in order, until one fails.
///
/// Blocks for as long as they run: call it where blocking is allowed.
///
/// # Errors
/// The first failure.
pub fn run(
    archive: &Utf8Path,
    hooks: &[Hook],
    environment: &Environment,
    log: &mut HookLog,
) -> Result<(), HookError> {
    if hooks.is_empty() {
        return Ok(());
    }
    run_within(archive, hooks, environment, log, cgroup::ControlGroup::new)
}

/// The same, each script in a group from `make_group`, or else with a keeper.
fn run_within(
    archive: &Utf8Path,
    hooks: &[Hook],
    environment: &Environment,
    log: &mut HookLog,
    make_group: fn() -> Option<cgroup::ControlGroup>,
) -> Result<(), HookError> {
    log.keep_secret(environment.secrets().clone());
    log.entry(&format!("LifecycleEvent - {}\n", environment.event()));
    hooks.iter().try_for_each(|hook| run_one(archive, hook, environment, log, make_group))
}

fn run_one(
    archive: &Utf8Path,
    hook: &Hook,
    environment: &Environment,
    log: &mut HookLog,
    make_group: fn() -> Option<cgroup::ControlGroup>,
) -> Result<(), HookError> {
    let path = find(archive, &hook.location)?;
    log.entry(&format!("Script - {}\n", hook.location));
    make_executable(&path, &hook.location)?;
    let user = match hook.runas.as_deref() {
        None => None,
        // An empty name is `su` without one, which means root.
        Some(name) => {
            let name = if name.is_empty() { "root" } else { name };
            let missing =
                || HookError::NoUser { location: hook.location.clone(), user: name.to_owned() };
            Some(users::user(name).ok_or_else(missing)?)
        }
    };
    let sudo = hook.sudo && user.is_none();
    let variables = environment.variables(user.as_ref());
    let group = make_group();
    let start =
        spawn::Start { path: &path, sudo, user: user.as_ref(), variables, group: group.as_ref() };
    let child = spawn::spawn(&start).map_err(|source| HookError::Start {
        location: hook.location.clone(),
        user: hook.runas.clone(),
        path: path.clone(),
        source,
    })?;
    let timed_out =
        || HookError::TimedOut { location: hook.location.clone(), timeout: hook.timeout };
    match process::watch(child, group.as_ref(), hook.timeout, log) {
        process::End::Status(Some(0)) => Ok(()),
        process::End::Status(status) => Err(HookError::Failed {
            location: hook.location.clone(),
            user: hook.runas.clone(),
            status,
        }),
        process::End::TimedOut => Err(timed_out()),
    }
}

/// The script's path; it may be reached through links, but not outside of the revision.
fn find(archive: &Utf8Path, location: &str) -> Result<Utf8PathBuf, HookError> {
    let mut relative = Utf8PathBuf::new();
    for component in Utf8Path::new(location).components() {
        match component {
            Utf8Component::Normal(name) => relative.push(name),
            Utf8Component::ParentDir if relative.pop() => {}
            Utf8Component::ParentDir | Utf8Component::Prefix(_) => {
                return Err(HookError::Outside { location: location.to_owned() });
            }
            Utf8Component::CurDir | Utf8Component::RootDir => {}
        }
    }
    let path = archive.join(relative);
    let missing = || HookError::Missing { location: location.to_owned(), path: path.clone() };
    let real = path.canonicalize_utf8().map_err(|_| missing())?;
    let root = archive.canonicalize_utf8().map_err(|_| missing())?;
    if real.starts_with(&root) {
        Ok(path)
    } else {
        Err(HookError::Outside { location: location.to_owned() })
    }
}

fn make_executable(path: &Utf8Path, location: &str) -> Result<(), HookError> {
    let refuse = |source| HookError::NotExecutable { location: location.to_owned(), source };
    let metadata = fs::metadata(path).map_err(refuse)?;
    let mode = metadata.permissions().mode();
    if mode & 0o111 != 0 {
        return Ok(());
    }
    tracing::warn!(script = location, "the script is not executable: setting it so");
    fs::set_permissions(path, fs::Permissions::from_mode(mode | 0o111)).map_err(refuse)
}

#[cfg(test)]
mod tests;
