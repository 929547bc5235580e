//! Turns notices into deliveries: who wants to hear of it, and in which words.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};
use store::{Change, DeploymentRecord, NewDelivery, Notice, Store};
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;
use wire::codedeploy::TriggerConfig;

use super::destinations::{self, EventDestination};
use super::{RolloutCounts, events, messages};
use crate::app::{Failure, Options};
use crate::driver::chain;
use crate::forms::records::{Kept, Record, RecordError, Records};
use crate::sns::publish::{self, Message, Order};
use crate::sns::subscriptions::{SubscriptionRecord, of_topic};

/// Notices that are read at once.
const NOTICES_MAX: u32 = 500;

/// The pause after a pass: a rollout makes many notices within it.
const GATHER: Duration = Duration::from_millis(50);

/// A wake-up may be lost; this is not.
const SWEEP: Duration = Duration::from_secs(10);

/// Makes deliveries of notices.
pub struct Spreader {
    store: Store,
    records: Records,
    account: String,
    counts: Arc<RolloutCounts>,
    stopping: CancellationToken,
}

impl Spreader {
    /// A spreader of the notices in `store`.
    pub fn new(
        store: Store,
        account: String,
        counts: Arc<RolloutCounts>,
        stopping: CancellationToken,
    ) -> Self {
        Self { records: Records::new(store.clone()), store, account, counts, stopping }
    }

    /// Spreads whatever is there, beginning now, until the server stops.
    pub async fn run(self: Arc<Self>) {
        let mut changes = self.store.changes();
        loop {
            if let Err(error) = self.spread_all().await {
                tracing::error!(
                    error = chain(&error),
                    "notices could not be turned into deliveries"
                );
            }
            tokio::select! {
                () = self.stopping.cancelled() => return,
                () = tokio::time::sleep(GATHER) => {}
            }
            let woken = async {
                loop {
                    match changes.recv().await {
                        Ok(Change::Deployment(_) | Change::Committed(_) | Change::Everything)
                        | Err(RecvError::Lagged(_) | RecvError::Closed) => return,
                        Ok(Change::Host(_) | Change::Documents(_) | Change::Output(_)) => {}
                    }
                }
            };
            tokio::select! {
                () = woken => {}
                () = tokio::time::sleep(SWEEP) => {}
                () = self.stopping.cancelled() => return,
            }
        }
    }

    /// Spreads until no notice is left.
    async fn spread_all(&self) -> Result<(), Failure> {
        loop {
            let notices = self.store.notices(NOTICES_MAX).await?;
            if notices.is_empty() {
                return Ok(());
            }
            for of_one in notices.chunk_by(|a, b| a.deployment == b.deployment) {
                self.spread(of_one).await?;
            }
        }
    }

    async fn spread(&self, notices: &[Notice]) -> Result<(), Failure> {
        let deliveries = match self.store.deployment(&notices[0].deployment).await? {
            Some(record) => self.deliveries(&record, notices).await?,
            None => Vec::new(),
        };
        // If another server was faster, its deliveries are the same.
        if self.store.spread(notices, &deliveries).await? {
            self.counts.count(notices);
        }
        Ok(())
    }

    async fn deliveries(
        &self,
        record: &DeploymentRecord,
        notices: &[Notice],
    ) -> Result<Vec<NewDelivery>, Failure> {
        let unreadable = |error| Failure::internal("who is to be told cannot be read", error);
        let triggers = Options::read(record)?.triggers;
        let subscriptions = self.subscriptions(&triggers).await.map_err(unreadable)?;
        let in_region = destinations::key(&record.region, "");
        let destinations = self.records.list::<EventDestination>(&in_region).await;
        let destinations = destinations.map_err(unreadable)?;
        let mut deliveries = Vec::new();
        for notice in notices {
            for trigger in &triggers {
                let told = self.of_trigger(record, notice, trigger, &subscriptions);
                deliveries.extend(told.map_err(unreadable)?);
            }
            deliveries.extend(self.of_destinations(record, notice, &destinations));
        }
        Ok(deliveries)
    }

    /// The subscriptions of each topic that a trigger names.
    async fn subscriptions(
        &self,
        triggers: &[TriggerConfig],
    ) -> Result<HashMap<String, Vec<Kept<SubscriptionRecord>>>, RecordError> {
        let mut found = HashMap::new();
        for topic in triggers.iter().filter_map(|trigger| trigger.trigger_target_arn.clone()) {
            let subscriptions = of_topic(&self.records, &topic).await?;
            found.insert(topic, subscriptions);
        }
        Ok(found)
    }

    fn of_trigger(
        &self,
        record: &DeploymentRecord,
        notice: &Notice,
        trigger: &TriggerConfig,
        subscriptions: &HashMap<String, Vec<Kept<SubscriptionRecord>>>,
    ) -> Result<Vec<NewDelivery>, RecordError> {
        let topic = trigger.trigger_target_arn.as_deref().unwrap_or_default();
        let Some(subscriptions) = subscriptions.get(topic) else { return Ok(Vec::new()) };
        let name = trigger.trigger_name.as_deref().unwrap_or_default();
        let wanted = trigger.trigger_events.as_deref().unwrap_or_default();
        let order = Order { lane: record.state.id.to_string(), place: place(notice) };
        let mut deliveries = Vec::new();
        for event in messages::trigger_events(&notice.what, record.state.creator) {
            if !wanted.iter().any(|wanted| wanted == event) {
                continue;
            }
            let told = messages::message(&self.account, record, &notice.what, name);
            let message = Message {
                id: derived_id(notice, &format!("{name} {event}")),
                subject: Some(told.subject),
                message: told.body,
                attributes: BTreeMap::new(),
                at: notice.at,
            };
            deliveries.extend(publish::deliveries(subscriptions, &message, Some(&order))?);
        }
        Ok(deliveries)
    }

    fn of_destinations(
        &self,
        record: &DeploymentRecord,
        notice: &Notice,
        destinations: &[Kept<EventDestination>],
    ) -> Vec<NewDelivery> {
        let id = derived_id(notice, "event");
        let event = events::event(&self.account, record, &notice.what, &id, notice.at);
        let Some(event) = event else { return Vec::new() };
        let wanting = destinations.iter().filter(|kept| kept.record.wants(record, &event));
        wanting
            .map(|kept| {
                let destination = destinations::destination(&kept.record.key());
                NewDelivery {
                    id: id.clone(),
                    lane: format!("{destination} {}", record.state.id),
                    destination,
                    place: place(notice),
                    body: event.to_string(),
                    created: notice.at,
                }
            })
            .collect()
    }
}

/// A place in the order of a deployment's notices. A commit has fewer than a million actions.
fn place(notice: &Notice) -> i64 {
    let version = i64::try_from(notice.version).unwrap_or(i64::MAX >> 20);
    (version << 20) | i64::from(notice.position & 0xf_ffff)
}

/// An id that is the same whenever, and on whichever server, the same is told.
fn derived_id(notice: &Notice, what: &str) -> String {
    let named = format!("{} {} {} {what}", notice.deployment, notice.version, notice.position);
    let digest = Sha256::digest(named.as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}
