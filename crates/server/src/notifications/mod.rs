//! Telling others what happened to deployments.
//!
//! The store's commit leaves a [notice](store::Notice) of each change that somebody may want to hear of. [`Spreader`]
//! turns notices into deliveries: to the subscriptions of the topics that a group's triggers name, and to event
//! destinations. [`Postman`] delivers, each destination's messages about one deployment in their order, until they are
//! taken in or given up. Nothing here is waited for by a rollout, and nothing is lost by a crash: a message is either a
//! notice, a delivery, taken in, or a dead letter.

pub(crate) mod api;
mod counts;
pub(crate) mod destinations;
mod events;
mod messages;
mod postman;
mod rollout_counts;
mod spreader;
mod webhook;

pub use counts::DeliveryCounts;
pub(crate) use messages::{TestedTrigger, trigger_test};
pub use postman::Postman;
pub use rollout_counts::RolloutCounts;
pub use spreader::Spreader;

use crate::outbound::Reach;

/// How others are reached, and how they reach this server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outside {
    /// This server's address in links: scheme, host and port, without a slash at the end.
    pub public_url: String,
    /// Which addresses may be asked.
    pub reach: Reach,
}
