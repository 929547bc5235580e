//! Revisions: where the thing to deploy lies.

use std::fmt;

/// The kind of archive that a bundle is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BundleType {
    Tar,
    Tgz,
    Zip,
    /// Beyond AWS: tar compressed with Zstandard.
    TarZst,
}

impl BundleType {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tar => "tar",
            Self::Tgz => "tgz",
            Self::Zip => "zip",
            Self::TarZst => "tar.zst",
        }
    }

    /// The type that has this name on the wire.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Tar, Self::Tgz, Self::Zip, Self::TarZst]
            .into_iter()
            .find(|bundle| bundle.name() == name)
    }
}

/// The location of a bundle: a revision has no other identity inside its application.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Revision {
    S3 {
        bucket: String,
        key: String,
        bundle_type: BundleType,
        /// The object's version; the newest at download time where absent.
        version: Option<String>,
        /// The object's eTag as given, maybe with literal quotes; unchecked where absent.
        etag: Option<String>,
    },
    GitHub {
        /// `account/repository`.
        repository: String,
        /// The full commit id: 40 hexadecimal digits.
        commit_id: String,
    },
}

impl Revision {
    /// The eTag without the quotes that some clients keep around it.
    pub fn bare_etag(&self) -> Option<&str> {
        match self {
            Self::S3 { etag, .. } => etag.as_deref().map(|etag| etag.trim_matches('"')),
            Self::GitHub { .. } => None,
        }
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::S3 { bucket, key, .. } => write!(f, "s3://{bucket}/{key}"),
            Self::GitHub { repository, commit_id } => {
                write!(f, "github.com/{repository}@{commit_id}")
            }
        }
    }
}
