//! Makes profiles felt: as a maximum for balancing, as a schedule at stations that balancing does not steer.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use super::model::{Period, Profile};
use super::{schedule, store};
use crate::control::actions::{NewAction, Performer};
use crate::events::ActionKind;
use crate::http::{ApiError, ApiResult};
use crate::load::groups;
use crate::sites::locations;
use crate::sites::stations::link::{SCHEDULE_PROFILE, SetSchedule, StationCommand};
use crate::sites::stations::{self, Connector, PowerType, Station};
use crate::store::{Conn, StoreError, StoreResult};
use kernel::*;

/// How far ahead a station is sent its schedule; it is sent again before that is over.
const AHEAD: Duration = Duration::from_secs(24 * 3600);
/// Steps that a station is sent at most; some take few.
const MOST_STEPS: usize = 24;
/// Mains voltage where neither connector nor location says anything.
const MAINS: Millivolts = Millivolts(230_000);

fn watts(connector: &Connector, profile: &Profile, period: Period, voltage: Millivolts) -> Watts {
    let volts = connector.voltage_limit.unwrap_or(voltage);
    let limit = profile.unit.watts(period.limit, volts, connector.phase_set());
    limit.unwrap_or_else(|_| connector.rating(volts)) // limits were bounded when they were stored
}

/// What profiles let these connectors draw now, where any applies; `place_of` knows the time zone and the voltage of a station.
pub fn limits_at(
    conn: &mut Conn,
    connectors: &[Connector],
    place_of: impl Fn(StationId) -> Option<(TimeZone, Millivolts)>,
    now: Timestamp,
) -> StoreResult<BTreeMap<ConnectorId, Watts>> {
    let evses: Vec<EvseId> = connectors.iter().map(|one| one.evse_id).collect();
    let profiles = store::by_evse(conn, &evses)?;
    let limit = |connector: &Connector| {
        let profiles = profiles.get(&connector.evse_id)?;
        let (zone, voltage) = place_of(connector.chargestation_id)?;
        let (profile, period) = schedule::counting(profiles, now, zone)?;
        Some((connector.id, watts(connector, profile, period, voltage)))
    };
    Ok(connectors.iter().filter_map(limit).collect())
}

/// The coming day of a connector; where nothing applies, all it can carry.
fn coming_day(
    connector: &Connector,
    profiles: &[Profile],
    (zone, voltage): (TimeZone, Millivolts),
    now: Timestamp,
) -> Vec<(u32, Watts)> {
    let rating = connector.rating(voltage);
    let mut steps: Vec<(u32, Watts)> = Vec::new();
    let mut next = Some(now);
    while let Some(at) = next.filter(|at| *at < now + AHEAD && steps.len() < MOST_STEPS) {
        let counting = schedule::counting(profiles, at, zone);
        let limit = counting.map_or(rating, |(profile, period)| watts(connector, profile, period, voltage).min(rating));
        if steps.last().is_none_or(|(_, before)| *before != limit) {
            let seconds = u32::try_from(at.since(now).as_secs()).unwrap_or(u32::MAX);
            steps.push((seconds, limit));
        }
        next = schedule::next_change(profiles, at, zone);
    }
    steps
}

/// Forgets what a connector was sent.
fn forget(connector: &Connector) -> StationCommand {
    StationCommand::ClearChargingProfile {
        id: Some(SCHEDULE_PROFILE + connector.number),
        connector: None,
        purpose: None,
        stack_level: None,
    }
}

/// The commands that send a station its coming day; where balancing steers it, those that make it forget one.
fn commands(conn: &mut Conn, station: &Station, now: Timestamp) -> StoreResult<Vec<(ConnectorId, StationCommand)>> {
    let balanced = groups::is_member(conn, station.id)?;
    let connectors = stations::connectors_of_station(conn, station.id)?;
    let evses: Vec<EvseId> = connectors.iter().map(|one| one.evse_id).collect();
    let profiles = store::by_evse(conn, &evses)?;
    let place = match station.location_id {
        Some(id) => {
            let location = locations::find(conn, station.organization_id, id)?;
            (location.time_zone(), location.voltage)
        }
        None => (TimeZone::default(), MAINS),
    };
    let scheduled = connectors.iter().filter_map(|connector| {
        let own = profiles.get(&connector.evse_id)?;
        if balanced {
            return Some((connector.id, forget(connector)));
        }
        let steps = coming_day(connector, own, place, now);
        let schedule = SetSchedule {
            connector: connector.number,
            start: now,
            steps,
            voltage: connector.voltage_limit.unwrap_or(place.1),
            phases: connector.phase_set(),
            in_amps: connector.power_type != PowerType::Dc,
        };
        Some((connector.id, StationCommand::SetSchedule(schedule)))
    });
    Ok(scheduled.collect())
}

fn action(station: &Station, connector: ConnectorId, command: &StationCommand) -> NewAction {
    let data = match command {
        StationCommand::SetSchedule(schedule) => json!({"start": schedule.start, "steps": schedule.steps}),
        _ => json!({}),
    };
    let kind = match command {
        StationCommand::SetSchedule(_) => ActionKind::ConnectorSetSchedule,
        _ => ActionKind::ConnectorClearSchedule,
    };
    NewAction {
        organization: station.organization_id,
        station: station.id,
        connector: Some(connector),
        session: None,
        kind,
        data,
    }
}

/// Sends a station with profiles its coming day, or clears it where balancing steers.
pub async fn push(performer: &Performer, station: &Station) -> ApiResult<()> {
    let (row, now) = (station.clone(), performer.context().clock.now());
    let read = performer.db().read(move |conn| commands(conn, &row, now));
    for (connector, command) in read.await? {
        let action = action(station, connector, &command);
        let (_, outcome) = performer.perform(action, command).await?;
        if !outcome.accepted {
            tracing::info!(station = %station.id, "a station refused its charging profiles");
        }
    }
    Ok(())
}

/// Clears at connectors without a profile what they were sent when they had one.
pub(super) async fn forget_idle(
    performer: &Performer,
    organization: OrganizationId,
    station: StationId,
) -> ApiResult<()> {
    let read = performer.db().read(move |conn| {
        let station = stations::find_station(conn, organization, station)?;
        let mut idle = stations::connectors_of_station(conn, station.id)?;
        let evses: Vec<EvseId> = idle.iter().map(|one| one.evse_id).collect();
        let profiles = store::by_evse(conn, &evses)?;
        idle.retain(|one| !profiles.contains_key(&one.evse_id));
        Ok::<_, StoreError>((station, idle))
    });
    let (station, idle) = read.await?;
    for connector in idle {
        let command = forget(&connector);
        let action = action(&station, connector.id, &command);
        performer.perform(action, command).await?;
    }
    Ok(())
}

/// Sends every connected station with profiles its coming day again.
pub async fn refresh(performer: &Performer) -> ApiResult<()> {
    let stations = performer.db().read(store::stations_with_profiles).await?;
    for (organization, id) in stations {
        let found = performer.db().read(move |conn| stations::find_station(conn, organization, id));
        let station = found.await.map_err(ApiError::from)?;
        if station.online
            && let Err(error) = push(performer, &station).await
        {
            tracing::info!(%error, station = %id, "a station was not sent its coming day");
        }
    }
    Ok(())
}
