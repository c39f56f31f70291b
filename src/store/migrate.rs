//! The schema's history, embedded: the same stamps and names for both stores.

use diesel::migration::MigrationSource;
use diesel::pg::Pg;
use diesel::sqlite::Sqlite;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::connection::Conn;
use super::error::{StoreError, StoreResult};

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// Brings the schema up to date; answers how many migrations it ran. A store that a newer program migrated is left alone.
pub fn run(conn: &mut Conn) -> StoreResult<usize> {
    let unknown = unknown(conn)?;
    if let Some(newest) = unknown.last() {
        return Err(StoreError::Failed(format!(
            "the store was last used by a newer program: it has {} migration(s) that this one does not know, the newest is \
             {newest}. Start that program again, or restore a backup from before it",
            unknown.len()
        )));
    }
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

/// Migrations that the store has and this program does not, in order.
pub fn unknown(conn: &mut Conn) -> StoreResult<Vec<String>> {
    let (applied, known) = match conn {
        Conn::Sqlite(conn) => (conn.applied_migrations(), MigrationSource::<Sqlite>::migrations(&SQLITE).map(versions)),
        Conn::Pg(conn) => (conn.applied_migrations(), MigrationSource::<Pg>::migrations(&POSTGRES).map(versions)),
    };
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| {
        StoreError::Failed(format!("the schema's history cannot be read: {error}"))
    };
    let (applied, known) = (applied.map_err(failed)?, known.map_err(failed)?);
    let mut unknown: Vec<String> = applied.iter().map(ToString::to_string).collect();
    unknown.retain(|version| !known.contains(version));
    unknown.sort();
    Ok(unknown)
}

fn versions<DB: diesel::backend::Backend>(migrations: Vec<Box<dyn diesel::migration::Migration<DB>>>) -> Vec<String> {
    let versions = migrations.iter().map(|one| one.name().version().to_string());
    versions.collect()
}
