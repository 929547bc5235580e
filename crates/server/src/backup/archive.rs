//! The archive as a sequence of files: written with their digests, and read back against them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};

use camino::Utf8Path;
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};

use super::{BackupError, FORMAT, FileEntry, Manifest, is_of_object};
use crate::data_dir::{DATABASE, ROOT_CREDENTIALS};

/// What stands at the end of an archive.
const MANIFEST: &str = "manifest.json";
/// After it, as `sha256sum` writes and checks it.
const MANIFEST_SUM: &str = "manifest.json.sha256";
/// Bytes of a manifest that are read at most: there is room for some millions of objects.
const MANIFEST_MAX: u64 = 1 << 30;

/// An archive that is being written.
pub(super) struct Writer {
    tar: Builder<BufWriter<File>>,
    files: Vec<FileEntry>,
    /// In seconds since 1970.
    created: u64,
}

impl Writer {
    pub(super) fn new(file: File, created: u64) -> Self {
        Self { tar: Builder::new(BufWriter::new(file)), files: Vec::new(), created }
    }

    /// Adds the file `source` under the name `path`.
    pub(super) fn add(&mut self, path: &str, source: &Utf8Path) -> io::Result<()> {
        let file = File::open(source)?;
        let bytes = file.metadata()?.len();
        let mut summing = Summing::new(file.take(bytes));
        self.append(path, bytes, &mut summing)?;
        if summing.bytes != bytes {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.files.push(FileEntry { path: path.to_owned(), bytes, sha256: summing.sum() });
        Ok(())
    }

    /// Writes the manifest and makes everything durable.
    pub(super) fn finish(self, schema: i64, created: i64) -> io::Result<Manifest> {
        self.finish_as(FORMAT, env!("CARGO_PKG_VERSION"), schema, created)
    }

    /// The same, as a program of another version.
    pub(super) fn finish_as(
        mut self,
        format: u32,
        program: &str,
        schema: i64,
        created: i64,
    ) -> io::Result<Manifest> {
        let (program, files) = (program.to_owned(), std::mem::take(&mut self.files));
        let manifest = Manifest { format, program, schema, created, files };
        let text = serde_json::to_vec_pretty(&manifest)?;
        let sum = format!("{}  {MANIFEST}\n", hex::encode(Sha256::digest(&text)));
        self.append(MANIFEST, text.len() as u64, text.as_slice())?;
        self.append(MANIFEST_SUM, sum.len() as u64, sum.as_bytes())?;
        self.tar.into_inner()?.into_inner()?.sync_all()?;
        Ok(manifest)
    }

    fn append(&mut self, path: &str, bytes: u64, data: impl Read) -> io::Result<()> {
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Regular);
        header.set_size(bytes);
        header.set_mode(0o600);
        header.set_mtime(self.created);
        self.tar.append_data(&mut header, path, data)
    }
}

/// Reads an archive from its beginning, gives each file to `take`, and compares what was read with its manifest. What
/// `take` leaves of a file is read all the same.
///
/// # Errors
/// The archive is not what its manifest says, is newer than this program, or `take` failed.
pub(super) fn read(
    archive: &Utf8Path,
    mut file: &File,
    mut take: impl FnMut(&str, &mut dyn Read) -> Result<(), BackupError>,
) -> Result<Manifest, BackupError> {
    let damaged = |what: String| BackupError::Damaged { archive: archive.to_owned(), what };
    let unreadable = |error: io::Error| damaged(error.to_string());
    file.rewind().map_err(BackupError::file("read", archive))?;
    let mut tar = tar::Archive::new(BufReader::new(file));
    let mut found = BTreeMap::new();
    let (mut manifest, mut sum) = (None, None);
    for entry in tar.entries().map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let path = entry.path().map_err(unreadable)?.to_str().map(str::to_owned);
        let Some(path) = path.filter(|path| is_ours(path)) else {
            return Err(damaged("it holds a file of no known name".to_owned()));
        };
        if entry.header().entry_type() != EntryType::Regular {
            return Err(damaged(format!("`{path}` is no plain file")));
        }
        let mut summing = Summing::new(entry);
        match path.as_str() {
            MANIFEST => manifest = Some(summing.text().map_err(unreadable)?),
            MANIFEST_SUM => sum = Some(summing.text().map_err(unreadable)?),
            _ => {
                take(&path, &mut summing)?;
                io::copy(&mut summing, &mut io::sink()).map_err(unreadable)?;
                let (bytes, sha256) = (summing.bytes, summing.sum());
                let entry = FileEntry { path: path.clone(), bytes, sha256 };
                if found.insert(path.clone(), entry).is_some() {
                    return Err(damaged(format!("`{path}` comes twice")));
                }
            }
        }
    }
    let (Some(manifest), Some(sum)) = (manifest, sum) else {
        return Err(damaged("it ends before its manifest".to_owned()));
    };
    if sum.split_whitespace().next() != Some(&hex::encode(Sha256::digest(&manifest))) {
        return Err(damaged("its manifest was changed".to_owned()));
    }
    let manifest = parse(archive, &manifest)?;
    compare(&manifest, found).map_err(damaged)?;
    Ok(manifest)
}

fn parse(archive: &Utf8Path, text: &str) -> Result<Manifest, BackupError> {
    /// As much as every form has.
    #[derive(serde::Deserialize)]
    struct Form {
        format: u32,
    }
    let damaged = |error: serde_json::Error| BackupError::Damaged {
        archive: archive.to_owned(),
        what: error.to_string(),
    };
    let Form { format } = serde_json::from_str(text).map_err(damaged)?;
    if format > FORMAT {
        return Err(BackupError::NewerForm(archive.to_owned()));
    }
    let manifest: Manifest = serde_json::from_str(text).map_err(damaged)?;
    if manifest.schema > store::SCHEMA {
        return Err(BackupError::Newer {
            archive: archive.to_owned(),
            program: manifest.program,
            found: manifest.schema,
            known: store::SCHEMA,
        });
    }
    Ok(manifest)
}

/// What differs between a manifest and what was found.
fn compare(manifest: &Manifest, mut found: BTreeMap<String, FileEntry>) -> Result<(), String> {
    if !manifest.files.iter().any(|file| file.path == DATABASE) {
        return Err("it has no database".to_owned());
    }
    for wanted in &manifest.files {
        match found.remove(&wanted.path) {
            Some(file) if file == *wanted => {}
            Some(_) => return Err(format!("`{}` is not as it was backed up", wanted.path)),
            None => return Err(format!("`{}` is missing", wanted.path)),
        }
    }
    match found.into_keys().next() {
        Some(path) => Err(format!("`{path}` does not belong to it")),
        None => Ok(()),
    }
}

/// Whether a name is one that an archive may hold; none leads out of the directory.
fn is_ours(path: &str) -> bool {
    let plain = |part: &str| !["", ".", ".."].contains(&part);
    [MANIFEST, MANIFEST_SUM, DATABASE, ROOT_CREDENTIALS].contains(&path)
        || (is_of_object(path) && path.split('/').all(plain))
}

/// Sums up what is read through it.
struct Summing<R> {
    inner: R,
    hash: Sha256,
    bytes: u64,
}

impl<R: Read> Summing<R> {
    fn new(inner: R) -> Self {
        Self { inner, hash: Sha256::new(), bytes: 0 }
    }

    fn sum(self) -> String {
        hex::encode(self.hash.finalize())
    }

    fn text(&mut self) -> io::Result<String> {
        let mut text = String::new();
        self.take(MANIFEST_MAX).read_to_string(&mut text)?;
        Ok(text)
    }
}

impl<R: Read> Read for Summing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.hash.update(&buffer[..read]);
        self.bytes += read as u64;
        Ok(read)
    }
}

/// Copies a file of an archive to the disk; who syncs the file system makes it durable.
pub(super) fn extract(from: &mut dyn Read, to: &Utf8Path) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    if let Some(parent) = to.parent() {
        std::fs::create_dir_all(parent)?;
    }
    let file = File::options().write(true).create_new(true).mode(0o600).open(to)?;
    let mut file = BufWriter::with_capacity(1 << 17, file);
    io::copy(from, &mut file)?;
    file.flush()
}
