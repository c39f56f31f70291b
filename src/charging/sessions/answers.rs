//! What other slices ask of sessions.

use std::collections::BTreeSet;

use diesel::prelude::*;

use super::chunks::Whose;
use super::packed::Stored;
use super::{shelf, store};
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
    Ok(!store::running_at(conn, station)?.is_empty())
}

/// Whether a session runs, or waits for its start, at one of these connectors.
pub fn is_open_on(conn: &mut Conn, connectors: &[ConnectorId]) -> StoreResult<bool> {
    Ok(!store::open_on_connectors(conn, connectors)?.is_empty())
}

/// The session that has run longest at these stations.
pub fn longest_running_at(conn: &mut Conn, stations: &[StationId]) -> StoreResult<Option<SessionId>> {
    let mut running = Vec::new();
    for station in stations {
        running.extend(store::running_at(conn, *station)?);
    }
    let longest =
        running.iter().filter(|session| session.started_at.is_some()).min_by_key(|session| session.started_at);
    Ok(longest.map(|session| session.id))
}

/// A power that was measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Drawn {
    /// Where.
    pub connector: ConnectorId,
    /// When.
    pub at: Timestamp,
    /// How much.
    pub power: Watts,
    /// When the session ended in which it was measured; none while it runs, or where there was none.
    pub ended_at: Option<Timestamp>,
}

/// The power that was measured at these connectors from an instant until before another, oldest first, `most` readings at most.
pub fn powers(
    conn: &mut Conn,
    connectors: &[ConnectorId],
    (from, to): (Timestamp, Timestamp),
    most: usize,
) -> StoreResult<Vec<Drawn>> {
    let readings = shelf::powers_between(conn, connectors, (from, to), most)?;
    let sessions: BTreeSet<SessionId> = readings.iter().filter_map(|(whose, _)| whose.session).collect();
    let ends = store::ends_of(conn, sessions)?;
    let drawn = |(whose, one): (Whose, Stored)| {
        let ended_at = whose.session.and_then(|session| ends.get(&session).copied());
        Some(Drawn { connector: whose.connector, at: one.at, power: one.reading.power?, ended_at })
    };
    Ok(readings.into_iter().filter_map(drawn).collect())
}
