//! Reading zip files.

use std::ffi::OsString;
use std::fs::File;
use std::io::{BufReader, Read};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use zip::ZipArchive;
use zip::read::ZipFile;

use super::BundleError;
use super::unpack::{Attributes, Writer, hostile};

/// Longest target of a symbolic link that the kernel takes.
const TARGET_MAX: u64 = 4096;

pub(super) fn unpack(file: File, writer: &mut Writer<'_>) -> Result<(), BundleError> {
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(damaged)?;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(damaged)?;
        one(&mut entry, writer)?;
    }
    Ok(())
}

#[expect(clippy::needless_pass_by_value, reason = "made for `map_err`")]
fn damaged(error: zip::result::ZipError) -> BundleError {
    BundleError::Archive { kind: "zip", reason: error.to_string() }
}

fn one<R: Read>(entry: &mut ZipFile<'_, R>, writer: &mut Writer<'_>) -> Result<(), BundleError> {
    let name = entry.name_raw().to_vec();
    // A zip made on Windows says nothing of modes; the crate would make some up.
    let unix_mode = Some(entry.external_attributes() >> 16).filter(|mode| *mode != 0);
    let kind = unix_mode.map_or(0, |mode| mode & 0o170_000);
    let is_directory = name.ends_with(b"/") || kind == 0o040_000;
    let fallback = if is_directory { 0o755 } else { 0o644 };
    let mode = unix_mode.map(|mode| mode & 0o7777).filter(|mode| *mode != 0);
    let with =
        Attributes { mode: Some(mode.unwrap_or(fallback)), owner: None, modified: modified(entry) };
    match kind {
        _ if is_directory => writer.directory(&name, with),
        0o120_000 => {
            let mut target = Vec::new();
            let read = entry.by_ref().take(TARGET_MAX).read_to_end(&mut target);
            read.map_err(|error| damaged(error.into()))?;
            writer.symlink(&name, &PathBuf::from(OsString::from_vec(target)), Attributes::default())
        }
        0 | 0o100_000 => {
            let size = entry.size();
            writer.file(&name, entry, size, with)
        }
        _ => Err(hostile(&name, "is a device or a pipe".to_owned())),
    }
}

/// The time of the last change: from the Unix extra field, else from the archive's own, which is in local time.
fn modified<R: Read>(entry: &ZipFile<'_, R>) -> Option<u64> {
    for field in entry.extra_data_fields() {
        if let zip::extra_fields::ExtraField::ExtendedTimestamp(stamp) = field
            && let Some(seconds) = stamp.mod_time()
        {
            return Some(u64::from(seconds));
        }
    }
    let time = entry.last_modified()?;
    let civil = jiff::civil::DateTime::new(
        i16::try_from(time.year()).ok()?,
        i8::try_from(time.month()).ok()?,
        i8::try_from(time.day()).ok()?,
        i8::try_from(time.hour()).ok()?,
        i8::try_from(time.minute()).ok()?,
        i8::try_from(time.second()).ok()?.min(59),
        0,
    );
    let zoned = civil.ok()?.to_zoned(jiff::tz::TimeZone::system()).ok()?;
    u64::try_from(zoned.timestamp().as_second()).ok()
}
