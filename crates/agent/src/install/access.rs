//! Setting modes, access lists and SELinux contexts.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use model::appspec::{AclEntry, AclTag, SecurityContext};

use super::InstallError;

/// Sets a mode; of a link, that of what it leads to. A link to nothing has none.
pub(super) fn set_mode(path: &Path, bits: u32) -> Result<(), InstallError> {
    fs::set_permissions(path, fs::Permissions::from_mode(bits))
        .map_err(InstallError::host("set the mode of", path))
}

/// An access list for a path.
pub(super) struct AccessList<'a> {
    pub path: &'a Path,
    /// Where it is now.
    pub at: Cow<'a, Path>,
    pub entries: &'a [AclEntry],
    pub directory: bool,
}

/// Paths are given to `setfacl` until they have this many bytes: far less than what the kernel takes for one program.
const PATHS_BYTES_MAX: usize = 64 * 1024;

/// Sets access lists with the `setfacl` program, which takes many paths that get the same list: starting it takes longer than what it
/// does.
pub(super) fn set_acls(lists: &[AccessList<'_>]) -> Result<(), InstallError> {
    let mut same: BTreeMap<String, Vec<&AccessList<'_>>> = BTreeMap::new();
    for list in lists {
        same.entry(list.text()?).or_default().push(list);
    }
    same.iter().try_for_each(|(text, lists)| {
        let mut rest = &lists[..];
        while !rest.is_empty() {
            let (now, later) = rest.split_at(fitting(rest));
            set_same(text, now)?;
            rest = later;
        }
        Ok(())
    })
}

/// How many of the paths one start of the program takes; one at least.
fn fitting(lists: &[&AccessList<'_>]) -> usize {
    let mut bytes = 0;
    let fits = lists.iter().take_while(|list| {
        bytes += list.at.as_os_str().len() + 1;
        bytes <= PATHS_BYTES_MAX
    });
    fits.count().max(1)
}

fn set_same(text: &str, lists: &[&AccessList<'_>]) -> Result<(), InstallError> {
    let set = |paths: &[&Path]| {
        let mut arguments: Vec<&OsStr> = vec!["--set".as_ref(), text.as_ref()];
        arguments.extend(paths.iter().map(|path| path.as_os_str()));
        program("acls", "setfacl", &arguments)
    };
    let one = |list: &AccessList<'_>| {
        set(&[&list.at]).map_err(|error| error.about_staged(&list.at, list.path))
    };
    if let [list] = lists {
        return one(list);
    }
    let paths: Vec<&Path> = lists.iter().map(|list| &*list.at).collect();
    // One by one, so that what is told is about the path that is to blame.
    set(&paths).or_else(|_| lists.iter().try_for_each(|list| one(list)))
}

impl AccessList<'_> {
    /// The whole list, as `setfacl` reads it.
    fn text(&self) -> Result<String, InstallError> {
        let metadata = fs::metadata(&self.at).map_err(InstallError::host("look at", self.path))?;
        let list = complete(self.entries, metadata.permissions().mode(), self.directory);
        let list: Vec<_> = list.iter().map(ToString::to_string).collect();
        Ok(list.join(","))
    }
}

/// The entries with those that every list must have, from the mode. Source: official agent; unlike there, what is derived
/// for one file is not carried to the next.
fn complete(entries: &[AclEntry], mode: u32, directory: bool) -> Vec<AclEntry> {
    let bits = |shift: u32| ((mode >> shift) & 7) as u8;
    let entry = |default, tag, bits| AclEntry { default, tag, name: String::new(), bits };
    let mut list = entries.to_vec();
    let base = [(AclTag::User, bits(6)), (AclTag::Group, bits(3)), (AclTag::Other, bits(0))];
    for default in [false, true] {
        let of: Vec<AclEntry> = entries.iter().filter(|e| e.default == default).cloned().collect();
        if default && (of.is_empty() || !directory) {
            continue;
        }
        let has = |tag| of.iter().any(|e| e.tag == tag && e.name.is_empty());
        for (tag, bits) in base.into_iter().filter(|(tag, _)| !has(*tag)) {
            list.push(entry(default, tag, bits));
        }
        let named = of.iter().any(|e| !e.name.is_empty());
        if named && !has(AclTag::Mask) {
            list.push(entry(default, AclTag::Mask, bits(3)));
        }
    }
    list
}

/// Adds a rule for the SELinux context of a path, with the program `semanage`.
pub(super) fn add_rule(path: &Path, context: &SecurityContext) -> Result<(), InstallError> {
    let mut arguments: Vec<&OsStr> = vec!["fcontext".as_ref(), "-a".as_ref()];
    if let Some(user) = &context.user {
        arguments.extend([OsStr::new("-s"), user.as_ref()]);
    }
    arguments.extend([OsStr::new("-t"), context.kind.as_ref()]);
    if let Some(range) = &context.range {
        arguments.extend([OsStr::new("-r"), range.as_ref()]);
    }
    arguments.push(path.as_os_str());
    program("context", "semanage", &arguments)
}

/// Takes such a rule away.
pub(super) fn remove_rule(path: &Path) {
    // Best effort, as with the official agent: SELinux may be gone from this host.
    let _ = program("context", "semanage", &["fcontext".as_ref(), "-d".as_ref(), path.as_os_str()]);
}

/// Gives a file the context that the rules have for it, with the program `restorecon`.
pub(super) fn apply_rules(path: &Path) -> Result<(), InstallError> {
    program("context", "restorecon", &["-v".as_ref(), path.as_os_str()])
}

fn program(what: &'static str, name: &str, arguments: &[&OsStr]) -> Result<(), InstallError> {
    let output = Command::new(name)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output();
    let outcome = match output {
        Ok(output) if output.status.success() => return Ok(()),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            format!("Exit code: {}. {said}", output.status.code().unwrap_or(-1))
        }
        Err(error) => format!("The program `{name}` could not be started: {error}"),
    };
    let arguments: Vec<_> = arguments.iter().map(|argument| argument.to_string_lossy()).collect();
    let command = format!("{name} {}", arguments.join(" "));
    Err(InstallError::Program { what, command, outcome })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_completed_from_the_mode() {
        let daemon = AclEntry { default: false, tag: AclTag::User, name: "daemon".into(), bits: 6 };
        let shown =
            |list: &[AclEntry]| list.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        assert_eq!(
            shown(&complete(std::slice::from_ref(&daemon), 0o640, false)),
            "user:daemon:rw-,user::rw-,group::r--,other::---,mask::r--"
        );
        let inherited = AclEntry { default: true, ..daemon };
        assert_eq!(
            shown(&complete(&[inherited], 0o755, true)),
            "default:user:daemon:rw-,user::rwx,group::r-x,other::r-x,default:user::rwx,default:group::r-x,default:other::r-x,\
             default:mask::r-x"
        );
    }
}
