//! Looking into an archive: what is in it, and the text of its AppSpec. Nothing of it is written anywhere.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::io::{self, BufReader, Read, Seek};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

use model::BundleType;
use model::appspec::DEFAULT_NAMES;
use tar::EntryType;
use zip::ZipArchive;

use crate::{BadName, climbs_out, decompressed, entry_path, shown};

/// The longest AppSpec that is read, in bytes; hosts read no more of one.
const APPSPEC_BYTES_MAX: u64 = 4 << 20;
/// The longest target of a symbolic link that the kernel takes.
const TARGET_BYTES_MAX: u64 = 4096;
/// Links that lead to links are followed this often, as by the kernel.
const LINKS_MAX: usize = 40;
/// What is read of a tar file's content at a time.
const BUFFER_BYTES: usize = 128 * 1024;

/// How far an archive is looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Entries, at most.
    pub entries: usize,
    /// What it may unpack to, in bytes.
    pub unpacked_bytes: u64,
}

/// Why an archive cannot be looked into.
#[derive(Debug, thiserror::Error)]
pub enum ContentsError {
    /// Its bytes are not those of an archive of its type.
    #[error("it is no {kind} archive, or a damaged one: {reason}")]
    Damaged { kind: &'static str, reason: String },
    /// An entry leads, or would lead, out of the revision's directory.
    #[error("the archive's entry `{entry}` {reason}")]
    Hostile { entry: String, reason: String },
    /// It is larger than whoever asks wants to read.
    #[error("it has more than {entries} entries")]
    TooManyEntries { entries: usize },
    /// The same.
    #[error("it unpacks to more than {bytes} bytes")]
    TooLarge { bytes: u64 },
}

impl ContentsError {
    /// Whether it says something about the reader's patience rather than about the archive.
    pub fn is_about_limits(&self) -> bool {
        match self {
            Self::TooManyEntries { .. } | Self::TooLarge { .. } => true,
            Self::Damaged { .. } | Self::Hostile { .. } => false,
        }
    }
}

/// What there is at a path of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    File,
    Directory,
    Link { target: PathBuf },
}

/// What became of looking for something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// It is there.
    Yes,
    /// There is nothing.
    No,
    /// The path, or a link on its way, leads out of the revision.
    Outside,
}

/// What an archive holds.
#[derive(Debug, Default)]
pub struct Contents {
    entries: HashMap<PathBuf, Entry>,
    /// What is named like an AppSpec and lies where one may: at the root, or in the only directory there.
    appspecs: HashMap<PathBuf, Vec<u8>>,
    /// The only directory at the root, as far as was read; nothing where there is more.
    only: Only,
}

/// What lies at an archive's root.
#[derive(Debug, Default)]
enum Only {
    #[default]
    Nothing,
    Name(OsString),
    Several,
}

/// Looks into an archive.
///
/// # Errors
/// It is damaged or hostile, which hosts would refuse too, or larger than the limits.
pub fn look(
    archive: impl Read + Seek,
    kind: BundleType,
    limits: Limits,
) -> Result<Contents, ContentsError> {
    let mut looking =
        Looking { contents: Contents::default(), limits, left: limits.unpacked_bytes };
    match kind {
        BundleType::Zip => looking.zip(archive)?,
        BundleType::Tar | BundleType::Tgz | BundleType::TarZst => looking.tar(archive, kind)?,
    }
    Ok(looking.contents)
}

struct Looking {
    contents: Contents,
    limits: Limits,
    left: u64,
}

impl Looking {
    fn zip(&mut self, archive: impl Read + Seek) -> Result<(), ContentsError> {
        let mut archive = ZipArchive::new(BufReader::new(archive)).map_err(no_zip)?;
        for index in 0..archive.len() {
            let mut entry = archive.by_index(index).map_err(no_zip)?;
            let name = entry.name_raw().to_vec();
            let kind = (entry.external_attributes() >> 16) & 0o170_000;
            self.take(entry.size())?;
            match kind {
                _ if name.ends_with(b"/") || kind == 0o040_000 => self.directory(&name)?,
                0o120_000 => {
                    let mut target = Vec::new();
                    let read = entry.by_ref().take(TARGET_BYTES_MAX).read_to_end(&mut target);
                    read.map_err(|error| no_zip(error.into()))?;
                    self.link(&name, target)?;
                }
                0 | 0o100_000 => {
                    self.file(&name, &mut entry).map_err(|error| error.of("zip"))?;
                }
                _ => return Err(hostile(&name, "is a device or a pipe")),
            }
        }
        Ok(())
    }

    fn tar(&mut self, archive: impl Read, kind: BundleType) -> Result<(), ContentsError> {
        let content = decompressed(archive, kind).map_err(no_tar)?;
        // One byte more than may be: whoever meets it has met too much.
        let content = content.take(self.limits.unpacked_bytes.saturating_add(1));
        let mut archive = tar::Archive::new(BufReader::with_capacity(BUFFER_BYTES, content));
        let read = self.tar_entries(&mut archive);
        let mut rest = archive.into_inner().into_inner();
        let at_limit = |rest: &io::Take<_>| rest.limit() == 0;
        if at_limit(&rest) {
            return Err(self.too_large());
        }
        read?;
        // Reading on to the end finds an archive that was cut off inside of its compression.
        io::copy(&mut rest, &mut io::sink()).map_err(no_tar)?;
        if at_limit(&rest) {
            return Err(self.too_large());
        }
        match self.contents.entries.is_empty() {
            true => Err(ContentsError::Damaged { kind: "tar", reason: "it has no entries".into() }),
            false => Ok(()),
        }
    }

    fn tar_entries(&mut self, archive: &mut tar::Archive<impl Read>) -> Result<(), ContentsError> {
        for entry in archive.entries().map_err(no_tar)? {
            let mut entry = entry.map_err(no_tar)?;
            let name = entry.path_bytes().into_owned();
            let target = entry.link_name_bytes().map(|target| target.into_owned());
            match entry.header().entry_type() {
                EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
                    if name.ends_with(b"/") {
                        self.directory(&name)?;
                    } else {
                        self.take(entry.size())?;
                        self.file(&name, &mut entry).map_err(|error| error.of("tar"))?;
                    }
                }
                EntryType::Directory => self.directory(&name)?,
                EntryType::Symlink => self.link(&name, target.unwrap_or_default())?,
                EntryType::Link => self.hard_link(&name, &target.unwrap_or_default())?,
                EntryType::XGlobalHeader | EntryType::XHeader => {}
                EntryType::Block | EntryType::Char | EntryType::Fifo => {
                    return Err(hostile(&name, "is a device or a pipe"));
                }
                other => {
                    let kind = char::from(other.as_byte());
                    return Err(hostile(&name, format!("is of the unknown type {kind:?}")));
                }
            }
        }
        Ok(())
    }

    fn take(&mut self, bytes: u64) -> Result<(), ContentsError> {
        self.left = self.left.checked_sub(bytes).ok_or_else(|| self.too_large())?;
        Ok(())
    }

    fn too_large(&self) -> ContentsError {
        ContentsError::TooLarge { bytes: self.limits.unpacked_bytes }
    }

    fn directory(&mut self, name: &[u8]) -> Result<(), ContentsError> {
        let path = entry_path(name).map_err(|bad| hostile(name, bad.to_string()))?;
        // The archive's own root.
        if path.as_os_str().is_empty() { Ok(()) } else { self.add(path, Entry::Directory) }
    }

    fn file(&mut self, name: &[u8], content: &mut dyn Read) -> Result<(), FileError> {
        let path = named(name)?;
        self.add(path.clone(), Entry::File)?;
        if self.contents.may_be_appspec(&path) {
            let mut text = Vec::new();
            content.take(APPSPEC_BYTES_MAX).read_to_end(&mut text).map_err(FileError::Read)?;
            // What a zip file says of sizes may be a lie, and many of its names may mean one path.
            self.take(text.len() as u64)?;
            self.contents.appspecs.insert(path, text);
        }
        Ok(())
    }

    fn link(&mut self, name: &[u8], target: Vec<u8>) -> Result<(), ContentsError> {
        let (path, target) = (named(name)?, PathBuf::from(OsString::from_vec(target)));
        if target.as_os_str().is_empty() || climbs_out(&path, &target) {
            let shown = target.display();
            return Err(hostile(name, format!("is a link to `{shown}`, outside of the archive")));
        }
        self.add(path, Entry::Link { target })
    }

    fn hard_link(&mut self, name: &[u8], existing: &[u8]) -> Result<(), ContentsError> {
        let path = named(name)?;
        let what = || format!("is a hard link to `{}`", shown(existing));
        let target = entry_path(existing)
            .map_err(|bad| hostile(name, format!("{}, which {bad}", what())))?;
        if self.contents.entries.get(&target) != Some(&Entry::File) {
            return Err(hostile(name, format!("{}, which is no file of the archive", what())));
        }
        let may_be_appspec = self.contents.may_be_appspec(&path);
        if let Some(text) = self.contents.appspecs.get(&target).filter(|_| may_be_appspec) {
            self.contents.appspecs.insert(path.clone(), text.clone());
        }
        self.add(path, Entry::File)
    }

    fn add(&mut self, path: PathBuf, entry: Entry) -> Result<(), ContentsError> {
        self.check_parents(&path)?;
        if let Some(first) = path.iter().next() {
            self.contents
                .note_root(first, path.components().count() == 1 && entry != Entry::Directory);
        }
        for above in path.ancestors().skip(1).filter(|above| !above.as_os_str().is_empty()) {
            self.contents.entries.entry(above.to_owned()).or_insert(Entry::Directory);
        }
        self.contents.entries.insert(path, entry);
        match self.contents.entries.len() > self.limits.entries {
            true => Err(ContentsError::TooManyEntries { entries: self.limits.entries }),
            false => Ok(()),
        }
    }

    /// Nothing is unpacked through a link, nor below a file.
    fn check_parents(&self, path: &Path) -> Result<(), ContentsError> {
        let is_directory = |above: &&Path| {
            matches!(self.contents.entries.get(*above), None | Some(Entry::Directory))
        };
        match path.ancestors().skip(1).all(|above| is_directory(&above)) {
            true => Ok(()),
            false => Err(hostile(
                path.as_os_str().as_bytes(),
                "lies behind a link or a file of the same archive",
            )),
        }
    }
}

impl Contents {
    fn note_root(&mut self, first: &OsStr, is_no_directory: bool) {
        let is_other = match &self.only {
            Only::Nothing => false,
            Only::Name(only) => only != first,
            Only::Several => return,
        };
        if is_other || is_no_directory {
            self.only = Only::Several;
            // A directory that is not alone is not left out, and what is in it is no AppSpec.
            self.appspecs.retain(|path, _| path.components().count() == 1);
        } else {
            self.only = Only::Name(first.to_owned());
        }
    }

    /// Whether a file here may be the AppSpec: it is named like one, and lies at the root or in what is so far the only directory
    /// there. The texts of all others are not kept, of which there may be any number.
    fn may_be_appspec(&self, path: &Path) -> bool {
        let is_named =
            path.file_name().is_some_and(|name| DEFAULT_NAMES.iter().any(|n| name == *n));
        let is_near = match path.components().count() {
            1 => true,
            2 => !matches!(self.only, Only::Several),
            _ => false,
        };
        is_named && is_near
    }

    /// The directory that hosts leave out: the only one, if something in it is named like an AppSpec. Source: official agent.
    fn leading(&self) -> Option<&OsStr> {
        let Only::Name(only) = &self.only else { return None };
        let mut inside = self.entries.keys().filter(|path| path.parent() == Some(Path::new(only)));
        inside
            .any(|path| {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                name.to_lowercase().contains("appspec")
            })
            .then_some(only)
    }

    /// The name and the text of the AppSpec; nothing where there is none of the usual names. One that is a link is not followed.
    pub fn appspec(&self) -> Option<(&'static str, &[u8])> {
        let root = self.leading().map(PathBuf::from).unwrap_or_default();
        DEFAULT_NAMES
            .into_iter()
            .find_map(|name| Some((name, self.appspecs.get(&root.join(name))?.as_slice())))
    }

    /// Whether something is at this path of the unpacked revision, through links or not.
    pub fn find(&self, path: &str) -> Found {
        let mut at = self.leading().map(PathBuf::from).unwrap_or_default();
        let root = at.components().count();
        let mut ahead: Vec<OsString> = parts(Path::new(path));
        let mut links = 0;
        while let Some(part) = ahead.pop() {
            if part == ".." {
                if at.components().count() <= root {
                    return Found::Outside;
                }
                at.pop();
                continue;
            }
            at.push(part);
            match self.entries.get(&at) {
                None => return Found::No,
                Some(Entry::File | Entry::Directory) => {}
                Some(Entry::Link { target }) if target.is_absolute() => return Found::Outside,
                Some(Entry::Link { .. }) if links == LINKS_MAX => return Found::No,
                Some(Entry::Link { target }) => {
                    links += 1;
                    at.pop();
                    ahead.extend(parts(target));
                }
            }
        }
        Found::Yes
    }
}

/// The parts of a path, the first one last.
fn parts(path: &Path) -> Vec<OsString> {
    let part = |component: Component<'_>| match component {
        Component::Normal(part) => Some(part.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::CurDir | Component::RootDir | Component::Prefix(_) => None,
    };
    path.components().rev().filter_map(part).collect()
}

fn named(name: &[u8]) -> Result<PathBuf, ContentsError> {
    let path = entry_path(name).map_err(|bad| hostile(name, bad.to_string()))?;
    match path.as_os_str().is_empty() {
        true => Err(hostile(name, BadName::Empty.to_string())),
        false => Ok(path),
    }
}

/// What can be wrong with a file of an archive.
enum FileError {
    Entry(ContentsError),
    Read(io::Error),
}

impl From<ContentsError> for FileError {
    fn from(error: ContentsError) -> Self {
        Self::Entry(error)
    }
}

impl FileError {
    fn of(self, kind: &'static str) -> ContentsError {
        match self {
            Self::Entry(error) => error,
            Self::Read(error) => ContentsError::Damaged { kind, reason: error.to_string() },
        }
    }
}

fn hostile(name: &[u8], reason: impl Into<String>) -> ContentsError {
    ContentsError::Hostile { entry: shown(name), reason: reason.into() }
}

#[expect(clippy::needless_pass_by_value, reason = "made for `map_err`")]
fn no_zip(error: zip::result::ZipError) -> ContentsError {
    ContentsError::Damaged { kind: "zip", reason: error.to_string() }
}

#[expect(clippy::needless_pass_by_value, reason = "made for `map_err`")]
fn no_tar(error: io::Error) -> ContentsError {
    ContentsError::Damaged { kind: "tar", reason: error.to_string() }
}

#[cfg(test)]
mod tests;
