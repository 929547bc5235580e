//! Multipart uploads of the S3 service: objects whose parts arrive one by one.

use model::Timestamp;

use crate::buckets;
use crate::engine::{Batch, Row, Statement, Written, params};
use crate::error::StoreError;
use crate::objects::{self, NewObject, PutCondition, PutObject};
use crate::page::prefix_end;
use crate::{Page, Store};

/// An upload that was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    pub id: String,
    pub bucket: String,
    pub key: String,
    /// What the object is to have besides its bytes: JSON that only the S3 service understands.
    pub body: String,
    pub created: Timestamp,
}

/// A part of an upload; its bytes were written durably before its row is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// 1 to 10,000.
    pub number: u32,
    /// Without quotes.
    pub etag: String,
    /// In bytes.
    pub size: u64,
    /// Checksums: JSON that only the S3 service understands.
    pub attributes: String,
    /// The name of the file with its bytes.
    pub file: String,
    pub created: Timestamp,
}

/// What became of writing a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PutPart {
    Written {
        /// The file of the part that had the number before; nothing refers to it any more.
        replaced: Option<String>,
    },
    UploadMissing,
}

/// What became of completing an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CompleteUpload {
    /// The upload is gone; what became of its object. Among the files to be removed are those of its parts.
    Put(PutObject),
    UploadMissing,
}

const UPLOAD: &str = "id, bucket, key, body, created";

impl Store {
    /// Begins an upload; whether its bucket exists.
    ///
    /// # Errors
    /// The database failed.
    pub async fn create_upload(&self, new: &Upload) -> Result<bool, StoreError> {
        let statements = vec![
            buckets::lock(&new.bucket),
            Statement::new(
                "INSERT INTO uploads (id, bucket, key, body, created) VALUES ($1, $2, $3, $4, $5)",
                params![&new.id, &new.bucket, &new.key, &new.body, new.created],
            ),
        ];
        Ok(self.write(Batch::of(statements)).await?.is_done())
    }

    /// The upload with that id.
    ///
    /// # Errors
    /// The database failed.
    pub async fn upload(&self, id: &str) -> Result<Option<Upload>, StoreError> {
        let sql = format!("SELECT {UPLOAD} FROM uploads WHERE id = $1");
        self.query_one(sql, params![id]).await?.map(read_upload).transpose()
    }

    /// The unfinished uploads of keys that begin with `prefix`, by key and id, after a key and id. The page's `next`
    /// only says whether more follow.
    ///
    /// # Errors
    /// The database failed.
    pub async fn uploads(
        &self,
        bucket: &str,
        prefix: &str,
        after: Option<(&str, &str)>,
        limit: u32,
    ) -> Result<Page<Upload>, StoreError> {
        let (key, id) = after.unwrap_or(("", ""));
        let mut params = params![bucket, prefix, key, id, i64::from(limit) + 1];
        let mut sql = format!(
            "SELECT {UPLOAD} FROM uploads \
             WHERE bucket = $1 AND key >= $2 AND (key, id) > ($3, $4)"
        );
        if let Some(end) = prefix_end(prefix) {
            sql += " AND key < $6";
            params.push(end.into());
        }
        sql += " ORDER BY key, id LIMIT $5";
        let rows = self.query(sql, params).await?;
        let items = rows.into_iter().map(read_upload).collect::<Result<_, _>>()?;
        Ok(Page::of(items, limit, |last: &Upload| last.id.clone()))
    }

    /// Writes a part, in place of the one that had its number.
    ///
    /// # Errors
    /// The database failed; the caller still owns the file.
    pub async fn put_part(&self, upload_id: &str, part: &Part) -> Result<PutPart, StoreError> {
        let statements = vec![
            lock(upload_id),
            Statement::new(
                "DELETE FROM parts WHERE upload_id = $1 AND number = $2 RETURNING file",
                params![upload_id, part.number],
            ),
            Statement::new(
                "INSERT INTO parts (upload_id, number, etag, size, attributes, file, created) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7)",
                params![
                    upload_id,
                    part.number,
                    &part.etag,
                    part.size,
                    &part.attributes,
                    &part.file,
                    part.created
                ],
            ),
        ];
        let written = self.write(Batch::of(statements)).await?;
        let Written::Done(outcomes) = written else { return Ok(PutPart::UploadMissing) };
        let replaced = buckets::files(outcomes.into_iter().nth(1))?.pop();
        Ok(PutPart::Written { replaced })
    }

    /// The parts of an upload whose number is above `after`, by number.
    ///
    /// # Errors
    /// The database failed.
    pub async fn parts(
        &self,
        upload_id: &str,
        after: u32,
        limit: u32,
    ) -> Result<Page<Part>, StoreError> {
        let sql = "SELECT number, etag, size, attributes, file, created FROM parts \
                   WHERE upload_id = $1 AND number > $2 ORDER BY number LIMIT $3";
        let params = params![upload_id, after, i64::from(limit) + 1];
        let rows = self.query(sql, params).await?;
        let items = rows.into_iter().map(read_part).collect::<Result<_, _>>()?;
        Ok(Page::of(items, limit, |last: &Part| last.number.to_string()))
    }

    /// Puts the object that the caller has made of the parts, and ends the upload.
    ///
    /// # Errors
    /// The database failed; the upload goes on and the caller still owns the object's file.
    pub async fn complete_upload(
        &self,
        upload_id: &str,
        new: &NewObject,
        condition: &PutCondition,
    ) -> Result<CompleteUpload, StoreError> {
        let mut statements = vec![lock(upload_id), delete_parts(upload_id), delete_row(upload_id)];
        let first = statements.len();
        statements.extend(objects::put(new, condition));
        let mut written = self.write(Batch::of(statements)).await?;
        let mut parts = Vec::new();
        match &mut written {
            Written::Unmet { statement: 0 } => return Ok(CompleteUpload::UploadMissing),
            Written::Unmet { .. } => {}
            Written::Done(outcomes) => {
                for mut row in std::mem::take(&mut outcomes[DELETED_PARTS].rows) {
                    parts.push(row.text()?);
                }
            }
        }
        let mut put = objects::read_put(written, &new.version_id, first)?;
        if let PutObject::Written { files, .. } = &mut put {
            files.append(&mut parts);
        }
        Ok(CompleteUpload::Put(put))
    }

    /// Ends an upload without an object. The files of its parts, or nothing if there is no such upload.
    ///
    /// # Errors
    /// The database failed.
    pub async fn abort_upload(&self, upload_id: &str) -> Result<Option<Vec<String>>, StoreError> {
        let statements = vec![lock(upload_id), delete_parts(upload_id), delete_row(upload_id)];
        match self.write(Batch::of(statements)).await? {
            Written::Unmet { .. } => Ok(None),
            Written::Done(outcomes) => {
                buckets::files(outcomes.into_iter().nth(DELETED_PARTS)).map(Some)
            }
        }
    }
}

/// Which statement of ending an upload gives the files of its parts.
const DELETED_PARTS: usize = 1;

fn lock(upload_id: &str) -> Statement {
    Statement::new("SELECT id FROM uploads WHERE id = $1 FOR UPDATE", params![upload_id])
        .expecting(1)
}

fn delete_parts(upload_id: &str) -> Statement {
    Statement::new("DELETE FROM parts WHERE upload_id = $1 RETURNING file", params![upload_id])
}

fn delete_row(upload_id: &str) -> Statement {
    Statement::new("DELETE FROM uploads WHERE id = $1", params![upload_id])
}

fn read_upload(mut row: Row) -> Result<Upload, StoreError> {
    Ok(Upload {
        id: row.text()?,
        bucket: row.text()?,
        key: row.text()?,
        body: row.text()?,
        created: row.time()?,
    })
}

fn read_part(mut row: Row) -> Result<Part, StoreError> {
    Ok(Part {
        number: row.unsigned()?,
        etag: row.text()?,
        size: row.unsigned()?,
        attributes: row.text()?,
        file: row.text()?,
        created: row.time()?,
    })
}
