//! The AWS protocols that longshore speaks: shapes, names, encodings and signatures, and nothing behind them.
//!
//! - [`codedeploy`], [`commands`] and [`longshore`]: the operations of CodeDeploy, of the agents' command service and of
//!   longshore's own service, with their inputs, outputs, limits and errors, generated from the service models;
//! - [`json11`], [`query`], [`xml`], [`monitoring`]: the encodings of requests, answers and errors;
//! - [`sigv4`]: signing and verifying requests; [`cms`]: the signed deployment specification.
//!
//! Everything here is a function of its arguments: no I/O, no async, no clock. It does not know the domain's types
//! (crate `model`); the edges of server and agent convert between the two.

pub mod codedeploy;
pub mod commands;
pub mod longshore;

mod call;
mod error;
mod rule;
mod time;

pub mod json11;
pub mod monitoring;
pub mod query;
pub mod xml;

pub mod cms;
pub mod sigv4;

pub use call::{Call, NoOutput, Validate};
pub use error::{ErrorCode, ServiceError};
pub use time::Time;
