//! What a station reports of its sessions comes out the same, whether each report is written into rows at once, or is kept in memory,
//! the journal and chunks, wherever the server is killed in between.

use std::sync::Arc;
use std::time::Duration;

use diesel::prelude::*;
use evenwatt::charging::sessions::{
    MeterReport, OpenSessions, Reading, Sample, StartReport, StopReport, record_readings, start_transaction,
    stop_transaction, write_down,
};
use evenwatt::store::schema::{reading_chunks, session_journal};
use evenwatt::store::{Db, StoreError, StoreSettings};
use kernel::{ConnectorId, Moment, OrganizationId, StationId, Timestamp, WattHours, Watts};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

use crate::support::{TestApp, TestStation};

/// Cases of one run.
const CASES: u32 = 8;
/// Stations of a case, one after the other on servers of their own; a start of the whole server costs more.
const STATIONS: usize = 5;

/// What happens at a station, or to the server.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// So many seconds pass.
    Pass(u64),
    Start,
    /// Readings of so many instants, ten seconds apart, the last one so many seconds ago.
    Values {
        named: bool,
        register: bool,
        power: Option<i64>,
        instants: u64,
        late: u64,
    },
    /// The last readings once more.
    Repeat,
    /// The power of the instant whose register was reported last.
    Part(i64),
    Stop,
    /// The server is killed, and another one started.
    Kill,
    /// What has waited long is written down.
    Tidy,
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let power = prop_oneof![Just(None), (0_i64..9_000).prop_map(Some)];
    let late = prop_oneof![4 => Just(0_u64), 1 => 1_u64..4_000];
    let values = (any::<bool>(), any::<bool>(), power, 1_u64..4, late);
    prop_oneof![
        3 => prop_oneof![1_u64..120, 1_u64..2_400].prop_map(Step::Pass),
        1 => Just(Step::Start),
        12 => values.prop_map(|(named, register, power, instants, late)| {
            Step::Values { named, register: register || power.is_none(), power, instants, late }
        }),
        2 => Just(Step::Repeat),
        2 => (0_i64..9_000).prop_map(Step::Part),
        1 => Just(Step::Stop),
        2 => Just(Step::Kill),
        1 => Just(Step::Tidy),
    ]
}

/// One station that reports what happens.
pub(super) struct Reporter {
    pub(super) organization: OrganizationId,
    pub(super) station: StationId,
    pub(super) connector: Option<ConnectorId>,
    pub(super) now: Timestamp,
    /// Each message arrives a millisecond after the one before.
    messages: u64,
    pub(super) register: i64,
    pub(super) transaction: Option<i64>,
    pub(super) last: Option<MeterReport>,
}

impl Reporter {
    pub(super) fn new(app: &TestApp, station: &TestStation) -> Self {
        Self {
            organization: app.organization,
            station: station.id.parse().expect("an id"),
            connector: Some(station.connector.parse().expect("an id")),
            now: Timestamp::from_unix_seconds(1_777_000_000),
            messages: 0,
            register: 1_000,
            transaction: None,
            last: None,
        }
    }

    fn report(&self, named: bool, samples: Vec<Sample>) -> MeterReport {
        MeterReport {
            organization: self.organization,
            station: self.station,
            connector: self.connector,
            transaction: self.transaction.filter(|_| named),
            samples,
        }
    }

    fn samples(&mut self, (register, power): (bool, Option<i64>), instants: u64, late: u64) -> Vec<Sample> {
        let last = self.now - Duration::from_secs(late);
        let sample = |back: u64| {
            let at = last - Duration::from_secs(10 * back);
            self.register += i64::from(back == 0 && late == 0) * 90;
            Sample {
                at,
                station_time: at,
                context: "Periodic".into(),
                reading: Reading {
                    energy: register.then_some(WattHours(self.register - i64::try_from(late / 10).expect("small"))),
                    power: power.map(Watts),
                    ..Reading::default()
                },
                raw: if back + 1 == instants { format!("{{\"at\":\"{at}\"}}").into() } else { Arc::default() },
                ..Sample::default()
            }
        };
        (0..instants).rev().map(sample).collect()
    }

    /// Reports one step; the server is `db`.
    pub(super) async fn report_step(&mut self, app: &TestApp, db: &Db, step: &Step) {
        self.messages += 1;
        let received_at = self.now + Duration::from_millis(self.messages);
        let moment = Moment::new(received_at, Arc::clone(&app.running.context.ids));
        match step {
            Step::Pass(seconds) => self.now = self.now + Duration::from_secs(*seconds),
            Step::Start => {
                let report = StartReport {
                    organization: self.organization,
                    station: self.station,
                    connector: self.connector,
                    id_tag: "CARD".to_owned(),
                    token: None,
                    user: None,
                    meter_start: Some(WattHours(self.register)),
                    at: self.now,
                    station_time: Some(self.now),
                    is_free: false,
                };
                let started = db.write(move |conn| start_transaction(conn, &moment, &report)).await;
                self.transaction = Some(started.expect("started").transaction_id);
            }
            Step::Values { named, register, power, instants, late } => {
                let samples = self.samples((*register, *power), *instants, *late);
                let report = self.report(*named, samples);
                self.last = Some(report.clone());
                self.record(db, moment, report).await;
            }
            Step::Repeat => {
                if let Some(report) = self.last.clone() {
                    self.record(db, moment, report).await;
                }
            }
            Step::Part(power) => {
                if let Some(mut report) = self.last.clone() {
                    let mut sample = report.samples.pop().expect("a sample");
                    sample.reading = Reading { power: Some(Watts(*power)), ..Reading::default() };
                    sample.raw = "{\"part\":2}".into();
                    report.samples = vec![sample];
                    self.record(db, moment, report).await;
                }
            }
            Step::Stop => {
                let report = StopReport {
                    organization: self.organization,
                    station: self.station,
                    transaction: self.transaction,
                    id_tag: None,
                    meter_stop: Some(WattHours(self.register)),
                    at: self.now,
                    station_time: Some(self.now),
                    reason: Some("Local".to_owned()),
                    samples: Vec::new(),
                    raw: "{}".into(),
                };
                db.write(move |conn| stop_transaction(conn, &moment, &report)).await.expect("stopped");
            }
            Step::Kill => {}
            Step::Tidy => {
                let now = self.now;
                db.write(move |conn| write_down(conn, now)).await.expect("written");
            }
        }
    }

    async fn record(&self, db: &Db, moment: Moment, report: MeterReport) {
        let recorded = db.write_with_others(move |conn| record_readings(conn, &moment, &report)).await;
        recorded.expect("recorded");
    }
}

pub(super) fn in_rows(app: &TestApp) -> Db {
    Db::open(StoreSettings::new(app.running.context.db.url().clone())).expect("opens")
}

pub(super) fn in_memory(app: &TestApp) -> Db {
    let run = app.running.context.ids.next_raw(Timestamp::from_unix_seconds(1_777_000_000));
    let settings = StoreSettings::new(app.running.context.db.url().clone());
    Db::open_with(settings, None, Some(Arc::new(OpenSessions::new(run)))).expect("opens")
}

/// The sessions of a station with their readings, without what differs between two stations.
pub(super) async fn outcome(app: &TestApp, station: &TestStation) -> Vec<(Value, Value)> {
    let path = format!("/sessions?chargestation={}&sort_by=createdAt&sort_order=asc&paginate_limit=1000", station.id);
    let sessions = app.client.get(&path).await.ok();
    let mut all = Vec::new();
    for session in sessions.as_array().expect("sessions") {
        let path = format!("/sessions/{}/energy_reports", session["_id"].as_str().expect("an id"));
        let reports = app.client.get(&path).await.ok();
        let mut session = session.clone();
        for own in ["_id", "chargestation", "connector", "transaction_id"] {
            session[own] = json!(null);
        }
        all.push((session, reports));
    }
    all
}

/// Makes the same cases each time; others where `EVENWATT_SEED` is another number.
pub(super) fn runner() -> TestRunner {
    let seed: u64 = std::env::var("EVENWATT_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(7);
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

#[actix_web::test]
async fn what_is_in_memory_is_what_rows_would_say_wherever_the_server_is_killed() {
    let mut app = TestApp::start().await;
    let price = json!([{"type": "ENERGY", "price": 0.35}, {"type": "TIME", "price": 0.6}]);
    let rate = json!({"name": "Both", "currency": "EUR", "price_components": price});
    let rate = app.client.post("/rates", rate).await.created();
    let mut runner = runner();
    for case in 0..CASES {
        let mut both = Vec::new();
        for station in 0..STATIONS {
            let steps = proptest::collection::vec(step(), 5..60).new_tree(&mut runner).expect("steps").current();
            let connector = json!({"type": "J1772", "power": 7, "rate": rate["_id"]});
            let at_once = app.station_with(&format!("Rows {case} {station}"), connector.clone()).await;
            let kept = app.station_with(&format!("Memory {case} {station}"), connector).await;

            let db = in_rows(&app);
            let mut reporter = Reporter::new(&app, &at_once);
            for step in &steps {
                reporter.report_step(&app, &db, step).await;
            }
            drop(db);
            let mut db = in_memory(&app);
            let mut reporter = Reporter::new(&app, &kept);
            for step in &steps {
                if matches!(step, Step::Kill) {
                    drop(db);
                    db = in_memory(&app);
                }
                reporter.report_step(&app, &db, step).await;
            }
            both.push((at_once, kept, steps));
        }

        app = app.restart_with(&[]).await;
        for (at_once, kept, steps) in both {
            let (wanted, found) = (outcome(&app, &at_once).await, outcome(&app, &kept).await);
            for (wanted, found) in wanted.iter().zip(&found) {
                assert_eq!(found.1, wanted.1, "case {case}: readings after {steps:#?}");
                assert_eq!(found.0, wanted.0, "case {case}: the session after {steps:#?}");
            }
            assert_eq!(found.len(), wanted.len());
        }
    }
}

pub(super) const START: Step = Step::Start;
const VALUES: Step = Step::Values { named: true, register: true, power: Some(3_240), instants: 1, late: 0 };

async fn journal_rows(db: &Db) -> i64 {
    let count = db.read(|conn| Ok::<i64, StoreError>(session_journal::table.count().get_result(conn)?));
    count.await.expect("counted")
}

/// A station, a server, and what it reports until it has been in session for so many reports, a minute apart.
async fn in_session(app: &TestApp, name: &str, reports: usize) -> (TestStation, Db, Reporter) {
    let station = app.station(name).await;
    let db = in_memory(app);
    let mut reporter = Reporter::new(app, &station);
    reporter.report_step(app, &db, &START).await;
    for _ in 0..reports {
        reporter.report_step(app, &db, &Step::Pass(60)).await;
        reporter.report_step(app, &db, &VALUES).await;
    }
    (station, db, reporter)
}

#[actix_web::test]
async fn readings_leave_the_journal_for_their_chunk_and_a_session_that_ended_has_one() {
    let app = TestApp::start().await;
    let (station, db, mut reporter) = in_session(&app, "Long", 65).await;
    assert_eq!(journal_rows(&db).await, 65 - 2 * 30, "two chunks of thirty are full");
    reporter.report_step(&app, &db, &Step::Stop).await;
    assert_eq!(journal_rows(&db).await, 0);
    let of_all =
        db.read(|conn| Ok::<Vec<i64>, StoreError>(reading_chunks::table.select(reading_chunks::readings).load(conn)?));
    assert_eq!(of_all.await.expect("read"), [65]);
    drop(db);

    let app = app.restart_with(&[]).await;
    let (session, reports) = outcome(&app, &station).await.pop().expect("a session");
    assert_eq!(reports.as_array().expect("reports").len(), 65);
    assert_eq!(session["metrics"]["energyConsumed"], 65 * 90);
}

#[actix_web::test]
async fn reports_without_a_place_for_their_readings_do_not_fill_the_journal() {
    let app = TestApp::start().await;
    let station = app.station("Nowhere").await;
    let db = in_memory(&app);
    let mut reporter = Reporter::new(&app, &station);
    reporter.connector = None;
    reporter.report_step(&app, &db, &START).await;
    for _ in 0..100 {
        reporter.report_step(&app, &db, &Step::Pass(60)).await;
        reporter.report_step(&app, &db, &VALUES).await;
    }
    assert_eq!(journal_rows(&db).await, 100 - 3 * 30);
}

#[actix_web::test]
async fn what_waits_for_half_an_hour_is_written_down() {
    let app = TestApp::start().await;
    let (_, db, mut reporter) = in_session(&app, "Slow", 2).await;
    reporter.report_step(&app, &db, &Step::Pass(1_700)).await;
    reporter.report_step(&app, &db, &Step::Tidy).await;
    assert_eq!(journal_rows(&db).await, 2);
    reporter.report_step(&app, &db, &Step::Pass(60)).await;
    reporter.report_step(&app, &db, &Step::Tidy).await;
    assert_eq!(journal_rows(&db).await, 0);
}

#[actix_web::test]
async fn a_damaged_row_is_left_as_it_is_and_the_others_are_served() {
    let app = TestApp::start().await;
    let (damaged, db, mut reporter) = in_session(&app, "Damaged", 35).await;
    drop(db);
    let rows = in_rows(&app);
    let broken = rows.write(|conn| {
        let first = session_journal::table.select(diesel::dsl::min(session_journal::seq)).first::<Option<i64>>(conn)?;
        let row = session_journal::table.filter(session_journal::seq.nullable().eq(first));
        Ok::<usize, StoreError>(diesel::update(row).set(session_journal::body.eq(vec![40, 41, 1])).execute(conn)?)
    });
    assert_eq!(broken.await.expect("broken"), 1);
    let db = in_memory(&app);
    let (whole, other, _) = in_session(&app, "Whole", 35).await;
    drop(other);
    reporter.report_step(&app, &db, &VALUES).await;
    reporter.report_step(&app, &db, &Step::Stop).await;
    drop(db);

    let app = app.restart_with(&[]).await;
    let reports = async |station| outcome(&app, station).await.pop().expect("a session").1.as_array().map(Vec::len);
    assert_eq!(reports(&damaged).await, Some(35), "30 of a chunk, 4 of the journal, 1 of later");
    assert_eq!(reports(&whole).await, Some(35));
    let db = &app.running.context.db;
    let kept = db.read(|conn| {
        let body = session_journal::body.eq(vec![40, 41, 1]);
        Ok::<i64, StoreError>(session_journal::table.filter(body).count().get_result(conn)?)
    });
    assert_eq!(kept.await.expect("read"), 1);

    let broken = db.write(|conn| {
        let first = reading_chunks::table.select(diesel::dsl::min(reading_chunks::id)).first::<Option<i64>>(conn)?;
        let row = reading_chunks::table.filter(reading_chunks::id.nullable().eq(first));
        Ok::<usize, StoreError>(diesel::update(row).set(reading_chunks::body.eq(vec![40, 41, 1])).execute(conn)?)
    });
    assert_eq!(broken.await.expect("broken"), 1);
    let both = [reports(&damaged).await, reports(&whole).await];
    assert!(both.contains(&Some(35)), "the other chunk is served: {both:?}");
}
