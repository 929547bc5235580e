//! Objects of the S3 service, with their versions. The bytes are files; a row names its file.
//!
//! A file is written before its row and removed after it: whoever removes a row is told the files that nothing refers
//! to any more.

use std::collections::HashSet;

use model::Timestamp;

use crate::Store;
use crate::buckets::{self, Versioning};
use crate::engine::{Batch, Outcome, Query, Row, Statement, Written, params};
use crate::error::StoreError;

/// An object, or one version of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    pub bucket: String,
    pub key: String,
    /// `null` where it was written without versioning.
    pub version_id: String,
    pub is_latest: bool,
    /// It says that the object was deleted, and has no bytes.
    pub delete_marker: bool,
    /// Without quotes.
    pub etag: String,
    /// In bytes.
    pub size: u64,
    /// Content type, metadata, checksums, tags: JSON that only the S3 service understands.
    pub attributes: String,
    /// The name of the file with its bytes.
    pub file: Option<String>,
    pub created: Timestamp,
}

/// An object to be written; its bytes are in `file` already, durably.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewObject {
    pub bucket: String,
    pub key: String,
    /// The id it gets if the bucket's versioning is enabled; the caller drew it.
    pub version_id: String,
    pub etag: String,
    /// In bytes.
    pub size: u64,
    pub attributes: String,
    pub file: String,
    pub created: Timestamp,
}

/// What a write needs to find for it to hold. Source: S3 user guide, "Conditional writes".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PutCondition {
    None,
    /// `If-None-Match: *`.
    Absent,
    /// `If-Match`: the object has this eTag, given without quotes.
    Etag(String),
}

/// What became of writing an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PutObject {
    Written {
        /// Absent in a bucket that was never versioned.
        version_id: Option<String>,
        /// Files that nothing refers to any more.
        files: Vec<String>,
    },
    BucketMissing,
    ConditionFailed,
}

/// What became of deleting an object. Deleting what is not there succeeds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeleteObject {
    Deleted {
        /// The version that was deleted, or that the delete marker got; absent in a bucket that was never versioned.
        version_id: Option<String>,
        /// A delete marker was made, or it was one that was deleted.
        delete_marker: bool,
        /// Files that nothing refers to any more.
        files: Vec<String>,
    },
    BucketMissing,
}

/// The version id of what is written without versioning. Source: S3 user guide, "Version IDs".
pub(crate) const NULL_VERSION: &str = "null";

pub(crate) const COLUMNS: &str = "bucket, key, version_id, is_latest, delete_marker, etag, size, \
     attributes, file, created, seq";

impl Store {
    /// Writes an object in place of the one that its key had, or above it if the bucket keeps versions.
    ///
    /// # Errors
    /// The database failed; the caller still owns the file.
    pub async fn put_object(
        &self,
        new: &NewObject,
        condition: &PutCondition,
    ) -> Result<PutObject, StoreError> {
        let written = self.write(Batch::of(put(new, condition))).await?;
        read_put(written, &new.version_id, 0)
    }

    /// The object of that key, or that version of it. It may be a delete marker.
    ///
    /// # Errors
    /// The database failed.
    pub async fn object(
        &self,
        bucket: &str,
        key: &str,
        version_id: Option<&str>,
    ) -> Result<Option<Object>, StoreError> {
        let found = match version_id {
            None => {
                let sql = format!(
                    "SELECT {COLUMNS} FROM objects WHERE bucket = $1 AND key = $2 AND is_latest = 1"
                );
                self.query_one(sql, params![bucket, key]).await?
            }
            Some(version_id) => {
                let sql = format!(
                    "SELECT {COLUMNS} FROM objects WHERE bucket = $1 AND key = $2 AND version_id = $3"
                );
                self.query_one(sql, params![bucket, key, version_id]).await?
            }
        };
        Ok(found.map(read).transpose()?.map(|(object, _)| object))
    }

    /// Replaces an object's attributes, for example its tags. Whether there is such an object.
    ///
    /// # Errors
    /// The database failed.
    pub async fn set_object_attributes(
        &self,
        bucket: &str,
        key: &str,
        version_id: &str,
        attributes: &str,
    ) -> Result<bool, StoreError> {
        let update = Statement::new(
            "UPDATE objects SET attributes = $4 \
             WHERE bucket = $1 AND key = $2 AND version_id = $3 AND delete_marker = 0",
            params![bucket, key, version_id, attributes],
        );
        Ok(self.write(Batch::of(vec![update.expecting(1)])).await?.is_done())
    }

    /// Deletes an object: without versioning it goes; with it, a delete marker (with the id `marker_id`, which the
    /// caller drew, if versioning is enabled) hides it.
    ///
    /// # Errors
    /// The database failed.
    pub async fn delete_object(
        &self,
        bucket: &str,
        key: &str,
        marker_id: &str,
        at: Timestamp,
    ) -> Result<DeleteObject, StoreError> {
        let written = self.write(Batch::of(delete(bucket, key, marker_id, at))).await?;
        let Written::Done(mut outcomes) = written else { return Ok(DeleteObject::BucketMissing) };
        let versioning = read_versioning(&mut outcomes, 0)?;
        Ok(DeleteObject::Deleted {
            version_id: version_for(versioning, marker_id),
            delete_marker: versioning != Versioning::Off,
            files: buckets::files(outcomes.into_iter().nth(DELETE_OF_NULL))?,
        })
    }

    /// Deletes one version for good; the one before it becomes the latest.
    ///
    /// # Errors
    /// The database failed.
    pub async fn delete_object_version(
        &self,
        bucket: &str,
        key: &str,
        version_id: &str,
    ) -> Result<DeleteObject, StoreError> {
        let statements = vec![
            buckets::lock(bucket),
            Statement::new(
                "DELETE FROM objects WHERE bucket = $1 AND key = $2 AND version_id = $3 \
                 RETURNING file, delete_marker",
                params![bucket, key, version_id],
            ),
            Statement::new(
                "UPDATE objects SET is_latest = 1 WHERE bucket = $1 AND key = $2 AND seq = \
                 (SELECT MAX(seq) FROM objects WHERE bucket = $1 AND key = $2) AND is_latest = 0",
                params![bucket, key],
            ),
        ];
        let written = self.write(Batch::of(statements)).await?;
        let Written::Done(outcomes) = written else { return Ok(DeleteObject::BucketMissing) };
        let (mut files, mut delete_marker) = (Vec::new(), false);
        for mut row in outcomes.into_iter().nth(1).into_iter().flat_map(|outcome| outcome.rows) {
            files.extend(row.optional_text()?);
            delete_marker = row.truth()?;
        }
        let version_id = Some(version_id.to_owned());
        Ok(DeleteObject::Deleted { version_id, delete_marker, files })
    }

    /// Those of the files that an object or a part of an upload refers to; the others are left over from a crash.
    ///
    /// # Errors
    /// The database failed.
    pub async fn files_in_use(&self, files: &[String]) -> Result<HashSet<String>, StoreError> {
        let queries = files.iter().map(|file| {
            Query::new(
                "SELECT file FROM objects WHERE file = $1 \
                 UNION SELECT file FROM parts WHERE file = $1",
                params![file],
            )
        });
        let answers = self.read(queries.collect()).await?;
        answers.into_iter().flatten().map(|mut row| row.text()).collect()
    }
}

/// The version id that a write gets in a bucket.
fn version_for(versioning: Versioning, drawn: &str) -> Option<String> {
    match versioning {
        Versioning::Off => None,
        Versioning::Enabled => Some(drawn.to_owned()),
        Versioning::Suspended => Some(NULL_VERSION.to_owned()),
    }
}

/// Which statement of a put gives the replaced file, which holds the condition.
const PUT_CONDITION: usize = 1;
const PUT_REPLACED: usize = 2;
/// Likewise of a deletion.
const DELETE_OF_NULL: usize = 1;

/// The statements that write an object. The first gives the bucket's versioning.
pub(crate) fn put(new: &NewObject, condition: &PutCondition) -> Vec<Statement> {
    let (bucket, key) = (&new.bucket, &new.key);
    vec![
        buckets::lock(bucket),
        conditional(bucket, key, condition),
        delete_null(bucket, key),
        Statement::new(
            "UPDATE objects SET is_latest = 0 WHERE bucket = $1 AND key = $2 AND is_latest = 1",
            params![bucket, key],
        ),
        Statement::new(
            format!(
                "INSERT INTO objects (bucket, key, version_id, seq, is_latest, delete_marker, \
                 etag, size, attributes, file, created) \
                 VALUES ($1, $2, {VERSION_OF_A_WRITE}, {NEXT_SEQ}, 1, 0, $4, $5, $6, $7, $8)"
            ),
            params![
                bucket,
                key,
                &new.version_id,
                &new.etag,
                new.size,
                &new.attributes,
                &new.file,
                new.created
            ],
        )
        .expecting(1),
    ]
}

/// `$3` if the bucket `$1` is versioned.
const VERSION_OF_A_WRITE: &str = "CASE WHEN (SELECT versioning FROM buckets WHERE name = $1) \
     = 'Enabled' THEN $3 ELSE 'null' END";

/// Above every version of the key `$2` in the bucket `$1`.
const NEXT_SEQ: &str =
    "(SELECT COALESCE(MAX(seq), 0) + 1 FROM objects WHERE bucket = $1 AND key = $2)";

fn conditional(bucket: &str, key: &str, condition: &PutCondition) -> Statement {
    let current = "SELECT etag FROM objects \
         WHERE bucket = $1 AND key = $2 AND is_latest = 1 AND delete_marker = 0";
    match condition {
        PutCondition::None => Statement::new("SELECT 1", Vec::new()),
        PutCondition::Absent => Statement::new(current, params![bucket, key]).expecting(0),
        PutCondition::Etag(etag) => {
            Statement::new(format!("{current} AND etag = $3"), params![bucket, key, etag])
                .expecting(1)
        }
    }
}

/// Removes the version `null`, unless the bucket keeps it.
fn delete_null(bucket: &str, key: &str) -> Statement {
    Statement::new(
        "DELETE FROM objects WHERE bucket = $1 AND key = $2 AND version_id = 'null' \
         AND (SELECT versioning FROM buckets WHERE name = $1) <> 'Enabled' RETURNING file",
        params![bucket, key],
    )
}

fn delete(bucket: &str, key: &str, marker_id: &str, at: Timestamp) -> Vec<Statement> {
    vec![
        buckets::lock(bucket),
        delete_null(bucket, key),
        Statement::new(
            "UPDATE objects SET is_latest = 0 WHERE bucket = $1 AND key = $2 AND is_latest = 1",
            params![bucket, key],
        ),
        Statement::new(
            format!(
                "INSERT INTO objects (bucket, key, version_id, seq, is_latest, delete_marker, \
                 etag, size, attributes, created) \
                 SELECT $1, $2, {VERSION_OF_A_WRITE}, {NEXT_SEQ}, 1, 1, '', 0, '{{}}', \
                 CAST($4 AS BIGINT) FROM buckets WHERE name = $1 AND versioning <> 'Off'"
            ),
            params![bucket, key, marker_id, at],
        ),
    ]
}

/// What a put's outcome means; its statements begin at `first`.
pub(crate) fn read_put(
    written: Written,
    drawn: &str,
    first: usize,
) -> Result<PutObject, StoreError> {
    match written {
        Written::Unmet { statement } if statement == first => Ok(PutObject::BucketMissing),
        Written::Unmet { statement } if statement == first + PUT_CONDITION => {
            Ok(PutObject::ConditionFailed)
        }
        Written::Unmet { statement } => Err(StoreError::Unmet { statement }),
        Written::Done(mut outcomes) => {
            let versioning = read_versioning(&mut outcomes, first)?;
            let files = buckets::files(outcomes.into_iter().nth(first + PUT_REPLACED))?;
            Ok(PutObject::Written { version_id: version_for(versioning, drawn), files })
        }
    }
}

fn read_versioning(outcomes: &mut [Outcome], index: usize) -> Result<Versioning, StoreError> {
    match outcomes.get_mut(index).and_then(|outcome| outcome.rows.pop()) {
        Some(mut row) => row.named(Versioning::from_name, "a state of versioning"),
        None => Err(StoreError::Unmet { statement: index }),
    }
}

/// The object and its place among its versions.
pub(crate) fn read(mut row: Row) -> Result<(Object, i64), StoreError> {
    let object = Object {
        bucket: row.text()?,
        key: row.text()?,
        version_id: row.text()?,
        is_latest: row.truth()?,
        delete_marker: row.truth()?,
        etag: row.text()?,
        size: row.unsigned()?,
        attributes: row.text()?,
        file: row.optional_text()?,
        created: row.time()?,
    };
    Ok((object, row.int()?))
}
