//! Meter values: recorded once each, and what they tell of their session.

use std::time::Duration;

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::model::{Session, SessionView};
use super::{corrections, cost, store};
use crate::db::schema::meter_values;
use crate::db::{Conn, Json, StoreResult};
use crate::each;
use crate::events::{self, EventKind};
use crate::http::quantities::shown;
use crate::kernel::*;

/// How often `session.updated` is told at most.
const TOLD_EVERY: Duration = Duration::from_secs(30);
/// Between two readings further apart than this, a car that draws is not assumed to have drawn all the time.
const LONGEST_GAP: Duration = Duration::from_secs(3_600);
/// Draw below which a car counts as not drawing.
const DRAWING: Watts = Watts(100);

/// What a meter measured at one instant, in one unit each.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// The energy register.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub energy: Option<WattHours>,
    /// The power drawn.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub power: Option<Watts>,
    /// The current of each phase.
    #[serde(default)]
    pub current: [Option<Milliamps>; 3],
    /// The voltage of each phase to neutral.
    #[serde(default)]
    pub voltage: [Option<Millivolts>; 3],
    /// The battery's state of charge, in percent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub soc_percent: Option<u8>,
}

/// A reading with its time, its context and the text it came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// When it was measured.
    pub at: Timestamp,
    /// Why: `Sample.Periodic`, `Transaction.Begin`, …
    pub context: String,
    /// What was measured.
    pub reading: Reading,
    /// As it came.
    pub raw: String,
}

/// Meter values of one connector.
#[derive(Debug, Clone)]
pub struct MeterReport {
    /// Whose they are.
    pub organization: OrganizationId,
    /// The station.
    pub station: StationId,
    /// The connector.
    pub connector: ConnectorId,
    /// The transaction the station says they belong to, if it says so.
    pub transaction: Option<i64>,
    /// The readings, oldest first.
    pub samples: Vec<Sample>,
}

#[derive(Insertable)]
#[diesel(table_name = meter_values, treat_none_as_default_value = false)]
struct Row<'a> {
    connector_id: ConnectorId,
    at: Timestamp,
    context: &'a str,
    session_id: Option<SessionId>,
    received_at: Timestamp,
    energy: Option<WattHours>,
    power: Option<Watts>,
    reading: Json<Value>,
    raw: &'a str,
}

/// Records meter values; one that is already known is left as it is. Answers the session they belong to, as it is now.
pub fn record_readings(
    conn: &mut Conn,
    moment: &Moment,
    report: &MeterReport,
) -> StoreResult<Option<Session>> {
    let by_transaction = match report.transaction.filter(|id| *id > 0) {
        Some(id) => store::find_by_transaction(conn, report.station, id)?,
        None => None,
    };
    let session = match by_transaction {
        Some(session) => Some(session),
        None => store::open_session_on(conn, report.connector)?,
    };
    insert_samples(
        conn,
        moment,
        report,
        session.as_ref().map(|session| session.id),
    )?;
    let Some(mut session) = session else {
        return Ok(None);
    };
    if let Some(latest) = report.samples.last() {
        corrections::revive(conn, moment, &mut session, latest.at)?;
    }
    if !session.follow(&report.samples) {
        return Ok(Some(session));
    }
    session.updated_at = moment.version_after(session.updated_at);
    let tell = session
        .reported_at
        .is_none_or(|last| moment.now.since(last) >= TOLD_EVERY);
    if tell {
        session.reported_at = Some(moment.now);
    }
    if tell || session.target.0.cost.is_some() {
        let until = session.latest_at.unwrap_or(moment.now);
        cost::reckon(conn, &mut session, until)?;
    }
    store::save_metrics(conn, &session)?;
    if tell {
        let view = SessionView::from(session.clone());
        events::record(
            conn,
            moment,
            store::session_event(&session, EventKind::SessionUpdated),
            &view,
        )?;
    }
    Ok(Some(session))
}

/// Stores samples under a session.
pub(super) fn insert_samples(
    conn: &mut Conn,
    moment: &Moment,
    report: &MeterReport,
    session_id: Option<SessionId>,
) -> StoreResult<()> {
    for sample in &report.samples {
        let row = Row {
            connector_id: report.connector,
            at: sample.at,
            context: &sample.context,
            session_id,
            received_at: moment.now,
            energy: sample.reading.energy,
            power: sample.reading.power,
            reading: Json(serde_json::to_value(&sample.reading).unwrap_or_default()),
            raw: &sample.raw,
        };
        each!(conn, |conn| diesel::insert_into(meter_values::table)
            .values(&row)
            .on_conflict_do_nothing()
            .execute(conn))?;
    }
    Ok(())
}

impl Session {
    /// Takes in readings that are newer than what it knows; false when there was nothing new.
    pub(super) fn follow(&mut self, samples: &[Sample]) -> bool {
        let mut followed = false;
        for sample in samples {
            if self.latest_at.is_some_and(|latest| sample.at < latest) {
                continue;
            }
            followed = true;
            let Reading { energy, power, .. } = &sample.reading;
            self.count_drawing_time(sample.at);
            if let Some(register) = energy {
                self.meter_start.get_or_insert(*register);
                self.energy = self.energy.max(self.delivered(*register));
            }
            if power.is_some() {
                self.power = *power;
            }
            self.latest_at = Some(sample.at);
            self.latest = Some(Json(energy_report(sample)));
        }
        followed
    }

    fn count_drawing_time(&mut self, now: Timestamp) {
        let drawing = self.power.is_some_and(|power| power > DRAWING);
        let since = self
            .latest_at
            .or(self.started_at)
            .map_or(Duration::ZERO, |last| now.since(last));
        if drawing && since <= LONGEST_GAP {
            self.energy_period += i64::try_from(since.as_secs()).unwrap_or(0);
        }
    }
}

/// A sample in eDRV's form.
pub(super) fn energy_report(sample: &Sample) -> Value {
    let Reading {
        energy,
        power,
        current,
        voltage,
        soc_percent,
    } = &sample.reading;
    let mut report = json!({"timestamp": sample.at});
    let highest = current.iter().flatten().max();
    let mut add = |name: &str, value: Option<Value>, unit: &str| {
        if let (Some(value), Some(fields)) = (value, report.as_object_mut()) {
            fields.insert(name.to_owned(), json!({"value": value, "unit": unit}));
        }
    };
    add(
        "current",
        highest.map(|current| json!(shown(current.get()))),
        "A",
    );
    add(
        "voltage",
        voltage
            .iter()
            .flatten()
            .max()
            .map(|voltage| json!(shown(voltage.get()))),
        "V",
    );
    add(
        "phase_current",
        current
            .iter()
            .copied()
            .collect::<Option<Vec<Milliamps>>>()
            .map(|phases| phases.iter().map(|one| shown(one.get())).collect()),
        "A",
    );
    add("power", power.map(|power| json!(power.kilowatts())), "kW");
    add(
        "energy_meter",
        energy.map(|energy| json!(energy.get())),
        "Wh",
    );
    add(
        "state_of_charge",
        soc_percent.map(|percent| json!(percent)),
        "Percent",
    );
    report
}

/// The readings of a session in eDRV's form, oldest first.
pub(super) fn energy_reports(
    conn: &mut Conn,
    session: SessionId,
    connector: ConnectorId,
) -> StoreResult<Vec<Value>> {
    /// Reports one answer holds at most: a week at one a minute.
    const MOST_REPORTS: i64 = 10_080;
    let rows: Vec<(Timestamp, Json<Reading>)> = meter_values::table
        .filter(
            meter_values::connector_id
                .eq(connector)
                .and(meter_values::session_id.eq(session)),
        )
        .order(meter_values::at.asc())
        .limit(MOST_REPORTS)
        .select((meter_values::at, meter_values::reading))
        .load(conn)?;
    let report = |(at, Json(reading))| {
        energy_report(&Sample {
            at,
            context: String::new(),
            reading,
            raw: String::new(),
        })
    };
    Ok(rows.into_iter().map(report).collect())
}
