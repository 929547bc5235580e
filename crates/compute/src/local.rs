//! The local instances of one server.

use std::collections::HashMap;
use std::fs::File;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use camino::Utf8PathBuf;
use model::InstanceId;
use rustix::process::Signal;
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex as AsyncMutex, mpsc};

use crate::cgroup::{self, InstanceGroups};
use crate::disk::{ProcessRecord, StateDir};
use crate::filter::{self, Ruleset};
use crate::launch::Launch;
use crate::network::{self, Names, Network};
use crate::process::{WatchedProcess, boot_id};
use crate::spec::{Adopted, Ingress, InstanceSpec, LocalConfig, Running};
use crate::subnet::{Cidr, free_subnet};
use crate::{ComputeError, Missing};

/// How long an instance has to end by itself when it is stopped: longer than its init waits for its processes.
const STOP_GRACE: Duration = Duration::from_secs(6);

/// How long the kernel may take to end what was killed.
const KILL_PATIENCE: Duration = Duration::from_secs(10);

/// As in a subnet of EC2, the first four addresses and the last are not given to instances.
/// Source: VPC user guide, "Subnet sizing for IPv4".
const FIRST_NUMBER: u32 = 4;
const LAST_NUMBER: u32 = 254;

/// The local instances of one server: it starts, watches, filters and ends them.
///
/// Cheap to clone. Dropping it ends nothing: the instances run on and are adopted by the next [`Self::open`] on the
/// same state directory; [`Self::close`] ends them all. Every method that changes something runs to its end even if
/// its caller stops waiting.
#[derive(Debug, Clone)]
pub struct LocalHosts {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
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

/// One instance's place. Whoever starts or ends it holds the lock on what is in it.
#[derive(Debug, Clone, Default)]
struct Slot {
    /// Known as long as the instance runs or is about to.
    address: Option<Ipv4Addr>,
    live: Arc<AsyncMutex<Option<Live>>>,
}

/// A running instance.
#[derive(Debug, Clone)]
struct Live {
    address: Ipv4Addr,
    supervisor: Arc<WatchedProcess>,
    init: Arc<WatchedProcess>,
}

/// What is written down about the network, so that instances keep their addresses.
#[derive(Debug, Serialize, Deserialize)]
struct NetworkRecord {
    subnet: Cidr,
}

const NETWORK: &str = "network.json";
const INGRESS: &str = "ingress.json";

impl LocalHosts {
    /// Makes the bridge and the filter, adopts the instances of an earlier run that still run, and removes what those
    /// that died left behind. Their disks stay until [`Self::terminate`]; so do the filter's rules until
    /// [`Self::set_ingress`].
    ///
    /// # Errors
    /// [`ComputeError::Unsupported`] if the machine lacks something, and what else its name says.
    pub async fn open(config: LocalConfig) -> Result<(Self, Vec<Adopted>), ComputeError> {
        let missing = Self::missing();
        if !missing.is_empty() {
            return Err(ComputeError::Unsupported(missing));
        }
        let state = StateDir::create(&config.state_dir)?;
        let lock = state.lock()?;
        state.check_fitness()?;
        let names = Names::new(state.tag());
        let subnet = choose_subnet(&config, &state, &names).await?;
        let network = Network::open(names.clone(), subnet).await?;
        let ingress = state.read(INGRESS)?.unwrap_or_default();
        let (exits, exited) = mpsc::unbounded_channel();
        let hidden = config.hidden.iter().filter_map(|path| path.canonicalize_utf8().ok());
        let shared = Arc::new(Shared {
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
        shared.apply_filter(&shared.ingress.lock().await).await?;
        let adopted = shared.adopt_all().await?;
        Ok((Self { shared }, adopted))
    }

    /// What this machine lacks to have local instances; nothing, if they can be had. Takes some milliseconds.
    pub fn missing() -> Vec<Missing> {
        crate::missing::missing()
    }

    /// The machine's address on the bridge. The server listens there too, for the instances.
    pub fn gateway(&self) -> Ipv4Addr {
        self.shared.network.gateway()
    }

    /// The range that instances have their addresses from.
    pub fn subnet(&self) -> Cidr {
        self.shared.subnet
    }

    /// An address for a new instance: none of `used`, nor of a running one. None when all 251 are taken.
    pub fn free_address(&self, used: &[Ipv4Addr]) -> Option<Ipv4Addr> {
        let slots = self.shared.slots();
        let running = |address| slots.values().any(|slot| slot.address == Some(address));
        (FIRST_NUMBER..=LAST_NUMBER)
            .map(|number| self.shared.subnet.nth(number))
            .find(|address| !used.contains(address) && !running(*address))
    }

    /// Starts a new instance, or a stopped one again on the disk that it has. Once this answers, the instance can be
    /// reached at its address, and its boot services have been started.
    ///
    /// # Errors
    /// [`ComputeError::AlreadyRunning`] and [`ComputeError::AddressTaken`]; [`ComputeError::Start`] with what its
    /// first processes said. After an error nothing of it runs; the disk stays.
    pub async fn start(&self, spec: &InstanceSpec) -> Result<Running, ComputeError> {
        self.shared.check(spec)?;
        let (shared, spec) = (self.shared.clone(), spec.clone());
        to_the_end(async move { shared.start(&spec).await }).await
    }

    /// Ends the instance's processes, after some seconds by force, and takes it off the network; its disk stays.
    /// Nothing to do is success.
    pub async fn stop(&self, id: &InstanceId) -> Result<(), ComputeError> {
        let (shared, id) = (self.shared.clone(), id.clone());
        to_the_end(async move { shared.end(&id, Ending::InOrder).await }).await
    }

    /// Ends the instance at once and removes everything of it. Nothing to do is success.
    pub async fn terminate(&self, id: &InstanceId) -> Result<(), ComputeError> {
        let (shared, id) = (self.shared.clone(), id.clone());
        to_the_end(async move { shared.end(&id, Ending::AtOnceWithDisk).await }).await
    }

    /// Replaces all rules at once: an instance accepts what its address's rules allow and nothing else. Connections
    /// that exist go on. The rules outlive the server.
    pub async fn set_ingress(
        &self,
        rules: &[(Ipv4Addr, Vec<Ingress>)],
    ) -> Result<(), ComputeError> {
        let (shared, rules) = (self.shared.clone(), rules.to_vec());
        to_the_end(async move { shared.set_ingress(rules).await }).await
    }

    /// The next instance that ended by itself: its init died or was told to end from inside. It is off the network
    /// already; its disk stays.
    pub async fn exited(&self) -> InstanceId {
        match self.shared.exited.lock().await.recv().await {
            Some(id) => id,
            None => std::future::pending().await,
        }
    }

    /// Ends all instances and, with `remove_bridge`, takes the bridge, the filter and the control groups away too.
    /// The disks stay until [`Self::terminate`].
    pub async fn close(self, remove_bridge: bool) -> Result<(), ComputeError> {
        let shared = self.shared;
        to_the_end(async move { shared.close(remove_bridge).await }).await
    }
}

/// Runs `work` to its end even when the caller gives up waiting: half an instance helps nobody.
async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, ComputeError>> + Send + 'static,
) -> Result<T, ComputeError> {
    match tokio::spawn(work).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Only a runtime that shuts down cancels it, and then nobody reads the answer.
            Err(_) => std::future::pending().await,
        },
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

/// How an instance ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    InOrder,
    AtOnce,
    AtOnceWithDisk,
}

impl Shared {
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

    fn check(&self, spec: &InstanceSpec) -> Result<(), ComputeError> {
        let number = spec.address.to_bits().wrapping_sub(self.subnet.network().to_bits());
        if !self.subnet.contains(spec.address) || !(2..=LAST_NUMBER).contains(&number) {
            let (address, subnet) = (spec.address, self.subnet);
            return Err(ComputeError::AddressUnfit { address, subnet });
        }
        if !is_hostname(&spec.hostname) {
            return Err(ComputeError::HostnameUnfit(spec.hostname.clone()));
        }
        let unfit = |path: &&Utf8PathBuf| {
            !path.is_absolute() || path.components().any(|part| part.as_str() == "..")
        };
        match spec.files.iter().map(|file| &file.path).find(unfit) {
            Some(path) => Err(ComputeError::FilePathUnfit(path.clone())),
            None => Ok(()),
        }
    }

    async fn start(self: &Arc<Self>, spec: &InstanceSpec) -> Result<Running, ComputeError> {
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
        let live = watch_processes(&record, spec.address)?.ok_or_else(gone)?;
        let pid = live.init.pid();
        Ok((live, Running { pid, metadata }))
    }

    /// Notices when the instance ends by itself. Holds nothing that would keep a server's state directory.
    fn watch(self: &Arc<Self>, id: InstanceId, live: Live) {
        let shared = Arc::downgrade(self);
        tokio::spawn(async move {
            live.init.ended().await;
            live.supervisor.ended().await;
            if let Some(shared) = Weak::upgrade(&shared) {
                shared.bury(id, &live).await;
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

    async fn end(&self, id: &InstanceId, ending: Ending) -> Result<(), ComputeError> {
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
            self.slots().remove(id);
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

    /// Takes over the instances that run, and cleans up after those that do not.
    async fn adopt_all(self: &Arc<Self>) -> Result<Vec<Adopted>, ComputeError> {
        let mut adopted = Vec::new();
        for id in self.state.list()? {
            match self.adopt(&id).await {
                Ok(Some(instance)) => adopted.push(instance),
                Ok(None) => self.clean(&id, None).await?,
                Err(error) => {
                    tracing::warn!(instance = %id, %error, "an instance cannot be adopted");
                    self.clean(&id, None).await?;
                }
            }
        }
        let addresses: Vec<_> = adopted.iter().map(|instance| instance.address).collect();
        self.network.detach_all_but(&addresses).await?;
        for group in cgroup::list(&self.names.cgroup) {
            if !adopted.iter().any(|instance| instance.id.as_str() == group) {
                self.groups(&group).kill();
                self.groups(&group).remove().await;
            }
        }
        let state = self.state.clone();
        blocking(move || state.finish_removals()).await?;
        Ok(adopted)
    }

    async fn adopt(self: &Arc<Self>, id: &InstanceId) -> Result<Option<Adopted>, ComputeError> {
        let dir = self.state.instance(id);
        let (Some(record), Some(boot)) = (dir.processes()?, dir.boot()?) else { return Ok(None) };
        if !is_of_this_boot(&record)? {
            return Ok(None);
        }
        let Some(live) = watch_processes(&record, boot.address)? else { return Ok(None) };
        let pid = live.init.pid();
        let metadata = network::metadata_listener(pid).await?;
        self.take_address(id, boot.address)?;
        *self.live(id).lock().await = Some(live.clone());
        self.watch(id.clone(), live);
        let running = Running { pid, metadata };
        let (address, hostname) = (boot.address, boot.hostname);
        Ok(Some(Adopted { id: id.clone(), address, hostname, running }))
    }

    async fn set_ingress(&self, rules: Vec<(Ipv4Addr, Vec<Ingress>)>) -> Result<(), ComputeError> {
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

    async fn close(&self, remove_bridge: bool) -> Result<(), ComputeError> {
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

impl Live {
    async fn end(&self, id: &InstanceId, ending: Ending) -> Result<(), ComputeError> {
        if ending == Ending::InOrder {
            self.init.signal(Signal::TERM)?;
            // Those that do not end by themselves are killed next.
            let _ = tokio::time::timeout(STOP_GRACE, self.init.ended()).await;
        }
        // With the init, the kernel kills everything in its process name space before it lets it go.
        self.init.signal(Signal::KILL)?;
        let ended = tokio::time::timeout(KILL_PATIENCE, self.init.ended()).await;
        ended.map_err(|_| ComputeError::DoesNotEnd(id.clone()))?;
        self.supervisor.signal(Signal::KILL)?;
        let ended = tokio::time::timeout(KILL_PATIENCE, self.supervisor.ended()).await;
        ended.map_err(|_| ComputeError::DoesNotEnd(id.clone()))
    }
}

/// Both processes of an instance that is up; none if one of them is missing.
fn watch_processes(
    record: &ProcessRecord,
    address: Ipv4Addr,
) -> Result<Option<Live>, ComputeError> {
    let Some(init) = record.init else { return Ok(None) };
    let (supervisor, init) =
        (WatchedProcess::watch(record.supervisor)?, WatchedProcess::watch(init)?);
    let live = supervisor.zip(init).map(|(supervisor, init)| Live {
        address,
        supervisor: Arc::new(supervisor),
        init: Arc::new(init),
    });
    Ok(live)
}

fn is_of_this_boot(record: &ProcessRecord) -> Result<bool, ComputeError> {
    let now = boot_id().map_err(ComputeError::file("read", "/proc/sys/kernel/random/boot_id"))?;
    Ok(record.boot_id == now)
}

/// Kills what is left of an instance that is not to be adopted.
async fn kill_recorded(record: &ProcessRecord) -> Result<(), ComputeError> {
    if !is_of_this_boot(record)? {
        return Ok(());
    }
    for identity in [record.init, Some(record.supervisor)].into_iter().flatten() {
        if let Some(process) = WatchedProcess::watch(identity)? {
            process.signal(Signal::KILL)?;
            // The control group is looked at next, and says whether anything is left.
            let _ = tokio::time::timeout(KILL_PATIENCE, process.ended()).await;
        }
    }
    Ok(())
}

/// 1 to 64 letters, digits, hyphens and dots: what the kernel and `/etc/hosts` take.
fn is_hostname(text: &str) -> bool {
    let fit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    (1..=64).contains(&text.len()) && text.bytes().all(fit) && !text.starts_with(['-', '.'])
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ComputeError> + Send + 'static,
) -> Result<T, ComputeError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_name_is_one_word_for_the_kernel_and_for_etc_hosts() {
        for good in ["web", "ip-10-1-2-3.ec2.internal", &"a".repeat(64)] {
            assert!(is_hostname(good), "{good}");
        }
        for bad in ["", "a b", "a\nb", "-a", ".a", "ü", &"a".repeat(65)] {
            assert!(!is_hostname(bad), "{bad}");
        }
    }
}
