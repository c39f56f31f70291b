//! Readings that an older program stored come into chunks while the server runs, and nobody who reads or reports notices.

use std::time::Duration;

use clock::Clock;
use diesel::prelude::*;
use evenwatt::charging::sessions::{self, MeterReport, Reading, Sample, move_some};
use evenwatt::events::Mark;
use evenwatt::store::schema::{meter_values, reading_chunks, sessions as rows_of_sessions};
use evenwatt::store::{Db, Json, StoreError, StoreResult};
use kernel::{ConnectorId, SessionId, Timestamp, WattHours, Watts};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use serde_json::{Value, json};

use super::journal::{Reporter, START, Step, in_memory, in_rows, outcome, runner, step};
use crate::support::{TestApp, TestStation};

/// Cases of one run, and stations of a case.
const CASES: u32 = 6;
const STATIONS: usize = 4;
const TICK: Duration = Duration::from_millis(100);

/// A row as an older program wrote it.
#[derive(Debug, Clone)]
struct OldRow {
    seconds_later: u64,
    register: bool,
    power: Option<i64>,
    /// Whether the station's own time was kept, and how far it was off.
    station_time: Option<i64>,
    context: &'static str,
    in_session: bool,
}

fn old_row() -> impl Strategy<Value = OldRow> {
    let power = prop_oneof![Just(None), (0_i64..9_000).prop_map(Some)];
    let off = prop_oneof![4 => Just(Some(0_i64)), 1 => (-90_000_i64..90_000).prop_map(Some), 1 => Just(None)];
    let seconds = prop_oneof![8 => 1_u64..120, 1 => 1_u64..90_000];
    let context = prop_oneof![6 => Just("Periodic"), 1 => Just("Clock"), 1 => Just("Begin")];
    (seconds, any::<bool>(), power, off, context, prop_oneof![5 => Just(true), 1 => Just(false)]).prop_map(
        |(seconds_later, register, power, station_time, context, in_session)| OldRow {
            seconds_later,
            register: register || power.is_none(),
            power,
            station_time,
            context,
            in_session,
        },
    )
}

async fn session_of(db: &Db, reporter: &Reporter) -> SessionId {
    let transaction = reporter.transaction;
    let found = db.read(move |conn| {
        let own = rows_of_sessions::table.filter(rows_of_sessions::transaction_id.eq(transaction));
        Ok::<SessionId, StoreError>(own.select(rows_of_sessions::id).first(conn)?)
    });
    found.await.expect("a session")
}

/// Puts rows at a connector straight into the store; `reporter` goes on after them, and its last report is the last row.
async fn db_old_rows(db: &Db, reporter: &mut Reporter, session: SessionId, rows: Vec<OldRow>) {
    let connector = reporter.connector.expect("a connector");
    let mut all = Vec::new();
    for row in rows {
        reporter.now = reporter.now + Duration::from_secs(row.seconds_later);
        reporter.register += 40;
        let station_time = row.station_time.map(|off| Timestamp::from_micros(reporter.now.micros() + off * 1_000_000));
        let reading = Reading {
            energy: row.register.then_some(WattHours(reporter.register)),
            power: row.power.map(Watts),
            ..Reading::default()
        };
        // Where the station's time was not kept nothing is found by it, so nothing is reported with this one.
        let at = reporter.now + Duration::from_micros(if station_time.is_none() { 500 } else { 0 });
        let sample = Sample {
            at,
            station_time: station_time.unwrap_or(reporter.now),
            context: row.context.into(),
            reading: reading.clone(),
            raw: format!("{{\"old\":{}}}", reporter.register).into(),
            ..Sample::default()
        };
        if station_time.is_some() && row.in_session {
            reporter.last = Some(MeterReport {
                organization: reporter.organization,
                station: reporter.station,
                connector: reporter.connector,
                transaction: reporter.transaction,
                samples: vec![sample.clone()],
            });
        }
        all.push((sample, station_time, row.in_session.then_some(session), reporter.register - 1_000));
    }
    let written = db.write(move |conn| {
        for (sample, station_time, session, delivered) in &all {
            diesel::insert_into(meter_values::table)
                .values((
                    meter_values::connector_id.eq(connector),
                    meter_values::at.eq(sample.at),
                    meter_values::context.eq(&*sample.context),
                    meter_values::session_id.eq(*session),
                    meter_values::told_at.eq(*station_time),
                    meter_values::received_at.eq(sample.at + Duration::from_millis(1)),
                    meter_values::energy.eq(sample.reading.energy),
                    meter_values::power.eq(sample.reading.power),
                    meter_values::delivered.eq(WattHours(*delivered)),
                    meter_values::reading.eq(Json(serde_json::to_value(&sample.reading).expect("JSON"))),
                    meter_values::raw.eq(&*sample.raw),
                ))
                .execute(conn)?;
        }
        StoreResult::Ok(())
    });
    written.await.expect("written");
}

/// Moves rows of a connector, in so many steps of so many rows.
async fn move_steps(db: &Db, connector: ConnectorId, (steps, rows): (usize, usize)) {
    let mut after = Some(Mark { id: connector.to_string(), number: 0 });
    for _ in 0..steps {
        let step = db.write_to_memory(move |conn| move_some(conn, after.clone(), rows)).await.expect("moved");
        after = step.next;
        if after.as_ref().is_none_or(|mark| !mark.id.starts_with(&connector.to_string())) {
            break;
        }
    }
}

/// Moves all that there is; how many readings, and how many rows stay.
async fn move_all(db: &Db) -> (usize, usize) {
    let (mut moved, mut damaged, mut after) = (0, 0, None);
    loop {
        let step = db.write_to_memory(move |conn| move_some(conn, after.clone(), 3)).await.expect("moved");
        moved += step.readings;
        damaged += step.damaged;
        after = step.next;
        if after.is_none() {
            return (moved, damaged);
        }
    }
}

async fn old_rows(db: &Db) -> i64 {
    let count = db.read(|conn| Ok::<i64, StoreError>(meter_values::table.count().get_result(conn)?));
    count.await.expect("counted")
}

/// All that is read of a station: its sessions with their readings, and what was drawn there in two stretches of time.
async fn all_of(app: &TestApp, station: &TestStation) -> (Vec<(Value, Value)>, Vec<(Timestamp, Watts)>) {
    let connector: ConnectorId = station.connector.parse().expect("an id");
    let from = Timestamp::from_unix_seconds(1_777_000_000) - Duration::from_secs(100_000);
    let read = app.running.context.db.read(move |conn| {
        let mut all = sessions::powers(conn, &[connector], (from, from + Duration::from_secs(100_900)), 1_000)?;
        all.extend(sessions::powers(conn, &[connector], (from, from + Duration::from_secs(10_000_000)), 7)?);
        StoreResult::Ok(all.into_iter().map(|one| (one.at, one.power)).collect())
    });
    (outcome(app, station).await, read.await.expect("read"))
}

#[actix_web::test]
async fn nobody_notices_that_readings_are_moved_whatever_is_reported_and_wherever_the_server_is_killed() {
    let mut app = TestApp::start().await;
    let price = json!([{"type": "ENERGY", "price": 0.35}, {"type": "PARKING_TIME", "price": 0.6}]);
    let rate = json!({"name": "Both", "currency": "EUR", "price_components": price});
    let rate = app.client.post("/rates", rate).await.created();
    let mut runner = runner();
    for case in 0..CASES {
        let mut both = Vec::new();
        for station in 0..STATIONS {
            let rows = proptest::collection::vec(old_row(), 1..40).new_tree(&mut runner).expect("rows").current();
            let moves = prop_oneof![2 => Just(None), 1 => (1_usize..4, 1_usize..8).prop_map(Some)];
            let steps = proptest::collection::vec((step(), moves), 0..30);
            let steps = steps.new_tree(&mut runner).expect("steps").current();
            let connector = json!({"type": "J1772", "power": 7, "rate": rate["_id"]});
            let stays = app.station_with(&format!("Rows {case} {station}"), connector.clone()).await;
            let moved = app.station_with(&format!("Moved {case} {station}"), connector).await;
            for (station, is_moved) in [(&stays, false), (&moved, true)] {
                let mut reporter = Reporter::new(&app, station);
                let db = in_rows(&app);
                reporter.report_step(&app, &db, &START).await;
                let session = session_of(&db, &reporter).await;
                db_old_rows(&db, &mut reporter, session, rows.clone()).await;
                drop(db);
                let mut db = in_memory(&app);
                for (step, moves) in &steps {
                    if let Some(moves) = moves.filter(|_| is_moved) {
                        move_steps(&db, reporter.connector.expect("a connector"), moves).await;
                    }
                    if matches!(step, Step::Kill) {
                        drop(db);
                        db = in_memory(&app);
                    }
                    reporter.report_step(&app, &db, step).await;
                }
            }
            both.push((stays, moved, rows, steps));
        }

        app = app.restart_with(&[]).await;
        let mut all = Vec::new();
        for (stays, moved, rows, steps) in &both {
            let (wanted, found) = (all_of(&app, stays).await, all_of(&app, moved).await);
            assert_eq!(found, wanted, "case {case}: {rows:#?} {steps:#?}");
            all.push((stays, moved, wanted));
        }
        let (readings, damaged) = move_all(&app.running.context.db).await;
        assert!(readings > 0);
        assert_eq!((damaged, old_rows(&app.running.context.db).await), (0, 0));
        for (stays, moved, wanted) in &all {
            assert_eq!(all_of(&app, stays).await, *wanted, "case {case}: moved while its server ran");
            assert_eq!(all_of(&app, moved).await, *wanted, "case {case}");
        }
        app = app.restart_with(&[]).await;
        for (stays, _, wanted) in &all {
            assert_eq!(all_of(&app, stays).await, *wanted, "case {case}: moved, and the server started again");
        }
    }
}

/// A station in session with so many old rows, ten seconds apart, and a reporter of it.
async fn with_old_rows(app: &TestApp, name: &str, rows: usize) -> (TestStation, Reporter) {
    let station = app.station(name).await;
    let mut reporter = Reporter::new(app, &station);
    let db = in_rows(app);
    reporter.report_step(app, &db, &START).await;
    let session = session_of(&db, &reporter).await;
    let row = OldRow {
        seconds_later: 10,
        register: true,
        power: Some(3_000),
        station_time: Some(0),
        context: "Periodic",
        in_session: true,
    };
    db_old_rows(&db, &mut reporter, session, vec![row; rows]).await;
    (station, reporter)
}

#[actix_web::test]
async fn a_server_moves_them_step_by_step_and_goes_on_after_it_was_stopped() {
    let app = TestApp::start().await;
    let (station, _) = with_old_rows(&app, "Old", 1_100).await;
    let app = app.restart_with(&[]).await;
    let wanted = all_of(&app, &station).await;
    assert_eq!(wanted.0[0].1.as_array().expect("reports").len(), 1_100);
    app.at_rest().await;
    assert_eq!(old_rows(&app.running.context.db).await, 1_100);
    app.pass(TICK).await;
    assert_eq!(old_rows(&app.running.context.db).await, 600);
    assert_eq!(all_of(&app, &station).await, wanted);

    let app = app.restart_with(&[]).await;
    app.pass(TICK).await;
    assert_eq!(old_rows(&app.running.context.db).await, 100);
    assert_eq!(all_of(&app, &station).await, wanted);
    for _ in 0..3 {
        app.pass(TICK).await;
    }
    assert_eq!(old_rows(&app.running.context.db).await, 0);
    assert_eq!(all_of(&app, &station).await, wanted);
    let metrics = app.client.get_bare("/metrics").await.text;
    assert!(metrics.contains("evenwatt_readings_moved_total"), "{metrics}");
}

#[actix_web::test]
async fn a_damaged_row_stays_where_it_is_and_the_others_are_moved_and_read() {
    let app = TestApp::start().await;
    let (station, reporter) = with_old_rows(&app, "Scratched", 10).await;
    let at = reporter.now - Duration::from_secs(30);
    let broken = app.running.context.db.write(move |conn| {
        let row = meter_values::table.filter(meter_values::at.eq(at));
        let damaged = meter_values::reading.eq(Json(json!("no reading")));
        StoreResult::Ok(diesel::update(row).set(damaged).execute(conn)?)
    });
    assert_eq!(broken.await.expect("broken"), 1);
    let app = app.restart_with(&[]).await;
    let wanted = all_of(&app, &station).await;
    assert_eq!(wanted.0[0].1.as_array().expect("reports").len(), 9);
    assert_eq!(move_all(&app.running.context.db).await, (9, 1));
    assert_eq!(old_rows(&app.running.context.db).await, 1);
    assert_eq!(all_of(&app, &station).await, wanted);
}

#[actix_web::test]
async fn rows_of_a_session_that_is_no_more_belong_to_their_connector() {
    let app = TestApp::start().await;
    let (station, mut reporter) = with_old_rows(&app, "Left", 2).await;
    let gone: SessionId = app.running.context.ids.next_raw(app.clock.now()).into();
    let row = OldRow {
        seconds_later: 10,
        register: true,
        power: Some(4_000),
        station_time: None,
        context: "Periodic",
        in_session: true,
    };
    db_old_rows(&in_rows(&app), &mut reporter, gone, vec![row; 3]).await;
    let wanted = all_of(&app, &station).await;
    assert_eq!(move_all(&app.running.context.db).await, (5, 0));
    assert_eq!(all_of(&app, &station).await, wanted);
    let without = app.running.context.db.read(|conn| {
        let loose = reading_chunks::table.filter(reading_chunks::session_id.is_null());
        StoreResult::Ok(loose.select(reading_chunks::readings).load::<i64>(conn)?)
    });
    assert_eq!(without.await.expect("read"), [3]);
}
