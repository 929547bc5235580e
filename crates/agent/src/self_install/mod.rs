//! `longshore-agent install` and `uninstall`: the agent puts itself on a host, in the official agent's places, and takes
//! itself away again without leaving anything.

mod config_file;
mod service_unit;

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use camino::{Utf8Path, Utf8PathBuf};

use crate::config::Config;
use crate::daemon;

/// What to install.
#[derive(Debug, Clone)]
pub struct Options {
    /// The control plane's URL; also S3's.
    pub endpoint: String,
    /// The certificate (PEM) of the one who may sign deployment specifications.
    pub signer_certificate: Utf8PathBuf,
    /// Whether to start the agent.
    pub start: bool,
    /// The directory that is taken for `/`; for building images, and for tests.
    pub root: Utf8PathBuf,
}

/// The places of an installed agent. Source: official agent.
struct Places<'a>(&'a Utf8Path);

impl Places<'_> {
    fn at(&self, path: &str) -> Utf8PathBuf {
        self.0.join(path.trim_start_matches('/'))
    }

    fn home(&self) -> Utf8PathBuf {
        self.at("/opt/codedeploy-agent")
    }

    fn program(&self) -> Utf8PathBuf {
        self.home().join("bin/longshore-agent")
    }

    fn settings(&self) -> Utf8PathBuf {
        self.at("/etc/codedeploy-agent")
    }

    fn config(&self) -> Utf8PathBuf {
        self.at(crate::config::PLACES[0])
    }

    fn init_script(&self) -> Utf8PathBuf {
        self.at(service_unit::INIT_SCRIPT_PATH)
    }

    fn unit(&self) -> Utf8PathBuf {
        self.at(service_unit::UNIT_PATH)
    }

    fn logs(&self) -> Utf8PathBuf {
        self.at("/var/log/aws/codedeploy-agent")
    }

    /// Whether program, unit and init script are a package's, which brings and takes them.
    fn are_packaged(&self) -> bool {
        self.at(service_unit::PACKAGED_UNIT_PATH).exists()
    }

    fn is_this_machine(&self) -> bool {
        self.0 == "/"
    }
}

/// Where the pinned certificate is on the host.
const SIGNER: &str = "/etc/codedeploy-agent/conf/longshore-signer.pem";
/// Names under which people and tools call the official agent's programs.
const ALIASES: [&str; 2] = ["codedeploy-agent", "codedeploy-local"];

/// Installs the agent; again and again if need be: what is there is brought up to date, and settings of the user's own stay.
/// Where a package brought the agent, it is told its control plane and is registered as a service.
///
/// # Errors
/// Another agent is installed, the certificate is none, or the host refuses to write.
pub fn install(options: &Options) -> anyhow::Result<()> {
    let places = Places(&options.root);
    check_endpoint(&options.endpoint)?;
    let pem = fs::read(&options.signer_certificate)
        .with_context(|| format!("cannot read {}", options.signer_certificate))?;
    daemon::certificate(&pem).with_context(|| {
        format!("{} holds no certificate in PEM form", options.signer_certificate)
    })?;
    check_nobody_elses(&places)?;
    let was_running = places.is_this_machine() && stop_if_running()?;
    if !places.are_packaged() {
        put_program(&places)?;
        let version = format!("agent_version: {}\n", crate::VERSION);
        put(&places.home().join(".version"), version.as_bytes(), 0o444)?;
        put(&places.init_script(), service_unit::INIT_SCRIPT.as_bytes(), 0o755)?;
    }
    put(&places.at(SIGNER), &pem, 0o644)?;
    let kept = fs::read_to_string(places.config()).ok();
    let text = config_file::with_endpoint(kept.as_deref(), &options.endpoint, SIGNER);
    put(&places.config(), text.as_bytes(), 0o644)?;
    if places.is_this_machine() {
        register(&places)?;
        if options.start || was_running {
            start()?;
        }
    }
    Ok(())
}

/// Takes the agent away, with everything it keeps in its usual places; what deployments installed stays. What is returned stays
/// too: directories that the configuration names instead, in which others may have files.
///
/// # Errors
/// The agent cannot be stopped, or something cannot be removed.
pub fn uninstall(root: &Utf8Path) -> anyhow::Result<Vec<Utf8PathBuf>> {
    let places = Places(root);
    check_nobody_elses(&places)?;
    if places.are_packaged() {
        bail!("the agent came as a package: remove that, with `apt-get purge longshore-agent`");
    }
    let elsewhere = elsewhere(&places);
    if places.is_this_machine() {
        stop_if_running()?;
        disable();
    }
    for path in [places.unit(), places.init_script()] {
        gone(fs::remove_file(&path)).with_context(|| format!("cannot remove {path}"))?;
    }
    if places.is_this_machine() {
        forget();
    }
    for path in [places.home(), places.settings(), places.logs()] {
        gone(fs::remove_dir_all(&path)).with_context(|| format!("cannot remove {path}"))?;
    }
    // The directory above the logs is ours only if nothing else is in it.
    if let Some(above) = places.logs().parent() {
        let _ = fs::remove_dir(above);
    }
    Ok(elsewhere.into_iter().filter(|path| path.exists()).collect())
}

/// The directories that the configuration has the agent use outside of its usual places.
fn elsewhere(places: &Places<'_>) -> Vec<Utf8PathBuf> {
    let Ok(config) = Config::load(Some(&places.config())) else { return Vec::new() };
    let named = [config.root_dir, config.log_dir, config.pid_dir];
    let usual = [places.home(), places.logs()];
    let mut found: Vec<_> = named.iter().map(|path| places.at(path.as_str())).collect();
    found.retain(|path| !usual.iter().any(|usual| path.starts_with(usual)));
    found.dedup();
    found
}

fn gone(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn check_endpoint(endpoint: &str) -> anyhow::Result<()> {
    let plain = endpoint.starts_with("http://") || endpoint.starts_with("https://");
    if !plain || endpoint.chars().any(|c| c.is_control() || c == '\'' || c == ' ') {
        bail!(
            "`{endpoint}` is not the URL of a control plane: it must begin with http:// or https://"
        );
    }
    Ok(())
}

/// The official agent has the same places: it is not overwritten.
fn check_nobody_elses(places: &Places<'_>) -> anyhow::Result<()> {
    let script = places.init_script();
    match fs::read_to_string(&script) {
        Ok(text) if !text.contains(service_unit::MARK) => {
            bail!("{script} belongs to another agent: remove that agent's package first")
        }
        _ => Ok(()),
    }
}

fn put_program(places: &Places<'_>) -> anyhow::Result<()> {
    let own = std::env::current_exe().context("cannot find this program's own file")?;
    let program = places.program();
    let same = fs::canonicalize(&program)
        .is_ok_and(|path| fs::canonicalize(&own).is_ok_and(|own| own == path));
    if !same {
        let bytes = fs::read(&own).with_context(|| format!("cannot read {}", own.display()))?;
        put(&program, &bytes, 0o755)?;
    }
    for alias in ALIASES {
        let link = program.with_file_name(alias);
        gone(fs::remove_file(&link)).with_context(|| format!("cannot replace {link}"))?;
        symlink("longshore-agent", &link).with_context(|| format!("cannot make {link}"))?;
    }
    Ok(())
}

/// Writes a file whole or not at all; a program that runs may be replaced, not written to.
fn put(path: &Utf8Path, bytes: &[u8], mode: u32) -> anyhow::Result<()> {
    let write = || -> io::Result<()> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let draft = Utf8PathBuf::from(format!("{path}.new"));
        fs::write(&draft, bytes)?;
        fs::set_permissions(&draft, fs::Permissions::from_mode(mode))?;
        fs::rename(&draft, path)
    };
    write().with_context(|| format!("cannot write {path}"))
}

/// Whether systemd is this machine's init. Source: `sd_booted(3)`.
fn has_systemd() -> bool {
    Utf8Path::new("/run/systemd/system").is_dir()
}

fn register(places: &Places<'_>) -> anyhow::Result<()> {
    if has_systemd() {
        if !places.are_packaged() {
            put(&places.unit(), service_unit::UNIT.as_bytes(), 0o644)?;
            quietly("systemctl", &["daemon-reload"]);
        }
        quietly("systemctl", &["enable", service_unit::NAME]);
    } else {
        // Debian's way, and that of old Red Hats and Amazon Linux; each host has one of them at most.
        quietly("update-rc.d", &[service_unit::NAME, "defaults"]);
        quietly("chkconfig", &["--add", service_unit::NAME]);
    }
    // With SELinux, systemd starts only programs that are labelled as such.
    let labelled = [places.home(), places.settings(), places.init_script(), places.unit()];
    let labelled: Vec<&str> = labelled.iter().map(|path| path.as_str()).collect();
    quietly("restorecon", &[&["-R"], &labelled[..]].concat());
    Ok(())
}

/// Ends the service for good, also one that is about to be started again since it failed.
fn disable() {
    if has_systemd() {
        quietly("systemctl", &["disable", "--now", service_unit::NAME]);
    }
    quietly("chkconfig", &["--del", service_unit::NAME]);
}

/// Lets the machine's init see that unit and script are gone. With systemd that is one step for both: of a script without a
/// unit it would make one itself.
fn forget() {
    quietly("update-rc.d", &[service_unit::NAME, "remove"]);
    if has_systemd() {
        quietly("systemctl", &["daemon-reload"]);
        quietly("systemctl", &["reset-failed", service_unit::NAME]);
    }
}

fn start() -> anyhow::Result<()> {
    if has_systemd() {
        if !quietly("systemctl", &["restart", service_unit::NAME]) {
            bail!("systemd did not start the agent; see `systemctl status {}`", service_unit::NAME);
        }
        return Ok(());
    }
    // Through the script, so that what works now works at the next boot.
    let status = Command::new(service_unit::INIT_SCRIPT_PATH)
        .arg("start")
        .stdin(Stdio::null())
        .status()
        .context("cannot run the init script")?;
    if status.success() { Ok(()) } else { bail!("the agent did not start ({status})") }
}

fn stop_if_running() -> anyhow::Result<bool> {
    let Ok(config) = Config::load(None) else { return Ok(false) };
    if daemon::status(&config)?.is_none() {
        return Ok(false);
    }
    if has_systemd() {
        quietly("systemctl", &["stop", service_unit::NAME]);
    }
    daemon::stop(&config)?;
    Ok(true)
}

/// Runs a program of the system's whose words do not matter; whether it succeeded.
fn quietly(program: &str, arguments: &[&str]) -> bool {
    let status = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests;
