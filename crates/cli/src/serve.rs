//! `longshore server` and `longshore dev`.

use std::process::ExitCode;

use anyhow::Context;
use camino::{Utf8Path, Utf8PathBuf};
use compute::{Limits, LocalConfig, LocalHosts, Missing};
use model::arn::Scope;
use server::clock::Clock;
use server::driver::AccountLimits;
use server::http::throttle::Rates;
use server::iam::RootCredentials;
use server::outbound::Reach;
use server::server::{Config, Listen, RunningServer, Server, output_limits};
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

use crate::args;
use crate::data_dir::DataDir;
use crate::logs;
use crate::service;
use crate::telemetry::Spans;

/// Where the local instances of a data directory are kept.
pub fn instances_dir(data_dir: &Utf8Path) -> Utf8PathBuf {
    data_dir.join("instances")
}

/// The plain control plane.
pub fn server(arguments: &args::Server) -> anyhow::Result<ExitCode> {
    // Before there are threads.
    let listen = service::listen(arguments.listen)?;
    watched(&arguments.common, |runtime| run_server(arguments, listen, runtime))
}

fn run_server(
    arguments: &args::Server,
    listen: Listen,
    runtime: &Runtime,
) -> anyhow::Result<ExitCode> {
    let data_dir = DataDir::at(arguments.data_dir.clone());
    let _lock = data_dir.open()?;
    let config = config(&data_dir, listen, &arguments.common)?;
    serve(runtime, config, None, &data_dir, |running| {
        println!("longshore serves at http://{}", running.address());
    })
}

/// The control plane with local instances, as far as the machine can have them.
pub fn dev(arguments: &args::Dev) -> anyhow::Result<ExitCode> {
    watched(&arguments.common, |runtime| run_dev(arguments, runtime))
}

fn run_dev(arguments: &args::Dev, runtime: &Runtime) -> anyhow::Result<ExitCode> {
    let data_dir = DataDir::at(arguments.data_dir.or_default());
    let _lock = data_dir.open()?;
    let config = config(&data_dir, Listen::At(arguments.listen), &arguments.common)?;
    let missing = LocalHosts::missing();
    let instances = if missing.is_empty() { Some(instances(&data_dir)?) } else { None };
    serve(runtime, config, instances, &data_dir, |running| greet(running, &data_dir, &missing))
}

/// Runs with a log, and with spans for a collector if one is named; the last of these are sent before it ends.
fn watched(
    common: &args::Common,
    run: impl FnOnce(&Runtime) -> anyhow::Result<ExitCode>,
) -> anyhow::Result<ExitCode> {
    // Two threads carry thousands of parked polls; more would cost an idle server memory for nothing.
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let spans = Spans::wanted(common.otlp_endpoint.as_deref(), runtime.handle())?;
    logs::start(common.log_format, spans.as_ref().map(Spans::tracer));
    let outcome = run(&runtime);
    if let Some(spans) = spans {
        spans.finish();
    }
    outcome
}

/// How the local instances of a data directory are kept.
fn instances(data_dir: &DataDir) -> anyhow::Result<LocalConfig> {
    let program = std::env::current_exe().context("cannot tell where this program lies")?;
    let executable = Utf8PathBuf::from_path_buf(program).map_err(|path| {
        anyhow::anyhow!("the path of this program is not UTF-8: {}", path.display())
    })?;
    Ok(LocalConfig {
        state_dir: instances_dir(data_dir.path()),
        executable,
        subnet: None,
        allowed_ports: Vec::new(),
        hidden: Vec::new(),
        limits: Limits::default(),
    })
}

fn config(data_dir: &DataDir, listen: Listen, common: &args::Common) -> anyhow::Result<Config> {
    let root = data_dir.root_credentials()?;
    let root = RootCredentials {
        access_key_id: root.access_key_id,
        secret_access_key: root.secret_access_key,
    };
    if common.account.len() != 12 || !common.account.bytes().all(|b| b.is_ascii_digit()) {
        anyhow::bail!("--account takes twelve digits, not `{}`", common.account);
    }
    Ok(Config {
        data_dir: data_dir.path().to_owned(),
        listen,
        database_url: common.database_url.clone(),
        root,
        scope: Scope { account: common.account.clone(), region: common.region.clone() },
        agent_binary: agent_binary(common)?,
        host_names: vec!["localhost".to_owned()],
        output_limits: output_limits(
            common.hook_output_mib << 20,
            common.hook_output_all_mib << 20,
        ),
        rates: Rates { reads: common.throttle_reads, writes: common.throttle_writes },
        limits: AccountLimits {
            deployments: common.concurrent_deployments,
            hosts: common.concurrent_hosts,
        },
        alarm_interval: std::time::Duration::from_secs(common.alarm_interval),
        clock: Clock::system(),
        public_url: common.public_url.clone(),
        reach: if common.allow_link_local_requests {
            Reach::Everywhere
        } else {
            Reach::NoLinkLocal
        },
        trusted_proxies: common.trusted_proxy.clone(),
    })
}

/// The agent that hosts get: the one named, else the one beside this program, else none.
fn agent_binary(common: &args::Common) -> anyhow::Result<Option<Utf8PathBuf>> {
    if let Some(named) = &common.agent {
        anyhow::ensure!(named.is_file(), "there is no agent at {named} (--agent)");
        return Ok(Some(named.clone()));
    }
    let program = std::env::current_exe().context("cannot tell where this program lies")?;
    let beside = Utf8PathBuf::from_path_buf(program.with_file_name("longshore-agent")).ok();
    Ok(beside.filter(|path| path.is_file()))
}

fn serve(
    runtime: &Runtime,
    config: Config,
    instances: Option<LocalConfig>,
    data_dir: &DataDir,
    ready: impl FnOnce(&RunningServer),
) -> anyhow::Result<ExitCode> {
    runtime.block_on(async {
        // Asked for first, so that a signal during the start is not lost.
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let region = config.scope.region.clone();
        let running = match instances {
            Some(instances) => Server::start_with_instances(config, instances).await?,
            None => Server::start(config).await?,
        };
        data_dir.note_endpoint(&format!("http://{}", reachable(running.address())), &region)?;
        ready(&running);
        service::ready();
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = service::keep_alive() => {}
        }
        service::stopping();
        tracing::info!("stopping");
        running
            .shutdown_with_instances()
            .await
            .context("the local instances were not ended cleanly")?;
        Ok(ExitCode::SUCCESS)
    })
}

/// An address that clients on this machine can use, where the server listens on all.
fn reachable(mut address: std::net::SocketAddr) -> std::net::SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    address
}

fn greet(running: &RunningServer, data_dir: &DataDir, missing: &[Missing]) {
    println!("longshore serves at http://{}", running.address());
    if !missing.is_empty() {
        println!(
            "This machine cannot have local instances; everything else works. What is missing:"
        );
        for what in missing {
            println!("  {what}");
        }
    }
    println!(
        "Look at it: http://{}/-/console, with the access key that `longshore credentials` prints\n\
         Point the aws CLI at it:\n  eval \"$(longshore credentials --env --data-dir {})\"",
        reachable(running.address()),
        data_dir.path()
    );
}
