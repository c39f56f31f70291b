//! How the stations of connectors and EVSEs stand.

use std::collections::BTreeMap;

use diesel::prelude::*;

use crate::each;
use crate::sites::stations::model::condition::StationState;
use crate::sites::stations::model::station::OperationalStatus;
use crate::store::schema::chargestations;
use crate::store::{Conn, StoreResult};
use kernel::{StationId, Timestamp};

/// How these stations stand.
pub(super) fn station_states(
    conn: &mut Conn,
    stations: &[StationId],
) -> StoreResult<BTreeMap<StationId, StationState>> {
    type Row = (StationId, OperationalStatus, bool, Option<Timestamp>, Option<Timestamp>);
    let states = chargestations::table.select((
        chargestations::id,
        chargestations::operational_status,
        chargestations::online,
        chargestations::last_message_at,
        chargestations::last_connect_at,
    ));
    let rows: Vec<Row> = match stations {
        [station] => each!(conn, |conn| states.filter(chargestations::id.eq(station)).load(conn))?, // prepared once, as no list is
        _ => states.filter(chargestations::id.eq_any(stations)).load(conn)?,
    };
    let station_state = |(id, operational, online, message, connect): Row| {
        let heard_at = message.max(connect);
        let station_state = StationState { operational, online, heard_at };
        (id, station_state)
    };
    Ok(rows.into_iter().map(station_state).collect())
}
