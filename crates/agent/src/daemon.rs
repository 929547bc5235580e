//! The agent as a service: one process, a pid file, a lock, and the signals that end it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::{FlockOperation, flock};
use rustix::process::{Pid, Signal, kill_process};
use tokio::signal::unix::{SignalKind, signal};

use crate::bundle::fetch::Sources;
use crate::clock;
use crate::config::Config;
use crate::credentials::Source;
use crate::executor::Executor;
use crate::http::Client;
use crate::identity::{self, Identity, Metadata};
use crate::journal::Journal;
use crate::logs;
use crate::poll::Agent;
use crate::service::{CommandService, ServiceSettings};
use crate::spec::{Signer, chain};
use crate::watchman;

/// How long `start` waits for the agent to say that it runs.
const START_PATIENCE: Duration = Duration::from_secs(10);
/// How long a lock is waited for whose agent is gone.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);
/// The longest pause between two looks for an identity.
const IDENTITY_PAUSE_MAX: Duration = Duration::from_secs(30);

/// Regions with FIPS endpoints. Source: official agent.
const FIPS_REGIONS: [&str; 6] =
    ["us-east-1", "us-east-2", "us-west-1", "us-west-2", "us-gov-west-1", "us-gov-east-1"];

/// The lock that a running agent holds; the kernel lets go of it when the process ends, however it ends.
struct Claim {
    _lock: File,
    pid_file: Utf8PathBuf,
}

impl Claim {
    fn take(config: &Config) -> anyhow::Result<Self> {
        fs::create_dir_all(&config.pid_dir)
            .with_context(|| format!("cannot create {}", config.pid_dir))?;
        let Some(lock) = lock(config)? else {
            bail!("the agent runs already, as PID {}", pid(config).unwrap_or_default())
        };
        let pid_file = pid_file(config);
        let draft = Utf8PathBuf::from(format!("{pid_file}.new"));
        fs::write(&draft, std::process::id().to_string())
            .and_then(|()| fs::rename(&draft, &pid_file))
            .with_context(|| format!("cannot write {pid_file}"))?;
        Ok(Self { _lock: lock, pid_file })
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.pid_file);
    }
}

fn pid_file(config: &Config) -> Utf8PathBuf {
    config.pid_dir.join(format!("{}.pid", config.program_name))
}

/// The lock, or nothing if another agent holds it.
///
/// A process that was to become a hook when its agent was killed holds the lock as well, until it is that hook: a moment only.
fn lock(config: &Config) -> anyhow::Result<Option<File>> {
    let path = config.pid_dir.join(format!("{}.pid.lock", config.program_name));
    let until = Instant::now() + LOCK_PATIENCE;
    loop {
        let found = lock_at(&path)?;
        if found.is_some() || is_alive(config) || Instant::now() > until {
            return Ok(found);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The file with a lock on it, or nothing if another process holds that.
fn lock_at(path: &Utf8Path) -> anyhow::Result<Option<File>> {
    let file = OpenOptions::new().create(true).append(true).read(true).mode(0o600).open(path);
    let file = file.with_context(|| format!("cannot open {path}"))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot lock {path}")),
    }
}

/// Whether there is a process with the id in the pid file.
fn is_alive(config: &Config) -> bool {
    let process = pid(config).and_then(Pid::from_raw);
    process
        .is_some_and(|pid| rustix::process::test_kill_process(pid) != Err(rustix::io::Errno::SRCH))
}

fn pid(config: &Config) -> Option<i32> {
    fs::read_to_string(pid_file(config)).ok()?.trim().parse().ok()
}

/// The process id of the running agent, if one runs.
///
/// # Errors
/// The lock cannot be looked at.
pub fn status(config: &Config) -> anyhow::Result<Option<i32>> {
    if !config.pid_dir.exists() {
        return Ok(None);
    }
    match lock(config)? {
        Some(_) => {
            // Left by an agent that was killed.
            let _ = fs::remove_file(pid_file(config));
            Ok(None)
        }
        None => Ok(pid(config)),
    }
}

/// Starts the agent in the background and waits until it runs.
///
/// # Errors
/// One runs already, or the new one ends at once.
pub fn start(config: &Config, config_file: Option<&Path>) -> anyhow::Result<i32> {
    if let Some(pid) = status(config)? {
        bail!("the agent runs already, as PID {pid}");
    }
    // One may be waiting to start an agent that died.
    dismiss_watchman(config)?;
    let mut child = program("--watched", config_file)?
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("cannot start the agent")?;
    let until = Instant::now() + START_PATIENCE;
    while Instant::now() < until {
        if let Some(ended) = child.try_wait()? {
            bail!("the agent ended at once ({ended}); see its log in {}", config.log_dir);
        }
        if let Some(pid) = status(config)? {
            return Ok(pid);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    bail!("the agent did not say that it runs within {} s", START_PATIENCE.as_secs())
}

/// This program, to run as the agent.
fn program(way: &str, config_file: Option<&Path>) -> anyhow::Result<Command> {
    let program = std::env::current_exe().context("cannot find this program's own file")?;
    let mut command = Command::new(program);
    command.args(["run", way]);
    if let Some(path) = config_file {
        command.arg("--config_file").arg(path);
    }
    Ok(command)
}

/// Starts the agent, and starts it again when it dies, until it ends in order.
///
/// # Errors
/// The agent cannot be started.
pub fn run_watched(config: &Config, config_file: Option<&Path>) -> anyhow::Result<ExitCode> {
    // The starter's terminal and session are none of ours.
    let _ = rustix::process::setsid();
    fs::create_dir_all(&config.pid_dir)
        .with_context(|| format!("cannot create {}", config.pid_dir))?;
    // Held until this process ends, so that `stop` finds it also while no agent runs.
    let Some(mut post) = lock_at(&watch_file(config))? else {
        bail!("the agent is watched already")
    };
    post.set_len(0)?;
    post.write_all(std::process::id().to_string().as_bytes())?;
    let ended = watchman::watch(program("--detached", config_file)?).context("cannot start")?;
    Ok(if ended.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn watch_file(config: &Config) -> Utf8PathBuf {
    config.pid_dir.join(format!("{}.watch", config.program_name))
}

/// Ends the process that would start the agent again, if there is one; not the agent.
fn dismiss_watchman(config: &Config) -> anyhow::Result<()> {
    let path = watch_file(config);
    if !path.exists() || lock_at(&path)?.is_some() {
        return Ok(());
    }
    let watchman = fs::read_to_string(&path).ok().and_then(|text| text.trim().parse().ok());
    let watchman = watchman.and_then(Pid::from_raw).context("the watch file names no process")?;
    // Gone meanwhile is as good.
    let _ = kill_process(watchman, Signal::TERM);
    let until = Instant::now() + START_PATIENCE;
    while lock_at(&path)?.is_none() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

/// Stops the running agent and waits until it is gone; `false` if none runs.
///
/// Running commands are finished first: unlike the official agent, which refuses to stop during a deployment, this one
/// waits.
///
/// # Errors
/// The agent is still there when its own patience must be over.
pub fn stop(config: &Config) -> anyhow::Result<bool> {
    dismiss_watchman(config)?;
    let Some(pid) = status(config)? else { return Ok(false) };
    let process = Pid::from_raw(pid).context("the pid file names no process")?;
    kill_process(process, Signal::TERM).with_context(|| format!("cannot signal process {pid}"))?;
    let until = Instant::now() + config.kill_agent_max_wait_time + Duration::from_secs(10);
    while Instant::now() < until {
        if status(config)?.is_none() {
            return Ok(true);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    bail!("the agent is still running as PID {pid}")
}

/// Runs the agent in this process until a signal ends it.
///
/// # Errors
/// One runs already, or the configuration cannot be used.
pub fn run(config: &Config, detached: bool) -> anyhow::Result<()> {
    if detached {
        // The starter's terminal and session are none of ours.
        let _ = rustix::process::setsid();
    }
    logs::begin(config, !detached).context("cannot begin to log")?;
    let result = run_logged(config);
    if let Err(error) = &result {
        tracing::error!("{error:#}");
    }
    result
}

fn run_logged(config: &Config) -> anyhow::Result<()> {
    let claim = Claim::take(config)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .thread_stack_size(512 * 1024)
        .thread_keep_alive(Duration::from_secs(2))
        .build()
        .context("cannot start")?;
    let result = runtime.block_on(work(config));
    // A blocked thread (a hook that outlasted our patience) must not hold the process.
    runtime.shutdown_background();
    drop(claim);
    result
}

async fn work(config: &Config) -> anyhow::Result<()> {
    let mut ended = Ended::new().context("cannot wait for signals")?;
    tracing::info!(version = crate::VERSION, root = %config.root_dir, "started");
    // Before anything can fail later: what cannot work is said at the start.
    let signer = signer(config)?;
    let journal = Journal::open(&config.layout().journal(), clock::now_millis())
        .context("cannot open the journal of commands")?;
    let metadata = Arc::new(Metadata::new(config.disable_imds_v1));
    let identity = tokio::select! {
        identity = identify(config, &metadata) => identity,
        () = ended.wait() => return Ok(()),
    };
    tracing::info!(host = identity.host_identifier, region = identity.region, "identified");
    check_fips(config, &identity.region)?;
    let agent = assemble(config, &identity, metadata, signer, journal)?;
    agent.run(ended.wait(), config.kill_agent_max_wait_time).await;
    tracing::info!("stopped");
    Ok(())
}

fn assemble(
    config: &Config,
    identity: &Identity,
    metadata: Arc<Metadata>,
    signer: Signer,
    journal: Journal,
) -> anyhow::Result<Arc<Agent>> {
    let credentials = Arc::new(Source::new(identity.keys.clone(), metadata));
    let client = || Client::new(config.proxy_uri.as_deref()).context("the proxy cannot be used");
    let settings = ServiceSettings {
        client: client()?,
        endpoint: endpoint(config, identity),
        region: identity.region.clone(),
        secure: config.enable_auth_policy,
        host_identifier: identity.host_identifier.clone(),
        read_timeout: config.http_read_timeout,
    };
    tracing::info!(endpoint = settings.endpoint, "polling");
    let service = CommandService::new(settings, Arc::clone(&credentials));
    let sources = sources(config, identity, client()?, Some(credentials));
    let executor = Executor::new(config.clone(), sources).with_variables(identity.variables());
    Ok(Agent::new(service, executor, signer, journal, config.wait_between_runs))
}

/// Where bundles come from, for this host.
pub(crate) fn sources(
    config: &Config,
    identity: &Identity,
    client: Client,
    credentials: Option<Arc<Source>>,
) -> Sources {
    let fips =
        config.use_fips_mode.then(|| format!("https://s3-fips.{}.amazonaws.com", identity.region));
    Sources {
        client,
        region: identity.region.clone(),
        domain: identity.domain.clone(),
        s3_endpoint: config.s3_endpoint_override.clone().or(fips),
        path_style: config.s3_path_style,
        github: config.github_endpoint.clone(),
        credentials,
    }
}

/// The control plane's URL: the one configured, else AWS's own for the region. Source: official agent.
fn endpoint(config: &Config, identity: &Identity) -> String {
    config.deploy_control_endpoint.clone().unwrap_or_else(|| {
        let secure = if config.enable_auth_policy { "-secure" } else { "" };
        let fips = if config.use_fips_mode { "-fips" } else { "" };
        format!("https://codedeploy-commands{secure}{fips}.{}.{}", identity.region, identity.domain)
    })
}

/// Refuses FIPS endpoints for regions that have none. Source: official agent.
fn check_fips(config: &Config, region: &str) -> anyhow::Result<()> {
    let derived = config.deploy_control_endpoint.is_none() || config.s3_endpoint_override.is_none();
    if config.use_fips_mode && derived && !FIPS_REGIONS.contains(&region) {
        bail!(
            "`use_fips_mode` cannot be used in region {region}, only in {}",
            FIPS_REGIONS.join(", ")
        );
    }
    Ok(())
}

fn signer(config: &Config) -> anyhow::Result<Signer> {
    let Some(path) = &config.signer_certificate_file else {
        if config.allow_unpinned_signer {
            tracing::warn!("no signer is pinned: specifications signed by anybody are taken");
            return Ok(Signer::Anybody);
        }
        tracing::error!(
            "no signer is pinned (`signer_certificate_file`): every deployment will be refused"
        );
        return Ok(Signer::Unknown);
    };
    let text =
        fs::read(path).with_context(|| format!("cannot read the signer's certificate {path}"))?;
    let certificate =
        certificate(&text).with_context(|| format!("{path} holds no certificate in PEM form"))?;
    Ok(Signer::Pinned(certificate))
}

/// The first certificate (DER) in a PEM text.
pub fn certificate(pem: &[u8]) -> anyhow::Result<Vec<u8>> {
    use rustls_pki_types::pem::PemObject;
    let certificate = rustls_pki_types::CertificateDer::from_pem_slice(pem)?;
    Ok(certificate.to_vec())
}

/// Finds out who this host is, however long that takes: metadata may come up after us.
async fn identify(config: &Config, metadata: &Metadata) -> Identity {
    let mut pause = Duration::from_millis(250);
    loop {
        match identity::resolve(config, metadata).await {
            Ok(identity) => return identity,
            Err(error) => tracing::warn!(error = chain(&error), "who is this host? trying again"),
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(IDENTITY_PAUSE_MAX);
    }
}

/// The signals that end the agent.
struct Ended {
    signals: Vec<tokio::signal::unix::Signal>,
}

impl Ended {
    fn new() -> io::Result<Self> {
        let kinds = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::quit()];
        Ok(Self { signals: kinds.into_iter().map(signal).collect::<Result<_, _>>()? })
    }

    async fn wait(&mut self) {
        let signals = &mut self.signals;
        std::future::poll_fn(|context| {
            let any = signals.iter_mut().any(|signal| signal.poll_recv(context).is_ready());
            if any { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
    }
}

/// Prints a line; a reader that went away does not matter.
pub(crate) fn say(text: &str) {
    let _ = writeln!(io::stdout(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fips_endpoints_are_asked_for_only_where_there_are_some() {
        let fips = Config { use_fips_mode: true, ..Config::default() };
        assert!(check_fips(&fips, "us-gov-west-1").is_ok());
        let error = check_fips(&fips, "eu-west-1").unwrap_err().to_string();
        assert!(error.contains("eu-west-1") && error.contains("us-east-2"), "{error}");
        assert!(check_fips(&Config::default(), "eu-west-1").is_ok());
        let own = Some("https://deploy.test".to_owned());
        let elsewhere =
            Config { deploy_control_endpoint: own.clone(), s3_endpoint_override: own, ..fips };
        assert!(check_fips(&elsewhere, "eu-west-1").is_ok(), "no endpoint of AWS's is meant");
    }
}
