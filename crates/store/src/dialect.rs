//! The few words in which the engines' SQL differs. The statements are written as PostgreSQL understands them.

/// The statement as SQLite understands it.
///
/// Placeholders become positional. Row locks go: SQLite has a single writer, so nothing can come between.
pub(crate) fn for_sqlite(sql: &str) -> String {
    sql.replace('$', "?").replace(" FOR UPDATE", "")
}

/// A migration as PostgreSQL understands it.
///
/// Texts are ids, names and keys: they are ordered by their bytes in every database, whatever its locale, as SQLite
/// does by itself.
pub(crate) fn migration_for_postgres(sql: &str) -> String {
    sql.replace(" TEXT", " TEXT COLLATE \"C\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlite_gets_positional_placeholders_and_no_row_locks() {
        assert_eq!(
            for_sqlite("SELECT a FROM t WHERE b = $2 AND c = $1 FOR UPDATE"),
            "SELECT a FROM t WHERE b = ?2 AND c = ?1"
        );
    }

    #[test]
    fn postgres_orders_texts_by_their_bytes() {
        assert_eq!(migration_for_postgres("id TEXT NOT NULL"), "id TEXT COLLATE \"C\" NOT NULL");
    }
}
