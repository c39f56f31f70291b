//! Starting a car again whose transaction its station ended by itself: some do that when the limit is 0, and wait for
//! somebody to start it when its turn comes.

use diesel::prelude::*;

use super::model::{Session, SessionStatus};
use super::store;
use super::transactions::tell;
use crate::db::schema::sessions;
use crate::db::{Conn, StoreResult};
use crate::events::EventKind;
use crate::kernel::*;
use crate::stations::link::Command;
use crate::stations::{Connector, ConnectorStatus};

/// Ends that somebody wanted, or after which the car is gone: nobody starts after them by himself.
const FINAL: [&str; 9] = [
    "DeAuthorized",
    "EVDisconnected",
    "EmergencyStop",
    "EnergyLimitReached",
    "MasterPass",
    "Remote",
    "SOCLimitReached",
    "StoppedByEV",
    "UnlockCommand",
];

/// The last session of a connector, where its station ended it for a reason of its own and its car is still plugged in. Whether
/// its limit was 0 then is for the caller to know; nothing where a session runs or waits there.
pub fn to_start_again(conn: &mut Conn, connector: &Connector) -> StoreResult<Option<Session>> {
    let is_plugged = matches!(
        connector.status,
        ConnectorStatus::Preparing | ConnectorStatus::Finishing | ConnectorStatus::SuspendedEvse
    );
    if !is_plugged || !store::open_on_connectors(conn, &[connector.id])?.is_empty() {
        return Ok(None);
    }
    let last = sessions::table
        .filter(sessions::connector_id.eq(connector.id))
        .filter(sessions::begun_at.is_not_null())
        .order((sessions::begun_at.desc(), sessions::id.desc()))
        .select(Session::as_select())
        .first::<Session>(conn);
    let last = last.optional()?;
    Ok(last.filter(|session| {
        let reason = session.stop_reason.as_deref().unwrap_or_default();
        session.status == SessionStatus::Ended
            && !session.is_over_by_assumption()
            && !FINAL.contains(&reason)
            && session.id_tag.as_deref().is_some_and(|tag| !tag.is_empty())
    }))
}

/// A session that waits for the same car, card, targets and departure as one that ended, and the command that starts it; what
/// it still needs is what is left of the need. It is cancelled as every other that does not start in time.
pub fn start_again(
    conn: &mut Conn,
    moment: &Moment,
    ended: &Session,
    connector: &Connector,
) -> StoreResult<(Session, Command)> {
    let mut session = Session::blank(
        ended.organization_id,
        ended.chargestation_id,
        Some(connector.id),
        moment,
    );
    let request = store::next_transaction_id(conn)?;
    session.start_request = Some(request);
    session.user_id = ended.user_id;
    session.id_tag = ended.id_tag.clone();
    session.type_ = ended.type_;
    session.target = ended.target.clone();
    session.departure_at = ended.departure_at;
    session.energy_need = ended
        .energy_need
        .map(|need| WattHours((need.get() - ended.energy.get()).max(0)));
    session.meta_data = ended.meta_data.clone();
    store::insert(conn, &session)?;
    tell(conn, moment, &session, EventKind::SessionCreated)?;
    let command = Command::StartCharging {
        connector: Some(connector.number),
        id_tag: session.id_tag.clone().unwrap_or_default(),
        request,
    };
    Ok((session, command))
}
