//! The schema, as numbered steps. A step that was released is never edited: the next one changes what it made.

/// One step of the schema.
pub(crate) struct Migration {
    pub number: i64,
    pub sql: &'static str,
}

/// Every step, in order.
pub(crate) const ALL: [Migration; 3] = [
    Migration { number: 1, sql: include_str!("../migrations/0001_deployments.sql") },
    Migration { number: 2, sql: include_str!("../migrations/0002_documents.sql") },
    Migration { number: 3, sql: include_str!("../migrations/0003_objects.sql") },
];

/// The newest step that this program knows.
pub(crate) const NEWEST: i64 = ALL[ALL.len() - 1].number;

/// Remembers which steps were taken.
pub(crate) const TABLE: &str =
    "CREATE TABLE IF NOT EXISTS schema_migrations (number BIGINT PRIMARY KEY)";

/// The newest step taken, or 0.
pub(crate) const TAKEN: &str = "SELECT COALESCE(MAX(number), 0) FROM schema_migrations";

/// Remembers one step.
pub(crate) const RECORD: &str = "INSERT INTO schema_migrations (number) VALUES ($1)";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_count_from_one_without_a_gap() {
        let numbers: Vec<i64> = ALL.iter().map(|migration| migration.number).collect();
        assert_eq!(numbers, (1..=NEWEST).collect::<Vec<_>>());
    }
}
