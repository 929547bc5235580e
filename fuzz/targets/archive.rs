//! Any bytes as an archive of each kind: unpacked or refused, and nothing leaves its directory.
//!
//! The first byte says which kind the rest is taken for.
#![no_main]

use std::fs;

use agent::fuzzing::unpacked;
use agent::spec::ArchiveType;
use camino::Utf8Path;
use libfuzzer_sys::fuzz_target;

/// The most that an archive may unpack to here.
const BYTES_MAX: u64 = 1 << 20;

fuzz_target!(|input: &[u8]| {
    let Some((kind, bytes)) = input.split_first() else { return };
    let kinds = [ArchiveType::Tar, ArchiveType::Tgz, ArchiveType::TarZst, ArchiveType::Zip];
    let directory = tempfile::tempdir().unwrap();
    let directory = Utf8Path::from_path(directory.path()).unwrap();
    let (bundle, archive) = (directory.join("bundle"), directory.join("archive"));
    fs::write(&bundle, bytes).unwrap();
    let _ = unpacked(&bundle, kinds[usize::from(kind % 4)], &archive, BYTES_MAX);
    let beside = directory.read_dir_utf8().unwrap().map(|entry| entry.unwrap().file_name().to_owned());
    let beside: Vec<_> = beside.filter(|name| name != "bundle" && name != "archive").collect();
    assert!(beside.is_empty(), "{beside:?}");
    assert_eq!(fs::read(&bundle).unwrap(), bytes, "the bundle was written to");
});
