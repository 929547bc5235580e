//! Typed records in the store's documents.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;
use store::{Document, DocumentWrite, Expected, Store, StoreError, Transact};

use super::ApiError;

/// A record of a neighbouring service: a document of its own kind.
pub trait Record: Serialize + DeserializeOwned + Send + Sync {
    /// The documents' kind.
    const KIND: &'static str;

    /// The key, unique among its kind.
    fn key(&self) -> String;

    /// Words under which the record can be found besides its key.
    fn terms(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A record as it was read, with what a later write is compared against.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept<R> {
    /// What was read.
    pub record: R,
    /// Which version of it.
    pub revision: u64,
}

impl<R> From<Document<R>> for Kept<R> {
    fn from(document: Document<R>) -> Self {
        Self { record: document.value, revision: document.revision }
    }
}

/// Why records could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Somebody else wrote one of the records in between; nothing of this write was done.
    #[error("a record was changed by someone else")]
    Conflict,
    /// The store failed.
    #[error("the records cannot be reached")]
    Store(#[from] StoreError),
}

impl From<RecordError> for ApiError {
    fn from(error: RecordError) -> Self {
        Self::internal(error)
    }
}

/// The records of the neighbouring services.
#[derive(Clone)]
pub struct Records {
    store: Store,
}

impl fmt::Debug for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Records")
    }
}

/// How many documents are read at a time.
const PAGE: u32 = 1000;

/// How often a change is tried again because somebody else was faster.
const ATTEMPTS: usize = 20;

impl Records {
    /// The records kept in `store`.
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// Where they are kept.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// The record of that key.
    pub async fn get<R: Record>(&self, key: &str) -> Result<Option<Kept<R>>, RecordError> {
        Ok(self.store.document::<R>(R::KIND, key).await?.map(Kept::from))
    }

    /// All records whose key begins with `prefix`, by key.
    pub async fn list<R: Record>(&self, prefix: &str) -> Result<Vec<Kept<R>>, RecordError> {
        let mut found = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let page = self.store.documents::<R>(R::KIND, prefix, after.as_deref(), PAGE).await?;
            found.extend(page.items.into_iter().map(Kept::from));
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(found),
            }
        }
    }

    /// The records that have the term, by key.
    pub async fn with_term<R: Record>(&self, term: &str) -> Result<Vec<Kept<R>>, RecordError> {
        let found = self.store.documents_with_term::<R>(R::KIND, term).await?;
        Ok(found.into_iter().map(Kept::from).collect())
    }

    /// The write that makes a new record.
    pub fn create<R: Record>(record: &R) -> Result<DocumentWrite, RecordError> {
        put(record, Expected::Absent)
    }

    /// The write that replaces a record as it was read by `kept`'s present contents.
    pub fn replace<R: Record>(kept: &Kept<R>) -> Result<DocumentWrite, RecordError> {
        put(&kept.record, Expected::Revision(kept.revision))
    }

    /// The write that removes a record as it was read.
    pub fn remove<R: Record>(kept: &Kept<R>) -> DocumentWrite {
        DocumentWrite::delete(R::KIND, &kept.record.key(), Expected::Revision(kept.revision))
    }

    /// Does all of the writes or, if one does not find what it expects, none of them.
    pub async fn write(&self, writes: Vec<DocumentWrite>) -> Result<(), RecordError> {
        match self.store.transact(writes).await? {
            Transact::Done => Ok(()),
            Transact::Conflict { .. } => Err(RecordError::Conflict),
        }
    }

    /// Changes the record of that key; on a conflict, on what is there by then. `change` may refuse.
    /// Answers what `change` said, or `None` if there is no such record.
    pub async fn update<R: Record, T, E: From<RecordError>>(
        &self,
        key: &str,
        mut change: impl FnMut(&mut R) -> Result<T, E>,
    ) -> Result<Option<T>, E> {
        for _ in 0..ATTEMPTS {
            let Some(mut kept) = self.get::<R>(key).await? else { return Ok(None) };
            let answer = change(&mut kept.record)?;
            match self.write(vec![Self::replace(&kept)?]).await {
                Ok(()) => return Ok(Some(answer)),
                Err(RecordError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(RecordError::Conflict.into())
    }
}

fn put<R: Record>(record: &R, expected: Expected) -> Result<DocumentWrite, RecordError> {
    let write = DocumentWrite::put(R::KIND, &record.key(), expected, record)?;
    Ok(record.terms().into_iter().fold(write, DocumentWrite::term))
}
