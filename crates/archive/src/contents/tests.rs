use std::io::{Cursor, Write};

use super::*;

const LIMITS: Limits = Limits { entries: 100, unpacked_bytes: 1 << 20 };
const SPEC: &str = "version: 0.0\nos: linux\n";

/// A tar file of these: name, kind (`f`, `d`, `l` or `h`), and content or target.
fn tar(entries: &[(&str, char, &str)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, kind, content) in entries {
        let mut header = tar::Header::new_gnu();
        // Names are written as they are: the crate would refuse the hostile ones.
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_mode(0o644);
        let mut body: &[u8] = b"";
        match kind {
            'f' => body = content.as_bytes(),
            'd' => header.set_entry_type(EntryType::Directory),
            'l' => header.set_entry_type(EntryType::Symlink),
            _ => header.set_entry_type(EntryType::Link),
        }
        if "lh".contains(*kind) {
            header.as_gnu_mut().unwrap().linkname[..content.len()]
                .copy_from_slice(content.as_bytes());
        }
        header.set_size(body.len() as u64);
        header.set_cksum();
        builder.append(&header, body).unwrap();
    }
    builder.into_inner().unwrap()
}

fn zip(entries: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(content.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

fn looked(bytes: Vec<u8>, kind: BundleType) -> Contents {
    look(Cursor::new(bytes), kind, LIMITS).unwrap()
}

fn refused(bytes: Vec<u8>, kind: BundleType) -> String {
    look(Cursor::new(bytes), kind, LIMITS).unwrap_err().to_string()
}

#[test]
fn the_appspec_is_found_in_each_type_of_bundle() {
    let plain = tar(&[("./appspec.yaml", 'f', "second"), ("./appspec.yml", 'f', SPEC)]);
    let zstandard =
        ruzstd::encoding::compress_to_vec(&plain[..], ruzstd::encoding::CompressionLevel::Fastest);
    let bundles = [
        (zip(&[("appspec.yaml", "second"), ("appspec.yml", SPEC)]), BundleType::Zip),
        (gzipped(&plain), BundleType::Tgz),
        (gzipped(&plain), BundleType::Tar),
        (zstandard, BundleType::TarZst),
        (plain, BundleType::Tar),
    ];
    for (bundle, kind) in bundles {
        let contents = looked(bundle, kind);
        assert_eq!(contents.appspec(), Some(("appspec.yml", SPEC.as_bytes())), "{kind:?}");
    }
}

#[test]
fn an_only_directory_is_left_out_if_it_holds_an_appspec() {
    let inside =
        looked(tar(&[("r-1/run.sh", 'f', "x"), ("r-1/appspec.yml", 'f', SPEC)]), BundleType::Tar);
    assert!(inside.appspec().is_some());
    assert_eq!((inside.find("run.sh"), inside.find("r-1/run.sh")), (Found::Yes, Found::No));
    for beside in [("other", 'f', "x"), ("b/c", 'f', "x")] {
        let contents = looked(tar(&[("r-1/appspec.yml", 'f', SPEC), beside]), BundleType::Tar);
        assert!(contents.appspec().is_none(), "{beside:?}");
        assert_eq!(contents.find("r-1/appspec.yml"), Found::Yes);
    }
    let none = looked(tar(&[("r-1/readme", 'f', "x")]), BundleType::Tar);
    assert_eq!((none.appspec(), none.find("r-1/readme")), (None, Found::Yes));
}

#[test]
fn scripts_are_found_through_links_but_not_outside() {
    let contents = looked(
        tar(&[
            ("appspec.yml", 'f', SPEC),
            ("bin/run.sh", 'f', "x"),
            ("bin/up", 'l', "../bin/run.sh"),
            ("scripts", 'l', "bin"),
            ("abroad", 'l', "/bin/sh"),
            ("round", 'l', "round"),
            ("again.sh", 'h', "bin/run.sh"),
        ]),
        BundleType::Tar,
    );
    for there in
        ["bin/run.sh", "./bin//run.sh", "/bin/run.sh", "scripts/up", "again.sh", "bin/../again.sh"]
    {
        assert_eq!(contents.find(there), Found::Yes, "{there}");
    }
    for not_there in ["run.sh", "bin/none", "round", "bin/run.sh/x"] {
        assert_eq!(contents.find(not_there), Found::No, "{not_there}");
    }
    for outside in ["../x", "bin/../../x", "abroad"] {
        assert_eq!(contents.find(outside), Found::Outside, "{outside}");
    }
}

#[test]
fn what_hosts_refuse_is_refused() {
    for (entries, word) in [
        (vec![("../x", 'f', "")], "has `..` in its name"),
        (vec![("/etc/x", 'f', "")], "has an absolute name"),
        (vec![("a", 'l', "../../x")], "outside of the archive"),
        (vec![("a", 'h', "none")], "is no file of the archive"),
        (vec![("a", 'l', "b"), ("a/c", 'f', "")], "lies behind a link"),
        (vec![("a", 'f', ""), ("a/c", 'f', "")], "lies behind a link or a file"),
    ] {
        let told = refused(tar(&entries), BundleType::Tar);
        assert!(told.contains(word), "{entries:?}: {told}");
    }
    assert!(refused(zip(&[("../x", "")]), BundleType::Zip).contains("has `..` in its name"));
}

#[test]
fn what_is_no_archive_is_damaged() {
    let noise = b"not an archive, but longer than the head of one".repeat(30);
    for kind in [BundleType::Zip, BundleType::Tar, BundleType::Tgz, BundleType::TarZst] {
        assert!(refused(noise.clone(), kind).contains("archive, or a damaged one"), "{kind:?}");
        assert!(refused(Vec::new(), kind).contains("archive, or a damaged one"), "{kind:?}");
    }
    let whole = gzipped(&tar(&[("appspec.yml", 'f', SPEC)]));
    let cut = whole[..whole.len() - 6].to_vec();
    assert!(refused(cut, BundleType::Tgz).contains("damaged"));
}

#[test]
fn a_bomb_ends_at_the_limits() {
    let zeros = "0".repeat(3 << 20);
    let told = refused(gzipped(&tar(&[("a", 'f', &zeros)])), BundleType::Tgz);
    assert_eq!(told, "it unpacks to more than 1048576 bytes");
    assert_eq!(refused(zip(&[("a", &zeros)]), BundleType::Zip), told);
    // Not in an entry, but behind the last one.
    let mut padded = tar(&[("a", 'f', "x")]);
    padded.extend(zeros.as_bytes());
    assert_eq!(refused(gzipped(&padded), BundleType::Tgz), told);
    let names: Vec<String> = (0..101).map(|n| format!("f{n}")).collect();
    let many: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
    let error = look(Cursor::new(zip(&many)), BundleType::Zip, LIMITS).unwrap_err();
    assert!(error.is_about_limits(), "{error}");
    // A deep path costs as much as all that lies above it.
    let deep = "d/".repeat(45) + "f";
    let entries = [(deep.as_str(), 'f', ""), (&deep[..80], 'd', "")];
    assert!(look(Cursor::new(tar(&entries)), BundleType::Tar, LIMITS).is_ok());
}

#[test]
fn the_texts_of_appspecs_that_cannot_be_it_are_not_kept() {
    let names: Vec<String> = (0..40).map(|n| format!("d{n}/appspec.yml")).collect();
    let many: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), SPEC)).collect();
    assert!(looked(zip(&many), BundleType::Zip).appspecs.is_empty());
    let same = [("appspec.yml", SPEC), ("./appspec.yml", "last"), ("a/b/appspec.yml", SPEC)];
    let contents = looked(zip(&same), BundleType::Zip);
    assert_eq!((contents.appspecs.len(), contents.appspec().unwrap().1), (1, b"last".as_slice()));
}
