//! Assets: creating, reading, changing, turning on and off.

use actix_web::{HttpResponse, delete, get, patch, post, web};

use super::{missing, notify};
use crate::events::EventKind;
use crate::filters;
use crate::http::caller::{ReadAssets, ReadGroups, ReadLocations, WriteAssets};
use crate::http::docs::{DeleteErrors, ListErrors, OneErrors, WriteErrors};
use crate::http::envelope::Reply;
use crate::http::include::{Shown, include};
use crate::http::list::{self, ListReply};
use crate::http::query::{ListParameters, ListQuery, PlaceParameters};
use crate::http::routing::ServiceConfig;
use crate::http::{ApiError, ApiResult, Body, Caller, Changed, Created, Ctx, Deleted, Found, IfMatch, PathId, Query};
use crate::load::assets::model::asset::{Asset, AssetFilter, AssetPatch, AssetType, AssetView, NewAsset, NewState};
use crate::load::assets::signals::{AssetChange, AssetSignals};
use crate::load::assets::store;
use crate::load::groups;
use crate::sites::locations;
use crate::store::{Conn, StoreResult};
use kernel::{AssetId, OrganizationId};

/// Adds these endpoints.
pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(list_assets)
        .service(create_asset)
        .service(get_asset)
        .service(update_asset)
        .service(delete_asset)
        .service(set_asset_state);
}

filters! {
    /// What is put in place of an id.
    pub(crate) struct AssetIncludes {
        /// Put the whole location in place of its id.
        pub include_location: bool,
        /// Put the whole load-management group in place of its id.
        pub include_group: bool,
    }
}

impl AssetIncludes {
    fn permit(&self, caller: &Caller<ReadAssets>) -> ApiResult<()> {
        caller.may_include::<ReadLocations>("include_location", self.include_location)?;
        caller.may_include::<ReadGroups>("include_group", self.include_group)
    }

    /// Puts objects in place of the ids of these rows.
    fn put(&self, conn: &mut Conn, organization: OrganizationId, rows: &mut [Shown<AssetView>]) -> StoreResult<()> {
        if self.include_location == Some(true) {
            include(rows, "location", |ids| locations::views_of(conn, organization, ids))?;
        }
        if self.include_group == Some(true) {
            include(rows, "group", |ids| groups::views_of(conn, organization, ids))?;
        }
        Ok(())
    }
}

/// Lists assets; `search` finds by name, code and description.
#[utoipa::path(tag = "assets", params(ListParameters, PlaceParameters, AssetFilter),
    responses((status = OK, body = ListReply<AssetView>), ListErrors))]
#[get("/assets")]
async fn list_assets(caller: Caller<ReadAssets>, ctx: Ctx, query: ListQuery<AssetFilter>) -> ApiResult<HttpResponse> {
    let AssetFilter { include_location, include_group, .. } = query.filter;
    let includes = AssetIncludes { include_location, include_group };
    includes.permit(&caller)?;
    let (organization, now) = (caller.organization(), ctx.clock.now());
    list::respond(&ctx, query, move |conn, query| {
        let mut page = store::list(conn, organization, query, now)?.map(Shown::new);
        includes.put(conn, organization, &mut page.rows)?;
        Ok(page)
    })
    .await
}

/// Creates an asset.
#[utoipa::path(tag = "assets", request_body = NewAsset,
    responses((status = CREATED, body = Reply<AssetView>), WriteErrors))]
#[post("/assets")]
async fn create_asset(
    caller: Caller<WriteAssets>,
    ctx: Ctx,
    signals: web::Data<AssetSignals>,
    Body(new): Body<NewAsset>,
) -> ApiResult<Created<AssetView>> {
    let change = ctx.change(caller.organization());
    let asset = Asset::new(new, change.organization, &change.moment)?;
    let stored = asset.clone();
    let created = change.answer(move |change| {
        let location = store::check_references(change.conn, &stored)?;
        store::insert(change.conn, &stored)?;
        let view = AssetView::new(stored.clone(), &location, change.moment.now);
        change.record(EventKind::AssetCreated, &view)?;
        Ok(Created(view))
    });
    let created = created.await?;
    notify(&signals, &asset, None, AssetChange::Reconfigured);
    Ok(created)
}

/// Reads an asset, with its latest reading.
#[utoipa::path(tag = "assets", params(("id" = AssetId, Path, description = "The asset"), AssetIncludes),
    responses((status = OK, body = Reply<AssetView>), OneErrors))]
#[get("/assets/{id}")]
async fn get_asset(
    caller: Caller<ReadAssets>,
    ctx: Ctx,
    PathId(id): PathId<AssetId>,
    Query(includes): Query<AssetIncludes>,
) -> ApiResult<Found<Shown<AssetView>>> {
    includes.permit(&caller)?;
    let (organization, now) = (caller.organization(), ctx.clock.now());
    let read = ctx.db.read(move |conn| {
        let asset = store::find(conn, organization, id)?;
        let mut view = [Shown::new(store::view(conn, asset, now)?)];
        includes.put(conn, organization, &mut view)?;
        let [view] = view;
        Ok(view)
    });
    Ok(Found(read.await.map_err(missing)?))
}

/// Changes an asset (JSON merge patch).
#[utoipa::path(tag = "assets", params(("id" = AssetId, Path, description = "The asset")),
    request_body = AssetPatch, responses((status = OK, body = Reply<AssetView>), WriteErrors))]
#[patch("/assets/{id}")]
async fn update_asset(
    caller: Caller<WriteAssets>,
    ctx: Ctx,
    signals: web::Data<AssetSignals>,
    PathId(id): PathId<AssetId>,
    if_match: IfMatch,
    Body(patch): Body<AssetPatch>,
) -> ApiResult<Changed<AssetView>> {
    let changed = ctx.change(caller.organization()).write(move |change| {
        let mut asset = store::find(change.conn, change.organization, id).map_err(missing)?;
        if_match.check(asset.updated_at)?;
        let left = asset.group_id;
        asset.apply(patch.clone(), change.moment)?;
        let location = store::check_references(change.conn, &asset)?;
        store::update(change.conn, &asset)?;
        let view = AssetView::new(asset.clone(), &location, change.moment.now);
        change.record(EventKind::AssetUpdated, &view)?;
        Ok::<_, ApiError>((view, asset, left))
    });
    let (view, asset, left) = changed.await?;
    notify(&signals, &asset, left, AssetChange::Reconfigured);
    Ok(Changed(view))
}

/// Deletes an asset with its readings.
#[utoipa::path(tag = "assets", params(("id" = AssetId, Path, description = "The asset")),
    responses((status = OK, body = Reply<AssetView>), DeleteErrors))]
#[delete("/assets/{id}")]
async fn delete_asset(
    caller: Caller<WriteAssets>,
    ctx: Ctx,
    signals: web::Data<AssetSignals>,
    PathId(id): PathId<AssetId>,
    if_match: IfMatch,
) -> ApiResult<Deleted<AssetView>> {
    let deleted = ctx.change(caller.organization()).write(move |change| {
        let asset = store::find(change.conn, change.organization, id).map_err(missing)?;
        if_match.check(asset.updated_at)?;
        let view = store::view(change.conn, asset.clone(), change.moment.now)?;
        store::delete(change.conn, &asset)?;
        change.record(EventKind::AssetDeleted, &view)?;
        Ok::<_, ApiError>((view, asset))
    });
    let (view, asset) = deleted.await?;
    notify(&signals, &asset, None, AssetChange::Reconfigured);
    Ok(Deleted(view))
}

/// Turns a battery on or off. On, what it gives may be used.
#[utoipa::path(tag = "assets", params(("id" = AssetId, Path, description = "The battery")),
    request_body = NewState, responses((status = OK, body = Reply<AssetView>), WriteErrors))]
#[post("/assets/{id}/state")]
async fn set_asset_state(
    caller: Caller<WriteAssets>,
    ctx: Ctx,
    signals: web::Data<AssetSignals>,
    PathId(id): PathId<AssetId>,
    Body(state): Body<NewState>,
) -> ApiResult<Changed<AssetView>> {
    let switched = ctx.change(caller.organization()).answer_and(move |change| {
        let mut asset = store::find(change.conn, change.organization, id).map_err(missing)?;
        if asset.kind != AssetType::Battery {
            let message = format!("Only a battery is turned on and off; this asset is a {}", asset.kind);
            return Err(ApiError::conflict(message));
        }
        let changes = asset.switch(state.on, change.moment);
        if changes {
            store::update(change.conn, &asset)?;
        }
        let view = store::view(change.conn, asset.clone(), change.moment.now)?;
        if changes {
            let kind = EventKind::AssetStateUpdated;
            change.record(kind, &view)?;
        }
        Ok((Changed(view), asset))
    });
    let (view, asset) = switched.await?;
    notify(&signals, &asset, None, AssetChange::Switched);
    Ok(view)
}
