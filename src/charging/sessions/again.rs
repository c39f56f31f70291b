//! Starting a car again whose transaction its station ended by itself: some do that when the limit is 0, and wait for
//! somebody to start it when it is next in the queue.

use diesel::prelude::*;

use super::model::{Session, SessionStatus, Target};
use super::store::record;
use super::{overdue, store};
use crate::events::EventKind;
use crate::people::tokens;
use crate::sites::stations::link::StationCommand;
use crate::sites::stations::{self, Connector, ConnectorStatus};
use crate::store::schema::sessions;
use crate::store::{Conn, Json, StoreResult};
use kernel::*;

/// Reasons and triggers of ends that somebody wanted, after which the car is gone, or which a fault caused: nobody starts after
/// them by himself.
const FINAL: [&str; 28] = [
    "AbnormalCondition",
    "Authorized",
    "CostLimitReached",
    "DeAuthorized",
    "Deauthorized",
    "EVCommunicationLost",
    "EVDeparted",
    "EVConnectTimeout",
    "EVDisconnected",
    "EmergencyStop",
    "EnergyLimitReached",
    "GroundFault",
    "Local",
    "LocalOutOfCredit",
    "MasterPass",
    "OvercurrentFault",
    "PowerQuality",
    "Remote",
    "RemoteStop",
    "ReqEnergyTransferRejected",
    "SOCLimitReached",
    "SoCLimitReached",
    "StopAuthorized",
    "StoppedByEV",
    "TariffNotAccepted",
    "TimeLimitReached",
    "Timeout",
    "UnlockCommand",
];

/// Whether this reason or trigger of an end says that nobody is to start again.
pub(super) fn is_final(word: &str) -> bool {
    FINAL.contains(&word)
}

/// The last session of a connector, where its station ended it for a reason of its own and its car is still plugged in. Whether
/// its limit was 0 then is for the caller to know; nothing where a session runs there.
pub fn to_start_again(conn: &mut Conn, connector: &Connector) -> StoreResult<Option<Session>> {
    let is_plugged = matches!(
        connector.status,
        ConnectorStatus::Preparing | ConnectorStatus::Finishing | ConnectorStatus::SuspendedEvse
    );
    if !is_plugged {
        return Ok(None);
    }
    let last = sessions::table
        .filter(sessions::connector_id.eq(connector.id))
        .filter(sessions::begun_at.is_not_null())
        .order((sessions::begun_at.desc(), sessions::id.desc()))
        .select(Session::as_select())
        .first::<Session>(conn);
    let last = store::some(conn, last.optional()?.into_iter().collect())?.pop();
    Ok(last.filter(|session| {
        session.status == SessionStatus::Ended
            && session.restartable
            && session.id_tag.as_deref().is_some_and(|tag| !tag.is_empty())
    }))
}

/// A session that waits for the same car, card, targets and departure as one that ended, and the command that starts it; what
/// it still needs is what is left of the need. It is cancelled as every other that does not start in time. Nothing where a
/// session runs or waits there by now.
pub fn start_again(
    conn: &mut Conn,
    moment: &Moment,
    (organization, id): (OrganizationId, SessionId),
) -> StoreResult<Option<(Session, StationCommand)>> {
    let ended = store::find(conn, organization, id)?;
    let Some(connector) = ended.connector_id else {
        return Ok(None);
    };
    let connector = stations::find_connector(conn, organization, connector)?;
    let is_taken = !store::open_on_connectors(conn, &[connector.id])?.is_empty();
    let last = to_start_again(conn, &connector)?;
    if is_taken || last.is_none_or(|last| last.id != id) {
        return Ok(None);
    }
    let place = (ended.chargestation_id, Some(connector.id));
    let mut session = Session::blank(organization, place.0, place.1, moment);
    let request = store::next_transaction_id(conn)?;
    session.start_request = Some(request);
    session.user_id = ended.user_id;
    session.id_tag = ended.id_tag.clone();
    session.type_ = ended.type_;
    session.target = Json(what_is_left(&ended));
    session.departure_at = ended.departure_at;
    session.energy_need = ended.energy_need.map(|need| WattHours((need.get() - ended.energy.get()).max(0)));
    session.power_limit = ended.power_limit;
    session.meta_data = ended.meta_data.clone();
    store::insert(conn, &session)?;
    record(conn, moment, &session, EventKind::SessionCreated)?;
    let id_tag = session.id_tag.clone().unwrap_or_default();
    let command = StationCommand::StartCharging {
        connector: Some(connector.number),
        token_type: tokens::type_of(conn, organization, &id_tag)?,
        id_tag,
        request,
    };
    Ok(Some((session, command)))
}

/// Gives up a session that waits for a start which its station refused.
pub fn give_up_start(
    conn: &mut Conn,
    moment: &Moment,
    (organization, id): (OrganizationId, SessionId),
    why: &str,
) -> StoreResult<()> {
    let session = store::find(conn, organization, id)?;
    match session.status {
        SessionStatus::Created => overdue::cancel(conn, moment, session, why),
        _ => Ok(()), // it began all the same
    }
}

/// The targets of a session, without what it had already.
fn what_is_left(ended: &Session) -> Target {
    #[expect(clippy::cast_precision_loss, reason = "energies and seconds are far below 2^53")]
    let (kilowatt_hours, minutes) = (ended.energy.get() as f64 / 1_000.0, ended.energy_period as f64 / 60.0);
    let cost = ended.cost.as_ref().map_or(0.0, |cost| cost.0.major_units());
    let without = |wanted: Option<f64>, had: f64| wanted.map(|wanted| (wanted - had).max(0.0));
    let target = &ended.target.0;
    Target {
        energy: without(target.energy, kilowatt_hours),
        time: without(target.time, minutes),
        cost: without(target.cost, cost),
        state_of_charge: target.state_of_charge,
    }
}
