//! The schema, as numbered steps. A step that was released is never edited: the next one changes what it made.

use crate::error::StoreError;

/// One step of the schema.
pub(crate) struct Migration {
    pub number: i64,
    pub sql: &'static str,
}

/// Every step, in order. Steps are developed side by side, so that one may arrive after a higher number.
pub(crate) const ALL: &[Migration] = &[
    Migration { number: 1, sql: include_str!("../migrations/0001_deployments.sql") },
    Migration { number: 2, sql: include_str!("../migrations/0002_documents.sql") },
    Migration { number: 3, sql: include_str!("../migrations/0003_objects.sql") },
    Migration { number: 4, sql: include_str!("../migrations/0004_hook_output.sql") },
    Migration { number: 5, sql: include_str!("../migrations/0005_api.sql") },
    Migration { number: 6, sql: include_str!("../migrations/0006_rollouts.sql") },
    Migration { number: 7, sql: include_str!("../migrations/0007_notifications.sql") },
    Migration { number: 8, sql: include_str!("../migrations/0008_console.sql") },
    Migration { number: 9, sql: include_str!("../migrations/0009_queues.sql") },
    Migration { number: 10, sql: include_str!("../migrations/0010_host_plans.sql") },
];

/// The newest step that this program knows.
pub(crate) const NEWEST: i64 = ALL[ALL.len() - 1].number;

/// Remembers which steps were taken.
pub(crate) const TABLE: &str =
    "CREATE TABLE IF NOT EXISTS schema_migrations (number BIGINT PRIMARY KEY)";

/// The steps taken.
pub(crate) const TAKEN: &str = "SELECT number FROM schema_migrations ORDER BY number";

/// The steps that a database which took some still lacks.
///
/// # Errors
/// It took one that this program does not know.
pub(crate) fn missing(taken: &[i64]) -> Result<impl Iterator<Item = &Migration>, StoreError> {
    match taken.last() {
        Some(&found) if found > NEWEST => Err(StoreError::NewerSchema { found, known: NEWEST }),
        _ => Ok(ALL.iter().filter(|step| !taken.contains(&step.number))),
    }
}

/// Remembers one step.
pub(crate) const RECORD: &str = "INSERT INTO schema_migrations (number) VALUES ($1)";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_ascend() {
        assert!(ALL.is_sorted_by(|one, next| one.number < next.number));
    }

    #[test]
    fn what_is_missing_is_taken_whatever_came_before() {
        let numbers = |taken: &[i64]| {
            missing(taken).map(|steps| steps.map(|step| step.number).collect::<Vec<_>>()).ok()
        };
        assert_eq!(numbers(&[]).map(|steps| steps.len()), Some(ALL.len()));
        assert_eq!(numbers(&[1, 2, NEWEST]).map(|steps| steps[0]), Some(3));
        assert_eq!(numbers(&[1, 2, NEWEST + 1]), None);
    }
}
