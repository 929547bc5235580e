//! Documents: the records of neighbouring services, as JSON under a kind and a key, with compare-and-set.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::changes::Change;
use crate::engine::{Batch, Query, Row, Statement, Written, params};
use crate::error::StoreError;
use crate::page::prefix_end;
use crate::{Page, Store};

/// A record as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document<T> {
    pub key: String,
    /// Counts the writes of this key since it was last made, from 1.
    pub revision: u64,
    pub value: T,
}

/// What a write needs to find for it to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// No document of that key.
    Absent,
    /// The document as it was read.
    Revision(u64),
    /// Whatever.
    Any,
}

/// One write of a [transaction](Store::transact).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentWrite {
    kind: String,
    key: String,
    expected: Expected,
    what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    Put { body: String, terms: Vec<String> },
    Delete,
}

impl DocumentWrite {
    /// Makes or replaces a document, with the terms by which it is found.
    ///
    /// # Errors
    /// `value` cannot be written as JSON.
    pub fn put(
        kind: &str,
        key: &str,
        expected: Expected,
        value: &impl Serialize,
    ) -> Result<Self, StoreError> {
        let body = serde_json::to_string(value).map_err(|source| StoreError::Document {
            kind: kind.to_owned(),
            key: key.to_owned(),
            source,
        })?;
        let what = What::Put { body, terms: Vec::new() };
        Ok(Self { kind: kind.to_owned(), key: key.to_owned(), expected, what })
    }

    /// Deletes a document. `Expected::Absent` makes sure that there is none.
    pub fn delete(kind: &str, key: &str, expected: Expected) -> Self {
        Self { kind: kind.to_owned(), key: key.to_owned(), expected, what: What::Delete }
    }

    /// Lets the document also be found by `term`, for example `role/X`; a deletion has no terms.
    #[must_use]
    pub fn term(mut self, term: impl Into<String>) -> Self {
        if let What::Put { terms, .. } = &mut self.what {
            terms.push(term.into());
        }
        self
    }
}

/// What became of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transact {
    Done,
    /// Nothing was written, because the write at this index did not find what it expected.
    Conflict {
        write: usize,
    },
}

impl Store {
    /// The document of that kind and key.
    ///
    /// # Errors
    /// The database failed, or the document does not fit `T`.
    pub async fn document<T: DeserializeOwned>(
        &self,
        kind: &str,
        key: &str,
    ) -> Result<Option<Document<T>>, StoreError> {
        Ok(self.documents_at(kind, &[key.to_owned()]).await?.pop())
    }

    /// Those of a kind's documents that there are, in the order asked for.
    ///
    /// # Errors
    /// The database failed, or a document does not fit `T`.
    pub async fn documents_at<T: DeserializeOwned>(
        &self,
        kind: &str,
        keys: &[String],
    ) -> Result<Vec<Document<T>>, StoreError> {
        let sql = "SELECT key, revision, body FROM documents WHERE kind = $1 AND key = $2";
        let queries = keys.iter().map(|key| Query::new(sql, params![kind, key]));
        let found = self.read(queries.collect()).await?.into_iter().flatten();
        found.map(|row| read(kind, row)).collect()
    }

    /// The documents of a kind whose key begins with `prefix`, by key.
    ///
    /// # Errors
    /// The database failed, or a document does not fit `T`.
    pub async fn documents<T: DeserializeOwned>(
        &self,
        kind: &str,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Page<Document<T>>, StoreError> {
        let query = list(kind, prefix, after, limit);
        let rows = self.rows(query).await?;
        let items = rows.into_iter().map(|row| read(kind, row)).collect::<Result<_, _>>()?;
        Ok(Page::of(items, limit, |last: &Document<T>| last.key.clone()))
    }

    /// Every document of a kind, by key: for kinds that have few.
    ///
    /// # Errors
    /// The database failed, or a document does not fit `T`.
    pub async fn all_documents<T: DeserializeOwned>(
        &self,
        kind: &str,
    ) -> Result<Vec<Document<T>>, StoreError> {
        let sql = "SELECT key, revision, body FROM documents WHERE kind = $1 ORDER BY key";
        let rows = self.query(sql, params![kind]).await?;
        rows.into_iter().map(|row| read(kind, row)).collect()
    }

    /// The documents of a kind that have the term, by key.
    ///
    /// # Errors
    /// The database failed, or a document does not fit `T`.
    pub async fn documents_with_term<T: DeserializeOwned>(
        &self,
        kind: &str,
        term: &str,
    ) -> Result<Vec<Document<T>>, StoreError> {
        let sql = "SELECT d.key, d.revision, d.body FROM document_terms t \
                   JOIN documents d ON d.kind = t.kind AND d.key = t.key \
                   WHERE t.kind = $1 AND t.term = $2 ORDER BY t.key";
        let rows = self.query(sql, params![kind, term]).await?;
        rows.into_iter().map(|row| read(kind, row)).collect()
    }

    /// Makes or replaces one document without terms; whether it found what it expected.
    ///
    /// # Errors
    /// The database failed, or `value` cannot be written as JSON.
    pub async fn put_document(
        &self,
        kind: &str,
        key: &str,
        expected: Expected,
        value: &impl Serialize,
    ) -> Result<bool, StoreError> {
        let write = DocumentWrite::put(kind, key, expected, value)?;
        Ok(self.transact(vec![write]).await? == Transact::Done)
    }

    /// Deletes one document; whether it found what it expected. With `Expected::Any` that is always so.
    ///
    /// # Errors
    /// The database failed.
    pub async fn delete_document(
        &self,
        kind: &str,
        key: &str,
        expected: Expected,
    ) -> Result<bool, StoreError> {
        let write = DocumentWrite::delete(kind, key, expected);
        Ok(self.transact(vec![write]).await? == Transact::Done)
    }

    /// Writes all of the documents or none.
    ///
    /// # Errors
    /// The database failed; nothing was written.
    pub async fn transact(&self, writes: Vec<DocumentWrite>) -> Result<Transact, StoreError> {
        let mut kinds: Vec<String> = writes.iter().map(|write| write.kind.clone()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let mut batch = Batch::default().waking(kinds.into_iter().map(Change::Documents).collect());
        // The index of the write that each statement belongs to.
        let mut owners = Vec::new();
        for (index, write) in writes.iter().enumerate() {
            let statements = write.statements();
            owners.extend(statements.iter().map(|_| index));
            batch.statements.extend(statements);
        }
        Ok(match self.write(batch).await? {
            Written::Done(_) => Transact::Done,
            Written::Unmet { statement } => Transact::Conflict { write: owners[statement] },
        })
    }
}

impl DocumentWrite {
    fn statements(&self) -> Vec<Statement> {
        let (kind, key) = (&self.kind, &self.key);
        let forget = Statement::new(
            "DELETE FROM document_terms WHERE kind = $1 AND key = $2",
            params![kind, key],
        );
        match &self.what {
            What::Delete => vec![self.delete_statement(), forget],
            What::Put { body, terms } => {
                let mut statements = vec![self.put_statement(body), forget];
                statements.extend(terms.iter().map(|term| {
                    Statement::new(
                        "INSERT INTO document_terms (kind, term, key) VALUES ($1, $2, $3) \
                         ON CONFLICT DO NOTHING",
                        params![kind, term, key],
                    )
                }));
                statements
            }
        }
    }

    fn put_statement(&self, body: &str) -> Statement {
        let (kind, key) = (&self.kind, &self.key);
        match self.expected {
            Expected::Absent => Statement::new(
                "INSERT INTO documents (kind, key, revision, body) VALUES ($1, $2, 1, $3) \
                 ON CONFLICT DO NOTHING",
                params![kind, key, body],
            )
            .expecting(1),
            Expected::Revision(revision) => Statement::new(
                "UPDATE documents SET revision = revision + 1, body = $3 \
                 WHERE kind = $1 AND key = $2 AND revision = $4",
                params![kind, key, body, revision],
            )
            .expecting(1),
            Expected::Any => Statement::new(
                "INSERT INTO documents (kind, key, revision, body) VALUES ($1, $2, 1, $3) \
                 ON CONFLICT (kind, key) DO UPDATE \
                 SET revision = documents.revision + 1, body = excluded.body",
                params![kind, key, body],
            ),
        }
    }

    fn delete_statement(&self) -> Statement {
        let (kind, key) = (&self.kind, &self.key);
        match self.expected {
            Expected::Absent => Statement::new(
                "SELECT key FROM documents WHERE kind = $1 AND key = $2",
                params![kind, key],
            )
            .expecting(0),
            Expected::Revision(revision) => Statement::new(
                "DELETE FROM documents WHERE kind = $1 AND key = $2 AND revision = $3",
                params![kind, key, revision],
            )
            .expecting(1),
            Expected::Any => Statement::new(
                "DELETE FROM documents WHERE kind = $1 AND key = $2",
                params![kind, key],
            ),
        }
    }
}

fn list(kind: &str, prefix: &str, after: Option<&str>, limit: u32) -> Query {
    let mut sql =
        "SELECT key, revision, body FROM documents WHERE kind = $1 AND key >= $2".to_owned();
    let mut params = params![kind, prefix];
    let mut bind = |text: &str| {
        params.push(text.into());
        params.len()
    };
    if let Some(end) = prefix_end(prefix) {
        sql += &format!(" AND key < ${}", bind(&end));
    }
    if let Some(after) = after {
        sql += &format!(" AND key > ${}", bind(after));
    }
    params.push((i64::from(limit) + 1).into());
    sql += &format!(" ORDER BY key LIMIT ${}", params.len());
    Query::new(sql, params)
}

fn read<T: DeserializeOwned>(kind: &str, mut row: Row) -> Result<Document<T>, StoreError> {
    let (key, revision, body) = (row.text()?, row.unsigned()?, row.text()?);
    match serde_json::from_str(&body) {
        Ok(value) => Ok(Document { key, revision, value }),
        Err(source) => Err(StoreError::Document { kind: kind.to_owned(), key, source }),
    }
}
