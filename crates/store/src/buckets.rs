//! Buckets of the S3 service.

use model::Timestamp;

use crate::engine::{Batch, Outcome, Row, Statement, Written, params};
use crate::error::StoreError;
use crate::{Page, Store};

/// A bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// Unique in the whole installation.
    pub name: String,
    pub region: String,
    pub versioning: Versioning,
    /// Policy, tags and the like: JSON that only the S3 service understands.
    pub body: String,
    pub created: Timestamp,
}

/// Whether a bucket keeps what is overwritten. Source: S3 user guide, "Using versioning in S3 buckets".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Versioning {
    /// It was never enabled, and objects have no version ids.
    Off,
    Enabled,
    /// New objects get the version id `null`, replacing the one that has it.
    Suspended,
}

impl Versioning {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Off, Self::Enabled, Self::Suspended];

    /// The name in the store; but for `Off` also the one on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "Off",
            Self::Enabled => "Enabled",
            Self::Suspended => "Suspended",
        }
    }

    /// The state that has this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|versioning| versioning.name() == name)
    }
}

/// What became of making a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CreateBucket {
    Created,
    Exists(Bucket),
}

/// What became of deleting a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeleteBucket {
    Deleted {
        /// The files of unfinished uploads, which nothing refers to any more.
        files: Vec<String>,
    },
    NotEmpty,
    Missing,
}

const COLUMNS: &str = "name, region, versioning, body, created";

impl Store {
    /// Makes a bucket.
    ///
    /// # Errors
    /// The database failed.
    pub async fn create_bucket(&self, new: &Bucket) -> Result<CreateBucket, StoreError> {
        loop {
            let insert = Statement::new(
                "INSERT INTO buckets (name, region, versioning, body, created) \
                 VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
                params![&new.name, &new.region, new.versioning.name(), &new.body, new.created],
            );
            if self.write(Batch::of(vec![insert.expecting(1)])).await?.is_done() {
                return Ok(CreateBucket::Created);
            }
            if let Some(bucket) = self.bucket(&new.name).await? {
                return Ok(CreateBucket::Exists(bucket));
            }
            // The one that stood in the way was deleted just now.
        }
    }

    /// The bucket of that name.
    ///
    /// # Errors
    /// The database failed.
    pub async fn bucket(&self, name: &str) -> Result<Option<Bucket>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM buckets WHERE name = $1");
        self.query_one(sql, params![name]).await?.map(read).transpose()
    }

    /// The buckets, by name.
    ///
    /// # Errors
    /// The database failed.
    pub async fn buckets(
        &self,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Page<Bucket>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM buckets WHERE name > $1 ORDER BY name LIMIT $2");
        let params = params![after.unwrap_or(""), i64::from(limit) + 1];
        let rows = self.query(sql, params).await?;
        let items = rows.into_iter().map(read).collect::<Result<_, _>>()?;
        Ok(Page::of(items, limit, |last: &Bucket| last.name.clone()))
    }

    /// Enables or suspends versioning; it cannot be switched off again. Whether there is such a bucket.
    ///
    /// # Errors
    /// The database failed.
    pub async fn set_versioning(
        &self,
        bucket: &str,
        versioning: Versioning,
    ) -> Result<bool, StoreError> {
        let update = Statement::new(
            "UPDATE buckets SET versioning = $2 WHERE name = $1",
            params![bucket, versioning.name()],
        );
        Ok(self.write(Batch::of(vec![update.expecting(1)])).await?.is_done())
    }

    /// Replaces what only the S3 service understands of a bucket, if it is still `old`. Whether it was.
    ///
    /// # Errors
    /// The database failed.
    pub async fn set_bucket_body(
        &self,
        bucket: &str,
        old: &str,
        new: &str,
    ) -> Result<bool, StoreError> {
        let update = Statement::new(
            "UPDATE buckets SET body = $3 WHERE name = $1 AND body = $2",
            params![bucket, old, new],
        );
        Ok(self.write(Batch::of(vec![update.expecting(1)])).await?.is_done())
    }

    /// Deletes a bucket that holds no object of any version, with its unfinished uploads.
    ///
    /// # Errors
    /// The database failed.
    pub async fn delete_bucket(&self, name: &str) -> Result<DeleteBucket, StoreError> {
        let statements = vec![
            lock(name),
            Statement::new("SELECT key FROM objects WHERE bucket = $1 LIMIT 1", params![name])
                .expecting(0),
            Statement::new(
                "DELETE FROM parts WHERE upload_id IN (SELECT id FROM uploads WHERE bucket = $1) \
                 RETURNING file",
                params![name],
            ),
            Statement::new("DELETE FROM uploads WHERE bucket = $1", params![name]),
            Statement::new("DELETE FROM buckets WHERE name = $1", params![name]),
        ];
        Ok(match self.write(Batch::of(statements)).await? {
            Written::Unmet { statement: 0 } => DeleteBucket::Missing,
            Written::Unmet { .. } => DeleteBucket::NotEmpty,
            Written::Done(outcomes) => {
                let parts = outcomes.into_iter().nth(DELETED_PARTS);
                DeleteBucket::Deleted { files: files(parts)? }
            }
        })
    }
}

/// Which statement of deleting a bucket gives the files of parts.
const DELETED_PARTS: usize = 2;

/// Holds the bucket until the batch is over, and gives its versioning: whoever writes objects takes turns.
pub(crate) fn lock(name: &str) -> Statement {
    Statement::new("SELECT versioning FROM buckets WHERE name = $1 FOR UPDATE", params![name])
        .expecting(1)
}

/// The files in the rows of outcomes that have a single column, all of them texts.
pub(crate) fn files(
    outcomes: impl IntoIterator<Item = Outcome>,
) -> Result<Vec<String>, StoreError> {
    let mut files = Vec::new();
    for mut row in outcomes.into_iter().flat_map(|outcome| outcome.rows) {
        files.extend(row.optional_text()?);
    }
    Ok(files)
}

fn read(mut row: Row) -> Result<Bucket, StoreError> {
    Ok(Bucket {
        name: row.text()?,
        region: row.text()?,
        versioning: row.named(Versioning::from_name, "a state of versioning")?,
        body: row.text()?,
        created: row.time()?,
    })
}
