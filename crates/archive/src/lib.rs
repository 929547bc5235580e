//! What the bytes of a bundle say, for whoever unpacks one (the agent) and for whoever only looks into one (the server).
//!
//! It decompresses tar files, says which names of entries are good, and reads what an archive holds without writing any of it.
//! It knows no disk and no network: bytes come from readers.

mod compression;
mod contents;
mod names;

pub use compression::decompressed;
pub use contents::{Contents, ContentsError, Found, Limits, look};
pub use names::{BadName, climbs_out, entry_path, shown};
