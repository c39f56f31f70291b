//! Passwords that a station is sent over its own connection: pending until it connects with them.

use diesel::prelude::*;

use super::station_view;
use super::stations::{find_station, update_station};
use crate::events::{Change, EventKind};
use crate::sites::stations::model::station::Station;
use crate::store::schema::chargestations;
use crate::store::{Conn, StoreResult};
use kernel::{Moment, OrganizationId, StationId};

fn save(conn: &mut Conn, station: &Station) -> StoreResult<()> {
    diesel::update(chargestations::table.find(station.id))
        .set(chargestations::pending_passwords.eq(station.pending_passwords.clone()))
        .execute(conn)?;
    Ok(())
}

/// Makes a password pending, one drawn by chance where none is wanted: in the clear, and what is stored of it.
pub fn propose_password(
    conn: &mut Conn,
    (organization, id): (OrganizationId, StationId),
    wanted: Option<String>,
) -> StoreResult<(String, String)> {
    let mut station = find_station(conn, organization, id)?;
    let proposed = station.propose_password(wanted);
    save(conn, &station)?;
    Ok(proposed)
}

/// Forgets a pending password that the station refused.
pub fn withdraw_password(
    conn: &mut Conn,
    (organization, id): (OrganizationId, StationId),
    hash: &str,
) -> StoreResult<()> {
    let mut station = find_station(conn, organization, id)?;
    station.pending_passwords.0.retain(|known| known != hash);
    save(conn, &station)
}

/// Makes a pending password the station's, which connected with it; the one before is wrong from now on. Answers the station as
/// it is then; one that is no longer pending changes nothing.
pub fn take_over_password(
    conn: &mut Conn,
    moment: &Moment,
    (organization, id): (OrganizationId, StationId),
    hash: String,
    base: &str,
) -> StoreResult<Station> {
    let mut station = find_station(conn, organization, id)?;
    if !station.pending_passwords.0.contains(&hash) {
        return Ok(station);
    }
    station.take_over_password(hash, moment);
    update_station(conn, &station)?;
    let view = station_view(conn, station.clone(), base, moment.now)?;
    Change::new(conn, organization, moment).record_at(id, EventKind::StationUpdated, &view)?;
    Ok(station)
}
