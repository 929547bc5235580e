//! What agents send of their hooks' output, while the hooks run.

use model::{HostCommandId, Timestamp};
use store::{OutputBatch, OutputLimits, Store};
use tokio::sync::Semaphore;
use wire::commands::HookOutputChunk;

use super::client;
use crate::app::hook_output::Chunk;
use crate::app::{Answer, Failure};

/// Batches that are written at the same time. An agent sends one at a time and waits for the answer, so a server that is
/// busy slows down what it is sent; the hooks do not notice, for their agents drop what they cannot send.
const WRITTEN_AT_ONCE: usize = 4;
/// The longest batch, in bytes of output.
const BATCH_BYTES_MAX: usize = 256 << 10;

/// Takes output in.
pub struct Output {
    store: Store,
    limits: OutputLimits,
    places: Semaphore,
}

impl Output {
    /// Takes output into `store`, which keeps it within `limits`.
    pub fn new(store: Store, limits: OutputLimits) -> Self {
        Self { store, limits, places: Semaphore::new(WRITTEN_AT_ONCE) }
    }

    /// Stores one batch of a command's output. One that was there before changes nothing.
    pub async fn add(
        &self,
        command: HostCommandId,
        number: i64,
        chunks: Vec<HookOutputChunk>,
        received: Timestamp,
    ) -> Answer<()> {
        let chunks: Vec<Chunk> = chunks.into_iter().filter_map(|c| chunk(c, received)).collect();
        let bytes: usize = chunks.iter().map(|chunk| chunk.text.len()).sum();
        if bytes == 0 {
            return Ok(());
        }
        if bytes > BATCH_BYTES_MAX {
            return Err(client(format!(
                "the batch has {bytes} bytes of output; at most {BATCH_BYTES_MAX} are allowed"
            )));
        }
        let chunks = serde_json::to_string(&chunks)
            .map_err(|error| Failure::internal("output cannot be written as JSON", error))?;
        let batch = OutputBatch { command, number, bytes: bytes as u64, chunks, received };
        // Never closed.
        let _place = self.places.acquire().await;
        self.store.add_output(&batch, &self.limits).await?;
        Ok(())
    }
}

fn chunk(chunk: HookOutputChunk, received: Timestamp) -> Option<Chunk> {
    let text = chunk.text.filter(|text| !text.is_empty())?;
    let stream = chunk.stream.unwrap_or_else(|| "stdout".to_owned());
    let millis = chunk.time.map_or(received.as_millis(), wire::Time::as_millis);
    Some(Chunk { stream, millis, text })
}
