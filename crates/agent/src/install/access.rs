//! Setting modes, access lists and SELinux contexts.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use model::appspec::{AclEntry, AclTag, SecurityContext};

use super::InstallError;

/// Sets a mode; of a link, that of what it leads to. A link to nothing has none.
pub(super) fn set_mode(path: &Path, bits: u32) -> Result<(), InstallError> {
    fs::set_permissions(path, fs::Permissions::from_mode(bits))
        .map_err(InstallError::host("set the mode of", path))
}

/// Sets an access list with the `setfacl` program.
pub(super) fn set_acl(
    path: &Path,
    entries: &[AclEntry],
    directory: bool,
) -> Result<(), InstallError> {
    let metadata = fs::metadata(path).map_err(InstallError::host("look at", path))?;
    let list = complete(entries, metadata.permissions().mode(), directory);
    let list: Vec<_> = list.iter().map(ToString::to_string).collect();
    program("acls", "setfacl", &["--set".as_ref(), list.join(",").as_ref(), path.as_os_str()])
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

/// Sets an SELinux context with the programs `semanage` and `restorecon`; the path that the rule is for.
pub(super) fn set_context(path: &Path, context: &SecurityContext) -> Result<PathBuf, InstallError> {
    let real = fs::canonicalize(path).map_err(InstallError::host("look at", path))?;
    let mut arguments: Vec<&OsStr> = vec!["fcontext".as_ref(), "-a".as_ref()];
    if let Some(user) = &context.user {
        arguments.extend([OsStr::new("-s"), user.as_ref()]);
    }
    arguments.extend([OsStr::new("-t"), context.kind.as_ref()]);
    if let Some(range) = &context.range {
        arguments.extend([OsStr::new("-r"), range.as_ref()]);
    }
    arguments.push(real.as_os_str());
    program("context", "semanage", &arguments)?;
    program("context", "restorecon", &["-v".as_ref(), real.as_os_str()])?;
    Ok(real)
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
