//! Local instances, from the machine that they run on.

use std::process::ExitCode;

use anyhow::Context;

use crate::args::Shell;
use crate::data_dir::DataDir;
use crate::serve;

/// Runs a command inside an instance. Nothing of the caller's environment goes in but what a terminal needs and the
/// PATH: the caller may hold the root credentials, and an instance has its own.
pub fn shell(shell: &Shell) -> anyhow::Result<ExitCode> {
    let data_dir = DataDir::at(shell.data_dir.or_default());
    let state_dir = serve::instances_dir(data_dir.path());
    let environment: Vec<(String, String)> = ["PATH", "TERM", "LANG", "COLUMNS", "LINES"]
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?)))
        .chain(
            [("HOME", "/root"), ("USER", "root"), ("LOGNAME", "root")]
                .map(|(k, v)| (k.to_owned(), v.to_owned())),
        )
        .collect();
    let code = compute::enter(&state_dir, &shell.instance, &shell.command, &environment)
        .with_context(|| format!("cannot enter {}", shell.instance))?;
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX)))
}
