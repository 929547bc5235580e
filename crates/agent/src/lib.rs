//! The host agent: fetches host commands, fetches and unpacks bundles, installs files and runs hooks.
//!
//! It knows one command at a time and no deployment logic: what comes next is the control plane's business. The order of
//! a command's life is [`poll`] → [`spec`] → [`executor`] ([`bundle`], [`install`], [`hooks`]) → [`journal`] → the service.
//! Paths and files on the host are those of the official agent ([`layout`], [`config`]), so that people and tools find
//! what they know.

pub mod config;
pub mod layout;

pub mod clock;
pub mod diagnostics;
pub mod users;

pub mod bundle;
mod gate;
pub mod hooks;
pub mod install;
mod write_behind;

pub mod host_plan;
pub mod output;

pub mod executor;
pub mod spec;

pub mod journal;

pub mod credentials;
pub mod http;
pub mod identity;
pub mod names;
mod proxies;
pub mod service;

pub mod daemon;
pub mod local;
pub mod logs;
pub mod poll;
pub mod validate;
pub mod watchman;

pub mod self_install;

#[doc(hidden)]
pub mod fuzzing;

/// The version that every call carries, in the form of the official agent's `.version` file.
pub const VERSION: &str = concat!("longshore_", env!("CARGO_PKG_VERSION"));
