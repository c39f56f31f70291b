//! Assets and their readings in the database; every query of an integrator is bounded by the organization.

use std::collections::BTreeMap;

use diesel::prelude::*;

use super::model::asset::{Asset, AssetFilter, AssetType, AssetView};
use super::model::peaks::Peaks;
use super::model::reading::Reading;
use crate::http::query::ListQuery;
use crate::http::{ApiError, ApiResult, Reach};
use crate::load::groups;
use crate::sites::locations::{self as places, Location};
use crate::store::query::{contains, lower};
use crate::store::schema::{asset_readings, assets};
use crate::store::{Conn, Json, StoreError, StoreResult};
use crate::{each, fetch_page};
use kernel::page::Total;
use kernel::*;

pub(super) fn insert(conn: &mut Conn, asset: &Asset) -> StoreResult<()> {
    diesel::insert_into(assets::table).values(asset).execute(conn)?;
    Ok(())
}

/// The organization's asset with this id.
pub fn find(conn: &mut Conn, organization: OrganizationId, id: AssetId) -> StoreResult<Asset> {
    Ok(assets::table
        .filter(assets::organization_id.eq(organization))
        .filter(assets::id.eq(id))
        .select(Asset::as_select())
        .first(conn)?)
}

/// The assets whose power concerns these groups, by id.
pub fn assets_of_groups(conn: &mut Conn, groups: &[GroupId]) -> StoreResult<Vec<Asset>> {
    Ok(assets::table.filter(assets::group_id.eq_any(groups)).order(assets::id).select(Asset::as_select()).load(conn)?)
}

/// How many assets there are at a location.
pub fn count_at(conn: &mut Conn, location: LocationId) -> StoreResult<i64> {
    Ok(assets::table.filter(assets::location_id.eq(location)).count().get_result(conn)?)
}

/// How many assets a group has.
pub fn count_of_group(conn: &mut Conn, group: GroupId) -> StoreResult<i64> {
    Ok(assets::table.filter(assets::group_id.eq(group)).count().get_result(conn)?)
}

/// Saves what may be changed; what came from readings stays as it is.
pub(super) fn update(conn: &mut Conn, asset: &Asset) -> StoreResult<()> {
    diesel::update(assets::table.find(asset.id)).set(asset).execute(conn)?;
    Ok(())
}

/// Deletes it with its readings.
pub(super) fn delete(conn: &mut Conn, asset: &Asset) -> StoreResult<()> {
    diesel::delete(assets::table.find(asset.id)).execute(conn)?;
    Ok(())
}

/// Refuses a location or a group that is not the organization's; answers the location.
pub(super) fn check_references(conn: &mut Conn, asset: &Asset) -> ApiResult<Location> {
    let organization = asset.organization_id;
    let location = places::require(conn, organization, asset.location_id, "location")?;
    if let Some(group) = asset.group_id {
        let group = groups::find_group(conn, organization, group).map_err(|error| match error {
            StoreError::NotFound => {
                ApiError::field("group", "not_found", "there is no such group in your organization")
            }
            other => ApiError::from(other),
        })?;
        if group.location_id != asset.location_id {
            let message = "stands at another location than the asset";
            return Err(ApiError::field("group", "invalid", message));
        }
    }
    Ok(location)
}

pub(super) fn location_of(conn: &mut Conn, asset: &Asset) -> StoreResult<Location> {
    places::find(conn, asset.organization_id, asset.location_id)
}

/// The views of these assets, one query in all.
pub(super) fn views(conn: &mut Conn, assets: Vec<Asset>, now: Timestamp) -> StoreResult<Vec<AssetView>> {
    let ids: Vec<LocationId> = assets.iter().map(|asset| asset.location_id).collect();
    let known = places::find_many(conn, &ids)?;
    let view = |asset: Asset| {
        let location = known.get(&asset.location_id).ok_or(StoreError::NotFound)?;
        Ok(AssetView::new(asset, location, now))
    };
    assets.into_iter().map(view).collect()
}

pub(super) fn view(conn: &mut Conn, asset: Asset, now: Timestamp) -> StoreResult<AssetView> {
    views(conn, vec![asset], now)?.pop().ok_or(StoreError::NotFound)
}

/// How many assets the organization has, and how many of them are smart meters in use whose data is stale.
pub fn count_assets(
    conn: &mut Conn,
    organization: OrganizationId,
    reach: &Reach,
    now: Timestamp,
) -> StoreResult<(i64, i64)> {
    let own = || {
        let rows = assets::table.filter(assets::organization_id.eq(organization)).into_boxed();
        match reach.locations() {
            Some(within) => rows.filter(assets::location_id.eq_any(within)),
            None => rows,
        }
    };
    let silent = own()
        .filter(assets::type_.eq(AssetType::SmartMeter))
        .filter(assets::active.eq(true))
        .filter(assets::fresh_until.is_null().or(assets::fresh_until.le(now)));
    Ok((own().count().get_result(conn)?, silent.count().get_result(conn)?))
}

pub(super) fn list(
    conn: &mut Conn,
    organization: OrganizationId,
    query: &ListQuery<AssetFilter>,
    now: Timestamp,
) -> ApiResult<Page<AssetView>> {
    let filter = &query.filter;
    let filtered = || {
        let mut rows = assets::table.filter(assets::organization_id.eq(organization)).into_boxed();
        if let Some(within) = query.reach.locations() {
            rows = rows.filter(assets::location_id.eq_any(within));
        }
        if let Some(kind) = filter.kind {
            rows = rows.filter(assets::type_.eq(kind));
        }
        if let Some(group) = filter.group {
            rows = rows.filter(assets::group_id.eq(group));
        }
        if let Some(location) = filter.location {
            rows = rows.filter(assets::location_id.eq(location));
        }
        if let Some(active) = filter.active {
            rows = rows.filter(assets::active.eq(active));
        }
        if let Some(on) = filter.on {
            rows = rows.filter(assets::switched_on.eq(on));
        }
        match filter.stale {
            Some(true) => {
                let never = assets::fresh_until.is_null();
                rows = rows.filter(never.or(assets::fresh_until.le(now)));
            }
            Some(false) => rows = rows.filter(assets::fresh_until.gt(now)),
            None => {}
        }
        if let Some(text) = &query.search {
            let pattern = contains(text);
            rows = rows.filter(
                lower(assets::name.nullable())
                    .like(pattern.clone())
                    .escape('\\')
                    .or(lower(assets::code).like(pattern.clone()).escape('\\'))
                    .or(lower(assets::description).like(pattern).escape('\\')),
            );
        }
        rows
    };
    let (rows, total) = fetch_page!(conn, query, assets, filtered(), {
        "name" => assets::name,
        "code" => assets::code,
        "type" => assets::type_,
        "latest_at" => assets::latest_at,
    });
    let rows: Vec<Asset> = rows.select(Asset::as_select()).load(conn)?;
    Ok(Page { rows: views(conn, rows, now)?, total, request: query.page })
}

#[derive(Insertable)]
#[diesel(table_name = asset_readings, treat_none_as_default_value = false)]
struct Row {
    asset_id: AssetId,
    at: Timestamp,
    received_at: Timestamp,
    power: Watts,
    reading: Json<Reading>,
}

/// The stored readings at these times.
pub(super) fn readings_at(
    conn: &mut Conn,
    asset: AssetId,
    times: &[Timestamp],
) -> StoreResult<BTreeMap<Timestamp, Reading>> {
    let rows: Vec<(Timestamp, Json<Reading>)> = asset_readings::table
        .filter(asset_readings::asset_id.eq(asset))
        .filter(asset_readings::at.eq_any(times))
        .select((asset_readings::at, asset_readings::reading))
        .load(conn)?;
    Ok(rows.into_iter().map(|(at, Json(reading))| (at, reading)).collect())
}

/// Stores readings; one whose time is taken since we looked is left out.
pub(super) fn insert_readings(
    conn: &mut Conn,
    asset: AssetId,
    readings: &[Reading],
    received_at: Timestamp,
) -> StoreResult<()> {
    let rows: Vec<Row> = readings
        .iter()
        .map(|reading| Row {
            asset_id: asset,
            at: reading.at,
            received_at,
            power: reading.power,
            reading: Json(reading.clone()),
        })
        .collect();
    each!(conn, |conn| diesel::insert_into(asset_readings::table)
        .values(&rows)
        .on_conflict_do_nothing()
        .execute(conn))?;
    Ok(())
}

/// Saves what readings showed, unless somebody else stored a later one meanwhile.
pub(super) fn save_measured(conn: &mut Conn, asset: &Asset) -> StoreResult<()> {
    let known = assets::latest_at.is_null();
    diesel::update(assets::table.find(asset.id).filter(known.or(assets::latest_at.le(asset.measured.latest_at))))
        .set(&asset.measured)
        .execute(conn)?;
    Ok(())
}

/// Keeps the highest loads of a meter's last days.
pub fn save_peaks(conn: &mut Conn, asset: AssetId, peaks: &Peaks) -> StoreResult<()> {
    diesel::update(assets::table.find(asset)).set(assets::peaks.eq(Json(peaks.clone()))).execute(conn)?;
    Ok(())
}

/// A stretch of an asset's history: from, and up to but without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretch {
    pub from: Timestamp,
    pub to: Timestamp,
}

/// One page of the readings in a stretch, oldest first.
pub(super) fn readings(
    conn: &mut Conn,
    asset: AssetId,
    stretch: Stretch,
    page: PageRequest,
) -> StoreResult<Page<Reading>> {
    let within = || {
        asset_readings::table
            .filter(asset_readings::asset_id.eq(asset))
            .filter(asset_readings::at.ge(stretch.from))
            .filter(asset_readings::at.lt(stretch.to))
    };
    let total: i64 = within().count().get_result(conn)?;
    let rows: Vec<Json<Reading>> = within()
        .order(asset_readings::at)
        .limit(page.limit())
        .offset(page.offset())
        .select(asset_readings::reading)
        .load(conn)?;
    Ok(Page {
        rows: rows.into_iter().map(|Json(reading)| reading).collect(),
        total: Total::counted(u64::try_from(total).unwrap_or_default(), page),
        request: page,
    })
}

/// The power at each instant of a stretch, oldest first, `most` of them at most.
pub(super) fn powers(
    conn: &mut Conn,
    asset: AssetId,
    stretch: Stretch,
    most: i64,
) -> StoreResult<Vec<(Timestamp, Watts)>> {
    Ok(asset_readings::table
        .filter(asset_readings::asset_id.eq(asset))
        .filter(asset_readings::at.ge(stretch.from))
        .filter(asset_readings::at.lt(stretch.to))
        .order(asset_readings::at)
        .limit(most)
        .select((asset_readings::at, asset_readings::power))
        .load(conn)?)
}

/// Of those of some ids that are of assets: the location.
pub fn locations_of(conn: &mut Conn, ids: &[RawId]) -> StoreResult<Vec<(AssetId, LocationId)>> {
    let ids = ids.iter().copied().map(AssetId::from);
    Ok(assets::table.filter(assets::id.eq_any(ids)).select((assets::id, assets::location_id)).load(conn)?)
}
