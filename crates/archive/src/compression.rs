//! From the bytes of a tar file, plain or compressed, to its content.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use flate2::bufread::MultiGzDecoder;
use model::BundleType;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// What is read of the archive at a time.
const BUFFER_BYTES: usize = 128 * 1024;

/// The content of a tar file of this type. A plain `tar` may be compressed either way: that is found out.
///
/// # Errors
/// It cannot be read, or is not compressed as its type says.
pub fn decompressed<'r>(
    mut source: impl Read + 'r,
    kind: BundleType,
) -> io::Result<Box<dyn Read + 'r>> {
    let mut magic = Vec::new();
    source.by_ref().take(4).read_to_end(&mut magic)?;
    let found = compression(&magic);
    let source = BufReader::with_capacity(BUFFER_BYTES, Cursor::new(magic).chain(source));
    let wrong = |what: &str| {
        let text = format!("it is not in {what} format");
        Err(io::Error::new(io::ErrorKind::InvalidData, text))
    };
    match (found, kind) {
        (Compression::Gzip | Compression::None, BundleType::TarZst) => wrong("Zstandard"),
        (Compression::Zstandard | Compression::None, BundleType::Tgz) => wrong("gzip"),
        (Compression::Gzip, _) => Ok(Box::new(MultiGzDecoder::new(source))),
        (Compression::Zstandard, _) => Ok(Box::new(Frames::new(source))),
        (Compression::None, _) => Ok(Box::new(source)),
    }
}

enum Compression {
    None,
    Gzip,
    Zstandard,
}

fn compression(magic: &[u8]) -> Compression {
    match magic {
        [0x1f, 0x8b, ..] => Compression::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd] => Compression::Zstandard,
        // A frame to skip: parallel compressors begin with one.
        [0x50..=0x5f, 0x2a, 0x4d, 0x18] => Compression::Zstandard,
        _ => Compression::None,
    }
}

/// The largest window that is given memory: `zstd` makes none larger without `--ultra` or `--long`.
const WINDOW_BYTES_MAX: u64 = 8 << 20;

/// The content of all frames of a Zstandard file: parallel compressors write many.
struct Frames<R> {
    source: R,
    decoder: FrameDecoder,
    /// Whether the decoder is in a frame.
    inside: bool,
}

impl<R: BufRead> Frames<R> {
    fn new(source: R) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(WINDOW_BYTES_MAX);
        Self { source, decoder, inside: false }
    }

    /// Opens the next frame; `false` at the end of the file.
    fn open(&mut self) -> io::Result<bool> {
        while !self.source.fill_buf()?.is_empty() {
            match self.decoder.reset(&mut self.source) {
                Ok(()) => {
                    self.inside = true;
                    return Ok(true);
                }
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => self.skip(length.into())?,
                Err(error) => return Err(io::Error::other(error.to_string())),
            }
        }
        Ok(false)
    }

    fn skip(&mut self, length: u64) -> io::Result<()> {
        let skipped = io::copy(&mut self.source.by_ref().take(length), &mut io::sink())?;
        if skipped < length { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }

    fn close(&mut self) -> io::Result<()> {
        self.inside = false;
        match self.decoder.get_checksum_from_data() {
            Some(wanted) if self.decoder.get_calculated_checksum() != Some(wanted) => {
                Err(io::Error::new(io::ErrorKind::InvalidData, "a frame's checksum is wrong"))
            }
            _ => Ok(()),
        }
    }
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if !self.inside {
                if !self.open()? {
                    return Ok(0);
                }
            } else if self.decoder.can_collect() > 0 {
                return self.decoder.read(buffer);
            } else if self.decoder.is_finished() {
                self.close()?;
            } else {
                let step = BlockDecodingStrategy::UptoBlocks(1);
                let decoded = self.decoder.decode_blocks(&mut self.source, step);
                decoded.map_err(|error| io::Error::other(error.to_string()))?;
            }
        }
    }
}
