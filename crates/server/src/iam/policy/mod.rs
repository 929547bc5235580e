//! The policy language: documents read, patterns matched, conditions judged. Pure: no store, no clock.
//!
//! Source: IAM user guide, "Grammar of the IAM JSON policy language" and "Policy evaluation logic".

mod condition;
mod document;
mod evaluate;
pub mod managed;
mod pattern;

pub use document::{MalformedPolicy, Policy, PolicyKind};
pub(crate) use evaluate::SESSION_ARN;
pub use evaluate::{Facts, Request, Verdict, verdict_of};
pub(crate) use pattern::matches_wildcards;
