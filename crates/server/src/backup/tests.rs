//! What an archive must be to be believed. That it holds what a running server was given is tested with real servers.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use camino::Utf8PathBuf;
use store::{Database, Expected, NewObject, PutCondition, Store};

use super::*;
use crate::data_dir::{DATABASE, OBJECTS, place_of_object};

const OBJECT: &str = "0123456789abcdef0123456789abcdef";

struct Place {
    _directory: tempfile::TempDir,
    home: Utf8PathBuf,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let home = Utf8PathBuf::from_path_buf(directory.path().to_owned()).unwrap();
        Self { _directory: directory, home }
    }

    /// A data directory with a document and an object.
    async fn with_state() -> Self {
        let place = Self::new();
        let data = place.data();
        fs::create_dir(&data).unwrap();
        let store = Store::open(&Database::Sqlite(data.join(DATABASE).into())).await.unwrap();
        store.put_document("kind", "key", Expected::Absent, &"kept").await.unwrap();
        let bucket = store::Bucket {
            name: "b".to_owned(),
            region: "us-east-1".to_owned(),
            versioning: store::Versioning::Off,
            body: "{}".to_owned(),
            created: Timestamp::from_millis(1),
        };
        store.create_bucket(&bucket).await.unwrap();
        let object = NewObject {
            bucket: "b".to_owned(),
            key: "k".to_owned(),
            version_id: "v".to_owned(),
            etag: "e".to_owned(),
            size: 6,
            attributes: "{}".to_owned(),
            file: OBJECT.to_owned(),
            created: Timestamp::from_millis(1),
        };
        store.put_object(&object, &PutCondition::None).await.unwrap();
        let file = data.join(OBJECTS).join(place_of_object(OBJECT));
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, "object").unwrap();
        fs::write(data.join("root-credentials"), "secret").unwrap();
        place
    }

    fn data(&self) -> Utf8PathBuf {
        self.home.join("data")
    }

    fn archive(&self) -> Utf8PathBuf {
        self.home.join("archive.tar")
    }

    async fn back_up(&self) -> Result<Made, BackupError> {
        back_up(&self.data(), None, &self.archive(), Timestamp::from_millis(1_000_000)).await
    }

    async fn restore(&self, to: &str, over: Over) -> Result<(), BackupError> {
        let to = self.home.join(to);
        fs::create_dir_all(&to).unwrap();
        Archive::verify(&self.archive())?.restore(&to, None, over).await
    }
}

#[tokio::test]
async fn what_was_backed_up_comes_back() {
    let place = Place::with_state().await;
    let made = place.back_up().await.unwrap().manifest;
    assert_eq!((made.objects(), made.schema), (1, store::SCHEMA));
    assert_eq!(fs::metadata(place.archive()).unwrap().permissions().mode() & 0o777, 0o600);
    let left: Vec<_> = fs::read_dir(place.data()).unwrap().flatten().collect();
    assert!(left.iter().all(|entry| entry.file_name() != "backup-in-progress"), "{left:?}");
    place.restore("other", Over::Nothing).await.unwrap();
    let other = place.home.join("other");
    assert_eq!(fs::read_to_string(other.join("root-credentials")).unwrap(), "secret");
    let object = other.join(OBJECTS).join(place_of_object(OBJECT));
    assert_eq!(fs::read_to_string(object).unwrap(), "object");
    let store = Store::open(&Database::Sqlite(other.join(DATABASE).into())).await.unwrap();
    assert_eq!(store.document::<String>("kind", "key").await.unwrap().unwrap().value, "kept");
}

#[tokio::test]
async fn state_that_is_there_is_only_replaced_if_that_is_said() {
    let place = Place::with_state().await;
    place.back_up().await.unwrap();
    place.restore("other", Over::Nothing).await.unwrap();
    let again = place.restore("other", Over::Nothing).await.unwrap_err();
    assert!(matches!(again, BackupError::NotEmpty(_)), "{again}");
    fs::write(place.home.join("other").join(OBJECTS).join("stray"), "of before").unwrap();
    place.restore("other", Over::Anything).await.unwrap();
    assert!(!place.home.join("other").join(OBJECTS).join("stray").exists());
    let exists = place.back_up().await.unwrap_err();
    assert!(matches!(exists, BackupError::Exists(_)), "{exists}");
}

#[tokio::test]
async fn an_object_without_its_file_makes_no_backup() {
    let place = Place::with_state().await;
    fs::remove_file(place.data().join(OBJECTS).join(place_of_object(OBJECT))).unwrap();
    let error = place.back_up().await.unwrap_err();
    assert!(matches!(error, BackupError::Restless), "{error}");
    assert!(!place.archive().exists());
    assert!(!place.home.join("archive.tar.partial").exists());
}

#[tokio::test]
async fn no_byte_can_change_and_none_be_missing() {
    let place = Place::with_state().await;
    place.back_up().await.unwrap();
    let whole = fs::read(place.archive()).unwrap();
    let damaged = |bytes: &[u8], what: &str| {
        fs::write(place.archive(), bytes).unwrap();
        let error = Archive::verify(&place.archive()).unwrap_err();
        assert!(matches!(error, BackupError::Damaged { .. }), "{what}: {error}");
    };
    let find = |text: &[u8]| whole.windows(text.len()).position(|at| at == text).unwrap();
    for text in ["kept", "secret", "\"schema\"", "SQLite format 3"] {
        let mut bytes = whole.clone();
        bytes[find(text.as_bytes())] ^= 1;
        damaged(&bytes, text);
    }
    for length in [0, 100, 512, whole.len() / 2, find(b"manifest.json"), whole.len() - 2048] {
        damaged(&whole[..length], &format!("cut off after {length} bytes"));
    }
}

/// An archive as an enemy would make it: whole, with names of their own.
#[test]
fn no_name_leads_out_of_the_directory() {
    let place = Place::new();
    for name in ["objects/../../evil", "/etc/evil", "evil", "objects/.", "objectsevil/x"] {
        let mut tar = tar::Builder::new(fs::File::create(place.archive()).unwrap());
        let mut header = tar::Header::new_gnu();
        header.set_size(0);
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        tar.append(&header, std::io::empty()).unwrap();
        tar.finish().unwrap();
        let error = Archive::verify(&place.archive()).unwrap_err().to_string();
        assert!(error.contains("a file of no known name"), "{name}: {error}");
    }
}

#[tokio::test]
async fn a_newer_archive_is_refused_by_its_version() {
    let place = Place::with_state().await;
    let write = |format: u32, schema: i64| {
        let mut writer = archive::Writer::new(fs::File::create(place.archive()).unwrap(), 0);
        writer.add(DATABASE, &place.data().join(DATABASE)).unwrap();
        writer.finish_as(format, "9.9.9", schema, 0).unwrap();
        Archive::verify(&place.archive()).unwrap_err()
    };
    let newer = write(FORMAT, store::SCHEMA + 1);
    assert!(newer.to_string().contains("was made by longshore 9.9.9, with schema"), "{newer}");
    let newer = write(FORMAT + 1, store::SCHEMA);
    assert!(matches!(newer, BackupError::NewerForm(_)), "{newer}");
}
