//! What other slices ask of sessions.

use diesel::prelude::*;

use super::model::SessionStatus;
use super::shelf;
use crate::store::schema::sessions;
use crate::store::{Conn, StoreResult};
use kernel::*;

/// How many sessions there were at a station.
pub fn count_at_station(conn: &mut Conn, station: StationId) -> StoreResult<i64> {
    Ok(sessions::table.filter(sessions::chargestation_id.eq(station)).count().get_result(conn)?)
}

/// How many sessions there were at a connector.
pub fn count_at_connector(conn: &mut Conn, connector: ConnectorId) -> StoreResult<i64> {
    Ok(sessions::table.filter(sessions::connector_id.eq(connector)).count().get_result(conn)?)
}

/// How many sessions a token started.
pub fn count_of_token(conn: &mut Conn, token: TokenId) -> StoreResult<i64> {
    Ok(sessions::table.filter(sessions::token_id.eq(token)).count().get_result(conn)?)
}

/// How many sessions a user had.
pub fn count_of_user(conn: &mut Conn, user: UserId) -> StoreResult<i64> {
    Ok(sessions::table.filter(sessions::user_id.eq(user)).count().get_result(conn)?)
}

/// Whether a session runs at a station.
pub fn is_running_at(conn: &mut Conn, station: StationId) -> StoreResult<bool> {
    let running: i64 = sessions::table
        .filter(sessions::chargestation_id.eq(station))
        .filter(sessions::status.eq(SessionStatus::Started))
        .count()
        .get_result(conn)?;
    Ok(running > 0)
}

/// Whether a session runs, or waits for its start, at one of these connectors.
pub fn is_open_on(conn: &mut Conn, connectors: &[ConnectorId]) -> StoreResult<bool> {
    let open: i64 = sessions::table
        .filter(sessions::connector_id.eq_any(connectors))
        .filter(sessions::status.eq_any([SessionStatus::Created, SessionStatus::Started]))
        .count()
        .get_result(conn)?;
    Ok(open > 0)
}

/// The session that has run longest at these stations.
pub fn longest_running_at(conn: &mut Conn, stations: &[StationId]) -> StoreResult<Option<SessionId>> {
    Ok(sessions::table
        .filter(sessions::chargestation_id.eq_any(stations))
        .filter(sessions::started_at.is_not_null())
        .filter(sessions::ended_at.is_null())
        .order(sessions::started_at)
        .select(sessions::id)
        .first(conn)
        .optional()?)
}

/// The power that was measured at these connectors from an instant until before another, oldest first, `most` readings at most.
pub fn powers(
    conn: &mut Conn,
    connectors: &[ConnectorId],
    (from, to): (Timestamp, Timestamp),
    most: usize,
) -> StoreResult<Vec<(ConnectorId, Timestamp, Option<Watts>)>> {
    let readings = shelf::powers_between(conn, connectors, (from, to), most)?;
    Ok(readings.into_iter().map(|(connector, one)| (connector, one.at, one.reading.power)).collect())
}
