//! The endpoints of priority charges, for operators; home users have theirs in the portal.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, delete, get, post, web};

use super::model::{NewPriorityCharge, PriorityChargeView, PriorityFilter};
use super::uses::Uses;
use super::{life_cycle, store};
use crate::http::caller::{ReadGroups, WriteGroups};
use crate::http::docs::{CommandErrors, DeleteErrors, PartErrors};
use crate::http::envelope::{Reply, reply};
use crate::http::list::{self, ListReply};
use crate::http::query::{ListParameters, ListQuery};
use crate::http::routing::ServiceConfig;
use crate::http::{ApiError, ApiResult, Body, Caller, Ctx, PathId};
use crate::load::groups;
use crate::sites::stations::link::{SharedLink, Signals};
use crate::store::StoreError;
use kernel::GroupId;

/// Adds the endpoints of this slice.
pub fn routes(config: &mut ServiceConfig) {
    config.service(start_priority_charge).service(end_priority_charge).service(list_priority_charges);
}

fn missing(error: StoreError) -> ApiError {
    ApiError::missing(error, "group")
}

/// Lets a home user's group charge at once although its exclusion times say no. Approved: 201, or 200 when one is already active;
/// without a car it waits for one. Denied: 409. Error, because no station of the group can be reached: 406.
#[utoipa::path(tag = "load management", params(("id" = GroupId, Path, description = "The group")),
    request_body = NewPriorityCharge, responses(
        (status = CREATED, body = Reply<PriorityChargeView>, description = "It is on, or waits for a car"),
        (status = OK, body = Reply<PriorityChargeView>, description = "One is already active"), CommandErrors))]
#[post("/load_management/groups/{id}/priority_charge")]
async fn start_priority_charge(
    caller: Caller<WriteGroups>,
    ctx: Ctx,
    (link, signals, uses): (web::Data<SharedLink>, web::Data<Signals>, web::Data<Uses>),
    PathId(id): PathId<GroupId>,
    Body(new): Body<NewPriorityCharge>,
) -> ApiResult<HttpResponse> {
    let (organization, moment) = (caller.organization(), ctx.moment());
    let lasts = new.lasts()?;
    let asked = ctx
        .db
        .write(move |conn| {
            let group = groups::find_group(conn, organization, id).map_err(missing)?;
            let online = |station| link.is_online(station);
            Ok::<_, ApiError>(life_cycle::ask(conn, &moment, (&group, None), lasts, (online, &**uses))?)
        })
        .await?;
    groups::replan(&signals, organization, asked.stations.clone());
    asked.answer()
}

impl life_cycle::Asked {
    /// What whoever asked is answered.
    pub fn answer(self) -> ApiResult<HttpResponse> {
        if let Some(refusal) = self.charge.refusal() {
            return Err(refusal);
        }
        let view = PriorityChargeView::from(self.charge);
        Ok(match self.is_new {
            true => reply(StatusCode::CREATED, "Approved", view),
            false => reply(StatusCode::OK, "Already active", view),
        })
    }
}

/// Ends the priority charge of a group; its exclusion times apply again. One that is over already is answered as it was, null
/// where there was none.
#[utoipa::path(tag = "load management", params(("id" = GroupId, Path, description = "The group")),
    responses((status = OK, body = Reply<Option<PriorityChargeView>>), DeleteErrors))]
#[delete("/load_management/groups/{id}/priority_charge")]
async fn end_priority_charge(
    caller: Caller<WriteGroups>,
    ctx: Ctx,
    signals: web::Data<Signals>,
    PathId(id): PathId<GroupId>,
) -> ApiResult<HttpResponse> {
    let (organization, moment) = (caller.organization(), ctx.moment());
    let (view, stations) = ctx
        .db
        .write(move |conn| {
            groups::find_group(conn, organization, id).map_err(missing)?;
            Ok::<_, ApiError>(life_cycle::end_on_request(conn, &moment, id)?)
        })
        .await?;
    groups::replan(&signals, organization, stations);
    Ok(reply(StatusCode::OK, "Ended", view))
}

/// Lists the priority charges of a group: those that were approved, and those that were not, with the reason.
#[utoipa::path(tag = "load management",
    params(("id" = GroupId, Path, description = "The group"), ListParameters, PriorityFilter),
    responses((status = OK, body = ListReply<PriorityChargeView>), PartErrors))]
#[get("/load_management/groups/{id}/priority_charges")]
async fn list_priority_charges(
    caller: Caller<ReadGroups>,
    ctx: Ctx,
    PathId(id): PathId<GroupId>,
    query: ListQuery<PriorityFilter>,
) -> ApiResult<HttpResponse> {
    let organization = caller.organization();
    list::respond(&ctx, query, move |conn, query| {
        groups::find_group(conn, organization, id).map_err(missing)?;
        Ok(store::list(conn, id, query)?.map(PriorityChargeView::from))
    })
    .await
}
