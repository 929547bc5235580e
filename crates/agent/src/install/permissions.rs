//! Deciding whose modes, owners and access lists are set.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use model::appspec::{ObjectType, Permission};

use super::disk::{Disk, Kind};
use super::planner::{Made, absolute};
use super::{InstallError, Step};
use crate::users;

/// Adds the steps of the permissions section. Only what this install made is ever touched. Source: official agent.
pub(super) fn plan(
    permissions: &[Permission],
    made: &Made,
    disk: &Disk<'_>,
    steps: &mut Vec<Step>,
) -> Result<(), InstallError> {
    let mut seen = HashSet::new();
    let mut setting = Vec::new();
    for permission in permissions {
        let object = absolute(Path::new(&permission.object))?;
        let owners = Owners::of(permission)?;
        for (path, is_file) in affected(permission, &object, made, steps, disk)? {
            if !seen.insert(path.clone()) {
                return Err(InstallError::PermissionTwice { path });
            }
            apply(permission, &owners, path, is_file, &mut setting);
        }
    }
    steps.append(&mut setting);
    Ok(())
}

struct Owners {
    owner: Option<(String, u32)>,
    group: Option<(String, u32)>,
}

impl Owners {
    fn of(permission: &Permission) -> Result<Self, InstallError> {
        let owner = permission.owner.as_ref().map(|name| {
            let user = users::user(name).ok_or_else(|| InstallError::NoUser { name: name.clone() });
            user.map(|user| (name.clone(), user.uid))
        });
        let group = permission.group.as_ref().map(|name| {
            let gid =
                users::group(name).ok_or_else(|| InstallError::NoGroup { name: name.clone() });
            gid.map(|gid| (name.clone(), gid))
        });
        Ok(Self { owner: owner.transpose()?, group: group.transpose()? })
    }
}

fn affected(
    permission: &Permission,
    object: &Path,
    made: &Made,
    making: &[Step],
    disk: &Disk<'_>,
) -> Result<Vec<(PathBuf, bool)>, InstallError> {
    let default_acl = permission.acls.iter().any(|entry| entry.default);
    if made.files.contains_key(object) {
        return single_file(permission, object, default_acl);
    }
    if !made.directories.contains_key(object) && disk.kind(object) != Kind::Directory {
        return Ok(Vec::new());
    }
    let mut paths = Vec::new();
    for (step, path) in making.iter().filter_map(|step| Some((step, step.made()?))) {
        let Ok(relative) = path.strip_prefix(object) else { continue };
        let is_file = matches!(step, Step::Copy { .. });
        let kind = if is_file { ObjectType::File } else { ObjectType::Directory };
        let relative = relative.to_string_lossy();
        if relative.is_empty() || !permission.is_for(kind) || !permission.matches(&relative) {
            continue;
        }
        if is_file && default_acl {
            return Err(InstallError::DefaultAclOnFile);
        }
        paths.push((path.to_owned(), is_file));
    }
    Ok(paths)
}

fn single_file(
    permission: &Permission,
    object: &Path,
    default_acl: bool,
) -> Result<Vec<(PathBuf, bool)>, InstallError> {
    if !permission.is_for(ObjectType::File) {
        return Ok(Vec::new());
    }
    let name = || permission.object.clone();
    if permission.pattern != "**" {
        let pattern = permission.pattern.clone();
        return Err(InstallError::PatternOnFile { object: name(), pattern });
    }
    if !permission.except.is_empty() {
        return Err(InstallError::ExceptOnFile { object: name() });
    }
    if default_acl {
        return Err(InstallError::DefaultAclOnFile);
    }
    Ok(vec![(object.to_owned(), true)])
}

/// Owner before mode: changing the owner would drop the set-user-id bits. The mode before the list, which begins with it.
fn apply(
    permission: &Permission,
    owners: &Owners,
    path: PathBuf,
    is_file: bool,
    steps: &mut Vec<Step>,
) {
    if owners.owner.is_some() || owners.group.is_some() {
        let (owner, group) = (owners.owner.clone(), owners.group.clone());
        steps.push(Step::SetOwner { path: path.clone(), owner, group });
    }
    if let Some(mode) = &permission.mode {
        steps.push(Step::SetMode { path: path.clone(), mode: mode.clone() });
    }
    if !permission.acls.is_empty() {
        let entries = permission.acls.clone();
        steps.push(Step::SetAcl { path: path.clone(), entries, directory: !is_file });
    }
    if let Some(context) = &permission.context {
        steps.push(Step::SetContext { path, context: context.clone() });
    }
}
