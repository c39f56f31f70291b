//! However a session that is in memory changes, its row has all of it after an update, though the statement names few columns.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use diesel::prelude::*;
use serde_json::json;

use super::energy::{EnergyLedger, Mark};
use super::energy_report::EnergyReport;
use super::model::{ChargingState, Session, SessionStatus, SessionType};
use super::readings::Reading;
use super::{OpenSessions, store};
use crate::each;
use crate::store::connection::Synchronous;
use crate::store::schema::sessions;
use crate::store::{Conn, Db, Json, StoreError, StoreResult, StoreSettings, StoreUrl, migrate};
use kernel::*;

type Change = fn(&mut Session);

const AT: Timestamp = Timestamp::from_unix_seconds(1_777_000_000);

/// One change of each column that ever changes, by itself.
const CHANGES: [Change; 48] = [
    |session| session.user_id = Some(id(21)),
    |session| session.token_id = Some(id(22)),
    |session| session.id_tag = Some("C0FFEE".into()),
    |session| session.type_ = Some(SessionType::Wallet),
    |session| session.transaction_id = Some(7),
    |session| session.transaction_name = Some("7".into()),
    |session| session.start_request = Some(8),
    |session| session.start_key = Some("start".into()),
    |session| session.started_at = Some(AT),
    |session| session.begun_at = Some(AT),
    |session| session.connector_id = None,
    |session| session.status = SessionStatus::Started,
    |session| session.charging_state = Some(ChargingState::Charging),
    |session| _ = session.enter(ChargingState::SuspendedEv, AT),
    |session| session.orphan = true,
    |session| session.orphan = false,
    |session| session.meter_start = Some(WattHours(1)),
    |session| session.energy = WattHours(2),
    |session| session.energy_period = 3,
    |session| session.energy_ledger = Some(Json(EnergyLedger::open(AT, Mark::new(AT, AT, AT), None))),
    |session| {
        let reading = Reading { power: Some(Watts(4)), ..Reading::default() };
        session.latest = Some(Json(EnergyReport::of(AT, &reading)));
    },
    |session| session.latest_at = Some(AT),
    |session| session.power = Some(Watts(4)),
    |session| session.reported_at = Some(AT),
    |session| session.target = Json(serde_json::from_value(json!({"energy": 5})).expect("a target")),
    |session| session.configurations = Json(json!({"a": 1})),
    |session| session.departure_at = Some(AT),
    |session| session.energy_need = Some(WattHours(6)),
    |session| session.power_limit = Some(Watts(7)),
    |session| session.meta_data = Json(serde_json::from_value(json!({"b": 2})).expect("JSON of one's own")),
    |session| session.updated_at = AT + Duration::from_secs(1),
    |session| session.rate_id = Some(id(23)),
    |session| session.rate_version = Some(8),
    |session| {
        let cost = json!({"amount": 1, "currency": "EUR", "before_tax": 1, "total_tax": 0, "breakdown": []});
        session.cost = Some(Json(serde_json::from_value(cost).expect("a cost")));
    },
    |session| session.service_offer_id = Some(id(24)),
    |session| session.car_schedule = Some(Json(json!([9]))),
    |session| session.flags = Json(vec!["odd".into()]),
    |session| session.reports = 10,
    |session| session.meter_stop = Some(WattHours(11)),
    |session| session.stop_reason = Some("Local".into()),
    |session| session.stop_key = Some("stop".into()),
    |session| session.restartable = true,
    |session| session.ended_at = Some(AT),
    |session| {
        let before = session.settled();
        session.energy = WattHours(12);
        assert!(session.keep_correction(before, "odd", AT));
    },
    |session| session.meter_stop = None,
    |session| session.status = SessionStatus::Ended,
    |session| session.stop_reason = None,
    |session| session.id_tag = None,
];

fn id<I: From<RawId>>(byte: u8) -> I {
    RawId::from_bytes([byte; 12]).into()
}

/// The columns of a session and what is in them.
fn columns(session: &Session) -> BTreeMap<String, String> {
    let mut columns: BTreeMap<String, String> = BTreeMap::new();
    let mut name = String::new();
    for line in format!("{session:#?}").lines() {
        if let Some((column, _)) = line
            .strip_prefix("    ")
            .filter(|rest| !rest.starts_with([' ', '}', ')', ']']))
            .and_then(|rest| rest.split_once(':'))
        {
            name = column.to_owned();
        }
        columns.entry(name.clone()).or_default().push_str(line);
    }
    columns
}

/// Changes a session again and again; what says of each row that is not what was stored, and of each column that no change is of.
fn changed(conn: &mut Conn) -> StoreResult<Vec<String>> {
    // What it refers to is not there: it is checked at a commit that never comes.
    each!(conn, |conn| diesel::sql_query("PRAGMA defer_foreign_keys = ON").execute(conn))?;
    let moment = Moment::new(AT, Arc::new(CountingIds::default()));
    let mut session = Session::blank(id(1), id(2), Some(id(3)), &moment);
    store::insert(conn, &session)?;
    let mut differing = Vec::new();
    let mut unchanged = columns(&session);
    for (number, change) in CHANGES.iter().enumerate() {
        let before = columns(&session);
        change(&mut session);
        let after = columns(&session);
        unchanged.retain(|column, _| before.get(column) == after.get(column));
        store::update(conn, &session)?;
        let row: Session = sessions::table.find(session.id).select(Session::as_select()).first(conn)?;
        if format!("{row:?}") != format!("{session:?}") {
            differing.push(format!("change {number}: {row:?} is not {session:?}"));
        }
    }
    for never in ["", "id", "organization_id", "chargestation_id", "created_at"] {
        unchanged.remove(never);
    }
    differing.extend(unchanged.into_keys().map(|column| format!("nothing changes {column}")));
    Ok(differing)
}

#[tokio::test]
async fn a_row_has_all_that_changed() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = StoreUrl::Sqlite(folder.path().join("updates.db").display().to_string());
    migrate::run(&mut Conn::open(&url, Synchronous::Normal).expect("it opens")).expect("a schema");
    let memory = Arc::new(OpenSessions::new(RawId::from_bytes([9; 12])));
    let db = Db::open_with(StoreSettings::new(url), None, Some(memory)).expect("opens");
    let found: Arc<Mutex<Option<Vec<String>>>> = Arc::default();
    let noted = Arc::clone(&found);
    let outcome = db.write_to_memory(move |conn| {
        let differing = changed(conn)?;
        *noted.lock().expect("no panic") = Some(differing);
        Err::<(), _>(StoreError::NotFound) // nothing of it stays
    });
    assert!(matches!(outcome.await, Err(StoreError::NotFound)));
    assert_eq!(found.lock().expect("no panic").take(), Some(Vec::new()));
}
