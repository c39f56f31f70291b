//! Stores from before the baseline: one that has every step is adopted, one that lacks some is refused, and neither loses
//! anything.

use std::collections::BTreeMap;

use clock::RandomIds;
use diesel::connection::SimpleConnection;
use evenwatt::app;
use evenwatt::store::lock::Holder;
use evenwatt::store::{Conn, StoreLock, migrate};
use kernel::{IdSource, Timestamp};

use super::{open, rows, stored_file, unpacked};
use crate::support::{TestApp, TestStore, configuration};

/// A SQLite store with nothing in it, not even tables.
fn empty_file() -> TestStore {
    TestStore::of_file(&[])
}

fn execute(conn: &mut Conn, statements: &str) {
    match conn {
        Conn::Pg(conn) => conn.batch_execute(statements),
        Conn::Sqlite(conn) => conn.batch_execute(statements),
    }
    .expect("statements");
}

/// The migrations that a store has, in order.
fn history(url: &str) -> Vec<String> {
    rows(&mut open(url), "SELECT version AS text FROM __diesel_schema_migrations ORDER BY version")
}

/// The migrations that stores were made with before there was a baseline.
fn steps() -> Vec<String> {
    history(&stored_file("0.1.0.db.gz").url)
}

/// Makes it look as if the schema had been made in these steps.
fn made_in(url: &str, steps: &[String]) {
    let versions: Vec<String> = steps.iter().map(|version| format!("('{version}')")).collect();
    let versions = versions.join(", ");
    let rewrite = format!(
        "DELETE FROM __diesel_schema_migrations; INSERT INTO __diesel_schema_migrations (version) VALUES {versions};"
    );
    execute(&mut open(url), &rewrite);
}

fn migrated(url: &str) -> Result<usize, String> {
    app::migrate(&configuration(url, &[])).map_err(|error| format!("{error:#}"))
}

/// A store that was made in steps, of the kind that the tests run on. The one of PostgreSQL has no rows.
fn stepped() -> TestStore {
    let dump = String::from_utf8(unpacked("postgres-0.1.0.sql.gz")).expect("UTF-8");
    TestStore::of_dump(&dump).unwrap_or_else(|| stored_file("0.1.0.db.gz"))
}

#[test]
fn a_store_that_has_every_step_is_adopted_with_what_is_in_it() {
    let (store, new) = (stepped(), TestStore::new());
    assert_eq!(history(&store.url), steps());
    let mut conn = open(&store.url);
    let now = if matches!(conn, Conn::Pg(_)) { "now()" } else { "0" };
    let insert = "INSERT INTO organizations (id, name, meta_data, created_at, updated_at)";
    execute(&mut conn, &format!("{insert} VALUES ('650000000000000000000001', 'Depot', '{{}}', {now}, {now})"));
    assert!(migrate::is_pending(&mut conn).expect("read"));
    migrated(&store.url).expect("it is adopted");
    assert!(!migrate::is_pending(&mut conn).expect("read"));
    assert_eq!(history(&store.url), history(&new.url));
    let kept = "SELECT name AS text FROM organizations WHERE id = '650000000000000000000001'";
    assert_eq!(rows(&mut conn, kept), ["Depot"]);
    assert_eq!(migrated(&store.url), Ok(0));
    assert_eq!(history(&store.url), history(&new.url));
}

#[actix_web::test]
async fn a_server_adopts_the_store_that_it_starts_on() {
    let (store, new) = (stepped(), TestStore::new());
    let started = app::start(&configuration(&store.url, &[]), app::Dependencies::default()).await;
    started.expect("it starts").stop().await.expect("it stops");
    assert_eq!(history(&store.url), history(&new.url));
}

#[actix_web::test]
async fn a_store_is_not_adopted_below_a_running_server() {
    let app = TestApp::start().await;
    made_in(app.store_url(), &steps());
    let why = migrated(app.store_url()).expect_err("a server runs");
    assert!(why.contains("another server holds the"), "{why}");
    assert_eq!(history(app.store_url()), steps());
}

#[actix_web::test]
async fn a_store_that_lacks_a_step_is_refused_with_the_version_to_start_first() {
    let store = stepped();
    let mut lacking = steps();
    let last = lacking.pop().expect("a step");
    made_in(&store.url, &lacking);
    let started = app::start(&configuration(&store.url, &[]), app::Dependencies::default()).await;
    let Err(started) = started else { panic!("it lacks a step") };
    for why in [format!("{started:#}"), migrated(&store.url).expect_err("it lacks a step")] {
        assert!(why.contains("it lacks 1 migration(s)") && why.contains(&last), "{why}");
        assert!(why.contains("Start version 0.1.0 on it once"), "{why}");
    }
    assert_eq!(history(&store.url), lacking);
    let (now, url) = (Timestamp::from_unix_seconds(1_777_000_000), store.url.parse().expect("a store"));
    let somebody = Holder::this_process(RandomIds::new().next_raw(now), now);
    assert!(StoreLock::take(&url, &somebody).is_ok(), "it is free for the right version");
}

#[test]
fn a_store_that_is_newer_than_the_program_is_never_adopted() {
    let store = stepped();
    let mut newer = steps();
    newer.push("29990101120000".to_owned());
    made_in(&store.url, &newer);
    let why = migrated(&store.url).expect_err("a newer program was here");
    assert!(why.contains("newer program") && why.contains("29990101120000"), "{why}");
    assert_eq!(history(&store.url), newer);
}

/// Each table of a SQLite store but its history, with its columns.
fn tables(conn: &mut Conn) -> BTreeMap<String, Vec<String>> {
    let names = rows(
        conn,
        "SELECT name AS text FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' \
         AND name <> '__diesel_schema_migrations'",
    );
    let mut tables = BTreeMap::new();
    for name in names {
        let columns = rows(conn, &format!("SELECT name AS text FROM pragma_table_info('{name}')"));
        tables.insert(name, columns);
    }
    tables
}

/// Every row of these tables, as text.
fn content(conn: &mut Conn, tables: &BTreeMap<String, Vec<String>>) -> BTreeMap<String, Vec<String>> {
    let mut content = BTreeMap::new();
    for (table, columns) in tables {
        let quoted: Vec<String> = columns.iter().map(|column| format!("quote(\"{column}\")")).collect();
        let row = quoted.join(" || ',' || ");
        content.insert(table.clone(), rows(conn, &format!("SELECT {row} AS text FROM \"{table}\" ORDER BY 1")));
    }
    content
}

#[test]
fn adopting_the_store_of_0_1_0_changes_no_row() {
    let store = stored_file("0.1.0.db.gz");
    let mut conn = open(&store.url);
    let tables = tables(&mut conn);
    let before = content(&mut conn, &tables);
    assert!(before["plans"].len() > 1 && before["events"].len() > 100);
    migrate::run(&mut conn).expect("it is adopted");
    assert_eq!(content(&mut conn, &tables), before);
}

#[test]
fn the_store_of_438937b_goes_through_0_1_0_first() {
    let store = stored_file("438937b.db.gz");
    let (begun, mut conn) = (history(&store.url), open(&store.url));
    let tables = tables(&mut conn);
    let before = content(&mut conn, &tables);
    let why = migrated(&store.url).expect_err("it is refused");
    assert!(why.contains("it lacks 23 migration(s)"), "{why}");
    assert!(why.contains("Start version 0.1.0 on it once"), "{why}");
    assert_eq!((history(&store.url), content(&mut conn, &tables)), (begun, before));
}

/// What the tables, indexes and triggers of a SQLite store are, whatever the order of columns and the comments.
fn sqlite_schema(conn: &mut Conn) -> Vec<String> {
    let written = rows(conn, "SELECT sql AS text FROM sqlite_master WHERE sql IS NOT NULL");
    let mut schema: Vec<String> = written.iter().map(|sql| in_one_order(sql)).collect();
    schema.sort();
    schema
}

/// A statement in one line; the columns and constraints of a table are sorted.
fn in_one_order(sql: &str) -> String {
    let lines = sql.lines().map(|line| line.split("--").next().unwrap_or_default());
    let words: Vec<String> = lines.flat_map(str::split_whitespace).map(|word| word.replace(['"', '\''], "")).collect();
    let line = words.join(" ");
    let Some((head, rest)) = line.split_once('(').filter(|(head, _)| head.starts_with("CREATE TABLE ")) else {
        return line;
    };
    let (inside, tail) = rest.rsplit_once(')').expect("a closing bracket");
    let (mut parts, mut depth) = (vec![String::new()], 0);
    for letter in inside.chars() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if letter == ',' && depth == 0 {
            parts.push(String::new());
        } else {
            parts.last_mut().expect("a part").push(letter);
        }
    }
    let mut parts: Vec<&str> = parts.iter().map(|part| part.trim()).collect();
    parts.sort_unstable();
    format!("{} ({}) {}", head.trim(), parts.join(", "), tail.trim())
}

#[test]
fn a_store_that_was_made_in_steps_has_the_schema_of_a_new_one() {
    let (adopted, new) = (stored_file("0.1.0.db.gz"), empty_file());
    let [adopted, new] = [adopted, new].map(|store| {
        let mut conn = open(&store.url);
        migrate::run(&mut conn).expect("migrations run");
        sqlite_schema(&mut conn)
    });
    assert!(adopted.len() > 150);
    assert_eq!(adopted, new);
}

/// Columns, constraints, indexes, functions, triggers and sequences of a PostgreSQL store.
const CATALOGUE: &str = "
    SELECT format('%s.%s %s %s %s %s', table_name, column_name, data_type, is_nullable, column_default, identity_generation)
        AS text FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT format('%s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')
    UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT format('%s %s', sequencename, data_type) FROM pg_sequences WHERE schemaname = 'public'
    ORDER BY 1";

/// PostgreSQL only.
#[test]
fn a_postgresql_store_that_was_made_in_steps_has_the_schema_of_a_new_one() {
    let (stepped, new) = (stepped(), TestStore::new());
    migrated(&stepped.url).expect("it is adopted");
    let [stepped, new] = [stepped, new].map(|store| match open(&store.url) {
        Conn::Sqlite(_) => Vec::new(),
        mut conn => rows(&mut conn, CATALOGUE),
    });
    assert!(stepped.is_empty() || stepped.len() > 600);
    assert_eq!(stepped, new);
}
