//! The endpoints of sessions.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, get, patch, post, web};
use serde_json::json;

use super::energy_report::SessionReport;
use super::model::*;
use super::request::{about, missing};
use super::store::record;
use super::{evidence, readings, starting, stopping, store};
use crate::charging::reservations::{ChargingIncludes, ServerNow};
use crate::control::actions::{ActionView, Performer};
use crate::events::{ActionKind, EventKind};
use crate::http::caller::{ReadSessions, WriteSessions};
use crate::http::docs::{CommandErrors, ListErrors, OneErrors, WriteErrors};
use crate::http::envelope::{Reply, reply};
use crate::http::include::Shown;
use crate::http::list::{self, ListReply};
use crate::http::merging::merged;
use crate::http::quantities::LimitUnit;
use crate::http::query::{ListParameters, ListQuery};
use crate::http::routing::ServiceConfig;
use crate::http::{ApiError, ApiResult, Body, Caller, Changed, Created, Ctx, Faults, Found, IfMatch, PathId, Query};
use crate::input;
use crate::load::groups;
use crate::sites::stations::link::{
    LimitPurpose, SetLimit, SharedLink, Signal, SignalKind, Signals, StationCommand, TRANSACTION_LIMIT_PROFILE,
};
use crate::sites::stations::{self, PowerType};
use crate::store::Json;
use kernel::*;

/// Adds the endpoints of this slice.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(list_sessions)
        .service(create_session)
        .service(get_session)
        .service(update_session)
        .service(stopping::stop_session)
        .service(stopping::stop_session_by_get)
        .service(list_energy_reports)
        .configure(evidence::routes)
        .service(set_session_power_limit)
        .service(clear_session_power_limit);
}

/// Lists sessions.
#[utoipa::path(tag = "sessions", params(ListParameters, SessionFilter),
    responses((status = OK, body = ListReply<SessionView>), ListErrors))]
#[get("/sessions")]
async fn list_sessions(
    caller: Caller<ReadSessions>,
    ctx: Ctx,
    query: ListQuery<SessionFilter>,
) -> ApiResult<HttpResponse> {
    let (organization, whole) = (caller.organization(), caller.sees_cards());
    if query.search.is_some() {
        caller.must_see_cards("Searching by number of card")?;
    }
    if store::is_by_readings(&query) {
        ctx.db.write_to_memory(move |conn| store::write_rows(conn, organization)).await?;
    }
    let (includes, server) = (query.filter.includes(), ServerNow::from(&**ctx));
    includes.permit(&caller)?;
    list::respond(&ctx, query, move |conn, query| {
        let view = |session: Session| Shown::new(SessionView::from(session).seen(whole));
        let mut page = store::list(conn, organization, query)?.map(view);
        includes.put(conn, organization, &server, &mut page.rows)?;
        Ok(page)
    })
    .await
}

/// Creates a session and asks the station to start it; it is `started` when the station says so.
#[utoipa::path(tag = "sessions", request_body = NewSession,
    responses((status = CREATED, body = Reply<SessionView>), CommandErrors))]
#[post("/sessions")]
async fn create_session(
    caller: Caller<WriteSessions>,
    ctx: Ctx,
    link: web::Data<SharedLink>,
    performer: web::Data<Performer>,
    Body(new): Body<NewSession>,
) -> ApiResult<Created<SessionView>> {
    let session = starting::start_session((ctx, link, performer), caller.organization(), new).await?;
    Ok(Created(SessionView::from(session).seen(caller.sees_cards())))
}

/// Reads a session.
#[utoipa::path(tag = "sessions", params(("id" = SessionId, Path, description = "The session"), ChargingIncludes),
    responses((status = OK, body = Reply<SessionView>), OneErrors))]
#[get("/sessions/{id}")]
async fn get_session(
    caller: Caller<ReadSessions>,
    ctx: Ctx,
    PathId(id): PathId<SessionId>,
    Query(includes): Query<ChargingIncludes>,
) -> ApiResult<Found<Shown<SessionView>>> {
    includes.permit(&caller)?;
    let (organization, whole, server) = (caller.organization(), caller.sees_cards(), ServerNow::from(&**ctx));
    let read = ctx.db.read(move |conn| {
        let session = store::find(conn, organization, id)?;
        let mut view = [Shown::new(SessionView::from(session).seen(whole))];
        includes.put(conn, organization, &server, &mut view)?;
        let [view] = view;
        Ok(view)
    });
    Ok(Found(read.await.map_err(missing)?))
}

/// Changes the targets, the departure or the free data of a session (JSON merge patch).
#[utoipa::path(tag = "sessions", params(("id" = SessionId, Path, description = "The session")),
    request_body = SessionPatch, responses((status = OK, body = Reply<SessionView>), WriteErrors))]
#[patch("/sessions/{id}")]
async fn update_session(
    caller: Caller<WriteSessions>,
    ctx: Ctx,
    signals: web::Data<Signals>,
    PathId(id): PathId<SessionId>,
    if_match: IfMatch,
    Body(patch): Body<SessionPatch>,
) -> ApiResult<Changed<SessionView>> {
    let organization = caller.organization();
    let view = ctx
        .change(organization)
        .write(move |change| {
            let mut session = store::find(change.conn, change.organization, id).map_err(missing)?;
            if_match.check(session.updated_at)?;
            let patch = patch.clone();
            let mut faults = Faults::default();
            let target = merged(patch.target, Some(&session.target.0), "target", &mut faults);
            let meta_data = merged(patch.meta_data, Some(&session.meta_data.0), "meta_data", &mut faults);
            if !faults.is_empty() {
                return Err(faults.into());
            }
            target.map(Json).apply_or(&mut session.target, Json::default());
            patch.departure_time.apply(&mut session.departure_at);
            let need = patch.energy_need.map(|kwh| Watts::from_kilowatts(kwh).unwrap_or_default());
            need.map(|need| WattHours(need.get())).apply(&mut session.energy_need);
            meta_data.map(Json).apply_or(&mut session.meta_data, Json::default());
            session.updated_at = change.moment.version_after(session.updated_at);
            store::update(change.conn, &session)?;
            record(change.conn, change.moment, &session, EventKind::SessionUpdated)?;
            Ok::<_, ApiError>(SessionView::from(session))
        })
        .await?;
    signals.notify(Signal { organization, station: view.chargestation, kind: SignalKind::Reconfigured });
    Ok(Changed(view.seen(caller.sees_cards())))
}

/// Lists the readings of a session, oldest first; what its meter signed stands among them, by the station's time, for an API key
/// with the scope `read:tokens`: it names the card.
#[utoipa::path(tag = "sessions", params(("id" = SessionId, Path, description = "The session")),
    responses((status = OK, body = Reply<Vec<SessionReport>>), OneErrors))]
#[get("/sessions/{id}/energy_reports")]
async fn list_energy_reports(
    caller: Caller<ReadSessions>,
    ctx: Ctx,
    PathId(id): PathId<SessionId>,
) -> ApiResult<HttpResponse> {
    let (organization, whole) = (caller.organization(), caller.sees_cards());
    let reports = ctx
        .db
        .read(move |conn| {
            let session = store::find(conn, organization, id)?;
            let mut reports = match session.connector_id {
                Some(connector) => readings::energy_reports(conn, &session, connector)?,
                None => Vec::new(),
            };
            if whole {
                reports.extend(evidence::in_reports(conn, id)?);
            }
            reports.sort_by_key(SessionReport::at);
            Ok(reports)
        })
        .await
        .map_err(missing)?;
    Ok(reply(StatusCode::OK, "Found", reports))
}

input! {
    /// A limit of a session.
    pub(crate) struct SessionLimit {
        /// power (W) or current (A).
        pub unit: LimitUnit,
        /// The limit in W or A.
        #[schema(minimum = 0, example = 3700)]
        pub limit: f64,
    }
}

/// Limits what a session may draw, below whatever balancing allows.
#[utoipa::path(tag = "sessions", params(("id" = SessionId, Path, description = "The session")),
    request_body = SessionLimit, responses((status = OK, body = Reply<SessionView>), CommandErrors))]
#[post("/sessions/{id}/set_power_limit")]
async fn set_session_power_limit(
    caller: Caller<WriteSessions>,
    ctx: Ctx,
    performer: web::Data<Performer>,
    signals: web::Data<Signals>,
    PathId(id): PathId<SessionId>,
    Body(request): Body<SessionLimit>,
) -> ApiResult<HttpResponse> {
    limit((caller.organization(), caller.sees_cards()), (ctx, performer, signals), id, Some(request)).await
}

/// Lifts the limit of a session.
#[utoipa::path(tag = "sessions", params(("id" = SessionId, Path, description = "The session")),
    responses((status = OK, body = Reply<SessionView>), CommandErrors))]
#[post("/sessions/{id}/clear_power_limit")]
async fn clear_session_power_limit(
    caller: Caller<WriteSessions>,
    ctx: Ctx,
    performer: web::Data<Performer>,
    signals: web::Data<Signals>,
    PathId(id): PathId<SessionId>,
) -> ApiResult<HttpResponse> {
    let owner = (caller.organization(), caller.sees_cards());
    limit(owner, (ctx, performer, signals), id, None).await
}

/// Stores the limit; balancing obeys it where the connector is in a group, else the station is sent it directly.
async fn limit(
    (organization, whole): (OrganizationId, bool),
    (ctx, performer, signals): (Ctx, web::Data<Performer>, web::Data<Signals>),
    id: SessionId,
    request: Option<SessionLimit>,
) -> ApiResult<HttpResponse> {
    let (session, connector, balanced) = ctx
        .change(organization)
        .write(move |change| {
            let mut session = store::find(change.conn, change.organization, id).map_err(missing)?;
            let (SessionStatus::Started, Some(connector)) = (session.status, session.connector_id) else {
                return Err(ApiError::conflict(format!("The session is {}", session.status)));
            };
            let connector = stations::find_connector(change.conn, change.organization, connector)?;
            let (voltage, phases) = (connector.voltage_limit.unwrap_or(MAINS), connector.phase_set());
            session.power_limit = match &request {
                Some(request) => Some(request.unit.watts(request.limit, voltage, phases)?),
                None => None,
            };
            session.updated_at = change.moment.version_after(session.updated_at);
            store::update(change.conn, &session)?;
            record(change.conn, change.moment, &session, EventKind::SessionUpdated)?;
            let balanced = groups::is_member(change.conn, connector.chargestation_id)?;
            Ok((session, connector, balanced))
        })
        .await?;
    signals.notify(Signal { organization, station: session.chargestation_id, kind: SignalKind::Reconfigured });
    if !balanced {
        let transaction = session.transaction_id.unwrap_or_default();
        let (kind, command) = match session.power_limit {
            Some(limit) => (ActionKind::SessionSetPowerLimit, transaction_limit(&connector, transaction, limit)),
            None => (
                ActionKind::SessionClearPowerLimit,
                StationCommand::ClearChargingProfile {
                    id: Some(TRANSACTION_LIMIT_PROFILE + connector.number),
                    connector: None,
                    purpose: None,
                    stack_level: None,
                },
            ),
        };
        let action: ActionView =
            performer.start(about(&session, kind, json!({"limit": session.power_limit})), command).await?;
        tracing::debug!(action = %action.id, "sent the session's limit to the station");
    }
    Ok(reply(StatusCode::OK, "Session power limit requested", SessionView::from(session).seen(whole)))
}

fn transaction_limit(connector: &stations::Connector, transaction: i64, limit: Watts) -> StationCommand {
    StationCommand::SetLimit(SetLimit {
        connector: connector.number,
        limit,
        purpose: LimitPurpose::Transaction(transaction),
        voltage: connector.voltage_limit.unwrap_or(MAINS),
        phases: connector.phase_set(),
        offered: connector.phase_set(),
        transaction: None,
        sole: false,
        in_amps: connector.power_type != PowerType::Dc,
        duration_seconds: None,
        lowers: true,
        escalate: false,
    })
}

/// Voltage for conversions where the connector says nothing.
const MAINS: Millivolts = Millivolts(230_000);
