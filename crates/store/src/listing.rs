//! Listings of a bucket: by key, rolled up at a delimiter, with or without earlier versions.

use std::collections::VecDeque;

use crate::Store;
use crate::engine::{Query, Value, params};
use crate::error::StoreError;
use crate::objects::{self, Object};
use crate::page::prefix_end;

/// What to list. Source: S3 API reference, `ListObjectsV2` and `ListObjectVersions`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListObjects {
    pub bucket: String,
    /// Only keys that begin so.
    pub prefix: String,
    /// Keys that have it after the prefix are rolled up into one entry per beginning; never empty.
    pub delimiter: Option<String>,
    /// Begin after this entry.
    pub after: Option<Marker>,
    /// At most so many entries.
    pub limit: u32,
}

/// A place in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    /// A key or a rolled-up beginning of keys.
    pub key: String,
    /// In a listing of versions: the version of that key after which to go on; absent: after all of them.
    pub version_id: Option<String>,
}

/// One part of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    pub entries: Vec<ListingEntry>,
    /// The last entry, if more follow.
    pub next: Option<Marker>,
}

/// One entry of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListingEntry {
    Object(Object),
    /// Keys that begin so, the delimiter included.
    Prefix(String),
}

/// Which rows a listing is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    Current,
    Versions,
}

/// Where to read on.
#[derive(Debug, Clone)]
enum Position {
    At(String),
    After(String),
    AfterVersion(Marker),
    End,
}

impl Store {
    /// The objects of a bucket by key, as bytes compare.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_objects(&self, wanted: &ListObjects) -> Result<Listing, StoreError> {
        self.list(wanted, Of::Current).await
    }

    /// The versions and delete markers of a bucket by key, the newest of each key first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_object_versions(&self, wanted: &ListObjects) -> Result<Listing, StoreError> {
        self.list(wanted, Of::Versions).await
    }

    async fn list(&self, wanted: &ListObjects, of: Of) -> Result<Listing, StoreError> {
        let limit = usize::try_from(wanted.limit).unwrap_or(usize::MAX);
        let mut entries = Vec::new();
        let mut position = wanted.start();
        while entries.len() <= limit && !matches!(position, Position::End) {
            let missing = limit + 1 - entries.len();
            let query = rows(wanted, of, &position, missing);
            let found = self.rows(query).await?;
            let mut found: VecDeque<Object> = found
                .into_iter()
                .map(|row| objects::read(row).map(|(object, _)| object))
                .collect::<Result<_, _>>()?;
            let last = found.len() < missing;
            while let Some(object) = found.pop_front() {
                let Some(prefix) = wanted.rolled_up(&object.key) else {
                    position = Position::after(&object, of);
                    entries.push(ListingEntry::Object(object));
                    continue;
                };
                // All that begins so is this one entry: it is not read but stepped over.
                while found.front().is_some_and(|next| next.key.starts_with(&prefix)) {
                    found.pop_front();
                }
                position = prefix_end(&prefix).map_or(Position::End, Position::At);
                entries.push(ListingEntry::Prefix(prefix));
            }
            if last {
                break;
            }
        }
        let more = entries.len() > limit;
        entries.truncate(limit);
        let next = if more { entries.last().map(|entry| entry.marker(of)) } else { None };
        Ok(Listing { entries, next })
    }
}

impl ListObjects {
    fn start(&self) -> Position {
        match &self.after {
            None => Position::At(self.prefix.clone()),
            Some(marker) if self.rolled_up(&marker.key).as_ref() == Some(&marker.key) => {
                prefix_end(&marker.key).map_or(Position::End, Position::At)
            }
            Some(Marker { key, version_id: None }) => Position::After(key.clone()),
            Some(marker) => Position::AfterVersion(marker.clone()),
        }
    }

    /// The beginning of the key, up to and with the first delimiter after the prefix.
    fn rolled_up(&self, key: &str) -> Option<String> {
        let delimiter = self.delimiter.as_deref().filter(|delimiter| !delimiter.is_empty())?;
        let rest = key.strip_prefix(self.prefix.as_str())?;
        let end = self.prefix.len() + rest.find(delimiter)? + delimiter.len();
        Some(key[..end].to_owned())
    }
}

impl Position {
    fn after(object: &Object, of: Of) -> Self {
        match of {
            Of::Current => Self::After(object.key.clone()),
            Of::Versions => Self::AfterVersion(Marker {
                key: object.key.clone(),
                version_id: Some(object.version_id.clone()),
            }),
        }
    }
}

impl ListingEntry {
    fn marker(&self, of: Of) -> Marker {
        match self {
            Self::Prefix(prefix) => Marker { key: prefix.clone(), version_id: None },
            Self::Object(object) => Marker {
                key: object.key.clone(),
                version_id: (of == Of::Versions).then(|| object.version_id.clone()),
            },
        }
    }
}

fn rows(wanted: &ListObjects, of: Of, position: &Position, limit: usize) -> Query {
    let mut sql = format!("SELECT {} FROM objects WHERE bucket = $1", objects::COLUMNS);
    let mut params = params![&wanted.bucket];
    let mut bind = |value: &str| {
        params.push(Value::from(value));
        params.len()
    };
    // The position may lie before the prefix, so both bound the range.
    sql += &format!(" AND key >= ${}", bind(&wanted.prefix));
    if let Some(end) = prefix_end(&wanted.prefix) {
        sql += &format!(" AND key < ${}", bind(&end));
    }
    match position {
        Position::At(key) => sql += &format!(" AND key >= ${}", bind(key)),
        Position::After(key) => sql += &format!(" AND key > ${}", bind(key)),
        Position::AfterVersion(Marker { key, version_id }) => {
            let (key, version) = (bind(key), bind(version_id.as_deref().unwrap_or("")));
            // A version that is gone meanwhile counts as the last of its key.
            sql += &format!(
                " AND key >= ${key} AND (key > ${key} OR seq < COALESCE((SELECT o.seq \
                 FROM objects o WHERE o.bucket = $1 AND o.key = ${key} \
                 AND o.version_id = ${version}), 0))"
            );
        }
        Position::End => {}
    }
    sql += match of {
        Of::Current => " AND is_latest = 1 AND delete_marker = 0 ORDER BY key",
        Of::Versions => " ORDER BY key, seq DESC",
    };
    params.push(Value::Int(i64::try_from(limit).unwrap_or(i64::MAX)));
    sql += &format!(" LIMIT ${}", params.len());
    Query::new(sql, params)
}
