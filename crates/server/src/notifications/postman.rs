//! Delivers messages: claims lanes that are due, sends their messages one after the other, and notes what became of
//! them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::Timestamp;
use store::{Change, ClaimedLane, Delivery, Store, StoreError};
use tokio::sync::OnceCell;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Outside;
use super::counts::{DeliveryCounts, Outcome};
use super::destinations::{self, EventDestination};
use crate::clock::Clock;
use crate::driver::chain;
use crate::forms::records::{RecordError, Records};
use crate::outbound::{Outbound, Outgoing};
use crate::sns::signer::{MessageSigner, MessageSignerError};
use crate::sns::{self, Patience};

/// Lanes that are delivered at the same time.
const LANES_MAX: usize = 32;

/// Lanes of one destination that are: one that hangs must not keep the others from being served.
const LANES_OF_ONE_MAX: usize = 8;

/// Messages of a lane in one claim.
const MESSAGES_MAX: u32 = 10;

/// How long a claim holds without a sign of life: longer than the longest attempt.
const CLAIM: Duration = Duration::from_secs(45);

/// The pause after a failure of our own.
const RETRY: Duration = Duration::from_secs(5);

/// A wake-up may be lost; this is not.
const SWEEP: Duration = Duration::from_secs(10);

/// Delivers messages. Clones share one state.
#[derive(Clone)]
pub struct Postman(Arc<Shared>);

struct Shared {
    store: Store,
    records: Records,
    outbound: Outbound,
    outside: Arc<Outside>,
    clock: Clock,
    counts: Arc<DeliveryCounts>,
    signer: OnceCell<MessageSigner>,
    /// What this server's claims are signed with.
    name: String,
    busy: Mutex<HashMap<String, usize>>,
    stopping: CancellationToken,
}

/// Why a message could not be made ready: not its destination's fault.
#[derive(Debug, thiserror::Error)]
enum Unready {
    #[error(transparent)]
    Envelope(#[from] sns::EnvelopeError),
    #[error(transparent)]
    Signer(#[from] MessageSignerError),
    #[error(transparent)]
    Records(#[from] RecordError),
    #[error("the event cannot be read")]
    Event(#[from] serde_json::Error),
}

impl Postman {
    /// A postman for the messages in `store`; it does nothing until it runs.
    pub fn new(
        store: Store,
        outside: Arc<Outside>,
        clock: Clock,
        counts: Arc<DeliveryCounts>,
        stopping: CancellationToken,
    ) -> Self {
        Self(Arc::new(Shared {
            records: Records::new(store.clone()),
            store,
            outbound: Outbound::new(outside.reach),
            outside,
            clock,
            counts,
            signer: OnceCell::new(),
            name: uuid::Uuid::new_v4().to_string(),
            busy: Mutex::default(),
            stopping,
        }))
    }

    /// The certificate with which receivers verify what topics send.
    ///
    /// # Errors
    /// It cannot be read or made.
    pub async fn certificate_pem(&self) -> Result<String, MessageSignerError> {
        Ok(self.signer().await?.certificate_pem().to_owned())
    }

    async fn signer(&self) -> Result<&MessageSigner, MessageSignerError> {
        self.0.signer.get_or_try_init(|| MessageSigner::of(&self.0.store)).await
    }

    /// Delivers what is due, beginning now, until the server stops. Attempts that are under way then are cut off: they
    /// are made again after the next start.
    pub async fn run(self) {
        let mut changes = self.0.store.changes();
        let mut lanes = JoinSet::new();
        loop {
            let look_again = match self.claim(&mut lanes).await {
                Ok(due) => due,
                Err(error) => {
                    tracing::error!(error = chain(&error), "messages could not be claimed");
                    self.0.clock.now() + RETRY
                }
            };
            let woken = async {
                loop {
                    match changes.recv().await {
                        Ok(Change::Documents(kind)) if kind == Store::DELIVERIES => return,
                        Ok(Change::Everything) | Err(RecvError::Lagged(_) | RecvError::Closed) => {
                            return;
                        }
                        Ok(_) => {}
                    }
                }
            };
            tokio::select! {
                () = self.0.stopping.cancelled() => return,
                Some(_) = lanes.join_next() => {}
                () = woken, if lanes.len() < LANES_MAX => {}
                () = self.0.clock.sleep_until(look_again), if lanes.len() < LANES_MAX => {}
            }
        }
    }

    /// Claims as many due lanes as there is room for; when to look again.
    async fn claim(&self, lanes: &mut JoinSet<()>) -> Result<Timestamp, StoreError> {
        let Shared { store, clock, name, .. } = &*self.0;
        let room = u32::try_from(LANES_MAX.saturating_sub(lanes.len())).unwrap_or(0);
        if room > 0 {
            let now = clock.now();
            for lane in store.claim_lanes(name, now, now + CLAIM, room, MESSAGES_MAX).await? {
                if self.enter(&lane.destination) {
                    lanes.spawn(self.clone().serve(lane));
                } else {
                    store.release(&lane, now + RETRY).await?;
                }
            }
        }
        let sweep = clock.now() + SWEEP;
        Ok(store.next_delivery().await?.map_or(sweep, |due| due.min(sweep)))
    }

    /// Whether one more lane of the destination may be served.
    fn enter(&self, destination: &str) -> bool {
        let mut busy = self.0.busy.lock().unwrap_or_else(PoisonError::into_inner);
        let lanes = busy.entry(destination.to_owned()).or_default();
        let room = *lanes < LANES_OF_ONE_MAX;
        *lanes += usize::from(room);
        room
    }

    fn leave(&self, destination: &str) {
        let mut busy = self.0.busy.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lanes) = busy.get_mut(destination) {
            *lanes -= 1;
            if *lanes == 0 {
                busy.remove(destination);
            }
        }
    }

    async fn serve(self, lane: ClaimedLane) {
        if let Err(error) = self.deliver(&lane).await {
            // The claim ends by itself.
            tracing::error!(
                lane = lane.lane,
                error = chain(&error),
                "a delivery could not be noted"
            );
        }
        self.leave(&lane.destination);
    }

    /// Sends the lane's messages until one fails.
    async fn deliver(&self, lane: &ClaimedLane) -> Result<(), StoreError> {
        let Shared { store, clock, .. } = &*self.0;
        let mut attempts = lane.attempts;
        for message in &lane.messages {
            let (outgoing, patience) = match self.prepare(&lane.destination, message).await {
                Ok(Some(ready)) => ready,
                Ok(None) => {
                    // Its destination does not exist any more.
                    store.delivered(lane, message, clock.now() + CLAIM).await?;
                    continue;
                }
                Err(error) => {
                    tracing::error!(
                        lane = lane.lane,
                        error = chain(&error),
                        "a message is not ready"
                    );
                    return store.release(lane, clock.now() + RETRY).await;
                }
            };
            match self.send(outgoing).await {
                Ok(()) => {
                    self.0.counts.count(Outcome::Delivered);
                    if !store.delivered(lane, message, clock.now() + CLAIM).await? {
                        return Ok(());
                    }
                    attempts = 0;
                }
                Err(error) => return self.failed(lane, message, attempts, &patience, &error).await,
            }
        }
        store.release(lane, clock.now()).await
    }

    async fn failed(
        &self,
        lane: &ClaimedLane,
        message: &Delivery,
        attempts: u32,
        patience: &Patience,
        error: &str,
    ) -> Result<(), StoreError> {
        let Shared { store, clock, counts, .. } = &*self.0;
        let (now, failed) = (clock.now(), attempts + 1);
        tracing::info!(lane = lane.lane, message = message.id, failed, error, "not delivered");
        match patience.pause(failed) {
            Some(pause) => {
                counts.count(Outcome::Failed);
                store.postpone(lane, now, now + pause, error).await
            }
            None => {
                counts.count(Outcome::Dead);
                let letter = uuid::Uuid::new_v4().to_string();
                store.bury(lane, message, &letter, failed, now, error).await
            }
        }
    }

    /// The request that brings the message; none if its destination does not exist any more.
    async fn prepare(
        &self,
        destination: &str,
        message: &Delivery,
    ) -> Result<Option<(Outgoing, Patience)>, Unready> {
        let Shared { records, outside, clock, .. } = &*self.0;
        let Some(key) = destinations::key_of(destination) else {
            let signer = self.signer().await?;
            return Ok(sns::prepare(records, signer, outside, destination, message).await?);
        };
        let Some(kept) = records.get::<EventDestination>(key).await? else { return Ok(None) };
        let outgoing = kept.record.outgoing(message, clock.now())?;
        Ok(Some((outgoing, Patience::default())))
    }

    async fn send(&self, outgoing: Outgoing) -> Result<(), String> {
        match self.0.outbound.send(outgoing).await {
            Ok(answer) if (200..300).contains(&answer.status) => Ok(()),
            Ok(answer) => Err(format!("it answered HTTP {}", answer.status)),
            Err(error) => Err(chain(&error)),
        }
    }
}
