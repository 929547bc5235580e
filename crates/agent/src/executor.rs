//! Carrying out one lifecycle event of one deployment.

mod foresee;

use std::ffi::OsString;
use std::fs;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use model::LifecycleEvent;
use model::appspec::{AppSpec, AppSpecError, DEFAULT_NAMES, Hook};

use crate::bundle::download::{ARCHIVE, Place, Start};
use crate::bundle::fetch::{Commit, Object, Remote, Sources};
use crate::bundle::{self, BundleError, retention};
use crate::config::Config;
use crate::diagnostics::Report;
use crate::hooks::{self, Environment, HookError, HookLog, LogSinks};
use crate::install::{self, Hands, InstallError, LedgerFiles, Previous, Recovered, Switched};
use crate::layout::{self, Layout};
use crate::output::Outbox;
use crate::spec::{ArchiveType, Revision, Specification};

/// The largest AppSpec that is read. Nobody's has a hundredth of it.
const APPSPEC_BYTES_MAX: u64 = 4 << 20;

/// What carries out events.
#[derive(Debug)]
pub struct Executor {
    config: Config,
    layout: Layout,
    sources: Sources,
    /// Whether events that CodeDeploy does not know run the hooks of that name: for local deployments.
    custom_events: bool,
    /// What scripts find in their environment about this host.
    of_host: Vec<(OsString, OsString)>,
}

/// How an event can fail.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// The command is none of ours.
    #[error("Unsupported command type: {event}.")]
    Unsupported { event: String },
    /// There is no AppSpec where there must be one.
    #[error(
        "The CodeDeploy agent did not find an AppSpec file within the unpacked revision directory at revision-relative path \
         \"{name}\". The revision was unpacked to directory \"{archive}\", and the AppSpec file was expected but not found at path \
         \"{archive}/{name}\". Consult the AWS CodeDeploy Appspec documentation for more information at \
         http://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file.html"
    )]
    NoAppSpec { name: String, archive: Utf8PathBuf },
    /// The AppSpec is wrong.
    #[error(transparent)]
    AppSpec(#[from] AppSpecError),
    /// The AppSpec names events that there are not.
    #[error("{name} file contains unknown lifecycle events: {events:?}")]
    UnknownEvents { name: String, events: Vec<String> },
    /// An event was asked for that the AppSpec does not know.
    #[error(
        "You specified a lifecycle event which is not a default one and doesn't exist in your {name} file: {}",
        events.join(",")
    )]
    MissingEvents { name: String, events: Vec<String> },
    /// The bundle could not be got.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The files could not be installed.
    #[error(transparent)]
    Install(#[from] InstallError),
    /// A hook failed.
    #[error("{error}")]
    Hook {
        #[source]
        error: HookError,
        log: String,
    },
    /// Nothing is known of a group whose files are between two revisions.
    #[error(
        "an Install of this deployment group was cut short and could not be undone yet; the next deployment tries again"
    )]
    CutShort,
    /// Something of ours broke.
    #[error("the agent could not carry out {event}: {reason}")]
    Internal { event: String, reason: String },
}

impl EventError {
    /// The report of the failure.
    pub fn report(&self) -> Report {
        match self {
            Self::Hook { error, log } => error.report(log.clone()),
            other => Report::failure(crate::spec::chain(other)),
        }
    }
}

impl Executor {
    /// An executor for a host.
    pub fn new(config: Config, sources: Sources) -> Self {
        let layout = config.layout();
        Self { config, layout, sources, custom_events: false, of_host: Vec::new() }
    }

    /// The same, whose scripts find these variables too.
    #[must_use]
    pub fn with_variables(mut self, variables: Vec<(OsString, OsString)>) -> Self {
        self.of_host = variables;
        self
    }

    /// The same, also for events of the user's own.
    #[must_use]
    pub fn with_custom_events(mut self) -> Self {
        self.custom_events = true;
        self
    }

    /// Paths on this host.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Whether carrying out the event would do nothing. Source: official agent.
    ///
    /// # Errors
    /// The AppSpec whose hooks would run is missing or wrong.
    pub fn is_noop(&self, spec: &Specification, event: &str) -> Result<bool, EventError> {
        match event {
            "DownloadBundle" | "Install" => Ok(false),
            _ => Ok(!self.runs_hooks(event) || self.hooks(spec, event)?.is_none()),
        }
    }

    /// Carries out an event; what its hooks print goes to `outbox` too.
    ///
    /// # Errors
    /// What failed; its [`EventError::report`] is for the control plane.
    pub async fn execute(
        self: &Arc<Self>,
        spec: &Arc<Specification>,
        event: &str,
        outbox: Option<&Outbox>,
    ) -> Result<(), EventError> {
        let known = matches!(event, "DownloadBundle" | "Install") || self.runs_hooks(event);
        if !known {
            return Err(EventError::Unsupported { event: event.to_owned() });
        }
        let deployment = self.deployment(spec);
        fs::create_dir_all(&deployment).map_err(BundleError::host("create", &deployment))?;
        match event {
            "DownloadBundle" => self.download(spec).await,
            "Install" => {
                let log = self.hook_log(spec).telling(outbox.cloned());
                self.blocking(spec, event, |this, spec, _| this.install(spec, log)).await
            }
            _ => {
                let log = self.hook_log(spec).telling(outbox.cloned());
                self.blocking(spec, event, |this, spec, event| this.run_hooks(spec, event, log))
                    .await
            }
        }
    }

    fn runs_hooks(&self, event: &str) -> bool {
        let known: Option<LifecycleEvent> = event.parse().ok();
        known.map_or(self.custom_events, LifecycleEvent::has_hooks)
    }

    async fn blocking<W>(
        self: &Arc<Self>,
        spec: &Arc<Specification>,
        event: &str,
        work: W,
    ) -> Result<(), EventError>
    where
        W: FnOnce(&Self, &Specification, &str) -> Result<(), EventError> + Send + 'static,
    {
        let (this, spec, name) = (Arc::clone(self), Arc::clone(spec), event.to_owned());
        let done = tokio::task::spawn_blocking(move || work(&this, &spec, &name)).await;
        done.unwrap_or_else(|error| {
            Err(EventError::Internal { event: event.to_owned(), reason: error.to_string() })
        })
    }

    fn deployment(&self, spec: &Specification) -> Utf8PathBuf {
        self.layout.deployment(&spec.deployment_group_id, &spec.deployment_id)
    }

    async fn download(self: &Arc<Self>, spec: &Arc<Specification>) -> Result<(), EventError> {
        let (deployment, group) = (self.deployment(spec), &spec.deployment_group_id);
        let place = self.place(spec, &deployment);
        let reuse = spec.reuse_archive_from.as_deref();
        // Before room is made: what is wanted again may be the oldest.
        let start =
            remote(&spec.revision).map_or(Start::Nothing, |(remote, _)| place.take(&remote, reuse));
        // What an Install that was cut short put there will be marked as installed when that is ended.
        let unended = install::unended(&self.ledger_files(group))?;
        let kept: Vec<_> = self.layout.last_successful(group).into_iter().chain(unended).collect();
        retention::make_room(&place.group, &deployment, &kept, self.config.max_revisions)?;
        self.fetch(spec, &place, start).await?;
        let marked = self.layout.mark_most_recent(group, &deployment);
        Ok(marked.map_err(BundleError::host("write", self.layout.instructions()))?)
    }

    /// The place of a bundle in a directory of its own.
    fn place(&self, spec: &Specification, directory: &Utf8Path) -> Place {
        Place {
            group: self.layout.group(&spec.deployment_group_id),
            deployment: directory.to_owned(),
            unpacked_bytes_max: self.config.unpacked_bytes_max,
        }
    }

    /// Gets the revision to its place, unpacked.
    async fn fetch(
        &self,
        spec: &Specification,
        place: &Place,
        start: Start,
    ) -> Result<(), BundleError> {
        match (&spec.revision, remote(&spec.revision)) {
            (_, Some((remote, kind))) => place.get(&self.sources, &remote, kind, start).await,
            (Revision::LocalFile { location, bundle_type }, _) => {
                place.get_local(location, *bundle_type).await
            }
            (Revision::LocalDirectory { location }, _) => {
                bundle::copy_directory(location, &place.deployment.join(ARCHIVE))
            }
            (Revision::S3 { .. } | Revision::GitHub { .. }, None) => Ok(()),
        }
    }

    fn install(&self, spec: &Specification, log: HookLog) -> Result<(), EventError> {
        let deployment = self.deployment(spec);
        let archive = deployment.join("deployment-archive");
        let group = &spec.deployment_group_id;
        let instructions = self.layout.instructions();
        layout::private_directory(&instructions)
            .map_err(BundleError::host("create", &instructions))?;
        let (name, appspec) = self.appspec(spec, &archive)?;
        check_events(spec, &name, &appspec)?;
        let (ledger, _lock) = self.ledger(group)?;
        self.recover_install(group, &ledger)?;
        let previous = Previous::read(&ledger)?;
        let steps = install::plan(&appspec, &archive, &spec.file_exists_behavior, &previous)?;
        install::write_instructions(&self.layout.install_instructions(group), &steps)?;
        let mark = |deployment: &Utf8Path| self.layout.mark_last_successful(group, deployment);
        let of = (group.as_str(), deployment.as_path());
        let hands = Hands::default();
        tell(&install::switch(&steps, &previous, &ledger, of, &hands, &mark)?, log);
        Ok(())
    }

    /// The group's files about installs, and a lock on them while it is held: a local deployment is another process.
    fn ledger(&self, group: &str) -> Result<(LedgerFiles, fs::File), EventError> {
        let directory = self.layout.ledger();
        layout::private_directory(&directory).map_err(BundleError::host("create", &directory))?;
        let path = directory.join(format!("{group}.lock"));
        let lock = fs::OpenOptions::new().create(true).append(true).mode(0o600).open(&path);
        let lock = lock.map_err(BundleError::host("open", &path))?;
        rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive)
            .map_err(|error| BundleError::host("lock", &path)(error.into()))?;
        Ok((self.ledger_files(group), lock))
    }

    fn ledger_files(&self, group: &str) -> LedgerFiles {
        LedgerFiles::new(self.layout.cleanup(group), &self.layout.ledger(), group)
    }

    /// Ends an Install of the group that was cut short, if there is one: the old set of files is there then, or the new.
    fn recover_install(&self, group: &str, ledger: &LedgerFiles) -> Result<(), EventError> {
        let mark = |deployment: &Utf8Path| self.layout.mark_last_successful(group, deployment);
        match install::recover(ledger, &Hands::default(), &mark)? {
            Recovered::Nothing => {}
            Recovered::Undone => tracing::warn!(group, "an Install that was cut short is undone"),
            Recovered::Finished { deployment } => {
                tracing::warn!(group, %deployment, "an Install that was cut short is finished");
            }
        }
        Ok(())
    }

    /// Ends every Install that was cut short. What cannot be ended now is tried again by the group's next Install.
    pub fn recover_installs(&self) {
        for group in LedgerFiles::interrupted(&self.layout.ledger()) {
            let done = self.ledger(&group);
            let done = done.and_then(|(ledger, _lock)| self.recover_install(&group, &ledger));
            if let Err(error) = done {
                let error = crate::spec::chain(&error);
                tracing::error!(group, error, "an Install was cut short and cannot be ended");
            }
        }
    }

    fn hook_log(&self, spec: &Specification) -> HookLog {
        let deployments = self.config.enable_deployments_log.then(|| self.layout.deployments_log());
        HookLog::new(LogSinks {
            scripts: self.deployment(spec).join("logs/scripts.log"),
            deployments,
            deployment: spec.deployment_id.clone(),
        })
    }

    fn run_hooks(
        &self,
        spec: &Specification,
        event: &str,
        mut log: HookLog,
    ) -> Result<(), EventError> {
        let Some((archive, scripts)) = self.hooks(spec, event)? else { return Ok(()) };
        let inherited = std::env::vars_os().chain(self.of_host.iter().cloned());
        let environment = Environment::new(event, spec, inherited);
        let done = hooks::run(&archive, &scripts, &environment, &mut log);
        done.map_err(|error| EventError::Hook { error, log: log.tail() })
    }

    /// The scripts of an event and the archive they are in; nothing if there are none.
    fn hooks(
        &self,
        spec: &Specification,
        event: &str,
    ) -> Result<Option<(Utf8PathBuf, Vec<Hook>)>, EventError> {
        let Some(deployment) = self.scripts_of(spec, event) else { return Ok(None) };
        let archive = deployment.join("deployment-archive");
        let (_, appspec) = self.appspec(spec, &archive)?;
        let scripts = appspec.hooks.of(event).to_vec();
        Ok((!scripts.is_empty()).then_some((archive, scripts)))
    }

    /// The deployment whose scripts an event runs; none on the first deployment. Source: official agent.
    fn scripts_of(&self, spec: &Specification, event: &str) -> Option<Utf8PathBuf> {
        let current = self.deployment(spec);
        if current.join("deployment-archive").exists() {
            return Some(current);
        }
        let group = &spec.deployment_group_id;
        let marked = match event {
            "BeforeBlockTraffic" | "AfterBlockTraffic" if spec.blue_green_rollback => {
                self.layout.most_recent(group)
            }
            "BeforeAllowTraffic" | "AfterAllowTraffic" if spec.blue_green_rollback => {
                self.layout.last_successful(group)
            }
            "BeforeBlockTraffic" | "AfterBlockTraffic" | "ApplicationStop" => {
                self.layout.last_successful(group)
            }
            _ => Some(current),
        };
        // A marker is a file that anybody with root could have written: it only ever means a deployment of ours.
        marked.filter(|path| path.starts_with(self.layout.root()))
    }

    /// The AppSpec of an unpacked revision: of the name asked for, else of one of the usual names.
    fn appspec(
        &self,
        spec: &Specification,
        archive: &Utf8Path,
    ) -> Result<(String, AppSpec), EventError> {
        let [yml, yaml] = DEFAULT_NAMES;
        let wanted = spec.appspec_filename.as_str();
        let missing =
            || EventError::NoAppSpec { name: wanted.to_owned(), archive: archive.to_owned() };
        let found = [wanted, yaml, yml].into_iter().find(|name| archive.join(name).is_file());
        let name = found.ok_or_else(missing)?;
        let path = archive.join(name).canonicalize_utf8().map_err(|_| missing())?;
        let inside = archive.canonicalize_utf8().is_ok_and(|root| path.starts_with(root));
        if !inside {
            return Err(missing());
        }
        let mut text = Vec::new();
        let file = fs::File::open(&path).map_err(BundleError::host("open", &path))?;
        let read = file.take(APPSPEC_BYTES_MAX).read_to_end(&mut text);
        read.map_err(BundleError::host("read", &path))?;
        let appspec = AppSpec::parse(&text)?;
        for warning in &appspec.warnings {
            tracing::warn!(file = name, at = %warning.at, "{}", warning.text);
        }
        Ok((name.to_owned(), appspec))
    }
}

/// Says which files of the previous revision somebody changed, in the agent's log and in that of the deployment.
fn tell(switched: &Switched, mut log: HookLog) {
    let groups = [
        (&switched.kept, "was changed since it was installed: kept"),
        (&switched.replaced, "was changed since it was installed: replaced by the new revision"),
    ];
    for (paths, what) in groups {
        for path in paths {
            tracing::warn!(path = %path.display(), "{what}");
            log.entry(&format!("Install - {} {what}\n", path.display()));
        }
    }
}

/// What is to be fetched, and its kind; nothing where the revision is on this host.
fn remote(revision: &Revision) -> Option<(Remote<'_>, ArchiveType)> {
    match revision {
        Revision::S3 { bucket, key, version, etag, bundle_type } => {
            let (version, etag) = (version.as_deref(), etag.as_deref());
            Some((Remote::S3(Object { bucket, key, version, etag }), *bundle_type))
        }
        Revision::GitHub { account, repository, commit, bundle_type, token } => {
            let (kind, token) = (*bundle_type, token.as_ref());
            Some((Remote::GitHub(Commit { account, repository, commit, kind, token }), kind))
        }
        Revision::LocalFile { .. } | Revision::LocalDirectory { .. } => None,
    }
}

/// The eleven events that every AppSpec may name or that need no hook.
fn is_default(event: &str) -> bool {
    let event: Option<LifecycleEvent> = event.parse().ok();
    event.is_some_and(|event| {
        event.has_hooks()
            || matches!(event, LifecycleEvent::DownloadBundle | LifecycleEvent::Install)
    })
}

/// Holds the AppSpec's events against those the control plane knows, where it says so. Source: official agent.
fn check_events(spec: &Specification, name: &str, appspec: &AppSpec) -> Result<(), EventError> {
    let Some(possible) = &spec.possible_events else { return Ok(()) };
    let named: Vec<&str> = appspec.hooks.iter().map(|(event, _)| event).collect();
    let collect = |events: &mut dyn Iterator<Item = &str>| -> Vec<String> {
        events.map(str::to_owned).collect()
    };
    let unknown =
        collect(&mut named.iter().copied().filter(|event| !possible.iter().any(|p| p == event)));
    if !unknown.is_empty() {
        return Err(EventError::UnknownEvents { name: name.to_owned(), events: unknown });
    }
    let extra = possible.iter().map(String::as_str).filter(|event| !is_default(event));
    let missing = collect(&mut extra.filter(|event| !named.contains(event)));
    if !missing.is_empty() {
        return Err(EventError::MissingEvents { name: name.to_owned(), events: missing });
    }
    Ok(())
}
