//! A folder as one file. The same content gives the same bytes, whenever and wherever it is packed: an interrupted upload
//! can be continued, and what is there already is not uploaded again.

use std::fs::{File, Metadata};
use std::io::{self, BufWriter, Read, Seek, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use camino::Utf8Path;
use sha2::{Digest, Sha256};
use zip::write::SimpleFileOptions;

use crate::args::BundleType;

/// What leaves files out, beside `.git`; with the patterns of a `.gitignore`.
const IGNORE_FILE: &str = ".longshoreignore";

/// A packed folder.
pub struct Packed {
    /// At its beginning.
    pub file: File,
    pub size: u64,
    /// Of its bytes, in hexadecimal.
    pub sha256: String,
}

/// One thing in the folder.
struct Entry {
    path: PathBuf,
    /// Below the folder, with slashes.
    name: String,
    metadata: Metadata,
}

/// Packs a folder into a file that is gone when it is closed.
///
/// # Errors
/// Something in the folder cannot be read, has a name that is not UTF-8, or is neither file, folder nor link.
pub fn pack(folder: &Utf8Path, bundle_type: BundleType) -> anyhow::Result<Packed> {
    let entries = entries(folder)?;
    let mut file = tempfile::tempfile().context("cannot make a file for the bundle")?;
    match bundle_type {
        BundleType::Zip => zip(&entries, &mut file)?,
        BundleType::Tar => {
            let mut out = BufWriter::new(&mut file);
            tar(&entries, &mut out)?;
            out.flush()?;
        }
        BundleType::Tgz => {
            let out = BufWriter::new(&mut file);
            let mut gzip = flate2::GzBuilder::new().write(out, flate2::Compression::default());
            tar(&entries, &mut gzip)?;
            gzip.finish()?.flush()?;
        }
    }
    let size = file.metadata()?.len();
    file.rewind()?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            read => hash.update(&buffer[..read]),
        }
    }
    file.rewind()?;
    Ok(Packed { file, size, sha256: hex::encode(hash.finalize()) })
}

/// What is in the folder, by name; what is to be left out is not there.
fn entries(folder: &Utf8Path) -> anyhow::Result<Vec<Entry>> {
    let walk = ignore::WalkBuilder::new(folder)
        .standard_filters(false)
        .add_custom_ignore_filename(IGNORE_FILE)
        .filter_entry(|entry| entry.file_name() != ".git" && entry.file_name() != IGNORE_FILE)
        .sort_by_file_name(|one, other| one.cmp(other))
        .build();
    let mut entries = Vec::new();
    for entry in walk {
        let path = entry.context("cannot read the folder")?.into_path();
        let below = path.strip_prefix(folder).unwrap_or(&path);
        if below.as_os_str().is_empty() {
            continue;
        }
        let Some(name) = below.to_str() else {
            bail!(
                "{} has a name that is not UTF-8: rename it, or leave it out by {IGNORE_FILE}",
                path.display()
            );
        };
        let metadata =
            path.symlink_metadata().with_context(|| format!("cannot read {}", path.display()))?;
        let kind = metadata.file_type();
        if !(kind.is_file() || kind.is_dir() || kind.is_symlink()) {
            bail!(
                "{} is neither file, folder nor link: leave it out by {IGNORE_FILE}",
                path.display()
            );
        }
        entries.push(Entry { name: name.to_owned(), path, metadata });
    }
    Ok(entries)
}

fn zip(entries: &[Entry], file: &mut File) -> anyhow::Result<()> {
    let mut archive = zip::ZipWriter::new(file);
    for entry in entries {
        let of = || format!("cannot pack {}", entry.path.display());
        let options = SimpleFileOptions::default()
            .last_modified_time(zip::DateTime::default())
            .unix_permissions(entry.metadata.permissions().mode() & 0o7777)
            .large_file(entry.metadata.len() >= u64::from(u32::MAX))
            .compression_method(zip::CompressionMethod::Deflated);
        let kind = entry.metadata.file_type();
        if kind.is_dir() {
            archive.add_directory(&*entry.name, options).with_context(of)?;
        } else if kind.is_symlink() {
            archive.add_symlink(&*entry.name, target(&entry.path)?, options).with_context(of)?;
        } else {
            archive.start_file(&*entry.name, options).with_context(of)?;
            io::copy(&mut File::open(&entry.path).with_context(of)?, &mut archive)
                .with_context(of)?;
        }
    }
    archive.finish()?;
    Ok(())
}

fn tar(entries: &[Entry], out: &mut impl Write) -> anyhow::Result<()> {
    let mut archive = tar::Builder::new(out);
    for entry in entries {
        let of = || format!("cannot pack {}", entry.path.display());
        let mut header = tar::Header::new_gnu();
        header.set_mode(entry.metadata.permissions().mode() & 0o7777);
        header.set_mtime(0);
        header.set_size(0);
        let kind = entry.metadata.file_type();
        if kind.is_dir() {
            header.set_entry_type(tar::EntryType::Directory);
            let name = format!("{}/", entry.name);
            archive.append_data(&mut header, name, io::empty()).with_context(of)?;
        } else if kind.is_symlink() {
            header.set_entry_type(tar::EntryType::Symlink);
            archive.append_link(&mut header, &entry.name, target(&entry.path)?).with_context(of)?;
        } else {
            header.set_size(entry.metadata.len());
            let content = File::open(&entry.path).with_context(of)?;
            archive
                .append_data(&mut header, &entry.name, content.take(entry.metadata.len()))
                .with_context(of)?;
        }
    }
    archive.finish()?;
    Ok(())
}

/// Where a link leads.
fn target(link: &Path) -> anyhow::Result<String> {
    let target =
        link.read_link().with_context(|| format!("cannot read the link {}", link.display()))?;
    target.into_os_string().into_string().map_err(|_| {
        anyhow::anyhow!("the link {} leads to a name that is not UTF-8", link.display())
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn folder() -> (tempfile::TempDir, camino::Utf8PathBuf) {
        let keep = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(keep.path()).unwrap().to_owned();
        fs::write(path.join("appspec.yml"), "version: 0.0\nos: linux\n").unwrap();
        fs::create_dir_all(path.join(".git/objects")).unwrap();
        fs::create_dir_all(path.join("bin")).unwrap();
        fs::write(path.join("bin/run"), "#!/bin/sh\n").unwrap();
        fs::set_permissions(path.join("bin/run"), fs::Permissions::from_mode(0o755)).unwrap();
        symlink("bin/run", path.join("run")).unwrap();
        fs::write(path.join("build.log"), "x").unwrap();
        fs::write(path.join(".hidden"), "x").unwrap();
        fs::write(path.join(IGNORE_FILE), "*.log\n").unwrap();
        (keep, path)
    }

    #[test]
    fn what_is_named_is_left_out_and_the_rest_is_there() {
        let (_keep, path) = folder();
        let names: Vec<String> =
            entries(&path).unwrap().into_iter().map(|entry| entry.name).collect();
        assert_eq!(names, [".hidden", "appspec.yml", "bin", "bin/run", "run"]);
    }

    #[test]
    fn the_same_content_gives_the_same_bytes() {
        for kind in [BundleType::Zip, BundleType::Tgz, BundleType::Tar] {
            let ((_one, first), (_other, second)) = (folder(), folder());
            let (first, second) = (pack(&first, kind).unwrap(), pack(&second, kind).unwrap());
            assert_eq!(first.sha256, second.sha256, "{kind:?}");
        }
    }

    #[test]
    fn links_and_modes_are_kept() {
        let (_keep, path) = folder();
        let packed = pack(&path, BundleType::Zip).unwrap();
        let mut archive = zip::ZipArchive::new(packed.file).unwrap();
        assert_eq!(archive.by_name("bin/run").unwrap().unix_mode().unwrap() & 0o777, 0o755);
        let mut link = archive.by_name("run").unwrap();
        assert!(link.is_symlink());
        let mut target = String::new();
        link.read_to_string(&mut target).unwrap();
        assert_eq!(target, "bin/run");
        drop(link);
        let packed = pack(&path, BundleType::Tar).unwrap();
        let mut archive = tar::Archive::new(packed.file);
        let links = archive.entries().unwrap().filter_map(|entry| {
            let entry = entry.unwrap();
            Some(entry.link_name().unwrap()?.into_owned())
        });
        assert_eq!(links.collect::<Vec<_>>(), [PathBuf::from("bin/run")]);
    }
}
