//! The bytes of an object for whoever reads here and there in them, as readers of zip files do. It blocks its thread.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use super::blobs::{Blob, Blobs, Lease, Piece, pieces};

/// An object, open for reading. Its files stay until this is dropped, whatever becomes of the object.
#[derive(Debug)]
pub struct ObjectReader {
    blobs: Blobs,
    pieces: Vec<Piece>,
    _lease: Lease,
    name: String,
    size: u64,
    position: u64,
    /// The piece that was read last, and its file.
    open: Option<(usize, File)>,
}

impl ObjectReader {
    pub(super) fn new(blobs: &Blobs, blob: &Blob) -> Self {
        Self {
            blobs: blobs.clone(),
            pieces: pieces(blob, 0..blob.size).into(),
            _lease: Lease::new(blobs, &blob.file),
            name: blob.file.clone(),
            size: blob.size,
            position: 0,
            open: None,
        }
    }

    /// Names these bytes: no others ever have this name, for files are written once and never changed.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The piece that holds the position, and where in it that is; nothing at the end.
    fn place(&self) -> Option<(usize, u64)> {
        let mut start = 0;
        for (index, piece) in self.pieces.iter().enumerate() {
            if self.position < start + piece.len {
                return Some((index, self.position - start));
            }
            start += piece.len;
        }
        None
    }
}

impl Read for ObjectReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some((index, offset)) = self.place() else { return Ok(0) };
        let piece = &self.pieces[index];
        let mut file = match self.open.take() {
            Some((open, file)) if open == index => file,
            _ => File::open(self.blobs.path(&piece.file))?,
        };
        file.seek(SeekFrom::Start(piece.offset + offset))?;
        let left = usize::try_from(piece.len - offset).unwrap_or(usize::MAX).min(buffer.len());
        let count = file.read(&mut buffer[..left])?;
        if count == 0 && left > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.open = Some((index, file));
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for ObjectReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let (base, by) = match to {
            SeekFrom::Start(position) => (position, 0),
            SeekFrom::End(by) => (self.size, by),
            SeekFrom::Current(by) => (self.position, by),
        };
        let position = base.checked_add_signed(by);
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::s3::blobs::Segment;

    #[test]
    fn pieces_read_as_one() {
        let dir = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(dir.path()).unwrap();
        let parts = ["one", "-two-", "three"];
        for (number, text) in parts.iter().enumerate() {
            let path = blobs.path(&format!("abcdef/{number}"));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let segment = |(number, text): (usize, &&str)| Segment {
            name: number.to_string(),
            size: text.len() as u64,
        };
        let segments = parts.iter().enumerate().map(segment).collect();
        let blob = Blob { file: "abcdef".to_owned(), segments, size: 13 };
        let mut reader = ObjectReader::new(&blobs, &blob);
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "one-two-three");
        reader.seek(SeekFrom::End(-7)).unwrap();
        text.clear();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "o-three");
        assert_eq!(reader.seek(SeekFrom::Start(2)).unwrap(), 2);
        assert_eq!(reader.seek(SeekFrom::Current(1)).unwrap(), 3);
        text.clear();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "-two-three");
        assert!(reader.seek(SeekFrom::End(-14)).is_err());
    }
}
