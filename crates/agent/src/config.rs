//! The agent's configuration: the official YAML file with the official keys, and a few keys of our own.

use std::fs;
use std::io;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use model::appspec::AppSpecError;
use model::appspec::yaml::{self, Node, Value};

use crate::http::origin_of;
use crate::layout::{self, Layout};
use crate::proxies::Proxies;

/// Where the configuration is looked for where none was named. Source: official agent.
pub const PLACES: [&str; 2] = [
    "/etc/codedeploy-agent/conf/codedeployagent.yml",
    "/opt/codedeploy-agent/conf/codedeployagent.yml",
];

/// Where the on-premises file is unless the configuration says otherwise. Source: official agent.
const ON_PREMISES: &str = "/etc/codedeploy-agent/conf/codedeploy.onpremises.yml";

/// The configuration. Defaults are those of the file that the official package ships.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Names of log, pid and lock files.
    pub program_name: String,
    /// Everything about deployments.
    pub root_dir: Utf8PathBuf,
    /// The agent's own log.
    pub log_dir: Utf8PathBuf,
    /// The pid file and its lock.
    pub pid_dir: Utf8PathBuf,
    /// Whether to log in detail.
    pub verbose: bool,
    /// Pause after a poll that brought nothing.
    pub wait_between_runs: Duration,
    /// Archived revisions kept for each deployment group; at least 1.
    pub max_revisions: usize,
    /// HTTP proxy for control plane, S3 and GitHub; never for instance metadata.
    pub proxy_uri: Option<String>,
    /// Whether to insist on metadata tokens.
    pub disable_imds_v1: bool,
    /// The file of a registered on-premises host.
    pub on_premises_config_file: Utf8PathBuf,
    /// The control plane; derived from region and domain where absent.
    pub deploy_control_endpoint: Option<String>,
    /// S3; derived from the region where absent.
    pub s3_endpoint_override: Option<String>,
    /// Ours: whether the bucket goes into the path. Where absent: for an IP address or a bucket name with dots.
    pub s3_path_style: Option<bool>,
    /// FIPS endpoints.
    pub use_fips_mode: bool,
    /// The "secure" command endpoint.
    pub enable_auth_policy: bool,
    /// Whether to write the log of all hooks of all deployments.
    pub enable_deployments_log: bool,
    /// Name of the directory of trackers.
    pub ongoing_deployment_tracking: String,
    /// How long a stopping agent waits for running commands.
    pub kill_agent_max_wait_time: Duration,
    /// How long an answer of the control plane may take.
    pub http_read_timeout: Duration,
    /// Ours: PEM file of the one certificate that may sign deployment specifications.
    pub signer_certificate_file: Option<Utf8PathBuf>,
    /// Ours: take specifications signed by anybody, as the official agent does, where no certificate is pinned.
    pub allow_unpinned_signer: bool,
    /// Ours: the base of GitHub's API.
    pub github_endpoint: String,
    /// Ours: bytes that a bundle may come to when unpacked.
    pub unpacked_bytes_max: u64,
}

/// What is wrong with a configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// There is none.
    #[error("configuration file {path} does not exist or is not readable")]
    Unreadable { path: Utf8PathBuf, source: io::Error },
    /// It is not YAML.
    #[error("configuration file {path} cannot be parsed")]
    Syntax { path: Utf8PathBuf, source: AppSpecError },
    /// It is something other than a mapping.
    #[error("configuration file {path} must hold keys and values")]
    NotAMapping { path: Utf8PathBuf },
    /// A value is not of its key's kind.
    #[error("configuration key `{key}` at {at} must be {expected}, and is {found}")]
    Value { key: &'static str, expected: &'static str, found: String, at: yaml::Position },
}

impl Default for Config {
    fn default() -> Self {
        Self {
            program_name: "codedeploy-agent".to_owned(),
            root_dir: "/opt/codedeploy-agent/deployment-root".into(),
            log_dir: "/var/log/aws/codedeploy-agent/".into(),
            pid_dir: "/opt/codedeploy-agent/state/.pid/".into(),
            verbose: false,
            wait_between_runs: Duration::from_secs(1),
            max_revisions: 5,
            proxy_uri: None,
            disable_imds_v1: false,
            on_premises_config_file: ON_PREMISES.into(),
            deploy_control_endpoint: None,
            s3_endpoint_override: None,
            s3_path_style: None,
            use_fips_mode: false,
            enable_auth_policy: false,
            enable_deployments_log: true,
            ongoing_deployment_tracking: "ongoing-deployment".to_owned(),
            kill_agent_max_wait_time: Duration::from_secs(7200),
            http_read_timeout: Duration::from_secs(80),
            signer_certificate_file: None,
            allow_unpinned_signer: false,
            github_endpoint: "https://api.github.com".to_owned(),
            unpacked_bytes_max: 64 << 30,
        }
    }
}

impl Config {
    /// Reads the file named, else the first of the usual places that exists.
    ///
    /// # Errors
    /// There is no readable file, it is not YAML, or a value is not of its key's kind.
    pub fn load(path: Option<&Utf8Path>) -> Result<Self, ConfigError> {
        let usual = || PLACES.iter().map(Utf8Path::new).find(|path| path.exists());
        let path = path.or_else(usual).unwrap_or(Utf8Path::new(PLACES[0]));
        let text = fs::read(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        Self::parse(&text, path)
    }

    /// Reads a configuration text; `path` is for messages.
    ///
    /// # Errors
    /// It is not YAML, or a value is not of its key's kind. Unknown keys are let be.
    pub fn parse(text: &[u8], path: &Utf8Path) -> Result<Self, ConfigError> {
        let root = yaml::parse(text)
            .map_err(|source| ConfigError::Syntax { path: path.to_owned(), source })?;
        let Value::Mapping(pairs) = &root.value else {
            return Err(ConfigError::NotAMapping { path: path.to_owned() });
        };
        let mut config = Self::default();
        let keys = Keys(pairs);
        keys.name("program_name", &mut config.program_name)?;
        keys.path("root_dir", &mut config.root_dir)?;
        keys.path("log_dir", &mut config.log_dir)?;
        keys.path("pid_dir", &mut config.pid_dir)?;
        keys.flag("verbose", &mut config.verbose)?;
        keys.seconds("wait_between_runs", &mut config.wait_between_runs)?;
        keys.revisions(&mut config.max_revisions)?;
        keys.proxy(&mut config.proxy_uri)?;
        keys.flag("disable_imds_v1", &mut config.disable_imds_v1)?;
        keys.path("on_premises_config_file", &mut config.on_premises_config_file)?;
        keys.url("deploy_control_endpoint", &mut config.deploy_control_endpoint)?;
        keys.url("s3_endpoint_override", &mut config.s3_endpoint_override)?;
        keys.flag("use_fips_mode", &mut config.use_fips_mode)?;
        keys.flag("enable_auth_policy", &mut config.enable_auth_policy)?;
        keys.flag("enable_deployments_log", &mut config.enable_deployments_log)?;
        keys.tracking(&mut config.ongoing_deployment_tracking)?;
        keys.seconds("kill_agent_max_wait_time_seconds", &mut config.kill_agent_max_wait_time)?;
        keys.seconds("http_read_timeout", &mut config.http_read_timeout)?;
        keys.flag("allow_unpinned_signer", &mut config.allow_unpinned_signer)?;
        let mut github = None;
        keys.url("github_endpoint", &mut github)?;
        config.github_endpoint = github.unwrap_or(config.github_endpoint);
        keys.bytes("unpacked_bytes_max", &mut config.unpacked_bytes_max)?;
        let mut signer = None;
        keys.option("signer_certificate_file", &mut signer)?;
        config.signer_certificate_file = signer.map(Into::into);
        let mut path_style = false;
        if keys.get("s3_path_style").is_some() {
            keys.flag("s3_path_style", &mut path_style)?;
            config.s3_path_style = Some(path_style);
        }
        Ok(config)
    }

    /// The paths below `root_dir`.
    pub fn layout(&self) -> Layout {
        Layout::new(&self.root_dir, &self.program_name, &self.ongoing_deployment_tracking)
    }
}

struct Keys<'a>(&'a [(Node, Node)]);

impl<'a> Keys<'a> {
    /// The value of a key, written plain or as a Ruby symbol; the last one counts, null is absent.
    fn get(&self, key: &str) -> Option<&'a Node> {
        let named = |node: &Node| {
            let Value::Text(text) = &node.value else { return false };
            let text = text.strip_prefix(':').unwrap_or(text);
            text.strip_suffix(':').unwrap_or(text) == key
        };
        let found = self.0.iter().rfind(|(k, _)| named(k)).map(|(_, value)| value);
        found.filter(|node| !matches!(&node.value, Value::Null))
    }

    fn read<T>(
        &self,
        key: &'static str,
        expected: &'static str,
        into: &mut T,
        read: impl Fn(&Node) -> Option<T>,
    ) -> Result<(), ConfigError> {
        let Some(node) = self.get(key) else { return Ok(()) };
        let wrong = || ConfigError::Value { key, expected, found: node.describe(), at: node.at };
        *into = read(node).ok_or_else(wrong)?;
        Ok(())
    }

    /// What becomes a part of files' names.
    fn name(&self, key: &'static str, into: &mut String) -> Result<(), ConfigError> {
        self.read(key, "a plain name, without a slash", into, plain_name)
    }

    /// The directory of trackers, which is emptied at each start: it must be no other's.
    fn tracking(&self, into: &mut String) -> Result<(), ConfigError> {
        let expected = "a plain name that nothing else in `root_dir` has";
        self.read("ongoing_deployment_tracking", expected, into, |node| {
            plain_name(node).filter(|name| !layout::OTHERS.contains(&name.as_str()))
        })
    }

    fn url(&self, key: &'static str, into: &mut Option<String>) -> Result<(), ConfigError> {
        let is_url = |text: &str| {
            let scheme = text.starts_with("http://") || text.starts_with("https://");
            scheme && text.parse().is_ok_and(|uri| origin_of(&uri).is_ok())
        };
        self.read(key, "a URL that begins with http:// or https://", into, |node| {
            let text = node.text();
            (text.is_empty() || is_url(&text)).then(|| Some(text).filter(|text| !text.is_empty()))
        })
    }

    /// It may carry a password, so that an error does not show what was found.
    fn proxy(&self, into: &mut Option<String>) -> Result<(), ConfigError> {
        let key = "proxy_uri";
        self.option(key, into)?;
        match (Proxies::new(into.as_deref(), |_| None), self.get(key)) {
            (Err(error), Some(node)) => {
                let found = format!("none ({error})");
                let expected = "the URL of a proxy";
                Err(ConfigError::Value { key, expected, found, at: node.at })
            }
            _ => Ok(()),
        }
    }

    fn option(&self, key: &'static str, into: &mut Option<String>) -> Result<(), ConfigError> {
        // The shipped file has `:proxy_uri:` with nothing behind it.
        self.read(key, "a text", into, |node| Some(Some(node.text()).filter(|t| !t.is_empty())))
    }

    fn path(&self, key: &'static str, into: &mut Utf8PathBuf) -> Result<(), ConfigError> {
        self.read(key, "an absolute path", into, |node| {
            let path = Utf8PathBuf::from(node.text());
            path.is_absolute().then_some(path)
        })
    }

    fn flag(&self, key: &'static str, into: &mut bool) -> Result<(), ConfigError> {
        self.read(key, "true or false", into, |node| match &node.value {
            Value::Bool(flag) => Some(*flag),
            Value::Text(text) => text.parse().ok(),
            _ => None,
        })
    }

    fn seconds(&self, key: &'static str, into: &mut Duration) -> Result<(), ConfigError> {
        self.read(key, "a number of seconds", into, |node| match node.value {
            Value::Integer(seconds) => u64::try_from(seconds).ok().map(Duration::from_secs),
            Value::Float(seconds) => Duration::try_from_secs_f64(seconds).ok(),
            _ => None,
        })
    }

    fn revisions(&self, into: &mut usize) -> Result<(), ConfigError> {
        self.read("max_revisions", "a number of at least 1", into, |node| match node.value {
            Value::Integer(number) => usize::try_from(number).ok().filter(|number| *number > 0),
            _ => None,
        })
    }

    fn bytes(&self, key: &'static str, into: &mut u64) -> Result<(), ConfigError> {
        self.read(key, "a number of bytes", into, |node| match node.value {
            Value::Integer(number) => u64::try_from(number).ok(),
            _ => None,
        })
    }
}

fn plain_name(node: &Node) -> Option<String> {
    let text = node.text();
    layout::check_id("name", &text).is_ok().then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, ConfigError> {
        Config::parse(text.as_bytes(), Utf8Path::new("test.yml"))
    }

    #[test]
    fn the_file_that_the_official_package_ships_is_read() {
        let config = parse(
            "---\n:log_aws_wire: false\n:log_dir: '/var/log/aws/codedeploy-agent/'\n:pid_dir: '/opt/x/.pid/'\n\
             :program_name: codedeploy-agent\n:root_dir: '/opt/codedeploy-agent/deployment-root'\n:verbose: false\n\
             :wait_between_runs: 1\n:proxy_uri:\n:max_revisions: 5\n:disable_imds_v1: false\n",
        )
        .unwrap();
        assert_eq!(config, Config { pid_dir: "/opt/x/.pid/".into(), ..Config::default() });
    }

    #[test]
    fn keys_may_be_plain_and_the_last_counts() {
        let config = parse("root_dir: /a\n:root_dir: /b\ns3_path_style: true\n").unwrap();
        assert_eq!(config.root_dir, "/b");
        assert_eq!(config.s3_path_style, Some(true));
    }

    #[test]
    fn a_wrong_value_is_named_with_its_place() {
        let error = parse("root_dir: /a\nmax_revisions: 0\n").unwrap_err().to_string();
        assert_eq!(
            error,
            "configuration key `max_revisions` at line 2 column 16 must be a number of at least 1, and is 0"
        );
        assert!(parse("root_dir: here\n").is_err());
        assert!(parse("- a\n").is_err());
        assert!(parse("verbose: maybe\n").is_err());
    }

    #[test]
    fn what_is_no_url_is_refused_when_it_is_read() {
        for key in ["deploy_control_endpoint", "s3_endpoint_override", "github_endpoint"] {
            for wrong in ["deploy.test", "ftp://deploy.test", "http://", "'http://a b'"] {
                let error = parse(&format!("{key}: {wrong}\n")).unwrap_err().to_string();
                assert!(error.contains(&format!("`{key}` at line 1")), "{error}");
                assert!(error.contains("http:// or https://"), "{error}");
            }
            assert!(parse(&format!("{key}: https://deploy.test:7400\n")).is_ok());
            assert!(parse(&format!("{key}:\n")).is_ok());
        }
    }

    #[test]
    fn a_wrong_proxy_is_named_without_its_password() {
        for wrong in ["'http://me:s3cret@a b'", "socks5://me:s3cret@p.test:1"] {
            let error = parse(&format!("verbose: true\nproxy_uri: {wrong}\n")).unwrap_err();
            let error = error.to_string();
            assert!(error.contains("`proxy_uri` at line 2 column 12"), "{error}");
            assert!(!error.contains("s3cret"), "{error}");
        }
        let config = parse("proxy_uri: http://me:p%40ss@proxy.test:3128\n").unwrap();
        assert_eq!(config.proxy_uri.as_deref(), Some("http://me:p%40ss@proxy.test:3128"));
    }

    #[test]
    fn no_directory_but_its_own_becomes_that_of_the_trackers() {
        for wrong in ["/etc", "..", ".", "a/b", "deployment-instructions", "command-journal"] {
            let error = parse(&format!("ongoing_deployment_tracking: {wrong}\n")).unwrap_err();
            assert!(
                error.to_string().contains("must be a plain name that nothing else"),
                "{error}"
            );
        }
        assert!(parse("program_name: ../agent\n").is_err());
        let config = parse("ongoing_deployment_tracking: mine\n").unwrap();
        assert_eq!(config.ongoing_deployment_tracking, "mine");
    }
}
