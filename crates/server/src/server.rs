//! Starts everything, in the right order, and stops it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use camino::Utf8PathBuf;
use compute::{ComputeError, LocalConfig, LocalHosts};
use model::arn::Scope;
use rand::Rng;
use serde::Serialize;
use serde::de::DeserializeOwned;
use store::{Expected, OutputLimits, Store, StoreError};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::alarms::{AlarmWatcher, POLL_INTERVAL, SourceKeeper};
use crate::app::{App, Bundles, PageTokens, on_premises};
use crate::clock::Clock;
use crate::console::{Console, ConsoleConfig};
use crate::data_dir;
use crate::driver::{AccountLimits, Driver, chain};
use crate::forms::{Records, housekeep};
use crate::github::GitHubTokens;
use crate::histogram::Latencies;
use crate::hosts::Hosts;
use crate::http::auth::Authenticator;
use crate::http::edge::Edge;
use crate::http::listen;
use crate::http::metrics::Metrics;
use crate::http::s3_access::S3Access;
use crate::http::throttle::{Rates, Throttle};
use crate::iam::{Keyring, RootCredentials};
use crate::inventory::Inventory;
use crate::notifications::{DeliveryCounts, Outside, Postman, RolloutCounts, Spreader};
use crate::outbound::Reach;
use crate::performer::{AgentKit, Performer, PerformerConfig};
use crate::published::Installer;
use crate::s3::{self, NothingPublished, Published, S3Service};
use crate::signer::{Signer, SignerError, SignerRecord};
use crate::wake::HostBells;

/// What a server is started with.
#[derive(Clone)]
pub struct Config {
    /// Everything that is kept in files goes here; made if it does not exist.
    pub data_dir: Utf8PathBuf,
    /// Where to listen.
    pub listen: Listen,
    /// A `postgres://` URL; without one, a SQLite file in the data directory.
    pub database_url: Option<String>,
    /// The root's access key.
    pub root: RootCredentials,
    /// The account that everything belongs to, and the region of what names none.
    pub scope: Scope,
    /// The agent's executable, to be offered to hosts; without one, `latest/install` does not exist.
    pub agent_binary: Option<Utf8PathBuf>,
    /// More names of this server, before which a bucket's name may stand in a host name.
    pub host_names: Vec<String>,
    /// How much of what hooks print is kept.
    pub output_limits: OutputLimits,
    /// How often callers may ask CodeDeploy.
    pub rates: Rates,
    /// How many deployments, and to how many hosts, may be under way at once.
    pub limits: AccountLimits,
    /// How often the alarms of running deployments are read; one that changes is read at once.
    pub alarm_interval: Duration,
    /// Tells the time.
    pub clock: Clock,
    /// The address by which others reach this server, for links in notifications; without one, the address listened
    /// on.
    pub public_url: Option<String>,
    /// Which addresses webhooks and checks may be at.
    pub reach: Reach,
    /// Proxies whose word on a visitor's address and on TLS the console takes.
    pub trusted_proxies: Vec<IpAddr>,
}

/// Where a server listens.
#[derive(Debug, Clone)]
pub enum Listen {
    /// At an address of its own; port 0 takes a free one.
    At(SocketAddr),
    /// On a socket that somebody else opened, and that outlives the server: who connects while none runs waits for the
    /// next.
    On(Arc<std::net::TcpListener>),
}

/// How much of what hooks print is kept: bytes of one lifecycle event of a target, and in all. Of the latter, one
/// deployment may have a quarter, so that it does not push out all others.
pub fn output_limits(command: u64, all: u64) -> OutputLimits {
    OutputLimits { command, deployment: all / 4, all }
}

impl Config {
    /// A server of the usual account and region on SQLite and the machine's clock, without agent.
    pub fn new(data_dir: Utf8PathBuf, listen: SocketAddr, root: RootCredentials) -> Self {
        let scope = Scope { account: "123456789012".to_owned(), region: "us-east-1".to_owned() };
        Self {
            data_dir,
            listen: Listen::At(listen),
            database_url: None,
            root,
            scope,
            agent_binary: None,
            host_names: Vec::new(),
            output_limits: output_limits(8 << 20, 2 << 30),
            rates: Rates::default(),
            limits: AccountLimits::default(),
            alarm_interval: POLL_INTERVAL,
            clock: Clock::system(),
            public_url: None,
            reach: Reach::default(),
            trusted_proxies: Vec::new(),
        }
    }
}

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data directory cannot be used.
    #[error("the data directory `{path}` cannot be used")]
    DataDir {
        /// The directory.
        path: Utf8PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The socket that was handed over is of no use.
    #[error("cannot listen on the socket that was handed over")]
    Socket(#[source] io::Error),
    /// The database cannot be used.
    #[error("the database cannot be used")]
    Store(#[from] StoreError),
    /// The machine cannot have local instances.
    #[error("local instances cannot be had")]
    Compute(#[from] ComputeError),
    /// There is no signer.
    #[error("deployment specifications cannot be signed")]
    Signer(#[from] SignerError),
}

/// The control plane.
pub struct Server;

/// A server that runs until it is shut down.
pub struct RunningServer {
    address: SocketAddr,
    stopping: CancellationToken,
    tasks: JoinSet<()>,
    performer: Option<Arc<Performer>>,
}

impl Server {
    /// Opens the state and serves.
    ///
    /// # Errors
    /// The data directory, the database or the address cannot be used.
    pub async fn start(config: Config) -> Result<RunningServer, StartError> {
        Self::start_with(config, None).await
    }

    /// Opens the state and serves, with local instances. `local` needs to say nothing of ports and of what is to be
    /// hidden from instances: the server's own port and data directory are added.
    ///
    /// # Errors
    /// The data directory, the database or the address cannot be used, or the machine cannot have local instances:
    /// ask [`LocalHosts::missing`] first.
    pub async fn start_with_instances(
        config: Config,
        local: LocalConfig,
    ) -> Result<RunningServer, StartError> {
        Self::start_with(config, Some(local)).await
    }

    async fn start_with(
        config: Config,
        local: Option<LocalConfig>,
    ) -> Result<RunningServer, StartError> {
        let started = SystemTime::now();
        make_data_dir(&config.data_dir)?;
        let (listener, address) = listener(&config.listen)?;
        let store =
            Store::open(&data_dir::database(&config.data_dir, config.database_url.as_deref()))
                .await?;
        let stopping = CancellationToken::new();
        let mut parts = Parts::assemble(&config, address, store.clone(), &stopping).await?;

        let mut tasks = JoinSet::new();
        let mut listeners = vec![listener];
        let mut performer = None;
        if let Some(local) = local {
            let (hosts, adopted) =
                LocalHosts::open(completed(local, &config, address.port())).await?;
            listeners.extend(gateway_listener(&hosts, address)?);
            let made = Performer::new(PerformerConfig {
                hosts,
                store,
                keyring: Arc::clone(&parts.edge.keyring),
                clock: config.clock.clone(),
                account: config.scope.account.clone(),
                port: address.port(),
                agent: agent_kit(&config, &parts.edge),
            });
            tasks.spawn(Arc::clone(&made).run(adopted, stopping.clone()));
            parts.edge.performer = Some(Arc::clone(&made));
            performer = Some(made);
        }
        tasks.spawn(parts.driver.run());
        tasks.spawn(Arc::new(parts.spreader).run());
        tasks.spawn(parts.watcher.run());
        tasks.spawn(parts.edge.postman.clone().run());
        tasks.spawn(parts.sources.run());
        tasks.spawn(sweep_files(parts.edge.s3.clone(), started));
        tasks.spawn(housekeep(
            parts.edge.records.clone(),
            Arc::clone(&parts.edge.keyring),
            config.clock.clone(),
            stopping.clone(),
        ));
        tasks.spawn(forget_history(parts.edge.app.clone(), config.clock.clone(), stopping.clone()));
        tasks.spawn(purge_output(parts.edge.app.clone(), config.output_limits, stopping.clone()));
        let edge = Arc::new(parts.edge);
        let (console, clock) = (Arc::clone(&edge), config.clock.clone());
        tasks.spawn(async move { console.console.housekeep(&clock).await });
        for listener in listeners {
            tasks.spawn(serve(listener, Arc::clone(&edge), stopping.clone()));
        }
        tracing::info!(%address, "serving");
        Ok(RunningServer { address, stopping, tasks, performer })
    }
}

impl RunningServer {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends parked polls, lets other requests end, and stops. Local instances go on, and deployments too as soon as a
    /// server is started again.
    pub async fn shutdown(mut self) {
        self.stop().await;
    }

    /// The same, and ends the local instances as when a machine is switched off: their disks stay, and the next start
    /// boots those that should run. Nothing of them is left on the machine but files.
    ///
    /// # Errors
    /// Something of the instances could not be ended or removed.
    pub async fn shutdown_with_instances(mut self) -> Result<(), ComputeError> {
        self.stop().await;
        match &self.performer {
            Some(performer) => performer.close(true).await,
            None => Ok(()),
        }
    }

    async fn stop(&mut self) {
        self.stopping.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}

/// What a server is made of.
struct Parts {
    edge: Edge,
    driver: Driver,
    spreader: Spreader,
    watcher: AlarmWatcher,
    sources: SourceKeeper,
}

impl Parts {
    async fn assemble(
        config: &Config,
        address: SocketAddr,
        store: Store,
        stopping: &CancellationToken,
    ) -> Result<Self, StartError> {
        let records = Records::new(store.clone());
        let keyring = Arc::new(Keyring::new(records.clone(), config.root.clone()));
        let record = kept(&store, "signer", SignerRecord::make).await?;
        let signer = Arc::new(Signer::open(&record)?);
        let secret: Vec<u8> = kept(&store, "page-tokens", draw_secret).await?;
        let key: Vec<u8> = kept(&store, "github-tokens", draw_secret).await?;
        let git_hub = GitHubTokens::new(store.clone(), &key);
        let bells = Arc::new(HostBells::default());
        let inventory = Inventory::new(store.clone(), config.scope.account.clone());
        let outside = Arc::new(outside(config, address));
        let s3 = s3_service(config, &store, &keyring, &records, &signer, &outside)?;
        let deliveries = Arc::new(DeliveryCounts::default());
        let rollouts = Arc::new(RolloutCounts::default());
        let latencies = Arc::new(Latencies::default());
        let timed = Arc::clone(&latencies);
        store.time_calls(move |called, took| timed.store_called(called, took));
        let postman = Postman::new(
            store.clone(),
            Arc::clone(&outside),
            config.clock.clone(),
            Arc::clone(&deliveries),
            stopping.clone(),
        );
        let sources =
            SourceKeeper::new(store.clone(), &outside, config.clock.clone(), stopping.clone());
        let account = config.scope.account.clone();
        let spreader =
            Spreader::new(store.clone(), account.clone(), Arc::clone(&rollouts), stopping.clone());
        let watcher = AlarmWatcher::new(
            store.clone(),
            config.clock.clone(),
            config.alarm_interval,
            stopping.clone(),
        );
        let driver = Driver::new(
            store.clone(),
            config.clock.clone(),
            Arc::clone(&bells),
            inventory.clone(),
            config.limits,
            stopping.clone(),
        );
        let seal: Vec<u8> = kept(&store, "console", draw_secret).await?;
        let console = Console::new(ConsoleConfig {
            records: records.clone(),
            seal,
            driver: driver.clone(),
            inventory,
            region: config.scope.region.clone(),
            proxies: config.trusted_proxies.clone(),
            stopping: stopping.clone(),
        });
        let edge = Edge {
            hosts: Hosts::new(
                store.clone(),
                bells,
                Arc::clone(&signer),
                git_hub.clone(),
                config.output_limits,
                Arc::clone(&latencies),
                stopping.clone(),
            ),
            app: App::new(
                store,
                PageTokens::new(&secret),
                git_hub,
                Bundles::new(s3.clone()),
                stopping.clone(),
            ),
            s3,
            authenticator: Authenticator::new(Arc::clone(&keyring)),
            keyring,
            records,
            performer: None,
            signer,
            clock: config.clock.clone(),
            account,
            metrics: Metrics::default(),
            deliveries,
            rollouts,
            latencies,
            postman,
            outside,
            throttle: Throttle::new(config.rates),
            console,
        };
        Ok(Self { edge, driver, spreader, watcher, sources })
    }
}

/// How others reach this server, and whom it may ask.
fn outside(config: &Config, mut address: SocketAddr) -> Outside {
    if address.ip().is_unspecified() {
        address.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    let public_url = config.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
    Outside { public_url: public_url.trim_end_matches('/').to_owned(), reach: config.reach }
}

/// Instances may reach this server, and must not see what it keeps.
fn completed(mut local: LocalConfig, config: &Config, port: u16) -> LocalConfig {
    local.allowed_ports.push(port);
    local.hidden.push(config.data_dir.clone());
    local
}

/// A listener for the instances on their bridge, unless the server listens on every address anyway.
fn gateway_listener(
    hosts: &LocalHosts,
    main: SocketAddr,
) -> Result<Option<TcpListener>, StartError> {
    if main.ip().is_unspecified() {
        return Ok(None);
    }
    bind(SocketAddr::from((hosts.gateway(), main.port()))).map(Some)
}

fn agent_kit(config: &Config, edge: &Edge) -> Option<AgentKit> {
    config.agent_binary.as_ref().map(|binary| AgentKit {
        binary: binary.clone(),
        signer_certificate: edge.signer.certificate_pem().to_owned(),
    })
}

fn s3_service(
    config: &Config,
    store: &Store,
    keyring: &Arc<Keyring>,
    records: &Records,
    signer: &Arc<Signer>,
    outside: &Arc<Outside>,
) -> Result<S3Service, StartError> {
    let access = S3Access {
        keyring: Arc::clone(keyring),
        records: records.clone(),
        clock: config.clock.clone(),
        scope: config.scope.clone(),
        outside: Arc::clone(outside),
    };
    let published: Arc<dyn Published> = match &config.agent_binary {
        Some(agent) => Arc::new(Installer::new(agent.clone(), Arc::clone(signer))),
        None => Arc::new(NothingPublished),
    };
    s3::service(s3::Config {
        store: store.clone(),
        data_dir: config.data_dir.clone().into_std_path_buf(),
        clock: config.clock.clone(),
        scope: config.scope.clone(),
        host_names: config.host_names.clone(),
        credentials: Arc::new(access),
        published,
    })
    .map_err(|source| StartError::DataDir { path: config.data_dir.clone(), source })
}

/// The kind of the documents that hold what an installation must never make twice.
const SECRET_KIND: &str = "server.secret";

/// What the store keeps under `name`, made now if it is not there. Of several servers that make one, the first wins.
async fn kept<T, E>(
    store: &Store,
    name: &str,
    make: impl Fn() -> Result<T, E>,
) -> Result<T, StartError>
where
    T: Serialize + DeserializeOwned,
    StartError: From<E>,
{
    loop {
        if let Some(found) = store.document(SECRET_KIND, name).await? {
            return Ok(found.value);
        }
        store.put_document(SECRET_KIND, name, Expected::Absent, &make()?).await?;
    }
}

fn draw_secret() -> Result<Vec<u8>, StartError> {
    let mut secret = vec![0; 32];
    rand::rng().fill(secret.as_mut_slice());
    Ok(secret)
}

fn make_data_dir(path: &Utf8PathBuf) -> Result<(), StartError> {
    use std::os::unix::fs::DirBuilderExt;
    // Keys and bundles are in it.
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|source| StartError::DataDir { path: path.clone(), source })
}

fn bind(address: SocketAddr) -> Result<TcpListener, StartError> {
    listen::bind(address).map_err(|source| StartError::Listen { address, source })
}

/// A listener, and the address that it has.
fn listener(listen: &Listen) -> Result<(TcpListener, SocketAddr), StartError> {
    match listen {
        Listen::At(asked) => {
            let listener = bind(*asked)?;
            let address = listener.local_addr();
            let address =
                address.map_err(|source| StartError::Listen { address: *asked, source })?;
            Ok((listener, address))
        }
        Listen::On(socket) => adopted(socket).map_err(StartError::Socket),
    }
}

fn adopted(socket: &std::net::TcpListener) -> io::Result<(TcpListener, SocketAddr)> {
    let socket = socket.try_clone()?;
    socket.set_nonblocking(true)?;
    let listener = TcpListener::from_std(socket)?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

async fn serve(listener: TcpListener, edge: Arc<Edge>, stopping: CancellationToken) {
    let handle = move |request, peer| Arc::clone(&edge).answer(request, peer);
    listen::serve(listener, handle, stopping).await;
}

/// A crash may have left files of uploads that nobody will ever ask for.
async fn sweep_files(s3: S3Service, before: SystemTime) {
    match s3.sweep(before).await {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "removed files that a crash had left"),
        Err(error) => {
            tracing::warn!(error = chain(&error), "files left by a crash were not removed");
        }
    }
}

/// How long it is kept who did what. Source: CloudTrail user guide, "Event history".
const AUDIT_KEPT: Duration = Duration::from_secs(90 * 24 * 3600);

/// How often old on-premises instances and the end of the audit trail are removed. Nothing depends on it but the size of the database.
const FORGET_EVERY: Duration = Duration::from_secs(3600);

async fn forget_history(app: App, clock: Clock, stopping: CancellationToken) {
    loop {
        tokio::select! {
            () = stopping.cancelled() => return,
            () = tokio::time::sleep(FORGET_EVERY) => {}
        }
        if let Err(error) = on_premises::forget_history(&app.store, clock.now()).await {
            tracing::warn!(error = chain(&error), "old on-premises instances were not removed");
        }
        if let Err(error) = app.store.forget_audit(clock.now() - AUDIT_KEPT).await {
            tracing::warn!(error = chain(&error), "old parts of the audit trail were not removed");
        }
    }
}

/// How often the limit on all output is looked at. Between two looks there may be more.
const PURGE_EVERY: Duration = Duration::from_secs(60);

async fn purge_output(app: App, limits: OutputLimits, stopping: CancellationToken) {
    loop {
        match app.store.purge_output(&limits).await {
            Ok(0) => {}
            Ok(count) => tracing::info!(deployments = count, "dropped the output of old hooks"),
            Err(error) => tracing::warn!(error = chain(&error), "old output was not dropped"),
        }
        tokio::select! {
            () = stopping.cancelled() => return,
            () = tokio::time::sleep(PURGE_EVERY) => {}
        }
    }
}
