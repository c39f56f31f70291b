//! Stores and recordings that older programs made, read by this one. `tests/data/stored/README.md` says how they were made.

mod adoption;
mod answers;
mod comparison;
mod plans;
mod recordings;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clock::{ManualClock, RandomIds};
use diesel::RunQueryDsl;
use diesel::sql_types::Text;
use evenwatt::app::{self, Dependencies, Running};
use evenwatt::store::connection::Synchronous;
use evenwatt::store::{Conn, StoreUrl};
use flate2::read::GzDecoder;
use serde_json::Value;

use crate::support::{Client, TestStore, configuration};

/// Where a file of them is.
fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/stored").join(name)
}

/// What is in a compressed file of them.
fn unpacked(name: &str) -> Vec<u8> {
    let packed = std::fs::read(file(name)).expect("a stored file");
    let mut content = Vec::new();
    GzDecoder::new(packed.as_slice()).read_to_end(&mut content).expect("a gzip file");
    content
}

/// A copy of a SQLite store of them.
fn stored_file(name: &str) -> TestStore {
    TestStore::of_file(&unpacked(name))
}

/// Answers that the program of commit 438937b gave, and when.
fn answers() -> Value {
    serde_json::from_slice(&unpacked("answers.json.gz")).expect("JSON")
}

fn open(url: &str) -> Conn {
    let url: StoreUrl = url.parse().expect("a store");
    Conn::open(&url, Synchronous::Normal).expect("the store opens")
}

/// The column `text` of what a query finds.
fn rows(conn: &mut Conn, query: &str) -> Vec<String> {
    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        text: String,
    }
    let found: Vec<Row> = match conn {
        Conn::Pg(conn) => diesel::sql_query(query).load(conn),
        Conn::Sqlite(conn) => diesel::sql_query(query).load(conn),
    }
    .expect("rows");
    found.into_iter().map(|row| row.text).collect()
}

/// A server on the store of 0.1.0, at the time when the answers were given.
struct Stored {
    running: Running,
    client: Client,
    _store: TestStore,
    /// What was answered then, by path.
    answers: Value,
}

impl Stored {
    async fn start() -> Self {
        let (store, answers) = (stored_file("0.1.0.db.gz"), answers());
        let text = |field: &str| answers[field].as_str().expect("a text").to_owned();
        let clock = ManualClock::at(text("at").parse().expect("a time"));
        let config = configuration(&store.url, &[("EVENWATT_HTTP_PUBLIC_URL", "ws://depot.example.com")]);
        let dependencies = Dependencies { clock: Arc::new(clock), ids: Arc::new(RandomIds::new()), link: None };
        let running = app::start(&config, dependencies).await.expect("the server starts");
        let client = Client::new(running.address, &text("key"));
        Self { running, client, _store: store, answers }
    }
}
