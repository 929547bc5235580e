//! All instances of one server: who runs, who is being started or ended, and what goes with that.

mod adoption;

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use camino::Utf8PathBuf;
use model::InstanceId;
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex as AsyncMutex, mpsc};

use crate::ComputeError;
use crate::cgroup::{self, InstanceGroups};
use crate::disk::StateDir;
use crate::filter::{self, Ruleset};
use crate::launch::Launch;
use crate::live::{Ending, KILL_PATIENCE, Live, kill_recorded};
use crate::network::{self, Names, Network};
use crate::spec::{INSTANCE_NUMBERS, Ingress, InstanceSpec, LocalConfig, Running};
use crate::subnet::{Cidr, free_subnet};

/// All instances of one server.
#[derive(Debug)]
pub(crate) struct Instances {
    config: LocalConfig,
    /// What instances must not see, links resolved.
    hidden: Vec<Utf8PathBuf>,
    state: StateDir,
    names: Names,
    subnet: Cidr,
    network: Network,
    /// The rules in force. Locked while they are replaced, so that the last ones given are those that hold.
    ingress: AsyncMutex<Vec<(Ipv4Addr, Vec<Ingress>)>>,
    slots: Mutex<HashMap<InstanceId, Slot>>,
    exits: mpsc::UnboundedSender<InstanceId>,
    exited: AsyncMutex<mpsc::UnboundedReceiver<InstanceId>>,
    _lock: File,
}

/// One instance's place. Whoever starts or ends it holds the lock on what is in it. Places are never removed: one who
/// waits for the lock must not end up with a place that nobody else finds.
#[derive(Debug, Clone, Default)]
struct Slot {
    /// Known as long as the instance runs or is about to.
    address: Option<Ipv4Addr>,
    live: Arc<AsyncMutex<Option<Live>>>,
}

/// What is written down about the network, so that instances keep their addresses.
#[derive(Debug, Serialize, Deserialize)]
struct NetworkRecord {
    subnet: Cidr,
}

const NETWORK: &str = "network.json";
const INGRESS: &str = "ingress.json";

impl Instances {
    /// Makes the bridge and the filter; adopts nothing yet.
    pub async fn open(config: LocalConfig) -> Result<Arc<Self>, ComputeError> {
        let state = StateDir::create(&config.state_dir)?;
        let lock = state.lock()?;
        state.check_fitness()?;
        let names = Names::new(state.tag());
        let subnet = choose_subnet(&config, &state, &names).await?;
        let network = Network::open(names.clone(), subnet).await?;
        let ingress = state.read(INGRESS)?.unwrap_or_default();
        let (exits, exited) = mpsc::unbounded_channel();
        let hidden = config.hidden.iter().filter_map(|path| path.canonicalize_utf8().ok());
        let instances = Arc::new(Self {
            hidden: hidden.chain([state.path().to_owned()]).collect(),
            config,
            state,
            names,
            subnet,
            network,
            ingress: AsyncMutex::new(ingress),
            slots: Mutex::default(),
            exits,
            exited: AsyncMutex::new(exited),
            _lock: lock,
        });
        instances.apply_filter(&instances.ingress.lock().await).await?;
        Ok(instances)
    }

    pub fn gateway(&self) -> Ipv4Addr {
        self.network.gateway()
    }

    pub fn subnet(&self) -> Cidr {
        self.subnet
    }

    pub fn free_address(&self, used: &[Ipv4Addr]) -> Option<Ipv4Addr> {
        let slots = self.slots();
        let running = |address| slots.values().any(|slot| slot.address == Some(address));
        INSTANCE_NUMBERS
            .map(|number| self.subnet.nth(number))
            .find(|address| !used.contains(address) && !running(*address))
    }

    /// The next instance that ended by itself.
    pub async fn exited(&self) -> InstanceId {
        match self.exited.lock().await.recv().await {
            Some(id) => id,
            None => std::future::pending().await,
        }
    }

    fn slots(&self) -> std::sync::MutexGuard<'_, HashMap<InstanceId, Slot>> {
        // Nothing that holds it can stop half-way through a change.
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn live(&self, id: &InstanceId) -> Arc<AsyncMutex<Option<Live>>> {
        self.slots().entry(id.clone()).or_default().live.clone()
    }

    fn groups(&self, id: &str) -> InstanceGroups {
        InstanceGroups::new(&self.names.cgroup, id)
    }

    pub async fn start(self: &Arc<Self>, spec: &InstanceSpec) -> Result<Running, ComputeError> {
        let slot = self.live(&spec.id);
        let mut live = slot.lock().await;
        if live.is_some() {
            return Err(ComputeError::AlreadyRunning(spec.id.clone()));
        }
        self.take_address(&spec.id, spec.address)?;
        match self.start_processes(spec).await {
            Ok((started, running)) => {
                *live = Some(started.clone());
                self.watch(spec.id.clone(), started);
                Ok(running)
            }
            Err(error) => {
                let leftover = self.clean(&spec.id, Some(spec.address)).await;
                if let Err(error) = leftover {
                    tracing::warn!(instance = %spec.id, %error, "left something behind");
                }
                Err(error)
            }
        }
    }

    fn take_address(&self, id: &InstanceId, address: Ipv4Addr) -> Result<(), ComputeError> {
        let mut slots = self.slots();
        let holder = slots
            .iter()
            .find(|(other, slot)| *other != id && slot.address == Some(address))
            .map(|(other, _)| other.clone());
        if let Some(holder) = holder {
            return Err(ComputeError::AddressTaken { address, holder });
        }
        slots.entry(id.clone()).or_default().address = Some(address);
        Ok(())
    }

    async fn start_processes(
        self: &Arc<Self>,
        spec: &InstanceSpec,
    ) -> Result<(Live, Running), ComputeError> {
        let dir = self.state.instance(&spec.id);
        let (limits, hidden) = (self.config.limits, &self.hidden);
        dir.prepare(spec, limits, hidden, &self.names.cgroup)?;
        let launch = Launch::begin(&self.config.executable, &spec.id, dir.clone()).await?;
        let metadata = self.network.attach(spec.address, launch.pid()).await?;
        launch.go().await?;
        let gone = || ComputeError::Start {
            id: spec.id.clone(),
            reason: format!("it ended at once: {}", dir.console_tail()),
        };
        let record = dir.processes()?.ok_or_else(gone)?;
        let live = Live::watch(&record, spec.address)?.ok_or_else(gone)?;
        let pid = live.init.pid();
        Ok((live, Running { pid, metadata }))
    }

    /// Notices when the instance ends by itself. Holds nothing that would keep a server's state directory.
    fn watch(self: &Arc<Self>, id: InstanceId, live: Live) {
        let instances = Arc::downgrade(self);
        tokio::spawn(async move {
            live.init.ended().await;
            live.supervisor.ended().await;
            if let Some(instances) = Weak::upgrade(&instances) {
                instances.bury(id, &live).await;
            }
        });
    }

    async fn bury(&self, id: InstanceId, ended: &Live) {
        let slot = self.live(&id);
        let mut live = slot.lock().await;
        // Somebody ended it on purpose, or started it again meanwhile.
        if !live.as_ref().is_some_and(|live| Arc::ptr_eq(&live.init, &ended.init)) {
            return;
        }
        *live = None;
        if let Err(error) = self.clean(&id, Some(ended.address)).await {
            tracing::warn!(instance = %id, %error, "an instance that ended left something behind");
        }
        // Nobody may be listening any more.
        let _ = self.exits.send(id);
    }

    pub async fn end(&self, id: &InstanceId, ending: Ending) -> Result<(), ComputeError> {
        let slot = self.live(id);
        let mut live = slot.lock().await;
        let address = live.as_ref().map(|live| live.address);
        if let Some(live) = live.as_ref() {
            live.end(id, ending).await?;
        }
        self.clean(id, address).await?;
        *live = None;
        if ending == Ending::AtOnceWithDisk {
            let dir = self.state.instance(id);
            blocking(move || dir.remove()).await?;
        }
        Ok(())
    }

    /// Takes away everything of an instance but its disk; whatever of it still runs is killed.
    async fn clean(&self, id: &InstanceId, address: Option<Ipv4Addr>) -> Result<(), ComputeError> {
        let dir = self.state.instance(id);
        if let Some(record) = dir.processes()? {
            kill_recorded(&record).await?;
        }
        let groups = self.groups(id.as_str());
        groups.kill();
        let emptied = async {
            while groups.occupied() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        if tokio::time::timeout(KILL_PATIENCE, emptied).await.is_err() {
            return Err(ComputeError::DoesNotEnd(id.clone()));
        }
        groups.remove().await;
        if let Some(address) = address {
            self.network.detach(address).await?;
        }
        dir.forget_processes()?;
        if let Some(slot) = self.slots().get_mut(id) {
            slot.address = None;
        }
        Ok(())
    }

    pub async fn set_ingress(
        &self,
        rules: &[(Ipv4Addr, Vec<Ingress>)],
    ) -> Result<(), ComputeError> {
        let mut merged: BTreeMap<Ipv4Addr, Vec<Ingress>> = BTreeMap::new();
        for (address, ingress) in rules {
            merged.entry(*address).or_default().extend_from_slice(ingress);
        }
        let rules: Vec<_> = merged.into_iter().collect();
        let mut ingress = self.ingress.lock().await;
        self.apply_filter(&rules).await?;
        self.state.write(INGRESS, &rules)?;
        *ingress = rules;
        Ok(())
    }

    async fn apply_filter(&self, ingress: &[(Ipv4Addr, Vec<Ingress>)]) -> Result<(), ComputeError> {
        let (names, subnet) = (&self.names, self.subnet);
        let allowed_ports = &self.config.allowed_ports;
        Ruleset { names, subnet, allowed_ports, ingress }.apply().await
    }

    pub async fn close(&self, remove_bridge: bool) -> Result<(), ComputeError> {
        let ids: Vec<_> = self.slots().keys().cloned().collect();
        let ends = ids.iter().map(|id| self.end(id, Ending::AtOnce));
        let ended = futures::future::join_all(ends).await;
        ended.into_iter().collect::<Result<Vec<()>, _>>()?;
        if remove_bridge {
            filter::remove(&self.names).await?;
            self.network.close().await?;
            cgroup::remove_parent(&self.names.cgroup).await;
        }
        Ok(())
    }
}

async fn choose_subnet(
    config: &LocalConfig,
    state: &StateDir,
    names: &Names,
) -> Result<Cidr, ComputeError> {
    let used = network::used_ranges(names).await?;
    let free = |subnet: Cidr| !used.iter().any(|range| range.overlaps(subnet));
    let kept: Option<NetworkRecord> = state.read(NETWORK)?;
    let subnet = match kept.map(|record| record.subnet).or(config.subnet) {
        Some(subnet) if subnet.prefix() != 24 => return Err(ComputeError::SubnetSize(subnet)),
        Some(subnet) if !free(subnet) => return Err(ComputeError::SubnetTaken(subnet)),
        Some(subnet) => subnet,
        None => free_subnet(state.tag(), &used).ok_or(ComputeError::NoFreeSubnet)?,
    };
    state.write(NETWORK, &NetworkRecord { subnet })?;
    Ok(subnet)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ComputeError> + Send + 'static,
) -> Result<T, ComputeError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}
