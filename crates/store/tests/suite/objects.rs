//! Buckets, objects with their versions, listings and uploads.

use std::collections::HashSet;

use store::{
    Bucket, CompleteUpload, CreateBucket, DeleteBucket, DeleteObject, ListObjects, ListingEntry,
    Marker, NewObject, Part, PutCondition, PutObject, PutPart, Store, Upload, Versioning,
};

use crate::support::{REGION, at, on_both_engines};

on_both_engines!(
    a_bucket_goes_only_when_it_is_empty,
    without_versioning_the_last_write_stays,
    with_versioning_every_write_stays,
    suspended_versioning_keeps_what_was,
    conditions_are_judged_with_the_write,
    of_many_conditional_writers_one_wins,
    keys_are_listed_as_bytes_and_rolled_up,
    versions_are_listed_newest_first,
    parts_become_an_object,
);

const BUCKET: &str = "bundles";

fn bucket(name: &str) -> Bucket {
    Bucket {
        name: name.to_owned(),
        region: REGION.to_owned(),
        versioning: Versioning::Off,
        body: "{}".to_owned(),
        created: at(5),
    }
}

/// An object whose file, eTag and drawn version id say which write it was.
fn object(key: &str, write: u32) -> NewObject {
    NewObject {
        bucket: BUCKET.to_owned(),
        key: key.to_owned(),
        version_id: format!("v{write}"),
        etag: format!("etag{write}"),
        size: 6 << 30,
        attributes: "{\"contentType\":\"text/plain\"}".to_owned(),
        file: format!("file{write}"),
        created: at(write.into()),
    }
}

async fn put(store: &Store, key: &str, write: u32) -> (Option<String>, Vec<String>) {
    match store.put_object(&object(key, write), &PutCondition::None).await.unwrap() {
        PutObject::Written { version_id, files } => (version_id, files),
        other => panic!("{other:?}"),
    }
}

async fn delete(store: &Store, key: &str, marker: &str) -> (Option<String>, bool, Vec<String>) {
    match store.delete_object(BUCKET, key, marker, at(9)).await.unwrap() {
        DeleteObject::Deleted { version_id, delete_marker, files } => {
            (version_id, delete_marker, files)
        }
        DeleteObject::BucketMissing => panic!("the bucket is missing"),
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

async fn a_bucket_goes_only_when_it_is_empty(store: Store) {
    let new = bucket(BUCKET);
    assert_eq!(
        store.put_object(&object("a", 1), &PutCondition::None).await.unwrap(),
        PutObject::BucketMissing
    );
    let missing = store.delete_object(BUCKET, "a", "m", at(1)).await.unwrap();
    assert_eq!(missing, DeleteObject::BucketMissing);
    assert_eq!(store.create_bucket(&new).await.unwrap(), CreateBucket::Created);
    assert_eq!(store.create_bucket(&new).await.unwrap(), CreateBucket::Exists(new.clone()));
    assert!(store.set_bucket_body(BUCKET, "{}", "{\"policy\":1}").await.unwrap());
    assert!(!store.set_bucket_body(BUCKET, "{}", "{\"policy\":2}").await.unwrap());
    store.create_bucket(&bucket("another")).await.unwrap();
    let names = store.buckets(None, 1).await.unwrap();
    assert_eq!((names.items[0].name.as_str(), names.next.as_deref()), ("another", Some("another")));
    assert_eq!(store.buckets(Some("another"), 1).await.unwrap().items[0].name, BUCKET);

    put(&store, "a", 1).await;
    assert_eq!(store.delete_bucket(BUCKET).await.unwrap(), DeleteBucket::NotEmpty);
    delete(&store, "a", "m").await;
    upload(&store, "u", "a").await;
    put_part(&store, "u", 1, 2).await;
    let files = owned(&["file2"]);
    assert_eq!(store.delete_bucket(BUCKET).await.unwrap(), DeleteBucket::Deleted { files });
    assert_eq!(store.delete_bucket(BUCKET).await.unwrap(), DeleteBucket::Missing);
    assert_eq!(store.bucket(BUCKET).await.unwrap(), None);
    assert_eq!(store.upload("u").await.unwrap(), None);
    assert!(!store.set_versioning(BUCKET, Versioning::Enabled).await.unwrap());
}

async fn without_versioning_the_last_write_stays(store: Store) {
    store.create_bucket(&bucket(BUCKET)).await.unwrap();
    assert_eq!(put(&store, "a", 1).await, (None, Vec::new()));
    let read = store.object(BUCKET, "a", None).await.unwrap().unwrap();
    assert_eq!((read.etag.as_str(), read.size, read.is_latest), ("etag1", 6 << 30, true));
    assert_eq!((read.version_id.as_str(), read.file.as_deref()), ("null", Some("file1")));
    assert_eq!((read.created, read.delete_marker), (at(1), false));
    assert_eq!(put(&store, "a", 2).await, (None, owned(&["file1"])));
    let used = store.files_in_use(&owned(&["file1", "file2"])).await.unwrap();
    assert_eq!(used, HashSet::from(["file2".to_owned()]));
    assert!(store.set_object_attributes(BUCKET, "a", "null", "{}").await.unwrap());
    assert!(!store.set_object_attributes(BUCKET, "a", "v2", "{}").await.unwrap());
    let read = store.object(BUCKET, "a", Some("null")).await.unwrap().unwrap();
    assert_eq!((read.attributes.as_str(), read.etag.as_str()), ("{}", "etag2"));

    assert_eq!(delete(&store, "a", "m").await, (None, false, owned(&["file2"])));
    assert_eq!(delete(&store, "a", "m").await, (None, false, Vec::new()));
    assert_eq!(store.object(BUCKET, "a", None).await.unwrap(), None);
}

async fn with_versioning_every_write_stays(store: Store) {
    store.create_bucket(&bucket(BUCKET)).await.unwrap();
    put(&store, "a", 1).await;
    assert!(store.set_versioning(BUCKET, Versioning::Enabled).await.unwrap());
    assert_eq!(put(&store, "a", 2).await, (some("v2"), Vec::new()));
    assert_eq!(put(&store, "a", 3).await, (some("v3"), Vec::new()));
    let latest = async || {
        let found = store.object(BUCKET, "a", None).await.unwrap();
        found.map(|found| (found.version_id, found.delete_marker))
    };
    assert_eq!(latest().await, Some(("v3".to_owned(), false)));
    for (version, file) in [("null", "file1"), ("v2", "file2"), ("v3", "file3")] {
        let found = store.object(BUCKET, "a", Some(version)).await.unwrap().unwrap();
        assert_eq!((found.file, found.is_latest), (some(file), version == "v3"));
    }
    assert_eq!(delete(&store, "a", "m4").await, (some("m4"), true, Vec::new()));
    assert_eq!(latest().await, Some(("m4".to_owned(), true)));

    // Deleting the marker brings the object back; deleting a version for good removes its file.
    let gone =
        async |version: &str| store.delete_object_version(BUCKET, "a", version).await.unwrap();
    let deleted = |version: &str, delete_marker, files: &[&str]| DeleteObject::Deleted {
        version_id: some(version),
        delete_marker,
        files: owned(files),
    };
    assert_eq!(gone("m4").await, deleted("m4", true, &[]));
    assert_eq!(latest().await, Some(("v3".to_owned(), false)));
    assert_eq!(gone("v3").await, deleted("v3", false, &["file3"]));
    assert_eq!(latest().await, Some(("v2".to_owned(), false)));
    assert_eq!(gone("null").await, deleted("null", false, &["file1"]));
    assert_eq!(latest().await, Some(("v2".to_owned(), false)));
    assert_eq!(gone("v9").await, deleted("v9", false, &[]));
    assert_eq!(gone("v2").await, deleted("v2", false, &["file2"]));
    assert_eq!(latest().await, None);
}

async fn suspended_versioning_keeps_what_was(store: Store) {
    store.create_bucket(&bucket(BUCKET)).await.unwrap();
    store.set_versioning(BUCKET, Versioning::Enabled).await.unwrap();
    put(&store, "a", 1).await;
    store.set_versioning(BUCKET, Versioning::Suspended).await.unwrap();
    assert_eq!(put(&store, "a", 2).await, (some("null"), Vec::new()));
    assert_eq!(put(&store, "a", 3).await, (some("null"), owned(&["file2"])));
    assert_eq!(delete(&store, "a", "m").await, (some("null"), true, owned(&["file3"])));
    let read = store.object(BUCKET, "a", None).await.unwrap().unwrap();
    assert_eq!((read.version_id.as_str(), read.delete_marker), ("null", true));
    assert!(store.object(BUCKET, "a", Some("v1")).await.unwrap().is_some());
    assert!(store.bucket(BUCKET).await.unwrap().unwrap().versioning == Versioning::Suspended);
}

async fn conditions_are_judged_with_the_write(store: Store) {
    store.create_bucket(&bucket(BUCKET)).await.unwrap();
    let put = async |write: u32, condition: PutCondition| {
        let answer = store.put_object(&object("a", write), &condition).await.unwrap();
        matches!(answer, PutObject::Written { .. })
    };
    assert!(!put(1, PutCondition::Etag("etag1".to_owned())).await);
    assert!(put(2, PutCondition::Absent).await);
    assert!(!put(3, PutCondition::Absent).await);
    assert!(!put(4, PutCondition::Etag("etag1".to_owned())).await);
    assert!(put(5, PutCondition::Etag("etag2".to_owned())).await);
    assert_eq!(store.object(BUCKET, "a", None).await.unwrap().unwrap().etag, "etag5");
    // Behind a delete marker there is nothing.
    store.set_versioning(BUCKET, Versioning::Enabled).await.unwrap();
    delete(&store, "a", "m").await;
    assert!(!put(6, PutCondition::Etag("etag5".to_owned())).await);
    assert!(put(7, PutCondition::Absent).await);
}

async fn of_many_conditional_writers_one_wins(store: Store) {
    store.create_bucket(&bucket(BUCKET)).await.unwrap();
    let writers: Vec<_> = (1..=8)
        .map(|write| {
            let store = store.clone();
            tokio::spawn(async move {
                store.put_object(&object("a", write), &PutCondition::Absent).await.unwrap()
            })
        })
        .collect();
    let mut winners = 0;
    for writer in writers {
        match writer.await.unwrap() {
            PutObject::Written { .. } => winners += 1,
            PutObject::ConditionFailed => {}
            PutObject::BucketMissing => panic!("the bucket is missing"),
        }
    }
    assert_eq!(winners, 1);
}

/// The entries of a whole listing read in pages of `limit`: keys, versions after `@`, rolled-up beginnings after `>`.
async fn listed(store: &Store, mut wanted: ListObjects, versions: bool) -> Vec<String> {
    let mut entries = Vec::new();
    loop {
        let page = if versions {
            store.list_object_versions(&wanted).await.unwrap()
        } else {
            store.list_objects(&wanted).await.unwrap()
        };
        assert!(page.entries.len() <= wanted.limit as usize);
        entries.extend(page.entries.into_iter().map(|entry| match entry {
            ListingEntry::Object(found) if versions => {
                format!("{}@{}", found.key, found.version_id)
            }
            ListingEntry::Object(found) => found.key,
            ListingEntry::Prefix(prefix) => format!(">{prefix}"),
        }));
        match page.next {
            Some(next) => wanted.after = Some(next),
            None => return entries,
        }
    }
}

fn all(prefix: &str, delimiter: Option<&str>, limit: u32) -> ListObjects {
    ListObjects {
        bucket: BUCKET.to_owned(),
        prefix: prefix.to_owned(),
        delimiter: delimiter.map(str::to_owned),
        after: None,
        limit,
    }
}

async fn keys_are_listed_as_bytes_and_rolled_up(store: Store) {
    store.create_bucket(&bucket(BUCKET)).await.unwrap();
    let keys = ["a", "a/1", "a/2/x", "a/2/y", "a/3", "aé", "b/1", "b/2", "B", "c"];
    for (write, key) in (1..).zip(keys) {
        put(&store, key, write).await;
    }
    store.create_bucket(&bucket("another")).await.unwrap();
    let sorted = ["B", "a", "a/1", "a/2/x", "a/2/y", "a/3", "aé", "b/1", "b/2", "c"];
    for limit in [1, 2, 3, 100] {
        assert_eq!(listed(&store, all("", None, limit), false).await, sorted);
        let rolled = listed(&store, all("", Some("/"), limit), false).await;
        assert_eq!(rolled, ["B", "a", ">a/", "aé", ">b/", "c"]);
        let below = listed(&store, all("a/", Some("/"), limit), false).await;
        assert_eq!(below, ["a/1", ">a/2/", "a/3"]);
        assert_eq!(listed(&store, all("a/2", None, limit), false).await, ["a/2/x", "a/2/y"]);
    }
    let none = store.list_objects(&all("", None, 0)).await.unwrap();
    assert_eq!((none.entries.len(), none.next), (0, None));

    let after = async |key: &str, delimiter| {
        let marker = Marker { key: key.to_owned(), version_id: None };
        listed(&store, ListObjects { after: Some(marker), ..all("", delimiter, 100) }, false).await
    };
    // A marker need not be a key; a rolled-up beginning stands for all that is under it.
    assert_eq!(after("b", None).await, ["b/1", "b/2", "c"]);
    assert_eq!(after("a/", Some("/")).await, ["aé", ">b/", "c"]);
    assert_eq!(after("a/2", Some("/")).await, [">a/", "aé", ">b/", "c"]);
    assert_eq!(after("z", None).await, Vec::<String>::new());

    store.set_versioning(BUCKET, Versioning::Enabled).await.unwrap();
    delete(&store, "b/1", "m").await;
    assert_eq!(listed(&store, all("b/", None, 1), false).await, ["b/2"]);
}

async fn versions_are_listed_newest_first(store: Store) {
    let mut versioned = bucket(BUCKET);
    versioned.versioning = Versioning::Enabled;
    store.create_bucket(&versioned).await.unwrap();
    for (write, key) in (1..).zip(["a", "b/1", "a", "b/2", "a"]) {
        put(&store, key, write).await;
    }
    delete(&store, "a", "m6").await;
    for limit in [1, 2, 100] {
        let versions = listed(&store, all("", None, limit), true).await;
        assert_eq!(versions, ["a@m6", "a@v5", "a@v3", "a@v1", "b/1@v2", "b/2@v4"]);
        let rolled = listed(&store, all("", Some("/"), limit), true).await;
        assert_eq!(rolled, ["a@m6", "a@v5", "a@v3", "a@v1", ">b/"]);
    }
    let after = Some(Marker { key: "a".to_owned(), version_id: None });
    let rest = listed(&store, ListObjects { after, ..all("", None, 9) }, true).await;
    assert_eq!(rest, ["b/1@v2", "b/2@v4"]);
}

async fn upload(store: &Store, id: &str, key: &str) {
    let new = Upload {
        id: id.to_owned(),
        bucket: BUCKET.to_owned(),
        key: key.to_owned(),
        body: "{}".to_owned(),
        created: at(3),
    };
    assert!(store.create_upload(&new).await.unwrap());
    assert_eq!(store.upload(id).await.unwrap(), Some(new));
}

fn part(number: u32, write: u32) -> Part {
    Part {
        number,
        etag: format!("etag{write}"),
        size: 5 << 20,
        attributes: "{}".to_owned(),
        file: format!("file{write}"),
        created: at(write.into()),
    }
}

async fn put_part(store: &Store, upload: &str, number: u32, write: u32) -> Option<String> {
    match store.put_part(upload, &part(number, write)).await.unwrap() {
        PutPart::Written { replaced } => replaced,
        PutPart::UploadMissing => panic!("the upload is missing"),
    }
}

async fn parts_become_an_object(store: Store) {
    let orphan = Upload {
        id: "x".to_owned(),
        bucket: BUCKET.to_owned(),
        key: "a".to_owned(),
        body: "{}".to_owned(),
        created: at(1),
    };
    assert!(!store.create_upload(&orphan).await.unwrap());
    store.create_bucket(&bucket(BUCKET)).await.unwrap();
    for (id, key) in [("u1", "a"), ("u2", "a"), ("u3", "b")] {
        upload(&store, id, key).await;
    }
    assert_eq!(put_part(&store, "u1", 2, 1).await, None);
    assert_eq!(put_part(&store, "u1", 1, 2).await, None);
    assert_eq!(put_part(&store, "u1", 2, 3).await, some("file1"));
    assert_eq!(put_part(&store, "u2", 1, 4).await, None);
    assert_eq!(store.put_part("u9", &part(1, 5)).await.unwrap(), PutPart::UploadMissing);
    let page = store.parts("u1", 0, 1).await.unwrap();
    assert_eq!((page.items, page.next.is_some()), (vec![part(1, 2)], true));
    assert_eq!(store.parts("u1", 1, 1).await.unwrap().items, [part(2, 3)]);

    let ids = async |prefix: &str, after: Option<(&str, &str)>| {
        let page = store.uploads(BUCKET, prefix, after, 2).await.unwrap();
        page.items.into_iter().map(|upload| upload.id).collect::<Vec<_>>()
    };
    assert_eq!(ids("", None).await, ["u1", "u2"]);
    assert_eq!(ids("", Some(("a", "u2"))).await, ["u3"]);
    assert_eq!(ids("b", None).await, ["u3"]);

    put(&store, "a", 6).await;
    let whole = object("a", 7);
    let refused = store.complete_upload("u1", &whole, &PutCondition::Absent).await.unwrap();
    assert_eq!(refused, CompleteUpload::Put(PutObject::ConditionFailed));
    assert!(store.upload("u1").await.unwrap().is_some());
    let done = store.complete_upload("u1", &whole, &PutCondition::None).await.unwrap();
    let CompleteUpload::Put(PutObject::Written { version_id: None, mut files }) = done else {
        panic!("{done:?}");
    };
    files.sort();
    assert_eq!(files, ["file2", "file3", "file6"]);
    let again = store.complete_upload("u1", &whole, &PutCondition::None).await.unwrap();
    assert_eq!(again, CompleteUpload::UploadMissing);
    assert_eq!(store.object(BUCKET, "a", None).await.unwrap().unwrap().etag, "etag7");
    assert!(store.parts("u1", 0, 9).await.unwrap().items.is_empty());

    assert_eq!(store.abort_upload("u2").await.unwrap(), Some(owned(&["file4"])));
    assert_eq!(store.abort_upload("u2").await.unwrap(), None);
}
