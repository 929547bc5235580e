//! Reading tar files, plain or compressed.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::io::{self, BufReader, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use tar::{Archive, Entry, EntryType};

use super::BundleError;
use super::unpack::{Attributes, Writer, hostile};
use crate::spec::ArchiveType;
use crate::users;

/// What is read of the archive's content at a time.
const BUFFER_BYTES: usize = 128 * 1024;

pub(super) fn unpack(
    source: &mut dyn Read,
    kind: ArchiveType,
    writer: &mut Writer<'_>,
) -> Result<(), BundleError> {
    entries(archive::decompressed(source, kind).map_err(damaged)?, writer)
}

#[expect(clippy::needless_pass_by_value, reason = "made for `map_err`")]
fn damaged(error: io::Error) -> BundleError {
    BundleError::Archive { kind: "tar", reason: error.to_string() }
}

fn entries(reader: impl Read, writer: &mut Writer<'_>) -> Result<(), BundleError> {
    let mut owners = Owners::default();
    // The headers are read one by one, and a decompressor is slow with few bytes at a time.
    let mut archive = Archive::new(BufReader::with_capacity(BUFFER_BYTES, reader));
    let mut count = 0_u64;
    for entry in archive.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        one(&mut entry, &mut owners, writer)?;
        count += 1;
    }
    // Reading on to the end finds an archive that was cut off inside of its compression.
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(damaged)?;
    if count == 0 {
        return Err(BundleError::Archive { kind: "tar", reason: "it has no entries".to_owned() });
    }
    Ok(())
}

fn one(
    entry: &mut Entry<'_, impl Read>,
    owners: &mut Owners,
    writer: &mut Writer<'_>,
) -> Result<(), BundleError> {
    let name = entry.path_bytes().into_owned();
    let kind = entry.header().entry_type();
    let with = attributes(entry, owners).map_err(damaged)?;
    match kind {
        EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
            // Before there was a type for directories, a trailing slash said so.
            if name.ends_with(b"/") {
                writer.directory(&name, with)
            } else {
                let size = entry.size();
                writer.file(&name, entry, size, with)
            }
        }
        EntryType::Directory => writer.directory(&name, with),
        EntryType::Symlink => {
            let target = link_target(entry, &name)?;
            writer.symlink(&name, Path::new(OsStr::from_bytes(&target)), with)
        }
        EntryType::Link => {
            let target = link_target(entry, &name)?;
            writer.hard_link(&name, &target)
        }
        EntryType::XGlobalHeader | EntryType::XHeader => Ok(()),
        EntryType::Block | EntryType::Char | EntryType::Fifo => {
            Err(hostile(&name, "is a device or a pipe".to_owned()))
        }
        other => {
            Err(hostile(&name, format!("is of the unknown type {:?}", other.as_byte() as char)))
        }
    }
}

fn link_target(entry: &Entry<'_, impl Read>, name: &[u8]) -> Result<Vec<u8>, BundleError> {
    let target = entry.link_name_bytes().map(|target| target.into_owned());
    target.ok_or_else(|| hostile(name, "is a link to nothing".to_owned()))
}

fn attributes(entry: &Entry<'_, impl Read>, owners: &mut Owners) -> io::Result<Attributes> {
    let header = entry.header();
    // Some programs leave numbers blank that they have no use for: such files are root's.
    let owner = owners.privileged.then(|| {
        let user = owners.user(header.username_bytes(), header.uid().unwrap_or(0));
        (user, owners.group(header.groupname_bytes(), header.gid().unwrap_or(0)))
    });
    Ok(Attributes { mode: Some(header.mode()?), owner, modified: header.mtime().ok() })
}

/// Owners by name where this host knows the name, else by number: as `tar -p` does for root.
struct Owners {
    privileged: bool,
    users: HashMap<Vec<u8>, Option<u32>>,
    groups: HashMap<Vec<u8>, Option<u32>>,
}

impl Default for Owners {
    fn default() -> Self {
        let privileged = rustix::process::geteuid().is_root();
        Self { privileged, users: HashMap::new(), groups: HashMap::new() }
    }
}

impl Owners {
    fn user(&mut self, name: Option<&[u8]>, number: u64) -> u32 {
        let look = |name: &str| users::user(name).map(|user| user.uid);
        lookup(&mut self.users, name, number, look)
    }

    fn group(&mut self, name: Option<&[u8]>, number: u64) -> u32 {
        lookup(&mut self.groups, name, number, users::group)
    }
}

fn lookup(
    known: &mut HashMap<Vec<u8>, Option<u32>>,
    name: Option<&[u8]>,
    number: u64,
    look: impl Fn(&str) -> Option<u32>,
) -> u32 {
    let name = name.unwrap_or_default();
    let found = known
        .entry(name.to_vec())
        .or_insert_with(|| std::str::from_utf8(name).ok().filter(|n| !n.is_empty()).and_then(look));
    // The highest number means "unchanged" to the kernel, and is nobody's.
    found.unwrap_or_else(|| u32::try_from(number).ok().filter(|n| *n != u32::MAX).unwrap_or(65534))
}
