//! Hook output on its way to the control plane, while the hook runs.
//!
//! A hook never waits for this: what cannot be sent in time is dropped, the oldest that waits first, which is the middle of the
//! whole, and a note says how much. The host's own log has all of it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::clock;
use crate::service::{CommandService, OutputRefused};
use crate::spec::chain;

/// Output that waits at most, in bytes. With sixteen commands at once, this bounds the agent's memory.
const WAITING_BYTES_MAX: usize = 512 << 10;
/// A batch goes as soon as there is this much, in bytes; one that waited for the answer to another may have more.
const BATCH_BYTES: usize = 64 << 10;
/// The largest batch, in bytes and in chunks; the service takes 256 KiB and 1,024.
const BATCH_BYTES_MAX: usize = 192 << 10;
const BATCH_CHUNKS_MAX: usize = 1000;
/// A batch goes after this time, however small: somebody may be watching.
const BATCH_AFTER: Duration = Duration::from_millis(250);
/// Lines of one stream are put together up to this size, in bytes, where they come close upon one another.
const CHUNK_BYTES: usize = 16 << 10;
/// Pauses between two tries to send the same batch.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Where output was printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    Stdout,
    Stderr,
    /// The agent's own words.
    Note,
}

impl Stream {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
            Self::Note => "note",
        }
    }
}

/// A piece of output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// Where it was printed.
    pub stream: Stream,
    /// When the first of it was, in milliseconds since the epoch.
    pub millis: i64,
    /// One or more lines.
    pub text: String,
}

/// One command's output that waits to be sent. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Outbox {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    news: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    chunks: VecDeque<Chunk>,
    bytes: usize,
    dropped: u64,
    /// When the oldest of it came.
    since: Option<Instant>,
    /// Nothing more will come.
    closed: bool,
    /// Nobody will take it.
    refused: bool,
}

impl Outbox {
    /// Adds what was printed. Never waits.
    pub fn add(&self, stream: Stream, printed: &[u8]) {
        let mut waiting = self.waiting();
        if waiting.refused || printed.is_empty() {
            return;
        }
        let before = waiting.bytes;
        waiting.add(stream, &String::from_utf8_lossy(printed));
        // Whoever waits is told of the first, and of a whole batch; what comes between changes nothing.
        if before == 0 || (before < BATCH_BYTES && waiting.bytes >= BATCH_BYTES) {
            self.shared.news.notify_one();
        }
    }

    /// Says that nothing more will come.
    pub fn close(&self) {
        self.waiting().closed = true;
        self.shared.news.notify_one();
    }

    fn refuse(&self) {
        let mut waiting = self.waiting();
        waiting.refused = true;
        waiting.chunks = VecDeque::new();
    }

    /// The next batch, when it is due; nothing after the last.
    async fn batch(&self) -> Option<Vec<Chunk>> {
        loop {
            let due = {
                let mut waiting = self.waiting();
                match waiting.since {
                    None if waiting.closed => return None,
                    None => None,
                    Some(since) => {
                        let due = since + BATCH_AFTER;
                        let full = waiting.bytes >= BATCH_BYTES;
                        if full || waiting.closed || Instant::now() >= due {
                            return Some(waiting.take());
                        }
                        Some(due)
                    }
                }
            };
            let news = self.shared.news.notified();
            match due {
                None => news.await,
                Some(due) => drop(tokio::time::timeout_at(due, news).await),
            }
        }
    }

    /// A panic of another thread leaves nothing half-changed behind this lock.
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.shared.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn add(&mut self, stream: Stream, text: &str) {
        self.bytes += text.len();
        self.since.get_or_insert_with(Instant::now);
        match self.chunks.back_mut() {
            Some(last) if last.stream == stream && last.text.len() + text.len() <= CHUNK_BYTES => {
                last.text.push_str(text);
            }
            _ => {
                let (millis, text) = (clock::now_millis(), text.to_owned());
                self.chunks.push_back(Chunk { stream, millis, text });
            }
        }
        while self.bytes > WAITING_BYTES_MAX && self.chunks.len() > 1 {
            let Some(oldest) = self.chunks.pop_front() else { break };
            self.bytes -= oldest.text.len();
            self.dropped += oldest.text.len() as u64;
        }
    }

    fn take(&mut self) -> Vec<Chunk> {
        let mut batch = Vec::new();
        if self.dropped > 0 {
            let text = format!(
                "{} bytes of output were not sent, for the control plane did not keep up; scripts.log on the host has them\n",
                std::mem::take(&mut self.dropped)
            );
            batch.push(Chunk { stream: Stream::Note, millis: clock::now_millis(), text });
        }
        let mut bytes = 0;
        while let Some(next) = self.chunks.front()
            && batch.len() < BATCH_CHUNKS_MAX
            && (bytes == 0 || bytes + next.text.len() <= BATCH_BYTES_MAX)
        {
            bytes += next.text.len();
            batch.extend(self.chunks.pop_front());
        }
        self.bytes -= bytes;
        self.since = (!self.chunks.is_empty()).then(Instant::now);
        batch
    }
}

/// Sends a command's output until it is closed and all of it is sent. One batch at a time, the next after the answer: a
/// control plane that is busy gets less.
pub async fn send(outbox: Outbox, service: &CommandService, command: &str) {
    let mut number = 0;
    while let Some(batch) = outbox.batch().await {
        let mut pause = PAUSES.0;
        loop {
            match service.put_output(command, number, &batch).await {
                Ok(()) => break,
                Err(OutputRefused::ForGood(error)) => {
                    tracing::info!(command, error = chain(&error), "the service takes no output");
                    return outbox.refuse();
                }
                // Sent again under the same number: if it was heard after all, it changes nothing.
                Err(OutputRefused::ForNow(error)) => {
                    tracing::debug!(command, error = chain(&error), "output is sent again");
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSES.1);
        }
        number += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(batch: &[Chunk]) -> String {
        batch.iter().map(|chunk| chunk.text.as_str()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_goes_after_a_while_or_when_it_is_full() {
        let outbox = Outbox::default();
        outbox.add(Stream::Stdout, b"one\n");
        outbox.add(Stream::Stdout, b"two\n");
        outbox.add(Stream::Stderr, b"t\xffree\n");
        let began = Instant::now();
        let batch = outbox.batch().await.unwrap();
        assert_eq!(began.elapsed(), BATCH_AFTER);
        assert_eq!(batch.len(), 2);
        assert_eq!(batch[0].text, "one\ntwo\n");
        assert_eq!((batch[1].stream, batch[1].text.as_str()), (Stream::Stderr, "t\u{fffd}ree\n"));
        for _ in 0..5 {
            outbox.add(Stream::Stdout, &[b'x'; 15 << 10]);
        }
        let began = Instant::now();
        assert_eq!(all(&outbox.batch().await.unwrap()).len(), 75 << 10);
        assert_eq!(began.elapsed(), Duration::ZERO);
        outbox.add(Stream::Stdout, b"end");
        outbox.close();
        assert_eq!(all(&outbox.batch().await.unwrap()), "end");
        assert_eq!(began.elapsed(), Duration::ZERO);
        assert_eq!(outbox.batch().await, None);
    }

    #[tokio::test]
    async fn what_nobody_takes_is_dropped_from_the_middle_and_told() {
        let outbox = Outbox::default();
        outbox.add(Stream::Stdout, b"first\n");
        assert_eq!(all(&outbox.batch().await.unwrap()), "first\n");
        let line = format!("{}\n", "x".repeat(99));
        for _ in 0..100_000 {
            outbox.add(Stream::Stdout, line.as_bytes());
        }
        outbox.add(Stream::Stdout, b"last\n");
        outbox.close();
        assert!(outbox.waiting().bytes <= WAITING_BYTES_MAX);
        let (mut notes, mut kept) = (Vec::new(), String::new());
        while let Some(batch) = outbox.batch().await {
            assert!(all(&batch).len() <= BATCH_BYTES_MAX + 200);
            for chunk in batch {
                match chunk.stream {
                    Stream::Note => notes.push(chunk.text),
                    _ => kept.push_str(&chunk.text),
                }
            }
        }
        let dropped = 10_000_005 - kept.len();
        assert_eq!(notes.len(), 1);
        assert!(notes[0].starts_with(&format!("{dropped} bytes of output")), "{}", notes[0]);
        assert!(kept.ends_with("\nlast\n"));
        assert!(kept.len() > WAITING_BYTES_MAX - CHUNK_BYTES);
    }

    #[test]
    fn after_a_refusal_nothing_is_kept() {
        let outbox = Outbox::default();
        outbox.add(Stream::Stdout, b"one");
        outbox.refuse();
        outbox.add(Stream::Stdout, b"two");
        assert!(outbox.waiting().chunks.is_empty());
    }
}
