//! What only SQLite has: a file of one's own that may fill its disk, and a writer that dies with its process.

use std::os::unix::fs::PermissionsExt;

use store::{Database, Expected, Store};

use crate::support::{open, sqlite};

#[tokio::test]
async fn the_file_is_its_owners_only() {
    let place = sqlite();
    let store = open(&place.database).await;
    store.put_document("key", "k", Expected::Absent, &"secret").await.unwrap();
    let directory = place.file.parent().unwrap();
    for entry in std::fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", entry.file_name());
    }
}

#[tokio::test]
async fn a_place_that_cannot_hold_a_file_is_named() {
    let place = sqlite();
    let nowhere = place.file.join("below/a/file.db");
    let error = Store::open(&Database::Sqlite(nowhere)).await.err().unwrap();
    assert!(error.to_string().ends_with("below/a/file.db` cannot be opened"), "{error}");
}

#[tokio::test]
async fn a_write_that_does_not_hold_harms_no_other() {
    let place = sqlite();
    let store = open(&place.database).await;
    store.put_document("kind", "before", Expected::Absent, &1).await.unwrap();
    // Another connection takes the lock, so that the writes below pile up and share a transaction.
    let operator = rusqlite::Connection::open(&place.file).unwrap();
    operator.execute_batch("BEGIN IMMEDIATE").unwrap();
    let writers: Vec<_> = (0..20)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move {
                // One of them expects what is not there.
                let expected = if number == 7 { Expected::Revision(9) } else { Expected::Absent };
                let key = format!("k{number}");
                store.put_document("kind", &key, expected, &number).await.unwrap()
            })
        })
        .collect();
    tokio::task::yield_now().await;
    operator.execute_batch("ROLLBACK").unwrap();
    for (number, writer) in writers.into_iter().enumerate() {
        assert_eq!(writer.await.unwrap(), number != 7);
    }
    assert_eq!(store.all_documents::<i32>("kind").await.unwrap().len(), 20);
}

#[tokio::test]
async fn a_full_disk_fails_the_write_and_nothing_else() {
    let Some(disk) = SmallDisk::mount() else {
        println!("skipped: mounting a small disk needs root");
        return;
    };
    let store = open(&Database::Sqlite(disk.path().join("longshore.db"))).await;
    store.put_document("kind", "small", Expected::Absent, &1).await.unwrap();
    let large = "x".repeat(8 << 20);
    let error = store.put_document("kind", "large", Expected::Absent, &large).await.unwrap_err();
    assert!(error.is_full(), "{error:?}");
    assert_eq!(store.document::<String>("kind", "large").await.unwrap(), None);
    assert_eq!(store.document::<i32>("kind", "small").await.unwrap().unwrap().value, 1);
    assert!(store.put_document("kind", "small", Expected::Revision(1), &2).await.unwrap());
    drop(store);
}

/// A file system of 4 MiB.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let directory = tempfile::tempdir().ok()?;
        let mut mount = std::process::Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"]).arg(directory.path());
        mount.stderr(std::process::Stdio::null());
        mount.status().ok()?.success().then_some(Self(directory))
    }

    fn path(&self) -> &std::path::Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: the store's threads may be closing their files.
        let _ = std::process::Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}
