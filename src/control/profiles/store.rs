//! Charging profiles and what they are attached to, in the database.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;

use super::model::{Profile, ProfileFilter, ProfileView};
use crate::fetch_page;
use crate::http::query::ListQuery;
use crate::http::{ApiError, ApiResult};
use crate::sites::stations;
use crate::store::query::{contains, lower};
use crate::store::schema::{charging_profile_evses as attached, charging_profiles as profiles};
use crate::store::{Conn, StoreResult};
use kernel::{ChargingProfileId, EvseId, OrganizationId, Page, StationId};

pub(super) fn insert(conn: &mut Conn, profile: &Profile) -> StoreResult<()> {
    diesel::insert_into(profiles::table).values(profile).execute(conn)?;
    Ok(())
}

pub(super) fn update(conn: &mut Conn, profile: &Profile) -> StoreResult<()> {
    diesel::update(profiles::table.find(profile.id)).set(profile).execute(conn)?;
    Ok(())
}

pub(super) fn delete(conn: &mut Conn, id: ChargingProfileId) -> StoreResult<()> {
    diesel::delete(profiles::table.find(id)).execute(conn)?;
    Ok(())
}

pub(super) fn find(conn: &mut Conn, organization: OrganizationId, id: ChargingProfileId) -> StoreResult<Profile> {
    Ok(profiles::table
        .filter(profiles::organization_id.eq(organization).and(profiles::id.eq(id)))
        .select(Profile::as_select())
        .first(conn)?)
}

/// Attaches a profile to exactly these EVSEs of its organization.
pub(super) fn attach(conn: &mut Conn, profile: &Profile, wanted: &[EvseId]) -> ApiResult<()> {
    diesel::delete(attached::table.filter(attached::profile_id.eq(profile.id))).execute(conn)?;
    let known = stations::contract_ids(conn, profile.organization_id, wanted)?;
    for (index, evse) in wanted.iter().enumerate() {
        let field = format!("evses[{index}]");
        if !known.contains_key(evse) {
            let text = "there is no such EVSE in your organization";
            return Err(ApiError::field(&field, "not_found", text));
        }
        if wanted.iter().take(index).any(|other| other == evse) {
            return Err(ApiError::field(&field, "already_exists", "is named twice"));
        }
        diesel::insert_into(attached::table)
            .values((attached::profile_id.eq(profile.id), attached::evse_id.eq(evse)))
            .execute(conn)?;
    }
    Ok(())
}

/// What a profile is attached to.
pub(super) fn evses_of(conn: &mut Conn, id: ChargingProfileId) -> StoreResult<Vec<EvseId>> {
    Ok(attached::table
        .filter(attached::profile_id.eq(id))
        .order(attached::evse_id)
        .select(attached::evse_id)
        .load(conn)?)
}

/// The stations of these EVSEs.
pub(super) fn stations_of(conn: &mut Conn, ids: &[EvseId]) -> StoreResult<Vec<StationId>> {
    let found = stations::stations_of_evses(conn, ids)?;
    Ok(found.into_iter().map(|(_, station)| station).collect())
}

/// The profiles that are attached to these EVSEs.
pub(super) fn by_evse(conn: &mut Conn, ids: &[EvseId]) -> StoreResult<BTreeMap<EvseId, Vec<Profile>>> {
    let rows: Vec<(EvseId, Profile)> = attached::table
        .inner_join(profiles::table)
        .filter(attached::evse_id.eq_any(ids))
        .filter(profiles::active.eq(true))
        .select((attached::evse_id, Profile::as_select()))
        .load(conn)?;
    let mut found: BTreeMap<EvseId, Vec<Profile>> = BTreeMap::new();
    for (evse, profile) in rows {
        found.entry(evse).or_default().push(profile);
    }
    Ok(found)
}

/// Stations with a profile, and whose they are.
pub(super) fn stations_with_profiles(conn: &mut Conn) -> StoreResult<BTreeSet<(OrganizationId, StationId)>> {
    let evses: Vec<EvseId> = attached::table.select(attached::evse_id).distinct().load(conn)?;
    stations::stations_of_evses(conn, &evses)
}

pub(super) fn list(
    conn: &mut Conn,
    organization: OrganizationId,
    query: &ListQuery<ProfileFilter>,
) -> ApiResult<Page<ProfileView>> {
    let filter = &query.filter;
    let filtered = || {
        let mut rows = profiles::table.filter(profiles::organization_id.eq(organization)).into_boxed();
        if let Some(evse) = filter.evse {
            let there = attached::table.filter(attached::evse_id.eq(evse)).select(attached::profile_id);
            rows = rows.filter(profiles::id.eq_any(there));
        }
        if let Some(active) = filter.active {
            rows = rows.filter(profiles::active.eq(active));
        }
        if let Some(kind) = filter.kind {
            rows = rows.filter(profiles::type_.eq(kind));
        }
        if let Some(text) = &query.search {
            let pattern = contains(text);
            rows = rows.filter(
                lower(profiles::name.nullable())
                    .like(pattern.clone())
                    .escape('\\')
                    .or(lower(profiles::code).like(pattern).escape('\\')),
            );
        }
        rows
    };
    let (rows, total) = fetch_page!(conn, query, profiles, filtered(), {
        "name" => profiles::name,
        "stack_level" => profiles::stack_level,
    });
    let found: Vec<Profile> = rows.select(Profile::as_select()).load(conn)?;
    let views: StoreResult<Vec<ProfileView>> = found
        .into_iter()
        .map(|profile| {
            let evses = evses_of(conn, profile.id)?;
            Ok(ProfileView::new(profile, evses))
        })
        .collect();
    Ok(Page { rows: views?, total, request: query.page })
}
