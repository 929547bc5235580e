//! Removing what nobody can ask for any more.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Records;
use super::records::RecordError;
use crate::clock::Clock;
use crate::driver::chain;
use crate::ec2;
use crate::iam::Keyring;

/// How often it is done. Nothing depends on it but the size of the database.
const EVERY: Duration = Duration::from_secs(600);

/// How long messages that were given up are kept. As long as the longest that SQS keeps those of its dead-letter queues.
const DEAD_LETTERS_KEPT: Duration = Duration::from_secs(14 * 24 * 3600);

/// Removes ended credentials, old idempotency tokens and old dead letters, now and then, until `stopping` is cancelled.
pub async fn housekeep(
    records: Records,
    keyring: Arc<Keyring>,
    clock: Clock,
    stopping: CancellationToken,
) {
    loop {
        tokio::select! {
            () = stopping.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        if let Err(error) = once(&records, &keyring, &clock).await {
            tracing::warn!(error = chain(&error), "old records were not removed");
        }
    }
}

async fn once(records: &Records, keyring: &Keyring, clock: &Clock) -> Result<(), RecordError> {
    let removed = keyring.sweep(clock.now()).await?;
    if removed > 0 {
        tracing::debug!(removed, "removed credentials that had ended");
    }
    let dead = records.store().forget_dead_letters(clock.now() - DEAD_LETTERS_KEPT).await?;
    if dead > 0 {
        tracing::info!(dead, "removed messages that were given up long ago");
    }
    ec2::forget_tokens(records, clock.now()).await
}
