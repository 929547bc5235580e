//! Load on a server: as much as it takes, or so much a second whatever it takes.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::bail;
use serde_json::Value;
use wire::sigv4::Credentials;

use super::client::Client;
use super::samples::Samples;

/// Connections of a closed loop: each sends its next request when it has the answer to the last.
pub const CONNECTIONS: usize = 8;
/// Connections of an open loop: enough that a slow answer holds up no other request.
pub const OPEN_CONNECTIONS: usize = 32;

/// What is asked, over and over.
pub struct Load<'a> {
    pub port: u16,
    pub credentials: &'a Credentials,
    pub operation: &'a str,
    /// How long it lasts.
    pub time: Duration,
    /// Makes the region and the input of the next request.
    pub request: Box<dyn Fn() -> (String, Value) + Sync + 'a>,
}

impl Load<'_> {
    /// Requests per second that are answered when each of [`CONNECTIONS`] clients asks as fast as it can. Any error
    /// fails the measurement.
    pub fn rate(&self) -> anyhow::Result<f64> {
        let (over, answered) = (AtomicBool::new(false), AtomicU64::new(0));
        let begun = Instant::now();
        std::thread::scope(|scope| {
            let callers: Vec<_> = (0..CONNECTIONS)
                .map(|_| {
                    scope.spawn(|| -> anyhow::Result<()> {
                        let mut client = self.client();
                        while !over.load(Ordering::Relaxed) {
                            self.send(&mut client)?;
                            answered.fetch_add(1, Ordering::Relaxed);
                        }
                        Ok(())
                    })
                })
                .collect();
            std::thread::sleep(self.time);
            over.store(true, Ordering::Relaxed);
            callers.into_iter().try_for_each(|caller| match caller.join() {
                Ok(result) => result,
                Err(_) => bail!("a caller panicked"),
            })
        })?;
        Ok(answered.into_inner() as f64 / begun.elapsed().as_secs_f64())
    }

    /// How long answers take when requests arrive at a fixed rate. Each is measured from when it was due, so that one
    /// which had to wait for a connection counts as slow, as it would for whoever sent it.
    pub fn latencies(&self, per_second: u64) -> anyhow::Result<Samples> {
        let next = AtomicU64::new(0);
        let total = per_second * self.time.as_secs();
        let begun = Instant::now();
        let samples = std::thread::scope(|scope| {
            let callers: Vec<_> = (0..OPEN_CONNECTIONS)
                .map(|_| {
                    scope.spawn(|| -> anyhow::Result<Vec<Duration>> {
                        let (mut client, mut times) = (self.client(), Vec::new());
                        loop {
                            let number = next.fetch_add(1, Ordering::Relaxed);
                            if number >= total {
                                return Ok(times);
                            }
                            let nanoseconds = number * 1_000_000_000 / per_second;
                            let due = begun + Duration::from_nanos(nanoseconds);
                            std::thread::sleep(due.saturating_duration_since(Instant::now()));
                            self.send(&mut client)?;
                            times.push(due.elapsed());
                        }
                    })
                })
                .collect();
            let mut all = Vec::new();
            for caller in callers {
                match caller.join() {
                    Ok(times) => all.extend(times?),
                    Err(_) => bail!("a caller panicked"),
                }
            }
            anyhow::Ok(all)
        })?;
        Ok(Samples::of(samples))
    }

    fn client(&self) -> Client {
        Client::new(self.port, self.credentials.clone())
    }

    fn send(&self, client: &mut Client) -> anyhow::Result<()> {
        let (region, input) = (self.request)();
        client.region = region;
        client.codedeploy(self.operation, &input).map(drop)
    }
}
