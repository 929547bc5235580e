//! Conditional requests: read or write only if the object is (not) as the caller knows it.

use s3s::dto::{ETagCondition, Timestamp};
use s3s::{S3Error, S3ErrorCode};

use super::attributes;
use super::fault;

/// The conditions of a read, or those that a copy sets on its source.
#[derive(Debug, Clone, Default)]
pub(super) struct Conditions {
    pub(super) if_match: Option<ETagCondition>,
    pub(super) if_none_match: Option<ETagCondition>,
    pub(super) if_modified_since: Option<Timestamp>,
    pub(super) if_unmodified_since: Option<Timestamp>,
}

/// How an object compares with what the caller knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Go on.
    Holds,
    /// The caller has it already.
    NotModified,
    /// It is not what the caller expects.
    Failed,
}

impl Conditions {
    /// Compares with an object of this ETag (without quotes), last modified then. An ETag decides where both
    /// it and a date are given. Source: RFC 9110 §13.2.2, and the API reference, `GetObject`.
    pub(super) fn verdict(&self, etag: &str, modified: model::Timestamp) -> Verdict {
        let modified = attributes::header_time(modified);
        match (&self.if_match, &self.if_unmodified_since) {
            (Some(expected), _) if !matches(expected, etag) => return Verdict::Failed,
            (None, Some(since)) if modified > *since => return Verdict::Failed,
            _ => {}
        }
        match (&self.if_none_match, &self.if_modified_since) {
            (Some(known), _) if matches(known, etag) => Verdict::NotModified,
            (None, Some(since)) if modified <= *since => Verdict::NotModified,
            _ => Verdict::Holds,
        }
    }

    /// The same for the source of a copy, which is either as expected or not.
    pub(super) fn check_source(
        &self,
        etag: &str,
        modified: model::Timestamp,
    ) -> Result<(), S3Error> {
        match self.verdict(etag, modified) {
            Verdict::Holds => Ok(()),
            Verdict::NotModified | Verdict::Failed => {
                Err(fault::known(S3ErrorCode::PreconditionFailed))
            }
        }
    }
}

/// Whether an object of this ETag is what the condition names; `*` names any.
pub(super) fn matches(condition: &ETagCondition, etag: &str) -> bool {
    match condition {
        ETagCondition::Any => true,
        ETagCondition::ETag(named) => named.value() == etag,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODIFIED: model::Timestamp = model::Timestamp::from_millis(1_000_500);

    fn etag(text: &str) -> Option<ETagCondition> {
        Some(text.parse().unwrap())
    }

    fn at(millis: i64) -> Option<Timestamp> {
        Some(attributes::time(model::Timestamp::from_millis(millis)))
    }

    #[test]
    fn etags_decide() {
        let verdict = |conditions: Conditions| conditions.verdict("abc", MODIFIED);
        let if_match = |text| Conditions { if_match: etag(text), ..Conditions::default() };
        let if_none_match =
            |text| Conditions { if_none_match: etag(text), ..Conditions::default() };
        assert_eq!(verdict(if_match("\"abc\"")), Verdict::Holds);
        assert_eq!(verdict(if_match("*")), Verdict::Holds);
        assert_eq!(verdict(if_match("\"xyz\"")), Verdict::Failed);
        assert_eq!(verdict(if_none_match("\"abc\"")), Verdict::NotModified);
        assert_eq!(verdict(if_none_match("\"xyz\"")), Verdict::Holds);
    }

    #[test]
    fn dates_compare_by_whole_seconds() {
        let verdict = |conditions: Conditions| conditions.verdict("abc", MODIFIED);
        let since = |millis| Conditions { if_modified_since: at(millis), ..Conditions::default() };
        let unmodified =
            |millis| Conditions { if_unmodified_since: at(millis), ..Conditions::default() };
        assert_eq!(verdict(since(1_000_000)), Verdict::NotModified);
        assert_eq!(verdict(since(999_000)), Verdict::Holds);
        assert_eq!(verdict(unmodified(1_000_000)), Verdict::Holds);
        assert_eq!(verdict(unmodified(999_000)), Verdict::Failed);
    }

    #[test]
    fn an_etag_outweighs_a_date() {
        let both = Conditions {
            if_match: etag("\"abc\""),
            if_unmodified_since: at(0),
            if_none_match: etag("\"xyz\""),
            if_modified_since: at(9_000_000),
        };
        assert_eq!(both.verdict("abc", MODIFIED), Verdict::Holds);
    }
}
