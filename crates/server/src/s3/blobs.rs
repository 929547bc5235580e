//! The bytes of objects: files below `objects/` in the data directory, written once and never changed.
//!
//! A file's name says nothing about the object: which file an object has stands in its row. A file is complete
//! and on the disk, name included, before [`Blobs::write`] returns, and only then does anybody write a row that
//! names it. A crash in between leaves a file without a row, which [`sweep`] finds at the next start.
//!
//! The parts of a multipart upload are files in a directory that bears the upload's name, `UPLOAD/PART`. The
//! object made of them has that directory for its file, and the parts it is made of stand in its row: so
//! completing an upload costs a row and no copying.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fs::File;
use std::io::{self, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;
use futures::{Stream, StreamExt as _, TryStreamExt as _};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio::sync::mpsc;
use tokio_util::io::ReaderStream;

use super::digest::{Algorithm, Hasher, Sums};
use crate::data_dir::{self, OBJECTS};
use store::Store;

/// Any error, as streams of bytes carry it.
pub(super) type StreamError = Box<dyn std::error::Error + Send + Sync>;

/// Pieces that may wait between the network and the disk. With the server's read buffers of at most some
/// hundred KiB this bounds what one upload holds in memory.
const PIECES_IN_FLIGHT: usize = 4;

/// How many bytes a download reads at a time.
const READ_SIZE: usize = 128 * 1024;

/// A refused upload is read on and thrown away up to this many bytes: a client that still sends when the
/// connection closes loses the answer that says why.
const DRAINED_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// A part in an object's directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Segment {
    /// Its name in the directory.
    pub(super) name: String,
    /// Its length in bytes.
    pub(super) size: u64,
}

/// The bytes of one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Blob {
    /// The file, or the directory of the segments.
    pub(super) file: String,
    /// Empty for a plain file.
    pub(super) segments: Vec<Segment>,
    /// The length of all in bytes.
    pub(super) size: u64,
}

/// A file just written, and the sums over its bytes.
#[derive(Debug)]
pub(super) struct Written {
    /// As a row names it.
    pub(super) file: String,
    /// In bytes.
    pub(super) size: u64,
    pub(super) sums: Sums,
}

/// Why bytes could not be stored. Nothing of them is left on the disk.
#[derive(Debug, thiserror::Error)]
pub(super) enum WriteError {
    #[error("the bytes stopped coming")]
    Stream(#[source] StreamError),
    #[error("more than {limit_bytes} bytes came")]
    TooLarge { limit_bytes: u64 },
    #[error("the file could not be written")]
    Disk(#[source] io::Error),
}

/// The directory of objects' bytes. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Blobs {
    root: Arc<Path>,
    readers: Arc<Mutex<Readers>>,
}

impl Blobs {
    /// Opens, and where missing makes, the directory `objects` in `data_dir`.
    pub(super) fn open(data_dir: &Path) -> io::Result<Self> {
        let root = data_dir.join(OBJECTS);
        std::fs::create_dir_all(&root)?;
        File::open(data_dir)?.sync_all()?;
        Ok(Self { root: root.into(), readers: Arc::default() })
    }

    /// Writes what `bytes` yields into a new file, summing it up on the way; into the directory `upload` if it is
    /// a part. Dropping the future removes what was written so far.
    pub(super) async fn write(
        &self,
        upload: Option<&str>,
        mut bytes: impl Stream<Item = Result<Bytes, StreamError>> + Unpin,
        algorithm: Option<Algorithm>,
        limit_bytes: u64,
    ) -> Result<Written, WriteError> {
        let file = match upload {
            Some(directory) => format!("{directory}/{:012x}", rand::random::<u64>() >> 16),
            None => new_name(),
        };
        let (pieces, received) = mpsc::channel(PIECES_IN_FLIGHT);
        let path = self.path(&file);
        let writer = tokio::task::spawn_blocking(move || write_file(&path, received, algorithm));
        let sent = send_pieces(&mut bytes, &pieces, limit_bytes).await;
        drop(pieces);
        // A panic in the writer would be a mistake of ours; the caller sees it as a failed disk.
        let written = writer.await.map_err(io::Error::other).and_then(|result| result);
        if !matches!(sent, Ok(true)) {
            drain(&mut bytes).await;
        }
        match (sent, written) {
            (Err(error), _) => Err(error),
            (Ok(_), Err(error)) => Err(WriteError::Disk(error)),
            (Ok(_), Ok((size, sums))) => Ok(Written { file, size, sums }),
        }
    }

    /// Reads the bytes in `range` of an object. Its files stay until the stream is dropped, whatever becomes of the
    /// object. Fails with [`io::ErrorKind::NotFound`] if they were removed before.
    pub(super) async fn read(
        &self,
        blob: &Blob,
        range: Range<u64>,
    ) -> io::Result<impl Stream<Item = io::Result<Bytes>> + Send + Sync + use<>> {
        let lease = Lease::new(self, &blob.file);
        let mut pieces = pieces(blob, range);
        let first = match pieces.pop_front() {
            Some(piece) => Some(self.open_piece(&piece).await?),
            None => None,
        };
        let blobs = self.clone();
        let rest = futures::stream::iter(pieces)
            .then(move |piece| {
                let blobs = blobs.clone();
                async move { blobs.open_piece(&piece).await }
            })
            .try_flatten();
        Ok(futures::stream::iter(first).flatten().chain(rest).inspect(move |_| {
            // The stream owns the lease as long as it lives.
            let _held = &lease;
        }))
    }

    /// Removes the files and directories of objects that no row names any more. What is being read goes when its
    /// last reader does.
    pub(super) async fn remove(&self, files: Vec<String>) {
        let free = self.readers().doom(files);
        if free.is_empty() {
            return;
        }
        let blobs = self.clone();
        let removal = tokio::task::spawn_blocking(move || {
            for file in &free {
                blobs.unlink(file);
            }
        });
        if let Err(error) = removal.await {
            tracing::error!(%error, "removing objects' files failed");
        }
    }

    /// The files older than `before`, each as a row would name it.
    fn older_than(&self, before: SystemTime) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for spread in std::fs::read_dir(&*self.root)? {
            for entry in std::fs::read_dir(spread?.path())? {
                let entry = entry?;
                let Ok(name) = entry.file_name().into_string() else { continue };
                let metadata = entry.metadata()?;
                if metadata.is_dir() {
                    names.extend(parts_older_than(&entry.path(), &name, before)?);
                } else if metadata.modified()? < before {
                    names.push(name);
                }
            }
        }
        Ok(names)
    }

    /// Removes what a row named, and the directory of a part with its last part. Whether it was there.
    fn unlink(&self, file: &str) -> bool {
        let was_there = remove_file(&self.path(file));
        if let Some((directory, _)) = file.split_once('/') {
            // Fails, as it should, while other parts are in it.
            let _ = std::fs::remove_dir(self.path(directory));
        }
        was_there
    }

    async fn open_piece(
        &self,
        piece: &Piece,
    ) -> io::Result<ReaderStream<tokio::io::Take<tokio::fs::File>>> {
        let mut file = tokio::fs::File::open(self.path(&piece.file)).await?;
        if piece.offset > 0 {
            file.seek(io::SeekFrom::Start(piece.offset)).await?;
        }
        Ok(ReaderStream::with_capacity(file.take(piece.len), READ_SIZE))
    }

    pub(super) fn path(&self, file: &str) -> PathBuf {
        self.root.join(data_dir::place_of_object(file))
    }

    fn readers(&self) -> MutexGuard<'_, Readers> {
        // Nobody panics while holding it, and counts stay right in any case.
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A name that nothing has yet.
pub(super) fn new_name() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// How many files the sweep asks the store about at a time.
const SWEEP_BATCH: usize = 256;

/// Removes what a crash left behind: files that are older than `before` and that no row names. Returns their
/// number. Files of uploads that go on meanwhile are younger.
pub(super) async fn sweep(
    blobs: &Blobs,
    store: &Store,
    before: SystemTime,
) -> Result<u64, SweepError> {
    let listing = blobs.clone();
    let old = tokio::task::spawn_blocking(move || listing.older_than(before))
        .await
        .map_err(io::Error::other)??;
    let mut removed = 0;
    for names in old.chunks(SWEEP_BATCH) {
        let owners: Vec<_> =
            names.iter().filter_map(|name| name.split_once('/')).map(|(owner, _)| owner).collect();
        let asked: Vec<_> =
            names.iter().cloned().chain(owners.into_iter().map(str::to_owned)).collect();
        let used = store.files_in_use(&asked).await?;
        let is_used = |name: &str| used.contains(name);
        for name in names {
            let owner = name.split_once('/').map_or(name.as_str(), |(owner, _)| owner);
            if !is_used(name) && !is_used(owner) {
                removed += u64::from(blobs.unlink(name));
            }
        }
    }
    Ok(removed)
}

/// Why the sweep could not finish; what it left, the next one finds.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The directory of objects could not be read.
    #[error("the directory of objects could not be read")]
    Disk(#[from] io::Error),
    /// The store did not say which files are in use.
    #[error("the store could not be asked which files are in use")]
    Store(#[from] store::StoreError),
}

fn parts_older_than(directory: &Path, name: &str, before: SystemTime) -> io::Result<Vec<String>> {
    let mut parts = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        if entry.metadata()?.modified()? < before
            && let Ok(part) = entry.file_name().into_string()
        {
            parts.push(format!("{name}/{part}"));
        }
    }
    Ok(parts)
}

/// What the network's side tells the disk's side.
enum Message {
    Bytes(Bytes),
    /// All bytes came. Without this the file is not kept: the client may have gone.
    End,
}

/// Whether all pieces were taken; the writer hangs up when the disk fails.
async fn send_pieces(
    bytes: &mut (impl Stream<Item = Result<Bytes, StreamError>> + Unpin),
    pieces: &mpsc::Sender<Message>,
    limit_bytes: u64,
) -> Result<bool, WriteError> {
    let mut total = 0_u64;
    while let Some(piece) = bytes.next().await {
        let piece = piece.map_err(WriteError::Stream)?;
        total += piece.len() as u64;
        if total > limit_bytes {
            return Err(WriteError::TooLarge { limit_bytes });
        }
        if pieces.send(Message::Bytes(piece)).await.is_err() {
            return Ok(false);
        }
    }
    Ok(pieces.send(Message::End).await.is_ok())
}

async fn drain(bytes: &mut (impl Stream<Item = Result<Bytes, StreamError>> + Unpin)) {
    let mut left = DRAINED_BYTES_MAX;
    while let Some(Ok(piece)) = bytes.next().await {
        left = left.saturating_sub(piece.len() as u64);
        if left == 0 {
            return;
        }
    }
}

fn write_file(
    path: &Path,
    mut pieces: mpsc::Receiver<Message>,
    algorithm: Option<Algorithm>,
) -> io::Result<(u64, Sums)> {
    let mut file = create(path)?;
    let unfinished = Unfinished(path);
    let mut hasher = Hasher::new(algorithm);
    let mut size = 0;
    loop {
        match pieces.blocking_recv() {
            Some(Message::Bytes(bytes)) => {
                file.write_all(&bytes)?;
                hasher.update(&bytes);
                size += bytes.len() as u64;
            }
            Some(Message::End) => break,
            None => return Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
    file.sync_all()?;
    sync_directory_of(path)?;
    std::mem::forget(unfinished);
    Ok((size, hasher.finish()))
}

fn create(path: &Path) -> io::Result<File> {
    match File::create_new(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let directory = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
            std::fs::create_dir_all(directory)?;
            sync_directory_of(directory)?;
            directory.parent().map(sync_directory_of).transpose()?;
            File::create_new(path)
        }
        other => other,
    }
}

/// A name is on the disk only when its directory is.
fn sync_directory_of(path: &Path) -> io::Result<()> {
    let directory = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    File::open(directory)?.sync_all()
}

/// Takes away a file that was not written to its end.
struct Unfinished<'a>(&'a Path);

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        remove_file(self.0);
    }
}

/// Removes a file, or a directory with all that is in it. Whether it was there.
fn remove_file(path: &Path) -> bool {
    let result = match std::fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => std::fs::remove_dir_all(path),
        Ok(_) => std::fs::remove_file(path),
        Err(error) => Err(error),
    };
    match result {
        Ok(()) => true,
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "a file of a removed object stays until the next start");
            false
        }
    }
}

/// The part of a segment that a range asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) file: String,
    pub(super) offset: u64,
    pub(super) len: u64,
}

pub(super) fn pieces(blob: &Blob, range: Range<u64>) -> VecDeque<Piece> {
    if blob.segments.is_empty() {
        let end = range.end.min(blob.size);
        let len = end.saturating_sub(range.start);
        let whole = Piece { file: blob.file.clone(), offset: range.start, len };
        return (len > 0).then_some(whole).into_iter().collect();
    }
    let mut start = 0;
    let mut pieces = VecDeque::new();
    for segment in &blob.segments {
        let end = start + segment.size;
        let (from, to) = (range.start.max(start), range.end.min(end));
        if from < to {
            let file = format!("{}/{}", blob.file, segment.name);
            pieces.push_back(Piece { file, offset: from - start, len: to - from });
        }
        start = end;
    }
    pieces
}

/// Who reads what, so that no file goes from under a reader.
#[derive(Debug, Default)]
struct Readers {
    counts: HashMap<String, u32>,
    doomed: HashSet<String>,
}

impl Readers {
    /// Marks those of `files` that are being read, and returns the others: they can go now.
    fn doom(&mut self, files: Vec<String>) -> Vec<String> {
        let (read, free) = files.into_iter().partition(|file| self.counts.contains_key(file));
        let read: Vec<String> = read;
        self.doomed.extend(read);
        free
    }

    fn enter(&mut self, file: &str) {
        *self.counts.entry(file.to_owned()).or_default() += 1;
    }

    /// Whether the last reader of a file that is to go has gone.
    fn leave(&mut self, file: &str) -> bool {
        match self.counts.get_mut(file) {
            Some(count) if *count > 1 => {
                *count -= 1;
                false
            }
            _ => {
                self.counts.remove(file);
                self.doomed.remove(file)
            }
        }
    }
}

/// Keeps an object's files while they are read.
#[derive(Debug)]
pub(super) struct Lease {
    blobs: Blobs,
    file: String,
}

impl Lease {
    pub(super) fn new(blobs: &Blobs, file: &str) -> Self {
        blobs.readers().enter(file);
        Self { blobs: blobs.clone(), file: file.to_owned() }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let is_doomed = self.blobs.readers().leave(&self.file);
        if is_doomed {
            // Unlinking waits for nobody; it is seldom, and there may be no runtime left to hand it to.
            self.blobs.unlink(&self.file);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(
        pieces: Vec<Result<&'static [u8], &'static str>>,
    ) -> impl Stream<Item = Result<Bytes, StreamError>> + Unpin {
        futures::stream::iter(
            pieces.into_iter().map(|piece| piece.map(Bytes::from_static).map_err(Into::into)),
        )
    }

    async fn read_all(blobs: &Blobs, blob: &Blob, range: Range<u64>) -> Vec<u8> {
        let stream = blobs.read(blob, range).await.unwrap();
        let pieces: Vec<Bytes> = stream.try_collect().await.unwrap();
        pieces.concat()
    }

    fn plain(written: Written) -> Blob {
        Blob { file: written.file, segments: Vec::new(), size: written.size }
    }

    fn segment(written: &Written) -> Segment {
        let (_, name) = written.file.split_once('/').unwrap();
        Segment { name: name.to_owned(), size: written.size }
    }

    /// Files, not directories.
    fn files_in(directory: &Path) -> usize {
        let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
        entries.map(|path| if path.is_dir() { files_in(&path) } else { 1 }).sum()
    }

    #[tokio::test]
    async fn what_was_written_is_read_across_segments() {
        let directory = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(directory.path()).unwrap();
        let upload = new_name();
        let first = blobs
            .write(Some(&upload), stream(vec![Ok(b"hello "), Ok(b"big")]), None, 100)
            .await
            .unwrap();
        let sum = Some(Algorithm::Crc32);
        let second =
            blobs.write(Some(&upload), stream(vec![Ok(b" world")]), sum, 100).await.unwrap();
        assert_eq!(first.size, 9);
        assert_eq!(first.sums.etag(), "39ebb2a85f7f4fca3ec674f2584afe76");
        let blob =
            Blob { file: upload, segments: vec![segment(&first), segment(&second)], size: 15 };
        assert_eq!(read_all(&blobs, &blob, 0..15).await, b"hello big world");
        assert_eq!(read_all(&blobs, &blob, 6..12).await, b"big wo");
        assert_eq!(read_all(&blobs, &blob, 9..10).await, b" ");
        assert_eq!(read_all(&blobs, &blob, 3..3).await, b"");
        let whole = plain(blobs.write(None, stream(vec![Ok(b"plain")]), None, 100).await.unwrap());
        assert_eq!(read_all(&blobs, &whole, 1..4).await, b"lai");
    }

    #[tokio::test]
    async fn a_refused_upload_leaves_no_file() {
        let directory = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(directory.path()).unwrap();
        let broken = blobs.write(None, stream(vec![Ok(b"half"), Err("gone")]), None, 100).await;
        assert!(matches!(broken, Err(WriteError::Stream(_))), "{broken:?}");
        let large = blobs.write(None, stream(vec![Ok(b"12345"), Ok(b"67890")]), None, 9).await;
        assert!(matches!(large, Err(WriteError::TooLarge { limit_bytes: 9 })), "{large:?}");
        assert_eq!(files_in(directory.path()), 0);
    }

    #[tokio::test]
    async fn a_removed_object_stays_until_its_reader_is_done() {
        let directory = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(directory.path()).unwrap();
        let upload = new_name();
        let first =
            blobs.write(Some(&upload), stream(vec![Ok(b"first")]), None, 100).await.unwrap();
        let second =
            blobs.write(Some(&upload), stream(vec![Ok(b"second")]), None, 100).await.unwrap();
        let blob =
            Blob { file: upload, segments: vec![segment(&first), segment(&second)], size: 11 };
        let reading = blobs.read(&blob, 0..11).await.unwrap();
        blobs.remove(vec![blob.file.clone()]).await;
        let pieces: Vec<Bytes> = reading.try_collect().await.unwrap();
        assert_eq!(pieces.concat(), b"firstsecond");
        assert_eq!(files_in(directory.path()), 0);
        let late = blobs.read(&blob, 0..5).await.err().map(|error| error.kind());
        assert_eq!(late, Some(io::ErrorKind::NotFound));
    }

    #[tokio::test]
    async fn the_last_part_takes_its_directory_along() {
        let directory = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(directory.path()).unwrap();
        let upload = new_name();
        let part = blobs.write(Some(&upload), stream(vec![Ok(b"part")]), None, 100).await.unwrap();
        assert!(blobs.path(&upload).is_dir());
        blobs.remove(vec![part.file]).await;
        assert!(!blobs.path(&upload).exists());
    }
}
