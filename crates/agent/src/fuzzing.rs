//! What fuzz targets reach of the agent's insides: readers of bytes that others wrote. Nothing of the host is touched but
//! the directory that is given.

use camino::Utf8Path;

use crate::bundle::{BundleError, unpack};
use crate::install;
use crate::spec::ArchiveType;

/// Unpacks an archive as `DownloadBundle` does.
///
/// # Errors
/// It is damaged, hostile, or larger than `bytes_max` when unpacked.
pub fn unpacked(
    bundle: &Utf8Path,
    kind: ArchiveType,
    archive: &Utf8Path,
    bytes_max: u64,
) -> Result<(), BundleError> {
    unpack::unpack_file(bundle, kind, archive, bytes_max)
}

/// Reads the journal of a switch and writes down what was understood; nothing is done that it says.
///
/// # Errors
/// It is damaged.
pub fn journal_rewritten(journal: &Utf8Path) -> Result<Option<String>, install::InstallError> {
    install::journal_rewritten(journal)
}
