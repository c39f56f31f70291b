//! Stations are out of use while their location is closed; a session that runs then goes on to its end.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinHandle;

use crate::control::actions::{NewAction, Performer};
use crate::events::ActionKind;
use crate::http::ApiResult;
use crate::sites::locations;
use crate::sites::stations::link::StationCommand;
use crate::sites::stations::{self, OperationalStatus, Station};
use crate::store::StoreResult;
use crate::store::cause::{self, Cause, ServerPart};
use kernel::LocationId;

/// Looks at the hours again and again, until the handle is aborted.
pub fn keep(performer: Performer, every: Duration) -> JoinHandle<()> {
    tokio::spawn(cause::with(Cause::Server(ServerPart::OpeningHours), async move {
        let mut ticks = performer.context().clock.ticks(every);
        loop {
            ticks.tick().await;
            if let Err(error) = look(&performer).await {
                tracing::error!(%error, "opening hours were not looked at");
            }
        }
    }))
}

async fn look(performer: &Performer) -> ApiResult<()> {
    let now = performer.context().clock.now();
    let read = performer.db().read(|conn| -> StoreResult<_> {
        let locations = locations::with_hours(conn)?;
        let ids: Vec<LocationId> = locations.iter().map(|location| location.id).collect();
        Ok((locations, stations::governed_by_hours(conn, &ids)?))
    });
    let (locations, stations) = read.await?;
    let open: BTreeMap<LocationId, bool> =
        locations.iter().map(|location| (location.id, location.is_open(now))).collect();
    for station in stations {
        let hours = station.location_id.and_then(|id| open.get(&id).copied());
        let closed = hours == Some(false);
        if closed != station.closed_by_hours
            && let Err(error) = change(performer, &station, closed).await
        {
            tracing::info!(%error, station = %station.id, "a station did not follow the opening hours");
        }
    }
    Ok(())
}

/// Puts a station out of use or into use again, unless its operator keeps it out of use.
async fn change(performer: &Performer, station: &Station, closed: bool) -> ApiResult<()> {
    let kept_out = !closed && station.operational_status != OperationalStatus::Operative;
    let id = station.id;
    if kept_out || set_availability(performer, station, !closed).await? {
        let stored = performer.db().write(move |conn| stations::set_closed_by_hours(conn, id, closed));
        stored.await?;
    }
    Ok(())
}

/// Asks for the whole station, or where that is refused for one connector after the other.
async fn set_availability(performer: &Performer, station: &Station, operative: bool) -> ApiResult<bool> {
    if ask(performer, station, 0, operative).await? {
        return Ok(true);
    }
    let id = station.id;
    let connectors = performer.db().read(move |conn| stations::connectors_of_station(conn, id));
    let mut all = true;
    for connector in connectors.await? {
        all &= ask(performer, station, connector.number, operative).await?;
    }
    Ok(all)
}

async fn ask(performer: &Performer, station: &Station, connector: i32, operative: bool) -> ApiResult<bool> {
    let action = NewAction {
        organization: station.organization_id,
        station: station.id,
        connector: None,
        session: None,
        kind: ActionKind::StationOpeningHours,
        data: json!({"connectorId": connector, "operative": operative}),
    };
    let command = StationCommand::ChangeAvailability { connector, operative };
    let (_, outcome) = performer.perform(action, command).await?;
    Ok(outcome.accepted)
}
