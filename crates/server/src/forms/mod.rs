//! What the form services (EC2, IAM, STS) share: their calls' parameters, refusals, records and surroundings.
//!
//! A service is a function from a verified caller, an action's name and parameters to an element of XML. The edge
//! verifies, parses and wraps; nothing here knows HTTP.

mod error;
mod housekeeping;
mod params;
pub mod records;

use std::sync::Arc;

use model::Timestamp;
use model::arn::Scope;

pub use error::{ApiError, NO_SPACE_LEFT};
pub use housekeeping::housekeep;
pub use params::{BadParameter, Params};
pub use records::Records;

use crate::iam::Keyring;
use crate::notifications::Outside;
use crate::performer::Performer;

/// What a service works with; made by the edge for each call.
#[derive(Clone)]
pub struct Context {
    /// The neighbouring services' records.
    pub records: Records,
    /// The access keys.
    pub keyring: Arc<Keyring>,
    /// Makes local instances, if this server has any.
    pub performer: Option<Arc<Performer>>,
    /// How others are reached, and how they reach this server.
    pub outside: Arc<Outside>,
    /// The account, and the region for which the request was signed.
    pub scope: Scope,
    /// When the request came.
    pub now: Timestamp,
}

/// A point in time as the form services write it: `2026-11-22T21:04:05Z`, with milliseconds where there are any.
pub(crate) fn iso(time: Timestamp) -> String {
    match jiff::Timestamp::from_millisecond(time.as_millis()) {
        Ok(time) => format!("{time:.3}"),
        // Beyond the year 9999.
        Err(_) => "9999-12-31T23:59:59.999Z".to_owned(),
    }
}

/// The same from milliseconds.
pub(crate) fn iso_ms(millis: i64) -> String {
    iso(Timestamp::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_utc() {
        assert_eq!(iso_ms(1_795_381_445_250), "2026-11-22T21:04:05.250Z");
        assert_eq!(iso_ms(i64::MAX), "9999-12-31T23:59:59.999Z");
    }
}
