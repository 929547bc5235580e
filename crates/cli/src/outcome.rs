//! How commands end: what the shell is told, and what a person is told when something went wrong.

use std::process::ExitCode;

use crate::client::{CallError, SettingsError, settings_advice};

/// What a deployment that failed ends a command with that followed it.
pub const FAILED: u8 = 1;
/// What a deployment that was stopped ends a command with that followed it.
pub const STOPPED: u8 = 2;
/// A command that could not be understood, or lacks a setting.
pub const USAGE: u8 = 3;
/// What shells expect after Ctrl-C.
pub const INTERRUPTED: u8 = 130;

/// A request that makes no sense as it was given.
#[derive(Debug, thiserror::Error)]
#[error("{problem}")]
pub struct Usage {
    problem: String,
    advice: String,
}

impl Usage {
    /// What is wrong, and what to do.
    pub fn new(problem: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { problem: problem.into(), advice: advice.into() }
    }
}

/// Tells standard error what failed, and what to do next.
pub fn tell(error: &anyhow::Error) -> ExitCode {
    eprintln!("longshore: {error:#}");
    let advice = error.chain().find_map(|cause| {
        if let Some(call) = cause.downcast_ref::<CallError>() {
            return call.advice();
        }
        if let Some(settings) = cause.downcast_ref::<SettingsError>() {
            return settings_advice(settings);
        }
        Some(cause.downcast_ref::<Usage>()?.advice.clone())
    });
    for line in advice.iter().flat_map(|advice| advice.lines()) {
        eprintln!("  {line}");
    }
    let is_usage = error.chain().any(|cause| {
        cause.is::<Usage>()
            || cause.is::<SettingsError>()
            || matches!(cause.downcast_ref(), Some(CallError::Settings(_)))
    });
    ExitCode::from(if is_usage { USAGE } else { FAILED })
}
