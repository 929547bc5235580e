//! Who did what: calls that changed something, or were to.

use model::Timestamp;

use crate::engine::{Batch, Row, Statement, params};
use crate::error::StoreError;
use crate::page::Cursor;
use crate::{Page, Store};

/// One call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    pub region: String,
    pub at: Timestamp,
    /// The request's id; with the time it is unique.
    pub id: String,
    /// The caller's ARN.
    pub principal: String,
    /// The access key that signed, or with which somebody signed in.
    pub access_key: String,
    /// The address it came from; absent: not known.
    pub source: Option<String>,
    /// `codedeploy`, `ec2`, `iam`, …
    pub service: String,
    pub operation: String,
    /// What it was about, as the caller named it; may be empty.
    pub resource: String,
    /// `Succeeded`, or the name of the error that the caller got.
    pub outcome: String,
}

impl Store {
    /// Writes one call down.
    ///
    /// # Errors
    /// The database failed.
    pub async fn record_audit(&self, record: &AuditRecord) -> Result<(), StoreError> {
        let insert = Statement::new(
            "INSERT INTO audit (region, at, id, principal, access_key, source, service, \
             operation, resource, outcome) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING",
            params![
                &record.region,
                record.at,
                &record.id,
                &record.principal,
                &record.access_key,
                record.source.as_deref(),
                &record.service,
                &record.operation,
                &record.resource,
                &record.outcome
            ],
        );
        self.write(Batch::of(vec![insert])).await?.done().map(drop)
    }

    /// The calls of a region, newest first.
    ///
    /// # Errors
    /// The database failed, or `after` is no place in such a listing.
    pub async fn audit(
        &self,
        region: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Page<AuditRecord>, StoreError> {
        let (at, id) = match after.map(Cursor::read).transpose()? {
            None => (i64::MAX, String::new()),
            Some(cursor) => (cursor.number, cursor.text),
        };
        let sql = "SELECT region, at, id, principal, access_key, source, service, operation, \
                   resource, outcome FROM audit WHERE region = $1 AND (at, id) < ($2, $3) \
                   ORDER BY at DESC, id DESC LIMIT $4";
        let rows = self.query(sql, params![region, at, id, i64::from(limit) + 1]).await?;
        let items = rows.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
        Ok(Page::of(items, limit, |last| Cursor::write(last.at.as_millis(), &last.id)))
    }

    /// Removes what is older than `before`.
    ///
    /// # Errors
    /// The database failed.
    pub async fn forget_audit(&self, before: Timestamp) -> Result<(), StoreError> {
        let delete = Statement::new("DELETE FROM audit WHERE at < $1", params![before]);
        self.write(Batch::of(vec![delete])).await?.done().map(drop)
    }
}

fn read(mut row: Row) -> Result<AuditRecord, StoreError> {
    Ok(AuditRecord {
        region: row.text()?,
        at: row.time()?,
        id: row.text()?,
        principal: row.text()?,
        access_key: row.text()?,
        source: row.optional_text()?,
        service: row.text()?,
        operation: row.text()?,
        resource: row.text()?,
        outcome: row.text()?,
    })
}
