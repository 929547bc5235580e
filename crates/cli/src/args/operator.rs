//! The operator's commands, which ask a server.

use std::time::Duration;

use camino::Utf8PathBuf;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand, ValueEnum};

use crate::client::Given;
use crate::output::Format;

/// The commands that ask a server.
#[derive(Debug, Subcommand)]
pub enum OperatorCommand {
    /// Push a folder, deploy it to a group, and follow the deployment
    Deploy(Deploy),
    /// Upload a folder as a revision of an application
    Push(Push),
    /// Deploy the last successful revision of one group to another
    Promote(Promote),
    /// List, follow, stop, repeat and roll back deployments
    Deployment(Deployment),
    /// Look at deployment groups
    Group(Group),
    /// Tell which hosts there are, when their agents were heard, and what is installed on them
    Hosts(Hosts),
    /// Tell how the alarms are
    Alarms(Alarms),
    /// Check server, clock, permissions and bucket, and say what to do
    Doctor(Doctor),
}

/// Under which heading the help tells the options of [`Remote`].
pub const SERVER_OPTIONS: &str = "Server and output";

/// Which server is asked, as whom, and how the answer is printed.
#[derive(Debug, Args)]
#[command(next_help_heading = SERVER_OPTIONS)]
pub struct Remote {
    /// The profile of the aws CLI's files to use [default: AWS_PROFILE, else default]
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// The server [default: AWS_ENDPOINT_URL, else the profile's endpoint_url]
    #[arg(long, value_name = "URL")]
    pub endpoint_url: Option<String>,
    /// The region [default: AWS_REGION, AWS_DEFAULT_REGION, the profile's, us-east-1]
    #[arg(long, value_name = "NAME")]
    pub region: Option<String>,
    /// How the answer is printed
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub output: Format,
    /// What to pick from the answer: a JMESPath expression
    #[arg(long, value_name = "JMESPATH")]
    pub query: Option<String>,
}

impl Remote {
    /// What decides about the connection.
    pub fn given(&self) -> Given {
        Given {
            profile: self.profile.clone(),
            endpoint_url: self.endpoint_url.clone(),
            region: self.region.clone(),
        }
    }
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  longshore deployment list --application Shop
  longshore deployment watch d-75I7MBT7C")]
pub struct Deployment {
    #[command(subcommand)]
    pub command: DeploymentCommand,
}

#[derive(Debug, Subcommand)]
pub enum DeploymentCommand {
    /// List deployments, the newest first
    #[command(after_help = "\
Examples:
  longshore deployment list
  longshore deployment list --application Shop --group Production --status Failed
  longshore deployment list --output text --query 'deployments[].deploymentId'")]
    List(ListDeployments),
    /// Tell how a deployment is, host by host
    #[command(after_help = "\
Examples:
  longshore deployment get d-75I7MBT7C
  longshore deployment get d-75I7MBT7C --output json --query targets[].targetId")]
    Get(OneDeployment),
    /// Follow a deployment until it ends: exit code 0 if it succeeded, 1 if it failed, 2 if it was stopped
    #[command(after_help = "\
Examples:
  longshore deployment watch d-75I7MBT7C
  longshore deployment watch d-75I7MBT7C | tee deployment.log     plain lines

In a terminal it shows bars, each host's current event and why it waits; when piped, or where
CI is set, a line for each thing that happens. It goes on when the server is restarted.
Ctrl-C ends the watching, not the deployment.")]
    Watch(OneDeployment),
    /// Stop a deployment: events that run end first, nothing more is started
    #[command(after_help = "\
Examples:
  longshore deployment stop d-75I7MBT7C
  longshore deployment stop d-75I7MBT7C --rollback --watch")]
    Stop(Stop),
    /// Put back what a deployment replaced; one that still runs is stopped first
    #[command(after_help = "\
Examples:
  longshore deployment rollback d-75I7MBT7C
  longshore deployment rollback d-75I7MBT7C --watch

What is deployed is the revision that the group had when the deployment began, as a new one.")]
    Rollback(Again),
    /// Deploy the same revision to the same group once more
    #[command(after_help = "\
Examples:
  longshore deployment retry d-75I7MBT7C --watch")]
    Retry(Again),
    /// Tell what happened to a deployment, and why: each fact and decision with its rule and what that was applied to
    #[command(after_help = "\
Examples:
  longshore deployment explain d-75I7MBT7C
  longshore deployment explain d-75I7MBT7C --host web-07        only what is about it, or about all
  longshore deployment explain d-75I7MBT7C --output json --query \"entries[?rule=='EventFailed']\"")]
    Explain(Explain),
    /// Tell what a deployment would do, and make none: exit code 0 if it would begin, 1 if it would be refused
    #[command(after_help = "\
Examples:
  longshore deployment plan ./build --application Shop --group Production
  longshore deployment plan -a Shop -g Production --revision s3://releases/shop-1.4.zip
  longshore deployment plan . -a Shop -g Production --output text --query 'targets[].targetId'

A folder is packed to know its size, and not uploaded. Which scripts would run is read from its AppSpec, or from that of
the bundle in a bucket of the server. Inside a class of health chance decides the order of hosts anew for each deployment.
What would become of files on hosts tells `longshore deployment files`.")]
    Plan(PlanDeployment),
    /// Ask the hosts what a deployment would do to their files, and make none: exit code 1 if an Install would fail
    #[command(after_help = "\
Examples:
  longshore deployment files -a Shop -g Production --revision s3://releases/shop-1.4.zip
  longshore deployment files -a Shop -g Production --revision s3://releases/shop-1.4.zip --host web-07
  longshore deployment files -a Shop -g Production --revision s3://releases/shop-1.4.zip \\
      --output text --query \"hosts[?status=='Fails'].targetId\"

Each host fetches the bundle, compares it with what is there, and throws it away again; that takes as long as a
download. Hosts are waited for up to five minutes. Only longshore-agent can be asked.")]
    Files(DeploymentFiles),
    /// Print what the hooks of a deployment print
    #[command(after_help = "\
Examples:
  longshore deployment logs d-75I7MBT7C --follow
  longshore deployment logs d-75I7MBT7C --target web-03 --event BeforeInstall")]
    Logs(Logs),
}

#[derive(Debug, Args)]
pub struct ListDeployments {
    /// Only those of this application
    #[arg(short, long, visible_alias = "application-name", value_name = "NAME")]
    pub application: Option<String>,
    /// Only those of this group of the application
    #[arg(
        short,
        long,
        visible_alias = "deployment-group-name",
        value_name = "NAME",
        requires = "application"
    )]
    pub group: Option<String>,
    /// Only those in this state; may be given again
    #[arg(long, value_name = "STATUS", ignore_case = true, value_parser = status())]
    pub status: Vec<String>,
    /// How many at most
    #[arg(long, value_name = "COUNT", default_value_t = 25, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub limit: u16,
    #[command(flatten)]
    pub remote: Remote,
}

#[derive(Debug, Args)]
pub struct OneDeployment {
    /// The deployment
    #[arg(value_name = "ID", value_parser = deployment_id)]
    pub id: String,
    #[command(flatten)]
    pub remote: Remote,
}

#[derive(Debug, Args)]
pub struct Stop {
    /// The deployment
    #[arg(value_name = "ID", value_parser = deployment_id)]
    pub id: String,
    /// Then deploy the last successful revision again
    #[arg(long)]
    pub rollback: bool,
    /// Follow it until it has stopped
    #[arg(short, long)]
    pub watch: bool,
    #[command(flatten)]
    pub remote: Remote,
}

#[derive(Debug, Args)]
pub struct Again {
    /// The deployment
    #[arg(value_name = "ID", value_parser = deployment_id)]
    pub id: String,
    /// Follow the new deployment until it ends
    #[arg(short, long)]
    pub watch: bool,
    #[command(flatten)]
    pub remote: Remote,
}

#[derive(Debug, Args)]
pub struct Logs {
    /// The deployment
    #[arg(value_name = "ID", value_parser = deployment_id)]
    pub id: String,
    /// Only of this host
    #[arg(long, value_name = "HOST")]
    pub target: Option<String>,
    /// Only of this lifecycle event, such as AfterInstall
    #[arg(long, value_name = "EVENT")]
    pub event: Option<String>,
    /// Go on until the deployment has ended
    #[arg(short, long)]
    pub follow: bool,
    #[command(flatten)]
    pub remote: Remote,
}

#[derive(Debug, Args)]
pub struct Explain {
    /// The deployment
    #[arg(value_name = "ID", value_parser = deployment_id)]
    pub id: String,
    /// Only what is about this host, or about the deployment as a whole
    #[arg(long, visible_alias = "target", value_name = "HOST")]
    pub host: Option<String>,
    #[command(flatten)]
    pub remote: Remote,
}

#[derive(Debug, Args)]
pub struct PlanDeployment {
    #[command(flatten)]
    pub bundle: Bundle,
    #[command(flatten)]
    pub new: NewDeployment,
    /// A revision instead of a folder: s3://BUCKET/KEY[?versionId=ID] or github:OWNER/REPOSITORY@COMMIT
    #[arg(long, value_name = "URL", conflicts_with_all = ["source", "s3_location"])]
    pub revision: Option<String>,
    #[command(flatten)]
    pub remote: Remote,
}

#[derive(Debug, Args)]
pub struct DeploymentFiles {
    /// The application
    #[arg(short, long, visible_alias = "application-name", value_name = "NAME")]
    pub application: String,
    #[command(flatten)]
    pub new: NewDeployment,
    /// The revision, where hosts can fetch it: s3://BUCKET/KEY[?versionId=ID] or github:OWNER/REPOSITORY@COMMIT
    #[arg(long, value_name = "URL")]
    pub revision: String,
    /// The format of a bundle in S3
    #[arg(long, value_enum, default_value_t = BundleType::Zip)]
    pub bundle_type: BundleType,
    /// Ask only this host, and list its files
    #[arg(long, value_name = "HOST")]
    pub host: Option<String>,
    #[command(flatten)]
    pub remote: Remote,
}

/// Where a folder goes.
#[derive(Debug, Args)]
pub struct Bundle {
    /// The folder with the appspec.yml
    #[arg(value_name = "DIR", default_value = ".")]
    pub source: Utf8PathBuf,
    /// The application
    #[arg(short, long, visible_alias = "application-name", value_name = "NAME")]
    pub application: String,
    /// Where to put the bundle: s3://BUCKET/KEY [default: a key by its content in the bucket longshore-revisions, which is made if it is missing]
    #[arg(long, value_name = "URL")]
    pub s3_location: Option<String>,
    /// The format of the bundle
    #[arg(long, value_enum, default_value_t = BundleType::Zip)]
    pub bundle_type: BundleType,
    /// What to remember the revision by
    #[arg(long, value_name = "TEXT")]
    pub description: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum BundleType {
    Zip,
    Tgz,
    Tar,
}

impl BundleType {
    /// As CodeDeploy calls it, which is also how such files are called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Zip => "zip",
            Self::Tgz => "tgz",
            Self::Tar => "tar",
        }
    }
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  longshore push ./build --application Shop
  longshore push --application Shop --s3-location s3://releases/shop-1.4.tgz --bundle-type tgz

Left out are .git and what a file .longshoreignore in the folder, or in a folder in it, names,
with the patterns of a .gitignore. Links and modes are kept. A push that was interrupted goes on
where it ended when it is repeated.")]
pub struct Push {
    #[command(flatten)]
    pub bundle: Bundle,
    #[command(flatten)]
    pub remote: Remote,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  longshore deploy ./build --application Shop --group Production
  longshore deploy . -a Shop -g Staging --config CodeDeployDefault.AllAtOnce --detach

The folder is pushed as by `longshore push`, deployed, and followed as by
`longshore deployment watch`, with its exit codes: 0 succeeded, 1 failed, 2 stopped.")]
pub struct Deploy {
    #[command(flatten)]
    pub bundle: Bundle,
    #[command(flatten)]
    pub new: NewDeployment,
    #[command(flatten)]
    pub detach: Detach,
    #[command(flatten)]
    pub remote: Remote,
}

/// What a new deployment may be told.
#[derive(Debug, Args)]
pub struct NewDeployment {
    /// The deployment group
    #[arg(short, long, visible_alias = "deployment-group-name", value_name = "NAME")]
    pub group: String,
    /// The deployment configuration [default: the group's]
    #[arg(long, visible_alias = "deployment-config-name", value_name = "NAME")]
    pub config: Option<String>,
    /// What to do with files on hosts that the last revision did not bring
    #[arg(long, visible_alias = "file-exists-behavior", value_name = "WHAT", ignore_case = true, value_parser = ["DISALLOW", "OVERWRITE", "RETAIN"])]
    pub file_exists: Option<String>,
}

/// Whether a new deployment is followed.
#[derive(Debug, Args)]
pub struct Detach {
    /// Do not follow it: print its id and end
    #[arg(long)]
    pub detach: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  longshore promote --application Shop --from Staging --group Production
  longshore promote -a Shop --from Staging -g Production --detach --output text")]
pub struct Promote {
    /// The application
    #[arg(short, long, visible_alias = "application-name", value_name = "NAME")]
    pub application: String,
    /// The group whose last successful revision is taken
    #[arg(long, value_name = "GROUP")]
    pub from: String,
    #[command(flatten)]
    pub new: NewDeployment,
    #[command(flatten)]
    pub detach: Detach,
    #[command(flatten)]
    pub remote: Remote,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  longshore group list
  longshore group get --application Shop --group Production")]
pub struct Group {
    #[command(subcommand)]
    pub command: GroupCommand,
}

#[derive(Debug, Subcommand)]
pub enum GroupCommand {
    /// List deployment groups, with how their last deployments ended
    #[command(after_help = "\
Examples:
  longshore group list
  longshore group list --application Shop")]
    List(ListGroups),
    /// Tell how a deployment group is set up
    #[command(after_help = "\
Examples:
  longshore group get --application Shop --group Production")]
    Get(OneGroup),
}

#[derive(Debug, Args)]
pub struct ListGroups {
    /// Only those of this application
    #[arg(short, long, visible_alias = "application-name", value_name = "NAME")]
    pub application: Option<String>,
    #[command(flatten)]
    pub remote: Remote,
}

#[derive(Debug, Args)]
pub struct OneGroup {
    /// The application
    #[arg(short, long, visible_alias = "application-name", value_name = "NAME")]
    pub application: String,
    /// The deployment group
    #[arg(short, long, visible_alias = "deployment-group-name", value_name = "NAME")]
    pub group: String,
    #[command(flatten)]
    pub remote: Remote,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  longshore hosts
  longshore hosts --application Shop --group Production
  longshore hosts --silent-after 10m                            whose agents were not heard for so long
  longshore hosts --output json --query 'hosts[?!expected].targetId'

A host that several groups deploy to has a line for each. Agents are heard about once a minute.")]
pub struct Hosts {
    /// The application
    #[arg(
        short,
        long,
        visible_alias = "application-name",
        value_name = "NAME",
        requires = "group"
    )]
    pub application: Option<String>,
    /// Only the hosts that this deployment group selects now
    #[arg(
        short,
        long,
        visible_alias = "deployment-group-name",
        value_name = "NAME",
        requires = "application"
    )]
    pub group: Option<String>,
    /// Only hosts that run and whose agents were not heard for so long, such as 10m or 2h, or never
    #[arg(long, value_name = "TIME", value_parser = span)]
    pub silent_after: Option<Duration>,
    #[command(flatten)]
    pub remote: Remote,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  longshore alarms
  longshore alarms --application Shop --group Production     those that stop its deployments")]
pub struct Alarms {
    /// The application
    #[arg(
        short,
        long,
        visible_alias = "application-name",
        value_name = "NAME",
        requires = "group"
    )]
    pub application: Option<String>,
    /// Only the alarms that this deployment group watches
    #[arg(
        short,
        long,
        visible_alias = "deployment-group-name",
        value_name = "NAME",
        requires = "application"
    )]
    pub group: Option<String>,
    #[command(flatten)]
    pub remote: Remote,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  longshore doctor
  longshore doctor --profile staging
  longshore doctor --bucket releases --silent-after 1h

Exit code 0 if all is well, 1 if something needs attention.")]
pub struct Doctor {
    /// The bucket for bundles to look for
    #[arg(long, value_name = "NAME", default_value = crate::push::BUCKET)]
    pub bucket: String,
    /// How long an agent may be silent before that is told, such as 90s, 5m or 2h
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = span)]
    pub silent_after: Duration,
    #[command(flatten)]
    pub remote: Remote,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  longshore completions bash > /usr/share/bash-completion/completions/longshore
  longshore completions zsh > /usr/share/zsh/vendor-completions/_longshore
  longshore completions fish > ~/.config/fish/completions/longshore.fish")]
pub struct Completions {
    /// The shell
    pub shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  longshore man | man -l -
  longshore man /usr/share/man/man1            a page for each command
  longshore man --markdown > cli.md            all commands in one text")]
pub struct Man {
    /// Print the reference of all commands as Markdown
    #[arg(long, conflicts_with = "dir")]
    pub markdown: bool,
    /// Write a page for each command into this folder, instead of one to standard output
    pub dir: Option<Utf8PathBuf>,
}

/// A state of deployments, whatever case it is written in.
fn status() -> impl TypedValueParser<Value = String> {
    const STATUSES: [&str; 7] =
        ["Created", "Queued", "InProgress", "Succeeded", "Failed", "Stopped", "Ready"];
    PossibleValuesParser::new(STATUSES).map(|given| {
        let known = STATUSES.into_iter().find(|status| status.eq_ignore_ascii_case(&given));
        known.map_or(given, str::to_owned)
    })
}

/// A time span of whole seconds: `90s`, `5m`, `1h 30m`. Longer ones than the API takes are for it to refuse.
fn span(text: &str) -> Result<Duration, String> {
    let parsed = text.parse::<jiff::SignedDuration>().ok();
    let span = parsed.and_then(|span| Duration::try_from(span).ok());
    span.filter(|span| span.as_secs() > 0)
        .ok_or_else(|| "a time span looks like 90s, 5m or 2h, and is a second at least".to_owned())
}

/// The form of a deployment's id; whether there is one of that id is for the server to say.
fn deployment_id(text: &str) -> Result<String, String> {
    match text.strip_prefix("d-") {
        Some(rest) if !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric()) => {
            Ok(text.to_owned())
        }
        _ => Err("a deployment's id looks like d-75I7MBT7C".to_owned()),
    }
}
