//! One connection type over both stores, and how each is opened.

use std::fmt;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::str::FromStr;

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::r2d2::{ManageConnection, R2D2Connection};
use diesel::{Connection, PgConnection, SqliteConnection};

use super::error::{StoreError, StoreResult};

/// A connection to whichever store is configured.
#[derive(diesel::MultiConnection)]
pub enum Conn {
    /// PostgreSQL.
    Pg(PgConnection),
    /// SQLite.
    Sqlite(SqliteConnection),
}

/// Runs one expression on the concrete connection, for what both backends can say but the pair cannot (upserts and batches), and
/// for queries that are made with each message of a station: the pair writes their SQL anew each time, to find the prepared statement
/// by it, and a connection finds it by the query's type.
#[macro_export]
macro_rules! each {
    ($conn:expr, |$c:ident| $body:expr) => {
        match $conn {
            $crate::store::Conn::Pg($c) => $body,
            $crate::store::Conn::Sqlite($c) => $body,
        }
    };
}

/// Where the data lives.
#[derive(Clone, PartialEq, Eq)]
pub enum StoreUrl {
    /// A PostgreSQL connection string.
    Postgres(String),
    /// A SQLite file.
    Sqlite(String),
}

impl FromStr for StoreUrl {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        let path = text.strip_prefix("sqlite://").or_else(|| text.strip_prefix("sqlite:")).unwrap_or(text);
        if path.is_empty() || path.contains("://") || path == ":memory:" {
            return Err(format!("\"{text}\" is neither postgres://… nor sqlite://<file>"));
        }
        Ok(Self::Sqlite(path.to_owned()))
    }
}

/// Never prints a password.
impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Postgres(url) => {
                let shown = url.rsplit_once('@').map_or(url.as_str(), |(_, host)| host);
                write!(f, "PostgreSQL at {}", shown.trim_start_matches("postgres://"))
            }
            Self::Sqlite(path) => write!(f, "SQLite file {path}"),
        }
    }
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// How hard SQLite syncs: `FULL` survives a power cut with every acknowledged commit, `NORMAL` survives a killed
/// process with every acknowledged commit and a power cut without corruption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Synchronous {
    /// One fsync a commit (shared by the commit's whole group).
    Full,
    /// No fsync a commit.
    Normal,
}

/// Pages that SQLite's log has before they are copied into the file. Most pages of a busy store are changed again soon, so that a
/// longer log copies fewer. As many as one block of the log's index knows (4,062), in which a page is found at once.
const CHECKPOINT_PAGES: u32 = 4_000;

/// Makes the database file where there is none, for its owner alone; SQLite gives its WAL the same rights.
fn private_file(path: &Path) -> StoreResult<()> {
    let made = private().create_new(true).open(path);
    match made {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(StoreError::Failed(format!("{}: {error}", path.display()))),
    }
}

/// How files are opened that nobody but their owner may read.
pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    options
}

impl Conn {
    /// Opens a connection with the settings every connection needs.
    pub fn open(url: &StoreUrl, synchronous: Synchronous) -> StoreResult<Self> {
        match url {
            StoreUrl::Postgres(url) => Ok(Self::Pg(PgConnection::establish(url)?)),
            StoreUrl::Sqlite(path) => {
                private_file(Path::new(path))?;
                let mut conn = SqliteConnection::establish(path)?;
                let level = match synchronous {
                    Synchronous::Full => "FULL",
                    Synchronous::Normal => "NORMAL",
                };
                conn.batch_execute(&format!(
                    "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = {level}; \
                     PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16000; \
                     PRAGMA mmap_size = 268435456; PRAGMA journal_size_limit = 67108864; \
                     PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES};"
                ))?;
                super::limit::register(&conn)?;
                Ok(Self::Sqlite(conn))
            }
        }
    }

    /// Runs `work` in a transaction that takes the write lock at its start, so that it never fails half-way because
    /// somebody else wrote (SQLite refuses to turn a stale read into a write).
    pub fn write<T, E: From<diesel::result::Error>>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        self.begin()?;
        match work(self) {
            Ok(value) => {
                self.commit()?;
                Ok(value)
            }
            Err(error) => {
                self.rollback();
                Err(error)
            }
        }
    }

    /// Runs queries that see the rows of one instant, whatever is committed meanwhile.
    pub fn at_one_instant<T, E: From<diesel::result::Error>>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        if self.is_in_transaction()? {
            return work(self);
        }
        match self {
            Self::Sqlite(conn) => AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN"),
            Self::Pg(conn) => {
                AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            }
        }?;
        match work(self) {
            Ok(value) => {
                self.commit()?;
                Ok(value)
            }
            Err(error) => {
                self.rollback();
                Err(error)
            }
        }
    }

    fn is_in_transaction(&mut self) -> Result<bool, diesel::result::Error> {
        let depth =
            each!(self, |conn| { AnsiTransactionManager::transaction_manager_status_mut(conn).transaction_depth() });
        Ok(depth?.is_some())
    }

    pub(super) fn begin(&mut self) -> Result<(), diesel::result::Error> {
        match self {
            Self::Sqlite(conn) => AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN IMMEDIATE"),
            Self::Pg(conn) => AnsiTransactionManager::begin_transaction(conn),
        }
    }

    pub(super) fn commit(&mut self) -> Result<(), diesel::result::Error> {
        each!(self, |conn| AnsiTransactionManager::commit_transaction(conn))
    }

    pub(super) fn is_broken(&mut self) -> bool {
        each!(self, |conn| R2D2Connection::is_broken(conn))
    }

    pub(super) fn rollback(&mut self) {
        let outcome = each!(self, |conn| AnsiTransactionManager::rollback_transaction(conn));
        if let Err(error) = outcome {
            tracing::warn!(%error, "could not roll back");
        }
    }
}

/// Opens connections for the pool by the URL's scheme, so that the store's own error text survives.
#[derive(Debug)]
pub(super) struct Opener {
    pub(super) url: StoreUrl,
    pub(super) synchronous: Synchronous,
}

impl ManageConnection for Opener {
    type Connection = Conn;
    type Error = StoreError;

    fn connect(&self) -> StoreResult<Conn> {
        Conn::open(&self.url, self.synchronous)
    }
    fn is_valid(&self, conn: &mut Conn) -> StoreResult<()> {
        Ok(each!(conn, |conn| conn.ping())?)
    }
    fn has_broken(&self, conn: &mut Conn) -> bool {
        std::thread::panicking() || conn.is_broken()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_decides_the_store_and_hides_passwords() {
        let url: StoreUrl = "postgres://ewatt:secret@db/evenwatt".parse().expect("postgres");
        assert_eq!(url.to_string(), "PostgreSQL at db/evenwatt");
        assert_eq!("sqlite://a.db".parse(), Ok(StoreUrl::Sqlite("a.db".into())));
        assert_eq!("a.db".parse(), Ok(StoreUrl::Sqlite("a.db".into())));
        assert!("mysql://x".parse::<StoreUrl>().is_err());
    }
}
