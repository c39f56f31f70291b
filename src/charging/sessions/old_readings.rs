//! Readings in rows of their own, `meter_values`, as programs before there were chunks stored them: read and completed where they are,
//! until they are chunks, too ([`super::moving`]). A row that cannot be read is named, kept, and left out.

use diesel::prelude::*;

use super::chunks::Whose;
use super::packed::Stored;
use super::readings::Reading;
use crate::store::connection::MultiBackend;
use crate::store::schema::meter_values;
use crate::store::{Conn, Json, Legible, StoreResult};
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
    reading: Legible<Reading>,
    delivered: Option<WattHours>,
    raw: String,
}

impl Row {
    fn stored(self) -> Option<(Whose, Stored)> {
        let reading = match self.reading.0 {
            Ok(reading) => reading,
            Err(error) => {
                let (connector, at) = (self.connector_id, self.at);
                tracing::error!(error, %connector, %at, "a reading in a row of its own cannot be read and is left as it is");
                return None;
            }
        };
        let stored = Stored {
            at: self.at,
            context: self.context.into(),
            station_time: self.station_time.unwrap_or(self.at),
            received_at: self.received_at,
            reading,
            delivered: self.delivered,
            raw: self.raw.into(),
        };
        Some((Whose { connector: self.connector_id, session: self.session_id }, stored))
    }
}

/// Those of a session at its connector. The connector is compared here: the store would rather look at all that it has.
pub(super) fn of_session(conn: &mut Conn, connector: ConnectorId, session: SessionId) -> StoreResult<Vec<Stored>> {
    let rows: Vec<Row> = meter_values::table
        .filter(meter_values::session_id.eq(session))
        .order((meter_values::at, meter_values::context))
        .select(Row::as_select())
        .load(conn)?;
    let stored = rows.into_iter().filter_map(Row::stored);
    Ok(stored.filter(|(whose, _)| whose.connector == connector).map(|(_, stored)| stored).collect())
}

/// Those with this time of the station, of a session, or of all that was read at a connector.
pub(super) fn around(
    conn: &mut Conn,
    connector: ConnectorId,
    session: Option<SessionId>,
    station_time: Timestamp,
) -> StoreResult<Vec<(Whose, Stored)>> {
    // What the index has, first: asked for more, SQLite would look at all that the connector has.
    let keys: Vec<(Timestamp, String)> = meter_values::table
        .filter(meter_values::connector_id.eq(connector))
        .filter(meter_values::told_at.eq(station_time))
        .select((meter_values::at, meter_values::context))
        .load(conn)?;
    let mut rows: Vec<Row> = Vec::new();
    for (at, context) in keys {
        rows.push(meter_values::table.find((connector, at, context)).select(Row::as_select()).first(conn)?);
    }
    let stored = rows.into_iter().filter_map(Row::stored);
    Ok(stored.filter(|(whose, _)| session.is_none() || whose.session == session).collect())
}

/// Those of connectors with power from an instant until another: the first ones, so many where there are more.
pub(super) fn between(
    conn: &mut Conn,
    connectors: &[ConnectorId],
    (from, to): (Timestamp, Timestamp),
    most: usize,
) -> StoreResult<Vec<(Whose, Stored)>> {
    let mut limit = most;
    loop {
        let rows: Vec<Row> = meter_values::table
            .filter(meter_values::connector_id.eq_any(connectors))
            .filter(meter_values::at.ge(from))
            .filter(meter_values::at.lt(to))
            .filter(meter_values::power.is_not_null())
            .order(meter_values::at)
            .limit(i64::try_from(limit).unwrap_or(i64::MAX))
            .select(Row::as_select())
            .load(conn)?;
        let is_all = rows.len() < limit;
        let readings: Vec<_> = rows.into_iter().filter_map(Row::stored).collect();
        if is_all || readings.len() >= most {
            return Ok(readings);
        }
        limit = limit.saturating_mul(2); // some cannot be read
    }
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

/// The connector that comes next by its id and has rows.
pub(super) fn next_connector(conn: &mut Conn, from: &str) -> StoreResult<Option<ConnectorId>> {
    Ok(meter_values::table
        .filter(meter_values::connector_id.ge(from))
        .order(meter_values::connector_id)
        .select(meter_values::connector_id)
        .first(conn)
        .optional()?)
}

/// Rows that are looked at together: those at a connector, or those of a session.
#[derive(Debug, Clone, Copy)]
pub(super) enum Of {
    Connector(ConnectorId),
    Session(SessionId),
}

/// Some rows, in the order of their time.
#[derive(Default)]
pub(super) struct Page {
    pub(super) readings: Vec<(Whose, Stored)>,
    /// Rows that cannot be read.
    pub(super) damaged: usize,
    /// The instant of the last row, and none where there is no more.
    pub(super) end: Option<Timestamp>,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
}

/// The next rows after an instant, about so many at most, and all of an instant together. What goes on after the page, such as a
/// session, is on the next one with all that it has, unless it is more than a page.
pub(super) fn page(conn: &mut Conn, of: Of, after: Option<Timestamp>, most: usize) -> StoreResult<Page> {
    let selected = || {
        let mut rows: meter_values::BoxedQuery<'static, MultiBackend> = match of {
            Of::Connector(connector) => {
                meter_values::table.filter(meter_values::connector_id.eq(connector)).into_boxed()
            }
            Of::Session(session) => meter_values::table.filter(meter_values::session_id.eq(session)).into_boxed(),
        };
        if let Some(after) = after {
            rows = rows.filter(meter_values::at.gt(after));
        }
        rows
    };
    let skipped = i64::try_from(most.saturating_sub(1)).unwrap_or(i64::MAX);
    let end: Option<Timestamp> =
        selected().order(meter_values::at).offset(skipped).limit(1).select(meter_values::at).first(conn).optional()?;
    let mut some = selected();
    if let Some(end) = end {
        some = some.filter(meter_values::at.le(end));
    }
    let mut rows: Vec<Row> =
        some.order((meter_values::at, meter_values::context)).select(Row::as_select()).load(conn)?;
    if end.is_some() {
        let of_last = rows.last().map(|row| row.session_id);
        let run = rows.iter().rev().take_while(|row| Some(row.session_id) == of_last).count();
        let begin = rows.get(rows.len() - run).map(|row| row.at);
        let whole = rows.partition_point(|row| Some(row.at) < begin);
        if whole > 0 {
            rows.truncate(whole);
        }
    }
    let (first, last, all) = (rows.first().map(|row| row.at), rows.last().map(|row| row.at), rows.len());
    let readings: Vec<_> = rows.into_iter().filter_map(Row::stored).collect();
    Ok(Page { damaged: all - readings.len(), readings, end: end.and(last), first, last })
}

/// Deletes the rows of a page that could be read.
pub(super) fn remove(conn: &mut Conn, of: Of, page: &Page) -> StoreResult<()> {
    if page.damaged > 0 {
        for (whose, one) in &page.readings {
            diesel::delete(meter_values::table.find((whose.connector, one.at, &*one.context))).execute(conn)?;
        }
        return Ok(());
    }
    let Some((first, last)) = page.first.zip(page.last) else {
        return Ok(());
    };
    let rows = || meter_values::table.filter(meter_values::at.ge(first)).filter(meter_values::at.le(last));
    match of {
        Of::Connector(connector) => {
            diesel::delete(rows().filter(meter_values::connector_id.eq(connector))).execute(conn)?
        }
        Of::Session(session) => diesel::delete(rows().filter(meter_values::session_id.eq(session))).execute(conn)?,
    };
    Ok(())
}
