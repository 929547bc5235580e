//! Deciding what an install does.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use camino::Utf8Path;
use model::appspec::{AppSpec, FileExistsBehavior, FileMapping};

use super::disk::{Disk, Kind};
use super::permissions;
use super::{InstallError, Previous, Step};
use crate::users;

/// What an install of this revision has to do.
///
/// `behavior` is the deployment's, which the AppSpec's own beats; the `previous` revision's files will be gone, save those that
/// somebody changed and the new revision does not have.
///
/// # Errors
/// Every conflict that can be foreseen: files that are there, two sources for one place, unknown owners. Nothing was touched.
pub fn plan(
    appspec: &AppSpec,
    archive: &Utf8Path,
    behavior: &str,
    previous: &Previous,
) -> Result<Vec<Step>, InstallError> {
    plan_meeting(appspec, archive, behavior, previous, &mut Existing::Refused)
}

/// The same, with what is to become of files that are there and must not be replaced.
pub(super) fn plan_meeting(
    appspec: &AppSpec,
    archive: &Utf8Path,
    behavior: &str,
    previous: &Previous,
    existing: &mut Existing,
) -> Result<Vec<Step>, InstallError> {
    let steps = plan_beside(appspec, archive, behavior, previous, &previous.changed, existing)?;
    let mut staying = previous.changed.clone();
    for step in &steps {
        if let Step::Copy { destination, .. } = step {
            staying.remove(destination);
        }
    }
    if staying.len() == previous.changed.len() {
        return Ok(steps);
    }
    // What the new revision has again does not stay: directories that only such files held back are made anew.
    plan_beside(appspec, archive, behavior, previous, &staying, existing)
}

/// Files that are there and must not be replaced.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Existing {
    /// The first one ends the plan.
    Refused,
    /// The plan leaves them where they are, and goes on.
    Collected(BTreeSet<PathBuf>),
}

fn plan_beside(
    appspec: &AppSpec,
    archive: &Utf8Path,
    behavior: &str,
    previous: &Previous,
    staying: &HashSet<PathBuf>,
    existing: &mut Existing,
) -> Result<Vec<Step>, InstallError> {
    if let Existing::Collected(paths) = existing {
        paths.clear();
    }
    let real = fs::canonicalize(archive)
        .map_err(InstallError::host("find the revision", archive.as_std_path()))?;
    let behavior = match appspec.file_exists_behavior {
        Some(behavior) => Ok(behavior),
        // Looked at only when a conflict is met: until then an unknown word harms nobody.
        None => FileExistsBehavior::from_name(behavior).ok_or_else(|| behavior.to_owned()),
    };
    let mut planner = Planner {
        archive: archive.as_std_path(),
        real,
        behavior,
        disk: Disk::without(&previous.paths, staying),
        existing,
        steps: Vec::new(),
        made: Made::default(),
    };
    for mapping in &appspec.files {
        planner.mapping(mapping)?;
    }
    let Planner { mut steps, made, disk, .. } = planner;
    permissions::plan(&appspec.permissions, &made, &disk, &mut steps)?;
    Ok(steps)
}

/// What an install will have made.
#[derive(Default)]
pub(super) struct Made {
    /// Each file, with the number of the step that copies it.
    pub files: HashMap<PathBuf, usize>,
    /// Each directory, to the source it was made for.
    pub directories: HashMap<PathBuf, PathBuf>,
}

struct Planner<'a> {
    archive: &'a Path,
    real: PathBuf,
    behavior: Result<FileExistsBehavior, String>,
    disk: Disk<'a>,
    existing: &'a mut Existing,
    steps: Vec<Step>,
    made: Made,
}

impl Planner<'_> {
    fn mapping(&mut self, mapping: &FileMapping) -> Result<(), InstallError> {
        let source = self.source(&mapping.source)?;
        let destination = absolute(&expanded(&mapping.destination))?;
        if source.is_dir() {
            self.check_inside(&source)?;
            return self.directory(&source, &destination, &mut Vec::new());
        }
        if fs::symlink_metadata(&source).is_err() {
            return Err(InstallError::NoSource { path: source });
        }
        self.check_parent_inside(&source)?;
        self.make_directories(&destination, &source)?;
        let name = source.file_name().unwrap_or_default().to_owned();
        self.file(&source, &destination.join(name))
    }

    fn source(&self, text: &str) -> Result<PathBuf, InstallError> {
        let mut relative = PathBuf::new();
        for component in Path::new(text).components() {
            match component {
                Component::Normal(part) => relative.push(part),
                Component::ParentDir if relative.pop() => {}
                Component::ParentDir => {
                    return Err(InstallError::SourceOutside { path: text.into() });
                }
                Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
            }
        }
        Ok(if relative.as_os_str().is_empty() {
            self.archive.to_owned()
        } else {
            self.archive.join(relative)
        })
    }

    /// Links may lead from one place of the revision to another, but not out of it: its content is copied as root.
    fn check_inside(&self, source: &Path) -> Result<PathBuf, InstallError> {
        let real = fs::canonicalize(source).map_err(InstallError::host("find", source))?;
        if real.starts_with(&self.real) {
            Ok(real)
        } else {
            Err(InstallError::SourceOutside { path: source.to_owned() })
        }
    }

    fn check_parent_inside(&self, source: &Path) -> Result<(), InstallError> {
        self.check_inside(source.parent().unwrap_or(self.archive)).map(|_| ())
    }

    fn directory(
        &mut self,
        source: &Path,
        destination: &Path,
        within: &mut Vec<PathBuf>,
    ) -> Result<(), InstallError> {
        self.make_directories(destination, source)?;
        let real = fs::canonicalize(source).map_err(InstallError::host("find", source))?;
        if within.contains(&real) {
            return Err(InstallError::LinkLoop { path: source.to_owned() });
        }
        within.push(real);
        let mut entries: Vec<_> = fs::read_dir(source)
            .and_then(Iterator::collect)
            .map_err(InstallError::host("read", source))?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let kind = entry.file_type().map_err(InstallError::host("read", entry.path()))?;
            let target = destination.join(entry.file_name());
            let path = entry.path();
            let linked = kind.is_symlink() && path.is_dir() && self.is_inside(&path);
            if kind.is_dir() || linked {
                self.directory(&path, &target, within)?;
            } else if kind.is_file() || kind.is_symlink() {
                self.file(&path, &target)?;
            } else {
                return Err(InstallError::SpecialFile { path });
            }
        }
        within.pop();
        Ok(())
    }

    /// A link to a directory elsewhere on the host stays a link; what it leads to is not the revision's to copy.
    fn is_inside(&self, path: &Path) -> bool {
        fs::canonicalize(path).is_ok_and(|real| real.starts_with(&self.real))
    }

    fn make_directories(&mut self, directory: &Path, origin: &Path) -> Result<(), InstallError> {
        if self.made.directories.contains_key(directory) {
            return Ok(());
        }
        if self.made.files.contains_key(directory) {
            let (origin, path) = (origin.to_owned(), directory.to_owned());
            return Err(InstallError::DirectoryOverFile { origin, path });
        }
        if self.disk.stays(directory) {
            return Err(InstallError::NotADirectory { path: directory.to_owned() });
        }
        match self.kind(directory) {
            Kind::Directory => return Ok(()),
            Kind::Other => return Err(InstallError::NotADirectory { path: directory.to_owned() }),
            Kind::Nothing => {}
        }
        if let Some(parent) = directory.parent() {
            self.make_directories(parent, origin)?;
        }
        self.made.directories.insert(directory.to_owned(), origin.to_owned());
        self.steps.push(Step::MakeDirectory { directory: directory.to_owned() });
        Ok(())
    }

    /// What will be at a path. In a directory that is made anew there is nothing.
    fn kind(&self, path: &Path) -> Kind {
        match path.parent() {
            Some(parent) if self.made.directories.contains_key(parent) => Kind::Nothing,
            _ => self.disk.kind(path),
        }
    }

    fn file(&mut self, source: &Path, destination: &Path) -> Result<(), InstallError> {
        let path = destination.to_owned();
        if let Some(Step::Copy { source: first, .. }) =
            self.made.files.get(destination).and_then(|at| self.steps.get(*at))
        {
            let (first, second) = (first.clone(), source.to_owned());
            return Err(InstallError::SameDestination { first, second, path });
        }
        if self.made.directories.contains_key(destination) {
            return Err(InstallError::FileOverDirectory { origin: source.to_owned(), path });
        }
        match (self.kind(destination), &self.behavior) {
            (Kind::Nothing, _) | (Kind::Other, Ok(FileExistsBehavior::Overwrite)) => {}
            (_, Err(found)) => return Err(InstallError::Behavior { found: found.clone() }),
            (_, Ok(FileExistsBehavior::Disallow)) => {
                return match self.existing {
                    Existing::Refused => Err(InstallError::Exists { path }),
                    Existing::Collected(paths) => {
                        paths.insert(path);
                        Ok(())
                    }
                };
            }
            (_, Ok(FileExistsBehavior::Retain)) => return Ok(()),
            (Kind::Directory, Ok(FileExistsBehavior::Overwrite)) => {
                return Err(InstallError::IsADirectory { path });
            }
        }
        self.made.files.insert(path.clone(), self.steps.len());
        self.steps.push(Step::Copy { source: source.to_owned(), destination: path });
        Ok(())
    }
}

/// The path with a leading `~` or `~user` written out, as the official agent's Ruby does.
fn expanded(path: &str) -> PathBuf {
    let Some(rest) = path.strip_prefix('~') else { return path.into() };
    let (name, rest) = rest.split_once('/').unwrap_or((rest, ""));
    let home = match name {
        "" => std::env::var("HOME").ok().or_else(|| users::user("root").map(|user| user.home)),
        name => users::user(name).map(|user| user.home),
    };
    home.map_or_else(|| path.into(), |home| Path::new(&home).join(rest))
}

/// The path from the root, without `.`, `..` and doubled or trailing slashes; relative to the working directory.
pub(super) fn absolute(path: &Path) -> Result<PathBuf, InstallError> {
    let path = std::path::absolute(path).map_err(InstallError::host("find", path))?;
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    Ok(plain)
}
