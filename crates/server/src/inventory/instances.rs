//! Instances as the inventory sees them.

use model::InstanceId;
use model::selection::Tags;

use crate::forms::Records;
use crate::forms::records::RecordError;

/// The kind of the documents that hold instances.
pub const KIND: &str = "ec2.instance";

/// An instance that may be a host.
pub struct HostInstance {
    /// Its id.
    pub id: InstanceId,
    /// Its tags.
    pub tags: Tags,
    /// It will never come back.
    pub terminated: bool,
}

/// The instances of a region.
pub async fn of_region(
    _records: &Records,
    _region: &str,
) -> Result<Vec<HostInstance>, RecordError> {
    Ok(Vec::new())
}

/// The instance of that id.
pub async fn find(
    _records: &Records,
    _id: &InstanceId,
) -> Result<Option<HostInstance>, RecordError> {
    Ok(None)
}
