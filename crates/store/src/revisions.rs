//! Revisions that an application knows.

use std::iter;

use model::{ApplicationId, DeploymentGroupName, Revision, Timestamp};

use crate::codec;
use crate::engine::{Batch, Query, Row, Statement, Value, params};
use crate::error::StoreError;
use crate::page::{Cursor, prefix_end};
use crate::{Page, Store};

/// A revision that an application knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevisionRecord {
    pub revision: Revision,
    pub description: Option<String>,
    pub registered: Timestamp,
    /// When a deployment of it first started.
    pub first_used: Option<Timestamp>,
    /// When a deployment of it last started.
    pub last_used: Option<Timestamp>,
    /// The groups whose target revision it is, by name.
    pub groups: Vec<DeploymentGroupName>,
}

/// By what a listing of revisions is ordered; those never used come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RevisionSort {
    Registered,
    FirstUsed,
    LastUsed,
}

/// Which revisions, in which order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevisionFilter {
    pub sort: RevisionSort,
    pub descending: bool,
    /// Only those in this bucket.
    pub bucket: Option<String>,
    /// Only those whose key begins so.
    pub key_prefix: Option<String>,
    /// Only those that are (or are not) some group's target revision.
    pub deployed: Option<bool>,
}

const COLUMNS: &str = "location, description, registered, first_used, last_used";

impl Store {
    /// Makes a revision known, or gives a known one another description; whether its application exists.
    ///
    /// # Errors
    /// The database failed.
    pub async fn register_revision(
        &self,
        application: &ApplicationId,
        revision: &Revision,
        description: Option<&str>,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        // Held, so that an application deleted at the same time takes this revision with it.
        let lock = Statement::new(
            "SELECT id FROM applications WHERE id = $1 FOR UPDATE",
            params![application],
        );
        let insert = register(application, revision, description, at);
        let upsert = Statement {
            sql: format!(
                "{} ON CONFLICT (application_id, location) \
                 DO UPDATE SET description = excluded.description",
                insert.sql
            )
            .into(),
            ..insert
        };
        Ok(self.write(Batch::of(vec![lock.expecting(1), upsert])).await?.is_done())
    }

    /// The revision at exactly that location.
    ///
    /// # Errors
    /// The database failed.
    pub async fn revision(
        &self,
        application: &ApplicationId,
        revision: &Revision,
    ) -> Result<Option<RevisionRecord>, StoreError> {
        Ok(self.revisions_at(application, std::slice::from_ref(revision)).await?.pop())
    }

    /// The revisions at exactly those locations, those that there are, in the order asked for.
    ///
    /// # Errors
    /// The database failed.
    pub async fn revisions_at(
        &self,
        application: &ApplicationId,
        revisions: &[Revision],
    ) -> Result<Vec<RevisionRecord>, StoreError> {
        let sql =
            format!("SELECT {COLUMNS} FROM revisions WHERE application_id = $1 AND location = $2");
        let selects = revisions.iter().map(|revision| {
            Query::new(sql.clone(), params![application, codec::write_revision(revision)])
        });
        let found = self.with_groups(application, selects.collect()).await?;
        Ok(found.into_iter().map(|(_, record)| record).collect())
    }

    /// The revisions that an application knows.
    ///
    /// # Errors
    /// The database failed, or `after` is no place in such a listing.
    pub async fn revisions(
        &self,
        application: &ApplicationId,
        filter: &RevisionFilter,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Page<RevisionRecord>, StoreError> {
        let column = filter.sort.column();
        let query = list(application, filter, after.map(Cursor::read).transpose()?, limit);
        let found = self.with_groups(application, vec![query]).await?;
        let page = Page::of(found, limit, |(location, record)| {
            Cursor::write(record.sort_value(column), location)
        });
        let items = page.items.into_iter().map(|(_, record)| record).collect();
        Ok(Page { items, next: page.next })
    }

    /// The records that `selects` find, each with its location's text, completed by the groups that target them.
    async fn with_groups(
        &self,
        application: &ApplicationId,
        selects: Vec<Query>,
    ) -> Result<Vec<(String, RevisionRecord)>, StoreError> {
        let groups = Query::new(
            "SELECT target_revision, name FROM deployment_groups \
             WHERE application_id = $1 AND target_revision IS NOT NULL ORDER BY name",
            params![application],
        );
        let mut answers = self.read(iter::once(groups).chain(selects).collect()).await?.into_iter();
        let groups = answers.next().unwrap_or_default();
        let targeted: Vec<(String, DeploymentGroupName)> = groups
            .into_iter()
            .map(|mut row| Ok((row.text()?, row.parsed("a deployment group's name")?)))
            .collect::<Result<_, StoreError>>()?;
        answers
            .flatten()
            .map(|row| {
                let (location, mut record) = read(row)?;
                let groups = targeted.iter().filter(|(target, _)| *target == location);
                record.groups = groups.map(|(_, name)| name.clone()).collect();
                Ok((location, record))
            })
            .collect()
    }
}

impl RevisionSort {
    const fn column(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::FirstUsed => "first_used",
            Self::LastUsed => "last_used",
        }
    }
}

impl RevisionRecord {
    fn sort_value(&self, column: &str) -> i64 {
        let time = match column {
            "registered" => Some(self.registered),
            "first_used" => self.first_used,
            _ => self.last_used,
        };
        time.map_or(0, Timestamp::as_millis)
    }
}

fn list(
    application: &ApplicationId,
    filter: &RevisionFilter,
    after: Option<Cursor>,
    limit: u32,
) -> Query {
    let column = filter.sort.column();
    let (beyond, direction) = if filter.descending { ("<", "DESC") } else { (">", "ASC") };
    let mut sql = format!("SELECT {COLUMNS} FROM revisions WHERE application_id = $1");
    let mut params = params![application];
    let mut bind = |value: Value| {
        params.push(value);
        params.len()
    };
    if let Some(after) = after {
        let (number, text) = (bind(after.number.into()), bind(after.text.into()));
        sql += &format!(" AND ({column}, location) {beyond} (${number}, ${text})");
    }
    if let Some(bucket) = &filter.bucket {
        sql += &format!(" AND bucket = ${}", bind(bucket.into()));
    }
    if let Some(prefix) = &filter.key_prefix {
        sql += &format!(" AND object_key >= ${}", bind(prefix.into()));
        if let Some(end) = prefix_end(prefix) {
            sql += &format!(" AND object_key < ${}", bind(end.into()));
        }
    }
    if let Some(deployed) = filter.deployed {
        let not = if deployed { "" } else { "NOT " };
        sql += &format!(
            " AND {not}EXISTS (SELECT 1 FROM deployment_groups g WHERE g.application_id = $1 \
             AND g.target_revision = revisions.location)"
        );
    }
    let limit = bind((i64::from(limit) + 1).into());
    sql += &format!(" ORDER BY {column} {direction}, location {direction} LIMIT ${limit}");
    Query::new(sql, params)
}

/// Inserts a revision; what to do with a known one is to be appended.
pub(crate) fn register(
    application: &ApplicationId,
    revision: &Revision,
    description: Option<&str>,
    at: Timestamp,
) -> Statement {
    let (bucket, key) = match revision {
        Revision::S3 { bucket, key, .. } => (Some(bucket), Some(key)),
        Revision::GitHub { .. } => (None, None),
    };
    Statement::new(
        "INSERT INTO revisions (application_id, location, bucket, object_key, description, \
         registered, first_used, last_used) VALUES ($1, $2, $3, $4, $5, $6, 0, 0)",
        params![application, codec::write_revision(revision), bucket, key, description, at],
    )
}

fn read(mut row: Row) -> Result<(String, RevisionRecord), StoreError> {
    let location = row.text()?;
    let used =
        |row: &mut Row| Ok::<_, StoreError>(Some(row.time()?).filter(|at| at.as_millis() != 0));
    let record = RevisionRecord {
        revision: codec::read_revision(&location)?,
        description: row.optional_text()?,
        registered: row.time()?,
        first_used: used(&mut row)?,
        last_used: used(&mut row)?,
        groups: Vec::new(),
    };
    Ok((location, record))
}
