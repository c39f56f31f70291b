//! The schema's history, embedded: the same stamps and names for both stores.
//!
//! It begins with one migration that makes the whole schema, the baseline. Before it the schema was made in steps. A store that
//! has all of them has the schema of the baseline and is adopted: only its history is rewritten. One that lacks some is refused;
//! it goes through the last version that has the steps.

use diesel::connection::SimpleConnection;
use diesel::migration::MigrationSource;
use diesel::sql_types::BigInt;
use diesel::sqlite::Sqlite;
use diesel::{QueryableByName, RunQueryDsl as _, sql_query};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::connection::Conn;
use super::error::{StoreError, StoreResult};
use crate::each;

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// The migration that makes the whole schema.
const BASELINE: &str = "20261127160000";
/// The last version of this program that has the steps.
const LAST_WITH_STEPS: &str = "0.1.0";
/// The steps that made the same schema before there was a baseline.
const STEPS: [&str; 52] = [
    "20261121100000",
    "20261121110000",
    "20261121120000",
    "20261121122000",
    "20261121130100",
    "20261121130200",
    "20261121130300",
    "20261121130400",
    "20261121150000",
    "20261121151000",
    "20261121152000",
    "20261121160000",
    "20261121161000",
    "20261121162000",
    "20261121170000",
    "20261121180000",
    "20261121180100",
    "20261121180200",
    "20261121180300",
    "20261121190000",
    "20261121200000",
    "20261121210000",
    "20261121210100",
    "20261121210200",
    "20261121220000",
    "20261121220100",
    "20261121220200",
    "20261121220300",
    "20261121230000",
    "20261126100100",
    "20261126100200",
    "20261126110000",
    "20261126111000",
    "20261126120000",
    "20261126120100",
    "20261126120200",
    "20261126130000",
    "20261126170000",
    "20261126171000",
    "20261126173000",
    "20261126180000",
    "20261126181000",
    "20261127100000",
    "20261127101000",
    "20261127102000",
    "20261127110000",
    "20261127111000",
    "20261127120000",
    "20261127121000",
    "20261127130000",
    "20261127140000",
    "20261127150000",
];

/// What is known of a store by the migrations that it has.
#[derive(Debug, PartialEq, Eq)]
enum History {
    /// It begins with the baseline, or is empty.
    Current,
    /// It has all the steps and no baseline.
    AllSteps,
    /// It was made in steps and lacks some, in order.
    Lacking(Vec<&'static str>),
    /// It has migrations that this program does not know, in order.
    Newer(Vec<String>),
}

impl History {
    fn of(applied: &[String], known: &[String]) -> Self {
        let has = |version: &str| applied.iter().any(|one| one == version);
        let mut unknown: Vec<String> = applied.to_vec();
        unknown.retain(|version| !known.contains(version) && !STEPS.contains(&version.as_str()));
        unknown.sort();
        if !unknown.is_empty() {
            return Self::Newer(unknown);
        }
        let lacking: Vec<&str> = STEPS.into_iter().filter(|step| !has(step)).collect();
        match lacking.len() {
            0 => Self::AllSteps,
            all if all == STEPS.len() => Self::Current,
            _ => Self::Lacking(lacking),
        }
    }

    fn read(conn: &mut Conn) -> StoreResult<Self> {
        Ok(Self::of(&applied(conn)?, &known()?))
    }

    /// Why this program does not use a store with this history.
    fn refusal(&self) -> Option<StoreError> {
        match self {
            Self::Current | Self::AllSteps => None,
            Self::Lacking(lacking) => {
                let first = lacking.first().copied().unwrap_or_default();
                Some(StoreError::Failed(format!(
                    "the store was last used by a program before version {LAST_WITH_STEPS}: it lacks {} migration(s) of that \
                     version, the first is {first}. Start version {LAST_WITH_STEPS} on it once (tag v{LAST_WITH_STEPS}), or run \
                     `evenwatt migrate` of that version, and then start this one",
                    lacking.len()
                )))
            }
            Self::Newer(unknown) => {
                let newest = unknown.last().map(String::as_str).unwrap_or_default();
                Some(StoreError::Failed(format!(
                    "the store was last used by a newer program: it has {} migration(s) that this one does not know, the newest is \
                     {newest}. Start that program again, or restore a backup from before it",
                    unknown.len()
                )))
            }
        }
    }
}

fn unreadable(error: Box<dyn std::error::Error + Send + Sync>) -> StoreError {
    StoreError::Failed(format!("the schema's history cannot be read: {error}"))
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    tables: i64,
}

/// The migrations that a store has. Asking makes no table in a database that is somebody else's.
fn applied(conn: &mut Conn) -> StoreResult<Vec<String>> {
    let Count { tables } = match conn {
        Conn::Sqlite(conn) => {
            sql_query("SELECT count(*) AS tables FROM sqlite_master WHERE name = '__diesel_schema_migrations'")
                .get_result(conn)
        }
        Conn::Pg(conn) => {
            sql_query("SELECT count(to_regclass('__diesel_schema_migrations')) AS tables").get_result(conn)
        }
    }?;
    if tables == 0 {
        return Ok(Vec::new());
    }
    let applied = each!(conn, |conn| conn.applied_migrations()).map_err(unreadable)?;
    Ok(applied.iter().map(ToString::to_string).collect())
}

/// The migrations of this program, which are the same for both stores.
fn known() -> StoreResult<Vec<String>> {
    MigrationSource::<Sqlite>::migrations(&SQLITE).map(versions).map_err(unreadable)
}

/// Whether a database has any of our migrations: else it is somebody else's, or empty.
pub fn has_history(conn: &mut Conn) -> StoreResult<bool> {
    let known = known()?;
    Ok(applied(conn)?.iter().any(|version| known.contains(version) || STEPS.contains(&version.as_str())))
}

/// Refuses the history of a store that this program does not use.
pub fn admit(applied: &[String]) -> StoreResult<()> {
    History::of(applied, &known()?).refusal().map_or(Ok(()), Err)
}

/// How many migrations of this program a store lacks.
pub fn lacking(conn: &mut Conn) -> StoreResult<usize> {
    let applied = applied(conn)?;
    Ok(known()?.iter().filter(|version| !applied.contains(version)).count())
}

/// Brings the schema up to date; answers how many migrations it ran. A store that a newer program migrated is left alone, and so
/// is one that lacks steps from before the baseline.
pub fn run(conn: &mut Conn) -> StoreResult<usize> {
    let history = History::read(conn)?;
    if let Some(refusal) = history.refusal() {
        return Err(refusal);
    }
    if history == History::AllSteps {
        adopt(conn)?;
    }
    let outcome = match conn {
        Conn::Sqlite(conn) => conn.run_pending_migrations(SQLITE).map(|done| done.len()),
        Conn::Pg(conn) => conn.run_pending_migrations(POSTGRES).map(|done| done.len()),
    };
    outcome.map_err(|error| StoreError::Failed(format!("migration failed: {error}")))
}

/// Writes the baseline in place of the steps into the history of a store that has them all. Nothing else is touched.
fn adopt(conn: &mut Conn) -> StoreResult<()> {
    let rewrite = format!(
        "DELETE FROM __diesel_schema_migrations WHERE version < '{BASELINE}'; \
         INSERT INTO __diesel_schema_migrations (version) VALUES ('{BASELINE}');"
    );
    conn.write(|conn| each!(conn, |conn| conn.batch_execute(&rewrite)))?;
    tracing::info!("the schema's history now begins with the baseline of version {LAST_WITH_STEPS}");
    Ok(())
}

/// Whether a migration is still to be run, or the history to be rewritten.
pub fn is_pending(conn: &mut Conn) -> StoreResult<bool> {
    let outcome = match conn {
        Conn::Sqlite(conn) => conn.has_pending_migration(SQLITE),
        Conn::Pg(conn) => conn.has_pending_migration(POSTGRES),
    };
    outcome.map_err(|error| StoreError::Failed(error.to_string()))
}

/// Migrations that the store has and this program does not, in order.
pub fn unknown(conn: &mut Conn) -> StoreResult<Vec<String>> {
    match History::read(conn)? {
        History::Newer(unknown) => Ok(unknown),
        History::Current | History::AllSteps | History::Lacking(_) => Ok(Vec::new()),
    }
}

fn versions<DB: diesel::backend::Backend>(migrations: Vec<Box<dyn diesel::migration::Migration<DB>>>) -> Vec<String> {
    let versions = migrations.iter().map(|one| one.name().version().to_string());
    versions.collect()
}

#[cfg(test)]
mod tests {
    use diesel::pg::Pg;

    use super::*;

    fn owned(versions: &[&str]) -> Vec<String> {
        versions.iter().map(|version| (*version).to_owned()).collect()
    }

    fn history(applied: &[&str]) -> History {
        History::of(&owned(applied), &owned(&[BASELINE, "20270101000000"]))
    }

    #[test]
    fn a_store_is_classified_by_the_migrations_that_it_has() {
        assert_eq!(history(&[]), History::Current);
        assert_eq!(history(&[BASELINE]), History::Current);
        assert_eq!(history(&STEPS), History::AllSteps);
        assert_eq!(history(&STEPS[..51]), History::Lacking(vec!["20261127150000"]));
        assert_eq!(history(&STEPS[1..]), History::Lacking(vec!["20261121100000"]));
        assert_eq!(history(&[BASELINE, "29990101120000"]), History::Newer(owned(&["29990101120000"])));
    }

    #[test]
    fn a_step_that_nobody_knows_is_newer_whatever_else_is_there() {
        let mut applied = STEPS.to_vec();
        applied.extend(["29990101120000", "20280101000000"]);
        assert_eq!(history(&applied), History::Newer(owned(&["20280101000000", "29990101120000"])));
    }

    #[test]
    fn the_baseline_is_the_first_migration_of_both_stores() {
        let sqlite = MigrationSource::<Sqlite>::migrations(&SQLITE).map(versions).expect("embedded");
        let postgres = MigrationSource::<Pg>::migrations(&POSTGRES).map(versions).expect("embedded");
        assert_eq!(sqlite.iter().min().map(String::as_str), Some(BASELINE));
        assert_eq!(sqlite, postgres);
    }
}
