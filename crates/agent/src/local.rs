//! `longshore-agent local`: a deployment on this host without any control plane. The options and the output are
//! those of the official `codedeploy-local`.

use std::collections::BTreeSet;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use model::appspec::DEFAULT_NAMES;

use crate::config::Config;
use crate::credentials::{self, Source};
use crate::daemon::{self, say};
use crate::executor::{EventError, Executor};
use crate::http::Client;
use crate::identity::{self, Identity, Keys, Metadata, Secret};
use crate::layout;
use crate::spec::{ArchiveType, Revision, Specification};

/// What was asked for.
#[derive(Debug, Clone)]
pub struct Options {
    /// A path, `s3://bucket/key[?versionId=…&etag=…]` or a GitHub URL.
    pub bundle_location: String,
    /// `tgz`, `tar`, `zip` or `directory`.
    pub bundle_type: String,
    /// What to do with files that are there.
    pub file_exists_behavior: String,
    /// Taken for the deployment group's id.
    pub deployment_group: String,
    /// For the hooks' environment.
    pub deployment_group_name: String,
    /// For the hooks' environment; the location where absent.
    pub application_name: Option<String>,
    /// The events to run, in order; all where empty.
    pub events: Vec<String>,
    /// The AppSpec's name in the revision.
    pub appspec_filename: Option<String>,
}

/// The events of a local deployment where none are named, in order.
const EVENTS: [&str; 11] = [
    "BeforeBlockTraffic",
    "AfterBlockTraffic",
    "ApplicationStop",
    "DownloadBundle",
    "BeforeInstall",
    "Install",
    "AfterInstall",
    "ApplicationStart",
    "ValidateService",
    "BeforeAllowTraffic",
    "AfterAllowTraffic",
];

/// Events that may come before the download, and before the installation.
const BEFORE_DOWNLOAD: &[&str] = &["BeforeBlockTraffic", "AfterBlockTraffic", "ApplicationStop"];
const BEFORE_INSTALL: &[&str] = &[
    "BeforeBlockTraffic",
    "AfterBlockTraffic",
    "ApplicationStop",
    "DownloadBundle",
    "BeforeInstall",
];

/// Why a local deployment is not tried.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Refused(String);

fn refuse<T>(text: impl Into<String>) -> Result<T, Refused> {
    Err(Refused(text.into()))
}

impl Default for Options {
    fn default() -> Self {
        Self {
            bundle_location: ".".to_owned(),
            bundle_type: "directory".to_owned(),
            file_exists_behavior: "DISALLOW".to_owned(),
            deployment_group: "default-local-deployment-group".to_owned(),
            deployment_group_name: "LocalFleet".to_owned(),
            application_name: None,
            events: Vec::new(),
            appspec_filename: None,
        }
    }
}

/// Runs a local deployment; says on standard output what it does. `true` if it succeeded.
pub async fn deploy(config: &Config, options: &Options) -> bool {
    match try_deploy(config, options).await {
        Ok(succeeded) => succeeded,
        Err(refused) => {
            say(&format!("ERROR: {refused}"));
            false
        }
    }
}

async fn try_deploy(config: &Config, options: &Options) -> Result<bool, Refused> {
    let events = ordered(&options.events)?;
    let spec = Arc::new(specification(options, &events)?);
    let executor = Arc::new(executor(config, &spec).await?);
    let directory = executor.layout().deployment(&spec.deployment_group_id, &spec.deployment_id);
    say(&format!("Starting to execute deployment from within folder {directory}"));
    let failure = run(&executor, &spec, &events).await.err();
    if let Some(EventError::Hook { error, .. }) = &failure {
        let script = error.report(String::new()).script_name;
        say(&format!(
            "Your local deployment failed while trying to execute your script at {directory}/deployment-archive/{script}"
        ));
        say(&error.to_string());
    }
    say(&format!("See the deployment log at {directory}/logs/scripts.log for more details"));
    match failure {
        None => {
            say("AppSpec file valid. Local deployment successful");
            Ok(true)
        }
        Some(EventError::Hook { .. }) => Ok(false),
        Some(other) => refuse(other.report().message),
    }
}

async fn run(
    executor: &Arc<Executor>,
    spec: &Arc<Specification>,
    events: &[String],
) -> Result<(), EventError> {
    for event in events {
        if !executor.is_noop(spec, event)? {
            executor.execute(spec, event, None).await?;
        }
    }
    Ok(())
}

/// The events to run: with a download and an installation in front, if they were not named. Source: official agent.
fn ordered(asked: &[String]) -> Result<Vec<String>, Refused> {
    if asked.is_empty() {
        return Ok(EVENTS.map(str::to_owned).to_vec());
    }
    if let Some(event) = asked.iter().find(|event| !is_pascal_case(event)) {
        return refuse(format!(
            "{event} is not the name of a lifecycle event: it must be in PascalCase"
        ));
    }
    check_before(asked, "DownloadBundle", BEFORE_DOWNLOAD)?;
    check_before(asked, "Install", BEFORE_INSTALL)?;
    let mut events = asked.to_vec();
    if !asked.iter().any(|event| event == "Install") {
        let after = asked.iter().position(|event| event == "DownloadBundle").map_or(0, |at| at + 1);
        events.insert(after, "Install".to_owned());
    }
    if !asked.iter().any(|event| event == "DownloadBundle") {
        events.insert(0, "DownloadBundle".to_owned());
    }
    Ok(events)
}

fn check_before(asked: &[String], event: &str, allowed: &[&str]) -> Result<(), Refused> {
    let Some(at) = asked.iter().position(|name| name == event) else { return Ok(()) };
    if asked[..at].iter().all(|name| allowed.contains(&name.as_str())) {
        return Ok(());
    }
    refuse(format!(
        "The only events that can be specified before {event} are {}. Please fix the order of your specified events: {}",
        allowed.join(","),
        asked.join(",")
    ))
}

fn is_pascal_case(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.chars().all(|c| c.is_ascii_alphanumeric())
}

fn specification(options: &Options, events: &[String]) -> Result<Specification, Refused> {
    let revision = revision(options)?;
    let group = layout::check_id("deployment group", &options.deployment_group);
    let group = group.map_err(|error| Refused(error.to_string()))?;
    let possible: BTreeSet<&str> =
        EVENTS.into_iter().chain(events.iter().map(String::as_str)).collect();
    let name = options.appspec_filename.clone().unwrap_or_else(|| DEFAULT_NAMES[0].to_owned());
    Ok(Specification {
        deployment_id: deployment_id()?,
        deployment_group_id: group.to_owned(),
        deployment_group_name: options.deployment_group_name.clone(),
        application_name: options
            .application_name
            .clone()
            .unwrap_or_else(|| options.bundle_location.clone()),
        blue_green_rollback: false,
        appspec_filename: name,
        file_exists_behavior: options.file_exists_behavior.to_uppercase(),
        reuse_archive_from: None,
        possible_events: Some(possible.into_iter().map(str::to_owned).collect()),
        revision,
    })
}

/// An id that no deployment of a control plane has.
fn deployment_id() -> Result<String, Refused> {
    use ring::rand::{SecureRandom, SystemRandom};
    let mut bytes = [0; 9];
    let drawn = SystemRandom::new().fill(&mut bytes);
    drawn.map_err(|_| Refused("the system has no random numbers".to_owned()))?;
    Ok(format!("{}-local", model::DeploymentId::from_random(bytes)))
}

fn revision(options: &Options) -> Result<Revision, Refused> {
    let (location, kind) = (options.bundle_location.as_str(), options.bundle_type.as_str());
    let archive = ArchiveType::from_name(kind);
    if archive.is_none() && kind != "directory" {
        return refuse(format!(
            "type {kind} is not a valid type. Must be one of tgz,tar,zip,directory"
        ));
    }
    if let Some(rest) = location.strip_prefix("s3://") {
        let kind = archive.unwrap_or(ArchiveType::Tar);
        return s3(rest, kind);
    }
    if location.starts_with("https://") {
        return github(location, archive);
    }
    if location.contains("://") {
        return refuse(format!(
            "location {location} cannot be used: it must be a path, s3:// or a GitHub URL"
        ));
    }
    on_disk(Utf8Path::new(location), archive, options.appspec_filename.as_deref())
}

fn on_disk(
    location: &Utf8Path,
    archive: Option<ArchiveType>,
    appspec: Option<&str>,
) -> Result<Revision, Refused> {
    let Ok(location) = location.canonicalize_utf8() else {
        return refuse(format!("location {location} is specified but does not exist"));
    };
    match (archive, location.is_dir()) {
        (Some(bundle_type), false) => Ok(Revision::LocalFile { location, bundle_type }),
        (Some(_), true) => refuse(format!(
            "location {location} is a directory, and the type says it is an archive"
        )),
        (None, false) => refuse(format!("location {location} is a file: say of which --type")),
        (None, true) => {
            check_appspec(&location, appspec)?;
            Ok(Revision::LocalDirectory { location })
        }
    }
}

fn check_appspec(location: &Utf8Path, appspec: Option<&str>) -> Result<(), Refused> {
    let names = appspec.map_or_else(|| DEFAULT_NAMES.to_vec(), |name| vec![name]);
    if names.iter().any(|name| location.join(name).is_file()) {
        return Ok(());
    }
    let places: Vec<_> = names.iter().map(|name| location.join(name).to_string()).collect();
    let names = names.join(" or ");
    refuse(format!(
        "Expecting appspec file at location {} but it is not found there. Please either run the CLI from within a directory \
         containing the {names} file or specify a bundle location containing an {names} file in its root directory",
        places.join(" or ")
    ))
}

fn s3(rest: &str, bundle_type: ArchiveType) -> Result<Revision, Refused> {
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let Some((bucket, key)) = path.split_once('/').filter(|(b, k)| !b.is_empty() && !k.is_empty())
    else {
        return refuse(format!("s3://{rest} is not of the form s3://bucket/key"));
    };
    let value = |name: &str| {
        query.split('&').find_map(|pair| {
            pair.split_once('=').filter(|(n, _)| *n == name).map(|(_, v)| v.to_owned())
        })
    };
    let (version, etag) = (value("versionId"), value("etag"));
    Ok(Revision::S3 { bucket: bucket.to_owned(), key: key.to_owned(), version, etag, bundle_type })
}

fn github(location: &str, archive: Option<ArchiveType>) -> Result<Revision, Refused> {
    let parts: Vec<&str> = location.trim_end_matches('/').split('/').collect();
    let (account, repository, commit, named) = match parts[..] {
        ["https:", "", "github.com", account, repository] => (account, repository, "HEAD", None),
        [
            "https:",
            "",
            "api.github.com",
            "repos",
            account,
            repository,
            ball @ ("tarball" | "zipball"),
            commit,
        ] => {
            let kind = if ball == "tarball" { ArchiveType::Tar } else { ArchiveType::Zip };
            (account, repository, commit, Some(kind))
        }
        _ => {
            return refuse(format!(
                "location {location} is neither a path, nor s3://, nor GitHub's"
            ));
        }
    };
    let asked = if archive == Some(ArchiveType::Tar) { ArchiveType::Tar } else { ArchiveType::Zip };
    Ok(Revision::GitHub {
        account: account.to_owned(),
        repository: repository.to_owned(),
        commit: commit.to_owned(),
        bundle_type: named.unwrap_or(asked),
        token: None,
    })
}

async fn executor(config: &Config, spec: &Specification) -> Result<Executor, Refused> {
    let refused = |error: &dyn std::error::Error| Refused(crate::spec::chain(error));
    let client = Client::new(config.proxy_uri.as_deref()).map_err(|error| refused(&error))?;
    let metadata = Arc::new(Metadata::new(config.disable_imds_v1));
    let registered = identity::on_premises(&config.on_premises_config_file);
    let registered = registered.map_err(|error| refused(&error))?;
    let variables = registered.as_ref().map(Identity::variables).unwrap_or_default();
    let (identity, credentials) = match &spec.revision {
        Revision::S3 { .. } => {
            let identity = match registered {
                Some(identity) => identity,
                None => whoami(&metadata).await?,
            };
            let source = Source::new(identity.keys.clone(), metadata);
            (identity, Some(Arc::new(source)))
        }
        _ => (nobody(), None),
    };
    let sources = daemon::sources(config, &identity, client, credentials);
    Ok(Executor::new(config.clone(), sources).with_custom_events().with_variables(variables))
}

fn nobody() -> Identity {
    let region = std::env::var("AWS_REGION").ok().filter(|region| !region.is_empty());
    let region = region.unwrap_or_else(|| "us-east-1".to_owned());
    let domain = identity::domain_of(&region).to_owned();
    Identity { host_identifier: String::new(), region, domain, keys: Keys::InstanceRole }
}

/// Credentials for S3 on a host that is not registered: those of the environment, of the user's file, else of the instance.
async fn whoami(metadata: &Metadata) -> Result<Identity, Refused> {
    let home = std::env::var("HOME").unwrap_or_default();
    let file = std::env::var("AWS_SHARED_CREDENTIALS_FILE")
        .map_or_else(|_| Utf8PathBuf::from(home).join(".aws/credentials"), Utf8PathBuf::from);
    if let Some(found) = credentials::from_environment() {
        let secret = Secret(found.secret_key);
        let session_token = found.session_token.map(Secret);
        let keys = Keys::Own { access_key: found.access_key, secret, session_token };
        return Ok(Identity { keys, ..nobody() });
    }
    if credentials::from_file(&file).is_ok() {
        return Ok(Identity { keys: Keys::SessionFile { path: file }, ..nobody() });
    }
    metadata.identity().await.map_err(|error| {
        let error = crate::spec::chain(&error);
        Refused(format!("there are no credentials for S3: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY ({error})"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(events: &[&str]) -> Result<Vec<String>, String> {
        let events: Vec<_> = events.iter().map(|event| (*event).to_owned()).collect();
        ordered(&events).map_err(|error| error.to_string())
    }

    #[test]
    fn download_and_install_come_first_unless_they_were_named() {
        assert_eq!(
            order(&["ApplicationStop"]).unwrap(),
            ["DownloadBundle", "Install", "ApplicationStop"]
        );
        assert_eq!(
            order(&["ApplicationStop", "DownloadBundle"]).unwrap(),
            ["ApplicationStop", "DownloadBundle", "Install"]
        );
        assert_eq!(order(&[]).unwrap().len(), 11);
        assert!(
            order(&["Install", "DownloadBundle"])
                .unwrap_err()
                .contains("before DownloadBundle are")
        );
        assert!(
            order(&["DownloadBundle", "AfterInstall", "Install"])
                .unwrap_err()
                .contains("before Install are")
        );
        assert!(order(&["my-event"]).is_err());
    }

    #[test]
    fn locations_are_told_apart() {
        let revision = |location: &str, kind: &str| {
            let (bundle_location, bundle_type) = (location.to_owned(), kind.to_owned());
            revision(&Options { bundle_location, bundle_type, ..Options::default() })
        };
        assert!(matches!(
            revision("s3://b/k/x.zip?versionId=1&etag=2", "zip").unwrap(),
            Revision::S3 { version: Some(_), etag: Some(_), bundle_type: ArchiveType::Zip, .. }
        ));
        assert!(matches!(
            revision("https://github.com/a/b/", "tar").unwrap(),
            Revision::GitHub { .. }
        ));
        assert!(revision("https://example.com/x.zip", "zip").is_err());
        assert!(revision("http://x/y.zip", "zip").is_err());
        assert!(revision("/no/such/place", "directory").is_err());
        assert_eq!(
            revision("x", "rar").unwrap_err().to_string(),
            "type rar is not a valid type. Must be one of tgz,tar,zip,directory"
        );
    }
}
