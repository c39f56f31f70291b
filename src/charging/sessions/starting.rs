//! Starting a session over the API: it is stored, its station is asked, and a refusal cancels it.

use actix_web::web;
use serde_json::json;

use super::model::*;
use super::request::about;
use super::store::record;
use super::{overdue, store};
use crate::charging::reservations;
use crate::control::actions::Performer;
use crate::events::{ActionKind, EventKind};
use crate::http::{ApiError, ApiResult, Ctx};
use crate::people::{tokens, users};
use crate::sites::stations;
use crate::sites::stations::link::{SharedLink, StationCommand};
use crate::store::{Conn, Json, StoreError, cause};
use kernel::*;

/// Stores the session that `new` describes and asks its station to start it, which may take a while.
pub(crate) async fn start_session(
    (ctx, link, performer): (Ctx, web::Data<SharedLink>, web::Data<Performer>),
    organization: OrganizationId,
    new: NewSession,
) -> ApiResult<Session> {
    let link = link.get_ref().clone();
    let (session, given) = ctx
        .change(organization)
        .write(move |change| {
            let (session, number) = prepare(change.conn, change.organization, &new, change.moment)?;
            if !link.is_online(session.chargestation_id) {
                return Err(ApiError::station_offline());
            }
            match session.status {
                SessionStatus::Created => store::insert(change.conn, &session)?,
                _ => store::update(change.conn, &session)?,
            }
            record(change.conn, change.moment, &session, EventKind::SessionCreated)?;
            let tag = session.id_tag.as_deref().unwrap_or_default();
            let token_type = tokens::type_of(change.conn, change.organization, tag)?;
            Ok((session, (number, token_type)))
        })
        .await?;
    actix_web::rt::spawn(cause::along(start(ctx, performer, session.clone(), given)));
    Ok(session)
}

/// The session that `new` describes, and the connector's number: a new one, or that of a car which is plugged in already.
fn prepare(
    conn: &mut Conn,
    organization: OrganizationId,
    new: &NewSession,
    moment: &Moment,
) -> ApiResult<(Session, i32)> {
    let connector = stations::find_connector(conn, organization, new.connector).map_err(|error| match error {
        StoreError::NotFound => {
            ApiError::field("connector", "not_found", "there is no such connector in your organization")
        }
        other => other.into(),
    })?;
    if !connector.active {
        return Err(ApiError::conflict("The connector is not active"));
    }
    let mut open = store::open_on_connectors(conn, &[connector.id])?;
    let mut session = match open.pop() {
        None => Session::blank(organization, connector.chargestation_id, Some(connector.id), moment),
        Some(plugged_in) if open.is_empty() && plugged_in.awaits_driver() => plugged_in,
        Some(_) => {
            return Err(ApiError::conflict("A session is already running at this connector"));
        }
    };
    session.start_request = Some(store::next_transaction_id(conn)?);
    if let Some(user) = new.user {
        users::require(conn, organization, user, "user")?;
        session.user_id = Some(user);
    }
    let station = stations::find_station(conn, organization, connector.chargestation_id)?;
    session.id_tag = Some(match &new.id_tag {
        Some(tag) => {
            stations::require_card(station.protocol, tag, "id_tag")?;
            tag.to_string()
        }
        None => tag_for(conn, session.user_id, session.id, station.protocol)?,
    });
    let tag = session.id_tag.as_deref().unwrap_or_default();
    if reservations::is_kept_for_another(conn, &connector, tag, moment.now)? {
        return Err(ApiError::conflict("The connector is reserved for another driver"));
    }
    session.rate_id = connector.rate;
    session.type_ = new.kind;
    session.target = Json(new.target.clone().unwrap_or_default());
    session.departure_at = new.departure_time;
    session.energy_need = new.energy_need.and_then(Watts::from_kilowatts).map(|need| WattHours(need.get()));
    session.meta_data = Json(new.meta_data.clone().unwrap_or_default());
    Ok((session, connector.number))
}

/// What the station is sent: a token of the driver that it has room for, or 16 letters of the session's id (longer tags
/// overflow some stations).
fn tag_for(conn: &mut Conn, user: Option<UserId>, session: SessionId, protocol: Protocol) -> ApiResult<String> {
    let tokens: Vec<String> = match user {
        Some(user) => tokens::active_numbers_of(conn, user)?,
        None => Vec::new(),
    };
    let mut tokens = tokens.into_iter();
    let token = tokens.find(|number| protocol.takes_card(number));
    Ok(token.unwrap_or_else(|| session.to_string().chars().skip(8).collect()))
}

/// Asks the station to start; a refusal cancels the session.
async fn start(
    ctx: Ctx,
    performer: web::Data<Performer>,
    session: Session,
    (connector, token_type): (i32, Option<&'static str>),
) {
    let id_tag = session.id_tag.clone().unwrap_or_default();
    let action = about(&session, ActionKind::SessionStart, json!({"connector": connector}));
    let command = StationCommand::StartCharging {
        connector: Some(connector),
        token_type,
        id_tag,
        request: session.start_request.unwrap_or_default(),
    };
    let why = match performer.perform(action, command).await {
        Ok((_, outcome)) if outcome.accepted => return,
        Ok((_, outcome)) => outcome.refusal(),
        Err(error) => error.message().to_owned(),
    };
    let moment = ctx.moment();
    let cancelled = ctx.db.write(move |conn| {
        let current = store::find(conn, session.organization_id, session.id)?;
        if current.status == SessionStatus::Created {
            record(conn, &moment, &current, EventKind::SessionStartFailure)?;
            overdue::cancel(conn, &moment, current, &why)?;
        } else if current.is_open() && current.start_request == session.start_request {
            // The car stays plugged in, and somebody else may charge it.
            let waiting = Session { id_tag: None, start_request: None, ..current };
            store::update(conn, &waiting)?;
        }
        Ok::<_, StoreError>(())
    });
    if let Err(error) = cancelled.await {
        tracing::error!(%error, "a session that could not start was not cancelled");
    }
}
