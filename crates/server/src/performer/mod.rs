//! The performer: makes the machine's local instances be what their records say they should be.
//!
//! It looks at all records, compares them with what runs, and does what is missing; then it waits to be woken by a
//! change of a record, by an instance that ended, or by its own periodic look. It remembers only what runs, so after
//! a crash it adopts what still does and finds out the rest by looking. Handlers never talk to an instance.

mod ingress;
mod metadata_source;
mod perform;
mod provision;
mod step;

use std::collections::{HashMap, HashSet};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use camino::Utf8PathBuf;
use compute::{Adopted, ComputeError, Ingress, LocalHosts, Running};
use model::InstanceId;
use store::{Change, Store};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Mutex as AsyncMutex, MutexGuard, Notify, Semaphore, broadcast};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::ec2::{InstanceRecord, SecurityGroupRecord, instances, key};
use crate::forms::records::{Kept, Record, RecordError, Records};
use crate::iam::Keyring;
use step::Up;

/// What a performer works with.
pub struct PerformerConfig {
    /// The machine's instances, opened.
    pub hosts: LocalHosts,
    /// Everything that is remembered.
    pub store: Store,
    /// Where the instances' credentials come from.
    pub keyring: Arc<Keyring>,
    /// Tells the time.
    pub clock: Clock,
    /// The account.
    pub account: String,
    /// The port at which this server listens on the gateway's address.
    pub port: u16,
    /// The agent that the default image has.
    pub agent: Option<AgentKit>,
}

/// What an instance needs to have the agent installed at its first start.
#[derive(Debug, Clone)]
pub struct AgentKit {
    /// The agent's executable, on the machine.
    pub binary: Utf8PathBuf,
    /// The certificate of the one who signs deployment specifications, in PEM form.
    pub signer_certificate: String,
}

/// Makes local instances be what their records say.
pub struct Performer {
    hosts: LocalHosts,
    store: Store,
    records: Records,
    keyring: Arc<Keyring>,
    clock: Clock,
    account: String,
    port: u16,
    agent: Option<AgentKit>,
    awake: Notify,
    choosing: AsyncMutex<()>,
    /// What runs, by id.
    up: Mutex<HashMap<String, Live>>,
    /// Instances that something is being done to.
    busy: Mutex<HashSet<String>>,
    /// The packet filter's rules as they were last given; locked while they are replaced.
    rules: AsyncMutex<Option<Rules>>,
    starting: Semaphore,
}

/// What the packet filter lets through to each address.
type Rules = Vec<(Ipv4Addr, Vec<Ingress>)>;

/// An instance that runs.
struct Live {
    up: Up,
    /// Ends its metadata service.
    metadata: CancellationToken,
}

/// How many instances are started at the same time: starting one is mostly waiting for the kernel.
const STARTING_MAX: usize = 16;

/// How often everything is looked at although nobody asked for it.
const SWEEP: Duration = Duration::from_secs(30);

impl Performer {
    /// A performer; it does nothing before [`Performer::run`].
    pub fn new(config: PerformerConfig) -> Arc<Self> {
        Arc::new(Self {
            records: Records::new(config.store.clone()),
            hosts: config.hosts,
            store: config.store,
            keyring: config.keyring,
            clock: config.clock,
            account: config.account,
            port: config.port,
            agent: config.agent,
            awake: Notify::new(),
            choosing: AsyncMutex::default(),
            up: Mutex::default(),
            busy: Mutex::default(),
            rules: AsyncMutex::default(),
            starting: Semaphore::new(STARTING_MAX),
        })
    }

    /// Takes over the instances of an earlier run and then works until `stopping` is cancelled. The instances go on.
    pub async fn run(self: Arc<Self>, adopted: Vec<Adopted>, stopping: CancellationToken) {
        let mut changes = self.store.changes();
        for instance in adopted {
            if let Err(error) = self.adopt(instance).await {
                tracing::error!(
                    error = crate::driver::chain(&error),
                    "an instance was not adopted"
                );
            }
        }
        let mut work = JoinSet::new();
        loop {
            if let Err(error) = self.look(&mut work).await {
                tracing::error!(
                    error = crate::driver::chain(&error),
                    "the instances were not looked at"
                );
            }
            if !self.wait(&mut changes, &mut work, &stopping).await {
                break;
            }
        }
        // What was begun is finished: half a start would have to be cleaned up by the next run.
        while work.join_next().await.is_some() {}
        for (_, live) in self.up().drain() {
            live.metadata.cancel();
        }
    }

    /// Ends all instances, as when the machine is switched off: their records still want them to run, so the next
    /// server starts them again. With `remove_bridge`, nothing of longshore's network remains. To be called after
    /// [`Performer::run`] has ended.
    ///
    /// # Errors
    /// Something could not be ended or removed.
    pub async fn close(&self, remove_bridge: bool) -> Result<(), ComputeError> {
        self.hosts.clone().close(remove_bridge).await
    }

    /// The machine's address on the instances' network.
    pub fn gateway(&self) -> Ipv4Addr {
        self.hosts.gateway()
    }

    /// The address of this server as instances reach it.
    pub fn endpoint(&self) -> String {
        format!("http://{}:{}", self.gateway(), self.port)
    }

    /// Looks at everything soon.
    pub fn wake(&self) {
        self.awake.notify_one();
    }

    /// While this is held, nobody else chooses addresses.
    pub(crate) async fn choose_addresses(&self) -> MutexGuard<'_, ()> {
        self.choosing.lock().await
    }

    /// An address that is none of `used`; `None` if all are taken.
    pub(crate) fn free_address(&self, used: &[Ipv4Addr]) -> Option<Ipv4Addr> {
        self.hosts.free_address(used)
    }

    /// Makes the packet filter follow the security groups. When this answers, their rules are in force.
    pub(crate) async fn refresh_filter(&self) -> Result<(), PerformError> {
        let mut in_force = self.rules.lock().await;
        let instances = self.records.list::<InstanceRecord>("").await?;
        let groups = self.records.list::<SecurityGroupRecord>("").await?;
        let rules = ingress::rules(&unwrapped(instances), &unwrapped(groups));
        if in_force.as_ref() != Some(&rules) {
            self.hosts.set_ingress(&rules).await?;
            *in_force = Some(rules);
        }
        Ok(())
    }

    /// Waits until there may be something to do; false if it is to stop.
    async fn wait(
        self: &Arc<Self>,
        changes: &mut broadcast::Receiver<Change>,
        work: &mut JoinSet<()>,
        stopping: &CancellationToken,
    ) -> bool {
        let sweep = tokio::time::sleep(SWEEP);
        tokio::pin!(sweep);
        loop {
            tokio::select! {
                biased;
                () = stopping.cancelled() => return false,
                Some(_) = work.join_next() => {}
                () = self.awake.notified() => return true,
                id = self.hosts.exited() => {
                    self.note_exit(&id).await;
                    return true;
                }
                change = changes.recv() => match change {
                    Ok(change) if !concerns_us(&change) => {}
                    Ok(_) | Err(RecvError::Lagged(_)) => return true,
                    Err(RecvError::Closed) => return false,
                },
                () = &mut sweep => return true,
            }
        }
    }

    async fn adopt(self: &Arc<Self>, instance: Adopted) -> Result<(), PerformError> {
        let id = instance.id.to_string();
        let Some(record) = instances::anywhere(&self.records, &id).await? else {
            tracing::warn!(instance = id, "an instance that nobody knows is removed");
            return Ok(self.hosts.terminate(&instance.id).await?);
        };
        tracing::info!(instance = id, "adopted");
        self.serve(&record, instance.running);
        Ok(())
    }

    /// Notes that the instance is up and serves its metadata.
    fn serve(self: &Arc<Self>, record: &InstanceRecord, running: Running) {
        let metadata = CancellationToken::new();
        let listener = running
            .metadata
            .set_nonblocking(true)
            .and_then(|()| tokio::net::TcpListener::from_std(running.metadata));
        match listener {
            Ok(listener) => {
                let source = metadata_source::MetadataSource::new(Arc::clone(self), record);
                let service = crate::metadata::serve(listener, Arc::new(source), metadata.clone());
                tokio::spawn(service);
            }
            Err(error) => {
                tracing::error!(instance = record.id, %error, "the metadata service did not start");
            }
        }
        let up = Up { boots: record.boots };
        self.up().insert(record.id.clone(), Live { up, metadata });
    }

    /// Notes that the instance is not up any more.
    fn unserve(&self, id: &str) {
        if let Some(live) = self.up().remove(id) {
            live.metadata.cancel();
        }
    }

    fn up(&self) -> std::sync::MutexGuard<'_, HashMap<String, Live>> {
        self.up.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn busy(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PerformError {
    /// The records.
    #[error("the instances' records failed")]
    Records(#[from] RecordError),
    /// The machine.
    #[error("the machine's instances failed")]
    Compute(#[from] ComputeError),
    /// The id in a record is none.
    #[error("the record's id is none")]
    Id(#[from] model::ids::InvalidId),
}

fn concerns_us(change: &Change) -> bool {
    match change {
        Change::Documents(kind) => {
            kind == InstanceRecord::KIND || kind == SecurityGroupRecord::KIND
        }
        Change::Everything => true,
        Change::Deployment(_) | Change::Committed(_) | Change::Output(_) | Change::Host(_) => false,
    }
}

fn unwrapped<R>(kept: Vec<Kept<R>>) -> Vec<R> {
    kept.into_iter().map(|kept| kept.record).collect()
}

fn record_key(record: &InstanceRecord) -> String {
    key(&record.region, &record.id)
}

fn parsed(record: &InstanceRecord) -> Result<InstanceId, PerformError> {
    Ok(record.id.parse()?)
}
