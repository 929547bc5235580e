//! Documents.

use store::{Change, DocumentWrite, Expected, Store, Transact};

use crate::support::on_both_engines;

on_both_engines!(
    a_write_finds_what_it_expects,
    a_transaction_holds_whole_or_not_at_all,
    documents_are_found_by_prefix_and_term,
    of_many_writers_none_is_lost,
);

const KIND: &str = "ec2.instance";

async fn read(store: &Store, key: &str) -> Option<(u64, Vec<u32>)> {
    let found = store.document::<Vec<u32>>(KIND, key).await.unwrap();
    found.map(|document| (document.revision, document.value))
}

async fn a_write_finds_what_it_expects(store: Store) {
    let put = async |expected, value: u32| {
        store.put_document(KIND, "a", expected, &vec![value]).await.unwrap()
    };
    assert!(!put(Expected::Revision(1), 1).await);
    assert_eq!(read(&store, "a").await, None);
    assert!(put(Expected::Absent, 1).await);
    assert!(!put(Expected::Absent, 2).await);
    assert!(put(Expected::Revision(1), 3).await);
    assert!(!put(Expected::Revision(1), 4).await);
    assert!(put(Expected::Any, 5).await);
    assert_eq!(read(&store, "a").await, Some((3, vec![5])));
    assert!(!store.delete_document(KIND, "a", Expected::Revision(2)).await.unwrap());
    assert!(!store.delete_document(KIND, "a", Expected::Absent).await.unwrap());
    assert!(store.delete_document(KIND, "a", Expected::Revision(3)).await.unwrap());
    assert!(store.delete_document(KIND, "a", Expected::Absent).await.unwrap());
    assert!(store.delete_document(KIND, "a", Expected::Any).await.unwrap());
    assert!(put(Expected::Any, 6).await);
    assert_eq!(read(&store, "a").await, Some((1, vec![6])));
    let wrong = store.document::<String>(KIND, "a").await.unwrap_err();
    assert_eq!(wrong.to_string(), "document `a` of kind `ec2.instance` does not fit its type");
}

async fn a_transaction_holds_whole_or_not_at_all(store: Store) {
    let mut changes = store.changes();
    let put = |key: &str, expected| DocumentWrite::put(KIND, key, expected, &vec![1]).unwrap();
    let writes = vec![
        put("a", Expected::Absent).term("zone/1"),
        put("b", Expected::Absent).term("zone/1"),
        DocumentWrite::delete("other", "c", Expected::Absent),
    ];
    assert_eq!(store.transact(writes).await.unwrap(), Transact::Done);
    let writes = vec![
        put("a", Expected::Revision(1)),
        DocumentWrite::delete(KIND, "b", Expected::Any),
        put("c", Expected::Any).term("zone/1"),
        put("b", Expected::Revision(7)),
    ];
    assert_eq!(store.transact(writes).await.unwrap(), Transact::Conflict { write: 3 });
    assert_eq!(read(&store, "a").await, Some((1, vec![1])));
    assert_eq!(read(&store, "b").await, Some((1, vec![1])));
    assert_eq!(read(&store, "c").await, None);
    let found = store.documents_with_term::<Vec<u32>>(KIND, "zone/1").await.unwrap();
    assert_eq!(found.iter().map(|found| found.key.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(store.transact(Vec::new()).await.unwrap(), Transact::Done);

    let mut woken = Vec::new();
    while let Ok(change) = changes.try_recv() {
        woken.push(change);
    }
    woken.retain(|change| *change != Change::Everything);
    let kinds = [KIND, "other"].map(|kind| Change::Documents(kind.to_owned()));
    assert_eq!(woken, kinds, "a conflict wakes nobody");
}

async fn documents_are_found_by_prefix_and_term(store: Store) {
    for key in ["b/1", "a/2", "a/1", "a", "A/1", "a0", "a/é"] {
        let write = DocumentWrite::put(KIND, key, Expected::Absent, &Vec::<u32>::new())
            .unwrap()
            .term(format!("length/{}", key.len()))
            .term("all");
        store.transact(vec![write]).await.unwrap();
    }
    store.put_document("other", "a/1", Expected::Any, &0).await.unwrap();
    let listed = async |prefix: &str| {
        let (mut keys, mut after): (Vec<String>, Option<String>) = (Vec::new(), None);
        loop {
            let page = store.documents::<Vec<u32>>(KIND, prefix, after.as_deref(), 2).await;
            let page = page.unwrap();
            keys.extend(page.items.into_iter().map(|document| document.key));
            match page.next {
                Some(next) => after = Some(next),
                None => return keys,
            }
        }
    };
    assert_eq!(listed("a/").await, ["a/1", "a/2", "a/é"]);
    assert_eq!(listed("").await, ["A/1", "a", "a/1", "a/2", "a/é", "a0", "b/1"]);
    assert_eq!(listed("c").await, Vec::<String>::new());
    assert_eq!(store.all_documents::<Vec<u32>>(KIND).await.unwrap().len(), 7);

    let with = async |term: &str| {
        let found = store.documents_with_term::<Vec<u32>>(KIND, term).await.unwrap();
        found.into_iter().map(|document| document.key).collect::<Vec<_>>()
    };
    assert_eq!(with("length/2").await, ["a0"]);
    assert_eq!(with("all").await.len(), 7);
    // A new write replaces the terms; a deletion takes them away.
    store.put_document(KIND, "a0", Expected::Any, &Vec::<u32>::new()).await.unwrap();
    assert_eq!(with("length/2").await, Vec::<String>::new());
    store.delete_document(KIND, "a", Expected::Any).await.unwrap();
    assert_eq!(with("length/1").await, Vec::<String>::new());
    assert_eq!(with("all").await.len(), 5);
}

async fn of_many_writers_none_is_lost(store: Store) {
    store.put_document(KIND, "counter", Expected::Absent, &0).await.unwrap();
    let writers: Vec<_> = (0..8)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                for _ in 0..5 {
                    loop {
                        let read = store.document::<u32>(KIND, "counter").await.unwrap().unwrap();
                        let expected = Expected::Revision(read.revision);
                        let next = read.value + 1;
                        if store.put_document(KIND, "counter", expected, &next).await.unwrap() {
                            break;
                        }
                    }
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let read = store.document::<u32>(KIND, "counter").await.unwrap().unwrap();
    assert_eq!((read.value, read.revision), (40, 41));
}
