//! Installing: from an unpacked revision to the files on the host.
//!
//! [`plan`] looks and decides, and finds every conflict before the first file is touched; [`switch`] stages the new files,
//! notes in a journal what it will do, and switches them in, so that whatever happens either the old set or the new is there;
//! [`recover`] ends what was cut short. [`foresee`] tells what all that would do to the host's files.

mod access;
mod copy;
mod disk;
mod foresee;
mod hands;
mod journal;
mod ledger;
mod permissions;
mod planner;
mod staging;
mod switch;

pub use foresee::{Effect, Foreseen, foresee};
pub use hands::Hands;
pub use ledger::{LedgerFiles, Previous};
pub use planner::plan;
pub use switch::{Mark, Recovered, Switched, recover, switch};

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use camino::{Utf8Path, Utf8PathBuf};
use model::appspec::{AclEntry, SecurityContext};
use serde_json::{Value, json};

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Make a directory.
    MakeDirectory { directory: PathBuf },
    /// Copy a file, or make a link like that of the revision.
    Copy { source: PathBuf, destination: PathBuf },
    /// Set a mode.
    SetMode { path: PathBuf, mode: model::appspec::Mode },
    /// Set owner and group, known by name and id.
    SetOwner { path: PathBuf, owner: Option<(String, u32)>, group: Option<(String, u32)> },
    /// Set an access control list.
    SetAcl { path: PathBuf, entries: Vec<AclEntry>, directory: bool },
    /// Set an SELinux context.
    SetContext { path: PathBuf, context: SecurityContext },
}

impl Step {
    /// The path that it makes; nothing if it only sets something.
    fn made(&self) -> Option<&Path> {
        match self {
            Self::MakeDirectory { directory: path } | Self::Copy { destination: path, .. } => {
                Some(path)
            }
            Self::SetMode { .. }
            | Self::SetOwner { .. }
            | Self::SetAcl { .. }
            | Self::SetContext { .. } => None,
        }
    }
}

/// How an install can fail. The first sentences are the official agent's.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// A file is there already.
    #[error(
        "The deployment failed because a specified file already exists at this location: {}",
        path.display()
    )]
    Exists { path: PathBuf },
    /// The behaviour asked for is none of the three.
    #[error(
        "The deployment failed because an invalid option was specified for fileExistsBehavior: {found}. Valid options include \
         OVERWRITE, RETAIN, and DISALLOW."
    )]
    Behavior { found: String },
    /// Two files for one place.
    #[error(
        "The deployment failed because the application specification file specifies two source files named {} and {} for the same \
         destination ({}). Remove one of the source file paths from the AppSpec file, and then try again.",
        second.display(), first.display(), path.display()
    )]
    SameDestination { first: PathBuf, second: PathBuf, path: PathBuf },
    /// A file where a directory is made.
    #[error(
        "The deployment failed because the application specification file calls for installing the file {}, but a file with that \
         name already exists at the location ({}). Update your AppSpec file or directory structure, and then try again.",
        origin.display(), path.display()
    )]
    FileOverDirectory { origin: PathBuf, path: PathBuf },
    /// A directory where a file is put.
    #[error(
        "The deployment failed because the application specification file includes an mkdir command more than once for the same \
         destination path ({}) from ({}). Update the files section of the AppSpec file, and then try again.",
        path.display(), origin.display()
    )]
    DirectoryOverFile { origin: PathBuf, path: PathBuf },
    /// A directory is needed where something else is on the host.
    #[error("File exists - {} is in the way of a directory of the revision", path.display())]
    NotADirectory { path: PathBuf },
    /// A directory is on the host where a file is to be put.
    #[error("File exists - {} is a directory, and the revision has a file there", path.display())]
    IsADirectory { path: PathBuf },
    /// A source is not in the revision.
    #[error("No such file or directory - {}", path.display())]
    NoSource { path: PathBuf },
    /// A source leads out of the revision.
    #[error("the source `{}` leads out of the revision", path.display())]
    SourceOutside { path: PathBuf },
    /// A link in the revision leads to a directory above itself.
    #[error("the link `{}` leads to a directory that holds it", path.display())]
    LinkLoop { path: PathBuf },
    /// A source is neither file, directory nor link.
    #[error("the source `{}` is a device, a pipe or a socket", path.display())]
    SpecialFile { path: PathBuf },
    /// Two permissions for one path.
    #[error(
        "The deployment failed because the permissions setting for ({}) is specified more than once in the application \
         specification file. Update the files section of the AppSpec file, and then try again.",
        path.display()
    )]
    PermissionTwice { path: PathBuf },
    /// A pattern for a single file.
    #[error(
        "The deployment failed because the application specification file includes an object ({object}) with an invalid pattern \
         ({pattern}), such as a pattern for a file applied to a directory. Correct the permissions section of the AppSpec file, \
         and then try again."
    )]
    PatternOnFile { object: String, pattern: String },
    /// Exceptions for a single file.
    #[error(
        "The deployment failed because the except parameter for a pattern in the permissions section ({object}) contains an invalid \
         format. Update the AppSpec file, and then try again."
    )]
    ExceptOnFile { object: String },
    /// A default access list on a file.
    #[error(
        "The deployment failed because the -d parameter has been specified to apply an acl setting to a file. This parameter is \
         supported for directories only. Update the AppSpec file, and then try again."
    )]
    DefaultAclOnFile,
    /// An owner is unknown.
    #[error("can't find user for {name}")]
    NoUser { name: String },
    /// A group is unknown.
    #[error("can't find group for {name}")]
    NoGroup { name: String },
    /// A program that sets access lists or contexts failed.
    #[error(
        "The deployment failed because of a problem with the {what} permission settings in the application specification file. \
         Failed command: {command}. {outcome}"
    )]
    Program { what: &'static str, command: String, outcome: String },
    /// A journal of ours cannot be understood.
    #[error("the journal {path} of an install that was cut short is damaged: {line}")]
    Journal { path: camino::Utf8PathBuf, line: String },
    /// Something was put into a directory of the previous revision while it was being taken away.
    #[error("{} appeared during the install in a directory that the revision replaces", path.display())]
    Appeared { path: PathBuf },
    /// The host refused.
    #[error("could not {action} {}{}: {source}", path.display(), hint(source))]
    Host {
        action: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ", the disk is full",
        io::ErrorKind::ReadOnlyFilesystem => ", the file system is read-only",
        _ => "",
    }
}

impl InstallError {
    pub(crate) fn host(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Host { action, path, source }
    }
}

impl InstallError {
    /// The same of the path that something was staged for.
    fn about(self, path: &Path) -> Self {
        match self {
            Self::Host { action, source, .. } => {
                Self::Host { action, path: path.to_owned(), source }
            }
            other => other,
        }
    }

    /// The same with the path that something was staged for in the place of where it was staged.
    fn about_staged(self, staged: &Path, path: &Path) -> Self {
        let (staged, shown) = (staged.display().to_string(), path.display().to_string());
        match self {
            Self::Program { what, command, outcome } => Self::Program {
                what,
                command: command.replace(&staged, &shown),
                outcome: outcome.replace(&staged, &shown),
            },
            other => other.about(path),
        }
    }
}

/// The text of a switch's journal as it was understood.
pub(crate) fn journal_rewritten(path: &Utf8Path) -> Result<Option<String>, InstallError> {
    Ok(journal::Journal::read(path, &Hands::default())?.map(|journal| journal.text()))
}

/// The directory of the deployment whose switch was cut short and not ended, if there is one.
///
/// # Errors
/// The journal cannot be read, or is damaged.
pub fn unended(files: &LedgerFiles) -> Result<Option<Utf8PathBuf>, InstallError> {
    let journal = journal::Journal::read(&files.journal, &Hands::default())?;
    Ok(journal.map(|journal| journal.deployment))
}

/// A step in the form of the official agent's `…-install.json`, for people and tools.
fn instruction(step: &Step) -> Value {
    let text = |path: &Path| path.to_string_lossy().into_owned();
    match step {
        Step::MakeDirectory { directory } => json!({"type": "mkdir", "directory": text(directory)}),
        Step::Copy { source, destination } => {
            json!({"type": "copy", "source": text(source), "destination": text(destination)})
        }
        Step::SetMode { path, mode } => {
            json!({"type": "chmod", "mode": mode.as_str(), "file": text(path)})
        }
        Step::SetOwner { path, owner, group } => {
            let name = |named: &Option<(String, u32)>| named.as_ref().map(|(name, _)| name.clone());
            json!({"type": "chown", "owner": name(owner), "group": name(group), "file": text(path)})
        }
        Step::SetAcl { path, entries, .. } => {
            let entries: Vec<_> = entries.iter().map(ToString::to_string).collect();
            json!({"type": "setfacl", "acl": entries, "file": text(path)})
        }
        Step::SetContext { path, context } => {
            let SecurityContext { user, kind, range } = context;
            let context = json!({"user": user, "role": null, "type": kind, "range": range});
            json!({"type": "semanage", "context": context, "file": text(path)})
        }
    }
}

/// Writes the instructions of an install for people to read, one after the other: there may be many.
///
/// # Errors
/// The file cannot be written.
pub fn write_instructions(path: &Utf8Path, steps: &[Step]) -> Result<(), InstallError> {
    let write = || -> io::Result<()> {
        let mut file = io::BufWriter::new(crate::layout::create_private(path)?);
        file.write_all(b"{\"instructions\":[")?;
        for (at, step) in steps.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            write!(file, "{comma}{}", instruction(step))?;
        }
        file.write_all(b"]}")?;
        file.flush()
    };
    write().map_err(InstallError::host("write", path.as_std_path()))
}

#[cfg(test)]
mod tests;
