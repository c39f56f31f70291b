//! The life cycle of a reservation: which connectors it keeps, how the station is asked, how it ends.

use serde_json::json;

use super::model::*;
use super::store;
use super::uses::Uses;
use crate::control::actions::{NewAction, Performer};
use crate::events::{ActionKind, Change, EventKind};
use crate::http::{ApiError, ApiResult, Code, Context};
use crate::people::tokens;
use crate::sites::stations::link::{self, LinkError, Outcome, StationCommand, StationLink};
use crate::sites::stations::{self, Connector};
use crate::store::{Conn, Json, StoreError, StoreResult};
use kernel::*;

/// The reservation that `new` describes, when nothing stands against it.
pub(super) fn prepare(
    conn: &mut Conn,
    organization: OrganizationId,
    new: NewReservation,
    (moment, link, uses): (&Moment, &dyn StationLink, &Uses),
) -> ApiResult<Reservation> {
    let expires_at = new.end(moment.now)?;
    let connector =
        stations::find_connector(conn, organization, new.connector).map_err(|error| unknown(error, "connector"))?;
    if !link.is_online(connector.chargestation_id) {
        return Err(LinkError::Offline.into());
    }
    let evse = stations::find_evse(conn, organization, connector.evse_id)?;
    if !evse.reservable {
        return Err(ApiError::conflict("The EVSE of this connector is not reservable"));
    }
    let kept = kept_together(conn, &connector, evse.simultaneous)?;
    refuse_taken(conn, uses, &connector, &kept, moment.now)?;
    let holder = holder(conn, organization, &new, moment.now)?;
    let station = stations::find_station(conn, organization, connector.chargestation_id)?;
    let named = if new.token.is_some() { "token" } else { "id_tag" };
    stations::require_card(station.protocol, &holder.id_tag, named)?;
    let all: StoreResult<Vec<Kept>> = kept
        .iter()
        .map(|one| Ok(Kept { connector: one.id, number: one.number, reservation_id: store::next_number(conn)? }))
        .collect();
    Ok(Reservation {
        id: moment.id(),
        organization_id: organization,
        chargestation_id: connector.chargestation_id,
        evse_id: evse.id,
        connector_id: connector.id,
        kept: Json(all?),
        id_tag: holder.id_tag,
        parent_group: holder.parent_group,
        token_id: holder.token,
        user_id: holder.user,
        session_id: None,
        status: ReservationStatus::Requested,
        reason: None,
        expires_at,
        meta_data: Json(new.meta_data.unwrap_or_default()),
        created_at: moment.now,
        updated_at: moment.now,
    })
}

fn unknown(error: StoreError, field: &str) -> ApiError {
    match error {
        StoreError::NotFound => {
            ApiError::field(field, "not_found", format!("there is no such {field} in your organization"))
        }
        other => other.into(),
    }
}

/// The connector alone where those of its EVSE work at the same time, else all of them.
fn kept_together(conn: &mut Conn, connector: &Connector, simultaneous: bool) -> StoreResult<Vec<Connector>> {
    if simultaneous {
        return Ok(vec![connector.clone()]);
    }
    let mut all = stations::connectors_of_station(conn, connector.chargestation_id)?;
    all.retain(|one| one.evse_id == connector.evse_id);
    Ok(all)
}

fn refuse_taken(conn: &mut Conn, uses: &Uses, asked: &Connector, kept: &[Connector], now: Timestamp) -> ApiResult<()> {
    if !asked.active {
        return Err(ApiError::conflict("The connector is not active"));
    }
    let reserved = store::open_at(conn, asked.chargestation_id, now)?;
    if kept.iter().any(|one| reserved.iter().any(|other| other.keeps(one.id))) {
        return Err(ApiError::conflict("The connector is already reserved"));
    }
    let ids: Vec<ConnectorId> = kept.iter().map(|one| one.id).collect();
    if (uses.is_charging)(conn, &ids)? {
        return Err(ApiError::conflict("A session is running at this EVSE"));
    }
    Ok(())
}

struct Holder {
    id_tag: String,
    parent_group: Option<String>,
    token: Option<TokenId>,
    user: Option<UserId>,
}

/// For whom it is: a token, or what stations read.
fn holder(conn: &mut Conn, organization: OrganizationId, new: &NewReservation, now: Timestamp) -> ApiResult<Holder> {
    if let Some(user) = new.user {
        crate::people::users::require(conn, organization, user, "user")?;
    }
    let id_tag = match (new.token, &new.id_tag) {
        (Some(token), None) => {
            tokens::find(conn, organization, token).map_err(|error| unknown(error, "token"))?.physical_id
        }
        (None, Some(tag)) => tag.to_string(),
        _ => {
            let must = "give either token or id_tag";
            return Err(ApiError::field("token", "required", must));
        }
    };
    let known = tokens::authorize(conn, organization, &id_tag, now)?;
    Ok(Holder { id_tag, parent_group: known.parent_group, token: known.token, user: new.user.or(known.user) })
}

/// Records an event with the whole reservation.
pub(super) fn record_event(
    conn: &mut Conn,
    moment: &Moment,
    reservation: &Reservation,
    kind: EventKind,
) -> StoreResult<()> {
    Change::new(conn, reservation.organization_id, moment).record_at(
        reservation.chargestation_id,
        kind,
        &ReservationView::from(reservation.clone()),
    )
}

/// Stores how a reservation goes on, with its event.
fn enter(
    conn: &mut Conn,
    moment: &Moment,
    mut reservation: Reservation,
    status: ReservationStatus,
) -> StoreResult<Reservation> {
    reservation.status = status;
    reservation.updated_at = moment.version_after(reservation.updated_at);
    store::update(conn, &reservation)?;
    let kind = match status {
        ReservationStatus::Requested => EventKind::ReservationRequested,
        ReservationStatus::Active => EventKind::ReservationActive,
        ReservationStatus::Used => EventKind::ReservationUsed,
        ReservationStatus::Expired => EventKind::ReservationExpired,
        ReservationStatus::Cancelled => EventKind::ReservationCancelled,
        ReservationStatus::Failed => EventKind::ReservationFailed,
    };
    record_event(conn, moment, &reservation, kind)?;
    Ok(reservation)
}

fn action(reservation: &Reservation, one: &Kept, kind: ActionKind) -> NewAction {
    NewAction {
        organization: reservation.organization_id,
        station: reservation.chargestation_id,
        connector: Some(one.connector),
        session: None,
        kind,
        data: json!({"reservation": reservation.id, "reservation_id": one.reservation_id}),
    }
}

/// Asks the station to keep every connector; all of them or none.
async fn keep_all(performer: &Performer, reservation: &Reservation) -> ApiResult<()> {
    let (organization, station) = (reservation.organization_id, reservation.chargestation_id);
    let id_tag = reservation.id_tag.clone();
    let read = performer.db().read(move |conn| -> StoreResult<_> {
        let protocol = stations::find_station(conn, organization, station)?.protocol;
        Ok((tokens::type_of(conn, organization, &id_tag)?, protocol))
    });
    let (token_type, protocol) = read.await?;
    let group = reservation.parent_group.as_deref();
    // A group that the station has no room for is known here all the same.
    let group = group.filter(|group| protocol.takes_card(group));
    for (index, one) in reservation.kept.0.iter().enumerate() {
        let command = StationCommand::Reserve(link::Reserve {
            connector: one.number,
            reservation: one.reservation_id,
            id_tag: reservation.id_tag.clone(),
            token_type,
            parent_group: group.map(str::to_owned),
            until: reservation.expires_at,
        });
        let asked = performer.perform(action(reservation, one, ActionKind::ReservationReserve), command);
        // A station that said nothing may keep the connector all the same.
        let (error, doubtful) = match asked.await {
            Ok((_, outcome)) if outcome.accepted => continue,
            Ok((_, outcome)) => (refusal(&outcome), 0),
            Err(error) => (error, 1),
        };
        let kept = reservation.kept.0.iter().take(index + doubtful);
        release(performer, reservation, kept).await;
        return Err(error);
    }
    Ok(())
}

fn refusal(outcome: &Outcome) -> ApiError {
    ApiError::new(Code::CommandFailed, outcome.refusal())
}

/// Asks the station to keep connectors no longer; one that does not know of it does not keep it either.
pub(super) async fn release(performer: &Performer, reservation: &Reservation, all: impl Iterator<Item = &Kept>) {
    for one in all {
        let command = StationCommand::CancelReservation { reservation: one.reservation_id };
        let released = performer.perform(action(reservation, one, ActionKind::ReservationCancel), command);
        if let Err(error) = released.await {
            tracing::info!(%error, reservation = %reservation.id, "a connector was not released");
        }
    }
}

/// Asks the station, and stores what it said; the error is why it does not keep the connectors.
pub(super) async fn keep(context: &Context, performer: &Performer, reservation: Reservation) -> ApiResult<Reservation> {
    let refused = keep_all(performer, &reservation).await;
    let reason = refused.as_ref().err().map(|error| error.message().to_owned());
    let moment = context.moment();
    let stored = context.db.write(move |conn| -> StoreResult<Reservation> {
        let mut current = store::find(conn, reservation.organization_id, reservation.id)?;
        if !current.is_open() {
            return Ok(current);
        }
        let status = match reason {
            Some(_) => ReservationStatus::Failed,
            None => ReservationStatus::Active,
        };
        current.reason.clone_from(&reason);
        enter(conn, &moment, current, status)
    });
    let reservation = stored.await?;
    refused.map(|()| reservation)
}

/// Gives a reservation up; it stays readable.
pub(super) fn cancel(conn: &mut Conn, moment: &Moment, reservation: Reservation) -> StoreResult<Reservation> {
    enter(conn, moment, reservation, ReservationStatus::Cancelled)
}

/// Ends reservations whose time is over; stations forget them by themselves.
pub fn expire(conn: &mut Conn, moment: &Moment) -> StoreResult<()> {
    for reservation in store::overdue(conn, moment.now)? {
        enter(conn, moment, reservation, ReservationStatus::Expired)?;
    }
    Ok(())
}

/// Whether a connector is kept for somebody else than this token.
pub fn is_kept_for_another(conn: &mut Conn, connector: &Connector, id_tag: &str, now: Timestamp) -> StoreResult<bool> {
    let open = store::open_at(conn, connector.chargestation_id, now)?;
    let mut keeping = open.iter().filter(|one| one.keeps(connector.id)).peekable();
    if keeping.peek().is_none() {
        return Ok(false);
    }
    let known = tokens::authorize(conn, connector.organization_id, id_tag, now)?;
    Ok(keeping.any(|one| !one.is_for(id_tag, known.parent_group.as_deref())))
}

/// A session that a station reports to have begun.
#[derive(Debug)]
pub struct Beginning<'a> {
    /// Where.
    pub station: StationId,
    /// At which connector.
    pub connector: ConnectorId,
    /// The reservation it names.
    pub reservation_id: Option<i64>,
    /// The token.
    pub id_tag: &'a str,
    /// The token's group.
    pub parent_group: Option<&'a str>,
    /// Our session.
    pub session: SessionId,
}

/// Ends the reservation that a beginning session uses; answers the numbers of its other connectors, which need not be
/// kept any longer.
pub fn take_up(conn: &mut Conn, moment: &Moment, begun: &Beginning<'_>) -> StoreResult<Vec<i64>> {
    let open = store::open_at(conn, begun.station, moment.now)?;
    let used = open.into_iter().find(|one| {
        let named = |one: &Kept| Some(one.reservation_id) == begun.reservation_id;
        one.kept.0.iter().any(named) || (one.keeps(begun.connector) && one.is_for(begun.id_tag, begun.parent_group))
    });
    let Some(mut reservation) = used else {
        return Ok(Vec::new());
    };
    reservation.session_id = Some(begun.session);
    let reservation = enter(conn, moment, reservation, ReservationStatus::Used)?;
    let others = reservation
        .kept
        .0
        .iter()
        .filter(|one| Some(one.reservation_id) != begun.reservation_id && one.connector != begun.connector);
    Ok(others.map(|one| one.reservation_id).collect())
}
