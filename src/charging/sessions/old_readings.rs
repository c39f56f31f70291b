//! Readings in rows of their own, `meter_values`, as programs before there were chunks stored them: read and completed where they are.

use diesel::prelude::*;

use super::chunks::Whose;
use super::packed::Stored;
use super::readings::Reading;
use crate::store::schema::meter_values;
use crate::store::{Conn, Json, StoreResult};
use kernel::*;

#[derive(Queryable, Selectable)]
#[diesel(table_name = meter_values)]
struct Row {
    connector_id: ConnectorId,
    session_id: Option<SessionId>,
    at: Timestamp,
    context: String,
    #[diesel(column_name = told_at)]
    station_time: Option<Timestamp>,
    received_at: Timestamp,
    reading: Json<Reading>,
    delivered: Option<WattHours>,
    raw: String,
}

impl Row {
    fn stored(self) -> (Whose, Stored) {
        let stored = Stored {
            at: self.at,
            context: self.context.into(),
            station_time: self.station_time.unwrap_or(self.at),
            received_at: self.received_at,
            reading: self.reading.0,
            delivered: self.delivered,
            raw: self.raw.into(),
        };
        (Whose { connector: self.connector_id, session: self.session_id }, stored)
    }
}

/// Those of a session.
pub(super) fn of_session(conn: &mut Conn, connector: ConnectorId, session: SessionId) -> StoreResult<Vec<Stored>> {
    let rows = meter_values::table
        .filter(meter_values::connector_id.eq(connector))
        .filter(meter_values::session_id.eq(session));
    let rows: Vec<Row> = rows.order(meter_values::at).select(Row::as_select()).load(conn)?;
    Ok(rows.into_iter().map(|row| row.stored().1).collect())
}

/// Those with this time of the station, of a session, or of all that was read at a connector.
pub(super) fn around(
    conn: &mut Conn,
    connector: ConnectorId,
    session: Option<SessionId>,
    station_time: Timestamp,
) -> StoreResult<Vec<(Whose, Stored)>> {
    let mut rows = meter_values::table
        .filter(meter_values::connector_id.eq(connector))
        .filter(meter_values::told_at.eq(station_time))
        .into_boxed();
    if let Some(session) = session {
        rows = rows.filter(meter_values::session_id.eq(session));
    }
    let rows: Vec<Row> = rows.order(meter_values::at).select(Row::as_select()).load(conn)?;
    Ok(rows.into_iter().map(Row::stored).collect())
}

/// Those of connectors with power from an instant until another, so many at most.
pub(super) fn between(
    conn: &mut Conn,
    connectors: &[ConnectorId],
    (from, to): (Timestamp, Timestamp),
    most: i64,
) -> StoreResult<Vec<(Whose, Stored)>> {
    let rows: Vec<Row> = meter_values::table
        .filter(meter_values::connector_id.eq_any(connectors))
        .filter(meter_values::at.ge(from))
        .filter(meter_values::at.lt(to))
        .filter(meter_values::power.is_not_null())
        .order(meter_values::at)
        .limit(most)
        .select(Row::as_select())
        .load(conn)?;
    Ok(rows.into_iter().map(Row::stored).collect())
}

/// The newest time of its station among those of each of these sessions.
pub(super) fn newest(conn: &mut Conn, sessions: &[SessionId]) -> StoreResult<Vec<(SessionId, Option<Timestamp>)>> {
    let rows: Vec<(Option<SessionId>, Option<Timestamp>)> = meter_values::table
        .filter(meter_values::session_id.eq_any(sessions))
        .group_by(meter_values::session_id)
        .select((meter_values::session_id, diesel::dsl::max(meter_values::told_at)))
        .load(conn)?;
    Ok(rows.into_iter().filter_map(|(session, newest)| Some((session?, newest))).collect())
}

/// Writes what a reading has become.
pub(super) fn rewrite(conn: &mut Conn, connector: ConnectorId, stored: &Stored) -> StoreResult<()> {
    diesel::update(meter_values::table.find((connector, stored.at, &stored.context)))
        .set((
            meter_values::energy.eq(stored.reading.energy),
            meter_values::power.eq(stored.reading.power),
            meter_values::reading.eq(Json(serde_json::to_value(&stored.reading).unwrap_or_default())),
            meter_values::raw.eq(&*stored.raw),
            meter_values::delivered.eq(stored.delivered),
        ))
        .execute(conn)?;
    Ok(())
}
