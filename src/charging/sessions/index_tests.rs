//! Every query of readings goes by an index, and is bounded by what it is asked for and not by all that was ever reported: SQLite
//! says how it would find the rows of each query that is really made.

use std::sync::{Arc, Mutex};

use diesel::connection::{Connection, InstrumentationEvent};
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::chunks::{self, Whose};
use super::old_readings::{self, Of};
use super::packed::Stored;
use super::{evidence, retention};
use crate::events::Mark;
use crate::store::connection::Synchronous;
use crate::store::{Conn, StoreResult, StoreUrl, migrate};
use kernel::*;

const SESSION: [u8; 12] = [1; 12];
const CONNECTOR: [u8; 12] = [2; 12];

fn session() -> SessionId {
    RawId::from_bytes(SESSION).into()
}

fn connector() -> ConnectorId {
    RawId::from_bytes(CONNECTOR).into()
}

fn reading() -> Stored {
    let at = Timestamp::from_unix_seconds(1_000_000);
    Stored {
        at,
        context: "Periodic".into(),
        station_time: at,
        received_at: at,
        reading: super::readings::Reading::default(),
        delivered: None,
        raw: "".into(),
    }
}

fn day() -> (Timestamp, Timestamp) {
    (Timestamp::from_unix_seconds(950_000), Timestamp::from_unix_seconds(1_036_400))
}

/// What was asked of tables of readings while `work` ran, and how it would be found.
fn found_by(conn: &mut Conn, work: fn(&mut Conn) -> StoreResult<()>) -> Vec<(String, Vec<String>)> {
    #[derive(QueryableByName)]
    struct Line {
        #[diesel(sql_type = Text)]
        detail: String,
    }
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let noted = Arc::clone(&asked);
    let Conn::Sqlite(sqlite) = conn else { panic!("a SQLite store") };
    sqlite.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            noted.lock().expect("no panic").push(query.to_string());
        }
    });
    work(conn).expect("it works");
    let Conn::Sqlite(sqlite) = conn else { panic!("a SQLite store") };
    sqlite.set_instrumentation(|_: InstrumentationEvent<'_>| {});
    let asked = asked.lock().expect("no panic").clone();
    let of_readings = asked.into_iter().filter(|query| {
        let is_changed = query.starts_with("INSERT");
        !is_changed && ["reading_chunks", "meter_values", "meter_evidence"].iter().any(|table| query.contains(table))
    });
    let plan = |query: String| {
        let text = query.split(" -- binds").next().unwrap_or_default();
        let lines: Vec<Line> = diesel::sql_query(format!("EXPLAIN QUERY PLAN {text}")).load(sqlite).expect("a plan");
        let lines = lines.into_iter().map(|line| line.detail).filter(|line| !line.starts_with("USE TEMP B-TREE"));
        (query, lines.collect())
    };
    of_readings.map(plan).collect()
}

const BY_SESSION: &str = "reading_chunks USING INDEX reading_chunks_by_session (session_id=?)";
const BY_ID: &str = "reading_chunks USING INTEGER PRIMARY KEY (rowid=?)";
const BY_TIME: &str =
    "reading_chunks USING INDEX reading_chunks_by_time (connector_id=? AND first_at>? AND first_at<?)";
const OLDER: &str = "reading_chunks USING INDEX reading_chunks_by_time (connector_id=? AND first_at<?)";
const BY_STATION_TIME: &str = "reading_chunks USING INDEX reading_chunks_by_connector \
     (connector_id=? AND last_station_time>? AND last_station_time<?)";

#[test]
fn queries_of_readings_are_bounded_by_what_they_ask_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = StoreUrl::Sqlite(folder.path().join("indexes.db").display().to_string());
    let mut conn = Conn::open(&url, Synchronous::Normal).expect("it opens");
    migrate::run(&mut conn).expect("a schema");
    for session in [Some(session()), None] {
        let whose = Whose { connector: connector(), session };
        chunks::add(&mut conn, whose, 0, &[reading()]).expect("stored");
    }
    type Asks = fn(&mut Conn) -> StoreResult<()>;
    let asked: [(&str, Asks, &[&str]); 17] = [
        ("all of a session", |conn| chunks::of_session(conn, session()).map(drop), &[BY_SESSION]),
        ("how many a session has", |conn| chunks::count_of_session(conn, session()).map(drop), &[BY_SESSION]),
        (
            "the first of a session",
            |conn| chunks::first_of_session(conn, session(), 10).map(drop),
            &[BY_SESSION, BY_ID],
        ),
        ("the newest of a session", |conn| chunks::newest_of_session(conn, session()).map(drop), &[BY_SESSION]),
        (
            "one of a session again",
            |conn| chunks::around(conn, connector(), Some(session()), reading().at).map(drop),
            &[BY_SESSION],
        ),
        (
            "one of a connector again",
            |conn| chunks::around(conn, connector(), None, reading().at).map(drop),
            &[BY_STATION_TIME],
        ),
        (
            "a day of connectors",
            |conn| chunks::first_between(conn, &[connector(), connector()], day(), 10, |_, _| true),
            &[BY_TIME, BY_ID],
        ),
        (
            "one more without a session",
            |conn| chunks::add_late(conn, Whose { connector: connector(), session: None }, reading()),
            &[BY_TIME, BY_ID],
        ),
        (
            "one more of a session, late",
            |conn| chunks::add_late(conn, Whose { connector: connector(), session: Some(session()) }, reading()),
            &[BY_TIME, BY_SESSION, BY_ID],
        ),
        ("what is forgotten", |conn| chunks::forget_loose(conn, connector(), day().0).map(drop), &[OLDER]),
        ("sessions at the start", |conn| chunks::summaries(conn, &[session()]).map(drop), &[BY_SESSION]),
        (
            "what is signed",
            |conn| evidence::times_of(conn, session()).map(drop),
            &["meter_evidence USING INDEX meter_evidence_by_session (session_id=?)"],
        ),
        (
            "old rows of a session",
            |conn| old_readings::of_session(conn, connector(), session()).map(drop),
            &["meter_values USING INDEX meter_values_by_session (session_id=?)"],
        ),
        (
            "an old row again",
            |conn| old_readings::around(conn, connector(), Some(session()), reading().at).map(drop),
            &["_at=?)"], // the station's time, besides the connector
        ),
        (
            "a day of old rows",
            |conn| old_readings::between(conn, &[connector()], day(), 10).map(drop),
            &["meter_values USING PRIMARY KEY (connector_id=? AND at>? AND at<?)"],
        ),
        (
            "a page of old rows",
            |conn| old_readings::page(conn, Of::Connector(connector()), Some(reading().at), 10).map(drop),
            &["meter_values USING PRIMARY KEY (connector_id=? AND at>?)"],
        ),
        (
            "the next connector",
            |conn| retention::next_connector(conn, &Mark::after(connector())).map(drop),
            &["(connector_id>?)"],
        ),
    ];
    for (what, work, wanted) in asked {
        let found = found_by(&mut conn, work);
        assert!(!found.is_empty(), "{what}: nothing was asked");
        for (query, lines) in found {
            for line in lines {
                let is_wanted = line.starts_with("SEARCH") && wanted.iter().any(|one| line.ends_with(one));
                assert!(is_wanted, "{what}: {line}: {query}");
            }
        }
    }
}
