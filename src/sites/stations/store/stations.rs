//! Stations in the database.

use std::collections::{BTreeMap, HashSet};

use diesel::dsl::not;
use diesel::prelude::*;
use serde_json::{Map, Value, json};

use crate::events::{Change, EventKind};
use crate::fetch_page;
use crate::http::query::ListQuery;
use crate::http::{ApiError, ApiResult, Code, Faults};
use crate::people::users;
use crate::sites::stations::model::station::StationFilter;
use crate::sites::stations::model::station::{BootInfo, CLOCK_OFF_SECONDS, Station, heartbeat_of, late_at};
use crate::sites::stations::store::evses::evses_of_station;
use crate::sites::stations::store::memberships::{in_groups, with_member_that};
use crate::sites::stations::uses::Uses;
use crate::store::cause::{self, Cause};
use crate::store::query::lower;
use crate::store::schema::{chargestations, connectors, evses};
use crate::store::{Conn, Json, Searched, StoreError, StoreResult};
use crate::{cached_update, each};
use kernel::Protocol;
use kernel::credentials::hide_credentials;
use kernel::{LocationId, Moment, OrganizationId, Page, StationId, Timestamp, UserId};

pub(crate) fn insert(conn: &mut Conn, station: &Station) -> StoreResult<()> {
    diesel::insert_into(chargestations::table).values(station).execute(conn)?;
    Ok(())
}

/// The organization's station with this id.
pub fn find_station(conn: &mut Conn, organization: OrganizationId, id: StationId) -> StoreResult<Station> {
    Ok(each!(conn, |conn| chargestations::table
        .filter(chargestations::organization_id.eq(organization).and(chargestations::id.eq(id)))
        .select(Station::as_select())
        .first(conn))?)
}

/// Those of the organization's stations with one of these ids.
pub(super) fn find_many(conn: &mut Conn, organization: OrganizationId, ids: &[StationId]) -> StoreResult<Vec<Station>> {
    Ok(chargestations::table
        .filter(chargestations::organization_id.eq(organization).and(chargestations::id.eq_any(ids)))
        .select(Station::as_select())
        .load(conn)?)
}

/// The same for a reference in a body: an unknown id is a fault of that field.
pub fn require_station(
    conn: &mut Conn,
    organization: OrganizationId,
    id: StationId,
    field: &str,
) -> ApiResult<Station> {
    match find_station(conn, organization, id) {
        Err(StoreError::NotFound) => {
            Err(ApiError::field(field, "not_found", "there is no such charge station in your organization"))
        }
        other => Ok(other?),
    }
}

/// The station that connects at this endpoint, whatever the case of its letters.
pub fn find_by_endpoint(conn: &mut Conn, endpoint: &str) -> StoreResult<Option<Station>> {
    let found = chargestations::table
        .filter(lower(chargestations::endpoint.nullable()).eq(endpoint.to_lowercase()))
        .select(Station::as_select())
        .first(conn);
    Ok(found.optional()?)
}

/// The names by which a certificate means this station and no other of any organization: its endpoint, and the serial number
/// that its operator entered unless another station has it, as a serial number or as an endpoint. What stations say of
/// themselves is no name.
pub fn certificate_names(conn: &mut Conn, station: &Station) -> StoreResult<Vec<String>> {
    let mut names = vec![station.endpoint.clone()];
    if let Some(serial) = &station.serial_number {
        let folded = serial.to_ascii_lowercase();
        let same_endpoint = lower(chargestations::endpoint.nullable()).eq(&folded);
        let same_serial = lower(chargestations::serial_number).eq(&folded);
        let others: i64 = chargestations::table
            .filter(chargestations::id.ne(station.id))
            .filter(same_endpoint.or(same_serial))
            .count()
            .get_result(conn)?;
        if others == 0 {
            names.push(serial.clone());
        }
    }
    Ok(names)
}

/// Another station with the endpoint of this one is a fault of that field; stations of every organization share the server.
pub(crate) fn require_free_endpoint(conn: &mut Conn, station: &Station) -> ApiResult<()> {
    match find_by_endpoint(conn, &station.endpoint)? {
        Some(other) if other.id != station.id => Err(ApiError::new(
            Code::AlreadyExists,
            format!(
                "endpoint: a charge station with the endpoint \"{}\" exists already; endpoints are unique on a server",
                station.endpoint
            ),
        )),
        _ => Ok(()),
    }
}

/// A member of a load-management group stands at the group's location.
pub(crate) fn require_place_of_group(conn: &mut Conn, uses: &Uses, station: &Station) -> ApiResult<()> {
    let place = (uses.location_of_group)(conn, station.id)?;
    match station.location_id {
        Some(location) if place.is_some_and(|place| place != location) => Err(ApiError::field(
            "location",
            "invalid",
            "is not that of the load-management group that the charge station is in; take it out of the group first",
        )),
        _ => Ok(()),
    }
}

/// How far the clocks of these stations are off, in seconds, as far as that is known and worth a warning.
pub fn clocks_off(conn: &mut Conn, ids: &[StationId]) -> StoreResult<Vec<(StationId, i64)>> {
    let known: Vec<(StationId, Option<i64>)> = chargestations::table
        .filter(chargestations::id.eq_any(ids))
        .select((chargestations::id, chargestations::clock_offset_seconds))
        .load(conn)?;
    let off = |(id, seconds): (StationId, Option<i64>)| {
        let seconds = seconds.filter(|seconds| seconds.unsigned_abs() >= CLOCK_OFF_SECONDS);
        seconds.map(|seconds| (id, seconds))
    };
    Ok(known.into_iter().filter_map(off).collect())
}

/// Those of these stations that never connected to this server.
pub fn never_connected(conn: &mut Conn, ids: &[StationId]) -> StoreResult<Vec<StationId>> {
    Ok(chargestations::table
        .filter(chargestations::id.eq_any(ids))
        .filter(chargestations::last_connect_at.is_null())
        .select(chargestations::id)
        .load(conn)?)
}

/// Stores every field of a station.
pub fn update_station(conn: &mut Conn, station: &Station) -> StoreResult<()> {
    diesel::update(chargestations::table.find(station.id)).set(station).execute(conn)?;
    Ok(())
}

/// What is known of a station that comes.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    /// What is spoken with it.
    pub protocol: Protocol,
    /// The heartbeat interval of stations that have none of their own yet.
    pub usual_heartbeat_seconds: u32,
}

/// Notes that its socket was opened; its version stays, as nothing was edited.
pub fn set_online(conn: &mut Conn, id: StationId, arrival: Arrival, now: Timestamp) -> StoreResult<()> {
    let row = || chargestations::table.find(id);
    let Arrival { protocol, usual_heartbeat_seconds } = arrival;
    let own: Option<i64> = row().select(chargestations::heartbeat_seconds).first(conn)?;
    let heartbeat = own.unwrap_or(usual_heartbeat_seconds.into());
    diesel::update(row())
        .set((
            chargestations::online.eq(true),
            chargestations::protocol.eq(protocol),
            chargestations::last_connect_at.eq(now),
            chargestations::heartbeat_seconds.eq(heartbeat),
            chargestations::late_at.eq(late_at(now, heartbeat)),
        ))
        .execute(conn)?;
    Ok(())
}

/// Records that the connection of a station ended that began at this instant. False where it has a newer one, whose beginning may have
/// been stored before: several writers do not keep the order of both.
pub fn set_offline(conn: &mut Conn, id: StationId, connected_at: Timestamp, now: Timestamp) -> StoreResult<bool> {
    let last = chargestations::last_connect_at;
    let of_connection = chargestations::table.find(id).filter(last.is_null().or(last.le(connected_at)));
    let gone = (chargestations::online.eq(false), chargestations::last_disconnect_at.eq(now));
    Ok(diesel::update(of_connection).set(gone).execute(conn)? > 0)
}

/// Whether a station is recorded as connected.
pub fn is_online(conn: &mut Conn, id: StationId) -> StoreResult<bool> {
    Ok(chargestations::table.find(id).select(chargestations::online).first(conn)?)
}

/// Stations whose heartbeat intervals are looked up in one query.
const AT_ONCE: usize = 500;

/// When a station last said anything.
struct Heard {
    id: StationId,
    last_message_at: Option<Timestamp>,
    late_at: Option<Timestamp>,
}

cached_update! {
    /// Stores when a station was heard: all that report do so twice a minute.
    SaveHeard of Heard in chargestations by id: [last_message_at, late_at]
}

/// Notes when stations last said anything, and so when each is late.
pub fn touch_messages(conn: &mut Conn, seen: &[(StationId, Timestamp)]) -> StoreResult<()> {
    for some in seen.chunks(AT_ONCE) {
        let ids: Vec<StationId> = some.iter().map(|(id, _)| *id).collect();
        let heartbeats: Vec<(StationId, Option<i64>)> = chargestations::table
            .filter(chargestations::id.eq_any(ids))
            .select((chargestations::id, chargestations::heartbeat_seconds))
            .load(conn)?;
        let heartbeats: BTreeMap<StationId, Option<i64>> = heartbeats.into_iter().collect();
        for (id, at) in some {
            let late_at = heartbeats.get(id).copied().flatten().map(|heartbeat| late_at(*at, heartbeat));
            SaveHeard(&Heard { id: *id, last_message_at: Some(*at), late_at }).save(conn)?;
        }
    }
    Ok(())
}

/// Stores what a station said of itself, and the heartbeat interval that it is given, where it is given one.
pub fn save_boot(
    conn: &mut Conn,
    id: StationId,
    boot_info: &BootInfo,
    heartbeat_seconds: Option<u32>,
    now: Timestamp,
) -> StoreResult<()> {
    diesel::update(chargestations::table.find(id))
        .set((
            chargestations::boot_info.eq(Json(boot_info.clone())),
            chargestations::boot_vendor.eq(boot_info.charge_point_vendor.clone()),
            chargestations::boot_model.eq(boot_info.charge_point_model.clone()),
            chargestations::last_boot_at.eq(now),
        ))
        .execute(conn)?;
    match heartbeat_seconds {
        Some(seconds) => keep_heartbeat(conn, id, seconds.into(), now),
        None => Ok(()),
    }
}

/// Stores the heartbeat interval of a station that was heard just now.
fn keep_heartbeat(conn: &mut Conn, id: StationId, seconds: i64, now: Timestamp) -> StoreResult<()> {
    diesel::update(chargestations::table.find(id))
        .set((chargestations::heartbeat_seconds.eq(seconds), chargestations::late_at.eq(late_at(now, seconds))))
        .execute(conn)?;
    Ok(())
}

/// Stores how far a station's clock is ahead of ours.
pub fn save_clock(conn: &mut Conn, id: StationId, offset_seconds: i64) -> StoreResult<()> {
    diesel::update(chargestations::table.find(id))
        .set(chargestations::clock_offset_seconds.eq(offset_seconds))
        .execute(conn)?;
    Ok(())
}

/// Stores the limit capabilities of a station.
pub fn save_limit_variants(conn: &mut Conn, id: StationId, variants: &Value) -> StoreResult<()> {
    diesel::update(chargestations::table.find(id))
        .set(chargestations::limit_forms.eq(Json(variants.clone())))
        .execute(conn)?;
    Ok(())
}

/// Stores what a station does differently from the specification.
pub fn save_deviations(conn: &mut Conn, id: StationId, flags: &[String]) -> StoreResult<()> {
    diesel::update(chargestations::table.find(id)).set(chargestations::flags.eq(Json(flags.to_vec()))).execute(conn)?;
    Ok(())
}

/// The stations that are connected at these locations, and those that were closed by opening hours anywhere.
pub fn governed_by_hours(conn: &mut Conn, locations: &[LocationId]) -> StoreResult<Vec<Station>> {
    let there = chargestations::location_id.eq_any(locations);
    Ok(chargestations::table
        .filter(chargestations::online.eq(true))
        .filter(there.or(chargestations::closed_by_hours.nullable().eq(true)))
        .select(Station::as_select())
        .load(conn)?)
}

/// Notes whether a station is out of use because its location is closed.
pub fn set_closed_by_hours(conn: &mut Conn, id: StationId, closed: bool) -> StoreResult<()> {
    diesel::update(chargestations::table.find(id)).set(chargestations::closed_by_hours.eq(closed)).execute(conn)?;
    Ok(())
}

/// Stores what was learnt of a station's abilities.
pub fn save_capabilities(conn: &mut Conn, id: StationId, learnt: &Value) -> StoreResult<()> {
    diesel::update(chargestations::table.find(id))
        .set(chargestations::capabilities.eq(Json(learnt.clone())))
        .execute(conn)?;
    Ok(())
}

/// Changes of settings that one event has.
const MOST_CHANGES: usize = 100;

/// Merges configuration keys that were read into the stored copy, each with the time it was read.
pub fn keep_variables(
    conn: &mut Conn,
    organization: OrganizationId,
    id: StationId,
    read: &Value,
    moment: &Moment,
) -> StoreResult<()> {
    let mut station = find_station(conn, organization, id)?;
    let mut read = read.clone();
    hide_credentials(&mut read);
    let heartbeat = heartbeat_of(&read);
    let mut stored = station.variables.0.as_object().cloned().unwrap_or_default();
    let mut changes = Vec::new();
    for (key, value) in read.as_object().into_iter().flatten() {
        let mut entry = value.as_object().cloned().unwrap_or_default();
        changes.extend(changed_there(key, stored.get(key), &entry));
        entry.insert("readAt".to_owned(), json!(moment.now));
        stored.insert(key.clone(), entry.into());
    }
    let values = stored.iter().filter_map(|(key, entry)| Some((key.clone(), entry.get("value")?.clone())));
    station.configuration.0 = Value::Object(values.collect());
    station.variables.0 = Value::Object(stored);
    diesel::update(chargestations::table.find(id))
        .set((chargestations::configuration.eq(station.configuration), chargestations::variables.eq(station.variables)))
        .execute(conn)?;
    if let Some(seconds) = heartbeat {
        keep_heartbeat(conn, id, seconds, moment.now)?;
    }
    if changes.is_empty() {
        return Ok(());
    }
    changes.truncate(MOST_CHANGES);
    let data = json!({"chargestation": id, "changes": changes});
    // Whoever asked has only learnt of it.
    cause::during(Cause::Station(id), || {
        Change::new(conn, organization, moment).record_at(id, EventKind::StationConfigurationUpdated, &data)
    })
}

/// A setting that has another value than it was known to have, though nobody set it over the API: what is set there is known.
fn changed_there(variable: &str, known: Option<&Value>, read: &Map<String, Value>) -> Option<Value> {
    if read.get("readonly") != Some(&Value::Bool(false)) {
        return None;
    }
    let (from, to) = (known?.get("value")?.as_str()?, read.get("value")?.as_str()?);
    (!from.eq_ignore_ascii_case(to)).then(|| json!({"variable": variable, "from": from, "to": to}))
}

/// Notes that no station is connected, because the server has just started; answers those that were when it was killed. They
/// count as gone since they were last heard of.
pub fn set_all_offline(conn: &mut Conn, but: &HashSet<StationId>) -> StoreResult<Vec<(OrganizationId, StationId)>> {
    type Row = (OrganizationId, StationId, Option<Timestamp>, Option<Timestamp>);
    let mut lost: Vec<Row> = chargestations::table
        .filter(chargestations::online.eq(true))
        .order(chargestations::id)
        .select((
            chargestations::organization_id,
            chargestations::id,
            chargestations::last_connect_at,
            chargestations::last_message_at,
        ))
        .load(conn)?;
    lost.retain(|(_, id, ..)| !but.contains(id));
    for (_, id, connected, heard) in &lost {
        diesel::update(chargestations::table.find(*id))
            .set((chargestations::online.eq(false), chargestations::last_disconnect_at.eq((*connected).max(*heard))))
            .execute(conn)?;
    }
    Ok(lost.into_iter().map(|(owner, id, ..)| (owner, id)).collect())
}

/// Deletes a station with its EVSEs and connectors, unless sessions or a group need it.
pub(crate) fn delete(conn: &mut Conn, uses: &Uses, station: &Station) -> ApiResult<()> {
    if (uses.is_station_in_group)(conn, station.id)? {
        return Err(ApiError::in_use("The charge station is in a load-management group; remove it there first"));
    }
    let sessions = (uses.sessions_at_station)(conn, station.id)?;
    if sessions > 0 {
        return Err(ApiError::in_use(format!(
            "The charge station has {sessions} session(s); set operational_status to Closed instead"
        )));
    }
    let own = evses_of_station(conn, station.id)?;
    if (uses.are_in_network)(conn, &own)? {
        return Err(ApiError::in_use("An EVSE of the charge station is in a group of an EVSE network"));
    }
    (uses.forget_actions)(conn, station.id)?;
    diesel::delete(connectors::table.filter(connectors::chargestation_id.eq(station.id))).execute(conn)?;
    super::layout::note_change(station.id);
    diesel::delete(evses::table.filter(evses::chargestation_id.eq(station.id))).execute(conn)?;
    diesel::delete(chargestations::table.find(station.id)).execute(conn)?;
    Ok(())
}

/// Whether a user also sees stations that are not visible.
fn is_in_private_group(conn: &mut Conn, organization: OrganizationId, user: UserId) -> ApiResult<bool> {
    users::is_in_private_group(conn, organization, user)?.ok_or_else(|| {
        let mut faults = Faults::default();
        let message = "there is no such user in your organization";
        faults.add("seen_by", "not_found", message);
        ApiError::faulty(Code::InvalidQuery, faults)
    })
}

pub(crate) fn list(
    conn: &mut Conn,
    organization: OrganizationId,
    uses: &Uses,
    query: &ListQuery<StationFilter>,
    now: Timestamp,
) -> ApiResult<Page<Station>> {
    let filter = &query.filter;
    let visible_only = match filter.seen_by {
        Some(user) => !is_in_private_group(conn, organization, user)?,
        None => false,
    };
    let members = filter.group.map(|group| (uses.stations_in_group)(conn, organization, group)).transpose()?;
    let search = query.search.as_deref();
    let found = search.map(|text| Searched::Stations.containing(conn, organization, text));
    let filtered = || {
        let mut rows = chargestations::table.filter(chargestations::organization_id.eq(organization)).into_boxed();
        if let Some(within) = query.reach.locations() {
            rows = rows.filter(chargestations::location_id.eq_any(within));
        }
        if let Some(location) = filter.location {
            rows = rows.filter(chargestations::location_id.eq(location));
        }
        if let Some(members) = &members {
            rows = rows.filter(chargestations::id.eq_any(members));
        }
        if let Some(in_group) = filter.in_group {
            let is_in = chargestations::id.eq_any(in_groups());
            rows = if in_group { rows.filter(is_in) } else { rows.filter(not(is_in)) };
        }
        if let Some(online) = filter.online {
            rows = rows.filter(chargestations::online.eq(online));
        }
        if let Some(late) = filter.late {
            let silent = chargestations::late_at.is_not_null().and(chargestations::late_at.assume_not_null().lt(now));
            let is_late = chargestations::online.eq(true).and(silent);
            rows = if late { rows.filter(is_late) } else { rows.filter(not(is_late)) };
        }
        if let Some(never) = filter.never_connected {
            rows = match never {
                true => rows.filter(chargestations::last_connect_at.is_null()),
                false => rows.filter(chargestations::last_connect_at.is_not_null()),
            };
        }
        if let Some(obeying) = filter.obeying {
            rows = rows.filter(chargestations::id.eq_any(in_groups()));
            rows = match obeying {
                true => rows
                    .filter(chargestations::id.eq_any(with_member_that(true)))
                    .filter(not(chargestations::id.eq_any(with_member_that(false)))),
                false => rows.filter(chargestations::id.eq_any(with_member_that(false))),
            };
        }
        if let Some(active) = filter.active {
            rows = rows.filter(chargestations::active.eq(active));
        }
        if let Some(public) = filter.public {
            rows = rows.filter(chargestations::public.eq(public));
        }
        if let Some(visible) = filter.visible {
            rows = rows.filter(chargestations::visible.eq(visible));
        }
        if visible_only {
            rows = rows.filter(chargestations::visible.eq(true));
        }
        if let Some(protocol) = filter.protocol {
            rows = rows.filter(chargestations::protocol.eq(protocol));
        }
        if let Some(status) = filter.operational_status {
            rows = rows.filter(chargestations::operational_status.eq(status));
        }
        if let Some(status) = filter.status {
            let stations = connectors::table.filter(connectors::status.eq(status)).select(connectors::chargestation_id);
            rows = rows.filter(chargestations::id.eq_any(stations));
        }
        if let Some(vendor) = &filter.vendor {
            let (entered, said) = (
                lower(chargestations::manufacturer).eq(vendor.to_lowercase()),
                lower(chargestations::boot_vendor).eq(vendor.to_lowercase()),
            );
            rows = rows.filter(entered.or(said));
        }
        if let Some(model) = &filter.model {
            let (entered, said) = (
                lower(chargestations::model).eq(model.to_lowercase()),
                lower(chargestations::boot_model).eq(model.to_lowercase()),
            );
            rows = rows.filter(entered.or(said));
        }
        if let Some(found) = &found {
            rows = rows.filter(found());
        }
        rows
    };
    let (rows, total) = fetch_page!(conn, query, chargestations, filtered(), {
        "name" => chargestations::name,
        "code" => chargestations::code,
        "online" => chargestations::online,
        "lastConnectAt" => chargestations::last_connect_at,
        "lastMessageAt" => chargestations::last_message_at,
    });
    Ok(Page { rows: rows.select(Station::as_select()).load(conn)?, total, request: query.page })
}
