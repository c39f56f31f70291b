//! A fresh, migrated database for each test: a copy of a template that is made once a process.

use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use evenwatt::store::connection::Synchronous;
use evenwatt::store::{Conn, StoreUrl, migrate};
use tempfile::TempDir;

use super::watchdog::watch_this_test;

/// A database that goes away with this value.
pub struct TestStore {
    pub url: String,
    kind: Kind,
}

enum Kind {
    Sqlite { _folder: TempDir },
    Postgres { server: String, name: String },
}

static COUNTER: AtomicU32 = AtomicU32::new(0);

impl TestStore {
    pub fn new() -> Self {
        watch_this_test();
        match std::env::var("TEST_POSTGRES_URL") {
            Ok(server) => Self::postgres(server),
            Err(_) => Self::sqlite(),
        }
    }

    fn sqlite() -> Self {
        static TEMPLATE: OnceLock<Vec<u8>> = OnceLock::new();
        let template = TEMPLATE.get_or_init(|| {
            let folder = TempDir::new().expect("a temporary folder");
            let path = folder.path().join("template.db");
            migrated(&path);
            std::fs::read(path).expect("the template")
        });
        let folder = TempDir::new().expect("a temporary folder");
        let path = folder.path().join("test.db");
        std::fs::write(&path, template).expect("a copy");
        Self { url: format!("sqlite://{}", path.display()), kind: Kind::Sqlite { _folder: folder } }
    }

    /// A SQLite file with this content, whatever the other tests run on.
    pub fn of_file(content: &[u8]) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let path = folder.path().join("stored.db");
        std::fs::write(&path, content).expect("a copy");
        Self { url: format!("sqlite://{}", path.display()), kind: Kind::Sqlite { _folder: folder } }
    }

    /// A PostgreSQL database that these statements make; none where the tests run on SQLite.
    pub fn of_dump(statements: &str) -> Option<Self> {
        let server = std::env::var("TEST_POSTGRES_URL").ok()?;
        let name = format!("dump_{}_{}", std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed));
        admin(&server, &format!("CREATE DATABASE {name}"));
        let store = Self { url: database(&server, &name), kind: Kind::Postgres { server, name } };
        admin(&store.url, statements);
        Some(store)
    }

    fn postgres(server: String) -> Self {
        static TEMPLATE: OnceLock<String> = OnceLock::new();
        let template = TEMPLATE.get_or_init(|| {
            let name = format!("template_{}", std::process::id());
            admin(&server, &format!("DROP DATABASE IF EXISTS {name}"));
            admin(&server, &format!("CREATE DATABASE {name}"));
            let url = StoreUrl::Postgres(database(&server, &name));
            let mut conn = Conn::open(&url, Synchronous::Normal).expect("the template opens");
            migrate::run(&mut conn).expect("migrations run");
            name
        });
        let name = format!("test_{}_{}", std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed));
        admin(&server, &format!("CREATE DATABASE {name} TEMPLATE {template}"));
        Self { url: database(&server, &name), kind: Kind::Postgres { server, name } }
    }
}

impl Drop for TestStore {
    fn drop(&mut self) {
        if let Kind::Postgres { server, name } = &self.kind {
            admin(server, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        }
    }
}

fn migrated(path: &Path) {
    let url = StoreUrl::Sqlite(path.display().to_string());
    let mut conn = Conn::open(&url, Synchronous::Normal).expect("SQLite opens");
    migrate::run(&mut conn).expect("migrations run");
    let Conn::Sqlite(conn) = &mut conn else { unreachable!("a SQLite URL") };
    conn.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)").expect("a checkpoint");
}

fn database(server: &str, name: &str) -> String {
    let (base, query) = server.split_once('?').map_or((server, String::new()), |(base, q)| (base, format!("?{q}")));
    let (host, _) = base.rsplit_once('/').expect("postgres://…/database");
    format!("{host}/{name}{query}")
}

fn admin(server: &str, statement: &str) {
    let mut conn = PgConnection::establish(server).expect("the PostgreSQL server of TEST_POSTGRES_URL");
    conn.batch_execute(statement).expect("an administrative statement");
}
