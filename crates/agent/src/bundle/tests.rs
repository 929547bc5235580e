use std::fs::{self, File};
use std::io::{Cursor, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use camino::{Utf8Path, Utf8PathBuf};
use tar::{EntryType, Header};

use super::*;
use crate::spec::ArchiveType;

struct Bench {
    _dir: tempfile::TempDir,
    root: Utf8PathBuf,
}

impl Bench {
    fn new() -> Self {
        Self::of(tempfile::tempdir().unwrap())
    }

    /// In memory, where there is such a file system: for more files than a test should trouble a disk with.
    fn in_memory() -> Self {
        Self::of(tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap())
    }

    fn of(dir: tempfile::TempDir) -> Self {
        let root = Utf8PathBuf::from_path_buf(dir.path().to_owned()).unwrap();
        Self { _dir: dir, root }
    }

    fn unpack(&self, archive: &[u8], kind: ArchiveType) -> Result<(), String> {
        fs::write(self.root.join("bundle.tar"), archive).unwrap();
        let into = self.root.join("archive");
        unpack::unpack_file(&self.root.join("bundle.tar"), kind, &into, 1 << 20)
            .map_err(|error| error.to_string())
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.root.join("archive").join(name)).unwrap()
    }

    /// Nothing may be beside the archive, whatever was unpacked.
    fn is_contained(&self) -> bool {
        let mut names: Vec<_> = self
            .root
            .read_dir_utf8()
            .unwrap()
            .flatten()
            .map(|e| e.file_name().to_owned())
            .collect();
        names.sort();
        names == ["archive", "bundle.tar"] || names == ["bundle.tar"]
    }
}

enum Item<'a> {
    File(&'a str, &'a str),
    Directory(&'a str),
    Link(&'a str, &'a str),
    HardLink(&'a str, &'a str),
    Device(&'a str),
}

/// A tar file, with names written as they are: the crate's own builder refuses the hostile ones.
fn tar(items: &[Item<'_>]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for item in items {
        let (name, kind, content, link) = match item {
            Item::File(name, content) => (name, EntryType::Regular, *content, ""),
            Item::Directory(name) => (name, EntryType::Directory, "", ""),
            Item::Link(name, to) => (name, EntryType::Symlink, "", *to),
            Item::HardLink(name, to) => (name, EntryType::Link, "", *to),
            Item::Device(name) => (name, EntryType::Char, "", ""),
        };
        let mut header = Header::new_gnu();
        let fields = header.as_gnu_mut().unwrap();
        fields.name[..name.len()].copy_from_slice(name.as_bytes());
        fields.linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(kind);
        header.set_size(content.len() as u64);
        header.set_mode(if kind == EntryType::Directory { 0o755 } else { 0o640 });
        header.set_mtime(1_000_000_000);
        header.set_uid(0);
        header.set_gid(0);
        header.set_cksum();
        builder.append(&header, content.as_bytes()).unwrap();
    }
    builder.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

fn zip(files: &[(&str, &str, u32)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content, mode) in files {
        let options = zip::write::SimpleFileOptions::default().unix_permissions(*mode);
        if mode & 0o170_000 == 0o120_000 {
            writer.add_symlink(*name, *content, options).unwrap();
        } else {
            writer.start_file(*name, options).unwrap();
            writer.write_all(content.as_bytes()).unwrap();
        }
    }
    writer.finish().unwrap().into_inner()
}

#[test]
fn tar_and_tgz_bring_files_links_modes_and_times() {
    use Item::*;
    let archive = tar(&[
        Directory("./"),
        Directory("./s/"),
        File("./s/a.sh", "one"),
        Link("./s/b.sh", "a.sh"),
        HardLink("./s/c.sh", "./s/a.sh"),
        File("s/a.sh", "two"),
        File("appspec.yml", "x"),
    ]);
    for (bytes, kind) in [
        (archive.clone(), ArchiveType::Tar),
        (gzip(&archive), ArchiveType::Tgz),
        (gzip(&archive), ArchiveType::Tar),
    ] {
        let bench = Bench::new();
        bench.unpack(&bytes, kind).unwrap();
        assert_eq!((bench.read("s/b.sh"), bench.read("s/c.sh")), ("two".into(), "one".into()));
        let metadata = fs::metadata(bench.root.join("archive/s/a.sh")).unwrap();
        assert_eq!(
            (metadata.permissions().mode() & 0o777, metadata.mtime()),
            (0o640, 1_000_000_000)
        );
        assert!(bench.is_contained());
    }
}

#[test]
fn zip_brings_files_and_modes_and_a_leading_directory_goes() {
    let bench = Bench::new();
    let archive = zip(&[("repo-1/appspec.yml", "x", 0o644), ("repo-1/s/run.sh", "run", 0o755)]);
    bench.unpack(&archive, ArchiveType::Zip).unwrap();
    assert_eq!(bench.read("s/run.sh"), "run");
    let mode = fs::metadata(bench.root.join("archive/s/run.sh")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o755);
    assert!(bench.is_contained());
}

#[test]
fn a_leading_directory_stays_if_it_is_not_alone_or_holds_no_appspec() {
    use Item::*;
    let bench = Bench::new();
    bench.unpack(&tar(&[File("a/appspec.yml", ""), File("README", "")]), ArchiveType::Tar).unwrap();
    assert!(bench.root.join("archive/a/appspec.yml").exists());
    bench.unpack(&tar(&[File("a/b/appspec.yml", "")]), ArchiveType::Tar).unwrap();
    assert!(bench.root.join("archive/a/b/appspec.yml").exists());
}

#[test]
fn hostile_tar_entries_are_refused_and_named() {
    use Item::*;
    for (items, says) in [
        (vec![File("../x", "")], "entry `../x` has `..` in its name"),
        (vec![File("a/../../x", "")], "entry `a/../../x` has `..` in its name"),
        (vec![File("/etc/x", "")], "entry `/etc/x` has an absolute name"),
        (
            vec![Link("a/out", "../../x")],
            "entry `a/out` is a link to `../../x`, outside of the archive",
        ),
        (vec![Link("out", "/tmp"), File("out/x", "")], "entry `out/x` lies behind a link"),
        (vec![Link("a", "b"), Directory("b"), File("a/x", "")], "entry `a/x` lies behind a link"),
        (vec![Link("d", "/tmp"), Directory("d/")], "entry `d/` lies behind a link"),
        (
            vec![HardLink("h", "/etc/passwd")],
            "entry `h` is a hard link to `/etc/passwd`, which has an absolute name",
        ),
        (vec![HardLink("h", "../bundle.tar")], "which has `..` in its name"),
        (vec![Link("l", "/etc"), HardLink("h", "l/passwd")], "is no file of the archive"),
        (vec![Link("l", "/etc/passwd"), HardLink("h", "l")], "its target is not a file"),
        (vec![Device("null")], "entry `null` is a device or a pipe"),
    ] {
        let bench = Bench::new();
        let fault = bench.unpack(&tar(&items), ArchiveType::Tar).unwrap_err();
        assert!(fault.contains(says), "{fault} instead of {says}");
        assert!(bench.is_contained(), "{says}");
    }
}

#[test]
fn hostile_zip_entries_are_refused_and_named() {
    for (files, says) in [
        (vec![("../x", "", 0o644)], "entry `../x` has `..` in its name"),
        (vec![("/etc/x", "", 0o644)], "entry `/etc/x` has an absolute name"),
        (vec![("l", "../x", 0o120_777)], "entry `l` is a link to `../x`, outside of the archive"),
        (vec![("l", "/tmp", 0o120_777), ("l/x", "", 0o644)], "entry `l/x` lies behind a link"),
    ] {
        let bench = Bench::new();
        let fault = bench.unpack(&zip(&files), ArchiveType::Zip).unwrap_err();
        assert!(fault.contains(says), "{fault} instead of {says}");
        assert!(bench.is_contained(), "{says}");
    }
}

#[test]
fn damaged_archives_and_wrong_kinds_are_errors() {
    let bench = Bench::new();
    let good = gzip(&tar(&[Item::File("appspec.yml", &"x".repeat(5000))]));
    for (bytes, kind) in [
        (&good[..good.len() / 2], ArchiveType::Tgz),
        (&good[..good.len() - 4], ArchiveType::Tgz),
        (b"".as_slice(), ArchiveType::Tar),
        (b"PK\x03\x04 nonsense".as_slice(), ArchiveType::Zip),
        (&zip(&[("a", "", 0o644)]), ArchiveType::Tgz),
        (b"no archive at all, just text".as_slice(), ArchiveType::Tar),
    ] {
        let fault = bench.unpack(bytes, kind).unwrap_err();
        assert!(fault.starts_with("Error extracting"), "{fault}");
    }
}

#[test]
fn a_bomb_is_stopped_at_the_limit() {
    let bench = Bench::new();
    let bomb = gzip(&tar(&[Item::File("zeros", &"0".repeat(2 << 20))]));
    let fault = bench.unpack(&bomb, ArchiveType::Tgz).unwrap_err();
    assert!(fault.contains("unpacks to more than 1048576 bytes"), "{fault}");
}

#[test]
fn a_full_disk_is_called_one() {
    let bench = Bench::new();
    let small = bench.root.join("small");
    fs::create_dir(&small).unwrap();
    let options = "size=64k";
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", options, "tmpfs", small.as_str()])
        .status();
    if !mounted.is_ok_and(|status| status.success()) {
        println!("skipped: mounting a small file system needs root");
        return;
    }
    let archive = bench.root.join("bundle.tar");
    fs::write(&archive, tar(&[Item::File("big", &"x".repeat(200_000))])).unwrap();
    let done = unpack::unpack_file(&archive, ArchiveType::Tar, &small.join("archive"), u64::MAX);
    // Lazily: what has the disk write while an archive is unpacked may hold it a moment longer.
    let unmounted = std::process::Command::new("umount").args(["--lazy", small.as_str()]).status();
    assert!(unmounted.is_ok_and(|status| status.success()));
    let fault = done.unwrap_err().to_string();
    assert!(fault.contains("archive-temp/big, the disk is (or was) full"), "{fault}");
}

#[test]
fn the_oldest_revisions_go_and_the_installed_one_stays() {
    let bench = Bench::new();
    for (number, name) in ["d-1", "d-2", "d-3", "d-4"].iter().enumerate() {
        let path = bench.root.join(name);
        fs::create_dir(&path).unwrap();
        let time = std::time::SystemTime::UNIX_EPOCH
            + std::time::Duration::from_secs(number as u64 * 1000);
        File::open(&path).unwrap().set_times(fs::FileTimes::new().set_modified(time)).unwrap();
    }
    let installed = bench.root.join("d-1");
    retention::make_room(&bench.root, &bench.root.join("d-4"), std::slice::from_ref(&installed), 2)
        .unwrap();
    let mut left: Vec<_> =
        bench.root.read_dir_utf8().unwrap().flatten().map(|e| e.file_name().to_owned()).collect();
    left.sort();
    assert_eq!(left, ["d-1", "d-4"]);
}

#[test]
fn a_link_climbs_out_only_if_it_does() {
    for (link, target, out) in [
        ("a/b", "../c", false),
        ("a/b", "../../c", true),
        ("a", "../a", true),
        ("a/b/c", "x/../../../../y", true),
        ("bin/python", "/usr/bin/python3", false),
        ("a", ".", false),
    ] {
        assert_eq!(archive::climbs_out(Path::new(link), Path::new(target)), out, "{link} {target}");
    }
    assert_eq!(archive::shown(b"a\nb\xff"), "a\u{fffd}b\u{fffd}");
    assert!(local::copy_directory(Utf8Path::new("/no/such"), Utf8Path::new("/tmp/x")).is_err());
}

#[test]
fn a_copied_directory_keeps_set_id_bits_only_for_the_same_owner() {
    let bench = Bench::new();
    let from = bench.root.join("from");
    fs::create_dir(&from).unwrap();
    for name in ["own", "other"] {
        fs::write(from.join(name), "x").unwrap();
    }
    if std::os::unix::fs::chown(from.join("other"), Some(1), Some(1)).is_err() {
        println!("skipped: only root can give files away");
        return;
    }
    for name in ["own", "other"] {
        fs::set_permissions(from.join(name), fs::Permissions::from_mode(0o4755)).unwrap();
    }
    local::copy_directory(&from, &bench.root.join("archive")).unwrap();
    let mode = |name| fs::metadata(bench.root.join("archive").join(name)).unwrap().mode() & 0o7777;
    assert_eq!((mode("own") & 0o6000, mode("other") & 0o6000), (0o4000, 0));
}

fn zst(text: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(text, ruzstd::encoding::CompressionLevel::Fastest)
}

#[test]
fn zstandard_in_one_frame_or_many_is_read_and_damage_is_found() {
    let content = "0123456789abcdef".repeat(9000);
    let plain = tar(&[Item::File("a.txt", &content), Item::File("appspec.yml", "x")]);
    let (first, second) = plain.split_at(70_000);
    let skipped = [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"abc"].concat();
    let many = [skipped.clone(), zst(first), skipped, zst(second)].concat();
    for archive in [zst(&plain), many.clone()] {
        for kind in [ArchiveType::TarZst, ArchiveType::Tar] {
            let bench = Bench::new();
            bench.unpack(&archive, kind).unwrap();
            assert_eq!(bench.read("a.txt"), content);
            assert_eq!(bench.read("appspec.yml"), "x");
        }
    }
    let bench = Bench::new();
    let cut = &many[..many.len() - 5];
    assert!(bench.unpack(cut, ArchiveType::TarZst).unwrap_err().contains("Error extracting"));
    let mut damaged = zst(&plain);
    let last = damaged.len() - 1;
    damaged[last] ^= 1;
    assert!(bench.unpack(&damaged, ArchiveType::TarZst).unwrap_err().contains("checksum"));
    let fault = bench.unpack(&plain, ArchiveType::TarZst).unwrap_err();
    assert!(fault.contains("it is not in Zstandard format"), "{fault}");
    assert!(
        bench.unpack(&zst(&plain), ArchiveType::Tgz).unwrap_err().contains("not in gzip format")
    );
}

#[test]
fn names_that_are_no_text_or_as_long_as_can_be_are_names() {
    use std::os::unix::ffi::OsStrExt;
    let bench = Bench::new();
    let longest = "n".repeat(255);
    let mut builder = tar::Builder::new(Vec::new());
    for name in [&b"caf\xe9/\xff.txt"[..], longest.as_bytes(), b"line\nend"] {
        let mut header = Header::new_gnu();
        header.set_size(1);
        header.set_mode(0o644);
        let path = Path::new(std::ffi::OsStr::from_bytes(name));
        builder.append_data(&mut header, path, &b"x"[..]).unwrap();
    }
    bench.unpack(&builder.into_inner().unwrap(), ArchiveType::Tar).unwrap();
    let there = |name: &[u8]| {
        bench.root.join("archive").as_std_path().join(std::ffi::OsStr::from_bytes(name)).exists()
    };
    assert!(there(b"caf\xe9/\xff.txt") && there(longest.as_bytes()) && there(b"line\nend"));
    bench.unpack(&zip(&[(&longest, "x", 0o644)]), ArchiveType::Zip).unwrap();
    assert!(there(longest.as_bytes()));
}

#[test]
fn names_that_no_disk_takes_are_errors() {
    for name in ["n".repeat(256), vec!["d"; 3000].join("/"), "a\0b".to_owned()] {
        let bench = Bench::new();
        let fault = bench.unpack(&zip(&[(&name, "x", 0o644)]), ArchiveType::Zip).unwrap_err();
        assert!(fault.len() < 8000, "{}", fault.len());
        assert!(bench.is_contained());
    }
}

#[test]
fn a_bomb_is_stopped_whatever_its_headers_say() {
    let zeros = "0".repeat(2 << 20);
    let honest = zip(&[("zeros", &zeros, 0o644)]);
    // The size, as it is in both headers.
    let size = u32::try_from(zeros.len()).unwrap().to_le_bytes();
    let mut lying = honest.clone();
    for at in 0..lying.len() - 4 {
        if lying[at..at + 4] == size {
            lying[at..at + 4].copy_from_slice(&8_u32.to_le_bytes());
        }
    }
    assert_ne!(honest, lying);
    let bench = Bench::new();
    let fault = bench.unpack(&honest, ArchiveType::Zip).unwrap_err();
    assert!(fault.contains("unpacks to more than 1048576 bytes"), "{fault}");
    for (bytes, kind) in [
        (lying, ArchiveType::Zip),
        (zst(&tar(&[Item::File("zeros", &zeros)])), ArchiveType::TarZst),
    ] {
        let bench = Bench::new();
        let _ = bench.unpack(&bytes, kind);
        let written =
            fs::metadata(bench.root.join("archive/zeros")).map_or(0, |metadata| metadata.len());
        assert!(written <= 1 << 20, "{written}");
    }
    // Many small files make a bomb as well as one large one.
    let files: Vec<_> = (0..300).map(|number| (format!("f{number}"), "0".repeat(4096))).collect();
    let files: Vec<_> =
        files.iter().map(|(name, text)| (name.as_str(), text.as_str(), 0o644)).collect();
    let fault = Bench::new().unpack(&zip(&files), ArchiveType::Zip).unwrap_err();
    assert!(fault.contains("unpacks to more than"), "{fault}");
}

#[test]
fn a_hundred_thousand_entries_are_unpacked() {
    let bench = Bench::in_memory();
    let mut header = Header::new_gnu();
    header.set_size(0);
    header.set_mode(0o644);
    let mut archive = Vec::with_capacity(100_000 * 512 + 1024);
    for number in 0..100_000 {
        header.set_path(format!("d{}/f{number}", number % 100)).unwrap();
        header.set_cksum();
        archive.extend_from_slice(header.as_bytes());
    }
    archive.extend_from_slice(&[0; 1024]);
    bench.unpack(&archive, ArchiveType::Tar).unwrap();
    let directories = bench.root.join("archive").read_dir_utf8().unwrap().flatten();
    let count: usize = directories.map(|entry| entry.path().read_dir_utf8().unwrap().count()).sum();
    assert_eq!(count, 100_000);
}

#[test]
fn wherever_an_archive_is_cut_off_it_is_refused_or_whole() {
    use Item::*;
    let plain = tar(&[File("a", "one"), File("appspec.yml", "x"), Link("l", "a")]);
    let zipped = zip(&[("a", "one", 0o644), ("appspec.yml", "x", 0o644)]);
    let kinds = [
        (gzip(&plain), ArchiveType::Tgz),
        (zst(&plain), ArchiveType::TarZst),
        (zipped, ArchiveType::Zip),
        (plain.clone(), ArchiveType::Tar),
    ];
    for (bytes, kind) in &kinds {
        let step = (bytes.len() / 60).max(1);
        for end in (0..bytes.len()).step_by(step) {
            let bench = Bench::new();
            match bench.unpack(&bytes[..end], *kind) {
                Err(fault) => {
                    assert!(fault.starts_with("Error extracting"), "{kind:?} {end}: {fault}");
                }
                // A tar file may lack its end mark, or end between two entries.
                Ok(()) => assert_eq!(*kind, ArchiveType::Tar, "cut off after {end}"),
            }
            assert!(bench.is_contained());
        }
    }
}
