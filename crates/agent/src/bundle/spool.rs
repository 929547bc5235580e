//! A download on its way to the unpacker: what arrives is written to the bundle's file, counted into its digests, and read on.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;

use camino::{Utf8Path, Utf8PathBuf};
use hyper::body::Bytes;
use ring::digest;
use tokio::sync::mpsc;

use super::{BundleError, kept};

/// What a download hands to the thread that unpacks it.
#[derive(Debug)]
pub(super) enum Arriving {
    /// The storage answered. What comes is labelled as part of this object, so that it can be gone on with after a restart.
    Begin { label: String },
    /// A piece of the content.
    Piece(Bytes),
    /// That was all of it.
    End(Expected),
}

/// What the storage says of the whole content; checked as far as it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Expected {
    /// In bytes.
    pub length: Option<u64>,
    /// In base64, as S3 says it.
    pub sha256: Option<String>,
    /// In base64, big end first, as S3 says it.
    pub crc32: Option<String>,
}

/// A reader of a bundle: first of what its file holds, then of what still arrives, which is written to the file as well.
pub(super) struct Spool {
    file: File,
    path: Utf8PathBuf,
    /// Bytes of the file that are still to be read.
    stored: u64,
    arriving: Option<mpsc::Receiver<Arriving>>,
    piece: Bytes,
    read: u64,
    /// Nothing where nobody wants to know.
    digests: Option<Digests>,
    expected: Expected,
    fault: Option<BundleError>,
}

struct Digests {
    sha256: digest::Context,
    crc32: flate2::Crc,
}

impl Spool {
    /// Reads a bundle that is on the host whole; with its SHA-256, if somebody wants to know it.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn of_file(path: &Utf8Path, with_digest: bool) -> Result<Self, BundleError> {
        let file = File::open(path).map_err(BundleError::host("open", path))?;
        Self::new(file, path, None, with_digest)
    }

    /// Reads what is in the file of an earlier attempt, if there is one, and then what arrives.
    ///
    /// # Errors
    /// The file cannot be opened or made.
    pub fn receiving(
        path: &Utf8Path,
        arriving: mpsc::Receiver<Arriving>,
    ) -> Result<Self, BundleError> {
        let mut options = OpenOptions::new();
        let options = options.read(true).append(true).create(true).mode(0o600);
        let file = options.open(path).map_err(BundleError::host("write", path))?;
        kept::claim(&file).map_err(BundleError::host("lock", path))?;
        Self::new(file, path, Some(arriving), true)
    }

    fn new(
        file: File,
        path: &Utf8Path,
        arriving: Option<mpsc::Receiver<Arriving>>,
        with_digests: bool,
    ) -> Result<Self, BundleError> {
        let digests = with_digests.then(|| Digests {
            sha256: digest::Context::new(&digest::SHA256),
            crc32: flate2::Crc::new(),
        });
        let stored = file.metadata().map_err(BundleError::host("look at", path))?.len();
        Ok(Self {
            file,
            path: path.to_owned(),
            stored,
            arriving,
            piece: Bytes::new(),
            read: 0,
            digests,
            expected: Expected::default(),
            fault: None,
        })
    }

    /// The file, once all has been read: archives that are read from their end need it.
    ///
    /// # Errors
    /// The rest cannot be read or written.
    pub fn drained(&mut self) -> Result<File, BundleError> {
        io::copy(self, &mut io::sink()).map_err(|error| self.fault(error))?;
        File::open(&self.path).map_err(BundleError::host("open", &self.path))
    }

    /// Checks what was read, to the end, against what was expected; its SHA-256 in hexadecimal, if that was wanted.
    ///
    /// # Errors
    /// The rest cannot be read, or the content is not what the storage said.
    pub fn finish(mut self) -> Result<Option<String>, BundleError> {
        self.drained()?;
        let Self { digests, expected, read, path, .. } = self;
        let Some(Digests { sha256, crc32 }) = digests else { return Ok(None) };
        let sha256 = sha256.finish();
        let encode = |bytes: &[u8]| {
            base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes)
        };
        for (what, expected, found) in [
            ("size", expected.length.map(|length| length.to_string()), read.to_string()),
            ("SHA-256", expected.sha256, encode(sha256.as_ref())),
            ("CRC-32", expected.crc32, encode(&crc32.sum().to_be_bytes())),
        ] {
            if let Some(expected) = expected.filter(|expected| *expected != found) {
                return Err(BundleError::Content { path, what, expected, found });
            }
        }
        Ok(Some(sha256.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()))
    }

    /// What is wrong with the bundle's own file, if that is why reading failed; else what reading says.
    pub fn cause(&mut self, otherwise: BundleError) -> BundleError {
        self.fault.take().unwrap_or(otherwise)
    }

    fn fault(&mut self, error: io::Error) -> BundleError {
        let path = self.path.clone();
        self.cause(BundleError::host("read", path)(error))
    }

    /// Takes the next piece; `false` at the end.
    fn receive(&mut self) -> io::Result<bool> {
        let Some(arriving) = &mut self.arriving else { return Ok(false) };
        loop {
            match arriving.blocking_recv() {
                Some(Arriving::Begin { label }) => kept::label_part(&self.path, &label),
                Some(Arriving::Piece(piece)) => {
                    if let Err(error) = self.file.write_all(&piece) {
                        let kind = error.kind();
                        self.fault = Some(BundleError::host("write", &self.path)(error));
                        return Err(kind.into());
                    }
                    self.piece = piece;
                    return Ok(true);
                }
                Some(Arriving::End(expected)) => {
                    self.expected = expected;
                    self.arriving = None;
                    return Ok(false);
                }
                // Whoever sends broke off, and says why.
                None => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
    }

    fn count(&mut self, bytes: &[u8]) {
        self.read += bytes.len() as u64;
        if let Some(Digests { sha256, crc32 }) = &mut self.digests {
            sha256.update(bytes);
            crc32.update(bytes);
        }
    }
}

impl Read for Spool {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if self.stored > 0 {
            let most = usize::try_from(self.stored).unwrap_or(usize::MAX).min(buffer.len());
            let count = self.file.read(&mut buffer[..most])?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.stored -= count as u64;
            self.count(&buffer[..count]);
            return Ok(count);
        }
        while self.piece.is_empty() {
            if !self.receive()? {
                return Ok(0);
            }
        }
        let piece = self.piece.split_to(self.piece.len().min(buffer.len()));
        buffer[..piece.len()].copy_from_slice(&piece);
        self.count(&piece);
        Ok(piece.len())
    }
}

/// Removes the file of a download that is of no use any more.
pub(super) fn discard(path: &Utf8Path) {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(%error, %path, "what was downloaded cannot be removed");
        }
        _ => {}
    }
}
