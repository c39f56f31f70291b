//! Stopping a session over the API. It is over when its station says so; by assumption where the station does not know it
//! or cannot be asked for long; and at once where that is wanted by force.

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::{FromRequest, HttpRequest, HttpResponse, get, post, web};
use futures_util::future::LocalBoxFuture;
use serde_json::json;

use super::ending::assume_over;
use super::model::{Session, SessionStatus, SessionView};
use super::overdue::{self, OFFLINE, Patience, UNKNOWN};
use super::request::{about, missing};
use super::store;
use super::store::record;
use crate::control::actions::Performer;
use crate::events::{ActionKind, EventKind};
use crate::http::caller::WriteSessions;
use crate::http::docs::CommandErrors;
use crate::http::envelope::{Reply, reply};
use crate::http::{ApiError, ApiResult, Body, Caller, Ctx, PathId};
use crate::input;
use crate::sites::stations::link::{DeviceRequest, LinkError, Outcome, Signal, SignalKind, Signals, StationCommand};
use crate::store::{StoreError, StoreResult};
use kernel::*;

input! {
    /// How a session is stopped.
    #[schema(example = json!({"force": true}))]
    pub(crate) struct SessionStop {
        /// true: it is `ended` at once, with what its readings say, whatever the station does; a station that is connected is
        /// asked to stop all the same, and what it reports later of the end corrects the session. Without it the session is
        /// `ended` when the station says so.
        pub force: Option<bool>,
    }
}

/// A session as it is after it was asked to stop, and what was done.
type Asked = (Session, &'static str);

/// What stopping needs: of the request, who may, and which session; of the server, the rest.
#[derive(Clone)]
pub struct Stopping {
    organization: OrganizationId,
    /// Whether the caller sees numbers of cards.
    whole: bool,
    ctx: Ctx,
    performer: web::Data<Performer>,
    signals: web::Data<Signals>,
    patience: web::Data<Patience>,
    id: SessionId,
}

/// The parts of [`Stopping`] as they are found in a request, in the order in which they are refused.
type Parts =
    (Caller<WriteSessions>, Ctx, web::Data<Performer>, web::Data<Signals>, web::Data<Patience>, PathId<SessionId>);

impl FromRequest for Stopping {
    type Error = actix_web::Error;
    type Future = LocalBoxFuture<'static, Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let parts = Parts::from_request(request, payload);
        Box::pin(async move {
            let (caller, ctx, performer, signals, patience, PathId(id)) = parts.await?;
            Ok(Self {
                organization: caller.organization(),
                whole: caller.sees_cards(),
                ctx,
                performer,
                signals,
                patience,
                id,
            })
        })
    }
}

impl Stopping {
    /// Stops a session of an organization.
    pub fn new(
        (ctx, performer): (Ctx, web::Data<Performer>),
        (signals, patience): (web::Data<Signals>, web::Data<Patience>),
        organization: OrganizationId,
        id: SessionId,
    ) -> Self {
        Self { organization, whole: false, ctx, performer, signals, patience, id }
    }

    async fn find(&self) -> ApiResult<Session> {
        let (organization, id) = (self.organization, self.id);
        let read = self.ctx.db.read(move |conn| store::find(conn, organization, id));
        read.await.map_err(missing)
    }

    /// Stops it; by force it is over at once.
    pub async fn stop(self, force: bool) -> ApiResult<Asked> {
        let session = self.find().await?;
        match (session.status, session.transaction_id) {
            (SessionStatus::Started, Some(transaction)) if force => self.force(session, transaction).await,
            (SessionStatus::Started, Some(transaction)) => self.ask(session, transaction).await,
            (SessionStatus::Created, _) => self.cancel().await,
            _ => Err(ApiError::conflict(format!("The session is {}", session.status))),
        }
    }

    /// Asks the station; one that has been offline for long cannot be asked.
    async fn ask(self, session: Session, transaction: i64) -> ApiResult<Asked> {
        let (station, patience) = (session.chargestation_id, *self.patience.get_ref());
        if !self.performer.is_online(station) {
            let db = &self.ctx.db;
            let of_session = session.clone();
            let since = db.read(move |conn| patience.offline_since(conn, &of_session));
            let now = self.ctx.clock.now();
            let is_long = since.await?.is_some_and(|since| now.since(since) >= patience.stop_after);
            if is_long {
                let at = session.last_sign();
                return self.assume(at, OFFLINE, "Ended: the station is offline").await;
            }
        }
        let command = StationCommand::StopCharging { transaction };
        let action = about(&session, ActionKind::SessionStop, json!({"transaction": transaction}));
        let refused = self.clone();
        let failed = move |answer| refused.goes_on_or_ends(answer);
        self.performer.start_or(action, command, failed).await?;
        Ok((session, "Stop requested"))
    }

    /// Ends it on our side, and asks the station to stop, which may or may not.
    async fn force(self, session: Session, transaction: i64) -> ApiResult<Asked> {
        if self.performer.is_online(session.chargestation_id) {
            let action = about(&session, ActionKind::SessionStop, json!({"transaction": transaction, "force": true}));
            let command = StationCommand::StopCharging { transaction };
            self.performer.start(action, command).await?;
        }
        let now = self.ctx.clock.now();
        self.assume(now, "ended by force over the API", "Ended by force").await
    }

    /// Gives up a session that never started.
    async fn cancel(self) -> ApiResult<Asked> {
        let (organization, id, moment) = (self.organization, self.id, self.ctx.moment());
        let cancelled = self.ctx.db.write(move |conn| {
            let session = store::find(conn, organization, id)?;
            overdue::cancel(conn, &moment, session, "Stopped before it started")?;
            store::find(conn, organization, id)
        });
        Ok((cancelled.await?, "Cancelled"))
    }

    async fn assume(self, at: Timestamp, why: &'static str, said: &'static str) -> ApiResult<Asked> {
        self.end(at, why).await?;
        Ok((self.find().await?, said))
    }

    /// Ends it by assumption, unless its end was reported meanwhile.
    async fn end(&self, at: Timestamp, why: &'static str) -> StoreResult<()> {
        let (organization, id, moment) = (self.organization, self.id, self.ctx.moment());
        let ended = self.ctx.db.write(move |conn| {
            let session = store::find(conn, organization, id)?;
            if session.status != SessionStatus::Started {
                return Ok::<_, StoreError>(None);
            }
            assume_over(conn, &moment, session, at, why).map(Some)
        });
        if let Some(session) = ended.await?
            && let Some(connector) = session.connector_id
        {
            self.signals.notify(Signal {
                organization,
                station: session.chargestation_id,
                kind: SignalKind::SessionEnded(connector, session.id),
            });
        }
        Ok(())
    }

    /// The station did not stop it: it is over where the station does not know it and nothing else says that it goes on.
    async fn goes_on_or_ends(self, answer: Result<Outcome, LinkError>) -> StoreResult<()> {
        let is_refused = matches!(answer, Ok(_) | Err(LinkError::Refused { .. }));
        let (organization, id, moment) = (self.organization, self.id, self.ctx.moment());
        let db = &self.ctx.db;
        let session = db.read(move |conn| store::find(conn, organization, id)).await?;
        if is_refused && session.status == SessionStatus::Started {
            let goes_on = match self.is_known_to_station(&session).await {
                Some(known) => known,
                None => {
                    let (session, now) = (session.clone(), moment.now);
                    let alive = db.read(move |conn| overdue::is_alive(conn, &session, now));
                    alive.await?
                }
            };
            if !goes_on {
                let at = session.last_sign();
                return self.end(at, UNKNOWN).await;
            }
        }
        let reported = db.write(move |conn| {
            let session = store::find(conn, organization, id)?;
            record(conn, &moment, &session, EventKind::SessionStopFailure)
        });
        reported.await
    }

    /// Whether the station says that the transaction goes on (E14, OCPP 2.x); nothing where it does not say.
    async fn is_known_to_station(&self, session: &Session) -> Option<bool> {
        let name = session.transaction_name.as_ref()?;
        let command = StationCommand::Device {
            request: DeviceRequest::GetTransactionStatus,
            payload: json!({"transactionId": name}),
        };
        let asked = self.performer.ask(session.chargestation_id, command).await;
        asked.ok()?.data.get("ongoingIndicator")?.as_bool()
    }
}

/// Stops a session. Without `force` it is `ended` when the station says so. A station that does not know the transaction, or
/// that has been offline for long (option `sessions.stop_offline_minutes`), ends it by assumption: the reason of its end begins
/// with `Assumed`, and what the station reports later corrects it (event `session.corrected`).
#[utoipa::path(tag = "sessions", params(("id" = SessionId, Path, description = "The session")),
    request_body = SessionStop, responses((status = OK, body = Reply<SessionView>), CommandErrors))]
#[post("/sessions/{id}/stop")]
pub(super) async fn stop_session(stopping: Stopping, Body(how): Body<SessionStop>) -> ApiResult<HttpResponse> {
    answer(stopping, how.force.unwrap_or(false)).await
}

/// Stops a session, the way eDRV spells it: as POST without `force`.
#[utoipa::path(tag = "sessions", params(("id" = SessionId, Path, description = "The session")),
    responses((status = OK, body = Reply<SessionView>), CommandErrors))]
#[get("/sessions/{id}/stop")]
pub(super) async fn stop_session_by_get(stopping: Stopping) -> ApiResult<HttpResponse> {
    answer(stopping, false).await
}

async fn answer(stopping: Stopping, force: bool) -> ApiResult<HttpResponse> {
    let whole = stopping.whole;
    let (session, said) = stopping.stop(force).await?;
    Ok(reply(StatusCode::OK, said, SessionView::from(session).seen(whole)))
}
