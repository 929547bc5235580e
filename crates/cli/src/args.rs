//! What can be said on the command line.

mod operator;

use std::net::SocketAddr;
use std::num::NonZeroU32;

use camino::Utf8PathBuf;
use clap::{Args, Parser, Subcommand, ValueEnum};
use model::InstanceId;

pub use operator::*;

/// Application deployments onto fleets of ordinary servers, wire-compatible with AWS CodeDeploy
#[derive(Debug, Parser)]
#[command(
    name = "longshore",
    version,
    after_help = "\
Examples:
  longshore dev                                     a control plane with throw-away hosts on this machine
  eval \"$(longshore credentials --env)\"             point the aws CLI at it
  longshore deploy ./build --application Shop --group Production
  longshore instances shell i-0123456789abcdef0     a shell inside one of its hosts
  longshore server --data-dir /var/lib/longshore --listen 0.0.0.0:7400

Exit codes: 0 success, 1 failure or a failed deployment, 2 a stopped deployment, 3 a command
that is not understood. The commands that ask a server find it, and credentials, as the aws CLI
does: in the environment and in ~/.aws."
)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the control plane
    Server(Server),
    /// Run the control plane with local instances: isolated throw-away hosts on this machine
    Dev(Dev),
    /// Make a backup of a server's state, while it runs or not
    Backup(Backup),
    /// Put the state of a backup into a data directory
    Restore(Restore),
    /// Print the root credentials of a data directory
    Credentials(Credentials),
    /// Work with local instances
    Instances(Instances),
    #[command(flatten)]
    Operator(OperatorCommand),
    /// Print completions for a shell
    Completions(Completions),
    /// Print the manual, or write its pages into a folder
    Man(Man),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  longshore server --data-dir /var/lib/longshore --listen 127.0.0.1:7400
  longshore server --data-dir /var/lib/longshore --listen 0.0.0.0:7400 \\
      --database-url postgres://longshore@db.internal/longshore

The root credentials come from LONGSHORE_ROOT_ACCESS_KEY_ID and LONGSHORE_ROOT_SECRET_ACCESS_KEY; where these are not
set, they are made once and kept in DIR/root-credentials. A socket that systemd hands over is served instead of
--listen; then a restart refuses nobody. SIGTERM ends waiting polls, lets requests end, and stops.")]
pub struct Server {
    /// Where bundles, the SQLite database and the root credentials are kept
    #[arg(long, value_name = "DIR", env = "LONGSHORE_DATA_DIR")]
    pub data_dir: Utf8PathBuf,
    /// The address to serve on
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:7400")]
    pub listen: SocketAddr,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  longshore dev
  longshore dev --data-dir ./scratch --listen 127.0.0.1:7500

Local instances need root and a kernel with name spaces, overlay file systems, bridges and nftables. Without them
everything else works, and `longshore dev` says what is missing. Ctrl-C stops the instances; the next start boots those
again that were running.")]
pub struct Dev {
    #[command(flatten)]
    pub data_dir: DataDirArgument,
    /// The address to serve on
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:7400")]
    pub listen: SocketAddr,
    #[command(flatten)]
    pub common: Common,
}

/// What both ways to serve understand.
#[derive(Debug, Args)]
pub struct Common {
    /// Keep the state in PostgreSQL instead of a SQLite file in the data directory
    #[arg(long, value_name = "URL", env = "LONGSHORE_DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// The account that everything belongs to: twelve digits
    #[arg(long, value_name = "ID", default_value = "123456789012")]
    pub account: String,
    /// The region of the local instances, and of what names no other
    #[arg(long, default_value = "us-east-1")]
    pub region: String,
    /// The agent that the install bucket hands out [default: longshore-agent beside this program]
    #[arg(long, value_name = "FILE")]
    pub agent: Option<Utf8PathBuf>,
    /// How much of what the hooks of one lifecycle event print on one host is kept: its beginning and its end
    #[arg(long, value_name = "MIB", default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..1 << 20))]
    pub hook_output_mib: u64,
    /// How much of what hooks print is kept in all; beyond, the oldest deployments lose theirs
    #[arg(long, value_name = "MIB", default_value_t = 2048, value_parser = clap::value_parser!(u64).range(1..1 << 30))]
    pub hook_output_all_mib: u64,
    /// The address by which receivers of notifications reach this server, for the links in them
    /// [default: the address served on]
    #[arg(long, value_name = "URL")]
    pub public_url: Option<String>,
    /// Let webhooks and alarm sources be at link-local addresses, where clouds keep credentials
    #[arg(long)]
    pub allow_link_local_requests: bool,
    /// Reads (Get…, BatchGet…, List…) of CodeDeploy that one principal may make per second [default: any number]
    #[arg(long, value_name = "RATE")]
    pub throttle_reads: Option<NonZeroU32>,
    /// Other calls of CodeDeploy that one principal may make per second [default: any number]
    #[arg(long, value_name = "RATE")]
    pub throttle_writes: Option<NonZeroU32>,
    /// Deployments that may be under way at once in one region; further ones are queued [default: 1000]
    #[arg(long, value_name = "NUMBER")]
    pub concurrent_deployments: Option<NonZeroU32>,
    /// Hosts that all deployments under way in one region may have together [default: 3000 in us-east-1, else 1000]
    #[arg(long, value_name = "NUMBER")]
    pub concurrent_hosts: Option<NonZeroU32>,
    /// How often the alarms of running deployments are read; one that changes is read at once
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub alarm_interval: u64,
    /// A TLS proxy in front, whose word on a visitor's address and on TLS the console takes; may be given again
    #[arg(long, value_name = "ADDR")]
    pub trusted_proxy: Vec<std::net::IpAddr>,
    /// How log lines are written
    #[arg(long, value_enum, default_value_t = LogFormat::Text, env = "LONGSHORE_LOG_FORMAT")]
    pub log_format: LogFormat,
    /// A collector that takes OpenTelemetry's spans as protobuf over HTTP, such as http://collector:4318
    /// [default: the variables OTEL_EXPORTER_OTLP_TRACES_ENDPOINT and OTEL_EXPORTER_OTLP_ENDPOINT, else none]
    #[arg(long, value_name = "URL")]
    pub otlp_endpoint: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

/// The data directory of the development server, unless another is named.
#[derive(Debug, Args)]
pub struct DataDirArgument {
    /// The server's data directory [default: /var/lib/longshore-dev for root, else ~/.local/share/longshore]
    #[arg(long, value_name = "DIR", env = "LONGSHORE_DATA_DIR")]
    pub data_dir: Option<Utf8PathBuf>,
}

impl DataDirArgument {
    pub fn or_default(&self) -> Utf8PathBuf {
        if let Some(named) = &self.data_dir {
            return named.clone();
        }
        if rustix::process::geteuid().is_root() {
            return Utf8PathBuf::from("/var/lib/longshore-dev");
        }
        let home = std::env::var("HOME").unwrap_or_else(|_| ".".to_owned());
        Utf8PathBuf::from(home).join(".local/share/longshore")
    }
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  longshore backup --data-dir /var/lib/longshore /backups/monday.tar
  longshore backup --data-dir /var/lib/longshore --database-url postgres://longshore@db.internal/longshore monday.tar

The archive holds the database as of one moment, the bytes of all objects in it, and the root credentials if the server
made them: everything that was acknowledged before the backup began. Keep it as you keep the keys: it holds every secret
of the installation. The disks of the local instances of `longshore dev` are not in it.")]
pub struct Backup {
    /// The file to write; it must not exist
    pub archive: Utf8PathBuf,
    /// The server's data directory
    #[arg(long, value_name = "DIR", env = "LONGSHORE_DATA_DIR")]
    pub data_dir: Utf8PathBuf,
    /// Where the server keeps its state in PostgreSQL: the same as it has
    #[arg(long, value_name = "URL", env = "LONGSHORE_DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  longshore restore --data-dir /var/lib/longshore /backups/monday.tar
  longshore restore --data-dir /var/lib/longshore --database-url postgres://longshore@db.internal/new monday.tar

The whole archive is verified before anything is written. It does not matter which database it was made from: it is
restored into SQLite, or with --database-url into an empty database of PostgreSQL.")]
pub struct Restore {
    /// What `longshore backup` wrote
    pub archive: Utf8PathBuf,
    /// The data directory to fill; no server may run on it
    #[arg(long, value_name = "DIR", env = "LONGSHORE_DATA_DIR")]
    pub data_dir: Utf8PathBuf,
    /// The empty database of PostgreSQL to fill instead of a SQLite file
    #[arg(long, value_name = "URL", env = "LONGSHORE_DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// Remove the state that the data directory has
    #[arg(long)]
    pub replace: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  longshore credentials                        as an AWS credentials file
  eval \"$(longshore credentials --env)\"        as environment variables, with the endpoint")]
pub struct Credentials {
    #[command(flatten)]
    pub data_dir: DataDirArgument,
    /// Print `export` lines for a shell, with the endpoint and region
    #[arg(long)]
    pub env: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  longshore instances shell i-0123456789abcdef0")]
pub struct Instances {
    #[command(subcommand)]
    pub command: InstancesCommand,
}

#[derive(Debug, Subcommand)]
pub enum InstancesCommand {
    /// Run a command, or a login shell, inside a running local instance
    Shell(Shell),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  longshore instances shell i-0123456789abcdef0
  longshore instances shell i-0123456789abcdef0 -- tail -f /var/log/aws/codedeploy-agent/codedeploy-agent.log

The command runs as root in the instance's root file system, with the caller's PATH and none of its other variables; its
exit code is this command's.")]
pub struct Shell {
    #[command(flatten)]
    pub data_dir: DataDirArgument,
    /// The instance
    pub instance: InstanceId,
    /// The command and its arguments
    #[arg(last = true)]
    pub command: Vec<String>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_fit_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_help_of_every_command_has_an_example() {
        fn check(command: &clap::Command) {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Examples:\n  longshore "), "{}", command.get_name());
            command.get_subcommands().for_each(check);
        }
        check(&Arguments::command());
    }

    #[test]
    fn an_instance_id_is_checked_before_anything_is_done() {
        let wrong =
            Arguments::try_parse_from(["longshore", "instances", "shell", "web-01"]).unwrap_err();
        assert!(wrong.to_string().contains("is not an instance id"), "{wrong}");
    }
}
