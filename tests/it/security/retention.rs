//! What grows is deleted when it is old, each time it is recorded, and no wrong clock deletes what is young.

use std::time::Duration;

use clock::Clock;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use evenwatt::app::retention::Retention;
use evenwatt::store::schema::{
    actions, connector_statuses, meter_evidence, meter_values, plans, reading_chunks, transaction_events,
};
use evenwatt::store::{Conn, Json, StoreError, StoreResult};
use kernel::{ActionId, EventId, PlanId, SessionId, StationId, Timestamp};
use serde_json::{Value, json};

use crate::support::{FakeStation, Keeper, TestApp, TestStation, configuration, eventually};

const DAY: Duration = Duration::from_secs(24 * 3_600);

/// Nothing is kept for long.
const SHORT: &[(&str, &str)] = &[
    ("EVENWATT_RETENTION_READINGS_DAYS", "3"),
    ("EVENWATT_RETENTION_TRANSACTION_EVENTS_DAYS", "3"),
    ("EVENWATT_RETENTION_EVIDENCE_DAYS", "5"),
    ("EVENWATT_RETENTION_ORPHANS_DAYS", "3"),
    ("EVENWATT_RETENTION_SESSIONS_DAYS", "9"),
    ("EVENWATT_RETENTION_ACTIONS_DAYS", "3"),
    ("EVENWATT_RETENTION_STATUSES_DAYS", "3"),
    ("EVENWATT_RETENTION_PLANS_DAYS", "3"),
    ("EVENWATT_RETENTION_ASSET_READINGS_DAYS", "3"),
    ("EVENWATT_RETENTION_ASSET_QUARTERS_DAYS", "6"),
];

/// A server that keeps nothing for long, and what deletes on it.
async fn start() -> (TestApp, Keeper) {
    let app = TestApp::start_with(SHORT).await;
    let keeper = Keeper::new(&app, SHORT).await;
    (app, keeper)
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

/// A session with three readings that is over; it costs 35 cents a kilowatt-hour.
async fn charge(app: &TestApp) -> (TestStation, Value) {
    let station = app.station("Kept").await;
    let rate = json!({"name": "Standard", "currency": "EUR",
        "price_components": [{"type": "ENERGY", "price": 0.35}]});
    let rate = app.client.post("/rates", rate).await.created();
    let connector = format!("/connectors/{}", station.connector);
    let patch = json!({"rate": rate["_id"]});
    app.client.patch(&connector, patch).await.ok();
    let mut socket = FakeStation::connect(&station.url).await;
    let begun = app.clock.now();
    let at = |seconds: u64| (begun + Duration::from_secs(seconds)).to_string();
    let start = json!({"connectorId": 1, "idTag": "CARD", "meterStart": 0, "timestamp": at(0)});
    let started = socket.call("StartTransaction", start).await;
    let transaction = started["transactionId"].clone();
    app.pass(Duration::from_secs(3_610)).await;
    for number in [1, 2, 3] {
        let sampled = json!([{"value": (number * 1_000).to_string(), "unit": "Wh"}]);
        let values = json!([{"timestamp": at(number * 1_200), "sampledValue": sampled}]);
        let report = json!({"connectorId": 1, "transactionId": transaction, "meterValue": values});
        socket.call("MeterValues", report).await;
    }
    let stop = json!({"transactionId": transaction, "meterStop": 3_000, "timestamp": at(3_605)});
    socket.call("StopTransaction", stop).await;
    (station, app.client.get("/sessions").await.ok()[0].clone())
}

/// Does something straight in the store.
async fn in_store<T: Send + 'static>(
    app: &TestApp,
    work: impl FnMut(&mut Conn) -> QueryResult<T> + Send + 'static,
) -> T {
    let mut work = work;
    let written = app.running.context.db.write(move |conn| Ok::<T, StoreError>(work(conn)?));
    written.await.expect("written")
}

async fn readings(app: &TestApp) -> i64 {
    in_store(app, |conn| {
        let old: i64 = meter_values::table.count().get_result(conn)?;
        let packed: Vec<i64> = reading_chunks::table.select(reading_chunks::readings).load(conn)?;
        Ok(old + packed.iter().sum::<i64>())
    })
    .await
}

fn kinds(recorded: &[Value]) -> Vec<&str> {
    recorded.iter().map(|one| text(&one["what"])).collect()
}

#[actix_web::test]
async fn readings_go_after_a_time_and_the_session_and_its_bill_stay() {
    let (app, mut keeper) = start().await;
    let (_, session) = charge(&app).await;
    assert_eq!(session["cost"]["amount"], 1.05, "3 kWh at 0.35: {session:#}");
    let before = readings(&app).await;
    assert!(before >= 3);
    keeper.pass(&app, 2).await;
    assert_eq!(readings(&app).await, before, "two days are not three");
    keeper.pass(&app, 2).await;

    assert_eq!(readings(&app).await, 0);
    let path = format!("/sessions/{}", text(&session["_id"]));
    assert_eq!(app.client.get(&path).await.ok(), session);
    let recorded = keeper.recorded(&app).await;
    assert!(recorded.contains(&json!({"what": "readings", "rows": before})), "{recorded:?}");

    keeper.pass(&app, 6).await;
    app.client.get(&path).await.error(404);
    assert!(kinds(&keeper.recorded(&app).await).contains(&"sessions"));
}

#[actix_web::test]
async fn readings_without_a_session_go() {
    let (app, mut keeper) = start().await;
    let station = app.station("Idle").await;
    let mut socket = FakeStation::connect(&station.url).await;
    for minute in 0..3 {
        let at = (app.clock.now() - Duration::from_secs(60 * (minute + 1))).to_string();
        let sampled = json!([{"value": "5", "measurand": "Power.Active.Import"}]);
        let values = json!([{"timestamp": at, "sampledValue": sampled}]);
        let report = json!({"connectorId": 1, "meterValue": values});
        socket.call("MeterValues", report).await;
    }
    assert_eq!(readings(&app).await, 3);
    keeper.pass(&app, 2).await;
    assert_eq!(readings(&app).await, 3);
    keeper.pass(&app, 2).await;
    assert_eq!(readings(&app).await, 0);
    let recorded = keeper.recorded(&app).await;
    assert!(recorded.contains(&json!({"what": "loose_readings", "rows": 3})), "{recorded:?}");
}

#[actix_web::test]
async fn of_readings_without_a_session_only_those_go_that_are_old_enough() {
    let (app, mut keeper) = start().await;
    let station = app.station("Idle").await;
    let mut socket = FakeStation::connect(&station.url).await;
    for hours in [10, 1, 0] {
        let at = (app.clock.now() - Duration::from_secs(3_600 * hours)).to_string();
        let values = json!([{"timestamp": at, "sampledValue": [{"value": "5", "measurand": "Power.Active.Import"}]}]);
        socket.call("MeterValues", json!({"connectorId": 1, "meterValue": values})).await;
    }
    let chunks = in_store(&app, |conn| reading_chunks::table.count().get_result::<i64>(conn)).await;
    assert_eq!((readings(&app).await, chunks), (3, 1));
    keeper.pass(&app, 2).await;
    assert_eq!(readings(&app).await, 3);
    keeper.pass(&app, 1).await;
    assert_eq!(readings(&app).await, 1, "the one from three days ago, to the second");
    keeper.pass(&app, 1).await;
    assert_eq!(readings(&app).await, 0);
    assert_eq!(went(&keeper, &app, "loose_readings").await, 3);
}

#[actix_web::test]
async fn of_a_session_that_is_long_over_a_reading_of_each_quarter_of_an_hour_stays() {
    let options = [SHORT, &[("EVENWATT_RETENTION_READINGS_DAYS", "9"), ("EVENWATT_RETENTION_READINGS_FULL_DAYS", "3")]];
    let app = TestApp::start_with(&options.concat()).await;
    let mut keeper = Keeper::new(&app, &options.concat()).await;
    let (station, _) = charge(&app).await; // at 0, 20, 40 and 60 minutes
    let begun = app.clock.now() - Duration::from_secs(3_610);
    let id: SessionId = text(&app.client.get("/sessions").await.ok()[0]["_id"]).parse().expect("an id");
    let connector = station.connector.clone();
    // Rows of an older program, one a minute; at 30 minutes by the clock of the station, and one that was signed.
    in_store(&app, move |conn| {
        for minute in (1..60).filter(|minute| minute % 20 != 0) {
            let at = begun + Duration::from_secs(minute * 60 + 1);
            diesel::insert_into(meter_values::table)
                .values((
                    meter_values::connector_id.eq(&connector),
                    meter_values::at.eq(at),
                    meter_values::context.eq(if minute == 30 { "Clock" } else { "Periodic" }),
                    meter_values::session_id.eq(Some(id)),
                    meter_values::told_at.eq(Some(at)),
                    meter_values::received_at.eq(at),
                    meter_values::power.eq(Some(3_000_i64)),
                    meter_values::reading.eq(Json(json!({"power": 3_000}))),
                    meter_values::raw.eq("{}"),
                ))
                .execute(conn)?;
        }
        Ok(())
    })
    .await;
    let (organization, moment) = (app.organization, app.running.context.moment());
    let at_station: StationId = station.id.parse().expect("an id");
    let signed = begun + Duration::from_secs(33 * 60 + 1);
    in_store(&app, move |conn| {
        diesel::insert_into(meter_evidence::table)
            .values((
                meter_evidence::id.eq(moment.id::<EventId>()),
                meter_evidence::organization_id.eq(organization),
                meter_evidence::chargestation_id.eq(at_station),
                meter_evidence::session_id.eq(Some(id)),
                meter_evidence::told_at.eq(signed),
                meter_evidence::received_at.eq(moment.now),
                meter_evidence::context.eq("Sample.Periodic"),
                meter_evidence::signed_data.eq("OCMF"),
            ))
            .execute(conn)
    })
    .await;

    let path = format!("/sessions/{id}");
    let times = async |app: &TestApp| -> Vec<Timestamp> {
        let reports = app.client.get(&format!("{path}/energy_reports")).await.ok();
        let measured = reports.as_array().expect("reports").iter().filter(|report| report["signed_data"].is_null());
        measured.map(|report| text(&report["timestamp"]).parse().expect("a time")).collect()
    };
    let (session, all, before) = (app.client.get(&path).await.ok(), readings(&app).await, times(&app).await);
    let last = *before.last().expect("readings");
    assert_eq!((all, before.len()), (57 + 3, 57 + 3));
    keeper.pass(&app, 2).await;
    assert_eq!(readings(&app).await, all, "two days are not three");
    keeper.pass(&app, 2).await;
    assert_eq!(app.client.get(&path).await.ok(), session, "energy, times and cost are as they were");

    let after = |seconds: u64| begun + Duration::from_secs(seconds);
    let quarter = |at: Timestamp| at.unix_seconds() / 900;
    let minutes = (1..60).filter(|minute| minute % 20 != 0).map(|minute| after(minute * 60 + 1));
    let mut wanted: Vec<Timestamp> = minutes
        .clone()
        .filter(|at| {
            let is_last = minutes.clone().filter(|other| quarter(*other) == quarter(*at)).max() == Some(*at);
            is_last || *at == after(61) || *at == after(30 * 60 + 1) || *at == signed
        })
        .collect();
    // These have the register that the others lack; the last one is the last of all.
    wanted.extend([after(1_200), after(2_400), last]);
    wanted.sort_unstable();
    let left = times(&app).await;
    let seconds = |times: &[Timestamp]| times.iter().map(|at| at.seconds_since(begun)).collect::<Vec<_>>();
    assert_eq!(seconds(&left), seconds(&wanted));
    let rows = in_store(&app, |conn| meter_values::table.count().get_result::<i64>(conn)).await;
    assert_eq!(rows, 0);
    let gone = all - i64::try_from(left.len()).expect("few");
    assert_eq!(went(&keeper, &app, "full_readings").await, gone);

    keeper.pass(&app, 6).await;
    assert_eq!(readings(&app).await, 0);
}

#[actix_web::test]
async fn readings_stay_whole_where_nothing_is_to_be_thinned() {
    let options = [SHORT, &[("EVENWATT_RETENTION_READINGS_FULL_DAYS", "0")]].concat();
    let app = TestApp::start_with(&options).await;
    let config = configuration(app.store_url(), &options);
    let retention = Retention::new(&config.retention, DAY).expect("good settings");
    assert!(retention.names().all(|what| what != "full_readings"));
}

#[actix_web::test]
async fn transaction_events_go_and_what_meters_signed_stays_for_longer() {
    let (app, mut keeper) = start().await;
    let (station, session) = charge(&app).await;
    let id: SessionId = text(&session["_id"]).parse().expect("an id");
    let at_station: StationId = station.id.parse().expect("an id");
    let (organization, moment) = (app.organization, app.running.context.moment());
    in_store(&app, move |conn| {
        for number in 0..2_i64 {
            diesel::insert_into(transaction_events::table)
                .values((
                    transaction_events::session_id.eq(id),
                    transaction_events::seq_no.eq(number),
                    transaction_events::stage.eq("Updated"),
                    transaction_events::trigger_reason.eq("MeterValuePeriodic"),
                    transaction_events::at.eq(moment.now),
                    transaction_events::received_at.eq(moment.now),
                    transaction_events::offline.eq(false),
                    transaction_events::raw.eq("{}"),
                ))
                .execute(conn)?;
        }
        diesel::insert_into(meter_evidence::table)
            .values((
                meter_evidence::id.eq(moment.id::<EventId>()),
                meter_evidence::organization_id.eq(organization),
                meter_evidence::chargestation_id.eq(at_station),
                meter_evidence::session_id.eq(Some(id)),
                meter_evidence::told_at.eq(moment.now),
                meter_evidence::received_at.eq(moment.now),
                meter_evidence::context.eq("Transaction.End"),
                meter_evidence::signed_data.eq("OCMF"),
            ))
            .execute(conn)
    })
    .await;
    let left = async |app: &TestApp| {
        in_store(app, |conn| {
            let events: i64 = transaction_events::table.count().get_result(conn)?;
            let signed: i64 = meter_evidence::table.count().get_result(conn)?;
            Ok((events, signed))
        })
        .await
    };
    keeper.pass(&app, 2).await;
    assert_eq!(left(&app).await, (2, 1));
    keeper.pass(&app, 2).await;
    assert_eq!(left(&app).await, (0, 1));
    keeper.pass(&app, 2).await;
    assert_eq!(left(&app).await, (0, 0));
    let recorded = keeper.recorded(&app).await;
    for (what, rows) in [("transaction_events", 2), ("evidence", 1)] {
        assert!(recorded.contains(&json!({"what": what, "rows": rows})), "{recorded:?}");
    }
}

#[actix_web::test]
async fn commands_plans_and_statuses_go_and_the_newest_plan_and_status_stay() {
    let (app, mut keeper) = start().await;
    let station = app.station("Busy").await;
    let mut socket = FakeStation::connect(&station.url).await;
    for status in ["Preparing", "Charging", "Available"] {
        let at = app.clock.now().to_string();
        let reported = json!({"connectorId": 1, "errorCode": "NoError", "status": status, "timestamp": at});
        socket.call("StatusNotification", reported).await;
        app.pass(Duration::from_secs(1)).await;
    }
    let (organization, moment) = (app.organization, app.running.context.moment());
    let at_station: StationId = station.id.parse().expect("an id");
    in_store(&app, move |conn| {
        diesel::insert_into(actions::table)
            .values((
                actions::id.eq(moment.id::<ActionId>()),
                actions::organization_id.eq(organization),
                actions::type_.eq("Reset"),
                actions::status.eq("completed"),
                actions::chargestation_id.eq(at_station),
                actions::data.eq(Json(json!({}))),
                actions::created_at.eq(moment.now),
                actions::updated_at.eq(moment.now),
            ))
            .execute(conn)?;
        for second in 0..3 {
            diesel::insert_into(plans::table)
                .values((
                    plans::id.eq(moment.id::<PlanId>()),
                    plans::group_id.eq("650000000000000000000001"),
                    plans::at.eq(moment.now + Duration::from_secs(second)),
                    plans::trigger.eq("tick"),
                    plans::snapshot.eq(Json(json!({}))),
                    plans::plan.eq(Json(json!({}))),
                ))
                .execute(conn)?;
        }
        Ok(())
    })
    .await;
    let left = async |app: &TestApp| {
        in_store(app, |conn| {
            let actions: i64 = actions::table.count().get_result(conn)?;
            let plans: i64 = plans::table.count().get_result(conn)?;
            let statuses: i64 = connector_statuses::table.count().get_result(conn)?;
            Ok((actions, plans, statuses))
        })
        .await
    };
    keeper.pass(&app, 2).await;
    assert_eq!(left(&app).await, (1, 3, 3));
    keeper.pass(&app, 2).await;
    assert_eq!(left(&app).await, (0, 1, 1));
    let history = format!("/connectors/{}/statuses", station.connector);
    assert_eq!(app.client.get(&history).await.ok()[0]["status"], "Available");
    let recorded = keeper.recorded(&app).await;
    for (what, rows) in [("actions", 1), ("statuses", 2)] {
        assert!(recorded.contains(&json!({"what": what, "rows": rows})), "{recorded:?}");
    }
}

/// How many rows of this went by all events.
async fn went(keeper: &Keeper, app: &TestApp, what: &str) -> i64 {
    let recorded = keeper.recorded(app).await;
    let of_it = recorded.iter().filter(|recorded| recorded["what"] == what);
    of_it.filter_map(|recorded| recorded["rows"].as_i64()).sum()
}

#[actix_web::test]
async fn of_a_quarter_of_an_hour_the_mean_of_an_asset_stays_and_its_register() {
    let (app, mut keeper) = start().await;
    let site = json!({"operatorName": "Yard", "coordinates": [4.9, 52.4], "address": {}});
    let site = app.client.post("/locations", site).await.created();
    let meter = json!({"name": "M", "type": "smart_meter", "location": site["_id"]});
    let meter = app.client.post("/assets", meter).await.created();
    let path = format!("/assets/{}/readings", text(&meter["_id"]));
    let reading = |at: &str, power: f64, energy: i64| json!({"at": format!("2026-04-24T{at}Z"), "power": power, "energy": energy});
    let sent = json!([
        reading("02:44:59", 9.0, 99),
        reading("02:45:00", 2.0, 100),
        reading("02:50:00", 4.0, 101),
        reading("03:00:00", 3.0, 102),
        reading("03:05:00", -1.0, 103),
        reading("03:06:00", 7.0, 104),
    ]);
    app.client.post(&path, sent).await.created();
    let asked = format!("{path}?from=2026-04-24T00:00:00Z&to=2026-04-25T00:00:00Z&paginate_limit=100");
    let kept = async |app: &TestApp| -> Vec<(Value, Value, Value)> {
        let page = app.client.get(&asked).await.ok();
        let rows = page.as_array().expect("readings").iter();
        rows.map(|row| (row["at"].clone(), row["power"].clone(), row["energy"].clone())).collect()
    };
    keeper.pass(&app, 2).await;
    assert_eq!(kept(&app).await.len(), 6);
    keeper.pass(&app, 2).await;
    let row = |at: &str, power: f64, energy: i64| (json!(format!("2026-04-24T{at}.000Z")), json!(power), json!(energy));
    // (2 + 4) / 2 = 3 and (3 - 1 + 7) / 3 = 3.
    assert_eq!(kept(&app).await, [row("02:44:59", 9.0, 99), row("02:50:00", 3.0, 101), row("03:06:00", 3.0, 104),]);
    assert_eq!(went(&keeper, &app, "asset_readings").await, 3);
    keeper.pass(&app, 3).await;
    assert_eq!(kept(&app).await.len(), 0);
    assert_eq!(went(&keeper, &app, "asset_quarters").await, 3);
}

#[actix_web::test]
async fn a_clock_that_is_wrong_for_a_while_deletes_nothing() {
    let (app, mut keeper) = start().await;
    charge(&app).await;
    let before = readings(&app).await;
    for days in [100, 1_000] {
        let right = app.clock.now();
        app.pass(DAY * days).await;
        for _ in 0..10 {
            keeper.turn(&app).await;
        }
        app.clock.set(right);
        keeper.turn(&app).await;
        keeper.pass(&app, 1).await;
    }
    assert_eq!(readings(&app).await, before, "two days went by, not three");
    assert_eq!(keeper.recorded(&app).await, [json!(null); 0]);

    keeper.pass(&app, 3).await;
    assert_eq!(readings(&app).await, 0, "it goes on as if nothing had been");
}

#[actix_web::test]
async fn a_clock_that_stays_wrong_deletes_a_day_in_twelve_hours() {
    let (app, mut keeper) = start().await;
    // A session ends each day for six days.
    for _ in 0..6 {
        let now = app.clock.now();
        db_reading(&app, now).await;
        keeper.pass(&app, 1).await;
    }
    // Kept are the last three days, as the setting says.
    let before = readings(&app).await;
    assert!((3..=4).contains(&before), "{before}");
    app.pass(DAY * 100).await;
    keeper.pass(&app, 1).await;
    let after = readings(&app).await;
    assert!((before - 2..before).contains(&after), "{before} {after}");
}

/// Puts a reading without a session straight into the store.
async fn db_reading(app: &TestApp, at: Timestamp) {
    in_store(app, move |conn| {
        diesel::insert_into(meter_values::table)
            .values((
                meter_values::connector_id.eq("650000000000000000000002"),
                meter_values::at.eq(at),
                meter_values::context.eq("Sample.Periodic"),
                meter_values::received_at.eq(at),
                meter_values::reading.eq(Json(json!({}))),
                meter_values::raw.eq("{}"),
            ))
            .execute(conn)
    })
    .await;
}

#[actix_web::test]
async fn more_old_readings_than_are_deleted_in_one_go_all_go() {
    let (app, mut keeper) = start().await;
    let now = app.clock.now();
    in_store(&app, move |conn| {
        for number in 0..4_500 {
            diesel::insert_into(meter_values::table)
                .values((
                    meter_values::connector_id.eq("650000000000000000000002"),
                    meter_values::at.eq(now + Duration::from_secs(number)),
                    meter_values::context.eq("Sample.Periodic"),
                    meter_values::received_at.eq(now),
                    meter_values::reading.eq(Json(json!({}))),
                    meter_values::raw.eq("{}"),
                ))
                .execute(conn)?;
        }
        Ok(())
    })
    .await;
    keeper.pass(&app, 4).await;
    assert_eq!(readings(&app).await, 0);
}

#[actix_web::test]
async fn orphans_go_whole() {
    let (app, mut keeper) = start().await;
    let station = app.station("Forgetful").await;
    let mut socket = FakeStation::connect(&station.url).await;
    let stop = json!({"transactionId": 77, "meterStop": 1, "timestamp": "2026-04-24T01:00:00Z"});
    socket.call("StopTransaction", stop).await;
    let orphans = async |app: &TestApp| app.client.get("/sessions?orphan=true").await.json()["totalDocs"].clone();
    keeper.pass(&app, 2).await;
    assert_eq!(orphans(&app).await, 1);
    keeper.pass(&app, 2).await;
    assert_eq!(orphans(&app).await, 0);
    assert!(kinds(&keeper.recorded(&app).await).contains(&"orphans"));
}

#[actix_web::test]
async fn a_store_that_takes_no_writes_is_not_ready() {
    let app = TestApp::start().await;
    app.at_rest().await; // what is written at the start would be refused together with this
    assert_eq!(app.client.get_bare("/readyz").await.status, 200);
    let closed = app.running.context.db.write(|conn| -> StoreResult<bool> {
        match conn {
            Conn::Sqlite(conn) => {
                conn.batch_execute("PRAGMA query_only = ON")?;
                Ok(true)
            }
            Conn::Pg(_) => Ok(false), // any of its writers may be asked
        }
    });
    if !closed.await.expect("closed") {
        return;
    }
    eventually(async || app.client.get_bare("/readyz").await.status == 503).await;
    assert_eq!(app.client.get_bare("/healthz").await.status, 200);
}

#[actix_web::test]
async fn a_disk_without_room_is_not_ready() {
    let app = TestApp::start().await;
    let Some(path) = app.store_url().strip_prefix("sqlite://") else {
        return; // PostgreSQL minds its own disk
    };
    // Nothing can be written where a folder is, as nothing can where the disk is full.
    let probe = format!("{path}-room");
    std::fs::create_dir(&probe).expect("a folder");
    eventually(async || app.client.get_bare("/readyz").await.status == 503).await;
    std::fs::remove_dir(&probe).expect("it is empty");
    eventually(async || app.client.get_bare("/readyz").await.status == 200).await;
}
