//! Reading the log of actions.

use actix_web::{HttpResponse, get};

use crate::control::actions::model::{ActionFilter, ActionView};
use crate::control::actions::store;
use crate::http::caller::ReadActions;
use crate::http::docs::{ListErrors, OneErrors};
use crate::http::envelope::Reply;
use crate::http::list::{self, ListReply};
use crate::http::query::{ListParameters, ListQuery};
use crate::http::routing::ServiceConfig;
use crate::http::{ApiError, ApiResult, Caller, Ctx, Found, PathId};
use kernel::ActionId;

/// Adds these endpoints.
pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(list_actions).service(get_action);
}

/// Lists actions.
#[utoipa::path(tag = "actions", params(ListParameters, ActionFilter),
    responses((status = OK, body = ListReply<ActionView>), ListErrors))]
#[get("/actions")]
async fn list_actions(
    caller: Caller<ReadActions>,
    ctx: Ctx,
    query: ListQuery<ActionFilter>,
) -> ApiResult<HttpResponse> {
    let (organization, whole) = (caller.organization(), caller.sees_cards());
    list::respond(&ctx, query, move |conn, query| {
        let seen = |action| ActionView::from(action).seen(whole);
        Ok(store::list(conn, organization, query)?.map(seen))
    })
    .await
}

/// Reads an action.
#[utoipa::path(tag = "actions", params(("id" = ActionId, Path, description = "The action")),
    responses((status = OK, body = Reply<ActionView>), OneErrors))]
#[get("/actions/{id}")]
async fn get_action(
    caller: Caller<ReadActions>,
    ctx: Ctx,
    PathId(id): PathId<ActionId>,
) -> ApiResult<Found<ActionView>> {
    let organization = caller.organization();
    let found = ctx.db.read(move |conn| store::find(conn, organization, id)).await;
    found
        .map(|action| Found(ActionView::from(action).seen(caller.sees_cards())))
        .map_err(|error| ApiError::missing(error, "action"))
}
