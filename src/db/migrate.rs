//! The schema's history, embedded: the same stamps and names for both stores.

use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::connection::Conn;
use super::error::{StoreError, StoreResult};

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// Brings the schema up to date; answers how many migrations it ran.
pub fn run(conn: &mut Conn) -> StoreResult<usize> {
    let outcome = match conn {
        Conn::Sqlite(conn) => conn.run_pending_migrations(SQLITE).map(|done| done.len()),
        Conn::Pg(conn) => conn.run_pending_migrations(POSTGRES).map(|done| done.len()),
    };
    outcome.map_err(|error| StoreError::Failed(format!("migration failed: {error}")))
}

/// Whether a migration is still to be run.
pub fn is_pending(conn: &mut Conn) -> StoreResult<bool> {
    let outcome = match conn {
        Conn::Sqlite(conn) => conn.has_pending_migration(SQLITE),
        Conn::Pg(conn) => conn.has_pending_migration(POSTGRES),
    };
    outcome.map_err(|error| StoreError::Failed(error.to_string()))
}
