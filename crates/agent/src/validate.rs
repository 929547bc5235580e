//! `longshore-agent validate`: what a deployment of this revision would complain about, without deploying it.

use std::fs;

use anyhow::{Context, bail};
use camino::{Utf8Path, Utf8PathBuf};
use model::LifecycleEvent;
use model::appspec::{AppSpec, DEFAULT_NAMES, Hook};

use crate::bundle::unpack;
use crate::config::Config;
use crate::spec::ArchiveType;

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// What makes a deployment fail, each with its place where it has one.
    pub errors: Vec<String>,
    /// What is probably not meant.
    pub warnings: Vec<String>,
}

/// Scripts of one event may run for an hour, all together. Source: CodeDeploy user guide, "AppSpec 'hooks' section".
const EVENT_SECONDS_MAX: u64 = 3600;

/// Checks an AppSpec, a revision's directory, or a bundle.
///
/// # Errors
/// There is nothing at `path` that could be checked.
pub fn validate(path: &Utf8Path) -> anyhow::Result<Findings> {
    if path.is_dir() {
        return Ok(directory(path));
    }
    if !path.exists() {
        bail!("{path} does not exist");
    }
    match archive_type(path) {
        None => Ok(file(path, None)),
        Some(kind) => bundle(path, kind),
    }
}

/// The kind of archive that a file's name says it is.
pub(crate) fn archive_type(path: &Utf8Path) -> Option<ArchiveType> {
    let name = path.file_name()?.to_lowercase();
    if name.ends_with(".tgz") || name.ends_with(".tar.gz") {
        return Some(ArchiveType::Tgz);
    }
    ArchiveType::from_name(name.rsplit_once('.')?.1)
}

fn bundle(path: &Utf8Path, kind: ArchiveType) -> anyhow::Result<Findings> {
    let scratch = Scratch::new()?;
    let unpacked = scratch.0.join("revision");
    let bytes_max = Config::default().unpacked_bytes_max;
    let done = unpack::unpack_file(path, kind, &unpacked, bytes_max);
    Ok(match done {
        Ok(()) => directory(&unpacked),
        Err(error) => Findings { errors: vec![format!("{path}: {error}")], warnings: Vec::new() },
    })
}

fn directory(path: &Utf8Path) -> Findings {
    match DEFAULT_NAMES.iter().map(|name| path.join(name)).find(|path| path.is_file()) {
        Some(appspec) => file(&appspec, Some(path)),
        None => Findings {
            errors: vec![format!(
                "{path}: there is neither {} nor {}",
                DEFAULT_NAMES[0], DEFAULT_NAMES[1]
            )],
            warnings: Vec::new(),
        },
    }
}

fn file(path: &Utf8Path, revision: Option<&Utf8Path>) -> Findings {
    let mut findings = Findings::default();
    let name = path.file_name().unwrap_or_default();
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) => {
            findings.errors.push(format!("{path}: {error}"));
            return findings;
        }
    };
    match AppSpec::parse(&text) {
        Err(error) => {
            findings.errors.push(format!("{name}:{}:{}: {error}", error.at.line, error.at.column));
        }
        Ok(appspec) => {
            for warning in &appspec.warnings {
                let (line, column) = (warning.at.line, warning.at.column);
                findings.warnings.push(format!("{name}:{line}:{column}: {}", warning.text));
            }
            for (event, hooks) in appspec.hooks.iter() {
                check_event(name, event, hooks, &mut findings);
            }
            if let Some(revision) = revision {
                check_paths(name, &appspec, revision, &mut findings);
            }
        }
    }
    findings
}

fn check_event(name: &str, event: &str, hooks: &[Hook], findings: &mut Findings) {
    let known: Option<LifecycleEvent> = event.parse().ok();
    if !known.is_some_and(LifecycleEvent::has_hooks) {
        findings.warnings.push(format!(
            "{name}: {event} is no lifecycle event with hooks: its scripts never run"
        ));
    }
    // The default alone is an hour: only what somebody wrote is added up.
    let seconds: u64 = hooks.iter().map(|hook| hook.timeout.as_secs()).sum();
    if hooks.len() > 1 && seconds > EVENT_SECONDS_MAX {
        findings.warnings.push(format!(
            "{name}: the timeouts of {event} come to {seconds} s, and an event has {EVENT_SECONDS_MAX} s"
        ));
    }
}

fn check_paths(name: &str, appspec: &AppSpec, revision: &Utf8Path, findings: &mut Findings) {
    for mapping in &appspec.files {
        let source = revision.join(mapping.source.trim_start_matches('/'));
        if fs::symlink_metadata(&source).is_err() {
            findings
                .errors
                .push(format!("{name}: source `{}` is not in the revision", mapping.source));
        }
    }
    for (event, hooks) in appspec.hooks.iter() {
        for hook in hooks {
            if !revision.join(hook.location.trim_start_matches('/')).is_file() {
                findings.errors.push(format!(
                    "{name}: script `{}` of {event} is not in the revision",
                    hook.location
                ));
            }
        }
    }
}

/// A directory for unpacking that goes when it is no longer needed.
struct Scratch(Utf8PathBuf);

impl Scratch {
    fn new() -> anyhow::Result<Self> {
        use std::os::unix::fs::DirBuilderExt;
        let base = Utf8PathBuf::from_path_buf(std::env::temp_dir());
        let base = base.unwrap_or_else(|_| "/tmp".into());
        let path = base.join(format!(
            "longshore-validate-{}-{}",
            std::process::id(),
            crate::clock::now_millis()
        ));
        let made = fs::DirBuilder::new().mode(0o700).create(&path);
        made.with_context(|| format!("cannot create {path}"))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_given_with_their_place_and_missing_files_are_found() {
        let dir = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(dir.path()).unwrap();
        assert!(validate(root).unwrap().errors[0].contains("neither appspec.yml nor appspec.yaml"));
        fs::write(root.join("appspec.yml"), "version: 0.0\nos: windows\n").unwrap();
        assert!(validate(root).unwrap().errors[0].starts_with("appspec.yml:2:5: "));
        let text = "version: 0.0\nos: linux\nfiles: [{source: a, destination: /x}]\nhooks:\n  AfterInstal:\n    - location: s.sh\n";
        fs::write(root.join("appspec.yml"), text).unwrap();
        let found = validate(root).unwrap();
        assert_eq!(found.errors.len(), 2);
        assert!(found.warnings[0].contains("AfterInstal is no lifecycle event"));
    }
}
