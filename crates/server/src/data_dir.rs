//! What lies where in a data directory.

use camino::{Utf8Path, Utf8PathBuf};
use store::Database;

/// The SQLite database.
pub const DATABASE: &str = "longshore.db";
/// The directory of the bytes of objects.
pub const OBJECTS: &str = "objects";
/// The root's access key, unless it comes from the environment.
pub const ROOT_CREDENTIALS: &str = "root-credentials";
/// What the server holds locked while it runs.
pub const LOCK: &str = "lock";

/// The database of a server with this data directory.
pub fn database(data_dir: &Utf8Path, url: Option<&str>) -> Database {
    match url {
        Some(url) => Database::Postgres(url.to_owned()),
        None => Database::Sqlite(data_dir.join(DATABASE).into_std_path_buf()),
    }
}

/// Where in [`OBJECTS`] the file of an object lies. Two hexadecimal digits spread the files over 256 directories.
pub(crate) fn place_of_object(file: &str) -> Utf8PathBuf {
    let spread = file.get(..2).unwrap_or(file);
    Utf8Path::new(spread).join(file)
}
