//! `longshore-agent`: the program on every host.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use agent::config::Config;
use agent::{daemon, local, self_install, validate};
use anyhow::{Context, bail};
use camino::Utf8PathBuf;
use lexopt::prelude::*;

const HELP: &str = "\
longshore-agent: fetches, installs and runs what CodeDeploy-compatible control planes deploy to this host.

usage: longshore-agent COMMAND [OPTIONS]

  start [--foreground]     start the agent (in the background)
  stop                     stop it, after the lifecycle event that runs
  restart                  stop it and start it again
  status                   say whether it runs; exit status 3 if it does not
  run                      run it in the foreground, for service managers
      --config_file PATH   for all of these; default /etc/codedeploy-agent/conf/codedeployagent.yml

  local [OPTIONS]          deploy on this host without a control plane (`local --help`)
  validate PATH            check an AppSpec, a revision's directory or a bundle

  install --endpoint URL --signer-certificate FILE [--start] [--root DIR]
                           put the agent on this host as a service
  uninstall [--root DIR]   take it away, with what it keeps in its usual places

  --version, --help

examples:
  longshore-agent install --endpoint http://10.0.0.1:7400 --signer-certificate signer.pem --start
  longshore-agent local --bundle-location ./my-app
  longshore-agent validate build/my-app.zip
";

const LOCAL_HELP: &str = "\
usage: longshore-agent local [OPTIONS]

  -l, --bundle-location LOCATION        a path, s3://bucket/key[?versionId=V&etag=E], https://github.com/OWNER/REPOSITORY
                                        (default: the current directory)
  -t, --type TYPE                       tgz, tar, tar.zst, zip or directory (default: directory)
  -b, --file-exists-behavior BEHAVIOR   DISALLOW, OVERWRITE or RETAIN (default: DISALLOW)
  -g, --deployment-group ID             default: default-local-deployment-group
  -d, --deployment-group-name NAME      for the hooks' environment (default: LocalFleet)
  -a, --application-name NAME           for the hooks' environment (default: the location)
  -e, --events EVENT[,EVENT]            events to run, in order (default: all)
  -c, --agent-configuration-file PATH   default: /etc/codedeploy-agent/conf/codedeployagent.yml
  -A, --appspec-filename NAME           default: appspec.yml
  -h, --help
  -v, --version

examples:
  longshore-agent local
  longshore-agent local -l build/my-app.zip -t zip -b OVERWRITE
  longshore-agent local -e ApplicationStop,ApplicationStart
";

const VERSION: &str = concat!("longshore-agent ", env!("CARGO_PKG_VERSION"));

/// The exit status of `status` when no agent runs. Source: Linux Standard Base, init scripts.
const NOT_RUNNING: u8 = 3;

fn main() -> ExitCode {
    match dispatch() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch() -> anyhow::Result<ExitCode> {
    let mut arguments = lexopt::Parser::from_env();
    // Installed under the official programs' names, too.
    let own = std::env::args_os().next().map(PathBuf::from);
    if own
        .as_deref()
        .and_then(|path| path.file_name())
        .is_some_and(|name| name == "codedeploy-local")
    {
        return deploy_locally(&mut arguments);
    }
    let mut service = ServiceOptions::default();
    while let Some(argument) = arguments.next()? {
        match argument {
            Short('h') | Long("help") => print!("{HELP}"),
            Short('V') | Long("version") => {
                println!("{VERSION}");
            }
            // The official agent takes it in front of the command.
            Long("config_file" | "config-file") => {
                service.config_file = Some(arguments.value()?.into());
                continue;
            }
            Value(command) => return command_of(&command, service, &mut arguments),
            other => return Err(other.unexpected().into()),
        }
        return Ok(ExitCode::SUCCESS);
    }
    eprint!("{HELP}");
    Ok(ExitCode::from(2))
}

fn command_of(
    command: &OsString,
    service: ServiceOptions,
    arguments: &mut lexopt::Parser,
) -> anyhow::Result<ExitCode> {
    match command.to_str().unwrap_or_default() {
        "start" => start(&service.read(arguments)?),
        "stop" => stop(&service.read(arguments)?),
        "restart" => {
            let service = service.read(arguments)?;
            stop(&service)?;
            start(&service)
        }
        "status" => status(&service.read(arguments)?),
        "run" => {
            let service = service.read(arguments)?;
            if service.watched {
                return daemon::run_watched(&service.config()?, service.config_file.as_deref());
            }
            daemon::run(&service.config()?, service.detached)?;
            Ok(ExitCode::SUCCESS)
        }
        "local" | "deploy-local" => deploy_locally(arguments),
        "validate" => check(arguments),
        "install" => install(arguments),
        "uninstall" => uninstall(arguments),
        other => bail!("unknown command `{other}`; see `longshore-agent --help`"),
    }
}

#[derive(Default)]
struct ServiceOptions {
    config_file: Option<PathBuf>,
    foreground: bool,
    detached: bool,
    watched: bool,
}

impl ServiceOptions {
    fn read(mut self, arguments: &mut lexopt::Parser) -> anyhow::Result<Self> {
        while let Some(argument) = arguments.next()? {
            match argument {
                Long("config_file" | "config-file") => {
                    self.config_file = Some(arguments.value()?.into());
                }
                Long("foreground") => self.foreground = true,
                // Between `start` and what it starts.
                Long("detached") => self.detached = true,
                Long("watched") => self.watched = true,
                other => return Err(other.unexpected().into()),
            }
        }
        Ok(self)
    }

    fn config(&self) -> anyhow::Result<Config> {
        let path = self.config_file.clone().map(Utf8PathBuf::from_path_buf).transpose();
        let path = path.map_err(|path| anyhow::anyhow!("{} is not UTF-8", path.display()))?;
        Ok(Config::load(path.as_deref())?)
    }
}

fn start(service: &ServiceOptions) -> anyhow::Result<ExitCode> {
    let config = service.config()?;
    if service.foreground {
        daemon::run(&config, false)?;
        return Ok(ExitCode::SUCCESS);
    }
    let pid = daemon::start(&config, service.config_file.as_deref())?;
    println!("Started longshore-agent as PID {pid}");
    Ok(ExitCode::SUCCESS)
}

fn stop(service: &ServiceOptions) -> anyhow::Result<ExitCode> {
    let config = service.config()?;
    for deployment in config.layout().tracked() {
        println!("Waiting for the running lifecycle event of deployment {deployment}");
    }
    if daemon::stop(&config)? {
        println!("Stopped longshore-agent");
    } else {
        println!("Nothing running that could be stopped");
    }
    Ok(ExitCode::SUCCESS)
}

fn status(service: &ServiceOptions) -> anyhow::Result<ExitCode> {
    match daemon::status(&service.config()?)? {
        Some(pid) => {
            println!("The AWS CodeDeploy agent is running as PID {pid}");
            Ok(ExitCode::SUCCESS)
        }
        None => {
            eprintln!("error: No AWS CodeDeploy agent running");
            Ok(ExitCode::from(NOT_RUNNING))
        }
    }
}

fn deploy_locally(arguments: &mut lexopt::Parser) -> anyhow::Result<ExitCode> {
    let mut options = local::Options::default();
    let mut config_file = Utf8PathBuf::from(agent::config::PLACES[0]);
    while let Some(argument) = arguments.next()? {
        match argument {
            Short('l') | Long("bundle-location") => options.bundle_location = text(arguments)?,
            Short('t') | Long("type") => options.bundle_type = text(arguments)?,
            Short('b') | Long("file-exists-behavior") => {
                options.file_exists_behavior = text(arguments)?;
            }
            Short('g') | Long("deployment-group") => options.deployment_group = text(arguments)?,
            Short('d') | Long("deployment-group-name") => {
                options.deployment_group_name = text(arguments)?;
            }
            Short('a') | Long("application-name") => {
                options.application_name = Some(text(arguments)?);
            }
            Short('e') | Long("events") => {
                let events = text(arguments)?;
                options.events = events.split(',').map(|event| event.trim().to_owned()).collect();
            }
            Short('c') | Long("agent-configuration-file") => config_file = text(arguments)?.into(),
            Short('A') | Long("appspec-filename") => {
                options.appspec_filename = Some(text(arguments)?);
            }
            Short('h') | Long("help") => {
                print!("{LOCAL_HELP}");
                return Ok(ExitCode::SUCCESS);
            }
            Short('v') | Long("version") => {
                println!("{VERSION}");
                return Ok(ExitCode::SUCCESS);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    let config = Config::load(Some(&config_file))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let succeeded = runtime.block_on(local::deploy(&config, &options));
    runtime.shutdown_timeout(Duration::ZERO);
    Ok(if succeeded { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn text(arguments: &mut lexopt::Parser) -> anyhow::Result<String> {
    Ok(arguments.value()?.string()?)
}

fn check(arguments: &mut lexopt::Parser) -> anyhow::Result<ExitCode> {
    let path = Utf8PathBuf::from(text(arguments).context("validate what? give a path")?);
    let found = validate::validate(&path)?;
    for warning in &found.warnings {
        println!("warning: {warning}");
    }
    for error in &found.errors {
        println!("error: {error}");
    }
    if found.errors.is_empty() {
        println!("{path} is valid");
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::FAILURE)
}

fn install(arguments: &mut lexopt::Parser) -> anyhow::Result<ExitCode> {
    let (mut endpoint, mut certificate, mut start) = (None, None, false);
    let mut root = Utf8PathBuf::from("/");
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("endpoint") => endpoint = Some(text(arguments)?),
            Long("signer-certificate") => certificate = Some(text(arguments)?.into()),
            Long("start") => start = true,
            Long("root") => root = text(arguments)?.into(),
            other => return Err(other.unexpected().into()),
        }
    }
    let options = self_install::Options {
        endpoint: endpoint.context("install needs --endpoint URL")?,
        signer_certificate: certificate.context("install needs --signer-certificate FILE")?,
        start,
        root,
    };
    self_install::install(&options)?;
    println!("Installed longshore-agent {}", env!("CARGO_PKG_VERSION"));
    Ok(ExitCode::SUCCESS)
}

fn uninstall(arguments: &mut lexopt::Parser) -> anyhow::Result<ExitCode> {
    let mut root = Utf8PathBuf::from("/");
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("root") => root = text(arguments)?.into(),
            other => return Err(other.unexpected().into()),
        }
    }
    let kept = self_install::uninstall(&root)?;
    println!("Removed longshore-agent");
    for path in kept {
        println!(
            "Kept {path}, where its configuration put files: remove it if nothing else is there"
        );
    }
    Ok(ExitCode::SUCCESS)
}
