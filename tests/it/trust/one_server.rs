//! One server on a store: what a second one gets, what works beside one, and what is written while the lock is gone.

use std::time::Duration;

use clock::RandomIds;
use diesel::RunQueryDsl;
use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use evenwatt::app;
use evenwatt::store::connection::Synchronous;
use evenwatt::store::lock::{Holder, LockError};
use evenwatt::store::{Conn, StoreLock, StoreUrl, migrate};
use kernel::IdSource;
use kernel::Timestamp;
use serde_json::json;

use crate::support::{TestApp, TestStore, configuration};

fn parsed(url: &str) -> StoreUrl {
    url.parse().expect("a store")
}

fn open(url: &str) -> Conn {
    Conn::open(&parsed(url), Synchronous::Normal).expect("the store opens")
}

fn somebody() -> Holder {
    let now = Timestamp::from_unix_seconds(1_777_000_000);
    Holder::this_process(RandomIds::new().next_raw(now), now)
}

fn execute(conn: &mut Conn, statement: &str) {
    match conn {
        Conn::Pg(conn) => conn.batch_execute(statement),
        Conn::Sqlite(conn) => conn.batch_execute(statement),
    }
    .expect("a statement");
}

fn is_postgres(url: &str) -> bool {
    matches!(parsed(url), StoreUrl::Postgres(_))
}

#[actix_web::test]
async fn a_second_server_on_the_same_store_is_refused_and_shown_who_has_it() {
    let app = TestApp::start().await;
    let Err(why) = app.second_server().await else { panic!("two servers would hand out the same power twice") };
    assert!(why.contains("another server holds the"), "{why}");
    assert!(why.contains(&format!("process {}", std::process::id())), "{why}");
    assert!(why.contains("stop the other one first"), "{why}");
    assert_eq!(app.client.get("/organization").await.status, 200);
}

#[actix_web::test]
async fn a_store_is_free_as_soon_as_its_server_stopped() {
    let app = TestApp::start().await;
    let app = app.restart_with(&[]).await;
    let app = app.restart_with(&[]).await;
    assert!(app.second_server().await.is_err());
    assert_eq!(app.client.get("/organization").await.status, 200);
}

#[actix_web::test]
async fn two_servers_on_two_stores_do_not_mind_each_other() {
    let (one, other) = (TestApp::start().await, TestApp::start().await);
    assert_eq!(one.client.get("/organization").await.status, 200);
    assert_eq!(other.client.get("/organization").await.status, 200);
}

#[actix_web::test]
async fn a_third_comes_no_further_after_the_second_was_refused() {
    let app = TestApp::start().await;
    for _ in 0..2 {
        assert!(app.second_server().await.is_err());
    }
    let name = json!({"name": "Still written"});
    app.client.post("/chargestations", name).await.created();
}

#[actix_web::test]
async fn a_schema_that_is_current_is_no_reason_to_stop_the_server() {
    let app = TestApp::start().await;
    let config = configuration(app.store_url(), &[]);
    assert_eq!(app::migrate(&config).expect("beside a server"), 0);
}

#[actix_web::test]
async fn a_schema_is_not_changed_below_a_running_server() {
    let app = TestApp::start().await;
    let newest = newest_migration(app.store_url());
    let mut conn = open(app.store_url());
    // As if this program were one migration newer than the server that runs.
    execute(&mut conn, &format!("DELETE FROM __diesel_schema_migrations WHERE version = '{newest}'"));
    let config = configuration(app.store_url(), &[]);
    let why = format!("{:#}", app::migrate(&config).expect_err("a server runs"));
    assert!(why.contains("another server holds the"), "{why}");
}

#[actix_web::test]
async fn a_program_that_is_older_than_the_store_leaves_it_alone() {
    let store = TestStore::new();
    execute(&mut open(&store.url), "INSERT INTO __diesel_schema_migrations (version) VALUES ('29990101120000')");
    let config = configuration(&store.url, &[]);
    let started = app::start(&config, app::Dependencies::default()).await;
    let Err(why) = started else { panic!("a newer program was here") };
    let why = format!("{why:#}");
    assert!(why.contains("newer program"), "{why}");
    assert!(why.contains("29990101120000"), "{why}");
    let why = app::migrate(&config).expect_err("a newer program was here");
    assert!(format!("{why:#}").contains("newer program"), "{why:#}");
}

#[test]
fn a_store_that_was_refused_is_free_for_the_next() {
    let store = TestStore::new();
    execute(&mut open(&store.url), "INSERT INTO __diesel_schema_migrations (version) VALUES ('29990101120000')");
    let mut conn = open(&store.url);
    assert_eq!(migrate::unknown(&mut conn).expect("read"), ["29990101120000"]);
    assert!(StoreLock::take(&parsed(&store.url), &somebody()).is_ok());
}

#[test]
fn a_lock_that_was_let_go_can_be_had_at_once() {
    let store = TestStore::new();
    let url = parsed(&store.url);
    for _ in 0..5 {
        let lock = StoreLock::take(&url, &somebody()).expect("free");
        drop(lock);
    }
}

#[test]
fn the_one_who_is_refused_learns_process_machine_and_time() {
    let store = TestStore::new();
    let url = parsed(&store.url);
    let first = somebody();
    let _held = StoreLock::take(&url, &first).expect("free");
    let Err(LockError::Held { holder, .. }) = StoreLock::take(&url, &somebody()) else { panic!("it is held") };
    assert!(holder.contains(&format!("process {}", first.process)), "{holder}");
    assert!(holder.contains(&first.host), "{holder}");
    assert!(holder.contains("since 20"), "{holder}");
}

/// SQLite only: one file has many names.
#[test]
fn another_name_of_the_same_file_is_the_same_store() {
    let store = TestStore::new();
    let StoreUrl::Sqlite(path) = parsed(&store.url) else {
        return;
    };
    let _held = StoreLock::take(&parsed(&store.url), &somebody()).expect("free");
    let folder = tempfile::tempdir().expect("a folder");
    let link = folder.path().join("other.db");
    std::os::unix::fs::symlink(&path, &link).expect("a link");
    let other = StoreUrl::Sqlite(link.display().to_string());
    assert!(matches!(StoreLock::take(&other, &somebody()), Err(LockError::Held { .. })));
}

/// PostgreSQL only: the session that holds the lock is ended, as when the database restarts, and somebody else is faster.
#[actix_web::test]
async fn a_server_that_lost_its_store_to_another_writes_nothing_more_and_stops() {
    let app = TestApp::start().await;
    if !is_postgres(app.store_url()) {
        return;
    }
    let name = |name: &str| json!({"name": name});
    app.client.post("/chargestations", name("Before")).await.created();
    let other = take_away(app.store_url());
    let refused = app.client.post("/chargestations", name("After")).await;
    assert_eq!(refused.error(503), "busy");
    let read = app.client.get("/chargestations").await;
    assert_eq!(read.ok().as_array().map(Vec::len), Some(1));
    let stopped = tokio::time::timeout(Duration::from_secs(20), app.running.wait()).await;
    let why = stopped.expect("it stops by itself").expect_err("with an error");
    assert!(format!("{why:#}").contains("another server holds the"), "{why:#}");
    drop(other);
}

/// PostgreSQL only: a server that stands still in the middle of a write never ends it.
#[test]
fn a_write_that_never_ends_does_not_keep_the_next_server_out() {
    let store = TestStore::new();
    if !is_postgres(&store.url) {
        return;
    }
    let mut stands_still = open(&store.url);
    execute(&mut stands_still, "BEGIN; SELECT pg_advisory_xact_lock_shared(1702322548, 2)");
    let lock = StoreLock::take(&parsed(&store.url), &somebody()).expect("it is free");
    assert!(lock.gate().is_open());
    let Conn::Pg(conn) = &mut stands_still else { return };
    assert!(conn.batch_execute("COMMIT").is_err(), "its session was ended");
}

/// PostgreSQL only: nobody was faster.
#[actix_web::test]
async fn a_server_whose_database_came_back_goes_on() {
    let app = TestApp::start().await;
    if !is_postgres(app.store_url()) {
        return;
    }
    end_session(app.store_url());
    let name = json!({"name": "As soon as it is held again"});
    crate::support::eventually(async || {
        let answer = app.client.post("/chargestations", name.clone()).await;
        answer.status == 201
    })
    .await;
    assert!(app.second_server().await.is_err());
}

/// PostgreSQL only: a session of ours whose connection was lost is still there when we come back.
#[test]
fn a_server_ends_its_own_lost_session() {
    let store = TestStore::new();
    if !is_postgres(&store.url) {
        return;
    }
    let me = somebody();
    let lost = StoreLock::take(&parsed(&store.url), &me).expect("free");
    let again = StoreLock::take(&parsed(&store.url), &me).expect("it is ours");
    assert!(again.gate().is_open());
    drop(again);
    drop(lost);
}

fn newest_migration(url: &str) -> String {
    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        version: String,
    }
    let query = "SELECT max(version) AS version FROM __diesel_schema_migrations";
    let row: Row = match &mut open(url) {
        Conn::Pg(conn) => diesel::sql_query(query).get_result(conn),
        Conn::Sqlite(conn) => diesel::sql_query(query).get_result(conn),
    }
    .expect("a version");
    row.version
}

/// Ends the session that holds the lock.
fn end_session(url: &str) {
    execute(
        &mut open(url),
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE datname = current_database() AND application_name LIKE 'evenwatt %'",
    );
}

/// Ends it and takes the lock before the server does.
fn take_away(url: &str) -> StoreLock {
    loop {
        end_session(url);
        if let Ok(lock) = StoreLock::take(&parsed(url), &somebody()) {
            return lock;
        }
    }
}
